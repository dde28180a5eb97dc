/* What a thread needs for calendars: clients come and go, their room stays. See places_private.h. */
#include "places_private.h"

struct pk_places_room *pk_places_room_make(const struct pk_plan *plan)
{
    struct pk_places_room *room = pk_alloc(1, sizeof *room);
    if (room == NULL)
        return NULL;
    room->plan = plan;
    room->n_client = (sizeof(struct pk_client) + pk_walk_saved_size(plan) + 15) / 16 * 16;
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
            pk_free(((struct pk_client *)(void *)(room->chunks[c] + i * room->n_client))->items);
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
    pk_free(room->calendar.items);
    pk_free(room->chunks);
    pk_free(room->unused);
    pk_free(room);
}

size_t pk_places_bytes(const struct pk_plan *plan)
{
    return sizeof(struct pk_client) + pk_walk_saved_size(plan) + PK_MAX_ENROLMENTS * sizeof(struct pk_enrolled) +
           sizeof(struct pk_entry) + sizeof(struct in_line);
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
