/* Blocks of people lived by lanes, put together life by life and held against pk_life_run.
 *
 * Whatever lanes.h asks for is asked in lived_block and lived_open alone. Every failure here is the test's. */
#ifndef PK_TESTS_LIVED_H
#define PK_TESTS_LIVED_H

#include "polku/lanes.h"
#include "polku/life.h"

struct lived {
    const struct pk_plan *plan;
    enum pk_vectors vectors;
    struct pk_lane_tables *tables;
    struct pk_lanes *lanes;
    struct pk_persons persons;
    struct pk_stages stages;
    uint64_t *log;        /* [n_log] of the last block, as it came; room for 32 more, as readers of vectors need */
    uint64_t *sorted;     /* [n_log] by person */
    size_t *first;        /* [n + 1] of each person's events in sorted */
    size_t n_log, n_room; /* ... of either */
};

/* NULL, or what lanes leave to the scalar reference. */
const char *lived_why_not(const struct pk_plan *plan);

/* vectors: not none. Fails the test where lanes do not do this plan. */
void lived_open(struct lived *lived, const struct pk_plan *plan, size_t n_people, enum pk_vectors vectors);
void lived_close(struct lived *lived);

/* Makes and lives n people; false: person *failed's life has too many events. */
bool lived_block(struct lived *lived, uint32_t replication, const uint64_t *ids, size_t n, size_t *failed);
/* The i-th of them, as pk_life_run would leave it. */
void lived_life(const struct lived *lived, size_t i, struct pk_life *life);

struct lived_count {
    size_t n_lives, n_events, n_refused; /* n_refused: blocks with a life of too many events */
};
/* n_people of the plan's, evenly among all there are, in blocks of block_size, by every instruction set that this
 * processor has: each life is the reference's, event by event. */
struct lived_count lived_hold(const struct pk_plan *plan, const char *what, uint64_t n_people, size_t block_size);

#endif
