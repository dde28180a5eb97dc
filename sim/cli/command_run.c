/* polku run: simulates a scenario and writes its result file. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"
#include "polku/variants.h"

static const char help[] =
    "Usage: polku run [OPTION...] SCENARIO\n\n"
    "Simulates a scenario and writes one HDF5 file, whole or not at all. The result does not depend on the number of\n"
    "threads or the size of blocks.\n\n"
    "  -o, --output FILE      where to; default outputs/NAME.h5\n"
    "  -t, --threads N        default: all cores\n"
    "  -r, --replications N   instead of the scenario's\n"
    "      --people N         population size instead of the scenario's\n"
    "      --set NAME=VALUE   a parameter's value, or one of its alternatives by name; may be repeated\n"
    "      --no-variants      leave out the scenario's variants and ranges\n"
    "      --block N          people a task (4096)\n"
    "      --json             tell what was done as JSON\n"
    "  -h, --help\n\n"
    "Example:\n"
    "  polku run configs/ips-vs-typ.yaml -o outputs/ips.h5 && polku compare outputs/ips.h5\n";

struct request {
    const char *scenario_path, *output;
    int64_t threads, replications, people, block;
    bool variants, json;
    struct pk_set sets[PK_MAX_SETS];
    size_t n_sets;
    char texts[PK_MAX_SETS][256];
};

static int run(int argc, char **argv);
const struct pk_command pk_command_run = {"run", "simulate a scenario and write its result file", help, run};

static int add_set(struct request *request, const char *text)
{
    char *copy = request->texts[request->n_sets];
    if (request->n_sets == PK_MAX_SETS)
        return pk_cli_usage(&pk_command_run, "at most %d --set are allowed", PK_MAX_SETS);
    snprintf(copy, sizeof request->texts[0], "%s", text);
    char *equals = strchr(copy, '=');
    if (equals == NULL || equals == copy || equals[1] == '\0')
        return pk_cli_usage(&pk_command_run, "--set is \"%s\", expected NAME=VALUE", text);
    *equals = '\0';
    request->sets[request->n_sets].parameter = copy;
    request->sets[request->n_sets++].to = equals + 1;
    return 0;
}

/* Returns 0 to go on, or an exit code + 1. */
static int read_request(int argc, char **argv, struct request *request)
{
    static const struct option options[] = {{"output", required_argument, NULL, 'o'},
                                            {"threads", required_argument, NULL, 't'},
                                            {"replications", required_argument, NULL, 'r'},
                                            {"people", required_argument, NULL, 'p'},
                                            {"set", required_argument, NULL, 's'},
                                            {"no-variants", no_argument, NULL, 'n'},
                                            {"block", required_argument, NULL, 'b'},
                                            {"json", no_argument, NULL, 'j'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    *request = (struct request){.variants = true};
    for (;;) {
        bool good = true;
        int code = pk_cli_option(&pk_command_run, argc, argv, options);
        if (code == -1)
            break;
        switch (code) {
        case 'o':
            request->output = optarg;
            break;
        case 't':
            good = pk_cli_whole(&pk_command_run, "--threads", optarg, 1, 4096, &request->threads);
            break;
        case 'r':
            good = pk_cli_whole(&pk_command_run, "--replications", optarg, 1, (1 << 24) - 1, &request->replications);
            break;
        case 'p':
            good = pk_cli_whole(&pk_command_run, "--people", optarg, 1, (INT64_C(1) << 40) - 1, &request->people);
            break;
        case 'b':
            good = pk_cli_whole(&pk_command_run, "--block", optarg, 1, 1 << 30, &request->block);
            break;
        case 's':
            good = add_set(request, optarg) == 0;
            break;
        case 'n':
            request->variants = false;
            break;
        case 'j':
            request->json = true;
            break;
        case 'h':
            return 1;
        default:
            good = false;
        }
        if (!good)
            return 1 + pk_status_exit_code(PK_USAGE);
    }
    if (optind != argc - 1)
        return 1 + pk_cli_usage(&pk_command_run, "expected one scenario file, found %d", argc - optind);
    request->scenario_path = argv[optind];
    return 0;
}

static void tell(const struct request *request, const struct pk_run *done, const struct pk_plan *plan,
                 const char *output, const char *digest, size_t n_variants)
{
    double ns = done->fold.n_events > 0 ? done->seconds * 1e9 * done->n_threads / (double)done->fold.n_events : 0;
    struct pk_text text;
    pk_text_init(&text);
    if (request->json) {
        pk_text_put(&text, "{\"output\": ");
        pk_text_add_json_string(&text, output);
        pk_text_addf(&text,
                     ", \"digest\": \"%s\", \"persons\": %llu, \"replications\": %lld, \"transitions\": %lld, "
                     "\"variants\": %zu, \"threads\": %d, \"seconds\": ",
                     digest, (unsigned long long)plan->n_persons, (long long)done->n_replications,
                     (long long)done->fold.n_events, n_variants, done->n_threads);
        pk_text_add_json_number(&text, done->seconds);
        pk_text_put(&text, "}\n");
    } else {
        pk_text_addf(&text, "%llu people, %lld replications, %lld transitions in %.2f s on %d threads (%.1f ns each)\n",
                     (unsigned long long)plan->n_persons, (long long)done->n_replications,
                     (long long)done->fold.n_events, done->seconds, done->n_threads, ns);
        if (n_variants > 0)
            pk_text_addf(&text, "%zu variants on the same random numbers\n", n_variants);
        pk_text_addf(&text, "result: %s\ndigest: %s\n", output, digest);
    }
    fputs(pk_text_string(&text), stdout);
    pk_text_free(&text);
}

/* Before the work: could the result get its name afterwards? */
static enum pk_status check_output(const char *output, struct pk_error *error)
{
    char directory[4096];
    struct stat about;
    snprintf(directory, sizeof directory, "%s", output);
    char *slash = strrchr(directory, '/');
    if (slash == NULL)
        snprintf(directory, sizeof directory, ".");
    else
        slash[slash == directory] = '\0';
    enum pk_status status = PK_OK;
    if (output[0] == '\0')
        return pk_error_set(error, PK_IO, "the name of the result file is empty");
    if (stat(output, &about) == 0 && S_ISDIR(about.st_mode))
        status = pk_error_set(error, PK_IO, "is a directory, expected the name of a file");
    else if (access(directory, W_OK | X_OK) != 0)
        status = pk_error_set(error, PK_IO, "cannot create the file: %s", strerror(errno));
    if (status != PK_OK)
        snprintf(error->file, sizeof error->file, "%.255s", output);
    return status;
}

/* Everything after loading. */
static enum pk_status simulate(const struct request *request, const struct pk_model *model,
                               struct pk_scenario *scenario, struct pk_error *error)
{
    struct pk_values values = {0};
    struct pk_plan plan;
    struct pk_run done = {0};
    struct pk_variants variants = {0};
    struct pk_progress progress;
    struct pk_text warnings;
    char default_output[512], digest[65] = "";
    const char *output = request->output;
    struct pk_run_options options = {.n_threads = (int)request->threads,
                                     .block_size = (uint64_t)request->block,
                                     .n_replications = request->replications,
                                     .progress = pk_progress_tell,
                                     .progress_data = &progress};
    if (output == NULL) {
        snprintf(default_output, sizeof default_output, "outputs/%s.h5", scenario->name);
        output = default_output;
    }
    if (request->people > 0)
        scenario->population.size = (struct pk_number){.literal = (double)request->people, .i_parameter = SIZE_MAX};
    if (request->replications > 0 && request->replications < scenario->variant_replications)
        scenario->variant_replications = request->replications;
    pk_text_init(&warnings);
    pk_plan_init(&plan);
    enum pk_status status = check_output(output, error);
    if (status == PK_OK)
        status = pk_variants_values(&values, model, scenario, request->sets, request->n_sets, NULL, 0, error);
    if (status == PK_OK)
        status = pk_plan_compile(&plan, model, scenario, &values, error);
    if (status == PK_OK) {
        pk_variants_lowering(&plan, model, &warnings);
        if (warnings.size > 0)
            fprintf(stderr, "warning: %s", pk_text_string(&warnings));
        pk_progress_begin(&progress, "simulating");
        status = pk_run_simulate(&done, &plan, model, scenario, &values, &options, error);
        pk_progress_end(&progress);
    }
    if (status == PK_OK && request->variants) {
        pk_progress_begin(&progress, "variants");
        status = pk_variants_run(&variants, model, scenario, request->sets, request->n_sets, &options, error);
        pk_progress_end(&progress);
    }
    if (status == PK_OK) {
        struct pk_store store = {.run = &done,
                                 .model = model,
                                 .scenario = scenario,
                                 .values = &values,
                                 .plan = &plan,
                                 .n_variants = variants.n,
                                 .variants = variants.items,
                                 .n_sets = request->n_sets,
                                 .sets = request->sets,
                                 .command = pk_cli_command_line,
                                 .warnings = pk_text_string(&warnings)};
        status = pk_store_save(&store, output, digest, error);
    }
    if (status == PK_OK)
        tell(request, &done, &plan, output, digest, variants.n);
    pk_text_free(&warnings);
    pk_variants_free(&variants);
    pk_run_free(&done);
    pk_plan_free(&plan);
    pk_values_free(&values);
    return status;
}

static int run(int argc, char **argv)
{
    struct request request;
    int stop = read_request(argc, argv, &request);
    if (stop != 0)
        return stop - 1;
    struct pk_scenario scenario;
    struct pk_model model;
    struct pk_problems problems;
    struct pk_error error;
    pk_problems_init(&problems);
    enum pk_status status = pk_load_scenario(request.scenario_path, &scenario, &model, &problems);
    int code = 0;
    if (status != PK_OK || problems.n_found > 0)
        code = pk_cli_problems(&problems, status);
    if (status == PK_OK) {
        status = simulate(&request, &model, &scenario, &error);
        if (status != PK_OK) {
            if (error.file[0] == '\0' && status == PK_BAD_INPUT)
                snprintf(error.file, sizeof error.file, "%s", request.scenario_path);
            code = pk_cli_fail(&error);
        }
        pk_scenario_free(&scenario);
        pk_model_free(&model);
    }
    pk_problems_free(&problems);
    return code;
}
