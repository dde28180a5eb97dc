/* What is made of a plan for many lives at once: flat tables to gather from. See lanes_private.h. */
#include <math.h>
#include <string.h>

#include "lanes_private.h"
#include "polku/memory.h"
#include "polku/rng.h"

#define PK_NEVER __builtin_inf()

/* A table under way: the arena's words, or that there were none left. */
struct making {
    struct pk_lane_tables *tables;
    const struct pk_plan *plan;
    const char *why; /* the scalar reference must do it */
    bool uses_entry; /* some clock starts when a state is entered */
};

static void *room(struct making *making, size_t n, size_t size)
{
    void *made =
        pk_arena_alloc(&making->tables->arena, n + 2 * PK_LANES_SMALL, size); /* look-ups read whole registers */
    if (made == NULL)
        making->why = "memory";
    return made;
}

static uint64_t *words(struct making *making, size_t n)
{
    return room(making, n, sizeof(uint64_t));
}

static double *doubles(struct making *making, size_t n)
{
    return room(making, n, sizeof(double));
}

static uint64_t clock_of(struct making *making, enum pk_clock clock)
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

static uint64_t way_of(const struct making *making, size_t i_arc)
{
    const size_t to = making->plan->arcs[i_arc].i_to;
    return PK_LANE_WAY(i_arc, to, making->plan->states[to].absorbing);
}

static unsigned depth_for(struct making *making, size_t n_cuts)
{
    unsigned depth = 0;
    while (((size_t)1 << depth) - 1 < n_cuts)
        depth++;
    if (depth > PK_LANES_MAX_DEPTH)
        making->why = "a table with more than 255 cuts";
    return depth;
}

/* Room for the cuts of n tables with at most n_cuts. */
static void make_cuts(struct making *making, size_t n, size_t n_cuts, struct pk_lane_cuts *made)
{
    made->depth = depth_for(making, n_cuts);
    made->cuts = doubles(making, n << made->depth);
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
static void make_buckets(struct making *making, size_t n, struct pk_lane_cuts *made)
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
    made->buckets = words(making, n * PK_LANES_BUCKETS);
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

/* Whether a state's base hazards are piecewise constant with their sums ready. */
static bool is_summed(const struct pk_plan_state *state)
{
    bool summed = state->n_smooth == 0 && !state->personal;
    for (size_t a = 0; a < state->n_axes; a++)
        summed &= state->axes[a].sums != NULL;
    return summed;
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

/* The clock of all, as long as they have the same. */
static void share_clock(struct making *making, uint64_t clock, bool *any, enum pk_lane_clock *shared)
{
    *shared = !*any || *shared == (enum pk_lane_clock)clock ? (enum pk_lane_clock)clock : PK_LANE_MIXED;
    *any = true;
    making->tables->uses_age |= clock == PK_LANE_SINCE_BIRTH;
    making->uses_entry |= clock == PK_LANE_SINCE_ENTRY;
}

static void make_axis(struct making *making, size_t i_axis)
{
    const struct pk_plan *plan = making->plan;
    struct pk_lane_axis *made = &making->tables->axes[i_axis];
    size_t n_cuts = 0, n_rows = 0;
    made->n_arcs = 1;
    for (size_t s = 0; s < plan->n_states; s++) {
        const struct pk_plan_state *state = &plan->states[s];
        if (i_axis >= state->n_axes) {
            n_rows += 1;
            continue;
        }
        const struct pk_axis *axis = &state->axes[i_axis];
        n_cuts = axis->n_cuts > n_cuts ? axis->n_cuts : n_cuts;
        made->n_arcs = axis->n_arcs > made->n_arcs ? axis->n_arcs : made->n_arcs;
        n_rows += plan->n_strata * (axis->n_cuts + 1);
    }
    make_cuts(making, plan->n_states, n_cuts, &made->cuts);
    made->clocks = words(making, plan->n_states);
    made->first_rows = words(making, plan->n_states);
    made->n_segments = words(making, plan->n_states);
    made->rows = doubles(making, n_rows * made->n_arcs);
    if (making->why != NULL)
        return;
    size_t row = 0;
    bool any = false;
    for (size_t s = 0; s < plan->n_states && making->why == NULL; s++) {
        const struct pk_plan_state *state = &plan->states[s];
        made->first_rows[s] = row;
        if (i_axis >= state->n_axes) {
            row++; /* of zeros */
            continue;
        }
        const struct pk_axis *axis = &state->axes[i_axis];
        made->n_segments[s] = axis->n_cuts + 1;
        if (axis->n_cuts > 0) {
            made->clocks[s] = clock_of(making, axis->clock);
            share_clock(making, made->clocks[s], &any, &made->clock);
            memcpy(made->cuts.cuts + (s << made->cuts.depth), axis->cuts, axis->n_cuts * sizeof *axis->cuts);
        }
        for (size_t k = 0; k < plan->n_strata * (axis->n_cuts + 1); k++, row++)
            put_row(axis->sums + k * axis->n_arcs, axis->n_arcs, made->n_arcs, made->rows + row * made->n_arcs);
    }
    make_buckets(making, plan->n_states, &made->cuts);
}

static void make_base(struct making *making)
{
    struct pk_lane_tables *tables = making->tables;
    const struct pk_plan *plan = making->plan;
    uint32_t streams[PK_MAX_STATES];
    tables->n_axes = 1;
    tables->all_base = true;
    tables->purposes = words(making, plan->n_states);
    tables->streams = words(making, plan->n_states);
    tables->shifts = words(making, plan->n_states);
    tables->words = words(making, plan->n_states);
    tables->has_base = words(making, plan->n_states);
    for (size_t s = 0; s < plan->n_states && making->why == NULL; s++) {
        const struct pk_plan_state *state = &plan->states[s];
        size_t k = 0;
        if (state->absorbing)
            continue;
        if (!is_summed(state))
            making->why = state->n_smooth > 0 ? "a parametric hazard"
                          : state->personal   ? "a frailty or a cure"
                                              : "a very large table";
        if (state->n_axes > tables->n_axes)
            tables->n_axes = state->n_axes;
        while (k < tables->n_streams && streams[k] != state->stream)
            k++;
        streams[k] = state->stream;
        tables->n_streams = k == tables->n_streams ? k + 1 : tables->n_streams;
        tables->streams[s] = k;
        tables->shifts[s] = k % PK_LANES_COUNTERS * PK_LANES_COUNTER_BITS;
        tables->words[s] = k / PK_LANES_COUNTERS;
        tables->purposes[s] = state->stream | (uint64_t)PK_ROLE_EVENT << 24;
        tables->has_base[s] = state->n_axes > 0 ? UINT64_MAX : 0;
        tables->all_base &= state->n_axes > 0;
    }
    tables->n_counter_words = (tables->n_streams + PK_LANES_COUNTERS - 1) / PK_LANES_COUNTERS;
    for (size_t a = 0; a < tables->n_axes && making->why == NULL; a++) {
        make_axis(making, a);
        tables->n_chosen += tables->axes[a].n_arcs;
    }
    const size_t most_others = plan->n_person_hazards + PK_LANES_MAX_TIMERS + PK_LANES_MAX_EXCESS;
    tables->ways = words(making, plan->n_states * (tables->n_chosen + most_others));
    tables->n_ways = plan->n_states * tables->n_chosen;
    for (size_t s = 0; s < plan->n_states && making->why == NULL; s++)
        for (size_t a = 0, first = 0; a < plan->states[s].n_axes; first += tables->axes[a++].n_arcs)
            for (size_t k = 0; k < plan->states[s].axes[a].n_arcs; k++)
                tables->ways[s * tables->n_chosen + first + k] = way_of(making, plan->states[s].axes[a].arcs[k]);
}

/* One stratum, no cuts, few states: by column, for look-ups in registers. */
static void make_small(struct making *making)
{
    struct pk_lane_tables *tables = making->tables;
    struct pk_lane_axis *axis = &tables->axes[0];
    const size_t n_states = making->plan->n_states;
    if (tables->n_axes > 1 || axis->cuts.depth > 0 || making->plan->n_strata > 1 || n_states > PK_LANES_SMALL)
        return;
    double *rows = doubles(making, axis->n_arcs * PK_LANES_SMALL);
    if (rows == NULL)
        return;
    for (size_t j = 0; j < axis->n_arcs; j++)
        for (size_t s = 0; s < n_states; s++)
            rows[j * PK_LANES_SMALL + s] = axis->rows[axis->first_rows[s] * axis->n_arcs + j];
    axis->rows = rows;
    tables->small = true;
}

static void make_common(struct making *making)
{
    struct pk_lane_tables *tables = making->tables;
    const struct pk_plan *plan = making->plan;
    const size_t n = plan->n_person_hazards;
    size_t n_rates = 0, n_cuts = 0;
    tables->n_common = n;
    for (size_t k = 0; k < n; k++) {
        const struct pk_person_hazard *hazard = &plan->person_hazards[k];
        n_rates += hazard->n_rates;
        for (size_t r = 0; r < hazard->n_rates; r++) {
            n_cuts = hazard->rates[r].n_cuts > n_cuts ? hazard->rates[r].n_cuts : n_cuts;
            if (hazard->rates[r].smooth)
                making->why = "a parametric hazard common to all states";
        }
        if (hazard->i_frailty != SIZE_MAX || hazard->i_cure != SIZE_MAX)
            making->why = "a frailty or a cure";
    }
    make_cuts(making, n_rates, n_cuts, &tables->rates.cuts);
    const unsigned depth = tables->rates.cuts.depth;
    tables->rates.levels = doubles(making, n_rates << depth);
    tables->rates.intercepts = doubles(making, n_rates << depth);
    tables->rates.reached = doubles(making, n_rates << depth);
    tables->rates.one = n_rates == 1;
    tables->i_common_way = tables->n_ways;
    tables->n_ways += n * plan->n_states;
    tables->common_rates = words(making, n * plan->n_strata);
    tables->common_factors = doubles(making, n * plan->n_strata);
    tables->common_purposes = words(making, n);
    tables->common_clocks = words(making, n);
    if (making->why != NULL)
        return;
    size_t first = 0;
    for (size_t k = 0; k < n; k++) {
        const struct pk_person_hazard *hazard = &plan->person_hazards[k];
        for (size_t s = 0; s < plan->n_states; s++)
            tables->ways[tables->i_common_way + k * plan->n_states + s] =
                plan->states[s].absorbing ? 0 : way_of(making, plan->states[s].person_arcs[k]);
        for (size_t z = 0; z < plan->n_strata; z++) {
            tables->common_rates[k * plan->n_strata + z] = first + (hazard->rate_of != NULL ? hazard->rate_of[z] : 0);
            tables->common_factors[k * plan->n_strata + z] = hazard->multipliers[z];
        }
        tables->common_purposes[k] = hazard->i_transition | (uint64_t)PK_ROLE_PERSON << 24;
        tables->common_clocks[k] = PK_LANE_SINCE_START;
        for (size_t r = 0; r < hazard->n_rates; r++) {
            const struct pk_rate *rate = &hazard->rates[r];
            const size_t at = (first + r) << depth, n_cuts_own = rate->n_cuts;
            for (size_t i = 0; i < (size_t)1 << depth; i++) {
                tables->rates.cuts.cuts[at + i] = i < n_cuts_own ? rate->cuts[i] : PK_NEVER;
                tables->rates.reached[at + i] = i < n_cuts_own ? rate->reached[i] : PK_NEVER;
                tables->rates.levels[at + i] = i <= n_cuts_own ? rate->levels[i] : 0;
                tables->rates.intercepts[at + i] = i <= n_cuts_own ? rate->intercepts[i] : 0;
            }
            if (rate->n_cuts > 0)
                tables->common_clocks[k] = clock_of(making, rate->clock);
        }
        if (tables->common_clocks[k] == PK_LANE_SINCE_ENTRY)
            making->why = "a clock";
        first += hazard->n_rates;
    }
    make_buckets(making, n_rates, &tables->rates.cuts);
}

static void make_timers(struct making *making)
{
    struct pk_lane_tables *tables = making->tables;
    const struct pk_plan *plan = making->plan;
    for (size_t s = 0; s < plan->n_states; s++)
        tables->n_timers = plan->states[s].n_timers > tables->n_timers ? plan->states[s].n_timers : tables->n_timers;
    if (tables->n_timers > PK_LANES_MAX_TIMERS)
        making->why = "many fixed times in one state";
    for (size_t k = 0; k < tables->n_timers && making->why == NULL; k++) {
        struct pk_lane_timer *made = &tables->timers[k];
        made->values = doubles(making, plan->n_states);
        made->clocks = words(making, plan->n_states);
        made->i_way = tables->n_ways;
        tables->n_ways += plan->n_states;
        bool any = false;
        for (size_t s = 0; s < plan->n_states && making->why == NULL; s++) {
            const struct pk_plan_state *state = &plan->states[s];
            if (state->absorbing)
                continue;
            made->values[s] = PK_NEVER;
            if (k >= state->n_timers)
                continue;
            if (state->timers[k].n_arcs > 1)
                making->why = "a fixed time with several destinations";
            made->values[s] = state->timers[k].value;
            made->clocks[s] = clock_of(making, state->timers[k].clock);
            share_clock(making, made->clocks[s], &any, &made->clock);
            tables->ways[made->i_way + s] = way_of(making, state->timers[k].arcs[0]);
        }
    }
}

static void make_excess(struct making *making)
{
    struct pk_lane_tables *tables = making->tables;
    const struct pk_plan *plan = making->plan;
    for (size_t s = 0; s < plan->n_states; s++)
        tables->n_excess = plan->states[s].n_excess > tables->n_excess ? plan->states[s].n_excess : tables->n_excess;
    if (tables->n_excess > PK_LANES_MAX_EXCESS)
        making->why = "many excess hazards in one state";
    tables->excess_purposes = words(making, plan->n_excess);
    for (size_t k = 0; k < tables->n_excess && making->why == NULL; k++) {
        struct pk_lane_excess *made = &tables->excess[k];
        made->i_way = tables->n_ways;
        tables->n_ways += plan->n_states;
        made->columns = words(making, plan->n_states);
        made->commons = words(making, plan->n_states);
        made->factors = doubles(making, plan->n_states * plan->n_strata);
        for (size_t s = 0; s < plan->n_states && making->why == NULL; s++) {
            const struct pk_plan_state *state = &plan->states[s];
            made->columns[s] = UINT64_MAX;
            if (k >= state->n_excess)
                continue;
            const uint16_t i_arc = state->excess_arcs[k];
            const struct pk_plan_arc *arc = &plan->arcs[i_arc];
            tables->ways[made->i_way + s] = way_of(making, i_arc);
            made->columns[s] = arc->i_excess * PK_LANES;
            tables->excess_purposes[arc->i_excess] = i_arc | (uint64_t)PK_ROLE_LAYER << 24;
            made->commons[s] = arc->i_person_hazard;
            for (size_t z = 0; z < plan->n_strata; z++)
                made->factors[s * plan->n_strata + z] =
                    plan->person_hazards[arc->i_person_hazard].multipliers[z] * arc->excess;
        }
    }
}

/* Whether anything but base hazards leads from a spell to another: what it leaves of an exponential is taken up. */
static bool leaves_rests(const struct pk_plan *plan)
{
    bool leaves = false;
    for (size_t s = 0; s < plan->n_states; s++) {
        const struct pk_plan_state *state = &plan->states[s];
        if (state->absorbing || state->n_axes == 0)
            continue;
        for (size_t k = 0; k < state->n_timers; k++)
            for (size_t j = 0; j < state->timers[k].n_arcs; j++)
                leaves |= !plan->states[plan->arcs[state->timers[k].arcs[j]].i_to].absorbing;
        for (size_t k = 0; k < plan->n_person_hazards; k++)
            leaves |= !plan->states[plan->person_hazards[k].i_to].absorbing;
    }
    return leaves;
}

static void lay_out(struct making *making)
{
    struct pk_lane_tables *tables = making->tables;
    const struct pk_plan *plan = making->plan;
    size_t n = PK_LANE_FIXED;
    tables->i_age = tables->uses_age ? n++ : SIZE_MAX;
    tables->i_zero = tables->uses_elapsed ? n++ : SIZE_MAX;
    tables->i_stratum = plan->n_strata > 1 ? n++ : SIZE_MAX;
    tables->i_used = n;
    n += tables->n_counter_words;
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
    struct making making = {.tables = tables, .plan = plan};
    *why = "memory";
    if (tables == NULL)
        return NULL;
    pk_arena_init(&tables->arena);
    tables->plan = plan;
    tables->few = plan->n_states <= PK_LANES_SMALL;
    tables->until = plan->horizon + 0.5 * PK_TICK;
    pk_lanes_schedule(plan->seed, tables->schedule);
    if (plan->n_frailties + plan->n_cures > 0)
        making.why = "a frailty or a cure";
    else
        make_base(&making);
    if (making.why == NULL)
        make_common(&making);
    if (making.why == NULL)
        make_timers(&making);
    if (making.why == NULL)
        make_excess(&making);
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
