/* What went wrong, said so that a user can mend it.
 *
 * Responsibility: the status codes, the one error record and the list of a file's problems.
 * It knows nothing of files, models or printing. Errors are plain structs owned by the caller. */
#ifndef PK_STATUS_H
#define PK_STATUS_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One list: name, process exit code, what a user reads first. */
#define PK_STATUS_LIST(X)                                                                                              \
    X(PK_OK, 0, "ok")                                                                                                  \
    X(PK_BAD_INPUT, 1, "bad input")                                                                                    \
    X(PK_USAGE, 2, "wrong usage")                                                                                      \
    X(PK_IO, 3, "input or output failed")                                                                              \
    X(PK_NUMERICAL, 4, "numerical failure")                                                                            \
    X(PK_BUG, 5, "a bug in polku")                                                                                     \
    X(PK_NO_MEMORY, 3, "out of memory")

enum pk_status {
#define PK_STATUS_ENUM(name, exit_code, text) name,
    PK_STATUS_LIST(PK_STATUS_ENUM)
#undef PK_STATUS_ENUM
};

#define PK_CHECKED __attribute__((warn_unused_result))
#define PK_PRINTF(i_format, i_first) __attribute__((format(printf, i_format, i_first)))

/* One problem. Every text is NUL-terminated and cut, never overrun; an empty text means "does not apply". */
struct pk_error {
    enum pk_status status;
    size_t line;       /* 1-based; 0: no place in a file */
    size_t column;     /* 1-based */
    char file[256];    /* the file's name as the user gave it */
    char path[192];    /* place in the document, e.g. parameters.job_loss.value */
    char message[384]; /* what was found and what was expected */
    char hint[160];    /* what to do, e.g. did you mean "..."? */
};

/* All problems of the files being read; at most PK_PROBLEMS_MAX are kept, the rest only counted. */
enum { PK_PROBLEMS_MAX = 200 };
struct pk_problems {
    struct pk_error *items; /* [n_kept], owned */
    size_t n_kept;
    size_t n_found;    /* problems found, kept or not */
    size_t n_warnings; /* kept items that are warnings: they have status PK_OK */
};

const char *pk_status_text(enum pk_status status);
int pk_status_exit_code(enum pk_status status);

/* Fills *error (which may be NULL) with a message and no place; returns status, so that callers can return it. */
enum pk_status pk_error_set(struct pk_error *error, enum pk_status status, const char *format, ...) PK_PRINTF(3, 4);

/* Writes "file:line:column: path: message (hint)" into text[size]; always terminated. */
void pk_error_text(const struct pk_error *error, char *text, size_t size);

void pk_problems_init(struct pk_problems *problems);
void pk_problems_free(struct pk_problems *problems);
/* Adds a copy of *problem. Out of memory only loses the text: the count is still right. */
void pk_problems_add(struct pk_problems *problems, const struct pk_error *problem);
/* How many of the problems found forbid going on (warnings do not). */
size_t pk_problems_errors(const struct pk_problems *problems);

/* Our own bugs only, never input. Always on. Prints where and aborts. */
#define PK_ASSERT(condition) ((condition) ? (void)0 : pk_assert_failed(#condition, __FILE__, __LINE__))
void pk_assert_failed(const char *condition, const char *file, int line) __attribute__((noreturn));

#ifdef __cplusplus
}
#endif
#endif
