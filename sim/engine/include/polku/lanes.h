/* Many lives at once, the same lives as pk_life_run's.
 *
 * Responsibility: the events of a block of people, as a log. Knows nothing of tallies, arms' names, threads or files.
 * The scalar reference is life.h; what lanes cannot do is left to it (pk_lane_tables_make says what). */
#ifndef PK_LANES_H
#define PK_LANES_H

#include "polku/life.h"
#include "polku/persons.h"
#include "polku/stages.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    PK_LANES_SLOT_BITS = 14,
    PK_LANES_ARC_BITS = 10,
    PK_LANES_MOST_PEOPLE = 1 << PK_LANES_SLOT_BITS /* of a block */
};

/* An event of a block's log: its tick (40 bits), its arc (10) and who (14: the place in the block). Of one person they
 * come in the order of time. */
static inline int64_t pk_logged_tick(uint64_t event)
{
    return (int64_t)(event >> (PK_LANES_SLOT_BITS + PK_LANES_ARC_BITS));
}
static inline uint16_t pk_logged_arc(uint64_t event)
{
    return (uint16_t)(event >> PK_LANES_SLOT_BITS & (PK_MAX_ARCS - 1));
}
static inline size_t pk_logged_slot(uint64_t event)
{
    return (size_t)(event & (PK_LANES_MOST_PEOPLE - 1));
}

/* What is made of a plan for them; made once, read by all threads. */
struct pk_lane_tables;
/* treated: for lives in the arms. NULL where this plan's lives are left to the scalar reference (*why says what for),
 * or without memory. */
struct pk_lane_tables *pk_lane_tables_make(const struct pk_plan *plan, bool treated, const char **why);
void pk_lane_tables_free(struct pk_lane_tables *tables);

/* What a thread has in flight. */
struct pk_lanes;
/* For blocks of at most n_room people. NULL: no memory. */
struct pk_lanes *pk_lanes_make(const struct pk_lane_tables *tables, size_t n_room, enum pk_vectors vectors);
void pk_lanes_free(struct pk_lanes *lanes);

/* Lives all people of the block without treatment. take is called with parts of the log as they come.
 * False: person *failed has more events than a life can hold; pk_life_run says so in words. */
PK_CHECKED bool pk_lanes_live(struct pk_lanes *lanes, const struct pk_persons *persons,
                              void (*take)(const uint64_t *log, size_t n, void *data), void *data,
                              struct pk_stages *stages, size_t *failed);

/* Somebody's life in an arm. */
struct pk_treated {
    size_t i_person; /* of the block */
    struct pk_treatment treatment;
};

/* The lives of n people of the block in arms; the log's slots are their places in `treated`. As long as a service can
 * change what happens the reference lives them one after another; then they go on together. room: for one life.
 * Errors: those of pk_life_run; which of `treated` is then in *failed. */
PK_CHECKED enum pk_status pk_lanes_live_treated(struct pk_lanes *lanes, const struct pk_persons *persons,
                                                const struct pk_treated *treated, size_t n, struct pk_life *room,
                                                void (*take)(const uint64_t *log, size_t n, void *data), void *data,
                                                struct pk_stages *stages, size_t *failed, struct pk_error *error);

/* How events become cells of a tally: group, arc and step. */
struct pk_lane_grid {
    uint64_t step_ticks, n_steps;
    uint64_t one; /* what a cell counts besides the ticks left in the step */
    size_t n_months;
    const uint64_t *step_of_month; /* [n_months] NULL: a step is a month */
    const uint64_t *first_cell;    /* [people] of the person's group; NULL: 0 */
};
/* list: which of n events may be somebody's first into a set of states; sets_of_arc and wanted as in a tally's block.
 * log: readable to 32 events past n. Returns how many; list has room for n and 32 more. */
size_t pk_lanes_entries(enum pk_vectors vectors, const uint64_t *sets_of_arc, const uint64_t *wanted, size_t n,
                        const uint64_t *log, uint64_t *list);
/* log: readable to 32 events past n. places[i], values[i]: which cell the i-th event goes into, and what; both have
 * room for n and 32 more. */
void pk_lanes_cells(enum pk_vectors vectors, const struct pk_lane_grid *grid, size_t n, const uint64_t *log,
                    uint64_t *places, uint64_t *values);

#ifdef __cplusplus
}
#endif
#endif
