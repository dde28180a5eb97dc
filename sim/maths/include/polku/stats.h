/* Standard errors from batches, and quantiles. Floating point in a fixed order: same bits for any number of threads. */
#ifndef PK_STATS_H
#define PK_STATS_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* All arrays are read at [b * stride], stride in doubles (1: contiguous).
 *
 * Totals y[b] over n[b] units (persons) in b = 0..n_batches-1. The estimated mean per unit is sum y / sum n, its
 * standard error that of a ratio of totals (Cochran 1977, eq. 6.13):
 *   se^2 = B / (B - 1) sum_b (y_b - m n_b)^2 / (sum n)^2,  nan for fewer than two batches. */
struct pk_mean {
    double mean;
    double standard_error;
};
struct pk_mean pk_stats_batch_mean(const double *totals, const double *units, size_t n_batches, size_t stride);

/* The ratio sum y / sum x of two batch totals with its delta-method standard error; nan where sum x is 0. */
struct pk_mean pk_stats_batch_ratio(const double *y, const double *x, size_t n_batches, size_t stride);

/* The difference of two such ratios of the same batches, a_y / a_x - b_y / b_x, by the delta method: the residuals
 * (a_y - A a_x) / sum a_x - (b_y - B b_x) / sum b_x of each batch add up to 0; se^2 = B / (B - 1) x their squares. */
struct pk_mean pk_stats_batch_ratio_difference(const double *a_y, const double *a_x, const double *b_y,
                                               const double *b_x, size_t n_batches, size_t stride);

/* Standard deviation of the batch totals themselves, with B - 1; nan for fewer than two. */
double pk_stats_standard_deviation(const double *values, size_t n_values, size_t stride);

/* The same mean from running sums over batches: n_batches, sum n, sum n^2, sum y, sum y^2, sum n y. The
 * residuals come out of these by subtraction: se^2 keeps the digits of the sums less those of yy / sum (y - m n)^2. */
struct pk_moments {
    double batches, n, nn, y, yy, ny;
};
struct pk_mean pk_stats_moments_mean(const struct pk_moments *moments);
/* The sum of y over all batches. vary: how many people there are is left to chance, batch by batch, and is part of the
 * error; else their sum is fixed, and the error is that of the mean times it. */
struct pk_mean pk_stats_moments_total(const struct pk_moments *moments, bool vary);

/* Orders doubles for qsort. */
int pk_stats_ascending(const void *a, const void *b);
/* The p-quantile of values in ascending order, between the two nearest (type 7 of Hyndman and Fan 1996); nan of none.
 */
double pk_stats_quantile(const double *sorted, size_t n_values, double p);

/* Quantile of the standard normal distribution is GSL's business; this is the two-sided 95 % factor. */
#define PK_NORMAL_95 1.959963984540054

#ifdef __cplusplus
}
#endif
#endif
