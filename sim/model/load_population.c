/* Reading the people of a scenario. See load.h. */
#include <stdio.h>
#include <string.h>

#include "load_private.h"

enum { YEARS = PK_UNITS(PK_UNIT_YEARS) };
static const unsigned SHARES = PK_UNITS(PK_UNIT_SHARE) | PK_UNITS(PK_UNIT_PROBABILITY);

static void read_distribution(struct pk_load *load, const struct pk_reader *r, double most,
                              struct pk_distribution *distribution)
{
    static const char *const kinds[] = {"fixed", "uniform", "triangular", "exponential"};
    static const size_t n_arguments[] = {1, 2, 3, 1};
    static const char *const needs[] = {"a number", "[low, high]", "[low, mode, high]", "a mean"};
    struct pk_reader child;
    size_t i_kind;
    if (!pk_reader_expect(r, PK_YAML_MAPPING, "one of fixed, uniform, triangular, exponential"))
        return;
    if (pk_reader_count(r) != 1) {
        pk_reader_problem(r, NULL, "has %zu entries, expected one of fixed, uniform, triangular, exponential",
                          pk_reader_count(r));
        return;
    }
    if (!pk_load_key(load, r, 0, kinds, 4, "a distribution (fixed, uniform, triangular, exponential)", &i_kind))
        return;
    distribution->kind = (enum pk_distribution_kind)i_kind;
    child = pk_reader_item(r, 0);
    if (n_arguments[i_kind] == 1) {
        (void)pk_load_number(load, &child, YEARS, 0, most, &distribution->arguments[0]);
        return;
    }
    if (!pk_reader_expect(&child, PK_YAML_SEQUENCE, needs[i_kind]))
        return;
    if (pk_reader_count(&child) != n_arguments[i_kind]) {
        pk_reader_problem(&child, NULL, "has %zu numbers, expected %s", pk_reader_count(&child), needs[i_kind]);
        return;
    }
    for (size_t i = 0; i < n_arguments[i_kind]; i++) {
        struct pk_reader item = pk_reader_item(&child, i);
        (void)pk_load_number(load, &item, YEARS, 0, most, &distribution->arguments[i]);
    }
}

/* A mapping of names to shares; what is not named has none. */
static void read_shares(struct pk_load *load, const struct pk_reader *r, const char *const *names, size_t n,
                        const char *what, struct pk_number *shares)
{
    if (!pk_reader_expect(r, PK_YAML_MAPPING, "a mapping of names to shares"))
        return;
    double sum = 0;
    bool literal = true;
    for (size_t i = 0; i < pk_reader_count(r); i++) {
        struct pk_reader item = pk_reader_item(r, i);
        size_t k;
        if (!pk_load_key(load, r, i, names, n, what, &k) || !pk_load_number(load, &item, SHARES, 0, 1, &shares[k]))
            return;
        literal &= shares[k].i_parameter == SIZE_MAX;
        sum += shares[k].literal;
    }
    if (literal && (sum < 1 - 1e-9 || sum > 1 + 1e-9))
        pk_reader_problem(r, NULL, "has shares that add up to %.12g, expected 1", sum);
}

static struct pk_number *no_shares(struct pk_load *load, size_t n)
{
    struct pk_number *shares = pk_load_alloc(load, n, sizeof *shares);
    for (size_t i = 0; shares != NULL && i < n; i++)
        shares[i] = (struct pk_number){.literal = n == 1, .i_parameter = SIZE_MAX};
    return shares;
}

static bool needs_age(const struct pk_model *model)
{
    bool needed = false;
    for (size_t t = 0; t < model->n_transitions; t++) {
        const struct pk_transition *transition = &model->transitions[t];
        needed |= transition->deterministic ? transition->at_clock == PK_CLOCK_AGE
                                            : transition->hazard.on_clock && transition->hazard.clock == PK_CLOCK_AGE;
    }
    for (size_t i = 0; i < model->n_services; i++)
        for (size_t k = 0; k < model->services[i].n_effects; k++)
            needed |= model->services[i].effects[k].hazard.on_clock &&
                      model->services[i].effects[k].hazard.clock == PK_CLOCK_AGE;
    return needed;
}

void pk_load_population(struct pk_load *load, const struct pk_reader *root)
{
    static const char *const keys[] = {"size", "state", "age", "attributes", "elapsed", NULL};
    const struct pk_model *model = load->model;
    struct pk_population *population = &load->scenario->population;
    struct pk_reader r, child;
    population->state_shares = no_shares(load, model->n_states);
    population->value_shares = pk_load_alloc(load, model->n_attributes, sizeof *population->value_shares);
    population->elapsed = pk_load_alloc(load, model->n_states, sizeof *population->elapsed);
    for (size_t i = 0; i < model->n_attributes && population->value_shares != NULL; i++)
        population->value_shares[i] = no_shares(load, model->attributes[i].n_values);
    for (size_t s = 0; s < model->n_states && population->elapsed != NULL; s++)
        for (size_t i = 0; i < 3; i++)
            population->elapsed[s].arguments[i].i_parameter = SIZE_MAX;
    for (size_t i = 0; i < 3; i++)
        population->age.arguments[i].i_parameter = SIZE_MAX;
    population->size.i_parameter = SIZE_MAX;
    if (load->no_memory || !pk_reader_need(root, "population", &r) || !pk_reader_allow(&r, keys))
        return;
    if (pk_reader_need(&r, "size", &child))
        (void)pk_load_number(load, &child, PK_UNITS(PK_UNIT_PERSONS), 1, 1e12, &population->size);
    const char *const *states = pk_load_state_names(load), *const *attributes = pk_load_attribute_names(load);
    if (pk_reader_need(&r, "state", &child))
        read_shares(load, &child, states, model->n_states, "a state", population->state_shares);
    population->has_age = pk_reader_find(&r, "age", &child);
    if (population->has_age)
        read_distribution(load, &child, 120, &population->age);
    else if (needs_age(model))
        pk_reader_problem(&r, NULL, "has no age, which the model's hazards need");
    bool *given = pk_load_alloc(load, model->n_attributes, sizeof *given);
    if (given != NULL && pk_reader_find(&r, "attributes", &child) &&
        pk_reader_expect(&child, PK_YAML_MAPPING, "a mapping of attributes to shares"))
        for (size_t i = 0; i < pk_reader_count(&child); i++) {
            struct pk_reader item = pk_reader_item(&child, i);
            size_t k;
            if (!pk_load_key(load, &child, i, attributes, model->n_attributes, "an attribute", &k))
                continue;
            given[k] = true;
            read_shares(load, &item, model->attributes[k].values, model->attributes[k].n_values,
                        "a value of the attribute", population->value_shares[k]);
        }
    for (size_t i = 0; given != NULL && i < model->n_attributes; i++)
        if (!given[i] && model->attributes[i].n_values > 1)
            pk_reader_problem(&r, NULL, "gives no shares for the attribute %s", model->attributes[i].name);
    if (pk_reader_find(&r, "elapsed", &child) &&
        pk_reader_expect(&child, PK_YAML_MAPPING, "a mapping of states to distributions"))
        for (size_t i = 0; i < pk_reader_count(&child); i++) {
            struct pk_reader item = pk_reader_item(&child, i);
            size_t s;
            if (pk_load_key(load, &child, i, states, model->n_states, "a state", &s))
                read_distribution(load, &item, 120, &population->elapsed[s]);
        }
}
