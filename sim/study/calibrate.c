/* Fitting free parameters to targets: the order of the work. See calibrate.h. */
#include "polku/calibrate.h"

#include <gsl/gsl_errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "calibrate_private.h"
#include "polku/hash.h"

#define STEP_ERROR 0.01 /* of a target's standard error */

/* Of what the answer depends on: the study, what its targets ask, and the plan in the middle of the bounds. What else
 * stands in the files (comments, sources, numbers that nothing uses) makes no other study. */
static enum pk_status tell_digest(const struct pk_search *search, struct pk_error *error)
{
    const struct pk_study *study = search->targets->study;
    const size_t n_states = search->targets->model->n_states;
    uint64_t digest = PK_HASH_START, of_plan = 0;
    double values[PK_MAX_FREE];
    struct pk_values all;
    struct pk_plan plan;
    for (size_t k = 0; k < study->n_free; k++)
        values[k] = pk_scale_from(&search->scales[k], 0.5 * (search->scales[k].low + search->scales[k].high));
    const enum pk_status status = pk_targets_plan(search->targets, values, &all, &plan, error);
    if (status == PK_OK) {
        of_plan = pk_plan_digest(&plan);
        pk_plan_free(&plan);
        pk_values_free(&all);
    } else if (status != PK_BAD_INPUT) {
        return status;
    }
    pk_hash_mix(&digest, study->text, study->text_size);
    pk_hash_mix(&digest, &of_plan, sizeof of_plan);
    for (size_t t = 0; t < study->n_targets; t++) {
        const struct pk_outcome *outcome = &search->targets->outcomes[study->targets[t].i_outcome];
        const double asked[] = {(double)outcome->measure, outcome->from_months, outcome->to_months};
        pk_hash_mix(&digest, asked, sizeof asked);
        pk_hash_mix(&digest, outcome->states, n_states * sizeof *outcome->states);
        for (size_t a = 0; outcome->among != NULL && a < search->targets->model->n_attributes; a++)
            pk_hash_mix(&digest, outcome->among[a],
                        search->targets->model->attributes[a].n_values * sizeof *outcome->among[a]);
    }
    search->answer->digest = digest;
    return PK_OK;
}

/* Whether the twin can follow the targets, tried where the model's own values are, or in the middle. */
static enum pk_status choose_objective(struct pk_search *search, struct pk_error *error)
{
    const struct pk_study *study = search->targets->study;
    struct pk_answer *answer = search->answer;
    double values[PK_MAX_FREE];
    struct pk_values all;
    struct pk_plan plan;
    enum pk_status status = PK_BAD_INPUT;
    for (int i = 0; i < 3 && status == PK_BAD_INPUT; i++) {
        for (size_t k = 0; k < study->n_free; k++) {
            const struct pk_scale *scale = &search->scales[k];
            const double own = answer->model->parameters[study->free[k].i_parameter].values[0];
            values[k] = i == 0 && own >= study->free[k].low && own <= study->free[k].high
                            ? own
                            : pk_scale_from(scale, scale->low + (scale->high - scale->low) * (i == 2 ? 0.1 : 0.5));
        }
        status = pk_targets_plan(search->targets, values, &all, &plan, error);
    }
    if (status != PK_OK)
        return status;
    const bool has = pk_targets_has_twin(search->targets, &plan, &all, &answer->obstacle);
    pk_plan_free(&plan);
    pk_values_free(&all);
    if (study->objective == PK_OBJECTIVE_TWIN && !has) {
        status = pk_error_set(error, PK_BAD_INPUT, "the study asks for the analytic twin, but %s",
                              pk_text_string(&answer->obstacle));
        snprintf(error->file, sizeof error->file, "%s", study->file);
        snprintf(error->path, sizeof error->path, "calibrate.objective");
        error->line = study->objective_line;
        error->column = study->objective_column;
        return status;
    }
    search->by_twin = has && study->objective != PK_OBJECTIVE_SIMULATION;
    if (has && !search->by_twin)
        pk_text_put(&answer->obstacle, "the study asks for simulation");
    answer->by_twin = search->by_twin;
    return PK_OK;
}

/* How far the twin's steps may be off at a point, in standard errors of the targets. */
static double step_error(struct pk_search *search, const double *scaled)
{
    struct pk_reached reached[PK_MAX_TARGETS];
    double misfits[PK_MAX_TARGETS], most = 0;
    if (!pk_search_misfits(search, 0, scaled, misfits, reached))
        return (double)INFINITY;
    for (size_t t = 0; t < search->n_targets; t++) {
        struct pk_reached off = reached[t];
        off.value += off.step_error;
        most = fmax(most, fabs(pk_misfit(&search->targets->study->targets[t], &off) - misfits[t]));
    }
    return most;
}

/* The longest steps with which the twin is off by no more than a hundredth of a standard error where the search begins;
 * with what is found it is looked at again. */
static void choose_step(struct pk_search *search, struct pk_targets *targets)
{
    static const double lengths[] = {12, 6, 4, 3, 2, 1, 0.5, 0.25};
    double middle[PK_MAX_FREE];
    if (targets->study->step_months > 0)
        return;
    for (size_t k = 0; k < search->n_free; k++) {
        const double own = search->answer->model->parameters[targets->study->free[k].i_parameter].values[0];
        const struct pk_free_parameter *free = &targets->study->free[k];
        middle[k] = own >= free->low && own <= free->high ? pk_scale_to(&search->scales[k], own)
                                                          : 0.5 * (search->scales[k].low + search->scales[k].high);
    }
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
        if (pk_targets_step(targets, lengths[i]) && step_error(search, middle) < STEP_ERROR)
            return;
}

enum pk_status pk_calibrate_objective(const struct pk_study *study, const struct pk_scenario *scenario,
                                      const struct pk_model *model, bool *by_twin, struct pk_text *obstacle,
                                      struct pk_error *error)
{
    struct pk_targets targets;
    struct pk_search search;
    struct pk_answer *answer = pk_alloc(1, sizeof *answer);
    if (answer == NULL)
        return pk_error_set(error, PK_NO_MEMORY, "no memory for the calibration");
    memset(&search, 0, sizeof search);
    pk_text_init(&answer->obstacle);
    answer->model = model;
    search.answer = answer;
    search.targets = &targets;
    for (size_t k = 0; k < study->n_free; k++)
        pk_scale_make(&study->free[k], &search.scales[k]);
    enum pk_status status = pk_targets_init(&targets, study, scenario, model, error);
    if (status == PK_OK) {
        status = choose_objective(&search, error);
        pk_targets_free(&targets);
    }
    *by_twin = answer->by_twin;
    pk_text_put(obstacle, pk_text_string(&answer->obstacle));
    obstacle->failed |= answer->obstacle.failed;
    pk_text_free(&answer->obstacle);
    pk_free(answer);
    return status;
}

static enum pk_status begin(struct pk_search *search, struct pk_targets *targets,
                            const struct pk_calibrate_request *request, struct pk_error *error)
{
    const struct pk_study *study = targets->study;
    search->targets = targets;
    search->n_free = study->n_free;
    search->n_targets = study->n_targets;
    for (size_t k = 0; k < study->n_free; k++)
        pk_scale_make(&study->free[k], &search->scales[k]);
    search->n_workers = pk_run_workers(request->n_threads);
    enum pk_status status = choose_objective(search, error);
    if (status != PK_OK)
        return status;
    targets->n_threads = request->n_threads;
    if (!search->by_twin)
        search->n_workers = 1; /* each run has all threads */
    const size_t n = (size_t)search->n_workers;
    search->rooms = pk_alloc(n, sizeof *search->rooms);
    search->n_evaluations = pk_alloc(n, sizeof *search->n_evaluations);
    search->statuses = pk_alloc(n, sizeof *search->statuses);
    search->errors = pk_alloc(n, sizeof *search->errors);
    if (!search->rooms || !search->n_evaluations || !search->statuses || !search->errors)
        return pk_error_set(error, PK_NO_MEMORY, "no memory for the calibration");
    for (size_t i = 0; i < n; i++)
        search->statuses[i] = PK_OK;
    if (search->by_twin)
        choose_step(search, targets);
    return PK_OK;
}

/* Modes; once more with shorter steps where those were too long for what was found. */
static enum pk_status find_modes(struct pk_search *search, struct pk_targets *targets, struct pk_error *error)
{
    enum pk_status status = pk_calibrate_modes(search, error);
    while (status == PK_OK && search->by_twin && targets->study->step_months <= 0 && targets->step > 0.1 &&
           step_error(search, search->answer->modes[0].scaled) > 5 * STEP_ERROR) {
        (void)pk_targets_step(targets, targets->step > 1 ? floor(0.5 * targets->step) : 0.5 * targets->step);
        search->answer->n_modes = 0;
        memset(search->answer->modes, 0, sizeof search->answer->modes);
        status = pk_calibrate_modes(search, error);
    }
    search->answer->step_months = search->by_twin ? targets->step : 0;
    return status;
}

static void end(struct pk_search *search)
{
    for (int i = 0; search->rooms != NULL && i < search->n_workers; i++)
        pk_target_room_free(&search->rooms[i]);
    pk_free(search->rooms);
    pk_free(search->n_evaluations);
    pk_free(search->statuses);
    pk_free(search->errors);
}

/* What the answer comes to: by the objective, by smaller steps, by simulation. */
static enum pk_status tell_answer(struct pk_search *search, bool simulate, struct pk_error *error)
{
    struct pk_answer *answer = search->answer;
    const struct pk_mode *mode = &answer->modes[0];
    enum pk_status status = PK_OK;
    memcpy(answer->values, mode->values, sizeof answer->values);
    if (!pk_search_misfits(search, 0, mode->scaled, answer->misfits, answer->reached))
        return pk_error_set(error, PK_NUMERICAL, "the answer cannot be evaluated again");
    for (size_t t = 0; t < search->n_targets; t++)
        answer->simulated[t] = (struct pk_reached){.value = (double)NAN, .standard_error = (double)NAN};
    if (simulate && status == PK_OK)
        status = pk_targets_by_run(search->targets, answer->values, 0, answer->simulated, error);
    return status;
}

static void tell(const struct pk_calibrate_request *request, const char *what, double done)
{
    if (request->progress != NULL)
        request->progress(what, done, request->progress_data);
}

enum pk_status pk_calibrate(struct pk_answer *answer, const struct pk_study *study, const struct pk_scenario *scenario,
                            const struct pk_model *model, const struct pk_calibrate_request *request,
                            struct pk_error *error)
{
    struct pk_targets targets;
    struct pk_search search;
    struct pk_error cause;
    memset(answer, 0, sizeof *answer);
    memset(&search, 0, sizeof search);
    pk_arena_init(&answer->arena);
    pk_text_init(&answer->obstacle);
    pk_text_init(&answer->marks);
    answer->study = study;
    answer->scenario = scenario;
    answer->model = model;
    search.answer = answer;
    gsl_error_handler_t *handler = gsl_set_error_handler_off();
    enum pk_status status = pk_targets_init(&targets, study, scenario, model, error);
    if (status == PK_OK) {
        status = begin(&search, &targets, request, error);
        if (status == PK_OK)
            status = tell_digest(&search, error);
        tell(request, "searching", 0);
        if (status == PK_OK)
            status = find_modes(&search, &targets, error);
        tell(request, "telling what the answer comes to", 0.35);
        if (status == PK_OK)
            status = tell_answer(&search, request->simulate, error);
        if (status == PK_OK)
            status = pk_calibrate_seen(&search, error);
        if (status == PK_OK)
            status = pk_calibrate_contradictions(&search, error);
        tell(request, "profiles", 0.4);
        if (status == PK_OK)
            status = pk_calibrate_profiles(&search, error);
        tell(request, "sampling", 0.75);
        if (status == PK_OK)
            status = pk_calibrate_sample(&search, error);
        tell(request, "done", 1);
        const bool begun = search.statuses != NULL && search.errors != NULL;
        const enum pk_status of_worker = begun ? pk_search_status(&search, &cause) : PK_OK;
        if (of_worker != PK_OK) { /* whatever came of it */
            status = of_worker;
            *error = cause;
        }
        for (int i = 0; search.n_evaluations != NULL && i < search.n_workers; i++)
            answer->n_evaluations += search.n_evaluations[i];
        end(&search);
        pk_targets_free(&targets);
    }
    gsl_set_error_handler(handler);
    if (status == PK_OK) {
        pk_calibrate_marks(answer);
        if (answer->marks.failed || answer->obstacle.failed) /* never without all that must be known */
            status = pk_error_set(error, PK_NO_MEMORY, "no memory to tell the answer");
    }
    if (status != PK_OK)
        pk_answer_free(answer);
    return status;
}

void pk_answer_free(struct pk_answer *answer)
{
    if (answer == NULL)
        return;
    pk_arena_free(&answer->arena);
    pk_text_free(&answer->obstacle);
    pk_text_free(&answer->marks);
    memset(answer, 0, sizeof *answer);
    pk_arena_init(&answer->arena);
}
