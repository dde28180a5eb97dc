/* What lanes do one after another: parametric hazards, frailties, cures, fixed times with several destinations. The
 * arithmetic is the scalar reference's own (life_spell.h); the draws of a round are the loops'. See lanes_single.h. */
#include "lanes_single.h"

#include "life_spell.h"
#include "polku/rng_core.h"

static double uniform(const struct pk_lane_tables *tables, const struct pk_persons *persons, size_t slot,
                      uint32_t stream, enum pk_rng_role role, uint32_t spell, uint32_t candidate)
{
    const struct pk_rng_person person =
        pk_rng_core_person(tables->plan->seed, persons->ids[slot], persons->replication);
    return pk_rng_core_uniforms(person, stream, (uint32_t)role, spell, candidate).first;
}

/* A person's factor on a hazard with this frailty and cure. */
static double factor_of(const struct pk_persons *persons, size_t slot, size_t i_frailty, size_t i_cure)
{
    return pk_spell_factor(i_frailty == SIZE_MAX ? 1 : persons->frailties[i_frailty][slot],
                           persons->cured != NULL ? persons->cured[slot] : 0, i_cure);
}

/* ---- hazards common to all states --------------------------------------------------------------------------------
 */

/* pk_spell_spend_alone on a common hazard times a ratio. */
static double spend_common(const struct pk_lane_tables *tables, size_t k, double ratio,
                           const struct pk_persons *persons, size_t slot, double from, double until, double *left)
{
    const struct pk_plan *plan = tables->plan;
    const struct pk_person_hazard *hazard = &plan->person_hazards[k];
    const uint32_t stratum = (uint32_t)persons->strata[slot];
    const struct pk_rate *rate = pk_plan_person_rate(hazard, stratum);
    double factor = hazard->multipliers[stratum] * ratio;
    if (plan->n_frailties + plan->n_cures > 0)
        factor *= factor_of(persons, slot, hazard->i_frailty, hazard->i_cure);
    return pk_spell_spend_alone(rate, rate->clock == PK_CLOCK_AGE ? -persons->ages[slot] : 0, factor, from, until,
                                left);
}

void pk_lanes_common_single(const struct pk_lane_tables *tables, size_t k, const struct pk_persons *persons,
                            double *times)
{
    for (size_t i = 0; i < persons->n; i++)
        times[i] = spend_common(tables, k, 1, persons, i, persons->entries[i], tables->until, &times[i]);
}

void pk_lanes_excess_single(struct pk_lanes *lanes, const struct pk_lane_excess *of, size_t i_state)
{
    const struct pk_plan *plan = lanes->tables->plan;
    const uint64_t *states = words_of(lanes, PK_LANE_STATE), *slots = words_of(lanes, PK_LANE_SLOT);
    const double *entries = doubles_of(lanes, PK_LANE_ENTRY);
    const struct pk_plan_arc *arc = &plan->arcs[of->single[i_state]];
    for (size_t i = 0; i < lanes->n; i++) {
        if (states[i] != i_state)
            continue;
        double *left = doubles_of(lanes, lanes->tables->i_excess + arc->i_excess) + i;
        const double time = spend_common(lanes->tables, arc->i_person_hazard, arc->excess, lanes->persons, slots[i],
                                         entries[i], lanes->time[i], left);
        if (time < lanes->time[i]) {
            lanes->time[i] = time;
            lanes->way[i] = of->i_way + i_state;
        }
    }
}

/* ---- base hazards --------------------------------------------------------------------------------------------------
 */

void pk_lanes_count_stays(struct pk_lanes *lanes)
{
    const struct pk_lane_tables *tables = lanes->tables;
    const uint64_t *states = words_of(lanes, PK_LANE_STATE);
    for (size_t i = 0; i < lanes->n; i++) {
        const uint64_t place = tables->stay_places[states[i]];
        if (place == UINT64_MAX)
            continue;
        uint64_t *counters = words_of(lanes, tables->i_stays + place / PK_LANES_COUNTERS) + i;
        const unsigned shift = (unsigned)(place % PK_LANES_COUNTERS) * PK_LANES_COUNTER_BITS;
        lanes->stay[i] = *counters >> shift & ((1u << PK_LANES_COUNTER_BITS) - 1);
        *counters += UINT64_C(1) << shift;
    }
}

/* A spell of a lane's person at its entry into a state. */
static struct pk_spell spell_of(const struct pk_lanes *lanes, size_t i, size_t i_state)
{
    const struct pk_lane_tables *tables = lanes->tables;
    const struct pk_plan *plan = tables->plan;
    const size_t slot = (size_t)words_of(lanes, PK_LANE_SLOT)[i];
    const uint32_t stratum = (uint32_t)lanes->persons->strata[slot];
    return (struct pk_spell){.plan = plan,
                             .state = &plan->states[i_state],
                             .multipliers = plan->multipliers + stratum * plan->n_arcs,
                             .age = lanes->persons->ages[slot],
                             .state_zero =
                                 doubles_of(lanes, tables->uses_elapsed ? tables->i_zero : (size_t)PK_LANE_ENTRY)[i],
                             .stratum = stratum,
                             .x = doubles_of(lanes, PK_LANE_ENTRY)[i]};
}

bool pk_lanes_cured_now(const struct pk_lanes *lanes, size_t i, size_t i_arc)
{
    const struct pk_plan_arc *arc = &lanes->tables->plan->arcs[i_arc];
    const struct pk_spell spell = spell_of(lanes, i, arc->i_from);
    const double u = uniform(lanes->tables, lanes->persons, (size_t)words_of(lanes, PK_LANE_SLOT)[i],
                             (uint32_t)arc->i_cure, PK_ROLE_CURE, (uint32_t)lanes->stay[i], (uint32_t)arc->i_from);
    return u < pk_spell_cured_share(&spell, arc->i_from, arc->i_cure, spell.x);
}

/* The multiplier of an arc in one spell: pk_walk_become_personal and pk_walk_begin_spell. */
static double multiplier_of(const struct pk_lanes *lanes, size_t i, const struct pk_spell *spell, size_t slot,
                            size_t i_arc)
{
    const struct pk_plan *plan = spell->plan;
    const struct pk_plan_arc *arc = &plan->arcs[i_arc];
    const double own = plan->multipliers[spell->stratum * plan->n_arcs + i_arc] *
                       factor_of(lanes->persons, slot, arc->i_frailty, arc->i_cure);
    const bool by_spell = arc->i_cure != SIZE_MAX && plan->cures[arc->i_cure].per_spell;
    return by_spell && pk_lanes_cured_now(lanes, i, i_arc) ? 0 : own;
}

static void become_personal(const struct pk_lanes *lanes, size_t i, const struct pk_spell *spell, size_t slot,
                            double *own)
{
    const struct pk_plan_state *state = spell->state;
    for (size_t a = 0; a < state->n_axes; a++)
        for (size_t k = 0; k < state->axes[a].n_arcs; k++)
            own[state->axes[a].arcs[k]] = multiplier_of(lanes, i, spell, slot, state->axes[a].arcs[k]);
    for (size_t k = 0; k < state->n_smooth; k++)
        own[state->smooth[k]] = multiplier_of(lanes, i, spell, slot, state->smooth[k]);
}

/* The base hazards of one lane: pk_walk_general_candidate of somebody untreated, who needs no second candidate. */
static void spend_base(struct pk_lanes *lanes, size_t i, size_t i_state)
{
    const struct pk_lane_tables *tables = lanes->tables;
    const size_t slot = (size_t)words_of(lanes, PK_LANE_SLOT)[i];
    const double until = lanes->time[i];
    double own[PK_MAX_ARCS], left = lanes->left[i];
    struct pk_spell spell = spell_of(lanes, i, i_state);
    if (spell.state->personal) {
        become_personal(lanes, i, &spell, slot, own);
        spell.multipliers = own;
    }
    pk_spell_begin(&spell);
    if (pk_spell_spend(&spell, until, &left)) {
        lanes->time[i] = spell.x;
        lanes->way[i] = tables->single_ways[i_state] + pk_spell_choose(&spell, lanes->mark[i]);
        words_of(lanes, tables->i_used + tables->words[i_state])[i] += UINT64_C(1) << tables->shifts[i_state];
    } else if (tables->carries && until < tables->until) {
        const size_t stream = tables->streams[i_state];
        doubles_of(lanes, tables->i_left + stream)[i] = left;
        doubles_of(lanes, tables->i_mark + stream)[i] = lanes->mark[i];
        words_of(lanes, tables->i_open)[i] |= UINT64_C(1) << stream;
    }
}

void pk_lanes_base_single(struct pk_lanes *lanes)
{
    const uint64_t *states = words_of(lanes, PK_LANE_STATE);
    for (size_t i = 0; i < lanes->n; i++)
        if (lanes->tables->single[states[i]])
            spend_base(lanes, i, (size_t)states[i]);
}

/* ---- fixed times with several destinations -------------------------------------------------------------------------
 */

void pk_lanes_split(struct pk_lanes *lanes)
{
    const struct pk_lane_tables *tables = lanes->tables;
    const struct pk_plan *plan = tables->plan;
    const uint64_t *states = words_of(lanes, PK_LANE_STATE), *slots = words_of(lanes, PK_LANE_SLOT);
    for (size_t i = 0; i < lanes->n; i++) {
        const uint64_t way = tables->ways[lanes->way[i]];
        if (!(way & PK_LANE_SPLIT))
            continue;
        const struct pk_timer *timer = plan->states[states[i]].timers;
        uint64_t chosen = tables->split_ways[states[i]];
        for (; timer->arcs[0] != PK_LANE_WAY_ARC(way); timer++)
            chosen += timer->n_arcs;
        const double u =
            uniform(tables, lanes->persons, slots[i], timer->arcs[0], PK_ROLE_SPLIT, (uint32_t)lanes->stay[i], 0);
        size_t k = 0;
        for (double below = plan->arcs[timer->arcs[0]].share; k + 1 < timer->n_arcs && u >= below;)
            below += plan->arcs[timer->arcs[++k]].share;
        lanes->way[i] = chosen + k;
    }
}
