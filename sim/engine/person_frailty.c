/* How a person differs from others alike: frailties and cures. See person.h.
 *
 * Whoever is in a spell already at entry has survived it so far. A frailty that is gamma (shape k, mean 1) at the
 * beginning of spells is then gamma(k) / (k + H), H the cumulative hazard survived (Vaupel, Manton and Stallard 1979,
 * Demography 16, 439-454); of those cured at the beginning, the share among survivors is p / (p + (1 - p) exp(-H)). */
#include <math.h>

#include "person_private.h"
#include "polku/elementary.h"
#include "polku/rng.h"
#include "polku/special.h"

static double uniform(const struct pk_plan *plan, const struct pk_person *person, uint8_t role, size_t stream)
{
    struct pk_rng_key key = {.seed = plan->seed,
                             .person = person->id,
                             .replication = person->replication,
                             .stream = (uint32_t)stream,
                             .role = role};
    return pk_rng_uniforms(&key).first;
}

/* The integral of a rate over the spell before entry. */
static double survived(const struct pk_rate *rate, const struct pk_person *person)
{
    double to = rate->clock == PK_CLOCK_STATE ? person->elapsed
                : rate->clock == PK_CLOCK_AGE ? person->age + person->entry
                                              : person->entry;
    double from = to - person->elapsed;
    return pk_rate_between(rate, rate->clock == PK_CLOCK_AGE && from < 0 ? 0 : from, to);
}

/* The cumulative hazard of an arc (without frailty) that the person has survived in the spell before entry. */
static double survived_on(const struct pk_plan *plan, const struct pk_plan_arc *arc, size_t i_arc,
                          const struct pk_person *person)
{
    if (arc->i_person_hazard != SIZE_MAX) {
        const struct pk_person_hazard *hazard = &plan->person_hazards[arc->i_person_hazard];
        return hazard->multipliers[person->stratum] * (1 + arc->excess) *
               survived(pk_plan_person_rate(hazard, person->stratum), person);
    }
    if (arc->n_rates == 0)
        return 0;
    return plan->multipliers[person->stratum * plan->n_arcs + i_arc] *
           survived(pk_plan_arc_rate(arc, person->stratum), person);
}

/* Sums over the arcs from the person's state by frailty and by cure. */
static void add_up(const struct pk_plan *plan, const struct pk_person *person, double *by_frailty, double *by_cure)
{
    for (size_t a = 0; a < plan->n_arcs; a++) {
        const struct pk_plan_arc *arc = &plan->arcs[a];
        if (arc->i_from != person->state || (arc->i_frailty == SIZE_MAX && arc->i_cure == SIZE_MAX) ||
            arc->deterministic || arc->diverted)
            continue;
        double sum = survived_on(plan, arc, a, person);
        if (arc->i_frailty != SIZE_MAX)
            by_frailty[arc->i_frailty] += sum;
        if (arc->i_cure != SIZE_MAX)
            by_cure[arc->i_cure] += sum;
    }
}

void pk_person_differ(const struct pk_plan *plan, struct pk_person *person)
{
    double by_frailty[PK_MAX_FRAILTIES] = {0}, by_cure[PK_MAX_CURES] = {0};
    if (person->elapsed > 0)
        add_up(plan, person, by_frailty, by_cure);
    for (size_t f = 0; f < plan->n_frailties; f++) {
        const struct pk_plan_frailty *frailty = &plan->frailties[f];
        person->frailties[f] = 1;
        if (isinf(frailty->shape))
            continue;
        double drawn = pk_special_gamma_quantile(frailty->shape, uniform(plan, person, PK_ROLE_FRAILTY, f));
        person->frailties[f] = drawn / (frailty->shape + (frailty->unconditional ? 0 : by_frailty[f]));
    }
    for (size_t c = 0; c < plan->n_cures; c++) {
        const struct pk_plan_cure *cure = &plan->cures[c];
        double share = cure->share;
        if (cure->per_spell || share == 0)
            continue;
        if (!cure->unconditional && by_cure[c] > 0)
            share = share / (share + (1 - share) * pk_exp(-by_cure[c]));
        person->cured |= (uint64_t)(uniform(plan, person, PK_ROLE_CURE, c) < share) << c;
    }
}
