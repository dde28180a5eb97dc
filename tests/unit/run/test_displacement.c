/* Who is displaced by whom, held against a search through everybody's lives that knows nothing of the engine's lists.
 */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "polku/enrolled.h"
#include "polku/life.h"
#include "polku/rng.h"
#include "support.h"

static const char *const model = "polku: 1\n"
                                 "model: displaced\n"
                                 "states: {idle: {}, work: {}, dead: {absorbing: true}}\n"
                                 "attributes: {region: {values: [north, middle, south]}}\n"
                                 "parameters:\n" //
    PARAMETER("finding", "0.5", "per_year") PARAMETER("losing", "0.6", "per_year")
        PARAMETER("dying", "0.02", "per_year") PARAMETER("more", "3", "ratio") PARAMETER("window", "2", "years")
            TABLE("course", "since_start", "[1]", "[0.4, 1.1]",
                  "per_year") "transitions:\n"
                              "  find: {from: idle, to: work, hazard: finding}\n"
                              "  look: {from: idle, to: work, hazard: course}\n"
                              "  lose: {from: work, to: idle, hazard: losing}\n"
                              "  die: {from: any, to: dead, hazard: dying}\n"
                              "services:\n"
                              "  help: {window: window, effects: [{transition: find, scale: more}]}\n";

#define SCENARIO(arms)                                                                                                 \
    "polku: 1\n"                                                                                                       \
    "scenario: displaced\n"                                                                                            \
    "model: model.yaml\n"                                                                                              \
    "seed: 7\n"                                                                                                        \
    "start: 2021-01-01\n"                                                                                              \
    "horizon: {years: 6}\n"                                                                                            \
    "replications: 2\n"                                                                                                \
    "population: {size: 900, state: {idle: 0.8, work: 0.2}, attributes: {region: {north: 0.2, middle: 0.3, south: "    \
    "0.5}}}\n"                                                                                                         \
    "arms:\n"                                                                                                          \
    "  plain: {enrol: [{service: help, persons: 150}]}\n" arms                                                         \
    "outcomes: {years: {measure: person_years, states: work, from: {years: 0}, to: horizon}}\n"

enum { MOST = 4096 };

struct opening {
    size_t i_person;
    int64_t tick;
    unsigned region;
};

static struct support_world world;
static struct pk_people_enrolled enrolled;
static struct pk_person people[1200];
static uint64_t won[1200];
static struct pk_life life, base;

static void open_world(const char *scenario)
{
    struct pk_error error;
    support_open_texts(&world, model, scenario);
    cr_assert_eq(pk_people_enrol(&enrolled, &world.plan, 1, 1, &error), PK_OK, "%s", error.message);
    cr_assert(enrolled.crowd.n_persons <= 1200);
    for (uint64_t i = 0; i < enrolled.crowd.n_persons; i++) {
        pk_person_make(&world.plan, 1, pk_crowd_id(&enrolled.crowd, i), &people[i]);
        won[i] = pk_people_won(&enrolled, &people[i]);
    }
}

static void close_world(void)
{
    pk_people_enrolled_free(&enrolled);
    support_close(&world);
}

static void live(size_t i, size_t i_arm, struct pk_life *into, struct pk_treatment *treatment,
                 struct pk_enrolled items[PK_MAX_ENROLMENTS])
{
    struct pk_error error;
    const bool touched =
        pk_lottery_treatment(&world.plan, i_arm, won[i], &people[i], enrolled.granted, items, treatment);
    if (!touched)
        treatment->n = 0;
    cr_assert_eq(pk_life_run(&world.plan, &people[i], touched ? treatment : NULL, into, &error), PK_OK);
}

static int by_tick(const void *a, const void *b)
{
    const struct opening *x = a, *y = b;
    return (x->tick > y->tick) - (x->tick < y->tick);
}

/* Every wanted event takes the first one after it, in its region, of somebody without help who has lost none. */
static size_t search(double share, bool by_region, size_t *losers, int64_t *ticks)
{
    static struct opening wanted[MOST], had[MOST];
    static bool lost[1200];
    const size_t i_find = pk_model_transition(&world.model, "find");
    size_t n_wanted = 0, n_had = 0, n = 0;
    memset(lost, 0, sizeof lost);
    for (size_t i = 0; i < enrolled.crowd.n_persons; i++) {
        struct pk_enrolled items[PK_MAX_ENROLMENTS];
        struct pk_treatment treatment;
        uint16_t k = 0;
        live(i, 0, &life, &treatment, items); /* the arm in which nobody is displaced */
        for (size_t e = 0; e < life.n_events; e++) {
            if (world.plan.arcs[life.events[e].arc].i_transition != i_find)
                continue;
            const struct opening opening = {i, life.events[e].tick, by_region ? people[i].values[0] : 0};
            if (treatment.n == 0) {
                had[n_had++] = opening;
            } else if (life.events[e].added) {
                const struct pk_rng_key key = {.seed = world.plan.seed,
                                               .person = people[i].id,
                                               .replication = 1,
                                               .stream = (uint32_t)i_find,
                                               .role = PK_ROLE_DISPLACED,
                                               .spell = k++};
                if (pk_rng_uniforms(&key).first < share)
                    wanted[n_wanted++] = opening;
            }
            cr_assert(n_had < MOST && n_wanted < MOST);
        }
    }
    qsort(wanted, n_wanted, sizeof *wanted, by_tick);
    qsort(had, n_had, sizeof *had, by_tick);
    for (size_t w = 0; w < n_wanted; w++)
        for (size_t h = 0; h < n_had; h++)
            if (had[h].tick > wanted[w].tick && had[h].region == wanted[w].region && !lost[had[h].i_person]) {
                lost[had[h].i_person] = true;
                losers[n] = had[h].i_person;
                ticks[n++] = had[h].tick;
                break;
            }
    return n;
}

static void hold(const char *scenario, double share, bool by_region, size_t least)
{
    static size_t losers[MOST];
    static int64_t ticks[MOST];
    size_t n_lost = 0;
    open_world(scenario);
    const size_t n = search(share, by_region, losers, ticks);
    const struct pk_granted *granted = &enrolled.granted[1];
    cr_assert_geq(n, least, "only %zu are displaced", n);
    for (size_t g = 0; g < granted->n; g++)
        n_lost += granted->lost[g] > 0;
    cr_expect_eq(n_lost, n, "%zu lost an event, %zu expected", n_lost, n);
    for (size_t k = 0; k < n; k++) {
        struct pk_enrolled items[PK_MAX_ENROLMENTS];
        struct pk_treatment treatment;
        const size_t i = losers[k], place = pk_lottery_place(granted->ids, granted->n, people[i].id);
        size_t same = 0;
        cr_assert(place < granted->n && granted->ids[place] == people[i].id, "person %zu keeps the event", i);
        cr_expect_eq(granted->lost[place], ticks[k]);
        live(i, 0, &base, &treatment, items);
        live(i, 1, &life, &treatment, items);
        while (same < life.n_events && same < base.n_events && life.events[same].tick == base.events[same].tick &&
               life.events[same].arc == base.events[same].arc)
            same++;
        cr_expect_eq(base.events[same].tick, ticks[k], "the life is the same up to the event that is lost");
        cr_expect(same == life.n_events || life.events[same].tick > ticks[k]);
    }
    for (size_t i = 0; i < enrolled.crowd.n_persons; i++) { /* whoever lost nothing lives as without displacement */
        struct pk_enrolled items[PK_MAX_ENROLMENTS];
        struct pk_treatment treatment;
        const size_t place = pk_lottery_place(granted->ids, granted->n, people[i].id);
        live(i, 0, &base, &treatment, items);
        live(i, 1, &life, &treatment, items);
        bool differ = base.n_events != life.n_events;
        for (size_t e = 0; e < life.n_events && !differ; e++)
            differ = base.events[e].tick != life.events[e].tick;
        const bool loses = place < granted->n && granted->ids[place] == people[i].id && granted->lost[place] > 0;
        cr_expect_eq(differ, loses, "person %zu", i);
    }
    close_world();
}

Test(displacement, is_what_a_search_through_all_lives_finds)
{
    hold(SCENARIO("  taken: {enrol: [{service: help, persons: 150}], displacement: {share: 0.6, transition: find, by: "
                  "region}}\n"),
         0.6, true, 40);
    hold(SCENARIO("  taken: {enrol: [{service: help, persons: 150}], displacement: {share: 1, transition: find}}\n"), 1,
         false, 80);
}

/* The first event in which a helped life leaves the base life is the service's; without help none is. */
Test(displacement, added_events_are_where_lives_part)
{
    size_t n_parted = 0;
    open_world(SCENARIO(""));
    for (size_t i = 0; i < enrolled.crowd.n_persons; i++) {
        struct pk_enrolled items[PK_MAX_ENROLMENTS];
        struct pk_treatment treatment;
        struct pk_error error;
        size_t same = 0;
        live(i, 0, &life, &treatment, items);
        cr_assert_eq(pk_life_run(&world.plan, &people[i], NULL, &base, &error), PK_OK);
        for (size_t e = 0; e < base.n_events; e++)
            cr_expect(!base.events[e].added);
        while (same < life.n_events && same < base.n_events && life.events[same].tick == base.events[same].tick)
            cr_expect(!life.events[same++].added);
        if (same == life.n_events)
            continue;
        cr_expect(life.events[same].added, "person %zu parts at an event that no service added", i);
        n_parted++;
    }
    cr_expect_gt(n_parted, 60);
    close_world();
}

/* A share of 0 is no displacement at all: the same result in every figure. */
Test(displacement, of_nobody_changes_nothing)
{
    struct pk_run run;
    support_open_texts(&world, model,
                       SCENARIO("  taken: {enrol: [{service: help, persons: 150}], displacement: {share: 0, "
                                "transition: find}}\n"));
    support_run(&world, NULL, &run);
    const double *values = run.fold.outcomes;
    for (size_t u = 0; u < run.fold.i_unit; u++)
        cr_expect_eq(values[2 * u], values[2 * u + 1]);
    cr_expect_eq(run.fold.n_touched[0], run.fold.n_touched[1]);
    pk_run_free(&run);
    support_close(&world);
}

/* Each loses one event at most: touched are those helped and those who lost. */
Test(displacement, is_counted_among_the_touched)
{
    struct pk_run run;
    support_open_texts(&world, model,
                       SCENARIO("  taken: {enrol: [{service: help, persons: 150}], displacement: {share: 1, "
                                "transition: find}}\n"));
    support_run(&world, NULL, &run);
    double difference = 0;
    cr_expect_eq(run.n_batches, 1, "people who may displace each other are no independent batches");
    for (size_t u = 0; u < run.fold.i_unit; u++)
        difference += run.fold.outcomes[2 * u + 1] - run.fold.outcomes[2 * u];
    cr_expect_eq(run.fold.n_touched[0], 300);
    cr_expect_gt(run.fold.n_touched[1], 300 + 160);
    cr_expect_leq(run.fold.n_changed[1], run.fold.n_touched[1]);
    cr_expect_lt(difference, -10, "displacement costs others %g years of work", difference);
    pk_run_free(&run);
    support_close(&world);
}
