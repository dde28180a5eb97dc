/* Comparing from a result file: ledgers, ratios, and new prices without a new run. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "polku/compare.h"
#include "polku/export.h"
#include "world.h"

static char folder[64], path[128];

static void set_up(void)
{
    snprintf(folder, sizeof folder, "/tmp/polku-compare-XXXXXX");
    cr_assert_not_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/result.h5", folder);
}

static void tear_down(void)
{
    unlink(path);
    rmdir(folder);
}

TestSuite(compare, .init = set_up, .fini = tear_down);

/* Runs the world with these values set and keeps the result. */
static void keep(const struct pk_set *sets, size_t n_sets)
{
    struct support_world world;
    struct pk_run run;
    struct pk_error error;
    char digest[65];
    support_open_texts(&world, world_model, world_scenario);
    for (size_t i = 0; i < n_sets; i++)
        cr_assert_eq(pk_values_set(&world.values, &world.model, sets[i].parameter, sets[i].to, &error), PK_OK);
    support_run(&world, NULL, &run);
    struct pk_store store = {.run = &run,
                             .model = &world.model,
                             .scenario = &world.scenario,
                             .values = &world.values,
                             .plan = &world.plan,
                             .command = "test",
                             .warnings = ""};
    cr_assert_eq(pk_store_save(&store, path, digest, &error), PK_OK, "%s", error.message);
    pk_run_free(&run);
    support_close(&world);
}

static size_t outcome_of(const struct pk_comparison *c, const char *name)
{
    size_t i = 0;
    while (i < c->n_outcomes && strcmp(c->outcome_names[i], name) != 0)
        i++;
    cr_assert(i < c->n_outcomes, "no outcome %s", name);
    return i;
}

static void open_it(struct pk_comparison *c)
{
    struct pk_error error;
    cr_assert_eq(pk_comparison_open(c, path, NULL, 2, &error), PK_OK, "%s", error.message);
}

Test(compare, new_prices_from_the_file_are_those_of_a_new_run)
{
    static const struct pk_set sets[] = {
        {"wage", "41000.5"}, {"woman_pay", "0.9"}, {"training", "-12.5"}, {"dearer", "0.5"}, {"full_time", "1"}};
    struct pk_comparison old, anew;
    struct pk_error error;
    keep(NULL, 0);
    open_it(&old);
    struct pk_mean before = pk_compare_arm(&old.main, 1, outcome_of(&old, "all"));
    cr_assert_eq(pk_comparison_reprice(&old, sets, 5, &error), PK_OK, "%s", error.message);
    cr_expect_neq(pk_compare_arm(&old.main, 1, outcome_of(&old, "all")).mean, before.mean);
    keep(sets, 5);
    open_it(&anew);
    for (size_t i = 0; i < old.n_outcomes; i++)
        for (size_t a = 0; a < 2; a++) {
            struct pk_mean x = pk_compare_arm(&old.main, a, i), y = pk_compare_arm(&anew.main, a, i);
            cr_expect_float_eq(x.mean, y.mean, 1e-12 * fabs(y.mean), "%s: %.17g, expected %.17g", old.outcome_names[i],
                               x.mean, y.mean);
            cr_expect_float_eq(x.standard_error, y.standard_error, 1e-9 * y.standard_error, "%s", old.outcome_names[i]);
            struct pk_compare_pair pair = {.i_arm = 1, .i_against = 0};
            cr_expect_float_eq(pk_compare_difference(&old.main, pair, i).mean,
                               pk_compare_difference(&anew.main, pair, i).mean, 1e-12 * fabs(y.mean));
        }
    pk_comparison_free(&old);
    pk_comparison_free(&anew);
}

Test(compare, the_same_prices_change_nothing_at_all)
{
    static const struct pk_set same = {"wage", "31234.5"};
    struct pk_comparison c;
    struct pk_error error;
    keep(NULL, 0);
    open_it(&c);
    const double *before = c.main.values;
    cr_assert_eq(pk_comparison_reprice(&c, &same, 1, &error), PK_OK);
    cr_expect_arr_eq(before, c.main.values, c.main.n_units * 2 * c.n_outcomes * sizeof(double));
    cr_expect_str_eq(c.prices.told, "wage = 31234.5");
    pk_comparison_free(&c);
}

static void expect_refused(const char *name, const char *to, const char *why)
{
    const struct pk_set set = {name, to};
    struct pk_comparison c;
    struct pk_error error;
    open_it(&c);
    cr_expect_eq(pk_comparison_reprice(&c, &set, 1, &error), PK_BAD_INPUT, "%s", name);
    cr_expect_not_null(strstr(error.message, why), "%s: %s", name, error.message);
    pk_comparison_free(&c);
}

Test(compare, what_is_not_only_a_price_is_refused)
{
    keep(NULL, 0);
    expect_refused("finding", "1", "no price");
    expect_refused("blocked", "0.1", "no price");
    expect_refused("man_ratio", "1", "not only a price: it changes lives: run again");
    expect_refused("interest", "0.1", "no price");
    expect_refused("wgae", "1", "no parameter is called \"wgae\"");
    expect_refused("wage", "much", "is not a number");
    expect_refused("woman_pay", "-1", "is outside");
}

Test(compare, ledgers_add_up)
{
    struct pk_comparison c;
    struct pk_text text;
    keep(NULL, 0);
    open_it(&c);
    const size_t parts[] = {outcome_of(&c, "ledger_benefits"), outcome_of(&c, "ledger_courses")};
    struct pk_mean sum = pk_compare_sum(&c.main, 1, 0, parts, 2);
    const struct pk_compare_pair pair = {.i_arm = 1, .i_against = 0};
    double by_hand =
        pk_compare_difference(&c.main, pair, parts[0]).mean + pk_compare_difference(&c.main, pair, parts[1]).mean;
    cr_expect_float_eq(sum.mean, by_hand, 1e-9 * fabs(by_hand));
    cr_expect_gt(sum.standard_error, 0);
    cr_expect_str_eq(c.payers[parts[0]], "state");
    cr_expect_str_eq(c.kinds[parts[0]], "transfer");
    pk_text_init(&text);
    pk_compare_print(&c, &text);
    const char *const lines[] = {"Ledgers by payer",
                                 "benefits, euros (transfer)",
                                 "courses, euros",
                                 "sum of costs and transfers, euros",
                                 "total of effects, euros",
                                 "total of effects, htv",
                                 "total of costs, euros",
                                 "-- stock at 5 years",
                                 "-- per yearly cohort, that of year 2",
                                 "Distributions over people",
                                 "jobs (years)",
                                 "shield, shield:fall",
                                 "later occurrences (persons)"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        cr_expect_not_null(strstr(pk_text_string(&text), lines[i]), "%s", lines[i]);
    pk_text_free(&text);
    pk_compare_json(&c, &text);
    cr_expect_not_null(strstr(pk_text_string(&text), "\"payer\": \"state\", \"kind\": \"transfer\""));
    pk_text_free(&text);
    pk_comparison_free(&c);
}

Test(compare, a_mean_spell_is_years_over_spells)
{
    struct pk_comparison c;
    keep(NULL, 0);
    open_it(&c);
    struct pk_mean mean = pk_compare_arm(&c.main, 0, outcome_of(&c, "mean_spell"));
    cr_expect(mean.mean > 0.8 && mean.mean < 2.5 && mean.standard_error > 0 && mean.standard_error < 0.1, "%g %g",
              mean.mean, mean.standard_error);
    const struct pk_compare_pair pair = {.i_arm = 1, .i_against = 0};
    struct pk_mean difference = pk_compare_difference(&c.main, pair, outcome_of(&c, "mean_spell"));
    double other = pk_compare_arm(&c.main, 1, outcome_of(&c, "mean_spell")).mean;
    cr_expect_float_eq(difference.mean, other - mean.mean, 1e-12);
    pk_comparison_free(&c);
}

/* ---- faults --------------------------------------------------------------------------------------------------- */

/* Calls `attempt` with the first 0, 1, ... allocations granted until it succeeds. */
static size_t until_it_succeeds(enum pk_status (*attempt)(void *data, struct pk_error *error), void *data)
{
    for (long n = 0;; n++) {
        struct pk_error error;
        pk_memory_fail_after(n);
        enum pk_status status = attempt(data, &error);
        pk_memory_fail_after(-1);
        if (status == PK_OK)
            return (size_t)n;
        cr_assert_eq(status, PK_NO_MEMORY, "allocation %ld: %s", n, error.message);
    }
}

struct attempted {
    struct support_world world;
    struct pk_run run;
};

static enum pk_status try_run(void *data, struct pk_error *error)
{
    struct attempted *a = data;
    const struct pk_run_options options = {.n_threads = 1, .n_replications = 1};
    return pk_run_simulate(&a->run, &a->world.plan, &a->world.model, &a->world.scenario, &a->world.values, &options,
                           error);
}

static enum pk_status try_log(void *data, struct pk_error *error)
{
    struct attempted *a = data;
    struct pk_log log;
    enum pk_status status = pk_log_make(&log, &a->world.plan, INT64_MAX, false, error);
    if (status == PK_OK)
        pk_log_free(&log);
    return status;
}

static enum pk_status try_save(void *data, struct pk_error *error)
{
    struct attempted *a = data;
    char digest[65];
    struct pk_store store = {.run = &a->run,
                             .model = &a->world.model,
                             .scenario = &a->world.scenario,
                             .values = &a->world.values,
                             .plan = &a->world.plan,
                             .command = "test",
                             .warnings = ""};
    return pk_store_save(&store, path, digest, error);
}

static enum pk_status try_open(void *data, struct pk_error *error)
{
    const struct pk_set set = {"wage", "1"};
    struct pk_comparison c;
    (void)data;
    enum pk_status status = pk_comparison_open(&c, path, NULL, 2, error);
    if (status != PK_OK)
        return status;
    status = pk_comparison_reprice(&c, &set, 1, error);
    pk_comparison_free(&c);
    return status;
}

Test(compare, want_of_memory_is_told_at_every_allocation, .timeout = 300)
{
    struct attempted a;
    support_open_texts(&a.world, world_model, world_scenario);
    cr_expect_gt(until_it_succeeds(try_run, &a), 200);
    cr_expect_gt(until_it_succeeds(try_log, &a), 5);
    cr_expect_gt(until_it_succeeds(try_save, &a), 50);
    cr_expect_gt(until_it_succeeds(try_open, &a), 50);
    pk_run_free(&a.run);
    support_close(&a.world);
}
