/* People made many at once against pk_person_make_read, field by field, by every instruction set. */
#include "polku/persons.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "support.h"

enum { PERSONS = 3000, MOST = 4096 };
#define HEAD                                                                                                           \
    "polku: 1\nmodel: m\nstates: {a: {}, b: {}, c: {}, d: {}, e: {}, f: {}, gone: {absorbing: true}}\n"                \
    "attributes: {sex: {values: [w, m]}, kind: {values: [x, y, z]}, only: {values: [one]},\n"                          \
    "  area: {values: [a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, b0, b1, b2, b3, b4, b5, b6, b7, b8, b9, c0]}}\n"        \
    "frailty: {f: {variance: v}, g: {variance: v, unconditional: true}}\nparameters:\n" PARAMETER(                     \
        "v", "0.7", "variance") PARAMETER("r", "0.3", "per_year") PARAMETER("two", "2", "ratio")                       \
        PARAMETER("p", "0.3", "share") TABLE("t", "time_in_state", "[1]", "[0.4, 0.1]", "per_year")                    \
            TABLE("by_age", "age", "[30, 50]", "[0.1, 0.2, 0.4]", "per_year")
#define TRANSITIONS                                                                                                    \
    "transitions:\n  ab: {from: a, to: b, hazard: t, frailty: f}\n"                                                    \
    "  bc: {from: b, to: c, hazard: r, frailty: g, cure: {share: p, per: person, unconditional: true}}\n"              \
    "  cd: {from: c, to: d, hazard: by_age, ratios: {sex: {m: two}, area: {b7: two}}, cure: {share: p, per: "          \
    "person}}\n"                                                                                                       \
    "  de: {from: d, to: e, hazard: r}\n  ef: {from: e, to: f, hazard: r, ratios: {kind: {z: two}}}\n"                 \
    "  go: {from: any, to: gone, hazard: by_age, frailty: f}\n"
#define AREAS                                                                                                          \
    "area: {a0: 0.05, a1: 0.05, a2: 0.05, a3: 0.05, a4: 0, a5: 0.1, a6: 0.05, a7: 0.05, a8: 0.05, a9: 0.05, b0: "      \
    "0.05, b1: 0.05, b2: 0.05, b3: 0.05, b4: 0, b5: 0, b6: 0.1, b7: 0.05, b8: 0.05, b9: 0.05, c0: 0.05}"
#define KINDS "sex: {w: 0.45, m: 0.55}, kind: {x: 0.2, y: 0, z: 0.8}"
#define STATES "  state: {a: 0.3, b: 0.2, c: 0.1, d: 0.1, e: 0.1, f: 0.1, gone: 0.1}\n"
#define ELAPSED                                                                                                        \
    "  elapsed: {a: {uniform: [0, 3]}, b: {fixed: 1.1}, c: {exponential: 0.7}, d: {triangular: [0, 0, 4]},\n"          \
    "    e: {normal: [2, 1, 0, 5]}, f: {histogram: {edges: [0, 1, 4, 5], shares: [0.5, 0, 0.5]}}}\n"

static struct support_world world;

static void close_world(void)
{
    support_close(&world);
}

TestSuite(persons, .fini = close_world);

static void open_world(const char *population)
{
    const struct support_scenario scenario = {
        .seed = 0x1E3779B97F4A7C15, .persons = PERSONS, .horizon_months = 62, .population = population};
    support_open(&world, HEAD TRANSITIONS, &scenario);
}

static void expect_person(const struct pk_person *got, const struct pk_person *expected, const char *vectors)
{
    const struct pk_plan *plan = &world.plan;
    const unsigned long long id = (unsigned long long)expected->id;
    cr_assert(got->id == expected->id && got->replication == expected->replication, "%s", vectors);
    cr_assert_eq(got->stratum, expected->stratum, "%s, person %llu", vectors, id);
    cr_assert_eq(got->weight, expected->weight, "%s, person %llu", vectors, id);
    cr_assert_eq(got->state, expected->state, "%s, person %llu", vectors, id);
    cr_assert_eq(memcmp(&got->entry, &expected->entry, sizeof got->entry), 0, "%s, person %llu", vectors, id);
    cr_assert_eq(memcmp(&got->age, &expected->age, sizeof got->age), 0, "%s, person %llu", vectors, id);
    cr_assert_eq(memcmp(&got->elapsed, &expected->elapsed, sizeof got->elapsed), 0, "%s, person %llu", vectors, id);
    cr_assert_eq(got->cured, expected->cured, "%s, person %llu", vectors, id);
    for (size_t a = 0; a < plan->n_attributes; a++)
        cr_assert_eq(got->values[a], expected->values[a], "%s, person %llu, attribute %zu", vectors, id, a);
    cr_assert_eq(memcmp(got->frailties, expected->frailties, plan->n_frailties * sizeof *got->frailties), 0,
                 "%s, person %llu", vectors, id);
}

/* Blocks of many sizes, one after another in the same memory, so that what the last left behind is there. */
static void hold(uint32_t replication)
{
    static const size_t sizes[] = {1, 4096, 2, 7, 31, 32, 33, 255, 256, 257, 1000, 1, 3};
    struct pk_crowd crowd;
    pk_crowd_make(&world.plan, replication, &crowd);
    for (enum pk_vectors v = PK_VECTORS_NONE; v < PK_VECTORS_COUNT; v++) {
        struct pk_persons persons;
        struct pk_error error;
        uint64_t next = 0;
        if (!pk_vectors_available(v))
            continue;
        cr_assert_eq(pk_persons_init(&persons, &world.plan, MOST, &error), PK_OK);
        for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
            const size_t n = sizes[k] < crowd.n_persons ? sizes[k] : (size_t)crowd.n_persons;
            /* the ids that come about the end of those at the start, then anywhere */
            uint64_t first = k % 2 == 0 && crowd.first[0] > n / 2 ? crowd.first[0] - n / 2 - 1 : next;
            first = first + n <= crowd.n_persons ? first : crowd.n_persons - n;
            pk_crowd_ids(&crowd, first, 1, n, persons.ids);
            pk_persons_make(&persons, replication, n, v);
            cr_assert(persons.n == n && persons.replication == replication);
            for (size_t i = 0; i < n; i++) {
                struct pk_person got, expected;
                memset(&got, 0xa5, sizeof got);
                pk_person_make_read(&world.plan, replication, pk_crowd_id(&crowd, first + i), &expected);
                pk_persons_person(&persons, i, &got);
                expect_person(&got, &expected, pk_vectors_names[v]);
            }
            next = (next + 977) % crowd.n_persons;
        }
        pk_persons_free(&persons);
        pk_persons_free(&persons);
    }
}

Test(persons, drawn_one_by_one_are_the_references)
{
    open_world(STATES ELAPSED "  age: {normal: [41, 12, 18, 64]}\n  attributes: {" KINDS ", " AREAS "}\n");
    cr_assert(world.plan.n_frailties == 2 && world.plan.n_cures == 2 && world.plan.n_strata == 2 * 3 * 21);
    hold(0);
    hold(16777215);
}

Test(persons, of_each_kind_of_distribution_are_the_references)
{
    static const char *const distributions[] = {
        "{fixed: 41.3}",
        "{uniform: [18, 63.7]}",
        "{triangular: [19, 31, 61]}",
        "{triangular: [19, 19, 61]}",
        "{triangular: [19, 61, 61]}",
        "{triangular: [30, 30, 30]}",
        "{exponential: 23}",
        "{normal: [41, 12, 18, 64]}",
        "{histogram: {edges: [18, 25, 40, 60, 64], shares: [0.2, 0, 0.7, 0.1]}}"};
    for (size_t i = 0; i < sizeof distributions / sizeof *distributions; i++) {
        char population[2048];
        snprintf(population, sizeof population,
                 "  state: {a: 1}\n  age: %s\n  elapsed: {a: %s}\n  attributes: {" KINDS ", " AREAS "}\n",
                 distributions[i], distributions[i]);
        open_world(population);
        hold(3);
        if (i + 1 < sizeof distributions / sizeof *distributions)
            support_close(&world);
    }
}

Test(persons, drawn_together_are_the_references)
{
    open_world(STATES "  age: {fixed: 40}\n  attributes: {" AREAS "}\n"
                      "  joint: [{attributes: [kind, sex], rows: [[z, w, 0.17], [x, w, 0.31], [x, m, 0.02], [y, m, "
                      "0.5]]}]\n");
    cr_assert_eq(world.plan.origin.n_joints, 1);
    hold(1);
}

/* Only what a hazard, a target group or a figure tells people apart by is drawn; whoever is made whole has all. */
Test(persons, are_without_attributes_that_make_no_difference)
{
    enum { N = 8, LAST = 5 };
    static const char *const model =
        "polku: 1\nmodel: m\nstates: {a: {}, b: {absorbing: true}}\n"
        "attributes: {rate: {values: [x, y]}, group: {values: [x, y]}, table: {values: [x, y]}, outcome: {values: [x, "
        "y]},\n  histogram: {values: [x, y]}, last: {values: [x, y]}, first: {values: [x, y]}, kin: {values: [x, y]}}\n"
        "joint: [{attributes: [kin, table], rows: [[x, x, 0.5], [y, y, 0.5]]},\n"
        "  {attributes: [first, last], rows: [[x, y, 0.5], [y, x, 0.5]]}]\nparameters:\n" PARAMETER(
            "r", "0.3", "per_year") PARAMETER("two", "2", "ratio")
            PARAMETER("one", "1", "years") "transitions: {ab: {from: a, to: b, hazard: r, ratios: {rate: {y: two}}}}\n"
                                           "services: {s: {window: one, effects: [{transition: ab, scale: two}]}}\n";
    static const char *const scenario =
        "polku: 1\nscenario: s\nmodel: m.yaml\nseed: 77\nstart: 2021-01-01\nhorizon: {years: 2}\npopulation:\n"
        "  size: 300\n  state: {a: 1}\n  attributes: {rate: {x: 0.5, y: 0.5}, group: {x: 0.5, y: 0.5}, outcome: {x: "
        "0.5, "
        "y: 0.5}, histogram: {x: 0.5, y: 0.5}%s}\n%s"
        "arms: {s: {enrol: [{service: s, share: 0.5, among: {group: y}}]}}\n"
        "tables: [{name: t, measure: occupancy, by: [table], step: {years: 1}}]\n"
        "outcomes: {o: {measure: occupancy, states: a, at: {years: 1}, among: {outcome: x}}}\n"
        "histograms: [{name: h, of: person_years, states: [a], from: {years: 0}, to: horizon, by: [histogram], edges: "
        "[1]}]\n";
    for (int round = 0; round < 2; round++) {
        char text[2048];
        struct pk_person whole, person;
        size_t n_different = 0;
        snprintf(text, sizeof text, scenario, round == 0 ? "" : ", first: {x: 0.5, y: 0.5}, last: {x: 0.5, y: 0.5}",
                 round == 0 ? "  inflow: {per_year: 100}\n" : "");
        support_open_texts(&world, model, text);
        cr_assert_eq(world.plan.n_attributes, N);
        for (size_t a = 0; a < N; a++)
            cr_expect_eq(world.plan.is_read[a], a < LAST || a == N - 1, "attribute %zu: kin is drawn with table", a);
        for (uint64_t id = 0; id < 300; id++) {
            pk_person_make(&world.plan, 0, id, &whole);
            pk_person_make_read(&world.plan, 0, id, &person);
            for (size_t a = 0; a < N; a++)
                cr_assert_eq(person.values[a], world.plan.is_read[a] ? whole.values[a] : 0);
            n_different += whole.values[LAST] != person.values[LAST];
        }
        cr_expect(n_different > 90 && n_different < 210, "whole people have what is not read: %zu", n_different);
        hold(0);
        if (round == 0)
            support_close(&world);
    }
}

Test(persons, who_flow_in_are_the_references)
{
    open_world(STATES ELAPSED "  age: {triangular: [19, 31, 61]}\n  attributes: {" KINDS ", " AREAS "}\n"
                              "  inflow: {per_year: 611, poisson: true, state: {c: 0.5, gone: 0.25, a: 0.25}, age: "
                              "{uniform: [0, 18]}, elapsed: {a: {fixed: 0.7}, c: {exponential: 2}}}\n");
    cr_assert_eq(world.plan.inflow.n_years, 6, "the last of them is of two months");
    hold(0);
    hold(2);
}

/* Inflow of one state, drawn together where those at the start are not, and without elapsed times. */
Test(persons, who_flow_in_otherwise_than_those_at_the_start_are_the_references)
{
    open_world("  state: {d: 1}\n  age: {fixed: 40}\n  elapsed: {d: {uniform: [0, 9]}}\n  attributes: {" KINDS
               ", " AREAS "}\n"
               "  inflow: {per_year: 611, state: {b: 1}, age: {exponential: 30}, elapsed: {}, joint: [{attributes: "
               "[kind, sex], rows: [[z, w, 0.5], [y, m, 0.5]]}]}\n");
    hold(0);
}

Test(persons, from_a_table_with_weights_are_the_references)
{
    static uint16_t states[PERSONS];
    static uint8_t values[PERSONS][4];
    static double ages[PERSONS], elapsed[PERSONS];
    static uint32_t weights[PERSONS];
    uint64_t lcg = 5;
    open_world(STATES "  age: {fixed: 40}\n  attributes: {" KINDS ", " AREAS "}\n"
                      "  inflow: {per_year: 300, age: {uniform: [0, 18]}}\n");
    for (size_t i = 0; i < PERSONS; i++) {
        states[i] = (uint16_t)(7 * support_uniform(&lcg));
        values[i][0] = (uint8_t)(2 * support_uniform(&lcg));
        values[i][1] = (uint8_t)(3 * support_uniform(&lcg));
        values[i][3] = (uint8_t)(21 * support_uniform(&lcg));
        ages[i] = pk_tick_round(900 * support_uniform(&lcg));
        elapsed[i] = pk_tick_round(90 * support_uniform(&lcg));
        weights[i] = (uint32_t)(100000 * support_uniform(&lcg));
    }
    world.plan.weight_bits = 8;
    world.plan.people = (struct pk_plan_people){
        .n = PERSONS, .states = states, .values = values[0], .ages = ages, .elapsed = elapsed, .weights = weights};
    hold(0);
}

Test(persons, lots_are_the_references)
{
    static const uint64_t firsts[] = {
        0, 1, 255, (UINT64_C(1) << 32) - 256, (UINT64_C(5) << 32) + 17, (UINT64_C(1) << 40) - 256};
    static const size_t sizes[] = {0, 1, 2, 7, 31, 32, 33, 255, 256};
    open_world(STATES "  age: {fixed: 40}\n  attributes: {" KINDS ", " AREAS "}\n");
    for (enum pk_vectors v = PK_VECTORS_NONE; v < PK_VECTORS_COUNT; v++)
        for (size_t f = 0; f < sizeof firsts / sizeof *firsts; f++)
            for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
                uint64_t ids[256 + 32], lots[256 + 32];
                if (!pk_vectors_available(v))
                    continue;
                const uint64_t bound = UINT64_MAX / 3;
                size_t n_expected = 0;
                const size_t n = pk_persons_lots(&world.plan, k, 7, firsts[f], sizes[k], bound, v, ids, lots);
                for (size_t i = 0; i < sizes[k]; i++) {
                    const uint64_t lot = pk_person_lot(&world.plan, k, 7, firsts[f] + i);
                    if (lot > bound)
                        continue;
                    cr_assert(n_expected < n && ids[n_expected] == firsts[f] + i && lots[n_expected] == lot, "%s",
                              pk_vectors_names[v]);
                    n_expected++;
                }
                cr_assert_eq(n, n_expected, "%s", pk_vectors_names[v]);
            }
}
