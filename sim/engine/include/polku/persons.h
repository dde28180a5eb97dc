/* Many people at once, column by column: the same people as pk_person_make_read makes, one by one.
 *
 * Every field is a function of (seed, replication, id): nothing depends on other people. */
#ifndef PK_PERSONS_H
#define PK_PERSONS_H

#include "polku/person.h"
#include "polku/vectors.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A block of people; room for n_room of them. Columns are aligned for vectors and padded. */
struct pk_persons {
    const struct pk_plan *plan;
    size_t n_room, n;
    uint32_t replication;
    uint64_t *ids;                       /* [n] ascending; the caller's */
    uint64_t *keys;                      /* [n] what of the random key stays the same through a life */
    uint64_t *states, *strata;           /* [n] as in struct pk_person */
    double *entries, *ages, *elapsed;    /* [n] months */
    double *frailties[PK_MAX_FRAILTIES]; /* [n] */
    uint64_t *cured;                     /* [n] bit per cure that is a person's; NULL without cures */
    uint8_t *values[PK_MAX_ATTRIBUTES];  /* [n] 0 of attributes that the plan does not read (plan.h, is_read) */
    double *uniforms;                    /* [n] scratch */
    void *memory;
};

/* Errors: PK_NO_MEMORY. */
PK_CHECKED enum pk_status pk_persons_init(struct pk_persons *persons, const struct pk_plan *plan, size_t n_room,
                                          struct pk_error *error);
void pk_persons_free(struct pk_persons *persons);

/* Makes the n people whose ids stand in persons->ids. */
void pk_persons_make(struct pk_persons *persons, uint32_t replication, size_t n, enum pk_vectors vectors);

/* into: some of the people again, in this order; into has the same plan and room for n. */
void pk_persons_pick(const struct pk_persons *persons, const size_t *which, size_t n, struct pk_persons *into);

/* Of the n ids from `from` on, none past a multiple of 2^32, those whose place in the lottery of a target group
 * (pk_person_lot) is at most the bound: their ids and places. Both have room for n and 32 more. Returns how many. */
size_t pk_persons_lots(const struct pk_plan *plan, size_t i_target, uint32_t replication, uint64_t from, size_t n,
                       uint64_t bound, enum pk_vectors vectors, uint64_t *ids, uint64_t *lots);

/* The i-th of them as pk_person_make_read would have made it. */
void pk_persons_person(const struct pk_persons *persons, size_t i, struct pk_person *person);

#ifdef __cplusplus
}
#endif
#endif
