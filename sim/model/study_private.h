/* What the files that read studies share. Not installed. */
#ifndef PK_STUDY_PRIVATE_H
#define PK_STUDY_PRIVATE_H

#include "load_private.h"
#include "polku/study.h"

struct pk_study_load {
    struct pk_load load; /* of the scenario and its model, in the study's arena */
    struct pk_study *study;
    const char *arms[PK_MAX_ARMS], *outcomes[PK_MAX_OUTCOMES];
};

/* The key targets: a mapping of targets by name. */
void pk_study_read_targets(struct pk_study_load *s, const struct pk_reader *r);

#endif
