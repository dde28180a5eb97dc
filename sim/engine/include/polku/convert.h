/* From what a document gives (a probability by a horizon, a mean duration) to the hazard that the engine needs.
 *
 * A probability is read as an average over the people it is about: for the hazard of a service, those whom the
 * scenario enrols in it; for a hazard of the model, the scenario's people starting in the state it leaves. The hazard
 * is the one that makes the analytic twin, with every exit active, give the probability. Solved to 1e-9 of the
 * probability on the twin's own grid; what a step half as long would give is told in the note. */
#ifndef PK_CONVERT_H
#define PK_CONVERT_H

#include "polku/twin.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Fills values->used and values->note for every parameter that is given otherwise than as a rate.
 * Errors: PK_BAD_INPUT (a probability that no hazard gives, conversions in a cycle, a converted parameter used
 * nowhere or twice), PK_NO_MEMORY. */
PK_CHECKED enum pk_status pk_convert(struct pk_values *values, const struct pk_model *model,
                                     const struct pk_scenario *scenario, struct pk_error *error);

/* As pk_convert, but for the notes of what is solved on the twin: a quarter of the work is to find what they tell. For
 * points of a study and other values whose conversion nobody reads about. */
PK_CHECKED enum pk_status pk_convert_untold(struct pk_values *values, const struct pk_model *model,
                                            const struct pk_scenario *scenario, struct pk_error *error);

/* As pk_convert without a scenario: only what needs no population (mean durations, exits: none). */
PK_CHECKED enum pk_status pk_convert_closed(struct pk_values *values, const struct pk_model *model,
                                            struct pk_error *error);

#ifdef __cplusplus
}
#endif
#endif
