/* What the analyses share: keyed resamples, their summary, small linear algebra. See polku/sensitivity.h. */
#ifndef PK_SENSITIVITY_PRIVATE_H
#define PK_SENSITIVITY_PRIVATE_H

#include "polku/sensitivity.h"

/* values[n_values] of the rows weighted with how often each was drawn; all 1: the estimate itself. */
typedef void pk_resampled(const double *weights, void *data, double *values);

/* Estimates and intervals of n_values statistics of n_rows rows. Fewer than two rows: no intervals. */
enum pk_status pk_bootstrap(const struct pk_sensitivity_bootstrap *bootstrap, size_t n_rows, pk_resampled *statistic,
                            void *data, size_t n_values, struct pk_sensitivity_estimate *estimates,
                            struct pk_error *error);

/* In place: a symmetric positive definite matrix [n][n] into its inverse. False where a pivot is below `least` of its
 * diagonal: rows are (almost) linear functions of others. */
bool pk_symmetric_invert(double *matrix, size_t n, double least);

#endif
