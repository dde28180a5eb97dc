/* Bridges: which runs they need, and every allocation on their way failing, one by one. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "polku/bridge.h"
#include "polku/compare.h"
#include "polku/load.h"
#include "polku/memory.h"

#define GOOD POLKU_SOURCE_DIR "/tests/data/good/"

/* All that the bridge of a good scenario needs, made up to some stage. */
struct stage {
    struct pk_scenario scenario;
    struct pk_model model;
    struct pk_bridge_work work;
    struct pk_values values;
    struct pk_plan plan;
    struct pk_run run;
    struct pk_variants variants;
    struct pk_comparison comparison;
    struct pk_error error;
    char path[64];
};

static const struct pk_run_options options = {.n_threads = 1, .n_replications = 3};

static enum pk_status load(struct stage *s)
{
    struct pk_problems problems;
    pk_problems_init(&problems);
    const enum pk_status status = pk_load_scenario(GOOD "bridged.yaml", NULL, &s->scenario, &s->model, &problems);
    pk_problems_free(&problems);
    return status;
}

static enum pk_status init(struct stage *s)
{
    return pk_bridge_init(&s->work, &s->model, &s->scenario, NULL, 0, 3, &s->error);
}

static enum pk_status simulate(struct stage *s)
{
    enum pk_status status = pk_variants_values(&s->values, &s->model, &s->scenario, NULL, 0, NULL, 0, &s->error);
    pk_plan_init(&s->plan);
    if (status == PK_OK)
        status = pk_plan_compile(&s->plan, &s->model, &s->scenario, &s->values, &s->error);
    if (status == PK_OK)
        status = pk_run_simulate(&s->run, &s->plan, &s->model, &s->scenario, &s->values, &options, &s->error);
    if (status == PK_OK)
        status = pk_variants_run(&s->variants, &s->model, &s->scenario, NULL, 0, &s->work, &options, &s->error);
    return status;
}

static enum pk_status tell(struct stage *s)
{
    return pk_bridge_tell(&s->work, &s->scenario, &s->values, &s->run, &s->variants, &s->error);
}

static enum pk_status save(struct stage *s)
{
    char digest[65];
    const struct pk_store store = {.run = &s->run,
                                   .model = &s->model,
                                   .scenario = &s->scenario,
                                   .values = &s->values,
                                   .plan = &s->plan,
                                   .n_variants = s->variants.n,
                                   .variants = s->variants.items,
                                   .bridge = &s->work.figures,
                                   .command = "polku run",
                                   .warnings = ""};
    return pk_store_save(&store, s->path, digest, &s->error);
}

static enum pk_status compare(struct stage *s)
{
    return pk_comparison_open(&s->comparison, s->path, NULL, 2, &s->error);
}

static enum pk_status (*const stages[])(struct stage *) = {load, init, simulate, tell, save, compare};
enum { LOAD, INIT, SIMULATE, TELL, SAVE, COMPARE, N_STAGES };

static void undo(struct stage *s, int i_stage)
{
    if (i_stage == LOAD) {
        pk_scenario_free(&s->scenario);
        pk_model_free(&s->model);
    } else if (i_stage == INIT) {
        pk_bridge_free(&s->work);
    } else if (i_stage == SIMULATE) {
        pk_variants_free(&s->variants);
        pk_run_free(&s->run);
        pk_plan_free(&s->plan);
        pk_values_free(&s->values);
    } else if (i_stage == SAVE) {
        unlink(s->path);
    } else if (i_stage == COMPARE) {
        pk_comparison_free(&s->comparison);
    }
}

static void prepare(struct stage *s, int n_stages)
{
    memset(s, 0, sizeof *s);
    snprintf(s->path, sizeof s->path, "/tmp/test_bridge.%ld.h5", (long)getpid());
    for (int i = 0; i < n_stages; i++)
        cr_assert_eq(stages[i](s), PK_OK, "stage %d: %s", i, s->error.message);
}

static void give_back(struct stage *s, int n_stages)
{
    while (n_stages-- > 0)
        undo(s, n_stages);
}

/* With the n-th allocation of a stage and all later ones failing, for each n. */
static void starve(int i_stage)
{
    struct stage s;
    prepare(&s, i_stage);
    pk_memory_fail_after(-1);
    cr_assert_eq(stages[i_stage](&s), PK_OK, "%s", s.error.message);
    undo(&s, i_stage);
    const long n_asked = pk_memory_fail_after(-1);
    cr_assert_gt(n_asked, 0);
    for (long n = 0; n < n_asked; n++) {
        if (i_stage == TELL) { /* its memory is that of the stage before */
            pk_bridge_free(&s.work);
            cr_assert_eq(init(&s), PK_OK);
        }
        pk_memory_fail_after(n);
        const enum pk_status status = stages[i_stage](&s);
        pk_memory_fail_after(-1);
        /* what is told fits into the arena's last block, or needs another */
        cr_assert(status == PK_NO_MEMORY || (i_stage == TELL && status == PK_OK), "stage %d with %ld of %ld: %d",
                  i_stage, n, n_asked, (int)status);
        undo(&s, i_stage);
    }
    if (i_stage == TELL) {
        pk_bridge_free(&s.work);
        cr_assert_eq(init(&s), PK_OK);
    }
    cr_assert_eq(stages[i_stage](&s), PK_OK, "and with memory again it works: %s", s.error.message);
    undo(&s, i_stage);
    give_back(&s, i_stage);
}

Test(out_of_memory, loading_a_bridge)
{
    starve(LOAD);
}
Test(out_of_memory, planning_a_bridge)
{
    starve(INIT);
}
Test(out_of_memory, telling_a_bridge)
{
    starve(TELL);
}
Test(out_of_memory, saving_a_bridge)
{
    starve(SAVE);
}
Test(out_of_memory, comparing_a_bridge)
{
    starve(COMPARE);
}

Test(bridge, each_different_set_of_values_is_run_once)
{
    struct stage s;
    prepare(&s, INIT + 1);
    /* the start, finding, finding and illness; illness, help; all but finding, all but illness; all is the main run */
    cr_assert_eq(s.work.n_runs, 7 + 1, "%zu runs; of 2 replications the main run has other batches", s.work.n_runs);
    cr_assert_eq(s.work.of_first[1], s.work.of_value[1]);
    cr_assert_eq(s.work.of_last[3], s.work.of_value[2]);
    for (size_t i = 0; i < s.work.n_runs; i++)
        for (size_t k = 0; k < i; k++)
            cr_assert_str_neq(s.work.runs[i].name, s.work.runs[k].name);
    pk_bridge_free(&s.work);
    s.scenario.variant_replications = 3;
    cr_assert_eq(init(&s), PK_OK);
    cr_assert_eq(s.work.n_runs, 7);
    cr_assert_eq(s.work.of_value[3], SIZE_MAX, "with all steps on it is the main run");
    give_back(&s, INIT + 1);
}

Test(bridge, a_run_that_ends_elsewhere_is_refused)
{
    struct stage s;
    const struct pk_set set = {.parameter = "window", .to = "3"};
    prepare(&s, LOAD + 1);
    cr_assert_eq(pk_bridge_init(&s.work, &s.model, &s.scenario, &set, 1, 3, &s.error), PK_BAD_INPUT);
    cr_assert_str_eq(s.error.message, "the bridge ends at window = 2, and the run is to have 3");
    pk_bridge_free(&s.work);
    give_back(&s, LOAD + 1);
}

Test(bridge, a_mean_is_a_ratio_of_sums_in_every_figure)
{
    struct stage s;
    prepare(&s, N_STAGES);
    const struct pk_bridge_figures *told = &s.work.figures;
    cr_assert_eq(told->n_stages, 4);
    double y = 0, x = 0;
    const struct pk_variant_result *start = &s.variants.items[s.variants.n - s.work.n_runs];
    for (size_t u = 0; u < start->n_units; u++) { /* the arm coach, the outcome mean_job */
        y += start->outcomes[(u * 2 + 1) * 2 + 1];
        x += start->denominators[(u * 2 + 1) * 2 + 1];
    }
    cr_assert_float_eq(told->value[0].mean, y / x, 1e-12);
    cr_assert_float_eq(told->added[1].mean + told->added[2].mean + told->added[3].mean,
                       told->value[3].mean - told->value[0].mean, 1e-12);
    for (size_t i = 1; i < 4; i++) {
        cr_assert_gt(told->added[i].standard_error, 0);
        cr_assert_eq(s.comparison.bridge.values[2][i], told->first[i].mean, "kept to the bit");
        cr_assert_eq(s.comparison.bridge.errors[3][i], told->last[i].standard_error);
    }
    give_back(&s, N_STAGES);
}
