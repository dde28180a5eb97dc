/* One life, the scalar reference. See life.h. */
#include <string.h>

#include "life_private.h"

enum pk_status pk_walk_too_many(const struct walk *walk, const char *what, struct pk_error *error)
{
    return pk_error_set(error, PK_NUMERICAL,
                        "seed %llu, replication %u, person %llu, %.6f months after the start: more %s than a life can "
                        "number; is a hazard far too high?",
                        (unsigned long long)walk->plan->seed, walk->person->replication,
                        (unsigned long long)walk->person->id, walk->entry, what);
}

void pk_walk_cut_short(struct walk *walk, uint32_t stream, double left, double mark, uint32_t candidate)
{
    walk->cut_short[stream] = (struct spending){.left = left, .mark = mark, .candidate = candidate};
    walk->open |= UINT64_C(1) << stream;
}

/* The axes of a state on the way through their segments. */
struct course {
    size_t segment;
    double zero, next;               /* where the clock reads 0; the end of the segment */
    const double *sums, *of_stratum; /* running sums of the segment; of all segments */
};

static void set_out(const struct walk *walk, const struct pk_axis *axis, struct course *course)
{
    const size_t n = axis->n_arcs;
    course->segment = 0;
    course->zero = 0;
    course->next = PK_NEVER;
    course->of_stratum = axis->sums + walk->person->stratum * (axis->n_cuts + 1) * n;
    if (axis->n_cuts > 0) {
        course->zero = pk_walk_clock_zero(walk, axis->clock, 0);
        course->segment = pk_rate_segment(axis->cuts, axis->n_cuts, walk->entry - course->zero);
        course->next = course->segment < axis->n_cuts ? course->zero + axis->cuts[course->segment] : PK_NEVER;
    }
    course->sums = course->of_stratum + course->segment * n;
}

/* The arc at a place among the running sums of all axes, one after another. */
static uint16_t arc_at(const struct pk_plan_state *state, const struct course *courses, double place)
{
    const struct pk_axis *axis = &state->axes[0];
    const double *sums = courses[0].sums;
    double below = 0, here = 0;
    for (size_t a = 0; a + 1 < state->n_axes; a++) { /* the last axis that begins at or below the place and has any */
        const double *next = courses[a + 1].sums;
        below += courses[a].sums[state->axes[a].n_arcs - 1];
        if (place >= below && next[state->axes[a + 1].n_arcs - 1] > 0) {
            axis = &state->axes[a + 1];
            sums = next;
            here = below;
        }
    }
    size_t i = 0;
    while (i + 1 < axis->n_arcs && place >= here + sums[i])
        i++;
    while (i > 0 && sums[i] <= sums[i - 1]) /* rounding at the upper end */
        i--;
    return axis->arcs[i];
}

/* pk_walk_general_candidate where all hazards are piecewise constant and their sums are ready: the usual case. */
static enum pk_status summed_candidate(struct walk *walk, const struct active *active, size_t n_active,
                                       struct candidate *best, struct pk_error *error)
{
    const struct pk_plan_state *state = &walk->plan->states[walk->i_state];
    const size_t n_axes = state->n_axes;
    struct course courses[PK_MAX_AXES];
    double x = walk->entry;
    for (size_t a = 0; a < n_axes; a++)
        set_out(walk, &state->axes[a], &courses[a]);
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
        double total;
        for (;;) { /* segments */
            double end = best->time;
            total = 0;
            for (size_t a = 0; a < n_axes; a++) {
                total += courses[a].sums[state->axes[a].n_arcs - 1];
                end = courses[a].next < end ? courses[a].next : end;
            }
            double available = (end - x) * total;
            if (left < available) {
                x += left / total;
                break;
            }
            left -= available;
            x = end;
            if (x >= best->time) {
                pk_walk_cut_short(walk, stream, left, mark, i_candidate);
                return PK_OK;
            }
            for (size_t a = 0; a < n_axes; a++) {
                struct course *course = &courses[a];
                const struct pk_axis *axis = &state->axes[a];
                if (!(course->next <= x))
                    continue;
                course->segment++;
                course->sums = course->of_stratum + course->segment * axis->n_arcs;
                course->next = course->segment < axis->n_cuts ? course->zero + axis->cuts[course->segment] : PK_NEVER;
            }
        }
        uint16_t arc = arc_at(state, courses, mark * total);
        if ((n_active == 0 && walk->loses <= 0) ||
            pk_walk_judge(walk, i_used, i_candidate, active, n_active, &arc, x, best) == PK_KEPT) {
            walk->spells[stream]++; /* used up: the stream's next spell draws anew */
            *best = (struct candidate){.time = x, .arc = arc};
            return PK_OK;
        }
        if (i_candidate == UINT16_MAX)
            return pk_walk_too_many(walk, "candidates", error);
    }
}

/* The base hazards of the state: the first candidate before best->time that the arm keeps. */
static enum pk_status base_candidate(struct walk *walk, const struct active *active, size_t n_active,
                                     struct candidate *best, struct pk_error *error)
{
    const struct pk_plan_state *state = &walk->plan->states[walk->i_state];
    if (state->n_axes == 0 && state->n_smooth == 0)
        return PK_OK;
    if (state->summed)
        return summed_candidate(walk, active, n_active, best, error);
    return pk_walk_general_candidate(walk, active, n_active, best, error);
}

/* The person's times of the hazards common to all states, each from one draw. */
static void draw_person_times(struct walk *walk, double until)
{
    for (size_t i = 0; i < walk->plan->n_person_hazards; i++) {
        const struct pk_person_hazard *hazard = &walk->plan->person_hazards[i];
        double left =
            pk_walk_exponential(pk_walk_draw(walk, (uint32_t)hazard->i_transition, PK_ROLE_PERSON, 0, 0).first);
        double factor = hazard->multipliers[walk->person->stratum];
        if (walk->personal)
            factor *= pk_walk_personal_factor(walk, hazard->i_frailty, hazard->i_cure);
        walk->person_times[i] = pk_walk_spend(walk, &left, pk_plan_person_rate(hazard, walk->person->stratum), factor,
                                              0, walk->entry, until);
    }
}

/* A state's excess over a common hazard: one exponential a person and state, spent over all stays there, since it can
 * fire only once. peek: spends nothing. */
static double excess_time(struct walk *walk, uint16_t i_arc, double until, bool peek)
{
    const struct pk_plan_arc *arc = &walk->plan->arcs[i_arc];
    const struct pk_person_hazard *hazard = &walk->plan->person_hazards[arc->i_person_hazard];
    double *left = &walk->excess_left[arc->i_excess];
    if (!(walk->excess_known >> arc->i_excess & 1)) {
        walk->excess_known |= UINT64_C(1) << arc->i_excess;
        *left = pk_walk_exponential(pk_walk_draw(walk, i_arc, PK_ROLE_LAYER, 0, 0).first);
    }
    double factor = hazard->multipliers[walk->person->stratum] * arc->excess, copy = *left;
    if (walk->personal)
        factor *= pk_walk_personal_factor(walk, hazard->i_frailty, hazard->i_cure);
    return pk_walk_spend(walk, peek ? &copy : left, pk_plan_person_rate(hazard, walk->person->stratum), factor, 0,
                         walk->entry, until);
}

static void add_layer(struct walk *walk, struct active *active, size_t i, uint32_t i_stay, struct candidate *best)
{
    const double time = pk_walk_layer_time(walk, active, i, i_stay, best->time);
    if (time < best->time)
        *best = (struct candidate){.time = time, .arc = active[i].effect->arc, .added = true};
}

static enum pk_status next_event(struct walk *walk, uint32_t i_stay, struct candidate *best, struct pk_error *error)
{
    const struct pk_plan *plan = walk->plan;
    const struct pk_plan_state *state = &plan->states[walk->i_state];
    for (size_t i = 0; i < plan->n_person_hazards; i++)
        pk_walk_consider(best, walk->person_times[i], state->person_arcs[i], NULL);
    for (size_t i = 0; i < state->n_timers; i++) {
        const struct pk_timer *timer = &state->timers[i];
        const double zero = pk_walk_clock_zero(walk, timer->clock, 0), time = zero + pk_timer_value(timer, zero);
        pk_walk_consider(best, time > walk->entry ? time : walk->entry, timer->arcs[0], timer);
    }
    struct active active[PK_MAX_ACTIVE];
    bool guards = false;
    size_t n_active = 0;
    if (walk->treatment != NULL && (walk->enrolled != 0 || walk->i_next < walk->treatment->n)) {
        pk_walk_placement(walk, best);
        n_active = pk_walk_list_active(walk, best->time, active, &guards);
        if (n_active == SIZE_MAX)
            return pk_walk_too_many(walk, "enrolments within a stay", error);
    }
    for (size_t i = 0; i < n_active; i++)
        add_layer(walk, active, i, i_stay, best);
    if (walk->treatment != NULL && plan->n_preventions > 0)
        pk_walk_relapses(walk, best);
    /* what is blocked must be known to happen: so where events are, the excess is looked at first */
    for (size_t i = 0; guards && i < state->n_excess; i++)
        pk_walk_consider(best, excess_time(walk, state->excess_arcs[i], best->time, true), state->excess_arcs[i], NULL);
    /* after the layers, so that what cuts it short leaves it the rest */
    enum pk_status status = base_candidate(walk, active, n_active, best, error);
    for (size_t i = 0; i < state->n_excess; i++)
        pk_walk_consider(best, excess_time(walk, state->excess_arcs[i], best->time, false), state->excess_arcs[i],
                         NULL);
    return status;
}

static uint16_t split_destination(struct walk *walk, const struct pk_timer *timer, uint32_t i_stay)
{
    double u = pk_walk_draw(walk, timer->arcs[0], PK_ROLE_SPLIT, i_stay, 0).first;
    size_t i = 0;
    for (double below = walk->plan->arcs[timer->arcs[0]].share; i + 1 < timer->n_arcs && u >= below;)
        below += walk->plan->arcs[timer->arcs[++i]].share;
    return timer->arcs[i];
}

void pk_walk_begin(struct walk *walk, const struct pk_plan *plan, const struct pk_person *person,
                   const struct pk_treatment *treatment, struct pk_life *life)
{
    bool elsewhere = treatment != NULL && treatment->has_start && treatment->i_start != person->state;
    walk->plan = plan;
    walk->person = person;
    walk->rng = pk_rng_core_person(plan->seed, person->id, person->replication);
    walk->treatment = treatment;
    walk->multipliers = plan->multipliers + person->stratum * plan->n_arcs;
    walk->personal = false;
    walk->life = life;
    walk->i_state = elsewhere ? treatment->i_start : person->state;
    walk->entry = person->entry;
    walk->loses = treatment != NULL ? treatment->lost : 0;
    walk->state_zero = elsewhere ? person->entry : person->entry - person->elapsed;
    memset(walk->stays, 0, plan->n_states * sizeof *walk->stays);
    memset(walk->spells, 0, plan->n_states * sizeof *walk->spells);
    walk->open = walk->excess_known = walk->spell_cured = 0;
    if (treatment != NULL) {
        walk->enrolled = walk->i_next = 0;
        memset(walk->enrolments, 0, plan->n_services * sizeof *walk->enrolments);
    }
    if (treatment != NULL && plan->n_preventions > 0)
        memset(walk->guarded, 0, plan->n_preventions * sizeof *walk->guarded);
    if (plan->n_frailties + plan->n_cures > 0)
        pk_walk_become_personal(walk);
    life->start_state = (uint16_t)walk->i_state;
    life->start_tick = (int64_t)(walk->entry * PK_TICKS_PER_MONTH);
    life->n_events = life->n_blocked = 0;
    draw_person_times(walk, plan->horizon + 0.5 * PK_TICK);
    if (treatment != NULL)
        pk_walk_begin_services(walk, walk->entry + 0.5 * PK_TICK);
}

/* The end of the present stay, before what is done about its stay number and multipliers. */
static enum pk_status end_of_stay(struct walk *walk, uint32_t i_stay, struct candidate *best, struct pk_error *error)
{
    const double horizon = walk->plan->horizon, until = horizon + 0.5 * PK_TICK;
    *best = (struct candidate){.time = until};
    enum pk_status status = next_event(walk, i_stay, best, error);
    if (status != PK_OK)
        return status;
    walk->over = true;
    if (best->time >= until)
        return PK_OK;
    const double time = pk_tick_round(best->time);
    best->rounded = time > walk->entry ? time : walk->entry + PK_TICK;
    if (best->rounded > horizon)
        return PK_OK;
    walk->over = false;
    if (walk->treatment != NULL && walk->plan->n_preventions > 0)
        pk_walk_spend_relapses(walk, best, best->rounded);
    if (best->timer != NULL && best->timer->n_arcs > 1)
        best->arc = split_destination(walk, best->timer, i_stay);
    return PK_OK;
}

enum pk_status pk_walk_next(struct walk *walk, struct candidate *next, struct pk_error *error)
{
    walk->over = walk->plan->states[walk->i_state].absorbing;
    if (walk->over)
        return PK_OK;
    const uint32_t i_stay = walk->stays[walk->i_state]++;
    if (i_stay > UINT16_MAX)
        return pk_walk_too_many(walk, "spells", error);
    if (walk->personal && walk->plan->states[walk->i_state].personal)
        pk_walk_begin_spell(walk, i_stay);
    return end_of_stay(walk, i_stay, next, error);
}

void pk_walk_on(struct walk *walk, const struct candidate *next)
{
    if (walk->treatment != NULL)
        pk_walk_begin_services(walk, next->rounded);
    walk->i_state = walk->plan->arcs[next->arc].i_to;
    walk->entry = next->rounded;
    walk->state_zero = next->rounded;
    if (walk->treatment != NULL)
        pk_walk_arrive(walk);
}

enum pk_status pk_walk_go(struct walk *walk, bool while_treated, struct pk_error *error)
{
    struct pk_life *life = walk->life;
    for (;;) {
        struct candidate next;
        if (while_treated && !walk->plan->states[walk->i_state].absorbing && pk_walk_is_left_alone(walk)) {
            walk->over = false;
            return PK_OK;
        }
        enum pk_status status = pk_walk_next(walk, &next, error);
        if (status != PK_OK)
            return status;
        if (walk->over)
            break;
        if (life->n_events == PK_LIFE_MAX_EVENTS)
            return pk_walk_too_many(walk, "events", error);
        life->events[life->n_events++] = (struct pk_event){
            .tick = (int64_t)(next.rounded * PK_TICKS_PER_MONTH), .arc = next.arc, .added = next.added};
        pk_walk_on(walk, &next);
    }
    if (life->n_blocked > PK_LIFE_MAX_BLOCKED)
        return pk_walk_too_many(walk, "blocked events", error);
    return PK_OK;
}

enum pk_status pk_life_run(const struct pk_plan *plan, const struct pk_person *person,
                           const struct pk_treatment *treatment, struct pk_life *life, struct pk_error *error)
{
    struct walk walk;
    pk_walk_begin(&walk, plan, person, treatment, life);
    return pk_walk_go(&walk, false, error);
}
