/* Distributions of uncertain parameters: quantiles, moments, texts. See uncertainty.h.
 *
 * No libm: what a quantile gives is a value that lives depend on. */
#include "polku/uncertainty.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "polku/elementary.h"
#include "polku/special.h"

const char *const pk_uncertainty_names[PK_UNCERTAINTY_COUNT] = {"beta",       "gamma",   "log_normal", "normal",
                                                                "triangular", "uniform", "pert",       "discrete"};

/* low + (high - low) share, within them also where that rounds past high */
static double between(double low, double high, double share)
{
    const double value = low + (high - low) * share;
    return value > high ? high : value < low ? low : value;
}

/* Phi(z) without loss in either tail */
static double normal_below(double z)
{
    return pk_exp(pk_special_normal_log_survival(-z));
}

/* Both tails of the uniform's place between the cuts are sums of what is positive, so neither loses digits. */
static double normal_quantile(const double *at, double u)
{
    const double z_low = (at[2] - at[0]) / at[1], z_high = (at[3] - at[0]) / at[1];
    if (u <= 0.0)
        return at[2];
    if (u >= 1.0)
        return at[3];
    const double below = (1.0 - u) * normal_below(z_low) + u * normal_below(z_high);
    const double above = (1.0 - u) * normal_below(-z_low) + u * normal_below(-z_high);
    const double z = below < above ? -pk_special_normal_quantile_log_survival(pk_log(below))
                                   : pk_special_normal_quantile_log_survival(pk_log(above));
    const double value = at[0] + at[1] * z;
    return value > at[3] ? at[3] : value < at[2] ? at[2] : value;
}

static double triangular_quantile(double low, double mode, double high, double u)
{
    const double width = high - low;
    if (u * width < mode - low)
        return between(low, high, sqrt(u * (mode - low) / width));
    return width > 0.0 ? high - width * sqrt((1.0 - u) * (high - mode) / width) : low;
}

/* Shapes of the beta distribution of a PERT one, which need a width above 0. */
static void pert_shapes(const double *at, double *a, double *b)
{
    *a = 1.0 + 4.0 * (at[1] - at[0]) / (at[2] - at[0]);
    *b = 1.0 + 4.0 * (at[2] - at[1]) / (at[2] - at[0]);
}

static double discrete_quantile(const struct pk_uncertainty *uncertainty, double u)
{
    double sum = 0.0;
    for (size_t i = 0; i + 1 < uncertainty->n_values; i++) {
        sum += uncertainty->shares[i];
        if (u < sum)
            return uncertainty->values[i];
    }
    return uncertainty->values[uncertainty->n_values - 1];
}

double pk_uncertainty_quantile(const struct pk_uncertainty *uncertainty, double u)
{
    const double *at = uncertainty->at;
    double a, b;
    switch (uncertainty->kind) {
    case PK_UNCERTAINTY_BETA:
        return pk_special_beta_quantile(at[0], at[1], u);
    case PK_UNCERTAINTY_GAMMA:
        return pk_special_gamma_quantile(at[0], u) / at[1];
    case PK_UNCERTAINTY_LOG_NORMAL:
        return u <= 0.0 ? 0.0 : at[0] * pk_exp(at[1] * pk_special_normal_quantile(u));
    case PK_UNCERTAINTY_NORMAL:
        return normal_quantile(at, u);
    case PK_UNCERTAINTY_TRIANGULAR:
        return triangular_quantile(at[0], at[1], at[2], u);
    case PK_UNCERTAINTY_UNIFORM:
        return between(at[0], at[1], u);
    case PK_UNCERTAINTY_PERT:
        if (!(at[2] > at[0]))
            return at[0];
        pert_shapes(at, &a, &b);
        return between(at[0], at[2], pk_special_beta_quantile(a, b, u));
    default:
        return discrete_quantile(uncertainty, u);
    }
}

static double beta_variance(double a, double b)
{
    return a * b / ((a + b) * (a + b) * (a + b + 1.0));
}

/* Of a normal distribution cut off: the mean's distance from the uncut one's and the variance's ratio, both in its
 * standard deviations (Johnson, Kotz and Balakrishnan 1994, Continuous univariate distributions 1, 13.10.1). */
static void cut_moments(const double *at, double *shift, double *ratio)
{
    const double z[2] = {(at[2] - at[0]) / at[1], (at[3] - at[0]) / at[1]};
    double density[2], moment[2];
    for (int i = 0; i < 2; i++) {
        const bool cut = !isinf(z[i]);
        density[i] = cut ? 0x1.9884533d43651p-2 * pk_exp(-0.5 * z[i] * z[i]) : 0.0;
        moment[i] = cut ? z[i] * density[i] : 0.0;
    }
    const double mass =
        z[0] > 0.0 ? normal_below(-z[0]) - normal_below(-z[1]) : normal_below(z[1]) - normal_below(z[0]);
    *shift = (density[0] - density[1]) / mass;
    *ratio = 1.0 + (moment[0] - moment[1]) / mass - *shift * *shift;
}

double pk_uncertainty_mean(const struct pk_uncertainty *uncertainty)
{
    const double *at = uncertainty->at;
    double shift, ratio, sum = 0.0;
    switch (uncertainty->kind) {
    case PK_UNCERTAINTY_BETA:
        return at[0] / (at[0] + at[1]);
    case PK_UNCERTAINTY_GAMMA:
        return at[0] / at[1];
    case PK_UNCERTAINTY_LOG_NORMAL:
        return at[0] * pk_exp(0.5 * at[1] * at[1]);
    case PK_UNCERTAINTY_NORMAL:
        cut_moments(at, &shift, &ratio);
        return at[0] + at[1] * shift;
    case PK_UNCERTAINTY_TRIANGULAR:
        return (at[0] + at[1] + at[2]) / 3.0;
    case PK_UNCERTAINTY_UNIFORM:
        return 0.5 * (at[0] + at[1]);
    case PK_UNCERTAINTY_PERT:
        return (at[0] + 4.0 * at[1] + at[2]) / 6.0;
    default:
        for (size_t i = 0; i < uncertainty->n_values; i++)
            sum += uncertainty->shares[i] * uncertainty->values[i];
        return sum;
    }
}

double pk_uncertainty_variance(const struct pk_uncertainty *uncertainty)
{
    const double *at = uncertainty->at;
    double a, b, shift, ratio, sum = 0.0;
    switch (uncertainty->kind) {
    case PK_UNCERTAINTY_BETA:
        return beta_variance(at[0], at[1]);
    case PK_UNCERTAINTY_GAMMA:
        return at[0] / (at[1] * at[1]);
    case PK_UNCERTAINTY_LOG_NORMAL:
        return at[0] * at[0] * pk_exp(at[1] * at[1]) * pk_expm1(at[1] * at[1]);
    case PK_UNCERTAINTY_NORMAL:
        cut_moments(at, &shift, &ratio);
        return at[1] * at[1] * ratio;
    case PK_UNCERTAINTY_TRIANGULAR:
        a = at[1] - at[0];
        b = at[2] - at[0];
        return (a * a + b * b - a * b) / 18.0;
    case PK_UNCERTAINTY_UNIFORM:
        return (at[1] - at[0]) * (at[1] - at[0]) / 12.0;
    case PK_UNCERTAINTY_PERT:
        if (!(at[2] > at[0]))
            return 0.0;
        pert_shapes(at, &a, &b);
        return (at[2] - at[0]) * (at[2] - at[0]) * beta_variance(a, b);
    default:
        a = pk_uncertainty_mean(uncertainty);
        for (size_t i = 0; i < uncertainty->n_values; i++)
            sum += uncertainty->shares[i] * (uncertainty->values[i] - a) * (uncertainty->values[i] - a);
        return sum;
    }
}

void pk_uncertainty_text(const struct pk_uncertainty *uncertainty, char text[PK_UNCERTAINTY_TEXT_SIZE])
{
    static const int n_arguments[PK_UNCERTAINTY_COUNT] = {2, 2, 2, 4, 3, 2, 3, 0};
    const double *at = uncertainty->at;
    int n = n_arguments[uncertainty->kind];
    if (uncertainty->kind == PK_UNCERTAINTY_NORMAL && isinf(at[2]) && isinf(at[3]))
        n = 2;
    size_t used = (size_t)snprintf(text, PK_UNCERTAINTY_TEXT_SIZE, "%s(", pk_uncertainty_names[uncertainty->kind]);
    for (int i = 0; i < n; i++)
        used += (size_t)snprintf(text + used, PK_UNCERTAINTY_TEXT_SIZE - used, "%s%.6g", i > 0 ? ", " : "", at[i]);
    for (size_t i = 0; i < uncertainty->n_values; i++) {
        char one[64], value[32];
        snprintf(value, sizeof value, isinf(uncertainty->values[i]) ? "life" : "%.6g", uncertainty->values[i]);
        const int size = snprintf(one, sizeof one, "%s%s: %.6g", i > 0 ? ", " : "", value, uncertainty->shares[i]);
        if (used + (size_t)size + 6 > PK_UNCERTAINTY_TEXT_SIZE) {
            used += (size_t)snprintf(text + used, PK_UNCERTAINTY_TEXT_SIZE - used, "...");
            break;
        }
        used += (size_t)snprintf(text + used, PK_UNCERTAINTY_TEXT_SIZE - used, "%s", one);
    }
    snprintf(text + used, PK_UNCERTAINTY_TEXT_SIZE - used, ")");
}

bool pk_uncertainty_from_range(const struct pk_parameter *parameter, enum pk_uncertainty_kind kind,
                               struct pk_uncertainty *made)
{
    const double low = parameter->low, high = parameter->high;
    if (!parameter->has_range || parameter->given_unit == PK_UNIT_SWITCH || isinf(low) || isinf(high))
        return false;
    *made = (struct pk_uncertainty){.kind = kind, .at = {low, parameter->values[0], high}};
    if (kind == PK_UNCERTAINTY_UNIFORM)
        made->at[1] = high;
    return kind == PK_UNCERTAINTY_UNIFORM || kind == PK_UNCERTAINTY_TRIANGULAR || kind == PK_UNCERTAINTY_PERT;
}

const struct pk_uncertainty *pk_uncertainty_of(const struct pk_parameter *parameter, struct pk_uncertainty *room)
{
    if (parameter->uncertainty != NULL)
        return parameter->uncertainty;
    return pk_uncertainty_from_range(parameter, PK_UNCERTAINTY_PERT, room) ? room : NULL;
}
