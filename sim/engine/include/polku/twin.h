/* The analytic twin: expected occupancy without simulation, for one kind of person.
 *
 * Semi-Markov forward equations on time x time-in-state, in steps of equal length, second order in the step; exact
 * where hazards are constant within steps and spells are Markov up to that order. It reads the same plan as a life
 * does but shares no code path with it: conversions are solved on it and the simulation is held against it.
 * Only IEEE-exact operations, because conversions reach lives. */
#ifndef PK_TWIN_H
#define PK_TWIN_H

#include "polku/life.h"

#ifdef __cplusplus
extern "C" {
#endif

struct pk_twin_case {
    const struct pk_plan *plan;
    uint32_t stratum;
    uint16_t i_state;                     /* at start */
    double age, elapsed;                  /* months at start */
    const struct pk_treatment *treatment; /* NULL: none */
    uint64_t stop_states;                 /* bit per state: treated as absorbing, for "ever entered" */
    double until;                         /* months */
    double step;                          /* months; until is cut into whole steps of at most this */
};

/* occupancy[n_states] at `until`, and if not NULL person_months[n_states] up to then (trapezoid).
 * Errors: PK_NO_MEMORY; PK_BAD_INPUT where effects that end with the first job end at different states. */
PK_CHECKED enum pk_status pk_twin_solve(const struct pk_twin_case *problem, double *occupancy, double *person_months,
                                        struct pk_error *error);

/* Memory for many solutions, one after the other; init, then solve, then free. One thread's. */
struct pk_twin {
    void *grid;
    double *mass;
    size_t n_mass;
};
void pk_twin_init(struct pk_twin *twin);
void pk_twin_free(struct pk_twin *twin);
/* As pk_twin_solve, in the twin's memory. */
PK_CHECKED enum pk_status pk_twin_solve_in(struct pk_twin *twin, const struct pk_twin_case *problem, double *occupancy,
                                           double *person_months, struct pk_error *error);

/* The mean of a rate over [from, to] of its clock. */
double pk_twin_rate_mean(const struct pk_rate *rate, double from, double to);

#ifdef __cplusplus
}
#endif
#endif
