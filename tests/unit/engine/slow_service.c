/* What services do to a slow life. See slow_life.h. */
#include "slow_private.h"

#include <criterion/criterion.h>

/* A service's effect on one arc, in a person's time. */
struct force {
    const struct pk_plan_effect *effect;
    long double enrolled, until; /* the window */
};

/* The effect i of the treatment's services that works on the arc; false: there are no more. */
static bool find_force(const struct slow_walk *w, size_t arc, size_t i, struct force *force)
{
    for (size_t k = 0; w->treatment != NULL && k < w->treatment->n; k++) {
        const struct pk_plan_service *service = &w->plan->services[w->treatment->items[k].i_service];
        long double enrolled = w->treatment->items[k].from;
        for (size_t e = 0; e < service->n_effects; e++) {
            if (service->effects[e].arc != arc || w->over[k][e] || i-- > 0)
                continue;
            *force = (struct force){&service->effects[e], enrolled, enrolled + service->window};
            return true;
        }
    }
    return false;
}

static struct slow_term own_term(const struct slow_walk *w, const struct force *force)
{
    const struct pk_rate *rate = pk_plan_effect_rate(force->effect, w->person->stratum);
    return (struct slow_term){.rate = rate, .zero = slow_zero(w, rate->clock, force->enrolled), .factor = 1};
}

static long double exponential(const struct slow_walk *w, size_t arc, enum pk_rng_role role, unsigned spell)
{
    return -logl(slow_draw(w, arc, role, spell, 0).first);
}

/* Candidates of the own hazard, kept where it exceeds the base. */
static long double thinned(const struct slow_walk *w, size_t arc, const struct slow_term *own,
                           const struct slow_term *base, long double from, long double until)
{
    for (unsigned k = 0;; k++) {
        struct pk_rng_pair u = slow_draw(w, arc, PK_ROLE_LAYER, w->stay, k);
        long double left = -logl(u.first), t = slow_spend(own, 1, &left, from, until);
        if (isinf(t) || u.second * slow_term_at(own, t) >= slow_term_at(base, t))
            return t;
        cr_assert(k < UINT16_MAX);
        from = t;
    }
}

/* The part of the arm's hazard above the base. */
static long double layer(const struct slow_walk *w, size_t arc, const struct force *force, long double until)
{
    const struct pk_plan_effect *effect = force->effect;
    const long double from = fmaxl(w->entry, force->enrolled);
    struct slow_term base = slow_base_term(w, arc);
    until = fminl(until, force->until);
    if (effect->mode == PK_EFFECT_PREVENT || !(from < until) || slow_is_cured(w, arc))
        return INFINITY;
    if (effect->mode == PK_EFFECT_SCALE) {
        long double left = exponential(w, arc, PK_ROLE_LAYER, w->stay);
        base.factor *= fmaxl(effect->ratio - 1.0L, 0);
        return slow_spend(&base, 1, &left, from, until);
    }
    struct slow_term own = own_term(w, force);
    if (own.rate->smooth || base.rate->smooth)
        return thinned(w, arc, &own, &base, from, until);
    long double left = exponential(w, arc, PK_ROLE_LAYER, w->stay);
    return slow_spend_excess(&own, &base, &left, from, until);
}

void slow_layers(const struct slow_walk *w, struct slow_end *end)
{
    struct force force;
    for (size_t a = 0; a < w->plan->n_arcs; a++)
        for (size_t i = 0; w->plan->arcs[a].i_from == w->state && find_force(w, a, i, &force); i++)
            slow_consider(end, (struct slow_end){.time = layer(w, a, &force, end->time), .arc = (uint16_t)a});
}

/* ---- preventions ------------------------------------------------------------------------------------------------- */

/* The arc of the transition from the present state, to the same destination if there is one; UINT16_MAX: it does not
 * leave the state. */
static uint16_t arc_from_here(const struct slow_walk *w, uint16_t blocked)
{
    const struct pk_plan_arc *arcs = w->plan->arcs;
    uint16_t found = UINT16_MAX;
    for (size_t a = 0; a < w->plan->n_arcs; a++) {
        if (arcs[a].diverted || arcs[a].i_from != w->state || arcs[a].i_transition != arcs[blocked].i_transition)
            continue;
        if (arcs[a].i_to == arcs[blocked].i_to)
            return (uint16_t)a;
        if (found == UINT16_MAX)
            found = (uint16_t)a;
    }
    return found;
}

static void consider_relapse(struct slow_walk *w, size_t i_prevention, struct slow_end *end)
{
    struct slow_guard *guard = &w->guards[i_prevention];
    uint16_t arc = guard->relapsing ? arc_from_here(w, guard->arc) : UINT16_MAX;
    if (arc != UINT16_MAX)
        slow_consider(end, (struct slow_end){.time = fmaxl(guard->since, w->entry) +
                                                     guard->left / w->plan->preventions[i_prevention].relapse,
                                             .arc = arc,
                                             .relapse = guard});
}

void slow_relapses(struct slow_walk *w, struct slow_end *end)
{
    for (size_t p = 0; p < w->plan->n_preventions; p++)
        consider_relapse(w, p, end);
}

void slow_spend_relapses(struct slow_walk *w, long double until)
{
    for (size_t p = 0; p < w->plan->n_preventions; p++) {
        struct slow_guard *guard = &w->guards[p];
        if (guard->relapsing && arc_from_here(w, guard->arc) != UINT16_MAX)
            guard->left -= w->plan->preventions[p].relapse * fmaxl(until - fmaxl(guard->since, w->entry), 0);
    }
}

static void record_blocked(struct slow_walk *w, uint16_t arc, size_t i_prevention, long double x)
{
    struct pk_life *life = w->life;
    int64_t tick = (int64_t)rintl(x * TICKS);
    cr_assert(life->n_blocked < PK_LIFE_MAX_BLOCKED);
    life->blocked[life->n_blocked].tick = tick > life->start_tick ? tick : life->start_tick + 1;
    life->blocked[life->n_blocked].arc = arc;
    life->blocked[life->n_blocked++].i_prevention = (uint16_t)i_prevention;
}

/* Whether the event comes although there is a prevention, and by which arc. */
static bool is_let_through(struct slow_walk *w, const struct slow_base *base, const struct pk_plan_effect *effect,
                           uint16_t *arc, long double x, struct slow_end *end)
{
    const size_t i_prevention = effect->i_prevention;
    const struct pk_plan_prevention *prevention = &w->plan->preventions[i_prevention];
    struct slow_guard *guard = &w->guards[i_prevention];
    if (guard->immune && x < guard->immune_until)
        return false;
    if (slow_draw(w, *arc, PK_ROLE_PREVENTION, base->kept, base->rejected).first >= prevention->share)
        return true;
    record_blocked(w, *arc, i_prevention, x);
    if (prevention->again != PK_AGAIN_AT_RISK) {
        guard->immune = true;
        guard->immune_until = prevention->again == PK_AGAIN_IMMUNE ? INFINITY : x + prevention->again_months;
    }
    if (prevention->relapse > 0 && !guard->relapsing) {
        guard->relapsing = true;
        guard->arc = *arc;
        guard->left = exponential(w, *arc, PK_ROLE_RELAPSE, guard->n_blocked);
        guard->since = x;
    }
    guard->n_blocked++;
    if (effect->i_diverted == UINT16_MAX) {
        consider_relapse(w, i_prevention, end);
        return false;
    }
    *arc = effect->i_diverted;
    return true;
}

bool slow_is_kept(struct slow_walk *w, const struct slow_base *base, uint16_t *arc, long double x, struct slow_end *end)
{
    struct force force;
    const uint16_t of_base = *arc;
    for (size_t i = 0; find_force(w, of_base, i, &force); i++) {
        const struct pk_plan_effect *effect = force.effect;
        if (x < force.enrolled || x >= force.until)
            continue;
        if (effect->mode == PK_EFFECT_PREVENT)
            return is_let_through(w, base, effect, arc, x, end);
        long double kept = effect->ratio;
        if (effect->mode != PK_EFFECT_SCALE) {
            struct slow_term own = own_term(w, &force), without = slow_base_term(w, of_base);
            kept = effect->mode == PK_EFFECT_AT_LEAST ? 1 : slow_term_at(&own, x) / slow_term_at(&without, x);
        }
        return kept >= 1 || slow_draw(w, of_base, PK_ROLE_ACCEPTANCE, base->kept, base->rejected).first < kept;
    }
    return true;
}

void slow_end_effects(struct slow_walk *w)
{
    for (size_t i = 0; w->treatment != NULL && i < w->treatment->n; i++) {
        const struct pk_plan_service *service = &w->plan->services[w->treatment->items[i].i_service];
        for (size_t k = 0; k < service->n_effects; k++)
            if (service->first_job_only && w->entry > w->treatment->items[i].from &&
                w->plan->arcs[service->effects[k].arc].i_to == w->state)
                w->over[i][k] = true;
    }
}
