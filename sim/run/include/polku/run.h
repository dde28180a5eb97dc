/* Running a compiled plan over replications, batches and blocks of people, on all cores.
 *
 * Responsibility: all of OpenMP; the order of the work; memory before the loop. The answer does not depend on the
 * number of threads or the size of blocks. Knows no files. */
#ifndef PK_RUN_H
#define PK_RUN_H

#include "polku/collect.h"

#ifdef __cplusplus
extern "C" {
#endif

struct pk_run_options {
    int n_threads;             /* 0: all the cores that OpenMP gives */
    uint64_t block_size;       /* people a task; 0: a unit, or 4096 where that would leave threads idle */
    enum pk_vectors vectors;   /* which must be available; the same results with all */
    int64_t n_replications;    /* 0: the scenario's */
    int64_t first_replication; /* the worlds are numbered from here; each is what it is, whoever runs it */
    struct pk_stages *stages;  /* NULL, or what each stage cost is added there, over all threads */
    bool enrolled_only;        /* only people whom some arm enrols: outcomes of cohorts, no tables of everyone */
    const char *saved;         /* where finished units are kept in case of an interruption; NULL: nowhere */
    double save_seconds;       /* at least so long between two times */
    uint64_t identity;         /* of what is run: only the same takes up what was kept */
    void (*progress)(double done, void *data); /* called from one thread, done in [0, 1]; may be NULL */
    void *progress_data;
};

struct pk_run {
    struct pk_collection collection; /* borrows the plan, the model and the scenario */
    struct pk_fold fold;
    int64_t n_replications, n_batches; /* batches in each replication */
    int64_t n_resumed;                 /* replications taken up from an interrupted run */
    bool precise;                      /* the scenario wanted a standard error, and it was reached */
    double reached;                    /* ... the one reached */
    int n_threads;
    double seconds; /* of the simulation; never part of what is digested */
};

/* Errors: those of a life (the lowest unit and person that has one, whatever the threads), PK_NO_MEMORY,
 * PK_BAD_INPUT (tables too large). On error the run is freed. */
PK_CHECKED enum pk_status pk_run_simulate(struct pk_run *run, const struct pk_plan *plan, const struct pk_model *model,
                                          const struct pk_scenario *scenario, const struct pk_values *values,
                                          const struct pk_run_options *options, struct pk_error *error);
void pk_run_free(struct pk_run *run);

/* The standard error, by the units so far, of an outcome as polku compare tells it (i_against SIZE_MAX: of the arm
 * itself). */
double pk_run_precision(const struct pk_run *run, const struct pk_scenario *scenario, const struct pk_values *values,
                        size_t i_outcome, size_t i_arm, size_t i_against);

/* Keyed batches of people in each replication, which standard errors come from besides replications: one where people
 * are imported, or flow in in more than one replication. */
int64_t pk_run_batches(const struct pk_scenario *scenario, int64_t n_replications);

/* How many workers there are for a wish (0: all the cores that OpenMP gives). */
int pk_run_workers(int n_threads);
/* Calls task for i = 0 .. n - 1 on that many workers, in no order; whatever a task writes must be its own. */
void pk_run_each(size_t n, int n_workers, void (*task)(size_t i, int i_worker, void *data), void *data);
/* The same, and after each task told(i, data), one at a time. After told returned false no task begins. */
void pk_run_each_told(size_t n, int n_workers, void (*task)(size_t i, int i_worker, void *data),
                      bool (*told)(size_t i, void *data), void *data);

#ifdef __cplusplus
}
#endif
#endif
