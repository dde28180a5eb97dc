/* Typed reading of a YAML tree, with messages a user can act on.
 *
 * Responsibility: what a scalar means, and saying where and why it cannot mean that. Every function that fails adds
 * one PK_BAD_INPUT problem (file, line, column, document path, what was found, what was expected, often a hint),
 * leaves its outputs untouched and returns false; reading goes on, so that a user sees all problems at once.
 * Knows no models. A reader is a small value, copied freely; texts and names belong to the tree's arena. */
#ifndef PK_READER_H
#define PK_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "polku/source.h"
#include "polku/status.h"
#include "polku/yaml.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A place in a document. */
struct pk_reader {
    const struct pk_yaml_node *node;
    const char *file;               /* for messages; the caller's */
    struct pk_problems *problems;   /* the caller's */
    char path[PK_SOURCE_PATH_SIZE]; /* e.g. parameters.job_loss.range[1]; "" at the root */
};

struct pk_reader pk_reader_root(const struct pk_yaml_node *root, const char *file, struct pk_problems *problems);

/* Any node. pk_reader_is is silent, pk_reader_expect adds a problem: `what` says what was expected ("a list of
 * states"), NULL for the kind's own name. An empty value is a scalar with no text, silently told by is_empty. */
bool pk_reader_is(const struct pk_reader *r, enum pk_yaml_kind kind);
bool pk_reader_is_empty(const struct pk_reader *r);
bool pk_reader_expect(const struct pk_reader *r, enum pk_yaml_kind kind, const char *what);

/* A mapping with no other keys than these (NULL-terminated). A problem for each unknown key, at the key. False only
 * if it is no mapping, so that this opens every function that reads one. */
bool pk_reader_allow(const struct pk_reader *r, const char *const *keys);
/* The value of a key. find: false without a problem if it is absent or this is no mapping. need: a problem. */
bool pk_reader_find(const struct pk_reader *r, const char *key, struct pk_reader *child);
bool pk_reader_need(const struct pk_reader *r, const char *key, struct pk_reader *child);

/* Items of a sequence or values of a mapping, in the file's order, i < pk_reader_count; 0 for a scalar. */
size_t pk_reader_count(const struct pk_reader *r);
struct pk_reader pk_reader_item(const struct pk_reader *r, size_t i);
/* Key i of a mapping; key_name adds a problem, at the key, unless it is a name as pk_reader_name's. */
const char *pk_reader_key(const struct pk_reader *r, size_t i);
bool pk_reader_key_name(const struct pk_reader *r, size_t i, const char **name);

/* A scalar with some text, in quotes or not; plain null and ~ are none. */
bool pk_reader_text(const struct pk_reader *r, const char **text);
/* [A-Za-z_][A-Za-z0-9_]*, at most 63 bytes, not null. */
bool pk_reader_name(const struct pk_reader *r, const char **name);
/* A finite decimal number, not in quotes: 1, -0.5, 1e3; not .5, 0100, 0x10, 1_000, nan. */
bool pk_reader_double(const struct pk_reader *r, double *value);
/* Also low <= value <= high; either may be infinite. */
bool pk_reader_double_in(const struct pk_reader *r, double low, double high, double *value);
/* Whole, written without point or exponent; INT64_MIN and INT64_MAX are no bounds. */
bool pk_reader_int_in(const struct pk_reader *r, int64_t low, int64_t high, int64_t *value);
/* true or false only. */
bool pk_reader_bool(const struct pk_reader *r, bool *value);
/* An ISO date as days since 1970-01-01. */
bool pk_reader_day(const struct pk_reader *r, int64_t *day);
/* One of names[n]; *i is its index. what: with article, "a distribution". Up to 12 names are listed. */
bool pk_reader_choice(const struct pk_reader *r, const char *const *names, size_t n, size_t *i, const char *what);
/* A mapping with exactly one of years, months, days, from 0 to 1e6. A day is 12/365.25 of a month. */
bool pk_reader_duration_months(const struct pk_reader *r, double *months);

/* Adds "is <what stands there>, expected <expected>"; false, so that callers can return it. hint may be NULL. */
bool pk_reader_mismatch(const struct pk_reader *r, const char *expected, const char *hint);
/* Adds the caller's own problem, or a warning, at this node. hint may be NULL. */
void pk_reader_problem(const struct pk_reader *r, const char *hint, const char *format, ...) PK_PRINTF(3, 4);
void pk_reader_warning(const struct pk_reader *r, const char *format, ...) PK_PRINTF(2, 3);

#ifdef __cplusplus
}
#endif
#endif
