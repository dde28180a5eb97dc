/* polku calibrate: fit free parameters to targets, and say what the targets cannot tell. */
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "polku/calibrate.h"
#include "polku/file.h"

static const char help[] =
    "Usage: polku calibrate [OPTION...] STUDY\n\n"
    "Fits the study's free parameters to its targets: by the analytic twin wherever it follows them, else by\n"
    "simulation on common random numbers. Tells all answers that fit, which parameters or combinations the targets do\n"
    "not see, targets that cannot be met, and 95 % intervals by profile likelihood and by a sample of the posterior.\n"
    "Writes STEM.yaml, which scenarios name under `calibrated`, and STEM.h5 with the sample, profiles and targets.\n\n"
    "  -o, --output STEM      where to; default outputs/NAME of the study\n"
    "  -t, --threads N        default: all cores; the answer does not depend on it\n"
    "      --draws N          of the sample, instead of the study's\n"
    "      --starts N         of the search, instead of the study's\n"
    "      --no-simulation    do not simulate the scenario at the answer\n"
    "      --json             everything as JSON on the standard output\n"
    "  -h, --help\n\n"
    "The first lines, marked with !, are what whoever uses the answer must know; run and compare carry them on.\n\n"
    "Example:\n"
    "  polku calibrate configs/studies/kuntoutustuki.yaml\n";

static int run(int argc, char **argv);
const struct pk_command pk_command_calibrate = {"calibrate", "fit parameters to targets, and what they cannot tell",
                                                help, run};

struct request {
    const char *output;
    int64_t threads, draws, starts;
    bool simulate, json;
};

/* Returns 0 to go on, or an exit code + 1. */
static int read_request(int argc, char **argv, struct request *request)
{
    static const struct option options[] = {
        {"output", required_argument, NULL, 'o'},  {"threads", required_argument, NULL, 't'},
        {"draws", required_argument, NULL, 'd'},   {"starts", required_argument, NULL, 's'},
        {"no-simulation", no_argument, NULL, 'n'}, {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},          {NULL, 0, NULL, 0}};
    const struct pk_command *self = &pk_command_calibrate;
    *request = (struct request){.simulate = true};
    for (int code; (code = pk_cli_option(self, argc, argv, options)) != -1;) {
        bool good = true;
        if (code == 'h')
            return 1;
        if (code == 'o')
            request->output = optarg;
        else if (code == 't')
            good = pk_cli_whole(self, "--threads", optarg, 1, 4096, &request->threads);
        else if (code == 'd')
            good = pk_cli_whole(self, "--draws", optarg, 10, 1000000, &request->draws);
        else if (code == 's')
            good = pk_cli_whole(self, "--starts", optarg, 1, 10000, &request->starts);
        else if (code == 'n')
            request->simulate = false;
        else if (code == 'j')
            request->json = true;
        else
            good = false;
        if (!good)
            return 1 + pk_status_exit_code(PK_USAGE);
    }
    if (optind != argc - 1)
        return 1 + pk_cli_usage(self, "expected one study file, found %d", argc - optind);
    return 0;
}

static void tell_progress(const char *what, double done, void *data)
{
    struct pk_progress *progress = data;
    progress->what = what;
    pk_progress_tell(done, progress);
}

/* Both files, the sample first: the parameters are there only with it. */
static enum pk_status write_files(const struct pk_answer *answer, const char *stem, struct pk_error *error)
{
    char path[4096];
    struct pk_text text;
    snprintf(path, sizeof path, "%s.h5", stem);
    enum pk_status status = pk_answer_save(answer, path, error);
    if (status != PK_OK)
        return status;
    pk_text_init(&text);
    pk_answer_yaml(answer, &text);
    snprintf(path, sizeof path, "%s.yaml", stem);
    status = text.failed ? pk_error_set(error, PK_NO_MEMORY, "no memory to write the calibration")
                         : pk_file_write(path, pk_text_string(&text), text.size, error);
    pk_text_free(&text);
    return status;
}

/* What stands under the name already may be an earlier answer, and nothing else. */
static enum pk_status check_output(const char *stem, struct pk_error *error)
{
    char path[4096];
    struct pk_error missing;
    enum pk_file_kind kind;
    snprintf(path, sizeof path, "%s.yaml", stem);
    if (pk_load_kind(path, &kind, &missing) != PK_OK || kind == PK_FILE_CALIBRATED)
        return PK_OK;
    return pk_error_set(error, PK_BAD_INPUT, "%s is there and is no file of calibrated parameters: not overwritten",
                        path);
}

static enum pk_status work(const struct request *request, struct pk_study *study, const struct pk_scenario *scenario,
                           const struct pk_model *model, struct pk_error *error)
{
    struct pk_progress progress;
    char stem[4000];
    const struct pk_calibrate_request asked = {.n_threads = (int)request->threads,
                                               .simulate = request->simulate,
                                               .progress = tell_progress,
                                               .progress_data = &progress};
    struct pk_answer *answer = pk_alloc(1, sizeof *answer);
    if (answer == NULL)
        return pk_error_set(error, PK_NO_MEMORY, "no memory for the calibration");
    study->draws = request->draws > 0 ? request->draws : study->draws;
    study->starts = request->starts > 0 ? request->starts : study->starts;
    snprintf(stem, sizeof stem, "%s%s", request->output != NULL ? "" : "outputs/",
             request->output != NULL ? request->output : study->name);
    enum pk_status status = check_output(stem, error);
    if (status != PK_OK) {
        pk_free(answer);
        return status;
    }
    pk_progress_begin(&progress, "searching");
    status = pk_calibrate(answer, study, scenario, model, &asked, error);
    pk_progress_end(&progress);
    if (status == PK_OK) {
        struct pk_text text;
        pk_text_init(&text);
        if (request->json)
            pk_answer_json(answer, &text);
        else
            pk_answer_print(answer, &text);
        fputs(pk_text_string(&text), stdout);
        pk_text_free(&text);
        status = write_files(answer, stem, error);
        if (status == PK_OK)
            fprintf(stderr, "%s.yaml and %s.h5 written\n", stem, stem);
        pk_answer_free(answer);
    }
    pk_free(answer);
    return status;
}

static int run(int argc, char **argv)
{
    struct request request;
    struct pk_study study;
    struct pk_scenario scenario;
    struct pk_model model;
    struct pk_problems problems;
    struct pk_error error;
    int code = read_request(argc, argv, &request);
    if (code != 0)
        return code - 1;
    pk_problems_init(&problems);
    enum pk_status status = pk_load_study(argv[optind], &pk_cli_load_options, &study, &scenario, &model, &problems);
    code = status != PK_OK || problems.n_found > 0 ? pk_cli_problems(&problems, status) : 0;
    if (status == PK_OK) {
        status = work(&request, &study, &scenario, &model, &error);
        if (status != PK_OK) {
            if (error.file[0] == '\0' && status == PK_BAD_INPUT)
                snprintf(error.file, sizeof error.file, "%.255s", argv[optind]);
            code = pk_cli_fail(&error);
        }
        pk_study_free(&study);
        pk_scenario_free(&scenario);
        pk_model_free(&model);
    }
    pk_problems_free(&problems);
    return code;
}
