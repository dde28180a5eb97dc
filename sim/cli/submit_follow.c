/* Waiting for a sweep's jobs, or doing their work here. See submit.h. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "polku/file.h"
#include "polku/memory.h"
#include "polku/stages.h"
#include "processes.h"
#include "stopping.h"
#include "submit.h"

enum { MOST_TOLD = 20, LOG_BYTES = 1 << 20 };
/* Between two looks, at first and at last; and how long a result may take to be seen over a network. */
static const double first_pause = 0.5, last_pause = 10, network_seconds = 60;

static void rest(double seconds)
{
    const struct timespec pause = {.tv_sec = (time_t)seconds,
                                   .tv_nsec = (long)(1e9 * (seconds - (double)(time_t)seconds))};
    (void)nanosleep(&pause, NULL); /* a signal ends it */
}

/* ---- telling ------------------------------------------------------------------------------------------------- */

static void show(const struct pk_submission *s, const struct pk_slurm_state *state)
{
    char line[160] = "";
    if (!isatty(STDERR_FILENO))
        return;
    int n = snprintf(line, sizeof line, "%zu of %zu shards, %zu of %zu points", s->n_done, s->n_shards,
                     pk_submit_points(s), s->whole.n);
    if (state != NULL && !state->known)
        n += snprintf(line + n, sizeof line - (size_t)n, "; Slurm does not answer");
    else if (state != NULL)
        n += snprintf(line + n, sizeof line - (size_t)n, "; %zu run, %zu wait%s", state->n_running, state->n_waiting,
                      state->merge_goes_on && state->n_running + state->n_waiting == 0 ? "; merging" : "");
    if (state != NULL && state->n_failed > 0)
        n += snprintf(line + n, sizeof line - (size_t)n, ", %zu failed", state->n_failed);
    fprintf(stderr, "\r%-78s", line);
}

static void show_nothing(void)
{
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "\r%78s\r", "");
}

/* The analysis is there and made after the result. */
static bool is_analysed(const struct pk_submission *s)
{
    char path[PK_PATH_SIZE];
    struct stat result, analysis;
    snprintf(path, sizeof path, "%.3800s.analysis.h5", s->stem);
    return stat(s->result, &result) == 0 && stat(path, &analysis) == 0 &&
           (analysis.st_mtim.tv_sec > result.st_mtim.tv_sec ||
            (analysis.st_mtim.tv_sec == result.st_mtim.tv_sec && analysis.st_mtim.tv_nsec >= result.st_mtim.tv_nsec));
}

static int tell_done(const struct pk_submission *s)
{
    printf("%zu points in %zu shard%s", s->whole.n, s->n_shards, s->n_shards == 1 ? "" : "s");
    if (s->n_done_before > 0)
        printf(", %zu of them done before", s->n_done_before);
    printf("; result: %s; what it tells: polku analyse %s\n", s->result, s->result);
    return 0;
}

static int tell_missing(const struct pk_submission *s, const struct pk_slurm_jobs *jobs)
{
    size_t n_told = 0;
    for (size_t i = 0; i < s->n_shards; i++) {
        if (s->shards[i].done || n_told++ >= MOST_TOLD)
            continue;
        fprintf(stderr, "missing: shard %zu/%zu", i + 1, s->n_shards);
        if (jobs->array[0] != '\0')
            fprintf(stderr, ", its log: %s/logs/%s_%zu.txt", s->folder, jobs->array, i + 1);
        fputs("\n", stderr);
    }
    if (n_told > MOST_TOLD)
        fprintf(stderr, "... and %zu more\n", n_told - MOST_TOLD);
    if (n_told > 0)
        fprintf(stderr, "polku: %zu of %zu shards are missing; the same command does only what is missing\n", n_told,
                s->n_shards);
    else if (jobs->merge[0] == '\0')
        fprintf(stderr, "polku: all shards are done but not merged; the same command does that\n");
    else
        fprintf(stderr, "polku: all shards are done; the log of what comes after is %s/logs/merge_%s.txt\n", s->folder,
                jobs->merge);
    return pk_status_exit_code(PK_IO);
}

/* ---- on a cluster --------------------------------------------------------------------------------------------- */

/* Until no job goes on, or somebody stops us. */
static void wait_for_jobs(struct pk_submission *s, const struct pk_slurm_jobs *jobs)
{
    double pause = first_pause, over_since = 0;
    int n_over = 0;
    while (pk_stopping_signal() == 0) {
        struct pk_slurm_state state;
        pk_slurm_ask(jobs, &state);
        pk_submit_look(s);
        show(s, &state);
        if (state.known && state.n_waiting + state.n_running == 0 && !state.merge_goes_on) {
            over_since = over_since > 0 ? over_since : pk_seconds_now();
            const bool may_come = state.merge_finished && pk_seconds_now() - over_since < network_seconds;
            if (++n_over >= 2 && (!may_come || pk_submit_is_whole(s))) /* twice: a requeue has moments between */
                break;
            rest(1);
            continue;
        }
        over_since = n_over = 0;
        if (!state.known && s->n_done == s->n_shards && is_analysed(s) && pk_submit_is_whole(s))
            break;
        rest(pause);
        pause = pause * 1.2 < last_pause ? pause * 1.2 : last_pause;
    }
    pk_submit_look(s);
    show_nothing();
}

int pk_submit_follow(struct pk_submission *s, const struct pk_slurm_jobs *jobs)
{
    wait_for_jobs(s, jobs);
    if (pk_stopping_signal() != 0) {
        fprintf(stderr,
                "polku: no longer following; the jobs go on. The same command follows them again, scancel %s %s ends "
                "them\n",
                jobs->array, jobs->merge);
        return pk_status_exit_code(PK_IO);
    }
    return pk_submit_is_whole(s) && is_analysed(s) ? tell_done(s) : tell_missing(s, jobs);
}

/* ---- here ----------------------------------------------------------------------------------------------------- */

/* Runs a command of ours, which talks to a log; what it said is told if it fails. */
static int run_logged(const struct pk_submission *s, const char *const *argv, const char *name)
{
    char log[3 * PK_PATH_SIZE], *said = NULL;
    struct pk_error ignored;
    size_t size;
    pk_submit_path(s, name, log);
    (void)unlink(log);
    const int code = pk_process_run(argv, log);
    if (code == 0 || pk_stopping_signal() != 0)
        return code;
    show_nothing();
    if (pk_file_read(log, LOG_BYTES, &said, &size, &ignored) == PK_OK)
        fputs(said, stderr);
    pk_free(said);
    fprintf(stderr, "polku: %s failed (exit code %d)\n", argv[1], code);
    return code > 0 && code <= pk_status_exit_code(PK_BUG) ? code : pk_status_exit_code(PK_IO);
}

/* Words of a command on the study, from words[n] on: six at most. Returns how many there are then. */
static size_t put_study(const struct pk_submission *s, const char *draws, const char **words, size_t n)
{
    if (s->request->draws > 0) {
        words[n++] = "--draws";
        words[n++] = draws;
    }
    const char *const rest_of_it[] = {"-o", s->stem, "--", s->request->study};
    for (size_t i = 0; i < sizeof rest_of_it / sizeof *rest_of_it; i++)
        words[n++] = rest_of_it[i];
    return n;
}

static int run_here(struct pk_submission *s)
{
    char shard[48], threads[24], draws[24], name[64];
    int code = 0;
    snprintf(draws, sizeof draws, "%lld", (long long)s->request->draws);
    snprintf(threads, sizeof threads, "%lld", (long long)s->n_threads);
    for (size_t i = 0; i < s->n_shards && code == 0; i++) {
        if (s->shards[i].done)
            continue;
        snprintf(shard, sizeof shard, "%zu/%zu", i + 1, s->n_shards);
        snprintf(name, sizeof name, "logs/here_%zu.txt", i + 1);
        const char *sweep[16] = {s->program, "sweep", "--shard", shard, "--threads", threads};
        put_study(s, draws, sweep, 6);
        show(s, NULL);
        code = run_logged(s, sweep, name);
        pk_submit_look(s);
    }
    if (code == 0 && s->n_done == s->n_shards) {
        struct pk_text names;
        const char **merge = pk_alloc(s->n_shards + 16, sizeof *merge);
        char *paths = pk_alloc(s->n_shards, PK_PATH_SIZE);
        size_t n = 0;
        pk_text_init(&names);
        if (merge == NULL || paths == NULL) {
            fputs("polku: no memory to merge\n", stderr);
            code = pk_status_exit_code(PK_NO_MEMORY);
        } else {
            merge[0] = s->program;
            merge[1] = "merge";
            n = put_study(s, draws, merge, 2);
            for (size_t i = 0; i < s->n_shards; i++) {
                pk_sweep_path(s->stem, i, s->n_shards, paths + i * PK_PATH_SIZE);
                merge[n++] = paths + i * PK_PATH_SIZE;
            }
            code = run_logged(s, merge, "logs/here_merge.txt");
        }
        pk_free(merge);
        pk_free(paths);
        const char *const analyse[] = {s->program, "analyse", "--", s->result, NULL};
        if (code == 0)
            code = run_logged(s, analyse, "logs/here_analyse.txt");
    }
    show_nothing();
    return code;
}

int pk_submit_here(struct pk_submission *s)
{
    const int code = run_here(s);
    if (pk_stopping_signal() != 0) {
        fputs("polku: interrupted; the same command goes on from here\n", stderr);
        return pk_status_exit_code(PK_IO);
    }
    if (code != 0)
        return code;
    const struct pk_slurm_jobs none = {0};
    return s->n_done == s->n_shards ? tell_done(s) : tell_missing(s, &none);
}
