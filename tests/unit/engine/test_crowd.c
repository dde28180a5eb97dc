/* Who flows in: numbers, ids, entry times, and the stocks that follow. */
#include <criterion/criterion.h>
#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "polku/lottery.h"
#include "support.h"

#define MODEL                                                                                                          \
    "polku: 1\nmodel: m\nstates:\n  here: {}\n  gone: {absorbing: true}\nparameters:\n" PARAMETER("stay", "15",        \
                                                                                                  "years")             \
        PARAMETER("half", "12.5", "years") PARAMETER("two", "2", "ratio") PARAMETER("r", "0.1", "per_year")            \
            TABLE("table", "calendar", "[2022-07-01, 2023-01-01]", "[100, 40, 7]", "persons_per_year")                 \
                TABLE("other", "since_start", "[2, 3]", "[30, 90, 30]", "persons_per_year")
#define LEAVES "transitions:\n  leave: {from: here, to: gone, at: {clock: time_in_state, value: stay}}\n"
#define DIES                                                                                                           \
    "transitions:\n  leave: {from: here, to: gone, hazard: r}\nservices:\n  s: {window: life, effects: [{transition: " \
    "leave, scale: two}]}\n"

static struct support_world world;
static struct pk_life life;

static void open_world(const char *model, unsigned long persons, int months, const char *inflow, const char *arms)
{
    char population[512];
    snprintf(population, sizeof population, "  state: {here: 1}\n  inflow: %s\n", inflow);
    const struct support_scenario scenario = {
        .seed = 77, .persons = persons, .horizon_months = months, .population = population, .arms = arms};
    support_open(&world, model, &scenario);
}

static void close_world(void)
{
    support_close(&world);
}

TestSuite(crowd, .fini = close_world);

static void live(uint32_t replication, uint64_t id, struct pk_person *person)
{
    struct pk_error error;
    pk_person_make(&world.plan, replication, id, person);
    cr_assert_eq(pk_life_run(&world.plan, person, NULL, &life, &error), PK_OK);
}

/* How many are here at a time, by living everyone's life. */
static size_t stock(uint32_t replication, double months)
{
    struct pk_crowd crowd;
    size_t n = 0;
    pk_crowd_make(&world.plan, replication, &crowd);
    for (uint64_t i = 0; i < crowd.n_persons; i++) {
        struct pk_person person;
        live(replication, pk_crowd_id(&crowd, i), &person);
        if (person.entry > months)
            continue;
        n += life.n_events == 0 || (double)life.events[0].tick > months * PK_TICKS_PER_MONTH;
    }
    return n;
}

Test(crowd, a_fixed_stay_of_whole_years_gives_an_exact_stock)
{
    open_world(MODEL LEAVES, 0, 12 * 20, "{per_year: 200}", NULL);
    for (int year = 0; year <= 20; year++)
        cr_expect_eq(stock(0, 12.0 * year), year < 15 ? 200u * (unsigned)year : 3000u, "year %d", year);
}

/* 12 years are exact, the half year is a binomial count of 200. */
Test(crowd, a_fixed_stay_of_12_and_a_half_years_gives_2500)
{
    open_world(MODEL "transitions:\n  leave: {from: here, to: gone, at: {clock: time_in_state, value: half}}\n", 0,
               12 * 20, "{per_year: 200}", NULL);
    enum { REPLICATIONS = 50 };
    double sum = 0;
    for (uint32_t r = 0; r < REPLICATIONS; r++) {
        size_t n = stock(r, 12 * 18);
        cr_expect(n >= 2400 && n <= 2600);
        sum += (double)n;
    }
    double se = sqrt(200 * 0.25 / REPLICATIONS);
    cr_expect(fabs(sum / REPLICATIONS - 2500) < 4 * se, "%g +- %g", sum / REPLICATIONS, se);
    cr_expect_eq(stock(0, 12 * 10), 2000);
}

Test(crowd, a_run_counts_what_lives_do)
{
    static const char *const states[] = {"here", NULL};
    char population[] = "  state: {here: 1}\n  inflow: {per_year: 200}\n";
    const struct support_scenario scenario = {.seed = 77,
                                              .persons = 0,
                                              .horizon_months = 12 * 18,
                                              .batches = 7,
                                              .population = population,
                                              .states = states,
                                              .times = {12, 12 * 14, 12 * 17}};
    support_open(&world, MODEL LEAVES, &scenario);
    struct pk_run run;
    for (int threads = 1; threads <= 2; threads++) {
        const struct pk_run_options options = {.n_threads = threads, .block_size = threads == 1 ? 0 : 13};
        double totals[3] = {0};
        support_run(&world, &options, &run);
        for (size_t u = 0; u < run.fold.n_units; u++)
            for (size_t t = 0; t < 3; t++)
                totals[t] += run.fold.outcomes[u * 9 + 3 * t]; /* in, ever, years of each time */
        cr_expect(totals[0] == 200 && totals[1] == 2800 && totals[2] == 3000, "%g %g %g", totals[0], totals[1],
                  totals[2]);
        pk_run_free(&run);
    }
}

Test(crowd, ids_ascend_and_places_are_found)
{
    open_world(MODEL DIES, 1000, 12 * 7 + 5, "{per_year: 3.3, poisson: true}", NULL);
    cr_assert_eq(world.plan.inflow.n_years, 8);
    cr_expect_float_eq(world.plan.inflow.mean[7], 3.3 * 5 / 12, 1e-14, "part of a year");
    for (uint32_t r = 0; r < 20; r++) {
        struct pk_crowd crowd;
        pk_crowd_make(&world.plan, r, &crowd);
        cr_assert(crowd.first[0] == 1000 && crowd.first[8] == crowd.n_persons);
        uint64_t before = 0;
        for (uint64_t i = 0; i < crowd.n_persons; i++) {
            uint64_t id = pk_crowd_id(&crowd, i), year = id >> 32;
            cr_assert(i == 0 || id > before);
            cr_assert(year == 0 ? id == i : i - crowd.first[year - 1] == (id & 0xffffffff) && i < crowd.first[year]);
            before = id;
            struct pk_person person;
            pk_person_make(&world.plan, r, id, &person);
            cr_assert(year == 0 ? person.entry == 0
                                : person.entry > 12 * (double)(year - 1) && person.entry <= 12 * (double)year &&
                                      person.entry < 89 && person.entry == pk_tick_round(person.entry));
        }
    }
}

/* Counts of 4,000 replications: mean and variance within 4 s.e., and each count's share (Pearson's chi-squared below
 * its 0.9999 quantile). */
Test(crowd, poisson_counts_are_poisson)
{
    enum { REPLICATIONS = 4000, MOST = 12 };
    open_world(MODEL DIES, 1, 36, "{per_year: 4.2, poisson: true}", NULL);
    double sum = 0, squares = 0, counts[MOST + 1] = {0}, chi = 0, of_pairs = 0;
    for (uint32_t r = 0; r < REPLICATIONS; r++) {
        struct pk_crowd crowd;
        pk_crowd_make(&world.plan, r, &crowd);
        double n = (double)(crowd.first[1] - crowd.first[0]), next = (double)(crowd.first[2] - crowd.first[1]);
        sum += n;
        squares += n * n;
        of_pairs += (n - 4.2) * (next - 4.2);
        counts[n < MOST ? (size_t)n : MOST]++;
    }
    double mean = sum / REPLICATIONS, variance = squares / REPLICATIONS - mean * mean;
    cr_expect(fabs(mean - 4.2) < 4 * sqrt(4.2 / REPLICATIONS), "mean %g", mean);
    cr_expect(fabs(variance - 4.2) < 4 * sqrt((4.2 + 2 * 4.2 * 4.2) / REPLICATIONS), "variance %g", variance);
    cr_expect(fabs(of_pairs / REPLICATIONS) < 4 * 4.2 / sqrt(REPLICATIONS), "years are independent");
    for (unsigned k = 0; k <= MOST; k++) {
        double share = k < MOST ? exp(k * log(4.2) - 4.2 - lgamma(k + 1.0)) : gsl_cdf_chisq_P(2 * 4.2, 2 * MOST);
        double expected = share * REPLICATIONS;
        chi += (counts[k] - expected) * (counts[k] - expected) / expected;
    }
    cr_expect(chi < gsl_cdf_chisq_Pinv(0.9999, MOST), "chi-squared %g", chi);
}

/* Without poisson a fraction is a keyed draw for one person more. */
Test(crowd, fixed_numbers_are_rounded_by_a_draw)
{
    enum { REPLICATIONS = 4000 };
    open_world(MODEL DIES, 1, 24, "{per_year: 10.25}", NULL);
    size_t n_more = 0;
    for (uint32_t r = 0; r < REPLICATIONS; r++) {
        struct pk_crowd crowd;
        pk_crowd_make(&world.plan, r, &crowd);
        uint64_t n = crowd.first[1] - crowd.first[0];
        cr_assert(n == 10 || n == 11);
        n_more += n == 11;
    }
    cr_expect(fabs((double)n_more - 1000) < 4 * sqrt(4000 * 0.25 * 0.75), "%zu", n_more);
}

Test(crowd, a_table_gives_the_inflow_by_time)
{
    open_world(MODEL DIES, 1, 42, "{per_year: table}", NULL);
    static const double by_calendar[] = {100, 0.5 * 100 + 0.5 * 40, 7, 3.5};
    for (size_t y = 0; y < 4; y++)
        cr_expect_float_eq(world.plan.inflow.mean[y], by_calendar[y], 1e-9);
    support_close(&world);
    open_world(MODEL DIES, 1, 48, "{per_year: other, until: {months: 30}}", NULL);
    cr_assert_eq(world.plan.inflow.n_years, 3);
    cr_expect(world.plan.inflow.mean[0] == 30 && world.plan.inflow.mean[1] == 30 && world.plan.inflow.mean[2] == 45);
    cr_expect(world.plan.inflow.length[1] == 12 && world.plan.inflow.length[2] == 6);
}

/* More people in the third year change nobody of any other year, and none of those who came in the third before. */
Test(crowd, other_years_numbers_change_nobody)
{
    enum { ROOM = 1000 };
    static struct {
        uint64_t id;
        double entry;
        int64_t tick;
    } seen[ROOM];
    size_t n_seen = 0;
    struct pk_crowd crowd;
    struct pk_person person;
    open_world(MODEL DIES, 50, 60, "{per_year: 30}", NULL);
    pk_crowd_make(&world.plan, 3, &crowd);
    for (uint64_t i = 0; i < crowd.n_persons; i++) {
        live(3, pk_crowd_id(&crowd, i), &person);
        cr_assert_lt(n_seen, ROOM);
        seen[n_seen].id = person.id;
        seen[n_seen].entry = person.entry;
        seen[n_seen++].tick = life.n_events > 0 ? life.events[0].tick : -1;
    }
    support_close(&world);
    open_world(MODEL DIES, 50, 60, "{per_year: other}", NULL);
    pk_crowd_make(&world.plan, 3, &crowd);
    cr_expect_eq(crowd.n_persons, 50 + 4 * 30 + 90);
    size_t n_same = 0;
    for (uint64_t i = 0; i < crowd.n_persons; i++) {
        live(3, pk_crowd_id(&crowd, i), &person);
        while (n_same < n_seen && seen[n_same].id < person.id)
            n_same++;
        if (n_same == n_seen || seen[n_same].id != person.id) {
            cr_expect(person.entry > 24 && person.entry <= 36, "only the third year has more");
            continue;
        }
        cr_expect_eq(seen[n_same].entry, person.entry);
        cr_expect_eq(seen[n_same].tick, life.n_events > 0 ? life.events[0].tick : -1);
    }
}

/* A share of those there at the start, of everyone as they enter, and half a year after that; the smaller share within
 * the larger. */
Test(crowd, shares_are_decided_person_by_person)
{
    open_world(
        MODEL DIES, 4000, 60, "{per_year: 800}",
        "  base: {}\n  some: {enrol: [{service: s, share: 0.2, at: {months: 3}}]}\n  more: {enrol: [{service: s, "
        "share: 0.5, at: entry}]}\n  late: {enrol: [{service: s, share: 0.5, at: {after_entry: {months: 6}}}]}\n  "
        "all: {enrol: [{service: s, share: 1}]}\n");
    cr_assert_eq(world.plan.n_lotteries, 3, "entry and later are the same people");
    cr_expect_eq(world.plan.arms[2].i_cohort, world.plan.arms[3].i_cohort);
    cr_expect_eq(world.plan.n_targets, 1);
    struct pk_crowd crowd;
    pk_crowd_make(&world.plan, 0, &crowd);
    double n_some = 0, n_more = 0;
    for (uint64_t i = 0; i < crowd.n_persons; i++) {
        struct pk_person person;
        struct pk_enrolled items[PK_MAX_ENROLMENTS];
        struct pk_treatment treatment;
        pk_person_make(&world.plan, 0, pk_crowd_id(&crowd, i), &person);
        uint64_t won = pk_lottery_shares(&world.plan, &person);
        bool some = pk_lottery_treatment(&world.plan, 1, won, &person, NULL, items, &treatment);
        cr_expect(!some || (person.entry == 0 && treatment.items[0].from == 3));
        bool more = pk_lottery_treatment(&world.plan, 2, won, &person, NULL, items, &treatment);
        cr_expect(!more || treatment.items[0].from == person.entry);
        cr_expect(more || !some, "a smaller share is within a larger one");
        cr_expect_eq(pk_lottery_treatment(&world.plan, 3, won, &person, NULL, items, &treatment), more);
        cr_expect(!more || treatment.items[0].from == person.entry + 6);
        cr_expect_eq(pk_lottery_treatment(&world.plan, 4, won, &person, NULL, items, &treatment), person.entry == 0);
        n_some += some;
        n_more += more;
    }
    cr_expect(fabs(n_some - 800) < 4 * sqrt(4000 * 0.16), "%g", n_some);
    cr_expect(fabs(n_more - 4000) < 4 * sqrt(8000 * 0.25), "%g", n_more);
}
