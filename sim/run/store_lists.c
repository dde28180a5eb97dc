/* Parameters, arms and lives into a result file. See store.h. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "polku/prices.h"
#include "store_private.h"

void pk_store_put_parameters(struct pk_out *out, const struct pk_store *store)
{
    const struct pk_model *model = store->model;
    const char *group = "/parameters", *dim = "parameter";
    size_t n = model->n_parameters;
    const char **texts = pk_out_names(out, model->parameters, n, sizeof *model->parameters);
    double *numbers = pk_out_room(out, 4 * n, sizeof *numbers);
    int64_t *overridden = pk_out_room(out, n, sizeof *overridden);
    enum pk_price *prices = pk_out_room(out, n, sizeof *prices);
    bool *in_use = pk_out_room(out, n, sizeof *in_use);
    if (texts == NULL || numbers == NULL || overridden == NULL || prices == NULL || in_use == NULL)
        goto done;
    pk_out_axis_texts(out, group, dim, n, texts, "parameter");
#define PUT_TEXTS(name, expression, long_name)                                                                         \
    do {                                                                                                               \
        for (size_t i = 0; i < n; i++) {                                                                               \
            const struct pk_parameter *p = &model->parameters[i];                                                      \
            const struct pk_source *source = store->values->source[i];                                                 \
            (void)p;                                                                                                   \
            (void)source;                                                                                              \
            texts[i] = expression;                                                                                     \
        }                                                                                                              \
        pk_out_array_texts(out, group, name, &dim, 1, n, texts, long_name);                                            \
    } while (0)
    PUT_TEXTS("unit", pk_unit_names[p->unit], "unit of the value in use");
    PUT_TEXTS("given_unit", pk_unit_names[p->given_unit], "unit of the value as given");
    PUT_TEXTS("source_kind", pk_source_names[source->kind], "document, derived, public, assumption or calibrated");
    PUT_TEXTS("source", source->text ? source->text : "", "where the number comes from");
    PUT_TEXTS("caveat", source->caveat ? source->caveat : "", "what the source itself warns of");
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
    pk_prices_find(model, store->scenario, prices);
    for (size_t i = 0; i < n; i++)
        overridden[i] = prices[i];
    pk_out_array_integers(out, group, "price", &dim, 1, n, overridden, NULL,
                          "1: a price of rewards and nothing else; 2: a price, and changes more; 0: no price");
    pk_prices_used(model, store->scenario, in_use);
    for (size_t i = 0; i < n; i++)
        overridden[i] = in_use[i];
    pk_out_array_integers(out, group, "in_use", &dim, 1, n, overridden, NULL,
                          "1: something uses it; 0: nothing but services that no arm enrols in");
done:
    pk_free(texts);
    pk_free(numbers);
    pk_free(overridden);
    pk_free(prices);
    pk_free(in_use);
}

void pk_store_describe_parameter(struct pk_text *text, const struct pk_store *store, size_t i)
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
    const struct pk_source *source = store->values->source[i];
    pk_text_addf(text, " [%s: %s]\n", pk_source_names[source->kind], source->text);
}

/* How many of the study's numbers the scenario or the command line sets to others. */
static int64_t n_set_over(const struct pk_store *store, const struct pk_calibration *calibration)
{
    int64_t n = 0;
    for (size_t i = 0; i < calibration->n_parameters; i++) {
        const size_t k = pk_model_parameter(store->model, calibration->parameters[i].name);
        n += k != SIZE_MAX && store->values->source[k]->kind != PK_SOURCE_CALIBRATED;
    }
    return n;
}

static void put_marks(struct pk_out *out, const char *group, const struct pk_scenario *scenario, size_t n)
{
    const char *dim = "mark", **texts = pk_out_room(out, n, sizeof *texts);
    int64_t *numbers = pk_out_room(out, 2 * n, sizeof *numbers);
    size_t used = 0;
    for (size_t i = 0; i < scenario->n_calibrations && texts != NULL && numbers != NULL; i++)
        for (size_t k = 0; k < scenario->calibrations[i].n_marks; k++) {
            numbers[used] = (int64_t)used;
            numbers[n + used] = (int64_t)i;
            texts[used++] = scenario->calibrations[i].marks[k];
        }
    if (texts != NULL && numbers != NULL) {
        pk_out_axis_integers(out, group, dim, n, numbers, "mark of a calibration");
        pk_out_array_texts(out, group, "mark_text", &dim, 1, n, texts, "what whoever uses the numbers must be told");
        pk_out_array_integers(out, group, "mark_calibration", &dim, 1, n, numbers + n, NULL,
                              "place of the calibration that the mark is of");
    }
    pk_free(texts);
    pk_free(numbers);
}

void pk_store_put_calibrations(struct pk_out *out, const struct pk_store *store)
{
    const struct pk_scenario *scenario = store->scenario;
    const char *group = "/calibrations", *dim = "calibration", *texts[4][PK_MAX_CALIBRATIONS];
    int64_t numbers[3][PK_MAX_CALIBRATIONS];
    const size_t n = scenario->n_calibrations;
    size_t n_marks = 0;
    if (n == 0)
        return;
    for (size_t i = 0; i < n; i++) {
        const struct pk_calibration *calibration = &scenario->calibrations[i];
        texts[0][i] = calibration->study;
        texts[1][i] = calibration->title;
        texts[2][i] = calibration->digest;
        texts[3][i] = calibration->file;
        numbers[0][i] = (int64_t)i;
        numbers[1][i] = (int64_t)calibration->n_parameters;
        numbers[2][i] = n_set_over(store, calibration);
        n_marks += calibration->n_marks;
    }
    pk_out_axis_integers(out, group, dim, n, numbers[0], "file of calibrated parameters");
    pk_out_array_texts(out, group, "study", &dim, 1, n, texts[0], "name of the study");
    pk_out_array_texts(out, group, "study_title", &dim, 1, n, texts[1], "title of the study");
    pk_out_array_texts(out, group, "study_digest", &dim, 1, n, texts[2], "digest of the study");
    pk_out_array_texts(out, group, "file", &dim, 1, n, texts[3], "name as written in the scenario");
    pk_out_array_integers(out, group, "parameters", &dim, 1, n, numbers[1], NULL, "parameters that the file gives");
    pk_out_array_integers(out, group, "set_over", &dim, 1, n, numbers[2], NULL,
                          "those of them that the scenario or the command line set to another value");
    if (n_marks > 0)
        put_marks(out, group, scenario, n_marks);
}

static bool same_choice(const struct pk_plan_choice *a, const struct pk_plan_choice *b)
{
    bool same = a->n == b->n;
    for (size_t i = 0; same && i < a->n; i++)
        same = a->cumulative[i] == b->cumulative[i];
    return same;
}

static size_t origin_of(const struct pk_scenario *scenario, size_t i_arm)
{
    while (scenario->arms[i_arm].i_like != SIZE_MAX)
        i_arm = scenario->arms[i_arm].i_like;
    return i_arm;
}

/* The arm that another one would be if there were places for everybody, but for prices; SIZE_MAX: none. */
static size_t ample_twin(const struct pk_store *store, size_t i_arm)
{
    const struct pk_arm *arms = store->scenario->arms;
    const struct pk_plan_arm *arm = &store->plan->arms[i_arm];
    for (size_t a = 0; a < store->scenario->n_arms && !arms[i_arm].ample; a++) {
        const struct pk_plan_arm *other = &store->plan->arms[a];
        if (arms[a].ample && origin_of(store->scenario, a) == origin_of(store->scenario, i_arm) &&
            arm->has_start == other->has_start &&
            (!arm->has_start || same_choice(&arm->start_state, &other->start_state)) &&
            arm->displaced == other->displaced &&
            (!(arm->displaced > 0) ||
             (arm->i_displaced == other->i_displaced && arm->i_displaced_by == other->i_displaced_by)))
            return a;
    }
    return SIZE_MAX;
}

void pk_store_put_arms(struct pk_out *out, const struct pk_store *store)
{
    const struct pk_scenario *scenario = store->scenario;
    const struct pk_plan *plan = store->plan;
    const char *group = "/arms", *dim = "arm";
    size_t n = scenario->n_arms;
    const char **texts = pk_out_names(out, scenario->arms, n, sizeof *scenario->arms);
    double *numbers = pk_out_room(out, 4 * n, sizeof *numbers);
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
            pk_store_describe_parameter(&assumes[i], store, scenario->arms[i].i_assumes[k]);
        texts[i] = pk_text_string(&assumes[i]);
    }
    if (assumes != NULL)
        pk_out_array_texts(out, group, "assumes", &dim, 1, n, texts, "what the arm rests on");
    for (size_t i = 0; assumes != NULL && i < n; i++)
        pk_text_free(&assumes[i]);
    pk_free(assumes);
    for (size_t i = 0; i < n; i++) {
        numbers[i] = pk_fold_cost(&store->run->fold, i);
        numbers[n + i] =
            (double)store->run->fold.n_changed[i] * store->run->collection.weight / (double)store->run->n_replications;
        const double served = (double)store->run->fold.n_served[i * (PK_MAX_SERVICES + 1) + PK_MAX_SERVICES];
        cohort[i] = plan->arms[i].i_cohort == SIZE_MAX ? 0 : (int64_t)plan->arms[i].i_cohort + 1;
        numbers[2 * n + i] = served * store->run->collection.weight / (double)store->run->n_replications;
    }
    pk_out_array_doubles(out, group, "cost_per_person", &dim, 1, n, numbers, "euros",
                         "service costs per person of the population that arms are compared on");
    pk_out_array_doubles(out, group, "changed", &dim, 1, n, numbers + n, "persons",
                         "enrolled people whose life the arm changed, mean per replication");
    pk_out_array_doubles(out, group, "enrolled", &dim, 1, n, numbers + 2 * n, "persons",
                         "people enrolled, mean per replication");
    for (size_t i = 0; i < n; i++) {
        const struct pk_arm *arm = &scenario->arms[i];
        numbers[i] = arm->i_like == SIZE_MAX ? 0 : (double)(arm->i_like + 1);
        numbers[n + i] = plan->n_services > 0 ? plan->arms[i].ample[0] : (double)NAN; /* the same in all */
        numbers[2 * n + i] =
            (double)store->run->fold.n_touched[i] * store->run->collection.weight / (double)store->run->n_replications;
        const size_t i_ample = ample_twin(store, i);
        numbers[3 * n + i] = i_ample == SIZE_MAX ? 0 : (double)(i_ample + 1);
    }
    pk_out_array_doubles(out, group, "like", &dim, 1, n, numbers, NULL,
                         "1 + the place of the arm whose enrolments these are; 0: its own");
    pk_out_array_doubles(out, group, "places_ratio", &dim, 1, n, numbers + n, "1",
                         "so many times the model's places; infinite: for everybody; nan: as the model says");
    pk_out_array_doubles(out, group, "ample_twin", &dim, 1, n, numbers + 3 * n, NULL,
                         "1 + the place of the arm with the same enrolments, start and displacement and with places "
                         "for everybody; 0: none");
    pk_out_array_doubles(out, group, "touched", &dim, 1, n, numbers + 2 * n, "persons",
                         "people enrolled, in line, refused or displaced, mean per replication; all others live the "
                         "same life in every arm");
    pk_out_array_integers(out, group, "cohort", &dim, 1, n, cohort, NULL,
                          "number of the set of people enrolled; 0: nobody");
done:
    pk_free(texts);
    pk_free(numbers);
    pk_free(cohort);
}

/* An attribute's column in the event log: its name, with "_" where another column has that. */
static void event_column(const struct pk_model *model, size_t i_attribute, char *name, size_t size)
{
    static const char *const taken[] = {"row", "arm", "id", "from", "to", "tstart", "tstop", "status"};
    bool is_taken = false;
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
        is_taken |= strcmp(model->attributes[i_attribute].name, taken[i]) == 0;
    snprintf(name, size, "%s%s", model->attributes[i_attribute].name, is_taken ? "_" : "");
}

void pk_store_put_events(struct pk_out *out, const struct pk_store *store)
{
    const struct pk_log *log = store->log;
    const char *group = "/events", *dim = "row";
    if (log == NULL || log->n_rows == 0)
        return;
    size_t n = log->n_rows, n_attributes = store->model->n_attributes;
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
        for (size_t a = 0; a < n_attributes; a++) {
            const struct pk_attribute *attribute = &store->model->attributes[a];
            char name[PK_RESULTS_NAME_BYTES];
            for (size_t i = 0; i < n; i++)
                texts[i] = attribute->values[log->values[i * n_attributes + a]];
            event_column(store->model, a, name, sizeof name);
            pk_out_array_texts(out, group, name, &dim, 1, n, texts, attribute->label.in[2]);
        }
    }
    pk_free(texts);
    pk_free(rows);
}
