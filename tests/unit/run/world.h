/* A world with everything that is told of people: rewards, ledgers, histograms, ages, people who flow in, prevented
 * events. Every figure of a run of it can be counted again from the lives themselves. */
#ifndef PK_TESTS_WORLD_H
#define PK_TESTS_WORLD_H

#include "support.h"

extern const char *const world_model;
extern const char *const world_scenario;

/* A life with whatever came of the person's arm. */
struct world_life {
    const struct pk_plan *plan;
    const struct pk_person *person;
    const struct pk_life *base, *life;
    size_t i_arm;
    bool treated;
};
/* Lives everybody in every replication and arm (all enrolments must be by share) and calls visit for each. */
void world_each(const struct support_world *world, int64_t n_replications,
                void (*visit)(const struct world_life *life, void *data), void *data);

/* The total of an outcome over all units, and what it is divided by. */
double world_total(const struct pk_run *run, size_t i_population, size_t i_arm, const char *name, double *denominator);

/* A stay in a state, ticks; at most PK_LIFE_MAX_EVENTS + 1 of a life. */
struct world_stay {
    size_t i_state;
    int64_t from, to;
    bool ended; /* by an event */
};
size_t world_stays(const struct world_life *life, struct world_stay *stays);

/* The integral of exp(-force (t - zero)) over [from, to], and its value; years. */
double world_discounted(double force, double zero, double from, double to);

#endif
