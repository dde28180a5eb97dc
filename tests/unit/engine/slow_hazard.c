/* See slow_hazard.h. */
#include "slow_hazard.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_randist.h>
#include <math.h>

#define FINE 0x1p-40L /* months; a tick is 2^-20 */

/* -log(1 - p), from whichever of p and q = 1 - p is the smaller. */
static long double minus_log(long double p, long double q)
{
    return p < q ? -log1pl(-p) : -logl(q);
}

/* What the distributions without a closed cumulative hazard say at x > 0. */
struct tails {
    long double density, below, above;
};

static struct tails log_normal_at(const double *p, long double x)
{
    const long double pi = 3.141592653589793238462643383279502884L;
    long double z = (logl(x) - p[0]) / p[1];
    return (struct tails){.density = expl(-z * z / 2) / (sqrtl(2 * pi) * p[1] * x),
                          .below = erfcl(-z / sqrtl(2)) / 2,
                          .above = erfcl(z / sqrtl(2)) / 2};
}

static struct tails gamma_at(const double *p, long double x)
{
    return (struct tails){.density = gsl_ran_gamma_pdf((double)x, p[0], 1 / p[1]),
                          .below = gsl_cdf_gamma_P((double)x, p[0], 1 / p[1]),
                          .above = gsl_cdf_gamma_Q((double)x, p[0], 1 / p[1])};
}

/* y = a e^(q w) is a gamma variable of shape a = q^-2, decreasing in x where q < 0. */
static struct tails generalised_gamma_at(const double *p, long double x)
{
    if (p[2] == 0)
        return log_normal_at(p, x);
    long double q = p[2], a = 1 / (q * q), y = a * expl(q * (logl(x) - p[0]) / p[1]);
    long double low = gsl_cdf_gamma_P((double)y, (double)a, 1), high = gsl_cdf_gamma_Q((double)y, (double)a, 1);
    return (struct tails){.density = fabsl(q) * y * gsl_ran_gamma_pdf((double)y, (double)a, 1) / (p[1] * x),
                          .below = q > 0 ? low : high,
                          .above = q > 0 ? high : low};
}

static struct tails tails_at(const struct pk_hazard_curve *curve, long double x)
{
    switch (curve->form) {
    case PK_HAZARD_LOG_NORMAL:
        return log_normal_at(curve->p, x);
    case PK_HAZARD_GAMMA:
        return gamma_at(curve->p, x);
    default:
        return generalised_gamma_at(curve->p, x);
    }
}

static bool everywhere(enum pk_hazard_form form)
{
    return form == PK_HAZARD_CONSTANT || form == PK_HAZARD_GOMPERTZ;
}

long double slow_curve_rate(const struct pk_hazard_curve *curve, long double x)
{
    const double *p = curve->p;
    if (!everywhere(curve->form)) {
        if (x < 0)
            return 0;
        x = fmaxl(x, 0x1p-21L);
    }
    switch (curve->form) {
    case PK_HAZARD_CONSTANT:
        return p[0];
    case PK_HAZARD_GOMPERTZ:
        return p[1] * expl(p[0] * x);
    case PK_HAZARD_WEIBULL:
        return p[0] / x * powl(x / p[1], p[0]);
    case PK_HAZARD_WEIBULL_PH:
        return p[0] * p[1] * powl(x, p[0] - 1.0L);
    case PK_HAZARD_LOG_LOGISTIC: {
        long double power = powl(x / p[1], p[0]);
        return p[0] / x * power / (1 + power);
    }
    default: {
        struct tails tails = tails_at(curve, x);
        return tails.density / tails.above;
    }
    }
}

long double slow_curve_cumulative(const struct pk_hazard_curve *curve, long double x)
{
    const double *p = curve->p;
    if (!everywhere(curve->form) && !(x > 0))
        return 0;
    switch (curve->form) {
    case PK_HAZARD_CONSTANT:
        return p[0] * x;
    case PK_HAZARD_GOMPERTZ:
        return p[0] == 0 ? p[1] * x : p[1] / (long double)p[0] * expm1l(p[0] * x);
    case PK_HAZARD_WEIBULL:
        return powl(x / p[1], p[0]);
    case PK_HAZARD_WEIBULL_PH:
        return p[1] * powl(x, p[0]);
    case PK_HAZARD_LOG_LOGISTIC:
        return log1pl(powl(x / p[1], p[0]));
    default: {
        struct tails tails = tails_at(curve, x);
        return minus_log(tails.below, tails.above);
    }
    }
}

/* ---- rates of a plan --------------------------------------------------------------------------------------------- */

long double slow_rate_at(const struct pk_rate *rate, long double on_clock)
{
    if (rate->smooth)
        return rate->factor * slow_curve_rate(&rate->curve, on_clock + rate->offset);
    size_t i = 0;
    while (i < rate->n_cuts && rate->cuts[i] <= on_clock)
        i++;
    return rate->levels[i];
}

/* The integral from where the clock reads 0. */
static long double cumulative(const struct pk_rate *rate, long double on_clock)
{
    if (rate->smooth)
        return rate->factor * slow_curve_cumulative(&rate->curve, on_clock + rate->offset);
    /* the first level from 0 on, and what each cut adds to the level beyond it */
    long double sum = rate->levels[0] * on_clock;
    for (size_t i = 0; i < rate->n_cuts; i++) {
        long double beyond = fmaxl(on_clock - rate->cuts[i], 0), beyond_of_zero = fmaxl(-(long double)rate->cuts[i], 0);
        sum += ((long double)rate->levels[i + 1] - rate->levels[i]) * (beyond - beyond_of_zero);
    }
    return sum;
}

long double slow_rate_between(const struct pk_rate *rate, long double from, long double to)
{
    return cumulative(rate, to) - cumulative(rate, from);
}

long double slow_rate_next_cut(const struct pk_rate *rate, long double on_clock)
{
    for (size_t i = 0; i < rate->n_cuts; i++)
        if (rate->cuts[i] > on_clock)
            return rate->cuts[i];
    return INFINITY;
}

/* ---- spending an exponential ------------------------------------------------------------------------------------- */

long double slow_term_at(const struct slow_term *term, long double t)
{
    return term->factor > 0 ? term->factor * slow_rate_at(term->rate, t - term->zero) : 0;
}

static long double sum_of(const struct slow_term *terms, size_t n, long double t)
{
    long double sum = 0;
    for (size_t i = 0; i < n; i++)
        if (terms[i].factor > 0)
            sum += terms[i].factor * cumulative(terms[i].rate, t - terms[i].zero);
    return sum;
}

long double slow_spend(const struct slow_term *terms, size_t n, long double *left, long double from, long double until)
{
    if (!(from < until))
        return INFINITY;
    long double begun = sum_of(terms, n, from), all = sum_of(terms, n, until) - begun, low = from, high = until;
    if (all <= *left) {
        *left -= all;
        return INFINITY;
    }
    while (high - low > FINE) {
        long double middle = low + (high - low) / 2;
        if (sum_of(terms, n, middle) - begun < *left)
            low = middle;
        else
            high = middle;
    }
    *left = 0;
    return high;
}

long double slow_spend_excess(const struct slow_term *more, const struct slow_term *less, long double *left,
                              long double from, long double until)
{
    for (long double t = from, end; t < until; t = end) {
        end = fminl(until, more->zero + slow_rate_next_cut(more->rate, t - more->zero));
        end = fminl(end, less->zero + slow_rate_next_cut(less->rate, t - less->zero));
        long double hazard = slow_term_at(more, t) - slow_term_at(less, t);
        if (hazard > 0 && *left < hazard * (end - t))
            return t + *left / hazard;
        *left -= fmaxl(hazard, 0) * (end - t);
    }
    return INFINITY;
}
