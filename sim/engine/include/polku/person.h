/* One synthetic person as the plan's distributions and keys make them, and who is enrolled.
 *
 * Every field is a function of (seed, replication, id): nothing depends on other people. */
#ifndef PK_PERSON_H
#define PK_PERSON_H

#include "polku/plan.h"

#ifdef __cplusplus
extern "C" {
#endif

struct pk_person {
    uint64_t id;
    uint32_t replication;
    uint32_t stratum;
    uint16_t state; /* at start */
    double age;     /* months at start, a multiple of a tick */
    double elapsed; /* months already in the state at start, a multiple of a tick */
    uint8_t values[PK_MAX_ATTRIBUTES];
};

void pk_person_make(const struct pk_plan *plan, uint32_t replication, uint64_t id, struct pk_person *person);

bool pk_person_is_eligible(const struct pk_plan *plan, const struct pk_plan_target *target,
                           const struct pk_person *person);

/* The person's place in the lottery of a target group: smaller is earlier. */
uint64_t pk_person_lot(const struct pk_plan *plan, size_t i_target, uint32_t replication, uint64_t id);

/* The p-quantile of a distribution in months. IEEE-exact operations only. */
double pk_distribution_quantile(const struct pk_plan_distribution *distribution, double p);

#ifdef __cplusplus
}
#endif
#endif
