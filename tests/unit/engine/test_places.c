/* Calendars of scarce places against slow ones (slow_places.h) on small random worlds: the same people get the same
 * places at the same ticks, and the same is counted at every station in every month. */
#include <criterion/criterion.h>
#include <gsl/gsl_errno.h>
#include <stdio.h>
#include <string.h>

#include "places_world.h"
#include "slow_places.h"

enum { WORLDS = 600 };

struct count {
    size_t n_worlds, n_calendars, n_people, n_askers, n_requests, n_grants, n_waited, n_reneged, n_left, n_finished;
};

static void hold_person(const struct slow_client *client, const struct places_result *result, const char *where,
                        struct count *count)
{
    const struct pk_enrolled *items;
    size_t n;
    const unsigned long long id = (unsigned long long)client->person.id;
    const bool asked = places_given(result, client->person.id, &items, &n);
    cr_assert_eq(asked, client->asked, "%s: person %llu %s", where, id, asked ? "asked" : "did not ask");
    for (size_t i = 0; asked && (i < n || i < client->treatment.n); i++)
        cr_assert(i < n && i < client->treatment.n && items[i].i_service == client->items[i].i_service &&
                      items[i].from == client->items[i].from,
                  "%s: person %llu, enrolment %zu: %d at %lld, expected %d at %lld", where, id, i,
                  i < n ? (int)items[i].i_service : -1, i < n ? (long long)(items[i].from * PK_TICKS_PER_MONTH) : -1,
                  i < client->treatment.n ? (int)client->items[i].i_service : -1,
                  i < client->treatment.n ? (long long)(client->items[i].from * PK_TICKS_PER_MONTH) : -1);
    count->n_askers += asked;
}

static void hold_queues(const struct pk_queues *got, const struct pk_queues *expected, const char *where)
{
    const char *what;
    size_t i_station;
    cr_assert(pk_queues_add_up(got, &i_station, &what), "%s: station %zu: %s", where, i_station, what);
    cr_assert(pk_queues_add_up(expected, &i_station, &what), "%s: slow station %zu: %s", where, i_station, what);
    for (size_t i = 0; i < got->n_stations * got->n_steps * PK_QUEUE_COUNTS; i++)
        cr_assert_eq(got->counts[i], expected->counts[i], "%s: station %zu, month %zu, %s: %lld, expected %lld", where,
                     i / PK_QUEUE_COUNTS / got->n_steps, i / PK_QUEUE_COUNTS % got->n_steps,
                     pk_queue_names[i % PK_QUEUE_COUNTS], (long long)got->counts[i], (long long)expected->counts[i]);
    for (size_t i = 0; i < got->n_stations * PK_WAIT_BINS; i++)
        cr_assert_eq(got->waits[i], expected->waits[i], "%s: station %zu, bin %zu: %lld waited, expected %lld", where,
                     i / PK_WAIT_BINS, i % PK_WAIT_BINS, (long long)got->waits[i], (long long)expected->waits[i]);
    for (size_t i = 0; i < 4 * got->n_stations; i++)
        cr_assert_eq(got->waited[i], expected->waited[i], "%s: station %zu: sum %zu", where, i % got->n_stations,
                     i / got->n_stations);
}

static void hold(const struct pk_plan *plan, size_t i_arm, uint32_t replication, bool slowly, const char *where,
                 struct count *count)
{
    struct places_people people;
    struct places_result result;
    struct slow_places twin;
    places_people_make(plan, replication, &people);
    places_run(plan, i_arm, &people, NULL, &result);
    slow_places_run(&twin, plan, i_arm, replication, people.ids, people.lotteries, people.n, slowly);
    for (size_t i = 0; i < people.n; i++)
        hold_person(&twin.clients[i], &result, where, count);
    hold_queues(&result.queues, &twin.queues, where);
    count->n_people += people.n;
    count->n_requests += twin.n_requests;
    count->n_calendars++;
    for (size_t i = 0; i < twin.queues.n_stations * twin.queues.n_steps * PK_QUEUE_COUNTS; i++) {
        const size_t n = (size_t)twin.queues.counts[i], what = i % PK_QUEUE_COUNTS;
        count->n_grants += what == PK_QUEUE_SERVED ? n : 0;
        count->n_reneged += what == PK_QUEUE_RENEGED ? n : 0;
        count->n_left += what == PK_QUEUE_LEFT ? n : 0;
        count->n_finished += what == PK_QUEUE_FINISHED ? n : 0;
    }
    for (size_t i = 0; i < twin.queues.n_stations * PK_WAIT_BINS; i++)
        count->n_waited += i % PK_WAIT_BINS > 0 ? (size_t)twin.queues.waits[i] : 0;
    slow_places_free(&twin);
    places_result_free(&result);
    places_people_free(&people);
}

/* Worlds first, first + 1, ...: all arms with places. Of each tenth nothing is remembered by the slow one. */
static void hold_worlds(uint64_t first, size_t n_worlds, bool whole_months, size_t least_waited)
{
    struct count count = {0};
    gsl_set_error_handler_off();
    for (uint64_t number = first; number < first + n_worlds; number++) {
        struct support_world world;
        if (!places_invent(number, whole_months, &world))
            continue;
        for (size_t a = 0; a < world.plan.n_arms; a++) {
            char where[64];
            snprintf(where, sizeof where, "world %llu, %s", (unsigned long long)number, world.scenario.arms[a].name);
            if (world.plan.arms[a].queued)
                hold(&world.plan, a, (uint32_t)(number % 3), number % 10 == 0, where, &count);
        }
        count.n_worlds++;
        support_close(&world);
    }
    fprintf(stderr,
            "%zu worlds, %zu calendars, %zu people, %zu asked, %zu requests, %zu grants (%zu after waiting), %zu gave "
            "up, %zu left the line, %zu gave the place back\n",
            count.n_worlds, count.n_calendars, count.n_people, count.n_askers, count.n_requests, count.n_grants,
            count.n_waited, count.n_reneged, count.n_left, count.n_finished);
    cr_expect_geq(count.n_waited, least_waited, "%zu people were served after waiting", count.n_waited);
}

Test(places, calendars_of_random_worlds_are_the_slow_ones_0)
{
    hold_worlds(0, WORLDS, false, 2000);
}

Test(places, calendars_of_random_worlds_are_the_slow_ones_1)
{
    hold_worlds(10000, WORLDS, false, 2000);
}

Test(places, calendars_where_much_happens_at_the_same_tick_are_the_slow_ones_0)
{
    hold_worlds(20000, WORLDS, true, 2000);
}

Test(places, calendars_where_much_happens_at_the_same_tick_are_the_slow_ones_1)
{
    hold_worlds(30000, WORLDS, true, 2000);
}
