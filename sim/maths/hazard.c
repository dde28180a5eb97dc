/* The curves' formulas: parameters, rate and cumulative hazard. See hazard.h; the inverse is in hazard_inverse.c. */
#include "polku/hazard.h"

#include <float.h>
#include <math.h>
#include <stddef.h>

#include "hazard_private.h"
#include "polku/elementary.h"
#include "polku/special.h"

/* Half a microyear: where hazards without bound at 0 are cut off. */
#define TINY 0x1p-21
#define Q_ZERO 1e-100
#define Q_MAX 1e6

const char *const pk_hazard_form_names[PK_HAZARD_FORM_COUNT] = {
#define FORM_NAME(form, name, n, first, second, third) [form] = (name),
    PK_HAZARD_FORM_LIST(FORM_NAME)};

const int pk_hazard_parameter_counts[PK_HAZARD_FORM_COUNT] = {
#define FORM_COUNT(form, name, n, first, second, third) [form] = (n),
    PK_HAZARD_FORM_LIST(FORM_COUNT)};

const char *const pk_hazard_parameter_names[PK_HAZARD_FORM_COUNT][PK_HAZARD_PARAMETERS_MAX] = {
#define FORM_PARAMETERS(form, name, n, first, second, third) [form] = {first, second, third},
    PK_HAZARD_FORM_LIST(FORM_PARAMETERS)};

/* What a parameter may be, and what to say of one that is not. */
static const struct domain {
    double lowest, highest;
    const char *problem;
} any_shape = {-DBL_MAX, DBL_MAX, "shape must be a finite number"},
  any_mu = {-DBL_MAX, DBL_MAX, "mu must be a finite number"},
  any_meanlog = {-DBL_MAX, DBL_MAX, "meanlog must be a finite number"},
  shape_above_0 = {DBL_MIN, DBL_MAX, "shape must be a finite number above 0"},
  scale_above_0 = {DBL_MIN, DBL_MAX, "scale must be a finite number above 0"},
  rate_above_0 = {DBL_MIN, DBL_MAX, "rate must be a finite number above 0"},
  sdlog_above_0 = {DBL_MIN, DBL_MAX, "sdlog must be a finite number above 0"},
  sigma_above_0 = {1e-300, DBL_MAX, "sigma must be a finite number above 0"},
  rate_from_0 = {0.0, DBL_MAX, "rate must be a finite number, 0 or above"},
  q_in_range = {-Q_MAX, Q_MAX, "q must be a number from -1e6 to 1e6"};

static const struct domain *const domains[PK_HAZARD_FORM_COUNT][PK_HAZARD_PARAMETERS_MAX] = {
    [PK_HAZARD_CONSTANT] = {&rate_from_0},
    [PK_HAZARD_GOMPERTZ] = {&any_shape, &rate_from_0},
    [PK_HAZARD_WEIBULL] = {&shape_above_0, &scale_above_0},
    [PK_HAZARD_WEIBULL_PH] = {&shape_above_0, &scale_above_0},
    [PK_HAZARD_LOG_LOGISTIC] = {&shape_above_0, &scale_above_0},
    [PK_HAZARD_LOG_NORMAL] = {&any_meanlog, &sdlog_above_0},
    [PK_HAZARD_GAMMA] = {&shape_above_0, &rate_above_0},
    [PK_HAZARD_GENERALISED_GAMMA] = {&any_mu, &sigma_above_0, &q_in_range}};

static void keep_gamma(struct pk_hazard_curve *curve, double shape)
{
    const struct pk_special_gamma gamma = pk_special_gamma_of(shape);
    curve->constants[SHAPE] = gamma.shape;
    curve->constants[LOG_PEAK] = gamma.log_peak;
}

/* Near 0 hazards go as x^(power - 1): without bound below 1, to level at 1, to 0 above. */
static void settle_at_0(struct pk_hazard_curve *curve, double power, double level)
{
    if (power < 1.0) {
        curve->rate_lowest = pk_hazard_curve_rate(curve, TINY);
        curve->lowest = TINY;
    } else {
        curve->rate_lowest = power == 1.0 ? level : 0.0;
        curve->lowest = DBL_MIN;
    }
    if (curve->rate_lowest > DBL_MAX)
        curve->rate_lowest = DBL_MAX;
}

static void settle_generalised_gamma(struct pk_hazard_curve *curve)
{
    const double mu = curve->p[0], sigma = curve->p[1], q = curve->p[2];
    if (fabs(q) < Q_ZERO) {
        curve->constants[PER_SD] = 1.0 / sigma;
        settle_at_0(curve, 2.0, 0.0);
        return;
    }
    keep_gamma(curve, 1.0 / (q * q));
    curve->constants[Q_PER_SIGMA] = q / sigma;
    /* as x goes to 0, P goes as e^(a v + log_peak + a), and a v = (log x - mu) / (q sigma); q < 0: faster than any
     * power */
    settle_at_0(curve, q > 0.0 ? 1.0 / (q * sigma) : 2.0,
                pk_exp(curve->constants[LOG_PEAK] + curve->constants[SHAPE] - mu));
}

bool pk_hazard_curve_init(struct pk_hazard_curve *curve, enum pk_hazard_form form, const double *p,
                          const char **problem)
{
    PK_ASSERT(form < PK_HAZARD_FORM_COUNT);
    struct pk_hazard_curve made = {.form = form};
    for (int i = 0; i < pk_hazard_parameter_counts[form]; i++) {
        const struct domain *domain = domains[form][i];
        if (!(p[i] >= domain->lowest && p[i] <= domain->highest)) {
            if (problem)
                *problem = domain->problem;
            return false;
        }
        made.p[i] = p[i];
    }
    switch (form) {
    case PK_HAZARD_WEIBULL:
    case PK_HAZARD_LOG_LOGISTIC:
        made.constants[PER_SCALE] = 1.0 / p[1];
        made.constants[FRONT] = 1.0;
        settle_at_0(&made, p[0], made.constants[PER_SCALE]);
        break;
    case PK_HAZARD_WEIBULL_PH:
        made.constants[PER_SCALE] = 1.0;
        made.constants[FRONT] = p[1];
        settle_at_0(&made, p[0], p[1]);
        break;
    case PK_HAZARD_LOG_NORMAL:
        made.constants[PER_SD] = 1.0 / p[1];
        settle_at_0(&made, 2.0, 0.0);
        break;
    case PK_HAZARD_GAMMA:
        keep_gamma(&made, p[0]);
        settle_at_0(&made, p[0], p[1]);
        break;
    case PK_HAZARD_GENERALISED_GAMMA:
        settle_generalised_gamma(&made);
        break;
    default:
        break;
    }
    *curve = made;
    return true;
}

static double normal_range(double x)
{
    return x < DBL_MIN ? DBL_MIN : x > DBL_MAX ? DBL_MAX : x;
}

struct pk_hazard_curve pk_hazard_curve_scaled(const struct pk_hazard_curve *curve, double k)
{
    PK_ASSERT(k > 0.0 && k <= DBL_MAX);
    double p[PK_HAZARD_PARAMETERS_MAX] = {curve->p[0], curve->p[1], curve->p[2]};
    switch (curve->form) {
    case PK_HAZARD_CONSTANT:
        p[0] /= k;
        break;
    case PK_HAZARD_GOMPERTZ:
        p[0] /= k;
        p[1] /= k;
        break;
    case PK_HAZARD_WEIBULL:
    case PK_HAZARD_LOG_LOGISTIC:
        p[1] = normal_range(p[1] * k);
        break;
    case PK_HAZARD_WEIBULL_PH:
        p[1] = normal_range(pk_exp(pk_log(p[1]) - p[0] * pk_log(k)));
        break;
    case PK_HAZARD_LOG_NORMAL:
    case PK_HAZARD_GENERALISED_GAMMA:
        p[0] += pk_log(k);
        break;
    case PK_HAZARD_GAMMA:
        p[1] = normal_range(p[1] / k);
        break;
    default:
        PK_ASSERT(false);
    }
    struct pk_hazard_curve scaled = *curve;
    const bool good = pk_hazard_curve_init(&scaled, curve->form, p, NULL);
    PK_ASSERT(good);
    return scaled;
}

/* (e^(b x) - 1) / b: the integral of e^(b t) from 0 to x, whatever b. */
static double growth(double b, double x)
{
    const double t = b * x;
    /* the series' next term is below half a unit of the last place, and b may be 0 */
    if (fabs(t) < 0x1p-27)
        return x + 0.5 * t * x;
    return pk_expm1(t) / b;
}

/* log x on the log-normal's scale of standard deviations */
static double deviate(const struct pk_hazard_curve *curve, double x)
{
    return (pk_log(x) - curve->p[0]) * curve->constants[PER_SD];
}

/* (x / scale)^shape in logs */
static double log_power(const struct pk_hazard_curve *curve, double x)
{
    return curve->p[0] * pk_log(x * curve->constants[PER_SCALE]);
}

static struct pk_special_gamma_point gamma_point(const struct pk_hazard_curve *curve, double x)
{
    return pk_special_gamma_point(curve->p[0], x * curve->p[1]);
}

static struct pk_special_gamma_point generalised_gamma_point(const struct pk_hazard_curve *curve, double x)
{
    return pk_special_gamma_point_log((pk_log(x) - curve->p[0]) * curve->constants[Q_PER_SIGMA]);
}

static double log_logistic_rate(double shape, double power, double x)
{
    if (power > 0.0)
        return shape / (x * (1.0 + pk_exp(-power)));
    const double odds = pk_exp(power);
    return shape * (odds / x) / (1.0 + odds);
}

static double generalised_gamma_rate(const struct pk_hazard_curve *curve, double x)
{
    const struct pk_special_gamma gamma = pk_hazard_gamma(curve);
    const struct pk_special_gamma_point at = generalised_gamma_point(curve, x);
    const double per_log = curve->constants[Q_PER_SIGMA];
    return per_log > 0.0 ? per_log * pk_special_gamma_upper_slope(&gamma, at) / x
                         : -per_log * pk_special_gamma_lower_slope(&gamma, at) / x;
}

double pk_hazard_curve_rate(const struct pk_hazard_curve *curve, double x)
{
    if (curve->form == PK_HAZARD_CONSTANT)
        return curve->p[0];
    if (curve->form == PK_HAZARD_GOMPERTZ)
        return curve->p[1] == 0.0 ? 0.0 : curve->p[1] * pk_exp(curve->p[0] * x);
    if (x < curve->lowest)
        return x < 0.0 ? 0.0 : curve->rate_lowest;
    struct pk_special_gamma gamma;
    switch (pk_hazard_formula(curve)) {
    case PK_HAZARD_WEIBULL:
    case PK_HAZARD_WEIBULL_PH:
        return curve->p[0] * (curve->constants[FRONT] * pk_exp(log_power(curve, x)) / x);
    case PK_HAZARD_LOG_LOGISTIC:
        return log_logistic_rate(curve->p[0], log_power(curve, x), x);
    case PK_HAZARD_LOG_NORMAL:
        return pk_special_normal_hazard(deviate(curve, x)) * curve->constants[PER_SD] / x;
    case PK_HAZARD_GAMMA:
        gamma = pk_hazard_gamma(curve);
        return pk_special_gamma_upper_slope(&gamma, gamma_point(curve, x)) / x;
    default:
        return generalised_gamma_rate(curve, x);
    }
}

double pk_hazard_curve_cumulative(const struct pk_hazard_curve *curve, double x)
{
    if (curve->form == PK_HAZARD_CONSTANT)
        return curve->p[0] * x;
    if (curve->form == PK_HAZARD_GOMPERTZ)
        return curve->p[1] == 0.0 ? 0.0 : curve->p[1] * growth(curve->p[0], x);
    if (x <= 0.0)
        return 0.0;
    struct pk_special_gamma gamma;
    double power;
    switch (pk_hazard_formula(curve)) {
    case PK_HAZARD_WEIBULL:
    case PK_HAZARD_WEIBULL_PH:
        return curve->constants[FRONT] * pk_exp(log_power(curve, x));
    case PK_HAZARD_LOG_LOGISTIC:
        power = log_power(curve, x);
        return power > 0.0 ? power + pk_log1p(pk_exp(-power)) : pk_log1p(pk_exp(power));
    case PK_HAZARD_LOG_NORMAL:
        return -pk_special_normal_log_survival(deviate(curve, x));
    case PK_HAZARD_GAMMA:
        gamma = pk_hazard_gamma(curve);
        return pk_special_gamma_upper(&gamma, gamma_point(curve, x));
    default:
        gamma = pk_hazard_gamma(curve);
        return curve->constants[Q_PER_SIGMA] > 0.0 ? pk_special_gamma_upper(&gamma, generalised_gamma_point(curve, x))
                                                   : pk_special_gamma_lower(&gamma, generalised_gamma_point(curve, x));
    }
}

double pk_hazard_curve_between(const struct pk_hazard_curve *curve, double from, double to)
{
    if (to <= from)
        return 0.0;
    if (curve->form == PK_HAZARD_CONSTANT)
        return curve->p[0] * (to - from);
    if (curve->form == PK_HAZARD_GOMPERTZ) {
        const double start = pk_hazard_curve_rate(curve, from);
        return start == 0.0 ? 0.0 : start * growth(curve->p[0], to - from);
    }
    if (from <= 0.0)
        return pk_hazard_curve_cumulative(curve, to);
    const double before = pk_hazard_curve_cumulative(curve, from);
    if (before > DBL_MAX)
        return before;
    const bool has_power = curve->form == PK_HAZARD_WEIBULL || curve->form == PK_HAZARD_WEIBULL_PH ||
                           curve->form == PK_HAZARD_LOG_LOGISTIC;
    /* log (to / from)^shape; from 1 on the difference keeps its digits */
    const double grown = has_power ? curve->p[0] * pk_log1p((to - from) / from) : 1.0;
    if (grown < 1.0) {
        if (curve->form != PK_HAZARD_LOG_LOGISTIC)
            return before * pk_expm1(grown);
        return pk_log1p(pk_expm1(grown) / (1.0 + pk_exp(-log_power(curve, from))));
    }
    const double difference = pk_hazard_curve_cumulative(curve, to) - before;
    return difference < 0.0 ? 0.0 : difference;
}
