/* Hazards common to all states, fixed times, and what is above common hazards, for lanes. See lanes_making.h. */
#include <string.h>

#include "lanes_making.h"
#include "polku/rng.h"

/* Parametric, a person's own, or with too many cuts to look up. */
static bool is_single(const struct pk_person_hazard *hazard)
{
    bool single = hazard->i_frailty != SIZE_MAX || hazard->i_cure != SIZE_MAX;
    for (size_t r = 0; r < hazard->n_rates; r++)
        single |= hazard->rates[r].smooth || hazard->rates[r].n_cuts > PK_LANES_MOST_CUTS;
    return single;
}

void pk_making_common(struct pk_making *making)
{
    struct pk_lane_tables *tables = making->tables;
    const struct pk_plan *plan = making->plan;
    const size_t n = plan->n_person_hazards;
    size_t n_rates = 0, n_cuts = 0;
    tables->n_common = n;
    for (size_t k = 0; k < n; k++) {
        const struct pk_person_hazard *hazard = &plan->person_hazards[k];
        n_rates += hazard->n_rates;
        for (size_t r = 0; r < hazard->n_rates && !is_single(hazard); r++)
            n_cuts = hazard->rates[r].n_cuts > n_cuts ? hazard->rates[r].n_cuts : n_cuts;
    }
    pk_making_cuts(making, n_rates, n_cuts, &tables->rates.cuts);
    const unsigned depth = tables->rates.cuts.depth;
    tables->rates.levels = pk_making_doubles(making, n_rates << depth);
    tables->rates.intercepts = pk_making_doubles(making, n_rates << depth);
    tables->rates.reached = pk_making_doubles(making, n_rates << depth);
    tables->rates.one = n_rates == 1;
    tables->i_common_way = tables->n_ways;
    tables->n_ways += n * plan->n_states;
    tables->common_rates = pk_making_words(making, n * plan->n_strata);
    tables->common_factors = pk_making_doubles(making, n * plan->n_strata);
    tables->common_purposes = pk_making_words(making, n);
    tables->common_clocks = pk_making_words(making, n);
    tables->common_form = pk_making_room(making, n, sizeof *tables->common_form);
    tables->common_single = pk_making_room(making, n, sizeof *tables->common_single);
    if (making->why != NULL)
        return;
    size_t first = 0;
    for (size_t k = 0; k < n; k++) {
        const struct pk_person_hazard *hazard = &plan->person_hazards[k];
        for (size_t s = 0; s < plan->n_states; s++)
            tables->ways[tables->i_common_way + k * plan->n_states + s] =
                plan->states[s].absorbing ? 0 : pk_making_way(making, plan->states[s].person_arcs[k]);
        for (size_t z = 0; z < plan->n_strata; z++) {
            tables->common_rates[k * plan->n_strata + z] = first + (hazard->rate_of != NULL ? hazard->rate_of[z] : 0);
            tables->common_factors[k * plan->n_strata + z] = hazard->multipliers[z];
        }
        tables->common_purposes[k] = hazard->i_transition | (uint64_t)PK_ROLE_PERSON << 24;
        tables->common_clocks[k] = PK_LANE_SINCE_START;
        tables->common_single[k] = is_single(hazard);
        tables->common_form[k] = pk_making_has_vectors(hazard->rates, hazard->n_rates);
        for (size_t r = 0; r < hazard->n_rates && tables->common_single[k]; r++)
            if (hazard->rates[r].clock != PK_CLOCK_START && hazard->rates[r].clock != PK_CLOCK_AGE)
                making->why = "a clock";
        for (size_t r = 0; r < hazard->n_rates && !tables->common_single[k]; r++) {
            const struct pk_rate *rate = &hazard->rates[r];
            const size_t at = (first + r) << depth, n_cuts_own = rate->n_cuts;
            for (size_t i = 0; i < (size_t)1 << depth; i++) {
                tables->rates.cuts.cuts[at + i] = i < n_cuts_own ? rate->cuts[i] : PK_NEVER;
                tables->rates.reached[at + i] = i < n_cuts_own ? rate->reached[i] : PK_NEVER;
                tables->rates.levels[at + i] = i <= n_cuts_own ? rate->levels[i] : 0;
                tables->rates.intercepts[at + i] = i <= n_cuts_own ? rate->intercepts[i] : 0;
            }
            if (rate->n_cuts > 0)
                tables->common_clocks[k] = pk_making_clock(making, rate->clock);
        }
        if (tables->common_clocks[k] == PK_LANE_SINCE_ENTRY)
            making->why = "a clock";
        first += hazard->n_rates;
    }
    pk_making_buckets(making, n_rates, &tables->rates.cuts);
}

/* Dates of birth, which the k-th timers of all states share. */
static void put_births(struct pk_making *making, struct pk_lane_timer *made, const struct pk_timer *timer)
{
    if (timer->n_births == 0)
        return;
    if (timer->n_births > PK_LANES_MAX_BIRTHS)
        making->why = "many dates of birth";
    else if (made->n_births > 0 && (made->n_births != timer->n_births ||
                                    memcmp(made->births, timer->births, timer->n_births * sizeof *timer->births) != 0))
        making->why = "fixed times by different dates of birth";
    made->n_births = timer->n_births;
    made->births = timer->births;
}

void pk_making_timers(struct pk_making *making)
{
    struct pk_lane_tables *tables = making->tables;
    const struct pk_plan *plan = making->plan;
    for (size_t s = 0; s < plan->n_states; s++)
        tables->n_timers = plan->states[s].n_timers > tables->n_timers ? plan->states[s].n_timers : tables->n_timers;
    if (tables->n_timers > PK_LANES_MAX_TIMERS)
        making->why = "many fixed times in one state";
    for (size_t k = 0; k < tables->n_timers && making->why == NULL; k++) {
        struct pk_lane_timer *made = &tables->timers[k];
        made->values = pk_making_doubles(making, plan->n_states);
        made->clocks = pk_making_words(making, plan->n_states);
        made->i_way = tables->n_ways;
        tables->n_ways += plan->n_states;
        bool any = false;
        made->n_births = 0;
        for (size_t s = 0; s < plan->n_states && making->why == NULL; s++) {
            const struct pk_plan_state *state = &plan->states[s];
            if (state->absorbing)
                continue;
            made->values[s] = PK_NEVER;
            if (k >= state->n_timers)
                continue;
            made->values[s] = state->timers[k].value;
            put_births(making, made, &state->timers[k]);
            made->clocks[s] = pk_making_clock(making, state->timers[k].clock);
            pk_making_share_clock(making, made->clocks[s], &any, &made->clock);
            tables->ways[made->i_way + s] = pk_making_way(making, state->timers[k].arcs[0]);
            if (state->timers[k].n_arcs > 1) {
                tables->ways[made->i_way + s] |= PK_LANE_SPLIT;
                tables->any_split = true;
            }
        }
        for (size_t b = 0; b < made->n_births && making->why == NULL; b++) {
            made->later[b] = pk_making_doubles(making, plan->n_states);
            for (size_t s = 0; s < plan->n_states && making->why == NULL; s++)
                made->later[b][s] = k < plan->states[s].n_timers && plan->states[s].timers[k].n_births > 0
                                        ? plan->states[s].timers[k].later[b]
                                        : made->values[s];
        }
    }
}

void pk_making_excess(struct pk_making *making)
{
    struct pk_lane_tables *tables = making->tables;
    const struct pk_plan *plan = making->plan;
    for (size_t s = 0; s < plan->n_states; s++)
        tables->n_excess = plan->states[s].n_excess > tables->n_excess ? plan->states[s].n_excess : tables->n_excess;
    if (tables->n_excess > PK_LANES_MAX_EXCESS)
        making->why = "many excess hazards in one state";
    tables->excess_purposes = pk_making_words(making, plan->n_excess);
    for (size_t k = 0; k < tables->n_excess && making->why == NULL; k++) {
        struct pk_lane_excess *made = &tables->excess[k];
        made->i_way = tables->n_ways;
        tables->n_ways += plan->n_states;
        made->columns = pk_making_words(making, plan->n_states);
        made->commons = pk_making_words(making, plan->n_states);
        made->single = pk_making_words(making, plan->n_states);
        made->factors = pk_making_doubles(making, plan->n_states * plan->n_strata);
        for (size_t s = 0; s < plan->n_states && making->why == NULL; s++) {
            const struct pk_plan_state *state = &plan->states[s];
            made->columns[s] = made->single[s] = UINT64_MAX;
            if (k >= state->n_excess)
                continue;
            const uint16_t i_arc = state->excess_arcs[k];
            const struct pk_plan_arc *arc = &plan->arcs[i_arc];
            tables->ways[made->i_way + s] = pk_making_way(making, i_arc);
            if (tables->common_single[arc->i_person_hazard]) {
                made->single[s] = i_arc;
                made->any_single = true;
            } else {
                made->columns[s] = arc->i_excess * PK_LANES;
                made->any = true;
            }
            tables->excess_purposes[arc->i_excess] = i_arc | (uint64_t)PK_ROLE_LAYER << 24;
            made->commons[s] = arc->i_person_hazard;
            for (size_t z = 0; z < plan->n_strata; z++)
                made->factors[s * plan->n_strata + z] =
                    plan->person_hazards[arc->i_person_hazard].multipliers[z] * arc->excess;
        }
    }
}
