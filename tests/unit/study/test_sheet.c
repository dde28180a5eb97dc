/* Tables of numbers: held, printed, as JSON and as a file. Expected texts are written by hand. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "polku/sheet.h"

static const char *const columns[] = {"share", "of the whole", "cost", "euros", NULL};

/* Two sheets: one with everything in it, one of no rows. */
static void make(struct pk_sheets *sheets)
{
    pk_sheets_init(sheets);
    struct pk_sheet *sheet = pk_sheet_add(sheets, "kind/first", "A \"small\" table", "thing", 4, columns);
    cr_assert_not_null(sheet);
    pk_sheet_row(sheets, sheet, 0, "työ");
    pk_sheet_row(sheets, sheet, 1, "a longer name, with a comma");
    pk_sheet_row(sheets, sheet, 2, "c");
    pk_sheet_put(sheet, 0, 0, 0.123456);
    pk_sheet_put(sheet, 1, 0, -1);
    pk_sheet_put(sheet, 2, 0, (double)INFINITY);
    pk_sheet_put(sheet, 0, 1, 12345.6);
    pk_sheet_put(sheet, 1, 1, 1e13);
    pk_sheet_put(sheet, 3, 1, -12345.6);
    pk_text_put(&sheet->notes, "a \"note\"\nand\tanother\n");
    cr_assert_not_null(pk_sheet_add(sheets, "kind/second", "Nothing", "pair", 0, columns));
}

Test(sheet, holds_numbers_by_row_and_column)
{
    struct pk_sheets sheets;
    make(&sheets);
    const struct pk_sheet *sheet = pk_sheets_find(&sheets, "kind/first");
    cr_assert(sheet != NULL && sheet->n_rows == 4 && sheet->n_columns == 2);
    cr_assert_eq(pk_sheet_value(sheet, 0, 1), 12345.6);
    cr_assert_eq(pk_sheet_value(sheet, 1, 0), -1);
    cr_assert_eq(sheet->values[1 * 4 + 3], -12345.6, "column by column");
    cr_assert(isnan(pk_sheet_value(sheet, 3, 0)) && isnan(pk_sheet_value(sheet, 2, 1)), "nan until put");
    cr_assert_str_eq(sheet->rows[3], "");
    cr_assert_str_eq(sheet->about[1], "euros");
    cr_assert_null(pk_sheets_find(&sheets, "kind/third"));
    for (size_t i = 0; i < 100; i++) { /* more than there was room for */
        char name[40];
        snprintf(name, sizeof name, "kind/n%zu", i);
        cr_assert_not_null(pk_sheet_add(&sheets, name, "", "row", 1, columns));
    }
    cr_assert(sheets.n == 102 && !sheets.failed);
    cr_assert_eq(pk_sheet_value(pk_sheets_find(&sheets, "kind/first"), 0, 0), 0.123456);
    pk_sheets_free(&sheets);
    pk_sheets_free(&sheets);
}

Test(sheet, prints_in_columns)
{
    static const char wanted[] = "\nA \"small\" table\n"
                                 "thing                            share       cost\n"
                                 "työ                             0.1235      12346\n"
                                 "a longer name, with a comma         -1      1e+13\n"
                                 "c                                  inf          -\n"
                                 "                                     -     -12346\n"
                                 "a \"note\"\nand\tanother\n"
                                 "\nNothing\n"
                                 "pair      share       cost\n";
    struct pk_sheets sheets;
    struct pk_text text;
    make(&sheets);
    pk_text_init(&text);
    pk_sheets_print(&sheets, 0, &text);
    cr_assert_str_eq(pk_text_string(&text), wanted);
    pk_text_free(&text);
    pk_text_init(&text);
    pk_sheets_print(&sheets, 1, &text);
    cr_assert(strstr(pk_text_string(&text), "thing      share       cost\ntyö       0.1235      12346\n"
                                            "... and 3 more rows (--rows)\na \"note\"\n") != NULL,
              "%s", pk_text_string(&text));
    pk_text_free(&text);
    pk_text_init(&text);
    pk_sheets_print(&sheets, 4, &text);
    cr_assert_str_eq(pk_text_string(&text), wanted, "as many as there are leave none out");
    pk_text_free(&text);
    pk_sheets_free(&sheets);
}

Test(sheet, writes_json)
{
    static const char wanted[] =
        "\"kind/first\": {\"title\": \"A \\\"small\\\" table\", \"of_rows\": \"thing\", \"rows\": [\"työ\", "
        "\"a longer name, with a comma\", \"c\", \"\"], \"columns\": {\"share\": [0.123456, -1, null, null], "
        "\"cost\": [12345.6, 10000000000000, null, -12345.6]}, \"notes\": [\"a \\\"note\\\"\", "
        "\"and\\u0009another\"]},\n"
        "\"kind/second\": {\"title\": \"Nothing\", \"of_rows\": \"pair\", \"rows\": [], \"columns\": {\"share\": [], "
        "\"cost\": []}, \"notes\": []}";
    struct pk_sheets sheets;
    struct pk_text text;
    make(&sheets);
    pk_text_init(&text);
    pk_sheets_json(&sheets, &text);
    cr_assert_str_eq(pk_text_string(&text), wanted, "%s", pk_text_string(&text));
    pk_text_free(&text);
    pk_sheets_free(&sheets);
}

Test(sheet, is_read_back_from_its_file)
{
    char path[] = "/tmp/polku-sheet-XXXXXX";
    struct pk_sheets sheets;
    struct pk_results *results = NULL;
    struct pk_error error;
    double *values = NULL;
    char **rows = NULL, *text = NULL;
    size_t n = 0, n_dims, extent[PK_RESULTS_DIMS_MAX];
    const int file = mkstemp(path);
    cr_assert_geq(file, 0);
    (void)close(file);
    make(&sheets);
    cr_assert_eq(pk_results_create(&results, &error), PK_OK);
    cr_assert_eq(pk_sheets_put(&sheets, results, &error), PK_OK, "%s", error.message);
    cr_assert_eq(pk_results_save(results, path, &error), PK_OK);
    pk_results_close(results);
    cr_assert_eq(pk_results_open(path, &results, &error), PK_OK);
    cr_assert_eq(pk_results_read_doubles(results, "/kind/first/cost", &values, &n, extent, &n_dims, &error), PK_OK);
    cr_assert(n == 4 && n_dims == 1 && values[0] == 12345.6 && isnan(values[2]) && values[3] == -12345.6);
    pk_free(values);
    cr_assert_eq(pk_results_read_texts(results, "/kind/first/thing", &rows, &n, &error), PK_OK);
    cr_assert(n == 4 && strcmp(rows[0], "työ") == 0 && strcmp(rows[3], "") == 0);
    pk_free(rows);
    cr_assert_eq(pk_results_read_text(results, "/kind/first", "notes", &text, &error), PK_OK);
    cr_assert_str_eq(text, "a \"note\"\nand\tanother\n");
    pk_free(text);
    cr_assert_eq(pk_results_read_doubles(results, "/kind/second/share", &values, &n, extent, &n_dims, &error), PK_OK);
    cr_assert_eq(n, 0);
    pk_free(values);
    pk_results_close(results);
    pk_sheets_free(&sheets);
    (void)unlink(path);
}
