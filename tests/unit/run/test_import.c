/* HDF5 tables become the same people as comma-separated ones, however their columns are kept. */
#include "polku/import.h"

#include <criterion/criterion.h>
#include <hdf5.h>
#include <hdf5_hl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "polku/file.h"
#include "polku/load.h"
#include "polku/memory.h"

#define GOOD POLKU_SOURCE_DIR "/tests/data/good/"
enum { N = 4 };

/* HDF5 leaks memory of its own; ours is still checked. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libhdf5\n";
}

static char folder[64], path[128];
static hid_t file;

static void set_up(void)
{
    snprintf(folder, sizeof folder, "/tmp/polku-import-XXXXXX");
    cr_assert_not_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/people.h5", folder);
    file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT); /* of the oldest format, as others write */
    cr_assert_geq(file, 0);
}

static void tear_down(void)
{
    unlink(path);
    rmdir(folder);
}

TestSuite(import, .init = set_up, .fini = tear_down);

static void put(const char *name, hid_t type, const void *values, hsize_t n)
{
    hid_t space = H5Screate_simple(1, &n, NULL);
    hid_t dataset = H5Dcreate(file, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    cr_assert(dataset >= 0 && H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
    H5Dclose(dataset);
    H5Sclose(space);
}

/* size SIZE_MAX: of variable length */
static void put_texts(const char *name, const void *values, size_t size, H5T_str_t padding)
{
    hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, size == SIZE_MAX ? H5T_VARIABLE : size);
    H5Tset_strpad(type, padding);
    put(name, type, values, N);
    H5Tclose(type);
}

static const double ages[N] = {30.5, 45, 61.75, 22}, elapsed[N] = {0, 1.25, 10, 0.5}, weights[N] = {1, 2.5, 0.5, 1};

static void put_people(void)
{
    static const char *const sexes[N] = {"woman", "man", "man", "woman"};
    static const char states[N][4] = {"idle", "idle", "work", "work"}, /* no NUL */
        diagnoses[N][8] = {"none    ", "mental  ", "other   ", "none    "};
    static const signed char regions[N] = {7, 9, 7, 9};
    static const int flags[2] = {9, 7};
    static const float short_ages[N] = {30.5f, 45, 61.75f, 22};
    put_texts("state", states, 4, H5T_STR_NULLPAD);
    put_texts("diagnosis", diagnoses, 8, H5T_STR_SPACEPAD);
    put_texts("sex", sexes, SIZE_MAX, H5T_STR_NULLTERM);
    put("region", H5T_NATIVE_SCHAR, regions, N);
    H5LTset_attribute_int(file, "region", "flag_values", flags, 2);
    H5LTset_attribute_string(file, "region", "flag_meanings", "south north");
    put("age", H5T_NATIVE_FLOAT, short_ages, N);
    put("time_in_state", H5T_NATIVE_DOUBLE, elapsed, N);
    put("weight", H5T_IEEE_F64BE, NULL, 0);
    H5Ldelete(file, "weight", H5P_DEFAULT);
    put("weight", H5T_NATIVE_DOUBLE, weights, N);
    hid_t group = H5Gcreate(file, "about", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT); /* not looked at */
    H5Gclose(group);
}

Test(import, every_kind_of_column_is_text_that_reads_back)
{
    char *csv = NULL;
    size_t size = 0;
    struct pk_error error;
    static const double odd[2] = {1.0 / 3, 1e-300};
    static const long long whole[2] = {INT64_MIN, 42};
    put("x", H5T_NATIVE_DOUBLE, odd, 2);
    put("whole, numbers", H5T_NATIVE_LLONG, whole, 2);
    H5Fclose(file);
    cr_assert_eq(pk_import_table(path, &csv, &size, &error), PK_OK, "%s", error.message);
    cr_expect_str_eq(csv, "\"whole, numbers\",x\n-9223372036854775808,0.3333333333333333\n42,1e-300\n");
    cr_expect_eq(strlen(csv), size);
    pk_free(csv);
}

Test(import, people_are_those_of_the_csv)
{
    const struct pk_load_options options = {.read_table = pk_import_table};
    struct pk_scenario scenario, imported;
    struct pk_model model, model_too;
    struct pk_problems problems;
    struct pk_error error;
    char *text = NULL, changed[4096], name[160];
    size_t size = 0;
    put_people();
    H5Fclose(file);
    cr_assert_eq(pk_file_read(GOOD "imported.yaml", 4000, &text, &size, &error), PK_OK);
    char *people = strstr(text, "people.csv"), *of_model = strstr(text, "mortality.yaml");
    *people = *of_model = '\0';
    snprintf(changed, sizeof changed, "%s" GOOD "mortality.yaml%speople.h5%s", text,
             of_model + strlen("mortality.yaml"), people + strlen("people.csv"));
    snprintf(name, sizeof name, "%s/s.yaml", folder);
    cr_assert_eq(pk_file_write(name, changed, strlen(changed), &error), PK_OK);
    pk_problems_init(&problems);
    cr_assert_eq(pk_load_scenario(GOOD "imported.yaml", NULL, &scenario, &model, &problems), PK_OK);
    cr_assert_eq(pk_load_scenario(name, &options, &imported, &model_too, &problems), PK_OK, "%s",
                 problems.items[0].message);
    const struct pk_people *a = &scenario.population.people, *b = &imported.population.people;
    cr_assert(a->n == N && b->n == N);
    cr_expect_eq(memcmp(a->states, b->states, N * sizeof *a->states), 0);
    cr_expect_eq(memcmp(a->values, b->values, N * model.n_attributes), 0);
    cr_expect_eq(memcmp(a->ages, b->ages, sizeof ages), 0);
    cr_expect_eq(memcmp(a->elapsed, b->elapsed, sizeof elapsed), 0);
    cr_expect_eq(memcmp(a->weights, b->weights, sizeof weights), 0);
    cr_expect_eq(memcmp(b->ages, ages, sizeof ages), 0);
    pk_problems_free(&problems);
    pk_scenario_free(&scenario);
    pk_scenario_free(&imported);
    pk_model_free(&model);
    pk_model_free(&model_too);
    pk_free(text);
    unlink(name);
}

static void expect_refusal(enum pk_status expected, const char *message)
{
    char *csv = NULL;
    size_t size = 0;
    struct pk_error error;
    H5Fclose(file);
    cr_assert_eq(pk_import_table(path, &csv, &size, &error), expected);
    cr_expect_str_eq(error.message, message);
    cr_expect_str_eq(error.file, path);
    cr_expect_null(csv);
}

Test(import, a_file_without_datasets_is_refused)
{
    expect_refusal(PK_BAD_INPUT, "/: has no datasets, expected one for each column");
}

Test(import, columns_of_other_lengths_are_refused)
{
    put("age", H5T_NATIVE_DOUBLE, ages, N);
    put("weight", H5T_NATIVE_DOUBLE, weights, N - 1);
    expect_refusal(PK_BAD_INPUT, "/weight: is not as long as the other datasets");
}

Test(import, a_matrix_is_refused)
{
    const hsize_t extent[2] = {2, 2};
    H5LTmake_dataset_double(file, "age", 2, extent, ages);
    expect_refusal(PK_BAD_INPUT, "/age: is no list, expected one value a person");
}

Test(import, another_kind_of_data_is_refused)
{
    struct pair {
        int a, b;
    } pairs[N] = {{0}};
    hid_t type = H5Tcreate(H5T_COMPOUND, sizeof *pairs);
    H5Tinsert(type, "a", 0, H5T_NATIVE_INT);
    put("age", type, pairs, N);
    H5Tclose(type);
    expect_refusal(PK_BAD_INPUT, "/age: is not of numbers");
}

Test(import, a_file_that_is_no_hdf5_is_refused)
{
    struct pk_error error;
    char *csv = NULL;
    size_t size = 0;
    H5Fclose(file);
    cr_assert_eq(pk_file_write(path, "no table\n", 9, &error), PK_OK);
    cr_expect_eq(pk_import_table(path, &csv, &size, &error), PK_BAD_INPUT);
    cr_expect_str_eq(error.message, "is not an HDF5 file");
    unlink(path);
    cr_expect_eq(pk_import_table(path, &csv, &size, &error), PK_IO);
    cr_expect_str_eq(error.message, "cannot open the file: No such file or directory");
}

Test(import, running_out_of_memory_is_told_and_leaks_nothing)
{
    put_people();
    H5Fclose(file);
    for (long n = 0;; n++) {
        char *csv = NULL;
        size_t size = 0;
        struct pk_error error;
        (void)pk_memory_fail_after(n);
        enum pk_status status = pk_import_table(path, &csv, &size, &error);
        (void)pk_memory_fail_after(-1);
        pk_free(csv);
        if (status == PK_OK)
            break;
        cr_assert_eq(status, PK_NO_MEMORY, "allocation %ld: %s", n, error.message);
        cr_assert_lt(n, 100);
    }
    cr_expect_eq(H5Fget_obj_count((hid_t)H5F_OBJ_ALL, H5F_OBJ_ALL), 0, "nothing is left open");
}
