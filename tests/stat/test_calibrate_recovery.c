/* Truth from data that were drawn with it: three models, 100 samples each, from probabilities in closed form (none of
 * them the program's). Of each parameter the 95 % interval by likelihood must hold the truth in 88 to 99 samples, and,
 * as nothing was thought before, so must the 95 % of the sample of the posterior.
 *
 * A right interval holds it in fewer than 88 of 100 with probability 0.0015 and in all with 0.0059; of the 16 counts
 * held to this one fails by chance for at most one seed in 8 (Bonferroni; they hang together, so that it is less). An
 * interval of half the width holds it with probability 0.67 and passes with 2e-6; one of two thirds (0.81) with 0.04;
 * one of twice the width (0.9999) has all of 100 with probability 0.99. */
#include <criterion/criterion.h>
#include <gsl/gsl_cdf.h>
#include <gsl/gsl_integration.h>
#include <gsl/gsl_randist.h>
#include <math.h>
#include <stdio.h>
#include <time.h>

#include "calibration.h"

enum { N_SAMPLES = 100, LEAST = 88, MOST = 99 };

static struct calibration calibration;

/* Draws data for all targets, of which target t has the probability (of one of its people) or the mean given. */
static void draw(gsl_rng *random, const double *expected)
{
    for (size_t t = 0; t < calibration.study.n_targets; t++) {
        struct pk_calibration_target *target = &calibration.study.targets[t];
        if (target->likelihood == PK_LIKELIHOOD_BINOMIAL)
            target->value = gsl_ran_binomial(random, expected[t], (unsigned)target->of) / target->of;
        else if (target->likelihood == PK_LIKELIHOOD_POISSON)
            target->value = gsl_ran_poisson(random, expected[t]);
        else
            target->value = expected[t] + gsl_ran_gaussian(random, target->standard_error);
    }
}

static void recover(unsigned long seed, const double *truth, const double *expected)
{
    const size_t n = calibration.study.n_free;
    unsigned by_profile[PK_MAX_FREE] = {0}, by_sample[PK_MAX_FREE] = {0};
    double answers[PK_MAX_FREE] = {0};
    gsl_rng *random = gsl_rng_alloc(gsl_rng_mt19937);
    const clock_t before = clock();
    gsl_rng_set(random, seed);
    for (size_t i = 0; i < N_SAMPLES; i++) {
        draw(random, expected);
        calibration.study.seed = seed + i;
        calibration_solve(&calibration, 1, false);
        const struct pk_answer *answer = calibration.answer;
        cr_expect(answer->by_twin);
        cr_expect_eq(answer->n_modes, 1, "sample %zu: %s", i, calibration_marks(&calibration));
        cr_expect_eq(calibration_marked(&calibration, "do not see"), 0, "sample %zu", i);
        cr_expect_eq(calibration_marked(&calibration, "is at its"), 0, "sample %zu", i);
        for (size_t k = 0; k < n; k++) {
            by_profile[k] += truth[k] >= answer->profiles[k].low && truth[k] <= answer->profiles[k].high;
            by_sample[k] += truth[k] >= answer->quantiles[k][0] && truth[k] <= answer->quantiles[k][2];
            answers[k] += answer->values[k] / N_SAMPLES;
        }
    }
    fprintf(stderr, "%.1f s of processor time\n", (double)(clock() - before) / CLOCKS_PER_SEC);
    for (size_t k = 0; k < n; k++) {
        fprintf(stderr, "%s: truth %.4g, mean answer %.4g, held by %u profiles and %u samples of %d\n",
                calibration.study.free[k].name, truth[k], answers[k], by_profile[k], by_sample[k], N_SAMPLES);
        cr_expect(by_profile[k] >= LEAST && by_profile[k] <= MOST, "%s: %u profiles hold the truth",
                  calibration.study.free[k].name, by_profile[k]);
        cr_expect(by_sample[k] >= LEAST && by_sample[k] <= MOST, "%s: %u samples hold the truth",
                  calibration.study.free[k].name, by_sample[k]);
    }
    gsl_rng_free(random);
    calibration_close(&calibration);
}

/* The limits above are what they are said to be. */
Test(calibrate_recovery, limits_have_the_level_and_power_that_are_said)
{
    const double half = 1 - 2 * gsl_cdf_ugaussian_Q(0.98), third = 1 - 2 * gsl_cdf_ugaussian_Q(1.96 * 2 / 3);
    const double twice = 1 - 2 * gsl_cdf_ugaussian_Q(3.92);
    const double false_alarm =
        gsl_cdf_binomial_P(LEAST - 1, 0.95, N_SAMPLES) + gsl_cdf_binomial_Q(MOST, 0.95, N_SAMPLES);
    cr_expect_float_eq(gsl_cdf_binomial_P(LEAST - 1, 0.95, N_SAMPLES), 0.0015, 5e-5);
    cr_expect_float_eq(false_alarm, 0.0074, 5e-5);
    cr_expect_lt(gsl_cdf_binomial_Q(LEAST - 1, half, N_SAMPLES), 2e-6);
    cr_expect_float_eq(gsl_cdf_binomial_Q(LEAST - 1, third, N_SAMPLES), 0.04, 0.001);
    cr_expect_lt(gsl_cdf_binomial_P(MOST, twice, N_SAMPLES), 0.01);
}

/* ---- a chain ---- */

/* a to b at p, b to c at q, from a: P_a = exp(-pt), P_b = p (exp(-pt) - exp(-qt)) / (q - p). 1,000 people in the
 * scenario: as many into c by a year as 1,000 P_c. */
Test(calibrate_recovery, of_a_chain)
{
    const double p = 0.83, q = 0.41, truth[2] = {p, q};
    double expected[4];
    for (size_t i = 0; i < 4; i++) {
        const double t = i == 0 ? 0.5 : i == 1 ? 1 : i == 2 ? 3 : 1;
        const double a = exp(-p * t), b = p * (exp(-p * t) - exp(-q * t)) / (q - p);
        expected[i] = i == 0 ? a : i == 1 ? b : i == 2 ? 1 - a - b : 1000 * (1 - a - b);
    }
    calibration_open(
        &calibration,
        CALIBRATION_MODEL
        "states: {a: {}, b: {}, c: {absorbing: true}}\nparameters:\n" CALIBRATION_PARAMETER("p", "0.5", "per_year")
            CALIBRATION_PARAMETER("q", "0.5", "per_year") "transitions:\n"
                                                          "  go: {from: a, to: b, hazard: p}\n"
                                                          "  end: {from: b, to: c, hazard: q}\n",
        CALIBRATION_SCENARIO "seed: 3\nhorizon: {years: 3}\npopulation: {size: 1000, state: {a: 1}}\n"
                             "arms: {base: {}}\noutcomes:\n"
                             "  in_a: {measure: occupancy, states: [a], at: {months: 6}}\n"
                             "  in_b: {measure: occupancy, states: [b], at: {years: 1}}\n"
                             "  in_c: {measure: occupancy, states: [c], at: {years: 3}}\n"
                             "  into_c: {measure: transitions, states: [c], from: {months: 0}, to: {years: 1}}\n",
        CALIBRATION_STUDY "  free:\n    p: {within: [0.02, 20]}\n    q: {within: [0.02, 20]}\n  targets:\n"
                          "    in_a: {outcome: in_a, value: 0.5, of: 400" CALIBRATION_SOURCE
                          "    in_b: {outcome: in_b, value: 0.5, of: 300" CALIBRATION_SOURCE
                          "    in_c: {outcome: in_c, value: 0.5, of: 250" CALIBRATION_SOURCE
                          "    into_c: {outcome: into_c, events: 10" CALIBRATION_SOURCE "  starts: 4\n  draws: 400\n");
    recover(1, truth, expected);
}

/* ---- competing risks that rise with age ---- */

/* From w to d at r exp(s age) and to x at u exp(v age). */
static const double slopes[4] = {0.0031, 0.052, 0.0007, 0.085};
struct life {
    double age, t;
    int cause;
};

static double survival(double age, double t)
{
    double sum = 0;
    for (size_t i = 0; i < 2; i++)
        sum += slopes[2 * i] / slopes[2 * i + 1] * exp(slopes[2 * i + 1] * age) * expm1(slopes[2 * i + 1] * t);
    return exp(-sum);
}

static double density(double t, void *data)
{
    const struct life *life = data;
    const double *of = slopes + 2 * life->cause;
    return of[0] * exp(of[1] * (life->age + t)) * survival(life->age, t);
}

static double integral(double (*what)(double, void *), void *data, double from, double to)
{
    const gsl_function function = {.function = what, .params = data};
    double value, error;
    size_t n;
    cr_assert_eq(gsl_integration_qng(&function, from, to, 1e-10, 1e-8, &value, &error, &n), 0);
    return value;
}

static double incidence(double age, void *data)
{
    const struct life *life = data;
    struct life of = {.age = age, .cause = life->cause};
    return integral(density, &of, 0, life->t);
}

#define GROUP(name, from, to) "  " name ": {enrol: [{service: nothing, share: 1, age: [" from ", " to "]}]}\n"
#define TARGET(arm, of)                                                                                                \
    "    d_" arm ": {outcome: in_d, arm: " arm ", people: enrolled, value: 0.5, of: " of CALIBRATION_SOURCE            \
    "    x_" arm ": {outcome: in_x, arm: " arm ", people: enrolled, value: 0.5, of: " of CALIBRATION_SOURCE

/* 30 to 60 years old in equal numbers; three age groups of ten years, each seen by two samples after four years. */
Test(calibrate_recovery, of_competing_risks_that_rise_with_age)
{
    double expected[6];
    for (int g = 0; g < 3; g++)
        for (int cause = 0; cause < 2; cause++) {
            struct life life = {.t = 4, .cause = cause};
            expected[2 * g + cause] = integral(incidence, &life, 30 + 10 * g, 40 + 10 * g) / 10;
        }
    calibration_open(
        &calibration,
        CALIBRATION_MODEL
        "states: {w: {}, d: {absorbing: true}, x: {absorbing: true}}\nparameters:\n" CALIBRATION_PARAMETER("r", "0.005",
                                                                                                           "per_year")
            CALIBRATION_PARAMETER("s", "0.03", "per_year_of_clock") CALIBRATION_PARAMETER("u", "0.002", "per_year")
                CALIBRATION_PARAMETER("v", "0.05", "per_year_of_clock") CALIBRATION_PARAMETER(
                    "same", "1",
                    "ratio") "transitions:\n"
                             "  wd: {from: w, to: d, hazard: {gompertz: {rate: r, shape: s, clock: age}}}\n"
                             "  wx: {from: w, to: x, hazard: {gompertz: {rate: u, shape: v, clock: age}}}\n"
                             "services:\n  nothing: {window: life, effects: [{transition: wd, scale: same}]}\n",
        CALIBRATION_SCENARIO
        "seed: 3\nhorizon: {years: 4}\npopulation: {size: 30000, state: {w: 1}, age: {uniform: [30, 60]}}\n"
        "arms:\n" GROUP("young", "30", "40") GROUP("middle", "40", "50")
            GROUP("old", "50", "60") "outcomes:\n"
                                     "  in_d: {measure: occupancy, states: [d], at: {years: 4}}\n"
                                     "  in_x: {measure: occupancy, states: [x], at: {years: 4}}\n",
        CALIBRATION_STUDY
        "  free:\n    r: {within: [0.00005, 0.2]}\n    s: {within: [-0.1, 0.2]}\n"
        "    u: {within: [0.00001, 0.2]}\n    v: {within: [-0.1, 0.25]}\n  targets:\n" TARGET("young", "3000")
            TARGET("middle", "3000")
                TARGET("old", "3000") "  starts: 3\n  draws: 300\n  ages: 12\n  step: {months: 12}\n");
    recover(1001, slopes, expected);
}

/* ---- frailty ---- */

/* From a to b at z h, z gamma with mean 1 and variance v: P_a = (1 + v h t) ^ (-1 / v), the Laplace transform. */
Test(calibrate_recovery, of_a_gamma_frailty)
{
    const double h = 0.62, v = 1.3, truth[2] = {h, v}, times[4] = {0.5, 1.5, 4, 10};
    double expected[4];
    for (size_t i = 0; i < 4; i++)
        expected[i] = pow(1 + v * h * times[i], -1 / v);
    calibration_open(
        &calibration,
        CALIBRATION_MODEL
        "states: {a: {}, b: {absorbing: true}}\nfrailty: {z: {variance: v}}\nparameters:\n" CALIBRATION_PARAMETER(
            "h", "0.5", "per_year") CALIBRATION_PARAMETER("v", "0.5", "variance") "transitions:\n"
                                                                                  "  go: {from: a, to: b, hazard: h, "
                                                                                  "frailty: z}\n",
        CALIBRATION_SCENARIO "seed: 3\nhorizon: {years: 10}\npopulation: {size: 1000, state: {a: 1}}\n"
                             "arms: {base: {}}\noutcomes:\n"
                             "  at_1: {measure: occupancy, states: [a], at: {months: 6}}\n"
                             "  at_2: {measure: occupancy, states: [a], at: {months: 18}}\n"
                             "  at_3: {measure: occupancy, states: [a], at: {years: 4}}\n"
                             "  at_4: {measure: occupancy, states: [a], at: {years: 10}}\n",
        CALIBRATION_STUDY "  free:\n    h: {within: [0.05, 5]}\n    v: {within: [0.1, 8]}\n  targets:\n"
                          "    at_1: {outcome: at_1, value: 0.5, of: 1500" CALIBRATION_SOURCE
                          "    at_2: {outcome: at_2, value: 0.5, of: 1500" CALIBRATION_SOURCE
                          "    at_3: {outcome: at_3, value: 0.5, of: 1500" CALIBRATION_SOURCE
                          "    at_4: {outcome: at_4, value: 0.5, of: 1500" CALIBRATION_SOURCE
                          "  starts: 3\n  draws: 400\n");
    recover(2001, truth, expected);
}
