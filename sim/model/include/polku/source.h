/* A source text as a person sees it: characters, lines and columns, excerpts and document paths.
 *
 * Responsibility: the small texts in messages about an input file. Knows no YAML; allocates nothing. */
#ifndef PK_SOURCE_H
#define PK_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    PK_SOURCE_PATH_SIZE = 192,  /* bytes of a document path, NUL included; as pk_error's */
    PK_SOURCE_EXCERPT_SIZE = 64 /* bytes of a value shown in a message, NUL included */
};

/* What pk_source_first_fault found. */
struct pk_source_fault {
    size_t line, column; /* 1-based, in characters */
    bool encoded;        /* true: a character that may not stand here; false: a byte that is not UTF-8 */
    uint32_t code;       /* the character (Unicode) or the byte */
};

/* Looks for the first byte that is not UTF-8 (RFC 3629), and for characters no editor shows: controls (C0 but for
 * those in `but`, C1, DEL), U+2028, U+2029, U+FEFF, U+FFFE, U+FFFF. Lines end with LF, CR or CR LF.
 * False: there is none, and *fault is untouched. */
bool pk_source_first_fault(const char *bytes, size_t size, const char *but, struct pk_source_fault *fault);

/* The first byte of the character at a 0-based line and column; NUL past the end. */
char pk_source_byte_at(const char *bytes, size_t size, size_t line, size_t column);

/* Lengthens a document path by a key, or by [i_item] where key is NULL. One too long ends in "...", for good. */
void pk_source_path_add(char path[PK_SOURCE_PATH_SIZE], const char *key, size_t i_item);

/* Copies the start of `text` for a message: one line, whole UTF-8 characters, "..." where cut. */
void pk_source_excerpt(const char *text, char excerpt[PK_SOURCE_EXCERPT_SIZE]);

#ifdef __cplusplus
}
#endif
#endif
