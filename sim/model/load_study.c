/* Reading a study file: targets, and the parameters that are free to meet them. See study.h. */
#include "polku/study.h"

#include <math.h>
#include <string.h>

#include "polku/file.h"
#include "polku/text.h"
#include "study_private.h"

const char *const pk_transform_names[PK_TRANSFORM_COUNT] = {"none", "log", "logit"};
const char *const pk_objective_names[PK_OBJECTIVE_COUNT] = {"auto", "twin", "simulation"};

/* ---- free and tied parameters ------------------------------------------------------------------------------- */

/* The parameter that key i names, none that is free or tied already. */
static bool find_parameter(struct pk_study_load *s, const struct pk_reader *r, size_t i, size_t *found)
{
    const struct pk_model *model = s->load.model;
    const char **names = pk_load_alloc(&s->load, model->n_parameters, sizeof *names);
    for (size_t k = 0; names != NULL && k < model->n_parameters; k++)
        names[k] = model->parameters[k].name;
    if (names == NULL || !pk_load_key(&s->load, r, i, names, model->n_parameters, "a parameter", found))
        return false;
    const struct pk_reader item = pk_reader_item(r, i);
    const struct pk_parameter *parameter = &model->parameters[*found];
    bool taken = false;
    for (size_t k = 0; k < s->study->n_free; k++)
        taken |= s->study->free[k].i_parameter == *found;
    for (size_t k = 0; k < s->study->n_tied; k++)
        taken |= s->study->tied[k].i_parameter == *found;
    if (taken)
        pk_reader_problem(&item, NULL, "%s is free or tied already", parameter->name);
    else if (parameter->n_values > 1 || parameter->n_columns > 1)
        pk_reader_problem(&item, "free a ratio that the hazard is multiplied by",
                          "%s is a table, expected a single number", parameter->name);
    else if (parameter->given_unit == PK_UNIT_SWITCH)
        pk_reader_problem(&item, NULL, "%s is a switch, which is not searched", parameter->name);
    else
        return true;
    return false;
}

/* [low, high], or the range that the model gives. */
static bool read_bounds(const struct pk_reader *r, const struct pk_parameter *parameter, struct pk_free_parameter *free)
{
    struct pk_reader child;
    double low, high;
    pk_unit_interval(parameter->given_unit, &low, &high);
    if (!pk_reader_find(r, "within", &child)) {
        free->low = parameter->low;
        free->high = parameter->high;
        if (!parameter->has_range || !(free->low < free->high) || !isfinite(free->high)) {
            pk_reader_problem(r, NULL, "%s has no range in the model: say within: [LOW, HIGH]", parameter->name);
            return false;
        }
        return true;
    }
    if (!pk_reader_expect(&child, PK_YAML_SEQUENCE, "[LOW, HIGH]"))
        return false;
    if (pk_reader_count(&child) != 2)
        return pk_reader_mismatch(&child, "[LOW, HIGH]", NULL);
    const struct pk_reader at_low = pk_reader_item(&child, 0), at_high = pk_reader_item(&child, 1);
    if (!pk_reader_double_in(&at_low, low, high, &free->low) || !pk_reader_double_in(&at_high, low, high, &free->high))
        return false;
    if (free->low < free->high)
        return true;
    pk_reader_problem(&child, NULL, "is [%g, %g], expected the lower bound first", free->low, free->high);
    return false;
}

/* {normal: [median, sd]} on the transformed scale, or {beta: [a, b]}. */
static bool read_prior(const struct pk_reader *r, struct pk_free_parameter *free)
{
    static const char *const keys[] = {"normal", "log_normal", "logit_normal", "beta", NULL};
    static const enum pk_transform scales[] = {PK_TRANSFORM_NONE, PK_TRANSFORM_LOG, PK_TRANSFORM_LOGIT,
                                               PK_TRANSFORM_LOGIT};
    struct pk_reader prior, numbers;
    if (!pk_reader_find(r, "prior", &prior))
        return true;
    if (!pk_reader_allow(&prior, keys))
        return false;
    for (size_t k = 0; k < 4; k++) {
        if (!pk_reader_find(&prior, keys[k], &numbers) || pk_reader_count(&prior) != 1)
            continue;
        if (!pk_reader_is(&numbers, PK_YAML_SEQUENCE) || pk_reader_count(&numbers) != 2)
            return pk_reader_mismatch(&numbers, k == 3 ? "two numbers [A, B]" : "two numbers [MEDIAN, SD]", NULL);
        const struct pk_reader first = pk_reader_item(&numbers, 0), second = pk_reader_item(&numbers, 1);
        const double low = k == 3 ? 1e-3 : free->low, high = k == 3 ? 1e6 : free->high;
        if (!pk_reader_double_in(&first, low, high, &free->a) || !pk_reader_double_in(&second, 1e-6, 1e6, &free->b))
            return false;
        if (free->transform != scales[k]) {
            pk_reader_problem(&prior, NULL, "is a prior for transform: %s, but the transform is %s",
                              pk_transform_names[scales[k]], pk_transform_names[free->transform]);
            return false;
        }
        free->prior = k == 3 ? PK_PRIOR_BETA : PK_PRIOR_NORMAL;
        return true;
    }
    return pk_reader_mismatch(&prior, "one of normal, log_normal, logit_normal, beta", NULL);
}

static void read_free(struct pk_study_load *s, const struct pk_reader *r)
{
    static const char *const keys[] = {"within", "transform", "prior", NULL};
    if (!pk_reader_expect(r, PK_YAML_MAPPING, "parameters with bounds"))
        return;
    if (pk_reader_count(r) == 0 || pk_reader_count(r) > PK_MAX_FREE) {
        pk_reader_problem(r, NULL, "frees %zu parameters, expected 1 to %d", pk_reader_count(r), PK_MAX_FREE);
        return;
    }
    for (size_t i = 0; i < pk_reader_count(r); i++) {
        struct pk_free_parameter *free = &s->study->free[s->study->n_free];
        const struct pk_reader item = pk_reader_item(r, i);
        struct pk_reader child;
        size_t i_transform;
        memset(free, 0, sizeof *free);
        if (!find_parameter(s, r, i, &free->i_parameter))
            continue;
        const struct pk_parameter *parameter = &s->load.model->parameters[free->i_parameter];
        free->name = parameter->name;
        if (!pk_reader_is_empty(&item) && !pk_reader_allow(&item, keys))
            continue;
        if (!read_bounds(&item, parameter, free))
            continue;
        const bool share = parameter->given_unit == PK_UNIT_PROBABILITY || parameter->given_unit == PK_UNIT_SHARE;
        free->transform = share && free->low > 0 && free->high < 1 ? PK_TRANSFORM_LOGIT
                          : !share && free->low > 0                ? PK_TRANSFORM_LOG
                                                                   : PK_TRANSFORM_NONE;
        if (pk_reader_find(&item, "transform", &child) &&
            pk_reader_choice(&child, pk_transform_names, PK_TRANSFORM_COUNT, &i_transform, "a transform")) {
            free->transform = (enum pk_transform)i_transform;
            if ((i_transform == PK_TRANSFORM_LOG && !(free->low > 0)) ||
                (i_transform == PK_TRANSFORM_LOGIT && (!(free->low > 0) || !(free->high < 1)))) {
                pk_reader_problem(&child, "move the bounds inside", "is %s, which has no value at the bounds [%g, %g]",
                                  pk_transform_names[i_transform], free->low, free->high);
                continue;
            }
        }
        if (read_prior(&item, free))
            s->study->n_free++;
    }
}

static void read_tied(struct pk_study_load *s, const struct pk_reader *r)
{
    static const char *const keys[] = {"to", "times", "plus", NULL};
    const char *names[PK_MAX_FREE];
    if (!pk_reader_expect(r, PK_YAML_MAPPING, "parameters tied to free ones"))
        return;
    if (pk_reader_count(r) > PK_MAX_TIED) {
        pk_reader_problem(r, NULL, "ties %zu parameters, expected at most %d", pk_reader_count(r), PK_MAX_TIED);
        return;
    }
    for (size_t k = 0; k < s->study->n_free; k++)
        names[k] = s->study->free[k].name;
    for (size_t i = 0; i < pk_reader_count(r); i++) {
        struct pk_tied_parameter *tied = &s->study->tied[s->study->n_tied];
        const struct pk_reader item = pk_reader_item(r, i);
        struct pk_reader child;
        *tied = (struct pk_tied_parameter){.times = 1};
        if (!find_parameter(s, r, i, &tied->i_parameter) || !pk_reader_allow(&item, keys) ||
            !pk_reader_need(&item, "to", &child) ||
            !pk_reader_choice(&child, names, s->study->n_free, &tied->i_free, "a free parameter"))
            continue;
        tied->name = s->load.model->parameters[tied->i_parameter].name;
        if (pk_reader_find(&item, "times", &child) && !pk_reader_double_in(&child, -1e9, 1e9, &tied->times))
            continue;
        if (pk_reader_find(&item, "plus", &child) && !pk_reader_double_in(&child, -1e9, 1e9, &tied->plus))
            continue;
        s->study->n_tied++;
    }
}

/* ---- the file ----------------------------------------------------------------------------------------------- */

static void read_settings(struct pk_study_load *s, const struct pk_reader *r)
{
    struct pk_study *study = s->study;
    struct pk_reader child;
    size_t i = 0;
    study->draws = 1000;
    study->n_ages = 8;
    study->n_elapsed = 4;
    study->n_frailty = 12;
    if (pk_reader_find(r, "objective", &child) &&
        pk_reader_choice(&child, pk_objective_names, PK_OBJECTIVE_COUNT, &i, "an objective"))
        study->objective = (enum pk_objective)i;
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
}

static enum pk_status read_study(struct pk_study_load *s, const struct pk_reader *root)
{
    static const char *const keys[] = {"polku", "study", "title", "scenario", "seed", "calibrate", NULL};
    static const char *const of_calibrate[] = {"free",  "tied", "targets", "objective", "replications", "starts",
                                               "draws", "step", "ages",    "elapsed",   "frailty",      NULL};
    struct pk_study *study = s->study;
    struct pk_reader child, part;
    const char *text;
    int64_t seed;
    if (!pk_reader_allow(root, keys))
        return PK_OK;
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
    study->free = pk_load_alloc(&s->load, PK_MAX_FREE, sizeof *study->free);
    study->tied = pk_load_alloc(&s->load, PK_MAX_TIED, sizeof *study->tied);
    study->targets = pk_load_alloc(&s->load, PK_MAX_TARGETS, sizeof *study->targets);
    if (s->load.no_memory || !pk_reader_need(root, "calibrate", &child) || !pk_reader_allow(&child, of_calibrate))
        return s->load.no_memory ? PK_NO_MEMORY : PK_OK;
    if (pk_reader_need(&child, "free", &part))
        read_free(s, &part);
    if (pk_reader_find(&child, "tied", &part))
        read_tied(s, &part);
    if (pk_reader_need(&child, "targets", &part))
        pk_study_read_targets(s, &part);
    read_settings(s, &child);
    return s->load.no_memory ? PK_NO_MEMORY : PK_OK;
}

/* Parses the study; *scenario_file is the scenario it names. */
static enum pk_status parse(const char *path, struct pk_study *study, const struct pk_yaml_node **root,
                            struct pk_problems *problems)
{
    struct pk_error error;
    char *text = NULL;
    enum pk_status status = pk_file_read(path, PK_YAML_BYTES_MAX, &text, &study->text_size, &error);
    if (status != PK_OK) {
        pk_problems_add(problems, &error);
        return status;
    }
    char *copy = pk_arena_alloc(&study->arena, study->text_size + 1, 1);
    study->file = pk_arena_text(&study->arena, path);
    if (copy == NULL || study->file == NULL) {
        pk_free(text);
        return PK_NO_MEMORY;
    }
    memcpy(copy, text, study->text_size);
    study->text = copy;
    status = pk_yaml_parse(text, study->text_size, study->file, &study->arena, root, problems);
    pk_free(text);
    if (status != PK_OK)
        return status;
    const struct pk_reader r = pk_reader_root(*root, study->file, problems);
    struct pk_reader child;
    const char *scenario;
    if (!pk_reader_expect(&r, PK_YAML_MAPPING, "a study"))
        return PK_BAD_INPUT;
    if (pk_reader_is(&r, PK_YAML_MAPPING) && !pk_reader_find(&r, "study", &child)) {
        pk_reader_problem(&r, NULL, "is no study: a study begins with the key study");
        return PK_BAD_INPUT;
    }
    if (!pk_reader_need(&r, "scenario", &child) || !pk_reader_text(&child, &scenario))
        return PK_BAD_INPUT;
    study->scenario_file = pk_load_beside(&study->arena, path, scenario);
    return study->scenario_file == NULL ? PK_NO_MEMORY : PK_OK;
}

enum pk_status pk_load_study(const char *path, const struct pk_load_options *options, struct pk_study *study,
                             struct pk_scenario *scenario, struct pk_model *model, struct pk_problems *problems)
{
    const struct pk_yaml_node *root = NULL;
    memset(study, 0, sizeof *study);
    pk_arena_init(&study->arena);
    enum pk_status status = parse(path, study, &root, problems);
    if (status == PK_OK)
        status = pk_load_scenario(study->scenario_file, options, scenario, model, problems);
    if (status != PK_OK) {
        pk_study_free(study);
        return status;
    }
    struct pk_study_load s = {.load = {.arena = &study->arena, .model = model, .scenario = scenario}, .study = study};
    for (size_t i = 0; i < scenario->n_arms; i++)
        s.arms[i] = scenario->arms[i].name;
    for (size_t i = 0; i < scenario->n_outcomes; i++)
        s.outcomes[i] = scenario->outcomes[i].name;
    const struct pk_reader r = pk_reader_root(root, study->file, problems);
    status = read_study(&s, &r);
    if (status == PK_OK && pk_problems_errors(problems) > 0)
        status = PK_BAD_INPUT;
    if (status != PK_OK) {
        pk_study_free(study);
        pk_scenario_free(scenario);
        pk_model_free(model);
    }
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
