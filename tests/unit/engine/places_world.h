/* Small random worlds with scarce places, and calendars run on them as runs do. Every failure here is the test's. */
#ifndef PK_TESTS_PLACES_WORLD_H
#define PK_TESTS_PLACES_WORLD_H

#include "polku/places.h"
#include "support.h"

/* whole_months: whatever has a time of its own has it at whole months, so that much happens at the same tick.
 * False: not a world (two services for everybody on one transition); nothing to close. */
bool places_invent(uint64_t number, bool whole_months, struct support_world *world);

/* Everybody in a replication. */
struct places_people {
    uint32_t replication;
    size_t n;
    uint64_t *ids, *lotteries; /* [n] */
};
void places_people_make(const struct pk_plan *plan, uint32_t replication, struct places_people *people);
void places_people_free(struct places_people *people);

struct places_how {
    size_t block;       /* people looked at together; 0: all */
    bool one_component; /* all stations in one */
    bool backwards;     /* the last component first, the last block first */
};
struct places_result {
    struct pk_granted granted;
    struct pk_queues queues;
    size_t n_components;
};
void places_run(const struct pk_plan *plan, size_t i_arm, const struct places_people *people,
                const struct places_how *how, struct places_result *result);
void places_result_free(struct places_result *result);

/* What a person was given; false: they never asked. */
bool places_given(const struct places_result *result, uint64_t id, const struct pk_enrolled **items, size_t *n);

#endif
