/* Parameters, arms, outcomes and variants into a result file. See store.h. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "store_private.h"

void pk_store_put_parameters(struct pk_out *out, const struct pk_store *store)
{
    const struct pk_model *model = store->model;
    const char *group = "/parameters", *dim = "parameter";
    size_t n = model->n_parameters;
    const char **texts = pk_out_names(out, model->parameters, n, sizeof *model->parameters);
    double *numbers = pk_out_room(out, 4 * n, sizeof *numbers);
    int64_t *overridden = pk_out_room(out, n, sizeof *overridden);
    if (texts == NULL || numbers == NULL || overridden == NULL)
        goto done;
    pk_out_axis_texts(out, group, dim, n, texts, "parameter");
#define PUT_TEXTS(name, expression, long_name)                                                                         \
    do {                                                                                                               \
        for (size_t i = 0; i < n; i++) {                                                                               \
            const struct pk_parameter *p = &model->parameters[i];                                                      \
            (void)p;                                                                                                   \
            texts[i] = expression;                                                                                     \
        }                                                                                                              \
        pk_out_array_texts(out, group, name, &dim, 1, n, texts, long_name);                                            \
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
    pk_out_array_doubles(out, group, "value", &dim, 1, n, numbers, NULL, "value in use; of a table, the first");
    pk_out_array_doubles(out, group, "given", &dim, 1, n, numbers + n, NULL, "value as given; of a table, the first");
    pk_out_array_doubles(out, group, "low", &dim, 1, n, numbers + 2 * n, NULL, "low end of the range, as given");
    pk_out_array_doubles(out, group, "high", &dim, 1, n, numbers + 3 * n, NULL, "high end of the range, as given");
    pk_out_array_integers(out, group, "overridden", &dim, 1, n, overridden, NULL,
                          "1: set by the scenario or the command line");
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

void pk_store_put_arms(struct pk_out *out, const struct pk_store *store)
{
    const struct pk_scenario *scenario = store->scenario;
    const struct pk_plan *plan = store->plan;
    const char *group = "/arms", *dim = "arm";
    size_t n = scenario->n_arms;
    const char **texts = pk_out_names(out, scenario->arms, n, sizeof *scenario->arms);
    double *numbers = pk_out_room(out, 3 * n, sizeof *numbers);
    int64_t *cohort = pk_out_room(out, n, sizeof *cohort);
    static const char *const labels[] = {"label_fi", "label_sv", "label_en"};
    if (texts == NULL || numbers == NULL || cohort == NULL)
        goto done;
    pk_out_axis_texts(out, group, dim, n, texts, "arm of the comparison");
    for (size_t l = 0; l < PK_LANGUAGES; l++) {
        for (size_t i = 0; i < n; i++)
            texts[i] = scenario->arms[i].label.in[l];
        pk_out_array_texts(out, group, labels[l], &dim, 1, n, texts, "label");
    }
    for (size_t i = 0; i < n; i++)
        texts[i] = scenario->arms[i].note ? scenario->arms[i].note : "";
    pk_out_array_texts(out, group, "note", &dim, 1, n, texts, "what to know about the arm");
    struct pk_text *assumes = pk_out_room(out, n, sizeof *assumes);
    for (size_t i = 0; assumes != NULL && i < n; i++) {
        for (size_t k = 0; k < scenario->arms[i].n_assumes; k++)
            describe_parameter(&assumes[i], store, scenario->arms[i].i_assumes[k]);
        texts[i] = pk_text_string(&assumes[i]);
    }
    if (assumes != NULL)
        pk_out_array_texts(out, group, "assumes", &dim, 1, n, texts, "what the arm rests on");
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
    pk_out_array_doubles(out, group, "cost_per_person", &dim, 1, n, numbers, "euros",
                         "service costs per enrolled person");
    pk_out_array_doubles(out, group, "changed", &dim, 1, n, numbers + n, "persons",
                         "enrolled people whose life the arm changed, mean per replication");
    pk_out_array_doubles(out, group, "enrolled", &dim, 1, n, numbers + 2 * n, "persons",
                         "people enrolled, mean per replication");
    pk_out_array_integers(out, group, "cohort", &dim, 1, n, cohort, NULL,
                          "number of the set of people enrolled; 0: nobody");
done:
    pk_free(texts);
    pk_free(numbers);
    pk_free(cohort);
}

void pk_store_put_outcomes(struct pk_out *out, const struct pk_store *store)
{
    const struct pk_scenario *scenario = store->scenario;
    const struct pk_fold *fold = &store->run->fold;
    const char *group = "/outcomes", *dims[] = {"population", "replication", "arm", "outcome"};
    size_t n = scenario->n_outcomes, n_arms = scenario->n_arms, n_populations = 1 + store->plan->n_cohorts;
    static const char *const labels[] = {"label_fi", "label_sv", "label_en"};
    if (n == 0)
        return;
    const char **texts = pk_out_names(out, scenario->outcomes, n, sizeof *scenario->outcomes);
    const char **arms = pk_out_names(out, scenario->arms, n_arms, sizeof *scenario->arms);
    int64_t *numbers = pk_out_room(out, n + fold->n_units + 1, sizeof *numbers);
    char populations[PK_MAX_ARMS + 1][24];
    const char *population_names[PK_MAX_ARMS + 1];
    if (texts == NULL || arms == NULL || numbers == NULL)
        goto done;
    for (size_t p = 0; p < n_populations; p++) {
        snprintf(populations[p], sizeof populations[p], p == 0 ? "everyone" : "enrolled_%zu", p);
        population_names[p] = populations[p];
    }
    pk_out_axis_texts(out, group, "population", n_populations, population_names, "whom the outcome is about");
    pk_out_axis_texts(out, group, "outcome", n, texts, "outcome");
    pk_out_axis_texts(out, group, "arm", n_arms, arms, "arm of the comparison");
    for (size_t u = 0; u < fold->n_units; u++)
        numbers[u] = (int64_t)u;
    pk_out_axis_integers(out, group, "replication", fold->n_units, numbers, "replication, or keyed batch of one");
    for (size_t l = 0; l < PK_LANGUAGES; l++) {
        for (size_t i = 0; i < n; i++)
            texts[i] = scenario->outcomes[i].label.in[l];
        pk_out_array_texts(out, group, labels[l], &dims[3], 1, n, texts, "label");
    }
    for (size_t i = 0; i < n; i++) {
        const struct pk_outcome *outcome = &scenario->outcomes[i];
        texts[i] = outcome->measure != PK_MEASURE_PERSON_YEARS
                       ? outcome->measure == PK_MEASURE_TRANSITIONS ? "events" : "persons"
                   : outcome->i_reward == SIZE_MAX ? "person-years"
                                                   : store->model->rewards[outcome->i_reward].unit;
    }
    pk_out_array_texts(out, group, "unit_of_measure", &dims[3], 1, n, texts, "unit of the outcome");
    for (size_t i = 0; i < n; i++)
        texts[i] = pk_measure_names[scenario->outcomes[i].measure];
    pk_out_array_texts(out, group, "measure", &dims[3], 1, n, texts, "measure");
    for (size_t i = 0; i < n; i++)
        numbers[i] = scenario->outcomes[i].share | scenario->outcomes[i].per_cost << 1;
    for (size_t i = 0; i < scenario->n_decides; i++)
        numbers[scenario->i_decides[i]] |= 4;
    pk_out_array_integers(
        out, group, "flags", &dims[3], 1, n, numbers, NULL,
        "1: tell the reference arm's share; 2: tell euros per additional unit; 4: told in what decides");
    pk_out_array_doubles(out, group, "value", dims, 4, n_populations * fold->n_units * n_arms * n, fold->outcomes, NULL,
                         "outcome of each replication or batch");
    pk_out_array_doubles(out, group, "persons", dims, 2, n_populations * fold->n_units, fold->persons, "persons",
                         "people in each replication or batch");
    pk_out_text(out, group, "per_label", scenario->per_label);
    if (scenario->raw_heading != NULL) {
        struct pk_text raw;
        pk_text_init(&raw);
        for (size_t i = 0; i < scenario->n_raw; i++)
            describe_parameter(&raw, store, scenario->i_raw[i]);
        pk_out_text(out, group, "raw_heading", scenario->raw_heading);
        pk_out_text(out, group, "raw", pk_text_string(&raw));
        pk_text_free(&raw);
    }
    pk_out_number(out, group, "per_persons", pk_number_value(&scenario->per_persons, store->values));
done:
    pk_free(texts);
    pk_free(arms);
    pk_free(numbers);
}

void pk_store_put_variants(struct pk_out *out, const struct pk_store *store)
{
    size_t n = store->n_variants, n_arms = store->scenario->n_arms, n_outcomes = store->scenario->n_outcomes;
    if (n == 0)
        return;
    const struct pk_variant_result *variants = store->variants;
    const char *group = "/variants", *dims[] = {"variant", "replication", "arm", "outcome"},
               *cost_dims[] = {"variant", "arm"};
    size_t n_units = variants[0].n_units, n_each = n_units * n_arms * n_outcomes;
    const char **texts = pk_out_names(out, store->scenario->outcomes, n_outcomes, sizeof *store->scenario->outcomes);
    const char **arms = pk_out_names(out, store->scenario->arms, n_arms, sizeof *store->scenario->arms);
    const char **of_variants = pk_out_room(out, n, sizeof *of_variants);
    char(*keys)[24] = pk_out_room(out, n, sizeof *keys);
    int64_t *units = pk_out_room(out, n_units, sizeof *units);
    double *values = pk_out_room(out, n * n_each, sizeof *values),
           *persons = pk_out_room(out, n * n_units, sizeof *persons),
           *costs = pk_out_room(out, n * n_arms, sizeof *costs);
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
        pk_out_axis_texts(out, group, "variant", n, of_variants, "variant of the scenario");
        pk_out_axis_texts(out, group, "outcome", n_outcomes, texts, "outcome");
        pk_out_axis_texts(out, group, "arm", n_arms, arms, "arm of the comparison");
        pk_out_axis_integers(out, group, "replication", n_units, units, "replication, or keyed batch of one");
        for (size_t i = 0; i < n; i++)
            of_variants[i] = variants[i].topic;
        pk_out_array_texts(out, group, "topic", dims, 1, n, of_variants, "the question it belongs to");
        for (size_t i = 0; i < n; i++)
            of_variants[i] = variants[i].name;
        pk_out_array_texts(out, group, "name", dims, 1, n, of_variants, "name");
        for (size_t i = 0; i < n; i++)
            of_variants[i] = variants[i].changed;
        pk_out_array_texts(out, group, "changed", dims, 1, n, of_variants,
                           "what is set otherwise than in the main run");
        for (size_t i = 0; i < n; i++)
            of_variants[i] = variants[i].warning;
        pk_out_array_texts(out, group, "warning", dims, 1, n, of_variants, "why to read it with care");
        pk_out_array_doubles(out, group, "value", dims, 4, n * n_each, values, NULL,
                             "outcome of each replication or batch");
        pk_out_array_doubles(out, group, "persons", dims, 2, n * n_units, persons, "persons",
                             "people in each replication or batch");
        pk_out_array_doubles(out, group, "cost_per_person", cost_dims, 2, n * n_arms, costs, "euros",
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

void pk_store_put_events(struct pk_out *out, const struct pk_store *store)
{
    const struct pk_log *log = store->log;
    const char *group = "/events", *dim = "row";
    if (log == NULL || log->n_rows == 0)
        return;
    size_t n = log->n_rows;
    const char **texts = pk_out_room(out, n, sizeof *texts);
    int64_t *rows = pk_out_room(out, n, sizeof *rows);
    if (texts != NULL && rows != NULL) {
        for (size_t i = 0; i < n; i++)
            rows[i] = (int64_t)i;
        pk_out_axis_integers(out, group, dim, n, rows, "spell of a person in an arm");
        for (size_t i = 0; i < n; i++)
            texts[i] = store->scenario->arms[log->arms[i]].name;
        pk_out_array_texts(out, group, "arm", &dim, 1, n, texts, "arm of the comparison");
        pk_out_array_integers(out, group, "id", &dim, 1, n, log->persons, NULL, "person");
        for (size_t i = 0; i < n; i++)
            texts[i] = store->model->states[log->from[i]].name;
        pk_out_array_texts(out, group, "from", &dim, 1, n, texts, "state of the spell");
        for (size_t i = 0; i < n; i++)
            texts[i] = store->model->states[log->to[i]].name;
        pk_out_array_texts(out, group, "to", &dim, 1, n, texts, "state entered; the same state where none was");
        pk_out_array_doubles(out, group, "tstart", &dim, 1, n, log->start_years, "years", "beginning of the spell");
        pk_out_array_doubles(out, group, "tstop", &dim, 1, n, log->stop_years, "years", "end of the spell");
        pk_out_array_integers(out, group, "status", &dim, 1, n, log->status, NULL,
                              "1: left for another state; 0: still there at the end");
    }
    pk_free(texts);
    pk_free(rows);
}
