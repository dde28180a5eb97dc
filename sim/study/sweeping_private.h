/* What the files that run a sweep share. Not installed. */
#ifndef PK_SWEEPING_PRIVATE_H
#define PK_SWEEPING_PRIVATE_H

#include "polku/sweeping.h"

/* What all points of a study share; read by all workers. */
struct pk_pointing {
    const struct pk_study *study;
    const struct pk_model *model;
    struct pk_scenario scenario;   /* as little as the figures need; borrows the study's scenario */
    struct pk_outcome *outcomes;   /* [scenario.n_outcomes] owned */
    struct pk_arm *arms;           /* [scenario.n_arms] owned: those that a figure is of, and the first */
    size_t arm_of[PK_MAX_ARMS];    /* of the study's scenario's arms among these; SIZE_MAX: not needed */
    size_t place[PK_MAX_OUTCOMES]; /* of the study's scenario's outcomes among these; SIZE_MAX: not needed */
    int64_t replications;
};

PK_CHECKED enum pk_status pk_pointing_init(struct pk_pointing *pointing, const struct pk_study *study,
                                           const struct pk_scenario *scenario, const struct pk_model *model,
                                           struct pk_error *error);
void pk_pointing_free(struct pk_pointing *pointing);

/* figures[n_figures] of a point with these quantities in the worlds from first_world on, on one core. Errors:
 * PK_BAD_INPUT: the point has no meaning; those of runs. */
PK_CHECKED enum pk_status pk_pointing_run(const struct pk_pointing *pointing, const double *x, int64_t first_world,
                                          double *figures, double *errors, int64_t *n_transitions,
                                          struct pk_error *error);

/* Values as given at a point. Errors: PK_BAD_INPUT: outside what a unit allows; PK_NO_MEMORY. */
PK_CHECKED enum pk_status pk_pointing_values(const struct pk_pointing *pointing, const double *x,
                                             struct pk_values *values, size_t *told_instead, struct pk_error *error);

/* Values and plan at the scenario's own values; at a point. Both are the caller's to free. Errors: PK_BAD_INPUT: it has
 * no meaning there; PK_NO_MEMORY. */
PK_CHECKED enum pk_status pk_pointing_base(const struct pk_scenario *scenario, const struct pk_model *model,
                                           struct pk_values *values, struct pk_plan *plan, struct pk_error *error);
PK_CHECKED enum pk_status pk_pointing_plan(const struct pk_pointing *pointing, const double *x,
                                           struct pk_values *values, struct pk_plan *plan, size_t *told_instead,
                                           struct pk_error *error);

#endif
