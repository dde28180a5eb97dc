/* Base hazards of a state on several clocks, with parametric forms, frailty and cure. See life_private.h. */
#include <string.h>

#include "life_private.h"

double pk_walk_personal_factor(const struct walk *walk, size_t i_frailty, size_t i_cure)
{
    double factor = i_frailty == SIZE_MAX ? 1 : walk->person->frailties[i_frailty];
    if (i_cure != SIZE_MAX && (walk->person->cured >> i_cure & 1))
        factor = 0;
    return factor;
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

/* The share that is cured of those who have not left by now, in a spell that has lasted for some time already. */
static double cured_by_now(const struct walk *walk, size_t i_cure)
{
    const struct pk_plan *plan = walk->plan;
    const double lasted = walk->entry - walk->state_zero, age = walk->person->age + walk->entry;
    double survived = 0;
    for (size_t a = 0; a < plan->n_arcs && lasted > 0; a++)
        if (plan->arcs[a].i_cure == i_cure && plan->arcs[a].i_from == walk->i_state)
            survived += pk_plan_survived(plan, a, walk->person->stratum, walk->entry, age, lasted);
    return pk_plan_cured_share(&plan->cures[i_cure], survived);
}

void pk_walk_begin_spell(struct walk *walk, uint32_t i_stay)
{
    const struct pk_plan *plan = walk->plan;
    for (size_t a = 0; a < plan->n_arcs; a++) {
        const struct pk_plan_arc *arc = &plan->arcs[a];
        if (arc->i_from != walk->i_state || arc->i_cure == SIZE_MAX || !plan->cures[arc->i_cure].per_spell)
            continue;
        double u = pk_walk_draw(walk, (uint32_t)arc->i_cure, PK_ROLE_CURE, i_stay, (uint32_t)walk->i_state).first;
        const uint64_t bit = UINT64_C(1) << arc->i_cure;
        walk->own[a] = plan->multipliers[walk->person->stratum * plan->n_arcs + a] *
                       pk_walk_personal_factor(walk, arc->i_frailty, SIZE_MAX);
        walk->spell_cured &= ~bit;
        if (u < cured_by_now(walk, arc->i_cure)) {
            walk->own[a] = 0;
            walk->spell_cured |= bit;
        }
    }
}

enum pk_status pk_walk_general_candidate(struct walk *walk, const struct active *active, size_t n_active,
                                         struct candidate *best, struct pk_error *error)
{
    const struct pk_plan_state *state = &walk->plan->states[walk->i_state];
    size_t segments[PK_MAX_AXES];
    double zeros[PK_MAX_AXES], nexts[PK_MAX_AXES], x = walk->entry;
    const double *levels_of[PK_MAX_AXES];
    for (size_t a = 0; a < state->n_axes; a++) {
        const struct pk_axis *axis = &state->axes[a];
        zeros[a] = pk_walk_clock_zero(walk, axis->clock, 0);
        segments[a] = axis->n_cuts == 0 ? 0 : pk_rate_segment(axis->cuts, axis->n_cuts, x - zeros[a]);
        nexts[a] = segments[a] < axis->n_cuts ? zeros[a] + axis->cuts[segments[a]] : PK_NEVER;
        levels_of[a] =
            axis->levels + (axis->by_stratum ? walk->person->stratum * (axis->n_cuts + 1) * axis->n_arcs : 0);
    }
    const uint32_t stream = state->stream;
    if (walk->spells[stream] > UINT16_MAX)
        return pk_walk_too_many(walk, "spells", error);
    PK_WALK_TAKE_UP(walk, stream)
    for (;; i_candidate++, drawn = false) {
        if (!drawn) {
            struct pk_rng_pair uniforms = pk_walk_draw(walk, stream, PK_ROLE_EVENT, i_used, i_candidate);
            left = pk_walk_exponential(uniforms.first);
            mark = uniforms.second;
        }
        double hazards[PK_MAX_ARCS_FROM], total, end;
        uint16_t arcs[PK_MAX_ARCS_FROM];
        size_t n;
        for (;;) { /* segments */
            total = 0;
            n = 0;
            end = best->time;
            for (size_t a = 0; a < state->n_axes; a++) {
                const struct pk_axis *axis = &state->axes[a];
                const double *levels = levels_of[a] + segments[a] * axis->n_arcs;
                for (size_t k = 0; k < axis->n_arcs; k++, n++) {
                    arcs[n] = axis->arcs[k];
                    hazards[n] = levels[k] * walk->multipliers[arcs[n]];
                    total += hazards[n];
                }
                end = nexts[a] < end ? nexts[a] : end;
            }
            if (state->n_smooth > 0) {
                double d = pk_walk_smooth_root(walk, state, total, x, end - x, &left);
                if (d < PK_NEVER) {
                    x += d;
                    break;
                }
            } else {
                double available = (end - x) * total;
                if (left < available) {
                    x += left / total;
                    break;
                }
                left -= available;
            }
            x = end;
            if (x >= best->time) {
                pk_walk_cut_short(walk, stream, left, mark, i_candidate);
                return PK_OK;
            }
            for (size_t a = 0; a < state->n_axes; a++) {
                if (nexts[a] > x)
                    continue;
                const struct pk_axis *axis = &state->axes[a];
                segments[a]++;
                nexts[a] = segments[a] < axis->n_cuts ? zeros[a] + axis->cuts[segments[a]] : PK_NEVER;
            }
        }
        for (size_t i = 0; i < state->n_smooth; i++, n++) {
            arcs[n] = state->smooth[i];
            hazards[n] = pk_walk_hazard_now(walk, pk_walk_rate(walk, arcs[n]), walk->multipliers[arcs[n]], 0, x);
            total += hazards[n];
        }
        double place = mark * total;
        size_t i_chosen = 0;
        for (double below = hazards[0]; i_chosen + 1 < n && place >= below;)
            below += hazards[++i_chosen];
        while (i_chosen > 0 && hazards[i_chosen] <= 0) /* rounding at the upper end */
            i_chosen--;
        uint16_t arc = arcs[i_chosen];
        if (n_active == 0 || pk_walk_judge(walk, i_used, i_candidate, active, n_active, &arc, x, best) == PK_KEPT) {
            walk->spells[stream]++;
            *best = (struct candidate){.time = x, .arc = arc};
            return PK_OK;
        }
        if (i_candidate == UINT16_MAX)
            return pk_walk_too_many(walk, "candidates", error);
    }
}
