/* Reading a model file. See load.h. */
#include <string.h>

#include "load_private.h"
#include "polku/file.h"
#include "polku/text.h"

static const char *copied(struct pk_load *load, const char *text)
{
    const char *copy = pk_arena_text(load->arena, text);
    load->no_memory |= copy == NULL;
    return copy;
}

/* The mapping under a key as (count, items); false if it is missing (a problem if needed) or no mapping. */
static bool section(const struct pk_reader *root, const char *key, bool needed, struct pk_reader *r)
{
    if (!(needed ? pk_reader_need(root, key, r) : pk_reader_find(root, key, r)))
        return false;
    return pk_reader_expect(r, PK_YAML_MAPPING, "a mapping by name");
}

static bool too_many(const struct pk_reader *r, size_t n, size_t most)
{
    if (n > most)
        pk_reader_problem(r, NULL, "has %zu entries, at most %zu are allowed", n, most);
    return n > most;
}

static void read_states(struct pk_load *load, const struct pk_reader *root)
{
    static const char *const keys[] = {"absorbing", "label", "stream", NULL};
    struct pk_model *model = load->model;
    struct pk_reader r, child;
    if (!section(root, "states", true, &r) || too_many(&r, pk_reader_count(&r), PK_MAX_STATES))
        return;
    size_t n = pk_reader_count(&r);
    model->states = pk_load_alloc(load, n, sizeof *model->states);
    for (size_t i = 0; i < n && model->states != NULL; i++) {
        const char *name;
        if (pk_reader_key_name(&r, i, &name))
            model->states[model->n_states++].name = copied(load, name);
    }
    if (n == 0)
        pk_reader_problem(&r, NULL, "is empty, expected at least one state");
    if (model->n_states != n || load->no_memory)
        return;
    for (size_t i = 0; i < n; i++) {
        struct pk_reader item = pk_reader_item(&r, i);
        struct pk_state *state = &model->states[i];
        state->i_stream = i;
        if (pk_reader_is_empty(&item)) {
            pk_load_label(load, &item, state->name, &state->label);
            continue;
        }
        if (!pk_reader_allow(&item, keys))
            continue;
        if (pk_reader_find(&item, "absorbing", &child))
            (void)pk_reader_bool(&child, &state->absorbing);
        if (pk_reader_find(&item, "stream", &child))
            (void)pk_load_state(load, &child, &state->i_stream);
        pk_load_label(load, &item, state->name, &state->label);
    }
}

/* Names that result files and tables of people give to columns and axes of their own. */
static void refuse_reserved(const struct pk_reader *r, const char *name)
{
    static const char *const reserved[] = {
        "arm",        "state",      "time",     "age",    "weight",   "time_in_state", "value",       "share",
        "transition", "from_state", "to_state", "bin",    "quantile", "population",    "replication", "id",
        "from",       "to",         "row",      "status", "tstart",   "tstop"};
    for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++)
        if (strcmp(name, reserved[i]) == 0)
            pk_reader_problem(r, "choose another", "the name %s is taken: result files and tables of people use it",
                              name);
}

static void read_attribute(struct pk_load *load, const struct pk_reader *r, struct pk_attribute *attribute)
{
    static const char *const keys[] = {"values", "label", NULL};
    static const char *const languages[] = {"fi", "sv", "en", NULL};
    struct pk_reader values;
    if (!pk_reader_allow(r, keys))
        return;
    refuse_reserved(r, attribute->name);
    pk_load_label(load, r, attribute->name, &attribute->label);
    if (!pk_reader_need(r, "values", &values))
        return;
    bool named = pk_reader_is(&values, PK_YAML_MAPPING);
    if (!named && !pk_reader_expect(&values, PK_YAML_SEQUENCE, "a list of values, or a mapping of values to labels"))
        return;
    size_t n = pk_reader_count(&values);
    if (n == 0)
        pk_reader_problem(&values, NULL, "is empty, expected at least one value");
    if (n == 0 || too_many(&values, n, PK_MAX_ATTRIBUTE_VALUES))
        return;
    attribute->values = pk_load_alloc(load, n, sizeof *attribute->values);
    attribute->value_labels = pk_load_alloc(load, n, sizeof *attribute->value_labels);
    if (attribute->values == NULL || attribute->value_labels == NULL)
        return;
    for (size_t i = 0; i < n; i++) {
        struct pk_reader item = pk_reader_item(&values, i), text;
        const char *name;
        if (!(named ? pk_reader_key_name(&values, i, &name) : pk_reader_name(&item, &name)))
            continue;
        if (attribute->n_values > 0 && pk_model_attribute_value(attribute, name) != SIZE_MAX) {
            pk_reader_problem(&item, NULL, "names the value %s again", name);
            continue;
        }
        struct pk_label *label = &attribute->value_labels[attribute->n_values];
        attribute->values[attribute->n_values++] = copied(load, name);
        for (size_t l = 0; l < PK_LANGUAGES; l++)
            label->in[l] = attribute->values[attribute->n_values - 1];
        if (!named || pk_reader_is_empty(&item) || !pk_reader_allow(&item, languages))
            continue;
        for (size_t l = 0; l < PK_LANGUAGES; l++) {
            const char *string;
            if (pk_reader_find(&item, languages[l], &text) && pk_reader_text(&text, &string))
                label->in[l] = copied(load, string);
        }
    }
}

static void read_attributes(struct pk_load *load, const struct pk_reader *root)
{
    struct pk_model *model = load->model;
    struct pk_reader r;
    if (!section(root, "attributes", false, &r) || too_many(&r, pk_reader_count(&r), PK_MAX_ATTRIBUTES))
        return;
    size_t n = pk_reader_count(&r);
    model->attributes = pk_load_alloc(load, n, sizeof *model->attributes);
    for (size_t i = 0; i < n && model->attributes != NULL; i++) {
        struct pk_reader item = pk_reader_item(&r, i);
        const char *name;
        if (!pk_reader_key_name(&r, i, &name))
            continue;
        struct pk_attribute *attribute = &model->attributes[model->n_attributes++];
        attribute->name = copied(load, name);
        read_attribute(load, &item, attribute);
    }
}

static void read_joints(struct pk_load *load, const struct pk_reader *root)
{
    struct pk_model *model = load->model;
    struct pk_reader r;
    bool *in_joint = pk_load_alloc(load, model->n_attributes, sizeof *in_joint);
    if (in_joint != NULL && pk_reader_find(root, "joint", &r))
        pk_load_joints(load, &r, model->joints, &model->n_joints, in_joint);
}

/* NAME: {variance: P, unconditional: true, label: ...} */
static void read_frailty(struct pk_load *load, const struct pk_reader *r, struct pk_frailty *frailty)
{
    static const char *const keys[] = {"variance", "unconditional", "label", NULL};
    struct pk_reader child;
    if (!pk_reader_allow(r, keys))
        return;
    pk_load_label(load, r, frailty->name, &frailty->label);
    if (pk_reader_need(r, "variance", &child))
        (void)pk_load_parameter(load, &child, PK_UNITS(PK_UNIT_VARIANCE), false, &frailty->i_variance);
    if (pk_reader_find(r, "unconditional", &child))
        (void)pk_reader_bool(&child, &frailty->unconditional);
}

/* Names first, so that sections may refer to each other in any order. */
#define READ_NAMED(load, root, key, most, field, count, read)                                                          \
    do {                                                                                                               \
        struct pk_reader r_;                                                                                           \
        if (!section(root, key, false, &r_) || too_many(&r_, pk_reader_count(&r_), most))                              \
            break;                                                                                                     \
        size_t n_ = pk_reader_count(&r_);                                                                              \
        (load)->model->field = pk_load_alloc(load, n_, sizeof *(load)->model->field);                                  \
        for (size_t i_ = 0; i_ < n_ && (load)->model->field != NULL; i_++) {                                           \
            struct pk_reader item_ = pk_reader_item(&r_, i_);                                                          \
            const char *name_;                                                                                         \
            if (!pk_reader_key_name(&r_, i_, &name_))                                                                  \
                continue;                                                                                              \
            (load)->model->field[(load)->model->count].name = copied(load, name_);                                     \
            if ((load)->no_memory)                                                                                     \
                break;                                                                                                 \
            read(load, &item_, &(load)->model->field[(load)->model->count++]);                                         \
        }                                                                                                              \
    } while (0)

static void set_place(struct pk_load *load, const struct pk_reader *root)
{
    struct pk_reader r;
    if (!pk_reader_find(root, "transitions", &r))
        return;
    for (size_t i = 0; i < pk_reader_count(&r); i++) {
        size_t k = pk_model_transition(load->model, pk_reader_key(&r, i));
        if (k != SIZE_MAX) {
            load->model->transitions[k].line = r.node->key_lines[i];
            load->model->transitions[k].column = r.node->key_columns[i];
        }
    }
}

static void read_model(struct pk_load *load, const struct pk_reader *root)
{
    static const char *const keys[] = {"polku",      "model",      "title",       "documents_warn", "states",
                                       "attributes", "parameters", "transitions", "services",       "rewards",
                                       "frailty",    "joint",      "evidence",    "uncertainty",    NULL};
    struct pk_model *model = load->model;
    struct pk_reader child;
    const char *text;
    if (!pk_reader_allow(root, keys))
        return;
    (void)pk_load_format(root);
    if (pk_reader_need(root, "model", &child) && pk_reader_name(&child, &text))
        model->name = copied(load, text);
    model->title = model->name;
    if (pk_reader_find(root, "title", &child) && pk_reader_text(&child, &text))
        model->title = copied(load, text);
    if (pk_reader_find(root, "documents_warn", &child) &&
        pk_reader_expect(&child, PK_YAML_SEQUENCE, "a list of texts")) {
        size_t n = pk_reader_count(&child);
        model->warnings_of_documents = pk_load_alloc(load, n, sizeof(const char *));
        for (size_t i = 0; i < n && model->warnings_of_documents != NULL; i++) {
            struct pk_reader item = pk_reader_item(&child, i);
            if (pk_reader_text(&item, &text))
                model->warnings_of_documents[model->n_warnings_of_documents++] = copied(load, text);
        }
    }
    pk_load_evidence(load, root);
    pk_load_check_ids(load, root, true);
    read_states(load, root);
    read_attributes(load, root);
    read_joints(load, root);
    if (pk_reader_need(root, "parameters", &child))
        pk_load_parameters(load, &child);
    pk_load_uncertain_sets(load, root);
    READ_NAMED(load, root, "frailty", PK_MAX_FRAILTIES, frailties, n_frailties, read_frailty);
    READ_NAMED(load, root, "transitions", PK_MAX_TRANSITIONS, transitions, n_transitions, pk_load_read_transition);
    set_place(load, root);
    READ_NAMED(load, root, "services", PK_MAX_SERVICES, services, n_services, pk_load_read_service);
    READ_NAMED(load, root, "rewards", PK_MAX_SERVICES, rewards, n_rewards, pk_load_read_reward);
}

enum pk_status pk_load_model_text(const char *name, const char *text, size_t size, const struct pk_load_from *from,
                                  struct pk_model *model, struct pk_problems *problems)
{
    struct pk_load load = {.arena = &model->arena, .from = *from, .model = model};
    const struct pk_yaml_node *root = NULL;
    char *copy = pk_load_alloc(&load, size + 1, 1);
    model->file = pk_arena_text(&model->arena, name);
    if (copy == NULL || model->file == NULL)
        return PK_NO_MEMORY;
    memcpy(copy, text, size);
    model->text = copy;
    model->text_size = size;
    enum pk_status status = pk_yaml_parse(text, size, model->file, &model->arena, &root, problems);
    if (status != PK_OK)
        return status;
    struct pk_reader r = pk_reader_root(root, model->file, problems);
    read_model(&load, &r);
    if (load.no_memory)
        return PK_NO_MEMORY;
    if (pk_problems_errors(problems) == 0) {
        pk_model_check(model, problems);
        if (from->alone)
            pk_model_check_unused(model, problems);
    }
    return pk_problems_errors(problems) > 0 ? PK_BAD_INPUT : PK_OK;
}

enum pk_status pk_load_model(const char *path, const struct pk_load_options *options, struct pk_model *model,
                             struct pk_problems *problems)
{
    return pk_load_model_file(path, true, options, model, problems);
}

enum pk_status pk_load_model_file(const char *path, bool alone, const struct pk_load_options *options,
                                  struct pk_model *model, struct pk_problems *problems)
{
    const struct pk_load_from from = {.alone = alone, .files = true, .options = options};
    char *text;
    size_t size;
    struct pk_error error;
    pk_model_init(model);
    enum pk_status status = pk_file_read(path, PK_YAML_BYTES_MAX, &text, &size, &error);
    if (status != PK_OK) {
        pk_problems_add(problems, &error);
        return status;
    }
    status = pk_load_model_text(path, text, size, &from, model, problems);
    pk_free(text);
    if (status != PK_OK)
        pk_model_free(model);
    return status;
}
