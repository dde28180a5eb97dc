/* The incomplete beta function against arbitrary precision (mpmath 1.3, 60 digits), closed forms, GSL, and itself. */
#include <criterion/criterion.h>
#include <gsl/gsl_cdf.h>
#include <gsl/gsl_errno.h>
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

static const double shapes[] = {1e-3, 0.0173, 0.148, 0.5, 0.999, 1.0, 1.001, 2.385, 9.99, 31.0, 143.0, 1e3, 17e3, 1e6};

/* The power series DLMF 8.17.8 summed in 60 digits or more, below 200 also mpmath's own betainc. */
Test(special_beta, tails_have_the_digits_of_arbitrary_precision)
{
    static const struct {
        double a, b, x;
        long double log_p, log_q;
    } points[] = {
        {0.001, 0.001, 0.5, -0.6931471805599453094172L, -0.6931471805599453094172L},
        {0.001, 0.001, 0.9990234375, -0.6862660052250794415499L, -0.7000760347447648296267L},
        {0.001, 3.5, 1e-09, -0.0190435504396683309037L, -3.970533458896073737741L},
        {0.0173, 12.5, 0.25, -0.0001313415864137019273857L, -8.937774768669809784791L},
        {0.148, 0.148, 0.03125, -1.172894715330109283022L, -0.3702955944301256387914L},
        {0.5, 0.5, 0.015625, -2.528405030768248847028L, -0.08314921784562313405239L},
        {0.5, 0.5, 0.6875, -0.4742409242511692836365L, -0.9738067513685928167192L},
        {0.5, 30.5, 0.001953125, -1.312684656552334655491L, -0.3134740491518503376374L},
        {0.999, 1.001, 0.375, -0.9790661060711414583679L, -0.4710630115118650918348L},
        {1.001, 0.999, 0.375, -0.9825944441180896572666L, -0.4689460082803114166396L},
        {2.385, 7.25, 0.125, -1.662166519095125029776L, -0.2103846512137874733119L},
        {2.385, 7.25, 0.625, -0.007347508821035302045781L, -4.917065464122333007498L},
        {7.25, 2.385, 0.75, -0.8153958850838053964376L, -0.5842284328495475852415L},
        {12.0, 30.0, 0.28125, -0.7050589967855128063571L, -0.6813755870316717882502L},
        {12.0, 30.0, 0.5, -0.002164342968619353619562L, -6.136720418586217924868L},
        {12.0, 30.0, 0.0625, -12.1946843615832153228L, -0.00000505727967460981559413L},
        {79.0, 5.0, 0.9375, -0.9119253722280479953411L, -0.5137464864741873503743L},
        {79.0, 5.0, 0.875, -4.066014531351540086428L, -0.01729427327501081169622L},
        {79.0, 5.0, 0.5, -43.05663843627115308164L, -1.998662747372064824193e-19L},
        {45.75, 0.0015, 0.984375, -7.509177077558347571472L, -0.0005481821153072625093967L},
        {48.25, 0.00325, 0.9921875, -6.019671751671256358895L, -0.002433425640940168459075L},
        {143.0, 0.3, 0.9970703125, -1.532809927612317080313L, -0.2432545177059169522234L},
        {20.25, 143.0, 0.125, -0.6190549483102009629985L, -0.7731715253252907569376L},
        {1000.0, 700.0, 0.59375, -0.3899007595574008601479L, -1.13048714489500532806L},
        {1000.0, 700.0, 0.53125, -13.68526097969353363853L, -0.000001139113294403874384766L},
        {17000.0, 3.5, 0.9998779296875, -0.2714988305996458716184L, -1.436477429202156952595L},
        {17000.0, 0.148, 0.99993896484375, -3.350109133614838105281L, -0.03571062716370129355827L},
        {100000.0, 1000000.0, 0.09100341796875, -0.4542463025243928063997L, -1.007656110224809849906L},
        {100000.0, 1000000.0, 0.0947265625, -2.310430240811880169273e-43L, -98.17372524011919280001L},
        {1000000.0, 1000000.0, 0.5, -0.6931471805599453094172L, -0.6931471805599453094172L},
        {1000000.0, 1000000.0, 0.49853515625, -10.97504466586288783978L, -0.00001712388810787751686849L},
        {1000000.0, 2.385, 0.99999713897705078125, -1.180689089662275578331L, -0.3668220650486308499673L},
        {0.731, 1000000.0, 4.76837158203125e-07, -0.6437656367669281762694L, -0.745094512203387721117L},
    };
    for (size_t i = 0; i < LENGTH(points); i++) {
        const double a = points[i].a, b = points[i].b, x = points[i].x;
        const double log_p = pk_special_beta_log_p(a, b, x), log_q = pk_special_beta_log_q(a, b, x);
        NEAR((double)(log_p / points[i].log_p), 1.0, 1e-13, "log P(%g, %g, %g): %.17g", a, b, x, log_p);
        NEAR((double)(log_q / points[i].log_q), 1.0, 1e-13, "log Q(%g, %g, %g): %.17g", a, b, x, log_q);
    }
}

Test(special_beta, quantiles_have_the_digits_of_arbitrary_precision)
{
    static const struct {
        double a, b, p, x;
    } points[] = {
        {0.5, 0.5, 0.0173, 0.00073828671463492529971},        {2.385, 7.25, 0.025, 0.046008988970091284992},
        {2.385, 7.25, 0.975, 0.54651404378035764212},         {12.0, 30.0, 0.5, 0.28228549263729124045},
        {79.0, 5.0, 0.025, 0.88118158277308072706},           {79.0, 5.0, 0.999, 0.99091193901738719212},
        {0.148, 3.5, 0.3, 0.000059739482029473560724},        {1000.0, 700.0, 0.0001, 0.54348324360946226101},
        {0.001, 0.001, 0.5009765625, 0.87614329284669163673}, {143.0, 0.3, 0.1, 0.99381654686161505958},
        {45.75, 17.25, 1e-12, 0.29686587317981656251},
    };
    for (size_t i = 0; i < LENGTH(points); i++) {
        const double x = pk_special_beta_quantile(points[i].a, points[i].b, points[i].p);
        NEAR(x / points[i].x, 1.0, 1e-13, "(%g, %g, %g): %.17g", points[i].a, points[i].b, points[i].p, x);
    }
}

Test(special_beta, shapes_of_one_and_of_a_half_are_their_closed_forms)
{
    for (size_t i = 0; i < LENGTH(shapes); i++)
        for (int j = 1; j < 64; j++) {
            const double a = shapes[i], x = j * 0x1p-6;
            NEAR(pk_special_beta_log_p(a, 1.0, x), a * log(x), 1e-13 * fmax(1.0, -a * log(x)), "x^a, (%g, %g)", a, x);
            NEAR(pk_special_beta_log_q(1.0, a, x), a * log1p(-x), 1e-13 * fmax(1.0, -a * log1p(-x)),
                 "(1 - x)^b, (%g, %g)", a, x);
            if (pow(x, 1.0 / a) > 1e-290)
                NEAR(pk_special_beta_quantile(a, 1.0, x), pow(x, 1.0 / a), 1e-12 * pow(x, 1.0 / a), "(%g, 1, %g)", a,
                     x);
            NEAR(pk_special_beta_quantile(1.0, a, x), -expm1(log1p(-x) / a), -1e-12 * expm1(log1p(-x) / a),
                 "(1, %g, %g)", a, x);
        }
    for (int j = 1; j < 64; j++) { /* the arcsine law, with pi = 4 atan 1 */
        const double s = sin(0.5 * 4.0 * atan(1.0) * j * 0x1p-6);
        NEAR(pk_special_beta_quantile(0.5, 0.5, j * 0x1p-6), s * s, 1e-13 * s * s, "arcsine, p %g", j * 0x1p-6);
    }
}

/* GSL's own error: about 1e-10 to shape 1e3; it is left out where it gives up. */
Test(special_beta, tails_are_gsls_and_mirror_each_other)
{
    gsl_set_error_handler_off();
    size_t n_compared = 0;
    for (size_t i = 0; i < LENGTH(shapes); i++)
        for (size_t k = 0; k < LENGTH(shapes); k++)
            for (int j = 1; j < 128; j++) {
                const double a = shapes[i], b = shapes[k], x = j * 0x1p-7;
                const double log_p = pk_special_beta_log_p(a, b, x), log_q = pk_special_beta_log_q(a, b, x);
                NEAR(exp(log_p) + exp(log_q), 1.0, 1e-13, "P + Q at (%g, %g, %g)", a, b, x);
                cr_assert(log_p == pk_special_beta_log_q(b, a, 1.0 - x) || fabs(log_p) < 1e-290 ||
                              fabs(log_p / pk_special_beta_log_q(b, a, 1.0 - x) - 1.0) < 1e-13,
                          "mirrored at (%g, %g, %g)", a, b, x);
                if (a > 1e3 || b > 1e3)
                    continue;
                const double p = gsl_cdf_beta_P(x, a, b), q = gsl_cdf_beta_Q(x, a, b);
                if (p > 1e-250 && p < 0.9)
                    NEAR(exp(log_p) / p, 1.0, 1e-9, "P(%g, %g, %g)", a, b, x);
                if (q > 1e-250 && q < 0.9)
                    NEAR(exp(log_q) / q, 1.0, 1e-9, "Q(%g, %g, %g)", a, b, x);
                n_compared += p < 0.9 || q < 0.9;
            }
    cr_assert_gt(n_compared, 15000);
}

/* Where methods meet the two sides differ by what the density says, here by differences over a wider step. */
Test(special_beta, tails_have_no_seams)
{
    const double seams[][2] = {{0.3, 2.0}, {0.999999, 30.0}, {2.385, 7.25}, {143.0, 0.731}, {1e3, 700.0}, {1e6, 17e3}};
    for (size_t i = 0; i < LENGTH(seams); i++) {
        const double a = seams[i][0], b = seams[i][1], seam = (a + 1.0) / (a + b + 2.0), step = seam * (1.0 - seam);
        const double wide = 1e-4 * step / sqrt(a + b);
        const double slope =
            (pk_special_beta_log_q(a, b, seam + wide) - pk_special_beta_log_q(a, b, seam - wide)) / (2.0 * wide);
        const double low = seam - 1e-10 * step, high = seam + 1e-10 * step;
        NEAR(pk_special_beta_log_q(a, b, high) - pk_special_beta_log_q(a, b, low), slope * (high - low), 4e-14,
             "(%g, %g)", a, b);
    }
}

/* Undone in the smaller tail: relative error 1e-12 of x (of 1 - x where that is smaller), by the slope there. */
Test(special_beta, quantile_undoes_the_distribution_and_rises)
{
    static const double ps[] = {1e-300, 1e-100, 1e-30, 1e-9,  1e-4,       0.0173,        0.2,          0.4999,
                                0.5,    0.731,  0.9,   0.999, 1.0 - 1e-7, 1.0 - 0x1p-40, 1.0 - 0x1p-53};
    for (size_t i = 0; i < LENGTH(shapes); i++)
        for (size_t k = 0; k < LENGTH(shapes); k++) {
            const double a = shapes[i], b = shapes[k];
            double before = 0.0;
            for (size_t j = 0; j < LENGTH(ps); j++) {
                const double x = pk_special_beta_quantile(a, b, ps[j]);
                cr_assert(x >= before && x <= 1.0, "(%g, %g), p %g: %g after %g", a, b, ps[j], x, before);
                before = x;
                if (x < 1e-290 || x > 1.0 - 1e-4) /* a double has not the digits of 1 - x there */
                    continue;
                const double found = pk_special_beta_log_p(a, b, x) - pk_special_beta_log_q(a, b, x);
                const double expected = log(ps[j]) - log1p(-ps[j]), near = x * (1.0 + 1e-7);
                const double rise =
                    (pk_special_beta_log_p(a, b, near) - pk_special_beta_log_q(a, b, near) - found) * 1e7;
                NEAR(found, expected, 1e-12 * rise + 1e-13 * fmax(1.0, fabs(expected)), "(%g, %g), p %g: %g", a, b,
                     ps[j], x);
            }
        }
    double before = 0.0;
    for (int j = 1; j < 4000; j++) {
        const double x = pk_special_beta_quantile(2.385, 7.25, j / 4000.0);
        cr_assert(x > before, "p %g", j / 4000.0);
        before = x;
        const double p = 0.3 * (1.0 + j * 1e-12), q = 0.3 * (1.0 + (j + 1) * 1e-12);
        cr_assert(pk_special_beta_quantile(79.0, 5.0, q) >= pk_special_beta_quantile(79.0, 5.0, p), "p %.17g", p);
    }
}

Test(special_beta, ends_and_what_is_no_shape)
{
    cr_assert(pk_special_beta_quantile(2.385, 7.25, 0.0) == 0.0 && pk_special_beta_quantile(2.385, 7.25, 1.0) == 1.0);
    cr_assert(pk_special_beta_quantile(1e-3, 1.0, 0.2) == 0.0); /* 1e-699 */
    cr_assert(pk_special_beta_log_p(2.0, 3.0, 0.0) == -HUGE_VAL && pk_special_beta_log_p(2.0, 3.0, 1.0) == 0.0);
    cr_assert(pk_special_beta_log_q(2.0, 3.0, 0.0) == 0.0 && pk_special_beta_log_q(2.0, 3.0, 1.0) == -HUGE_VAL);
    const double wrong[] = {0.0, -1.5, (double)NAN};
    for (size_t i = 0; i < LENGTH(wrong); i++) {
        cr_assert(isnan(pk_special_beta_log_p(wrong[i], 2.0, 0.5)) && isnan(pk_special_beta_log_q(2.0, wrong[i], 0.5)));
        cr_assert(isnan(pk_special_beta_quantile(wrong[i], 2.0, 0.5)));
    }
    cr_assert(isnan(pk_special_beta_quantile(2.0, 3.0, (double)NAN)) &&
              isnan(pk_special_beta_log_p(2.0, 3.0, (double)NAN)));
}
