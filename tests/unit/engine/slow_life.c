/* See slow_life.h; services: slow_service.c. */
#include "slow_life.h"

#include <criterion/criterion.h>
#include <string.h>

#include "slow_private.h"

struct pk_rng_pair slow_draw(const struct slow_walk *w, size_t stream, enum pk_rng_role role, unsigned spell,
                             unsigned candidate)
{
    struct pk_rng_key key = {.seed = w->plan->seed,
                             .person = w->person->id,
                             .replication = w->person->replication,
                             .stream = (uint32_t)stream,
                             .role = (uint8_t)role,
                             .spell = (uint16_t)spell,
                             .candidate = (uint16_t)candidate};
    return pk_rng_uniforms(&key);
}

long double slow_zero(const struct slow_walk *w, enum pk_clock clock, long double enrolled)
{
    switch (clock) {
    case PK_CLOCK_STATE:
        return w->entry - w->elapsed;
    case PK_CLOCK_AGE:
        return -(long double)w->person->age;
    case PK_CLOCK_ENROLMENT:
        return enrolled;
    default:
        return 0;
    }
}

/* Frailty, and 0 where a cure of the person's or of the spell is in force. */
static long double personal(const struct slow_walk *w, size_t i_frailty, size_t i_cure)
{
    if (i_cure != SIZE_MAX) {
        uint64_t cured = w->plan->cures[i_cure].per_spell ? w->cured : w->person->cured;
        if (cured >> i_cure & 1)
            return 0;
    }
    return i_frailty == SIZE_MAX ? 1 : w->person->frailties[i_frailty];
}

struct slow_term slow_base_term(const struct slow_walk *w, size_t arc)
{
    const struct pk_plan_arc *a = &w->plan->arcs[arc];
    const struct pk_rate *rate = pk_plan_arc_rate(a, w->person->stratum);
    return (struct slow_term){.rate = rate,
                              .zero = slow_zero(w, rate->clock, 0),
                              .factor = w->plan->multipliers[w->person->stratum * w->plan->n_arcs + arc] *
                                        personal(w, a->i_frailty, a->i_cure)};
}

/* A hazard common to all states, by itself. */
static struct slow_term common_term(const struct slow_walk *w, size_t i)
{
    const struct pk_person_hazard *hazard = &w->plan->person_hazards[i];
    const struct pk_rate *rate = pk_plan_person_rate(hazard, w->person->stratum);
    return (struct slow_term){.rate = rate,
                              .zero = slow_zero(w, rate->clock, 0),
                              .factor = hazard->multipliers[w->person->stratum] *
                                        personal(w, hazard->i_frailty, hazard->i_cure)};
}

/* ---- a stay ------------------------------------------------------------------------------------------------------ */

static bool has_base_hazard(const struct slow_walk *w, size_t arc)
{
    const struct pk_plan_arc *a = &w->plan->arcs[arc];
    return a->i_from == w->state && a->i_person_hazard == SIZE_MAX && !a->deterministic && !a->hazardless;
}

bool slow_is_cured(const struct slow_walk *w, size_t arc)
{
    size_t c = w->plan->arcs[arc].i_cure;
    return c != SIZE_MAX && ((w->plan->cures[c].per_spell ? w->cured : w->person->cured) >> c & 1);
}

/* The chance that a spell is cured that has lasted for `elapsed`. */
static long double share_cured(const struct slow_walk *w, size_t i_cure)
{
    const struct pk_plan_cure *cure = &w->plan->cures[i_cure];
    if (cure->unconditional || !(w->elapsed > 0))
        return cure->share;
    long double survived = 0;
    for (size_t a = 0; a < w->plan->n_arcs; a++) {
        if (!has_base_hazard(w, a) || w->plan->arcs[a].i_cure != i_cure)
            continue;
        const struct pk_rate *rate = pk_plan_arc_rate(&w->plan->arcs[a], w->person->stratum);
        long double now = w->entry - slow_zero(w, rate->clock, 0);
        survived += w->plan->multipliers[w->person->stratum * w->plan->n_arcs + a] *
                    slow_rate_between(rate, now - w->elapsed, now);
    }
    return cure->share / (cure->share + (1 - cure->share) * expl(-survived));
}

static void begin_stay(struct slow_walk *w)
{
    w->stay = w->stays[w->state]++;
    w->cured = 0;
    for (size_t a = 0; a < w->plan->n_arcs; a++) {
        size_t c = w->plan->arcs[a].i_cure;
        if (!has_base_hazard(w, a) || c == SIZE_MAX || !w->plan->cures[c].per_spell)
            continue;
        if (slow_draw(w, c, PK_ROLE_CURE, w->stay, (unsigned)w->state).first < share_cured(w, c))
            w->cured |= UINT64_C(1) << c;
    }
}

/* What the base hazards are made of, in the order that destinations are picked in. */
static size_t list_base(const struct slow_walk *w, uint16_t *arcs, struct slow_term *terms)
{
    const struct pk_plan_state *state = &w->plan->states[w->state];
    size_t n = 0, n_arcs = 0;
    for (size_t x = 0; x < state->n_axes; x++)
        for (size_t k = 0; k < state->axes[x].n_arcs; k++)
            arcs[n++] = state->axes[x].arcs[k];
    for (size_t k = 0; k < state->n_smooth; k++)
        arcs[n++] = state->smooth[k];
    for (size_t i = 0; i < n; i++)
        terms[i] = slow_base_term(w, arcs[i]);
    for (size_t a = 0; a < w->plan->n_arcs; a++)
        n_arcs += has_base_hazard(w, a);
    cr_assert_eq(n, n_arcs);
    return n;
}

static uint16_t pick(const uint16_t *arcs, const struct slow_term *terms, size_t n, double mark, long double t)
{
    long double sum = 0, below = 0;
    for (size_t i = 0; i < n; i++)
        sum += slow_term_at(&terms[i], t);
    for (size_t i = 0; i < n; i++) {
        below += slow_term_at(&terms[i], t);
        if (mark * sum < below)
            return arcs[i];
    }
    return arcs[n - 1];
}

/* The base event, by candidates; one that is blocked may bring the end nearer by its relapse. */
static void consider_base(struct slow_walk *w, struct slow_end *end)
{
    const size_t stream = w->plan->states[w->state].stream;
    struct slow_base *base = &w->bases[stream];
    struct slow_term terms[PK_MAX_ARCS_FROM];
    uint16_t arcs[PK_MAX_ARCS_FROM];
    const size_t n = list_base(w, arcs, terms);
    for (long double from = w->entry;;) {
        if (!base->begun) {
            struct pk_rng_pair u = slow_draw(w, stream, PK_ROLE_EVENT, base->kept, base->rejected);
            base->left = -logl(u.first);
            base->mark = u.second;
            base->begun = true;
        }
        long double t = slow_spend(terms, n, &base->left, from, end->time);
        if (isinf(t))
            return;
        uint16_t arc = pick(arcs, terms, n, base->mark, t);
        base->begun = false;
        if (slow_is_kept(w, base, &arc, t, end)) {
            base->kept++;
            base->rejected = 0;
            slow_consider(end, (struct slow_end){.time = t, .arc = arc});
            return;
        }
        base->rejected++;
        from = t;
    }
}

static void consider_timers(const struct slow_walk *w, struct slow_end *end)
{
    const struct pk_plan_state *state = &w->plan->states[w->state];
    for (size_t i = 0; i < state->n_timers; i++) {
        const struct pk_timer *timer = &state->timers[i];
        const long double zero = slow_zero(w, timer->clock, 0);
        long double value = timer->value;
        for (size_t b = timer->n_births; b-- > 0;)
            if (zero >= timer->births[b]) {
                value = timer->later[b];
                break;
            }
        slow_consider(end,
                      (struct slow_end){.time = fmaxl(zero + value, w->entry), .arc = timer->arcs[0], .timer = timer});
    }
}

static uint16_t split(const struct slow_walk *w, const struct pk_timer *timer)
{
    double u = slow_draw(w, timer->arcs[0], PK_ROLE_SPLIT, w->stay, 0).first;
    long double below = 0;
    for (size_t i = 0; i < timer->n_arcs; i++) {
        below += w->plan->arcs[timer->arcs[i]].share;
        if (u < below)
            return timer->arcs[i];
    }
    return timer->arcs[timer->n_arcs - 1];
}

/* The part of common hazards that only this state has. */
static void consider_excess(struct slow_walk *w, struct slow_end *end)
{
    const struct slow_end before = *end;
    for (size_t a = 0; a < w->plan->n_arcs; a++) {
        const struct pk_plan_arc *arc = &w->plan->arcs[a];
        if (arc->i_from != w->state || arc->i_person_hazard == SIZE_MAX || !(arc->excess > 0))
            continue;
        if (!w->excess_begun[a])
            w->excess_left[a] = -logl(slow_draw(w, a, PK_ROLE_LAYER, 0, 0).first);
        w->excess_begun[a] = true;
        struct slow_term term = common_term(w, arc->i_person_hazard);
        term.factor *= arc->excess;
        slow_consider(end, (struct slow_end){.time = slow_spend(&term, 1, &w->excess_left[a], w->entry, before.time),
                                             .arc = (uint16_t)a});
    }
    /* it ends the life: nothing is blocked after it */
    struct pk_life *life = w->life;
    while (end->time < before.time && life->n_blocked > 0 &&
           life->blocked[life->n_blocked - 1].tick > (int64_t)rintl(end->time * TICKS))
        life->n_blocked--;
}

/* The event that ends the stay; false: none before the horizon. */
static bool next(struct slow_walk *w, struct pk_event *event)
{
    const struct pk_plan *plan = w->plan;
    struct slow_end end = {.time = plan->horizon + 0.5L / TICKS};
    const long double until = end.time;
    begin_stay(w);
    for (size_t a = 0; a < plan->n_arcs; a++)
        if (plan->arcs[a].i_from == w->state && plan->arcs[a].i_person_hazard != SIZE_MAX)
            slow_consider(&end,
                          (struct slow_end){.time = w->common[plan->arcs[a].i_person_hazard], .arc = (uint16_t)a});
    consider_timers(w, &end);
    slow_layers(w, &end);
    slow_relapses(w, &end);
    consider_base(w, &end);
    consider_excess(w, &end);
    if (!(end.time < until))
        return false;
    const int64_t entry = (int64_t)(w->entry * TICKS), tick = (int64_t)rintl(end.time * TICKS);
    event->arc = end.timer != NULL ? split(w, end.timer) : end.arc;
    event->tick = tick > entry ? tick : entry + 1;
    if (end.relapse != NULL)
        end.relapse->relapsing = end.relapse->immune = false;
    return event->tick <= (int64_t)(plan->horizon * TICKS);
}

/* The tick at which the next stay begins: the other life's, where the event is the same but for rounding. */
static int64_t tick_beside(const struct pk_life *beside, size_t i, const struct pk_event *event)
{
    if (beside == NULL || i >= beside->n_events || beside->events[i].arc != event->arc)
        return event->tick;
    int64_t tick = beside->events[i].tick;
    return tick >= event->tick - 1 && tick <= event->tick + 1 ? tick : event->tick;
}

void slow_life_run(const struct pk_plan *plan, const struct pk_person *person, const struct pk_treatment *treatment,
                   const struct pk_life *beside, struct pk_life *life)
{
    const bool elsewhere = treatment != NULL && treatment->has_start && treatment->i_start != person->state;
    struct slow_walk w = {.plan = plan,
                          .person = person,
                          .treatment = treatment,
                          .life = life,
                          .state = elsewhere ? treatment->i_start : person->state,
                          .entry = person->entry,
                          .elapsed = elsewhere ? 0 : person->elapsed};
    life->start_state = (uint16_t)w.state;
    life->start_tick = (int64_t)(person->entry * TICKS);
    life->n_events = life->n_blocked = 0;
    for (size_t i = 0; i < plan->n_person_hazards; i++) {
        struct slow_term term = common_term(&w, i);
        long double left = -logl(slow_draw(&w, plan->person_hazards[i].i_transition, PK_ROLE_PERSON, 0, 0).first);
        w.common[i] = slow_spend(&term, 1, &left, w.entry, plan->horizon + 1);
    }
    struct pk_event event;
    while (!plan->states[w.state].absorbing && next(&w, &event)) {
        cr_assert(life->n_events < PK_LIFE_MAX_EVENTS);
        long double left = (long double)tick_beside(beside, life->n_events, &event) / TICKS;
        slow_spend_relapses(&w, left);
        w.entry = left;
        life->events[life->n_events++] = event;
        w.elapsed = 0;
        w.state = plan->arcs[event.arc].i_to;
        slow_end_effects(&w);
    }
}
