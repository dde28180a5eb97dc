/* One spell's base hazards on several clocks, with parametric forms and multipliers of one's own: the arithmetic that
 * the scalar reference (life_general.c) and the lanes (lanes_spells.c) share, so that their bits are the same.
 *
 * Knows nothing of draws, arms, counters of spells or what is left of an exponential for the next. Not installed. */
#ifndef PK_LIFE_SPELL_H
#define PK_LIFE_SPELL_H

#include "polku/plan.h"

/* The first five are the caller's; the others pk_spell_begin's and whoever spends. Times are months after the start. */
struct pk_spell {
    const struct pk_plan *plan;
    const struct pk_plan_state *state;
    const double *multipliers; /* [n_arcs] of which the state's arcs are read */
    double age, state_zero;    /* at the start; where the clock time_in_state was 0 */
    uint32_t stratum;
    double x; /* spent up to here; the caller's entry at the beginning */
    size_t segments[PK_MAX_AXES];
    double zeros[PK_MAX_AXES], nexts[PK_MAX_AXES];
    const double *levels[PK_MAX_AXES];
    size_t n; /* hazards at x, those on axes first, then the parametric ones */
    double hazards[PK_MAX_ARCS_FROM], total;
};

/* Where the clocks stand at x. */
void pk_spell_begin(struct pk_spell *spell);
/* Spends an exponential from x to `until`. True: it is used up at x, and the hazards of all arcs there are known; else
 * x is `until`, and *left what is left. */
bool pk_spell_spend(struct pk_spell *spell, double until, double *left);
/* Which of the hazards a mark (uniform) chooses: a place among them, and the arc that stands there. */
size_t pk_spell_choose(const struct pk_spell *spell, double mark);
uint16_t pk_spell_arc(const struct pk_plan_state *state, size_t place);

/* Spends an exponential on factor x rate alone from `from` to `until`, where zero is the time at which the rate's clock
 * reads 0; returns when it is used up, or infinity with what is left of it. */
double pk_spell_spend_alone(const struct pk_rate *rate, double zero, double factor, double from, double until,
                            double *left);

/* The factor of a person with this frailty (1: none) and these cures on a hazard with this cure (SIZE_MAX: none). */
static inline double pk_spell_factor(double frailty, uint64_t cured, size_t i_cure)
{
    return i_cure != SIZE_MAX && (cured >> i_cure & 1) ? 0 : frailty;
}
/* The share that is cured of those who have not left by now, in a spell that has lasted for some time at entry. */
double pk_spell_cured_share(const struct pk_spell *spell, size_t i_state, size_t i_cure, double entry);

#endif
