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
                pk_text_addf(&g->model, "  r%zu_%zu: {value: %.17g, unit: per_year, source: {assumption: test}}\n", i,
                             j, g->q[i * g->n + j]);
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
 * right engine fails one seed in 350. With 200,000 people a share near 1/2 that is 0.006 off is seen with 81 % power.
 */
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
                support_expect(support_state(&run, 0, "years", g.states[s], times[k]), years[s], 4.5, what,
                               g.states[s]);
            }
        }
        pk_run_free(&run);
        support_close(&world);
        pk_text_free(&g.model);
    }
}

/* The largest relative differences of the twin from the exact answer: plain, and extrapolated from two steps. A state
 * that fewer than one in a million reach is left out. */
struct twin_error {
    double coarse, fine, extrapolated;
};

static struct twin_error twin_errors(const struct generated *g, const struct pk_plan *plan)
{
    double p[MOST], years[MOST], occupancy[2][PK_MAX_STATES], months[2][PK_MAX_STATES];
    struct twin_error most = {0};
    struct pk_error error;
    for (size_t k = 0; k < 3; k++) {
        for (size_t fine = 0; fine < 2; fine++) {
            const struct pk_twin_case problem = {.plan = plan, .until = times[k], .step = fine ? 0.125 : 0.25};
            cr_assert_eq(pk_twin_solve(&problem, occupancy[fine], months[fine], &error), PK_OK);
        }
        for (size_t s = 0; s < g->n; s++)
            p[s] = years[s] = 0;
        p[0] = 1;
        support_evolve(g->q, g->n, times[k] / 12.0, p, years);
        for (size_t s = 0; s < g->n; s++) {
            const double *found[2][2] = {{occupancy[0], occupancy[1]}, {months[0], months[1]}};
            const double exact_value[2] = {p[s], 12 * years[s]};
            for (size_t what = 0; what < 2 && p[s] > 1e-6; what++) {
                double x = exact_value[what], coarse = found[what][0][s], fine = found[what][1][s];
                most.coarse = fmax(most.coarse, fabs(coarse / x - 1));
                most.fine = fmax(most.fine, fabs(fine / x - 1));
                most.extrapolated = fmax(most.extrapolated, fabs((4 * fine - coarse) / 3 / x - 1));
            }
        }
    }
    return most;
}

static void open_plan(const struct generated *g, struct support_world *world)
{
    const struct support_scenario scenario = {
        .seed = 1, .persons = 10, .horizon_months = HORIZON, .population = "  state: {s0: 1}\n"};
    support_open(world, pk_text_string(&g->model), &scenario);
}

/* Second order: halving the step leaves a quarter of the error, and Richardson's extrapolation nearly none of it. The
 * states are left at up to 4 a year, where a step of a quarter of a month is already 0.08 of a mean stay. */
Test(generators, analytic_twin_is_second_order_in_its_step)
{
    for (unsigned i = 0; i < MATRICES; i++) {
        struct generated g;
        struct support_world world;
        generate(i, &g);
        open_plan(&g, &world);
        struct twin_error found = twin_errors(&g, &world.plan);
        cr_expect(found.coarse < 2e-3, "matrix %u: relative error %.2g", i, found.coarse);
        cr_expect(found.coarse / found.fine > 3.6 && found.coarse / found.fine < 4.4, "matrix %u: %.3g, then %.3g", i,
                  found.coarse, found.fine);
        cr_expect(found.extrapolated < 0.02 * found.coarse, "matrix %u: %.3g, extrapolated %.3g", i, found.coarse,
                  found.extrapolated);
        support_close(&world);
        pk_text_free(&g.model);
    }
}

/* Conversions solve probabilities of some per cent and more on the twin: those it has to 1e-4 of their value and, rare
 * states included, to 5e-5 absolutely. (The relative error of a state k moves away is of the order (k step / t)^2,
 * whatever the hazards: up to 1.3e-3 here at 11 months.) */
Test(generators, analytic_twin_is_within_1e_4_of_what_is_not_rare)
{
    double worst = 0, worst_relative = 0;
    for (unsigned i = 0; i < MATRICES; i++) {
        struct generated g;
        struct support_world world;
        generate(i, &g);
        for (size_t k = 0; k < g.n * g.n; k++)
            g.q[k] /= 4;
        open_plan(&g, &world);
        for (size_t p = 0; p < world.model.n_parameters; p++)
            world.values.used[p] /= 4; /* as slow as models/tyokyky: states are left about once a year */
        support_change(&world, 0, 0);
        for (size_t k = 0; k < 3; k++) {
            double p[MOST] = {1}, years[MOST] = {0}, occupancy[PK_MAX_STATES];
            struct pk_error error;
            const struct pk_twin_case problem = {.plan = &world.plan, .until = times[k], .step = 0.25};
            cr_assert_eq(pk_twin_solve(&problem, occupancy, NULL, &error), PK_OK);
            support_evolve(g.q, g.n, times[k] / 12.0, p, years);
            for (size_t s = 0; s < g.n; s++) {
                worst = fmax(worst, fabs(occupancy[s] - p[s]));
                if (p[s] > 0.05)
                    worst_relative = fmax(worst_relative, fabs(occupancy[s] / p[s] - 1));
            }
        }
        support_close(&world);
        pk_text_free(&g.model);
    }
    cr_expect(worst < 5e-5, "%.2g", worst);
    cr_expect(worst_relative < 1e-4, "%.2g", worst_relative);
}
