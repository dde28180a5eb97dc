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

static void read_attribute(struct pk_load *load, const struct pk_reader *r, struct pk_attribute *attribute)
{
    static const char *const keys[] = {"values", "label", NULL};
    static const char *const languages[] = {"fi", "sv", "en", NULL};
    struct pk_reader values;
    if (!pk_reader_allow(r, keys))
        return;
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

/* NAME or [NAME, ...]: a product of parameters; the one table among them gives the clock. */
static bool read_product(struct pk_load *load, const struct pk_reader *r, unsigned units, struct pk_hazard *hazard)
{
    bool one = pk_reader_is(r, PK_YAML_SCALAR), good = true;
    if (!one && !pk_reader_expect(r, PK_YAML_SEQUENCE, "the name of a parameter or a list of names"))
        return false;
    size_t n = one ? 1 : pk_reader_count(r);
    if (n == 0 || n > PK_MAX_FACTORS) {
        pk_reader_problem(r, NULL, "names %zu parameters, expected 1 to %d", n, PK_MAX_FACTORS);
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        struct pk_reader item = one ? *r : pk_reader_item(r, i);
        size_t i_parameter;
        if (!pk_load_parameter(load, &item, units, true, &i_parameter)) {
            good = false;
            continue;
        }
        hazard->i_factors[hazard->n_factors++] = i_parameter;
        const struct pk_parameter *parameter = &load->model->parameters[i_parameter];
        if (parameter->n_values > 1 && hazard->on_clock) {
            pk_reader_problem(&item, NULL, "%s is a second table; a hazard runs on one clock", parameter->name);
            good = false;
        } else if (parameter->n_values > 1) {
            hazard->on_clock = true;
            hazard->clock = parameter->clock;
        }
    }
    return good;
}

/* How many factors are hazards: exactly one must be, the rest are ratios. */
static void check_product(const struct pk_load *load, const struct pk_reader *r, const struct pk_hazard *hazard,
                          size_t n_expected)
{
    size_t n_rates = 0;
    for (size_t i = 0; i < hazard->n_factors; i++)
        n_rates += load->model->parameters[hazard->i_factors[i]].unit == PK_UNIT_PER_YEAR;
    if (n_rates != n_expected)
        pk_reader_problem(r, NULL, "multiplies %zu hazards per_year, expected %zu; the other factors are ratios", n_rates,
                          n_expected);
}

static void read_hazard(struct pk_load *load, const struct pk_reader *r, struct pk_hazard *hazard)
{
    static const char *const keys[] = {"gompertz", "times", NULL}, *const of_gompertz[] = {"level", "slope", "clock", NULL};
    const unsigned units = PK_UNITS(PK_UNIT_PER_YEAR) | PK_UNITS(PK_UNIT_RATIO) | PK_UNITS(PK_UNIT_SHARE);
    struct pk_reader gompertz, child;
    size_t i_clock;
    if (!pk_reader_is(r, PK_YAML_MAPPING)) {
        if (read_product(load, r, units, hazard))
            check_product(load, r, hazard, 1);
        return;
    }
    if (!pk_reader_allow(r, keys) || !pk_reader_need(r, "gompertz", &gompertz) ||
        !pk_reader_allow(&gompertz, of_gompertz))
        return;
    if (pk_reader_find(r, "times", &child) &&
        read_product(load, &child, PK_UNITS(PK_UNIT_RATIO) | PK_UNITS(PK_UNIT_SHARE), hazard) && hazard->on_clock)
        pk_reader_problem(&child, NULL, "holds a table; a Gompertz hazard has its own clock");
    if (pk_reader_need(&gompertz, "level", &child))
        (void)pk_load_parameter(load, &child, PK_UNITS(PK_UNIT_PER_YEAR), false, &hazard->i_level);
    if (pk_reader_need(&gompertz, "slope", &child))
        (void)pk_load_parameter(load, &child, PK_UNITS(PK_UNIT_SLOPE), false, &hazard->i_slope);
    if (pk_reader_need(&gompertz, "clock", &child) &&
        pk_reader_choice(&child, pk_clock_names, PK_CLOCK_COUNT, &i_clock, "a clock"))
        hazard->clock = (enum pk_clock)i_clock;
    hazard->gompertz = true;
    hazard->on_clock = true;
}

static void read_ratios(struct pk_load *load, const struct pk_reader *r, struct pk_transition *transition)
{
    const struct pk_model *model = load->model;
    size_t n_room = 0;
    if (!pk_reader_expect(r, PK_YAML_MAPPING, "a mapping of attributes to values to parameters"))
        return;
    for (size_t i = 0; i < pk_reader_count(r); i++) {
        struct pk_reader item = pk_reader_item(r, i);
        n_room += pk_reader_count(&item);
    }
    transition->ratios = pk_load_alloc(load, n_room, sizeof *transition->ratios);
    const char *const *names = pk_load_attribute_names(load);
    for (size_t i = 0; i < pk_reader_count(r) && transition->ratios != NULL; i++) {
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
            transition->ratios[transition->n_ratios++] =
                (struct pk_ratio){.i_attribute = i_attribute, .i_value = i_value, .i_parameter = i_parameter};
        }
    }
}

static void read_excess(struct pk_load *load, const struct pk_reader *r, struct pk_transition *transition)
{
    if (!pk_reader_expect(r, PK_YAML_MAPPING, "a mapping of states to parameters"))
        return;
    const char *const *names = pk_load_state_names(load);
    transition->excess = pk_load_alloc(load, pk_reader_count(r), sizeof *transition->excess);
    for (size_t i = 0; i < pk_reader_count(r) && transition->excess != NULL; i++) {
        struct pk_reader item = pk_reader_item(r, i);
        size_t i_state, i_parameter;
        if (!pk_load_key(load, r, i, names, load->model->n_states, "a state", &i_state) ||
            !pk_load_parameter(load, &item, PK_UNITS(PK_UNIT_RATIO), false, &i_parameter))
            continue;
        transition->excess[transition->n_excess++] = (struct pk_excess){.i_state = i_state, .i_parameter = i_parameter};
    }
}

static void read_destinations(struct pk_load *load, const struct pk_reader *r, struct pk_transition *transition)
{
    bool split = pk_reader_is(r, PK_YAML_MAPPING);
    size_t n = split ? pk_reader_count(r) : 1;
    transition->i_to = pk_load_alloc(load, n, sizeof(size_t));
    transition->i_to_share = pk_load_alloc(load, n, sizeof(size_t));
    if (transition->i_to == NULL || transition->i_to_share == NULL)
        return;
    if (!split) {
        transition->i_to_share[0] = SIZE_MAX;
        transition->n_to = pk_load_state(load, r, &transition->i_to[0]);
        return;
    }
    const char *const *names = pk_load_state_names(load);
    for (size_t i = 0; i < n; i++) {
        struct pk_reader item = pk_reader_item(r, i);
        size_t k = transition->n_to;
        if (pk_load_key(load, r, i, names, load->model->n_states, "a state", &transition->i_to[k]) &&
            pk_load_parameter(load, &item, PK_UNITS(PK_UNIT_SHARE) | PK_UNITS(PK_UNIT_PROBABILITY), false,
                              &transition->i_to_share[k]))
            transition->n_to++;
    }
}

static void read_transition(struct pk_load *load, const struct pk_reader *r, struct pk_transition *transition)
{
    static const char *const keys[] = {"from", "to", "hazard", "at", "ratios", "excess", "label", NULL};
    static const char *const of_at[] = {"clock", "value", NULL};
    struct pk_model *model = load->model;
    struct pk_reader child, part;
    transition->from = pk_load_alloc(load, model->n_states, sizeof(bool));
    if (transition->from == NULL || !pk_reader_allow(r, keys))
        return;
    pk_load_label(load, r, transition->name, &transition->label);
    if (pk_reader_need(r, "from", &child)) {
        transition->from_any = pk_reader_is(&child, PK_YAML_SCALAR) && strcmp(child.node->text, "any") == 0;
        if (!transition->from_any)
            (void)pk_load_states(load, &child, transition->from);
        for (size_t s = 0; transition->from_any && s < model->n_states; s++)
            transition->from[s] = !model->states[s].absorbing;
    }
    if (pk_reader_need(r, "to", &child))
        read_destinations(load, &child, transition);
    bool has_hazard = pk_reader_find(r, "hazard", &child);
    if (has_hazard)
        read_hazard(load, &child, &transition->hazard);
    if (pk_reader_find(r, "at", &child) && pk_reader_allow(&child, of_at)) {
        size_t i_clock;
        transition->deterministic = true;
        if (pk_reader_need(&child, "clock", &part) &&
            pk_reader_choice(&part, pk_clock_names, PK_CLOCK_COUNT, &i_clock, "a clock"))
            transition->at_clock = (enum pk_clock)i_clock;
        if (pk_reader_need(&child, "value", &part))
            (void)pk_load_parameter(load, &part, PK_UNITS(PK_UNIT_YEARS), false, &transition->i_at);
    }
    if (has_hazard == transition->deterministic)
        pk_reader_problem(r, NULL, "needs either a hazard or a time (at)");
    if (pk_reader_find(r, "ratios", &child))
        read_ratios(load, &child, transition);
    if (pk_reader_find(r, "excess", &child))
        read_excess(load, &child, transition);
}

static void read_service(struct pk_load *load, const struct pk_reader *r, struct pk_service *service)
{
    static const char *const keys[] = {"label", "window", "first_job_only", "cost", "effects", NULL};
    static const char *const of_effect[] = {"transition", "replace", "scale", "at_least", NULL};
    const unsigned ratio = PK_UNITS(PK_UNIT_RATIO) | PK_UNITS(PK_UNIT_SHARE);
    struct pk_reader child, part;
    if (!pk_reader_allow(r, keys))
        return;
    pk_load_label(load, r, service->name, &service->label);
    service->i_window = service->i_first_job_only = service->i_cost = SIZE_MAX;
    if (pk_reader_need(r, "window", &child) &&
        !(pk_reader_is(&child, PK_YAML_SCALAR) && strcmp(child.node->text, "life") == 0))
        (void)pk_load_parameter(load, &child, PK_UNITS(PK_UNIT_YEARS), false, &service->i_window);
    if (pk_reader_find(r, "first_job_only", &child))
        (void)pk_load_parameter(load, &child, PK_UNITS(PK_UNIT_SWITCH), false, &service->i_first_job_only);
    if (pk_reader_find(r, "cost", &child))
        (void)pk_load_parameter(load, &child, PK_UNITS(PK_UNIT_EUROS), false, &service->i_cost);
    if (!pk_reader_need(r, "effects", &child) || !pk_reader_expect(&child, PK_YAML_SEQUENCE, "a list of effects"))
        return;
    service->effects = pk_load_alloc(load, pk_reader_count(&child), sizeof *service->effects);
    for (size_t i = 0; i < pk_reader_count(&child) && service->effects != NULL; i++) {
        struct pk_reader item = pk_reader_item(&child, i);
        struct pk_effect *effect = &service->effects[service->n_effects];
        size_t n_modes = 0;
        if (!pk_reader_allow(&item, of_effect) || !pk_reader_need(&item, "transition", &part) ||
            !pk_load_transition(load, &part, &effect->i_transition))
            continue;
        for (size_t mode = 0; mode < 3; mode++)
            n_modes += pk_reader_find(&item, of_effect[mode + 1], &part);
        if (n_modes != 1)
            pk_reader_problem(&item, NULL, "has %zu of replace, scale, at_least, expected exactly one", n_modes);
        for (size_t mode = 0; n_modes == 1 && mode < 3; mode++) {
            if (!pk_reader_find(&item, of_effect[mode + 1], &part))
                continue;
            effect->mode = (enum pk_effect_mode)mode;
            bool scale = effect->mode == PK_EFFECT_SCALE;
            if (read_product(load, &part, scale ? ratio : ratio | PK_UNITS(PK_UNIT_PER_YEAR), &effect->hazard))
                check_product(load, &part, &effect->hazard, !scale);
            if (scale && effect->hazard.on_clock)
                pk_reader_problem(&part, NULL, "scales by a table, expected plain ratios");
        }
        service->n_effects++;
    }
}

static void read_reward(struct pk_load *load, const struct pk_reader *r, struct pk_reward *reward)
{
    static const char *const keys[] = {"unit", "label", "per_person_year", NULL};
    struct pk_reader child;
    const char *text = "";
    reward->i_state_parameter = pk_load_alloc(load, load->model->n_states, sizeof(size_t));
    if (reward->i_state_parameter == NULL || !pk_reader_allow(r, keys))
        return;
    for (size_t s = 0; s < load->model->n_states; s++)
        reward->i_state_parameter[s] = SIZE_MAX;
    pk_load_label(load, r, reward->name, &reward->label);
    if (pk_reader_need(r, "unit", &child) && pk_reader_text(&child, &text))
        reward->unit = copied(load, text);
    if (!pk_reader_need(r, "per_person_year", &child) || !pk_reader_expect(&child, PK_YAML_MAPPING, NULL))
        return;
    const char *const *names = pk_load_state_names(load);
    for (size_t i = 0; i < pk_reader_count(&child); i++) {
        struct pk_reader item = pk_reader_item(&child, i);
        size_t i_state, i_parameter;
        if (pk_load_key(load, &child, i, names, load->model->n_states, "a state", &i_state) &&
            pk_load_parameter(load, &item, PK_UNITS(PK_UNIT_SHARE) | PK_UNITS(PK_UNIT_RATIO) | PK_UNITS(PK_UNIT_EUROS),
                              false, &i_parameter))
            reward->i_state_parameter[i_state] = i_parameter;
    }
}

/* Names first, so that sections may refer to each other in any order. */
#define READ_NAMED(load, root, key, most, field, count, read)                                                         \
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
    static const char *const keys[] = {"polku",       "model",    "title",   "documents_warn", "states", "attributes",
                                       "parameters", "transitions", "services", "rewards",        NULL};
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
    read_states(load, root);
    read_attributes(load, root);
    if (pk_reader_need(root, "parameters", &child))
        pk_load_parameters(load, &child);
    READ_NAMED(load, root, "transitions", PK_MAX_TRANSITIONS, transitions, n_transitions, read_transition);
    set_place(load, root);
    READ_NAMED(load, root, "services", PK_MAX_SERVICES, services, n_services, read_service);
    READ_NAMED(load, root, "rewards", PK_MAX_SERVICES, rewards, n_rewards, read_reward);
}

enum pk_status pk_load_model_text(const char *name, const char *text, size_t size, struct pk_model *model,
                                  struct pk_problems *problems)
{
    struct pk_load load = {.arena = &model->arena, .model = model};
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
    if (pk_problems_errors(problems) == 0)
        pk_model_check(model, problems);
    return pk_problems_errors(problems) > 0 ? PK_BAD_INPUT : PK_OK;
}

enum pk_status pk_load_model(const char *path, struct pk_model *model, struct pk_problems *problems)
{
    char *text;
    size_t size;
    struct pk_error error;
    pk_model_init(model);
    enum pk_status status = pk_file_read(path, PK_YAML_BYTES_MAX, &text, &size, &error);
    if (status != PK_OK) {
        pk_problems_add(problems, &error);
        return status;
    }
    status = pk_load_model_text(path, text, size, model, problems);
    pk_free(text);
    if (status != PK_OK)
        pk_model_free(model);
    return status;
}
