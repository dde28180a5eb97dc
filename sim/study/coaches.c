/* How many coaches. See coaches.h. */
#include "polku/coaches.h"

#include <math.h>
#include <string.h>

/* Coaches of all places together, when there are most of them between the start and the horizon, and in which segment
 * of the table that is. */
static double most_coaches(const struct pk_plan_places *places, double horizon, size_t *i_segment)
{
    double most = 0;
    *i_segment = 0;
    for (size_t i = 0; i <= places->n_cuts; i++) {
        double now = 0;
        if ((i < places->n_cuts && places->cuts[i] <= 0) || (i > 0 && places->cuts[i - 1] >= horizon))
            continue; /* all before the start, or after the horizon */
        for (size_t v = 0; v < places->n_stations; v++)
            now += places->coaches[v * (places->n_cuts + 1) + i];
        *i_segment = now > most ? i : *i_segment;
        most = now > most ? now : most;
    }
    return most;
}

/* Places then, each region's to the nearest whole number. */
static double most_places(const struct pk_plan_places *places, double horizon, double ratio)
{
    size_t i;
    uint64_t n = 0;
    (void)most_coaches(places, horizon, &i);
    for (size_t v = 0; v < places->n_stations; v++)
        n += pk_plan_slots(places, v * (places->n_cuts + 1) + i, ratio);
    return (double)n;
}

static enum pk_status check(const struct pk_plan *plan, const struct pk_model *model,
                            const struct pk_scenario *scenario, const struct pk_coaches_request *request,
                            struct pk_error *error)
{
    const struct pk_plan_places *places = &plan->services[request->i_service].places;
    const char *service = model->services[request->i_service].name;
    bool uses = false;
    size_t i_segment;
    for (size_t i = 0; i < plan->arms[request->i_arm].n_enrolments; i++)
        uses |= plan->arms[request->i_arm].enrolments[i].i_service == request->i_service;
    if (!places->limited)
        return pk_error_set(error, PK_BAD_INPUT, "the service %s has no places", service);
    if (!uses)
        return pk_error_set(error, PK_BAD_INPUT, "the arm %s does not enrol in the service %s",
                            scenario->arms[request->i_arm].name, service);
    if (!(most_coaches(places, plan->horizon, &i_segment) > 0))
        return pk_error_set(error, PK_BAD_INPUT, "the service %s has no coaches to have more or fewer of", service);
    return PK_OK;
}

/* The outcome by replication, for all people: the arm's, or less another arm's. */
static void series_of(const struct pk_run *run, const struct pk_scenario *scenario,
                      const struct pk_coaches_request *request, double *series)
{
    const size_t n_outcomes = scenario->n_outcomes, n_arms = scenario->n_arms;
    for (size_t u = 0; u < run->fold.i_unit; u++) { /* population 0: everyone */
        const double *of_unit = run->fold.outcomes + u * n_arms * n_outcomes + request->i_outcome;
        series[u] = of_unit[request->i_arm * n_outcomes];
        if (request->i_against != SIZE_MAX)
            series[u] -= of_unit[request->i_against * n_outcomes];
    }
}

static struct pk_mean mean_of(const double *series, const double *minus, size_t n, double divisor)
{
    double sum = 0, squares = 0;
    for (size_t u = 0; u < n; u++) {
        const double y = (series[u] - (minus != NULL ? minus[u] : 0)) / divisor;
        sum += y;
        squares += y * y;
    }
    const double mean = sum / (double)n, spread = squares - (double)n * mean * mean;
    return (struct pk_mean){.mean = mean,
                            .standard_error =
                                n > 1 ? sqrt((spread > 0 ? spread : 0) / ((double)(n - 1) * (double)n)) : (double)NAN};
}

static enum pk_status run_point(struct pk_coaches_point *point, double ratio, const struct pk_model *model,
                                const struct pk_scenario *scenario, const struct pk_values *values,
                                const struct pk_coaches_request *request, double *series, struct pk_error *error)
{
    const struct pk_run_options options = {.n_threads = request->n_threads,
                                           .n_replications = request->n_replications > 0 ? request->n_replications
                                                                                         : scenario->replications};
    struct pk_plan plan;
    struct pk_run run;
    pk_plan_init(&plan);
    enum pk_status status = pk_plan_compile(&plan, model, scenario, values, error);
    if (status == PK_OK) {
        plan.arms[request->i_arm].ample[request->i_service] = ratio; /* other services keep theirs */
        status = pk_run_simulate(&run, &plan, model, scenario, values, &options, error);
    }
    if (status == PK_OK) {
        const size_t a = request->i_arm, s = request->i_service;
        const double euros = plan.services[s].places.coach_euros;
        point->places = most_places(&plan.services[s].places, plan.horizon, ratio);
        point->coach_years = pk_fold_coach_years(&run.fold, a, s, SIZE_MAX);
        point->cost = euros > 0 ? euros * point->coach_years : (double)NAN;
        point->served = pk_fold_queue_total(&run.fold, a, s, SIZE_MAX, PK_QUEUE_SERVED, SIZE_MAX);
        point->utilisation = pk_fold_queue_total(&run.fold, a, s, SIZE_MAX, PK_QUEUE_USED, PK_QUEUE_OPEN);
        point->wait = pk_fold_queue_total(&run.fold, a, s, SIZE_MAX, PK_QUEUE_WAITED, PK_QUEUE_REQUESTED);
        point->wait.mean *= 365.25 / 12; /* days */
        point->wait.standard_error *= 365.25 / 12;
        series_of(&run, scenario, request, series);
        point->outcome = mean_of(series, NULL, run.fold.i_unit, 1);
        pk_run_free(&run);
    }
    pk_plan_free(&plan);
    return status;
}

enum pk_status pk_coaches_run(struct pk_coaches *coaches, const struct pk_model *model,
                              const struct pk_scenario *scenario, const struct pk_values *values,
                              const struct pk_coaches_request *request, struct pk_error *error)
{
    struct pk_scenario simple = *scenario;
    const size_t n = (size_t)(request->n_replications > 0 ? request->n_replications : scenario->replications);
    double *series = pk_alloc(2 * n, sizeof *series), base = 0;
    size_t i_segment;
    struct pk_plan plan;
    memset(coaches, 0, sizeof *coaches);
    coaches->i_enough = SIZE_MAX;
    simple.n_tables = simple.n_histograms = 0;
    simple.precision.i_outcome = SIZE_MAX;
    pk_plan_init(&plan);
    enum pk_status status = PK_OK;
    if (series == NULL)
        status = pk_error_set(error, PK_NO_MEMORY, "no memory for the sweep");
    if (status == PK_OK)
        status = pk_plan_compile(&plan, model, scenario, values, error);
    if (status == PK_OK)
        status = check(&plan, model, scenario, request, error);
    if (status == PK_OK)
        base = most_coaches(&plan.services[request->i_service].places, plan.horizon, &i_segment);
    const size_t n_points = (size_t)floor((request->to - request->from) / request->step + 1e-9) + 1;
    for (size_t i = 0; i < n_points && i < PK_COACHES_MAX_POINTS && status == PK_OK; i++) {
        struct pk_coaches_point *point = &coaches->points[i];
        double *now = series + i % 2 * n, *before = series + (i + 1) % 2 * n;
        point->coaches = request->from + (double)i * request->step;
        point->gain = (struct pk_mean){.mean = (double)NAN, .standard_error = (double)NAN};
        point->euros_per_unit = (double)NAN;
        status = run_point(point, point->coaches / base, model, &simple, values, request, now, error);
        if (i > 0 && status == PK_OK)
            point->gain = mean_of(now, before, n, request->step);
        if (point->gain.mean > 0)
            point->euros_per_unit = (point->cost - coaches->points[i - 1].cost) / (point->gain.mean * request->step);
        if (i > 0 && request->gain > 0 && coaches->i_enough == SIZE_MAX && point->gain.mean < request->gain) {
            coaches->i_enough = i;
            coaches->surely = point->gain.mean + 2 * point->gain.standard_error < request->gain;
        }
        coaches->n_points = i + 1;
        if (request->progress != NULL)
            request->progress((double)(i + 1) / (double)n_points, request->progress_data);
    }
    pk_plan_free(&plan);
    pk_free(series);
    return status;
}

/* ---- telling ---- */

static void put_cell(struct pk_text *text, int columns, int decimals, double value)
{
    if (isnan(value))
        pk_text_addf(text, " %*s", columns, "-");
    else
        pk_text_addf(text, " %*.*f", columns, decimals, value);
}

void pk_coaches_print(const struct pk_coaches *coaches, const struct pk_model *model,
                      const struct pk_scenario *scenario, const struct pk_coaches_request *request,
                      struct pk_text *text)
{
    const char *arm = scenario->arms[request->i_arm].name;
    const struct pk_outcome *outcome = &scenario->outcomes[request->i_outcome];
    pk_text_addf(text, "Coaches of %s in the arm %s: %s", model->services[request->i_service].name, arm,
                 outcome->label.in[2]);
    if (request->i_against != SIZE_MAX)
        pk_text_addf(text, ", %s minus %s", arm, scenario->arms[request->i_against].name);
    pk_text_put(text, ", all people, the same random numbers at every point\n\n");
    pk_text_addf(text, "%9s %8s %12s %14s %10s %8s %9s %14s %10s %12s %10s %12s\n", "coaches", "places", "coach-years",
                 "cost, euros", "served", "taken %", "days wait", "outcome", "s.e.", "next coach", "s.e.",
                 "euros/unit");
    for (size_t i = 0; i < coaches->n_points; i++) {
        const struct pk_coaches_point *p = &coaches->points[i];
        pk_text_addf(text, "%9g", p->coaches);
        put_cell(text, 8, 0, p->places);
        put_cell(text, 12, 1, p->coach_years);
        put_cell(text, 14, 0, p->cost);
        put_cell(text, 10, 1, p->served.mean);
        put_cell(text, 8, 1, 100 * p->utilisation.mean);
        put_cell(text, 9, 1, p->wait.mean);
        put_cell(text, 14, 2, p->outcome.mean);
        put_cell(text, 10, 2, p->outcome.standard_error);
        put_cell(text, 12, 4, p->gain.mean);
        put_cell(text, 10, 4, p->gain.standard_error);
        put_cell(text, 12, 0, p->euros_per_unit);
        pk_text_put(text, "\n");
    }
    pk_text_put(text,
                "\nplaces: when there are most coaches, each region's to the nearest whole number\n"
                "next coach: what each coach more than in the line above gives, on average over the step, over the "
                "whole time\neuros/unit: what coaches cost more than in the line above, undiscounted, for each unit of "
                "the outcome more; -: no more of it, or coaches cost nothing\n");
    if (!(request->gain > 0))
        return;
    if (coaches->i_enough == SIZE_MAX)
        pk_text_addf(text, "every coach up to %g gives %g or more\n", coaches->points[coaches->n_points - 1].coaches,
                     request->gain);
    else
        pk_text_addf(text, "between %g and %g coaches the next one gives less than %g%s\n",
                     coaches->points[coaches->i_enough - 1].coaches, coaches->points[coaches->i_enough].coaches,
                     request->gain, coaches->surely ? "" : " (not sure: within two standard errors of it)");
}

static void put(struct pk_text *text, const char *key, double value)
{
    pk_text_addf(text, ", \"%s\": ", key);
    pk_text_add_json_number(text, value);
}

void pk_coaches_json(const struct pk_coaches *coaches, struct pk_text *text)
{
    pk_text_put(text, "{\"points\": [");
    for (size_t i = 0; i < coaches->n_points; i++) {
        const struct pk_coaches_point *p = &coaches->points[i];
        pk_text_addf(text, "%s\n {\"coaches\": ", i ? "," : "");
        pk_text_add_json_number(text, p->coaches);
        put(text, "places", p->places);
        put(text, "coach_years", p->coach_years);
        put(text, "cost_euros", p->cost);
        put(text, "served", p->served.mean);
        put(text, "utilisation", p->utilisation.mean);
        put(text, "mean_days_in_line", p->wait.mean);
        put(text, "outcome", p->outcome.mean);
        put(text, "outcome_standard_error", p->outcome.standard_error);
        put(text, "next_coach", p->gain.mean);
        put(text, "next_coach_standard_error", p->gain.standard_error);
        put(text, "euros_per_unit", p->euros_per_unit);
        pk_text_put(text, "}");
    }
    pk_text_put(text, "], \"enough_between\": ");
    if (coaches->i_enough == SIZE_MAX)
        pk_text_put(text, "null");
    else
        pk_text_addf(text, "[%g, %g]", coaches->points[coaches->i_enough - 1].coaches,
                     coaches->points[coaches->i_enough].coaches);
    pk_text_put(text, "}\n");
}
