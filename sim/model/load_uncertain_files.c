/* Tables that say how parameters are uncertain together: posterior draws, and estimates with their covariances. See
 * load.h and uncertainty.h. */
#include <math.h>
#include <string.h>

#include "load_uncertain_private.h"
#include "polku/csv.h"

/* The table at r; false after a problem. */
static bool open_table(struct pk_load *load, const struct pk_reader *r, struct pk_csv *csv)
{
    const char *path = NULL;
    memset(csv, 0, sizeof *csv);
    const struct pk_attachment *attachment = pk_load_attachment(load, r, &path);
    if (attachment == NULL)
        return false;
    const enum pk_status status = pk_csv_parse(attachment->text, attachment->size, path, r->problems, csv);
    load->no_memory |= status == PK_NO_MEMORY;
    return status == PK_OK;
}

static bool too_many(const struct pk_csv *csv, size_t n)
{
    if (n > PK_MAX_UNCERTAIN_TOGETHER)
        pk_csv_header_problem(csv, 0, NULL, "the table is about %zu parameters, at most %d are allowed", n,
                              PK_MAX_UNCERTAIN_TOGETHER);
    return n > PK_MAX_UNCERTAIN_TOGETHER;
}

/* A column a parameter, a row a draw. Columns whose names begin with a dot (.chain, .iteration, .draw) are those of the
 * program that drew, and not looked at. */
static bool read_draws(struct pk_load *load, const struct pk_csv *csv, struct pk_uncertain_set *set)
{
    size_t columns[PK_CSV_COLUMNS_MAX], n = 0;
    struct pk_load_refusal refusal;
    for (size_t k = 0; k < csv->n_columns; k++)
        if (pk_csv_header(csv, k)[0] != '.')
            columns[n++] = k;
    if (n == 0)
        pk_csv_header_problem(csv, 0, NULL, "the table has no column of a parameter");
    if (n == 0 || too_many(csv, n) || !pk_load_uncertain_room(load, set, n))
        return false;
    bool good = true;
    for (size_t k = 0; k < n; k++)
        if (!pk_load_uncertain_member(load, set, pk_csv_header(csv, columns[k]), &refusal)) {
            if (refusal.what[0] != '\0')
                pk_csv_header_problem(csv, columns[k], refusal.hint[0] != '\0' ? refusal.hint : NULL, "%s",
                                      refusal.what);
            good = false;
        }
    set->n_draws = csv->n_rows;
    set->draws = pk_load_alloc(load, csv->n_rows * n, sizeof *set->draws);
    for (size_t i = 0; i < csv->n_rows && good && set->draws != NULL; i++)
        for (size_t k = 0; k < n && good; k++) {
            const struct pk_parameter *parameter = &load->model->parameters[set->i_parameters[k]];
            double low, high, *value = &set->draws[i * n + k];
            pk_unit_interval(parameter->given_unit, &low, &high);
            good = pk_csv_double(csv, i, columns[k], low, high, value);
            if (good && parameter->given_unit == PK_UNIT_SWITCH && *value != 0 && *value != 1) {
                pk_csv_problem(csv, i, columns[k], NULL, "is %g, a switch is 0 or 1", *value);
                good = false;
            }
            if (good && !pk_load_drawn_fits(parameter, *value, *value, refusal.what, sizeof refusal.what)) {
                pk_csv_problem(csv, i, columns[k], NULL, "%s", refusal.what);
                good = false;
            }
        }
    return good && !load->no_memory;
}

bool pk_load_draws_file(struct pk_load *load, const struct pk_reader *r, struct pk_uncertain_set *set)
{
    struct pk_csv csv;
    const bool good = open_table(load, r, &csv) && read_draws(load, &csv, set);
    pk_csv_free(&csv);
    return good;
}

/* The columns parameter, estimate, scale where wanted, and a column of covariances for each parameter of the rows. */
static bool read_coefficients(struct pk_load *load, const struct pk_csv *csv, struct pk_uncertain_set *set)
{
    const size_t i_name = pk_csv_column(csv, "parameter", true), i_estimate = pk_csv_column(csv, "estimate", true);
    const size_t i_scale = pk_csv_column(csv, "scale", false), n = csv->n_rows;
    struct pk_load_refusal refusal;
    if (i_name == SIZE_MAX || i_estimate == SIZE_MAX || too_many(csv, n) || !pk_load_uncertain_room(load, set, n))
        return false;
    bool good = true;
    for (size_t i = 0; i < n; i++) {
        size_t scale = PK_UNCERTAIN_NONE;
        if (!pk_load_uncertain_member(load, set, pk_csv_cell(csv, i, i_name), &refusal)) {
            if (refusal.what[0] != '\0')
                pk_csv_problem(csv, i, i_name, refusal.hint[0] != '\0' ? refusal.hint : NULL, "%s", refusal.what);
            good = false;
            continue;
        }
        good &= i_scale == SIZE_MAX || pk_csv_choice(csv, i, i_scale, pk_load_scales, 3, "a scale", &scale);
        good &= pk_csv_double(csv, i, i_estimate, -1e12, 1e12, &set->estimates[i]);
        set->scales[i] = (unsigned char)scale;
    }
    for (size_t k = 0; k < csv->n_columns && good; k++) {
        size_t j = 0;
        while (j < n && strcmp(pk_csv_header(csv, k), load->model->parameters[set->i_parameters[j]].name) != 0)
            j++;
        if (j == n && k != i_name && k != i_estimate && k != i_scale) {
            pk_csv_header_problem(csv, k, NULL,
                                  "is not parameter, estimate, scale, or one of the parameters of the rows");
            return false;
        }
    }
    for (size_t j = 0; j < n && good; j++) {
        const size_t k = pk_csv_column(csv, load->model->parameters[set->i_parameters[j]].name, true);
        good = k != SIZE_MAX;
        for (size_t i = 0; i < n && good; i++)
            good = pk_csv_double(csv, i, k, i == j ? 0 : -1e12, 1e12, &set->matrix[i * n + j]);
    }
    return good;
}

/* The matrix of a table whose numbers are all there. */
static bool check_matrix(struct pk_load *load, const struct pk_csv *csv, struct pk_uncertain_set *set)
{
    struct pk_load_refusal refusal;
    size_t i, j;
    const size_t n = set->n, i_name = pk_csv_column(csv, "parameter", false);
    if (!pk_load_uncertain_symmetric(set, &i, &j)) {
        pk_csv_problem(csv, i, pk_csv_column(csv, load->model->parameters[set->i_parameters[j]].name, false), NULL,
                       "is %g, and mirrored %g: expected a symmetric matrix", set->matrix[i * n + j],
                       set->matrix[j * n + i]);
        return false;
    }
    i = pk_load_uncertain_factor(set);
    if (i != SIZE_MAX) {
        pk_csv_problem(csv, i, i_name, NULL,
                       "the covariances are not positive definite: of this nothing is left beside those before it");
        return false;
    }
    for (size_t k = 0; k < n; k++)
        if (!pk_load_coefficient_fits(load, set, k, &refusal)) {
            pk_csv_problem(csv, k, i_name, refusal.hint[0] != '\0' ? refusal.hint : NULL, "%s", refusal.what);
            return false;
        }
    return true;
}

bool pk_load_coefficients_file(struct pk_load *load, const struct pk_reader *r, struct pk_uncertain_set *set)
{
    struct pk_csv csv;
    const bool good = open_table(load, r, &csv) && read_coefficients(load, &csv, set) && check_matrix(load, &csv, set);
    pk_csv_free(&csv);
    return good;
}
