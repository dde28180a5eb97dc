/* Standard errors from batches, and quantiles. See stats.h. */
#include "polku/stats.h"

#include <math.h>

struct pk_mean pk_stats_batch_ratio(const double *y, const double *x, size_t n_batches, size_t stride)
{
    struct pk_mean result = {(double)NAN, (double)NAN};
    double sum_y = 0.0, sum_x = 0.0;
    for (size_t b = 0; b < n_batches; b++) {
        sum_y += y[b * stride];
        sum_x += x[b * stride];
    }
    if (sum_x == 0.0)
        return result;
    result.mean = sum_y / sum_x;
    if (n_batches < 2)
        return result;
    double squares = 0.0;
    for (size_t b = 0; b < n_batches; b++) {
        const double residual = y[b * stride] - result.mean * x[b * stride];
        squares += residual * residual;
    }
    const double n = (double)n_batches;
    result.standard_error = sqrt(n / (n - 1.0) * squares) / fabs(sum_x);
    return result;
}

struct pk_mean pk_stats_batch_ratio_difference(const double *a_y, const double *a_x, const double *b_y,
                                               const double *b_x, size_t n_batches, size_t stride)
{
    struct pk_mean result = {(double)NAN, (double)NAN};
    double sums[4] = {0.0};
    for (size_t b = 0; b < n_batches; b++) {
        sums[0] += a_y[b * stride];
        sums[1] += a_x[b * stride];
        sums[2] += b_y[b * stride];
        sums[3] += b_x[b * stride];
    }
    if (sums[1] == 0.0 || sums[3] == 0.0)
        return result;
    const double a = sums[0] / sums[1], b_ratio = sums[2] / sums[3];
    result.mean = a - b_ratio;
    if (n_batches < 2)
        return result;
    double squares = 0.0;
    for (size_t b = 0; b < n_batches; b++) {
        const double residual =
            (a_y[b * stride] - a * a_x[b * stride]) / sums[1] - (b_y[b * stride] - b_ratio * b_x[b * stride]) / sums[3];
        squares += residual * residual;
    }
    const double n = (double)n_batches;
    result.standard_error = sqrt(n / (n - 1.0) * squares);
    return result;
}

/* A mean per unit is the ratio of two totals: units vary between batches as much as totals do. */
struct pk_mean pk_stats_batch_mean(const double *totals, const double *units, size_t n_batches, size_t stride)
{
    return pk_stats_batch_ratio(totals, units, n_batches, stride);
}

double pk_stats_standard_deviation(const double *values, size_t n_values, size_t stride)
{
    if (n_values < 2)
        return (double)NAN;
    double sum = 0.0, squares = 0.0;
    for (size_t i = 0; i < n_values; i++)
        sum += values[i * stride];
    const double mean = sum / (double)n_values;
    for (size_t i = 0; i < n_values; i++) {
        const double deviation = values[i * stride] - mean;
        squares += deviation * deviation;
    }
    return sqrt(squares / (double)(n_values - 1));
}

struct pk_mean pk_stats_moments_mean(const struct pk_moments *moments)
{
    struct pk_mean result = {(double)NAN, (double)NAN};
    if (moments->n == 0.0)
        return result;
    const double mean = moments->y / moments->n;
    result.mean = mean;
    if (moments->batches < 2.0)
        return result;
    double squares = moments->yy - 2.0 * mean * moments->ny + mean * mean * moments->nn;
    /* rounding may leave a little below zero where all batches agree */
    if (squares < 0.0)
        squares = 0.0;
    result.standard_error = sqrt(moments->batches / (moments->batches - 1.0) * squares) / fabs(moments->n);
    return result;
}

struct pk_mean pk_stats_moments_total(const struct pk_moments *moments, bool vary)
{
    struct pk_mean result = pk_stats_moments_mean(moments);
    result.mean = moments->y;
    result.standard_error *= moments->n;
    if (!vary || moments->batches < 2.0)
        return result;
    double squares = moments->yy - moments->y * moments->y / moments->batches;
    if (squares < 0.0)
        squares = 0.0;
    result.standard_error = sqrt(moments->batches / (moments->batches - 1.0) * squares);
    return result;
}

int pk_stats_ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double pk_stats_quantile(const double *sorted, size_t n_values, double p)
{
    if (n_values == 0)
        return (double)NAN;
    const double at = p * (double)(n_values - 1);
    const size_t i = (size_t)at;
    return i + 1 < n_values ? sorted[i] + (at - (double)i) * (sorted[i + 1] - sorted[i]) : sorted[n_values - 1];
}
