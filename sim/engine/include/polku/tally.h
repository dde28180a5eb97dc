/* Integer tallies of lives: counts and ticks by group, arc and step.
 *
 * Responsibility: one 64-bit add an event, and what can be read off afterwards. All is integer, so the order of
 * people, blocks, threads and shards cannot matter. Knows nothing of arms, names or files.
 *
 * Step j covers the times (j L, (j+1) L] for steps of L months; occupancy at j L counts the events at or before it.
 *
 * A closed shape counts people who are there from the start. An open one has two rows more a state, "enters s" and
 * "leaves s" (from and to nowhere): someone who flows in enters, and who passes an age cut leaves in the old age group
 * and enters in the new one at the same tick. So occupancy and person-time by attained age are exact. An event at the
 * very tick of a cut counts in the age attained.
 *
 * Where people have weights everything counts in units of 2^-weight_bits; values are scaled when they are folded. */
#ifndef PK_TALLY_H
#define PK_TALLY_H

#include "polku/lanes.h"
#include "polku/life.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { PK_MAX_ENTRY_SETS = 60 };

/* Who is counted; asked once a person and shape. */
struct pk_tally_filter {
    const uint8_t *allowed;           /* [PK_MAX_ATTRIBUTES][256] values; NULL: any; borrowed */
    bool entrants;                    /* only who enters after the start, within ... */
    int64_t entered_from, entered_to; /* ticks, half open */
};

/* What is told apart; shared by all tallies of one kind. */
struct pk_tally_shape {
    size_t n_groups, n_states, n_arcs, n_steps, n_entry_sets;
    int64_t step_ticks;
    size_t strides[PK_MAX_ATTRIBUTES];      /* group = sum of strides[a] * value[a] + age group; 0: not told apart */
    uint64_t entry_sets[PK_MAX_ENTRY_SETS]; /* bit per state: first entries into these are counted */
    const uint16_t *arc_from, *arc_to;      /* [n_arcs] states, borrowed */
    bool open;                              /* people flow in, or ages are told apart */
    bool weighted;                          /* people count by their weight; else each counts 1 */
    bool ages_at_entry;                     /* ages at first entries are added up; people must have ages */
    size_t n_ages;                          /* cuts of attained age; groups are attributes x (n_ages + 1) */
    const int64_t *age_ticks;               /* [n_ages] ascending, borrowed; open only */
    const struct pk_tally_filter *filter;   /* borrowed; NULL: everybody counts */
};

/* Arcs, then in an open shape "enters s" and then "leaves s" for each state. */
static inline size_t pk_tally_rows(const struct pk_tally_shape *shape)
{
    return shape->n_arcs + (shape->open ? 2 * shape->n_states : 0);
}

/* Packs a count (high bits) and the ticks left in the step (low 44 bits) into one word; flushed before it can
 * overflow. */
struct pk_tally {
    const struct pk_tally_shape *shape;
    bool special;        /* anything beyond a closed shape of everybody, each counting 1 */
    uint64_t *cells;     /* [n_groups][rows][n_steps] not yet flushed */
    size_t n_pending;    /* events, times weight, since the last flush */
    size_t most_pending; /* ... before a cell could overflow */
    int64_t *counts;     /* [n_groups][rows][n_steps] events */
    int64_t *remainders; /* [n_groups][rows][n_steps] ticks from the event to the end of its step, summed */
    int64_t *starts;     /* [n_groups][n_states] persons at the start */
    int64_t *entries;    /* [n_entry_sets][n_groups][n_steps] first entries */
    int64_t *entry_ages; /* the same: ages at them, ticks, summed; NULL: not wanted */
    int64_t n_persons;
    int64_t n_events; /* lived, whatever they weigh */
};

/* Shapes hold at most 2^31 cells. Errors: PK_BAD_INPUT (too large a table, too long a step), PK_NO_MEMORY. */
PK_CHECKED enum pk_status pk_tally_init(struct pk_tally *tally, const struct pk_tally_shape *shape,
                                        struct pk_error *error);
void pk_tally_free(struct pk_tally *tally);
void pk_tally_clear(struct pk_tally *tally);

/* Adds one life of one person. */
void pk_tally_add(struct pk_tally *tally, const struct pk_person *person, const struct pk_life *life);

/* What a thread keeps of a block of people while it tallies their log: one for each shape. */
struct pk_tally_block {
    uint64_t *groups, *first_cells; /* [n_room] NULL: one group */
    uint64_t *wanted;               /* [n_room] bit per entry set that the person has not entered; NULL: no sets */
    uint64_t *sets_of_arc;          /* [n_arcs] bit per entry set that it leads into */
    int64_t *ages;                  /* [n_room] at the start, ticks; NULL: not wanted */
    uint64_t *step_of_month;        /* [months] NULL: a step is a month */
};
/* Errors: PK_NO_MEMORY. */
PK_CHECKED enum pk_status pk_tally_block_init(struct pk_tally_block *block, const struct pk_tally_shape *shape,
                                              size_t n_room, struct pk_error *error);
void pk_tally_block_free(struct pk_tally_block *block);

/* Whether a tally of this shape can be told from the log of a block alone: a closed one of everybody, each counting 1.
 * Others need whole lives. */
static inline bool pk_tally_takes_log(const struct pk_tally_shape *shape)
{
    return !shape->open && !shape->weighted && shape->filter == NULL;
}
/* Everybody of the block enters; then their events, in parts as they come. Together: pk_tally_add for each of them. */
void pk_tally_enter(struct pk_tally *tally, const struct pk_persons *persons, struct pk_tally_block *block);
void pk_tally_log(struct pk_tally *tally, struct pk_tally_block *block, const uint64_t *log, size_t n,
                  enum pk_vectors vectors);

/* into += from (sign 1) or -= from (sign -1); both of one shape. */
void pk_tally_merge(struct pk_tally *into, struct pk_tally *from, int sign);

/* persons[n_steps + 1]: persons of the group in the state at times 0, L, 2 L, ... */
void pk_tally_occupancy(struct pk_tally *tally, size_t i_group, size_t i_state, int64_t *persons);
/* ticks[n_steps]: person-time of the group in the state within each step. occupancy: as from pk_tally_occupancy. */
void pk_tally_person_time(struct pk_tally *tally, size_t i_group, size_t i_state, const int64_t *occupancy,
                          int64_t *ticks);

/* Brings what is still packed into counts and remainders, for those who read them directly. */
void pk_tally_flush(struct pk_tally *tally);

/* Bytes that a tally of this shape takes. */
uint64_t pk_tally_bytes(const struct pk_tally_shape *shape);

#ifdef __cplusplus
}
#endif
#endif
