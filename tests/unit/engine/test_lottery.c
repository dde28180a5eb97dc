/* The winners of a lottery against sorting everybody's lots. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "polku/lottery.h"
#include "support.h"

enum { PERSONS = 20011, SIZES = 6 };
#define MODEL                                                                                                          \
    "polku: 1\nmodel: m\nstates:\n  a: {}\n  b: {absorbing: true}\nattributes:\n  kind: {values: [rare, common]}\n"    \
    "parameters:\n" PARAMETER("r", "0.3", "per_year")                                                                  \
        PARAMETER("two", "2", "ratio") "transitions:\n  ab: {from: a, to: b, hazard: r}\n"                             \
                                       "services:\n  s: {window: life, effects: [{transition: ab, scale: two}]}\n"
/* 1 % are rare, a tenth of them at 40 to 44 years of age */
#define AMONG ", among: {kind: rare}, age: [40, 44], service: s}]}\n"
#define POPULATION "  state: {a: 1}\n  age: {uniform: [20, 60]}\n  attributes: {kind: {rare: 0.01, common: 0.99}}\n"
static const struct support_scenario scenario = {.seed = 81,
                                                 .persons = PERSONS,
                                                 .horizon_months = 12,
                                                 .population = POPULATION,
                                                 .arms = "  base: {}\n"
                                                         "  all: {enrol: [{persons: 1, service: s}]}\n"
                                                         "  some: {enrol: [{persons: 6007, service: s}]}\n"
                                                         "  most: {enrol: [{persons: 20011, service: s}]}\n"
                                                         "  few: {enrol: [{persons: 5" AMONG
                                                         "  more: {enrol: [{persons: 5000" AMONG
                                                         "  nobody: {enrol: [{persons: 0, "
                                                         "service: s}]}\n"};

static int by_lot(const void *a, const void *b)
{
    const struct pk_ticket *x = a, *y = b;
    return x->lot != y->lot ? (x->lot > y->lot) - (x->lot < y->lot) : (x->id > y->id) - (x->id < y->id);
}

static int by_id(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Everybody in the target group, sorted by lot, and the first of them by id. */
static size_t by_sorting(const struct pk_plan *plan, size_t i_lottery, uint32_t replication, uint64_t *ids)
{
    static struct pk_ticket tickets[PERSONS];
    const struct pk_plan_lottery *lottery = &plan->lotteries[i_lottery];
    size_t n = 0;
    for (uint64_t id = 0; id < PERSONS; id++) {
        struct pk_person person;
        pk_person_make(plan, replication, id, &person);
        if (pk_person_is_eligible(plan, &plan->targets[lottery->i_target], &person))
            tickets[n++] = (struct pk_ticket){pk_person_lot(plan, lottery->i_target, replication, id), id};
    }
    qsort(tickets, n, sizeof *tickets, by_lot);
    if (n > lottery->persons)
        n = (size_t)lottery->persons;
    for (size_t i = 0; i < n; i++)
        ids[i] = tickets[i].id;
    qsort(ids, n, sizeof *ids, by_id);
    return n;
}

/* Scans ranges of the given size, backwards, until the bound is wide enough; returns how many bounds it took. */
static unsigned draw(const struct pk_plan *plan, size_t i_lottery, uint32_t replication, uint64_t range, uint64_t **ids,
                     size_t *n)
{
    struct pk_error error;
    size_t n_parts = (size_t)((PERSONS + range - 1) / range);
    struct pk_tickets *parts = pk_alloc(n_parts, sizeof *parts);
    bool enough = false;
    unsigned attempt = 0;
    for (; !enough; attempt++) {
        uint64_t bound = pk_lottery_bound(plan, i_lottery, attempt);
        cr_assert_lt(attempt, 40);
        for (size_t i = n_parts; i-- > 0;) {
            uint64_t from = i * range, to = from + range < PERSONS ? from + range : PERSONS;
            cr_assert_eq(
                pk_lottery_scan(plan, i_lottery, replication, from, to, bound, PK_VECTORS_NONE, &parts[i], &error),
                PK_OK);
        }
        cr_assert_eq(pk_lottery_draw(plan, i_lottery, bound, parts, n_parts, &enough, ids, n, &error), PK_OK);
    }
    pk_free(parts);
    return attempt;
}

Test(lottery, winners_are_those_with_the_smallest_lots_for_any_ranges)
{
    static const uint64_t ranges[] = {PERSONS, 4096, 7, 30000};
    static uint64_t expected[PERSONS];
    struct support_world world;
    unsigned most_attempts = 0;
    support_open(&world, MODEL, &scenario);
    cr_assert_eq(world.plan.n_lotteries, 6);
    for (size_t i = 0; i < world.plan.n_lotteries; i++)
        for (uint32_t replication = 0; replication < 3; replication++) {
            size_t n_expected = by_sorting(&world.plan, i, replication, expected), n = 0;
            for (size_t r = 0; r < sizeof ranges / sizeof *ranges; r++) {
                uint64_t *ids = NULL;
                unsigned attempts = draw(&world.plan, i, replication, ranges[r], &ids, &n);
                cr_assert_eq(n, n_expected, "lottery %zu: %zu, expected %zu", i, n, n_expected);
                for (size_t k = 0; k < n; k++)
                    cr_assert_eq(ids[k], expected[k]);
                pk_free(ids);
                most_attempts = attempts > most_attempts ? attempts : most_attempts;
            }
        }
    cr_expect_gt(most_attempts, 1, "no bound had to be widened");
    support_close(&world);
}

/* 1 % of the people in a tenth of the ages: about 20 of 20,011, fewer than 5,000. */
Test(lottery, fewer_eligible_people_than_places_all_win)
{
    static uint64_t expected[PERSONS];
    struct support_world world;
    support_open(&world, MODEL, &scenario);
    size_t i = 0;
    while (world.plan.lotteries[i].persons != 5000)
        i++;
    size_t n = by_sorting(&world.plan, i, 0, expected);
    cr_expect(n > 5 && n < 60, "%zu", n);
    support_close(&world);
}

/* The arms that enrol the same number of the same target group enrol the same people, whatever the service. */
Test(lottery, one_target_group_is_one_lottery)
{
    const struct support_scenario twice = {
        .seed = 82,
        .persons = 1000,
        .horizon_months = 12,
        .population = POPULATION,
        .arms = "  base: {}\n  one: {enrol: [{persons: 77, service: s, states: [a]}]}\n  other: {enrol: [{persons: 77, "
                "service: s, at: {months: 3}, states: [a]}]}\n  fewer: {enrol: [{persons: 76, service: s, states: "
                "[a]}]}\n"};
    struct support_world world;
    support_open(&world, MODEL, &twice);
    cr_expect_eq(world.plan.n_targets, 1);
    cr_expect_eq(world.plan.n_lotteries, 2);
    cr_expect_eq(world.plan.n_cohorts, 2);
    cr_expect_eq(world.plan.arms[1].i_cohort, world.plan.arms[2].i_cohort);
    cr_expect_neq(world.plan.arms[1].i_cohort, world.plan.arms[3].i_cohort);
    cr_expect_eq(world.plan.arms[0].i_cohort, SIZE_MAX);
    support_close(&world);
}

/* ---- winners and ids -------------------------------------------------------------------------------------------- */

static bool is_among(const struct pk_winners *winners, uint64_t id)
{
    bool found = false;
    for (size_t w = 0; w < winners->n; w++)
        found |= winners->ids[w] == id;
    return found;
}

/* n ascending numbers, each of the first `most` with the same share, in places far above 2^32 now and then. */
static size_t ascending(uint64_t *lcg, double share, size_t most, uint64_t *ids)
{
    size_t n = 0;
    for (uint64_t id = 0; id < most; id++)
        if (support_uniform(lcg) < share)
            ids[n++] = id < most / 2 ? id : (UINT64_C(3) << 32) + id;
    return n;
}

Test(lottery, who_won_and_who_is_next_is_what_looking_at_everybody_gives)
{
    enum { ROUNDS = 3000, MOST = 60, LOTTERIES = 64 };
    static uint64_t of_winners[LOTTERIES][MOST], ids[MOST];
    uint64_t lcg = 31;
    for (size_t k = 0; k < ROUNDS; k++) {
        struct pk_winners winners[LOTTERIES] = {{.n = 0}};
        const size_t n_lotteries = k % 9 == 0 ? LOTTERIES : k % 5;
        uint64_t won[MOST + 1];
        for (size_t l = 0; l < n_lotteries; l++) {
            const double u = support_uniform(&lcg);
            winners[l].ids = u < 0.1 ? NULL : of_winners[l]; /* of a lottery by share there are none */
            winners[l].n = u < 0.1 ? 0 : ascending(&lcg, u < 0.2 ? 0 : u < 0.3 ? 1 : u * u, MOST, of_winners[l]);
        }
        const size_t n = ascending(&lcg, support_uniform(&lcg), MOST, ids);
        for (size_t i = 0; i <= MOST; i++)
            won[i] = UINT64_C(0xa5a5a5a5a5a5a5a5);
        pk_lottery_won(winners, n_lotteries, ids, n, won);
        for (size_t i = 0; i < n; i++)
            for (size_t l = 0; l < LOTTERIES; l++)
                cr_assert_eq(won[i] >> l & 1, l < n_lotteries && is_among(&winners[l], ids[i]));
        cr_assert_eq(won[n], UINT64_C(0xa5a5a5a5a5a5a5a5), "nothing is written past the last");
        for (size_t i = 0; i < 20; i++) {
            const uint64_t id = (uint64_t)(support_uniform(&lcg) * MOST) + (i % 2 ? UINT64_C(3) << 32 : 0);
            uint64_t next = UINT64_MAX;
            for (size_t l = 0; l < n_lotteries; l++)
                for (size_t w = 0; w < winners[l].n; w++)
                    if (winners[l].ids[w] >= id && winners[l].ids[w] < next)
                        next = winners[l].ids[w];
            cr_assert_eq(pk_lottery_next(winners, n_lotteries, id), next);
        }
    }
}
