/* Samples of the posterior against quadrature of prior times likelihood (GSL), for each family of prior, with one
 * parameter and with two, and with two answers.
 *
 * The error of a mean is its standard deviation over the root of what the draws are worth: 1 / worth + 1 / draws, for
 * the weights and for drawing by them. That of a standard deviation has the fourth moment's in place of the second's.
 * 41 comparisons at 4.5 errors (6.8e-6 each): a right program fails one seed in 3,500. Of draws worth 2,000 that is a
 * tenth of a standard deviation of the posterior; each prior that is not cut moves the mean by more than half
 * of one. */
#include <criterion/criterion.h>
#include <gsl/gsl_integration.h>
#include <gsl/gsl_randist.h>
#include <math.h>
#include <stdio.h>

#include "calibration.h"

#define N_ERRORS 4.5
enum { N_NODES = 400 };

static struct calibration calibration;

/* Moments by quadrature, and the same from the draws. */
struct moments {
    double mean, sd, fourth; /* fourth: of the standardised value */
};

static double worth(void)
{
    return 1 / (1 / calibration.answer->effective + 1 / (double)calibration.answer->n_draws);
}

static void expect_moments(size_t k, const struct moments *exact, const char *what)
{
    const struct pk_answer *answer = calibration.answer;
    const double n = worth(), of_mean = exact->sd / sqrt(n), of_sd = exact->sd * sqrt((exact->fourth - 1) / (4 * n));
    cr_expect_gt(answer->effective, 1500, "%s: worth %g", what, answer->effective);
    cr_expect_float_eq(answer->mean[k], exact->mean, N_ERRORS * of_mean, "%s: mean %.5g, exact %.5g (%+.2f s.e.)", what,
                       answer->mean[k], exact->mean, (answer->mean[k] - exact->mean) / of_mean);
    cr_expect_float_eq(answer->sd[k], exact->sd, N_ERRORS * of_sd, "%s: sd %.5g, exact %.5g (%+.2f s.e.)", what,
                       answer->sd[k], exact->sd, (answer->sd[k] - exact->sd) / of_sd);
}

/* Moments of x[k] with weights w[k]. */
static struct moments moments_of(const double *x, const double *w, size_t n)
{
    struct moments m = {0, 0, 0};
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += w[i];
        m.mean += w[i] * x[i];
    }
    m.mean /= sum;
    for (size_t i = 0; i < n; i++)
        m.sd += w[i] / sum * pow(x[i] - m.mean, 2);
    m.sd = sqrt(m.sd);
    for (size_t i = 0; i < n; i++)
        m.fourth += w[i] / sum * pow((x[i] - m.mean) / m.sd, 4);
    return m;
}

/* ---- one parameter ----------------------------------------------------------------------------------------------- */

/* a is left at h; of those, a share s goes to b and the rest to c. After two years. */
#define FORK                                                                                                           \
    CALIBRATION_MODEL                                                                                                  \
    "states: {a: {}, b: {absorbing: true}, c: {absorbing: true}}\nparameters:\n" CALIBRATION_PARAMETER(                \
        "h", "0.5", "per_year") CALIBRATION_PARAMETER("s", "0.5", "share")                                             \
        CALIBRATION_PARAMETER("r", "0.5", "share") "transitions:\n  go: {from: a, to: {b: s, c: r}, hazard: h}\n"
#define FORK_SCENARIO                                                                                                  \
    CALIBRATION_SCENARIO "seed: 3\nhorizon: {years: 2}\npopulation: {size: 1000, state: {a: 1}}\n"                     \
                         "arms: {base: {}}\noutcomes:\n"                                                               \
                         "  left: {measure: occupancy, states: [a], at: {years: 2}}\n"                                 \
                         "  in_b: {measure: occupancy, states: [b], at: {years: 2}}\n"
#define STUDY CALIBRATION_STUDY "  step: {months: 0.5}\n  draws: 4000\n"
#define OF_LEFT(n) "  targets:\n    left: {outcome: left, events: " n CALIBRATION_SOURCE
#define OF_B(n)                                                                                                        \
    "  tied: {r: {to: s, times: -1, plus: 1}}\n  targets:\n    in_b: {outcome: in_b, events: " n CALIBRATION_SOURCE

/* Of n people x are left, or in b where h is 0.5. */
static double left_likelihood(double h, double x, double n)
{
    return gsl_ran_binomial_pdf((unsigned)x, exp(-2 * h), (unsigned)n);
}

static double fork_likelihood(double s, double x, double n)
{
    return gsl_ran_binomial_pdf((unsigned)x, s * (1 - exp(-1)), (unsigned)n);
}

/* Prior densities of the value. */
static double flat(double x, double a, double b)
{
    (void)a;
    (void)b;
    (void)x;
    return 1;
}

static double flat_of_log(double x, double a, double b)
{
    (void)a;
    (void)b;
    return 1 / x;
}

static double flat_of_logit(double x, double a, double b)
{
    (void)a;
    (void)b;
    return 1 / (x * (1 - x));
}

static double normal(double x, double a, double b)
{
    return gsl_ran_gaussian_pdf(x - a, b);
}

static double log_normal(double x, double a, double b)
{
    return gsl_ran_lognormal_pdf(x, log(a), b);
}

static double logit_normal(double x, double a, double b)
{
    return gsl_ran_gaussian_pdf(log(x / (1 - x)) - log(a / (1 - a)), b) / (x * (1 - x));
}

static double beta(double x, double a, double b)
{
    return gsl_ran_beta_pdf(x, a, b);
}

struct one {
    const char *name, *study;
    double (*prior)(double x, double a, double b);
    double a, b;
    double (*likelihood)(double value, double x, double n);
    double x, n, low, high;
    bool seen; /* the prior moves the mean by more than half of a standard deviation */
};

static struct moments integrate(const struct one *one, bool with_prior)
{
    double x[N_NODES], w[N_NODES];
    gsl_integration_glfixed_table *table = gsl_integration_glfixed_table_alloc(N_NODES);
    for (size_t i = 0; i < N_NODES; i++) {
        gsl_integration_glfixed_point(one->low, one->high, i, &x[i], &w[i], table);
        w[i] *= one->likelihood(x[i], one->x, one->n) * (with_prior ? one->prior(x[i], one->a, one->b) : 1);
    }
    gsl_integration_glfixed_table_free(table);
    return moments_of(x, w, N_NODES);
}

/* The answer is where the density on the parameter's scale is highest: that of the value times its derivative. */
static double likeliest(const struct one *one)
{
    const enum pk_transform transform = calibration.study.free[0].transform;
    double best = one->low, most = 0;
    for (size_t i = 1; i < 200000; i++) {
        const double x = one->low + (one->high - one->low) * (double)i / 200000;
        const double derivative = transform == PK_TRANSFORM_LOG ? x : transform == PK_TRANSFORM_LOGIT ? x * (1 - x) : 1;
        const double there = one->prior(x, one->a, one->b) * one->likelihood(x, one->x, one->n) * derivative;
        best = there > most ? x : best;
        most = fmax(most, there);
    }
    return best;
}

#define LEFT(prior, low, high, more)                                                                                   \
    STUDY "  free:\n    h: {within: [" low ", " high "]" prior more "}\n" OF_LEFT("12, of: 40")
#define IN_B(prior, low, high) STUDY "  free:\n    s: {within: [" low ", " high "]" prior "}\n" OF_B("12, of: 40")

static const struct one ones[] = {
    {"flat", LEFT("", "0.01", "1.9", ", transform: none"), flat, 0, 0, left_likelihood, 12, 40, 0.01, 1.9, false},
    {"flat of a logarithm", LEFT("", "0.3", "3", ""), flat_of_log, 0, 0, left_likelihood, 12, 40, 0.3, 3, false},
    {"flat of a logit", IN_B("", "0.1", "0.97"), flat_of_logit, 0, 0, fork_likelihood, 12, 40, 0.1, 0.97, false},
    {"normal", LEFT(", prior: {normal: [0.85, 0.12]}", "0.01", "3", ", transform: none"), normal, 0.85, 0.12,
     left_likelihood, 12, 40, 0.01, 3, true},
    {"normal, cut", LEFT(", prior: {normal: [0.85, 0.12]}", "0.8", "3", ", transform: none"), normal, 0.85, 0.12,
     left_likelihood, 12, 40, 0.8, 3, false},
    {"log-normal", LEFT(", prior: {log_normal: [0.9, 0.17]}", "0.05", "4", ""), log_normal, 0.9, 0.17, left_likelihood,
     12, 40, 0.05, 4, true},
    {"log-normal, cut", LEFT(", prior: {log_normal: [0.9, 0.17]}", "0.05", "0.95", ""), log_normal, 0.9, 0.17,
     left_likelihood, 12, 40, 0.05, 0.95, false},
    {"logit-normal", IN_B(", prior: {logit_normal: [0.7, 0.35]}", "0.02", "0.995"), logit_normal, 0.7, 0.35,
     fork_likelihood, 12, 40, 0.02, 0.995, true},
    {"beta", IN_B(", prior: {beta: [22, 7]}", "0.02", "0.9995"), beta, 22, 7, fork_likelihood, 12, 40, 0.02, 0.9995,
     true},
    {"beta, cut", IN_B(", prior: {beta: [22, 7]}", "0.02", "0.65"), beta, 22, 7, fork_likelihood, 12, 40, 0.02, 0.65,
     false},
};

Test(calibrate_posterior, of_one_parameter_has_the_moments_of_quadrature)
{
    for (size_t i = 0; i < sizeof ones / sizeof *ones; i++) {
        const struct one *one = &ones[i];
        const struct moments exact = integrate(one, true), without = integrate(one, false);
        calibration_open(&calibration, FORK, FORK_SCENARIO, one->study);
        calibration_solve(&calibration, 1, false);
        cr_expect(calibration.answer->by_twin);
        expect_moments(0, &exact, one->name);
        cr_expect_float_eq(calibration.answer->values[0], likeliest(one), 5e-4, "%s: %.6g, exact %.6g", one->name,
                           calibration.answer->values[0], likeliest(one));
        if (one->seen) /* a prior that is left out */
            cr_expect_gt(fabs(exact.mean - without.mean), 0.5 * exact.sd, "%s", one->name);
        calibration_close(&calibration);
    }
}

/* ---- two parameters ---------------------------------------------------------------------------------------------- */

#define CHAIN                                                                                                          \
    CALIBRATION_MODEL                                                                                                  \
    "states: {a: {}, b: {}, c: {absorbing: true}}\nparameters:\n" CALIBRATION_PARAMETER("p", "0.5", "per_year")        \
        CALIBRATION_PARAMETER(                                                                                         \
            "q", "0.5",                                                                                                \
            "per_year") "transitions:\n  go: {from: a, to: b, hazard: p}\n  end: {from: b, to: c, hazard: q}\n"
#define CHAIN_SCENARIO                                                                                                 \
    CALIBRATION_SCENARIO "seed: 3\nhorizon: {years: 3}\npopulation: {size: 1000, state: {a: 1}}\n"                     \
                         "arms: {base: {}}\noutcomes:\n"                                                               \
                         "  c_1: {measure: occupancy, states: [c], at: {years: 1}}\n"                                  \
                         "  c_3: {measure: occupancy, states: [c], at: {years: 3}}\n"

/* Into c by t, from a at p and from there on at q. */
static double through(double p, double q, double t)
{
    const double in_b = fabs(p - q) > 1e-7 ? p * (exp(-p * t) - exp(-q * t)) / (q - p) : p * t * exp(-p * t);
    return 1 - exp(-p * t) - in_b;
}

struct two {
    const char *name, *study;
    double one, three, sd;         /* of c after one year, after three, and their standard error */
    double prior_p[2], prior_q[2]; /* median and standard deviation of the logarithm; 0: flat */
    double low, high;
};

static double prior_of(double log_value, const double prior[2])
{
    return prior[1] > 0 ? gsl_ran_gaussian_pdf(log_value - log(prior[0]), prior[1]) : 1;
}

static void expect_two(const struct two *two, size_t n_modes)
{
    static double x[2][N_NODES * N_NODES], w[N_NODES * N_NODES];
    gsl_integration_glfixed_table *table = gsl_integration_glfixed_table_alloc(N_NODES);
    for (size_t i = 0; i < N_NODES; i++)
        for (size_t j = 0; j < N_NODES; j++) {
            const size_t k = i * N_NODES + j;
            double p, q, of_p, of_q;
            gsl_integration_glfixed_point(log(two->low), log(two->high), i, &p, &of_p, table);
            gsl_integration_glfixed_point(log(two->low), log(two->high), j, &q, &of_q, table);
            x[0][k] = exp(p);
            x[1][k] = exp(q);
            w[k] = of_p * of_q * prior_of(p, two->prior_p) * prior_of(q, two->prior_q) *
                   gsl_ran_gaussian_pdf(through(exp(p), exp(q), 1) - two->one, two->sd) *
                   gsl_ran_gaussian_pdf(through(exp(p), exp(q), 3) - two->three, two->sd);
        }
    gsl_integration_glfixed_table_free(table);
    const struct moments exact[2] = {moments_of(x[0], w, N_NODES * N_NODES), moments_of(x[1], w, N_NODES * N_NODES)};
    /* the correlation of the logarithms: its error is at most that of two standardised values' mean product */
    double *log_p = x[0], *log_q = x[1], product = 0, squares = 0, sum = 0;
    for (size_t k = 0; k < N_NODES * N_NODES; k++) {
        log_p[k] = log(log_p[k]);
        log_q[k] = log(log_q[k]);
    }
    const struct moments of_p = moments_of(log_p, w, N_NODES * N_NODES), of_q = moments_of(log_q, w, N_NODES * N_NODES);
    for (size_t k = 0; k < N_NODES * N_NODES; k++) {
        const double both = (log_p[k] - of_p.mean) / of_p.sd * (log_q[k] - of_q.mean) / of_q.sd;
        product += w[k] * both;
        squares += w[k] * both * both;
        sum += w[k];
    }
    product /= sum;
    calibration_open(&calibration, CHAIN, CHAIN_SCENARIO, two->study);
    calibration_solve(&calibration, 1, false);
    const struct pk_answer *answer = calibration.answer;
    cr_expect_eq(answer->n_modes, n_modes, "%s: %zu answers", two->name, answer->n_modes);
    for (size_t k = 0; k < 2; k++)
        expect_moments(k, &exact[k], two->name);
    cr_expect_float_eq(answer->correlation[0][1], product,
                       N_ERRORS * sqrt((squares / sum - product * product) / worth()),
                       "%s: correlation %.4f, exact %.4f", two->name, answer->correlation[0][1], product);
    cr_expect_eq(answer->correlation[0][1], answer->correlation[1][0]);
    for (size_t k = 0; k < 2; k++) { /* what is learnt, of the prior's standard deviation */
        const struct moments *after = k == 0 ? &of_p : &of_q;
        const double given = k == 0 ? two->prior_p[1] : two->prior_q[1];
        const double before = given > 0 ? given : log(two->high / two->low) / sqrt(12);
        cr_expect_float_eq(answer->shrinkage[k], 1 - after->sd / before,
                           N_ERRORS * after->sd / before * sqrt((after->fourth - 1) / (4 * worth())), "%s: learnt %g",
                           two->name, answer->shrinkage[k]);
    }
    calibration_close(&calibration);
}

#define TWO(p, q, low, high, one, three, sd)                                                                           \
    STUDY "  free:\n    p: {within: [" low ", " high "]" p "}\n    q: {within: [" low ", " high "]" q                  \
          "}\n  targets:\n    c_1: {outcome: c_1, value: " one ", standard_error: " sd CALIBRATION_SOURCE              \
          "    c_3: {outcome: c_3, value: " three ", standard_error: " sd CALIBRATION_SOURCE

Test(calibrate_posterior, of_two_parameters_has_the_moments_of_quadrature)
{
    static const struct two one_answer = {
        "a prior on one",
        TWO(", prior: {log_normal: [0.9, 0.3]}", "", "0.05", "10", "0.13", "0.52", "0.03"),
        0.13,
        0.52,
        0.03,
        {0.9, 0.3},
        {0, 0},
        0.05,
        10};
    static const struct two two_priors = {"priors on both",
                                          TWO(", prior: {log_normal: [1.7, 0.4]}", ", prior: {log_normal: [0.3, 0.25]}",
                                              "0.05", "10", "0.19", "0.6", "0.05"),
                                          0.19,
                                          0.6,
                                          0.05,
                                          {1.7, 0.4},
                                          {0.3, 0.25},
                                          0.05,
                                          10};
    expect_two(&one_answer, 1);
    expect_two(&two_priors, 1);
}

/* Of (p, q) and (q, p) the moments are the same: what is lost with one of them is most of the standard deviation. */
Test(calibrate_posterior, of_two_answers_has_the_moments_of_quadrature)
{
    static const struct two flat_priors = {
        "two answers", TWO("", "", "0.1", "6", "0.19", "0.6", "0.01"), 0.19, 0.6, 0.01, {0, 0}, {0, 0}, 0.1, 6};
    expect_two(&flat_priors, 2);
}
