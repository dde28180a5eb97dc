/* Standardised and partial coefficients, of values and of ranks. See polku/sensitivity.h. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "polku/memory.h"
#include "sensitivity_private.h"

#define COLLINEAR 1e-10 /* of a column's variance, left by the others */

struct place {
    double value;
    size_t row;
};

struct regression {
    size_t n_rows, n_columns; /* columns without the constant ones; y stands behind them */
    size_t *columns;          /* [n_columns], the caller's */
    double *values;           /* [n_columns + 1][n_rows] */
    struct place *places;     /* the same, ascending; NULL: values themselves, not their ranks */
    double *ranks;            /* the same, of a resample */
    double *correlations;     /* [n_columns + 1][n_columns + 1] */
    double *inverse;          /* [n_columns][n_columns] */
};

/* Equal values share the mean of their ranks; a row drawn twice is equal to itself. */
static void rank(const struct regression *g, const double *weights)
{
    for (size_t c = 0; c <= g->n_columns; c++) {
        const struct place *places = g->places + c * g->n_rows;
        double below = 0;
        for (size_t from = 0, to; from < g->n_rows; from = to) {
            double equal = 0;
            for (to = from; to < g->n_rows && places[to].value == places[from].value; to++)
                equal += weights[places[to].row];
            for (size_t i = from; i < to; i++)
                g->ranks[c * g->n_rows + places[i].row] = below + (equal + 1) / 2;
            below += equal;
        }
    }
}

/* False where a column does not vary, but for the rounding of its mean. */
static bool correlate(const struct regression *g, const double *weights, const double *values)
{
    const size_t m = g->n_columns + 1, n = g->n_rows;
    double *c = g->correlations;
    for (size_t i = 0; i < m; i++) {
        double mean = 0, squares = 0;
        for (size_t r = 0; r < n; r++) {
            mean += weights[r] * values[i * n + r];
            squares += weights[r] * values[i * n + r] * values[i * n + r];
        }
        mean /= (double)n;
        c[i * m + i] = 1e-26 * squares; /* the least to be seen */
        for (size_t r = 0; r < n; r++)  /* ranks is room for the centred values too */
            g->ranks[i * n + r] = values[i * n + r] - mean;
    }
    for (size_t i = 0; i < m; i++)
        for (size_t j = 0; j <= i; j++) {
            double sum = 0;
            for (size_t r = 0; r < n; r++)
                sum += weights[r] * g->ranks[i * n + r] * g->ranks[j * n + r];
            if (i == j && !(sum > c[i * m + i]))
                return false;
            c[i * m + j] = sum;
        }
    for (size_t i = 0; i < m; i++)
        for (size_t j = 0; j < i; j++)
            c[i * m + j] = c[j * m + i] = c[i * m + j] / sqrt(c[i * m + i] * c[j * m + j]);
    for (size_t i = 0; i < m; i++)
        c[i * m + i] = 1;
    return true;
}

/* values: n_columns standardised, n_columns partial, R2. With C the columns' correlations, c those with y and
 * b = C^-1 c: R2 = c'b; the partial correlation is b_j / sqrt(b_j^2 + (1 - R2) (C^-1)_jj), from the inverse of the
 * correlations of columns and y together. */
static void coefficients(const double *weights, void *data, double *values)
{
    const struct regression *g = data;
    const size_t k = g->n_columns, m = k + 1;
    for (size_t v = 0; v < 2 * k + 1; v++)
        values[v] = (double)NAN;
    if (g->places != NULL)
        rank(g, weights);
    if (!correlate(g, weights, g->places != NULL ? g->ranks : g->values))
        return;
    for (size_t i = 0; i < k; i++)
        memcpy(g->inverse + i * k, g->correlations + i * m, k * sizeof *g->inverse);
    if (!pk_symmetric_invert(g->inverse, k, COLLINEAR))
        return;
    double r2 = 0;
    for (size_t i = 0; i < k; i++) {
        values[i] = 0;
        for (size_t j = 0; j < k; j++)
            values[i] += g->inverse[i * k + j] * g->correlations[k * m + j];
        r2 += values[i] * g->correlations[k * m + i];
    }
    const double left = fmax(1 - r2, 1e-14); /* a perfect fit up to rounding, in which what has no slope is 0 */
    for (size_t i = 0; i < k; i++)
        values[k + i] = values[i] / sqrt(values[i] * values[i] + left * g->inverse[i * k + i]);
    values[2 * k] = fmin(r2, 1);
}

static int by_value(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    if (x->value != y->value)
        return x->value < y->value ? -1 : 1;
    return x->row < y->row ? -1 : x->row > y->row;
}

static bool constant(const double *values, size_t n)
{
    for (size_t r = 1; r < n; r++)
        if (values[r] != values[0])
            return false;
    return true;
}

/* Rows with all they need, columns that vary, y, all one column after another. */
static bool fill(struct regression *g, size_t n_points, size_t n_columns, const double *x, const double *y)
{
    g->values = pk_alloc((n_columns + 1) * n_points, sizeof *g->values);
    g->ranks = pk_alloc((n_columns + 1) * n_points, sizeof *g->ranks);
    g->columns = pk_alloc(n_columns, sizeof *g->columns);
    g->correlations = pk_alloc((n_columns + 1) * (n_columns + 1), sizeof *g->correlations);
    g->inverse = pk_alloc(n_columns * n_columns, sizeof *g->inverse);
    if (!g->values || !g->ranks || !g->columns || !g->correlations || !g->inverse)
        return false;
    double *whole = g->ranks; /* room not needed yet */
    for (size_t i = 0; i < n_points; i++) {
        whole[i] = isfinite(y[i]);
        for (size_t j = 0; j < n_columns; j++)
            whole[i] *= isfinite(x[i * n_columns + j]);
        g->n_rows += whole[i] > 0;
    }
    for (size_t j = 0; j <= n_columns; j++) {
        double *values = g->values + g->n_columns * g->n_rows;
        for (size_t i = 0, r = 0; i < n_points; i++)
            if (whole[i] > 0)
                values[r++] = j == n_columns ? y[i] : x[i * n_columns + j];
        if (j < n_columns && !constant(values, g->n_rows))
            g->columns[g->n_columns++] = j;
    }
    return true;
}

static bool sort(struct regression *g)
{
    const size_t n = (g->n_columns + 1) * g->n_rows;
    g->places = pk_alloc(n, sizeof *g->places);
    for (size_t i = 0; g->places != NULL && i < n; i++)
        g->places[i] = (struct place){g->values[i], i % g->n_rows};
    for (size_t c = 0; g->places != NULL && c <= g->n_columns; c++)
        qsort(g->places + c * g->n_rows, g->n_rows, sizeof *g->places, by_value);
    return g->places != NULL;
}

static void tell(const struct regression *g, size_t n_columns, const struct pk_sensitivity_estimate *estimates,
                 struct pk_sensitivity_coefficients *told)
{
    const struct pk_sensitivity_estimate none = {(double)NAN, (double)NAN, (double)NAN, (double)NAN};
    for (size_t j = 0; j < n_columns; j++)
        told[j] = (struct pk_sensitivity_coefficients){none, none};
    for (size_t c = 0; c < g->n_columns; c++)
        told[g->columns[c]] = (struct pk_sensitivity_coefficients){estimates[c], estimates[g->n_columns + c]};
}

enum pk_status pk_sensitivity_regression_init(struct pk_sensitivity_regression *regression, size_t n_points,
                                              size_t n_columns, const double *x, const double *y,
                                              const struct pk_sensitivity_bootstrap *bootstrap, struct pk_error *error)
{
    struct regression g = {.n_rows = 0};
    struct pk_sensitivity_estimate *estimates = NULL;
    enum pk_status status = PK_OK;
    memset(regression, 0, sizeof *regression);
    if (n_points < n_columns + 3 || n_columns == 0 || n_points > PK_DESIGN_POINTS_MAX)
        return pk_error_set(error, PK_BAD_INPUT, "a regression on %zu columns needs %zu points with an outcome",
                            n_columns, n_columns + 3);
    regression->linear = pk_alloc(n_columns, sizeof *regression->linear);
    regression->ranks = pk_alloc(n_columns, sizeof *regression->ranks);
    estimates = pk_alloc(2 * n_columns + 1, sizeof *estimates);
    if (!fill(&g, n_points, n_columns, x, y) || !regression->linear || !regression->ranks || !estimates) {
        status = pk_error_set(error, PK_NO_MEMORY, "no memory for a regression of %zu points", n_points);
        goto out;
    }
    if (g.n_rows < n_columns + 3) {
        status = pk_error_set(error, PK_BAD_INPUT,
                              "a regression on %zu columns needs %zu points with an outcome, "
                              "and there are %zu",
                              n_columns, n_columns + 3, g.n_rows);
        goto out;
    }
    regression->n_columns = n_columns;
    regression->n_points = g.n_rows;
    regression->n_left_out = n_points - g.n_rows;
    for (int of_ranks = 0; status == PK_OK && of_ranks < 2; of_ranks++) {
        if (of_ranks && !sort(&g))
            status = pk_error_set(error, PK_NO_MEMORY, "no memory for a regression of %zu points", n_points);
        if (status == PK_OK)
            status = pk_bootstrap(bootstrap, g.n_rows, coefficients, &g, 2 * g.n_columns + 1, estimates, error);
        if (status != PK_OK)
            break;
        tell(&g, n_columns, estimates, of_ranks ? regression->ranks : regression->linear);
        *(of_ranks ? &regression->r2_ranks : &regression->r2) = estimates[2 * g.n_columns];
        if (!of_ranks)
            regression->collinear =
                isnan(estimates[2 * g.n_columns].value) && !constant(g.values + g.n_columns * g.n_rows, g.n_rows);
    }
out:
    pk_free(g.columns);
    pk_free(g.values);
    pk_free(g.places);
    pk_free(g.ranks);
    pk_free(g.correlations);
    pk_free(g.inverse);
    pk_free(estimates);
    return status;
}

void pk_sensitivity_regression_free(struct pk_sensitivity_regression *regression)
{
    if (regression == NULL)
        return;
    pk_free(regression->linear);
    pk_free(regression->ranks);
    memset(regression, 0, sizeof *regression);
}
