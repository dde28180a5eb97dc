/* What the files that analyse share. Not installed. */
#ifndef PK_ANALYSE_PRIVATE_H
#define PK_ANALYSE_PRIVATE_H

#include "polku/analysis.h"
#include "polku/sensitivity.h"

struct pk_analysing {
    struct pk_analysis *analysis;
    const struct pk_sample *sample;
    const struct pk_analysis_request *request;
    struct pk_sensitivity_bootstrap bootstrap;
    struct pk_error *error;
    /* columns that numbers depend on: quantities, and of a choice an indicator of each option but the first */
    size_t n_columns;
    size_t *first_column; /* [n_factors + 1] */
    const char **columns; /* [n_columns] names, in the analysis' arena */
    double *x;            /* [n][n_columns] owned; NULL: not asked for */
    /* the figure at hand */
    char name[160], label[300];
    double *y, *noise; /* [n] noise: squares of its simulation errors */
};

/* Takes a figure in hand; or what option i of the decision gives more than the first in net benefit. */
void pk_analyse_figure(struct pk_analysing *a, size_t i_figure);
void pk_analyse_net_benefit(struct pk_analysing *a, size_t i_option);
double pk_analyse_threshold(const struct pk_analysing *a);
/* Whether a point is one of those that the distributions give: not moved besides. */
bool pk_analyse_is_drawn(const struct pk_sample *sample, size_t i);
/* Sheets of the figure in hand. */
PK_CHECKED enum pk_status pk_analyse_one_way(struct pk_analysing *a);
PK_CHECKED enum pk_status pk_analyse_two_way(struct pk_analysing *a);
PK_CHECKED enum pk_status pk_analyse_factorial(struct pk_analysing *a);
PK_CHECKED enum pk_status pk_analyse_morris(struct pk_analysing *a);
PK_CHECKED enum pk_status pk_analyse_sobol(struct pk_analysing *a);
PK_CHECKED enum pk_status pk_analyse_regression(struct pk_analysing *a);
/* Sheets of the decision. */
PK_CHECKED enum pk_status pk_analyse_decision(struct pk_analysing *a);

/* Its points' marks, and who is moved there. */
struct pk_design pk_analyse_design(const struct pk_sample *sample);
/* A sheet KIND/FIGURE. */
struct pk_sheet *pk_analyse_sheet(struct pk_analysing *a, const char *kind, const char *title, const char *of_rows,
                                  size_t n_rows, const char *const *columns);
PK_CHECKED enum pk_status pk_analyse_no_memory(struct pk_analysing *a);
/* The row names of a sheet in the order of a column, the largest first; nan last. */
void pk_analyse_order(const double *values, size_t n, size_t *order);

#endif
