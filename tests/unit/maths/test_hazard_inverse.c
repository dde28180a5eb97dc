/* The cumulative hazard undone: from 0 and from later, in tails, and where there is nothing to find. */
#include <criterion/criterion.h>
#include <math.h>

#include "hazard_grid.h"
#include "polku/hazard.h"

/* H(x) - H(from) is h to what 1e-12 of x, 1e-9, the last places of H(from) + h, or exp's share in H make of it. */
static void check_inverse(const struct pk_hazard_curve *curve, double from, double h)
{
    const double x = pk_hazard_curve_inverse(curve, from, h);
    cr_assert(x >= from, CURVE "from %g by %g: %g", OF(*curve), from, h, x);
    if (x > 1e15 || x < 1e-290) /* there is a test of the first; the second is no normal double */
        return;
    const double found = pk_hazard_curve_between(curve, from, x);
    const double rate = pk_hazard_curve_rate(curve, x);
    const double slack = fmin(1e-12 * fabs(x), x > 1.0 ? 1e-9 : HUGE_VAL) * rate;
    NEAR(found, h, slack + 4e-16 * (fabs(pk_hazard_curve_cumulative(curve, x)) + h * fabs(log(h))),
         CURVE "from %g by %g: %.17g gives %.17g", OF(*curve), from, h, x, found);
}

Test(hazard, inverse_undoes_cumulative)
{
    const double froms[] = {0.0, 1e-7, 0.0137, 0.731, 9.37, 17.3, 29.7, 97.0, 1000.0};
    const double hs[] = {1e-300, 1e-30, 1e-12, 1e-7, 1e-3, 0.0173, 0.2,   0.5,   0.6931,
                         0.7,    1.0,   2.385, 7.31, 36.0, 40.0,   120.0, 500.0, 800.0};
    for (size_t i = 0; i < LENGTH(grid); i++)
        for (size_t j = 0; j < LENGTH(froms); j++)
            for (size_t k = 0; k < LENGTH(hs); k++) {
                const struct pk_hazard_curve curve = curve_at(i);
                if (isfinite(pk_hazard_curve_cumulative(&curve, froms[j])))
                    check_inverse(&curve, froms[j], hs[k]);
                if (!starts_at_0(&curve))
                    check_inverse(&curve, -froms[j], hs[k]);
            }
}

/* 7.31e-5 per step and up: no step may turn back */
Test(hazard, inverse_rises_with_the_hazard)
{
    for (size_t i = 0; i < LENGTH(grid); i++) {
        const struct pk_hazard_curve curve = curve_at(i);
        double before = 0.731;
        for (int j = 0; j < 4000; j++) {
            const double x = pk_hazard_curve_inverse(&curve, 0.731, exp(-20.0 + j * 0.0065));
            cr_assert(x >= before, CURVE "step %d: %.17g after %.17g", OF(curve), j, x, before);
            before = x;
        }
    }
}

Test(hazard, short_waits_keep_their_digits)
{
    /* all but the three forms through a distribution: the wait is hazard times time to 1e-9 of itself */
    for (size_t i = 0; i < LENGTH(grid); i++) {
        const struct pk_hazard_curve curve = curve_at(i);
        if (curve.form > PK_HAZARD_LOG_LOGISTIC)
            continue;
        for (int j = 0; j < 50; j++) {
            const double x = exp(-1.0 + j * 0.1), wait = 0x1p-40 * x, to = x + wait;
            const double expected = (to - x) * pk_hazard_curve_rate(&curve, 0.5 * (x + to));
            NEAR(pk_hazard_curve_between(&curve, x, to), expected, 1e-9 * expected, CURVE "at %g", OF(curve), x);
        }
    }
}

Test(hazard, inverse_is_infinite_where_there_is_no_time)
{
    const struct pk_hazard_curve cured = curve_of(PK_HAZARD_GOMPERTZ, -0.0731, 0.0385, 0.0); /* at most 0.5267 */
    cr_assert(isfinite(pk_hazard_curve_inverse(&cured, 0.0, 0.5266)));
    cr_assert(pk_hazard_curve_inverse(&cured, 0.0, 0.5267) == HUGE_VAL);
    cr_assert(pk_hazard_curve_inverse(&cured, 97.0, 0.385) == HUGE_VAL);
    cr_assert(pk_hazard_curve_inverse(&cured, 1e6, 1e-9) == HUGE_VAL);
    const struct pk_hazard_curve none = curve_of(PK_HAZARD_CONSTANT, 0.0, 0.0, 0.0);
    cr_assert(pk_hazard_curve_inverse(&none, 2.385, 1e-9) == HUGE_VAL);
    cr_assert(pk_hazard_curve_inverse(&none, 2.385, 0.0) == 2.385);
    const struct pk_hazard_curve still = curve_of(PK_HAZARD_GOMPERTZ, 0.0731, 0.0, 0.0);
    cr_assert(pk_hazard_curve_inverse(&still, 2.385, 1e-9) == HUGE_VAL);
    cr_assert(pk_hazard_curve_rate(&still, 1e9) == 0.0 && pk_hazard_curve_cumulative(&still, 1e9) == 0.0);
    cr_assert(pk_hazard_curve_between(&still, 0.0, 1e9) == 0.0);
    const struct pk_hazard_curve slow = curve_of(PK_HAZARD_CONSTANT, 1e-15, 0.0, 0.0);
    cr_assert(isfinite(pk_hazard_curve_inverse(&slow, 0.0, 0.99)));
    cr_assert(pk_hazard_curve_inverse(&slow, 0.0, 1.01) == HUGE_VAL);
    const struct pk_hazard_curve log_logistic = curve_of(PK_HAZARD_LOG_LOGISTIC, 30.0, 17.3, 0.0);
    NEAR(pk_hazard_curve_inverse(&log_logistic, 0.0, 800.0), 17.3 * exp(800.0 / 30.0), 1e-12 * 17.3 * exp(800.0 / 30.0),
         "log-logistic");
    for (size_t i = 0; i < LENGTH(grid); i++) {
        const struct pk_hazard_curve curve = curve_at(i);
        cr_assert(pk_hazard_curve_inverse(&curve, 7.31, HUGE_VAL) == HUGE_VAL);
        cr_assert(pk_hazard_curve_inverse(&curve, 7.31, 0.0) == 7.31);
        cr_assert(pk_hazard_curve_between(&curve, 7.31, 7.31) == 0.0);
    }
    /* a rising gompertz so far before its clock's 0 that its rate is no double still comes to its time */
    const struct pk_hazard_curve rising = curve_of(PK_HAZARD_GOMPERTZ, 1.0, 0.0385, 0.0);
    NEAR(pk_hazard_curve_inverse(&rising, -800.0, 0.731), log(0.731 / 0.0385), 1e-12, "rising");
}
