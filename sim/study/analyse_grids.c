/* Figures over grids: tornado and break-even, two ways, full factorials. See analysis.h. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "analyse_private.h"

/* The points of a one-way design, and who is moved there. */
struct pk_design pk_analyse_design(const struct pk_sample *sample)
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

static enum pk_status tornado(struct pk_analysing *a)
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
    const struct pk_design design = pk_analyse_design(sample);
    const double base = base_of(a);
    struct pk_sensitivity_bar *bars = pk_alloc(n, sizeof *bars);
    struct pk_sheet *sheet =
        pk_analyse_sheet(a, "tornado", "one factor at a time, the widest first", "factor", n, columns);
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
        pk_text_addf(&sheet->notes,
                     n_turning > 0 ? "%zu factors alone turn the sign of the outcome within their range\n"
                                   : "no factor alone turns the sign of the outcome\n",
                     n_turning);
    }
    return status;
}

/* What a ratio of two figures is at each level would mean nothing where its sign changes: figures are told, not ratios.
 */
enum pk_status pk_analyse_one_way(struct pk_analysing *a)
{
    static const char *const columns[] = {"value",      "the factor's value as given; of a choice the option",
                                          "outcome",    "outcome",
                                          "outcome_se", "simulation standard error",
                                          "change",     "outcome less that of the base",
                                          NULL};
    const struct pk_sample *sample = a->sample;
    const double base = base_of(a);
    enum pk_status status = tornado(a);
    if (status != PK_OK)
        return status;
    struct pk_sheet *sheet = pk_analyse_sheet(a, "levels", "every level of every factor", "level", sample->n, columns);
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

enum pk_status pk_analyse_two_way(struct pk_analysing *a)
{
    static const char *const columns[] = {"first_value",
                                          "value of the first factor",
                                          "second_value",
                                          "value of the second factor",
                                          "outcome",
                                          "outcome",
                                          "outcome_se",
                                          "simulation standard error",
                                          NULL};
    const struct pk_sample *sample = a->sample;
    struct pk_sheet *sheet = pk_analyse_sheet(a, "two_way", "two factors at a time", "pair", sample->n, columns);
    if (sheet == NULL)
        return pk_analyse_no_memory(a);
    for (size_t i = 0; i < sample->n; i++) {
        const struct pk_design_mark *mark = &sample->marks[i];
        char name[400] = "base", first[100], second[100];
        if (mark->part == PK_DESIGN_LEVEL) {
            const struct pk_sample_factor *factor = &sample->factors[mark->factor],
                                          *other = &sample->factors[mark->other];
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

enum pk_status pk_analyse_factorial(struct pk_analysing *a)
{
    static const char *const columns[] = {"share", "share of the variance over the grid", NULL};
    const struct pk_sample *sample = a->sample;
    const size_t k = sample->n_factors, n_rows = k + k * (k - 1) / 2 + 1;
    size_t n_lost = 0;
    if (sample->n < sample->n_all)
        return pk_error_set(a->error, PK_BAD_INPUT, "holds only a part of the grid: merge its shards first");
    for (size_t i = 0; i < sample->n; i++)
        n_lost += isnan(a->y[i]) ? 1 : 0;
    if (n_lost > 0) {
        pk_text_addf(&a->analysis->marks, "%s has no figure at %zu points of the grid: no shares of its variance\n",
                     a->name, n_lost);
        return PK_OK;
    }
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
        status == PK_OK
            ? pk_analyse_sheet(a, "factorial", "shares of the variance over the full grid", "effect", n_rows, columns)
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
                snprintf(names[n], sizeof names[n], "%.100s x %.100s", sample->factors[f].name,
                         sample->factors[j].name);
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
