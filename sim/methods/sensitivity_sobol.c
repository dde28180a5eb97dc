/* Sobol' indices and their errors. See polku/sensitivity.h. */
#include <math.h>
#include <string.h>

#include "polku/memory.h"
#include "sensitivity_private.h"

/* What a row says of a factor. */
struct row_of_factor {
    double product; /* expectation: the first-order variance; with BA 4 times it */
    double square;  /* the total variance; with BA 4 times it */
    double whole;   /* with BA: 4 times the variance */
    double mixed;   /* AB, for its mean */
};

struct sobol {
    size_t n_rows, n_factors, n_a_row;
    bool both, by_row;
    size_t *used;               /* [n_rows], which of the caller's */
    double *y;                  /* [n_rows][n_a_row], centred */
    double *noise;              /* [n_rows][n_a_row], or NULL */
    struct row_of_factor *rows; /* [n_factors][n_rows] */
    double *pairs;              /* [n_factors (n_factors - 1) / 2][n_rows] */
    double *slopes;             /* [n_factors], of the control variate; without BA */
    double rounding;            /* variances up to it are none */
};

/* Values in one list: variance, noise share, sum of first, of first and second, first, total, pairs. */
enum { VARIANCE, NOISE, FIRST_SUM, OF_TWO_SUM, N_COMMON };

static size_t n_pairs(const struct sobol *s)
{
    return s->both ? s->n_factors * (s->n_factors - 1) / 2 : 0;
}

static size_t n_values(const struct sobol *s)
{
    return N_COMMON + 2 * s->n_factors + n_pairs(s);
}

static double weighted_mean(const struct sobol *s, const double *weights, const double *values, size_t stride)
{
    double sum = 0;
    for (size_t r = 0; r < s->n_rows; r++)
        sum += weights[r] * values[r * stride];
    return sum / (double)s->n_rows;
}

static double at(const struct sobol *s, size_t row, size_t i_point)
{
    return s->y[row * s->n_a_row + i_point];
}

static double noise_at(const struct sobol *s, size_t row, size_t i_point)
{
    return s->noise == NULL ? 0 : s->noise[row * s->n_a_row + i_point];
}

/* Of a difference between points of a row. */
static double noise_between(const struct sobol *s, size_t row, size_t i_point)
{
    return s->by_row ? 0 : noise_at(s, row, i_point);
}

static bool keep_rows(struct sobol *s, size_t n_rows, const double *y, const double *noise)
{
    s->used = pk_alloc(n_rows, sizeof *s->used);
    s->y = pk_alloc(n_rows * s->n_a_row, sizeof *s->y);
    s->noise = noise == NULL ? NULL : pk_alloc(n_rows * s->n_a_row, sizeof *s->noise);
    if (s->used == NULL || s->y == NULL || (noise != NULL && s->noise == NULL))
        return false;
    for (size_t r = 0; r < n_rows; r++) {
        bool whole = true;
        for (size_t p = r * s->n_a_row; p < (r + 1) * s->n_a_row; p++)
            whole &= isfinite(y[p]) && (noise == NULL || isfinite(noise[p]));
        if (!whole)
            continue;
        memcpy(s->y + s->n_rows * s->n_a_row, y + r * s->n_a_row, s->n_a_row * sizeof *y);
        if (noise != NULL)
            memcpy(s->noise + s->n_rows * s->n_a_row, noise + r * s->n_a_row, s->n_a_row * sizeof *noise);
        s->used[s->n_rows++] = r;
    }
    return true;
}

/* By the mean over A and B; what a variance may be by rounding, if all are equal. */
static double centre(struct sobol *s)
{
    double mean = 0, largest = 0;
    for (size_t r = 0; r < s->n_rows; r++)
        mean += (at(s, r, 0) + at(s, r, 1)) / (2 * (double)s->n_rows);
    for (size_t i = 0; i < s->n_rows * s->n_a_row; i++) {
        largest = fmax(largest, fabs(s->y[i]));
        s->y[i] -= mean;
    }
    s->rounding = 1e-26 * largest * largest;
    return mean;
}

/* How the products of B and AB follow those of B and A, whose covariance is known to be 0 but for noise by row. */
static double slope(const struct sobol *s, size_t i_factor)
{
    double mean_p = 0, mean_q = 0, pq = 0, qq = 0;
    const double n = (double)s->n_rows;
    for (size_t r = 0; r < s->n_rows; r++) {
        mean_p += at(s, r, 1) * at(s, r, 2 + i_factor) / n;
        mean_q += at(s, r, 1) * at(s, r, 0) / n;
    }
    for (size_t r = 0; r < s->n_rows; r++) {
        const double q = at(s, r, 1) * at(s, r, 0) - mean_q;
        pq += (at(s, r, 1) * at(s, r, 2 + i_factor) - mean_p) * q;
        qq += q * q;
    }
    return s->n_rows < 10 || !(qq > 0) ? 1 : pq / qq;
}

static void fill_rows(struct sobol *s)
{
    const size_t k = s->n_factors;
    for (size_t f = 0; f < k; f++) {
        s->slopes[f] = s->both ? 0 : s->by_row ? 1 : slope(s, f);
        for (size_t r = 0; r < s->n_rows; r++) {
            struct row_of_factor *row = &s->rows[f * s->n_rows + r];
            const double a = at(s, r, 0), b = at(s, r, 1), ab = at(s, r, 2 + f);
            row->mixed = ab;
            if (s->both) {
                const double ba = at(s, r, 2 + k + f);
                const double noise = noise_between(s, r, 0) + noise_between(s, r, 1) + noise_between(s, r, 2 + f) +
                                     noise_between(s, r, 2 + k + f);
                row->product = 2 * (ba - b) * (a - ab);
                row->square = (b - ba) * (b - ba) + (a - ab) * (a - ab) - noise;
                row->whole = (a - b) * (a - b) + (ba - ab) * (ba - ab) - noise;
            } else {
                row->product = b * ab - s->slopes[f] * b * a;
                row->square = ((a - ab) * (a - ab) - noise_between(s, r, 0) - noise_between(s, r, 2 + f)) / 2;
            }
        }
    }
    double *pair = s->pairs;
    for (size_t i = 0; s->both && i < k; i++)
        for (size_t j = i + 1; j < k; j++)
            for (size_t r = 0; r < s->n_rows; r++) {
                const double a = at(s, r, 0), b = at(s, r, 1);
                *pair++ = ((at(s, r, 2 + j) - a) * (at(s, r, 2 + k + i) - b) +
                           (at(s, r, 2 + i) - a) * (at(s, r, 2 + k + j) - b)) /
                          2;
            }
}

/* Of what is seen at A and B, the simulation's part, and the covariance of their means with the mixed. */
static void common_values(const struct sobol *s, const double *weights, double *mean_a, double *mean_b, double *values)
{
    double squares = 0, noise = 0;
    *mean_a = weighted_mean(s, weights, s->y, s->n_a_row);
    *mean_b = weighted_mean(s, weights, s->y + 1, s->n_a_row);
    for (size_t r = 0; r < s->n_rows; r++) {
        const double a = at(s, r, 0), b = at(s, r, 1);
        squares += weights[r] * (a * a + b * b);
        noise += weights[r] * (noise_at(s, r, 0) + noise_at(s, r, 1));
    }
    const double n = 2 * (double)s->n_rows, mean = (*mean_a + *mean_b) / 2;
    const double seen = squares / n - mean * mean;
    values[VARIANCE] = seen > s->rounding ? seen - noise / n : 0;
    values[NOISE] = seen > s->rounding ? noise / n / seen : (double)NAN;
}

static void indices(const double *weights, void *data, double *values)
{
    const struct sobol *s = data;
    const size_t k = s->n_factors;
    double mean_a, mean_b, *first = values + N_COMMON, *total = first + k, *pair = total + k;
    common_values(s, weights, &mean_a, &mean_b, values);
    const double variance = values[VARIANCE] > 0 ? values[VARIANCE] : (double)NAN;
    values[FIRST_SUM] = 0;
    for (size_t f = 0; f < k; f++) {
        const struct row_of_factor *rows = s->rows + f * s->n_rows;
        const size_t stride = sizeof *rows / sizeof(double);
        const double product = weighted_mean(s, weights, &rows->product, stride);
        const double square = weighted_mean(s, weights, &rows->square, stride);
        if (s->both) {
            const double whole = weighted_mean(s, weights, &rows->whole, stride);
            first[f] = variance > 0 && whole > 4 * s->rounding ? product / whole : (double)NAN;
            total[f] = variance > 0 && whole > 4 * s->rounding ? square / whole : (double)NAN;
        } else {
            const double mean_ab = weighted_mean(s, weights, &rows->mixed, stride);
            first[f] = (product - mean_b * (mean_ab - s->slopes[f] * mean_a)) / variance;
            total[f] = square / variance;
        }
        values[FIRST_SUM] += first[f];
    }
    values[OF_TWO_SUM] = s->both ? values[FIRST_SUM] : (double)NAN;
    for (size_t p = 0, i = 0; s->both && i < k; i++)
        for (size_t j = i + 1; j < k; j++, p++) {
            pair[p] = weighted_mean(s, weights, s->pairs + p * s->n_rows, 1) / variance;
            values[OF_TWO_SUM] += pair[p];
        }
}

static bool room_for(const struct sobol *s, struct pk_sensitivity_sobol *sobol)
{
    const size_t k = s->n_factors;
    sobol->first = pk_alloc(k, sizeof *sobol->first);
    sobol->total = pk_alloc(k, sizeof *sobol->total);
    sobol->second = s->both ? pk_alloc(k * k, sizeof *sobol->second) : NULL;
    return sobol->first != NULL && sobol->total != NULL && (!s->both || sobol->second != NULL);
}

/* By more than chance would have it in one of a few dozen, and than matters. */
static bool beyond(const struct pk_sensitivity_estimate *estimate, double most, double its_error)
{
    return estimate->value - most > 3.5 * (estimate->standard_error + its_error) + 0.01;
}

static void tell(const struct sobol *s, const struct pk_sensitivity_estimate *estimates,
                 struct pk_sensitivity_sobol *sobol)
{
    const size_t k = s->n_factors;
    const struct pk_sensitivity_estimate none = {(double)NAN, (double)NAN, (double)NAN, (double)NAN};
    sobol->variance = estimates[VARIANCE];
    sobol->noise_share = estimates[NOISE];
    sobol->first_sum = estimates[FIRST_SUM];
    sobol->of_two_sum = estimates[OF_TWO_SUM];
    memcpy(sobol->first, estimates + N_COMMON, k * sizeof *estimates);
    memcpy(sobol->total, estimates + N_COMMON + k, k * sizeof *estimates);
    sobol->adds_up = !beyond(&sobol->first_sum, 1, 0) && !beyond(&sobol->of_two_sum, 1, 0);
    for (size_t f = 0; f < k; f++)
        sobol->adds_up &= !beyond(&sobol->first[f], sobol->total[f].value, sobol->total[f].standard_error);
    const struct pk_sensitivity_estimate *pair = estimates + N_COMMON + 2 * k;
    for (size_t i = 0; s->both && i < k; i++) {
        sobol->second[i * k + i] = none;
        for (size_t j = i + 1; j < k; j++)
            sobol->second[i * k + j] = sobol->second[j * k + i] = *pair++;
    }
}

enum pk_status pk_sensitivity_sobol_init(struct pk_sensitivity_sobol *sobol, size_t n_rows, size_t n_factors, bool both,
                                         const double *y, const double *noise, bool by_row,
                                         const struct pk_sensitivity_bootstrap *bootstrap, struct pk_error *error)
{
    struct sobol s = {.n_factors = n_factors,
                      .both = both,
                      .by_row = by_row && noise != NULL,
                      .n_a_row = (both ? 2 : 1) * n_factors + 2};
    struct pk_sensitivity_estimate *estimates = NULL;
    memset(sobol, 0, sizeof *sobol);
    if (n_rows == 0 || n_factors == 0 || n_rows > PK_DESIGN_POINTS_MAX || n_factors > PK_DESIGN_POINTS_MAX)
        return pk_error_set(error, PK_BAD_INPUT, "indices need a row and a factor at least");
    enum pk_status status = PK_OK;
    bool room = keep_rows(&s, n_rows, y, noise);
    sobol->mean = room ? centre(&s) : 0;
    s.rows = pk_alloc(n_factors * s.n_rows, sizeof *s.rows);
    s.pairs = pk_alloc(n_pairs(&s) * s.n_rows, sizeof *s.pairs);
    s.slopes = pk_alloc(n_factors, sizeof *s.slopes);
    estimates = pk_alloc(n_values(&s), sizeof *estimates);
    room &= room_for(&s, sobol) && s.rows != NULL && s.pairs != NULL && s.slopes != NULL && estimates != NULL;
    if (!room) {
        status = pk_error_set(error, PK_NO_MEMORY, "no memory for the indices of %zu rows", n_rows);
        goto out;
    }
    fill_rows(&s);
    status = pk_bootstrap(bootstrap, s.n_rows, indices, &s, n_values(&s), estimates, error);
    if (status != PK_OK)
        goto out;
    sobol->n_factors = n_factors;
    sobol->n_rows = s.n_rows;
    sobol->n_left_out = n_rows - s.n_rows;
    tell(&s, estimates, sobol);
    if (s.n_rows == 0)
        sobol->mean = (double)NAN;
out:
    pk_free(s.used);
    pk_free(s.y);
    pk_free(s.noise);
    pk_free(s.rows);
    pk_free(s.pairs);
    pk_free(s.slopes);
    pk_free(estimates);
    return status;
}

void pk_sensitivity_sobol_free(struct pk_sensitivity_sobol *sobol)
{
    if (sobol == NULL)
        return;
    pk_free(sobol->first);
    pk_free(sobol->total);
    pk_free(sobol->second);
    memset(sobol, 0, sizeof *sobol);
}
