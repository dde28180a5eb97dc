/* Files: read whole with a size limit; written whole or not at all.
 *
 * Responsibility: the one place that turns errno into our errors. Knows nothing of formats. */
#ifndef PK_FILE_H
#define PK_FILE_H

#include <stddef.h>

#include "polku/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Reads a file of at most max_bytes into *bytes (owned by the caller, pk_free; NUL added after *size bytes).
 * Errors: PK_IO (missing, unreadable, a directory), PK_BAD_INPUT (too large), PK_NO_MEMORY. */
PK_CHECKED enum pk_status pk_file_read(const char *path, size_t max_bytes, char **bytes, size_t *size,
                                       struct pk_error *error);

/* Writes a temporary file beside `path`, syncs it, and renames it: afterwards `path` holds the whole content or is
 * as it was before, and no temporary file is left. Errors: PK_IO. */
PK_CHECKED enum pk_status pk_file_write(const char *path, const void *bytes, size_t size, struct pk_error *error);

/* Names a temporary file beside path into temporary[size]: the same every time for one process, another one for any
 * other, whatever its host: copies of a task on two nodes do not write into one file. */
void pk_file_temporary_name(const char *path, char *temporary, size_t size);
/* Syncs `temporary` and renames it to `path`, then syncs the directory. On failure `temporary` is removed. */
PK_CHECKED enum pk_status pk_file_publish(const char *temporary, const char *path, struct pk_error *error);

/* Fault tests: let the next n write, sync and rename calls succeed and every later one fail; n < 0 turns it off.
 * Returns how many such calls were made since. */
long pk_file_fail_after(long n);

#ifdef __cplusplus
}
#endif
#endif
