/* The kinds of people that a plan's population is made of, with their shares: what the analytic twin averages over.
 *
 * Attributes that enter a hazard or a target group are crossed exactly; ages and times already spent are cut into
 * points of equal probability (or are the plan's own points); frailty is a Gauss quadrature, given survival so far. */
#ifndef PK_KINDS_H
#define PK_KINDS_H

#include "polku/life.h"

#ifdef __cplusplus
extern "C" {
#endif

struct pk_kind {
    double share; /* of the people asked for; shares add up to 1 */
    uint32_t stratum;
    uint16_t i_state;    /* at the start */
    double age, elapsed; /* months at the start */
    uint64_t cured;
    double frailties[PK_MAX_FRAILTIES];
};

struct pk_kinds {
    struct pk_kind *items; /* [n], owned */
    size_t n, room;
    double eligible; /* the share of all people that are in the target group */
};

struct pk_kinds_request {
    const struct pk_plan_target *target; /* only these; NULL: everyone */
    uint64_t new_in;                     /* bit per state: everyone begins a spell in these, in equal shares; 0: as the
                                            population starts */
    size_t n_ages, n_elapsed, n_frailty; /* points; at least 1 */
};

enum { PK_KINDS_MAX = 1 << 20, PK_KINDS_MAX_ROWS = 4096 };

/* Of an imported people table at most PK_KINDS_MAX_ROWS rows are looked at, evenly spaced.
 * Errors: PK_BAD_INPUT (more than PK_KINDS_MAX kinds; nobody), PK_NUMERICAL, PK_NO_MEMORY. */
PK_CHECKED enum pk_status pk_kinds_make(struct pk_kinds *kinds, const struct pk_plan *plan,
                                        const struct pk_kinds_request *request, struct pk_error *error);
void pk_kinds_free(struct pk_kinds *kinds);

/* Puts kinds side by side that differ in the time already spent alone, in its order. */
void pk_kinds_sort(struct pk_kinds *kinds);
/* Whether two kinds differ in their share and in the time already spent alone. */
bool pk_kinds_alike(const struct pk_kind *a, const struct pk_kind *b);

#ifdef __cplusplus
}
#endif
#endif
