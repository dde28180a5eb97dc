/* polku claims: figures that somebody has printed, reconstructed, and beside what a dynamic scenario gives. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "claims_run.h"
#include "polku/claimed.h"
#include "polku/file.h"

enum { PATH_SIZE = 4096, NAME_LONGEST = 64 };

static const char help[] =
    "Usage: polku claims [OPTION...] FILE\n\n"
    "A claims file says which figures somebody has printed, and which scenario gives each by the assumptions that "
    "stand\n"
    "behind it. Runs every scenario that it names once and tells what was printed, what those assumptions give, and "
    "what\n"
    "the same gives where people live on: gross, net, simulation error, range over uncertain inputs, and what it "
    "rests\n"
    "on. Writes DIR/SCENARIO.h5 for each scenario and DIR/claims.csv with all figures. A result that is there already "
    "is\n"
    "used again if scenario, model, their files, seed, replications and version are the same.\n\n"
    "  -o, --output DIR       where to; default outputs/NAME of the claims. Made if it is not there\n"
    "  -t, --threads N        default: all cores; one for few lives\n"
    "  -r, --replications N   of the dynamic scenarios, instead of their own\n"
    "  -c, --claim NAME       only this one; may be repeated\n"
    "  -s, --static           only what was printed and its reconstruction: dynamic scenarios are not run\n"
    "  -a, --again            run scenarios whose results are there, too\n"
    "  -n, --no-variants      run scenarios without their variants and ranges; a result that has them will do\n"
    "      --language fi|sv|en  of the labels (en)\n"
    "      --json             the same as JSON\n"
    "  -h, --help\n\n"
    "Exit code 4 if a reconstruction does not give what the file says it gives; then dynamic scenarios are not run, "
    "and\n"
    "claims.csv is as it was.\n\n"
    "Example:\n"
    "  polku claims configs/ministry/claims.yaml -o outputs/claims\n"
    "  polku claims configs/ministry/claims.yaml -o outputs/claims --static --claim teams\n"
    "  polku claims configs/ministry/claims.yaml -o outputs/quick -r 20 --no-variants --json\n";

static int run(int argc, char **argv);
const struct pk_command pk_command_claims = {
    "claims", "hold printed figures against their assumptions and a dynamic model", help, run};

struct request {
    const char *output;
    int64_t threads, replications;
    bool only_static, again, variants, json;
    size_t language, n_names;
    const char *names[PK_MAX_CLAIMS];
};

/* Returns 0 to go on, or an exit code + 1. */
static int read_request(int argc, char **argv, struct request *request)
{
    static const struct option options[] = {{"output", required_argument, NULL, 'o'},
                                            {"threads", required_argument, NULL, 't'},
                                            {"replications", required_argument, NULL, 'r'},
                                            {"claim", required_argument, NULL, 'c'},
                                            {"static", no_argument, NULL, 's'},
                                            {"again", no_argument, NULL, 'a'},
                                            {"no-variants", no_argument, NULL, 'n'},
                                            {"language", required_argument, NULL, 'l'},
                                            {"json", no_argument, NULL, 'j'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    const struct pk_command *self = &pk_command_claims;
    *request = (struct request){.variants = true, .language = 2};
    for (int code; (code = pk_cli_option(self, argc, argv, options)) != -1;) {
        bool good = true;
        if (code == 'h')
            return 1;
        if (code == 'o')
            request->output = optarg;
        else if (code == 't')
            good = pk_cli_whole(self, "--threads", optarg, 1, 4096, &request->threads);
        else if (code == 'r')
            good = pk_cli_whole(self, "--replications", optarg, 1, (1 << 24) - 1, &request->replications);
        else if (code == 'c' && request->n_names < PK_MAX_CLAIMS)
            request->names[request->n_names++] = optarg;
        else if (code == 's')
            request->only_static = true;
        else if (code == 'a')
            request->again = true;
        else if (code == 'n')
            request->variants = false;
        else if (code == 'l')
            good = pk_cli_language(self, optarg, &request->language);
        else if (code == 'j')
            request->json = true;
        else
            good = false;
        if (!good)
            return 1 + pk_status_exit_code(PK_USAGE);
    }
    if (optind != argc - 1)
        return 1 + pk_cli_usage(self, "expected one claims file, found %d", argc - optind);
    return 0;
}

/* Before the work: a folder that files can be made in. */
static enum pk_status make_folder(const char *folder, struct pk_error *error)
{
    struct stat about;
    enum pk_status status = PK_OK;
    if (folder[0] == '\0' || strlen(folder) + NAME_LONGEST + 16 >= PATH_SIZE)
        return pk_error_set(error, PK_IO, "the name of the folder for the results is %s",
                            folder[0] == '\0' ? "empty" : "too long");
    if (mkdir(folder, 0777) != 0 && errno != EEXIST)
        status = pk_error_set(error, PK_IO, "cannot make the folder: %s", strerror(errno));
    else if (stat(folder, &about) != 0 || !S_ISDIR(about.st_mode))
        status = pk_error_set(error, PK_IO, "is no folder, expected one for the results");
    else if (access(folder, W_OK | X_OK) != 0)
        status = pk_error_set(error, PK_IO, "cannot create files: %s", strerror(errno));
    if (status != PK_OK)
        snprintf(error->file, sizeof error->file, "%.255s", folder);
    return status;
}

/* What is needed to run the scenarios. */
struct work {
    const struct request *request;
    struct pk_claimed *claimed;
    const char *folder;
    size_t n_needed, n_done, n_reused;
};

/* Runs one scenario, or finds its result, and reads its figures. */
static enum pk_status do_scenario(struct work *work, size_t i, bool reconstruction, bool dynamic,
                                  struct pk_error *error)
{
    const struct pk_claims_scenario *scenario = &work->claimed->claims->scenarios[i];
    char path[PATH_SIZE];
    bool reused = false;
    snprintf(path, sizeof path, "%s/%s.h5", work->folder, scenario->name);
    const struct pk_claims_run asked = {.result = path,
                                        .threads = work->request->threads,
                                        .replications = reconstruction ? 0 : work->request->replications,
                                        .variants = dynamic && work->request->variants,
                                        .again = work->request->again};
    work->n_done++;
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "%zu of %zu: %s (%s)\n", work->n_done, work->n_needed, scenario->name, scenario->path);
    enum pk_status status = pk_claims_run(scenario->path, &asked, &reused, error);
    if (status == PK_OK)
        status = pk_claimed_read(work->claimed, i, path, error);
    work->n_reused += reused;
    return status;
}

/* First what reconstructs, so that a reconstruction that does not hold is known before the long runs. */
static enum pk_status do_scenarios(struct work *work, struct pk_error *error)
{
    const size_t n = work->claimed->claims->n_scenarios;
    struct pk_problems problems;
    bool reconstruction, dynamic;
    enum pk_status status = PK_OK;
    for (size_t i = 0; i < n; i++) {
        pk_claimed_needs(work->claimed, i, &reconstruction, &dynamic);
        work->n_needed += reconstruction || dynamic;
    }
    for (int turn = 0; turn <= 1 && status == PK_OK; turn++) {
        for (size_t i = 0; i < n && status == PK_OK; i++) {
            pk_claimed_needs(work->claimed, i, &reconstruction, &dynamic);
            if (turn == 0 ? reconstruction : dynamic && !reconstruction)
                status = do_scenario(work, i, reconstruction, dynamic, error);
        }
        if (turn == 1 || status != PK_OK)
            continue;
        pk_problems_init(&problems);
        status = pk_claimed_check(work->claimed, &problems);
        if (status != PK_OK) {
            (void)pk_cli_problems(&problems, status);
            (void)pk_error_set(error, status, "the reconstructions do not give what %s says",
                               work->claimed->claims->file);
        }
        pk_problems_free(&problems);
    }
    return status;
}

/* The file first, so that what is told is also kept; whether the standard output got it, main tells. */
static enum pk_status tell(const struct work *work, struct pk_error *error)
{
    struct pk_text text, csv;
    char path[PATH_SIZE];
    enum pk_status status = PK_OK;
    pk_text_init(&text);
    pk_text_init(&csv);
    if (work->request->json)
        pk_claimed_json(work->claimed, &text);
    else
        pk_claimed_print(work->claimed, &text);
    pk_claimed_csv(work->claimed, &csv);
    snprintf(path, sizeof path, "%s/claims.csv", work->folder);
    if (text.failed || csv.failed)
        status = pk_error_set(error, PK_NO_MEMORY, "no memory to tell the claims");
    if (status == PK_OK)
        status = pk_file_write(path, pk_text_string(&csv), csv.size, error);
    if (status == PK_OK) {
        fputs(pk_text_string(&text), stdout);
        (void)fflush(stdout);
        fprintf(stderr, "%s written; %zu scenarios run, %zu results used again\n", path, work->n_done - work->n_reused,
                work->n_reused);
    }
    pk_text_free(&text);
    pk_text_free(&csv);
    return status;
}

static enum pk_status claim(const struct request *request, const struct pk_claims *claims, struct pk_error *error)
{
    struct pk_claimed claimed;
    char folder[PATH_SIZE];
    snprintf(folder, sizeof folder, "%s%s", request->output != NULL ? "" : "outputs/",
             request->output != NULL ? request->output : claims->name);
    struct work work = {.request = request, .claimed = &claimed, .folder = folder};
    enum pk_status status = pk_claimed_init(&claimed, claims, request->names, request->n_names, error);
    claimed.language = request->language;
    claimed.only_static = request->only_static;
    if (status == PK_OK)
        status = make_folder(folder, error);
    if (status == PK_OK)
        status = do_scenarios(&work, error);
    if (status == PK_OK)
        status = tell(&work, error);
    pk_claimed_free(&claimed);
    return status;
}

static int run(int argc, char **argv)
{
    struct request request;
    struct pk_claims claims;
    struct pk_problems problems;
    struct pk_error error = {0};
    int code = read_request(argc, argv, &request);
    if (code != 0)
        return code - 1;
    pk_problems_init(&problems);
    enum pk_status status = pk_load_claims(argv[optind], &pk_cli_load_options, &claims, &problems);
    code = status != PK_OK || problems.n_found > 0 ? pk_cli_problems(&problems, status) : 0;
    if (status == PK_OK) {
        status = claim(&request, &claims, &error);
        if (status != PK_OK)
            code = pk_cli_fail_in(argv[optind], &error);
        pk_claims_free(&claims);
    }
    pk_problems_free(&problems);
    return code;
}
