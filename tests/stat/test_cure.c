/* Cure: shares of people, or of spells, to whom a transition never happens, against closed forms, quadrature and the
 * matrix exponential. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "spell.h"
#include "support.h"

/* 100,000 people in 256 batches: the s.e. of a share is at most 0.0016. About 220 comparisons at 5 standard errors,
 * as in test_forms.c: these files together make 4,300, of which at 4 (Student, 255 degrees of freedom: 8.3e-5 each)
 * one seed in three would fail one, at 5 (1.1e-6) one in 210. A share that is 0.011 off is seen with 97 % power; a
 * person's and a spell's cure differ by more than 0.1. */
static const double n_errors = 5;
static const struct pk_run_options one_thread = {.n_threads = 1}; /* Criterion runs tests side by side */
enum { PERSONS = 100000, N_TIMES = 4, HORIZON = 60, LIVES = 20000 };
static const char *const states[] = {"a", "b", "c", NULL};
static const int times[N_TIMES] = {4, 11, 29, HORIZON}; /* months */

#define STATES "  a: {}\n  b: {absorbing: true}\n  c: {absorbing: true}\n"
#define AGE 43.7
#define ELAPSED 0.85
#define PEOPLE_ELAPSED "  state: {a: 1}\n  age: {fixed: 43.7}\n  elapsed: {a: {fixed: 0.85}}\n"
#define SHARE PARAMETER("cured", "0.31", "share")
static const double share = 0.31;

static struct support_world world;
static struct pk_run run;

static void begin(const char *shape, const char *above, const char *parameters, const struct form_route *routes,
                  size_t n, const char *below, const char *population, const char *arms, unsigned long seed)
{
    struct support_scenario scenario = {.seed = seed,
                                        .persons = PERSONS,
                                        .horizon_months = HORIZON,
                                        .population = population,
                                        .states = states,
                                        .arms = arms};
    memcpy(scenario.times, times, sizeof times);
    form_open(&world, shape, above, parameters, routes, n, below, &scenario);
    support_run(&world, &one_thread, &run);
}

static void finish(void)
{
    pk_run_free(&run);
    support_close(&world);
}

static const struct trial {
    struct form form;
    const char *clock;
    double reads, elapsed; /* as in test_forms.c */
} trials[] = {{{"weibull", {1.7, 1.3}}, "time_in_state", 0, 1},
              {{"weibull", {0.62, 1.1}}, "time_in_state", 0, 1},
              {{"generalised_gamma", {0.44, 0.91, -0.83}}, "time_in_state", 0, 1},
              {{"constant", {0.9}}, "since_start", 0, 0},
              {{"gompertz", {-0.4, 1.3}}, "since_start", 0, 0},
              {{"log_normal", {3.83, 0.11}}, "age", AGE, 0},
              {{"log_logistic", {2.4, 2.6}}, "calendar, origin: 2019-05-01", 20 / 12.0, 0}};
enum { N_TRIALS = sizeof trials / sizeof *trials };

/* Of those cured before the elapsed time, this share of those still there. */
static double given_survival(const struct trial *trial)
{
    double now = trial->reads + trial->elapsed * ELAPSED;
    double survived = form_cumulative(&trial->form, now) - form_cumulative(&trial->form, now - ELAPSED);
    return share / (share + (1 - share) * exp(-survived));
}

/* Beside a constant hazard to c, which minds no cure. */
static void expect_cured(const struct trial *trial, double cured, const char *what)
{
    const struct form other = {"constant", {0.29}};
    const struct spell_hazard both[2] = {
        {.form = &trial->form, .times = 1, .clock = trial->reads + trial->elapsed * ELAPSED},
        {.form = &other, .times = 1}};
    for (size_t k = 0; k < N_TIMES; k++) {
        double t = times[k] / 12.0;
        support_expect(support_state(&run, 0, "in", "b", times[k]), (1 - cured) * spell_incidence(both, 2, 0, t),
                       n_errors, what, "in b");
        support_expect(support_state(&run, 0, "in", "c", times[k]),
                       (1 - cured) * spell_incidence(both, 2, 1, t) + cured * (1 - exp(-0.29 * t)), n_errors, what,
                       "in c");
    }
    support_expect(support_state(&run, 0, "years", "a", HORIZON),
                   (1 - cured) * spell_years(both, 2, 5) + cured * (1 - exp(-0.29 * 5)) / 0.29, n_errors, what,
                   "years in a");
}

static void expect_first_spell(const struct trial *trial, const char *from, const char *more, double cured,
                               unsigned long seed)
{
    const struct form other = {"constant", {0.29}};
    const struct form_route routes[2] = {
        {.name = "ab", .from = from, .to = "b", .clock = trial->clock, .form = trial->form, .more = more},
        {.name = "ac", .from = "a", .to = "c", .clock = "time_in_state", .form = other}};
    begin(STATES, NULL, SHARE, routes, 2, NULL, PEOPLE_ELAPSED, NULL, seed);
    expect_cured(trial, cured, more);
    finish();
}

Test(cure, share_is_of_those_at_the_beginning_or_of_those_present)
{
    static const char *const given[2] = {", cure: {share: cured, per: person}", ", cure: {share: cured, per: spell}"},
                             *const present[2] = {", cure: {share: cured, per: person, unconditional: true}",
                                                  ", cure: {share: cured, per: spell, unconditional: true}"};
    for (size_t i = 0; i < N_TRIALS; i++) { /* a person's and a spell's by turns */
        expect_first_spell(&trials[i], "a", given[i % 2], given_survival(&trials[i]), 6000 + 2 * i);
        expect_first_spell(&trials[i], "a", present[(i + 1) % 2], share, 6001 + 2 * i);
    }
}

Test(cure, of_a_hazard_common_to_all_states)
{
    static const size_t of_clock[3] = {3, 5, 6}; /* not time in state */
    for (size_t k = 0; k < 3; k++) {
        const struct trial *trial = &trials[of_clock[k]];
        expect_first_spell(trial, "any", ", cure: {share: cured, per: person}", given_survival(trial), 6100 + 2 * k);
        expect_first_spell(trial, "any", ", cure: {share: cured, per: person, unconditional: true}", share,
                           6101 + 2 * k);
    }
}

/* Back and forth at 1.1 and 1.9 a year. A cured person never goes to b; a cured spell is the person's last, and each
 * spell is cured or not by itself. Hidden states: a, a cured, b. */
#define BACK "  a: {}\n  b: {}\n  c: {absorbing: true}\n"
static const struct form to = {"constant", {1.1}}, back = {"constant", {1.9}};

static void routes_of(const char *more, struct form_route routes[2])
{
    routes[0] =
        (struct form_route){.name = "ab", .from = "a", .to = "b", .clock = "time_in_state", .form = to, .more = more};
    routes[1] = (struct form_route){.name = "ba", .from = "b", .to = "a", .clock = "since_start", .form = back};
}

Test(cure, persons_stay_cured_in_the_next_spell_and_spells_do_not)
{
    struct form_route routes[2];
    double in_b[2][N_TIMES];
    for (size_t by_spell = 0; by_spell < 2; by_spell++) {
        double renewed = by_spell ? share : 0;
        double q[9] = {0, 0, 1.1, 0, 0, 0, 1.9 * (1 - renewed), 1.9 * renewed, 0}, p[3] = {1 - share, share, 0};
        double years[3] = {0};
        support_diagonal(q, 3);
        routes_of(by_spell ? ", cure: {share: cured, per: spell}" : ", cure: {share: cured, per: person}", routes);
        begin(BACK, NULL, SHARE, routes, 2, NULL, "  state: {a: 1}\n", NULL, 6200 + by_spell);
        for (size_t k = 0; k < N_TIMES; k++) {
            support_evolve(q, 3, (times[k] - (k > 0 ? times[k - 1] : 0)) / 12.0, p, years);
            in_b[by_spell][k] = p[2];
            support_expect(support_state(&run, 0, "in", "b", times[k]), p[2], n_errors, routes[0].more, "in b");
            support_expect(support_state(&run, 0, "years", "b", times[k]), years[2], n_errors, routes[0].more,
                           "years in b");
        }
        finish();
    }
    cr_expect_gt(in_b[0][N_TIMES - 1] - in_b[1][N_TIMES - 1], 0.1);
}

/* Begun in b: the first spell in a is entered within the simulation. */
Test(cure, spell_entered_later_has_the_share_of_its_beginning)
{
    for (size_t by_spell = 0; by_spell < 2; by_spell++) {
        const struct form weibull = {"weibull", {1.7, 1.3}};
        const struct spell_hazard hazard = {.form = &weibull, .times = 1};
        const struct form_route routes[2] = {
            {.name = "ba", .from = "b", .to = "a", .clock = "since_start", .form = back},
            {.name = "ac",
             .from = "a",
             .to = "c",
             .clock = "time_in_state",
             .form = weibull,
             .more = by_spell ? ", cure: {share: cured, per: spell}" : ", cure: {share: cured, per: person}"}};
        begin(BACK, NULL, SHARE, routes, 2, NULL, "  state: {b: 1}\n  elapsed: {b: {fixed: 0.85}}\n", NULL,
              6300 + by_spell);
        for (size_t k = 0; k < N_TIMES; k++)
            support_expect(support_state(&run, 0, "in", "c", times[k]),
                           (1 - share) * spell_incidence_after(1.9, &hazard, 1, 0, times[k] / 12.0), n_errors,
                           routes[1].more, "in c");
        finish();
    }
}

/* Two cures are drawn independently: the survivals of a multiply. */
Test(cure, two_transitions_have_cures_of_their_own)
{
    const struct form_route routes[2] = {{.name = "ab",
                                          .from = "a",
                                          .to = "b",
                                          .clock = "time_in_state",
                                          .form = trials[0].form,
                                          .more = ", cure: {share: cured, per: person}"},
                                         {.name = "ac",
                                          .from = "a",
                                          .to = "c",
                                          .clock = "age",
                                          .form = trials[5].form,
                                          .more = ", cure: {share: half, per: spell}"}};
    const struct spell_hazard first = {.form = &trials[0].form, .times = 1},
                              second = {.form = &trials[5].form, .times = 1, .clock = AGE};
    begin(STATES, NULL, SHARE PARAMETER("half", "0.53", "share"), routes, 2, NULL,
          "  state: {a: 1}\n  age: {fixed: 43.7}\n", NULL, 6400);
    for (size_t k = 0; k < N_TIMES; k++) {
        double t = times[k] / 12.0;
        support_expect(support_state(&run, 0, "in", "a", times[k]),
                       (share + (1 - share) * spell_survival(&first, 1, t)) *
                           (0.53 + 0.47 * spell_survival(&second, 1, t)),
                       n_errors, "two cures", "in a");
    }
    finish();
}

Test(cure, beside_a_frailty_both_unconditional)
{
    const struct form_route route = {.name = "ab",
                                     .from = "a",
                                     .to = "b",
                                     .clock = "time_in_state",
                                     .form = trials[0].form,
                                     .more = ", frailty: z, cure: {share: cured, per: person, unconditional: true}"};
    const struct spell_hazard hazard = {.form = &trials[0].form, .times = 1, .clock = ELAPSED};
    begin(STATES, "frailty: {z: {variance: v, unconditional: true}}\n", SHARE PARAMETER("v", "1.3", "variance"), &route,
          1, NULL, PEOPLE_ELAPSED, NULL, 6500);
    for (size_t k = 0; k < N_TIMES; k++)
        support_expect(support_state(&run, 0, "in", "a", times[k]),
                       share + (1 - share) * spell_frail_survival(&hazard, 1, 1.3, 0, times[k] / 12.0), n_errors,
                       "cure and frailty", "in a");
    finish();
}

/* Twice nothing is nothing. */
/* 0.9 a year without the service, 1.8 with it, however it is said: plain, or by a form that is thinned. */
Test(cure, no_effect_of_a_service_undoes_it)
{
    static const char *const mores[2] = {", cure: {share: cured, per: person}", ", cure: {share: cured, per: spell}"};
    static const char *const effects[4] = {"scale: twice", "replace: high", "at_least: high",
                                           "replace: {weibull_ph: {shape: one, scale: form, clock: since_start}}"};
    for (size_t i = 0; i < 8; i++) {
        char services[256];
        const struct form_route route = {.name = "ab",
                                         .from = "a",
                                         .to = "b",
                                         .clock = "since_start",
                                         .form = {"constant", {0.9}},
                                         .more = mores[i % 2]};
        snprintf(services, sizeof services, "services:\n  help: {window: life, effects: [{transition: ab, %s}]}\n",
                 effects[i / 2]);
        begin(STATES, NULL,
              SHARE PARAMETER("twice", "2", "ratio") PARAMETER("high", "1.8", "per_year") PARAMETER("one", "1", "shape")
                  PARAMETER("form", "1.8", "real"),
              &route, 1, services, "  state: {a: 1}\n", "  none: {}\n  served: {enrol: [{service: help, share: 1}]}\n",
              6600 + i);
        for (size_t k = 0; k < N_TIMES; k++)
            support_expect(support_state(&run, 1, "in", "a", times[k]),
                           share + (1 - share) * exp(-2 * 0.9 * times[k] / 12.0), n_errors, mores[i % 2], "in a");
        finish();
    }
}

/* Life by life: a person's bit, and no event. */
Test(cure, whoever_is_cured_has_no_event)
{
    static struct pk_life life;
    struct form_route routes[2];
    size_t n_cured = 0, n_spells = 0;
    routes_of(", cure: {share: cured, per: person}", routes);
    begin(BACK, NULL, SHARE, routes, 2, NULL, "  state: {a: 1}\n", NULL, 6700);
    for (uint64_t id = 0; id < LIVES; id++) {
        struct pk_person person;
        struct pk_error error;
        pk_person_make(&world.plan, 0, id, &person);
        cr_assert_eq(pk_life_run(&world.plan, &person, NULL, &life, &error), PK_OK, "%s", error.message);
        n_cured += person.cured == 1;
        n_spells += life.n_events;
        cr_assert(person.cured == 0 || life.n_events == 0, "person %lu", (unsigned long)id);
        cr_assert(person.cured <= 1);
    }
    cr_expect_float_eq((double)n_cured / LIVES, share, n_errors * sqrt(share * (1 - share) / LIVES));
    cr_expect_gt(n_spells, LIVES);
    finish();
}
