/* libFuzzer entry: any bytes as a table of comma-separated and of tab-separated values, and every cell as everything.
 *
 * What is read is put again and must be the same table. Seeds: tests/data (.csv, .tsv). */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "polku/csv.h"
#include "polku/source.h"
#include "polku/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_problems(const struct pk_problems *problems)
{
    for (size_t i = 0; i < problems->n_kept; i++) {
        char line[1024];
        struct pk_source_fault fault;
        pk_error_text(&problems->items[i], line, sizeof line);
        if (problems->items[i].line == 0 || problems->items[i].message[0] == '\0' ||
            pk_source_first_fault(line, strlen(line), "", &fault))
            abort();
    }
}

static void put_again(const struct pk_csv *csv)
{
    struct pk_text text;
    struct pk_problems problems;
    struct pk_csv again;
    pk_text_init(&text);
    pk_problems_init(&problems);
    for (size_t k = 0; k < csv->n_columns; k++)
        pk_csv_put(&text, pk_csv_header(csv, k), k + 1 == csv->n_columns);
    for (size_t i = 0; i < csv->n_rows; i++)
        for (size_t k = 0; k < csv->n_columns; k++)
            pk_csv_put(&text, pk_csv_cell(csv, i, k), k + 1 == csv->n_columns);
    if (pk_csv_parse(text.bytes, text.size, "again", &problems, &again) != PK_OK || again.n_rows != csv->n_rows ||
        again.n_columns != csv->n_columns)
        abort();
    for (size_t i = 0; i < csv->n_rows; i++)
        for (size_t k = 0; k < csv->n_columns; k++)
            if (strcmp(pk_csv_cell(csv, i, k), pk_csv_cell(&again, i, k)) != 0)
                abort();
    pk_csv_free(&again);
    pk_problems_free(&problems);
    pk_text_free(&text);
}

static void parse(const uint8_t *data, size_t size, const char *file)
{
    static const char *const names[] = {"woman", "man"};
    struct pk_problems problems;
    struct pk_csv csv;
    pk_problems_init(&problems);
    enum pk_status status = pk_csv_parse((const char *)data, size, file, &problems, &csv);
    if ((status == PK_OK) != (problems.n_found == 0) || (status != PK_OK && status != PK_BAD_INPUT))
        abort();
    if (status == PK_OK) {
        double number;
        size_t i_name;
        put_again(&csv);
        (void)pk_csv_column(&csv, "share", true);
        for (size_t i = 0; i < csv.n_rows && problems.n_kept < PK_PROBLEMS_MAX; i++)
            for (size_t k = 0; k < csv.n_columns; k++) {
                (void)pk_csv_double(&csv, i, k, 0, 1, &number);
                (void)pk_csv_choice(&csv, i, k, names, 2, "a name", &i_name);
            }
    }
    check_problems(&problems);
    pk_csv_free(&csv);
    pk_problems_free(&problems);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    parse(data, size, "fuzz");
    parse(data, size, "fuzz.tsv");
    return 0;
}
