/* One scenario of a claims file: its result, made or found. */
#ifndef PK_CLAIMS_RUN_H
#define PK_CLAIMS_RUN_H

#include "simulate.h"

struct pk_claims_run {
    const char *result; /* the file */
    int64_t threads, replications;
    bool variants; /* the scenario's variants and ranges are wanted; a result with them will do anyway */
    bool again;    /* even where the result is there */
};

/* Afterwards the result is there, of these inputs and of this version of the program. *reused: it was. Problems of the
 * scenario are told here. */
PK_CHECKED enum pk_status pk_claims_run(const char *scenario_path, const struct pk_claims_run *asked, bool *reused,
                                        struct pk_error *error);

#endif
