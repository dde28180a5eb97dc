/* polku run: simulates a scenario and writes its result file. */
#include <stdio.h>
#include <string.h>

#include "polku/trace.h"
#include "simulate.h"

static const char help[] =
    "Usage: polku run [OPTION...] SCENARIO\n\n"
    "Simulates a scenario and writes one HDF5 file, whole or not at all. The result does not depend on the number of\n"
    "threads or the size of blocks. A run that is interrupted leaves finished replications in FILE.part; the same "
    "command\n"
    "takes them up.\n\n"
    "  -o, --output FILE      where to; default outputs/NAME.h5\n"
    "  -t, --threads N        default: all cores; one for few lives\n"
    "  -r, --replications N   instead of the scenario's\n"
    "      --people N         population size instead of the scenario's\n"
    "      --set NAME=VALUE   a parameter's value, or one of its alternatives by name; may be repeated\n"
    "      --no-variants      leave out the scenario's variants, ranges and bridge\n"
    "      --block N          people a task, instead of what keeps all threads busy\n"
    "      --vectors NAME     instruction set of the loops: auto (the widest there is), avx512, avx2, plain, or none\n"
    "                         (one life after another, the reference); the result is the same\n"
    "      --stages           tell what each stage of the simulation costs\n"
    "      --keep-every SECONDS  how often finished replications are kept for the case of an interruption (20)\n"
    "      --person ID        nothing is written: one person's life in every arm is printed as a story\n"
    "      --trace            the same; without --person of person 0\n"
    "      --replication N    ... of this replication (0)\n"
    "      --json             tell what was done as JSON\n"
    "  -h, --help\n\n"
    "Example:\n"
    "  polku run configs/ips-vs-typ.yaml -o outputs/ips.h5 && polku compare outputs/ips.h5\n"
    "  polku run configs/ips-vs-typ.yaml --person 17 --trace\n";

struct request {
    const char *scenario_path, *output;
    int64_t threads, replications, people, block, keep, person, replication;
    bool variants, json, trace, stages;
    enum pk_vectors vectors;
    struct pk_cli_sets sets;
};

static int run(int argc, char **argv);
const struct pk_command pk_command_run = {"run", "simulate a scenario and write its result file", help, run};

static bool read_vectors(const char *name, enum pk_vectors *vectors)
{
    for (enum pk_vectors v = PK_VECTORS_AUTO; v < PK_VECTORS_COUNT; v++)
        if (strcmp(name, pk_vectors_names[v]) == 0) {
            *vectors = v;
            if (pk_vectors_available(v))
                return true;
            pk_cli_usage(&pk_command_run, "this processor has no %s", name);
            return false;
        }
    pk_cli_usage(&pk_command_run, "--vectors: found \"%s\", expected auto, none, plain, avx2 or avx512", name);
    return false;
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
                                            {"keep-every", required_argument, NULL, 'k'},
                                            {"person", required_argument, NULL, 'P'},
                                            {"replication", required_argument, NULL, 'R'},
                                            {"trace", no_argument, NULL, 'T'},
                                            {"vectors", required_argument, NULL, 'V'},
                                            {"stages", no_argument, NULL, 'S'},
                                            {"json", no_argument, NULL, 'j'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    *request = (struct request){.variants = true, .keep = 20};
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
            good = pk_cli_add_set(&pk_command_run, &request->sets, optarg);
            break;
        case 'n':
            request->variants = false;
            break;
        case 'k':
            good = pk_cli_whole(&pk_command_run, "--keep-every", optarg, 0, 1000000, &request->keep);
            break;
        case 'P':
            good = pk_cli_whole(&pk_command_run, "--person", optarg, 0, (INT64_C(1) << 40) - 1, &request->person);
            request->trace = true;
            break;
        case 'R':
            good = pk_cli_whole(&pk_command_run, "--replication", optarg, 0, (1 << 24) - 1, &request->replication);
            break;
        case 'T':
            request->trace = true;
            break;
        case 'V':
            good = read_vectors(optarg, &request->vectors);
            break;
        case 'S':
            request->stages = true;
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

/* Nanoseconds of one thread a transition; "other" is what no stage has: lotteries, folding, waiting. */
static void tell_stages(const struct request *request, const struct pk_stages *stages,
                        const struct pk_simulate_summary *done, struct pk_text *text)
{
    const double per_event = done->n_events > 0 ? 1e9 / (double)done->n_events : 0;
    double other = done->seconds * done->n_threads;
    pk_text_put(text, request->json ? ", \"stages_ns\": {" : "ns a transition:");
    for (enum pk_stage s = 0; s < PK_STAGE_COUNT; s++) {
        const double seconds = (double)stages->spent[s] / done->ticks_per_second;
        other -= seconds;
        pk_text_addf(text, request->json ? "\"%s\": %.3f, " : " %s %.2f,", pk_stage_names[s], seconds * per_event);
    }
    pk_text_addf(text, request->json ? "\"other\": %.3f, \"write\": %.3f}" : " other %.2f, write %.2f\n",
                 other * per_event, done->write_seconds * per_event);
    if (stages->n_calendar == 0)
        return;
    const double calendar = (double)stages->spent[PK_STAGE_PLACES] / done->ticks_per_second;
    pk_text_addf(text,
                 request->json ? ", \"calendar_events\": %llu, \"calendar_ns\": %.3f"
                               : "calendars: %llu events (requests, places given, departures, transitions in between), "
                                 "%.1f ns each\n",
                 (unsigned long long)stages->n_calendar, 1e9 * calendar / (double)stages->n_calendar);
}

static void tell(const struct request *request, const char *output, const struct pk_stages *stages,
                 const struct pk_simulate_summary *done)
{
    double ns = done->n_events > 0 ? done->seconds * 1e9 * done->n_threads / (double)done->n_events : 0;
    struct pk_text text;
    pk_text_init(&text);
    if (request->json) {
        pk_text_put(&text, "{\"output\": ");
        pk_text_add_json_string(&text, output);
        pk_text_addf(&text,
                     ", \"digest\": \"%s\", \"persons\": %llu, \"replications\": %lld, \"transitions\": %lld, "
                     "\"variants\": %zu, \"threads\": %d, \"seconds\": ",
                     done->digest, (unsigned long long)done->n_persons, (long long)done->n_replications,
                     (long long)done->n_events, done->n_variants, done->n_threads);
        pk_text_add_json_number(&text, done->seconds);
        if (request->stages)
            tell_stages(request, stages, done, &text);
        pk_text_put(&text, "}\n");
    } else {
        pk_text_addf(&text, "%llu people, %lld replications, %lld transitions in %.2f s on %d threads (%.1f ns each)\n",
                     (unsigned long long)done->n_persons, (long long)done->n_replications, (long long)done->n_events,
                     done->seconds, done->n_threads, ns);
        if (done->n_variants > 0)
            pk_text_addf(&text, "%zu variants on the same random numbers\n", done->n_variants);
        if (request->stages)
            tell_stages(request, stages, done, &text);
        pk_text_addf(&text, "result: %s\ndigest: %s\n", output, done->digest);
    }
    fputs(pk_text_string(&text), stdout);
    pk_text_free(&text);
}

/* One life as a story. */
static enum pk_status trace(struct pk_scenario *scenario, const struct pk_model *model, void *data,
                            struct pk_error *error)
{
    const struct request *request = data;
    struct pk_values values;
    struct pk_plan plan;
    struct pk_text text;
    if (request->people > 0)
        scenario->population.size = (struct pk_number){.literal = (double)request->people, .i_parameter = SIZE_MAX};
    enum pk_status status =
        pk_variants_values(&values, model, scenario, request->sets.items, request->sets.n, NULL, 0, error);
    if (status != PK_OK)
        return status;
    pk_plan_init(&plan);
    pk_text_init(&text);
    status = pk_plan_compile(&plan, model, scenario, &values, error);
    if (status == PK_OK)
        status = pk_trace_person(&plan, model, scenario, (uint32_t)request->replication, (uint64_t)request->person, 2,
                                 &text, error);
    if (status == PK_OK)
        fputs(pk_text_string(&text), stdout);
    pk_text_free(&text);
    pk_plan_free(&plan);
    pk_values_free(&values);
    return status;
}

static enum pk_status simulate(struct pk_scenario *scenario, const struct pk_model *model, void *data,
                               struct pk_error *error)
{
    const struct request *request = data;
    char default_output[512];
    struct pk_simulate_summary summary;
    struct pk_stages stages = {.on = true};
    struct pk_simulate_request asked = {.output = request->output,
                                        .threads = request->threads,
                                        .replications = request->replications,
                                        .people = request->people,
                                        .block = request->block,
                                        .variants = request->variants,
                                        .vectors = request->vectors,
                                        .stages = request->stages ? &stages : NULL,
                                        .keep_seconds = request->keep,
                                        .sets = request->sets.items,
                                        .n_sets = request->sets.n};
    if (asked.output == NULL) {
        snprintf(default_output, sizeof default_output, "outputs/%s.h5", scenario->name);
        asked.output = default_output;
    }
    enum pk_status status = pk_simulate(&asked, model, scenario, &summary, error);
    if (status == PK_OK)
        tell(request, asked.output, &stages, &summary);
    return status;
}

static int run(int argc, char **argv)
{
    struct request request;
    int stop = read_request(argc, argv, &request);
    return stop != 0 ? stop - 1
                     : pk_cli_with_scenario(request.scenario_path, request.trace ? trace : simulate, &request);
}
