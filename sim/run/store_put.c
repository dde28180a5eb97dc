/* Writing with a digest. See store_private.h. */
#include <string.h>

#include "store_private.h"

void pk_out_digest(struct pk_out *out, const char *group, const char *name, const void *bytes, size_t size)
{
    if (!out->digesting)
        return;
    uint64_t length = size;
    SHA256Update(&out->digest, (const uint8_t *)group, strlen(group) + 1);
    SHA256Update(&out->digest, (const uint8_t *)name, strlen(name) + 1);
    SHA256Update(&out->digest, (const uint8_t *)&length, sizeof length);
    SHA256Update(&out->digest, bytes, size);
}

void pk_out_text(struct pk_out *out, const char *group, const char *name, const char *text)
{
    pk_out_digest(out, group, name, text, strlen(text));
    if (out->status == PK_OK)
        out->status = pk_results_text(out->results, group, name, text, out->error);
}

void pk_out_long(struct pk_out *out, const char *group, const char *name, const char *text, const char *long_name)
{
    pk_out_digest(out, group, name, text, strlen(text));
    if (out->status == PK_OK)
        out->status = pk_results_long_text(out->results, group, name, text, long_name, out->error);
}

void pk_out_number(struct pk_out *out, const char *group, const char *name, double value)
{
    pk_out_digest(out, group, name, &value, sizeof value);
    if (out->status == PK_OK)
        out->status = pk_results_number(out->results, group, name, value, out->error);
}

void pk_out_integer(struct pk_out *out, const char *group, const char *name, int64_t value)
{
    pk_out_digest(out, group, name, &value, sizeof value);
    if (out->status == PK_OK)
        out->status = pk_results_integer(out->results, group, name, value, out->error);
}

void pk_out_axis_texts(struct pk_out *out, const char *group, const char *name, size_t n, const char *const *labels,
                       const char *long_name)
{
    for (size_t i = 0; i < n; i++)
        pk_out_digest(out, group, name, labels[i], strlen(labels[i]));
    if (out->status == PK_OK)
        out->status = pk_results_axis_texts(out->results, group, name, n, labels, long_name, out->error);
}

void pk_out_array_texts(struct pk_out *out, const char *group, const char *name, const char *const *dims, size_t n_dims,
                        size_t n, const char *const *values, const char *long_name)
{
    struct pk_results_array array = {
        .group = group, .name = name, .n_dims = n_dims, .dims = dims, .long_name = long_name};
    for (size_t i = 0; i < n; i++)
        pk_out_digest(out, group, name, values[i], strlen(values[i]));
    if (out->status == PK_OK)
        out->status = pk_results_texts(out->results, &array, values, out->error);
}

void pk_out_array_doubles(struct pk_out *out, const char *group, const char *name, const char *const *dims,
                          size_t n_dims, size_t n, const double *values, const char *units, const char *long_name)
{
    struct pk_results_array array = {
        .group = group, .name = name, .n_dims = n_dims, .dims = dims, .units = units, .long_name = long_name};
    pk_out_digest(out, group, name, values, n * sizeof *values);
    if (out->status == PK_OK)
        out->status = pk_results_doubles(out->results, &array, values, out->error);
}

void pk_out_array_integers(struct pk_out *out, const char *group, const char *name, const char *const *dims,
                           size_t n_dims, size_t n, const int64_t *values, const char *units, const char *long_name)
{
    struct pk_results_array array = {
        .group = group, .name = name, .n_dims = n_dims, .dims = dims, .units = units, .long_name = long_name};
    pk_out_digest(out, group, name, values, n * sizeof *values);
    if (out->status == PK_OK)
        out->status = pk_results_integers(out->results, &array, values, out->error);
}

void *pk_out_room(struct pk_out *out, size_t n, size_t size)
{
    void *block = pk_alloc(n, size);
    if (block == NULL && out->status == PK_OK)
        out->status = pk_error_set(out->error, PK_NO_MEMORY, "no memory to write the results");
    return block;
}

const char **pk_out_names(struct pk_out *out, const void *items, size_t n, size_t size)
{
    const char **names = pk_out_room(out, n, sizeof *names);
    for (size_t i = 0; names != NULL && i < n; i++)
        memcpy(&names[i], (const char *)items + i * size, sizeof names[i]);
    return names;
}

void pk_out_axis_integers(struct pk_out *out, const char *group, const char *name, size_t n, const int64_t *values,
                          const char *long_name)
{
    pk_out_digest(out, group, name, values, n * sizeof *values);
    if (out->status == PK_OK)
        out->status = pk_results_axis_integers(out->results, group, name, n, values, NULL, long_name, out->error);
}
