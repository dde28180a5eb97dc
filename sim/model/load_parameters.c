/* Parameters: a value with a unit, a source, a range, and how the document gives it. See load.h. */
#include <string.h>

#include "load_private.h"
#include "polku/text.h"

bool pk_load_source(struct pk_load *load, const struct pk_reader *r, struct pk_source *source)
{
    struct pk_reader child, text;
    size_t n_kinds = 0;
    if (!pk_reader_need(r, "source", &child) || !pk_reader_expect(&child, PK_YAML_MAPPING, NULL))
        return false;
    static const char *const keys[] = {"document", "derived", "public", "assumption", NULL};
    if (pk_reader_find(&child, pk_source_names[PK_SOURCE_CALIBRATED], &text)) { /* without the study and its marks */
        pk_reader_problem(&text, "name the study's file in the scenario: calibrated: FILE",
                          "only a study's own file may say that a number is calibrated");
        return false;
    }
    if (!pk_reader_allow(&child, keys))
        return false;
    for (size_t k = 0; k < PK_SOURCE_COUNT; k++) {
        const char *string;
        if (!pk_reader_find(&child, pk_source_names[k], &text))
            continue;
        n_kinds++;
        if (!pk_reader_text(&text, &string))
            return false;
        source->kind = (enum pk_source_kind)k;
        source->text = pk_arena_text(load->arena, string);
    }
    if (n_kinds > 1 || pk_reader_count(&child) == 0)
        pk_reader_problem(&child, NULL,
                          "names %zu sources, expected exactly one of document, derived, public, "
                          "assumption",
                          n_kinds);
    if (n_kinds != 1)
        return false;
    if (pk_reader_find(r, "caveat", &text)) {
        const char *string;
        if (!pk_reader_text(&text, &string))
            return false;
        source->caveat = pk_arena_text(load->arena, string);
        load->no_memory |= source->caveat == NULL;
    }
    load->no_memory |= source->text == NULL;
    return source->text != NULL;
}

static bool value_in_unit(const struct pk_reader *r, enum pk_unit unit, double *value)
{
    double low, high;
    if (unit == PK_UNIT_YEARS && pk_reader_is(r, PK_YAML_SCALAR) && strcmp(r->node->text, "life") == 0) {
        *value = (double)__builtin_inf();
        return true;
    }
    pk_unit_interval(unit, &low, &high);
    if (!pk_reader_double_in(r, low, high, value))
        return false;
    if (unit == PK_UNIT_SWITCH && *value != 0 && *value != 1) {
        pk_reader_problem(r, NULL, "is %g, a switch is 0 or 1", *value);
        return false;
    }
    return true;
}

/* table: {clock: age, cuts: [...], values: [...]} or {clock: age, file: NAME} */
static bool read_table(struct pk_load *load, const struct pk_reader *r, struct pk_parameter *parameter)
{
    static const char *const keys[] = {"clock", "cuts", "values", NULL};
    struct pk_reader clock, cuts, values, item;
    size_t i_clock;
    if (pk_reader_find(r, "file", &item))
        return pk_load_table_file(load, r, parameter);
    if (!pk_reader_allow(r, keys))
        return false;
    bool good = pk_reader_need(r, "clock", &clock) &&
                pk_reader_choice(&clock, pk_clock_names, PK_CLOCK_COUNT, &i_clock, "a clock");
    good &= pk_reader_need(r, "cuts", &cuts) && pk_reader_expect(&cuts, PK_YAML_SEQUENCE, "a list of cuts");
    good &= pk_reader_need(r, "values", &values) && pk_reader_expect(&values, PK_YAML_SEQUENCE, "a list of values");
    if (!good)
        return false;
    size_t n_cuts = pk_reader_count(&cuts), n_values = pk_reader_count(&values);
    if (n_values != n_cuts + 1 || n_cuts == 0) {
        pk_reader_problem(&values, NULL, "has %zu values for %zu cuts, expected one more value than cuts, and a cut",
                          n_values, n_cuts);
        return false;
    }
    parameter->clock = (enum pk_clock)i_clock;
    parameter->n_values = n_values;
    parameter->values = pk_load_alloc(load, n_values, sizeof(double));
    parameter->cuts = pk_load_alloc(load, n_cuts, sizeof(double));
    if (parameter->values == NULL || parameter->cuts == NULL)
        return false;
    for (size_t i = 0; i < n_values; i++) {
        item = pk_reader_item(&values, i);
        good &= value_in_unit(&item, parameter->unit, &parameter->values[i]);
    }
    for (size_t i = 0; i < n_cuts; i++) {
        item = pk_reader_item(&cuts, i);
        int64_t day;
        if (parameter->clock != PK_CLOCK_CALENDAR && parameter->clock != PK_CLOCK_BIRTH)
            good &= pk_reader_double_in(&item, 0, 1000, &parameter->cuts[i]);
        else if (pk_reader_day(&item, &day))
            parameter->cuts[i] = pk_scenario_months(day);
        else
            good = false;
        if (good && i > 0 && parameter->cuts[i] <= parameter->cuts[i - 1]) {
            pk_reader_problem(&item, NULL, "is not after the cut before it");
            good = false;
        }
    }
    return good;
}

/* probability: {value: 0.37, by: PARAMETER, of: ever|at, state: STATE, exits: active|none} */
static bool read_probability(struct pk_load *load, const struct pk_reader *r, struct pk_parameter *parameter)
{
    static const char *const keys[] = {"value", "by", "of", "state", "exits", NULL};
    static const char *const of[] = {"ever", "at"}, *const exits[] = {"active", "none"};
    struct pk_reader value, child;
    size_t i;
    if (!pk_reader_allow(r, keys))
        return false;
    parameter->given = PK_GIVEN_PROBABILITY;
    parameter->given_unit = PK_UNIT_PROBABILITY;
    bool good = pk_reader_need(r, "value", &value) && pk_reader_double_in(&value, 0, 1, parameter->values);
    if (good && parameter->values[0] >= 1) {
        pk_reader_problem(&value, NULL, "is 1, which no finite hazard gives");
        good = false;
    }
    if (pk_reader_need(r, "of", &child) && pk_reader_choice(&child, of, 2, &i, "a kind of probability"))
        parameter->of_ever = i == 0;
    else
        good = false;
    good &= pk_reader_need(r, "state", &child) && pk_load_state(load, &child, &parameter->i_target_state);
    parameter->exits = true;
    if (pk_reader_find(r, "exits", &child)) {
        if (pk_reader_choice(&child, exits, 2, &i, "a choice of exits"))
            parameter->exits = i == 0;
        else
            good = false;
    }
    if (!parameter->exits && !parameter->of_ever) {
        pk_reader_problem(r, NULL, "a probability of being there at the horizon needs exits: active");
        good = false;
    }
    return good && pk_reader_need(r, "by", &child); /* resolved when all names are known */
}

static bool read_mean_duration(const struct pk_reader *r, struct pk_parameter *parameter)
{
    static const char *const keys[] = {"years", "days", NULL};
    struct pk_reader child;
    if (!pk_reader_allow(r, keys))
        return false;
    if (pk_reader_count(r) != 1) {
        pk_reader_problem(r, NULL, "has %zu entries, expected either years or days", pk_reader_count(r));
        return false;
    }
    parameter->given = PK_GIVEN_MEAN_DURATION;
    parameter->given_unit = pk_reader_find(r, "days", &child) ? PK_UNIT_DAYS : PK_UNIT_YEARS;
    child = pk_reader_item(r, 0);
    return pk_reader_double_in(&child, 1e-6, 1e6, parameter->values);
}

static bool read_value(struct pk_load *load, const struct pk_reader *r, struct pk_parameter *parameter)
{
    static const char *const ways[] = {"value", "table", "probability", "mean_duration"};
    struct pk_reader child;
    size_t n_ways = 0, i_way = 0;
    for (size_t i = 0; i < 4; i++)
        if (pk_reader_find(r, ways[i], &child)) {
            n_ways++;
            i_way = i;
        }
    if (n_ways != 1) {
        pk_reader_problem(r, NULL, "gives %zu of value, table, probability, mean_duration, expected exactly one",
                          n_ways);
        return false;
    }
    if (!pk_reader_find(r, ways[i_way], &child))
        return false;
    if (i_way >= 2 && parameter->unit != PK_UNIT_PER_YEAR) {
        pk_reader_problem(&child, NULL, "gives a hazard, so the unit must be per_year, not %s",
                          pk_unit_names[parameter->unit]);
        return false;
    }
    switch (i_way) {
    case 0:
        return value_in_unit(&child, parameter->unit, parameter->values);
    case 1:
        return read_table(load, &child, parameter);
    case 2:
        return read_probability(load, &child, parameter);
    default:
        return read_mean_duration(&child, parameter);
    }
}

static void read_range(const struct pk_reader *r, struct pk_parameter *parameter)
{
    struct pk_reader child, low, high;
    if (!pk_reader_find(r, "range", &child) || !pk_reader_expect(&child, PK_YAML_SEQUENCE, "[low, high]"))
        return;
    if (pk_reader_count(&child) != 2) {
        pk_reader_problem(&child, NULL, "has %zu numbers, expected [low, high]", pk_reader_count(&child));
        return;
    }
    if (parameter->n_values > 1) {
        pk_reader_problem(&child, "scale the table by a ratio that has a range", "a table has no range of its own");
        return;
    }
    low = pk_reader_item(&child, 0);
    high = pk_reader_item(&child, 1);
    if (!value_in_unit(&low, parameter->given_unit, &parameter->low) ||
        !value_in_unit(&high, parameter->given_unit, &parameter->high))
        return;
    double value = parameter->values[0];
    if (!(parameter->low <= value && value <= parameter->high))
        pk_reader_problem(&child, NULL, "[%g, %g] does not hold the value %g", parameter->low, parameter->high, value);
    else
        parameter->has_range = true;
}

static void read_alternatives(struct pk_load *load, const struct pk_reader *r, struct pk_parameter *parameter)
{
    static const char *const keys[] = {"value", "source", "caveat", NULL};
    struct pk_reader child, value;
    if (!pk_reader_find(r, "alternatives", &child) || !pk_reader_expect(&child, PK_YAML_MAPPING, NULL))
        return;
    size_t n = pk_reader_count(&child);
    parameter->alternatives = pk_load_alloc(load, n, sizeof *parameter->alternatives);
    for (size_t i = 0; i < n && parameter->alternatives != NULL; i++) {
        struct pk_reader item = pk_reader_item(&child, i);
        struct pk_alternative *alternative = &parameter->alternatives[parameter->n_alternatives];
        const char *name;
        if (!pk_reader_key_name(&child, i, &name) || !pk_reader_allow(&item, keys))
            continue;
        alternative->name = pk_arena_text(load->arena, name);
        load->no_memory |= alternative->name == NULL;
        if (pk_reader_need(&item, "value", &value) &&
            value_in_unit(&value, parameter->given_unit, &alternative->value) &&
            pk_load_source(load, &item, &alternative->source))
            parameter->n_alternatives++;
    }
}

static void read_parameter(struct pk_load *load, const struct pk_reader *r, struct pk_parameter *parameter)
{
    static const char *const keys[] = {"value",  "table",  "probability",  "mean_duration", "unit",         "range",
                                       "source", "caveat", "alternatives", "description",   "distribution", NULL};
    struct pk_reader child;
    size_t i_unit = 0;
    parameter->n_values = parameter->n_columns = 1;
    parameter->values = pk_load_alloc(load, 1, sizeof(double));
    if (parameter->values == NULL || !pk_reader_allow(r, keys))
        return;
    bool has_unit =
        pk_reader_need(r, "unit", &child) && pk_reader_choice(&child, pk_unit_names, PK_UNIT_COUNT, &i_unit, "a unit");
    parameter->unit = parameter->given_unit = has_unit ? (enum pk_unit)i_unit : PK_UNIT_COUNT;
    bool good = has_unit && read_value(load, r, parameter);
    (void)pk_load_source(load, r, &parameter->source);
    const char *text;
    if (pk_reader_find(r, "description", &child) && pk_reader_text(&child, &text)) {
        parameter->description = pk_arena_text(load->arena, text);
        load->no_memory |= parameter->description == NULL;
    }
    if (good) {
        read_range(r, parameter);
        read_alternatives(load, r, parameter);
        pk_load_uncertainty(load, r, parameter);
    }
}

void pk_load_parameters(struct pk_load *load, const struct pk_reader *r)
{
    if (!pk_reader_expect(r, PK_YAML_MAPPING, "a mapping of parameters by name"))
        return;
    struct pk_model *model = load->model;
    size_t n = pk_reader_count(r), n_before = model->n_parameters;
    if (n_before + n > PK_MAX_PARAMETERS) {
        pk_reader_problem(r, NULL, "makes %zu parameters, at most %d are allowed", n_before + n, PK_MAX_PARAMETERS);
        return;
    }
    struct pk_parameter *all = pk_load_alloc(load, n_before + n, sizeof *all);
    if (all == NULL)
        return;
    if (n_before > 0)
        memcpy(all, model->parameters, n_before * sizeof *all);
    model->parameters = all;
    for (size_t i = 0; i < n; i++) {
        struct pk_reader item = pk_reader_item(r, i);
        const char *name;
        if (!pk_reader_key_name(r, i, &name))
            continue;
        if (pk_model_parameter(model, name) != SIZE_MAX) {
            pk_reader_problem(&item, NULL, "\"%s\" is a parameter of the model already", name);
            continue;
        }
        struct pk_parameter *parameter = &all[model->n_parameters];
        memset(parameter, 0, sizeof *parameter);
        parameter->name = pk_arena_text(load->arena, name);
        parameter->line = item.node->line;
        parameter->column = item.node->column;
        load->no_memory |= parameter->name == NULL;
        if (load->no_memory)
            return;
        model->n_parameters++;
        read_parameter(load, &item, parameter);
    }
    for (size_t i = 0; i < n; i++) { /* horizons name parameters */
        struct pk_reader item = pk_reader_item(r, i), probability, by;
        size_t i_parameter = pk_model_parameter(model, pk_reader_key(r, i));
        if (i_parameter == SIZE_MAX || all[i_parameter].given != PK_GIVEN_PROBABILITY)
            continue;
        if (pk_reader_find(&item, "probability", &probability) && pk_reader_find(&probability, "by", &by))
            (void)pk_load_parameter(load, &by, PK_UNITS(PK_UNIT_YEARS), false, &all[i_parameter].i_by);
    }
}
