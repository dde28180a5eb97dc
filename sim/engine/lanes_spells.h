/* Base hazards with parametric forms or multipliers of one's own, state by state, over vectors: life_spell.c's
 * statements, lane by lane. See lanes_private.h. Not installed. */
#ifndef PK_LANES_SPELLS_H
#define PK_LANES_SPELLS_H

#include "lanes_alone.h"

/* Spells of some lanes in one state. */
struct pk_spells {
    const struct pk_lanes *lanes;
    const struct pk_plan_state *state;
    pk_vu lane[PK_ABREAST], slot[PK_ABREAST], stratum[PK_ABREAST];
    pk_vm going[PK_ABREAST], fired[PK_ABREAST];
    pk_vd x[PK_ABREAST], until[PK_ABREAST], left[PK_ABREAST], mark[PK_ABREAST], total[PK_ABREAST];
    pk_vd since[PK_ABREAST], age[PK_ABREAST]; /* zeros of the clocks time_in_state and, negative, age */
    pk_vd zeros[PK_MAX_AXES][PK_ABREAST], nexts[PK_MAX_AXES][PK_ABREAST];
    pk_vu segments[PK_MAX_AXES][PK_ABREAST], firsts[PK_MAX_AXES][PK_ABREAST];
    pk_vd multipliers[PK_MAX_ARCS_FROM][PK_ABREAST], hazards[PK_MAX_ARCS_FROM][PK_ABREAST];
};

PK_INLINE const struct pk_rate *rate_of(const struct pk_spells *s, size_t i_smooth)
{
    return s->lanes->tables->plan->arcs[s->state->smooth[i_smooth]].rates;
}

PK_INLINE pk_vd zero_of(const struct pk_spells *s, enum pk_clock clock, int g)
{
    if (clock == PK_CLOCK_STATE)
        return s->since[g];
    return clock == PK_CLOCK_AGE ? -s->age[g] : pk_vd_set(0);
}

static void multiply(struct pk_spells *s, size_t place, size_t i_arc)
{
    const struct pk_plan *plan = s->lanes->tables->plan;
    const struct pk_persons *persons = s->lanes->persons;
    const struct pk_plan_arc *arc = &plan->arcs[i_arc];
    const bool by_spell = arc->i_cure != SIZE_MAX && plan->cures[arc->i_cure].per_spell;
    PK_BOTH
    {
        pk_vd m = pk_vd_gather(plan->multipliers + i_arc, pk_vu_product(s->stratum[g], pk_vu_set(plan->n_arcs)));
        m = m * factor_of(persons, s->slot[g], arc->i_frailty, by_spell ? SIZE_MAX : arc->i_cure);
        if (by_spell) {
            uint64_t lanes[PK_WIDTH];
            double own[PK_WIDTH];
            pk_vu_store(lanes, s->lane[g]);
            pk_vd_store(own, m);
            for (unsigned bits = pk_vm_bits(s->going[g]); bits != 0; bits &= bits - 1) {
                const int k = __builtin_ctz(bits);
                own[k] = pk_lanes_cured_now(s->lanes, (size_t)lanes[k], i_arc) ? 0 : own[k];
            }
            m = pk_vd_load(own);
        }
        s->multipliers[place][g] = m;
    }
}

/* Where the clocks stand at entry. */
static void enter(struct pk_spells *s)
{
    size_t n = 0;
    for (size_t a = 0; a < s->state->n_axes; a++) {
        const struct pk_axis *axis = &s->state->axes[a];
        PK_BOTH
        {
            s->zeros[a][g] = zero_of(s, axis->clock, g);
            s->segments[a][g] = s->firsts[a][g] = pk_vu_set(0);
            s->nexts[a][g] = pk_vd_set(PK_NEVER);
            if (axis->by_stratum)
                s->firsts[a][g] = pk_vu_product(s->stratum[g], pk_vu_set((axis->n_cuts + 1) * axis->n_arcs));
            if (axis->n_cuts > 0) {
                double values[PK_WIDTH], nexts[PK_WIDTH];
                uint64_t segments[PK_WIDTH];
                pk_vd_store(values, s->x[g] - s->zeros[a][g]);
                for (size_t k = 0; k < PK_WIDTH; k++) {
                    segments[k] = pk_rate_segment(axis->cuts, axis->n_cuts, values[k]);
                    nexts[k] = segments[k] < axis->n_cuts ? axis->cuts[segments[k]] : PK_NEVER;
                }
                s->segments[a][g] = pk_vu_load(segments);
                s->nexts[a][g] = s->zeros[a][g] + pk_vd_load(nexts);
            }
        }
        for (size_t k = 0; k < axis->n_arcs; k++)
            multiply(s, n++, axis->arcs[k]);
    }
    for (size_t k = 0; k < s->state->n_smooth; k++)
        multiply(s, n++, s->state->smooth[k]);
}

/* A state's parametric arcs where a segment begins. */
struct pk_bundle {
    struct pk_lane_start starts[PK_MAX_ARCS_FROM][PK_ABREAST];
    pk_vd scales[PK_MAX_ARCS_FROM][PK_ABREAST]; /* 0 where the arc is not there */
};

/* What the level and all arcs use up in a time, and their hazard at its end. */
PK_INLINE void use(const struct pk_spells *s, const struct pk_bundle *bundle, const pk_vd *d, pk_vd *used, pk_vd *slope)
{
    const pk_vd nothing = pk_vd_set(0);
    PK_BOTH used[g] = s->total[g] * d[g];
    PK_BOTH slope[g] = s->total[g];
    for (size_t i = 0; i < s->state->n_smooth; i++) {
        const struct pk_hazard_curve *curve = &rate_of(s, i)->curve;
        PK_BOTH
        {
            const struct pk_lane_start *start = &bundle->starts[i][g];
            const pk_vm there = pk_vd_less(nothing, bundle->scales[i][g]);
            pk_vd rate;
            const pk_vd more = bundle->scales[i][g] * between(curve, start, start->from + d[g], &rate);
            used[g] = pk_vd_select(there, used[g] + more, used[g]);
            slope[g] = pk_vd_select(there, slope[g] + bundle->scales[i][g] * rate, slope[g]);
        }
    }
}

/* The steps of smooth_root where no inverse helps. */
static void step(const struct pk_spells *s, const struct pk_bundle *bundle, const pk_vm *wanted, const pk_vd *length,
                 const pk_vd *used_by_length, pk_vd *root)
{
    const pk_vd nothing = pk_vd_set(0), close = pk_vd_set(PK_TICK / 8), half = pk_vd_set(0.5);
    pk_vd low[PK_ABREAST], high[PK_ABREAST], d[PK_ABREAST];
    pk_vm active[PK_ABREAST];
    PK_BOTH
    {
        low[g] = nothing;
        high[g] = length[g];
        d[g] = pk_vd_select(wanted[g], length[g] * (s->left[g] / used_by_length[g]), nothing);
        active[g] = wanted[g];
    }
    for (int i_step = 0; i_step < 80; i_step++) {
        pk_vd used[PK_ABREAST], slope[PK_ABREAST];
        unsigned any = 0;
        PK_BOTH
        {
            active[g] = pk_vm_and(active[g], pk_vd_less(close, high[g] - low[g]));
            any |= pk_vm_any(active[g]);
        }
        if (!any)
            break;
        use(s, bundle, d, used, slope);
        PK_BOTH
        {
            const pk_vd value = used[g] - s->left[g];
            const pk_vm over = pk_vd_less(nothing, value), rises = pk_vd_less(nothing, slope[g]);
            high[g] = pk_vd_select(pk_vm_and(active[g], over), d[g], high[g]);
            low[g] = pk_vd_select(pk_vm_and(active[g], pk_vm_not(over)), d[g], low[g]);
            pk_vd next = pk_vd_select(rises, d[g] - value / slope[g], low[g]);
            const pk_vm there = pk_vm_and(pk_vm_and(active[g], rises),
                                          pk_vm_and(pk_vd_less(next - d[g], close), pk_vd_less(d[g] - next, close)));
            const pk_vm within = pk_vm_and(pk_vd_less(low[g], next), pk_vd_less(next, high[g]));
            const pk_vd end = pk_vd_select(pk_vd_less(nothing, next), next, nothing);
            next = pk_vd_select(within, next, half * (low[g] + high[g]));
            d[g] = pk_vd_select(active[g], pk_vd_select(there, end, next), d[g]);
            active[g] = pk_vm_and(active[g], pk_vm_not(there));
        }
    }
    PK_BOTH root[g] = pk_vd_select(wanted[g], d[g], root[g]);
}

/* smooth_root: lanes that fire in this segment, with how far in; elsewhere left is what remains. */
static void roots(struct pk_spells *s, const pk_vd *length, pk_vm *hit, pk_vd *d)
{
    const size_t n = s->state->n_smooth;
    size_t n_levels = 0;
    const pk_vd nothing = pk_vd_set(0), one = pk_vd_set(1.0);
    struct pk_bundle bundle;
    pk_vd n_there[PK_ABREAST], used[PK_ABREAST], slope[PK_ABREAST];
    pk_vm rest[PK_ABREAST], alone[PK_ABREAST];
    unsigned any = 0;
    for (size_t a = 0; a < s->state->n_axes; a++)
        n_levels += s->state->axes[a].n_arcs;
    PK_BOTH n_there[g] = nothing;
    for (size_t i = 0; i < n; i++) {
        const struct pk_rate *rate = rate_of(s, i);
        PK_BOTH
        {
            const pk_vd scale = s->multipliers[n_levels + i][g] * pk_vd_set(rate->factor);
            bundle.scales[i][g] = pk_vd_select(pk_vd_less(nothing, scale), scale, nothing);
            n_there[g] = n_there[g] + pk_vd_select(pk_vd_less(nothing, scale), one, nothing);
            start_at(&rate->curve, s->x[g] - zero_of(s, rate->clock, g) + pk_vd_set(rate->offset),
                     &bundle.starts[i][g]);
        }
    }
    PK_BOTH
    {
        hit[g] = pk_vd_less(one, nothing);
        d[g] = nothing;
        alone[g] = pk_vm_and(s->going[g],
                             pk_vm_and(pk_vd_at_most(s->total[g], nothing),
                                       pk_vm_and(pk_vd_at_most(one, n_there[g]), pk_vd_at_most(n_there[g], one))));
        any |= pk_vm_any(alone[g]);
    }
    for (size_t i = 0; i < n && any; i++) { /* a form alone has an inverse */
        const struct pk_hazard_curve *curve = &rate_of(s, i)->curve;
        PK_BOTH
        {
            const struct pk_lane_start *start = &bundle.starts[i][g];
            const pk_vm mine = pk_vm_and(alone[g], pk_vd_less(nothing, bundle.scales[i][g]));
            const pk_vd wait = inverse(curve, start, mine, s->left[g] / bundle.scales[i][g]) - start->from;
            const pk_vm within = pk_vm_and(mine, pk_vd_less(wait, length[g]));
            d[g] = pk_vd_select(within, pk_vd_select(pk_vd_less(nothing, wait), wait, nothing), d[g]);
            hit[g] = pk_vm_or(hit[g], within);
        }
    }
    any = 0;
    PK_BOTH
    {
        rest[g] = pk_vm_and(s->going[g], pk_vm_not(hit[g]));
        any |= pk_vm_any(rest[g]);
    }
    if (!any)
        return;
    use(s, &bundle, length, used, slope);
    any = 0;
    PK_BOTH
    {
        const pk_vm within = pk_vm_and(rest[g], pk_vd_less(s->left[g], used[g]));
        s->left[g] = pk_vd_select(pk_vm_and(rest[g], pk_vm_not(within)), s->left[g] - used[g], s->left[g]);
        hit[g] = pk_vm_or(hit[g], within);
        rest[g] = within;
        any |= pk_vm_any(within);
    }
    if (any)
        step(s, &bundle, rest, length, used, d);
}

/* pk_spell_spend */
static void spend_spells(struct pk_spells *s)
{
    const struct pk_plan_state *state = s->state;
    size_t n;
    for (;;) {
        pk_vd length[PK_ABREAST], end[PK_ABREAST], d[PK_ABREAST];
        pk_vm hit[PK_ABREAST];
        unsigned any = 0;
        n = 0;
        PK_BOTH s->total[g] = pk_vd_set(0);
        PK_BOTH end[g] = s->until[g];
        for (size_t a = 0; a < state->n_axes; a++) {
            const struct pk_axis *axis = &state->axes[a];
            for (size_t k = 0; k < axis->n_arcs; k++, n++)
                PK_BOTH
                {
                    const pk_vu row = pk_vu_product(s->segments[a][g], pk_vu_set(axis->n_arcs)) + s->firsts[a][g];
                    s->hazards[n][g] = pk_vd_gather(axis->levels + k, row) * s->multipliers[n][g];
                    s->total[g] = s->total[g] + s->hazards[n][g];
                }
            PK_BOTH end[g] = pk_vd_least(s->nexts[a][g], end[g]);
        }
        PK_BOTH length[g] = end[g] - s->x[g];
        if (state->n_smooth > 0) {
            roots(s, length, hit, d);
        } else {
            PK_BOTH
            {
                const pk_vd available = length[g] * s->total[g];
                hit[g] = pk_vm_and(s->going[g], pk_vd_less(s->left[g], available));
                d[g] = s->left[g] / s->total[g];
                s->left[g] =
                    pk_vd_select(pk_vm_and(s->going[g], pk_vm_not(hit[g])), s->left[g] - available, s->left[g]);
            }
        }
        PK_BOTH
        {
            s->x[g] = pk_vd_select(s->going[g], pk_vd_select(hit[g], s->x[g] + d[g], end[g]), s->x[g]);
            s->fired[g] = pk_vm_or(s->fired[g], hit[g]);
            s->going[g] = pk_vm_and(s->going[g], pk_vm_and(pk_vm_not(hit[g]), pk_vd_less(s->x[g], s->until[g])));
            any |= pk_vm_any(s->going[g]);
        }
        if (!any)
            break;
        for (size_t a = 0; a < state->n_axes; a++) {
            const struct pk_axis *axis = &state->axes[a];
            if (axis->n_cuts == 0)
                continue;
            PK_BOTH
            {
                const pk_vm passes = pk_vm_and(s->going[g], pk_vd_at_most(s->nexts[a][g], s->x[g]));
                const pk_vu segment = s->segments[a][g] + pk_vu_select(passes, pk_vu_set(1), pk_vu_set(0));
                const pk_vm more = pk_vu_less(segment, pk_vu_set(axis->n_cuts));
                const pk_vd cut = pk_vd_gather(axis->cuts, pk_vu_select(more, segment, pk_vu_set(0)));
                s->segments[a][g] = segment;
                s->nexts[a][g] = pk_vd_select(more, s->zeros[a][g] + cut, pk_vd_set(PK_NEVER));
            }
        }
    }
    for (size_t i = 0; i < state->n_smooth && n + state->n_smooth - i > 1; i++, n++) {
        const struct pk_rate *rate = rate_of(s, i);
        PK_BOTH
        {
            const pk_vd on_clock = s->x[g] - zero_of(s, rate->clock, g);
            s->hazards[n][g] = s->multipliers[n][g] *
                               (pk_vd_set(rate->factor) * curve_rate(&rate->curve, on_clock + pk_vd_set(rate->offset)));
            s->total[g] = s->total[g] + s->hazards[n][g];
        }
    }
}

/* pk_spell_choose: the last arc with a hazard whose running sum begins at or below the mark. */
PK_INLINE void choose_spells(const struct pk_spells *s, size_t n, pk_vu *place)
{
    const pk_vd nothing = pk_vd_set(0);
    PK_BOTH
    {
        const pk_vd at = s->mark[g] * s->total[g];
        pk_vd below = nothing;
        place[g] = pk_vu_set(0);
        for (size_t j = 0; j < n; j++) {
            const pk_vm here = pk_vm_and(pk_vd_at_most(below, at), pk_vd_less(nothing, s->hazards[j][g]));
            place[g] = pk_vu_select(here, pk_vu_set(j), place[g]);
            below = below + s->hazards[j][g];
        }
    }
}

PK_INLINE pk_vd gather_double(const struct pk_lanes *lanes, size_t i_column, pk_vu lane)
{
    return pk_vd_gather(doubles_of(lanes, i_column), lane);
}

/* The base hazards of n lanes in one state. list: lanes, with room for a group more. */
static void spells_of_state(struct pk_lanes *lanes, size_t i_state, const uint64_t *list, size_t n)
{
    const struct pk_lane_tables *tables = lanes->tables;
    const struct pk_plan_state *state = &tables->plan->states[i_state];
    const size_t stream = tables->streams[i_state];
    size_t n_arcs = state->n_smooth;
    struct pk_spells s;
    for (size_t a = 0; a < state->n_axes; a++)
        n_arcs += state->axes[a].n_arcs;
    s.lanes = lanes;
    s.state = state;
    for (size_t i = 0; i < n; i += PK_WIDTH * PK_ABREAST) {
        pk_vu place[PK_ABREAST];
        pk_vm wanted[PK_ABREAST];
        PK_BOTH
        {
            const size_t at = i + (size_t)g * PK_WIDTH;
            const pk_vu lane = pk_vu_load(list + at);
            s.lane[g] = lane;
            s.slot[g] = pk_vu_gather(words_of(lanes, PK_LANE_SLOT), lane);
            s.stratum[g] = pk_vu_set(0);
            if (tables->i_stratum != SIZE_MAX)
                s.stratum[g] = pk_vu_gather(words_of(lanes, tables->i_stratum), lane);
            s.x[g] = gather_double(lanes, PK_LANE_ENTRY, lane);
            s.since[g] = tables->uses_elapsed ? gather_double(lanes, tables->i_zero, lane) : s.x[g];
            s.age[g] = pk_vd_gather(lanes->persons->ages, s.slot[g]);
            s.until[g] = pk_vd_gather(lanes->time, lane);
            s.left[g] = pk_vd_gather(lanes->left, lane);
            s.mark[g] = pk_vd_gather(lanes->mark, lane);
            wanted[g] = s.going[g] = pk_vm_first(n > at ? n - at : 0);
            s.fired[g] = pk_vd_less(s.x[g], s.x[g]);
        }
        enter(&s);
        spend_spells(&s);
        PK_BOTH place[g] = pk_vu_set(0);
        if (n_arcs > 1)
            choose_spells(&s, n_arcs, place);
        PK_BOTH
        {
            const pk_vu way = pk_vu_set(tables->single_ways[i_state]) + place[g], lane = s.lane[g];
            uint64_t *counters = words_of(lanes, tables->i_used + tables->words[i_state]);
            const pk_vu counted = pk_vu_gather(counters, lane) + pk_vu_set(UINT64_C(1) << tables->shifts[i_state]);
            pk_vd_scatter(lanes->time, s.fired[g], lane, s.x[g]);
            pk_vd_scatter((double *)(void *)lanes->way, s.fired[g], lane, (pk_vd)way);
            pk_vd_scatter((double *)(void *)counters, s.fired[g], lane, (pk_vd)counted);
            if (!tables->carries)
                continue;
            const pk_vm cut = pk_vm_and(pk_vm_and(wanted[g], pk_vm_not(s.fired[g])),
                                        pk_vd_less(s.until[g], pk_vd_set(tables->until)));
            uint64_t *opens = words_of(lanes, tables->i_open);
            const pk_vu open = pk_vu_gather(opens, lane) | pk_vu_set(UINT64_C(1) << stream);
            pk_vd_scatter(doubles_of(lanes, tables->i_left + stream), cut, lane, s.left[g]);
            pk_vd_scatter(doubles_of(lanes, tables->i_mark + stream), cut, lane, s.mark[g]);
            pk_vd_scatter((double *)(void *)opens, cut, lane, (pk_vd)open);
        }
    }
}

/* Lanes in states whose hazards are not summed, a state at a time; states with a form that has no vectors one by one.
 */
static void spells(struct pk_lanes *lanes)
{
    const struct pk_lane_tables *tables = lanes->tables;
    uint64_t list[PK_LANES + PK_WIDTH * PK_ABREAST];
    for (size_t k = 0; k < tables->n_together; k++) {
        const size_t n = list_state(lanes, tables->together[k], list);
        if (n > 0)
            spells_of_state(lanes, (size_t)tables->together[k], list, n);
    }
    if (tables->any_single)
        pk_lanes_base_single(lanes);
}

#endif
