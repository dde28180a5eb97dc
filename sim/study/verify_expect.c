/* What the analytic twin expects of one population under one arm. See verify.h. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "polku/lottery.h"
#include "verify_private.h"

/* One solution of the twin: kinds that differ only in where they start are one. */
struct solution {
    const struct pk_kind *kind;
    size_t n_starts;
    struct pk_twin_start *starts;
    double share;
    double *occupancy; /* [n_times][n_states] of a mass of share */
};

struct work {
    const struct pk_expectation *expectation;
    const struct pk_treatment *treatment;
    double step;
    struct solution *solutions;
    struct pk_twin *twins;    /* by worker */
    enum pk_status *statuses; /* by worker; the first failure of each */
    struct pk_error *errors;
};

static int by_kind(const void *a, const void *b)
{
    const struct pk_kind *x = a, *y = b;
    if (x->stratum != y->stratum)
        return x->stratum < y->stratum ? -1 : 1;
    if (x->age != y->age)
        return x->age < y->age ? -1 : 1;
    if (x->cured != y->cured)
        return x->cured < y->cured ? -1 : 1;
    int frailties = memcmp(x->frailties, y->frailties, sizeof x->frailties);
    if (frailties != 0)
        return frailties;
    if (x->i_state != y->i_state)
        return x->i_state < y->i_state ? -1 : 1;
    return (x->elapsed > y->elapsed) - (x->elapsed < y->elapsed);
}

static bool same_but_start(const struct pk_kind *x, const struct pk_kind *y)
{
    return x->stratum == y->stratum && x->age == y->age && x->cured == y->cured &&
           memcmp(x->frailties, y->frailties, sizeof x->frailties) == 0;
}

/* The share of a choice's uniforms that give both a value of one choice and a value of another. */
static double overlap(const struct pk_plan_choice *a, size_t i, const struct pk_plan_choice *b, size_t j)
{
    double low = fmax(i > 0 ? a->cumulative[i - 1] : 0, j > 0 ? b->cumulative[j - 1] : 0);
    double high = fmin(a->cumulative[i], b->cumulative[j]);
    return high > low ? high - low : 0;
}

/* An arm that lets people start elsewhere: each kind goes where the same uniform leads in the arm. */
static enum pk_status start_elsewhere(struct pk_kinds *kinds, const struct pk_plan *plan, const struct pk_plan_arm *arm,
                                      struct pk_error *error)
{
    const struct pk_plan_choice *base = &plan->origin.start_state;
    struct pk_kind *moved = pk_alloc(kinds->n * plan->n_states, sizeof *moved);
    size_t n = 0;
    if (moved == NULL)
        return pk_error_set(error, PK_NO_MEMORY, "no memory for the kinds of people");
    for (size_t k = 0; k < kinds->n; k++) {
        const struct pk_kind *kind = &kinds->items[k];
        size_t b = kind->i_state;
        /* imported people have their state for sure: a uniform of its own says where the arm lets them start */
        double of_base = plan->people.n > 0 ? 1 : base->cumulative[b] - (b > 0 ? base->cumulative[b - 1] : 0);
        const double *of_arm = arm->start_state.cumulative;
        for (size_t s = 0; s < plan->n_states; s++) {
            double share = plan->people.n > 0 ? of_arm[s] - (s > 0 ? of_arm[s - 1] : 0)
                                              : overlap(base, b, &arm->start_state, s) / of_base;
            if (!(share > 0))
                continue;
            moved[n] = *kind;
            moved[n].share *= share;
            moved[n].i_state = (uint16_t)s;
            moved[n++].elapsed = s == b ? kind->elapsed : 0;
        }
    }
    pk_free(kinds->items);
    kinds->items = moved;
    kinds->n = n;
    return PK_OK;
}

static void solve_one(size_t i, int i_worker, void *data)
{
    struct work *work = data;
    const struct pk_expectation *e = work->expectation;
    struct solution *solution = &work->solutions[i];
    if (work->statuses[i_worker] != PK_OK)
        return;
    struct pk_twin_case problem = {.plan = e->plan,
                                   .stratum = solution->kind->stratum,
                                   .frailties = solution->kind->frailties,
                                   .cured = solution->kind->cured,
                                   .age = solution->kind->age,
                                   .n_starts = solution->n_starts,
                                   .starts = solution->starts,
                                   .treatment = work->treatment,
                                   .until = e->times[e->n_times - 1],
                                   .step = work->step,
                                   .n_times = e->n_times,
                                   .times = e->times};
    work->statuses[i_worker] =
        pk_twin_solve_in(&work->twins[i_worker], &problem, solution->occupancy, NULL, &work->errors[i_worker]);
}

/* All kinds at one step: sums[n_times][n_states], and, if not NULL, sums of p (1 - p). */
static enum pk_status solve_all(struct work *work, size_t n_solutions, double *sums, double *within,
                                struct pk_error *error)
{
    const struct pk_expectation *e = work->expectation;
    const int n_workers = pk_run_workers(e->request->n_threads);
    const size_t n = e->n_times * e->plan->n_states;
    enum pk_status status = PK_OK;
    pk_run_each(n_solutions, n_workers, solve_one, work);
    for (int i = 0; i < n_workers && status == PK_OK; i++)
        if (work->statuses[i] != PK_OK) {
            status = work->statuses[i];
            *error = work->errors[i];
        }
    memset(sums, 0, n * sizeof *sums);
    for (size_t i = 0; i < n_solutions && status == PK_OK; i++)
        for (size_t j = 0; j < n; j++) {
            double p = work->solutions[i].occupancy[j], share = work->solutions[i].share;
            sums[j] += p;
            if (within != NULL)
                within[j] += p * (1 - p / share);
        }
    return status;
}

/* Halves the step until the extrapolated figures are known to a tenth of the simulation error: Richardson 1911, by the
 * order that three steps show. */
static enum pk_status refine(struct pk_expectation *e, struct work *work, size_t n_solutions, struct pk_error *error)
{
    const size_t n = e->n_times * e->plan->n_states;
    double *levels = pk_alloc(3 * n, sizeof *levels), *coarse = levels, *middle = levels + n, *fine = levels + 2 * n;
    if (levels == NULL)
        return pk_error_set(error, PK_NO_MEMORY, "no memory for the analytic twin");
    work->step = e->step;
    enum pk_status status = solve_all(work, n_solutions, coarse, NULL, error);
    work->step = e->step / 2;
    if (status == PK_OK)
        status = solve_all(work, n_solutions, middle, NULL, error);
    for (int halvings = 2; status == PK_OK; halvings++) {
        bool known = true;
        memset(e->within, 0, n * sizeof *e->within);
        work->step /= 2;
        status = solve_all(work, n_solutions, fine, e->within, error);
        for (size_t j = 0; j < n; j++) {
            double first = middle[j] - coarse[j], second = fine[j] - middle[j];
            double ratio = second != 0 ? first / second : 4;
            ratio = ratio < 1.5 || ratio > 16 ? 2 : ratio; /* not yet regular: as if first order */
            e->exact[j] = fine[j] + second / (ratio - 1);
            e->error[j] = 0.25 * fabs(second) / (ratio - 1) + 1e-12;
            double noise = sqrt(fabs(e->exact[j] * (1 - e->exact[j])) / e->n_people);
            known &= e->error[j] <= 0.1 * noise + 1e-9;
        }
        if (known || halvings == PK_VERIFY_MOST_HALVINGS)
            break;
        memcpy(coarse, middle, n * sizeof *coarse);
        memcpy(middle, fine, n * sizeof *middle);
    }
    pk_free(levels);
    return status;
}

static void free_work(struct work *work, size_t n_solutions, int n_workers)
{
    for (size_t i = 0; work->solutions != NULL && i < n_solutions; i++) {
        pk_free(work->solutions[i].starts);
        pk_free(work->solutions[i].occupancy);
    }
    for (int i = 0; work->twins != NULL && i < n_workers; i++)
        pk_twin_free(&work->twins[i]);
    pk_free(work->solutions);
    pk_free(work->twins);
    pk_free(work->statuses);
    pk_free(work->errors);
}

enum pk_status pk_expectation_solve(struct pk_expectation *e, struct pk_error *error)
{
    const struct pk_verify_request *request = e->request;
    const struct pk_kinds_request asked = {.target = e->target,
                                           .n_ages = request->n_ages,
                                           .n_elapsed = request->n_elapsed,
                                           .n_frailty = request->n_frailty};
    const int n_workers = pk_run_workers(request->n_threads);
    struct pk_enrolled items[PK_MAX_ENROLMENTS];
    struct pk_treatment treatment = {.n = 0};
    struct pk_kinds kinds;
    struct work work = {.expectation = e, .treatment = &treatment};
    size_t n_solutions = 0;
    enum pk_status status = pk_kinds_make(&kinds, e->plan, &asked, error);
    if (status != PK_OK)
        return status;
    if (e->arm != NULL) {
        pk_lottery_treatment(e->plan, (size_t)(e->arm - e->plan->arms), e->lotteries, NULL, NULL, items, &treatment);
        if (e->arm->has_start)
            status = start_elsewhere(&kinds, e->plan, e->arm, error);
    }
    if (status == PK_OK)
        qsort(kinds.items, kinds.n, sizeof *kinds.items, by_kind);
    work.solutions = pk_alloc(kinds.n, sizeof *work.solutions);
    work.twins = pk_alloc((size_t)n_workers, sizeof *work.twins);
    work.statuses = pk_alloc((size_t)n_workers, sizeof *work.statuses);
    work.errors = pk_alloc((size_t)n_workers, sizeof *work.errors);
    bool room = work.solutions != NULL && work.twins != NULL && work.statuses != NULL && work.errors != NULL;
    for (int i = 0; room && i < n_workers; i++) {
        pk_twin_init(&work.twins[i]);
        work.statuses[i] = PK_OK;
    }
    for (size_t k = 0; room && status == PK_OK && k < kinds.n;) {
        struct solution *solution = &work.solutions[n_solutions++];
        size_t end = k + 1;
        const size_t most =
            e->plan->people.n > 0 ? 1 : 32; /* what imported people are is theirs: apart, for `within` */
        while (end < kinds.n && end - k < most && same_but_start(&kinds.items[k], &kinds.items[end]))
            end++;
        *solution = (struct solution){.kind = &kinds.items[k], .n_starts = end - k};
        solution->starts = pk_alloc(end - k, sizeof *solution->starts);
        solution->occupancy = pk_alloc(e->n_times * e->plan->n_states, sizeof *solution->occupancy);
        room = solution->starts != NULL && solution->occupancy != NULL;
        for (size_t i = 0; room && i < end - k; i++) {
            const struct pk_kind *kind = &kinds.items[k + i];
            solution->starts[i] =
                (struct pk_twin_start){.i_state = kind->i_state, .elapsed = kind->elapsed, .mass = kind->share};
            solution->share += kind->share;
        }
        k = end;
    }
    if (!room && status == PK_OK)
        status = pk_error_set(error, PK_NO_MEMORY, "no memory for the analytic twin");
    if (status == PK_OK)
        status = refine(e, &work, n_solutions, error);
    free_work(&work, n_solutions, n_workers);
    pk_kinds_free(&kinds);
    return status;
}
