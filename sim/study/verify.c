/* The simulation held against the analytic twin. See verify.h. */
#include "polku/verify.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_errno.h>
#include <math.h>
#include <string.h>

#include "polku/lottery.h"
#include "verify_private.h"

enum { ENOUGH = 25 }; /* expected people on either side from which the normal approximation serves */

double pk_verify_z(double k, double n, double p, double var)
{
    double expected = n * p;
    if (p <= 0 || p >= 1)
        return fabs(k - expected) < 0.5 ? 0 : copysign(INFINITY, k - expected);
    if ((expected >= ENOUGH && n - expected >= ENOUGH) || n > 4e9)
        return (k - expected) / sqrt(var);
    gsl_error_handler_t *handler = gsl_set_error_handler_off();
    unsigned count = (unsigned)(k + 0.5), all = (unsigned)(n + 0.5);
    double at_most = gsl_cdf_binomial_P(count, p, all), below = count > 0 ? gsl_cdf_binomial_P(count - 1, p, all) : 0;
    double at_least = count > 0 ? gsl_cdf_binomial_Q(count - 1, p, all) : 1, above = gsl_cdf_binomial_Q(count, p, all);
    /* half of the count's own probability on each side */
    double z = k < expected ? gsl_cdf_ugaussian_Pinv(0.5 * (at_most + below))
                            : gsl_cdf_ugaussian_Qinv(0.5 * (at_least + above));
    gsl_set_error_handler(handler);
    return z;
}

/* Ages and times already spent as points of equal probability, on the grid of the twin's coarsest step. */
static enum pk_status cut_distribution(struct pk_plan *plan, struct pk_plan_distribution *distribution, size_t n_points,
                                       double grain, struct pk_error *error)
{
    if (distribution->n_points > 0)
        return PK_OK;
    size_t n = distribution->kind == PK_DISTRIBUTION_FIXED ? 1 : n_points;
    double *points = pk_arena_alloc(&plan->arena, n, sizeof *points);
    if (points == NULL)
        return pk_error_set(error, PK_NO_MEMORY, "no memory for the plan");
    for (size_t i = 0; i < n; i++)
        points[i] = grain * floor(pk_distribution_quantile(distribution, ((double)i + 0.5) / (double)n) / grain + 0.5);
    distribution->n_points = n;
    distribution->points = points;
    return PK_OK;
}

static enum pk_status cut_population(struct pk_plan *plan, const struct pk_verify_request *request,
                                     struct pk_text *obstacles, struct pk_error *error)
{
    enum pk_status status = PK_OK;
    if (plan->inflow.n_years > 0)
        pk_text_put(obstacles, "people who flow in are left out: only those present at the start are verified\n");
    plan->inflow.n_years = 0;
    if (plan->people.n > PK_KINDS_MAX_ROWS) {
        pk_text_addf(obstacles, "of the imported people the first %d are verified\n", PK_KINDS_MAX_ROWS);
        plan->people.n = PK_KINDS_MAX_ROWS;
        plan->n_persons = PK_KINDS_MAX_ROWS;
    }
    if (plan->people.n > 0)
        return PK_OK;
    if (plan->origin.needs_age)
        status = cut_distribution(plan, &plan->origin.age, request->n_ages, request->step, error);
    for (size_t s = 0; s < plan->n_states && status == PK_OK; s++)
        if (plan->origin.elapsed_states >> s & 1)
            status = cut_distribution(plan, &plan->origin.elapsed[s], request->n_elapsed, request->step, error);
    return status;
}

/* The smallest step of whole months that divides the horizon into at most n_times. */
static int64_t table_step(double horizon, size_t n_times)
{
    int64_t months = (int64_t)horizon, step = 1;
    while (months % step != 0 || months / step > (int64_t)n_times)
        step++;
    return step;
}

static enum pk_status append(struct pk_verification *v, const struct pk_verify_row *row, struct pk_error *error)
{
    if (v->n_rows == v->room_rows) {
        size_t room = v->room_rows ? 2 * v->room_rows : 256;
        struct pk_verify_row *grown = pk_realloc(v->rows, room, sizeof *grown);
        if (grown == NULL)
            return pk_error_set(error, PK_NO_MEMORY, "no memory for the verification");
        v->rows = grown;
        v->room_rows = room;
    }
    v->rows[v->n_rows++] = *row;
    return PK_OK;
}

/* One population under one arm: the twin's figures beside the simulated ones. */
static enum pk_status hold(struct pk_verification *v, struct pk_expectation *e, const struct pk_fold *fold,
                           const struct pk_folded *folded, size_t i_arm, struct pk_error *error)
{
    const struct pk_plan *plan = e->plan;
    enum pk_status status = pk_expectation_solve(e, error);
    const double n = folded->n;
    for (size_t t = 0; t < e->n_times && status == PK_OK; t++)
        for (size_t s = 0; s < plan->n_states && status == PK_OK; s++) {
            const size_t j = t * plan->n_states + s, column = t + 1;
            const size_t cell = i_arm * folded->n_cells + s * folded->n_columns + column;
            const double count = folded->y[cell];
            double p = e->exact[j] < 1e-15 ? 0 : e->exact[j] > 1 - 1e-15 ? 1 : e->exact[j];
            /* people who were drawn differ in kind as well; imported ones are who they are */
            double var = n * (p * (1 - p) - e->fixed * (p * (1 - p) - e->within[j]));
            if (plan->weight_bits > 0) { /* weights differ: as the batches say */
                double se =
                    pk_fold_cell(fold, folded, folded->y[cell], folded->yy[cell], folded->ny[cell], 1).standard_error;
                var = se * se;
            }
            double off = e->error[j], miss = folded->n > 0 ? count / folded->n - p : 0;
            double nearest = miss > 0 ? fmin(p + off, p + miss) : fmax(p - off, p + miss);
            struct pk_verify_row row = {.i_population = folded->i_population,
                                        .i_arm = i_arm,
                                        .i_state = s,
                                        .years = e->times[t] / 12,
                                        .exact = p,
                                        .error = off,
                                        .simulated = count / folded->n,
                                        .standard_error = sqrt(var) / n};
            row.z = pk_verify_z(count, n, nearest, var);
            status = append(v, &row, error);
        }
    return status;
}

static void judge(struct pk_verification *v, double alpha)
{
    for (size_t i = 0; i < v->n_rows; i++)
        v->n_judged += v->rows[i].exact > 0 && v->rows[i].exact < 1;
    double each = v->n_judged > 0 ? -expm1(log1p(-alpha) / (double)v->n_judged) : alpha;
    gsl_error_handler_t *handler = gsl_set_error_handler_off();
    v->bound = gsl_cdf_ugaussian_Qinv(0.5 * each);
    gsl_set_error_handler(handler);
    for (size_t i = 0; i < v->n_rows; i++)
        if (!(fabs(v->rows[i].z) <= v->worst)) {
            v->worst = fabs(v->rows[i].z);
            v->i_worst = i;
        }
    v->any = v->n_rows > 0 || v->n_stations_held > 0;
    v->passed = v->worst <= v->bound && v->n_wrong <= 0;
}

/* The lottery that a cohort won, where it is one; else SIZE_MAX. */
static size_t only_lottery(const struct pk_plan_cohort *cohort)
{
    uint64_t lotteries = cohort->lotteries;
    if (lotteries == 0 || (lotteries & (lotteries - 1)) != 0)
        return SIZE_MAX;
    size_t i = 0;
    while (!(lotteries >> i & 1))
        i++;
    return i;
}

/* How much of the differences between imported people is the same in every replication: all where everyone eligible is
 * in, nothing where each is in by a draw of their own, in between where N of them are drawn (Cochran 1977, 2.6). */
static double fixed_share(const struct pk_plan *plan, const struct pk_plan_lottery *lottery)
{
    uint64_t n_eligible = 0;
    struct pk_person person;
    if (lottery->by_share)
        return lottery->share >= 1;
    if (lottery->quota > 0)
        return lottery->quota;
    for (uint64_t id = 0; id < plan->n_persons; id++) {
        pk_person_make(plan, 0, id, &person);
        n_eligible += pk_person_is_eligible(plan, &plan->targets[lottery->i_target], &person);
    }
    return n_eligible > lottery->persons ? (double)lottery->persons / (double)n_eligible : 1;
}

/* Whether who is in the cohort is known only once all have lived. */
static bool asks(const struct pk_plan *plan, const struct pk_plan_cohort *cohort)
{
    bool any = false;
    for (size_t i = 0; i < plan->n_lotteries; i++)
        any |= (cohort->lotteries >> i & 1) && plan->lotteries[i].asked;
    return any;
}

/* What takes the twin's place where people depend on each other: nobody is lost, and Little's law, in ticks. */
static void tell_places(struct pk_verification *v, const struct pk_run *run, const struct pk_plan *plan,
                        const struct pk_scenario *scenario)
{
    for (size_t a = 0; a < plan->n_arms; a++) {
        if (!plan->arms[a].queued)
            continue;
        pk_text_addf(&v->obstacles, "the arm %s is not verified by the twin: who is served depends on others (%s)\n",
                     scenario->arms[a].name, plan->arms[a].displaced > 0 ? "places, displacement" : "places");
        v->n_stations_held += (double)plan->n_stations * (double)run->fold.i_unit;
    }
    v->n_wrong = run->fold.queues.n_wrong;
}

static enum pk_status hold_all(struct pk_verification *v, const struct pk_run *run, const struct pk_plan *plan,
                               const struct pk_model *model, const struct pk_scenario *scenario,
                               const struct pk_verify_request *request, int64_t step_months, struct pk_error *error)
{
    double times[PK_VERIFY_MAX_TIMES];
    const size_t n_times = (size_t)(plan->horizon / (double)step_months), n = n_times * plan->n_states;
    double *figures = pk_alloc(3 * n, sizeof *figures);
    bool untold[PK_MAX_ARMS] = {false};
    enum pk_status status = PK_OK;
    if (figures == NULL)
        return pk_error_set(error, PK_NO_MEMORY, "no memory for the verification");
    for (size_t t = 0; t < n_times; t++)
        times[t] = (double)(t + 1) * (double)step_months;
    for (size_t f = 0; f < run->fold.n_folded && status == PK_OK; f++) {
        const struct pk_folded *folded = &run->fold.folded[f];
        const size_t i_cohort = folded->i_population - 1;
        bool base_told = false;
        v->people[folded->i_population] = folded->n;
        for (size_t a = 0; a < plan->n_arms && status == PK_OK && folded->n > 0; a++) {
            const struct pk_plan_arm *arm = &plan->arms[a];
            bool treated = arm->i_cohort != SIZE_MAX;
            struct pk_expectation e = {.plan = plan,
                                       .n_times = n_times,
                                       .times = times,
                                       .step = request->step,
                                       .n_people = folded->n,
                                       .request = request,
                                       .exact = figures,
                                       .error = figures + n,
                                       .fixed = plan->people.n > 0,
                                       .within = figures + 2 * n};
            if (folded->i_population == 0 ? treated : treated && arm->i_cohort != i_cohort)
                continue;
            if (folded->i_population > 0 && asks(plan, &plan->cohorts[i_cohort]))
                continue; /* who asks is no group that the twin knows */
            if (treated && arm->queued)
                continue; /* told by tell_places */
            if (!treated && base_told)
                continue; /* untreated arms are the same lives */
            base_told |= !treated;
            if (folded->i_population > 0) {
                size_t i_lottery = only_lottery(&plan->cohorts[i_cohort]);
                if (i_lottery == SIZE_MAX) {
                    if (!untold[a])
                        pk_text_addf(&v->obstacles,
                                     "the arm %s enrols several groups of people at once: not verified\n",
                                     scenario->arms[a].name);
                    untold[a] = true;
                    continue;
                }
                e.target = &plan->targets[plan->lotteries[i_lottery].i_target];
                e.lotteries = UINT64_C(1) << i_lottery;
                if (plan->people.n > 0)
                    e.fixed = fixed_share(plan, &plan->lotteries[i_lottery]);
            }
            if (treated) {
                struct pk_enrolled items[PK_MAX_ENROLMENTS];
                struct pk_treatment treatment;
                size_t i_transition = 0;
                e.arm = arm;
                e.fixed = arm->has_start ? 0 : e.fixed; /* where each starts is drawn */
                pk_lottery_treatment(plan, a, e.lotteries, NULL, NULL, items, &treatment);
                const char *obstacle = pk_twin_obstacle(plan, &treatment, &i_transition);
                if (obstacle != NULL) {
                    pk_text_addf(&v->obstacles, "the arm %s is not verified: the transition %s %s\n",
                                 scenario->arms[a].name, model->transitions[i_transition].name, obstacle);
                    continue;
                }
            }
            status = hold(v, &e, &run->fold, folded, a, error);
            if (request->progress != NULL)
                request->progress((double)(f * plan->n_arms + a + 1) / (double)(run->fold.n_folded * plan->n_arms),
                                  request->progress_data);
        }
    }
    pk_free(figures);
    return status;
}

enum pk_status pk_verify_run(struct pk_verification *v, const struct pk_model *model,
                             const struct pk_scenario *scenario, const struct pk_values *values,
                             const struct pk_verify_request *asked, struct pk_error *error)
{
    struct pk_verify_request request = *asked;
    struct pk_scenario simple = *scenario;
    struct pk_plan plan;
    struct pk_run run;
    memset(v, 0, sizeof *v);
    pk_text_init(&v->obstacles);
    memset(&run, 0, sizeof run);
    pk_plan_init(&plan);
    request.n_ages = request.n_ages ? request.n_ages : 8;
    request.n_elapsed = request.n_elapsed ? request.n_elapsed : 4;
    request.n_frailty = request.n_frailty ? request.n_frailty : 12;
    request.n_times = request.n_times ? request.n_times : 10;
    request.step = request.step > 0 ? request.step : 1;
    request.alpha = request.alpha > 0 ? request.alpha : 0.001;
    const int64_t step = table_step(scenario->horizon_months, request.n_times);
    struct pk_table table = {.name = "occupancy", .measure = PK_MEASURE_OCCUPANCY, .step_months = step};
    simple.tables = &table;
    simple.n_tables = 1;
    simple.n_outcomes = simple.n_histograms = 0;
    simple.has_ledgers = false;
    simple.precision.i_outcome = SIZE_MAX;
    enum pk_status status = pk_plan_compile(&plan, model, scenario, values, error);
    if (status == PK_OK)
        status = cut_population(&plan, &request, &v->obstacles, error);
    struct pk_run_options options = {.n_threads = request.n_threads, .n_replications = request.n_replications};
    if (status == PK_OK)
        status = pk_run_simulate(&run, &plan, model, &simple, values, &options, error);
    if (status == PK_OK)
        status = hold_all(v, &run, &plan, model, scenario, &request, step, error);
    if (status == PK_OK)
        tell_places(v, &run, &plan, scenario);
    if (status == PK_OK)
        judge(v, request.alpha);
    pk_run_free(&run);
    pk_plan_free(&plan);
    if (status != PK_OK)
        pk_verify_free(v);
    return status;
}

void pk_verify_free(struct pk_verification *v)
{
    if (v == NULL)
        return;
    pk_free(v->rows);
    pk_text_free(&v->obstacles);
    memset(v, 0, sizeof *v);
}
