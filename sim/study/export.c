/* A result file as tidy CSV tables. See export.h. */
#include "polku/export.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "polku/compare.h"
#include "polku/file.h"
#include "polku/memory.h"
#include "polku/places.h"
#include "polku/results.h"
#include "polku/text.h"

struct exporting {
    struct pk_results *results;
    const char *directory;
    void (*told)(const char *path);
    struct pk_error *error;
    enum pk_status status;
};

static void put_field(struct pk_text *text, const char *field)
{
    if (strpbrk(field, ",\"\n\r") == NULL) {
        pk_text_addf(text, "%s", field);
        return;
    }
    pk_text_put(text, "\"");
    for (const char *c = field; *c != '\0'; c++)
        pk_text_addf(text, *c == '"' ? "\"\"" : "%c", *c);
    pk_text_put(text, "\"");
}

static void put_value(struct pk_text *text, double value)
{
    if (isnan(value))
        pk_text_put(text, "NA");
    else if (isinf(value))
        pk_text_addf(text, value > 0 ? "Inf" : "-Inf");
    else
        pk_text_add_json_number(text, value);
}

/* Labels of one axis as texts, whatever it holds; freed with pk_free. */
static char **axis_labels(struct exporting *e, const char *group, const char *dim, size_t *n)
{
    char path[256], **texts = NULL;
    struct pk_error ignored;
    snprintf(path, sizeof path, "%s/%s", group, dim);
    e->status = pk_results_read_texts(e->results, path, &texts, n, &ignored);
    if (e->status == PK_OK)
        return texts;
    if (e->status == PK_NO_MEMORY) {
        if (e->error != NULL)
            *e->error = ignored;
        return NULL;
    }
    double *values = NULL;
    size_t extent[PK_RESULTS_DIMS_MAX], n_dims;
    e->status = pk_results_read_doubles(e->results, path, &values, n, extent, &n_dims, e->error);
    if (e->status != PK_OK)
        return NULL;
    enum { ROOM = 40 };
    texts = pk_alloc(*n, sizeof *texts + ROOM);
    if (texts == NULL) {
        e->status = pk_error_set(e->error, PK_NO_MEMORY, "no memory to export");
    } else {
        char *room = (char *)(texts + *n);
        for (size_t i = 0; i < *n; i++) {
            struct pk_text text;
            pk_text_init(&text);
            put_value(&text, values[i]);
            snprintf(room + i * ROOM, ROOM, "%s", pk_text_string(&text));
            pk_text_free(&text);
            texts[i] = room + i * ROOM;
        }
    }
    pk_free(values);
    return texts;
}

static void write_csv(struct exporting *e, const char *name, struct pk_text *text)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s.csv", e->directory, name);
    if (text->failed && e->status == PK_OK)
        e->status = pk_error_set(e->error, PK_NO_MEMORY, "no memory to export");
    if (e->status == PK_OK)
        e->status = pk_file_write(path, pk_text_string(text), text->size, e->error);
    if (e->status == PK_OK && e->told != NULL)
        e->told(path);
}

/* Appends the rows of group/measure with its standard errors in group/measure_se, where there are any. */
static void add_measure(struct exporting *e, const char *group, const char *measure, bool header, struct pk_text *text)
{
    char path[256], names[PK_RESULTS_DIMS_MAX][PK_RESULTS_NAME_BYTES], **labels[PK_RESULTS_DIMS_MAX] = {NULL};
    double *values = NULL, *errors = NULL;
    size_t n = 0, n_errors = 0, extent[PK_RESULTS_DIMS_MAX], n_dims = 0, n_labels;
    snprintf(path, sizeof path, "%s/%s", group, measure);
    if (e->status == PK_OK)
        e->status = pk_results_read_doubles(e->results, path, &values, &n, extent, &n_dims, e->error);
    if (e->status == PK_OK)
        e->status = pk_results_dims(e->results, path, names, &n_dims, e->error);
    snprintf(path, sizeof path, "%s/%s_se", group, measure);
    if (e->status == PK_OK && pk_results_has(e->results, path))
        e->status = pk_results_read_doubles(e->results, path, &errors, &n_errors, extent, &n_dims, e->error);
    for (size_t d = 0; d < n_dims && e->status == PK_OK; d++) {
        labels[d] = axis_labels(e, group, names[d], &n_labels);
        if (e->status == PK_OK && n_labels != extent[d])
            e->status = pk_error_set(e->error, PK_BAD_INPUT, "the axis %s of %s has the wrong length", names[d], path);
    }
    if (e->status == PK_OK && errors != NULL && n_errors != n)
        e->status = pk_error_set(e->error, PK_BAD_INPUT, "%s has another shape than its values", path);
    for (size_t d = 0; header && d < n_dims && e->status == PK_OK; d++)
        pk_text_addf(text, "%s,", names[d]);
    if (header && e->status == PK_OK)
        pk_text_put(text, "measure,value,mcse\n");
    for (size_t i = 0; i < n && e->status == PK_OK; i++) {
        size_t rest = i, index[PK_RESULTS_DIMS_MAX];
        for (size_t d = n_dims; d-- > 0; rest /= extent[d])
            index[d] = rest % extent[d];
        for (size_t d = 0; d < n_dims; d++) {
            put_field(text, labels[d][index[d]]);
            pk_text_put(text, ",");
        }
        pk_text_addf(text, "%s,", measure);
        put_value(text, values[i]);
        pk_text_put(text, ",");
        put_value(text, errors != NULL ? errors[i] : (double)NAN);
        pk_text_put(text, "\n");
    }
    for (size_t d = 0; d < n_dims; d++)
        pk_free(labels[d]);
    pk_free(values);
    pk_free(errors);
}

/* "/enrolled_1/occupancy" becomes "enrolled_1_occupancy" and what follows. */
static void file_name(const char *group, const char *after, char *name, size_t size)
{
    snprintf(name, size, "%.200s%s", group + 1, after);
    for (char *c = name; *c != '\0'; c++)
        *c = *c == '/' ? '_' : *c;
}

/* A table's group: its measure and, where there are several arms, the differences. */
static void export_table(struct exporting *e, const char *group)
{
    static const char *const measures[] = {"occupancy", "person_years", "transitions"};
    char path[256], name[256];
    struct pk_text text;
    pk_text_init(&text);
    file_name(group, "", name, sizeof name);
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/%s", group, measures[i]);
        if (!pk_results_has(e->results, path))
            continue;
        add_measure(e, group, measures[i], true, &text);
        snprintf(path, sizeof path, "%s_difference", measures[i]);
        char difference[512];
        snprintf(difference, sizeof difference, "%s/%s", group, path);
        if (pk_results_has(e->results, difference))
            add_measure(e, group, path, false, &text);
        write_csv(e, name, &text);
    }
    pk_text_free(&text);
}

/* A histogram's group: numbers and shares by bin; quantiles apart, since they have another axis. */
static void export_histogram(struct exporting *e, const char *group)
{
    char name[256];
    struct pk_text text;
    file_name(group, "", name, sizeof name);
    pk_text_init(&text);
    add_measure(e, group, "share", true, &text);
    add_measure(e, group, "count", false, &text);
    write_csv(e, name, &text);
    pk_text_free(&text);
    file_name(group, "_quantiles", name, sizeof name);
    add_measure(e, group, "value", true, &text);
    write_csv(e, name, &text);
    pk_text_free(&text);
}

/* A service's places: by month and region; over the whole time by region; and how long people waited. */
static void export_places(struct exporting *e, const char *group)
{
    static const char *const totals[] = {"total_requested", "total_served", "mean_wait", "utilisation"};
    char name[256];
    struct pk_text text;
    pk_text_init(&text);
    for (size_t i = 0; i < PK_QUEUE_COUNTS; i++)
        add_measure(e, group, pk_queue_names[i], i == 0, &text);
    file_name(group, "", name, sizeof name);
    write_csv(e, name, &text);
    pk_text_free(&text);
    for (size_t i = 0; i < sizeof totals / sizeof *totals; i++)
        add_measure(e, group, totals[i], i == 0, &text);
    file_name(group, "_totals", name, sizeof name);
    write_csv(e, name, &text);
    pk_text_free(&text);
    add_measure(e, group, "waits", true, &text);
    file_name(group, "_waits", name, sizeof name);
    write_csv(e, name, &text);
    pk_text_free(&text);
}

static void export_outcomes(struct exporting *e, const char *group, const char *name)
{
    struct pk_text text;
    char path[64];
    snprintf(path, sizeof path, "%s/value", group);
    if (!pk_results_has(e->results, path))
        return;
    pk_text_init(&text);
    add_measure(e, group, "value", true, &text);
    snprintf(path, sizeof path, "%s/denominator", group);
    if (pk_results_has(e->results, path)) /* value is to be divided by it */
        add_measure(e, group, "denominator", false, &text);
    write_csv(e, name, &text);
    pk_text_free(&text);
}

/* A group of columns on one axis: parameters, arms, variants' names. */
static void export_columns(struct exporting *e, const char *group, const char *const *columns, size_t n_columns,
                           const char *name)
{
    struct pk_text text;
    char path[256], **cells[32] = {NULL};
    size_t n_rows = 0;
    snprintf(path, sizeof path, "%s/%s", group, columns[0]);
    if (!pk_results_has(e->results, path))
        return;
    pk_text_init(&text);
    for (size_t k = 0; k < n_columns && e->status == PK_OK; k++) {
        cells[k] = axis_labels(e, group, columns[k], &n_rows);
        pk_text_addf(&text, "%s%s", k ? "," : "", columns[k]);
    }
    pk_text_put(&text, "\n");
    for (size_t i = 0; i < n_rows && e->status == PK_OK; i++) {
        for (size_t k = 0; k < n_columns; k++) {
            pk_text_addf(&text, "%s", k ? "," : "");
            put_field(&text, cells[k][i]);
        }
        pk_text_put(&text, "\n");
    }
    write_csv(e, name, &text);
    for (size_t k = 0; k < n_columns; k++)
        pk_free(cells[k]);
    pk_text_free(&text);
}

struct groups {
    char (*names)[160];
    size_t n, room;
    bool failed;
};

/* Remembers the group of every dataset that is called time: those are tables; of every share: those are histograms;
 * of every wait_bin: those are places. */
static bool find_groups(const char *path, void *data)
{
    struct groups *groups = data;
    const char *slash = strrchr(path, '/');
    if (slash == NULL ||
        (strcmp(slash, "/time") != 0 && strcmp(slash, "/share") != 0 && strcmp(slash, "/wait_bin") != 0) ||
        (size_t)(slash - path) >= sizeof groups->names[0])
        return true;
    if (groups->n == groups->room) {
        void *grown = pk_realloc(groups->names, groups->room + 64, sizeof groups->names[0]);
        groups->failed |= grown == NULL;
        if (grown == NULL)
            return false;
        groups->names = grown;
        groups->room += 64;
    }
    snprintf(groups->names[groups->n++], sizeof groups->names[0], "%.*s", (int)(slash - path), path);
    return true;
}

/* The log's own columns, then the attributes of people. */
struct columns {
    const char *names[32];
    char texts[32][PK_RESULTS_NAME_BYTES];
    size_t n;
};

static bool find_columns(const char *path, void *data)
{
    struct columns *columns = data;
    const char *name = path + strlen("/events/");
    if (strncmp(path, "/events/", strlen("/events/")) != 0 || strcmp(name, "row") == 0)
        return true;
    for (size_t i = 0; i < columns->n; i++)
        if (strcmp(columns->names[i], name) == 0)
            return true;
    if (columns->n < 32 && strlen(name) < sizeof columns->texts[0]) {
        strcpy(columns->texts[columns->n], name);
        columns->names[columns->n] = columns->texts[columns->n];
        columns->n++;
    }
    return true;
}

static void export_events(struct exporting *e)
{
    struct columns columns = {.names = {"id", "arm", "from", "to", "tstart", "tstop", "status"}, .n = 7};
    if (e->status == PK_OK)
        e->status = pk_results_visit(e->results, find_columns, &columns, e->error);
    export_columns(e, "/events", columns.names, columns.n, "events");
}

/* By prevention, and by prevention and year. */
static void export_preventions(struct exporting *e)
{
    static const char *const columns[] = {"row",
                                          "arm",
                                          "prevention",
                                          "persons",
                                          "persons_blocked",
                                          "persons_blocked_se",
                                          "persons_without",
                                          "persons_without_se",
                                          "persons_later",
                                          "persons_later_se"};
    static const char *const yearly[] = {"blocked", "events_base", "events_arm", "fewer"};
    struct pk_text text;
    export_columns(e, "/preventions", columns, sizeof columns / sizeof *columns, "preventions");
    if (!pk_results_has(e->results, "/preventions/blocked"))
        return;
    pk_text_init(&text);
    for (size_t i = 0; i < 4; i++)
        add_measure(e, "/preventions", yearly[i], i == 0, &text);
    write_csv(e, "preventions_by_year", &text);
    pk_text_free(&text);
}

enum pk_status pk_export_csv(const char *result_path, const char *directory, void (*told)(const char *path),
                             struct pk_error *error)
{
    static const char *const parameters[] = {"parameter", "value",      "unit",        "given",       "given_unit",
                                             "low",       "high",       "overridden",  "source_kind", "source",
                                             "caveat",    "conversion", "description", "price"};
    static const char *const arms[] = {"arm",     "label_fi", "label_sv",     "label_en",        "note",
                                       "assumes", "enrolled", "changed",      "cost_per_person", "cohort",
                                       "touched", "like",     "places_ratio", "ample_twin"};
    static const char *const rewards[] = {"reward", "label_fi", "label_sv", "label_en", "unit", "payer", "kind"};
    static const char *const calibrations[] = {"calibration", "study",      "study_title", "study_digest",
                                               "file",        "parameters", "set_over"};
    static const char *const marks[] = {"mark", "mark_calibration", "mark_text"};
    static const char *const evidence[] = {"id",   "value",       "low",     "high",      "unit",
                                           "kind", "source_file", "locator", "parameter", "named_in"};
    static const char *const variants[] = {"variant", "topic", "name", "changed", "warning"};
    struct exporting e = {.directory = directory, .told = told, .error = error};
    struct groups groups = {0};
    e.status = pk_results_open(result_path, &e.results, error);
    if (e.status != PK_OK)
        return e.status;
    if (mkdir(directory, 0777) != 0 && errno != EEXIST) {
        e.status = pk_error_set(error, PK_IO, "cannot make the directory %s: %s", directory, strerror(errno));
    } else {
        e.status = pk_results_visit(e.results, find_groups, &groups, error);
        if (groups.failed)
            e.status = pk_error_set(error, PK_NO_MEMORY, "no memory to export");
        for (size_t i = 0; i < groups.n && e.status == PK_OK; i++)
            if (strstr(groups.names[i], "/histograms/") != NULL)
                export_histogram(&e, groups.names[i]);
            else if (strncmp(groups.names[i], "/places/", 8) == 0)
                export_places(&e, groups.names[i]);
            else
                export_table(&e, groups.names[i]);
        export_outcomes(&e, "/outcomes", "outcomes");
        export_outcomes(&e, "/variants", "variant_outcomes");
        export_columns(&e, "/parameters", parameters, sizeof parameters / sizeof *parameters, "parameters");
        export_columns(&e, "/evidence", evidence, sizeof evidence / sizeof *evidence, "evidence");
        export_columns(&e, "/calibrations", calibrations, sizeof calibrations / sizeof *calibrations, "calibrations");
        export_columns(&e, "/calibrations", marks, sizeof marks / sizeof *marks, "calibration_marks");
        export_columns(&e, "/arms", arms, sizeof arms / sizeof *arms, "arms");
        export_events(&e);
        export_columns(&e, "/rewards", rewards, sizeof rewards / sizeof *rewards, "rewards");
        export_preventions(&e);
        export_columns(&e, "/variants", variants, sizeof variants / sizeof *variants, "variants");
        export_columns(&e, "/bridge", pk_compare_bridge_columns, PK_COMPARE_BRIDGE_COLUMNS, "bridge");
        if (e.status == PK_OK && pk_results_has(e.results, "/variants/variant")) {
            struct pk_text text;
            e.status = pk_compare_csv_weighed(result_path, &text, error);
            if (e.status == PK_OK && text.size > 0)
                write_csv(&e, "influence", &text);
            pk_text_free(&text);
        }
    }
    pk_free(groups.names);
    pk_results_close(e.results);
    return e.status;
}
