/* A sample from its file, which may be damaged or of anybody. See sample.h. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "polku/memory.h"
#include "polku/results.h"
#include "sample_private.h"

static void put_mark(struct pk_design_mark *mark, size_t k, int64_t value)
{
    const uint32_t number = value < 0 ? PK_DESIGN_NONE : (uint32_t)value;
    uint32_t *const numbers[] = {NULL, &mark->row, &mark->factor, &mark->other, &mark->level, &mark->other_level};
    if (k == 0)
        mark->part = (enum pk_design_part)value;
    else if (k == PK_SAMPLE_MARKS - 1)
        mark->direction = (int)value;
    else
        *numbers[k] = number;
}

struct in {
    struct pk_results *results;
    struct pk_sample *sample;
    enum pk_status status;
    struct pk_error *error;
};

static const char *get_text(struct in *in, const char *group, const char *name)
{
    char *text = NULL;
    if (in->status == PK_OK)
        in->status = pk_results_read_text(in->results, group, name, &text, in->error);
    const char *copy = text != NULL ? pk_arena_text(&in->sample->arena, text) : NULL;
    if (in->status == PK_OK && copy == NULL)
        in->status = pk_error_set(in->error, PK_NO_MEMORY, "no memory to read the points");
    pk_free(text);
    return copy;
}

static uint64_t get_hash(struct in *in, const char *name)
{
    const char *text = get_text(in, "/", name);
    return text != NULL ? strtoull(text, NULL, 16) : 0;
}

static int64_t get_integer(struct in *in, const char *group, const char *name, int64_t low, int64_t high)
{
    int64_t value = low;
    if (in->status == PK_OK)
        in->status = pk_results_read_integer(in->results, group, name, &value, in->error);
    if (in->status == PK_OK && (value < low || value > high))
        in->status = pk_error_set(in->error, PK_BAD_INPUT, "%s is %lld, expected %lld to %lld", name, (long long)value,
                                  (long long)low, (long long)high);
    return in->status == PK_OK ? value : low;
}

static const char **get_texts(struct in *in, const char *path, size_t *n, bool known)
{
    char **values = NULL;
    size_t n_values = 0;
    if (in->status == PK_OK)
        in->status = pk_results_read_texts(in->results, path, &values, &n_values, in->error);
    if (in->status == PK_OK && known && n_values != *n)
        in->status = pk_error_set(in->error, PK_BAD_INPUT, "%s has %zu values, expected %zu", path, n_values, *n);
    const char **copies = NULL;
    if (in->status == PK_OK) {
        copies = pk_arena_alloc(&in->sample->arena, n_values + 1, sizeof *copies);
        for (size_t i = 0; copies != NULL && i < n_values; i++)
            if ((copies[i] = pk_arena_text(&in->sample->arena, values[i])) == NULL)
                copies = NULL;
        if (copies == NULL)
            in->status = pk_error_set(in->error, PK_NO_MEMORY, "no memory to read the points");
        *n = n_values;
    }
    pk_free(values);
    return copies;
}

static void wrong_size(struct in *in, const char *path, size_t n, size_t expected)
{
    in->status = pk_error_set(in->error, PK_BAD_INPUT, "%s has %zu values, expected %zu", path, n, expected);
}

static double *get_doubles(struct in *in, const char *path, size_t n)
{
    double *values = NULL, *copy = NULL;
    size_t n_values = 0, extent[PK_RESULTS_DIMS_MAX], n_dims;
    if (in->status == PK_OK)
        in->status = pk_results_read_doubles(in->results, path, &values, &n_values, extent, &n_dims, in->error);
    if (in->status == PK_OK && n_values != n)
        wrong_size(in, path, n_values, n);
    if (in->status == PK_OK) {
        copy = pk_arena_alloc(&in->sample->arena, n + 1, sizeof *copy);
        if (copy == NULL)
            in->status = pk_error_set(in->error, PK_NO_MEMORY, "no memory to read the points");
        else
            memcpy(copy, values, n * sizeof *copy);
    }
    pk_free(values);
    return copy;
}

/* SIZE_MAX: any number, which is told. */
static int64_t *get_integers(struct in *in, const char *path, size_t *n, bool known)
{
    int64_t *values = NULL, *copy = NULL;
    size_t n_values = 0, extent[PK_RESULTS_DIMS_MAX], n_dims;
    if (in->status == PK_OK)
        in->status = pk_results_read_integers(in->results, path, &values, &n_values, extent, &n_dims, in->error);
    if (in->status == PK_OK && known && n_values != *n)
        wrong_size(in, path, n_values, *n);
    if (in->status == PK_OK) {
        *n = n_values;
        copy = pk_arena_alloc(&in->sample->arena, n_values + 1, sizeof *copy);
        if (copy == NULL)
            in->status = pk_error_set(in->error, PK_NO_MEMORY, "no memory to read the points");
        else
            memcpy(copy, values, n_values * sizeof *copy);
    }
    pk_free(values);
    return copy;
}

static void check_each(struct in *in, const char *what, const int64_t *values, size_t n, int64_t high)
{
    for (size_t i = 0; in->status == PK_OK && i < n; i++)
        if (values[i] < 0 || values[i] > high)
            in->status = pk_error_set(in->error, PK_BAD_INPUT, "%s is %lld, expected 0 to %lld", what,
                                      (long long)values[i], (long long)high);
}

static void get_factors(struct in *in)
{
    struct pk_sample *sample = in->sample;
    size_t n = 0, n_levels = 0, n_taken = 0, n_quantities = 0;
    const char **names = get_texts(in, "/factors/factor", &n, false);
    const char **units = get_texts(in, "/factors/unit", &n, true),
               **kinds = get_texts(in, "/factors/source_kind", &n, true),
               **sources = get_texts(in, "/factors/source", &n, true),
               **told = get_texts(in, "/factors/told", &n, true);
    const int64_t *kind = get_integers(in, "/factors/kind", &n, true),
                  *group = get_integers(in, "/factors/group", &n, true),
                  *first = get_integers(in, "/factors/first_quantity", &n, true),
                  *own = get_integers(in, "/factors/n_quantities", &n, true),
                  *levels = get_integers(in, "/factors/n_levels", &n, true),
                  *n_free = get_integers(in, "/factors/n_free", &n, true);
    const double *base = get_doubles(in, "/factors/base", n);
    if (in->status != PK_OK)
        return;
    check_each(in, "kind", kind, n, 2);
    check_each(in, "group", group, n, (int64_t)sample->n_groups - 1);
    check_each(in, "n_levels", levels, n, PK_MAX_LEVELS);
    check_each(in, "n_quantities", own, n, 1 << 16);
    for (size_t f = 0; f < n && in->status == PK_OK; f++)
        check_each(in, "n_free", &n_free[f], 1, own[f]);
    if (in->status == PK_OK && n == 0)
        in->status = pk_error_set(in->error, PK_BAD_INPUT, "has no factors");
    for (size_t f = 0; f < n && in->status == PK_OK; f++) {
        const bool levels_needed = kind[f] == PK_FACTOR_CHOICE || pk_method_is_grid(sample->method);
        if ((kind[f] != PK_FACTOR_SET && own[f] != 1) || (levels_needed && levels[f] == 0))
            in->status = pk_error_set(in->error, PK_BAD_INPUT, "the factor %s has %lld quantities and %lld levels",
                                      names[f], (long long)own[f], (long long)levels[f]);
        else if (first[f] != (int64_t)n_quantities)
            in->status = pk_error_set(in->error, PK_BAD_INPUT, "first_quantity does not add up");
        n_quantities += (size_t)own[f];
        n_levels += (size_t)levels[f];
    }
    if (in->status == PK_OK && n_quantities != sample->n_quantities)
        in->status = pk_error_set(in->error, PK_BAD_INPUT, "the factors have %zu quantities, expected %zu",
                                  n_quantities, sample->n_quantities);
    const char **level_names = n_levels > 0 ? get_texts(in, "/levels/name", &n_levels, true) : NULL;
    const double *level_values = n_levels > 0 ? get_doubles(in, "/levels/value", n_levels) : NULL;
    sample->factors = pk_arena_alloc(&sample->arena, n + 1, sizeof *sample->factors);
    if (sample->factors == NULL && in->status == PK_OK)
        in->status = pk_error_set(in->error, PK_NO_MEMORY, "no memory to read the points");
    sample->n_factors = n;
    for (size_t f = 0; f < n && in->status == PK_OK; f++) {
        sample->factors[f] = (struct pk_sample_factor){.name = names[f],
                                                       .unit = units[f],
                                                       .source_kind = kinds[f],
                                                       .source = sources[f],
                                                       .told = told[f],
                                                       .kind = (enum pk_factor_kind)kind[f],
                                                       .first_quantity = (size_t)first[f],
                                                       .n_quantities = (size_t)own[f],
                                                       .n_free = (size_t)n_free[f],
                                                       .i_group = (size_t)group[f],
                                                       .n_levels = (size_t)levels[f],
                                                       .base = base[f]};
        if (levels[f] > 0) {
            sample->factors[f].levels = level_values + n_taken;
            sample->factors[f].level_names = (const char *const *)level_names + n_taken;
        }
        n_taken += (size_t)levels[f];
    }
}

/* A level that a point is said to be at is one of its factor's. */
static bool is_level(const struct pk_sample *sample, uint32_t factor, uint32_t level)
{
    return factor < sample->n_factors && level < sample->factors[factor].n_levels;
}

/* Marks and values name factors, groups, levels and options that there are. */
static void check_points(struct in *in)
{
    const struct pk_sample *sample = in->sample;
    const size_t n_movable = pk_method_is_grid(sample->method) ? sample->n_factors : sample->n_groups;
    for (size_t i = 0; i < sample->n && in->status == PK_OK; i++) {
        const struct pk_design_mark *mark = &sample->marks[i];
        bool good = (mark->factor < n_movable || mark->factor == PK_DESIGN_NONE) &&
                    (mark->other < n_movable || mark->other == PK_DESIGN_NONE);
        if (mark->part == PK_DESIGN_LEVEL && sample->method != PK_METHOD_FACTORIAL)
            good &= is_level(sample, mark->factor, mark->level) &&
                    (sample->method != PK_METHOD_TWO_WAY || is_level(sample, mark->other, mark->other_level));
        for (size_t f = 0; f < sample->n_factors; f++) {
            const struct pk_sample_factor *factor = &sample->factors[f];
            const double x = sample->x[i * sample->n_quantities + factor->first_quantity];
            good &= factor->kind != PK_FACTOR_CHOICE || (x >= 0 && x < (double)factor->n_levels);
        }
        if (!good)
            in->status = pk_error_set(in->error, PK_BAD_INPUT, "point %zu is at no level of a factor", i);
    }
}

static void get_points(struct in *in)
{
    struct pk_sample *sample = in->sample;
    const size_t n = sample->n;
    size_t n_marks = n, n_figures = sample->n_figures;
    const char **names = get_texts(in, "/points/figure", &n_figures, true),
               **labels = get_texts(in, "/points/figure_label", &n_figures, true),
               **units = get_texts(in, "/points/figure_unit", &n_figures, true);
    sample->marks = pk_arena_alloc(&sample->arena, n + 1, sizeof *sample->marks);
    sample->figures = pk_arena_alloc(&sample->arena, n_figures + 1, sizeof *sample->figures);
    if (in->status == PK_OK && (sample->marks == NULL || sample->figures == NULL))
        in->status = pk_error_set(in->error, PK_NO_MEMORY, "no memory to read the points");
    for (size_t k = 0; k < n_figures && in->status == PK_OK; k++)
        sample->figures[k] = (struct pk_sample_figure){.name = names[k], .label = labels[k], .unit = units[k]};
    for (size_t m = 0; m < PK_SAMPLE_MARKS && in->status == PK_OK; m++) {
        char path[64];
        snprintf(path, sizeof path, "/points/%s", pk_sample_mark_names[m]);
        const int64_t *values = get_integers(in, path, &n_marks, true);
        for (size_t i = 0; values != NULL && i < n; i++) {
            if ((m == 0 && values[i] < 0) || values[i] < -1 ||
                values[i] > (m == 0 ? PK_DESIGN_LEVEL : PK_DESIGN_POINTS_MAX)) {
                in->status = pk_error_set(in->error, PK_BAD_INPUT, "%s is %lld at point %zu", pk_sample_mark_names[m],
                                          (long long)values[i], i);
                return;
            }
            put_mark(&sample->marks[i], m, values[i]);
        }
    }
    const int64_t *keys = get_integers(in, "/points/key", &n_marks, true);
    sample->keys = pk_arena_alloc(&sample->arena, n + 1, sizeof *sample->keys);
    if (in->status == PK_OK && sample->keys == NULL)
        in->status = pk_error_set(in->error, PK_NO_MEMORY, "no memory to read the points");
    if (in->status == PK_OK)
        memcpy(sample->keys, keys, n * sizeof *sample->keys);
    sample->x = get_doubles(in, "/points/x", n * sample->n_quantities);
    sample->y = get_doubles(in, "/points/y", n * sample->n_figures);
    sample->errors = get_doubles(in, "/points/y_se", n * sample->n_figures);
    check_points(in);
}

static size_t *to_sizes(struct in *in, const int64_t *values, size_t n)
{
    size_t *sizes = pk_arena_alloc(&in->sample->arena, n + 1, sizeof *sizes);
    if (sizes == NULL && in->status == PK_OK)
        in->status = pk_error_set(in->error, PK_NO_MEMORY, "no memory to read the points");
    for (size_t i = 0; sizes != NULL && values != NULL && i < n; i++)
        sizes[i] = (size_t)values[i];
    return sizes;
}

static void get_decision(struct in *in)
{
    struct pk_sample *sample = in->sample;
    struct pk_sample_decision *d = &sample->decision;
    size_t n = 0, n_thresholds = 0, extent[PK_RESULTS_DIMS_MAX], n_dims;
    double *ignored = NULL;
    const char **options = get_texts(in, "/decision/option", &n, false);
    const int64_t *effects = get_integers(in, "/decision/effect", &n, true),
                  *costs = get_integers(in, "/decision/cost", &n, true);
    if (in->status == PK_OK) {
        check_each(in, "effect", effects, n, (int64_t)sample->n_figures - 1);
        check_each(in, "cost", costs, n, (int64_t)sample->n_figures - 1);
    }
    d->effect_label = get_text(in, "/decision", "effect_label");
    if (in->status == PK_OK)
        in->status = pk_results_read_doubles(in->results, "/decision/threshold", &ignored, &n_thresholds, extent,
                                             &n_dims, in->error);
    pk_free(ignored);
    d->thresholds = get_doubles(in, "/decision/threshold", n_thresholds);
    if (in->status == PK_OK && (n < 2 || n > PK_MAX_ARMS || n_thresholds == 0 || n_thresholds > PK_MAX_THRESHOLDS))
        in->status =
            pk_error_set(in->error, PK_BAD_INPUT, "the decision has %zu options and %zu thresholds", n, n_thresholds);
    if (in->status == PK_OK)
        in->status =
            pk_results_read_number(in->results, "/decision", "persons_per_year", &d->persons_per_year, in->error);
    if (in->status == PK_OK)
        in->status = pk_results_read_number(in->results, "/decision", "years", &d->years, in->error);
    if (in->status == PK_OK)
        in->status = pk_results_read_number(in->results, "/decision", "discount", &d->discount, in->error);
    d->options = (const char *const *)options;
    d->effects = to_sizes(in, effects, n);
    d->costs = to_sizes(in, costs, n);
    d->n_thresholds = n_thresholds;
    d->n_options = in->status == PK_OK ? n : 0;
    if (in->status == PK_OK && pk_results_has(in->results, "/decision/question")) {
        size_t n_questions = 0;
        const char **names = get_texts(in, "/decision/question", &n_questions, false);
        size_t n_asks = n_questions * sample->n_factors;
        const int64_t *asks = get_integers(in, "/decision/asks", &n_asks, true);
        bool *flags = pk_arena_alloc(&sample->arena, n_asks + 1, sizeof *flags);
        if (flags == NULL && in->status == PK_OK)
            in->status = pk_error_set(in->error, PK_NO_MEMORY, "no memory to read the points");
        for (size_t i = 0; in->status == PK_OK && i < n_asks; i++)
            flags[i] = asks[i] != 0;
        d->questions = (const char *const *)names;
        d->asks = flags;
        d->n_questions = in->status == PK_OK ? n_questions : 0;
    }
}

static void get_root(struct in *in)
{
    struct pk_sample *sample = in->sample;
    size_t n_points = 0;
    sample->study = get_text(in, "/", "swept");
    sample->title = get_text(in, "/", "title");
    sample->scenario_file = get_text(in, "/", "scenario");
    const char *method = get_text(in, "/", "method");
    sample->method = PK_METHOD_COUNT;
    for (enum pk_method m = 0; method != NULL && m < PK_METHOD_COUNT; m++)
        if (strcmp(method, pk_method_names[m]) == 0)
            sample->method = m;
    if (in->status == PK_OK && sample->method == PK_METHOD_COUNT)
        in->status = pk_error_set(in->error, PK_BAD_INPUT, "the method %s is not known", method);
    sample->identity = get_hash(in, "identity");
    sample->seed = get_hash(in, "seed");
    sample->n_draws = get_integer(in, "/", "draws", 0, 1 << 24);
    sample->n_levels = get_integer(in, "/", "levels", 0, 1 << 16);
    sample->replications = get_integer(in, "/", "replications", 0, 1 << 24);
    sample->second_order = get_integer(in, "/", "second_order", 0, 1) == 1;
    sample->independent = get_integer(in, "/", "independent", 0, 1) == 1;
    sample->n_all = (size_t)get_integer(in, "/", "points_in_design", 0, 1 << 24);
    sample->first = (size_t)get_integer(in, "/", "first_point", 0, 1 << 24);
    sample->groups = get_texts(in, "/groups/group", &sample->n_groups, false);
    sample->quantities = get_texts(in, "/points/quantity", &sample->n_quantities, false);
    const char **figures = get_texts(in, "/points/figure", &sample->n_figures, false);
    (void)figures;
    sample->n_named = (size_t)get_integer(in, "/", "named_figures", 0, (int64_t)sample->n_figures);
    (void)get_integers(in, "/points/point", &n_points, false);
    sample->n = n_points;
    if (in->status == PK_OK && sample->first + sample->n > sample->n_all)
        in->status = pk_error_set(in->error, PK_BAD_INPUT, "has points %zu to %zu of %zu", sample->first,
                                  sample->first + sample->n, sample->n_all);
    sample->study_text = get_text(in, "/provenance", "study_text");
    sample->marks_of_studies = get_text(in, "/provenance", "marks");
    sample->documents_warn = get_text(in, "/provenance", "documents_warn");
}

enum pk_status pk_sample_read(struct pk_sample *sample, const char *path, struct pk_error *error)
{
    struct in in = {.sample = sample, .error = error};
    memset(sample, 0, sizeof *sample);
    pk_arena_init(&sample->arena);
    in.status = pk_results_open(path, &in.results, error);
    if (in.status == PK_OK && !pk_results_has(in.results, "/points"))
        in.status = pk_error_set(error, PK_BAD_INPUT, "holds no points of a sweep");
    if (in.status == PK_OK) {
        get_root(&in);
        get_factors(&in);
        get_points(&in);
        if (in.status == PK_OK && pk_results_has(in.results, "/decision"))
            get_decision(&in);
    }
    const uint64_t digest = get_hash(&in, "digest");
    if (in.status == PK_OK && digest != pk_sample_sum(sample))
        in.status = pk_error_set(error, PK_BAD_INPUT, "is damaged: its numbers do not add up to its digest");
    pk_results_close(in.results);
    if (in.status != PK_OK) {
        if (error != NULL && error->file[0] == '\0')
            snprintf(error->file, sizeof error->file, "%.255s", path);
        pk_sample_free(sample);
    }
    return in.status;
}
