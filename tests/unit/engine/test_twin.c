/* The analytic twin on hazards that change: with clocks of every kind, in the same memory again and again. */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "polku/twin.h"
#include "support.h"

#define MODEL                                                                                                          \
    "polku: 1\nmodel: m\nstates:\n  a: {}\n  b: {absorbing: true}\n  c: {absorbing: true}\n  d: "                      \
    "{}\nparameters:\n" TABLE("spell", "time_in_state", "[0.3125, 0.875, 2.1875]", "[0.83, 0.21, 1.17, 0.4]",          \
                              "per_year") TABLE("age", "age", "[40.375, 41.4375]", "[0.1, 0.37, 0.9]", "per_year")     \
        TABLE("dates", "calendar", "[2021-07-11, 2022-03-01]", "[0.11, 0.43, 0.07]", "per_year")                       \
            PARAMETER("back", "1.4", "per_year") PARAMETER("window", "1", "years")                                     \
                TABLE("own", "time_in_state", "[0.3125, 1.6875]", "[0.2, 1.9, 0.6]",                                   \
                      "per_year") "transitions:\n"                                                                     \
                                  "  spell: {from: a, to: b, hazard: spell}\n"                                         \
                                  "  aged: {from: a, to: c, hazard: age}\n"                                            \
                                  "  dated: {from: a, to: d, hazard: dates}\n"                                         \
                                  "  back: {from: d, to: a, hazard: back}\n"                                           \
                                  "services:\n  s: {window: window, effects: [{transition: spell, replace: own}]}\n"

static const struct support_scenario scenario = {.seed = 3,
                                                 .persons = 10,
                                                 .horizon_months = 36,
                                                 .population = "  state: {a: 1}\n  age: {fixed: 40}\n",
                                                 .arms = "  base: {}\n  s: {enrol: [{service: s, persons: 10}]}\n"};

/* The integral of a table from one time of its clock to another, in years. */
static double between(const double *cuts, const double *levels, size_t n_cuts, double from, double to)
{
    double sum = 0;
    for (size_t i = 0; i <= n_cuts; i++) {
        const double low = fmax(from, i == 0 ? -1e9 : cuts[i - 1]), high = fmin(to, i == n_cuts ? 1e9 : cuts[i]);
        sum += high > low ? levels[i] * (high - low) : 0;
    }
    return sum;
}

/* Where nobody comes back, those still there are exp(-H): exactly, wherever the cuts fall within steps, because spells
 * that begin at a known time have the mean hazard of their step. The oracle knows the tables alone,
 * in years; their cuts are whole ticks. */
Test(twin, those_who_stay_have_survived_the_hazards_of_every_clock)
{
    static const double spell_cuts[] = {0.3125, 0.875, 2.1875}, spell[] = {0.83, 0.21, 1.17, 0.4};
    static const double age_cuts[] = {40.375, 41.4375}, age[] = {0.1, 0.37, 0.9};
    static const double own_cuts[] = {0.3125, 1.6875}, own[] = {0.2, 1.9, 0.6};
    static const double elapsed[] = {0, 2.385, 7.9, 31}, ages[] = {40 * 12, 39.1 * 12, 41.2 * 12};
    struct support_world world;
    struct pk_twin twin;
    double times[36], occupancy[36][4];
    support_open(&world, MODEL, &scenario);
    pk_twin_init(&twin);
    const struct pk_rate *dates = NULL; /* cuts by day are looked up in the plan: test_plan.c holds them */
    for (size_t a = 0; a < world.plan.n_arcs; a++)
        if (world.plan.arcs[a].i_transition == pk_model_transition(&world.model, "dated"))
            dates = pk_plan_arc_rate(&world.plan.arcs[a], 0);
    cr_assert_not_null(dates);
    for (size_t i = 0; i < 36; i++)
        times[i] = (double)(i + 1);
    for (size_t treated = 0; treated < 2; treated++)
        for (size_t k = 0; k < 4; k++)
            for (size_t j = 0; j < 3; j++) {
                const double zero = elapsed[k] / 12, born = ages[j] / 12, window = treated ? 1 : 0;
                const struct pk_enrolled item = {.i_service = 0, .from = 0};
                const struct pk_treatment treatment = {.n = 1, .items = &item};
                const struct pk_twin_case problem = {.plan = &world.plan,
                                                     .age = ages[j],
                                                     .elapsed = elapsed[k],
                                                     .treatment = treated ? &treatment : NULL,
                                                     .stop_states = UINT64_C(1) << 3,
                                                     .until = 36,
                                                     .step = 0.5,
                                                     .n_times = 36,
                                                     .times = times};
                struct pk_error error;
                cr_assert_eq(pk_twin_solve_in(&twin, &problem, &occupancy[0][0], NULL, &error), PK_OK);
                for (size_t i = 0; i < 36; i++) {
                    const double t = times[i] / 12, served = fmin(t, window);
                    double dated = 0;
                    for (size_t c = 0; c <= dates->n_cuts; c++) {
                        const double low = c == 0 ? 0 : dates->cuts[c - 1];
                        const double high = c == dates->n_cuts ? times[i] : fmin(times[i], dates->cuts[c]);
                        dated += high > low ? dates->levels[c] * (high - low) : 0;
                    }
                    const double survived = between(own_cuts, own, 2, zero, zero + served) +
                                            between(spell_cuts, spell, 3, zero + served, zero + t) +
                                            between(age_cuts, age, 2, born, born + t) + dated;
                    cr_expect_float_eq(occupancy[i][0], exp(-survived), 1e-12, "%zu, %g, %g, month %zu: %.15g, %.15g",
                                       treated, elapsed[k], ages[j], i + 1, occupancy[i][0], exp(-survived));
                }
            }
    pk_twin_free(&twin);
    support_close(&world);
}

/* What a solution leaves in the memory is nothing to the next: other people, steps, treatments, stops. */
Test(twin, memory_of_another_solution_changes_no_bit)
{
    struct support_world world;
    struct pk_twin twin;
    struct pk_error error;
    const struct pk_enrolled item = {.i_service = 0, .from = 2};
    const struct pk_treatment treatment = {.n = 1, .items = &item};
    struct pk_twin_case problems[] = {
        {.age = 39.5 * 12, .elapsed = 3, .until = 30, .step = 0.5},
        {.age = 41 * 12, .elapsed = 0.7, .until = 7, .step = 2},
        {.age = 40 * 12, .i_state = 3, .treatment = &treatment, .until = 36, .step = 0.25},
        {.age = 40 * 12, .elapsed = 1, .stop_states = 8, .treatment = &treatment, .until = 18, .step = 0.5},
        {.age = 40 * 12, .i_state = 1, .until = 18, .step = 0.5},
    };
    enum { N = sizeof problems / sizeof *problems };
    double alone[N][4], months_alone[N][4], shared[4], months[4];
    support_open(&world, MODEL, &scenario);
    for (size_t i = 0; i < N; i++) {
        problems[i].plan = &world.plan;
        cr_assert_eq(pk_twin_solve(&problems[i], alone[i], months_alone[i], &error), PK_OK);
        double sum = 0;
        for (size_t s = 0; s < 4; s++)
            sum += alone[i][s];
        cr_expect_float_eq(sum, 1, 1e-13);
    }
    pk_twin_init(&twin);
    for (size_t first = 0; first < N; first++)
        for (size_t second = 0; second < N; second++)
            for (size_t k = 0; k < 2; k++) {
                const size_t i = k == 0 ? first : second;
                cr_assert_eq(pk_twin_solve_in(&twin, &problems[i], shared, months, &error), PK_OK);
                cr_expect_arr_eq(shared, alone[i], sizeof shared, "%zu after %zu", second, first);
                cr_expect_arr_eq(months, months_alone[i], sizeof months, "%zu after %zu", second, first);
            }
    pk_twin_free(&twin);
    support_close(&world);
}
