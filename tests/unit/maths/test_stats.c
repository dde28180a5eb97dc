/* Batch statistics against values worked out by hand (in 40-digit arithmetic). */
#include <criterion/criterion.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "polku/stats.h"

#define N_BATCHES 5
static const double totals[N_BATCHES] = {3.71, 5.13, 2.94, 4.87, 6.02};
static const double persons[N_BATCHES] = {11, 13, 9, 12, 17};
static const double years[N_BATCHES] = {0.83, 1.27, 0.59, 1.44, 1.38};

static void assert_near(double value, double expected, double relative)
{
    cr_assert_leq(fabs(value - expected), relative * fabs(expected), "%.17g, expected %.17g", value, expected);
}

static struct pk_moments moments_of(const double *y, const double *n, size_t n_batches)
{
    struct pk_moments m = {0};
    for (size_t b = 0; b < n_batches; b++) {
        m.batches += 1.0;
        m.n += n[b];
        m.nn += n[b] * n[b];
        m.y += y[b];
        m.yy += y[b] * y[b];
        m.ny += n[b] * y[b];
    }
    return m;
}

Test(stats, batch_mean_is_the_hand_computed_one)
{
    const struct pk_mean m = pk_stats_batch_mean(totals, persons, N_BATCHES, 1);
    assert_near(m.mean, 0.36564516129032258, 4 * DBL_EPSILON);
    assert_near(m.standard_error, 0.014350341794061452, 1e-14);
}

Test(stats, batch_ratio_is_the_hand_computed_one)
{
    const struct pk_mean m = pk_stats_batch_ratio(totals, years, N_BATCHES, 1);
    assert_near(m.mean, 4.1143375680580762, 4 * DBL_EPSILON);
    assert_near(m.standard_error, 0.25571775023218984, 1e-14);
}

Test(stats, ratio_turned_upside_down_has_the_standard_error_of_the_delta_method)
{
    const struct pk_mean up = pk_stats_batch_ratio(totals, years, N_BATCHES, 1);
    const struct pk_mean down = pk_stats_batch_ratio(years, totals, N_BATCHES, 1);
    assert_near(up.mean * down.mean, 1.0, 4 * DBL_EPSILON);
    assert_near(up.standard_error / up.mean, down.standard_error / down.mean, 1e-14);
}

Test(stats, standard_deviation_is_the_hand_computed_one)
{
    assert_near(pk_stats_standard_deviation(totals, N_BATCHES, 1), 1.2140963717926184, 1e-14);
}

Test(stats, equal_batches_give_the_textbook_standard_error_of_a_mean)
{
    const double ones[N_BATCHES] = {1, 1, 1, 1, 1};
    const struct pk_mean m = pk_stats_batch_mean(totals, ones, N_BATCHES, 1);
    assert_near(m.standard_error, pk_stats_standard_deviation(totals, N_BATCHES, 1) / sqrt(N_BATCHES), 1e-14);
}

Test(stats, moments_give_what_the_arrays_give)
{
    const struct pk_moments with_persons = moments_of(totals, persons, N_BATCHES);
    const struct pk_moments with_years = moments_of(totals, years, N_BATCHES);
    struct pk_mean m = pk_stats_moments_mean(&with_persons), arrays;
    arrays = pk_stats_batch_mean(totals, persons, N_BATCHES, 1);
    assert_near(m.mean, arrays.mean, 4 * DBL_EPSILON);
    assert_near(m.standard_error, arrays.standard_error, 1e-12);
    m = pk_stats_moments_mean(&with_years);
    arrays = pk_stats_batch_ratio(totals, years, N_BATCHES, 1);
    assert_near(m.mean, arrays.mean, 4 * DBL_EPSILON);
    assert_near(m.standard_error, arrays.standard_error, 1e-12);
}

Test(stats, strided_columns_give_the_same_bits_as_contiguous_ones)
{
    double table[N_BATCHES][3];
    for (int b = 0; b < N_BATCHES; b++) {
        table[b][0] = totals[b];
        table[b][1] = persons[b];
        table[b][2] = (double)NAN;
    }
    const struct pk_mean a = pk_stats_batch_mean(totals, persons, N_BATCHES, 1);
    const struct pk_mean b = pk_stats_batch_mean(&table[0][0], &table[0][1], N_BATCHES, 3);
    cr_assert(a.mean == b.mean && a.standard_error == b.standard_error);
    cr_assert(pk_stats_standard_deviation(&table[0][0], N_BATCHES, 3) ==
              pk_stats_standard_deviation(totals, N_BATCHES, 1));
}

Test(stats, batches_that_agree_have_no_error)
{
    const double n[4] = {3, 7, 12, 19}, y[4] = {3 * 0.7351, 7 * 0.7351, 12 * 0.7351, 19 * 0.7351};
    const struct pk_moments moments = moments_of(y, n, 4);
    cr_assert_lt(pk_stats_batch_mean(y, n, 4, 1).standard_error, 1e-15);
    cr_assert_lt(pk_stats_moments_mean(&moments).standard_error, 1e-7);
    const double same[3] = {2.385, 2.385, 2.385};
    cr_assert_lt(pk_stats_standard_deviation(same, 3, 1), 1e-15);
    /* sums that rounding has pushed below zero */
    const struct pk_moments below = {.batches = 3, .n = 3, .nn = 3, .y = 3, .yy = 3 - 1e-15, .ny = 3};
    cr_assert(pk_stats_moments_mean(&below).standard_error == 0.0);
}

Test(stats, what_is_not_defined_is_nan)
{
    const struct pk_moments one = moments_of(totals, persons, 1), none = {0};
    struct pk_mean m = pk_stats_batch_mean(totals, persons, 1, 1);
    cr_assert(m.mean == 3.71 / 11.0 && isnan(m.standard_error));
    m = pk_stats_moments_mean(&one);
    cr_assert(m.mean == 3.71 / 11.0 && isnan(m.standard_error));
    m = pk_stats_moments_mean(&none);
    cr_assert(isnan(m.mean) && isnan(m.standard_error));
    m = pk_stats_batch_mean(totals, persons, 0, 1);
    cr_assert(isnan(m.mean) && isnan(m.standard_error));
    const double zeros[N_BATCHES] = {0};
    m = pk_stats_batch_ratio(totals, zeros, N_BATCHES, 1);
    cr_assert(isnan(m.mean) && isnan(m.standard_error));
    cr_assert(isnan(pk_stats_standard_deviation(totals, 1, 1)));
    cr_assert(isnan(pk_stats_standard_deviation(totals, 0, 1)));
}

/* The distribution function of the standard normal, through erfc of the C library. */
Test(stats, normal_95_leaves_a_fortieth_in_each_tail)
{
    assert_near(0.5 * erfc(PK_NORMAL_95 / sqrt(2.0)), 0.025, 1e-14);
}

Test(stats, quantiles_lie_between_the_two_nearest)
{
    double values[] = {4, 1, 2};
    qsort(values, 3, sizeof *values, pk_stats_ascending);
    cr_assert(values[0] == 1 && values[1] == 2 && values[2] == 4);
    cr_assert_eq(pk_stats_quantile(values, 3, 0), 1);
    cr_assert_eq(pk_stats_quantile(values, 3, 0.25), 1.5);
    cr_assert_eq(pk_stats_quantile(values, 3, 0.5), 2);
    cr_assert_eq(pk_stats_quantile(values, 3, 0.75), 3);
    cr_assert_eq(pk_stats_quantile(values, 3, 1), 4);
    cr_assert_eq(pk_stats_quantile(values, 1, 0.9), 1);
    cr_assert(isnan(pk_stats_quantile(values, 0, 0.5)));
}
