/* Who is enrolled in one replication: winners of lotteries, and what places decide.
 *
 * For those who want one replication's people apart from a run: the event log, one person's story. */
#ifndef PK_ENROLLED_H
#define PK_ENROLLED_H

#include "polku/places.h"

#ifdef __cplusplus
extern "C" {
#endif

struct pk_people_enrolled {
    const struct pk_plan *plan;
    struct pk_crowd crowd;
    struct pk_winners *winners; /* [n_lotteries], owned */
    struct pk_granted *granted; /* [n_arms], owned; NULL: nobody's enrolment depends on others */
    struct pk_queues *queues;   /* [n_arms], owned; NULL: the same */
};

/* n_threads 0: all the cores that OpenMP gives. Errors: PK_NO_MEMORY, those of a life. */
PK_CHECKED enum pk_status pk_people_enrol(struct pk_people_enrolled *enrolled, const struct pk_plan *plan,
                                          uint32_t replication, int n_threads, struct pk_error *error);
void pk_people_enrolled_free(struct pk_people_enrolled *enrolled);
/* The lotteries that a person wins, by share too. */
uint64_t pk_people_won(const struct pk_people_enrolled *enrolled, const struct pk_person *person);

#ifdef __cplusplus
}
#endif
#endif
