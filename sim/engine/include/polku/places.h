/* Who gets a place in a service when places are scarce: the calendar of one arm in one replication.
 *
 * A person's life is a function of the person and of when they were given places; only the latter depends on others.
 * So a calendar holds what couples people (requests, departures, changes of capacity) in a total order of tick, kind
 * and keyed rank; at the end of each tick places go to those first in line. Between two of their own entries lives are
 * lived by themselves. A grant cuts the future that a life was thought to have: its entry is then stale, known by its
 * epoch. What comes out is, for each person who asked, the enrolments with their times; lives are then lived as any.
 *
 * People are coupled only through stations that some person may ask at: components of them are independent. Knows no
 * threads, no files. */
#ifndef PK_PLACES_H
#define PK_PLACES_H

#include "polku/lottery.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What is counted at a station in each month. Times are ticks summed over people (or places). */
#define PK_QUEUE_LIST(X)                                                                                               \
    X(PK_QUEUE_REQUESTED, "requested")                                                                                 \
    X(PK_QUEUE_BAULKED, "baulked")   /* would have had to wait, and did not */                                         \
    X(PK_QUEUE_REFUSED, "refused")   /* the line was full, or places have closed for good */                           \
    X(PK_QUEUE_SERVED, "served")     /* got a place */                                                                 \
    X(PK_QUEUE_RENEGED, "reneged")   /* gave up waiting */                                                             \
    X(PK_QUEUE_LEFT, "left")         /* left the line by leaving the states of those who may be referred */            \
    X(PK_QUEUE_FINISHED, "finished") /* gave the place back */                                                         \
    X(PK_QUEUE_WAITED, "waiting")    /* time in line */                                                                \
    X(PK_QUEUE_HELD, "held")         /* time in places */                                                              \
    X(PK_QUEUE_USED, "used")         /* of that, in no more places than there were: some outlast their place */        \
    X(PK_QUEUE_OPEN, "places")       /* time that places were there, taken or not */
#define PK_QUEUE_ENUM(name, text) name,
enum pk_queue_count { PK_QUEUE_LIST(PK_QUEUE_ENUM) PK_QUEUE_COUNTS };
#undef PK_QUEUE_ENUM
extern const char *const pk_queue_names[PK_QUEUE_COUNTS];

/* Times in line are counted in bins no wider than a day up to two years, than a hundredth of themselves beyond. Bin 0
 * is who did not wait at all, bin i who waited longer than edge i - 1 and up to edge i, the last longer than the last
 * edge: 100 years. */
enum { PK_WAIT_EDGES = 1552, PK_WAIT_BINS = PK_WAIT_EDGES + 1 };
/* Days: an edge every day up to 104 weeks, every week up to 400, every 4 weeks up to 1,600, every 16 weeks after that.
 */
double pk_queues_wait_edge(size_t i);
size_t pk_queues_wait_bin(int64_t ticks);

/* What happened at all stations of an arm in a replication. */
struct pk_queues {
    size_t n_stations, n_steps;
    int64_t *counts; /* [n_stations][n_steps][PK_QUEUE_COUNTS], owned */
    int64_t *waits;  /* [n_stations][PK_WAIT_BINS] people served, by how long they had waited, owned */
    /* person by person, to hold the rest against: [n_stations] each, owned in one */
    int64_t *waited, *held;                /* ticks */
    int64_t *waiting_at_end, *held_at_end; /* people */
};
PK_CHECKED enum pk_status pk_queues_init(struct pk_queues *queues, const struct pk_plan *plan, struct pk_error *error);
/* Of one arm in one replication. */
uint64_t pk_queues_bytes(const struct pk_plan *plan);
void pk_queues_clear(struct pk_queues *queues);
void pk_queues_free(struct pk_queues *queues);
/* Whether nobody was lost and Little's law holds, exactly; else why not, in words. */
bool pk_queues_add_up(const struct pk_queues *queues, size_t *i_station, const char **what);

/* Somebody who asks, and when first. */
struct pk_asker {
    int64_t tick;
    uint64_t rank; /* keyed: of two at the same tick the smaller comes first */
    uint64_t id;
    uint64_t lotteries;
    uint32_t component;
};
struct pk_askers {
    struct pk_asker *items; /* [n], owned */
    size_t n, room;
};

/* A thread's own. */
struct pk_places_room;
struct pk_places_room *pk_places_room_make(const struct pk_plan *plan); /* NULL: no memory */
void pk_places_room_free(struct pk_places_room *room);
/* Decisions of the calendars run so far, and transitions lived in between. */
uint64_t pk_places_events(const struct pk_places_room *room);
/* Bytes for each person in line, in a place, or who may still ask again; others cost sizeof(struct pk_asker). */
size_t pk_places_bytes(const struct pk_plan *plan);

/* Appends whoever of these people asks in the arm before the horizon. lotteries: what they have won. Errors: those of
 * pk_life_run, with the person in *failed. */
PK_CHECKED enum pk_status pk_places_scan(struct pk_places_room *room, size_t i_arm, const struct pk_persons *persons,
                                         const uint64_t *lotteries, struct pk_askers *askers, uint64_t *failed,
                                         struct pk_error *error);

/* Numbers the components that the arm's askers make of the stations (0, 1, ... by their first station) and orders the
 * askers by component, then time. component_of [n_stations]: where nobody asks a station is one by itself. Returns how
 * many. */
size_t pk_places_split(const struct pk_plan *plan, size_t i_arm, uint32_t replication, struct pk_askers *askers,
                       uint32_t *component_of);

/* Runs the calendar of a component, whose askers these are (in the order of pk_places_split). Appends to granted (ids
 * in the order in which people are done with), writes only the component's stations in queues. */
PK_CHECKED enum pk_status pk_places_run(struct pk_places_room *room, size_t i_arm, uint32_t replication,
                                        uint32_t component, const struct pk_asker *askers, size_t n,
                                        const uint32_t *component_of, struct pk_queues *queues,
                                        struct pk_granted *granted, uint64_t *failed, struct pk_error *error);
/* An event that somebody has for another to take, or that a client has and may take from another. */
struct pk_opening {
    uint32_t value; /* of the attribute within which */
    bool wanted;    /* a client's */
    int64_t tick;
    uint64_t rank, id;
};
struct pk_openings {
    struct pk_opening *items; /* [n], owned */
    size_t n, room;
};
/* Appends, of these people in an arm that displaces: the added events of those touched that take somebody's place, and
 * the events of all others. granted [n_arms]; life: for one. Errors: those of pk_life_run, with the person in *failed;
 * PK_NO_MEMORY. */
PK_CHECKED enum pk_status pk_places_openings(const struct pk_plan *plan, size_t i_arm, const struct pk_persons *persons,
                                             const uint64_t *lotteries, const struct pk_granted *granted,
                                             struct pk_life *life, struct pk_openings *openings, uint64_t *failed,
                                             struct pk_error *error);
/* Each wanted event takes the next one among those for its value, of somebody who has lost none yet: into granted.
 * Orders the openings. Errors: PK_NO_MEMORY. */
PK_CHECKED enum pk_status pk_places_displace(struct pk_openings *openings, struct pk_granted *granted,
                                             struct pk_error *error);

/* Joins n parts (freed) into one with ascending ids. */
PK_CHECKED enum pk_status pk_places_join(struct pk_granted *parts, size_t n, struct pk_granted *joined,
                                         struct pk_error *error);

#ifdef __cplusplus
}
#endif
#endif
