/* polku coaches: what the next coach gives. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "polku/coaches.h"
#include "polku/variants.h"

static const char help[] =
    "Usage: polku coaches [OPTION...] --service NAME --arm NAME --outcome NAME --coaches FROM:TO:STEP SCENARIO\n\n"
    "Runs the scenario with more and more coaches in one arm, on the same random numbers, and prints what each coach\n"
    "more gives: people served, days in line, the outcome and its gain by coach with its simulation error. Coaches of\n"
    "all places together are meant, when there are most of them; places keep their proportions, and each region's are\n"
    "rounded to a whole number: few coaches in many regions may make more or fewer places than coaches x caseload.\n"
    "\"next coach\" is the average over the step from the line above, of the outcome over the whole time; "
    "\"euros/unit\"\n"
    "is what coaches cost more than in the line above, undiscounted, for each unit of the outcome more.\n\n"
    "      --service NAME          a service with places\n"
    "      --arm NAME              the arm that has them\n"
    "      --against NAME          tell the outcome's difference from this arm\n"
    "      --outcome NAME          an outcome of the scenario\n"
    "      --coaches FROM:TO:STEP  such as 10:80:10\n"
    "      --gain G                say where the next coach, on average over the step, gives less than G\n"
    "  -t, --threads N             default: all cores\n"
    "  -r, --replications N        instead of the scenario's\n"
    "      --set NAME=VALUE        a parameter's value, or one of its alternatives by name; may be repeated\n"
    "      --json                  everything as JSON\n"
    "  -h, --help\n\n"
    "Example:\n"
    "  polku coaches configs/latu.yaml --service latu --arm many --against none --outcome work --coaches 20:100:20 "
    "--gain 50\n";

static int run(int argc, char **argv);
const struct pk_command pk_command_coaches = {"coaches", "what the next coach of a service gives", help, run};

struct request {
    const char *service, *arm, *against, *outcome;
    double from, to, step, gain;
    int64_t threads, replications;
    bool json;
    struct pk_cli_sets sets;
};

static bool read_numbers(const char *option, const char *text, double *numbers, size_t n)
{
    const char *at = text;
    for (size_t i = 0; i < n; i++) {
        char *end;
        numbers[i] = strtod(at, &end);
        const bool last = i + 1 == n;
        if (end == at || !isfinite(numbers[i]) || numbers[i] < 0 || *end != (last ? '\0' : ':')) {
            pk_cli_usage(&pk_command_coaches, "%s is \"%s\", expected %s", option, text,
                         n == 1 ? "a number" : "FROM:TO:STEP, such as 10:80:10");
            return false;
        }
        at = end + 1;
    }
    return true;
}

static bool read_coaches(const char *text, struct request *request)
{
    double numbers[3];
    if (!read_numbers("--coaches", text, numbers, 3))
        return false;
    request->from = numbers[0];
    request->to = numbers[1];
    request->step = numbers[2];
    if (request->step > 0 && request->to >= request->from &&
        (request->to - request->from) / request->step < PK_COACHES_MAX_POINTS)
        return true;
    pk_cli_usage(&pk_command_coaches, "--coaches is \"%s\", expected 1 to %d points going up", text,
                 PK_COACHES_MAX_POINTS);
    return false;
}

/* Returns 0 to go on, or an exit code + 1. */
static int read_request(int argc, char **argv, struct request *request)
{
    static const struct option options[] = {
        {"service", required_argument, NULL, 'S'}, {"arm", required_argument, NULL, 'a'},
        {"against", required_argument, NULL, 'A'}, {"outcome", required_argument, NULL, 'o'},
        {"coaches", required_argument, NULL, 'c'}, {"gain", required_argument, NULL, 'g'},
        {"threads", required_argument, NULL, 't'}, {"replications", required_argument, NULL, 'r'},
        {"set", required_argument, NULL, 's'},     {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},          {NULL, 0, NULL, 0}};
    const struct pk_command *self = &pk_command_coaches;
    memset(request, 0, sizeof *request);
    for (int code; (code = pk_cli_option(self, argc, argv, options)) != -1;) {
        bool good = true;
        switch (code) {
        case 'h':
            return 1;
        case 'S':
            request->service = optarg;
            break;
        case 'a':
            request->arm = optarg;
            break;
        case 'A':
            request->against = optarg;
            break;
        case 'o':
            request->outcome = optarg;
            break;
        case 'c':
            good = read_coaches(optarg, request);
            break;
        case 'g':
            good = read_numbers("--gain", optarg, &request->gain, 1);
            break;
        case 't':
            good = pk_cli_whole(self, "--threads", optarg, 1, 4096, &request->threads);
            break;
        case 'r':
            good = pk_cli_whole(self, "--replications", optarg, 2, (1 << 24) - 1, &request->replications);
            break;
        case 's':
            good = pk_cli_add_set(self, &request->sets, optarg);
            break;
        case 'j':
            request->json = true;
            break;
        default:
            good = false;
        }
        if (!good)
            return 1 + pk_status_exit_code(PK_USAGE);
    }
    if (optind != argc - 1)
        return 1 + pk_cli_usage(self, "expected one scenario file, found %d", argc - optind);
    if (!request->service || !request->arm || !request->outcome || !(request->step > 0))
        return 1 + pk_cli_usage(self, "--service, --arm, --outcome and --coaches are needed");
    return 0;
}

static enum pk_status find_all(const struct request *request, const struct pk_model *model,
                               const struct pk_scenario *scenario, struct pk_coaches_request *asked,
                               struct pk_error *error)
{
    const char *names[PK_MAX_SERVICES];
    for (size_t i = 0; i < model->n_services; i++)
        names[i] = model->services[i].name;
    asked->i_service = pk_model_service(model, request->service);
    if (asked->i_service == SIZE_MAX)
        return pk_text_unknown(error, "service", request->service, names, model->n_services);
    enum pk_status status = pk_scenario_arm(scenario, request->arm, &asked->i_arm, error);
    asked->i_against = SIZE_MAX;
    if (status == PK_OK && request->against != NULL)
        status = pk_scenario_arm(scenario, request->against, &asked->i_against, error);
    if (status == PK_OK)
        status = pk_scenario_outcome(scenario, request->outcome, &asked->i_outcome, error);
    if (status == PK_OK && pk_outcome_is_ratio(&scenario->outcomes[asked->i_outcome]))
        return pk_error_set(error, PK_BAD_INPUT, "the outcome %s is a ratio, which no coach adds to", request->outcome);
    return status;
}

static enum pk_status work(struct pk_scenario *scenario, const struct pk_model *model, void *data,
                           struct pk_error *error)
{
    const struct request *request = data;
    struct pk_progress progress;
    struct pk_values values;
    struct pk_coaches_request asked = {.from = request->from,
                                       .to = request->to,
                                       .step = request->step,
                                       .gain = request->gain,
                                       .n_threads = (int)request->threads,
                                       .n_replications = request->replications,
                                       .progress = pk_progress_tell,
                                       .progress_data = &progress};
    struct pk_coaches *coaches = pk_alloc(1, sizeof *coaches);
    if (coaches == NULL)
        return pk_error_set(error, PK_NO_MEMORY, "no memory for the sweep");
    enum pk_status status = find_all(request, model, scenario, &asked, error);
    if (status == PK_OK)
        status = pk_variants_values(&values, model, scenario, request->sets.items, request->sets.n, NULL, 0, error);
    if (status != PK_OK) {
        pk_free(coaches);
        return status;
    }
    pk_progress_begin(&progress, "sweeping");
    status = pk_coaches_run(coaches, model, scenario, &values, &asked, error);
    pk_progress_end(&progress);
    pk_values_free(&values);
    if (status == PK_OK) {
        struct pk_text text;
        pk_text_init(&text);
        if (request->json)
            pk_coaches_json(coaches, &text);
        else
            pk_coaches_print(coaches, model, scenario, &asked, &text);
        fputs(pk_text_string(&text), stdout);
        pk_text_free(&text);
    }
    pk_free(coaches);
    return status;
}

static int run(int argc, char **argv)
{
    struct request request;
    int stop = read_request(argc, argv, &request);
    return stop != 0 ? stop - 1 : pk_cli_with_scenario(argv[optind], work, &request);
}
