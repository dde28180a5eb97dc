/* Discounting, spells and rewards against closed forms where all hazards are constant. */
#include <criterion/criterion.h>
#include <gsl/gsl_integration.h>
#include <math.h>
#include <string.h>

#include "support.h"

static struct pk_values none;

static struct pk_discounter discounter(double rate, enum pk_discounting as, double from_months)
{
    const struct pk_discount discount = {
        .rate = {.literal = rate, .i_parameter = SIZE_MAX}, .as = as, .from_months = from_months};
    return pk_discounter_make(&discount, &none);
}

Test(discount, factors_are_the_two_conventions)
{
    struct pk_discounter annual = discounter(0.0385, PK_DISCOUNT_ANNUAL, 0),
                         continuous = discounter(0.0385, PK_DISCOUNT_CONTINUOUS, 30);
    for (double t = -3.7; t < 50; t += 2.385) {
        cr_expect_float_eq(pk_discounter_at(&annual, t), pow(1.0385, -t), 1e-14 * pow(1.0385, -t));
        cr_expect_float_eq(pk_discounter_at(&continuous, t), exp(-0.0385 * (t - 2.5)), 1e-13);
    }
    cr_expect_eq(pk_discounter_at(&continuous, 2.5), 1.0, "1 at its date");
    cr_expect_gt(pk_discounter_at(&continuous, 2.4), 1.0, "above 1 before it");
}

static double factor(double t, void *data)
{
    return pk_discounter_at(data, t);
}

/* The oracle is quadrature; rates down to those where 1 - exp(-x) has no digits left. */
Test(discount, means_are_exact)
{
    static const double rates[] = {0.9, 0.0385, 1e-5, 1e-9, 1e-14, 0};
    for (size_t i = 0; i < sizeof rates / sizeof *rates; i++)
        for (double from = -2; from < 30; from += 3.7) {
            struct pk_discounter d = discounter(rates[i], PK_DISCOUNT_CONTINUOUS, 11);
            gsl_function f = {.function = factor, .params = &d};
            double integral, error;
            size_t n;
            gsl_integration_qng(&f, from, from + 1.0 / 12, 0, 1e-13, &integral, &error, &n);
            double mean = pk_discounter_mean(&d, from, from + 1.0 / 12);
            cr_expect_float_eq(mean, integral * 12, 1e-13 * mean, "%g: %.17g, expected %.17g", rates[i], mean,
                               integral * 12);
        }
}

/* ---- two states, constant hazards: idle -> work at a, work -> idle at b, everyone idle at the start ------------- */

static const double a = 0.731, b = 0.413, T = 9;

#define MODEL                                                                                                          \
    "polku: 1\nmodel: two\nstates: {idle: {}, work: {}}\nparameters:\n" PARAMETER("a", "0.731", "per_year")            \
        PARAMETER("b", "0.413", "per_year") PARAMETER("half", "0.5", "ratio") PARAMETER("price", "250", "euros")       \
            PARAMETER("fee", "40",                                                                                     \
                      "euros") "transitions:\n  find: {from: idle, to: work, hazard: a}\n  lose: {from: work, to: "    \
                               "idle, hazard: b}\n"                                                                    \
                               "rewards:\n"                                                                            \
                               "  mixed: {unit: euros, per_person_year: {work: price}, per_transition: {lose: fee}}\n"

/* The integral over [0, T] of (p_infinity + c e^(-(a + b) t)) e^(-force (t - zero)). */
static double integral(double at_infinity, double c, double force, double zero)
{
    const double fast = a + b + force;
    const double slow = force == 0 ? T : -expm1(-force * T) / force;
    return exp(force * zero) * (at_infinity * slow + c * -expm1(-fast * T) / fast);
}

static double years_in_work(double force, double zero)
{
    return integral(a / (a + b), -a / (a + b), force, zero);
}

static double years_idle(double force, double zero)
{
    return integral(b / (a + b), a / (a + b), force, zero);
}

/* 4 standard errors, and the bound of discount.h: 5 % a year, at most 4e-5 person-years for each of 4 moves. */
static void expect(const struct pk_run *run, const char *name, double exact, double bound)
{
    struct pk_mean mean = support_outcome(run, 0, 0, SIZE_MAX, name);
    cr_expect(fabs(mean.mean - exact) <= 4 * mean.standard_error + bound, "%s: %.9g (%.2g), expected %.9g", name,
              mean.mean, mean.standard_error, exact);
    cr_expect_lt(mean.standard_error, exact / 100, "%s: too few people to tell", name);
}

Test(discount, constant_hazards_have_closed_forms)
{
    struct support_world world;
    struct pk_run run;
    support_open_texts(
        &world, MODEL,
        "polku: 1\nscenario: two\nmodel: model.yaml\nseed: 99\nstart: 2021-01-01\nhorizon: {years: 9}\nbatches: 200\n"
        "population: {size: 200000, state: {idle: 1}}\narms: {base: {}}\n"
        "outcomes:\n"
        "  annual: {measure: person_years, states: [work], from: {years: 0}, to: horizon, discount: 0.05}\n"
        "  continuous: {measure: person_years, states: [work], from: {years: 0}, to: horizon,\n"
        "               discount: {rate: 0.05, as: continuous, from: 2023-01-01}}\n"
        "  finds: {measure: transitions, states: [work], from: {years: 0}, to: horizon, discount: 0.05}\n"
        "  losses: {measure: transitions, states: [idle], from: {years: 0}, to: horizon,\n"
        "           discount: {rate: 0.05, as: continuous, from: 2019-01-01}}\n"
        "  mixed: {measure: reward, reward: mixed, from: {years: 0}, to: horizon, discount: 0.05}\n"
        "  spells: {measure: spells, states: [work], from: {years: 0}, to: horizon}\n"
        "  idle_spells: {measure: spells, states: [idle], from: {years: 0}, to: horizon}\n"
        "  mean_spell: {measure: mean_spell, states: [work], from: {years: 0}, to: horizon}\n");
    support_run(&world, NULL, &run);
    const double annual = log(1.05), bound = 4 * 0.05 / 144 / 8;
    expect(&run, "annual", years_in_work(annual, 0), bound);
    expect(&run, "continuous", years_in_work(0.05, 2), bound);
    expect(&run, "finds", a * years_idle(annual, 0), 1e-5);
    expect(&run, "losses", b * years_in_work(0.05, -2), 1e-5);
    expect(&run, "mixed", 250 * years_in_work(annual, 0) + 40 * b * years_in_work(annual, 0), 290 * bound);
    expect(&run, "spells", a * years_idle(0, 0), 1e-12);
    expect(&run, "idle_spells", 1 + b * years_in_work(0, 0), 1e-12);

    size_t i = 0;
    while (strcmp(world.scenario.outcomes[i].name, "mean_spell") != 0)
        i++;
    struct pk_mean ratio = pk_stats_batch_ratio(run.fold.outcomes + i, run.fold.denominators + i, run.fold.n_units,
                                                world.scenario.n_outcomes);
    double exact = years_in_work(0, 0) / (a * years_idle(0, 0));
    cr_expect(fabs(ratio.mean - exact) <= 4 * ratio.standard_error && ratio.standard_error < exact / 200,
              "%.9g (%.2g), expected %.9g", ratio.mean, ratio.standard_error, exact);
    cr_expect_eq(run.fold.denominators[i - 1], 1, "1 where the outcome is no ratio");
    pk_run_free(&run);
    support_close(&world);
}

/* The delta method against 400 worlds: the standard error is the spread of the estimates, within what 400 tell. */
Test(discount, the_error_of_a_difference_of_mean_spells_is_its_spread)
{
    enum { WORLDS = 400 };
    struct support_world world;
    double sum = 0, squares = 0, told = 0;
    support_open_texts(
        &world, MODEL "services:\n  slow: {window: life, effects: [{transition: lose, scale: half}]}\n",
        "polku: 1\nscenario: two\nmodel: model.yaml\nseed: 1\nstart: 2021-01-01\nhorizon: {years: 9}\nbatches: 20\n"
        "population: {size: 400, state: {idle: 1}}\n"
        "arms: {base: {}, slow: {enrol: [{service: slow, share: 0.5}]}}\n"
        "outcomes:\n  mean_spell: {measure: mean_spell, states: [work], from: {years: 0}, to: horizon}\n");
    for (uint64_t k = 0; k < WORLDS; k++) {
        struct pk_run run;
        support_change(&world, k + 1, 0);
        support_run(&world, NULL, &run);
        const double *y = run.fold.outcomes, *x = run.fold.denominators; /* [unit][arm] */
        struct pk_mean mean = pk_stats_batch_ratio_difference(y + 1, x + 1, y, x, run.fold.n_units, 2);
        sum += mean.mean;
        squares += mean.mean * mean.mean;
        told += mean.standard_error * mean.standard_error;
        pk_run_free(&run);
    }
    double variance = (squares - sum * sum / WORLDS) / (WORLDS - 1), ratio = told / WORLDS / variance;
    cr_expect(fabs(ratio - 1) < 4 * sqrt(2.0 / (WORLDS - 1)), "variance told over variance seen: %g", ratio);
    support_close(&world);
}
