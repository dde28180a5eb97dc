/* One life, the scalar reference. See life.h. */
#include <string.h>

#include "life_private.h"

/* A service's effect on an arc from the present state, within its window. */
struct active {
    const struct pk_plan_effect *effect;
    double from, to; /* the window */
    double enrolled; /* zero of the clock since_enrolment */
};

/* What happens next: an arc at a time. */
struct candidate {
    double time;
    uint16_t arc;
    const struct pk_timer *timer; /* a deterministic split yet to be drawn */
};

/* The arm's hazard over the base hazard for an active effect at time x, where that is below 1; else 1. */
static double kept_share(const struct walk *walk, const struct active *active, double x)
{
    const struct pk_plan_effect *effect = active->effect;
    if (effect->mode == PK_EFFECT_SCALE)
        return effect->ratio < 1 ? effect->ratio : 1;
    if (effect->mode == PK_EFFECT_AT_LEAST)
        return 1;
    const struct pk_plan_arc *arc = &walk->plan->arcs[effect->arc];
    double base = pk_walk_hazard_now(walk, &arc->rate, walk->multipliers[effect->arc], 0, x);
    double with = pk_walk_hazard_now(walk, &effect->rate, 1, active->enrolled, x);
    return with < base ? with / base : 1;
}

/* The part of an arm's hazard above the base: a layer with its own exponential, keyed by the arc. */
static double layer_time(struct walk *walk, const struct active *active, uint32_t i_spell, double until)
{
    const struct pk_plan_effect *effect = active->effect;
    const struct pk_plan_arc *arc = &walk->plan->arcs[effect->arc];
    if (effect->mode == PK_EFFECT_SCALE && effect->ratio <= 1)
        return PK_NEVER;
    double from = active->from > walk->entry ? active->from : walk->entry;
    if (active->to < until)
        until = active->to;
    if (from >= until)
        return PK_NEVER;
    double left = pk_walk_exponential(pk_walk_draw(walk, effect->arc, PK_ROLE_LAYER, i_spell, 0).first);
    double multiplier = walk->multipliers[effect->arc];
    if (effect->mode == PK_EFFECT_SCALE)
        return pk_walk_spend(walk, &left, &arc->rate, multiplier * (effect->ratio - 1), NULL, 0, 0, from, until);
    return pk_walk_spend(walk, &left, &effect->rate, 1, &arc->rate, multiplier, active->enrolled, from, until);
}

static enum pk_status too_many(const struct walk *walk, const char *what, struct pk_error *error)
{
    return pk_error_set(error, PK_NUMERICAL,
                        "seed %llu, replication %u, person %llu, %.6f months after the start: more %s than a life can "
                        "number; is a hazard far too high?",
                        (unsigned long long)walk->plan->seed, walk->person->replication,
                        (unsigned long long)walk->person->id, walk->entry, what);
}

/* False where the arm drops this candidate by its keyed mark. */
static bool keeps(struct walk *walk, uint32_t i_used, uint32_t i_candidate, const struct active *active,
                  size_t n_active, uint16_t arc, double x)
{
    for (size_t i = 0; i < n_active; i++) {
        if (active[i].effect->arc != arc || x < active[i].from || x >= active[i].to)
            continue;
        double share = kept_share(walk, &active[i], x);
        if (share < 1 && pk_walk_draw(walk, arc, PK_ROLE_ACCEPTANCE, i_used, i_candidate).first >= share)
            return false;
    }
    return true;
}

/* The spell ends by something else: what is left is for the next spell in this stream. */
static void cut_short(struct walk *walk, uint32_t stream, double left, double mark, uint32_t candidate)
{
    walk->cut_short[stream] = (struct spending){.left = left, .mark = mark, .candidate = candidate};
    walk->open |= UINT64_C(1) << stream;
}

/* Begins or goes on with the stream's exponential. Plain variables, so that the compiler keeps them in registers. */
#define TAKE_UP(walk, stream)                                                                                          \
    double left = 0, mark = 0;                                                                                         \
    uint32_t i_candidate = 0;                                                                                          \
    const uint32_t i_used = (walk)->spells[stream];                                                                    \
    bool drawn = (walk)->open >> (stream)&1;                                                                           \
    if (drawn) {                                                                                                       \
        (walk)->open &= ~(UINT64_C(1) << (stream));                                                                    \
        left = (walk)->cut_short[stream].left;                                                                         \
        mark = (walk)->cut_short[stream].mark;                                                                         \
        i_candidate = (walk)->cut_short[stream].candidate;                                                             \
    }

/* base_candidate where all hazards run on one clock and their sums are ready: the usual case, the same arithmetic. */
static enum pk_status summed_candidate(struct walk *walk, const struct active *active, size_t n_active,
                                       struct candidate *best, struct pk_error *error)
{
    const struct pk_plan_state *state = &walk->plan->states[walk->i_state];
    const struct pk_axis *axis = &state->axes[0];
    const size_t n = axis->n_arcs;
    const double *of_stratum = axis->sums + walk->person->stratum * (axis->n_cuts + 1) * n;
    double x = walk->entry, zero = 0, next = PK_NEVER;
    size_t segment = 0;
    if (axis->n_cuts > 0) {
        zero = pk_walk_clock_zero(walk, axis->clock, 0);
        segment = pk_rate_segment(axis->cuts, axis->n_cuts, x - zero);
        next = segment < axis->n_cuts ? zero + axis->cuts[segment] : PK_NEVER;
    }
    const uint32_t stream = state->stream;
    if (walk->spells[stream] > UINT16_MAX)
        return too_many(walk, "spells", error);
    TAKE_UP(walk, stream)
    for (;; i_candidate++, drawn = false) {
        if (!drawn) {
            struct pk_rng_pair uniforms = pk_walk_draw(walk, stream, PK_ROLE_EVENT, i_used, i_candidate);
            left = pk_walk_exponential(uniforms.first);
            mark = uniforms.second;
        }
        double total;
        const double *sums;
        for (;;) { /* segments */
            double end = next < best->time ? next : best->time;
            sums = of_stratum + segment * n;
            total = sums[n - 1];
            double available = (end - x) * total;
            if (left < available) {
                x += left / total;
                break;
            }
            left -= available;
            x = end;
            if (x >= best->time) {
                cut_short(walk, stream, left, mark, i_candidate);
                return PK_OK;
            }
            segment++;
            next = segment < axis->n_cuts ? zero + axis->cuts[segment] : PK_NEVER;
        }
        double place = mark * total;
        size_t i_chosen = 0;
        while (i_chosen + 1 < n && place >= sums[i_chosen])
            i_chosen++;
        while (i_chosen > 0 && sums[i_chosen] <= sums[i_chosen - 1]) /* rounding at the upper end */
            i_chosen--;
        uint16_t arc = axis->arcs[i_chosen];
        if (n_active == 0 || keeps(walk, i_used, i_candidate, active, n_active, arc, x)) {
            walk->spells[stream]++; /* used up: the stream's next spell draws anew */
            *best = (struct candidate){.time = x, .arc = arc};
            return PK_OK;
        }
        if (i_candidate == UINT16_MAX)
            return too_many(walk, "candidates", error);
    }
}

/* The base hazards of the state: the first candidate before best->time that the arm keeps. */
static enum pk_status base_candidate(struct walk *walk, const struct active *active, size_t n_active,
                                     struct candidate *best, struct pk_error *error)
{
    const struct pk_plan_state *state = &walk->plan->states[walk->i_state];
    if (state->n_axes == 0 && state->n_growing == 0)
        return PK_OK;
    if (state->n_axes == 1 && state->n_growing == 0 && state->axes[0].sums != NULL)
        return summed_candidate(walk, active, n_active, best, error);
    size_t segments[PK_MAX_AXES];
    double zeros[PK_MAX_AXES], nexts[PK_MAX_AXES], x = walk->entry;
    for (size_t a = 0; a < state->n_axes; a++) {
        const struct pk_axis *axis = &state->axes[a];
        zeros[a] = pk_walk_clock_zero(walk, axis->clock, 0);
        segments[a] = axis->n_cuts == 0 ? 0 : pk_rate_segment(axis->cuts, axis->n_cuts, x - zeros[a]);
        nexts[a] = segments[a] < axis->n_cuts ? zeros[a] + axis->cuts[segments[a]] : PK_NEVER;
    }
    const uint32_t stream = state->stream;
    if (walk->spells[stream] > UINT16_MAX)
        return too_many(walk, "spells", error);
    TAKE_UP(walk, stream)
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
                const double *levels = axis->levels + segments[a] * axis->n_arcs;
                for (size_t k = 0; k < axis->n_arcs; k++, n++) {
                    arcs[n] = axis->arcs[k];
                    hazards[n] = levels[k] * walk->multipliers[arcs[n]];
                    total += hazards[n];
                }
                end = nexts[a] < end ? nexts[a] : end;
            }
            if (state->n_growing > 0) {
                double d = pk_walk_growing_root(walk, state, total, x, end - x, &left);
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
                cut_short(walk, stream, left, mark, i_candidate);
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
        for (size_t i = 0; i < state->n_growing; i++, n++) {
            arcs[n] = state->growing[i];
            hazards[n] = pk_walk_hazard_now(walk, &walk->plan->arcs[arcs[n]].rate, walk->multipliers[arcs[n]], 0, x);
            total += hazards[n];
        }
        double place = mark * total;
        size_t i_chosen = 0;
        for (double below = hazards[0]; i_chosen + 1 < n && place >= below;)
            below += hazards[++i_chosen];
        while (i_chosen > 0 && hazards[i_chosen] <= 0) /* rounding at the upper end */
            i_chosen--;
        uint16_t arc = arcs[i_chosen];
        if (n_active == 0 || keeps(walk, i_used, i_candidate, active, n_active, arc, x)) {
            walk->spells[stream]++;
            *best = (struct candidate){.time = x, .arc = arc};
            return PK_OK;
        }
        if (i_candidate == UINT16_MAX)
            return too_many(walk, "candidates", error);
    }
}

/* The effects of the person's services on arcs from the present state. */
static size_t list_active(const struct walk *walk, struct active *active)
{
    size_t n = 0;
    for (size_t i = 0; walk->treatment != NULL && i < walk->treatment->n; i++) {
        const struct pk_plan_service *service = &walk->plan->services[walk->treatment->items[i].i_service];
        double from = walk->treatment->items[i].from, to = from + service->window;
        if (to <= walk->entry)
            continue;
        for (size_t k = 0; k < service->n_effects; k++)
            if (walk->plan->arcs[service->effects[k].arc].i_from == walk->i_state && !(walk->done[i] >> k & 1))
                active[n++] = (struct active){.effect = &service->effects[k], .from = from, .to = to, .enrolled = from};
    }
    return n;
}

/* An effect for the first job only ends with the first entry, after enrolment, to where its arc leads. */
static void end_effects(struct walk *walk, size_t i_to, double time)
{
    for (size_t i = 0; walk->treatment != NULL && i < walk->treatment->n; i++) {
        const struct pk_plan_service *service = &walk->plan->services[walk->treatment->items[i].i_service];
        if (!service->first_job_only || time <= walk->treatment->items[i].from)
            continue;
        for (size_t k = 0; k < service->n_effects; k++)
            if (walk->plan->arcs[service->effects[k].arc].i_to == i_to)
                walk->done[i] |= UINT64_C(1) << k;
    }
}

/* The person's times of the hazards common to all states, each from one draw. */
static void draw_person_times(struct walk *walk, double until)
{
    for (size_t i = 0; i < walk->plan->n_person_hazards; i++) {
        const struct pk_person_hazard *hazard = &walk->plan->person_hazards[i];
        double left =
            pk_walk_exponential(pk_walk_draw(walk, (uint32_t)hazard->i_transition, PK_ROLE_PERSON, 0, 0).first);
        walk->person_times[i] =
            pk_walk_spend(walk, &left, &hazard->rate, hazard->multipliers[walk->person->stratum], NULL, 0, 0, 0, until);
    }
}

static void consider(struct candidate *best, double time, uint16_t arc, const struct pk_timer *timer)
{
    if (time < best->time)
        *best = (struct candidate){.time = time, .arc = arc, .timer = timer};
}

/* A state's excess over a common hazard: one exponential a person and state, spent over all stays there, since it can
 * fire only once. */
static double excess_time(struct walk *walk, uint16_t i_arc, double until)
{
    const struct pk_plan_arc *arc = &walk->plan->arcs[i_arc];
    const struct pk_person_hazard *hazard = &walk->plan->person_hazards[arc->i_person_hazard];
    double *left = &walk->excess_left[arc->i_excess];
    if (!(walk->excess_known >> arc->i_excess & 1)) {
        walk->excess_known |= UINT64_C(1) << arc->i_excess;
        *left = pk_walk_exponential(pk_walk_draw(walk, i_arc, PK_ROLE_LAYER, 0, 0).first);
    }
    double factor = hazard->multipliers[walk->person->stratum] * arc->excess;
    return pk_walk_spend(walk, left, &hazard->rate, factor, NULL, 0, 0, walk->entry, until);
}

static enum pk_status next_event(struct walk *walk, uint32_t i_spell, struct candidate *best, struct pk_error *error)
{
    const struct pk_plan *plan = walk->plan;
    const struct pk_plan_state *state = &plan->states[walk->i_state];
    for (size_t i = 0; i < plan->n_person_hazards; i++)
        consider(best, walk->person_times[i], state->person_arcs[i], NULL);
    for (size_t i = 0; i < state->n_timers; i++) {
        const struct pk_timer *timer = &state->timers[i];
        double time = pk_walk_clock_zero(walk, timer->clock, 0) + timer->value;
        consider(best, time > walk->entry ? time : walk->entry, timer->arcs[0], timer);
    }
    struct active active[64 * PK_MAX_ENROLMENTS];
    size_t n_active = walk->treatment != NULL ? list_active(walk, active) : 0;
    for (size_t i = 0; i < n_active; i++)
        consider(best, layer_time(walk, &active[i], i_spell, best->time), active[i].effect->arc, NULL);
    /* after the layers, so that what cuts it short leaves it the rest */
    enum pk_status status = base_candidate(walk, active, n_active, best, error);
    for (size_t i = 0; i < state->n_excess; i++)
        consider(best, excess_time(walk, state->excess_arcs[i], best->time), state->excess_arcs[i], NULL);
    return status;
}

static uint16_t split_destination(struct walk *walk, const struct pk_timer *timer, uint32_t i_spell)
{
    double u = pk_walk_draw(walk, timer->arcs[0], PK_ROLE_SPLIT, i_spell, 0).first;
    size_t i = 0;
    for (double below = walk->plan->arcs[timer->arcs[0]].share; i + 1 < timer->n_arcs && u >= below;)
        below += walk->plan->arcs[timer->arcs[++i]].share;
    return timer->arcs[i];
}

enum pk_status pk_life_run(const struct pk_plan *plan, const struct pk_person *person,
                           const struct pk_treatment *treatment, struct pk_life *life, struct pk_error *error)
{
    struct walk walk;
    walk.plan = plan;
    walk.person = person;
    walk.rng = pk_rng_core_person(plan->seed, person->id, person->replication);
    walk.treatment = treatment;
    walk.multipliers = plan->multipliers + person->stratum * plan->n_arcs;
    walk.life = life;
    walk.i_state = person->state;
    walk.entry = 0;
    walk.state_zero = -person->elapsed;
    memset(walk.stays, 0, plan->n_states * sizeof *walk.stays);
    memset(walk.spells, 0, plan->n_states * sizeof *walk.spells);
    walk.open = walk.excess_known = 0;
    memset(walk.done, 0, sizeof walk.done);
    life->n_events = 0;
    const double until = plan->horizon + 0.5 * PK_TICK;
    draw_person_times(&walk, until);
    while (!plan->states[walk.i_state].absorbing) {
        uint32_t i_spell = walk.stays[walk.i_state]++;
        if (i_spell > UINT16_MAX)
            return too_many(&walk, "spells", error);
        struct candidate best = {.time = until};
        enum pk_status status = next_event(&walk, i_spell, &best, error);
        if (status != PK_OK)
            return status;
        if (best.time >= until)
            break;
        double time = pk_tick_round(best.time);
        if (time <= walk.entry)
            time = walk.entry + PK_TICK;
        if (time > plan->horizon)
            break;
        uint16_t arc =
            best.timer != NULL && best.timer->n_arcs > 1 ? split_destination(&walk, best.timer, i_spell) : best.arc;
        if (life->n_events == PK_LIFE_MAX_EVENTS)
            return too_many(&walk, "events", error);
        life->events[life->n_events++] = (struct pk_event){.tick = (int64_t)(time * PK_TICKS_PER_MONTH), .arc = arc};
        walk.i_state = plan->arcs[arc].i_to;
        walk.entry = time;
        walk.state_zero = time;
        if (treatment != NULL)
            end_effects(&walk, walk.i_state, time);
    }
    return PK_OK;
}
