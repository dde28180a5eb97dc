/* A model and a scenario compiled to flat tables that the hot loop reads.
 *
 * Responsibility: base hazards [arc][segment] x multiplier [stratum][arc], effects of services, distributions of
 * people, all with names gone. Knows no files, no YAML, no threads. Immutable once compiled, shared by all threads.
 *
 * Units inside a plan: months, hazards per person-month, times as multiples of 2^-20 month ("ticks"), so that sums
 * and differences of times are exact in double precision. Only IEEE-exact operations reach a life.
 *
 * An arc is one (transition, from, to). Arcs are numbered in the order of the model file; their numbers and those
 * of states, attributes and transitions are the streams of the random key. */
#ifndef PK_PLAN_H
#define PK_PLAN_H

#include "polku/model.h"
#include "polku/scenario.h"

#ifdef __cplusplus
extern "C" {
#endif

#define PK_TICKS_PER_MONTH 1048576.0 /* 2^20 */
#define PK_TICK 0x1p-20
enum { PK_MAX_ARCS = 1024, PK_MAX_STRATA = 65536, PK_MAX_AXES = 4, PK_MAX_ARCS_FROM = 32, PK_MAX_EXCESS = 64 };

/* A hazard on one clock, per month: piecewise constant, or Gompertz without cuts. */
struct pk_rate {
    enum pk_clock clock; /* CALENDAR is folded into START */
    size_t n_cuts;
    const double *cuts;   /* [n_cuts] ascending, months on the clock, multiples of a tick */
    const double *levels; /* [n_cuts + 1] the hazard in each segment */
    bool gompertz;
    double level, slope; /* Gompertz: level exp(slope x), x months on the clock; slope is not 0 */
};

struct pk_plan_arc {
    size_t i_transition, i_from, i_to;
    struct pk_rate rate;    /* split shares are in it; unused where deterministic */
    size_t i_person_hazard; /* common to all living states, drawn once a person; else SIZE_MAX */
    double excess;          /* person-level only: ratio - 1 in this state, a layer of its own */
    size_t i_excess;        /* ... numbered, where excess > 0 */
    bool deterministic;
    double share; /* deterministic: of a split's destinations */
};

/* Piecewise constant arcs from one state on the same clock, on the union of their cuts. */
struct pk_axis {
    enum pk_clock clock;
    size_t n_cuts, n_arcs;
    const double *cuts;   /* [n_cuts] */
    const double *levels; /* [n_cuts + 1][n_arcs] */
    const uint16_t *arcs; /* [n_arcs] */
    const double *sums;   /* [n_strata][n_cuts + 1][n_arcs] running sums of level x multiplier; NULL: too many */
};

struct pk_timer { /* a deterministic transition: the first time the clock is at or past the value */
    enum pk_clock clock;
    double value; /* months */
    size_t i_transition;
    size_t n_arcs;
    const uint16_t *arcs; /* [n_arcs] destinations; their shares add up to 1 */
};

struct pk_plan_state {
    bool absorbing;
    uint32_t stream;
    size_t n_axes, n_growing, n_timers, n_excess;
    struct pk_axis axes[PK_MAX_AXES];
    const uint16_t *growing;     /* [n_growing] Gompertz arcs */
    struct pk_timer *timers;     /* [n_timers] */
    const uint16_t *excess_arcs; /* [n_excess] */
    const uint16_t *person_arcs; /* [n_person_hazards] the arc of each person-level hazard from here */
};

struct pk_person_hazard {
    size_t i_transition, i_to;
    struct pk_rate rate;
    const double *multipliers; /* [n_strata] */
};

struct pk_plan_effect { /* of a service on one arc */
    uint16_t arc;
    enum pk_effect_mode mode;
    double ratio;        /* scale: constant ratio */
    struct pk_rate rate; /* replace, at_least */
};

struct pk_plan_service {
    double window; /* months from enrolment; may be infinite */
    bool first_job_only;
    double cost_euros; /* per person enrolled */
    size_t n_effects;
    struct pk_plan_effect *effects;
};

struct pk_plan_distribution {
    enum pk_distribution_kind kind;
    double a, b, c; /* months */
};

struct pk_plan_choice { /* a categorical attribute or the state at start */
    size_t n;
    size_t only;              /* the one value that everybody has; SIZE_MAX: drawn */
    const double *cumulative; /* [n] ascending, last 1 */
};

struct pk_plan_target {
    uint64_t states;          /* bit per state */
    const uint8_t *allowed;   /* [n_attributes][256] */
    double age_low, age_high; /* months */
};

struct pk_plan_lottery { /* the persons of a target group with the smallest keyed numbers */
    size_t i_target;
    uint64_t persons;
};

struct pk_plan_enrolment {
    size_t i_service;
    size_t i_lottery;
    double at; /* months after the start, a multiple of a tick */
};

struct pk_plan_arm {
    size_t n_enrolments;
    const struct pk_plan_enrolment *enrolments;
    size_t i_cohort; /* SIZE_MAX: nobody is enrolled */
};

/* Whoever wins one of these lotteries: the people that an arm enrols, whatever the service. Arms that enrol the same
 * people share a cohort, which is what they are compared on. */
struct pk_plan_cohort {
    uint64_t lotteries; /* bit per lottery */
};

struct pk_plan {
    struct pk_arena arena;
    uint64_t seed;
    uint64_t n_persons;
    double horizon; /* months */
    size_t n_excess, n_states, n_arcs, n_strata, n_attributes, n_person_hazards, n_services, n_targets, n_lotteries,
        n_arms, n_cohorts;
    struct pk_plan_state *states;
    struct pk_plan_arc *arcs;
    double *multipliers; /* [n_strata][n_arcs] */
    struct pk_person_hazard *person_hazards;
    struct pk_plan_service *services;
    struct pk_plan_target *targets;
    struct pk_plan_lottery *lotteries; /* at most 64 */
    struct pk_plan_arm *arms;
    struct pk_plan_cohort *cohorts;
    /* people */
    struct pk_plan_choice start_state;
    struct pk_plan_choice *attributes; /* [n_attributes] */
    const size_t *stratum_strides;     /* [n_attributes] 0: the attribute enters no hazard */
    bool needs_age;
    struct pk_plan_distribution age;
    struct pk_plan_distribution *elapsed; /* [n_states] */
    uint64_t elapsed_states;              /* bit per state: elapsed time is not always 0 */
    double start_months;                  /* of the start since year 0 */
};

void pk_plan_init(struct pk_plan *plan);
void pk_plan_free(struct pk_plan *plan);

/* Compiles with the values in use; every value must be known (no nan).
 * Errors: PK_BAD_INPUT (a value or a pair of clocks that cannot be, said by name), PK_NO_MEMORY. */
PK_CHECKED enum pk_status pk_plan_compile(struct pk_plan *plan, const struct pk_model *model,
                                          const struct pk_scenario *scenario, const struct pk_values *values,
                                          struct pk_error *error);

/* The segment of a clock value: the number of cuts at or below it. */
size_t pk_rate_segment(const double *cuts, size_t n_cuts, double on_clock);
/* The hazard at a clock value. */
double pk_rate_at(const struct pk_rate *rate, double on_clock);

/* To the nearest tick; |months| < 2^31. Ties to even, by IEEE addition. */
static inline double pk_tick_round(double months)
{
    const double magic = 0x1.8p52 * PK_TICK;
    return (months + magic) - magic;
}

/* A number that a life with these tables cannot come from another: FNV-1a over all tables. */
uint64_t pk_plan_digest(const struct pk_plan *plan);

#ifdef __cplusplus
}
#endif
#endif
