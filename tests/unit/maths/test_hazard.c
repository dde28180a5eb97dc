/* Hazard curves against GSL's distributions, GSL's quadrature and their special cases. */
#include <criterion/criterion.h>
#include <gsl/gsl_cdf.h>
#include <gsl/gsl_errno.h>
#include <gsl/gsl_integration.h>
#include <gsl/gsl_randist.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "hazard_grid.h"
#include "polku/hazard.h"
#include "polku/special.h"

static double rate_for_gsl(double x, void *curve)
{
    return pk_hazard_curve_rate(curve, x);
}

/* 1e-10 relative is asked of the quadrature; what it was integrated over is at most 40 sd wide */
Test(hazard, cumulative_is_the_integral_of_the_rate)
{
    const double ends[][2] = {{0.0137, 0.385}, {0.385, 1.0},  {0.731, 23.85},
                              {17.3, 17.4},    {23.85, 97.0}, {97.0, 131.0}};
    gsl_integration_workspace *workspace = gsl_integration_workspace_alloc(1000);
    gsl_set_error_handler_off();
    for (size_t i = 0; i < LENGTH(grid); i++)
        for (size_t j = 0; j < LENGTH(ends); j++) {
            struct pk_hazard_curve curve = curve_at(i);
            const double from = ends[j][0], to = ends[j][1];
            if (!(pk_hazard_curve_cumulative(&curve, to) < 1e200))
                continue;
            gsl_function f = {rate_for_gsl, &curve};
            double integral, error;
            const int failed = gsl_integration_qags(&f, from, to, 0.0, 1e-10, 1000, workspace, &integral, &error);
            cr_assert(!failed || failed == GSL_EROUND, CURVE "quadrature", OF(curve));
            const double size = fmax(fabs(integral), 1e-6 * fabs(pk_hazard_curve_cumulative(&curve, to)));
            NEAR(pk_hazard_curve_between(&curve, from, to), integral, 1e-9 * size, CURVE "%g to %g: %.15g, not %.15g",
                 OF(curve), from, to, pk_hazard_curve_between(&curve, from, to), integral);
            NEAR(pk_hazard_curve_cumulative(&curve, to) - pk_hazard_curve_cumulative(&curve, from), integral,
                 1e-9 * size + 1e-13 * fabs(pk_hazard_curve_cumulative(&curve, to)), CURVE "%g to %g", OF(curve), from,
                 to);
            NEAR(pk_hazard_curve_between(&curve, 0.0, to), pk_hazard_curve_cumulative(&curve, to),
                 1e-14 * pk_hazard_curve_cumulative(&curve, to), CURVE "0 to %g", OF(curve), to);
        }
    gsl_integration_workspace_free(workspace);
}

/* Density and survival of GSL, which lose digits in far tails: 1e-10 where both are above 1e-290. */
static void check_against(const struct pk_hazard_curve *curve, double x, double density, double survival, double below)
{
    if (!(density > 1e-290 && survival > 1e-290 && below > 1e-290))
        return;
    NEAR(pk_hazard_curve_rate(curve, x) / (density / survival), 1.0, 1e-10, CURVE "rate at %g: %g", OF(*curve), x,
         pk_hazard_curve_rate(curve, x));
    const double expected = below < 0.5 ? -log1p(-below) : -log(survival);
    NEAR(pk_hazard_curve_cumulative(curve, x) / expected, 1.0, 1e-10, CURVE "cumulative at %g: %g", OF(*curve), x,
         pk_hazard_curve_cumulative(curve, x));
}

Test(hazard, rate_and_cumulative_are_those_of_gsls_distributions)
{
    gsl_set_error_handler_off();
    for (size_t i = 0; i < LENGTH(grid); i++)
        for (int j = -80; j <= 80; j++) {
            const struct pk_hazard_curve curve = curve_at(i);
            const double x = exp(0.1 * j + 0.0173), *p = curve.p;
            switch (curve.form) {
            case PK_HAZARD_WEIBULL:
                check_against(&curve, x, gsl_ran_weibull_pdf(x, p[1], p[0]), gsl_cdf_weibull_Q(x, p[1], p[0]),
                              gsl_cdf_weibull_P(x, p[1], p[0]));
                break;
            case PK_HAZARD_WEIBULL_PH: {
                const double scale = pow(p[1], -1.0 / p[0]);
                check_against(&curve, x, gsl_ran_weibull_pdf(x, scale, p[0]), gsl_cdf_weibull_Q(x, scale, p[0]),
                              gsl_cdf_weibull_P(x, scale, p[0]));
                break;
            }
            case PK_HAZARD_LOG_NORMAL:
                check_against(&curve, x, gsl_ran_lognormal_pdf(x, p[0], p[1]), gsl_cdf_lognormal_Q(x, p[0], p[1]),
                              gsl_cdf_lognormal_P(x, p[0], p[1]));
                break;
            case PK_HAZARD_GAMMA:
                check_against(&curve, x, gsl_ran_gamma_pdf(x, p[0], 1.0 / p[1]), gsl_cdf_gamma_Q(x, p[0], 1.0 / p[1]),
                              gsl_cdf_gamma_P(x, p[0], 1.0 / p[1]));
                break;
            case PK_HAZARD_GENERALISED_GAMMA:
                if (fabs(p[2]) > 0.1) { /* GSL cannot do shapes of 1e8; those are for the test of q near 0 */
                    const double a = 1.0 / (p[2] * p[2]), y = a * exp(p[2] * (log(x) - p[0]) / p[1]);
                    const double q = gsl_cdf_gamma_Q(y, a, 1.0), below = gsl_cdf_gamma_P(y, a, 1.0);
                    const double density = gsl_ran_gamma_pdf(y, a, 1.0) * y * fabs(p[2]) / (p[1] * x);
                    check_against(&curve, x, density, p[2] > 0.0 ? q : below, p[2] > 0.0 ? below : q);
                }
                break;
            default:
                break;
            }
        }
}

/* The closed forms in the C library's functions: 1e-12. */
Test(hazard, closed_forms_are_the_formulas)
{
    for (size_t i = 0; i < LENGTH(grid); i++)
        for (int j = -80; j <= 80; j++) {
            const struct pk_hazard_curve curve = curve_at(i);
            const double x = exp(0.1 * j + 0.0173), *p = curve.p;
            double rate, all;
            switch (curve.form) {
            case PK_HAZARD_CONSTANT:
                rate = p[0];
                all = p[0] * x;
                break;
            case PK_HAZARD_GOMPERTZ:
                if (fabs(p[0] * x) > 700.0)
                    continue;
                rate = p[1] * exp(p[0] * x);
                all = p[0] != 0.0 ? p[1] * (expm1(p[0] * x) / p[0]) : p[1] * x;
                break;
            case PK_HAZARD_WEIBULL:
                rate = p[0] / p[1] * pow(x / p[1], p[0] - 1.0);
                all = pow(x / p[1], p[0]);
                break;
            case PK_HAZARD_WEIBULL_PH:
                rate = p[0] * p[1] * pow(x, p[0] - 1.0);
                all = p[1] * pow(x, p[0]);
                break;
            case PK_HAZARD_LOG_LOGISTIC:
                rate = p[0] / p[1] * pow(x / p[1], p[0] - 1.0) / (1.0 + pow(x / p[1], p[0]));
                all = log1p(pow(x / p[1], p[0]));
                break;
            default:
                continue;
            }
            NEAR(pk_hazard_curve_rate(&curve, x), rate, 1e-12 * rate, CURVE "rate at %g", OF(curve), x);
            NEAR(pk_hazard_curve_cumulative(&curve, x), all, 1e-12 * all, CURVE "cumulative at %g", OF(curve), x);
            if (curve.form == PK_HAZARD_CONSTANT || curve.form == PK_HAZARD_GOMPERTZ) {
                const double shrunk = curve.form == PK_HAZARD_GOMPERTZ ? exp(-p[0] * x) : 1.0;
                const double earlier = curve.form == PK_HAZARD_GOMPERTZ ? p[1] * shrunk : rate;
                NEAR(pk_hazard_curve_rate(&curve, -x), earlier, 1e-12 * earlier, CURVE "rate at %g", OF(curve), -x);
                NEAR(pk_hazard_curve_cumulative(&curve, -x), -all * shrunk, 1e-12 * all * shrunk,
                     CURVE "cumulative at %g", OF(curve), -x);
            }
        }
}

/* Special cases that flexsurv's page states: q = 1 weibull(1 / sigma, e^mu), q = sigma gamma(sigma^-2, e^-mu sigma^-2),
 * q = 0 log-normal; and q = -sigma: 1 / x is gamma. Tolerance 1e-12. */
Test(hazard, generalised_gamma_holds_its_special_cases)
{
    const double mu = 2.385, sigma = 0.731;
    const struct pk_hazard_curve cases[][2] = {
        {curve_of(PK_HAZARD_GENERALISED_GAMMA, mu, sigma, 1.0), curve_of(PK_HAZARD_WEIBULL, 1.0 / sigma, exp(mu), 0.0)},
        {curve_of(PK_HAZARD_GENERALISED_GAMMA, mu, sigma, sigma),
         curve_of(PK_HAZARD_GAMMA, 1.0 / (sigma * sigma), exp(-mu) / (sigma * sigma), 0.0)},
        {curve_of(PK_HAZARD_GENERALISED_GAMMA, mu, sigma, 0.0), curve_of(PK_HAZARD_LOG_NORMAL, mu, sigma, 0.0)},
        {curve_of(PK_HAZARD_GENERALISED_GAMMA, mu, sigma, -1e-120), curve_of(PK_HAZARD_LOG_NORMAL, mu, sigma, 0.0)},
        {curve_of(PK_HAZARD_GENERALISED_GAMMA, mu, 1.0, 1.0), curve_of(PK_HAZARD_CONSTANT, exp(-mu), 0.0, 0.0)},
        {curve_of(PK_HAZARD_GAMMA, 1.0, 0.0731, 0.0), curve_of(PK_HAZARD_CONSTANT, 0.0731, 0.0, 0.0)},
        {curve_of(PK_HAZARD_WEIBULL, 1.0, 17.3, 0.0), curve_of(PK_HAZARD_CONSTANT, 1.0 / 17.3, 0.0, 0.0)},
    };
    for (size_t i = 0; i < LENGTH(cases); i++)
        for (int j = -60; j <= 60; j++) {
            const double x = j == -60 ? 0.0 : exp(0.1 * j), h = exp(0.1 * j);
            const struct pk_hazard_curve *one = &cases[i][0], *other = &cases[i][1];
            const double rate = pk_hazard_curve_rate(other, x), all = pk_hazard_curve_cumulative(other, x);
            const double to = pk_hazard_curve_inverse(other, x, h);
            NEAR(pk_hazard_curve_rate(one, x), rate, 1e-12 * rate, CURVE "rate at %g", OF(*one), x);
            NEAR(pk_hazard_curve_cumulative(one, x), all, 1e-12 * all, CURVE "cumulative at %g", OF(*one), x);
            NEAR(pk_hazard_curve_inverse(one, x, h), to, 1e-12 * to, CURVE "inverse from %g by %g", OF(*one), x, h);
        }
    const double q = -sigma, a = 1.0 / (q * q);
    const struct pk_hazard_curve reciprocal = curve_of(PK_HAZARD_GENERALISED_GAMMA, mu, sigma, q);
    for (int j = -20; j <= 60; j++) {
        const double x = exp(0.1 * j), all = -pk_special_gamma_log_p(a, a * exp(mu) / x);
        NEAR(pk_hazard_curve_cumulative(&reciprocal, x), all, 1e-12 * all, "reciprocal at %g", x);
    }
}

/* The skewness enters as q: |d log H / d q| stays below 1 + |w|^3, and halves of q halve the distance to the
 * log-normal. */
Test(hazard, generalised_gamma_goes_over_into_the_log_normal)
{
    const double mu = 2.385, sigma = 0.731;
    const struct pk_hazard_curve limit = curve_of(PK_HAZARD_LOG_NORMAL, mu, sigma, 0.0);
    for (int k = 2; k <= 90; k += k < 20 ? 1 : 7)
        for (int sign = -1; sign <= 1; sign += 2) {
            const double q = sign * pow(10.0, -k);
            const struct pk_hazard_curve curve = curve_of(PK_HAZARD_GENERALISED_GAMMA, mu, sigma, q);
            for (int j = -30; j <= 30; j++) {
                const double w = 0.2 * j + 0.0173, x = exp(mu + sigma * w);
                const double slack = fabs(q) * (1.0 + fabs(w * w * w)) + 1e-13;
                NEAR(pk_hazard_curve_rate(&curve, x) / pk_hazard_curve_rate(&limit, x), 1.0, slack, "rate, q %g, w %g",
                     q, w);
                NEAR(pk_hazard_curve_cumulative(&curve, x) / pk_hazard_curve_cumulative(&limit, x), 1.0, slack,
                     "cumulative, q %g, w %g", q, w);
                const double h = pk_hazard_curve_cumulative(&limit, x);
                NEAR(pk_hazard_curve_inverse(&curve, 0.0, h) / x, 1.0, slack, "inverse, q %g, w %g", q, w);
            }
        }
    /* across the switch of methods at a = 20, q = 0.2236...: both sides, 1e-9 apart in q */
    for (int j = -30; j <= 30; j++) {
        const double x = exp(mu + sigma * 0.2 * j), edge = sqrt(1.0 / 20.0);
        const struct pk_hazard_curve low = curve_of(PK_HAZARD_GENERALISED_GAMMA, mu, sigma, edge * (1.0 - 1e-12)),
                                     high = curve_of(PK_HAZARD_GENERALISED_GAMMA, mu, sigma, edge * (1.0 + 1e-12));
        NEAR(pk_hazard_curve_cumulative(&low, x) / pk_hazard_curve_cumulative(&high, x), 1.0, 1e-9, "at %g", x);
        NEAR(pk_hazard_curve_cumulative(&low, x) / pk_hazard_curve_cumulative(&high, x), 1.0, 2e-10, "at %g", x);
    }
}

Test(hazard, scaled_is_the_same_curve_in_another_unit)
{
    const double ks[] = {12.0, 365.25, 1.0 / 12.0, 1.0};
    for (size_t i = 0; i < LENGTH(grid); i++)
        for (size_t j = 0; j < LENGTH(ks); j++)
            for (int m = -20; m <= 50; m++) {
                const struct pk_hazard_curve curve = curve_at(i), scaled = pk_hazard_curve_scaled(&curve, ks[j]);
                const double x = exp(0.1 * m + 0.0173), k = ks[j];
                const double all = pk_hazard_curve_cumulative(&curve, x), rate = pk_hazard_curve_rate(&curve, x);
                if (!(all > 1e-200 && all < 1e200)) /* else the exponent's rounding shows: 2^-53 |log H| */
                    continue;
                const double slack =
                    2e-13 + (curve.form == PK_HAZARD_GENERALISED_GAMMA ? 1e-12 * fabs(curve.p[2]) : 0.0);
                NEAR(pk_hazard_curve_cumulative(&scaled, k * x), all, 4.0 * slack * all, CURVE "times %g at %g",
                     OF(curve), k, x);
                NEAR(pk_hazard_curve_rate(&scaled, k * x) * k, rate, 4.0 * slack * rate, CURVE "times %g at %g",
                     OF(curve), k, x);
                const double to = pk_hazard_curve_inverse(&curve, x, 0.385);
                if (to < 1e15 && k * to < 1e15)
                    NEAR(pk_hazard_curve_inverse(&scaled, k * x, 0.385), k * to, 2e-12 * k * to,
                         CURVE "times %g from %g", OF(curve), k, x);
            }
}

Test(hazard, at_and_before_0)
{
    for (size_t i = 0; i < LENGTH(grid); i++) {
        const struct pk_hazard_curve curve = curve_at(i);
        if (!starts_at_0(&curve))
            continue;
        const double at_0 = pk_hazard_curve_rate(&curve, 0.0);
        cr_assert(at_0 >= 0.0 && isfinite(at_0), CURVE "%g", OF(curve), at_0);
        cr_assert(pk_hazard_curve_rate(&curve, -0.731) == 0.0);
        cr_assert(pk_hazard_curve_cumulative(&curve, 0.0) == 0.0);
        cr_assert(pk_hazard_curve_cumulative(&curve, -0.731) == 0.0);
        cr_assert(pk_hazard_curve_between(&curve, -0.731, 7.31) == pk_hazard_curve_cumulative(&curve, 7.31));
        cr_assert(pk_hazard_curve_inverse(&curve, -0.731, 0.385) == pk_hazard_curve_inverse(&curve, 0.0, 0.385));
        for (double x = 1.0; x > 0.0; x *= 0.5) {
            cr_assert(isfinite(pk_hazard_curve_rate(&curve, x)), CURVE "rate at %g", OF(curve), x);
            cr_assert(isfinite(pk_hazard_curve_cumulative(&curve, x)), CURVE "cumulative at %g", OF(curve), x);
            if (x < 0x1p-21 && at_0 > 0.0) /* a bound: nothing between 0 and 2^-21 is above */
                cr_assert(pk_hazard_curve_rate(&curve, x) <= at_0 * (1.0 + 1e-12), CURVE "at %g", OF(curve), x);
        }
    }
    const struct pk_hazard_curve falling = curve_of(PK_HAZARD_WEIBULL, 0.3, 17.3, 0.0);
    cr_assert(pk_hazard_curve_rate(&falling, 0.0) == pk_hazard_curve_rate(&falling, 0x1p-21));
    const struct pk_hazard_curve level[] = {curve_of(PK_HAZARD_GENERALISED_GAMMA, 2.385, 1.0 / 1.6, 1.6),
                                            curve_of(PK_HAZARD_LOG_LOGISTIC, 1.0, 17.3, 0.0)};
    for (size_t i = 0; i < LENGTH(level); i++) /* neither 0 nor infinite at 0: continuous there, to 1e-4 */
        NEAR(pk_hazard_curve_rate(&level[i], 0.0) / pk_hazard_curve_rate(&level[i], 1e-9), 1.0, 1e-4,
             CURVE "%g at 0, %g after", OF(level[i]), pk_hazard_curve_rate(&level[i], 0.0),
             pk_hazard_curve_rate(&level[i], 1e-9));
}

Test(hazard, parameters_outside_their_domain_are_refused)
{
    static const struct {
        enum pk_hazard_form form;
        double p[3];
        const char *problem;
    } cases[] = {
        {PK_HAZARD_CONSTANT, {-0.1}, "rate must be a finite number, 0 or above"},
        {PK_HAZARD_CONSTANT, {HUGE_VAL}, "rate must be a finite number, 0 or above"},
        {PK_HAZARD_GOMPERTZ, {HUGE_VAL, 0.1}, "shape must be a finite number"},
        {PK_HAZARD_GOMPERTZ, {0.1, -0.1}, "rate must be a finite number, 0 or above"},
        {PK_HAZARD_WEIBULL, {0.0, 1.0}, "shape must be a finite number above 0"},
        {PK_HAZARD_WEIBULL, {1.0, 0.0}, "scale must be a finite number above 0"},
        {PK_HAZARD_WEIBULL_PH, {-1.0, 1.0}, "shape must be a finite number above 0"},
        {PK_HAZARD_WEIBULL_PH, {1.0, HUGE_VAL}, "scale must be a finite number above 0"},
        {PK_HAZARD_LOG_LOGISTIC, {0.0, 1.0}, "shape must be a finite number above 0"},
        {PK_HAZARD_LOG_LOGISTIC, {1.0, -1.0}, "scale must be a finite number above 0"},
        {PK_HAZARD_LOG_NORMAL, {-HUGE_VAL, 1.0}, "meanlog must be a finite number"},
        {PK_HAZARD_LOG_NORMAL, {1.0, 0.0}, "sdlog must be a finite number above 0"},
        {PK_HAZARD_GAMMA, {0.0, 1.0}, "shape must be a finite number above 0"},
        {PK_HAZARD_GAMMA, {1.0, 0.0}, "rate must be a finite number above 0"},
        {PK_HAZARD_GENERALISED_GAMMA, {HUGE_VAL, 1.0, 0.0}, "mu must be a finite number"},
        {PK_HAZARD_GENERALISED_GAMMA, {1.0, 0.0, 0.0}, "sigma must be a finite number above 0"},
        {PK_HAZARD_GENERALISED_GAMMA, {1.0, 1.0, 1e7}, "q must be a number from -1e6 to 1e6"},
    };
    for (size_t i = 0; i < LENGTH(cases); i++) {
        struct pk_hazard_curve curve = {.form = PK_HAZARD_GAMMA, .lowest = 7.31};
        const char *problem = NULL;
        cr_assert(!pk_hazard_curve_init(&curve, cases[i].form, cases[i].p, &problem));
        cr_assert_str_eq(problem, cases[i].problem);
        cr_assert(curve.form == PK_HAZARD_GAMMA && curve.lowest == 7.31);
        cr_assert(!pk_hazard_curve_init(&curve, cases[i].form, cases[i].p, NULL));
    }
    for (int form = 0; form < PK_HAZARD_FORM_COUNT; form++)
        for (int i = 0; i < PK_HAZARD_PARAMETERS_MAX; i++) {
            double p[3] = {1.0, 1.0, 1.0};
            struct pk_hazard_curve curve;
            const char *problem = NULL, *name = pk_hazard_parameter_names[form][i];
            cr_assert_eq(name != NULL, i < pk_hazard_parameter_counts[form]);
            p[i] = (double)NAN;
            if (!name) { /* is not looked at */
                cr_assert(pk_hazard_curve_init(&curve, (enum pk_hazard_form)form, p, &problem) && curve.p[i] == 0.0);
                continue;
            }
            cr_assert(!pk_hazard_curve_init(&curve, (enum pk_hazard_form)form, p, &problem));
            cr_assert(!strncmp(problem, name, strlen(name)), "%s: %s", name, problem);
        }
    cr_assert_str_eq(pk_hazard_form_names[PK_HAZARD_GENERALISED_GAMMA], "generalised_gamma");
    cr_assert_str_eq(pk_hazard_parameter_names[PK_HAZARD_GOMPERTZ][0], "shape");
}
