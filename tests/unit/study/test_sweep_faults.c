/* A sweep of which every allocation and every write is made to fail, one after the other: it is told, nothing leaks,
 * and what stands under the name is whole. */
#include <criterion/criterion.h>
#include <dirent.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "polku/analysis.h"
#include "polku/file.h"
#include "polku/memory.h"
#include "polku/sweeping.h"
#include "study.h"

#define DATA POLKU_SOURCE_DIR "/tests/data/"
#define STUDY DATA "sweeps/doubt_draws.yaml"

static char folder[64], path[80], part[90];

static void make_folder(void)
{
    snprintf(folder, sizeof folder, "/tmp/polku-faults-XXXXXX");
    cr_assert_not_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/it.h5", folder);
    snprintf(part, sizeof part, "%s.part", path);
}

static void remove_folder(void)
{
    (void)unlink(path);
    (void)unlink(part);
    cr_assert_eq(rmdir(folder), 0, "nothing else is left");
}

static size_t n_files(void)
{
    size_t n = 0;
    DIR *open = opendir(folder);
    cr_assert_not_null(open);
    for (struct dirent *entry; (entry = readdir(open)) != NULL;)
        n += entry->d_name[0] != '.';
    closedir(open);
    return n;
}

TestSuite(sweep_faults, .init = make_folder, .fini = remove_folder);

static enum pk_status make(const struct loaded *loaded, struct pk_sample *sample, struct pk_error *error)
{
    const bool ours = loaded->study.scenario_file != NULL;
    return pk_sample_make(sample, &loaded->study, ours ? &loaded->scenario : NULL, ours ? &loaded->model : NULL, 1, 9,
                          0, SIZE_MAX, error);
}

/* Figures that are no line in the values, here and there none. */
static void fill(struct pk_sample *sample)
{
    for (size_t i = 0; i < sample->n * sample->n_figures; i++) {
        sample->y[i] = sin(1.7 * (double)i) * (double)(1 + i % 5);
        sample->errors[i] = 0.125;
    }
    if (sample->method != PK_METHOD_FACTORIAL)
        sample->y[sample->n_figures] = (double)NAN;
}

static void check(enum pk_status status, const struct pk_error *error, const char *what, long n)
{
    cr_assert(status == PK_OK || status == PK_NO_MEMORY, "%s, allocation %ld: status %d, %s", what, n, (int)status,
              error->message);
    cr_assert(status == PK_OK || error->message[0] != '\0', "%s, allocation %ld says nothing", what, n);
}

static void every_allocation_of_a_study(const char *study)
{
    struct loaded loaded;
    struct pk_error error = {0};
    struct pk_sample sample, back;
    struct pk_analysis analysis;
    const struct pk_analysis_request request = {.n_resamples = 3, .threshold = (double)NAN};
    enum pk_status status = PK_NO_MEMORY;
    long n = 0;
    for (; status != PK_OK; n++) {
        (void)pk_memory_fail_after(n);
        status = load(study, &loaded);
        (void)pk_memory_fail_after(-1);
        cr_assert(status == PK_OK || status == PK_NO_MEMORY, "loading, allocation %ld: %d", n, (int)status);
    }
    cr_assert_gt(n, 10);
    status = PK_NO_MEMORY;
    for (n = 0; status != PK_OK; n++) {
        error.message[0] = '\0';
        (void)pk_memory_fail_after(n);
        status = make(&loaded, &sample, &error);
        (void)pk_memory_fail_after(-1);
        check(status, &error, "making", n);
    }
    cr_assert_gt(n, 3);
    fill(&sample);
    status = PK_NO_MEMORY;
    for (n = 0; status != PK_OK; n++) {
        error.message[0] = '\0';
        (void)pk_memory_fail_after(n);
        status = pk_sample_save(&sample, path, &error);
        (void)pk_memory_fail_after(-1);
        check(status, &error, "saving", n);
        cr_assert_eq(n_files(), status == PK_OK, "saving, allocation %ld", n);
    }
    status = PK_NO_MEMORY;
    for (n = 0; status != PK_OK; n++) {
        error.message[0] = '\0';
        (void)pk_memory_fail_after(n);
        status = pk_sample_read(&back, path, &error);
        (void)pk_memory_fail_after(-1);
        check(status, &error, "reading", n);
    }
    cr_assert_gt(n, 20);
    cr_assert_eq(pk_sample_sum(&back), pk_sample_sum(&sample));
    status = PK_NO_MEMORY;
    for (n = 0; status != PK_OK; n++) {
        error.message[0] = '\0';
        (void)pk_memory_fail_after(n);
        status = pk_analyse(&analysis, &back, &request, &error);
        (void)pk_memory_fail_after(-1);
        check(status, &error, "analysing", n);
    }
    cr_assert_gt(n, 5);
    status = PK_NO_MEMORY;
    for (n = 0; status != PK_OK; n++) { /* all that is told */
        struct pk_text text;
        pk_text_init(&text);
        (void)pk_memory_fail_after(n);
        pk_analysis_print(&analysis, 0, &text);
        pk_analysis_json(&analysis, &text);
        pk_sample_csv(&back, true, &text);
        (void)pk_memory_fail_after(-1);
        status = text.failed ? PK_NO_MEMORY : PK_OK;
        pk_text_free(&text);
    }
    cr_assert_eq(unlink(path), 0);
    status = PK_NO_MEMORY;
    for (n = 0; status != PK_OK; n++) {
        error.message[0] = '\0';
        (void)pk_memory_fail_after(n);
        status = pk_analysis_save(&analysis, path, &error);
        (void)pk_memory_fail_after(-1);
        check(status, &error, "saving the analysis", n);
        cr_assert_eq(n_files(), status == PK_OK, "saving the analysis, allocation %ld", n);
    }
    cr_assert_eq(unlink(path), 0);
    pk_analysis_free(&analysis);
    pk_analysis_free(&analysis);
    pk_sample_free(&back);
    pk_sample_free(&sample);
    unload(&loaded);
}

Test(sweep_faults, every_failing_allocation_of_files_and_analyses_is_told, .timeout = 240)
{
    static const char *const studies[] = {STUDY,
                                          DATA "good/sweep_screen.yaml",
                                          DATA "sweeps/doubt_grid.yaml",
                                          DATA "good/sweep_grid.yaml",
                                          DATA "good/sweep_outside.yaml",
                                          DATA "good/sweep.yaml"};
    for (size_t s = 0; s < sizeof studies / sizeof *studies; s++)
        every_allocation_of_a_study(studies[s]);
}

Test(sweep_faults, every_failing_allocation_of_one_way_is_told, .timeout = 240)
{
    every_allocation_of_a_study(DATA "sweeps/chain_ways.yaml");
}

/* ---- at work ------------------------------------------------------------------------------------------------ */

static bool stop(void *data)
{
    return --*(long *)data <= 0;
}

static enum pk_status sweep(const struct loaded *loaded, struct pk_sweeping *sweeping, long n_points, bool keeps,
                            struct pk_error *error)
{
    const char *const earlier[] = {path};
    const struct pk_sweeping_request request = {.n_threads = 1,
                                                .part = keeps ? part : NULL,
                                                .n_earlier = keeps ? 1 : 0,
                                                .earlier = earlier,
                                                .keep_seconds = 1e9,
                                                .progress_data = &n_points,
                                                .stop = n_points > 0 ? stop : NULL};
    return pk_sweeping_run(sweeping, &loaded->study, &loaded->scenario, &loaded->model, &request, error);
}

Test(sweep_faults, every_failing_allocation_of_a_sweep_is_told, .timeout = 240)
{
    struct loaded loaded;
    struct pk_error error;
    struct pk_sweeping sweeping;
    cr_assert_eq(load(STUDY, &loaded), PK_OK);
    cr_assert_eq(sweep(&loaded, &sweeping, 0, false, &error), PK_OK, "%s", error.message);
    const uint64_t digest = pk_sample_sum(&sweeping.sample);
    pk_sweeping_free(&sweeping);
    cr_assert_eq(sweep(&loaded, &sweeping, 3, true, &error), PK_IO); /* three points kept */
    cr_assert(n_files() == 1 && strstr(error.message, "interrupted after 3 of 8 points") != NULL, "%s", error.message);
    for (int keeps = 0; keeps < 2; keeps++) {
        enum pk_status status = PK_NO_MEMORY;
        for (long n = 0; status != PK_OK; n += n < 300 ? 1 : 13) {
            error.message[0] = '\0';
            (void)pk_memory_fail_after(n);
            status = sweep(&loaded, &sweeping, 0, keeps, &error);
            (void)pk_memory_fail_after(-1);
            check(status, &error, "sweeping", n);
            if (status == PK_OK)
                cr_assert_eq(pk_sample_sum(&sweeping.sample), digest, "allocation %ld changes figures", n);
        }
        pk_sweeping_free(&sweeping);
        pk_sweeping_free(&sweeping);
    }
    loaded.study.sweep->replications = 0; /* by a pilot */
    loaded.study.sweep->simulation_share = 0.5;
    loaded.study.sweep->most_replications = 2;
    enum pk_status status = PK_NO_MEMORY;
    for (long n = 0; status != PK_OK; n += n < 100 ? 1 : 17) {
        error.message[0] = '\0';
        int64_t replications;
        (void)pk_memory_fail_after(n);
        status = pk_sweeping_replications(&loaded.study, &loaded.scenario, &loaded.model, 1, &replications, &error);
        (void)pk_memory_fail_after(-1);
        check(status, &error, "the pilot", n);
        if (status == PK_OK)
            cr_assert(replications == 2, "%lld", (long long)replications);
    }
    unload(&loaded);
}

Test(sweep_faults, stopped_anywhere_it_goes_on_to_the_same, .timeout = 120)
{
    struct loaded loaded;
    struct pk_error error;
    struct pk_sweeping sweeping;
    cr_assert_eq(load(STUDY, &loaded), PK_OK);
    cr_assert_eq(sweep(&loaded, &sweeping, 0, false, &error), PK_OK);
    const uint64_t digest = pk_sample_sum(&sweeping.sample);
    pk_sweeping_free(&sweeping);
    for (long n = 1; n < 8; n++) {
        cr_assert_eq(sweep(&loaded, &sweeping, n, true, &error), PK_IO);
        cr_assert_eq(sweep(&loaded, &sweeping, 0, true, &error), PK_OK);
        cr_assert(sweeping.n_taken == (size_t)n && pk_sample_sum(&sweeping.sample) == digest, "after %ld: %zu", n,
                  sweeping.n_taken);
        pk_sweeping_free(&sweeping);
        cr_assert_eq(unlink(part), 0);
    }
    /* every byte of a part matters: changed or cut off anywhere nothing of it is taken up */
    cr_assert_eq(sweep(&loaded, &sweeping, 4, true, &error), PK_IO);
    char *bytes = NULL;
    size_t size;
    cr_assert_eq(pk_file_read(part, 1 << 20, &bytes, &size, &error), PK_OK);
    for (size_t i = 0; i < size; i += 7) {
        bytes[i] ^= (char)(1 << i % 8);
        cr_assert_eq(pk_file_write(part, bytes, i % 2 == 0 ? size : i, &error), PK_OK);
        bytes[i] ^= (char)(1 << i % 8);
        cr_assert_eq(sweep(&loaded, &sweeping, 0, true, &error), PK_OK);
        cr_assert(sweeping.n_taken == 0 && pk_sample_sum(&sweeping.sample) == digest, "byte %zu", i);
        pk_sweeping_free(&sweeping);
    }
    pk_free(bytes);
    unload(&loaded);
}

/* ---- writes ------------------------------------------------------------------------------------------------- */

static void judge(uint64_t digest)
{
    struct pk_sample sample;
    struct pk_error error;
    cr_assert_eq(n_files(), digest != 0);
    if (digest == 0)
        return;
    cr_assert_eq(pk_sample_read(&sample, path, &error), PK_OK, "%s", error.message);
    cr_assert_eq(pk_sample_sum(&sample), digest);
    pk_sample_free(&sample);
}

/* None or the earlier one, or the whole new one. */
Test(sweep_faults, every_failing_write_leaves_all_or_nothing, .timeout = 120)
{
    struct loaded loaded;
    struct pk_error error;
    struct pk_sample sample, before;
    struct rlimit limit;
    cr_assert_eq(load(STUDY, &loaded), PK_OK);
    cr_assert_eq(make(&loaded, &sample, &error), PK_OK);
    cr_assert_eq(make(&loaded, &before, &error), PK_OK);
    fill(&sample);
    for (int earlier = 0; earlier < 2; earlier++) {
        if (earlier)
            cr_assert_eq(pk_sample_save(&before, path, &error), PK_OK);
        const uint64_t was = earlier ? pk_sample_sum(&before) : 0;
        enum pk_status status = PK_IO;
        long n = 0;
        for (; status != PK_OK; n++) {
            (void)pk_file_fail_after(n);
            status = pk_sample_save(&sample, path, &error);
            (void)pk_file_fail_after(-1);
            cr_assert(status == PK_OK || status == PK_IO);
            if (status == PK_OK)
                judge(pk_sample_sum(&sample));
            else if (n < 2) /* after the rename there is only syncing the folder */
                judge(was);
            cr_assert(status == PK_OK || strstr(error.file, "it.h5") != NULL, "%s", error.file);
        }
        cr_assert_gt(n, 2);
        cr_assert_eq(unlink(path), 0);
    }
    signal(SIGXFSZ, SIG_IGN);
    cr_assert_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
    const rlim_t most = limit.rlim_cur;
    enum pk_status status = PK_IO;
    for (rlim_t allowed = 0; status != PK_OK; allowed += 997) {
        limit.rlim_cur = allowed;
        cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
        status = pk_sample_save(&sample, path, &error);
        limit.rlim_cur = most;
        cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
        judge(status == PK_OK ? pk_sample_sum(&sample) : 0);
    }
    cr_assert_eq(unlink(path), 0);
    pk_sample_free(&before);
    pk_sample_free(&sample);
    unload(&loaded);
}

/* What cannot be kept is done again: the sweep itself goes on. */
Test(sweep_faults, a_part_that_cannot_be_written_stops_nothing, .timeout = 60)
{
    struct loaded loaded;
    struct pk_error error;
    struct pk_sweeping sweeping;
    const char *const earlier[] = {path};
    const struct pk_sweeping_request request = {
        .n_threads = 1, .part = part, .keep_seconds = 0, .n_earlier = 1, .earlier = earlier};
    cr_assert_eq(load(STUDY, &loaded), PK_OK);
    for (long n = 0; n < 12; n++) {
        (void)pk_file_fail_after(n);
        cr_assert_eq(pk_sweeping_run(&sweeping, &loaded.study, &loaded.scenario, &loaded.model, &request, &error),
                     PK_OK);
        (void)pk_file_fail_after(-1);
        cr_assert(sweeping.sample.n == 8 && sweeping.n_impossible == 0);
        pk_sweeping_free(&sweeping);
        cr_assert_leq(n_files(), 1, "no temporary file is left");
        (void)unlink(part);
    }
    unload(&loaded);
}
