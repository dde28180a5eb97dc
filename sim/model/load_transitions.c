/* Reading transitions, their hazards, and services. See load.h. */
#include <string.h>

#include "load_private.h"

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
        pk_reader_problem(r, NULL, "multiplies %zu hazards per_year, expected %zu; the other factors are ratios",
                          n_rates, n_expected);
}

static void read_hazard(struct pk_load *load, const struct pk_reader *r, struct pk_hazard *hazard)
{
    static const char *const keys[] = {"gompertz", "times", NULL}, *const of_gompertz[] = {"level", "slope", "clock",
                                                                                           NULL};
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

void pk_load_read_transition(struct pk_load *load, const struct pk_reader *r, struct pk_transition *transition)
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

void pk_load_read_service(struct pk_load *load, const struct pk_reader *r, struct pk_service *service)
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
