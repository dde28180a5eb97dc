/* A calibration of which every allocation and every write is made to fail, one after the other: it is told, nothing
 * leaks, and what stands under the name is whole and of one piece. */
#include <criterion/criterion.h>
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "polku/calibrate.h"
#include "polku/file.h"
#include "polku/memory.h"
#include "polku/results.h"
#include "study.h"

#define DATA POLKU_SOURCE_DIR "/tests/data/calibrate/"

static char folder[64], stem[80];

static void make_folder(void)
{
    snprintf(folder, sizeof folder, "/tmp/polku-faults-XXXXXX");
    cr_assert_not_null(mkdtemp(folder));
    snprintf(stem, sizeof stem, "%s/answer", folder);
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

static void path_of(const char *ending, char path[128])
{
    snprintf(path, 128, "%s%s", stem, ending);
}

static void empty_folder(void)
{
    char path[128];
    path_of(".yaml", path);
    (void)unlink(path);
    path_of(".h5", path);
    (void)unlink(path);
}

static void remove_folder(void)
{
    empty_folder();
    (void)rmdir(folder);
}

TestSuite(calibrate_faults, .init = make_folder, .fini = remove_folder);

/* Everything from a study to its answer, told in every way. */
static enum pk_status calibrate(const struct loaded *loaded, struct pk_answer *answer, struct pk_error *error)
{
    static const struct pk_calibrate_request request = {.n_threads = 1, .simulate = true};
    return pk_calibrate(answer, &loaded->study, &loaded->scenario, &loaded->model, &request, error);
}

static enum pk_status tell(const struct pk_answer *answer)
{
    struct pk_text text;
    pk_text_init(&text);
    pk_answer_print(answer, &text);
    pk_answer_json(answer, &text);
    const bool failed = text.failed;
    pk_text_free(&text);
    return failed ? PK_NO_MEMORY : PK_OK;
}

/* The answer's file is one that a scenario could name. */
static bool is_good(uint64_t *digest)
{
    char path[128];
    struct pk_arena arena;
    struct pk_calibration calibration;
    struct pk_problems problems;
    struct pk_results *results = NULL;
    struct pk_error error;
    char *text = NULL;
    pk_arena_init(&arena);
    pk_problems_init(&problems);
    path_of(".yaml", path);
    bool good = pk_load_calibrated(path, &arena, &calibration, &problems) == PK_OK;
    *digest = good ? strtoull(calibration.digest, NULL, 16) : 0;
    path_of(".h5", path);
    good = good && pk_results_open(path, &results, &error) == PK_OK;
    good = good && pk_results_read_text(results, "/", "digest", &text, &error) == PK_OK;
    good = good && strcmp(text, calibration.digest) == 0;
    pk_free(text);
    if (results != NULL)
        pk_results_close(results);
    pk_problems_free(&problems);
    pk_arena_free(&arena);
    return good;
}

static void every_allocation(const char *path, long every)
{
    struct loaded loaded;
    struct pk_error error;
    uint64_t digest;
    struct pk_answer *answer = calloc(1, sizeof *answer);
    cr_assert_not_null(answer);
    for (int part = 0; part < 4; part++) {
        enum pk_status status = PK_NO_MEMORY;
        long n = 0;
        if (part > 0)
            cr_assert_eq(load(path, &loaded), PK_OK);
        if (part > 1)
            cr_assert_eq(calibrate(&loaded, answer, &error), PK_OK);
        for (; status != PK_OK; n += part == 1 && n > 500 ? every : 1) {
            error.message[0] = '\0';
            (void)pk_memory_fail_after(n);
            status = part == 0   ? load(path, &loaded)
                     : part == 1 ? calibrate(&loaded, answer, &error)
                     : part == 2 ? tell(answer)
                                 : pk_answer_write(answer, stem, &error);
            (void)pk_memory_fail_after(-1);
            cr_assert(status == PK_OK || status == PK_NO_MEMORY, "part %d, allocation %ld: status %d, %s", part, n,
                      (int)status, error.message);
            cr_assert(status == PK_OK || part == 0 || part == 2 || error.message[0] != '\0');
            cr_assert_eq(n_files(), part == 3 && status == PK_OK ? 2 : 0, "part %d, allocation %ld", part, n);
        }
        cr_assert_gt(n, 4, "part %d has %ld allocations", part, n);
        if (part == 3)
            cr_assert(is_good(&digest));
        if (part > 0) {
            pk_answer_free(answer);
            unload(&loaded);
        } else {
            unload(&loaded);
        }
    }
    free(answer);
}

Test(calibrate_faults, every_failing_allocation_is_told_by_the_twin, .timeout = 240)
{
    every_allocation(DATA "tiny.yaml", 41);
}

Test(calibrate_faults, every_failing_allocation_is_told_by_simulation, .timeout = 240)
{
    every_allocation(DATA "tiny_simulated.yaml", 911);
}

/* An answer whose files are written, once more over those of another. */
static void with_answer(void (*judge)(const struct pk_answer *answer, bool earlier))
{
    struct loaded loaded, other;
    struct pk_error error;
    struct pk_answer *answer = calloc(1, sizeof *answer), *before = calloc(1, sizeof *before);
    cr_assert(answer != NULL && before != NULL);
    cr_assert_eq(load(DATA "tiny.yaml", &loaded), PK_OK);
    cr_assert_eq(load(DATA "tiny_simulated.yaml", &other), PK_OK);
    cr_assert_eq(calibrate(&loaded, answer, &error), PK_OK);
    cr_assert_eq(calibrate(&other, before, &error), PK_OK);
    cr_assert_neq(answer->digest, before->digest);
    judge(answer, false);
    empty_folder();
    cr_assert_eq(pk_answer_write(before, stem, &error), PK_OK);
    judge(answer, true);
    pk_answer_free(before);
    pk_answer_free(answer);
    unload(&other);
    unload(&loaded);
    free(before);
    free(answer);
}

/* None or the earlier one, or the whole new one. Where the last step fails an earlier sample is gone. */
static void judge_failed(const struct pk_answer *answer, bool earlier, bool last_step)
{
    uint64_t digest = 0;
    if (last_step)
        cr_assert_eq(n_files(), earlier ? 1 : 0);
    else
        cr_assert_eq(n_files(), earlier ? 2 : 0);
    if (earlier && !last_step)
        cr_assert(is_good(&digest) && digest != answer->digest);
}

static void fail_writes(const struct pk_answer *answer, bool earlier)
{
    struct pk_error error;
    uint64_t digest = 0;
    (void)pk_file_fail_after(1000);
    long n_calls = 0;
    enum pk_status status = PK_IO;
    for (long n = 0; status != PK_OK; n++) {
        (void)pk_file_fail_after(n);
        status = pk_answer_write(answer, stem, &error);
        n_calls = pk_file_fail_after(-1);
        cr_assert(status == PK_OK || status == PK_IO, "write %ld: %s", n, error.message);
        if (status == PK_OK)
            break;
        cr_assert(strstr(error.file, "partial") == NULL && strstr(error.file, "answer.") != NULL, "write %ld names %s",
                  n, error.file);
        judge_failed(answer, earlier, n_files() == (earlier ? 1 : 0));
        if (earlier && n_files() == 1)
            break; /* the last step but one, and the earlier sample is gone */
    }
    cr_assert_geq(n_calls, 8);
    if (status == PK_OK)
        cr_assert(is_good(&digest) && digest == answer->digest && n_files() == 2);
}

Test(calibrate_faults, every_failing_write_leaves_all_or_nothing, .timeout = 120)
{
    with_answer(fail_writes);
}

static void fill_disk(const struct pk_answer *answer, bool earlier)
{
    struct rlimit limit;
    struct pk_error error;
    uint64_t digest = 0;
    signal(SIGXFSZ, SIG_IGN);
    cr_assert_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
    const rlim_t before = limit.rlim_cur;
    enum pk_status status = PK_IO;
    for (rlim_t allowed = 0; status != PK_OK; allowed += 1021) {
        limit.rlim_cur = allowed;
        cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
        status = pk_answer_write(answer, stem, &error);
        limit.rlim_cur = before;
        cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
        cr_assert(status == PK_OK || status == PK_IO, "%s", error.message);
        if (status != PK_OK)
            judge_failed(answer, earlier, false);
    }
    cr_assert(is_good(&digest) && digest == answer->digest && n_files() == 2);
}

Test(calibrate_faults, a_disk_that_fills_up_leaves_all_or_nothing, .timeout = 120)
{
    with_answer(fill_disk);
}
