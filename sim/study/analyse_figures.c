/* One figure at a time: tornado, grids, elementary effects, shares of variance, regression. See analysis.h. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "analyse_private.h"

/* The points of a one-way design, and who is moved there. */
static struct pk_design design_of(const struct pk_sample *sample)
{
    return (struct pk_design){.n_points = sample->n, .n_columns = sample->n_factors, .marks = sample->marks};
}

static void level_text(const struct pk_sample_factor *factor, size_t i_level, char text[100])
{
    snprintf(text, 100, "%.90s", i_level < factor->n_levels ? factor->level_names[i_level] : "base");
}

/* ---- one way ------------------------------------------------------------------------------------------------ */

static double base_of(const struct pk_analysing *a)
{
    for (size_t i = 0; i < a->sample->n; i++)
        if (a->sample->marks[i].part == PK_DESIGN_BASE)
            return a->y[i];
    return (double)NAN;
}

/* Where along a factor's levels, with the base among them, the figure is 0. */
static enum pk_status break_even(struct pk_analysing *a, size_t f, struct pk_sensitivity_break_even *found)
{
    const struct pk_sample *sample = a->sample;
    const struct pk_sample_factor *factor = &sample->factors[f];
    double *x = pk_alloc(2 * (factor->n_levels + 1), sizeof *x), *y = x + factor->n_levels + 1;
    size_t n = 0;
    memset(found, 0, sizeof *found);
    if (x == NULL)
        return pk_analyse_no_memory(a);
    for (size_t i = 0; i < sample->n && factor->kind == PK_FACTOR_PARAMETER; i++) {
        const struct pk_design_mark *mark = &sample->marks[i];
        const bool base = mark->part == PK_DESIGN_BASE;
        if (!base && (mark->part != PK_DESIGN_LEVEL || mark->factor != f))
            continue;
        const double at = base ? factor->base : factor->levels[mark->level];
        size_t k = n;
        for (size_t j = 0; j < n; j++)
            if (!(x[j] < at) && !(x[j] > at))
                k = SIZE_MAX; /* the base is a level */
        if (k == SIZE_MAX || isinf(at))
            continue;
        for (; k > 0 && x[k - 1] > at; k--) {
            x[k] = x[k - 1];
            y[k] = y[k - 1];
        }
        x[k] = at;
        y[k] = a->y[i];
        n++;
    }
    enum pk_status status = PK_OK;
    if (n > 1)
        status = pk_sensitivity_break_even(x, y, n, found, a->error);
    pk_free(x);
    return status;
}

static enum pk_status tornado(struct pk_analysing *a, size_t i_figure)
{
    static const char *const columns[] = {"lowest",     "lowest outcome over the factor's levels",
                                          "highest",    "highest outcome",
                                          "swing",      "highest less lowest",
                                          "first",      "outcome at the first level",
                                          "last",       "outcome at the last level",
                                          "break_even", "value at which the outcome is 0, linear between levels",
                                          NULL};
    const struct pk_sample *sample = a->sample;
    const size_t n = sample->n_factors;
    const struct pk_design design = design_of(sample);
    const double base = base_of(a);
    struct pk_sensitivity_bar *bars = pk_alloc(n, sizeof *bars);
    struct pk_sheet *sheet = pk_analyse_sheet(a, "tornado", i_figure, "one factor at a time, the widest first",
                                              "factor", n, columns);
    if (bars == NULL || sheet == NULL) {
        pk_free(bars);
        return pk_analyse_no_memory(a);
    }
    pk_sensitivity_tornado(&design, n, a->y, bars);
    enum pk_status status = PK_OK;
    size_t n_turning = 0;
    for (size_t b = 0; b < n && status == PK_OK; b++) {
        const size_t f = bars[b].i_factor;
        const struct pk_sample_factor *factor = &sample->factors[f];
        struct pk_sensitivity_break_even found;
        char name[400], first[100], last[100];
        status = break_even(a, f, &found);
        if (status != PK_OK)
            break;
        level_text(factor, 0, first);
        level_text(factor, factor->n_levels - 1, last);
        snprintf(name, sizeof name, "%.100s (%s .. %s)", factor->name, first, last);
        pk_sheet_row(&a->analysis->sheets, sheet, b, name);
        pk_sheet_put(sheet, b, 0, bars[b].lowest);
        pk_sheet_put(sheet, b, 1, bars[b].highest);
        pk_sheet_put(sheet, b, 2, bars[b].swing);
        for (size_t i = 0; i < sample->n; i++)
            if (sample->marks[i].part == PK_DESIGN_LEVEL && sample->marks[i].factor == f) {
                if (sample->marks[i].level == 0)
                    pk_sheet_put(sheet, b, 3, a->y[i]);
                if (sample->marks[i].level + 1 == factor->n_levels)
                    pk_sheet_put(sheet, b, 4, a->y[i]);
            }
        for (size_t z = 0; z < found.n_kept && found.n_crossings == 1; z++)
            if (found.zeros[z].crosses)
                pk_sheet_put(sheet, b, 5, (found.zeros[z].from + found.zeros[z].to) / 2);
        if (found.n_crossings > 1)
            pk_text_addf(&sheet->notes, "%s: the outcome changes sign %zu times over its levels\n", factor->name,
                         found.n_crossings);
        n_turning += (bars[b].lowest < 0 && bars[b].highest > 0);
    }
    pk_free(bars);
    if (status == PK_OK) {
        pk_text_addf(&sheet->notes, "base: %.6g\n", base);
        pk_text_addf(&sheet->notes, n_turning > 0 ? "%zu factors alone turn the sign of the outcome within their range\n"
                                                  : "no factor alone turns the sign of the outcome\n",
                     n_turning);
    }
    return status;
}

/* What a ratio of two figures is at each level would mean nothing where its sign changes: figures are told, not ratios. */
enum pk_status pk_analyse_one_way(struct pk_analysing *a, size_t i_figure)
{
    static const char *const columns[] = {"value",      "the factor's value as given; of a choice the option",
                                          "outcome",    "outcome",
                                          "outcome_se", "simulation standard error",
                                          "change",     "outcome less that of the base",
                                          NULL};
    const struct pk_sample *sample = a->sample;
    const double base = base_of(a);
    enum pk_status status = tornado(a, i_figure);
    if (status != PK_OK)
        return status;
    struct pk_sheet *sheet =
        pk_analyse_sheet(a, "levels", i_figure, "every level of every factor", "level", sample->n, columns);
    if (sheet == NULL)
        return pk_analyse_no_memory(a);
    for (size_t i = 0; i < sample->n; i++) {
        const struct pk_design_mark *mark = &sample->marks[i];
        char name[300] = "base", level[100];
        if (mark->part == PK_DESIGN_LEVEL) {
            const struct pk_sample_factor *factor = &sample->factors[mark->factor];
            level_text(factor, mark->level, level);
            snprintf(name, sizeof name, "%.150s = %s", factor->name, level);
            pk_sheet_put(sheet, i, 0, factor->levels[mark->level]);
        }
        pk_sheet_row(&a->analysis->sheets, sheet, i, name);
        pk_sheet_put(sheet, i, 1, a->y[i]);
        pk_sheet_put(sheet, i, 2, sqrt(a->noise[i]));
        pk_sheet_put(sheet, i, 3, a->y[i] - base);
    }
    return PK_OK;
}

enum pk_status pk_analyse_two_way(struct pk_analysing *a, size_t i_figure)
{
    static const char *const columns[] = {"first_value",  "value of the first factor",
                                          "second_value", "value of the second factor",
                                          "outcome",      "outcome",
                                          "outcome_se",   "simulation standard error",
                                          NULL};
    const struct pk_sample *sample = a->sample;
    struct pk_sheet *sheet = pk_analyse_sheet(a, "two_way", i_figure, "two factors at a time", "pair", sample->n, columns);
    if (sheet == NULL)
        return pk_analyse_no_memory(a);
    for (size_t i = 0; i < sample->n; i++) {
        const struct pk_design_mark *mark = &sample->marks[i];
        char name[400] = "base", first[100], second[100];
        if (mark->part == PK_DESIGN_LEVEL) {
            const struct pk_sample_factor *factor = &sample->factors[mark->factor], *other = &sample->factors[mark->other];
            level_text(factor, mark->level, first);
            level_text(other, mark->other_level, second);
            snprintf(name, sizeof name, "%.80s = %s, %.80s = %s", factor->name, first, other->name, second);
            pk_sheet_put(sheet, i, 0, factor->levels[mark->level]);
            pk_sheet_put(sheet, i, 1, other->levels[mark->other_level]);
        }
        pk_sheet_row(&a->analysis->sheets, sheet, i, name);
        pk_sheet_put(sheet, i, 2, a->y[i]);
        pk_sheet_put(sheet, i, 3, sqrt(a->noise[i]));
    }
    return PK_OK;
}

/* ---- factorial ---------------------------------------------------------------------------------------------- */

enum pk_status pk_analyse_factorial(struct pk_analysing *a, size_t i_figure)
{
    static const char *const columns[] = {"share", "share of the variance over the grid", NULL};
    const struct pk_sample *sample = a->sample;
    const size_t k = sample->n_factors, n_rows = k + k * (k - 1) / 2 + 1;
    size_t *levels = pk_alloc(k, sizeof *levels), *order = pk_alloc(n_rows, sizeof *order);
    double *main_effects = pk_alloc(k, sizeof *main_effects), *pairs = pk_alloc(k * k, sizeof *pairs),
           *values = pk_alloc(n_rows, sizeof *values), rest = 0;
    char(*names)[208] = pk_alloc(n_rows, sizeof *names);
    enum pk_status status = PK_OK;
    if (!levels || !order || !main_effects || !pairs || !values || !names)
        status = pk_analyse_no_memory(a);
    for (size_t f = 0; status == PK_OK && f < k; f++)
        levels[f] = sample->factors[f].n_levels;
    if (status == PK_OK)
        status = pk_sensitivity_factorial(levels, k, a->y, NULL, main_effects, pairs, &rest, a->error);
    struct pk_sheet *sheet =
        status == PK_OK ? pk_analyse_sheet(a, "factorial", i_figure, "shares of the variance over the full grid",
                                           "effect", n_rows, columns)
                        : NULL;
    if (status == PK_OK && sheet == NULL)
        status = pk_analyse_no_memory(a);
    if (status == PK_OK) {
        size_t n = 0;
        for (size_t f = 0; f < k; f++) {
            snprintf(names[n], sizeof names[n], "%.200s", sample->factors[f].name);
            values[n++] = main_effects[f];
        }
        for (size_t f = 0; f < k; f++)
            for (size_t j = f + 1; j < k; j++) {
                snprintf(names[n], sizeof names[n], "%.100s x %.100s", sample->factors[f].name, sample->factors[j].name);
                values[n++] = pairs[f * k + j];
            }
        snprintf(names[n], sizeof names[n], "three and more together");
        values[n++] = rest;
        pk_analyse_order(values, n, order);
        for (size_t r = 0; r < n; r++) {
            pk_sheet_row(&a->analysis->sheets, sheet, r, names[order[r]]);
            pk_sheet_put(sheet, r, 0, values[order[r]]);
        }
    }
    pk_free(levels);
    pk_free(order);
    pk_free(main_effects);
    pk_free(pairs);
    pk_free(values);
    pk_free(names);
    return status;
}

/* ---- Morris ------------------------------------------------------------------------------------------------- */

static void put_estimate(struct pk_sheet *sheet, size_t row, size_t column,
                         const struct pk_sensitivity_estimate *estimate)
{
    pk_sheet_put(sheet, row, column, estimate->value);
    pk_sheet_put(sheet, row, column + 1, estimate->low);
    pk_sheet_put(sheet, row, column + 2, estimate->high);
}

enum pk_status pk_analyse_morris(struct pk_analysing *a, size_t i_figure)
{
    static const char *const columns[] = {"mu_star",      "mean size of the elementary effects, over the whole range",
                                          "mu_star_low",  "2.5 % of resamples",
                                          "mu_star_high", "97.5 % of resamples",
                                          "mu",           "mean of the elementary effects",
                                          "sigma",        "their standard deviation: curvature or interactions",
                                          "n",            "effects seen",
                                          NULL};
    const struct pk_sample *sample = a->sample;
    const size_t k = sample->n_groups;
    const struct pk_design design = design_of(sample);
    struct pk_sensitivity_effect *effects = pk_alloc(k, sizeof *effects);
    double *values = pk_alloc(k, sizeof *values);
    size_t *order = pk_alloc(k, sizeof *order);
    enum pk_status status = effects && values && order ? pk_sensitivity_morris(&design, k, a->y, NULL, &a->bootstrap,
                                                                               effects, a->error)
                                                       : pk_analyse_no_memory(a);
    struct pk_sheet *sheet = status == PK_OK ? pk_analyse_sheet(a, "morris", i_figure, "elementary effects (Morris)",
                                                                "group", k, columns)
                                             : NULL;
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

/* Of the variance over A and B, due to simulation. */
static double noise_share(const struct pk_analysing *a)
{
    double n = 0, mean = 0, squares = 0, noise = 0;
    for (size_t i = 0; i < a->sample->n; i++) {
        const enum pk_design_part part = a->sample->marks[i].part;
        if ((part != PK_DESIGN_A && part != PK_DESIGN_B) || isnan(a->y[i]))
            continue;
        const double more = a->y[i] - mean;
        mean += more / ++n;
        squares += more * (a->y[i] - mean);
        noise += a->noise[i];
    }
    const double share = n > 1 && squares > 0 ? noise / n / (squares / (n - 1)) : 0;
    return isnan(share) || share < 0 ? 0 : share;
}

static void scale_estimate(struct pk_sensitivity_estimate *estimate, double times)
{
    estimate->value *= times;
    estimate->low *= times;
    estimate->high *= times;
    estimate->standard_error *= times;
}

static enum pk_status put_pairs(struct pk_analysing *a, size_t i_figure, const struct pk_sensitivity_sobol *sobol)
{
    static const char *const columns[] = {"second",      "share of the variance that two have together, beyond their own",
                                          "second_low",  "2.5 % of resamples",
                                          "second_high", "97.5 % of resamples",
                                          NULL};
    const size_t k = a->sample->n_groups, n = k * (k - 1) / 2;
    struct pk_sheet *sheet =
        pk_analyse_sheet(a, "sobol_pairs", i_figure, "shares of the variance of two together (Sobol')", "pair", n, columns);
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

enum pk_status pk_analyse_sobol(struct pk_analysing *a, size_t i_figure)
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
    enum pk_status status = pk_sensitivity_sobol_init(&sobol, n_rows, k, sample->second_order, a->y, NULL, &a->bootstrap,
                                                      a->error);
    if (status != PK_OK)
        return status;
    /* rows are simulated each in one world, so that differences within a row are of the parameters alone, and only the
     * variance has simulation's part in it */
    const double share = noise_share(a), times = share < 1 ? 1 / (1 - share) : (double)NAN;
    double *values = pk_alloc(k, sizeof *values);
    size_t *order = pk_alloc(k, sizeof *order);
    struct pk_sheet *sheet = pk_analyse_sheet(a, "sobol", i_figure, "shares of the variance (Sobol')", "group", k, columns);
    if (values == NULL || order == NULL || sheet == NULL)
        status = pk_analyse_no_memory(a);
    if (status == PK_OK) {
        for (size_t g = 0; g < k; g++) {
            scale_estimate(&sobol.first[g], times);
            scale_estimate(&sobol.total[g], times);
            values[g] = sobol.total[g].value;
        }
        for (size_t p = 0; sobol.second != NULL && p < k * k; p++)
            scale_estimate(&sobol.second[p], times);
        pk_analyse_order(values, k, order);
        for (size_t r = 0; r < k; r++) {
            pk_sheet_row(&a->analysis->sheets, sheet, r, sample->groups[order[r]]);
            put_estimate(sheet, r, 0, &sobol.first[order[r]]);
            put_estimate(sheet, r, 3, &sobol.total[order[r]]);
        }
        pk_text_addf(&sheet->notes,
                     "variance %.6g, of which %.2g %% is simulation's and taken out; each alone %.1f %% in sum, the rest "
                     "together; %zu rows%s\n",
                     sobol.variance.value, 100 * share, 100 * times * sobol.first_sum.value, sobol.n_rows,
                     sobol.adds_up ? "" : "; shares do not add up: more rows are needed");
        if (sobol.n_left_out > 0)
            pk_text_addf(&sheet->notes, "! %zu rows have a point without a meaning and are left out\n", sobol.n_left_out);
    }
    pk_free(values);
    pk_free(order);
    if (status == PK_OK && sobol.second != NULL)
        status = put_pairs(a, i_figure, &sobol);
    pk_sensitivity_sobol_free(&sobol);
    return status;
}

/* ---- regression --------------------------------------------------------------------------------------------- */

enum pk_status pk_analyse_regression(struct pk_analysing *a, size_t i_figure)
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
    if (a->sample->n < k + 3)
        return PK_OK; /* too few points to tell columns apart: the summary is all there is */
    enum pk_status status = pk_sensitivity_regression_init(&regression, a->sample->n, k, a->x, a->y, &a->bootstrap, a->error);
    if (status != PK_OK)
        return status;
    double *values = pk_alloc(k, sizeof *values);
    size_t *order = pk_alloc(k, sizeof *order);
    struct pk_sheet *sheet =
        pk_analyse_sheet(a, "regression", i_figure, "what moves it, by regression on all draws", "quantity", k, columns);
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
        pk_text_addf(&sheet->notes, "the regression has %.1f %% of the variance, that of ranks %.1f %%%s\n",
                     100 * regression.r2.value, 100 * regression.r2_ranks.value,
                     regression.collinear ? "; some quantities are functions of others, so that coefficients mean nothing"
                                          : "");
    }
    pk_free(values);
    pk_free(order);
    pk_sensitivity_regression_free(&regression);
    return status;
}
