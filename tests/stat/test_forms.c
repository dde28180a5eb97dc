/* Parametric hazards of every form on every clock, alone, competing, together, and common to all states, against GSL's
 * distribution functions and quadrature (form.h, spell.h). */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "spell.h"
#include "support.h"

/* 100,000 people in 256 batches, everyone beginning in the state a: the s.e. of a share is at most 0.0016, of the
 * years of five at most 0.007. About 2,500 comparisons, more than in other files, so that 5 standard errors are asked
 * for (Student, 255 degrees of freedom: 1.1e-6 each): a right engine fails at most one seed in 370; at 4 it would be
 * one in 5. A share that is 0.011 off is seen with 97 % power, and each form in more than 100 comparisons. Seeds are
 * numbered through, not chosen. */
static const double n_errors = 5;
static const struct pk_run_options one_thread = {.n_threads = 1}; /* Criterion runs tests side by side */
enum { PERSONS = 100000, N_TIMES = 4, HORIZON = 60, N_FORMS = 15 };
static const char *const states[] = {"a", "b", "c", "d", NULL};
static const int times[N_TIMES] = {3, 11, 29, HORIZON}; /* months */

#define STATES "  a: {}\n  b: {absorbing: true}\n  c: {absorbing: true}\n  d: {absorbing: true}\n"
#define AGE 43.7
#define ELAPSED 0.35
#define PEOPLE "  state: {a: 1}\n  age: {fixed: 43.7}\n"
#define PEOPLE_ELAPSED PEOPLE "  elapsed: {a: {fixed: 0.35}}\n"

/* The same forms with numbers for clocks that begin near 0, and for ages. Shapes below 1, and q sigma above 1, have no
 * bound at 0; a gompertz of negative shape leaves some for good. */
static const struct form young[N_FORMS] = {{"constant", {0.37}},
                                           {"gompertz", {0.41, 0.22}},
                                           {"gompertz", {-1.3, 0.9}},
                                           {"weibull", {1.7, 2.3}},
                                           {"weibull", {0.62, 3.1}},
                                           {"weibull_ph", {1.45, 0.31}},
                                           {"weibull_ph", {0.71, 0.44}},
                                           {"log_logistic", {2.4, 1.9}},
                                           {"log_logistic", {0.77, 2.6}},
                                           {"log_normal", {0.53, 0.88}},
                                           {"gamma", {2.3, 1.15}},
                                           {"gamma", {0.58, 0.31}},
                                           {"generalised_gamma", {0.61, 0.79, 0.66}},
                                           {"generalised_gamma", {0.44, 0.91, -0.83}},
                                           {"generalised_gamma", {0.8, 1.3, 1.21}}},
                         old[N_FORMS] = {{"constant", {0.37}},
                                         {"gompertz", {0.093, 0.004}},
                                         {"gompertz", {-0.11, 30}},
                                         {"weibull", {5.3, 49.1}},
                                         {"weibull", {0.62, 3.1}},
                                         {"weibull_ph", {4.1, 1.4e-7}},
                                         {"weibull_ph", {0.71, 0.44}},
                                         {"log_logistic", {6.2, 47.3}},
                                         {"log_logistic", {0.77, 2.6}},
                                         {"log_normal", {3.83, 0.21}},
                                         {"gamma", {31.7, 0.66}},
                                         {"gamma", {0.58, 0.31}},
                                         {"generalised_gamma", {3.84, 0.2, 0}},
                                         {"generalised_gamma", {3.81, 0.19, -0.83}},
                                         {"generalised_gamma", {0.8, 1.3, 1.21}}};

/* The start is 1 January 2021: these origins are 20 months before it and 6 months after. */
static const struct clock {
    const char *words;
    double reads, elapsed; /* at the start; so much more for each year of elapsed time */
    const struct form *forms;
} clocks[] = {{"time_in_state", 0, 1, young},
              {"age", AGE, 0, old},
              {"since_start", 0, 0, young},
              {"calendar, origin: 2019-05-01", 20 / 12.0, 0, young},
              {"calendar, origin: 2021-07-01", -0.5, 0, young}};
enum { N_CLOCKS = sizeof clocks / sizeof *clocks, BY_STATE = 0, BY_AGE, BY_START, BY_DATE, BY_LATER_DATE };

static struct spell_hazard hazard_of(const struct form *form, const struct clock *clock, double elapsed)
{
    return (struct spell_hazard){.form = form, .times = 1, .clock = clock->reads + clock->elapsed * elapsed};
}

/* Hazard i leads from a to state i + 1. */
static void expect_spell(const struct form_route *routes, size_t n, const char *population, unsigned long seed,
                         const struct spell_hazard *hazards)
{
    struct support_scenario scenario = {
        .seed = seed, .persons = PERSONS, .horizon_months = HORIZON, .population = population, .states = states};
    struct support_world world;
    struct pk_run run;
    char what[128];
    memcpy(scenario.times, times, sizeof times);
    form_open(&world, STATES, NULL, NULL, routes, n, NULL, &scenario);
    support_run(&world, &one_thread, &run);
    snprintf(what, sizeof what, "%s {%g, %g, %g} on %s of %zu from %s, seed %lu, in", routes[0].form.name,
             routes[0].form.p[0], routes[0].form.p[1], routes[0].form.p[2], routes[0].clock, n, routes[0].from, seed);
    for (size_t k = 0; k < N_TIMES; k++) {
        double t = times[k] / 12.0;
        support_expect(support_state(&run, 0, "in", "a", times[k]), spell_survival(hazards, n, t), n_errors, what, "a");
        for (size_t i = 0; i < n && n > 1; i++)
            support_expect(support_state(&run, 0, "in", states[i + 1], times[k]), spell_incidence(hazards, n, i, t),
                           n_errors, what, states[i + 1]);
    }
    support_expect(support_state(&run, 0, "years", "a", HORIZON), spell_years(hazards, n, HORIZON / 12.0), n_errors,
                   what, "a (years)");
    pk_run_free(&run);
    support_close(&world);
}

/* Each form on a clock beside a constant hazard, and alone before that where so asked. */
static void expect_forms(const struct clock *clock, const char *from, const char *population, double elapsed,
                         bool alone_too, unsigned long seed)
{
    const struct form constant = {"constant", {0.29}};
    for (size_t i = 0; i < N_FORMS; i++) {
        const struct form_route routes[2] = {
            {.name = "ab", .from = from, .to = "b", .clock = clock->words, .form = clock->forms[i]},
            {.name = "ac", .from = "a", .to = "c", .clock = "time_in_state", .form = constant}};
        const struct spell_hazard hazards[2] = {hazard_of(&clock->forms[i], clock, elapsed),
                                                {.form = &constant, .times = 1}};
        if (alone_too)
            expect_spell(routes, 1, population, seed + 2 * i, hazards);
        expect_spell(routes, 2, population, seed + 2 * i + 1, hazards);
    }
}

Test(forms, time_in_state)
{
    expect_forms(&clocks[BY_STATE], "a", PEOPLE, 0, true, 1000);
}

Test(forms, time_in_state_goes_on_from_the_elapsed_time)
{
    expect_forms(&clocks[BY_STATE], "a", PEOPLE_ELAPSED, ELAPSED, true, 1100);
}

Test(forms, age)
{
    expect_forms(&clocks[BY_AGE], "a", PEOPLE, 0, true, 1200);
}

Test(forms, age_does_not_mind_the_elapsed_time)
{
    expect_forms(&clocks[BY_AGE], "a", PEOPLE_ELAPSED, ELAPSED, false, 1300);
}

Test(forms, since_start)
{
    expect_forms(&clocks[BY_START], "a", PEOPLE_ELAPSED, ELAPSED, false, 1400);
}

Test(forms, calendar_from_an_origin_before_the_start)
{
    expect_forms(&clocks[BY_DATE], "a", PEOPLE, 0, false, 1500);
}

/* Where the clock is below 0 only constant and gompertz have a hazard. */
Test(forms, calendar_from_an_origin_after_the_start)
{
    expect_forms(&clocks[BY_LATER_DATE], "a", PEOPLE, 0, false, 1600);
}

/* Drawn once a person, at whatever state. */
Test(forms, age_as_a_hazard_common_to_all_states)
{
    expect_forms(&clocks[BY_AGE], "any", PEOPLE, 0, false, 1700);
}

Test(forms, since_start_as_a_hazard_common_to_all_states)
{
    expect_forms(&clocks[BY_START], "any", PEOPLE_ELAPSED, ELAPSED, false, 1800);
}

Test(forms, calendar_as_a_hazard_common_to_all_states)
{
    expect_forms(&clocks[BY_LATER_DATE], "any", PEOPLE, 0, false, 1900);
}

/* The excess of 1.8 times is a layer of its own above the common hazard: on age and since the start by turns. */
Test(forms, common_hazard_with_an_excess_in_the_state)
{
    for (size_t i = 0; i < N_FORMS; i++) {
        size_t c = i % 2 ? BY_AGE : BY_START;
        const struct form_route route = {.name = "ab",
                                         .from = "any",
                                         .to = "b",
                                         .clock = clocks[c].words,
                                         .form = clocks[c].forms[i],
                                         .more = ", excess: {a: of_a}"};
        struct spell_hazard hazard = hazard_of(&clocks[c].forms[i], &clocks[c], 0);
        struct support_scenario scenario = {
            .seed = 2000 + i, .persons = PERSONS, .horizon_months = HORIZON, .population = PEOPLE, .states = states};
        struct support_world world;
        struct pk_run run;
        memcpy(scenario.times, times, sizeof times);
        hazard.times = 1.8;
        form_open(&world, STATES, NULL, PARAMETER("of_a", "1.8", "ratio"), &route, 1, NULL, &scenario);
        support_run(&world, &one_thread, &run);
        for (size_t k = 0; k < N_TIMES; k++)
            support_expect(support_state(&run, 0, "in", "a", times[k]), spell_survival(&hazard, 1, times[k] / 12.0),
                           n_errors, clocks[c].words, route.form.name);
        pk_run_free(&run);
        support_close(&world);
    }
}

/* Three forms at once, each on a clock of its own, from one state, people with elapsed time or without. */
Test(forms, three_forms_on_three_clocks_from_one_state)
{
    static const size_t forms[][3] = {{4, 3, 2}, {9, 14, 6}, {13, 10, 12}, {8, 5, 11}, {7, 13, 1}},
                        on[][3] = {{BY_STATE, BY_AGE, BY_DATE},
                                   {BY_STATE, BY_AGE, BY_LATER_DATE},
                                   {BY_AGE, BY_STATE, BY_START},
                                   {BY_START, BY_DATE, BY_STATE},
                                   {BY_LATER_DATE, BY_AGE, BY_STATE}};
    static const char *const names[3] = {"ab", "ac", "ad"};
    for (size_t i = 0; i < 5; i++)
        for (size_t with_elapsed = 0; with_elapsed < 2; with_elapsed++) {
            struct form_route routes[3];
            struct spell_hazard hazards[3];
            for (size_t k = 0; k < 3; k++) {
                const struct clock *clock = &clocks[on[i][k]];
                routes[k] = (struct form_route){.name = names[k],
                                                .from = "a",
                                                .to = states[k + 1],
                                                .clock = clock->words,
                                                .form = clock->forms[forms[i][k]]};
                hazards[k] = hazard_of(&clock->forms[forms[i][k]], clock, with_elapsed ? ELAPSED : 0);
            }
            expect_spell(routes, 3, with_elapsed ? PEOPLE_ELAPSED : PEOPLE, 2100 + 2 * i + with_elapsed, hazards);
        }
}

/* Elapsed time spread over [0.1, 1.9]: the mean over it, by quadrature. */
Test(forms, elapsed_time_is_averaged_over_its_distribution)
{
    for (size_t i = 0; i < N_FORMS; i++) {
        const struct form_route route = {
            .name = "ab", .from = "a", .to = "b", .clock = "time_in_state", .form = young[i]};
        struct support_scenario scenario = {.seed = 2200 + i,
                                            .persons = PERSONS,
                                            .horizon_months = HORIZON,
                                            .population = "  state: {a: 1}\n  elapsed: {a: {uniform: [0.1, 1.9]}}\n",
                                            .states = states};
        struct support_world world;
        struct pk_run run;
        memcpy(scenario.times, times, sizeof times);
        form_open(&world, STATES, NULL, NULL, &route, 1, NULL, &scenario);
        support_run(&world, &one_thread, &run);
        for (size_t k = 0; k < N_TIMES; k++) {
            double sum = 0;
            enum { PIECES = 2000 }; /* Simpson: the survival is smooth in the elapsed time */
            for (size_t j = 0; j <= PIECES; j++) {
                struct spell_hazard hazard = {.form = &young[i], .times = 1, .clock = 0.1 + 1.8 * (double)j / PIECES};
                sum += (j == 0 || j == PIECES ? 1 : j % 2 ? 4 : 2) * spell_survival(&hazard, 1, times[k] / 12.0);
            }
            support_expect(support_state(&run, 0, "in", "a", times[k]), sum / (3 * PIECES), n_errors, route.form.name,
                           "over elapsed times");
        }
        pk_run_free(&run);
        support_close(&world);
    }
}
