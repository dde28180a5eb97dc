/* See support.h. */
#include "support.h"

#include <criterion/criterion.h>
#include <gsl/gsl_linalg.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static void fail_on(enum pk_status status, const struct pk_error *error, const char *what)
{
    char text[1024];
    if (status == PK_OK)
        return;
    pk_error_text(error, text, sizeof text);
    cr_assert_fail("%s: %s", what, text);
}

static void fail_on_problems(enum pk_status status, struct pk_problems *problems, const char *what)
{
    if (status != PK_OK)
        fail_on(status, &problems->items[0], what);
    pk_problems_free(problems);
}

void support_open_file(struct support_world *world, const char *config, const struct pk_set *sets, size_t n_sets)
{
    char path[512];
    struct pk_problems problems;
    struct pk_error error;
    snprintf(path, sizeof path, "%s/configs/%s", POLKU_SOURCE_DIR, config);
    pk_problems_init(&problems);
    pk_plan_init(&world->plan);
    fail_on_problems(pk_load_scenario(path, NULL, &world->scenario, &world->model, &problems), &problems, config);
    fail_on(pk_variants_values(&world->values, &world->model, &world->scenario, sets, n_sets, NULL, 0, &error), &error,
            config);
    fail_on(pk_plan_compile(&world->plan, &world->model, &world->scenario, &world->values, &error), &error, config);
}

enum pk_status support_try_texts(struct support_world *world, const char *model, const char *scenario,
                                 struct pk_error *error)
{
    struct pk_problems problems;
    pk_problems_init(&problems);
    memset(world, 0, sizeof *world);
    pk_plan_init(&world->plan);
    fail_on_problems(pk_load_texts("scenario.yaml", scenario, strlen(scenario), "model.yaml", model, strlen(model),
                                   NULL, NULL, &world->scenario, &world->model, &problems),
                     &problems, "texts");
    enum pk_status status =
        pk_variants_values(&world->values, &world->model, &world->scenario, NULL, 0, NULL, 0, error);
    if (status == PK_OK)
        status = pk_plan_compile(&world->plan, &world->model, &world->scenario, &world->values, error);
    return status;
}

void support_open_texts(struct support_world *world, const char *model, const char *scenario)
{
    struct pk_error error;
    fail_on(support_try_texts(world, model, scenario, &error), &error, "texts");
}

void support_open(struct support_world *world, const char *model, const struct support_scenario *s)
{
    struct pk_text text;
    pk_text_init(&text);
    pk_text_addf(&text,
                 "polku: 1\nscenario: test\nmodel: model.yaml\nseed: %lu\nstart: 2021-01-01\nhorizon: {months: %d}\n"
                 "batches: %d\npopulation:\n  size: %lu\n%s",
                 s->seed, s->horizon_months, s->batches ? s->batches : 256, s->persons, s->population);
    pk_text_addf(&text, "arms:\n%s", s->arms ? s->arms : "  base: {}\n");
    if (s->tables != NULL)
        pk_text_addf(&text, "tables:\n%s", s->tables);
    if (s->states != NULL && s->times[0] != 0)
        pk_text_addf(&text, "outcomes:\n");
    for (size_t i = 0; s->states != NULL && s->states[i] != NULL; i++)
        for (const int *t = s->times; *t != 0; t++) {
            const char *state = s->states[i];
            pk_text_addf(&text, "  in_%s_%d: {measure: occupancy, states: [%s], at: {months: %d}}\n", state, *t, state,
                         *t);
            pk_text_addf(&text, "  ever_%s_%d: {measure: first_entry, states: [%s], at: {months: %d}}\n", state, *t,
                         state, *t);
            pk_text_addf(&text, "  years_%s_%d: {measure: person_years, states: [%s], from: {months: 0}, ", state, *t,
                         state);
            pk_text_addf(&text, "to: {months: %d}}\n", *t);
        }
    support_open_texts(world, model, pk_text_string(&text));
    pk_text_free(&text);
}

void support_close(struct support_world *world)
{
    pk_plan_free(&world->plan);
    pk_values_free(&world->values);
    pk_scenario_free(&world->scenario);
    pk_model_free(&world->model);
}

void support_change(struct support_world *world, uint64_t seed, uint64_t persons)
{
    struct pk_error error;
    if (seed != 0)
        world->scenario.seed = seed;
    if (persons != 0)
        world->scenario.population.size = (struct pk_number){.literal = (double)persons, .i_parameter = SIZE_MAX};
    fail_on(pk_plan_compile(&world->plan, &world->model, &world->scenario, &world->values, &error), &error, "change");
}

void support_run(const struct support_world *world, const struct pk_run_options *options, struct pk_run *run)
{
    const struct pk_run_options defaults = {.n_threads = 0};
    struct pk_error error;
    fail_on(pk_run_simulate(run, &world->plan, &world->model, &world->scenario, &world->values,
                            options ? options : &defaults, &error),
            &error, "run");
}

struct pk_mean support_outcome(const struct pk_run *run, size_t i_population, size_t i_arm, size_t i_minus,
                               const char *name)
{
    const struct pk_scenario *scenario = run->collection.scenario;
    const size_t n_units = run->fold.n_units, n_outcomes = scenario->n_outcomes, n_arms = scenario->n_arms;
    size_t i = 0;
    while (i < n_outcomes && strcmp(scenario->outcomes[i].name, name) != 0)
        i++;
    cr_assert(i < n_outcomes, "no outcome %s", name);
    double *values = pk_alloc(n_units, sizeof *values);
    cr_assert_not_null(values);
    for (size_t u = 0; u < n_units; u++) {
        const double *of_unit = run->fold.outcomes + (i_population * n_units + u) * n_arms * n_outcomes;
        values[u] = of_unit[i_arm * n_outcomes + i] - (i_minus == SIZE_MAX ? 0 : of_unit[i_minus * n_outcomes + i]);
    }
    struct pk_mean mean = pk_stats_batch_mean(values, run->fold.persons + i_population * n_units, n_units, 1);
    pk_free(values);
    return mean;
}

struct pk_mean support_state(const struct pk_run *run, size_t i_arm, const char *measure, const char *state, int months)
{
    char name[128];
    snprintf(name, sizeof name, "%s_%s_%d", measure, state, months);
    return support_outcome(run, 0, i_arm, SIZE_MAX, name);
}

void support_expect(struct pk_mean mean, double exact, double n_errors, const char *what, const char *of)
{
    double allowed = n_errors * mean.standard_error + 1e-12;
    cr_expect(fabs(mean.mean - exact) <= allowed, "%s %s: %.8g +- %.2g, exact %.8g (%+.2f s.e.)", what, of, mean.mean,
              mean.standard_error, exact, (mean.mean - exact) / mean.standard_error);
}

void support_diagonal(double *q, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        q[i * n + i] = 0;
        double sum = 0;
        for (size_t j = 0; j < n; j++)
            sum += q[i * n + j];
        q[i * n + i] = -sum;
    }
}

void support_evolve(const double *q, size_t n, double years, double *p, double *spent)
{
    gsl_matrix *a = gsl_matrix_calloc(2 * n, 2 * n), *e = gsl_matrix_calloc(2 * n, 2 * n);
    double moved[PK_MAX_STATES];
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < n; j++)
            gsl_matrix_set(a, i, j, q[i * n + j] * years);
        gsl_matrix_set(a, i, n + i, years);
    }
    cr_assert_eq(gsl_linalg_exponential_ss(a, e, GSL_MODE_DEFAULT), 0);
    for (size_t j = 0; j < n; j++) {
        moved[j] = 0;
        for (size_t i = 0; i < n; i++) {
            moved[j] += p[i] * gsl_matrix_get(e, i, j);
            spent[j] += p[i] * gsl_matrix_get(e, i, n + j);
        }
    }
    memcpy(p, moved, n * sizeof *p);
    gsl_matrix_free(a);
    gsl_matrix_free(e);
}

double support_uniform(uint64_t *lcg)
{
    *lcg = *lcg * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return ((double)(*lcg >> 11) + 0.5) * 0x1p-53;
}
