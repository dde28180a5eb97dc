/* One point of a sweep: its values, its simulation, its figures. See sweeping.h. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "polku/convert.h"
#include "polku/variants.h"
#include "sweeping_private.h"

/* From values as given; both are freed on failure. */
static enum pk_status compile(struct pk_values *values, struct pk_plan *plan, const struct pk_scenario *scenario,
                              const struct pk_model *model, struct pk_error *error)
{
    pk_plan_init(plan);
    enum pk_status status = pk_convert_untold(values, model, scenario, error);
    if (status == PK_OK)
        status = pk_plan_compile(plan, model, scenario, values, error);
    if (status != PK_OK) {
        pk_plan_free(plan);
        pk_values_free(values);
    }
    return status;
}

enum pk_status pk_pointing_base(const struct pk_scenario *scenario, const struct pk_model *model,
                                struct pk_values *values, struct pk_plan *plan, struct pk_error *error)
{
    const enum pk_status status = pk_variants_given(values, model, scenario, NULL, 0, NULL, 0, error);
    return status == PK_OK ? compile(values, plan, scenario, model, error) : status;
}

enum pk_status pk_pointing_plan(const struct pk_pointing *pointing, const double *x, struct pk_values *values,
                                struct pk_plan *plan, size_t *told_instead, struct pk_error *error)
{
    const enum pk_status status = pk_pointing_values(pointing, x, values, told_instead, error);
    return status == PK_OK ? compile(values, plan, &pointing->scenario, pointing->model, error) : status;
}

/* Whether the plan at the scenario's own values compares arms on one set of people, whoever else is in them. */
static enum pk_status compares_one(const struct pk_scenario *scenario, const struct pk_model *model, bool *one,
                                   struct pk_error *error)
{
    struct pk_values values;
    struct pk_plan plan;
    *one = false;
    const enum pk_status status = pk_pointing_base(scenario, model, &values, &plan, error);
    if (status != PK_OK)
        return status;
    *one = plan.n_cohorts == 1 && !scenario->about_everyone && !scenario->population.inflow.any;
    for (size_t i = 0; *one && i < plan.n_lotteries; i++) /* as pk_fold_compared has it */
        *one = !plan.lotteries[i].asked;
    pk_plan_free(&plan);
    pk_values_free(&values);
    return PK_OK;
}

/* The first arm, those of figures, those told instead, and those that these are like. */
static void mark_arms(const struct pk_sweep *sweep, const struct pk_scenario *scenario, bool needed[PK_MAX_ARMS])
{
    needed[0] = true;
    for (size_t i = 0; i < sweep->n_figures; i++) {
        needed[sweep->figures[i].i_arm] = true;
        if (sweep->figures[i].i_against != SIZE_MAX)
            needed[sweep->figures[i].i_against] = true;
    }
    for (size_t f = 0; f < sweep->n_factors; f++)
        for (size_t o = 0; o < sweep->factors[f].n_options; o++)
            for (size_t a = 0; a < scenario->n_arms; a++)
                if (sweep->factors[f].options[o].told_instead[a] != a)
                    needed[sweep->factors[f].options[o].told_instead[a]] = true;
    for (size_t a = scenario->n_arms; a-- > 0;) /* an arm is like one before it */
        if (needed[a] && scenario->arms[a].i_like != SIZE_MAX)
            needed[scenario->arms[a].i_like] = true;
}

/* Arms that no figure is of are not simulated: no other arm's lives depend on them. All stay where the people that arms
 * are compared on could be others without them. */
static enum pk_status choose_arms(struct pk_pointing *pointing, const struct pk_scenario *scenario,
                                  struct pk_error *error)
{
    struct pk_scenario *own = &pointing->scenario;
    bool needed[PK_MAX_ARMS] = {false}, one_of_all, one_of_needed;
    size_t n = 0;
    mark_arms(pointing->study->sweep, scenario, needed);
    for (size_t a = 0; a < scenario->n_arms; a++) {
        pointing->arm_of[a] = needed[a] ? n : SIZE_MAX;
        if (!needed[a])
            continue;
        pointing->arms[n] = scenario->arms[a];
        if (scenario->arms[a].i_like != SIZE_MAX)
            pointing->arms[n].i_like = pointing->arm_of[scenario->arms[a].i_like];
        n++;
    }
    if (n == scenario->n_arms)
        return PK_OK;
    enum pk_status status = compares_one(own, pointing->model, &one_of_all, error);
    if (status != PK_OK)
        return status;
    own->arms = pointing->arms;
    own->n_arms = n;
    status = compares_one(own, pointing->model, &one_of_needed, error);
    if (status == PK_OK && one_of_all && one_of_needed)
        return PK_OK;
    own->arms = scenario->arms;
    own->n_arms = scenario->n_arms;
    for (size_t a = 0; a < scenario->n_arms; a++)
        pointing->arm_of[a] = a;
    return status;
}

enum pk_status pk_pointing_init(struct pk_pointing *pointing, const struct pk_study *study,
                                const struct pk_scenario *scenario, const struct pk_model *model,
                                struct pk_error *error)
{
    const struct pk_sweep *sweep = study->sweep;
    bool needed[PK_MAX_OUTCOMES] = {false};
    *pointing = (struct pk_pointing){.study = study, .model = model, .scenario = *scenario};
    for (size_t i = 0; i < sweep->n_figures; i++)
        for (size_t t = 0; t < sweep->figures[i].n_terms; t++)
            if (sweep->figures[i].terms[t].i_outcome != SIZE_MAX)
                needed[sweep->figures[i].terms[t].i_outcome] = true;
    pointing->outcomes = pk_alloc(scenario->n_outcomes + 1, sizeof *pointing->outcomes);
    pointing->arms = pk_alloc(scenario->n_arms, sizeof *pointing->arms);
    if (pointing->outcomes == NULL || pointing->arms == NULL) {
        pk_pointing_free(pointing);
        return pk_error_set(error, PK_NO_MEMORY, "no memory for the figures of the study");
    }
    size_t n = 0;
    for (size_t i = 0; i < scenario->n_outcomes; i++) {
        pointing->place[i] = needed[i] ? n : SIZE_MAX;
        if (needed[i])
            pointing->outcomes[n++] = scenario->outcomes[i];
    }
    struct pk_scenario *own = &pointing->scenario;
    own->outcomes = pointing->outcomes;
    own->n_outcomes = n;
    own->n_tables = own->n_histograms = own->n_decides = 0;
    own->log_persons = 0;
    own->batches = sweep->batches;
    own->precision.i_outcome = SIZE_MAX;
    own->bridge.n_steps = 0;
    const enum pk_status status = choose_arms(pointing, scenario, error);
    if (status != PK_OK)
        pk_pointing_free(pointing);
    return status;
}

void pk_pointing_free(struct pk_pointing *pointing)
{
    pk_free(pointing->outcomes);
    pk_free(pointing->arms);
    pointing->outcomes = NULL;
    pointing->arms = NULL;
}

/* ---- values ------------------------------------------------------------------------------------------------- */

static enum pk_status set_number(struct pk_values *values, const struct pk_model *model, size_t i_parameter,
                                 double value, struct pk_error *error)
{
    char text[40];
    if (isinf(value) && value > 0)
        snprintf(text, sizeof text, "life");
    else
        snprintf(text, sizeof text, "%.17g", value);
    return pk_values_set(values, model, model->parameters[i_parameter].name, text, error);
}

/* A share that is moved alone leaves the rest to the others of its split. */
static void share_rest(const struct pk_pointing *pointing, struct pk_values *values)
{
    const struct pk_sweep *sweep = pointing->study->sweep;
    for (size_t f = 0; f < sweep->n_factors; f++) {
        const struct pk_factor *factor = &sweep->factors[f];
        const size_t i_set =
            factor->kind == PK_FACTOR_PARAMETER ? pk_uncertain_set_of(pointing->model, factor->i_parameter) : SIZE_MAX;
        size_t n_moved = 0;
        for (size_t k = 0; i_set != SIZE_MAX && k < sweep->n_factors; k++)
            n_moved += sweep->factors[k].kind == PK_FACTOR_PARAMETER &&
                       pk_uncertain_set_of(pointing->model, sweep->factors[k].i_parameter) == i_set;
        if (n_moved == 1)
            pk_uncertain_rest(pointing->model, factor->i_parameter, values);
    }
}

enum pk_status pk_pointing_values(const struct pk_pointing *pointing, const double *x, struct pk_values *values,
                                  size_t *told_instead, struct pk_error *error)
{
    const struct pk_sweep *sweep = pointing->study->sweep;
    const struct pk_model *model = pointing->model;
    double first[PK_MAX_SWEPT]; /* quantity of each factor */
    size_t q = 0;
    for (size_t a = 0; a < PK_MAX_ARMS; a++)
        told_instead[a] = a;
    enum pk_status status = pk_variants_given(values, model, &pointing->scenario, NULL, 0, NULL, 0, error);
    if (status != PK_OK)
        return status;
    for (size_t f = 0; f < sweep->n_factors && status == PK_OK; f++) {
        const struct pk_factor *factor = &sweep->factors[f];
        first[f] = x[q];
        if (factor->kind == PK_FACTOR_PARAMETER) {
            status = set_number(values, model, factor->i_parameter, x[q++], error);
        } else if (factor->kind == PK_FACTOR_SET) {
            for (size_t k = 0; k < factor->set->n && status == PK_OK; k++)
                status = set_number(values, model, factor->set->i_parameters[k], x[q++], error);
        } else {
            const struct pk_option *option = &factor->options[(size_t)x[q++]];
            for (size_t k = 0; k < option->n_sets && status == PK_OK; k++)
                status = pk_values_set(values, model, option->sets[k].parameter, option->sets[k].to, error);
            for (size_t a = 0; a < PK_MAX_ARMS; a++)
                if (option->told_instead[a] != a)
                    told_instead[a] = option->told_instead[a];
        }
    }
    if (status == PK_OK)
        share_rest(pointing, values);
    for (size_t i = 0; i < sweep->n_followers && status == PK_OK; i++) {
        const struct pk_follower *follower = &sweep->followers[i];
        status = set_number(values, model, follower->i_parameter,
                            follower->times * first[follower->i_factor] + follower->plus, error);
    }
    if (status != PK_OK)
        pk_values_free(values);
    return status;
}

/* ---- figures ------------------------------------------------------------------------------------------------ */

/* Mean of a person, or the total of all, of a sum of outcomes by unit. */
static struct pk_mean tell_sum(const struct pk_pointing *pointing, const struct pk_run *run,
                               const struct pk_figure_told *figure, size_t i_arm, size_t i_against, double scale)
{
    const struct pk_fold *fold = &run->fold;
    const size_t n_arms = fold->collection->plan->n_arms, n_outcomes = pointing->scenario.n_outcomes;
    const size_t i_population = pk_fold_compared(fold), n_units = fold->i_unit;
    const double *persons = fold->persons + i_population * fold->n_units;
    struct pk_moments moments = {.batches = (double)n_units};
    double cost = 0;
    for (size_t t = 0; t < figure->n_terms; t++)
        if (figure->terms[t].i_outcome == SIZE_MAX)
            cost += figure->terms[t].weight *
                    (pk_fold_cost(fold, i_arm) - (i_against == SIZE_MAX ? 0 : pk_fold_cost(fold, i_against)));
    for (size_t u = 0; u < n_units; u++) {
        const double *of_unit = fold->outcomes + (i_population * fold->n_units + u) * n_arms * n_outcomes;
        double y = 0;
        for (size_t t = 0; t < figure->n_terms; t++) {
            const struct pk_term *term = &figure->terms[t];
            if (term->i_outcome == SIZE_MAX)
                continue;
            const size_t o = pointing->place[term->i_outcome];
            y += term->weight *
                 (of_unit[i_arm * n_outcomes + o] - (i_against == SIZE_MAX ? 0 : of_unit[i_against * n_outcomes + o]));
        }
        y += cost * persons[u];
        moments.n += persons[u];
        moments.nn += persons[u] * persons[u];
        moments.y += y;
        moments.yy += y * y;
        moments.ny += persons[u] * y;
    }
    if (figure->per_person || scale > 0) {
        struct pk_mean mean = pk_stats_moments_mean(&moments);
        const double times = figure->per_person ? 1 : scale;
        return (struct pk_mean){.mean = times * mean.mean, .standard_error = times * mean.standard_error};
    }
    const double n_replications = (double)n_units / (double)run->n_batches;
    struct pk_mean total = pk_stats_moments_total(&moments, pk_fold_varies(fold, i_population));
    return (struct pk_mean){.mean = total.mean / n_replications,
                            .standard_error = total.standard_error / n_replications};
}

static void tell(const struct pk_pointing *pointing, const struct pk_run *run, const struct pk_values *values,
                 const size_t *told_instead, double *figures, double *errors)
{
    const struct pk_sweep *sweep = pointing->study->sweep;
    const double scale = pk_number_value(&pointing->scenario.per_persons, values);
    for (size_t i = 0; i < sweep->n_figures; i++) {
        const struct pk_figure_told *figure = &sweep->figures[i];
        const size_t i_arm = pointing->arm_of[told_instead[figure->i_arm]],
                     i_against =
                         figure->i_against == SIZE_MAX ? SIZE_MAX : pointing->arm_of[told_instead[figure->i_against]];
        const size_t first = figure->terms[0].i_outcome;
        const struct pk_outcome *outcome =
            first == SIZE_MAX ? NULL : &pointing->scenario.outcomes[pointing->place[first]];
        struct pk_mean mean =
            outcome != NULL && pk_outcome_is_ratio(outcome)
                ? pk_fold_outcome(&run->fold, pk_fold_compared(&run->fold), i_arm, i_against, pointing->place[first])
                : tell_sum(pointing, run, figure, i_arm, i_against, scale);
        const double left = figure->net ? 1 - pk_number_value(&outcome->displacement, values) : 1;
        figures[i] = left * mean.mean;
        errors[i] = left * mean.standard_error;
    }
}

enum pk_status pk_pointing_run(const struct pk_pointing *pointing, const double *x, int64_t first_world,
                               double *figures, double *errors, int64_t *n_transitions, struct pk_error *error)
{
    const struct pk_scenario *scenario = &pointing->scenario;
    size_t told_instead[PK_MAX_ARMS];
    struct pk_values values;
    struct pk_plan plan;
    struct pk_run run;
    enum pk_status status = pk_pointing_plan(pointing, x, &values, &plan, told_instead, error);
    if (status != PK_OK)
        return status;
    const struct pk_run_options options = {.n_threads = 1,
                                           .n_replications = pointing->replications,
                                           .first_replication = first_world,
                                           .enrolled_only =
                                               plan.n_cohorts == 1 && !plan.places_people && !scenario->about_everyone};
    status = pk_run_simulate(&run, &plan, pointing->model, scenario, &values, &options, error);
    if (status == PK_OK) {
        tell(pointing, &run, &values, told_instead, figures, errors);
        *n_transitions = run.fold.n_events;
        pk_run_free(&run);
    }
    pk_plan_free(&plan);
    pk_values_free(&values);
    return status;
}
