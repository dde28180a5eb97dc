/* Tables of comma-separated values (RFC 4180), or of tab-separated ones where the file's name ends in .tsv (as IANA
 * registered them: a quote is a character like any other): a text becomes cells that know their line and column.
 *
 * Responsibility: quotes, line ends, and saying where a table is wrong; a byte order mark is skipped, comments are
 * none. Gives a cell no meaning but the ones asked for. The cells are the table's (pk_csv_free); the text is the
 * caller's and must outlive the table. Knows no models. */
#ifndef PK_CSV_H
#define PK_CSV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "polku/status.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { PK_CSV_BYTES_MAX = (16 << 20) - 1, PK_CSV_COLUMNS_MAX = 64 };

struct pk_csv {
    const char *file;             /* for messages; the caller's */
    struct pk_problems *problems; /* the caller's */
    const char *text;             /* the caller's */
    size_t size;
    char separator;           /* a comma or a tab */
    size_t n_columns, n_rows; /* without the header */
    char *bytes;              /* all cells, each ended by NUL; owned */
    uint32_t *cells;          /* [1 + n_rows][n_columns] where in bytes; row 0 is the header; owned */
    uint32_t *starts;         /* [1 + n_rows] where in the text a row begins; owned */
    size_t room_rows;
};

/* Reads a table with a header of different names and at least one row; every row has as many cells as the header.
 * Afterwards *csv may be freed, whatever the status. Errors: PK_BAD_INPUT (in the problems, with line and column),
 * PK_NO_MEMORY. */
PK_CHECKED enum pk_status pk_csv_parse(const char *text, size_t size, const char *file, struct pk_problems *problems,
                                       struct pk_csv *csv);
void pk_csv_free(struct pk_csv *csv);

/* Row i < n_rows, column k < n_columns. */
const char *pk_csv_cell(const struct pk_csv *csv, size_t i_row, size_t i_column);
const char *pk_csv_header(const struct pk_csv *csv, size_t i_column);
/* The column of a name; SIZE_MAX: there is none, which is a problem if needed. */
size_t pk_csv_column(const struct pk_csv *csv, const char *name, bool needed);

/* The functions below add a problem at the cell and return false where it does not hold such a thing. */
/* A finite decimal number, low <= value <= high. */
bool pk_csv_double(const struct pk_csv *csv, size_t i_row, size_t i_column, double low, double high, double *value);
/* One of names[n]; what: with article, "a state". */
bool pk_csv_choice(const struct pk_csv *csv, size_t i_row, size_t i_column, const char *const *names, size_t n,
                   const char *what, size_t *i);
/* The caller's own problem at a cell, or at a column's header. hint may be NULL. */
void pk_csv_problem(const struct pk_csv *csv, size_t i_row, size_t i_column, const char *hint, const char *format, ...)
    PK_PRINTF(5, 6);
void pk_csv_header_problem(const struct pk_csv *csv, size_t i_column, const char *hint, const char *format, ...)
    PK_PRINTF(4, 5);

/* A text as a cell: in quotes where it must be (an empty last one too: alone it would be an empty line). Ends with a
 * comma, or a line feed where it is the row's last. */
struct pk_text;
void pk_csv_put(struct pk_text *text, const char *cell, bool last);

#ifdef __cplusplus
}
#endif
#endif
