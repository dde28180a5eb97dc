/* Who is enrolled: the persons of a target group with the smallest keyed numbers.
 *
 * A scan over any range of people gives tickets; tickets of all ranges together give the winners, whatever the ranges
 * were. Memory is a few times the number of winners, not of people. */
#ifndef PK_LOTTERY_H
#define PK_LOTTERY_H

#include "polku/life.h"

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

/* Lots at or below this bound are likely to hold all winners; attempt 0, 1, ... ever surer, at last certain. */
uint64_t pk_lottery_bound(const struct pk_plan *plan, size_t i_lottery, unsigned attempt);

/* Appends the eligible people among ids [from, to) whose lot is at most bound. Errors: PK_NO_MEMORY. */
PK_CHECKED enum pk_status pk_lottery_scan(const struct pk_plan *plan, size_t i_lottery, uint32_t replication,
                                          uint64_t from, uint64_t to, uint64_t bound, struct pk_tickets *tickets,
                                          struct pk_error *error);

/* Joins n parts (freed) into the ascending ids of the winners (owned by the caller, pk_free).
 * *enough: all winners are among the tickets; if false, nothing was made: scan again with the next bound. */
PK_CHECKED enum pk_status pk_lottery_draw(const struct pk_plan *plan, size_t i_lottery, uint64_t bound,
                                          struct pk_tickets *parts, size_t n_parts, bool *enough, uint64_t **winners,
                                          size_t *n_winners, struct pk_error *error);

/* The first place in winners[n], ascending, at or above id; n if there is none. */
size_t pk_lottery_place(const uint64_t *winners, size_t n, uint64_t id);

/* What an arm does to a person who wins the lotteries in the mask (bit per lottery); n is 0 where it does nothing. */
void pk_lottery_treatment(const struct pk_plan *plan, size_t i_arm, uint64_t lotteries, struct pk_treatment *treatment);

#ifdef __cplusplus
}
#endif
#endif
