/* One conversion of a probability to a hazard on the twin. Not installed. See convert.h; its root: convert_root.c. */
#ifndef PK_CONVERT_PRIVATE_H
#define PK_CONVERT_PRIVATE_H

#include "polku/convert.h"
#include "polku/kinds.h"

#define PK_CONVERSION_STEP 0.5 /* months: of the grid that the probability is met on */

/* What a converted parameter is about. */
struct pk_conversion {
    const struct pk_model *model;
    const struct pk_scenario *scenario;
    struct pk_values *values;
    struct pk_plan plan;
    bool compiled;         /* the plan is, with some rate */
    struct pk_kinds kinds; /* of the plan's people; n is 0: not known yet */
    size_t i_parameter, i_transition;
    size_t i_service;               /* SIZE_MAX: a hazard of the model itself */
    const struct pk_target *target; /* NULL: everyone */
    bool told;                      /* with a note */
    bool rises;  /* unless it is widely read, the probability never falls where the rate rises: where it leads all have
                    arrived */
    double step; /* months: of the grid in use */
    struct pk_twin twin;
};

/* The twin's probability with a rate, a year, averaged over the people. Errors: as pk_convert. */
PK_CHECKED enum pk_status pk_conversion_probability(struct pk_conversion *conversion, double rate, double *probability,
                                                    struct pk_error *error);
/* The rate, a year, that gives the wanted probability. Errors: PK_BAD_INPUT (none does), PK_NUMERICAL, others as above.
 */
PK_CHECKED enum pk_status pk_conversion_solve(struct pk_conversion *conversion, double wanted, double *rate,
                                              struct pk_error *error);

#endif
