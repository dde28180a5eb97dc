/* Calibrated files: the numbers that a study found, and what whoever uses them must be told. See load.h.
 *
 * Values, ranges and sources go into the parameters of the loaded model, before a scenario's own set; all that a file
 * says is kept in the scenario. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "load_private.h"
#include "polku/file.h"
#include "polku/text.h"
#include "polku/uncertainty.h"

static const char *copied(struct pk_load *load, const char *text)
{
    const char *copy = pk_arena_text(load->arena, text);
    load->no_memory |= copy == NULL;
    return copy;
}

/* Without line breaks: marks are told in lists of lines. */
static const char *one_line(struct pk_load *load, const char *text)
{
    size_t n = strlen(text);
    char *copy = pk_load_alloc(load, n + 1, 1);
    if (copy == NULL)
        return NULL;
    for (size_t i = 0; i < n; i++)
        copy[i] = (char)(text[i] == '\n' || text[i] == '\r' || text[i] == '\t' ? ' ' : text[i]);
    while (n > 0 && copy[n - 1] == ' ')
        n--;
    copy[n] = '\0';
    return copy;
}

/* The parameter that key i names, NULL if there is none that could be told apart: alone, or after a problem. */
static struct pk_parameter *parameter_of(struct pk_load *load, const struct pk_reader *r, size_t i)
{
    char what[PK_SOURCE_PATH_SIZE];
    const char *name = pk_reader_key(r, i);
    if (load->model == NULL)
        return NULL;
    for (size_t k = 0; k < load->scenario->n_calibrations; k++) {
        const struct pk_calibration *other = &load->scenario->calibrations[k];
        for (size_t p = 0; p < other->n_parameters; p++)
            if (strcmp(other->parameters[p].name, name) == 0) {
                char file[PK_SOURCE_EXCERPT_SIZE];
                pk_source_excerpt(other->file, file);
                snprintf(what, sizeof what, "is calibrated by %s already (study %s)", file, other->study);
                pk_load_problem_at_key(r, i, NULL, what);
                return NULL;
            }
    }
    size_t found = pk_model_parameter(load->model, name);
    if (found == SIZE_MAX) {
        const char *names[PK_MAX_PARAMETERS];
        for (size_t k = 0; k < load->model->n_parameters; k++)
            names[k] = load->model->parameters[k].name;
        (void)pk_load_key(load, r, i, names, load->model->n_parameters, "a parameter of the model or the scenario",
                          &found);
        return NULL;
    }
    struct pk_parameter *parameter = &load->model->parameters[found];
    return parameter->unit == PK_UNIT_COUNT ? NULL : parameter; /* its own problem is in the list */
}

static bool read_value(const struct pk_reader *r, const struct pk_parameter *parameter, double *value)
{
    struct pk_error error;
    if (!pk_reader_double(r, value))
        return false;
    if (parameter == NULL || pk_model_value(parameter, r->node->text, value, NULL, &error) == PK_OK)
        return true;
    pk_reader_problem(r, error.hint[0] != '\0' ? error.hint : NULL, "cannot be set: %s", error.message);
    return false;
}

static bool read_range(const struct pk_reader *r, const struct pk_parameter *parameter, struct pk_calibrated *made)
{
    double least = -INFINITY, most = INFINITY;
    if (!pk_reader_expect(r, PK_YAML_SEQUENCE, "[low, high]"))
        return false;
    if (pk_reader_count(r) != 2) {
        pk_reader_problem(r, NULL, "has %zu numbers, expected [low, high]", pk_reader_count(r));
        return false;
    }
    if (parameter != NULL)
        pk_unit_interval(parameter->given_unit, &least, &most);
    struct pk_reader low = pk_reader_item(r, 0), high = pk_reader_item(r, 1);
    if (!pk_reader_double_in(&low, least, most, &made->low) || !pk_reader_double_in(&high, least, most, &made->high))
        return false;
    made->has_range = made->low <= made->value && made->value <= made->high;
    if (!made->has_range)
        pk_reader_problem(r, NULL, "[%g, %g] does not hold the value %g", made->low, made->high, made->value);
    return made->has_range;
}

/* The text of key i of a mapping, or NULL after a problem. */
static const char *text_of(struct pk_load *load, const struct pk_reader *r)
{
    const char *text;
    return pk_reader_text(r, &text) ? copied(load, text) : NULL;
}

static bool read_source(struct pk_load *load, const struct pk_reader *r, struct pk_source *source)
{
    static const char *const keys[] = {"calibrated", NULL};
    struct pk_reader child, text;
    if (!pk_reader_need(r, "source", &child) || !pk_reader_allow(&child, keys) ||
        !pk_reader_need(&child, pk_source_names[PK_SOURCE_CALIBRATED], &text))
        return false;
    source->kind = PK_SOURCE_CALIBRATED;
    source->text = text_of(load, &text);
    if (source->text != NULL && pk_reader_find(r, "caveat", &text))
        return (source->caveat = text_of(load, &text)) != NULL;
    return source->text != NULL;
}

/* Into the model's own memory, as all that is the model's. */
static void apply(struct pk_load *load, const struct pk_calibrated *made, struct pk_parameter *parameter)
{
    struct pk_arena *arena = &load->model->arena;
    const double value = made->value;
    parameter->values[0] = value;
    if (made->has_range) {
        parameter->low = made->low;
        parameter->high = made->high;
    }
    parameter->has_range =
        made->has_range || (parameter->has_range && parameter->low <= value && value <= parameter->high);
    parameter->source = (struct pk_source){.kind = made->source.kind, .text = pk_arena_text(arena, made->source.text)};
    load->no_memory |= parameter->source.text == NULL;
    parameter->uncertainty = NULL; /* it was about the value before */
    if (made->source.caveat != NULL)
        load->no_memory |= (parameter->source.caveat = pk_arena_text(arena, made->source.caveat)) == NULL;
}

static void read_parameter(struct pk_load *load, const struct pk_reader *r, size_t i,
                           struct pk_calibration *calibration)
{
    static const char *const keys[] = {"value", "range", "source", "caveat", NULL};
    struct pk_reader item = pk_reader_item(r, i), child;
    struct pk_calibrated made = {0};
    const char *name;
    if (!pk_reader_key_name(r, i, &name))
        return;
    struct pk_parameter *parameter = parameter_of(load, r, i);
    if (!pk_reader_allow(&item, keys))
        return;
    bool good = pk_reader_need(&item, "value", &child) && read_value(&child, parameter, &made.value);
    if (good && pk_reader_find(&item, "range", &child))
        good = read_range(&child, parameter, &made);
    good &= read_source(load, &item, &made.source);
    made.name = copied(load, name);
    if (!good || load->no_memory)
        return;
    calibration->parameters[calibration->n_parameters++] = made;
    if (parameter == NULL)
        return;
    apply(load, &made, parameter);
    const size_t i_set = pk_uncertain_set_of(load->model, (size_t)(parameter - load->model->parameters));
    if (i_set != SIZE_MAX && load->model->uncertain_sets[i_set].kind != PK_UNCERTAIN_CORRELATED)
        pk_reader_warning(&item,
                          "is drawn with others in the model's uncertainty %s, which knows nothing of the "
                          "calibration",
                          load->model->uncertain_sets[i_set].name);
}

static void read_marks(struct pk_load *load, const struct pk_reader *r, struct pk_calibration *calibration)
{
    const char *text;
    if (pk_reader_is_empty(r) || !pk_reader_expect(r, PK_YAML_SEQUENCE, "a list of texts"))
        return;
    calibration->marks = pk_load_alloc(load, pk_reader_count(r), sizeof *calibration->marks);
    for (size_t i = 0; i < pk_reader_count(r) && calibration->marks != NULL; i++) {
        struct pk_reader item = pk_reader_item(r, i);
        if (pk_reader_text(&item, &text))
            calibration->marks[calibration->n_marks++] = one_line(load, text);
    }
}

/* All that one file says; of a scenario's, the values into the model as well. */
static void read_file(struct pk_load *load, const struct pk_reader *root, struct pk_calibration *calibration)
{
    static const char *const keys[] = {"polku", "calibrated", "title", "digest", "marks", "parameters", NULL};
    static const char digits[] = "0123456789abcdef";
    struct pk_reader r;
    const char *text;
    const enum pk_file_kind kind = pk_load_kind_of(root);
    if (kind == PK_FILE_STUDY || kind == PK_FILE_SCENARIO || kind == PK_FILE_CLAIMS ||
        pk_reader_find(root, "states", &r)) {
        pk_reader_problem(root, kind == PK_FILE_STUDY ? "polku calibrate makes one of it" : NULL,
                          "is a %s, expected a file of calibrated parameters", pk_file_kind_names[kind]);
        return;
    }
    if (!pk_reader_allow(root, keys))
        return;
    (void)pk_load_format(root);
    pk_load_check_ids(load, root, true);
    calibration->study = calibration->digest = "";
    if (pk_reader_need(root, "calibrated", &r) && pk_reader_name(&r, &text))
        calibration->study = copied(load, text);
    calibration->title = calibration->study;
    if (pk_reader_find(root, "title", &r) && pk_reader_text(&r, &text))
        calibration->title = copied(load, text);
    if (pk_reader_need(root, "digest", &r) && pk_reader_text(&r, &text)) {
        if (strlen(text) == 16 && strspn(text, digits) == 16)
            calibration->digest = copied(load, text);
        else
            (void)pk_reader_mismatch(&r, "16 hexadecimal digits, 0 to 9 and a to f", NULL);
    }
    if (pk_reader_find(root, "marks", &r))
        read_marks(load, &r, calibration);
    if (!pk_reader_need(root, "parameters", &r) ||
        !pk_reader_expect(&r, PK_YAML_MAPPING, "a mapping of parameters to values"))
        return;
    const size_t n = pk_reader_count(&r);
    if (n == 0)
        pk_reader_problem(&r, NULL, "is empty, expected at least one parameter");
    calibration->parameters = pk_load_alloc(load, n, sizeof *calibration->parameters);
    for (size_t i = 0; i < n && calibration->parameters != NULL; i++)
        read_parameter(load, &r, i, calibration);
}

/* A file that the scenario names at r. */
static void read_named(struct pk_load *load, const struct pk_reader *r)
{
    struct pk_scenario *scenario = load->scenario;
    struct pk_calibration *calibration = &scenario->calibrations[scenario->n_calibrations];
    const struct pk_yaml_node *node = NULL;
    const char *path;
    const struct pk_attachment *file = pk_load_attachment(load, r, &path);
    if (file == NULL)
        return;
    for (size_t i = 0; i < scenario->n_calibrations; i++)
        if (scenario->calibrations[i].file == file->name) {
            pk_reader_problem(r, NULL, "names the same file again");
            return;
        }
    enum pk_status status = pk_yaml_parse(file->text, file->size, path, load->arena, &node, r->problems);
    load->no_memory |= status == PK_NO_MEMORY;
    if (status != PK_OK)
        return;
    struct pk_reader root = pk_reader_root(node, path, r->problems);
    calibration->file = file->name;
    read_file(load, &root, calibration);
    scenario->n_calibrations++;
}

/* What the model's numbers must be together (shares that add up to 1), now that some are others. */
static void check_model(struct pk_load *load, struct pk_problems *problems)
{
    struct pk_problems found;
    pk_problems_init(&found);
    pk_model_check(load->model, &found);
    for (size_t i = 0; i < found.n_kept; i++)
        if (found.items[i].status != PK_OK) { /* of what it warns, it has when the model was read */
            snprintf(found.items[i].hint, sizeof found.items[i].hint, "with the calibrated values");
            pk_problems_add(problems, &found.items[i]);
        }
    load->no_memory |= found.n_kept < found.n_found && found.n_kept < PK_PROBLEMS_MAX;
    pk_problems_free(&found);
}

void pk_load_calibrations(struct pk_load *load, const struct pk_reader *root)
{
    struct pk_reader r;
    if (!pk_reader_find(root, "calibrated", &r))
        return;
    const bool list = pk_reader_is(&r, PK_YAML_SEQUENCE);
    const size_t n = list ? pk_reader_count(&r) : 1;
    if (!list && !pk_reader_is(&r, PK_YAML_SCALAR)) {
        (void)pk_reader_mismatch(&r, "the name of a file, or a list of them", NULL);
        return;
    }
    if (n == 0 || n > PK_MAX_CALIBRATIONS) {
        pk_reader_problem(&r, NULL, "names %zu files, expected 1 to %d", n, PK_MAX_CALIBRATIONS);
        return;
    }
    load->scenario->calibrations = pk_load_alloc(load, n, sizeof *load->scenario->calibrations);
    for (size_t i = 0; i < n && load->scenario->calibrations != NULL; i++) {
        struct pk_reader item = list ? pk_reader_item(&r, i) : r;
        read_named(load, &item);
    }
    if (!load->no_memory && pk_problems_errors(root->problems) == 0)
        check_model(load, root->problems);
}

enum pk_status pk_load_calibrated(const char *path, struct pk_arena *arena, struct pk_calibration *calibration,
                                  struct pk_problems *problems)
{
    struct pk_load load = {.arena = arena};
    const struct pk_yaml_node *node = NULL;
    struct pk_error error;
    char *text = NULL;
    size_t size;
    *calibration = (struct pk_calibration){0};
    enum pk_status status = pk_file_read(path, PK_YAML_BYTES_MAX, &text, &size, &error);
    if (status != PK_OK) {
        pk_problems_add(problems, &error);
        return status;
    }
    calibration->file = copied(&load, path);
    if (load.no_memory)
        status = PK_NO_MEMORY;
    if (status == PK_OK)
        status = pk_yaml_parse(text, size, calibration->file, arena, &node, problems);
    if (status == PK_OK) {
        struct pk_reader root = pk_reader_root(node, calibration->file, problems);
        read_file(&load, &root, calibration);
        status = load.no_memory ? PK_NO_MEMORY : pk_problems_errors(problems) > 0 ? PK_BAD_INPUT : PK_OK;
    }
    pk_free(text);
    return status;
}
