/* A result file as tidy CSV tables, one a file. */
#ifndef PK_EXPORT_H
#define PK_EXPORT_H

#include "polku/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Writes every table of the result into `directory` (made if it is not there): columns arm, group columns, time,
 * measure, value, mcse as they apply; outcomes also replication; parameters with their sources.
 * told(path) is called for each file written; may be NULL. Errors: PK_IO, PK_BAD_INPUT, PK_NO_MEMORY. */
PK_CHECKED enum pk_status pk_export_csv(const char *result_path, const char *directory, void (*told)(const char *path),
                                        struct pk_error *error);

#ifdef __cplusplus
}
#endif
#endif
