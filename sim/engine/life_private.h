/* A life on its way: what the files that compute lives share. Not installed. */
#ifndef PK_LIFE_PRIVATE_H
#define PK_LIFE_PRIVATE_H

#include "life_spell.h"
#include "polku/elementary_core.h"
#include "polku/life.h"
#include "polku/rng_core.h"

enum { PK_MAX_ACTIVE = 64 * PK_MAX_ENROLMENTS }; /* effects that may come to work within one stay */

/* What a spell that was cut short left of its exponential, with the destination's mark and which candidate it was. */
struct spending {
    double left, mark;
    uint32_t candidate;
};

/* What a prevention has done to this person so far. */
struct guarded {
    uint32_t n_blocked;
    double immune_until; /* events before it do not happen */
    bool relapsing;      /* the blocked event may still come, by a hazard of its own ... */
    uint16_t arc;        /* ... this one, or its transition's from another state */
    double left, since;  /* ... the rest of its exponential, spent from then on in states it can leave */
};

/* The last time that the person was enrolled in a service. */
struct enrolment {
    double from, to; /* its effects */
    double release;  /* of the place, as far as is known */
    uint64_t done;   /* bit per effect: has ended with its first event, or a later service works on its arc */
    uint32_t n;      /* times enrolled */
};

/* A life on its way. Times are months after the start; all but candidates are multiples of a tick. */
struct walk {
    const struct pk_plan *plan;
    const struct pk_person *person;
    const struct pk_treatment *treatment;
    struct pk_rng_person rng;
    const double *multipliers; /* [n_arcs] of the person's stratum, or own */
    bool personal;             /* multipliers are own: a frailty or a cure is in them */
    uint64_t spell_cured;      /* bit per cure: this spell is cured */
    struct pk_life *life;
    size_t i_state;
    bool over;                     /* the life: nothing more happens before the horizon */
    double entry;                  /* into the state */
    double loses;                  /* the treatment's lost */
    double state_zero;             /* where the clock time_in_state was 0 */
    uint32_t stays[PK_MAX_STATES]; /* by state: times entered; keys the layers */
    /* A spell that something other than its base hazards ends (an arm's layer) leaves the rest of its exponential to
     * the next spell in that state: the same law, since an exponential forgets, and arms stay nearer to each other. */
    struct spending cut_short[PK_MAX_STATES]; /* by stream, where open */
    uint64_t open;                            /* bit per stream: a spell left part of its exponential */
    uint32_t spells[PK_MAX_STATES];           /* by stream: exponentials used up by a base event */
    double excess_left[PK_MAX_EXCESS];        /* [i_excess] of the state's excess over a common hazard */
    uint64_t excess_known;
    double person_times[PK_MAX_TRANSITIONS]; /* [n_person_hazards] */
    size_t i_next;                           /* the treatment's first item that has not begun */
    uint64_t enrolled;                       /* bit per service: it works, or its place is held */
    struct enrolment enrolments[PK_MAX_SERVICES];
    struct guarded guarded[PK_MAX_GUARDED]; /* [n_preventions], where anything is prevented */
    double own[PK_MAX_ARCS];                /* [n_arcs] where personal */
};

/* A service's effect on an arc from the present state, within its window. */
struct active {
    const struct pk_plan_effect *effect;
    double from, to; /* the window */
    double enrolled; /* zero of the clock since_enrolment */
    /* the layer's exponential, which a later effect on the same arc goes on with */
    bool drawn;
    uint32_t i_candidate;
    double left, mark;
};

/* What happens next: an arc at a time. */
struct candidate {
    double time, rounded; /* to a tick after the last event */
    uint16_t arc;
    bool added;                   /* by a layer of a service */
    const struct pk_timer *timer; /* a deterministic split yet to be drawn */
};

/* Somebody is enrolled after what happens at the same tick: a calendar knows times to the tick only. Just under half a
 * tick, so that it rounds down. */
#define PK_WALK_AFTER (PK_TICK * 0.49951171875)

enum verdict { PK_KEPT, PK_DROPPED };

static inline struct pk_rng_pair pk_walk_draw(const struct walk *walk, uint32_t stream, enum pk_rng_role role,
                                              uint32_t spell, uint32_t candidate)
{
    return pk_rng_core_uniforms(walk->rng, stream, (uint32_t)role, spell, candidate);
}

static inline double pk_walk_exponential(double uniform)
{
    return -pk_log_core(uniform);
}

/* The time at which a clock reads 0. */
static inline double pk_walk_clock_zero(const struct walk *walk, enum pk_clock clock, double enrolled)
{
    switch (clock) {
    case PK_CLOCK_STATE:
        return walk->state_zero;
    case PK_CLOCK_AGE:
        return -walk->person->age;
    case PK_CLOCK_ENROLMENT:
        return enrolled;
    default:
        return 0;
    }
}

static inline void pk_walk_consider(struct candidate *best, double time, uint16_t arc, const struct pk_timer *timer)
{
    if (time < best->time)
        *best = (struct candidate){.time = time, .arc = arc, .timer = timer};
}

/* The base rate of an arc for this person. */
static inline const struct pk_rate *pk_walk_rate(const struct walk *walk, uint16_t arc)
{
    return pk_plan_arc_rate(&walk->plan->arcs[arc], walk->person->stratum);
}

/* Whether the arc never happens to this person, or not in this spell: no service can bring it about either. */
static inline bool pk_walk_is_cured(const struct walk *walk, uint16_t arc)
{
    size_t i_cure = walk->plan->arcs[arc].i_cure;
    return i_cure != SIZE_MAX && ((walk->person->cured | walk->spell_cured) >> i_cure & 1);
}

/* ---- life.c --------------------------------------------------------------------------------------------------- */

/* At the beginning of a life. */
void pk_walk_begin(struct walk *walk, const struct pk_plan *plan, const struct pk_person *person,
                   const struct pk_treatment *treatment, struct pk_life *life);
/* What ends the present stay; walk->over: nothing does before the horizon. Then on into the next one. Errors: as
 * pk_life_run. */
enum pk_status pk_walk_next(struct walk *walk, struct candidate *next, struct pk_error *error);
void pk_walk_on(struct walk *walk, const struct candidate *next);
/* On to the horizon or the last state; while_treated: no further than where no service can change the rest (then the
 * walk is not over, and stands at the beginning of a stay). Errors: as pk_life_run. */
enum pk_status pk_walk_go(struct walk *walk, bool while_treated, struct pk_error *error);
enum pk_status pk_walk_too_many(const struct walk *walk, const char *what, struct pk_error *error);
/* The spell ends by something else: what is left is for the next spell in this stream. */
void pk_walk_cut_short(struct walk *walk, uint32_t stream, double left, double mark, uint32_t candidate);

/* Begins or goes on with the stream's exponential. Plain variables, so that the compiler keeps them in registers. */
#define PK_WALK_TAKE_UP(walk, stream)                                                                                  \
    double left = 0, mark = 0;                                                                                         \
    uint32_t i_candidate = 0;                                                                                          \
    const uint32_t i_used = (walk)->spells[stream];                                                                    \
    bool drawn = (walk)->open >> (stream)&1;                                                                           \
    if (drawn) {                                                                                                       \
        (walk)->open &= ~(UINT64_C(1) << (stream));                                                                    \
        left = (walk)->cut_short[stream].left;                                                                         \
        mark = (walk)->cut_short[stream].mark;                                                                         \
        i_candidate = (walk)->cut_short[stream].candidate;                                                             \
    }

/* ---- life_general.c: base hazards on several clocks, or with parametric forms -------------------------------------
 */

/* The first candidate of the state's base hazards before best->time that the arm keeps. */
enum pk_status pk_walk_general_candidate(struct walk *walk, const struct active *active, size_t n_active,
                                         struct candidate *best, struct pk_error *error);
/* Multipliers of one's own: frailty and cures of the person, then those of a spell as it begins. */
void pk_walk_become_personal(struct walk *walk);
void pk_walk_begin_spell(struct walk *walk, uint32_t i_stay);
/* The person's factor on a common hazard. */
double pk_walk_personal_factor(const struct walk *walk, size_t i_frailty, size_t i_cure);

/* ---- life_arm.c: what an arm changes ------------------------------------------------------------------------------
 */

/* The effects of the person's services on arcs from the present state that may work before `until`, in the order in
 * which they begin; *guards: one of them prevents. SIZE_MAX: more than there is room for. */
size_t pk_walk_list_active(const struct walk *walk, double until, struct active *active, bool *guards);
/* The move of whoever gets a place that puts people into another state. */
void pk_walk_placement(const struct walk *walk, struct candidate *best);
/* The time of the part of an arm's hazard above the base: a layer with its own exponential, keyed by the arc. */
double pk_walk_layer_time(struct walk *walk, struct active *active, size_t i, uint32_t i_stay, double until);
/* Whether the arm keeps this base candidate, by its keyed mark. Where a blocked event may come all the same, or leads
 * elsewhere, *best has that. *arc: the arc to take, changed where the event leads elsewhere. */
enum verdict pk_walk_judge(struct walk *walk, uint32_t i_used, uint32_t i_candidate, const struct active *active,
                           size_t n_active, uint16_t *arc, double x, struct candidate *best);
/* Blocked events that come all the same, in this stay: before it, and once it is known when it ends. */
void pk_walk_relapses(struct walk *walk, struct candidate *best);
void pk_walk_spend_relapses(struct walk *walk, const struct candidate *best, double until);

/* ---- life_enrolled.c: which services the person is in --------------------------------------------------------------
 */

/* Services begin before a time, while the person is in the present state. */
void pk_walk_begin_services(struct walk *walk, double until);
/* An event has led to a state: services end, places are given back or held for a while, services begin now. */
void pk_walk_arrive(struct walk *walk);
/* When the place of a service is given back by what is known in the present stay; of an enrolment up to now. */
double pk_walk_release(const struct walk *walk, size_t i_service, double now);
/* When the effects of an item that has not begun end, unless an event ends them before; the person was enrolled in its
 * service i_time times before. */
double pk_walk_effects_end(const struct walk *walk, size_t i_item, uint32_t i_time);
/* Whether no service can change the rest of the life. */
bool pk_walk_is_left_alone(const struct walk *walk);

/* ---- life_saved.c: a life at the beginning of a stay, kept to go on from ------------------------------------------
 */

size_t pk_walk_saved_size(const struct pk_plan *plan);
void pk_walk_save(const struct walk *walk, void *saved);
/* person, treatment and life as at pk_walk_begin; the treatment's items that have begun must be the same. */
void pk_walk_restore(struct walk *walk, const struct pk_plan *plan, const struct pk_person *person,
                     const struct pk_treatment *treatment, struct pk_life *life, const void *saved);

/* ---- life_hazard.c ------------------------------------------------------------------------------------------------
 */

/* Spends an exponential on factor * rate from `from` to `until`; returns when it is used up, or PK_NEVER with what is
 * left of it. */
double pk_walk_spend(const struct walk *walk, double *exponential_left, const struct pk_rate *rate, double factor,
                     double enrolled, double from, double until);
/* ... on what rate has above multiplier * base, where it has; both piecewise constant. */
double pk_walk_spend_above(const struct walk *walk, double *exponential_left, const struct pk_rate *rate,
                           const struct pk_rate *base, double multiplier, double enrolled, double from, double until);

double pk_walk_hazard_now(const struct walk *walk, const struct pk_rate *rate, double factor, double enrolled,
                          double x);

#endif
