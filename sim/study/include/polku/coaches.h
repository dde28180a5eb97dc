/* How many coaches: one arm run with more and more of them, on the same random numbers.
 *
 * Responsibility: a small sweep over capacity, and where the next coach gives less than is asked. */
#ifndef PK_COACHES_H
#define PK_COACHES_H

#include "polku/run.h"
#include "polku/stats.h"
#include "polku/text.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { PK_COACHES_MAX_POINTS = 200 };

struct pk_coaches_request {
    size_t i_service, i_outcome;
    size_t i_arm, i_against; /* i_against SIZE_MAX: the arm's own figure */
    double from, to, step;   /* coaches of all places together, when there are most of them */
    double gain;             /* asked of one coach more, in units of the outcome; 0: not asked */
    int n_threads;
    int64_t n_replications; /* 0: the scenario's */
    void (*progress)(double done, void *data);
    void *progress_data;
};

struct pk_coaches_point {
    double coaches, places;      /* when there are most coaches; places are whole in each region */
    double coach_years, cost;    /* euros, undiscounted; nan where coaches cost nothing */
    struct pk_mean served, wait; /* people; days in line of all who asked */
    struct pk_mean utilisation;
    struct pk_mean outcome; /* or its difference from another arm, for all people */
    struct pk_mean gain;    /* of each coach more than at the point before, on average; nan at the first */
    double euros_per_unit; /* cost over outcome, both more than at the point before; nan: the outcome is not, no cost */
};

struct pk_coaches {
    size_t n_points;
    struct pk_coaches_point points[PK_COACHES_MAX_POINTS];
    size_t i_enough; /* the first point whose gain is below what is asked; SIZE_MAX: none, or not asked */
    bool surely;     /* ... by more than two standard errors */
};

/* Errors: those of plans and runs; PK_BAD_INPUT (the arm does not use the service, it has no places, nobody coaches).
 */
PK_CHECKED enum pk_status pk_coaches_run(struct pk_coaches *coaches, const struct pk_model *model,
                                         const struct pk_scenario *scenario, const struct pk_values *values,
                                         const struct pk_coaches_request *request, struct pk_error *error);
void pk_coaches_print(const struct pk_coaches *coaches, const struct pk_model *model,
                      const struct pk_scenario *scenario, const struct pk_coaches_request *request,
                      struct pk_text *text);
void pk_coaches_json(const struct pk_coaches *coaches, struct pk_text *text);

#ifdef __cplusplus
}
#endif
#endif
