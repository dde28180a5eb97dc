/* Mean ages at first entries against closed forms, and in two arms. */
#include <criterion/criterion.h>
#include <math.h>

#include "support.h"

/* u to e at a hazard of 0.35, of the slow 0.35 / 4, and back; nobody dies. */
#define MODEL                                                                                                          \
    "polku: 1\nmodel: ages\nstates: {u: {}, e: {}}\nattributes: {kind: {values: [quick, slow]}}\n"                     \
    "parameters:\n" PARAMETER("find", "0.35", "per_year") PARAMETER("lose", "1.7", "per_year")                         \
        PARAMETER("quarter", "0.25", "ratio") PARAMETER("same", "1", "ratio") PARAMETER(                               \
            "triple", "3",                                                                                             \
            "ratio") "transitions:\n  find: {from: u, to: e, hazard: find, ratios: {kind: {slow: quarter}}}\n"         \
                     "  lose: {from: e, to: u, hazard: lose}\n"                                                        \
                     "services:\n  nothing: {window: life, effects: [{transition: find, scale: same}]}\n"              \
                     "  help: {window: life, effects: [{transition: find, scale: triple}]}\n"
#define SCENARIO                                                                                                       \
    "polku: 1\nscenario: ages\nmodel: model.yaml\nseed: 337\nstart: 2021-01-01\nhorizon: {years: 9}\nbatches: 256\n"

static struct support_world world;
static struct pk_run run;

static void open_run(const char *scenario)
{
    support_open_texts(&world, MODEL, scenario);
    support_run(&world, &(struct pk_run_options){.n_threads = 1}, &run);
}

static void finish(void)
{
    pk_run_free(&run);
    support_close(&world);
}

static struct pk_mean told(size_t i_arm, size_t i_against, const char *name)
{
    struct pk_error error;
    size_t i = SIZE_MAX;
    cr_assert_eq(pk_scenario_outcome(&world.scenario, name, &i, &error), PK_OK);
    return pk_fold_outcome(&run.fold, 0, i_arm, i_against, i);
}

/* The mean of a time with hazard h, given that it lies in (0, t]. */
static double truncated(double h, double t)
{
    return 1 / h - t * exp(-h * t) / -expm1(-h * t);
}

#define OUTCOMES                                                                                                       \
    "outcomes:\n  all: {measure: mean_age_at_entry, states: [e], among: {kind: quick}}\n"                              \
    "  soon: {measure: mean_age_at_entry, states: e, at: {years: 2}, among: {kind: quick}}\n"                          \
    "  later: {measure: mean_age_at_entry, states: e, from: {years: 2}, to: {years: 5}, among: {kind: quick}}\n"       \
    "  slow: {measure: mean_age_at_entry, states: e, from: {years: 1}, among: {kind: slow}}\n"                         \
    "  both: {measure: mean_age_at_entry, states: e}\n"

/* With a hazard h from age a: a + 1/h - T exp(-hT) / (1 - exp(-hT)) by T, later ones from then on; of both kinds the
 * mean of theirs, weighted by who enters. 100,000 people in 256 batches, 20 comparisons (means and differences) at 4.5
 * standard errors (1.0e-5 each): a right program fails one seed in 5,000. The error of a mean is 0.003 to 0.02 years
 * where all are of one age at the start, so that leaving out the waiting (0.9 to 5 years) or counting later entries too
 * (0.1 and more) is seen for certain; 0.03 to 0.07 where they differ. */
static void expect_closed_forms(double age)
{
    const double h[2] = {0.35, 0.35 / 4};
    for (size_t a = 0; a < 2; a++) {
        const double q = h[0] * (a ? 3 : 1), s = h[1] * (a ? 3 : 1), n_quick = 0.6 * -expm1(-q * 9),
                     n_slow = 0.4 * -expm1(-s * 9);
        const double both = (n_quick * truncated(q, 9) + n_slow * truncated(s, 9)) / (n_quick + n_slow);
        support_expect(told(a, SIZE_MAX, "all"), age + truncated(q, 9), 4.5, "all", "e");
        support_expect(told(a, SIZE_MAX, "soon"), age + truncated(q, 2), 4.5, "soon", "e");
        support_expect(told(a, SIZE_MAX, "later"), age + 2 + truncated(q, 3), 4.5, "later", "e");
        support_expect(told(a, SIZE_MAX, "slow"), age + 1 + truncated(s, 8), 4.5, "slow", "e");
        support_expect(told(a, SIZE_MAX, "both"), age + both, 4.5, "both", "e");
    }
    support_expect(told(1, 0, "all"), truncated(3 * h[0], 9) - truncated(h[0], 9), 4.5, "difference", "e");
    cr_expect_lt(told(1, 0, "all").standard_error, 0.03);
    cr_expect_gt(told(1, 0, "all").standard_error, 0.001);
}

Test(mean_age, is_the_closed_form_where_all_are_of_one_age)
{
    open_run(SCENARIO "population: {size: 100000, state: {u: 1}, age: {fixed: 31.25}, attributes: {kind: {quick: 0.6, "
                      "slow: 0.4}}}\narms:\n  none: {}\n  help: {enrol: [{service: help, share: 1}]}\n" OUTCOMES);
    expect_closed_forms(31.25);
    finish();
}

/* Waiting does not depend on age: the mean at the start is added, (20 + 33 + 61) / 3. */
Test(mean_age, is_the_closed_form_where_ages_differ)
{
    open_run(SCENARIO
             "population: {size: 100000, state: {u: 1}, age: {triangular: [20, 33, 61]}, attributes: {kind: "
             "{quick: 0.6, slow: 0.4}}}\narms:\n  none: {}\n  help: {enrol: [{service: help, share: 1}]}\n" OUTCOMES);
    expect_closed_forms(38);
    finish();
}

/* An arm that changes nothing; who is in the states already, enters at the first return; nobody ever. */
Test(mean_age, differs_by_nothing_where_nothing_changes_and_is_nan_where_nobody_enters)
{
    open_run(SCENARIO
             "population: {size: 5000, state: {u: 1}, age: {uniform: [20, 60]}, attributes: {kind: {quick: 1}}}\n"
             "arms:\n  none: {}\n  nothing: {enrol: [{service: nothing, share: 0.5}]}\n" OUTCOMES);
    struct pk_mean difference = told(1, 0, "all"), nobody = told(0, SIZE_MAX, "slow"), none = told(1, 0, "slow");
    cr_expect(difference.mean == 0 && difference.standard_error == 0);
    cr_expect(isnan(nobody.mean) && isnan(nobody.standard_error) && isnan(none.mean) && isnan(none.standard_error));
    finish();
}
