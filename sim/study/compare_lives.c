/* Histograms and prevented events of a result file. See compare.h. */
#include <stdio.h>
#include <string.h>

#include "compare_private.h"
#include "polku/memory.h"

enum { MOST = 64 };

struct found {
    const char *prefix;
    size_t n;
    char groups[MOST][160];
};

/* Groups with a dataset called share under the prefix. */
static bool find_shares(const char *path, void *data)
{
    struct found *found = data;
    const char *slash = strrchr(path, '/');
    if (strncmp(path, found->prefix, strlen(found->prefix)) != 0 || strcmp(slash, "/share") != 0)
        return true;
    if (found->n < MOST && (size_t)(slash - path) < sizeof found->groups[0])
        snprintf(found->groups[found->n++], sizeof found->groups[0], "%.*s", (int)(slash - path), path);
    return true;
}

/* "female, depression" for each group, in one block after the pointers. */
static char **group_labels(struct pk_compare_reading *reading, const char *group,
                           char names[PK_RESULTS_DIMS_MAX][PK_RESULTS_NAME_BYTES], const size_t *extent, size_t n_dims,
                           size_t n_groups)
{
    enum { ROOM = 128 };
    char **labels = pk_alloc(n_groups, sizeof *labels + ROOM), **texts[PK_RESULTS_DIMS_MAX] = {NULL};
    pk_compare_keep(reading, labels);
    for (size_t d = 1; d + 1 < n_dims && reading->status == PK_OK; d++) {
        char path[256];
        snprintf(path, sizeof path, "%s/%s", group, names[d]);
        texts[d] = pk_compare_texts_of(reading, path, extent[d]);
    }
    for (size_t g = 0; g < n_groups && reading->status == PK_OK; g++) {
        labels[g] = (char *)(labels + n_groups) + g * ROOM;
        size_t used = 0, below = n_groups;
        for (size_t d = 1; d + 1 < n_dims && used < ROOM; d++) {
            below /= extent[d];
            used += (size_t)snprintf(labels[g] + used, ROOM - used, "%s%s", d > 1 ? ", " : "",
                                     texts[d][g / below % extent[d]]);
        }
    }
    return labels;
}

static void read_histogram(struct pk_compare_reading *reading, const char *group,
                           struct pk_compare_histogram *histogram)
{
    struct pk_comparison *c = reading->comparison;
    char path[256], names[PK_RESULTS_DIMS_MAX][PK_RESULTS_NAME_BYTES], *name;
    size_t n_values = 0, n_dims = 0, extent[PK_RESULTS_DIMS_MAX];
    double *values = NULL;
    snprintf(path, sizeof path, "%s/value", group);
    if (reading->status == PK_OK)
        reading->status =
            pk_results_read_doubles(reading->results, path, &values, &n_values, extent, &n_dims, reading->error);
    if (reading->status != PK_OK)
        return;
    pk_compare_keep(reading, values);
    if (reading->status == PK_OK)
        reading->status = pk_results_dims(reading->results, path, names, &n_dims, reading->error);
    if (reading->status == PK_OK && (n_dims < 2 || extent[0] != c->n_arms || extent[n_dims - 1] == 0))
        reading->status = pk_error_set(reading->error, PK_BAD_INPUT, "%s has other axes than expected", path);
    if (reading->status != PK_OK)
        return;
    histogram->values = values;
    histogram->n_quantiles = extent[n_dims - 1];
    histogram->n_groups = 1;
    for (size_t d = 1; d + 1 < n_dims; d++)
        histogram->n_groups *= extent[d];
    histogram->groups = group_labels(reading, group, names, extent, n_dims, histogram->n_groups);
    snprintf(path, sizeof path, "%s/quantile", group);
    histogram->quantiles = pk_compare_doubles_of(reading, path, histogram->n_quantiles);
    histogram->of = pk_compare_text_of(reading, group, "long_name", true);
    histogram->units = pk_compare_text_of(reading, group, "units", true);
    name = pk_alloc(strlen(group) + 1, 1);
    pk_compare_keep(reading, name);
    if (reading->status == PK_OK)
        histogram->name = strcpy(name, strrchr(group, '/') + 1);
}

static void read_histograms(struct pk_compare_reading *reading, size_t i_population)
{
    struct pk_comparison *c = reading->comparison;
    char prefix[64];
    struct found found = {.prefix = prefix};
    if (i_population == 0)
        snprintf(prefix, sizeof prefix, "/histograms/");
    else
        snprintf(prefix, sizeof prefix, "/enrolled_%zu/histograms/", i_population);
    if (reading->status == PK_OK)
        reading->status = pk_results_visit(reading->results, find_shares, &found, reading->error);
    if (reading->status != PK_OK || found.n == 0)
        return;
    c->histograms = pk_alloc(found.n, sizeof *c->histograms);
    pk_compare_keep(reading, c->histograms);
    for (size_t i = 0; i < found.n && reading->status == PK_OK; i++)
        read_histogram(reading, found.groups[i], &c->histograms[c->n_histograms++]);
}

static struct pk_mean mean_at(const double *means, const double *errors, size_t i, double scale)
{
    return (struct pk_mean){.mean = means[i] * scale, .standard_error = errors[i] * scale};
}

static void read_preventions(struct pk_compare_reading *reading)
{
    struct pk_comparison *c = reading->comparison;
    if (reading->status != PK_OK || !pk_results_has(reading->results, "/preventions/blocked"))
        return;
    double *blocked = NULL;
    size_t n = 0, n_years = 0, extent[PK_RESULTS_DIMS_MAX], n_dims;
    if (reading->status == PK_OK)
        reading->status = pk_results_read_doubles(reading->results, "/preventions/blocked", &blocked, &n, extent,
                                                  &n_dims, reading->error);
    if (reading->status != PK_OK)
        return;
    pk_compare_keep(reading, blocked);
    if (n_dims != 2 || extent[1] == 0) {
        reading->status = pk_error_set(reading->error, PK_BAD_INPUT, "/preventions/blocked has other axes");
        return;
    }
    n = extent[0];
    n_years = extent[1];
    char **arms = pk_compare_texts_of(reading, "/preventions/arm", n);
    char **names = pk_compare_texts_of(reading, "/preventions/prevention", n);
    double *persons = pk_compare_doubles_of(reading, "/preventions/persons", n);
    double *blocked_se = pk_compare_doubles_of(reading, "/preventions/blocked_se", n * n_years);
    double *fewer = pk_compare_doubles_of(reading, "/preventions/fewer", n * n_years);
    double *fewer_se = pk_compare_doubles_of(reading, "/preventions/fewer_se", n * n_years);
    double *told[6];
    static const char *const paths[] = {"/preventions/persons_blocked", "/preventions/persons_blocked_se",
                                        "/preventions/persons_without", "/preventions/persons_without_se",
                                        "/preventions/persons_later",   "/preventions/persons_later_se"};
    for (size_t i = 0; i < 6; i++)
        told[i] = pk_compare_doubles_of(reading, paths[i], n);
    if (reading->status != PK_OK)
        return;
    c->preventions = pk_alloc(n, sizeof *c->preventions);
    pk_compare_keep(reading, c->preventions);
    for (size_t i = 0; i < n && reading->status == PK_OK; i++) {
        double scale = c->whole_cohort && persons[i] > 0 ? c->main.scale / persons[i] : 1;
        c->preventions[c->n_preventions++] =
            (struct pk_compare_prevention){.arm = arms[i],
                                           .name = names[i],
                                           .n_years = n_years,
                                           .scale = scale,
                                           .blocked = blocked + i * n_years,
                                           .blocked_se = blocked_se + i * n_years,
                                           .fewer = fewer + i * n_years,
                                           .fewer_se = fewer_se + i * n_years,
                                           .persons = mean_at(told[0], told[1], i, scale),
                                           .persons_without = mean_at(told[2], told[3], i, scale),
                                           .persons_later = mean_at(told[4], told[5], i, scale)};
    }
}

void pk_compare_read_lives(struct pk_compare_reading *reading, size_t i_population)
{
    read_histograms(reading, i_population);
    read_preventions(reading);
}
