/* The calendar: a heap of entries with four children each. See places_private.h. */
#include "places_private.h"

enum { CHILDREN = 4 };

static bool before(const struct pk_entry *a, const struct pk_entry *b)
{
    if (a->when != b->when)
        return a->when < b->when;
    return a->rank != b->rank ? a->rank < b->rank : a->i_client < b->i_client;
}

bool pk_calendar_push(struct pk_calendar *calendar, const struct pk_entry *entry)
{
    if (calendar->n == calendar->room) {
        const size_t room = calendar->room ? calendar->room * 2 : 1024;
        struct pk_entry *grown = pk_realloc(calendar->items, room, sizeof *grown);
        if (grown == NULL)
            return false;
        calendar->items = grown;
        calendar->room = room;
    }
    struct pk_entry *items = calendar->items;
    size_t i = calendar->n++;
    for (; i > 0 && before(entry, &items[(i - 1) / CHILDREN]); i = (i - 1) / CHILDREN)
        items[i] = items[(i - 1) / CHILDREN];
    items[i] = *entry;
    return true;
}

struct pk_entry pk_calendar_pop(struct pk_calendar *calendar)
{
    struct pk_entry *items = calendar->items;
    const struct pk_entry first = items[0], last = items[--calendar->n];
    const size_t n = calendar->n;
    size_t i = 0;
    for (;;) {
        const size_t from = i * CHILDREN + 1, to = from + CHILDREN < n ? from + CHILDREN : n;
        size_t least = from;
        if (from >= n)
            break;
        for (size_t k = from + 1; k < to; k++)
            least = before(&items[k], &items[least]) ? k : least;
        if (!before(&items[least], &last))
            break;
        items[i] = items[least];
        i = least;
    }
    items[i] = last;
    return first;
}
