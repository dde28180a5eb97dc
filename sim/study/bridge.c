/* What each step of a walk to the scenario contributes. See bridge.h. */
#include "polku/bridge.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- which runs ----------------------------------------------------------------------------------------------- */

enum { ROOM = (1 + PK_MAX_BRIDGE_STEPS) * PK_MAX_SETS };

/* What planning holds on to. */
struct planning {
    struct pk_bridge_work *work;
    const struct pk_model *model;
    const struct pk_scenario *scenario;
    const struct pk_set *sets; /* from the command line */
    size_t n_sets;
    struct pk_values own; /* the scenario's, as given */
    double **given;       /* [n_runs][n_parameters] */
    bool own_run;         /* the main run has other batches */
};

static uint64_t all_steps(const struct pk_bridge *bridge)
{
    return (UINT64_C(1) << bridge->n_steps) - 1;
}

static bool equal(double a, double b)
{
    return !(a < b) && !(a > b);
}

/* The last of the sets that is about a parameter. */
static const struct pk_set *set_of(const struct pk_set *sets, size_t n, const char *parameter)
{
    while (n-- > 0)
        if (strcmp(sets[n].parameter, parameter) == 0)
            return &sets[n];
    return NULL;
}

/* The start's sets, then those of the steps that are on. */
static size_t sets_of(const struct pk_bridge *bridge, uint64_t on, struct pk_set all[ROOM])
{
    size_t n = 0;
    for (size_t k = 0; k < bridge->n_start_sets; k++)
        all[n++] = bridge->start_sets[k];
    for (size_t i = 0; i < bridge->n_steps; i++)
        for (size_t k = 0; on >> i & 1 && k < bridge->steps[i].n_sets; k++)
            all[n++] = bridge->steps[i].sets[k];
    return n;
}

static enum pk_status refuse_end(const struct planning *planning, size_t i_parameter, double end,
                                 struct pk_error *error)
{
    (void)pk_error_set(error, PK_BAD_INPUT, "the bridge ends at %s = %.10g, and the run is to have %.10g",
                       planning->model->parameters[i_parameter].name, end, planning->own.given[i_parameter]);
    if (error != NULL)
        snprintf(error->hint, sizeof error->hint, "--no-variants leaves the bridge out");
    return PK_BAD_INPUT;
}

/* A new run for values that none has yet. */
static enum pk_status add_run(struct planning *planning, const char *name, const struct pk_set *all, size_t n_all,
                              const struct pk_values *values, struct pk_error *error)
{
    struct pk_bridge_work *work = planning->work;
    struct pk_bridge_run *run = &work->runs[work->n_runs];
    double *given = pk_arena_alloc(&work->arena, values->n, sizeof *given);
    run->name = pk_arena_text(&work->arena, name);
    run->sets = pk_arena_alloc(&work->arena, n_all, sizeof *run->sets);
    if (given == NULL || run->name == NULL || run->sets == NULL)
        return pk_error_set(error, PK_NO_MEMORY, "no memory for the bridge");
    memcpy(given, values->given, values->n * sizeof *given);
    for (size_t i = 0; i < values->n; i++) {
        const struct pk_set *set = set_of(all, n_all, planning->model->parameters[i].name);
        if (set != NULL && !equal(values->given[i], planning->own.given[i]))
            run->sets[run->n_sets++] = *set;
    }
    planning->given[work->n_runs++] = given;
    return PK_OK;
}

/* The run with these steps on: one that there is, or a new one. */
static enum pk_status find_run(struct planning *planning, uint64_t on, const char *name, size_t *i_run,
                               struct pk_error *error)
{
    struct pk_set all[ROOM];
    struct pk_values values;
    const size_t n_all = sets_of(&planning->scenario->bridge, on, all);
    enum pk_status status = pk_variants_given(&values, planning->model, planning->scenario, planning->sets,
                                              planning->n_sets, all, n_all, error);
    if (status != PK_OK)
        return status;
    bool is_own = true;
    for (size_t i = 0; i < values.n; i++) {
        if (equal(values.given[i], planning->own.given[i]))
            continue;
        is_own = false;
        if (status == PK_OK && on == all_steps(&planning->scenario->bridge))
            status = refuse_end(planning, i, values.given[i], error);
    }
    *i_run = SIZE_MAX;
    for (size_t r = 0; r < planning->work->n_runs && status == PK_OK && *i_run == SIZE_MAX; r++) {
        bool same = true;
        for (size_t i = 0; i < values.n && same; i++)
            same = equal(values.given[i], planning->given[r][i]);
        if (same)
            *i_run = r;
    }
    if (status == PK_OK && *i_run == SIZE_MAX && (!is_own || planning->own_run)) {
        *i_run = planning->work->n_runs;
        status = add_run(planning, is_own ? "scenario" : name, all, n_all, &values, error);
    }
    pk_values_free(&values);
    return status;
}

/* All runs. Where none but the scenario's own is needed, the main run is told whole. */
static enum pk_status find_runs(struct planning *planning, struct pk_error *error)
{
    const struct pk_bridge *bridge = &planning->scenario->bridge;
    struct pk_bridge_work *work = planning->work;
    enum pk_status status = PK_OK;
    for (size_t i = 0; i < work->n_stages && status == PK_OK; i++) {
        char name[128] = "start";
        const uint64_t step = i == 0 ? 0 : UINT64_C(1) << (i - 1), up_to = i == 0 ? 0 : step | (step - 1);
        if (i > 0)
            snprintf(name, sizeof name, "up to %s", bridge->steps[i - 1].name);
        status = find_run(planning, up_to, name, &work->of_value[i], error);
        if (i == 0 || status != PK_OK)
            continue;
        snprintf(name, sizeof name, "only %s", bridge->steps[i - 1].name);
        status = find_run(planning, step, name, &work->of_first[i], error);
        snprintf(name, sizeof name, "all but %s", bridge->steps[i - 1].name);
        if (status == PK_OK)
            status = find_run(planning, all_steps(bridge) & ~step, name, &work->of_last[i], error);
    }
    return status;
}

enum pk_status pk_bridge_init(struct pk_bridge_work *work, const struct pk_model *model,
                              const struct pk_scenario *scenario, const struct pk_set *sets, size_t n_sets,
                              int64_t n_replications, struct pk_error *error)
{
    memset(work, 0, sizeof *work);
    if (scenario->bridge.n_steps == 0)
        return PK_OK;
    struct planning planning = {
        .work = work, .model = model, .scenario = scenario, .sets = sets, .n_sets = n_sets, .own_run = false};
    const int64_t n_variant = scenario->variant_replications;
    const size_t n = 1 + scenario->bridge.n_steps, n_most = 3 * n;
    enum pk_status status = pk_variants_given(&planning.own, model, scenario, sets, n_sets, NULL, 0, error);
    if (status != PK_OK)
        return status;
    pk_arena_init(&work->arena);
    work->n_stages = n;
    work->runs = pk_arena_alloc(&work->arena, n_most, sizeof *work->runs);
    work->of_value = pk_arena_alloc(&work->arena, n, sizeof *work->of_value);
    work->of_first = pk_arena_alloc(&work->arena, n, sizeof *work->of_first);
    work->of_last = pk_arena_alloc(&work->arena, n, sizeof *work->of_last);
    planning.given = pk_arena_alloc(&work->arena, n_most, sizeof *planning.given);
    if (!work->runs || !work->of_value || !work->of_first || !work->of_last || !planning.given)
        status = pk_error_set(error, PK_NO_MEMORY, "no memory for the bridge");
    if (status == PK_OK)
        status = find_runs(&planning, error);
    const bool other_batches =
        n_variant > n_replications || pk_run_batches(scenario, n_variant) != pk_run_batches(scenario, n_replications);
    if (status == PK_OK && work->n_runs > 0 && other_batches) {
        planning.own_run = true;
        work->n_runs = 0;
        memset(work->runs, 0, n_most * sizeof *work->runs);
        status = find_runs(&planning, error);
    }
    pk_values_free(&planning.own);
    if (status != PK_OK)
        pk_bridge_free(work);
    return status;
}

/* ---- figures -------------------------------------------------------------------------------------------------- */

/* What is the same for all figures. */
struct telling {
    const struct pk_scenario *scenario;
    const struct pk_run *run;
    const struct pk_variant_result *variants; /* those of the bridge */
    size_t n_units;
    double n_replications, per_persons; /* per_persons 0: all people */
    bool vary;                          /* how many they are is left to chance */
};

/* A figure, and how far each unit moves it: these add up to 0, and errors of any sum or difference come from them. */
struct figure {
    double value;
    double *moves; /* [n_units] */
};

struct series {
    const double *y, *denominators, *persons; /* denominators may be NULL; NULL y: there is no such run */
};

static struct series series_of(const struct telling *telling, size_t i_run)
{
    const struct pk_fold *fold = &telling->run->fold;
    const size_t i_population = pk_fold_compared(fold);
    const size_t n_each = fold->n_units * telling->scenario->n_arms * telling->scenario->n_outcomes;
    if (i_run == SIZE_MAX && telling->n_units != (size_t)(telling->n_replications * (double)telling->run->n_batches))
        return (struct series){.y = NULL};
    if (i_run == SIZE_MAX)
        return (struct series){.y = fold->outcomes + i_population * n_each,
                               .denominators =
                                   fold->denominators == NULL ? NULL : fold->denominators + i_population * n_each,
                               .persons = fold->persons + i_population * fold->n_units};
    const struct pk_variant_result *variant = &telling->variants[i_run];
    if (variant->n_units != telling->n_units)
        return (struct series){.y = NULL};
    return (struct series){.y = variant->outcomes, .denominators = variant->denominators, .persons = variant->persons};
}

/* Adds sign x the arm's figure in a run. As polku compare tells the arm: a ratio of two sums, a mean for so many people
 * or the total of a replication. */
static void add_arm(const struct telling *telling, size_t i_run, size_t i_arm, double sign, struct figure *figure)
{
    const struct series series = series_of(telling, i_run);
    const size_t n_outcomes = telling->scenario->n_outcomes, i_outcome = telling->scenario->bridge.i_outcome;
    const size_t stride = telling->scenario->n_arms * n_outcomes, at = i_arm * n_outcomes + i_outcome;
    const bool ratio = pk_outcome_is_ratio(&telling->scenario->outcomes[i_outcome]);
    double sum_y = 0, sum_x = 0;
    if (series.y == NULL || (ratio && series.denominators == NULL)) {
        figure->value = (double)NAN;
        return;
    }
    for (size_t u = 0; u < telling->n_units; u++) {
        sum_y += series.y[u * stride + at];
        sum_x += ratio ? series.denominators[u * stride + at] : series.persons[u];
    }
    const bool total = !ratio && !(telling->per_persons > 0);
    const double mean = total && telling->vary ? sum_y / (double)telling->n_units : sum_y / sum_x;
    const double scale = ratio   ? sign / sum_x
                         : total ? sign / telling->n_replications
                                 : sign * telling->per_persons / sum_x;
    figure->value += scale * sum_y;
    for (size_t u = 0; u < telling->n_units; u++) {
        const double x = ratio ? series.denominators[u * stride + at] : total && telling->vary ? 1 : series.persons[u];
        figure->moves[u] += scale * (series.y[u * stride + at] - mean * x);
    }
}

static void tell_figure(const struct telling *telling, size_t i_run, size_t i_against, struct figure *figure)
{
    figure->value = 0;
    memset(figure->moves, 0, telling->n_units * sizeof *figure->moves);
    add_arm(telling, i_run, telling->scenario->bridge.i_arm, 1, figure);
    if (i_against != SIZE_MAX)
        add_arm(telling, i_run, i_against, -1, figure);
}

/* a less b; b NULL: a. */
static struct pk_mean difference(const struct telling *telling, const struct figure *a, const struct figure *b)
{
    struct pk_mean mean = {.mean = a->value - (b == NULL ? 0 : b->value), .standard_error = (double)NAN};
    const double n = (double)telling->n_units;
    double squares = 0;
    for (size_t u = 0; u < telling->n_units; u++) {
        const double move = a->moves[u] - (b == NULL ? 0 : b->moves[u]);
        squares += move * move;
    }
    if (n >= 2 && !isnan(mean.mean))
        mean.standard_error = sqrt(n / (n - 1) * squares);
    return mean;
}

/* The arm to compare with where the steps below i_end and i_more are on, without i_less. */
static size_t against_of(const struct pk_bridge *bridge, size_t i_end, size_t i_more, size_t i_less)
{
    for (size_t i = 0; i < bridge->n_steps; i++)
        if ((i < i_end || i == i_more) && i != i_less && bridge->steps[i].i_against != SIZE_MAX)
            return bridge->steps[i].i_against;
    return SIZE_MAX;
}

static const char *changed_by(struct pk_arena *arena, const struct pk_scenario *scenario, size_t i_stage)
{
    const struct pk_bridge *bridge = &scenario->bridge;
    const struct pk_bridge_step *step = i_stage == 0 ? NULL : &bridge->steps[i_stage - 1];
    const struct pk_set *sets = step == NULL ? bridge->start_sets : step->sets;
    const size_t n_sets = step == NULL ? bridge->n_start_sets : step->n_sets;
    struct pk_text text;
    pk_text_init(&text);
    for (size_t k = 0; k < n_sets; k++)
        pk_text_addf(&text, "%s%s = %s", k ? ", " : "", sets[k].parameter, sets[k].to);
    if (step != NULL && step->i_against != SIZE_MAX)
        pk_text_addf(&text, "%sless %s", n_sets ? ", " : "", scenario->arms[step->i_against].name);
    const char *changed = pk_arena_text(arena, pk_text_string(&text));
    pk_text_free(&text);
    return changed;
}

static void name_run(char name[24], size_t i_run, size_t first_variant)
{
    if (i_run == SIZE_MAX)
        snprintf(name, 24, "main");
    else
        snprintf(name, 24, "v%zu", first_variant + i_run);
}

static bool make_figures(struct pk_bridge_work *work)
{
    struct pk_bridge_figures *told = &work->figures;
    const size_t n = work->n_stages;
    told->value = pk_arena_alloc(&work->arena, n, sizeof *told->value);
    told->added = pk_arena_alloc(&work->arena, n, sizeof *told->added);
    told->first = pk_arena_alloc(&work->arena, n, sizeof *told->first);
    told->last = pk_arena_alloc(&work->arena, n, sizeof *told->last);
    told->changed = pk_arena_alloc(&work->arena, n, sizeof *told->changed);
    told->of_value = pk_arena_alloc(&work->arena, n, sizeof *told->of_value);
    told->of_first = pk_arena_alloc(&work->arena, n, sizeof *told->of_first);
    told->of_last = pk_arena_alloc(&work->arena, n, sizeof *told->of_last);
    return told->value && told->added && told->first && told->last && told->changed && told->of_value &&
           told->of_first && told->of_last;
}

enum pk_status pk_bridge_tell(struct pk_bridge_work *work, const struct pk_scenario *scenario,
                              const struct pk_values *values, const struct pk_run *run,
                              const struct pk_variants *variants, struct pk_error *error)
{
    const struct pk_bridge *bridge = &scenario->bridge;
    const size_t n = work->n_stages, first_variant = variants->n - work->n_runs, n_steps = bridge->n_steps;
    struct pk_bridge_figures *told = &work->figures;
    if (n == 0)
        return PK_OK;
    struct telling telling = {.scenario = scenario,
                              .run = run,
                              .variants = variants->items + first_variant,
                              .per_persons = pk_number_value(&scenario->per_persons, values),
                              .vary = pk_fold_varies(&run->fold, pk_fold_compared(&run->fold))};
    told->n_replications = work->n_runs > 0 ? scenario->variant_replications : run->n_replications;
    telling.n_replications = (double)told->n_replications;
    telling.n_units = work->n_runs > 0 ? telling.variants[0].n_units : run->fold.n_units;
    told->n_units = telling.n_units;
    struct figure *up_to = pk_arena_alloc(&work->arena, n + 1, sizeof *up_to),
                  *other = up_to == NULL ? NULL : up_to + n;
    double *moves = pk_arena_alloc(&work->arena, (n + 1) * telling.n_units, sizeof *moves);
    if (!make_figures(work) || up_to == NULL || moves == NULL)
        return pk_error_set(error, PK_NO_MEMORY, "no memory for the bridge");
    for (size_t i = 0; i <= n; i++)
        up_to[i].moves = moves + i * telling.n_units;
    for (size_t i = 0; i < n; i++) {
        tell_figure(&telling, work->of_value[i], against_of(bridge, i, SIZE_MAX, SIZE_MAX), &up_to[i]);
        told->value[i] = difference(&telling, &up_to[i], NULL);
        told->changed[i] = changed_by(&work->arena, scenario, i);
        name_run(told->of_value[i], work->of_value[i], first_variant);
        if (told->changed[i] == NULL)
            return pk_error_set(error, PK_NO_MEMORY, "no memory for the bridge");
    }
    for (size_t i = 1; i < n; i++) {
        told->added[i] = difference(&telling, &up_to[i], &up_to[i - 1]);
        tell_figure(&telling, work->of_first[i], against_of(bridge, 0, i - 1, SIZE_MAX), other);
        told->first[i] = difference(&telling, other, &up_to[0]);
        tell_figure(&telling, work->of_last[i], against_of(bridge, n_steps, SIZE_MAX, i - 1), other);
        told->last[i] = difference(&telling, &up_to[n_steps], other);
        name_run(told->of_first[i], work->of_first[i], first_variant);
        name_run(told->of_last[i], work->of_last[i], first_variant);
    }
    told->n_stages = n;
    return PK_OK;
}

void pk_bridge_free(struct pk_bridge_work *work)
{
    if (work == NULL)
        return;
    if (work->n_stages > 0)
        pk_arena_free(&work->arena);
    memset(work, 0, sizeof *work);
}
