/* The stages of a round, and other loops over many people: lanes_plain.c, lanes_avx2.c and lanes_avx512.c compile this
 * for one instruction set each. See lanes_private.h. Not installed.
 *
 * Every statement is the reference's (life.c, life_hazard.c), lane by lane, in the same order: so are the bits. */
#ifndef PK_LANES_KERNEL_H
#define PK_LANES_KERNEL_H

#include "lanes_math.h"
#include "lanes_private.h"

#define PK_NEVER __builtin_inf()

PK_INLINE size_t padded(size_t n, size_t to)
{
    return (n + to - 1) / to * to;
}

PK_INLINE uint64_t *words_of(const struct pk_lanes *lanes, size_t i_column)
{
    return lanes->columns + i_column * PK_LANES;
}

PK_INLINE double *doubles_of(const struct pk_lanes *lanes, size_t i_column)
{
    return (double *)(void *)(lanes->columns + i_column * PK_LANES);
}

/* An entry of a table by state. */
PK_INLINE pk_vu of_state(bool few, const uint64_t *table, pk_vu state)
{
    return few ? pk_vu_lookup(table, state) : pk_vu_gather(table, state);
}

/* ---- draws --------------------------------------------------------------------------------------------------------
 */

PK_INLINE void load_person(struct pk_lane_counters *c, const uint64_t *person)
{
    PK_EACH
    {
        c->c0[g] = pk_vu_load(person + g * PK_WIDTH);
        c->c1[g] = pk_vu_high(c->c0[g]);
    }
}

/* The same purpose for all. */
PK_INLINE void philox_of(const uint64_t schedule[20], const uint64_t *person, uint64_t purpose,
                         struct pk_lane_counters *c)
{
    load_person(c, person);
    PK_EACH
    {
        c->c2[g] = pk_vu_set(purpose);
        c->c3[g] = pk_vu_set(purpose >> 32);
    }
    pk_lanes_philox(c, schedule);
}

static void words(const uint64_t schedule[20], size_t n, const uint64_t *person, uint64_t purpose, uint64_t *first)
{
    for (size_t i = 0; i < n; i += PK_WIDTH * PK_TOGETHER) {
        struct pk_lane_counters c;
        philox_of(schedule, person + i, purpose, &c);
        PK_EACH pk_vu_store(first + i + g * PK_WIDTH, pk_lanes_word(c.c0[g], c.c1[g]));
    }
}

static void uniforms(const uint64_t schedule[20], size_t n, const uint64_t *person, uint64_t purpose, double *first)
{
    for (size_t i = 0; i < n; i += PK_WIDTH * PK_TOGETHER) {
        struct pk_lane_counters c;
        philox_of(schedule, person + i, purpose, &c);
        PK_EACH pk_vd_store(first + i + g * PK_WIDTH, pk_lanes_uniform(pk_lanes_word(c.c0[g], c.c1[g])));
    }
}

/* The same as exponentials. */
static void exponentials(const uint64_t schedule[20], size_t n, const uint64_t *person, uint64_t purpose, double *first)
{
    for (size_t i = 0; i < n; i += PK_WIDTH * PK_TOGETHER) {
        struct pk_lane_counters c;
        pk_vd x[PK_TOGETHER];
        philox_of(schedule, person + i, purpose, &c);
        PK_EACH x[g] = pk_lanes_uniform(pk_lanes_word(c.c0[g], c.c1[g]));
        pk_lanes_exponential(x);
        PK_EACH pk_vd_store(first + i + g * PK_WIDTH, x[g]);
    }
}

/* The exponential and the mark of every lane's draw. */
static void draw(const uint64_t schedule[20], size_t n, const uint64_t *person, const uint64_t *purpose,
                 const uint64_t *occurrence, double *left, double *mark)
{
    for (size_t i = 0; i < n; i += PK_WIDTH * PK_TOGETHER) {
        struct pk_lane_counters c;
        pk_vd x[PK_TOGETHER];
        load_person(&c, person + i);
        PK_EACH
        {
            c.c2[g] = pk_vu_load(purpose + i + g * PK_WIDTH);
            c.c3[g] = pk_vu_load(occurrence + i + g * PK_WIDTH);
        }
        pk_lanes_philox(&c, schedule);
        PK_EACH
        {
            x[g] = pk_lanes_uniform(pk_lanes_word(c.c0[g], c.c1[g]));
            pk_vd_store(mark + i + g * PK_WIDTH, pk_lanes_uniform(pk_lanes_word(c.c2[g], c.c3[g])));
        }
        pk_lanes_exponential(x);
        PK_EACH pk_vd_store(left + i + g * PK_WIDTH, x[g]);
    }
}

/* ---- hazards ------------------------------------------------------------------------------------------------------
 */

/* How many of its table's cuts are at or below x. */
PK_INLINE void segments_of(const struct pk_lane_cuts *of, const pk_vu *table, const pk_vd *x, pk_vu *at)
{
    const double *const cuts = of->cuts;
    const unsigned depth = of->depth;
    pk_vu first[PK_TOGETHER];
    PK_EACH first[g] = table[g] << depth;
    if (of->bucketed) {
        const pk_vd low = pk_vd_set(of->low), per_width = pk_vd_set(of->per_width), nothing = pk_vd_set(0),
                    most = pk_vd_set(PK_LANES_BUCKETS - 1);
        PK_EACH
        {
            const pk_vd bucket = (x[g] - low) * per_width,
                        up = pk_vd_select(pk_vd_less(nothing, bucket), bucket, nothing);
            at[g] = pk_vu_gather(of->buckets, (table[g] << 6) + pk_vd_whole(pk_vd_least(up, most)));
        }
        for (unsigned k = 0; k < of->n_steps; k++)
            PK_EACH at[g] +=
                pk_vu_select(pk_vd_at_most(pk_vd_gather(cuts, first[g] + at[g]), x[g]), pk_vu_set(1), pk_vu_set(0));
        return;
    }
    PK_EACH at[g] = pk_vu_set(0);
    for (unsigned k = depth; k-- > 0;) {
        const uint64_t half = UINT64_C(1) << k;
        PK_EACH
        {
            const pk_vd cut = pk_vd_gather(cuts, first[g] + at[g] + pk_vu_set(half - 1));
            at[g] += pk_vu_select(pk_vd_at_most(cut, x[g]), pk_vu_set(half), pk_vu_set(0));
        }
    }
}

/* Exponentials on their way through a piecewise constant hazard. */
struct pk_spending {
    pk_vm wanted[PK_TOGETHER];
    pk_vu i_rate[PK_TOGETHER];
    pk_vd factor[PK_TOGETHER], zero[PK_TOGETHER], from[PK_TOGETHER], until[PK_TOGETHER], left[PK_TOGETHER];
    pk_vm fired[PK_TOGETHER]; /* where used up before `until` ... */
    pk_vd time[PK_TOGETHER];  /* ... when; elsewhere left is what remains */
};

/* The cumulative hazard at a value on the clock. */
PK_INLINE void cumulative(const struct pk_lane_rates *rates, const struct pk_spending *s, const pk_vd *x,
                          pk_vd *reached)
{
    const double *const levels = rates->levels, *const intercepts = rates->intercepts, *const cuts = rates->cuts.cuts;
    const unsigned depth = rates->cuts.depth;
    pk_vu at[PK_TOGETHER];
    if (rates->one && depth <= 4) { /* one table for all, in registers */
        PK_EACH at[g] = pk_vu_set(0);
        for (unsigned k = depth; k-- > 0;) {
            const uint64_t half = UINT64_C(1) << k;
            PK_EACH at[g] = pk_vu_select(pk_vd_at_most(pk_vd_lookup_16(cuts, at[g] + pk_vu_set(half - 1)), x[g]),
                                         at[g] + pk_vu_set(half), at[g]);
        }
        PK_EACH reached[g] = pk_vd_lookup_16(intercepts, at[g]) + pk_vd_lookup_16(levels, at[g]) * x[g];
        return;
    }
    segments_of(&rates->cuts, s->i_rate, x, at);
    PK_EACH
    {
        const pk_vu place = (s->i_rate[g] << depth) + at[g];
        reached[g] = pk_vd_gather(intercepts, place) + pk_vd_gather(levels, place) * x[g];
    }
}

/* pk_walk_spend. The few that are used up are looked up one by one. */
PK_INLINE void spend(const struct pk_lane_rates *rates, struct pk_spending *s)
{
    const double *const levels = rates->levels, *const intercepts = rates->intercepts, *const reached = rates->reached;
    const pk_vd nothing = pk_vd_set(0);
    pk_vd x[PK_TOGETHER], before[PK_TOGETHER], after[PK_TOGETHER], used[PK_TOGETHER];
    pk_vm hit[PK_TOGETHER];
    PK_EACH x[g] = s->from[g] - s->zero[g];
    cumulative(rates, s, x, before);
    PK_EACH x[g] = s->until[g] - s->zero[g];
    cumulative(rates, s, x, after);
    PK_EACH
    {
        used[g] = s->factor[g] * (after[g] - before[g]);
        s->wanted[g] =
            pk_vm_and(s->wanted[g], pk_vm_and(pk_vd_less(nothing, s->factor[g]), pk_vd_less(s->from[g], s->until[g])));
        hit[g] = pk_vm_and(s->wanted[g], pk_vd_less(s->left[g], used[g]));
        s->time[g] = pk_vd_set(PK_NEVER);
        unsigned bits = pk_vm_bits(hit[g]);
        if (bits == 0)
            continue;
        double targets[PK_WIDTH], times[PK_WIDTH];
        uint64_t rates_of[PK_WIDTH];
        pk_vd_store(targets, before[g] + s->left[g] / s->factor[g]);
        pk_vd_store(times, s->time[g]);
        pk_vu_store(rates_of, s->i_rate[g] << rates->cuts.depth);
        for (; bits != 0; bits &= bits - 1) {
            const size_t k = (size_t)__builtin_ctz(bits);
            size_t i = (size_t)rates_of[k];
            while (reached[i] <= targets[k])
                i++;
            times[k] = (targets[k] - intercepts[i]) / levels[i];
        }
        s->time[g] = s->zero[g] + pk_vd_load(times);
    }
    PK_EACH
    {
        s->fired[g] = pk_vm_and(hit[g], pk_vd_less(s->time[g], s->until[g]));
        s->time[g] = pk_vd_select(pk_vd_less(s->from[g], s->time[g]), s->time[g], s->from[g]);
        const pk_vd rest = pk_vd_select(pk_vd_less(used[g], s->left[g]), s->left[g] - used[g], nothing);
        s->left[g] = pk_vd_select(pk_vm_and(s->wanted[g], pk_vm_not(s->fired[g])), rest, s->left[g]);
    }
}

static void common(const struct pk_lane_tables *tables, size_t k, size_t n, const uint64_t *person, const double *age,
                   const double *entry, const uint64_t *stratum, double *times)
{
    const size_t n_strata = tables->plan->n_strata;
    const pk_vd until = pk_vd_set(tables->until);
    const bool by_age = tables->common_clocks[k] == PK_LANE_SINCE_BIRTH;
    for (size_t i = 0; i < n; i += PK_WIDTH * PK_TOGETHER) {
        struct pk_lane_counters c;
        pk_vd x[PK_TOGETHER];
        philox_of(tables->schedule, person + i, tables->common_purposes[k], &c);
        PK_EACH x[g] = pk_lanes_uniform(pk_lanes_word(c.c0[g], c.c1[g]));
        pk_lanes_exponential(x);
        struct pk_spending spending;
        PK_EACH
        {
            const size_t at = i + (size_t)g * PK_WIDTH;
            const pk_vu z = pk_vu_load(stratum + at) + pk_vu_set(k * n_strata), lane = pk_vu_iota() + pk_vu_set(at);
            /* past the last person anything may stand */
            spending.wanted[g] = pk_vu_less(lane, pk_vu_set(n));
            const pk_vu known = pk_vu_select(spending.wanted[g], z, pk_vu_set(0));
            spending.i_rate[g] = pk_vu_gather(tables->common_rates, known);
            spending.factor[g] = pk_vd_gather(tables->common_factors, known);
            spending.zero[g] = by_age ? -pk_vd_load(age + at) : pk_vd_set(0);
            spending.from[g] = pk_vd_load(entry + at);
            spending.until[g] = until;
            spending.left[g] = x[g];
        }
        spend(&tables->rates, &spending);
        PK_EACH pk_vd_store(times + i + g * PK_WIDTH,
                            pk_vd_select(spending.fired[g], spending.time[g], pk_vd_set(PK_NEVER)));
    }
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

/* ---- the stages of a round ----------------------------------------------------------------------------------------
 */

PK_INLINE void consider(pk_vd time, pk_vu way, pk_vd *best, pk_vu *best_way)
{
    const pk_vm sooner = pk_vd_less(time, *best);
    *best = pk_vd_select(sooner, time, *best);
    *best_way = pk_vu_select(sooner, way, *best_way);
}

/* What is known when the spell begins: hazards common to all states, and fixed times. */
static void begin(struct pk_lanes *lanes)
{
    const struct pk_lane_tables *tables = lanes->tables;
    const uint64_t *states = words_of(lanes, PK_LANE_STATE);
    const double *entries = doubles_of(lanes, PK_LANE_ENTRY), *commons = doubles_of(lanes, tables->i_common);
    double *const times = lanes->time;
    uint64_t *const ways = lanes->way;
    const size_t n_states = tables->plan->n_states, n = lanes->n, n_common = tables->n_common,
                 n_timers = tables->n_timers;
    for (size_t i = 0; i < n; i += PK_WIDTH) {
        const pk_vu state = pk_vu_load(states + i);
        pk_vd best = pk_vd_set(tables->until);
        pk_vu way = pk_vu_set(0);
        for (size_t k = 0; k < n_common; k++)
            consider(pk_vd_load(commons + k * PK_LANES + i), state + pk_vu_set(tables->i_common_way + k * n_states),
                     &best, &way);
        for (size_t k = 0; k < n_timers; k++) {
            const struct pk_lane_timer *timer = &tables->timers[k];
            const pk_vd entry = pk_vd_load(entries + i);
            const pk_vd zero = clock_zero(lanes, i, timer->clock, timer->clocks, state),
                        value = tables->few ? pk_vd_lookup(timer->values, state) : pk_vd_gather(timer->values, state);
            const pk_vd time = zero + value;
            consider(pk_vd_select(pk_vd_less(entry, time), time, entry), state + pk_vu_set(timer->i_way), &best, &way);
        }
        pk_vd_store(times + i, best);
        pk_vu_store(ways + i, way);
    }
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

/* What each lane's base hazards are drawn by. */
static void key(struct pk_lanes *lanes)
{
    const struct pk_lane_tables *tables = lanes->tables;
    const bool few = tables->few;
    const uint64_t *states = words_of(lanes, PK_LANE_STATE);
    for (size_t i = 0; i < lanes->n; i += PK_WIDTH) {
        const pk_vu state = pk_vu_load(states + i);
        pk_vu_store(lanes->purpose + i, of_state(few, tables->purposes, state));
        pk_vu_store(lanes->occurrence + i, used_up(lanes, i, counter_of(tables, few, state)));
    }
}

/* Spells that something else cut short go on with what was left to them. */
static void take_up(struct pk_lanes *lanes)
{
    const struct pk_lane_tables *tables = lanes->tables;
    const bool few = tables->few;
    const uint64_t *states = words_of(lanes, PK_LANE_STATE);
    uint64_t *opens = words_of(lanes, tables->i_open);
    for (size_t i = 0; i < lanes->n; i += PK_WIDTH) {
        const pk_vu stream = of_state(few, tables->streams, pk_vu_load(states + i)), one = pk_vu_set(1);
        pk_vu open = pk_vu_load(opens + i);
        const pk_vm has = pk_vu_equal((open >> stream) & one, one);
        if (!pk_vm_any(has))
            continue;
        const pk_vu at = stream * pk_vu_set(PK_LANES) + pk_vu_iota() + pk_vu_set(i);
        const pk_vd left = pk_vd_gather(doubles_of(lanes, tables->i_left), at),
                    mark = pk_vd_gather(doubles_of(lanes, tables->i_mark), at);
        pk_vd_store(lanes->left + i, pk_vd_select(has, left, pk_vd_load(lanes->left + i)));
        pk_vd_store(lanes->mark + i, pk_vd_select(has, mark, pk_vd_load(lanes->mark + i)));
        pk_vu_store(opens + i, pk_vu_select(has, open & ~(one << stream), open));
    }
}

static void cut_short(struct pk_lanes *lanes, size_t i, pk_vm short_, pk_vu stream, pk_vd left)
{
    const struct pk_lane_tables *tables = lanes->tables;
    uint64_t *opens = words_of(lanes, tables->i_open);
    double *lefts = doubles_of(lanes, tables->i_left), *marks = doubles_of(lanes, tables->i_mark);
    uint64_t streams[PK_WIDTH];
    double rests[PK_WIDTH];
    pk_vu_store(streams, stream);
    pk_vd_store(rests, left);
    for (unsigned bits = pk_vm_bits(short_); bits != 0; bits &= bits - 1) {
        const size_t g = (size_t)__builtin_ctz(bits);
        lefts[streams[g] * PK_LANES + i + g] = rests[g];
        marks[streams[g] * PK_LANES + i + g] = lanes->mark[i + g];
        opens[i + g] |= UINT64_C(1) << streams[g];
    }
}

/* Base hazards on their way to one of them. */
struct pk_choosing {
    pk_vm wanted[PK_TOGETHER];
    pk_vu state[PK_TOGETHER];
    pk_vd entry[PK_TOGETHER], best[PK_TOGETHER], left[PK_TOGETHER], mark[PK_TOGETHER];
    pk_vm fired[PK_TOGETHER]; /* where one fires before best ... */
    pk_vd time[PK_TOGETHER];  /* ... when; elsewhere left is what remains */
    pk_vu place[PK_TOGETHER]; /* ... which */
};

/* ... on any number of clocks: n_axes of them. */
PK_INLINE void choose(const struct pk_lanes *lanes, size_t i, size_t n_axes, struct pk_choosing *c)
{
    const struct pk_lane_tables *tables = lanes->tables;
    const pk_vd never = pk_vd_set(PK_NEVER), nothing = pk_vd_set(0);
    pk_vd x[PK_TOGETHER], total[PK_TOGETHER];
    pk_vd zeros[PK_MAX_AXES][PK_TOGETHER], nexts[PK_MAX_AXES][PK_TOGETHER], totals[PK_MAX_AXES][PK_TOGETHER];
    pk_vu rows[PK_MAX_AXES][PK_TOGETHER], cuts[PK_MAX_AXES][PK_TOGETHER];
    pk_vm going[PK_TOGETHER];
    PK_EACH
    {
        x[g] = c->entry[g];
        going[g] = c->wanted[g];
        c->fired[g] = pk_vm_not(pk_vm_all());
    }
    for (size_t a = 0; a < n_axes; a++) {
        const struct pk_lane_axis *axis = &tables->axes[a];
        PK_EACH
        {
            rows[a][g] = of_state(tables->few, axis->first_rows, c->state[g]);
            if (tables->i_stratum != SIZE_MAX)
                rows[a][g] += pk_vu_product(pk_vu_load(words_of(lanes, tables->i_stratum) + i + g * PK_WIDTH),
                                            of_state(tables->few, axis->n_segments, c->state[g]));
            nexts[a][g] = never;
        }
        if (axis->cuts.depth == 0)
            continue;
        pk_vu segment[PK_TOGETHER];
        pk_vd since[PK_TOGETHER];
        PK_EACH
        {
            cuts[a][g] = c->state[g] << axis->cuts.depth;
            zeros[a][g] = clock_zero(lanes, i + (size_t)g * PK_WIDTH, axis->clock, axis->clocks, c->state[g]);
            since[g] = x[g] - zeros[a][g];
        }
        segments_of(&axis->cuts, c->state, since, segment);
        PK_EACH
        {
            rows[a][g] += segment[g];
            cuts[a][g] += segment[g];
            nexts[a][g] = zeros[a][g] + pk_vd_gather(axis->cuts.cuts, cuts[a][g]);
        }
    }
    for (;;) {
        unsigned any = 0;
        PK_EACH
        {
            pk_vd end = c->best[g];
            total[g] = nothing;
            for (size_t a = 0; a < n_axes; a++) {
                const struct pk_lane_axis *axis = &tables->axes[a];
                totals[a][g] = pk_vd_gather(axis->rows, pk_vu_product(rows[a][g], pk_vu_set(axis->n_arcs)));
                total[g] += totals[a][g];
                end = pk_vd_least(nexts[a][g], end);
            }
            const pk_vd available = (end - x[g]) * total[g];
            const pk_vm hit = pk_vm_and(going[g], pk_vd_less(c->left[g], available));
            c->fired[g] = pk_vm_or(c->fired[g], hit);
            going[g] = pk_vm_and(going[g], pk_vm_not(hit));
            c->left[g] = pk_vd_select(going[g], c->left[g] - available, c->left[g]);
            x[g] = pk_vd_select(going[g], end, x[g]);
            going[g] = pk_vm_and(going[g], pk_vd_less(x[g], c->best[g]));
            any |= pk_vm_any(going[g]);
        }
        if (!any)
            break;
        for (size_t a = 0; a < n_axes; a++) {
            const struct pk_lane_axis *axis = &tables->axes[a];
            if (axis->cuts.depth == 0)
                continue;
            PK_EACH
            {
                const pk_vu step =
                    pk_vu_select(pk_vm_and(going[g], pk_vd_at_most(nexts[a][g], x[g])), pk_vu_set(1), pk_vu_set(0));
                rows[a][g] += step;
                cuts[a][g] += step;
                nexts[a][g] = zeros[a][g] + pk_vd_gather(axis->cuts.cuts, cuts[a][g]);
            }
        }
    }
    /* the arc, by running sums over the axes one after another */
    PK_EACH
    {
        const pk_vd at = c->mark[g] * total[g];
        pk_vd below = nothing;
        c->time[g] = x[g] + c->left[g] / total[g];
        for (size_t a = 0; a < n_axes; a++) {
            const struct pk_lane_axis *axis = &tables->axes[a];
            const pk_vu row = pk_vu_product(rows[a][g], pk_vu_set(axis->n_arcs));
            pk_vu here = pk_vu_set(a * axis->n_arcs);
            for (size_t j = 1; j < axis->n_arcs; j++)
                here += pk_vu_select(pk_vd_at_most(below + pk_vd_gather(axis->rows, row + pk_vu_set(j)), at),
                                     pk_vu_set(1), pk_vu_set(0));
            if (a == 0)
                c->place[g] = here;
            else
                c->place[g] = pk_vu_select(pk_vm_and(pk_vd_at_most(below, at), pk_vd_less(nothing, totals[a][g])), here,
                                           c->place[g]);
            below += totals[a][g];
        }
    }
}

/* ... constant, few states, one stratum: tables in registers. */
PK_INLINE void choose_small(const struct pk_lane_tables *tables, struct pk_choosing *c)
{
    const double *const rows = tables->axes[0].rows;
    const size_t n_arcs = tables->axes[0].n_arcs;
    pk_vd at[PK_TOGETHER];
    PK_EACH
    {
        const pk_vd total = pk_vd_lookup(rows, c->state[g]);
        at[g] = c->mark[g] * total;
        c->fired[g] = pk_vm_and(c->wanted[g], pk_vd_less(c->left[g], (c->best[g] - c->entry[g]) * total));
        c->time[g] = c->entry[g] + c->left[g] / total;
        c->place[g] = pk_vu_set(0);
    }
    for (size_t j = 1; j < n_arcs; j++) /* sums ascend */
        PK_EACH c->place[g] = pk_vu_select(pk_vd_at_most(pk_vd_lookup(rows + j * PK_LANES_SMALL, c->state[g]), at[g]),
                                           pk_vu_set(j), c->place[g]);
}

static void base(struct pk_lanes *lanes)
{
    const struct pk_lane_tables *tables = lanes->tables;
    const bool few = tables->few;
    const uint64_t *states = words_of(lanes, PK_LANE_STATE);
    const double *entries = doubles_of(lanes, PK_LANE_ENTRY);
    const pk_vu n_chosen = pk_vu_set(tables->n_chosen);
    for (size_t i = 0; i < lanes->n; i += PK_WIDTH * PK_TOGETHER) {
        struct pk_choosing c;
        PK_EACH
        {
            const size_t k = i + (size_t)g * PK_WIDTH;
            c.state[g] = pk_vu_load(states + k);
            c.entry[g] = pk_vd_load(entries + k);
            c.best[g] = pk_vd_load(lanes->time + k);
            c.left[g] = pk_vd_load(lanes->left + k);
            c.mark[g] = pk_vd_load(lanes->mark + k);
            c.wanted[g] = pk_vm_first(lanes->n > k ? lanes->n - k : 0);
            if (!tables->all_base)
                c.wanted[g] =
                    pk_vm_and(c.wanted[g], pk_vu_less(pk_vu_set(0), of_state(few, tables->has_base, c.state[g])));
        }
        if (tables->small)
            choose_small(tables, &c);
        else if (tables->n_axes == 1)
            choose(lanes, i, 1, &c);
        else
            choose(lanes, i, tables->n_axes, &c);
        PK_EACH
        {
            const size_t k = i + (size_t)g * PK_WIDTH;
            const pk_vu way = pk_vu_product(c.state[g], n_chosen) + c.place[g];
            pk_vd_store(lanes->time + k, pk_vd_select(c.fired[g], c.time[g], c.best[g]));
            pk_vu_store(lanes->way + k, pk_vu_select(c.fired[g], way, pk_vu_load(lanes->way + k)));
            use_up(lanes, k, counter_of(tables, few, c.state[g]), c.fired[g]);
            if (tables->carries) {
                const pk_vu stream = of_state(few, tables->streams, c.state[g]);
                const pk_vm short_ = pk_vm_and(pk_vm_and(c.wanted[g], pk_vm_not(c.fired[g])),
                                               pk_vd_less(c.best[g], pk_vd_set(tables->until)));
                cut_short(lanes, k, short_, stream, c.left[g]);
            }
        }
    }
}

/* What is above a common hazard in a state: one exponential a person and state, spent over all stays there. */
static void excess(struct pk_lanes *lanes, const struct pk_lane_excess *of)
{
    const struct pk_lane_tables *tables = lanes->tables;
    const uint64_t *states = words_of(lanes, PK_LANE_STATE);
    const double *entries = doubles_of(lanes, PK_LANE_ENTRY);
    const size_t n_strata = tables->plan->n_strata;
    const bool one_common = tables->n_common == 1, by_age = tables->common_clocks[0] == PK_LANE_SINCE_BIRTH;
    double *const lefts = doubles_of(lanes, tables->i_excess);
    for (size_t i = 0; i < lanes->n; i += PK_WIDTH * PK_TOGETHER) {
        struct pk_spending s;
        pk_vu state[PK_TOGETHER], at[PK_TOGETHER];
        PK_EACH
        {
            const size_t k = i + (size_t)g * PK_WIDTH;
            const pk_vu lane = pk_vu_iota() + pk_vu_set(k);
            state[g] = pk_vu_load(states + k);
            const pk_vu column = of_state(tables->few, of->columns, state[g]);
            s.wanted[g] =
                pk_vm_and(pk_vm_first(lanes->n > k ? lanes->n - k : 0), pk_vu_less(column, pk_vu_set(UINT64_MAX)));
            at[g] = pk_vu_select(s.wanted[g], column, pk_vu_set(0)) + lane;
            pk_vu stratum = pk_vu_set(0), common = pk_vu_set(0);
            if (tables->i_stratum != SIZE_MAX)
                stratum = pk_vu_load(words_of(lanes, tables->i_stratum) + k);
            if (!one_common)
                common = of_state(tables->few, of->commons, state[g]);
            s.i_rate[g] = pk_vu_set(0);
            if (!tables->rates.one)
                s.i_rate[g] = pk_vu_gather(tables->common_rates, pk_vu_product(common, pk_vu_set(n_strata)) + stratum);
            s.factor[g] = pk_vd_gather(of->factors, pk_vu_product(state[g], pk_vu_set(n_strata)) + stratum);
            s.zero[g] = pk_vd_set(0);
            if (by_age || (!one_common && tables->uses_age))
                s.zero[g] = -pk_vd_load(doubles_of(lanes, tables->i_age) + k);
            if (!one_common)
                s.zero[g] = pk_vd_select(
                    pk_vu_equal(pk_vu_gather(tables->common_clocks, common), pk_vu_set(PK_LANE_SINCE_BIRTH)), s.zero[g],
                    pk_vd_set(0));
            s.from[g] = pk_vd_load(entries + k);
            s.until[g] = pk_vd_load(lanes->time + k);
            s.left[g] = pk_vd_gather(lefts, at[g]);
        }
        spend(&tables->rates, &s);
        PK_EACH
        {
            const size_t k = i + (size_t)g * PK_WIDTH;
            const pk_vm sooner = pk_vm_and(s.fired[g], pk_vd_less(s.time[g], s.until[g]));
            pk_vd_store(lanes->time + k, pk_vd_select(sooner, s.time[g], s.until[g]));
            pk_vu_store(lanes->way + k,
                        pk_vu_select(sooner, state[g] + pk_vu_set(of->i_way), pk_vu_load(lanes->way + k)));
            pk_vd_scatter(lefts, s.wanted[g], at[g], s.left[g]);
        }
    }
}

/* Where the columns are that every life moves on in. */
struct pk_moving {
    uint64_t *states, *log, *finished;
    const uint64_t *slots, *ways;
    double *entries, *zeros; /* NULL: not needed */
    pk_vd until, horizon;
    size_t n, n_log, n_finished;
};

PK_INLINE struct pk_moving moving_of(struct pk_lanes *lanes, uint64_t *log)
{
    const struct pk_lane_tables *tables = lanes->tables;
    struct pk_moving m = {.states = words_of(lanes, PK_LANE_STATE),
                          .slots = words_of(lanes, PK_LANE_SLOT),
                          .log = log,
                          .finished = lanes->finished,
                          .entries = doubles_of(lanes, PK_LANE_ENTRY),
                          .zeros = tables->uses_elapsed ? doubles_of(lanes, tables->i_zero) : NULL,
                          .ways = tables->ways,
                          .until = pk_vd_set(tables->until),
                          .horizon = pk_vd_set(tables->plan->horizon),
                          .n = lanes->n};
    return m;
}

/* To the tick; the event into the log; on to the next state. Whose life is over goes into the list. */
PK_INLINE void move_on(struct pk_moving *m, size_t i, pk_vd entry, pk_vd best, pk_vu i_way)
{
    const pk_vd magic = pk_vd_set(0x1.8p52 * PK_TICK);
    const pk_vu lane = pk_vu_iota() + pk_vu_set(i), way = pk_vu_gather(m->ways, i_way);
    const pk_vm live = pk_vm_first(m->n > i ? m->n - i : 0);
    pk_vd time = (best + magic) - magic;
    time = pk_vd_select(pk_vd_at_most(time, entry), entry + pk_vd_set(PK_TICK), time);
    const pk_vm happens = pk_vm_and(live, pk_vm_and(pk_vd_less(best, m->until), pk_vd_at_most(time, m->horizon)));
    /* a double between 2^31 and 2^32 times 1.5 has its ticks in the low bits, which the shift brings to the top */
    const pk_vu event = ((pk_vu)(time + magic) << (PK_LANES_SLOT_BITS + PK_LANES_ARC_BITS)) |
                        (way & pk_vu_set((PK_MAX_ARCS - 1) << PK_LANES_SLOT_BITS)) | pk_vu_load(m->slots + i);
    m->n_log += pk_vu_pack(m->log + m->n_log, happens, event);
    pk_vu_store(m->states + i, (way >> 32) & pk_vu_set(0xff));
    pk_vd_store(m->entries + i, time);
    if (m->zeros != NULL)
        pk_vd_store(m->zeros + i, time);
    const pk_vm over = pk_vm_or(pk_vu_top(way), pk_vm_not(happens));
    m->n_finished += pk_vu_pack(m->finished + m->n_finished, pk_vm_and(live, over), lane);
}

static size_t move(struct pk_lanes *lanes, uint64_t *log)
{
    struct pk_moving m = moving_of(lanes, log);
    const size_t n = lanes->n;
    for (size_t i = 0; i < n; i += PK_WIDTH)
        move_on(&m, i, pk_vd_load(m.entries + i), pk_vd_load(lanes->time + i), pk_vu_load(lanes->way + i));
    lanes->n_finished = m.n_finished;
    return m.n_log;
}

/* All stages in one, where tables are small and nothing but base hazards ends a spell. */
static size_t round_small(struct pk_lanes *lanes, uint64_t *log)
{
    const struct pk_lane_tables *tables = lanes->tables;
    const uint64_t *persons = words_of(lanes, PK_LANE_PERSON);
    const double *commons = doubles_of(lanes, tables->i_common);
    const size_t n = lanes->n, n_common = tables->n_common, n_states = tables->plan->n_states,
                 first_way = tables->i_common_way;
    const pk_vu n_chosen = pk_vu_set(tables->n_chosen);
    struct pk_moving m = moving_of(lanes, log);
    for (size_t i = 0; i < n; i += PK_WIDTH * PK_TOGETHER) {
        struct pk_lane_counters k;
        struct pk_choosing c;
        struct pk_counter counter[PK_TOGETHER];
        pk_vu other[PK_TOGETHER];
        load_person(&k, persons + i);
        PK_EACH
        {
            const size_t at = i + (size_t)g * PK_WIDTH;
            c.state[g] = pk_vu_load(m.states + at);
            counter[g] = counter_of(tables, true, c.state[g]);
            k.c2[g] = pk_vu_lookup(tables->purposes, c.state[g]);
            k.c3[g] = used_up(lanes, at, counter[g]);
        }
        pk_lanes_philox(&k, tables->schedule);
        PK_EACH
        {
            const size_t at = i + (size_t)g * PK_WIDTH;
            c.left[g] = pk_lanes_uniform(pk_lanes_word(k.c0[g], k.c1[g]));
            c.mark[g] = pk_lanes_uniform(pk_lanes_word(k.c2[g], k.c3[g]));
            c.entry[g] = pk_vd_load(m.entries + at);
            c.best[g] = m.until;
            c.wanted[g] = pk_vm_all();
            other[g] = pk_vu_set(0);
            for (size_t j = 0; j < n_common; j++)
                consider(pk_vd_load(commons + j * PK_LANES + at), c.state[g] + pk_vu_set(first_way + j * n_states),
                         &c.best[g], &other[g]);
        }
        pk_lanes_exponential(c.left);
        choose_small(tables, &c);
        PK_EACH
        {
            const size_t at = i + (size_t)g * PK_WIDTH;
            use_up(lanes, at, counter[g], c.fired[g]);
            const pk_vu way = pk_vu_product(c.state[g], n_chosen) + c.place[g];
            move_on(&m, at, c.entry[g], pk_vd_select(c.fired[g], c.time[g], c.best[g]),
                    pk_vu_select(c.fired[g], way, other[g]));
        }
    }
    lanes->n_finished = m.n_finished;
    return m.n_log;
}

static size_t round_(struct pk_lanes *lanes, uint64_t *log, struct pk_stages *stages, uint64_t *since)
{
    const struct pk_lane_tables *tables = lanes->tables;
    lanes->n_draws += lanes->n;
    if (tables->fused) {
        const size_t n_events = round_small(lanes, log);
        pk_stages_lap(stages, since, PK_STAGE_DRAW);
        return n_events;
    }
    begin(lanes);
    pk_stages_lap(stages, since, PK_STAGE_COMMON);
    key(lanes);
    draw(tables->schedule, lanes->n, words_of(lanes, PK_LANE_PERSON), lanes->purpose, lanes->occurrence, lanes->left,
         lanes->mark);
    pk_stages_lap(stages, since, PK_STAGE_DRAW);
    if (tables->carries)
        take_up(lanes);
    base(lanes);
    pk_stages_lap(stages, since, PK_STAGE_CHOOSE);
    for (size_t k = 0; k < tables->n_excess; k++)
        excess(lanes, &tables->excess[k]);
    pk_stages_lap(stages, since, PK_STAGE_COMMON);
    const size_t n_log = move(lanes, log);
    pk_stages_lap(stages, since, PK_STAGE_MOVE);
    return n_log;
}

/* ---- tallies ------------------------------------------------------------------------------------------------------
 */

static void cells(const struct pk_lane_grid *grid, size_t n, const uint64_t *log, uint64_t *places, uint64_t *values)
{
    const pk_vu slots = pk_vu_set(PK_LANES_MOST_PEOPLE - 1), arcs = pk_vu_set(PK_MAX_ARCS - 1);
    const pk_vu step_ticks = pk_vu_set(grid->step_ticks), n_steps = pk_vu_set(grid->n_steps);
    for (size_t i = 0; i < n; i += PK_WIDTH) {
        const pk_vu event = pk_vu_load(log + i), ticks = event >> 24;
        pk_vu step = (ticks - pk_vu_set(1)) >> 20; /* months */
        if (grid->step_of_month != NULL)
            step = pk_vu_gather(grid->step_of_month, /* what is past the end of the log may be anything */
                                pk_vu_select(pk_vu_less(step, pk_vu_set(grid->n_months)), step, pk_vu_set(0)));
        pk_vu place = pk_vu_product((event >> 14) & arcs, n_steps) + step;
        if (grid->first_cell != NULL)
            place += pk_vu_gather(grid->first_cell, pk_vu_select(pk_vu_less(pk_vu_iota() + pk_vu_set(i), pk_vu_set(n)),
                                                                 event & slots, pk_vu_set(0)));
        pk_vu_store(places + i, place);
        pk_vu_store(values + i, (step + pk_vu_set(1)) * step_ticks - ticks + pk_vu_set(grid->one));
    }
}

static size_t entries(const uint64_t *sets_of_arc, const uint64_t *wanted, size_t n, const uint64_t *log,
                      uint64_t *list)
{
    const pk_vu slots = pk_vu_set(PK_LANES_MOST_PEOPLE - 1), arcs = pk_vu_set(PK_MAX_ARCS - 1), nothing = pk_vu_set(0);
    size_t n_list = 0;
    for (size_t i = 0; i < n; i += PK_WIDTH) {
        const pk_vu lane = pk_vu_iota() + pk_vu_set(i);
        const pk_vm in = pk_vu_less(lane, pk_vu_set(n));
        const pk_vu event = pk_vu_select(in, pk_vu_load(log + i), nothing);
        const pk_vu hits =
            pk_vu_gather(sets_of_arc, (event >> PK_LANES_SLOT_BITS) & arcs) & pk_vu_gather(wanted, event & slots);
        n_list += pk_vu_pack(list + n_list, pk_vm_and(in, pk_vu_less(nothing, hits)), lane);
    }
    return n_list;
}

#define PK_LANE_OPS                                                                                                    \
    {                                                                                                                  \
        words, uniforms, exponentials, common, round_, entries, cells                                                  \
    }

#endif
