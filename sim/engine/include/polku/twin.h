/* The analytic twin: expected occupancy without simulation, for one kind of person.
 *
 * Semi-Markov forward equations on time x time-in-state, in steps of equal length, second order in the step; exact
 * where hazards are constant within steps and spells are Markov up to that order. Effects that end with an event, what
 * a prevention leaves behind and cures of a spell are followed as phases beside the states. It reads the same plan as
 * a life does but shares no code path with it: conversions are solved on it and the simulation is held against it.
 * Only IEEE-exact operations, because conversions reach lives. */
#ifndef PK_TWIN_H
#define PK_TWIN_H

#include "polku/life.h"

#ifdef __cplusplus
extern "C" {
#endif

struct pk_twin_start {
    uint16_t i_state;
    double elapsed; /* months already in the state */
    double mass;
};

struct pk_twin_case {
    const struct pk_plan *plan;
    uint32_t stratum;
    const double *frailties; /* [n_frailties]; NULL: all 1 */
    uint64_t cured;          /* bit per cure that is a person's */
    uint16_t i_state;        /* at start ... */
    double age, elapsed;     /* ... months at start */
    size_t n_starts;
    const struct pk_twin_start *starts;   /* [n_starts] instead of i_state and elapsed; NULL: a mass of 1 there */
    const struct pk_treatment *treatment; /* NULL: none; where people start elsewhere is the caller's to say */
    uint64_t stop_states;                 /* bit per state: treated as absorbing, for "ever entered" */
    double until;                         /* months */
    double step;                          /* months; until is cut into whole steps of at most this */
    size_t n_times;
    const double *times; /* [n_times] ascending, whole steps, what is told at; NULL: at until only */
    double *entries;     /* written: [n_times][n_states] expected entries from other states up to then (first entries
                            where the state stops); NULL: not wanted; the caller's */
};

/* occupancy[n_times][n_states], and if not NULL person_months[n_times][n_states] up to then (trapezoid); n_times is 1
 * without times. Errors: PK_NO_MEMORY; PK_BAD_INPUT where pk_twin_obstacle names one. */
PK_CHECKED enum pk_status pk_twin_solve(const struct pk_twin_case *problem, double *occupancy, double *person_months,
                                        struct pk_error *error);

/* Why the twin cannot follow a treatment (NULL: none), and the transition that is the reason; NULL: it can. */
const char *pk_twin_obstacle(const struct pk_plan *plan, const struct pk_treatment *treatment, size_t *i_transition);

/* Memory for many solutions, one after the other; init, then solve, then free. One thread's. */
struct pk_twin {
    void *grid, *ways, *rows;
    double *mass, *rates;
    uint32_t *row_of;
    size_t n_ways, n_rows, n_mass, n_rates, n_row_of;
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
