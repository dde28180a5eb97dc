/* Lives by lanes against pk_life_run, person by person, event by event, by every instruction set: nothing may differ.
 * Fixed times, common hazards, streams and extremes: test_lanes_times.c; random plans: test_lanes_random.c. */
#include <stdio.h>
#include <string.h>

#include "lanes_world.h"

TestSuite(lanes, .fini = close_world);

/* ---- the models of the project ----------------------------------------------------------------------------------- */

Test(lanes, ref5_lives_are_the_references)
{
    support_open_file(&world, "ref5.yaml", NULL, 0);
    support_change(&world, 0, PERSONS);
    hold("ref5", 10 * PERSONS);
}

Test(lanes, work_ability_lives_are_the_references)
{
    const struct pk_set sets[2] = {{"jobseekers", "20000"}, {"job_loss_scale", "1.7"}};
    support_open_file(&world, "ips-vs-typ.yaml", sets, 2);
    hold("work ability", 4 * PERSONS);
}

Test(lanes, lives_by_tables_told_by_attribute_are_the_references)
{
    support_open_file(&world, "../tests/data/by_attribute/scenario.yaml", NULL, 0);
    support_change(&world, 0, PERSONS);
    hold("tables by attribute", PERSONS / 2);
}

/* ---- clocks ------------------------------------------------------------------------------------------------------ */

#define CLOCKS                                                                                                         \
    HEAD "states: {a: {}, b: {}, c: {}, dead: {absorbing: true}, gone: {absorbing: true}}\n"                           \
         "attributes: {sex: {values: [f, m]}, region: {values: [n, s, w]}, kind: {values: [x, y, z, u, v]}}\n"         \
         "parameters:\n" TABLE("by_age", "age", "[27.3, 41, 55.5]", "[0.7, 0.31, 0, 1.3]", "per_year")                 \
             TABLE("more_by_age", "age", "[33, 41]", "[0, 0.23, 0.57]", "per_year")                                    \
                 TABLE("by_spell", "time_in_state", "[0.25, 1, 2.5]", "[1.9, 0.4, 0, 0.7]", "per_year")                \
                     TABLE("falling", "time_in_state", "[1.5]", "[0.83, 0.17]", "per_year")                            \
                         TABLE("by_date", "calendar", "[2022-07-01, 2024-01-01]", "[0.3, 0.95, 0.13]", "per_year")     \
                             TABLE("by_time", "since_start", "[1.5, 4]", "[0.45, 0, 0.61]", "per_year")                \
                                 TABLE("deaths", "age", "[40, 60]", "[0.004, 0.02, 0.11]", "per_year")                 \
                                     PARAMETER("plain", "0.37", "per_year") PARAMETER("none", "0", "per_year")         \
                                         PARAMETER("men", "1.7", "ratio") PARAMETER("never", "0", "ratio")             \
                                             PARAMETER("north", "0.61", "ratio") PARAMETER("kind_y", "2.3", "ratio")
#define CLOCKS_ATTRIBUTES                                                                                              \
    "  attributes: {sex: {f: 0.4, m: 0.6}, region: {n: 0.2, s: 0.5, w: 0.3}, kind: {x: 0.2, y: 0.2, z: 0.2, u: 0.2, "  \
    "v: 0.2}}\n"
/* three clocks out of a, two out of b, one out of c; hazards of 0 first, between and last */
#define CLOCKS_TRANSITIONS                                                                                             \
    "transitions:\n"                                                                                                   \
    "  n1: {from: a, to: c, hazard: none}\n"                                                                           \
    "  ab: {from: a, to: b, hazard: by_age, ratios: {sex: {m: men}, kind: {y: kind_y}}}\n"                             \
    "  ac: {from: a, to: c, hazard: by_spell, ratios: {region: {n: north, w: never}}}\n"                               \
    "  ad: {from: a, to: gone, hazard: by_date}\n"                                                                     \
    "  ac2: {from: a, to: c, hazard: falling}\n"                                                                       \
    "  ab2: {from: a, to: b, hazard: by_time, ratios: {sex: {m: never}}}\n"                                            \
    "  n2: {from: a, to: b, hazard: none}\n"                                                                           \
    "  ba: {from: b, to: a, hazard: by_spell, ratios: {kind: {z: never}}}\n"                                           \
    "  bc: {from: b, to: c, hazard: more_by_age}\n"                                                                    \
    "  bc2: {from: b, to: c, hazard: by_age, ratios: {region: {s: men}}}\n"                                            \
    "  ca: {from: c, to: a, hazard: plain}\n"                                                                          \
    "  cb: {from: c, to: b, hazard: by_date, ratios: {sex: {m: men}}}\n"                                               \
    "  n3: {from: c, to: b, hazard: none}\n"                                                                           \
    "  die: {from: any, to: dead, hazard: deaths, ratios: {sex: {m: men}}}\n"
#define CLOCKS_PEOPLE "  state: {a: 0.5, b: 0.3, c: 0.2}\n  age: {uniform: [20, 63]}\n" CLOCKS_ATTRIBUTES

/* The second clock has fewer hazards than the first. */
Test(lanes, arcs_of_a_second_clock_are_the_references)
{
    open_world(
        HEAD "states: {a: {}, b: {absorbing: true}, c: {absorbing: true}, d: {absorbing: true}}\nparameters:\n" TABLE(
            "by_time", "since_start", "[1.5]", "[0.45, 0.1]", "per_year")
            TABLE("by_spell", "time_in_state", "[1]", "[0.3, 0.7]", "per_year") PARAMETER(
                "r", "0.4",
                "per_year") "transitions:\n  ab: {from: a, to: b, hazard: by_time}\n  ac: {from: a, to: c, hazard: r}\n"
                            "  ad: {from: a, to: d, hazard: by_spell}\n",
        60, "  state: {a: 1}\n");
    hold("two clocks", PERSONS / 2);
}

Test(lanes, lives_on_three_clocks_in_30_strata_are_the_references)
{
    open_world(CLOCKS CLOCKS_TRANSITIONS, 96, CLOCKS_PEOPLE);
    cr_expect_eq(world.plan.n_strata, 30);
    cr_expect_eq(world.plan.states[0].n_axes, 3);
    hold("three clocks", 3 * PERSONS);
}

Test(lanes, lives_with_elapsed_time_absorbing_starts_and_inflow_are_the_references)
{
    open_world(CLOCKS CLOCKS_TRANSITIONS, 96,
               "  state: {a: 0.3, gone: 0.2, b: 0.1, dead: 0.25, c: 0.15}\n  age: {uniform: [20, 63]}\n"
               "  elapsed: {a: {uniform: [0, 3]}, b: {exponential: 0.7}, gone: {fixed: 1}}\n"
               "  inflow: {per_year: 2500, poisson: true, until: {years: 7}, state: {a: 0.7, c: 0.2, gone: 0.1},\n"
               "           age: {uniform: [18, 30]}, elapsed: {c: {uniform: [0, 2]}}}\n" CLOCKS_ATTRIBUTES);
    hold("inflow", PERSONS);
}

/* Age and elapsed times at ticks, many of them on cuts. */
Test(lanes, lives_of_imported_people_are_the_references)
{
    static uint16_t states[PERSONS];
    static uint8_t values[3 * PERSONS];
    static double ages[PERSONS], elapsed[PERSONS];
    static uint32_t weights[PERSONS];
    static const double cuts[] = {27.3 * 12, 41 * 12, 55.5 * 12, 33 * 12, 40 * 12}, spells[] = {0, 3, 12, 18, 30, 31};
    uint64_t lcg = 17;
    open_world(CLOCKS CLOCKS_TRANSITIONS, 96, CLOCKS_PEOPLE);
    for (size_t i = 0; i < PERSONS; i++) {
        const double u = support_uniform(&lcg);
        states[i] = (uint16_t)(5 * support_uniform(&lcg));
        values[3 * i] = (uint8_t)(2 * support_uniform(&lcg));
        values[3 * i + 1] = (uint8_t)(3 * support_uniform(&lcg));
        values[3 * i + 2] = (uint8_t)(5 * support_uniform(&lcg));
        ages[i] = pk_tick_round(u < 0.5 ? 240 + 1000 * u : cuts[(size_t)(5 * support_uniform(&lcg))]);
        elapsed[i] = u < 0.7 ? spells[(size_t)(6 * support_uniform(&lcg))] : pk_tick_round(50 * support_uniform(&lcg));
        weights[i] = 1 + (uint32_t)(1000 * u);
    }
    world.plan.people = (struct pk_plan_people){
        .n = PERSONS, .states = states, .values = values, .ages = ages, .elapsed = elapsed, .weights = weights};
    hold("imported", PERSONS);
}

Test(lanes, lives_shorter_than_most_spells_are_the_references)
{
    open_world(CLOCKS CLOCKS_TRANSITIONS, 1, CLOCKS_PEOPLE);
    hold("a month", PERSONS / 50);
}

Test(lanes, blocks_of_any_size_live_the_references_lives)
{
    static const size_t sizes[] = {1, 2, 3, 7, 31, 33, 255, 256, 257, 511, 4096, PK_LANES_MOST_PEOPLE};
    open_world(CLOCKS CLOCKS_TRANSITIONS, 60,
               "  state: {a: 0.4, gone: 0.3, c: 0.3}\n  age: {uniform: [20, 63]}\n" CLOCKS_ATTRIBUTES);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char what[64];
        const uint64_t n = sizes[i] < 3 ? 200 : sizes[i] < 256 ? 10 * sizes[i] : PERSONS;
        snprintf(what, sizeof what, "blocks of %zu", sizes[i]);
        cr_expect_eq(lived_hold(&world.plan, what, n, sizes[i]).n_lives, n);
    }
}

/* ---- many cuts --------------------------------------------------------------------------------------------------- */

/* Irregular: many cuts close together, few far apart; a tick, a thousandth and years between them. */
static void add_table(struct pk_text *text, const char *name, const char *clock, size_t n_cuts, double from, double to,
                      uint64_t *lcg)
{
    pk_text_addf(text, "  %s: {table: {clock: %s, cuts: [", name, clock);
    double at = from;
    for (size_t i = 0; i < n_cuts; i++) {
        const double u = support_uniform(lcg), room = (to - at) / (double)(n_cuts - i);
        at += u < 0.2 ? 1e-6 : u < 0.6 ? 0.01 * room * support_uniform(lcg) + 1e-6 : room;
        pk_text_addf(text, "%s%.9f", i > 0 ? ", " : "", at);
    }
    pk_text_addf(text, "], values: [");
    for (size_t i = 0; i <= n_cuts; i++)
        pk_text_addf(text, "%s%.6f", i > 0 ? ", " : "", support_uniform(lcg) < 0.2 ? 0 : 1.5 * support_uniform(lcg));
    pk_text_addf(text, "]}, unit: per_year, source: {assumption: test}}\n");
}

static void hold_many_cuts(size_t n_cuts, size_t n_others)
{
    struct pk_text text;
    uint64_t lcg = 100 + n_cuts;
    pk_text_init(&text);
    pk_text_addf(&text, HEAD "states: {a: {}, b: {}, c: {}, dead: {absorbing: true}}\nparameters:\n");
    add_table(&text, "by_age", "age", n_cuts, 20, 68, &lcg);
    add_table(&text, "other", "age", n_others, 30, 60, &lcg);
    add_table(&text, "by_spell", "time_in_state", n_cuts, 0, 4, &lcg);
    add_table(&text, "deaths", "age", n_cuts, 25, 65, &lcg);
    pk_text_addf(&text, PARAMETER("seldom", "0.02", "ratio") PARAMETER("more", "2.5", "ratio") PARAMETER(
                            "plain", "0.4",
                            "per_year") "transitions:\n  ab: {from: a, to: b, hazard: by_age}\n"
                                        "  ac: {from: a, to: c, hazard: by_spell}\n"
                                        "  ba: {from: b, to: a, hazard: other}\n"
                                        "  bc: {from: b, to: c, hazard: plain}\n"
                                        "  ca: {from: c, to: a, hazard: by_spell}\n"
                                        "  die: {from: any, to: dead, hazard: [deaths, seldom], excess: {b: more}}\n");
    open_world(pk_text_string(&text), 120, "  state: {a: 0.6, c: 0.4}\n  age: {uniform: [0, 80]}\n");
    pk_text_free(&text);
    hold("many cuts", 2 * PERSONS);
}

Test(lanes, lives_through_40_cuts_are_the_references)
{
    hold_many_cuts(40, 3);
}

Test(lanes, lives_through_200_cuts_are_the_references)
{
    hold_many_cuts(200, 31);
}
