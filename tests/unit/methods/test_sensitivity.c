/* Elementary effects, regression indices, tornado, break-even and shares of a factorial against closed forms. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "polku/memory.h"
#include "polku/rng.h"
#include "polku/sensitivity.h"

#define PI 3.14159265358979323846
static const char *const names[] = {"a", "b", "c", "d"};
static const struct pk_sensitivity_bootstrap few = {.seed = 5, .n_resamples = 50};

static double normal(uint64_t seed, size_t i)
{
    const struct pk_rng_key key = {.seed = seed, .person = i, .role = PK_ROLE_OUTSIDE};
    const struct pk_rng_pair u = pk_rng_uniforms(&key);
    return sqrt(-2 * log(u.first)) * cos(2 * PI * u.second);
}

static double uniform(uint64_t seed, size_t i)
{
    const struct pk_rng_key key = {.seed = seed, .person = i, .stream = 1, .role = PK_ROLE_OUTSIDE};
    return pk_rng_uniforms(&key).first;
}

/* ---- Morris ---- */

static void morris(uint64_t seed, size_t n, uint32_t n_levels, const struct pk_design_columns *columns,
                   double (*function)(const double *), double noise, size_t n_resamples,
                   struct pk_sensitivity_effect *effects)
{
    struct pk_design design;
    const struct pk_sensitivity_bootstrap bootstrap = {.seed = seed, .n_resamples = n_resamples};
    cr_assert_eq(pk_design_morris(&design, seed, n, n_levels, 0, columns, NULL), PK_OK);
    double *y = pk_alloc(2 * design.n_points, sizeof *y), *noises = y + design.n_points;
    for (size_t i = 0; i < design.n_points; i++) {
        y[i] = function(design.points + i * design.n_columns);
        y[i] += noise > 0 ? sqrt(noise) * normal(seed, i) : 0;
        noises[i] = noise;
    }
    cr_assert_eq(pk_sensitivity_morris(&design, pk_design_n_factors(columns), y, noise > 0 ? noises : NULL, &bootstrap,
                                       effects, NULL),
                 PK_OK);
    pk_free(y);
    pk_design_free(&design);
}

static double linear(const double *u)
{
    return 3.25 + 2.5 * u[0] - 1.75 * u[1] + 0.125 * u[3];
}

Test(morris, effects_of_a_linear_function_are_its_slopes)
{
    const double slopes[] = {2.5, -1.75, 0, 0.125};
    const struct pk_design_columns columns = {.n = 4, .names = names};
    struct pk_sensitivity_effect effects[4];
    morris(3, 12, 6, &columns, linear, 0, 100, effects);
    for (size_t f = 0; f < 4; f++) {
        cr_assert_eq(effects[f].n, 12);
        cr_assert_float_eq(effects[f].mean.value, slopes[f], 1e-12);
        cr_assert_float_eq(effects[f].absolute.value, fabs(slopes[f]), 1e-12);
        cr_assert_float_eq(effects[f].spread.value, 0, 1e-12);
        cr_assert_float_eq(effects[f].mean.low, slopes[f], 1e-12);
        cr_assert(isnan(effects[f].noise));
    }
}

static double interacting(const double *u)
{
    return 3 * u[0] + 2 * u[1] - 4 * u[0] * u[1] + u[2] * u[2];
}

/* The effect of a is 3 - 4 b, of b 2 - 4 a, of c the sum of where it was and is: 1/2 + 2 low. On p levels
 * (i + 1/2) / p: mean 1/2, variance (1 - 1 / p^2) / 12; low among the lower half. */
Test(morris, effects_of_an_interaction_vary_as_they_must)
{
    enum { N = 4000, P = 8 };
    const struct pk_design_columns columns = {.n = 3, .names = names};
    struct pk_sensitivity_effect effects[3];
    morris(8, N, P, &columns, interacting, 0, 50, effects);
    double sd = 4 * sqrt((1 - 1.0 / (P * P)) / 12), absolute[3] = {0}, sd_absolute[2] = {0};
    for (int i = 0; i < P; i++) {
        absolute[0] += fabs(3 - 4 * (i + 0.5) / P) / P;
        absolute[1] += fabs(2 - 4 * (i + 0.5) / P) / P;
        sd_absolute[0] += pow(3 - 4 * (i + 0.5) / P, 2) / P;
        sd_absolute[1] += pow(2 - 4 * (i + 0.5) / P, 2) / P;
    }
    for (int f = 0; f < 2; f++) {
        const double of_absolute = sqrt(sd_absolute[f] - absolute[f] * absolute[f]);
        cr_expect_float_eq(effects[f].mean.value, f == 0 ? 1 : 0, 4.5 * sd / sqrt(N));
        cr_expect_float_eq(effects[f].absolute.value, absolute[f], 4.5 * of_absolute / sqrt(N));
        cr_expect_float_eq(effects[f].spread.value, sd, 4.5 * sd / sqrt(2.0 * N));
        cr_expect_float_eq(effects[f].mean.standard_error, sd / sqrt(N), 0.4 * sd / sqrt(N));
        cr_expect_float_eq(effects[f].absolute.standard_error, of_absolute / sqrt(N), 0.4 * of_absolute / sqrt(N));
    }
    const double low_sd = 2 * sqrt((1 - 4.0 * 4 / (P * P) / 4) / 48); /* p / 2 levels of half the width */
    cr_expect_float_eq(effects[2].mean.value, 1, 4.5 * low_sd / sqrt(N), "%g", effects[2].mean.value);
    cr_expect_float_eq(effects[2].absolute.value, effects[2].mean.value, 1e-12);
}

/* 100 seeds of 40 trajectories: the percentile interval of a mean of 40 holds 93 of 100 (it is narrow by a factor
 * sqrt(39 / 40)); stated: 85 to 100. */
Test(morris, intervals_hold_the_exact_value_about_95_times_in_100)
{
    const struct pk_design_columns columns = {.n = 3, .names = names};
    int held[2] = {0};
    for (uint64_t seed = 0; seed < 100; seed++) {
        struct pk_sensitivity_effect effects[3];
        morris(seed, 40, 8, &columns, interacting, 0, 400, effects);
        held[0] += effects[0].mean.low <= 1 && 1 <= effects[0].mean.high;
        held[1] += effects[0].absolute.low <= 1.25 && 1.25 <= effects[0].absolute.high;
    }
    cr_expect(held[0] >= 85, "mu: %d", held[0]);
    cr_expect(held[1] >= 85, "mu*: %d", held[1]); /* mean of |3 - 4 b|: 20 / 16 */
}

static double two(const double *u)
{
    return 2.5 * u[0] - 1.75 * u[1];
}

static double nothing(const double *u)
{
    (void)u;
    return 7.5;
}

Test(morris, groups_have_a_size_and_noise_its_own)
{
    const size_t factor_of[] = {1, 1, 0};
    const struct pk_design_columns columns = {3, names, 2, factor_of}, single = {.n = 3, .names = names};
    struct pk_sensitivity_effect effects[3];
    morris(4, 2000, 4, &columns, two, 0, 50, effects);
    cr_assert(isnan(effects[1].mean.value) && isnan(effects[1].spread.value));
    /* both up or each its own way: 0.75 or 4.25 */
    cr_expect_float_eq(effects[1].absolute.value, 2.5, 4.5 * 1.75 / sqrt(2000));
    cr_expect_float_eq(effects[0].mean.value, 0, 1e-12);
    morris(4, 2000, 4, &single, nothing, 0.0625, 50, effects);
    for (size_t f = 0; f < 3; f++) { /* sd of an effect: 2 sqrt(2) / 4 */
        cr_expect_float_eq(effects[f].noise, sqrt(0.5) * sqrt(2 / PI), 1e-12);
        cr_expect_float_eq(effects[f].absolute.value, effects[f].noise, 4.5 * sqrt(0.5 * (1 - 2 / PI) / 2000));
    }
}

Test(morris, a_point_that_failed_takes_its_two_effects)
{
    const struct pk_design_columns columns = {.n = 3, .names = names};
    struct pk_design design;
    struct pk_sensitivity_effect effects[3];
    cr_assert_eq(pk_design_morris(&design, 2, 10, 4, 0, &columns, NULL), PK_OK);
    double y[40];
    for (size_t i = 0; i < 40; i++)
        y[i] = i == 13 ? (double)NAN : 2.5 * design.points[i * 3] - design.points[i * 3 + 1];
    cr_assert_eq(pk_sensitivity_morris(&design, 3, y, NULL, &few, effects, NULL), PK_OK);
    cr_assert_eq(effects[0].n + effects[1].n + effects[2].n, 28);
    cr_assert_float_eq(effects[0].mean.value, 2.5, 1e-12);
    cr_assert_float_eq(effects[1].mean.value, -1, 1e-12);
    cr_assert_eq(pk_sensitivity_morris(&design, 2, y, NULL, &few, effects, NULL), PK_BAD_INPUT);
    pk_design_free(&design);
}

/* ---- regression ---- */

static double correlation(const double *a, const double *b, size_t n)
{
    double mean_a = 0, mean_b = 0, ab = 0, aa = 0, bb = 0;
    for (size_t i = 0; i < n; i++) {
        mean_a += a[i] / (double)n;
        mean_b += b[i] / (double)n;
    }
    for (size_t i = 0; i < n; i++) {
        ab += (a[i] - mean_a) * (b[i] - mean_b);
        aa += (a[i] - mean_a) * (a[i] - mean_a);
        bb += (b[i] - mean_b) * (b[i] - mean_b);
    }
    return ab / sqrt(aa * bb);
}

static void ranks_of(const double *values, size_t n, double *ranks)
{
    for (size_t i = 0; i < n; i++) {
        ranks[i] = 0.5;
        for (size_t j = 0; j < n; j++)
            ranks[i] += values[j] < values[i] ? 1 : values[j] == values[i] ? 0.5 : 0;
    }
}

/* Of two columns: the textbook's (r_1 - r_2 r_12) / (1 - r_12^2), partial over sqrt((1 - r_2^2) (1 - r_12^2)). */
static void check_two(const double *a, const double *b, const double *y, size_t n,
                      const struct pk_sensitivity_coefficients *told, double r2)
{
    const double r1 = correlation(a, y, n), r2_ = correlation(b, y, n), r12 = correlation(a, b, n);
    const double left = 1 - r12 * r12;
    cr_expect_float_eq(told[0].standardised.value, (r1 - r2_ * r12) / left, 1e-10);
    cr_expect_float_eq(told[1].standardised.value, (r2_ - r1 * r12) / left, 1e-10);
    cr_expect_float_eq(told[0].partial.value, (r1 - r2_ * r12) / sqrt((1 - r2_ * r2_) * left), 1e-10);
    cr_expect_float_eq(told[1].partial.value, (r2_ - r1 * r12) / sqrt((1 - r1 * r1) * left), 1e-10);
    cr_expect_float_eq(r2, (r1 * r1 + r2_ * r2_ - 2 * r1 * r2_ * r12) / left, 1e-10);
}

Test(regression, two_correlated_columns_with_ties_are_as_in_the_textbook)
{
    enum { N = 240 };
    double a[N], b[N], y[N], x[2 * N], ranks[3][N];
    for (size_t i = 0; i < N; i++) {
        x[2 * i] = a[i] = floor(10 * uniform(1, i)); /* ties */
        x[2 * i + 1] = b[i] = 0.4 * a[i] + 3 * uniform(2, i);
        y[i] = floor(exp(0.3 * a[i] - 0.2 * b[i] + 0.5 * normal(3, i)));
    }
    struct pk_sensitivity_regression regression;
    cr_assert_eq(pk_sensitivity_regression_init(&regression, N, 2, x, y, &few, NULL), PK_OK);
    check_two(a, b, y, N, regression.linear, regression.r2.value);
    ranks_of(a, N, ranks[0]);
    ranks_of(b, N, ranks[1]);
    ranks_of(y, N, ranks[2]);
    check_two(ranks[0], ranks[1], ranks[2], N, regression.ranks, regression.r2_ranks.value);
    cr_assert_not(regression.collinear);
    pk_sensitivity_regression_free(&regression);
}

/* Two resamples, drawn here row by row with the keys that design_private.h states, and ranked anew by brute force. */
Test(regression, a_resample_is_ranked_as_a_sample)
{
    enum { N = 30 };
    double x[N], y[N], values[2];
    const struct pk_sensitivity_bootstrap two_only = {.seed = 77, .n_resamples = 2};
    struct pk_sensitivity_regression regression;
    for (size_t i = 0; i < N; i++) {
        x[i] = uniform(5, i);
        y[i] = x[i] + 0.7 * normal(6, i);
    }
    for (uint64_t r = 0; r < 2; r++) {
        double x_drawn[N], y_drawn[N], ranks[2][N];
        for (size_t i = 0; i < N; i++) {
            const struct pk_rng_key key = {.seed = 77,
                                           .replication = (uint32_t)r,
                                           .stream = (uint32_t)(i / 4),
                                           .role = PK_ROLE_DESIGN,
                                           .candidate = 6};
            uint64_t words[2];
            pk_rng_words(&key, words);
            const uint64_t word = words[i % 4 / 2] >> (i % 2 == 0 ? 32 : 0) & 0xffffffff;
            x_drawn[i] = x[word * N >> 32];
            y_drawn[i] = y[word * N >> 32];
        }
        ranks_of(x_drawn, N, ranks[0]);
        ranks_of(y_drawn, N, ranks[1]);
        values[r] = correlation(ranks[0], ranks[1], N);
    }
    const double low = fmin(values[0], values[1]), apart = fmax(values[0], values[1]) - low;
    cr_assert_eq(pk_sensitivity_regression_init(&regression, N, 1, x, y, &two_only, NULL), PK_OK);
    cr_assert_float_eq(regression.ranks[0].standardised.low, low + 0.025 * apart, 1e-12);
    cr_assert_float_eq(regression.ranks[0].standardised.high, low + 0.975 * apart, 1e-12);
    cr_assert_float_eq(regression.ranks[0].standardised.standard_error, apart / sqrt(2), 1e-12);
    pk_sensitivity_regression_free(&regression);
}

Test(regression, a_linear_model_has_its_slopes_and_ranks_see_through_what_is_monotone)
{
    enum { N = 500 };
    const struct pk_design_columns columns = {.n = 3, .names = names};
    struct pk_design design;
    struct pk_sensitivity_regression regression;
    double y[N], column[N];
    cr_assert_eq(pk_design_latin(&design, 9, N, &columns, NULL), PK_OK);
    const double slopes[] = {3, -1.5, 0};
    for (size_t i = 0; i < N; i++)
        y[i] = 1e6 + 3 * design.points[3 * i] - 1.5 * design.points[3 * i + 1];
    cr_assert_eq(pk_sensitivity_regression_init(&regression, N, 3, design.points, y, &few, NULL), PK_OK);
    double sd_y = 0, sd_x = 0;
    for (size_t i = 0; i < N; i++)
        sd_y += pow(y[i] - 1e6 - 0.75, 2);
    for (size_t j = 0; j < 3; j++) {
        sd_x = 0;
        for (size_t i = 0; i < N; i++)
            sd_x += pow(design.points[3 * i + j] - 0.5, 2);
        cr_expect_float_eq(regression.linear[j].standardised.value, slopes[j] * sqrt(sd_x / sd_y), 1e-5);
        cr_expect_float_eq(regression.linear[j].partial.value, slopes[j] > 0 ? 1 : slopes[j] < 0 ? -1 : 0, 1e-3);
    }
    cr_expect_float_eq(regression.r2.value, 1, 1e-12);
    pk_sensitivity_regression_free(&regression);
    for (size_t i = 0; i < N; i++) {
        column[i] = design.points[3 * i + 1];
        y[i] = exp(20 * column[i]);
    }
    cr_assert_eq(pk_sensitivity_regression_init(&regression, N, 1, column, y, &few, NULL), PK_OK);
    cr_expect_float_eq(regression.ranks[0].standardised.value, 1, 1e-12);
    cr_expect_float_eq(regression.ranks[0].partial.value, 1, 1e-9);
    cr_expect_float_eq(regression.r2_ranks.value, 1, 1e-12);
    cr_expect_float_eq(regression.ranks[0].standardised.low, 1, 1e-12, "resamples are ranked anew");
    cr_expect_lt(regression.r2.value, 0.5);
    for (size_t i = 0; i < N; i++)
        y[i] = -sqrt(column[i]);
    pk_sensitivity_regression_free(&regression);
    cr_assert_eq(pk_sensitivity_regression_init(&regression, N, 1, column, y, &few, NULL), PK_OK);
    cr_expect_float_eq(regression.ranks[0].standardised.value, -1, 1e-12);
    pk_sensitivity_regression_free(&regression);
    pk_design_free(&design);
}

/* y = 2 a - b + e, uniform and normal 0.5: SRC of a is 2 / sqrt(12) over the root of 5 / 12 + 1 / 4; PCC of b is that
 * of b and e alone. Independent points; 100 seeds of 200: 95 of 100, sd 2.2; 86 to 100 stated. */
Test(regression, intervals_hold_the_exact_value_about_95_times_in_100)
{
    enum { N = 200 };
    int n_src = 0, n_pcc = 0, n_r2 = 0;
    const double whole = 5.0 / 12 + 0.25;
    for (uint64_t seed = 0; seed < 100; seed++) {
        double x[2 * N], y[N];
        struct pk_sensitivity_regression regression;
        const struct pk_sensitivity_bootstrap bootstrap = {.seed = seed, .n_resamples = 400};
        for (size_t i = 0; i < N; i++) {
            x[2 * i] = uniform(seed, 2 * i);
            x[2 * i + 1] = uniform(seed, 2 * i + 1);
            y[i] = 2 * x[2 * i] - x[2 * i + 1] + 0.5 * normal(seed + 1000, i);
        }
        cr_assert_eq(pk_sensitivity_regression_init(&regression, N, 2, x, y, &bootstrap, NULL), PK_OK);
        const struct pk_sensitivity_estimate *src = &regression.linear[0].standardised,
                                             *pcc = &regression.linear[1].partial, *r2 = &regression.r2;
        const double exact_src = 2 / sqrt(12 * whole), exact_pcc = -sqrt(1.0 / 12 / (1.0 / 12 + 0.25));
        n_src += src->low <= exact_src && exact_src <= src->high;
        n_pcc += pcc->low <= exact_pcc && exact_pcc <= pcc->high;
        n_r2 += r2->low <= 5.0 / 12 / whole && 5.0 / 12 / whole <= r2->high;
        pk_sensitivity_regression_free(&regression);
    }
    cr_expect(n_src >= 86, "SRC: %d", n_src);
    cr_expect(n_pcc >= 86, "PCC: %d", n_pcc);
    cr_expect(n_r2 >= 86, "R2: %d", n_r2);
}

Test(regression, what_has_no_meaning_is_told)
{
    enum { N = 40 };
    double x[3 * N], y[N];
    struct pk_sensitivity_regression regression;
    struct pk_error error;
    for (size_t i = 0; i < N; i++) {
        x[3 * i] = uniform(1, i);
        x[3 * i + 1] = 4; /* constant */
        x[3 * i + 2] = uniform(2, i);
        y[i] = i < 3 ? (double)NAN : x[3 * i];
    }
    cr_assert_eq(pk_sensitivity_regression_init(&regression, N, 3, x, y, &few, NULL), PK_OK);
    cr_assert_eq(regression.n_left_out, 3);
    cr_assert(isnan(regression.linear[1].standardised.value) && isnan(regression.ranks[1].partial.value));
    cr_assert_float_eq(regression.linear[0].standardised.value, 1, 1e-10);
    cr_assert_not(regression.collinear);
    pk_sensitivity_regression_free(&regression);
    for (size_t i = 0; i < N; i++)
        x[3 * i + 1] = 2 * x[3 * i] - x[3 * i + 2];
    cr_assert_eq(pk_sensitivity_regression_init(&regression, N, 3, x, y, &few, NULL), PK_OK);
    cr_assert(regression.collinear && isnan(regression.linear[0].standardised.value));
    pk_sensitivity_regression_free(&regression);
    for (size_t i = 0; i < N; i++)
        y[i] = 0.1;
    cr_assert_eq(pk_sensitivity_regression_init(&regression, N, 3, x, y, &few, NULL), PK_OK);
    cr_assert(!regression.collinear && isnan(regression.r2.value));
    pk_sensitivity_regression_free(&regression);
    for (size_t i = 5; i < N; i++)
        y[i] = (double)NAN;
    cr_assert_eq(pk_sensitivity_regression_init(&regression, N, 3, x, y, &few, &error), PK_BAD_INPUT);
    cr_assert_str_eq(error.message, "a regression on 3 columns needs 6 points with an outcome, and there are 5");
    pk_sensitivity_regression_free(&regression);
}

/* ---- one at a time ---- */

Test(tornado, the_longest_bar_is_first)
{
    const double low_high[] = {0.25, 0.75}, three[] = {1, 2, 3};
    const struct pk_design_levels factors[] = {
        {0.5, 2, low_high}, {2, 3, three}, {0, 0, NULL}, {0.5, 2, low_high}, {0.5, 2, low_high}};
    /* base; a; b, which turns; d, on one side of the base; e, as long as d, one failed */
    const double y[] = {10, 9, 12, 4, 10, 5, 12, 11, 12, (double)NAN};
    struct pk_design design;
    struct pk_sensitivity_bar bars[5];
    cr_assert_eq(pk_design_one_way(&design, factors, 5, NULL), PK_OK);
    pk_sensitivity_tornado(&design, 5, y, bars);
    const size_t order[] = {1, 0, 3, 4, 2};
    const double swings[] = {6, 3, 2, 2};
    for (size_t i = 0; i < 5; i++)
        cr_assert_eq(bars[i].i_factor, order[i], "%zu: %zu", i, bars[i].i_factor);
    for (size_t i = 0; i < 4; i++)
        cr_assert_eq(bars[i].swing, swings[i]);
    cr_assert(isnan(bars[4].swing));
    cr_assert(bars[0].lowest == 4 && bars[0].i_lowest == 3 && bars[0].highest == 10 && bars[0].i_highest == 0);
    cr_assert(bars[2].lowest == 10 && bars[2].highest == 12 && bars[2].i_highest == 6);
    pk_design_free(&design);
}

static struct pk_sensitivity_break_even zeros_of(const double *x, const double *y, size_t n)
{
    struct pk_sensitivity_break_even told;
    cr_assert_eq(pk_sensitivity_break_even(x, y, n, &told, NULL), PK_OK);
    return told;
}

Test(break_even, is_where_the_outcome_changes_sign)
{
    const double x[] = {1, 2, 4, 8, 16};
    struct pk_sensitivity_break_even told = zeros_of(x, (double[]){-6, -1, 3, 4, 9}, 5);
    cr_assert(told.n_crossings == 1 && told.n_zeros == 1 && told.monotone);
    cr_assert_float_eq(told.zeros[0].from, 2.5, 1e-15);
    cr_assert_eq(told.zeros[0].from, told.zeros[0].to);
    told = zeros_of(x, (double[]){5, 4, 3, 2, 1}, 5);
    cr_assert(told.n_crossings == 0 && told.n_zeros == 0 && told.monotone);
    told = zeros_of(x, (double[]){2, -2, 1, 1, -3}, 5);
    cr_assert(told.n_crossings == 3 && !told.monotone);
    cr_assert_float_eq(told.zeros[0].from, 1.5, 1e-15);
    cr_assert_float_eq(told.zeros[1].from, 2 + 4.0 / 3, 1e-15);
    cr_assert_float_eq(told.zeros[2].from, 10, 1e-15);
    told = zeros_of(x, (double[]){2, 0, -1, 0, -3}, 5); /* through, and touched */
    cr_assert(told.n_crossings == 1 && told.n_zeros == 2 && told.zeros[0].crosses && !told.zeros[1].crosses);
    cr_assert(told.zeros[0].from == 2 && told.zeros[1].from == 8 && !told.monotone);
    told = zeros_of(x, (double[]){2, 0, 0, -1, -1}, 5); /* indifferent between levels */
    cr_assert(told.n_crossings == 1 && told.n_zeros == 1 && told.monotone);
    cr_assert(told.zeros[0].from == 2 && told.zeros[0].to == 4);
    told = zeros_of(x, (double[]){0, 1, 2, 2, 3}, 5); /* ends there */
    cr_assert(told.n_crossings == 0 && told.n_zeros == 1 && told.zeros[0].from == 1);
    told = zeros_of(x, (double[]){3, 2, 1, (double)NAN, 0}, 5);
    cr_assert(told.n_crossings == 0 && told.n_zeros == 1 && told.zeros[0].from == 16 && !told.zeros[0].crosses);
    told = zeros_of(x, (double[]){-3, (double)NAN, 3, 4, 5}, 5); /* between those there are */
    cr_assert(told.n_crossings == 1 && told.zeros[0].from == 2.5);
    struct pk_error error;
    const double y[] = {1, 2}, back[] = {3, 3};
    cr_assert_eq(pk_sensitivity_break_even(back, y, 2, &told, &error), PK_BAD_INPUT);
    cr_assert_str_eq(error.message, "levels must ascend: 3 after 3");
}

/* ---- factorial ---- */

Test(factorial, two_by_two_by_hand)
{
    /* means of a -1.5, +1.5; of b -1, +1; what is left +-0.5: 2.25 + 1 + 0.25 = 3.5 */
    const double y[] = {1, 2, 3, 6};
    const size_t n_levels[] = {2, 2};
    double alone[2], pairs[4], rest;
    cr_assert_eq(pk_sensitivity_factorial(n_levels, 2, y, NULL, alone, pairs, &rest, NULL), PK_OK);
    cr_assert_float_eq(alone[0], 2.25 / 3.5, 1e-15);
    cr_assert_float_eq(alone[1], 1 / 3.5, 1e-15);
    cr_assert_float_eq(pairs[1], 0.25 / 3.5, 1e-15);
    cr_assert_eq(pairs[1], pairs[2]);
    cr_assert(pairs[0] == 0 && pairs[3] == 0);
    cr_assert_float_eq(rest, 0, 1e-15);
}

/* Contrasts that add to 0 over each factor are orthogonal: their mean squares are the shares. */
Test(factorial, shares_are_those_of_orthogonal_contrasts)
{
    const double a[2] = {-1, 1}, b[3] = {-2, 0.5, 1.5}, c[4] = {1, -3, 1, 1}; /* squares 1, 13/6, 3 */
    const size_t n_levels[] = {2, 3, 4};
    double y[24], noise[24], alone[3], pairs[9], rest;
    for (size_t i = 0; i < 24; i++) {
        const double p = a[i / 12], q = b[i / 4 % 3], r = c[i % 4];
        y[i] = 1e5 + 2 * p + 3 * q - r + 0.5 * p * r + 4 * q * r - 1.5 * p * q * r;
        noise[i] = 0.25;
    }
    const double of_b = 9 * 13.0 / 6, of_bc = 16 * 13.0 / 2, of_abc = 2.25 * 13.0 / 2;
    const double whole = 4 + of_b + 3 + 0.25 * 3 + of_bc + of_abc;
    cr_assert_eq(pk_sensitivity_factorial(n_levels, 3, y, NULL, alone, pairs, &rest, NULL), PK_OK);
    cr_assert_float_eq(alone[0], 4 / whole, 1e-9);
    cr_assert_float_eq(alone[1], of_b / whole, 1e-9);
    cr_assert_float_eq(alone[2], 3 / whole, 1e-9);
    cr_assert_float_eq(pairs[0 * 3 + 2], 0.75 / whole, 1e-9);
    cr_assert_float_eq(pairs[1 * 3 + 2], of_bc / whole, 1e-9);
    cr_assert_float_eq(pairs[0 * 3 + 1], 0, 1e-9);
    cr_assert_float_eq(rest, of_abc / whole, 1e-9);
    /* by noise alone: 2 of 23 degrees of freedom for b, 6 for b with c, a variance of 1/4 */
    cr_assert_eq(pk_sensitivity_factorial(n_levels, 3, y, noise, alone, pairs, &rest, NULL), PK_OK);
    const double without = whole - 0.25 * 23 / 24;
    cr_assert_float_eq(alone[1], (of_b - 0.25 * 2 / 24) / without, 1e-9);
    cr_assert_float_eq(pairs[5], (of_bc - 0.25 * 6 / 24) / without, 1e-9);
    cr_assert_float_eq(rest, (of_abc - 0.25 * 6 / 24) / without, 1e-9);
}

Test(factorial, nothing_to_share_out_is_not_zero)
{
    const double y[] = {0.1, 0.1, 0.1, 0.1}, hole[] = {1, 2, (double)NAN, 4};
    const size_t n_levels[] = {2, 2}, none[] = {2, 0};
    double alone[2], pairs[4], rest;
    cr_assert_eq(pk_sensitivity_factorial(n_levels, 2, y, NULL, alone, pairs, &rest, NULL), PK_OK);
    cr_assert(isnan(alone[0]) && isnan(pairs[1]) && isnan(rest));
    struct pk_error error;
    cr_assert_eq(pk_sensitivity_factorial(n_levels, 2, hole, NULL, alone, pairs, &rest, &error), PK_BAD_INPUT);
    cr_assert_str_eq(error.message, "point 2 of the factorial has no outcome");
    cr_assert_eq(pk_sensitivity_factorial(none, 2, y, NULL, alone, pairs, &rest, &error), PK_BAD_INPUT);
}

Test(sensitivity, gives_back_all_memory_when_there_is_too_little)
{
    const struct pk_design_columns columns = {.n = 3, .names = names};
    const size_t n_levels[] = {2, 4};
    struct pk_design design;
    double alone[2], pairs[4], rest, y[40];
    for (size_t i = 0; i < 40; i++)
        y[i] = normal(1, i);
    cr_assert_eq(pk_design_morris(&design, 1, 10, 4, 0, &columns, NULL), PK_OK);
    for (int what = 0; what < 3; what++)
        for (long n = 0;; n++) {
            struct pk_sensitivity_effect effects[3];
            struct pk_sensitivity_regression regression = {.n_points = 0};
            pk_memory_fail_after(n);
            const enum pk_status status =
                what == 0   ? pk_sensitivity_morris(&design, 3, y, NULL, &few, effects, NULL)
                : what == 1 ? pk_sensitivity_regression_init(&regression, 40, 3, design.points, y, &few, NULL)
                            : pk_sensitivity_factorial(n_levels, 2, y, NULL, alone, pairs, &rest, NULL);
            pk_memory_fail_after(-1);
            pk_sensitivity_regression_free(&regression);
            if (status == PK_OK)
                break;
            cr_assert_eq(status, PK_NO_MEMORY);
            cr_assert_lt(n, 100);
        }
    pk_design_free(&design);
}
