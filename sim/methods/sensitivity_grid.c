/* What grids say: tornado, break-even, shares of a factorial. See polku/sensitivity.h. */
#include <math.h>
#include <string.h>

#include "polku/memory.h"
#include "sensitivity_private.h"

void pk_sensitivity_tornado(const struct pk_design *design, size_t n_factors, const double *y,
                            struct pk_sensitivity_bar *bars)
{
    for (size_t f = 0; f < n_factors; f++) {
        struct pk_sensitivity_bar bar = {f, (double)NAN, (double)NAN, 0, 0, (double)NAN};
        bool moves = false;
        for (size_t i = 0; i < design->n_points; i++) {
            const struct pk_design_mark *mark = &design->marks[i];
            const bool mine = mark->part == PK_DESIGN_LEVEL && mark->factor == f;
            if ((!mine && mark->part != PK_DESIGN_BASE) || !isfinite(y[i]))
                continue;
            moves |= mine;
            if (!(y[i] >= bar.lowest)) {
                bar.lowest = y[i];
                bar.i_lowest = i;
            }
            if (!(y[i] <= bar.highest)) {
                bar.highest = y[i];
                bar.i_highest = i;
            }
        }
        bar.swing = moves ? bar.highest - bar.lowest : (double)NAN;
        size_t i = f; /* by insertion: behind all that are as long */
        for (; i > 0 && (bar.swing > bars[i - 1].swing || (moves && isnan(bars[i - 1].swing))); i--)
            bars[i] = bars[i - 1];
        bars[i] = bar;
    }
}

/* ---- break-even ---- */

static void add_zero(struct pk_sensitivity_break_even *told, double from, double to, bool crosses)
{
    told->n_crossings += crosses;
    told->n_zeros++;
    if (told->n_kept < PK_SENSITIVITY_ZEROS)
        told->zeros[told->n_kept++] = (struct pk_sensitivity_zero){from, to, crosses};
}

enum pk_status pk_sensitivity_break_even(const double *x, const double *y, size_t n,
                                         struct pk_sensitivity_break_even *break_even, struct pk_error *error)
{
    const double none = (double)NAN;
    double last_x = none, last_y = none;               /* the level before */
    double sign = 0, zero_from = none, zero_to = none; /* the last sign, and zeros since */
    bool rises = false, falls = false;
    memset(break_even, 0, sizeof *break_even);
    for (size_t i = 0; i < n; i++) {
        if (isnan(y[i]))
            continue;
        if (!(isnan(last_x) || x[i] > last_x))
            return pk_error_set(error, PK_BAD_INPUT, "levels must ascend: %g after %g", x[i], last_x);
        rises |= y[i] > last_y;
        falls |= y[i] < last_y;
        if (y[i] == 0) {
            zero_from = isnan(zero_from) ? x[i] : zero_from;
            zero_to = x[i];
        } else {
            const double now = y[i] > 0 ? 1 : -1;
            if (!isnan(zero_from))
                add_zero(break_even, zero_from, zero_to, sign * now < 0);
            else if (sign * now < 0) {
                const double at = last_x + (x[i] - last_x) * (last_y / (last_y - y[i]));
                add_zero(break_even, at, at, true);
            }
            zero_from = zero_to = none;
            sign = now;
        }
        last_x = x[i];
        last_y = y[i];
    }
    if (!isnan(zero_from))
        add_zero(break_even, zero_from, zero_to, false);
    break_even->monotone = !(rises && falls);
    return PK_OK;
}

/* ---- factorial ---- */

struct grid {
    const size_t *n_levels;
    size_t n_factors, n_points;
    double *first, *second, *cells; /* means by level, less the overall mean */
};

static size_t level(const struct grid *grid, size_t i_point, size_t i_factor)
{
    for (size_t f = grid->n_factors; --f > i_factor;)
        i_point /= grid->n_levels[f];
    return i_point % grid->n_levels[i_factor];
}

static void level_means(const struct grid *grid, const double *centred, size_t i_factor, double *means)
{
    const size_t n = grid->n_levels[i_factor];
    memset(means, 0, n * sizeof *means);
    for (size_t i = 0; i < grid->n_points; i++)
        means[level(grid, i, i_factor)] += centred[i] * (double)n / (double)grid->n_points;
}

static double mean_square(const double *values, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += values[i] * values[i];
    return sum / (double)n;
}

/* Mean squares of main effects and of what two have beyond them. */
static double main_square(const struct grid *grid, const double *centred, size_t f)
{
    level_means(grid, centred, f, grid->first);
    return mean_square(grid->first, grid->n_levels[f]);
}

static double pair_square(const struct grid *grid, const double *centred, size_t f, size_t g)
{
    const size_t n_f = grid->n_levels[f], n_g = grid->n_levels[g];
    level_means(grid, centred, f, grid->first);
    level_means(grid, centred, g, grid->second);
    for (size_t a = 0; a < n_f; a++)
        for (size_t b = 0; b < n_g; b++)
            grid->cells[a * n_g + b] = -grid->first[a] - grid->second[b];
    for (size_t i = 0; i < grid->n_points; i++)
        grid->cells[level(grid, i, f) * n_g + level(grid, i, g)] +=
            centred[i] * (double)(n_f * n_g) / (double)grid->n_points;
    return mean_square(grid->cells, n_f * n_g);
}

enum pk_status pk_sensitivity_factorial(const size_t *n_levels, size_t n_factors, const double *y, const double *noise,
                                        double *main_effects, double *pairs, double *rest, struct pk_error *error)
{
    struct grid grid = {.n_levels = n_levels, .n_factors = n_factors, .n_points = 1};
    size_t most = 1, most_two = 1;
    double mean = 0, error_variance = 0, largest = 0;
    for (size_t f = 0; f < n_factors; f++) {
        grid.n_points = grid.n_points > PK_DESIGN_POINTS_MAX ? grid.n_points : grid.n_points * n_levels[f];
        most = n_levels[f] > most ? n_levels[f] : most;
        for (size_t g = 0; g < f; g++)
            most_two = n_levels[f] * n_levels[g] > most_two ? n_levels[f] * n_levels[g] : most_two;
    }
    if (grid.n_points == 0 || grid.n_points > PK_DESIGN_POINTS_MAX)
        return pk_error_set(error, PK_BAD_INPUT, "a factorial has 1 to %d points", (int)PK_DESIGN_POINTS_MAX);
    for (size_t i = 0; i < grid.n_points; i++) {
        if (!isfinite(y[i]))
            return pk_error_set(error, PK_BAD_INPUT, "point %zu of the factorial has no outcome", i);
        mean += y[i] / (double)grid.n_points;
        error_variance += noise == NULL ? 0 : noise[i] / (double)grid.n_points;
        largest = fmax(largest, fabs(y[i]));
    }
    double *centred = pk_alloc(grid.n_points + 2 * most + most_two, sizeof *centred);
    if (centred == NULL)
        return pk_error_set(error, PK_NO_MEMORY, "no memory for a factorial of %zu points", grid.n_points);
    grid.first = centred + grid.n_points;
    grid.second = grid.first + most;
    grid.cells = grid.second + most;
    for (size_t i = 0; i < grid.n_points; i++)
        centred[i] = y[i] - mean;
    const double n = (double)grid.n_points, seen = mean_square(centred, grid.n_points);
    double whole = seen - (n - 1) / n * error_variance;
    if (!(seen > 1e-26 * largest * largest) || !(whole > 0))
        whole = (double)NAN;
    *rest = isnan(whole) ? whole : 1;
    for (size_t f = 0; f < n_factors; f++) {
        const double free_f = (double)n_levels[f] - 1;
        main_effects[f] = (main_square(&grid, centred, f) - free_f / n * error_variance) / whole;
        *rest -= main_effects[f];
        pairs[f * n_factors + f] = 0;
        for (size_t g = 0; g < f; g++) {
            const double free_two = free_f * ((double)n_levels[g] - 1);
            const double share = (pair_square(&grid, centred, f, g) - free_two / n * error_variance) / whole;
            pairs[f * n_factors + g] = pairs[g * n_factors + f] = share;
            *rest -= share;
        }
    }
    pk_free(centred);
    return PK_OK;
}
