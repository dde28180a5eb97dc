/* People as a table gives them. See load.h. */
#include <math.h>
#include <string.h>

#include "load_private.h"
#include "polku/csv.h"

struct columns {
    size_t i_state, i_age, i_elapsed, i_weight;
    size_t i_attributes[PK_MAX_ATTRIBUTES]; /* SIZE_MAX: the attribute has one value */
};

static bool find_columns(struct pk_load *load, const struct pk_csv *csv, bool needs_age, struct columns *columns)
{
    const struct pk_model *model = load->model;
    columns->i_state = pk_csv_column(csv, "state", true);
    columns->i_age = pk_csv_column(csv, "age", needs_age);
    columns->i_elapsed = pk_csv_column(csv, "time_in_state", false);
    columns->i_weight = pk_csv_column(csv, "weight", false);
    bool good = columns->i_state != SIZE_MAX && (!needs_age || columns->i_age != SIZE_MAX);
    for (size_t a = 0; a < model->n_attributes; a++) {
        bool needed = model->attributes[a].n_values > 1;
        columns->i_attributes[a] = pk_csv_column(csv, model->attributes[a].name, needed);
        good &= !needed || columns->i_attributes[a] != SIZE_MAX;
    }
    for (size_t k = 0; k < csv->n_columns; k++) {
        bool named = k == columns->i_state || k == columns->i_age || k == columns->i_elapsed || k == columns->i_weight;
        for (size_t a = 0; a < model->n_attributes; a++)
            named |= columns->i_attributes[a] == k;
        if (!named)
            pk_csv_header_problem(csv, k, "take it away",
                                  "is neither an attribute of the model nor one of state, age, "
                                  "time_in_state, weight");
        good &= named;
    }
    return good;
}

static bool read_person(struct pk_load *load, const struct pk_csv *csv, const struct columns *columns,
                        const char *const *states, size_t i, struct pk_people *people)
{
    const struct pk_model *model = load->model;
    size_t s = 0, v = 0;
    bool good = pk_csv_choice(csv, i, columns->i_state, states, model->n_states, "a state", &s);
    people->states[i] = (uint16_t)s;
    for (size_t a = 0; a < model->n_attributes; a++) {
        const struct pk_attribute *attribute = &model->attributes[a];
        v = 0;
        if (columns->i_attributes[a] != SIZE_MAX)
            good &= pk_csv_choice(csv, i, columns->i_attributes[a], attribute->values, attribute->n_values,
                                  "a value of the attribute", &v);
        people->values[i * model->n_attributes + a] = (uint8_t)v;
    }
    if (columns->i_age != SIZE_MAX)
        good &= pk_csv_double(csv, i, columns->i_age, 0, 120, &people->ages[i]);
    if (columns->i_elapsed != SIZE_MAX)
        good &= pk_csv_double(csv, i, columns->i_elapsed, 0, 120, &people->elapsed[i]);
    if (columns->i_weight == SIZE_MAX)
        return good;
    if (!pk_csv_double(csv, i, columns->i_weight, 0, 4096, &people->weights[i]))
        return false;
    if (people->weights[i] == 1 || people->weights[i] >= 1.0 / 512)
        return good;
    pk_csv_problem(csv, i, columns->i_weight, "leave the row out", "is %g, and weights are rounded to 1/256",
                   people->weights[i]);
    return false;
}

static void read_table(struct pk_load *load, const struct pk_csv *csv, bool needs_age, struct pk_people *people)
{
    enum { BAD_MAX = 20 }; /* rows with a problem before the rest is not looked at */
    struct columns columns;
    const char *const *states = pk_load_state_names(load);
    size_t n = csv->n_rows, n_bad = 0;
    if (!find_columns(load, csv, needs_age, &columns))
        return;
    people->states = pk_load_alloc(load, n, sizeof *people->states);
    people->values = pk_load_alloc(load, n * load->model->n_attributes, sizeof *people->values);
    if (columns.i_age != SIZE_MAX)
        people->ages = pk_load_alloc(load, n, sizeof *people->ages);
    if (columns.i_elapsed != SIZE_MAX)
        people->elapsed = pk_load_alloc(load, n, sizeof *people->elapsed);
    if (columns.i_weight != SIZE_MAX)
        people->weights = pk_load_alloc(load, n, sizeof *people->weights);
    for (size_t i = 0; i < n && n_bad < BAD_MAX && !load->no_memory; i++)
        n_bad += !read_person(load, csv, &columns, states, i, people);
    if (n_bad == 0 && !load->no_memory)
        people->n = n;
}

void pk_load_people(struct pk_load *load, const struct pk_reader *r, bool needs_age, struct pk_people *people)
{
    const char *path = NULL;
    const struct pk_attachment *attachment = pk_load_attachment(load, r, &path);
    if (attachment == NULL)
        return;
    struct pk_csv csv;
    enum pk_status status = pk_csv_parse(attachment->text, attachment->size, path, r->problems, &csv);
    load->no_memory |= status == PK_NO_MEMORY;
    if (status == PK_OK)
        read_table(load, &csv, needs_age, people);
    pk_csv_free(&csv);
}
