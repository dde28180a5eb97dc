/* Set times, splits of destinations, excess mortality and people's ages, against closed forms and quadrature. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

#include "spell.h"
#include "support.h"

/* 200,000 people in 256 batches; about 40 comparisons at 4 standard errors (Student, 255 degrees of freedom: 8.3e-5
 * each): a right engine fails one seed in 300. A share that is 0.006 off is seen with 92 % power. */
static const double n_errors = 4;
enum { PERSONS = 200000 };
static const char *const states[] = {"a", "b", "c", NULL};

#define HEAD(of_b) "polku: 1\nmodel: events\nstates:\n  a: {}\n  b: {" of_b "}\n  c: {absorbing: true}\nparameters:\n"

static void simulate(const char *model, const char *population, unsigned long seed, int horizon, int first, int second,
                     struct support_world *world, struct pk_run *run)
{
    const struct support_scenario scenario = {.seed = seed,
                                              .persons = PERSONS,
                                              .horizon_months = horizon,
                                              .population = population,
                                              .states = states,
                                              .times = {first, second, horizon}};
    support_open(world, model, &scenario);
    support_run(world, NULL, run);
}

static void finish(struct support_world *world, struct pk_run *run)
{
    pk_run_free(run);
    support_close(world);
}

/* ---- set times ------------------------------------------------------------------------------------------------ */

/* All are 64.3 years old and go at 65: after 8.4 months, exactly. */
Test(events, everybody_goes_at_the_set_age)
{
    struct support_world world;
    struct pk_run run;
    simulate(HEAD("absorbing: true")
                 PARAMETER("when", "65", "years") "transitions:\n  ab: {from: any, to: b, at: {clock: "
                                                  "age, value: when}}\n",
             "  state: {a: 1}\n  age: {fixed: 64.3}\n", 41, 24, 8, 9, &world, &run);
    cr_expect(support_state(&run, 0, "in", "a", 8).mean == 1);
    cr_expect(support_state(&run, 0, "in", "b", 9).mean == 1);
    /* a tick is 8e-8 years */
    cr_expect_float_eq(support_state(&run, 0, "years", "a", 24).mean, 0.7, 1e-7);
    cr_expect(support_state(&run, 0, "years", "a", 24).standard_error < 1e-12);
    finish(&world, &run);
}

/* Ages uniform on 62 to 66: at t, whoever was above 65 - t has gone; those above 65 go at once. */
Test(events, set_age_meets_a_spread_of_ages)
{
    struct support_world world;
    struct pk_run run;
    simulate(HEAD("absorbing: true")
                 PARAMETER("when", "65", "years") "transitions:\n  ab: {from: any, to: b, at: {clock: "
                                                  "age, value: when}}\n",
             "  state: {a: 1}\n  age: {uniform: [62, 66]}\n", 42, 48, 1, 13, &world, &run);
    support_expect(support_state(&run, 0, "in", "b", 1), (1 + 1 / 12.0) / 4, n_errors, "in", "b");
    support_expect(support_state(&run, 0, "in", "b", 13), (1 + 13 / 12.0) / 4, n_errors, "in", "b");
    cr_expect(support_state(&run, 0, "in", "b", 48).mean == 1);
    support_expect(support_state(&run, 0, "years", "a", 48), 0.75 * 1.5, n_errors, "years", "a");
    finish(&world, &run);
}

/* Entered at 0.9 a year, left half a year later. */
Test(events, spell_of_a_set_length_ends_then)
{
    struct support_world world;
    struct pk_run run;
    simulate(HEAD("") PARAMETER("entry", "0.9", "per_year") PARAMETER(
                 "length", "0.5", "years") "transitions:\n  ab: {from: a, to: b, hazard: entry}\n"
                                           "  bc: {from: b, to: c, at: {clock: time_in_state, value: length}}\n",
             "  state: {a: 1}\n", 43, 36, 6, 19, &world, &run);
    cr_expect(support_state(&run, 0, "in", "c", 6).mean < 1e-5);
    support_expect(support_state(&run, 0, "in", "c", 19), 1 - exp(-0.9 * 13 / 12), n_errors, "in", "c");
    support_expect(support_state(&run, 0, "in", "b", 19), exp(-0.9 * 13 / 12) - exp(-0.9 * 19 / 12), n_errors, "in",
                   "b");
    /* whoever enters within 2.5 years has the whole half year, the rest what is left of the 3 */
    double whole = 1 - exp(-0.9 * 2.5), rest = exp(-0.9 * 2.5) * (0.5 - (1 - exp(-0.9 * 0.5)) / 0.9);
    support_expect(support_state(&run, 0, "years", "b", 36), 0.5 * whole + rest, n_errors, "years", "b");
    finish(&world, &run);
}

/* 0.31 of the half year are over at the start; the hazard to c competes until then. */
Test(events, set_length_counts_the_elapsed_time_and_competes_with_hazards)
{
    struct support_world world;
    struct pk_run run;
    double left = 0.5 - 0.31;
    simulate(HEAD("absorbing: true") PARAMETER("other", "1.3", "per_year") PARAMETER(
                 "length", "0.5", "years") "transitions:\n  ac: {from: a, to: c, hazard: other}\n"
                                           "  ab: {from: a, to: b, at: {clock: time_in_state, value: length}}\n",
             "  state: {a: 1}\n  elapsed: {a: {fixed: 0.31}}\n", 44, 12, 2, 3, &world, &run);
    support_expect(support_state(&run, 0, "in", "c", 2), 1 - exp(-1.3 / 6), n_errors, "in", "c");
    support_expect(support_state(&run, 0, "in", "b", 3), exp(-1.3 * left), n_errors, "in", "b");
    cr_expect(support_state(&run, 0, "in", "a", 3).mean == 0);
    support_expect(support_state(&run, 0, "years", "a", 12), (1 - exp(-1.3 * left)) / 1.3, n_errors, "years", "a");
    finish(&world, &run);
}

Test(events, set_time_since_the_start_ends_what_is_still_there)
{
    struct support_world world;
    struct pk_run run;
    simulate(HEAD("absorbing: true") PARAMETER("other", "0.7", "per_year")
                 PARAMETER("when", "1.4", "years") "transitions:\n  ac: {from: a, to: c, hazard: other}\n"
                                                   "  ab: {from: a, to: b, at: {clock: since_start, value: when}}\n",
             "  state: {a: 1}\n  elapsed: {a: {fixed: 0.31}}\n", 45, 24, 16, 17, &world, &run);
    cr_expect(support_state(&run, 0, "in", "b", 16).mean == 0);
    support_expect(support_state(&run, 0, "in", "b", 17), exp(-0.7 * 1.4), n_errors, "in", "b");
    cr_expect(support_state(&run, 0, "in", "a", 17).mean == 0);
    finish(&world, &run);
}

/* ---- splits ----------------------------------------------------------------------------------------------------- */

Test(events, set_time_splits_by_its_shares)
{
    struct support_world world;
    struct pk_run run;
    simulate(HEAD("absorbing: true") PARAMETER("length", "0.5", "years") PARAMETER("to_b", "0.235", "share") PARAMETER(
                 "to_c", "0.765", "share") "transitions:\n  out: {from: a, to: {b: to_b, c: to_c}, at: {clock: "
                                           "time_in_state, value: length}}\n",
             "  state: {a: 1}\n", 46, 12, 5, 7, &world, &run);
    cr_expect(support_state(&run, 0, "in", "a", 5).mean == 1);
    support_expect(support_state(&run, 0, "in", "b", 7), 0.235, n_errors, "in", "b");
    support_expect(support_state(&run, 0, "in", "c", 7), 0.765, n_errors, "in", "c");
    finish(&world, &run);
}

Test(events, hazard_splits_by_its_shares_at_every_time)
{
    struct support_world world;
    struct pk_run run;
    simulate(HEAD("absorbing: true") TABLE("rate", "time_in_state", "[0.4]", "[1.31, 0.47]",
                                           "per_year") PARAMETER("to_b", "0.235", "share")
                 PARAMETER("to_c", "0.765", "share") "transitions:\n  out: {from: a, to: {b: to_b, c: to_c}, hazard: "
                                                     "rate}\n",
             "  state: {a: 1}\n", 47, 24, 3, 13, &world, &run);
    for (int t = 3; t <= 13; t += 10) {
        double years = t / 12.0, out = 1 - exp(-1.31 * fmin(years, 0.4) - 0.47 * fmax(years - 0.4, 0));
        support_expect(support_state(&run, 0, "in", "b", t), 0.235 * out, n_errors, "in", "b");
        support_expect(support_state(&run, 0, "in", "c", t), 0.765 * out, n_errors, "in", "c");
    }
    finish(&world, &run);
}

/* ---- excess mortality ------------------------------------------------------------------------------------------- */

/* Between a and b back and forth; death (state c) 0.083 a year, 2.35 times that in a, 1.15 times in b. */
Test(events, excess_mortality_by_state_is_that_of_the_matrix_exponential)
{
    struct support_world world;
    struct pk_run run;
    const int at[3] = {9, 31, 72};
    double q[9] = {0, 0.9, 0.083 * 2.35, 0.6, 0, 0.083 * 1.15, 0, 0, 0};
    support_diagonal(q, 3);
    simulate(HEAD("") PARAMETER("ab", "0.9", "per_year") PARAMETER("ba", "0.6", "per_year")
                 PARAMETER("death", "0.083", "per_year") PARAMETER("of_a", "2.35", "ratio") PARAMETER(
                     "of_b", "1.15", "ratio") "transitions:\n  ab: {from: a, to: b, hazard: ab}\n"
                                              "  ba: {from: b, to: a, hazard: ba}\n"
                                              "  death: {from: any, to: c, hazard: death, excess: {a: of_a, b: "
                                              "of_b}}\n",
             "  state: {a: 1}\n", 48, at[2], at[0], at[1], &world, &run);
    for (size_t k = 0; k < 3; k++) {
        double p[3] = {1}, years[3] = {0};
        support_evolve(q, 3, at[k] / 12.0, p, years);
        for (size_t s = 0; s < 3; s++) {
            support_expect(support_state(&run, 0, "in", states[s], at[k]), p[s], n_errors, "in", states[s]);
            support_expect(support_state(&run, 0, "years", states[s], at[k]), years[s], n_errors, "years", states[s]);
        }
    }
    finish(&world, &run);
}

/* By age, for two sexes: ratio 0.55 and excess 1.8 multiply. */
Test(events, excess_of_a_table_by_age_multiplies_with_the_ratio_of_a_stratum)
{
    struct support_world world;
    struct pk_run run;
    struct spell_hazard men = {.n_cuts = 1, .cuts = {46}, .values = {0.071, 0.138}, .clock = 44.2}, women = men;
    for (size_t i = 0; i < 2; i++) {
        men.values[i] *= 1.8;
        women.values[i] *= 1.8 * 0.55;
    }
    simulate("polku: 1\nmodel: events\nstates:\n  a: {}\n  b: {}\n  c: {absorbing: true}\nattributes:\n  sex: {values: "
             "[female, male]}\nparameters:\n" TABLE("by_age", "age", "[46]", "[0.071, 0.138]", "per_year")
                 PARAMETER("of_a", "1.8", "ratio") PARAMETER("of_women", "0.55", "ratio") PARAMETER(
                     "ba", "0.6", "per_year") "transitions:\n  ba: {from: b, to: a, hazard: ba}\n"
                                              "  death: {from: any, to: c, hazard: by_age, excess: {a: of_a}, "
                                              "ratios: {sex: {female: of_women}}}\n",
             "  state: {a: 1}\n  age: {fixed: 44.2}\n  attributes: {sex: {female: 0.37, male: 0.63}}\n", 49, 60, 20, 37,
             &world, &run);
    for (int t = 20; t <= 60; t += t == 20 ? 17 : 23) {
        double years = t / 12.0;
        support_expect(support_state(&run, 0, "in", "a", t),
                       0.37 * spell_survival(&women, 1, years) + 0.63 * spell_survival(&men, 1, years), n_errors, "in",
                       "a");
    }
    finish(&world, &run);
}

/* Gompertz mortality common to all, 1.8 times in a: the excess layer is inverted too. */
Test(events, excess_of_gompertz_mortality_has_the_closed_survival)
{
    struct support_world world;
    struct pk_run run;
    const struct spell_hazard hazard = {.values = {0.004 * 1.8}, .slope = 0.093, .clock = 43.7};
    simulate(HEAD("") PARAMETER("level", "0.004", "per_year") PARAMETER("slope", "0.093", "per_year_of_clock")
                 PARAMETER("of_a", "1.8", "ratio")
                     PARAMETER("ba", "0.6", "per_year") "transitions:\n  ba: {from: b, to: a, hazard: ba}\n"
                                                        "  death: {from: any, to: c, hazard: {gompertz: {rate: level, "
                                                        "shape: slope, clock: age}}, excess: {a: of_a}}\n",
             "  state: {a: 1}\n  age: {fixed: 43.7}\n", 50, 60, 20, 37, &world, &run);
    support_expect(support_state(&run, 0, "in", "a", 20), spell_survival(&hazard, 1, 20 / 12.0), n_errors, "in", "a");
    support_expect(support_state(&run, 0, "in", "a", 37), spell_survival(&hazard, 1, 37 / 12.0), n_errors, "in", "a");
    support_expect(support_state(&run, 0, "in", "a", 60), spell_survival(&hazard, 1, 5), n_errors, "in", "a");
    finish(&world, &run);
}

/* ---- ages ------------------------------------------------------------------------------------------------------- */

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The triangle of configs/ips-vs-typ.yaml: mean (19 + 31 + 61) / 3 = 37, variance (a^2 + b^2 + c^2 - ab - ac - bc)
 * / 18. Kolmogorov-Smirnov: sqrt(n) D above 2.23 once in 10,000. */
Test(events, triangular_ages_have_the_triangles_mean_variance_and_quantiles)
{
    struct support_world world;
    const double a = 19 * 12, b = 31 * 12, c = 61 * 12;
    const double variance = (a * a + b * b + c * c - a * b - a * c - b * c) / 18;
    static double ages[PERSONS];
    double sum = 0, squares = 0, distance = 0;
    support_open_file(&world, "ips-vs-typ.yaml", NULL, 0);
    for (uint64_t id = 0; id < PERSONS; id++) {
        struct pk_person person;
        pk_person_make(&world.plan, 3, id, &person);
        ages[id] = person.age;
        sum += person.age;
        squares += (person.age - 37 * 12) * (person.age - 37 * 12);
    }
    cr_expect_float_eq(sum / PERSONS, 37 * 12, 4 * sqrt(variance / PERSONS));
    /* the fourth central moment of a triangle is 2.4 times the squared variance */
    cr_expect_float_eq(squares / PERSONS / variance, 1, 4 * sqrt(1.4 / PERSONS));
    qsort(ages, PERSONS, sizeof *ages, ascending);
    cr_expect(ages[0] >= a && ages[PERSONS - 1] <= c);
    for (size_t i = 0; i < PERSONS; i++) {
        double x = ages[i],
               below = x < b ? (x - a) * (x - a) / ((c - a) * (b - a)) : 1 - (c - x) * (c - x) / ((c - a) * (c - b));
        distance = fmax(distance, fmax((double)(i + 1) / PERSONS - below, below - (double)i / PERSONS));
    }
    cr_expect(distance * sqrt(PERSONS) < 2.23, "sqrt(n) D = %g", distance * sqrt(PERSONS));
    for (double p = 0.001; p < 1; p += 0.0173) {
        double x = pk_distribution_quantile(&world.plan.origin.age, p);
        double below = x < b ? (x - a) * (x - a) / ((c - a) * (b - a)) : 1 - (c - x) * (c - x) / ((c - a) * (c - b));
        cr_expect_float_eq(below, p, 1e-13);
    }
    support_close(&world);
}

/* Distributions of elapsed time: closed quantiles. */
Test(events, quantiles_undo_the_distribution_functions)
{
    const struct pk_plan_distribution fixed = {.kind = PK_DISTRIBUTION_FIXED, .a = 2.385},
                                      uniform = {.kind = PK_DISTRIBUTION_UNIFORM, .a = 1.7, .b = 9.3},
                                      exponential = {.kind = PK_DISTRIBUTION_EXPONENTIAL, .a = 7.1},
                                      left = {.kind = PK_DISTRIBUTION_TRIANGULAR, .a = 3, .b = 3, .c = 8},
                                      right = {.kind = PK_DISTRIBUTION_TRIANGULAR, .a = 3, .b = 8, .c = 8},
                                      point = {.kind = PK_DISTRIBUTION_TRIANGULAR, .a = 3, .b = 3, .c = 3};
    for (double p = 0.0007; p < 1; p += 0.0391) {
        cr_expect(pk_distribution_quantile(&fixed, p) == 2.385);
        cr_expect(pk_distribution_quantile(&point, p) == 3);
        cr_expect_float_eq(pk_distribution_quantile(&uniform, p), 1.7 + 7.6 * p, 1e-14 * 10);
        cr_expect_float_eq(1 - exp(-pk_distribution_quantile(&exponential, p) / 7.1), p, 1e-14);
        double x = pk_distribution_quantile(&left, p), y = pk_distribution_quantile(&right, p);
        cr_expect_float_eq(1 - (8 - x) * (8 - x) / 25, p, 1e-14);
        cr_expect_float_eq((y - 3) * (y - 3) / 25, p, 1e-14);
    }
}
