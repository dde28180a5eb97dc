/* A walk from one set of assumptions to the scenario's own: which runs it needs, and what each step contributes.
 *
 * A step's contribution depends on which others are on. Three are told: in the stated order, before all others and
 * after all others. The runs are variants (see variants.h) on the same random numbers, so that differences between them
 * are paired by replication or batch, as differences between arms are. */
#ifndef PK_BRIDGE_H
#define PK_BRIDGE_H

#include "polku/store.h"
#include "polku/variants.h"

#ifdef __cplusplus
extern "C" {
#endif

struct pk_bridge_run { /* what is set otherwise than in the main run */
    const char *name;
    size_t n_sets;
    struct pk_set *sets; /* [n_sets] */
};

struct pk_bridge_work {
    size_t n_stages;                       /* 1 + steps; 0: there is no bridge */
    size_t n_runs;                         /* beside the main run */
    struct pk_bridge_run *runs;            /* [n_runs] */
    size_t *of_value, *of_first, *of_last; /* [n_stages] the run of each set of steps; SIZE_MAX: the main run */
    struct pk_bridge_figures figures;      /* once told */
    struct pk_arena arena;
};

/* Which runs the scenario's bridge needs: one for each different set of values, none for the scenario's own, unless
 * the main run of so many replications is divided into other batches than variants are. sets[n_sets]: overrides from
 * the command line. Errors: PK_BAD_INPUT: those lead away from where the bridge ends; PK_NO_MEMORY. */
PK_CHECKED enum pk_status pk_bridge_init(struct pk_bridge_work *work, const struct pk_model *model,
                                         const struct pk_scenario *scenario, const struct pk_set *sets, size_t n_sets,
                                         int64_t n_replications, struct pk_error *error);
/* The figures, after the main run and the variants, of which the last n_runs are the bridge's. Errors: PK_NO_MEMORY. */
PK_CHECKED enum pk_status pk_bridge_tell(struct pk_bridge_work *work, const struct pk_scenario *scenario,
                                         const struct pk_values *values, const struct pk_run *run,
                                         const struct pk_variants *variants, struct pk_error *error);
void pk_bridge_free(struct pk_bridge_work *work);

#ifdef __cplusplus
}
#endif
#endif
