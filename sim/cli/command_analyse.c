/* polku analyse: what a sweep tells. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "polku/analysis.h"
#include "polku/file.h"
#include "polku/results.h"
#include "sweep_files.h"

static const char help[] =
    "Usage: polku analyse [OPTION...] SAMPLE\n"
    "       polku analyse [OPTION...] --outputs FILE STUDY\n\n"
    "Makes of a sweep's file what its method is for: tornado and break-even values, elementary effects, Sobol' "
    "indices\n"
    "with intervals, regression indices; where the study has a decision, costs and effects with dominance, the\n"
    "acceptability curve and the value of knowing each uncertain number. Prints tables and writes them to\n"
    "STEM.analysis.h5. Lines marked with ! are what whoever uses the figures must know.\n\n"
    "  -o, --output STEM      default: that of the sample\n"
    "      --outputs FILE     of another program: what it made of the points that polku sweep --design wrote; a row a\n"
    "                         point, columns named as the study's outputs\n"
    "  -n, --draws N          with --outputs: draws, rows or trajectories instead of the study's\n"
    "      --threshold EUROS  for one unit of effect, that values of knowing are told at (where they are largest)\n"
    "      --resamples N      of bootstraps (1000)\n"
    "      --rows N           of each table on the terminal (20; 0: all)\n"
    "      --csv FILE         the points too, as comma-separated values\n"
    "      --json             everything as JSON on the standard output\n"
    "  -h, --help\n\n"
    "Example:\n"
    "  polku analyse outputs/ips_sobol.h5\n"
    "  polku sweep --design points.csv ishigami.yaml && ./my-model <points.csv >y.csv &&\n"
    "    polku analyse --outputs y.csv ishigami.yaml\n";

static int run(int argc, char **argv);
const struct pk_command pk_command_analyse = {"analyse", "what a sweep tells: who decides, and what to find out", help,
                                              run};

struct request {
    const char *output, *outputs, *csv;
    int64_t resamples, rows, draws;
    double threshold;
    bool json;
};

/* Returns 0 to go on, or an exit code + 1. */
static int read_request(int argc, char **argv, struct request *request)
{
    static const struct option options[] = {{"output", required_argument, NULL, 'o'},
                                            {"outputs", required_argument, NULL, 'f'},
                                            {"draws", required_argument, NULL, 'n'},
                                            {"threshold", required_argument, NULL, 't'},
                                            {"resamples", required_argument, NULL, 'b'},
                                            {"rows", required_argument, NULL, 'r'},
                                            {"csv", required_argument, NULL, 'c'},
                                            {"json", no_argument, NULL, 'j'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    const struct pk_command *self = &pk_command_analyse;
    *request = (struct request){.rows = 20, .threshold = (double)NAN};
    for (int code; (code = pk_cli_option(self, argc, argv, options)) != -1;) {
        bool good = true;
        if (code == 'h')
            return 1;
        if (code == 'o')
            request->output = optarg;
        else if (code == 'f')
            request->outputs = optarg;
        else if (code == 'c')
            request->csv = optarg;
        else if (code == 'n')
            good = pk_cli_whole(self, "--draws", optarg, 2, PK_MAX_DRAWS, &request->draws);
        else if (code == 't') {
            good = pk_text_to_double(optarg, &request->threshold) && request->threshold >= 0;
            if (!good)
                pk_cli_usage(self, "--threshold is \"%s\", expected euros", optarg);
        } else if (code == 'b')
            good = pk_cli_whole(self, "--resamples", optarg, 2, 1000000, &request->resamples);
        else if (code == 'r')
            good = pk_cli_whole(self, "--rows", optarg, 0, 1000000, &request->rows);
        else if (code == 'j')
            request->json = true;
        else
            good = false;
        if (!good)
            return 1 + pk_status_exit_code(PK_USAGE);
    }
    if (optind != argc - 1)
        return 1 + pk_cli_usage(self, "expected one file, found %d", argc - optind);
    if (request->draws > 0 && request->outputs == NULL)
        return 1 + pk_cli_usage(self, "--draws means nothing without --outputs");
    return 0;
}

/* Before the work: an analysis, or nothing, is there. */
static enum pk_status check_output(const char *path, struct pk_error *error)
{
    struct pk_results *results = NULL;
    struct pk_error unread;
    char *text = NULL;
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return PK_OK;
    (void)fclose(file);
    const bool ours = pk_results_open(path, &results, &unread) == PK_OK &&
                      pk_results_read_text(results, "/", "analysed", &text, &unread) == PK_OK;
    pk_free(text);
    pk_results_close(results);
    if (ours)
        return PK_OK;
    (void)pk_error_set(error, PK_BAD_INPUT, "is there and is no analysis: not overwritten");
    snprintf(error->file, sizeof error->file, "%.255s", path);
    return PK_BAD_INPUT;
}

static enum pk_status work(const struct request *request, const struct pk_sample *sample, const char *stem,
                           struct pk_error *error)
{
    const struct pk_analysis_request asked = {.n_resamples = (size_t)request->resamples,
                                              .threshold = request->threshold};
    struct pk_analysis analysis;
    struct pk_text text;
    char path[PK_PATH_SIZE];
    snprintf(path, sizeof path, "%s.analysis.h5", stem);
    enum pk_status status = check_output(path, error);
    if (status == PK_OK)
        status = pk_analyse(&analysis, sample, &asked, error);
    if (status != PK_OK)
        return status;
    pk_text_init(&text);
    if (request->csv != NULL) {
        pk_sample_csv(sample, true, &text);
        status = text.failed ? pk_error_set(error, PK_NO_MEMORY, "no memory for the points")
                             : pk_file_write(request->csv, pk_text_string(&text), text.size, error);
        pk_text_free(&text);
        pk_text_init(&text);
    }
    if (status == PK_OK)
        status = pk_analysis_save(&analysis, path, error);
    if (status == PK_OK) {
        if (request->json)
            pk_analysis_json(&analysis, &text);
        else
            pk_analysis_print(&analysis, (size_t)request->rows, &text);
        if (text.failed)
            status = pk_error_set(error, PK_NO_MEMORY, "no memory to tell the analysis");
        else
            fputs(pk_text_string(&text), stdout);
        (void)fflush(stdout);
        fprintf(stderr, "%s written\n", path);
    }
    pk_text_free(&text);
    pk_analysis_free(&analysis);
    return status;
}

/* Points of a study, with what another program made of them. */
static int of_outputs(const struct request *request, const char *path)
{
    struct pk_swept swept;
    struct pk_sample sample;
    struct pk_error error;
    char stem[PK_STEM_SIZE];
    const int code = pk_swept_open(&pk_command_analyse, path, request->draws, request->output, &swept, stem);
    if (code != 0)
        return code;
    enum pk_status status =
        pk_sample_make(&sample, &swept.study, swept.scenario, swept.model, 0, 0, 0, SIZE_MAX, &error);
    if (status == PK_OK) {
        status = pk_sample_read_outputs(&sample, request->outputs, &error);
        if (status == PK_OK)
            status = work(request, &sample, stem, &error);
        pk_sample_free(&sample);
    }
    pk_swept_free(&swept);
    return status == PK_OK ? 0 : pk_cli_fail_in(path, &error);
}

static int run(int argc, char **argv)
{
    struct request request;
    struct pk_sample sample;
    struct pk_error error;
    char stem[PK_STEM_SIZE];
    int code = read_request(argc, argv, &request);
    if (code != 0)
        return code - 1;
    const char *path = argv[optind];
    if (request.outputs != NULL)
        return of_outputs(&request, path);
    snprintf(stem, sizeof stem, "%.3700s", request.output != NULL ? request.output : path);
    const size_t n = strlen(stem);
    if (n > 3 && strcmp(stem + n - 3, ".h5") == 0)
        stem[n - 3] = '\0';
    enum pk_status status = pk_sample_read(&sample, path, &error);
    if (status == PK_OK) {
        status = work(&request, &sample, stem, &error);
        pk_sample_free(&sample);
    }
    return status == PK_OK ? 0 : pk_cli_fail_in(path, &error);
}
