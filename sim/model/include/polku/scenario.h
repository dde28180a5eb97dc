/* What a scenario file says, once read: who, for how long, under which arms, and what to tell.
 *
 * Responsibility: the data only. A number is a literal or a parameter of the model (pk_number). Times in months. */
#ifndef PK_SCENARIO_H
#define PK_SCENARIO_H

#include "polku/model.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { PK_MAX_ARMS = 16, PK_MAX_ENROLMENTS = 8, PK_MAX_TABLES = 64, PK_MAX_OUTCOMES = 256, PK_MAX_SETS = 16 };

struct pk_number {
    double literal;
    size_t i_parameter; /* SIZE_MAX: the literal */
};
double pk_number_value(const struct pk_number *number, const struct pk_values *values);

enum pk_distribution_kind {
    PK_DISTRIBUTION_FIXED,
    PK_DISTRIBUTION_UNIFORM,
    PK_DISTRIBUTION_TRIANGULAR, /* low, mode, high */
    PK_DISTRIBUTION_EXPONENTIAL /* mean */
};
struct pk_distribution {
    enum pk_distribution_kind kind;
    struct pk_number arguments[3]; /* years */
};

struct pk_population {
    struct pk_number size;
    struct pk_number *state_shares;  /* [n_states], adding up to 1 */
    struct pk_number **value_shares; /* [n_attributes][n_values], adding up to 1 */
    struct pk_distribution age;      /* years at start; fixed at 40 where nothing needs it */
    bool has_age;
    struct pk_distribution *elapsed; /* [n_states] time already in the state at start */
};

struct pk_target {            /* who may be enrolled: a conjunction */
    bool *states;             /* [n_states] state at entry */
    bool **values;            /* [n_attributes][n_values] */
    double age_low, age_high; /* years at start, half open */
};

struct pk_enrolment {
    size_t i_service;
    struct pk_number persons;
    double at_months; /* after the start */
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
};

enum pk_measure {
    PK_MEASURE_OCCUPANCY,    /* persons in a state at a time */
    PK_MEASURE_PERSON_YEARS, /* person-years in a state within a step */
    PK_MEASURE_TRANSITIONS,  /* events within a step */
    PK_MEASURE_FIRST_ENTRY   /* persons who entered a set of states for the first time since the start */
};
extern const char *const pk_measure_names[4];

struct pk_table {
    const char *name;
    enum pk_measure measure;
    bool by[PK_MAX_ATTRIBUTES]; /* attributes told apart */
    int64_t step_months;
};

struct pk_outcome {
    const char *name;
    struct pk_label label;
    enum pk_measure measure;
    bool *states;                  /* [n_states] summed over; first entry: the set entered */
    double from_months, to_months; /* person-years, transitions; occupancy and first entry use to_months */
    bool to_horizon;
    size_t i_reward;           /* weights the person-years; SIZE_MAX: headcount */
    struct pk_number discount; /* a year, by (1+r)^-t from the start; 0 undiscounted */
    bool per_cost;             /* print euros per additional unit */
    bool share;                /* print the reference arm's share of it (what would have happened anyway) */
};

struct pk_set {
    const char *parameter, *to;
};

struct pk_variant { /* the same run with something changed, on the same random numbers */
    const char *name;
    const char *topic; /* rows of the same question stand together */
    size_t n_sets;
    struct pk_set sets[PK_MAX_SETS];
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
    size_t n_arms, n_tables, n_outcomes, n_variants, n_sets;
    struct pk_arm *arms;
    struct pk_table *tables;
    struct pk_outcome *outcomes;
    struct pk_variant *variants;
    struct pk_set *sets;
    const char *per_label;        /* what the comparison is told for, e.g. "700 enrolled" */
    struct pk_number per_persons; /* ... and the number; 0: all people */
    int64_t log_persons;          /* people whose events are kept; 0: none */
    bool log_enrolled;            /* ... of those enrolled; else of everyone */
    bool ranges;                  /* move each parameter with a range to both ends, one at a time */
    int64_t variant_replications;
    size_t *i_decides; /* [n_decides] outcomes told in the second table */
    size_t n_decides;
    const char *raw_heading; /* NULL: no raw figures are told */
    size_t *i_raw;           /* [n_raw] parameters told as the documents give them */
    size_t n_raw;
};

void pk_scenario_init(struct pk_scenario *scenario);
void pk_scenario_free(struct pk_scenario *scenario);

/* Months since year 0 of a day since 1970-01-01; a day is its share of its month. */
double pk_scenario_months(int64_t day);

#ifdef __cplusplus
}
#endif
#endif
