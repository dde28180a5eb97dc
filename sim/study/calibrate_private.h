/* What the files that calibrate share. Not installed. */
#ifndef PK_CALIBRATE_PRIVATE_H
#define PK_CALIBRATE_PRIVATE_H

#include "polku/calibrate.h"
#include "polku/run.h"
#include "polku/twin.h"

/* ---- targets.c, targets_follow.c, targets_twin.c, targets_run.c: from values to what targets come to ---- */

/* One figure: an outcome in an arm, of everyone or of those whom an arm enrols. */
struct pk_figure {
    size_t i_outcome, i_arm;
    size_t i_cohort_of; /* arm whose enrolled people are meant; SIZE_MAX: everyone */
    bool per_person;
};

/* Borrowed by all workers; each has a pk_target_room of its own. */
struct pk_targets {
    const struct pk_study *study;
    const struct pk_model *model;
    struct pk_scenario scenario; /* as little as the targets need */
    struct pk_outcome *outcomes; /* [scenario.n_outcomes] owned: the scenario's, then a count of people for each */
    double step;                 /* months, of the twin: a whole part of `unit` */
    size_t unit;                 /* months between the times that tables are kept at; divides those of all outcomes */
    int n_threads;               /* of a simulation */
};

struct pk_target_room {
    struct pk_twin twin;
    double *tables; /* occupancy, person-months, entries by month of one kind, and their sums */
    size_t n_tables;
};

PK_CHECKED enum pk_status pk_targets_init(struct pk_targets *targets, const struct pk_study *study,
                                          const struct pk_scenario *scenario, const struct pk_model *model,
                                          struct pk_error *error);
void pk_targets_free(struct pk_targets *targets);
/* Steps of the twin of at most so many months. False: none is that long. */
bool pk_targets_step(struct pk_targets *targets, double months);
void pk_target_room_free(struct pk_target_room *room);

/* The figures of a target: one, or two where it compares arms. */
size_t pk_target_figures(const struct pk_calibration_target *target, struct pk_figure figures[2]);

/* The plan at these values of the free parameters; both are the caller's to free. Errors: PK_BAD_INPUT where the model
 * has no meaning there (a probability that no hazard gives). */
PK_CHECKED enum pk_status pk_targets_plan(const struct pk_targets *targets, const double *values, struct pk_values *all,
                                          struct pk_plan *plan, struct pk_error *error);

/* Whether lives end at the first entry that a measure is about. */
bool pk_targets_cut_lives(enum pk_measure measure);
/* The only lottery of an arm; SIZE_MAX: it has none. */
size_t pk_targets_lottery(const struct pk_plan *plan, size_t i_arm);
/* Says in obstacle (may be NULL) why the twin cannot follow some target; true: it can. */
bool pk_targets_has_twin(const struct pk_targets *targets, const struct pk_plan *plan, const struct pk_values *values,
                         struct pk_text *obstacle);

/* reached[n_targets] at values[n_free]: by the twin, extrapolated from steps and half steps, or by simulation. */
PK_CHECKED enum pk_status pk_targets_by_twin(const struct pk_targets *targets, struct pk_target_room *room,
                                             const double *values, struct pk_reached *reached, struct pk_error *error);
PK_CHECKED enum pk_status pk_targets_by_run(const struct pk_targets *targets, const double *values,
                                            int64_t n_replications, struct pk_reached *reached, struct pk_error *error);

/* ---- misfit.c: likelihoods, priors and scales ---- */

/* The signed root of the deviance of what was reached. */
double pk_misfit(const struct pk_calibration_target *target, const struct pk_reached *reached);

/* A free parameter's scale: transformed, less `middle`, over `sd`. */
struct pk_scale {
    enum pk_transform transform;
    enum pk_prior prior;
    double low, high;  /* bounds, scaled */
    double middle, sd; /* on the transformed scale */
    double value_low, value_high;
    double prior_a, prior_b; /* normal: centre and standard deviation, scaled; beta */
};
void pk_scale_make(const struct pk_free_parameter *free, struct pk_scale *scale);
double pk_scale_to(const struct pk_scale *scale, double value);
double pk_scale_from(const struct pk_scale *scale, double scaled);
/* The signed root of -2 log of the prior's density on the scale over that at its mode; 0 where flat. */
double pk_scale_misfit(const struct pk_scale *scale, double scaled);

/* ---- search.c: least squares and simplex within bounds ---- */

struct pk_search;
/* What is minimised: the sum of squares of misfits of targets (but one left out), of the prior's if asked, and of the
 * distance from a plane if asked. */
struct pk_fit {
    struct pk_search *search;
    int i_worker;
    bool prior;                 /* count the prior */
    size_t i_fixed;             /* parameter that stays as it is; SIZE_MAX: none */
    size_t i_left_out;          /* target; SIZE_MAX: none */
    const double *plane_normal; /* [n_free] NULL: none */
    double plane_at;            /* along the normal */
};

struct pk_search {
    const struct pk_targets *targets;
    struct pk_answer *answer;
    size_t n_free, n_targets;
    struct pk_scale scales[PK_MAX_FREE];
    int n_workers;
    struct pk_target_room *rooms; /* [n_workers] */
    int64_t *n_evaluations;       /* [n_workers] */
    enum pk_status *statuses;     /* [n_workers] failures that are none of the values' fault */
    struct pk_error *errors;
    bool by_twin;
};

/* misfits[n_targets] at a scaled point; false where the model has no meaning there. reached may be NULL. */
bool pk_search_misfits(struct pk_search *search, int i_worker, const double *scaled, double *misfits,
                       struct pk_reached *reached);
/* Of the targets alone; infinite where the model has no meaning. */
double pk_search_deviance(struct pk_search *search, int i_worker, const double *scaled);
/* Goes downhill from point[n_free] (in and out); returns the sum of squares there, without the plane's part. */
double pk_fit_descend(const struct pk_fit *fit, double *point, bool thorough);
/* The Jacobian [n_targets][n_free] of the misfits at a scaled point. */
bool pk_search_jacobian(struct pk_search *search, int i_worker, const double *scaled, double *jacobian);
/* The first failure of a worker, in their order. */
PK_CHECKED enum pk_status pk_search_status(const struct pk_search *search, struct pk_error *error);

/* Information in units of the prior's below which nothing is seen, and little. */
#define PK_UNSEEN 0.02
#define PK_LITTLE_SEEN 1.0

/* ---- the parts of a calibration ---- */
PK_CHECKED enum pk_status pk_calibrate_modes(struct pk_search *search, struct pk_error *error);
PK_CHECKED enum pk_status pk_calibrate_profiles(struct pk_search *search, struct pk_error *error);
PK_CHECKED enum pk_status pk_calibrate_seen(struct pk_search *search, struct pk_error *error);
PK_CHECKED enum pk_status pk_calibrate_contradictions(struct pk_search *search, struct pk_error *error);
PK_CHECKED enum pk_status pk_calibrate_sample(struct pk_search *search, struct pk_error *error);
void pk_calibrate_marks(struct pk_answer *answer);

/* "job_loss x 1.10 together with job_finding x 0.91" */
void pk_calibrate_direction(const struct pk_answer *answer, const double *direction, struct pk_text *text);

#endif
