/* Status codes, the error record, and the list of problems. See status.h. */
#include "polku/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "polku/memory.h"

const char *pk_status_text(enum pk_status status)
{
    switch (status) {
#define PK_STATUS_CASE(name, exit_code, text)                                                                          \
    case name:                                                                                                         \
        return text;
        PK_STATUS_LIST(PK_STATUS_CASE)
#undef PK_STATUS_CASE
    }
    return "unknown status";
}

int pk_status_exit_code(enum pk_status status)
{
    switch (status) {
#define PK_STATUS_CASE(name, exit_code, text)                                                                          \
    case name:                                                                                                         \
        return exit_code;
        PK_STATUS_LIST(PK_STATUS_CASE)
#undef PK_STATUS_CASE
    }
    return 5;
}

enum pk_status pk_error_set(struct pk_error *error, enum pk_status status, const char *format, ...)
{
    if (error == NULL)
        return status;
    memset(error, 0, sizeof *error);
    error->status = status;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error->message, sizeof error->message, format, arguments);
    va_end(arguments);
    return status;
}

void pk_error_text(const struct pk_error *error, char *text, size_t size)
{
    char place[512] = "";
    if (error->file[0] != '\0' && error->line > 0)
        snprintf(place, sizeof place, "%s:%zu:%zu: ", error->file, error->line, error->column);
    else if (error->file[0] != '\0')
        snprintf(place, sizeof place, "%s: ", error->file);
    snprintf(text, size, "%s%s%s%s%s%s%s", place, error->path, error->path[0] ? ": " : "", error->message,
             error->hint[0] ? " (" : "", error->hint, error->hint[0] ? ")" : "");
}

void pk_problems_init(struct pk_problems *problems)
{
    memset(problems, 0, sizeof *problems);
}

void pk_problems_free(struct pk_problems *problems)
{
    if (problems == NULL)
        return;
    pk_free(problems->items);
    pk_problems_init(problems);
}

void pk_problems_add(struct pk_problems *problems, const struct pk_error *problem)
{
    problems->n_found++;
    if (problem->status == PK_OK)
        problems->n_warnings++;
    if (problems->n_kept == PK_PROBLEMS_MAX)
        return;
    if (problems->n_kept % 16 == 0) {
        struct pk_error *grown = pk_realloc(problems->items, problems->n_kept + 16, sizeof *grown);
        if (grown == NULL)
            return;
        problems->items = grown;
    }
    problems->items[problems->n_kept++] = *problem;
}

size_t pk_problems_errors(const struct pk_problems *problems)
{
    return problems->n_found - problems->n_warnings;
}

void pk_assert_failed(const char *condition, const char *file, int line)
{
    fprintf(stderr, "polku: a bug of ours: %s does not hold at %s:%d. Please report it.\n", condition, file, line);
    abort();
}
