/* Reading a study file. See study.h. */
#include "polku/study.h"

#include <stdio.h>
#include <string.h>

#include "load_study_private.h"
#include "load_sweep_private.h"
#include "polku/file.h"
#include "polku/text.h"

const char *const pk_objective_names[PK_OBJECTIVE_COUNT] = {"auto", "twin", "simulation"};

static void read_settings(struct pk_load_of_study *s, const struct pk_reader *r)
{
    struct pk_study *study = s->study;
    struct pk_reader child;
    size_t i = 0;
    study->draws = 1000;
    study->n_ages = 8;
    study->n_elapsed = 4;
    study->n_frailty = 12;
    if (pk_reader_find(r, "objective", &child) &&
        pk_reader_choice(&child, pk_objective_names, PK_OBJECTIVE_COUNT, &i, "an objective")) {
        study->objective = (enum pk_objective)i;
        study->objective_line = child.node->line;
        study->objective_column = child.node->column;
    }
    if (pk_reader_find(r, "replications", &child))
        (void)pk_reader_int_in(&child, 1, (1 << PK_LOAD_REPLICATION_BITS) - 1, &study->replications);
    if (pk_reader_find(r, "starts", &child))
        (void)pk_reader_int_in(&child, 1, 10000, &study->starts);
    if (pk_reader_find(r, "draws", &child))
        (void)pk_reader_int_in(&child, 10, 1000000, &study->draws);
    if (pk_reader_find(r, "step", &child) && pk_reader_duration_months(&child, &study->step_months) &&
        !(study->step_months >= 1.0 / 64 && study->step_months <= 12))
        pk_reader_problem(&child, NULL, "is %g months, expected 1/64 to 12", study->step_months);
    if (pk_reader_find(r, "ages", &child))
        (void)pk_reader_int_in(&child, 1, 1000, &study->n_ages);
    if (pk_reader_find(r, "elapsed", &child))
        (void)pk_reader_int_in(&child, 1, 1000, &study->n_elapsed);
    if (pk_reader_find(r, "frailty", &child))
        (void)pk_reader_int_in(&child, 1, 100, &study->n_frailty);
    if (study->n_ages * study->n_elapsed * study->n_frailty > 100000)
        pk_reader_problem(r, NULL, "ages x elapsed x frailty is %lld points, expected at most 100000",
                          (long long)(study->n_ages * study->n_elapsed * study->n_frailty));
}

static enum pk_status read_study(struct pk_load_of_study *s, const struct pk_reader *root)
{
    static const char *const of_calibrate[] = {"free",  "tied", "targets", "objective", "replications", "starts",
                                               "draws", "step", "ages",    "elapsed",   "frailty",      NULL};
    struct pk_study *study = s->study;
    struct pk_reader child, part, r_free;
    const char *text;
    int64_t seed;
    (void)pk_load_format(root);
    pk_load_check_ids(&s->load, root, false);
    if (pk_reader_need(root, "study", &child) && pk_reader_name(&child, &text))
        s->load.no_memory |= (study->name = pk_arena_text(&study->arena, text)) == NULL;
    study->title = study->name;
    if (pk_reader_find(root, "title", &child) && pk_reader_text(&child, &text))
        s->load.no_memory |= (study->title = pk_arena_text(&study->arena, text)) == NULL;
    study->seed = s->load.scenario->seed;
    if (pk_reader_find(root, "seed", &child) && pk_reader_int_in(&child, 0, INT64_MAX, &seed))
        study->seed = (uint64_t)seed;
    if (s->sweep != NULL) {
        pk_load_sweep(s->sweep, root);
        return s->load.no_memory || s->sweep->load.no_memory ? PK_NO_MEMORY : PK_OK;
    }
    study->free = pk_load_alloc(&s->load, PK_MAX_FREE, sizeof *study->free);
    study->tied = pk_load_alloc(&s->load, PK_MAX_TIED, sizeof *study->tied);
    study->targets = pk_load_alloc(&s->load, PK_MAX_TARGETS, sizeof *study->targets);
    if (s->load.no_memory || !pk_reader_need(root, "calibrate", &child) || !pk_reader_allow(&child, of_calibrate))
        return s->load.no_memory ? PK_NO_MEMORY : PK_OK;
    const bool has_free = pk_reader_need(&child, "free", &r_free);
    if (has_free)
        pk_load_free_parameters(s, &r_free);
    if (pk_reader_find(&child, "tied", &part))
        pk_load_tied_parameters(s, &part, has_free ? &r_free : NULL);
    if (has_free && pk_problems_errors(root->problems) == 0)
        pk_load_check_shares(s, &r_free);
    if (pk_reader_need(&child, "targets", &part))
        pk_load_targets(s, &part);
    read_settings(s, &child);
    return s->load.no_memory ? PK_NO_MEMORY : PK_OK;
}

/* Parses the study, which then knows the scenario it names. */
static enum pk_status parse(const char *name, const char *text, size_t size, struct pk_study *study,
                            const struct pk_yaml_node **root, struct pk_problems *problems)
{
    static const char *const keys[] = {"polku",     "study", "title",    "scenario", "seed",
                                       "calibrate", "sweep", "decision", NULL};
    char *copy = pk_arena_alloc(&study->arena, size + 1, 1);
    study->file = pk_arena_text(&study->arena, name);
    if (copy == NULL || study->file == NULL)
        return PK_NO_MEMORY;
    memcpy(copy, text, size);
    study->text = copy;
    study->text_size = size;
    const enum pk_status status = pk_yaml_parse(text, size, study->file, &study->arena, root, problems);
    if (status != PK_OK)
        return status;
    const struct pk_reader r = pk_reader_root(*root, study->file, problems);
    struct pk_reader child;
    const char *scenario;
    if (!pk_reader_expect(&r, PK_YAML_MAPPING, "a study"))
        return PK_BAD_INPUT;
    const enum pk_file_kind kind = pk_load_kind_of(&r);
    if (kind != PK_FILE_STUDY) {
        pk_reader_problem(&r, kind == PK_FILE_SCENARIO ? "name it in a study: scenario: FILE" : NULL,
                          "is a %s, expected a study", pk_file_kind_names[kind]);
        return PK_BAD_INPUT;
    }
    const bool sweeps = pk_reader_find(&r, "sweep", &child);
    if (sweeps && pk_reader_find(&r, "calibrate", &child)) {
        pk_reader_problem(&child, "make two studies of it", "stands beside sweep, expected one of the two");
        return PK_BAD_INPUT;
    }
    if (!sweeps && pk_reader_find(&r, "decision", &child))
        pk_reader_problem(&child, NULL, "is what a sweep serves, and there is no sweep");
    if (sweeps) {
        study->sweep = pk_arena_alloc(&study->arena, 1, sizeof *study->sweep);
        if (study->sweep == NULL)
            return PK_NO_MEMORY;
    }
    if (!pk_reader_allow(&r, keys))
        return PK_BAD_INPUT;
    if (study->sweep != NULL && !pk_reader_find(&r, "scenario", &child))
        return PK_OK; /* of a model that is not ours */
    if (!pk_reader_need(&r, "scenario", &child) || !pk_reader_text(&child, &scenario))
        return PK_BAD_INPUT;
    study->scenario_file = pk_load_beside(&study->arena, name, scenario);
    return study->scenario_file == NULL ? PK_NO_MEMORY : PK_OK;
}

/* All but the scenario. */
static enum pk_status finish(const struct pk_yaml_node *root, struct pk_study *study, struct pk_scenario *scenario,
                             struct pk_model *model, struct pk_problems *problems)
{
    struct pk_load_of_study s = {.load = {.arena = &study->arena, .model = model, .scenario = scenario},
                                 .study = study};
    struct pk_load_of_sweep of_sweep = {.load = s.load, .sweep = study->sweep};
    for (size_t i = 0; i < scenario->n_arms; i++)
        of_sweep.arms[i] = s.arms[i] = scenario->arms[i].name;
    for (size_t i = 0; i < scenario->n_outcomes; i++)
        of_sweep.outcomes[i] = s.outcomes[i] = scenario->outcomes[i].name;
    if (study->scenario_file == NULL)
        of_sweep.load.scenario = NULL;
    s.sweep = study->sweep != NULL ? &of_sweep : NULL;
    const struct pk_reader r = pk_reader_root(root, study->file, problems);
    const enum pk_status status = read_study(&s, &r);
    return status == PK_OK && pk_problems_errors(problems) > 0 ? PK_BAD_INPUT : status;
}

enum pk_status pk_load_study_text(const char *name, const char *text, size_t size, struct pk_study *study,
                                  struct pk_scenario *scenario, struct pk_model *model, struct pk_problems *problems)
{
    const struct pk_yaml_node *root = NULL;
    memset(study, 0, sizeof *study);
    pk_arena_init(&study->arena);
    enum pk_status status = parse(name, text, size, study, &root, problems);
    if (status == PK_OK)
        status = finish(root, study, scenario, model, problems);
    if (status != PK_OK)
        pk_study_free(study);
    return status;
}

enum pk_status pk_load_study(const char *path, const struct pk_load_options *options, struct pk_study *study,
                             struct pk_scenario *scenario, struct pk_model *model, struct pk_problems *problems)
{
    const struct pk_yaml_node *root = NULL;
    struct pk_error error;
    char *text = NULL;
    size_t size;
    memset(study, 0, sizeof *study);
    pk_arena_init(&study->arena);
    enum pk_status status = pk_file_read(path, PK_YAML_BYTES_MAX, &text, &size, &error);
    if (status != PK_OK) {
        pk_problems_add(problems, &error);
        return status;
    }
    status = parse(path, text, size, study, &root, problems);
    pk_free(text);
    if (status == PK_OK) {
        pk_scenario_init(scenario);
        pk_model_init(model);
        status = study->scenario_file != NULL
                     ? pk_load_scenario(study->scenario_file, options, scenario, model, problems)
                     : PK_OK;
        if (status == PK_IO && problems->n_kept > 0 && problems->items[problems->n_kept - 1].hint[0] == '\0')
            snprintf(problems->items[problems->n_kept - 1].hint, sizeof problems->items[0].hint, "the scenario of %s",
                     path);
        if (status == PK_OK && (status = finish(root, study, scenario, model, problems)) != PK_OK) {
            pk_scenario_free(scenario);
            pk_model_free(model);
        }
    }
    if (status != PK_OK)
        pk_study_free(study);
    return status;
}

void pk_study_free(struct pk_study *study)
{
    if (study == NULL)
        return;
    pk_arena_free(&study->arena);
    memset(study, 0, sizeof *study);
    pk_arena_init(&study->arena);
}
