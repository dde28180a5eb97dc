/* Finding things in a results file that may be damaged, and judging them before they are read. See results_hdf5.h. */
#include "results_hdf5.h"

#include <stdio.h>
#include <string.h>

/* No compression of zlib reaches 1,100 to 1: a dataset larger than that many files is damage, not data. */
enum { EXPANSION_MAX = 1100, CHUNK_BYTES_MAX = 64 << 20 };

enum pk_status pk_results_bad(const struct pk_results *results, struct pk_error *error, const char *path,
                              const char *what)
{
    pk_error_set(error, PK_BAD_INPUT, "%s: %s", path, what);
    pk_results_hdf5_name_file(results, error);
    return PK_BAD_INPUT;
}

enum pk_status pk_results_unread(const struct pk_results *results, struct pk_error *error, const char *path)
{
    return pk_results_hdf5_failed(results, error, "read", path, "");
}

/* ---- Finding ---- */

/* Opens a group or dataset, stepping only along hard links: a soft or external one could lead anywhere. */
hid_t pk_results_find(const struct pk_results *results, const char *path)
{
    char part[PK_RESULTS_PATH_BYTES];
    if (results->file < 0 || path[0] != '/' || strlen(path) >= sizeof part)
        return H5I_INVALID_HID;
    for (size_t i = 1; path[i - 1] != '\0' && path[1] != '\0'; i++) {
        if (path[i] != '/' && path[i] != '\0')
            continue;
        H5L_info_t about;
        snprintf(part, sizeof part, "%.*s", (int)i, path);
        if (H5Lexists(results->file, part, H5P_DEFAULT) <= 0 ||
            H5Lget_info(results->file, part, &about, H5P_DEFAULT) < 0 || about.type != H5L_TYPE_HARD)
            return H5I_INVALID_HID;
    }
    hid_t object = H5Oopen(results->file, path, H5P_DEFAULT);
    H5I_type_t type = object < 0 ? H5I_BADID : H5Iget_type(object);
    if (type == H5I_GROUP || type == H5I_DATASET)
        return object;
    pk_results_hdf5_release(object);
    return H5I_INVALID_HID;
}

/* ---- Judging before reading ---- */

void pk_results_done(struct pk_results_source *source)
{
    pk_results_hdf5_release(source->type);
    pk_results_hdf5_release(source->space);
    pk_results_hdf5_release(source->id);
}

/* NULL where the way the dataset is stored is one of ours, else what is wrong. */
static const char *storage_fault(const struct pk_results_source *source)
{
    const char *fault = NULL;
    hid_t plan = H5Dget_create_plist(source->id);
    H5D_layout_t layout = H5Pget_layout(plan);
    int n_filters = H5Pget_nfilters(plan);
    if (plan < 0 || n_filters < 0 || n_filters > 8 ||
        (layout != H5D_CONTIGUOUS && layout != H5D_CHUNKED && layout != H5D_COMPACT) || H5Pget_external_count(plan) > 0)
        fault = "is stored in a way that is not ours";
    for (int i = 0; fault == NULL && i < n_filters; i++) {
        size_t n_words = 0;
        unsigned flags, config;
        H5Z_filter_t filter = H5Pget_filter2(plan, (unsigned)i, &flags, &n_words, NULL, 0, NULL, &config);
        if (filter != H5Z_FILTER_DEFLATE && filter != H5Z_FILTER_SHUFFLE && filter != H5Z_FILTER_FLETCHER32)
            fault = "is compressed in a way that is not ours";
    }
    if (fault == NULL && layout == H5D_CHUNKED) {
        hsize_t chunk[PK_RESULTS_DIMS_MAX], bytes = source->element_bytes;
        int n_dims = H5Pget_chunk(plan, PK_RESULTS_DIMS_MAX, chunk);
        if (n_dims != (int)source->n_dims)
            fault = "has chunks of another shape";
        for (int i = 0; fault == NULL && i < n_dims; i++) {
            if (chunk[i] == 0 || chunk[i] > CHUNK_BYTES_MAX / bytes)
                fault = "has chunks of a size that is not ours";
            else
                bytes *= chunk[i];
        }
    }
    if (fault == NULL && source->n_values > 0 && H5Dget_storage_size(source->id) == 0)
        fault = "has no content; the file is damaged";
    pk_results_hdf5_release(plan);
    return fault;
}

/* Looks at an open dataset or attribute, which it takes over (negative: could not be opened). */
static enum pk_status look(const struct pk_results *results, hid_t id, bool is_attribute, const char *path,
                           struct pk_results_source *source, struct pk_error *error)
{
    memset(source, 0, sizeof *source);
    source->id = id;
    source->is_attribute = is_attribute;
    source->space = source->type = H5I_INVALID_HID;
    if (id < 0)
        return pk_results_unread(results, error, path);
    source->space = is_attribute ? H5Aget_space(id) : H5Dget_space(id);
    source->type = is_attribute ? H5Aget_type(id) : H5Dget_type(id);
    if (source->space < 0 || source->type < 0)
        return pk_results_unread(results, error, path);
    H5S_class_t space_class = H5Sget_simple_extent_type(source->space);
    int n_dims = H5Sget_simple_extent_ndims(source->space);
    hsize_t extent[PK_RESULTS_DIMS_MAX];
    if ((space_class != H5S_SIMPLE && space_class != H5S_SCALAR) || n_dims < 0 || n_dims > PK_RESULTS_DIMS_MAX ||
        H5Sget_simple_extent_dims(source->space, extent, NULL) != n_dims)
        return pk_results_bad(results, error, path, "has a shape that is not ours");
    source->n_dims = (size_t)n_dims;
    source->class = H5Tget_class(source->type);
    source->element_bytes = H5Tget_size(source->type);
    if (source->element_bytes == 0 || source->element_bytes > PK_RESULTS_STRING_BYTES_MAX)
        return pk_results_bad(results, error, path, "has elements of a size that is not ours");
    hsize_t n = 1, most = PK_RESULTS_ELEMENTS_MAX, most_here = results->file_bytes;
    if (results->state == PK_RESULTS_READING && most_here < most)
        most = most_here * EXPANSION_MAX / source->element_bytes < most
                   ? most_here * EXPANSION_MAX / source->element_bytes
                   : most;
    for (size_t i = 0; i < source->n_dims; i++) {
        if (extent[i] > most || (extent[i] > 0 && n > most / extent[i]))
            return pk_results_bad(results, error, path, "is larger than results can be; the file is damaged");
        n *= extent[i];
        source->extent[i] = (size_t)extent[i];
    }
    source->n_values = (size_t)n;
    const char *fault = is_attribute ? NULL : storage_fault(source);
    return fault == NULL ? PK_OK : pk_results_bad(results, error, path, fault);
}

enum pk_status pk_results_look_dataset(const struct pk_results *results, const char *path,
                                       struct pk_results_source *source, struct pk_error *error)
{
    hid_t id = pk_results_find(results, path);
    if (id >= 0 && H5Iget_type(id) == H5I_DATASET)
        return look(results, id, false, path, source, error);
    pk_results_hdf5_release(id);
    memset(source, 0, sizeof *source);
    source->id = source->space = source->type = H5I_INVALID_HID;
    return pk_results_bad(results, error, path, "there is no such dataset");
}

/* Looks at an attribute of `object`; PK_BAD_INPUT where there is none. */
enum pk_status pk_results_look_attribute(const struct pk_results *results, hid_t object, const char *path,
                                         const char *name, struct pk_results_source *source, struct pk_error *error)
{
    if (object >= 0 && H5Aexists(object, name) > 0)
        return look(results, H5Aopen(object, name, H5P_DEFAULT), true, name, source, error);
    memset(source, 0, sizeof *source);
    source->id = source->space = source->type = H5I_INVALID_HID;
    pk_error_set(error, PK_BAD_INPUT, "%s: there is no attribute %s", path, name);
    pk_results_hdf5_name_file(results, error);
    return PK_BAD_INPUT;
}

enum pk_status pk_results_fetch(const struct pk_results *results, const struct pk_results_source *source,
                                hid_t memory_type, void *values, const char *path, struct pk_error *error)
{
    herr_t code = source->is_attribute ? H5Aread(source->id, memory_type, values)
                                       : H5Dread(source->id, memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
    return code < 0 ? pk_results_unread(results, error, path) : PK_OK;
}
