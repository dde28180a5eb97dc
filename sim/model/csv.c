/* Comma-separated values. See csv.h. */
#include "polku/csv.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "polku/memory.h"
#include "polku/source.h"
#include "polku/text.h"

/* A place in the text while it is read. */
struct place {
    size_t at, line, column;
};

static void add(const struct pk_csv *csv, const struct place *place, const char *path, const char *hint,
                const char *format, va_list arguments)
{
    struct pk_error error = {.status = PK_BAD_INPUT, .line = place->line, .column = place->column};
    snprintf(error.file, sizeof error.file, "%s", csv->file);
    if (path != NULL) {
        char excerpt[PK_SOURCE_EXCERPT_SIZE];
        pk_source_excerpt(path, excerpt);
        snprintf(error.path, sizeof error.path, "%s", excerpt);
    }
    snprintf(error.hint, sizeof error.hint, "%s", hint != NULL ? hint : "");
    vsnprintf(error.message, sizeof error.message, format, arguments);
    pk_problems_add(csv->problems, &error);
}

PK_PRINTF(4, 5)
static enum pk_status refuse(const struct pk_csv *csv, const struct place *place, const char *hint, const char *format,
                             ...)
{
    va_list arguments;
    va_start(arguments, format);
    add(csv, place, NULL, hint, format, arguments);
    va_end(arguments);
    return PK_BAD_INPUT;
}

static bool continues(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

/* One byte on; characters of several bytes are one column. */
static void step(const struct pk_csv *csv, struct place *place)
{
    char c = csv->text[place->at++];
    if (c == '\n') {
        place->line++;
        place->column = 1;
    } else if (place->at >= csv->size || !continues(csv->text[place->at])) {
        place->column++;
    }
}

static bool ends_cell(const struct pk_csv *csv, size_t at)
{
    return at == csv->size || csv->text[at] == csv->separator || csv->text[at] == '\n' ||
           (csv->text[at] == '\r' && (at + 1 == csv->size || csv->text[at + 1] == '\n'));
}

/* Reads the cell at a place into bytes + *used (NULL: only passes it) and stops at what ends it. */
static enum pk_status read_cell(const struct pk_csv *csv, struct place *place, char *bytes, size_t *used)
{
    const char *text = csv->text;
    struct place begin = *place;
    size_t from = place->at;
    const bool quotes = csv->separator == ',', quoted = quotes && from < csv->size && text[from] == '"';
    if (quoted) {
        step(csv, place);
        for (;;) {
            if (place->at == csv->size)
                return refuse(csv, &begin, "two quotes inside quotes stand for one", "opens a quote that never closes");
            if (text[place->at] == '"') {
                step(csv, place);
                if (place->at == csv->size || text[place->at] != '"')
                    break;
            }
            if (bytes != NULL)
                bytes[(*used)++] = text[place->at];
            step(csv, place);
        }
        if (!ends_cell(csv, place->at))
            return refuse(csv, place, "two quotes inside quotes stand for one",
                          "something stands after the closing quote");
    } else {
        while (!ends_cell(csv, place->at)) {
            if (quotes && text[place->at] == '"')
                return refuse(csv, place, "put the whole cell in quotes and write the quote twice",
                              "a quote stands inside a cell without quotes");
            if (text[place->at] == '\r')
                return refuse(csv, place, NULL, "a carriage return stands without its line feed");
            if (bytes != NULL)
                bytes[(*used)++] = text[place->at];
            step(csv, place);
        }
        size_t n = place->at - from;
        if (quotes && n > 0 && (strchr(" \t", text[from]) != NULL || strchr(" \t", text[from + n - 1]) != NULL))
            return refuse(csv, &begin, "take it away, or put the cell in quotes", "a blank stands beside the comma");
    }
    if (bytes != NULL)
        bytes[(*used)++] = '\0';
    return PK_OK;
}

static void end_line(const struct pk_csv *csv, struct place *place)
{
    while (place->at < csv->size && csv->text[place->at] == '\r')
        step(csv, place);
    if (place->at < csv->size)
        step(csv, place);
}

static bool grow(struct pk_csv *csv)
{
    size_t room = csv->room_rows ? csv->room_rows * 2 : 64;
    uint32_t *cells = pk_realloc(csv->cells, room * csv->n_columns, sizeof *cells);
    if (cells != NULL)
        csv->cells = cells;
    uint32_t *starts = pk_realloc(csv->starts, room, sizeof *starts);
    if (starts != NULL)
        csv->starts = starts;
    if (cells != NULL && starts != NULL)
        csv->room_rows = room;
    return cells != NULL && starts != NULL;
}

static enum pk_status read_row(struct pk_csv *csv, size_t i_row, struct place *place, size_t *used)
{
    size_t n = 0;
    struct place begin = *place;
    if (i_row == csv->room_rows && !grow(csv))
        return PK_NO_MEMORY;
    csv->starts[i_row] = (uint32_t)place->at;
    for (;;) {
        if (n < csv->n_columns)
            csv->cells[i_row * csv->n_columns + n] = (uint32_t)*used;
        enum pk_status status = read_cell(csv, place, n < csv->n_columns ? csv->bytes : NULL, used);
        if (status != PK_OK)
            return status;
        n++;
        if (place->at == csv->size || csv->text[place->at] != csv->separator)
            break;
        step(csv, place);
    }
    if (n == 1 && place->at == begin.at)
        return refuse(csv, &begin, NULL, "the line is empty");
    if (n != csv->n_columns)
        return refuse(csv, &begin, NULL, "the row has %zu cells, expected %zu as in the header", n, csv->n_columns);
    end_line(csv, place);
    return PK_OK;
}

/* How many columns the header has; names must be different. */
static enum pk_status count_columns(struct pk_csv *csv, struct place place)
{
    struct place begin = place;
    bool other = false;
    csv->n_columns = 1;
    for (;; csv->n_columns++) {
        size_t from = place.at;
        enum pk_status status = read_cell(csv, &place, NULL, NULL);
        if (status != PK_OK)
            return status;
        for (size_t i = from; i < place.at; i++)
            other |= csv->text[i] != csv->separator && strchr(",;\t", csv->text[i]) != NULL;
        if (place.at == csv->size || csv->text[place.at] != csv->separator)
            break;
        step(csv, &place);
    }
    if (csv->n_columns == 1 && other && csv->separator == '\t')
        return refuse(csv, &begin, "end its name with .csv", "the header has no tab but commas or semicolons");
    if (csv->n_columns == 1 && other)
        return refuse(csv, &begin, "save it with commas between cells and points in numbers",
                      "the header has no comma but semicolons or tabs");
    if (csv->n_columns > PK_CSV_COLUMNS_MAX)
        return refuse(csv, &begin, NULL, "the header has %zu columns, at most %d are allowed", csv->n_columns,
                      PK_CSV_COLUMNS_MAX);
    return PK_OK;
}

static enum pk_status check_header(const struct pk_csv *csv)
{
    enum pk_status status = PK_OK;
    for (size_t k = 0; k < csv->n_columns; k++) {
        const char *name = pk_csv_header(csv, k);
        bool again = false;
        for (size_t i = 0; i < k; i++)
            again |= strcmp(pk_csv_header(csv, i), name) == 0;
        if (name[0] != '\0' && !again)
            continue;
        status = PK_BAD_INPUT;
        pk_csv_header_problem(csv, k, NULL, again ? "names a column again" : "the header has a column without a name");
    }
    return status;
}

static enum pk_status check_text(const struct pk_csv *csv)
{
    struct pk_source_fault fault;
    struct place place = {0, 1, 1};
    if (csv->size > PK_CSV_BYTES_MAX)
        return refuse(csv, &place, NULL, "the table has %zu bytes, at most %d are allowed", csv->size,
                      PK_CSV_BYTES_MAX);
    size_t n_mark = csv->size >= 3 && memcmp(csv->text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    if (!pk_source_first_fault(csv->text + n_mark, csv->size - n_mark, "\t\r\n", &fault))
        return PK_OK;
    place = (struct place){0, fault.line, fault.column};
    if (!fault.encoded)
        return refuse(csv, &place, "save it as UTF-8", "byte 0x%02x is not UTF-8", (unsigned)fault.code);
    return refuse(csv, &place, NULL, "holds the character U+%04X, which no editor shows", (unsigned)fault.code);
}

enum pk_status pk_csv_parse(const char *text, size_t size, const char *file, struct pk_problems *problems,
                            struct pk_csv *csv)
{
    const size_t n_name = strlen(file);
    const char separator = n_name > 4 && strcmp(file + n_name - 4, ".tsv") == 0 ? '\t' : ',';
    *csv = (struct pk_csv){.file = file, .problems = problems, .text = text, .size = size, .separator = separator};
    struct place place = {0, 1, 1};
    enum pk_status status = check_text(csv);
    if (status != PK_OK)
        return status;
    if (size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
        place.at = 3;
    while (csv->size > place.at && (text[csv->size - 1] == '\n' || text[csv->size - 1] == '\r'))
        csv->size--; /* empty lines at the end are none */
    if (csv->size == place.at)
        return refuse(csv, &place, NULL, "the table is empty, expected a header and rows");
    status = count_columns(csv, place);
    if (status != PK_OK)
        return status;
    /* no cell takes more in bytes than in the text with what ends it */
    csv->bytes = pk_alloc(csv->size + 2, 1);
    if (csv->bytes == NULL)
        return PK_NO_MEMORY;
    size_t used = 0, n = 0;
    size_t n_bad = 0;
    while (place.at < csv->size && status != PK_NO_MEMORY && n_bad < 20) {
        size_t line = place.line, used_before = used;
        status = read_row(csv, n, &place, &used);
        if (status == PK_OK) {
            n++;
            continue;
        }
        if (n == 0 || status == PK_NO_MEMORY)
            return status;
        n_bad++;
        used = used_before;
        while (place.at < csv->size && (place.line == line || csv->text[place.at - 1] != '\n'))
            step(csv, &place); /* on from the next line */
    }
    if (status == PK_NO_MEMORY || n_bad > 0)
        return status == PK_NO_MEMORY ? status : PK_BAD_INPUT;
    csv->n_rows = n - 1;
    status = check_header(csv);
    if (status == PK_OK && csv->n_rows == 0)
        status = refuse(csv, &place, NULL, "the table has a header and no rows");
    return status;
}

void pk_csv_free(struct pk_csv *csv)
{
    if (csv == NULL)
        return;
    pk_free(csv->bytes);
    pk_free(csv->cells);
    pk_free(csv->starts);
    memset(csv, 0, sizeof *csv);
}

const char *pk_csv_header(const struct pk_csv *csv, size_t i_column)
{
    PK_ASSERT(i_column < csv->n_columns);
    return csv->bytes + csv->cells[i_column];
}

const char *pk_csv_cell(const struct pk_csv *csv, size_t i_row, size_t i_column)
{
    PK_ASSERT(i_row < csv->n_rows && i_column < csv->n_columns);
    return csv->bytes + csv->cells[(i_row + 1) * csv->n_columns + i_column];
}

/* Where a cell stands in the text; i_line counts the header. */
static struct place place_of(const struct pk_csv *csv, size_t i_line, size_t i_column)
{
    struct place place = {csv->starts[0], 1, 1};
    if (csv->problems->n_kept == PK_PROBLEMS_MAX)
        return place; /* only counted */
    while (place.at < csv->starts[i_line])
        step(csv, &place);
    for (size_t k = 0; k < i_column; k++) {
        (void)!read_cell(csv, &place, NULL, NULL);
        step(csv, &place);
    }
    return place;
}

void pk_csv_problem(const struct pk_csv *csv, size_t i_row, size_t i_column, const char *hint, const char *format, ...)
{
    struct place place = place_of(csv, i_row + 1, i_column);
    va_list arguments;
    va_start(arguments, format);
    add(csv, &place, pk_csv_header(csv, i_column), hint, format, arguments);
    va_end(arguments);
}

void pk_csv_header_problem(const struct pk_csv *csv, size_t i_column, const char *hint, const char *format, ...)
{
    struct place place = place_of(csv, 0, i_column);
    va_list arguments;
    va_start(arguments, format);
    add(csv, &place, pk_csv_header(csv, i_column), hint, format, arguments);
    va_end(arguments);
}

size_t pk_csv_column(const struct pk_csv *csv, const char *name, bool needed)
{
    const char *names[PK_CSV_COLUMNS_MAX];
    for (size_t k = 0; k < csv->n_columns; k++) {
        names[k] = pk_csv_header(csv, k);
        if (strcmp(names[k], name) == 0)
            return k;
    }
    if (needed) {
        const char *nearest = pk_text_nearest(name, names, csv->n_columns);
        struct place place = {0, 1, 1};
        char hint[160] = "", excerpt[PK_SOURCE_EXCERPT_SIZE];
        if (nearest != NULL) {
            pk_source_excerpt(nearest, excerpt);
            snprintf(hint, sizeof hint, "is \"%s\" meant to be it?", excerpt);
        }
        (void)!refuse(csv, &place, hint, "the header has no column %s", name);
    }
    return SIZE_MAX;
}

bool pk_csv_double(const struct pk_csv *csv, size_t i_row, size_t i_column, double low, double high, double *value)
{
    const char *cell = pk_csv_cell(csv, i_row, i_column);
    double number;
    if (!pk_text_to_double(cell, &number)) {
        char excerpt[PK_SOURCE_EXCERPT_SIZE];
        pk_source_excerpt(cell, excerpt);
        pk_csv_problem(csv, i_row, i_column, strchr(cell, ',') != NULL ? "write a point, not a comma" : NULL,
                       cell[0] == '\0' ? "is empty, expected a number" : "is \"%s\", expected a number", excerpt);
        return false;
    }
    if (!(low <= number && number <= high)) {
        pk_csv_problem(csv, i_row, i_column, NULL, "is %g, expected %g to %g", number, low, high);
        return false;
    }
    *value = number;
    return true;
}

bool pk_csv_choice(const struct pk_csv *csv, size_t i_row, size_t i_column, const char *const *names, size_t n,
                   const char *what, size_t *i)
{
    const char *cell = pk_csv_cell(csv, i_row, i_column);
    for (size_t k = 0; k < n; k++)
        if (strcmp(names[k], cell) == 0) {
            *i = k;
            return true;
        }
    char excerpt[PK_SOURCE_EXCERPT_SIZE], hint[160] = "";
    const char *nearest = pk_text_nearest(cell, names, n);
    if (nearest != NULL)
        snprintf(hint, sizeof hint, "did you mean \"%s\"?", nearest);
    pk_source_excerpt(cell, excerpt);
    pk_csv_problem(csv, i_row, i_column, hint, "is \"%s\", expected %s", excerpt, what);
    return false;
}

void pk_csv_put(struct pk_text *text, const char *cell, bool last)
{
    size_t n = strlen(cell);
    bool quoted = n == 0 ? last
                         : (strpbrk(cell, ",\"\r\n") != NULL || strchr(" \t", cell[0]) != NULL ||
                            strchr(" \t", cell[n - 1]) != NULL);
    if (quoted)
        pk_text_put(text, "\"");
    for (size_t i = 0; i < n; i++)
        pk_text_add(text, quoted && cell[i] == '"' ? "\"\"" : cell + i, quoted && cell[i] == '"' ? 2 : 1);
    if (quoted)
        pk_text_put(text, "\"");
    pk_text_put(text, last ? "\n" : ",");
}
