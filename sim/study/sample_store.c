/* A sample as a file that xarray, h5py and R open. See sample.h.
 *
 * Nothing of the host, the day or the way there is in the file: the same points have the same bytes. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "polku/hash.h"
#include "polku/memory.h"
#include "polku/provenance.h"
#include "polku/results.h"
#include "sample_private.h"

struct out {
    struct pk_results *results;
    enum pk_status status;
    struct pk_error *error;
};

static const char points[] = "/points", decision[] = "/decision";
const char *const pk_sample_mark_names[PK_SAMPLE_MARKS] = {"part",  "row",         "factor",   "other",
                                                           "level", "other_level", "direction"};
static const char *const mark_long_names[PK_SAMPLE_MARKS] = {
    "what the point is there for: 0 sample, 1 A, 2 B, 3 AB, 4 BA, 5 start, 6 step, 7 base, 8 level",
    "row of the design, trajectory or draw",
    "group that moves or comes from the other sample; -1: none",
    "second group of a pair; -1: none",
    "level of the group; -1: none",
    "level of the second group; -1: none",
    "of a step: 1 up, -1 down, 0 neither"};

static int64_t mark_of(const struct pk_design_mark *mark, size_t k)
{
    const uint32_t numbers[] = {(uint32_t)mark->part, mark->row,   mark->factor,
                                mark->other,          mark->level, mark->other_level};
    if (k == PK_SAMPLE_MARKS - 1)
        return mark->direction;
    return numbers[k] == PK_DESIGN_NONE ? -1 : (int64_t)numbers[k];
}

static void put_text(struct out *out, const char *group, const char *name, const char *text)
{
    if (out->status == PK_OK)
        out->status = pk_results_text(out->results, group, name, text, out->error);
}

static void put_integer(struct out *out, const char *group, const char *name, int64_t value)
{
    if (out->status == PK_OK)
        out->status = pk_results_integer(out->results, group, name, value, out->error);
}

static void put_number(struct out *out, const char *group, const char *name, double value)
{
    if (out->status == PK_OK)
        out->status = pk_results_number(out->results, group, name, value, out->error);
}

static void put_hash(struct out *out, const char *name, uint64_t value)
{
    char text[17];
    snprintf(text, sizeof text, "%016llx", (unsigned long long)value);
    put_text(out, "/", name, text);
}

static void put_array(struct out *out, const char *group, const char *name, const char *first, const char *second,
                      const double *values, const char *long_name)
{
    const char *dims[] = {first, second};
    const struct pk_results_array array = {
        .group = group, .name = name, .n_dims = second != NULL ? 2 : 1, .dims = dims, .long_name = long_name};
    if (out->status == PK_OK)
        out->status = pk_results_doubles(out->results, &array, values, out->error);
}

static void put_integers(struct out *out, const char *group, const char *name, const char *first, const char *second,
                         const int64_t *values, const char *long_name)
{
    const char *dims[] = {first, second};
    const struct pk_results_array array = {
        .group = group, .name = name, .n_dims = second != NULL ? 2 : 1, .dims = dims, .long_name = long_name};
    if (out->status == PK_OK)
        out->status = pk_results_integers(out->results, &array, values, out->error);
}

static void put_texts(struct out *out, const char *group, const char *name, const char *dim, const char *const *values,
                      const char *long_name)
{
    const struct pk_results_array array = {
        .group = group, .name = name, .n_dims = 1, .dims = &dim, .long_name = long_name};
    if (out->status == PK_OK)
        out->status = pk_results_texts(out->results, &array, values, out->error);
}

static void put_names(struct out *out, const char *group, const char *dim, const char *const *names, size_t n,
                      const char *long_name)
{
    if (out->status == PK_OK)
        out->status = pk_results_axis_texts(out->results, group, dim, n, names, long_name, out->error);
}

static void put_factors(struct out *out, const struct pk_sample *sample)
{
    const size_t n = sample->n_factors;
    const char **texts = pk_alloc(n + 1, sizeof *texts);
    int64_t *integers = pk_alloc(n + 1, sizeof *integers);
    double *numbers = pk_alloc(n + 1, sizeof *numbers);
    size_t n_levels = 0;
    if (texts == NULL || integers == NULL || numbers == NULL)
        out->status = pk_error_set(out->error, PK_NO_MEMORY, "no memory to write the points");
    if (out->status == PK_OK) {
#define PUT(put, array, name, expression, long_name)                                                                   \
    do {                                                                                                               \
        for (size_t f = 0; f < n; f++)                                                                                 \
            array[f] = expression;                                                                                     \
        put;                                                                                                           \
    } while (0)
#define PUT_TEXTS(name, expression, long_name)                                                                         \
    PUT(put_texts(out, "/factors", name, "factor", texts, long_name), texts, name, expression, long_name)
#define PUT_INTEGERS(name, expression, long_name)                                                                      \
    PUT(put_integers(out, "/factors", name, "factor", NULL, integers, long_name), integers, name, expression, long_name)
        PUT(put_names(out, "/factors", "factor", texts, n, "what is varied"), texts, "", sample->factors[f].name, "");
        PUT_TEXTS("unit", sample->factors[f].unit, "unit of the value as given");
        PUT_TEXTS("source_kind", sample->factors[f].source_kind, "kind of source");
        PUT_TEXTS("source", sample->factors[f].source, "where the number comes from");
        PUT_TEXTS("told", sample->factors[f].told, "distribution or levels");
        PUT_INTEGERS("kind", sample->factors[f].kind, "0 parameter, 1 set of parameters, 2 choice");
        PUT_INTEGERS("group", (int64_t)sample->factors[f].i_group, "group that it is moved with");
        PUT_INTEGERS("first_quantity", (int64_t)sample->factors[f].first_quantity, "its first value in x");
        PUT_INTEGERS("n_quantities", (int64_t)sample->factors[f].n_quantities, "its values in x");
        PUT_INTEGERS("n_free", (int64_t)sample->factors[f].n_free, "... that are no function of those before them");
        PUT_INTEGERS("n_levels", (int64_t)sample->factors[f].n_levels, "its levels in /levels, in order");
        PUT(put_array(out, "/factors", "base", "factor", NULL, numbers, "value while others move"), numbers, "",
            sample->factors[f].base, "");
#undef PUT
#undef PUT_TEXTS
#undef PUT_INTEGERS
    }
    for (size_t f = 0; f < n; f++)
        n_levels += sample->factors[f].n_levels;
    pk_free(texts);
    pk_free(integers);
    pk_free(numbers);
    texts = pk_alloc(n_levels + 1, sizeof *texts);
    numbers = pk_alloc(n_levels + 1, sizeof *numbers);
    integers = pk_alloc(n_levels + 1, sizeof *integers);
    if (out->status == PK_OK && (texts == NULL || numbers == NULL || integers == NULL))
        out->status = pk_error_set(out->error, PK_NO_MEMORY, "no memory to write the points");
    if (out->status == PK_OK && n_levels > 0) {
        size_t i = 0;
        for (size_t f = 0; f < n; f++)
            for (size_t k = 0; k < sample->factors[f].n_levels; k++, i++) {
                texts[i] = sample->factors[f].level_names[k];
                numbers[i] = sample->factors[f].levels[k];
                integers[i] = (int64_t)i;
            }
        out->status = pk_results_axis_integers(out->results, "/levels", "place", n_levels, integers, NULL,
                                               "level, factor by factor", out->error);
        put_texts(out, "/levels", "name", "place", texts, "the level's name");
        put_array(out, "/levels", "value", "place", NULL, numbers, "the level's value as given");
    }
    pk_free(texts);
    pk_free(numbers);
    pk_free(integers);
}

static void put_points(struct out *out, const struct pk_sample *sample)
{
    const size_t n = sample->n;
    int64_t *integers = pk_alloc(n + 1, sizeof *integers);
    const char **texts = pk_alloc(sample->n_figures + 1, sizeof *texts);
    if (out->status == PK_OK && (integers == NULL || texts == NULL))
        out->status = pk_error_set(out->error, PK_NO_MEMORY, "no memory to write the points");
    if (out->status == PK_OK) {
        for (size_t i = 0; i < n; i++)
            integers[i] = (int64_t)(sample->first + i);
        out->status = pk_results_axis_integers(out->results, points, "point", n, integers, NULL, "point of the design",
                                               out->error);
        put_names(out, points, "quantity", sample->quantities, sample->n_quantities, "what is varied");
        for (size_t k = 0; k < sample->n_figures; k++)
            texts[k] = sample->figures[k].name;
        put_names(out, points, "figure", texts, sample->n_figures, "what is told of a point");
        for (size_t k = 0; k < sample->n_figures; k++)
            texts[k] = sample->figures[k].label;
        put_texts(out, points, "figure_label", "figure", texts, "the figure for people");
        for (size_t k = 0; k < sample->n_figures; k++)
            texts[k] = sample->figures[k].unit;
        put_texts(out, points, "figure_unit", "figure", texts, "what it is told for");
        for (size_t m = 0; m < PK_SAMPLE_MARKS; m++) {
            for (size_t i = 0; i < n; i++)
                integers[i] = mark_of(&sample->marks[i], m);
            put_integers(out, points, pk_sample_mark_names[m], "point", NULL, integers, mark_long_names[m]);
        }
        for (size_t i = 0; i < n; i++)
            integers[i] = pk_sample_world(sample, i);
        put_integers(out, points, "world", "point", NULL, integers, "first replication of the point");
        memcpy(integers, sample->keys, n * sizeof *integers);
        put_integers(out, points, "key", "point", NULL, integers, "what tells points apart; alike: the same figures");
        put_array(out, points, "x", "point", "quantity", sample->x, "values as given; of a choice the option");
        put_array(out, points, "y", "point", "figure", sample->y, "figures; nan: the point has no meaning");
        put_array(out, points, "y_se", "point", "figure", sample->errors, "simulation standard error of y");
    }
    pk_free(integers);
    pk_free(texts);
}

static void put_decision(struct out *out, const struct pk_sample *sample)
{
    const struct pk_sample_decision *d = &sample->decision;
    int64_t *integers = pk_alloc(d->n_questions * sample->n_factors + d->n_options + 1, sizeof *integers);
    const char **texts = pk_alloc(sample->n_factors + 1, sizeof *texts);
    if (out->status == PK_OK && (integers == NULL || texts == NULL))
        out->status = pk_error_set(out->error, PK_NO_MEMORY, "no memory to write the points");
    if (out->status == PK_OK) {
        put_names(out, decision, "option", d->options, d->n_options, "arm that may be chosen");
        for (size_t o = 0; o < d->n_options; o++)
            integers[o] = (int64_t)d->effects[o];
        put_integers(out, decision, "effect", "option", NULL, integers, "figure of its effect, per person");
        for (size_t o = 0; o < d->n_options; o++)
            integers[o] = (int64_t)d->costs[o];
        put_integers(out, decision, "cost", "option", NULL, integers, "figure of its cost, per person");
        put_text(out, decision, "effect_label", d->effect_label);
        if (out->status == PK_OK)
            out->status = pk_results_axis_doubles(out->results, decision, "threshold", d->n_thresholds, d->thresholds,
                                                  "euros", "for one unit of effect", out->error);
        put_number(out, decision, "persons_per_year", d->persons_per_year);
        put_number(out, decision, "years", d->years);
        put_number(out, decision, "discount", d->discount);
        if (d->n_questions > 0) {
            for (size_t f = 0; f < sample->n_factors; f++)
                texts[f] = sample->factors[f].name;
            put_names(out, decision, "question", d->questions, d->n_questions, "what could be known");
            put_names(out, decision, "factor", texts, sample->n_factors, "what is varied");
            for (size_t i = 0; i < d->n_questions * sample->n_factors; i++)
                integers[i] = d->asks[i];
            put_integers(out, decision, "asks", "question", "factor", integers, "1: the factor would be known");
        }
    }
    pk_free(integers);
    pk_free(texts);
}

static void mix_text(uint64_t *sum, const char *text)
{
    pk_hash_mix(sum, text, strlen(text) + 1);
}

static void mix_factors(uint64_t *sum, const struct pk_sample *sample)
{
    for (size_t f = 0; f < sample->n_factors; f++) {
        const struct pk_sample_factor *factor = &sample->factors[f];
        const uint64_t numbers[] = {factor->kind, factor->n_quantities, factor->i_group, factor->n_levels};
        const char *const texts[] = {factor->name, factor->unit, factor->source_kind, factor->source, factor->told};
        pk_hash_mix(sum, numbers, sizeof numbers);
        pk_hash_mix(sum, &factor->base, sizeof factor->base);
        for (size_t t = 0; t < sizeof texts / sizeof *texts; t++)
            mix_text(sum, texts[t]);
        for (size_t k = 0; k < factor->n_levels; k++) {
            pk_hash_mix(sum, &factor->levels[k], sizeof factor->levels[k]);
            mix_text(sum, factor->level_names[k]);
        }
    }
    for (size_t g = 0; g < sample->n_groups; g++)
        mix_text(sum, sample->groups[g]);
    for (size_t q = 0; q < sample->n_quantities; q++)
        mix_text(sum, sample->quantities[q]);
}

static void mix_decision(uint64_t *sum, const struct pk_sample *sample)
{
    const struct pk_sample_decision *d = &sample->decision;
    const double whom[] = {d->persons_per_year, d->years, d->discount};
    if (d->n_options == 0)
        return;
    for (size_t o = 0; o < d->n_options; o++) {
        const uint64_t figures[] = {d->effects[o], d->costs[o]};
        mix_text(sum, d->options[o]);
        pk_hash_mix(sum, figures, sizeof figures);
    }
    mix_text(sum, d->effect_label);
    pk_hash_mix(sum, d->thresholds, d->n_thresholds * sizeof *d->thresholds);
    pk_hash_mix(sum, whom, sizeof whom);
    for (size_t q = 0; q < d->n_questions; q++) {
        mix_text(sum, d->questions[q]);
        for (size_t f = 0; f < sample->n_factors; f++) {
            const unsigned char asked = d->asks[q * sample->n_factors + f];
            pk_hash_mix(sum, &asked, sizeof asked);
        }
    }
}

/* All that a file has, so that none of it can change unseen. */
uint64_t pk_sample_sum(const struct pk_sample *sample)
{
    uint64_t sum = sample->identity;
    const uint64_t sizes[] = {sample->n_all,
                              sample->first,
                              sample->n,
                              sample->n_figures,
                              sample->n_quantities,
                              sample->n_named,
                              sample->n_factors,
                              sample->n_groups,
                              sample->seed,
                              sample->method,
                              sample->second_order,
                              sample->independent,
                              (uint64_t)sample->n_draws,
                              (uint64_t)sample->n_levels,
                              (uint64_t)sample->replications};
    const char *const texts[] = {
        sample->study,         sample->title, sample->scenario_file, sample->study_text, sample->marks_of_studies,
        sample->documents_warn};
    pk_hash_mix(&sum, sizes, sizeof sizes);
    for (size_t t = 0; t < sizeof texts / sizeof *texts; t++)
        mix_text(&sum, texts[t]);
    mix_factors(&sum, sample);
    for (size_t k = 0; k < sample->n_figures; k++) {
        mix_text(&sum, sample->figures[k].name);
        mix_text(&sum, sample->figures[k].label);
        mix_text(&sum, sample->figures[k].unit);
    }
    mix_decision(&sum, sample);
    for (size_t i = 0; i < sample->n; i++)
        for (size_t m = 0; m < PK_SAMPLE_MARKS; m++) {
            const int64_t mark = mark_of(&sample->marks[i], m);
            pk_hash_mix(&sum, &mark, sizeof mark);
        }
    pk_hash_mix(&sum, sample->keys, sample->n * sizeof *sample->keys);
    pk_hash_mix(&sum, sample->x, sample->n * sample->n_quantities * sizeof *sample->x);
    for (size_t i = 0; i < sample->n * sample->n_figures; i++) { /* nan is nan, whatever its bits */
        const double values[] = {isnan(sample->y[i]) ? 0 : sample->y[i],
                                 isnan(sample->errors[i]) ? 0 : sample->errors[i]};
        const bool missing[] = {isnan(sample->y[i]), isnan(sample->errors[i])};
        pk_hash_mix(&sum, values, sizeof values);
        pk_hash_mix(&sum, missing, sizeof missing);
    }
    return sum;
}

enum pk_status pk_sample_save(const struct pk_sample *sample, const char *path, struct pk_error *error)
{
    struct out out = {.error = error};
    const uint64_t bytes = sample->n * (8 * (PK_SAMPLE_MARKS + 3) + 8 * sample->n_quantities + 16 * sample->n_figures);
    out.status = bytes > PK_RESULTS_MEMORY_BYTES ? pk_results_create_on_disk(&out.results, path, error)
                                                 : pk_results_create(&out.results, error);
    if (out.status != PK_OK)
        return out.status;
    put_text(&out, "/", "swept", sample->study);
    put_text(&out, "/", "title", sample->title);
    put_text(&out, "/", "scenario", sample->scenario_file);
    put_text(&out, "/", "method", pk_method_names[sample->method]);
    put_text(&out, "/", "polku_version", pk_provenance_version());
    put_hash(&out, "identity", sample->identity);
    put_hash(&out, "digest", pk_sample_sum(sample));
    put_hash(&out, "seed", sample->seed);
    put_integer(&out, "/", "draws", sample->n_draws);
    put_integer(&out, "/", "levels", sample->n_levels);
    put_integer(&out, "/", "replications", sample->replications);
    put_integer(&out, "/", "second_order", sample->second_order);
    put_integer(&out, "/", "independent", sample->independent);
    put_integer(&out, "/", "points_in_design", (int64_t)sample->n_all);
    put_integer(&out, "/", "first_point", (int64_t)sample->first);
    put_integer(&out, "/", "named_figures", (int64_t)sample->n_named);
    put_names(&out, "/groups", "group", sample->groups, sample->n_groups, "what is moved together");
    put_factors(&out, sample);
    put_points(&out, sample);
    if (sample->decision.n_options > 0)
        put_decision(&out, sample);
    if (out.status == PK_OK)
        out.status =
            pk_results_long_text(out.results, "/provenance", "study_text", sample->study_text, "the study", error);
    if (out.status == PK_OK)
        out.status = pk_results_long_text(out.results, "/provenance", "marks", sample->marks_of_studies,
                                          "what whoever uses the figures must know of the studies they rest on", error);
    if (out.status == PK_OK)
        out.status = pk_results_long_text(out.results, "/provenance", "documents_warn", sample->documents_warn,
                                          "what the documents themselves warn of", error);
    if (out.status == PK_OK)
        out.status = pk_results_save(out.results, path, error);
    pk_results_close(out.results);
    return out.status;
}
