/* polku calibrate: fit free parameters to targets, and say what the targets cannot tell. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"
#include "polku/calibrate.h"
#include "polku/results.h"

enum { STEM_SIZE = 4000, NAME_LONGEST = 220 };

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

/* What stands under a name already may be of an earlier answer, and nothing else. */
static enum pk_status check_there(const char *path, bool sample, struct pk_error *error)
{
    enum pk_file_kind kind = PK_FILE_MODEL;
    struct pk_results *results = NULL;
    struct pk_error unread;
    struct stat about;
    char *study = NULL;
    bool ours = false;
    if (stat(path, &about) != 0)
        return PK_OK;
    if (!sample) {
        ours = pk_load_kind(path, &kind, &unread) == PK_OK && kind == PK_FILE_CALIBRATED;
    } else if (pk_results_open(path, &results, &unread) == PK_OK) {
        ours = pk_results_read_text(results, "/", "calibrated", &study, &unread) == PK_OK &&
               pk_results_has(results, "/sample");
        pk_free(study);
        pk_results_close(results);
    }
    if (ours)
        return PK_OK;
    (void)pk_error_set(error, PK_BAD_INPUT, "is there and is no %s: not overwritten",
                       sample ? "sample of a calibration" : "file of calibrated parameters");
    snprintf(error->file, sizeof error->file, "%.255s", path);
    return PK_BAD_INPUT;
}

/* Before the work: could both files get their names afterwards? */
static enum pk_status check_output(const char *stem, struct pk_error *error)
{
    char path[STEM_SIZE + 8];
    const char *slash = strrchr(stem, '/'), *name = slash != NULL ? slash + 1 : stem;
    if (strlen(stem) >= STEM_SIZE - 1 || strlen(name) > NAME_LONGEST)
        return pk_error_set(error, PK_IO, "the name of the output is too long");
    if (*name == '\0')
        return pk_error_set(error, PK_IO, "%s names no file, expected a STEM for STEM.yaml and STEM.h5",
                            *stem == '\0' ? "an empty --output" : stem);
    pk_cli_folder_of(stem, path, sizeof path);
    if (access(path, W_OK | X_OK) != 0) {
        (void)pk_error_set(error, PK_IO, "cannot create files: %s", strerror(errno));
        snprintf(error->file, sizeof error->file, "%.255s", path);
        return PK_IO;
    }
    snprintf(path, sizeof path, "%s.yaml", stem);
    const enum pk_status status = check_there(path, false, error);
    snprintf(path, sizeof path, "%s.h5", stem);
    return status != PK_OK ? status : check_there(path, true, error);
}

/* ---- signals while files are written: they wait until both are there ---- */

static volatile sig_atomic_t i_held;
static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
enum { N_SIGNALS = sizeof signals / sizeof *signals };

static void hold(int i_signal)
{
    i_held = i_signal;
}

static enum pk_status write_undisturbed(const struct pk_answer *answer, const char *stem, struct pk_error *error)
{
    struct sigaction before[N_SIGNALS], held = {.sa_handler = hold, .sa_flags = SA_RESTART};
    sigemptyset(&held.sa_mask);
    for (int i = 0; i < N_SIGNALS; i++)
        if (sigaction(signals[i], NULL, &before[i]) == 0 && before[i].sa_handler != SIG_IGN)
            (void)sigaction(signals[i], &held, NULL);
    const enum pk_status status = pk_answer_write(answer, stem, error);
    for (int i = 0; i < N_SIGNALS; i++)
        (void)sigaction(signals[i], &before[i], NULL);
    if (i_held != 0)
        raise(i_held);
    return status;
}

/* To the standard output; whether it arrived, main tells. */
static enum pk_status tell(const struct pk_answer *answer, bool json, struct pk_error *error)
{
    struct pk_text text;
    pk_text_init(&text);
    if (json)
        pk_answer_json(answer, &text);
    else
        pk_answer_print(answer, &text);
    const bool failed = text.failed;
    if (!failed)
        fputs(pk_text_string(&text), stdout);
    pk_text_free(&text);
    (void)fflush(stdout);
    return failed ? pk_error_set(error, PK_NO_MEMORY, "no memory to tell the answer") : PK_OK;
}

static enum pk_status work(const struct request *request, struct pk_study *study, const struct pk_scenario *scenario,
                           const struct pk_model *model, struct pk_error *error)
{
    struct pk_progress progress;
    char stem[STEM_SIZE];
    const struct pk_calibrate_request asked = {.n_threads = (int)request->threads,
                                               .simulate = request->simulate,
                                               .progress = tell_progress,
                                               .progress_data = &progress};
    study->draws = request->draws > 0 ? request->draws : study->draws;
    study->starts = request->starts > 0 ? request->starts : study->starts;
    snprintf(stem, sizeof stem, "%s%s", request->output != NULL ? "" : "outputs/",
             request->output != NULL ? request->output : study->name);
    enum pk_status status = check_output(stem, error);
    if (status != PK_OK)
        return status;
    struct pk_answer *answer = pk_alloc(1, sizeof *answer);
    if (answer == NULL)
        return pk_error_set(error, PK_NO_MEMORY, "no memory for the calibration");
    pk_progress_begin(&progress, "searching");
    status = pk_calibrate(answer, study, scenario, model, &asked, error);
    pk_progress_end(&progress);
    if (status == PK_OK) {
        status = tell(answer, request->json, error);
        if (status == PK_OK)
            status = write_undisturbed(answer, stem, error);
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
        status = study.sweep == NULL
                     ? work(&request, &study, &scenario, &model, &error)
                     : pk_error_set(&error, PK_BAD_INPUT,
                                    "is a sweep, expected a study with the key calibrate; try: polku sweep %s",
                                    argv[optind]);
        if (status != PK_OK)
            code = pk_cli_fail_in(argv[optind], &error);
        pk_study_free(&study);
        pk_scenario_free(&scenario);
        pk_model_free(&model);
    }
    pk_problems_free(&problems);
    return code;
}
