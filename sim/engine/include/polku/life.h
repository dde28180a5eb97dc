/* One life: competing hazards in continuous time, exact, from keyed randomness.
 *
 * Responsibility: the order of a person's events under no treatment or under one arm's. Knows nothing of tallies,
 * arms' names, threads or files. This is the scalar reference: readable first.
 *
 * In a state all hazards form one total; one unit exponential is spent through the segments of all clocks, and the
 * second uniform of the same draw picks the destination. A spell that something else ends (an arm's layer, a timer)
 * leaves the rest of its exponential to the next spell in that stream: an exponential forgets, so the law is the same,
 * and the arms of a person stay nearer to each other. The key's spell number counts exponentials used up.
 * Hazards common to all states have one draw a person; a state's excess over them has one exponential a person and
 * state, spent over all stays there. The part of an arm's hazard above the base is a layer with an exponential of its
 * own, keyed by arc and stay; where an arm's hazard is below the base, base events are dropped by a keyed mark. */
#ifndef PK_LIFE_H
#define PK_LIFE_H

#include "polku/person.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { PK_LIFE_MAX_EVENTS = 4032 /* lanes count spells in 12 bits */, PK_LIFE_MAX_BLOCKED = 512 };

struct pk_event {
    int64_t tick; /* after the start; 2^20 a month; strictly ascending within a life */
    uint16_t arc;
    bool added; /* by a service, above the hazard without it; told by pk_life_run only */
};

/* A life and its workspace; about 128 KiB, made once a thread. */
struct pk_life {
    uint16_t start_state;
    int64_t start_tick; /* of entry */
    size_t n_events;
    struct pk_event events[PK_LIFE_MAX_EVENTS];
    size_t n_blocked; /* events prevented by a mark of their own (not those that immunity keeps away afterwards) */
    struct {
        int64_t tick;
        uint16_t arc;
        uint16_t i_prevention;
    } blocked[PK_LIFE_MAX_BLOCKED];
};

struct pk_enrolled {
    size_t i_service;
    double from; /* months after the start, a multiple of a tick */
};

struct pk_treatment { /* what an arm does to one person: its enrolments, in order */
    bool has_start;   /* starts in another state than without treatment ... */
    uint16_t i_start; /* ... this one, with no time spent in it yet */
    size_t n;
    double lost;                     /* months: an event of a transition at this time is somebody else's; 0: none ... */
    size_t i_lost;                   /* ... the transition */
    const struct pk_enrolled *items; /* [n] ascending in time; of two that work on an arc the later one works on */
};

/* Lives the person from the start to the horizon. treatment may be NULL: nobody enrols.
 * Errors: PK_NUMERICAL (more events, spells or candidates than the key can number), naming seed, replication, person
 * and time. */
PK_CHECKED enum pk_status pk_life_run(const struct pk_plan *plan, const struct pk_person *person,
                                      const struct pk_treatment *treatment, struct pk_life *life,
                                      struct pk_error *error);

#ifdef __cplusplus
}
#endif
#endif
