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
#define PK_NEVER __builtin_inf() /* a time */
enum {
    PK_MAX_ARCS = 1024,
    PK_MAX_STRATA = 65536,
    PK_MAX_AXES = 4,
    PK_MAX_ARCS_FROM = 32,
    PK_MAX_EXCESS = 64,
    PK_MAX_CURES = 64,
    PK_MAX_GUARDED = 64, /* effects that prevent, in all services */
    PK_MAX_INFLOW_YEARS = 200
};

/* A hazard on one clock, per month: piecewise constant, or a parametric form without cuts. */
struct pk_rate {
    enum pk_clock clock; /* CALENDAR is folded into START */
    size_t n_cuts;
    const double *cuts;       /* [n_cuts] ascending, months on the clock, multiples of a tick */
    const double *levels;     /* [n_cuts + 1] the hazard in each segment */
    const double *intercepts; /* [n_cuts + 1] the cumulative hazard at x in a segment is intercept + level x ... */
    const double *reached;    /* [n_cuts] ... and this much at the cut that ends it */
    bool smooth;              /* factor x the curve's hazard at x + offset, x months on the clock */
    double factor, offset;
    struct pk_hazard_curve curve; /* per month */
};

struct pk_plan_arc {
    size_t i_transition, i_from, i_to;
    size_t n_rates;
    const struct pk_rate *rates; /* [n_rates] see pk_plan_arc_rate; split shares are in it; none where deterministic */
    const uint16_t *rate_of;     /* [n_strata] which of them; NULL: the first */
    size_t i_person_hazard;      /* common to all living states, drawn once a person; else SIZE_MAX */
    double excess;               /* person-level only: ratio - 1 in this state, a layer of its own */
    size_t i_excess;             /* ... numbered, where excess > 0 */
    size_t i_frailty;            /* SIZE_MAX: none */
    size_t i_cure;               /* SIZE_MAX: none; bit in a person's cured where the cure is a person's */
    bool deterministic;
    bool hazardless; /* taken only where a prevented event leads elsewhere (diverted), or by whoever gets a place */
    bool diverted;
    double share; /* deterministic: of a split's destinations */
};

/* Piecewise constant arcs from one state on the same clock, on the union of their cuts. */
struct pk_axis {
    enum pk_clock clock;
    size_t n_cuts, n_arcs;
    const double *cuts;   /* [n_cuts] */
    const double *levels; /* [n_cuts + 1][n_arcs]; where a table is told by attribute: [n_strata][...] */
    bool by_stratum;
    const uint16_t *arcs; /* [n_arcs] */
    const double *sums;   /* [n_strata][n_cuts + 1][n_arcs] running sums of level x multiplier; NULL: too many */
};

struct pk_timer { /* a deterministic transition: the first time the clock is at or past the value */
    enum pk_clock clock;
    double value; /* months; of those born before the first of births */
    size_t n_births;
    const double *births; /* [n_births] months since the start, ascending: age clock only */
    const double *later;  /* [n_births] the value of those born from then on */
    size_t i_transition;
    size_t n_arcs;
    const uint16_t *arcs; /* [n_arcs] destinations; their shares add up to 1 */
};

/* The value for people whose clock read 0 at this time (months since the start). */
static inline double pk_timer_value(const struct pk_timer *timer, double zero)
{
    double value = timer->value;
    for (size_t i = 0; i < timer->n_births && zero >= timer->births[i]; i++)
        value = timer->later[i];
    return value;
}

struct pk_plan_state {
    bool absorbing;
    uint32_t stream;
    bool summed;   /* base hazards are piecewise constant, the same for a stratum, and their sums are ready */
    bool personal; /* a hazard from here has a frailty or a cure: multipliers are a person's own */
    size_t n_axes, n_smooth, n_timers, n_excess;
    struct pk_axis axes[PK_MAX_AXES];
    const uint16_t *smooth;      /* [n_smooth] arcs with a parametric form */
    struct pk_timer *timers;     /* [n_timers] */
    const uint16_t *excess_arcs; /* [n_excess] */
    const uint16_t *person_arcs; /* [n_person_hazards] the arc of each person-level hazard from here */
};

struct pk_person_hazard {
    size_t i_transition, i_to;
    size_t n_rates;
    const struct pk_rate *rates; /* as an arc's */
    const uint16_t *rate_of;
    size_t i_frailty, i_cure;
    const double *multipliers; /* [n_strata] */
};

struct pk_plan_frailty {
    double shape; /* 1 / variance; infinite: everyone has 1 */
    bool unconditional;
};

struct pk_plan_cure {
    size_t i_transition;
    double share;
    bool per_spell, unconditional;
};

struct pk_plan_effect { /* of a service on one arc */
    uint16_t arc;
    enum pk_effect_mode mode;
    double ratio;                /* scale: constant ratio, fidelity in it */
    size_t n_rates;              /* replace, at_least: 1, or one for each stratum; else 0 */
    const struct pk_rate *rates; /* [n_rates] */
    size_t i_prevention;         /* prevent */
    uint16_t i_diverted;         /* prevent: the arc taken instead; UINT16_MAX: the person stays */
};

/* The hazard that a replacing effect puts in place for people of a stratum. */
static inline const struct pk_rate *pk_plan_effect_rate(const struct pk_plan_effect *effect, size_t stratum)
{
    return &effect->rates[effect->n_rates > 1 ? stratum : 0];
}

/* Events of one transition blocked by one service. */
struct pk_plan_prevention {
    size_t i_service, i_transition;
    double share;
    enum pk_again again;
    double again_months;
    double relapse; /* per month; 0: none */
};

/* The places of a service. A station is one value of the attribute by which they are organised. */
struct pk_plan_places {
    bool limited; /* else there is one station with a place for everybody */
    size_t i_by;  /* attribute; SIZE_MAX: one station for all */
    size_t n_stations, n_cuts;
    const double *cuts;    /* [n_cuts] months after the start, ascending, multiples of a tick */
    const uint32_t *slots; /* [n_stations][n_cuts + 1] places */
    const double *coaches; /* [n_stations][n_cuts + 1] */
    double caseload;       /* places of a coach */
    enum pk_filled filled;
    double period;     /* months, a multiple of a tick; every, anew */
    bool by_lot;       /* who waits is served in the order of keyed numbers; else first come, first served */
    size_t i_priority; /* attribute; SIZE_MAX: none */
    size_t n_ahead;
    const double *ahead; /* [n_ahead] months that count as waited already; may be infinite */
    double baulk;        /* share of those who would have to wait that do not */
    uint64_t line;       /* at most so many wait at a station; UINT64_MAX: no limit */
    bool reneges;
    struct pk_rate renege; /* since_enrolment: since the person joined the line */
    enum pk_requests again;
    double coach_euros; /* of a coach-year */
};

struct pk_plan_service {
    double window;   /* months from enrolment; may be infinite */
    bool while_held; /* effects end when the place is given back, if that is sooner */
    bool first_job_only;
    double cost_euros; /* per person enrolled */
    size_t n_effects;
    struct pk_plan_effect *effects;
    bool used; /* an arm enrols in it: what others would prevent is left out, and they are no part of the digest */
    uint64_t works_in; /* bit per state: some effect is on an arc from there */
    /* how long a place is held */
    double length; /* months, may be infinite */
    bool random_length;
    struct pk_rate length_rate; /* since_enrolment: the hazard of its end, besides */
    bool held_anywhere;         /* by the living */
    uint64_t held_in;           /* bit per state: elsewhere the place is given back ... */
    const double *support;      /* [n_states] ... so many months after entering the state */
    const uint16_t *enters; /* [n_states] the arc that who gets a place takes from a state; NULL, UINT16_MAX: none */
    struct pk_plan_places places;
    size_t first_station; /* in the order of all that somebody may ask at; SIZE_MAX: nobody asks */
};

struct pk_plan_distribution {
    enum pk_distribution_kind kind;
    double a, b, c, d;                /* months (normal: mean, sd, and the probabilities below low and high) */
    size_t n_bins;                    /* histogram */
    const double *edges, *cumulative; /* [n_bins + 1] months; [n_bins] ascending, last 1 */
    size_t n_points;                  /* points: equally likely values (the analytic twin's population) */
    const double *points;             /* [n_points] months; used instead of all else where n_points > 0 */
};

struct pk_plan_choice { /* a categorical attribute or the state at start */
    size_t n;
    size_t only;              /* the one value that everybody has; SIZE_MAX: drawn */
    const double *cumulative; /* [n] ascending, last 1 */
};

struct pk_plan_joint { /* several attributes drawn together */
    size_t n_attributes, n_cells;
    size_t i_attributes[PK_MAX_ATTRIBUTES];
    const double *cumulative; /* [n_cells] ascending, last 1; the last attribute varies fastest */
    const uint8_t *values;    /* [n_cells][n_attributes] */
};

struct pk_plan_origin {
    struct pk_plan_choice start_state;
    struct pk_plan_choice *attributes; /* [n_attributes]; n is 0 where a joint draws it */
    size_t n_joints;
    struct pk_plan_joint *joints;
    bool needs_age;
    struct pk_plan_distribution age;      /* at entry */
    struct pk_plan_distribution *elapsed; /* [n_states] at entry */
    uint64_t elapsed_states;              /* bit per state: elapsed time is not always 0 */
};

struct pk_plan_people { /* imported */
    size_t n;
    const uint16_t *states;
    const uint8_t *values;        /* [n][n_attributes] */
    const double *ages, *elapsed; /* [n] months, multiples of a tick */
    const uint32_t *weights;      /* [n] in units of 2^-weight_bits; NULL: 1 */
};

struct pk_plan_target {
    uint64_t states;          /* bit per state */
    const uint8_t *allowed;   /* [n_attributes][256] */
    double age_low, age_high; /* months */
};

struct pk_plan_lottery { /* the persons of a target group with the smallest keyed numbers, or a share of it */
    size_t i_target;
    bool by_share; /* whoever's keyed number is below share, whatever others do */
    double share;
    uint64_t persons;
    double quota;   /* above 0: in place of persons, so large a share of those eligible, to the nearest whole number */
    bool at_entry;  /* also of those who flow in; else of those present at the start */
    bool displaced; /* asked, but of whoever loses an event */
    bool asked;     /* whoever asks for a place under a referral of the target group: known only once all have lived */
};

/* How people come to ask for a place. */
struct pk_plan_referral {
    bool by_rate; /* by a hazard while they are in one of the states; else at the enrolment's time */
    struct pk_rate rate;
    double from, to;          /* months after the start: referred within */
    double age_low, age_high; /* months, by rate: of age at the time */
    uint64_t states;          /* bit per state: who leaves them leaves the line */
    uint32_t stream, ordinal; /* of the key: target group, and which of an arm's referrals of it */
    uint32_t turn;            /* of the key: which of an arm's referrals to the service */
};

struct pk_plan_enrolment {
    size_t i_service;
    size_t i_lottery;
    double at;   /* months after the start (after entry where the lottery is at_entry), a multiple of a tick */
    bool queued; /* places decide when, or a hazard: not from `at` on */
    struct pk_plan_referral referral; /* queued only */
};

struct pk_plan_arm {
    size_t n_enrolments;
    const struct pk_plan_enrolment *enrolments;
    size_t i_cohort;  /* SIZE_MAX: nobody's life is changed */
    size_t i_like;    /* an arm before it in which the same people ask, at first at the same times; SIZE_MAX: none */
    bool queued;      /* some enrolment is, or somebody may lose an event to others */
    double displaced; /* share of the events of a transition that services add which are taken from others; 0: none */
    size_t i_displaced, i_displaced_by; /* the transition; the attribute within which, SIZE_MAX: among all */
    double *ample;  /* [n_services] nan, or so many times the places in this arm (infinite: for everybody) */
    bool has_start; /* people start in other states */
    struct pk_plan_choice start_state;
};

/* Whoever wins one of these lotteries: the people that an arm enrols, whatever the service. Arms that enrol the same
 * people share a cohort, which is what they are compared on. */
struct pk_plan_cohort {
    uint64_t lotteries; /* bit per lottery */
};

struct pk_plan_inflow {
    size_t n_years;       /* years after the start in which anybody flows in; 0: a closed population */
    const double *mean;   /* [n_years] persons */
    const double *length; /* [n_years] months of the year within the horizon, at most 12 */
    bool poisson;
    struct pk_plan_origin origin;
};

struct pk_plan {
    struct pk_arena arena;
    uint64_t seed;
    uint64_t n_persons; /* at the start */
    double horizon;     /* months */
    size_t n_excess, n_states, n_arcs, n_strata, n_attributes, n_person_hazards, n_services, n_targets, n_lotteries,
        n_arms, n_cohorts, n_frailties, n_cures, n_preventions, n_stations;
    struct pk_plan_state *states;
    struct pk_plan_arc *arcs;
    double *multipliers; /* [n_strata][n_arcs] */
    struct pk_person_hazard *person_hazards;
    struct pk_plan_frailty *frailties;
    struct pk_plan_cure *cures;
    struct pk_plan_service *services;
    struct pk_plan_prevention *preventions;
    struct pk_plan_target *targets;
    struct pk_plan_lottery *lotteries; /* at most 64 */
    struct pk_plan_arm *arms;
    struct pk_plan_cohort *cohorts;
    /* people */
    struct pk_plan_origin origin;
    struct pk_plan_people people; /* n > 0: instead of origin */
    struct pk_plan_inflow inflow;
    const size_t *stratum_strides; /* [n_attributes] 0: the attribute enters no hazard */
    const bool *is_read;  /* [n_attributes] tells people apart in a life, a target group or a figure of the scenario;
                             where it does not, most people are made without */
    bool places_people;   /* in some arm who is enrolled depends on others */
    double start_months;  /* of the start since year 0 */
    unsigned weight_bits; /* a person of weight 1 counts 2^weight_bits */
    bool *widely_read;    /* [n_parameters] of the model: more of the plan than own hazards of services' effects depends
                             on it */
};

void pk_plan_init(struct pk_plan *plan);
void pk_plan_free(struct pk_plan *plan);

/* Compiles with the values in use; every value must be known (no nan).
 * Errors: PK_BAD_INPUT (a value or a pair of clocks that cannot be, said by name), PK_NO_MEMORY. */
PK_CHECKED enum pk_status pk_plan_compile(struct pk_plan *plan, const struct pk_model *model,
                                          const struct pk_scenario *scenario, const struct pk_values *values,
                                          struct pk_error *error);

/* What pk_plan_compile makes of a compiled plan's model and scenario where one parameter's value has changed since.
 * Where it is not widely read only the effects' own hazards are compiled, whose old room is given back with the plan.
 * Errors: as above; the plan is then to be freed or compiled. */
PK_CHECKED enum pk_status pk_plan_recompile(struct pk_plan *plan, const struct pk_model *model,
                                            const struct pk_scenario *scenario, const struct pk_values *values,
                                            size_t i_parameter, struct pk_error *error);

/* The segment of a clock value: the number of cuts at or below it. */
size_t pk_rate_segment(const double *cuts, size_t n_cuts, double on_clock);
/* The hazard at a clock value. */
double pk_rate_at(const struct pk_rate *rate, double on_clock);

/* The cumulative hazard at a clock value, from an arbitrary origin (piecewise constant only), and the clock value at
 * which it reaches a target: only differences have a meaning. Where no hazard is left to reach it, not a number or
 * infinite. */
double pk_rate_cumulative(const struct pk_rate *rate, double on_clock);
double pk_rate_inverse(const struct pk_rate *rate, double target);

/* The hazard of an arc (or of a hazard common to all states) for a stratum, before its multiplier. */
static inline const struct pk_rate *pk_plan_arc_rate(const struct pk_plan_arc *arc, uint32_t stratum)
{
    return &arc->rates[arc->rate_of != NULL ? arc->rate_of[stratum] : 0];
}
static inline const struct pk_rate *pk_plan_person_rate(const struct pk_person_hazard *hazard, uint32_t stratum)
{
    return &hazard->rates[hazard->rate_of != NULL ? hazard->rate_of[stratum] : 0];
}

/* The integral of a rate over [from, to] of its clock. */
double pk_rate_between(const struct pk_rate *rate, double from, double to);

/* The cumulative hazard of an arc, without frailty, over the last `lasted` months of a spell of a stratum, at a time
 * (months after the start) at which the person's age is `age`: what those still there have survived. */
double pk_plan_survived(const struct pk_plan *plan, size_t i_arc, uint32_t stratum, double time, double age,
                        double lasted);
/* Of those still there after that cumulative hazard, the share that is cured: p / (p + (1 - p) exp(-H)). */
double pk_plan_cured_share(const struct pk_plan_cure *cure, double survived);

/* Coaches x caseload x ratio to the nearest whole number of places; i: of the table, [n_stations][n_cuts + 1]. */
uint64_t pk_plan_slots(const struct pk_plan_places *places, size_t i, double ratio);

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
