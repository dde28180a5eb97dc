/* A life again, slowly: written from design.md part 4 in long double, without segments kept between events, and held
 * against pk_life_run event by event. Only the keys of the random numbers are shared (rng.h).
 *
 * It reads: in a state all transitions form one total hazard. A unit exponential is spent on it and one uniform picks
 * the destination; what a stay that ends otherwise (a layer, a timer) leaves of the exponential, with its uniform, the
 * next stay in that state takes up. It is keyed by how many base events of that state have been kept and by how many
 * have been rejected since. Hazards common to all states have one draw a person; a state's excess has one exponential a
 * person, spent over all stays there. A lower hazard rejects base events with a mark keyed as the exponential, a higher
 * one adds a layer with its own exponential, keyed by transition and stay. Timers and layers end a stay before its base
 * hazards are looked at, the excess after. No Gompertz hazards and no timer with a split: none of these models has
 * one. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "polku/rng.h"
#include "support.h"

#define TICKS 1048576.0L
enum { MOST_POINTS = 512 };

/* The base hazards' exponential of a state, while it is not used up. */
struct base {
    unsigned kept, rejected; /* base events of the state; rejected since the last one kept */
    bool begun;
    long double left;
    double mark;
};

struct slow {
    const struct pk_plan *plan;
    const struct pk_person *person;
    const struct pk_treatment *treatment;
    size_t state;
    long double entry; /* months after the start */
    bool first_spell;
    unsigned stays[PK_MAX_STATES];        /* before this one, by state */
    struct base bases[PK_MAX_STATES];     /* by state */
    long double excess_left[PK_MAX_ARCS]; /* 0: not yet drawn */
    bool over[PK_MAX_ENROLMENTS][64];     /* effects for the first job that have ended */
};

static struct pk_rng_pair keyed(const struct slow *w, size_t stream, enum pk_rng_role role, unsigned spell,
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

/* What a clock reads at time t. */
static long double reads(const struct slow *w, enum pk_clock clock, long double enrolled, long double t)
{
    switch (clock) {
    case PK_CLOCK_STATE:
        return t - w->entry + (w->first_spell ? (long double)w->person->elapsed : 0);
    case PK_CLOCK_AGE:
        return t + w->person->age;
    case PK_CLOCK_ENROLMENT:
        return t - enrolled;
    default:
        return t;
    }
}

static long double rate_at(const struct slow *w, const struct pk_rate *rate, long double enrolled, long double t)
{
    long double x = reads(w, rate->clock, enrolled, t);
    size_t i = 0;
    while (i < rate->n_cuts && rate->cuts[i] <= x)
        i++;
    return rate->levels[i];
}

static long double base_at(const struct slow *w, size_t arc, long double t)
{
    return w->plan->multipliers[w->person->stratum * w->plan->n_arcs + arc] *
           rate_at(w, &w->plan->arcs[arc].rate, 0, t);
}

/* The arm's hazard of an arc at t, all its services in force. */
static long double arm_at(const struct slow *w, size_t arc, long double t)
{
    long double hazard = base_at(w, arc, t);
    for (size_t i = 0; w->treatment != NULL && i < w->treatment->n; i++) {
        const struct pk_plan_service *service = &w->plan->services[w->treatment->items[i].i_service];
        long double from = w->treatment->items[i].from;
        for (size_t k = 0; k < service->n_effects; k++) {
            const struct pk_plan_effect *effect = &service->effects[k];
            if (effect->arc != arc || w->over[i][k] || t < from || t >= from + service->window)
                continue;
            if (effect->mode == PK_EFFECT_SCALE)
                return hazard * effect->ratio;
            long double own = rate_at(w, &effect->rate, from, t);
            return effect->mode == PK_EFFECT_AT_LEAST && own < hazard ? hazard : own;
        }
    }
    return hazard;
}

/* ---- spending an exponential ------------------------------------------------------------------------------------- */

enum what { TOTAL, LAYER, COMMON, EXCESS };

static long double hazard_of(const struct slow *w, enum what what, size_t i, long double t)
{
    const struct pk_plan *plan = w->plan;
    long double sum = 0;
    switch (what) {
    case TOTAL:
        for (size_t a = 0; a < plan->n_arcs; a++)
            if (plan->arcs[a].i_from == w->state && plan->arcs[a].i_person_hazard == SIZE_MAX &&
                !plan->arcs[a].deterministic)
                sum += base_at(w, a, t);
        return sum;
    case LAYER:
        return fmaxl(arm_at(w, i, t) - base_at(w, i, t), 0);
    case COMMON:
        return plan->person_hazards[i].multipliers[w->person->stratum] *
               rate_at(w, &plan->person_hazards[i].rate, 0, t);
    case EXCESS:
        return plan->arcs[i].excess * hazard_of(w, COMMON, plan->arcs[i].i_person_hazard, t);
    }
    return 0;
}

static int ascending(const void *a, const void *b)
{
    long double x = *(const long double *)a, y = *(const long double *)b;
    return (x > y) - (x < y);
}

static size_t add_points(const struct slow *w, const struct pk_rate *rate, long double enrolled, long double from,
                         long double until, long double *points, size_t n)
{
    for (size_t i = 0; i < rate->n_cuts; i++) {
        long double t = from + (rate->cuts[i] - reads(w, rate->clock, enrolled, from));
        if (t > from && t < until)
            points[n++] = t;
    }
    cr_assert(n < MOST_POINTS);
    return n;
}

/* All times in (from, until) at which anything could change, sorted, with both ends. */
static size_t all_points(const struct slow *w, long double from, long double until, long double *points)
{
    size_t n = 0;
    points[n++] = from;
    points[n++] = until;
    for (size_t a = 0; a < w->plan->n_arcs; a++)
        if (w->plan->arcs[a].i_from == w->state && w->plan->arcs[a].i_person_hazard == SIZE_MAX &&
            !w->plan->arcs[a].deterministic)
            n = add_points(w, &w->plan->arcs[a].rate, 0, from, until, points, n);
    for (size_t i = 0; i < w->plan->n_person_hazards; i++)
        n = add_points(w, &w->plan->person_hazards[i].rate, 0, from, until, points, n);
    for (size_t i = 0; w->treatment != NULL && i < w->treatment->n; i++) {
        const struct pk_plan_service *service = &w->plan->services[w->treatment->items[i].i_service];
        long double ends[2] = {w->treatment->items[i].from, w->treatment->items[i].from + service->window};
        for (size_t k = 0; k < 2; k++)
            if (ends[k] > from && ends[k] < until)
                points[n++] = ends[k];
        for (size_t k = 0; k < service->n_effects; k++)
            if (service->effects[k].mode != PK_EFFECT_SCALE)
                n = add_points(w, &service->effects[k].rate, ends[0], from, until, points, n);
    }
    qsort(points, n, sizeof *points, ascending);
    return n;
}

/* When the exponential is used up; INFINITY where it is not before until, with what is left of it. */
static long double spend(const struct slow *w, enum what what, size_t i, long double *left, long double from,
                         long double until)
{
    long double points[MOST_POINTS];
    size_t n = all_points(w, from, until, points);
    for (size_t k = 0; k + 1 < n; k++) {
        long double length = points[k + 1] - points[k];
        long double hazard = length > 0 ? hazard_of(w, what, i, points[k] + length / 2) : 0;
        if (hazard > 0 && *left < hazard * length)
            return points[k] + *left / hazard;
        *left -= hazard * length;
    }
    return INFINITY;
}

/* ---- one life --------------------------------------------------------------------------------------------------- */

/* The base event before until that the arm keeps, by candidates. */
static long double base_event(struct slow *w, long double until, uint16_t *arc)
{
    const struct pk_plan_state *state = &w->plan->states[w->state];
    struct base *base = &w->bases[w->state];
    long double from = w->entry;
    for (;;) {
        if (!base->begun) {
            struct pk_rng_pair u = keyed(w, state->stream, PK_ROLE_EVENT, base->kept, base->rejected);
            base->left = -logl(u.first);
            base->mark = u.second;
            base->begun = true;
        }
        long double t = spend(w, TOTAL, 0, &base->left, from, until);
        if (isinf(t))
            return INFINITY;
        base->begun = false;
        /* destinations stand in the plan's order: axis by axis */
        long double mark = base->mark * hazard_of(w, TOTAL, 0, t), below = 0;
        for (size_t x = 0; x < state->n_axes; x++)
            for (size_t k = 0; k < state->axes[x].n_arcs && mark >= below; k++) {
                *arc = state->axes[x].arcs[k];
                below += base_at(w, *arc, t);
            }
        long double without = base_at(w, *arc, t), with = arm_at(w, *arc, t);
        if (with >= without || keyed(w, *arc, PK_ROLE_ACCEPTANCE, base->kept, base->rejected).first < with / without) {
            base->kept++;
            base->rejected = 0;
            return t;
        }
        base->rejected++;
        from = t;
    }
}

static void first(long double t, uint16_t arc, long double *best, uint16_t *best_arc)
{
    if (t < *best) {
        *best = t;
        *best_arc = arc;
    }
}

/* The next event from the state entered at w->entry; false: none before the horizon. */
static bool next(struct slow *w, const long double *common, int64_t *tick, uint16_t *arc)
{
    const struct pk_plan *plan = w->plan;
    const struct pk_plan_state *state = &plan->states[w->state];
    long double until = plan->horizon + 0.5L / TICKS, best = until;
    unsigned stay = w->stays[w->state]++;
    for (size_t a = 0; a < plan->n_arcs; a++) {
        if (plan->arcs[a].i_from != w->state || plan->arcs[a].deterministic)
            continue;
        if (plan->arcs[a].i_person_hazard != SIZE_MAX) {
            first(common[plan->arcs[a].i_person_hazard], (uint16_t)a, &best, arc);
        } else if (w->treatment != NULL) {
            long double left = -logl(keyed(w, a, PK_ROLE_LAYER, stay, 0).first);
            first(spend(w, LAYER, a, &left, w->entry, until), (uint16_t)a, &best, arc);
        }
    }
    for (size_t i = 0; i < state->n_timers; i++) { /* one destination each in these models */
        cr_assert_eq(state->timers[i].n_arcs, 1);
        long double left = state->timers[i].value - reads(w, state->timers[i].clock, 0, w->entry);
        first(w->entry + fmaxl(left, 0), state->timers[i].arcs[0], &best, arc);
    }
    uint16_t of_base = 0;
    long double of_state = base_event(w, best, &of_base);
    first(of_state, of_base, &best, arc);
    for (size_t a = 0; a < plan->n_arcs; a++) {
        if (plan->arcs[a].i_from != w->state || plan->arcs[a].i_person_hazard == SIZE_MAX ||
            !(plan->arcs[a].excess > 0))
            continue;
        if (w->excess_left[a] == 0)
            w->excess_left[a] = -logl(keyed(w, a, PK_ROLE_LAYER, 0, 0).first);
        first(spend(w, EXCESS, a, &w->excess_left[a], w->entry, best), (uint16_t)a, &best, arc);
    }
    *tick = (int64_t)rintl(best * TICKS);
    if (*tick <= (int64_t)(w->entry * TICKS))
        *tick = (int64_t)(w->entry * TICKS) + 1;
    return best < until && *tick <= (int64_t)(plan->horizon * TICKS);
}

static struct pk_life life;

/* Holds one life against the slow one; every event starts from the fast one's history. Returns ticks that differ. */
static size_t hold(const struct pk_plan *plan, const struct pk_person *person, const struct pk_treatment *treatment)
{
    struct pk_error error;
    struct slow w = {
        .plan = plan, .person = person, .treatment = treatment, .state = person->state, .first_spell = true};
    long double common[PK_MAX_TRANSITIONS];
    size_t n_off = 0;
    cr_assert_eq(pk_life_run(plan, person, treatment, &life, &error), PK_OK);
    for (size_t i = 0; i < plan->n_person_hazards; i++) {
        long double left = -logl(keyed(&w, plan->person_hazards[i].i_transition, PK_ROLE_PERSON, 0, 0).first);
        common[i] = spend(&w, COMMON, i, &left, 0, plan->horizon + 1);
    }
    for (size_t e = 0; !plan->states[w.state].absorbing; e++) {
        int64_t tick = 0;
        uint16_t arc = UINT16_MAX;
        bool any = next(&w, common, &tick, &arc);
        cr_assert_eq(any, e < life.n_events, "person %lu: event %zu of %zu, slowly at tick %ld",
                     (unsigned long)person->id, e, life.n_events, (long)tick);
        if (!any)
            break;
        cr_assert_eq(life.events[e].arc, arc, "person %lu, event %zu: arc %d, slowly %d", (unsigned long)person->id, e,
                     life.events[e].arc, arc);
        cr_assert(labs((long)(life.events[e].tick - tick)) <= 1, "person %lu, event %zu: tick %ld, slowly %ld",
                  (unsigned long)person->id, e, (long)life.events[e].tick, (long)tick);
        n_off += life.events[e].tick != tick;
        w.entry = (long double)life.events[e].tick / TICKS;
        w.first_spell = false;
        w.state = plan->arcs[arc].i_to;
        for (size_t i = 0; treatment != NULL && i < treatment->n; i++) {
            const struct pk_plan_service *service = &plan->services[treatment->items[i].i_service];
            for (size_t k = 0; k < service->n_effects; k++)
                if (service->first_job_only && w.entry > treatment->items[i].from &&
                    plan->arcs[service->effects[k].arc].i_to == w.state)
                    w.over[i][k] = true;
        }
    }
    return n_off;
}

/* Everybody untreated and in each service, enrolled at 0 and after 13.7 months. */
static void hold_all(const struct support_world *world, uint64_t n_persons, uint64_t least_events)
{
    size_t n_off = 0, n_events = 0;
    for (uint64_t id = 0; id < n_persons; id++) {
        struct pk_person person;
        pk_person_make(&world->plan, 2, id, &person);
        n_off += hold(&world->plan, &person, NULL);
        n_events += life.n_events;
        for (size_t s = 0; s < world->plan.n_services; s++)
            for (int late = 0; late < 2; late++) {
                const struct pk_treatment treatment = {
                    .n = 1, .items = {{.i_service = s, .from = late ? pk_tick_round(13.7) : 0}}};
                n_off += hold(&world->plan, &person, &treatment);
                n_events += life.n_events;
            }
    }
    cr_expect_gt(n_events, least_events);
    cr_expect(n_off * 100000 <= n_events, "%zu of %zu ticks differ", n_off, n_events);
}

Test(life_twin, ref5_lives_are_the_slow_ones)
{
    struct support_world world;
    support_open_file(&world, "ref5.yaml", NULL, 0);
    hold_all(&world, 3000, 50000);
    support_close(&world);
}

Test(life_twin, ref5_lives_with_a_lower_hazard_for_life_are_the_slow_ones)
{
    const struct pk_set sets[2] = {{"coaching_ratio", "0.35"}, {"coaching_window", "life"}};
    struct support_world world;
    support_open_file(&world, "ref5-coupling.yaml", sets, 2);
    hold_all(&world, 2000, 30000);
    support_close(&world);
}

Test(life_twin, work_ability_lives_are_the_slow_ones_untreated_and_in_each_service)
{
    struct support_world world;
    support_open_file(&world, "ips-vs-typ.yaml", NULL, 0);
    hold_all(&world, 3000, 20000);
    support_close(&world);
}

Test(life_twin, work_ability_lives_are_the_slow_ones_where_services_help_to_the_first_job_only)
{
    const struct pk_set sets[3] = {{"first_job_only", "1"}, {"effect_window", "for_life"}, {"job_loss_scale", "2"}};
    struct support_world world;
    support_open_file(&world, "ips-vs-typ.yaml", sets, 3);
    hold_all(&world, 1500, 10000);
    support_close(&world);
}

/* Base hazards above the services' (0.5 a year x 1.5 in the first): they are lowered in some segments, raised in
 * others. */
Test(life_twin, work_ability_lives_are_the_slow_ones_where_services_lower_hazards)
{
    const struct pk_set sets[2] = {{"job_finding_none", "0.2"}, {"ips_job_finding", "0.25"}};
    struct support_world world;
    support_open_file(&world, "ips-vs-typ.yaml", sets, 2);
    hold_all(&world, 1500, 10000);
    support_close(&world);
}
