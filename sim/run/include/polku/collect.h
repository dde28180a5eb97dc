/* What a run tells: the tallies of one unit, and their folding into tables with standard errors.
 *
 * A unit is one replication, or one keyed batch of its people (id modulo batches). Within a unit everything is an
 * integer; units are folded in their order, so floating point is the same for any number of threads and any blocks.
 * Knows no threads and no files.
 *
 * Whoever is enrolled by no arm lives the same life in every arm. So one tally holds everyone's base life, and for
 * each cohort (a set of people that arms enrol) one tally holds their base lives and one their lives in each arm:
 *   arm = everyone - cohort's base lives + cohort's lives in the arm. */
#ifndef PK_COLLECT_H
#define PK_COLLECT_H

#include "polku/stats.h"
#include "polku/tally.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { PK_MAX_SHAPES = PK_MAX_TABLES + 1, PK_MAX_SLOTS = 1 + PK_MAX_ARMS * (PK_MAX_ARMS + 1) };

/* What is collected; made once a run, read by all threads. */
struct pk_collection {
    const struct pk_plan *plan;
    const struct pk_scenario *scenario;
    const struct pk_model *model;
    struct pk_arena arena;
    size_t n_shapes;
    struct pk_tally_shape shapes[PK_MAX_SHAPES];
    size_t i_table_shape[PK_MAX_TABLES];
    size_t i_outcome_shape; /* monthly, no groups, with the entry sets of the outcomes */
    size_t i_entry_set[PK_MAX_OUTCOMES];
    const double *discount_factors[PK_MAX_OUTCOMES]; /* [n_steps] of each month at its middle; NULL: none */
    const double *state_weights;                     /* [n_outcomes][n_states] reward per person-year */
    size_t n_slots;                                  /* tallies of each shape: see pk_collection_slot */
    bool has_slot[PK_MAX_SLOTS];
};

/* One unit's integers. */
struct pk_batch {
    const struct pk_collection *collection;
    struct pk_tally *tallies;        /* [n_slots][n_shapes]; those of absent slots are empty */
    int64_t n_enrolled[PK_MAX_ARMS]; /* by cohort: people of the cohort */
    int64_t n_changed[PK_MAX_ARMS];  /* by arm: enrolled people whose life differs from their base life */
};

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
 * base life). cohorts: bit per cohort that the person belongs to. everyone: also count in the tally of everyone. */
void pk_batch_add(struct pk_batch *unit, const struct pk_person *person, const struct pk_life *base,
                  const struct pk_life *const *arm_lives, uint64_t cohorts, bool everyone);

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

struct pk_fold {
    const struct pk_collection *collection;
    size_t n_units, i_unit;
    size_t n_folded;
    struct pk_folded *folded; /* [n_folded] */
    double *outcomes;         /* [1 + n_cohorts][n_units][n_arms][n_outcomes] */
    double *persons;          /* [1 + n_cohorts][n_units] */
    int64_t *n_changed;       /* [n_arms] over all units */
    int64_t n_events;         /* simulated transitions, base and arms */
    int64_t n_draws;
    int64_t *scratch; /* two tables of the largest size and two rows of a tally */
    int64_t *views;   /* [n_slots][n_states]: occupancy and person-time by month, for the outcomes */
};

/* tables: false folds outcomes only. */
PK_CHECKED enum pk_status pk_fold_init(struct pk_fold *fold, const struct pk_collection *collection, size_t n_units,
                                       bool tables, struct pk_error *error);
void pk_fold_free(struct pk_fold *fold);
/* Folds the next unit; units must come in their order. everyone: the unit counted all people. */
void pk_fold_add(struct pk_fold *fold, struct pk_batch *unit, bool everyone);

/* Mean total per replication of a cell and its standard error, from the running sums. */
struct pk_mean pk_fold_cell(const struct pk_fold *fold, const struct pk_folded *folded, double y, double yy, double ny,
                            double n_replications);

#ifdef __cplusplus
}
#endif
#endif
