/* Base hazards of a state on several clocks, with parametric forms, frailty and cure: their draws, and what an arm
 * keeps of them; the arithmetic is life_spell.h's. See life_private.h. */
#include "life_private.h"

double pk_walk_personal_factor(const struct walk *walk, size_t i_frailty, size_t i_cure)
{
    return pk_spell_factor(i_frailty == SIZE_MAX ? 1 : walk->person->frailties[i_frailty], walk->person->cured, i_cure);
}

void pk_walk_become_personal(struct walk *walk)
{
    const struct pk_plan *plan = walk->plan;
    const double *of_stratum = plan->multipliers + walk->person->stratum * plan->n_arcs;
    for (size_t a = 0; a < plan->n_arcs; a++)
        walk->own[a] = of_stratum[a] * pk_walk_personal_factor(walk, plan->arcs[a].i_frailty, plan->arcs[a].i_cure);
    walk->multipliers = walk->own;
    walk->spell_cured = 0;
    walk->personal = true;
}

static struct pk_spell spell_of(const struct walk *walk)
{
    return (struct pk_spell){.plan = walk->plan,
                             .state = &walk->plan->states[walk->i_state],
                             .multipliers = walk->multipliers,
                             .age = walk->person->age,
                             .state_zero = walk->state_zero,
                             .stratum = walk->person->stratum,
                             .x = walk->entry};
}

void pk_walk_begin_spell(struct walk *walk, uint32_t i_stay)
{
    const struct pk_plan *plan = walk->plan;
    const struct pk_spell spell = spell_of(walk);
    for (size_t a = 0; a < plan->n_arcs; a++) {
        const struct pk_plan_arc *arc = &plan->arcs[a];
        if (arc->i_from != walk->i_state || arc->i_cure == SIZE_MAX || !plan->cures[arc->i_cure].per_spell)
            continue;
        double u = pk_walk_draw(walk, (uint32_t)arc->i_cure, PK_ROLE_CURE, i_stay, (uint32_t)walk->i_state).first;
        const uint64_t bit = UINT64_C(1) << arc->i_cure;
        walk->own[a] = plan->multipliers[walk->person->stratum * plan->n_arcs + a] *
                       pk_walk_personal_factor(walk, arc->i_frailty, SIZE_MAX);
        walk->spell_cured &= ~bit;
        if (u < pk_spell_cured_share(&spell, walk->i_state, arc->i_cure, walk->entry)) {
            walk->own[a] = 0;
            walk->spell_cured |= bit;
        }
    }
}

enum pk_status pk_walk_general_candidate(struct walk *walk, const struct active *active, size_t n_active,
                                         struct candidate *best, struct pk_error *error)
{
    struct pk_spell spell = spell_of(walk);
    const uint32_t stream = spell.state->stream;
    pk_spell_begin(&spell);
    if (walk->spells[stream] > UINT16_MAX)
        return pk_walk_too_many(walk, "spells", error);
    PK_WALK_TAKE_UP(walk, stream)
    for (;; i_candidate++, drawn = false) {
        if (!drawn) {
            struct pk_rng_pair uniforms = pk_walk_draw(walk, stream, PK_ROLE_EVENT, i_used, i_candidate);
            left = pk_walk_exponential(uniforms.first);
            mark = uniforms.second;
        }
        if (!pk_spell_spend(&spell, best->time, &left)) {
            pk_walk_cut_short(walk, stream, left, mark, i_candidate);
            return PK_OK;
        }
        const double x = spell.x;
        uint16_t arc = pk_spell_arc(spell.state, pk_spell_choose(&spell, mark));
        if ((n_active == 0 && walk->loses <= 0) ||
            pk_walk_judge(walk, i_used, i_candidate, active, n_active, &arc, x, best) == PK_KEPT) {
            walk->spells[stream]++;
            *best = (struct candidate){.time = x, .arc = arc};
            return PK_OK;
        }
        if (i_candidate == UINT16_MAX)
            return pk_walk_too_many(walk, "candidates", error);
    }
}
