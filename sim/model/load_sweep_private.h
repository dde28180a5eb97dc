/* What the files that read a sweep share. Not installed. */
#ifndef PK_LOAD_SWEEP_PRIVATE_H
#define PK_LOAD_SWEEP_PRIVATE_H

#include "load_private.h"
#include "polku/sweep.h"

struct pk_load_of_sweep {
    struct pk_load load; /* of the scenario and its model, in the study's arena; scenario NULL: there is none */
    struct pk_sweep *sweep;
    size_t n_named_factors; /* the first ones; those after them: others */
    const char *arms[PK_MAX_ARMS], *outcomes[PK_MAX_OUTCOMES];
};

/* The keys sweep and decision of a study. scenario may be NULL. */
void pk_load_sweep(struct pk_load_of_sweep *s, const struct pk_reader *root);
/* The keys vary, others, leave, and in their midst tied. */
void pk_load_factors(struct pk_load_of_sweep *s, const struct pk_reader *r);
void pk_load_followers(struct pk_load_of_sweep *s, const struct pk_reader *r);
/* Whether a factor or a follower moves a parameter. */
bool pk_load_is_moved(const struct pk_load_of_sweep *s, size_t i_parameter);
/* The key figures; then the key decision of the study. */
void pk_load_figures(struct pk_load_of_sweep *s, const struct pk_reader *r);
void pk_load_decision(struct pk_load_of_sweep *s, const struct pk_reader *root);

#endif
