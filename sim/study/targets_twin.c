/* What targets come to by the analytic twin. See calibrate_private.h.
 *
 * Targets about the same people under the same arm are read off the same solutions. Everything is added up as shares of
 * the whole population; what is asked for is divided at the end. */
#include <math.h>
#include <string.h>

#include "calibrate_private.h"
#include "polku/kinds.h"
#include "polku/lottery.h"

enum { MAX_PARTS = 6 * PK_MAX_TARGETS, N_AGES = 512 };

/* One population under one treatment, as many solutions as it has kinds. */
struct job {
    size_t i_arm;     /* whose treatment; SIZE_MAX: none */
    size_t i_lottery; /* whose target group; SIZE_MAX: everyone */
    bool **among;     /* of these; NULL: all */
    uint64_t stop;    /* states at whose first entry lives are cut */
    size_t n_months;
    double eligible; /* share of all people */
};

/* So many times a job's figure belongs to a target's first or second figure. */
struct part {
    size_t i_job, i_figure;
    double times;
    bool counts; /* the job's people are those that the figure is about */
    double y, x; /* the outcome, and what a ratio divides by */
};

struct asking {
    const struct pk_targets *targets;
    const struct pk_plan *plan;
    size_t n_jobs, n_parts, n_figures;
    struct job jobs[MAX_PARTS];
    struct part parts[MAX_PARTS];
    struct pk_figure figures[2 * PK_MAX_TARGETS];
};

static size_t find_job(struct asking *a, const struct pk_figure *figure, size_t i_arm, size_t i_lottery)
{
    const struct pk_outcome *outcome = &a->targets->outcomes[figure->i_outcome];
    struct job wanted = {.i_arm = i_arm, .i_lottery = i_lottery, .among = outcome->among};
    for (size_t s = 0; pk_targets_cut_lives(outcome->measure) && s < a->plan->n_states; s++)
        wanted.stop |= (uint64_t)outcome->states[s] << s;
    size_t i = 0;
    while (i < a->n_jobs && !(a->jobs[i].i_arm == i_arm && a->jobs[i].i_lottery == i_lottery &&
                              a->jobs[i].among == wanted.among && a->jobs[i].stop == wanted.stop))
        i++;
    if (i == a->n_jobs)
        a->jobs[a->n_jobs++] = wanted;
    const size_t months = (size_t)outcome->to_months;
    a->jobs[i].n_months = months > a->jobs[i].n_months ? months : a->jobs[i].n_months;
    return i;
}

static void add_part(struct asking *a, size_t i_figure, size_t i_arm, size_t i_lottery, double times, bool counts)
{
    const size_t i_job = find_job(a, &a->figures[i_figure], i_arm, i_lottery);
    a->parts[a->n_parts++] = (struct part){.i_job = i_job, .i_figure = i_figure, .times = times, .counts = counts};
}

/* The share of all people that are in a group. Ages are looked at more closely than lives are followed: a group of ages
 * would be as large as the few points that fall within it. */
static enum pk_status eligible_of(const struct pk_plan *plan, const struct pk_plan_target *group, double *eligible,
                                  struct pk_error *error)
{
    struct pk_kinds kinds;
    const bool by_age = group->age_low > 0 || isfinite(group->age_high);
    const struct pk_kinds_request request = {
        .target = group, .n_ages = by_age ? N_AGES : 1, .n_elapsed = 1, .n_frailty = 1};
    const enum pk_status status = pk_kinds_make(&kinds, plan, &request, error);
    if (status != PK_OK)
        return status;
    *eligible = kinds.eligible;
    pk_kinds_free(&kinds);
    return PK_OK;
}

/* The share of its target group that a lottery enrols. */
static enum pk_status share_of(const struct pk_plan *plan, size_t i_lottery, double *share, struct pk_error *error)
{
    const struct pk_plan_lottery *lottery = &plan->lotteries[i_lottery];
    double eligible = 1;
    *share = lottery->by_share ? lottery->share : lottery->quota;
    if (lottery->by_share || lottery->quota > 0)
        return PK_OK;
    const enum pk_status status = eligible_of(plan, &plan->targets[lottery->i_target], &eligible, error);
    *share = fmin(1, (double)lottery->persons / (eligible * (double)plan->n_persons));
    return status;
}

static enum pk_status ask(struct asking *a, struct pk_error *error)
{
    const struct pk_study *study = a->targets->study;
    for (size_t t = 0; t < study->n_targets; t++) {
        struct pk_figure of_target[2];
        const size_t n = pk_target_figures(&study->targets[t], of_target);
        for (size_t k = 0; k < n; k++) {
            const size_t i_figure = 2 * t + k;
            const struct pk_figure *figure = &of_target[k];
            a->figures[i_figure] = *figure;
            a->n_figures = i_figure + 1;
            const size_t i_treated = pk_targets_lottery(a->plan, figure->i_arm);
            const size_t i_lottery =
                figure->i_cohort_of == SIZE_MAX ? i_treated : pk_targets_lottery(a->plan, figure->i_cohort_of);
            double share = 0;
            const enum pk_status status = i_lottery == SIZE_MAX ? PK_OK : share_of(a->plan, i_lottery, &share, error);
            if (status != PK_OK)
                return status;
            if (figure->i_cohort_of != SIZE_MAX) {
                add_part(a, i_figure, i_treated == SIZE_MAX ? SIZE_MAX : figure->i_arm, i_lottery, share, true);
                continue;
            }
            add_part(a, i_figure, SIZE_MAX, SIZE_MAX, 1, true);
            if (i_treated == SIZE_MAX)
                continue;
            add_part(a, i_figure, figure->i_arm, i_treated, share, false);
            add_part(a, i_figure, SIZE_MAX, i_treated, -share, false);
        }
    }
    return PK_OK;
}

/* ---- one kind's tables ---- */

struct tables {
    size_t n_states, unit;
    const double *occupancy, *person_months, *entries; /* [rows][n_states], a row each `unit` months */
};

static double sum_of(const struct pk_outcome *outcome, const struct tables *tables, const double *table, size_t month)
{
    double sum = 0;
    for (size_t s = 0; s < tables->n_states; s++)
        sum += outcome->states[s] ? table[month / tables->unit * tables->n_states + s] : 0;
    return sum;
}

/* What one kind adds to a part, before its share. */
static void read_tables(const struct pk_outcome *outcome, const struct tables *tables, double age_months,
                        struct part *part, double times)
{
    const size_t from = (size_t)outcome->from_months, to = (size_t)outcome->to_months;
    const double years =
        (sum_of(outcome, tables, tables->person_months, to) - sum_of(outcome, tables, tables->person_months, from)) /
        12;
    const double entered =
        sum_of(outcome, tables, tables->entries, to) - sum_of(outcome, tables, tables->entries, from);
    const double begun = entered + (from == 0 ? sum_of(outcome, tables, tables->occupancy, 0) : 0);
    switch (outcome->measure) {
    case PK_MEASURE_OCCUPANCY:
        part->y += times * sum_of(outcome, tables, tables->occupancy, to);
        break;
    case PK_MEASURE_PERSON_YEARS:
        part->y += times * years;
        break;
    case PK_MEASURE_TRANSITIONS:
        part->y += times * entered;
        break;
    case PK_MEASURE_FIRST_ENTRY:
        part->y += times * sum_of(outcome, tables, tables->entries, to);
        break;
    case PK_MEASURE_SPELLS:
        part->y += times * begun;
        break;
    case PK_MEASURE_MEAN_SPELL:
        part->y += times * years;
        part->x += times * begun;
        break;
    default: /* mean age at first entry: those of a row enter in its middle */
        for (size_t m = from; m < to; m += tables->unit) {
            const double now = sum_of(outcome, tables, tables->entries, m + tables->unit) -
                               sum_of(outcome, tables, tables->entries, m);
            part->y += times * now * (age_months + (double)m + 0.5 * (double)tables->unit) / 12;
            part->x += times * now;
        }
    }
}

static enum pk_status solve_kind(struct asking *a, size_t i_job, struct pk_target_room *room,
                                 const struct pk_kind *kind, const struct pk_treatment *treatment, double step,
                                 const double *times, struct pk_error *error)
{
    const struct job *job = &a->jobs[i_job];
    const size_t n_rows = job->n_months / a->targets->unit + 1, n = n_rows * a->plan->n_states;
    double *occupancy = room->tables, *person_months = occupancy + n, *entries = person_months + n;
    const struct pk_twin_case problem = {.plan = a->plan,
                                         .stratum = kind->stratum,
                                         .frailties = kind->frailties,
                                         .cured = kind->cured,
                                         .i_state = kind->i_state,
                                         .age = kind->age,
                                         .elapsed = kind->elapsed,
                                         .treatment = treatment,
                                         .stop_states = job->stop,
                                         .until = (double)job->n_months,
                                         .step = step,
                                         .n_times = n_rows,
                                         .times = times,
                                         .entries = entries};
    const enum pk_status status = pk_twin_solve_in(&room->twin, &problem, occupancy, person_months, error);
    const struct tables tables = {.n_states = a->plan->n_states,
                                  .unit = a->targets->unit,
                                  .occupancy = occupancy,
                                  .person_months = person_months,
                                  .entries = entries};
    for (size_t i = 0; i < a->n_parts && status == PK_OK; i++)
        if (a->parts[i].i_job == i_job)
            read_tables(&a->targets->outcomes[a->figures[a->parts[i].i_figure].i_outcome], &tables, kind->age,
                        &a->parts[i], kind->share * job->eligible);
    return status;
}

/* The people of a job as a target group: the lottery's, but only those the outcome is about. */
static void filter_of(const struct asking *a, const struct job *job, uint8_t *allowed, struct pk_plan_target *filter)
{
    const struct pk_plan *plan = a->plan;
    const struct pk_plan_target *group =
        job->i_lottery == SIZE_MAX ? NULL : &plan->targets[plan->lotteries[job->i_lottery].i_target];
    *filter = group != NULL ? *group : (struct pk_plan_target){.states = UINT64_MAX, .age_high = (double)INFINITY};
    for (size_t i = 0; i < PK_MAX_ATTRIBUTES * 256; i++)
        allowed[i] = group == NULL || i / 256 >= plan->n_attributes || group->allowed[i];
    for (size_t k = 0; job->among != NULL && k < a->targets->model->n_attributes; k++)
        for (size_t v = 0; v < a->targets->model->attributes[k].n_values; v++)
            allowed[k * 256 + v] = allowed[k * 256 + v] && job->among[k][v];
    filter->allowed = allowed;
}

static enum pk_status solve_job(struct asking *a, size_t i_job, struct pk_target_room *room, double step,
                                struct pk_error *error)
{
    struct job *job = &a->jobs[i_job];
    const struct pk_study *study = a->targets->study;
    const size_t n_rows = job->n_months / a->targets->unit + 1, n_tables = (3 * a->plan->n_states + 1) * n_rows;
    struct pk_enrolled items[PK_MAX_ENROLMENTS];
    struct pk_treatment treatment = {.n = 0};
    uint8_t allowed[PK_MAX_ATTRIBUTES * 256];
    struct pk_plan_target filter;
    struct pk_kinds kinds;
    if (room->n_tables < n_tables) {
        pk_free(room->tables);
        room->tables = pk_alloc(n_tables, sizeof *room->tables);
        room->n_tables = room->tables != NULL ? n_tables : 0;
        if (room->tables == NULL)
            return pk_error_set(error, PK_NO_MEMORY, "no memory for the analytic twin");
    }
    double *times = room->tables + 3 * n_rows * a->plan->n_states;
    for (size_t i = 0; i < n_rows; i++)
        times[i] = (double)(i * a->targets->unit);
    filter_of(a, job, allowed, &filter);
    const struct pk_kinds_request request = {.target =
                                                 job->i_lottery == SIZE_MAX && job->among == NULL ? NULL : &filter,
                                             .n_ages = (size_t)study->n_ages,
                                             .n_elapsed = (size_t)study->n_elapsed,
                                             .n_frailty = (size_t)study->n_frailty};
    if (job->i_arm != SIZE_MAX)
        pk_lottery_treatment(a->plan, job->i_arm, UINT64_C(1) << job->i_lottery, NULL, NULL, items, &treatment);
    enum pk_status status = pk_kinds_make(&kinds, a->plan, &request, error);
    if (status != PK_OK)
        return status;
    if (request.target == NULL)
        job->eligible = kinds.eligible;
    else if (!(job->eligible > 0)) /* once for steps of both lengths */
        status = eligible_of(a->plan, &filter, &job->eligible, error);
    for (size_t k = 0; k < kinds.n && status == PK_OK; k++)
        status =
            solve_kind(a, i_job, room, &kinds.items[k], job->i_arm == SIZE_MAX ? NULL : &treatment, step, times, error);
    pk_kinds_free(&kinds);
    return status;
}

/* ---- putting together ---- */

static double figure_of(const struct asking *a, size_t i_figure)
{
    const struct pk_figure *figure = &a->figures[i_figure];
    double y = 0, x = 0, people = 0;
    for (size_t i = 0; i < a->n_parts; i++) {
        const struct part *part = &a->parts[i];
        if (part->i_figure != i_figure)
            continue;
        y += part->times * part->y;
        x += part->times * part->x;
        people += part->counts ? part->times * a->jobs[part->i_job].eligible : 0;
    }
    if (pk_measure_is_ratio(a->targets->outcomes[figure->i_outcome].measure))
        return y / x;
    return figure->per_person ? y / people : y * (double)a->plan->n_persons;
}

/* All targets with steps of this length. */
static enum pk_status solve_all(struct asking *a, struct pk_target_room *room, double step, double *values,
                                struct pk_error *error)
{
    enum pk_status status = PK_OK;
    for (size_t i = 0; i < a->n_parts; i++)
        a->parts[i].y = a->parts[i].x = 0;
    for (size_t i = 0; i < a->n_jobs && status == PK_OK; i++)
        status = solve_job(a, i, room, step, error);
    for (size_t t = 0; t < a->targets->study->n_targets && status == PK_OK; t++) {
        const struct pk_calibration_target *target = &a->targets->study->targets[t];
        const double first = figure_of(a, 2 * t);
        values[t] = target->as == PK_TARGET_VALUE        ? first
                    : target->as == PK_TARGET_DIFFERENCE ? first - figure_of(a, 2 * t + 1)
                                                         : first / figure_of(a, 2 * t + 1);
    }
    return status;
}

enum pk_status pk_targets_by_twin(const struct pk_targets *targets, struct pk_target_room *room, const double *values,
                                  struct pk_reached *reached, struct pk_error *error)
{
    double whole[PK_MAX_TARGETS], half[PK_MAX_TARGETS];
    struct pk_values all;
    struct pk_plan plan;
    struct asking *a = pk_alloc(1, sizeof *a);
    if (a == NULL)
        return pk_error_set(error, PK_NO_MEMORY, "no memory for the targets");
    enum pk_status status = pk_targets_plan(targets, values, &all, &plan, error);
    if (status != PK_OK) {
        pk_free(a);
        return status;
    }
    a->targets = targets;
    a->plan = &plan;
    status = ask(a, error);
    if (status == PK_OK)
        status = solve_all(a, room, targets->step, whole, error);
    if (status == PK_OK)
        status = solve_all(a, room, targets->step / 2, half, error);
    for (size_t t = 0; t < targets->study->n_targets && status == PK_OK; t++)
        reached[t] = (struct pk_reached){.value = half[t] + (half[t] - whole[t]) / 3, /* Richardson 1911, of order 2 */
                                         .step_error = fabs(half[t] - whole[t]) / 3};
    pk_plan_free(&plan);
    pk_values_free(&all);
    pk_free(a);
    return status;
}
