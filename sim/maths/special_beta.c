/* The incomplete beta function in logs and its inverse. See special.h and special_private.h.
 *
 * With s = a + b, y = 1 - x and x0 = a / s, the mean, either tail is a multiple of
 *   E = exp(peak(a) + peak(b) - peak(s) - a phi(log(x / x0)) - b phi(log(y / y0))),   x^a y^b / B(a, b) = E a b / s,
 * phi and peak as in special_gamma.c: nothing cancels and nothing underflows, however large the shapes. The terms of
 * first order, a (x / x0 - 1) + b (y / y0 - 1), add up to nothing. What is asked beyond the mean is the other tail of
 * (b, a) at y; below it the tail comes from
 *   the continued fraction of P (Didonato and Morris 1992, TOMS 18, 360-373, eq. 9)   a >= 1, or P small
 *   a series of Q without cancellation as x -> 0 (DLMF 8.17.7)                        a < 1
 * and the other tail is 1 less that one. The fraction takes some sqrt(max(a, b)) terms near the mean, TERMS_MAX at
 * most; the series at most SERIES_MAX. */
#include <float.h>
#include <math.h>
#include <stdbool.h>

#include "polku/elementary.h"
#include "polku/elementary_core.h"
#include "polku/special.h"
#include "special_private.h"

#define INFINITE pk_elementary_double(0x7ff0000000000000)
#define NOT_A_NUMBER pk_elementary_double(0x7ff8000000000000)
#define EPSILON 0x1p-54
#define LARGE 0x1p400
enum { TERMS_MAX = 20000, SERIES_MAX = 400 };

struct beta {
    double a, b;     /* shapes > 0 */
    double log_peak; /* of E at the mean */
};

/* x and y = 1 - x, the smaller of them exact, with their logs. */
struct point {
    double x, y, log_x, log_y;
};

/* The lower tail exp(log_p) and the upper one exp(log_q), and x^a y^b / B(a, b). */
struct tails {
    double log_p, log_q, log_density;
};

static struct beta beta_of(double a, double b)
{
    const struct beta beta = {
        a, b, pk_special_gamma_of(a).log_peak + pk_special_gamma_of(b).log_peak - pk_special_gamma_of(a + b).log_peak};
    return beta;
}

static struct beta turned(const struct beta *beta)
{
    const struct beta made = {beta->b, beta->a, beta->log_peak};
    return made;
}

static struct point point_of(double x)
{
    struct point at = {x, 1.0 - x, 0.0, 0.0};
    at.log_x = x > 0.5 ? pk_log1p(-at.y) : pk_log(x);
    at.log_y = x > 0.5 ? pk_log(at.y) : pk_log1p(-x);
    return at;
}

/* where log(x / y) = t */
static struct point point_of_logit(double t)
{
    const double e = pk_exp(t < 0.0 ? t : -t), rest = pk_log1p(e), below = e / (1.0 + e), above = 1.0 / (1.0 + e);
    if (t < 0.0)
        return (struct point){below, above, t - rest, -rest};
    return (struct point){above, below, -rest, -t - rest};
}

/* x y exactly: the product and what it was rounded by (Dekker 1971, Numer Math 18, 224-242) */
static double product(double x, double y, double *rest)
{
    const double split = 0x1p27 + 1.0, whole = x * y, cx = split * x, cy = split * y;
    const double x_high = cx - (cx - x), y_high = cy - (cy - y), x_low = x - x_high, y_low = y - y_high;
    *rest = ((x_high * y_high - whole) + x_high * y_low + x_low * y_high) + x_low * y_low;
    return whole;
}

/* x (a + b) - a, also where the two are nearly the same */
static double distance(double a, double b, double x)
{
    const double larger = a > b ? a : b, smaller = a > b ? b : a, sum = larger + smaller;
    const double sum_rest = smaller - (sum - larger);
    double rest;
    const double whole = product(x, sum, &rest);
    return (whole - a) + (rest + x * sum_rest);
}

/* phi(log(x / x0)), x / x0 = 1 + mu */
static double phi_at(double mu, double log_x, double log_x0)
{
    const bool near = mu > -0.5 && mu < 1.0;
    const struct pk_special_gamma_point at = {near ? pk_log1p(mu) : log_x - log_x0, mu};
    return pk_special_gamma_phi(at);
}

static double log_e(const struct beta *beta, const struct point *at)
{
    const double a = beta->a, b = beta->b;
    const double away = at->x <= at->y ? distance(a, b, at->x) : -distance(b, a, at->y);
    const double log_x0 = a < b ? pk_log(a / (a + b)) : -pk_log1p(b / a);
    const double log_y0 = a < b ? -pk_log1p(a / b) : pk_log(b / (a + b));
    return beta->log_peak - a * phi_at(away / a, at->log_x, log_x0) - b * phi_at(-away / b, at->log_y, log_y0);
}

/* P over x^a y^b / B(a, b), by the recurrence of numerators and denominators; it ends when two fractions agree. */
static double fraction(const struct beta *beta, const struct point *at)
{
    const double a = beta->a, b = beta->b, x = at->x, y = at->y;
    const double away = x <= y ? -distance(a, b, x) : distance(b, a, y);
    const double c = 1.0 + away, c0 = b / a, c1 = 1.0 + 1.0 / a;
    double p = 1.0, s = a + 1.0;
    double numerator_before = 0.0, numerator = 1.0, denominator_before = 1.0, denominator = c / c1;
    for (int n = 1; n < TERMS_MAX; n++) {
        const double t = n / a, w = n * (b - n) * x, e = a / s, f = (t + 1.0) / (c1 + t + t);
        const double alpha = p * (p + c0) * e * e * (w * x), step = n + w / s + f * (c + n * (1.0 + y));
        const double next_numerator = alpha * numerator_before + step * numerator;
        const double next_denominator = alpha * denominator_before + step * denominator;
        const double change = next_numerator * denominator - numerator * next_denominator;
        const double whole = next_numerator * denominator;
        p = 1.0 + t;
        s += 2.0;
        numerator_before = numerator;
        denominator_before = denominator;
        numerator = next_numerator;
        denominator = next_denominator;
        if (fabs(change) <= EPSILON * fabs(whole))
            break;
        if (fabs(denominator) > LARGE || fabs(numerator) > LARGE) {
            numerator_before *= 1.0 / LARGE;
            denominator_before *= 1.0 / LARGE;
            numerator *= 1.0 / LARGE;
            denominator *= 1.0 / LARGE;
        }
    }
    return numerator / denominator;
}

/* log Gamma(a + b) - log Gamma(b), 0 < a < 1, relative: by the recurrence to where Stirling's series holds. */
static double log_gamma_step(double a, double b)
{
    double below = 0.0;
    for (; b < PK_SPECIAL_STIRLING_FROM; b += 1.0)
        below += pk_log1p(a / b);
    const struct pk_special_gamma_point at = {pk_log1p(a / b), a / b};
    return a * pk_log(b) + (a - 0.5) * at.v - b * pk_special_gamma_phi(at) +
           (pk_special_stirling(a + b) - pk_special_stirling(b)) - below;
}

/* Q from log(x^a / (a B(a, b))) =: power, as 1 - e^power - e^power a sum (1 - b)(2 - b)...(n - b) x^n / (n! (a + n)).
 */
static double small_shape(const struct beta *beta, const struct point *at, double power)
{
    const double rest = -pk_expm1(power);
    double term = 1.0, sum = 0.0;
    for (int n = 1; n <= SERIES_MAX; n++) {
        term *= (n - beta->b) / n * at->x;
        sum += term / (beta->a + n);
        if (fabs(term) < EPSILON)
            break;
    }
    return rest - (1.0 - rest) * beta->a * sum;
}

/* The tails where x is below the mean or little above. */
static struct tails below_mean(const struct beta *beta, const struct point *at)
{
    const double a = beta->a, b = beta->b;
    struct tails tails = {0.0, 0.0, log_e(beta, at) + pk_log(a / (a + b) * b)};
    if (a < 1.0) {
        const double power = a * at->log_x + log_gamma_step(a, b) - pk_special_log_gamma(1.0 + a);
        if (power > -0.7) {
            const double q = small_shape(beta, at, power);
            tails.log_q = pk_log(q);
            tails.log_p = pk_log1p(-q);
            return tails;
        }
    }
    tails.log_p = tails.log_density + pk_log(fraction(beta, at));
    tails.log_q = pk_log1p(-pk_exp(tails.log_p));
    return tails;
}

static struct tails tails_of(const struct beta *beta, const struct point *at)
{
    if (at->x * (beta->a + beta->b + 2.0) <= beta->a + 1.0)
        return below_mean(beta, at);
    const struct beta other = turned(beta);
    const struct point there = {at->y, at->x, at->log_y, at->log_x};
    const struct tails found = below_mean(&other, &there);
    const struct tails tails = {found.log_q, found.log_p, found.log_density};
    return tails;
}

double pk_special_beta_log_p(double a, double b, double x)
{
    if (!(a > 0.0 && b > 0.0) || x != x)
        return NOT_A_NUMBER;
    if (x <= 0.0)
        return -INFINITE;
    if (x >= 1.0)
        return 0.0;
    const struct beta beta = beta_of(a, b);
    const struct point at = point_of(x);
    return tails_of(&beta, &at).log_p;
}

double pk_special_beta_log_q(double a, double b, double x)
{
    if (!(a > 0.0 && b > 0.0) || x != x)
        return NOT_A_NUMBER;
    if (x <= 0.0)
        return 0.0;
    if (x >= 1.0)
        return -INFINITE;
    const struct beta beta = beta_of(a, b);
    const struct point at = point_of(x);
    return tails_of(&beta, &at).log_q;
}

/* Halley's steps on log P - log Q as a function of t = log(x / y), which is nearly straight: slope a far below, b far
 * above. Brackets guard them; a step follows the first one that is already small. */
static double logit_where(const struct beta *beta, double log_p, double log_q)
{
    const double a = beta->a, b = beta->b, goal = log_p - log_q;
    const double z = pk_special_normal_deviate(log_q, log_p);
    double t = pk_log(a) - pk_log(b) + z * sqrt(1.0 / a + 1.0 / b), low = -DBL_MAX, high = DBL_MAX, stride = 4.0;
    for (int i = 0; i < 200; i++) {
        const struct point at = point_of_logit(t);
        const struct tails tails = tails_of(beta, &at);
        const double error = (tails.log_p - tails.log_q) - goal;
        const double hazard_p = pk_exp(tails.log_density - tails.log_p);
        const double hazard_q = pk_exp(tails.log_density - tails.log_q);
        const double rise = hazard_p + hazard_q, bend = a * at.y - b * at.x - hazard_p + hazard_q;
        if (error > 0.0)
            high = t;
        else
            low = t;
        const double newton = error / rise, correction = 1.0 - 0.5 * newton * bend;
        double next = t - newton / (correction < 0.5 ? 0.5 : correction > 2.0 ? 2.0 : correction);
        if (fabs(error) < 1e-5 && fabs(newton) < 1e-5) /* so near, an error's sign may be rounding */
            return next;
        if (!(next > low && next < high)) {
            next = low == -DBL_MAX ? t - stride : high == DBL_MAX ? t + stride : 0.5 * (low + high);
            stride *= 2.0;
        }
        t = next;
    }
    return t;
}

double pk_special_beta_quantile(double a, double b, double p)
{
    if (!(a > 0.0 && b > 0.0) || p != p)
        return NOT_A_NUMBER;
    if (p <= 0.0)
        return 0.0;
    if (p >= 1.0)
        return 1.0;
    const struct beta beta = beta_of(a, b);
    return point_of_logit(logit_where(&beta, pk_log(p), pk_log1p(-p))).x;
}
