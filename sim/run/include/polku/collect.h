/* What a run tells: the tallies of one unit, and their folding into tables with standard errors.
 *
 * A unit is one replication, or one keyed batch of its people (id modulo batches). Within a unit everything is an
 * integer; units are folded in their order, so floating point is the same for any number of threads and any blocks.
 * Knows no threads and no files.
 *
 * Whoever's life no arm changes lives the same life in every arm. So one tally holds everyone's base life, and for
 * each cohort (a set of people whose lives arms change) one tally holds their base lives and one their lives in each
 * arm:
 *   arm = everyone - cohort's base lives + cohort's lives in the arm.
 *
 * Outcomes are linear in the tables, but for ratios of two of them. A reward is a sum of price x quantity over cells;
 * cells with the same price (the same product of parameters) are one element of the outcome's basis, so that new
 * prices need no new run. */
#ifndef PK_COLLECT_H
#define PK_COLLECT_H

#include "polku/discount.h"
#include "polku/places.h"
#include "polku/stats.h"
#include "polku/tally.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { PK_MAX_SLOTS = 1 + PK_MAX_ARMS * (PK_MAX_ARMS + 1), PK_MAX_BASIS_FACTORS = 1 + PK_MAX_ATTRIBUTES };

/* The quantities of one reward outcome whose price is the same product. */
struct pk_basis {
    size_t i_outcome, i_reward;
    bool per_event; /* else per person-year */
    size_t n_factors;
    size_t i_factors[PK_MAX_BASIS_FACTORS]; /* parameters; the arm's price ratio comes on top */
};

/* One reward of one outcome: where the quantities of a tally's cells go. */
struct pk_reward_part {
    size_t i_outcome, i_reward;
    const size_t *of_state;    /* [n_groups][n_states] basis; SIZE_MAX: no price */
    const size_t *of_arc;      /* [n_groups][n_arcs] */
    const double *age_factors; /* [n_ages + 1] by attained age; NULL: 1 */
};

/* How an outcome is read off a tally of months. */
struct pk_rule {
    size_t i_shape, i_entry_set;
    bool discounted;
    struct pk_discounter discounter;
    const double *month_factors; /* [n_steps] mean of the factor over the month; discounted only */
    size_t first_part, n_parts;  /* rewards */
    size_t first_basis, n_basis;
};

/* A histogram in integers: ticks, or numbers of spells. */
struct pk_binning {
    size_t strides[PK_MAX_ATTRIBUTES];
    size_t n_groups, n_bins, first; /* cells [n_groups][n_bins] of a slot's start at `first` */
    uint64_t states;                /* bit per state */
    int64_t from, to;               /* ticks */
    const int64_t *edges;           /* [n_bins - 1] */
};

/* One prevention at work in one arm: [n_years] events blocked, [n_years] events of the transition in the cohort's base
 * lives, [n_years] in the arm's, then people with a blocked event, those without the event afterwards, those with. */
struct pk_watch {
    size_t i_arm, i_prevention;
};

/* What is collected; made once a run, read by all threads. */
struct pk_collection {
    const struct pk_plan *plan;
    const struct pk_scenario *scenario;
    const struct pk_model *model;
    struct pk_arena arena;
    size_t n_shapes;
    struct pk_tally_shape *shapes; /* [n_shapes] */
    size_t i_table_shape[PK_MAX_TABLES];
    struct pk_rule *rules; /* [n_outcomes] */
    size_t n_parts, n_basis;
    struct pk_reward_part *parts;
    struct pk_basis *basis;
    const double *prices;        /* [n_arms][n_basis] */
    bool has_ratios;             /* an outcome is a ratio: denominators are kept */
    bool weighted;               /* people count by their weight; else each counts 1 */
    double weight;               /* 2^-weight_bits */
    size_t n_bins;               /* of all histograms, in one slot */
    struct pk_binning *binnings; /* [n_histograms] */
    size_t n_watches, n_years;
    struct pk_watch *watches;
    size_t n_slots; /* tallies of each shape: see pk_collection_slot */
    bool has_slot[PK_MAX_SLOTS];
};

/* One unit's integers. People count by their weight. */
struct pk_batch {
    const struct pk_collection *collection;
    struct pk_tally *tallies;        /* [n_slots][n_shapes]; those of absent slots are empty */
    int64_t *bins;                   /* [n_slots][n_bins] */
    int64_t *watched;                /* [n_watches][3 n_years + 3] */
    int64_t n_persons;               /* people counted in the tally of everyone */
    int64_t n_events;                /* lived, over all slots */
    int64_t n_enrolled[PK_MAX_ARMS]; /* by cohort: people of the cohort */
    int64_t n_touched[PK_MAX_ARMS];  /* by arm: people it enrols, keeps waiting, refuses or displaces */
    int64_t n_changed[PK_MAX_ARMS];  /* by arm: people of its cohort whose life differs from their base life */
    int64_t n_served[PK_MAX_ARMS][PK_MAX_SERVICES + 1]; /* by arm and service: enrolments; last: people in any */
};

/* Errors: PK_BAD_INPUT (too many groups, too many people for the integers), PK_NO_MEMORY. */
PK_CHECKED enum pk_status pk_collection_init(struct pk_collection *collection, const struct pk_plan *plan,
                                             const struct pk_model *model, const struct pk_scenario *scenario,
                                             const struct pk_values *values, struct pk_error *error);
void pk_collection_free(struct pk_collection *collection);

/* Bytes of one unit's tallies. */
uint64_t pk_collection_bytes(const struct pk_collection *collection);

PK_CHECKED enum pk_status pk_batch_init(struct pk_batch *unit, const struct pk_collection *collection,
                                        struct pk_error *error);
void pk_batch_free(struct pk_batch *unit);
void pk_batch_clear(struct pk_batch *unit);
void pk_batch_merge(struct pk_batch *into, struct pk_batch *from);

/* A person's lives into the tallies. arm_lives[n_arms]: NULL where the arm does not enrol the person (then it is the
 * base life). cohorts: bit per cohort that the person belongs to. everyone: also count in the tally of everyone, in all
 * of it or in what the log of a block does not tell. */
enum pk_everyone { PK_EVERYONE_NOT, PK_EVERYONE_UNLOGGED, PK_EVERYONE_ALL };
void pk_batch_add(struct pk_batch *unit, const struct pk_person *person, const struct pk_life *base,
                  const struct pk_life *const *arm_lives, uint64_t cohorts, enum pk_everyone everyone);

/* Whether anything about everyone needs whole lives. */
bool pk_collection_needs_lives(const struct pk_collection *collection);
/* A block of people into the tally of everyone: they enter, then their events as they come, but for what needs whole
 * lives. blocks[n_shapes]. */
void pk_batch_enter(struct pk_batch *unit, const struct pk_persons *persons, struct pk_tally_block *blocks);
void pk_batch_log(struct pk_batch *unit, struct pk_tally_block *blocks, const uint64_t *log, size_t n,
                  enum pk_vectors vectors);

/* Counts the enrolments of a person in an arm, within the horizon. */
void pk_batch_serve(struct pk_batch *unit, const struct pk_person *person, size_t i_arm,
                    const struct pk_treatment *treatment);

/* ---- folding ------------------------------------------------------------------------------------------------ */

/* One table of one population (everyone, or a cohort) over all units. Cells are [group][row][step]; rows are states
 * or arcs; occupancy has one more step than the others. */
struct pk_folded {
    size_t i_table;
    size_t i_population; /* 0: everyone, 1 + c: cohort c */
    size_t n_groups, n_rows, n_columns, n_cells;
    size_t n_merged; /* steps of the tally that make one of the table */
    double n, nn;    /* persons over units, and their squares */
    /* [n_arms][n_cells] running sums over units of y, y^2, n y for the arm and for arm minus first arm */
    double *y, *yy, *ny, *d, *dd, *nd;
};

/* One histogram of one population over all units. */
struct pk_folded_bins {
    size_t i_histogram, i_population;
    int64_t *counts; /* [n_arms][n_groups][n_bins] in units of weight */
    /* running sums over units: n and n^2 of each [arm][group], y^2 and n y of each cell */
    double *nn, *yy, *ny;
};

/* What happened at places; people and person-months. */
enum { PK_QUEUE_TOTALS = PK_QUEUE_COUNTS + 2 /* waiting, served at the horizon */ };
struct pk_folded_queues {
    size_t n_arms, n_stations, n_steps;
    double *y, *yy; /* [n_arms][n_stations][n_steps][PK_QUEUE_COUNTS] sums over replications, of squares */
    double *waits;  /* [n_arms][n_stations][PK_WAIT_BINS] people */
    double *totals; /* [n_units][n_arms][n_stations][PK_QUEUE_TOTALS] over the horizon */
    double n_wrong; /* arms of replications in which somebody was lost, or Little's law did not hold: always 0 */
};

/* What a thread needs to fold. */
struct pk_fold_room {
    int64_t *scratch;       /* rows of a tally, and a table in every slot */
    int64_t *views;         /* occupancy and person-time by group, state and month of one tally, for the outcomes */
    struct pk_tally *whole; /* [n_shapes] everyone's tally in one arm */
};

struct pk_fold {
    const struct pk_collection *collection;
    size_t n_units, i_unit;
    size_t n_folded, n_bins;
    struct pk_folded *folded;       /* [n_folded] */
    struct pk_folded_bins *bins;    /* [n_bins] */
    double *outcomes;               /* [1 + n_cohorts][n_units][n_arms][n_outcomes]; of a ratio, the numerator */
    double *denominators;           /* the same; 1 where the outcome is no ratio; NULL: no outcome is */
    double *basis;                  /* [1 + n_cohorts][n_units][n_arms][n_basis] quantities */
    double *persons;                /* [1 + n_cohorts][n_units] */
    double *watched;                /* [n_units][n_watches][3 n_years + 3] */
    int64_t *n_changed;             /* [n_arms] over all units, in units of weight */
    int64_t *n_touched;             /* the same */
    int64_t *n_served;              /* [n_arms][PK_MAX_SERVICES + 1] the same: enrolments by service, people in any */
    int64_t n_events;               /* simulated transitions, base and arms */
    struct pk_folded_queues queues; /* n_stations 0: no places */
    size_t n_column, n_scratch, n_views; /* words of two rows of a tally; of a room's scratch and views */
    size_t n_rooms;
    struct pk_fold_room *rooms; /* [n_rooms] one for each thread that folds */
};

/* tables: false folds outcomes only. */
PK_CHECKED enum pk_status pk_fold_init(struct pk_fold *fold, const struct pk_collection *collection, size_t n_units,
                                       bool tables, struct pk_error *error);
void pk_fold_free(struct pk_fold *fold);
/* Folds the next unit; units must come in their order. everyone: the unit counted all people. */
void pk_fold_add(struct pk_fold *fold, struct pk_batch *unit, bool everyone);

/* The same in parts that threads can share, after which tallies are only read: pk_fold_unit for each of the next units,
 * in any order; then pk_fold_table for each table, unit by unit in their order; then pk_fold_next, unit by unit.
 * i_room: the thread's. */
PK_CHECKED enum pk_status pk_fold_make_room(struct pk_fold *fold, size_t n_rooms, struct pk_error *error);
void pk_fold_unit(struct pk_fold *fold, size_t i_room, struct pk_batch *unit, size_t i_unit, bool everyone);
size_t pk_fold_tables(const struct pk_fold *fold);
void pk_fold_table(struct pk_fold *fold, size_t i_room, const struct pk_batch *unit, size_t i_unit, size_t i_table,
                   bool everyone);
void pk_fold_next(struct pk_fold *fold, const struct pk_batch *unit, bool everyone);

/* What happened at places in a unit's replication. [n_arms] */
void pk_fold_queues(struct pk_fold *fold, const struct pk_queues *of_arms, size_t i_unit);
/* The mean per replication of a total at a service's places, or of one value's; i_over: divided by another total.
 * i_value SIZE_MAX: all. i_what below PK_QUEUE_TOTALS. */
struct pk_mean pk_fold_queue_total(const struct pk_fold *fold, size_t i_arm, size_t i_service, size_t i_value,
                                   size_t i_what, size_t i_over);
/* The p-quantile of the days that those served had waited, interpolated within its bin; nan past the last edge. */
double pk_fold_wait_quantile(const struct pk_fold *fold, size_t i_arm, size_t i_service, size_t i_value, double p);
/* Coach-years that an arm has up to the horizon; nan where there are places for everybody. */
double pk_fold_coach_years(const struct pk_fold *fold, size_t i_arm, size_t i_service, size_t i_value);

/* Ends the folding before all units came: from then on n_units is the number folded. */
void pk_fold_stop(struct pk_fold *fold);

/* The population that arms are compared on: 1, the cohort, where there is one; else 0, everyone. */
size_t pk_fold_compared(const struct pk_fold *fold);
/* Whether chance decides how many people a population has: those who flow in, a cohort by share. */
bool pk_fold_varies(const struct pk_fold *fold, size_t i_population);
/* An outcome's total per replication, or its difference from another arm's (SIZE_MAX: none). */
struct pk_mean pk_fold_total(const struct pk_fold *fold, size_t i_population, size_t i_arm, size_t i_against,
                             size_t i_outcome, double n_replications);
/* What an arm's services cost, in euros per person of that population. */
double pk_fold_cost(const struct pk_fold *fold, size_t i_arm);

/* An outcome per person of the population (of a ratio: the ratio itself), or its difference from another arm
 * (i_against SIZE_MAX: none), over the units folded so far, as polku compare tells it for one person. */
struct pk_mean pk_fold_outcome(const struct pk_fold *fold, size_t i_population, size_t i_arm, size_t i_against,
                               size_t i_outcome);

/* Mean total per replication of a cell and its standard error, from the running sums. */
struct pk_mean pk_fold_cell(const struct pk_fold *fold, const struct pk_folded *folded, double y, double yy, double ny,
                            double n_replications);
/* The share of a bin among all of its group in the arm, with its standard error; nan where there is nobody. */
struct pk_mean pk_fold_share(const struct pk_fold *fold, const struct pk_folded_bins *bins, size_t i_arm,
                             size_t i_group, size_t i_bin);
/* The p-quantile of a group, interpolated within its bin in the unit of the edges; nan in the two open bins. */
double pk_fold_quantile(const struct pk_fold *fold, const struct pk_folded_bins *bins, size_t i_arm, size_t i_group,
                        double p);
/* One figure of a watch, mean per replication; minus: another one taken off it in each unit, or SIZE_MAX. */
struct pk_mean pk_fold_watched(const struct pk_fold *fold, size_t i_watch, size_t i_figure, size_t i_minus,
                               double n_replications);

#ifdef __cplusplus
}
#endif
#endif
