/* What happened at places, over replications. See collect.h. */
#include <math.h>

#include "collect_private.h"

static size_t n_cells(const struct pk_folded_queues *queues)
{
    return queues->n_arms * queues->n_stations * queues->n_steps * PK_QUEUE_COUNTS;
}

static size_t n_rows(const struct pk_folded_queues *queues)
{
    return queues->n_arms * queues->n_stations;
}

enum pk_status pk_fold_init_queues(struct pk_fold *fold, struct pk_error *error)
{
    const struct pk_plan *plan = fold->collection->plan;
    struct pk_folded_queues *queues = &fold->queues;
    if (plan->n_stations == 0)
        return PK_OK;
    queues->n_arms = plan->n_arms;
    queues->n_stations = plan->n_stations;
    queues->n_steps = (size_t)ceil(plan->horizon);
    queues->y = pk_alloc(n_cells(queues), sizeof(double));
    queues->yy = pk_alloc(n_cells(queues), sizeof(double));
    queues->waits = pk_alloc(n_rows(queues) * PK_WAIT_BINS, sizeof(double));
    queues->totals = pk_alloc(fold->n_units * n_rows(queues) * PK_QUEUE_TOTALS, sizeof(double));
    if (queues->y && queues->yy && queues->waits && queues->totals)
        return PK_OK;
    return pk_error_set(error, PK_NO_MEMORY, "no memory for what happens at places");
}

void pk_fold_free_queues(struct pk_fold *fold)
{
    pk_free(fold->queues.y);
    pk_free(fold->queues.yy);
    pk_free(fold->queues.waits);
    pk_free(fold->queues.totals);
    fold->queues = (struct pk_folded_queues){0};
}

void pk_fold_visit_queues(struct pk_fold *fold, void (*visit)(void *part, size_t size, void *data), void *data)
{
    struct pk_folded_queues *queues = &fold->queues;
    if (queues->n_stations == 0)
        return;
    visit(queues->y, n_cells(queues) * sizeof(double), data);
    visit(queues->yy, n_cells(queues) * sizeof(double), data);
    visit(queues->waits, n_rows(queues) * PK_WAIT_BINS * sizeof(double), data);
    visit(queues->totals, fold->n_units * n_rows(queues) * PK_QUEUE_TOTALS * sizeof(double), data);
    visit(&queues->n_wrong, sizeof queues->n_wrong, data);
}

/* A count as people or person-months. */
static double amount(enum pk_queue_count what, int64_t count)
{
    const bool time =
        what == PK_QUEUE_WAITED || what == PK_QUEUE_HELD || what == PK_QUEUE_USED || what == PK_QUEUE_OPEN;
    return time ? (double)count / PK_TICKS_PER_MONTH : (double)count;
}

void pk_fold_queues(struct pk_fold *fold, const struct pk_queues *of_arms, size_t i_unit)
{
    struct pk_folded_queues *folded = &fold->queues;
    const size_t n_stations = folded->n_stations, n_steps = folded->n_steps;
    for (size_t a = 0; a < folded->n_arms; a++) {
        const struct pk_queues *queues = &of_arms[a];
        size_t i_station;
        const char *what;
        if (queues->n_stations == 0)
            continue;
        folded->n_wrong += !pk_queues_add_up(queues, &i_station, &what);
        for (size_t s = 0; s < n_stations; s++) {
            const size_t row = a * n_stations + s;
            double *totals = folded->totals + (i_unit * folded->n_arms * n_stations + row) * PK_QUEUE_TOTALS;
            for (size_t i = 0; i < n_steps * PK_QUEUE_COUNTS; i++) {
                const enum pk_queue_count kind = (enum pk_queue_count)(i % PK_QUEUE_COUNTS);
                const double y = amount(kind, queues->counts[s * n_steps * PK_QUEUE_COUNTS + i]);
                folded->y[row * n_steps * PK_QUEUE_COUNTS + i] += y;
                folded->yy[row * n_steps * PK_QUEUE_COUNTS + i] += y * y;
                totals[kind] += y;
            }
            totals[PK_QUEUE_COUNTS] = (double)queues->waiting_at_end[s];
            totals[PK_QUEUE_COUNTS + 1] = (double)queues->held_at_end[s];
            for (size_t i = 0; i < PK_WAIT_BINS; i++)
                folded->waits[row * PK_WAIT_BINS + i] += (double)queues->waits[s * PK_WAIT_BINS + i];
        }
    }
}

struct pk_mean pk_fold_queue_total(const struct pk_fold *fold, size_t i_arm, size_t i_service, size_t i_value,
                                   size_t i_what, size_t i_over)
{
    const struct pk_folded_queues *queues = &fold->queues;
    const struct pk_plan_service *service = &fold->collection->plan->services[i_service];
    const size_t first = service->first_station + (i_value == SIZE_MAX ? 0 : i_value);
    const size_t n = i_value == SIZE_MAX ? service->places.n_stations : 1, stride = n_rows(queues) * PK_QUEUE_TOTALS;
    double sum_y = 0, sum_x = 0, sum_yy = 0, sum_xy = 0, sum_xx = 0;
    const double units = (double)fold->i_unit;
    for (size_t u = 0; u < fold->i_unit; u++) {
        const double *of_arm = queues->totals + u * stride + i_arm * queues->n_stations * PK_QUEUE_TOTALS;
        double y = 0, x = i_over == SIZE_MAX;
        for (size_t s = first; s < first + n; s++) {
            y += of_arm[s * PK_QUEUE_TOTALS + i_what];
            x += i_over == SIZE_MAX ? 0 : of_arm[s * PK_QUEUE_TOTALS + i_over];
        }
        sum_y += y;
        sum_x += x;
        sum_yy += y * y;
        sum_xy += x * y;
        sum_xx += x * x;
    }
    const double ratio = sum_x > 0 ? sum_y / sum_x : (double)NAN;
    double squares = sum_yy - 2 * ratio * sum_xy + ratio * ratio * sum_xx;
    squares = squares > 0 ? squares : 0;
    return (struct pk_mean){.mean = ratio,
                            .standard_error = units > 1 ? sqrt(units / (units - 1) * squares) / sum_x : (double)NAN};
}

double pk_fold_wait_quantile(const struct pk_fold *fold, size_t i_arm, size_t i_service, size_t i_value, double p)
{
    const struct pk_folded_queues *queues = &fold->queues;
    const struct pk_plan_service *service = &fold->collection->plan->services[i_service];
    const size_t first = service->first_station + (i_value == SIZE_MAX ? 0 : i_value);
    const size_t n = i_value == SIZE_MAX ? service->places.n_stations : 1;
    double bins[PK_WAIT_BINS] = {0}, all = 0, below = 0;
    for (size_t s = first; s < first + n; s++)
        for (size_t i = 0; i < PK_WAIT_BINS; i++) {
            bins[i] += queues->waits[(i_arm * queues->n_stations + s) * PK_WAIT_BINS + i];
            all += queues->waits[(i_arm * queues->n_stations + s) * PK_WAIT_BINS + i];
        }
    for (size_t i = 0; i < PK_WAIT_EDGES && all > 0; below += bins[i++]) {
        if (!(below + bins[i] >= p * all))
            continue;
        const double low = i == 0 ? 0 : pk_queues_wait_edge(i - 1);
        return bins[i] > 0 ? low + (pk_queues_wait_edge(i) - low) * (p * all - below) / bins[i] : low;
    }
    return (double)NAN;
}

double pk_fold_coach_years(const struct pk_fold *fold, size_t i_arm, size_t i_service, size_t i_value)
{
    const struct pk_plan *plan = fold->collection->plan;
    const struct pk_plan_places *places = &plan->services[i_service].places;
    const double ratio = plan->arms[i_arm].ample[i_service];
    double months = 0;
    bool offered = false;
    for (size_t i = 0; i < plan->arms[i_arm].n_enrolments; i++)
        offered |= plan->arms[i_arm].enrolments[i].i_service == i_service;
    if (!offered || !places->limited)
        return 0;
    if (isinf(ratio))
        return (double)NAN; /* as many as are needed */
    for (size_t v = 0; v < places->n_stations; v++) {
        double from = 0;
        for (size_t i = 0; i <= places->n_cuts && (i_value == SIZE_MAX || i_value == v); i++) {
            const double cut = i < places->n_cuts ? places->cuts[i] : plan->horizon;
            const double to = cut < 0 ? 0 : cut < plan->horizon ? cut : plan->horizon;
            months += (to - from) * places->coaches[v * (places->n_cuts + 1) + i];
            from = to;
        }
    }
    return months / 12 * (isnan(ratio) ? 1 : ratio);
}
