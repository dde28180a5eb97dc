/* What the files that read a study share. Not installed. */
#ifndef PK_LOAD_STUDY_PRIVATE_H
#define PK_LOAD_STUDY_PRIVATE_H

#include "load_private.h"
#include "polku/study.h"

struct pk_load_of_sweep;

struct pk_load_of_study {
    struct pk_load load; /* of the scenario and its model, in the study's arena */
    struct pk_study *study;
    struct pk_load_of_sweep *sweep; /* NULL: a calibration */
    const char *arms[PK_MAX_ARMS], *outcomes[PK_MAX_OUTCOMES];
};

/* The keys free and tied (after free), and targets, of a study's calibration. */
void pk_load_free_parameters(struct pk_load_of_study *s, const struct pk_reader *r);
void pk_load_tied_parameters(struct pk_load_of_study *s, const struct pk_reader *r, const struct pk_reader *r_free);
/* A problem at r where the shares of a transition do not add up to 1 at the bounds. */
void pk_load_check_shares(struct pk_load_of_study *s, const struct pk_reader *r);
void pk_load_targets(struct pk_load_of_study *s, const struct pk_reader *r);

#endif
