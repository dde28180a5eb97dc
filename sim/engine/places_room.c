/* What a thread needs for calendars: clients come and go, their room stays. See places_private.h. */
#include "places_private.h"

uint64_t pk_places_events(const struct pk_places_room *room)
{
    return room->n_events;
}

static size_t bytes_of_client(const struct pk_plan *plan, size_t n_wants)
{
    return (sizeof(struct pk_client) + n_wants * sizeof(struct want) + pk_walk_saved_size(plan) + 63) / 64 * 64;
}

struct pk_places_room *pk_places_room_make(const struct pk_plan *plan)
{
    struct pk_places_room *room = pk_alloc(1, sizeof *room);
    if (room == NULL)
        return NULL;
    room->plan = plan;
    for (size_t a = 0; a < plan->n_arms; a++)
        if (plan->arms[a].queued && plan->arms[a].n_enrolments > room->n_wants)
            room->n_wants = plan->arms[a].n_enrolments;
    room->n_client = bytes_of_client(plan, room->n_wants);
    room->scratch = pk_alloc(1, room->n_client);
    room->stations = pk_alloc(plan->n_stations + 1, sizeof *room->stations);
    room->dirty = pk_alloc(plan->n_stations + 1, sizeof *room->dirty);
    if (room->scratch == NULL || room->stations == NULL || room->dirty == NULL) {
        pk_places_room_free(room);
        return NULL;
    }
    return room;
}

static void free_clients(struct pk_places_room *room)
{
    for (size_t c = 0; c < room->n_chunks; c++) {
        for (size_t i = 0; i < PK_PLACES_CHUNK; i++)
            pk_free(((struct pk_client *)(void *)(room->chunks[c] + i * room->n_client))->many);
        pk_free(room->chunks[c]);
    }
    room->n_chunks = room->n_clients = room->n_unused = 0;
}

void pk_places_room_free(struct pk_places_room *room)
{
    if (room == NULL)
        return;
    free_clients(room);
    for (size_t s = 0; room->stations != NULL && s < room->plan->n_stations; s++)
        pk_free(room->stations[s].line);
    pk_free(room->scratch);
    pk_free(room->stations);
    pk_free(room->dirty);
    pk_calendar_free(&room->calendar);
    pk_free(room->to_plan);
    pk_free(room->chunks);
    pk_free(room->unused);
    pk_free(room);
}

size_t pk_places_bytes(const struct pk_plan *plan)
{
    size_t n_wants = 0;
    for (size_t a = 0; a < plan->n_arms; a++)
        if (plan->arms[a].queued && plan->arms[a].n_enrolments > n_wants)
            n_wants = plan->arms[a].n_enrolments;
    return bytes_of_client(plan, n_wants) + PK_MAX_ENROLMENTS * sizeof(struct pk_enrolled) + sizeof(struct pk_later) +
           sizeof(struct in_line);
}

bool pk_places_client(struct pk_places_room *room, uint32_t *i_client)
{
    if (room->n_unused > 0) {
        *i_client = room->unused[--room->n_unused];
        return true;
    }
    if (room->n_clients == room->n_chunks * PK_PLACES_CHUNK) {
        if (room->n_chunks == room->room_chunks) {
            const size_t n = room->room_chunks ? room->room_chunks * 2 : 16;
            char **grown = pk_realloc(room->chunks, n, sizeof *grown);
            if (grown == NULL)
                return false;
            room->chunks = grown;
            uint32_t *unused = pk_realloc(room->unused, n * PK_PLACES_CHUNK, sizeof *unused);
            if (unused == NULL)
                return false;
            room->unused = unused;
            room->room_chunks = n;
        }
        char *chunk = pk_alloc(PK_PLACES_CHUNK, room->n_client);
        if (chunk == NULL)
            return false;
        room->chunks[room->n_chunks++] = chunk;
    }
    *i_client = (uint32_t)room->n_clients++;
    return true;
}
