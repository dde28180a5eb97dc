/* What the files about scarce places share. Not installed. */
#ifndef PK_PLACES_PRIVATE_H
#define PK_PLACES_PRIVATE_H

#include "life_private.h"
#include "polku/places.h"

static inline int64_t pk_ticks(double months)
{
    return (int64_t)(months * PK_TICKS_PER_MONTH);
}
static inline double pk_months(int64_t ticks)
{
    return (double)ticks * PK_TICK;
}

/* ---- client.c: somebody who asks for places ----------------------------------------------------------------------
 */

enum phase {
    PHASE_OVER, /* will not ask (again) */
    PHASE_IDLE, /* may ask */
    PHASE_WAITING,
    PHASE_SERVED
};

/* One enrolment of the arm that this person may ask under. */
struct want {
    uint8_t phase; /* enum phase */
    bool drawn;
    uint16_t n_requests;
    uint32_t ticket; /* of the present wait: what stands in line with another one is stale */
    double left;     /* by rate: the exponential ... */
    double spent_to; /* ... spent up to here, months */
    double reneges;  /* months: when the person gives up waiting */
    int64_t since;   /* tick: waiting, or served */
};

/* What a person does of their own accord; in the order of events at the same tick. */
enum pk_doing { PK_DOING_DEPART, PK_DOING_CAPACITY, PK_DOING_REQUEST, PK_DOING_NOTHING };
struct pk_thing {
    double time; /* months, a multiple of a tick */
    enum pk_doing doing;
    size_t i_want;
    bool reneges;      /* departs from the line by giving up */
    size_t i_state;    /* in the stay that it is in ... */
    double state_zero; /* ... and where its clock time_in_state was 0 */
};

struct pk_client {
    struct pk_person person;
    struct pk_treatment treatment;
    struct pk_enrolled *items; /* [n_room] the treatment's: `few`, or where they are more, `many` */
    struct pk_enrolled *many;  /* owned */
    struct pk_enrolled few[PK_MAX_ENROLMENTS];
    uint32_t n_room;
    uint32_t epoch; /* an entry in the calendar with another one is stale */
    uint64_t rank;
    bool in_use;
    struct pk_thing next;
    uint32_t n_releasing; /* places that will be given back, as is known already */
    bool done;            /* does nothing else any more */
    bool to_plan;         /* what comes next is not known until the end of the instant */
    struct want wants[];  /* [n_wants], then the walk, saved at the beginning of a stay */
};

/* Somebody who has asked for nothing yet; false: who never can, in this arm. */
bool pk_client_begin(const struct pk_plan *plan, size_t i_arm, const struct pk_person *person, uint64_t lotteries,
                     struct pk_client *client);
/* The first thing from `now` on that others may have a part in, and what had to be lived up to then. Places given back
 * before are in room->releases: nothing that anybody does can change them. fresh: the life has not begun. */
enum pk_status pk_client_look(struct pk_places_room *room, struct pk_client *client, double now, bool fresh,
                              struct pk_thing *thing, struct pk_error *error);
/* Enrolled now. False: no memory. */
bool pk_client_enrol(struct pk_client *client, size_t i_service, double now);
/* When a person who begins to wait now gives up; PK_NEVER. */
double pk_client_patience(const struct pk_places_room *room, const struct pk_client *client, size_t i_want, double now);
/* May ask again from now on, or not. */
void pk_client_free_again(const struct pk_places_room *room, const struct pk_person *person, struct want *want,
                          size_t i_want, bool was_served, double now);

/* ---- station.c: places and who waits for them --------------------------------------------------------------------
 */

struct in_line { /* smaller is served sooner */
    int64_t key;
    uint64_t rank;
    uint32_t i_client, ticket;
    uint16_t i_want;
};

struct pk_station {
    const struct pk_plan_places *places;
    size_t i_service, i_value;
    bool unlimited;
    double ratio; /* of the plan's places */
    uint64_t slots, held, waiting;
    uint64_t tokens;      /* places that may still be given in this period */
    size_t i_segment;     /* of the table of coaches */
    int64_t next_period;  /* tick; INT64_MAX: none */
    int64_t now;          /* counted up to here */
    struct in_line *line; /* [n_line] a heap, owned */
    size_t n_line, room_line;
    bool dirty;      /* somebody may get a place at the end of this tick */
    int64_t *counts; /* [n_steps][PK_QUEUE_COUNTS] */
    size_t n_steps;
    bool closed; /* there is no place to give and there will be none */
};

void pk_station_open(struct pk_station *station, const struct pk_plan *plan, size_t i_arm, size_t i_station,
                     struct pk_queues *queues);
/* Counts who waits, holds and may hold up to a tick. */
void pk_station_count_to(struct pk_station *station, int64_t tick);
void pk_station_note(struct pk_station *station, int64_t tick, enum pk_queue_count what);
/* Whether nobody will be given a place any more: there are none and will be none, or each was to be filled once and has
 * been. */
bool pk_station_is_closed(const struct pk_station *station);
/* How many could be given a place now. */
uint64_t pk_station_free(const struct pk_station *station);
/* The tick of the next change of capacity; INT64_MAX: none. */
int64_t pk_station_next_change(const struct pk_station *station);
void pk_station_change(struct pk_station *station, int64_t tick);
bool pk_station_push(struct pk_station *station, const struct in_line *who);
struct in_line pk_station_pop(struct pk_station *station);

/* ---- places_who.c ---- */

/* A number of 64 bits: the random ones of a uniform, then some of the id. */
uint64_t pk_places_rank(const struct pk_plan *plan, const struct pk_person *person, uint32_t stream, uint32_t spell,
                        uint32_t turn);
/* The client's life before anything is given, and the first thing they do. items [PK_MAX_ENROLMENTS] */
enum pk_status pk_client_look_first(struct pk_places_room *room, struct pk_client *client, uint64_t lotteries,
                                    struct pk_enrolled *items, struct pk_thing *thing, struct pk_error *error);
/* Where the person would ask for a place in the service. */
size_t pk_places_station(const struct pk_plan *plan, size_t i_service, const struct pk_person *person);

/* ---- calendar.c ---------------------------------------------------------------------------------------------------
 */

struct pk_entry {  /* of the calendar, in the order of tick, doing, rank */
    uint64_t when; /* see pk_entry_when */
    uint64_t rank;
    uint32_t i_client; /* capacity: station */
    uint32_t epoch;
};
/* Entries of the time at hand are in a heap, later ones in lists by time: most entries never see a large heap. */
struct pk_calendar {
    struct pk_entry *heap; /* [n] owned */
    size_t n, room;
    struct pk_later {
        struct pk_entry entry;
        uint32_t i_next; /* UINT32_MAX: none */
    } * later;           /* [n_later] owned */
    size_t n_later, room_later;
    uint32_t *firsts; /* [n_buckets] in `later`, owned */
    size_t n_buckets, room_buckets, i_bucket;
    uint32_t i_unused; /* in `later` */
    unsigned shift;    /* of a tick to its bucket */
};
/* Empty, up to a tick, for about so many entries at a time. False: no memory. */
bool pk_calendar_begin(struct pk_calendar *calendar, int64_t horizon, size_t n);
void pk_calendar_free(struct pk_calendar *calendar);
bool pk_calendar_push(struct pk_calendar *calendar, const struct pk_entry *entry); /* false: no memory */
/* The first entry, if it is not after a tick; NULL: there is none, or (see failed) no memory. May return a later one.
 */
const struct pk_entry *pk_calendar_first(struct pk_calendar *calendar, int64_t until, bool *failed);
void pk_calendar_pop(struct pk_calendar *calendar);

/* what: of things at the same tick that a person does; 0, or 1 + the want whose place is given back. */
static inline uint64_t pk_entry_when(int64_t tick, enum pk_doing doing, size_t what)
{
    return (uint64_t)tick << 6 | (uint64_t)doing << 4 | (uint64_t)what;
}
static inline int64_t pk_entry_tick(uint64_t when)
{
    return (int64_t)(when >> 6);
}
static inline enum pk_doing pk_entry_doing(uint64_t when)
{
    return (enum pk_doing)(when >> 4 & 3);
}

/* ---- a thread's own ---- */

struct pk_places_room {
    const struct pk_plan *plan;
    size_t i_arm;    /* at hand */
    size_t n_wants;  /* the most enrolments of an arm */
    size_t n_client; /* bytes of a client with its walk */
    struct walk walk;
    struct pk_life life;
    struct pk_client *scratch;
    struct pk_station *stations; /* [n_stations] */
    uint32_t *dirty;             /* [n_stations] */
    uint32_t *to_plan;           /* clients */
    size_t n_to_plan, room_to_plan;
    struct pk_calendar calendar;
    char **chunks; /* of clients, owned */
    size_t n_chunks, room_chunks;
    uint32_t *unused; /* [n_unused] clients done with, owned */
    size_t n_unused, n_clients;
    uint64_t n_events; /* decisions, and transitions lived */
    size_t n_releases; /* of the last look */
    struct pk_thing releases[PK_MAX_ENROLMENTS];
};

enum { PK_PLACES_CHUNK = 1024 /* clients */ };

static inline struct pk_client *pk_places_client_at(const struct pk_places_room *room, size_t i)
{
    return (struct pk_client *)(void *)(room->chunks[i / PK_PLACES_CHUNK] + i % PK_PLACES_CHUNK * room->n_client);
}
/* Whoever is next is far away in memory. */
static inline void pk_places_fetch(const struct pk_places_room *room)
{
    const struct pk_calendar *calendar = &room->calendar;
    if (calendar->n == 0 || pk_entry_doing(calendar->heap[0].when) == PK_DOING_CAPACITY)
        return;
    const char *client = (const char *)pk_places_client_at(room, calendar->heap[0].i_client);
    for (size_t i = 0; i < room->n_client; i += 64)
        __builtin_prefetch(client + i, 1);
}
/* Room for one more; false: no memory. */
bool pk_places_client(struct pk_places_room *room, uint32_t *i_client);

static inline void *pk_client_saved(const struct pk_places_room *room, struct pk_client *client)
{
    return &client->wants[room->n_wants];
}

#endif
