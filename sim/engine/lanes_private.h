/* Many lives at once: the tables they gather from, the columns they stand in, and what each instruction set compiles.
 * See lanes.h. Not installed.
 *
 * A lane is one life on its way. Its columns are arrays over lanes; a round takes every lane to its next event, stage
 * by stage, each stage one loop over columns that stay in the first-level cache. A lane whose life is over takes up the
 * next person, so that loops stay full without a branch; when there is none left the last lane moves into its place. */
#ifndef PK_LANES_PRIVATE_H
#define PK_LANES_PRIVATE_H

#include "polku/lanes.h"

enum {
    PK_LANES = 256,             /* in flight at once; a multiple of PK_LANES_STEP */
    PK_LANES_STEP = 32,         /* columns are padded to it: loops have no rest */
    PK_LANES_COUNTERS = 5,      /* spell counters to a word, of ... */
    PK_LANES_COUNTER_BITS = 12, /* ... PK_LIFE_MAX_EVENTS spells fit */
    PK_LANES_SMALL = 8,         /* tables of so many entries fit a register */
    PK_LANES_BUCKETS = 64,
    PK_LANES_MAX_DEPTH = 8,
    PK_LANES_MOST_CUTS = (1 << PK_LANES_MAX_DEPTH) - 1,
    PK_LANES_MAX_TIMERS = 4, /* of one state */
    PK_LANES_MAX_BIRTHS = 32,
    PK_LANES_MAX_EXCESS = 4 /* of one state */
};

_Static_assert(PK_LANES % PK_LANES_STEP == 0, "columns are padded");
_Static_assert((int)PK_MAX_ARCS == 1 << PK_LANES_ARC_BITS, "an event has room for every arc");
_Static_assert((int)PK_LIFE_MAX_EVENTS + 1 < 1 << PK_LANES_COUNTER_BITS, "spells do not run into each other");

/* Which clock: as masks choose it, so that lanes may differ. */
enum pk_lane_clock { PK_LANE_SINCE_START, PK_LANE_SINCE_ENTRY, PK_LANE_SINCE_BIRTH, PK_LANE_MIXED };

/* Where an arc leads, in one word: the arc where a log's event has it, the state, and whether a life is over there. */
#define PK_LANE_WAY(arc, to, over)                                                                                     \
    ((uint64_t)(arc) << PK_LANES_SLOT_BITS | (uint64_t)(to) << 32 | (uint64_t)(over) << 63)

/* ... in a word that is yet to be drawn among several destinations. */
#define PK_LANE_SPLIT (UINT64_C(1) << 62)
#define PK_LANE_WAY_ARC(way) ((size_t)((way) >> PK_LANES_SLOT_BITS & (PK_MAX_ARCS - 1)))

/* Cuts of several tables, all padded to 2^depth - 1 with infinities. Where there are many, one looks into the bucket
 * of a value first: which cuts are surely below it, and then at most n_steps more. */
struct pk_lane_cuts {
    unsigned depth; /* 0: no cuts in any table */
    double *cuts;   /* [n][2^depth] ascending, then infinite */
    bool bucketed;
    unsigned n_steps;
    double low, per_width;
    uint64_t *buckets; /* [n][PK_LANES_BUCKETS] */
};

/* Piecewise constant hazards. */
struct pk_lane_rates {
    struct pk_lane_cuts cuts;
    double *levels, *intercepts; /* [n][2^depth] as in struct pk_rate */
    double *reached;             /* [n][2^depth] then infinite */
    bool one;                    /* there is but one */
};

/* One axis of every state; a state with fewer axes has an empty one. */
struct pk_lane_axis {
    struct pk_lane_cuts cuts; /* of each state */
    enum pk_lane_clock clock; /* of all states that have cuts */
    size_t n_arcs;            /* most of a state */
    uint64_t *clocks;         /* [n_states] */
    uint64_t *first_rows;     /* [n_states] */
    uint64_t *n_segments;     /* [n_states] rows are [stratum][segment] */
    double *rows; /* [n_rows][n_arcs] the total, then all running sums but the last; infinite where no later arc
                     has a hazard; small: [n_arcs][PK_LANES_SMALL] */
};

struct pk_lane_timer {                  /* the k-th of every state */
    double *values;                     /* [n_states] infinite: none */
    size_t n_births;                    /* 0 unless values are by date of birth */
    const double *births;               /* [n_births] the same of every state that has any */
    double *later[PK_LANES_MAX_BIRTHS]; /* [n_births][n_states] of those born from then on */
    uint64_t *clocks;                   /* [n_states] */
    enum pk_lane_clock clock;           /* of all states that have one */
    uint64_t i_way;                     /* + state: into the ways */
};

struct pk_lane_excess { /* the k-th of every state: of a common hazard */
    bool any, any_single;
    uint64_t i_way;    /* + state: into the ways */
    uint64_t *columns; /* [n_states] first word of the lanes' exponential; UINT64_MAX: none */
    uint64_t *commons; /* [n_states] which common hazard */
    double *factors;   /* [n_states][n_strata] 0: none */
    uint64_t *single;  /* [n_states] the arc where it is parametric or a person's own; UINT64_MAX: it is not */
};

/* What is made of a plan; read by all threads. */
struct pk_lane_tables {
    struct pk_arena arena;
    const struct pk_plan *plan;
    uint64_t schedule[20]; /* Philox's round keys */
    double until;
    bool few;     /* states: tables by state fit a register */
    bool small;   /* one stratum, no cuts, few states: tables fit registers */
    bool fused;   /* small, and nothing but base hazards: a round is one loop */
    bool treated; /* lives in arms, which begin in the reference */
    bool uses_age, uses_elapsed, carries;
    bool all_draw, all_base; /* every living state has base hazards; ones that are summed */
    bool any_base;           /* some state has such */
    bool any_single;         /* some state's base hazards are spent lane by lane */
    bool any_split;          /* some fixed time has several destinations */
    size_t n_axes, n_chosen, n_counter_words, n_streams, n_timers, n_excess;
    struct pk_lane_axis axes[PK_MAX_AXES];
    uint64_t *ways;     /* [n_states][n_chosen] by the place of the arc among the state's axes; then [n_states] for each
                           common hazard, fixed time and excess */
    uint64_t *purposes; /* [n_states] the stream of base events, with their role */
    uint64_t *streams;  /* [n_states] numbered densely */
    uint64_t *shifts, *words; /* [n_states] where the stream's spells are counted */
    uint64_t *has_base;       /* [n_states] all bits or none: base hazards that are summed */
    uint64_t *draws;          /* [n_states] has base hazards at all */
    uint64_t *single_ways;    /* [n_states] of base hazards spent lane by lane: where their arcs' ways begin */
    bool *single;             /* [n_states] ... and are spent lane by lane */
    uint64_t *together;       /* [n_together] states of these whose hazards have vectors, spent a state at a time */
    size_t n_together;
    uint64_t *split_ways;  /* [n_states] where those of the destinations of fixed times begin */
    uint64_t *stay_places; /* [n_states] which counter counts the stays there; UINT64_MAX: nothing asks for it */
    size_t n_stay_words;
    struct pk_lane_rates rates; /* common hazards' */
    size_t n_common;
    uint64_t *excess_purposes; /* [plan's n_excess] */
    uint64_t i_common_way;     /* + k n_states + state: into the ways */
    uint64_t *common_rates;    /* [n_common][n_strata] which of rates */
    double *common_factors;    /* [n_common][n_strata] */
    uint64_t *common_purposes; /* [n_common] */
    uint64_t *common_clocks;   /* [n_common] */
    bool *common_form;         /* [n_common] one of the forms with vectors */
    bool *common_single;       /* [n_common] parametric, or a person's own */
    struct pk_lane_timer timers[PK_LANES_MAX_TIMERS];
    struct pk_lane_excess excess[PK_LANES_MAX_EXCESS];
    size_t n_ways, n_columns;
    /* columns of the lanes; SIZE_MAX: not needed */
    size_t i_age, i_zero, i_stratum, i_used, i_stays, i_common, i_excess, i_open, i_left, i_mark;
};

/* Columns that every lane has. */
enum { PK_LANE_PERSON, PK_LANE_STATE, PK_LANE_SLOT, PK_LANE_ENTRY, PK_LANE_FIXED };

/* What a thread has in flight. */
struct pk_lanes {
    const struct pk_lane_tables *tables;
    const struct pk_lane_ops *ops;
    uint64_t *columns; /* [n_columns][PK_LANES] */
    size_t n;          /* lanes in use, [0, n) */
    /* of one round, by lane */
    double *time;  /* of the next event */
    uint64_t *way; /* ... and where to: into the tables' ways */
    uint64_t *purpose, *occurrence;
    double *left, *mark;
    uint64_t *stay;     /* which stay in its state this is, where anything asks for it */
    uint64_t *finished; /* lanes whose life is over */
    size_t n_finished;
    uint64_t *log;
    uint64_t *since;                  /* [PK_LANES] the round in which the lane was taken up */
    const struct pk_persons *persons; /* by slot */
    double *common;                   /* [n_common][n_room] when it strikes whom of the block */
    double *excess;                   /* [n_excess][n_room] exponentials above the common hazards */
    struct pk_lane_copy {
        const uint64_t *from; /* [people of the block] NULL: 0 */
        size_t i_column;
    } * copies; /* [n_copies] what a person brings along */
    size_t n_copies;
    double *zeros;      /* [n_room] when the first state was entered */
    uint64_t *slots;    /* [n_room] 0, 1, ... */
    uint64_t *starters; /* [n_starters] people of the block who start in a living state */
    size_t n_starters;
    uint64_t *starts;          /* [n_columns][n_room] of lives in arms, where the reference left them */
    uint64_t *before;          /* [n_room] their events so far */
    struct pk_persons treated; /* [n_room] whose lives they are */
    size_t *i_treated;         /* [n_room] */
    bool everybody;            /* starters are all of the block */
    size_t n_room;
    void *memory;
};

/* One column of all lanes, as words or as doubles. */
static inline uint64_t *words_of(const struct pk_lanes *lanes, size_t i_column)
{
    return lanes->columns + i_column * PK_LANES;
}

static inline double *doubles_of(const struct pk_lanes *lanes, size_t i_column)
{
    return (double *)(void *)words_of(lanes, i_column);
}

/* What one instruction set compiles. */
struct pk_lane_ops {
    /* Of n people the first words of whose keys (counters 0 and 1 of rng.h) follow each other, those whose first word
     * of 64 random bits is at most the bound: list has their places, words their words; both room for n and 32 more.
     * purpose: counters 2 and 3, the earlier in the lower half. */
    size_t (*lots)(const uint64_t schedule[20], size_t n, uint64_t first_person, uint64_t purpose, uint64_t bound,
                   uint64_t *list, uint64_t *words);
    /* The first word for each of n keys as a uniform, by pk_rng_uniform. Arrays have room for n rounded up to
     * PK_LANES_STEP. */
    void (*uniforms)(const uint64_t schedule[20], size_t n, const uint64_t *person, uint64_t purpose, double *first);
    /* ... as an exponential. */
    void (*exponentials)(const uint64_t schedule[20], size_t n, const uint64_t *person, uint64_t purpose,
                         double *first);
    /* Uniform or triangular quantiles to the tick, as pk_distribution_quantile has them. */
    void (*quantiles)(const struct pk_plan_distribution *distribution, size_t n, const double *p, double *months);
    /* Which of up to 16 values each of n uniforms chooses. */
    void (*places)(const double *cumulative, size_t n_values, size_t n, const double *u, uint8_t *values);
    /* When the k-th common hazard strikes each of n people: PK_NEVER beyond tables->until. */
    void (*common)(const struct pk_lane_tables *tables, size_t k, size_t n, const uint64_t *person, const double *age,
                   const double *entry, const uint64_t *stratum, double *times);
    /* ... where it is parametric, or a person's own; times holds the exponentials before. */
    void (*common_form)(const struct pk_lane_tables *tables, size_t k, const struct pk_persons *persons, double *times);
    /* Takes every lane to its next event and appends those events; the lives that ended are in lanes->finished. */
    size_t (*round)(struct pk_lanes *lanes, uint64_t *log, struct pk_stages *stages, uint64_t *since);
    /* As pk_lanes_entries and pk_lanes_cells. */
    size_t (*entries)(const uint64_t *sets_of_arc, const uint64_t *wanted, size_t n, const uint64_t *log,
                      uint64_t *list);
    void (*cells)(const struct pk_lane_grid *grid, size_t n, const uint64_t *log, uint64_t *places, uint64_t *values);
};

extern const struct pk_lane_ops pk_lane_ops_plain;

/* What the next people bring into a lane: bring for each column, then rounds until all lives are over. before: events
 * of each so far, or NULL. False: too many events; *failed has the slot. */
void pk_lanes_bring(struct pk_lanes *lanes, size_t i_column, const void *from);
bool pk_lanes_go_round(struct pk_lanes *lanes, const uint64_t *before,
                       void (*take)(const uint64_t *log, size_t n, void *data), void *data, struct pk_stages *stages,
                       uint64_t *since, size_t *failed);

const struct pk_lane_ops *pk_lane_ops_of(enum pk_vectors vectors);

/* Philox's round keys for a seed. */
void pk_lanes_schedule(uint64_t seed, uint64_t schedule[20]);

#ifdef PK_LANES_X86
extern const struct pk_lane_ops pk_lane_ops_avx2, pk_lane_ops_avx512;
#endif

#endif
