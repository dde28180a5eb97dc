/* libFuzzer entry for reading results: clang -fsanitize=fuzzer,address,undefined, seeds: any results files.
 *
 * HDF5 itself is not instrumented and may leak on damaged files: run with -detect_leaks=0. */
#include <fcntl.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "polku/analysis.h"
#include "polku/memory.h"
#include "polku/results.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool read_one(const char *path, void *data)
{
    struct pk_results *results = data;
    double *doubles = NULL, number = 0;
    int64_t *integers = NULL, integer = 0;
    char **texts = NULL, *text = NULL, units[32], names[PK_RESULTS_DIMS_MAX][PK_RESULTS_NAME_BYTES];
    size_t n = 0, n_dims = 0, extent[PK_RESULTS_DIMS_MAX];
    struct pk_error error;
    if (pk_results_read_doubles(results, path, &doubles, &n, extent, &n_dims, &error) == PK_OK && n > 0) {
        volatile double last = doubles[n - 1];
        (void)last;
    }
    (void)!pk_results_read_integers(results, path, &integers, &n, extent, &n_dims, &error);
    if (pk_results_read_texts(results, path, &texts, &n, &error) == PK_OK)
        for (size_t i = 0; i < n && i < 100; i++) {
            snprintf(units, sizeof units, "%s", texts[i]);
        }
    (void)!pk_results_read_text(results, path, "long_name", &text, &error);
    (void)!pk_results_dims(results, path, names, &n_dims, &error);
    (void)!pk_results_read_number(results, path, "units", &number, &error);
    (void)!pk_results_read_integer(results, "/", "seed", &integer, &error);
    pk_results_dataset_text(results, path, "units", units, sizeof units);
    pk_free(doubles);
    pk_free(integers);
    pk_free(texts);
    pk_free(text);
    return true;
}

/* A sample that is read can be told in every way. */
static void tell_sample(const char *path)
{
    const struct pk_analysis_request request = {.n_resamples = 2, .threshold = (double)NAN};
    struct pk_sample sample;
    struct pk_analysis analysis;
    struct pk_error error = {0};
    struct pk_text text;
    if (pk_sample_read(&sample, path, &error) != PK_OK)
        return;
    pk_text_init(&text);
    pk_sample_csv(&sample, true, &text);
    if (pk_analyse(&analysis, &sample, &request, &error) == PK_OK) {
        pk_analysis_print(&analysis, 3, &text);
        pk_analysis_json(&analysis, &text);
        pk_analysis_free(&analysis);
    } else if (error.message[0] == '\0') {
        abort();
    }
    pk_text_free(&text);
    pk_sample_free(&sample);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char path[64];
    if (path[0] == '\0')
        snprintf(path, sizeof path, "/tmp/polku-fuzz-results-%ld.h5", (long)getpid());
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (file < 0 || write(file, data, size) != (ssize_t)size || close(file) != 0)
        abort();
    struct pk_results *results = NULL;
    struct pk_error error;
    if (pk_results_open(path, &results, &error) == PK_OK)
        (void)!pk_results_visit(results, read_one, results, &error);
    pk_results_close(results);
    tell_sample(path);
    unlink(path);
    return 0;
}
