/* Writing attributes, axes and arrays. See results.h. */
#include "results_hdf5.h"

#include <stdio.h>
#include <string.h>

#include "polku/memory.h"

enum { COMPRESS_ABOVE_BYTES = 64 << 10, CHUNK_BYTES = 1 << 20 };

/* ---- What may be written ---- */

static bool is_name(const char *name, size_t size)
{
    static const char first[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_", later[] = "0123456789-.";
    if (size == 0 || size >= PK_RESULTS_NAME_BYTES)
        return false;
    for (size_t i = 0; i < size; i++)
        if (memchr(first, name[i], sizeof first - 1) == NULL &&
            (i == 0 || memchr(later, name[i], sizeof later - 1) == NULL))
            return false;
    return true;
}

static enum pk_status check_name(const char *name, struct pk_error *problem)
{
    if (is_name(name, strlen(name)))
        return PK_OK;
    return pk_error_set(problem, PK_BAD_INPUT,
                        "\"%.80s\" cannot name a result: 1 to %d ASCII letters, digits, '_', '-' or '.', beginning "
                        "with a letter or '_', are expected",
                        name, PK_RESULTS_NAME_BYTES - 1);
}

/* Unicode 15, table 3-7: no overlong forms, no surrogates, nothing above U+10FFFF. */
static bool is_utf8(const char *text)
{
    const unsigned char *at = (const unsigned char *)text;
    while (*at != 0) {
        unsigned char lead = *at++;
        unsigned n_more = lead < 0x80 ? 0 : lead < 0xC2 ? 9 : lead < 0xE0 ? 1 : lead < 0xF0 ? 2 : lead < 0xF5 ? 3 : 9;
        if (n_more == 9)
            return false;
        unsigned char low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
        unsigned char high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
        for (; n_more > 0; n_more--, low = 0x80, high = 0xBF)
            if (*at < low || *at++ > high)
                return false;
    }
    return true;
}

static enum pk_status check_text(const char *text, size_t max_bytes, const char *name, struct pk_error *problem)
{
    size_t size = strlen(text);
    if (size > max_bytes)
        return pk_error_set(problem, PK_BAD_INPUT, "the text for %s has %zu bytes, at most %zu are possible", name,
                            size, max_bytes);
    if (!is_utf8(text))
        return pk_error_set(problem, PK_BAD_INPUT, "the text \"%.80s\" for %s is not UTF-8", text, name);
    return PK_OK;
}

/* A text type of fixed length, NUL-padded UTF-8; negative on failure. */
static hid_t text_type(size_t size)
{
    hid_t type = H5Tcopy(H5T_C_S1);
    if (type >= 0 && (H5Tset_size(type, size > 0 ? size : 1) < 0 || H5Tset_strpad(type, H5T_STR_NULLPAD) < 0 ||
                      H5Tset_cset(type, H5T_CSET_UTF8) < 0)) {
        H5Tclose(type);
        return H5I_INVALID_HID;
    }
    return type;
}

/* ---- Groups and attributes ---- */

/* Opens an object by its absolute path; groups on the way are made. A dataset can only be the last part. */
static enum pk_status open_or_make(const struct pk_results *results, const char *path, hid_t *object,
                                   struct pk_error *problem)
{
    enum pk_status status = PK_OK;
    *object = H5I_INVALID_HID;
    if (path[0] != '/')
        return pk_error_set(problem, PK_BUG, "the path \"%s\" does not begin with '/'", path);
    hid_t untimed = H5Pcreate(H5P_GROUP_CREATE), at = H5Gopen2(results->file, "/", H5P_DEFAULT);
    if (at < 0 || untimed < 0 || H5Pset_obj_track_times(untimed, false) < 0 || !pk_results_hdf5_compact(untimed)) {
        status = pk_results_hdf5_failed(results, problem, "write", path, "");
        goto out;
    }
    const char *rest = path + 1;
    while (*rest != '\0') {
        char name[PK_RESULTS_NAME_BYTES];
        size_t size = strcspn(rest, "/");
        if (!is_name(rest, size) || (rest[size] == '/' && rest[size + 1] == '\0')) {
            status = pk_error_set(problem, PK_BAD_INPUT, "\"%.120s\" cannot be a group of results", path);
            goto out;
        }
        snprintf(name, sizeof name, "%.*s", (int)size, rest);
        if (H5Iget_type(at) != H5I_GROUP) {
            status = pk_error_set(problem, PK_BAD_INPUT, "%s: an array has the name of a group", path);
            goto out;
        }
        htri_t there = H5Lexists(at, name, H5P_DEFAULT);
        hid_t next =
            there > 0 ? H5Oopen(at, name, H5P_DEFAULT) : H5Gcreate2(at, name, H5P_DEFAULT, untimed, H5P_DEFAULT);
        if (there < 0 || next < 0) {
            status = pk_results_hdf5_failed(results, problem, "write", path, "");
            goto out;
        }
        pk_results_hdf5_release(at);
        at = next;
        rest += size + (rest[size] == '/');
    }
    *object = at;
    at = H5I_INVALID_HID;
out:
    pk_results_hdf5_release(at);
    pk_results_hdf5_release(untimed);
    return status;
}

static enum pk_status attach(const struct pk_results *results, hid_t object, const char *of, const char *name,
                             hid_t file_type, hid_t memory_type, const void *value, struct pk_error *problem)
{
    if (H5Aexists(object, name) > 0)
        return pk_error_set(problem, PK_BAD_INPUT, "%s has an attribute %s already", of, name);
    enum pk_status status = PK_OK;
    hid_t space = H5Screate(H5S_SCALAR);
    hid_t attribute = H5Acreate2(object, name, file_type, space, H5P_DEFAULT, H5P_DEFAULT);
    if (attribute < 0 || H5Awrite(attribute, memory_type, value) < 0)
        status = pk_results_hdf5_failed(results, problem, "write", of, name);
    if (attribute >= 0 && H5Aclose(attribute) < 0 && status == PK_OK)
        status = pk_results_hdf5_failed(results, problem, "write", of, name);
    pk_results_hdf5_release(space);
    return status;
}

static enum pk_status attach_text(const struct pk_results *results, hid_t object, const char *of, const char *name,
                                  const char *text, struct pk_error *problem)
{
    enum pk_status status = check_text(text, PK_RESULTS_TEXT_BYTES, name, problem);
    if (status != PK_OK)
        return status;
    hid_t type = text_type(strlen(text));
    status = type < 0 ? pk_results_hdf5_failed(results, problem, "write", of, name)
                      : attach(results, object, of, name, type, type, text, problem);
    pk_results_hdf5_release(type);
    return status;
}

enum pk_status pk_results_text(struct pk_results *results, const char *group, const char *name, const char *text,
                               struct pk_error *error)
{
    struct pk_results_call call;
    hid_t object = H5I_INVALID_HID;
    if (pk_results_begin(results, &call) == PK_OK && check_name(name, &call.problem) == PK_OK &&
        open_or_make(results, group, &object, &call.problem) == PK_OK)
        (void)attach_text(results, object, group, name, text, &call.problem);
    pk_results_hdf5_release(object);
    return pk_results_end(results, &call, error);
}

static enum pk_status attach_scalar(struct pk_results *results, const char *group, const char *name, hid_t file_type,
                                    hid_t memory_type, const void *value, struct pk_error *error)
{
    struct pk_results_call call;
    hid_t object = H5I_INVALID_HID;
    if (pk_results_begin(results, &call) == PK_OK && check_name(name, &call.problem) == PK_OK &&
        open_or_make(results, group, &object, &call.problem) == PK_OK)
        (void)attach(results, object, group, name, file_type, memory_type, value, &call.problem);
    pk_results_hdf5_release(object);
    return pk_results_end(results, &call, error);
}

enum pk_status pk_results_number(struct pk_results *results, const char *group, const char *name, double value,
                                 struct pk_error *error)
{
    return attach_scalar(results, group, name, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, &value, error);
}

enum pk_status pk_results_integer(struct pk_results *results, const char *group, const char *name, int64_t value,
                                  struct pk_error *error)
{
    return attach_scalar(results, group, name, H5T_STD_I64LE, H5T_NATIVE_INT64, &value, error);
}

/* ---- Datasets ---- */

enum shape { SCALAR, AXIS, ARRAY };
enum kind { TEXTS, DOUBLES, INTEGERS };

struct content {
    const char *group, *name, *units, *long_name;
    enum kind kind;
    enum shape shape;
    size_t n_dims;
    const char *const *dims; /* [n_dims] where shape is ARRAY */
    hsize_t extent[PK_RESULTS_DIMS_MAX];
    const void *values; /* double, int64_t or const char *, [product of extent] */
};

/* Opens the axes of an array and takes its extent from them. */
static enum pk_status open_axes(const struct pk_results *results, hid_t group, struct content *content,
                                hid_t axes[PK_RESULTS_DIMS_MAX], struct pk_error *problem)
{
    if (content->n_dims > PK_RESULTS_DIMS_MAX)
        return pk_error_set(problem, PK_BUG, "%s has more than %d dimensions", content->name, PK_RESULTS_DIMS_MAX);
    for (size_t i = 0; i < content->n_dims; i++) {
        const char *name = content->dims[i];
        for (size_t j = 0; j < i; j++)
            if (strcmp(content->dims[j], name) == 0)
                return pk_error_set(problem, PK_BUG, "%s has the axis %s twice", content->name, name);
        bool there = is_name(name, strlen(name)) && H5Lexists(group, name, H5P_DEFAULT) > 0;
        if (there)
            axes[i] = H5Oopen(group, name, H5P_DEFAULT);
        if (!there || H5Iget_type(axes[i]) != H5I_DATASET || H5DSis_scale(axes[i]) <= 0)
            return pk_error_set(problem, PK_BUG, "%s needs the axis %s, and %s has none", content->name, name,
                                content->group);
        hid_t space = H5Dget_space(axes[i]);
        int n_dims = H5Sget_simple_extent_dims(space, &content->extent[i], NULL);
        pk_results_hdf5_release(space);
        if (n_dims != 1)
            return pk_results_hdf5_failed(results, problem, "write", content->group, name);
    }
    return PK_OK;
}

/* Texts as one block of n equally long ones, padded with NUL. */
static enum pk_status pack_texts(const char *const *texts, size_t n, const char *name, char **block, size_t *size,
                                 struct pk_error *problem)
{
    *size = 1;
    *block = NULL;
    for (size_t i = 0; i < n; i++) {
        enum pk_status status = check_text(texts[i], PK_RESULTS_STRING_BYTES_MAX, name, problem);
        if (status != PK_OK)
            return status;
        *size = strlen(texts[i]) > *size ? strlen(texts[i]) : *size;
    }
    if (n > PK_RESULTS_ELEMENTS_MAX / *size)
        return pk_error_set(problem, PK_BAD_INPUT, "the texts of %s are too many and too long", name);
    *block = pk_alloc(n, *size);
    if (*block == NULL)
        return pk_error_set(problem, PK_NO_MEMORY, "no memory for the texts of %s", name);
    for (size_t i = 0; i < n; i++)
        memcpy(*block + i * *size, texts[i], strlen(texts[i]));
    return PK_OK;
}

/* How a dataset is stored; negative on failure. Compressed ones in chunks of at most 1 MiB, whole in the last dims. */
static hid_t layout(const struct content *content, size_t n_bytes, size_t element_bytes)
{
    hid_t plan = H5Pcreate(H5P_DATASET_CREATE);
    bool good = plan >= 0 && H5Pset_obj_track_times(plan, false) >= 0;
    if (n_bytes > COMPRESS_ABOVE_BYTES && content->n_dims > 0) {
        hsize_t chunk[PK_RESULTS_DIMS_MAX], bytes = n_bytes;
        memcpy(chunk, content->extent, sizeof chunk);
        for (size_t i = 0; i < content->n_dims; i++) {
            hsize_t rest = bytes / chunk[i], fitting = CHUNK_BYTES / rest;
            if (bytes > CHUNK_BYTES)
                chunk[i] = fitting > 0 ? fitting : 1;
            bytes = rest * chunk[i];
        }
        good = good && H5Pset_chunk(plan, (int)content->n_dims, chunk) >= 0;
        good = good && (element_bytes == 1 || H5Pset_shuffle(plan) >= 0);
        good = good && H5Pset_deflate(plan, 1) >= 0 && H5Pset_fletcher32(plan) >= 0;
    }
    if (good)
        return plan;
    pk_results_hdf5_release(plan);
    return H5I_INVALID_HID;
}

static enum pk_status describe(const struct pk_results *results, hid_t dataset, const struct content *content,
                               const hid_t axes[PK_RESULTS_DIMS_MAX], struct pk_error *problem)
{
    enum pk_status status = attach_text(results, dataset, content->name, "long_name", content->long_name, problem);
    if (status == PK_OK && content->units != NULL)
        status = attach_text(results, dataset, content->name, "units", content->units, problem);
    if (status == PK_OK && content->kind == TEXTS)
        status = attach_text(results, dataset, content->name, "_Encoding", "utf-8", problem);
    if (status == PK_OK && content->shape == AXIS && H5DSset_scale(dataset, content->name) < 0)
        status = pk_results_hdf5_failed(results, problem, "write", content->group, content->name);
    for (unsigned i = 0; status == PK_OK && content->shape == ARRAY && i < content->n_dims; i++)
        if (H5DSattach_scale(dataset, axes[i], i) < 0)
            status = pk_results_hdf5_failed(results, problem, "write", content->group, content->name);
    return status;
}

static enum pk_status put_in(const struct pk_results *results, hid_t group, struct content *content,
                             struct pk_error *problem)
{
    hid_t axes[PK_RESULTS_DIMS_MAX], dataset = H5I_INVALID_HID, space = H5I_INVALID_HID, plan = H5I_INVALID_HID;
    hid_t file_type = H5I_INVALID_HID, memory_type = H5I_INVALID_HID, texts = H5I_INVALID_HID;
    char *block = NULL;
    size_t n = 1, element_bytes = 8;
    for (size_t i = 0; i < PK_RESULTS_DIMS_MAX; i++)
        axes[i] = H5I_INVALID_HID;
    enum pk_status status = PK_OK;
    if (content->shape == ARRAY)
        status = open_axes(results, group, content, axes, problem);
    for (size_t i = 0; status == PK_OK && i < content->n_dims; i++) {
        if (content->extent[i] > 0 && n > PK_RESULTS_ELEMENTS_MAX / content->extent[i])
            status = pk_error_set(problem, PK_BAD_INPUT, "%s would have more than %zu elements", content->name,
                                  PK_RESULTS_ELEMENTS_MAX);
        else
            n *= content->extent[i];
    }
    if (status == PK_OK && content->kind == TEXTS)
        status = pack_texts(content->values, n, content->name, &block, &element_bytes, problem);
    if (status != PK_OK)
        goto out;

    if (content->kind == TEXTS)
        file_type = memory_type = texts = text_type(element_bytes);
    else if (content->kind == DOUBLES)
        file_type = H5T_IEEE_F64LE, memory_type = H5T_NATIVE_DOUBLE;
    else
        file_type = H5T_STD_I64LE, memory_type = H5T_NATIVE_INT64;
    space = content->shape == SCALAR || content->n_dims == 0
                ? H5Screate(H5S_SCALAR)
                : H5Screate_simple((int)content->n_dims, content->extent, NULL);
    plan = layout(content, n * element_bytes, element_bytes);
    if (file_type >= 0 && space >= 0 && plan >= 0)
        dataset = H5Dcreate2(group, content->name, file_type, space, H5P_DEFAULT, plan, H5P_DEFAULT);
    const void *values = block != NULL ? block : content->values;
    if (dataset < 0 || (n > 0 && H5Dwrite(dataset, memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) < 0))
        status = pk_results_hdf5_failed(results, problem, "write", content->group, content->name);
    if (status == PK_OK)
        status = describe(results, dataset, content, axes, problem);
out:
    if (dataset >= 0 && H5Dclose(dataset) < 0 && status == PK_OK)
        status = pk_results_hdf5_failed(results, problem, "write", content->group, content->name);
    for (size_t i = 0; i < PK_RESULTS_DIMS_MAX; i++)
        pk_results_hdf5_release(axes[i]);
    pk_results_hdf5_release(space);
    pk_results_hdf5_release(plan);
    pk_results_hdf5_release(texts);
    pk_free(block);
    return status;
}

static enum pk_status put(struct pk_results *results, struct content *content, struct pk_error *error)
{
    struct pk_results_call call;
    struct pk_error *problem = &call.problem;
    hid_t group = H5I_INVALID_HID;
    if (pk_results_begin(results, &call) == PK_OK && check_name(content->name, problem) == PK_OK &&
        open_or_make(results, content->group, &group, problem) == PK_OK) {
        if (content->long_name == NULL || content->long_name[0] == '\0')
            pk_error_set(problem, PK_BUG, "%s has no long_name", content->name);
        else if (H5Iget_type(group) != H5I_GROUP)
            pk_error_set(problem, PK_BAD_INPUT, "%s: an array has the name of a group", content->group);
        else if (H5Lexists(group, content->name, H5P_DEFAULT) > 0)
            pk_error_set(problem, PK_BAD_INPUT, "the group %s has a %s already", content->group, content->name);
        else
            (void)put_in(results, group, content, problem);
    }
    pk_results_hdf5_release(group);
    return pk_results_end(results, &call, error);
}

enum pk_status pk_results_long_text(struct pk_results *results, const char *group, const char *name, const char *text,
                                    const char *long_name, struct pk_error *error)
{
    struct content content = {group, name, NULL, long_name, TEXTS, SCALAR, 0, NULL, {0}, &text};
    return put(results, &content, error);
}

enum pk_status pk_results_axis_texts(struct pk_results *results, const char *group, const char *name, size_t n,
                                     const char *const *labels, const char *long_name, struct pk_error *error)
{
    struct content content = {group, name, NULL, long_name, TEXTS, AXIS, 1, NULL, {n}, labels};
    return put(results, &content, error);
}

enum pk_status pk_results_axis_doubles(struct pk_results *results, const char *group, const char *name, size_t n,
                                       const double *values, const char *units, const char *long_name,
                                       struct pk_error *error)
{
    struct content content = {group, name, units, long_name, DOUBLES, AXIS, 1, NULL, {n}, values};
    return put(results, &content, error);
}

enum pk_status pk_results_axis_integers(struct pk_results *results, const char *group, const char *name, size_t n,
                                        const int64_t *values, const char *units, const char *long_name,
                                        struct pk_error *error)
{
    struct content content = {group, name, units, long_name, INTEGERS, AXIS, 1, NULL, {n}, values};
    return put(results, &content, error);
}

static enum pk_status put_array(struct pk_results *results, const struct pk_results_array *array, enum kind kind,
                                const void *values, struct pk_error *error)
{
    struct content content = {array->group, array->name, array->units, array->long_name, kind, ARRAY, array->n_dims,
                              array->dims,  {0},         values};
    return put(results, &content, error);
}

enum pk_status pk_results_doubles(struct pk_results *results, const struct pk_results_array *array,
                                  const double *values, struct pk_error *error)
{
    return put_array(results, array, DOUBLES, values, error);
}

enum pk_status pk_results_integers(struct pk_results *results, const struct pk_results_array *array,
                                   const int64_t *values, struct pk_error *error)
{
    return put_array(results, array, INTEGERS, values, error);
}

enum pk_status pk_results_texts(struct pk_results *results, const struct pk_results_array *array,
                                const char *const *values, struct pk_error *error)
{
    return put_array(results, array, TEXTS, values, error);
}
