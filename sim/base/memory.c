/* The one owner of malloc. See memory.h. */
#include "polku/memory.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static atomic_long n_asked;
static atomic_long n_allowed = -1;

static int refused(size_t count, size_t size)
{
    long i_this = atomic_fetch_add_explicit(&n_asked, 1, memory_order_relaxed);
    long allowed = atomic_load_explicit(&n_allowed, memory_order_relaxed);
    return (allowed >= 0 && i_this >= allowed) || (size != 0 && count > SIZE_MAX / 2 / size);
}

void *pk_alloc(size_t count, size_t size)
{
    if (refused(count, size))
        return NULL;
    return calloc(count ? count : 1, size ? size : 1);
}

void *pk_realloc(void *block, size_t count, size_t size)
{
    if (refused(count, size))
        return NULL;
    size_t n_bytes = count * size;
    return realloc(block, n_bytes ? n_bytes : 1);
}

void pk_free(void *block)
{
    free(block);
}

long pk_memory_fail_after(long n)
{
    long asked = atomic_exchange(&n_asked, 0);
    atomic_store(&n_allowed, n);
    return asked;
}

struct pk_arena_block {
    struct pk_arena_block *previous;
    size_t used, size;
    max_align_t data[];
};

enum { BLOCK_BYTES = 16384 };

void pk_arena_init(struct pk_arena *arena)
{
    arena->last = NULL;
}

void pk_arena_free(struct pk_arena *arena)
{
    while (arena->last != NULL) {
        struct pk_arena_block *previous = arena->last->previous;
        pk_free(arena->last);
        arena->last = previous;
    }
}

void *pk_arena_alloc(struct pk_arena *arena, size_t count, size_t size)
{
    if (size != 0 && count > SIZE_MAX / 4 / size)
        return NULL;
    size_t align = sizeof(max_align_t);
    size_t n_bytes = (count * size + align) / align * align;
    if (arena->last == NULL || arena->last->size - arena->last->used < n_bytes) {
        size_t block_bytes = n_bytes > BLOCK_BYTES ? n_bytes : BLOCK_BYTES;
        struct pk_arena_block *block = pk_alloc(1, sizeof *block + block_bytes);
        if (block == NULL)
            return NULL;
        block->previous = arena->last;
        block->size = block_bytes;
        arena->last = block;
    }
    void *result = (char *)arena->last->data + arena->last->used;
    arena->last->used += n_bytes;
    return result;
}

char *pk_arena_text(struct pk_arena *arena, const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = pk_arena_alloc(arena, size, 1);
    if (copy != NULL)
        memcpy(copy, text, size);
    return copy;
}
