/* Tables of parameters in files: bands of a clock by attributes. See load.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "load_private.h"
#include "polku/csv.h"
#include "polku/text.h"

enum { BANDS_MAX = 10000, CELLS_MAX = 1 << 20 };

struct row {
    double from; /* lower end of the band: years, on the calendar months since year 0 */
    size_t i_column;
    size_t i_row;
};

static int by_place(const void *a, const void *b)
{
    const struct row *x = a, *y = b;
    if (x->from != y->from)
        return x->from < y->from ? -1 : 1;
    if (x->i_column != y->i_column)
        return x->i_column < y->i_column ? -1 : 1;
    return (x->i_row > y->i_row) - (x->i_row < y->i_row);
}

/* The columns: the clock, value, and attributes in the file's order. */
static bool find_columns(struct pk_load *load, const struct pk_csv *csv, struct pk_parameter *parameter,
                         size_t *i_clock, size_t *i_value, size_t *i_by)
{
    const struct pk_model *model = load->model;
    *i_clock = pk_csv_column(csv, pk_clock_names[parameter->clock], true);
    *i_value = pk_csv_column(csv, "value", true);
    if (*i_clock == SIZE_MAX || *i_value == SIZE_MAX)
        return false;
    const char *const *names = pk_load_attribute_names(load);
    for (size_t k = 0; k < csv->n_columns && names != NULL; k++) {
        const char *header = pk_csv_header(csv, k);
        if (k == *i_clock || k == *i_value)
            continue;
        size_t a = pk_model_attribute(model, header);
        if (a == SIZE_MAX) {
            const char *nearest = pk_text_nearest(header, names, model->n_attributes);
            char hint[160] = "";
            if (nearest != NULL)
                snprintf(hint, sizeof hint, "did you mean \"%s\"?", nearest);
            pk_csv_header_problem(csv, k, hint, "is not %s, value or an attribute", pk_clock_names[parameter->clock]);
            return false;
        }
        if (parameter->n_by == PK_MAX_TABLE_BY) {
            pk_csv_header_problem(csv, k, NULL, "is one attribute too many, at most %d are allowed", PK_MAX_TABLE_BY);
            return false;
        }
        i_by[parameter->n_by] = k;
        parameter->i_by_attribute[parameter->n_by++] = a;
        parameter->n_columns *= model->attributes[a].n_values;
        if (parameter->n_columns > CELLS_MAX) {
            pk_csv_header_problem(csv, k, NULL, "makes more than %d combinations", CELLS_MAX);
            return false;
        }
    }
    return names != NULL;
}

static bool read_band(const struct pk_csv *csv, enum pk_clock clock, size_t i_row, size_t i_column, double *from)
{
    if (clock != PK_CLOCK_CALENDAR && clock != PK_CLOCK_BIRTH)
        return pk_csv_double(csv, i_row, i_column, 0, 1000, from);
    const char *cell = pk_csv_cell(csv, i_row, i_column);
    int64_t day, year;
    char first[32];
    if (pk_text_to_int64(cell, &year) && year >= 1000 && year <= 9999) {
        snprintf(first, sizeof first, "%04d-01-01", (int)year);
        cell = first;
    }
    if (!pk_text_to_day(cell, &day)) {
        pk_csv_problem(csv, i_row, i_column, NULL, "is no date, expected 2021-01-01 or the year 2021");
        return false;
    }
    *from = pk_scenario_months(day);
    return true;
}

/* "30, woman, north": what a cell of the grid is about. */
static void describe(const struct pk_load *load, const struct pk_csv *csv, const struct pk_parameter *parameter,
                     const struct row *row, size_t i_clock, size_t i_column, char *text, size_t size)
{
    size_t strides = parameter->n_columns, used = 0;
    snprintf(text, size, "%s %.20s", pk_clock_names[parameter->clock], pk_csv_cell(csv, row->i_row, i_clock));
    for (size_t k = 0; k < parameter->n_by; k++) {
        const struct pk_attribute *attribute = &load->model->attributes[parameter->i_by_attribute[k]];
        strides /= attribute->n_values;
        used = strlen(text);
        snprintf(text + used, size - used, ", %s", attribute->values[i_column / strides % attribute->n_values]);
    }
}

/* Every band has every combination once. rows: sorted. */
static bool check_grid(const struct pk_load *load, const struct pk_csv *csv, const struct pk_parameter *parameter,
                       const struct row *rows, size_t i_clock)
{
    char what[320];
    size_t n = csv->n_rows, n_columns = parameter->n_columns;
    for (size_t i = 1; i < n; i++)
        if (rows[i].from == rows[i - 1].from && rows[i].i_column == rows[i - 1].i_column) {
            describe(load, csv, parameter, &rows[i], i_clock, rows[i].i_column, what, sizeof what);
            pk_csv_problem(csv, rows[i].i_row, i_clock, NULL, "gives %s again", what);
            return false;
        }
    for (size_t i = 0; i < n;) {
        size_t first = i, column = 0;
        for (; i < n && rows[i].from == rows[first].from && rows[i].i_column == column; i++)
            column++;
        if (column == n_columns)
            continue;
        describe(load, csv, parameter, &rows[first], i_clock, column, what, sizeof what);
        pk_csv_problem(csv, rows[first].i_row, i_clock, "every band needs every combination of the attributes",
                       "the table has no row for %s", what);
        return false;
    }
    return true;
}

static bool read_rows(struct pk_load *load, const struct pk_csv *csv, struct pk_parameter *parameter)
{
    size_t i_clock, i_value, i_by[PK_MAX_TABLE_BY], n = csv->n_rows;
    if (!find_columns(load, csv, parameter, &i_clock, &i_value, i_by))
        return false;
    struct row *rows = pk_load_alloc(load, n, sizeof *rows);
    double *values = pk_load_alloc(load, n, sizeof *values), low, high;
    if (rows == NULL || values == NULL)
        return false;
    pk_unit_interval(parameter->unit, &low, &high);
    bool good = true;
    for (size_t i = 0; i < n && good; i++) {
        rows[i] = (struct row){.i_row = i};
        good &= read_band(csv, parameter->clock, i, i_clock, &rows[i].from);
        for (size_t k = 0; k < parameter->n_by && good; k++) {
            const struct pk_attribute *attribute = &load->model->attributes[parameter->i_by_attribute[k]];
            size_t v = 0;
            good &=
                pk_csv_choice(csv, i, i_by[k], attribute->values, attribute->n_values, "a value of the attribute", &v);
            rows[i].i_column = rows[i].i_column * attribute->n_values + v;
        }
        good &= pk_csv_double(csv, i, i_value, low, high, &values[i]);
    }
    if (!good)
        return false;
    qsort(rows, n, sizeof *rows, by_place);
    if (!check_grid(load, csv, parameter, rows, i_clock))
        return false;
    size_t n_bands = n / parameter->n_columns;
    if (n_bands < 2 || n_bands > BANDS_MAX) {
        pk_csv_header_problem(csv, i_clock, NULL, "the table has %zu bands, expected 2 to %d", n_bands, BANDS_MAX);
        return false;
    }
    double *grid = pk_load_alloc(load, n, sizeof *grid), *cuts = pk_load_alloc(load, n_bands - 1, sizeof *cuts);
    if (grid == NULL || cuts == NULL)
        return false;
    for (size_t i = 0; i < n; i++)
        grid[rows[i].i_column * n_bands + i / parameter->n_columns] = values[rows[i].i_row];
    for (size_t i = 1; i < n_bands; i++)
        cuts[i - 1] = rows[i * parameter->n_columns].from;
    parameter->n_values = n_bands;
    parameter->values = grid;
    parameter->cuts = cuts;
    return true;
}

bool pk_load_table_file(struct pk_load *load, const struct pk_reader *r, struct pk_parameter *parameter)
{
    static const char *const keys[] = {"clock", "file", NULL};
    struct pk_reader clock, file;
    size_t i_clock;
    if (!pk_reader_allow(r, keys) || !pk_reader_need(r, "clock", &clock) || !pk_reader_need(r, "file", &file) ||
        !pk_reader_choice(&clock, pk_clock_names, PK_CLOCK_COUNT, &i_clock, "a clock"))
        return false;
    parameter->clock = (enum pk_clock)i_clock;
    const char *path = NULL;
    const struct pk_attachment *attachment = pk_load_attachment(load, &file, &path);
    if (attachment == NULL)
        return false;
    struct pk_csv csv;
    enum pk_status status = pk_csv_parse(attachment->text, attachment->size, path, r->problems, &csv);
    load->no_memory |= status == PK_NO_MEMORY;
    bool good = status == PK_OK && read_rows(load, &csv, parameter);
    pk_csv_free(&csv);
    if (!good) { /* a number of its own, so that nothing reads half a table */
        parameter->n_columns = 1;
        parameter->n_by = 0;
    }
    return good;
}
