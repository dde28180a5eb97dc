/* Designs: strata, nets and grids hold what they promise; bits are those of a second program; columns are known by
 * name.
 *
 * The bits come from a Python program that computes Philox, the hash of names and the scrambling bit by bit. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "polku/design.h"
#include "polku/memory.h"

enum { MANY = 80 };
static char many_names[MANY][16];
static const char *many[MANY];
static const uint64_t seed = 20210101;

static struct pk_design_columns columns_of(size_t n)
{
    static const char *const some[] = {"job_loss", "cost", "utility"};
    for (size_t j = 0; j < MANY; j++) {
        snprintf(many_names[j], sizeof many_names[j], "p%zu", j);
        many[j] = j < 3 ? some[j] : many_names[j];
    }
    return (struct pk_design_columns){.n = n, .names = many};
}

static double at(const struct pk_design *design, size_t i_point, size_t i_column)
{
    return design->points[i_point * design->n_columns + i_column];
}

static size_t stratum(double u, size_t n)
{
    return (size_t)floor(u * (double)n);
}

/* ---- Latin hypercube ---- */

Test(latin, has_the_bits_of_the_second_program)
{
    const double expected[] = {0x1.a79815d99999ap-3, 0x1.14fd4db666666p-1, 0x1.556110bcccccdp-1, 0x1.d61da34cccccdp-4,
                               0x1.d1e378f000000p-1};
    const struct pk_design_columns columns = columns_of(2);
    struct pk_design design;
    cr_assert_eq(pk_design_latin(&design, seed, 5, &columns, NULL), PK_OK);
    for (size_t i = 0; i < 5; i++)
        cr_assert_eq(at(&design, i, 0), expected[i], "%zu: %a", i, at(&design, i, 0));
    pk_design_free(&design);
}

Test(latin, every_column_has_one_point_in_every_stratum_uniform_within)
{
    enum { N = 3001, K = 7 };
    const struct pk_design_columns columns = columns_of(K);
    struct pk_design design;
    static double within[K][N];
    cr_assert_eq(pk_design_latin(&design, seed, N, &columns, NULL), PK_OK);
    for (size_t j = 0; j < K; j++) {
        static bool taken[N];
        memset(taken, 0, sizeof taken);
        double sum = 0, squares = 0;
        for (size_t i = 0; i < N; i++) {
            const double u = at(&design, i, j);
            cr_assert(u > 0 && u < 1);
            cr_assert_not(taken[stratum(u, N)]);
            taken[stratum(u, N)] = true;
            within[j][i] = u;
            sum += u * N - floor(u * N) - 0.5;
            squares += pow(u * N - floor(u * N) - 0.5, 2);
        }
        cr_assert_lt(fabs(sum), 4.5 * sqrt(N / 12.0), "jitter is uniform: mean");
        cr_assert_lt(fabs(squares - N / 12.0), 4.5 * sqrt(N / 180.0), "and variance");
        for (size_t i = 0; i < j; i++) { /* and columns are independent: r has standard deviation 1 / sqrt(N - 1) */
            double product = 0;
            for (size_t p = 0; p < N; p++)
                product += (within[j][p] - 0.5) * (within[i][p] - 0.5);
            cr_assert_lt(fabs(product * 12 / N), 4.5 / sqrt(N - 1.0));
        }
    }
    pk_design_free(&design);
}

Test(latin, a_column_is_known_by_its_name_only)
{
    const char *const names[] = {"cost", "job_loss"}, *const more[] = {"other", "job_loss", "cost"};
    const struct pk_design_columns columns = {.n = 2, .names = names}, larger = {.n = 3, .names = more};
    struct pk_design design, other;
    cr_assert_eq(pk_design_latin(&design, seed, 40, &columns, NULL), PK_OK);
    cr_assert_eq(pk_design_latin(&other, seed, 40, &larger, NULL), PK_OK);
    for (size_t i = 0; i < 40; i++) {
        cr_assert_eq(at(&design, i, 0), at(&other, i, 2));
        cr_assert_eq(at(&design, i, 1), at(&other, i, 1));
    }
    pk_design_free(&other);
    cr_assert_eq(pk_design_latin(&other, seed + 1, 40, &larger, NULL), PK_OK);
    size_t n_same = 0;
    for (size_t i = 0; i < 40; i++)
        n_same += at(&design, i, 0) == at(&other, i, 2);
    cr_assert_eq(n_same, 0, "another seed, another design");
    pk_design_free(&other);
    pk_design_free(&design);
}

/* ---- scrambled Sobol' ---- */

Test(saltelli, has_the_bits_of_the_second_program)
{
    const size_t rows[] = {0, 3, 5};
    const double a[2][3] = {{0x1.3b3ffe97efa74p-3, 0x1.ff1c5c41e661ap-2, 0x1.6a189e6f75f17p-1},
                            {0x1.dcd1b7b3f835cp-3, 0x1.c04c5b2d5f217p-1, 0x1.8928d13dd9e88p-4}};
    const double b[2][3] = {{0x1.c7b13986bba1dp-1, 0x1.28c0c2fa74680p-8, 0x1.07170ce27661cp-3},
                            {0x1.ef0dda25dff0fp-1, 0x1.727c88cbc2402p-2, 0x1.18addcdbb2a97p-1}};
    const struct pk_design_columns columns = columns_of(2);
    struct pk_design design;
    cr_assert_eq(pk_design_saltelli(&design, seed, 6, false, &columns, NULL), PK_OK);
    for (size_t j = 0; j < 2; j++)
        for (size_t r = 0; r < 3; r++) {
            cr_assert_eq(at(&design, rows[r] * 4, j), a[j][r], "A %zu %zu: %a", r, j, at(&design, rows[r] * 4, j));
            cr_assert_eq(at(&design, rows[r] * 4 + 1, j), b[j][r], "B %zu %zu: %a", r, j,
                         at(&design, rows[r] * 4 + 1, j));
        }
    pk_design_free(&design);
}

/* Raw points are scipy's; the first 80 dimensions. */
Test(quasi, has_the_bits_of_the_second_program_far_out)
{
    const size_t rows[] = {1, 700, 1001, 777, 1000}, places[] = {7, 12, 33, 63, 79};
    const double expected[] = {0x1.da22df80932acp-3, 0x1.f46b42c14c6dfp-1, 0x1.191a87c5558ecp-3, 0x1.d1aa87c02ced5p-1,
                               0x1.c54fd5e2080bcp-3};
    const struct pk_design_columns columns = columns_of(80);
    struct pk_design design;
    cr_assert_eq(pk_design_quasi(&design, seed, 1002, &columns, NULL), PK_OK);
    for (size_t i = 0; i < 5; i++)
        cr_assert_eq(at(&design, rows[i], places[i]), expected[i], "%zu: %a", i, at(&design, rows[i], places[i]));
    pk_design_free(&design);
}

/* Every box of 2^-p by 2^-q, p + q = m, has one of the 2^m points. */
Test(quasi, is_a_net_in_every_column_and_in_the_first_two)
{
    enum { M = 9, N = 1 << M };
    const struct pk_design_columns columns = columns_of(PK_DESIGN_SOBOL_MAX);
    struct pk_design design;
    static bool taken[N];
    cr_assert_eq(pk_design_quasi(&design, seed, N, &columns, NULL), PK_OK);
    for (size_t j = 0; j < columns.n; j++) {
        memset(taken, 0, sizeof taken);
        for (size_t i = 0; i < N; i++)
            taken[stratum(at(&design, i, j), N)] = true;
        for (size_t s = 0; s < N; s++)
            cr_assert(taken[s], "column %zu stratum %zu", j, s);
    }
    for (size_t p = 0; p <= M; p++) {
        memset(taken, 0, sizeof taken);
        for (size_t i = 0; i < N; i++)
            taken[stratum(at(&design, i, 0), 1u << p) << (M - p) | stratum(at(&design, i, 1), 1u << (M - p))] = true;
        for (size_t s = 0; s < N; s++)
            cr_assert(taken[s], "boxes of %zu bits, %zu", p, s);
    }
    pk_design_free(&design);
}

/* Over seeds a point is uniform, and two points of a net are where their common bits allow, else independent. */
Test(quasi, a_point_is_uniform_over_seeds)
{
    enum { SEEDS = 4000 };
    const struct pk_design_columns columns = columns_of(1);
    double sum = 0, squares = 0, product = 0;
    for (uint64_t s = 0; s < SEEDS; s++) {
        struct pk_design design;
        cr_assert_eq(pk_design_quasi(&design, s, 4, &columns, NULL), PK_OK);
        const double u = at(&design, 2, 0), v = at(&design, 3, 0);
        sum += u - 0.5;
        squares += (u - 0.5) * (u - 0.5);
        /* 0.75 and 0.25 have no bit in common: opposite halves, independent within: covariance -1/16 */
        product += (u - 0.5) * (v - 0.5);
        pk_design_free(&design);
    }
    cr_assert_lt(fabs(sum), 4.5 * sqrt(SEEDS / 12.0));
    cr_assert_lt(fabs(squares - SEEDS / 12.0), 4.5 * sqrt(SEEDS / 180.0));
    cr_assert_lt(fabs(product / SEEDS + 1.0 / 16), 4.5 * 0.05 / sqrt(SEEDS)); /* sd of a product is 0.0430 */
}

Test(saltelli, rows_are_mixed_of_two_and_go_on_in_a_larger_design)
{
    enum { K = 43, N = 32 }; /* three columns past the sequence */
    size_t factor_of[K];
    for (size_t j = 0; j < K; j++)
        factor_of[j] = j % 5;
    struct pk_design_columns columns = columns_of(K);
    columns.n_factors = 5;
    columns.factor_of = factor_of;
    struct pk_design design, larger;
    cr_assert_eq(pk_design_saltelli(&design, seed, N, true, &columns, NULL), PK_OK);
    cr_assert_eq(pk_design_saltelli(&larger, seed, 2 * N, true, &columns, NULL), PK_OK);
    cr_assert_eq(design.n_points, N * 12);
    cr_assert_arr_eq(design.points, larger.points, N * 12 * K * sizeof *design.points);
    cr_assert_arr_eq(design.marks, larger.marks, N * 12 * sizeof *design.marks);
    for (size_t i = 0; i < design.n_points; i++) {
        const struct pk_design_mark *mark = &design.marks[i];
        const size_t first = i / 12 * 12;
        cr_assert_eq(mark->row, i / 12);
        cr_assert_eq(mark->part, i % 12 == 0   ? PK_DESIGN_A
                                 : i % 12 == 1 ? PK_DESIGN_B
                                 : i % 12 < 7  ? PK_DESIGN_AB
                                               : PK_DESIGN_BA);
        cr_assert_eq(mark->factor, i % 12 < 2 ? PK_DESIGN_NONE : (i % 12 - 2) % 5);
        for (size_t j = 0; j < K; j++) {
            const double a = at(&design, first, j), b = at(&design, first + 1, j);
            cr_assert(a != b && a > 0 && a < 1);
            if (mark->part == PK_DESIGN_AB)
                cr_assert_eq(at(&design, i, j), j % 5 == mark->factor ? b : a);
            if (mark->part == PK_DESIGN_BA)
                cr_assert_eq(at(&design, i, j), j % 5 == mark->factor ? a : b);
        }
    }
    for (size_t j = 0; j < K; j++) { /* a net in either sample, where the sequence reaches */
        uint32_t in_a = 0, in_b = 0;
        for (size_t r = 0; r < N; r++) {
            in_a |= 1u << stratum(at(&design, r * 12, j), N);
            in_b |= 1u << stratum(at(&design, r * 12 + 1, j), N);
        }
        cr_assert_eq(in_a == UINT32_MAX, j < 40, "column %zu", j);
        cr_assert_eq(in_b == UINT32_MAX, j < 40, "column %zu", j);
    }
    pk_design_free(&design);
    pk_design_free(&larger);
    columns = columns_of(K);
    struct pk_design fewer;
    columns.n = 4;
    cr_assert_eq(pk_design_saltelli(&design, seed, N, false, &columns, NULL), PK_OK);
    columns.n = 3;
    cr_assert_eq(pk_design_saltelli(&fewer, seed, N, false, &columns, NULL), PK_OK);
    for (size_t r = 0; r < N; r++)
        for (size_t j = 0; j < 3; j++) {
            cr_assert_eq(at(&design, r * 6, j), at(&fewer, r * 5, j), "a column behind changes no other");
            cr_assert_eq(at(&design, r * 6 + 1, j), at(&fewer, r * 5 + 1, j));
        }
    pk_design_free(&design);
    pk_design_free(&fewer);
}

/* ---- Morris ---- */

static void check_trajectories(const struct pk_design *design, const struct pk_design_columns *columns, size_t n,
                               uint32_t n_levels)
{
    const size_t k = pk_design_n_factors(columns);
    cr_assert_eq(design->n_points, n * (k + 1));
    for (size_t i = 0; i < design->n_points; i++) {
        const struct pk_design_mark *mark = &design->marks[i];
        cr_assert_eq(mark->row, i / (k + 1));
        cr_assert_eq(mark->part, i % (k + 1) == 0 ? PK_DESIGN_START : PK_DESIGN_STEP);
        size_t n_columns = 0;
        for (size_t j = 0; j < columns->n; j++) {
            const double level = at(design, i, j) * n_levels - 0.5;
            cr_assert(fabs(level - round(level)) < 1e-9 && level > -0.5 && level < n_levels - 0.5, "%g", level);
            if (mark->part == PK_DESIGN_START)
                continue;
            const double moved = at(design, i, j) - at(design, i - 1, j);
            const bool mine = (columns->factor_of == NULL ? j : columns->factor_of[j]) == mark->factor;
            cr_assert_float_eq(fabs(moved), mine ? PK_DESIGN_MORRIS_STEP : 0, 1e-12);
            n_columns += mine;
            if (mine && mark->direction != 0)
                cr_assert_eq(moved > 0 ? 1 : -1, mark->direction);
        }
        if (mark->part == PK_DESIGN_STEP) {
            cr_assert_eq(mark->direction == 0, n_columns > 1);
            for (size_t p = i - 1; design->marks[p].part == PK_DESIGN_STEP; p--)
                cr_assert_neq(design->marks[p].factor, mark->factor, "each factor once");
        }
    }
}

Test(morris, has_the_levels_and_turns_of_the_second_program)
{
    const unsigned levels[3][3] = {{1, 2, 1}, {5, 4, 1}, {1, 1, 3}}, turns[3][3] = {{1, 2, 0}, {2, 0, 1}, {1, 0, 2}};
    const struct pk_design_columns columns = columns_of(3);
    struct pk_design design;
    cr_assert_eq(pk_design_morris(&design, seed, 3, 6, 0, &columns, NULL), PK_OK);
    for (size_t t = 0; t < 3; t++)
        for (size_t j = 0; j < 3; j++) {
            cr_assert_eq(at(&design, t * 4, j), (2.0 * levels[t][j] + 1) / 12);
            cr_assert_eq(design.marks[t * 4 + 1 + j].factor, turns[t][j]);
        }
    pk_design_free(&design);
}

Test(morris, moves_one_factor_at_a_time_all_levels_alike)
{
    enum { N = 900 };
    const struct pk_design_columns columns = columns_of(6);
    struct pk_design design;
    cr_assert_eq(pk_design_morris(&design, seed, N, 10, 0, &columns, NULL), PK_OK);
    check_trajectories(&design, &columns, N, 10);
    double counts[10] = {0}, first[6] = {0}, chi = 0, chi_first = 0;
    for (size_t t = 0; t < N; t++) {
        for (size_t j = 0; j < 6; j++)
            counts[stratum(at(&design, t * 7, j), 10)]++;
        first[design.marks[t * 7 + 1].factor]++;
    }
    for (size_t l = 0; l < 10; l++)
        chi += pow(counts[l] - 540, 2) / 540;
    for (size_t f = 0; f < 6; f++)
        chi_first += pow(first[f] - 150, 2) / 150;
    cr_assert_lt(chi, 33.7, "0.0001 of chi squared with 9: %g", chi);
    cr_assert_lt(chi_first, 25.7, "0.0001 of chi squared with 5: %g", chi_first);
    pk_design_free(&design);
}

Test(morris, groups_move_together_and_columns_are_known_by_name)
{
    const char *const names[] = {"a", "b", "c", "d"}, *const turned[] = {"d", "c", "b", "a"};
    const size_t factor_of[] = {0, 1, 0, 2}, factor_of_turned[] = {2, 0, 1, 0};
    const struct pk_design_columns columns = {4, names, 3, factor_of}, other = {4, turned, 3, factor_of_turned};
    struct pk_design design, same;
    cr_assert_eq(pk_design_morris(&design, seed, 20, 4, 50, &columns, NULL), PK_OK);
    cr_assert_eq(pk_design_morris(&same, seed, 20, 4, 50, &other, NULL), PK_OK);
    check_trajectories(&design, &columns, 20, 4);
    cr_assert_arr_eq(design.marks, same.marks, design.n_points * sizeof *design.marks);
    for (size_t i = 0; i < design.n_points; i++)
        for (size_t j = 0; j < 4; j++)
            cr_assert_eq(at(&design, i, j), at(&same, i, 3 - j));
    pk_design_free(&design);
    pk_design_free(&same);
}

/* The distance of Campolongo et al. 2007, straight from the points. */
static double apart(const struct pk_design *design, size_t n_a_trajectory, size_t i, size_t j)
{
    double sum = 0;
    for (size_t p = 0; p < n_a_trajectory; p++)
        for (size_t q = 0; q < n_a_trajectory; q++) {
            double squares = 0;
            for (size_t c = 0; c < design->n_columns; c++)
                squares += pow(at(design, i * n_a_trajectory + p, c) - at(design, j * n_a_trajectory + q, c), 2);
            sum += sqrt(squares);
        }
    return sum;
}

Test(morris, two_of_many_are_the_two_farthest_apart_and_more_are_spread)
{
    enum { M = 60 };
    const struct pk_design_columns columns = columns_of(5);
    struct pk_design all, two, ten;
    cr_assert_eq(pk_design_morris(&all, seed, M, 4, 0, &columns, NULL), PK_OK);
    cr_assert_eq(pk_design_morris(&two, seed, 2, 4, M, &columns, NULL), PK_OK);
    cr_assert_eq(pk_design_morris(&ten, seed, 10, 4, M, &columns, NULL), PK_OK);
    check_trajectories(&ten, &columns, 10, 4);
    double farthest = 0, mean = 0, mean_ten = 0;
    for (size_t i = 0; i < M; i++)
        for (size_t j = 0; j < i; j++) {
            farthest = fmax(farthest, apart(&all, 6, i, j));
            mean += pow(apart(&all, 6, i, j), 2) / (M * (M - 1) / 2);
            mean_ten += i < 10 ? pow(apart(&ten, 6, i, j), 2) / 45 : 0;
        }
    cr_assert_float_eq(apart(&two, 6, 0, 1), farthest, 1e-9);
    cr_assert_gt(mean_ten, 1.05 * mean, "%g against %g of all", mean_ten, mean);
    size_t n_found = 0;
    for (size_t i = 0; i < M; i++)
        for (size_t t = 0; t < 10; t++)
            n_found += memcmp(&all.points[i * 30], &ten.points[t * 30], 30 * sizeof *all.points) == 0;
    cr_assert_eq(n_found, 10, "the candidates are the trajectories themselves");
    pk_design_free(&all);
    pk_design_free(&two);
    pk_design_free(&ten);
}

/* ---- grids ---- */

static const double of_first[] = {-1.5, 2.25}, of_second[] = {3.125, 0.1, 7}, of_third[] = {11, 12};
static const struct pk_design_levels grid[] = {{0.3, 2, of_first}, {0.1, 3, of_second}, {11.5, 2, of_third}};

Test(grid, a_factorial_has_every_combination_once)
{
    struct pk_design design;
    cr_assert_eq(pk_design_factorial(&design, grid, 3, NULL), PK_OK);
    cr_assert_eq(design.n_points, 12);
    size_t i = 0;
    for (size_t a = 0; a < 2; a++)
        for (size_t b = 0; b < 3; b++)
            for (size_t c = 0; c < 2; c++, i++) {
                cr_assert_eq(at(&design, i, 0), of_first[a]);
                cr_assert_eq(at(&design, i, 1), of_second[b]);
                cr_assert_eq(at(&design, i, 2), of_third[c]);
                cr_assert_eq(pk_design_factorial_level(grid, 3, i, 0), a);
                cr_assert_eq(pk_design_factorial_level(grid, 3, i, 1), b);
                cr_assert_eq(pk_design_factorial_level(grid, 3, i, 2), c);
            }
    pk_design_free(&design);
}

Test(grid, one_way_moves_one_and_two_way_two)
{
    struct pk_design design;
    const struct pk_design_levels still[] = {grid[0], {0.7, 0, NULL}, grid[2]};
    cr_assert_eq(pk_design_one_way(&design, still, 3, NULL), PK_OK);
    const double one_way[5][3] = {
        {0.3, 0.7, 11.5}, {-1.5, 0.7, 11.5}, {2.25, 0.7, 11.5}, {0.3, 0.7, 11}, {0.3, 0.7, 12}};
    cr_assert_eq(design.n_points, 5);
    cr_assert_arr_eq(design.points, one_way, sizeof one_way);
    cr_assert_eq(design.marks[0].part, PK_DESIGN_BASE);
    cr_assert(design.marks[4].part == PK_DESIGN_LEVEL && design.marks[4].factor == 2 && design.marks[4].level == 1);
    pk_design_free(&design);
    cr_assert_eq(pk_design_two_way(&design, grid, 3, 2, 1, NULL), PK_OK);
    cr_assert_eq(design.n_points, 7);
    const double last[] = {0.3, 7, 12}, second[] = {0.3, 0.1, 11};
    cr_assert_arr_eq(design.points + 18, last, sizeof last);
    cr_assert_arr_eq(design.points + 6, second, sizeof second);
    cr_assert(design.marks[2].factor == 2 && design.marks[2].level == 0 && design.marks[2].other == 1 &&
              design.marks[2].other_level == 1);
    pk_design_free(&design);
}

/* ---- faults ---- */

#define REFUSED(call, text)                                                                                            \
    do {                                                                                                               \
        struct pk_error error = {.message = ""};                                                                       \
        struct pk_design design;                                                                                       \
        cr_assert_eq((call), PK_BAD_INPUT);                                                                            \
        cr_assert(strstr(error.message, text) != NULL, "%s", error.message);                                           \
        pk_design_free(&design);                                                                                       \
    } while (0)

Test(design, refuses_what_has_no_meaning)
{
    struct pk_design_columns columns = columns_of(3);
    const char *const twice[] = {"a", "b", "a"};
    const struct pk_design_columns same = {.n = 3, .names = twice};
    const size_t without[] = {0, 2, 0}, beyond[] = {0, 1, 2};
    const struct pk_design_columns lacking = {3, many, 3, without}, outside = {3, many, 2, beyond};
    const struct pk_design_levels none = {0, 0, NULL}, wide[] = {{0, 1 << 20, of_first}, {0, 1 << 20, of_first}};
    REFUSED(pk_design_latin(&design, 1, 0, &columns, &error), "needs a point");
    REFUSED(pk_design_latin(&design, 1, (1 << 24) + 1, &columns, &error), "more than 16777216 points");
    REFUSED(pk_design_saltelli(&design, 1, SIZE_MAX / 2, true, &columns, &error), "more than 16777216 points");
    REFUSED(pk_design_quasi(&design, 1, 4, &same, &error), "has a twice");
    REFUSED(pk_design_saltelli(&design, 1, 4, true, &lacking, &error), "factor 1 of the design has no column");
    REFUSED(pk_design_saltelli(&design, 1, 4, true, &outside, &error), "utility belongs to no factor");
    REFUSED(pk_design_morris(&design, 1, 4, 5, 0, &columns, &error), "even number of levels");
    REFUSED(pk_design_morris(&design, 1, 4, 4, 3, &columns, &error), "not 3");
    REFUSED(pk_design_morris(&design, 1, 4, 4, 1025, &columns, &error), "not 1025");
    REFUSED(pk_design_factorial(&design, &none, 1, &error), "has no level");
    REFUSED(pk_design_factorial(&design, wide, 2, &error), "more than 16777216 points");
    REFUSED(pk_design_two_way(&design, grid, 3, 1, 1, &error), "two different factors");
}

Test(design, gives_back_all_memory_when_there_is_too_little)
{
    const struct pk_design_columns columns = columns_of(3);
    for (int what = 0; what < 5; what++)
        for (long n = 0;; n++) {
            struct pk_design design;
            pk_memory_fail_after(n);
            const enum pk_status status = what == 0   ? pk_design_latin(&design, 1, 8, &columns, NULL)
                                          : what == 1 ? pk_design_quasi(&design, 1, 8, &columns, NULL)
                                          : what == 2 ? pk_design_saltelli(&design, 1, 8, true, &columns, NULL)
                                          : what == 3 ? pk_design_morris(&design, 1, 2, 4, 8, &columns, NULL)
                                                      : pk_design_one_way(&design, grid, 3, NULL);
            pk_memory_fail_after(-1);
            pk_design_free(&design);
            if (status == PK_OK)
                break;
            cr_assert_eq(status, PK_NO_MEMORY);
            cr_assert_lt(n, 100);
        }
}
