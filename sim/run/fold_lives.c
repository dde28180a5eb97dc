/* Folding what is told life by life: histograms and prevented events. See collect.h. */
#include <math.h>
#include <string.h>

#include "collect_private.h"

static enum pk_status init_bins(struct pk_fold *fold, size_t i_histogram, size_t i_population, struct pk_error *error)
{
    const struct pk_collection *collection = fold->collection;
    const struct pk_binning *binning = &collection->binnings[i_histogram];
    struct pk_folded_bins *bins = &fold->bins[fold->n_bins++];
    size_t n_groups = collection->plan->n_arms * binning->n_groups, n_cells = n_groups * binning->n_bins;
    bins->i_histogram = i_histogram;
    bins->i_population = i_population;
    bins->counts = pk_alloc(n_cells, sizeof *bins->counts);
    bins->nn = pk_alloc(n_groups, sizeof *bins->nn);
    bins->yy = pk_alloc(n_cells, sizeof *bins->yy);
    bins->ny = pk_alloc(n_cells, sizeof *bins->ny);
    if (!bins->counts || !bins->nn || !bins->yy || !bins->ny)
        return pk_error_set(error, PK_NO_MEMORY, "no memory for the histogram %s",
                            collection->scenario->histograms[i_histogram].name);
    return PK_OK;
}

enum pk_status pk_fold_init_lives(struct pk_fold *fold, bool tables, struct pk_error *error)
{
    const struct pk_collection *collection = fold->collection;
    size_t n_populations = 1 + collection->plan->n_cohorts;
    size_t n_histograms = tables ? collection->scenario->n_histograms : 0;
    enum pk_status status = PK_OK;
    fold->bins = pk_alloc(n_histograms * n_populations, sizeof *fold->bins);
    fold->watched = pk_alloc(fold->n_units * collection->n_watches, (3 * collection->n_years + 3) * sizeof(double));
    if (fold->bins == NULL || fold->watched == NULL)
        return pk_error_set(error, PK_NO_MEMORY, "no memory for the results");
    for (size_t p = 0; p < n_populations; p++)
        for (size_t h = 0; h < n_histograms && status == PK_OK; h++)
            status = init_bins(fold, h, p, error);
    return status;
}

void pk_fold_free_lives(struct pk_fold *fold)
{
    for (size_t i = 0; i < fold->n_bins; i++) {
        pk_free(fold->bins[i].counts);
        pk_free(fold->bins[i].nn);
        pk_free(fold->bins[i].yy);
        pk_free(fold->bins[i].ny);
    }
    pk_free(fold->bins);
    pk_free(fold->watched);
}

/* The number in one bin for a population in an arm. */
static int64_t number_in(const struct pk_batch *unit, size_t i_population, size_t i_arm, size_t i_bin)
{
    const struct pk_collection *collection = unit->collection;
    const size_t n = collection->n_bins, i_cohort = collection->plan->arms[i_arm].i_cohort;
    if (i_population > 0)
        return unit->bins[pk_collection_arm_slot(collection, i_population - 1, i_arm) * n + i_bin];
    if (i_cohort == SIZE_MAX)
        return unit->bins[i_bin];
    return unit->bins[i_bin] - unit->bins[pk_collection_slot(collection, i_cohort, SIZE_MAX) * n + i_bin] +
           unit->bins[pk_collection_slot(collection, i_cohort, i_arm) * n + i_bin];
}

static void fold_bins(const struct pk_fold *fold, const struct pk_batch *unit, struct pk_folded_bins *bins)
{
    const struct pk_collection *collection = fold->collection;
    const struct pk_binning *binning = &collection->binnings[bins->i_histogram];
    for (size_t a = 0; a < collection->plan->n_arms; a++)
        for (size_t g = 0; g < binning->n_groups; g++) {
            const size_t first = (a * binning->n_groups + g) * binning->n_bins;
            int64_t all = 0;
            for (size_t k = 0; k < binning->n_bins; k++)
                all += number_in(unit, bins->i_population, a, binning->first + g * binning->n_bins + k);
            const double n = (double)all * collection->weight;
            bins->nn[a * binning->n_groups + g] += n * n;
            for (size_t k = 0; k < binning->n_bins; k++) {
                int64_t count = number_in(unit, bins->i_population, a, binning->first + g * binning->n_bins + k);
                double y = (double)count * collection->weight;
                bins->counts[first + k] += count;
                bins->yy[first + k] += y * y;
                bins->ny[first + k] += n * y;
            }
        }
}

void pk_fold_lives(struct pk_fold *fold, const struct pk_batch *unit, bool everyone)
{
    const struct pk_collection *collection = fold->collection;
    const size_t n_figures = collection->n_watches * (3 * collection->n_years + 3);
    for (size_t i = 0; i < fold->n_bins; i++)
        if (everyone || fold->bins[i].i_population > 0)
            fold_bins(fold, unit, &fold->bins[i]);
    for (size_t i = 0; i < n_figures; i++)
        fold->watched[fold->i_unit * n_figures + i] = (double)unit->watched[i] * collection->weight;
}

/* Everybody (or every spell) of a group in an arm. */
static int64_t all_of(const struct pk_fold *fold, const struct pk_folded_bins *bins, size_t i_arm, size_t i_group,
                      const int64_t **counts)
{
    const struct pk_binning *binning = &fold->collection->binnings[bins->i_histogram];
    int64_t all = 0;
    *counts = bins->counts + (i_arm * binning->n_groups + i_group) * binning->n_bins;
    for (size_t k = 0; k < binning->n_bins; k++)
        all += (*counts)[k];
    return all;
}

struct pk_mean pk_fold_share(const struct pk_fold *fold, const struct pk_folded_bins *bins, size_t i_arm,
                             size_t i_group, size_t i_bin)
{
    const struct pk_binning *binning = &fold->collection->binnings[bins->i_histogram];
    const size_t i = (i_arm * binning->n_groups + i_group) * binning->n_bins + i_bin;
    const int64_t *counts;
    struct pk_moments moments = {.batches = (double)fold->n_units,
                                 .n = (double)all_of(fold, bins, i_arm, i_group, &counts) * fold->collection->weight,
                                 .nn = bins->nn[i_arm * binning->n_groups + i_group],
                                 .y = (double)bins->counts[i] * fold->collection->weight,
                                 .yy = bins->yy[i],
                                 .ny = bins->ny[i]};
    return pk_stats_moments_mean(&moments);
}

double pk_fold_quantile(const struct pk_fold *fold, const struct pk_folded_bins *bins, size_t i_arm, size_t i_group,
                        double p)
{
    const struct pk_binning *binning = &fold->collection->binnings[bins->i_histogram];
    const double *edges = fold->collection->scenario->histograms[bins->i_histogram].edges;
    const int64_t *counts;
    const int64_t all = all_of(fold, bins, i_arm, i_group, &counts);
    const double wanted = p * (double)all;
    double below = 0;
    for (size_t k = 0; k < binning->n_bins && all > 0; k++) {
        const double here = (double)counts[k];
        if (here > 0 && below + here >= wanted) {
            if (k == 0 || k == binning->n_bins - 1)
                break;
            return edges[k - 1] + (edges[k] - edges[k - 1]) * (wanted - below) / here;
        }
        below += here;
    }
    return (double)NAN;
}

struct pk_mean pk_fold_watched(const struct pk_fold *fold, size_t i_watch, size_t i_figure, size_t i_minus,
                               double n_replications)
{
    const struct pk_collection *collection = fold->collection;
    const size_t n_each = 3 * collection->n_years + 3, n_figures = collection->n_watches * n_each;
    const size_t i_cohort = collection->plan->arms[collection->watches[i_watch].i_arm].i_cohort;
    const double *persons = fold->persons + (1 + i_cohort) * fold->n_units;
    struct pk_moments moments = {.batches = (double)fold->n_units};
    for (size_t u = 0; u < fold->n_units; u++) {
        const double *figures = fold->watched + u * n_figures + i_watch * n_each;
        const double y = figures[i_figure] - (i_minus == SIZE_MAX ? 0 : figures[i_minus]), n = persons[u];
        moments.n += n;
        moments.nn += n * n;
        moments.y += y;
        moments.yy += y * y;
        moments.ny += n * y;
    }
    struct pk_mean total = pk_stats_moments_total(&moments, pk_fold_varies(fold, 1 + i_cohort));
    return (struct pk_mean){.mean = total.mean / n_replications,
                            .standard_error = total.standard_error / n_replications};
}
