/* The value of partial information by regression. See polku/decision.h.
 *
 * Only differences from the first option are fitted: what is common to all options decides nothing. The ridge works in
 * the eigenvectors of the penalised terms, in which a fit costs nothing for any strength. */
#include <gsl/gsl_eigen.h>
#include <gsl/gsl_errno.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "decision_private.h"
#include "polku/memory.h"

#define GAMMA 1.4 /* degrees of freedom count so much in cross-validation: Kim & Gu 2004 against following noise */

struct fit {
    struct pk_decision_terms terms;
    size_t n_draws, n_options; /* fitted are n_options - 1 */
    double *values;            /* [n_ridge], eigenvalues */
    double *vectors;           /* [n_ridge][n_ridge], in columns */
    double *fitted;            /* [n_options - 1][n_draws] */
    double *residuals;         /* the same */
    double *follows;           /* the same: how the means follow the draws, for the error */
    double *strengths;         /* [n_options - 1]; infinite: no ridge terms */
    double *degrees;           /* [n_options - 1] */
    double *along;             /* [n_ridge] */
    double *turned;            /* [n_ridge] */
};

static double dot(const double *a, const double *b, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

static enum pk_status decompose(struct fit *fit, struct pk_error *error)
{
    const size_t p = fit->terms.n_ridge, n = fit->n_draws;
    if (p == 0)
        return PK_OK;
    gsl_error_handler_t *handler = gsl_set_error_handler_off();
    gsl_matrix *gram = gsl_matrix_alloc(p, p);
    gsl_eigen_symmv_workspace *work = gsl_eigen_symmv_alloc(p);
    enum pk_status status = PK_OK;
    if (gram == NULL || work == NULL) {
        status = pk_error_set(error, PK_NO_MEMORY, "no memory for a regression of %zu terms", p);
        goto out;
    }
    for (size_t i = 0; i < p; i++)
        for (size_t j = 0; j <= i; j++) {
            const double product = dot(fit->terms.ridge + i * n, fit->terms.ridge + j * n, n) / (double)n;
            gsl_matrix_set(gram, i, j, product);
            gsl_matrix_set(gram, j, i, product);
        }
    gsl_vector_view values = gsl_vector_view_array(fit->values, p);
    gsl_matrix_view vectors = gsl_matrix_view_array(fit->vectors, p, p);
    if (gsl_eigen_symmv(gram, &values.vector, &vectors.matrix, work) != GSL_SUCCESS)
        status = pk_error_set(error, PK_NUMERICAL, "a regression of %zu terms has no eigenvectors", p);
    for (size_t i = 0; i < p; i++)
        fit->values[i] = fmax(fit->values[i], 0);
out:
    if (work != NULL)
        gsl_eigen_symmv_free(work);
    gsl_matrix_free(gram);
    gsl_set_error_handler(handler);
    return status;
}

/* The free terms' part of y; what is left of y in *left; how the eigenvectors go along that, in fit->along. */
static void project(struct fit *fit, const double *y, double *of_free, double *left)
{
    const size_t n = fit->n_draws, p = fit->terms.n_ridge;
    memset(of_free, 0, n * sizeof *of_free);
    for (size_t t = 0; t < fit->terms.n_free; t++) {
        const double *term = fit->terms.free + t * n, along = dot(term, y, n);
        for (size_t i = 0; i < n; i++)
            of_free[i] += along * term[i];
    }
    for (size_t i = 0; i < n; i++)
        left[i] = y[i] - of_free[i];
    for (size_t t = 0; t < p; t++)
        fit->turned[t] = dot(fit->terms.ridge + t * n, left, n) / (double)n;
    for (size_t e = 0; e < p; e++) {
        fit->along[e] = 0;
        for (size_t t = 0; t < p; t++)
            fit->along[e] += fit->vectors[t * p + e] * fit->turned[t];
    }
}

/* Adds the ridge's part, of what is along, at a strength. */
static void add_ridge(struct fit *fit, double strength, double *fitted)
{
    const size_t n = fit->n_draws, p = fit->terms.n_ridge;
    for (size_t t = 0; t < p; t++) {
        double coefficient = 0;
        for (size_t e = 0; e < p; e++)
            coefficient += fit->vectors[t * p + e] * fit->along[e] / (fit->values[e] + strength);
        for (size_t i = 0; i < n; i++)
            fitted[i] += coefficient * fit->terms.ridge[t * n + i];
    }
}

/* By generalised cross-validation over strengths of 10^-7 to 10^3, and without ridge terms. */
static double choose_strength(const struct fit *fit, const double *left, double *degrees)
{
    const double n = (double)fit->n_draws, squares = dot(left, left, fit->n_draws);
    const double n_free = (double)fit->terms.n_free;
    double best_strength = (double)INFINITY, best = squares / ((n - GAMMA * n_free) * (n - GAMMA * n_free));
    *degrees = n_free;
    for (int step = 0; step <= 60; step++) {
        const double strength = pow(10, -7 + step / 6.0);
        double sum = squares, free = n_free;
        for (size_t e = 0; e < fit->terms.n_ridge; e++) {
            const double shrunk = fit->values[e] + strength;
            sum -= n * fit->along[e] * fit->along[e] * (2 * shrunk - fit->values[e]) / (shrunk * shrunk);
            free += fit->values[e] / shrunk;
        }
        const double room = n - GAMMA * free, score = fmax(sum, 0) / (room * room);
        if (room > 0 && score < best) {
            best = score;
            best_strength = strength;
            *degrees = free;
        }
    }
    return best_strength;
}

static void fit_options(struct fit *fit, const double *net_benefits)
{
    const size_t n = fit->n_draws;
    for (size_t o = 1; o < fit->n_options; o++) {
        double *fitted = fit->fitted + (o - 1) * n, *left = fit->residuals + (o - 1) * n, *y = fit->follows;
        for (size_t i = 0; i < n; i++)
            y[i] = net_benefits[i * fit->n_options + o] - net_benefits[i * fit->n_options];
        project(fit, y, fitted, left);
        fit->strengths[o - 1] = choose_strength(fit, left, &fit->degrees[o - 1]);
        if (isfinite(fit->strengths[o - 1]))
            add_ridge(fit, fit->strengths[o - 1], fitted);
        for (size_t i = 0; i < n; i++)
            left[i] = y[i] - fitted[i];
    }
}

static double fitted_at(const struct fit *fit, size_t i_option, size_t i_draw)
{
    return i_option == 0 ? 0 : fit->fitted[(i_option - 1) * fit->n_draws + i_draw];
}

static size_t best_at(const struct fit *fit, size_t i_draw)
{
    size_t best = 0;
    for (size_t o = 1; o < fit->n_options; o++)
        best = fitted_at(fit, o, i_draw) > fitted_at(fit, best, i_draw) ? o : best;
    return best;
}

/* What the regressions leave open: the value moves with an option's fitted means where the option is best (and against
 * them everywhere, where it is best now), so with its draws by the regression's hat matrix on that. */
static double regression_variance(struct fit *fit, size_t i_now)
{
    const size_t n = fit->n_draws, n_fitted = fit->n_options - 1;
    double *moves = fit->fitted, variance = 0; /* fitted means are used up */
    for (size_t i = 0; i < n; i++) {
        const size_t best = best_at(fit, i);
        for (size_t o = 1; o <= n_fitted; o++)
            moves[(o - 1) * n + i] = (best == o) - (i_now == o);
    }
    for (size_t o = 0; o < n_fitted; o++) {
        double *follows = fit->follows + o * n, *left = moves + o * n;
        project(fit, left, follows, left);
        if (isfinite(fit->strengths[o]))
            add_ridge(fit, fit->strengths[o], follows);
    }
    for (size_t o = 0; o < n_fitted; o++)
        for (size_t q = 0; q < n_fitted; q++) {
            const double room = (double)n - fmax(fit->degrees[o], fit->degrees[q]);
            variance += dot(fit->residuals + o * n, fit->residuals + q * n, n) / room *
                        dot(fit->follows + o * n, fit->follows + q * n, n) / ((double)n * (double)n);
        }
    return fmax(variance, 0);
}

static void tell(struct fit *fit, const double *net_benefits, struct pk_decision_information *told)
{
    const size_t n = fit->n_draws, n_options = fit->n_options;
    size_t i_now = 0;
    double best_now = 0, sum = 0, squares = 0;
    told->n_terms = fit->terms.n_free + fit->terms.n_ridge;
    for (size_t o = 1; o < n_options; o++) {
        double mean = 0;
        for (size_t i = 0; i < n; i++)
            mean += (net_benefits[i * n_options + o] - net_benefits[i * n_options]) / (double)n;
        i_now = mean > best_now ? o : i_now;
        best_now = fmax(best_now, mean);
        told->degrees = fmax(told->degrees, fit->degrees[o - 1]);
    }
    for (size_t i = 0; i < n; i++) {
        double best = net_benefits[i * n_options];
        for (size_t o = 1; o < n_options; o++)
            best = fmax(best, net_benefits[i * n_options + o]);
        told->evpi += (best - net_benefits[i * n_options + i_now]) / (double)n;
        sum += fitted_at(fit, best_at(fit, i), i) - fitted_at(fit, i_now, i);
    }
    told->raw = sum / (double)n;
    for (size_t i = 0; i < n; i++) {
        const double apart = fitted_at(fit, best_at(fit, i), i) - fitted_at(fit, i_now, i) - told->raw;
        squares += apart * apart;
    }
    told->value = fmin(fmax(told->raw, 0), told->evpi);
    told->standard_error = sqrt(squares / (double)(n - 1) / (double)n + regression_variance(fit, i_now));
}

static enum pk_status check(size_t n_draws, size_t n_options, const double *net_benefits, const double *x,
                            size_t n_columns, const size_t *columns, size_t n_chosen, struct pk_error *error)
{
    if (n_chosen == 0 || n_options == 0)
        return pk_error_set(error, PK_BAD_INPUT, "partial information needs an option and a column at least");
    if (n_draws < 3 * n_chosen + 20)
        return pk_error_set(error, PK_BAD_INPUT, "the value of knowing %zu columns needs %zu draws, not %zu", n_chosen,
                            3 * n_chosen + 20, n_draws);
    for (size_t i = 0; i < n_draws; i++) {
        bool finite = true;
        for (size_t o = 0; o < n_options; o++)
            finite &= isfinite(net_benefits[i * n_options + o]) != 0;
        for (size_t c = 0; c < n_chosen; c++)
            finite &= isfinite(x[i * n_columns + columns[c]]) != 0;
        if (!finite)
            return pk_error_set(error, PK_BAD_INPUT, "draw %zu has a value that is not a finite number", i);
    }
    return PK_OK;
}

enum pk_status pk_decision_evppi(struct pk_decision_information *information, size_t n_draws, size_t n_options,
                                 const double *net_benefits, const double *x, size_t n_columns, const size_t *columns,
                                 size_t n_chosen, struct pk_error *error)
{
    struct fit fit = {.n_draws = n_draws, .n_options = n_options};
    memset(information, 0, sizeof *information);
    enum pk_status status = check(n_draws, n_options, net_benefits, x, n_columns, columns, n_chosen, error);
    if (status == PK_OK)
        status = pk_decision_terms_init(&fit.terms, n_draws, x, n_columns, columns, n_chosen, error);
    if (status != PK_OK)
        goto out;
    const size_t p = fit.terms.n_ridge, n_fitted = n_options - 1;
    fit.values = pk_alloc(p, sizeof *fit.values);
    fit.vectors = pk_alloc(p * p, sizeof *fit.vectors);
    fit.fitted = pk_alloc(n_fitted * n_draws, sizeof *fit.fitted);
    fit.residuals = pk_alloc(n_fitted * n_draws, sizeof *fit.residuals);
    fit.follows = pk_alloc(n_fitted * n_draws, sizeof *fit.follows);
    fit.strengths = pk_alloc(n_fitted, sizeof *fit.strengths);
    fit.degrees = pk_alloc(n_fitted, sizeof *fit.degrees);
    fit.along = pk_alloc(p, sizeof *fit.along);
    fit.turned = pk_alloc(p, sizeof *fit.turned);
    if (!fit.values || !fit.vectors || !fit.fitted || !fit.residuals || !fit.follows || !fit.strengths ||
        !fit.degrees || !fit.along || !fit.turned) {
        status = pk_error_set(error, PK_NO_MEMORY, "no memory for a regression of %zu draws", n_draws);
        goto out;
    }
    status = decompose(&fit, error);
    if (status != PK_OK)
        goto out;
    fit_options(&fit, net_benefits);
    tell(&fit, net_benefits, information);
out:
    pk_decision_terms_free(&fit.terms);
    pk_free(fit.values);
    pk_free(fit.vectors);
    pk_free(fit.fitted);
    pk_free(fit.residuals);
    pk_free(fit.follows);
    pk_free(fit.strengths);
    pk_free(fit.degrees);
    pk_free(fit.along);
    pk_free(fit.turned);
    return status;
}
