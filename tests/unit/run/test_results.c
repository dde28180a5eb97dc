/* Results: what is written is read back, the same calls give the same bytes, and no fault leaves a partial file.
 *
 * POLKU_SAMPLE_RESULTS=FILE keeps the sample for tests/cli/test_xarray.py and as a seed of tests/fault/fuzz_results.c.
 */
#include <criterion/criterion.h>
#include <dirent.h>
#include <hdf5.h>
#include <malloc.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "polku/file.h"
#include "polku/memory.h"
#include "polku/results.h"

/* HDF5 leaks memory of its own on damaged files and full disks; ours is still checked, and identifiers below. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libhdf5\n";
}

enum { N_AGES = 151, N_STATES = 7, N_ARMS = 12, N_BIG = N_ARMS * N_AGES * N_STATES };

static char folder[64], sample_path[128];

static void set_up(void)
{
    snprintf(folder, sizeof folder, "/tmp/polku-results-XXXXXX");
    cr_assert_not_null(mkdtemp(folder));
    snprintf(sample_path, sizeof sample_path, "%s/sample.h5", folder);
}

static size_t n_files(void)
{
    size_t n = 0;
    DIR *open_folder = opendir(folder);
    for (struct dirent *entry; (entry = readdir(open_folder)) != NULL;)
        n += entry->d_name[0] != '.';
    closedir(open_folder);
    return n;
}

static void tear_down(void)
{
    DIR *open_folder = opendir(folder);
    for (struct dirent *entry; (entry = readdir(open_folder)) != NULL;) {
        char path[512];
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (entry->d_name[0] != '.')
            unlink(path);
    }
    closedir(open_folder);
    rmdir(folder);
}

TestSuite(results, .init = set_up, .fini = tear_down);

static const char *const arms[N_ARMS] = {
    "nykyinen käytäntö", "IPS", "työhönvalmennus ÅÄÖ", "a3", "a4", "a5", "a6", "a7", "a8", "a9", "", "a11"};
static const char *const states[N_STATES] = {"työssä", "työtön", "opiskelija", "eläke", "kuollut", "€", "😀"};
static const char *const sources[N_STATES] = {"Modini 2016", "", "kysely", "oletus", "rekisteri", "x", "pitkä lähde"};

static double big_value(size_t i)
{
    return 2.385 * (double)i - 1e-3 / (1.0 + (double)i);
}
static int64_t count_value(size_t i)
{
    return ((int64_t)1 << 53) + 1 + 7919 * (int64_t)i;
}

/* Everything that can be written, in one file. */
static enum pk_status fill(struct pk_results *r, struct pk_error *error)
{
    static const char *const two[] = {"arm", "state"}, *const three[] = {"arm", "age", "state"};
    static const double steps[] = {0.0, 2.385, 1e300};
    static const int64_t people[] = {-3, 9007199254740993};
    double ages[N_AGES], *big = malloc(N_BIG * sizeof *big);
    int64_t counts[N_ARMS * N_STATES];
    for (size_t i = 0; i < N_AGES; i++)
        ages[i] = 18.25 + 0.5 * (double)i;
    for (size_t i = 0; i < N_BIG; i++)
        big[i] = big_value(i);
    big[17] = nan("");
    for (size_t i = 0; i < N_ARMS * N_STATES; i++)
        counts[i] = count_value(i);
    struct pk_results_array occupancy = {"/occupancy", "person_years", 3, three, "year", "time in each state"};
    struct pk_results_array entries = {"/occupancy", "entries", 2, two, NULL, "entries to each state"};
    struct pk_results_array source = {"/occupancy", "source", 1, &two[1], NULL, "where a state was taken from"};
    struct pk_results_array total = {"/enrolled/ips", "total", 0, NULL, "person", "people in the programme"};
    enum pk_status status = PK_OK;
#define STEP(call)                                                                                                     \
    if (status == PK_OK)                                                                                               \
    status = call
    STEP(pk_results_text(r, "/", "title", "Työkyvyn polku", error));
    STEP(pk_results_text(r, "/", "empty", "", error));
    STEP(pk_results_integer(r, "/", "seed", INT64_MIN + 1, error));
    STEP(pk_results_number(r, "/enrolled/ips", "hazard_ratio", 2.26, error));
    STEP(pk_results_long_text(r, "/model", "text", "nimi: työ\n", "the model's file", error));
    STEP(pk_results_axis_texts(r, "/occupancy", "arm", N_ARMS, arms, "arm of the scenario", error));
    STEP(pk_results_axis_texts(r, "/occupancy", "state", N_STATES, states, "state", error));
    STEP(pk_results_axis_doubles(r, "/occupancy", "age", N_AGES, ages, "year", "age at the step's start", error));
    STEP(pk_results_axis_integers(r, "/enrolled/ips", "person", 2, people, NULL, "person's number", error));
    STEP(pk_results_axis_doubles(r, "/enrolled/ips", "step", 3, steps, "month", "step", error));
    STEP(pk_results_axis_texts(r, "/enrolled", "none", 0, NULL, "an axis of no points", error));
    STEP(pk_results_doubles(r, &occupancy, big, error));
    STEP(pk_results_integers(r, &entries, counts, error));
    STEP(pk_results_texts(r, &source, sources, error));
    STEP(pk_results_integers(r, &total, &people[1], error));
    STEP(pk_results_text(r, "/occupancy/entries", "comment", "of an array", error));
#undef STEP
    free(big);
    return status;
}

static void write_sample(const char *path, bool on_disk)
{
    struct pk_results *r = NULL;
    struct pk_error error = {0};
    enum pk_status status = on_disk ? pk_results_create_on_disk(&r, path, &error) : pk_results_create(&r, &error);
    if (status == PK_OK)
        status = fill(r, &error);
    if (status == PK_OK)
        status = pk_results_save(r, path, &error);
    cr_assert_eq(status, PK_OK, "%s", error.message);
    pk_results_close(r);
}

static char *whole_file(const char *path, size_t *size)
{
    char *bytes = NULL;
    struct pk_error error = {0};
    cr_assert_eq(pk_file_read(path, (size_t)1 << 30, &bytes, size, &error), PK_OK, "%s", error.message);
    return bytes;
}

static struct pk_results *open_sample(bool on_disk)
{
    struct pk_results *r = NULL;
    struct pk_error error = {0};
    write_sample(sample_path, on_disk);
    cr_assert_eq(pk_results_open(sample_path, &r, &error), PK_OK, "%s", error.message);
    return r;
}

#define OK(call) cr_assert_eq(call, PK_OK, "%s", error.message)

static void check_round_trip(bool on_disk)
{
    struct pk_results *r = open_sample(on_disk);
    struct pk_error error = {0};
    double *doubles = NULL, number = 0;
    int64_t *integers = NULL, integer = 0;
    char **texts = NULL, *text = NULL, unit[16];
    size_t n = 0, n_dims = 0, extent[PK_RESULTS_DIMS_MAX];

    OK(pk_results_read_doubles(r, "/occupancy/person_years", &doubles, &n, extent, &n_dims, &error));
    cr_assert(n == N_BIG && n_dims == 3 && extent[0] == N_ARMS && extent[1] == N_AGES && extent[2] == N_STATES);
    for (size_t i = 0; i < n; i++)
        cr_assert(i == 17 ? isnan(doubles[i]) : doubles[i] == big_value(i), "element %zu", i);
    pk_free(doubles);

    OK(pk_results_read_integers(r, "/occupancy/entries", &integers, &n, extent, &n_dims, &error));
    cr_assert(n == N_ARMS * N_STATES && n_dims == 2 && extent[0] == N_ARMS && extent[1] == N_STATES);
    for (size_t i = 0; i < n; i++)
        cr_assert_eq(integers[i], count_value(i));
    pk_free(integers);
    OK(pk_results_read_doubles(r, "/occupancy/entries", &doubles, &n, extent, &n_dims, &error));
    cr_assert_eq(doubles[3], (double)count_value(3));
    pk_free(doubles);

    OK(pk_results_read_texts(r, "/occupancy/arm", &texts, &n, &error));
    cr_assert_eq(n, N_ARMS);
    for (size_t i = 0; i < n; i++)
        cr_assert_str_eq(texts[i], arms[i]);
    pk_free(texts);
    OK(pk_results_read_texts(r, "/occupancy/source", &texts, &n, &error));
    cr_assert_eq(n, N_STATES);
    for (size_t i = 0; i < n; i++)
        cr_assert_str_eq(texts[i], sources[i]);
    pk_free(texts);
    OK(pk_results_read_texts(r, "/enrolled/none", &texts, &n, &error));
    cr_assert_eq(n, 0);
    pk_free(texts);

    OK(pk_results_read_text(r, "/", "title", &text, &error));
    cr_assert_str_eq(text, "Työkyvyn polku");
    pk_free(text);
    OK(pk_results_read_text(r, "/", "empty", &text, &error));
    cr_assert_str_eq(text, "");
    pk_free(text);
    OK(pk_results_read_text(r, "/model", "text", &text, &error));
    cr_assert_str_eq(text, "nimi: työ\n");
    pk_free(text);
    OK(pk_results_read_text(r, "/occupancy/entries", "comment", &text, &error));
    cr_assert_str_eq(text, "of an array");
    pk_free(text);

    OK(pk_results_read_number(r, "/enrolled/ips", "hazard_ratio", &number, &error));
    cr_assert_eq(number, 2.26);
    OK(pk_results_read_integer(r, "/", "seed", &integer, &error));
    cr_assert_eq(integer, INT64_MIN + 1);
    OK(pk_results_read_number(r, "/", "seed", &number, &error));
    cr_assert_eq(number, (double)(INT64_MIN + 1));

    OK(pk_results_read_integers(r, "/enrolled/ips/total", &integers, &n, extent, &n_dims, &error));
    cr_assert(n == 1 && n_dims == 0 && integers[0] == 9007199254740993);
    pk_free(integers);

    pk_results_dataset_text(r, "/occupancy/person_years", "units", unit, sizeof unit);
    cr_assert_str_eq(unit, "year");
    pk_results_dataset_text(r, "/occupancy/person_years", "long_name", unit, sizeof unit);
    cr_assert_str_eq(unit, "time in each st");
    pk_results_dataset_text(r, "/occupancy/entries", "units", unit, sizeof unit);
    cr_assert_str_eq(unit, "");
    pk_results_dataset_text(r, "/nothing", "units", unit, sizeof unit);
    cr_assert_str_eq(unit, "");
    cr_assert(pk_results_has(r, "/") && pk_results_has(r, "/enrolled/ips") && pk_results_has(r, "/occupancy/arm"));
    cr_assert(!pk_results_has(r, "/enrolled/typ") && !pk_results_has(r, "") && !pk_results_has(r, "/a/b/c"));
    pk_results_close(r);
}

Test(results, what_is_written_in_memory_is_read_back)
{
    check_round_trip(false);
}
Test(results, what_is_written_on_disk_is_read_back)
{
    check_round_trip(true);
    cr_assert_eq(n_files(), 1);
}

static bool read_one(const char *path, void *data);

Test(results, no_identifier_of_HDF5_is_left_open)
{
    /* HDF5 counts its files, groups, datasets, types and attributes for us, but not its spaces and property lists:
     * those would show as memory that grows with every round. (Sanitizers' allocators say 0 here.) */
    enum { WARM_UP = 20, ROUNDS = 100 };
    size_t before = 0;
    for (size_t round = 0; round < WARM_UP + ROUNDS; round++) {
        struct pk_results *r = open_sample(round % 2 != 0);
        cr_assert_eq(pk_results_visit(r, read_one, r, NULL), PK_OK);
        cr_assert(!pk_results_has(r, "/none"));
        cr_assert_eq(H5Fget_obj_count(H5F_OBJ_ALL, H5F_OBJ_ALL), 1);
        pk_results_close(r);
        cr_assert_eq(pk_results_create(&r, NULL), PK_OK);
        cr_assert_eq(pk_results_axis_texts(r, "/g/h", "a", 0, NULL, "", NULL), PK_BUG);
        cr_assert_eq(pk_results_save(r, sample_path, NULL), PK_BUG);
        pk_results_close(r);
        cr_assert_eq(H5Fget_obj_count(H5F_OBJ_ALL, H5F_OBJ_ALL), 0);
        if (round + 1 == WARM_UP)
            before = mallinfo2().uordblks;
    }
    size_t after = mallinfo2().uordblks;
    cr_assert_leq(after, before + ROUNDS * 128, "%zu bytes, then %zu", before, after);
}

Test(results, a_text_of_four_mebibytes_is_read_back)
{
    struct pk_results *r = NULL;
    struct pk_error error = {0};
    size_t size = (size_t)4 << 20;
    char *text = pk_alloc(size + 1, 1), *read = NULL;
    for (size_t i = 0; i < size; i++)
        text[i] = (char)('a' + i * i % 23);
    OK(pk_results_create(&r, &error));
    OK(pk_results_long_text(r, "/", "model", text, "model", &error));
    OK(pk_results_save(r, sample_path, &error));
    pk_results_close(r);
    OK(pk_results_open(sample_path, &r, &error));
    OK(pk_results_read_text(r, "/", "model", &read, &error));
    cr_assert_str_eq(read, text);
    pk_free(read);
    pk_free(text);
    pk_results_close(r);
}

Test(results, the_longest_attribute_is_read_back_and_one_byte_more_is_refused)
{
    struct pk_results *r = NULL;
    struct pk_error error = {0};
    static char text[PK_RESULTS_TEXT_BYTES + 2];
    char *read = NULL;
    memset(text, 'x', PK_RESULTS_TEXT_BYTES);
    OK(pk_results_create(&r, &error));
    OK(pk_results_text(r, "/", "long", text, &error));
    OK(pk_results_save(r, sample_path, &error));
    pk_results_close(r);
    OK(pk_results_open(sample_path, &r, &error));
    OK(pk_results_read_text(r, "/", "long", &read, &error));
    cr_assert_str_eq(read, text);
    pk_free(read);
    pk_results_close(r);
    text[PK_RESULTS_TEXT_BYTES] = 'x';
    OK(pk_results_create(&r, &error));
    cr_assert_eq(pk_results_text(r, "/", "long", text, &error), PK_BAD_INPUT);
    pk_results_close(r);
}

Test(results, a_compressed_array_of_many_chunks_is_read_back)
{
    struct pk_results *r = NULL;
    struct pk_error error = {0};
    static const char *const dims[] = {"x", "y", "z"};
    size_t shape[] = {3, 1013, 307}, n_all = 3 * 1013 * 307, n = 0, extent[PK_RESULTS_DIMS_MAX], n_dims = 0;
    struct pk_results_array array = {"/", "cells", 3, dims, NULL, "cells"};
    int64_t *values = pk_alloc(n_all, sizeof *values), *read = NULL;
    for (size_t i = 0; i < n_all; i++)
        values[i] = (int64_t)(i * 2654435761u % 1000003u);
    OK(pk_results_create(&r, &error));
    for (size_t i = 0; i < 3; i++)
        OK(pk_results_axis_integers(r, "/", dims[i], shape[i], values, NULL, "axis", &error));
    OK(pk_results_integers(r, &array, values, &error));
    OK(pk_results_save(r, sample_path, &error));
    pk_results_close(r);
    OK(pk_results_open(sample_path, &r, &error));
    OK(pk_results_read_integers(r, "/cells", &read, &n, extent, &n_dims, &error));
    cr_assert(n == n_all && n_dims == 3 && extent[1] == 1013);
    cr_assert_eq(memcmp(read, values, n * sizeof *read), 0);
    pk_free(read);
    pk_free(values);
    pk_results_close(r);
}

/* ---- Walking ---- */

struct walk {
    char paths[1024];
    size_t n, n_wanted;
};
static bool note(const char *path, void *data)
{
    struct walk *walk = data;
    strcat(strcat(walk->paths, path), " ");
    return ++walk->n < walk->n_wanted;
}

Test(results, datasets_are_visited_in_the_order_of_names)
{
    struct pk_results *r = open_sample(false);
    struct pk_error error = {0};
    struct walk walk = {"", 0, 99}, stopped = {"", 0, 2};
    OK(pk_results_visit(r, note, &walk, &error));
    cr_assert_str_eq(walk.paths, "/enrolled/ips/person /enrolled/ips/step /enrolled/ips/total /enrolled/none "
                                 "/model/text /occupancy/age /occupancy/arm /occupancy/entries "
                                 "/occupancy/person_years /occupancy/source /occupancy/state ");
    OK(pk_results_visit(r, note, &stopped, &error));
    cr_assert_str_eq(stopped.paths, "/enrolled/ips/person /enrolled/ips/step ");
    pk_results_close(r);
}

Test(results, a_dataset_knows_its_axes)
{
    struct pk_results *r = open_sample(false);
    struct pk_error error = {0};
    char names[PK_RESULTS_DIMS_MAX][PK_RESULTS_NAME_BYTES];
    size_t n = 0;
    OK(pk_results_dims(r, "/occupancy/person_years", names, &n, &error));
    cr_assert_eq(n, 3);
    cr_assert(strcmp(names[0], "arm") == 0 && strcmp(names[1], "age") == 0 && strcmp(names[2], "state") == 0);
    OK(pk_results_dims(r, "/occupancy/entries", names, &n, &error));
    cr_assert(n == 2 && strcmp(names[0], "arm") == 0 && strcmp(names[1], "state") == 0);
    OK(pk_results_dims(r, "/occupancy/age", names, &n, &error));
    cr_assert(n == 1 && strcmp(names[0], "age") == 0);
    OK(pk_results_dims(r, "/enrolled/ips/total", names, &n, &error));
    cr_assert_eq(n, 0);
    cr_assert_eq(pk_results_dims(r, "/occupancy", names, &n, &error), PK_BAD_INPUT);
    pk_results_close(r);
}

/* ---- The same bytes ---- */

Test(results, the_same_calls_give_the_same_bytes)
{
    char other[160], disk[160], disk2[160];
    size_t size = 0, size2 = 0;
    snprintf(other, sizeof other, "%s/other.h5", folder);
    snprintf(disk, sizeof disk, "%s/disk.h5", folder);
    snprintf(disk2, sizeof disk2, "%s/disk2.h5", folder);
    write_sample(sample_path, false);
    /* Dirty freed memory and let a clock second pass: neither may reach the file. */
    void *blocks[200];
    for (size_t i = 0; i < 200; i++)
        memset(blocks[i] = malloc(64 * (i + 1)), 0xA5, 64 * (i + 1));
    for (size_t i = 0; i < 200; i++)
        free(blocks[i]);
    sleep(1);
    write_sample(other, false);
    write_sample(disk, true);
    write_sample(disk2, true);
    char *bytes = whole_file(sample_path, &size), *bytes2 = whole_file(other, &size2);
    cr_assert(size == size2 && memcmp(bytes, bytes2, size) == 0);
    pk_free(bytes2);
    const char *keep = getenv("POLKU_SAMPLE_RESULTS");
    if (keep != NULL)
        cr_assert_eq(pk_file_write(keep, bytes, size, NULL), PK_OK);
    bytes2 = whole_file(disk, &size2);
    cr_assert(size == size2 && memcmp(bytes, bytes2, size) == 0);
    pk_free(bytes);
    bytes = whole_file(disk2, &size);
    cr_assert(size == size2 && memcmp(bytes, bytes2, size) == 0);
    pk_free(bytes);
    pk_free(bytes2);
}

/* ---- Mistakes ---- */

/* Runs one faulty write after a good axis; the same failure must come back from saving, and no file may appear. */
#define REFUSED(expected, words, call)                                                                                 \
    do {                                                                                                               \
        struct pk_results *r = NULL;                                                                                   \
        struct pk_error error = {0}, later = {0};                                                                      \
        OK(pk_results_create(&r, &error));                                                                             \
        OK(pk_results_axis_doubles(r, "/g", "x", 2, two_doubles, NULL, "x", &error));                                  \
        cr_assert_eq(call, expected, "%s", error.message);                                                             \
        cr_assert_not_null(strstr(error.message, words), "%s", error.message);                                         \
        cr_assert_eq(pk_results_number(r, "/", "good", 1.0, NULL), expected);                                          \
        cr_assert_eq(pk_results_save(r, sample_path, &later), expected);                                               \
        cr_assert_str_eq(later.message, error.message);                                                                \
        cr_assert_neq(access(sample_path, F_OK), 0);                                                                   \
        pk_results_close(r);                                                                                           \
    } while (0)

Test(results, mistakes_are_named_and_no_file_appears)
{
    static const double two_doubles[] = {2.385, 7.5};
    static const char *const x[] = {"x"}, *const y[] = {"y"}, *const xx[] = {"x", "x"}, *const latin[] = {"ty\xF6"};
    static const char *const good[] = {"a", "b"}, *const overlong[] = {"\xC0\x80"}, *const cut[] = {"ty\xC3"};
    static const char *const nine[] = {"a", "b", "c", "d", "e", "f", "g", "h", "i"};
    char long_name[80];
    memset(long_name, 'n', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = '\0';
#define ARRAY(...) (&(struct pk_results_array){__VA_ARGS__})
    REFUSED(PK_BUG, "needs the axis y", pk_results_doubles(r, ARRAY("/g", "a", 1, y, NULL, "a"), two_doubles, &error));
    REFUSED(PK_BUG, "needs the axis x", pk_results_doubles(r, ARRAY("/h", "a", 1, x, NULL, "a"), two_doubles, &error));
    REFUSED(PK_BUG, "the axis x twice", pk_results_doubles(r, ARRAY("/g", "a", 2, xx, NULL, "a"), two_doubles, &error));
    REFUSED(PK_BUG, "more than 8", pk_results_doubles(r, ARRAY("/g", "a", 9, nine, NULL, "a"), two_doubles, &error));
    REFUSED(PK_BUG, "no long_name", pk_results_doubles(r, ARRAY("/g", "a", 1, x, NULL, NULL), two_doubles, &error));
    REFUSED(PK_BUG, "no long_name", pk_results_doubles(r, ARRAY("/g", "a", 1, x, NULL, ""), two_doubles, &error));
    REFUSED(PK_BUG, "begin with", pk_results_number(r, "g", "a", 1.0, &error));
    REFUSED(PK_BAD_INPUT, "has a x already",
            pk_results_doubles(r, ARRAY("/g", "x", 1, x, NULL, "a"), two_doubles, &error));
    REFUSED(PK_BAD_INPUT, "has a x already", pk_results_axis_texts(r, "/g", "x", 2, good, "x", &error));
    REFUSED(PK_BAD_INPUT, "long_name already", pk_results_number(r, "/g/x", "long_name", 1.0, &error));
    REFUSED(PK_BAD_INPUT, "the name of a group", pk_results_number(r, "/g/x/deeper", "a", 1.0, &error));
    REFUSED(PK_BAD_INPUT, "the name of a group", pk_results_axis_texts(r, "/g/x", "a", 2, good, "x", &error));
    REFUSED(PK_BAD_INPUT, "cannot be a group", pk_results_number(r, "/g//h", "a", 1.0, &error));
    REFUSED(PK_BAD_INPUT, "cannot be a group", pk_results_number(r, "/g/", "a", 1.0, &error));
    REFUSED(PK_BAD_INPUT, "cannot be a group", pk_results_number(r, "/g/..", "a", 1.0, &error));
    REFUSED(PK_BAD_INPUT, "cannot name", pk_results_number(r, "/", "", 1.0, &error));
    REFUSED(PK_BAD_INPUT, "cannot name", pk_results_number(r, "/", "työ", 1.0, &error));
    REFUSED(PK_BAD_INPUT, "cannot name", pk_results_number(r, "/", long_name, 1.0, &error));
    REFUSED(PK_BAD_INPUT, "cannot name", pk_results_axis_texts(r, "/g", "a/b", 2, good, "x", &error));
    REFUSED(PK_BAD_INPUT, "not UTF-8", pk_results_axis_texts(r, "/g", "a", 1, latin, "x", &error));
    REFUSED(PK_BAD_INPUT, "not UTF-8", pk_results_axis_texts(r, "/g", "a", 1, overlong, "x", &error));
    REFUSED(PK_BAD_INPUT, "not UTF-8", pk_results_axis_texts(r, "/g", "a", 1, cut, "x", &error));
    REFUSED(PK_BAD_INPUT, "not UTF-8", pk_results_text(r, "/g", "a", "\xED\xA0\x80", &error));
    REFUSED(PK_BAD_INPUT, "not UTF-8", pk_results_text(r, "/g", "a", "\xF4\x90\x80\x80", &error));
#undef ARRAY
    cr_assert_eq(n_files(), 0);
}

Test(results, too_many_elements_are_refused_before_any_is_read)
{
    static const char *const dims[] = {"a", "b", "c", "d"};
    static const double thousand[1000];
    struct pk_results *r = NULL;
    struct pk_error error = {0};
    struct pk_results_array array = {"/", "huge", 4, dims, NULL, "huge"};
    OK(pk_results_create(&r, &error));
    for (size_t i = 0; i < 4; i++)
        OK(pk_results_axis_doubles(r, "/", dims[i], 1000, thousand, NULL, "axis", &error));
    cr_assert_eq(pk_results_doubles(r, &array, thousand, &error), PK_BAD_INPUT);
    pk_results_close(r);
}

Test(results, a_saved_object_is_finished)
{
    char other[160];
    struct pk_results *r = NULL;
    struct pk_error error = {0};
    snprintf(other, sizeof other, "%s/other.h5", folder);
    OK(pk_results_create(&r, &error));
    OK(pk_results_save(r, sample_path, &error));
    cr_assert_eq(pk_results_number(r, "/", "late", 1.0, &error), PK_BUG);
    cr_assert_eq(pk_results_save(r, other, &error), PK_BUG);
    cr_assert(!pk_results_has(r, "/"));
    pk_results_close(r);
    OK(pk_results_create_on_disk(&r, other, &error));
    cr_assert_eq(n_files(), 2);
    cr_assert_eq(pk_results_save(r, sample_path, &error), PK_BUG);
    pk_results_close(r);
    OK(pk_results_create_on_disk(&r, other, &error));
    pk_results_close(r);
    cr_assert_eq(n_files(), 1);
    pk_results_close(NULL);
    cr_assert_eq(pk_results_create_on_disk(&r, "/nonexistent/x.h5", &error), PK_IO);
    cr_assert_null(r);
    cr_assert_not_null(strstr(error.message, "No such file"), "%s", error.message);
}

Test(results, what_is_not_there_or_of_another_kind_is_named)
{
    struct pk_results *r = open_sample(false);
    struct pk_error error = {0};
    double *doubles = NULL, number = 0;
    int64_t *integers = NULL;
    char **texts = NULL, *text = NULL;
    size_t n = 0, n_dims = 0, extent[PK_RESULTS_DIMS_MAX];
    cr_assert_eq(pk_results_read_doubles(r, "/occupancy/none", &doubles, &n, extent, &n_dims, &error), PK_BAD_INPUT);
    cr_assert_not_null(strstr(error.message, "/occupancy/none: there is no such dataset"));
    cr_assert_str_eq(error.file, sample_path);
    cr_assert_eq(pk_results_read_doubles(r, "/occupancy/arm", &doubles, &n, extent, &n_dims, &error), PK_BAD_INPUT);
    cr_assert_eq(pk_results_read_integers(r, "/occupancy/age", &integers, &n, extent, &n_dims, &error), PK_BAD_INPUT);
    cr_assert_eq(pk_results_read_texts(r, "/occupancy/age", &texts, &n, &error), PK_BAD_INPUT);
    cr_assert_eq(pk_results_read_texts(r, "/occupancy", &texts, &n, &error), PK_BAD_INPUT);
    cr_assert_eq(pk_results_read_text(r, "/", "none", &text, &error), PK_BAD_INPUT);
    cr_assert_eq(pk_results_read_text(r, "/", "seed", &text, &error), PK_BAD_INPUT);
    cr_assert_eq(pk_results_read_text(r, "/occupancy", "arm", &text, &error), PK_BAD_INPUT);
    cr_assert_eq(pk_results_read_number(r, "/", "title", &number, &error), PK_BAD_INPUT);
    cr_assert_eq(pk_results_read_number(r, "/nowhere", "title", &number, &error), PK_BAD_INPUT);
    cr_assert_eq(pk_results_number(r, "/", "x", 1.0, &error), PK_BUG);
    cr_assert(doubles == NULL && integers == NULL && texts == NULL && text == NULL);
    pk_results_close(r);
}

/* ---- Damage ---- */

static bool read_one(const char *path, void *data)
{
    struct pk_results *r = data;
    double *doubles = NULL;
    int64_t *integers = NULL;
    char **texts = NULL, *text = NULL, units[32], names[PK_RESULTS_DIMS_MAX][PK_RESULTS_NAME_BYTES];
    size_t n = 0, n_dims = 0, extent[PK_RESULTS_DIMS_MAX];
    struct pk_error error;
    (void)!pk_results_read_doubles(r, path, &doubles, &n, extent, &n_dims, &error);
    (void)!pk_results_read_integers(r, path, &integers, &n, extent, &n_dims, &error);
    (void)!pk_results_read_texts(r, path, &texts, &n, &error);
    (void)!pk_results_read_text(r, path, "long_name", &text, &error);
    (void)!pk_results_dims(r, path, names, &n_dims, &error);
    pk_results_dataset_text(r, path, "units", units, sizeof units);
    pk_free(doubles);
    pk_free(integers);
    pk_free(texts);
    pk_free(text);
    return true;
}

static enum pk_status read_everything(const char *path)
{
    struct pk_results *r = NULL;
    struct pk_error error = {0};
    enum pk_status status = pk_results_open(path, &r, &error);
    if (status != PK_OK) {
        cr_assert_null(r);
        cr_assert_str_not_empty(error.message);
        return status;
    }
    status = pk_results_visit(r, read_one, r, &error);
    pk_results_close(r);
    return status;
}

static void put_bytes(const char *path, const char *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");
    cr_assert_not_null(file);
    cr_assert_eq(fwrite(bytes, 1, size, file), size);
    cr_assert_eq(fclose(file), 0);
}

Test(results, what_is_not_a_results_file_is_refused)
{
    struct pk_results *r = NULL;
    struct pk_error error = {0};
    cr_assert_eq(pk_results_open("/nonexistent.h5", &r, &error), PK_IO);
    cr_assert_not_null(strstr(error.message, "No such file"));
    cr_assert_str_eq(error.file, "/nonexistent.h5");
    cr_assert_eq(pk_results_open(folder, &r, &error), PK_IO);
    put_bytes(sample_path, "model: työ\n", 12);
    cr_assert_eq(pk_results_open(sample_path, &r, &error), PK_BAD_INPUT);
    put_bytes(sample_path, "", 0);
    cr_assert_eq(pk_results_open(sample_path, &r, &error), PK_BAD_INPUT);
    cr_assert_null(r);
}

Test(results, a_file_cut_short_is_refused, .timeout = 120)
{
    char cut[160];
    size_t size = 0;
    snprintf(cut, sizeof cut, "%s/cut.h5", folder);
    write_sample(sample_path, false);
    char *bytes = whole_file(sample_path, &size);
    for (size_t n = 0; n < size; n += n < 512 ? 1 : 97) {
        put_bytes(cut, bytes, n);
        cr_assert_eq(read_everything(cut), PK_BAD_INPUT, "cut to %zu of %zu bytes", n, size);
    }
    put_bytes(cut, bytes, size - 1);
    cr_assert_eq(read_everything(cut), PK_BAD_INPUT);
    pk_free(bytes);
}

Test(results, flipped_bits_do_no_harm, .timeout = 120)
{
    char damaged[160];
    size_t size = 0;
    snprintf(damaged, sizeof damaged, "%s/damaged.h5", folder);
    write_sample(sample_path, false);
    char *bytes = whole_file(sample_path, &size);
    unsigned long long random = 20240607;
    size_t n_seen = 0;
    for (size_t i = 0; i < 900; i++) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        /* The metadata is the smaller part of the file: a third of the flips each in the front, the end, anywhere. */
        size_t range = i % 3 == 2 ? size : 8192, at = (size_t)(random >> 33) % range;
        at = i % 3 == 1 ? size - 1 - at : at;
        char mask = (char)(1u << ((random >> 20) & 7));
        bytes[at] = (char)(bytes[at] ^ mask);
        put_bytes(damaged, bytes, size);
        n_seen += read_everything(damaged) != PK_OK;
        bytes[at] = (char)(bytes[at] ^ mask);
    }
    cr_assert_gt(n_seen, 0);
    put_bytes(damaged, bytes, size);
    cr_assert_eq(read_everything(damaged), PK_OK);
    pk_free(bytes);
}

Test(results, a_flipped_bit_in_a_compressed_array_is_noticed)
{
    struct pk_error error = {0};
    double *doubles = NULL;
    size_t size = 0, n = 0, n_dims = 0, extent[PK_RESULTS_DIMS_MAX];
    struct pk_results *r = NULL;
    write_sample(sample_path, false);
    /* The HDF5 library itself says where the chunk lies. */
    hsize_t offset[3], bytes_stored = 0;
    haddr_t address = 0;
    unsigned filters = 0;
    hid_t file = H5Fopen(sample_path, H5F_ACC_RDONLY, H5P_DEFAULT);
    hid_t dataset = H5Dopen2(file, "/occupancy/person_years", H5P_DEFAULT);
    hid_t space = H5Dget_space(dataset);
    cr_assert_geq(H5Dget_chunk_info(dataset, space, 0, offset, &filters, &address, &bytes_stored), 0);
    H5Sclose(space);
    H5Dclose(dataset);
    H5Fclose(file);
    char *bytes = whole_file(sample_path, &size);
    for (size_t i = 0; i < 40; i++) {
        size_t at = (size_t)address + i * ((size_t)bytes_stored - 1) / 39;
        bytes[at] = (char)(bytes[at] ^ (1 << i % 8));
        put_bytes(sample_path, bytes, size);
        OK(pk_results_open(sample_path, &r, &error));
        cr_assert_eq(pk_results_read_doubles(r, "/occupancy/person_years", &doubles, &n, extent, &n_dims, &error),
                     PK_BAD_INPUT);
        cr_assert_not_null(strstr(error.message, "damaged"), "%s", error.message);
        pk_results_close(r);
        bytes[at] = (char)(bytes[at] ^ (1 << i % 8));
    }
    pk_free(bytes);
}

static void make_foreign(const char *path, H5F_libver_t oldest)
{
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    H5Pset_libver_bounds(access, oldest, H5F_LIBVER_LATEST);
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, access);
    H5Pclose(access);
    hsize_t n = 3, ranks[9] = {1, 1, 1, 1, 1, 1, 1, 1, 1}, huge[2] = {1 << 20, 1 << 20};
    hid_t space = H5Screate_simple(1, &n, NULL), deep = H5Screate_simple(9, ranks, NULL);
    hid_t large = H5Screate_simple(2, huge, NULL), varying = H5Tcopy(H5T_C_S1), pair = H5Tcreate(H5T_COMPOUND, 16);
    const char *words[] = {"a", "b", "c"};
    double one = 1;
    H5Tset_size(varying, H5T_VARIABLE);
    H5Tinsert(pair, "a", 0, H5T_NATIVE_DOUBLE);
    hid_t made = H5Dcreate2(file, "varying", varying, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    H5Dwrite(made, varying, H5S_ALL, H5S_ALL, H5P_DEFAULT, words);
    H5Dclose(made);
    made = H5Dcreate2(file, "deep", H5T_NATIVE_DOUBLE, deep, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    H5Dwrite(made, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, &one);
    H5Dclose(made);
    H5Dclose(H5Dcreate2(file, "large", H5T_NATIVE_DOUBLE, large, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    H5Dclose(H5Dcreate2(file, "unwritten", H5T_NATIVE_DOUBLE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    H5Dclose(H5Dcreate2(file, "pair", pair, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    hid_t plan = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_external(plan, "/etc/hostname", 0, 24);
    H5Dclose(H5Dcreate2(file, "external", H5T_NATIVE_DOUBLE, space, H5P_DEFAULT, plan, H5P_DEFAULT));
    H5Pclose(plan);
    H5Lcreate_soft("/deep", file, "soft", H5P_DEFAULT, H5P_DEFAULT);
    H5Lcreate_external("other.h5", "/x", file, "elsewhere", H5P_DEFAULT, H5P_DEFAULT);
    hid_t group = H5Gcreate2(file, "loop", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    H5Lcreate_hard(file, "/", group, "again", H5P_DEFAULT, H5P_DEFAULT);
    H5Gclose(group);
    H5Sclose(space);
    H5Sclose(deep);
    H5Sclose(large);
    H5Tclose(varying);
    H5Tclose(pair);
    H5Fclose(file);
}

Test(results, foreign_contents_are_refused)
{
    struct pk_results *r = NULL;
    struct pk_error error = {0};
    static const char *const paths[] = {"/varying",  "/deep",      "/large", "/unwritten", "/pair",
                                        "/external", "/elsewhere", "/soft",  "/loop"};
    make_foreign(sample_path, H5F_LIBVER_EARLIEST);
    cr_assert_eq(pk_results_open(sample_path, &r, &error), PK_BAD_INPUT);
    cr_assert_not_null(strstr(error.message, "older format"), "%s", error.message);
    make_foreign(sample_path, H5F_LIBVER_V18);
    OK(pk_results_open(sample_path, &r, &error));
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        double *doubles = NULL;
        char **texts = NULL;
        size_t n = 0, n_dims = 0, extent[PK_RESULTS_DIMS_MAX];
        cr_assert_eq(pk_results_read_doubles(r, paths[i], &doubles, &n, extent, &n_dims, &error), PK_BAD_INPUT, "%s",
                     paths[i]);
        cr_assert_eq(pk_results_read_texts(r, paths[i], &texts, &n, &error), PK_BAD_INPUT, "%s", paths[i]);
    }
    struct walk walk = {"", 0, 1};
    cr_assert_eq(pk_results_visit(r, note, &walk, &error), PK_BAD_INPUT);
    cr_assert_str_empty(walk.paths);
    pk_results_close(r);
}

/* ---- Faults ---- */

static enum pk_status attempt(bool on_disk, bool reading, struct pk_error *error)
{
    struct pk_results *r = NULL;
    enum pk_status status = on_disk ? pk_results_create_on_disk(&r, sample_path, error) : pk_results_create(&r, error);
    if (status == PK_OK)
        status = fill(r, error);
    if (status == PK_OK)
        status = pk_results_save(r, sample_path, error);
    pk_results_close(r);
    if (status == PK_OK && reading) {
        status = pk_results_open(sample_path, &r, error);
        char names[PK_RESULTS_DIMS_MAX][PK_RESULTS_NAME_BYTES], **texts = NULL, *text = NULL;
        double *doubles = NULL;
        size_t n = 0, n_dims = 0, extent[PK_RESULTS_DIMS_MAX];
        struct walk walk = {"", 0, 99};
        if (status == PK_OK)
            status = pk_results_visit(r, note, &walk, error);
        if (status == PK_OK)
            status = pk_results_dims(r, "/occupancy/entries", names, &n_dims, error);
        if (status == PK_OK)
            status = pk_results_read_texts(r, "/occupancy/arm", &texts, &n, error);
        if (status == PK_OK)
            status = pk_results_read_text(r, "/", "title", &text, error);
        if (status == PK_OK)
            status = pk_results_read_doubles(r, "/occupancy/age", &doubles, &n, extent, &n_dims, error);
        pk_free(texts);
        pk_free(text);
        pk_free(doubles);
        pk_results_close(r);
    }
    return status;
}

Test(results, every_failing_allocation_is_reported_and_leaves_nothing, .timeout = 120)
{
    for (int on_disk = 0; on_disk < 2; on_disk++) {
        enum pk_status status = PK_NO_MEMORY;
        long n = 0;
        for (; status != PK_OK; n++) {
            struct pk_error error = {0};
            unlink(sample_path);
            pk_memory_fail_after(n);
            status = attempt(on_disk, true, &error);
            pk_memory_fail_after(-1);
            cr_assert(status == PK_OK || status == PK_NO_MEMORY, "allocation %ld: %s", n, error.message);
            cr_assert(status == PK_OK || error.message[0] != '\0');
            cr_assert_leq(n_files(), 1);
            cr_assert(n_files() == 0 || read_everything(sample_path) == PK_OK);
        }
        cr_assert_gt(n, 8);
    }
}

Test(results, every_failing_write_is_reported_and_leaves_nothing, .timeout = 120)
{
    for (int on_disk = 0; on_disk < 2; on_disk++) {
        enum pk_status status = PK_IO;
        long n = 0;
        unlink(sample_path);
        for (; status != PK_OK; n++) {
            struct pk_error error = {0};
            pk_file_fail_after(n);
            status = attempt(on_disk, false, &error);
            pk_file_fail_after(-1);
            cr_assert(status == PK_OK || status == PK_IO, "write %ld: %s", n, error.message);
            cr_assert_eq(n_files(), status == PK_OK ? 1 : 0);
        }
        cr_assert_geq(n, on_disk ? 3 : 4);
    }
}

Test(results, a_disk_that_fills_up_at_any_byte_is_reported_and_leaves_nothing, .timeout = 240)
{
    /* A limit on the file's size stands in for the disk: HDF5's own writes fail too. */
    struct rlimit limit;
    size_t size = 0;
    signal(SIGXFSZ, SIG_IGN);
    write_sample(sample_path, true);
    pk_free(whole_file(sample_path, &size));
    cr_assert_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
    for (int on_disk = 0; on_disk < 2; on_disk++) {
        for (size_t allowed = 0; allowed < size; allowed += size / 60) {
            struct pk_error error = {0};
            unlink(sample_path);
            limit.rlim_cur = allowed;
            cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
            enum pk_status status = attempt(on_disk, false, &error);
            limit.rlim_cur = limit.rlim_max;
            cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
            cr_assert_eq(status, PK_IO, "%zu bytes, on disk %d: %s", allowed, on_disk, error.message);
            cr_assert_not_null(strstr(error.message, "File too large"), "%s", error.message);
            cr_assert_eq(n_files(), 0);
        }
    }
    /* HDF5 still works afterwards. */
    write_sample(sample_path, true);
    cr_assert_eq(read_everything(sample_path), PK_OK);
}

Test(results, a_failed_save_leaves_the_old_file_as_it_was)
{
    struct pk_error error = {0};
    char *bytes = NULL;
    size_t size = 0;
    for (int on_disk = 0; on_disk < 2; on_disk++) {
        put_bytes(sample_path, "old", 3);
        pk_file_fail_after(1);
        cr_assert_eq(attempt(on_disk, false, &error), PK_IO);
        pk_file_fail_after(-1);
        bytes = whole_file(sample_path, &size);
        cr_assert(size == 3 && memcmp(bytes, "old", 3) == 0);
        pk_free(bytes);
    }
}

/* ---- As a guest ---- */

static int n_called;
static herr_t host_handler(hid_t stack, void *data)
{
    (void)stack;
    n_called += *(int *)data;
    return 0;
}
static herr_t host_handler_v1(void *data)
{
    n_called += *(int *)data;
    return 0;
}

Test(results, the_hosts_error_handler_is_as_before)
{
    int weight = 7;
    struct pk_results *r = NULL;
    H5E_auto2_t handler = NULL;
    void *data = NULL;
    H5Eset_auto2(H5E_DEFAULT, host_handler, &weight);
    r = open_sample(false);
    cr_assert_eq(pk_results_visit(r, read_one, r, NULL), PK_OK);
    cr_assert(!pk_results_has(r, "/nothing"));
    pk_results_close(r);
    put_bytes(sample_path, "not HDF5", 8);
    cr_assert_eq(pk_results_open(sample_path, &r, NULL), PK_BAD_INPUT);
    cr_assert_eq(pk_results_create_on_disk(&r, "/nonexistent/x", NULL), PK_IO);
    cr_assert_eq(n_called, 0);
    H5Eget_auto2(H5E_DEFAULT, &handler, &data);
    cr_assert(handler == host_handler && data == &weight);
    cr_assert_lt(H5Fopen("/nonexistent", H5F_ACC_RDONLY, H5P_DEFAULT), 0);
    cr_assert_eq(n_called, 7);
}

Test(results, a_hosts_error_handler_of_the_first_kind_is_as_before)
{
    int weight = 5;
    unsigned is_v2 = 1;
    struct pk_results *r = NULL;
    H5E_auto1_t handler = NULL;
    void *data = NULL;
    H5Eset_auto1(host_handler_v1, &weight);
    r = open_sample(true);
    cr_assert(!pk_results_has(r, "/nothing"));
    pk_results_close(r);
    H5Eauto_is_v2(H5E_DEFAULT, &is_v2);
    cr_assert_eq(is_v2, 0);
    H5Eget_auto1(&handler, &data);
    cr_assert(handler == host_handler_v1 && data == &weight);
    cr_assert_eq(n_called, 0);
}
