/* Tables and histograms of a scenario. See load.h. */
#include <string.h>

#include "load_private.h"

static const char *copied(struct pk_load *load, const char *text)
{
    const char *copy = pk_arena_text(load->arena, text);
    load->no_memory |= copy == NULL;
    return copy;
}

bool pk_load_has_age(const struct pk_load *load)
{
    const struct pk_population *population = &load->scenario->population;
    return population->people.n > 0 ? population->people.ages != NULL : population->origin.has_age;
}

/* A list of attributes into by[n_attributes]; age: NULL where it cannot be told apart. */
static void read_by(struct pk_load *load, const struct pk_reader *r, bool *by, bool *age)
{
    if (!pk_reader_expect(r, PK_YAML_SEQUENCE, "a list of attributes"))
        return;
    for (size_t i = 0; i < pk_reader_count(r); i++) {
        struct pk_reader item = pk_reader_item(r, i);
        const char *text = pk_reader_is(&item, PK_YAML_SCALAR) ? item.node->text : "";
        size_t a;
        if (strcmp(text, "arm") == 0 || strcmp(text, "state") == 0)
            continue; /* always told apart */
        if (age != NULL && strcmp(text, "age") == 0 && pk_model_attribute(load->model, "age") == SIZE_MAX) {
            *age = true;
            continue;
        }
        if (!pk_load_attribute(load, &item, &a))
            continue;
        if (by[a])
            pk_reader_problem(&item, NULL, "names %s again", load->model->attributes[a].name);
        by[a] = true;
    }
}

/* Ascending numbers; *n is 0 where they are not. */
static void read_ascending(struct pk_load *load, const struct pk_reader *r, double low, double high, size_t most,
                           double **values, size_t *n)
{
    *n = 0;
    if (!pk_reader_expect(r, PK_YAML_SEQUENCE, "a list of numbers"))
        return;
    size_t n_all = pk_reader_count(r);
    if (n_all == 0 || n_all > most) {
        pk_reader_problem(r, NULL, "has %zu numbers, expected 1 to %zu", n_all, most);
        return;
    }
    *values = pk_load_alloc(load, n_all, sizeof **values);
    bool good = *values != NULL;
    for (size_t i = 0; i < n_all && good; i++) {
        struct pk_reader item = pk_reader_item(r, i);
        good = pk_reader_double_in(&item, low, high, &(*values)[i]);
        if (good && i > 0 && (*values)[i] <= (*values)[i - 1]) {
            pk_reader_problem(&item, NULL, "is not above the number before it");
            good = false;
        }
    }
    *n = good ? n_all : 0;
}

static void read_table(struct pk_load *load, const struct pk_reader *r, struct pk_table *table)
{
    static const char *const keys[] = {"name", "measure", "by", "ages", "step", NULL};
    struct pk_reader child;
    const char *text;
    bool by_age = false;
    if (!pk_reader_allow(r, keys))
        return;
    if (pk_reader_need(r, "name", &child) && pk_reader_name(&child, &text))
        table->name = copied(load, text);
    if (pk_load_measure(r, &table->measure) && table->measure > PK_MEASURE_TRANSITIONS)
        pk_reader_problem(r, NULL, "%s is an outcome, not a table", pk_measure_names[table->measure]);
    if (pk_reader_find(r, "by", &child))
        read_by(load, &child, table->by, &by_age);
    if (by_age && !pk_load_has_age(load))
        pk_reader_problem(&child, NULL, "tells ages apart; the population has none");
    if (by_age && pk_reader_need(r, "ages", &child))
        read_ascending(load, &child, 0, 150, PK_MAX_AGE_CUTS, &table->ages, &table->n_ages);
    if (!by_age && pk_reader_find(r, "ages", &child))
        pk_reader_problem(&child, "add age to by", "cut ages that the table does not tell apart");
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

void pk_load_tables(struct pk_load *load, const struct pk_reader *root)
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

/* {name, of, states, from, to, by: [...], edges: [...]} */
static void read_histogram(struct pk_load *load, const struct pk_reader *r, struct pk_histogram *histogram)
{
    static const char *const keys[] = {"name", "of", "states", "from", "to", "by", "edges", NULL};
    struct pk_reader child;
    const char *text;
    size_t i_quantity;
    histogram->states = pk_load_alloc(load, load->model->n_states, sizeof(bool));
    if (histogram->states == NULL || !pk_reader_allow(r, keys))
        return;
    if (pk_reader_need(r, "name", &child) && pk_reader_name(&child, &text))
        histogram->name = copied(load, text);
    if (pk_reader_need(r, "states", &child))
        (void)pk_load_states(load, &child, histogram->states);
    if (pk_reader_find(r, "by", &child))
        read_by(load, &child, histogram->by, NULL);
    if (pk_reader_need(r, "edges", &child))
        read_ascending(load, &child, 0, 1e6, 1000, &histogram->edges, &histogram->n_edges);
    if (!pk_reader_need(r, "of", &child) || !pk_reader_choice(&child, pk_quantity_names, 4, &i_quantity, "a quantity"))
        return;
    histogram->quantity = (enum pk_quantity)i_quantity;
    if (histogram->quantity != PK_QUANTITY_FIRST_ENTRY) {
        pk_load_period(load, r, &histogram->from_months, &histogram->to_months);
        return;
    }
    if (pk_reader_find(r, "from", &child))
        pk_reader_problem(&child, NULL, "does not apply to first_entry, which counts from the start");
    if (pk_reader_need(r, "to", &child))
        (void)pk_load_time(load, &child, &histogram->to_months);
}

void pk_load_histograms(struct pk_load *load, const struct pk_reader *root)
{
    struct pk_scenario *scenario = load->scenario;
    struct pk_reader r;
    if (!pk_reader_find(root, "histograms", &r) || !pk_reader_expect(&r, PK_YAML_SEQUENCE, "a list of histograms"))
        return;
    size_t n = pk_reader_count(&r);
    if (n > PK_MAX_HISTOGRAMS) {
        pk_reader_problem(&r, NULL, "has %zu histograms, at most %d are allowed", n, PK_MAX_HISTOGRAMS);
        return;
    }
    scenario->histograms = pk_load_alloc(load, n, sizeof *scenario->histograms);
    for (size_t i = 0; i < n && scenario->histograms != NULL; i++) {
        struct pk_reader item = pk_reader_item(&r, i);
        struct pk_histogram *histogram = &scenario->histograms[scenario->n_histograms++];
        read_histogram(load, &item, histogram);
        for (size_t k = 0; k < i && histogram->name != NULL; k++)
            if (scenario->histograms[k].name != NULL && strcmp(scenario->histograms[k].name, histogram->name) == 0)
                pk_reader_problem(&item, NULL, "is called %s like another histogram", histogram->name);
    }
}
