/* The straight-line cores of log and exp, for loops that inline them (private to the simulator).
 *
 * Responsibility: the arithmetic of pk_log and pk_exp where nothing special can happen. No branches, no tables, no
 * conversions between integers and doubles: every statement has a vector form in SSE2, AVX2 and AVX-512 alike, so
 * generic vectors of the same statements give the same bits. Compile with -ffp-contract=off.
 *
 * The coefficients are minimax polynomials of our own (Remez exchange in 300-bit arithmetic, the weight making the
 * error relative to the result), rounded to double; one coefficient fewer would miss 1 ulp:
 *   log: 7 coefficients, relative error of approximation 2^-59.5 (6: 2^-52.2)
 *   exp: degree 11, relative error of approximation 2^-57.9 (degree 10: 2^-51.6)
 * The measured errors, rounding included, are in elementary.c. */
#ifndef PK_ELEMENTARY_CORE_H
#define PK_ELEMENTARY_CORE_H

#include <float.h>
#include <stdint.h>
#include <string.h>

#if FLT_EVAL_METHOD != 0
#error "polku needs doubles evaluated as doubles: on 32-bit x86 compile with -msse2 -mfpmath=sse"
#endif
#ifdef __FAST_MATH__
#error "polku's bits do not survive -ffast-math"
#endif

/* ln 2 = high + low; high has 42 bits, so that its product with an exponent is exact. */
#define PK_LN2_HIGH 0x1.62e42fefa3800p-1
#define PK_LN2_LOW 0x1.ef35793c76730p-45
#define PK_LOG2_E 0x1.71547652b82fep+0

static inline uint64_t pk_elementary_bits(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static inline double pk_elementary_double(uint64_t bits)
{
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* log(2^-n x), n = exponent_scaled; the exponent's correction folds into a constant of the core.
 *
 * x = 2^k m, sqrt(1/2) <= m < sqrt 2; f = m - 1, s = f / (2 + f); log m = 2 atanh s = f - s (f - R(s^2)) with
 * R(z) = 2 (z/3 + z^2/5 + ...). Written with h = f^2 / 2 as f - (h - s (h + R)), which is the same since
 * h (1 - s) = s f: what is rounded before the last subtraction is then smaller, 0.88 ulp instead of 0.98. */
static inline double pk_elementary_log(double x, double exponent_scaled)
{
    const uint64_t one = 0x3ff0000000000000, root_half = 0x3fe6a09e667f3bcd;
    const uint64_t shifted = pk_elementary_bits(x) + (one - root_half);
    /* shifted >> 52 is k + 1023; put below the exponent of 2^52 it is a double without a conversion */
    const double k = pk_elementary_double(0x4330000000000000 | (shifted >> 52)) - (0x1p52 + 1023.0 + exponent_scaled);
    const double f = pk_elementary_double((shifted & 0x000fffffffffffff) + root_half) - 1.0;
    const double s = f / (2.0 + f);
    const double z = s * s, w = z * z;
    const double odd =
        z * (0x1.5555555555592p-1 + w * (0x1.24924941e0c27p-2 + w * (0x1.74663c53763fdp-3 + w * 0x1.2f02e5a4c5b40p-3)));
    const double even = w * (0x1.999999997fee9p-2 + w * (0x1.c71c52164caacp-3 + w * 0x1.39a1fb9d938c2p-3));
    const double h = 0.5 * f * f;
    return k * PK_LN2_HIGH - ((h - (s * (h + (odd + even)) + k * PK_LN2_LOW)) - f);
}

/* Natural logarithm of a positive, normal, finite x; anything else gives an arbitrary number. Error < 1 ulp. */
static inline double pk_log_core(double x)
{
    return pk_elementary_log(x, 0.0);
}

/* P(r) of e^r = 1 + r + r^2 P(r) for |r| <= (ln 2) / 2. */
static inline double pk_elementary_exp_polynomial(double r)
{
    const double z = r * r, w = z * z;
    const double p01 = 0x1.000000000000ap-1 + r * 0x1.55555555554fap-3;
    const double p23 = 0x1.555555555088cp-5 + r * 0x1.1111111127b9dp-7;
    const double p45 = 0x1.6c16c184266d0p-10 + r * 0x1.a01a012a68eeap-13;
    const double p67 = 0x1.a0199a16e16b4p-16 + r * 0x1.71df253c1954bp-19;
    const double p89 = 0x1.28ad68a366d98p-22 + r * 0x1.ad7f77a804f57p-26;
    return (p01 + z * p23) + w * ((p45 + z * p67) + w * p89);
}

/* e^x for x where the result is normal, -708.396 < x < 709.782; anything else gives an arbitrary number.
 * Error < 1 ulp.
 *
 * e^x = 2^k e^r, k the integer nearest x / ln 2, |r| <= (ln 2) / 2; e^r = 1 + r + r^2 P(r). */
static inline double pk_exp_core(double x)
{
    /* adding 1.5 2^52 rounds to the nearest integer and leaves that integer in the low bits */
    const double magic = 0x1.8p52;
    const double shifted = x * PK_LOG2_E + magic;
    const double k = shifted - magic;
    const double high = x - k * PK_LN2_HIGH, low = k * PK_LN2_LOW;
    const double r = high - low;
    const double z = r * r, p = pk_elementary_exp_polynomial(r);
    /* 1 + high - low, with what the rounding of 1 + high lost put back: exact, since |high| < 1 */
    const double leading = 1.0 + high, rest = ((1.0 - leading) + high) - low;
    const double y = leading + (rest + z * p);
    /* two's complement: only the low twelve bits of k survive the shift, and only they belong in the exponent */
    return pk_elementary_double(pk_elementary_bits(y) + (pk_elementary_bits(shifted) << 52));
}

/* e^x - 1 for -708.396 < x < 709.08, without the cancellation about 0; anything else gives an arbitrary number.
 * Error < 1.5 ulp.
 *
 * pk_exp_core's sum, with 1 taken from its leading part before the small parts are added. */
static inline double pk_expm1_core(double x)
{
    const double magic = 0x1.8p52;
    const double shifted = x * PK_LOG2_E + magic;
    const double k = shifted - magic;
    const double high = x - k * PK_LN2_HIGH, low = k * PK_LN2_LOW;
    const double r = high - low;
    const double z = r * r, p = pk_elementary_exp_polynomial(r);
    const double leading = 1.0 + high, rest = ((1.0 - leading) + high) - low;
    const double scale = pk_elementary_double(0x3ff0000000000000 + (pk_elementary_bits(shifted) << 52));
    return (scale * leading - 1.0) + scale * (rest + z * p);
}

/* log(1 + x) for x > -1 and normal 1 + x, without the cancellation about 0; anything else gives an arbitrary number.
 * Error < 1.5 ulp. What the rounding of 1 + x to u lost comes back to first order: log(u + c) = log u + c / u. */
static inline double pk_log1p_core(double x)
{
    const double u = 1.0 + x, added = u - 1.0;
    const double lost = (1.0 - (u - added)) + (x - added);
    return pk_log_core(u) + lost / u;
}

#endif
