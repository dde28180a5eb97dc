/* The lanes' columns and what is read off them, in vectors. See lanes_private.h. Not installed. */
#ifndef PK_LANES_COLUMNS_H
#define PK_LANES_COLUMNS_H

#include "lanes_math.h"
#include "lanes_private.h"

/* An entry of a table by state. */
PK_INLINE pk_vu of_state(bool few, const uint64_t *table, pk_vu state)
{
    return few ? pk_vu_lookup(table, state) : pk_vu_gather(table, state);
}

/* The time at which the clock of each lane's state reads 0. alike: one clock for all states, else PK_LANE_MIXED. */
PK_INLINE pk_vd clock_zero(const struct pk_lanes *lanes, size_t i, enum pk_lane_clock alike, const uint64_t *clocks,
                           pk_vu state)
{
    const struct pk_lane_tables *tables = lanes->tables;
    const double *since = doubles_of(lanes, tables->uses_elapsed ? tables->i_zero : (size_t)PK_LANE_ENTRY);
    if (alike == PK_LANE_SINCE_ENTRY)
        return pk_vd_load(since + i);
    if (alike == PK_LANE_SINCE_BIRTH)
        return -pk_vd_load(doubles_of(lanes, tables->i_age) + i);
    pk_vd zero = pk_vd_set(0);
    if (alike == PK_LANE_SINCE_START)
        return zero;
    const pk_vu clock = of_state(tables->few, clocks, state);
    zero = pk_vd_select(pk_vu_equal(clock, pk_vu_set(PK_LANE_SINCE_ENTRY)), pk_vd_load(since + i), zero);
    if (tables->uses_age)
        zero = pk_vd_select(pk_vu_equal(clock, pk_vu_set(PK_LANE_SINCE_BIRTH)),
                            -pk_vd_load(doubles_of(lanes, tables->i_age) + i), zero);
    return zero;
}

PK_INLINE void consider(pk_vd time, pk_vu way, pk_vd *best, pk_vu *best_way)
{
    const pk_vm sooner = pk_vd_less(time, *best);
    *best = pk_vd_select(sooner, time, *best);
    *best_way = pk_vu_select(sooner, way, *best_way);
}

/* Where the spells of each lane's stream are counted: a word, and a shift in it. */
struct pk_counter {
    pk_vu shift, word;
};

PK_INLINE struct pk_counter counter_of(const struct pk_lane_tables *tables, bool few, pk_vu state)
{
    struct pk_counter counter = {.shift = of_state(few, tables->shifts, state), .word = pk_vu_set(0)};
    if (tables->n_counter_words > 1)
        counter.word = of_state(few, tables->words, state);
    return counter;
}

/* The spell numbers of each lane's stream. */
PK_INLINE pk_vu used_up(const struct pk_lanes *lanes, size_t i, struct pk_counter counter)
{
    const struct pk_lane_tables *tables = lanes->tables;
    const uint64_t *counters = words_of(lanes, tables->i_used) + i;
    pk_vu counted = pk_vu_load(counters);
    for (size_t w = 1; w < tables->n_counter_words; w++)
        counted = pk_vu_select(pk_vu_equal(counter.word, pk_vu_set(w)), pk_vu_load(counters + w * PK_LANES), counted);
    return (counted >> counter.shift) & pk_vu_set((1u << PK_LANES_COUNTER_BITS) - 1);
}

PK_INLINE void use_up(struct pk_lanes *lanes, size_t i, struct pk_counter counter, pk_vm fired)
{
    const struct pk_lane_tables *tables = lanes->tables;
    uint64_t *counters = words_of(lanes, tables->i_used) + i;
    const pk_vu one = pk_vu_select(fired, pk_vu_set(1) << counter.shift, pk_vu_set(0));
    if (tables->n_counter_words == 1) {
        pk_vu_store(counters, pk_vu_load(counters) + one);
        return;
    }
    for (size_t w = 0; w < tables->n_counter_words; w++)
        pk_vu_store(counters + w * PK_LANES,
                    pk_vu_load(counters + w * PK_LANES) +
                        pk_vu_select(pk_vu_equal(counter.word, pk_vu_set(w)), one, pk_vu_set(0)));
}

#endif
