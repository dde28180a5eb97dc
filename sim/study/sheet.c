/* Tables of numbers with names. See sheet.h. */
#include "polku/sheet.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

void pk_sheets_init(struct pk_sheets *sheets)
{
    memset(sheets, 0, sizeof *sheets);
    pk_arena_init(&sheets->arena);
}

void pk_sheets_free(struct pk_sheets *sheets)
{
    for (size_t i = 0; i < sheets->n; i++)
        pk_text_free(&sheets->items[i].notes);
    pk_free(sheets->items);
    pk_arena_free(&sheets->arena);
    memset(sheets, 0, sizeof *sheets);
}

static const char *kept(struct pk_sheets *sheets, const char *text)
{
    const char *copy = pk_arena_text(&sheets->arena, text);
    sheets->failed |= copy == NULL;
    return copy;
}

struct pk_sheet *pk_sheet_add(struct pk_sheets *sheets, const char *name, const char *title, const char *of_rows,
                              size_t n_rows, const char *const *columns)
{
    size_t n_columns = 0;
    while (columns[2 * n_columns] != NULL)
        n_columns++;
    if (sheets->n == sheets->room) {
        const size_t room = sheets->room > 0 ? 2 * sheets->room : 16;
        struct pk_sheet *grown = pk_realloc(sheets->items, room, sizeof *grown);
        if (grown == NULL) {
            sheets->failed = true;
            return NULL;
        }
        sheets->items = grown;
        sheets->room = room;
    }
    struct pk_sheet sheet = {.name = kept(sheets, name),
                             .title = kept(sheets, title),
                             .of_rows = kept(sheets, of_rows),
                             .n_rows = n_rows,
                             .n_columns = n_columns};
    sheet.rows = pk_arena_alloc(&sheets->arena, n_rows + 1, sizeof *sheet.rows);
    sheet.columns = pk_arena_alloc(&sheets->arena, n_columns + 1, sizeof *sheet.columns);
    sheet.about = pk_arena_alloc(&sheets->arena, n_columns + 1, sizeof *sheet.about);
    sheet.values = pk_arena_alloc(&sheets->arena, n_rows * n_columns + 1, sizeof *sheet.values);
    if (!sheet.rows || !sheet.columns || !sheet.about || !sheet.values || sheets->failed) {
        sheets->failed = true;
        return NULL;
    }
    for (size_t i = 0; i < n_rows; i++)
        sheet.rows[i] = "";
    for (size_t k = 0; k < n_columns; k++) {
        sheet.columns[k] = kept(sheets, columns[2 * k]);
        sheet.about[k] = kept(sheets, columns[2 * k + 1]);
    }
    for (size_t i = 0; i < n_rows * n_columns; i++)
        sheet.values[i] = (double)NAN;
    if (sheets->failed)
        return NULL;
    pk_text_init(&sheet.notes);
    sheets->items[sheets->n] = sheet;
    return &sheets->items[sheets->n++];
}

void pk_sheet_row(struct pk_sheets *sheets, struct pk_sheet *sheet, size_t i_row, const char *name)
{
    const char *copy = kept(sheets, name);
    sheet->rows[i_row] = copy != NULL ? copy : "";
}

void pk_sheet_put(struct pk_sheet *sheet, size_t i_row, size_t i_column, double value)
{
    sheet->values[i_column * sheet->n_rows + i_row] = value;
}

double pk_sheet_value(const struct pk_sheet *sheet, size_t i_row, size_t i_column)
{
    return sheet->values[i_column * sheet->n_rows + i_row];
}

const struct pk_sheet *pk_sheets_find(const struct pk_sheets *sheets, const char *name)
{
    for (size_t i = 0; i < sheets->n; i++)
        if (strcmp(sheets->items[i].name, name) == 0)
            return &sheets->items[i];
    return NULL;
}

/* ---- text --------------------------------------------------------------------------------------------------- */

enum { CELL = 40, NAME_MOST = 48 };

static void cell_of(double value, char cell[CELL])
{
    if (isnan(value))
        snprintf(cell, CELL, "-");
    else if (isinf(value))
        snprintf(cell, CELL, value > 0 ? "inf" : "-inf");
    else if (fabs(value) >= 1e4 && fabs(value) < 1e12)
        snprintf(cell, CELL, "%.0f", value);
    else
        snprintf(cell, CELL, "%.4g", value);
}

static void pad(struct pk_text *text, const char *cell, size_t columns, bool right)
{
    const size_t n = pk_text_columns(cell);
    for (size_t i = n; right && i < columns; i++)
        pk_text_put(text, " ");
    pk_text_put(text, cell);
    for (size_t i = n; !right && i < columns; i++)
        pk_text_put(text, " ");
}

static void print_sheet(const struct pk_sheet *sheet, size_t n_rows, struct pk_text *text)
{
    const size_t shown = n_rows > 0 && sheet->n_rows > n_rows ? n_rows : sheet->n_rows;
    size_t wide = pk_text_columns(sheet->of_rows);
    for (size_t i = 0; i < shown; i++)
        wide = pk_text_columns(sheet->rows[i]) > wide ? pk_text_columns(sheet->rows[i]) : wide;
    pk_text_addf(text, "\n%s\n", sheet->title);
    pad(text, sheet->of_rows, wide, false);
    for (size_t k = 0; k < sheet->n_columns; k++) {
        const size_t columns = pk_text_columns(sheet->columns[k]);
        pad(text, sheet->columns[k], columns + 2 > 11 ? columns + 2 : 11, true);
    }
    pk_text_put(text, "\n");
    for (size_t i = 0; i < shown; i++) {
        pad(text, sheet->rows[i], wide, false);
        for (size_t k = 0; k < sheet->n_columns; k++) {
            const size_t columns = pk_text_columns(sheet->columns[k]);
            char cell[CELL];
            cell_of(pk_sheet_value(sheet, i, k), cell);
            pad(text, cell, columns + 2 > 11 ? columns + 2 : 11, true);
        }
        pk_text_put(text, "\n");
    }
    if (shown < sheet->n_rows)
        pk_text_addf(text, "... and %zu more rows (--rows)\n", sheet->n_rows - shown);
    pk_text_put(text, pk_text_string(&sheet->notes));
}

void pk_sheets_print(const struct pk_sheets *sheets, size_t n_rows, struct pk_text *text)
{
    for (size_t i = 0; i < sheets->n; i++)
        if (!sheets->items[i].aside)
            print_sheet(&sheets->items[i], n_rows, text);
}

/* ---- JSON --------------------------------------------------------------------------------------------------- */

static void json_lines(const char *lines, struct pk_text *text)
{
    pk_text_put(text, "[");
    for (bool first = true; *lines != '\0'; first = false) {
        const char *end = strchr(lines, '\n');
        const size_t size = end != NULL ? (size_t)(end - lines) : strlen(lines);
        char line[1024];
        snprintf(line, sizeof line, "%.*s", (int)(size < sizeof line - 1 ? size : sizeof line - 1), lines);
        pk_text_put(text, first ? "" : ", ");
        pk_text_add_json_string(text, line);
        lines += size + (end != NULL);
    }
    pk_text_put(text, "]");
}

void pk_sheets_json(const struct pk_sheets *sheets, struct pk_text *text)
{
    for (size_t s = 0; s < sheets->n; s++) {
        const struct pk_sheet *sheet = &sheets->items[s];
        pk_text_put(text, s > 0 ? ",\n" : "");
        pk_text_add_json_string(text, sheet->name);
        pk_text_put(text, ": {\"title\": ");
        pk_text_add_json_string(text, sheet->title);
        pk_text_put(text, ", \"of_rows\": ");
        pk_text_add_json_string(text, sheet->of_rows);
        pk_text_put(text, ", \"rows\": [");
        for (size_t i = 0; i < sheet->n_rows; i++) {
            pk_text_put(text, i > 0 ? ", " : "");
            pk_text_add_json_string(text, sheet->rows[i]);
        }
        pk_text_put(text, "], \"columns\": {");
        for (size_t k = 0; k < sheet->n_columns; k++) {
            pk_text_put(text, k > 0 ? ", " : "");
            pk_text_add_json_string(text, sheet->columns[k]);
            pk_text_put(text, ": [");
            for (size_t i = 0; i < sheet->n_rows; i++) {
                pk_text_put(text, i > 0 ? ", " : "");
                pk_text_add_json_number(text, pk_sheet_value(sheet, i, k));
            }
            pk_text_put(text, "]");
        }
        pk_text_put(text, "}, \"notes\": ");
        json_lines(pk_text_string(&sheet->notes), text);
        pk_text_put(text, "}");
    }
}

/* ---- a file ------------------------------------------------------------------------------------------------- */

enum pk_status pk_sheets_put(const struct pk_sheets *sheets, struct pk_results *results, struct pk_error *error)
{
    enum pk_status status = PK_OK;
    for (size_t s = 0; s < sheets->n && status == PK_OK; s++) {
        const struct pk_sheet *sheet = &sheets->items[s];
        char group[256];
        snprintf(group, sizeof group, "/%s", sheet->name);
        status = pk_results_axis_texts(results, group, sheet->of_rows, sheet->n_rows, sheet->rows, sheet->title, error);
        if (status == PK_OK)
            status = pk_results_text(results, group, "title", sheet->title, error);
        if (status == PK_OK)
            status = pk_results_text(results, group, "notes", pk_text_string(&sheet->notes), error);
        for (size_t k = 0; k < sheet->n_columns && status == PK_OK; k++) {
            const char *dims[] = {sheet->of_rows};
            const struct pk_results_array array = {
                .group = group, .name = sheet->columns[k], .n_dims = 1, .dims = dims, .long_name = sheet->about[k]};
            status = pk_results_doubles(results, &array, sheet->values + k * sheet->n_rows, error);
        }
    }
    return status;
}
