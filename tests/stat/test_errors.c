/* Simulation errors where chance decides who or how many people there are, and what services cost: as told, against
 * what theory or many seeds say. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>

#include "polku/verify.h"
#include "support.h"

#define MODEL                                                                                                          \
    "polku: 1\nmodel: two\nstates: {u: {}, e: {}}\nattributes: {kind: {values: [fast, "                                \
    "slow]}}\nparameters:\n" PARAMETER("find", "0.5", "per_year") PARAMETER("lose", "0.2", "per_year")                 \
        PARAMETER("support", "2", "ratio") PARAMETER("fast", "20", "ratio") PARAMETER("slow", "0.01", "ratio")         \
            PARAMETER("len", "1", "years") PARAMETER("cost", "1000", "euros") PARAMETER(                               \
                "dear", "2500",                                                                                        \
                "euros") "transitions:\n  finding: {from: u, to: e, hazard: find, ratios: {kind: {fast: fast, slow: "  \
                         "slow}}}\n"                                                                                   \
                         "  losing: {from: e, to: u, hazard: lose}\n"                                                  \
                         "services:\n  coach: {window: len, cost: cost, effects: [{transition: finding, scale: "       \
                         "support}]}\n"                                                                                \
                         "  keep: {window: len, cost: dear, effects: [{transition: losing, scale: support}]}\n"
#define SCENARIO(seed)                                                                                                 \
    "polku: 1\nscenario: s\nmodel: model.yaml\nseed: " seed "\nstart: 2021-01-01\nhorizon: {years: 2}\n"
#define OUTCOMES                                                                                                       \
    "outcomes:\n  years: {measure: person_years, states: [e], from: {years: 0}, to: horizon}\n"                        \
    "  all: {measure: occupancy, states: [u, e], at: {years: 2}}\n"

/* Euros per person of the population compared, times its people: whoever is served in each arm, no one else. */
Test(errors, services_cost_what_those_served_cost)
{
    struct support_world world;
    struct pk_run run;
    support_open_texts(
        &world, MODEL,
        SCENARIO("7") "replications: 5\npopulation: {size: 4000, state: {u: 1}, attributes: {kind: {fast: 1}}}\n"
                      "arms:\n  none: {}\n  a: {enrol: [{service: coach, persons: 100}]}\n"
                      "  b: {enrol: [{service: coach, persons: 200}]}\n"
                      "  c: {enrol: [{service: coach, persons: 50}, {service: keep, share: 1}]}\n"
                      "  d: {start: {e: 1}}\n" OUTCOMES);
    support_run(&world, NULL, &run);
    const double euros[5] = {0, 100 * 1000.0, 200 * 1000.0, 50 * 1000.0 + 4000 * 2500.0, 0};
    const int64_t served[5] = {0, 100, 200, 4000, 0};
    for (size_t a = 0; a < 5; a++) {
        cr_expect_float_eq(pk_fold_cost(&run.fold, a) * 4000, euros[a], 1e-6, "arm %zu: %.2f", a,
                           pk_fold_cost(&run.fold, a) * 4000);
        cr_expect_eq(run.fold.n_served[a * (PK_MAX_SERVICES + 1) + PK_MAX_SERVICES], 5 * served[a]);
    }
    pk_run_free(&run);
    support_close(&world);
}

/* 200 people flow in on average, all still there: over R replications the mean has the error sqrt(200 / R), and those
 * in u and in e, independent Poisson numbers, sqrt(their mean / R). 400 replications know an error to 3.5 %: bounds 15
 * %. */
Test(errors, chance_of_how_many_flow_in_is_part_of_the_error)
{
    struct support_world world;
    struct pk_run run;
    support_open_texts(
        &world, MODEL,
        SCENARIO("8") "replications: 400\npopulation: {size: 0, state: {u: 1}, attributes: {kind: {fast: 0.5, "
                      "slow: 0.5}}, inflow: {per_year: 100, poisson: true}}\n"
                      "arms:\n  none: {}\n  a: {enrol: [{service: coach, share: 0.5, at: entry}]}\n"
                      "tables: [{name: t, measure: occupancy, step: {years: 2}}]\n" OUTCOMES);
    support_run(&world, NULL, &run);
    cr_assert_eq(run.n_batches, 1);
    struct pk_mean all = pk_fold_total(&run.fold, 0, 0, SIZE_MAX, 1, 400);
    cr_expect_float_eq(all.standard_error / sqrt(200.0 / 400), 1, 0.15, "%.4f", all.standard_error);
    cr_expect_float_eq(all.mean, 200, 4 * sqrt(200.0 / 400));
    struct pk_mean half = pk_fold_total(&run.fold, 1, 1, SIZE_MAX, 1, 400);
    cr_expect_float_eq(half.standard_error / sqrt(100.0 / 400), 1, 0.15, "%.4f", half.standard_error);
    cr_expect_eq(pk_fold_total(&run.fold, 1, 1, 0, 1, 400).standard_error, 0); /* the same people in both arms */
    const struct pk_folded *folded = &run.fold.folded[0];
    for (size_t s = 0; s < 2; s++) {
        const size_t cell = s * folded->n_columns + 1;
        struct pk_mean in = pk_fold_cell(&run.fold, folded, folded->y[cell], folded->yy[cell], folded->ny[cell], 400);
        cr_expect_float_eq(in.standard_error / sqrt(in.mean / 400), 1, 0.15, "state %zu: %.4f", s, in.standard_error);
    }
    pk_run_free(&run);
    support_close(&world);
}

/* 400 imported people, fast and slow in turn: as keyed batches they would differ by who they are. */
static void import(struct support_world *world, const char *arms, const char *seed)
{
    static uint16_t states[400];
    static uint8_t kinds[400];
    char scenario[2048];
    snprintf(scenario, sizeof scenario,
             SCENARIO("%s") "replications: 100\npopulation: {size: 400, state: {u: 1}, attributes: {kind: {fast: 1}}}\n"
                            "arms:\n  none: {}\n  a: %s\n" OUTCOMES,
             seed, arms);
    support_open_texts(world, MODEL, scenario);
    for (size_t i = 0; i < 400; i++)
        kinds[i] = i % 2;
    world->scenario.population.people = (struct pk_people){.n = 400, .states = states, .values = kinds};
    support_change(world, 0, 0);
}

/* The told error against the spread of the mean over 60 runs of other seeds, known to 9 %; the told ones, averaged, to
 * 1 %. Bounds 30 %. */
Test(errors, imported_people_are_no_part_of_the_error)
{
    double sum = 0, squares = 0, told = 0;
    for (int i = 0; i < 60; i++) {
        struct support_world world;
        struct pk_run run;
        char seed[16];
        snprintf(seed, sizeof seed, "%d", 900 + i);
        import(&world, "{enrol: [{service: coach, share: 1}]}", seed);
        support_run(&world, NULL, &run);
        cr_assert_eq(run.n_batches, 1);
        struct pk_mean years = pk_fold_total(&run.fold, 0, 0, SIZE_MAX, 0, 100);
        sum += years.mean;
        squares += years.mean * years.mean;
        told += years.standard_error;
        pk_run_free(&run);
        support_close(&world);
    }
    const double spread = sqrt((squares - sum * sum / 60) / 59);
    cr_expect_float_eq(told / 60 / spread, 1, 0.3, "told %.4f, seeds %.4f", told / 60, spread);
}

/* Each at a chance of 0.001 of a false alarm. */
Test(errors, imported_people_are_verified_whoever_of_them_is_enrolled)
{
    static const char *const arms[4] = {"{enrol: [{service: coach, share: 0.5}]}",
                                        "{enrol: [{service: coach, persons: 150}]}",
                                        "{enrol: [{service: coach, share: 1}]}", "{start: {u: 0.3, e: 0.7}}"};
    for (size_t i = 0; i < 4; i++) {
        struct support_world world;
        struct pk_verification verification;
        struct pk_error error;
        import(&world, arms[i], "31");
        cr_assert_eq(pk_verify_run(&verification, &world.model, &world.scenario, &world.values,
                                   &(struct pk_verify_request){.n_times = 4}, &error),
                     PK_OK);
        cr_expect(verification.passed, "%s: |z| %.2f", arms[i], verification.worst);
        cr_expect_geq(verification.n_judged, 20);
        pk_verify_free(&verification);
        support_close(&world);
    }
}

/* 0.0021 is kept to a thousandth, as is 1,000 beside 0.5. */
Test(errors, weights_are_kept_to_a_thousandth)
{
    static double weights[400];
    for (int large = 0; large < 2; large++) {
        struct support_world world;
        import(&world, "{}", "5");
        for (size_t i = 0; i < 400; i++)
            weights[i] = large ? (i % 2 ? 1000.0 : 0.5) : 0.0021 + 1e-4 * (double)i;
        world.scenario.population.people.weights = weights;
        support_change(&world, 0, 0);
        for (size_t i = 0; i < 400; i++) {
            double kept = world.plan.people.weights[i] / (double)(1 << world.plan.weight_bits);
            cr_expect_leq(fabs(kept - weights[i]), 1.001e-3 * weights[i], "%.6f kept as %.6f", weights[i], kept);
        }
        support_close(&world);
    }
}
