/* What is made of a plan for many lives at once: flat tables to gather from. See lanes_private.h. */
#include <string.h>

#include "lanes_making.h"
#include "polku/memory.h"
#include "polku/rng.h"

bool pk_making_is_summed(const struct pk_plan_state *state)
{
    bool summed = state->n_smooth == 0 && !state->personal;
    for (size_t a = 0; a < state->n_axes; a++)
        summed &= state->axes[a].sums != NULL && state->axes[a].n_cuts <= PK_LANES_MOST_CUTS;
    return summed;
}

static size_t n_axes_of(const struct pk_plan_state *state)
{
    return pk_making_is_summed(state) ? state->n_axes : 0;
}

/* Totals and running sums of one row; infinite where no later arc has a hazard, so that none without one is chosen. */
static void put_row(const double *sums, size_t n, size_t width, double *row)
{
    size_t last = 0;
    for (size_t j = 1; j < n; j++)
        if (sums[j] > sums[j - 1])
            last = j;
    row[0] = n > 0 ? sums[n - 1] : 0;
    for (size_t j = 1; j < width; j++)
        row[j] = j <= last ? sums[j - 1] : PK_NEVER;
}

/* The hazards of one row. */
static void put_hazards(const struct pk_plan *plan, const struct pk_axis *axis, size_t i_row, double *row)
{
    const size_t n_segments = axis->n_cuts + 1, stratum = i_row / n_segments;
    const double *levels = axis->levels + (axis->by_stratum ? i_row : i_row % n_segments) * axis->n_arcs;
    for (size_t k = 0; k < axis->n_arcs; k++)
        row[k] = levels[k] * plan->multipliers[stratum * plan->n_arcs + axis->arcs[k]];
}

static void make_axis(struct pk_making *making, size_t i_axis)
{
    const struct pk_plan *plan = making->plan;
    struct pk_lane_axis *made = &making->tables->axes[i_axis];
    size_t n_cuts = 0, n_rows = 0;
    made->n_arcs = 1;
    for (size_t s = 0; s < plan->n_states; s++) {
        const struct pk_plan_state *state = &plan->states[s];
        if (i_axis >= n_axes_of(state)) {
            n_rows += 1;
            continue;
        }
        const struct pk_axis *axis = &state->axes[i_axis];
        n_cuts = axis->n_cuts > n_cuts ? axis->n_cuts : n_cuts;
        made->n_arcs = axis->n_arcs > made->n_arcs ? axis->n_arcs : made->n_arcs;
        n_rows += plan->n_strata * (axis->n_cuts + 1);
    }
    pk_making_cuts(making, plan->n_states, n_cuts, &made->cuts);
    made->clocks = pk_making_words(making, plan->n_states);
    made->first_rows = pk_making_words(making, plan->n_states);
    made->n_segments = pk_making_words(making, plan->n_states);
    made->rows = pk_making_doubles(making, n_rows * made->n_arcs);
    if (making->why != NULL)
        return;
    size_t row = 0;
    bool any = false;
    for (size_t s = 0; s < plan->n_states && making->why == NULL; s++) {
        const struct pk_plan_state *state = &plan->states[s];
        made->first_rows[s] = row;
        if (i_axis >= n_axes_of(state)) {
            row++; /* of zeros */
            continue;
        }
        const struct pk_axis *axis = &state->axes[i_axis];
        made->n_segments[s] = axis->n_cuts + 1;
        if (axis->n_cuts > 0) {
            made->clocks[s] = pk_making_clock(making, axis->clock);
            pk_making_share_clock(making, made->clocks[s], &any, &made->clock);
            memcpy(made->cuts.cuts + (s << made->cuts.depth), axis->cuts, axis->n_cuts * sizeof *axis->cuts);
        }
        for (size_t k = 0; k < plan->n_strata * (axis->n_cuts + 1); k++, row++)
            if (i_axis == 0)
                put_row(axis->sums + k * axis->n_arcs, axis->n_arcs, made->n_arcs, made->rows + row * made->n_arcs);
            else
                put_hazards(plan, axis, k, made->rows + row * made->n_arcs);
    }
    pk_making_buckets(making, plan->n_states, &made->cuts);
}

static void make_base(struct pk_making *making)
{
    struct pk_lane_tables *tables = making->tables;
    const struct pk_plan *plan = making->plan;
    uint32_t streams[PK_MAX_STATES];
    tables->n_axes = 1;
    tables->all_base = true;
    tables->purposes = pk_making_words(making, plan->n_states);
    tables->streams = pk_making_words(making, plan->n_states);
    tables->shifts = pk_making_words(making, plan->n_states);
    tables->words = pk_making_words(making, plan->n_states);
    tables->has_base = pk_making_words(making, plan->n_states);
    for (size_t s = 0; s < plan->n_states && making->why == NULL; s++) {
        const struct pk_plan_state *state = &plan->states[s];
        size_t k = 0;
        if (state->absorbing)
            continue;
        const size_t n_axes = n_axes_of(state);
        if (n_axes > tables->n_axes)
            tables->n_axes = n_axes;
        while (k < tables->n_streams && streams[k] != state->stream)
            k++;
        streams[k] = state->stream;
        tables->n_streams = k == tables->n_streams ? k + 1 : tables->n_streams;
        tables->streams[s] = k;
        tables->shifts[s] = k % PK_LANES_COUNTERS * PK_LANES_COUNTER_BITS;
        tables->words[s] = k / PK_LANES_COUNTERS;
        tables->purposes[s] = state->stream | (uint64_t)PK_ROLE_EVENT << 24;
        tables->has_base[s] = n_axes > 0 ? UINT64_MAX : 0;
        tables->all_base &= n_axes > 0;
        tables->any_base |= n_axes > 0;
    }
    tables->n_counter_words = (tables->n_streams + PK_LANES_COUNTERS - 1) / PK_LANES_COUNTERS;
    for (size_t a = 0; a < tables->n_axes && making->why == NULL; a++) {
        make_axis(making, a);
        tables->n_chosen += tables->axes[a].n_arcs;
    }
    const size_t most_others = plan->n_person_hazards + PK_LANES_MAX_TIMERS + PK_LANES_MAX_EXCESS;
    tables->ways = pk_making_words(making, plan->n_states * (tables->n_chosen + most_others) + plan->n_arcs);
    tables->n_ways = plan->n_states * tables->n_chosen;
    for (size_t s = 0; s < plan->n_states && making->why == NULL; s++)
        for (size_t a = 0, first = 0; a < n_axes_of(&plan->states[s]); first += tables->axes[a++].n_arcs)
            for (size_t k = 0; k < plan->states[s].axes[a].n_arcs; k++)
                tables->ways[s * tables->n_chosen + first + k] = pk_making_way(making, plan->states[s].axes[a].arcs[k]);
}

/* One stratum, no cuts, few states: by column, for look-ups in registers. */
static void make_small(struct pk_making *making)
{
    struct pk_lane_tables *tables = making->tables;
    struct pk_lane_axis *axis = &tables->axes[0];
    const size_t n_states = making->plan->n_states;
    if (tables->n_axes > 1 || axis->cuts.depth > 0 || making->plan->n_strata > 1 || n_states > PK_LANES_SMALL)
        return;
    double *rows = pk_making_doubles(making, axis->n_arcs * PK_LANES_SMALL);
    if (rows == NULL)
        return;
    for (size_t j = 0; j < axis->n_arcs; j++)
        for (size_t s = 0; s < n_states; s++)
            rows[j * PK_LANES_SMALL + s] = axis->rows[axis->first_rows[s] * axis->n_arcs + j];
    axis->rows = rows;
    tables->small = true;
}

/* Whether anything but base hazards leads from a spell to another: what it leaves of an exponential is taken up. */
static bool leaves_rests(const struct pk_plan *plan)
{
    bool leaves = false;
    for (size_t s = 0; s < plan->n_states; s++) {
        const struct pk_plan_state *state = &plan->states[s];
        if (state->absorbing || state->n_axes + state->n_smooth == 0)
            continue;
        for (size_t k = 0; k < state->n_timers; k++)
            for (size_t j = 0; j < state->timers[k].n_arcs; j++)
                leaves |= !plan->states[plan->arcs[state->timers[k].arcs[j]].i_to].absorbing;
        for (size_t k = 0; k < plan->n_person_hazards; k++)
            leaves |= !plan->states[plan->person_hazards[k].i_to].absorbing;
    }
    return leaves;
}

static void lay_out(struct pk_making *making)
{
    struct pk_lane_tables *tables = making->tables;
    const struct pk_plan *plan = making->plan;
    size_t n = PK_LANE_FIXED;
    tables->i_age = tables->uses_age ? n++ : SIZE_MAX;
    tables->i_zero = tables->uses_elapsed ? n++ : SIZE_MAX;
    tables->i_stratum = plan->n_strata > 1 ? n++ : SIZE_MAX;
    tables->i_used = n;
    n += tables->n_counter_words;
    tables->i_stays = n;
    n += tables->n_stay_words;
    tables->i_common = n;
    n += tables->n_common;
    tables->i_excess = n;
    n += plan->n_excess;
    tables->i_open = tables->i_left = tables->i_mark = SIZE_MAX;
    if (tables->carries) {
        tables->i_open = n++;
        tables->i_left = n;
        tables->i_mark = n += tables->n_streams;
        n += tables->n_streams;
    }
    tables->n_columns = n;
}

static bool has_elapsed(const struct pk_plan *plan)
{
    return plan->people.n > 0 || plan->origin.elapsed_states != 0 ||
           (plan->inflow.n_years > 0 && plan->inflow.origin.elapsed_states != 0);
}

void pk_lanes_schedule(uint64_t seed, uint64_t schedule[20])
{
    uint32_t low = (uint32_t)seed, high = (uint32_t)(seed >> 32);
    for (size_t i = 0; i < 10; i++, low += 0x9E3779B9u, high += 0xBB67AE85u) {
        schedule[2 * i] = low;
        schedule[2 * i + 1] = high;
    }
}

struct pk_lane_tables *pk_lane_tables_make(const struct pk_plan *plan, const char **why)
{
    struct pk_lane_tables *tables = pk_alloc(1, sizeof *tables);
    struct pk_making making = {.tables = tables, .plan = plan};
    *why = "memory";
    if (tables == NULL)
        return NULL;
    pk_arena_init(&tables->arena);
    tables->plan = plan;
    tables->few = plan->n_states <= PK_LANES_SMALL;
    tables->until = plan->horizon + 0.5 * PK_TICK;
    pk_lanes_schedule(plan->seed, tables->schedule);
    make_base(&making);
    if (making.why == NULL)
        pk_making_common(&making);
    if (making.why == NULL)
        pk_making_timers(&making);
    if (making.why == NULL)
        pk_making_excess(&making);
    if (making.why == NULL)
        pk_making_single(&making);
    if (making.why == NULL)
        make_small(&making);
    if (making.why != NULL) {
        *why = making.why;
        pk_lane_tables_free(tables);
        return NULL;
    }
    for (size_t k = 0; k < tables->n_common; k++)
        tables->uses_age |= tables->common_clocks[k] == PK_LANE_SINCE_BIRTH;
    tables->uses_elapsed = making.uses_entry && has_elapsed(plan);
    tables->carries = leaves_rests(plan);
    tables->fused = tables->small && tables->all_base && !tables->carries && tables->n_timers + tables->n_excess == 0;
    lay_out(&making);
    return tables;
}

void pk_lane_tables_free(struct pk_lane_tables *tables)
{
    if (tables == NULL)
        return;
    pk_arena_free(&tables->arena);
    pk_free(tables);
}
