/* polku sweep: all points of a study, or a shard of them. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "polku/file.h"
#include "polku/sweeping.h"
#include "stopping.h"
#include "sweep_files.h"

static const char help[] =
    "Usage: polku sweep [OPTION...] STUDY\n\n"
    "Simulates every point of a study's design and writes their values and figures to STEM.h5. The file has the same\n"
    "bytes for any number of threads and whether the points were run here or in shards elsewhere (see polku merge).\n"
    "A sweep that is interrupted leaves finished points in STEM.h5.part; the same command takes them up, and those of\n"
    "an earlier STEM.h5 of fewer draws: a study can grow.\n\n"
    "  -o, --output STEM      where to; default outputs/NAME of the study\n"
    "  -s, --shard K/N        only the K-th of N parts, into STEM.shard-K-of-N.h5\n"
    "  -n, --draws N          draws, rows or trajectories instead of the study's\n"
    "  -t, --threads N        default: all cores; the result does not depend on it\n"
    "      --keep-every SECONDS  how often finished points are kept for the case of an interruption (20)\n"
    "      --design FILE      only write the points to FILE, as comma-separated values, for another program to run\n"
    "      --json             tell what was done as JSON\n"
    "  -h, --help\n\n"
    "Example:\n"
    "  polku sweep configs/studies/ips-tornado.yaml && polku analyse outputs/ips_tornado.h5\n"
    "  polku sweep --shard 3/64 configs/studies/ips-sobol.yaml\n";

static int run(int argc, char **argv);
const struct pk_command pk_command_sweep = {"sweep", "simulate the points of a study, or a shard of them", help, run};

struct request {
    const char *output, *design;
    int64_t threads, keep, draws;
    size_t i_shard, n_shards;
    bool json;
};

/* Returns 0 to go on, or an exit code + 1. */
static int read_request(int argc, char **argv, struct request *request)
{
    static const struct option options[] = {{"output", required_argument, NULL, 'o'},
                                            {"shard", required_argument, NULL, 's'},
                                            {"draws", required_argument, NULL, 'n'},
                                            {"threads", required_argument, NULL, 't'},
                                            {"keep-every", required_argument, NULL, 'k'},
                                            {"design", required_argument, NULL, 'd'},
                                            {"json", no_argument, NULL, 'j'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    const struct pk_command *self = &pk_command_sweep;
    *request = (struct request){.keep = 20};
    for (int code; (code = pk_cli_option(self, argc, argv, options)) != -1;) {
        bool good = true;
        if (code == 'h')
            return 1;
        if (code == 'o')
            request->output = optarg;
        else if (code == 's')
            good = pk_sweep_shard(self, optarg, &request->i_shard, &request->n_shards);
        else if (code == 'n')
            good = pk_cli_whole(self, "--draws", optarg, 2, PK_MAX_DRAWS, &request->draws);
        else if (code == 't')
            good = pk_cli_whole(self, "--threads", optarg, 1, 4096, &request->threads);
        else if (code == 'k')
            good = pk_cli_whole(self, "--keep-every", optarg, 0, 1000000, &request->keep);
        else if (code == 'd')
            request->design = optarg;
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

/* ---- an interruption keeps what is done --------------------------------------------------------------------- */

static bool was_stopped(void *data)
{
    (void)data;
    return pk_stopping_signal() != 0;
}

/* ---- the work ----------------------------------------------------------------------------------------------- */

static void tell(const struct request *request, const char *path, const struct pk_sweeping *done)
{
    const struct pk_sample *sample = &done->sample;
    struct pk_text text;
    pk_text_init(&text);
    const size_t n_run = sample->n - done->n_taken;
    if (request->json) {
        pk_text_put(&text, "{\"output\": ");
        pk_text_add_json_string(&text, path);
        pk_text_addf(&text,
                     ", \"digest\": \"%016llx\", \"points\": %zu, \"first_point\": %zu, \"points_in_design\": %zu, "
                     "\"taken_up\": %zu, \"impossible\": %zu, \"replications\": %lld, \"transitions\": %lld, "
                     "\"threads\": %d, \"seconds\": ",
                     (unsigned long long)pk_sample_sum(sample), sample->n, sample->first, sample->n_all, done->n_taken,
                     done->n_impossible, (long long)sample->replications, (long long)done->n_transitions,
                     done->n_threads);
        pk_text_add_json_number(&text, done->seconds);
        pk_text_put(&text, "}\n");
    } else {
        pk_text_addf(&text,
                     "%zu points of %zu, %lld replication%s each: %zu taken up, %zu run in %.2f s on %d thread%s",
                     sample->n, sample->n_all, (long long)sample->replications, sample->replications == 1 ? "" : "s",
                     done->n_taken, n_run, done->seconds, done->n_threads, done->n_threads == 1 ? "" : "s");
        if (n_run > 0)
            pk_text_addf(&text, " (%.1f ms each)", 1000 * done->seconds / (double)n_run);
        pk_text_addf(&text, "\nresult: %s\ndigest: %016llx\n", path, (unsigned long long)pk_sample_sum(sample));
    }
    fputs(pk_text_string(&text), stdout);
    pk_text_free(&text);
    if (done->n_impossible > 0)
        fprintf(stderr, "warning: %zu points have no meaning and no figures; %s\n", done->n_impossible, done->why);
}

static enum pk_status write_design(const struct pk_swept *swept, const char *path, struct pk_error *error)
{
    struct pk_sample sample;
    struct pk_text text;
    enum pk_status status =
        pk_sample_make(&sample, &swept->study, swept->scenario, swept->model, 0, 0, 0, SIZE_MAX, error);
    if (status != PK_OK)
        return status;
    pk_text_init(&text);
    pk_sample_csv(&sample, false, &text);
    status = text.failed ? pk_error_set(error, PK_NO_MEMORY, "no memory for the points")
                         : pk_file_write(path, pk_text_string(&text), text.size, error);
    if (status == PK_OK)
        fprintf(stderr, "%zu points written to %s\n", sample.n, path);
    pk_text_free(&text);
    pk_sample_free(&sample);
    return status;
}

static enum pk_status work(const struct request *request, const struct pk_swept *swept, struct pk_error *error)
{
    char stem[PK_STEM_SIZE], path[PK_PATH_SIZE], whole[PK_PATH_SIZE], part[PK_PATH_SIZE + 8];
    const char *const earlier[] = {path, whole};
    struct pk_progress progress;
    struct pk_sweeping sweeping;
    if (request->design != NULL)
        return write_design(swept, request->design, error);
    if (swept->scenario == NULL)
        return pk_error_set(error, PK_BAD_INPUT,
                            "is of a model that is not ours: write its points with --design FILE, run them, and give "
                            "what they come to to polku analyse --outputs FILE");
    if (!pk_sweep_stem(&pk_command_sweep, &swept->study, request->output, stem))
        return pk_error_set(error, PK_USAGE, "nothing was done");
    pk_sweep_path(stem, request->i_shard, request->n_shards, path);
    pk_sweep_path(stem, 0, 0, whole);
    snprintf(part, sizeof part, "%s.part", path);
    enum pk_status status = pk_sweep_check_output(path, swept, error);
    if (status != PK_OK)
        return status;
    const struct pk_sweeping_request asked = {.n_threads = (int)request->threads,
                                              .i_shard = request->i_shard,
                                              .n_shards = request->n_shards,
                                              .part = part,
                                              .keep_seconds = (double)request->keep,
                                              .n_earlier = request->n_shards > 0 ? 2 : 1,
                                              .earlier = earlier,
                                              .progress = pk_progress_tell,
                                              .progress_data = &progress,
                                              .stop = was_stopped};
    pk_stopping_begin();
    pk_progress_begin(&progress, "sweeping");
    status = pk_sweeping_run(&sweeping, &swept->study, swept->scenario, swept->model, &asked, error);
    pk_progress_end(&progress);
    const bool done = status == PK_OK;
    if (done)
        status = pk_sample_save(&sweeping.sample, path, error);
    pk_stopping_end();
    if (status == PK_OK) {
        (void)unlink(part); /* usually there is none */
        tell(request, path, &sweeping);
    }
    if (done)
        pk_sweeping_free(&sweeping);
    return status;
}

static int run(int argc, char **argv)
{
    struct request request;
    struct pk_swept swept;
    struct pk_error error;
    int code = read_request(argc, argv, &request);
    if (code != 0)
        return code - 1;
    code = pk_swept_load(&swept, argv[optind]);
    if (code != 0)
        return code;
    if (!pk_swept_draws(&pk_command_sweep, &swept, request.draws)) {
        pk_swept_free(&swept);
        return pk_status_exit_code(PK_USAGE);
    }
    if (swept.scenario != NULL)
        pk_cli_tell_marks(swept.scenario);
    const enum pk_status status = work(&request, &swept, &error);
    if (status != PK_OK)
        code = status == PK_USAGE ? pk_status_exit_code(PK_USAGE) : pk_cli_fail_in(argv[optind], &error);
    pk_swept_free(&swept);
    pk_stopping_obey();
    return code;
}
