/* Events that services add to their clients' lives and that others would have had: who loses them. See places.h. */
#include <stdlib.h>
#include <string.h>

#include "places_private.h"

static enum pk_status add_opening(struct pk_openings *openings, const struct pk_opening *opening,
                                  struct pk_error *error)
{
    if (openings->n == openings->room) {
        const size_t room = openings->room ? openings->room * 2 : 1024;
        struct pk_opening *grown = pk_realloc(openings->items, room, sizeof *grown);
        if (grown == NULL)
            return pk_error_set(error, PK_NO_MEMORY, "no memory for %zu events that others may take", room);
        openings->items = grown;
        openings->room = room;
    }
    openings->items[openings->n++] = *opening;
    return PK_OK;
}

enum pk_status pk_places_openings(const struct pk_plan *plan, size_t i_arm, const struct pk_persons *persons,
                                  const uint64_t *lotteries, const struct pk_granted *granted, struct pk_life *life,
                                  struct pk_openings *openings, uint64_t *failed, struct pk_error *error)
{
    const struct pk_plan_arm *arm = &plan->arms[i_arm];
    enum pk_status status = PK_OK;
    for (size_t i = 0; i < persons->n && status == PK_OK; i++) {
        struct pk_enrolled items[PK_MAX_ENROLMENTS];
        struct pk_treatment treatment;
        struct pk_person person;
        uint32_t n_added = 0;
        pk_persons_person(persons, i, &person);
        *failed = person.id;
        const bool touched = pk_lottery_treatment(plan, i_arm, lotteries[i], &person, granted, items, &treatment);
        const struct pk_rng_person rng = pk_rng_core_person(plan->seed, person.id, person.replication);
        status = pk_life_run(plan, &person, touched ? &treatment : NULL, life, error);
        for (size_t k = 0; k < life->n_events && status == PK_OK; k++) {
            const struct pk_plan_arc *arc = &plan->arcs[life->events[k].arc];
            if (arc->i_transition != arm->i_displaced || arc->hazardless || (touched && !life->events[k].added))
                continue;
            if (touched &&
                !(pk_rng_core_uniforms(rng, (uint32_t)arm->i_displaced, PK_ROLE_DISPLACED, n_added++ & UINT16_MAX, 0)
                      .first < arm->displaced))
                continue;
            const struct pk_opening opening = {
                .value = arm->i_displaced_by == SIZE_MAX ? 0 : person.values[arm->i_displaced_by],
                .wanted = touched,
                .tick = life->events[k].tick,
                .rank = pk_places_rank(plan, &person, (1u << 24) - 1, 0, 0),
                .id = person.id};
            status = add_opening(openings, &opening, error);
        }
    }
    return status;
}

static int by_time(const void *a, const void *b)
{
    const struct pk_opening *x = a, *y = b;
    if (x->value != y->value)
        return x->value < y->value ? -1 : 1;
    if (x->tick != y->tick)
        return x->tick < y->tick ? -1 : 1;
    if (x->wanted != y->wanted) /* what is taken comes later than what takes it */
        return x->wanted ? 1 : -1;
    if (x->rank != y->rank)
        return x->rank < y->rank ? -1 : 1;
    return (x->id > y->id) - (x->id < y->id);
}

static int by_id(const void *a, const void *b)
{
    const struct pk_opening *x = a, *y = b;
    return (x->id > y->id) - (x->id < y->id);
}

/* Ids that have lost an event: open addressing, with room for twice as many as there can be. */
struct losers {
    uint64_t *ids; /* [mask + 1] id + 1; 0: empty */
    size_t mask;
};

/* False: it has lost one already. */
static bool loses(struct losers *losers, uint64_t id)
{
    size_t i = (size_t)(id * UINT64_C(0x9E3779B97F4A7C15) >> 32) & losers->mask;
    for (; losers->ids[i] != 0; i = (i + 1) & losers->mask)
        if (losers->ids[i] == id + 1)
            return false;
    losers->ids[i] = id + 1;
    return true;
}

/* Those who lose come behind the openings, where there is room; returns how many. */
static size_t match(struct pk_openings *openings, struct losers *losers)
{
    struct pk_opening *items = openings->items;
    size_t n_wanting = 0, n_lost = 0;
    for (size_t i = 0; i < openings->n; i++) {
        if (i > 0 && items[i].value != items[i - 1].value)
            n_wanting = 0; /* those left over take nobody's: nothing more happens before the horizon */
        if (items[i].wanted) {
            n_wanting++;
        } else if (n_wanting > 0 && loses(losers, items[i].id)) {
            n_wanting--;
            items[openings->n + n_lost++] = items[i];
        }
    }
    return n_lost;
}

/* The people who were given something and those who lost something, in the order of ids. */
static enum pk_status add_losers(const struct pk_opening *lost, size_t n_lost, struct pk_granted *granted,
                                 struct pk_error *error)
{
    const size_t n = granted->n + n_lost;
    uint64_t *ids = pk_alloc(n + 1, sizeof *ids);
    uint32_t *first = pk_alloc(n + 1, sizeof *first);
    int64_t *ticks = pk_alloc(n + 1, sizeof *ticks);
    if (ids == NULL || first == NULL || ticks == NULL) {
        pk_free(ids);
        pk_free(first);
        pk_free(ticks);
        return pk_error_set(error, PK_NO_MEMORY, "no memory for %zu people who are displaced", n_lost);
    }
    for (size_t i = 0, g = 0, l = 0; i < n; i++) {
        const bool is_lost = l < n_lost && (g == granted->n || lost[l].id < granted->ids[g]);
        ids[i] = is_lost ? lost[l].id : granted->ids[g];
        first[i] = granted->n > 0 ? granted->first[g] : 0;
        ticks[i] = is_lost ? lost[l].tick : 0;
        l += is_lost;
        g += !is_lost;
    }
    first[n] = granted->n > 0 ? granted->first[granted->n] : 0;
    pk_free(granted->ids);
    pk_free(granted->first);
    granted->n = n;
    granted->ids = ids;
    granted->first = first;
    granted->lost = ticks;
    return PK_OK;
}

enum pk_status pk_places_displace(struct pk_openings *openings, struct pk_granted *granted, struct pk_error *error)
{
    struct losers losers = {.mask = 63};
    size_t n_wanted = 0;
    for (size_t i = 0; i < openings->n; i++)
        n_wanted += openings->items[i].wanted;
    while (losers.mask < 2 * n_wanted)
        losers.mask = 2 * losers.mask + 1;
    losers.ids = pk_alloc(losers.mask + 1, sizeof *losers.ids);
    struct pk_opening *items = pk_realloc(openings->items, openings->n + n_wanted + 1, sizeof *items);
    if (items != NULL)
        openings->items = items;
    if (losers.ids == NULL || items == NULL) {
        pk_free(losers.ids);
        return pk_error_set(error, PK_NO_MEMORY, "no memory for the people who are displaced");
    }
    qsort(items, openings->n, sizeof *items, by_time);
    const size_t n_lost = match(openings, &losers);
    pk_free(losers.ids);
    qsort(items + openings->n, n_lost, sizeof *items, by_id);
    return add_losers(items + openings->n, n_lost, granted, error);
}
