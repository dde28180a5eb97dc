/* What the statistical tests share: worlds written as YAML in the test, runs of them, and the matrix exponential.
 *
 * Every failure here is the test's. A world is loaded, its values converted, its plan compiled; the caller frees it. */
#ifndef PK_TESTS_SUPPORT_H
#define PK_TESTS_SUPPORT_H

#include "polku/load.h"
#include "polku/run.h"
#include "polku/variants.h"

/* A line of a model's parameters. */
#define PARAMETER(name, value, unit) "  " name ": {value: " value ", unit: " unit ", source: {assumption: test}}\n"
#define TABLE(name, clock, cuts, values, unit)                                                                         \
    "  " name ": {table: {clock: " clock ", cuts: " cuts ", values: " values "}, unit: " unit                          \
    ", source: {assumption: test}}\n"

struct support_world {
    struct pk_model model;
    struct pk_scenario scenario;
    struct pk_values values;
    struct pk_plan plan;
};

/* What a scenario written by a test says. For each state s and each of its times t (months) there are the outcomes
 * in_s_t (occupancy), years_s_t (person-years from the start) and ever_s_t (first entry). */
struct support_scenario {
    unsigned long seed;
    unsigned long persons;
    int horizon_months;
    int batches;               /* 0: 256 */
    const char *population;    /* lines of the section after its size, two blanks deep */
    const char *arms;          /* lines of the section; NULL: one arm, base */
    const char *const *states; /* NULL-terminated */
    int times[8];              /* months, ended by 0 */
    const char *tables;        /* lines of the section; NULL: none */
};

/* Loads, converts and compiles; fails the test where that fails. */
void support_open_file(struct support_world *world, const char *config, const struct pk_set *sets, size_t n_sets);
void support_open_texts(struct support_world *world, const char *model, const char *scenario);
void support_open(struct support_world *world, const char *model, const struct support_scenario *scenario);
/* As support_open_texts, but a failure to convert or compile is returned: the texts must be readable. */
enum pk_status support_try_texts(struct support_world *world, const char *model, const char *scenario,
                                 struct pk_error *error);
void support_close(struct support_world *world);
/* Other people, the same model: seed 0 and persons 0 leave what is there. Compiles anew. */
void support_change(struct support_world *world, uint64_t seed, uint64_t persons);

/* All the scenario's people on the cores there are; options NULL: defaults. */
void support_run(const struct support_world *world, const struct pk_run_options *options, struct pk_run *run);

/* The mean of an outcome per person and its standard error, or of its difference to another arm (SIZE_MAX: none).
 * Population 0 is everyone, 1 + c cohort c. */
struct pk_mean support_outcome(const struct pk_run *run, size_t i_population, size_t i_arm, size_t i_minus,
                               const char *name);
struct pk_mean support_state(const struct pk_run *run, size_t i_arm, const char *measure, const char *state,
                             int months);
/* Expects |mean - exact| <= n_errors standard errors (and not more than rounding where the error is 0). */
void support_expect(struct pk_mean mean, double exact, double n_errors, const char *what, const char *of);

/* Moves the distribution p[n] over the states by so many years under the generator q[n][n] (per year) and adds the
 * person-years spent to spent[n]: GSL's matrix exponential of [[q, 1], [0, 0]]. */
void support_evolve(const double *q, size_t n, double years, double *p, double *spent);
/* q[n][n] from its off-diagonal elements. */
void support_diagonal(double *q, size_t n);

/* A small generator of test cases: numbers in (0, 1) from a fixed seed (Knuth's MMIX constants). */
double support_uniform(uint64_t *lcg);

#endif
