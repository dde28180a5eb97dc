/* What targets come to by simulation, with its error by the jackknife over units. See calibrate_private.h. */
#include <math.h>
#include <string.h>

#include "calibrate_private.h"

/* Totals of one figure over all units but one (SIZE_MAX: over all). */
static double figure_of(const struct pk_run *run, const struct pk_targets *targets, const struct pk_figure *figure,
                        size_t i_without)
{
    const struct pk_fold *fold = &run->fold;
    const size_t n_outcomes = targets->scenario.n_outcomes, n_arms = targets->scenario.n_arms;
    const size_t i_population =
        figure->i_cohort_of == SIZE_MAX ? 0 : 1 + run->collection.plan->arms[figure->i_cohort_of].i_cohort;
    const bool ratio = fold->denominators != NULL && pk_outcome_is_ratio(&targets->outcomes[figure->i_outcome]);
    double above = 0, below = 0, n_units = 0;
    for (size_t u = 0; u < fold->i_unit; u++) {
        const size_t cell = ((i_population * fold->n_units + u) * n_arms + figure->i_arm) * n_outcomes;
        if (u == i_without)
            continue;
        above += fold->outcomes[cell + figure->i_outcome];
        below += ratio                ? fold->denominators[cell + figure->i_outcome]
                 : figure->per_person ? fold->outcomes[cell + n_outcomes / 2 + figure->i_outcome]
                                      : 0;
        n_units++;
    }
    if (!ratio && !figure->per_person)
        below = n_units / (double)run->n_batches; /* a number in the population */
    return above / below;
}

static double value_of(const struct pk_run *run, const struct pk_targets *targets,
                       const struct pk_calibration_target *target, size_t i_without)
{
    struct pk_figure figures[2];
    const size_t n = pk_target_figures(target, figures);
    const double first = figure_of(run, targets, &figures[0], i_without);
    if (n == 1)
        return first;
    const double second = figure_of(run, targets, &figures[1], i_without);
    return target->as == PK_TARGET_RATIO ? first / second : first - second;
}

enum pk_status pk_targets_by_run(const struct pk_targets *targets, const double *values, int64_t n_replications,
                                 struct pk_reached *reached, struct pk_error *error)
{
    const struct pk_run_options options = {.n_threads = targets->n_threads, .n_replications = n_replications};
    struct pk_values all;
    struct pk_plan plan;
    struct pk_run run;
    enum pk_status status = pk_targets_plan(targets, values, &all, &plan, error);
    if (status != PK_OK)
        return status;
    status = pk_run_simulate(&run, &plan, targets->model, &targets->scenario, &all, &options, error);
    if (status == PK_OK) {
        const double n = (double)run.fold.i_unit;
        for (size_t i = 0; i < targets->study->n_targets; i++) {
            const struct pk_calibration_target *target = &targets->study->targets[i];
            double mean = 0, squares = 0;
            for (size_t u = 0; u < run.fold.i_unit; u++) {
                const double without = value_of(&run, targets, target, u), more = without - mean;
                mean += more / (double)(u + 1);
                squares += more * (without - mean);
            }
            reached[i].step_error = 0;
            reached[i].value = value_of(&run, targets, target, SIZE_MAX);
            reached[i].standard_error = sqrt((n - 1) / n * squares); /* Efron & Stein 1981 */
        }
        pk_run_free(&run);
    }
    pk_plan_free(&plan);
    pk_values_free(&all);
    return status;
}
