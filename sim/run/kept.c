/* Lives put together from the log of a block. See run_private.h. */
#include <string.h>

#include "run_private.h"

void pk_kept_add(struct pk_kept *kept, const uint64_t *log, size_t n)
{
    if (n == 0)
        return;
    if (kept->n + n > kept->room) {
        const size_t room = 2 * (kept->n + n);
        uint64_t *grown = pk_realloc(kept->log, room, sizeof *grown);
        uint64_t *sorted = grown != NULL ? pk_realloc(kept->sorted, room, sizeof *sorted) : NULL;
        kept->log = grown != NULL ? grown : kept->log;
        kept->sorted = sorted != NULL ? sorted : kept->sorted;
        kept->failed |= sorted == NULL;
        if (kept->failed)
            return;
        kept->room = room;
    }
    memcpy(kept->log + kept->n, log, n * sizeof *log);
    kept->n += n;
}

void pk_kept_sort(struct pk_kept *kept, size_t n_persons)
{
    uint32_t *first = kept->first;
    memset(first, 0, (n_persons + 1) * sizeof *first);
    for (size_t i = 0; i < kept->n; i++)
        first[pk_logged_slot(kept->log[i]) + 1]++;
    for (size_t i = 0; i < n_persons; i++)
        first[i + 1] += first[i];
    for (size_t i = 0; i < kept->n; i++)
        kept->sorted[first[pk_logged_slot(kept->log[i])]++] = kept->log[i];
    memmove(first + 1, first, n_persons * sizeof *first); /* each now stands where the next one's begin */
    first[0] = 0;
}

void pk_kept_life(const struct pk_kept *kept, size_t slot, const struct pk_person *person, uint16_t start,
                  struct pk_life *life)
{
    const uint64_t *log = kept->sorted + kept->first[slot];
    life->start_state = start;
    life->start_tick = (int64_t)(person->entry * PK_TICKS_PER_MONTH);
    life->n_events = kept->first[slot + 1] - kept->first[slot];
    life->n_blocked = 0;
    for (size_t i = 0; i < life->n_events; i++) {
        life->events[i].tick = pk_logged_tick(log[i]);
        life->events[i].arc = pk_logged_arc(log[i]);
    }
}

void pk_kept_free(struct pk_kept *kept)
{
    pk_free(kept->first);
    pk_free(kept->log);
    pk_free(kept->sorted);
}
