/* Downhill within bounds: Levenberg-Marquardt on the parameters that are not held at a bound, and GSL's simplex where
 * the objective is noisy. See calibrate_private.h. */
#include <gsl/gsl_linalg.h>
#include <gsl/gsl_multimin.h>
#include <math.h>
#include <string.h>

#include "calibrate_private.h"

enum { MOST_STEPS = 60, MOST_NOISY_STEPS = 12 };
#define PLANE_WEIGHT 30.0 /* standard deviations off the plane count so much */

bool pk_search_misfits(struct pk_search *search, int i_worker, const double *scaled, double *misfits,
                       struct pk_reached *reached)
{
    struct pk_reached own[PK_MAX_TARGETS];
    double values[PK_MAX_FREE];
    struct pk_error error;
    reached = reached != NULL ? reached : own;
    for (size_t i = 0; i < search->n_free; i++)
        values[i] = pk_scale_from(&search->scales[i], scaled[i]);
    search->n_evaluations[i_worker]++;
    const enum pk_status status =
        search->by_twin
            ? pk_targets_by_twin(search->targets, &search->rooms[i_worker], values, reached, &error)
            : pk_targets_by_run(search->targets, values, search->targets->study->replications, reached, &error);
    if (status != PK_OK) {
        if (status != PK_BAD_INPUT && status != PK_NUMERICAL && search->statuses[i_worker] == PK_OK) {
            search->statuses[i_worker] = status;
            search->errors[i_worker] = error;
        } else if (search->n_evaluations[i_worker] == 1) {
            search->errors[i_worker] = error; /* told where no point has a meaning */
        }
        return false;
    }
    bool known = true;
    for (size_t t = 0; t < search->n_targets; t++) {
        misfits[t] = pk_misfit(&search->targets->study->targets[t], &reached[t]);
        known &= isfinite(misfits[t]);
    }
    return known;
}

double pk_search_deviance(struct pk_search *search, int i_worker, const double *scaled)
{
    double misfits[PK_MAX_TARGETS], sum = 0;
    if (!pk_search_misfits(search, i_worker, scaled, misfits, NULL))
        return (double)INFINITY;
    for (size_t t = 0; t < search->n_targets; t++)
        sum += misfits[t] * misfits[t];
    return sum;
}

enum pk_status pk_search_status(const struct pk_search *search, struct pk_error *error)
{
    for (int i = 0; i < search->n_workers; i++)
        if (search->statuses[i] != PK_OK) {
            *error = search->errors[i];
            return search->statuses[i];
        }
    return PK_OK;
}

/* How far a derivative looks, scaled. */
static double difference(const struct pk_search *search)
{
    return search->by_twin ? 1e-5 : 0.05;
}

bool pk_search_jacobian(struct pk_search *search, int i_worker, const double *scaled, double *jacobian)
{
    double there[PK_MAX_FREE], above[PK_MAX_TARGETS], below[PK_MAX_TARGETS];
    memcpy(there, scaled, search->n_free * sizeof *there);
    for (size_t i = 0; i < search->n_free; i++) {
        const struct pk_scale *scale = &search->scales[i];
        const double h = 10 * difference(search);
        const double high = fmin(scaled[i] + h, scale->high), low = fmax(scaled[i] - h, scale->low);
        there[i] = high;
        if (!pk_search_misfits(search, i_worker, there, above, NULL))
            return false;
        there[i] = low;
        if (!pk_search_misfits(search, i_worker, there, below, NULL))
            return false;
        there[i] = scaled[i];
        for (size_t t = 0; t < search->n_targets; t++)
            jacobian[t * search->n_free + i] = (above[t] - below[t]) / (high - low);
    }
    return true;
}

/* ---- residuals ---- */

static size_t n_residuals(const struct pk_fit *fit)
{
    return fit->search->n_targets + fit->search->n_free + 1;
}

/* All that is squared: targets, prior, plane. */
static bool residuals_at(const struct pk_fit *fit, const double *point, double *residuals)
{
    const struct pk_search *search = fit->search;
    double *of_prior = residuals + search->n_targets, along = 0;
    if (!pk_search_misfits(fit->search, fit->i_worker, point, residuals, NULL))
        return false;
    if (fit->i_left_out != SIZE_MAX)
        residuals[fit->i_left_out] = 0;
    for (size_t i = 0; i < search->n_free; i++) {
        of_prior[i] = fit->prior ? pk_scale_misfit(&search->scales[i], point[i]) : 0;
        along += fit->plane_normal != NULL ? fit->plane_normal[i] * point[i] : 0;
    }
    of_prior[search->n_free] = fit->plane_normal != NULL ? PLANE_WEIGHT * (along - fit->plane_at) : 0;
    return true;
}

static double sum_of_squares(const double *residuals, size_t n)
{
    double sum = 0;
    for (size_t k = 0; k < n; k++)
        sum += residuals[k] * residuals[k];
    return sum;
}

/* A fit for which there is no memory is none that failed: the search must not go on without it. */
static void no_memory(const struct pk_fit *fit)
{
    struct pk_search *search = fit->search;
    if (search->statuses[fit->i_worker] == PK_OK)
        search->statuses[fit->i_worker] =
            pk_error_set(&search->errors[fit->i_worker], PK_NO_MEMORY, "no memory for the search");
}

/* ---- Levenberg-Marquardt ---- */

struct step {
    size_t n_residuals, n_moving;
    size_t i_moving[PK_MAX_FREE];
    double jacobian[PK_MAX_FREE][PK_MAX_TARGETS + PK_MAX_FREE + 1];
    double gradient[PK_MAX_FREE];
};

/* Derivatives inwards, and who is held: by the fit, or by a bound that the way down leads through. */
static bool find_step(const struct pk_fit *fit, const double *point, const double *residuals, struct step *step)
{
    const struct pk_search *search = fit->search;
    double there[PK_MAX_FREE], moved[PK_MAX_TARGETS + PK_MAX_FREE + 1];
    step->n_residuals = n_residuals(fit);
    step->n_moving = 0;
    memcpy(there, point, search->n_free * sizeof *there);
    for (size_t i = 0; i < search->n_free; i++) {
        const struct pk_scale *scale = &search->scales[i];
        if (i == fit->i_fixed)
            continue;
        const double h = point[i] + difference(search) > scale->high ? -difference(search) : difference(search);
        there[i] = point[i] + h;
        if (!residuals_at(fit, there, moved))
            return false;
        there[i] = point[i];
        double *column = step->jacobian[step->n_moving], gradient = 0;
        for (size_t k = 0; k < step->n_residuals; k++) {
            column[k] = (moved[k] - residuals[k]) / h;
            gradient += column[k] * residuals[k];
        }
        if ((point[i] <= scale->low && gradient > 0) || (point[i] >= scale->high && gradient < 0))
            continue;
        step->gradient[step->n_moving] = gradient;
        step->i_moving[step->n_moving++] = i;
    }
    return true;
}

/* to = the damped Gauss-Newton point, within bounds; returns how far it is, scaled. */
static double damped_point(const struct pk_search *search, const struct step *step, double damping, const double *from,
                           double *to)
{
    double matrix[PK_MAX_FREE * PK_MAX_FREE], right[PK_MAX_FREE], x[PK_MAX_FREE], far = 0;
    const size_t n = step->n_moving;
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < n; j++) {
            double sum = 0;
            for (size_t k = 0; k < step->n_residuals; k++)
                sum += step->jacobian[i][k] * step->jacobian[j][k];
            matrix[i * n + j] = sum;
        }
        right[i] = -step->gradient[i];
    }
    for (size_t i = 0; i < n; i++) /* the scale of the prior, so that flat directions move too */
        matrix[i * n + i] += damping * (matrix[i * n + i] + 1e-3);
    gsl_matrix_view a = gsl_matrix_view_array(matrix, n, n);
    gsl_vector_view b = gsl_vector_view_array(right, n), solution = gsl_vector_view_array(x, n);
    memcpy(to, from, search->n_free * sizeof *to);
    if (gsl_linalg_cholesky_decomp1(&a.matrix) != 0 ||
        gsl_linalg_cholesky_solve(&a.matrix, &b.vector, &solution.vector) != 0)
        return 0;
    for (size_t i = 0; i < n; i++) {
        const struct pk_scale *scale = &search->scales[step->i_moving[i]];
        const double moved = fmin(fmax(from[step->i_moving[i]] + fmin(fmax(x[i], -2), 2), scale->low), scale->high);
        far = fmax(far, fabs(moved - from[step->i_moving[i]]));
        to[step->i_moving[i]] = moved;
    }
    return far;
}

static double least_squares(const struct pk_fit *fit, double *point)
{
    const struct pk_search *search = fit->search;
    const size_t n = n_residuals(fit);
    double residuals[PK_MAX_TARGETS + PK_MAX_FREE + 1], tried[PK_MAX_TARGETS + PK_MAX_FREE + 1], to[PK_MAX_FREE];
    double damping = 1e-2;
    struct step *step = pk_alloc(1, sizeof *step);
    if (step == NULL)
        no_memory(fit);
    if (step == NULL || !residuals_at(fit, point, residuals)) {
        pk_free(step);
        return (double)INFINITY;
    }
    double now = sum_of_squares(residuals, n);
    const double enough = search->by_twin ? 1e-10 : 1e-3;
    for (int i = 0; i < (search->by_twin ? MOST_STEPS : MOST_NOISY_STEPS); i++) {
        if (!find_step(fit, point, residuals, step) || step->n_moving == 0)
            break;
        bool better = false;
        double far = 0, gain = 0;
        for (int k = 0; k < 12 && !better; k++) {
            far = damped_point(search, step, damping, point, to);
            if (!(far > 1e-9))
                break;
            const double there = residuals_at(fit, to, tried) ? sum_of_squares(tried, n) : (double)INFINITY;
            better = there < now;
            damping = better ? fmax(damping * 0.1, 1e-12) : damping * 8;
            if (!better)
                continue;
            gain = now - there;
            now = there;
            memcpy(point, to, search->n_free * sizeof *to);
            memcpy(residuals, tried, n * sizeof *tried);
        }
        if (!better || (gain < enough * (1 + now) && far < 1e-3) || gain < 1e-14)
            break;
    }
    pk_free(step);
    return now;
}

/* ---- simplex ---- */

struct around { /* a simplex of the parameters that are not fixed */
    const struct pk_fit *fit;
    double *point;
};

static double at_simplex(const gsl_vector *x, void *data)
{
    const struct around *around = data;
    const struct pk_search *search = around->fit->search;
    double point[PK_MAX_FREE], residuals[PK_MAX_TARGETS + PK_MAX_FREE + 1], outside = 0;
    memcpy(point, around->point, search->n_free * sizeof *point);
    for (size_t i = 0, k = 0; i < search->n_free; i++)
        if (i != around->fit->i_fixed) {
            const double wanted = gsl_vector_get(x, k++);
            point[i] = fmin(fmax(wanted, search->scales[i].low), search->scales[i].high);
            outside += fabs(wanted - point[i]);
        }
    if (!residuals_at(around->fit, point, residuals))
        return 1e12;
    return sum_of_squares(residuals, n_residuals(around->fit)) * (1 + outside);
}

static double simplex(const struct pk_fit *fit, double *point, double before)
{
    const struct pk_search *search = fit->search;
    const size_t n = search->n_free - (fit->i_fixed != SIZE_MAX);
    struct around around = {.fit = fit, .point = point};
    gsl_multimin_function function = {.f = at_simplex, .n = n, .params = &around};
    if (n == 0)
        return before;
    gsl_vector *x = gsl_vector_alloc(n), *steps = gsl_vector_alloc(n);
    gsl_multimin_fminimizer *minimizer = gsl_multimin_fminimizer_alloc(gsl_multimin_fminimizer_nmsimplex2, n);
    double after = before;
    if (x != NULL && steps != NULL && minimizer != NULL) {
        gsl_vector_set_all(steps, 0.1);
        for (size_t i = 0, k = 0; i < search->n_free; i++)
            if (i != fit->i_fixed)
                gsl_vector_set(x, k++, point[i]);
        if (gsl_multimin_fminimizer_set(minimizer, &function, x, steps) == 0)
            for (size_t i = 0; i < 60 * n && gsl_multimin_fminimizer_size(minimizer) > 1e-3; i++)
                if (gsl_multimin_fminimizer_iterate(minimizer) != 0)
                    break;
        if (gsl_multimin_fminimizer_minimum(minimizer) < before) {
            const gsl_vector *best = gsl_multimin_fminimizer_x(minimizer);
            after = gsl_multimin_fminimizer_minimum(minimizer);
            for (size_t i = 0, k = 0; i < search->n_free; i++)
                if (i != fit->i_fixed)
                    point[i] = fmin(fmax(gsl_vector_get(best, k++), search->scales[i].low), search->scales[i].high);
        }
    } else {
        no_memory(fit);
    }
    if (minimizer != NULL)
        gsl_multimin_fminimizer_free(minimizer);
    gsl_vector_free(x);
    gsl_vector_free(steps);
    return after;
}

double pk_fit_descend(const struct pk_fit *fit, double *point, bool thorough)
{
    double sum = least_squares(fit, point);
    if (thorough && isfinite(sum))
        sum = simplex(fit, point, sum);
    if (fit->plane_normal == NULL || !isfinite(sum))
        return sum;
    double along = -fit->plane_at;
    for (size_t i = 0; i < fit->search->n_free; i++)
        along += fit->plane_normal[i] * point[i];
    return sum - PLANE_WEIGHT * PLANE_WEIGHT * along * along;
}
