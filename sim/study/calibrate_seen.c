/* What the targets see: the information matrix, and targets that contradict each other. See calibrate.h. */
#include <gsl/gsl_eigen.h>
#include <math.h>
#include <string.h>

#include "calibrate_private.h"

#define UNMET 1.96 /* standard errors */
#define MET 1.0
#define OPPOSED 0.2 /* of what a target pulls with: less from another one is no contradiction */

/* Any mixture of directions that nothing sees is one too: those told are the ones with the fewest parameters, each with
 * one of its own (Gauss and Jordan's elimination, full pivots). */
static void simplify(struct pk_answer *answer, size_t n_free)
{
    size_t n = 0, pivots[PK_MAX_FREE];
    double rows[PK_MAX_FREE][PK_MAX_FREE];
    while (n < n_free && answer->information[n] < PK_UNSEEN)
        n++;
    if (n < 2)
        return;
    memcpy(rows, answer->directions, sizeof rows);
    for (size_t i = 0; i < n; i++) {
        size_t row = i, column = 0;
        for (size_t r = i; r < n; r++)
            for (size_t k = 0; k < n_free; k++)
                if (fabs(rows[r][k]) > fabs(rows[row][column]) + 1e-9) {
                    row = r;
                    column = k;
                }
        for (size_t k = 0; k < n_free; k++) {
            const double swapped = rows[row][k];
            rows[row][k] = rows[i][k];
            rows[i][k] = swapped;
        }
        pivots[i] = column;
        for (size_t r = 0; r < n; r++) {
            const double factor = rows[r][pivots[i]] / rows[i][pivots[i]];
            for (size_t k = 0; k < n_free && r != i; k++)
                rows[r][k] -= factor * rows[i][k];
        }
    }
    for (size_t i = 0; i < n; i++) {
        double length = 0;
        for (size_t k = 0; k < n_free; k++)
            length += rows[i][k] * rows[i][k];
        for (size_t k = 0; k < n_free; k++)
            answer->directions[i][k] = rows[i][k] / copysign(sqrt(length), rows[i][pivots[i]]);
    }
}

enum pk_status pk_calibrate_seen(struct pk_search *search, struct pk_error *error)
{
    struct pk_answer *answer = search->answer;
    const size_t n = search->n_free;
    double *jacobian = pk_alloc(search->n_targets * n, sizeof *jacobian);
    gsl_matrix *information = gsl_matrix_alloc(n, n), *vectors = gsl_matrix_alloc(n, n);
    gsl_vector *values = gsl_vector_alloc(n);
    gsl_eigen_symmv_workspace *workspace = gsl_eigen_symmv_alloc(n);
    enum pk_status status = PK_OK;
    if (jacobian == NULL || information == NULL || vectors == NULL || values == NULL || workspace == NULL)
        status = pk_error_set(error, PK_NO_MEMORY, "no memory for the information matrix");
    else if (!pk_search_jacobian(search, 0, answer->modes[0].scaled, jacobian))
        status = pk_error_set(error, PK_NUMERICAL, "the targets have no derivative at the answer");
    if (status == PK_OK) {
        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; j < n; j++) {
                double sum = 0;
                for (size_t t = 0; t < search->n_targets; t++)
                    sum += jacobian[t * n + i] * jacobian[t * n + j];
                gsl_matrix_set(information, i, j, sum);
            }
        if (gsl_eigen_symmv(information, values, vectors, workspace) != 0 ||
            gsl_eigen_symmv_sort(values, vectors, GSL_EIGEN_SORT_VAL_ASC) != 0)
            status = pk_error_set(error, PK_NUMERICAL, "the information matrix has no eigenvalues");
    }
    for (size_t i = 0; i < n && status == PK_OK; i++) {
        answer->information[i] = fmax(gsl_vector_get(values, i), 0);
        double largest = 0;
        for (size_t k = 0; k < n; k++)
            if (fabs(gsl_matrix_get(vectors, k, i)) > fabs(largest) + 1e-9)
                largest = gsl_matrix_get(vectors, k, i);
        for (size_t k = 0; k < n; k++) /* its largest part upwards */
            answer->directions[i][k] = copysign(1, largest) * gsl_matrix_get(vectors, k, i);
    }
    if (status == PK_OK)
        simplify(answer, n);
    gsl_matrix_free(information);
    gsl_matrix_free(vectors);
    gsl_vector_free(values);
    if (workspace != NULL)
        gsl_eigen_symmv_free(workspace);
    pk_free(jacobian);
    return status;
}

void pk_calibrate_direction(const struct pk_answer *answer, const double *direction, struct pk_text *text)
{
    const struct pk_study *study = answer->study;
    double largest = 0, step = 0.25; /* of the prior's standard deviation */
    size_t n = 0;
    for (size_t k = 0; k < study->n_free; k++)
        largest = fmax(largest, fabs(direction[k]));
    for (size_t k = 0; k < study->n_free; k++) {
        struct pk_scale scale;
        if (fabs(direction[k]) < 0.15 * largest)
            continue;
        pk_scale_make(&study->free[k], &scale);
        const double from = answer->values[k];
        const double to = pk_scale_from(&scale, pk_scale_to(&scale, from) + step * direction[k] / largest);
        if (study->free[k].transform == PK_TRANSFORM_LOG)
            pk_text_addf(text, "%s%s x %.3g", n ? " with " : "", study->free[k].name, to / from);
        else
            pk_text_addf(text, "%s%s %+.3g", n ? " with " : "", study->free[k].name, to - from);
        n++;
    }
}

/* How much of the pull of a target on the parameters (its part of the gradient) another one's withstands: of two that
 * want different things of one number the more exact one is hardly off, and withstands all of it. */
static double withstood(const double *jacobian, const double *misfits, size_t n, size_t t, size_t other)
{
    double along = 0, length = 0;
    for (size_t k = 0; k < n; k++) {
        const double pull = misfits[t] * jacobian[t * n + k];
        along -= pull * misfits[other] * jacobian[other * n + k];
        length += pull * pull;
    }
    return length > 0 ? along / length : 0;
}

/* A target that is not met, and one without which it would be: they want different things of the same model. */
enum pk_status pk_calibrate_contradictions(struct pk_search *search, struct pk_error *error)
{
    struct pk_answer *answer = search->answer;
    double *jacobian = pk_alloc(search->n_targets * search->n_free, sizeof *jacobian);
    bool known = false;
    if (jacobian == NULL)
        return pk_error_set(error, PK_NO_MEMORY, "no memory for the contradictions");
    for (size_t t = 0; t < search->n_targets; t++) {
        if (!(fabs(answer->misfits[t]) > UNMET))
            continue;
        if (!known && !pk_search_jacobian(search, 0, answer->modes[0].scaled, jacobian))
            break;
        known = true;
        for (size_t other = 0; other < search->n_targets; other++) {
            bool told = other == t || withstood(jacobian, answer->misfits, search->n_free, t, other) < OPPOSED;
            for (size_t i = 0; i < answer->n_contradictions; i++)
                told |= answer->contradictions[i].i_target == other && answer->contradictions[i].i_other == t;
            if (told || answer->n_contradictions == PK_MAX_TARGETS)
                continue;
            const struct pk_fit fit = {.search = search, .prior = true, .i_fixed = SIZE_MAX, .i_left_out = other};
            double point[PK_MAX_FREE], misfits[PK_MAX_TARGETS];
            memcpy(point, answer->modes[0].scaled, sizeof point);
            (void)pk_fit_descend(&fit, point, false);
            if (pk_search_misfits(search, 0, point, misfits, NULL) && fabs(misfits[t]) < MET)
                answer->contradictions[answer->n_contradictions++] =
                    (struct pk_contradiction){.i_target = t, .i_other = other};
        }
    }
    pk_free(jacobian);
    return pk_search_status(search, error);
}
