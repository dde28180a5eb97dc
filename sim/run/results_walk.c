/* What a results file holds: its datasets and their axes. See results.h. */
#include "results_hdf5.h"

#include <stdio.h>
#include <string.h>

#include "polku/memory.h"
#include "polku/text.h"

enum { DEPTH_MAX = 16, VISITED_MAX = 100000 };

bool pk_results_has(const struct pk_results *results, const char *path)
{
    struct pk_results_guest guest;
    pk_results_guest_enter(&guest);
    hid_t object = pk_results_find(results, path);
    pk_results_hdf5_release(object);
    pk_results_guest_leave(&guest);
    return object >= 0;
}

/* ---- Walking ---- */

static herr_t add_name(hid_t group, const char *name, const H5L_info_t *about, void *data)
{
    struct pk_text *names = data;
    (void)group;
    if (about->type == H5L_TYPE_HARD)
        pk_text_add(names, name, strlen(name) + 1);
    return names->failed || names->size > VISITED_MAX * PK_RESULTS_NAME_BYTES ? -1 : 0;
}

/* False for groups kept in HDF5's way for many links, which we never write and which crashes on damaged files. */
static bool is_compact(hid_t group)
{
    H5G_info_t info;
    return H5Gget_info(group, &info) >= 0 && info.storage_type != H5G_STORAGE_TYPE_DENSE;
}

/* Adds the paths of all datasets below `group`, each with its NUL. Loops in a damaged file end at the depth's limit
 * or at the number of objects. */
static enum pk_status collect(const struct pk_results *results, const char *group, unsigned depth, size_t *n_visited,
                              struct pk_text *paths, struct pk_error *error)
{
    enum pk_status status = PK_OK;
    struct pk_text names;
    pk_text_init(&names);
    hid_t id = pk_results_find(results, group);
    if (id < 0 || depth > DEPTH_MAX)
        status = pk_results_bad(results, error, group, "cannot be opened; the file is damaged");
    else if (!is_compact(id))
        status = pk_results_bad(results, error, group, "is a kind of group that polku does not write");
    else if (H5Literate(id, H5_INDEX_NAME, H5_ITER_INC, NULL, add_name, &names) < 0 && !names.failed)
        status = pk_results_unread(results, error, group);
    pk_results_hdf5_release(id);
    const char *name = pk_text_string(&names), *after = name + names.size;
    for (; status == PK_OK && !names.failed && name < after; name += strlen(name) + 1) {
        char path[PK_RESULTS_PATH_BYTES];
        int size = snprintf(path, sizeof path, "%s/%s", strcmp(group, "/") == 0 ? "" : group, name);
        if (size < 0 || (size_t)size >= sizeof path || ++*n_visited > VISITED_MAX) {
            status = pk_results_bad(results, error, group, "has too many or too deep groups; the file is damaged");
            break;
        }
        id = pk_results_find(results, path);
        H5I_type_t type = id < 0 ? H5I_BADID : H5Iget_type(id);
        pk_results_hdf5_release(id);
        if (type == H5I_DATASET)
            pk_text_add(paths, path, (size_t)size + 1);
        else if (type == H5I_GROUP)
            status = collect(results, path, depth + 1, n_visited, paths, error);
        else
            status = pk_results_bad(results, error, path, "cannot be opened; the file is damaged");
    }
    if (status == PK_OK && (names.failed || paths->failed))
        status = pk_error_set(error, PK_NO_MEMORY, "no memory to list the results");
    pk_text_free(&names);
    return status;
}

enum pk_status pk_results_visit(struct pk_results *results, bool (*visit)(const char *path, void *data), void *data,
                                struct pk_error *error)
{
    struct pk_text paths;
    struct pk_results_guest guest;
    size_t n_visited = 0;
    pk_text_init(&paths);
    pk_results_guest_enter(&guest);
    enum pk_status status = collect(results, "/", 0, &n_visited, &paths, error);
    pk_results_guest_leave(&guest);
    const char *path = pk_text_string(&paths), *after = path + paths.size;
    while (status == PK_OK && path < after && visit(path, data))
        path += strlen(path) + 1;
    pk_text_free(&paths);
    return status;
}

/* ---- Axes ---- */

/* What an axis keeps of each array on it, as HDF5's dimension scales define it. */
struct back_reference {
    hobj_ref_t dataset;
    int dimension;
};

static enum pk_status fetch_back_references(const struct pk_results *results, hid_t axis, const char *path,
                                            struct back_reference **found, size_t *n_found, struct pk_error *error)
{
    struct pk_results_source source;
    hid_t type = H5I_INVALID_HID;
    *found = NULL;
    *n_found = 0;
    if (H5Aexists(axis, "REFERENCE_LIST") <= 0)
        return PK_OK;
    enum pk_status status = pk_results_look_attribute(results, axis, path, "REFERENCE_LIST", &source, error);
    if (status == PK_OK &&
        (source.class != H5T_COMPOUND || source.element_bytes > 64 || H5Tget_nmembers(source.type) != 2 ||
         H5Tget_member_class(source.type, 0) != H5T_REFERENCE || H5Tget_member_class(source.type, 1) != H5T_INTEGER))
        status = pk_results_bad(results, error, path, "has a damaged list of arrays");
    if (status != PK_OK)
        goto out;
    *found = pk_alloc(source.n_values, sizeof **found);
    if (*found == NULL) {
        status = pk_error_set(error, PK_NO_MEMORY, "no memory to read %s", path);
        goto out;
    }
    type = H5Tcreate(H5T_COMPOUND, sizeof **found);
    if (type < 0 || H5Tinsert(type, "dataset", HOFFSET(struct back_reference, dataset), H5T_STD_REF_OBJ) < 0 ||
        H5Tinsert(type, "dimension", HOFFSET(struct back_reference, dimension), H5T_NATIVE_INT) < 0)
        status = pk_results_unread(results, error, path);
    else
        status = pk_results_fetch(results, &source, type, *found, path, error);
    *n_found = source.n_values;
out:
    pk_results_hdf5_release(type);
    pk_results_done(&source);
    return status;
}

/* Notes the name of the axis at `axis_path` for every dimension of the dataset that it serves. DIMENSION_LIST on the
 * dataset says the same, but in variable-length data, whose reading crashes on damaged files. */
static enum pk_status match_axis(const struct pk_results *results, const char *axis_path, const hobj_ref_t *dataset,
                                 char names[PK_RESULTS_DIMS_MAX][PK_RESULTS_NAME_BYTES], size_t n_dims,
                                 struct pk_error *error)
{
    struct back_reference *found = NULL;
    size_t n_found = 0;
    enum pk_status status = PK_OK;
    hid_t axis = pk_results_find(results, axis_path);
    if (axis >= 0 && H5Iget_type(axis) == H5I_DATASET)
        status = fetch_back_references(results, axis, axis_path, &found, &n_found, error);
    for (size_t i = 0; status == PK_OK && i < n_found; i++)
        if (found[i].dataset == *dataset && found[i].dimension >= 0 && (size_t)found[i].dimension < n_dims)
            snprintf(names[found[i].dimension], PK_RESULTS_NAME_BYTES, "%s", strrchr(axis_path, '/') + 1);
    pk_free(found);
    pk_results_hdf5_release(axis);
    return status;
}

enum pk_status pk_results_dims(struct pk_results *results, const char *path,
                               char names[PK_RESULTS_DIMS_MAX][PK_RESULTS_NAME_BYTES], size_t *n_dims,
                               struct pk_error *error)
{
    struct pk_results_source source;
    struct pk_results_guest guest;
    struct pk_text beside;
    char group[PK_RESULTS_PATH_BYTES];
    hobj_ref_t self;
    hid_t parent = H5I_INVALID_HID;
    *n_dims = 0;
    memset(names, 0, PK_RESULTS_DIMS_MAX * sizeof *names);
    pk_text_init(&beside);
    pk_results_guest_enter(&guest);
    enum pk_status status = pk_results_look_dataset(results, path, &source, error);
    if (status != PK_OK)
        goto out;
    const char *name = strrchr(path, '/') + 1;
    snprintf(group, sizeof group, "%.*s", name - path > 1 ? (int)(name - path - 1) : 1, path);
    if (source.n_dims == 1 && H5Aexists(source.id, "CLASS") > 0) {
        snprintf(names[0], sizeof names[0], "%s", name);
    } else if (source.n_dims > 0) {
        parent = pk_results_find(results, group);
        if (H5Rcreate(&self, results->file, path, H5R_OBJECT, -1) < 0 || !is_compact(parent) ||
            (H5Literate(parent, H5_INDEX_NAME, H5_ITER_INC, NULL, add_name, &beside) < 0 && !beside.failed))
            status = pk_results_unread(results, error, path);
        else if (beside.failed)
            status = pk_error_set(error, PK_NO_MEMORY, "no memory to read %s", path);
    }
    const char *at = pk_text_string(&beside), *after = at + beside.size;
    for (; status == PK_OK && at < after; at += strlen(at) + 1) {
        char axis[2 * PK_RESULTS_PATH_BYTES];
        snprintf(axis, sizeof axis, "%s/%s", group[1] == '\0' ? "" : group, at);
        status = match_axis(results, axis, &self, names, source.n_dims, error);
    }
    for (size_t i = 0; status == PK_OK && i < source.n_dims; i++)
        if (names[i][0] == '\0')
            status = pk_results_bad(results, error, path, "has a dimension without an axis");
    if (status == PK_OK)
        *n_dims = source.n_dims;
out:
    pk_results_hdf5_release(parent);
    pk_results_done(&source);
    pk_text_free(&beside);
    pk_results_guest_leave(&guest);
    return status;
}
