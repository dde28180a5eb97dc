/* Exponentials spent on piecewise constant hazards: those common to all states, and what is above them in a state.
 * See lanes_private.h. Not installed. */
#ifndef PK_LANES_SPEND_H
#define PK_LANES_SPEND_H

#include "lanes_draw.h"

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

/* pk_spell_spend_alone. often: many are used up; else the few are looked up one by one. */
PK_INLINE void spend(const struct pk_lane_rates *rates, bool often, struct pk_spending *s)
{
    const bool in_registers = rates->one && rates->cuts.depth <= 4;
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
        if (bits == 0 || (often && in_registers))
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
    if (often && in_registers) {
        pk_vu at[PK_TOGETHER];
        PK_EACH
        {
            at[g] = pk_vu_set(0);
            x[g] = before[g] + s->left[g] / s->factor[g];
        }
        for (unsigned k = rates->cuts.depth; k-- > 0;) {
            const uint64_t half = UINT64_C(1) << k;
            PK_EACH at[g] = pk_vu_select(pk_vd_at_most(pk_vd_lookup_16(reached, at[g] + pk_vu_set(half - 1)), x[g]),
                                         at[g] + pk_vu_set(half), at[g]);
        }
        PK_EACH s->time[g] = s->zero[g] + (x[g] - pk_vd_lookup_16(intercepts, at[g])) / pk_vd_lookup_16(levels, at[g]);
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
        spend(&tables->rates, true, &spending);
        PK_EACH pk_vd_store(times + i + g * PK_WIDTH,
                            pk_vd_select(spending.fired[g], spending.time[g], pk_vd_set(PK_NEVER)));
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
        spend(&tables->rates, false, &s);
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

#endif
