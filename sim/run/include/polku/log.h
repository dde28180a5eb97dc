/* The events of some people's lives in every arm, as multi-state packages read them (mstate, msm, flexsurv):
 * one row a spell with id, from, to, tstart, tstop, status. */
#ifndef PK_LOG_H
#define PK_LOG_H

#include "polku/life.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { PK_LOG_MAX_ROWS = 20000000 };

struct pk_log {
    size_t n_rows, room, n_attributes;
    int64_t *arms, *persons, *from, *to,
        *status;                      /* [n_rows]; status 1: left for `to`; 0: there to the end, to = from */
    double *start_years, *stop_years; /* [n_rows] since the start; who flows in begins at their entry */
    uint8_t *values;                  /* [n_rows][n_attributes] of the person */
};

/* Lives, in replication 0, of the first n people by id, or of the first n whom some arm enrols. Ids mean nothing in a
 * synthetic population, so this is a random sample; INT64_MAX: all. Errors: those of a life, PK_NO_MEMORY,
 * PK_BAD_INPUT: more than PK_LOG_MAX_ROWS rows. */
PK_CHECKED enum pk_status pk_log_make(struct pk_log *log, const struct pk_plan *plan, int64_t n_persons,
                                      bool of_enrolled, struct pk_error *error);
void pk_log_free(struct pk_log *log);

#ifdef __cplusplus
}
#endif
#endif
