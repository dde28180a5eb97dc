/* Keyed bootstrap, and a small inverse. See sensitivity_private.h. */
#include "sensitivity_private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "design_private.h"
#include "polku/memory.h"
#include "polku/stats.h"

/* How often each row is drawn in n draws with replacement: four draws of 32 bits a key. */
static void draw_weights(uint64_t seed, size_t i_resample, size_t n_rows, double *weights)
{
    uint64_t words[2];
    memset(weights, 0, n_rows * sizeof *weights);
    for (size_t i = 0; i < n_rows; i++) {
        if (i % 4 == 0)
            pk_design_words(seed, i_resample, PK_DESIGN_USE_RESAMPLE, i / 4, words);
        const uint64_t word = i % 2 == 0 ? words[i / 2 % 2] >> 32 : words[i / 2 % 2] & 0xffffffff;
        weights[word * n_rows >> 32]++;
    }
}

/* Resamples without a value are passed over, unless they are most. */
static void summarise(double *values, size_t n_all, struct pk_sensitivity_estimate *estimate)
{
    size_t n = 0;
    double sum = 0, squares = 0;
    for (size_t i = 0; i < n_all; i++)
        if (isfinite(values[i]))
            values[n++] = values[i];
    if (isnan(estimate->value) || n < 2 || n < n_all / 2)
        return;
    for (size_t i = 0; i < n; i++)
        sum += values[i];
    for (size_t i = 0; i < n; i++)
        squares += (values[i] - sum / (double)n) * (values[i] - sum / (double)n);
    qsort(values, n, sizeof *values, pk_stats_ascending);
    estimate->standard_error = sqrt(squares / (double)(n - 1));
    estimate->low = pk_stats_quantile(values, n, 0.025);
    estimate->high = pk_stats_quantile(values, n, 0.975);
}

enum pk_status pk_bootstrap(const struct pk_sensitivity_bootstrap *bootstrap, size_t n_rows, pk_resampled *statistic,
                            void *data, size_t n_values, struct pk_sensitivity_estimate *estimates,
                            struct pk_error *error)
{
    const size_t n_resamples = bootstrap->n_resamples == 0 ? PK_SENSITIVITY_RESAMPLES : bootstrap->n_resamples;
    enum pk_status status = PK_OK;
    double *weights = pk_alloc(n_rows, sizeof *weights), *now = pk_alloc(n_values, sizeof *now), *values = NULL;
    if (n_values <= SIZE_MAX / n_resamples)
        values = pk_alloc(n_values * n_resamples, sizeof *values);
    if (weights == NULL || now == NULL || values == NULL) {
        status = pk_error_set(error, PK_NO_MEMORY, "no memory for %zu resamples", n_resamples);
        goto out;
    }
    for (size_t i = 0; i < n_rows; i++)
        weights[i] = 1;
    statistic(weights, data, now);
    for (size_t v = 0; v < n_values; v++)
        estimates[v] = (struct pk_sensitivity_estimate){now[v], (double)NAN, (double)NAN, (double)NAN};
    for (size_t r = 0; n_rows > 1 && r < n_resamples; r++) {
        draw_weights(bootstrap->seed, r, n_rows, weights);
        statistic(weights, data, now);
        for (size_t v = 0; v < n_values; v++)
            values[v * n_resamples + r] = now[v];
    }
    for (size_t v = 0; n_rows > 1 && v < n_values; v++)
        summarise(values + v * n_resamples, n_resamples, &estimates[v]);
out:
    pk_free(weights);
    pk_free(now);
    pk_free(values);
    return status;
}

/* By Cholesky: L below the diagonal, then L^-1, then its transpose times it. */
bool pk_symmetric_invert(double *matrix, size_t n, double least)
{
    for (size_t j = 0; j < n; j++) {
        double pivot = matrix[j * n + j];
        for (size_t c = 0; c < j; c++)
            pivot -= matrix[j * n + c] * matrix[j * n + c];
        if (!(pivot > least * matrix[j * n + j]))
            return false;
        pivot = sqrt(pivot);
        matrix[j * n + j] = pivot;
        for (size_t i = j + 1; i < n; i++) {
            double sum = matrix[i * n + j];
            for (size_t c = 0; c < j; c++)
                sum -= matrix[i * n + c] * matrix[j * n + c];
            matrix[i * n + j] = sum / pivot;
        }
    }
    for (size_t j = 0; j < n; j++) {
        matrix[j * n + j] = 1 / matrix[j * n + j];
        for (size_t i = j + 1; i < n; i++) {
            double sum = 0;
            for (size_t c = j; c < i; c++)
                sum -= matrix[i * n + c] * matrix[c * n + j];
            matrix[i * n + j] = sum / matrix[i * n + i];
        }
    }
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j <= i; j++) {
            double sum = 0;
            for (size_t c = i; c < n; c++)
                sum += matrix[c * n + i] * matrix[c * n + j];
            matrix[i * n + j] = sum;
        }
    for (size_t i = 0; i < n; i++)
        for (size_t j = i + 1; j < n; j++)
            matrix[i * n + j] = matrix[j * n + i];
    return true;
}
