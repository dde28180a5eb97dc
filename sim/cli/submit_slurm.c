/* What is said to Slurm and what it answers. See submit.h. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "polku/file.h"
#include "processes.h"
#include "submit.h"

static const char jobs_name[] = "jobs", jobs_format[] = "polku jobs 2 %16llx %zu %zu %63s %63s";

size_t pk_slurm_most_tasks(void)
{
    static const char *const argv[] = {"scontrol", "show", "config", NULL};
    struct pk_text out, err;
    size_t n = 0;
    pk_text_init(&out);
    pk_text_init(&err);
    const int code = pk_process_there(argv[0]) ? pk_process_read(argv, &out, &err) : -1;
    const char *line = code == 0 ? strstr(pk_text_string(&out), "\nMaxArraySize") : NULL;
    if (line == NULL || sscanf(line + 1, "MaxArraySize = %zu", &n) != 1 || n < 2)
        n = SIZE_MAX;
    pk_text_free(&out);
    pk_text_free(&err);
    return n == SIZE_MAX ? n : n - 1; /* the highest index is below it, and ours begin at 1 */
}

/* ---- submitting ---------------------------------------------------------------------------------------------- */

/* `script` of the folder, after the job `after` unless that is empty. */
static enum pk_status submit(const struct pk_submission *s, const char *script, const char *after,
                             char id[PK_SUBMIT_ID], struct pk_error *error)
{
    char path[3 * PK_PATH_SIZE], dependency[PK_SUBMIT_ID + 32];
    const char *argv[6] = {"sbatch", "--parsable"};
    size_t n = 2;
    struct pk_text out, err;
    pk_submit_path(s, script, path);
    snprintf(dependency, sizeof dependency, "--dependency=afterok:%s", after);
    if (after[0] != '\0')
        argv[n++] = dependency;
    argv[n++] = path;
    argv[n] = NULL;
    pk_text_init(&out);
    pk_text_init(&err);
    const int code = pk_process_read(argv, &out, &err);
    const char *said = pk_text_string(&out);
    const size_t size = strspn(said, "0123456789"); /* "17", "17;cluster" */
    enum pk_status status = PK_OK;
    if (code == 0 && size > 0 && size < PK_SUBMIT_ID) {
        snprintf(id, PK_SUBMIT_ID, "%.*s", (int)size, said);
        if (err.size > 0)
            fputs(pk_text_string(&err), stderr);
    } else {
        char why[256];
        snprintf(why, sizeof why, "%s", err.size > 0 ? pk_text_string(&err) : said);
        for (char *c = why; *c != '\0'; c++)
            if (*c == '\n')
                *c = c[1] != '\0' ? ';' : '\0';
        status = pk_error_set(error, PK_IO, "sbatch does not take it (exit code %d): %s", code, why);
        snprintf(error->file, sizeof error->file, "%.255s", path);
    }
    pk_text_free(&out);
    pk_text_free(&err);
    return status;
}

enum pk_status pk_slurm_submit(const struct pk_submission *s, struct pk_slurm_jobs *jobs, struct pk_error *error)
{
    char path[3 * PK_PATH_SIZE], line[256];
    enum pk_status status = PK_OK;
    struct pk_error ignored;
    *jobs = (struct pk_slurm_jobs){0};
    if (s->n_done < s->n_shards)
        status = submit(s, "array.sh", "", jobs->array, error);
    if (status == PK_OK) {
        status = submit(s, "merge.sh", jobs->array, jobs->merge, error);
        if (status != PK_OK && jobs->array[0] != '\0')
            snprintf(error->hint, sizeof error->hint,
                     "the shards are submitted, as job %.20s; when they are done, start this command again",
                     jobs->array);
    }
    if (jobs->array[0] == '\0' && jobs->merge[0] == '\0')
        return status;
    const int size = snprintf(line, sizeof line, "polku jobs 2 %016llx %zu %zu %s %s\n",
                              (unsigned long long)s->whole.identity, s->whole.n, s->n_shards,
                              jobs->array[0] != '\0' ? jobs->array : "-", jobs->merge[0] != '\0' ? jobs->merge : "-");
    pk_submit_path(s, jobs_name, path);
    if (pk_file_write(path, line, (size_t)size, &ignored) != PK_OK)
        fprintf(stderr, "warning: %s cannot be written: a second start will not know of these jobs\n", path);
    return status;
}

/* ---- asking -------------------------------------------------------------------------------------------------- */

static bool is_one_of(const char *state, const char *const *states)
{
    for (size_t i = 0; states[i] != NULL; i++)
        if (strcmp(state, states[i]) == 0)
            return true;
    return false;
}

void pk_slurm_ask(const struct pk_slurm_jobs *jobs, struct pk_slurm_state *state)
{
    static const char *const waiting[] = {"PENDING",      "REQUEUED",      "REQUEUE_FED", "REQUEUE_HOLD",
                                          "SPECIAL_EXIT", "RESV_DEL_HOLD", NULL};
    static const char *const failed[] = {"FAILED",    "TIMEOUT",  "NODE_FAIL", "OUT_OF_MEMORY", "CANCELLED",
                                         "BOOT_FAIL", "DEADLINE", "PREEMPTED", "REVOKED",       NULL};
    char user[32];
    const char *const argv[] = {"squeue", "-h", "-r", "-t", "all", "-u", user, "-o", "%F %T", NULL};
    struct pk_text out, err;
    *state = (struct pk_slurm_state){0};
    snprintf(user, sizeof user, "%lu", (unsigned long)getuid());
    pk_text_init(&out);
    pk_text_init(&err);
    state->known = pk_process_read(argv, &out, &err) == 0;
    for (const char *at = pk_text_string(&out); state->known && *at != '\0';) {
        char job[PK_SUBMIT_ID], told[32];
        if (sscanf(at, "%63s %31s", job, told) == 2) {
            const bool is_waiting = is_one_of(told, waiting), is_failed = is_one_of(told, failed),
                       is_finished = strcmp(told, "COMPLETED") == 0;
            if (strcmp(job, jobs->array) == 0) {
                state->n_waiting += is_waiting;
                state->n_failed += is_failed;
                state->n_finished += is_finished;
                state->n_running += !is_waiting && !is_failed && !is_finished;
            } else if (strcmp(job, jobs->merge) == 0) {
                state->merge_failed |= is_failed;
                state->merge_finished |= is_finished;
                state->merge_goes_on |= !is_failed && !is_finished;
            }
        }
        at += strcspn(at, "\n");
        at += *at == '\n';
    }
    pk_text_free(&out);
    pk_text_free(&err);
}

bool pk_slurm_earlier(const struct pk_submission *s, struct pk_slurm_jobs *jobs, size_t *n_shards, bool *same)
{
    char path[3 * PK_PATH_SIZE], *text = NULL;
    struct pk_slurm_state state;
    struct pk_error ignored;
    unsigned long long identity;
    size_t size, n_points;
    *jobs = (struct pk_slurm_jobs){0};
    pk_submit_path(s, jobs_name, path);
    if (access(path, F_OK) != 0 || pk_file_read(path, 4096, &text, &size, &ignored) != PK_OK)
        return false;
    const bool good = sscanf(text, jobs_format, &identity, &n_points, n_shards, jobs->array, jobs->merge) == 5;
    pk_free(text);
    if (!good)
        return false;
    if (strcmp(jobs->array, "-") == 0)
        jobs->array[0] = '\0';
    if (strcmp(jobs->merge, "-") == 0)
        jobs->merge[0] = '\0';
    const size_t n_asked = (size_t)s->request->n_shards, n_wanted = n_asked < s->whole.n ? n_asked : s->whole.n;
    *same = identity == s->whole.identity && n_points == s->whole.n && *n_shards > 0 && *n_shards <= s->whole.n &&
            (n_asked == 0 || n_wanted == *n_shards);
    pk_slurm_ask(jobs, &state);
    return state.known && (state.n_waiting + state.n_running > 0 || state.merge_goes_on);
}
