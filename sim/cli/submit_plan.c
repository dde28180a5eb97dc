/* What is to be done of a study, and what it will take. See submit.h. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "polku/memory.h"
#include "polku/stages.h"
#include "polku/sweeping.h"
#include "submit.h"

/* Of the probe, and of what is asked for beyond what it says. */
enum { PROBE_POINTS = 8, MOST_SHARDS = 256, LEAST_MINUTES = 10, MERGE_MINUTES = 60 };
static const double probe_seconds = 2, margin = 2, good_task_seconds = 120;
static const double mebibyte = 1024 * 1024, least_bytes = 200. * 1024 * 1024, merge_bytes = 1024. * 1024 * 1024;

/* ---- memory -------------------------------------------------------------------------------------------------- */

/* The most memory that this program has had, in bytes. Of the program alone: ru_maxrss, where /proc does not tell, can
 * be that of the program which started it. */
static double peak_bytes(void)
{
    struct rusage used;
    char line[256];
    double kibibytes = 0;
    FILE *file = fopen("/proc/self/status", "r");
    while (file != NULL && kibibytes <= 0 && fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "VmHWM: %lf kB", &kibibytes) != 1)
            kibibytes = 0;
    if (file != NULL)
        (void)fclose(file);
    if (kibibytes <= 0 && getrusage(RUSAGE_SELF, &used) == 0)
        kibibytes = (double)used.ru_maxrss;
    return 1024 * kibibytes;
}

/* ---- what is done -------------------------------------------------------------------------------------------- */

/* Tells one state of a file from another; 0: it is not there. */
static uint64_t look_of(const char *path)
{
    struct stat about;
    if (stat(path, &about) != 0)
        return 0;
    const uint64_t parts[] = {(uint64_t)about.st_ino, (uint64_t)about.st_size, (uint64_t)about.st_mtim.tv_sec,
                              (uint64_t)about.st_mtim.tv_nsec};
    uint64_t look = 1;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        look = look * UINT64_C(6364136223846793005) + parts[i];
    return look | 1;
}

bool pk_submit_is_whole(const struct pk_submission *s)
{
    struct pk_sample found;
    struct pk_error ignored;
    if (access(s->result, R_OK) != 0 || pk_sample_read(&found, s->result, &ignored) != PK_OK)
        return false;
    const struct pk_sample *whole = &s->whole;
    const bool same = found.identity == whole->identity && found.replications == whole->replications &&
                      found.n_all == whole->n_all && found.n == whole->n &&
                      memcmp(found.keys, whole->keys, whole->n * sizeof *whole->keys) == 0;
    pk_sample_free(&found);
    return same;
}

/* A shard is done if its file holds all of its points, and they are of this study. */
static bool is_done(struct pk_submission *s, size_t i_shard, const char *path)
{
    struct pk_sample part;
    struct pk_error ignored;
    size_t first, n;
    if (pk_sample_read(&part, path, &ignored) != PK_OK)
        return false;
    pk_sweeping_range(s->whole.n_all, i_shard, s->n_shards, &first, &n);
    const bool done =
        part.first == first && part.n == n && pk_sample_join(&s->whole, s->known, &part, &ignored) == PK_OK;
    pk_sample_free(&part);
    return done;
}

void pk_submit_look(struct pk_submission *s)
{
    for (size_t i = 0; i < s->n_shards; i++) {
        char path[PK_PATH_SIZE];
        if (s->shards[i].done)
            continue;
        pk_sweep_path(s->stem, i, s->n_shards, path);
        const uint64_t look = look_of(path);
        if (look == s->shards[i].seen)
            continue;
        s->shards[i].seen = look;
        s->shards[i].done = look != 0 && is_done(s, i, path);
        s->n_done += s->shards[i].done;
    }
}

size_t pk_submit_points(const struct pk_submission *s)
{
    size_t n_points = 0;
    for (size_t i = 0; i < s->n_shards; i++) {
        char path[PK_PATH_SIZE], part[PK_PATH_SIZE + 8];
        size_t first, n;
        pk_sweeping_range(s->whole.n_all, i, s->n_shards, &first, &n);
        if (!s->shards[i].done) {
            pk_sweep_path(s->stem, i, s->n_shards, path);
            snprintf(part, sizeof part, "%s.part", path);
            const size_t kept = pk_sweeping_kept(part, s->whole.identity);
            n = kept < n ? kept : n;
        }
        n_points += n;
    }
    return n_points;
}

enum pk_status pk_submit_divide(struct pk_submission *s, size_t n_shards, struct pk_error *error)
{
    s->shards = pk_alloc(n_shards, sizeof *s->shards);
    if (s->shards == NULL)
        return pk_error_set(error, PK_NO_MEMORY, "no memory for the shards");
    s->n_shards = n_shards;
    pk_submit_look(s);
    s->n_done_before = s->n_done;
    return PK_OK;
}

/* The number of shards that files of this study are there of, the most of one number; 0: none. Those of fewer draws are
 * no measure of how a larger study is divided. */
static size_t number_at_hand(const struct pk_submission *s)
{
    struct pk_error ignored;
    glob_t found = {0};
    size_t counts[PK_MAX_SHARDS + 1] = {0}, best = 0;
    if (pk_sweep_find(s->stem, &found, &ignored) != PK_OK)
        found.gl_pathc = 0;
    for (size_t i = 0; i < found.gl_pathc; i++) {
        struct pk_sample part;
        size_t i_shard, n_shards;
        if (!pk_sweep_of_path(s->stem, found.gl_pathv[i], &i_shard, &n_shards) ||
            pk_sample_read(&part, found.gl_pathv[i], &ignored) != PK_OK)
            continue;
        if (part.identity == s->whole.identity && part.n_all == s->whole.n_all && ++counts[n_shards] > counts[best])
            best = n_shards;
        pk_sample_free(&part);
    }
    globfree(&found);
    return best;
}

/* ---- the plan ------------------------------------------------------------------------------------------------ */

enum pk_status pk_submit_begin(struct pk_submission *s, const struct pk_submit_request *request,
                               const struct pk_swept *swept, const char *stem, struct pk_error *error)
{
    const double began = pk_seconds_now();
    uint64_t identity = 0;
    int64_t replications = 0;
    s->request = request;
    s->swept = swept;
    snprintf(s->stem, sizeof s->stem, "%s", stem);
    pk_sweep_path(stem, 0, 0, s->result);
    s->n_threads = request->cpus > 0 ? request->cpus : s->here ? 0 : 1;
    const ssize_t n = readlink("/proc/self/exe", s->program, sizeof s->program - 1);
    if (n <= 0 || access((s->program[n] = '\0', s->program), X_OK) != 0)
        return pk_error_set(error, PK_IO, "this program cannot tell where it is (/proc/self/exe)");
    if (getcwd(s->directory, sizeof s->directory) == NULL)
        return pk_error_set(error, PK_IO, "cannot tell the working directory");
    if (stem[0] == '/')
        snprintf(s->folder, sizeof s->folder, "%s.slurm", stem);
    else
        snprintf(s->folder, sizeof s->folder, "%s/%s.slurm", s->directory, stem);
    enum pk_status status = pk_sweep_check_output(s->result, swept, error);
    if (status == PK_OK)
        status = pk_sweeping_replications(&swept->study, swept->scenario, swept->model, (int)s->n_threads,
                                          &replications, error);
    if (status == PK_OK)
        status = pk_sweeping_identity(&swept->study, swept->scenario, swept->model, &identity, error);
    if (status == PK_OK)
        status = pk_sample_make(&s->whole, &swept->study, swept->scenario, swept->model, replications, identity, 0,
                                SIZE_MAX, error);
    if (status != PK_OK)
        return status;
    s->made = true;
    s->known = pk_alloc(s->whole.n + 1, sizeof *s->known);
    s->start_seconds = pk_seconds_now() - began;
    s->start_bytes = peak_bytes();
    return s->known != NULL ? PK_OK : pk_error_set(error, PK_NO_MEMORY, "no memory for the points of the study");
}

void pk_submit_free(struct pk_submission *s)
{
    pk_free(s->known);
    pk_free(s->shards);
    if (s->made)
        pk_sample_free(&s->whole);
    *s = (struct pk_submission){0};
}

static void put_time(double seconds, char text[208])
{
    const long minutes = (long)fmin(ceil(seconds / 60), 1e6), days = minutes / 1440;
    if (days > 0)
        snprintf(text, 208, "%ld-%02ld:%02ld:00", days, minutes / 60 % 24, minutes % 60);
    else
        snprintf(text, 208, "%02ld:%02ld:00", minutes / 60, minutes % 60);
}

static void put_memory(double bytes, char text[208])
{
    snprintf(text, 208, "%.0fM", 50 * ceil(bytes / mebibyte / 50));
}

/* Of a task of n points. */
static double task_seconds(const struct pk_submission *s, size_t n)
{
    return s->start_seconds + ceil((double)n / (double)s->n_threads) * s->point_seconds;
}

enum pk_status pk_submit_plan(struct pk_submission *s, size_t n_most, struct pk_error *error)
{
    const struct pk_swept *swept = s->swept;
    const struct pk_submit_request *request = s->request;
    struct pk_sweeping_probe probe;
    enum pk_status status = pk_sweeping_probe(&probe, &swept->study, swept->scenario, swept->model, &s->whole,
                                              PROBE_POINTS, probe_seconds, error);
    if (status != PK_OK)
        return status;
    s->n_threads = s->n_threads > 0 ? s->n_threads : pk_run_workers(0);
    s->n_probed = probe.n;
    s->point_seconds = probe.seconds;
    s->point_bytes = fmax(peak_bytes() - s->start_bytes, 0);
    size_t n_shards = (size_t)request->n_shards;
    if (n_shards == 0 && (n_shards = number_at_hand(s)) == 0) {
        const double n = s->point_seconds * (double)s->whole.n / (double)s->n_threads / good_task_seconds;
        n_shards = (size_t)fmin(fmax(ceil(n), 1), fmin(MOST_SHARDS, (double)n_most));
    }
    n_shards = n_shards < s->whole.n ? n_shards : s->whole.n;
    status = pk_submit_divide(s, n_shards, error);
    if (status != PK_OK)
        return status;
    size_t first, n;
    pk_sweeping_range(s->whole.n_all, 0, n_shards, &first, &n); /* none has more */
    s->task_seconds = task_seconds(s, n);
    put_time(fmax(margin * s->task_seconds + 60, 60 * LEAST_MINUTES), s->time);
    put_memory(fmax(margin * (s->start_bytes + (double)s->n_threads * s->point_bytes), least_bytes), s->memory);
    put_time(60 * MERGE_MINUTES, s->merge_time);
    put_memory(fmax(margin * margin * s->start_bytes, merge_bytes), s->merge_memory);
    if (request->time != NULL) {
        snprintf(s->time, sizeof s->time, "%.200s", request->time);
        snprintf(s->merge_time, sizeof s->merge_time, "%.200s", request->time);
    }
    if (request->memory != NULL) {
        snprintf(s->memory, sizeof s->memory, "%.200s", request->memory);
        snprintf(s->merge_memory, sizeof s->merge_memory, "%.200s", request->memory);
    }
    return PK_OK;
}

void pk_submit_duration(double seconds, char text[32])
{
    if (seconds < 0.95)
        snprintf(text, 32, "%.0f ms", 1000 * seconds);
    else if (seconds < 100)
        snprintf(text, 32, "%.*f s", seconds < 10, seconds);
    else if (seconds < 6000)
        snprintf(text, 32, "%.0f min", seconds / 60);
    else
        snprintf(text, 32, "%.1f h", seconds / 3600);
}

void pk_submit_print_plan(const struct pk_submission *s)
{
    const size_t n_points = s->whole.n_all, n_left = s->n_shards - s->n_done;
    const struct pk_submit_request *request = s->request;
    char point[32], start[32], task[32], all[32];
    double seconds = 0, core_hours = 0;
    for (size_t i = 0; i < s->n_shards; i++) {
        size_t first, n;
        pk_sweeping_range(n_points, i, s->n_shards, &first, &n);
        if (s->shards[i].done)
            continue;
        const double of_task = task_seconds(s, n);
        seconds += of_task;
        core_hours += of_task * (double)s->n_threads / 3600;
    }
    pk_submit_duration(s->point_seconds, point);
    pk_submit_duration(s->start_seconds, start);
    pk_submit_duration(s->task_seconds, task);
    pk_submit_duration(seconds, all);
    const size_t n_each = n_points / s->n_shards;
    const bool even = n_points % s->n_shards == 0;
    printf("%zu points, %lld replication%s each, in %zu shard%s of %zu%s point%s", n_points,
           (long long)s->whole.replications, s->whole.replications == 1 ? "" : "s", s->n_shards,
           s->n_shards == 1 ? "" : "s", n_each, even ? "" : " or one more", even && n_each == 1 ? "" : "s");
    if (request->n_shards > 0 && (size_t)request->n_shards > s->n_shards)
        printf(" (%lld shards were asked for: a shard has at least one)", (long long)request->n_shards);
    printf("\n");
    if (s->n_done > 0)
        printf("done already: %zu shard%s; missing: %zu\n", s->n_done, s->n_done == 1 ? "" : "s", n_left);
    if (n_left == 0)
        return;
    printf("measured on one core: %s a point (%zu points), %s to start, %.0f MB\n", point, s->n_probed, start,
           (s->start_bytes + s->point_bytes) / 1e6);
    if (s->here) {
        printf("expected: %s for a shard on %lld threads, %s in all, one after the other\n", task,
               (long long)s->n_threads, all);
        return;
    }
    printf("a task: %lld thread%s, about %s; asks for %s%s and %s%s\n", (long long)s->n_threads,
           s->n_threads == 1 ? "" : "s", task, s->time,
           request->time != NULL ? "" : " (twice that, 10 minutes at least)", s->memory,
           request->memory != NULL ? "" : " (twice what was measured)");
    printf("expected: %s with %zu task%s at once; %.2g core-hours in all\n", task, n_left, n_left == 1 ? "" : "s",
           core_hours);
}
