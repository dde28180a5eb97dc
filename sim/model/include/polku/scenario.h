/* What a scenario file says, once read: who, for how long, under which arms, and what to tell.
 *
 * Responsibility: the data only. A number is a literal or a parameter of the model (pk_number). Times in months. */
#ifndef PK_SCENARIO_H
#define PK_SCENARIO_H

#include "polku/model.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    PK_MAX_ARMS = 16,
    PK_MAX_ENROLMENTS = 8,
    PK_MAX_TABLES = 64,
    PK_MAX_OUTCOMES = 256,
    PK_MAX_SETS = 16,
    PK_MAX_HISTOGRAMS = 32,
    PK_MAX_AGE_CUTS = 120,
    PK_MAX_CALIBRATIONS = 16,
    PK_MAX_BRIDGE_STEPS = 32
};

struct pk_number {
    double literal;
    size_t i_parameter; /* SIZE_MAX: the literal */
};
double pk_number_value(const struct pk_number *number, const struct pk_values *values);

enum pk_distribution_kind {
    PK_DISTRIBUTION_FIXED,
    PK_DISTRIBUTION_UNIFORM,
    PK_DISTRIBUTION_TRIANGULAR,  /* low, mode, high */
    PK_DISTRIBUTION_EXPONENTIAL, /* mean */
    PK_DISTRIBUTION_NORMAL,      /* mean, sd, low, high: truncated */
    PK_DISTRIBUTION_HISTOGRAM    /* uniform between edges */
};
struct pk_distribution {
    enum pk_distribution_kind kind;
    struct pk_number arguments[4]; /* years */
    size_t n_bins;                 /* histogram */
    double *edges;                 /* [n_bins + 1] years, ascending */
    struct pk_number *shares;      /* [n_bins] adding up to 1 */
};

/* Where people come from: at the start, or as they flow in. */
struct pk_origin {
    struct pk_number *state_shares;  /* [n_states], adding up to 1 */
    struct pk_number **value_shares; /* [n_attributes][n_values], adding up to 1 */
    bool *in_joint;                  /* [n_attributes] drawn by a joint table */
    size_t n_joints;
    struct pk_joint joints[PK_MAX_JOINTS]; /* no attribute is in two */
    struct pk_distribution age;            /* years at entry; fixed at 40 where nothing needs it */
    bool has_age;
    struct pk_distribution *elapsed; /* [n_states] time already in the state at entry */
};

/* People as a table gives them; nothing is drawn. */
struct pk_people {
    size_t n;
    uint16_t *states; /* [n] */
    uint8_t *values;  /* [n][n_attributes] */
    double *ages;     /* [n] years at the start; NULL: no ages */
    double *elapsed;  /* [n] years in the state */
    double *weights;  /* [n] above 0; NULL: 1 each */
};

struct pk_inflow {
    bool any;
    struct pk_number per_year; /* persons; a table on the calendar or since_start may give it by year */
    bool poisson;              /* the number of each year is drawn; else fixed, rounded by a keyed draw */
    double until_months;       /* after the start; infinite: to the horizon */
    struct pk_origin origin;
};

struct pk_population {
    struct pk_number size;
    struct pk_origin origin;
    struct pk_people people; /* n > 0: instead of size and origin */
    struct pk_inflow inflow;
};

struct pk_target {            /* who may be enrolled: a conjunction */
    bool *states;             /* [n_states] state at entry */
    bool **values;            /* [n_attributes][n_values] */
    double age_low, age_high; /* years at start, half open */
};

struct pk_enrolment {
    size_t i_service;
    bool by_share;            /* a share of the target group; else so many persons */
    bool quota;               /* exactly a share of it, to the nearest whole person */
    struct pk_number persons; /* ... or the share (uptake), or the quota */
    double at_months;         /* after the start, or after a person's entry */
    bool at_entry;            /* everyone who flows in as well; else those present at the start */
    bool queued;              /* by rate, or for the places of the service */
    bool by_rate;             /* by a hazard while in the target's states, at the ages of the target ... */
    struct pk_hazard rate;
    double from_months, to_months; /* ... within this time */
    struct pk_target target;
};

struct pk_arm {
    const char *name;
    struct pk_label label;
    const char *note; /* printed beside every figure that uses the arm; may be NULL */
    size_t n_assumes;
    size_t *i_assumes; /* [n_assumes] parameters printed with the note */
    size_t n_enrolments;
    struct pk_enrolment enrolments[PK_MAX_ENROLMENTS];
    struct pk_number *state_shares; /* [n_states] the states at start in this arm; NULL: as in the population */
    size_t i_like;                  /* arm whose enrolments these are; SIZE_MAX: own */
    bool changes_places;            /* all services have so many times the places: */
    bool ample;                     /* enough for everybody */
    struct pk_number places_ratio;
    bool displaces;                   /* some of the events that services add take the place of other people's: */
    struct pk_number displaced_share; /* ... so large a share ... */
    size_t i_displaced;               /* ... of this transition's ... */
    size_t i_displaced_by;            /* ... among people with the same value of an attribute; SIZE_MAX: among all */
    struct pk_number *price_ratios;   /* [n_rewards] factors on rewards in this arm; NULL: 1 */
};

enum pk_measure {
    PK_MEASURE_OCCUPANCY,    /* persons in a state at a time */
    PK_MEASURE_PERSON_YEARS, /* person-years in a state within a step */
    PK_MEASURE_TRANSITIONS,  /* events within a step */
    PK_MEASURE_FIRST_ENTRY,  /* persons who entered a set of states for the first time since the start */
    PK_MEASURE_SPELLS,       /* spells begun within a period: entries from other states, and people's first states */
    PK_MEASURE_MEAN_SPELL,   /* person-years / spells of the same period */
    PK_MEASURE_MEAN_AGE,     /* years of age / persons, at first entries (as above) within a period */
    PK_MEASURE_REWARD,       /* sum of rewards, per person-year and per transition */
    PK_MEASURE_COUNT
};
extern const char *const pk_measure_names[PK_MEASURE_COUNT];
/* Whether a measure is a ratio of two sums, neither of which it tells. */
bool pk_measure_is_ratio(enum pk_measure measure);

enum pk_discounting { PK_DISCOUNT_ANNUAL, /* (1+r)^-t */ PK_DISCOUNT_CONTINUOUS /* exp(-r t) */ };

struct pk_discount {
    struct pk_number rate; /* a year; 0: none */
    enum pk_discounting as;
    double from_months; /* after the start (may be negative): where the factor is 1 */
};

struct pk_table {
    const char *name;
    enum pk_measure measure;
    bool by[PK_MAX_ATTRIBUTES]; /* attributes told apart */
    size_t n_ages;              /* attained age told apart: cuts; 0: not */
    double *ages;               /* [n_ages] years, ascending; n_ages + 1 groups */
    int64_t step_months;
};

struct pk_outcome {
    const char *name;
    struct pk_label label;
    enum pk_measure measure;
    bool *states;                  /* [n_states] summed over; first entry: the set entered */
    double from_months, to_months; /* the period; occupancy and first entry use to_months */
    bool to_horizon;
    size_t i_reward; /* weights the person-years; SIZE_MAX: headcount */
    bool *rewards;   /* [n_rewards] REWARD: those summed; NULL otherwise */
    struct pk_discount discount;
    bool **among;                    /* [n_attributes][n_values] of these people only; NULL: of all */
    bool entrants;                   /* only of people who flow in within ... */
    double entered_from, entered_to; /* months after the start, half open */
    struct pk_number displacement;   /* share of a difference that takes the place of other people's */
    bool has_displacement;
    bool per_person; /* divided by the people that it is about who are or were there by the end of the period */
    bool per_cost;   /* print euros per additional unit */
    bool share;      /* print the reference arm's share of it (what would have happened anyway) */
    bool ledger;     /* one reward, made by ledgers; told by payer, apart from the outcomes named */
};

/* Whether an outcome is a ratio of two sums: by its measure, or told per person. */
static inline bool pk_outcome_is_ratio(const struct pk_outcome *outcome)
{
    return outcome->per_person || pk_measure_is_ratio(outcome->measure);
}

/* What each person adds up to, counted in bins; quantiles over people come from it. */
enum pk_quantity {
    PK_QUANTITY_PERSON_YEARS, /* years in the states within the period */
    PK_QUANTITY_SPELLS,       /* spells begun in the states within the period */
    PK_QUANTITY_SPELL_LENGTH, /* years of each spell in the states that ends within the period (of spells, not people)
                               */
    PK_QUANTITY_FIRST_ENTRY   /* years from the start to the first entry; who never enters is in the last bin */
};
extern const char *const pk_quantity_names[4];

struct pk_histogram {
    const char *name;
    enum pk_quantity quantity;
    bool *states; /* [n_states] */
    double from_months, to_months;
    bool by[PK_MAX_ATTRIBUTES];
    size_t n_edges;
    double *edges; /* [n_edges] ascending, in the quantity's unit; n_edges + 1 bins, the first below edges[0] */
};

struct pk_set {
    const char *parameter, *to;
};

/* Replicate until an outcome is known well enough. */
struct pk_precision {
    size_t i_outcome;        /* SIZE_MAX: a fixed number of replications */
    size_t i_arm, i_against; /* i_against SIZE_MAX: the arm itself, not a difference */
    double standard_error;   /* of the figure as polku compare tells it */
    int64_t most;            /* replications */
};

struct pk_variant { /* the same run with something changed, on the same random numbers */
    const char *name;
    const char *topic; /* rows of the same question stand together */
    size_t n_sets;
    struct pk_set sets[PK_MAX_SETS];
};

struct pk_bridge_step {
    const char *name;
    struct pk_label label;
    size_t n_sets;
    struct pk_set *sets; /* [n_sets] */
    size_t i_against;    /* from this step on the figure is the arm less this one; SIZE_MAX: no change */
};

/* A walk from one set of assumptions to the scenario's own, step by step: with a set of steps on, the figure is that of
 * the scenario with start_sets and then the sets of each of those steps, in their order. With all on it is the
 * scenario's. */
struct pk_bridge {
    size_t i_outcome, i_arm;
    struct pk_label start_label;
    size_t n_start_sets, n_steps; /* n_steps 0: there is no bridge */
    struct pk_set *start_sets;    /* [n_start_sets] */
    struct pk_bridge_step *steps; /* [n_steps] no more than one has an arm against */
};

/* A number that a study found. */
struct pk_calibrated {
    const char *name; /* of the parameter */
    double value;     /* as given, in the parameter's given unit */
    bool has_range;
    double low, high; /* 95 % interval; holds the value */
    struct pk_source source;
};

/* What a calibrated file says. */
struct pk_calibration {
    const char *study, *title; /* the study's name; title: the name where it has none */
    const char *digest;        /* of the study: 16 hexadecimal digits */
    const char *file;          /* as written in the scenario */
    size_t n_marks, n_parameters;
    const char **marks; /* [n_marks] one line each: what whoever uses the numbers must be told */
    struct pk_calibrated *parameters;
};

struct pk_scenario {
    struct pk_arena arena;
    const char *name, *title, *file, *model_file;
    const char *text;
    size_t text_size;
    uint64_t seed;
    int64_t start_day;   /* since 1970-01-01 */
    double start_months; /* calendar: since year 0 */
    double horizon_months;
    int64_t replications;
    int64_t batches; /* standard errors come from at least this many keyed batches */
    struct pk_population population;
    struct pk_precision precision;
    struct pk_bridge bridge;
    size_t n_arms, n_tables, n_outcomes, n_variants, n_sets, n_histograms;
    struct pk_arm *arms;
    struct pk_table *tables;
    struct pk_outcome *outcomes;
    struct pk_histogram *histograms;
    struct pk_variant *variants;
    struct pk_set *sets;
    const char *per_label;                  /* what the comparison is told for, e.g. "700 enrolled" */
    bool about_everyone;                    /* arms are compared on everyone, even where they enrol the same people */
    struct pk_number per_persons;           /* ... and the number; 0: all people */
    bool has_ledgers;                       /* rewards told by payer ... */
    double ledgers_from, ledgers_to;        /* ... over these months */
    struct pk_discount ledgers_discount[3]; /* by enum pk_reward_kind */
    struct pk_attachments attachments;
    size_t n_calibrations;
    struct pk_calibration *calibrations; /* [n_calibrations] their values are in the model's parameters */
    int64_t log_persons;                 /* people whose events are kept; 0: none; INT64_MAX: all */
    bool log_enrolled;                   /* ... of those enrolled; else of everyone */
    bool ranges;                         /* move each parameter with a range to both ends, one at a time */
    int64_t variant_replications;
    size_t *i_decides; /* [n_decides] outcomes told in the second table */
    size_t n_decides;
    const char *raw_heading; /* NULL: no raw figures are told */
    size_t *i_raw;           /* [n_raw] parameters told as the documents give them */
    size_t n_raw;
};

void pk_scenario_init(struct pk_scenario *scenario);
void pk_scenario_free(struct pk_scenario *scenario);

/* The place of an arm or an outcome by name. Errors: PK_BAD_INPUT, with the nearest name. */
PK_CHECKED enum pk_status pk_scenario_arm(const struct pk_scenario *scenario, const char *name, size_t *i_arm,
                                          struct pk_error *error);
PK_CHECKED enum pk_status pk_scenario_outcome(const struct pk_scenario *scenario, const char *name, size_t *i_outcome,
                                              struct pk_error *error);

/* The date of a day since 1970-01-01; months and days count from 1. */
void pk_scenario_date(int64_t day, int64_t *year, int *month, int *day_of_month);
/* Months since year 0 of a day since 1970-01-01; a day is its share of its month. */
double pk_scenario_months(int64_t day);

#ifdef __cplusplus
}
#endif
#endif
