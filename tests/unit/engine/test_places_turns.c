/* Whose turn it is, where it can be told without a calendar: everybody asks at a known time and waits until they are
 * served or die. And where there are places for all, lives are those with a service that has none. */
#include <criterion/criterion.h>
#include <gsl/gsl_errno.h>
#include <stdio.h>
#include <string.h>

#include "places_world.h"
#include "slow_places.h"

#define HEAD                                                                                                           \
    "polku: 1\nmodel: m\nstates: {a: {}, b: {}, dead: {absorbing: true}}\nattributes:\n"                               \
    "  region: {values: [n, s]}\n  need: {values: [low, high]}\n  wave: {values: [w0, w1, w2]}\nparameters:\n"
#define PARAMETERS                                                                                                     \
    PARAMETER("r", "1.31", "per_year")                                                                                 \
    PARAMETER("often", "0.87", "per_year")                                                                             \
    PARAMETER("die", "0.21", "per_year")                                                                               \
    PARAMETER("some", "4", "persons")                                                                                  \
    PARAMETER("term", "0.197", "years")                                                                                \
    PARAMETER("life", "life", "years") PARAMETER("double", "2.2", "ratio") PARAMETER("year", "0.9", "years")
#define TRANSITIONS                                                                                                    \
    "transitions:\n  ab: {from: a, to: b, hazard: r}\n  ba: {from: b, to: a, hazard: often}\n"                         \
    "  die: {from: any, to: dead, hazard: die}\n"
#define EFFECTS "effects: [{transition: ab, scale: double}, {transition: ba, replace: r}]"
#define POPULATION                                                                                                     \
    "  state: {a: 0.7, b: 0.3}\n  attributes:\n    region: {n: 0.6, s: 0.4}\n    need: {low: 0.8, high: 0.2}\n"        \
    "    wave: {w0: 0.4, w1: 0.3, w2: 0.3}\n"

enum { PERSONS = 200, WAVES = 3 };
static const int asked_at[WAVES] = {0, 1, 4}; /* months */

static struct slow_stay stays[PK_LIFE_MAX_EVENTS + 1];

/* One who asks. */
struct one {
    uint8_t region, need;
    int64_t asked, died, served, back; /* ticks; SLOW_NEVER */
};

static void list(const struct pk_plan *plan, const struct places_people *people, const struct places_result *result,
                 struct one *ones)
{
    for (size_t i = 0; i < people->n; i++) {
        struct pk_person person;
        struct pk_treatment treatment = {0};
        pk_person_make(plan, people->replication, people->ids[i], &person);
        (void)places_given(result, person.id, &treatment.items, &treatment.n); /* but for who dies before asking */
        cr_assert(treatment.n <= 1);
        const size_t n = slow_places_live(plan, &person, &treatment, stays);
        ones[i] = (struct one){.region = person.values[0],
                               .need = person.values[1],
                               .asked = (int64_t)asked_at[person.values[2]] << 20,
                               .died = stays[n - 1].state == 2 ? stays[n - 1].from : SLOW_NEVER,
                               .served = SLOW_NEVER,
                               .back = SLOW_NEVER};
        if (treatment.n == 1) {
            ones[i].served = (int64_t)(treatment.items[0].from * PK_TICKS_PER_MONTH);
            ones[i].back = slow_places_release(plan, &person, &treatment, 0, stays, n);
        }
    }
}

static bool waits_at(const struct one *one, int64_t tick)
{
    return one->asked <= tick && one->served > tick && one->died > tick;
}

static size_t n_held_at(const struct one *ones, size_t n, uint8_t region, int64_t tick)
{
    size_t n_held = 0;
    for (size_t i = 0; i < n; i++)
        n_held += ones[i].region == region && ones[i].served <= tick && ones[i].back > tick;
    return n_held;
}

/* Whenever anything changes at a station: all places are taken, or nobody waits. */
static void check_none_idle(const struct one *ones, size_t n, size_t n_places)
{
    for (size_t i = 0; i < n; i++) {
        const int64_t times[2] = {ones[i].asked, ones[i].back};
        for (size_t k = 0; k < 2; k++) {
            size_t n_waiting = 0;
            for (size_t j = 0; j < n; j++)
                n_waiting += ones[j].region == ones[i].region && waits_at(&ones[j], times[k]);
            if (times[k] == SLOW_NEVER)
                continue;
            const size_t n_held = n_held_at(ones, n, ones[i].region, times[k]);
            cr_assert(n_held <= n_places && (n_waiting == 0 || n_held == n_places),
                      "at %ld: %zu of %zu places are held, %zu wait", (long)times[k], n_held, n_places, n_waiting);
        }
    }
}

static void hold_turns(const char *priority, bool strict)
{
    struct support_world world;
    struct places_people people;
    struct places_result result;
    static struct one ones[PERSONS];
    struct pk_text model;
    size_t n_waited = 0, n_pairs = 0;
    gsl_set_error_handler_off();
    pk_text_init(&model);
    pk_text_addf(&model,
                 HEAD PARAMETERS TRANSITIONS "services:\n  s:\n    window: held\n    held: {length: term}\n    " EFFECTS
                                             "\n    places: {by: region, coaches: some%s}\n",
                 priority);
    const struct support_scenario scenario = {
        .seed = 5417,
        .persons = PERSONS,
        .horizon_months = 40,
        .population = POPULATION,
        .arms = "  base: {}\n  scarce:\n    enrol:\n"
                "      - {service: s, share: 1, at: {months: 0}, among: {wave: [w0]}}\n"
                "      - {service: s, share: 1, at: {months: 1}, among: {wave: [w1]}}\n"
                "      - {service: s, share: 1, at: {months: 4}, among: {wave: [w2]}}\n"};
    support_open(&world, pk_text_string(&model), &scenario);
    pk_text_free(&model);
    for (uint32_t replication = 0; replication < 10; replication++) {
        places_people_make(&world.plan, replication, &people);
        places_run(&world.plan, 1, &people, NULL, &result);
        list(&world.plan, &people, &result, ones);
        check_none_idle(ones, PERSONS, 4);
        for (size_t i = 0; i < PERSONS; i++)
            for (size_t j = 0; j < PERSONS; j++) { /* j could have had the place that i got */
                if (ones[i].served == SLOW_NEVER || ones[j].region != ones[i].region ||
                    !waits_at(&ones[j], ones[i].served))
                    continue;
                n_pairs++;
                cr_assert(ones[j].need != ones[i].need || ones[j].asked >= ones[i].asked, "%zu came before %zu", j, i);
                cr_assert(!strict || ones[j].need <= ones[i].need, "%zu has priority over %zu", j, i);
            }
        for (size_t i = 0; i < PERSONS; i++)
            n_waited += ones[i].served != SLOW_NEVER && ones[i].served > ones[i].asked;
        places_result_free(&result);
        places_people_free(&people);
    }
    fprintf(stderr, "%zu served after waiting, %zu times that somebody else waited\n", n_waited, n_pairs);
    cr_expect(n_waited > 500 && n_pairs > 10000);
    support_close(&world);
}

Test(places_turns, first_come_is_first_served_and_no_place_is_idle)
{
    hold_turns("", false);
}

Test(places_turns, within_a_class_first_come_is_first_served)
{
    hold_turns(", priority: {attribute: need, ahead: {high: term}}", false);
}

Test(places_turns, priority_for_life_is_strict)
{
    hold_turns(", priority: {attribute: need, ahead: {high: life}}", true);
}

/* ---- ample places ------------------------------------------------------------------------------------------------ */

static void hold_ample(const char *held, const char *window, int months)
{
    static struct pk_life lives[2];
    struct support_world world;
    struct places_people people;
    struct places_result result;
    struct pk_text model;
    struct pk_error error;
    size_t n_events = 0, n_enrolled = 0;
    gsl_set_error_handler_off();
    pk_text_init(&model);
    pk_text_addf(&model, HEAD PARAMETERS TRANSITIONS "services:\n");
    for (size_t s = 0; s < 2; s++)
        pk_text_addf(&model, "  s%zu:\n    window: %s\n%s    " EFFECTS "\n%s", s, window, held,
                     s == 0 ? "    places: {by: region, coaches: some}\n" : "");
    struct pk_text arms;
    pk_text_init(&arms);
    pk_text_addf(
        &arms,
        "  base: {}\n  plenty:\n    enrol: [{service: s0, persons: 250, at: {months: %d}}]\n    places: ample\n"
        "  without:\n    enrol: [{service: s1, persons: 250, at: {months: %d}}]\n",
        months, months);
    const struct support_scenario scenario = {
        .seed = 90210, .persons = 400, .horizon_months = 40, .population = POPULATION, .arms = pk_text_string(&arms)};
    support_open(&world, pk_text_string(&model), &scenario);
    pk_text_free(&model);
    pk_text_free(&arms);
    places_people_make(&world.plan, 0, &people);
    places_run(&world.plan, 1, &people, NULL, &result);
    for (size_t i = 0; i < people.n; i++) {
        struct pk_person person;
        struct pk_treatment plenty = {0}, without;
        struct pk_enrolled items[PK_MAX_ENROLMENTS];
        pk_person_make(&world.plan, 0, people.ids[i], &person);
        (void)places_given(&result, person.id, &plenty.items, &plenty.n);
        (void)pk_lottery_treatment(&world.plan, 2, people.lotteries[i], &person, NULL, items, &without);
        cr_assert_eq(pk_life_run(&world.plan, &person, &plenty, &lives[0], &error), PK_OK);
        cr_assert_eq(pk_life_run(&world.plan, &person, &without, &lives[1], &error), PK_OK);
        cr_assert_eq(lives[0].n_events, lives[1].n_events, "person %zu", i);
        for (size_t k = 0; k < lives[0].n_events; k++)
            cr_assert(lives[0].events[k].tick == lives[1].events[k].tick &&
                          lives[0].events[k].arc == lives[1].events[k].arc,
                      "person %zu, event %zu", i, k);
        n_events += lives[0].n_events;
        n_enrolled += plenty.n;
    }
    fprintf(stderr, "%zu enrolled, %zu events\n", n_enrolled, n_events);
    cr_expect(n_enrolled > 200 && n_events > 1000);
    places_result_free(&result);
    places_people_free(&people);
    support_close(&world);
}

Test(places_turns, with_places_for_all_lives_are_those_without_places)
{
    for (int months = 0; months < 10; months += 7) {
        hold_ample("", "year", months);
        hold_ample("    held: {length: term}\n", "held", months);
        hold_ample("    held: {length: year, while: [a], support: {b: term}}\n", "held", months);
    }
}
