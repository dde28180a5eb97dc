/* Gamma, beta, normal and Poisson functions with the same bits on every processor.
 *
 * Responsibility: tails and quantiles of these four distributions, in logs, so that nothing is lost where a tail is
 * too small for a double or its complement is nearly 1. Only + - * / sqrt and polku/elementary.h. Work is bounded
 * everywhere (special_gamma.c and special_beta.c say by what). "Relative" errors are measured against 40-digit
 * arithmetic on the grids of tests/unit/maths/test_special.c and wider ones; eps is 2^-53. Every argument that is nan
 * gives nan unless said. */
#ifndef PK_SPECIAL_H
#define PK_SPECIAL_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* log Gamma(a), a > 0. Error < 4 eps max(1, |result|); relative also about the zeros at 1 and 2 while a is exact.
 * nan for a <= 0. Below 10 a polynomial on [1, 2] and the recurrence, above Stirling's series. */
double pk_special_log_gamma(double a);

/* Gamma distribution of shape a > 0 and rate 1. P(a, x) is its distribution function, Q = 1 - P its survival
 * (regularised incomplete gamma functions, DLMF 8.2.4). x <= 0: P = 0.
 * Relative error of the logs < 1e-14 for 1e-3 <= a <= 1e6 and tails down to e^-700; 4 eps |log of the tail|
 * are added where the result is the tail itself (-P for log Q = -P (1 + P / 2 + ...)). */
double pk_special_gamma_log_q(double a, double x);
double pk_special_gamma_log_p(double a, double x);

/* log of x^(a - 1) e^-x / Gamma(a); at 0 the limit: +inf for a < 1, 0 for a = 1, -inf for a > 1, as for x < 0. */
double pk_special_gamma_log_density(double a, double x);

/* x with P(a, x) = p. Relative error < 1e-12 for 1e-3 <= a <= 1e6; rises with p where two p differ by more than 1e-13
 * of the nearer of p and 1 - p. p <= 0 gives 0, p >= 1 gives +inf; 0 also where x is below the normal doubles. */
double pk_special_gamma_quantile(double a, double p);

/* Beta distribution of shapes a, b > 0 (else nan). P(x) is its distribution function, the regularised incomplete beta
 * function I_x(a, b) (DLMF 8.17.2), Q = 1 - P. x <= 0: P = 0; x >= 1: Q = 0.
 * Relative error of the logs < 1e-13 for 1e-3 <= a, b <= 1e6 and tails down to e^-700. */
double pk_special_beta_log_p(double a, double b, double x);
double pk_special_beta_log_q(double a, double b, double x);

/* x with P(x) = p. Relative error < 1e-12 for 1e-3 <= a, b <= 1e6; rises with p where two p differ by more than 1e-13
 * of the nearer of p and 1 - p. p <= 0 gives 0, p >= 1 gives 1; 0 also where x is below the normal doubles, and 1 where
 * 1 - x is below 2^-54. */
double pk_special_beta_quantile(double a, double b, double p);

/* log(1 - Phi(z)), Phi the standard normal distribution function. Relative error < 8 eps for z >= -37.6; below, where
 * Phi is no longer a normal double, 0. */
double pk_special_normal_log_survival(double z);

/* phi(z) / (1 - Phi(z)), phi the density: the normal hazard. Relative error < 8 eps; 0 below -37.6. */
double pk_special_normal_hazard(double z);

/* z with Phi(z) = p: Wichura's AS 241 (1988, Appl Stat 37, 477-484). Error < 8 eps max(1, |z|). p <= 0 gives -inf,
 * p >= 1 gives +inf. */
double pk_special_normal_quantile(double p);

/* z with log(1 - Phi(z)) = log_survival, also where that survival is no double. Error < 8 eps max(1, |z|). 0 gives
 * -inf, above 0 nan. */
double pk_special_normal_quantile_log_survival(double log_survival);

/* Smallest k with P(X <= k) >= u for X Poisson with this mean, 0 <= mean <= 1e9 (below 0: as 0), through P(X <= k) =
 * Q(k + 1, mean): exact but where u is within 1e-14 of a step, relative to the nearer of u and 1 - u. Rises with u.
 * u <= 0 gives 0; u >= 1, or a mean above 2^50, gives UINT64_MAX; nan gives 0. */
uint64_t pk_special_poisson_quantile(double mean, double u);

#ifdef __cplusplus
}
#endif
#endif
