/* Iterative proportional fitting. See ipf.h. */
#include "polku/ipf.h"

#include <math.h>

/* sums[extents[d]] of the cells over all dimensions but d. */
static void margin(const double *cells, size_t n_cells, size_t extent, size_t stride, double *sums)
{
    for (size_t v = 0; v < extent; v++)
        sums[v] = 0;
    for (size_t i = 0; i < n_cells; i++)
        sums[i / stride % extent] += cells[i];
}

bool pk_ipf_fit(double *cells, size_t n_dims, const size_t *extents, const double *const *margins, double tolerance,
                size_t n_sweeps, double *sums, struct pk_ipf_fault *fault)
{
    size_t n_cells = 1, strides[PK_IPF_DIMS_MAX];
    for (size_t d = n_dims; d-- > 0;) {
        strides[d] = n_cells;
        n_cells *= extents[d];
    }
    /* a second at most, whatever the table */
    size_t affordable = 200000000 / (n_cells * n_dims + 1) + 1;
    if (n_sweeps > affordable)
        n_sweeps = affordable;
    for (size_t sweep = 0;; sweep++) {
        double worst = -1;
        for (size_t d = 0; d < n_dims; d++) {
            margin(cells, n_cells, extents[d], strides[d], sums);
            for (size_t v = 0; v < extents[d]; v++) {
                double wanted = margins[d][v], distance = fabs(sums[v] - wanted);
                bool hopeless = !(sums[v] > 0) && wanted > 0;
                if (distance > worst || hopeless)
                    *fault = (struct pk_ipf_fault){d, v, wanted, sums[v]};
                if (hopeless)
                    return false;
                worst = distance > worst ? distance : worst;
            }
        }
        if (worst <= tolerance)
            return true;
        if (sweep == n_sweeps)
            return false;
        for (size_t d = 0; d < n_dims; d++) {
            margin(cells, n_cells, extents[d], strides[d], sums);
            for (size_t v = 0; v < extents[d]; v++)
                sums[v] = sums[v] > 0 ? margins[d][v] / sums[v] : 0;
            for (size_t i = 0; i < n_cells; i++)
                cells[i] *= sums[i / strides[d] % extents[d]];
        }
    }
}
