/* Gamma frailty: survival of populations, with time spent before the start or without, shared by several hazards,
 * common to all states, and under services, against Laplace transforms (spell.h). */
#include <criterion/criterion.h>
#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "spell.h"
#include "support.h"

/* 100,000 people in 256 batches, all in the state a: the s.e. of a share is at most 0.0016. About 370 comparisons at
 * 5 standard errors, as in test_forms.c: these files together make 4,300, of which at 4 (Student, 255 degrees of
 * freedom: 8.3e-5 each) one seed in three would fail one, at 5 (1.1e-6) one in 210. A share that is 0.011 off is seen
 * with 97 % power; with variance 0.7 and H = 1 the frailty moves one by 0.1. */
static const double n_errors = 5;
static const struct pk_run_options one_thread = {.n_threads = 1}; /* Criterion runs tests side by side */
enum { PERSONS = 100000, N_TIMES = 4, HORIZON = 60 };
static const char *const states[] = {"a", "b", "c", NULL};
static const int times[N_TIMES] = {4, 11, 29, HORIZON}; /* months */

#define STATES "  a: {}\n  b: {absorbing: true}\n  c: {absorbing: true}\n"
#define CHAIN "  a: {}\n  b: {}\n  c: {absorbing: true}\n"
#define AGE 43.7
#define ELAPSED 0.85
#define PEOPLE "  state: {a: 1}\n  age: {fixed: 43.7}\n"
#define PEOPLE_ELAPSED PEOPLE "  elapsed: {a: {fixed: 0.85}}\n"
#define CONDITIONAL "frailty: {z: {variance: v}}\n"
#define UNCONDITIONAL "frailty: {z: {variance: v, unconditional: true}}\n"

static struct support_world world;
static struct pk_run run;

/* One run; the caller compares and calls finish. */
static void begin(const char *shape, const char *frailty, const char *parameters, const struct form_route *routes,
                  size_t n, const char *below, const char *population, const char *arms, unsigned long seed)
{
    struct support_scenario scenario = {.seed = seed,
                                        .persons = PERSONS,
                                        .horizon_months = HORIZON,
                                        .population = population,
                                        .states = states,
                                        .arms = arms};
    memcpy(scenario.times, times, sizeof times);
    form_open(&world, shape, frailty, parameters, routes, n, below, &scenario);
    support_run(&world, &one_thread, &run);
}

static void finish(void)
{
    pk_run_free(&run);
    support_close(&world);
}

static double laplace(double variance, double h)
{
    return pow(1 + variance * h, -1 / variance);
}

/* One frailty of this variance on all n hazards, of which i leads to state i + 1. */
static void expect_frail(const struct spell_hazard *hazards, size_t n, double variance, double survived,
                         const char *what)
{
    for (size_t k = 0; k < N_TIMES; k++) {
        double t = times[k] / 12.0;
        support_expect(support_state(&run, 0, "in", "a", times[k]),
                       spell_frail_survival(hazards, n, variance, survived, t), n_errors, what, "in a");
        for (size_t i = 0; i < n && n > 1; i++)
            support_expect(support_state(&run, 0, "in", states[i + 1], times[k]),
                           spell_frail_incidence(hazards, n, i, variance, survived, t), n_errors, what, states[i + 1]);
    }
    support_expect(support_state(&run, 0, "years", "a", HORIZON),
                   spell_frail_years(hazards, n, variance, survived, HORIZON / 12.0), n_errors, what, "years in a");
}

/* The hazard of the year before the start, and from then on. The calendar's origin is 20 months before the start. */
static const struct trial {
    struct form form;
    const char *clock;
    double reads, elapsed; /* as in test_forms.c */
} trials[] = {{{"weibull", {1.7, 1.3}}, "time_in_state", 0, 1},
              {{"weibull", {0.62, 1.1}}, "time_in_state", 0, 1},
              {{"log_logistic", {2.4, 1.1}}, "time_in_state", 0, 1},
              {{"constant", {0.9}}, "time_in_state", 0, 1},
              {{"gompertz", {0.31, 0.6}}, "since_start", 0, 0},
              {{"gamma", {1.6, 1.2}}, "since_start", 0, 0},
              {{"weibull", {5.3, 43.1}}, "age", AGE, 0},
              {{"gompertz", {-0.11, 70}}, "age", AGE, 0},
              {{"log_normal", {0.53, 0.88}}, "calendar, origin: 2019-05-01", 20 / 12.0, 0},
              {{"generalised_gamma", {0.44, 0.91, -0.83}}, "calendar, origin: 2019-05-01", 20 / 12.0, 0}};
enum { N_TRIALS = sizeof trials / sizeof *trials };

/* The integral of the hazard over the elapsed time. */
static double survived_by(const struct trial *trial)
{
    double now = trial->reads + trial->elapsed * ELAPSED;
    return form_cumulative(&trial->form, now) - form_cumulative(&trial->form, now - ELAPSED);
}

static struct form_route route_of(const struct trial *trial, const char *from)
{
    return (struct form_route){
        .name = "ab", .from = from, .to = "b", .clock = trial->clock, .form = trial->form, .more = ", frailty: z"};
}

#define VARIANCE(v) PARAMETER("v", v, "variance")

Test(frailty, population_survives_by_the_laplace_transform)
{
    for (size_t i = 0; i < N_TRIALS; i++) {
        struct form_route route = route_of(&trials[i], "a");
        struct spell_hazard hazard = {.form = &trials[i].form, .times = 1, .clock = trials[i].reads};
        begin(STATES, CONDITIONAL, i % 2 ? VARIANCE("0.7") : VARIANCE("2.3"), &route, 1, NULL, PEOPLE, NULL, 5000 + i);
        expect_frail(&hazard, 1, i % 2 ? 0.7 : 2.3, 0, trials[i].form.name);
        finish();
    }
}

Test(frailty, without_variance_everybody_is_alike)
{
    struct form_route route = route_of(&trials[1], "a");
    struct spell_hazard hazard = {.form = &trials[1].form, .times = 1, .clock = ELAPSED};
    begin(STATES, CONDITIONAL, VARIANCE("0"), &route, 1, NULL, PEOPLE_ELAPSED, NULL, 5050);
    expect_frail(&hazard, 1, 0, 0, "no variance");
    finish();
}

/* Whoever has been in the state for 0.85 years is less frail than 1, unless the document says that it is they whose
 * mean is 1. Hazards from one state, then common to all. */
Test(frailty, elapsed_time_selects_unless_it_is_said_not_to)
{
    for (size_t i = 0; i < N_TRIALS; i++)
        for (size_t common = 0; common < (trials[i].elapsed > 0 ? 1 : 2); common++) {
            struct form_route route = route_of(&trials[i], common ? "any" : "a");
            struct spell_hazard hazard = {
                .form = &trials[i].form, .times = 1, .clock = trials[i].reads + trials[i].elapsed * ELAPSED};
            begin(STATES, CONDITIONAL, VARIANCE("0.9"), &route, 1, NULL, PEOPLE_ELAPSED, NULL, 5100 + 2 * i + common);
            expect_frail(&hazard, 1, 0.9, survived_by(&trials[i]),
                         common ? "common, given survival" : "given survival");
            finish();
            begin(STATES, UNCONDITIONAL, VARIANCE("0.9"), &route, 1, NULL, PEOPLE_ELAPSED, NULL, 5150 + 2 * i + common);
            expect_frail(&hazard, 1, 0.9, 0, common ? "common, unconditional" : "unconditional");
            finish();
        }
}

Test(frailty, elapsed_times_spread_are_averaged_over)
{
    struct form_route route = route_of(&trials[0], "a");
    begin(STATES, CONDITIONAL, VARIANCE("1.2"), &route, 1, NULL,
          "  state: {a: 1}\n  elapsed: {a: {uniform: [0.1, 1.9]}}\n", NULL, 5200);
    for (size_t k = 0; k < N_TIMES; k++) {
        enum { PIECES = 2000 }; /* Simpson */
        double sum = 0;
        for (size_t j = 0; j <= PIECES; j++) {
            double elapsed = 0.1 + 1.8 * (double)j / PIECES;
            struct spell_hazard hazard = {.form = &trials[0].form, .times = 1, .clock = elapsed};
            sum += (j == 0 || j == PIECES ? 1
                    : j % 2               ? 4
                                          : 2) *
                   spell_frail_survival(&hazard, 1, 1.2, form_cumulative(&trials[0].form, elapsed), times[k] / 12.0);
        }
        support_expect(support_state(&run, 0, "in", "a", times[k]), sum / (3 * PIECES), n_errors, "spread", "in a");
    }
    finish();
}

/* ---- several hazards -------------------------------------------------------------------------------------------- */

/* One frailty for both: what was survived is the sum of both. The second from the state, then common to all. */
Test(frailty, two_transitions_share_one)
{
    const struct trial second = {{"weibull", {5.3, 41.1}}, "age", AGE, 0};
    for (size_t i = 0; i < 2; i++)
        for (size_t common = 0; common < 2; common++)
            for (size_t given = 0; given < 2; given++) {
                struct form_route routes[2] = {route_of(&trials[i], "a"), route_of(&second, common ? "any" : "a")};
                const struct spell_hazard both[2] = {{.form = &trials[i].form, .times = 1, .clock = ELAPSED},
                                                     {.form = &second.form, .times = 1, .clock = AGE}};
                routes[1].name = "ac";
                routes[1].to = "c";
                begin(STATES, given ? CONDITIONAL : UNCONDITIONAL, VARIANCE("1.6"), routes, 2, NULL, PEOPLE_ELAPSED,
                      NULL, 5300 + 4 * i + 2 * common + given);
                expect_frail(both, 2, 1.6, given ? survived_by(&trials[i]) + survived_by(&second) : 0,
                             common ? "shared with a common hazard" : "shared");
                finish();
            }
}

struct two { /* independent frailties of two hazards */
    const struct spell_hazard *hazards;
    double variances[2], survived[2];
    size_t i;
};

static double density_of_two(double t, void *data)
{
    const struct two *two = data;
    double left = spell_hazard_at(&two->hazards[two->i], t) /
                  (1 + two->variances[two->i] * (two->survived[two->i] + spell_cumulative(&two->hazards[two->i], t)));
    for (size_t k = 0; k < 2; k++)
        left *= spell_frail_survival(&two->hazards[k], 1, two->variances[k], two->survived[k], t);
    return left;
}

Test(frailty, two_frailties_are_independent)
{
    struct form_route routes[2] = {route_of(&trials[0], "a"), route_of(&trials[6], "a")};
    const struct spell_hazard both[2] = {{.form = &trials[0].form, .times = 1, .clock = ELAPSED},
                                         {.form = &trials[6].form, .times = 1, .clock = AGE}};
    struct two two = {
        .hazards = both, .variances = {1.4, 0.6}, .survived = {survived_by(&trials[0]), survived_by(&trials[6])}};
    routes[1].name = "ac";
    routes[1].to = "c";
    routes[1].more = ", frailty: y";
    begin(STATES, "frailty: {y: {variance: u}, z: {variance: v}}\n", VARIANCE("1.4") PARAMETER("u", "0.6", "variance"),
          routes, 2, NULL, PEOPLE_ELAPSED, NULL, 5400);
    for (size_t k = 0; k < N_TIMES; k++)
        for (two.i = 0; two.i < 2; two.i++)
            support_expect(support_state(&run, 0, "in", states[two.i + 1], times[k]),
                           spell_integral(density_of_two, &two, both, 2, times[k] / 12.0), n_errors, "independent",
                           states[two.i + 1]);
    finish();
}

/* a to b to c at z 0.9 and z 1.7 a year: given z in c by t with 1 - (1.7 e^(-0.9 z t) - 0.9 e^(-1.7 z t)) / 0.8, so
 * that Laplace transforms take the exponentials' place. Elapsed time in a selects by 0.9 x 0.85. */
Test(frailty, it_stays_with_the_person_from_state_to_state)
{
    const struct form first = {"constant", {0.9}}, second = {"constant", {1.7}};
    struct form_route routes[2] = {
        {.name = "ab", .from = "a", .to = "b", .clock = "time_in_state", .form = first, .more = ", frailty: z"},
        {.name = "bc", .from = "b", .to = "c", .clock = "time_in_state", .form = second, .more = ", frailty: z"}};
    for (size_t of = 0; of < 3; of++) { /* no elapsed time; given survival; given survival of what has no frailty */
        double v = of == 1 ? 1.3 / (1 + 1.3 * 0.9 * ELAPSED) : 1.3;
        routes[0].more = of == 2 ? NULL : ", frailty: z";
        begin(CHAIN, CONDITIONAL, VARIANCE("1.3"), routes, 2, NULL, of == 0 ? PEOPLE : PEOPLE_ELAPSED, NULL, 5450 + of);
        for (size_t k = 0; k < N_TIMES; k++) {
            double t = times[k] / 12.0;
            /* v as above with shape 1 / 1.3: (1 + v h)^(-1 / 1.3) */
            double slow = pow(1 + v * 0.9 * t, -1 / 1.3), fast = pow(1 + v * 1.7 * t, -1 / 1.3);
            double in_c = 1 - (1.7 * slow - 0.9 * fast) / 0.8;
            if (of == 2) { /* convolution of an exponential with a frail spell in b */
                enum { PIECES = 4000 };
                double sum = 0;
                for (size_t j = 0; j <= PIECES; j++) {
                    double s = t * (double)j / PIECES;
                    sum += (j == 0 || j == PIECES ? 1
                            : j % 2               ? 4
                                                  : 2) *
                           0.9 * exp(-0.9 * s) * (1 - laplace(1.3, 1.7 * (t - s)));
                }
                in_c = sum * t / (3 * PIECES);
            }
            support_expect(support_state(&run, 0, "in", "c", times[k]), in_c, n_errors, "chain", "c");
        }
        finish();
    }
}

/* Women have 0.55 times the hazard, and the state 1.8 times the common one: multipliers enter what was survived. */
Test(frailty, ratios_and_excess_multiply_with_it)
{
    struct form_route route = route_of(&trials[6], "any");
    const double share[2] = {0.37, 0.63}, ratio[2] = {0.55 * 1.8, 1.8};
    route.more = ", frailty: z, ratios: {sex: {female: of_women}}, excess: {a: of_a}";
    begin(STATES, "attributes:\n  sex: {values: [female, male]}\n" CONDITIONAL,
          VARIANCE("0.9") PARAMETER("of_women", "0.55", "ratio") PARAMETER("of_a", "1.8", "ratio"), &route, 1, NULL,
          PEOPLE_ELAPSED "  attributes: {sex: {female: 0.37, male: 0.63}}\n", NULL, 5500);
    for (size_t k = 0; k < N_TIMES; k++) {
        double left = 0;
        for (size_t sex = 0; sex < 2; sex++) {
            struct spell_hazard hazard = {.form = &trials[6].form, .times = ratio[sex], .clock = AGE};
            left += share[sex] *
                    spell_frail_survival(&hazard, 1, 0.9, ratio[sex] * survived_by(&trials[6]), times[k] / 12.0);
        }
        support_expect(support_state(&run, 0, "in", "a", times[k]), left, n_errors, "ratios", "in a");
    }
    finish();
}

/* ---- services --------------------------------------------------------------------------------------------------- */

#define SERVED "  none: {}\n  served: {enrol: [{service: help, share: 1}]}\n"

/* A scale works on the person's own hazard. What replaces it, or is its floor, has no frailty: in the window nobody is
 * selected (replace), or only those above the floor are (at_least). */
Test(frailty, services_scale_it_replace_it_or_put_a_floor_under_it)
{
    const double variance = 1.4, rate = 0.9, other = 0.7, window = 1.6;
    const struct form constant = {"constant", {0.9}};
    const struct form_route route = {
        .name = "ab", .from = "a", .to = "b", .clock = "since_start", .form = constant, .more = ", frailty: z"};
    static const char *const effects[3] = {"scale: twice", "replace: other", "at_least: other"};
    for (size_t mode = 0; mode < 3; mode++) {
        char below[160];
        snprintf(below, sizeof below, "services:\n  help: {window: window, effects: [{transition: ab, %s}]}\n",
                 effects[mode]);
        begin(STATES, CONDITIONAL,
              VARIANCE("1.4") PARAMETER("other", "0.7", "per_year") PARAMETER("twice", "2", "ratio")
                  PARAMETER("window", "1.6", "years"),
              &route, 1, below, PEOPLE, SERVED, 5600 + mode);
        for (size_t k = 0; k < N_TIMES; k++) {
            double t = times[k] / 12.0, within = fmin(t, window), after = t - within, left;
            if (mode == 0) {
                left = laplace(variance, rate * (2 * within + after));
            } else if (mode == 1) {
                left = exp(-other * within) * laplace(variance, rate * after);
            } else { /* below the floor z < other / rate, above it; z given survival of h is gamma (k, k + h) */
                double shape = 1 / variance, edge = other / rate;
                left = exp(-other * within) * laplace(variance, rate * after) *
                           gsl_cdf_gamma_P(edge, shape, 1 / (shape + rate * after)) +
                       laplace(variance, rate * t) * gsl_cdf_gamma_Q(edge, shape, 1 / (shape + rate * t));
            }
            support_expect(support_state(&run, 1, "in", "a", times[k]), left, n_errors, effects[mode], "in a");
            support_expect(support_state(&run, 0, "in", "a", times[k]), laplace(variance, rate * t), n_errors,
                           "without the service", "in a");
        }
        finish();
    }
}
