/* Illness and death with several spells: clocks that start anew with each spell against numerical convolution (the
 * Markov renewal equations), clocks that go on from the start against a product of matrix exponentials. */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "spell.h"
#include "support.h"

/* 100,000 people in 256 batches: the s.e. of a share is at most 0.0016. About 100 comparisons at 5 standard errors,
 * as in test_forms.c: these files together make 4,300, of which at 4 (Student, 255 degrees of freedom: 8.3e-5 each)
 * one seed in three would fail one, at 5 (1.1e-6) one in 210. A share that is 0.011 off is seen with 97 % power; the
 * clocks' answers differ by more than 0.02. */
static const double n_errors = 5;
static const struct pk_run_options one_thread = {.n_threads = 1}; /* Criterion runs tests side by side */
enum { PERSONS = 100000, N_TIMES = 3, HORIZON = 72, ARCS = 4, MONTH = 20, STEPS = HORIZON * MONTH };
static const int times[N_TIMES] = {7, 25, HORIZON}; /* months */
static const char *const states[] = {"well", "ill", "dead", NULL};

/* Arcs between the states 0 well, 1 ill, 2 dead. */
static const struct arc {
    const char *name;
    size_t from, to;
} arcs[ARCS] = {{"fall_ill", 0, 1}, {"die", 0, 2}, {"recover", 1, 0}, {"die_ill", 1, 2}};

/* Weibull, as asked for; then other forms. The second has no bound at 0. */
static const struct form weibulls[ARCS] = {{"weibull", {1.6, 1.4}},
                                           {"weibull", {1.3, 9.1}},
                                           {"weibull", {0.71, 1.1}},
                                           {"weibull", {1.9, 3.7}}},
                         others[ARCS] = {{"log_logistic", {2.3, 1.2}},
                                         {"gompertz", {0.3, 0.04}},
                                         {"generalised_gamma", {-0.2, 0.9, -0.7}},
                                         {"gamma", {1.7, 0.6}}},
                         constants[ARCS] = {
                             {"constant", {0.83}}, {"constant", {0.11}}, {"constant", {0.67}}, {"constant", {0.31}}};

struct answer {
    double in[N_TIMES][3];
    double years[3]; /* to the horizon */
};

/* Still in the state, and gone by each of its two arcs, after each step of a spell whose clock begins at `clock`. */
struct spell {
    double survival[STEPS + 1], gone[STEPS + 1][2];
};

static void spend(const struct form *forms, size_t state, double clock, size_t n, double step, struct spell *spell)
{
    double before[2];
    spell->survival[0] = 1;
    for (size_t d = 0; d < 2; d++)
        before[d] = form_cumulative(&forms[2 * state + d], clock);
    for (size_t k = 1; k <= n; k++) {
        double part[2];
        for (size_t d = 0; d < 2; d++) {
            double now = form_cumulative(&forms[2 * state + d], clock + step * (double)k);
            part[d] = now - before[d];
            before[d] = now;
        }
        spell->survival[k] = spell->survival[k - 1] * exp(-part[0] - part[1]);
        for (size_t d = 0; d < 2; d++) /* within a step the two hazards keep their proportion */
            spell->gone[k][d] = (spell->survival[k - 1] - spell->survival[k]) * part[d] / (part[0] + part[1]);
    }
}

/* E_j(t), the expected entries into j by t: of first spells, and after each entry into the other state. Sums over steps
 * of the mass of a step times the mean of the other factor at its ends: second order (less where a hazard has no bound:
 * shape 0.71 leaves 1.7th). n steps, at most 1/120 year each. */
static struct answer renew(const struct form *forms, const double *start, const double *elapsed, size_t n)
{
    static struct spell first[2], anew[2];
    static double entered[2][STEPS + 1], in[3][STEPS + 1];
    struct answer answer = {0};
    double step = HORIZON / 12.0 / (double)n;
    for (size_t s = 0; s < 2; s++) {
        spend(forms, s, elapsed[s], n, step, &first[s]);
        spend(forms, s, 0, n, step, &anew[s]);
        entered[s][0] = 0;
    }
    /* arc 0 of well leads to ill, arc 0 of ill to well: by the numbering of arcs[] */
    double begun[2] = {0, 0};
    for (size_t t = 1; t <= n; t++) {
        double known[2];
        for (size_t j = 0; j < 2; j++) {
            size_t i = 1 - j;
            begun[j] += start[i] * first[i].gone[t][0];
            known[j] = begun[j] + anew[i].gone[1][0] * entered[i][t - 1] / 2;
            for (size_t k = 2; k <= t; k++)
                known[j] += anew[i].gone[k][0] * (entered[i][t - k] + entered[i][t - k + 1]) / 2;
        }
        double x = anew[1].gone[1][0] / 2,
               y = anew[0].gone[1][0] / 2; /* E_0 = known_0 + x E_1, E_1 = known_1 + y E_0 */
        entered[0][t] = (known[0] + x * known[1]) / (1 - x * y);
        entered[1][t] = known[1] + y * entered[0][t];
    }
    for (size_t t = 0; t <= n; t++) {
        in[2][t] = 1;
        for (size_t j = 0; j < 2; j++) {
            in[j][t] = start[j] * first[j].survival[t];
            for (size_t k = 1; k <= t; k++)
                in[j][t] +=
                    (entered[j][k] - entered[j][k - 1]) * (anew[j].survival[t - k] + anew[j].survival[t - k + 1]) / 2;
            in[2][t] -= in[j][t];
        }
    }
    for (size_t j = 0; j < 3; j++) {
        for (size_t i = 0; i < N_TIMES; i++)
            answer.in[i][j] = in[j][(size_t)times[i] * n / HORIZON];
        for (size_t t = 1; t <= n; t++)
            answer.years[j] += (in[j][t - 1] + in[j][t]) / 2 * step;
    }
    return answer;
}

/* All clocks read the time since the start: over a step the generator is its exact integral. */
static struct answer go_on(const struct form *forms, const double *start, size_t n)
{
    struct answer answer = {0};
    double p[3] = {start[0], start[1], 0}, step = HORIZON / 12.0 / (double)n;
    for (size_t t = 1; t <= n; t++) {
        double q[9] = {0}, before[3], ignored[3] = {0};
        for (size_t a = 0; a < ARCS; a++)
            q[arcs[a].from * 3 + arcs[a].to] =
                form_cumulative(&forms[a], step * (double)t) - form_cumulative(&forms[a], step * (double)(t - 1));
        support_diagonal(q, 3);
        memcpy(before, p, sizeof p);
        support_evolve(q, 3, 1, p, ignored);
        for (size_t j = 0; j < 3; j++) {
            answer.years[j] += (before[j] + p[j]) / 2 * step;
            for (size_t i = 0; i < N_TIMES; i++)
                if (t * HORIZON == (size_t)times[i] * n)
                    answer.in[i][j] = p[j];
        }
    }
    return answer;
}

static double furthest(const struct answer *a, const struct answer *b)
{
    double most = 0;
    for (size_t j = 0; j < 3; j++) {
        most = fmax(most, fabs(a->years[j] - b->years[j]));
        for (size_t i = 0; i < N_TIMES; i++)
            most = fmax(most, fabs(a->in[i][j] - b->in[i][j]));
    }
    return most;
}

static const double start[2] = {0.7, 0.3}, no_time[2] = {0, 0}, some_time[2] = {0.35, 0.6};
#define PEOPLE "  state: {well: 0.7, ill: 0.3}\n  age: {fixed: 61.3}\n"
#define PEOPLE_ELAPSED PEOPLE "  elapsed: {well: {fixed: 0.35}, ill: {fixed: 0.6}}\n"

/* Above: sections before the parameters; below: after the transitions. The last of the arms is compared. */
static void expect_answer(const struct form *forms, const char *clock, const char *population, const char *parameters,
                          const char *below, const char *arms, unsigned long seed, const struct answer *answer)
{
    struct form_route routes[ARCS];
    struct support_scenario scenario = {.seed = seed,
                                        .persons = PERSONS,
                                        .horizon_months = HORIZON,
                                        .population = population,
                                        .states = states,
                                        .arms = arms};
    struct support_world world;
    struct pk_run run;
    memcpy(scenario.times, times, sizeof times);
    for (size_t a = 0; a < ARCS; a++)
        routes[a] = (struct form_route){.name = arcs[a].name,
                                        .from = states[arcs[a].from],
                                        .to = states[arcs[a].to],
                                        .clock = clock,
                                        .form = forms[a]};
    form_open(&world, "  well: {}\n  ill: {}\n  dead: {absorbing: true}\n", NULL, parameters, routes, ARCS, below,
              &scenario);
    support_run(&world, &one_thread, &run);
    for (size_t j = 0; j < 3; j++) {
        for (size_t i = 0; i < N_TIMES; i++)
            support_expect(support_state(&run, arms != NULL, "in", states[j], times[i]), answer->in[i][j], n_errors,
                           clock, states[j]);
        support_expect(support_state(&run, arms != NULL, "years", states[j], HORIZON), answer->years[j], n_errors,
                       "years", states[j]);
    }
    pk_run_free(&run);
    support_close(&world);
}

/* The oracle itself: with constant hazards both are the matrix exponential; twice the steps move nothing by 1e-4, a
 * tenth of a standard error. */
Test(semi_markov, oracles_agree_with_the_matrix_exponential_and_have_converged)
{
    double q[9] = {0}, p[3] = {start[0], start[1], 0}, spent[3] = {0};
    struct answer exact = {0}, renewed = renew(constants, start, some_time, STEPS),
                  gone_on = go_on(constants, start, STEPS);
    for (size_t a = 0; a < ARCS; a++)
        q[arcs[a].from * 3 + arcs[a].to] = constants[a].p[0];
    support_diagonal(q, 3);
    for (size_t i = 0; i < N_TIMES; i++) {
        support_evolve(q, 3, (times[i] - (i > 0 ? times[i - 1] : 0)) / 12.0, p, spent);
        memcpy(exact.in[i], p, sizeof p);
    }
    memcpy(exact.years, spent, sizeof spent);
    cr_expect_lt(furthest(&exact, &renewed), 5e-6, "%g", furthest(&exact, &renewed));
    cr_expect_lt(furthest(&exact, &gone_on), 2e-5, "%g", furthest(&exact, &gone_on));
    struct answer fine = renew(weibulls, start, some_time, STEPS),
                  coarse = renew(weibulls, start, some_time, STEPS / 2);
    cr_expect_lt(furthest(&fine, &coarse), 1e-4, "%g", furthest(&fine, &coarse));
    fine = go_on(weibulls, start, STEPS);
    coarse = go_on(weibulls, start, STEPS / 2);
    cr_expect_lt(furthest(&fine, &coarse), 1e-4, "%g", furthest(&fine, &coarse));
}

Test(semi_markov, clock_reset_is_the_convolution_and_clock_forward_the_matrix_product)
{
    struct answer reset = renew(weibulls, start, no_time, STEPS), forward = go_on(weibulls, start, STEPS);
    cr_assert_gt(furthest(&reset, &forward), 0.02);
    expect_answer(weibulls, "time_in_state", PEOPLE, NULL, NULL, NULL, 4000, &reset);
    expect_answer(weibulls, "since_start", PEOPLE, NULL, NULL, NULL, 4001, &forward);
    /* elapsed time counts for the first spell only, and for no clock that goes on */
    reset = renew(weibulls, start, some_time, STEPS);
    expect_answer(weibulls, "time_in_state", PEOPLE_ELAPSED, NULL, NULL, NULL, 4002, &reset);
    expect_answer(weibulls, "calendar, origin: 2021-01-01", PEOPLE_ELAPSED, NULL, NULL, NULL, 4003, &forward);
}

Test(semi_markov, other_forms_on_both_clocks)
{
    struct answer reset = renew(others, start, some_time, STEPS), forward = go_on(others, start, STEPS);
    expect_answer(others, "time_in_state", PEOPLE_ELAPSED, NULL, NULL, NULL, 4010, &reset);
    expect_answer(others, "since_start", PEOPLE_ELAPSED, NULL, NULL, NULL, 4011, &forward);
}

/* A hazard common to all states is independent of the rest: everything is multiplied by its survival. */
Test(semi_markov, common_mortality_leaves_the_rest_as_it_is)
{
    const struct form common = {"gompertz", {0.09, 0.0011}};
    struct answer answer = renew(weibulls, start, some_time, STEPS);
    for (size_t i = 0; i < N_TIMES; i++) {
        double left = exp(form_cumulative(&common, 61.3) - form_cumulative(&common, 61.3 + times[i] / 12.0));
        answer.in[i][0] *= left;
        answer.in[i][1] *= left;
        answer.in[i][2] = 1 - answer.in[i][0] - answer.in[i][1];
    }
    struct support_world world;
    struct pk_run run;
    struct form_route routes[ARCS + 1];
    struct support_scenario scenario = {
        .seed = 4020, .persons = PERSONS, .horizon_months = HORIZON, .population = PEOPLE_ELAPSED, .states = states};
    memcpy(scenario.times, times, sizeof times);
    for (size_t a = 0; a < ARCS; a++)
        routes[a] = (struct form_route){.name = arcs[a].name,
                                        .from = states[arcs[a].from],
                                        .to = states[arcs[a].to],
                                        .clock = "time_in_state",
                                        .form = weibulls[a]};
    routes[ARCS] = (struct form_route){.name = "common", .from = "any", .to = "dead", .clock = "age", .form = common};
    form_open(&world, "  well: {}\n  ill: {}\n  dead: {absorbing: true}\n", NULL, NULL, routes, ARCS + 1, NULL,
              &scenario);
    support_run(&world, &one_thread, &run);
    for (size_t i = 0; i < N_TIMES; i++)
        for (size_t j = 0; j < 3; j++)
            support_expect(support_state(&run, 0, "in", states[j], times[i]), answer.in[i][j], n_errors, "in",
                           states[j]);
    pk_run_free(&run);
    support_close(&world);
}

/* For life, from the start: every spell has the service's hazards, clock reset as before. */
#define SERVED "  none: {}\n  served: {enrol: [{service: help, share: 1}]}\n"

Test(semi_markov, service_for_life_works_in_every_spell)
{
    struct form forms[ARCS];
    struct pk_text parameters, below;
    /* recovery above and below its base by turns, and falling ill halved: an accelerated scale m' = m 0.5^(-1/a) */
    memcpy(forms, weibulls, sizeof forms);
    forms[0].p[1] *= pow(0.5, -1 / forms[0].p[0]);
    forms[2] = (struct form){"log_normal", {-0.4, 0.8, 0}};
    struct answer answer = renew(forms, start, some_time, STEPS);
    pk_text_init(&parameters);
    pk_text_init(&below);
    form_put_parameters(&parameters, &forms[2], "help");
    pk_text_put(&parameters, PARAMETER("half", "0.5", "ratio"));
    pk_text_put(&below,
                "services:\n  help:\n    window: life\n    effects:\n      - {transition: fall_ill, scale: half}\n"
                "      - {transition: recover, replace: ");
    form_put_hazard(&below, &forms[2], "help", "time_in_state");
    pk_text_put(&below, "}\n");
    expect_answer(weibulls, "time_in_state", PEOPLE_ELAPSED, pk_text_string(&parameters), pk_text_string(&below),
                  SERVED, 4030, &answer);
    pk_text_free(&parameters);
    pk_text_free(&below);
}
