/* What the files that verify share. Not installed. */
#ifndef PK_VERIFY_PRIVATE_H
#define PK_VERIFY_PRIVATE_H

#include "polku/kinds.h"
#include "polku/twin.h"
#include "polku/verify.h"

enum { PK_VERIFY_MAX_TIMES = 60, PK_VERIFY_MOST_HALVINGS = 4 };

/* What the twin is asked: one population under one arm. */
struct pk_expectation {
    const struct pk_plan *plan;
    const struct pk_plan_target *target; /* NULL: everyone */
    const struct pk_plan_arm *arm;       /* NULL: untreated */
    uint64_t lotteries;                  /* that its people win */
    size_t n_times;
    const double *times; /* months */
    double step;
    double n_people; /* simulated */
    double fixed;    /* 1: the people are the same in every replication, 0: they are drawn */
    const struct pk_verify_request *request;
    /* the answer, [n_times][n_states]: probability, the twin's error, and sum of p (1 - p) over kinds */
    double *exact, *error, *within;
};

PK_CHECKED enum pk_status pk_expectation_solve(struct pk_expectation *expectation, struct pk_error *error);

#endif
