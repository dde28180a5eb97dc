/* What the files that collect and fold share. Not installed. */
#ifndef PK_COLLECT_PRIVATE_H
#define PK_COLLECT_PRIVATE_H

#include "polku/collect.h"

#define PK_TICKS_PER_YEAR (12.0 * PK_TICKS_PER_MONTH)

/* The tally of a cohort's lives in an arm; SIZE_MAX: their base lives. Slot 0 is everyone's base lives. */
size_t pk_collection_slot(const struct pk_collection *collection, size_t i_cohort, size_t i_arm);
/* The slot of an arm in a population of one cohort: an arm that changes nobody's life has their base lives. */
size_t pk_collection_arm_slot(const struct pk_collection *collection, size_t i_cohort, size_t i_arm);

/* A shape told by attributes (by[n_attributes]; NULL: none) and ages (cuts in years), found or made. */
PK_CHECKED enum pk_status pk_collection_shape(struct pk_collection *collection, const bool *by, const double *ages,
                                              size_t n_ages, const struct pk_tally_filter *filter, int64_t step_months,
                                              size_t *i_shape, struct pk_error *error);
/* collect_outcomes.c: how each outcome is read. */
PK_CHECKED enum pk_status pk_collection_rules(struct pk_collection *collection, const struct pk_values *values,
                                              struct pk_error *error);

/* collect_lives.c: what is told life by life. */
PK_CHECKED enum pk_status pk_collection_lives(struct pk_collection *collection, struct pk_error *error);
/* Into the histograms of a slot. */
void pk_batch_bin(struct pk_batch *unit, size_t slot, const struct pk_person *person, const struct pk_life *life);
/* Into the watches of an arm, for someone of its cohort. */
void pk_batch_watch(struct pk_batch *unit, size_t i_arm, int64_t weight, const struct pk_life *base,
                    const struct pk_life *with);

struct pk_tally *pk_batch_tally(const struct pk_batch *unit, size_t slot, size_t i_shape);

/* The lives of a population in an arm: made of three tallies where that is everyone. */
struct pk_tally *pk_fold_tally(const struct pk_fold_room *room, const struct pk_batch *unit, size_t i_population,
                               size_t i_arm, size_t i_shape);
/* fold_outcomes.c, fold_lives.c */
PK_CHECKED enum pk_status pk_fold_init_outcomes(struct pk_fold *fold, struct pk_error *error);
void pk_fold_outcomes(struct pk_fold *fold, const struct pk_fold_room *room, const struct pk_batch *unit, size_t i_unit,
                      size_t i_population);
PK_CHECKED enum pk_status pk_fold_init_lives(struct pk_fold *fold, bool tables, struct pk_error *error);
void pk_fold_lives(struct pk_fold *fold, const struct pk_batch *unit, bool everyone);
void pk_fold_free_lives(struct pk_fold *fold);
/* All numbers that folding has made so far, part by part, always in the same order. */
void pk_fold_visit(struct pk_fold *fold, void (*visit)(void *part, size_t size, void *data), void *data);

/* ---- fold_queues.c ---- */
PK_CHECKED enum pk_status pk_fold_init_queues(struct pk_fold *fold, struct pk_error *error);
void pk_fold_free_queues(struct pk_fold *fold);
void pk_fold_visit_queues(struct pk_fold *fold, void (*visit)(void *part, size_t size, void *data), void *data);

#endif
