/* What happened at places into a result file: one group a service. See store.h. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "store_private.h"

static const char *const long_names[PK_QUEUE_TOTALS] = {
    [PK_QUEUE_REQUESTED] = "people who asked for a place",
    [PK_QUEUE_BAULKED] = "people who would have had to wait and did not",
    [PK_QUEUE_REFUSED] = "people refused because the line was full or places have closed for good",
    [PK_QUEUE_SERVED] = "people who got a place",
    [PK_QUEUE_RENEGED] = "people who gave up waiting",
    [PK_QUEUE_LEFT] = "people who left the line by leaving the states of those who may be referred",
    [PK_QUEUE_FINISHED] = "people who gave their place back",
    [PK_QUEUE_WAITED] = "people waiting, on average",
    [PK_QUEUE_HELD] = "people in places, on average, also in those that have closed",
    [PK_QUEUE_USED] = "places taken, on average",
    [PK_QUEUE_OPEN] = "places, on average",
    [PK_QUEUE_COUNTS] = "people waiting at the horizon",
    [PK_QUEUE_COUNTS + 1] = "people served at the horizon",
};

static bool is_time(size_t what)
{
    return what == PK_QUEUE_WAITED || what == PK_QUEUE_HELD || what == PK_QUEUE_USED || what == PK_QUEUE_OPEN;
}

struct places {
    struct pk_out *out;
    const struct pk_store *store;
    const struct pk_fold *fold;
    size_t i_service, n_places, n_arms;
    const char *region; /* the name of the axis */
    char group[96];
    double *values, *errors; /* room for each arm, place and month */
};

/* By month: people, or the mean number over the month (the last may be shorter than a month). */
static void put_months(const struct places *p)
{
    const struct pk_folded_queues *queues = &p->fold->queues;
    const size_t first = p->store->plan->services[p->i_service].first_station, n_steps = queues->n_steps;
    const double n = (double)p->fold->i_unit, horizon = p->store->plan->horizon;
    const char *dims[] = {"arm", p->region, "month"};
    for (size_t what = 0; what < PK_QUEUE_COUNTS; what++) {
        char name[64], long_name[160];
        size_t k = 0;
        for (size_t a = 0; a < p->n_arms; a++)
            for (size_t v = 0; v < p->n_places; v++)
                for (size_t t = 0; t < n_steps; t++, k++) {
                    const size_t i = ((a * queues->n_stations + first + v) * n_steps + t) * PK_QUEUE_COUNTS + what;
                    const double length = is_time(what) && (double)t + 1 > horizon ? horizon - (double)t : 1;
                    const double mean = queues->y[i] / n, squares = queues->yy[i] - n * mean * mean;
                    p->values[k] = mean / length;
                    p->errors[k] = n > 1 ? sqrt((squares > 0 ? squares : 0) / (n - 1) / n) / length : (double)NAN;
                }
        snprintf(long_name, sizeof long_name, "%s in the month, mean per replication", long_names[what]);
        pk_out_array_doubles(p->out, p->group, pk_queue_names[what], dims, 3, k, p->values, "persons", long_name);
        snprintf(name, sizeof name, "%s_se", pk_queue_names[what]);
        snprintf(long_name, sizeof long_name, "simulation standard error of %s", pk_queue_names[what]);
        pk_out_array_doubles(p->out, p->group, name, dims, 3, k, p->errors, "persons", long_name);
    }
}

/* Over the horizon, a place at a time; i_over: divided by another total. */
static void put_total(const struct places *p, const char *name, size_t what, size_t i_over, double scale,
                      const char *units, const char *long_name)
{
    const char *dims[] = {"arm", p->region};
    char more[192];
    size_t k = 0;
    for (size_t a = 0; a < p->n_arms; a++)
        for (size_t v = 0; v < p->n_places; v++, k++) {
            const struct pk_mean mean = pk_fold_queue_total(p->fold, a, p->i_service, v, what, i_over);
            p->values[k] = mean.mean * scale;
            p->errors[k] = mean.standard_error * scale;
        }
    pk_out_array_doubles(p->out, p->group, name, dims, 2, k, p->values, units, long_name);
    snprintf(more, sizeof more, "%s_se", name);
    pk_out_array_doubles(p->out, p->group, more, dims, 2, k, p->errors, units, "simulation standard error");
}

/* The same for all places together, with a first axis of figures told. */
static void put_together(const struct places *p)
{
    const char *dims[] = {"arm"};
    const double years = p->store->plan->horizon / 12, days = 365.25 / 12;
    static const size_t told[] = {PK_QUEUE_REQUESTED, PK_QUEUE_BAULKED, PK_QUEUE_REFUSED,
                                  PK_QUEUE_SERVED,    PK_QUEUE_RENEGED, PK_QUEUE_LEFT,
                                  PK_QUEUE_FINISHED,  PK_QUEUE_COUNTS,  PK_QUEUE_COUNTS + 1};
    static const char *const names[] = {"requested", "baulked",  "refused",        "served",       "reneged",
                                        "left",      "finished", "waiting_at_end", "served_at_end"};
    char name[64];
    for (size_t i = 0; i < sizeof told / sizeof *told; i++) {
        for (size_t a = 0; a < p->n_arms; a++) {
            const struct pk_mean mean = pk_fold_queue_total(p->fold, a, p->i_service, SIZE_MAX, told[i], SIZE_MAX);
            p->values[a] = mean.mean;
            p->errors[a] = mean.standard_error;
        }
        snprintf(name, sizeof name, "all_%s", names[i]);
        pk_out_array_doubles(p->out, p->group, name, dims, 1, p->n_arms, p->values, "persons", long_names[told[i]]);
        snprintf(name, sizeof name, "all_%s_se", names[i]);
        pk_out_array_doubles(p->out, p->group, name, dims, 1, p->n_arms, p->errors, "persons",
                             "simulation standard error");
    }
    const struct {
        const char *name, *units, *long_name;
        size_t what, over;
        double scale;
    } ratios[] = {
        {"all_line", "persons", "people waiting, mean over time", PK_QUEUE_WAITED, SIZE_MAX, 1 / (12 * years)},
        {"all_utilisation", "1", "share of places that are taken, over time", PK_QUEUE_USED, PK_QUEUE_OPEN, 1},
        {"all_mean_wait", "day", "mean time in line of all who asked, also of those not served", PK_QUEUE_WAITED,
         PK_QUEUE_REQUESTED, days},
    };
    for (size_t i = 0; i < sizeof ratios / sizeof *ratios; i++) {
        for (size_t a = 0; a < p->n_arms; a++) {
            const struct pk_mean mean =
                pk_fold_queue_total(p->fold, a, p->i_service, SIZE_MAX, ratios[i].what, ratios[i].over);
            p->values[a] = mean.mean * ratios[i].scale;
            p->errors[a] = mean.standard_error * ratios[i].scale;
        }
        pk_out_array_doubles(p->out, p->group, ratios[i].name, dims, 1, p->n_arms, p->values, ratios[i].units,
                             ratios[i].long_name);
        snprintf(name, sizeof name, "%s_se", ratios[i].name);
        pk_out_array_doubles(p->out, p->group, name, dims, 1, p->n_arms, p->errors, ratios[i].units,
                             "simulation standard error");
    }
    for (size_t a = 0; a < p->n_arms; a++) {
        p->values[a] = pk_fold_coach_years(p->fold, a, p->i_service, SIZE_MAX);
        p->errors[a] = p->values[a] * p->store->plan->services[p->i_service].places.coach_euros;
    }
    pk_out_array_doubles(p->out, p->group, "coach_years", dims, 1, p->n_arms, p->values, "person-years",
                         "coach-years up to the horizon");
    pk_out_array_doubles(p->out, p->group, "coach_cost", dims, 1, p->n_arms, p->errors, "euros",
                         "what they cost, mean per replication");
}

/* Nobody waits longer than up to the horizon. */
static size_t bins_within(double horizon)
{
    size_t n = 1;
    while (n < PK_WAIT_BINS && pk_queues_wait_edge(n - 1) < horizon * (365.25 / 12))
        n++;
    return n;
}

static void put_waits(const struct places *p)
{
    static const char told[] = "days that those served had waited, over all replications, to within a day up to two "
                               "years and 1 % beyond; nan: nobody was served";
    static const double asked[] = {0.5, 0.9, 0.95};
    const struct pk_folded_queues *queues = &p->fold->queues;
    const size_t first = p->store->plan->services[p->i_service].first_station;
    const char *dims[] = {"arm", p->region, "wait_bin"}, *of_quantiles[] = {"arm", p->region, "quantile"},
               *of_all[] = {"arm", "quantile"};
    const size_t n_bins = bins_within(p->store->plan->horizon);
    double ends[PK_WAIT_BINS];
    size_t k = 0;
    for (size_t i = 0; i < n_bins; i++)
        ends[i] = i < PK_WAIT_EDGES ? pk_queues_wait_edge(i) : (double)INFINITY;
    pk_out_digest(p->out, p->group, "wait_bin", ends, n_bins * sizeof *ends);
    if (p->out->status == PK_OK)
        p->out->status =
            pk_results_axis_doubles(p->out->results, p->group, "wait_bin", n_bins, ends, "day",
                                    "days waited: at most so many, and more than in the bin before", p->out->error);
    pk_out_digest(p->out, p->group, "quantile", asked, sizeof asked);
    if (p->out->status == PK_OK)
        p->out->status = pk_results_axis_doubles(p->out->results, p->group, "quantile", 3, asked, "1",
                                                 "share of those served that waited at most so long", p->out->error);
    for (size_t a = 0; a < p->n_arms; a++)
        for (size_t v = 0; v < p->n_places; v++)
            for (size_t i = 0; i < n_bins; i++)
                p->values[k++] =
                    queues->waits[(a * queues->n_stations + first + v) * PK_WAIT_BINS + i] / (double)p->fold->i_unit;
    pk_out_array_doubles(p->out, p->group, "waits", dims, 3, k, p->values, "persons",
                         "people served by how long they had waited, mean per replication");
    k = 0;
    for (size_t a = 0; a < p->n_arms; a++)
        for (size_t v = 0; v < p->n_places; v++)
            for (size_t i = 0; i < 3; i++)
                p->values[k++] = pk_fold_wait_quantile(p->fold, a, p->i_service, v, asked[i]);
    pk_out_array_doubles(p->out, p->group, "wait_quantile", of_quantiles, 3, k, p->values, "day", told);
    k = 0;
    for (size_t a = 0; a < p->n_arms; a++)
        for (size_t i = 0; i < 3; i++)
            p->values[k++] = pk_fold_wait_quantile(p->fold, a, p->i_service, SIZE_MAX, asked[i]);
    pk_out_array_doubles(p->out, p->group, "all_wait_quantile", of_all, 2, k, p->values, "day", told);
}

static void put_service(struct places *p)
{
    const struct pk_store *store = p->store;
    const struct pk_model *model = store->model;
    const struct pk_plan_places *planned = &store->plan->services[p->i_service].places;
    const size_t n_steps = p->fold->queues.n_steps;
    const char *all = "all";
    const char **arms = pk_out_names(p->out, store->scenario->arms, p->n_arms, sizeof *store->scenario->arms);
    int64_t *months = pk_out_room(p->out, n_steps, sizeof *months);
    const size_t per_place = n_steps > PK_WAIT_BINS ? n_steps : PK_WAIT_BINS;
    p->n_places = planned->n_stations;
    p->values = pk_out_room(p->out, p->n_arms * p->n_places * per_place, sizeof *p->values);
    p->errors = pk_out_room(p->out, p->n_arms * p->n_places * per_place, sizeof *p->errors);
    if (arms != NULL && months != NULL && p->values != NULL && p->errors != NULL) {
        snprintf(p->group, sizeof p->group, "/places/%.80s", model->services[p->i_service].name);
        pk_out_axis_texts(p->out, p->group, "arm", p->n_arms, arms, "arm of the comparison");
        p->region = planned->i_by == SIZE_MAX ? "place" : model->attributes[planned->i_by].name;
        if (planned->i_by == SIZE_MAX)
            pk_out_axis_texts(p->out, p->group, p->region, 1, &all, "where places are");
        else
            pk_out_axis_texts(p->out, p->group, p->region, p->n_places, model->attributes[planned->i_by].values,
                              model->attributes[planned->i_by].label.in[2]);
        for (size_t t = 0; t < n_steps; t++)
            months[t] = (int64_t)t;
        pk_out_axis_integers(p->out, p->group, "month", n_steps, months, "months since the start");
        put_months(p);
        put_together(p);
        put_total(p, "total_requested", PK_QUEUE_REQUESTED, SIZE_MAX, 1, "persons", long_names[PK_QUEUE_REQUESTED]);
        put_total(p, "total_served", PK_QUEUE_SERVED, SIZE_MAX, 1, "persons", long_names[PK_QUEUE_SERVED]);
        put_total(p, "utilisation", PK_QUEUE_USED, PK_QUEUE_OPEN, 1, "1", "share of places that are taken, over time");
        put_total(p, "mean_wait", PK_QUEUE_WAITED, PK_QUEUE_REQUESTED, 365.25 / 12, "day",
                  "mean time in line of all who asked, also of those not served");
        put_waits(p);
    }
    pk_free(arms);
    pk_free(months);
    pk_free(p->values);
    pk_free(p->errors);
}

void pk_store_put_places(struct pk_out *out, const struct pk_store *store)
{
    struct pk_text names;
    if (store->plan->n_stations == 0)
        return;
    pk_text_init(&names);
    for (size_t i = 0; i < store->plan->n_services; i++)
        if (store->plan->services[i].first_station != SIZE_MAX)
            pk_text_addf(&names, "%s\n", store->model->services[i].name);
    pk_out_text(out, "/places", "services", pk_text_string(&names));
    pk_text_free(&names);
    struct places p = {.out = out, .store = store, .fold = &store->run->fold, .n_arms = store->plan->n_arms};
    for (size_t i = 0; i < store->plan->n_services && out->status == PK_OK; i++) {
        p.i_service = i;
        if (store->plan->services[i].first_station != SIZE_MAX)
            put_service(&p);
    }
}
