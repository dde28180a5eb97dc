/* Lives by lanes against pk_life_run, as in test_lanes.c: spells that something else cuts short, hazards common to all
 * states, shared streams, and extremes. */
#include <stdio.h>
#include <string.h>

#include "lanes_world.h"

TestSuite(lanes_times, .fini = close_world);

/* ---- fixed times ------------------------------------------------------------------------------------------------- */

#define RATES                                                                                                          \
    PARAMETER("r", "0.41", "per_year")                                                                                 \
    PARAMETER("q", "0.27", "per_year")                                                                                 \
    PARAMETER("often", "1.9", "per_year")                                                                              \
    PARAMETER("dying", "0.03", "per_year")
#define TIMES                                                                                                          \
    RATES PARAMETER("half_year", "0.5", "years") PARAMETER("two_years", "2", "years")                                  \
        PARAMETER("reform", "4.5", "years") PARAMETER("old_age", "45", "years") PARAMETER("more", "3", "ratio")

/* No cuts, one stratum, few states: tables in registers. What a spell leaves of its exponential is taken up. */
Test(lanes_times, constant_hazards_cut_short_by_fixed_times_are_the_references)
{
    open_world(HEAD "states: {a: {}, b: {}, c: {}, dead: {absorbing: true}}\nparameters:\n" TIMES
                    "transitions:\n  ab: {from: a, to: b, hazard: r}\n  ac: {from: a, to: c, hazard: q}\n"
                    "  ba: {from: b, to: a, hazard: often}\n  ca: {from: c, to: a, hazard: q}\n"
                    "  back: {from: a, to: b, at: {clock: time_in_state, value: half_year}}\n"
                    "  forth: {from: c, to: a, at: {clock: time_in_state, value: two_years}}\n"
                    "  die: {from: any, to: dead, hazard: dying}\n",
               96, "  state: {a: 1}\n");
    hold("constant hazards and fixed times", 5 * PERSONS);
}

Test(lanes_times, constant_hazards_cut_short_at_an_age_and_a_time_are_the_references)
{
    open_world(
        HEAD "states: {a: {}, b: {}, dead: {absorbing: true}}\nparameters:\n" PARAMETER("r", "0.41", "per_year")
            PARAMETER("reform", "4.5", "years") PARAMETER("old_age", "45", "years") PARAMETER(
                "q", "0.27",
                "per_year") "transitions:\n  ab: {from: a, to: b, hazard: r}\n  bd: {from: b, to: dead, hazard: q}\n"
                            "  old: {from: a, to: b, at: {clock: age, value: old_age}}\n"
                            "  now: {from: a, to: b, at: {clock: since_start, value: reform}}\n  ba: {from: b, to: a, "
                            "hazard: r}\n",
        96, "  state: {a: 1}\n  age: {uniform: [30, 44.9]}\n");
    hold("an age and a time", PERSONS);
}

/* Cuts of tables at the very ticks at which fixed times put people into the state. */
Test(lanes_times, tables_cut_at_the_ticks_of_events_are_the_references)
{
    open_world(
        HEAD "states: {a: {}, b: {}, c: {}, d: {absorbing: true}}\nparameters:\n" PARAMETER("half_year", "0.5", "years")
            PARAMETER("reform", "4.5", "years") PARAMETER("old_age", "45", "years")
                TABLE("by_age", "age", "[40, 45, 45.5, 46]", "[0.2, 0.9, 0.1, 1.7, 0.3]", "per_year") TABLE(
                    "by_time", "since_start", "[0.5, 1, 4.5, 5]", "[0.8, 0.2, 1.4, 0.1, 0.9]", "per_year")
                    TABLE("by_spell", "time_in_state", "[0.5, 1]", "[0.3, 1.1, 0.7]", "per_year") PARAMETER(
                        "end", "0.05",
                        "per_year") "transitions:\n  ab: {from: a, to: b, hazard: by_age}\n  ac: {from: a, to: c, "
                                    "hazard: by_time}\n"
                                    "  old: {from: a, to: c, at: {clock: age, value: old_age}}\n"
                                    "  ba: {from: b, to: a, hazard: by_spell}\n  bc: {from: b, to: c, hazard: by_age}\n"
                                    "  soon: {from: b, to: c, at: {clock: time_in_state, value: half_year}}\n"
                                    "  ca: {from: c, to: b, hazard: by_time}\n  cd: {from: c, to: d, hazard: end}\n"
                                    "  new: {from: c, to: d, at: {clock: since_start, value: reform}}\n",
        72,
        "  state: {a: 0.4, b: 0.3, c: 0.3}\n  age: {histogram: {edges: [40, 44, 44.5, 44.999, 45], shares: "
        "[0.4, 0.1, 0.1, 0.4]}}\n");
    hold("cuts at events", 2 * PERSONS);
}

/* The rest of an exponential is the stream's, whichever state it was left in; a state without base hazards takes no
 * part. */
Test(lanes_times, shared_streams_are_the_references)
{
    open_world(HEAD
               "states: {a: {}, b: {stream: a}, c: {}, d: {stream: c}, dead: {absorbing: true}}\n"
               "attributes: {sex: {values: [f, m]}}\nparameters:\n" TIMES
               "transitions:\n  ab: {from: a, to: b, hazard: r}\n  ac: {from: a, to: c, hazard: q}\n"
               "  bc: {from: b, to: c, hazard: often, ratios: {sex: {m: more}}}\n  ba: {from: b, to: a, hazard: q}\n"
               "  cd: {from: c, to: d, hazard: often}\n  da: {from: d, to: a, hazard: r}\n"
               "  end_a: {from: a, to: b, at: {clock: time_in_state, value: half_year}}\n"
               "  end_b: {from: b, to: d, at: {clock: time_in_state, value: two_years}}\n"
               "  end_c: {from: c, to: a, at: {clock: time_in_state, value: half_year}}\n"
               "  old: {from: d, to: b, at: {clock: since_start, value: reform}}\n"
               "  die: {from: any, to: dead, hazard: dying}\n",
               120, "  state: {a: 0.5, b: 0.2, d: 0.3}\n  attributes: {sex: {f: 0.5, m: 0.5}}\n");
    hold("shared streams", 5 * PERSONS);
}

Test(lanes_times, states_without_base_hazards_leave_the_streams_rest_alone)
{
    open_world(HEAD "states: {a: {}, wait: {stream: a}, dead: {absorbing: true}}\nparameters:\n" PARAMETER(
                   "r", "0.41", "per_year") PARAMETER("half_year", "0.5", "years")
                   PARAMETER("two_years", "2",
                             "years") "transitions:\n  ad: {from: a, to: dead, hazard: r}\n"
                                      "  pause: {from: a, to: wait, at: {clock: time_in_state, value: two_years}}\n"
                                      "  resume: {from: wait, to: a, at: {clock: time_in_state, value: half_year}}\n",
               120, "  state: {a: 1}\n");
    hold("a stream of a state without base hazards", PERSONS);
}

#define COMMONS                                                                                                        \
    "states: {a: {}, b: {}, c: {}, dead: {absorbing: true}, away: {absorbing: true}, old: {absorbing: true}}\n"        \
    "attributes: {sex: {values: [f, m]}, region: {values: [n, s, w]}}\n"

/* Some on age, some on the calendar, one without cuts; several excesses in one state. */
Test(lanes_times, common_hazards_and_their_excess_are_the_references)
{
    open_world(
        HEAD COMMONS "parameters:\n" TIMES PARAMETER("men", "1.7", "ratio") PARAMETER("never", "0", "ratio") PARAMETER(
            "as_all", "1", "ratio") TABLE("by_age", "age", "[30, 31.5, 50]", "[0.02, 0, 0.05, 0.3]", "per_year")
            TABLE("by_date", "calendar", "[2022-03-01, 2022-05-01]", "[0.01, 0.9, 0]",
                  "per_year") "transitions:\n  ab: {from: a, to: b, hazard: often}\n  ba: {from: b, to: a, hazard: r}\n"
                              "  bc: {from: b, to: c, hazard: r}\n  ca: {from: c, to: a, hazard: q}\n"
                              "  out: {from: a, to: c, at: {clock: time_in_state, value: two_years}}\n"
                              "  stop: {from: c, to: b, at: {clock: since_start, value: reform}}\n"
                              "  retire: {from: any, to: old, at: {clock: age, value: old_age}}\n"
                              "  pause: {from: b, to: a, at: {clock: time_in_state, value: half_year}}\n"
                              "  die: {from: any, to: dead, hazard: by_age, excess: {a: more, b: men, c: as_all}, "
                              "ratios: {sex: "
                              "{m: men}}}\n"
                              "  leave: {from: any, to: away, hazard: by_date, excess: {a: men}, ratios: {region: {w: "
                              "never}}}\n"
                              "  lost: {from: any, to: dead, hazard: dying, excess: {a: more, c: men}}\n",
        120,
        "  state: {a: 0.5, b: 0.3, c: 0.2}\n  age: {uniform: [25, 44]}\n  attributes: {sex: {f: 0.5, m: 0.5}, "
        "region: {n: 0.2, s: 0.5, w: 0.3}}\n");
    cr_expect_eq(world.plan.n_person_hazards, 3);
    cr_expect_eq(world.plan.n_excess, 5);
    hold("common hazards", 4 * PERSONS);
}

/* ---- extremes ---------------------------------------------------------------------------------------------------- */

Test(lanes_times, a_model_in_which_nothing_can_happen_has_no_events)
{
    open_world(
        HEAD "states: {a: {}, b: {}, dead: {absorbing: true}}\nparameters:\n" PARAMETER("none", "0", "per_year") TABLE(
            "nothing", "age", "[30, 50]", "[0, 0, 0]",
            "per_year") "transitions:\n  ab: {from: a, to: b, hazard: none}\n  ba: {from: b, to: a, hazard: nothing}\n"
                        "  die: {from: any, to: dead, hazard: none}\n",
        60, "  state: {a: 0.5, b: 0.3, dead: 0.2}\n  age: {uniform: [20, 60]}\n");
    cr_expect_eq(lived_hold(&world.plan, "nothing", PERSONS, BLOCK).n_events, 0);
}

/* Hazards so high that events crowd into one tick: each then takes the next one. */
Test(lanes_times, events_crowded_into_a_tick_are_the_references)
{
    open_world(HEAD "states: {a: {}, b: {}, c: {}, d: {}, e: {}, dead: {absorbing: true}}\nparameters:\n" PARAMETER(
                   "burst", "1e6", "per_year") PARAMETER("more", "2", "ratio") PARAMETER("now", "0", "years")
                   TABLE("flash", "since_start", "[2, 2.000001]", "[0.3, 9e5, 0.2]",
                         "per_year") "transitions:\n  ab: {from: a, to: b, hazard: flash}\n  bc: {from: b, to: c, "
                                     "hazard: burst}\n"
                                     "  cd: {from: c, to: d, hazard: burst}\n  de: {from: d, to: e, at: {clock: "
                                     "time_in_state, value: now}}\n"
                                     "  ea: {from: e, to: a, hazard: flash}\n  eb: {from: e, to: b, hazard: flash}\n"
                                     "  die: {from: any, to: dead, hazard: flash, excess: {e: more}}\n",
               60, "  state: {a: 0.5, b: 0.2, d: 0.3}\n");
    hold("bursts", 4 * PERSONS);
}

/* 4,032 events in 63 months, the last at the horizon; no more where a month is one too many. */
#define ENDLESS_OF(beat)                                                                                               \
    HEAD "states: {a: {}, b: {}, still: {}, dead: {absorbing: true}}\nparameters:\n" PARAMETER("beat", beat, "years")  \
        PARAMETER("seldom", "0.001",                                                                                   \
                  "per_year") "transitions:\n  ab: {from: a, to: b, at: {clock: time_in_state, value: beat}}\n"        \
                              "  ba: {from: b, to: a, at: {clock: time_in_state, value: beat}}\n"                      \
                              "  sd: {from: still, to: dead, hazard: seldom}\n"
#define ENDLESS ENDLESS_OF("0.0013020833333333333")
#define ONE_IN_A_THOUSAND "  state: {a: 0.001, still: 0.999}\n"

Test(lanes_times, the_longest_life_that_fits_is_lived)
{
    open_world(ENDLESS, 63, ONE_IN_A_THOUSAND);
    const struct lived_count count = lived_hold(&world.plan, "as many events as fit", PERSONS, BLOCK);
    cr_expect_eq(count.n_refused, 0);
    cr_expect_geq(count.n_events, 5 * PK_LIFE_MAX_EVENTS);
}

/* 16,642 ticks are 4,032 to 64 months, 16,638 are 4,033. */
Test(lanes_times, the_limit_of_a_life_is_the_references)
{
    const char *people = "  state: {a: 0.01, still: 0.99}\n";
    open_world(ENDLESS_OF("0.001322587331136"), 64, people);
    struct lived_count count = lived_hold(&world.plan, "as many events as fit", 600, 300);
    cr_expect_eq(count.n_refused, 0);
    cr_expect_geq(count.n_events, PK_LIFE_MAX_EVENTS);
    close_world();
    open_world(ENDLESS_OF("0.001322269439697"), 64, people);
    count = lived_hold(&world.plan, "one event too many", 600, 300);
    cr_expect_geq(count.n_refused, 1);
}

Test(lanes_times, lives_with_events_too_many_are_refused)
{
    open_world(ENDLESS, 64, ONE_IN_A_THOUSAND);
    const struct lived_count count = lived_hold(&world.plan, "one event too many", PERSONS, BLOCK);
    cr_expect_geq(count.n_refused, 3, "%zu of 5 blocks", count.n_refused);
}

/* Whatever follows a refused block is lived as if it had not been. */
Test(lanes_times, lanes_that_refused_a_block_live_the_next)
{
    static struct pk_life expected, got;
    open_world(ENDLESS, 64, "  state: {a: 0.02, still: 0.98}\n");
    for (enum pk_vectors v = PK_VECTORS_PLAIN; v < PK_VECTORS_COUNT; v++) {
        struct lived lived;
        size_t n_refused = 0;
        if (!pk_vectors_available(v))
            continue;
        lived_open(&lived, &world.plan, 10, v);
        for (uint64_t from = 0; from < 1000; from += 10) {
            uint64_t ids[10];
            size_t i_failed = 10;
            for (uint64_t i = 0; i < 10; i++)
                ids[i] = from + i;
            if (!lived_block(&lived, 0, ids, 10, &i_failed)) {
                cr_assert(i_failed < 10 && lived.persons.states[i_failed] == 0);
                n_refused++;
                continue;
            }
            for (size_t i = 0; i < 10; i++) {
                struct pk_person person;
                struct pk_error error;
                pk_persons_person(&lived.persons, i, &person);
                cr_assert_eq(pk_life_run(&world.plan, &person, NULL, &expected, &error), PK_OK);
                lived_life(&lived, i, &got);
                cr_assert(got.n_events == expected.n_events && got.n_events <= 1);
                cr_assert(got.n_events == 0 || got.events[0].tick == expected.events[0].tick);
            }
        }
        cr_expect(n_refused > 5 && n_refused < 50, "%zu", n_refused);
        lived_close(&lived);
    }
}

/* The whole run fails with the same words, which name the first person of the first unit. */
Test(lanes_times, runs_with_too_many_events_end_with_the_same_message)
{
    struct pk_error errors[PK_VECTORS_COUNT];
    open_world(ENDLESS, 64, ONE_IN_A_THOUSAND);
    for (enum pk_vectors v = PK_VECTORS_AUTO; v < PK_VECTORS_COUNT; v++) {
        const struct pk_run_options options = {.n_threads = 1 + (int)v % 2, .block_size = 1000, .vectors = v};
        struct pk_run run;
        if (!pk_vectors_available(v))
            continue;
        cr_assert_eq(
            pk_run_simulate(&run, &world.plan, &world.model, &world.scenario, &world.values, &options, &errors[v]),
            PK_NUMERICAL);
        cr_expect_str_eq(errors[v].message, errors[PK_VECTORS_AUTO].message);
        cr_expect_not_null(strstr(errors[v].message, "more events than a life can number"));
    }
}

/* Two hazards on each of two clocks, spells of thousands of years: the last bit of a sum moves an event by a tick. */
Test(lanes_times, sums_over_clocks_are_the_references_to_the_last_bit)
{
    open_world(
        HEAD "states: {a: {}, b: {absorbing: true}, c: {absorbing: true}}\nparameters:\n" TABLE(
            "x", "since_start", "[1, 700]", "[1.1e-7, 3.7e-5, 6.9e-05]",
            "per_year") TABLE("y", "since_start", "[2, 600]", "[2.3e-7, 1.3e-5, 8.4e-05]", "per_year")
            TABLE("u", "time_in_state", "[3, 900]", "[1.7e-7, 4.1e-5, 1.2e-05]", "per_year")
                TABLE("v", "time_in_state", "[5, 800]", "[3.1e-7, 2.3e-5, 4.7e-05]",
                      "per_year") "transitions:\n  ab: {from: a, to: b, hazard: x}\n  ac: {from: a, to: c, hazard: y}\n"
                                  "  ab2: {from: a, to: b, hazard: u}\n  ac2: {from: a, to: c, hazard: v}\n",
        2400, "  state: {a: 1}\n");
    support_change(&world, 0, 1000000);
    world.plan.horizon = 960000; /* longer than a scenario's: times have fewer bits below a tick */
    lived_hold(&world.plan, "long spells", 1000000, BLOCK);
}
