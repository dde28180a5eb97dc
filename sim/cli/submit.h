/* What the files of polku submit share. */
#ifndef PK_SUBMIT_H
#define PK_SUBMIT_H

#include "sweep_files.h"

enum { PK_SUBMIT_ID = 64 };

struct pk_submit_request {
    const char *study, *output, *partition, *account, *time, *memory, *extra; /* NULL: not said */
    int64_t n_shards, cpus, draws;                                            /* 0: not said */
    bool dry_run, no_follow;
};

/* A sweep that is given to Slurm, or run here in its stead. */
struct pk_submission {
    const struct pk_submit_request *request;
    const struct pk_swept *swept;
    char stem[PK_STEM_SIZE], result[PK_PATH_SIZE]; /* as the user would write them */
    char directory[PK_PATH_SIZE];                  /* where all of it happens: absolute */
    char folder[2 * PK_PATH_SIZE];                 /* STEM.slurm: absolute */
    char program[PK_PATH_SIZE];                    /* this one: absolute */
    struct pk_sample whole;                        /* every point; figures of those that are done */
    bool *known;                                   /* [whole.n] */
    bool made;                                     /* whole and known */
    bool here;                                     /* no Slurm: the shards are run on this machine */
    int64_t n_threads;                             /* of a task */
    size_t n_shards;
    struct pk_submit_shard {
        bool done;
        uint64_t seen; /* what its file looked like when it was last read; 0: it was not there */
    } * shards;        /* [n_shards] owned */
    size_t n_done, n_done_before;
    /* measured, then planned: */
    size_t n_probed;
    double start_seconds, point_seconds; /* of a task and its threads; of a point on one core */
    double start_bytes, point_bytes;     /* memory of a task before its points, and of each point that is running */
    double task_seconds;                 /* of the largest shard */
    char time[208];                      /* as Slurm takes it */
    char memory[208], merge_time[208], merge_memory[208];
};

/* ---- submit_plan.c */

/* Everything that is known before anything is run: points, what is done of them. Errors: those of runs and samples,
 * PK_IO. */
PK_CHECKED enum pk_status pk_submit_begin(struct pk_submission *s, const struct pk_submit_request *request,
                                          const struct pk_swept *swept, const char *stem, struct pk_error *error);
void pk_submit_free(struct pk_submission *s);
/* Whether STEM.h5 holds all points of this study. */
bool pk_submit_is_whole(const struct pk_submission *s);
/* Runs a few points and makes the plan; n_most shards at most. Errors: those of runs; PK_NO_MEMORY. */
PK_CHECKED enum pk_status pk_submit_plan(struct pk_submission *s, size_t n_most, struct pk_error *error);
void pk_submit_print_plan(const struct pk_submission *s);
/* Makes room for n_shards and looks at them. Errors: PK_NO_MEMORY. */
PK_CHECKED enum pk_status pk_submit_divide(struct pk_submission *s, size_t n_shards, struct pk_error *error);
/* Looks for shards that were finished since. */
void pk_submit_look(struct pk_submission *s);
/* Points that are done, also those of shards that are not. */
size_t pk_submit_points(const struct pk_submission *s);
/* "3 s", "12 min", "4.5 h" */
void pk_submit_duration(double seconds, char text[32]);

/* ---- submit_scripts.c */

/* array.sh and merge.sh in the folder, and room for their logs. Errors: PK_IO; PK_BAD_INPUT: a name that a script
 * cannot hold. */
PK_CHECKED enum pk_status pk_submit_write_scripts(const struct pk_submission *s, struct pk_error *error);
/* The names of what is in the folder. */
void pk_submit_path(const struct pk_submission *s, const char *name, char path[3 * PK_PATH_SIZE]);

/* ---- submit_slurm.c */

struct pk_slurm_jobs {
    char array[PK_SUBMIT_ID], merge[PK_SUBMIT_ID]; /* ids; empty: none */
};
struct pk_slurm_state {
    bool known;                                        /* the controller answered */
    size_t n_waiting, n_running, n_failed, n_finished; /* tasks of the array */
    bool merge_goes_on, merge_failed, merge_finished;
};
/* The most tasks that an array may have here; SIZE_MAX: not known. */
size_t pk_slurm_most_tasks(void);
/* Submits what is missing and keeps the ids in the folder. Errors: PK_IO with sbatch's own message. */
PK_CHECKED enum pk_status pk_slurm_submit(const struct pk_submission *s, struct pk_slurm_jobs *jobs,
                                          struct pk_error *error);
/* The jobs of an earlier submission into this folder, if they are still waiting or running; *same: they do what this
 * one would do. */
bool pk_slurm_earlier(const struct pk_submission *s, struct pk_slurm_jobs *jobs, size_t *n_shards, bool *same);
void pk_slurm_ask(const struct pk_slurm_jobs *jobs, struct pk_slurm_state *state);

/* ---- submit_follow.c; signals are noted (stopping.h) before, and obeyed after */

/* Waits for the jobs to end; returns the exit code after having told how it went. */
int pk_submit_follow(struct pk_submission *s, const struct pk_slurm_jobs *jobs);
/* Runs the shards, merges and analyses on this machine; returns the exit code. */
int pk_submit_here(struct pk_submission *s);

#endif
