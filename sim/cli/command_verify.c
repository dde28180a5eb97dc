/* polku verify: the simulation held against the analytic twin. */
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "polku/variants.h"
#include "polku/verify.h"

static const char help[] =
    "Usage: polku verify [OPTION...] SCENARIO\n\n"
    "Simulates the scenario and solves it without simulation (forward equations in time and time in state), and "
    "prints\n"
    "both beside each other: the share of people in each state, by arm and time, with a z-score, and a verdict over "
    "all\n"
    "figures. Ages and times already spent are cut to a few points for both. An arm that the analytic twin cannot\n"
    "follow is named with the transition that is the reason. Exit code 4 where the two disagree.\n\n"
    "  -t, --threads N        default: all cores\n"
    "  -r, --replications N   instead of the scenario's; more find smaller faults\n"
    "      --people N         population size instead of the scenario's\n"
    "      --set NAME=VALUE   a parameter's value, or one of its alternatives by name; may be repeated\n"
    "      --times N          at most so many times (10)\n"
    "      --ages N           points of the age distribution (8)\n"
    "      --elapsed N        points of the time already spent in a state (4)\n"
    "      --brief            only the verdict\n"
    "      --json             everything as JSON\n"
    "  -h, --help\n\n"
    "Example:\n"
    "  polku verify configs/ref5.yaml --people 1000000\n";

static int run(int argc, char **argv);
const struct pk_command pk_command_verify = {"verify", "hold the simulation against an exact solution", help, run};

struct request {
    int64_t threads, replications, people, times, ages, elapsed;
    bool brief, json;
    int code; /* of what was found */
    struct pk_cli_sets sets;
};

/* Returns 0 to go on, or an exit code + 1. */
static int read_request(int argc, char **argv, struct request *request)
{
    static const struct option options[] = {{"threads", required_argument, NULL, 't'},
                                            {"replications", required_argument, NULL, 'r'},
                                            {"people", required_argument, NULL, 'p'},
                                            {"set", required_argument, NULL, 's'},
                                            {"times", required_argument, NULL, 'T'},
                                            {"ages", required_argument, NULL, 'A'},
                                            {"elapsed", required_argument, NULL, 'E'},
                                            {"brief", no_argument, NULL, 'b'},
                                            {"json", no_argument, NULL, 'j'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    const struct pk_command *self = &pk_command_verify;
    memset(request, 0, sizeof *request);
    for (int code; (code = pk_cli_option(self, argc, argv, options)) != -1;) {
        bool good = true;
        if (code == 'h')
            return 1;
        if (code == 'b')
            request->brief = true;
        else if (code == 'j')
            request->json = true;
        else if (code == 't')
            good = pk_cli_whole(self, "--threads", optarg, 1, 4096, &request->threads);
        else if (code == 'r')
            good = pk_cli_whole(self, "--replications", optarg, 1, (1 << 24) - 1, &request->replications);
        else if (code == 'p')
            good = pk_cli_whole(self, "--people", optarg, 1, (INT64_C(1) << 40) - 1, &request->people);
        else if (code == 'T')
            good = pk_cli_whole(self, "--times", optarg, 1, 60, &request->times);
        else if (code == 'A')
            good = pk_cli_whole(self, "--ages", optarg, 1, 1000, &request->ages);
        else if (code == 'E')
            good = pk_cli_whole(self, "--elapsed", optarg, 1, 1000, &request->elapsed);
        else if (code == 's')
            good = pk_cli_add_set(self, &request->sets, optarg);
        else
            good = false;
        if (!good)
            return 1 + pk_status_exit_code(PK_USAGE);
    }
    if (optind != argc - 1)
        return 1 + pk_cli_usage(self, "expected one scenario file, found %d", argc - optind);
    return 0;
}

static enum pk_status verify(struct pk_scenario *scenario, const struct pk_model *model, void *data,
                             struct pk_error *error)
{
    struct request *request = data;
    if (request->people > 0)
        scenario->population.size = (struct pk_number){.literal = (double)request->people, .i_parameter = SIZE_MAX};
    struct pk_values values;
    struct pk_verification verification;
    struct pk_progress progress;
    const struct pk_verify_request asked = {.n_ages = (size_t)request->ages,
                                            .n_elapsed = (size_t)request->elapsed,
                                            .n_times = (size_t)request->times,
                                            .n_threads = (int)request->threads,
                                            .n_replications = request->replications,
                                            .progress = pk_progress_tell,
                                            .progress_data = &progress};
    enum pk_status status =
        pk_variants_values(&values, model, scenario, request->sets.items, request->sets.n, NULL, 0, error);
    if (status != PK_OK)
        return status;
    pk_progress_begin(&progress, "verifying");
    status = pk_verify_run(&verification, model, scenario, &values, &asked, error);
    pk_progress_end(&progress);
    pk_values_free(&values);
    if (status != PK_OK)
        return status;
    struct pk_text text;
    pk_text_init(&text);
    if (request->json)
        pk_verify_json(&verification, model, scenario, &text);
    else
        pk_verify_print(&verification, model, scenario, request->brief, &text);
    fputs(pk_text_string(&text), stdout);
    pk_text_free(&text);
    request->code = verification.passed ? 0 : pk_status_exit_code(PK_NUMERICAL);
    pk_verify_free(&verification);
    return PK_OK;
}

static int run(int argc, char **argv)
{
    struct request request;
    int stop = read_request(argc, argv, &request);
    if (stop != 0)
        return stop - 1;
    int code = pk_cli_with_scenario(argv[optind], verify, &request);
    return code != 0 ? code : request.code;
}
