/* How a result was made: versions, compiler, libraries. */
#ifndef PK_PROVENANCE_H
#define PK_PROVENANCE_H

#ifdef __cplusplus
extern "C" {
#endif

const char *pk_provenance_version(void);  /* polku's, e.g. "0.1.0" */
const char *pk_provenance_revision(void); /* git's of the sources built, "-dirty" if changed; "unknown" outside git */
const char *pk_provenance_compiler(void); /* with its version and our flags */
const char *pk_provenance_libraries(void);

#ifdef __cplusplus
}
#endif
#endif
