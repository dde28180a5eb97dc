/* Gauss quadrature over gamma distributions against their moments and Laplace transforms. */
#include <criterion/criterion.h>
#include <math.h>

#include "polku/quadrature.h"

static const double shapes[] = {0.0137, 0.385, 1, 2.385, 13.7, 385};
enum { N_SHAPES = sizeof shapes / sizeof *shapes };
static const size_t sizes[] = {1, 2, 7, 24, PK_QUADRATURE_MAX};
enum { N_SIZES = sizeof sizes / sizeof *sizes };

static double nodes[PK_QUADRATURE_MAX], weights[PK_QUADRATURE_MAX];

/* E x^m = Gamma(k + m) / Gamma(k); each term is divided by it in logs, so that nothing overflows at m = 127. No term is
 * below 0, so that nothing cancels: 1e-11 is what exp and lgamma leave of logs near 700. */
Test(quadrature, moments_up_to_twice_the_nodes_are_exact)
{
    for (size_t k = 0; k < N_SHAPES; k++)
        for (size_t i = 0; i < N_SIZES; i++) {
            const size_t n = sizes[i];
            cr_assert(pk_quadrature_gamma(shapes[k], n, nodes, weights));
            for (size_t m = 0; m < 2 * n; m++) {
                double log_moment = lgamma(shapes[k] + (double)m) - lgamma(shapes[k]), sum = 0;
                for (size_t j = 0; j < n; j++)
                    sum += weights[j] * exp((double)m * log(nodes[j]) - log_moment);
                cr_expect_float_eq(sum, 1, 1e-11, "shape %g, %zu nodes, moment %zu: %.15g times", shapes[k], n, m, sum);
            }
        }
}

Test(quadrature, nodes_ascend_above_zero_and_weights_are_shares)
{
    for (size_t k = 0; k < N_SHAPES; k++)
        for (size_t i = 0; i < N_SIZES; i++) {
            cr_assert(pk_quadrature_gamma(shapes[k], sizes[i], nodes, weights));
            for (size_t j = 0; j < sizes[i]; j++)
                cr_expect(nodes[j] > (j == 0 ? 0 : nodes[j - 1]) && weights[j] >= 0 && weights[j] <= 1,
                          "shape %g, node %zu of %zu: %g, weight %g", shapes[k], j, sizes[i], nodes[j], weights[j]);
        }
}

/* A frailty x / k of mean 1: E exp(-s x / k) = (1 + s / k)^-k, the survival of a population whose members survive with
 * exp(-s z). 64 nodes; smooth, so the error falls geometrically: slowest for small k, where 1e-9 is asked. */
Test(quadrature, laplace_transform_is_that_of_the_gamma_distribution)
{
    for (size_t k = 1; k < N_SHAPES; k++) {
        const double shape = shapes[k];
        cr_assert(pk_quadrature_gamma(shape, PK_QUADRATURE_MAX, nodes, weights));
        for (double s = 0; s <= 4 * fmin(shape, 1); s += 0.385 * fmin(shape, 1)) {
            double sum = 0, exact = pow(1 + s / shape, -shape);
            for (size_t j = 0; j < PK_QUADRATURE_MAX; j++)
                sum += weights[j] * exp(-s * nodes[j] / shape);
            cr_expect_float_eq(sum, exact, 1e-9, "shape %g at %g: %.15g, not %.15g", shape, s, sum, exact);
        }
    }
}

Test(quadrature, no_nodes_too_many_or_no_shape_are_refused)
{
    cr_expect_not(pk_quadrature_gamma(2.385, 0, nodes, weights));
    cr_expect_not(pk_quadrature_gamma(2.385, PK_QUADRATURE_MAX + 1, nodes, weights));
    cr_expect_not(pk_quadrature_gamma(0, 7, nodes, weights));
    cr_expect_not(pk_quadrature_gamma(-2.385, 7, nodes, weights));
    cr_expect_not(pk_quadrature_gamma((double)NAN, 7, nodes, weights));
}
