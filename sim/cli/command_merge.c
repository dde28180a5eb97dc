/* polku merge: the shards of a sweep put together. */
#include <stdio.h>
#include <string.h>

#include "polku/sweeping.h"
#include "sweep_files.h"

static const char help[] =
    "Usage: polku merge [OPTION...] STUDY [FILE...]\n\n"
    "Puts the shards of a sweep together: STEM.shard-*.h5, or the files that are named, of any number of shards. The\n"
    "result STEM.h5 has the bytes that one machine alone would have written. Says which shards are missing and leaves\n"
    "everything as it was; refuses by name a file that is damaged or of another study. Exit code 1 for both.\n\n"
    "  -o, --output STEM      where shards are and the result goes to; default outputs/NAME of the study\n"
    "  -n, --draws N          draws, rows or trajectories instead of the study's\n"
    "      --json             tell what was done as JSON\n"
    "  -h, --help\n\n"
    "Example:\n"
    "  polku merge configs/studies/ips-sobol.yaml && polku analyse outputs/ips_sobol.h5\n";

static int run(int argc, char **argv);
const struct pk_command pk_command_merge = {"merge", "put the shards of a sweep together", help, run};

struct request {
    const char *output;
    int64_t draws;
    bool json;
};

static int read_request(int argc, char **argv, struct request *request)
{
    static const struct option options[] = {{"output", required_argument, NULL, 'o'},
                                            {"draws", required_argument, NULL, 'n'},
                                            {"json", no_argument, NULL, 'j'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    *request = (struct request){0};
    for (int code; (code = pk_cli_option(&pk_command_merge, argc, argv, options)) != -1;) {
        if (code == 'h')
            return 1;
        if (code == 'o')
            request->output = optarg;
        else if (code == 'j')
            request->json = true;
        else if (code != 'n' || !pk_cli_whole(&pk_command_merge, "--draws", optarg, 2, PK_MAX_DRAWS, &request->draws))
            return 1 + pk_status_exit_code(PK_USAGE);
    }
    if (optind >= argc)
        return 1 + pk_cli_usage(&pk_command_merge, "expected a study file");
    return 0;
}

/* What is put together. */
struct merging {
    struct pk_sample whole;
    bool *known;
    bool made;
    uint64_t identity;
};

static enum pk_status add_file(struct merging *merging, const struct pk_swept *swept, const char *path,
                               struct pk_error *error)
{
    struct pk_sample part;
    enum pk_status status = pk_sample_read(&part, path, error);
    if (status != PK_OK)
        return status;
    const int64_t asked = swept->study.sweep->replications; /* 0: as a pilot said, the same for every shard */
    if (asked > 0 && part.replications != asked)
        status = pk_error_set(error, PK_BAD_INPUT, "has %lld replications a point, expected %lld",
                              (long long)part.replications, (long long)asked);
    if (status == PK_OK && !merging->made) {
        status = pk_sample_make(&merging->whole, &swept->study, swept->scenario, swept->model, part.replications,
                                merging->identity, 0, SIZE_MAX, error);
        merging->made = status == PK_OK;
        if (merging->made && (merging->known = pk_alloc(merging->whole.n + 1, sizeof *merging->known)) == NULL)
            status = pk_error_set(error, PK_NO_MEMORY, "no memory to merge");
    }
    if (status == PK_OK)
        status = pk_sample_join(&merging->whole, merging->known, &part, error);
    pk_sample_free(&part);
    if (status == PK_BAD_INPUT && error->file[0] == '\0')
        snprintf(error->file, sizeof error->file, "%.255s", path);
    return status;
}

/* Says which points, and which shards of those named like the files at hand, are not there. */
static size_t tell_missing(const struct merging *merging, const char *stem, size_t n_shards)
{
    const struct pk_sample *whole = &merging->whole;
    size_t n_missing = 0, n_told = 0;
    for (size_t s = 0; s < n_shards; s++) {
        size_t first, n, lost = 0;
        char path[PK_PATH_SIZE];
        pk_sweeping_range(whole->n_all, s, n_shards, &first, &n);
        for (size_t i = first; i < first + n; i++)
            lost += !merging->known[i];
        if (lost == 0)
            continue;
        pk_sweep_path(stem, s, n_shards, path);
        if (n_told++ < 20)
            fprintf(stderr, "missing: shard %zu/%zu, points %zu to %zu: %s\n", s + 1, n_shards, first, first + n - 1,
                    path);
    }
    if (n_told > 20)
        fprintf(stderr, "... and %zu more shards\n", n_told - 20);
    for (size_t i = 0; i < whole->n; i++)
        n_missing += !merging->known[i];
    if (n_missing > 0 && n_told == 0)
        for (size_t i = 0, n_runs = 0; i < whole->n && n_runs < 20; i++) {
            size_t end = i;
            while (end < whole->n && !merging->known[end])
                end++;
            if (end > i) {
                fprintf(stderr, "missing: points %zu to %zu\n", i, end - 1);
                n_runs++;
            }
            i = end > i ? end : i;
        }
    return n_missing;
}

static enum pk_status merge(const struct pk_swept *swept, const char *stem, char *const *paths, size_t n_paths,
                            bool json, struct pk_error *error)
{
    struct merging merging = {0};
    char output[PK_PATH_SIZE];
    size_t n_shards = 0;
    pk_sweep_path(stem, 0, 0, output);
    if (swept->scenario == NULL)
        return pk_error_set(error, PK_BAD_INPUT, "is of a model that is not ours, which is not run in shards");
    enum pk_status status = pk_sweep_check_output(output, swept, error);
    if (status == PK_OK)
        status = pk_sweeping_identity(&swept->study, swept->scenario, swept->model, &merging.identity, error);
    if (status == PK_OK && n_paths == 0)
        status = pk_error_set(error, PK_BAD_INPUT, "no shard is there: %s.shard-*.h5", stem);
    for (size_t i = 0; i < n_paths && status == PK_OK; i++) {
        size_t i_shard, n_of;
        if (pk_sweep_of_path(stem, paths[i], &i_shard, &n_of) && n_of > n_shards)
            n_shards = n_of;
        status = add_file(&merging, swept, paths[i], error);
    }
    if (status == PK_OK) {
        const size_t n_missing = tell_missing(&merging, stem, n_shards);
        if (n_missing > 0)
            status = pk_error_set(error, PK_BAD_INPUT, "%zu of %zu points are missing: nothing written", n_missing,
                                  merging.whole.n_all);
    }
    size_t n_impossible = 0;
    for (size_t i = 0; status == PK_OK && i < merging.whole.n; i++)
        n_impossible += pk_sample_is_impossible(&merging.whole, i);
    if (status == PK_OK && n_impossible == merging.whole.n)
        status = pk_error_set(error, PK_BAD_INPUT, "no point has a meaning: nothing written");
    if (status == PK_OK)
        status = pk_sample_save(&merging.whole, output, error);
    if (status == PK_OK && n_impossible > 0)
        fprintf(stderr, "warning: %zu points have no meaning and no figures\n", n_impossible);
    if (status == PK_OK) {
        const unsigned long long digest = pk_sample_sum(&merging.whole);
        if (json) {
            struct pk_text text;
            pk_text_init(&text);
            pk_text_put(&text, "{\"output\": ");
            pk_text_add_json_string(&text, output);
            pk_text_addf(&text, ", \"digest\": \"%016llx\", \"points\": %zu, \"files\": %zu}\n", digest,
                         merging.whole.n, n_paths);
            fputs(pk_text_string(&text), stdout);
            pk_text_free(&text);
        } else {
            printf("%zu points from %zu files\nresult: %s\ndigest: %016llx\n", merging.whole.n, n_paths, output,
                   digest);
        }
    }
    pk_free(merging.known);
    if (merging.made)
        pk_sample_free(&merging.whole);
    return status;
}

static int run(int argc, char **argv)
{
    struct request request;
    struct pk_swept swept;
    struct pk_error error;
    char stem[PK_STEM_SIZE];
    glob_t found = {0};
    int code = read_request(argc, argv, &request);
    if (code != 0)
        return code - 1;
    const char *path = argv[optind];
    code = pk_swept_open(&pk_command_merge, path, request.draws, request.output, &swept, stem);
    if (code != 0)
        return code;
    const bool named = optind + 1 < argc;
    enum pk_status status = named ? PK_OK : pk_sweep_find(stem, &found, &error);
    if (status == PK_OK)
        status = merge(&swept, stem, named ? argv + optind + 1 : found.gl_pathv,
                       named ? (size_t)(argc - optind - 1) : found.gl_pathc, request.json, &error);
    if (status != PK_OK)
        code = pk_cli_fail_in(path, &error);
    globfree(&found);
    pk_swept_free(&swept);
    return code;
}
