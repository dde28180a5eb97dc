/* How many replications, or how many people, a wanted simulation error needs: from a timed probe of the scenario. */
#ifndef PK_PRECISION_H
#define PK_PRECISION_H

#include "polku/run.h"
#include "polku/text.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Adds a line for each arm and each difference between arms of the outcome: the standard error of a probe, and the
 * replications, people and seconds that `wanted` needs. Errors fall with the square root of either.
 * Errors: PK_BAD_INPUT (no such outcome, wanted not above 0), those of a run. */
PK_CHECKED enum pk_status pk_precision_tell(const struct pk_plan *plan, const struct pk_model *model,
                                            const struct pk_scenario *scenario, const struct pk_values *values,
                                            const char *outcome, double wanted, struct pk_text *text,
                                            struct pk_error *error);

#ifdef __cplusplus
}
#endif
#endif
