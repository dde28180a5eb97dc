/* A finished run into a result file. See store.h. */
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

#include "polku/provenance.h"
#include "store_private.h"

/* ---- tables ------------------------------------------------------------------------------------------------- */

/* "T:from>to", or "T prevented:from>to" where a prevented event leads elsewhere. */
static void arc_axis(struct pk_out *out, const struct pk_store *store, const char *group)
{
    const struct pk_model *model = store->model;
    const struct pk_plan *plan = store->plan;
    const char *dim = "transition";
    char(*labels)[208] = pk_out_room(out, plan->n_arcs, sizeof *labels);
    const char **pointers = pk_out_room(out, 3 * plan->n_arcs, sizeof *pointers);
    for (size_t i = 0; labels != NULL && pointers != NULL && i < plan->n_arcs; i++) {
        const struct pk_plan_arc *arc = &plan->arcs[i];
        pointers[plan->n_arcs + i] = model->states[arc->i_from].name;
        pointers[2 * plan->n_arcs + i] = model->states[arc->i_to].name;
        snprintf(labels[i], sizeof labels[i], "%s%s:%s>%s", model->transitions[arc->i_transition].name,
                 arc->diverted ? " prevented" : "", pointers[plan->n_arcs + i], pointers[2 * plan->n_arcs + i]);
        pointers[i] = labels[i];
    }
    if (pointers != NULL && labels != NULL) {
        pk_out_axis_texts(out, group, dim, plan->n_arcs, pointers, "transition");
        pk_out_array_texts(out, group, "from_state", &dim, 1, plan->n_arcs, pointers + plan->n_arcs, "state left");
        pk_out_array_texts(out, group, "to_state", &dim, 1, plan->n_arcs, pointers + 2 * plan->n_arcs, "state entered");
    }
    pk_free(labels);
    pk_free(pointers);
}

/* "-25", "25-35", "35-": attained age in years, from the first up to the second. */
static void age_axis(struct pk_out *out, const char *group, const struct pk_table *table)
{
    enum { ROOM = 48 };
    size_t n = table->n_ages + 1;
    const char **pointers = pk_out_room(out, n, sizeof *pointers);
    char(*labels)[ROOM] = pk_out_room(out, n, sizeof *labels);
    for (size_t i = 0; pointers != NULL && labels != NULL && i < n; i++) {
        char low[ROOM / 2] = "", high[ROOM / 2] = "";
        if (i > 0)
            snprintf(low, sizeof low, "%g", table->ages[i - 1]);
        if (i < n - 1)
            snprintf(high, sizeof high, "%g", table->ages[i]);
        snprintf(labels[i], ROOM, "%.20s-%.20s", low, high);
        pointers[i] = labels[i];
    }
    if (pointers != NULL && labels != NULL)
        pk_out_axis_texts(out, group, "age", n, pointers, "age attained, in years: from the first, below the second");
    pk_free(pointers);
    pk_free(labels);
}

static void table_axes(struct pk_out *out, const struct pk_store *store, const char *group,
                       const struct pk_table *table, const struct pk_folded *folded, const char **dims, size_t *n_dims)
{
    const struct pk_model *model = store->model;
    const struct pk_plan *plan = store->plan;
    const char **arms =
        pk_out_names(out, store->scenario->arms, store->scenario->n_arms, sizeof *store->scenario->arms);
    double *times = pk_out_room(out, folded->n_columns, sizeof *times);
    *n_dims = 0;
    if (arms != NULL)
        pk_out_axis_texts(out, group, dims[(*n_dims)++] = "arm", plan->n_arms, arms, "arm of the comparison");
    for (size_t a = 0; a < model->n_attributes; a++)
        if (table->by[a])
            pk_out_axis_texts(out, group, dims[(*n_dims)++] = model->attributes[a].name, model->attributes[a].n_values,
                              model->attributes[a].values, model->attributes[a].label.in[2]);
    if (table->n_ages > 0) {
        age_axis(out, group, table);
        dims[(*n_dims)++] = "age";
    }
    if (table->measure == PK_MEASURE_TRANSITIONS) {
        arc_axis(out, store, group);
        dims[(*n_dims)++] = "transition";
    } else {
        const char **states = pk_out_names(out, model->states, model->n_states, sizeof *model->states);
        if (states != NULL)
            pk_out_axis_texts(out, group, dims[(*n_dims)++] = "state", model->n_states, states, "state");
        pk_free(states);
    }
    for (size_t j = 0; times != NULL && j < folded->n_columns; j++)
        times[j] = (double)(j * (size_t)table->step_months) / 12;
    if (times != NULL) {
        const char *long_name =
            table->measure == PK_MEASURE_OCCUPANCY ? "time since the start" : "beginning of the step, since the start";
        pk_out_digest(out, group, "time", times, folded->n_columns * sizeof *times);
        dims[(*n_dims)++] = "time";
        if (out->status == PK_OK)
            out->status = pk_results_axis_doubles(out->results, group, "time", folded->n_columns, times, "years",
                                                  long_name, out->error);
    }
    pk_free(times);
    pk_free(arms);
}

static void put_table(struct pk_out *out, const struct pk_store *store, const struct pk_folded *folded)
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
    double *values = pk_out_room(out, n, sizeof *values), *errors = pk_out_room(out, n, sizeof *errors);
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
        pk_out_array_doubles(out, group, name, dims, n_dims, n, values, units[table->measure], long_name);
        snprintf(long_name, sizeof long_name, "simulation standard error of %s", name);
        snprintf(name + strlen(name), sizeof name - strlen(name), "_se");
        pk_out_array_doubles(out, group, name, dims, n_dims, n, errors, units[table->measure], long_name);
    }
    pk_out_number(out, group, "persons", folded->n / replications);
    pk_free(values);
    pk_free(errors);
}

/* Files that a model or scenario names: their names as written there, and their texts. */
static void put_attachments(struct pk_out *out, const char *group, const struct pk_attachments *attachments,
                            const char *what)
{
    int64_t places[PK_MAX_ATTACHMENTS];
    const char *dim = "file", *names[PK_MAX_ATTACHMENTS];
    if (attachments->n == 0)
        return;
    for (size_t i = 0; i < attachments->n; i++) {
        places[i] = (int64_t)i;
        names[i] = attachments->items[i].name;
    }
    pk_out_axis_integers(out, group, dim, attachments->n, places, what);
    pk_out_array_texts(out, group, "names", &dim, 1, attachments->n, names, "name as written");
    for (size_t i = 0; i < attachments->n; i++) {
        char name[32];
        snprintf(name, sizeof name, "text_%zu", i);
        pk_out_long(out, group, name, attachments->items[i].text, what);
    }
}

static void put_root(struct pk_out *out, const struct pk_store *store)
{
    const struct pk_scenario *scenario = store->scenario;
    char digest[24];
    snprintf(digest, sizeof digest, "%016llx", (unsigned long long)pk_plan_digest(store->plan));
    pk_out_text(out, "/", "title", scenario->title);
    pk_out_text(out, "/", "scenario", scenario->name);
    pk_out_text(out, "/", "model", store->model->name);
    pk_out_text(out, "/", "polku_version", pk_provenance_version());
    pk_out_text(out, "/", "plan_digest", digest);
    pk_out_integer(out, "/", "seed", (int64_t)scenario->seed);
    pk_out_integer(out, "/", "persons", (int64_t)store->plan->n_persons);
    pk_out_integer(out, "/", "replications", store->run->n_replications);
    pk_out_integer(out, "/", "batches_per_replication", store->run->n_batches);
    pk_out_number(out, "/", "horizon_years", scenario->horizon_months / 12);
    pk_out_integer(out, "/", "transitions_simulated", store->run->fold.n_events);
    pk_out_text(out, "/provenance", "warnings", store->warnings);
    pk_out_long(out, "/provenance", "model_text", store->model->text, "the model file");
    pk_out_long(out, "/provenance", "scenario_text", scenario->text, "the scenario file");
    put_attachments(out, "/provenance/model_files", &store->model->attachments, "file that the model names");
    put_attachments(out, "/provenance/scenario_files", &scenario->attachments, "file that the scenario names");
    pk_out_text(out, "/provenance", "model_file", store->model->file);
    pk_out_text(out, "/provenance", "scenario_file", scenario->file);
    struct pk_text text;
    pk_text_init(&text);
    for (size_t i = 0; i < store->n_sets; i++)
        pk_text_addf(&text, "%s=%s\n", store->sets[i].parameter, store->sets[i].to);
    pk_out_text(out, "/provenance", "overrides", pk_text_string(&text));
    pk_out_integer(out, "/provenance", "replications_asked", store->replications_asked);
    pk_text_free(&text);
    pk_text_init(&text);
    for (size_t i = 0; i < store->model->n_warnings_of_documents; i++)
        pk_text_addf(&text, "%s\n", store->model->warnings_of_documents[i]);
    pk_out_text(out, "/provenance", "documents_warn", pk_text_string(&text));
    pk_text_free(&text);
}

/* What depends on the machine and the day, outside the digest. */
static void put_host(struct pk_out *out, const struct pk_store *store)
{
    struct utsname host;
    char now[32] = "unknown";
    time_t seconds = time(NULL);
    struct tm parts;
    out->digesting = false;
    if (gmtime_r(&seconds, &parts) != NULL)
        strftime(now, sizeof now, "%Y-%m-%dT%H:%M:%SZ", &parts);
    pk_out_text(out, "/host", "created", now);
    pk_out_text(out, "/host", "host", uname(&host) == 0 ? host.nodename : "unknown");
    pk_out_text(out, "/host", "command", store->command);
    pk_out_integer(out, "/host", "threads", store->run->n_threads);
    pk_out_number(out, "/host", "simulation_seconds", store->run->seconds);
    pk_out_text(out, "/host", "git_revision", pk_provenance_revision());
    pk_out_text(out, "/host", "compiler", pk_provenance_compiler());
    pk_out_text(out, "/host", "libraries", pk_provenance_libraries());
}

enum pk_status pk_store_save(const struct pk_store *store, const char *path, char *digest, struct pk_error *error)
{
    struct pk_out out = {.error = error, .digesting = true};
    uint64_t bytes = 0;
    for (size_t i = 0; i < store->run->fold.n_folded; i++)
        bytes += 32 * store->plan->n_arms * store->run->fold.folded[i].n_cells;
    const struct pk_folded_queues *queues = &store->run->fold.queues;
    bytes += 16 * queues->n_arms * queues->n_stations * queues->n_steps * PK_QUEUE_COUNTS;
    bytes += 8 * queues->n_arms * queues->n_stations * PK_WAIT_BINS;
    if (store->log != NULL)
        bytes += 150 * store->log->n_rows;
    SHA256Init(&out.digest);
    out.status = bytes > PK_RESULTS_MEMORY_BYTES && path != NULL ? pk_results_create_on_disk(&out.results, path, error)
                                                                 : pk_results_create(&out.results, error);
    if (out.status == PK_OK) {
        put_root(&out, store);
        pk_store_put_parameters(&out, store);
        pk_store_put_evidence(&out, store);
        pk_store_put_calibrations(&out, store);
        pk_store_put_arms(&out, store);
        pk_store_put_outcomes(&out, store);
        pk_store_put_rewards(&out, store);
        pk_store_put_histograms(&out, store);
        pk_store_put_places(&out, store);
        pk_store_put_preventions(&out, store);
        for (size_t i = 0; i < store->run->fold.n_folded && out.status == PK_OK; i++)
            put_table(&out, store, &store->run->fold.folded[i]);
        pk_store_put_variants(&out, store);
        pk_store_put_bridge(&out, store);
        pk_store_put_events(&out, store);
        SHA256End(&out.digest, digest);
        put_host(&out, store);
        pk_out_text(&out, "/host", "digest", digest);
    }
    if (out.status == PK_OK && path != NULL)
        out.status = pk_results_save(out.results, path, error);
    pk_results_close(out.results);
    return out.status;
}
