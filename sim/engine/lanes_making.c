/* Pieces of the tables for lanes. See lanes_making.h. */
#include "lanes_making.h"

#include <math.h>

#include "polku/memory.h"

void *pk_making_room(struct pk_making *making, size_t n, size_t size)
{
    void *made =
        pk_arena_alloc(&making->tables->arena, n + 2 * PK_LANES_SMALL, size); /* look-ups read whole registers */
    if (made == NULL)
        making->why = "memory";
    return made;
}

uint64_t *pk_making_words(struct pk_making *making, size_t n)
{
    return pk_making_room(making, n, sizeof(uint64_t));
}

double *pk_making_doubles(struct pk_making *making, size_t n)
{
    return pk_making_room(making, n, sizeof(double));
}

uint64_t pk_making_clock(struct pk_making *making, enum pk_clock clock)
{
    switch (clock) {
    case PK_CLOCK_START:
        return PK_LANE_SINCE_START;
    case PK_CLOCK_STATE:
        return PK_LANE_SINCE_ENTRY;
    case PK_CLOCK_AGE:
        return PK_LANE_SINCE_BIRTH;
    default:
        making->why = "a clock";
        return PK_LANE_SINCE_START;
    }
}

uint64_t pk_making_way(const struct pk_making *making, size_t i_arc)
{
    const size_t to = making->plan->arcs[i_arc].i_to;
    return PK_LANE_WAY(i_arc, to, making->plan->states[to].absorbing);
}

static unsigned depth_for(struct pk_making *making, size_t n_cuts)
{
    unsigned depth = 0;
    while (((size_t)1 << depth) - 1 < n_cuts)
        depth++;
    if (depth > PK_LANES_MAX_DEPTH)
        making->why = "a table with more than 255 cuts";
    return depth;
}

/* Room for the cuts of n tables with at most n_cuts. */
void pk_making_cuts(struct pk_making *making, size_t n, size_t n_cuts, struct pk_lane_cuts *made)
{
    made->depth = depth_for(making, n_cuts);
    made->cuts = pk_making_doubles(making, n << made->depth);
    for (size_t i = 0; made->cuts != NULL && i < n << made->depth; i++)
        made->cuts[i] = PK_NEVER;
}

static size_t n_at_most(const double *cuts, size_t n, double x)
{
    size_t at = 0;
    while (at < n && cuts[at] <= x)
        at++;
    return at;
}

/* Once all cuts are there. A value may fall into the bucket beside its own by rounding: hence the margins. */
void pk_making_buckets(struct pk_making *making, size_t n, struct pk_lane_cuts *made)
{
    const size_t n_cuts = ((size_t)1 << made->depth) - 1;
    double low = PK_NEVER, high = -PK_NEVER;
    if (made->depth <= 2 || making->why != NULL)
        return;
    for (size_t i = 0; i < n << made->depth; i++) {
        low = made->cuts[i] < low ? made->cuts[i] : low;
        high = isfinite(made->cuts[i]) && made->cuts[i] > high ? made->cuts[i] : high;
    }
    const double width = (high - low) / (PK_LANES_BUCKETS - 4);
    made->buckets = pk_making_words(making, n * PK_LANES_BUCKETS);
    if (making->why != NULL || !(width > 0))
        return;
    made->low = low - 2 * width;
    made->per_width = 1 / width;
    for (size_t t = 0; t < n; t++)
        for (size_t b = 0; b < PK_LANES_BUCKETS; b++) { /* of the values nearest to b */
            const double *cuts = made->cuts + (t << made->depth);
            const size_t from = b > 0 ? n_at_most(cuts, n_cuts, made->low + ((double)b - 1) * width) : 0,
                         to = n_at_most(cuts, n_cuts, made->low + ((double)b + 1) * width);
            made->buckets[t * PK_LANES_BUCKETS + b] = from;
            made->n_steps = to - from > made->n_steps ? (unsigned)(to - from) : made->n_steps;
        }
    made->bucketed = made->n_steps + 1 < made->depth;
}

/* The clock of all, as long as they have the same. */
void pk_making_share_clock(struct pk_making *making, uint64_t clock, bool *any, enum pk_lane_clock *shared)
{
    *shared = !*any || *shared == (enum pk_lane_clock)clock ? (enum pk_lane_clock)clock : PK_LANE_MIXED;
    *any = true;
    making->tables->uses_age |= clock == PK_LANE_SINCE_BIRTH;
    making->uses_entry |= clock == PK_LANE_SINCE_ENTRY;
}
