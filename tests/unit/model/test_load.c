/* Loading and everything after it with the memory running out at every single allocation, and saving with the disk
 * failing at every single call: always a status, never a crash, nothing left behind. Leaks are AddressSanitizer's to
 * find. What wrong files are told: tests/cli/test_malformed.py. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "polku/compare.h"
#include "polku/export.h"
#include "polku/file.h"
#include "polku/load.h"
#include "polku/variants.h"

#define SCENARIO POLKU_SOURCE_DIR "/tests/data/good/scenario.yaml"

/* All that one run of the good scenario needs, made up to some stage. */
struct stage {
    struct pk_scenario scenario;
    struct pk_model model;
    struct pk_values values;
    struct pk_plan plan;
    struct pk_collection collection;
    struct pk_run run;
    struct pk_variants variants;
    struct pk_error error;
    char path[256], directory[256];
};

static enum pk_status load(struct stage *s)
{
    struct pk_problems problems;
    pk_problems_init(&problems);
    enum pk_status status = pk_load_scenario(SCENARIO, NULL, &s->scenario, &s->model, &problems);
    cr_assert(status == PK_OK || pk_problems_errors(&problems) > 0 || status == PK_NO_MEMORY);
    pk_problems_free(&problems);
    return status;
}

static void unload(struct stage *s)
{
    pk_scenario_free(&s->scenario);
    pk_model_free(&s->model);
}

static enum pk_status convert(struct stage *s)
{
    return pk_variants_values(&s->values, &s->model, &s->scenario, NULL, 0, NULL, 0, &s->error);
}

static void unconvert(struct stage *s)
{
    pk_values_free(&s->values);
}

static enum pk_status compile(struct stage *s)
{
    pk_plan_init(&s->plan);
    return pk_plan_compile(&s->plan, &s->model, &s->scenario, &s->values, &s->error);
}

static void uncompile(struct stage *s)
{
    pk_plan_free(&s->plan);
}

static enum pk_status collect(struct stage *s)
{
    memset(&s->collection, 0, sizeof s->collection);
    return pk_collection_init(&s->collection, &s->plan, &s->model, &s->scenario, &s->values, &s->error);
}

static void uncollect(struct stage *s)
{
    pk_collection_free(&s->collection);
}

static const struct pk_run_options options = {.n_threads = 1, .block_size = 7, .n_replications = 1};

static enum pk_status run(struct stage *s)
{
    memset(&s->run, 0, sizeof s->run);
    return pk_run_simulate(&s->run, &s->plan, &s->model, &s->scenario, &s->values, &options, &s->error);
}

static void unrun(struct stage *s)
{
    pk_run_free(&s->run);
}

static enum pk_status vary(struct stage *s)
{
    memset(&s->variants, 0, sizeof s->variants);
    return pk_variants_run(&s->variants, &s->model, &s->scenario, NULL, 0, NULL, &options, &s->error);
}

static void unvary(struct stage *s)
{
    pk_variants_free(&s->variants);
}

static enum pk_status save(struct stage *s)
{
    char digest[65];
    struct pk_store store = {.run = &s->run,
                             .model = &s->model,
                             .scenario = &s->scenario,
                             .values = &s->values,
                             .plan = &s->plan,
                             .n_variants = s->variants.n,
                             .variants = s->variants.items,
                             .command = "polku run",
                             .warnings = ""};
    return pk_store_save(&store, s->path, digest, &s->error);
}

static void unsave(struct stage *s)
{
    unlink(s->path);
}

static enum pk_status compare(struct stage *s)
{
    struct pk_comparison comparison;
    enum pk_status status = pk_comparison_open(&comparison, s->path, NULL, 2, &s->error);
    if (status == PK_OK)
        pk_comparison_free(&comparison);
    return status;
}

static enum pk_status export(struct stage *s) { return pk_export_csv(s->path, s->directory, NULL, &s->error); }

static void nothing(struct stage *s)
{
    (void)s;
}

/* The stages in their order; each is undone by its partner. */
static enum pk_status (*const stages[])(struct stage *) = {load, convert, compile, collect, run,
                                                           vary, save,    compare, export};
static void (*const undo[])(struct stage *) = {unload, unconvert, uncompile, uncollect, unrun,
                                               unvary, unsave,    nothing,   nothing};
enum { LOAD, CONVERT, COMPILE, COLLECT, RUN, VARY, SAVE, COMPARE, EXPORT };

static void make_small(struct pk_scenario *scenario)
{
    scenario->ranges = false; /* two variants are enough */
    scenario->population.size = (struct pk_number){.literal = 23, .i_parameter = SIZE_MAX};
    for (size_t a = 0; a < scenario->n_arms; a++)
        for (size_t i = 0; i < scenario->arms[a].n_enrolments; i++)
            scenario->arms[a].enrolments[i].persons = (struct pk_number){.literal = 5, .i_parameter = SIZE_MAX};
}

/* Does all stages before this one. */
static void prepare(struct stage *s, int i_stage)
{
    memset(s, 0, sizeof *s);
    const char *temporary = getenv("TMPDIR");
    temporary = temporary != NULL && strlen(temporary) < 200 ? temporary : "/tmp";
    snprintf(s->path, sizeof s->path, "%s/test_load.%ld.h5", temporary, (long)getpid());
    snprintf(s->directory, sizeof s->directory, "%s/test_load.%ld", temporary, (long)getpid());
    for (int i = 0; i < i_stage; i++) {
        cr_assert_eq(stages[i](s), PK_OK, "stage %d: %s", i, s->error.message);
        if (i == LOAD)
            make_small(&s->scenario);
    }
}

static void give_back(struct stage *s, int i_stage)
{
    while (i_stage-- > 0)
        undo[i_stage](s);
}

static bool is_there(const char *path)
{
    return access(path, F_OK) == 0;
}

/* Conversions solve the same small problem hundreds of times, each with its allocations: all of the first and the last
 * are tried, and some of those between. Of everything else all are. */
static long next(int i_stage, long n, long n_asked)
{
    enum { ALL_OF = 40 };
    if ((i_stage != CONVERT && i_stage != VARY) || n < ALL_OF || n >= n_asked - ALL_OF)
        return n + 1;
    long far = n + n / 4;
    return far < n_asked - ALL_OF ? far : n_asked - ALL_OF;
}

/* A stage with the n-th allocation and all later ones failing, for each n that the stage asks for. */
static void starve(int i_stage)
{
    struct stage s;
    char partial[320];
    prepare(&s, i_stage);
    pk_file_temporary_name(s.path, partial, sizeof partial);
    pk_memory_fail_after(-1);
    cr_assert_eq(stages[i_stage](&s), PK_OK, "%s", s.error.message);
    undo[i_stage](&s);
    long n_asked = pk_memory_fail_after(-1);
    cr_assert_gt(n_asked, 0);
    for (long n = 0; n < n_asked; n = next(i_stage, n, n_asked)) {
        pk_memory_fail_after(n);
        s.error = (struct pk_error){0};
        enum pk_status status = stages[i_stage](&s);
        pk_memory_fail_after(-1);
        cr_assert_eq(status, PK_NO_MEMORY, "stage %d with %ld of %ld allocations: status %d, %s", i_stage, n, n_asked,
                     (int)status, s.error.message);
        if (i_stage > LOAD)
            cr_assert_neq(s.error.message[0], '\0', "stage %d with %ld allocations says why", i_stage, n);
        cr_assert(!is_there(partial), "nothing half written is left");
        cr_assert(i_stage != SAVE || !is_there(s.path), "there is no result");
        undo[i_stage](&s); /* free is legal after a failed init */
    }
    cr_assert_eq(stages[i_stage](&s), PK_OK, "and with memory again it works: %s", s.error.message);
    undo[i_stage](&s);
    give_back(&s, i_stage);
    if (i_stage == EXPORT) {
        char command[320];
        snprintf(command, sizeof command, "rm -r %s", s.directory);
        cr_assert_eq(system(command), 0);
    }
}

Test(out_of_memory, loading_a_scenario)
{
    starve(LOAD);
}
Test(out_of_memory, converting_values)
{
    starve(CONVERT);
}
Test(out_of_memory, compiling_a_plan)
{
    starve(COMPILE);
}
Test(out_of_memory, making_a_collection)
{
    starve(COLLECT);
}
Test(out_of_memory, running)
{
    starve(RUN);
}
Test(out_of_memory, running_variants)
{
    starve(VARY);
}
Test(out_of_memory, saving_a_result)
{
    starve(SAVE);
}
Test(out_of_memory, comparing)
{
    starve(COMPARE);
}
Test(out_of_memory, exporting)
{
    starve(EXPORT);
}

Test(full_disk, saving_leaves_no_file_or_the_old_one)
{
    struct stage s;
    char partial[320];
    prepare(&s, SAVE);
    pk_file_temporary_name(s.path, partial, sizeof partial);
    pk_file_fail_after(-1);
    cr_assert_eq(save(&s), PK_OK);
    long n_calls = pk_file_fail_after(-1);
    cr_assert_geq(n_calls, 3, "a write, a sync and a rename, found %ld", n_calls);
    for (int old = 0; old <= 1; old++) {
        struct stat before = {0}, after = {0};
        if (old == 0)
            cr_assert_eq(unlink(s.path), 0);
        else
            cr_assert(save(&s) == PK_OK && stat(s.path, &before) == 0);
        for (long n = 0; n < n_calls; n++) {
            pk_file_fail_after(n);
            enum pk_status status = save(&s);
            pk_file_fail_after(-1);
            cr_assert_eq(status, PK_IO, "with %ld of %ld calls: status %d", n, n_calls, (int)status);
            cr_assert(strstr(s.error.message, "No space left") != NULL && strcmp(s.error.file, s.path) == 0,
                      "it says what happened to which file: %s: %s", s.error.file, s.error.message);
            cr_assert(!is_there(partial), "nothing half written is left");
            cr_assert_eq(is_there(s.path), old == 1, "no result, or the one that was there");
        }
        if (old == 1)
            cr_assert(stat(s.path, &after) == 0 && after.st_ino == before.st_ino && after.st_size == before.st_size &&
                      after.st_mtim.tv_nsec == before.st_mtim.tv_nsec);
    }
    give_back(&s, EXPORT);
}

Test(load, texts_give_what_files_give)
{
    struct stage s;
    struct pk_scenario scenario;
    struct pk_model model;
    struct pk_problems problems;
    prepare(&s, COMPILE);
    pk_problems_init(&problems);
    cr_assert_eq(pk_load_texts(s.scenario.file, s.scenario.text, s.scenario.text_size, s.model.file, s.model.text,
                               s.model.text_size, &s.model.attachments, &s.scenario.attachments, &scenario, &model,
                               &problems),
                 PK_OK);
    cr_expect_eq(problems.n_found, 0);
    struct pk_values values;
    struct pk_plan plan;
    struct pk_error error;
    make_small(&scenario);
    pk_plan_init(&plan);
    cr_assert_eq(compile(&s), PK_OK);
    cr_assert_eq(pk_variants_values(&values, &model, &scenario, NULL, 0, NULL, 0, &error), PK_OK);
    cr_assert_eq(pk_plan_compile(&plan, &model, &scenario, &values, &error), PK_OK);
    cr_expect_eq(pk_plan_digest(&plan), pk_plan_digest(&s.plan));
    pk_plan_free(&plan);
    pk_values_free(&values);
    pk_scenario_free(&scenario);
    pk_model_free(&model);
    pk_problems_free(&problems);
    give_back(&s, COLLECT);
}

Test(load, the_good_scenario_is_read_as_it_stands)
{
    struct stage s;
    prepare(&s, CONVERT);
    const struct pk_model *m = &s.model;
    cr_expect_eq(m->n_states, 5);
    cr_expect_eq(m->n_transitions, 6);
    cr_expect_eq(m->n_parameters, 20, "the scenario's own two are appended");
    cr_expect_str_eq(m->states[1].label.in[0], "työssä");
    cr_expect_str_eq(m->states[1].label.in[1], "at work", "a missing language falls back to English");
    cr_expect_str_eq(m->states[2].label.in[0], "ill", "and that to the name");
    cr_expect(m->states[3].absorbing && !m->states[2].absorbing);
    const struct pk_parameter *find = &m->parameters[pk_model_parameter(m, "find_rate")];
    cr_expect(find->has_range && find->low == 0.1 && find->high == 0.5 && find->values[0] == 0.25);
    cr_expect(find->source.kind == PK_SOURCE_DOCUMENT && find->n_alternatives == 1);
    cr_expect_str_eq(find->source.caveat, "the source warns of itself");
    const struct pk_parameter *lose = &m->parameters[pk_model_parameter(m, "lose_by_time")];
    cr_expect(lose->n_values == 3 && lose->cuts[1] == 3 && lose->values[2] == 0.1 && lose->clock == PK_CLOCK_STATE);
    const struct pk_parameter *coach = &m->parameters[pk_model_parameter(m, "coach_rate")];
    cr_expect(coach->given == PK_GIVEN_PROBABILITY && coach->of_ever && coach->exits && coach->values[0] == 0.5);
    const struct pk_transition *death = &m->transitions[pk_model_transition(m, "death")];
    cr_expect(death->from_any && death->hazard.parametric && death->n_excess == 1 && !death->from[3] && death->from[2]);
    cr_expect(pk_model_is_person_level(m, death));
    const struct pk_transition *recover = &m->transitions[pk_model_transition(m, "recover")];
    cr_expect(recover->n_to == 2 && recover->i_to[0] == 1 && recover->i_to[1] == 0);
    const struct pk_scenario *c = &s.scenario;
    cr_expect(c->horizon_months == 48 && c->replications == 2 && c->batches == 8 && c->seed == 2385);
    cr_expect_eq(c->start_day, 18628, "2021-01-01 is day 18628");
    cr_expect(c->n_arms == 3 && c->arms[0].n_enrolments == 0 && c->arms[2].n_enrolments == 2);
    cr_expect_eq(c->arms[2].enrolments[1].at_months, 6);
    cr_expect(c->arms[1].enrolments[0].target.age_low == 25 && isinf(c->arms[2].enrolments[0].target.age_high));
    cr_expect(c->n_tables == 3 && c->n_outcomes == 5 && c->n_variants == 2 && c->n_sets == 1);
    cr_expect(c->outcomes[0].to_months == 18 && c->outcomes[2].to_horizon && c->outcomes[3].i_reward == 0);
    unload(&s);
}
