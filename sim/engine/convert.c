/* Conversion of probabilities and durations to hazards. See convert.h. */
#include "polku/convert.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "convert_private.h"
#include "polku/elementary.h"

enum { N_AGES = 6, N_ELAPSED = 8, N_FRAILTY = 16, MOST_STARTS = 48 };

static bool uses(const struct pk_hazard *hazard, size_t i_parameter)
{
    bool found = false;
    for (size_t i = 0; hazard->parametric && i < (size_t)pk_hazard_parameter_counts[hazard->form]; i++)
        found |= hazard->i_form[i] == i_parameter;
    for (size_t i = 0; i < hazard->n_factors; i++)
        found |= hazard->i_factors[i] == i_parameter;
    return found;
}

/* Counts one use of the parameter's hazard; of several, one where it stands alone is kept. */
static void count_use(struct pk_conversion *conversion, const struct pk_hazard *hazard, size_t i_transition,
                      size_t i_service, size_t *n_uses, size_t *n_alone)
{
    const bool alone = !hazard->parametric && hazard->n_factors == 1;
    if (!uses(hazard, conversion->i_parameter))
        return;
    ++*n_uses;
    *n_alone += alone;
    if (alone || *n_alone == 0) {
        conversion->i_transition = i_transition;
        conversion->i_service = i_service;
    }
}

/* Whether a service's effect does nothing but lead to a state, and more so the higher the parameter. */
static bool leads_there(const struct pk_model *model, const struct pk_effect *effect, size_t i_state)
{
    const struct pk_transition *transition = &model->transitions[effect->i_transition];
    return (effect->mode == PK_EFFECT_REPLACE || effect->mode == PK_EFFECT_AT_LEAST) && !effect->hazard.parametric &&
           transition->n_to == 1 && transition->i_to[0] == i_state;
}

/* Where the probability holds: where the hazard is used, or of several places in the one where it stands alone. */
static enum pk_status find_use(struct pk_conversion *conversion, struct pk_error *error)
{
    const struct pk_model *model = conversion->model;
    const char *name = model->parameters[conversion->i_parameter].name;
    size_t n_uses = 0, n_alone = 0;
    const struct pk_parameter *parameter = &model->parameters[conversion->i_parameter];
    conversion->rises = parameter->of_ever;
    for (size_t t = 0; t < model->n_transitions; t++)
        if (!model->transitions[t].deterministic)
            count_use(conversion, &model->transitions[t].hazard, t, SIZE_MAX, &n_uses, &n_alone);
    for (size_t i = 0; i < model->n_services; i++)
        for (size_t k = 0; k < model->services[i].n_effects; k++) {
            const struct pk_effect *effect = &model->services[i].effects[k];
            count_use(conversion, &effect->hazard, effect->i_transition, i, &n_uses, &n_alone);
            conversion->rises &= !uses(&effect->hazard, conversion->i_parameter) ||
                                 leads_there(model, effect, parameter->i_target_state);
        }
    if (n_uses != 1 && n_alone != 1)
        return pk_error_set(error, PK_BAD_INPUT,
                            "%s is given as a probability and used as a hazard in %zu places, alone in %zu; it must "
                            "be in one, or alone in one",
                            name, n_uses, n_alone);
    for (size_t a = 0;
         conversion->i_service != SIZE_MAX && conversion->target == NULL && a < conversion->scenario->n_arms; a++)
        for (size_t i = 0; i < conversion->scenario->arms[a].n_enrolments && conversion->target == NULL; i++)
            if (conversion->scenario->arms[a].enrolments[i].i_service == conversion->i_service)
                conversion->target = &conversion->scenario->arms[a].enrolments[i].target;
    return PK_OK;
}

/* The target group with the plan's tables: the scenario's, or NULL for everyone. */
static const struct pk_plan_target *planned_target(const struct pk_conversion *conversion)
{
    const struct pk_scenario *scenario = conversion->scenario;
    for (size_t a = 0; conversion->target != NULL && a < scenario->n_arms; a++)
        for (size_t i = 0; i < scenario->arms[a].n_enrolments; i++)
            if (&scenario->arms[a].enrolments[i].target == conversion->target) {
                size_t i_lottery = conversion->plan.arms[a].enrolments[i].i_lottery;
                return &conversion->plan.targets[conversion->plan.lotteries[i_lottery].i_target];
            }
    return NULL;
}

/* The twin's probability for kinds that differ in the time already spent alone: one solution, with many starts. */
static enum pk_status of_alike(struct pk_conversion *conversion, const struct pk_kind *kinds, size_t n,
                               double *probability, struct pk_error *error)
{
    const struct pk_parameter *parameter = &conversion->model->parameters[conversion->i_parameter];
    const struct pk_enrolled item = {.i_service = conversion->i_service, .from = 0};
    const struct pk_treatment treatment = {.n = 1, .items = &item};
    struct pk_twin_start starts[MOST_STARTS];
    double occupancy[PK_MAX_STATES];
    struct pk_twin_case problem = {.plan = &conversion->plan,
                                   .stratum = kinds->stratum,
                                   .frailties = kinds->frailties,
                                   .cured = kinds->cured,
                                   .age = kinds->age,
                                   .starts = starts,
                                   .treatment = conversion->i_service == SIZE_MAX ? NULL : &treatment,
                                   .stop_states = parameter->of_ever ? UINT64_C(1) << parameter->i_target_state : 0,
                                   .until = conversion->values->used[parameter->i_by] * 12,
                                   .step = conversion->step};
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || kinds[i].elapsed != kinds[i - 1].elapsed)
            starts[problem.n_starts++] =
                (struct pk_twin_start){.i_state = kinds[i].i_state, .elapsed = kinds[i].elapsed};
        starts[problem.n_starts - 1].mass += kinds[i].share;
    }
    enum pk_status status = pk_twin_solve_in(&conversion->twin, &problem, occupancy, NULL, error);
    *probability += occupancy[parameter->i_target_state];
    return status;
}

/* The kinds of people that the probability is about, side by side those of one solution. */
static enum pk_status find_kinds(struct pk_conversion *conversion, struct pk_error *error)
{
    const struct pk_plan *plan = &conversion->plan;
    struct pk_kinds *kinds = &conversion->kinds;
    struct pk_kinds_request request = {
        .target = planned_target(conversion), .n_ages = N_AGES, .n_elapsed = N_ELAPSED, .n_frailty = N_FRAILTY};
    for (size_t s = 0; conversion->i_service == SIZE_MAX && s < plan->n_states;
         s++) /* about states: there they start */
        request.new_in |= (uint64_t)conversion->model->transitions[conversion->i_transition].from[s] << s;
    pk_kinds_free(kinds);
    enum pk_status status = pk_kinds_make(kinds, plan, &request, error);
    if (status == PK_BAD_INPUT && kinds->n == 0)
        return pk_error_set(error, PK_BAD_INPUT, "%s is about nobody: no one in the scenario could be enrolled",
                            conversion->model->parameters[conversion->i_parameter].name);
    if (status == PK_OK)
        pk_kinds_sort(kinds);
    return status;
}

enum pk_status pk_conversion_probability(struct pk_conversion *conversion, double rate, double *probability,
                                         struct pk_error *error)
{
    struct pk_plan *plan = &conversion->plan;
    const struct pk_kinds *kinds = &conversion->kinds;
    const bool same_people = conversion->compiled && !plan->widely_read[conversion->i_parameter];
    conversion->values->used[conversion->i_parameter] = rate;
    enum pk_status status = conversion->compiled ? pk_plan_recompile(plan, conversion->model, conversion->scenario,
                                                                     conversion->values, conversion->i_parameter, error)
                                                 : pk_plan_compile(plan, conversion->model, conversion->scenario,
                                                                   conversion->values, error);
    conversion->compiled = status == PK_OK;
    if (status == PK_OK && !(same_people && kinds->n > 0))
        status = find_kinds(conversion, error);
    *probability = 0;
    for (size_t i = 0, n, n_starts; status == PK_OK && i < kinds->n; i += n) {
        n = n_starts = 1;
        while (i + n < kinds->n && pk_kinds_alike(&kinds->items[i], &kinds->items[i + n])) {
            n_starts += kinds->items[i + n].elapsed != kinds->items[i + n - 1].elapsed;
            if (n_starts > MOST_STARTS)
                break;
            n++;
        }
        status = of_alike(conversion, &kinds->items[i], n, probability, error);
    }
    return status;
}

static void note(struct pk_values *values, size_t i_parameter, const char *text)
{
    values->note[i_parameter] = pk_arena_text(&values->arena, text);
}

/* -log(1 - p) / T. Errors: PK_BAD_INPUT. */
static enum pk_status convert_without_exits(struct pk_values *values, const struct pk_model *model, size_t i,
                                            const char *why, struct pk_error *error)
{
    const double given = values->given[i], years = values->used[model->parameters[i].i_by];
    char text[200];
    if (!(years > 0) || !(given < 1))
        return pk_error_set(error, PK_BAD_INPUT, "%s: needs a horizon above 0 and a probability below 1",
                            model->parameters[i].name);
    values->used[i] = given > 0 ? -pk_log(1 - given) / years : 0;
    snprintf(text, sizeof text, "-log(1 - %g) / %g years, %s: %.7g a year", given, years, why, values->used[i]);
    note(values, i, text);
    return PK_OK;
}

static enum pk_status convert_on_twin(struct pk_conversion *conversion, struct pk_error *error)
{
    const struct pk_parameter *parameter = &conversion->model->parameters[conversion->i_parameter];
    double wanted = conversion->values->given[conversion->i_parameter], rate = 0, finer = 0;
    enum pk_status status = find_use(conversion, error);
    if (status == PK_OK && conversion->i_service != SIZE_MAX && conversion->target == NULL)
        return convert_without_exits(conversion->values, conversion->model, conversion->i_parameter,
                                     "of a service that the scenario enrols nobody in, as if there were no other exit",
                                     error);
    if (status == PK_OK)
        status = pk_conversion_solve(conversion, wanted, &rate, error);
    conversion->step = 0.5 * PK_CONVERSION_STEP;
    if (status == PK_OK && conversion->told)
        status = pk_conversion_probability(conversion, rate, &finer, error);
    if (status == PK_OK)
        conversion->values->used[conversion->i_parameter] = rate;
    if (status == PK_OK && conversion->told) {
        char text[400];
        snprintf(text, sizeof text,
                 "%g %s %s by %g years, among %s, all exits active: %.7g a year (at half the step the probability is "
                 "%+.1e off)",
                 wanted, parameter->of_ever ? "ever" : "in", conversion->model->states[parameter->i_target_state].name,
                 conversion->values->used[parameter->i_by],
                 conversion->i_service == SIZE_MAX ? "those who start in the state it leaves"
                                                   : "those whom the scenario enrols",
                 rate, finer - wanted);
        note(conversion->values, conversion->i_parameter, text);
    }
    pk_plan_free(&conversion->plan);
    pk_kinds_free(&conversion->kinds);
    pk_twin_free(&conversion->twin);
    return status;
}

enum pk_status pk_convert_closed(struct pk_values *values, const struct pk_model *model, struct pk_error *error)
{
    char text[200];
    for (size_t i = 0; i < model->n_parameters; i++) {
        const struct pk_parameter *parameter = &model->parameters[i];
        double given = values->given[i];
        if (parameter->given == PK_GIVEN_MEAN_DURATION) {
            double years = parameter->given_unit == PK_UNIT_DAYS ? given / 365.25 : given;
            if (!(years > 0))
                return pk_error_set(error, PK_BAD_INPUT, "%s: a mean duration must be above 0", parameter->name);
            values->used[i] = 1 / years;
            snprintf(text, sizeof text, "1 / mean duration of %g %s: %.7g a year", given,
                     pk_unit_names[parameter->given_unit], values->used[i]);
            note(values, i, text);
        } else if (parameter->given == PK_GIVEN_PROBABILITY && !parameter->exits) {
            const enum pk_status status =
                convert_without_exits(values, model, i, "as if there were no other exit", error);
            if (status != PK_OK)
                return status;
        }
    }
    return PK_OK;
}

static bool of_service(const struct pk_model *model, size_t i_parameter)
{
    for (size_t i = 0; i < model->n_services; i++)
        for (size_t k = 0; k < model->services[i].n_effects; k++)
            if (uses(&model->services[i].effects[k].hazard, i_parameter))
                return true;
    return false;
}

static enum pk_status convert(struct pk_values *values, const struct pk_model *model,
                              const struct pk_scenario *scenario, bool told, struct pk_error *error)
{
    enum pk_status status = pk_convert_closed(values, model, error);
    bool *waiting = pk_alloc(model->n_parameters, sizeof *waiting);
    if (waiting == NULL)
        return pk_error_set(error, PK_NO_MEMORY, "no memory for conversions");
    /* Hazards of the model first; a service's own hazard touches nobody in them, so any value will do meanwhile. */
    for (size_t i = 0; i < model->n_parameters && status == PK_OK; i++)
        if (model->parameters[i].given == PK_GIVEN_PROBABILITY && model->parameters[i].exits) {
            waiting[i] = true;
            if (!(values->used[model->parameters[i].i_by] > 0) || isinf(values->used[model->parameters[i].i_by]))
                status =
                    pk_error_set(error, PK_BAD_INPUT, "%s: needs a horizon above 0 years", model->parameters[i].name);
            if (of_service(model, i))
                values->used[i] = 0;
        }
    for (int services = 0; services <= 1 && status == PK_OK; services++)
        for (size_t i = 0; i < model->n_parameters && status == PK_OK; i++) {
            if (!waiting[i] || of_service(model, i) != (services == 1))
                continue;
            struct pk_conversion conversion = {
                .model = model, .scenario = scenario, .values = values, .i_parameter = i, .told = told};
            pk_plan_init(&conversion.plan);
            pk_twin_init(&conversion.twin);
            status = convert_on_twin(&conversion, error);
        }
    pk_free(waiting);
    return status;
}

enum pk_status pk_convert(struct pk_values *values, const struct pk_model *model, const struct pk_scenario *scenario,
                          struct pk_error *error)
{
    return convert(values, model, scenario, true, error);
}

enum pk_status pk_convert_untold(struct pk_values *values, const struct pk_model *model,
                                 const struct pk_scenario *scenario, struct pk_error *error)
{
    return convert(values, model, scenario, false, error);
}
