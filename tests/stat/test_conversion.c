/* What a document gives (a probability by a horizon) comes back out of the simulation and of closed forms. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "polku/convert.h"
#include "polku/kinds.h"
#include "polku/twin.h"
#include "support.h"

/* ---- the main scenario, with ages, durations and every exit active ----------------------------------------------- */

/* 500 replications of 700 enrolled: the s.e. of 37 % is 0.08 percentage points (TYP 0.07), of which 4 are allowed: a
 * right conversion fails once in 15,000, and 36.5 % would be seen with 99 % power. */
static void expect_documents(const char *config, double typ, double ips)
{
    const struct pk_run_options options = {.enrolled_only = true, .n_replications = 500};
    struct support_world world;
    struct pk_run run;
    support_open_file(&world, config, NULL, 0);
    cr_assert(strcmp(world.scenario.outcomes[0].name, "ever_employed_18m") == 0);
    world.scenario.n_outcomes = 1;
    support_run(&world, &options, &run);
    cr_assert_eq(world.plan.n_cohorts, 1);
    support_expect(support_outcome(&run, 1, 1, SIZE_MAX, "ever_employed_18m"), typ, 4, config, "typ");
    support_expect(support_outcome(&run, 1, 2, SIZE_MAX, "ever_employed_18m"), ips, 4, config, "ips");
    pk_run_free(&run);
    support_close(&world);
}

Test(conversion, enrolled_people_find_work_as_the_documents_say)
{
    expect_documents("ips-vs-typ.yaml", 0.20, 0.37);
}

Test(conversion, enrolled_people_find_work_as_the_swedish_trial_says)
{
    expect_documents("ips-vs-typ-swedish.yaml", 0.11, 0.46);
}

/* What convert.h promises, kind by kind: to 1e-9 of the probability on the twin's grid of half a month. The oracle
 * shares neither the grouping of kinds nor the way to the root; 1e-12 is for the order of the sums. */
static void hold_alone(const char *config, const double *wanted, size_t least_kinds)
{
    struct support_world world;
    support_open_file(&world, config, NULL, 0);
    const struct pk_plan *plan = &world.plan;
    const size_t i_employed = pk_model_state(&world.model, "employed");
    size_t n_held = 0;
    for (size_t a = 0; a < plan->n_arms; a++) {
        if (plan->arms[a].n_enrolments == 0)
            continue;
        const struct pk_plan_enrolment *enrolment = &plan->arms[a].enrolments[0];
        const struct pk_kinds_request request = {.target =
                                                     &plan->targets[plan->lotteries[enrolment->i_lottery].i_target],
                                                 .n_ages = 6,
                                                 .n_elapsed = 8,
                                                 .n_frailty = 16};
        struct pk_enrolled item = {.i_service = enrolment->i_service};
        const struct pk_treatment treatment = {.n = 1, .items = &item};
        struct pk_kinds kinds;
        struct pk_error error;
        double ever = 0, occupancy[PK_MAX_STATES];
        cr_assert_eq(pk_kinds_make(&kinds, plan, &request, &error), PK_OK);
        cr_assert_gt(kinds.n, least_kinds);
        for (size_t i = 0; i < kinds.n; i++) {
            const struct pk_twin_case problem = {.plan = plan,
                                                 .stratum = kinds.items[i].stratum,
                                                 .frailties = kinds.items[i].frailties,
                                                 .i_state = kinds.items[i].i_state,
                                                 .age = kinds.items[i].age,
                                                 .elapsed = kinds.items[i].elapsed,
                                                 .treatment = &treatment,
                                                 .stop_states = UINT64_C(1) << i_employed,
                                                 .until = 18,
                                                 .step = 0.5};
            cr_assert_eq(pk_twin_solve(&problem, occupancy, NULL, &error), PK_OK);
            ever += kinds.items[i].share * occupancy[i_employed];
        }
        cr_expect_float_eq(ever, wanted[n_held], 1e-9 + 1e-12, "%s, arm %zu: %.12f", config, a, ever);
        n_held++;
        pk_kinds_free(&kinds);
    }
    cr_expect_gt(n_held, 0);
    support_close(&world);
}

Test(conversion, hazard_gives_the_probability_when_each_kind_is_solved_alone)
{
    hold_alone("ips-vs-typ.yaml", (const double[]){0.20, 0.37}, 100);
}

/* Counties tell who is in the target group and nothing else: dozens of kinds that are the same but for their shares. */
Test(conversion, hazard_gives_the_probability_where_many_kinds_are_the_same)
{
    hold_alone("systems/programme-expansion.yaml", (const double[]){0.182}, 48 * 48);
}

/* ---- closed forms ----------------------------------------------------------------------------------------------- */

#define HEAD                                                                                                           \
    "polku: 1\nmodel: given\nstates:\n  u: {}\n  e: {}\n  x: {absorbing: true}\nparameters:\n" PARAMETER(              \
        "horizon", "1.5", "years") PARAMETER("loss", "0.46", "per_year") PARAMETER("exit", "0.05", "per_year")
#define FIND(value, of, exits)                                                                                         \
    "  find: {probability: {value: " value ", by: horizon, of: " of ", state: e, exits: " exits                        \
    "}, unit: per_year, source: {assumption: test}}\n"
#define MOVES "transitions:\n  find: {from: u, to: e, hazard: find}\n  loss: {from: e, to: u, hazard: loss}\n"
#define EXIT "  exit: {from: u, to: x, hazard: exit}\n"
#define SCENARIO                                                                                                       \
    "polku: 1\nscenario: test\nmodel: model.yaml\nseed: 71\nstart: 2021-01-01\nhorizon: {months: 18}\nbatches: 256\n"  \
    "population:\n  size: 200000\n  state: {u: 1}\n"
#define OUTCOMES                                                                                                       \
    "outcomes:\n  in_e: {measure: occupancy, states: [e], at: {months: 18}}\n"                                         \
    "  ever_e: {measure: first_entry, states: [e], at: {months: 18}}\n"
#define BASE SCENARIO "arms:\n  base: {}\n" OUTCOMES

static double converted(const char *model, const char *name)
{
    struct support_world world;
    support_open_texts(&world, model, BASE);
    size_t i = pk_model_parameter(&world.model, name);
    double rate = world.values.used[i];
    cr_assert_not_null(world.values.note[i], "how it was converted is told");
    support_close(&world);
    return rate;
}

/* Without exits: -ln(1 - p) / T, to rounding. */
Test(conversion, probability_without_exits_is_the_logarithm)
{
    double rate = converted(HEAD FIND("0.46", "ever", "none") MOVES EXIT, "find");
    cr_expect_float_eq(rate, -log1p(-0.46) / 1.5, 1e-15);
    cr_expect_float_eq(rate, 0.4108, 5e-5); /* evidence 3.2 */
}

/* Evidence 3.1: p = l / (l + c) (1 - exp(-(l + c) T)) with c = 0.05; 0.4303 in its table. Piecewise exponential steps
 * are exact here, and the root is found to 1e-9 of probability (slope about 0.8). */
Test(conversion, probability_of_ever_with_a_constant_exit_has_the_closed_hazard)
{
    double l = converted(HEAD FIND("0.46", "ever", "active") MOVES EXIT, "find"), c = 0.05;
    cr_expect_float_eq(l / (l + c) * (1 - exp(-(l + c) * 1.5)), 0.46, 1e-8);
    cr_expect_float_eq(l, 0.4303, 5e-5);
}

/* Evidence 3.1: p = l / (l + d) (1 - exp(-(l + d) T)) with d = 0.46; 0.619 in the table of 3.2. The twin's step of half
 * a month is good for about 1e-4 (test_generators.c). */
Test(conversion, probability_of_being_there_has_the_renewal_hazard)
{
    double l = converted(HEAD FIND("0.46", "at", "active") MOVES EXIT, "find"), d = 0.46;
    double q[9] = {0, l, 0.05, 0.46, 0, 0, 0, 0, 0}, p[3] = {1}, years[3] = {0};
    support_diagonal(q, 3);
    support_evolve(q, 3, 1.5, p, years);
    cr_expect_float_eq(p[1], 0.46, 1e-4);
    l = converted(HEAD FIND("0.46", "at", "active") MOVES, "find");
    cr_expect_float_eq(l / (l + d) * (1 - exp(-(l + d) * 1.5)), 0.46, 1e-4);
    cr_expect_float_eq(l, 0.619, 1e-3);
}

/* Simulated: 4 standard errors of 0.0011. */
Test(conversion, probability_of_being_there_is_met_in_simulation)
{
    struct support_world world;
    struct pk_run run;
    support_open_texts(&world, HEAD FIND("0.31", "at", "active") MOVES EXIT, BASE);
    support_run(&world, NULL, &run);
    support_expect(support_outcome(&run, 0, 0, SIZE_MAX, "in_e"), 0.31, 4, "in", "e");
    pk_run_free(&run);
    support_close(&world);
}

Test(conversion, mean_duration_is_inverted)
{
    const char *model =
        HEAD "  find: {mean_duration: {days: 219}, unit: per_year, source: {assumption: test}}\n" MOVES EXIT;
    cr_expect_float_eq(converted(model, "find"), 365.25 / 219, 1e-14);
    const char *years =
        HEAD "  find: {mean_duration: {years: 2.385}, unit: per_year, source: {assumption: test}}\n" MOVES EXIT;
    cr_expect_float_eq(converted(years, "find"), 1 / 2.385, 1e-15);
}

/* ---- services ---------------------------------------------------------------------------------------------------- */

/* Half of the people have 2.5 times the base hazard; a service that works for a year of the 1.5 must make up for the
 * rest. Closed: the share not in work is exp(-own) (exp(-0.2 / 2) + exp(-0.5 / 2)) / 2. */
Test(conversion, service_with_a_short_window_counts_on_the_base_hazard_after_it)
{
    const char *model =
        "polku: 1\nmodel: given\nstates:\n  u: {}\n  e: {absorbing: true}\nattributes:\n  kind: {values: "
        "[slow, fast]}\nparameters:\n" PARAMETER("horizon", "1.5", "years") PARAMETER("base", "0.2", "per_year")
            PARAMETER("fast", "2.5", "ratio") PARAMETER("window", "1", "years")
                FIND("0.4", "ever", "active") "transitions:\n  find: {from: u, to: e, hazard: base, ratios: "
                                              "{kind: {fast: fast}}}\n"
                                              "services:\n  s: {window: window, effects: [{transition: find, "
                                              "replace: find}]}\n";
    const char *scenario = SCENARIO "  attributes: {kind: {slow: 0.5, fast: 0.5}}\n"
                                    "arms:\n  base: {}\n  s: {enrol: [{service: s, persons: 200000}]}\n" OUTCOMES;
    struct support_world world;
    struct pk_run run;
    support_open_texts(&world, model, scenario);
    double own = world.values.used[pk_model_parameter(&world.model, "find")];
    cr_expect_float_eq(own, log((exp(-0.2 / 2) + exp(-0.5 / 2)) / 2 / 0.6), 1e-8);
    support_run(&world, NULL, &run);
    support_expect(support_outcome(&run, 0, 1, SIZE_MAX, "ever_e"), 0.4, 4, "ever", "e");
    support_expect(support_outcome(&run, 0, 0, SIZE_MAX, "ever_e"), 1 - (exp(-0.3) + exp(-0.75)) / 2, 4, "base", "e");
    pk_run_free(&run);
    support_close(&world);
}

#define SERVED(effect, window)                                                                                         \
    "polku: 1\nmodel: given\nstates:\n  u: {}\n  e: {absorbing: true}\n  x: {absorbing: "                              \
    "true}\nparameters:\n" PARAMETER("horizon", "1.5", "years") PARAMETER("base", "0.05", "per_year")                  \
        PARAMETER("exit", "0.3", "per_year") PARAMETER("window", window, "years") FIND(                                \
            "0.4", "ever",                                                                                             \
            "active") "transitions:\n  find: {from: u, to: e, hazard: base}\n  exit: {from: u, to: x, hazard: exit}\n" \
                      "services:\n  s: {window: window, effects: [{transition: find, " effect ": find}]}\n"
#define SERVE SCENARIO "arms:\n  base: {}\n  s: {enrol: [{service: s, persons: 200000}]}\n" OUTCOMES

/* l/(l + c) (1 - exp(-(l + c) w)) within the window, then the base hazard b for those who are left. */
static double ever_served(double l, double window)
{
    const double b = 0.05, c = 0.3, left = exp(-(l + c) * window);
    return l / (l + c) * (1 - left) + left * b / (b + c) * (1 - exp(-(b + c) * (1.5 - window)));
}

/* From hazards far below the least that a search begins with up to hazards a hundred times what the probability would
 * have without exits: every length of window that is whole steps of the twin's, coarse and fine. Where steps end with
 * the window they are exact. */
Test(conversion, probabilities_of_services_small_and_large_have_the_closed_hazard)
{
    static const char *const effects[] = {"replace", "at_least"}, *const windows[] = {"1.5", "0.5"};
    static const double wanted[] = {0.0585, 0.061, 0.085, 0.137, 0.2385, 0.4, 0.55, 0.77, 0.93, 0.985};
    for (size_t e = 0; e < 2; e++)
        for (size_t w = 0; w < 2; w++)
            for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
                struct support_world world;
                struct pk_values values;
                struct pk_error error;
                char to[40];
                support_open_texts(&world,
                                   e == 0   ? w == 0 ? SERVED("replace", "1.5") : SERVED("replace", "0.5")
                                     : w == 0 ? SERVED("at_least", "1.5")
                                            : SERVED("at_least", "0.5"),
                                   SERVE);
                snprintf(to, sizeof to, "%.17g", wanted[i]);
                const struct pk_set set = {.parameter = "find", .to = to};
                cr_assert_eq(pk_variants_values(&values, &world.model, &world.scenario, &set, 1, NULL, 0, &error),
                             PK_OK, "%s", error.message);
                const size_t i_find = pk_model_parameter(&world.model, "find");
                const double l = values.used[i_find];
                cr_expect_float_eq(ever_served(l, atof(windows[w])), wanted[i], 2e-9, "%s %s %g: %.10g", effects[e],
                                   windows[w], wanted[i], l);
                cr_expect_not_null(values.note[i_find]);
                pk_values_free(&values);
                support_close(&world);
            }
}

/* The least hazard is above the base's in the last step of a search alone: below it the probability does not rise. */
Test(conversion, probability_that_the_base_gives_anyway_takes_no_hazard)
{
    struct support_world world;
    struct pk_values values;
    struct pk_error error;
    char to[40];
    support_open_texts(&world, SERVED("at_least", "1.5"), SERVE);
    snprintf(to, sizeof to, "%.17g", 0.05 / 0.35 * (1 - exp(-0.35 * 1.5)));
    const struct pk_set set = {.parameter = "find", .to = to};
    cr_assert_eq(pk_variants_values(&values, &world.model, &world.scenario, &set, 1, NULL, 0, &error), PK_OK);
    cr_expect_eq(values.used[pk_model_parameter(&world.model, "find")], 0);
    pk_values_free(&values);
    support_close(&world);
}

/* The same bits of every value, and no words about what was solved. */
Test(conversion, untold_conversions_are_those_told)
{
    struct support_world world;
    struct pk_values values;
    struct pk_error error;
    support_open_file(&world, "ips-vs-traditional.yaml", NULL, 0);
    cr_assert_eq(pk_variants_given(&values, &world.model, &world.scenario, NULL, 0, NULL, 0, &error), PK_OK);
    cr_assert_eq(pk_convert_untold(&values, &world.model, &world.scenario, &error), PK_OK);
    size_t n_untold = 0;
    for (size_t i = 0; i < world.model.n_parameters; i++) {
        cr_expect_eq(memcmp(&values.used[i], &world.values.used[i], sizeof(double)), 0, "%s: %a, %a",
                     world.model.parameters[i].name, values.used[i], world.values.used[i]);
        n_untold += world.values.note[i] != NULL && values.note[i] == NULL;
    }
    cr_expect_eq(n_untold, 4); /* ips, typ, latu and ktt */
    pk_values_free(&values);
    support_close(&world);
}

/* ---- what cannot be --------------------------------------------------------------------------------------------- */

static void expect_refused(const char *model, const char *scenario, const char *words)
{
    struct support_world world;
    struct pk_error error = {.status = PK_OK};
    cr_expect_eq(support_try_texts(&world, model, scenario, &error), PK_BAD_INPUT);
    cr_expect(strstr(error.message, words) != NULL, "\"%s\" does not say \"%s\"", error.message, words);
    cr_expect(strstr(error.message, "find") != NULL, "\"%s\" does not name the parameter", error.message);
    support_close(&world);
}

/* Even a service that finds nobody work for its half year leaves 1 - exp(-0.5) = 39 % in work by the horizon. */
Test(conversion, probability_below_what_the_base_gives_anyway_is_refused)
{
    expect_refused(
        "polku: 1\nmodel: given\nstates:\n  u: {}\n  e: {absorbing: true}\nparameters:\n" PARAMETER(
            "horizon", "1.5", "years") PARAMETER("base", "0.5", "per_year") PARAMETER("window", "0.5", "years")
            FIND("0.3", "ever", "active") "transitions:\n  find: {from: u, to: e, hazard: base}\n"
                                          "services:\n  s: {window: window, effects: [{transition: find, "
                                          "replace: find}]}\n",
        SCENARIO "arms:\n  base: {}\n  s: {enrol: [{service: s, persons: 200000}]}\n" OUTCOMES, "cannot be met");
}

/* Jobs end after a quarter of a year, for good: at 1.5 years nobody but late finders can be in one. */
Test(conversion, probability_above_what_any_hazard_gives_is_refused)
{
    expect_refused(HEAD PARAMETER("length", "0.25", "years") FIND(
                       "0.46", "at", "active") "transitions:\n  find: {from: u, to: e, hazard: find}\n"
                                               "  loss: {from: e, to: x, at: {clock: time_in_state, value: length}}\n",
                   BASE, "cannot be met");
}

/* find needs the hazard of loss, loss that of find. */
Test(conversion, two_conversions_that_need_each_other_are_a_cycle)
{
    expect_refused(
        "polku: 1\nmodel: given\nstates:\n  u: {}\n  e: {}\nparameters:\n" PARAMETER("horizon", "1.5", "years")
            FIND("0.46", "at", "active") "  find_loss: {probability: {value: 0.3, by: horizon, of: at, state: "
                                         "u, exits: active}, unit: per_year, source: {assumption: test}}\n"
                                         "transitions:\n  find: {from: u, to: e, hazard: find}\n"
                                         "  loss: {from: e, to: u, hazard: find_loss}\n",
        BASE, "cycle");
}
