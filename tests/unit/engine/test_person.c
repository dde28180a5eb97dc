/* Persons as the plan's distributions make them: quantiles against GSL and closed forms, shares with a fixed seed. */
#include "polku/person.h"

#include <criterion/criterion.h>
#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "polku/lottery.h"
#include "polku/rng.h"
#include "support.h"

enum { PERSONS = 40000 };
#define HEAD                                                                                                           \
    "polku: 1\nmodel: m\nstates:\n  a: {}\n  b: {}\n  c: {absorbing: true}\nattributes:\n  sex: {values: [woman, "     \
    "man]}\n  kind: {values: [x, y, z]}\nparameters:\n"
#define MODEL                                                                                                          \
    HEAD PARAMETER("r", "0.3", "per_year") "transitions:\n  ab: {from: a, to: b, hazard: r}\n  bc: {from: b, to: c, "  \
                                           "hazard: r}\n"
#define KINDS "  attributes: {sex: {woman: 0.6, man: 0.4}, kind: {x: 0.5, y: 0.3, z: 0.2}}\n"

static struct support_world world;

static void open_world(const char *model, const char *population, const char *arms)
{
    const struct support_scenario scenario = {
        .seed = 2385, .persons = PERSONS, .horizon_months = 60, .population = population, .arms = arms};
    support_open(&world, model, &scenario);
}

static void close_world(void)
{
    support_close(&world);
}

TestSuite(person, .fini = close_world);

/* Below 4 s.e. of a binomial share. */
static void expect_share(size_t n, size_t of, double share, const char *what)
{
    double se = sqrt(share * (1 - share) / (double)of);
    cr_expect(fabs((double)n / (double)of - share) <= 4 * se, "%s: %g, expected %g +- %g", what, (double)n / (double)of,
              share, se);
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

Test(person, a_truncated_normal_is_gsls)
{
    open_world(MODEL, "  state: {a: 1}\n  age: {normal: [41.5, 11.25, 18, 63.5]}\n" KINDS, NULL);
    const struct pk_plan_distribution *age = &world.plan.origin.age;
    double low = gsl_cdf_ugaussian_P((18 - 41.5) / 11.25), high = gsl_cdf_ugaussian_P((63.5 - 41.5) / 11.25);
    cr_expect_float_eq(age->c, low, 1e-15);
    cr_expect_float_eq(age->d, high, 1e-15);
    double before = 0;
    for (double p = 1e-9; p < 1; p += 0.0173) {
        double x = pk_distribution_quantile(age, p) / 12;
        double exact = 41.5 + 11.25 * gsl_cdf_ugaussian_Pinv(low + p * (high - low));
        cr_expect_float_eq(x, exact, 1e-10, "p = %g: %.15g, GSL %.15g", p, x, exact);
        cr_expect(x >= 18 - 1e-9 && x <= 63.5 + 1e-9 && x > before);
        before = x;
    }
    struct pk_person person;
    for (uint64_t id = 0; id < 1000; id++) {
        pk_person_make(&world.plan, 0, id, &person);
        cr_expect(person.age >= 18 * 12 && person.age <= 63.5 * 12);
    }
}

Test(person, a_histogram_is_uniform_within_its_bins)
{
    open_world(MODEL,
               "  state: {a: 1}\n  age: {histogram: {edges: [18, 25, 40, 60, 64], shares: [0.2, 0, 0.7, 0.1]}}\n" KINDS,
               NULL);
    const struct pk_plan_distribution *age = &world.plan.origin.age;
    cr_expect_float_eq(pk_distribution_quantile(age, 0.1) / 12, 21.5, 1e-12);
    cr_expect_float_eq(pk_distribution_quantile(age, 0.2) / 12, 40, 1e-12, "nobody is in the empty bin");
    cr_expect_float_eq(pk_distribution_quantile(age, 0.55) / 12, 50, 1e-12);
    cr_expect_float_eq(pk_distribution_quantile(age, 0.95) / 12, 62, 1e-12);
    size_t n_bins[4] = {0};
    for (uint64_t id = 0; id < PERSONS; id++) {
        struct pk_person person;
        pk_person_make(&world.plan, 0, id, &person);
        double years = person.age / 12;
        n_bins[(years >= 25) + (years >= 40) + (years >= 60)]++;
    }
    expect_share(n_bins[0], PERSONS, 0.2, "18 to 25");
    cr_expect_eq(n_bins[1], 0);
    expect_share(n_bins[2], PERSONS, 0.7, "40 to 60");
    expect_share(n_bins[3], PERSONS, 0.1, "60 to 64");
}

Test(person, points_are_equally_likely)
{
    static const double points[] = {3, 1, 2};
    const struct pk_plan_distribution distribution = {.n_points = 3, .points = points};
    cr_expect(pk_distribution_quantile(&distribution, 0.1) == 3 && pk_distribution_quantile(&distribution, 0.34) == 1);
    cr_expect(pk_distribution_quantile(&distribution, 0.99) == 2 && pk_distribution_quantile(&distribution, 1) == 2);
}

static void count_joint(size_t counts[6])
{
    memset(counts, 0, 6 * sizeof *counts);
    for (uint64_t id = 0; id < PERSONS; id++) {
        struct pk_person person;
        pk_person_make(&world.plan, 0, id, &person);
        counts[person.values[0] * 3 + person.values[1]]++;
    }
}

Test(person, joint_attributes_are_drawn_in_the_tables_shares)
{
    static const double shares[] = {0.31, 0, 0.17, 0.02, 0.5, 0};
    size_t counts[6];
    open_world(MODEL,
               "  state: {a: 1}\n  joint: [{attributes: [kind, sex], rows: [[z, woman, 0.17], [x, woman, 0.31], [x, "
               "man, 0.02], [y, man, 0.5]]}]\n",
               NULL);
    count_joint(counts);
    for (size_t i = 0; i < 6; i++)
        expect_share(counts[i], PERSONS, shares[i], "cell");
    /* the draw is that of the first attribute: kind, the second of the model */
    struct pk_rng_key key = {.seed = 2385, .person = 7, .stream = 16 + 1, .role = PK_ROLE_ATTRIBUTE};
    struct pk_person person;
    pk_person_make(&world.plan, 0, 7, &person);
    double u = pk_rng_uniforms(&key).first;
    size_t cell = u < 0.31 ? 0 : u < 0.33 ? 3 : u < 0.83 ? 4 : 2;
    cr_expect_eq(person.values[0] * 3 + person.values[1], cell);
}

Test(person, a_fitted_joint_table_meets_the_shares_of_its_attributes)
{
    size_t counts[6];
    open_world(MODEL,
               "  state: {a: 1}\n" KINDS "  joint: [{attributes: [sex, kind], fit: true, rows: [[woman, x, 3], [woman, "
               "y, 1], [woman, z, 2], [man, x, 1], [man, y, 5]]}]\n",
               NULL);
    const struct pk_plan_joint *joint = &world.plan.origin.joints[0];
    cr_assert_eq(joint->n_cells, 5, "nobody is in a cell that is 0 in the seed");
    double cells[6] = {0}, before = 0;
    for (size_t i = 0; i < 5; i++) {
        cells[joint->values[2 * i] * 3 + joint->values[2 * i + 1]] = joint->cumulative[i] - before;
        before = joint->cumulative[i];
    }
    cr_expect_float_eq(cells[0] + cells[1] + cells[2], 0.6, 1e-12);
    cr_expect_float_eq(cells[0] + cells[3], 0.5, 1e-12);
    cr_expect_float_eq(cells[1] + cells[4], 0.3, 1e-12);
    cr_expect_float_eq(cells[2], 0.2, 1e-12);
    cr_expect_float_eq(cells[0] * cells[4] / (cells[1] * cells[3]), 15, 1e-9, "the seed's odds ratio");
    count_joint(counts);
    for (size_t i = 0; i < 6; i++)
        expect_share(counts[i], PERSONS, cells[i], "cell");
}

#define SURVIVED                                                                                                       \
    HEAD PARAMETER("level", "0.05", "per_year") PARAMETER("slope", "0.03", "per_year_of_clock")                        \
        PARAMETER("v", "0.7", "variance") PARAMETER("double", "2", "ratio") PARAMETER("p", "0.3", "share")             \
            TABLE("t", "time_in_state", "[1]", "[0.4, 0.1]", "per_year")
#define ELAPSED "  state: {a: 1}\n  age: {fixed: 40}\n  elapsed: {a: {fixed: 2.5}}\n" KINDS

/* By hand: 0.4 x 1 + 0.1 x 1.5 of the table, and 0.05 (e^(0.03 x 40) - e^(0.03 x 37.5)) / 0.03 of the Gompertz, which
 * is doubled for men. */
static double survived(bool man)
{
    return 0.55 + (man ? 2 : 1) * 0.05 * (exp(1.2) - exp(0.03 * 37.5)) / 0.03;
}

static double drawn_frailties(size_t sex, double *values)
{
    size_t n = 0;
    for (uint64_t id = 0; id < PERSONS; id++) {
        struct pk_person person;
        pk_person_make(&world.plan, 0, id, &person);
        if (person.values[0] == sex)
            values[n++] = person.frailties[0];
    }
    qsort(values, n, sizeof *values, ascending);
    return (double)n;
}

/* Whoever has been there for 2.5 years has gamma(k) / (k + H): Kolmogorov's distance against GSL's distribution
 * function, below the point passed once in 10,000. */
Test(person, frailty_of_a_spell_under_way_is_that_of_its_survivors)
{
    static const char *const unconditional[] = {"", ", unconditional: true"};
    static double values[PERSONS];
    for (int u = 0; u < 2; u++) {
        char model[4096];
        snprintf(model, sizeof model,
                 SURVIVED
                 "frailty: {f: {variance: v%s}}\ntransitions:\n  ab: {from: a, to: b, hazard: t, frailty: f}\n  "
                 "die: {from: [a, b], to: c, hazard: {gompertz: {rate: level, shape: slope, clock: age}}, "
                 "ratios: {sex: {man: double}}, frailty: f}\n",
                 unconditional[u]);
        open_world(model, ELAPSED, NULL);
        const double k = 1 / 0.7;
        for (size_t sex = 0; sex < 2; sex++) {
            double n = drawn_frailties(sex, values), distance = 0, h = u ? 0 : survived(sex == 1);
            for (size_t i = 0; i < (size_t)n; i++) {
                double below = gsl_cdf_gamma_P(values[i], k, 1 / (k + h));
                distance = fmax(distance, fmax((double)(i + 1) / n - below, below - (double)i / n));
            }
            cr_expect(distance * sqrt(n) < 2.23, "sqrt(n) D = %g", distance * sqrt(n));
        }
        if (u == 0)
            support_close(&world);
    }
}

/* Of those still there the cured are p / (p + (1 - p) e^-H). */
Test(person, cured_are_more_among_those_still_there)
{
    open_world(SURVIVED "transitions:\n  ab: {from: a, to: b, hazard: t, cure: {share: p, per: person}}\n  bc: {from: "
                        "b, to: c, hazard: level, cure: {share: p, per: person}}\n  ac: {from: a, to: c, hazard: "
                        "{gompertz: {rate: level, shape: slope, clock: age}}, cure: {share: p, per: person, "
                        "unconditional: true}}\n",
               ELAPSED, NULL);
    cr_assert_eq(world.plan.n_cures, 3);
    size_t counts[3] = {0};
    for (uint64_t id = 0; id < PERSONS; id++) {
        struct pk_person person;
        pk_person_make(&world.plan, 0, id, &person);
        for (size_t c = 0; c < 3; c++)
            counts[c] += person.cured >> c & 1;
    }
    expect_share(counts[0], PERSONS, 0.3 / (0.3 + 0.7 * exp(-0.55)), "the table's");
    expect_share(counts[1], PERSONS, 0.3, "of a state that they are not in");
    expect_share(counts[2], PERSONS, 0.3, "unconditional");
}

/* The same uniform: with more people starting in b, those who do in the base still do. */
Test(person, an_arms_start_moves_as_few_as_it_can)
{
    open_world(MODEL, "  state: {a: 0.7, b: 0.3}\n" KINDS,
               "  base: {}\n  more: {start: {a: 0.45, b: 0.55}}\n  same: {start: {a: 0.7, b: 0.3}}\n");
    cr_assert_eq(world.plan.n_cohorts, 1);
    cr_expect(world.plan.arms[0].i_cohort == SIZE_MAX && world.plan.arms[1].i_cohort == 0);
    size_t n_moved = 0, n_b = 0;
    for (uint64_t id = 0; id < PERSONS; id++) {
        struct pk_person person;
        struct pk_enrolled items[PK_MAX_ENROLMENTS];
        struct pk_treatment treatment;
        pk_person_make(&world.plan, 0, id, &person);
        uint64_t lotteries = pk_lottery_shares(&world.plan, &person);
        cr_expect(lotteries != 0, "everyone is of the cohort");
        bool moved = pk_lottery_treatment(&world.plan, 1, lotteries, &person, NULL, items, &treatment);
        cr_expect(moved == treatment.has_start && treatment.n == 0);
        cr_expect(!moved || (person.state == 0 && treatment.i_start == 1));
        cr_expect(!pk_lottery_treatment(&world.plan, 2, lotteries, &person, NULL, items, &treatment),
                  "equal shares change nobody");
        n_moved += moved;
        n_b += moved || person.state == 1;
    }
    expect_share(n_moved, PERSONS, 0.25, "moved");
    expect_share(n_b, PERSONS, 0.55, "in b");
}

Test(person, imported_people_are_the_same_in_each_replication)
{
    struct pk_problems problems;
    struct pk_error error;
    memset(&world, 0, sizeof world);
    pk_plan_init(&world.plan);
    pk_problems_init(&problems);
    cr_assert_eq(pk_load_scenario(POLKU_SOURCE_DIR "/tests/data/good/imported.yaml", NULL, &world.scenario,
                                  &world.model, &problems),
                 PK_OK);
    pk_problems_free(&problems);
    cr_assert_eq(pk_variants_values(&world.values, &world.model, &world.scenario, NULL, 0, NULL, 0, &error), PK_OK);
    cr_assert_eq(pk_plan_compile(&world.plan, &world.model, &world.scenario, &world.values, &error), PK_OK);
    cr_expect(world.plan.n_persons == 4 && world.plan.weight_bits == 8);
    for (uint32_t replication = 0; replication < 3; replication++) {
        static const uint32_t weights[] = {256, 640, 128, 256};
        struct pk_person person;
        for (uint64_t id = 0; id < 4; id++) {
            pk_person_make(&world.plan, replication, id, &person);
            cr_expect_eq(person.weight, weights[id]);
            cr_expect_eq(person.state, id / 2);
            cr_expect_eq(person.values[0], id == 1 || id == 2);
        }
        pk_person_make(&world.plan, replication, 1, &person);
        cr_expect(person.age == 45 * 12 && person.elapsed == 15 && person.entry == 0);
        pk_person_make(&world.plan, replication, (UINT64_C(2) << 32) + 3, &person);
        cr_expect(person.weight == 256 && person.entry > 12 && person.entry <= 24, "who flows in counts as one");
        cr_expect_eq(person.age, 25 * 12 - person.entry);
    }
    /* another size than the table's is refused */
    world.scenario.population.size.literal = 5;
    cr_expect_eq(pk_plan_compile(&world.plan, &world.model, &world.scenario, &world.values, &error), PK_BAD_INPUT);
}

/* Every part of who people are is in the digest. */
Test(person, plans_of_other_people_have_other_digests)
{
    static const char *const populations[] = {
        "  state: {a: 1}\n" KINDS,
        "  state: {a: 1}\n" KINDS "  age: {fixed: 40}\n",
        "  state: {a: 1}\n" KINDS "  age: {normal: [40, 10, 20, 60]}\n",
        "  state: {a: 1}\n" KINDS "  age: {normal: [40, 11, 20, 60]}\n",
        "  state: {a: 1}\n" KINDS "  age: {normal: [40, 10, 20, 61]}\n",
        "  state: {a: 1}\n" KINDS "  age: {histogram: {edges: [20, 30, 60], shares: [0.5, 0.5]}}\n",
        "  state: {a: 1}\n" KINDS "  age: {histogram: {edges: [20, 31, 60], shares: [0.5, 0.5]}}\n",
        "  state: {a: 1}\n" KINDS "  age: {histogram: {edges: [20, 30, 60], shares: [0.4, 0.6]}}\n",
        "  state: {a: 1}\n" KINDS "  elapsed: {a: {fixed: 1}}\n",
        "  state: {a: 1}\n  joint: [{attributes: [sex, kind], rows: [[man, x, 0.5], [woman, y, 0.5]]}]\n",
        "  state: {a: 1}\n  joint: [{attributes: [sex, kind], rows: [[man, x, 0.5], [woman, z, 0.5]]}]\n",
        "  state: {a: 1}\n  joint: [{attributes: [kind, sex], rows: [[x, man, 0.5], [z, woman, 0.5]]}]\n",
        "  state: {a: 1}\n" KINDS "  inflow: {per_year: 5}\n",
        "  state: {a: 1}\n" KINDS "  inflow: {per_year: 6}\n",
        "  state: {a: 1}\n" KINDS "  inflow: {per_year: 5, poisson: true}\n",
        "  state: {a: 1}\n" KINDS "  inflow: {per_year: 5, until: {years: 3}}\n",
        "  state: {a: 1}\n" KINDS "  inflow: {per_year: 5, state: {b: 1}}\n",
    };
    static const char *const arms[] = {"  base: {}\n  other: {start: {b: 1}}\n",
                                       "  base: {}\n  other: {start: {a: 0.5, b: 0.5}}\n"};
    enum { N = sizeof populations / sizeof *populations };
    uint64_t digests[N + 2];
    for (size_t i = 0; i < N + 2; i++) {
        open_world(MODEL, populations[i < N ? i : 0], i < N ? NULL : arms[i - N]);
        digests[i] = pk_plan_digest(&world.plan);
        for (size_t k = 0; k < i; k++)
            cr_expect_neq(digests[i], digests[k], "%zu and %zu", i, k);
        if (i + 1 < N + 2)
            support_close(&world);
    }
}
