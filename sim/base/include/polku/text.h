/* Text: a growing buffer, strict numbers, and the nearest name for a misspelt one.
 *
 * Responsibility: turning bytes into values and back without surprises. Knows nothing of YAML or JSON files. */
#ifndef PK_TEXT_H
#define PK_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "polku/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A text that grows. After a failed allocation `failed` stays set and further appends do nothing. */
struct pk_text {
    char *bytes; /* NUL-terminated, owned; NULL while empty */
    size_t size; /* bytes without the NUL */
    size_t room;
    bool failed;
};
void pk_text_init(struct pk_text *text);
void pk_text_free(struct pk_text *text);
void pk_text_add(struct pk_text *text, const char *bytes, size_t size);
void pk_text_put(struct pk_text *text, const char *string);
void pk_text_addf(struct pk_text *text, const char *format, ...) PK_PRINTF(2, 3);
/* Appends a JSON string in quotes (escapes controls, quotes, backslashes; UTF-8 passes). */
void pk_text_add_json_string(struct pk_text *text, const char *string);
/* Appends a JSON number that reads back to the same double; null where it is not finite. */
void pk_text_add_json_number(struct pk_text *text, double number);
const char *pk_text_string(const struct pk_text *text); /* "" while empty */

/* The whole of `string` as a decimal number: no blanks, hex, octal-looking 0100, nan or inf. False: not one. */
bool pk_text_to_double(const char *string, double *value);
bool pk_text_to_int64(const char *string, int64_t *value);
/* An ISO date YYYY-MM-DD as days since 1970-01-01 in the proleptic Gregorian calendar. */
bool pk_text_to_day(const char *string, int64_t *day);

/* The candidate nearest to `name` if near enough to suggest (edit distance with transposition), else NULL. */
const char *pk_text_nearest(const char *name, const char *const *candidates, size_t n_candidates);
/* Sets the error "no KIND is called NAME", PK_BAD_INPUT, with the nearest of the names as a hint. */
enum pk_status pk_text_unknown(struct pk_error *error, const char *kind, const char *name, const char *const *names,
                               size_t n);

/* How many terminal columns a UTF-8 text takes (one a code point). */
size_t pk_text_columns(const char *utf8);

#ifdef __cplusplus
}
#endif
#endif
