/* How many clients so many coaches have: sums that can be done by hand, against runs.
 *
 * 20 areas of two coaches, each with 37.5 clients at a time: 1,500 places. Everybody asks at the start; in every area
 * there are more than twice as many as can be served. */
#include <criterion/criterion.h>
#include <math.h>

#include "support.h"

enum { AREAS = 20, PER_AREA = 75, MONTHS = 24 };
static const struct pk_run_options one_thread = {.n_threads = 1}; /* Criterion runs tests side by side */

struct coaching {
    const char *filled; /* of the places; NULL: whenever one is free */
    double months;      /* that a client stays */
    unsigned long people;
    double per_year; /* who flow in; everybody asks as they enter */
    int replications;
};

static void open_coaching(const struct coaching *coaching, struct support_world *world)
{
    struct pk_text model, scenario;
    pk_text_init(&model);
    pk_text_init(&scenario);
    pk_text_put(&model, "polku: 1\nmodel: coaching\nstates:\n  outside: {}\n  coached: {}\n  gone: {absorbing: true}\n"
                        "attributes:\n  area: {values: [");
    for (size_t i = 0; i < AREAS; i++)
        pk_text_addf(&model, "%sa%zu", i ? ", " : "", i);
    pk_text_put(&model, "]}\nparameters:\n" PARAMETER("never", "0", "per_year") PARAMETER("coaches", "2", "persons")
                            PARAMETER("caseload", "37.5", "persons"));
    pk_text_addf(&model, "  stay: {value: %.17g, unit: years, source: {assumption: test}}\n", coaching->months / 12);
    pk_text_put(&model, "transitions:\n  start: {from: outside, to: coached, by_service: true}\n"
                        "  leave: {from: [outside, coached], to: gone, hazard: never}\n"
                        "services:\n  coaching:\n    window: held\n    held: {length: stay}\n    enters: start\n"
                        "    effects: []\n    places:\n      by: area\n      coaches: coaches\n"
                        "      caseload: caseload\n      again: once\n");
    if (coaching->filled != NULL)
        pk_text_addf(&model, "      filled: %s\n", coaching->filled);
    pk_text_addf(&scenario,
                 "polku: 1\nscenario: coaching\nmodel: model.yaml\nseed: 81\nstart: 2021-01-01\n"
                 "horizon: {months: %d}\nreplications: %d\npopulation:\n  size: %lu\n  state: {outside: 1}\n"
                 "  attributes:\n    area: {",
                 MONTHS, coaching->replications, coaching->people);
    for (size_t i = 0; i < AREAS; i++)
        pk_text_addf(&scenario, "%sa%zu: 0.05", i ? ", " : "", i);
    pk_text_put(&scenario, "}\n");
    if (coaching->per_year > 0)
        pk_text_addf(&scenario, "  inflow: {per_year: %.17g}\n", coaching->per_year);
    pk_text_addf(&scenario,
                 "arms:\n  coaches: {enrol: [{service: coaching, share: 1, at: %s}]}\n"
                 "outcomes:\n  started: {measure: first_entry, states: [coached], at: horizon}\n",
                 coaching->per_year > 0 ? "entry" : "{months: 0}");
    support_open_texts(world, pk_text_string(&model), pk_text_string(&scenario));
    pk_text_free(&model);
    pk_text_free(&scenario);
}

static double total(const struct pk_run *run, size_t i_value, size_t i_what)
{
    return pk_fold_queue_total(&run->fold, 0, 0, i_value, i_what, SIZE_MAX).mean;
}

/* Runs it and expects so many served, in every area and in all, and that so many lives have begun coaching. */
static void expect_served(const struct coaching *coaching, unsigned long cohorts)
{
    const double n = (double)(cohorts * PER_AREA);
    struct support_world world;
    struct pk_run run;
    open_coaching(coaching, &world);
    support_run(&world, &one_thread, &run);
    cr_assert(run.fold.queues.n_stations == AREAS && run.fold.queues.n_steps == MONTHS);
    cr_expect(run.fold.queues.n_wrong == 0);
    for (size_t i = 0; i < AREAS; i++)
        cr_expect(total(&run, i, PK_QUEUE_SERVED) == n, "%g served in area %zu, by hand %g",
                  total(&run, i, PK_QUEUE_SERVED), i, n);
    cr_expect(total(&run, SIZE_MAX, PK_QUEUE_SERVED) == n * AREAS);
    cr_expect(total(&run, SIZE_MAX, PK_QUEUE_REQUESTED) == (double)coaching->people);
    double started = 0;
    for (size_t u = 0; u < run.fold.n_units; u++)
        started += run.fold.outcomes[u];
    cr_expect(started == n * AREAS, "%g lives begin coaching, by hand %g", started, n * AREAS);
    pk_run_free(&run);
    support_close(&world);
}

/* Whoever comes first fills the places, and no place is filled again. */
Test(coach_arithmetic, one_cohort_is_1500_clients)
{
    expect_served(&(struct coaching){.filled = "once", .months = 6, .people = 30000, .replications = 1}, 1);
}

/* Nor does anybody wait for a place that nobody will be given: all but 1,500 go at the start. */
Test(coach_arithmetic, one_cohort_leaves_no_line)
{
    struct support_world world;
    struct pk_run run;
    open_coaching(&(struct coaching){.filled = "once", .months = 6, .people = 30000, .replications = 1}, &world);
    support_run(&world, &one_thread, &run);
    cr_expect(total(&run, SIZE_MAX, PK_QUEUE_REFUSED) == 28500, "%g refused", total(&run, SIZE_MAX, PK_QUEUE_REFUSED));
    cr_expect(total(&run, SIZE_MAX, PK_QUEUE_WAITED) == 0, "%g months in line", total(&run, SIZE_MAX, PK_QUEUE_WAITED));
    cr_expect(total(&run, SIZE_MAX, PK_QUEUE_COUNTS) == 0, "%g wait at the end",
              total(&run, SIZE_MAX, PK_QUEUE_COUNTS));
    pk_run_free(&run);
    support_close(&world);
}

/* At 0, 6, 12 and 18 months. */
Test(coach_arithmetic, a_cohort_every_six_months_is_6000_clients)
{
    expect_served(&(struct coaching){.filled = "{every: {months: 6}}", .months = 6, .people = 60000, .replications = 1},
                  4);
}

/* As many at once, after 6, 12 and 18 months: quantiles are those to within a day. */
Test(coach_arithmetic, waits_of_cohorts_are_told_to_within_a_day)
{
    static const double shares[] = {0.1, 0.25, 0.4, 0.5, 0.6, 0.75, 0.9, 1}, months[] = {0, 0, 6, 6, 12, 12, 18, 18};
    struct support_world world;
    struct pk_run run;
    open_coaching(&(struct coaching){.filled = "{every: {months: 6}}", .months = 6, .people = 60000, .replications = 2},
                  &world);
    support_run(&world, &one_thread, &run);
    for (size_t i = 0; i < sizeof shares / sizeof *shares; i++)
        for (size_t v = 0; v <= AREAS; v++) {
            const double days = pk_fold_wait_quantile(&run.fold, 0, 0, v < AREAS ? v : SIZE_MAX, shares[i]);
            cr_expect(fabs(days - months[i] * 365.25 / 12) <= 1, "%g %% waited at most %g days, by hand %g",
                      100 * shares[i], days, months[i] * 365.25 / 12);
        }
    pk_run_free(&run);
    support_close(&world);
}

Test(coach_arithmetic, stays_of_six_months_filled_whenever_free_are_6000_clients)
{
    expect_served(&(struct coaching){.months = 6, .people = 60000, .replications = 1}, 4);
}

/* As many again each month, whether the others are still there or not. */
Test(coach_arithmetic, as_many_anew_every_month_is_36000_clients)
{
    expect_served(&(struct coaching){.filled = "{anew: {months: 1}}", .months = 1, .people = 90000, .replications = 1},
                  24);
    expect_served(&(struct coaching){.filled = "{anew: {months: 1}}", .months = 6, .people = 90000, .replications = 1},
                  24);
}

/* 568 clients over 24 months, who all get a place at once: at time t, uniform, one has min(stay, 24 - t) months of it
 * before the end, so stay - stay^2 / 48 on average; 568 x stay / 24 / 40 is what there would be without the end. In 200
 * replications the standard error of a load is at most 0.011 clients a coach (a client's months have a standard
 * deviation of at most 6), and half of that where as many come in the first year as in the second. Three comparisons at
 * 4.5 standard errors (Student, 199 degrees of freedom: 1.2e-5 each); a load 1 % off is seen with 99 % power. */
Test(coach_arithmetic, loads_of_568_clients)
{
    static const double stays[3] = {6, 12, 18}, endless[3] = {3.55, 7.1, 10.65};
    for (size_t i = 0; i < 3; i++) {
        struct support_world world;
        struct pk_run run;
        open_coaching(&(struct coaching){.months = stays[i], .per_year = 284, .replications = 200}, &world);
        support_run(&world, &one_thread, &run);
        cr_expect(run.fold.queues.n_wrong == 0);
        cr_expect(total(&run, SIZE_MAX, PK_QUEUE_WAITED) == 0);
        cr_expect(total(&run, SIZE_MAX, PK_QUEUE_SERVED) == 568);
        cr_expect(fabs(endless[i] - 568 * stays[i] / MONTHS / 40) < 1e-12);
        struct pk_mean load = pk_fold_queue_total(&run.fold, 0, 0, SIZE_MAX, PK_QUEUE_HELD, SIZE_MAX);
        load.mean /= 40 * MONTHS;
        load.standard_error /= 40 * MONTHS;
        cr_log_info("load %.4f +- %.4f, exact %.4f", load.mean, load.standard_error,
                    endless[i] * (1 - stays[i] / (2 * MONTHS)));
        support_expect(load, endless[i] * (1 - stays[i] / (2 * MONTHS)), 4.5, "clients of a coach", "on average");
        const struct pk_mean use = pk_fold_queue_total(&run.fold, 0, 0, SIZE_MAX, PK_QUEUE_HELD, PK_QUEUE_OPEN);
        cr_expect(fabs(use.mean * 37.5 - load.mean) < 1e-9, "%.6g of all places are taken", use.mean);
        pk_run_free(&run);
        support_close(&world);
    }
}
