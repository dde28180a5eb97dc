/* What a study file says: the scenario it is about, and either a calibration (targets, and the parameters that are free
 * to meet them) or a sweep (what is varied, how, and what is told of it; see sweep.h).
 *
 * Responsibility: the data only, with every name resolved to an index of the scenario or its model. Values of
 * parameters are meant as given (a probability by a horizon stays one). Everything is owned by the study's arena. */
#ifndef PK_STUDY_H
#define PK_STUDY_H

#include "polku/load.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { PK_MAX_FREE = 32, PK_MAX_TIED = 64, PK_MAX_TARGETS = 128 };

/* The scale on which a free parameter is searched, and on which its prior is flat where none is given. */
enum pk_transform { PK_TRANSFORM_NONE, PK_TRANSFORM_LOG, PK_TRANSFORM_LOGIT, PK_TRANSFORM_COUNT };
extern const char *const pk_transform_names[PK_TRANSFORM_COUNT];

enum pk_prior {
    PK_PRIOR_FLAT,   /* on the transformed scale, between the bounds */
    PK_PRIOR_NORMAL, /* on the transformed scale: normal, log-normal or logit-normal */
    PK_PRIOR_BETA    /* logit only */
};

struct pk_free_parameter {
    const char *name;
    size_t i_parameter;
    double low, high; /* bounds, as given */
    enum pk_transform transform;
    enum pk_prior prior;
    double a, b; /* normal: mean (of a log or logit: the median) as given, and standard deviation on the scale; beta */
};

struct pk_tied_parameter { /* always times x a free one + plus */
    const char *name;
    size_t i_parameter, i_free;
    double times, plus;
};

enum pk_target_as { PK_TARGET_VALUE, PK_TARGET_DIFFERENCE, PK_TARGET_RATIO };
enum pk_likelihood { PK_LIKELIHOOD_NORMAL, PK_LIKELIHOOD_LOG_NORMAL, PK_LIKELIHOOD_BINOMIAL, PK_LIKELIHOOD_POISSON };

struct pk_calibration_target {
    const char *name;
    size_t i_outcome, i_arm;
    size_t i_against; /* arm; SIZE_MAX: none */
    enum pk_target_as as;
    bool per_person; /* of those whom the outcome is about; else a number in the scenario's population */
    bool enrolled;   /* of those whom the arm enrols; else of everyone */
    enum pk_likelihood likelihood;
    double value;          /* binomial: the share; Poisson: the number of events */
    double standard_error; /* normal; log-normal: of the logarithm */
    double of;             /* binomial: people observed */
    struct pk_source source;
};

enum pk_objective { PK_OBJECTIVE_AUTO, PK_OBJECTIVE_TWIN, PK_OBJECTIVE_SIMULATION, PK_OBJECTIVE_COUNT };
extern const char *const pk_objective_names[PK_OBJECTIVE_COUNT];

struct pk_sweep;

struct pk_study {
    struct pk_arena arena;
    const char *name, *title, *file, *text;
    const char *scenario_file; /* NULL: a sweep of a model that is not ours */
    size_t text_size;
    uint64_t seed;
    struct pk_sweep *sweep; /* NULL: a calibration, all of the following */
    size_t n_free, n_tied, n_targets;
    struct pk_free_parameter *free;
    struct pk_tied_parameter *tied;
    struct pk_calibration_target *targets;
    enum pk_objective objective;
    size_t objective_line, objective_column; /* where the file says so; 0: it does not */
    int64_t replications;                    /* of the simulation as objective; 0: the scenario's */
    int64_t starts;                          /* of the search; 0: as many as the free parameters ask for */
    int64_t draws;                           /* of the sample */
    double step_months;                      /* of the twin */
    int64_t n_ages, n_elapsed, n_frailty;    /* points of the twin's population */
};

/* Reads a study, the scenario it names (relative to it) and that one's model; both are empty where it names none.
 * Errors: as pk_load_scenario. */
PK_CHECKED enum pk_status pk_load_study(const char *path, const struct pk_load_options *options, struct pk_study *study,
                                        struct pk_scenario *scenario, struct pk_model *model,
                                        struct pk_problems *problems);
/* The same from a text, about a scenario and its model that are loaded already, whatever it names. */
PK_CHECKED enum pk_status pk_load_study_text(const char *name, const char *text, size_t size, struct pk_study *study,
                                             struct pk_scenario *scenario, struct pk_model *model,
                                             struct pk_problems *problems);
void pk_study_free(struct pk_study *study);

#ifdef __cplusplus
}
#endif
#endif
