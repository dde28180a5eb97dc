/* See queue.h. */
#include "queue.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Student, 39 degrees of freedom: 1.3e-5 each. With fewer than 80 comparisons a right engine fails at most one choice
 * of seeds in 1,000. */
static const double n_errors = 5;
static const struct pk_run_options one_thread = {.n_threads = 1}; /* Criterion runs tests side by side */

static void put_model(struct pk_text *text, const struct queue *q)
{
    static const char *const lengths[] = {"{hazard: finish}", "fixed",
                                          "{hazard: {weibull: {shape: shape, scale: scale, clock: since_enrolment}}}",
                                          "{hazard: pieces}"};
    const struct {
        const char *name, *unit;
        double value;
    } parameters[] = {{"never", "per_year", 0},
                      {"finish", "per_year", 1 / q->mean_years},
                      {"fixed", "years", q->mean_years},
                      {"shape", "shape", q->shape > 0 ? q->shape : 1},
                      {"scale", "years", q->mean_years / (q->shape > 0 ? tgamma(1 + 1 / q->shape) : 1)},
                      {"servers", "persons", (double)q->servers},
                      {"gives_up", "per_year", q->reneges_per_year},
                      {"asks", "per_year", q->asks_per_year},
                      {"baulk", "share", q->baulk},
                      {"none", "persons", 0}};
    pk_text_put(text, "polku: 1\nmodel: queue\nstates:\n  waiting: {}\n  got_in: {}\n  gone: {absorbing: true}\n"
                      "attributes:\n  class: {values: [first, second]}\nparameters:\n"
                      "  life: {value: life, unit: years, source: {assumption: test}}\n"
                      "  nothing: {value: 0, unit: years, source: {assumption: test}}\n");
    for (size_t i = 0; i < sizeof parameters / sizeof *parameters; i++)
        pk_text_addf(text, "  %s: {value: %.17g, unit: %s, source: {assumption: test}}\n", parameters[i].name,
                     parameters[i].value, parameters[i].unit);
    if (q->length == QUEUE_PIECEWISE)
        pk_text_addf(text,
                     "  pieces: {table: {clock: since_enrolment, cuts: [%.17g], values: [%.17g, %.17g]}, "
                     "unit: per_year, source: {assumption: test}}\n",
                     q->cut, q->early, q->late);
    pk_text_addf(text,
                 "transitions:\n  get_in: {from: waiting, to: got_in, by_service: true}\n"
                 "  leave: {from: [waiting, got_in], to: gone, hazard: never}\n"
                 "services:\n  help:\n    window: held\n    held: {length: %s}\n%s    effects: []\n"
                 "    places:\n      coaches: servers\n      again: %s\n",
                 lengths[q->length], q->people > 0 ? "" : "    enters: get_in\n", q->people > 0 ? "always" : "once");
    if (q->reneges_per_year > 0)
        pk_text_put(text, "      renege: gives_up\n");
    if (q->baulk > 0)
        pk_text_put(text, "      baulk: baulk\n");
    if (q->no_line)
        pk_text_put(text, "      line: none\n");
    if (q->order != NULL)
        pk_text_put(text, q->order);
}

static void put_scenario(struct pk_text *text, const struct queue *q)
{
    const double first = q->first_class > 0 ? q->first_class : 1;
    pk_text_addf(text,
                 "polku: 1\nscenario: queue\nmodel: model.yaml\nseed: %lu\nstart: 2021-01-01\nhorizon: {years: %d}\n"
                 "batches: 2\npopulation:\n  size: %lu\n  state: {waiting: 1}\n"
                 "  attributes: {class: {first: %.17g, second: %.17g}}\n",
                 q->seed, QUEUE_YEARS, q->people, first, 1 - first);
    if (q->per_year > 0)
        pk_text_addf(text, "  inflow: {per_year: %.17g, poisson: true}\n", q->per_year);
    pk_text_addf(text, "arms:\n  queue: {enrol: [{service: help, %s}]}\noutcomes:\n",
                 q->people > 0 ? "rate: asks" : "share: 1, at: entry");
    for (int from = 0; from <= QUEUE_WARM_UP; from += QUEUE_WARM_UP)
        for (size_t k = 0; k < QUEUE_CLASSES; k++)
            pk_text_addf(text,
                         "  from_%d_class_%zu: {measure: person_years, states: [waiting], from: {years: %d}, "
                         "to: horizon, among: {class: %s}}\n",
                         from, k, from, k == 0 ? "first" : "second");
}

/* What holds exactly. In a life nothing happens before the tick after its entry: whoever is served at once is in
 * `waiting` for one tick. */
static void expect_sums(const struct queue *q, const struct pk_run *run, const double *totals, const double *waits)
{
    const struct pk_folded_queues *queues = &run->fold.queues;
    const double *lives = run->fold.outcomes;
    double n_waits = 0, least = 0;
    cr_expect(queues->n_wrong == 0, "%s: %g replications do not add up", q->name, queues->n_wrong);
    for (size_t i = 0; i < PK_WAIT_BINS; i++) {
        n_waits += waits[i];
        least += waits[i] * (i > 0 ? pk_queues_wait_edge(i - 1) : 0) * (12 / 365.25);
    }
    cr_expect(n_waits == totals[PK_QUEUE_SERVED], "%s: waits of %g of %g served", q->name, n_waits,
              totals[PK_QUEUE_SERVED]);
    cr_expect(least <= totals[PK_QUEUE_WAITED], "%s: %g months waited, at least %g", q->name, totals[PK_QUEUE_WAITED],
              least);
    cr_expect(totals[PK_QUEUE_REQUESTED] == totals[PK_QUEUE_BAULKED] + totals[PK_QUEUE_REFUSED] +
                                                totals[PK_QUEUE_SERVED] + totals[PK_QUEUE_RENEGED] +
                                                totals[PK_QUEUE_LEFT] + totals[PK_QUEUE_COUNTS],
              "%s: somebody is lost in line", q->name);
    cr_expect(totals[PK_QUEUE_SERVED] == totals[PK_QUEUE_FINISHED] + totals[PK_QUEUE_COUNTS + 1],
              "%s: somebody is lost in a place", q->name);
    cr_expect(fabs(totals[PK_QUEUE_OPEN] - (double)q->servers * 12 * QUEUE_YEARS) < 1e-6, "%s: %g place-months",
              q->name, totals[PK_QUEUE_OPEN]);
    if (q->people == 0 && q->reneges_per_year == 0 && q->baulk == 0 && !q->no_line) {
        const double ticks = (12 * (lives[0] + lives[1]) - totals[PK_QUEUE_WAITED]) * PK_TICKS_PER_MONTH;
        cr_expect(fabs(ticks - waits[0]) < 0.5, "%s: %.1f more ticks in line by lives, with %g served at once", q->name,
                  ticks, waits[0]);
    }
}

void queue_run(const struct queue *queue, struct queue_runs *runs)
{
    struct support_world world;
    struct pk_text model, scenario;
    pk_text_init(&model);
    pk_text_init(&scenario);
    put_model(&model, queue);
    put_scenario(&scenario, queue);
    support_open_texts(&world, pk_text_string(&model), pk_text_string(&scenario));
    memset(runs, 0, sizeof *runs);
    runs->queue = queue;
    for (size_t r = 0; r < QUEUE_REPLICATIONS; r++) {
        struct pk_run run;
        support_change(&world, queue->seed * 1000 + r, 0);
        support_run(&world, &one_thread, &run);
        const struct pk_folded_queues *queues = &run.fold.queues;
        cr_assert(queues->n_stations == 1 && queues->n_steps == 12 * QUEUE_YEARS && run.fold.n_units == 1);
        for (size_t t = 12 * QUEUE_WARM_UP; t < queues->n_steps; t++)
            for (size_t i = 0; i < PK_QUEUE_COUNTS; i++)
                runs->months[r][i] += queues->y[t * PK_QUEUE_COUNTS + i];
        memcpy(runs->totals[r], queues->totals, sizeof runs->totals[r]);
        memcpy(runs->waits[r], queues->waits, sizeof runs->waits[r]);
        for (size_t k = 0; k < QUEUE_CLASSES; k++)
            runs->in_line[r][k] = 12 * run.fold.outcomes[QUEUE_CLASSES + k];
        runs->quantile += pk_fold_wait_quantile(&run.fold, 0, 0, SIZE_MAX, 0.9) / QUEUE_REPLICATIONS;
        expect_sums(queue, &run, runs->totals[r], runs->waits[r]);
        pk_run_free(&run);
    }
    support_close(&world);
    pk_text_free(&model);
    pk_text_free(&scenario);
}

/* Differences that are 0 in the mean. */
static void expect_none(const struct queue_runs *runs, const char *name, const double *differences, double estimate,
                        double exact, double scale)
{
    double mean = 0;
    for (size_t r = 0; r < QUEUE_REPLICATIONS; r++)
        mean += differences[r] / QUEUE_REPLICATIONS;
    const double error =
        pk_stats_standard_deviation(differences, QUEUE_REPLICATIONS, 1) / sqrt((double)QUEUE_REPLICATIONS);
    cr_log_info("%-18s %-32s %10.6g exact %10.6g, error %5.2f %%, z %+.2f", runs->queue->name, name, estimate, exact,
                100 * error / scale / exact, mean / error);
    cr_expect(fabs(mean) <= n_errors * error, "%s, %s: %.6g, exact %.6g (%+.2f s.e.)", runs->queue->name, name,
              estimate, exact, mean / error);
}

void queue_expect_values(const struct queue_runs *runs, const char *name, const double *y, const double *x,
                         double exact)
{
    double differences[QUEUE_REPLICATIONS], sum_y = 0, sum_x = 0;
    for (size_t r = 0; r < QUEUE_REPLICATIONS; r++) {
        differences[r] = y[r] - exact * x[r];
        sum_y += y[r];
        sum_x += x[r];
    }
    expect_none(runs, name, differences, sum_y / sum_x, exact, sum_x / QUEUE_REPLICATIONS);
}

void queue_expect(const struct queue_runs *runs, const char *name, enum pk_queue_count what, enum pk_queue_count over,
                  double exact)
{
    double y[QUEUE_REPLICATIONS], x[QUEUE_REPLICATIONS];
    for (size_t r = 0; r < QUEUE_REPLICATIONS; r++) {
        y[r] = runs->months[r][what];
        x[r] = over == PK_QUEUE_COUNTS ? QUEUE_MONTHS : runs->months[r][over];
    }
    queue_expect_values(runs, name, y, x, exact);
}

void queue_chain_init(struct queue_chain *chain, const struct queue *q)
{
    double sum = 0;
    chain->n = 0;
    for (size_t n = 0; n < QUEUE_MAX_CHAIN; n++) {
        const double in_line = n > q->servers ? (double)(n - q->servers) : 0;
        chain->birth[n] = q->per_year * (n < q->servers ? 1 : 1 - q->baulk);
        if (q->people > 0)
            chain->birth[n] = (double)(q->people - n) * q->asks_per_year;
        if (q->no_line && n == q->servers)
            chain->birth[n] = 0;
        chain->death[n] = ((double)n - in_line) / q->mean_years + in_line * q->reneges_per_year;
        chain->p[n] = n == 0 ? 1 : chain->p[n - 1] * chain->birth[n - 1] / chain->death[n];
        sum += chain->p[n];
        chain->n = n + 1;
        if (chain->birth[n] <= 0 || chain->p[n] < 1e-30 * sum)
            break;
    }
    for (size_t n = 0; n < chain->n; n++)
        chain->p[n] /= sum;
}

double queue_chain_mean(const struct queue_chain *chain, const double *f)
{
    double mean = 0;
    for (size_t n = 0; n < chain->n; n++)
        mean += chain->p[n] * f[n];
    return mean;
}

double queue_chain_line(const struct queue_chain *chain, size_t servers)
{
    double mean = 0;
    for (size_t n = servers; n < chain->n; n++)
        mean += chain->p[n] * (double)(n - servers);
    return mean;
}

double queue_chain_busy(const struct queue_chain *chain, size_t servers)
{
    double mean = 0;
    for (size_t n = 0; n < chain->n; n++)
        mean += chain->p[n] * (double)(n < servers ? n : servers);
    return mean;
}

/* g solves Q g = mean - f with g(0) = 0: its steps are sums over the tail above them. */
double queue_chain_start(const struct queue_chain *chain, const double *f)
{
    const double mean = queue_chain_mean(chain, f);
    double steps[QUEUE_MAX_CHAIN], tail = 0, g = 0, start = 0;
    for (size_t n = chain->n - 1; n > 0; n--) {
        tail += chain->p[n] * (f[n] - mean);
        steps[n - 1] = tail / (chain->birth[n - 1] * chain->p[n - 1]);
    }
    for (size_t n = 1; n < chain->n; n++) {
        g += steps[n - 1];
        start -= chain->p[n] * g;
    }
    return start;
}

void queue_expect_at_once(const struct queue_runs *runs, const struct queue_chain *chain, const double *asks)
{
    double f[QUEUE_MAX_CHAIN] = {0}, y[QUEUE_REPLICATIONS], x[QUEUE_REPLICATIONS];
    for (size_t n = 0; n < chain->n; n++)
        f[n] = n < runs->queue->servers ? asks[n] : 0;
    const double n_served = queue_chain_mean(chain, f) * QUEUE_YEARS + queue_chain_start(chain, f);
    const double n_asked = queue_chain_mean(chain, asks) * QUEUE_YEARS + queue_chain_start(chain, asks);
    for (size_t r = 0; r < QUEUE_REPLICATIONS; r++) {
        y[r] = runs->waits[r][0];
        x[r] = runs->totals[r][PK_QUEUE_REQUESTED];
    }
    queue_expect_values(runs, "served at once, share", y, x, n_served / n_asked);
}

void queue_expect_longer(const struct queue_runs *runs, const struct queue_chain *chain, size_t i_edge,
                         const double *tail)
{
    double y[QUEUE_REPLICATIONS], x[QUEUE_REPLICATIONS];
    char name[64];
    snprintf(name, sizeof name, "longer than %g days, share", pk_queues_wait_edge(i_edge));
    for (size_t r = 0; r < QUEUE_REPLICATIONS; r++) {
        x[r] = runs->totals[r][PK_QUEUE_SERVED];
        y[r] = 0;
        for (size_t i = i_edge + 1; i < PK_WAIT_BINS; i++)
            y[r] += runs->waits[r][i];
    }
    queue_expect_values(runs, name, y, x, queue_chain_mean(chain, tail) + queue_chain_start(chain, tail) / QUEUE_YEARS);
}

double queue_erlang_b(size_t c, double a)
{
    double blocked = 1;
    for (size_t k = 1; k <= c; k++)
        blocked = a * blocked / ((double)k + a * blocked);
    return blocked;
}

double queue_erlang_c(size_t c, double a)
{
    const double blocked = queue_erlang_b(c, a), rho = a / (double)c;
    return blocked / (1 - rho * (1 - blocked));
}
