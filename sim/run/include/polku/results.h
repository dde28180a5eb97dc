/* Results: named arrays on named axes in one HDF5 file that xarray, h5py, rhdf5 and h5dump open without us.
 *
 * Responsibility: all of HDF5, writing and reading. It knows nothing of simulation, models or scenarios.
 * Ownership: a results object owns its HDF5 file; everything passed in is copied; everything read is the caller's
 * (pk_free). An object belongs to one thread, and only one thread of the process may be writing at a time: HDF5's
 * high-level part is not thread-safe.
 *
 * A file is a tree of groups. A group holds axes (1-D datasets, dimension scales) and arrays on those axes. Every
 * dataset has `long_name`, most have `units`; texts are of fixed length in UTF-8. No times, enums or variable-length
 * strings: the same calls give the same bytes (with the same HDF5 and zlib).
 *
 * Names of groups, axes, arrays and attributes are ASCII letters, digits, '_', '-' and '.', beginning with a letter or
 * '_', of 1 to 63 bytes. Groups and paths are absolute: "/", "/occupancy", "/enrolled/ips".
 *
 * As a guest in a program that uses HDF5 itself: its error handler is put aside during each call and is afterwards as
 * before. If HDF5 was not in use yet, the first call here keeps it from tidying up at exit (H5dont_atexit; after a
 * full disk that tidying crashes), so a host must close its own HDF5 files. */
#ifndef PK_RESULTS_H
#define PK_RESULTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "polku/status.h"

#ifdef __cplusplus
extern "C" {
#endif

struct pk_results;

enum {
    PK_RESULTS_DIMS_MAX = 8,
    PK_RESULTS_NAME_BYTES = 64,        /* a name with its NUL */
    PK_RESULTS_TEXT_BYTES = 60000,     /* longest attribute text; HDF5 stops at 64 KiB */
    PK_RESULTS_MEMORY_BYTES = 32 << 20 /* from here on pk_results_create_on_disk is the better one */
};
#define PK_RESULTS_ELEMENTS_MAX ((size_t)1 << 31)      /* of one array, written or read */
#define PK_RESULTS_STRING_BYTES_MAX ((size_t)16 << 20) /* of one text, written or read */

/* ---- Writing ----
 * Errors of every function below: PK_BAD_INPUT (a name that is not one or is taken, a text that is not UTF-8 or too
 * long, too many elements), PK_NO_MEMORY, PK_IO (HDF5 failed), PK_BUG (a caller's mistake no input can cause: no such
 * axis, an axis twice, no long_name, writing after saving). After the first failure each later call, saving included,
 * returns that failure again: an incomplete file never appears. */

/* Begins a file in memory, which costs the file's size until saved (and up to 1 MiB). On failure *results is NULL. */
PK_CHECKED enum pk_status pk_results_create(struct pk_results **results, struct pk_error *error);
/* Begins a file under a temporary name beside `path`, for results that are large for the memory. Only `path`
 * can be saved to. Also PK_IO: the folder cannot be written to. */
PK_CHECKED enum pk_status pk_results_create_on_disk(struct pk_results **results, const char *path,
                                                    struct pk_error *error);

/* Attributes of a group, made on demand with its parents, or of an axis or array that is there already. */
PK_CHECKED enum pk_status pk_results_text(struct pk_results *results, const char *group, const char *name,
                                          const char *text, struct pk_error *error);
PK_CHECKED enum pk_status pk_results_number(struct pk_results *results, const char *group, const char *name,
                                            double value, struct pk_error *error);
PK_CHECKED enum pk_status pk_results_integer(struct pk_results *results, const char *group, const char *name,
                                             int64_t value, struct pk_error *error);
/* A text too long for an attribute (a model file), as a scalar dataset. */
PK_CHECKED enum pk_status pk_results_long_text(struct pk_results *results, const char *group, const char *name,
                                               const char *text, const char *long_name, struct pk_error *error);

/* An axis of n points (0 is allowed) in a group made on demand. units NULL: no such attribute. */
PK_CHECKED enum pk_status pk_results_axis_texts(struct pk_results *results, const char *group, const char *name,
                                                size_t n, const char *const *labels, const char *long_name,
                                                struct pk_error *error);
PK_CHECKED enum pk_status pk_results_axis_doubles(struct pk_results *results, const char *group, const char *name,
                                                  size_t n, const double *values, const char *units,
                                                  const char *long_name, struct pk_error *error);
PK_CHECKED enum pk_status pk_results_axis_integers(struct pk_results *results, const char *group, const char *name,
                                                   size_t n, const int64_t *values, const char *units,
                                                   const char *long_name, struct pk_error *error);

/* An array on axes of its own group. The axes give its extent, so a length cannot be wrong. */
struct pk_results_array {
    const char *group;
    const char *name;
    size_t n_dims;           /* 0 (a scalar) to PK_RESULTS_DIMS_MAX */
    const char *const *dims; /* [n_dims] distinct names of axes that exist in the group; the last runs fastest */
    const char *units;       /* NULL: no such attribute */
    const char *long_name;
};
/* values[product of the axes' lengths], row-major. Over 64 KiB an array is compressed and has checksums. */
PK_CHECKED enum pk_status pk_results_doubles(struct pk_results *results, const struct pk_results_array *array,
                                             const double *values, struct pk_error *error);
PK_CHECKED enum pk_status pk_results_integers(struct pk_results *results, const struct pk_results_array *array,
                                              const int64_t *values, struct pk_error *error);
PK_CHECKED enum pk_status pk_results_texts(struct pk_results *results, const struct pk_results_array *array,
                                           const char *const *values, struct pk_error *error);

/* Afterwards `path` holds the whole file, or is as it was and no temporary file is left. Either way the object is
 * finished: only pk_results_close is left to do. */
PK_CHECKED enum pk_status pk_results_save(struct pk_results *results, const char *path, struct pk_error *error);
/* Legal with NULL. Discards what was not saved. */
void pk_results_close(struct pk_results *results);

/* ---- Reading ----
 * Files may be damaged or foreign: sizes are capped, links lead nowhere outside the file, no plug-in is loaded.
 * Errors of every function below: PK_BAD_INPUT (not there, of another kind, damaged, too large), PK_IO, PK_NO_MEMORY.
 * Most single flipped bits outside compressed arrays cannot be seen here: compare digests for that. */

/* Opens a file for reading. PK_IO: missing or unreadable; PK_BAD_INPUT: not HDF5, HDF5 without checksums in
 * its metadata (the format before 1.8, also what h5repack writes by default), cut short or damaged. */
PK_CHECKED enum pk_status pk_results_open(const char *path, struct pk_results **results, struct pk_error *error);

/* A whole array or axis at "/group/name": (*values)[*n_values], row-major, extent[*n_dims]. Integers become doubles. */
PK_CHECKED enum pk_status pk_results_read_doubles(struct pk_results *results, const char *path, double **values,
                                                  size_t *n_values, size_t extent[PK_RESULTS_DIMS_MAX], size_t *n_dims,
                                                  struct pk_error *error);
/* The same without rounding; an array of doubles is PK_BAD_INPUT. */
PK_CHECKED enum pk_status pk_results_read_integers(struct pk_results *results, const char *path, int64_t **values,
                                                   size_t *n_values, size_t extent[PK_RESULTS_DIMS_MAX], size_t *n_dims,
                                                   struct pk_error *error);
/* (*values)[*n_values] NUL-terminated texts, row-major, in one block: pk_free(*values) frees all. */
PK_CHECKED enum pk_status pk_results_read_texts(struct pk_results *results, const char *path, char ***values,
                                                size_t *n_values, struct pk_error *error);
/* The attribute `name` of a group or dataset or, failing that, the scalar text dataset group/name. */
PK_CHECKED enum pk_status pk_results_read_text(struct pk_results *results, const char *group, const char *name,
                                               char **text, struct pk_error *error);
/* The attribute `name` of a group or dataset. An integer becomes a double. */
PK_CHECKED enum pk_status pk_results_read_number(struct pk_results *results, const char *group, const char *name,
                                                 double *value, struct pk_error *error);
PK_CHECKED enum pk_status pk_results_read_integer(struct pk_results *results, const char *group, const char *name,
                                                  int64_t *value, struct pk_error *error);

/* Is there a group or dataset of this path? */
bool pk_results_has(const struct pk_results *results, const char *path);
/* Calls visit(path, data) for every dataset, axes included, in the order of names within each group, until it returns
 * false. visit may read from the same object. */
PK_CHECKED enum pk_status pk_results_visit(struct pk_results *results, bool (*visit)(const char *path, void *data),
                                           void *data, struct pk_error *error);
/* The axes' names of a dataset; an axis has itself. A dimension without an axis is PK_BAD_INPUT. */
PK_CHECKED enum pk_status pk_results_dims(struct pk_results *results, const char *path,
                                          char names[PK_RESULTS_DIMS_MAX][PK_RESULTS_NAME_BYTES], size_t *n_dims,
                                          struct pk_error *error);
/* An attribute's text, e.g. units, into text[size], cut if need be; "" if it is not there or not a text. */
void pk_results_dataset_text(struct pk_results *results, const char *path, const char *name, char *text, size_t size);

#ifdef __cplusplus
}
#endif
#endif
