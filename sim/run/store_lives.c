/* Histograms and prevented events into a result file. See store.h. Marginal figures of each arm: who was helped is a
 * property of the coupling of the arms, not of the data. */
#include <stdio.h>
#include <string.h>

#include "store_private.h"

static const double quantiles[] = {0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95};
enum { QUANTILES = sizeof quantiles / sizeof *quantiles };

static void axis_doubles(struct pk_out *out, const char *group, const char *name, size_t n, const double *values,
                         const char *units, const char *long_name)
{
    pk_out_digest(out, group, name, values, n * sizeof *values);
    if (out->status == PK_OK)
        out->status = pk_results_axis_doubles(out->results, group, name, n, values, units, long_name, out->error);
}

/* "-0.5", "0.5-1", "1-" */
static void bin_axis(struct pk_out *out, const char *group, const struct pk_histogram *histogram)
{
    enum { ROOM = 64 };
    const size_t n = histogram->n_edges + 1;
    const char **pointers = pk_out_room(out, n, sizeof *pointers), *dim = "bin";
    char(*labels)[ROOM] = pk_out_room(out, n, sizeof *labels);
    double *edges = pk_out_room(out, 2 * n, sizeof *edges);
    if (pointers != NULL && labels != NULL && edges != NULL) {
        for (size_t i = 0; i < n; i++) {
            char low[ROOM / 2] = "", high[ROOM / 2] = "";
            edges[i] = i > 0 ? histogram->edges[i - 1] : -(double)__builtin_inf();
            edges[n + i] = i < n - 1 ? histogram->edges[i] : (double)__builtin_inf();
            if (i > 0)
                snprintf(low, sizeof low, "%g", edges[i]);
            if (i < n - 1)
                snprintf(high, sizeof high, "%g", edges[n + i]);
            snprintf(labels[i], ROOM, "%.30s-%.30s", low, high);
            pointers[i] = labels[i];
        }
        pk_out_axis_texts(out, group, dim, n, pointers, "from the first, below the second");
        pk_out_array_doubles(out, group, "bin_from", &dim, 1, n, edges, NULL, "lower edge");
        pk_out_array_doubles(out, group, "bin_below", &dim, 1, n, edges + n, NULL, "upper edge");
    }
    pk_free(pointers);
    pk_free(labels);
    pk_free(edges);
}

static const char *unit_of(enum pk_quantity quantity)
{
    return quantity == PK_QUANTITY_SPELLS ? "spells" : "years";
}

static const char *told(enum pk_quantity quantity)
{
    static const char *const texts[] = {"person-years of each person in the states within the period",
                                        "spells of each person begun in the states within the period",
                                        "length of each spell in the states that ends within the period",
                                        "time of each person from the start to the first entry; never: the last bin"};
    return texts[quantity];
}

static void put_histogram(struct pk_out *out, const struct pk_store *store, const struct pk_folded_bins *bins)
{
    const struct pk_fold *fold = &store->run->fold;
    const struct pk_model *model = store->model;
    const struct pk_scenario *scenario = store->scenario;
    const struct pk_histogram *histogram = &scenario->histograms[bins->i_histogram];
    const struct pk_binning *binning = &store->run->collection.binnings[bins->i_histogram];
    const size_t n_arms = scenario->n_arms, n_groups = binning->n_groups, n_bins = binning->n_bins;
    const size_t n = n_arms * n_groups * n_bins, n_told = n_arms * n_groups * QUANTILES;
    const char *dims[PK_MAX_ATTRIBUTES + 2];
    char group[160];
    size_t n_dims = 0;
    if (bins->i_population == 0)
        snprintf(group, sizeof group, "/histograms/%s", histogram->name);
    else
        snprintf(group, sizeof group, "/enrolled_%zu/histograms/%s", bins->i_population, histogram->name);
    const char **arms = pk_out_names(out, scenario->arms, n_arms, sizeof *scenario->arms);
    double *values = pk_out_room(out, 2 * n + n_told, sizeof *values);
    if (arms == NULL || values == NULL)
        goto done;
    pk_out_axis_texts(out, group, dims[n_dims++] = "arm", n_arms, arms, "arm of the comparison");
    for (size_t a = 0; a < model->n_attributes; a++)
        if (histogram->by[a])
            pk_out_axis_texts(out, group, dims[n_dims++] = model->attributes[a].name, model->attributes[a].n_values,
                              model->attributes[a].values, model->attributes[a].label.in[2]);
    if (n_dims + 1 > PK_RESULTS_DIMS_MAX && out->status == PK_OK)
        out->status =
            pk_error_set(out->error, PK_BAD_INPUT, "the histogram %s has %zu dimensions, at most %d are stored",
                         histogram->name, n_dims + 1, PK_RESULTS_DIMS_MAX);
    bin_axis(out, group, histogram);
    axis_doubles(out, group, "quantile", QUANTILES, quantiles, NULL, "share of people (or spells) at or below");
    for (size_t a = 0; a < n_arms; a++)
        for (size_t g = 0; g < n_groups; g++) {
            const size_t i_group = a * n_groups + g;
            for (size_t k = 0; k < n_bins; k++) {
                struct pk_mean share = pk_fold_share(fold, bins, a, g, k);
                values[i_group * n_bins + k] = share.mean;
                values[n + i_group * n_bins + k] = share.standard_error;
            }
            for (size_t q = 0; q < QUANTILES; q++)
                values[2 * n + i_group * QUANTILES + q] = pk_fold_quantile(fold, bins, a, g, quantiles[q]);
        }
    dims[n_dims] = "bin";
    pk_out_array_integers(out, group, "count", dims, n_dims + 1, n, bins->counts, NULL,
                          "number over all replications, times weight_of_one");
    pk_out_array_doubles(out, group, "share", dims, n_dims + 1, n, values, NULL, "share of the group in the arm");
    pk_out_array_doubles(out, group, "share_se", dims, n_dims + 1, n, values + n, NULL,
                         "simulation standard error of share");
    dims[n_dims] = "quantile";
    pk_out_array_doubles(out, group, "value", dims, n_dims + 1, n_told, values + 2 * n, unit_of(histogram->quantity),
                         "quantile, interpolated within its bin; nan beyond the outer edges");
    pk_out_text(out, group, "of", pk_quantity_names[histogram->quantity]);
    pk_out_text(out, group, "long_name", told(histogram->quantity));
    pk_out_text(out, group, "units", unit_of(histogram->quantity));
    pk_out_integer(out, group, "weight_of_one", INT64_C(1) << store->plan->weight_bits);
done:
    pk_free(arms);
    pk_free(values);
}

void pk_store_put_histograms(struct pk_out *out, const struct pk_store *store)
{
    const struct pk_fold *fold = &store->run->fold;
    for (size_t i = 0; i < fold->n_bins && out->status == PK_OK; i++)
        put_histogram(out, store, &fold->bins[i]);
}

/* ---- preventions -------------------------------------------------------------------------------------------- */

/* One figure of every watch, by year (n_years of them) or not (0), with its standard errors; minus: see
 * pk_fold_watched. */
static void put_figures(struct pk_out *out, const struct pk_store *store, const char *name, size_t n_years,
                        size_t first, size_t minus, const char *units, const char *long_name)
{
    const struct pk_collection *collection = &store->run->collection;
    const char *dims[] = {"row", "year"}, *group = "/preventions";
    const size_t n_dims = n_years > 0 ? 2 : 1, n_columns = n_years > 0 ? n_years : 1;
    const size_t n = collection->n_watches * n_columns;
    char text[160];
    double *values = pk_out_room(out, 2 * n, sizeof *values);
    if (values == NULL)
        return;
    for (size_t w = 0; w < collection->n_watches; w++)
        for (size_t y = 0; y < n_columns; y++) {
            struct pk_mean mean =
                pk_fold_watched(&store->run->fold, w, first + y, minus == SIZE_MAX ? SIZE_MAX : minus + y,
                                (double)store->run->n_replications);
            values[w * n_columns + y] = mean.mean;
            values[n + w * n_columns + y] = mean.standard_error;
        }
    pk_out_array_doubles(out, group, name, dims, n_dims, n, values, units, long_name);
    snprintf(text, sizeof text, "%s_se", name);
    pk_out_array_doubles(out, group, text, dims, n_dims, n, values + n, units, "simulation standard error");
    pk_free(values);
}

void pk_store_put_preventions(struct pk_out *out, const struct pk_store *store)
{
    const struct pk_collection *collection = &store->run->collection;
    const struct pk_fold *fold = &store->run->fold;
    const struct pk_model *model = store->model;
    const char *group = "/preventions", *dim = "row";
    const size_t n = collection->n_watches, n_years = collection->n_years, last = 3 * n_years;
    if (n == 0)
        return;
    const char **texts = pk_out_room(out, n, sizeof *texts);
    char(*names)[160] = pk_out_room(out, n, sizeof *names);
    int64_t *places = pk_out_room(out, n + n_years, sizeof *places);
    double *persons = pk_out_room(out, n, sizeof *persons);
    if (texts == NULL || names == NULL || places == NULL || persons == NULL)
        goto done;
    for (size_t i = 0; i < n; i++) {
        const struct pk_watch *watch = &collection->watches[i];
        const struct pk_plan_prevention *prevention = &store->plan->preventions[watch->i_prevention];
        const size_t i_cohort = store->plan->arms[watch->i_arm].i_cohort;
        snprintf(names[i], sizeof names[i], "%s:%s", model->services[prevention->i_service].name,
                 model->transitions[prevention->i_transition].name);
        places[i] = (int64_t)i;
        for (size_t u = 0; u < fold->n_units; u++)
            persons[i] += fold->persons[(1 + i_cohort) * fold->n_units + u] / (double)store->run->n_replications;
    }
    pk_out_axis_integers(out, group, dim, n, places, "prevention at work in an arm");
    for (size_t y = 0; y < n_years; y++)
        places[y] = (int64_t)y + 1;
    pk_out_axis_integers(out, group, "year", n_years, places, "year after the start, the first is 1");
    for (size_t i = 0; i < n; i++)
        texts[i] = store->scenario->arms[collection->watches[i].i_arm].name;
    pk_out_array_texts(out, group, "arm", &dim, 1, n, texts, "arm of the comparison");
    for (size_t i = 0; i < n; i++)
        texts[i] = names[i];
    pk_out_array_texts(out, group, "prevention", &dim, 1, n, texts, "service and the transition it prevents");
    pk_out_array_doubles(out, group, "persons", &dim, 1, n, persons, "persons",
                         "people whom the arm enrols, mean per replication");
    put_figures(out, store, "blocked", n_years, 0, SIZE_MAX, "events", "events blocked in the year");
    put_figures(out, store, "events_base", n_years, n_years, SIZE_MAX, "events",
                "events of the transition in the year, of the same people without the arm");
    put_figures(out, store, "events_arm", n_years, 2 * n_years, SIZE_MAX, "events",
                "events of the transition in the year in the arm");
    put_figures(out, store, "fewer", n_years, n_years, 2 * n_years, "events", "events_base less events_arm");
    put_figures(out, store, "persons_blocked", 0, last, SIZE_MAX, "persons", "people with a blocked event");
    put_figures(out, store, "persons_without", 0, last + 1, SIZE_MAX, "persons",
                "... of these: without the event from then to the horizon");
    put_figures(out, store, "persons_later", 0, last + 2, SIZE_MAX, "persons",
                "... of these: with the event later (later occurrences)");
    pk_out_text(out, group, "note",
                "Marginal figures of each arm. Who was helped is a property of how the arms are coupled, not of the "
                "data.");
done:
    pk_free(texts);
    pk_free(names);
    pk_free(places);
    pk_free(persons);
}
