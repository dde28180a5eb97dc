/* What must hold of the places that calendars give, looked at by themselves: each place is held by one at a time, by
 * those whose turn it is, for as long as the lives lived afterwards say. */
#include <criterion/criterion.h>
#include <gsl/gsl_errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "places_world.h"
#include "slow_places.h"

static struct slow_stay stays[PK_LIFE_MAX_EVENTS + 1];

/* A place held: what is read off a life with all its enrolments. */
struct hold {
    uint64_t id;
    size_t i_station;
    int64_t from, to; /* to: the horizon where it is not given back before */
};
struct holds {
    struct hold *items; /* [n], owned */
    size_t n;
};

static int64_t ticks(double months)
{
    return (int64_t)(months * PK_TICKS_PER_MONTH);
}

/* All holds of services with places in an arm, by living everybody who was given any. */
static void list_holds(const struct pk_plan *plan, size_t i_arm, uint32_t replication,
                       const struct places_result *result, struct holds *holds)
{
    const struct pk_granted *granted = &result->granted;
    holds->items = pk_alloc(granted->first[granted->n] + 1, sizeof *holds->items);
    holds->n = 0;
    for (size_t i = 0; i < granted->n; i++) {
        struct pk_person person;
        pk_person_make(plan, replication, granted->ids[i], &person);
        const uint16_t start = pk_person_start_state(plan, &plan->arms[i_arm], &person);
        const struct pk_treatment treatment = {.has_start = start != person.state,
                                               .i_start = start,
                                               .n = granted->first[i + 1] - granted->first[i],
                                               .items = granted->items + granted->first[i]};
        const size_t n_stays = slow_places_live(plan, &person, &treatment, stays);
        for (size_t k = 0; k < treatment.n; k++) {
            const struct pk_plan_service *service = &plan->services[treatment.items[k].i_service];
            const int64_t release = slow_places_release(plan, &person, &treatment, k, stays, n_stays);
            if (service->first_station != SIZE_MAX)
                holds->items[holds->n++] = (struct hold){
                    .id = person.id,
                    .i_station = service->first_station +
                                 (service->places.i_by == SIZE_MAX ? 0 : person.values[service->places.i_by]),
                    .from = ticks(treatment.items[k].from),
                    .to = release == SLOW_NEVER ? ticks(plan->horizon) : release};
        }
    }
}

/* Places at a station at a tick. */
static uint64_t slots_at(const struct pk_plan *plan, const struct pk_plan_arm *arm, size_t i_station, int64_t tick,
                         bool *limited, enum pk_filled *filled)
{
    for (size_t s = 0; s < plan->n_services; s++) {
        const struct pk_plan_places *places = &plan->services[s].places;
        const size_t first = plan->services[s].first_station;
        if (first == SIZE_MAX || i_station < first || i_station >= first + places->n_stations)
            continue;
        *limited = places->limited && !(arm->ample[s] > 1e300);
        *filled = places->filled;
        size_t i = 0;
        while (i < places->n_cuts && ticks(places->cuts[i]) <= tick)
            i++;
        if (!*limited)
            return 0;
        const double slots = places->coaches[(i_station - first) * (places->n_cuts + 1) + i] * places->caseload;
        return (uint64_t)(slots * (isnan(arm->ample[s]) ? 1 : arm->ample[s]) + 0.5 + 1e-7);
    }
    cr_assert_fail("no such station");
    return 0;
}

/* ---- random worlds ----------------------------------------------------------------------------------------------- */

/* Nobody is given a place that somebody else holds. */
static size_t check_never_two(const struct pk_plan *plan, const struct pk_plan_arm *arm, const struct holds *holds,
                              uint64_t number)
{
    size_t n_checked = 0;
    for (size_t i = 0; i < holds->n; i++) {
        const struct hold *now = &holds->items[i];
        bool limited;
        enum pk_filled filled;
        uint64_t n_held = 0;
        const uint64_t slots = slots_at(plan, arm, now->i_station, now->from, &limited, &filled);
        if (!limited || filled == PK_FILLED_ANEW)
            continue;
        for (size_t k = 0; k < holds->n; k++)
            n_held += holds->items[k].i_station == now->i_station && holds->items[k].from <= now->from &&
                      holds->items[k].to > now->from;
        cr_assert(n_held <= slots, "world %lu, station %zu, tick %ld: %lu hold %lu places", (unsigned long)number,
                  now->i_station, (long)now->from, (unsigned long)n_held, (unsigned long)slots);
        n_checked++;
    }
    return n_checked;
}

/* Month by month what the calendar counted is what the lives say. */
static void check_as_lived(const struct pk_plan *plan, const struct pk_queues *queues, const struct holds *holds,
                           uint64_t number)
{
    const int64_t month = ticks(1);
    for (size_t s = 0; s < queues->n_stations; s++)
        for (size_t step = 0; step < queues->n_steps; step++) {
            const int64_t begin = (int64_t)step * month, end = begin + month;
            const int64_t *counts = queues->counts + (s * queues->n_steps + step) * PK_QUEUE_COUNTS;
            int64_t n_served = 0, n_finished = 0, held = 0;
            for (size_t k = 0; k < holds->n; k++) {
                const struct hold *hold = &holds->items[k];
                if (hold->i_station != s)
                    continue;
                const int64_t from = hold->from > begin ? hold->from : begin, to = hold->to < end ? hold->to : end;
                n_served += hold->from >= begin && hold->from < end;
                n_finished += hold->to >= begin && hold->to < end && hold->to < ticks(plan->horizon);
                held += from < to ? to - from : 0;
            }
            cr_assert(counts[PK_QUEUE_SERVED] == n_served && counts[PK_QUEUE_FINISHED] == n_finished &&
                          counts[PK_QUEUE_HELD] == held,
                      "world %lu, station %zu, month %zu: served %ld, lived %ld; given back %ld, %ld; held %ld, %ld",
                      (unsigned long)number, s, step, (long)counts[PK_QUEUE_SERVED], (long)n_served,
                      (long)counts[PK_QUEUE_FINISHED], (long)n_finished, (long)counts[PK_QUEUE_HELD], (long)held);
        }
}

/* Who is given nothing lives as if there were no arm. */
static size_t check_untouched(const struct pk_plan *plan, const struct pk_plan_arm *arm, uint32_t replication,
                              const struct pk_granted *granted)
{
    static struct pk_life lives[2];
    struct pk_error error;
    size_t n_untouched = 0;
    for (size_t i = 0; i < granted->n && !arm->has_start; i++) {
        struct pk_person person;
        const struct pk_treatment nothing = {.n = 0};
        if (granted->first[i + 1] > granted->first[i])
            continue;
        pk_person_make(plan, replication, granted->ids[i], &person);
        cr_assert_eq(pk_life_run(plan, &person, NULL, &lives[0], &error), PK_OK);
        cr_assert_eq(pk_life_run(plan, &person, &nothing, &lives[1], &error), PK_OK);
        cr_assert_eq(lives[0].n_events, lives[1].n_events);
        for (size_t k = 0; k < lives[0].n_events; k++)
            cr_assert(lives[0].events[k].tick == lives[1].events[k].tick &&
                      lives[0].events[k].arc == lives[1].events[k].arc);
        n_untouched++;
    }
    return n_untouched;
}

static void check_worlds(uint64_t first, size_t n_worlds, bool whole_months)
{
    size_t n_holds = 0, n_checked = 0, n_untouched = 0;
    gsl_set_error_handler_off();
    for (uint64_t number = first; number < first + n_worlds; number++) {
        struct support_world world;
        if (!places_invent(number, whole_months, &world))
            continue;
        for (size_t a = 0; a < world.plan.n_arms; a++) {
            struct places_people people;
            struct places_result result;
            struct holds holds;
            if (!world.plan.arms[a].queued)
                continue;
            places_people_make(&world.plan, 0, &people);
            places_run(&world.plan, a, &people, NULL, &result);
            list_holds(&world.plan, a, 0, &result, &holds);
            n_checked += check_never_two(&world.plan, &world.plan.arms[a], &holds, number);
            check_as_lived(&world.plan, &result.queues, &holds, number);
            n_untouched += check_untouched(&world.plan, &world.plan.arms[a], 0, &result.granted);
            n_holds += holds.n;
            pk_free(holds.items);
            places_result_free(&result);
            places_people_free(&people);
        }
        support_close(&world);
    }
    fprintf(stderr, "%zu places held, %zu of them scarce, %zu people asked in vain\n", n_holds, n_checked, n_untouched);
    cr_expect(n_holds > 2000 && n_checked > 500 && n_untouched > 300);
}

Test(places_outcomes, places_are_held_by_one_at_a_time_as_long_as_lives_say)
{
    check_worlds(70000, 300, false);
}

Test(places_outcomes, places_are_held_as_lives_say_where_much_happens_at_the_same_tick)
{
    check_worlds(80000, 300, true);
}
