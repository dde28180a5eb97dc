/* The incomplete gamma function in logs, its slopes and its inverse. See special.h and special_private.h.
 *
 * Everywhere one of the tails is D times a factor that is neither large nor small, with
 *   D = x^a e^-x / Gamma(a + 1) = exp(log_peak - a phi(v)),  phi(v) = e^v - 1 - v,  v = log(x / a):
 * nothing underflows, and slopes (a D over a tail) often need no exponential at all. The other tail is 1 less that one.
 * The factor comes from
 *   Temme's uniform expansion (1987, SIAM J Math Anal 18, 1638-1663)   a >= 20, |v| <= 0.3: 19 terms
 *   the power series of P (DLMF 8.7.1)                                  x < a + 1, or v < -0.3: at most 121 terms
 *   the continued fraction of Q (DLMF 8.9.2)                            beyond, or v > 0.3: at most 83 terms
 *   a series of Q without cancellation as x -> 0 (Gautschi 1979)        a < 1, x < 2, P not small: at most 25 terms
 * The numbers of terms are those needed over 1e-3 <= a <= 1e6, 1e-6 < x / a < 1e6, with TERMS_MAX to be sure. */
#include "polku/special.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>

#include "polku/elementary.h"
#include "polku/elementary_core.h"
#include "special_private.h"

#define INFINITE pk_elementary_double(0x7ff0000000000000)
#define LENGTH(table) ((int)(sizeof(table) / sizeof *(table)))
#define EPSILON 0x1p-54

#define TEMME_FROM 20.0
#define TEMME_WIDTH 0.3
#define GAUTSCHI_TO 2.0
#define TERMS_MAX 400
/* Numerators and denominators are scaled down when one passes LARGE: the next step cannot overflow then. */
#define LARGE 0x1p500

/* eta / mu = sum f[m] eta^m, where eta^2 / 2 = mu - log(1 + mu): from mu mu' = eta (1 + mu) by comparing coefficients
 */
static const double temme_table[] = {
    0x1.0000000000000p+0,   -0x1.5555555555555p-2,  0x1.5555555555555p-4,   -0x1.e573ac901e574p-7,
    0x1.2f684bda12f68p-10,  0x1.71de3a556c734p-12,  -0x1.76e06fec7273bp-13, 0x1.48c5892f7cd83p-15,
    -0x1.255370652afc1p-19, -0x1.f1b22f594c6b5p-20, 0x1.bd6d21e4b4109p-21,  -0x1.7b5f9a2d0465cp-23,
    0x1.ccf5ceb7f0d9fp-28,  0x1.6097d55c37c1cp-27,  -0x1.2d2197c7a2faap-28, 0x1.f6e66d24d5c8ap-31,
    -0x1.c0d9b6edf2b0bp-36, -0x1.0070a87340428p-34, 0x1.ac9475c463659p-36,  -0x1.61ca701fd754ap-38};

/* phi(v) / (v^2 / 2): 2 / (n + 2)! */
static const double phi_table[] = {
    0x1.0000000000000p+0,  0x1.5555555555555p-2,  0x1.5555555555555p-4,  0x1.1111111111111p-6,  0x1.6c16c16c16c17p-9,
    0x1.a01a01a01a01ap-12, 0x1.a01a01a01a01ap-15, 0x1.71de3a556c734p-18, 0x1.27e4fb7789f5cp-21, 0x1.ae64567f544e4p-25,
    0x1.1eed8eff8d898p-28, 0x1.6124613a86d09p-32, 0x1.93974a8c07c9dp-36, 0x1.ae7f3e733b81fp-40, 0x1.ae7f3e733b81fp-44};

double pk_special_gamma_phi(struct pk_special_gamma_point at)
{
    if (fabs(at.v) > 0.5)
        return at.mu - at.v;
    return 0.5 * at.v * at.v * pk_special_polynomial(phi_table, LENGTH(phi_table), at.v);
}

struct pk_special_gamma_point pk_special_gamma_point(double shape, double x)
{
    const double mu = (x - shape) / shape;
    struct pk_special_gamma_point at = {0.0, mu};
    if (mu > -0.5 && mu < 1.0)
        at.v = pk_log1p(mu);
    else if (mu <= DBL_MAX && x >= DBL_MIN * 0x1p60 * shape)
        at.v = pk_log(x / shape);
    else
        at.v = pk_log(x) - pk_log(shape);
    return at;
}

struct pk_special_gamma_point pk_special_gamma_point_log(double v)
{
    const struct pk_special_gamma_point at = {v, pk_expm1(v)};
    return at;
}

/* One tail: exp(log_scale) * factor. */
struct tail {
    double log_d, log_scale, factor;
    bool upper;
};

/* 1 + x / (a + 1) + x^2 / ((a + 1) (a + 2)) + ...: P over D. Sum and last term share a denominator, which spares a
 * division a term; all are divided by unit^n, so that a shape near the end of the doubles does not matter. */
static double series(double a, double x)
{
    const double per_unit = a > 1.0 ? 1.0 / a : 1.0, step = x * per_unit;
    double sum = 1.0, term = 1.0, denominator = 1.0;
    for (int n = 1; n < TERMS_MAX; n++) {
        const double grown = (a + n) * per_unit;
        term *= step;
        sum = sum * grown + term;
        denominator *= grown;
        if (term < EPSILON * sum)
            break;
        if (sum > LARGE) {
            sum *= 1.0 / LARGE;
            term *= 1.0 / LARGE;
            denominator *= 1.0 / LARGE;
        }
    }
    return sum / denominator;
}

/* a / (x + 1 - a - 1 (1 - a) / (x + 3 - a - 2 (2 - a) / (x + 5 - a - ...))): Q over D. The forward recurrence of
 * numerators and denominators has no division; it ends when two fractions agree, compared crosswise. */
static double fraction(double a, double x)
{
    if (x > 0x1p60 && x > 0x1p60 * a)
        return a / x;
    const double per_unit = a > 1.0 ? 1.0 / a : 1.0;
    double b = (x - a + 1.0) * per_unit;
    double numerator_before = 0.0, numerator = 1.0, denominator_before = 1.0, denominator = b;
    for (int n = 1; n < TERMS_MAX; n++) {
        const double c = (n * per_unit) * ((a - n) * per_unit);
        b += 2.0 * per_unit;
        const double next_numerator = b * numerator + c * numerator_before;
        const double next_denominator = b * denominator + c * denominator_before;
        const double change = next_numerator * denominator - numerator * next_denominator;
        const double whole = next_numerator * denominator;
        numerator_before = numerator;
        denominator_before = denominator;
        numerator = next_numerator;
        denominator = next_denominator;
        if (fabs(change) <= EPSILON * whole)
            break;
        if (denominator > LARGE || numerator > LARGE) {
            numerator_before *= 1.0 / LARGE;
            denominator_before *= 1.0 / LARGE;
            numerator *= 1.0 / LARGE;
            denominator *= 1.0 / LARGE;
        }
    }
    return a * per_unit * numerator / denominator;
}

/* Q itself from log(x^a / Gamma(1 + a)) =: power, as 1 - e^power + e^power a sum -(-x)^n / (n! (a + n)). */
static double gautschi(double a, double x, double power)
{
    const double rest = -pk_expm1(power);
    double term = 1.0, sum = 0.0;
    for (int n = 1; n <= 25; n++) {
        term *= -x / n;
        sum -= term / (a + n);
        if (fabs(term) < EPSILON)
            break;
    }
    return rest + (1.0 - rest) * a * sum;
}

/* The smaller tail over D where a is large and x not far from it: sqrt(pi a / 2) erfcx(sqrt(a phi)) Gamma*(a) and the
 * expansion's sum, with Gamma*(a) = 1 + b[1] / a; b[m] = f[m + 1] + (m + 2) b[m + 2] / a. */
static double temme(double a, double v, double phi_v)
{
    const double per_a = 1.0 / a, y = sqrt(a * phi_v), eta = v < 0.0 ? -sqrt(2.0 * phi_v) : sqrt(2.0 * phi_v);
    const int last = LENGTH(temme_table) - 2;
    double b_above = temme_table[last + 1], b = temme_table[last], sum = b_above * eta + b;
    for (int m = last - 1; m > 0; m--) {
        const double next = temme_table[m] + (m + 1) * per_a * b_above;
        b_above = b;
        b = next;
        sum = sum * eta + b;
    }
    const double body = 0x1.40d931ff62706p+0 * sqrt(a) * pk_special_erfcx(y) * (1.0 + b_above * per_a);
    return v < 0.0 ? body - sum : body + sum;
}

static struct tail tail_of(const struct pk_special_gamma *gamma, struct pk_special_gamma_point at)
{
    const double a = gamma->shape, phi_v = pk_special_gamma_phi(at), log_d = gamma->log_peak - a * phi_v;
    struct tail tail = {log_d, log_d, 0.0, at.v >= 0.0};
    if (a >= TEMME_FROM && fabs(at.v) <= TEMME_WIDTH) {
        tail.factor = temme(a, at.v, phi_v);
        return tail;
    }
    const double x = a + a * at.mu;
    if (a < 1.0 && x < GAUTSCHI_TO) {
        const double power = a * at.v + (gamma->log_peak + a);
        tail.upper = power > -0.7;
        if (tail.upper)
            tail.log_scale = 0.0;
        tail.factor = tail.upper ? gautschi(a, x, power) : series(a, x);
        return tail;
    }
    tail.upper = a < TEMME_FROM ? x >= a + 1.0 || a < 1.0 : tail.upper;
    tail.factor = tail.upper ? fraction(a, x) : series(a, x);
    return tail;
}

/* The tail itself; together, since the factor may be what keeps it a normal double. */
static double value(const struct tail *tail)
{
    if (tail->log_scale > -700.0)
        return pk_exp(tail->log_scale) * tail->factor;
    return pk_exp(tail->log_scale + pk_log(tail->factor));
}

/* -log of the tail that is asked for */
static double minus_log(const struct tail *tail, bool upper)
{
    if (tail->upper == upper)
        return -(tail->log_scale + pk_log(tail->factor));
    return -pk_log1p(-value(tail));
}

static double slope(const struct tail *tail, double a, bool upper)
{
    if (tail->upper == upper && tail->log_scale == tail->log_d)
        return a / tail->factor;
    const double x_density = a * pk_exp(tail->log_d);
    if (tail->upper == upper)
        return x_density / tail->factor;
    return x_density / (1.0 - value(tail));
}

double pk_special_gamma_upper(const struct pk_special_gamma *gamma, struct pk_special_gamma_point at)
{
    if (at.mu > DBL_MAX)
        return INFINITE;
    const struct tail tail = tail_of(gamma, at);
    return minus_log(&tail, true);
}

double pk_special_gamma_lower(const struct pk_special_gamma *gamma, struct pk_special_gamma_point at)
{
    if (at.mu > DBL_MAX)
        return 0.0;
    if (at.v < -DBL_MAX)
        return INFINITE;
    const struct tail tail = tail_of(gamma, at);
    return minus_log(&tail, false);
}

double pk_special_gamma_upper_slope(const struct pk_special_gamma *gamma, struct pk_special_gamma_point at)
{
    if (at.mu > DBL_MAX)
        return INFINITE;
    const struct tail tail = tail_of(gamma, at);
    return slope(&tail, gamma->shape, true);
}

double pk_special_gamma_lower_slope(const struct pk_special_gamma *gamma, struct pk_special_gamma_point at)
{
    if (at.mu > DBL_MAX)
        return 0.0;
    const struct tail tail = tail_of(gamma, at);
    return slope(&tail, gamma->shape, false);
}

/* v near the solution: from P ~ e^power near 0, from Q ~ e^-x x^(a - 1) / Gamma(a) far out, between them from Wilson
 * and Hilferty's cube root (1931). */
static double first_guess(const struct pk_special_gamma *gamma, double upper, double lower)
{
    const double a = gamma->shape;
    const double v_small = (-lower - (gamma->log_peak + a)) / a;
    if (a < 1.0) {
        const double x_small = v_small < 0.0 ? a * pk_exp(v_small) : 1.0;
        if (x_small < 0.4)
            return v_small + x_small / (a + 1.0);
        double x = upper + gamma->log_peak + a - (a - 1.0) * pk_log(a);
        x = x > 1.0 ? x - (1.0 - a) * pk_log(x) : x;
        return pk_log((x > 0.4 ? x : 0.4) / a);
    }
    const double z = pk_special_normal_deviate(-upper, -lower);
    const double cube_root = z / (3.0 * sqrt(a)) - 1.0 / (9.0 * a);
    if (cube_root < -0.6)
        return v_small + (v_small < 0.0 ? a * pk_exp(v_small) / (a + 1.0) : 0.0);
    return 3.0 * pk_log1p(cube_root);
}

/* Halley's steps on g(v) = log(-log Q), which is nearly straight: slope a far below, 1 far above. Brackets guard them.
 * Two or three steps are usual; a step follows the first one that is already small, its error then being that cubed. */
double pk_special_gamma_inverse(const struct pk_special_gamma *gamma, double upper, double lower)
{
    if (upper > DBL_MAX)
        return INFINITE;
    if (lower > DBL_MAX)
        return -INFINITE;
    const double a = gamma->shape, goal = upper >= DBL_MIN ? pk_log(upper) : -lower;
    double v = first_guess(gamma, upper, lower), low = -DBL_MAX, high = DBL_MAX;
    for (int i = 0; i < 100; i++) {
        const struct pk_special_gamma_point at = pk_special_gamma_point_log(v);
        double error = INFINITE, rise = 1.0, bend = 0.0;
        if (at.mu <= DBL_MAX) {
            const struct tail tail = tail_of(gamma, at);
            const double h = minus_log(&tail, true), x_hazard = slope(&tail, a, true);
            const bool tiny = h < 0x1p-1000;
            error = (tiny ? tail.log_scale + pk_log(tail.factor) : pk_log(h)) - goal;
            rise = tiny ? a / tail.factor : x_hazard / h;
            bend = x_hazard - rise - a * at.mu;
        }
        if (error > 0.0)
            high = v;
        else
            low = v;
        const double newton = error / rise, correction = 1.0 - 0.5 * newton * bend;
        double next = v - newton / (correction < 0.5 ? 0.5 : correction > 2.0 ? 2.0 : correction);
        /* before the brackets are asked: so near, an error's sign may be rounding */
        if (fabs(error) < 1e-5 && fabs(newton) < 1e-5)
            return next;
        if (!(next > low && next < high))
            next = low == -DBL_MAX ? v - 2.0 : high == DBL_MAX ? v + 2.0 : 0.5 * (low + high);
        v = next;
    }
    return v;
}

double pk_special_gamma_log_q(double a, double x)
{
    if (x <= 0.0)
        return 0.0;
    const struct pk_special_gamma gamma = pk_special_gamma_of(a);
    return -pk_special_gamma_upper(&gamma, pk_special_gamma_point(a, x));
}

double pk_special_gamma_log_p(double a, double x)
{
    if (x <= 0.0)
        return -INFINITE;
    const struct pk_special_gamma gamma = pk_special_gamma_of(a);
    return -pk_special_gamma_lower(&gamma, pk_special_gamma_point(a, x));
}

double pk_special_gamma_log_density(double a, double x)
{
    if (x < 0.0 || x > DBL_MAX)
        return -INFINITE;
    if (x == 0.0)
        return a < 1.0 ? INFINITE : a == 1.0 ? 0.0 : -INFINITE;
    if (a < 10.0)
        return (a - 1.0) * pk_log(x) - x - pk_special_log_gamma(a);
    const struct pk_special_gamma gamma = pk_special_gamma_of(a);
    return gamma.log_peak - a * pk_special_gamma_phi(pk_special_gamma_point(a, x)) - pk_log(x / a);
}

double pk_special_gamma_quantile(double a, double p)
{
    if (p <= 0.0)
        return 0.0;
    if (p >= 1.0)
        return INFINITE;
    const struct pk_special_gamma gamma = pk_special_gamma_of(a);
    return a * pk_exp(pk_special_gamma_inverse(&gamma, -pk_log1p(-p), -pk_log(p)));
}
