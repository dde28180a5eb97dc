/* What the files that compile a plan share. Not installed. */
#ifndef PK_PLAN_PRIVATE_H
#define PK_PLAN_PRIVATE_H

#include <stdlib.h>

#include "polku/plan.h"

struct pk_compile { /* the first problem stays in status and error */
    struct pk_plan *plan;
    const struct pk_model *model;
    const struct pk_scenario *scenario;
    const struct pk_values *values;
    enum pk_status status;
    struct pk_error *error;
};

/* NULL sets the status. */
void *pk_compile_alloc(struct pk_compile *compile, size_t count, size_t size);
/* A parameter's value in use; unknown (nan) sets the status. */
double pk_compile_used(struct pk_compile *compile, size_t i_parameter);
/* A hazard times share, per month on its clock. */
void pk_compile_rate(struct pk_compile *compile, const struct pk_hazard *hazard, double share, struct pk_rate *rate);

void pk_compile_services(struct pk_compile *compile);
/* People, target groups, arms and cohorts. */
void pk_compile_people(struct pk_compile *compile);

#endif
