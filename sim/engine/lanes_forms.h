/* log, exp, expm1 and log1p, and the curves of polku/hazard.h that have closed forms, over vectors: the statements are
 * those of elementary_core.h, hazard.c and hazard_inverse.c, lane by lane, and so are the bits. Not installed.
 *
 * What is special to an argument is rare: such lanes go through the scalar function itself. */
#ifndef PK_LANES_FORMS_H
#define PK_LANES_FORMS_H

#include "lanes_math.h"
#include "polku/elementary.h"
#include "polku/hazard.h"
#include "polku/special.h"

/* Vectors at once: steps of a root wait for each other, those of two do not. */
enum { PK_ABREAST = 2 };
#define PK_BOTH _Pragma("GCC unroll 2") for (int g = 0; g < PK_ABREAST; g++)

static __attribute__((noinline, unused)) void one_by_one(double (*f)(double), const double *x, unsigned bits, double *y)
{
    for (; bits != 0; bits &= bits - 1)
        y[__builtin_ctz(bits)] = f(x[__builtin_ctz(bits)]);
}

/* y, but f(x) in lanes that are not usual. */
PK_INLINE pk_vd or_special(double (*f)(double), pk_vd x, pk_vm usual, pk_vd y)
{
    const unsigned bits = pk_vm_bits(pk_vm_not(usual)) & ((1u << PK_WIDTH) - 1);
    if (__builtin_expect(bits != 0, 0)) {
        double from[PK_WIDTH], to[PK_WIDTH];
        pk_vd_store(from, x);
        pk_vd_store(to, y);
        one_by_one(f, from, bits, to);
        return pk_vd_load(to);
    }
    return y;
}

PK_INLINE pk_vd size_of(pk_vd x)
{
    return (pk_vd)((pk_vu)x & pk_vu_set(0x7fffffffffffffff));
}

/* pk_log_core */
PK_INLINE pk_vd pk_lanes_log_core(pk_vd x)
{
    const pk_vu one = pk_vu_set(0x3ff0000000000000), root_half = pk_vu_set(0x3fe6a09e667f3bcd);
    const pk_vu shifted = (pk_vu)x + (one - root_half);
    const pk_vd k = (pk_vd)(pk_vu_set(0x4330000000000000) | (shifted >> 52)) - pk_vd_set(0x1p52 + 1023.0);
    const pk_vd f = (pk_vd)((shifted & pk_vu_set(0x000fffffffffffff)) + root_half) - pk_vd_set(1.0);
    const pk_vd s = f / (pk_vd_set(2.0) + f);
    const pk_vd z = s * s, w = z * z;
    const pk_vd odd = z * (pk_vd_set(0x1.5555555555592p-1) +
                           w * (pk_vd_set(0x1.24924941e0c27p-2) +
                                w * (pk_vd_set(0x1.74663c53763fdp-3) + w * pk_vd_set(0x1.2f02e5a4c5b40p-3))));
    const pk_vd even = w * (pk_vd_set(0x1.999999997fee9p-2) +
                            w * (pk_vd_set(0x1.c71c52164caacp-3) + w * pk_vd_set(0x1.39a1fb9d938c2p-3)));
    const pk_vd h = pk_vd_set(0.5) * f * f;
    return k * pk_vd_set(PK_LN2_HIGH) - ((h - (s * (h + (odd + even)) + k * pk_vd_set(PK_LN2_LOW))) - f);
}

PK_INLINE pk_vd pk_lanes_log(pk_vd x)
{
    const pk_vm usual = pk_vm_and(pk_vd_at_most(pk_vd_set(DBL_MIN), x), pk_vd_at_most(x, pk_vd_set(DBL_MAX)));
    return or_special(pk_log, x, usual, pk_lanes_log_core(x));
}

/* The two parts of e^x = scale (leading + small): of pk_exp_core and pk_expm1_core. */
PK_INLINE void parts_of_exp(pk_vd x, pk_vu *shifted_bits, pk_vd *leading, pk_vd *small)
{
    const pk_vd magic = pk_vd_set(0x1.8p52);
    const pk_vd shifted = x * pk_vd_set(PK_LOG2_E) + magic;
    const pk_vd k = shifted - magic;
    const pk_vd high = x - k * pk_vd_set(PK_LN2_HIGH), low = k * pk_vd_set(PK_LN2_LOW);
    const pk_vd r = high - low;
    const pk_vd z = r * r, w = z * z;
    const pk_vd p01 = pk_vd_set(0x1.000000000000ap-1) + r * pk_vd_set(0x1.55555555554fap-3);
    const pk_vd p23 = pk_vd_set(0x1.555555555088cp-5) + r * pk_vd_set(0x1.1111111127b9dp-7);
    const pk_vd p45 = pk_vd_set(0x1.6c16c184266d0p-10) + r * pk_vd_set(0x1.a01a012a68eeap-13);
    const pk_vd p67 = pk_vd_set(0x1.a0199a16e16b4p-16) + r * pk_vd_set(0x1.71df253c1954bp-19);
    const pk_vd p89 = pk_vd_set(0x1.28ad68a366d98p-22) + r * pk_vd_set(0x1.ad7f77a804f57p-26);
    const pk_vd p = (p01 + z * p23) + w * ((p45 + z * p67) + w * p89);
    const pk_vd one = pk_vd_set(1.0);
    *leading = one + high;
    *small = (((one - *leading) + high) - low) + z * p;
    *shifted_bits = (pk_vu)shifted;
}

PK_INLINE pk_vd pk_lanes_exp(pk_vd x)
{
    pk_vd leading, small;
    pk_vu shifted;
    parts_of_exp(x, &shifted, &leading, &small);
    const pk_vm usual = pk_vm_and(pk_vd_at_most(pk_vd_set(-0x1.6232bdd7abcd2p+9), x),
                                  pk_vd_at_most(x, pk_vd_set(0x1.62e42fefa39efp+9)));
    return or_special(pk_exp, x, usual, (pk_vd)((pk_vu)(leading + small) + (shifted << 52)));
}

PK_INLINE pk_vd pk_lanes_expm1(pk_vd x)
{
    pk_vd leading, small;
    pk_vu shifted;
    parts_of_exp(x, &shifted, &leading, &small);
    const pk_vd scale = (pk_vd)(pk_vu_set(0x3ff0000000000000) + (shifted << 52)), size = size_of(x);
    const pk_vm usual = pk_vm_and(pk_vd_at_most(pk_vd_set(0x1p-54), size), pk_vd_at_most(size, pk_vd_set(40.0)));
    return or_special(pk_expm1, x, usual, (scale * leading - pk_vd_set(1.0)) + scale * small);
}

PK_INLINE pk_vd pk_lanes_log1p(pk_vd x)
{
    const pk_vd one = pk_vd_set(1.0), u = one + x, added = u - one;
    const pk_vd lost = (one - (u - added)) + (x - added);
    const pk_vm usual = pk_vm_and(pk_vd_at_most(pk_vd_set(0x1p-54), size_of(x)),
                                  pk_vm_and(pk_vd_less(-one, x), pk_vd_less(x, pk_vd_set(0x1p60))));
    return or_special(pk_log1p, x, usual, pk_lanes_log_core(u) + lost / u);
}

/* ---- curves --------------------------------------------------------------------------------------------------------
 */

/* A curve where a spell's clock stands: what of its formulas stays the same as the clock goes on. */
struct pk_lane_start {
    pk_vd from;
    pk_vd before;        /* the cumulative hazard; a gompertz's rate */
    pk_vd one_plus_odds; /* log_logistic: 1 + e^-power, where from > 0 */
};

PK_INLINE pk_vd or_1(pk_vm m, pk_vd x)
{
    return pk_vd_select(m, x, pk_vd_set(1.0));
}

PK_INLINE pk_vd log_power(const struct pk_hazard_curve *curve, pk_vd x)
{
    return pk_vd_set(curve->p[0]) * pk_lanes_log(x * pk_vd_set(curve->constants[PK_HAZARD_PER_SCALE]));
}

/* Cumulative hazard and rate at x > 0 from log (x / scale)^shape. */
PK_INLINE pk_vd cumulative_by_power(const struct pk_hazard_curve *curve, pk_vd power)
{
    if (curve->form != PK_HAZARD_LOG_LOGISTIC)
        return pk_vd_set(curve->constants[PK_HAZARD_FRONT]) * pk_lanes_exp(power);
    const pk_vm positive = pk_vd_less(pk_vd_set(0), power);
    const pk_vd log = pk_lanes_log1p(pk_lanes_exp(pk_vd_select(positive, -power, power)));
    return pk_vd_select(positive, power + log, log);
}

PK_INLINE pk_vd rate_by_power(const struct pk_hazard_curve *curve, pk_vd power, pk_vd x)
{
    const pk_vd shape = pk_vd_set(curve->p[0]), one = pk_vd_set(1.0);
    if (curve->form != PK_HAZARD_LOG_LOGISTIC)
        return shape * (pk_vd_set(curve->constants[PK_HAZARD_FRONT]) * pk_lanes_exp(power) / x);
    const pk_vm positive = pk_vd_less(pk_vd_set(0), power);
    const pk_vd odds = pk_lanes_exp(pk_vd_select(positive, -power, power));
    return pk_vd_select(positive, shape / (x * (one + odds)), shape * (odds / x) / (one + odds));
}

PK_INLINE pk_vd gompertz_rate(const struct pk_hazard_curve *curve, pk_vd x)
{
    if (curve->p[1] == 0.0)
        return pk_vd_set(0);
    return pk_vd_set(curve->p[1]) * pk_lanes_exp(pk_vd_set(curve->p[0]) * x);
}

/* pk_hazard_curve_rate */
PK_INLINE pk_vd curve_rate(const struct pk_hazard_curve *curve, pk_vd x)
{
    if (curve->form == PK_HAZARD_GOMPERTZ)
        return gompertz_rate(curve, x);
    const pk_vd nothing = pk_vd_set(0);
    const pk_vm low = pk_vd_less(x, pk_vd_set(curve->lowest)), above = pk_vm_not(low);
    const pk_vd at = or_1(above, x);
    const pk_vd lowest = pk_vd_select(pk_vd_less(x, nothing), nothing, pk_vd_set(curve->rate_lowest));
    return pk_vd_select(low, lowest, rate_by_power(curve, log_power(curve, at), at));
}

PK_INLINE void start_at(const struct pk_hazard_curve *curve, pk_vd from, struct pk_lane_start *start)
{
    start->from = from;
    start->before = start->one_plus_odds = pk_vd_set(0);
    if (curve->form == PK_HAZARD_GOMPERTZ) {
        start->before = gompertz_rate(curve, from);
        return;
    }
    const pk_vm above = pk_vd_less(pk_vd_set(0), from);
    if (!pk_vm_any(above)) /* time in state, usually */
        return;
    const pk_vd power = log_power(curve, or_1(above, from));
    start->before = pk_vd_select(above, cumulative_by_power(curve, power), start->before);
    if (curve->form == PK_HAZARD_LOG_LOGISTIC)
        start->one_plus_odds = pk_vd_set(1.0) + pk_lanes_exp(-power);
}

/* pk_hazard_curve_between, and the rate at `to` where it is asked for. */
PK_INLINE pk_vd between(const struct pk_hazard_curve *curve, const struct pk_lane_start *start, pk_vd to, pk_vd *rate)
{
    const pk_vd nothing = pk_vd_set(0), from = start->from, before = start->before, wait = to - from;
    const pk_vm none = pk_vd_at_most(to, from);
    if (curve->form == PK_HAZARD_GOMPERTZ) {
        const pk_vd b = pk_vd_set(curve->p[0]), t = b * wait;
        const pk_vm flat = pk_vd_less(size_of(t), pk_vd_set(0x1p-27));
        const pk_vd growth = pk_vd_select(flat, wait + pk_vd_set(0.5) * t * wait,
                                          pk_lanes_expm1(pk_vd_select(flat, pk_vd_set(0.5), t)) / b);
        const pk_vm still = pk_vm_or(none, pk_vd_at_most(size_of(before), nothing));
        if (rate != NULL)
            *rate = gompertz_rate(curve, to);
        return pk_vd_select(still, nothing, before * growth);
    }
    const pk_vm above = pk_vd_less(nothing, from), positive = pk_vd_less(nothing, to);
    const pk_vd at = or_1(positive, to);
    pk_vd grown = pk_vd_set(1.0);
    pk_vm near = pk_vd_less(grown, grown);
    if (pk_vm_any(above)) {
        const pk_vm goes = pk_vm_and(above, pk_vm_not(none));
        grown = pk_vd_set(curve->p[0]) * pk_lanes_log1p(or_1(goes, wait / from));
        near = pk_vm_and(goes, pk_vd_less(grown, pk_vd_set(1.0)));
    }
    const pk_vd power = log_power(curve, at);
    pk_vd difference = pk_vd_select(positive, cumulative_by_power(curve, power), nothing) - before;
    difference = pk_vd_select(pk_vd_less(difference, nothing), nothing, difference);
    if (pk_vm_any(near)) {
        pk_vd little = pk_lanes_expm1(or_1(near, grown));
        if (curve->form == PK_HAZARD_LOG_LOGISTIC)
            little = pk_lanes_log1p(or_1(near, little / start->one_plus_odds));
        else
            little = before * little;
        difference = pk_vd_select(near, little, difference);
    }
    difference = pk_vd_select(pk_vd_less(pk_vd_set(DBL_MAX), before), before, difference);
    if (rate != NULL) {
        const pk_vm low = pk_vd_less(to, pk_vd_set(curve->lowest));
        const pk_vd lowest = pk_vd_select(pk_vd_less(to, nothing), nothing, pk_vd_set(curve->rate_lowest));
        *rate = pk_vd_select(low, lowest, rate_by_power(curve, power, at));
    }
    return pk_vd_select(none, nothing, difference);
}

PK_INLINE pk_vd gompertz_inverse(const struct pk_hazard_curve *curve, const struct pk_lane_start *start, pk_vd h)
{
    const pk_vd b = pk_vd_set(curve->p[0]), wait = h / start->before, t = b * wait, never = pk_vd_set(__builtin_inf());
    if (curve->p[1] == 0.0)
        return never;
    const pk_vm flat = pk_vd_less(size_of(t), pk_vd_set(0x1p-27)), ends = pk_vd_less(pk_vd_set(-1.0), t);
    const pk_vd log = pk_lanes_log1p(pk_vd_select(pk_vm_and(ends, pk_vm_not(flat)), t, pk_vd_set(1.0)));
    const pk_vd bent = pk_vd_select(ends, start->from + log / b, never);
    return pk_vd_select(flat, start->from + wait * (pk_vd_set(1.0) - pk_vd_set(0.5) * t), bent);
}

/* pk_special_complement */
PK_INLINE pk_vd complement(pk_vd h)
{
    const pk_vm high = pk_vd_less(pk_vd_set(0.5), h);
    const pk_vd log1p = -pk_lanes_log1p(-pk_lanes_exp(-pk_vd_select(high, h, pk_vd_set(1.0))));
    if (!pk_vm_any(pk_vm_not(high)))
        return log1p;
    return pk_vd_select(high, log1p, -pk_lanes_log(-pk_lanes_expm1(-pk_vd_select(high, pk_vd_set(0.25), h))));
}

/* From + from (e^(log(1 + x) / shape) - 1). */
PK_INLINE pk_vd wait_by_growth(pk_vd from, pk_vd growth, pk_vd shape)
{
    return from + from * pk_lanes_expm1(pk_lanes_log1p(growth) / shape);
}

PK_INLINE pk_vd power_inverse(const struct pk_hazard_curve *curve, const struct pk_lane_start *start, pk_vd h)
{
    const bool logistic = curve->form == PK_HAZARD_LOG_LOGISTIC;
    const pk_vd shape = pk_vd_set(curve->p[0]), highest = pk_vd_set(1e300), from = start->from, before = start->before;
    const pk_vd all = pk_vd_select(pk_vd_less(h, highest), before + h, highest);
    pk_vd growth = pk_vd_set(1.0), x = from;
    pk_vm near = pk_vd_less(growth, growth);
    if (logistic) {
        const pk_vm above = pk_vd_less(pk_vd_set(0), from);
        if (pk_vm_any(above)) {
            growth = start->one_plus_odds * pk_lanes_expm1(or_1(above, h));
            near = pk_vm_and(above, pk_vd_less(growth, pk_vd_set(1.0)));
        }
    } else {
        near = pk_vd_less(h, before);
        growth = h / before;
    }
    if (pk_vm_any(near))
        x = wait_by_growth(from, or_1(near, growth), shape);
    if (pk_vm_any(pk_vm_not(near))) {
        const pk_vd safe = pk_vd_select(near, pk_vd_set(1.0), all);
        pk_vd log;
        if (logistic)
            log = safe - complement(safe);
        else
            log = pk_lanes_log(safe / pk_vd_set(curve->constants[PK_HAZARD_FRONT]));
        x = pk_vd_select(near, x, pk_lanes_exp(log / shape) / pk_vd_set(curve->constants[PK_HAZARD_PER_SCALE]));
    }
    return pk_vd_select(pk_vd_at_most(highest, before), from, x);
}

/* pk_hazard_curve_inverse. wanted: elsewhere it may be anything. */
PK_INLINE pk_vd inverse(const struct pk_hazard_curve *curve, const struct pk_lane_start *start, pk_vm wanted, pk_vd h)
{
    const pk_vd from = start->from, nothing = pk_vd_set(0), never = pk_vd_set(__builtin_inf());
    const pk_vm usual = pk_vm_and(pk_vm_and(wanted, pk_vd_less(nothing, h)), pk_vd_at_most(h, pk_vd_set(DBL_MAX)));
    const pk_vd safe = or_1(usual, h);
    pk_vd x =
        curve->form == PK_HAZARD_GOMPERTZ ? gompertz_inverse(curve, start, safe) : power_inverse(curve, start, safe);
    x = pk_vd_select(pk_vd_less(pk_vd_set(1e15), x), never, x);
    x = pk_vd_select(pk_vd_less(x, from), from, x);
    unsigned odd = pk_vm_bits(pk_vm_and(wanted, pk_vm_not(usual)));
    if (curve->form == PK_HAZARD_GOMPERTZ && curve->p[0] > 0.0) /* a rate too small for a double */
        odd |= pk_vm_bits(
            pk_vm_and(wanted, pk_vm_not(pk_vd_less(pk_vd_set(curve->p[0]) * (h / start->before), pk_vd_set(1e300)))));
    if (__builtin_expect(odd != 0, 0)) {
        double xs[PK_WIDTH], froms[PK_WIDTH], hs[PK_WIDTH];
        pk_vd_store(xs, x);
        pk_vd_store(froms, from);
        pk_vd_store(hs, h);
        for (; odd != 0; odd &= odd - 1)
            xs[__builtin_ctz(odd)] = pk_hazard_curve_inverse(curve, froms[__builtin_ctz(odd)], hs[__builtin_ctz(odd)]);
        x = pk_vd_load(xs);
    }
    return x;
}

#endif
