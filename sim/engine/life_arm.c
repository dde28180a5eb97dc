/* What an arm changes in a life: layers above the base, base events dropped, blocked, or coming all the same.
 * See life_private.h. */
#include "life_private.h"

/* Appends the effects of an enrolment on arcs from the present state; those on the same arcs that began before end. */
static bool list_effects(const struct walk *walk, const struct pk_plan_service *service, uint64_t done, double from,
                         double to, struct active *active, size_t *n, bool *guards)
{
    const size_t n_before = *n;
    for (size_t k = 0; k < service->n_effects; k++) {
        const struct pk_plan_effect *effect = &service->effects[k];
        if (walk->plan->arcs[effect->arc].i_from != walk->i_state || (done >> k & 1))
            continue;
        for (size_t i = 0; i < n_before; i++)
            if (active[i].effect->arc == effect->arc && active[i].to > from)
                active[i].to = from;
        if (*n == PK_MAX_ACTIVE)
            return false;
        active[(*n)++] = (struct active){.effect = effect, .from = from, .to = to, .enrolled = from};
        *guards |= effect->mode == PK_EFFECT_PREVENT;
    }
    return true;
}

size_t pk_walk_list_active(const struct walk *walk, double until, struct active *active, bool *guards)
{
    const struct pk_plan *plan = walk->plan;
    const struct pk_treatment *treatment = walk->treatment;
    size_t n = 0;
    bool fits = true;
    for (uint64_t left = walk->enrolled; left != 0; left &= left - 1) { /* no two of them work on the same arc */
        const size_t s = (size_t)__builtin_ctzll(left);
        const struct enrolment *enrolment = &walk->enrolments[s];
        if (enrolment->to > walk->entry && (plan->services[s].works_in >> walk->i_state & 1))
            fits &= list_effects(walk, &plan->services[s], enrolment->done, enrolment->from, enrolment->to, active, &n,
                                 guards);
    }
    for (size_t i = walk->i_next; i < treatment->n && treatment->items[i].from < until; i++) {
        const double from = treatment->items[i].from;
        const struct pk_plan_service *service = &plan->services[treatment->items[i].i_service];
        if (!(service->works_in >> walk->i_state & 1))
            continue;
        uint32_t i_time = walk->enrolments[treatment->items[i].i_service].n;
        for (size_t k = walk->i_next; k < i && service->while_held; k++)
            i_time += treatment->items[k].i_service == treatment->items[i].i_service;
        fits &= list_effects(walk, service, 0, from, pk_walk_effects_end(walk, i, i_time), active, &n, guards);
    }
    return fits ? n : SIZE_MAX;
}

void pk_walk_placement(const struct walk *walk, struct candidate *best)
{
    const struct pk_treatment *treatment = walk->treatment;
    for (size_t i = walk->i_next; i < treatment->n && treatment->items[i].from < best->time; i++) {
        const uint16_t *enters = walk->plan->services[treatment->items[i].i_service].enters;
        const double from = treatment->items[i].from;
        if (enters != NULL && enters[walk->i_state] != UINT16_MAX)
            pk_walk_consider(best, from > walk->entry ? from + PK_WALK_AFTER : walk->entry, enters[walk->i_state],
                             NULL);
    }
}

static void draw_layer(struct walk *walk, struct active *active, uint32_t i_stay)
{
    if (active->drawn)
        return;
    const struct pk_rng_pair uniforms =
        pk_walk_draw(walk, active->effect->arc, PK_ROLE_LAYER, i_stay, active->i_candidate);
    active->left = pk_walk_exponential(uniforms.first);
    active->mark = uniforms.second;
    active->drawn = true;
}

/* Where a form is involved the difference has no inverse: candidates of the arm's own hazard, each kept with the share
 * of it that lies above the base. */
static double thinned_layer_time(struct walk *walk, struct active *active, uint32_t i_stay, double from, double until)
{
    const struct pk_plan_effect *effect = active->effect;
    const struct pk_rate *base = pk_walk_rate(walk, effect->arc),
                         *own = pk_plan_effect_rate(effect, walk->person->stratum);
    for (; active->i_candidate <= UINT16_MAX; active->i_candidate++, active->drawn = false) {
        draw_layer(walk, active, i_stay);
        from = pk_walk_spend(walk, &active->left, own, 1, active->enrolled, from, until);
        if (!(from < until))
            break;
        double with = pk_walk_hazard_now(walk, own, 1, active->enrolled, from);
        double without = pk_walk_hazard_now(walk, base, walk->multipliers[effect->arc], 0, from);
        if (active->mark * with >= without)
            return from;
    }
    return PK_NEVER;
}

double pk_walk_layer_time(struct walk *walk, struct active *all, size_t i, uint32_t i_stay, double until)
{
    struct active *active = &all[i];
    const struct pk_plan_effect *effect = active->effect;
    for (size_t k = i; k-- > 0;) /* what an earlier one has left: it has not fired, and its window is over */
        if (all[k].effect->arc == effect->arc && all[k].drawn) {
            active->drawn = true;
            active->i_candidate = all[k].i_candidate;
            active->left = all[k].left;
            active->mark = all[k].mark;
            break;
        }
    if (effect->mode == PK_EFFECT_PREVENT || (effect->mode == PK_EFFECT_SCALE && effect->ratio <= 1) ||
        pk_walk_is_cured(walk, effect->arc))
        return PK_NEVER;
    double from = active->from > walk->entry ? active->from : walk->entry;
    if (active->to < until)
        until = active->to;
    if (from >= until)
        return PK_NEVER;
    const struct pk_rate *base = pk_walk_rate(walk, effect->arc);
    const struct pk_rate *own =
        effect->mode == PK_EFFECT_SCALE ? NULL : pk_plan_effect_rate(effect, walk->person->stratum);
    if (own != NULL && (base->smooth || own->smooth))
        return thinned_layer_time(walk, active, i_stay, from, until);
    draw_layer(walk, active, i_stay);
    double multiplier = walk->multipliers[effect->arc];
    if (effect->mode == PK_EFFECT_SCALE)
        return pk_walk_spend(walk, &active->left, base, multiplier * (effect->ratio - 1), 0, from, until);
    return pk_walk_spend_above(walk, &active->left, own, base, multiplier, active->enrolled, from, until);
}

/* The arm's hazard over the base hazard for an active effect at time x, where that is below 1; else 1. */
static double kept_share(const struct walk *walk, const struct active *active, double x)
{
    const struct pk_plan_effect *effect = active->effect;
    if (effect->mode == PK_EFFECT_SCALE)
        return effect->ratio < 1 ? effect->ratio : 1;
    if (effect->mode == PK_EFFECT_AT_LEAST)
        return 1;
    double base = pk_walk_hazard_now(walk, pk_walk_rate(walk, effect->arc), walk->multipliers[effect->arc], 0, x);
    double with = pk_walk_hazard_now(walk, pk_plan_effect_rate(effect, walk->person->stratum), 1, active->enrolled, x);
    return with < base ? with / base : 1;
}

/* The arc of a relapsing event from the present state; UINT16_MAX: the transition does not leave it. */
static uint16_t relapse_arc(const struct walk *walk, const struct guarded *guarded)
{
    const struct pk_plan *plan = walk->plan;
    const struct pk_plan_arc *blocked = &plan->arcs[guarded->arc];
    uint16_t found = UINT16_MAX;
    if (blocked->i_from == walk->i_state)
        return guarded->arc;
    for (size_t a = 0; a < plan->n_arcs; a++) {
        const struct pk_plan_arc *arc = &plan->arcs[a];
        if (arc->hazardless || arc->i_transition != blocked->i_transition || arc->i_from != walk->i_state)
            continue;
        if (found == UINT16_MAX || arc->i_to == blocked->i_to)
            found = (uint16_t)a;
    }
    return found;
}

static void block(struct walk *walk, const struct pk_plan_effect *effect, double x, struct candidate *best)
{
    const struct pk_plan_prevention *prevention = &walk->plan->preventions[effect->i_prevention];
    struct guarded *guarded = &walk->guarded[effect->i_prevention];
    struct pk_life *life = walk->life;
    if (life->n_blocked < PK_LIFE_MAX_BLOCKED) {
        int64_t tick = (int64_t)(pk_tick_round(x) * PK_TICKS_PER_MONTH);
        life->blocked[life->n_blocked].tick = tick > life->start_tick ? tick : life->start_tick + 1;
        life->blocked[life->n_blocked].arc = effect->arc;
        life->blocked[life->n_blocked].i_prevention = (uint16_t)effect->i_prevention;
    }
    life->n_blocked++; /* too many of them is an error at the end of the life */
    if (prevention->again != PK_AGAIN_AT_RISK)
        guarded->immune_until = prevention->again == PK_AGAIN_IMMUNE ? PK_NEVER : x + prevention->again_months;
    uint32_t i_block = guarded->n_blocked++;
    if (!(prevention->relapse > 0) || guarded->relapsing)
        return;
    guarded->relapsing = true;
    guarded->arc = effect->arc;
    guarded->since = x;
    guarded->left =
        pk_walk_exponential(pk_walk_draw(walk, effect->arc, PK_ROLE_RELAPSE, i_block & UINT16_MAX, 0).first);
    if (effect->i_diverted == UINT16_MAX)
        pk_walk_consider(best, x + guarded->left / prevention->relapse, effect->arc, NULL);
}

enum verdict pk_walk_judge(struct walk *walk, uint32_t i_used, uint32_t i_candidate, const struct active *active,
                           size_t n_active, uint16_t *arc, double x, struct candidate *best)
{
    if (walk->loses > 0 && walk->plan->arcs[*arc].i_transition == walk->treatment->i_lost) {
        const double time = pk_tick_round(x);
        if ((time > walk->entry ? time : walk->entry + PK_TICK) == walk->loses)
            return PK_DROPPED; /* it is somebody else's */
    }
    for (size_t i = 0; i < n_active; i++) {
        const struct pk_plan_effect *effect = active[i].effect;
        if (effect->arc != *arc || x < active[i].from + PK_WALK_AFTER || x >= active[i].to)
            continue;
        if (effect->mode == PK_EFFECT_PREVENT) {
            if (x < walk->guarded[effect->i_prevention].immune_until)
                return PK_DROPPED;
            double share = walk->plan->preventions[effect->i_prevention].share;
            if (!(pk_walk_draw(walk, *arc, PK_ROLE_PREVENTION, i_used, i_candidate).first < share))
                continue;
            block(walk, effect, x, best);
            if (effect->i_diverted == UINT16_MAX)
                return PK_DROPPED;
            *arc = effect->i_diverted;
            return PK_KEPT;
        }
        double share = kept_share(walk, &active[i], x);
        if (share < 1 && pk_walk_draw(walk, *arc, PK_ROLE_ACCEPTANCE, i_used, i_candidate).first >= share)
            return PK_DROPPED;
    }
    return PK_KEPT;
}

void pk_walk_relapses(struct walk *walk, struct candidate *best)
{
    for (size_t i = 0; i < walk->plan->n_preventions; i++) {
        struct guarded *guarded = &walk->guarded[i];
        if (!guarded->relapsing)
            continue;
        uint16_t arc = relapse_arc(walk, guarded);
        guarded->since = walk->entry;
        if (arc != UINT16_MAX)
            pk_walk_consider(best, walk->entry + guarded->left / walk->plan->preventions[i].relapse, arc, NULL);
    }
}

void pk_walk_spend_relapses(struct walk *walk, const struct candidate *best, double until)
{
    for (size_t i = 0; i < walk->plan->n_preventions; i++) {
        struct guarded *guarded = &walk->guarded[i];
        uint16_t arc = guarded->relapsing ? relapse_arc(walk, guarded) : UINT16_MAX;
        if (arc == UINT16_MAX)
            continue;
        double relapse = walk->plan->preventions[i].relapse;
        double time = guarded->since + guarded->left / relapse;
        if (best->arc == arc && best->time == time) { /* it came: the protection is over */
            guarded->relapsing = false;
            guarded->immune_until = 0;
        } else if (until > guarded->since) {
            double used = (until - guarded->since) * relapse;
            guarded->left = guarded->left > used ? guarded->left - used : 0;
        }
    }
}
