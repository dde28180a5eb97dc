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
    uint32_t weight; /* in units of 2^-weight_bits */
    uint16_t state;  /* at entry */
    double entry;    /* months after the start, a multiple of a tick; 0: present at the start */
    double age;      /* months, at the start of the scenario (below 0: not yet born), a multiple of a tick */
    double elapsed;  /* months already in the state at entry, a multiple of a tick */
    uint64_t cured;  /* bit per cure that is a person's */
    uint8_t values[PK_MAX_ATTRIBUTES];
    double frailties[PK_MAX_FRAILTIES]; /* [n_frailties] */
};

/* Who there is in one replication: those present at the start, then those who flow in, year by year. A place in this
 * order is an index; an id is the person's own, the same whatever the numbers of other years. */
struct pk_crowd {
    uint64_t n_persons; /* all */
    size_t n_years;
    uint64_t first[PK_MAX_INFLOW_YEARS + 1]; /* [n_years + 1] index of the first who flows in in the year */
};
void pk_crowd_make(const struct pk_plan *plan, uint32_t replication, struct pk_crowd *crowd);
/* The id of an index; ids ascend with indices. */
uint64_t pk_crowd_id(const struct pk_crowd *crowd, uint64_t index);
/* ids[n]: those of n indices from `first` in steps. */
void pk_crowd_ids(const struct pk_crowd *crowd, uint64_t first, uint64_t step, size_t n, uint64_t *ids);

/* The person with an id: at the start ids are 0, 1, ...; who flows in in year y is (y + 1) 2^32 + 0, 1, ... */
void pk_person_make(const struct pk_plan *plan, uint32_t replication, uint64_t id, struct pk_person *person);
/* The same, but attributes that the plan does not read (is_read) are 0: cheaper where the model has many. */
void pk_person_make_read(const struct pk_plan *plan, uint32_t replication, uint64_t id, struct pk_person *person);

/* The state this person starts in in an arm. */
uint16_t pk_person_start_state(const struct pk_plan *plan, const struct pk_plan_arm *arm,
                               const struct pk_person *person);

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
