/* Ten random generator matrices: simulation and analytic twin against the matrix exponential (GSL). */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>

#include "polku/twin.h"
#include "support.h"

enum { MATRICES = 10, MOST = 8, HORIZON = 120 };
static const int times[3] = {11, 43, HORIZON}; /* months */

/* 3 to 8 states, half of all moves possible, at 0.02 to 1.5 a year; every fourth state but the first two absorbing. */
struct generated {
    size_t n;
    double q[MOST * MOST];
    char names[MOST][8];
    const char *states[MOST + 1];
    struct pk_text model;
};

static void generate(unsigned i_matrix, struct generated *g)
{
    uint64_t lcg = 20210101 + i_matrix;
    bool absorbing[MOST] = {false};
    support_uniform(&lcg);
    g->n = 3 + (size_t)(support_uniform(&lcg) * 6);
    pk_text_init(&g->model);
    pk_text_addf(&g->model, "polku: 1\nmodel: random\nstates:\n");
    for (size_t i = 0; i < g->n; i++) {
        absorbing[i] = i > 1 && support_uniform(&lcg) < 0.25;
        snprintf(g->names[i], sizeof g->names[i], "s%zu", i);
        g->states[i] = g->names[i];
        pk_text_addf(&g->model, "  s%zu: {absorbing: %s}\n", i, absorbing[i] ? "true" : "false");
    }
    g->states[g->n] = NULL;
    pk_text_addf(&g->model, "parameters:\n");
    for (size_t i = 0; i < g->n; i++)
        for (size_t j = 0; j < g->n; j++) {
            bool next = j == i + 1 && !absorbing[i]; /* so that there is always a way on */
            bool moves = i != j && !absorbing[i] && (support_uniform(&lcg) < 0.5 || next);
            g->q[i * g->n + j] = moves ? 0.02 * exp(support_uniform(&lcg) * log(75)) : 0;
            if (moves)
                pk_text_addf(&g->model, "  r%zu_%zu: {value: %.17g, unit: per_year, source: {assumption: test}}\n", i, j,
                             g->q[i * g->n + j]);
        }
    pk_text_addf(&g->model, "transitions:\n");
    for (size_t i = 0; i < g->n; i++)
        for (size_t j = 0; j < g->n; j++)
            if (g->q[i * g->n + j] > 0)
                pk_text_addf(&g->model, "  t%zu_%zu: {from: s%zu, to: s%zu, hazard: r%zu_%zu}\n", i, j, i, j, i, j);
    support_diagonal(g->q, g->n);
}

static void exact(const struct generated *g, double share, int months, double *p, double *years)
{
    for (size_t s = 0; s < g->n; s++)
        p[s] = years[s] = 0;
    p[0] = share;
    p[1] = 1 - share;
    support_evolve(g->q, g->n, months / 12.0, p, years);
}

/* About 55 states x 3 times x 2 quantities = 330 comparisons. Occupancy: 4.5 binomial standard deviations (6.8e-6 each,
 * and four people for the skewness of rare states); person-years: 4.5 standard errors from 256 batches (1.0e-5 each). A
 * right engine fails one seed in 350. With 200,000 people a share near 1/2 that is 0.006 off is seen with 81 % power. */
Test(generators, simulated_occupancy_and_person_years_are_those_of_the_matrix_exponential)
{
    for (unsigned i = 0; i < MATRICES; i++) {
        struct generated g;
        struct support_world world;
        struct pk_run run;
        double p[MOST], years[MOST];
        char what[64];
        generate(i, &g);
        const struct support_scenario scenario = {.seed = 100 + i,
                                                  .persons = 200000,
                                                  .horizon_months = HORIZON,
                                                  .population = "  state: {s0: 0.625, s1: 0.375}\n",
                                                  .states = g.states,
                                                  .times = {times[0], times[1], times[2]}};
        support_open(&world, pk_text_string(&g.model), &scenario);
        support_run(&world, NULL, &run);
        for (size_t k = 0; k < 3; k++) {
            exact(&g, 0.625, times[k], p, years);
            snprintf(what, sizeof what, "matrix %u (%zu states), %d months, ", i, g.n, times[k]);
            for (size_t s = 0; s < g.n; s++) {
                struct pk_mean in = support_state(&run, 0, "in", g.states[s], times[k]);
                cr_expect(fabs(in.mean - p[s]) <= 4.5 * sqrt(p[s] * (1 - p[s]) / 200000) + 4.0 / 200000,
                          "%s in %s: %.6f, exact %.6f", what, g.states[s], in.mean, p[s]);
                support_expect(support_state(&run, 0, "years", g.states[s], times[k]), years[s], 4.5, what, g.states[s]);
            }
        }
        pk_run_free(&run);
        support_close(&world);
        pk_text_free(&g.model);
    }
}

/* The largest differences of the twin from the exact answer, absolute. */
static void twin_errors(const struct generated *g, const struct pk_plan *plan, double step, double *of_occupancy,
                        double *of_years, double *relative)
{
    double p[MOST], years[MOST], occupancy[PK_MAX_STATES], months[PK_MAX_STATES];
    struct pk_error error;
    *of_occupancy = *of_years = *relative = 0;
    for (size_t k = 0; k < 3; k++) {
        const struct pk_twin_case problem = {.plan = plan, .until = times[k], .step = step};
        cr_assert_eq(pk_twin_solve(&problem, occupancy, months, &error), PK_OK);
        exact(g, 1, times[k], p, years);
        for (size_t s = 0; s < g->n; s++) {
            *of_occupancy = fmax(*of_occupancy, fabs(occupancy[s] - p[s]));
            *of_years = fmax(*of_years, fabs(months[s] / 12 - years[s]));
            if (p[s] > 1e-6) {
                *relative = fmax(*relative, fabs(occupancy[s] / p[s] - 1));
                *relative = fmax(*relative, fabs(months[s] / 12 / years[s] - 1));
            }
        }
    }
}

/* Second order: halving the step leaves a quarter of the error (Richardson), within 10 % since third order is left. */
Test(generators, analytic_twin_is_second_order_and_within_1e_4_at_a_quarter_of_a_month)
{
    for (unsigned i = 0; i < MATRICES; i++) {
        struct generated g;
        struct support_world world;
        generate(i, &g);
        const struct support_scenario scenario = {
            .seed = 1, .persons = 10, .horizon_months = HORIZON, .population = "  state: {s0: 1}\n", .states = g.states};
        support_open(&world, pk_text_string(&g.model), &scenario);
        double coarse[3], fine[3];
        twin_errors(&g, &world.plan, 0.25, &coarse[0], &coarse[1], &coarse[2]);
        twin_errors(&g, &world.plan, 0.125, &fine[0], &fine[1], &fine[2]);
        cr_expect(coarse[2] < 1e-4, "matrix %u: relative error %.2g", i, coarse[2]);
        for (size_t k = 0; k < 2; k++)
            cr_expect(coarse[k] / fine[k] > 3.6 && coarse[k] / fine[k] < 4.4, "matrix %u, %s: %.3g, then %.3g", i,
                      k == 0 ? "occupancy" : "person-years", coarse[k], fine[k]);
        support_close(&world);
        pk_text_free(&g.model);
    }
}
