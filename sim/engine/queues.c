/* What is counted at stations. See places.h. */
#include <math.h>
#include <string.h>

#include "places_private.h"

#define TEXT(name, text) [name] = text,
const char *const pk_queue_names[PK_QUEUE_COUNTS] = {PK_QUEUE_LIST(TEXT)};
#undef TEXT

static const struct {
    size_t i_first; /* edge ... */
    double first;   /* ... and its days */
    double width;   /* days from there on */
} widths[] = {{0, 0, 1}, {728, 728, 7}, {1024, 2800, 28}, {1324, 11200, 112}};

double pk_queues_wait_edge(size_t i)
{
    size_t w = sizeof widths / sizeof *widths - 1;
    while (i < widths[w].i_first)
        w--;
    return widths[w].first + (double)(i - widths[w].i_first) * widths[w].width;
}

size_t pk_queues_wait_bin(int64_t ticks)
{
    const double days = (double)ticks * PK_TICK * (365.25 / 12);
    size_t w = sizeof widths / sizeof *widths - 1;
    while (w > 0 && days <= widths[w].first)
        w--;
    const size_t i = widths[w].i_first + (size_t)ceil((days - widths[w].first) / widths[w].width);
    return i < PK_WAIT_EDGES ? i : PK_WAIT_EDGES;
}

uint64_t pk_queues_bytes(const struct pk_plan *plan)
{
    return 8 * plan->n_stations * ((size_t)ceil(plan->horizon) * PK_QUEUE_COUNTS + PK_WAIT_BINS + 4);
}

enum pk_status pk_queues_init(struct pk_queues *queues, const struct pk_plan *plan, struct pk_error *error)
{
    enum { APART = 16 }; /* what different threads write must not share a cache line */
    const size_t n = plan->n_stations;
    memset(queues, 0, sizeof *queues);
    queues->n_stations = n;
    queues->n_steps = (size_t)ceil(plan->horizon);
    queues->counts = pk_alloc(n * queues->n_steps * PK_QUEUE_COUNTS + APART, sizeof *queues->counts);
    queues->waits = pk_alloc(n * PK_WAIT_BINS + APART, sizeof *queues->waits);
    queues->waited = pk_alloc(4 * n + APART, sizeof *queues->waited);
    if (queues->counts == NULL || queues->waits == NULL || queues->waited == NULL) {
        pk_queues_free(queues);
        return pk_error_set(error, PK_NO_MEMORY, "no memory for what happens at places");
    }
    queues->held = queues->waited + n;
    queues->waiting_at_end = queues->held + n;
    queues->held_at_end = queues->waiting_at_end + n;
    return PK_OK;
}

void pk_queues_clear(struct pk_queues *queues)
{
    const size_t n = queues->n_stations;
    if (n == 0)
        return;
    memset(queues->counts, 0, n * queues->n_steps * PK_QUEUE_COUNTS * sizeof *queues->counts);
    memset(queues->waits, 0, n * PK_WAIT_BINS * sizeof *queues->waits);
    memset(queues->waited, 0, 4 * n * sizeof *queues->waited);
}

void pk_queues_free(struct pk_queues *queues)
{
    if (queues == NULL)
        return;
    pk_free(queues->counts);
    pk_free(queues->waits);
    pk_free(queues->waited);
    memset(queues, 0, sizeof *queues);
}

bool pk_queues_add_up(const struct pk_queues *queues, size_t *i_station, const char **what)
{
    for (size_t s = 0; s < queues->n_stations; s++) {
        int64_t sums[PK_QUEUE_COUNTS] = {0}, served = 0;
        for (size_t i = 0; i < queues->n_steps * PK_QUEUE_COUNTS; i++)
            sums[i % PK_QUEUE_COUNTS] += queues->counts[s * queues->n_steps * PK_QUEUE_COUNTS + i];
        for (size_t i = 0; i < PK_WAIT_BINS; i++)
            served += queues->waits[s * PK_WAIT_BINS + i];
        *i_station = s;
        *what = NULL;
        if (sums[PK_QUEUE_REQUESTED] != sums[PK_QUEUE_BAULKED] + sums[PK_QUEUE_REFUSED] + sums[PK_QUEUE_SERVED] +
                                            sums[PK_QUEUE_RENEGED] + sums[PK_QUEUE_LEFT] + queues->waiting_at_end[s])
            *what = "those who asked are not those who were served, went away or still wait";
        else if (sums[PK_QUEUE_SERVED] != sums[PK_QUEUE_FINISHED] + queues->held_at_end[s])
            *what = "those served are not those who finished or are still served";
        else if (served != sums[PK_QUEUE_SERVED])
            *what = "those served are not those whose waiting time is known";
        else if (sums[PK_QUEUE_WAITED] != queues->waited[s])
            *what = "the length of the line over time is not the time that people waited";
        else if (sums[PK_QUEUE_HELD] != queues->held[s])
            *what = "the places taken over time are not the time that people held them";
        if (*what != NULL)
            return false;
    }
    return true;
}
