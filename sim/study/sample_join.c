/* Samples put together, and as comma-separated values. See sample.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "polku/csv.h"
#include "polku/file.h"
#include "sample_private.h"

static void take_point(struct pk_sample *into, size_t i, const struct pk_sample *from, size_t k)
{
    memcpy(into->y + i * into->n_figures, from->y + k * from->n_figures, from->n_figures * sizeof *from->y);
    memcpy(into->errors + i * into->n_figures, from->errors + k * from->n_figures,
           from->n_figures * sizeof *from->errors);
}

enum pk_status pk_sample_join(struct pk_sample *whole, bool *known, const struct pk_sample *part,
                              struct pk_error *error)
{
    if (part->identity != whole->identity || part->n_figures != whole->n_figures)
        return pk_error_set(error, PK_BAD_INPUT,
                            "is of another study: of the study, its scenario, its model or this program as they were");
    if (part->replications != whole->replications)
        return pk_error_set(error, PK_BAD_INPUT, "has %lld replications a point, expected %lld",
                            (long long)part->replications, (long long)whole->replications);
    if (part->n_all != whole->n_all) {
        (void)pk_error_set(error, PK_BAD_INPUT, "is of a design of %zu points, expected %zu", part->n_all,
                           whole->n_all);
        snprintf(error->hint, sizeof error->hint, "of other draws: remove it, or name the files to merge");
        return PK_BAD_INPUT;
    }
    for (size_t k = 0; k < part->n; k++) {
        const size_t i = part->first + k - whole->first;
        if (part->keys[k] != whole->keys[i])
            return pk_error_set(error, PK_BAD_INPUT, "point %zu is another one than in this study", part->first + k);
        take_point(whole, i, part, k);
        known[i] = true;
    }
    return PK_OK;
}

struct place {
    uint64_t key;
    size_t i;
};

static int by_key(const void *a, const void *b)
{
    const struct place *first = a, *second = b;
    if (first->key != second->key)
        return first->key < second->key ? -1 : 1;
    return first->i < second->i ? -1 : first->i > second->i;
}

size_t pk_sample_take(struct pk_sample *sample, bool *known, const struct pk_sample *earlier)
{
    size_t n_taken = 0;
    if (earlier->identity != sample->identity || earlier->n_figures != sample->n_figures || earlier->n == 0)
        return 0;
    struct place *places = pk_alloc(earlier->n, sizeof *places);
    if (places == NULL) /* then all is done again */
        return 0;
    for (size_t k = 0; k < earlier->n; k++)
        places[k] = (struct place){.key = earlier->keys[k], .i = k};
    qsort(places, earlier->n, sizeof *places, by_key);
    for (size_t i = 0; i < sample->n; i++) {
        size_t low = 0, high = earlier->n;
        while (low < high) {
            const size_t middle = low + (high - low) / 2;
            if (places[middle].key < sample->keys[i])
                low = middle + 1;
            else
                high = middle;
        }
        if (known[i] || low == earlier->n || places[low].key != sample->keys[i])
            continue;
        take_point(sample, i, earlier, places[low].i);
        known[i] = true;
        n_taken++;
    }
    pk_free(places);
    return n_taken;
}

/* ---- comma-separated values --------------------------------------------------------------------------------- */

/* A value, or the name of a choice's option. */
static void put_value(struct pk_text *text, const struct pk_sample *sample, size_t i, size_t q, bool last)
{
    char number[40];
    const double x = sample->x[i * sample->n_quantities + q];
    for (size_t f = 0; f < sample->n_factors; f++)
        if (sample->factors[f].kind == PK_FACTOR_CHOICE && sample->factors[f].first_quantity == q) {
            pk_csv_put(text, sample->factors[f].level_names[(size_t)x], last);
            return;
        }
    snprintf(number, sizeof number, "%.17g", x);
    pk_csv_put(text, number, last);
}

void pk_sample_csv(const struct pk_sample *sample, bool figures, struct pk_text *text)
{
    const size_t n_told = figures ? sample->n_figures : 0;
    char cell[192];
    pk_csv_put(text, "point", sample->n_quantities + n_told == 0);
    for (size_t q = 0; q < sample->n_quantities; q++)
        pk_csv_put(text, sample->quantities[q], q + 1 == sample->n_quantities && n_told == 0);
    for (size_t k = 0; k < n_told; k++) {
        snprintf(cell, sizeof cell, "%.180s_se", sample->figures[k].name);
        pk_csv_put(text, sample->figures[k].name, false);
        pk_csv_put(text, cell, k + 1 == n_told);
    }
    for (size_t i = 0; i < sample->n; i++) {
        snprintf(cell, sizeof cell, "%zu", sample->first + i);
        pk_csv_put(text, cell, sample->n_quantities + n_told == 0);
        for (size_t q = 0; q < sample->n_quantities; q++)
            put_value(text, sample, i, q, q + 1 == sample->n_quantities && n_told == 0);
        for (size_t k = 0; k < n_told; k++) {
            snprintf(cell, sizeof cell, "%.17g", sample->y[i * sample->n_figures + k]);
            pk_csv_put(text, cell, false);
            snprintf(cell, sizeof cell, "%.17g", sample->errors[i * sample->n_figures + k]);
            pk_csv_put(text, cell, k + 1 == n_told);
        }
    }
}

static bool read_rows(struct pk_sample *sample, const struct pk_csv *csv)
{
    if (csv->n_rows != sample->n) {
        pk_csv_header_problem(csv, 0, NULL, "%zu rows follow, expected one for each of the %zu points", csv->n_rows,
                              sample->n);
        return false;
    }
    const size_t i_point = pk_csv_column(csv, "point", false);
    for (size_t i = 0; i_point != SIZE_MAX && i < csv->n_rows; i++) {
        double point;
        if (!pk_csv_double(csv, i, i_point, 0, 1e9, &point))
            return false;
        if (point != (double)(sample->first + i)) {
            pk_csv_problem(csv, i, i_point, NULL, "is point %.0f, expected %zu: rows are in the order of points", point,
                           sample->first + i);
            return false;
        }
    }
    for (size_t k = 0; k < sample->n_figures; k++) {
        const size_t column = pk_csv_column(csv, sample->figures[k].name, true);
        for (size_t i = 0; column != SIZE_MAX && i < csv->n_rows; i++)
            if (!pk_csv_double(csv, i, column, -1e300, 1e300, &sample->y[i * sample->n_figures + k]))
                return false;
        if (column == SIZE_MAX)
            return false;
    }
    return true;
}

enum pk_status pk_sample_read_outputs(struct pk_sample *sample, const char *path, struct pk_error *error)
{
    struct pk_problems problems;
    struct pk_csv csv;
    char *text = NULL;
    size_t size;
    enum pk_status status = pk_file_read(path, PK_CSV_BYTES_MAX, &text, &size, error);
    if (status != PK_OK)
        return status;
    pk_problems_init(&problems);
    status = pk_csv_parse(text, size, path, &problems, &csv);
    if (status == PK_OK && !read_rows(sample, &csv))
        status = PK_BAD_INPUT;
    if (status != PK_OK && problems.n_kept > 0)
        *error = problems.items[0];
    else if (status != PK_OK)
        (void)pk_error_set(error, status, "cannot read the outputs");
    pk_csv_free(&csv);
    pk_problems_free(&problems);
    pk_free(text);
    return status;
}
