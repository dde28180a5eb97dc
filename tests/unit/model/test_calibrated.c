/* Calibrated files in the loaded model: what their numbers replace, what they leave, and what wins over them. What
 * wrong files are told: tests/cli/test_malformed.py. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "polku/load.h"

#define FITTED POLKU_SOURCE_DIR "/tests/data/good/fitted.yaml"
#define RATES POLKU_SOURCE_DIR "/tests/data/good/fitted_rates.yaml"

static struct pk_scenario scenario;
static struct pk_model model;

static enum pk_status load(void)
{
    struct pk_problems problems;
    pk_problems_init(&problems);
    enum pk_status status = pk_load_scenario(FITTED, NULL, &scenario, &model, &problems);
    pk_problems_free(&problems);
    return status;
}

static void unload(void)
{
    pk_scenario_free(&scenario);
    pk_model_free(&model);
}

static void load_well(void)
{
    cr_assert_eq(load(), PK_OK);
}

static const struct pk_parameter *parameter(const char *name)
{
    size_t i = pk_model_parameter(&model, name);
    cr_assert_neq(i, SIZE_MAX);
    return &model.parameters[i];
}

TestSuite(calibrated, .init = load_well, .fini = unload);

Test(calibrated, value_range_source_and_caveat_take_the_place_of_the_models)
{
    const struct pk_parameter *find = parameter("find_rate");
    cr_expect(find->values[0] == 0.2125 && find->has_range && find->low == 0.125 && find->high == 0.3125);
    cr_expect_eq(find->source.kind, PK_SOURCE_CALIBRATED);
    cr_expect_str_eq(find->source.text, "study made_up_fit: T0.1, T0.2");
    cr_expect_str_eq(find->source.caveat, "the targets are rounded");
    cr_expect(find->n_alternatives == 1 && find->alternatives[0].value == 0.4, "alternatives stay");
    cr_expect_str_eq(find->description, "from idleness to work");
    const struct pk_parameter *coach = parameter("coach_rate");
    cr_expect(coach->given == PK_GIVEN_PROBABILITY && coach->values[0] == 0.4375, "a value is as given");
    cr_expect_null(coach->source.caveat);
    cr_expect_eq(parameter("keep_ratio")->source.kind, PK_SOURCE_ASSUMPTION, "what no file names stays");
}

Test(calibrated, without_a_range_the_models_is_kept_only_where_it_holds_the_value)
{
    cr_expect_not(parameter("window")->has_range, "3.5 is not in [1, 3]");
    const struct pk_parameter *interest = parameter("interest");
    cr_expect(interest->has_range && interest->low == 0 && interest->high == 0.05 && interest->values[0] == 0.04,
              "a scenario's own parameter may be calibrated too");
}

Test(calibrated, the_scenario_keeps_what_the_files_say)
{
    cr_assert_eq(scenario.n_calibrations, 2);
    const struct pk_calibration *c = &scenario.calibrations[0];
    cr_expect_str_eq(c->study, "made_up_fit");
    cr_expect_str_eq(c->digest, "4f0c7a2b9d1e3c55");
    cr_expect_str_eq(c->file, "fitted_rates.yaml");
    cr_assert(c->n_marks == 2 && c->n_parameters == 5);
    cr_expect_str_eq(c->marks[1], "north_ratio: the targets say nothing of it");
    cr_expect(strcmp(c->parameters[1].name, "north_ratio") == 0 && c->parameters[1].value == 1.75);
    cr_expect_eq(scenario.calibrations[1].n_marks, 0);
    cr_expect_str_eq(scenario.calibrations[1].title, "other_fit");
    cr_expect_eq(scenario.attachments.n, 2, "the texts are kept");
}

Test(calibrated, a_value_set_is_of_no_study)
{
    struct pk_values values;
    struct pk_error error;
    const size_t find = pk_model_parameter(&model, "find_rate"), lose = pk_model_parameter(&model, "keep_ratio");
    cr_assert_eq(pk_values_init(&values, &model, &error), PK_OK);
    cr_expect_eq(values.source[find]->kind, PK_SOURCE_CALIBRATED);
    cr_assert_eq(pk_values_set(&values, &model, "find_rate", "0.2", &error), PK_OK);
    cr_expect(values.given[find] == 0.2 && values.source[find]->kind == PK_SOURCE_ASSUMPTION);
    cr_assert_eq(pk_values_set(&values, &model, "find_rate", "high", &error), PK_OK);
    cr_expect(values.given[find] == 0.4 && values.source[find]->kind == PK_SOURCE_PUBLIC, "an alternative has its own");
    cr_assert_eq(pk_values_set(&values, &model, "keep_ratio", "0.25", &error), PK_OK);
    cr_expect_eq(values.source[lose], &model.parameters[lose].source, "others keep the model's");
    pk_values_free(&values);
}

Test(calibrated, texts_give_what_files_give_and_nothing_is_opened)
{
    struct pk_scenario again;
    struct pk_model model_again;
    struct pk_problems problems;
    pk_problems_init(&problems);
    cr_assert_eq(pk_load_texts("a", scenario.text, scenario.text_size, "b", model.text, model.text_size,
                               &model.attachments, &scenario.attachments, &again, &model_again, &problems),
                 PK_OK);
    cr_expect(again.n_calibrations == 2 && strcmp(again.calibrations[0].file, "fitted_rates.yaml") == 0);
    for (size_t i = 0; i < model.n_parameters; i++) {
        const struct pk_parameter *p = &model.parameters[i], *q = &model_again.parameters[i];
        cr_expect(p->values[0] == q->values[0] && p->source.kind == q->source.kind && p->has_range == q->has_range);
    }
    pk_scenario_free(&again);
    pk_model_free(&model_again);
    struct pk_attachments one = scenario.attachments;
    one.n = 1;
    cr_expect_eq(pk_load_texts("a", scenario.text, scenario.text_size, "b", model.text, model.text_size,
                               &model.attachments, &one, &again, &model_again, &problems),
                 PK_BAD_INPUT);
    cr_assert_eq(problems.n_kept, 1);
    cr_expect(strstr(problems.items[0].message, "not kept here") != NULL && problems.items[0].line == 5);
    pk_problems_free(&problems);
}

/* A scenario's and a calibrated file's texts, loaded with the good model. */
static enum pk_status load_made(const char *key, const char *file, struct pk_scenario *s, struct pk_model *m)
{
    char text[1024];
    struct pk_problems problems;
    const struct pk_attachments files = {.n = 1, .items = {{"made.yaml", file, strlen(file)}}};
    snprintf(text, sizeof text,
             "polku: 1\nscenario: made\nmodel: model.yaml\n%s\nseed: 1\nstart: 2021-01-01\nhorizon: {years: 1}\n"
             "population:\n  size: 10\n  state: {idle: 1}\n  age: {uniform: [20, 60]}\n  attributes:\n"
             "    sex: {woman: 1}\n    region: {north: 1}\narms: {none: {}}\n",
             key);
    pk_problems_init(&problems);
    enum pk_status status = pk_load_texts("s", text, strlen(text), "m", model.text, model.text_size, &model.attachments,
                                          &files, s, m, &problems);
    pk_problems_free(&problems);
    return status;
}

Test(calibrated, one_file_needs_no_list_and_marks_are_of_one_line)
{
    struct pk_scenario s;
    struct pk_model m;
    cr_assert_eq(
        load_made("calibrated: made.yaml",
                  "polku: 1\ncalibrated: made\ndigest: 00000000000000ff\nmarks:\n  - |\n    of two\n    lines\n"
                  "parameters: {north_ratio: {value: 1.125, source: {calibrated: made}}}\n",
                  &s, &m),
        PK_OK);
    cr_assert(s.n_calibrations == 1 && s.calibrations[0].n_marks == 1);
    cr_expect_str_eq(s.calibrations[0].marks[0], "of two lines");
    const struct pk_parameter *north = &m.parameters[pk_model_parameter(&m, "north_ratio")];
    cr_expect(north->values[0] == 1.125 && north->has_range && north->low == 1 && north->high == 2);
    pk_scenario_free(&s);
    pk_model_free(&m);
}

Test(calibrated, the_kind_of_a_file_is_told)
{
    enum pk_file_kind kind;
    struct pk_error error;
    cr_expect(pk_load_kind(RATES, &kind, &error) == PK_OK && kind == PK_FILE_CALIBRATED);
    cr_expect(pk_load_kind(FITTED, &kind, &error) == PK_OK && kind == PK_FILE_SCENARIO, "which names calibrated files");
    cr_expect(pk_load_kind(model.file, &kind, &error) == PK_OK && kind == PK_FILE_MODEL);
}

Test(calibrated, alone_a_file_is_read_without_a_model)
{
    struct pk_arena arena;
    struct pk_calibration c;
    struct pk_problems problems;
    pk_arena_init(&arena);
    pk_problems_init(&problems);
    cr_assert_eq(pk_load_calibrated(RATES, &arena, &c, &problems), PK_OK);
    cr_expect(c.n_parameters == 5 && c.n_marks == 2 && c.parameters[0].has_range && !c.parameters[2].has_range);
    cr_expect_str_eq(c.title, "A study for the tests");
    cr_expect_eq(pk_load_calibrated(FITTED, &arena, &c, &problems), PK_BAD_INPUT);
    cr_expect_eq(pk_load_calibrated("/nowhere/at-all", &arena, &c, &problems), PK_IO);
    pk_problems_free(&problems);
    pk_arena_free(&arena);
}

static enum pk_status load_alone(void)
{
    struct pk_arena arena;
    struct pk_calibration c;
    struct pk_problems problems;
    pk_arena_init(&arena);
    pk_problems_init(&problems);
    enum pk_status status = pk_load_calibrated(RATES, &arena, &c, &problems);
    pk_problems_free(&problems);
    pk_arena_free(&arena);
    return status;
}

Test(calibrated_out_of_memory, every_allocation)
{
    enum pk_status (*const loads[])(void) = {load, load_alone};
    for (int i = 0; i < 2; i++) {
        pk_memory_fail_after(-1);
        cr_assert_eq(loads[i](), PK_OK);
        long n_asked = pk_memory_fail_after(-1);
        unload();
        for (long n = 0; n < n_asked; n++) {
            pk_memory_fail_after(n);
            enum pk_status status = loads[i]();
            pk_memory_fail_after(-1);
            cr_assert_eq(status, PK_NO_MEMORY, "%ld of %ld allocations: status %d", n, n_asked, (int)status);
            unload();
        }
    }
}
