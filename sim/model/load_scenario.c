/* Reading a scenario file: for how long, how often, with which model. See load.h. */
#include <stdio.h>
#include <string.h>

#include "load_private.h"
#include "polku/file.h"
#include "polku/text.h"

/* The same day of another month, so many months later; 0 where it is no such day. */
static double whole_months(int64_t from, int64_t to)
{
    int64_t years, more;
    int months, days, other_months, other_days;
    pk_scenario_date(from, &years, &months, &days);
    pk_scenario_date(to, &more, &other_months, &other_days);
    double n = (double)((more - years) * 12 + other_months - months);
    return days == other_days && n > 0 ? n : 0;
}

/* A duration, or {until: DATE}. */
static bool read_horizon(struct pk_load *load, const struct pk_reader *r, bool has_start, double *months)
{
    static const char *const keys[] = {"until", NULL};
    struct pk_reader child;
    int64_t day;
    if (!pk_reader_find(r, "until", &child))
        return pk_reader_duration_months(r, months);
    if (!pk_reader_allow(r, keys) || !pk_reader_day(&child, &day) || !has_start)
        return false;
    *months = whole_months(load->scenario->start_day, day);
    if (*months == 0)
        pk_reader_problem(&child, NULL, "is not the start's day of the month in a later month");
    return *months != 0;
}

/* A number, or {until: {outcome: ..., arm: ..., against: ..., standard_error: ..., most: ...}}: names are resolved when
 * outcomes are known. */
static void read_replications(struct pk_load *load, const struct pk_reader *r)
{
    static const char *const keys[] = {"until", NULL}, *const of_until[] = {"outcome",        "arm",  "against",
                                                                            "standard_error", "most", NULL};
    struct pk_scenario *scenario = load->scenario;
    const int64_t most = (1 << PK_LOAD_REPLICATION_BITS) - 1;
    struct pk_reader until, child;
    if (!pk_reader_is(r, PK_YAML_MAPPING)) {
        (void)pk_reader_int_in(r, 1, most, &scenario->replications);
        return;
    }
    if (!pk_reader_allow(r, keys) || !pk_reader_need(r, "until", &until) || !pk_reader_allow(&until, of_until))
        return;
    if (pk_reader_need(&until, "standard_error", &child))
        (void)pk_reader_double_in(&child, 1e-12, 1e12, &scenario->precision.standard_error);
    if (pk_reader_need(&until, "most", &child) && pk_reader_int_in(&child, 2, most, &scenario->precision.most))
        scenario->replications = scenario->precision.most;
}

static void read_precision(struct pk_load *load, const struct pk_reader *root)
{
    struct pk_scenario *scenario = load->scenario;
    struct pk_precision *precision = &scenario->precision;
    struct pk_reader r, until, child;
    if (!pk_reader_find(root, "replications", &r) || !pk_reader_find(&r, "until", &until))
        return;
    const char **outcomes = pk_load_alloc(load, scenario->n_outcomes, sizeof *outcomes);
    const char **arms = pk_load_alloc(load, scenario->n_arms, sizeof *arms);
    if (load->no_memory)
        return;
    for (size_t i = 0; i < scenario->n_outcomes; i++)
        outcomes[i] = scenario->outcomes[i].name;
    for (size_t i = 0; i < scenario->n_arms; i++)
        arms[i] = scenario->arms[i].name;
    if (pk_reader_need(&until, "arm", &child))
        (void)pk_reader_choice(&child, arms, scenario->n_arms, &precision->i_arm, "an arm");
    if (pk_reader_find(&until, "against", &child) &&
        pk_reader_choice(&child, arms, scenario->n_arms, &precision->i_against, "an arm") &&
        precision->i_against == precision->i_arm)
        pk_reader_problem(&child, NULL, "is the arm itself, whose difference is 0");
    if (pk_reader_need(&until, "outcome", &child))
        (void)pk_reader_choice(&child, outcomes, scenario->n_outcomes, &precision->i_outcome, "an outcome");
}

static void read_frame(struct pk_load *load, const struct pk_reader *root)
{
    struct pk_scenario *scenario = load->scenario;
    struct pk_reader child;
    int64_t seed;
    const char *text;
    if (pk_reader_need(root, "scenario", &child) && pk_reader_name(&child, &text))
        load->no_memory |= (scenario->name = pk_arena_text(load->arena, text)) == NULL;
    scenario->title = scenario->name;
    if (pk_reader_find(root, "title", &child) && pk_reader_text(&child, &text))
        load->no_memory |= (scenario->title = pk_arena_text(load->arena, text)) == NULL;
    if (pk_reader_need(root, "seed", &child) && pk_reader_int_in(&child, 0, INT64_MAX, &seed))
        scenario->seed = (uint64_t)seed;
    bool has_start = pk_reader_need(root, "start", &child) && pk_reader_day(&child, &scenario->start_day);
    if (has_start)
        scenario->start_months = pk_scenario_months(scenario->start_day);
    if (pk_reader_need(root, "horizon", &child) && read_horizon(load, &child, has_start, &scenario->horizon_months)) {
        double whole = (double)(int64_t)scenario->horizon_months;
        if (whole != scenario->horizon_months || whole < 1 || whole > 2400) {
            pk_reader_problem(&child, NULL, "is %g months, expected a whole number from 1 to 2400",
                              scenario->horizon_months);
            scenario->horizon_months = 0; /* not known: what must fit into it is not judged */
        }
    }
    scenario->replications = 1;
    scenario->batches = 64;
    scenario->precision.i_outcome = scenario->precision.i_against = SIZE_MAX;
    if (pk_reader_find(root, "replications", &child))
        read_replications(load, &child);
    if (pk_reader_find(root, "batches", &child))
        (void)pk_reader_int_in(&child, 2, 4096, &scenario->batches);
    if (pk_reader_find(root, "ranges", &child))
        (void)pk_reader_bool(&child, &scenario->ranges);
    scenario->variant_replications = scenario->replications;
    if (pk_reader_find(root, "variant_replications", &child))
        (void)pk_reader_int_in(&child, 1, (1 << PK_LOAD_REPLICATION_BITS) - 1, &scenario->variant_replications);
}

static const char *const scenario_keys[] = {
    "calibrated",   "polku",      "scenario",   "title",    "model",
    "parameters",   "set",        "seed",       "start",    "horizon",
    "replications", "batches",    "population", "arms",     "tables",
    "outcomes",     "compare",    "ranges",     "variants", "variant_replications",
    "event_log",    "histograms", "ledgers",    "like",     "bridge",
    "uncertainty",  NULL};

static enum pk_status read_scenario(struct pk_load *load, const struct pk_reader *root)
{
    struct pk_reader child;
    if (!pk_reader_allow(root, scenario_keys))
        return PK_OK;
    (void)pk_load_format(root);
    pk_load_check_ids(load, root, true);
    read_frame(load, root);
    struct pk_arena *own = load->arena;
    load->arena = &load->model->arena; /* the parameters join the model's */
    if (pk_reader_find(root, "parameters", &child))
        pk_load_parameters(load, &child);
    load->arena = own;
    pk_load_calibrations(load, root);
    load->arena = &load->model->arena; /* as do the uncertainties */
    pk_load_uncertain_sets(load, root);
    load->arena = own;
    struct pk_set *sets = pk_load_alloc(load, PK_MAX_SETS, sizeof *sets);
    if (sets == NULL)
        return PK_NO_MEMORY;
    load->scenario->sets = sets;
    if (pk_reader_find(root, "set", &child) && !pk_reader_is_empty(&child))
        load->scenario->n_sets = pk_load_sets(load, &child, sets);
    pk_load_population(load, root);
    pk_load_arms(load, root);
    pk_load_outcomes(load, root);
    read_precision(load, root);
    return load->no_memory ? PK_NO_MEMORY : PK_OK;
}

const char *const pk_file_kind_names[] = {"model", "scenario", "file of calibrated parameters", "study", "claims file"};

enum pk_file_kind pk_load_kind_of(const struct pk_reader *r)
{
    struct pk_reader child;
    if (pk_reader_find(r, "claims", &child) || pk_reader_find(r, "figures", &child))
        return PK_FILE_CLAIMS;
    if (pk_reader_find(r, "calibrate", &child))
        return PK_FILE_STUDY;
    if (pk_reader_find(r, "population", &child))
        return PK_FILE_SCENARIO;
    if (pk_reader_find(r, "study", &child))
        return PK_FILE_STUDY;
    if (pk_reader_find(r, "scenario", &child))
        return PK_FILE_SCENARIO;
    return pk_reader_find(r, "calibrated", &child) && !pk_reader_find(r, "model", &child) ? PK_FILE_CALIBRATED
                                                                                          : PK_FILE_MODEL;
}

/* Parses the scenario; *model_path is the model it names. */
static enum pk_status parse(const char *name, const char *text, size_t size, const struct pk_load_from *from,
                            struct pk_scenario *scenario, const struct pk_yaml_node **root,
                            struct pk_problems *problems)
{
    struct pk_load load = {.arena = &scenario->arena, .from = *from, .scenario = scenario};
    char *copy = pk_arena_alloc(&scenario->arena, size + 1, 1);
    scenario->file = pk_arena_text(&scenario->arena, name);
    if (copy == NULL || scenario->file == NULL)
        return PK_NO_MEMORY;
    memcpy(copy, text, size);
    scenario->text = copy;
    scenario->text_size = size;
    enum pk_status status = pk_yaml_parse(text, size, scenario->file, &scenario->arena, root, problems);
    if (status != PK_OK)
        return status;
    struct pk_reader r = pk_reader_root(*root, scenario->file, problems), child;
    const char *model;
    if (!pk_reader_find(&r, "scenario", &child) && pk_reader_find(&r, "states", &child)) {
        pk_reader_problem(&r, NULL, "is a model, expected a scenario");
        return PK_BAD_INPUT;
    }
    const enum pk_file_kind kind = pk_load_kind_of(&r);
    if (kind == PK_FILE_CALIBRATED || kind == PK_FILE_STUDY || kind == PK_FILE_CLAIMS) {
        pk_reader_problem(&r,
                          kind == PK_FILE_STUDY    ? "polku calibrate reads it"
                          : kind == PK_FILE_CLAIMS ? "polku claims reads it"
                                                   : "name it in a scenario: calibrated: FILE",
                          "is a %s, expected a scenario", pk_file_kind_names[kind]);
        return PK_BAD_INPUT;
    }
    if (!pk_reader_expect(&r, PK_YAML_MAPPING, "a scenario"))
        return PK_BAD_INPUT;
    *root = pk_load_like(&load, *root, problems);
    if (*root == NULL)
        return load.no_memory ? PK_NO_MEMORY : PK_BAD_INPUT;
    r = pk_reader_root(*root, scenario->file, problems);
    if (!pk_reader_find(&r, "model", &child) && !pk_reader_find(&r, "like", &child))
        (void)pk_reader_allow(&r, scenario_keys); /* one of them may be misspelt */
    if (!pk_reader_need(&r, "model", &child) || !pk_reader_text(&child, &model))
        return PK_BAD_INPUT;
    scenario->model_file = pk_load_beside(&scenario->arena, name, model);
    return scenario->model_file == NULL ? PK_NO_MEMORY : PK_OK;
}

static enum pk_status finish(const struct pk_load_from *from, struct pk_scenario *scenario, struct pk_model *model,
                             const struct pk_yaml_node *root, struct pk_problems *problems)
{
    struct pk_load load = {.arena = &scenario->arena, .from = *from, .model = model, .scenario = scenario};
    struct pk_reader r = pk_reader_root(root, scenario->file, problems);
    enum pk_status status = read_scenario(&load, &r);
    return status != PK_OK ? status : pk_problems_errors(problems) > 0 ? PK_BAD_INPUT : PK_OK;
}

enum pk_status pk_load_texts(const char *scenario_name, const char *scenario_text, size_t scenario_size,
                             const char *model_name, const char *model_text, size_t model_size,
                             const struct pk_attachments *of_model, const struct pk_attachments *of_scenario,
                             struct pk_scenario *scenario, struct pk_model *model, struct pk_problems *problems)
{
    const struct pk_load_from model_from = {.given = of_model}, scenario_from = {.given = of_scenario};
    const struct pk_yaml_node *root = NULL;
    pk_scenario_init(scenario);
    pk_model_init(model);
    enum pk_status status =
        parse(scenario_name, scenario_text, scenario_size, &scenario_from, scenario, &root, problems);
    if (status == PK_OK)
        status = pk_load_model_text(model_name, model_text, model_size, &model_from, model, problems);
    if (status == PK_OK)
        status = finish(&scenario_from, scenario, model, root, problems);
    if (status != PK_OK) {
        pk_scenario_free(scenario);
        pk_model_free(model);
    }
    return status;
}

enum pk_status pk_load_scenario(const char *path, const struct pk_load_options *options, struct pk_scenario *scenario,
                                struct pk_model *model, struct pk_problems *problems)
{
    const struct pk_load_from from = {.files = true, .options = options};
    char *text = NULL;
    size_t size;
    struct pk_error error;
    const struct pk_yaml_node *root = NULL;
    pk_scenario_init(scenario);
    pk_model_init(model);
    enum pk_status status = pk_file_read(path, PK_YAML_BYTES_MAX, &text, &size, &error);
    if (status != PK_OK) {
        pk_problems_add(problems, &error);
        return status;
    }
    status = parse(path, text, size, &from, scenario, &root, problems);
    if (status == PK_OK)
        status = pk_load_model_file(scenario->model_file, false, options, model, problems);
    if (status == PK_IO && problems->n_kept > 0)
        snprintf(problems->items[problems->n_kept - 1].hint, sizeof problems->items[0].hint, "the model of %s", path);
    if (status == PK_OK)
        status = finish(&from, scenario, model, root, problems);
    pk_free(text);
    if (status != PK_OK) {
        pk_scenario_free(scenario);
        pk_model_free(model);
    }
    return status;
}

enum pk_status pk_load_kind(const char *path, enum pk_file_kind *kind, struct pk_error *error)
{
    struct pk_arena arena;
    struct pk_problems problems;
    const struct pk_yaml_node *root = NULL;
    char *text;
    size_t size;
    *kind = PK_FILE_MODEL;
    enum pk_status status = pk_file_read(path, PK_YAML_BYTES_MAX, &text, &size, error);
    if (status != PK_OK)
        return status;
    pk_arena_init(&arena);
    pk_problems_init(&problems);
    if (pk_yaml_parse(text, size, path, &arena, &root, &problems) == PK_OK) {
        struct pk_reader r = pk_reader_root(root, path, &problems);
        *kind = pk_load_kind_of(&r);
    }
    pk_problems_free(&problems);
    pk_arena_free(&arena);
    pk_free(text);
    return PK_OK;
}
