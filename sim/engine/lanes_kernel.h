/* The stages of a round: lanes_plain.c, lanes_avx2.c and lanes_avx512.c compile this for one instruction set each. See
 * lanes_private.h. Not installed.
 *
 * Every statement is the reference's (life.c, life_spell.c), lane by lane, in the same order: so are the bits. */
#ifndef PK_LANES_KERNEL_H
#define PK_LANES_KERNEL_H

#include "lanes_cells.h"
#include "lanes_choose.h"
#include "lanes_draw.h"
#include "lanes_single.h"
#include "lanes_spells.h"
#include "lanes_spend.h"

PK_INLINE pk_vd value_by_birth(const struct pk_lane_tables *tables, const struct pk_lane_timer *timer, pk_vd zero,
                               pk_vu state, pk_vd value)
{
    for (size_t b = 0; b < timer->n_births; b++) {
        const double *later = timer->later[b];
        value = pk_vd_select(pk_vd_less(zero, pk_vd_set(timer->births[b])), value,
                             tables->few ? pk_vd_lookup(later, state) : pk_vd_gather(later, state));
    }
    return value;
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
            const pk_vd time = zero + value_by_birth(tables, timer, zero, state, value);
            consider(pk_vd_select(pk_vd_less(entry, time), time, entry), state + pk_vu_set(timer->i_way), &best, &way);
        }
        pk_vd_store(times + i, best);
        pk_vu_store(ways + i, way);
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
    if (tables->fused) {
        const size_t n_events = round_small(lanes, log);
        pk_stages_lap(stages, since, PK_STAGE_DRAW);
        return n_events;
    }
    begin(lanes);
    if (tables->n_stay_words > 0)
        pk_lanes_count_stays(lanes);
    pk_stages_lap(stages, since, PK_STAGE_COMMON);
    key(lanes);
    draw(tables->schedule, lanes->n, words_of(lanes, PK_LANE_PERSON), lanes->purpose, lanes->occurrence, lanes->left,
         lanes->mark);
    pk_stages_lap(stages, since, PK_STAGE_DRAW);
    if (tables->carries)
        take_up(lanes);
    if (tables->any_base)
        base(lanes);
    spells(lanes);
    pk_stages_lap(stages, since, PK_STAGE_CHOOSE);
    for (size_t k = 0; k < tables->n_excess; k++) {
        if (tables->excess[k].any)
            excess(lanes, &tables->excess[k]);
        if (tables->excess[k].any_single)
            excess_single(lanes, &tables->excess[k]);
    }
    if (tables->any_split)
        pk_lanes_split(lanes);
    pk_stages_lap(stages, since, PK_STAGE_COMMON);
    const size_t n_log = move(lanes, log);
    pk_stages_lap(stages, since, PK_STAGE_MOVE);
    return n_log;
}

#define PK_LANE_OPS                                                                                                    \
    {                                                                                                                  \
        lots, uniforms, exponentials, quantiles, places, common, common_form, round_, entries, cells                   \
    }

#endif
