/* Gauss quadrature over a gamma distribution: the nodes and weights that average a smooth function over it.
 *
 * Golub and Welsch 1969 ("Calculation of Gauss quadrature rules", Math Comp 23): eigenvalues of the Jacobi matrix of
 * the generalised Laguerre polynomials. IEEE-exact operations only. */
#ifndef PK_QUADRATURE_H
#define PK_QUADRATURE_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { PK_QUADRATURE_MAX = 64 };

/* n (at most PK_QUADRATURE_MAX) nodes, ascending, and weights, which add up to 1, of the gamma distribution with this
 * shape and rate 1 (mean: shape): exact for polynomials up to degree 2 n - 1. False where it did not converge. */
bool pk_quadrature_gamma(double shape, size_t n, double *nodes, double *weights);

#ifdef __cplusplus
}
#endif
#endif
