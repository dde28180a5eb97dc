/* Comparing the arms of a result file: figures. See compare.h; reading: compare_read.c; printing: compare_print.c. */
#include "polku/compare.h"

#include <math.h>
#include <string.h>

static const double *series(const struct pk_compare_set *set, size_t i_arm, size_t i_outcome)
{
    return set->values + i_arm * set->n_outcomes + i_outcome;
}

static struct pk_mean scaled(struct pk_mean mean, double scale)
{
    return (struct pk_mean){.mean = mean.mean * scale, .standard_error = mean.standard_error * scale};
}

static bool is_ratio(const struct pk_compare_set *set, size_t i_outcome)
{
    return set->denominators != NULL && set->ratios[i_outcome] != 0;
}

static const double *below(const struct pk_compare_set *set, size_t i_arm, size_t i_outcome)
{
    return set->denominators + i_arm * set->n_outcomes + i_outcome;
}

struct pk_mean pk_compare_sum(const struct pk_compare_set *set, size_t i_arm, size_t i_against,
                              const size_t *i_outcomes, size_t n)
{
    /* the mean per person; units without people count for nothing */
    const size_t stride = set->n_arms * set->n_outcomes;
    struct pk_moments moments = {.batches = (double)set->n_units};
    for (size_t u = 0; u < set->n_units; u++) {
        double value = 0, persons = set->persons[u];
        for (size_t i = 0; i < n; i++)
            value += series(set, i_arm, i_outcomes[i])[u * stride] -
                     (i_against == SIZE_MAX ? 0 : series(set, i_against, i_outcomes[i])[u * stride]);
        moments.n += persons;
        moments.nn += persons * persons;
        moments.y += value;
        moments.yy += value * value;
        moments.ny += persons * value;
    }
    const double n_replications = moments.n / set->scale; /* where figures are told for all people */
    return set->vary ? scaled(pk_stats_moments_total(&moments, true), 1 / n_replications)
                     : scaled(pk_stats_moments_mean(&moments), set->scale);
}

struct pk_mean pk_compare_arm(const struct pk_compare_set *set, size_t i_arm, size_t i_outcome)
{
    if (is_ratio(set, i_outcome))
        return pk_stats_batch_ratio(series(set, i_arm, i_outcome), below(set, i_arm, i_outcome), set->n_units,
                                    set->n_arms * set->n_outcomes);
    return pk_compare_sum(set, i_arm, SIZE_MAX, &i_outcome, 1);
}

struct pk_mean pk_compare_difference(const struct pk_compare_set *set, struct pk_compare_pair pair, size_t i_outcome)
{
    if (is_ratio(set, i_outcome))
        return pk_stats_batch_ratio_difference(series(set, pair.i_arm, i_outcome), below(set, pair.i_arm, i_outcome),
                                               series(set, pair.i_against, i_outcome),
                                               below(set, pair.i_against, i_outcome), set->n_units,
                                               set->n_arms * set->n_outcomes);
    return pk_compare_sum(set, pair.i_arm, pair.i_against, &i_outcome, 1);
}

struct pk_mean pk_compare_share(const struct pk_compare_set *set, struct pk_compare_pair pair, size_t i_outcome)
{
    return pk_stats_batch_ratio(series(set, pair.i_against, i_outcome), series(set, pair.i_arm, i_outcome),
                                set->n_units, set->n_arms * set->n_outcomes);
}

double pk_compare_spread(const struct pk_compare_set *set, size_t i_arm, size_t i_outcome)
{
    if (is_ratio(set, i_outcome))
        return (double)NAN;
    return pk_stats_standard_deviation(series(set, i_arm, i_outcome), set->n_units, set->n_arms * set->n_outcomes);
}

struct pk_mean pk_compare_euros(const struct pk_compare_set *set, struct pk_compare_pair pair, size_t i_outcome)
{
    struct pk_mean difference = pk_compare_difference(set, pair, i_outcome);
    double cost = (set->costs[pair.i_arm] - set->costs[pair.i_against]) * set->scale;
    if (!(difference.mean > 0) || !(difference.mean - PK_NORMAL_95 * difference.standard_error > 0))
        return (struct pk_mean){.mean = (double)NAN, .standard_error = (double)NAN};
    double euros = cost / difference.mean;
    return (struct pk_mean){.mean = euros, .standard_error = fabs(euros) * difference.standard_error / difference.mean};
}

bool pk_compare_euros_range(const struct pk_comparison *comparison, struct pk_compare_pair pair, size_t i_outcome,
                            double *low, double *high)
{
    bool any = false;
    *low = *high = pk_compare_euros(&comparison->main, pair, i_outcome).mean;
    for (size_t v = 0; v < comparison->n_variants; v++) {
        if (strcmp(comparison->variant_topics[v], "range") != 0)
            continue;
        double euros = pk_compare_euros(&comparison->variants[v], pair, i_outcome).mean;
        any = true;
        *low = euros < *low ? euros : *low;
        *high = isnan(euros) || euros > *high ? euros : *high; /* once not meaningful, the high end stays so */
    }
    return any;
}

bool pk_compare_range(const struct pk_comparison *comparison, struct pk_compare_pair pair, size_t i_outcome,
                      double *low, double *high)
{
    bool any = false;
    *low = *high = pk_compare_difference(&comparison->main, pair, i_outcome).mean;
    for (size_t v = 0; v < comparison->n_variants; v++) {
        if (strcmp(comparison->variant_topics[v], "range") != 0)
            continue;
        double mean = pk_compare_difference(&comparison->variants[v], pair, i_outcome).mean;
        if (isnan(mean))
            continue;
        any = true;
        *low = mean < *low ? mean : *low;
        *high = mean > *high ? mean : *high;
    }
    return any;
}
