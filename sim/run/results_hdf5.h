/* Private to the results_*.c files: the one file that includes HDF5's headers.
 *
 * Responsibility: the object itself, being a polite guest, and the translation of HDF5's failures. */
#ifndef PK_RESULTS_HDF5_H
#define PK_RESULTS_HDF5_H

#include <hdf5.h>
#include <hdf5_hl.h>

#include "polku/results.h"

enum pk_results_state { PK_RESULTS_WRITING, PK_RESULTS_FINISHED, PK_RESULTS_READING };

/* The bytes of a file being built in memory. HDF5 allocates them through us, so that they are ours once it has closed
 * the file. (H5Fget_file_image would copy them, and leaves a stale checksum in the superblock: HDF5 1.10.8.) */
struct pk_results_image {
    char *bytes; /* [room] */
    size_t room;
    bool keep;    /* closing the file shall not free the bytes */
    bool refused; /* an allocation failed: HDF5's failures are for want of memory */
};

struct pk_results {
    hid_t file;                     /* H5I_INVALID_HID once closed */
    struct pk_results_image *image; /* owned; NULL on disk and when reading */
    enum pk_results_state state;
    struct pk_error first_failure; /* of writing; PK_OK: none */
    unsigned long long file_bytes; /* of the file being read */
    char path[4096];               /* the file read, or the one to be written on disk; "" in memory */
    char temporary[4096 + 64];     /* "" in memory */
};

/* The host's error handler, put aside. */
struct pk_results_guest {
    H5E_auto2_t handler;
    H5E_auto1_t handler_v1; /* of a host that uses HDF5's first error interface */
    void *data;
    unsigned is_v2;
};
void pk_results_guest_enter(struct pk_results_guest *guest);
void pk_results_guest_leave(const struct pk_results_guest *guest);

/* To be called right after an HDF5 function failed: "cannot <doing> <group>/<name>: <HDF5's innermost message>".
 * Returns PK_IO when writing or when the system refused, else PK_BAD_INPUT. */
enum pk_status pk_results_hdf5_failed(const struct pk_results *results, struct pk_error *error, const char *doing,
                                      const char *group, const char *name);
/* One call of a writer. begin: fails where an earlier call failed or the file is finished; end is called either way,
 * keeps the first failure and hands it out. */
struct pk_results_call {
    struct pk_results_guest guest;
    struct pk_error problem;
};
PK_CHECKED enum pk_status pk_results_begin(const struct pk_results *results, struct pk_results_call *call);
enum pk_status pk_results_end(struct pk_results *results, struct pk_results_call *call, struct pk_error *error);

/* Groups and files made with this list keep their links and attributes in one place each: HDF5's other way of keeping
 * many crashes on damaged files. */
bool pk_results_hdf5_compact(hid_t creation);
/* Closes any HDF5 identifier; negative ones are ignored. */
void pk_results_hdf5_release(hid_t id);
void pk_results_hdf5_name_file(const struct pk_results *results, struct pk_error *error);

/* ---- results_source.c: looking before reading ---- */

enum { PK_RESULTS_PATH_BYTES = 1024 };

/* A dataset or attribute whose kind and size have been looked at. */
struct pk_results_source {
    hid_t id, space, type; /* dataset or attribute, its space, and the type it has in the file; owned */
    bool is_attribute;
    H5T_class_t class;
    size_t element_bytes; /* in the file */
    size_t n_dims, n_values, extent[PK_RESULTS_DIMS_MAX];
};

/* Opens a group or dataset; negative where there is none. */
hid_t pk_results_find(const struct pk_results *results, const char *path);
/* Open and look. On failure too, *source is to be given to pk_results_done. */
PK_CHECKED enum pk_status pk_results_look_dataset(const struct pk_results *results, const char *path,
                                                  struct pk_results_source *source, struct pk_error *error);
PK_CHECKED enum pk_status pk_results_look_attribute(const struct pk_results *results, hid_t object, const char *path,
                                                    const char *name, struct pk_results_source *source,
                                                    struct pk_error *error);
/* Reads all of it as memory_type into values[n_values]. */
PK_CHECKED enum pk_status pk_results_fetch(const struct pk_results *results, const struct pk_results_source *source,
                                           hid_t memory_type, void *values, const char *path, struct pk_error *error);
void pk_results_done(struct pk_results_source *source);
/* PK_BAD_INPUT with "path: what"; and pk_results_hdf5_failed for reading. */
enum pk_status pk_results_bad(const struct pk_results *results, struct pk_error *error, const char *path,
                              const char *what);
enum pk_status pk_results_unread(const struct pk_results *results, struct pk_error *error, const char *path);

#endif
