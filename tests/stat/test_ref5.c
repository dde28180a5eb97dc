/* The reference model of configs/ref5.yaml, 1,000,000 people, against the matrix exponential (GSL). */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>

#include "support.h"

enum { N = 6 };
static const char *const states[N] = {"unemployed", "coaching", "employed", "rehab", "pension", "dead"};

/* The reference model's definition (models/ref5): hazards per person-year, from row to column. */
static void generator(double *q)
{
    static const double rates[N * N] = {
        0,   .30, .25,  .08, .02, .004, /* unemployed */
        .90, 0,   .50,  .05, 0,   .004, /* coaching */
        .20, 0,   0,    .01, 0,   .004, /* employed */
        .15, 0,   .04,  0,   .35, .004, /* rehab */
        0,   0,   .005, 0,   0,   .004, /* pension */
        0,   0,   0,    0,   0,   0,    /* dead */
    };
    for (size_t i = 0; i < N * N; i++)
        q[i] = rates[i];
    support_diagonal(q, N);
}

/* Twelve comparisons at 4 standard errors from 64 batches (Student, 63 degrees of freedom: 1.7e-4 each): a right
 * engine fails one seed in 500. The s.e. of the employed person-years is 0.010 of 12.2: a relative error of 0.4 %
 * is found with 80 % power, of 0.5 % with 98 %. */
Test(ref5, person_years_and_occupancy_are_those_of_the_matrix_exponential)
{
    struct support_world world;
    struct pk_run run;
    double q[N * N], p[N] = {1}, years[N] = {0};
    generator(q);
    support_evolve(q, N, 40, p, years);
    cr_assert_float_eq(years[2], 12.24552, 5e-6); /* the table of performance.md, a second oracle */
    cr_assert_float_eq(p[4], .53308, 5e-6);
    support_open_file(&world, "ref5.yaml", NULL, 0);
    cr_assert_eq(world.plan.n_persons, 1000000);
    support_run(&world, NULL, &run);
    for (size_t s = 0; s < N; s++) {
        char name[64];
        snprintf(name, sizeof name, "person_years_%s", states[s]);
        support_expect(support_outcome(&run, 0, 0, SIZE_MAX, name), years[s], 4, "person-years", states[s]);
        snprintf(name, sizeof name, "in_%s", states[s]);
        support_expect(support_outcome(&run, 0, 0, SIZE_MAX, name), p[s], 4, "occupancy", states[s]);
    }
    /* 10.77573 events a person (performance.md), standard deviation 6.53: 4 s.e. */
    cr_expect_float_eq((double)run.fold.n_events / 1e6, 10.77573, 4 * 6.53 / 1000);
    pk_run_free(&run);
    support_close(&world);
}

/* Per-person standard deviations of performance.md (simulated there by another program). A standard error from 64
 * batches has itself a relative standard deviation of 1 / sqrt(126) = 8.9 %; 6 at 15 % would fail one seed in two. So
 * the sd is estimated from 4,000 batches of 250 people (1.1 %): at 15 % neither false alarms nor misses happen; at 4 %
 * (3.6 sd of the estimate; 0.2 % false alarms over six) a factor as near 1 as 1.07 is found. */
Test(ref5, standard_errors_are_those_of_the_known_standard_deviations)
{
    static const double deviations[N] = {5.430, 1.704, 10.134, 2.029, 14.034, 8.526};
    struct support_world world;
    struct pk_run run;
    support_open_file(&world, "ref5.yaml", NULL, 0);
    world.scenario.batches = 4000;
    world.scenario.n_tables = 0;
    support_run(&world, NULL, &run);
    for (size_t s = 0; s < N; s++) {
        char name[64];
        snprintf(name, sizeof name, "person_years_%s", states[s]);
        double deviation = support_outcome(&run, 0, 0, SIZE_MAX, name).standard_error * 1000;
        cr_expect(fabs(deviation / deviations[s] - 1) < 0.04, "%s: %.4f, expected %.3f", states[s], deviation,
                  deviations[s]);
    }
    pk_run_free(&run);
    support_close(&world);
}

/* Exact, in integers: 2^20 ticks a month, every person in some state at every tick. The fold turns ticks into years
 * by a division, which is exact here as long as the sums are compared in ticks again. */
Test(ref5, person_time_of_all_states_is_people_times_time_to_the_tick)
{
    struct support_world world;
    struct pk_run run;
    support_open_file(&world, "ref5.yaml", NULL, 0);
    support_change(&world, 0, 100003);
    support_run(&world, NULL, &run);
    for (size_t t = 0; t < run.fold.n_folded; t++) {
        const struct pk_folded *folded = &run.fold.folded[t];
        if (folded->i_population != 0)
            continue;
        cr_assert_eq(folded->n, 100003);
        bool time = world.scenario.tables[folded->i_table].measure == PK_MEASURE_PERSON_YEARS;
        for (size_t j = 0; j < folded->n_columns; j++) {
            double sum = 0; /* of integers below 2^53: exact */
            for (size_t s = 0; s < folded->n_rows; s++) {
                double y = folded->y[s * folded->n_columns + j];
                sum += time ? nearbyint(y * 12 * PK_TICKS_PER_MONTH) : y;
            }
            if (!time)
                cr_assert(sum == 100003, "%.0f people at month %zu", sum, j);
            else /* sums over 64 batches of years, each rounded: a few ticks of 1.2e12 */
                cr_assert(fabs(sum - 100003 * 12 * PK_TICKS_PER_MONTH) <= 64, "year %zu: %.1f ticks off", j,
                          sum - 100003 * 12 * PK_TICKS_PER_MONTH);
        }
    }
    pk_run_free(&run);
    /* the integers themselves, in one tally of single lives */
    struct pk_error error;
    struct pk_tally tally;
    uint16_t from[PK_MAX_ARCS], to[PK_MAX_ARCS];
    for (size_t a = 0; a < world.plan.n_arcs; a++) {
        from[a] = (uint16_t)world.plan.arcs[a].i_from;
        to[a] = (uint16_t)world.plan.arcs[a].i_to;
    }
    struct pk_tally_shape shape = {.n_groups = 1,
                                   .n_states = N,
                                   .n_arcs = world.plan.n_arcs,
                                   .n_steps = 480,
                                   .step_ticks = (int64_t)PK_TICKS_PER_MONTH,
                                   .arc_from = from,
                                   .arc_to = to};
    cr_assert_eq(pk_tally_init(&tally, &shape, &error), PK_OK);
    static struct pk_life life;
    for (uint64_t id = 0; id < 20011; id++) {
        struct pk_person person;
        pk_person_make(&world.plan, 0, id, &person);
        cr_assert_eq(pk_life_run(&world.plan, &person, NULL, &life, &error), PK_OK);
        pk_tally_add(&tally, &person, &life);
    }
    int64_t occupancy[481], ticks[480], all[480] = {0};
    for (size_t s = 0; s < N; s++) {
        pk_tally_occupancy(&tally, 0, s, occupancy);
        pk_tally_person_time(&tally, 0, s, occupancy, ticks);
        for (size_t j = 0; j < 480; j++)
            all[j] += ticks[j];
    }
    for (size_t j = 0; j < 480; j++)
        cr_assert_eq(all[j], INT64_C(20011) << 20);
    pk_tally_free(&tally);
    support_close(&world);
}
