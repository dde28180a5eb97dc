/* The distribution of a parameter: beside its range, of the value as given. See load.h and uncertainty.h. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "load_private.h"
#include "polku/elementary.h"
#include "polku/special.h"
#include "polku/text.h"
#include "polku/uncertainty.h"

/* Beyond these the quantiles' errors are not known (special.h). */
static const double SHAPE_LOW = 1e-3, SHAPE_HIGH = 1e6;
static const double MOST = 1e15;

static bool read_above_0(const struct pk_reader *r, double *value)
{
    if (!pk_reader_double_in(r, -MOST, MOST, value))
        return false;
    if (!(*value > 0.0))
        pk_reader_problem(r, NULL, "is %g, expected a number above 0", *value);
    return *value > 0.0;
}

/* A list of n numbers into at[]. */
static bool read_list(const struct pk_reader *r, size_t n, const char *needs, double *at)
{
    if (!pk_reader_expect(r, PK_YAML_SEQUENCE, needs))
        return false;
    if (pk_reader_count(r) != n) {
        pk_reader_problem(r, NULL, "has %zu numbers, expected %s", pk_reader_count(r), needs);
        return false;
    }
    bool good = true;
    for (size_t i = 0; i < n; i++) {
        const struct pk_reader item = pk_reader_item(r, i);
        good &= pk_reader_double_in(&item, -MOST, MOST, &at[i]);
    }
    return good;
}

/* {mean: m, sd: s} */
static bool read_moments(const struct pk_reader *r, double *mean, double *sd)
{
    static const char *const keys[] = {"mean", "sd", NULL};
    struct pk_reader child;
    if (!pk_reader_allow(r, keys))
        return false;
    const bool good = pk_reader_need(r, "mean", &child) && read_above_0(&child, mean);
    return pk_reader_need(r, "sd", &child) && read_above_0(&child, sd) && good;
}

static bool shape_in_reach(const struct pk_reader *r, const char *what, double shape)
{
    if (shape >= SHAPE_LOW && shape <= SHAPE_HIGH)
        return true;
    pk_reader_problem(r, NULL, "has the %s %.6g, expected one from %g to %g", what, shape, SHAPE_LOW, SHAPE_HIGH);
    return false;
}

static bool read_beta(const struct pk_reader *r, double *at)
{
    double mean, sd;
    if (pk_reader_is(r, PK_YAML_MAPPING)) {
        if (!read_moments(r, &mean, &sd))
            return false;
        const double size = mean * (1.0 - mean) / (sd * sd) - 1.0;
        if (!(mean < 1.0 && size > 0.0)) {
            pk_reader_problem(r, "sd^2 must be below mean (1 - mean)", "no beta distribution has mean %g and sd %g",
                              mean, sd);
            return false;
        }
        at[0] = mean * size;
        at[1] = (1.0 - mean) * size;
    } else if (!read_list(r, 2, "[a, b] or {mean: ..., sd: ...}", at)) {
        return false;
    }
    return shape_in_reach(r, "shape", at[0]) && shape_in_reach(r, "shape", at[1]);
}

static bool read_gamma(const struct pk_reader *r, double *at)
{
    double mean, sd;
    if (pk_reader_is(r, PK_YAML_MAPPING)) {
        if (!read_moments(r, &mean, &sd))
            return false;
        at[0] = (mean / sd) * (mean / sd);
        at[1] = mean / (sd * sd);
    } else if (!read_list(r, 2, "[shape, rate] or {mean: ..., sd: ...}", at)) {
        return false;
    }
    if (shape_in_reach(r, "shape", at[0]) && at[1] > 0.0)
        return true;
    if (!(at[1] > 0.0))
        pk_reader_problem(r, NULL, "has the rate %g, expected one above 0", at[1]);
    return false;
}

/* {low: l, high: h}: the middle 95 % */
static bool read_interval(const struct pk_reader *r, double *at)
{
    static const char *const keys[] = {"low", "high", NULL};
    struct pk_reader child;
    double low, high;
    if (!pk_reader_allow(r, keys))
        return false;
    bool good = pk_reader_need(r, "low", &child) && read_above_0(&child, &low);
    good = pk_reader_need(r, "high", &child) && read_above_0(&child, &high) && good;
    if (good && !(low < high)) {
        pk_reader_problem(r, NULL, "has low %g and high %g, expected low below high", low, high);
        return false;
    }
    if (good) {
        at[0] = sqrt(low) * sqrt(high);
        at[1] = (pk_log(high) - pk_log(low)) / (2.0 * pk_special_normal_quantile(0.975));
    }
    return good;
}

static bool read_log_normal(const struct pk_reader *r, double *at)
{
    if (pk_reader_is(r, PK_YAML_MAPPING))
        return read_interval(r, at);
    if (!read_list(r, 2, "[median, standard deviation of the log] or {low: ..., high: ...}", at))
        return false;
    if (at[0] > 0.0 && at[1] > 0.0 && at[1] <= 20.0)
        return true;
    pk_reader_problem(r, NULL,
                      "[%g, %g], expected a median above 0 and a standard deviation of the log above 0, at "
                      "most 20",
                      at[0], at[1]);
    return false;
}

static bool read_normal(const struct pk_reader *r, double *at)
{
    const bool cut = pk_reader_count(r) != 2;
    at[2] = -(double)INFINITY;
    at[3] = (double)INFINITY;
    if (!read_list(r, cut ? 4 : 2, "[mean, sd] or [mean, sd, low, high]", at))
        return false;
    if (!(at[1] > 0.0)) {
        pk_reader_problem(r, NULL, "has the standard deviation %g, expected one above 0", at[1]);
        return false;
    }
    if (!cut)
        return true;
    if (!(at[2] < at[3])) {
        pk_reader_problem(r, NULL, "has low %g and high %g, expected low below high", at[2], at[3]);
        return false;
    }
    const double z_low = (at[2] - at[0]) / at[1], z_high = (at[3] - at[0]) / at[1];
    const double outside =
        pk_exp(pk_special_normal_log_survival(-z_low)) + pk_exp(pk_special_normal_log_survival(z_high));
    if (outside <= 0.999)
        return true;
    pk_reader_problem(r, "move the mean, or give another distribution between these ends",
                      "leaves less than 0.001 of the distribution between %g and %g", at[2], at[3]);
    return false;
}

/* low, mode, high or low, high, ascending */
static bool read_ends(const struct pk_reader *r, size_t n, double *at)
{
    if (!read_list(r, n, n == 3 ? "[low, mode, high]" : "[low, high]", at))
        return false;
    const bool ordered = n == 3 ? at[0] <= at[1] && at[1] <= at[2] && at[0] < at[2] : at[0] < at[1];
    if (!ordered)
        pk_reader_problem(r, NULL, "is not ascending, expected %s",
                          n == 3 ? "low <= mode <= high, and low below high" : "low below high");
    return ordered;
}

/* {VALUE, ALTERNATIVE or life: share} */
static bool read_discrete(struct pk_load *load, const struct pk_reader *r, const struct pk_parameter *parameter,
                          struct pk_uncertainty *made)
{
    const size_t n = pk_reader_count(r);
    if (!pk_reader_expect(r, PK_YAML_MAPPING, "a mapping of values, or of names of alternatives, to shares"))
        return false;
    double *values = pk_load_alloc(load, n, sizeof *values), *shares = pk_load_alloc(load, n, sizeof *shares);
    double sum = 0.0;
    bool good = values != NULL && shares != NULL;
    for (size_t i = 0; i < n && values != NULL && shares != NULL; i++) {
        const struct pk_reader item = pk_reader_item(r, i);
        struct pk_error error;
        char what[PK_SOURCE_PATH_SIZE];
        double value, share;
        if (pk_model_value(parameter, pk_reader_key(r, i), &value, NULL, &error) != PK_OK) {
            pk_load_problem_at_key(r, i, error.hint[0] != '\0' ? error.hint : NULL, error.message);
            good = false;
            continue;
        }
        if (!read_above_0(&item, &share)) {
            good = false;
            continue;
        }
        size_t k = made->n_values++;
        for (; k > 0 && values[k - 1] > value; k--) {
            values[k] = values[k - 1];
            shares[k] = shares[k - 1];
        }
        values[k] = value;
        shares[k] = share;
        sum += share;
        if (k > 0 && values[k - 1] == value) {
            snprintf(what, sizeof what, "is %g, which is there already", value);
            pk_load_problem_at_key(r, i, NULL, what);
            good = false;
        }
    }
    made->values = values;
    made->shares = shares;
    if (good && !(sum >= 1 - 1e-9 && sum <= 1 + 1e-9)) {
        pk_reader_problem(r, NULL, "has shares that add up to %.12g, expected 1", sum);
        good = false;
    }
    return good;
}

bool pk_load_drawn_fits(const struct pk_parameter *parameter, double low, double high, char *what, size_t size)
{
    double least, most;
    pk_unit_interval(parameter->given_unit, &least, &most);
    if (low < least || (high > most && !(parameter->given_unit == PK_UNIT_YEARS && isinf(high))))
        snprintf(what, size, "may come out as far as %g and %g, outside [%g, %g], which the unit %s allows", low, high,
                 least, most, pk_unit_names[parameter->given_unit]);
    else if (parameter->given == PK_GIVEN_PROBABILITY && high >= 1)
        snprintf(what, size, "may come out as 1, which no finite hazard gives");
    else if (parameter->given == PK_GIVEN_MEAN_DURATION && (low < 1e-6 || high > 1e6))
        snprintf(what, size, "may come out as far as %g and %g, outside [1e-06, 1e+06], where mean durations are", low,
                 high);
    else
        return true;
    return false;
}

/* Every value that can be drawn is one that the parameter may have. */
static bool fits(const struct pk_reader *r, const struct pk_parameter *parameter, const struct pk_uncertainty *made)
{
    const double least = pk_uncertainty_quantile(made, 0), most = pk_uncertainty_quantile(made, 1);
    char what[PK_SOURCE_PATH_SIZE];
    double low, high;
    pk_unit_interval(parameter->given_unit, &low, &high);
    /* What has no end fits where the unit's end is no more than a bound on what makes sense, such as 1e6 a year: then
     * it is the most extreme values that a uniform gives which must lie within. */
    const bool below = isinf(least) ? low >= 0 : least < low, above = isinf(most) ? high <= 1 : most > high;
    if (below || above) {
        pk_reader_problem(r, "cut it off, or give another distribution",
                          "reaches from %g to %g, outside [%g, %g], which the unit %s allows", least, most, low, high,
                          pk_unit_names[parameter->given_unit]);
        return false;
    }
    if (parameter->given_unit == PK_UNIT_SWITCH && made->kind != PK_UNCERTAINTY_DISCRETE) {
        pk_reader_problem(r, "write {discrete: {0: ..., 1: ...}}", "lies between 0 and 1, a switch is 0 or 1");
        return false;
    }
    if (!pk_load_drawn_fits(parameter, pk_uncertainty_quantile(made, 0x1p-53),
                            pk_uncertainty_quantile(made, 1 - 0x1p-53), what, sizeof what)) {
        const bool duration = parameter->given == PK_GIVEN_MEAN_DURATION;
        pk_reader_problem(r, duration ? "a log-normal distribution keeps away from 0" : NULL, "%s", what);
        return false;
    }
    if (parameter->values != NULL && (parameter->values[0] < least || parameter->values[0] > most)) {
        pk_reader_problem(r, NULL, "reaches from %g to %g, which does not hold the value %g", least, most,
                          parameter->values[0]);
        return false;
    }
    return true;
}

void pk_load_uncertainty(struct pk_load *load, const struct pk_reader *r, struct pk_parameter *parameter)
{
    static const char *const kinds[] = {"beta",       "gamma",   "log_normal", "normal",
                                        "triangular", "uniform", "pert",       "discrete"};
    static const char all[] = "one of beta, gamma, log_normal, normal, triangular, uniform, pert, discrete";
    static const char what[] = "a distribution (beta, gamma, log_normal, normal, triangular, uniform, pert, discrete)";
    struct pk_reader distribution;
    size_t i_kind;
    if (!pk_reader_find(r, "distribution", &distribution) || !pk_reader_expect(&distribution, PK_YAML_MAPPING, all))
        return;
    if (parameter->n_values > 1) {
        pk_reader_problem(&distribution, "scale the table by a ratio that has a distribution",
                          "a table has no distribution of its own");
        return;
    }
    if (pk_reader_count(&distribution) != 1) {
        pk_reader_problem(&distribution, NULL, "has %zu entries, expected %s", pk_reader_count(&distribution), all);
        return;
    }
    if (!pk_load_key(load, &distribution, 0, kinds, PK_UNCERTAINTY_COUNT, what, &i_kind))
        return;
    struct pk_uncertainty *made = pk_load_alloc(load, 1, sizeof *made);
    const struct pk_reader of = pk_reader_item(&distribution, 0);
    if (made == NULL)
        return;
    made->kind = (enum pk_uncertainty_kind)i_kind;
    bool good = false;
    switch (made->kind) {
    case PK_UNCERTAINTY_BETA:
        good = read_beta(&of, made->at);
        break;
    case PK_UNCERTAINTY_GAMMA:
        good = read_gamma(&of, made->at);
        break;
    case PK_UNCERTAINTY_LOG_NORMAL:
        good = read_log_normal(&of, made->at);
        break;
    case PK_UNCERTAINTY_NORMAL:
        good = read_normal(&of, made->at);
        break;
    case PK_UNCERTAINTY_UNIFORM:
        good = read_ends(&of, 2, made->at);
        break;
    case PK_UNCERTAINTY_DISCRETE:
        good = read_discrete(load, &of, parameter, made);
        break;
    default:
        good = read_ends(&of, 3, made->at);
    }
    if (good && fits(&of, parameter, made))
        parameter->uncertainty = made;
}
