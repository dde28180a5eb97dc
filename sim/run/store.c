/* A finished run into a result file. See store.h. */
#include "polku/store.h"

#include <math.h>
#include <sha2.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

#include "polku/provenance.h"
#include "polku/results.h"
#include "polku/text.h"

/* A file on its way; the first failure stays in status. */
struct out {
    struct pk_results *results;
    struct pk_error *error;
    enum pk_status status;
    SHA2_CTX digest;
    bool digesting;
};

static void digest_bytes(struct out *out, const char *group, const char *name, const void *bytes, size_t size)
{
    if (!out->digesting)
        return;
    uint64_t length = size;
    SHA256Update(&out->digest, (const uint8_t *)group, strlen(group) + 1);
    SHA256Update(&out->digest, (const uint8_t *)name, strlen(name) + 1);
    SHA256Update(&out->digest, (const uint8_t *)&length, sizeof length);
    SHA256Update(&out->digest, bytes, size);
}

static void put_text(struct out *out, const char *group, const char *name, const char *text)
{
    digest_bytes(out, group, name, text, strlen(text));
    if (out->status == PK_OK)
        out->status = pk_results_text(out->results, group, name, text, out->error);
}

static void put_long(struct out *out, const char *group, const char *name, const char *text, const char *long_name)
{
    digest_bytes(out, group, name, text, strlen(text));
    if (out->status == PK_OK)
        out->status = pk_results_long_text(out->results, group, name, text, long_name, out->error);
}

static void put_number(struct out *out, const char *group, const char *name, double value)
{
    digest_bytes(out, group, name, &value, sizeof value);
    if (out->status == PK_OK)
        out->status = pk_results_number(out->results, group, name, value, out->error);
}

static void put_integer(struct out *out, const char *group, const char *name, int64_t value)
{
    digest_bytes(out, group, name, &value, sizeof value);
    if (out->status == PK_OK)
        out->status = pk_results_integer(out->results, group, name, value, out->error);
}

static void axis_texts(struct out *out, const char *group, const char *name, size_t n, const char *const *labels,
                       const char *long_name)
{
    for (size_t i = 0; i < n; i++)
        digest_bytes(out, group, name, labels[i], strlen(labels[i]));
    if (out->status == PK_OK)
        out->status = pk_results_axis_texts(out->results, group, name, n, labels, long_name, out->error);
}

static void array_texts(struct out *out, const char *group, const char *name, const char *const *dims, size_t n_dims,
                        size_t n, const char *const *values, const char *long_name)
{
    struct pk_results_array array = {
        .group = group, .name = name, .n_dims = n_dims, .dims = dims, .long_name = long_name};
    for (size_t i = 0; i < n; i++)
        digest_bytes(out, group, name, values[i], strlen(values[i]));
    if (out->status == PK_OK)
        out->status = pk_results_texts(out->results, &array, values, out->error);
}

static void array_doubles(struct out *out, const char *group, const char *name, const char *const *dims, size_t n_dims,
                          size_t n, const double *values, const char *units, const char *long_name)
{
    struct pk_results_array array = {
        .group = group, .name = name, .n_dims = n_dims, .dims = dims, .units = units, .long_name = long_name};
    digest_bytes(out, group, name, values, n * sizeof *values);
    if (out->status == PK_OK)
        out->status = pk_results_doubles(out->results, &array, values, out->error);
}

static void array_integers(struct out *out, const char *group, const char *name, const char *const *dims, size_t n_dims,
                           size_t n, const int64_t *values, const char *units, const char *long_name)
{
    struct pk_results_array array = {
        .group = group, .name = name, .n_dims = n_dims, .dims = dims, .units = units, .long_name = long_name};
    digest_bytes(out, group, name, values, n * sizeof *values);
    if (out->status == PK_OK)
        out->status = pk_results_integers(out->results, &array, values, out->error);
}

static void *room(struct out *out, size_t n, size_t size)
{
    void *block = pk_alloc(n, size);
    if (block == NULL && out->status == PK_OK)
        out->status = pk_error_set(out->error, PK_NO_MEMORY, "no memory to write the results");
    return block;
}

/* Names of items that start with theirs. */
static const char **names_of(struct out *out, const void *items, size_t n, size_t size)
{
    const char **names = room(out, n, sizeof *names);
    for (size_t i = 0; names != NULL && i < n; i++)
        memcpy(&names[i], (const char *)items + i * size, sizeof names[i]);
    return names;
}

/* ---- tables ------------------------------------------------------------------------------------------------- */

static void table_axes(struct out *out, const struct pk_store *store, const char *group, const struct pk_table *table,
                       const struct pk_folded *folded, const char **dims, size_t *n_dims)
{
    const struct pk_model *model = store->model;
    const struct pk_plan *plan = store->plan;
    const char **arms = names_of(out, store->scenario->arms, store->scenario->n_arms, sizeof *store->scenario->arms);
    double *times = room(out, folded->n_columns, sizeof *times);
    *n_dims = 0;
    if (arms != NULL)
        axis_texts(out, group, dims[(*n_dims)++] = "arm", plan->n_arms, arms, "arm of the comparison");
    for (size_t a = 0; a < model->n_attributes; a++)
        if (table->by[a])
            axis_texts(out, group, dims[(*n_dims)++] = model->attributes[a].name, model->attributes[a].n_values,
                       model->attributes[a].values, model->attributes[a].label.in[2]);
    if (table->measure == PK_MEASURE_TRANSITIONS) {
        char (*labels)[160] = room(out, plan->n_arcs, sizeof *labels);
        const char **pointers = room(out, 3 * plan->n_arcs, sizeof *pointers);
        for (size_t i = 0; labels != NULL && pointers != NULL && i < plan->n_arcs; i++) {
            const struct pk_plan_arc *arc = &plan->arcs[i];
            pointers[plan->n_arcs + i] = model->states[arc->i_from].name;
            pointers[2 * plan->n_arcs + i] = model->states[arc->i_to].name;
            snprintf(labels[i], sizeof labels[i], "%s:%s>%s", model->transitions[arc->i_transition].name,
                     pointers[plan->n_arcs + i], pointers[2 * plan->n_arcs + i]);
            pointers[i] = labels[i];
        }
        if (pointers != NULL && labels != NULL) {
            const char *dim = "transition";
            axis_texts(out, group, dims[(*n_dims)++] = dim, plan->n_arcs, pointers, "transition");
            array_texts(out, group, "from_state", &dim, 1, plan->n_arcs, pointers + plan->n_arcs, "state left");
            array_texts(out, group, "to_state", &dim, 1, plan->n_arcs, pointers + 2 * plan->n_arcs, "state entered");
        }
        pk_free(labels);
        pk_free(pointers);
    } else {
        const char **states = names_of(out, model->states, model->n_states, sizeof *model->states);
        if (states != NULL)
            axis_texts(out, group, dims[(*n_dims)++] = "state", model->n_states, states, "state");
        pk_free(states);
    }
    for (size_t j = 0; times != NULL && j < folded->n_columns; j++)
        times[j] = (double)(j * (size_t)table->step_months) / 12;
    if (times != NULL) {
        const char *long_name = table->measure == PK_MEASURE_OCCUPANCY ? "time since the start"
                                                                       : "beginning of the step, since the start";
        digest_bytes(out, group, "time", times, folded->n_columns * sizeof *times);
        dims[(*n_dims)++] = "time";
        if (out->status == PK_OK)
            out->status = pk_results_axis_doubles(out->results, group, "time", folded->n_columns, times, "years",
                                                  long_name, out->error);
    }
    pk_free(times);
    pk_free(arms);
}

static void put_table(struct out *out, const struct pk_store *store, const struct pk_folded *folded)
{
    const struct pk_fold *fold = &store->run->fold;
    const struct pk_table *table = &store->scenario->tables[folded->i_table];
    static const char *const units[] = {"persons", "person-years", "events"};
    static const char *const long_names[] = {"persons in the state", "person-years in the state within the step",
                                             "events within the step"};
    const char *dims[PK_RESULTS_DIMS_MAX + PK_MAX_ATTRIBUTES], *measure = pk_measure_names[table->measure];
    char group[160], name[64], long_name[160];
    size_t n_dims, n_arms = store->plan->n_arms, n = n_arms * folded->n_cells;
    if (folded->i_population == 0)
        snprintf(group, sizeof group, "/%s", table->name);
    else
        snprintf(group, sizeof group, "/enrolled_%zu/%s", folded->i_population, table->name);
    table_axes(out, store, group, table, folded, dims, &n_dims);
    if (n_dims > PK_RESULTS_DIMS_MAX && out->status == PK_OK)
        out->status = pk_error_set(out->error, PK_BAD_INPUT, "the table %s has %zu dimensions, at most %d are stored",
                                   table->name, n_dims, PK_RESULTS_DIMS_MAX);
    double *values = room(out, n, sizeof *values), *errors = room(out, n, sizeof *errors);
    double replications = (double)store->run->n_replications;
    for (int difference = 0; difference <= 1 && values != NULL && errors != NULL; difference++) {
        const double *y = difference ? folded->d : folded->y, *yy = difference ? folded->dd : folded->yy,
                     *ny = difference ? folded->nd : folded->ny;
        for (size_t i = 0; i < n; i++) {
            struct pk_mean mean = pk_fold_cell(fold, folded, y[i], yy[i], ny[i], replications);
            values[i] = mean.mean;
            errors[i] = mean.standard_error;
        }
        if (difference && n_arms == 1)
            break;
        snprintf(long_name, sizeof long_name, "%s%s, mean per replication", long_names[table->measure],
                 difference ? ", difference from the first arm" : "");
        snprintf(name, sizeof name, "%s%s", measure, difference ? "_difference" : "");
        array_doubles(out, group, name, dims, n_dims, n, values, units[table->measure], long_name);
        snprintf(long_name, sizeof long_name, "simulation standard error of %s", name);
        snprintf(name + strlen(name), sizeof name - strlen(name), "_se");
        array_doubles(out, group, name, dims, n_dims, n, errors, units[table->measure], long_name);
    }
    put_number(out, group, "persons", folded->n / replications);
    pk_free(values);
    pk_free(errors);
}

/* ---- parameters, outcomes, arms ----------------------------------------------------------------------------- */

static void put_parameters(struct out *out, const struct pk_store *store)
{
    const struct pk_model *model = store->model;
    const char *group = "/parameters", *dim = "parameter";
    size_t n = model->n_parameters;
    const char **texts = names_of(out, model->parameters, n, sizeof *model->parameters);
    double *numbers = room(out, 4 * n, sizeof *numbers);
    int64_t *overridden = room(out, n, sizeof *overridden);
    if (texts == NULL || numbers == NULL || overridden == NULL)
        goto done;
    axis_texts(out, group, dim, n, texts, "parameter");
#define PUT_TEXTS(name, expression, long_name)                                                                        \
    do {                                                                                                               \
        for (size_t i = 0; i < n; i++) {                                                                               \
            const struct pk_parameter *p = &model->parameters[i];                                                      \
            (void)p;                                                                                                   \
            texts[i] = expression;                                                                                     \
        }                                                                                                              \
        array_texts(out, group, name, &dim, 1, n, texts, long_name);                                                   \
    } while (0)
    PUT_TEXTS("unit", pk_unit_names[p->unit], "unit of the value in use");
    PUT_TEXTS("given_unit", pk_unit_names[p->given_unit], "unit of the value as given");
    PUT_TEXTS("source_kind", pk_source_names[p->source.kind], "document, derived, public or assumption");
    PUT_TEXTS("source", p->source.text ? p->source.text : "", "where the number comes from");
    PUT_TEXTS("caveat", p->source.caveat ? p->source.caveat : "", "what the source itself warns of");
    PUT_TEXTS("conversion", store->values->note[i] ? store->values->note[i] : "", "how the hazard was converted");
    PUT_TEXTS("description", p->description ? p->description : "", "what the number is");
#undef PUT_TEXTS
    for (size_t i = 0; i < n; i++) {
        const struct pk_parameter *p = &model->parameters[i];
        numbers[i] = store->values->used[i];
        numbers[n + i] = store->values->given[i];
        numbers[2 * n + i] = p->has_range ? p->low : (double)NAN;
        numbers[3 * n + i] = p->has_range ? p->high : (double)NAN;
        overridden[i] = store->values->overridden[i];
    }
    array_doubles(out, group, "value", &dim, 1, n, numbers, NULL, "value in use; of a table, the first");
    array_doubles(out, group, "given", &dim, 1, n, numbers + n, NULL, "value as given; of a table, the first");
    array_doubles(out, group, "low", &dim, 1, n, numbers + 2 * n, NULL, "low end of the range, as given");
    array_doubles(out, group, "high", &dim, 1, n, numbers + 3 * n, NULL, "high end of the range, as given");
    array_integers(out, group, "overridden", &dim, 1, n, overridden, NULL, "1: set by the scenario or the command line");
done:
    pk_free(texts);
    pk_free(numbers);
    pk_free(overridden);
}

/* "name = value unit (low to high) [kind]" and a line feed. */
static void describe_parameter(struct pk_text *text, const struct pk_store *store, size_t i)
{
    const struct pk_parameter *p = &store->model->parameters[i];
    pk_text_addf(text, "%s = ", p->name);
    for (size_t k = 0; k < p->n_values; k++)
        pk_text_addf(text, "%s%.7g", k ? ", " : "", k ? p->values[k] : store->values->given[i]);
    pk_text_addf(text, " %s", pk_unit_names[p->given_unit]);
    if (p->n_values > 1) {
        pk_text_addf(text, " by %s, cut at", pk_clock_names[p->clock]);
        for (size_t k = 0; k + 1 < p->n_values; k++)
            pk_text_addf(text, " %g", p->cuts[k]);
    }
    if (p->has_range)
        pk_text_addf(text, " (%g to %g)", p->low, p->high);
    pk_text_addf(text, " [%s: %s]\n", pk_source_names[p->source.kind], p->source.text);
}

static void put_arms(struct out *out, const struct pk_store *store)
{
    const struct pk_scenario *scenario = store->scenario;
    const struct pk_plan *plan = store->plan;
    const char *group = "/arms", *dim = "arm";
    size_t n = scenario->n_arms;
    const char **texts = names_of(out, scenario->arms, n, sizeof *scenario->arms);
    double *numbers = room(out, 3 * n, sizeof *numbers);
    int64_t *cohort = room(out, n, sizeof *cohort);
    static const char *const labels[] = {"label_fi", "label_sv", "label_en"};
    if (texts == NULL || numbers == NULL || cohort == NULL)
        goto done;
    axis_texts(out, group, dim, n, texts, "arm of the comparison");
    for (size_t l = 0; l < PK_LANGUAGES; l++) {
        for (size_t i = 0; i < n; i++)
            texts[i] = scenario->arms[i].label.in[l];
        array_texts(out, group, labels[l], &dim, 1, n, texts, "label");
    }
    for (size_t i = 0; i < n; i++)
        texts[i] = scenario->arms[i].note ? scenario->arms[i].note : "";
    array_texts(out, group, "note", &dim, 1, n, texts, "what to know about the arm");
    struct pk_text *assumes = room(out, n, sizeof *assumes);
    for (size_t i = 0; assumes != NULL && i < n; i++) {
        for (size_t k = 0; k < scenario->arms[i].n_assumes; k++)
            describe_parameter(&assumes[i], store, scenario->arms[i].i_assumes[k]);
        texts[i] = pk_text_string(&assumes[i]);
    }
    if (assumes != NULL)
        array_texts(out, group, "assumes", &dim, 1, n, texts, "what the arm rests on");
    for (size_t i = 0; assumes != NULL && i < n; i++)
        pk_text_free(&assumes[i]);
    pk_free(assumes);
    for (size_t i = 0; i < n; i++) {
        double cost = 0;
        for (size_t k = 0; k < plan->arms[i].n_enrolments; k++)
            cost += plan->services[plan->arms[i].enrolments[k].i_service].cost_euros;
        numbers[i] = cost;
        numbers[n + i] = (double)store->run->fold.n_changed[i] / (double)store->run->n_replications;
        double enrolled = 0;
        cohort[i] = plan->arms[i].i_cohort == SIZE_MAX ? 0 : (int64_t)plan->arms[i].i_cohort + 1;
        for (size_t u = 0; cohort[i] > 0 && u < store->run->fold.n_units; u++)
            enrolled += store->run->fold.persons[(size_t)cohort[i] * store->run->fold.n_units + u];
        numbers[2 * n + i] = enrolled / (double)store->run->n_replications;
    }
    array_doubles(out, group, "cost_per_person", &dim, 1, n, numbers, "euros", "service costs per enrolled person");
    array_doubles(out, group, "changed", &dim, 1, n, numbers + n, "persons",
                  "enrolled people whose life the arm changed, mean per replication");
    array_doubles(out, group, "enrolled", &dim, 1, n, numbers + 2 * n, "persons",
                  "people enrolled, mean per replication");
    array_integers(out, group, "cohort", &dim, 1, n, cohort, NULL, "number of the set of people enrolled; 0: nobody");
done:
    pk_free(texts);
    pk_free(numbers);
    pk_free(cohort);
}

static void put_outcomes(struct out *out, const struct pk_store *store)
{
    const struct pk_scenario *scenario = store->scenario;
    const struct pk_fold *fold = &store->run->fold;
    const char *group = "/outcomes", *dims[] = {"population", "replication", "arm", "outcome"};
    size_t n = scenario->n_outcomes, n_arms = scenario->n_arms, n_populations = 1 + store->plan->n_cohorts;
    static const char *const labels[] = {"label_fi", "label_sv", "label_en"};
    if (n == 0)
        return;
    const char **texts = names_of(out, scenario->outcomes, n, sizeof *scenario->outcomes);
    const char **arms = names_of(out, scenario->arms, n_arms, sizeof *scenario->arms);
    int64_t *numbers = room(out, n + fold->n_units + 1, sizeof *numbers);
    char populations[PK_MAX_ARMS + 1][24];
    const char *population_names[PK_MAX_ARMS + 1];
    if (texts == NULL || arms == NULL || numbers == NULL)
        goto done;
    for (size_t p = 0; p < n_populations; p++) {
        snprintf(populations[p], sizeof populations[p], p == 0 ? "everyone" : "enrolled_%zu", p);
        population_names[p] = populations[p];
    }
    axis_texts(out, group, "population", n_populations, population_names, "whom the outcome is about");
    axis_texts(out, group, "outcome", n, texts, "outcome");
    axis_texts(out, group, "arm", n_arms, arms, "arm of the comparison");
    for (size_t u = 0; u < fold->n_units; u++)
        numbers[u] = (int64_t)u;
    digest_bytes(out, group, "replication", numbers, fold->n_units * sizeof *numbers);
    if (out->status == PK_OK)
        out->status = pk_results_axis_integers(out->results, group, "replication", fold->n_units, numbers, NULL,
                                               "replication, or keyed batch of one", out->error);
    for (size_t l = 0; l < PK_LANGUAGES; l++) {
        for (size_t i = 0; i < n; i++)
            texts[i] = scenario->outcomes[i].label.in[l];
        array_texts(out, group, labels[l], &dims[3], 1, n, texts, "label");
    }
    for (size_t i = 0; i < n; i++) {
        const struct pk_outcome *outcome = &scenario->outcomes[i];
        texts[i] = outcome->measure != PK_MEASURE_PERSON_YEARS ? outcome->measure == PK_MEASURE_TRANSITIONS ? "events"
                                                                                                              : "persons"
                   : outcome->i_reward == SIZE_MAX ? "person-years"
                                                   : store->model->rewards[outcome->i_reward].unit;
    }
    array_texts(out, group, "unit_of_measure", &dims[3], 1, n, texts, "unit of the outcome");
    for (size_t i = 0; i < n; i++)
        texts[i] = pk_measure_names[scenario->outcomes[i].measure];
    array_texts(out, group, "measure", &dims[3], 1, n, texts, "measure");
    for (size_t i = 0; i < n; i++)
        numbers[i] = scenario->outcomes[i].share | scenario->outcomes[i].per_cost << 1;
    for (size_t i = 0; i < scenario->n_decides; i++)
        numbers[scenario->i_decides[i]] |= 4;
    array_integers(out, group, "flags", &dims[3], 1, n, numbers, NULL,
                   "1: tell the reference arm's share; 2: tell euros per additional unit; 4: told in what decides");
    array_doubles(out, group, "value", dims, 4, n_populations * fold->n_units * n_arms * n, fold->outcomes, NULL,
                  "outcome of each replication or batch");
    array_doubles(out, group, "persons", dims, 2, n_populations * fold->n_units, fold->persons, "persons",
                  "people in each replication or batch");
    put_text(out, group, "per_label", scenario->per_label);
    if (scenario->raw_heading != NULL) {
        struct pk_text raw;
        pk_text_init(&raw);
        for (size_t i = 0; i < scenario->n_raw; i++)
            describe_parameter(&raw, store, scenario->i_raw[i]);
        put_text(out, group, "raw_heading", scenario->raw_heading);
        put_text(out, group, "raw", pk_text_string(&raw));
        pk_text_free(&raw);
    }
    put_number(out, group, "per_persons", pk_number_value(&scenario->per_persons, store->values));
done:
    pk_free(texts);
    pk_free(arms);
    pk_free(numbers);
}

static void put_variants(struct out *out, const struct pk_store *store)
{
    size_t n = store->n_variants, n_arms = store->scenario->n_arms, n_outcomes = store->scenario->n_outcomes;
    if (n == 0)
        return;
    const struct pk_variant_result *variants = store->variants;
    const char *group = "/variants", *dims[] = {"variant", "replication", "arm", "outcome"}, *cost_dims[] = {"variant", "arm"};
    size_t n_units = variants[0].n_units, n_each = n_units * n_arms * n_outcomes;
    const char **texts = names_of(out, store->scenario->outcomes, n_outcomes, sizeof *store->scenario->outcomes);
    const char **arms = names_of(out, store->scenario->arms, n_arms, sizeof *store->scenario->arms);
    const char **of_variants = room(out, n, sizeof *of_variants);
    char (*keys)[24] = room(out, n, sizeof *keys);
    int64_t *units = room(out, n_units, sizeof *units);
    double *values = room(out, n * n_each, sizeof *values), *persons = room(out, n * n_units, sizeof *persons),
           *costs = room(out, n * n_arms, sizeof *costs);
    if (texts && arms && of_variants && keys && units && values && persons && costs) {
        for (size_t i = 0; i < n; i++) {
            snprintf(keys[i], sizeof keys[i], "v%zu", i);
            of_variants[i] = keys[i];
            memcpy(values + i * n_each, variants[i].outcomes, n_each * sizeof *values);
            memcpy(persons + i * n_units, variants[i].persons, n_units * sizeof *persons);
            memcpy(costs + i * n_arms, variants[i].costs, n_arms * sizeof *costs);
        }
        for (size_t u = 0; u < n_units; u++)
            units[u] = (int64_t)u;
        axis_texts(out, group, "variant", n, of_variants, "variant of the scenario");
        axis_texts(out, group, "outcome", n_outcomes, texts, "outcome");
        axis_texts(out, group, "arm", n_arms, arms, "arm of the comparison");
        digest_bytes(out, group, "replication", units, n_units * sizeof *units);
        if (out->status == PK_OK)
            out->status = pk_results_axis_integers(out->results, group, "replication", n_units, units, NULL,
                                                   "replication, or keyed batch of one", out->error);
        for (size_t i = 0; i < n; i++)
            of_variants[i] = variants[i].topic;
        array_texts(out, group, "topic", dims, 1, n, of_variants, "the question it belongs to");
        for (size_t i = 0; i < n; i++)
            of_variants[i] = variants[i].name;
        array_texts(out, group, "name", dims, 1, n, of_variants, "name");
        for (size_t i = 0; i < n; i++)
            of_variants[i] = variants[i].changed;
        array_texts(out, group, "changed", dims, 1, n, of_variants, "what is set otherwise than in the main run");
        for (size_t i = 0; i < n; i++)
            of_variants[i] = variants[i].warning;
        array_texts(out, group, "warning", dims, 1, n, of_variants, "why to read it with care");
        array_doubles(out, group, "value", dims, 4, n * n_each, values, NULL, "outcome of each replication or batch");
        array_doubles(out, group, "persons", dims, 2, n * n_units, persons, "persons",
                      "people in each replication or batch");
        array_doubles(out, group, "cost_per_person", cost_dims, 2, n * n_arms, costs, "euros",
                      "service costs per enrolled person");
    }
    pk_free(texts);
    pk_free(arms);
    pk_free(of_variants);
    pk_free(keys);
    pk_free(units);
    pk_free(values);
    pk_free(persons);
    pk_free(costs);
}

static void put_root(struct out *out, const struct pk_store *store)
{
    const struct pk_scenario *scenario = store->scenario;
    char digest[24];
    snprintf(digest, sizeof digest, "%016llx", (unsigned long long)pk_plan_digest(store->plan));
    put_text(out, "/", "title", scenario->title);
    put_text(out, "/", "scenario", scenario->name);
    put_text(out, "/", "model", store->model->name);
    put_text(out, "/", "polku_version", pk_provenance_version());
    put_text(out, "/", "plan_digest", digest);
    put_integer(out, "/", "seed", (int64_t)scenario->seed);
    put_integer(out, "/", "persons", (int64_t)store->plan->n_persons);
    put_integer(out, "/", "replications", store->run->n_replications);
    put_integer(out, "/", "batches_per_replication", store->run->n_batches);
    put_number(out, "/", "horizon_years", scenario->horizon_months / 12);
    put_integer(out, "/", "transitions_simulated", store->run->fold.n_events);
    put_text(out, "/provenance", "warnings", store->warnings);
    put_long(out, "/provenance", "model_text", store->model->text, "the model file");
    put_long(out, "/provenance", "scenario_text", scenario->text, "the scenario file");
    put_text(out, "/provenance", "model_file", store->model->file);
    put_text(out, "/provenance", "scenario_file", scenario->file);
    struct pk_text text;
    pk_text_init(&text);
    for (size_t i = 0; i < store->n_sets; i++)
        pk_text_addf(&text, "%s=%s\n", store->sets[i].parameter, store->sets[i].to);
    put_text(out, "/provenance", "overrides", pk_text_string(&text));
    pk_text_free(&text);
    pk_text_init(&text);
    for (size_t i = 0; i < store->model->n_warnings_of_documents; i++)
        pk_text_addf(&text, "%s\n", store->model->warnings_of_documents[i]);
    put_text(out, "/provenance", "documents_warn", pk_text_string(&text));
    pk_text_free(&text);
}

/* What depends on the machine and the day, outside the digest. */
static void put_host(struct out *out, const struct pk_store *store)
{
    struct utsname host;
    char now[32] = "unknown";
    time_t seconds = time(NULL);
    struct tm parts;
    out->digesting = false;
    if (gmtime_r(&seconds, &parts) != NULL)
        strftime(now, sizeof now, "%Y-%m-%dT%H:%M:%SZ", &parts);
    put_text(out, "/host", "created", now);
    put_text(out, "/host", "host", uname(&host) == 0 ? host.nodename : "unknown");
    put_text(out, "/host", "command", store->command);
    put_integer(out, "/host", "threads", store->run->n_threads);
    put_number(out, "/host", "simulation_seconds", store->run->seconds);
    put_text(out, "/host", "git_revision", pk_provenance_revision());
    put_text(out, "/host", "compiler", pk_provenance_compiler());
    put_text(out, "/host", "libraries", pk_provenance_libraries());
}

enum pk_status pk_store_save(const struct pk_store *store, const char *path, char *digest, struct pk_error *error)
{
    struct out out = {.error = error, .digesting = true};
    uint64_t bytes = 0;
    for (size_t i = 0; i < store->run->fold.n_folded; i++)
        bytes += 32 * store->plan->n_arms * store->run->fold.folded[i].n_cells;
    SHA256Init(&out.digest);
    out.status = bytes > PK_RESULTS_MEMORY_BYTES ? pk_results_create_on_disk(&out.results, path, error)
                                                 : pk_results_create(&out.results, error);
    if (out.status == PK_OK) {
        put_root(&out, store);
        put_parameters(&out, store);
        put_arms(&out, store);
        put_outcomes(&out, store);
        for (size_t i = 0; i < store->run->fold.n_folded && out.status == PK_OK; i++)
            put_table(&out, store, &store->run->fold.folded[i]);
        put_variants(&out, store);
        SHA256End(&out.digest, digest);
        put_host(&out, store);
        put_text(&out, "/host", "digest", digest);
    }
    if (out.status == PK_OK)
        out.status = pk_results_save(out.results, path, error);
    pk_results_close(out.results);
    return out.status;
}
