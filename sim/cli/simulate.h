/* From a loaded scenario to a result file: what run and rerun share. */
#ifndef PK_SIMULATE_H
#define PK_SIMULATE_H

#include "cli.h"
#include "polku/variants.h"

struct pk_simulate_request {
    const char *output;                           /* NULL: nothing is written, only the digest is told */
    int64_t threads, replications, people, block; /* 0: as the scenario or the machine has it */
    int64_t keep_seconds;                         /* between two times that finished replications are kept */
    bool variants;
    enum pk_vectors vectors;
    struct pk_stages *stages; /* NULL: not measured */
    const struct pk_set *sets;
    size_t n_sets;
};

struct pk_simulate_summary {
    char digest[65];
    uint64_t n_persons;
    int64_t n_replications, n_events;
    size_t n_variants;
    int n_threads;
    double seconds, write_seconds;
    double ticks_per_second; /* of the clock of the stages, where they are measured */
};

/* Overrides of the request go into the scenario. */
PK_CHECKED enum pk_status pk_simulate(const struct pk_simulate_request *request, const struct pk_model *model,
                                      struct pk_scenario *scenario, struct pk_simulate_summary *summary,
                                      struct pk_error *error);

#endif
