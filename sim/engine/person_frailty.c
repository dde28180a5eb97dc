/* How a person differs from others alike: frailties and cures. See person.h.
 *
 * Whoever is in a spell already at entry has survived it so far. A frailty that is gamma (shape k, mean 1) at the
 * beginning of spells is then gamma(k) / (k + H), H the cumulative hazard survived (Vaupel, Manton and Stallard 1979,
 * Demography 16, 439-454); of those cured at the beginning, the share among survivors is p / (p + (1 - p) exp(-H)). */
#include <math.h>

#include "person_private.h"
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

/* Sums over the arcs from the person's state by frailty and by cure. */
static void add_up(const struct pk_plan *plan, const struct pk_person *person, double *by_frailty, double *by_cure)
{
    for (size_t a = 0; a < plan->n_arcs; a++) {
        const struct pk_plan_arc *arc = &plan->arcs[a];
        if (arc->i_from != person->state || (arc->i_frailty == SIZE_MAX && arc->i_cure == SIZE_MAX) ||
            arc->deterministic || arc->hazardless)
            continue;
        double sum =
            pk_plan_survived(plan, a, person->stratum, person->entry, person->age + person->entry, person->elapsed);
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
        if (cure->per_spell || cure->share == 0)
            continue;
        double share = pk_plan_cured_share(cure, by_cure[c]);
        person->cured |= (uint64_t)(uniform(plan, person, PK_ROLE_CURE, c) < share) << c;
    }
}
