/* Who asks for places, which of them compete, and what they were given. See places.h. */
#include <stdlib.h>
#include <string.h>

#include "places_private.h"

/* ---- who asks ------------------------------------------------------------------------------------------------- */

uint64_t pk_places_rank(const struct pk_plan *plan, const struct pk_person *person, uint32_t stream, uint32_t spell,
                        uint32_t turn)
{
    const struct pk_rng_person rng = pk_rng_core_person(plan->seed, person->id, person->replication);
    const double u = pk_rng_core_uniforms(rng, stream, PK_ROLE_RANK, spell & UINT16_MAX, turn).first;
    return ((uint64_t)(u * 0x1p52) << 12) | (person->id & 0xfff);
}

enum pk_status pk_client_look_first(struct pk_places_room *room, struct pk_client *client, uint64_t lotteries,
                                    struct pk_enrolled *items, struct pk_thing *thing, struct pk_error *error)
{
    (void)pk_lottery_treatment(room->plan, room->i_arm, lotteries, &client->person, NULL, items, &client->treatment);
    client->items = items;
    for (size_t i = 0; i < room->plan->arms[room->i_arm].n_enrolments; i++)
        client->wants[i].spent_to = client->person.entry;
    return pk_client_look(room, client, 0, true, thing, error);
}

enum pk_status pk_places_scan(struct pk_places_room *room, size_t i_arm, const struct pk_persons *persons,
                              const uint64_t *lotteries, struct pk_askers *askers, uint64_t *failed,
                              struct pk_error *error)
{
    const struct pk_plan *plan = room->plan;
    const uint64_t n_events = room->n_events; /* lived again in the calendar */
    room->i_arm = i_arm;
    for (size_t i = 0; i < persons->n; i++) {
        struct pk_enrolled items[PK_MAX_ENROLMENTS];
        struct pk_person person;
        struct pk_thing thing;
        pk_persons_person(persons, i, &person);
        if (!pk_client_begin(plan, i_arm, &person, lotteries[i], room->scratch))
            continue;
        *failed = person.id;
        enum pk_status status = pk_client_look_first(room, room->scratch, lotteries[i], items, &thing, error);
        room->scratch->items = NULL;
        if (status != PK_OK)
            return status;
        if (thing.doing == PK_DOING_NOTHING)
            continue;
        PK_ASSERT(thing.doing == PK_DOING_REQUEST);
        if (askers->n == askers->room) {
            const size_t n_room = askers->room ? askers->room * 2 : 256;
            struct pk_asker *grown = pk_realloc(askers->items, n_room, sizeof *grown);
            if (grown == NULL)
                return pk_error_set(error, PK_NO_MEMORY, "no memory for %zu people who ask for places", n_room);
            askers->items = grown;
            askers->room = n_room;
        }
        askers->items[askers->n++] = (struct pk_asker){.tick = pk_ticks(thing.time),
                                                       .rank = pk_places_rank(plan, &person, (1u << 24) - 1, 0, 0),
                                                       .id = person.id,
                                                       .lotteries = lotteries[i]};
    }
    room->n_events = n_events;
    return PK_OK;
}

size_t pk_places_station(const struct pk_plan *plan, size_t i_service, const struct pk_person *person)
{
    const struct pk_plan_service *service = &plan->services[i_service];
    return service->first_station + (service->places.i_by == SIZE_MAX ? 0 : person->values[service->places.i_by]);
}

/* ---- components ----------------------------------------------------------------------------------------------- */

static uint32_t root_of(uint32_t *parents, uint32_t i)
{
    while (parents[i] != i)
        i = parents[i] = parents[parents[i]];
    return i;
}

static int by_component(const void *a, const void *b)
{
    const struct pk_asker *x = a, *y = b;
    if (x->component != y->component)
        return x->component < y->component ? -1 : 1;
    if (x->tick != y->tick)
        return x->tick < y->tick ? -1 : 1;
    if (x->rank != y->rank)
        return x->rank < y->rank ? -1 : 1;
    return (x->id > y->id) - (x->id < y->id);
}

size_t pk_places_split(const struct pk_plan *plan, size_t i_arm, uint32_t replication, struct pk_askers *askers,
                       uint32_t *component_of)
{
    const struct pk_plan_arm *arm = &plan->arms[i_arm];
    uint32_t *parents = component_of; /* the smaller station is the parent */
    size_t n = 0, n_several = 0, only = SIZE_MAX;
    for (size_t s = 0; s < plan->n_stations; s++)
        parents[s] = (uint32_t)s;
    for (size_t i = 0; i < arm->n_enrolments; i++)
        if (arm->enrolments[i].queued) {
            n_several += only != SIZE_MAX && only != arm->enrolments[i].i_service;
            only = arm->enrolments[i].i_service;
        }
    for (size_t k = 0; k < askers->n; k++) {
        struct pk_asker *asker = &askers->items[k];
        struct pk_person person;
        uint32_t first = UINT32_MAX;
        pk_person_make_read(plan, replication, asker->id, &person);
        for (size_t i = 0; i < arm->n_enrolments; i++) {
            if (!arm->enrolments[i].queued)
                continue;
            uint32_t station = (uint32_t)pk_places_station(plan, arm->enrolments[i].i_service, &person);
            asker->component = station; /* one of the component's */
            if (n_several == 0)
                break;
            station = root_of(parents, station);
            if (first != UINT32_MAX && station != first) {
                const uint32_t low = station < first ? station : first, high = station < first ? first : station;
                parents[high] = low;
                station = low;
            }
            first = station;
        }
    }
    for (size_t s = 0; s < plan->n_stations; s++)
        parents[s] = root_of(parents, (uint32_t)s);
    for (size_t s = 0; s < plan->n_stations; s++) /* a root comes before those that it is the root of */
        component_of[s] = parents[s] == s ? (uint32_t)n++ : component_of[parents[s]];
    for (size_t k = 0; k < askers->n; k++)
        askers->items[k].component = component_of[askers->items[k].component];
    if (askers->n > 0)
        qsort(askers->items, askers->n, sizeof *askers->items, by_component);
    return n;
}

/* ---- the parts of components together ------------------------------------------------------------------------ */

struct place {
    uint64_t id;
    uint32_t part, i;
};

static int by_id(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    return (x->id > y->id) - (x->id < y->id);
}

enum pk_status pk_places_join(struct pk_granted *parts, size_t n_parts, struct pk_granted *joined,
                              struct pk_error *error)
{
    size_t n = 0, n_items = 0;
    for (size_t p = 0; p < n_parts; p++) {
        n += parts[p].n;
        n_items += parts[p].n > 0 ? parts[p].first[parts[p].n] : 0;
    }
    struct place *order = pk_alloc(n + 1, sizeof *order);
    *joined = (struct pk_granted){.n = n,
                                  .ids = pk_alloc(n + 1, sizeof *joined->ids),
                                  .first = pk_alloc(n + 1, sizeof *joined->first),
                                  .items = pk_alloc(n_items + 1, sizeof *joined->items)};
    const bool made = order != NULL && joined->ids != NULL && joined->first != NULL && joined->items != NULL;
    if (made) {
        size_t k = 0, to = 0;
        for (size_t p = 0; p < n_parts; p++)
            for (size_t i = 0; i < parts[p].n; i++)
                order[k++] = (struct place){.id = parts[p].ids[i], .part = (uint32_t)p, .i = (uint32_t)i};
        qsort(order, n, sizeof *order, by_id);
        for (k = 0; k < n; k++) {
            const struct pk_granted *part = &parts[order[k].part];
            const uint32_t from = part->first[order[k].i], end = part->first[order[k].i + 1];
            joined->ids[k] = order[k].id;
            joined->first[k] = (uint32_t)to;
            if (end > from)
                memcpy(joined->items + to, part->items + from, (end - from) * sizeof *joined->items);
            to += end - from;
        }
        joined->first[n] = (uint32_t)to;
    } else {
        pk_granted_free(joined);
    }
    for (size_t p = 0; p < n_parts; p++)
        pk_granted_free(&parts[p]);
    pk_free(order);
    return made ? PK_OK : pk_error_set(error, PK_NO_MEMORY, "no memory for %zu people who asked for places", n);
}
