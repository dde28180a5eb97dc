/* A table with given margins that keeps the odds ratios of a seed: iterative proportional fitting.
 *
 * Deming and Stephan 1940; Csiszar 1975 for what it converges to. Only + - * and /, in a fixed order: the same bits
 * on every machine. Knows no attributes. */
#ifndef PK_IPF_H
#define PK_IPF_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { PK_IPF_DIMS_MAX = 16 };

struct pk_ipf_fault { /* the margin that is not met */
    size_t i_dim, i_value;
    double wanted, reached;
};

/* Scales cells[product of extents] (the last dimension varies fastest; at least 0) to the margins,
 * margins[d][extents[d]] (at least 0, each adding up to the same, above 0), until all are met to within tolerance.
 * Zeros stay zeros. False: a margin cannot be met, or not within the number of sweeps (fewer for large tables); *fault
 * says which, and the cells hold the last sweep. No memory is needed but sums[largest extent]. */
bool pk_ipf_fit(double *cells, size_t n_dims, const size_t *extents, const double *const *margins, double tolerance,
                size_t n_sweeps, double *sums, struct pk_ipf_fault *fault);

#ifdef __cplusplus
}
#endif
#endif
