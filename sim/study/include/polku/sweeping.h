/* Running the points of a sweep: on all cores, a part of them or all, taking up what is done already.
 *
 * A point is one simulation on one core, with values of its own; what it comes to depends on the study, its values and
 * its world alone, never on the others, the shard, the threads or the host. */
#ifndef PK_SWEEPING_H
#define PK_SWEEPING_H

#include "polku/run.h"
#include "polku/sample.h"

#ifdef __cplusplus
extern "C" {
#endif

struct pk_sweeping_request {
    int n_threads;              /* 0: all cores */
    size_t i_shard, n_shards;   /* shard i of n, from 0; n 0: all points */
    const char *part;           /* where finished points are kept until all are; NULL: nowhere */
    double keep_seconds;        /* between two times */
    size_t n_earlier;           /* samples whose points are taken up; not there, damaged or foreign: not */
    const char *const *earlier; /* [n_earlier] files */
    void (*progress)(double done, void *data);
    void *progress_data;
    bool (*stop)(void *data); /* asked after each point; then what is done is kept, and the call fails; NULL: never */
};

struct pk_sweeping {
    struct pk_sample sample;
    size_t n_taken;      /* points taken up */
    size_t n_impossible; /* that have no meaning (a probability that no hazard gives) */
    char why[256];       /* ... the first of them, and why */
    int64_t n_transitions;
    double seconds;
    int n_threads;
};

/* The part of the points of a shard: [first, first + n). */
void pk_sweeping_range(size_t n_points, size_t i_shard, size_t n_shards, size_t *first, size_t *n);

/* Replications of each point: the study's, or as many as its simulation_share asks for by a pilot of its first draws,
 * which is the same wherever it is run. Errors: those of runs. */
PK_CHECKED enum pk_status pk_sweeping_replications(const struct pk_study *study, const struct pk_scenario *scenario,
                                                   const struct pk_model *model, int n_threads, int64_t *replications,
                                                   struct pk_error *error);
/* Of everything that figures depend on but the points: texts, the plan at the scenario's own values, figures, factors,
 * this program. Errors: those of plans. */
PK_CHECKED enum pk_status pk_sweeping_identity(const struct pk_study *study, const struct pk_scenario *scenario,
                                               const struct pk_model *model, uint64_t *identity,
                                               struct pk_error *error);

/* What a point costs, measured on one core. */
struct pk_sweeping_probe {
    size_t n;       /* points run */
    double seconds; /* each */
};
/* Runs points spread evenly over the design `whole` (all of its points, replications as they will be used), at most
 * n_most and no further one after most_seconds. Their figures are not kept. Errors: those of runs. */
PK_CHECKED enum pk_status pk_sweeping_probe(struct pk_sweeping_probe *probe, const struct pk_study *study,
                                            const struct pk_scenario *scenario, const struct pk_model *model,
                                            const struct pk_sample *whole, size_t n_most, double most_seconds,
                                            struct pk_error *error);

/* Points that the file `part` of a request of this identity says it keeps; 0: none, or no such file. */
size_t pk_sweeping_kept(const char *part, uint64_t identity);

/* Errors: those of runs; PK_BAD_INPUT: no point has a meaning, the study is of a model that is not ours. */
PK_CHECKED enum pk_status pk_sweeping_run(struct pk_sweeping *sweeping, const struct pk_study *study,
                                          const struct pk_scenario *scenario, const struct pk_model *model,
                                          const struct pk_sweeping_request *request, struct pk_error *error);
void pk_sweeping_free(struct pk_sweeping *sweeping);

#ifdef __cplusplus
}
#endif
#endif
