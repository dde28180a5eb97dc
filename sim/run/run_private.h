/* One block of people: what the files that run share. Not installed. */
#ifndef PK_RUN_PRIVATE_H
#define PK_RUN_PRIVATE_H

#include "polku/places.h"
#include "polku/run.h"

/* The log of a block that is kept to put lives together. */
struct pk_kept {
    uint64_t *log; /* [n] in the order of events within a person */
    size_t n, room;
    bool failed;     /* no memory */
    uint32_t *first; /* [n_room + 1] where each person's begin in `sorted` */
    uint64_t *sorted;
};

/* ---- kept.c ---- */

/* Without memory kept->failed is set. */
void pk_kept_add(struct pk_kept *kept, const uint64_t *log, size_t n);
/* By person; within a person the order stays. */
void pk_kept_sort(struct pk_kept *kept, size_t n_persons);
/* The life of one of them, once sorted; start: its first state. */
void pk_kept_life(const struct pk_kept *kept, size_t slot, const struct pk_person *person, uint16_t start,
                  struct pk_life *life);
void pk_kept_free(struct pk_kept *kept);

/* What a thread needs for its people. */
struct pk_worker {
    struct pk_batch batch; /* its own tallies, joined into a unit's when it turns to another ... */
    size_t i_unit_held;    /* ... of this unit of the wave; SIZE_MAX: empty */
    struct pk_life base;
    struct pk_life *arms; /* [n_arms] */
    struct pk_persons persons;
    struct pk_lanes *lanes, *arm_lanes; /* NULL: one life after another */
    struct pk_tally_block *blocks;      /* [n_shapes] */
    uint64_t *any_arc;                  /* [n_arcs] all bits */
    uint64_t *lotteries;                /* [people at once] bit per lottery that the person has won */
    struct pk_kept kept, kept_arms;
    struct pk_treated *treated; /* [people at once] lives in arms, by person and arm ... */
    struct pk_enrolled *items;  /* [people at once][PK_MAX_ENROLMENTS] their enrolments */
    uint8_t *arm_of;            /* ... and in which arm */
    struct pk_stages stages;
    char apart[256]; /* what one thread writes must not lie beside what the next one reads */
};

enum { PK_PEOPLE_AT_ONCE = 4096, PK_LOG_AT_ONCE = 256 /* of lanes: parts of a log */ };
_Static_assert((int)PK_PEOPLE_AT_ONCE <= (int)PK_LANES_MOST_PEOPLE, "an event has room for every person");

/* tables, arm_tables: NULL where lives, or those in arms, are left to the scalar reference. Errors: PK_NO_MEMORY. */
PK_CHECKED enum pk_status pk_worker_init(struct pk_worker *worker, const struct pk_collection *collection,
                                         const struct pk_lane_tables *tables, const struct pk_lane_tables *arm_tables,
                                         enum pk_vectors vectors, struct pk_error *error);
void pk_worker_free(struct pk_worker *worker);

struct pk_task { /* a block of people of one unit */
    size_t i_unit_in_wave;
    uint32_t replication;
    uint64_t i_batch;
    uint64_t from, to; /* the places i_batch + k n_batches in the crowd for k in [from, to) */
    bool alone;        /* the only task of its unit: may use the unit's tallies directly */
};

/* What a block needs to know of its replication and unit. */
struct pk_block {
    const struct pk_plan *plan;
    const struct pk_crowd *crowd;
    const struct pk_winners *winners; /* [n_lotteries] */
    const struct pk_granted *granted; /* [n_arms] NULL: nobody waits for a place */
    uint64_t shares;                  /* bit per lottery that is decided person by person */
    uint64_t n_batches;
    enum pk_vectors vectors; /* chosen */
    bool enrolled_only;
};

/* Lives the people of a task into the batch. On an error *failed is the person. */
PK_CHECKED enum pk_status pk_block_run(const struct pk_block *block, const struct pk_task *task,
                                       struct pk_worker *worker, struct pk_batch *batch, uint64_t *failed,
                                       struct pk_error *error);

/* ---- run_lotteries.c ---- */

/* The winners [n_replications][n_lotteries] of the lotteries for so many persons, but for those drawn already. */
PK_CHECKED enum pk_status pk_run_lotteries(const struct pk_plan *plan, uint32_t first_replication,
                                           uint32_t n_replications, int n_threads, enum pk_vectors vectors,
                                           struct pk_winners *winners, struct pk_error *error);

/* ---- run_places.c: who gets a place, before lives are lived
 * ----------------------------------------------------------
 */

/* What that needs: NULL: no memory. */
struct pk_placing;
struct pk_placing *pk_placing_make(const struct pk_plan *plan, int n_threads, enum pk_vectors vectors);
void pk_placing_free(struct pk_placing *placing);
uint64_t pk_placing_events(const struct pk_placing *placing);

/* Of one replication. */
struct pk_placed {
    struct pk_granted *granted; /* [n_arms] */
    struct pk_queues *queues;   /* [n_arms] without stations where nobody asks */
};
void pk_placed_free(struct pk_placed *placed, const struct pk_plan *plan);

/* All arms of a replication. Lotteries must be drawn; the winners of those that are known only by who asks are told.
 * i_worker: whose room to use, on its thread alone; -1: on all. Errors: those of pk_life_run, with the person. */
PK_CHECKED enum pk_status pk_place_people(struct pk_placing *placing, const struct pk_crowd *crowd,
                                          struct pk_winners *winners, uint32_t replication, int i_worker,
                                          struct pk_placed *placed, uint64_t *failed, struct pk_error *error);

/* ---- saved.c: finished units of a run, kept beside the result in case the run is interrupted ------------------------
 */

struct pk_saved {
    const char *path;  /* NULL: nothing is kept */
    uint64_t identity; /* of the run: plan, texts, values, replications */
    int64_t n_batches;
    double last; /* when it was last written, seconds */
};

/* Takes up what an interrupted run of the same identity left; *n_units is then what is done (0: nothing, or a file that
 * is not ours or not of this run, which is left alone until the first save). */
void pk_saved_resume(struct pk_saved *saved, struct pk_fold *fold, size_t *n_units);
/* Writes the fold; a failure is no error of the run. */
void pk_saved_write(struct pk_saved *saved, struct pk_fold *fold);

#endif
