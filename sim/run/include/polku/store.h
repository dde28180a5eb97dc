/* A finished run into a result file: the layout that users open in xarray, R or h5py. docs: README, "The result file".
 *
 * Responsibility: which array goes where under which name. Bytes are results.h's business. */
#ifndef PK_STORE_H
#define PK_STORE_H

#include "polku/log.h"
#include "polku/run.h"

#ifdef __cplusplus
extern "C" {
#endif

struct pk_variant_result {    /* one variant's outcomes among the enrolled (or everyone, where nobody is enrolled) */
    const char *name, *topic; /* topic "range": a parameter moved to one end of its range */
    const char *changed;      /* "parameter = value, ..." */
    const char *warning;      /* "" or why to read it with care */
    size_t n_units;
    double *outcomes;     /* [n_units][n_arms][n_outcomes]; of a ratio, the numerator */
    double *denominators; /* the same; NULL: no outcome is a ratio */
    double *persons;      /* [n_units] */
    double *costs;        /* [n_arms] euros per person of the population compared */
};

/* The figures of a bridge after its start (0) and after each of its steps (1, ...), with simulation standard errors
 * from the units that the runs share. Arrays of [1 + n_steps]; of the start, only value is told. */
struct pk_bridge_figures {
    size_t n_stages; /* 1 + the scenario's steps; 0: there is no bridge */
    size_t n_units;
    int64_t n_replications;
    struct pk_mean *value;                /* with the steps up to this one */
    struct pk_mean *added, *first, *last; /* what the step adds: in this order, before and after all others */
    const char **changed;                 /* what the step sets, and the arm that it compares with */
    char (*of_value)[24], (*of_first)[24], (*of_last)[24]; /* the run with the steps up to this one, only this one, all
                                                              but this one: "main" or a key of /variants */
};

struct pk_store {
    const struct pk_run *run;
    const struct pk_model *model;
    const struct pk_scenario *scenario;
    const struct pk_values *values;
    const struct pk_plan *plan;
    size_t n_variants;
    const struct pk_variant_result *variants;
    const struct pk_bridge_figures *bridge; /* may be NULL or of no stages */
    const struct pk_log *log;               /* may be NULL or empty */
    size_t n_sets;                          /* overrides from the command line */
    const struct pk_set *sets;
    int64_t replications_asked; /* instead of the scenario's; 0: those */
    const char *command;        /* the command line; kept apart from what is digested */
    const char *warnings;       /* lines; what the program warned of */
};

/* Writes the result whole under path, or nothing; path NULL: only the digest. digest[65]: hexadecimal SHA-256 of all
 * datasets and attributes that do not depend on the machine. Errors: those of results.h. */
PK_CHECKED enum pk_status pk_store_save(const struct pk_store *store, const char *path, char *digest,
                                        struct pk_error *error);

#ifdef __cplusplus
}
#endif
#endif
