/* The one owner of malloc.
 *
 * Responsibility: allocation with overflow checks, arenas, and failure on demand for the fault tests.
 * Everything returned is zeroed. NULL means out of memory and is the caller's to report. */
#ifndef PK_MEMORY_H
#define PK_MEMORY_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

void *pk_alloc(size_t count, size_t size) __attribute__((malloc, warn_unused_result));
/* As realloc for count items of size; NULL leaves the old block alive. The new part is not zeroed. */
void *pk_realloc(void *block, size_t count, size_t size) __attribute__((warn_unused_result));
void pk_free(void *block);

/* Fault tests: let the next n allocations succeed and every later one fail; n < 0 turns it off.
 * Returns how many allocations were asked for since the last call. */
long pk_memory_fail_after(long n);

/* Memory that lives and dies together: texts and small tables of a model. Not for threads. */
struct pk_arena_block;
struct pk_arena {
    struct pk_arena_block *last; /* owned */
};
void pk_arena_init(struct pk_arena *arena);
void pk_arena_free(struct pk_arena *arena);
/* Zeroed, aligned for any type; NULL when out of memory. */
void *pk_arena_alloc(struct pk_arena *arena, size_t count, size_t size) __attribute__((warn_unused_result));
char *pk_arena_text(struct pk_arena *arena, const char *text) __attribute__((warn_unused_result));

#ifdef __cplusplus
}
#endif
#endif
