/* Fitting free parameters to targets, and what the targets cannot tell.
 *
 * The search is on a scaled space: each parameter on its transform's scale, from the middle of its bounds, in standard
 * deviations of its prior. Misfits of targets are signed roots of their deviance (McCullagh & Nelder 1989, 2.4.3), so
 * that least squares is maximum likelihood. The objective is the analytic twin wherever it follows the targets, else
 * simulation on common random numbers whose own error is added to that of the targets. The same study gives the same
 * answer for any number of threads. */
#ifndef PK_CALIBRATE_H
#define PK_CALIBRATE_H

#include "polku/study.h"
#include "polku/text.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { PK_PROFILE_POINTS = 41, PK_MAX_MODES = 12 };

/* What an outcome of a target comes to at some values of the parameters. */
struct pk_reached {
    double value;          /* in the target's unit; nan: not known there */
    double standard_error; /* of the simulation; 0 by the twin */
    double step_error;     /* how far the twin's steps may be off; 0 by simulation */
};

struct pk_mode { /* an answer: one region in which no other point fits better */
    double values[PK_MAX_FREE];
    double scaled[PK_MAX_FREE];
    double deviance;  /* of the targets */
    double objective; /* with the prior's part; less is better */
    size_t n_starts;  /* of the search that ended there */
    bool best;        /* fits as well as any */
};

struct pk_profile { /* deviance of the targets, all others refitted */
    size_t n_points;
    double at[PK_PROFILE_POINTS];     /* values, ascending */
    double excess[PK_PROFILE_POINTS]; /* over the least deviance */
    double low, high;                 /* 95 % interval (excess 3.84) around all answers, or the bounds */
    bool low_open, high_open;         /* the interval ends at a bound */
};

struct pk_unseen {                 /* a direction that the targets hardly see */
    double information;            /* of the targets, in units of the prior's; 0: nothing */
    double direction[PK_MAX_FREE]; /* of length 1, scaled */
};

struct pk_contradiction {
    size_t i_target, i_other;
};

struct pk_answer {
    const struct pk_study *study;
    const struct pk_scenario *scenario;
    const struct pk_model *model;
    struct pk_arena arena;
    bool by_twin;
    double step_months;      /* of the twin: extrapolated from these and half of them */
    struct pk_text obstacle; /* why not */
    uint64_t digest;         /* of the study, its scenario and model */
    int64_t n_evaluations;
    size_t n_modes;
    struct pk_mode modes[PK_MAX_MODES]; /* by objective, the best first */
    double values[PK_MAX_FREE];         /* the answer: of modes[0] */
    double likeliest[PK_MAX_FREE];      /* where the deviance alone is least; profiles begin there */
    double least_deviance;              /* ... and what it is there */
    struct pk_profile profiles[PK_MAX_FREE];
    double information[PK_MAX_FREE];             /* eigenvalues, ascending, in units of the prior's */
    double directions[PK_MAX_FREE][PK_MAX_FREE]; /* of each */
    /* by target, at the answer */
    struct pk_reached reached[PK_MAX_TARGETS], simulated[PK_MAX_TARGETS];
    double misfits[PK_MAX_TARGETS]; /* in standard errors, signed: reached less wanted */
    size_t n_contradictions;
    struct pk_contradiction contradictions[PK_MAX_TARGETS];
    /* the sample of the posterior */
    size_t n_draws, n_candidates;
    double *draws;    /* [n_draws][n_free] values */
    double effective; /* draws that the weights are worth */
    size_t n_unique;
    double mean[PK_MAX_FREE], sd[PK_MAX_FREE], quantiles[PK_MAX_FREE][3]; /* of values; 2.5, 50, 97.5 % */
    double shrinkage[PK_MAX_FREE];                /* 1 - sd after over sd before, on the transformed scale */
    double correlation[PK_MAX_FREE][PK_MAX_FREE]; /* of draws on the transformed scale */
    struct pk_text marks;                         /* lines: what whoever uses the answer must know */
};

struct pk_calibrate_request {
    int n_threads;
    bool simulate;                                               /* the answer once more, by simulation */
    void (*progress)(const char *what, double done, void *data); /* may be NULL */
    void *progress_data;
};

/* Errors: PK_BAD_INPUT (targets that nothing can follow, no point where all are known), PK_NUMERICAL, PK_NO_MEMORY, and
 * those of runs. A study whose targets cannot be met or tell nothing is no error: see marks. On error it is freed. */
PK_CHECKED enum pk_status pk_calibrate(struct pk_answer *answer, const struct pk_study *study,
                                       const struct pk_scenario *scenario, const struct pk_model *model,
                                       const struct pk_calibrate_request *request, struct pk_error *error);
void pk_answer_free(struct pk_answer *answer);

/* Whether the study would be calibrated by the twin; else obstacle says why not. Errors: PK_BAD_INPUT (the model has no
 * meaning within the bounds, the study asks for a twin that cannot follow it), PK_NO_MEMORY. */
PK_CHECKED enum pk_status pk_calibrate_objective(const struct pk_study *study, const struct pk_scenario *scenario,
                                                 const struct pk_model *model, bool *by_twin, struct pk_text *obstacle,
                                                 struct pk_error *error);

/* For people; one JSON object; a file that scenarios can name. */
void pk_answer_print(const struct pk_answer *answer, struct pk_text *text);
void pk_answer_json(const struct pk_answer *answer, struct pk_text *text);
void pk_answer_yaml(const struct pk_answer *answer, struct pk_text *text);
/* Sample, profiles, targets and modes as a result file. Errors: those of results.h. */
PK_CHECKED enum pk_status pk_answer_save(const struct pk_answer *answer, const char *path, struct pk_error *error);
/* STEM.yaml and STEM.h5: afterwards both are there, or what was there before. Only where the last step fails, giving
 * the finished STEM.yaml its name, is an earlier STEM.h5 gone, as it would no longer belong to STEM.yaml. Errors:
 * PK_IO, PK_NO_MEMORY, those of results.h. */
PK_CHECKED enum pk_status pk_answer_write(const struct pk_answer *answer, const char *stem, struct pk_error *error);

#ifdef __cplusplus
}
#endif
#endif
