/* polku submit: a whole sweep given to a Slurm cluster, and followed to its end. */
#include <stdio.h>
#include <string.h>

#include "polku/sweeping.h"
#include "processes.h"
#include "stopping.h"
#include "submit.h"

static const char help[] =
    "Usage: polku submit [OPTION...] STUDY\n\n"
    "Runs a sweep on a Slurm cluster: measures some points, plans, submits an array of shards and after it a job that\n"
    "merges and analyses, and follows them to the end. Submitting again does only what is missing, or follows jobs "
    "that\n"
    "are still there. The scripts stay in STEM.slurm/, with the jobs' logs. The cluster's nodes must see this program\n"
    "and the working directory under the same names. Without Slurm (no sbatch) the shards are run here, one after the\n"
    "other, and merged: the result has the same bytes.\n\n"
    "  -n, --shards N         tasks of the array; default: those at hand, else tasks of two minutes, at most 256\n"
    "  -c, --cpus C           threads of a task (1; without Slurm: all cores)\n"
    "      --draws N          draws, rows or trajectories instead of the study's; what is done of fewer is kept\n"
    "  -o, --output STEM      where to; default outputs/NAME of the study\n"
    "  -t, --time TIME        of a task, as sbatch takes it; default: twice what is expected, 10 minutes at least\n"
    "  -m, --mem SIZE         of a task, as sbatch takes it; default: twice what was measured\n"
    "  -p, --partition NAME\n"
    "  -A, --account NAME\n"
    "  -x, --sbatch OPTIONS   any other options for sbatch, as \"--qos=long --exclude=n17\"\n"
    "  -d, --dry-run          only tell the plan and write the scripts\n"
    "      --no-follow        return as soon as the jobs are submitted\n"
    "  -h, --help\n\n"
    "Exit code 0: the result is there (with --no-follow: submitted); 3: shards are missing, or Slurm refused.\n\n"
    "Examples:\n"
    "  polku submit configs/studies/ips-sobol.yaml --shards 64\n"
    "  polku submit configs/studies/ips-sobol.yaml --shards 64 --partition small --account project_1 --no-follow\n"
    "  polku submit configs/studies/ips-sobol.yaml --shards 64 --dry-run && less outputs/ips_sobol.slurm/array.sh\n";

static int run(int argc, char **argv);
const struct pk_command pk_command_submit = {"submit", "run a sweep on a Slurm cluster", help, run};

/* A word that goes into a script as it is. */
static bool word(const char *option, const char *text)
{
    if (text[0] != '\0' && strlen(text) < 200 && strpbrk(text, " \t\r\n\"'\\#") == NULL)
        return true;
    pk_cli_usage(&pk_command_submit, "%s is \"%s\", expected one word, as sbatch takes it", option, text);
    return false;
}

/* Returns 0 to go on, or an exit code + 1. */
static int read_request(int argc, char **argv, struct pk_submit_request *request)
{
    static const struct option options[] = {{"shards", required_argument, NULL, 'n'},
                                            {"cpus", required_argument, NULL, 'c'},
                                            {"output", required_argument, NULL, 'o'},
                                            {"time", required_argument, NULL, 't'},
                                            {"mem", required_argument, NULL, 'm'},
                                            {"partition", required_argument, NULL, 'p'},
                                            {"draws", required_argument, NULL, 'D'},
                                            {"account", required_argument, NULL, 'A'},
                                            {"sbatch", required_argument, NULL, 'x'},
                                            {"dry-run", no_argument, NULL, 'd'},
                                            {"no-follow", no_argument, NULL, 'F'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    const struct pk_command *self = &pk_command_submit;
    *request = (struct pk_submit_request){0};
    for (int code; (code = pk_cli_option(self, argc, argv, options)) != -1;) {
        bool good = true;
        if (code == 'h')
            return 1;
        if (code == 'n')
            good = pk_cli_whole(self, "--shards", optarg, 1, PK_MAX_SHARDS, &request->n_shards);
        else if (code == 'c')
            good = pk_cli_whole(self, "--cpus", optarg, 1, 4096, &request->cpus);
        else if (code == 'D')
            good = pk_cli_whole(self, "--draws", optarg, 2, PK_MAX_DRAWS, &request->draws);
        else if (code == 'o')
            request->output = optarg;
        else if (code == 't')
            good = word("--time", request->time = optarg);
        else if (code == 'm')
            good = word("--mem", request->memory = optarg);
        else if (code == 'p')
            good = word("--partition", request->partition = optarg);
        else if (code == 'A')
            good = word("--account", request->account = optarg);
        else if (code == 'x')
            request->extra = optarg;
        else if (code == 'd')
            request->dry_run = true;
        else if (code == 'F')
            request->no_follow = true;
        else
            good = false;
        if (!good)
            return 1 + pk_status_exit_code(PK_USAGE);
    }
    if (request->extra != NULL && strpbrk(request->extra, "\r\n") != NULL)
        return 1 + pk_cli_usage(self, "--sbatch has the end of a line in it");
    if (optind != argc - 1)
        return 1 + pk_cli_usage(self, "expected one study file, found %d", argc - optind);
    request->study = argv[optind];
    return 0;
}

/* Jobs of an earlier start that have not ended. Returns -1 to go on, else the exit code. */
static int go_on_with_earlier(struct pk_submission *s, struct pk_error *error, enum pk_status *status)
{
    struct pk_slurm_jobs jobs;
    size_t n_shards;
    bool same;
    if (!pk_slurm_earlier(s, &jobs, &n_shards, &same))
        return -1;
    if (!same) {
        *status =
            pk_error_set(error, PK_BAD_INPUT,
                         "jobs of an earlier submission, of %zu shards, of this study as it is or as it was, have "
                         "not ended: wait for them, or end them with scancel %s %s",
                         n_shards, jobs.array, jobs.merge);
        return pk_status_exit_code(PK_BAD_INPUT);
    }
    pk_stopping_begin();
    printf("submitted already: job %s%s%s\n", jobs.array, jobs.array[0] != '\0' ? ", then " : "", jobs.merge);
    (void)fflush(stdout);
    *status = s->request->no_follow ? PK_OK : pk_submit_divide(s, n_shards, error);
    if (*status != PK_OK || s->request->no_follow)
        return pk_status_exit_code(*status);
    return pk_submit_follow(s, &jobs);
}

static int submit(struct pk_submission *s, struct pk_error *error, enum pk_status *status)
{
    struct pk_slurm_jobs jobs;
    if (s->request->dry_run) {
        printf("%s/array.sh and merge.sh are written; nothing is submitted\n", s->folder);
        return 0;
    }
    pk_stopping_begin(); /* both jobs are submitted and known, or none */
    if (s->here) {
        fprintf(stderr, "no sbatch here: the shards are run on this machine\n");
        return pk_submit_here(s);
    }
    *status = pk_slurm_submit(s, &jobs, error);
    if (*status != PK_OK)
        return pk_status_exit_code(*status);
    if (jobs.array[0] != '\0')
        printf("submitted: job %s, shards; then job %s merges and analyses\n", jobs.array, jobs.merge);
    else
        printf("submitted: job %s merges and analyses\n", jobs.merge);
    (void)fflush(stdout);
    return s->request->no_follow ? 0 : pk_submit_follow(s, &jobs);
}

static int work(struct pk_submission *s, const struct pk_submit_request *request, const struct pk_swept *swept,
                const char *stem, struct pk_error *error, enum pk_status *status)
{
    const bool slurm = pk_process_there("sbatch");
    const size_t n_most = slurm ? pk_slurm_most_tasks() : SIZE_MAX;
    int code = -1;
    s->here = !slurm && !request->dry_run;
    *status = pk_submit_begin(s, request, swept, stem, error);
    if (*status == PK_OK && pk_submit_is_whole(s)) {
        printf("nothing to do: all %zu points of this study are in %s; polku analyse %s tells what they say\n",
               s->whole.n, s->result, s->result);
        return 0;
    }
    if (*status == PK_OK && slurm && !request->dry_run)
        code = go_on_with_earlier(s, error, status);
    if (*status != PK_OK || code >= 0)
        return code;
    *status = pk_submit_plan(s, n_most, error);
    if (*status == PK_OK && s->n_shards > n_most)
        *status = pk_error_set(error, PK_BAD_INPUT,
                               "%zu shards are more than an array has on this cluster (MaxArraySize %zu): --shards %zu "
                               "at most, with --cpus for more speed",
                               s->n_shards, n_most + 1, n_most);
    if (*status != PK_OK)
        return code;
    pk_submit_print_plan(s);
    (void)fflush(stdout);
    *status = pk_submit_write_scripts(s, error);
    return *status == PK_OK ? submit(s, error, status) : code;
}

static int run(int argc, char **argv)
{
    struct pk_submit_request request;
    struct pk_submission submission = {0};
    struct pk_swept swept;
    struct pk_error error = {0};
    enum pk_status status = PK_OK;
    char stem[PK_STEM_SIZE];
    int code = read_request(argc, argv, &request);
    if (code != 0)
        return code - 1;
    code = pk_swept_open(&pk_command_submit, request.study, request.draws, request.output, &swept, stem);
    if (code != 0)
        return code;
    if (swept.scenario == NULL) {
        status = pk_error_set(&error, PK_BAD_INPUT, "is of a model that is not ours, which is not run in shards");
    } else {
        pk_cli_tell_marks(swept.scenario);
        code = work(&submission, &request, &swept, stem, &error, &status);
    }
    if (status != PK_OK)
        code = pk_cli_fail_in(request.study, &error);
    pk_submit_free(&submission);
    pk_swept_free(&swept);
    pk_stopping_end();
    pk_stopping_obey();
    return code;
}
