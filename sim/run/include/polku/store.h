/* A finished run into a result file: the layout that users open in xarray, R or h5py. docs: README, "The result file".
 *
 * Responsibility: which array goes where under which name. Bytes are results.h's business. */
#ifndef PK_STORE_H
#define PK_STORE_H

#include "polku/log.h"
#include "polku/run.h"

#ifdef __cplusplus
extern "C" {
#endif

struct pk_variant_result {    /* one variant's outcomes among the enrolled (or everyone, where nobody is enrolled) */
    const char *name, *topic; /* topic "range": a parameter moved to one end of its range */
    const char *changed;      /* "parameter = value, ..." */
    const char *warning;      /* "" or why to read it with care */
    size_t n_units;
    double *outcomes;     /* [n_units][n_arms][n_outcomes]; of a ratio, the numerator */
    double *denominators; /* the same; NULL: no outcome is a ratio */
    double *persons;      /* [n_units] */
    double *costs;        /* [n_arms] euros per person of the population compared */
};

struct pk_store {
    const struct pk_run *run;
    const struct pk_model *model;
    const struct pk_scenario *scenario;
    const struct pk_values *values;
    const struct pk_plan *plan;
    size_t n_variants;
    const struct pk_variant_result *variants;
    const struct pk_log *log; /* may be NULL or empty */
    size_t n_sets;            /* overrides from the command line */
    const struct pk_set *sets;
    int64_t replications_asked; /* instead of the scenario's; 0: those */
    const char *command;        /* the command line; kept apart from what is digested */
    const char *warnings;       /* lines; what the program warned of */
};

/* Writes the result whole under path, or nothing; path NULL: only the digest. digest[65]: hexadecimal SHA-256 of all
 * datasets and attributes that do not depend on the machine. Errors: those of results.h. */
PK_CHECKED enum pk_status pk_store_save(const struct pk_store *store, const char *path, char *digest,
                                        struct pk_error *error);

#ifdef __cplusplus
}
#endif
#endif
