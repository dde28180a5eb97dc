/* polku check: reads files and says everything that is wrong, or what they mean. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "polku/bridge.h"
#include "polku/convert.h"
#include "polku/precision.h"
#include "polku/uncertainty.h"
#include "polku/variants.h"

static const char help[] =
    "Usage: polku check [OPTION...] FILE...\n\n"
    "Reads models, scenarios, calibrated files, studies and claims and reports every problem with file, line, column\n"
    "and place.\n"
    "Of files that are good it prints the parameters with unit, value, range, distribution and source, the\n"
    "conversions made, and the size of the tables; of studies what is free, what it is held against, and whether the\n"
    "analytic twin follows;\n"
    "of claims what is printed, and which figure of which scenario stands beside it.\n\n"
    "  -q, --quiet            only problems and warnings\n"
    "      --precision OUTCOME=ERROR  how many replications (or people) and seconds that simulation error of the\n"
    "                         outcome needs, from a timed probe of the scenario\n"
    "      --evidence         instead, the ledger of evidence that the model names: each row beside the parameters,\n"
    "                         warnings and notes that use it, then the rows that nothing uses\n"
    "  -h, --help\n\n"
    "Example:\n"
    "  polku check models/*/model.yaml configs/*.yaml configs/studies/*.yaml\n"
    "  polku check --evidence configs/ips-vs-typ.yaml\n"
    "  polku check --quiet --precision employed_years_0_10y=2 configs/ips-vs-typ.yaml\n";

static int run(int argc, char **argv);
const struct pk_command pk_command_check = {"check", "check models, scenarios and studies, show parameters and sources",
                                            help, run};

/* The attributes' values that a column of a table is about: "sex=woman, kind=x: ". */
static void print_column(const struct pk_model *model, const struct pk_parameter *p, size_t i_column)
{
    size_t rest = p->n_columns;
    printf("\n     ");
    for (size_t k = 0; k < p->n_by; k++) {
        const struct pk_attribute *attribute = &model->attributes[p->i_by_attribute[k]];
        rest /= attribute->n_values;
        printf(" %s=%s", attribute->name, attribute->values[i_column / rest % attribute->n_values]);
    }
    printf(":");
}

/* Its own distribution, and what it is uncertain together with. */
static void print_uncertainty(const struct pk_model *model, size_t i)
{
    const struct pk_uncertainty *uncertainty = model->parameters[i].uncertainty;
    const size_t i_set = pk_uncertain_set_of(model, i);
    char text[PK_UNCERTAINTY_TEXT_SIZE];
    if (uncertainty != NULL) {
        pk_uncertainty_text(uncertainty, text);
        printf("  ~ %s", text);
    }
    if (i_set != SIZE_MAX)
        printf("  %s with others: %s", pk_uncertain_names[model->uncertain_sets[i_set].kind],
               model->uncertain_sets[i_set].name);
}

static void print_parameter(const struct pk_model *model, const struct pk_values *values, size_t i)
{
    const struct pk_parameter *p = &model->parameters[i];
    printf("  %-30s ", p->name);
    if (p->n_values > 1) {
        printf("table by %s:", pk_clock_names[p->clock]);
        for (size_t c = 0; c < p->n_columns; c++) {
            if (p->n_columns > 1)
                print_column(model, p, c);
            for (size_t k = 0; k < p->n_values; k++)
                printf(" %.6g", p->values[c * p->n_values + k]);
        }
        printf(" %s", pk_unit_names[p->unit]);
    } else {
        printf("%.7g %s", values->given[i], pk_unit_names[p->given_unit]);
    }
    if (p->has_range)
        printf("  (%g to %g)", p->low, p->high);
    print_uncertainty(model, i);
    if (values->overridden[i])
        printf("  set by the scenario");
    const struct pk_source *source = values->source[i];
    printf("\n      %s: %s\n", pk_source_names[source->kind], source->text);
    if (source->caveat != NULL)
        printf("      the source warns: %s\n", source->caveat);
    if (values->note[i] != NULL)
        printf("      converted: %s\n", values->note[i]);
    else if (p->given != PK_GIVEN_VALUE)
        printf("      to be converted with a scenario's people: check the scenario\n");
    for (size_t k = 0; k < p->n_alternatives; k++)
        printf("      or %s: %g (%s: %s)\n", p->alternatives[k].name, p->alternatives[k].value,
               pk_source_names[p->alternatives[k].source.kind], p->alternatives[k].source.text);
}

static void print_model(const struct pk_model *model, const struct pk_values *values)
{
    size_t n_of_kind[PK_SOURCE_COUNT] = {0};
    printf("%s: model %s, %zu states, %zu transitions, %zu attributes, %zu services\n", model->file, model->name,
           model->n_states, model->n_transitions, model->n_attributes, model->n_services);
    for (size_t i = 0; i < model->n_parameters; i++) {
        print_parameter(model, values, i);
        n_of_kind[values->source[i]->kind]++;
    }
    printf("  %zu parameters: %zu from documents, %zu derived from them, %zu from other public sources, %zu assumed",
           model->n_parameters, n_of_kind[PK_SOURCE_DOCUMENT], n_of_kind[PK_SOURCE_DERIVED],
           n_of_kind[PK_SOURCE_PUBLIC], n_of_kind[PK_SOURCE_ASSUMPTION]);
    if (n_of_kind[PK_SOURCE_CALIBRATED] > 0)
        printf(", %zu calibrated", n_of_kind[PK_SOURCE_CALIBRATED]);
    printf("\n");
}

static void print_marks(const struct pk_calibration *calibration)
{
    for (size_t i = 0; i < calibration->n_marks; i++)
        printf("      mark: %s\n", calibration->marks[i]);
}

static void print_calibration(const struct pk_calibration *calibration)
{
    printf("  calibrated from %s (digest %s) by %s: %s\n     ", calibration->study, calibration->digest,
           calibration->file, calibration->title);
    for (size_t i = 0; i < calibration->n_parameters; i++)
        printf(" %s", calibration->parameters[i].name);
    printf("\n");
    print_marks(calibration);
}

/* A calibrated file by itself. */
static enum pk_status check_calibrated(const char *path, bool quiet, struct pk_problems *problems)
{
    struct pk_arena arena;
    struct pk_calibration calibration;
    pk_arena_init(&arena);
    enum pk_status status = pk_load_calibrated(path, &arena, &calibration, problems);
    if (status == PK_OK && !quiet) {
        printf("%s: calibrated parameters of the study %s (digest %s), %zu in all: %s\n", path, calibration.study,
               calibration.digest, calibration.n_parameters, calibration.title);
        for (size_t i = 0; i < calibration.n_parameters; i++) {
            const struct pk_calibrated *p = &calibration.parameters[i];
            printf("  %-30s %.7g", p->name, p->value);
            if (p->has_range)
                printf("  (%g to %g)", p->low, p->high);
            printf("\n      %s: %s\n", pk_source_names[p->source.kind], p->source.text);
            if (p->source.caveat != NULL)
                printf("      the source warns: %s\n", p->source.caveat);
        }
        print_marks(&calibration);
        printf("  to be used by a scenario that says calibrated: %s; check that scenario to hold the values against "
               "their units\n",
               path);
    }
    pk_arena_free(&arena);
    return status;
}

/* What is told of good files. */
struct told {
    bool quiet, evidence;
};

static enum pk_status check_model(const char *path, const struct told *told, struct pk_problems *problems,
                                  struct pk_error *error)
{
    struct pk_model model;
    struct pk_values values = {0};
    enum pk_status status = pk_load_model(path, &pk_cli_load_options, &model, problems);
    if (status != PK_OK)
        return status;
    status = pk_values_init(&values, &model, error);
    if (status == PK_OK)
        status = pk_convert_closed(&values, &model, error);
    if (status == PK_OK && told->evidence)
        status = pk_cli_print_ledger(path, &model, NULL, error);
    else if (status == PK_OK && !told->quiet)
        print_model(&model, &values);
    if (status != PK_OK)
        pk_problems_add(problems, error);
    pk_values_free(&values);
    pk_model_free(&model);
    return status;
}

/* Places of each service that somebody may ask for, as they change: all, and the least and the most of one region. */
static void print_places(const struct pk_plan *plan, const struct pk_model *model)
{
    for (size_t i = 0; i < plan->n_services; i++) {
        const struct pk_plan_places *places = &plan->services[i].places;
        if (plan->services[i].first_station == SIZE_MAX || !places->limited)
            continue;
        printf("  places of %s%s%s:", model->services[i].name, places->i_by == SIZE_MAX ? "" : " by ",
               places->i_by == SIZE_MAX ? "" : model->attributes[places->i_by].name);
        for (size_t t = 0; t <= places->n_cuts; t++) {
            uint64_t all = 0, least = UINT64_MAX, most = 0;
            double coaches = 0;
            for (size_t v = 0; v < places->n_stations; v++) {
                const size_t at = v * (places->n_cuts + 1) + t;
                all += places->slots[at];
                least = places->slots[at] < least ? places->slots[at] : least;
                most = places->slots[at] > most ? places->slots[at] : most;
                coaches += places->coaches[at];
            }
            if (t < places->n_cuts && places->cuts[t] <= 0)
                continue; /* before the start */
            if (t > 0 && places->cuts[t - 1] > 0)
                printf("; from %.6g months", places->cuts[t - 1]);
            printf(" %llu of %g coaches", (unsigned long long)all, coaches);
            if (places->n_stations > 1 && all > 0)
                printf(" (%llu to %llu each)", (unsigned long long)least, (unsigned long long)most);
        }
        printf("\n");
    }
    if (plan->n_stations > 0)
        printf("  %zu stations where people may ask; %zu bytes for each who has asked and may wait, be served or ask "
               "again, %zu for each who will ask\n",
               plan->n_stations, pk_places_bytes(plan), sizeof(struct pk_asker));
}

static enum pk_status print_bridge(const struct pk_model *model, const struct pk_scenario *scenario,
                                   struct pk_error *error)
{
    const struct pk_bridge *bridge = &scenario->bridge;
    struct pk_bridge_work work;
    enum pk_status status = pk_bridge_init(&work, model, scenario, NULL, 0, scenario->replications, error);
    if (status == PK_OK && bridge->n_steps > 0)
        printf("  bridge of %zu steps to %s of %s: %zu runs of %lld replications beside the scenario's own\n",
               bridge->n_steps, scenario->outcomes[bridge->i_outcome].name, scenario->arms[bridge->i_arm].name,
               work.n_runs, (long long)scenario->variant_replications);
    pk_bridge_free(&work);
    return status;
}

static void print_scenario(const struct pk_model *model, const struct pk_scenario *scenario, const struct pk_plan *plan,
                           const struct pk_collection *collection)
{
    printf("%s: scenario %s, %llu people, %lld replications, %g years from the start, %zu arms\n", scenario->file,
           scenario->name, (unsigned long long)plan->n_persons, (long long)scenario->replications,
           scenario->horizon_months / 12, plan->n_arms);
    for (size_t i = 0; i < scenario->n_tables; i++) {
        const struct pk_table *table = &scenario->tables[i];
        const struct pk_tally_shape *shape = &collection->shapes[collection->i_table_shape[i]];
        size_t n_rows = table->measure == PK_MEASURE_TRANSITIONS ? shape->n_arcs : shape->n_states;
        size_t n_columns =
            (size_t)((int64_t)scenario->horizon_months / table->step_months) + (table->measure == PK_MEASURE_OCCUPANCY);
        printf("  table %-20s %zu arms x %zu groups x %zu %s x %zu steps of %lld months = %zu cells\n", table->name,
               plan->n_arms, shape->n_groups, n_rows,
               table->measure == PK_MEASURE_TRANSITIONS ? "transitions" : "states", n_columns,
               (long long)table->step_months, plan->n_arms * shape->n_groups * n_rows * n_columns);
    }
    for (size_t i = 0; i < scenario->n_calibrations; i++)
        print_calibration(&scenario->calibrations[i]);
    print_places(plan, model);
    printf("  tallies %.1f MiB a unit of work; plan %016llx; strata: %zu, variants: %zu\n",
           (double)pk_collection_bytes(collection) / 1048576, (unsigned long long)pk_plan_digest(plan), plan->n_strata,
           scenario->n_variants);
}

/* A figure that is wanted with so much simulation error. */
struct wanted {
    char outcome[64]; /* "": none */
    double error;
};

static enum pk_status check_scenario(const char *path, const struct told *told, const struct wanted *wanted,
                                     struct pk_problems *problems, struct pk_error *error)
{
    struct pk_scenario scenario;
    struct pk_model model;
    struct pk_values values = {0};
    struct pk_plan plan;
    struct pk_collection collection;
    struct pk_text lines;
    enum pk_status status = pk_load_scenario(path, &pk_cli_load_options, &scenario, &model, problems);
    if (status != PK_OK)
        return status;
    pk_plan_init(&plan);
    pk_text_init(&lines);
    memset(&collection, 0, sizeof collection);
    status = pk_variants_values(&values, &model, &scenario, NULL, 0, NULL, 0, error);
    if (status == PK_OK)
        status = pk_plan_compile(&plan, &model, &scenario, &values, error);
    if (status == PK_OK)
        status = pk_collection_init(&collection, &plan, &model, &scenario, &values, error);
    if (status == PK_OK && pk_collection_bytes(&collection) > (UINT64_C(4) << 30))
        status = pk_error_set(error, PK_BAD_INPUT, "the tables need %.1f GiB for each unit of work, more than 4 GiB",
                              (double)pk_collection_bytes(&collection) / 1073741824);
    if (status == PK_OK && told->evidence) {
        status = pk_cli_print_ledger(path, &model, &scenario, error);
    } else if (status == PK_OK && !told->quiet) {
        print_model(&model, &values);
        print_scenario(&model, &scenario, &plan, &collection);
        status = print_bridge(&model, &scenario, error);
    }
    if (status == PK_OK && pk_variants_lowering(&plan, &model, &lines) > 0)
        fprintf(stderr, "warning: %s: %s", path, pk_text_string(&lines));
    if (status == PK_OK && wanted->outcome[0] != '\0') {
        struct pk_text text;
        pk_text_init(&text);
        status = pk_precision_tell(&plan, &model, &scenario, &values, wanted->outcome, wanted->error, &text, error);
        fputs(pk_text_string(&text), stdout);
        pk_text_free(&text);
    }
    if (status != PK_OK) {
        if (error->file[0] == '\0')
            snprintf(error->file, sizeof error->file, "%s", path);
        pk_problems_add(problems, error);
    }
    pk_text_free(&lines);
    pk_collection_free(&collection);
    pk_plan_free(&plan);
    pk_values_free(&values);
    pk_scenario_free(&scenario);
    pk_model_free(&model);
    return status;
}

static int run(int argc, char **argv)
{
    static const struct option options[] = {{"quiet", no_argument, NULL, 'q'},
                                            {"precision", required_argument, NULL, 'p'},
                                            {"evidence", no_argument, NULL, 'e'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    struct told told = {.quiet = false};
    struct wanted wanted = {.outcome = ""};
    for (int code; (code = pk_cli_option(&pk_command_check, argc, argv, options)) != -1;) {
        if (code == 'h')
            return 0;
        told.quiet |= code == 'q';
        told.evidence |= code == 'e';
        if (code == 'q' || code == 'e')
            continue;
        const char *equals = code == 'p' ? strchr(optarg, '=') : NULL;
        if (code != 'p')
            return pk_status_exit_code(PK_USAGE);
        if (equals == NULL || equals == optarg || (size_t)(equals - optarg) >= sizeof wanted.outcome ||
            !pk_text_to_double(equals + 1, &wanted.error))
            return pk_cli_usage(&pk_command_check, "--precision is \"%s\", expected OUTCOME=ERROR", optarg);
        snprintf(wanted.outcome, sizeof wanted.outcome, "%.*s", (int)(equals - optarg), optarg);
    }
    if (optind == argc)
        return pk_cli_usage(&pk_command_check, "expected at least one file");
    int worst = 0;
    for (int i = optind; i < argc; i++) {
        struct pk_problems problems;
        struct pk_error error;
        enum pk_file_kind kind;
        pk_problems_init(&problems);
        enum pk_status status = pk_load_kind(argv[i], &kind, &error);
        if (status != PK_OK)
            pk_problems_add(&problems, &error);
        else
            status = kind == PK_FILE_STUDY ? pk_cli_check_study(argv[i], told.quiet || told.evidence, &problems, &error)
                     : kind == PK_FILE_CLAIMS     ? pk_cli_check_claims(argv[i], told.quiet || told.evidence, &problems)
                     : kind == PK_FILE_CALIBRATED ? check_calibrated(argv[i], told.quiet || told.evidence, &problems)
                     : kind == PK_FILE_MODEL      ? check_model(argv[i], &told, &problems, &error)
                                                  : check_scenario(argv[i], &told, &wanted, &problems, &error);
        if (problems.n_found > 0 || status != PK_OK) {
            int code = pk_cli_problems(&problems, status);
            worst = code > worst ? code : worst;
        }
        pk_problems_free(&problems);
    }
    return worst;
}
