/* pk_log, pk_exp, pk_pow, pk_expm1, pk_log1p against glibc's 80-bit functions, whose own errors are below 2^-10 of a
 * double's ulp. */
#include <criterion/criterion.h>
#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>

#include "polku/elementary.h"
#include "polku/elementary_core.h"

static uint64_t splitmix_state;

/* Steele, Lea, Flood 2014; not the generator under test */
static uint64_t random_word(void)
{
    uint64_t z = splitmix_state += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

static double random_between(double low, double high)
{
    return low + (high - low) * ((double)(int64_t)(random_word() >> 11) * 0x1p-53);
}

static void needs_wide_oracle(void)
{
    if (LDBL_MANT_DIG < 64)
        cr_skip_test("long double is no wider than double here");
}

/* |computed - exact| in units of the last place of a normal double of exact's size */
static double ulps(double computed, long double exact)
{
    int exponent;
    frexpl(exact, &exponent);
    return (double)fabsl(ldexpl((long double)computed - exact, DBL_MANT_DIG - exponent));
}

static double random_log_argument(int kind)
{
    switch (kind) {
    case 0: /* any normal bit pattern */
        return ldexp(random_between(1.0, 2.0), (int)(random_word() % 2046) - 1022);
    case 1: /* ever nearer 1, on both sides */
        return 1.0 + ldexp(random_between(-1.0, 1.0), -(int)(random_word() % 52));
    case 2: /* about the splits */
        return ldexp(random_between(0.7070, 0.7072), (int)(random_word() % 9) - 4);
    case 3: /* what an inversion takes the logarithm of */
        return random_between(0.0, 1.0) + 0x1p-53;
    case 4: /* where the largest errors were seen */
        return random_between(0.7, 0.72);
    default:
        return random_between(0.5, 2.0);
    }
}

Test(elementary, log_is_within_one_ulp_of_the_exact_value)
{
    needs_wide_oracle();
    splitmix_state = 2385;
    double worst = 0.0, at = 0.0;
    for (int i = 0; i < 6000000; i++) {
        const double x = random_log_argument(i % 6);
        const double error = x == 1.0 ? 0.0 : ulps(pk_log(x), logl((long double)x));
        if (!(error <= worst)) {
            worst = error;
            at = x;
        }
    }
    cr_assert_lt(worst, 0.9, "%g ulp at %a", worst, at);
}

Test(elementary, log_holds_at_the_edges_and_splits)
{
    needs_wide_oracle();
    const double points[] = {DBL_MIN,
                             DBL_MAX,
                             0x1p-1022,
                             0x1.6a09e667f3bccp-1,
                             0x1.6a09e667f3bcdp-1,
                             0x1.6a09e667f3bcep-1,
                             0x1.6a09e667f3bccp+0,
                             0x1.6a09e667f3bcdp+0,
                             0x1p-1,
                             2.0,
                             4.0,
                             10.0,
                             0x1.fffffffffffffp-1,
                             0x1.0000000000001p+0,
                             0x1.6a046ae460e93p-1,
                             0x1.69c544c535b69p-1,
                             0x1p-53,
                             0x1.fffffffffffffp+1023};
    for (size_t i = 0; i < sizeof points / sizeof *points; i++) {
        const double error = ulps(pk_log(points[i]), logl((long double)points[i]));
        cr_assert_lt(error, 0.9, "%g ulp at %a", error, points[i]);
    }
    cr_assert(pk_log(1.0) == 0.0 && !signbit(pk_log(1.0)));
}

/* Digits from mpmath 1.3: an oracle that shares nothing with the C library. */
Test(elementary, log_and_exp_have_the_digits_of_arbitrary_precision)
{
    const struct {
        double x;
        long double exact;
    } logs[] = {{2.385, 0.8691991243403044501052998L},
                {0.0078125, -4.852030263919617165920625L},
                {1e-300, -690.7755278982137051803383L},
                {123456.75, 11.72364617128582821003352L}},
      exps[] = {{2.385, 10.85906266492051403897455L},
                {-17.3125, 3.028843137928935160185059e-8L},
                {700.25, 1.302299736699178393533542e+304L},
                {-0.0625, 0.9394130628134757861197108L}};
    for (int i = 0; i < 4; i++) {
        cr_assert_lt(ulps(pk_log(logs[i].x), logs[i].exact), 0.9);
        cr_assert_lt(ulps(pk_exp(exps[i].x), exps[i].exact), 0.8);
    }
}

Test(elementary, log_of_subnormals_is_within_one_ulp)
{
    needs_wide_oracle();
    splitmix_state = 71;
    for (int i = 0; i < 300000; i++) {
        const double x = pk_elementary_double(random_word() >> (12 + i % 52) | 1);
        const double error = ulps(pk_log(x), logl((long double)x));
        if (!(error < 0.9))
            cr_assert(false, "%g ulp at %a", error, x);
    }
}

Test(elementary, log_of_special_arguments_is_special)
{
    cr_assert(pk_log(0.0) == -HUGE_VAL);
    cr_assert(pk_log(-0.0) == -HUGE_VAL);
    cr_assert(pk_log(HUGE_VAL) == HUGE_VAL);
    cr_assert(isnan(pk_log(-2.385)));
    cr_assert(isnan(pk_log(-HUGE_VAL)));
    cr_assert(isnan(pk_log(-0x1p-1074)));
    cr_assert(isnan(pk_log((double)NAN)));
}

Test(elementary, exp_is_within_one_ulp_of_the_exact_value)
{
    needs_wide_oracle();
    splitmix_state = 4177;
    double worst = 0.0, at = 0.0;
    for (int i = 0; i < 6000000; i++) {
        double x;
        switch (i % 5) {
        case 0:
            x = random_between(-708.39, 709.78);
            break;
        case 1:
            x = random_between(-1.0, 1.0);
            break;
        case 2: /* about the splits, (n + 1/2) ln 2 */
            x = ((int)(random_word() % 41) - 19.5) * 0x1.62e42fefa39efp-1 + random_between(-0.01, 0.01);
            break;
        case 3: /* ever nearer 0 */
            x = ldexp(random_between(-1.0, 1.0), -(int)(random_word() % 70));
            break;
        default:
            x = random_between(-40.0, 40.0);
        }
        const double error = ulps(pk_exp(x), expl((long double)x));
        if (!(error <= worst)) {
            worst = error;
            at = x;
        }
    }
    cr_assert_lt(worst, 0.8, "%g ulp at %a", worst, at);
}

Test(elementary, exp_ends_where_normal_doubles_end)
{
    needs_wide_oracle();
    const double lowest = -0x1.6232bdd7abcd2p+9, highest = 0x1.62e42fefa39efp+9;
    cr_assert(pk_exp(lowest) >= DBL_MIN);
    cr_assert_lt(ulps(pk_exp(lowest), expl((long double)lowest)), 0.8);
    cr_assert(expl((long double)nextafter(lowest, -HUGE_VAL)) < (long double)DBL_MIN);
    cr_assert(pk_exp(nextafter(lowest, -HUGE_VAL)) == 0.0);
    cr_assert(isfinite(pk_exp(highest)));
    cr_assert_lt(ulps(pk_exp(highest), expl((long double)highest)), 0.8);
    cr_assert(expl((long double)nextafter(highest, HUGE_VAL)) > (long double)DBL_MAX);
    cr_assert(pk_exp(nextafter(highest, HUGE_VAL)) == HUGE_VAL);
}

Test(elementary, exp_of_special_arguments_is_special)
{
    cr_assert(pk_exp(0.0) == 1.0);
    cr_assert(pk_exp(-0.0) == 1.0);
    cr_assert(pk_exp(0x1p-1074) == 1.0);
    cr_assert(pk_exp(-DBL_MIN) == 1.0);
    cr_assert(pk_exp(HUGE_VAL) == HUGE_VAL);
    cr_assert(pk_exp(DBL_MAX) == HUGE_VAL);
    cr_assert(pk_exp(-HUGE_VAL) == 0.0);
    cr_assert(pk_exp(-DBL_MAX) == 0.0);
    cr_assert(isnan(pk_exp((double)NAN)));
}

/* whether f never falls over 2 n + 1 consecutive doubles about a positive middle */
static void assert_rises(double (*f)(double), double middle, int n, double sign)
{
    const uint64_t bits = pk_elementary_bits(middle);
    double before = f(sign * pk_elementary_double(bits - (uint64_t)n - 1));
    for (int i = -n; i <= n; i++) {
        const double x = sign * pk_elementary_double(bits + (uint64_t)(int64_t)i);
        const double here = f(x);
        if (!(sign > 0.0 ? here >= before : here <= before))
            cr_assert(false, "falls at %a", x);
        before = here;
    }
}

Test(elementary, log_never_falls_between_neighbours_near_the_splits)
{
    for (int k = -30; k <= 30; k++) {
        assert_rises(pk_log, ldexp(0x1.6a09e667f3bcdp-1, k), 20000, 1.0);
        assert_rises(pk_log, ldexp(1.0, k), 20000, 1.0);
    }
    assert_rises(pk_log, 0x1p-1022, 20000, 1.0);
}

Test(elementary, exp_never_falls_between_neighbours_near_the_splits)
{
    for (int k = 0; k <= 40; k++)
        for (int sign = -1; sign <= 1; sign += 2) {
            assert_rises(pk_exp, (k + 0.5) * 0x1.62e42fefa39efp-1, 20000, sign);
            assert_rises(pk_exp, (k + 1.0) * 0x1.62e42fefa39efp-1, 20000, sign);
        }
}

Test(elementary, cores_are_the_functions_on_ordinary_arguments)
{
    splitmix_state = 53;
    for (int i = 0; i < 1000000; i++) {
        const double x = random_log_argument(i % 6), y = random_between(-708.0, 709.0);
        if (!(pk_log_core(x) == pk_log(x)) || !(pk_exp_core(y) == pk_exp(y)))
            cr_assert(false, "differ at log %a or exp %a", x, y);
    }
}

Test(elementary, pow_keeps_its_stated_bound)
{
    needs_wide_oracle();
    splitmix_state = 907;
    double worst = 0.0, x_worst = 0.0, y_worst = 0.0;
    for (int i = 0; i < 3000000; i++) {
        double x, y;
        switch (i % 4) {
        case 0:
            x = random_between(0.0, 120.0) + 0x1p-53;
            y = random_between(-12.0, 12.0);
            break;
        case 1: /* large powers of what is near 1 */
            x = random_between(0.5, 2.0);
            y = random_between(-900.0, 900.0);
            break;
        case 2: /* log's largest relative errors, the product just above a power of 2: the bound's worst case */
            x = i % 8 == 2 ? random_between(0.600, 0.612) : random_between(1.28, 1.29);
            y = ldexp(random_between(1.0, 1.002), (int)(random_word() % 10)) / pk_log(x);
            break;
        default:
            x = ldexp(random_between(1.0, 2.0), (int)(random_word() % 2046) - 1022);
            y = random_between(-1.0, 1.0);
        }
        const long double exact = powl((long double)x, (long double)y);
        if (!(exact >= (long double)DBL_MIN && exact <= (long double)DBL_MAX))
            continue;
        const double bound = (1.0 + 1.2 * fabs((double)(logl((long double)x) * (long double)y))) * 0x1p-52;
        const double error = (double)fabsl(((long double)pk_pow(x, y) - exact) / exact) / bound;
        if (!(error <= worst)) {
            worst = error;
            x_worst = x;
            y_worst = y;
        }
    }
    cr_assert_lt(worst, 1.0, "%g of the bound at %a ^ %a", worst, x_worst, y_worst);
}

Test(elementary, pow_of_special_arguments_is_special)
{
    cr_assert(pk_pow(0.0, 2.385) == 0.0);
    cr_assert(pk_pow(0.0, 0.0) == 1.0);
    cr_assert(pk_pow(0.0, -2.385) == HUGE_VAL);
    cr_assert(pk_pow(7.31, 0.0) == 1.0);
    cr_assert(pk_pow((double)NAN, 0.0) == 1.0);
    cr_assert(pk_pow(1.0, 7.31) == 1.0);
    cr_assert(pk_pow(1.0, HUGE_VAL) == 1.0);
    cr_assert(pk_pow(7.31, HUGE_VAL) == HUGE_VAL);
    cr_assert(pk_pow(7.31, -HUGE_VAL) == 0.0);
    cr_assert(pk_pow(0.731, HUGE_VAL) == 0.0);
    cr_assert(pk_pow(HUGE_VAL, 2.385) == HUGE_VAL);
    cr_assert(pk_pow(1e300, 2.0) == HUGE_VAL);
    cr_assert(pk_pow(1e-300, 2.0) == 0.0);
    cr_assert(isnan(pk_pow(-7.31, 2.0)));
    cr_assert(isnan(pk_pow((double)NAN, 2.385)));
    cr_assert(isnan(pk_pow(2.385, (double)NAN)));
}

Test(elementary, expm1_and_log1p_are_within_a_unit_and_a_half_of_the_exact_value)
{
    needs_wide_oracle();
    splitmix_state = 6113;
    double worst[2] = {0.0, 0.0}, at[2] = {0.0, 0.0};
    for (int i = 0; i < 6000000; i++) {
        double x, y;
        switch (i % 5) {
        case 0: /* ever nearer 0 */
            x = y = ldexp(random_between(-1.0, 1.0), -(int)(random_word() % 60));
            break;
        case 1: /* about the splits */
            x = ((int)(random_word() % 41) - 19.5) * 0x1.62e42fefa39efp-1 + random_between(-0.01, 0.01);
            y = random_between(-0.3, 0.45);
            break;
        case 2: /* where the largest errors were seen */
            x = random_between(36.0, 40.0);
            y = ldexp(random_between(-4.0, 4.0), -53);
            break;
        case 3:
            x = random_between(-708.0, 709.0);
            y = ldexp(random_between(1.0, 2.0), (int)(random_word() % 2000) - 1000);
            break;
        default:
            x = random_between(-1.0, 1.0);
            y = random_between(-1.0, 50.0);
        }
        const double errors[2] = {x == 0.0 ? 0.0 : ulps(pk_expm1(x), expm1l((long double)x)),
                                  y == 0.0 || y <= -1.0 ? 0.0 : ulps(pk_log1p(y), log1pl((long double)y))};
        for (int k = 0; k < 2; k++)
            if (!(errors[k] <= worst[k])) {
                worst[k] = errors[k];
                at[k] = k ? y : x;
            }
    }
    cr_assert_lt(worst[0], 1.5, "expm1: %g ulp at %a", worst[0], at[0]);
    cr_assert_lt(worst[1], 1.5, "log1p: %g ulp at %a", worst[1], at[1]);
}

Test(elementary, expm1_and_log1p_of_special_arguments_are_special)
{
    cr_assert(pk_expm1(0.0) == 0.0 && !signbit(pk_expm1(0.0)));
    cr_assert(pk_expm1(-0.0) == 0.0 && signbit(pk_expm1(-0.0)));
    cr_assert(pk_expm1(0x1p-1074) == 0x1p-1074);
    cr_assert(pk_expm1(-HUGE_VAL) == -1.0);
    cr_assert(pk_expm1(-50.0) == -1.0);
    cr_assert(pk_expm1(HUGE_VAL) == HUGE_VAL);
    cr_assert(pk_expm1(709.9) == HUGE_VAL);
    cr_assert(isfinite(pk_expm1(0x1.62e42fefa39efp+9)));
    cr_assert(isnan(pk_expm1((double)NAN)));
    cr_assert(pk_log1p(0.0) == 0.0 && !signbit(pk_log1p(0.0)));
    cr_assert(pk_log1p(-0.0) == 0.0 && signbit(pk_log1p(-0.0)));
    cr_assert(pk_log1p(0x1p-1074) == 0x1p-1074);
    cr_assert(pk_log1p(-1.0) == -HUGE_VAL);
    cr_assert(isnan(pk_log1p(-1.5)));
    cr_assert(pk_log1p(HUGE_VAL) == HUGE_VAL);
    cr_assert(isfinite(pk_log1p(DBL_MAX)));
    cr_assert(isnan(pk_log1p((double)NAN)));
}
