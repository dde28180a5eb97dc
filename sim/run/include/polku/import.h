/* Tables in HDF5 files of any making, as comma-separated values. */
#ifndef PK_IMPORT_H
#define PK_IMPORT_H

#include <stddef.h>

#include "polku/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The 1-D datasets in the root group of a file, all of one length, as a table in the order of their names: texts as
 * they are, numbers so that they read back to the same, whole numbers with the attributes flag_values and flag_meanings
 * (CF conventions) as what they mean. Other groups are not looked at. *csv: *size bytes, owned by the caller (pk_free).
 * Errors: PK_IO (missing, unreadable), PK_BAD_INPUT (not HDF5, no such datasets, of another kind, too large),
 * PK_NO_MEMORY. */
PK_CHECKED enum pk_status pk_import_table(const char *path, char **csv, size_t *size, struct pk_error *error);

#ifdef __cplusplus
}
#endif
#endif
