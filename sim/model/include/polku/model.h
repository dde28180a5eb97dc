/* What a model file says, once read: states, attributes, parameters with their sources, transitions, services.
 *
 * Responsibility: the data only, with every name resolved to an index. A model is immutable once loaded; the values
 * that a run uses (overrides, conversions) live apart, in struct pk_values. Knows nothing of plans, YAML or files.
 * Everything is owned by the model's arena. Times are in years and hazards per person-year, as in the file. */
#ifndef PK_MODEL_H
#define PK_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "polku/evidence.h"
#include "polku/hazard.h"
#include "polku/memory.h"
#include "polku/status.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    PK_MAX_STATES = 32,
    PK_MAX_ATTRIBUTES = 16,
    PK_MAX_ATTRIBUTE_VALUES = 255,
    PK_MAX_FACTORS = 8,
    PK_MAX_PARAMETERS = 4096,
    PK_MAX_TRANSITIONS = 256,
    PK_MAX_SERVICES = 32,
    PK_MAX_FRAILTIES = 8,
    PK_MAX_JOINTS = 8,
    PK_MAX_PREVENTIONS = 16, /* effects that prevent, in one service */
    PK_MAX_TABLE_BY = 3,     /* attributes that a table is told by */
    PK_LANGUAGES = 3         /* fi, sv, en */
};

/* The clock that a hazard runs on. */
#define PK_CLOCK_LIST(X)                                                                                               \
    X(PK_CLOCK_STATE, "time_in_state")                                                                                 \
    X(PK_CLOCK_AGE, "age")                                                                                             \
    X(PK_CLOCK_CALENDAR, "calendar")                                                                                   \
    X(PK_CLOCK_START, "since_start")                                                                                   \
    X(PK_CLOCK_ENROLMENT, "since_enrolment")                                                                           \
    X(PK_CLOCK_BIRTH, "birth") /* the date of birth: tells fixed times by age apart, no hazard */

/* Units of parameters, with the interval their values must lie in. */
#define PK_UNIT_LIST(X)                                                                                                \
    X(PK_UNIT_PER_YEAR, "per_year", 0, 1e6)                                                                            \
    X(PK_UNIT_PROBABILITY, "probability", 0, 1)                                                                        \
    X(PK_UNIT_SHARE, "share", 0, 1)                                                                                    \
    X(PK_UNIT_RATIO, "ratio", 0, 1e6)                                                                                  \
    X(PK_UNIT_YEARS, "years", 0, 1e4)                                                                                  \
    X(PK_UNIT_DAYS, "days", 0, 4e6)                                                                                    \
    X(PK_UNIT_PERSONS, "persons", 0, 1e12)                                                                             \
    X(PK_UNIT_EUROS, "euros", -1e15, 1e15)                                                                             \
    X(PK_UNIT_SLOPE, "per_year_of_clock", -10, 10)                                                                     \
    X(PK_UNIT_SHAPE, "shape", 0, 1e3)                                                                                  \
    X(PK_UNIT_LOG_YEARS, "log_years", -50, 50)                                                                         \
    X(PK_UNIT_REAL, "real", -1e3, 1e3)                                                                                 \
    X(PK_UNIT_VARIANCE, "variance", 0, 1e3)                                                                            \
    X(PK_UNIT_HOURS, "hours", -1e9, 1e9)                                                                               \
    X(PK_UNIT_UTILITY, "utility", -1e3, 1e3)                                                                           \
    X(PK_UNIT_PERSONS_PER_YEAR, "persons_per_year", 0, 1e9)                                                            \
    X(PK_UNIT_SWITCH, "switch", 0, 1)

/* Where a number comes from. */
#define PK_SOURCE_LIST(X)                                                                                              \
    X(PK_SOURCE_DOCUMENT, "document")                                                                                  \
    X(PK_SOURCE_DERIVED, "derived")                                                                                    \
    X(PK_SOURCE_PUBLIC, "public")                                                                                      \
    X(PK_SOURCE_ASSUMPTION, "assumption")                                                                              \
    X(PK_SOURCE_CALIBRATED, "calibrated") /* fitted by a study: only in its own file, see struct pk_calibration */

#define PK_MODEL_ENUM(name, ...) name,
enum pk_clock { PK_CLOCK_LIST(PK_MODEL_ENUM) PK_CLOCK_COUNT };
enum pk_unit { PK_UNIT_LIST(PK_MODEL_ENUM) PK_UNIT_COUNT };
enum pk_source_kind { PK_SOURCE_LIST(PK_MODEL_ENUM) PK_SOURCE_COUNT };
#undef PK_MODEL_ENUM

extern const char *const pk_clock_names[PK_CLOCK_COUNT];
extern const char *const pk_unit_names[PK_UNIT_COUNT];
extern const char *const pk_source_names[PK_SOURCE_COUNT];
extern const char *const pk_language_names[PK_LANGUAGES];
/* The interval a value in this unit must lie in. */
void pk_unit_interval(enum pk_unit unit, double *low, double *high);

struct pk_label {
    const char *in[PK_LANGUAGES]; /* fi, sv, en; a missing one is the name */
};

struct pk_source {
    enum pk_source_kind kind;
    const char *text;   /* ids and locators, or why it was assumed */
    const char *caveat; /* what the source itself warns of; NULL: nothing */
};

struct pk_alternative {
    const char *name;
    double value;
    struct pk_source source;
};

/* How the file gives the number. */
enum pk_given {
    PK_GIVEN_VALUE,        /* as it is */
    PK_GIVEN_PROBABILITY,  /* value = probability by a horizon; the hazard is converted from it */
    PK_GIVEN_MEAN_DURATION /* value = mean duration in days or years; the hazard is its inverse */
};

struct pk_uncertainty;   /* uncertainty.h */
struct pk_uncertain_set; /* the same */

struct pk_parameter {
    const char *name;
    const char *description; /* may be NULL */
    enum pk_unit unit;       /* of the value as used */
    enum pk_unit given_unit; /* of the value as given: differs from unit where it is converted */
    enum pk_given given;
    size_t n_values;  /* 1, or n_cuts + 1 for a table on a clock */
    double *values;   /* [n_columns][n_values], as given */
    size_t n_columns; /* 1, or the combinations of the attributes that a table is told by */
    size_t n_by;
    size_t i_by_attribute[PK_MAX_TABLE_BY]; /* [n_by] the last varies fastest over columns */
    enum pk_clock clock;                    /* of a table */
    double *cuts; /* [n_values - 1] ascending: years on the clock; calendar and birth: months since year 0 */
    bool has_range;
    double low, high;                         /* of the value as given */
    const struct pk_uncertainty *uncertainty; /* its distribution; NULL: none, or PERT where it has a range */
    struct pk_source source;
    size_t n_alternatives;
    struct pk_alternative *alternatives;
    /* conversion of a probability by a horizon */
    bool of_ever;          /* ever entered the state; else in the state at the horizon */
    bool exits;            /* with the exits that are active; false: as if there were none, -log(1-p)/T */
    size_t i_by;           /* parameter: the horizon in years */
    size_t i_target_state; /* the state entered */
    size_t line, column;
};

struct pk_state {
    const char *name;
    struct pk_label label;
    bool absorbing;
    size_t i_stream; /* whose random stream its spells use: its own index unless it says so */
};

struct pk_attribute {
    const char *name;
    struct pk_label label;
    size_t n_values;
    const char **values;           /* [n_values] names */
    struct pk_label *value_labels; /* [n_values] */
};

/* Several attributes drawn together. */
struct pk_joint {
    size_t n_attributes;
    size_t i_attributes[PK_MAX_ATTRIBUTES];
    size_t n_cells;
    double *shares; /* [n_cells], the last attribute varies fastest; adding up to 1, or a seed to be fitted */
    bool fit;       /* by iterative proportional fitting to the attributes' own shares */
    bool of_model;  /* the model's: what a scenario says of one of the attributes takes the place of all of it */
};

/* The product of the named parameters, at most one of them a table, or a parametric form times them. */
struct pk_hazard {
    bool parametric;
    enum pk_hazard_form form;
    size_t i_form[3]; /* parameters of the form, in the order of pk_hazard_parameter_names */
    bool has_origin;  /* calendar: where the form's clock is 0 ... */
    double origin;    /* ... months since year 0 */
    size_t n_factors;
    size_t i_factors[PK_MAX_FACTORS];
    enum pk_clock clock; /* of the table factor or of the form; without either: time_in_state, unused */
    bool on_clock;
};

struct pk_ratio { /* of a hazard or a reward: times a parameter for people with this value */
    size_t i_attribute, i_value, i_parameter;
};

struct pk_excess { /* times a parameter in this state; of common hazards at least 1 */
    size_t i_state, i_parameter;
};

/* Unobserved differences between people: gamma with mean 1, a factor on the hazards that name it. */
struct pk_frailty {
    const char *name;
    struct pk_label label;
    size_t i_variance;  /* parameter; 0 is no frailty */
    bool unconditional; /* mean 1 among those present at the start; else at the beginning of the spell they are in */
};

enum pk_cure { PK_CURE_NONE, PK_CURE_PERSON, PK_CURE_SPELL };

struct pk_transition {
    const char *name;
    struct pk_label label;
    bool from_any; /* from every state that is not absorbing */
    bool *from;    /* [n_states] */
    size_t n_to;
    size_t *i_to;       /* [n_to] states */
    size_t *i_to_share; /* [n_to] parameters; SIZE_MAX for a single destination */
    bool by_service;    /* made only by whoever gets a place in a service that says so */
    bool deterministic;
    enum pk_clock at_clock; /* deterministic: fires where this clock passes ... */
    size_t i_at;            /* ... this parameter (years); on age it may be a table by date of birth ... */
    size_t i_at_plus;       /* ... plus this one (years, may be negative); SIZE_MAX: none */
    struct pk_hazard hazard;
    size_t n_ratios;
    struct pk_ratio *ratios;
    size_t n_excess;
    struct pk_excess *excess;
    size_t n_by_state;
    struct pk_excess *by_state; /* of a hazard that is not common: times a parameter in these states */
    size_t i_frailty;           /* SIZE_MAX: none */
    enum pk_cure cure;
    size_t i_cure;           /* parameter: the share whom the transition never happens to */
    bool cure_unconditional; /* the share among those present at the start; else at the beginning of the spell */
    size_t line, column;
};

enum pk_effect_mode { PK_EFFECT_REPLACE, PK_EFFECT_SCALE, PK_EFFECT_AT_LEAST, PK_EFFECT_PREVENT };

/* What becomes of a person whose event was blocked, while the service's window lasts. A relapse, one at a time, is the
 * blocked event after all; with it the immunity ends. */
enum pk_again {
    PK_AGAIN_AT_RISK, /* the next event is blocked or not by a mark of its own */
    PK_AGAIN_IMMUNE,  /* no more such events (but by relapse) */
    PK_AGAIN_YEARS    /* none for so long */
};

struct pk_effect {
    size_t i_transition;
    enum pk_effect_mode mode;
    struct pk_hazard hazard; /* scale: a ratio; replace, at_least: a hazard per year, without the transition's own
                                ratios and frailty; prevent: unused */
    size_t n_ratios;         /* of replace and at_least: times a parameter for people with a value */
    struct pk_ratio *ratios;
    /* prevent */
    size_t i_share;   /* parameter: of the events */
    size_t i_instead; /* state entered instead; SIZE_MAX: the person stays */
    enum pk_again again;
    size_t i_again_years; /* parameter */
    size_t i_relapse;     /* parameter: hazard of the blocked event coming all the same; SIZE_MAX: none */
};

/* When somebody who asked for a place and whose time in it is over, or who did not get it, may ask again. */
enum pk_requests { PK_REQUESTS_ONCE, PK_REQUESTS_UNTIL_SERVED, PK_REQUESTS_ALWAYS };

enum pk_filled {                    /* when a place is given */
                 PK_FILLED_AT_ONCE, /* as soon as it is free */
                 PK_FILLED_ONCE,    /* each only once: one cohort */
                 PK_FILLED_EVERY,   /* each at most once in a period; a place given back waits for the next one */
                 PK_FILLED_ANEW     /* so many new clients in each period, however many there are already */
};

/* Places of a service: coaches x caseload. Whoever finds none free waits. */
struct pk_places {
    bool limited;
    size_t i_by;              /* attribute: each value has its own places; SIZE_MAX: one pool for all */
    struct pk_hazard coaches; /* persons; a table may be told by i_by, on calendar or since_start */
    size_t i_caseload;        /* parameter: clients a coach; SIZE_MAX: 1 */
    size_t i_coach_cost;      /* parameter: euros for a coach-year; SIZE_MAX: none */
    enum pk_filled filled;
    double period_months; /* every, anew */
    bool by_lot;          /* those who wait are served in the order of keyed numbers; else first come */
    size_t i_priority;    /* attribute; SIZE_MAX: none */
    size_t *i_ahead;      /* [n_values] parameters: years that count as waited already; SIZE_MAX: 0 */
    size_t i_baulk;       /* parameter: share of those who would have to wait that do not; SIZE_MAX: 0 */
    size_t i_line;        /* parameter: at most so many wait in one place; SIZE_MAX: no limit */
    bool reneges;
    struct pk_hazard renege; /* of giving up; its clock may be since_enrolment: since the person began to wait */
    enum pk_requests again;
};

struct pk_service {
    const char *name;
    struct pk_label label;
    size_t i_window;         /* parameter (years from enrolment); SIZE_MAX: for life */
    bool while_held;         /* effects last as long as the place is held, at most for the window */
    size_t i_length;         /* parameter (years): how long a place is held; SIZE_MAX: no limit */
    bool random_length;      /* ... or to the event of a hazard ... */
    struct pk_hazard length; /* ... whose clock may be since_enrolment */
    bool *held_in;           /* [n_states] elsewhere it is given back; NULL: held anywhere */
    size_t *i_support;       /* [n_states] parameters (years): so long after entering the state; SIZE_MAX: at once */
    size_t i_enters;         /* transition that whoever gets a place makes; SIZE_MAX: none */
    struct pk_places places;
    size_t i_first_job_only; /* parameter (switch): effects end with the first event they work on; SIZE_MAX: no */
    size_t i_cost;           /* parameter (euros per person enrolled); SIZE_MAX: none */
    size_t i_fidelity;       /* parameter (share): the log of a scale is multiplied by it; SIZE_MAX: 1 */
    size_t n_effects;
    struct pk_effect *effects;
};

enum pk_reward_kind { PK_REWARD_EFFECT, PK_REWARD_COST, PK_REWARD_TRANSFER };
extern const char *const pk_reward_kind_names[3];

struct pk_reward { /* so many units per person-year in a state and per event of a transition */
    const char *name;
    const char *unit;
    struct pk_label label;
    const char *payer; /* of its ledger; NULL: none */
    enum pk_reward_kind kind;
    size_t *i_state_parameter;      /* [n_states] parameters; SIZE_MAX: nothing */
    size_t *i_transition_parameter; /* [n_transitions] parameters; SIZE_MAX: nothing */
    size_t i_by_age;                /* parameter: a table of ratios by age; SIZE_MAX: none */
    size_t n_ratios;
    struct pk_ratio *ratios;
};

/* The text of a file that a model or scenario names (a table, people). */
struct pk_attachment {
    const char *name; /* as written in the model or scenario */
    const char *text;
    size_t size;
};

enum { PK_MAX_ATTACHMENTS = 32 };
struct pk_attachments {
    size_t n;
    struct pk_attachment items[PK_MAX_ATTACHMENTS];
};

struct pk_model {
    struct pk_arena arena;
    const char *name, *title, *file;
    const char *text; /* the whole file, for provenance */
    size_t text_size;
    size_t n_states, n_attributes, n_parameters, n_transitions, n_services, n_rewards, n_frailties, n_joints;
    struct pk_state *states;
    struct pk_attribute *attributes;
    struct pk_joint joints[PK_MAX_JOINTS]; /* [n_joints] how people are spread where a scenario does not say it */
    struct pk_parameter *parameters;       /* a scenario's own are appended */
    struct pk_transition *transitions;
    struct pk_service *services;
    struct pk_reward *rewards;
    struct pk_frailty *frailties;
    size_t n_uncertain_sets;
    struct pk_uncertain_set
        *uncertain_sets;                /* [n_uncertain_sets] parameters uncertain together; a scenario's appended */
    struct pk_evidence evidence;        /* what sources and caveats name by id; n_rows 0: no ledger */
    struct pk_attachments attachments;  /* other files that it is made of, for provenance */
    const char **warnings_of_documents; /* what the documents themselves warn of, shown beside results */
    size_t n_warnings_of_documents;
};

void pk_model_init(struct pk_model *model);
void pk_model_free(struct pk_model *model);

/* The index of a name, SIZE_MAX if there is none. */
size_t pk_model_state(const struct pk_model *model, const char *name);
size_t pk_model_attribute(const struct pk_model *model, const char *name);
size_t pk_model_attribute_value(const struct pk_attribute *attribute, const char *name);
size_t pk_model_parameter(const struct pk_model *model, const char *name);
size_t pk_model_transition(const struct pk_model *model, const char *name);
size_t pk_model_service(const struct pk_model *model, const char *name);
size_t pk_model_reward(const struct pk_model *model, const char *name);
size_t pk_model_frailty(const struct pk_model *model, const char *name);

/* True where the transition is one hazard common to all living states and ends lives: drawn once a person. */
bool pk_model_is_person_level(const struct pk_model *model, const struct pk_transition *transition);

/* The effective values of one run: the file's, then overrides, then conversions. */
struct pk_values {
    size_t n;
    double *given;                   /* [n] first value as given, after overrides */
    double *used;                    /* [n] first value as used (a hazard where converted); nan until converted */
    bool *overridden;                /* [n] */
    const struct pk_source **source; /* [n] of the value as given; the model's, but a calibrated value that is set to
                                        another has that one's. Owned by the model */
    const char **note;               /* [n] how it was converted, NULL where it was not; owned by the values' arena */
    struct pk_arena arena;
};
/* What a text sets a parameter to, as given: a number ("0.12"), "life" (years: no end) or an alternative by name.
 * *i_alternative, unless NULL: that one, or SIZE_MAX. Errors: PK_BAD_INPUT (a table, neither of these, outside what the
 * unit allows). */
PK_CHECKED enum pk_status pk_model_value(const struct pk_parameter *parameter, const char *to, double *value,
                                         size_t *i_alternative, struct pk_error *error);
PK_CHECKED enum pk_status pk_values_init(struct pk_values *values, const struct pk_model *model,
                                         struct pk_error *error);
void pk_values_free(struct pk_values *values);
/* Sets a parameter to what pk_model_value says. Errors: its own, and PK_BAD_INPUT: no such parameter. */
PK_CHECKED enum pk_status pk_values_set(struct pk_values *values, const struct pk_model *model, const char *name,
                                        const char *to, struct pk_error *error);

#ifdef __cplusplus
}
#endif
#endif
