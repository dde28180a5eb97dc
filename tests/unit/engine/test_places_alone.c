/* What must make no difference to who gets a scarce place: how people are looked at and stations are put together, who
 * asks elsewhere, and what other arms there are. */
#include <criterion/criterion.h>
#include <gsl/gsl_errno.h>
#include <stdio.h>
#include <string.h>

#include "places_world.h"

enum { WORLDS = 250 };

static bool same_given(const struct places_result *a, const struct places_result *b, uint64_t id)
{
    const struct pk_enrolled *x, *y;
    size_t n, m;
    if (places_given(a, id, &x, &n) != places_given(b, id, &y, &m) || n != m)
        return false;
    for (size_t i = 0; i < n; i++)
        if (x[i].i_service != y[i].i_service || x[i].from != y[i].from)
            return false;
    return true;
}

static bool same_at_station(const struct pk_queues *a, const struct pk_queues *b, size_t s)
{
    const size_t n = a->n_steps * PK_QUEUE_COUNTS;
    return memcmp(a->counts + s * n, b->counts + s * n, n * sizeof *a->counts) == 0 &&
           memcmp(a->waits + s * PK_WAIT_BINS, b->waits + s * PK_WAIT_BINS, PK_WAIT_BINS * sizeof *a->waits) == 0 &&
           a->waited[s] == b->waited[s] && a->held[s] == b->held[s] && a->waiting_at_end[s] == b->waiting_at_end[s] &&
           a->held_at_end[s] == b->held_at_end[s];
}

static void hold_same(const struct places_people *people, const struct places_result *a, const struct places_result *b,
                      size_t n_stations, const char *what, uint64_t number)
{
    cr_assert_eq(a->granted.n, b->granted.n, "world %lu: %s: another number of people ask", (unsigned long)number,
                 what);
    for (size_t i = 0; i < people->n; i++)
        cr_assert(same_given(a, b, people->ids[i]), "world %lu: %s: person %lu gets something else",
                  (unsigned long)number, what, (unsigned long)people->ids[i]);
    for (size_t s = 0; s < n_stations; s++)
        cr_assert(same_at_station(&a->queues, &b->queues, s), "world %lu: %s: station %zu differs",
                  (unsigned long)number, what, s);
}

/* ---- how it is done ---------------------------------------------------------------------------------------------- */

Test(places_alone, blocks_orders_and_components_make_no_difference)
{
    static const struct places_how hows[] = {
        {.block = 1}, {.block = 7, .backwards = true}, {.backwards = true}, {.one_component = true}};
    static const char *const whats[] = {"one by one", "seven at once, backwards", "backwards", "one component"};
    size_t n_several = 0, n_askers = 0;
    gsl_set_error_handler_off();
    for (uint64_t number = 40000; number < 40000 + WORLDS; number++) {
        struct support_world world;
        if (!places_invent(number, number % 2 == 0, &world))
            continue;
        for (size_t a = 0; a < world.plan.n_arms; a++) {
            struct places_people people;
            struct places_result plain, other;
            if (!world.plan.arms[a].queued)
                continue;
            places_people_make(&world.plan, 0, &people);
            places_run(&world.plan, a, &people, NULL, &plain);
            for (size_t h = 0; h < sizeof hows / sizeof *hows; h++) {
                places_run(&world.plan, a, &people, &hows[h], &other);
                hold_same(&people, &plain, &other, world.plan.n_stations, whats[h], number);
                places_result_free(&other);
            }
            n_several += plain.n_components > 1;
            n_askers += plain.granted.n;
            places_result_free(&plain);
            places_people_free(&people);
        }
        support_close(&world);
    }
    fprintf(stderr, "%zu askers, %zu calendars of several components\n", n_askers, n_several);
    cr_expect_gt(n_several, 50);
}

/* ---- who else there is ------------------------------------------------------------------------------------------- */

/* Whether whatever places this arm has are organised by the attribute. */
static bool is_all_by(const struct pk_plan *plan, const struct pk_plan_arm *arm, size_t i_attribute)
{
    bool all = arm->queued;
    for (size_t i = 0; i < arm->n_enrolments; i++)
        all &= !arm->enrolments[i].queued || plan->services[arm->enrolments[i].i_service].places.i_by == i_attribute;
    return all;
}

static void keep_region(const struct pk_plan *plan, uint8_t value, struct places_people *people)
{
    size_t n = 0;
    for (size_t i = 0; i < people->n; i++) {
        struct pk_person person;
        pk_person_make(plan, people->replication, people->ids[i], &person);
        people->ids[n] = people->ids[i];
        people->lotteries[n] = people->lotteries[i];
        n += person.values[0] == value;
    }
    people->n = n;
}

Test(places_alone, people_who_ask_at_other_stations_make_no_difference)
{
    size_t n_arms = 0, n_kept = 0, n_gone = 0;
    gsl_set_error_handler_off();
    for (uint64_t number = 50000; number < 50000 + WORLDS; number++) {
        struct support_world world;
        if (!places_invent(number, number % 2 == 0, &world))
            continue;
        const struct pk_plan *plan = &world.plan;
        for (size_t a = 0; a < plan->n_arms; a++) {
            struct places_people people;
            struct places_result all, some;
            if (!is_all_by(plan, &plan->arms[a], 0))
                continue;
            places_people_make(plan, 1, &people);
            places_run(plan, a, &people, NULL, &all);
            n_gone += all.granted.n;
            keep_region(plan, (uint8_t)(number % 3), &people);
            places_run(plan, a, &people, NULL, &some);
            n_arms++;
            n_gone -= some.granted.n;
            n_kept += some.granted.n;
            for (size_t i = 0; i < people.n; i++)
                cr_assert(same_given(&all, &some, people.ids[i]), "world %lu, person %lu", (unsigned long)number,
                          (unsigned long)people.ids[i]);
            for (size_t s = 0; s < plan->n_services; s++)
                if (plan->services[s].first_station != SIZE_MAX && plan->services[s].places.i_by == 0)
                    cr_assert(same_at_station(&all.queues, &some.queues, plan->services[s].first_station + number % 3),
                              "world %lu, service %zu", (unsigned long)number, s);
            places_result_free(&all);
            places_result_free(&some);
            places_people_free(&people);
        }
        support_close(&world);
    }
    fprintf(stderr, "%zu arms, %zu askers kept, %zu left out\n", n_arms, n_kept, n_gone);
    cr_expect(n_arms > 40 && n_kept > 200 && n_gone > 200);
}

/* ---- other arms -------------------------------------------------------------------------------------------------- */

Test(places_alone, arms_added_make_no_difference)
{
    size_t n_worlds = 0;
    gsl_set_error_handler_off();
    for (uint64_t number = 60000; number < 60000 + WORLDS; number++) {
        struct support_world world;
        struct places_people people;
        struct places_result with, without;
        if (!places_invent(number, number % 2 == 0, &world))
            continue;
        if (world.scenario.n_arms > 2) {
            places_people_make(&world.plan, 0, &people);
            places_run(&world.plan, 1, &people, NULL, &with);
            places_people_free(&people);
            world.scenario.n_arms = 2;
            pk_plan_free(&world.plan);
            pk_plan_init(&world.plan);
            support_change(&world, 0, 0);
            places_people_make(&world.plan, 0, &people);
            places_run(&world.plan, 1, &people, NULL, &without);
            hold_same(&people, &with, &without, world.plan.n_stations, "without other arms", number);
            places_result_free(&with);
            places_result_free(&without);
            places_people_free(&people);
            n_worlds++;
        }
        support_close(&world);
    }
    cr_expect_gt(n_worlds, 80);
}
