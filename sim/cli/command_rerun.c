/* polku rerun: a result again from its own file alone, and whether it is the same. */
#include <stdio.h>
#include <string.h>

#include "polku/memory.h"
#include "polku/results.h"
#include "simulate.h"

static const char help[] =
    "Usage: polku rerun [OPTION...] RESULT\n\n"
    "Simulates again from the model and scenario kept in a result file and says whether the digest is the same, as it\n"
    "is on any machine, with any number of threads. Exit code 4 if it is not.\n\n"
    "  -o, --output FILE      also keep the new result\n"
    "  -t, --threads N        default: all cores\n"
    "  -h, --help\n\n"
    "Example:\n"
    "  polku rerun outputs/ips.h5\n";

static int run(int argc, char **argv);
const struct pk_command pk_command_rerun = {"rerun", "simulate a result again and compare digests", help, run};

/* What a result file says about how it was made; texts owned. */
struct origin {
    char *scenario_text, *model_text, *scenario_file, *model_file, *overrides, *digest;
    struct pk_attachments model_files, scenario_files; /* other files that they are made of */
    int64_t persons, replications;
    bool variants;
};

/* The texts of a group of files, if it is there; names and texts owned. */
static enum pk_status read_files(struct pk_results *results, const char *group, struct pk_attachments *files,
                                 struct pk_error *error)
{
    char path[PK_RESULTS_NAME_BYTES * 2], name[PK_RESULTS_NAME_BYTES], **names = NULL;
    size_t n = 0;
    snprintf(path, sizeof path, "%s/names", group);
    if (!pk_results_has(results, path))
        return PK_OK;
    enum pk_status status = pk_results_read_texts(results, path, &names, &n, error);
    if (status == PK_OK && n > PK_MAX_ATTACHMENTS)
        status =
            pk_error_set(error, PK_BAD_INPUT, "%s names %zu files, at most %d are known", group, n, PK_MAX_ATTACHMENTS);
    for (size_t i = 0; i < n && status == PK_OK; i++) {
        char *text = NULL, *copy = pk_alloc(strlen(names[i]) + 1, 1);
        snprintf(name, sizeof name, "text_%zu", i);
        status = copy != NULL ? pk_results_read_text(results, group, name, &text, error)
                              : pk_error_set(error, PK_NO_MEMORY, "no memory for the files of the result");
        if (copy != NULL)
            strcpy(copy, names[i]);
        files->items[files->n++] =
            (struct pk_attachment){.name = copy, .text = text, .size = text != NULL ? strlen(text) : 0};
    }
    pk_free(names);
    return status;
}

static void free_files(struct pk_attachments *files)
{
    for (size_t i = 0; i < files->n; i++) {
        pk_free((char *)files->items[i].name);
        pk_free((char *)files->items[i].text);
    }
}

static enum pk_status read_origin(const char *path, struct origin *origin, struct pk_error *error)
{
    struct pk_results *results = NULL;
    memset(origin, 0, sizeof *origin);
    enum pk_status status = pk_results_open(path, &results, error);
    const struct {
        const char *group, *name;
        char **text;
    } texts[] = {
        {"/provenance", "scenario_text", &origin->scenario_text}, {"/provenance", "model_text", &origin->model_text},
        {"/provenance", "scenario_file", &origin->scenario_file}, {"/provenance", "model_file", &origin->model_file},
        {"/provenance", "overrides", &origin->overrides},         {"/host", "digest", &origin->digest}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts && status == PK_OK; i++)
        status = pk_results_read_text(results, texts[i].group, texts[i].name, texts[i].text, error);
    if (status == PK_OK)
        status = pk_results_read_integer(results, "/", "persons", &origin->persons, error);
    if (status == PK_OK)
        status = pk_results_read_integer(results, "/provenance", "replications_asked", &origin->replications, error);
    if (status == PK_OK)
        status = read_files(results, "/provenance/model_files", &origin->model_files, error);
    if (status == PK_OK)
        status = read_files(results, "/provenance/scenario_files", &origin->scenario_files, error);
    origin->variants =
        status == PK_OK && (pk_results_has(results, "/variants/variant") || pk_results_has(results, "/bridge/step"));
    pk_results_close(results);
    return status;
}

static void free_origin(struct origin *origin)
{
    char *texts[] = {origin->scenario_text, origin->model_text, origin->scenario_file,
                     origin->model_file,    origin->overrides,  origin->digest};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        pk_free(texts[i]);
    free_files(&origin->model_files);
    free_files(&origin->scenario_files);
}

/* Lines of NAME=VALUE, cut in place. */
static size_t split_overrides(char *lines, struct pk_set *sets)
{
    size_t n = 0;
    for (char *line = strtok(lines, "\n"); line != NULL && n < PK_MAX_SETS; line = strtok(NULL, "\n")) {
        char *equals = strchr(line, '=');
        if (equals == NULL)
            continue;
        *equals = '\0';
        sets[n++] = (struct pk_set){.parameter = line, .to = equals + 1};
    }
    return n;
}

static int rerun(struct origin *origin, struct pk_simulate_request *request)
{
    struct pk_set sets[PK_MAX_SETS];
    struct pk_scenario scenario;
    struct pk_model model;
    struct pk_problems problems;
    struct pk_simulate_summary summary;
    struct pk_error error;
    pk_problems_init(&problems);
    enum pk_status status = pk_load_texts(origin->scenario_file, origin->scenario_text, strlen(origin->scenario_text),
                                          origin->model_file, origin->model_text, strlen(origin->model_text),
                                          &origin->model_files, &origin->scenario_files, &scenario, &model, &problems);
    int code = status != PK_OK ? pk_cli_problems(&problems, status) : 0;
    if (status == PK_OK) {
        pk_cli_tell_marks(&scenario);
        request->sets = sets;
        request->n_sets = split_overrides(origin->overrides, sets);
        request->people = origin->persons;
        request->replications = origin->replications;
        request->variants = origin->variants;
        status = pk_simulate(request, &model, &scenario, &summary, &error);
        if (status != PK_OK)
            code = pk_cli_fail(&error);
        pk_scenario_free(&scenario);
        pk_model_free(&model);
    }
    pk_problems_free(&problems);
    if (status != PK_OK)
        return code;
    bool same = strcmp(summary.digest, origin->digest) == 0;
    printf("was: %s\nnow: %s\n%s\n", origin->digest, summary.digest,
           same ? "the same result" : "another result: made by another version of polku, or the file was changed");
    return same ? 0 : pk_status_exit_code(PK_NUMERICAL);
}

static int run(int argc, char **argv)
{
    static const struct option options[] = {{"output", required_argument, NULL, 'o'},
                                            {"threads", required_argument, NULL, 't'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    struct pk_simulate_request request = {0};
    for (int code; (code = pk_cli_option(&pk_command_rerun, argc, argv, options)) != -1;) {
        if (code == 'h')
            return 0;
        if (code == 'o')
            request.output = optarg;
        else if (code != 't' || !pk_cli_whole(&pk_command_rerun, "--threads", optarg, 1, 4096, &request.threads))
            return pk_status_exit_code(PK_USAGE);
    }
    if (optind != argc - 1)
        return pk_cli_usage(&pk_command_rerun, "expected one result file, found %d", argc - optind);
    struct origin origin;
    struct pk_error error;
    enum pk_status status = read_origin(argv[optind], &origin, &error);
    if (status == PK_OK && origin.overrides == NULL)
        status = pk_error_set(&error, PK_BAD_INPUT, "the result holds no overrides");
    int code = status == PK_OK ? rerun(&origin, &request) : pk_cli_fail(&error);
    free_origin(&origin);
    return code;
}
