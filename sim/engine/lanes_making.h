/* What the files that make tables for lanes share. Not installed. */
#ifndef PK_LANES_MAKING_H
#define PK_LANES_MAKING_H

#include "lanes_private.h"

/* A table under way: the arena's words, or that there were none left. */
struct pk_making {
    struct pk_lane_tables *tables;
    const struct pk_plan *plan;
    const char *why; /* the scalar reference must do it */
    bool uses_entry; /* some clock starts when a state is entered */
};

void *pk_making_room(struct pk_making *making, size_t n, size_t size);
uint64_t *pk_making_words(struct pk_making *making, size_t n);
double *pk_making_doubles(struct pk_making *making, size_t n);
uint64_t pk_making_clock(struct pk_making *making, enum pk_clock clock);
uint64_t pk_making_way(const struct pk_making *making, size_t i_arc);
/* Room for the cuts of n tables with at most n_cuts; once all cuts are there, their buckets. */
void pk_making_cuts(struct pk_making *making, size_t n, size_t n_cuts, struct pk_lane_cuts *made);
void pk_making_buckets(struct pk_making *making, size_t n, struct pk_lane_cuts *made);
/* The clock of all, as long as they have the same. */
void pk_making_share_clock(struct pk_making *making, uint64_t clock, bool *any, enum pk_lane_clock *shared);

/* Whether a state's base hazards are piecewise constant with their sums ready. */
bool pk_making_is_summed(const struct pk_plan_state *state);

/* Whether hazards that are one for all strata have a form with vectors. */
bool pk_making_has_vectors(const struct pk_rate *rates, size_t n_rates);

/* Hazards common to all states; fixed times; what is above common hazards; what is done lane by lane. */
void pk_making_common(struct pk_making *making);
void pk_making_timers(struct pk_making *making);
void pk_making_excess(struct pk_making *making);
void pk_making_single(struct pk_making *making);

#endif
