/* Log gamma, normal tails and quantiles, Poisson quantile. See special.h; the incomplete gamma is in special_gamma.c.
 *
 * The two polynomials interpolate at Chebyshev's points in 60-digit arithmetic; errors of approximation:
 *   erfcx      degree 23, relative 3.2e-17
 *   log gamma  degree 20, relative 5.1e-17
 * Stirling's series: 7 terms from a = 10, 2.8e-17. */
#include "polku/special.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>

#include "polku/elementary.h"
#include "polku/elementary_core.h"
#include "special_private.h"

#define INFINITE pk_elementary_double(0x7ff0000000000000)
#define NOT_A_NUMBER pk_elementary_double(0x7ff8000000000000)
#define LENGTH(table) ((int)(sizeof(table) / sizeof *(table)))

#define HALF_LOG_2PI 0x1.d67f1c864beb5p-1

/* log Gamma(1 + t) / (t (t - 1)) in u = 2 t - 1, 0 <= t <= 1 */
static const double log_gamma_table[] = {0x1.eeb95b094c191p-2,   -0x1.2aed059bd6085p-4,  0x1.01af62a2929e1p-6,
                                         -0x1.007aa83cef9abp-8,  0x1.133423527ae27p-10,  -0x1.34dbda128eee5p-12,
                                         0x1.64f0664fb6518p-14,  -0x1.a5035375acabep-16, 0x1.f814b951d538bp-18,
                                         -0x1.313e5323120b7p-19, 0x1.750aa27fe4301p-21,  -0x1.cb502b140a127p-23,
                                         0x1.1c7b46046a59cp-24,  -0x1.61854b057e6e9p-26, 0x1.ba26ce28a34b0p-28,
                                         -0x1.1cf3272629995p-29, 0x1.672b94917149fp-31,  -0x1.6880fac68f031p-33,
                                         0x1.c7d009a4fae3ap-35,  -0x1.36d84fee907ffp-35, 0x1.8ca55ab6b8718p-37};

/* Bernoulli numbers: B(2k) / (2k (2k - 1)), k = 1, 2, ... */
static const double stirling_table[] = {1.0 / 12.0,   -1.0 / 360.0,      1.0 / 1260.0, -1.0 / 1680.0,
                                        1.0 / 1188.0, -691.0 / 360360.0, 1.0 / 156.0};

double pk_special_stirling(double a)
{
    const double inverse = 1.0 / a;
    return inverse * pk_special_polynomial(stirling_table, LENGTH(stirling_table), inverse * inverse);
}

/* log Gamma(1 + t), 0 < t < PK_SPECIAL_STIRLING_FROM */
static double log_gamma_above_1(double t)
{
    double product = 1.0;
    while (t > 1.0) {
        product *= t;
        t -= 1.0;
    }
    const double rest = t * (t - 1.0) * pk_special_polynomial(log_gamma_table, LENGTH(log_gamma_table), 2.0 * t - 1.0);
    return product > 1.0 ? pk_log_core(product) + rest : rest;
}

double pk_special_log_gamma(double a)
{
    if (!(a > 0.0))
        return NOT_A_NUMBER;
    if (a < 1.0)
        return log_gamma_above_1(a) - pk_log(a);
    if (a < PK_SPECIAL_STIRLING_FROM)
        return log_gamma_above_1(a - 1.0);
    if (a > DBL_MAX)
        return a;
    return (a - 0.5) * (pk_log_core(a) - 1.0) + (pk_special_stirling(a) + (HALF_LOG_2PI - 0.5));
}

struct pk_special_gamma pk_special_gamma_of(double shape)
{
    struct pk_special_gamma gamma = {shape, 0.0};
    if (shape < PK_SPECIAL_STIRLING_FROM)
        gamma.log_peak = shape * (pk_log(shape) - 1.0) - log_gamma_above_1(shape);
    else
        gamma.log_peak = -0.5 * pk_log(shape) - (pk_special_stirling(shape) + HALF_LOG_2PI);
    return gamma;
}

/* (1 + 2 y) e^(y^2) erfc(y) in t = (y - 3.5) / (y + 3.5), after Shepherd and Laframboise 1981, Math Comp 36, 249-253 */
static const double erfcx_table[] = {
    0x1.3e0a99a0ee914p+0,   -0x1.1ebd220ea593cp-3,  -0x1.59e2c284b1a14p-7,  0x1.8f702ec6b34bcp-4,
    -0x1.d76830c350245p-4,  0x1.686106046a38bp-4,   -0x1.8ff5ef773e2ccp-5,  0x1.38ec66725b9adp-6,
    -0x1.143c4c879d35bp-8,  -0x1.3cf36c18302fbp-12, 0x1.27e65f87e4514p-11,  -0x1.fda8de476edbfp-14,
    -0x1.66e10c3191a93p-15, 0x1.9707838d995ffp-16,  0x1.385d4ffe0ea0fp-19,  -0x1.000410c39c596p-18,
    -0x1.71cfb2163843bp-25, 0x1.43784a278222cp-21,  -0x1.28ed97b877cd5p-27, -0x1.a120410950336p-24,
    0x1.74a62f9194ee2p-31,  0x1.ddffa8f982388p-27,  0x1.ff2637c201ce7p-35,  -0x1.4e1e86332670cp-30};

double pk_special_erfcx(double y)
{
    const double t = (y - 3.5) / (y + 3.5);
    return pk_special_polynomial(erfcx_table, LENGTH(erfcx_table), t) / (1.0 + 2.0 * y);
}

#define SQRT_HALF 0x1.6a09e667f3bcdp-1
#define SQRT_2_OVER_PI 0x1.9884533d43651p-1
#define ONE_OVER_SQRT_2PI 0x1.9884533d43651p-2

/* e^(-z^2 / 2). Squaring rounds, and exp would magnify that by z^2 / 2: the square is taken in two parts, the first of
 * them exact, and the second's exponential is its series (it is below 2^-14). */
static double gaussian(double z)
{
    const double high = pk_elementary_double(pk_elementary_bits(z) & 0xfffffffff8000000);
    const double low = 0.5 * (z - high) * (z + high);
    return pk_exp(-0.5 * high * high) * (1.0 - low * (1.0 - low * (0.5 - low * (1.0 / 6.0))));
}

double pk_special_normal_log_survival(double z)
{
    if (z > DBL_MAX)
        return -z;
    if (z >= 0.0)
        return pk_log(0.5 * pk_special_erfcx(z * SQRT_HALF)) - 0.5 * z * z;
    if (z < -40.0)
        return 0.0;
    return pk_log1p(-0.5 * pk_special_erfcx(-z * SQRT_HALF) * gaussian(z));
}

double pk_special_normal_hazard(double z)
{
    if (z > DBL_MAX)
        return z;
    if (z >= 0.0)
        return SQRT_2_OVER_PI / pk_special_erfcx(z * SQRT_HALF);
    if (z < -40.0)
        return 0.0;
    const double g = gaussian(z);
    return ONE_OVER_SQRT_2PI * g / (1.0 - 0.5 * pk_special_erfcx(-z * SQRT_HALF) * g);
}

/* AS 241's PPND16: Phi(z) = 1/2 + q, |q| <= 0.425 */
static double deviate_central(double q)
{
    static const double numerator[] = {3.3871328727963666080e0, 1.3314166789178437745e2, 1.9715909503065514427e3,
                                       1.3731693765509461125e4, 4.5921953931549871457e4, 6.7265770927008700853e4,
                                       3.3430575583588128105e4, 2.5090809287301226727e3};
    static const double denominator[] = {1.0,
                                         4.2313330701600911252e1,
                                         6.8718700749205790830e2,
                                         5.3941960214247511077e3,
                                         2.1213794301586595867e4,
                                         3.9307895800092710610e4,
                                         2.8729085735721942674e4,
                                         5.2264952788528545610e3};
    const double r = 0.180625 - q * q;
    return q * pk_special_polynomial(numerator, 8, r) / pk_special_polynomial(denominator, 8, r);
}

/* The positive z with log(1 - Phi(z)) = log_tail <= log 0.075: AS 241, whose argument is the root of that logarithm;
 * Newton's steps from the asymptotic z where AS 241 ends. */
static double deviate_tail(double log_tail)
{
    static const double near_numerator[] = {
        1.42343711074968357734e0, 4.63033784615654529590e0,  5.76949722146069140550e0,  3.64784832476320460504e0,
        1.27045825245236838258e0, 2.41780725177450611770e-1, 2.27238449892691845833e-2, 7.74545014278341407640e-4};
    static const double near_denominator[] = {1.0,
                                              2.05319162663775882187e0,
                                              1.67638483018380384940e0,
                                              6.89767334985100004550e-1,
                                              1.48103976427480074590e-1,
                                              1.51986665636164571966e-2,
                                              5.47593808499534494600e-4,
                                              1.05075007164441684324e-9};
    static const double far_numerator[] = {
        6.65790464350110377720e0,  5.46378491116411436990e0,  1.78482653991729133580e0,  2.96560571828504891230e-1,
        2.65321895265761230930e-2, 1.24266094738807843860e-3, 2.71155556874348757815e-5, 2.01033439929228813265e-7};
    static const double far_denominator[] = {1.0,
                                             5.99832206555887937690e-1,
                                             1.36929880922735805310e-1,
                                             1.48753612908506148525e-2,
                                             7.86869131145613259100e-4,
                                             1.84631831751005468180e-5,
                                             1.42151175831644588870e-7,
                                             2.04426310338993978564e-15};
    const double r = sqrt(-log_tail);
    if (r <= 5.0)
        return pk_special_polynomial(near_numerator, 8, r - 1.6) / pk_special_polynomial(near_denominator, 8, r - 1.6);
    if (r <= 27.0)
        return pk_special_polynomial(far_numerator, 8, r - 5.0) / pk_special_polynomial(far_denominator, 8, r - 5.0);
    if (r > DBL_MAX)
        return r;
    const double twice = -2.0 * log_tail;
    double z = sqrt(twice - (2.0 * HALF_LOG_2PI + pk_log(twice)));
    for (int i = 0; i < 3; i++)
        z += (pk_special_normal_log_survival(z) - log_tail) / pk_special_normal_hazard(z);
    return z;
}

#define LOG_0_075 (-0x1.4b8ddfddbf088p+1)

double pk_special_normal_deviate(double log_q, double log_p)
{
    if (log_q <= LOG_0_075)
        return deviate_tail(log_q);
    if (log_p <= LOG_0_075)
        return -deviate_tail(log_p);
    return deviate_central(log_p < log_q ? pk_exp(log_p) - 0.5 : 0.5 - pk_exp(log_q));
}

double pk_special_normal_quantile(double p)
{
    if (p >= 0.075 && p <= 0.925)
        return deviate_central(p - 0.5);
    if (p <= 0.0)
        return -INFINITE;
    if (p >= 1.0)
        return INFINITE;
    return p < 0.5 ? -deviate_tail(pk_log(p)) : p > 0.5 ? deviate_tail(pk_log(1.0 - p)) : NOT_A_NUMBER;
}

double pk_special_complement(double h)
{
    return h > 0.5 ? -pk_log1p(-pk_exp(-h)) : -pk_log(-pk_expm1(-h));
}

double pk_special_normal_quantile_log_survival(double log_survival)
{
    if (log_survival < 0.0)
        return pk_special_normal_deviate(log_survival, -pk_special_complement(-log_survival));
    return log_survival == 0.0 ? -INFINITE : NOT_A_NUMBER;
}

/* Whether P(X <= k) >= u, asked of the smaller tail. */
static bool poisson_reaches(double mean, double k, double log_u, double log_rest)
{
    const struct pk_special_gamma gamma = pk_special_gamma_of(k + 1.0);
    const struct pk_special_gamma_point at = pk_special_gamma_point(k + 1.0, mean);
    return log_u < log_rest ? -pk_special_gamma_upper(&gamma, at) >= log_u
                            : -pk_special_gamma_lower(&gamma, at) <= log_rest;
}

/* From the Cornish-Fisher approximation strides doubling away from it, then halving: always the same answer as counting
 * up from 0, in two or three looks where the approximation is good. */
uint64_t pk_special_poisson_quantile(double mean, double u)
{
    if (!(u > 0.0) || !(mean > 0.0))
        return 0;
    /* counts of 2^50 and more would step by more than one */
    if (u >= 1.0 || mean > 0x1p50)
        return UINT64_MAX;
    const double log_u = pk_log(u), log_rest = pk_log1p(-u);
    const double z = pk_special_normal_deviate(log_rest, log_u);
    const double guess = mean + z * sqrt(mean) + (z * z - 1.0) / 6.0 - 0.5;
    double k = guess > 0.0 ? (double)(int64_t)guess : 0.0, stride = 1.0;
    double below, reached;
    if (poisson_reaches(mean, k, log_u, log_rest)) {
        for (reached = k, below = k - 1.0; below >= 0.0 && poisson_reaches(mean, below, log_u, log_rest);
             below -= stride) {
            reached = below;
            stride *= 2.0;
        }
        if (below < -1.0)
            below = -1.0;
    } else {
        for (below = k, reached = k + 1.0; !poisson_reaches(mean, reached, log_u, log_rest); reached += stride) {
            below = reached;
            stride *= 2.0;
        }
    }
    while (reached - below > 1.0) {
        k = below + (double)(int64_t)(0.5 * (reached - below));
        if (poisson_reaches(mean, k, log_u, log_rest))
            reached = k;
        else
            below = k;
    }
    return (uint64_t)reached;
}
