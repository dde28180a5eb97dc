/* Hazards on each clock, alone and together, against closed forms and quadrature (spell.h). */
#include <criterion/criterion.h>
#include <math.h>

#include "spell.h"
#include "support.h"

/* 200,000 people in 256 batches, everyone beginning in the state a: the s.e. of a share is at most 0.0011. About 45
 * comparisons at 4 standard errors (Student, 255 degrees of freedom: 8.3e-5 each): a right engine fails one seed in
 * 270. A share that is 0.006 off is seen with 92 % power. */
static const double n_errors = 4;
enum { PERSONS = 200000 };
static const char *const states[] = {"a", "b", "c", NULL};
static const int times[3] = {7, 17, 60}; /* months */

#define HEAD "polku: 1\nmodel: clocks\nstates:\n  a: {}\n  b: {absorbing: true}\n  c: {absorbing: true}\nparameters:\n"

static void simulate(const char *model, const char *population, unsigned long seed, struct support_world *world,
                     struct pk_run *run)
{
    const struct support_scenario scenario = {.seed = seed,
                                              .persons = PERSONS,
                                              .horizon_months = 60,
                                              .population = population,
                                              .states = states,
                                              .times = {times[0], times[1], times[2]}};
    support_open(world, model, &scenario);
    support_run(world, NULL, run);
}

/* Hazard i leads from a to state i + 1. */
static void expect_spell(const char *model, const char *population, unsigned long seed,
                         const struct spell_hazard *hazards, size_t n)
{
    struct support_world world;
    struct pk_run run;
    simulate(model, population, seed, &world, &run);
    for (size_t k = 0; k < 3; k++) {
        double t = times[k] / 12.0;
        for (size_t i = 0; i < n; i++)
            support_expect(support_state(&run, 0, "in", states[i + 1], times[k]), spell_incidence(hazards, n, i, t),
                           n_errors, "in", states[i + 1]);
        support_expect(support_state(&run, 0, "years", "a", times[k]), spell_years(hazards, n, t), n_errors, "years",
                       "a");
    }
    pk_run_free(&run);
    support_close(&world);
}

#define BY_SPELL                                                                                                       \
    HEAD TABLE("by_spell", "time_in_state", "[0.5, 1.25]", "[0.83, 0.21, 1.17]",                                       \
               "per_year") "transitions:\n  ab: {from: a, to: b, hazard: by_spell}\n"
static const struct spell_hazard by_spell = {.n_cuts = 2, .cuts = {0.5, 1.25}, .values = {0.83, 0.21, 1.17}};

Test(clocks, time_in_state_has_the_closed_survival)
{
    expect_spell(BY_SPELL, "  state: {a: 1}\n", 21, &by_spell, 1);
}

Test(clocks, time_in_state_goes_on_from_the_elapsed_time_at_start)
{
    struct spell_hazard moved = by_spell;
    moved.clock = 0.35;
    expect_spell(BY_SPELL, "  state: {a: 1}\n  elapsed: {a: {fixed: 0.35}}\n", 22, &moved, 1);
}

Test(clocks, elapsed_time_at_start_is_averaged_over_its_distribution)
{
    struct support_world world;
    struct pk_run run;
    simulate(BY_SPELL, "  state: {a: 1}\n  elapsed: {a: {uniform: [0.2, 1.6]}}\n", 23, &world, &run);
    for (size_t k = 0; k < 3; k++)
        support_expect(support_state(&run, 0, "in", "b", times[k]),
                       spell_incidence_uniform(&by_spell, 1, 0, times[k] / 12.0, 0.2, 1.6), n_errors, "in", "b");
    pk_run_free(&run);
    support_close(&world);
}

/* Entered at 0.9 a year: the clock starts at 0 with each spell, elapsed time at start or not. */
Test(clocks, time_in_state_starts_anew_with_every_spell)
{
    struct support_world world;
    struct pk_run run;
    simulate("polku: 1\nmodel: chain\nstates:\n  a: {}\n  b: {}\n  c: {absorbing: true}\nparameters:\n" PARAMETER(
                 "entry", "0.9", "per_year") TABLE("by_spell", "time_in_state", "[0.5, 1.25]", "[0.83, 0.21, 1.17]",
                                                   "per_year") "transitions:\n  ab: {from: a, to: b, hazard: entry}\n"
                                                               "  bc: {from: b, to: c, hazard: by_spell}\n",
             "  state: {a: 1}\n  elapsed: {a: {fixed: 2.1}}\n", 24, &world, &run);
    for (size_t k = 0; k < 3; k++)
        support_expect(support_state(&run, 0, "in", "c", times[k]),
                       spell_incidence_after(0.9, &by_spell, 1, 0, times[k] / 12.0), n_errors, "in", "c");
    pk_run_free(&run);
    support_close(&world);
}

#define BY_AGE(from)                                                                                                   \
    HEAD TABLE("by_age", "age", "[44.1, 45, 47.3]", "[0.31, 0.07, 0.52, 0.18]",                                        \
               "per_year") "transitions:\n  ab: {from: " from ", to: b, hazard: by_age}\n"
static const struct spell_hazard by_age = {
    .n_cuts = 3, .cuts = {44.1, 45, 47.3}, .values = {0.31, 0.07, 0.52, 0.18}, .clock = 43.7};

Test(clocks, age_has_the_closed_survival_from_one_state)
{
    expect_spell(BY_AGE("a"), "  state: {a: 1}\n  age: {fixed: 43.7}\n", 25, &by_age, 1);
}

Test(clocks, age_has_the_closed_survival_as_a_hazard_common_to_all_states)
{
    expect_spell(BY_AGE("any"), "  state: {a: 1}\n  age: {fixed: 43.7}\n", 26, &by_age, 1);
}

#define GOMPERTZ(from)                                                                                                 \
    HEAD PARAMETER("level", "0.004", "per_year")                                                                       \
        PARAMETER("slope", "0.093",                                                                                    \
                  "per_year_of_clock") "transitions:\n  ab: {from: " from                                              \
                                       ", to: b, hazard: {gompertz: {rate: level, shape: slope, clock: age}}}\n"
static const struct spell_hazard gompertz = {.values = {0.004}, .slope = 0.093, .clock = 43.7};

Test(clocks, gompertz_mortality_has_the_closed_survival_from_one_state)
{
    expect_spell(GOMPERTZ("a"), "  state: {a: 1}\n  age: {fixed: 43.7}\n", 27, &gompertz, 1);
}

Test(clocks, gompertz_mortality_has_the_closed_survival_as_a_common_hazard)
{
    expect_spell(GOMPERTZ("any"), "  state: {a: 1}\n  age: {fixed: 43.7}\n", 28, &gompertz, 1);
}

Test(clocks, falling_gompertz_hazard_leaves_the_share_that_never_goes)
{
    static const struct spell_hazard falling = {.values = {0.9}, .slope = -1.3};
    expect_spell(HEAD PARAMETER("level", "0.9", "per_year")
                     PARAMETER("slope", "-1.3",
                               "per_year_of_clock") "transitions:\n  ab: {from: a, to: b, hazard: "
                                                    "{gompertz: {rate: level, shape: slope, clock: time_in_state}}}\n",
                 "  state: {a: 1}\n", 29, &falling, 1);
    /* and as the common hazard, on since_start, which is the same clock here */
    expect_spell(HEAD PARAMETER("level", "0.9", "per_year")
                     PARAMETER("slope", "-1.3",
                               "per_year_of_clock") "transitions:\n  ab: {from: any, to: b, hazard: "
                                                    "{gompertz: {rate: level, shape: slope, clock: since_start}}}\n",
                 "  state: {a: 1}\n", 30, &falling, 1);
}

Test(clocks, gompertz_competes_with_a_constant_hazard)
{
    const struct spell_hazard both[2] = {gompertz, {.values = {0.37}}};
    expect_spell(HEAD PARAMETER("level", "0.004", "per_year") PARAMETER("slope", "0.093", "per_year_of_clock")
                     PARAMETER("other", "0.37", "per_year") "transitions:\n  ab: {from: a, to: b, hazard: {gompertz: "
                                                            "{rate: level, shape: slope, clock: age}}}\n"
                                                            "  ac: {from: a, to: c, hazard: other}\n",
                 "  state: {a: 1}\n  age: {fixed: 43.7}\n", 31, both, 2);
}

/* As gompertz_competes..., but drawn once a person. */
Test(clocks, common_gompertz_hazard_competes_with_a_constant_one)
{
    const struct spell_hazard both[2] = {gompertz, {.values = {0.37}}};
    expect_spell(HEAD PARAMETER("level", "0.004", "per_year") PARAMETER("slope", "0.093", "per_year_of_clock")
                     PARAMETER("other", "0.37", "per_year") "transitions:\n  ab: {from: any, to: b, hazard: {gompertz: "
                                                            "{rate: level, shape: slope, clock: age}}}\n"
                                                            "  ac: {from: a, to: c, hazard: other}\n",
                 "  state: {a: 1}\n  age: {fixed: 43.7}\n", 32, both, 2);
}

Test(clocks, two_clocks_run_at_once_from_one_state)
{
    const struct spell_hazard both[2] = {by_spell, by_age};
    expect_spell(HEAD TABLE("by_spell", "time_in_state", "[0.5, 1.25]", "[0.83, 0.21, 1.17]", "per_year")
                     TABLE("by_age", "age", "[44.1, 45, 47.3]", "[0.31, 0.07, 0.52, 0.18]",
                           "per_year") "transitions:\n  ab: {from: a, to: b, hazard: by_spell}\n"
                                       "  ac: {from: a, to: c, hazard: by_age}\n",
                 "  state: {a: 1}\n  age: {fixed: 43.7}\n", 33, both, 2);
}

Test(clocks, two_tables_and_a_gompertz_run_at_once_from_one_state)
{
    /* two hazards lead to c: their incidences add up */
    const struct spell_hazard all[3] = {by_spell, by_age, gompertz};
    struct support_world world;
    struct pk_run run;
    simulate(HEAD TABLE("by_spell", "time_in_state", "[0.5, 1.25]", "[0.83, 0.21, 1.17]", "per_year")
                 TABLE("by_age", "age", "[44.1, 45, 47.3]", "[0.31, 0.07, 0.52, 0.18]", "per_year")
                     PARAMETER("level", "0.004", "per_year")
                         PARAMETER("slope", "0.093",
                                   "per_year_of_clock") "transitions:\n  ab: {from: a, to: b, hazard: by_spell}\n"
                                                        "  ac: {from: a, to: c, hazard: by_age}\n"
                                                        "  ad: {from: a, to: c, hazard: {gompertz: {rate: "
                                                        "level, shape: slope, clock: age}}}\n",
             "  state: {a: 1}\n  age: {fixed: 43.7}\n", 34, &world, &run);
    for (size_t k = 0; k < 3; k++) {
        double t = times[k] / 12.0;
        support_expect(support_state(&run, 0, "in", "b", times[k]), spell_incidence(all, 3, 0, t), n_errors, "in", "b");
        support_expect(support_state(&run, 0, "in", "c", times[k]),
                       spell_incidence(all, 3, 1, t) + spell_incidence(all, 3, 2, t), n_errors, "in", "c");
    }
    pk_run_free(&run);
    support_close(&world);
}

/* The start is 1 January 2021: 1 July is 6 months on, 1 March of the next year 14. */
Test(clocks, calendar_table_changes_on_its_dates)
{
    static const struct spell_hazard by_date = {.n_cuts = 2, .cuts = {0.5, 14.0 / 12}, .values = {0.11, 1.9, 0.27}};
    expect_spell(HEAD TABLE("by_date", "calendar", "[2021-07-01, 2022-03-01]", "[0.11, 1.9, 0.27]",
                            "per_year") "transitions:\n  ab: {from: a, to: b, hazard: by_date}\n",
                 "  state: {a: 1}\n", 35, &by_date, 1);
}

Test(clocks, table_since_start_does_not_mind_the_elapsed_time)
{
    static const struct spell_hazard by_start = {.n_cuts = 2, .cuts = {0.25, 1.5}, .values = {0.93, 0.13, 0.71}};
    expect_spell(HEAD TABLE("by_start", "since_start", "[0.25, 1.5]", "[0.93, 0.13, 0.71]",
                            "per_year") "transitions:\n  ab: {from: a, to: b, hazard: by_start}\n",
                 "  state: {a: 1}\n  elapsed: {a: {fixed: 0.8}}\n", 36, &by_start, 1);
}
