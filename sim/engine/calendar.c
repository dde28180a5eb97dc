/* The calendar: a heap of what comes soon, with four children each, and lists by time. See places_private.h. */
#include <string.h>

#include "places_private.h"

enum { CHILDREN = 4, MOST_BUCKETS = 1 << 17, EACH = 4 };
#define NONE UINT32_MAX

bool pk_calendar_begin(struct pk_calendar *calendar, int64_t horizon, size_t n)
{
    const size_t wanted = n * EACH + 16 < MOST_BUCKETS ? n * EACH + 16 : MOST_BUCKETS;
    calendar->shift = 0;
    while ((uint64_t)horizon >> calendar->shift >= wanted)
        calendar->shift++;
    calendar->n_buckets = ((uint64_t)horizon >> calendar->shift) + 1;
    if (calendar->n_buckets > calendar->room_buckets) {
        uint32_t *grown = pk_realloc(calendar->firsts, calendar->n_buckets, sizeof *grown);
        if (grown == NULL)
            return false;
        calendar->firsts = grown;
        calendar->room_buckets = calendar->n_buckets;
    }
    memset(calendar->firsts, 0xff, calendar->n_buckets * sizeof *calendar->firsts); /* NONE */
    calendar->n = calendar->n_later = calendar->i_bucket = 0;
    calendar->i_unused = NONE;
    return true;
}

void pk_calendar_free(struct pk_calendar *calendar)
{
    pk_free(calendar->heap);
    pk_free(calendar->later);
    pk_free(calendar->firsts);
    *calendar = (struct pk_calendar){0};
}

static bool before(const struct pk_entry *a, const struct pk_entry *b)
{
    if (a->when != b->when)
        return a->when < b->when;
    return a->rank != b->rank ? a->rank < b->rank : a->i_client < b->i_client;
}

static bool push_soon(struct pk_calendar *calendar, const struct pk_entry *entry)
{
    if (calendar->n == calendar->room) {
        const size_t room = calendar->room ? calendar->room * 2 : 256;
        struct pk_entry *grown = pk_realloc(calendar->heap, room, sizeof *grown);
        if (grown == NULL)
            return false;
        calendar->heap = grown;
        calendar->room = room;
    }
    struct pk_entry *heap = calendar->heap;
    size_t i = calendar->n++;
    for (; i > 0 && before(entry, &heap[(i - 1) / CHILDREN]); i = (i - 1) / CHILDREN)
        heap[i] = heap[(i - 1) / CHILDREN];
    heap[i] = *entry;
    return true;
}

bool pk_calendar_push(struct pk_calendar *calendar, const struct pk_entry *entry)
{
    const size_t i_bucket = (size_t)((uint64_t)pk_entry_tick(entry->when) >> calendar->shift);
    uint32_t i = calendar->i_unused;
    if (i_bucket <= calendar->i_bucket)
        return push_soon(calendar, entry);
    if (i != NONE) {
        calendar->i_unused = calendar->later[i].i_next;
    } else {
        if (calendar->n_later == calendar->room_later) {
            const size_t room = calendar->room_later ? calendar->room_later * 2 : 1024;
            struct pk_later *grown = pk_realloc(calendar->later, room, sizeof *grown);
            if (grown == NULL)
                return false;
            calendar->later = grown;
            calendar->room_later = room;
        }
        i = (uint32_t)calendar->n_later++;
    }
    calendar->later[i] = (struct pk_later){.entry = *entry, .i_next = calendar->firsts[i_bucket]};
    calendar->firsts[i_bucket] = i;
    return true;
}

const struct pk_entry *pk_calendar_first(struct pk_calendar *calendar, int64_t until, bool *failed)
{
    const uint64_t last = (uint64_t)until >> calendar->shift;
    while (calendar->n == 0 && calendar->i_bucket + 1 < calendar->n_buckets && calendar->i_bucket < last) {
        uint32_t i = calendar->firsts[++calendar->i_bucket];
        calendar->firsts[calendar->i_bucket] = NONE;
        if (calendar->i_bucket + 1 < calendar->n_buckets && calendar->firsts[calendar->i_bucket + 1] != NONE)
            __builtin_prefetch(&calendar->later[calendar->firsts[calendar->i_bucket + 1]]);
        for (uint32_t next; i != NONE; i = next) {
            next = calendar->later[i].i_next;
            if (!push_soon(calendar, &calendar->later[i].entry)) {
                *failed = true;
                return NULL;
            }
            calendar->later[i].i_next = calendar->i_unused;
            calendar->i_unused = i;
        }
    }
    return calendar->n > 0 ? &calendar->heap[0] : NULL;
}

void pk_calendar_pop(struct pk_calendar *calendar)
{
    struct pk_entry *heap = calendar->heap;
    const struct pk_entry last = heap[--calendar->n];
    const size_t n = calendar->n;
    size_t i = 0;
    for (;;) {
        const size_t from = i * CHILDREN + 1, to = from + CHILDREN < n ? from + CHILDREN : n;
        size_t least = from;
        if (from >= n)
            break;
        for (size_t k = from + 1; k < to; k++)
            least = before(&heap[k], &heap[least]) ? k : least;
        if (!before(&heap[least], &last))
            break;
        heap[i] = heap[least];
        i = least;
    }
    heap[i] = last;
}
