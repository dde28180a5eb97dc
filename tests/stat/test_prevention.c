/* Services that prevent a share of a transition's events, and the fidelity of services, against the matrix exponential
 * and closed forms; life by life, what a prevention leaves as it was. */
#include <criterion/criterion.h>
#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "spell.h"
#include "support.h"

/* 100,000 people in 256 batches, all enrolled from the start: the s.e. of a share is at most 0.0016. About 200
 * comparisons at 5 standard errors, as in test_forms.c: these files together make 4,300, of which at 4 (Student, 255
 * degrees of freedom: 8.3e-5 each) one seed in three would fail one, at 5 (1.1e-6) one in 210. A share that is 0.011
 * off is seen with 97 % power. */
static const double n_errors = 5;
static const struct pk_run_options one_thread = {.n_threads = 1}; /* Criterion runs tests side by side */
enum { PERSONS = 100000, N_TIMES = 4, HORIZON = 60, LIVES = 20000 };
static const char *const states[] = {"a", "b", "c", NULL};
static const int times[N_TIMES] = {4, 11, 29, HORIZON}; /* months */

#define BACK "  a: {}\n  b: {}\n  c: {}\n"
#define ABSORBING "  a: {}\n  b: {absorbing: true}\n  c: {}\n"
#define SERVED "  none: {}\n  served: {enrol: [{service: help, share: 1}]}\n"
#define PARAMETERS                                                                                                     \
    PARAMETER("few", "0.05", "share")                                                                                  \
    PARAMETER("many", "0.35", "share")                                                                                 \
    PARAMETER("relapse", "0.4", "per_year")                                                                            \
    PARAMETER("pause", "0.8", "years")                                                                                 \
    PARAMETER("window", "1.3", "years")                                                                                \
    PARAMETER("twice", "2", "ratio")                                                                                   \
    PARAMETER("fidelity", "0.6", "share")
static const double go = 1.1, come = 1.9, leave = 0.7, many = 0.35, relapse = 0.4, pause_years = 0.8, window = 1.3;

static struct support_world world;
static struct pk_run run;

/* a to b at 1.1, b to a at 1.9, c to a at 0.7 a year; with the service's lines. Arm 1 has it. */
static void open_chain(const char *shape, const char *service, const char *arms, unsigned long seed)
{
    const struct form_route routes[3] = {
        {.name = "ab", .from = "a", .to = "b", .clock = "time_in_state", .form = {"constant", {go}}},
        {.name = "ca", .from = "c", .to = "a", .clock = "since_start", .form = {"constant", {leave}}},
        {.name = "ba", .from = "b", .to = "a", .clock = "since_start", .form = {"constant", {come}}}};
    struct support_scenario scenario = {.seed = seed,
                                        .persons = PERSONS,
                                        .horizon_months = HORIZON,
                                        .population = "  state: {a: 1}\n",
                                        .states = states,
                                        .arms = arms};
    struct pk_text services;
    memcpy(scenario.times, times, sizeof times);
    pk_text_init(&services);
    pk_text_addf(&services, "services:\n%s", service);
    form_open(&world, shape, NULL, PARAMETERS, routes, strcmp(shape, BACK) == 0 ? 3 : 2, pk_text_string(&services),
              &scenario);
    pk_text_free(&services);
}

static void run_chain(const char *shape, const char *service, const char *arms, unsigned long seed)
{
    open_chain(shape, service, arms, seed);
    support_run(&world, &one_thread, &run);
}

static void finish(void)
{
    pk_run_free(&run);
    support_close(&world);
}

#define HELP(effect) "  help: {window: life, effects: [{transition: ab, " effect "}]}\n"

/* Hidden states of a generator q[n][n], everybody in the first; shown[k] is the state that one shows as. */
static void expect_chain(double *q, size_t n, const char *const *shown, const char *what)
{
    double p[8] = {1}, years[8] = {0};
    support_diagonal(q, n);
    for (size_t k = 0; k < N_TIMES; k++) {
        support_evolve(q, n, (times[k] - (k > 0 ? times[k - 1] : 0)) / 12.0, p, years);
        for (const char *const *state = states; *state != NULL; state++) {
            double in = 0, spent = 0;
            for (size_t i = 0; i < n; i++)
                if (strcmp(shown[i], *state) == 0) {
                    in += p[i];
                    spent += years[i];
                }
            support_expect(support_state(&run, 1, "in", *state, times[k]), in, n_errors, what, *state);
            support_expect(support_state(&run, 1, "years", *state, times[k]), spent, n_errors, what, *state);
        }
    }
}

#define Q(i, j) q[(i)*n + (j)]

/* Prevented events leave the person at risk: the hazard is lower by the share. */
Test(prevention, at_risk_lowers_the_hazard_by_its_share)
{
    for (size_t i = 0; i < 2; i++) {
        enum { n = 3 };
        double q[n * n] = {0};
        static const char *const shown[n] = {"a", "b", "c"};
        run_chain(BACK,
                  i == 0 ? HELP("prevent: {share: few, instead: stay, again: at_risk}")
                         : HELP("prevent: {share: many, instead: stay, again: at_risk}"),
                  SERVED, 7000 + i);
        Q(0, 1) = go * (1 - (i == 0 ? 0.05 : many));
        Q(1, 0) = come;
        Q(2, 0) = leave;
        expect_chain(q, n, shown, "at risk");
        finish();
    }
}

/* The share goes to c instead; immune or at risk when it comes back. */
Test(prevention, prevented_events_lead_elsewhere)
{
    for (size_t immune = 0; immune < 2; immune++) {
        enum { n = 4 };
        double q[n * n] = {0};
        static const char *const shown[n] = {"a", "b", "c", "a"};
        run_chain(BACK,
                  immune ? HELP("prevent: {share: many, instead: c, again: immune}")
                         : HELP("prevent: {share: many, instead: c, again: at_risk}"),
                  SERVED, 7010 + immune);
        Q(0, 1) = go * (1 - many);
        Q(0, 2) = go * many;
        Q(1, 0) = come;
        Q(2, immune ? 3 : 0) = leave;
        expect_chain(q, n, shown, "elsewhere");
        finish();
    }
}

/* States: a, b, and a of those who were blocked once. */
Test(prevention, whoever_was_blocked_is_immune_for_good)
{
    enum { n = 4 };
    double q[n * n] = {0};
    static const char *const shown[n] = {"a", "b", "a", "c"};
    run_chain(BACK, HELP("prevent: {share: many, instead: stay, again: immune}"), SERVED, 7020);
    Q(0, 1) = go * (1 - many);
    Q(0, 2) = go * many;
    Q(1, 0) = come;
    expect_chain(q, n, shown, "immune");
    finish();
}

/* The blocked event comes all the same, at the relapse's hazard. Where b is absorbing: two hazards in a row. */
Test(prevention, relapse_brings_the_blocked_event)
{
    run_chain(ABSORBING, HELP("prevent: {share: many, instead: stay, again: immune, relapse: relapse}"), SERVED, 7030);
    for (size_t i = 0; i < N_TIMES; i++) {
        double t = times[i] / 12.0;
        support_expect(support_state(&run, 1, "in", "b", times[i]),
                       (1 - many) * (1 - exp(-go * t)) +
                           many * (1 - (go * exp(-relapse * t) - relapse * exp(-go * t)) / (go - relapse)),
                       n_errors, "relapse", "in b");
    }
    finish();
}

/* Whoever has relapsed is at risk again as if nothing had been blocked: the immunity was of the event that has come. */
Test(prevention, relapse_ends_the_immunity)
{
    enum { n = 4 };
    double q[n * n] = {0};
    static const char *const shown[n] = {"a", "b", "a", "c"};
    run_chain(BACK, HELP("prevent: {share: many, instead: stay, again: immune, relapse: relapse}"), SERVED, 7031);
    Q(0, 1) = go * (1 - many);
    Q(0, 2) = go * many;
    Q(1, 0) = come;
    Q(2, 1) = relapse;
    expect_chain(q, n, shown, "relapse");
    finish();
}

/* At risk again, with the blocked event still to come: one relapse at a time adds to the hazard. */
Test(prevention, relapse_adds_to_the_hazard_of_those_at_risk_again)
{
    enum { n = 3 };
    double q[n * n] = {0};
    static const char *const shown[n] = {"a", "b", "a"};
    run_chain(ABSORBING, HELP("prevent: {share: many, instead: stay, again: at_risk, relapse: relapse}"), SERVED, 7032);
    Q(0, 1) = go * (1 - many);
    Q(0, 2) = go * many;
    Q(2, 1) = go * (1 - many) + relapse;
    expect_chain(q, n, shown, "at risk with relapse");
    finish();
}

/* Every prevented event puts off the next by the years of immunity: the (k + 1)th event offered is the first not
 * blocked, with chance s^k (1 - s), and comes at an Erlang time of k + 1 hazards plus k pauses. */
Test(prevention, immunity_of_some_years_puts_events_off)
{
    run_chain(ABSORBING, HELP("prevent: {share: many, instead: stay, again: {years: pause}}"), SERVED, 7040);
    for (size_t i = 0; i < N_TIMES; i++) {
        double t = times[i] / 12.0, gone = 0;
        for (size_t k = 0; (double)k * pause_years < t; k++)
            gone +=
                pow(many, (double)k) * (1 - many) * gsl_cdf_gamma_P(t - (double)k * pause_years, (double)k + 1, 1 / go);
        support_expect(support_state(&run, 1, "in", "b", times[i]), gone, n_errors, "years of immunity", "in b");
    }
    finish();
}

/* In the window from the fifth month on, then as without. Immunity is of the service's effects: where the window ends,
 * those blocked in it are at risk as all others. */
Test(prevention, ends_with_the_window_immunity_too)
{
    for (size_t immune = 0; immune < 2; immune++) {
        char service[160];
        snprintf(service, sizeof service,
                 "  help: {window: window, effects: [{transition: ab, prevent: {share: many, instead: stay, again: "
                 "%s}}]}\n",
                 immune ? "immune" : "at_risk");
        run_chain(ABSORBING, service, "  none: {}\n  served: {enrol: [{service: help, share: 1, at: {months: 5}}]}\n",
                  7050 + 10 * immune);
        for (size_t i = 0; i < N_TIMES; i++) {
            double t = times[i] / 12.0, within = fmax(0, fmin(t - 5 / 12.0, window));
            double left = immune ? many + (1 - many) * exp(-go * within) : exp(-go * (1 - many) * within);
            support_expect(support_state(&run, 1, "in", "a", times[i]), left * exp(-go * (t - within)), n_errors,
                           "window", immune ? "of immunity" : "at risk");
        }
        finish();
    }
}

/* The log of a ratio times the fidelity: 2^0.6. */
Test(prevention, fidelity_lowers_the_ratio)
{
    enum { n = 3 };
    double q[n * n] = {0};
    static const char *const shown[n] = {"a", "b", "c"};
    run_chain(BACK, "  help: {window: life, fidelity: fidelity, effects: [{transition: ab, scale: twice}]}\n", SERVED,
              7070);
    Q(0, 1) = go * pow(2, 0.6);
    Q(1, 0) = come;
    Q(2, 0) = leave;
    expect_chain(q, n, shown, "fidelity");
    finish();
}

/* Any form: at risk, S(t)^(1 - s); immune, a share s of those who would go stays. Under a frailty the same of its
 * Laplace transform. The transition leaves two states for two, in shares; immunity is from all of it. */
Test(prevention, of_forms_splits_and_frailties)
{
    static const struct form form = {"weibull", {0.62, 1.1}};
    static const char *const agains[2] = {"at_risk", "immune"};
    for (size_t frail = 0; frail < 2; frail++)
        for (size_t immune = 0; immune < 2; immune++) {
            const struct form_route routes[2] = {
                {.name = "ac", .from = "a", .to = "c", .clock = "time_in_state", .form = {"constant", {0.6}}},
                {.name = "ab",
                 .from = "[a, c]",
                 .to = "{b: fifth, d: rest}",
                 .clock = "since_start",
                 .form = form,
                 .more = frail ? ", frailty: z" : NULL}};
            struct spell_hazard hazard = {.form = &form, .times = immune ? 1 : 1 - many};
            struct support_scenario scenario = {.seed = 7080 + 2 * frail + immune,
                                                .persons = PERSONS,
                                                .horizon_months = HORIZON,
                                                .population = "  state: {a: 1}\n",
                                                .states = states,
                                                .arms = SERVED};
            char services[200];
            memcpy(scenario.times, times, sizeof times);
            snprintf(services, sizeof services,
                     "services:\n  help: {window: life, effects: [{transition: ab, prevent: {share: many, instead: "
                     "stay, again: %s}}]}\n",
                     agains[immune]);
            form_open(&world, "  a: {}\n  b: {absorbing: true}\n  c: {}\n  d: {absorbing: true}\n",
                      "frailty: {z: {variance: v}}\n",
                      PARAMETERS PARAMETER("v", "1.3", "variance") PARAMETER("fifth", "0.2", "share")
                          PARAMETER("rest", "0.8", "share"),
                      routes, 2, services, &scenario);
            support_run(&world, &one_thread, &run);
            for (size_t k = 0; k < N_TIMES; k++) {
                double gone = 1 - spell_frail_survival(&hazard, 1, frail ? 1.3 : 0, 0, times[k] / 12.0);
                support_expect(support_state(&run, 1, "in", "b", times[k]), 0.2 * (immune ? 1 - many : 1) * gone,
                               n_errors, frail ? "frail" : "form", agains[immune]);
            }
            finish();
        }
}

/* ---- life by life ------------------------------------------------------------------------------------------------ */

static void live(uint64_t id, bool served, struct pk_life *life)
{
    const struct pk_treatment treatment = {.n = 1, .items = (struct pk_enrolled[]){{.i_service = 0, .from = 0}}};
    struct pk_person person;
    struct pk_error error;
    pk_person_make(&world.plan, 0, id, &person);
    cr_assert_eq(pk_life_run(&world.plan, &person, served ? &treatment : NULL, life, &error), PK_OK, "%s",
                 error.message);
}

/* Moves to a state after a tick and up to another. */
static size_t n_entries(const struct pk_life *life, size_t i_state, int64_t after, int64_t until)
{
    size_t n = 0;
    for (size_t i = 0; i < life->n_events; i++)
        n += world.plan.arcs[life->events[i].arc].i_to == i_state && life->events[i].tick > after &&
             life->events[i].tick <= until;
    return n;
}

/* 5 % of the events of a to b are prevented: so many happen in five years, in 20,000 lives. */
Test(prevention, events_happen_as_often_as_the_years_at_risk_say)
{
    static struct pk_life life;
    double q[4] = {0, 0.95 * go, come, 0}, p[2] = {1, 0}, years[2] = {0}, sum = 0, squares = 0;
    open_chain(BACK, HELP("prevent: {share: few, instead: stay, again: at_risk}"), SERVED, 7090);
    size_t b = pk_model_state(&world.model, "b");
    for (uint64_t id = 0; id < LIVES; id++) {
        live(id, true, &life);
        double n = (double)n_entries(&life, b, -1, INT64_MAX);
        sum += n;
        squares += n * n;
    }
    support_diagonal(q, 2);
    support_evolve(q, 2, HORIZON / 12.0, p, years);
    struct pk_mean mean = {.mean = sum / LIVES};
    mean.standard_error = sqrt((squares / LIVES - mean.mean * mean.mean) / LIVES);
    support_expect(mean, 0.95 * go * years[0], n_errors, "events", "into b");
    support_close(&world);
}

/* Nothing blocked: the same life, bit by bit. Otherwise it is the same until the first blocked event, which is one of
 * the life without the service. */
static void expect_same_until_blocked(const struct pk_life *base, const struct pk_life *served, uint64_t id)
{
    size_t n = 0;
    int64_t until = served->n_blocked > 0 ? served->blocked[0].tick : INT64_MAX;
    while (n < base->n_events && base->events[n].tick < until) {
        cr_assert(n < served->n_events && served->events[n].tick == base->events[n].tick &&
                      served->events[n].arc == base->events[n].arc,
                  "person %lu, event %zu", (unsigned long)id, n);
        n++;
    }
    if (served->n_blocked == 0)
        cr_assert(n == served->n_events, "person %lu", (unsigned long)id);
    else
        cr_assert(n < base->n_events && base->events[n].tick == until &&
                      base->events[n].arc == served->blocked[0].arc &&
                      (n == served->n_events || served->events[n].tick >= until),
                  "person %lu, blocked at %ld", (unsigned long)id, (long)until);
}

/* Threshold of the counts as above. */
Test(prevention, lives_without_a_blocked_event_are_identical)
{
    static struct pk_life base, served;
    static const char *const services[] = {
        HELP("prevent: {share: few, instead: stay, again: at_risk}"),
        HELP("prevent: {share: many, instead: stay, again: at_risk}"),
        HELP("prevent: {share: many, instead: stay, again: immune}"),
        HELP("prevent: {share: many, instead: stay, again: {years: pause}}"),
        HELP("prevent: {share: many, instead: c, again: at_risk}"),
        HELP("prevent: {share: few, instead: stay, again: immune, relapse: relapse}")};
    for (size_t i = 0; i < sizeof services / sizeof *services; i++) {
        double n_blocked = 0, n_offered = 0, share = i == 0 || i == 5 ? 0.05 : many;
        size_t n_identical = 0;
        open_chain(BACK, services[i], SERVED, 7100 + i);
        size_t b = pk_model_state(&world.model, "b");
        int64_t pause_ticks = (int64_t)(pause_years * 12 * PK_TICKS_PER_MONTH) - 1;
        for (uint64_t id = 0; id < LIVES; id++) {
            live(id, false, &base);
            live(id, true, &served);
            cr_assert_eq(base.n_blocked, 0);
            expect_same_until_blocked(&base, &served, id);
            n_identical += served.n_blocked == 0;
            n_blocked += (double)served.n_blocked;
            n_offered += (double)(served.n_blocked + n_entries(&served, b, -1, INT64_MAX));
            for (size_t k = 0; k < served.n_blocked; k++) {
                int64_t tick = served.blocked[k].tick;
                cr_assert(world.plan.arcs[served.blocked[k].arc].i_to == b);
                cr_assert(i != 2 || n_entries(&served, b, tick, INT64_MAX) == 0, "immune person %lu",
                          (unsigned long)id);
                cr_assert(i != 3 || n_entries(&served, b, tick, tick + pause_ticks) == 0, "person %lu",
                          (unsigned long)id);
            }
            if (i == 5)
                n_offered -=
                    served.n_blocked > 0 ? (double)n_entries(&served, b, served.blocked[0].tick, INT64_MAX) : 0;
        }
        cr_expect(fabs(n_blocked - share * n_offered) < n_errors * sqrt(n_offered * share * (1 - share)),
                  "%g of %g blocked, share %g", n_blocked, n_offered, share);
        cr_expect_gt(n_identical, 0);
        cr_expect_lt(n_identical, LIVES);
        support_close(&world);
    }
}
