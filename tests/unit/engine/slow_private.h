/* What the parts of a slow life share. See slow_life.h. */
#ifndef PK_TESTS_SLOW_PRIVATE_H
#define PK_TESTS_SLOW_PRIVATE_H

#include <math.h>

#include "polku/rng.h"
#include "slow_hazard.h"
#include "slow_life.h"

#define TICKS 1048576.0L

/* The base hazards' exponential of a stream, while it is not used up. */
struct slow_base {
    unsigned kept, rejected; /* base events of the stream; candidates rejected since the last one kept */
    bool begun;
    long double left;
    double mark;
};

/* What a prevention has done so far. */
struct slow_guard {
    unsigned n_blocked;
    bool immune;
    long double immune_until;
    bool relapsing;
    uint16_t arc;            /* blocked, and to come by relapse */
    long double left, since; /* the relapse's exponential, spent from then on */
};

struct slow_walk {
    const struct pk_plan *plan;
    const struct pk_person *person;
    const struct pk_treatment *treatment;
    struct pk_life *life;
    size_t state;
    unsigned stay;                          /* number of this stay in the state, from 0 */
    long double entry;                      /* into the state: months after the start */
    long double elapsed;                    /* time already spent in it at entry */
    uint64_t cured;                         /* bit per cure of this spell */
    unsigned stays[PK_MAX_STATES];          /* begun so far, by state */
    struct slow_base bases[PK_MAX_STATES];  /* by stream */
    long double common[PK_MAX_TRANSITIONS]; /* when each common hazard ends the life */
    long double excess_left[PK_MAX_ARCS];
    bool excess_begun[PK_MAX_ARCS];
    bool over[PK_MAX_ENROLMENTS][64]; /* effects for the first job only that have ended */
    struct slow_guard guards[PK_MAX_GUARDED];
};

/* What ends a stay. */
struct slow_end {
    long double time;
    uint16_t arc;
    const struct pk_timer *timer; /* which of its arcs is yet to be drawn */
    struct slow_guard *relapse;
};

static inline void slow_consider(struct slow_end *end, struct slow_end other)
{
    if (other.time < end->time)
        *end = other;
}

/* ---- slow_life.c ------------------------------------------------------------------------------------------------ */

struct pk_rng_pair slow_draw(const struct slow_walk *w, size_t stream, enum pk_rng_role role, unsigned spell,
                             unsigned candidate);
/* The time at which a clock reads 0. */
long double slow_zero(const struct slow_walk *w, enum pk_clock clock, long double enrolled);
/* The person's base hazard of an arc, with ratios, frailty and cures. */
/* Cured of it for good or in this spell: no service brings it about either. */
bool slow_is_cured(const struct slow_walk *w, size_t arc);
struct slow_term slow_base_term(const struct slow_walk *w, size_t arc);

/* ---- slow_service.c --------------------------------------------------------------------------------------------- */

/* The layers above the base hazards of the arcs from the present state. */
void slow_layers(const struct slow_walk *w, struct slow_end *end);
/* Blocked events that may come all the same in the present state. */
void slow_relapses(struct slow_walk *w, struct slow_end *end);
/* The time of this stay, now over, is spent on relapses under way. */
void slow_spend_relapses(struct slow_walk *w, long double until);
/* Whether a base event comes, and by which arc; if it is blocked, a relapse may end the stay. */
bool slow_is_kept(struct slow_walk *w, const struct slow_base *base, uint16_t *arc, long double x,
                  struct slow_end *end);
/* The person has entered the present state: effects for the first job only end. */
void slow_end_effects(struct slow_walk *w);

#endif
