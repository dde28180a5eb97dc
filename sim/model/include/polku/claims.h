/* What a claims file says: figures that somebody has printed, the scenario that reconstructs each with that somebody's
 * own assumptions, and the scenarios that tell the same where people live on.
 *
 * Responsibility: the data only. Names of outcomes and arms are those of the scenarios named, which the loader has
 * seen. Everything is owned by the arena of the claims. */
#ifndef PK_CLAIMS_H
#define PK_CLAIMS_H

#include "polku/load.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { PK_MAX_CLAIMS = 500, PK_MAX_DYNAMIC = 16 };
#define PK_CLAIM_TOLERANCE 1e-9 /* relative: figures that differ by no more are the same */

/* An outcome of an arm of a scenario, or the difference from another arm's, in the claim's unit. */
struct pk_claim_figure {
    size_t i_scenario;
    const char *outcome, *arm;
    const char *against;   /* NULL: the arm's own */
    double times;          /* not 0: what the scenario tells is multiplied by it */
    struct pk_label label; /* of one of several; "" where there is one alone */
};

struct pk_claim {
    const char *name;
    struct pk_label says;
    double printed;
    const char *unit;
    struct pk_source source;
    struct pk_claim_figure reconstruction;
    double gives; /* what the arithmetic of the reconstruction gives */
    size_t gives_line, gives_column;
    const char *assumes;
    const char *gap; /* why printed and gives differ; NULL: they do not */
    size_t n_dynamic;
    struct pk_claim_figure *dynamic; /* [n_dynamic] */
    const char *no_dynamic;          /* why there is none; NULL where there is */
    const char *inconsistent;        /* NULL: nothing contradicts it */
};

struct pk_claims_scenario {
    const char *file; /* as written */
    const char *path; /* beside the claims */
    const char *name; /* the scenario's own */
};

struct pk_claims {
    struct pk_arena arena;
    const char *name, *title, *file;
    size_t n_claims, n_scenarios;
    struct pk_claim *claims;
    struct pk_claims_scenario *scenarios; /* [n_scenarios] each file once, in the order they are named */
};

/* Reads a claims file and every scenario that it names (relative to it). Warnings of those are left to whoever runs
 * them. Errors: as pk_load_scenario; PK_IO where a scenario is not there. */
PK_CHECKED enum pk_status pk_load_claims(const char *path, const struct pk_load_options *options,
                                         struct pk_claims *claims, struct pk_problems *problems);
/* The same from a text, about one scenario and its model that are loaded already, whatever files it names. */
PK_CHECKED enum pk_status pk_load_claims_text(const char *name, const char *text, size_t size, struct pk_claims *claims,
                                              struct pk_scenario *scenario, struct pk_model *model,
                                              struct pk_problems *problems);
void pk_claims_free(struct pk_claims *claims);

/* Whether two figures are the same, but for rounding. */
bool pk_claims_same(double figure, double other);

#ifdef __cplusplus
}
#endif
#endif
