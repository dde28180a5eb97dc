/* The files of a sweep. See sweep_files.h. */
#include "sweep_files.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "polku/results.h"
#include "polku/sweeping.h"

int pk_swept_load(struct pk_swept *swept, const char *path)
{
    struct pk_problems problems;
    memset(swept, 0, sizeof *swept);
    pk_problems_init(&problems);
    const enum pk_status status =
        pk_load_study(path, &pk_cli_load_options, &swept->study, &swept->of_scenario, &swept->of_model, &problems);
    int code = status != PK_OK || problems.n_found > 0 ? pk_cli_problems(&problems, status) : 0;
    pk_problems_free(&problems);
    if (status != PK_OK)
        return code;
    swept->loaded = true;
    if (swept->study.sweep == NULL) {
        fprintf(stderr, "polku: %s: is a calibration, expected a study with the key sweep; try: polku calibrate %s\n",
                path, path);
        pk_swept_free(swept);
        return pk_status_exit_code(PK_BAD_INPUT);
    }
    if (swept->study.scenario_file != NULL) {
        swept->scenario = &swept->of_scenario;
        swept->model = &swept->of_model;
    }
    return 0;
}

bool pk_swept_draws(const struct pk_command *command, struct pk_swept *swept, int64_t n)
{
    if (n == 0)
        return true;
    if (pk_method_is_grid(swept->study.sweep->method))
        return pk_cli_usage(command, "--draws means nothing to the method %s of the study",
                            pk_method_names[swept->study.sweep->method]) == 0;
    struct pk_error error;
    size_t n_points = 0;
    swept->study.sweep->n_draws = n;
    const enum pk_status status = pk_sample_points(&swept->study, &n_points, &error);
    if (status != PK_OK || n_points > PK_MAX_POINTS)
        return pk_cli_usage(command, "--draws makes %zu points, at most %d are allowed", n_points, PK_MAX_POINTS) == 0;
    return true;
}

int pk_swept_open(const struct pk_command *command, const char *path, int64_t draws, const char *output,
                  struct pk_swept *swept, char stem[PK_STEM_SIZE])
{
    const int code = pk_swept_load(swept, path);
    if (code != 0)
        return code;
    if (pk_swept_draws(command, swept, draws) && pk_sweep_stem(command, &swept->study, output, stem))
        return 0;
    pk_swept_free(swept);
    return pk_status_exit_code(PK_USAGE);
}

void pk_swept_free(struct pk_swept *swept)
{
    if (!swept->loaded)
        return;
    pk_study_free(&swept->study);
    pk_scenario_free(&swept->of_scenario);
    pk_model_free(&swept->of_model);
    swept->loaded = false;
}

bool pk_sweep_stem(const struct pk_command *command, const struct pk_study *study, const char *asked,
                   char stem[PK_STEM_SIZE])
{
    const int size =
        snprintf(stem, PK_STEM_SIZE, "%s%s", asked != NULL ? "" : "outputs/", asked != NULL ? asked : study->name);
    if (size >= PK_STEM_SIZE)
        return pk_cli_usage(command, "the name of the output is too long") == 0;
    const size_t n = strlen(stem);
    if (n > 3 && strcmp(stem + n - 3, ".h5") == 0)
        stem[n - 3] = '\0';
    if (stem[0] == '\0' || stem[strlen(stem) - 1] == '/')
        return pk_cli_usage(command, "\"%s\" names no file, expected a STEM for STEM.h5", asked != NULL ? asked : "") ==
               0;
    return true;
}

void pk_sweep_path(const char *stem, size_t i_shard, size_t n_shards, char path[PK_PATH_SIZE])
{
    if (n_shards == 0)
        snprintf(path, PK_PATH_SIZE, "%s.h5", stem);
    else
        snprintf(path, PK_PATH_SIZE, "%s.shard-%04zu-of-%04zu.h5", stem, i_shard + 1, n_shards);
}

bool pk_sweep_of_path(const char *stem, const char *path, size_t *i_shard, size_t *n_shards)
{
    char expected[PK_PATH_SIZE];
    const size_t n = strlen(stem);
    if (strncmp(path, stem, n) != 0 || sscanf(path + n, ".shard-%zu-of-%zu.h5", i_shard, n_shards) != 2 ||
        *i_shard == 0 || *i_shard > *n_shards || *n_shards > PK_MAX_SHARDS)
        return false;
    (*i_shard)--;
    pk_sweep_path(stem, *i_shard, *n_shards, expected);
    return strcmp(expected, path) == 0;
}

enum pk_status pk_sweep_find(const char *stem, glob_t *found, struct pk_error *error)
{
    static const char number[] = "[0-9][0-9][0-9][0-9]"; /* so that a shard's analysis is no shard */
    char pattern[2 * PK_PATH_SIZE + 64];
    size_t n = 0;
    for (const char *c = stem; *c != '\0' && n + 3 < sizeof pattern; c++) { /* a name is no pattern */
        if (strchr("*?[\\", *c) != NULL)
            pattern[n++] = '\\';
        pattern[n++] = *c;
    }
    snprintf(pattern + n, sizeof pattern - n, ".shard-%s-of-%s.h5", number, number);
    const int failed = glob(pattern, 0, NULL, found);
    if (failed == GLOB_NOMATCH) {
        found->gl_pathc = 0;
        return PK_OK;
    }
    return failed == 0 ? PK_OK : pk_error_set(error, PK_IO, "cannot look for %s", pattern);
}

/* Says so if a sample is of a study of another name: that it is of ours, as it was, is no reason to keep it. */
static enum pk_status refuse_other(struct pk_results *results, const struct pk_study *study, struct pk_error *error)
{
    char *name = NULL;
    enum pk_status status = pk_results_read_text(results, "/", "swept", &name, error);
    if (status == PK_BAD_INPUT || status == PK_IO) /* a damaged one */
        return PK_OK;
    if (status == PK_OK && strcmp(name, study->name) != 0)
        status = pk_error_set(error, PK_BAD_INPUT,
                              "is there and is the sweep of another study, %.100s: not overwritten", name);
    pk_free(name);
    return status;
}

/* Says so if a whole sample has more points than this very study. */
static enum pk_status refuse_smaller(const char *path, const struct pk_swept *swept, struct pk_error *error)
{
    struct pk_sample found;
    uint64_t identity = 0;
    size_t n_points = 0;
    enum pk_status status = pk_sample_read(&found, path, error);
    if (status != PK_OK)
        return status == PK_NO_MEMORY ? status : PK_OK;
    status = pk_sample_points(&swept->study, &n_points, error);
    const bool larger = found.n == found.n_all && found.n > n_points;
    if (status == PK_OK && larger)
        status = pk_sweeping_identity(&swept->study, swept->scenario, swept->model, &identity, error);
    if (status == PK_OK && larger && found.identity == identity) {
        status = pk_error_set(error, PK_BAD_INPUT,
                              "holds %zu points of this study, of which %zu would be left: not overwritten", found.n,
                              n_points);
        snprintf(error->hint, sizeof error->hint, "--draws as it was, another -o, or remove it");
    }
    pk_sample_free(&found);
    return status;
}

enum pk_status pk_sweep_check_output(const char *path, const struct pk_swept *swept, struct pk_error *error)
{
    char directory[PK_PATH_SIZE];
    struct pk_results *results = NULL;
    struct pk_error unread = {0};
    struct stat about;
    const bool is_shard = strstr(path, ".shard-") != NULL;
    pk_cli_folder_of(path, directory, sizeof directory);
    if (access(directory, W_OK | X_OK) != 0) {
        (void)pk_error_set(error, PK_IO, "cannot create files: %s", strerror(errno));
        snprintf(error->file, sizeof error->file, "%.255s", directory);
        return PK_IO;
    }
    if (stat(path, &about) != 0 || about.st_size == 0)
        return PK_OK;
    const bool holds_points = pk_results_open(path, &results, &unread) == PK_OK && pk_results_has(results, "/points");
    enum pk_status status = PK_OK;
    if (holds_points)
        status = refuse_other(results, &swept->study, error);
    else if (!is_shard || unread.status != PK_BAD_INPUT) /* a damaged one is done again */
        status = pk_error_set(error, PK_BAD_INPUT, "is there and holds no points of a sweep: not overwritten");
    pk_results_close(results);
    if (status == PK_OK && holds_points && !is_shard)
        status = refuse_smaller(path, swept, error);
    if (status != PK_OK)
        snprintf(error->file, sizeof error->file, "%.255s", path);
    return status;
}

bool pk_sweep_shard(const struct pk_command *command, const char *text, size_t *i_shard, size_t *n_shards)
{
    char number[32];
    const char *slash = strchr(text, '/');
    int64_t k, n;
    if (slash != NULL && (size_t)(slash - text) < sizeof number) {
        snprintf(number, sizeof number, "%.*s", (int)(slash - text), text);
        if (pk_text_to_int64(number, &k) && pk_text_to_int64(slash + 1, &n) && k >= 1 && k <= n && n <= PK_MAX_SHARDS) {
            *i_shard = (size_t)k - 1;
            *n_shards = (size_t)n;
            return true;
        }
    }
    return pk_cli_usage(command, "--shard is \"%s\", expected K/N, as 3/16: K from 1 to N, N at most %d", text,
                        PK_MAX_SHARDS) == 0;
}
