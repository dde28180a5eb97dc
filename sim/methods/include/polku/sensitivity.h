/* Which input an answer depends on: indices from the outcomes of a design, each with its error.
 *
 * Responsibility: numbers from plain arrays. Knows no files, parameters or units. Nothing here reaches a life.
 *
 * y is the outcome at the points of a design, in their order. A point that failed has nan: what needs it is left out
 * and counted. noise, where given (else NULL), is the variance of y at a point that is due to simulation alone, the
 * square of its standard error; it must be independent between points (a seed each): its share is taken out of
 * variances and squared differences, so that indices are of the parameters' variance. With common random numbers most
 * of the simulation's error is the same at all points and cancels: give NULL there. Where only the points of a row of
 * a Sobol' design are in the same world, say so.
 *
 * Intervals are 95 % by bootstrap over rows, trajectories or points, by percentiles, keyed by the seed. Rows of a
 * quasi-random design are more even than independent ones, which the bootstrap does not know: intervals are mostly too
 * wide (by 2, measured), seldom too narrow. What has no meaning (no variance to share out, too little left) is nan,
 * never 0. */
#ifndef PK_SENSITIVITY_H
#define PK_SENSITIVITY_H

#include <stdbool.h>

#include "polku/design.h"

#ifdef __cplusplus
extern "C" {
#endif

struct pk_sensitivity_estimate {
    double value;
    double standard_error; /* standard deviation of the resamples' values */
    double low, high;      /* 2.5 and 97.5 % of them */
};

struct pk_sensitivity_bootstrap {
    uint64_t seed;
    size_t n_resamples; /* 0: PK_SENSITIVITY_RESAMPLES */
};
enum { PK_SENSITIVITY_RESAMPLES = 1000 };

/* ---- shares of variance (Sobol' 1993, 2001; Homma & Saltelli 1996) ---- */

struct pk_sensitivity_sobol {
    size_t n_factors;
    size_t n_rows;                              /* used */
    size_t n_left_out;                          /* with a point that failed */
    double mean;                                /* over A and B */
    struct pk_sensitivity_estimate variance;    /* of y over A and B, without the simulation's */
    struct pk_sensitivity_estimate noise_share; /* the simulation's part of the variance as seen; 0 without noise */
    struct pk_sensitivity_estimate *first;      /* [n_factors], owned: the share that the factor has alone */
    struct pk_sensitivity_estimate *total;      /* [n_factors], owned: with all that it has together with others */
    struct pk_sensitivity_estimate *second;     /* [n_factors][n_factors], owned: what two have together beyond their
                                                 * own; symmetric, nan on the diagonal; NULL without BA */
    struct pk_sensitivity_estimate first_sum;   /* 1: additive; 1 - it: interactions */
    struct pk_sensitivity_estimate of_two_sum;  /* first and second; 1: no interactions of three; nan without BA */
    bool adds_up; /* shares are possible: no first above its total, and not more than 1 together, by 3.5 standard errors
                   * and 0.01
                   */
};

/* From y at the points of pk_design_saltelli, n_rows of them with n_factors (columns or groups). Estimators:
 * with BA: first and total by Azzini, Mara & Rosati 2021 (Environmental Modelling & Software 144, 105167):
 *     S = 2 sum (BA - B)(A - AB) / D, T = sum ((B - BA)^2 + (A - AB)^2) / D, D = sum ((A - B)^2 + (BA - AB)^2)
 *   and second V_ij = mean of (AB_j - A)(BA_i - B), both ways round, over the mean of D / 4 of the two;
 * without: first by the covariance of B and AB less b times that of B and A, whose expectation is 0; b is fitted to the
 *   rows, as a control variate. With b = 1 this is Saltelli et al. 2010 (Computer Physics Communications 181); measured
 *   on functions with known indices its error is 0.5 to 1.05 times as large. Total by Jansen 1999: mean (A - AB)^2 / 2.
 * All after y has been centred. With noise that is `by_row`, the same at all points of a row, differences within rows
 * have none of it and the variance has all: b is 1, and only the variance is corrected.
 * Errors: PK_BAD_INPUT (no row or factor), PK_NO_MEMORY. */
PK_CHECKED enum pk_status pk_sensitivity_sobol_init(struct pk_sensitivity_sobol *sobol, size_t n_rows, size_t n_factors,
                                                    bool both, const double *y, const double *noise, bool by_row,
                                                    const struct pk_sensitivity_bootstrap *bootstrap,
                                                    struct pk_error *error);
void pk_sensitivity_sobol_free(struct pk_sensitivity_sobol *sobol);

/* ---- elementary effects (Morris 1991; Campolongo et al. 2007) ---- */

struct pk_sensitivity_effect {
    size_t n;                                /* effects seen, at most one a trajectory */
    struct pk_sensitivity_estimate mean;     /* mu, per unit interval of the factor; nan of a group of columns */
    struct pk_sensitivity_estimate absolute; /* mu*, of the effects' sizes */
    struct pk_sensitivity_estimate spread;   /* sigma, their standard deviation: curvature or interactions; nan of a
                                              * group */
    double noise; /* what mu* would be from the simulation's error alone, were there no effect; nan without noise */
};

/* effects[n_factors] from y at the points of pk_design_morris. Errors: PK_BAD_INPUT (a factor not below n_factors),
 * PK_NO_MEMORY. */
PK_CHECKED enum pk_status pk_sensitivity_morris(const struct pk_design *design, size_t n_factors, const double *y,
                                                const double *noise, const struct pk_sensitivity_bootstrap *bootstrap,
                                                struct pk_sensitivity_effect *effects, struct pk_error *error);

/* ---- regression, from any sample ---- */

struct pk_sensitivity_coefficients {
    struct pk_sensitivity_estimate standardised; /* of the regression on all columns: SRC, of ranks SRRC */
    struct pk_sensitivity_estimate partial;      /* correlation given all other columns: PCC, of ranks PRCC */
};
struct pk_sensitivity_regression {
    size_t n_columns, n_points, n_left_out;
    struct pk_sensitivity_coefficients *linear, *ranks; /* [n_columns] each, owned; nan of a constant column */
    struct pk_sensitivity_estimate r2, r2_ranks;        /* how much of the variance the regression has */
    bool collinear; /* some columns are linear functions of others: coefficients are nan */
};

/* x[n_points][n_columns], y[n_points]. Equal values have their mean rank; resamples are ranked anew (Saltelli et al.
 * 2000, Sensitivity Analysis, ch. 6; Iman & Conover 1979).
 * Errors: PK_BAD_INPUT (fewer than n_columns + 3 points with an outcome), PK_NO_MEMORY. */
PK_CHECKED enum pk_status pk_sensitivity_regression_init(struct pk_sensitivity_regression *regression, size_t n_points,
                                                         size_t n_columns, const double *x, const double *y,
                                                         const struct pk_sensitivity_bootstrap *bootstrap,
                                                         struct pk_error *error);
void pk_sensitivity_regression_free(struct pk_sensitivity_regression *regression);

/* ---- one at a time ---- */

/* A bar of a tornado: how far the outcome goes while the factor goes through its levels. */
struct pk_sensitivity_bar {
    size_t i_factor;
    double lowest, highest;     /* outcomes, the base's among them */
    size_t i_lowest, i_highest; /* points of the design */
    double swing;               /* highest - lowest */
};
/* bars[n_factors], the longest first, equal ones in the factors' order, from y at the points of pk_design_one_way. A
 * factor without outcomes has nan and is last. */
void pk_sensitivity_tornado(const struct pk_design *design, size_t n_factors, const double *y,
                            struct pk_sensitivity_bar *bars);

/* Where an outcome along ascending levels is 0. */
struct pk_sensitivity_zero {
    double from, to; /* equal, unless the outcome stays 0 between levels */
    bool crosses;    /* it changes sign there; else it only touches 0, or ends there */
};
enum { PK_SENSITIVITY_ZEROS = 16 };
struct pk_sensitivity_break_even {
    size_t n_crossings;     /* all; 0: none, 1: the break-even value */
    size_t n_zeros, n_kept; /* with those that only touch; kept are at most PK_SENSITIVITY_ZEROS */
    struct pk_sensitivity_zero zeros[PK_SENSITIVITY_ZEROS]; /* [n_kept], ascending */
    bool monotone; /* the outcome never turns; else there may be more zeros between the levels */
};
/* Linear between neighbouring levels x (strictly ascending); levels whose y is nan are passed over.
 * Error: PK_BAD_INPUT (levels that do not ascend). */
PK_CHECKED enum pk_status pk_sensitivity_break_even(const double *x, const double *y, size_t n,
                                                    struct pk_sensitivity_break_even *break_even,
                                                    struct pk_error *error);

/* ---- factorial ---- */

/* Shares of the variance over a full factorial: main[n_factors], pairs[n_factors][n_factors] (symmetric, 0 on the
 * diagonal), and the rest, of three factors and more. They add up to 1. With noise what it adds to each by chance is
 * taken out: its degrees of freedom times the mean noise (so a share can be below 0). nan where nothing varies.
 * Errors: PK_BAD_INPUT (a point without outcome), PK_NO_MEMORY. */
PK_CHECKED enum pk_status pk_sensitivity_factorial(const size_t *n_levels, size_t n_factors, const double *y,
                                                   const double *noise, double *main_effects, double *pairs,
                                                   double *rest, struct pk_error *error);

#ifdef __cplusplus
}
#endif
#endif
