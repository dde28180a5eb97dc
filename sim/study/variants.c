/* Variants of a scenario on the same random numbers. See variants.h. */
#include "polku/variants.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "polku/bridge.h"
#include "polku/convert.h"
#include "polku/prices.h"
#include "polku/uncertainty.h"

/* A share of a split that is set alone leaves the rest to the others. */
static void share_rest(struct pk_values *values, const struct pk_model *model)
{
    for (size_t i = 0; i < model->n_uncertain_sets; i++) {
        const struct pk_uncertain_set *set = &model->uncertain_sets[i];
        size_t n_set = 0, i_set = 0;
        for (size_t k = 0; k < set->n; k++)
            if (values->overridden[set->i_parameters[k]]) {
                n_set++;
                i_set = set->i_parameters[k];
            }
        if (n_set == 1)
            pk_uncertain_rest(model, i_set, values);
    }
}

enum pk_status pk_variants_given(struct pk_values *values, const struct pk_model *model,
                                 const struct pk_scenario *scenario, const struct pk_set *sets, size_t n_sets,
                                 const struct pk_set *extra, size_t n_extra, struct pk_error *error)
{
    const struct pk_set *lists[] = {scenario->sets, sets, extra};
    const size_t n_lists[] = {scenario->n_sets, n_sets, n_extra};
    enum pk_status status = pk_values_init(values, model, error);
    if (status != PK_OK)
        return status;
    for (size_t l = 0; l < 3; l++)
        for (size_t i = 0; i < n_lists[l] && status == PK_OK; i++)
            status = pk_values_set(values, model, lists[l][i].parameter, lists[l][i].to, error);
    if (status == PK_OK)
        share_rest(values, model);
    if (status != PK_OK)
        pk_values_free(values);
    return status;
}

/* The values in use, with notes on how they were converted or without. */
static enum pk_status values_with(struct pk_values *values, const struct pk_model *model,
                                  const struct pk_scenario *scenario, const struct pk_set *sets, size_t n_sets,
                                  const struct pk_set *extra, size_t n_extra, bool told, struct pk_error *error)
{
    enum pk_status status = pk_variants_given(values, model, scenario, sets, n_sets, extra, n_extra, error);
    if (status != PK_OK)
        return status;
    status = told ? pk_convert(values, model, scenario, error) : pk_convert_untold(values, model, scenario, error);
    if (status != PK_OK)
        pk_values_free(values);
    return status;
}

enum pk_status pk_variants_values(struct pk_values *values, const struct pk_model *model,
                                  const struct pk_scenario *scenario, const struct pk_set *sets, size_t n_sets,
                                  const struct pk_set *extra, size_t n_extra, struct pk_error *error)
{
    return values_with(values, model, scenario, sets, n_sets, extra, n_extra, true, error);
}

/* The lowest and highest value of a rate, per month; of a form, at points over its first 50 years. */
static void extremes(const struct pk_rate *rate, double *lowest, double *highest)
{
    enum { POINTS = 600 };
    *lowest = INFINITY;
    *highest = 0;
    for (size_t i = 0; i <= (rate->smooth ? POINTS : rate->n_cuts); i++) {
        double level = rate->smooth ? pk_rate_at(rate, (double)i) : rate->levels[i];
        *lowest = level < *lowest ? level : *lowest;
        *highest = level > *highest ? level : *highest;
    }
}

/* The lowest level of a service's hazard against the highest of the base for the same people, a year. */
static bool lowers(const struct pk_plan *plan, const struct pk_plan_effect *effect, double *lowest, double *highest)
{
    bool any = false;
    for (uint32_t z = 0; z < plan->n_strata && effect->mode == PK_EFFECT_REPLACE; z++) {
        double own, high, ignored;
        extremes(pk_plan_effect_rate(effect, z), &own, &ignored);
        extremes(pk_plan_arc_rate(&plan->arcs[effect->arc], z), &ignored, &high);
        own *= 12;
        high *= 12 * plan->multipliers[z * plan->n_arcs + effect->arc];
        if (own < high && (!any || high / own > *highest / *lowest)) {
            *lowest = own;
            *highest = high;
            any = true;
        }
    }
    return any;
}

size_t pk_variants_lowering(const struct pk_plan *plan, const struct pk_model *model, struct pk_text *lines)
{
    size_t n = 0;
    bool enrols[PK_MAX_SERVICES] = {false};
    for (size_t a = 0; a < plan->n_arms; a++)
        for (size_t i = 0; i < plan->arms[a].n_enrolments; i++)
            enrols[plan->arms[a].enrolments[i].i_service] = true;
    for (size_t i = 0; i < plan->n_services; i++)
        for (size_t k = 0; enrols[i] && k < plan->services[i].n_effects; k++) {
            double lowest, highest;
            const struct pk_plan_effect *effect = &plan->services[i].effects[k];
            if (!lowers(plan, effect, &lowest, &highest))
                continue;
            n++;
            pk_text_addf(lines, "the service %s lowers %s for someone: %.4g a year against up to %.4g without it\n",
                         model->services[i].name, model->transitions[plan->arcs[effect->arc].i_transition].name, lowest,
                         highest);
        }
    return n;
}

static enum pk_status copy_results(struct pk_variants *variants, const struct pk_run *run, const struct pk_plan *plan,
                                   struct pk_variant_result *result, struct pk_error *error)
{
    size_t n_arms = plan->n_arms, n_outcomes = run->collection.scenario->n_outcomes;
    size_t n_each = run->fold.n_units * n_arms * n_outcomes, i_population = pk_fold_compared(&run->fold);
    result->n_units = run->fold.n_units;
    result->outcomes = pk_arena_alloc(&variants->arena, n_each, sizeof(double));
    result->persons = pk_arena_alloc(&variants->arena, run->fold.n_units, sizeof(double));
    result->costs = pk_arena_alloc(&variants->arena, n_arms, sizeof(double));
    if (run->fold.denominators != NULL)
        result->denominators = pk_arena_alloc(&variants->arena, n_each, sizeof(double));
    if (result->outcomes == NULL || result->persons == NULL || result->costs == NULL ||
        (run->fold.denominators != NULL && result->denominators == NULL))
        return pk_error_set(error, PK_NO_MEMORY, "no memory for the variants");
    if (run->fold.denominators != NULL)
        memcpy(result->denominators, run->fold.denominators + i_population * n_each, n_each * sizeof(double));
    memcpy(result->outcomes, run->fold.outcomes + i_population * n_each, n_each * sizeof(double));
    memcpy(result->persons, run->fold.persons + i_population * run->fold.n_units, run->fold.n_units * sizeof(double));
    for (size_t a = 0; a < n_arms; a++)
        result->costs[a] = pk_fold_cost(&run->fold, a);
    return PK_OK;
}

static void mark_impossible(struct pk_variants *variants, struct pk_variant_result *result, size_t n_units,
                            size_t n_arms, size_t n_outcomes, const struct pk_error *why)
{
    size_t n = n_units * n_arms * n_outcomes;
    result->n_units = n_units;
    result->warning = pk_arena_text(&variants->arena, why->message);
    result->outcomes = pk_arena_alloc(&variants->arena, n, sizeof(double));
    result->persons = pk_arena_alloc(&variants->arena, n_units, sizeof(double));
    result->costs = pk_arena_alloc(&variants->arena, n_arms, sizeof(double));
    for (size_t i = 0; result->outcomes != NULL && i < n; i++)
        result->outcomes[i] = NAN;
}

static enum pk_status run_variant(struct pk_variants *variants, const struct pk_model *model,
                                  const struct pk_scenario *scenario, const struct pk_set *sets, size_t n_sets,
                                  const struct pk_set *extra, size_t n_extra, const struct pk_run_options *options,
                                  struct pk_variant_result *result, struct pk_error *error)
{
    struct pk_values values;
    struct pk_plan plan;
    struct pk_run run;
    struct pk_text lines;
    pk_text_init(&lines);
    pk_plan_init(&plan);
    result->warning = "";
    int64_t batches = pk_run_batches(scenario, options->n_replications);
    size_t n_units = (size_t)(options->n_replications * batches);
    enum pk_status status = values_with(&values, model, scenario, sets, n_sets, extra, n_extra, false, error);
    if (status != PK_OK) {
        if (status != PK_BAD_INPUT)
            return status;
        mark_impossible(variants, result, n_units, scenario->n_arms, scenario->n_outcomes, error);
        return result->outcomes && result->persons && result->costs && result->warning ? PK_OK : PK_NO_MEMORY;
    }
    status = pk_plan_compile(&plan, model, scenario, &values, error);
    if (status == PK_OK) {
        struct pk_run_options own = *options;
        own.enrolled_only = plan.n_cohorts == 1 && !plan.places_people && !scenario->about_everyone;
        own.progress = NULL;
        if (pk_variants_lowering(&plan, model, &lines) > 0)
            result->warning = pk_arena_text(&variants->arena, pk_text_string(&lines));
        status = pk_run_simulate(&run, &plan, model, scenario, &values, &own, error);
        if (status == PK_OK) {
            if (variants->n > 1 && run.fold.n_units != variants->items[0].n_units) {
                (void)pk_error_set(error, PK_BAD_INPUT,
                                   "it has so few people that they are not divided into batches "
                                   "as those of the other variants");
                mark_impossible(variants, result, variants->items[0].n_units, scenario->n_arms, scenario->n_outcomes,
                                error);
                status = result->outcomes && result->persons && result->costs && result->warning ? PK_OK : PK_NO_MEMORY;
            } else {
                status = copy_results(variants, &run, &plan, result, error);
            }
            pk_run_free(&run);
        }
    }
    pk_text_free(&lines);
    pk_plan_free(&plan);
    pk_values_free(&values);
    if (status == PK_OK && result->warning == NULL)
        status = pk_error_set(error, PK_NO_MEMORY, "no memory for the variants");
    return status;
}

/* The ends of a parameter's range that differ from the value in use; none where nothing in the scenario uses it. */
static size_t range_ends(const struct pk_values *values, const struct pk_model *model, const bool *idle, size_t i,
                         double ends[2])
{
    const struct pk_parameter *parameter = &model->parameters[i];
    size_t n = 0;
    if (!parameter->has_range || idle[i])
        return 0;
    if (parameter->low != values->given[i])
        ends[n++] = parameter->low;
    if (parameter->high != values->given[i])
        ends[n++] = parameter->high;
    return n;
}

static char *arena_printf(struct pk_arena *arena, const char *parameter, double value, const char *unit)
{
    char text[160];
    snprintf(text, sizeof text, "%s = %.10g %s", parameter, value, unit);
    return pk_arena_text(arena, text);
}

/* What all variants of a run share. */
struct batch {
    struct pk_variants *variants;
    const struct pk_model *model;
    const struct pk_scenario *scenario;
    const struct pk_set *sets; /* from the command line */
    size_t n_sets, n_all;
    struct pk_run_options own;            /* of a variant */
    const struct pk_run_options *options; /* of the main run: whom progress is told */
};

/* changed NULL: what is set. */
static enum pk_status run_named(struct batch *batch, const char *topic, const char *name, const char *changed,
                                const struct pk_set *sets, size_t n_sets, struct pk_error *error)
{
    struct pk_variants *variants = batch->variants;
    struct pk_variant_result *result = &variants->items[variants->n++];
    struct pk_text told;
    pk_text_init(&told);
    for (size_t k = 0; k < n_sets; k++)
        pk_text_addf(&told, "%s%s = %s", k ? ", " : "", sets[k].parameter, sets[k].to);
    result->topic = topic;
    result->name = name;
    result->changed = changed != NULL ? changed : pk_arena_text(&variants->arena, pk_text_string(&told));
    pk_text_free(&told);
    if (result->changed == NULL)
        return pk_error_set(error, PK_NO_MEMORY, "no memory for the variants");
    const enum pk_status status = run_variant(variants, batch->model, batch->scenario, batch->sets, batch->n_sets, sets,
                                              n_sets, &batch->own, result, error);
    if (batch->options->progress != NULL)
        batch->options->progress((double)variants->n / (double)batch->n_all, batch->options->progress_data);
    return status;
}

/* One parameter, to an end of its range. */
static enum pk_status run_end(struct batch *batch, size_t i_parameter, double end, struct pk_error *error)
{
    const struct pk_parameter *parameter = &batch->model->parameters[i_parameter];
    struct pk_arena *arena = &batch->variants->arena;
    char to[40];
    snprintf(to, sizeof to, "%.17g", end);
    const struct pk_set set = {.parameter = parameter->name, .to = isinf(end) ? "life" : pk_arena_text(arena, to)};
    const char *changed = arena_printf(arena, set.parameter, end, pk_unit_names[parameter->given_unit]);
    if (set.to == NULL || changed == NULL)
        return pk_error_set(error, PK_NO_MEMORY, "no memory for the variants");
    return run_named(batch, "range", parameter->name, changed, &set, 1, error);
}

enum pk_status pk_variants_run(struct pk_variants *variants, const struct pk_model *model,
                               const struct pk_scenario *scenario, const struct pk_set *sets, size_t n_sets,
                               const struct pk_bridge_work *bridge, const struct pk_run_options *options,
                               struct pk_error *error)
{
    struct pk_values main_values;
    struct batch batch = {.variants = variants,
                          .model = model,
                          .scenario = scenario,
                          .sets = sets,
                          .n_sets = n_sets,
                          .own = *options,
                          .options = options};
    batch.own.n_replications = scenario->variant_replications;
    batch.own.stages = NULL; /* the main run's */
    batch.own.saved = NULL;  /* so too: what is kept of one variant is not another's */
    memset(variants, 0, sizeof *variants);
    pk_arena_init(&variants->arena);
    enum pk_status status = pk_variants_given(&main_values, model, scenario, sets, n_sets, NULL, 0, error);
    if (status != PK_OK)
        return status;
    const size_t n_ends_most = scenario->ranges ? 2 * model->n_parameters : 0;
    double ends[2];
    bool idle[PK_MAX_PARAMETERS];
    pk_prices_idle(model, scenario, idle);
    for (size_t i = 0; scenario->ranges && i < model->n_parameters; i++)
        batch.n_all += range_ends(&main_values, model, idle, i, ends);
    const size_t n_bridge = bridge == NULL ? 0 : bridge->n_runs;
    batch.n_all += scenario->n_variants + n_bridge;
    variants->items =
        pk_arena_alloc(&variants->arena, scenario->n_variants + n_ends_most + n_bridge, sizeof *variants->items);
    if (variants->items == NULL)
        status = pk_error_set(error, PK_NO_MEMORY, "no memory for the variants");
    for (size_t i = 0; i < scenario->n_variants && status == PK_OK; i++) {
        const struct pk_variant *variant = &scenario->variants[i];
        status = run_named(&batch, variant->topic, variant->name, NULL, variant->sets, variant->n_sets, error);
    }
    for (size_t i = 0; scenario->ranges && i < model->n_parameters && status == PK_OK; i++) {
        const size_t n_ends = range_ends(&main_values, model, idle, i, ends);
        for (size_t k = 0; k < n_ends && status == PK_OK; k++)
            status = run_end(&batch, i, ends[k], error);
    }
    for (size_t i = 0; i < n_bridge && status == PK_OK; i++) {
        const struct pk_bridge_run *run = &bridge->runs[i];
        status = run_named(&batch, "bridge", run->name, NULL, run->sets, run->n_sets, error);
    }
    pk_values_free(&main_values);
    if (status != PK_OK)
        pk_variants_free(variants);
    return status;
}

void pk_variants_free(struct pk_variants *variants)
{
    if (variants == NULL)
        return;
    pk_arena_free(&variants->arena);
    memset(variants, 0, sizeof *variants);
}
