/* Comparing the arms of a result file: reading and figures. See compare.h; printing: compare_print.c. */
#include "polku/compare.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "polku/memory.h"

/* ---- figures ------------------------------------------------------------------------------------------------ */

static const double *series(const struct pk_compare_set *set, size_t i_arm, size_t i_outcome)
{
    return set->values + i_arm * set->n_outcomes + i_outcome;
}

static struct pk_mean scaled(struct pk_mean mean, double scale)
{
    return (struct pk_mean){.mean = mean.mean * scale, .standard_error = mean.standard_error * scale};
}

/* The mean per person of y - x (x may be NULL); units without people count for nothing. */
static struct pk_mean mean_of(const struct pk_compare_set *set, const double *y, const double *x)
{
    size_t stride = set->n_arms * set->n_outcomes;
    struct pk_moments moments = {.batches = (double)set->n_units};
    for (size_t u = 0; u < set->n_units; u++) {
        double value = y[u * stride] - (x ? x[u * stride] : 0), n = set->persons[u];
        moments.n += n;
        moments.nn += n * n;
        moments.y += value;
        moments.yy += value * value;
        moments.ny += n * value;
    }
    return scaled(pk_stats_moments_mean(&moments), set->scale);
}

struct pk_mean pk_compare_arm(const struct pk_compare_set *set, size_t i_arm, size_t i_outcome)
{
    return mean_of(set, series(set, i_arm, i_outcome), NULL);
}

struct pk_mean pk_compare_difference(const struct pk_compare_set *set, struct pk_compare_pair pair, size_t i_outcome)
{
    return mean_of(set, series(set, pair.i_arm, i_outcome), series(set, pair.i_against, i_outcome));
}

struct pk_mean pk_compare_share(const struct pk_compare_set *set, struct pk_compare_pair pair, size_t i_outcome)
{
    return pk_stats_batch_ratio(series(set, pair.i_against, i_outcome), series(set, pair.i_arm, i_outcome),
                                set->n_units, set->n_arms * set->n_outcomes);
}

double pk_compare_spread(const struct pk_compare_set *set, size_t i_arm, size_t i_outcome)
{
    return pk_stats_standard_deviation(series(set, i_arm, i_outcome), set->n_units, set->n_arms * set->n_outcomes);
}

struct pk_mean pk_compare_euros(const struct pk_compare_set *set, struct pk_compare_pair pair, size_t i_outcome)
{
    struct pk_mean difference = pk_compare_difference(set, pair, i_outcome);
    double cost = (set->costs[pair.i_arm] - set->costs[pair.i_against]) * set->scale;
    if (!(difference.mean > 0) || !(difference.mean - PK_NORMAL_95 * difference.standard_error > 0))
        return (struct pk_mean){.mean = (double)NAN, .standard_error = (double)NAN};
    double euros = cost / difference.mean;
    return (struct pk_mean){.mean = euros, .standard_error = fabs(euros) * difference.standard_error / difference.mean};
}

bool pk_compare_euros_range(const struct pk_comparison *comparison, struct pk_compare_pair pair, size_t i_outcome,
                            double *low, double *high)
{
    bool any = false;
    *low = *high = pk_compare_euros(&comparison->main, pair, i_outcome).mean;
    for (size_t v = 0; v < comparison->n_variants; v++) {
        if (strcmp(comparison->variant_topics[v], "range") != 0)
            continue;
        double euros = pk_compare_euros(&comparison->variants[v], pair, i_outcome).mean;
        any = true;
        *low = euros < *low ? euros : *low;
        *high = isnan(euros) || euros > *high ? euros : *high; /* once not meaningful, the high end stays so */
    }
    return any;
}

bool pk_compare_range(const struct pk_comparison *comparison, struct pk_compare_pair pair, size_t i_outcome,
                      double *low, double *high)
{
    bool any = false;
    *low = *high = pk_compare_difference(&comparison->main, pair, i_outcome).mean;
    for (size_t v = 0; v < comparison->n_variants; v++) {
        if (strcmp(comparison->variant_topics[v], "range") != 0)
            continue;
        double mean = pk_compare_difference(&comparison->variants[v], pair, i_outcome).mean;
        if (isnan(mean))
            continue;
        any = true;
        *low = mean < *low ? mean : *low;
        *high = mean > *high ? mean : *high;
    }
    return any;
}

/* ---- reading ------------------------------------------------------------------------------------------------ */

struct reading {
    struct pk_comparison *comparison;
    struct pk_results *results;
    struct pk_error *error;
    enum pk_status status;
};

static void keep(struct reading *reading, void *block)
{
    struct pk_comparison *c = reading->comparison;
    if (c->n_blocks == c->room_blocks) {
        void **grown = pk_realloc(c->blocks, c->room_blocks + 64, sizeof *grown);
        if (grown == NULL) {
            pk_free(block);
            if (reading->status == PK_OK)
                reading->status = pk_error_set(reading->error, PK_NO_MEMORY, "no memory to read the results");
            return;
        }
        c->blocks = grown;
        c->room_blocks += 64;
    }
    c->blocks[c->n_blocks++] = block;
}

static char *text_of(struct reading *reading, const char *group, const char *name, bool needed)
{
    char *text = NULL;
    struct pk_error ignored;
    if (reading->status != PK_OK)
        return NULL;
    enum pk_status status =
        pk_results_read_text(reading->results, group, name, &text, needed ? reading->error : &ignored);
    if (status != PK_OK) {
        if (needed)
            reading->status = status;
        return needed ? NULL : "";
    }
    keep(reading, text);
    return reading->status == PK_OK ? text : NULL;
}

static char **texts_of(struct reading *reading, const char *path, size_t n_expected)
{
    char **texts = NULL;
    size_t n;
    if (reading->status == PK_OK)
        reading->status = pk_results_read_texts(reading->results, path, &texts, &n, reading->error);
    if (reading->status != PK_OK)
        return NULL;
    keep(reading, texts);
    if (n_expected != SIZE_MAX && n != n_expected)
        reading->status =
            pk_error_set(reading->error, PK_BAD_INPUT, "%s has %zu texts, expected %zu", path, n, n_expected);
    return reading->status == PK_OK ? texts : NULL;
}

static double *doubles_of(struct reading *reading, const char *path, size_t n_expected)
{
    double *values = NULL;
    size_t n, extent[PK_RESULTS_DIMS_MAX], n_dims;
    if (reading->status == PK_OK)
        reading->status = pk_results_read_doubles(reading->results, path, &values, &n, extent, &n_dims, reading->error);
    if (reading->status != PK_OK)
        return NULL;
    keep(reading, values);
    if (n_expected != SIZE_MAX && n != n_expected)
        reading->status =
            pk_error_set(reading->error, PK_BAD_INPUT, "%s has %zu numbers, expected %zu", path, n, n_expected);
    return reading->status == PK_OK ? values : NULL;
}

static size_t length_of(struct reading *reading, const char *path)
{
    char **texts = NULL;
    size_t n = 0;
    if (reading->status == PK_OK)
        reading->status = pk_results_read_texts(reading->results, path, &texts, &n, reading->error);
    if (reading->status == PK_OK)
        keep(reading, texts);
    return n;
}

static void read_main(struct reading *reading, size_t language)
{
    static const char *const labels[] = {"label_fi", "label_sv", "label_en"};
    struct pk_comparison *c = reading->comparison;
    char path[64];
    c->n_arms = length_of(reading, "/arms/arm");
    c->n_outcomes = length_of(reading, "/outcomes/outcome");
    c->n_parameters = length_of(reading, "/parameters/parameter");
    c->title = text_of(reading, "/", "title", true);
    c->per_label = text_of(reading, "/outcomes", "per_label", true);
    c->raw_heading = text_of(reading, "/outcomes", "raw_heading", false);
    c->raw = text_of(reading, "/outcomes", "raw", false);
    c->documents_warn = text_of(reading, "/provenance", "documents_warn", false);
    c->warnings = text_of(reading, "/provenance", "warnings", false);
    c->arm_names = texts_of(reading, "/arms/arm", c->n_arms);
    snprintf(path, sizeof path, "/arms/%s", labels[language]);
    c->arm_labels = texts_of(reading, path, c->n_arms);
    c->arm_notes = texts_of(reading, "/arms/note", c->n_arms);
    c->arm_assumes = texts_of(reading, "/arms/assumes", c->n_arms);
    c->enrolled = doubles_of(reading, "/arms/enrolled", c->n_arms);
    c->changed = doubles_of(reading, "/arms/changed", c->n_arms);
    c->outcome_names = texts_of(reading, "/outcomes/outcome", c->n_outcomes);
    snprintf(path, sizeof path, "/outcomes/%s", labels[language]);
    c->outcome_labels = texts_of(reading, path, c->n_outcomes);
    c->outcome_units = texts_of(reading, "/outcomes/unit_of_measure", c->n_outcomes);
    c->measures = texts_of(reading, "/outcomes/measure", c->n_outcomes);
    c->flags = doubles_of(reading, "/outcomes/flags", c->n_outcomes);
    c->parameter_names = texts_of(reading, "/parameters/parameter", c->n_parameters);
    c->parameter_kinds = texts_of(reading, "/parameters/source_kind", c->n_parameters);
}

static void read_sets(struct reading *reading)
{
    struct pk_comparison *c = reading->comparison;
    double per_persons = 0, *n_units_axis = NULL, batches = 1;
    size_t n_units = 0, extent[PK_RESULTS_DIMS_MAX], n_dims, n_populations = length_of(reading, "/outcomes/population");
    if (reading->status == PK_OK)
        reading->status = pk_results_read_doubles(reading->results, "/outcomes/replication", &n_units_axis, &n_units,
                                                  extent, &n_dims, reading->error);
    if (reading->status == PK_OK)
        keep(reading, n_units_axis);
    if (reading->status == PK_OK)
        reading->status =
            pk_results_read_number(reading->results, "/outcomes", "per_persons", &per_persons, reading->error);
    if (reading->status == PK_OK)
        reading->status =
            pk_results_read_number(reading->results, "/", "batches_per_replication", &batches, reading->error);
    if (reading->status == PK_OK)
        reading->status =
            pk_results_read_number(reading->results, "/", "replications", &c->replications, reading->error);
    size_t n_each = n_units * c->n_arms * c->n_outcomes;
    double *values = doubles_of(reading, "/outcomes/value", n_populations * n_each);
    double *persons = doubles_of(reading, "/outcomes/persons", n_populations * n_units);
    double *costs = doubles_of(reading, "/arms/cost_per_person", c->n_arms);
    if (reading->status != PK_OK)
        return;
    c->whole_cohort = n_populations == 2; /* arms that enrol different people are compared on everyone */
    c->replicated = batches == 1 && n_units > 1;
    size_t i_population = c->whole_cohort ? 1 : 0;
    c->main = (struct pk_compare_set){.n_units = n_units,
                                      .n_arms = c->n_arms,
                                      .n_outcomes = c->n_outcomes,
                                      .values = values + i_population * n_each,
                                      .persons = persons + i_population * n_units,
                                      .costs = costs};
    double sum = 0;
    for (size_t u = 0; u < n_units; u++)
        sum += c->main.persons[u];
    c->main.scale = per_persons > 0 ? per_persons : sum / c->replications;
    if (!pk_results_has(reading->results, "/variants/variant"))
        return;
    c->n_variants = length_of(reading, "/variants/variant");
    c->variant_topics = texts_of(reading, "/variants/topic", c->n_variants);
    c->variant_names = texts_of(reading, "/variants/name", c->n_variants);
    c->variant_changed = texts_of(reading, "/variants/changed", c->n_variants);
    c->variant_warnings = texts_of(reading, "/variants/warning", c->n_variants);
    double *all = doubles_of(reading, "/variants/value", SIZE_MAX);
    double *units = NULL;
    size_t n_variant_units = 0;
    if (reading->status == PK_OK)
        reading->status = pk_results_read_doubles(reading->results, "/variants/replication", &units, &n_variant_units,
                                                  extent, &n_dims, reading->error);
    if (reading->status == PK_OK)
        keep(reading, units);
    double *all_persons = doubles_of(reading, "/variants/persons", c->n_variants * n_variant_units);
    double *all_costs = doubles_of(reading, "/variants/cost_per_person", c->n_variants * c->n_arms);
    if (reading->status != PK_OK)
        return;
    c->variants = pk_alloc(c->n_variants, sizeof *c->variants);
    if (c->variants == NULL) {
        reading->status = pk_error_set(reading->error, PK_NO_MEMORY, "no memory to read the results");
        return;
    }
    keep(reading, c->variants);
    for (size_t v = 0; v < c->n_variants; v++)
        c->variants[v] = (struct pk_compare_set){.n_units = n_variant_units,
                                                 .n_arms = c->n_arms,
                                                 .n_outcomes = c->n_outcomes,
                                                 .values = all + v * n_variant_units * c->n_arms * c->n_outcomes,
                                                 .persons = all_persons + v * n_variant_units,
                                                 .costs = all_costs + v * c->n_arms,
                                                 .scale = c->main.scale};
}

static void choose_pairs(struct reading *reading, const char *against)
{
    struct pk_comparison *c = reading->comparison;
    size_t i_against = SIZE_MAX;
    for (size_t a = 0; against != NULL && a < c->n_arms; a++)
        if (strcmp(c->arm_names[a], against) == 0)
            i_against = a;
    if (against != NULL && i_against == SIZE_MAX) {
        reading->status = pk_error_set(reading->error, PK_BAD_INPUT, "no arm is called \"%s\"", against);
        const char *nearest = pk_text_nearest(against, (const char *const *)c->arm_names, c->n_arms);
        if (nearest != NULL && reading->error != NULL)
            snprintf(reading->error->hint, sizeof reading->error->hint, "did you mean \"%s\"?", nearest);
        return;
    }
    for (size_t b = 0; b < c->n_arms; b++) /* every arm against the ones before it, the first arm first */
        for (size_t a = b + 1; a < c->n_arms && against == NULL; a++)
            if (c->n_pairs < PK_COMPARE_MAX_PAIRS)
                c->pairs[c->n_pairs++] = (struct pk_compare_pair){.i_arm = a, .i_against = b};
    for (size_t a = 0; a < c->n_arms && against != NULL; a++)
        if (a != i_against)
            c->pairs[c->n_pairs++] = (struct pk_compare_pair){.i_arm = a, .i_against = i_against};
}

enum pk_status pk_comparison_open(struct pk_comparison *comparison, const char *path, const char *against,
                                  size_t language, struct pk_error *error)
{
    memset(comparison, 0, sizeof *comparison);
    struct reading reading = {.comparison = comparison, .error = error};
    reading.status = pk_results_open(path, &reading.results, error);
    if (reading.status != PK_OK)
        return reading.status;
    if (!pk_results_has(reading.results, "/outcomes/value"))
        reading.status = pk_error_set(error, PK_BAD_INPUT, "the result holds no outcomes: the scenario named none");
    if (reading.status == PK_OK)
        read_main(&reading, language);
    if (reading.status == PK_OK)
        read_sets(&reading);
    if (reading.status == PK_OK)
        choose_pairs(&reading, against);
    if (reading.status != PK_OK && error != NULL && error->file[0] == '\0')
        snprintf(error->file, sizeof error->file, "%s", path);
    pk_results_close(reading.results);
    if (reading.status != PK_OK)
        pk_comparison_free(comparison);
    return reading.status;
}

void pk_comparison_free(struct pk_comparison *comparison)
{
    if (comparison == NULL)
        return;
    for (size_t i = 0; i < comparison->n_blocks; i++)
        pk_free(comparison->blocks[i]);
    pk_free(comparison->blocks);
    memset(comparison, 0, sizeof *comparison);
}
