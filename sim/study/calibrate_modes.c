/* Many starts, and which of the answers are one and the same. See calibrate.h.
 *
 * Two answers are one where a way leads from one to the other on which the fit hardly gets worse: along the straight
 * line between them, all else refitted. On a ridge every start ends elsewhere, and still there is one answer. */
#include <gsl/gsl_qrng.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "calibrate_private.h"

#define HARDLY_WORSE 0.5 /* of the objective: a way that leads no higher is no pass */
#define EXCLUDED 9.21    /* answers whose objective is that much worse are not told (99 %, 2 degrees of freedom) */
#define EQUALLY_GOOD 0.05

struct start {
    double point[PK_MAX_FREE];
    double objective;
    size_t i_mode; /* once sorted; SIZE_MAX: none */
};

struct starting {
    struct pk_search *search;
    struct start *starts;
    bool descend; /* else only look */
};

static void try_start(size_t i, int i_worker, void *data)
{
    struct starting *starting = data;
    struct pk_search *search = starting->search;
    struct start *start = &starting->starts[i];
    const struct pk_fit fit = {
        .search = search, .i_worker = i_worker, .prior = true, .i_fixed = SIZE_MAX, .i_left_out = SIZE_MAX};
    if (search->statuses[i_worker] != PK_OK)
        return;
    if (starting->descend) {
        start->objective = isfinite(start->objective) ? pk_fit_descend(&fit, start->point, false) : start->objective;
        return;
    }
    start->objective = pk_search_deviance(search, i_worker, start->point);
    for (size_t k = 0; k < search->n_free; k++) {
        const double of_prior = pk_scale_misfit(&search->scales[k], start->point[k]);
        start->objective += of_prior * of_prior;
    }
}

static int by_objective(const void *a, const void *b)
{
    const struct start *x = a, *y = b;
    return (x->objective > y->objective) - (x->objective < y->objective);
}

static double distance(const struct pk_search *search, const double *a, const double *b)
{
    double far = 0;
    for (size_t k = 0; k < search->n_free; k++)
        far = fmax(far, fabs(a[k] - b[k]));
    return far;
}

/* Whether some point between two, at this share of the way, fits nearly as well as the worse of them. */
static bool passes(struct pk_search *search, const struct start *a, const struct start *b, double share)
{
    double normal[PK_MAX_FREE], point[PK_MAX_FREE], length = 0, at = 0;
    for (size_t k = 0; k < search->n_free; k++)
        length += (b->point[k] - a->point[k]) * (b->point[k] - a->point[k]);
    length = sqrt(length);
    for (size_t k = 0; k < search->n_free; k++) {
        normal[k] = (b->point[k] - a->point[k]) / length;
        point[k] = a->point[k] + share * (b->point[k] - a->point[k]);
        at += normal[k] * point[k];
    }
    const struct pk_fit fit = {.search = search,
                               .prior = true,
                               .i_fixed = SIZE_MAX,
                               .i_left_out = SIZE_MAX,
                               .plane_normal = normal,
                               .plane_at = at};
    return pk_fit_descend(&fit, point, false) <= fmax(a->objective, b->objective) + HARDLY_WORSE;
}

static bool connected(struct pk_search *search, const struct start *a, const struct start *b)
{
    const double far = distance(search, a->point, b->point);
    if (far < (search->by_twin ? 1e-3 : 0.1))
        return true;
    return passes(search, a, b, 0.5) && (far < 0.3 || (passes(search, a, b, 0.25) && passes(search, a, b, 0.75)));
}

/* The mode whose nearest point a start is connected with, tried mode by mode. */
static size_t find_mode(struct pk_search *search, const struct start *starts, size_t i)
{
    for (size_t m = 0; m < search->answer->n_modes; m++) {
        size_t nearest = SIZE_MAX;
        for (size_t k = 0; k < i; k++)
            if (starts[k].i_mode == m &&
                (nearest == SIZE_MAX || distance(search, starts[k].point, starts[i].point) <
                                            distance(search, starts[nearest].point, starts[i].point)))
                nearest = k;
        if (connected(search, &starts[nearest], &starts[i]))
            return m;
    }
    return SIZE_MAX;
}

static double norm(const struct pk_search *search, const double *point)
{
    double sum = 0;
    for (size_t k = 0; k < search->n_free; k++)
        sum += point[k] * point[k];
    return sum;
}

/* Sorts answers into modes. A mode is told at the point nearest to the middle of what was thought before, among those
 * that fit the same. */
static void sort_modes(struct pk_search *search, struct start *starts, size_t n)
{
    struct pk_answer *answer = search->answer;
    for (size_t i = 0; i < n && starts[i].objective <= starts[0].objective + EXCLUDED; i++) {
        const size_t found = find_mode(search, starts, i);
        starts[i].i_mode = found;
        if (found == SIZE_MAX) {
            if (answer->n_modes == PK_MAX_MODES)
                continue;
            starts[i].i_mode = answer->n_modes++;
            answer->modes[starts[i].i_mode].objective = starts[i].objective;
            memcpy(answer->modes[starts[i].i_mode].scaled, starts[i].point, sizeof starts[i].point);
        }
        struct pk_mode *mode = &answer->modes[starts[i].i_mode];
        mode->n_starts++;
        if (starts[i].objective <= mode->objective + 1e-6 &&
            norm(search, starts[i].point) < norm(search, mode->scaled) - 1e-3)
            memcpy(mode->scaled, starts[i].point, sizeof mode->scaled);
    }
    for (size_t m = 0; m < answer->n_modes; m++) {
        struct pk_mode *mode = &answer->modes[m];
        mode->best = mode->objective <= answer->modes[0].objective + EQUALLY_GOOD;
        mode->deviance = pk_search_deviance(search, 0, mode->scaled);
        for (size_t k = 0; k < search->n_free; k++)
            mode->values[k] = pk_scale_from(&search->scales[k], mode->scaled[k]);
    }
}

/* Where the targets alone are met best: without priors another answer may be. */
static void find_likeliest(struct pk_search *search)
{
    struct pk_answer *answer = search->answer;
    const struct pk_fit fit = {.search = search, .i_fixed = SIZE_MAX, .i_left_out = SIZE_MAX};
    bool flat = true;
    for (size_t k = 0; k < search->n_free; k++)
        flat &= search->scales[k].prior == PK_PRIOR_FLAT;
    memcpy(answer->likeliest, answer->modes[0].scaled, sizeof answer->likeliest);
    answer->least_deviance = answer->modes[0].deviance;
    for (size_t m = 0; m < answer->n_modes && !flat; m++) {
        double point[PK_MAX_FREE];
        memcpy(point, answer->modes[m].scaled, sizeof point);
        const double least = pk_fit_descend(&fit, point, !search->by_twin);
        if (m > 0 && !(least < answer->least_deviance))
            continue;
        answer->least_deviance = least;
        memcpy(answer->likeliest, point, sizeof point);
    }
}

/* Why nothing is known in the middle of what was thought before, whichever worker was there first. */
static enum pk_status tell_unknown(struct pk_search *search, struct pk_error *error)
{
    double point[PK_MAX_FREE], misfits[PK_MAX_TARGETS];
    for (size_t k = 0; k < search->n_free; k++)
        point[k] = fmin(fmax(0, search->scales[k].low), search->scales[k].high);
    search->errors[0].message[0] = '\0';
    search->n_evaluations[0] = 0; /* the first point is told */
    (void)pk_search_misfits(search, 0, point, misfits, NULL);
    const char *why = search->errors[0].message;
    return pk_error_set(error, PK_BAD_INPUT, "nowhere within the bounds are all targets known; in the middle: %s",
                        why[0] != '\0' ? why : "some target's outcome is no number, or one without a logarithm");
}

enum pk_status pk_calibrate_modes(struct pk_search *search, struct pk_error *error)
{
    const struct pk_study *study = search->targets->study;
    const size_t n_starts = study->starts > 0    ? (size_t)study->starts
                            : !search->by_twin   ? 6
                            : search->n_free < 5 ? 20
                                                 : 4 * search->n_free;
    const size_t n_looks = 8 * n_starts;
    struct starting starting = {.search = search, .starts = pk_alloc(n_looks, sizeof *starting.starts)};
    gsl_qrng *sequence = gsl_qrng_alloc(gsl_qrng_sobol, (unsigned)search->n_free);
    enum pk_status status = PK_OK;
    if (starting.starts == NULL || sequence == NULL) {
        status = pk_error_set(error, PK_NO_MEMORY, "no memory for the search");
        goto out;
    }
    for (size_t i = 0; i < n_looks; i++) {
        gsl_qrng_get(sequence, starting.starts[i].point);
        starting.starts[i].i_mode = SIZE_MAX;
        for (size_t k = 0; k < search->n_free; k++) {
            const double low = fmax(search->scales[k].low, -3), high = fmin(search->scales[k].high, 3);
            starting.starts[i].point[k] = low + (high - low) * starting.starts[i].point[k];
        }
    }
    pk_run_each(n_looks, search->n_workers, try_start, &starting);
    /* half of the starts are the best seen, half are spread out as they come */
    qsort(starting.starts + n_starts / 2, n_looks - n_starts / 2, sizeof *starting.starts, by_objective);
    starting.descend = true;
    pk_run_each(n_starts, search->n_workers, try_start, &starting);
    status = pk_search_status(search, error);
    if (status != PK_OK)
        goto out;
    qsort(starting.starts, n_starts, sizeof *starting.starts, by_objective);
    if (!isfinite(starting.starts[0].objective)) {
        status = tell_unknown(search, error);
        goto out;
    }
    if (!search->by_twin) { /* noise stops least squares early */
        const struct pk_fit fit = {.search = search, .prior = true, .i_fixed = SIZE_MAX, .i_left_out = SIZE_MAX};
        starting.starts[0].objective = pk_fit_descend(&fit, starting.starts[0].point, true);
    }
    sort_modes(search, starting.starts, n_starts);
    find_likeliest(search);
    status = pk_search_status(search, error);
out:
    pk_free(starting.starts);
    if (sequence != NULL)
        gsl_qrng_free(sequence);
    return status;
}
