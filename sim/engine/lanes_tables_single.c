/* Tables of what lanes do one after another. See lanes_making.h. */
#include "lanes_making.h"

/* A cure drawn anew in each stay, or a draw between destinations, is keyed by the stay's number. */
static bool asks_for_stays(const struct pk_plan *plan, size_t i_state)
{
    const struct pk_plan_state *state = &plan->states[i_state];
    bool asks = false;
    for (size_t k = 0; k < state->n_timers; k++)
        asks |= state->timers[k].n_arcs > 1;
    for (size_t a = 0; a < plan->n_arcs && state->personal; a++)
        asks |= plan->arcs[a].i_from == i_state && plan->arcs[a].i_cure != SIZE_MAX &&
                plan->cures[plan->arcs[a].i_cure].per_spell;
    return asks;
}

static void put_ways(struct pk_making *making, const uint16_t *arcs, size_t n)
{
    struct pk_lane_tables *tables = making->tables;
    for (size_t k = 0; k < n; k++)
        tables->ways[tables->n_ways++] = pk_making_way(making, arcs[k]);
}

bool pk_making_has_vectors(const struct pk_rate *rates, size_t n_rates)
{
    const enum pk_hazard_form form = rates[0].curve.form;
    return n_rates == 1 && rates[0].smooth &&
           (form == PK_HAZARD_GOMPERTZ || form == PK_HAZARD_WEIBULL || form == PK_HAZARD_WEIBULL_PH ||
            form == PK_HAZARD_LOG_LOGISTIC);
}

/* Whether all forms of a state have vectors; else its lanes go one by one. */
static bool has_vectors(const struct pk_plan *plan, const struct pk_plan_state *state)
{
    bool has = true;
    for (size_t k = 0; k < state->n_smooth; k++)
        has &= pk_making_has_vectors(plan->arcs[state->smooth[k]].rates, plan->arcs[state->smooth[k]].n_rates);
    return has;
}

void pk_making_single(struct pk_making *making)
{
    struct pk_lane_tables *tables = making->tables;
    const struct pk_plan *plan = making->plan;
    size_t n_counters = 0;
    tables->single_ways = pk_making_words(making, plan->n_states);
    tables->split_ways = pk_making_words(making, plan->n_states);
    tables->stay_places = pk_making_words(making, plan->n_states);
    tables->single = pk_making_room(making, plan->n_states, sizeof *tables->single);
    tables->together = pk_making_words(making, plan->n_states);
    for (size_t s = 0; s < plan->n_states && making->why == NULL; s++) {
        const struct pk_plan_state *state = &plan->states[s];
        tables->single_ways[s] = tables->stay_places[s] = UINT64_MAX;
        tables->split_ways[s] = tables->n_ways;
        if (state->absorbing)
            continue;
        for (size_t k = 0; k < state->n_timers; k++)
            put_ways(making, state->timers[k].arcs, state->timers[k].n_arcs);
        if (asks_for_stays(plan, s))
            tables->stay_places[s] = n_counters++;
        if (pk_making_is_summed(state))
            continue;
        making->uses_entry = true;
        tables->single[s] = !has_vectors(plan, state);
        tables->any_single |= tables->single[s];
        if (!tables->single[s])
            tables->together[tables->n_together++] = s;
        tables->single_ways[s] = tables->n_ways;
        for (size_t a = 0; a < state->n_axes; a++)
            put_ways(making, state->axes[a].arcs, state->axes[a].n_arcs);
        put_ways(making, state->smooth, state->n_smooth);
    }
    tables->n_stay_words = (n_counters + PK_LANES_COUNTERS - 1) / PK_LANES_COUNTERS;
}
