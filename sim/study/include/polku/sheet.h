/* Tables of numbers with names for their rows and columns: what an analysis tells, once, for people, scripts and files.
 *
 * Responsibility: holding them, and writing them as text, JSON, comma-separated values and a file that xarray opens. */
#ifndef PK_SHEET_H
#define PK_SHEET_H

#include "polku/memory.h"
#include "polku/results.h"
#include "polku/text.h"

#ifdef __cplusplus
extern "C" {
#endif

struct pk_sheet {
    const char *name;    /* of its group: /sobol/net_jobs; letters, digits, _ and one / at most */
    const char *title;   /* one line for people */
    const char *of_rows; /* the name of the rows' axis */
    size_t n_rows, n_columns;
    const char **rows, **columns; /* names; columns' are names of arrays */
    const char **about;           /* [n_columns] long names */
    double *values;               /* [n_columns][n_rows] */
    bool aside;                   /* told in files and JSON, not to people */
    struct pk_text notes;         /* lines told below; owned */
};

struct pk_sheets {
    struct pk_arena arena;
    size_t n, room;
    struct pk_sheet *items; /* [n] owned */
    bool failed;            /* out of memory */
};

void pk_sheets_init(struct pk_sheets *sheets);
void pk_sheets_free(struct pk_sheets *sheets);

/* A new sheet of nan; its columns and what they are about are given, NULL-terminated pairs: name, long name, ... Rows
 * are named by the caller with pk_sheet_row. NULL without memory (then sheets->failed). It is valid until the next one.
 */
struct pk_sheet *pk_sheet_add(struct pk_sheets *sheets, const char *name, const char *title, const char *of_rows,
                              size_t n_rows, const char *const *columns);
void pk_sheet_row(struct pk_sheets *sheets, struct pk_sheet *sheet, size_t i_row, const char *name);
void pk_sheet_put(struct pk_sheet *sheet, size_t i_row, size_t i_column, double value);
double pk_sheet_value(const struct pk_sheet *sheet, size_t i_row, size_t i_column);
const struct pk_sheet *pk_sheets_find(const struct pk_sheets *sheets, const char *name);

/* n_rows 0: all. */
void pk_sheets_print(const struct pk_sheets *sheets, size_t n_rows, struct pk_text *text);
/* "NAME": {"title": ..., "rows": [...], "columns": {"C": [...], ...}, "notes": [...]}, ... without outer braces. */
void pk_sheets_json(const struct pk_sheets *sheets, struct pk_text *text);
/* Each sheet as a group. Errors: those of results.h. */
PK_CHECKED enum pk_status pk_sheets_put(const struct pk_sheets *sheets, struct pk_results *results,
                                        struct pk_error *error);

#ifdef __cplusplus
}
#endif
#endif
