/* Who gets a place, again, slowly: from places.h and the meaning of a place being held, without a heap, epochs or lives
 * kept half-way. Only the keys of the random numbers and the total order are shared with the engine.
 *
 * It reads: of all that people would do next and of all changes of capacity the earliest happens; at the same tick
 * departures before capacity before requests, then by the person's keyed rank. When a tick is over, station after
 * station gives its places to those first among all who wait. What a person would do next is read off their whole life
 * from birth to horizon, lived anew with all that they have been given so far. */
#ifndef PK_TESTS_SLOW_PLACES_H
#define PK_TESTS_SLOW_PLACES_H

#include "polku/places.h"

enum { SLOW_IDLE, SLOW_WAITING, SLOW_SERVED, SLOW_OVER };
#define SLOW_NEVER INT64_MAX

struct slow_stay {
    int64_t from, to; /* ticks */
    size_t state;
};

struct slow_want { /* one enrolment of the arm that the person may ask under */
    int phase;
    unsigned n_requests;
    long double exponential; /* of being referred ... */
    int64_t spent_from;      /* ... spent from then on */
    int64_t since;           /* waiting or served */
    int64_t patience;        /* tick at which they give up */
    uint64_t rank;           /* of the present wait */
    size_t i_item;           /* served: of their treatment */
};

struct slow_thing {
    int64_t tick;
    int kind;
    uint64_t rank;
    size_t who, i_want; /* capacity: station */
    bool reneges;
};

struct slow_client {
    struct pk_person person;
    struct pk_treatment treatment;
    struct pk_enrolled *items; /* the treatment's */
    struct slow_want wants[PK_MAX_ENROLMENTS];
    size_t n_stays;
    struct slow_stay *stays;
    uint64_t rank;
    bool asked, known;       /* known: what is next has not changed */
    int64_t given;           /* tick of the last place they were given; -1 */
    struct slow_thing thing; /* what is next */
};

struct slow_station {
    size_t i_service, i_value;
    uint64_t slots, tokens, held, waiting;
    int64_t next_cut, next_period, since;
};

struct slow_places {
    const struct pk_plan *plan;
    const struct pk_plan_arm *arm;
    uint32_t replication;
    bool slowly; /* nothing is remembered of what people would do next */
    int64_t now, horizon;
    size_t n, n_requests;
    struct slow_client *clients; /* [n] ascending ids */
    struct slow_station *stations;
    struct pk_queues queues;
};

/* All people at once, with the lotteries they have won. Fails the test where a life cannot be lived. */
void slow_places_run(struct slow_places *twin, const struct pk_plan *plan, size_t i_arm, uint32_t replication,
                     const uint64_t *ids, const uint64_t *lotteries, size_t n, bool slowly);
void slow_places_free(struct slow_places *twin);

/* The stays of a life up to the horizon; room for PK_LIFE_MAX_EVENTS + 1. Returns how many. */
size_t slow_places_live(const struct pk_plan *plan, const struct pk_person *person,
                        const struct pk_treatment *treatment, struct slow_stay *stays);
/* When an item's place is given back, by the stays of the life with all items; SLOW_NEVER: not before the horizon. */
int64_t slow_places_release(const struct pk_plan *plan, const struct pk_person *person,
                            const struct pk_treatment *treatment, size_t i_item, const struct slow_stay *stays,
                            size_t n_stays);

#endif
