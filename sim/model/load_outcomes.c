/* Reading what a scenario tells: tables, outcomes, comparison, variants. See load.h. */
#include <stdio.h>
#include <string.h>

#include "load_private.h"

static const char *copied(struct pk_load *load, const char *text)
{
    const char *copy = pk_arena_text(load->arena, text);
    load->no_memory |= copy == NULL;
    return copy;
}

static bool read_measure(const struct pk_reader *r, enum pk_measure *measure)
{
    struct pk_reader child;
    size_t i;
    if (!pk_reader_need(r, "measure", &child) || !pk_reader_choice(&child, pk_measure_names, 4, &i, "a measure"))
        return false;
    *measure = (enum pk_measure)i;
    return true;
}

static void read_table(struct pk_load *load, const struct pk_reader *r, struct pk_table *table)
{
    static const char *const keys[] = {"name", "measure", "by", "step", NULL};
    const struct pk_model *model = load->model;
    struct pk_reader child;
    const char *text;
    if (!pk_reader_allow(r, keys))
        return;
    if (pk_reader_need(r, "name", &child) && pk_reader_name(&child, &text))
        table->name = copied(load, text);
    if (read_measure(r, &table->measure) && table->measure == PK_MEASURE_FIRST_ENTRY)
        pk_reader_problem(r, NULL, "first_entry is an outcome, not a table");
    if (pk_reader_find(r, "by", &child) && pk_reader_expect(&child, PK_YAML_SEQUENCE, "a list of attributes"))
        for (size_t i = 0; i < pk_reader_count(&child); i++) {
            struct pk_reader item = pk_reader_item(&child, i);
            size_t a;
            if (pk_reader_is(&item, PK_YAML_SCALAR) &&
                (strcmp(item.node->text, "arm") == 0 || strcmp(item.node->text, "state") == 0))
                continue; /* always told apart */
            if (!pk_load_attribute(load, &item, &a))
                continue;
            if (table->by[a])
                pk_reader_problem(&item, NULL, "names %s again", model->attributes[a].name);
            table->by[a] = true;
        }
    double months = 1;
    if (pk_reader_need(r, "step", &child) && pk_reader_duration_months(&child, &months)) {
        int64_t whole = (int64_t)months;
        if ((double)whole != months || whole < 1 || whole > 480)
            pk_reader_problem(&child, NULL, "is %g months, expected a whole number from 1 to 480", months);
        else if ((int64_t)load->scenario->horizon_months % whole != 0) /* 0, not known: goes on */
            pk_reader_problem(&child, NULL, "of %lld months does not divide the horizon of %g months", (long long)whole,
                              load->scenario->horizon_months);
        table->step_months = whole;
    }
}

static void read_tables(struct pk_load *load, const struct pk_reader *root)
{
    struct pk_scenario *scenario = load->scenario;
    struct pk_reader r;
    if (!pk_reader_find(root, "tables", &r) || !pk_reader_expect(&r, PK_YAML_SEQUENCE, "a list of tables"))
        return;
    size_t n = pk_reader_count(&r);
    if (n > PK_MAX_TABLES) {
        pk_reader_problem(&r, NULL, "has %zu tables, at most %d are allowed", n, PK_MAX_TABLES);
        return;
    }
    scenario->tables = pk_load_alloc(load, n, sizeof *scenario->tables);
    for (size_t i = 0; i < n && scenario->tables != NULL; i++) {
        struct pk_reader item = pk_reader_item(&r, i);
        struct pk_table *table = &scenario->tables[scenario->n_tables++];
        read_table(load, &item, table);
        for (size_t k = 0; k < i && table->name != NULL; k++)
            if (scenario->tables[k].name != NULL && strcmp(scenario->tables[k].name, table->name) == 0)
                pk_reader_problem(&item, NULL, "is called %s like another table", table->name);
    }
}

/* A duration from the start, or the word horizon; whole months within the horizon. */
static bool read_time(struct pk_load *load, const struct pk_reader *r, double *months)
{
    double horizon = load->scenario->horizon_months;
    if (pk_reader_is(r, PK_YAML_SCALAR) && strcmp(r->node->text, "horizon") == 0) {
        *months = horizon;
        return true;
    }
    if (!pk_reader_is(r, PK_YAML_MAPPING))
        return pk_reader_mismatch(r, "{years: ...}, {months: ...} or horizon", NULL);
    if (!pk_reader_duration_months(r, months))
        return false;
    if (*months != (double)(int64_t)*months || (horizon > 0 && *months > horizon)) {
        pk_reader_problem(r, NULL, "is %g months, expected a whole number within the horizon of %g", *months, horizon);
        return false;
    }
    return true;
}

static void read_outcome(struct pk_load *load, const struct pk_reader *r, struct pk_outcome *outcome)
{
    static const char *const keys[] = {"label",  "measure",  "states",   "at",    "from", "to",
                                       "reward", "discount", "per_cost", "share", NULL};
    struct pk_reader child;
    outcome->i_reward = SIZE_MAX;
    outcome->discount = (struct pk_number){.literal = 0, .i_parameter = SIZE_MAX};
    outcome->states = pk_load_alloc(load, load->model->n_states, sizeof(bool));
    if (outcome->states == NULL || !pk_reader_allow(r, keys))
        return;
    pk_load_label(load, r, outcome->name, &outcome->label);
    if (!read_measure(r, &outcome->measure))
        return;
    bool period = outcome->measure == PK_MEASURE_PERSON_YEARS || outcome->measure == PK_MEASURE_TRANSITIONS;
    if (pk_reader_need(r, "states", &child))
        (void)pk_load_states(load, &child, outcome->states);
    if (!period && pk_reader_need(r, "at", &child))
        (void)read_time(load, &child, &outcome->to_months);
    if (period && pk_reader_need(r, "from", &child))
        (void)read_time(load, &child, &outcome->from_months);
    if (period && pk_reader_need(r, "to", &child) && read_time(load, &child, &outcome->to_months) &&
        load->scenario->horizon_months > 0 && outcome->to_months <= outcome->from_months)
        pk_reader_problem(&child, NULL, "is not after from");
    if (period ? pk_reader_find(r, "at", &child) : pk_reader_find(r, "from", &child) || pk_reader_find(r, "to", &child))
        pk_reader_problem(&child, NULL, "does not apply to %s; %s", pk_measure_names[outcome->measure],
                          period ? "use from and to" : "use at");
    outcome->to_horizon = outcome->to_months == load->scenario->horizon_months;
    if (pk_reader_find(r, "reward", &child)) {
        if (outcome->measure != PK_MEASURE_PERSON_YEARS)
            pk_reader_problem(&child, NULL, "weights person-years only");
        (void)pk_load_reward(load, &child, &outcome->i_reward);
    }
    if (pk_reader_find(r, "discount", &child)) {
        if (outcome->measure != PK_MEASURE_PERSON_YEARS)
            pk_reader_problem(&child, NULL, "applies to person-years only");
        (void)pk_load_number(load, &child, PK_UNITS(PK_UNIT_SHARE) | PK_UNITS(PK_UNIT_RATIO), 0, 1, &outcome->discount);
    }
    if (pk_reader_find(r, "per_cost", &child))
        (void)pk_reader_bool(&child, &outcome->per_cost);
    if (pk_reader_find(r, "share", &child))
        (void)pk_reader_bool(&child, &outcome->share);
}

static void read_outcomes(struct pk_load *load, const struct pk_reader *root)
{
    struct pk_scenario *scenario = load->scenario;
    struct pk_reader r;
    if (!pk_reader_find(root, "outcomes", &r) ||
        !pk_reader_expect(&r, PK_YAML_MAPPING, "a mapping of outcomes by name"))
        return;
    size_t n = pk_reader_count(&r);
    if (n > PK_MAX_OUTCOMES) {
        pk_reader_problem(&r, NULL, "has %zu outcomes, at most %d are allowed", n, PK_MAX_OUTCOMES);
        return;
    }
    scenario->outcomes = pk_load_alloc(load, n, sizeof *scenario->outcomes);
    for (size_t i = 0; i < n && scenario->outcomes != NULL; i++) {
        struct pk_reader item = pk_reader_item(&r, i);
        const char *name;
        if (!pk_reader_key_name(&r, i, &name))
            continue;
        struct pk_outcome *outcome = &scenario->outcomes[scenario->n_outcomes++];
        outcome->name = copied(load, name);
        if (load->no_memory)
            return;
        read_outcome(load, &item, outcome);
    }
}

static void read_compare(struct pk_load *load, const struct pk_reader *root)
{
    static const char *const keys[] = {"per", "decides", "raw", NULL}, *const of_per[] = {"label", "persons", NULL},
                             *const of_raw[] = {"heading", "parameters", NULL};
    struct pk_scenario *scenario = load->scenario;
    struct pk_reader r, child, part;
    scenario->per_label = "all people";
    scenario->per_persons = (struct pk_number){.literal = 0, .i_parameter = SIZE_MAX};
    if (!pk_reader_find(root, "compare", &r) || !pk_reader_allow(&r, keys))
        return;
    if (pk_reader_find(&r, "per", &child) && pk_reader_allow(&child, of_per)) {
        const char *text;
        if (pk_reader_need(&child, "label", &part) && pk_reader_text(&part, &text))
            scenario->per_label = copied(load, text);
        if (pk_reader_need(&child, "persons", &part))
            (void)pk_load_number(load, &part, PK_UNITS(PK_UNIT_PERSONS), 1, 1e12, &scenario->per_persons);
    }
    if (pk_reader_find(&r, "raw", &child) && pk_reader_allow(&child, of_raw)) {
        const char *text;
        if (pk_reader_need(&child, "heading", &part) && pk_reader_text(&part, &text))
            scenario->raw_heading = copied(load, text);
        if (pk_reader_need(&child, "parameters", &part))
            pk_load_parameter_list(load, &part, &scenario->i_raw, &scenario->n_raw);
    }
    if (!pk_reader_find(&r, "decides", &child) || !pk_reader_expect(&child, PK_YAML_SEQUENCE, "a list of outcomes"))
        return;
    const char **names = pk_load_alloc(load, scenario->n_outcomes, sizeof *names);
    scenario->i_decides = pk_load_alloc(load, pk_reader_count(&child), sizeof *scenario->i_decides);
    for (size_t i = 0; i < scenario->n_outcomes && names != NULL; i++)
        names[i] = scenario->outcomes[i].name;
    for (size_t i = 0; i < pk_reader_count(&child) && !load->no_memory; i++) {
        struct pk_reader item = pk_reader_item(&child, i);
        if (pk_reader_choice(&item, names, scenario->n_outcomes, &scenario->i_decides[scenario->n_decides],
                             "an outcome"))
            scenario->n_decides++;
    }
}

/* event_log: {persons: N, of: everyone|enrolled} */
static void read_event_log(struct pk_load *load, const struct pk_reader *root)
{
    static const char *const keys[] = {"persons", "of", NULL}, *const of[] = {"everyone", "enrolled"};
    struct pk_reader r, child;
    size_t i = 0;
    if (!pk_reader_find(root, "event_log", &r) || !pk_reader_allow(&r, keys))
        return;
    if (pk_reader_need(&r, "persons", &child))
        (void)pk_reader_int_in(&child, 0, 100000, &load->scenario->log_persons);
    if (pk_reader_find(&r, "of", &child) && pk_reader_choice(&child, of, 2, &i, "a set of people"))
        load->scenario->log_enrolled = i == 1;
}

static void read_variants(struct pk_load *load, const struct pk_reader *root)
{
    struct pk_scenario *scenario = load->scenario;
    struct pk_reader r;
    if (!pk_reader_find(root, "variants", &r) ||
        !pk_reader_expect(&r, PK_YAML_MAPPING, "a mapping of topics to variants"))
        return;
    size_t n = 0;
    for (size_t i = 0; i < pk_reader_count(&r); i++) {
        struct pk_reader topic = pk_reader_item(&r, i);
        n += pk_reader_count(&topic);
    }
    scenario->variants = pk_load_alloc(load, n, sizeof *scenario->variants);
    for (size_t i = 0; i < pk_reader_count(&r) && scenario->variants != NULL; i++) {
        struct pk_reader topic = pk_reader_item(&r, i);
        if (!pk_reader_expect(&topic, PK_YAML_MAPPING, "a mapping of variants to what they set"))
            continue;
        for (size_t k = 0; k < pk_reader_count(&topic); k++) {
            struct pk_reader item = pk_reader_item(&topic, k);
            struct pk_variant *variant = &scenario->variants[scenario->n_variants++];
            variant->topic = copied(load, pk_reader_key(&r, i));
            variant->name = copied(load, pk_reader_key(&topic, k));
            variant->n_sets = pk_load_sets(load, &item, variant->sets);
        }
    }
}

void pk_load_outcomes(struct pk_load *load, const struct pk_reader *root)
{
    read_tables(load, root);
    read_outcomes(load, root);
    read_compare(load, root);
    read_event_log(load, root);
    read_variants(load, root);
}
