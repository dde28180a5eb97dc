/* The inverse of the cumulative hazard. See hazard.h.
 *
 * Closed forms; the log-normal's through the normal quantile, the gammas' through pk_special_gamma_inverse, both from
 * logs of survival, so that no hazard is too large. Where the wait is short against the clock, the powers' forms
 * compute the wait, not the end: x = from + wait keeps the wait's digits. */
#include "polku/hazard.h"

#include <float.h>
#include <math.h>

#include "hazard_private.h"
#include "polku/elementary.h"
#include "polku/elementary_core.h"

#define INFINITE pk_elementary_double(0x7ff0000000000000)
#define FURTHEST 1e15
#define HIGHEST 1e300 /* cumulative hazards are counted to here: twice as much is still a double */

/* from + wait with rate a e^(b from) at from: wait = log(1 + h b / rate) / b */
static double gompertz(const struct pk_hazard_curve *curve, double from, double h)
{
    const double b = curve->p[0], rate = pk_hazard_curve_rate(curve, from), wait = h / rate, t = b * wait;
    if (curve->p[1] == 0.0)
        return INFINITE;
    /* the rate at from is too small for a double, not too small to grow: 1 + t is t */
    if (b > 0.0 && !(t < 1e300))
        return (pk_log(h) + pk_log(b) - pk_log(curve->p[1])) / b;
    if (fabs(t) < 0x1p-27)
        return from + wait * (1.0 - 0.5 * t);
    return t > -1.0 ? from + pk_log1p(t) / b : INFINITE;
}

static double weibull(const struct pk_hazard_curve *curve, double from, double before, double h, double all)
{
    const double shape = curve->p[0];
    if (h < before)
        return from + from * pk_expm1(pk_log1p(h / before) / shape);
    return pk_exp(pk_log(all / curve->constants[FRONT]) / shape) / curve->constants[PER_SCALE];
}

/* With u = (x / scale)^shape: H = log(1 + u), and u / u_before = 1 + (1 + 1 / u_before) (e^h - 1). */
static double log_logistic(const struct pk_hazard_curve *curve, double from, double h, double all)
{
    const double shape = curve->p[0];
    if (from > 0.0) {
        const double power = shape * pk_log(from * curve->constants[PER_SCALE]);
        const double growth = (1.0 + pk_exp(-power)) * pk_expm1(h);
        if (growth < 1.0)
            return from + from * pk_expm1(pk_log1p(growth) / shape);
    }
    /* log(e^all - 1) */
    return pk_exp((all - pk_special_complement(all)) / shape) / curve->constants[PER_SCALE];
}

static double log_normal(const struct pk_hazard_curve *curve, double all)
{
    return pk_exp(curve->p[0] + curve->p[1] * pk_special_normal_deviate(-all, -pk_special_complement(all)));
}

static double gamma(const struct pk_hazard_curve *curve, double all)
{
    const struct pk_special_gamma of = pk_hazard_gamma(curve);
    const double v = pk_special_gamma_inverse(&of, all, pk_special_complement(all)), unit = of.shape / curve->p[1];
    if (v < 700.0 && unit >= DBL_MIN && unit <= DBL_MAX)
        return unit * pk_exp(v);
    return pk_exp(v + (pk_log(of.shape) - pk_log(curve->p[1])));
}

static double generalised_gamma(const struct pk_hazard_curve *curve, double all)
{
    const struct pk_special_gamma gamma = pk_hazard_gamma(curve);
    const double per_log = curve->constants[Q_PER_SIGMA], other = pk_special_complement(all);
    const double v =
        per_log > 0.0 ? pk_special_gamma_inverse(&gamma, all, other) : pk_special_gamma_inverse(&gamma, other, all);
    return pk_exp(curve->p[0] + v / per_log);
}

static double solve(const struct pk_hazard_curve *curve, double from, double h)
{
    if (curve->form == PK_HAZARD_CONSTANT)
        return from + h / curve->p[0];
    if (curve->form == PK_HAZARD_GOMPERTZ)
        return gompertz(curve, from, h);
    const double before = pk_hazard_curve_cumulative(curve, from);
    /* the hazard is then so great that no time passes */
    if (before >= HIGHEST)
        return from;
    const double all = h < HIGHEST ? before + h : HIGHEST;
    switch (pk_hazard_formula(curve)) {
    case PK_HAZARD_WEIBULL:
    case PK_HAZARD_WEIBULL_PH:
        return weibull(curve, from, before, h, all);
    case PK_HAZARD_LOG_LOGISTIC:
        return log_logistic(curve, from, h, all);
    case PK_HAZARD_LOG_NORMAL:
        return log_normal(curve, all);
    case PK_HAZARD_GENERALISED_GAMMA:
        return generalised_gamma(curve, all);
    default:
        return gamma(curve, all);
    }
}

double pk_hazard_curve_inverse(const struct pk_hazard_curve *curve, double from, double h)
{
    if (h == 0.0)
        return from;
    if (h > DBL_MAX)
        return INFINITE;
    const double x = solve(curve, from, h);
    if (x > FURTHEST)
        return INFINITE;
    return x < from ? from : x;
}
