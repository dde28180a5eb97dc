/* Reading what is compared from a result file. See compare.h; histograms and preventions: compare_lives.c. */
#include <stdio.h>
#include <string.h>

#include "compare_private.h"
#include "polku/memory.h"
#include "polku/scenario.h"

void pk_compare_keep(struct pk_compare_reading *reading, void *block)
{
    struct pk_comparison *c = reading->comparison;
    if (block == NULL || c->n_blocks == c->room_blocks) {
        void **grown = block == NULL ? NULL : pk_realloc(c->blocks, c->room_blocks + 64, sizeof *grown);
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

char *pk_compare_text_of(struct pk_compare_reading *reading, const char *group, const char *name, bool needed)
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
    pk_compare_keep(reading, text);
    return reading->status == PK_OK ? text : NULL;
}

char **pk_compare_texts_of(struct pk_compare_reading *reading, const char *path, size_t n_expected)
{
    char **texts = NULL;
    size_t n;
    if (reading->status == PK_OK)
        reading->status = pk_results_read_texts(reading->results, path, &texts, &n, reading->error);
    if (reading->status != PK_OK)
        return NULL;
    pk_compare_keep(reading, texts);
    if (n_expected != SIZE_MAX && n != n_expected)
        reading->status =
            pk_error_set(reading->error, PK_BAD_INPUT, "%s has %zu texts, expected %zu", path, n, n_expected);
    return reading->status == PK_OK ? texts : NULL;
}

double *pk_compare_doubles_of(struct pk_compare_reading *reading, const char *path, size_t n_expected)
{
    double *values = NULL;
    size_t n, extent[PK_RESULTS_DIMS_MAX], n_dims;
    if (reading->status == PK_OK)
        reading->status = pk_results_read_doubles(reading->results, path, &values, &n, extent, &n_dims, reading->error);
    if (reading->status != PK_OK)
        return NULL;
    pk_compare_keep(reading, values);
    if (n_expected != SIZE_MAX && n != n_expected)
        reading->status =
            pk_error_set(reading->error, PK_BAD_INPUT, "%s has %zu numbers, expected %zu", path, n, n_expected);
    return reading->status == PK_OK ? values : NULL;
}

size_t pk_compare_length_of(struct pk_compare_reading *reading, const char *path)
{
    char **texts = NULL;
    size_t n = 0;
    if (reading->status == PK_OK)
        reading->status = pk_results_read_texts(reading->results, path, &texts, &n, reading->error);
    if (reading->status == PK_OK)
        pk_compare_keep(reading, texts);
    return n;
}

static void read_main(struct pk_compare_reading *reading, size_t language)
{
    static const char *const labels[] = {"label_fi", "label_sv", "label_en"};
    struct pk_comparison *c = reading->comparison;
    char path[64];
    c->n_arms = pk_compare_length_of(reading, "/arms/arm");
    c->n_outcomes = pk_compare_length_of(reading, "/outcomes/outcome");
    c->n_parameters = pk_compare_length_of(reading, "/parameters/parameter");
    c->title = pk_compare_text_of(reading, "/", "title", true);
    c->per_label = pk_compare_text_of(reading, "/outcomes", "per_label", true);
    c->raw_heading = pk_compare_text_of(reading, "/outcomes", "raw_heading", false);
    c->raw = pk_compare_text_of(reading, "/outcomes", "raw", false);
    c->documents_warn = pk_compare_text_of(reading, "/provenance", "documents_warn", false);
    c->warnings = pk_compare_text_of(reading, "/provenance", "warnings", false);
    c->arm_names = pk_compare_texts_of(reading, "/arms/arm", c->n_arms);
    snprintf(path, sizeof path, "/arms/%s", labels[language]);
    c->arm_labels = pk_compare_texts_of(reading, path, c->n_arms);
    c->arm_notes = pk_compare_texts_of(reading, "/arms/note", c->n_arms);
    c->arm_assumes = pk_compare_texts_of(reading, "/arms/assumes", c->n_arms);
    c->enrolled = pk_compare_doubles_of(reading, "/arms/enrolled", c->n_arms);
    c->changed = pk_compare_doubles_of(reading, "/arms/changed", c->n_arms);
    c->outcome_names = pk_compare_texts_of(reading, "/outcomes/outcome", c->n_outcomes);
    snprintf(path, sizeof path, "/outcomes/%s", labels[language]);
    c->outcome_labels = pk_compare_texts_of(reading, path, c->n_outcomes);
    c->outcome_units = pk_compare_texts_of(reading, "/outcomes/unit_of_measure", c->n_outcomes);
    c->measures = pk_compare_texts_of(reading, "/outcomes/measure", c->n_outcomes);
    if (pk_results_has(reading->results, "/outcomes/about"))
        c->abouts = pk_compare_texts_of(reading, "/outcomes/about", c->n_outcomes);
    if (pk_results_has(reading->results, "/outcomes/payer")) {
        c->payers = pk_compare_texts_of(reading, "/outcomes/payer", c->n_outcomes);
        c->kinds = pk_compare_texts_of(reading, "/outcomes/kind", c->n_outcomes);
    }
    if (pk_results_has(reading->results, "/outcomes/displacement"))
        c->displacement = pk_compare_doubles_of(reading, "/outcomes/displacement", c->n_outcomes);
    c->flags = pk_compare_doubles_of(reading, "/outcomes/flags", c->n_outcomes);
    c->parameter_names = pk_compare_texts_of(reading, "/parameters/parameter", c->n_parameters);
    c->parameter_kinds = pk_compare_texts_of(reading, "/parameters/source_kind", c->n_parameters);
    if (pk_results_has(reading->results, "/parameters/in_use"))
        c->parameters_in_use = pk_compare_doubles_of(reading, "/parameters/in_use", c->n_parameters);
}

static bool is_ratio(const char *measure)
{
    bool found = false;
    for (enum pk_measure m = 0; m < PK_MEASURE_COUNT; m++)
        found |= pk_measure_is_ratio(m) && strcmp(measure, pk_measure_names[m]) == 0;
    return found;
}

static void read_calibrations(struct pk_compare_reading *reading)
{
    struct pk_comparison *c = reading->comparison;
    if (!pk_results_has(reading->results, "/calibrations/study"))
        return;
    const size_t n = pk_compare_length_of(reading, "/calibrations/study");
    c->studies = pk_compare_texts_of(reading, "/calibrations/study", n);
    c->study_digests = pk_compare_texts_of(reading, "/calibrations/study_digest", n);
    c->study_parameters = pk_compare_doubles_of(reading, "/calibrations/parameters", n);
    c->study_others = pk_compare_doubles_of(reading, "/calibrations/set_over", n);
    if (pk_results_has(reading->results, "/calibrations/mark_text")) {
        const size_t n_marks = pk_compare_length_of(reading, "/calibrations/mark_text");
        c->marks = pk_compare_texts_of(reading, "/calibrations/mark_text", n_marks);
        c->mark_studies = pk_compare_doubles_of(reading, "/calibrations/mark_calibration", n_marks);
        c->n_marks = n_marks;
    }
    c->n_calibrations = n;
}

static void read_sets(struct pk_compare_reading *reading)
{
    struct pk_comparison *c = reading->comparison;
    int64_t vary = 0, compared = 0;
    double per_persons = 0, *n_units_axis = NULL, batches = 1;
    size_t n_units = 0, extent[PK_RESULTS_DIMS_MAX], n_dims,
           n_populations = pk_compare_length_of(reading, "/outcomes/population");
    if (reading->status == PK_OK)
        reading->status = pk_results_read_doubles(reading->results, "/outcomes/replication", &n_units_axis, &n_units,
                                                  extent, &n_dims, reading->error);
    if (reading->status == PK_OK)
        pk_compare_keep(reading, n_units_axis);
    if (reading->status == PK_OK)
        reading->status =
            pk_results_read_number(reading->results, "/outcomes", "per_persons", &per_persons, reading->error);
    if (reading->status == PK_OK)
        reading->status =
            pk_results_read_number(reading->results, "/", "batches_per_replication", &batches, reading->error);
    if (reading->status == PK_OK)
        reading->status =
            pk_results_read_number(reading->results, "/", "replications", &c->replications, reading->error);
    if (reading->status == PK_OK)
        reading->status = pk_results_read_integer(reading->results, "/outcomes", "persons_vary", &vary, reading->error);
    if (reading->status == PK_OK)
        reading->status = pk_results_read_integer(reading->results, "/outcomes", "compared", &compared, reading->error);
    size_t n_each = n_units * c->n_arms * c->n_outcomes;
    double *values = pk_compare_doubles_of(reading, "/outcomes/value", n_populations * n_each);
    double *persons = pk_compare_doubles_of(reading, "/outcomes/persons", n_populations * n_units);
    double *costs = pk_compare_doubles_of(reading, "/arms/cost_per_person", c->n_arms);
    double *denominators = NULL, *ratios = NULL;
    if (pk_results_has(reading->results, "/outcomes/denominator")) {
        denominators = pk_compare_doubles_of(reading, "/outcomes/denominator", n_populations * n_each);
        ratios = pk_alloc(c->n_outcomes, sizeof *ratios);
        pk_compare_keep(reading, ratios);
    }
    if (reading->status != PK_OK)
        return;
    for (size_t i = 0; ratios != NULL && i < c->n_outcomes; i++)
        ratios[i] = is_ratio(c->measures[i]) || ((int)c->flags[i] & 16);
    c->whole_cohort = compared == 1 && n_populations == 2; /* else all arms are compared on everyone */
    c->replicated = batches == 1 && n_units > 1;
    size_t i_population = c->whole_cohort ? 1 : 0;
    c->main = (struct pk_compare_set){.n_units = n_units,
                                      .n_arms = c->n_arms,
                                      .n_outcomes = c->n_outcomes,
                                      .values = values + i_population * n_each,
                                      .denominators = denominators ? denominators + i_population * n_each : NULL,
                                      .ratios = ratios,
                                      .persons = persons + i_population * n_units,
                                      .costs = costs};
    double sum = 0;
    for (size_t u = 0; u < n_units; u++)
        sum += c->main.persons[u];
    if (per_persons > 0 && n_populations > 2) { /* arms enrol different people: the label's are not those told of */
        char *label = pk_alloc(64, 1);
        if (label != NULL) {
            snprintf(label, 64, "%.0f of all people", per_persons);
            pk_compare_keep(reading, label);
            c->per_label = label;
        }
    }
    c->main.scale = per_persons > 0 ? per_persons : sum / c->replications;
    c->main.vary = !(per_persons > 0) && ((uint64_t)vary >> i_population & 1);
    pk_compare_read_prices(reading, i_population, n_populations);
    pk_compare_read_lives(reading, i_population);
}

static void read_variants(struct pk_compare_reading *reading)
{
    struct pk_comparison *c = reading->comparison;
    size_t extent[PK_RESULTS_DIMS_MAX], n_dims;
    if (!pk_results_has(reading->results, "/variants/variant"))
        return;
    c->n_variants = pk_compare_length_of(reading, "/variants/variant");
    c->variant_topics = pk_compare_texts_of(reading, "/variants/topic", c->n_variants);
    c->variant_names = pk_compare_texts_of(reading, "/variants/name", c->n_variants);
    c->variant_changed = pk_compare_texts_of(reading, "/variants/changed", c->n_variants);
    c->variant_warnings = pk_compare_texts_of(reading, "/variants/warning", c->n_variants);
    double *units = NULL;
    size_t n_variant_units = 0;
    if (reading->status == PK_OK)
        reading->status = pk_results_read_doubles(reading->results, "/variants/replication", &units, &n_variant_units,
                                                  extent, &n_dims, reading->error);
    if (reading->status == PK_OK)
        pk_compare_keep(reading, units);
    const size_t n_variant = n_variant_units * c->n_arms * c->n_outcomes;
    double *all = pk_compare_doubles_of(reading, "/variants/value", c->n_variants * n_variant);
    double *all_denominators = pk_results_has(reading->results, "/variants/denominator")
                                   ? pk_compare_doubles_of(reading, "/variants/denominator", c->n_variants * n_variant)
                                   : NULL;
    double *all_persons = pk_compare_doubles_of(reading, "/variants/persons", c->n_variants * n_variant_units);
    double *all_costs = pk_compare_doubles_of(reading, "/variants/cost_per_person", c->n_variants * c->n_arms);
    if (reading->status != PK_OK)
        return;
    c->variants = pk_alloc(c->n_variants, sizeof *c->variants);
    if (c->variants == NULL) {
        reading->status = pk_error_set(reading->error, PK_NO_MEMORY, "no memory to read the results");
        return;
    }
    pk_compare_keep(reading, c->variants);
    for (size_t v = 0; v < c->n_variants; v++)
        c->variants[v] =
            (struct pk_compare_set){.n_units = n_variant_units,
                                    .n_arms = c->n_arms,
                                    .n_outcomes = c->n_outcomes,
                                    .values = all + v * n_variant,
                                    .denominators = all_denominators ? all_denominators + v * n_variant : NULL,
                                    .ratios = c->main.ratios,
                                    .persons = all_persons + v * n_variant_units,
                                    .costs = all_costs + v * c->n_arms,
                                    .scale = c->main.scale};
}

static void choose_pairs(struct pk_compare_reading *reading, const char *against)
{
    struct pk_comparison *c = reading->comparison;
    size_t i_against = SIZE_MAX;
    for (size_t a = 0; against != NULL && a < c->n_arms; a++)
        if (strcmp(c->arm_names[a], against) == 0)
            i_against = a;
    if (against != NULL && i_against == SIZE_MAX) {
        reading->status = pk_text_unknown(reading->error, "arm", against, (const char *const *)c->arm_names, c->n_arms);
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
    struct pk_compare_reading reading = {.comparison = comparison, .error = error};
    reading.status = pk_results_open(path, &reading.results, error);
    if (reading.status != PK_OK)
        return reading.status;
    if (!pk_results_has(reading.results, "/outcomes/value"))
        reading.status = pk_error_set(error, PK_BAD_INPUT, "the result holds no outcomes: the scenario named none");
    if (reading.status == PK_OK)
        read_main(&reading, language);
    if (reading.status == PK_OK)
        read_calibrations(&reading);
    if (reading.status == PK_OK)
        read_sets(&reading);
    if (reading.status == PK_OK)
        read_variants(&reading);
    pk_compare_read_places(&reading);
    pk_compare_read_bridge(&reading, language);
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
    pk_free(comparison->repriced);
    memset(comparison, 0, sizeof *comparison);
}
