/* Iterative proportional fitting: margins met, odds ratios kept, zeros kept, and what cannot be met is named. */
#include "polku/ipf.h"

#include <criterion/criterion.h>
#include <math.h>

Test(ipf, two_by_two_keeps_its_odds_ratio)
{
    /* the fitted p11 solves p11 (1 - r - c + p11) = q (r - p11) (c - p11): a quadratic in closed form */
    const double q = 2.385 * 0.71 / (0.63 * 1.17), r = 0.613, c = 0.287;
    double cells[] = {2.385, 0.63, 1.17, 0.71}, sums[2];
    const double rows[] = {r, 1 - r}, columns[] = {c, 1 - c}, *margins[] = {rows, columns};
    const size_t extents[] = {2, 2};
    struct pk_ipf_fault fault;
    cr_assert(pk_ipf_fit(cells, 2, extents, margins, 1e-12, 1000, sums, &fault));
    double a = 1 - q, b = 1 - r - c + q * (r + c), root = sqrt(b * b + 4 * a * q * r * c);
    double p11 = (-b + root) / (2 * a);
    cr_expect_float_eq(cells[0], p11, 1e-12, "%.15f, expected %.15f", cells[0], p11);
    cr_expect_float_eq(cells[0] * cells[3] / (cells[1] * cells[2]) / q, 1, 1e-11);
    cr_expect_float_eq(cells[0] + cells[1], r, 1e-12);
    cr_expect_float_eq(cells[0] + cells[2], c, 1e-12);
}

Test(ipf, three_dimensions_meet_all_margins_and_keep_zeros)
{
    enum { A = 3, B = 4, C = 5 };
    double cells[A * B * C], sums[C];
    for (size_t i = 0; i < A * B * C; i++)
        cells[i] = i % 7 == 3 ? 0 : 1 + (double)(i * i % 11);
    const double a[] = {0.21, 0.33, 0.46}, b[] = {0.1, 0.2, 0.3, 0.4}, c[] = {0.05, 0.15, 0.25, 0.25, 0.3};
    const double *margins[] = {a, b, c};
    const size_t extents[] = {A, B, C};
    struct pk_ipf_fault fault;
    cr_assert(pk_ipf_fit(cells, 3, extents, margins, 1e-12, 1000, sums, &fault));
    double of_a[A] = {0}, of_b[B] = {0}, of_c[C] = {0};
    for (size_t i = 0; i < A * B * C; i++) {
        of_a[i / (B * C)] += cells[i];
        of_b[i / C % B] += cells[i];
        of_c[i % C] += cells[i];
        cr_expect((cells[i] == 0) == (i % 7 == 3));
    }
    for (size_t i = 0; i < C; i++) {
        cr_expect_float_eq(of_c[i], c[i], 2e-12);
        cr_expect(i >= B || fabs(of_b[i] - b[i]) < 2e-12);
        cr_expect(i >= A || fabs(of_a[i] - a[i]) < 2e-12);
    }
}

Test(ipf, a_margin_that_zeros_forbid_is_named)
{
    double sums[2];
    const double half[] = {0.5, 0.5}, skew[] = {0.2, 0.8}, *margins[] = {half, skew};
    const size_t extents[] = {2, 2};
    struct pk_ipf_fault fault;
    double row[] = {0, 0, 1, 1}; /* nobody in the first row at all */
    cr_assert(!pk_ipf_fit(row, 2, extents, margins, 1e-12, 1000, sums, &fault));
    cr_expect(fault.i_dim == 0 && fault.i_value == 0 && fault.wanted == 0.5 && fault.reached == 0);
    double diagonal[] = {1, 0, 0, 1}; /* both margins would have to be equal */
    cr_assert(!pk_ipf_fit(diagonal, 2, extents, margins, 1e-12, 1000, sums, &fault));
    cr_expect(fault.i_dim == 0 && fabs(fault.reached - fault.wanted) > 0.2);
}

Test(ipf, a_seed_that_fits_already_is_left_alone)
{
    double cells[] = {0.125, 0.375, 0.25, 0.25}, sums[2];
    const double rows[] = {0.5, 0.5}, columns[] = {0.375, 0.625}, *margins[] = {rows, columns};
    const size_t extents[] = {2, 2};
    struct pk_ipf_fault fault;
    cr_assert(pk_ipf_fit(cells, 2, extents, margins, 1e-12, 0, sums, &fault));
    cr_expect(cells[0] == 0.125 && cells[1] == 0.375 && cells[2] == 0.25 && cells[3] == 0.25);
}
