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

static void words(const uint64_t schedule[20], size_t n, const uint64_t *person, uint64_t purpose, uint64_t *first,
                  uint64_t *second)
{
    for (size_t i = 0; i < n; i += PK_WIDTH * PK_TOGETHER) {
        struct pk_lane_counters c;
        load_person(&c, person + i);
        PK_EACH
        {
            c.c2[g] = pk_vu_set(purpose);
            c.c3[g] = pk_vu_set(purpose >> 32);
        }
        pk_lanes_philox(&c, schedule);
        PK_EACH
        {
            pk_vu_store(first + i + g * PK_WIDTH, pk_lanes_word(c.c0[g], c.c1[g]));
            if (second != NULL)
                pk_vu_store(second + i + g * PK_WIDTH, pk_lanes_word(c.c2[g], c.c3[g]));
        }
    }
}

static void uniforms(const uint64_t schedule[20], size_t n, const uint64_t *person, uint64_t purpose, double *first)
{
    for (size_t i = 0; i < n; i += PK_WIDTH * PK_TOGETHER) {
        struct pk_lane_counters c;
        load_person(&c, person + i);
        PK_EACH
        {
            c.c2[g] = pk_vu_set(purpose);
            c.c3[g] = pk_vu_set(purpose >> 32);
        }
        pk_lanes_philox(&c, schedule);
        PK_EACH pk_vd_store(first + i + g * PK_WIDTH, pk_lanes_uniform(pk_lanes_word(c.c0[g], c.c1[g])));
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

/* How many of 2^depth - 1 ascending cuts, padded with infinities, are at or below x. */
PK_INLINE pk_vu segment_of(const double *cuts, pk_vu first, unsigned depth, pk_vd x)
{
    pk_vu at = pk_vu_set(0);
    for (unsigned k = depth; k-- > 0;) {
        const uint64_t half = UINT64_C(1) << k;
        const pk_vd cut = pk_vd_gather(cuts, first + at + pk_vu_set(half - 1));
        at += pk_vu_select(pk_vd_at_most(cut, x), pk_vu_set(half), pk_vu_set(0));
    }
    return at;
}

/* pk_walk_spend of a piecewise constant hazard, for the lanes in `wanted`: when the exponential is used up, or PK_NEVER
 * with what is left of it. */
PK_INLINE pk_vd spend(const struct pk_lane_rates *rates, pk_vm wanted, pk_vu i_rate, pk_vd factor, pk_vd zero,
                      pk_vd from, pk_vd until, pk_vd *left)
{
    const pk_vu first = i_rate << rates->depth;
    const pk_vd nothing = pk_vd_set(0);
    pk_vd x = from, fires = pk_vd_set(PK_NEVER);
    pk_vu at = segment_of(rates->cuts, first, rates->depth, x - zero);
    pk_vm going = pk_vm_and(wanted, pk_vd_less(x, until));
    while (pk_vm_any(going)) {
        const pk_vu here = first + at;
        const pk_vd next = zero + pk_vd_gather(rates->cuts, here);
        const pk_vd end = pk_vd_least(until, next), hazard = factor * pk_vd_gather(rates->levels, here);
        const pk_vd available = (end - x) * hazard;
        const pk_vm some = pk_vm_and(going, pk_vd_less(nothing, hazard)), hit = pk_vd_less(*left, available);
        const pk_vm done = pk_vm_and(some, hit), spent = pk_vm_and(some, pk_vm_not(hit));
        fires = pk_vd_select(done, x + *left / hazard, fires);
        *left = pk_vd_select(spent, *left - available, *left);
        going = pk_vm_and(going, pk_vm_not(done));
        x = pk_vd_select(going, end, x);
        at += pk_vu_select(pk_vm_and(going, pk_vd_at_most(next, end)), pk_vu_set(1), pk_vu_set(0));
        going = pk_vm_and(going, pk_vd_less(x, until));
    }
    return fires;
}

static void common(const struct pk_lane_tables *tables, size_t k, size_t n, const uint64_t *person, const double *age,
                   const double *entry, const uint64_t *stratum, double *times)
{
    const size_t n_strata = tables->plan->n_strata;
    const pk_vd until = pk_vd_set(tables->until);
    for (size_t i = 0; i < n; i += PK_WIDTH * PK_TOGETHER) {
        struct pk_lane_counters c;
        pk_vd x[PK_TOGETHER];
        load_person(&c, person + i);
        PK_EACH
        {
            c.c2[g] = pk_vu_set(tables->common_purposes[k]);
            c.c3[g] = pk_vu_set(0);
        }
        pk_lanes_philox(&c, tables->schedule);
        PK_EACH x[g] = pk_lanes_uniform(pk_lanes_word(c.c0[g], c.c1[g]));
        pk_lanes_exponential(x);
        PK_EACH
        {
            const size_t at = i + (size_t)(g * PK_WIDTH);
            const pk_vu z = pk_vu_load(stratum + at) + pk_vu_set(k * n_strata);
            const pk_vu rate = pk_vu_gather(tables->common_rates, z);
            const pk_vd zero = tables->common_clocks[k] == PK_LANE_SINCE_BIRTH ? -pk_vd_load(age + at) : pk_vd_set(0);
            pk_vd_store(times + at,
                        spend(&tables->rates, pk_vu_less(pk_vu_iota() + pk_vu_set(at), pk_vu_set(n)), rate,
                              pk_vd_gather(tables->common_factors, z), zero, pk_vd_load(entry + at), until, &x[g]));
        }
    }
}

/* The time at which the clock of each lane's state reads 0. */
PK_INLINE pk_vd clock_zero(const struct pk_lanes *lanes, size_t i, const uint64_t *clocks, pk_vu state)
{
    const struct pk_lane_tables *tables = lanes->tables;
    const uint64_t in_use = tables->clocks;
    pk_vd zero = pk_vd_set(0);
    if (in_use >> PK_LANE_SINCE_ENTRY == 0)
        return zero;
    const pk_vu clock = pk_vu_gather(clocks, state);
    if (in_use >> PK_LANE_SINCE_ENTRY & 1) {
        const double *since = doubles_of(lanes, tables->uses_elapsed ? tables->i_zero : (size_t)PK_LANE_ENTRY);
        zero = pk_vd_select(pk_vu_equal(clock, pk_vu_set(PK_LANE_SINCE_ENTRY)), pk_vd_load(since + i), zero);
    }
    if (in_use >> PK_LANE_SINCE_BIRTH & 1)
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
    const double *entries = doubles_of(lanes, PK_LANE_ENTRY);
    const size_t n_states = tables->plan->n_states;
    for (size_t i = 0; i < lanes->n; i += PK_WIDTH) {
        const pk_vu state = pk_vu_load(states + i);
        pk_vd best = pk_vd_set(tables->until);
        pk_vu way = pk_vu_set(0);
        for (size_t k = 0; k < tables->n_common; k++)
            consider(pk_vd_load(doubles_of(lanes, tables->i_common + k) + i),
                     pk_vu_gather(tables->common_ways + k * n_states, state), &best, &way);
        for (size_t k = 0; k < tables->n_timers; k++) {
            const struct pk_lane_timer *timer = &tables->timers[k];
            const pk_vd entry = pk_vd_load(entries + i);
            const pk_vd time = clock_zero(lanes, i, timer->clocks, state) + pk_vd_gather(timer->values, state);
            consider(pk_vd_select(pk_vd_less(entry, time), time, entry), pk_vu_gather(timer->ways, state), &best, &way);
        }
        pk_vd_store(lanes->time + i, best);
        pk_vu_store(lanes->way + i, way);
    }
}

/* The spell numbers of each lane's stream. */
PK_INLINE pk_vu used_up(const struct pk_lanes *lanes, size_t i, pk_vu stream)
{
    const struct pk_lane_tables *tables = lanes->tables;
    const pk_vu mask = pk_vu_set((1u << PK_LANES_COUNTER_BITS) - 1);
    pk_vu counters = pk_vu_load(words_of(lanes, tables->i_used) + i);
    for (size_t w = 1; w < tables->n_counter_words; w++)
        counters = pk_vu_select(pk_vu_equal(stream >> 2, pk_vu_set(w)),
                                pk_vu_load(words_of(lanes, tables->i_used + w) + i), counters);
    return (counters >> ((stream & pk_vu_set(3)) * pk_vu_set(PK_LANES_COUNTER_BITS))) & mask;
}

PK_INLINE void use_up(struct pk_lanes *lanes, size_t i, pk_vu stream, pk_vm fired)
{
    const struct pk_lane_tables *tables = lanes->tables;
    const pk_vu one = pk_vu_set(1) << ((stream & pk_vu_set(3)) * pk_vu_set(PK_LANES_COUNTER_BITS));
    for (size_t w = 0; w < tables->n_counter_words; w++) {
        uint64_t *counters = words_of(lanes, tables->i_used + w) + i;
        pk_vm here = fired;
        if (tables->n_counter_words > 1)
            here = pk_vm_and(here, pk_vu_equal(stream >> 2, pk_vu_set(w)));
        pk_vu_store(counters, pk_vu_load(counters) + pk_vu_select(here, one, pk_vu_set(0)));
    }
}

PK_INLINE pk_vu of_state(const struct pk_lane_tables *tables, const uint64_t *table, pk_vu state)
{
    return tables->small ? pk_vu_lookup(table, state) : pk_vu_gather(table, state);
}

/* What each lane's base hazards are drawn by. */
static void key(struct pk_lanes *lanes)
{
    const struct pk_lane_tables *tables = lanes->tables;
    const uint64_t *states = words_of(lanes, PK_LANE_STATE);
    for (size_t i = 0; i < lanes->n; i += PK_WIDTH) {
        const pk_vu state = pk_vu_load(states + i);
        pk_vu_store(lanes->purpose + i, of_state(tables, tables->purposes, state));
        pk_vu_store(lanes->occurrence + i, used_up(lanes, i, of_state(tables, tables->streams, state)));
    }
}

/* Spells that something else cut short go on with what was left to them. */
static void take_up(struct pk_lanes *lanes)
{
    const struct pk_lane_tables *tables = lanes->tables;
    const uint64_t *states = words_of(lanes, PK_LANE_STATE);
    uint64_t *opens = words_of(lanes, tables->i_open);
    for (size_t i = 0; i < lanes->n; i += PK_WIDTH) {
        const pk_vu stream = of_state(tables, tables->streams, pk_vu_load(states + i)), one = pk_vu_set(1);
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

/* The base hazards: constant, few states, one stratum: tables in registers. */
PK_INLINE pk_vm choose_small(const struct pk_lane_tables *tables, pk_vu state, pk_vd entry, pk_vd best, pk_vd left,
                             pk_vd mark, pk_vd *x, pk_vu *place)
{
    const struct pk_lane_axis *axis = &tables->axes[0];
    const pk_vd total = pk_vd_lookup(axis->rows, state), at = mark * total;
    const pk_vm fires = pk_vd_less(left, (best - entry) * total);
    *x = entry + left / total;
    *place = pk_vu_set(0);
    for (size_t j = 1; j < axis->n_arcs; j++)
        *place += pk_vu_select(pk_vd_at_most(pk_vd_lookup(axis->rows + j * PK_LANES_SMALL, state), at), pk_vu_set(1),
                               pk_vu_set(0));
    return fires;
}

/* ... on any number of clocks. Where they do not fire before best, *left is what remains. */
PK_INLINE pk_vm choose(const struct pk_lanes *lanes, size_t i, pk_vm wanted, pk_vu state, pk_vd entry, pk_vd best,
                       pk_vd *left, pk_vd mark, pk_vd *fired_at, pk_vu *place)
{
    const struct pk_lane_tables *tables = lanes->tables;
    const size_t n_axes = tables->n_axes;
    const pk_vd never = pk_vd_set(PK_NEVER);
    pk_vd x = entry, zeros[PK_MAX_AXES], nexts[PK_MAX_AXES], totals[PK_MAX_AXES];
    pk_vu rows[PK_MAX_AXES], cuts[PK_MAX_AXES];
    pk_vu stratum = pk_vu_set(0);
    if (tables->i_stratum != SIZE_MAX)
        stratum = pk_vu_load(words_of(lanes, tables->i_stratum) + i);
    for (size_t a = 0; a < n_axes; a++) {
        const struct pk_lane_axis *axis = &tables->axes[a];
        rows[a] = pk_vu_gather(axis->first_rows, state);
        if (tables->i_stratum != SIZE_MAX)
            rows[a] += stratum * pk_vu_gather(axis->n_segments, state);
        nexts[a] = never;
        if (axis->depth > 0) {
            cuts[a] = state << axis->depth;
            zeros[a] = clock_zero(lanes, i, axis->clocks, state);
            const pk_vu segment = segment_of(axis->cuts, cuts[a], axis->depth, x - zeros[a]);
            rows[a] += segment;
            cuts[a] += segment;
            nexts[a] = zeros[a] + pk_vd_gather(axis->cuts, cuts[a]);
        }
    }
    pk_vm going = wanted, fired = pk_vm_not(pk_vm_all());
    *fired_at = never;
    for (;;) {
        pk_vd total = pk_vd_set(0), end = best;
        for (size_t a = 0; a < n_axes; a++) {
            const struct pk_lane_axis *axis = &tables->axes[a];
            totals[a] = pk_vd_gather(axis->rows, rows[a] * pk_vu_set(axis->n_arcs));
            total += totals[a]; /* 0 + x is x */
            end = pk_vd_least(nexts[a], end);
        }
        const pk_vd available = (end - x) * total;
        const pk_vm hit = pk_vm_and(going, pk_vd_less(*left, available));
        *fired_at = pk_vd_select(hit, x + *left / total, *fired_at);
        fired = pk_vm_or(fired, hit);
        going = pk_vm_and(going, pk_vm_not(hit));
        *left = pk_vd_select(going, *left - available, *left);
        x = pk_vd_select(going, end, x);
        going = pk_vm_and(going, pk_vd_less(x, best));
        if (!pk_vm_any(going))
            break;
        for (size_t a = 0; a < n_axes; a++) {
            const struct pk_lane_axis *axis = &tables->axes[a];
            if (axis->depth == 0)
                continue;
            const pk_vu step = pk_vu_select(pk_vm_and(going, pk_vd_at_most(nexts[a], x)), pk_vu_set(1), pk_vu_set(0));
            rows[a] += step;
            cuts[a] += step;
            nexts[a] = zeros[a] + pk_vd_gather(axis->cuts, cuts[a]);
        }
    }
    /* the arc, by running sums over the axes one after another */
    pk_vd total = totals[0];
    for (size_t a = 1; a < n_axes; a++)
        total += totals[a];
    const pk_vd at = mark * total;
    pk_vd below = pk_vd_set(0);
    for (size_t a = 0; a < n_axes; a++) {
        const struct pk_lane_axis *axis = &tables->axes[a];
        const pk_vu row = rows[a] * pk_vu_set(axis->n_arcs);
        pk_vu here = pk_vu_set(a * axis->n_arcs);
        for (size_t j = 1; j < axis->n_arcs; j++)
            here += pk_vu_select(pk_vd_at_most(below + pk_vd_gather(axis->rows, row + pk_vu_set(j)), at), pk_vu_set(1),
                                 pk_vu_set(0));
        if (a == 0)
            *place = here;
        else
            *place =
                pk_vu_select(pk_vm_and(pk_vd_at_most(below, at), pk_vd_less(pk_vd_set(0), totals[a])), here, *place);
        below += totals[a];
    }
    return fired;
}

static void base(struct pk_lanes *lanes)
{
    const struct pk_lane_tables *tables = lanes->tables;
    const uint64_t *states = words_of(lanes, PK_LANE_STATE);
    const double *entries = doubles_of(lanes, PK_LANE_ENTRY);
    const pk_vu n = pk_vu_set(lanes->n), chosen = pk_vu_set(tables->n_chosen);
    for (size_t i = 0; i < lanes->n; i += PK_WIDTH) {
        const pk_vu state = pk_vu_load(states + i), stream = of_state(tables, tables->streams, state);
        const pk_vd entry = pk_vd_load(entries + i), best = pk_vd_load(lanes->time + i),
                    mark = pk_vd_load(lanes->mark + i);
        pk_vd left = pk_vd_load(lanes->left + i), x;
        pk_vu place;
        pk_vm wanted = pk_vu_less(pk_vu_iota() + pk_vu_set(i), n), fires;
        if (tables->small) {
            fires = pk_vm_and(wanted, choose_small(tables, state, entry, best, left, mark, &x, &place));
        } else {
            wanted = pk_vm_and(wanted, pk_vu_less(pk_vu_set(0), pk_vu_gather(tables->has_base, state)));
            fires = choose(lanes, i, wanted, state, entry, best, &left, mark, &x, &place);
            const pk_vm short_ =
                pk_vm_and(pk_vm_and(wanted, pk_vm_not(fires)), pk_vd_less(best, pk_vd_set(tables->until)));
            if (tables->carries && pk_vm_any(short_))
                cut_short(lanes, i, short_, stream, left);
        }
        const pk_vu way = pk_vu_gather(tables->ways, pk_vu_product(state, chosen) + place);
        pk_vd_store(lanes->time + i, pk_vd_select(fires, x, best));
        pk_vu_store(lanes->way + i, pk_vu_select(fires, way, pk_vu_load(lanes->way + i)));
        use_up(lanes, i, stream, fires);
    }
}

/* What is above a common hazard in a state: one exponential a person and state, spent over all stays there. */
static void excess(struct pk_lanes *lanes, const struct pk_lane_excess *of)
{
    const struct pk_lane_tables *tables = lanes->tables;
    const uint64_t *states = words_of(lanes, PK_LANE_STATE), *persons = words_of(lanes, PK_LANE_PERSON);
    const double *entries = doubles_of(lanes, PK_LANE_ENTRY);
    const size_t n_strata = tables->plan->n_strata;
    double *lefts = doubles_of(lanes, tables->i_excess);
    /* who comes here for the first time draws */
    size_t n_new = 0;
    for (size_t i = 0; i < lanes->n; i += PK_WIDTH) {
        const pk_vu state = pk_vu_load(states + i), lane = pk_vu_iota() + pk_vu_set(i);
        const pk_vu at = pk_vu_gather(of->columns, state) * pk_vu_set(PK_LANES) + lane;
        const pk_vm fresh = pk_vm_and(pk_vm_and(pk_vu_less(lane, pk_vu_set(lanes->n)),
                                                pk_vu_less(pk_vu_set(0), pk_vu_gather(of->purposes, state))),
                                      pk_vd_less(pk_vd_gather(lefts, at), pk_vd_set(0)));
        n_new += pk_vu_pack(lanes->finished + n_new, fresh, lane);
    }
    lanes->n_draws += n_new;
    for (size_t k = 0; k < n_new; k++) {
        const uint64_t lane = lanes->finished[k];
        lanes->fresh[k] = persons[lane];
        lanes->purpose[k] = of->purposes[states[lane]];
        lanes->occurrence[k] = 0;
    }
    draw(tables->schedule, n_new, lanes->fresh, lanes->purpose, lanes->occurrence, lanes->left, lanes->mark);
    for (size_t k = 0; k < n_new; k++) {
        const uint64_t lane = lanes->finished[k];
        lefts[of->columns[states[lane]] * PK_LANES + lane] = lanes->left[k];
    }
    for (size_t i = 0; i < lanes->n; i += PK_WIDTH) {
        const pk_vu state = pk_vu_load(states + i), lane = pk_vu_iota() + pk_vu_set(i);
        const pk_vm wanted = pk_vm_and(pk_vu_less(lane, pk_vu_set(lanes->n)),
                                       pk_vu_less(pk_vu_set(0), pk_vu_gather(of->purposes, state)));
        if (!pk_vm_any(wanted))
            continue;
        const pk_vu at = pk_vu_gather(of->columns, state) * pk_vu_set(PK_LANES) + lane;
        pk_vu stratum = pk_vu_set(0);
        if (tables->i_stratum != SIZE_MAX)
            stratum = pk_vu_load(words_of(lanes, tables->i_stratum) + i);
        const pk_vu common = pk_vu_gather(of->commons, state);
        const pk_vu rate = pk_vu_gather(tables->common_rates, common * pk_vu_set(n_strata) + stratum);
        const pk_vd factor = pk_vd_gather(of->factors, state * pk_vu_set(n_strata) + stratum);
        pk_vd zero = pk_vd_set(0);
        if (tables->uses_age)
            zero =
                pk_vd_select(pk_vu_equal(pk_vu_gather(tables->common_clocks, common), pk_vu_set(PK_LANE_SINCE_BIRTH)),
                             -pk_vd_load(doubles_of(lanes, tables->i_age) + i), zero);
        const pk_vd best = pk_vd_load(lanes->time + i);
        const pk_vd before = pk_vd_gather(lefts, at);
        pk_vd left = before;
        const pk_vd time = spend(&tables->rates, wanted, rate, factor, zero, pk_vd_load(entries + i), best, &left);
        const pk_vm sooner = pk_vm_and(wanted, pk_vd_less(time, best));
        pk_vd_store(lanes->time + i, pk_vd_select(sooner, time, best));
        pk_vu_store(lanes->way + i, pk_vu_select(sooner, pk_vu_gather(of->ways, state), pk_vu_load(lanes->way + i)));
        double rests[PK_WIDTH];
        uint64_t places[PK_WIDTH];
        pk_vd_store(rests, left);
        pk_vu_store(places, at);
        for (unsigned bits = pk_vm_bits(wanted); bits != 0; bits &= bits - 1)
            lefts[places[__builtin_ctz(bits)]] = rests[__builtin_ctz(bits)];
    }
}

/* To the tick; the event into the log; on to the next state. Whose life is over goes into the list. */
static size_t move(struct pk_lanes *lanes, uint64_t *log)
{
    const struct pk_lane_tables *tables = lanes->tables;
    uint64_t *states = words_of(lanes, PK_LANE_STATE), *words_ = words_of(lanes, PK_LANE_WORD);
    double *entries = doubles_of(lanes, PK_LANE_ENTRY);
    const pk_vd magic = pk_vd_set(0x1.8p52 * PK_TICK), tick = pk_vd_set(PK_TICK),
                horizon = pk_vd_set(tables->plan->horizon), until = pk_vd_set(tables->until);
    const pk_vu n = pk_vu_set(lanes->n), slots = pk_vu_set(PK_LANES_MOST_PEOPLE - 1);
    size_t n_log = 0, n_finished = 0;
    for (size_t i = 0; i < lanes->n; i += PK_WIDTH) {
        const pk_vu lane = pk_vu_iota() + pk_vu_set(i), way = pk_vu_load(lanes->way + i), word = pk_vu_load(words_ + i);
        const pk_vd entry = pk_vd_load(entries + i), best = pk_vd_load(lanes->time + i);
        const pk_vm live = pk_vu_less(lane, n);
        pk_vd time = (best + magic) - magic;
        time = pk_vd_select(pk_vd_at_most(time, entry), entry + tick, time);
        const pk_vm happens = pk_vm_and(live, pk_vm_and(pk_vd_less(best, until), pk_vd_at_most(time, horizon)));
        /* a double between 2^31 and 2^32 times 1.5 has its ticks in the low bits */
        const pk_vu ticks = (pk_vu)(time + magic) & pk_vu_set((UINT64_C(1) << 40) - 1);
        const pk_vu event = (ticks << 24) | ((way & pk_vu_set(PK_MAX_ARCS - 1)) << 14) | (word & slots);
        n_log += pk_vu_pack(log + n_log, happens, event);
        pk_vu_store(states + i, (way >> 16) & pk_vu_set(0xffff));
        pk_vd_store(entries + i, time);
        if (tables->uses_elapsed)
            pk_vd_store(doubles_of(lanes, tables->i_zero) + i, time);
        pk_vu_store(words_ + i, word + pk_vu_set(PK_LANE_ONE_EVENT));
        const pk_vm goes_on = pk_vm_and(happens, pk_vu_equal(way >> 32, pk_vu_set(0)));
        n_finished += pk_vu_pack(lanes->finished + n_finished, pk_vm_and(live, pk_vm_not(goes_on)), lane);
    }
    lanes->n_finished = n_finished;
    return n_log;
}

static size_t round_(struct pk_lanes *lanes, uint64_t *log, struct pk_stages *stages, uint64_t *since)
{
    const struct pk_lane_tables *tables = lanes->tables;
    lanes->n_draws += lanes->n;
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

#define PK_LANE_OPS                                                                                                    \
    {                                                                                                                  \
        words, uniforms, common, round_, cells                                                                         \
    }

#endif
