/* Conversion of probabilities and durations to hazards. See convert.h. */
#include "polku/convert.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "polku/elementary.h"
#include "polku/kinds.h"

enum { N_AGES = 6, N_ELAPSED = 8, N_FRAILTY = 16, ROOT_STEPS = 60, POLISH_STEPS = 8, COARSER = 4, MOST_STARTS = 48 };
#define TWIN_STEP_MONTHS 0.5
#define ROOT_TOLERANCE 1e-9
#define COARSE_TOLERANCE 1e-6

/* What a converted parameter is about. */
struct context {
    const struct pk_model *model;
    const struct pk_scenario *scenario;
    struct pk_values *values;
    struct pk_plan plan;
    size_t i_parameter, i_transition;
    size_t i_service;               /* SIZE_MAX: a hazard of the model itself */
    const struct pk_target *target; /* NULL: everyone */
    double step;
    struct pk_twin twin;
};

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
static void count_use(struct context *context, const struct pk_hazard *hazard, size_t i_transition, size_t i_service,
                      size_t *n_uses, size_t *n_alone)
{
    const bool alone = !hazard->parametric && hazard->n_factors == 1;
    if (!uses(hazard, context->i_parameter))
        return;
    ++*n_uses;
    *n_alone += alone;
    if (alone || *n_alone == 0) {
        context->i_transition = i_transition;
        context->i_service = i_service;
    }
}

/* Where the probability holds: where the hazard is used, or of several places in the one where it stands alone. */
static enum pk_status find_use(struct context *context, struct pk_error *error)
{
    const struct pk_model *model = context->model;
    const char *name = model->parameters[context->i_parameter].name;
    size_t n_uses = 0, n_alone = 0;
    for (size_t t = 0; t < model->n_transitions; t++)
        if (!model->transitions[t].deterministic)
            count_use(context, &model->transitions[t].hazard, t, SIZE_MAX, &n_uses, &n_alone);
    for (size_t i = 0; i < model->n_services; i++)
        for (size_t k = 0; k < model->services[i].n_effects; k++) {
            const struct pk_effect *effect = &model->services[i].effects[k];
            count_use(context, &effect->hazard, effect->i_transition, i, &n_uses, &n_alone);
        }
    if (n_uses != 1 && n_alone != 1)
        return pk_error_set(error, PK_BAD_INPUT,
                            "%s is given as a probability and used as a hazard in %zu places, alone in %zu; it must "
                            "be in one, or alone in one",
                            name, n_uses, n_alone);
    for (size_t a = 0; context->i_service != SIZE_MAX && context->target == NULL && a < context->scenario->n_arms; a++)
        for (size_t i = 0; i < context->scenario->arms[a].n_enrolments && context->target == NULL; i++)
            if (context->scenario->arms[a].enrolments[i].i_service == context->i_service)
                context->target = &context->scenario->arms[a].enrolments[i].target;
    return PK_OK;
}

/* The target group with the plan's tables: the scenario's, or NULL for everyone. */
static const struct pk_plan_target *planned_target(const struct context *context)
{
    const struct pk_scenario *scenario = context->scenario;
    for (size_t a = 0; context->target != NULL && a < scenario->n_arms; a++)
        for (size_t i = 0; i < scenario->arms[a].n_enrolments; i++)
            if (&scenario->arms[a].enrolments[i].target == context->target) {
                size_t i_lottery = context->plan.arms[a].enrolments[i].i_lottery;
                return &context->plan.targets[context->plan.lotteries[i_lottery].i_target];
            }
    return NULL;
}

/* The twin's probability for kinds that differ in the time already spent alone: one solution, with many starts. */
static enum pk_status of_alike(struct context *context, const struct pk_kind *kinds, size_t n, double *probability,
                               struct pk_error *error)
{
    const struct pk_parameter *parameter = &context->model->parameters[context->i_parameter];
    const struct pk_enrolled item = {.i_service = context->i_service, .from = 0};
    const struct pk_treatment treatment = {.n = 1, .items = &item};
    struct pk_twin_start starts[MOST_STARTS];
    double occupancy[PK_MAX_STATES];
    struct pk_twin_case problem = {.plan = &context->plan,
                                   .stratum = kinds->stratum,
                                   .frailties = kinds->frailties,
                                   .cured = kinds->cured,
                                   .age = kinds->age,
                                   .starts = starts,
                                   .treatment = context->i_service == SIZE_MAX ? NULL : &treatment,
                                   .stop_states = parameter->of_ever ? UINT64_C(1) << parameter->i_target_state : 0,
                                   .until = context->values->used[parameter->i_by] * 12,
                                   .step = context->step};
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || kinds[i].elapsed != kinds[i - 1].elapsed)
            starts[problem.n_starts++] =
                (struct pk_twin_start){.i_state = kinds[i].i_state, .elapsed = kinds[i].elapsed};
        starts[problem.n_starts - 1].mass += kinds[i].share;
    }
    enum pk_status status = pk_twin_solve_in(&context->twin, &problem, occupancy, NULL, error);
    *probability += occupancy[parameter->i_target_state];
    return status;
}

/* The twin's probability, averaged over the people, with the plan as it is compiled. */
static enum pk_status average(struct context *context, double *probability, struct pk_error *error)
{
    const struct pk_plan *plan = &context->plan;
    struct pk_kinds_request request = {
        .target = planned_target(context), .n_ages = N_AGES, .n_elapsed = N_ELAPSED, .n_frailty = N_FRAILTY};
    for (size_t s = 0; context->i_service == SIZE_MAX && s < plan->n_states; s++) /* about states: they start there */
        request.new_in |= (uint64_t)context->model->transitions[context->i_transition].from[s] << s;
    struct pk_kinds kinds;
    enum pk_status status = pk_kinds_make(&kinds, plan, &request, error);
    if (status == PK_BAD_INPUT && kinds.n == 0)
        return pk_error_set(error, PK_BAD_INPUT, "%s is about nobody: no one in the scenario could be enrolled",
                            context->model->parameters[context->i_parameter].name);
    if (status == PK_OK)
        pk_kinds_sort(&kinds);
    *probability = 0;
    for (size_t i = 0, n; i < kinds.n && status == PK_OK; i += n) {
        n = 1;
        while (i + n < kinds.n && n < MOST_STARTS && pk_kinds_alike(&kinds.items[i], &kinds.items[i + n]))
            n++;
        status = of_alike(context, &kinds.items[i], n, probability, error);
    }
    pk_kinds_free(&kinds);
    return status;
}

static enum pk_status probability_at(struct context *context, double rate, double *probability, struct pk_error *error)
{
    context->values->used[context->i_parameter] = rate;
    enum pk_status status = pk_plan_compile(&context->plan, context->model, context->scenario, context->values, error);
    if (status != PK_OK)
        return status;
    return average(context, probability, error);
}

/* The probability as a cumulative hazard, in which it is nearly a straight line in the rate. */
static double straightened(double probability)
{
    const double least = 1e-12; /* nobody is left, but for rounding */
    return -pk_log(probability < 1 - least ? 1 - probability : least);
}

/* A root and the slope of the probability there. */
struct root {
    double rate, slope;
};

/* The smallest rate found that gives the wanted probability on the grid in use: upwards to a bracket, then regula falsi
 * (Illinois), which keeps the root in it. */
static enum pk_status search(struct context *context, double wanted, double tolerance, struct root *root,
                             struct pk_error *error)
{
    const char *name = context->model->parameters[context->i_parameter].name;
    double low = 0, high = 0, at_low = 0, at_high = 0;
    enum pk_status status = probability_at(context, low, &at_low, error);
    *root = (struct root){.slope = 1};
    if (status == PK_OK && at_low > wanted + tolerance)
        return pk_error_set(error, PK_BAD_INPUT,
                            "%s: the probability %g cannot be met: even with a hazard of 0 it is %.6g", name, wanted,
                            at_low);
    if (status == PK_OK && at_low >= wanted - tolerance)
        return PK_OK;
    /* Up from small hazards: a probability of being there at the horizon may rise and then fall again. */
    double largest = at_low, largest_at = 0;
    at_high = at_low;
    while (status == PK_OK && at_high < wanted) {
        if (high > 1e4)
            return pk_error_set(
                error, PK_BAD_INPUT,
                "%s: the probability %g cannot be met: the largest found is %.6g, with a hazard of %g a "
                "year",
                name, wanted, largest, largest_at);
        low = high;
        at_low = at_high;
        high = high > 0 ? high * 2 : 1.0 / 64;
        status = probability_at(context, high, &at_high, error);
        if (at_high > largest) {
            largest = at_high;
            largest_at = high;
        }
    }
    if (status != PK_OK)
        return status;
    const double aim = straightened(wanted);
    double below = straightened(at_low) - aim, above = straightened(at_high) - aim;
    double last = high, at_last = at_high;
    int side = 0;
    for (int i = 0; i < ROOT_STEPS; i++) {
        double guess = (low * above - high * below) / (above - below), found;
        status = probability_at(context, guess, &found, error);
        if (status != PK_OK)
            return status;
        double miss = found - wanted;
        root->slope = guess != last ? (found - at_last) / (guess - last) : root->slope;
        root->rate = last = guess;
        at_last = found;
        if (miss < tolerance && miss > -tolerance)
            return PK_OK;
        if (miss > 0) {
            high = guess;
            above = straightened(found) - aim;
            below *= side == 1 ? 0.5 : 1;
            side = 1;
        } else {
            low = guess;
            below = straightened(found) - aim;
            above *= side == -1 ? 0.5 : 1;
            side = -1;
        }
    }
    return pk_error_set(error, PK_NUMERICAL, "%s: no hazard was found that gives %g", name, wanted);
}

/* From a rate that is nearly right to the tolerance, along secants; *found says whether it got there. */
static enum pk_status polish(struct context *context, double wanted, struct root *root, bool *found,
                             struct pk_error *error)
{
    double last = 0, at_last = 0;
    *found = false;
    for (int i = 0; i < POLISH_STEPS; i++) {
        double now;
        enum pk_status status = probability_at(context, root->rate, &now, error);
        if (status != PK_OK)
            return status;
        double miss = now - wanted;
        *found = miss < ROOT_TOLERANCE && miss > -ROOT_TOLERANCE;
        if (*found)
            return PK_OK;
        if (i > 0 && root->rate != last)
            root->slope = (now - at_last) / (root->rate - last);
        last = root->rate;
        at_last = now;
        root->rate = last - miss / root->slope;
        if (!(root->slope > 0) || !(root->rate >= 0) || isinf(root->rate))
            return PK_OK;
    }
    return PK_OK;
}

/* The rate that gives the wanted probability. Most of the way is gone on a coarser grid, a fraction of the work; what
 * it cannot find, and what cannot be met, is for the grid itself to say. */
static enum pk_status find_root(struct context *context, double wanted, double *rate, struct pk_error *error)
{
    struct root root;
    struct pk_error unsaid = {.status = PK_OK};
    bool found = false;
    context->step = COARSER * TWIN_STEP_MONTHS;
    enum pk_status status = search(context, wanted, COARSE_TOLERANCE, &root, &unsaid);
    context->step = TWIN_STEP_MONTHS;
    if (status == PK_OK)
        status = polish(context, wanted, &root, &found, error);
    else if (status == PK_BAD_INPUT || status == PK_NUMERICAL)
        status = PK_OK;
    else
        *error = unsaid;
    if (status == PK_OK && !found)
        status = search(context, wanted, ROOT_TOLERANCE, &root, error);
    *rate = root.rate;
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

static enum pk_status convert_on_twin(struct context *context, struct pk_error *error)
{
    const struct pk_parameter *parameter = &context->model->parameters[context->i_parameter];
    double wanted = context->values->given[context->i_parameter], rate = 0, finer = 0;
    enum pk_status status = find_use(context, error);
    if (status == PK_OK && context->i_service != SIZE_MAX && context->target == NULL)
        return convert_without_exits(context->values, context->model, context->i_parameter,
                                     "of a service that the scenario enrols nobody in, as if there were no other exit",
                                     error);
    if (status == PK_OK)
        status = find_root(context, wanted, &rate, error);
    context->step = 0.5 * TWIN_STEP_MONTHS;
    if (status == PK_OK)
        status = probability_at(context, rate, &finer, error);
    if (status == PK_OK) {
        char text[400];
        context->values->used[context->i_parameter] = rate;
        snprintf(text, sizeof text,
                 "%g %s %s by %g years, among %s, all exits active: %.7g a year (at half the step the probability is "
                 "%+.1e off)",
                 wanted, parameter->of_ever ? "ever" : "in", context->model->states[parameter->i_target_state].name,
                 context->values->used[parameter->i_by],
                 context->i_service == SIZE_MAX ? "those who start in the state it leaves"
                                                : "those whom the scenario enrols",
                 rate, finer - wanted);
        note(context->values, context->i_parameter, text);
    }
    pk_plan_free(&context->plan);
    pk_twin_free(&context->twin);
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

enum pk_status pk_convert(struct pk_values *values, const struct pk_model *model, const struct pk_scenario *scenario,
                          struct pk_error *error)
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
            struct context context = {.model = model, .scenario = scenario, .values = values, .i_parameter = i};
            pk_plan_init(&context.plan);
            pk_twin_init(&context.twin);
            status = convert_on_twin(&context, error);
        }
    pk_free(waiting);
    return status;
}
