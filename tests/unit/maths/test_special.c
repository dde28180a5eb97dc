/* Gamma, normal and Poisson functions against arbitrary precision (mpmath 1.3, 50 digits), GSL, and each other. */
#include <criterion/criterion.h>
#include <float.h>
#include <gsl/gsl_cdf.h>
#include <gsl/gsl_errno.h>
#include <gsl/gsl_math.h>
#include <gsl/gsl_randist.h>
#include <gsl/gsl_sf_erf.h>
#include <gsl/gsl_sf_gamma.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>

#include "polku/special.h"

#define LENGTH(table) (sizeof(table) / sizeof *(table))
#define NEAR(computed, exact, tolerance, ...)                                                                          \
    do {                                                                                                               \
        const double computed_ = (computed), exact_ = (exact);                                                         \
        if (!(fabs(computed_ - exact_) <= (tolerance)))                                                                \
            cr_assert(false, __VA_ARGS__);                                                                             \
    } while (0)

static const double shapes[] = {1e-3,  0.0173, 0.148, 0.3,  0.731, 0.999, 1.0, 1.001, 2.385, 7.31, 9.99,
                                10.01, 19.9,   20.1,  30.0, 50.0,  143.0, 1e3, 17e3,  1e5,   1e6};

Test(special, log_gamma_is_gsls_and_glibcs)
{
    /* GSL's own error: 1e-13; glibc's 80-bit one is exact here, ours is below 4 2^-53 */
    for (int i = -3000; i <= 6000; i++) {
        const double a = exp(i * 0.00231) * 1.00173;
        const double exact = (double)lgammal((long double)a), size = fmax(1.0, fabs(exact));
        NEAR(pk_special_log_gamma(a), exact, 5e-16 * size, "at %a", a);
        NEAR(pk_special_log_gamma(a), gsl_sf_lngamma(a), 1e-13 * size, "GSL at %a", a);
    }
    cr_assert(pk_special_log_gamma(1.0) == 0.0 && pk_special_log_gamma(2.0) == 0.0);
    /* the zeros are crossed with the right slope, digamma(1) and digamma(2) */
    NEAR(pk_special_log_gamma(1.0 + 0x1p-40), -0.5772156649015329 * 0x1p-40, 1e-12 * 0x1p-40, "slope at 1");
    NEAR(pk_special_log_gamma(2.0 + 0x1p-40), 0.4227843350984671 * 0x1p-40, 1e-12 * 0x1p-40, "slope at 2");
    NEAR(pk_special_log_gamma(1e300), 1e300 * (log(1e300) - 1.0), 1e287, "1e300");
    cr_assert(isfinite(pk_special_log_gamma(DBL_MIN)));
    cr_assert(isnan(pk_special_log_gamma(0.0)) && isnan(pk_special_log_gamma(-1.5)));
    cr_assert(isnan(pk_special_log_gamma((double)NAN)));
    cr_assert(pk_special_log_gamma(HUGE_VAL) == HUGE_VAL);
}

/* relative 1e-14, plus 2^-51 |log of the tail| where the result is a tiny tail itself */
static double log_tolerance(long double exact, long double other)
{
    return (double)fabsl(exact) * (1e-14 + 0x1p-51 * (double)fabsl(fabsl(exact) < 0.5L ? other : 0.0L));
}

Test(special, gamma_tails_have_the_digits_of_arbitrary_precision)
{
    static const struct {
        double a, x;
        long double log_q, log_p;
    } points[] = {
        {0.001, 1e-09, -3.914762750300516656903L, -0.02014687223966204297041L},
        {0.001, 0.75, -7.984752330401728452729L, -0.000340674869359861404383L},
        {0.001, 30.0, -40.33675213617636520012L, -3.033689506589930918525e-18L},
        {0.148, 0.02, -0.9131088504734898688124L, -0.5129525166390303735223L},
        {0.148, 1.875, -4.546846638430688075345L, -0.01065716558774768110913L},
        {0.148, 3.5, -6.593139429998123739974L, -0.001370671967321817274812L},
        {0.3, 600.0, -605.574812806611521354L, -1.005079508002881957678e-263L},
        {0.999, 2.0, -2.001632474209679366964L, -0.1451581878819953181134L},
        {0.999, 1e-06, -0.000001014339822584016329678L, -13.80127308535545096571L},
        {2.385, 1e-30, -9.60635975865010766466e-73L, -165.8262864345717618538L},
        {2.385, 0.625, -0.07495703301503340566918L, -2.628084643679133758444L},
        {2.385, 3.375, -1.525093009642843761417L, -0.2453902044207233879306L},
        {2.385, 520.0, -511.542909117238236679L, -6.914126381708315872277e-223L},
        {12.5, 0.0625, -4.900469564452851516752e-25L, -55.97529629484573870832L},
        {12.5, 13.25, -0.9641292750975582049011L, -0.4801591435824676922026L},
        {19.75, 20.5, -0.9049297406640775527324L, -0.5184719642365556940761L},
        {20.25, 14.9375, -0.1163740713879585156057L, -2.208568333741351669813L},
        {20.25, 15.25, -0.1353363804933825542913L, -2.066897035042523678764L},
        {20.25, 27.5, -2.751322232859393766088L, -0.06597249763956535983846L},
        {20.25, 27.25, -2.663106606313221349217L, -0.07228176398026797965001L},
        {30.0, 31.0, -0.9047273980694089619147L, -0.5186094711813279900168L},
        {30.0, 720.0, -600.4177029818784653825L, -1.745439330973235547363e-261L},
        {50.0, 2.0, -5.214301903317168085382e-51L, -115.7804345264222588205L},
        {1000.0, 700.0, -1.015858334533321637458e-26L, -59.85147851292524047438L},
        {1000.0, 1500.0, -98.22056818336461456641L, -2.204698611388996142153e-43L},
        {1000000.0, 1000000.0, -0.6934131774557282440506L, -0.6928812543996959255548L},
        {1000000.0, 963000.0, -1.641943870776420320838e-307L, -706.3977427221752518358L},
        {1000000.0, 1037000.0, -672.6013652173213651946L, -7.815172448166053813314e-293L},
        {17000.0, 16874.75, -0.1844255994235896743934L, -1.781305153101969546145L},
        {100000.0, 99696.5, -0.1846572047101764176526L, -1.780162364294611615551L},
        {1000000.0, 999080.0, -0.1969882588164199592118L, -1.721488954942122142247L},
        {1000000.0, 1001000.0, -1.841021899017885739618L, -0.1727537311241831903632L},
    };
    for (size_t i = 0; i < LENGTH(points); i++) {
        const double a = points[i].a, x = points[i].x;
        const long double q = points[i].log_q, p = points[i].log_p;
        NEAR(pk_special_gamma_log_q(a, x), (double)q, log_tolerance(q, p), "log Q(%g, %g): %.17g", a, x,
             pk_special_gamma_log_q(a, x));
        NEAR(pk_special_gamma_log_p(a, x), (double)p, log_tolerance(p, q), "log P(%g, %g): %.17g", a, x,
             pk_special_gamma_log_p(a, x));
    }
}

/* Everywhere on a grid from far below to far above. The tolerances are GSL's: about 1e-10 to shape 1000, 3e-7 at 1e5
 * below the mean, nothing at 1e6 (P 4 % off at 999080, where the digits above hold). */
Test(special, gamma_tails_are_gsls)
{
    gsl_set_error_handler_off();
    for (size_t i = 0; i < LENGTH(shapes); i++)
        for (int j = -160; j <= 200; j++) {
            const double a = shapes[i];
            const double x = a < 5.0 ? exp(j * 0.07) : a + sqrt(a) * j * (j > 0 ? 0.1 : 0.04);
            const double tolerance = a <= 1e3 ? 1e-10 : a <= 1e5 ? 1e-6 : 1.0;
            gsl_sf_result q, p;
            if (x <= 0.0 || gsl_sf_gamma_inc_Q_e(a, x, &q) || gsl_sf_gamma_inc_P_e(a, x, &p))
                continue;
            const double log_q = pk_special_gamma_log_q(a, x), log_p = pk_special_gamma_log_p(a, x);
            if (q.val > 1e-290)
                NEAR(exp(log_q) / q.val, 1.0, tolerance, "Q(%g, %g)", a, x);
            if (p.val > 1e-290)
                NEAR(exp(log_p) / p.val, 1.0, tolerance, "P(%g, %g)", a, x);
            NEAR(exp(log_q) + exp(log_p), 1.0, 4e-15, "P + Q at (%g, %g)", a, x);
        }
}

/* Where methods meet (special_gamma.c) the two sides differ by what the density says, to 1e-13. */
Test(special, gamma_tails_have_no_seams)
{
    const double seams[][2] = {{0.3, 2.0},         {0.95, 2.0},          {1.001, 2.001},       {2.385, 3.385},
                               {19.9, 20.9},       {50.0, 67.492940379}, {50.0, 37.040911034}, {1e6, 1349858.80757},
                               {0.999999999, 1.5}, {20.0, 18.0},         {20.0, 25.0},         {9.9999999999, 12.0}};
    for (size_t i = 0; i < LENGTH(seams); i++)
        for (int j = -5; j <= 5; j++) {
            const double a = seams[i][0], x = seams[i][1] * (1.0 + j * 1e-10), step = x * 1e-11;
            const double hazard = exp(pk_special_gamma_log_density(a, x) - pk_special_gamma_log_q(a, x));
            const double fall = pk_special_gamma_log_q(a, x) - pk_special_gamma_log_q(a, x + step);
            const double size = fmax(1.0, fabs(pk_special_gamma_log_q(a, x)));
            NEAR(fall, hazard * step, 1e-13 * size, "log Q at (%g, %.12g)", a, x);
        }
    for (int j = -5; j <= 5; j++) { /* and in the shape: 1, 10, 20 */
        const double steps[] = {1.0, 10.0, 20.0};
        for (int k = 0; k < 3; k++) {
            const double here = pk_special_gamma_log_q(steps[k] * (1.0 + j * 1e-15), 1.1 * steps[k]);
            NEAR(here, pk_special_gamma_log_q(steps[k], 1.1 * steps[k]), 1e-13, "shape %g", steps[k]);
        }
    }
}

Test(special, gamma_density_is_gsls)
{
    for (size_t i = 0; i < LENGTH(shapes); i++)
        for (int j = -60; j <= 60; j++) {
            const double a = shapes[i], x = a < 5.0 ? exp(j * 0.1) : a + sqrt(a) * j * (j > 0 ? 0.2 : 0.04);
            const double expected = gsl_ran_gamma_pdf(x, a, 1.0);
            if (x > 0.0 && expected > 1e-290) /* GSL exponentiates a difference of terms of size a log a */
                NEAR(pk_special_gamma_log_density(a, x), log(expected), 1e-11 + 4e-15 * a * fabs(log(a)), "(%g, %g)", a,
                     x);
        }
    cr_assert(pk_special_gamma_log_density(0.5, 0.0) == HUGE_VAL);
    cr_assert(pk_special_gamma_log_density(1.0, 0.0) == 0.0);
    cr_assert(pk_special_gamma_log_density(2.385, 0.0) == -HUGE_VAL);
    cr_assert(pk_special_gamma_log_density(0.5, -1.0) == -HUGE_VAL);
}

/* Undone in the smaller tail; the error in x is that of the log tail over its slope: relative 1e-12. */
Test(special, gamma_quantile_undoes_the_distribution)
{
    static const double ps[] = {1e-300, 1e-100, 1e-30, 1e-9,  1e-4,       0.0173,        0.2,          0.4999,
                                0.5,    0.731,  0.9,   0.999, 1.0 - 1e-7, 1.0 - 0x1p-40, 1.0 - 0x1p-53};
    for (size_t i = 0; i < LENGTH(shapes); i++) {
        const double a = shapes[i];
        double before = 0.0;
        for (size_t j = 0; j < LENGTH(ps); j++) {
            const double x = pk_special_gamma_quantile(a, ps[j]);
            cr_assert(x >= before && isfinite(x), "shape %g, p %g: %g after %g", a, ps[j], x, before);
            before = x;
            if (x < 1e-290)
                continue;
            const bool low = ps[j] < 0.5;
            const double found = low ? pk_special_gamma_log_p(a, x) : pk_special_gamma_log_q(a, x);
            const double expected = low ? log(ps[j]) : log1p(-ps[j]);
            const double slope = x * exp(pk_special_gamma_log_density(a, x) - found);
            NEAR(found, expected, 1e-12 * slope + 1e-15 * fabs(expected), "shape %g, p %g: %g", a, ps[j], x);
        }
        /* GSL's inverse stops at 1e-10 */
        if (a > 0.1 && a < 1e4)
            for (int j = 1; j < 40; j++)
                NEAR(pk_special_gamma_quantile(a, j * 0.0247) / gsl_cdf_gamma_Pinv(j * 0.0247, a, 1.0), 1.0, 1e-9,
                     "shape %g, p %g", a, j * 0.0247);
    }
    cr_assert(pk_special_gamma_quantile(2.385, 0.0) == 0.0);
    cr_assert(pk_special_gamma_quantile(2.385, 1.0) == HUGE_VAL);
    cr_assert(pk_special_gamma_quantile(1e-3, 0.2) == 0.0); /* 1e-699 */
}

Test(special, gamma_quantile_rises_with_p)
{
    for (size_t i = 0; i < LENGTH(shapes); i++) {
        double before = 0.0;
        for (int j = 1; j < 4000; j++) {
            const double x = pk_special_gamma_quantile(shapes[i], j / 4000.0);
            cr_assert(x > before || x == 0.0, "shape %g, p %g", shapes[i], j / 4000.0);
            before = x;
        }
        for (int j = 1; j < 200; j++) { /* steps of 1e-12 */
            const double p = 0.3 * (1.0 + j * 1e-12), q = 0.3 * (1.0 + (j + 1) * 1e-12);
            cr_assert(pk_special_gamma_quantile(shapes[i], q) >= pk_special_gamma_quantile(shapes[i], p), "shape %g",
                      shapes[i]);
        }
    }
}

Test(special, normal_survival_has_the_digits_of_arbitrary_precision)
{
    static const struct {
        double z;
        long double exact;
    } points[] = {
        {-37.5, -4.605353009581954843828e-308L},   {-20.25, -1.776199864949570030871e-91L},
        {-5.5, -1.898956264618946298934e-8L},      {-1.0, -0.1727537790234498895265L},
        {-0.0078125, -0.686933118178333071522L},   {0.5, -1.17591176159361860888L},
        {1.1318359375, -2.049093086948893611763L}, {5.5, -17.77937635262526051059L},
        {40.0, -804.6084420137537881666L},         {1000.0, -500007.8266948121843098L},
    };
    for (size_t i = 0; i < LENGTH(points); i++)
        NEAR((double)(pk_special_normal_log_survival(points[i].z) / points[i].exact), 1.0, 1e-15, "z %g: %.17g",
             points[i].z, pk_special_normal_log_survival(points[i].z));
    /* Phi(-40) is no double */
    cr_assert(pk_special_normal_log_survival(-40.0) == 0.0);
    cr_assert(pk_special_normal_log_survival(-HUGE_VAL) == 0.0);
    cr_assert(pk_special_normal_log_survival(HUGE_VAL) == -HUGE_VAL);
    cr_assert(isnan(pk_special_normal_log_survival((double)NAN)));
}

Test(special, normal_functions_are_gsls)
{
    for (int i = -3700; i <= 5000; i++) {
        const double z = i * 0.01 + 0.00385;
        const double above = gsl_sf_log_erfc(z / M_SQRT2) - M_LN2, below = 0.5 * gsl_sf_erfc(-z / M_SQRT2);
        const double expected = z > -1.0 ? above : log1p(-below);
        NEAR(pk_special_normal_log_survival(z) / expected, 1.0, z < -5.0 ? 1e-12 : 1e-13, "survival, z %g", z);
        NEAR(pk_special_normal_hazard(z) / gsl_sf_hazard(z), 1.0, 1e-12, "hazard, z %g", z);
        const double survival = pk_special_normal_log_survival(z);
        if (survival < 0.0)
            NEAR(pk_special_normal_quantile_log_survival(survival), z, 2e-15 * fmax(1.0, fabs(z)), "z %g", z);
    }
    for (int i = 1; i < 2000; i++) {
        const double p = i * 0.0005, tail = exp(-0.34 * i);
        NEAR(pk_special_normal_quantile(p), gsl_cdf_ugaussian_Pinv(p),
             2e-14 * fmax(1.0, fabs(pk_special_normal_quantile(p))), "p %g", p);
        NEAR(pk_special_normal_quantile(tail), gsl_cdf_ugaussian_Pinv(tail), 2e-14 * 40.0, "p %g", tail);
        cr_assert(pk_special_normal_quantile(p) > pk_special_normal_quantile(p - 0.0005), "p %g", p);
    }
    cr_assert(pk_special_normal_quantile(0.5) == 0.0);
    cr_assert(pk_special_normal_quantile(0.0) == -HUGE_VAL && pk_special_normal_quantile(1.0) == HUGE_VAL);
    cr_assert(isnan(pk_special_normal_quantile((double)NAN)));
    cr_assert(pk_special_normal_quantile_log_survival(0.0) == -HUGE_VAL);
    cr_assert(isnan(pk_special_normal_quantile_log_survival(0.1)));
    /* beyond AS 241: log survival -1e8 and its z */
    const double z = pk_special_normal_quantile_log_survival(-1e8);
    NEAR(pk_special_normal_log_survival(z), -1e8, 1e-6, "far tail");
}

/* Counting up in 80 bits; ties within 1e-13 of a step are left out (no u here is one). */
Test(special, poisson_quantile_counts)
{
    const double means[] = {1e-9, 0.0173, 0.3, 1.0, 2.385, 7.31, 30.0, 143.7, 700.0};
    for (size_t i = 0; i < LENGTH(means); i++)
        for (int j = 0; j < 400; j++) {
            const double u = j < 300 ? (j + 0.385) / 300.0 : exp(-0.1173 * (j - 299.0));
            long double term = expl(-(long double)means[i]), sum = term;
            uint64_t k = 0;
            while (sum < (long double)u) {
                k++;
                term *= (long double)means[i] / (long double)k;
                sum += term;
            }
            cr_assert_eq(pk_special_poisson_quantile(means[i], u), k, "mean %g, u %g: %lu, not %lu", means[i], u,
                         (unsigned long)pk_special_poisson_quantile(means[i], u), (unsigned long)k);
        }
}

/* P(X <= k - 1) < u <= P(X <= k) by GSL, whose error for means to 1e6 is below 1e-9 of the smaller tail. */
Test(special, poisson_quantile_is_the_inverse_of_gsls_distribution)
{
    const double means[] = {1e-3, 2.385, 19.0, 30.0, 143.7, 1e4, 1e6};
    const double us[] = {1e-200, 1e-30, 1e-6, 0.0173, 0.3, 0.5, 0.731, 0.99, 1.0 - 1e-6, 1.0 - 1e-13};
    for (size_t i = 0; i < LENGTH(means); i++) {
        uint64_t before = 0;
        for (size_t j = 0; j < LENGTH(us); j++) {
            const uint64_t k = pk_special_poisson_quantile(means[i], us[j]);
            const unsigned int here = (unsigned int)k;
            cr_assert_geq(k, before, "mean %g, u %g", means[i], us[j]);
            before = k;
            if (us[j] <= 0.5) {
                cr_assert_geq(gsl_cdf_poisson_P(here, means[i]), us[j] * (1.0 - 1e-9), "mean %g, u %g", means[i],
                              us[j]);
                if (k)
                    cr_assert_lt(gsl_cdf_poisson_P(here - 1, means[i]), us[j] * (1.0 + 1e-9), "mean %g, u %g", means[i],
                                 us[j]);
            } else {
                cr_assert_leq(gsl_cdf_poisson_Q(here, means[i]), (1.0 - us[j]) * (1.0 + 1e-9), "mean %g, u %g",
                              means[i], us[j]);
                if (k)
                    cr_assert_gt(gsl_cdf_poisson_Q(here - 1, means[i]), (1.0 - us[j]) * (1.0 - 1e-9), "mean %g, u %g",
                                 means[i], us[j]);
            }
        }
    }
    /* mean 1e9: within a count or two of the normal quantile with its correction for skewness */
    for (int j = 1; j < 100; j++) {
        const double u = j * 0.00997, z = gsl_cdf_ugaussian_Pinv(u);
        NEAR((double)pk_special_poisson_quantile(1e9, u), 1e9 + z * sqrt(1e9) + (z * z - 1.0) / 6.0, 1.0, "u %g", u);
    }
    cr_assert_eq(pk_special_poisson_quantile(0.0, 0.7), 0);
    cr_assert_eq(pk_special_poisson_quantile(2.385, 0.0), 0);
    cr_assert_eq(pk_special_poisson_quantile(2.385, 1.0), UINT64_MAX);
    cr_assert_eq(pk_special_poisson_quantile((double)NAN, 0.5), 0);
}

Test(special, gamma_functions_end_well)
{
    for (size_t i = 0; i < LENGTH(shapes); i++) {
        const double a = shapes[i];
        cr_assert(pk_special_gamma_log_q(a, 0.0) == 0.0 && pk_special_gamma_log_p(a, 0.0) == -HUGE_VAL);
        cr_assert(pk_special_gamma_log_q(a, -1.0) == 0.0 && pk_special_gamma_log_p(a, -1.0) == -HUGE_VAL);
        cr_assert(pk_special_gamma_log_q(a, HUGE_VAL) == -HUGE_VAL && pk_special_gamma_log_p(a, HUGE_VAL) == 0.0);
        cr_assert(isfinite(pk_special_gamma_log_p(a, DBL_MIN)), "shape %g", a);
        cr_assert(isfinite(pk_special_gamma_log_p(a, 0x1p-1074)), "shape %g", a);
        NEAR(pk_special_gamma_log_q(a, 1e300) / -1e300, 1.0, 1e-13, "shape %g", a);
        cr_assert(isnan(pk_special_gamma_log_q(a, (double)NAN)));
    }
}
