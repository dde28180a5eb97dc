/* A life on its way: what the files that compute lives share. Not installed. */
#ifndef PK_LIFE_PRIVATE_H
#define PK_LIFE_PRIVATE_H

#include "polku/elementary_core.h"
#include "polku/life.h"
#include "polku/rng_core.h"

#define PK_NEVER __builtin_inf()

/* What a spell that was cut short left of its exponential, with the destination's mark and which candidate it was. */
struct spending {
    double left, mark;
    uint32_t candidate;
};

/* A life on its way. Times are months after the start; all but candidates are multiples of a tick. */
struct walk {
    const struct pk_plan *plan;
    const struct pk_person *person;
    const struct pk_treatment *treatment;
    struct pk_rng_person rng;
    const double *multipliers; /* [n_arcs] of the person's stratum */
    struct pk_life *life;
    size_t i_state;
    double entry;                  /* into the state */
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
    uint64_t done[PK_MAX_ENROLMENTS];        /* bit per effect: has ended with its first event */
};

static inline struct pk_rng_pair pk_walk_draw(struct walk *walk, uint32_t stream, enum pk_rng_role role, uint32_t spell,
                                              uint32_t candidate)
{
    walk->life->n_draws++;
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

/* Spends an exponential on factor * rate, less minus_factor * minus where that is given, from `from` to `until`;
 * returns when it is used up, or PK_NEVER with what is left of it. Only a single rate may be Gompertz: it is inverted
 * in closed form. */
double pk_walk_spend(const struct walk *walk, double *exponential_left, const struct pk_rate *rate, double factor,
                     const struct pk_rate *minus, double minus_factor, double enrolled, double from, double until);

double pk_walk_hazard_now(const struct walk *walk, const struct pk_rate *rate, double factor, double enrolled,
                          double x);

/* Where along a segment the piecewise constant total plus the growing arcs use up the exponential: the root of
 *   level d + sum_i A_i (exp(b_i d) - 1) = e on [0, length], by safeguarded Newton steps. */
double pk_walk_growing_root(const struct walk *walk, const struct pk_plan_state *state, double level, double x,
                            double length, double *exponential_left);

#endif
