/* Reading numbers and texts. See results.h. */
#include "results_hdf5.h"

#include <stdio.h>
#include <string.h>

#include "polku/memory.h"

/* ---- Numbers ---- */

static bool is_number(const struct pk_results_source *source, bool whole)
{
    return source->element_bytes <= 16 && (source->class == H5T_INTEGER || (source->class == H5T_FLOAT && !whole));
}

static enum pk_status read_numbers(const struct pk_results *results, const char *path, bool whole, void **values,
                                   size_t *n_values, size_t extent[PK_RESULTS_DIMS_MAX], size_t *n_dims,
                                   struct pk_error *error)
{
    struct pk_results_source source;
    struct pk_results_guest guest;
    void *read = NULL;
    *values = NULL;
    *n_values = *n_dims = 0;
    memset(extent, 0, PK_RESULTS_DIMS_MAX * sizeof *extent);
    pk_results_guest_enter(&guest);
    enum pk_status status = pk_results_look_dataset(results, path, &source, error);
    if (status == PK_OK && !is_number(&source, whole))
        status = pk_results_bad(results, error, path, whole ? "is not of integers" : "is not of numbers");
    if (status != PK_OK)
        goto out;
    read = pk_alloc(source.n_values, 8);
    if (read == NULL) {
        status = pk_error_set(error, PK_NO_MEMORY, "no memory to read %s", path);
        goto out;
    }
    status = pk_results_fetch(results, &source, whole ? H5T_NATIVE_INT64 : H5T_NATIVE_DOUBLE, read, path, error);
    if (status != PK_OK)
        goto out;
    *values = read;
    read = NULL;
    *n_values = source.n_values;
    *n_dims = source.n_dims;
    memcpy(extent, source.extent, sizeof source.extent);
out:
    pk_free(read);
    pk_results_done(&source);
    pk_results_guest_leave(&guest);
    return status;
}

enum pk_status pk_results_read_doubles(struct pk_results *results, const char *path, double **values, size_t *n_values,
                                       size_t extent[PK_RESULTS_DIMS_MAX], size_t *n_dims, struct pk_error *error)
{
    void *read = NULL;
    enum pk_status status = read_numbers(results, path, false, &read, n_values, extent, n_dims, error);
    *values = read;
    return status;
}

enum pk_status pk_results_read_integers(struct pk_results *results, const char *path, int64_t **values,
                                        size_t *n_values, size_t extent[PK_RESULTS_DIMS_MAX], size_t *n_dims,
                                        struct pk_error *error)
{
    void *read = NULL;
    enum pk_status status = read_numbers(results, path, true, &read, n_values, extent, n_dims, error);
    *values = read;
    return status;
}

static enum pk_status read_scalar(const struct pk_results *results, const char *group, const char *name, bool whole,
                                  void *value, struct pk_error *error)
{
    struct pk_results_source source;
    struct pk_results_guest guest;
    pk_results_guest_enter(&guest);
    hid_t object = pk_results_find(results, group);
    enum pk_status status = pk_results_look_attribute(results, object, group, name, &source, error);
    if (status == PK_OK && (!is_number(&source, whole) || source.n_values != 1))
        status = pk_results_bad(results, error, name, whole ? "is not an integer" : "is not a number");
    if (status == PK_OK)
        status = pk_results_fetch(results, &source, whole ? H5T_NATIVE_INT64 : H5T_NATIVE_DOUBLE, value, name, error);
    pk_results_done(&source);
    pk_results_hdf5_release(object);
    pk_results_guest_leave(&guest);
    return status;
}

enum pk_status pk_results_read_number(struct pk_results *results, const char *group, const char *name, double *value,
                                      struct pk_error *error)
{
    *value = 0;
    return read_scalar(results, group, name, false, value, error);
}

enum pk_status pk_results_read_integer(struct pk_results *results, const char *group, const char *name, int64_t *value,
                                       struct pk_error *error)
{
    *value = 0;
    return read_scalar(results, group, name, true, value, error);
}

/* ---- Texts ---- */

/* Reads texts of fixed length into one block behind their pointers. */
static enum pk_status fetch_texts(const struct pk_results *results, const struct pk_results_source *source,
                                  const char *path, char ***texts, struct pk_error *error)
{
    *texts = NULL;
    if (source->class != H5T_STRING || H5Tis_variable_str(source->type) != 0)
        return pk_results_bad(results, error, path, "is not of texts of a fixed length");
    size_t n = source->n_values, size = source->element_bytes + 1;
    if (n > PK_RESULTS_ELEMENTS_MAX / size)
        return pk_results_bad(results, error, path, "is larger than results can be; the file is damaged");
    char **block = pk_alloc(n * (sizeof *block + size), 1);
    if (block == NULL)
        return pk_error_set(error, PK_NO_MEMORY, "no memory to read %s", path);
    enum pk_status status = PK_OK;
    hid_t type = H5Tcopy(source->type);
    if (type < 0 || H5Tset_size(type, size) < 0 || H5Tset_strpad(type, H5T_STR_NULLTERM) < 0)
        status = pk_results_unread(results, error, path);
    else
        status = pk_results_fetch(results, source, type, block + n, path, error);
    pk_results_hdf5_release(type);
    if (status != PK_OK) {
        pk_free(block);
        return status;
    }
    for (size_t i = 0; i < n; i++) {
        block[i] = (char *)(block + n) + i * size;
        block[i][size - 1] = '\0';
    }
    *texts = block;
    return PK_OK;
}

enum pk_status pk_results_read_texts(struct pk_results *results, const char *path, char ***values, size_t *n_values,
                                     struct pk_error *error)
{
    struct pk_results_source source;
    struct pk_results_guest guest;
    *values = NULL;
    pk_results_guest_enter(&guest);
    enum pk_status status = pk_results_look_dataset(results, path, &source, error);
    if (status == PK_OK)
        status = fetch_texts(results, &source, path, values, error);
    *n_values = status == PK_OK ? source.n_values : 0;
    pk_results_done(&source);
    pk_results_guest_leave(&guest);
    return status;
}

/* The one text of a source as its own block. */
static enum pk_status fetch_text(const struct pk_results *results, const struct pk_results_source *source,
                                 const char *path, char **text, struct pk_error *error)
{
    char **texts = NULL;
    if (source->n_values != 1)
        return pk_results_bad(results, error, path, "is not a single text");
    enum pk_status status = fetch_texts(results, source, path, &texts, error);
    if (status != PK_OK)
        return status;
    /* The block itself becomes the text: its pointer goes, the bytes move to the front. */
    memmove(texts, texts[0], strlen(texts[0]) + 1);
    *text = (char *)texts;
    return PK_OK;
}

enum pk_status pk_results_read_text(struct pk_results *results, const char *group, const char *name, char **text,
                                    struct pk_error *error)
{
    struct pk_results_source source;
    struct pk_results_guest guest;
    char path[PK_RESULTS_PATH_BYTES];
    *text = NULL;
    snprintf(path, sizeof path, "%s/%s", strcmp(group, "/") == 0 ? "" : group, name);
    pk_results_guest_enter(&guest);
    hid_t object = pk_results_find(results, group);
    enum pk_status status = object >= 0 && H5Aexists(object, name) > 0
                                ? pk_results_look_attribute(results, object, group, name, &source, error)
                                : pk_results_look_dataset(results, path, &source, error);
    if (status == PK_OK)
        status = fetch_text(results, &source, path, text, error);
    pk_results_done(&source);
    pk_results_hdf5_release(object);
    pk_results_guest_leave(&guest);
    return status;
}

void pk_results_dataset_text(struct pk_results *results, const char *path, const char *name, char *text, size_t size)
{
    struct pk_results_source source;
    struct pk_results_guest guest;
    char *read = NULL;
    pk_results_guest_enter(&guest);
    hid_t object = pk_results_find(results, path);
    if (pk_results_look_attribute(results, object, path, name, &source, NULL) == PK_OK)
        (void)fetch_text(results, &source, path, &read, NULL);
    snprintf(text, size, "%s", read != NULL ? read : "");
    pk_free(read);
    pk_results_done(&source);
    pk_results_hdf5_release(object);
    pk_results_guest_leave(&guest);
}
