/* What arms on the same random numbers must have in common, and that an arm's law is still its own. */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "spell.h"
#include "support.h"

/* sqrt(se_a^2 + se_b^2) of the arms over the standard error of their paired difference: from B batches each of the two
 * has a relative standard deviation of 1 / sqrt(2 B). */
static double gain(const struct pk_run *run, size_t i_population, size_t a, size_t b, const char *name)
{
    double of_a = support_outcome(run, i_population, a, SIZE_MAX, name).standard_error;
    double of_b = support_outcome(run, i_population, b, SIZE_MAX, name).standard_error;
    return sqrt(of_a * of_a + of_b * of_b) / support_outcome(run, i_population, b, a, name).standard_error;
}

/* Required: 4. Measured: 6.4, known to 4 % from 500 batches, so below 4 never by chance. The exact difference: matrix
 * exponential, 0.77127 (configs/ref5-coupling.yaml). */
Test(coupling, boosted_coaching_differs_with_a_quarter_of_independent_arms_error)
{
    struct support_world world;
    struct pk_run run;
    double q[36] = {0, .30,  .25, .08, .02, .004, .90, 0,    .50, .05, 0,    .004, .20, 0,    0, .01,
                    0, .004, .15, 0,   .04, 0,    .35, .004, 0,   0,   .005, 0,    0,   .004, 0};
    double base[6] = {0, 1}, with[6] = {0, 1}, base_years[6] = {0}, with_years[6] = {0};
    support_diagonal(q, 6);
    support_evolve(q, 6, 40, base, base_years);
    q[1 * 6 + 2] = .50 * 2.26;
    support_diagonal(q, 6);
    support_evolve(q, 6, 1.5, with, with_years);
    q[1 * 6 + 2] = .50;
    support_diagonal(q, 6);
    support_evolve(q, 6, 38.5, with, with_years);
    cr_assert_float_eq(with_years[2] - base_years[2], 0.77127, 6e-6);
    support_open_file(&world, "ref5-coupling.yaml", NULL, 0);
    world.scenario.batches = 500;
    world.scenario.n_tables = 0;
    support_run(&world, NULL, &run);
    double found = gain(&run, 0, 0, 1, "employed_40");
    cr_expect(found >= 4, "%.2f times smaller", found);
    support_expect(support_outcome(&run, 0, 1, 0, "employed_40"), with_years[2] - base_years[2], 4, "difference",
                   "employed_40");
    support_expect(support_outcome(&run, 0, 1, SIZE_MAX, "employed_40"), with_years[2], 4, "boosted", "employed_40");
    cr_expect(support_outcome(&run, 0, 1, 0, "dead_40").mean == 0);
    cr_expect(support_outcome(&run, 0, 1, 0, "dead_40").standard_error == 0);
    pk_run_free(&run);
    support_close(&world);
}

/* Aimed at 2.5 for IPS less TYP and not reached: services differ for 1.5 years and jobs are rarely found without one,
 * so how long an additional first job lasts within the ten years is in the difference under any coupling that keeps the
 * keys of spells. Over 24 seeds of 400 replications (700 enrolled in each) the gains were 2.22 (a seed's standard
 * deviation 0.083), 2.58 (0.115) and 1.74 (0.065). The thresholds lie 3.2 or more deviations below: under one seed in
 * 1,000 of a right engine. */
Test(coupling, services_differ_with_about_half_of_independent_arms_error)
{
    const struct pk_run_options options = {.enrolled_only = true, .n_replications = 400};
    struct support_world world;
    struct pk_run run;
    support_open_file(&world, "ips-vs-typ.yaml", NULL, 0);
    support_run(&world, &options, &run);
    double ips_typ = gain(&run, 1, 1, 2, "employed_years_0_10y");
    double typ_none = gain(&run, 1, 0, 1, "employed_years_0_10y");
    double ips_none = gain(&run, 1, 0, 2, "employed_years_0_10y");
    cr_expect(ips_typ >= 1.95, "IPS less TYP: %.2f times smaller", ips_typ);
    cr_expect(typ_none >= 2.15, "TYP less none: %.2f times smaller", typ_none);
    cr_expect(ips_none >= 1.5, "IPS less none: %.2f times smaller", ips_none);
    pk_run_free(&run);
    support_close(&world);
}

/* ---- arms that change nothing ---------------------------------------------------------------------------------- */

#define WORLD                                                                                                          \
    "polku: 1\nmodel: arms\nstates:\n  a: {}\n  b: {}\n  c: {absorbing: true}\nparameters:\n" TABLE(                   \
        "by_spell", "time_in_state", "[0.5, 1.25]", "[0.83, 0.21, 1.17]", "per_year")                                  \
        PARAMETER("ab", "0.61", "per_year") PARAMETER("ba", "0.37", "per_year") PARAMETER("death", "0.03", "per_year") \
            PARAMETER("window", "2", "years") PARAMETER("one", "1", "ratio") PARAMETER("half", "0.5", "ratio")         \
                PARAMETER("more", "1.9", "ratio") PARAMETER("low", "0.2", "per_year")                                  \
                    PARAMETER("middle", "0.4", "per_year")                                                             \
                        TABLE("own", "since_enrolment", "[0.3]", "[1.4, 0.1]", "per_year")
#define ALL "    enrol: [{persons: 30000, at: {months: 3}, service: "
static const char *const states[] = {"a", "b", "c", NULL};

Test(coupling, arms_that_change_nothing_differ_by_exactly_nothing)
{
    const char *model =
        WORLD "transitions:\n  ab: {from: a, to: b, hazard: ab}\n  ba: {from: b, to: a, hazard: by_spell}\n"
              "  death: {from: any, to: c, hazard: death}\n"
              "services:\n  scaled: {window: window, effects: [{transition: ab, scale: one}]}\n"
              "  replaced: {window: window, effects: [{transition: ab, replace: ab}]}\n"
              "  table: {window: life, effects: [{transition: ba, replace: by_spell}]}\n"
              "  at_least: {window: life, effects: [{transition: ab, at_least: low}, {transition: ba, "
              "at_least: low}]}\n";
    const struct support_scenario scenario = {
        .seed = 61,
        .persons = 30000,
        .horizon_months = 120,
        .population = "  state: {a: 0.4, b: 0.6}\n",
        .states = states,
        .times = {17, 120},
        .arms = "  base: {}\n  scaled:\n" ALL "scaled}]\n  replaced:\n" ALL "replaced}]\n  table:\n" ALL
                "table}]\n  at_least:\n" ALL "at_least}]\n",
        .tables = "  - {name: occupancy, measure: occupancy, step: {months: 1}}\n"};
    struct support_world world;
    struct pk_run run;
    support_open(&world, model, &scenario);
    support_run(&world, NULL, &run);
    cr_assert_eq(run.fold.n_folded, 2);
    for (size_t a = 0; a < 5; a++) {
        cr_expect_eq(run.fold.n_changed[a], 0, "arm %zu changed %ld people", a, (long)run.fold.n_changed[a]);
        for (size_t t = 0; t < run.fold.n_folded; t++)
            for (size_t i = 0; i < run.fold.folded[t].n_cells; i++)
                cr_assert(run.fold.folded[t].d[a * run.fold.folded[t].n_cells + i] == 0 &&
                          run.fold.folded[t].dd[a * run.fold.folded[t].n_cells + i] == 0);
        for (size_t i = 0; i < world.scenario.n_outcomes; i++) {
            struct pk_mean difference = support_outcome(&run, 0, a, 0, world.scenario.outcomes[i].name);
            cr_expect(difference.mean == 0 && difference.standard_error == 0);
        }
    }
    pk_run_free(&run);
    support_close(&world);
}

/* ---- an arm's own law ------------------------------------------------------------------------------------------- */

/* Enrolled 3 months after the start for 2 years; all clocks start together, so that each arm is one table of t. 30
 * comparisons at 4 standard errors: a right engine fails one seed in 400. */
Test(coupling, every_kind_of_effect_gives_its_own_hazard)
{
    const char *model = WORLD "transitions:\n  ab: {from: a, to: b, hazard: by_spell}\n"
                              "  ac: {from: a, to: c, hazard: ba}\n"
                              "services:\n  halved: {window: window, effects: [{transition: ab, scale: half}]}\n"
                              "  raised: {window: window, effects: [{transition: ab, scale: more}]}\n"
                              "  replaced: {window: window, effects: [{transition: ab, replace: middle}]}\n"
                              "  at_least: {window: window, effects: [{transition: ab, at_least: middle}]}\n"
                              "  own: {window: window, effects: [{transition: ab, replace: own}]}\n";
    static const struct spell_hazard laws[6] = {
        {.n_cuts = 2, .cuts = {0.5, 1.25}, .values = {.83, .21, 1.17}},
        {.n_cuts = 4, .cuts = {0.25, 0.5, 1.25, 2.25}, .values = {.83, .415, .105, .585, 1.17}},
        {.n_cuts = 4, .cuts = {0.25, 0.5, 1.25, 2.25}, .values = {.83, 1.577, .399, 2.223, 1.17}},
        {.n_cuts = 2, .cuts = {0.25, 2.25}, .values = {.83, .4, 1.17}},
        {.n_cuts = 3, .cuts = {0.5, 1.25, 2.25}, .values = {.83, .4, 1.17, 1.17}},
        {.n_cuts = 3, .cuts = {0.25, 0.55, 2.25}, .values = {.83, 1.4, .1, 1.17}}};
    static const char *const arms[6] = {"base", "halved", "raised", "replaced", "at_least", "own"};
    const int times[3] = {8, 20, 40};
#undef ALL
#define ALL "    enrol: [{persons: 200000, at: {months: 3}, service: "
    const struct support_scenario scenario = {.seed = 62,
                                              .persons = 200000,
                                              .horizon_months = 40,
                                              .population = "  state: {a: 1}\n",
                                              .states = states,
                                              .times = {times[0], times[1], times[2]},
                                              .arms = "  base: {}\n  halved:\n" ALL "halved}]\n  raised:\n" ALL
                                                      "raised}]\n  replaced:\n" ALL "replaced}]\n  at_least:\n" ALL
                                                      "at_least}]\n  own:\n" ALL "own}]\n"};
    struct support_world world;
    struct pk_run run;
    support_open(&world, model, &scenario);
    support_run(&world, NULL, &run);
    for (size_t a = 0; a < 6; a++)
        for (size_t k = 0; k < 3; k++) {
            struct spell_hazard both[2] = {laws[a], {.values = {0.37}}};
            for (size_t i = 0; i < 2; i++)
                support_expect(support_state(&run, a, "in", states[i + 1], times[k]),
                               spell_incidence(both, 2, i, times[k] / 12.0), 4, arms[a], states[i + 1]);
        }
    pk_run_free(&run);
    support_close(&world);
}
