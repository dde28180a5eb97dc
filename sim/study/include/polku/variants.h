/* The same run with something changed, on the same random numbers: rows of "what decides" and the ends of ranges.
 *
 * Only people whom some arm enrols are simulated, where anyone is. */
#ifndef PK_VARIANTS_H
#define PK_VARIANTS_H

#include "polku/store.h"
#include "polku/text.h"

#ifdef __cplusplus
extern "C" {
#endif

struct pk_bridge_work;

struct pk_variants {
    size_t n;
    struct pk_variant_result *items; /* [n] */
    struct pk_arena arena;
};

/* Runs the scenario's variants and, where it asks for them, each parameter with a range moved alone to both ends,
 * and then the runs of its bridge (NULL: none).
 * A variant that cannot be run (a probability that no hazard gives) has nan outcomes and says why in its warning.
 * sets[n_sets]: overrides from the command line. Errors: PK_NO_MEMORY and those of a life. */
PK_CHECKED enum pk_status pk_variants_run(struct pk_variants *variants, const struct pk_model *model,
                                          const struct pk_scenario *scenario, const struct pk_set *sets, size_t n_sets,
                                          const struct pk_bridge_work *bridge, const struct pk_run_options *options,
                                          struct pk_error *error);
void pk_variants_free(struct pk_variants *variants);

/* The values as given: the scenario's sets, then sets[n_sets], then extra[n_extra]; hazards are not converted yet.
 * Where one share of a split (a Dirichlet set) is set alone, the others share the rest. */
PK_CHECKED enum pk_status pk_variants_given(struct pk_values *values, const struct pk_model *model,
                                            const struct pk_scenario *scenario, const struct pk_set *sets,
                                            size_t n_sets, const struct pk_set *extra, size_t n_extra,
                                            struct pk_error *error);
/* The effective values of a scenario: its sets, then sets[n_sets], then extra[n_extra], then conversions. */
PK_CHECKED enum pk_status pk_variants_values(struct pk_values *values, const struct pk_model *model,
                                             const struct pk_scenario *scenario, const struct pk_set *sets,
                                             size_t n_sets, const struct pk_set *extra, size_t n_extra,
                                             struct pk_error *error);

/* Adds a line for each service whose own hazard is below the base hazard for someone; returns how many. */
size_t pk_variants_lowering(const struct pk_plan *plan, const struct pk_model *model, struct pk_text *lines);

#ifdef __cplusplus
}
#endif
#endif
