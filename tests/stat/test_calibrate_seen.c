/* What a calibration says of targets that do not pin down an answer: two answers, ridges, contradictions, bounds, each
 * with what is worked out by hand, and of none of these where there is none. Targets are the exact values of a truth,
 * so that nothing here is left to chance but the sample of the posterior. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "calibration.h"

#define RATE(name) CALIBRATION_PARAMETER(name, "0.5", "per_year")
#define CHAIN                                                                                                          \
    CALIBRATION_MODEL "states: {a: {}, b: {}, c: {absorbing: true}}\nparameters:\n" RATE("p")                          \
        RATE("q") "transitions:\n  go: {from: a, to: b, hazard: p}\n  end: {from: b, to: c, hazard: q}\n"
#define EXITS                                                                                                          \
    CALIBRATION_MODEL "states: {a: {}, b: {absorbing: true}, c: {absorbing: true}}\nparameters:\n" RATE("p")           \
        RATE("q") "transitions:\n  go: {from: a, to: b, hazard: p}\n  end: {from: a, to: c, hazard: q}\n"
#define PRODUCT                                                                                                        \
    CALIBRATION_MODEL "states: {a: {}, b: {absorbing: true}}\nparameters:\n" RATE("p")                                 \
        CALIBRATION_PARAMETER("k", "1", "ratio") CALIBRATION_PARAMETER("m", "1", "ratio")                              \
            CALIBRATION_PARAMETER("one", "1", "ratio") "transitions:\n"
#define SCENARIO                                                                                                       \
    CALIBRATION_SCENARIO "seed: 3\nhorizon: {years: 4}\npopulation: {size: 1000, state: {a: 1}}\n"                     \
                         "arms: {base: {}}\noutcomes:\n"                                                               \
                         "  a_1: {measure: occupancy, states: [a], at: {years: 1}}\n"                                  \
                         "  a_3: {measure: occupancy, states: [a], at: {years: 3}}\n"
#define OF_C                                                                                                           \
    "  c_1: {measure: occupancy, states: [c], at: {years: 1}}\n"                                                       \
    "  c_3: {measure: occupancy, states: [c], at: {years: 3}}\n"
#define TARGET(name, of) "    " name ": {outcome: " name ", value: 0.5, of: " of CALIBRATION_SOURCE
#define FREE(name, low, high) "    " name ": {within: [" low ", " high "]}\n"

static struct calibration calibration;

static void want(const char *target, double value)
{
    calibration_target(&calibration, target)->value = value;
}

static bool printed(const char *text)
{
    struct pk_text print;
    pk_text_init(&print);
    pk_answer_print(calibration.answer, &print);
    const bool found = strstr(pk_text_string(&print), text) != NULL;
    pk_text_free(&print);
    return found;
}

/* Into c by t, from a at p and from there on at q. */
static double through(double p, double q, double t)
{
    return 1 - exp(-p * t) - p * (exp(-p * t) - exp(-q * t)) / (q - p);
}

/* ---- nothing to say ---- */

Test(calibrate_seen, says_nothing_of_targets_that_pin_down_everything)
{
    const double p = 0.83, q = 0.41;
    calibration_open(&calibration, CHAIN, SCENARIO OF_C,
                     CALIBRATION_STUDY "  free:\n" FREE("p", "0.02", "20")
                         FREE("q", "0.02", "20") "  targets:\n" TARGET("a_1", "400") TARGET("c_1", "300")
                             TARGET("c_3", "500"));
    want("a_1", exp(-p));
    want("c_1", through(p, q, 1));
    want("c_3", through(p, q, 3));
    calibration_solve(&calibration, 1, true);
    cr_expect_str_eq(calibration_marks(&calibration), "");
    cr_expect(printed("one answer; every target is met and every free parameter is pinned down"));
    cr_expect_eq(calibration.answer->n_modes, 1);
    cr_expect_eq(calibration.answer->n_contradictions, 0);
    cr_expect_lt(calibration.answer->modes[0].deviance, 1e-6);
    cr_expect_float_eq(calibration.answer->values[0], p, 1e-3 * p);
    cr_expect_float_eq(calibration.answer->values[1], q, 1e-3 * q);
    calibration_close(&calibration);
}

/* ---- two answers ---- */

/* Who is through after 1 and 3 years is the same for (p, q) and (q, p). Of the draws, half are of each: their share
 * has an error of at most 0.5 / sqrt(worth); at 4.5 of them a right program fails one seed in 150,000. So
 * many people are seen that a point of the prior's hardly ever falls near the second answer by chance. */
Test(calibrate_seen, tells_both_answers_where_two_stages_are_seen_at_the_end_only)
{
    const double p = 2.1, q = 0.37;
    calibration_open(&calibration, CHAIN, SCENARIO OF_C,
                     CALIBRATION_STUDY "  free:\n" FREE("p", "0.05", "10")
                         FREE("q", "0.05", "10") "  targets:\n" TARGET("c_1", "500000")
                             TARGET("c_3", "500000") "  draws: 2000\n");
    want("c_1", through(p, q, 1));
    want("c_3", through(p, q, 3));
    calibration_solve(&calibration, 1, false);
    const struct pk_answer *answer = calibration.answer;
    cr_assert_eq(answer->n_modes, 2, "%zu", answer->n_modes);
    const size_t i_first = answer->modes[0].values[0] > answer->modes[0].values[1] ? 0 : 1;
    for (size_t m = 0; m < 2; m++) {
        const struct pk_mode *mode = &answer->modes[m];
        cr_expect(mode->best);
        cr_expect_lt(mode->deviance, 1e-6, "mode %zu: %g", m, mode->deviance);
        cr_expect_gt(mode->n_starts, 0);
        cr_expect_float_eq(mode->values[0], m == i_first ? p : q, 2e-3, "mode %zu: %g", m, mode->values[0]);
        cr_expect_float_eq(mode->values[1], m == i_first ? q : p, 2e-3, "mode %zu: %g", m, mode->values[1]);
    }
    cr_expect_eq(calibration_marked(&calibration, "2 different answers fit equally well: "), 1);
    cr_expect(printed("! 2 different answers fit equally well: "));
    cr_expect(printed("p 2.1, q 0.37"));
    cr_expect(printed("p 0.37, q 2.1"));
    double n_first = 0;
    for (size_t d = 0; d < answer->n_draws; d++)
        n_first += answer->draws[2 * d] > answer->draws[2 * d + 1];
    cr_expect_gt(answer->effective, 200);
    cr_expect_float_eq(n_first / (double)answer->n_draws, 0.5, 4.5 * 0.5 / sqrt(fmin(answer->effective, 2000)));
    /* the intervals of each parameter reach around both answers, with what does not fit between them */
    for (size_t k = 0; k < 2; k++) {
        const struct pk_profile *profile = &answer->profiles[k];
        double most = 0;
        for (size_t i = 0; i < profile->n_points; i++)
            if (profile->at[i] > q && profile->at[i] < p)
                most = fmax(most, profile->excess[i]);
        cr_expect(answer->quantiles[k][0] < q && answer->quantiles[k][2] > p);
        cr_expect(profile->low < q && profile->low > 0.8 * q, "%g", profile->low);
        cr_expect(profile->high > p && profile->high < 1.5 * p, "%g", profile->high);
        cr_expect_gt(most, 20);
    }
    calibration_close(&calibration);
}

/* Half of the truth's mirror image is in the way: who is in a after a year, with an error of 0.33, tells that p is 2.1
 * and not 0.37 (deviance 3), a prior that it is 0.37 (5). The answer is the prior's, by 2; the likelihood is highest at
 * the other one, and profiles are counted from there. */
Test(calibrate_seen, counts_profiles_from_the_likeliest_of_two_answers)
{
    const double p = 2.1, q = 0.37, error = (exp(-q) - exp(-p)) / sqrt(3), sd = log(p / q) / sqrt(5);
    char study[2048];
    snprintf(study, sizeof study,
             "%s    p: {within: [0.05, 10], prior: {log_normal: [%.17g, %.17g]}}\n%s"
             "    a_1: {outcome: a_1, value: %.17g, standard_error: %.17g%s",
             CALIBRATION_STUDY "  free:\n", q, sd,
             FREE("q", "0.05", "10") "  targets:\n" TARGET("c_1", "5000") TARGET("c_3", "5000"), exp(-p), error,
             CALIBRATION_SOURCE);
    calibration_open(&calibration, CHAIN, SCENARIO OF_C, study);
    want("c_1", through(p, q, 1));
    want("c_3", through(p, q, 3));
    calibration_solve(&calibration, 1, false);
    const struct pk_answer *answer = calibration.answer;
    cr_assert_eq(answer->n_modes, 2, "%zu", answer->n_modes);
    cr_expect_float_eq(answer->values[0], q, 0.02);
    cr_expect_float_eq(answer->modes[0].deviance, 3, 0.1);
    cr_expect_float_eq(answer->modes[1].objective - answer->modes[0].objective, 2, 0.3);
    cr_expect_lt(answer->least_deviance, 1e-3, "%g", answer->least_deviance);
    cr_expect_eq(calibration_marked(&calibration, "another answer fits nearly as well ("), 1);
    cr_expect_eq(calibration_marked(&calibration, " worse, by targets and priors together): p 2."), 1, "%s",
                 calibration_marks(&calibration));
    double at_answer = 0, nearest = 1;
    for (size_t i = 0; i < answer->profiles[0].n_points; i++)
        if (fabs(answer->profiles[0].at[i] - q) < nearest) {
            nearest = fabs(answer->profiles[0].at[i] - q);
            at_answer = answer->profiles[0].excess[i];
        }
    cr_expect_float_eq(at_answer, 3, 0.5, "%g at %g from q", at_answer, nearest);
    cr_expect(answer->profiles[0].low < q && answer->profiles[0].high > p);
    calibration_close(&calibration);
}

/* ---- ridges ---- */

/* The direction along which the targets see nothing, of length 1 on the scales: what is expected, up to its sign. */
static void expect_direction(const double *direction, const double *expected, size_t n)
{
    double along = 0, length = 0, own = 0;
    for (size_t k = 0; k < n; k++) {
        along += direction[k] * expected[k];
        length += expected[k] * expected[k];
        own += direction[k] * direction[k];
    }
    cr_expect_float_eq(own, 1, 1e-9);
    cr_expect_gt(fabs(along) / sqrt(length), 1 - 1e-6, "cosine %.9f", along / sqrt(length));
}

/* Out of a at p + q, where to nobody sees: d(p + q) = 0 along (1 / p, -1 / q) of the logarithms; each has its bounds'
 * scale, a logarithm's range over sqrt(12). */
Test(calibrate_seen, names_the_sum_of_two_exits)
{
    calibration_open(&calibration, EXITS, SCENARIO,
                     CALIBRATION_STUDY "  free:\n" FREE("p", "0.02", "20")
                         FREE("q", "0.1", "1.5") "  targets:\n" TARGET("a_1", "400") TARGET("a_3", "400"));
    want("a_1", exp(-1.2));
    want("a_3", exp(-3.6));
    calibration_solve(&calibration, 1, false);
    const struct pk_answer *answer = calibration.answer;
    const double p = answer->values[0], q = answer->values[1];
    const double expected[2] = {1 / (p * log(1000)), -1 / (q * log(15))};
    cr_expect_eq(answer->n_modes, 1, "%s", calibration_marks(&calibration));
    cr_expect_lt(answer->information[0], 1e-6);
    /* Fisher's of two counts: the sum of n P'^2 / (P (1 - P)), along the gradient of p + q */
    double fisher = 0;
    for (double t = 1; t <= 3; t += 2)
        fisher += 400 * pow(t * exp(-1.2 * t), 2) / (exp(-1.2 * t) * (1 - exp(-1.2 * t)));
    fisher *= (pow(p * log(1000), 2) + pow(q * log(15), 2)) / 12;
    cr_expect_float_eq(answer->information[1], fisher, 1e-3 * fisher, "%g, exact %g", answer->information[1], fisher);
    cr_expect_float_eq(p + q, 1.2, 1e-3);
    expect_direction(answer->directions[0], expected, 2);
    cr_expect_eq(calibration_marked(&calibration, "the targets do not see p x "), 1, "%s",
                 calibration_marks(&calibration));
    cr_expect_eq(calibration_marked(&calibration, " with q x "), 1);
    cr_expect(printed("! the targets do not see p x "));
    /* p from 0 to 1.2 less the least q: open below, closed above; q open at both ends */
    cr_expect(answer->profiles[0].low_open && !answer->profiles[0].high_open);
    cr_expect(answer->profiles[1].low_open);
    calibration_close(&calibration);
}

#define TIMES(factors) "  go: {from: a, to: b, hazard: [" factors "]}\n"
static const char *const product_targets = "  targets:\n" TARGET("a_1", "400") TARGET("a_3", "400");

/* At p k, with k between 0.25 and 4 and p between 0.02 and 20: (1 / log 1000, -1 / log 16). */
Test(calibrate_seen, names_the_product_of_two_factors)
{
    const double expected[2] = {1 / log(1000), -1 / log(16)};
    char study[2048];
    snprintf(study, sizeof study, "%s%s", CALIBRATION_STUDY "  free:\n" FREE("p", "0.02", "20") FREE("k", "0.25", "4"),
             product_targets);
    calibration_open(&calibration, PRODUCT TIMES("p, k"), SCENARIO, study);
    want("a_1", exp(-0.7));
    want("a_3", exp(-2.1));
    calibration_solve(&calibration, 1, false);
    const struct pk_answer *answer = calibration.answer;
    cr_expect_eq(answer->n_modes, 1);
    cr_expect_lt(answer->information[0], 1e-6);
    cr_expect_float_eq(answer->values[0] * answer->values[1], 0.7, 1e-3);
    expect_direction(answer->directions[0], expected, 2);
    cr_expect_eq(calibration_marked(&calibration, "the targets do not see "), 1);
    cr_expect_eq(calibration_marked(&calibration, "k: the targets allow every value from 0.25 to 4"), 1);
    /* told as steps in opposite directions whose product is 1 */
    double of_p = 0, of_k = 0;
    const char *at = strstr(calibration_marks(&calibration), "do not see ");
    cr_assert_not_null(at);
    if (sscanf(at, "do not see p x %lf with k x %lf", &of_p, &of_k) != 2)
        cr_assert_eq(sscanf(at, "do not see k x %lf with p x %lf", &of_k, &of_p), 2, "%s", at);
    cr_expect_float_eq(of_p * of_k, 1, 0.01);
    cr_expect(fabs(of_p - 1) > 0.1);
    calibration_close(&calibration);
}

/* At p k m: two directions, d log p + d log k + d log m = 0 in each, told with two parameters each. */
Test(calibrate_seen, names_both_directions_of_a_product_of_three)
{
    const double sd[3] = {log(1000), log(16), log(9)};
    char study[2048];
    snprintf(study, sizeof study, "%s%s",
             CALIBRATION_STUDY "  free:\n" FREE("p", "0.02", "20") FREE("k", "0.25", "4") FREE("m", "0.25", "2.25"),
             product_targets);
    calibration_open(&calibration, PRODUCT TIMES("p, k, m"), SCENARIO, study);
    want("a_1", exp(-0.7));
    want("a_3", exp(-2.1));
    calibration_solve(&calibration, 1, false);
    const struct pk_answer *answer = calibration.answer;
    cr_expect_eq(answer->n_modes, 1);
    double between = 0;
    for (size_t i = 0; i < 2; i++) {
        const double *direction = answer->directions[i];
        double along = 0, length = 0;
        size_t n = 0;
        for (size_t k = 0; k < 3; k++) {
            along += direction[k] * sd[k];
            length += direction[k] * direction[k];
            n += fabs(direction[k]) > 1e-4;
            between += answer->directions[0][k] * answer->directions[1][k];
        }
        cr_expect_lt(answer->information[i], 1e-6);
        cr_expect_float_eq(length, 1, 1e-9);
        cr_expect_lt(fabs(along), 1e-4 * log(1000), "direction %zu: %g", i, along);
        cr_expect_eq(n, 2, "direction %zu moves %zu parameters", i, n);
    }
    cr_expect_lt(fabs(between / 2), 0.99);
    cr_expect_gt(answer->information[2], 10);
    cr_expect_eq(calibration_marked(&calibration, "the targets do not see "), 2);
    calibration_close(&calibration);
}

/* ---- contradictions ---- */

/* Who is in a after a year, said to be 40 % and 50 % with errors of 1 %: they meet at 45 %, each 5 errors off. The
 * others, of q, are met and not named. */
Test(calibrate_seen, names_targets_that_contradict_each_other)
{
    const double p = -log(0.45), q = 0.41;
    calibration_open(
        &calibration, CHAIN, SCENARIO OF_C,
        CALIBRATION_STUDY "  free:\n" FREE("p", "0.02", "20")
            FREE("q", "0.02", "20") "  targets:\n"
                                    "    low: {outcome: a_1, value: 0.4, standard_error: 0.01" CALIBRATION_SOURCE
                                    "    c_3: {outcome: c_3, value: 0.5, standard_error: 0.02" CALIBRATION_SOURCE
                                    "    high: {outcome: a_1, value: 0.5, standard_error: 0.01" CALIBRATION_SOURCE);
    want("c_3", through(p, q, 3));
    calibration_solve(&calibration, 1, false);
    const struct pk_answer *answer = calibration.answer;
    cr_assert_eq(answer->n_contradictions, 1);
    cr_expect_eq(answer->contradictions[0].i_target + answer->contradictions[0].i_other, 2);
    cr_expect_eq(calibration_marked(&calibration, "contradict each other"), 1);
    cr_expect_eq(calibration_marked(&calibration, "the targets low and high contradict each other"), 1, "%s",
                 calibration_marks(&calibration));
    cr_expect(printed("! the targets low and high contradict each other"));
    cr_expect_eq(calibration_marked(&calibration,
                                    "the target low cannot be met: wanted 0.4, reached 0.45, 5.0 standard "
                                    "errors off"),
                 1);
    cr_expect_eq(calibration_marked(&calibration, "the target high cannot be met"), 1);
    cr_expect_eq(calibration_marked(&calibration, "c_3"), 0);
    cr_expect_float_eq(answer->modes[0].deviance, 50, 1e-3);
    cr_expect_float_eq(answer->misfits[0], 5, 1e-3);
    cr_expect_float_eq(answer->misfits[1], 0, 1e-3);
    cr_expect_float_eq(answer->misfits[2], -5, 1e-3);
    cr_expect_float_eq(answer->values[0], p, 1e-3);
    cr_expect_float_eq(answer->values[1], q, 1e-3);
    calibration_close(&calibration);
}

/* The same of 45 % with an error of 0.2 % and 60 % of 3 %: they meet at 45.07 %, so that the more exact one is off by a
 * third of its error only, the other by 5. */
Test(calibrate_seen, names_a_target_that_is_met_for_one_that_cannot_be)
{
    const double weight = 1 / (1 + pow(0.002 / 0.03, 2)), both = weight * 0.45 + (1 - weight) * 0.6;
    calibration_open(
        &calibration, CHAIN, SCENARIO OF_C,
        CALIBRATION_STUDY "  free:\n" FREE("p", "0.02", "20")
            FREE("q", "0.02", "20") "  targets:\n"
                                    "    exact: {outcome: a_1, value: 0.45, standard_error: 0.002" CALIBRATION_SOURCE
                                    "    rough: {outcome: a_1, value: 0.6, standard_error: 0.03" CALIBRATION_SOURCE
                                    "    c_3: {outcome: c_3, value: 0.5, standard_error: 0.02" CALIBRATION_SOURCE);
    want("c_3", through(-log(both), 0.41, 3));
    calibration_solve(&calibration, 1, false);
    const struct pk_answer *answer = calibration.answer;
    cr_expect_float_eq(answer->misfits[0], (both - 0.45) / 0.002, 1e-3);
    cr_expect_float_eq(answer->misfits[1], (both - 0.6) / 0.03, 1e-3);
    cr_expect_lt(answer->misfits[0], 0.35);
    cr_assert_eq(answer->n_contradictions, 1);
    cr_expect_eq(calibration_marked(&calibration, "the targets rough and exact contradict each other"), 1, "%s",
                 calibration_marks(&calibration));
    cr_expect_eq(calibration_marked(&calibration, "cannot be met"), 1);
    calibration_close(&calibration);
}

/* ---- bounds ---- */

static void bounded(const char *study, const char *mark, double at, bool low)
{
    calibration_open(&calibration, CHAIN, SCENARIO OF_C, study);
    want("a_1", exp(-0.83));
    want("c_3", through(0.83, 0.41, 3));
    calibration_solve(&calibration, 1, false);
    const struct pk_answer *answer = calibration.answer;
    cr_expect_float_eq(answer->values[0], at, 1e-3 * at, "%g", answer->values[0]);
    cr_expect(low ? answer->profiles[0].low_open : answer->profiles[0].high_open);
    cr_expect(low ? !answer->profiles[0].high_open : !answer->profiles[0].low_open);
    cr_expect_eq(calibration_marked(&calibration, mark), 1, "%s", calibration_marks(&calibration));
    cr_expect_eq(calibration_marked(&calibration, " bound "), 1, "%s", calibration_marks(&calibration));
    calibration_close(&calibration);
}

#define BOUNDED(low, high)                                                                                             \
    CALIBRATION_STUDY "  free:\n" FREE("p", low, high) FREE("q", "0.02", "20") "  targets:\n" TARGET("a_1", "400")     \
        TARGET("c_3", "400")

/* The truth is 0.83. */
Test(calibrate_seen, says_that_a_parameter_is_at_its_bound)
{
    bounded(BOUNDED("0.02", "0.6"), "p is at its upper bound 0.6: the targets want it outside", 0.6, false);
    bounded(BOUNDED("1.2", "20"), "p is at its lower bound 1.2: the targets want it outside", 1.2, true);
}
