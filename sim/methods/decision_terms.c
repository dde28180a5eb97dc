/* Splines of the columns and their products. See decision_private.h and polku/decision.h.
 *
 * Natural cubic splines (Hastie, Tibshirani & Friedman 2009, eq. 5.4): linear beyond the outer knots, so that a long
 * tail of draws does not bend the rest. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "decision_private.h"
#include "polku/memory.h"
#include "polku/stats.h"

enum { MOST_TERMS = 160, DRAWS_A_TERM = 10, MOST_KNOTS = 12, MOST_KNOTS_OF_MANY = 10, MOST_OF_PRODUCT = 4 };
#define NOTHING_LEFT 1e-7 /* of a term's length, beyond the others' */

struct knots {
    size_t n;
    double at[MOST_KNOTS]; /* ascending, standardised */
};

struct splines {
    size_t n_draws;
    double *standardised; /* [n_chosen][n_draws]; n_varying of them */
    double *sorted;       /* [n_draws] */
    size_t n_varying;
};

/* At equal shares of the draws from 2.5 to 97.5 %; where there are few values, at each. */
static void place_knots(struct splines *s, const double *column, size_t n, struct knots *knots)
{
    size_t n_different = 1;
    memcpy(s->sorted, column, s->n_draws * sizeof *column);
    qsort(s->sorted, s->n_draws, sizeof *column, pk_stats_ascending);
    for (size_t i = 1; i < s->n_draws; i++)
        n_different += s->sorted[i] > s->sorted[i - 1];
    knots->n = 0;
    for (size_t i = 0; n_different <= n && i < s->n_draws; i++)
        if (i == 0 || s->sorted[i] > s->sorted[i - 1])
            knots->at[knots->n++] = s->sorted[i];
    for (size_t k = 0; n_different > n && n > 1 && k < n; k++) {
        const double share = 0.025 + 0.95 * (double)k / (double)(n - 1);
        const double at = s->sorted[(size_t)(share * (double)(s->n_draws - 1))];
        if (knots->n == 0 || at > knots->at[knots->n - 1])
            knots->at[knots->n++] = at;
    }
}

static double cube_above(double z, double knot)
{
    return z > knot ? (z - knot) * (z - knot) * (z - knot) : 0;
}

/* i = 0: the value itself; then the curves, knots->n - 2. */
static double spline(const struct knots *knots, size_t i, double z)
{
    if (i == 0)
        return z;
    const double last = knots->at[knots->n - 1], but_one = knots->at[knots->n - 2], here = knots->at[i - 1];
    const double end = cube_above(z, last);
    return (cube_above(z, here) - end) / (last - here) - (cube_above(z, but_one) - end) / (last - but_one);
}

static size_t n_splines(const struct knots *knots)
{
    return knots->n < 3 ? 1 : knots->n - 1;
}

static double dot(const double *a, const double *b, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

/* Takes the free terms out of a term, twice for the rounding; false where nothing is left. Then it has this length. */
static bool orthogonal(const struct pk_decision_terms *terms, double *term, double length)
{
    const size_t n = terms->n_draws;
    const double before = dot(term, term, n);
    for (int pass = 0; pass < 2; pass++)
        for (size_t t = 0; t < terms->n_free; t++) {
            const double *free = terms->free + t * n;
            const double along = dot(free, term, n);
            for (size_t i = 0; i < n; i++)
                term[i] -= along * free[i];
        }
    const double left = dot(term, term, n);
    if (!(left > NOTHING_LEFT * NOTHING_LEFT * before))
        return false;
    for (size_t i = 0; i < n; i++)
        term[i] *= length / sqrt(left);
    return true;
}

static void add_free(struct pk_decision_terms *terms, const double *values)
{
    double *term = terms->free + terms->n_free * terms->n_draws;
    for (size_t i = 0; i < terms->n_draws; i++)
        term[i] = values == NULL ? 1 : values[i];
    terms->n_free += orthogonal(terms, term, 1);
}

/* The product of a spline of one column with one of another (NULL: of the one alone). */
static void add_ridge(struct pk_decision_terms *terms, const double *a, const struct knots *of_a, size_t i_a,
                      const double *b, const struct knots *of_b, size_t i_b)
{
    const size_t n = terms->n_draws;
    PK_ASSERT(terms->n_free + terms->n_ridge < terms->n_room);
    double *term = terms->ridge + terms->n_ridge * n;
    for (size_t i = 0; i < n; i++)
        term[i] = spline(of_a, i_a, a[i]) * (b == NULL ? 1 : spline(of_b, i_b, b[i]));
    terms->n_ridge += orthogonal(terms, term, sqrt((double)n));
}

static void add_curves(struct pk_decision_terms *terms, struct splines *s, size_t n_knots)
{
    for (size_t j = 0; j < s->n_varying; j++) {
        struct knots knots;
        const double *column = s->standardised + j * s->n_draws;
        place_knots(s, column, n_knots, &knots);
        for (size_t i = 1; i < n_splines(&knots); i++)
            add_ridge(terms, column, &knots, i, NULL, NULL, 0);
    }
}

static void add_products(struct pk_decision_terms *terms, struct splines *s, size_t n_of_each)
{
    for (size_t j = 0; n_of_each > 0 && j < s->n_varying; j++)
        for (size_t l = 0; l < j; l++) {
            struct knots of_a, of_b;
            const double *a = s->standardised + j * s->n_draws, *b = s->standardised + l * s->n_draws;
            place_knots(s, a, n_of_each + 1, &of_a);
            place_knots(s, b, n_of_each + 1, &of_b);
            for (size_t i_a = 0; i_a < n_splines(&of_a); i_a++)
                for (size_t i_b = 0; i_b < n_splines(&of_b); i_b++)
                    add_ridge(terms, a, &of_a, i_a, b, &of_b, i_b);
        }
}

/* Columns that vary, with mean 0 and variance 1. */
static void standardise(struct splines *s, const double *x, size_t n_columns, const size_t *columns, size_t n_chosen)
{
    const double n = (double)s->n_draws;
    for (size_t c = 0; c < n_chosen; c++) {
        double *to = s->standardised + s->n_varying * s->n_draws, mean = 0, squares = 0, largest = 0;
        for (size_t i = 0; i < s->n_draws; i++) {
            to[i] = x[i * n_columns + columns[c]];
            mean += to[i] / n;
            largest = fmax(largest, fabs(to[i]));
        }
        for (size_t i = 0; i < s->n_draws; i++) {
            to[i] -= mean;
            squares += to[i] * to[i] / n;
        }
        if (!(squares > 1e-26 * largest * largest))
            continue;
        for (size_t i = 0; i < s->n_draws; i++)
            to[i] /= sqrt(squares);
        s->n_varying++;
    }
}

enum pk_status pk_decision_terms_init(struct pk_decision_terms *terms, size_t n_draws, const double *x,
                                      size_t n_columns, const size_t *columns, size_t n_chosen, struct pk_error *error)
{
    const size_t n_wanted = n_draws / DRAWS_A_TERM < MOST_TERMS ? n_draws / DRAWS_A_TERM : MOST_TERMS;
    const size_t n_linear = 1 + n_chosen, n_spare = n_wanted > n_linear ? n_wanted - n_linear : 0;
    struct splines s = {.n_draws = n_draws};
    enum pk_status status = PK_OK;
    memset(terms, 0, sizeof *terms);
    terms->n_draws = n_draws;
    terms->n_room = n_linear + n_spare;
    s.standardised = pk_alloc(n_draws * n_chosen, sizeof *s.standardised);
    s.sorted = pk_alloc(n_draws, sizeof *s.sorted);
    terms->free = pk_alloc(terms->n_room * n_draws, sizeof *terms->free);
    if (s.standardised == NULL || s.sorted == NULL || terms->free == NULL) {
        status = pk_error_set(error, PK_NO_MEMORY, "no memory for a regression of %zu draws", n_draws);
        goto out;
    }
    standardise(&s, x, n_columns, columns, n_chosen);
    add_free(terms, NULL);
    for (size_t j = 0; j < s.n_varying; j++)
        add_free(terms, s.standardised + j * n_draws);
    terms->ridge = terms->free + terms->n_free * n_draws;
    const size_t m = s.n_varying, n_pairs = m * (m - 1) / 2 * (m > 0);
    size_t n_of_each = n_pairs == 0 ? 0 : MOST_OF_PRODUCT;
    while (n_pairs * n_of_each * n_of_each > n_spare / 2)
        n_of_each--;
    size_t n_knots = m == 0 ? 0 : (n_spare - n_pairs * n_of_each * n_of_each) / m + 2;
    const size_t most = m > 1 ? MOST_KNOTS_OF_MANY : MOST_KNOTS;
    if (n_knots > most)
        n_knots = most;
    add_curves(terms, &s, n_knots);
    add_products(terms, &s, n_of_each);
out:
    pk_free(s.standardised);
    pk_free(s.sorted);
    return status;
}

void pk_decision_terms_free(struct pk_decision_terms *terms)
{
    pk_free(terms->free);
    memset(terms, 0, sizeof *terms);
}
