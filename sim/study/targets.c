/* Targets of a calibration: what is asked of a scenario, and the plan at given values. See calibrate_private.h. */
#include <stdio.h>
#include <string.h>

#include "calibrate_private.h"
#include "polku/convert.h"

/* Beside each outcome of a target the number of people that it is about: everyone like them there at the start. */
static enum pk_status copy_outcomes(struct pk_targets *targets, const struct pk_scenario *scenario,
                                    struct pk_error *error)
{
    const size_t n = scenario->n_outcomes;
    targets->outcomes = pk_alloc(2 * n, sizeof *targets->outcomes);
    bool *all = pk_arena_alloc(&targets->scenario.arena, targets->model->n_states, sizeof *all);
    if (targets->outcomes == NULL || all == NULL)
        return pk_error_set(error, PK_NO_MEMORY, "no memory for the targets");
    memset(all, 1, targets->model->n_states * sizeof *all);
    memcpy(targets->outcomes, scenario->outcomes, n * sizeof *targets->outcomes);
    for (size_t i = 0; i < n; i++)
        targets->outcomes[n + i] = (struct pk_outcome){.name = scenario->outcomes[i].name,
                                                       .label = scenario->outcomes[i].label,
                                                       .measure = PK_MEASURE_OCCUPANCY,
                                                       .states = all,
                                                       .i_reward = SIZE_MAX,
                                                       .discount = scenario->outcomes[i].discount,
                                                       .among = scenario->outcomes[i].among};
    for (size_t i = 0; i < n; i++)
        targets->outcomes[n + i].discount.rate = (struct pk_number){.literal = 0, .i_parameter = SIZE_MAX};
    for (size_t i = 0; i < n && !scenario->population.inflow.any; i++)
        targets->outcomes[i].per_person = false; /* the targets say so themselves */
    targets->scenario.outcomes = targets->outcomes;
    targets->scenario.n_outcomes = 2 * n;
    return PK_OK;
}

/* Nothing that comes after the last target's time is lived. */
static void cut_horizon(struct pk_targets *targets)
{
    struct pk_scenario *scenario = &targets->scenario;
    double last = 1;
    for (size_t t = 0; t < targets->study->n_targets; t++) {
        const double until = scenario->outcomes[targets->study->targets[t].i_outcome].to_months;
        last = until > last ? until : last;
    }
    scenario->horizon_months = last;
    for (size_t i = 0; i < scenario->n_outcomes; i++) { /* those of no target only have to fit in */
        struct pk_outcome *outcome = &targets->outcomes[i];
        outcome->to_months = outcome->to_months < last ? outcome->to_months : last;
        outcome->from_months = outcome->from_months < last ? outcome->from_months : 0;
        outcome->to_horizon = outcome->to_months == last;
    }
}

enum pk_status pk_targets_init(struct pk_targets *targets, const struct pk_study *study,
                               const struct pk_scenario *scenario, const struct pk_model *model, struct pk_error *error)
{
    memset(targets, 0, sizeof *targets);
    targets->study = study;
    targets->model = model;
    targets->scenario = *scenario;
    pk_arena_init(&targets->scenario.arena); /* for what is added here */
    struct pk_scenario *simple = &targets->scenario;
    simple->n_tables = simple->n_histograms = simple->n_variants = 0;
    simple->has_ledgers = simple->ranges = false;
    simple->log_persons = 0;
    simple->precision.i_outcome = SIZE_MAX;
    const enum pk_status status = copy_outcomes(targets, scenario, error);
    if (status != PK_OK) {
        pk_targets_free(targets);
        return status;
    }
    cut_horizon(targets);
    (void)pk_targets_step(targets, study->step_months > 0 ? study->step_months : 1);
    return PK_OK;
}

bool pk_targets_step(struct pk_targets *targets, double months)
{
    const struct pk_study *study = targets->study;
    unsigned parts = 1;
    targets->unit = months > 1 ? (size_t)months : 1;
    for (size_t t = 0; t < study->n_targets; t++) /* ages at entry are told by month */
        if (targets->scenario.outcomes[study->targets[t].i_outcome].measure == PK_MEASURE_MEAN_AGE)
            targets->unit = 1;
    for (bool fits = false; !fits && targets->unit > 1; targets->unit -= !fits) {
        fits = true;
        for (size_t t = 0; t < study->n_targets; t++) {
            const struct pk_outcome *outcome = &targets->scenario.outcomes[study->targets[t].i_outcome];
            fits &=
                (size_t)outcome->from_months % targets->unit == 0 && (size_t)outcome->to_months % targets->unit == 0;
        }
    }
    while ((double)targets->unit / parts > months + 1e-12)
        parts++;
    targets->step = (double)targets->unit / parts;
    return targets->step > months - 1e-12;
}

void pk_targets_free(struct pk_targets *targets)
{
    if (targets == NULL)
        return;
    pk_free(targets->outcomes);
    targets->outcomes = NULL;
    pk_arena_free(&targets->scenario.arena);
}

void pk_target_room_free(struct pk_target_room *room)
{
    pk_twin_free(&room->twin);
    pk_free(room->tables);
    memset(room, 0, sizeof *room);
}

size_t pk_target_figures(const struct pk_calibration_target *target, struct pk_figure figures[2])
{
    figures[0] = (struct pk_figure){.i_outcome = target->i_outcome,
                                    .i_arm = target->i_arm,
                                    .i_cohort_of = target->enrolled ? target->i_arm : SIZE_MAX,
                                    .per_person = target->per_person};
    figures[1] = figures[0];
    figures[1].i_arm = target->i_against;
    return target->as == PK_TARGET_VALUE ? 1 : 2;
}

enum pk_status pk_targets_plan(const struct pk_targets *targets, const double *values, struct pk_values *all,
                               struct pk_plan *plan, struct pk_error *error)
{
    const struct pk_study *study = targets->study;
    const struct pk_scenario *scenario = &targets->scenario;
    char text[40];
    pk_plan_init(plan);
    enum pk_status status = pk_values_init(all, targets->model, error);
    if (status != PK_OK)
        return status;
    for (size_t i = 0; i < scenario->n_sets && status == PK_OK; i++)
        status = pk_values_set(all, targets->model, scenario->sets[i].parameter, scenario->sets[i].to, error);
    for (size_t i = 0; i < study->n_free && status == PK_OK; i++) {
        snprintf(text, sizeof text, "%.17g", values[i]);
        status = pk_values_set(all, targets->model, study->free[i].name, text, error);
    }
    for (size_t i = 0; i < study->n_tied && status == PK_OK; i++) {
        const struct pk_tied_parameter *tied = &study->tied[i];
        snprintf(text, sizeof text, "%.17g", tied->times * values[tied->i_free] + tied->plus);
        status = pk_values_set(all, targets->model, tied->name, text, error);
    }
    if (status == PK_OK)
        status = pk_convert_untold(all, targets->model, scenario, error);
    if (status == PK_OK)
        status = pk_plan_compile(plan, targets->model, scenario, all, error);
    if (status != PK_OK) {
        pk_plan_free(plan);
        pk_values_free(all);
    }
    return status;
}
