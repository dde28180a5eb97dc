/* Who is enrolled: the persons of a target group with the smallest keyed numbers, or the share of it with small ones.
 *
 * A share is decided person by person. For so many persons a scan over any range of people gives tickets; tickets of
 * all ranges together give the winners, whatever the ranges were. Memory is a few times the number of winners, not of
 * people. */
#ifndef PK_LOTTERY_H
#define PK_LOTTERY_H

#include "polku/life.h"
#include "polku/persons.h"

#ifdef __cplusplus
extern "C" {
#endif

struct pk_ticket {
    uint64_t lot, id;
};

struct pk_tickets {
    struct pk_ticket *items; /* [n], owned */
    size_t n, room;
};

/* Ids, ascending, of those whom a lottery of one replication enrols; of a lottery by share there are none. */
struct pk_winners {
    uint64_t *ids; /* [n], owned */
    size_t n;
    bool drawn;
};

/* How many win, of so many eligible. */
uint64_t pk_lottery_persons(const struct pk_plan_lottery *lottery, uint64_t n_eligible);
/* Lots at or below this bound are likely to hold all winners; attempt 0, 1, ... ever surer, at last certain. */
uint64_t pk_lottery_bound(const struct pk_plan *plan, size_t i_lottery, unsigned attempt);

/* Appends the eligible people among ids [from, to) whose lot is at most bound. Errors: PK_NO_MEMORY. */
PK_CHECKED enum pk_status pk_lottery_scan(const struct pk_plan *plan, size_t i_lottery, uint32_t replication,
                                          uint64_t from, uint64_t to, uint64_t bound, enum pk_vectors vectors,
                                          struct pk_tickets *tickets, struct pk_error *error);

/* Joins n parts (freed) into the ascending ids of the winners (owned by the caller, pk_free).
 * *enough: all winners are among the tickets; if false, nothing was made: scan again with the next bound. */
PK_CHECKED enum pk_status pk_lottery_draw(const struct pk_plan *plan, size_t i_lottery, uint64_t bound,
                                          struct pk_tickets *parts, size_t n_parts, bool *enough, uint64_t **winners,
                                          size_t *n_winners, struct pk_error *error);

/* The first place in winners[n], ascending, at or above id; n if there is none. */
size_t pk_lottery_place(const uint64_t *winners, size_t n, uint64_t id);

/* won[i]: the lotteries that the i-th of n ascending ids wins (bit per lottery). */
void pk_lottery_won(const struct pk_winners *winners, size_t n_lotteries, const uint64_t *ids, size_t n, uint64_t *won);
/* The next id at or above this one that wins any; UINT64_MAX: none. */
uint64_t pk_lottery_next(const struct pk_winners *winners, size_t n_lotteries, uint64_t id);

/* The lotteries by share that a person wins (bit per lottery). */
uint64_t pk_lottery_shares(const struct pk_plan *plan, const struct pk_person *person);

/* Who was given places in one arm of one replication, and when: for each person all that the arm enrols in. lost: the
 * tick of an event that somebody else got, 0: none; NULL: nobody lost any. */
struct pk_granted {
    size_t n;                  /* people who asked for a place, or lost an event to others */
    uint64_t *ids;             /* [n] ascending, owned */
    uint32_t *first;           /* [n + 1] where each one's items begin, owned */
    struct pk_enrolled *items; /* owned */
    int64_t *lost;             /* [n] owned */
};
void pk_granted_free(struct pk_granted *granted);

/* What an arm does to a person who wins the lotteries in the mask (bit per lottery); false where it does nothing.
 * person NULL: anyone there at the start, who starts as without treatment. granted [n_arms]: what places have decided;
 * NULL: no places. items [PK_MAX_ENROLMENTS]: where the treatment's may stand. */
bool pk_lottery_treatment(const struct pk_plan *plan, size_t i_arm, uint64_t lotteries, const struct pk_person *person,
                          const struct pk_granted *granted, struct pk_enrolled *items, struct pk_treatment *treatment);

#ifdef __cplusplus
}
#endif
#endif
