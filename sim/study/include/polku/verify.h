/* The simulation held against the analytic twin: persons in each state, by arm and time, with a z-score each.
 *
 * Both are about the scenario's people, with ages and times already spent cut to points of equal probability (so that
 * the twin averages over exactly what is simulated). What the twin cannot follow is said with the transition that is
 * the reason. The verdict is over all figures at once: the bound on |z| keeps the chance of a false alarm at alpha
 * (Sidak 1967), and the twin's own error, from halved steps, is allowed for. */
#ifndef PK_VERIFY_H
#define PK_VERIFY_H

#include "polku/run.h"
#include "polku/text.h"

#ifdef __cplusplus
extern "C" {
#endif

struct pk_verify_request {
    size_t n_ages, n_elapsed, n_frailty, n_times; /* points; 0: 8, 4, 12, 10 */
    double step;                                  /* months, the coarsest of the twin's; 0: 1 */
    double alpha;                                 /* chance of a false alarm over all figures; 0: 0.001 */
    int n_threads;
    int64_t n_replications;                    /* 0: the scenario's */
    void (*progress)(double done, void *data); /* may be NULL */
    void *progress_data;
};

struct pk_verify_row {
    size_t i_population; /* 0: everyone, 1 + c: those enrolled by cohort c */
    size_t i_arm, i_state;
    double years;          /* since the start */
    double exact, error;   /* probability by the twin, and how far its steps may be off */
    double simulated;      /* share of the people */
    double standard_error; /* of the simulated share, by the exact probability */
    double z;              /* beyond the twin's error; 0 where both are certain and agree */
};

struct pk_verification {
    size_t n_rows, room_rows;
    struct pk_verify_row *rows; /* owned */
    size_t n_judged;            /* figures that are not certain */
    double worst, bound;        /* |z| */
    size_t i_worst;
    bool passed;
    bool any;                 /* something could be held against the twin */
    struct pk_text obstacles; /* a line for each arm that the twin cannot follow */
    double people[17];        /* simulated, by population */
    double n_stations_held;   /* places x arms x replications whose people were counted; 0: no places */
    double n_wrong;           /* arms x replications where somebody was lost, or Little's law did not hold */
};

/* Errors: those of plans, conversions, lives and twins. Finding a disagreement is no error: see passed. */
PK_CHECKED enum pk_status pk_verify_run(struct pk_verification *verification, const struct pk_model *model,
                                        const struct pk_scenario *scenario, const struct pk_values *values,
                                        const struct pk_verify_request *request, struct pk_error *error);
void pk_verify_free(struct pk_verification *verification);

/* The table and the verdict as text for people, or one JSON object. brief: without the table. */
void pk_verify_print(const struct pk_verification *verification, const struct pk_model *model,
                     const struct pk_scenario *scenario, bool brief, struct pk_text *text);
void pk_verify_json(const struct pk_verification *verification, const struct pk_model *model,
                    const struct pk_scenario *scenario, struct pk_text *text);

/* z of a count of k among n where each counts with probability p and the variance is var; exact binomial tails where
 * few are expected. */
double pk_verify_z(double k, double n, double p, double var);

#ifdef __cplusplus
}
#endif
#endif
