/* Names, labels and numbers as models and scenarios share them. See load_private.h. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "load_private.h"
#include "polku/text.h"

void *pk_load_alloc(struct pk_load *load, size_t count, size_t size)
{
    void *block = pk_arena_alloc(load->arena, count, size);
    load->no_memory |= block == NULL;
    return block;
}

/* The names of items that start with theirs, as a list. */
static const char *const *names_of(struct pk_load *load, const void *items, size_t n, size_t size)
{
    const char **names = pk_load_alloc(load, n, sizeof *names);
    for (size_t i = 0; names != NULL && i < n; i++)
        memcpy(&names[i], (const char *)items + i * size, sizeof names[i]);
    return names;
}

const char *const *pk_load_state_names(struct pk_load *load)
{
    return names_of(load, load->model->states, load->model->n_states, sizeof *load->model->states);
}

const char *const *pk_load_attribute_names(struct pk_load *load)
{
    return names_of(load, load->model->attributes, load->model->n_attributes, sizeof *load->model->attributes);
}

static bool one_of(struct pk_load *load, const struct pk_reader *r, const void *items, size_t n, size_t size,
                   const char *what, size_t *i)
{
    const char *const *names = names_of(load, items, n, size);
    return names != NULL && pk_reader_choice(r, names, n, i, what);
}

bool pk_load_state(struct pk_load *load, const struct pk_reader *r, size_t *i)
{
    return one_of(load, r, load->model->states, load->model->n_states, sizeof *load->model->states, "a state", i);
}

bool pk_load_attribute(struct pk_load *load, const struct pk_reader *r, size_t *i)
{
    return one_of(load, r, load->model->attributes, load->model->n_attributes, sizeof *load->model->attributes,
                  "an attribute", i);
}

bool pk_load_attribute_value(struct pk_load *load, const struct pk_reader *r, size_t i_attribute, size_t *i)
{
    const struct pk_attribute *attribute = &load->model->attributes[i_attribute];
    (void)load;
    return pk_reader_choice(r, attribute->values, attribute->n_values, i, "a value of the attribute");
}

bool pk_load_transition(struct pk_load *load, const struct pk_reader *r, size_t *i)
{
    return one_of(load, r, load->model->transitions, load->model->n_transitions, sizeof *load->model->transitions,
                  "a transition", i);
}

bool pk_load_service(struct pk_load *load, const struct pk_reader *r, size_t *i)
{
    return one_of(load, r, load->model->services, load->model->n_services, sizeof *load->model->services, "a service",
                  i);
}

bool pk_load_reward(struct pk_load *load, const struct pk_reader *r, size_t *i)
{
    return one_of(load, r, load->model->rewards, load->model->n_rewards, sizeof *load->model->rewards, "a reward", i);
}

bool pk_load_frailty(struct pk_load *load, const struct pk_reader *r, size_t *i)
{
    return one_of(load, r, load->model->frailties, load->model->n_frailties, sizeof *load->model->frailties,
                  "a frailty", i);
}

static void unit_list(unsigned units, char *text, size_t size)
{
    text[0] = '\0';
    for (size_t u = 0; u < PK_UNIT_COUNT; u++)
        if (units >> u & 1) {
            size_t used = strlen(text);
            snprintf(text + used, size - used, "%s%s", used ? " or " : "", pk_unit_names[u]);
        }
}

bool pk_load_parameter(struct pk_load *load, const struct pk_reader *r, unsigned units, bool table, size_t *i)
{
    double number;
    if (pk_reader_is(r, PK_YAML_SCALAR) && !r->node->quoted && pk_text_to_double(r->node->text, &number)) {
        pk_reader_problem(r, "declare it under parameters with a unit and a source, and name it here",
                          "is the bare number %s, expected the name of a parameter", r->node->text);
        return false;
    }
    size_t found;
    if (!one_of(load, r, load->model->parameters, load->model->n_parameters, sizeof *load->model->parameters,
                "a parameter", &found))
        return false;
    const struct pk_parameter *parameter = &load->model->parameters[found];
    if (parameter->unit == PK_UNIT_COUNT) /* its own problem is in the list */
        return false;
    if (!(units >> parameter->unit & 1)) {
        char expected[160];
        unit_list(units, expected, sizeof expected);
        pk_reader_problem(r, NULL, "%s has the unit %s, expected %s", parameter->name, pk_unit_names[parameter->unit],
                          expected);
        return false;
    }
    if (!table && parameter->n_values > 1) {
        pk_reader_problem(r, NULL, "%s is a table on a clock, expected a single number", parameter->name);
        return false;
    }
    *i = found;
    return true;
}

void pk_load_parameter_list(struct pk_load *load, const struct pk_reader *r, size_t **list, size_t *n)
{
    *n = 0;
    if (!pk_reader_expect(r, PK_YAML_SEQUENCE, "a list of parameters"))
        return;
    *list = pk_load_alloc(load, pk_reader_count(r), sizeof **list);
    for (size_t i = 0; i < pk_reader_count(r) && *list != NULL; i++) {
        struct pk_reader item = pk_reader_item(r, i);
        if (pk_load_parameter(load, &item, PK_UNITS_ANY, true, &(*list)[*n]))
            (*n)++;
    }
}

void pk_load_problem_at_key(const struct pk_reader *r, size_t i, const char *hint, const char *what)
{
    struct pk_reader item = pk_reader_item(r, i);
    struct pk_yaml_node at_key = *item.node;
    at_key.line = r->node->key_lines[i];
    at_key.column = r->node->key_columns[i];
    item.node = &at_key;
    pk_reader_problem(&item, hint, "%s", what);
}

bool pk_load_key(struct pk_load *load, const struct pk_reader *r, size_t i, const char *const *names, size_t n_names,
                 const char *what, size_t *found)
{
    const char *key = pk_reader_key(r, i);
    if (names == NULL && n_names > 0) { /* an attribute with a problem of its own has no values, and no names */
        load->no_memory = true;
        return false;
    }
    for (size_t k = 0; k < n_names; k++)
        if (strcmp(names[k], key) == 0) {
            *found = k;
            return true;
        }
    struct pk_reader item = pk_reader_item(r, i);
    char hint[160] = "";
    const char *nearest = pk_text_nearest(key, names, n_names);
    if (nearest != NULL)
        snprintf(hint, sizeof hint, "did you mean \"%s\"?", nearest);
    struct pk_yaml_node at_key = *item.node; /* the problem is the key, not its value */
    at_key.line = r->node->key_lines[i];
    at_key.column = r->node->key_columns[i];
    item.node = &at_key;
    pk_reader_problem(&item, nearest ? hint : NULL, "\"%s\" is not %s", key, what);
    return false;
}

bool pk_load_states(struct pk_load *load, const struct pk_reader *r, bool *flags)
{
    size_t i;
    if (pk_reader_is(r, PK_YAML_SCALAR) && strcmp(r->node->text, "all") == 0) {
        memset(flags, 1, load->model->n_states * sizeof *flags);
        return true;
    }
    if (!pk_reader_is(r, PK_YAML_SEQUENCE)) {
        if (!pk_load_state(load, r, &i))
            return false;
        flags[i] = true;
        return true;
    }
    bool good = pk_reader_count(r) > 0;
    if (!good)
        pk_reader_problem(r, NULL, "is an empty list, expected at least one state");
    for (size_t k = 0; k < pk_reader_count(r); k++) {
        struct pk_reader item = pk_reader_item(r, k);
        if (!pk_load_state(load, &item, &i)) {
            good = false;
        } else if (flags[i]) {
            pk_reader_problem(&item, NULL, "names the state %s again", load->model->states[i].name);
            good = false;
        } else {
            flags[i] = true;
        }
    }
    return good;
}

void pk_load_label(struct pk_load *load, const struct pk_reader *r, const char *name, struct pk_label *label)
{
    struct pk_reader child;
    pk_load_label_at(load, pk_reader_find(r, "label", &child) ? &child : NULL, name, label);
}

void pk_load_label_at(struct pk_load *load, const struct pk_reader *r, const char *name, struct pk_label *label)
{
    static const char *const keys[] = {"fi", "sv", "en", NULL};
    struct pk_reader text;
    const char *given[PK_LANGUAGES] = {NULL};
    if (r != NULL && pk_reader_allow(r, keys))
        for (size_t i = 0; i < PK_LANGUAGES; i++)
            if (pk_reader_find(r, keys[i], &text) && pk_reader_text(&text, &given[i]))
                load->no_memory |= (given[i] = pk_arena_text(load->arena, given[i])) == NULL;
    for (size_t i = 0; i < PK_LANGUAGES; i++)
        label->in[i] = given[i] ? given[i] : given[2] ? given[2] : name;
}

bool pk_load_number(struct pk_load *load, const struct pk_reader *r, unsigned units, double low, double high,
                    struct pk_number *number)
{
    double literal;
    if (pk_reader_is(r, PK_YAML_SCALAR) && !r->node->quoted && pk_text_to_double(r->node->text, &literal)) {
        if (!pk_reader_double_in(r, low, high, &literal))
            return false;
        if (units == PK_UNITS(PK_UNIT_PERSONS) && literal != floor(literal))
            return pk_reader_mismatch(r, "a whole number of persons", NULL);
        *number = (struct pk_number){.literal = literal, .i_parameter = SIZE_MAX};
        return true;
    }
    const char *name;
    if (!pk_reader_is(r, PK_YAML_SCALAR))
        return pk_reader_mismatch(r, "a number or the name of a parameter", NULL);
    if (!pk_reader_name(r, &name))
        return false;
    size_t i;
    if (!pk_load_parameter(load, r, units, false, &i))
        return false;
    *number = (struct pk_number){.i_parameter = i};
    return true;
}

bool pk_load_format(const struct pk_reader *root)
{
    struct pk_reader version;
    int64_t number;
    if (!pk_reader_need(root, "polku", &version) || !pk_reader_int_in(&version, 1, INT64_MAX, &number))
        return false;
    return number == 1 || pk_reader_mismatch(&version, "1, the only version of the format so far", NULL);
}

/* A mapping of parameters to numbers or names of alternatives, checked by trying them. */
size_t pk_load_sets(struct pk_load *load, const struct pk_reader *r, struct pk_set *sets)
{
    struct pk_values values;
    struct pk_error error;
    size_t n_sets = 0;
    if (!pk_reader_expect(r, PK_YAML_MAPPING, "a mapping of parameters to values"))
        return 0;
    if (pk_reader_count(r) > PK_MAX_SETS) {
        pk_reader_problem(r, NULL, "sets %zu parameters, at most %d are allowed", pk_reader_count(r), PK_MAX_SETS);
        return 0;
    }
    if (pk_values_init(&values, load->model, &error) != PK_OK) {
        load->no_memory = true;
        return 0;
    }
    for (size_t i = 0; i < pk_reader_count(r); i++) {
        struct pk_reader item = pk_reader_item(r, i);
        const char *text;
        size_t i_parameter = pk_model_parameter(load->model, pk_reader_key(r, i));
        if (!pk_reader_text(&item, &text) ||
            (i_parameter != SIZE_MAX && load->model->parameters[i_parameter].unit == PK_UNIT_COUNT))
            continue;
        if (pk_values_set(&values, load->model, pk_reader_key(r, i), text, &error) != PK_OK) {
            pk_reader_problem(&item, error.hint[0] ? error.hint : NULL, "cannot be set: %s", error.message);
            continue;
        }
        sets[n_sets].parameter = pk_arena_text(load->arena, pk_reader_key(r, i));
        sets[n_sets].to = pk_arena_text(load->arena, text);
        load->no_memory |= sets[n_sets].parameter == NULL || sets[n_sets].to == NULL;
        n_sets++;
    }
    pk_values_free(&values);
    return n_sets;
}

void pk_load_ratios(struct pk_load *load, const struct pk_reader *r, struct pk_ratio **ratios, size_t *n_ratios)
{
    const struct pk_model *model = load->model;
    size_t n_room = 0;
    if (!pk_reader_expect(r, PK_YAML_MAPPING, "a mapping of attributes to values to parameters"))
        return;
    for (size_t i = 0; i < pk_reader_count(r); i++) {
        struct pk_reader item = pk_reader_item(r, i);
        n_room += pk_reader_count(&item);
    }
    *ratios = pk_load_alloc(load, n_room, sizeof **ratios);
    const char *const *names = pk_load_attribute_names(load);
    for (size_t i = 0; i < pk_reader_count(r) && *ratios != NULL; i++) {
        struct pk_reader item = pk_reader_item(r, i);
        size_t i_attribute, i_value, i_parameter;
        if (!pk_load_key(load, r, i, names, model->n_attributes, "an attribute", &i_attribute) ||
            !pk_reader_expect(&item, PK_YAML_MAPPING, "a mapping of values to parameters"))
            continue;
        const struct pk_attribute *attribute = &model->attributes[i_attribute];
        for (size_t k = 0; k < pk_reader_count(&item); k++) {
            struct pk_reader value = pk_reader_item(&item, k);
            if (!pk_load_key(load, &item, k, attribute->values, attribute->n_values, "a value of the attribute",
                             &i_value) ||
                !pk_load_parameter(load, &value, PK_UNITS(PK_UNIT_RATIO), false, &i_parameter))
                continue;
            (*ratios)[(*n_ratios)++] =
                (struct pk_ratio){.i_attribute = i_attribute, .i_value = i_value, .i_parameter = i_parameter};
        }
    }
}

bool pk_load_among(struct pk_load *load, const struct pk_reader *r, const char *nobody, bool **values)
{
    const struct pk_model *model = load->model;
    if (!pk_reader_expect(r, PK_YAML_MAPPING, "a mapping of attributes to values"))
        return false;
    const char *const *names = pk_load_attribute_names(load);
    for (size_t i = 0; i < pk_reader_count(r) && !load->no_memory; i++) {
        struct pk_reader item = pk_reader_item(r, i);
        size_t a, v;
        if (!pk_load_key(load, r, i, names, model->n_attributes, "an attribute", &a))
            continue;
        bool list = pk_reader_is(&item, PK_YAML_SEQUENCE);
        size_t n = list ? pk_reader_count(&item) : 1;
        if (n == 0)
            pk_reader_problem(&item, NULL, "is an empty list, so nobody %s", nobody);
        memset(values[a], 0, model->attributes[a].n_values * sizeof(bool));
        for (size_t k = 0; k < n; k++) {
            struct pk_reader value = list ? pk_reader_item(&item, k) : item;
            if (pk_load_attribute_value(load, &value, a, &v))
                values[a][v] = true;
        }
    }
    return true;
}

bool **pk_load_all_values(struct pk_load *load)
{
    const struct pk_model *model = load->model;
    bool **values = pk_load_alloc(load, model->n_attributes, sizeof *values);
    for (size_t a = 0; a < model->n_attributes && values != NULL; a++) {
        values[a] = pk_load_alloc(load, model->attributes[a].n_values, sizeof(bool));
        if (values[a] != NULL)
            memset(values[a], 1, model->attributes[a].n_values * sizeof(bool));
    }
    return values;
}
