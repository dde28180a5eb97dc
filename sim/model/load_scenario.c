/* Reading a scenario file: who, for how long, under which arms. See load.h; what is told: load_outcomes.c. */
#include <stdio.h>
#include <string.h>

#include "load_private.h"
#include "polku/file.h"
#include "polku/text.h"

/* among: {attribute: value or [values]} */
static void read_among(struct pk_load *load, const struct pk_reader *r, struct pk_target *target)
{
    const struct pk_model *model = load->model;
    if (!pk_reader_expect(r, PK_YAML_MAPPING, "a mapping of attributes to values"))
        return;
    const char *const *names = pk_load_attribute_names(load);
    for (size_t i = 0; i < pk_reader_count(r); i++) {
        struct pk_reader item = pk_reader_item(r, i);
        size_t a, v;
        if (!pk_load_key(load, r, i, names, model->n_attributes, "an attribute", &a))
            continue;
        bool list = pk_reader_is(&item, PK_YAML_SEQUENCE);
        size_t n = list ? pk_reader_count(&item) : 1;
        if (n == 0)
            pk_reader_problem(&item, NULL, "is an empty list, so nobody could be enrolled");
        memset(target->values[a], 0, model->attributes[a].n_values * sizeof(bool));
        for (size_t k = 0; k < n; k++) {
            struct pk_reader value = list ? pk_reader_item(&item, k) : item;
            if (pk_load_attribute_value(load, &value, a, &v))
                target->values[a][v] = true;
        }
    }
}

static void read_enrolment(struct pk_load *load, const struct pk_reader *r, struct pk_enrolment *enrolment)
{
    static const char *const keys[] = {"service", "persons", "at", "among", "states", "age", NULL};
    const struct pk_model *model = load->model;
    struct pk_target *target = &enrolment->target;
    struct pk_reader child;
    target->states = pk_load_alloc(load, model->n_states, sizeof(bool));
    target->values = pk_load_alloc(load, model->n_attributes, sizeof(bool *));
    for (size_t i = 0; i < model->n_attributes && target->values != NULL; i++) {
        target->values[i] = pk_load_alloc(load, model->attributes[i].n_values, sizeof(bool));
        if (target->values[i] != NULL)
            memset(target->values[i], 1, model->attributes[i].n_values * sizeof(bool));
    }
    target->age_high = (double)__builtin_inf();
    enrolment->persons.i_parameter = SIZE_MAX;
    if (load->no_memory || !pk_reader_allow(r, keys))
        return;
    if (pk_reader_need(r, "service", &child))
        (void)pk_load_service(load, &child, &enrolment->i_service);
    if (pk_reader_need(r, "persons", &child))
        (void)pk_load_number(load, &child, PK_UNITS(PK_UNIT_PERSONS), 0, 1e12, &enrolment->persons);
    if (pk_reader_find(r, "at", &child))
        (void)pk_reader_duration_months(&child, &enrolment->at_months);
    if (pk_reader_find(r, "among", &child))
        read_among(load, &child, target);
    if (pk_reader_find(r, "states", &child))
        (void)pk_load_states(load, &child, target->states);
    else
        for (size_t s = 0; s < model->n_states; s++)
            target->states[s] = !model->states[s].absorbing;
    if (pk_reader_find(r, "age", &child) && pk_reader_expect(&child, PK_YAML_SEQUENCE, "[from, below] in years")) {
        struct pk_reader low = pk_reader_item(&child, 0), high = pk_reader_item(&child, 1);
        if (pk_reader_count(&child) != 2)
            pk_reader_problem(&child, NULL, "has %zu numbers, expected [from, below] in years",
                              pk_reader_count(&child));
        else if (!load->scenario->population.has_age)
            pk_reader_problem(&child, NULL, "needs people with an age; the population has none");
        else if (pk_reader_double_in(&low, 0, 120, &target->age_low) &&
                 pk_reader_double_in(&high, 0, 120, &target->age_high) && target->age_high <= target->age_low)
            pk_reader_problem(&child, NULL, "is empty: %g is not below %g", target->age_low, target->age_high);
    }
}

static void read_arms(struct pk_load *load, const struct pk_reader *root)
{
    static const char *const keys[] = {"label", "note", "assumes", "enrol", NULL};
    struct pk_scenario *scenario = load->scenario;
    struct pk_reader r, child;
    if (!pk_reader_need(root, "arms", &r) || !pk_reader_expect(&r, PK_YAML_MAPPING, "a mapping of arms by name"))
        return;
    size_t n = pk_reader_count(&r);
    if (n == 0 || n > PK_MAX_ARMS) {
        pk_reader_problem(&r, NULL, "has %zu arms, expected 1 to %d", n, PK_MAX_ARMS);
        return;
    }
    scenario->arms = pk_load_alloc(load, n, sizeof *scenario->arms);
    for (size_t i = 0; i < n && scenario->arms != NULL; i++) {
        struct pk_reader item = pk_reader_item(&r, i);
        const char *name;
        if (!pk_reader_key_name(&r, i, &name))
            continue;
        struct pk_arm *arm = &scenario->arms[scenario->n_arms++];
        arm->name = pk_arena_text(load->arena, name);
        load->no_memory |= arm->name == NULL;
        if (load->no_memory)
            return;
        pk_load_label(load, &item, arm->name, &arm->label);
        if (pk_reader_is_empty(&item) || !pk_reader_allow(&item, keys))
            continue;
        const char *text;
        if (pk_reader_find(&item, "note", &child) && pk_reader_text(&child, &text))
            load->no_memory |= (arm->note = pk_arena_text(load->arena, text)) == NULL;
        if (pk_reader_find(&item, "assumes", &child))
            pk_load_parameter_list(load, &child, &arm->i_assumes, &arm->n_assumes);
        if (!pk_reader_find(&item, "enrol", &child) ||
            !pk_reader_expect(&child, PK_YAML_SEQUENCE, "a list of enrolments"))
            continue;
        if (pk_reader_count(&child) > PK_MAX_ENROLMENTS) {
            pk_reader_problem(&child, NULL, "has %zu enrolments, at most %d are allowed", pk_reader_count(&child),
                              PK_MAX_ENROLMENTS);
            continue;
        }
        for (size_t k = 0; k < pk_reader_count(&child); k++) {
            struct pk_reader enrolment = pk_reader_item(&child, k);
            read_enrolment(load, &enrolment, &arm->enrolments[arm->n_enrolments++]);
        }
    }
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
    if (pk_reader_need(root, "start", &child) && pk_reader_day(&child, &scenario->start_day))
        scenario->start_months = pk_scenario_months(scenario->start_day);
    if (pk_reader_need(root, "horizon", &child) && pk_reader_duration_months(&child, &scenario->horizon_months)) {
        double whole = (double)(int64_t)scenario->horizon_months;
        if (whole != scenario->horizon_months || whole < 1 || whole > 2400) {
            pk_reader_problem(&child, NULL, "is %g months, expected a whole number from 1 to 2400",
                              scenario->horizon_months);
            scenario->horizon_months = 0; /* not known: what must fit into it is not judged */
        }
    }
    scenario->replications = 1;
    scenario->batches = 64;
    if (pk_reader_find(root, "replications", &child))
        (void)pk_reader_int_in(&child, 1, (1 << PK_LOAD_REPLICATION_BITS) - 1, &scenario->replications);
    if (pk_reader_find(root, "batches", &child))
        (void)pk_reader_int_in(&child, 2, 4096, &scenario->batches);
    if (pk_reader_find(root, "ranges", &child))
        (void)pk_reader_bool(&child, &scenario->ranges);
    scenario->variant_replications = scenario->replications;
    if (pk_reader_find(root, "variant_replications", &child))
        (void)pk_reader_int_in(&child, 1, (1 << PK_LOAD_REPLICATION_BITS) - 1, &scenario->variant_replications);
}

static enum pk_status read_scenario(struct pk_load *load, const struct pk_reader *root)
{
    static const char *const keys[] = {
        "polku",    "scenario", "title",        "model",    "parameters",           "set",       "seed",
        "start",    "horizon",  "replications", "batches",  "population",           "arms",      "tables",
        "outcomes", "compare",  "ranges",       "variants", "variant_replications", "event_log", NULL};
    struct pk_reader child;
    if (!pk_reader_allow(root, keys))
        return PK_OK;
    (void)pk_load_format(root);
    read_frame(load, root);
    struct pk_arena *own = load->arena;
    load->arena = &load->model->arena; /* the parameters join the model's */
    if (pk_reader_find(root, "parameters", &child))
        pk_load_parameters(load, &child);
    load->arena = own;
    struct pk_set *sets = pk_load_alloc(load, PK_MAX_SETS, sizeof *sets);
    if (sets == NULL)
        return PK_NO_MEMORY;
    load->scenario->sets = sets;
    if (pk_reader_find(root, "set", &child) && !pk_reader_is_empty(&child))
        load->scenario->n_sets = pk_load_sets(load, &child, sets);
    pk_load_population(load, root);
    read_arms(load, root);
    pk_load_outcomes(load, root);
    return load->no_memory ? PK_NO_MEMORY : PK_OK;
}

/* Parses the scenario; *model_path is the model it names. */
static enum pk_status parse(const char *name, const char *text, size_t size, struct pk_scenario *scenario,
                            const struct pk_yaml_node **root, struct pk_problems *problems)
{
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
    if (!pk_reader_expect(&r, PK_YAML_MAPPING, "a scenario") || !pk_reader_need(&r, "model", &child) ||
        !pk_reader_text(&child, &model))
        return PK_BAD_INPUT;
    const char *slash = strrchr(name, '/');
    if (model[0] == '/' || slash == NULL) {
        scenario->model_file = pk_arena_text(&scenario->arena, model);
    } else {
        size_t n_directory = (size_t)(slash - name) + 1, n_all = n_directory + strlen(model) + 1;
        char *path = pk_arena_alloc(&scenario->arena, n_all, 1);
        if (path != NULL)
            snprintf(path, n_all, "%.*s%s", (int)n_directory, name, model);
        scenario->model_file = path;
    }
    return scenario->model_file == NULL ? PK_NO_MEMORY : PK_OK;
}

static enum pk_status finish(struct pk_scenario *scenario, struct pk_model *model, const struct pk_yaml_node *root,
                             struct pk_problems *problems)
{
    struct pk_load load = {.arena = &scenario->arena, .model = model, .scenario = scenario};
    struct pk_reader r = pk_reader_root(root, scenario->file, problems);
    enum pk_status status = read_scenario(&load, &r);
    return status != PK_OK ? status : pk_problems_errors(problems) > 0 ? PK_BAD_INPUT : PK_OK;
}

enum pk_status pk_load_texts(const char *scenario_name, const char *scenario_text, size_t scenario_size,
                             const char *model_name, const char *model_text, size_t model_size,
                             struct pk_scenario *scenario, struct pk_model *model, struct pk_problems *problems)
{
    const struct pk_yaml_node *root = NULL;
    pk_scenario_init(scenario);
    pk_model_init(model);
    enum pk_status status = parse(scenario_name, scenario_text, scenario_size, scenario, &root, problems);
    if (status == PK_OK)
        status = pk_load_model_text(model_name, model_text, model_size, model, problems);
    if (status == PK_OK)
        status = finish(scenario, model, root, problems);
    if (status != PK_OK) {
        pk_scenario_free(scenario);
        pk_model_free(model);
    }
    return status;
}

enum pk_status pk_load_scenario(const char *path, struct pk_scenario *scenario, struct pk_model *model,
                                struct pk_problems *problems)
{
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
    status = parse(path, text, size, scenario, &root, problems);
    if (status == PK_OK)
        status = pk_load_model(scenario->model_file, model, problems);
    if (status == PK_IO && problems->n_kept > 0)
        snprintf(problems->items[problems->n_kept - 1].hint, sizeof problems->items[0].hint, "the model of %s", path);
    if (status == PK_OK)
        status = finish(scenario, model, root, problems);
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
        struct pk_reader r = pk_reader_root(root, path, &problems), child;
        if (pk_reader_find(&r, "scenario", &child) || pk_reader_find(&r, "population", &child))
            *kind = PK_FILE_SCENARIO;
    }
    pk_problems_free(&problems);
    pk_arena_free(&arena);
    pk_free(text);
    return PK_OK;
}
