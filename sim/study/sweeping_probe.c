/* What a point of a sweep costs, and how far an interrupted part of one is. See sweeping.h. */
#include "polku/memory.h"
#include "polku/stages.h"
#include "sweeping_private.h"

enum pk_status pk_sweeping_probe(struct pk_sweeping_probe *probe, const struct pk_study *study,
                                 const struct pk_scenario *scenario, const struct pk_model *model,
                                 const struct pk_sample *whole, size_t n_most, double most_seconds,
                                 struct pk_error *error)
{
    struct pk_pointing pointing;
    const double began = pk_seconds_now();
    const size_t n = whole->n < n_most ? whole->n : n_most;
    *probe = (struct pk_sweeping_probe){0};
    enum pk_status status = pk_pointing_init(&pointing, study, scenario, model, error);
    if (status != PK_OK)
        return status;
    pointing.replications = whole->replications;
    double *figures = pk_alloc(2 * whole->n_figures + 1, sizeof *figures);
    if (figures == NULL)
        status = pk_error_set(error, PK_NO_MEMORY, "no memory for a point of the study");
    for (size_t i = 0; i < n && status == PK_OK; i++) {
        const size_t p = i * whole->n / n;
        int64_t ignored;
        if (i > 0 && pk_seconds_now() - began >= most_seconds)
            break;
        status = pk_pointing_run(&pointing, whole->x + p * whole->n_quantities, pk_sample_world(whole, p), figures,
                                 figures + whole->n_figures, &ignored, error);
        if (status == PK_BAD_INPUT) /* the point has no meaning: no shard fails for it */
            status = PK_OK;
        probe->n++;
    }
    if (probe->n > 0)
        probe->seconds = (pk_seconds_now() - began) / (double)probe->n;
    pk_free(figures);
    pk_pointing_free(&pointing);
    return status;
}
