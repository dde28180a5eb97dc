/* A calibration as a file that xarray, h5py and R open. See calibrate.h. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "calibrate_private.h"
#include "polku/file.h"
#include "polku/provenance.h"
#include "polku/results.h"

struct out {
    struct pk_results *results;
    enum pk_status status;
    struct pk_error *error;
};

static void put_text(struct out *out, const char *group, const char *name, const char *text)
{
    if (out->status == PK_OK)
        out->status = pk_results_text(out->results, group, name, text, out->error);
}

static void put_axis(struct out *out, const char *group, const char *name, const char *const *labels, size_t n,
                     const char *long_name)
{
    if (out->status == PK_OK)
        out->status = pk_results_axis_texts(out->results, group, name, n, labels, long_name, out->error);
}

static void put_places(struct out *out, const char *group, const char *name, size_t n, const char *long_name)
{
    int64_t *places = pk_alloc(n, sizeof *places);
    if (places == NULL && out->status == PK_OK)
        out->status = pk_error_set(out->error, PK_NO_MEMORY, "no memory to write the calibration");
    for (size_t i = 0; places != NULL && i < n; i++)
        places[i] = (int64_t)i;
    if (out->status == PK_OK)
        out->status = pk_results_axis_integers(out->results, group, name, n, places, NULL, long_name, out->error);
    pk_free(places);
}

static void put_array(struct out *out, const char *group, const char *name, const char *first, const char *second,
                      const double *values, const char *units, const char *long_name)
{
    const char *dims[] = {first, second};
    const struct pk_results_array array = {.group = group,
                                           .name = name,
                                           .n_dims = second != NULL ? 2 : 1,
                                           .dims = dims,
                                           .units = units,
                                           .long_name = long_name};
    if (out->status == PK_OK)
        out->status = pk_results_doubles(out->results, &array, values, out->error);
}

static void put_sample(struct out *out, const struct pk_answer *answer, const char *const *names)
{
    const struct pk_study *study = answer->study;
    const size_t n = answer->n_draws, p = study->n_free;
    put_places(out, "/sample", "draw", n, "draw of the posterior, in an order of chance");
    double *column = pk_alloc(n, sizeof *column);
    if (column == NULL && out->status == PK_OK)
        out->status = pk_error_set(out->error, PK_NO_MEMORY, "no memory to write the calibration");
    for (size_t k = 0; column != NULL && k < p; k++) {
        for (size_t d = 0; d < n; d++)
            column[d] = answer->draws[d * p + k];
        put_array(out, "/sample", names[k], "draw", NULL, column,
                  pk_unit_names[answer->model->parameters[study->free[k].i_parameter].given_unit], "value as given");
    }
    pk_free(column);
    if (out->status == PK_OK)
        out->status = pk_results_number(out->results, "/sample", "effective_draws", answer->effective, out->error);
    if (out->status == PK_OK)
        out->status =
            pk_results_integer(out->results, "/sample", "different_draws", (int64_t)answer->n_unique, out->error);
}

static void put_targets(struct out *out, const struct pk_answer *answer)
{
    const struct pk_study *study = answer->study;
    const char *group = "/targets", *dim = "target";
    const char *texts[PK_MAX_TARGETS];
    double numbers[PK_MAX_TARGETS];
    for (size_t t = 0; t < study->n_targets; t++)
        texts[t] = study->targets[t].name;
    put_axis(out, group, dim, texts, study->n_targets, "what the model is to come to");
#define PUT(name, expression, long_name)                                                                               \
    do {                                                                                                               \
        for (size_t t = 0; t < study->n_targets; t++)                                                                  \
            numbers[t] = expression;                                                                                   \
        put_array(out, group, name, dim, NULL, numbers, NULL, long_name);                                              \
    } while (0)
    PUT("wanted", study->targets[t].value, "value of the target");
    PUT("reached", answer->reached[t].value, "what the answer comes to");
    PUT("step_error", answer->reached[t].step_error, "how far the steps of the twin may be off");
    PUT("simulated", answer->simulated[t].value, "... by simulation");
    PUT("simulated_se", answer->simulated[t].standard_error, "simulation error");
    PUT("misfit", answer->misfits[t], "reached less wanted in standard errors (root of the deviance)");
#undef PUT
    const struct pk_results_array source = {
        .group = group, .name = "source", .n_dims = 1, .dims = &dim, .long_name = "where the target comes from"};
    for (size_t t = 0; t < study->n_targets; t++)
        texts[t] = study->targets[t].source.text;
    if (out->status == PK_OK)
        out->status = pk_results_texts(out->results, &source, texts, out->error);
}

static void put_parameters(struct out *out, const struct pk_answer *answer, const char *const *names)
{
    const size_t p = answer->study->n_free;
    const char *group = "/parameters", *dim = "parameter", *other = "other_parameter";
    double numbers[PK_MAX_FREE * PK_PROFILE_POINTS]; /* of which there are more than PK_MAX_FREE */
    put_axis(out, group, dim, names, p, "free parameter");
    put_axis(out, group, other, names, p, "free parameter");
    put_places(out, group, "profile_point", PK_PROFILE_POINTS, "point of a profile, ascending");
    put_places(out, group, "direction", p, "direction, from what the targets see least to most");
    put_array(out, group, "value", dim, NULL, answer->values, NULL, "the answer, as given");
#define PUT(name, expression, long_name)                                                                               \
    do {                                                                                                               \
        for (size_t k = 0; k < p; k++)                                                                                 \
            numbers[k] = expression;                                                                                   \
        put_array(out, group, name, dim, NULL, numbers, NULL, long_name);                                              \
    } while (0)
    PUT("lower_bound", answer->study->free[k].low, "lower bound of the search");
    PUT("upper_bound", answer->study->free[k].high, "upper bound of the search");
    PUT("likelihood_low", answer->profiles[k].low, "95 % by profile likelihood");
    PUT("likelihood_high", answer->profiles[k].high, "95 % by profile likelihood");
    PUT("low_is_bound", answer->profiles[k].low_open, "1: the interval ends at the bound");
    PUT("high_is_bound", answer->profiles[k].high_open, "1: the interval ends at the bound");
    PUT("mean", answer->mean[k], "mean of the sample");
    PUT("sd", answer->sd[k], "standard deviation of the sample");
    PUT("q025", answer->quantiles[k][0], "2.5 % of the sample");
    PUT("q500", answer->quantiles[k][1], "median of the sample");
    PUT("q975", answer->quantiles[k][2], "97.5 % of the sample");
    PUT("shrinkage", answer->shrinkage[k], "1 - standard deviation after over before, transformed");
#undef PUT
    for (int what = 0; what < 2; what++) {
        for (size_t k = 0; k < p; k++)
            for (size_t i = 0; i < PK_PROFILE_POINTS; i++)
                numbers[k * PK_PROFILE_POINTS + i] = i >= answer->profiles[k].n_points ? (double)NAN
                                                     : what == 0                       ? answer->profiles[k].at[i]
                                                                                       : answer->profiles[k].excess[i];
        put_array(out, group, what == 0 ? "profile_at" : "profile_excess", dim, "profile_point", numbers, NULL,
                  what == 0 ? "value of the parameter" : "least deviance there, all others refitted, over the least");
    }
    for (size_t k = 0; k < p; k++)
        for (size_t j = 0; j < p; j++)
            numbers[k * p + j] = answer->correlation[k][j];
    put_array(out, group, "correlation", dim, other, numbers, NULL, "correlation in the sample, transformed");
    put_array(out, group, "information", "direction", NULL, answer->information, NULL,
              "information of the targets in units of the prior's");
    for (size_t k = 0; k < p; k++)
        for (size_t j = 0; j < p; j++)
            numbers[k * p + j] = answer->directions[k][j];
    put_array(out, group, "directions", "direction", dim, numbers, NULL,
              "parts of each direction, in standard deviations of the prior on the transformed scale");
}

static void put_modes(struct out *out, const struct pk_answer *answer, const char *const *names)
{
    const size_t p = answer->study->n_free, n = answer->n_modes;
    double numbers[PK_MAX_MODES * PK_MAX_FREE];
    put_places(out, "/modes", "mode", n, "answer, the best first");
    put_axis(out, "/modes", "parameter", names, p, "free parameter");
    for (size_t m = 0; m < n; m++)
        memcpy(numbers + m * p, answer->modes[m].values, p * sizeof *numbers);
    put_array(out, "/modes", "value", "mode", "parameter", numbers, NULL, "value as given");
    for (size_t m = 0; m < n; m++)
        numbers[m] = answer->modes[m].deviance;
    put_array(out, "/modes", "deviance", "mode", NULL, numbers, NULL, "deviance of the targets");
}

enum pk_status pk_answer_save(const struct pk_answer *answer, const char *path, struct pk_error *error)
{
    const struct pk_study *study = answer->study;
    const char *names[PK_MAX_FREE];
    char digest[17];
    struct out out = {.error = error};
    for (size_t k = 0; k < study->n_free; k++)
        names[k] = study->free[k].name;
    snprintf(digest, sizeof digest, "%016llx", (unsigned long long)answer->digest);
    out.status = pk_results_create(&out.results, error);
    if (out.status != PK_OK)
        return out.status;
    put_text(&out, "/", "calibrated", study->name);
    put_text(&out, "/", "title", study->title);
    put_text(&out, "/", "digest", digest);
    put_text(&out, "/", "objective", answer->by_twin ? "twin" : "simulation");
    put_text(&out, "/", "marks", pk_text_string(&answer->marks));
    put_text(&out, "/", "polku", pk_provenance_version());
    put_sample(&out, answer, names);
    put_targets(&out, answer);
    put_parameters(&out, answer, names);
    put_modes(&out, answer, names);
    if (out.status == PK_OK)
        out.status = pk_results_long_text(out.results, "/", "study_text", study->text, "the study", error);
    if (out.status == PK_OK)
        out.status = pk_results_save(out.results, path, error);
    pk_results_close(out.results);
    return out.status;
}

/* The problem is the file's, not that of the name it has meanwhile. */
static enum pk_status at_file(enum pk_status status, const char *path, struct pk_error *error)
{
    if (status != PK_OK && error != NULL)
        snprintf(error->file, sizeof error->file, "%.255s", path);
    return status;
}

enum pk_status pk_answer_write(const struct pk_answer *answer, const char *stem, struct pk_error *error)
{
    enum { SIZE = 4096 };
    char sample[SIZE], file[SIZE], new_sample[SIZE + 32], new_file[SIZE + 32];
    struct pk_text text;
    if ((size_t)snprintf(sample, sizeof sample, "%s.h5", stem) >= sizeof sample ||
        (size_t)snprintf(file, sizeof file, "%s.yaml", stem) >= sizeof file)
        return pk_error_set(error, PK_IO, "the name of the output is too long");
    pk_file_temporary_name(sample, new_sample, sizeof new_sample);
    pk_file_temporary_name(file, new_file, sizeof new_file);
    pk_text_init(&text);
    pk_answer_yaml(answer, &text);
    enum pk_status status = text.failed ? pk_error_set(error, PK_NO_MEMORY, "no memory to write the calibration")
                                        : at_file(pk_answer_save(answer, new_sample, error), sample, error);
    if (status == PK_OK) {
        status = at_file(pk_file_write(new_file, pk_text_string(&text), text.size, error), file, error);
        if (status != PK_OK)
            (void)unlink(new_sample);
    }
    if (status == PK_OK) {
        status = pk_file_publish(new_sample, sample, error);
        if (status != PK_OK)
            (void)unlink(new_file);
    }
    if (status == PK_OK) {
        status = pk_file_publish(new_file, file, error);
        if (status != PK_OK)
            (void)unlink(sample);
    }
    pk_text_free(&text);
    return status;
}
