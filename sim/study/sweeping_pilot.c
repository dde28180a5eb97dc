/* How many replications a point needs: simulation's share of the variance, by a pilot. See sweeping.h. */
#include <math.h>
#include <string.h>

#include "sweeping_private.h"

struct pilot {
    const struct pk_pointing *pointing;
    struct pk_sample sample;
    size_t *points, n; /* [n] of the sample: whole draws */
    enum pk_status *statuses;
    struct pk_error *errors;
};

static void one_point(size_t i, int i_worker, void *data)
{
    struct pilot *pilot = data;
    struct pk_sample *sample = &pilot->sample;
    const size_t p = pilot->points[i];
    int64_t ignored;
    (void)i_worker;
    pilot->statuses[i] = pk_pointing_run(pilot->pointing, sample->x + p * sample->n_quantities,
                                         pk_sample_world(sample, p), sample->y + p * sample->n_figures,
                                         sample->errors + p * sample->n_figures, &ignored, &pilot->errors[i]);
}

/* The first draws of the design: of Sobol' rows those of A and B. */
static void choose_points(struct pilot *pilot, size_t n_most)
{
    for (size_t p = 0; p < pilot->sample.n && pilot->n < n_most; p++) {
        const enum pk_design_part part = pilot->sample.marks[p].part;
        if (part == PK_DESIGN_SAMPLE || part == PK_DESIGN_A || part == PK_DESIGN_B)
            pilot->points[pilot->n++] = p;
    }
}

/* Replications that bring simulation's share of a figure's variance over draws down to what is wanted. */
static double needed(const struct pilot *pilot, size_t i_figure, double share)
{
    const struct pk_sample *sample = &pilot->sample;
    double n = 0, mean = 0, squares = 0, noise = 0;
    for (size_t i = 0; i < pilot->n; i++) {
        const size_t at = pilot->points[i] * sample->n_figures + i_figure;
        if (pilot->statuses[i] != PK_OK)
            continue;
        const double y = sample->y[at], se = sample->errors[at], more = y - mean;
        n++;
        mean += more / n;
        squares += more * (y - mean);
        noise += se * se;
    }
    if (n < 2 || !(noise > 0))
        return 1;
    noise /= n;
    const double total = squares / (n - 1), own = total - noise; /* of the parameters */
    const double of_one = noise * (double)pilot->pointing->replications;
    return own > 0 ? of_one / own * (1 - share) / share : (double)INFINITY;
}

enum pk_status pk_sweeping_replications(const struct pk_study *study, const struct pk_scenario *scenario,
                                        const struct pk_model *model, int n_threads, int64_t *replications,
                                        struct pk_error *error)
{
    const struct pk_sweep *sweep = study->sweep;
    struct pk_pointing pointing;
    struct pilot pilot = {.pointing = &pointing};
    *replications = sweep->replications;
    if (sweep->replications > 0)
        return PK_OK;
    enum pk_status status = pk_pointing_init(&pointing, study, scenario, model, error);
    if (status != PK_OK)
        return status;
    /* people who wait for the same places are no batches: their error shows between replications */
    pointing.replications = pk_run_batches(&pointing.scenario, 1) > 1 ? 1 : 4;
    const size_t n = (size_t)sweep->n_pilot;
    pilot.statuses = pk_alloc(n, sizeof *pilot.statuses);
    pilot.errors = pk_alloc(n, sizeof *pilot.errors);
    pilot.points = pk_alloc(n, sizeof *pilot.points);
    if (pilot.statuses == NULL || pilot.errors == NULL || pilot.points == NULL)
        status = pk_error_set(error, PK_NO_MEMORY, "no memory for the pilot");
    if (status == PK_OK)
        status = pk_sample_make(&pilot.sample, study, scenario, model, pointing.replications, 0, 0, SIZE_MAX, error);
    if (status == PK_OK) {
        double most = 1;
        choose_points(&pilot, n);
        pk_run_each(pilot.n, pk_run_workers(n_threads), one_point, &pilot);
        for (size_t i = 0; i < pilot.n && status == PK_OK; i++)
            if (pilot.statuses[i] != PK_OK && pilot.statuses[i] != PK_BAD_INPUT) {
                *error = pilot.errors[i];
                status = pilot.statuses[i];
            }
        if (pointing.replications > 1)
            most = 2; /* or the error of a point would not be known */
        for (size_t k = 0; k < pilot.sample.n_figures; k++)
            most = fmax(most, needed(&pilot, k, sweep->simulation_share));
        *replications = most < (double)sweep->most_replications ? (int64_t)ceil(most) : sweep->most_replications;
        pk_sample_free(&pilot.sample);
    }
    pk_free(pilot.statuses);
    pk_free(pilot.errors);
    pk_free(pilot.points);
    pk_pointing_free(&pointing);
    return status;
}
