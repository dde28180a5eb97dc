/* The base hazards of each lane's state: when, and which of them. See lanes_private.h. Not installed. */
#ifndef PK_LANES_CHOOSE_H
#define PK_LANES_CHOOSE_H

#include "lanes_spend.h"

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
    pk_vd zeros[PK_MAX_AXES][PK_TOGETHER], nexts[PK_MAX_AXES][PK_TOGETHER];
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
                const pk_vu row = pk_vu_product(rows[a][g], pk_vu_set(axis->n_arcs));
                for (size_t j = 0; j < (a == 0 ? 1 : axis->n_arcs); j++)
                    total[g] += pk_vd_gather(axis->rows, row + pk_vu_set(j));
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
    /* the arc: on the first axis by running sums, which are ready, on others by sums that go on, as the reference's */
    PK_EACH
    {
        const pk_vd at = c->mark[g] * total[g];
        pk_vd below = nothing;
        size_t first = 0;
        c->time[g] = x[g] + c->left[g] / total[g];
        c->place[g] = pk_vu_set(0);
        for (size_t a = 0; a < n_axes; first += tables->axes[a++].n_arcs) {
            const struct pk_lane_axis *axis = &tables->axes[a];
            const pk_vu row = pk_vu_product(rows[a][g], pk_vu_set(axis->n_arcs));
            for (size_t j = 1; a == 0 && j < axis->n_arcs; j++)
                c->place[g] += pk_vu_select(pk_vd_at_most(pk_vd_gather(axis->rows, row + pk_vu_set(j)), at),
                                            pk_vu_set(1), pk_vu_set(0));
            if (a == 0 && n_axes > 1)
                below = pk_vd_gather(axis->rows, row);
            for (size_t j = 0; a > 0 && j < axis->n_arcs; j++) {
                const pk_vd hazard = pk_vd_gather(axis->rows, row + pk_vu_set(j));
                c->place[g] = pk_vu_select(pk_vm_and(pk_vd_at_most(below, at), pk_vd_less(nothing, hazard)),
                                           pk_vu_set(first + j), c->place[g]);
                below += hazard;
            }
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
        const pk_vd available = (c->best[g] - c->entry[g]) * total;
        c->fired[g] = pk_vm_and(c->wanted[g], pk_vd_less(c->left[g], available));
        c->time[g] = c->entry[g] + c->left[g] / total;
        c->left[g] = pk_vd_select(c->fired[g], c->left[g], c->left[g] - available);
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

#endif
