/* Figures over draws: elementary effects, shares of variance, regression. See analysis.h. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "analyse_private.h"

static const char nothing_varies[] = "the outcome is the same at all points: there are no shares\n";

/* ---- Morris ------------------------------------------------------------------------------------------------- */

static void put_estimate(struct pk_sheet *sheet, size_t row, size_t column,
                         const struct pk_sensitivity_estimate *estimate)
{
    pk_sheet_put(sheet, row, column, estimate->value);
    pk_sheet_put(sheet, row, column + 1, estimate->low);
    pk_sheet_put(sheet, row, column + 2, estimate->high);
}

enum pk_status pk_analyse_morris(struct pk_analysing *a)
{
    static const char *const columns[] = {"mu_star",
                                          "mean size of the elementary effects, over the whole range",
                                          "mu_star_low",
                                          "2.5 % of resamples",
                                          "mu_star_high",
                                          "97.5 % of resamples",
                                          "mu",
                                          "mean of the elementary effects",
                                          "sigma",
                                          "their standard deviation: curvature or interactions",
                                          "n",
                                          "effects seen",
                                          NULL};
    const struct pk_sample *sample = a->sample;
    const size_t k = sample->n_groups;
    const struct pk_design design = pk_analyse_design(sample);
    if (sample->first != 0) /* points know their trajectories by number, from the first */
        return pk_error_set(a->error, PK_BAD_INPUT, "holds only a part of the trajectories: merge its shards first");
    struct pk_sensitivity_effect *effects = pk_alloc(k, sizeof *effects);
    double *values = pk_alloc(k, sizeof *values);
    size_t *order = pk_alloc(k, sizeof *order);
    enum pk_status status = effects && values && order
                                ? pk_sensitivity_morris(&design, k, a->y, NULL, &a->bootstrap, effects, a->error)
                                : pk_analyse_no_memory(a);
    struct pk_sheet *sheet =
        status == PK_OK ? pk_analyse_sheet(a, "morris", "elementary effects (Morris)", "group", k, columns) : NULL;
    if (status == PK_OK && sheet == NULL)
        status = pk_analyse_no_memory(a);
    if (status == PK_OK) {
        for (size_t g = 0; g < k; g++)
            values[g] = effects[g].absolute.value;
        pk_analyse_order(values, k, order);
        for (size_t r = 0; r < k; r++) {
            const struct pk_sensitivity_effect *effect = &effects[order[r]];
            pk_sheet_row(&a->analysis->sheets, sheet, r, sample->groups[order[r]]);
            put_estimate(sheet, r, 0, &effect->absolute);
            pk_sheet_put(sheet, r, 3, effect->mean.value);
            pk_sheet_put(sheet, r, 4, effect->spread.value);
            pk_sheet_put(sheet, r, 5, (double)effect->n);
        }
    }
    pk_free(effects);
    pk_free(values);
    pk_free(order);
    return status;
}

/* ---- Sobol' ------------------------------------------------------------------------------------------------- */

static enum pk_status put_pairs(struct pk_analysing *a, const struct pk_sensitivity_sobol *sobol)
{
    static const char *const columns[] = {
        "second",      "share of the variance that two have together, beyond their own",
        "second_low",  "2.5 % of resamples",
        "second_high", "97.5 % of resamples",
        NULL};
    const size_t k = a->sample->n_groups, n = k * (k - 1) / 2;
    struct pk_sheet *sheet =
        pk_analyse_sheet(a, "sobol_pairs", "shares of the variance of two together (Sobol')", "pair", n, columns);
    double *values = pk_alloc(n + 1, sizeof *values);
    size_t *order = pk_alloc(n + 1, sizeof *order), (*of)[2] = pk_alloc(n + 1, sizeof *of);
    enum pk_status status = PK_OK;
    if (sheet == NULL || values == NULL || order == NULL || of == NULL)
        status = pk_analyse_no_memory(a);
    if (status == PK_OK) {
        size_t p = 0;
        for (size_t i = 0; i < k; i++)
            for (size_t j = i + 1; j < k; j++, p++) {
                of[p][0] = i;
                of[p][1] = j;
                values[p] = sobol->second[i * k + j].value;
            }
        pk_analyse_order(values, n, order);
        for (size_t r = 0; r < n; r++) {
            char name[200];
            const size_t i = of[order[r]][0], j = of[order[r]][1];
            snprintf(name, sizeof name, "%.95s x %.95s", a->sample->groups[i], a->sample->groups[j]);
            pk_sheet_row(&a->analysis->sheets, sheet, r, name);
            put_estimate(sheet, r, 0, &sobol->second[i * k + j]);
        }
    }
    pk_free(values);
    pk_free(order);
    pk_free(of);
    return status;
}

enum pk_status pk_analyse_sobol(struct pk_analysing *a)
{
    static const char *const columns[] = {"first",      "share of the variance that the group has alone",
                                          "first_low",  "2.5 % of resamples",
                                          "first_high", "97.5 % of resamples",
                                          "total",      "share with all that it has together with others",
                                          "total_low",  "2.5 % of resamples",
                                          "total_high", "97.5 % of resamples",
                                          NULL};
    const struct pk_sample *sample = a->sample;
    const size_t k = sample->n_groups, per_row = (sample->second_order ? 2 * k : k) + 2, n_rows = sample->n / per_row;
    struct pk_sensitivity_sobol sobol;
    if (sample->first != 0 || n_rows == 0)
        return pk_error_set(a->error, PK_BAD_INPUT, "holds only a part of the design's rows: merge its shards first");
    /* rows are simulated each in one world, so that differences within a row are of the parameters alone, and only the
     * variance has simulation's part in it; where all rows are in one world, its part in a difference is mostly nil */
    bool noise = sample->independent; /* and known: not so of one replication of people who wait for the same places */
    for (size_t i = 0; i < sample->n; i++)
        noise &= isnan(a->y[i]) || !isnan(a->noise[i]);
    enum pk_status status = pk_sensitivity_sobol_init(&sobol, n_rows, k, sample->second_order, a->y,
                                                      noise ? a->noise : NULL, true, &a->bootstrap, a->error);
    if (status != PK_OK)
        return status;
    const double share = isnan(sobol.noise_share.value) ? 0 : sobol.noise_share.value;
    double *values = pk_alloc(k, sizeof *values);
    size_t *order = pk_alloc(k, sizeof *order);
    struct pk_sheet *sheet = pk_analyse_sheet(a, "sobol", "shares of the variance (Sobol')", "group", k, columns);
    if (values == NULL || order == NULL || sheet == NULL)
        status = pk_analyse_no_memory(a);
    if (status == PK_OK) {
        for (size_t g = 0; g < k; g++)
            values[g] = sobol.total[g].value;
        pk_analyse_order(values, k, order);
        for (size_t r = 0; r < k; r++) {
            pk_sheet_row(&a->analysis->sheets, sheet, r, sample->groups[order[r]]);
            put_estimate(sheet, r, 0, &sobol.first[order[r]]);
            put_estimate(sheet, r, 3, &sobol.total[order[r]]);
        }
        if (sobol.n_rows > 0 && !(sobol.variance.value > 0))
            pk_text_put(&sheet->notes, sobol.variance.value < 0
                                           ? "all of the variance is simulation's: more replications are needed\n"
                                           : nothing_varies);
        else if (sobol.n_rows > 0)
            pk_text_addf(
                &sheet->notes,
                "variance %.6g, of which %.2g %% is simulation's and taken out; each alone %.1f %% in sum, the rest "
                "together; %zu rows%s\n",
                sobol.variance.value / (1 - share), 100 * share, 100 * sobol.first_sum.value, sobol.n_rows,
                sobol.adds_up ? "" : "; shares do not add up: more rows are needed");
        if (sobol.n_left_out > 0)
            pk_text_addf(&sheet->notes, "! %zu rows have a point without a meaning and are left out\n",
                         sobol.n_left_out);
    }
    pk_free(values);
    pk_free(order);
    if (status == PK_OK && sobol.second != NULL)
        status = put_pairs(a, &sobol);
    pk_sensitivity_sobol_free(&sobol);
    return status;
}

/* ---- regression --------------------------------------------------------------------------------------------- */

enum pk_status pk_analyse_regression(struct pk_analysing *a)
{
    static const char *const columns[] = {"prcc",      "partial correlation of ranks given all others",
                                          "prcc_low",  "2.5 % of resamples",
                                          "prcc_high", "97.5 % of resamples",
                                          "src",       "standardised regression coefficient",
                                          "src_low",   "2.5 % of resamples",
                                          "src_high",  "97.5 % of resamples",
                                          "srrc",      "the same of ranks",
                                          NULL};
    struct pk_sensitivity_regression regression;
    const size_t k = a->n_columns;
    size_t n = 0;
    for (size_t i = 0; i < a->sample->n; i++)
        n += isfinite(a->y[i]) ? 1 : 0;
    if (n < k + 3) { /* the summary is all there is */
        pk_text_addf(&a->analysis->marks, "%zu points with %s are too few for a regression on %zu numbers\n", n,
                     a->name, k);
        return PK_OK;
    }
    struct pk_sensitivity_bootstrap bootstrap = a->bootstrap;
    if (bootstrap.n_resamples == 0) /* each is ranked anew, and 200 tell two digits */
        bootstrap.n_resamples = 200;
    enum pk_status status =
        pk_sensitivity_regression_init(&regression, a->sample->n, k, a->x, a->y, &bootstrap, a->error);
    if (status != PK_OK)
        return status;
    double *values = pk_alloc(k, sizeof *values);
    size_t *order = pk_alloc(k, sizeof *order);
    struct pk_sheet *sheet =
        pk_analyse_sheet(a, "regression", "what moves it, by regression on all draws", "quantity", k, columns);
    if (values == NULL || order == NULL || sheet == NULL)
        status = pk_analyse_no_memory(a);
    if (status == PK_OK) {
        for (size_t c = 0; c < k; c++)
            values[c] = fabs(regression.ranks[c].partial.value);
        pk_analyse_order(values, k, order);
        for (size_t r = 0; r < k; r++) {
            const size_t c = order[r];
            pk_sheet_row(&a->analysis->sheets, sheet, r, a->columns[c]);
            put_estimate(sheet, r, 0, &regression.ranks[c].partial);
            put_estimate(sheet, r, 3, &regression.linear[c].standardised);
            pk_sheet_put(sheet, r, 6, regression.ranks[c].standardised.value);
        }
        if (isnan(regression.r2.value))
            pk_text_put(&sheet->notes,
                        regression.collinear
                            ? "some quantities are functions of others, so that there are no coefficients\n"
                            : nothing_varies);
        else
            pk_text_addf(&sheet->notes, "the regression has %.1f %% of the variance, that of ranks %.1f %%\n",
                         100 * regression.r2.value, 100 * regression.r2_ranks.value);
    }
    pk_free(values);
    pk_free(order);
    pk_sensitivity_regression_free(&regression);
    return status;
}
