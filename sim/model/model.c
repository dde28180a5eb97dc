/* Names to indices, units and the effective values of a model. See model.h. */
#include "polku/model.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "polku/text.h"

const char *const pk_clock_names[PK_CLOCK_COUNT] = {
#define NAME_OF(name, text) text,
    PK_CLOCK_LIST(NAME_OF)};
const char *const pk_source_names[PK_SOURCE_COUNT] = {PK_SOURCE_LIST(NAME_OF)};
#undef NAME_OF
#define NAME_OF(name, text, low, high) text,
const char *const pk_unit_names[PK_UNIT_COUNT] = {PK_UNIT_LIST(NAME_OF)};
#undef NAME_OF
const char *const pk_language_names[PK_LANGUAGES] = {"fi", "sv", "en"};

void pk_unit_interval(enum pk_unit unit, double *low, double *high)
{
    static const double intervals[PK_UNIT_COUNT][2] = {
#define INTERVAL_OF(name, text, at_least, at_most) {at_least, at_most},
        PK_UNIT_LIST(INTERVAL_OF)
#undef INTERVAL_OF
    };
    *low = intervals[unit][0];
    *high = intervals[unit][1];
}

void pk_model_init(struct pk_model *model)
{
    memset(model, 0, sizeof *model);
    pk_arena_init(&model->arena);
}

void pk_model_free(struct pk_model *model)
{
    if (model == NULL)
        return;
    pk_arena_free(&model->arena);
    pk_model_init(model);
}

/* Every table of named things starts its items with the name. */
static size_t index_of(const void *items, size_t n, size_t size, const char *name)
{
    for (size_t i = 0; i < n; i++) {
        const char *item_name;
        memcpy(&item_name, (const char *)items + i * size, sizeof item_name);
        if (item_name != NULL && strcmp(item_name, name) == 0)
            return i;
    }
    return SIZE_MAX;
}

size_t pk_model_state(const struct pk_model *model, const char *name)
{
    return index_of(model->states, model->n_states, sizeof *model->states, name);
}

size_t pk_model_attribute(const struct pk_model *model, const char *name)
{
    return index_of(model->attributes, model->n_attributes, sizeof *model->attributes, name);
}

size_t pk_model_attribute_value(const struct pk_attribute *attribute, const char *name)
{
    return index_of(attribute->values, attribute->n_values, sizeof *attribute->values, name);
}

size_t pk_model_parameter(const struct pk_model *model, const char *name)
{
    return index_of(model->parameters, model->n_parameters, sizeof *model->parameters, name);
}

size_t pk_model_transition(const struct pk_model *model, const char *name)
{
    return index_of(model->transitions, model->n_transitions, sizeof *model->transitions, name);
}

size_t pk_model_service(const struct pk_model *model, const char *name)
{
    return index_of(model->services, model->n_services, sizeof *model->services, name);
}

size_t pk_model_reward(const struct pk_model *model, const char *name)
{
    return index_of(model->rewards, model->n_rewards, sizeof *model->rewards, name);
}

size_t pk_model_frailty(const struct pk_model *model, const char *name)
{
    return index_of(model->frailties, model->n_frailties, sizeof *model->frailties, name);
}

bool pk_model_is_person_level(const struct pk_model *model, const struct pk_transition *transition)
{
    if (!transition->from_any || transition->deterministic || transition->by_service || transition->n_to != 1)
        return false;
    if (transition->hazard.on_clock && transition->hazard.clock == PK_CLOCK_STATE)
        return false;
    if (transition->cure == PK_CURE_SPELL)
        return false;
    return model->states[transition->i_to[0]].absorbing;
}

enum pk_status pk_values_init(struct pk_values *values, const struct pk_model *model, struct pk_error *error)
{
    memset(values, 0, sizeof *values);
    pk_arena_init(&values->arena);
    size_t n = model->n_parameters;
    values->n = n;
    values->given = pk_arena_alloc(&values->arena, n, sizeof *values->given);
    values->used = pk_arena_alloc(&values->arena, n, sizeof *values->used);
    values->overridden = pk_arena_alloc(&values->arena, n, sizeof *values->overridden);
    values->note = pk_arena_alloc(&values->arena, n, sizeof *values->note);
    values->source = pk_arena_alloc(&values->arena, n, sizeof *values->source);
    if (values->given == NULL || values->used == NULL || values->overridden == NULL || values->note == NULL ||
        values->source == NULL) {
        pk_values_free(values);
        return pk_error_set(error, PK_NO_MEMORY, "no memory for %zu parameter values", n);
    }
    for (size_t i = 0; i < n; i++) {
        values->given[i] = model->parameters[i].values[0];
        values->used[i] = model->parameters[i].given == PK_GIVEN_VALUE ? values->given[i] : (double)NAN;
        values->source[i] = &model->parameters[i].source;
    }
    return PK_OK;
}

void pk_values_free(struct pk_values *values)
{
    if (values == NULL)
        return;
    pk_arena_free(&values->arena);
    memset(values, 0, sizeof *values);
}

enum pk_status pk_model_value(const struct pk_parameter *parameter, const char *to, double *value,
                              size_t *i_alternative, struct pk_error *error)
{
    const char *name = parameter->name;
    if (parameter->n_values > 1)
        return pk_error_set(error, PK_BAD_INPUT, "%s is a table on a clock: scale it by a ratio instead", name);
    double found = 0, low, high;
    size_t i = index_of(parameter->alternatives, parameter->n_alternatives, sizeof *parameter->alternatives, to);
    if (i != SIZE_MAX)
        found = parameter->alternatives[i].value;
    else if (parameter->given_unit == PK_UNIT_YEARS && strcmp(to, "life") == 0)
        found = INFINITY;
    else if (!pk_text_to_double(to, &found))
        return pk_error_set(error, PK_BAD_INPUT, "%s: \"%s\" is neither a number nor one of its alternatives", name,
                            to);
    pk_unit_interval(parameter->given_unit, &low, &high);
    if (found < low || (found > high && !isinf(found)))
        return pk_error_set(error, PK_BAD_INPUT, "%s: %s is outside [%g, %g], which its unit %s allows", name, to, low,
                            high, pk_unit_names[parameter->given_unit]);
    if (parameter->given_unit == PK_UNIT_SWITCH && found != 0 && found != 1)
        return pk_error_set(error, PK_BAD_INPUT, "%s: %s is neither 0 nor 1, as a switch is", name, to);
    *value = found;
    if (i_alternative != NULL)
        *i_alternative = i;
    return PK_OK;
}

enum pk_status pk_values_set(struct pk_values *values, const struct pk_model *model, const char *name, const char *to,
                             struct pk_error *error)
{
    static const struct pk_source set_over = {
        .kind = PK_SOURCE_ASSUMPTION,
        .text = "set by the scenario or the command line in place of the calibrated value"};
    size_t i = pk_model_parameter(model, name), i_alternative;
    if (i == SIZE_MAX) {
        pk_error_set(error, PK_BAD_INPUT, "no parameter is called \"%s\"", name);
        const char *names[PK_MAX_PARAMETERS];
        for (size_t j = 0; j < model->n_parameters; j++)
            names[j] = model->parameters[j].name;
        const char *nearest = pk_text_nearest(name, names, model->n_parameters);
        if (nearest != NULL && error != NULL)
            snprintf(error->hint, sizeof error->hint, "did you mean \"%s\"?", nearest);
        return PK_BAD_INPUT;
    }
    const struct pk_parameter *parameter = &model->parameters[i];
    double value;
    enum pk_status status = pk_model_value(parameter, to, &value, &i_alternative, error);
    if (status != PK_OK)
        return status;
    values->given[i] = value;
    values->used[i] = parameter->given == PK_GIVEN_VALUE ? value : (double)NAN;
    values->overridden[i] = true;
    if (parameter->source.kind == PK_SOURCE_CALIBRATED) /* no study found this value */
        values->source[i] = i_alternative != SIZE_MAX ? &parameter->alternatives[i_alternative].source : &set_over;
    return PK_OK;
}
