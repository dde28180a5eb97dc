/* From a sample to its tables. See analysis.h. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyse_private.h"
#include "polku/provenance.h"
#include "polku/stats.h"

enum pk_status pk_analyse_no_memory(struct pk_analysing *a)
{
    return pk_error_set(a->error, PK_NO_MEMORY, "no memory for the analysis");
}

struct pk_sheet *pk_analyse_sheet(struct pk_analysing *a, const char *kind, const char *title, const char *of_rows,
                                  size_t n_rows, const char *const *columns)
{
    char name[200], told[600];
    snprintf(name, sizeof name, "%s/%.150s", kind, a->name);
    snprintf(told, sizeof told, "%.280s (%.150s): %.120s", a->label, a->name, title);
    return pk_sheet_add(&a->analysis->sheets, name, told, of_rows, n_rows, columns);
}

void pk_analyse_order(const double *values, size_t n, size_t *order)
{
    for (size_t i = 0; i < n; i++) {
        size_t k = i;
        for (; k > 0 && !isnan(values[i]) && (isnan(values[order[k - 1]]) || values[order[k - 1]] < values[i]); k--)
            order[k] = order[k - 1];
        order[k] = i;
    }
}

void pk_analyse_figure(struct pk_analysing *a, size_t i_figure)
{
    const struct pk_sample *sample = a->sample;
    snprintf(a->name, sizeof a->name, "%.150s", sample->figures[i_figure].name);
    snprintf(a->label, sizeof a->label, "%.290s", sample->figures[i_figure].label);
    for (size_t i = 0; i < sample->n; i++) {
        const double se = sample->errors[i * sample->n_figures + i_figure];
        a->y[i] = sample->y[i * sample->n_figures + i_figure];
        a->noise[i] = se * se;
    }
}

void pk_analyse_net_benefit(struct pk_analysing *a, size_t i_option)
{
    const struct pk_sample *sample = a->sample;
    const struct pk_sample_decision *d = &sample->decision;
    const double threshold = pk_analyse_threshold(a);
    snprintf(a->name, sizeof a->name, "net_benefit_%.100s", d->options[i_option]);
    snprintf(a->label, sizeof a->label, "net benefit of %.90s over %.90s at %.10g euros a unit, per person",
             d->options[i_option], d->options[0], threshold);
    for (size_t i = 0; i < sample->n; i++) {
        const double *y = sample->y + i * sample->n_figures;
        a->y[i] = threshold * (y[d->effects[i_option]] - y[d->effects[0]]) - (y[d->costs[i_option]] - y[d->costs[0]]);
        a->noise[i] = 0; /* errors of the four are of the same lives, so that those of the sum are not known */
    }
}

/* ---- columns ------------------------------------------------------------------------------------------------ */

static enum pk_status make_columns(struct pk_analysing *a)
{
    const struct pk_sample *sample = a->sample;
    struct pk_arena *arena = &a->analysis->sheets.arena;
    a->first_column = pk_arena_alloc(arena, sample->n_factors + 1, sizeof *a->first_column);
    if (a->first_column == NULL)
        return pk_analyse_no_memory(a);
    for (size_t f = 0; f < sample->n_factors; f++) {
        const struct pk_sample_factor *factor = &sample->factors[f];
        a->first_column[f] = a->n_columns;
        a->n_columns += factor->kind == PK_FACTOR_CHOICE ? factor->n_levels - 1 : factor->n_free;
    }
    a->first_column[sample->n_factors] = a->n_columns;
    a->columns = pk_arena_alloc(arena, a->n_columns + 1, sizeof *a->columns);
    a->x = pk_alloc(sample->n * a->n_columns + 1, sizeof *a->x);
    if (a->columns == NULL || a->x == NULL)
        return pk_analyse_no_memory(a);
    for (size_t f = 0; f < sample->n_factors; f++) {
        const struct pk_sample_factor *factor = &sample->factors[f];
        const size_t n = a->first_column[f + 1] - a->first_column[f];
        for (size_t k = 0; k < n; k++) {
            const size_t c = a->first_column[f] + k;
            char name[200];
            if (factor->kind == PK_FACTOR_CHOICE)
                snprintf(name, sizeof name, "%.90s = %.90s", factor->name, factor->level_names[k + 1]);
            else
                snprintf(name, sizeof name, "%.190s", sample->quantities[factor->first_quantity + k]);
            if ((a->columns[c] = pk_arena_text(arena, name)) == NULL)
                return pk_analyse_no_memory(a);
            for (size_t i = 0; i < sample->n; i++) {
                const double *x = sample->x + i * sample->n_quantities + factor->first_quantity;
                a->x[i * a->n_columns + c] =
                    factor->kind == PK_FACTOR_CHOICE ? (x[0] == (double)(k + 1)) : x[k]; /* infinite: life */
                if (isinf(a->x[i * a->n_columns + c]))
                    a->x[i * a->n_columns + c] = 1e3;
            }
        }
    }
    return PK_OK;
}

/* ---- the summary -------------------------------------------------------------------------------------------- */

bool pk_analyse_is_drawn(const struct pk_sample *sample, size_t i)
{
    const enum pk_design_part part = sample->marks[i].part;
    return part == PK_DESIGN_SAMPLE || part == PK_DESIGN_A || part == PK_DESIGN_B;
}

/* Over the draws alone: what the uncertain inputs make of each figure, and simulation's part in it. */
static enum pk_status summarise(struct pk_analysing *a)
{
    static const char *const columns[] = {
        "mean",
        "mean over draws",
        "sd",
        "standard deviation over draws, simulation's part included",
        "q025",
        "2.5 % of draws are below",
        "q500",
        "median of draws",
        "q975",
        "97.5 % of draws are below",
        "above_0",
        "share of draws above 0",
        "simulation_se",
        "root of the mean square simulation error of a draw",
        "simulation_share",
        "of the variance over draws, due to simulation; not told where all are in one world",
        "draws",
        "draws with a figure",
        NULL};
    const struct pk_sample *sample = a->sample;
    double *sorted = pk_alloc(sample->n + 1, sizeof *sorted);
    struct pk_sheet *sheet = pk_sheet_add(&a->analysis->sheets, "summary",
                                          "What the uncertain inputs make of each figure (2.5 to 97.5 % of draws)",
                                          "figure_told", sample->n_named, columns);
    if (sorted == NULL || sheet == NULL) {
        pk_free(sorted);
        return pk_analyse_no_memory(a);
    }
    for (size_t k = 0; k < sample->n_named; k++) {
        size_t n = 0, n_above = 0;
        double mean = 0, squares = 0, noise = 0;
        pk_analyse_figure(a, k);
        for (size_t i = 0; i < sample->n; i++)
            if (pk_analyse_is_drawn(sample, i) && !isnan(a->y[i])) {
                const double more = a->y[i] - mean;
                sorted[n++] = a->y[i];
                mean += more / (double)n;
                squares += more * (a->y[i] - mean);
                noise += a->noise[i];
                n_above += a->y[i] > 0;
            }
        qsort(sorted, n, sizeof *sorted, pk_stats_ascending);
        const double variance = n > 1 ? squares / (double)(n - 1) : (double)NAN;
        noise /= (double)n;
        /* where all are in one world its noise moves them together, and is no part of what is between them */
        const double share = sample->independent && variance > 0 ? noise / variance : (double)NAN;
        const double values[] = {n > 0 ? mean : (double)NAN,
                                 sqrt(variance),
                                 pk_stats_quantile(sorted, n, 0.025),
                                 pk_stats_quantile(sorted, n, 0.5),
                                 pk_stats_quantile(sorted, n, 0.975),
                                 (double)n_above / (double)n,
                                 sqrt(noise),
                                 share,
                                 (double)n};
        pk_sheet_row(&a->analysis->sheets, sheet, k, sample->figures[k].name);
        for (size_t c = 0; c < sizeof values / sizeof *values; c++)
            pk_sheet_put(sheet, k, c, values[c]);
        if (share > 0.1)
            pk_text_addf(&sheet->notes,
                         "! %.0f %% of the variance of %s is simulation's: more replications, or simulation_share\n",
                         100 * share, sample->figures[k].name);
    }
    pk_free(sorted);
    return PK_OK;
}

/* ---- all of it ---------------------------------------------------------------------------------------------- */

static enum pk_status analyse_one(struct pk_analysing *a)
{
    switch (a->sample->method) {
    case PK_METHOD_ONE_WAY:
        return pk_analyse_one_way(a);
    case PK_METHOD_TWO_WAY:
        return pk_analyse_two_way(a);
    case PK_METHOD_FACTORIAL:
        return pk_analyse_factorial(a);
    case PK_METHOD_MORRIS:
        return pk_analyse_morris(a);
    case PK_METHOD_SOBOL:
        return pk_analyse_sobol(a);
    default:
        return pk_analyse_regression(a);
    }
}

static bool is_known(const struct pk_analysing *a)
{
    for (size_t i = 0; i < a->sample->n; i++)
        if (!isnan(a->y[i]))
            return true;
    return false;
}

static enum pk_status analyse_figures(struct pk_analysing *a)
{
    const struct pk_sample *sample = a->sample;
    enum pk_status status = PK_OK;
    for (size_t k = 0; k < sample->n_named && status == PK_OK; k++) {
        pk_analyse_figure(a, k);
        status = is_known(a) ? analyse_one(a) : PK_OK;
    }
    const size_t n_before = a->analysis->sheets.n;
    for (size_t o = 1; o < sample->decision.n_options && status == PK_OK; o++) {
        pk_analyse_net_benefit(a, o);
        status = is_known(a) ? analyse_one(a) : PK_OK;
    }
    for (size_t i = n_before; i < a->analysis->sheets.n; i++) /* the decision itself is told by values of knowing */
        a->analysis->sheets.items[i].aside =
            sample->method == PK_METHOD_PROBABILISTIC || sample->method == PK_METHOD_LATIN_HYPERCUBE;
    return status;
}

static enum pk_status mark(struct pk_analysing *a)
{
    const struct pk_sample *sample = a->sample;
    struct pk_text *marks = &a->analysis->marks;
    size_t n_impossible = 0, n_assumed = 0;
    for (size_t i = 0; i < sample->n; i++)
        n_impossible += pk_sample_is_impossible(sample, i);
    if (n_impossible == sample->n)
        return pk_error_set(a->error, PK_BAD_INPUT, "no point has figures");
    if (n_impossible > 0)
        pk_text_addf(marks, "%zu of %zu points have no meaning and no figures: what they are part of is left out\n",
                     n_impossible, sample->n);
    for (size_t k = 0; k < sample->n_figures; k++) {
        size_t n_lost = 0;
        for (size_t i = 0; i < sample->n; i++)
            n_lost += isnan(sample->y[i * sample->n_figures + k]) ? 1 : 0;
        if (n_lost > n_impossible)
            pk_text_addf(marks, "%s is no number at %zu points more: what they are part of is left out\n",
                         sample->figures[k].name, n_lost - n_impossible);
    }
    if (sample->n < sample->n_all)
        pk_text_addf(marks, "only %zu of %zu points of the design are here\n", sample->n, sample->n_all);
    for (size_t k = 0; k < sample->n_figures; k++) {
        size_t n_known = 0;
        for (size_t i = 0; i < sample->n; i++)
            n_known += isnan(sample->y[i * sample->n_figures + k]) ? 0 : 1;
        if (n_known == 0)
            pk_text_addf(marks, "%s is no number at any point%s\n", sample->figures[k].name,
                         k >= sample->n_named
                             ? " (a service with places for everybody has no cost), so that no decision is told"
                             : "");
    }
    for (size_t f = 0; f < sample->n_factors; f++)
        n_assumed += strcmp(sample->factors[f].source_kind, "assumption") == 0;
    if (n_assumed > 0)
        pk_text_addf(marks, "%zu of the %zu factors are assumptions, ranges and distributions included\n", n_assumed,
                     sample->n_factors);
    pk_text_put(marks, sample->marks_of_studies);
    return marks->failed ? pk_analyse_no_memory(a) : PK_OK;
}

enum pk_status pk_analyse(struct pk_analysis *analysis, const struct pk_sample *sample,
                          const struct pk_analysis_request *request, struct pk_error *error)
{
    struct pk_analysing a = {.analysis = analysis, .sample = sample, .request = request, .error = error};
    const bool drawn = sample->method == PK_METHOD_SOBOL || sample->method == PK_METHOD_LATIN_HYPERCUBE ||
                       sample->method == PK_METHOD_PROBABILISTIC;
    a.bootstrap = (struct pk_sensitivity_bootstrap){.seed = sample->seed, .n_resamples = request->n_resamples};
    memset(analysis, 0, sizeof *analysis);
    analysis->sample = sample;
    pk_sheets_init(&analysis->sheets);
    pk_text_init(&analysis->marks);
    a.y = pk_alloc(sample->n + 1, sizeof *a.y);
    a.noise = pk_alloc(sample->n + 1, sizeof *a.noise);
    enum pk_status status = a.y == NULL || a.noise == NULL ? pk_analyse_no_memory(&a) : mark(&a);
    if (status == PK_OK && drawn)
        status = make_columns(&a);
    if (status == PK_OK && drawn)
        status = summarise(&a);
    if (status == PK_OK)
        status = analyse_figures(&a);
    bool decides = status == PK_OK && sample->decision.n_options > 0 && drawn;
    for (size_t k = sample->n_named; k < sample->n_figures && decides; k++) {
        pk_analyse_figure(&a, k);
        decides = is_known(&a);
    }
    if (status == PK_OK && decides)
        status = pk_analyse_decision(&a);
    if (status == PK_OK && (analysis->sheets.failed || analysis->marks.failed))
        status = pk_analyse_no_memory(&a);
    pk_free(a.x);
    pk_free(a.y);
    pk_free(a.noise);
    if (status != PK_OK)
        pk_analysis_free(analysis);
    return status;
}

void pk_analysis_free(struct pk_analysis *analysis)
{
    pk_sheets_free(&analysis->sheets);
    pk_text_free(&analysis->marks);
}

void pk_analysis_print(const struct pk_analysis *analysis, size_t n_rows, struct pk_text *text)
{
    const struct pk_sample *sample = analysis->sample;
    pk_text_addf(text, "%s\n%s, %zu points, %zu factors", sample->title, pk_method_names[sample->method], sample->n,
                 sample->n_factors);
    if (sample->replications > 0)
        pk_text_addf(text, ", %lld replication%s a point%s\n", (long long)sample->replications,
                     sample->replications == 1 ? "" : "s",
                     sample->independent ? ", each draw in a world of its own" : ", all in the same world");
    else
        pk_text_put(text, ", of a model that is not ours\n");
    for (const char *line = pk_text_string(&analysis->marks); *line != '\0';) {
        const size_t size = strcspn(line, "\n");
        pk_text_addf(text, "! %.*s\n", (int)size, line);
        line += size + (line[size] != '\0');
    }
    pk_sheets_print(&analysis->sheets, n_rows, text);
    if (sample->documents_warn[0] != '\0')
        pk_text_addf(text, "\nThe documents themselves warn:\n%s", sample->documents_warn);
}

void pk_analysis_json(const struct pk_analysis *analysis, struct pk_text *text)
{
    const struct pk_sample *sample = analysis->sample;
    pk_text_put(text, "{\"study\": ");
    pk_text_add_json_string(text, sample->study);
    pk_text_put(text, ", \"title\": ");
    pk_text_add_json_string(text, sample->title);
    pk_text_addf(text,
                 ", \"method\": \"%s\", \"points\": %zu, \"replications\": %lld, \"digest\": \"%016llx\", \"marks\": ",
                 pk_method_names[sample->method], sample->n, (long long)sample->replications,
                 (unsigned long long)pk_sample_sum(sample));
    pk_text_add_json_string(text, pk_text_string(&analysis->marks));
    pk_text_put(text, ", \"documents_warn\": ");
    pk_text_add_json_string(text, sample->documents_warn);
    pk_text_put(text, ", \"sheets\": {\n");
    pk_sheets_json(&analysis->sheets, text);
    pk_text_put(text, "}}\n");
}

enum pk_status pk_analysis_save(const struct pk_analysis *analysis, const char *path, struct pk_error *error)
{
    struct pk_results *results = NULL;
    char digest[17];
    snprintf(digest, sizeof digest, "%016llx", (unsigned long long)pk_sample_sum(analysis->sample));
    enum pk_status status = pk_results_create(&results, error);
    const char *const texts[][2] = {{"analysed", analysis->sample->study},
                                    {"title", analysis->sample->title},
                                    {"method", pk_method_names[analysis->sample->method]},
                                    {"sample_digest", digest},
                                    {"marks", pk_text_string(&analysis->marks)},
                                    {"documents_warn", analysis->sample->documents_warn},
                                    {"polku_version", pk_provenance_version()}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts && status == PK_OK; i++)
        status = pk_results_text(results, "/", texts[i][0], texts[i][1], error);
    if (status == PK_OK)
        status = pk_sheets_put(&analysis->sheets, results, error);
    if (status == PK_OK)
        status = pk_results_save(results, path, error);
    pk_results_close(results);
    return status;
}
