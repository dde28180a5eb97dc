/* Likelihoods of targets, priors and scales of parameters. See calibrate_private.h. */
#include <gsl/gsl_sf_log.h>
#include <math.h>

#include "calibrate_private.h"

/* x - log(1 + x), exact for small x. */
static double excess_of_log(double x)
{
    gsl_sf_result result;
    return gsl_sf_log_1plusx_mx_e(x, &result) == 0 ? -result.val : (double)INFINITY;
}

/* Of so many of n where each counts with probability p; 0 where it is exactly what was observed. */
static double binomial_misfit(double share, double n, double p)
{
    p = p < 1e-12 ? 1e-12 : p > 1 - 1e-12 ? 1 - 1e-12 : p;
    const double off = p - share;
    const double half = share <= 0 ? -log1p(-p) /* of the deviance, a person */
                        : share >= 1
                            ? -log(p)
                            : share * excess_of_log(off / share) + (1 - share) * excess_of_log(-off / (1 - share));
    return copysign(sqrt(2 * n * (half > 0 ? half : 0)), off);
}

static double poisson_misfit(double events, double mean)
{
    mean = mean > 1e-12 ? mean : 1e-12;
    const double half = events > 0 ? events * excess_of_log((mean - events) / events) : mean;
    return copysign(sqrt(2 * (half > 0 ? half : 0)), mean - events);
}

double pk_misfit(const struct pk_calibration_target *target, const struct pk_reached *reached)
{
    const double value = reached->value, noise = reached->standard_error * reached->standard_error;
    const double known = target->standard_error * target->standard_error;
    switch (target->likelihood) {
    case PK_LIKELIHOOD_LOG_NORMAL:
        return value > 0 ? (log(value) - log(target->value)) / sqrt(known + noise / (value * value)) : (double)NAN;
    case PK_LIKELIHOOD_BINOMIAL: {
        const double spread = value * (1 - value);
        return binomial_misfit(target->value, spread > 0 ? 1 / (1 / target->of + noise / spread) : target->of, value);
    }
    case PK_LIKELIHOOD_POISSON:
        return poisson_misfit(target->value, value) / sqrt(value > 0 ? 1 + noise / value : 1);
    default:
        return (value - target->value) / sqrt(known + noise);
    }
}

static double transformed(enum pk_transform transform, double value)
{
    return transform == PK_TRANSFORM_LOG     ? log(value)
           : transform == PK_TRANSFORM_LOGIT ? log(value) - log1p(-value)
                                             : value;
}

void pk_scale_make(const struct pk_free_parameter *free, struct pk_scale *scale)
{
    const double low = transformed(free->transform, free->low), high = transformed(free->transform, free->high);
    *scale = (struct pk_scale){.transform = free->transform,
                               .prior = free->prior,
                               .value_low = free->low,
                               .value_high = free->high,
                               .prior_a = free->a,
                               .prior_b = free->b};
    scale->middle = 0.5 * (low + high);
    scale->sd = (high - low) / sqrt(12);
    if (free->prior == PK_PRIOR_NORMAL) {
        scale->middle = transformed(free->transform, free->a);
        scale->sd = free->b;
    } else if (free->prior == PK_PRIOR_BETA) {
        scale->middle = log(free->a / free->b);
        scale->sd = sqrt(1 / free->a + 1 / free->b);
    }
    scale->low = (low - scale->middle) / scale->sd;
    scale->high = (high - scale->middle) / scale->sd;
}

double pk_scale_to(const struct pk_scale *scale, double value)
{
    return (transformed(scale->transform, value) - scale->middle) / scale->sd;
}

double pk_scale_from(const struct pk_scale *scale, double scaled)
{
    const double at = scale->middle + scale->sd * scaled;
    const double value = scale->transform == PK_TRANSFORM_LOG     ? exp(at)
                         : scale->transform == PK_TRANSFORM_LOGIT ? 1 / (1 + exp(-at))
                                                                  : at;
    return fmin(fmax(value, scale->value_low), scale->value_high);
}

double pk_scale_misfit(const struct pk_scale *scale, double scaled)
{
    if (scale->prior == PK_PRIOR_NORMAL)
        return scaled;
    if (scale->prior == PK_PRIOR_FLAT)
        return 0;
    /* the logit of a beta(a, b) has the density p^a (1 - p)^b: as if a of a + b had been observed */
    const double n = scale->prior_a + scale->prior_b;
    return binomial_misfit(scale->prior_a / n, n, pk_scale_from(scale, scaled));
}
