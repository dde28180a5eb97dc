/* A sample of the posterior by incremental mixture importance sampling with optimisation (Raftery & Bao 2010,
 * Biometrics 66). See calibrate.h.
 *
 * The proposal is the prior, a normal around each answer, and then, again and again, one around the point that weighs
 * most; what a point weighs is its posterior over the mixture of all of them. What falls outside the bounds weighs
 * nothing, so that no proposal needs to be cut. */
#include <gsl/gsl_cdf.h>
#include <gsl/gsl_linalg.h>
#include <gsl/gsl_randist.h>
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <string.h>

#include "calibrate_private.h"
#include "polku/rng_gsl.h"

enum { MOST_COMPONENTS = 80, STREAM = 0x5a }; /* the stream of the sample among those outside lives */

struct candidate {
    double point[PK_MAX_FREE];
    double log_posterior; /* not normed; -infinite outside the bounds */
    double mixture;       /* density of the proposals, times the number of points */
    double weight;
};

struct component {
    double centre[PK_MAX_FREE];
    double lower[PK_MAX_FREE * PK_MAX_FREE]; /* Cholesky factor of the covariance */
    double log_norm;
    size_t n;
};

struct sampling {
    struct pk_search *search;
    gsl_rng *random;
    size_t n, room, n_free, n_prior, n_components, first_new;
    struct candidate *items;
    struct component *components; /* [MOST_COMPONENTS] */
};

/* ---- densities ---- */

static double prior_density(const struct pk_scale *scale, double x)
{
    if (scale->prior == PK_PRIOR_FLAT)
        return 1 / (scale->high - scale->low);
    if (scale->prior == PK_PRIOR_NORMAL)
        return gsl_ran_ugaussian_pdf(x) / (gsl_cdf_ugaussian_P(scale->high) - gsl_cdf_ugaussian_P(scale->low));
    const double p = 1 / (1 + exp(-(scale->middle + scale->sd * x))), a = scale->prior_a, b = scale->prior_b;
    const double inside = gsl_cdf_beta_P(scale->value_high, a, b) - gsl_cdf_beta_P(scale->value_low, a, b);
    return gsl_ran_beta_pdf(p, a, b) * p * (1 - p) * scale->sd / inside;
}

static double draw_prior(const struct pk_scale *scale, gsl_rng *random)
{
    if (scale->prior == PK_PRIOR_FLAT)
        return scale->low + (scale->high - scale->low) * gsl_rng_uniform_pos(random);
    if (scale->prior == PK_PRIOR_NORMAL) {
        const double low = gsl_cdf_ugaussian_P(scale->low), high = gsl_cdf_ugaussian_P(scale->high);
        return gsl_cdf_ugaussian_Pinv(low + (high - low) * gsl_rng_uniform_pos(random));
    }
    /* by bisection: gsl_cdf_beta_Pinv does not converge where the prior is narrow */
    double low = scale->value_low, high = scale->value_high;
    const double first = gsl_cdf_beta_P(low, scale->prior_a, scale->prior_b);
    const double wanted =
        first + (gsl_cdf_beta_P(high, scale->prior_a, scale->prior_b) - first) * gsl_rng_uniform_pos(random);
    for (int i = 0; i < 60; i++) {
        const double middle = 0.5 * (low + high);
        if (gsl_cdf_beta_P(middle, scale->prior_a, scale->prior_b) < wanted)
            low = middle;
        else
            high = middle;
    }
    const double p = 0.5 * (low + high);
    return (log(p) - log1p(-p) - scale->middle) / scale->sd;
}

static bool inside(const struct sampling *s, const double *point)
{
    bool all = true;
    for (size_t k = 0; k < s->n_free; k++)
        all &= point[k] >= s->search->scales[k].low && point[k] <= s->search->scales[k].high;
    return all;
}

static double density_of(const struct component *component, const double *point, size_t n)
{
    double z[PK_MAX_FREE], sum = 0;
    for (size_t i = 0; i < n; i++) {
        z[i] = point[i] - component->centre[i];
        for (size_t j = 0; j < i; j++)
            z[i] -= component->lower[i * n + j] * z[j];
        z[i] /= component->lower[i * n + i];
        sum += z[i] * z[i];
    }
    return exp(component->log_norm - 0.5 * sum);
}

/* ---- proposals ---- */

static enum pk_status make_room(struct sampling *s, size_t n, struct pk_error *error)
{
    if (s->n + n <= s->room)
        return PK_OK;
    const size_t room = 2 * (s->n + n);
    struct candidate *grown = pk_realloc(s->items, room, sizeof *grown);
    if (grown == NULL)
        return pk_error_set(error, PK_NO_MEMORY, "no memory for the sample");
    s->items = grown;
    s->room = room;
    return PK_OK;
}

static void evaluate(size_t i, int i_worker, void *data)
{
    struct sampling *s = data;
    struct candidate *candidate = &s->items[s->first_new + i];
    candidate->log_posterior = -(double)INFINITY;
    if (!inside(s, candidate->point) || s->search->statuses[i_worker] != PK_OK)
        return;
    double sum = pk_search_deviance(s->search, i_worker, candidate->point);
    for (size_t k = 0; k < s->n_free; k++) {
        const double of_prior = pk_scale_misfit(&s->search->scales[k], candidate->point[k]);
        sum += of_prior * of_prior;
    }
    candidate->log_posterior = -0.5 * sum;
}

/* The points from first_new on are new: what they are worth, and the mixture at them. */
static enum pk_status take_new(struct sampling *s, struct pk_error *error)
{
    pk_run_each(s->n - s->first_new, s->search->n_workers, evaluate, s);
    for (size_t i = s->first_new; i < s->n; i++) {
        double prior = inside(s, s->items[i].point) ? (double)s->n_prior : 0;
        for (size_t k = 0; k < s->n_free && prior > 0; k++)
            prior *= prior_density(&s->search->scales[k], s->items[i].point[k]);
        s->items[i].mixture = prior;
        for (size_t c = 0; c < s->n_components; c++)
            s->items[i].mixture +=
                (double)s->components[c].n * density_of(&s->components[c], s->items[i].point, s->n_free);
    }
    return pk_search_status(s->search, error);
}

static enum pk_status draw_from_prior(struct sampling *s, size_t n, struct pk_error *error)
{
    enum pk_status status = make_room(s, n, error);
    s->first_new = s->n;
    for (size_t i = 0; i < n && status == PK_OK; i++, s->n++)
        for (size_t k = 0; k < s->n_free; k++)
            s->items[s->n].point[k] = draw_prior(&s->search->scales[k], s->random);
    s->n_prior = n;
    return status == PK_OK ? take_new(s, error) : status;
}

/* A normal with this covariance (overwritten) around a centre, and n points from it. */
static enum pk_status add_component(struct sampling *s, const double *centre, double *covariance, size_t n,
                                    struct pk_error *error)
{
    struct component *component = &s->components[s->n_components];
    gsl_matrix_view matrix = gsl_matrix_view_array(covariance, s->n_free, s->n_free);
    enum pk_status status = make_room(s, n, error);
    if (status != PK_OK || s->n_components == MOST_COMPONENTS || gsl_linalg_cholesky_decomp1(&matrix.matrix) != 0)
        return status; /* a covariance without a root: no component */
    memcpy(component->centre, centre, s->n_free * sizeof *centre);
    memcpy(component->lower, covariance, s->n_free * s->n_free * sizeof *covariance);
    component->n = n;
    component->log_norm = -0.5 * (double)s->n_free * log(2 * M_PI);
    for (size_t k = 0; k < s->n_free; k++)
        component->log_norm -= log(component->lower[k * s->n_free + k]);
    for (size_t i = 0; i < s->n; i++)
        s->items[i].mixture += (double)n * density_of(component, s->items[i].point, s->n_free);
    s->n_components++;
    s->first_new = s->n;
    for (size_t i = 0; i < n; i++, s->n++) {
        double z[PK_MAX_FREE];
        for (size_t k = 0; k < s->n_free; k++) {
            z[k] = gsl_ran_ugaussian(s->random);
            s->items[s->n].point[k] = centre[k];
            for (size_t j = 0; j <= k; j++)
                s->items[s->n].point[k] += component->lower[k * s->n_free + j] * z[j];
        }
    }
    return take_new(s, error);
}

/* Around an answer: the inverse of the information of targets and prior together. */
static enum pk_status add_answer(struct sampling *s, const struct pk_mode *mode, size_t n, struct pk_error *error)
{
    const size_t p = s->n_free, n_targets = s->search->n_targets;
    double *jacobian = pk_alloc(n_targets * p + p * p, sizeof *jacobian);
    if (jacobian == NULL)
        return pk_error_set(error, PK_NO_MEMORY, "no memory for the sample");
    double *matrix = jacobian + n_targets * p;
    enum pk_status status = PK_OK;
    if (pk_search_jacobian(s->search, 0, mode->scaled, jacobian)) {
        for (size_t i = 0; i < p; i++)
            for (size_t j = 0; j < p; j++) {
                matrix[i * p + j] = i == j;
                for (size_t t = 0; t < n_targets; t++)
                    matrix[i * p + j] += jacobian[t * p + i] * jacobian[t * p + j];
            }
        gsl_matrix_view view = gsl_matrix_view_array(matrix, p, p);
        if (gsl_linalg_cholesky_decomp1(&view.matrix) == 0 && gsl_linalg_cholesky_invert(&view.matrix) == 0) {
            for (size_t i = 0; i < p * p; i++)
                matrix[i] *= 1.5; /* tails are heavier than the normal's */
            status = add_component(s, mode->scaled, matrix, n, error);
        }
    }
    pk_free(jacobian);
    return status;
}

/* ---- weights ---- */

/* Weights that add up to 1; returns the number of draws they are worth (Kish 1965). */
static double weigh(struct sampling *s)
{
    double largest = -(double)INFINITY, sum = 0, squares = 0;
    for (size_t i = 0; i < s->n; i++)
        largest = fmax(largest, s->items[i].log_posterior);
    for (size_t i = 0; i < s->n; i++) {
        struct candidate *candidate = &s->items[i];
        candidate->weight =
            isfinite(candidate->log_posterior) ? exp(candidate->log_posterior - largest) / candidate->mixture : 0;
        sum += candidate->weight;
    }
    for (size_t i = 0; i < s->n; i++) {
        s->items[i].weight /= sum;
        squares += s->items[i].weight * s->items[i].weight;
    }
    return 1 / squares;
}

/* A normal around the heaviest point with the covariance of the n points nearest to it. */
static enum pk_status add_where_it_lacks(struct sampling *s, size_t n, struct pk_error *error)
{
    const size_t p = s->n_free;
    size_t heaviest = 0;
    for (size_t i = 1; i < s->n; i++)
        heaviest = s->items[i].weight > s->items[heaviest].weight ? i : heaviest;
    double *distances = pk_alloc(s->n, sizeof *distances), *matrix = pk_alloc(p * p, sizeof *matrix);
    size_t *order = pk_alloc(s->n, sizeof *order);
    enum pk_status status = PK_OK;
    if (distances == NULL || matrix == NULL || order == NULL) {
        status = pk_error_set(error, PK_NO_MEMORY, "no memory for the sample");
    } else {
        const struct candidate centre = s->items[heaviest];
        double sum = 0;
        for (size_t i = 0; i < s->n; i++)
            for (size_t k = 0; k < p; k++)
                distances[i] += pow(s->items[i].point[k] - centre.point[k], 2);
        gsl_sort_smallest_index(order, n < s->n ? n : s->n, distances, 1, s->n);
        for (size_t i = 0; i < n && i < s->n; i++) {
            const struct candidate *near = &s->items[order[i]];
            const double weight = 0.5 * (near->weight + 1 / (double)s->n);
            sum += weight;
            for (size_t k = 0; k < p; k++)
                for (size_t j = 0; j < p; j++)
                    matrix[k * p + j] +=
                        weight * (near->point[k] - centre.point[k]) * (near->point[j] - centre.point[j]);
        }
        for (size_t k = 0; k < p * p; k++)
            matrix[k] /= sum;
        for (size_t k = 0; k < p; k++)
            matrix[k * p + k] += 1e-10;
        status = add_component(s, centre.point, matrix, n, error);
    }
    pk_free(distances);
    pk_free(matrix);
    pk_free(order);
    return status;
}

/* ---- the draws ---- */

/* Systematic resampling, in an order of chance. */
static enum pk_status resample(struct sampling *s, struct pk_error *error)
{
    struct pk_answer *answer = s->search->answer;
    const size_t n = (size_t)s->search->targets->study->draws, p = s->n_free;
    size_t *chosen = pk_alloc(n, sizeof *chosen), i = 0;
    double *column = pk_alloc(2 * n, sizeof *column), reached = s->items[0].weight;
    answer->draws = pk_arena_alloc(&answer->arena, n * p, sizeof *answer->draws);
    if (chosen == NULL || column == NULL || answer->draws == NULL) {
        pk_free(chosen);
        pk_free(column);
        return pk_error_set(error, PK_NO_MEMORY, "no memory for the sample");
    }
    const double offset = gsl_rng_uniform(s->random);
    for (size_t d = 0; d < n; d++) {
        while (reached < ((double)d + offset) / (double)n && i + 1 < s->n)
            reached += s->items[++i].weight;
        answer->n_unique += d == 0 || chosen[d - 1] != i;
        chosen[d] = i;
    }
    gsl_ran_shuffle(s->random, chosen, n, sizeof *chosen);
    answer->n_draws = n;
    answer->n_candidates = s->n;
    for (size_t k = 0; k < p; k++) {
        const struct pk_scale *scale = &s->search->scales[k];
        for (size_t d = 0; d < n; d++) {
            column[d] = s->items[chosen[d]].point[k];
            answer->draws[d * p + k] = pk_scale_from(scale, column[d]);
        }
        answer->shrinkage[k] = 1 - gsl_stats_sd(column, 1, n);
        for (size_t j = 0; j <= k; j++) {
            for (size_t d = 0; d < n; d++)
                column[n + d] = s->items[chosen[d]].point[j];
            answer->correlation[k][j] = answer->correlation[j][k] =
                j == k ? 1 : gsl_stats_correlation(column, 1, column + n, 1, n);
        }
        answer->mean[k] = gsl_stats_mean(answer->draws + k, p, n);
        answer->sd[k] = gsl_stats_sd(answer->draws + k, p, n);
        for (size_t d = 0; d < n; d++)
            column[d] = answer->draws[d * p + k];
        gsl_sort(column, 1, n);
        for (size_t q = 0; q < 3; q++)
            answer->quantiles[k][q] = gsl_stats_quantile_from_sorted_data(column, 1, n,
                                                                          q == 0   ? 0.025
                                                                          : q == 1 ? 0.5
                                                                                   : 0.975);
    }
    pk_free(chosen);
    pk_free(column);
    return PK_OK;
}

enum pk_status pk_calibrate_sample(struct pk_search *search, struct pk_error *error)
{
    const struct pk_study *study = search->targets->study;
    struct pk_answer *answer = search->answer;
    const size_t p = search->n_free, batch = 40 * p > 120 ? 40 * p : 120;
    struct sampling s = {.search = search, .n_free = p};
    s.random = gsl_rng_alloc(pk_rng_gsl_type);
    s.components = pk_alloc(MOST_COMPONENTS, sizeof *s.components);
    enum pk_status status = PK_OK;
    if (s.random == NULL || s.components == NULL)
        status = pk_error_set(error, PK_NO_MEMORY, "no memory for the sample");
    if (status == PK_OK) {
        pk_rng_gsl_key(s.random, study->seed, STREAM, 0);
        status = draw_from_prior(&s, 3 * batch, error);
    }
    for (size_t m = 0; m < answer->n_modes && m < 6 && status == PK_OK; m++)
        status = add_answer(&s, &answer->modes[m], 2 * batch, error);
    while (status == PK_OK) {
        answer->effective = weigh(&s);
        if (answer->effective >= 0.6 * (double)study->draws || s.n_components == MOST_COMPONENTS ||
            s.n >= 12 * (size_t)study->draws + 20 * batch)
            break;
        status = add_where_it_lacks(&s, batch, error);
    }
    if (status == PK_OK)
        status = resample(&s, error);
    if (s.random != NULL)
        gsl_rng_free(s.random);
    pk_free(s.components);
    pk_free(s.items);
    return status;
}
