/* Services with scarce places in their steady state, against the textbook's queues: M/M/1, M/M/c, M/G/1, M/G/c/c,
 * impatience of both kinds, a finite population, orders other than first come first served.
 *
 * 40 replications of 54 years, of which 4 are warm-up: more than 20 relaxation times of every queue, so that what is
 * left of the empty start is below 1e-8; where waits are counted from the start, the expectation has the start in it.
 * 600,000 people ask in a test. 58 comparisons at 5 standard errors (queue.c). The relative standard errors are of
 * lines and waits 0.7 to 2.5 %, of shares 0.3 to 1.2 % (of long waits 2.2 %), of utilisations and throughputs 0.1 to
 * 0.2 %. What is 7 of them off is seen with 97 % power: a line by 5 to 17 %, a share by 2 to 8 %, a utilisation by 1.4
 * %. */
#include <criterion/criterion.h>
#include <gsl/gsl_cdf.h>
#include <math.h>

#include "queue.h"

static struct queue_runs runs; /* each test is a process of its own */
static struct queue_chain chain;
static double asks[QUEUE_MAX_CHAIN];

/* Mean numbers in line and in places, and the wait of those served; months are the queue's unit. */
static void expect_lengths(const struct queue *q, double in_line, double busy)
{
    queue_expect(&runs, "mean line", PK_QUEUE_WAITED, PK_QUEUE_COUNTS, in_line);
    queue_expect(&runs, "utilisation", PK_QUEUE_HELD, PK_QUEUE_OPEN, busy / (double)q->servers);
}

static void expect_at_once(const struct queue *q)
{
    for (size_t n = 0; n < chain.n; n++)
        asks[n] = q->people > 0 ? chain.birth[n] : q->per_year;
    queue_expect_at_once(&runs, &chain, asks);
}

/* M/M/c by Erlang's C: Gross and Harris, ch. 2. */
static void expect_erlang_c(const struct queue *q)
{
    const double a = q->per_year * q->mean_years, c = (double)q->servers, waits = queue_erlang_c(q->servers, a);
    const double in_line = waits * a / (c - a);
    queue_run(q, &runs);
    queue_chain_init(&chain, q);
    cr_assert(fabs(queue_chain_line(&chain, q->servers) - in_line) < 1e-9 * in_line);
    expect_lengths(q, in_line, a);
    queue_expect(&runs, "mean wait, months", PK_QUEUE_WAITED, PK_QUEUE_SERVED, 12 * in_line / q->per_year);
    expect_at_once(q);
    cr_assert(fabs(queue_chain_mean(&chain, asks) / q->per_year - 1) < 1e-12);
}

/* P(wait > x) = C exp(-(c / mean - rate) x). */
Test(queues, one_server_and_exponential_lengths)
{
    const struct queue q = {.name = "M/M/1", .seed = 61, .per_year = 280, .servers = 1, .mean_years = 1 / 400.0};
    const size_t low = 5, high = 6; /* edges of so many days: the 0.9 quantile is between them */
    double tails[2];
    expect_erlang_c(&q);
    for (size_t k = 0; k < 2; k++) {
        const double years = pk_queues_wait_edge(low + k) / 365.25;
        double tail[QUEUE_MAX_CHAIN];
        /* n people ahead: a sum of n exponential times */
        for (size_t n = 0; n < chain.n; n++)
            tail[n] = n == 0 ? 0 : gsl_cdf_gamma_Q(years, (double)n, q.mean_years);
        tails[k] = 0.7 * exp(-120 * years);
        cr_assert(fabs(queue_chain_mean(&chain, tail) - tails[k]) < 1e-9);
        queue_expect_longer(&runs, &chain, low + k, tail);
    }
    /* Linear within the bin of a day. Its standard error is that of the share over its density: some 0.05 days. */
    const double days = 365.25 * log(7) / 120;
    cr_assert(pk_queues_wait_edge(low) < days && days < pk_queues_wait_edge(high));
    const double between = 5 + (tails[0] - 0.1) / (tails[0] - tails[1]);
    cr_expect(fabs(runs.quantile - between) < 0.3 && fabs(between - days) < 0.3,
              "0.9 quantile %.3f days, exact %.3f, linear in its bin %.3f", runs.quantile, days, between);
    cr_log_info("0.9 quantile %.3f days, exact %.3f, linear in its bin %.3f", runs.quantile, days, between);
}

Test(queues, three_servers)
{
    expect_erlang_c(&(struct queue){.name = "M/M/3", .seed = 62, .per_year = 300, .servers = 3, .mean_years = 0.0078});
}

Test(queues, ten_servers)
{
    expect_erlang_c(
        &(struct queue){.name = "M/M/10", .seed = 63, .per_year = 320, .servers = 10, .mean_years = 0.0249});
}

/* Pollaczek and Khinchine: the line is rho^2 (1 + v) / (2 (1 - rho)), v the squared coefficient of variation. */
static void expect_general(const struct queue *q, double v)
{
    const double rho = q->per_year * q->mean_years, in_line = rho * rho * (1 + v) / (2 * (1 - rho));
    queue_run(q, &runs);
    expect_lengths(q, in_line, rho);
    queue_expect(&runs, "mean wait, months", PK_QUEUE_WAITED, PK_QUEUE_SERVED, 12 * in_line / q->per_year);
}

Test(queues, one_server_and_fixed_lengths)
{
    expect_general(
        &(struct queue){
            .name = "M/D/1", .seed = 64, .per_year = 280, .servers = 1, .length = QUEUE_FIXED, .mean_years = 0.0027},
        0);
}

Test(queues, one_server_and_weibull_lengths)
{
    const double shape = 0.8, mean = tgamma(1 + 1 / shape);
    expect_general(&(struct queue){.name = "M/Weibull/1",
                                   .seed = 65,
                                   .per_year = 280,
                                   .servers = 1,
                                   .length = QUEUE_WEIBULL,
                                   .shape = shape,
                                   .mean_years = 0.0021},
                   tgamma(1 + 2 / shape) / (mean * mean) - 1);
}

/* Whoever finds all places taken goes: Erlang's B, whatever the distribution of lengths with that mean. */
Test(queues, without_a_line_only_the_mean_length_matters)
{
    static const struct {
        const char *name;
        enum queue_length length;
    } lengths[4] = {{"M/M/5/5", QUEUE_EXPONENTIAL},
                    {"M/D/5/5", QUEUE_FIXED},
                    {"M/Weibull/5/5", QUEUE_WEIBULL},
                    {"M/pieces/5/5", QUEUE_PIECEWISE}};
    const double early = 140, late = 35, cut = 0.008, left = exp(-early * cut);
    for (size_t i = 0; i < 4; i++) {
        const struct queue q = {.name = lengths[i].name,
                                .seed = 66 + i,
                                .per_year = 280,
                                .servers = 5,
                                .length = lengths[i].length,
                                .shape = 2.3,
                                .early = early,
                                .late = late,
                                .cut = cut,
                                .mean_years = (1 - left) / early + left / late,
                                .no_line = true};
        const double a = q.per_year * q.mean_years, blocked = queue_erlang_b(5, a);
        queue_run(&q, &runs);
        queue_expect(&runs, "refused, share", PK_QUEUE_REFUSED, PK_QUEUE_REQUESTED, blocked);
        queue_expect(&runs, "utilisation", PK_QUEUE_HELD, PK_QUEUE_OPEN, a * (1 - blocked) / 5);
        queue_expect(&runs, "asked in a month", PK_QUEUE_REQUESTED, PK_QUEUE_COUNTS, q.per_year / 12);
        for (size_t r = 0; r < QUEUE_REPLICATIONS; r++)
            cr_expect(runs.totals[r][PK_QUEUE_WAITED] == 0 && runs.waits[r][0] == runs.totals[r][PK_QUEUE_SERVED],
                      "%s: somebody waited", q.name);
    }
}

/* Erlang A, overloaded: whoever waits gives up at a constant rate. */
Test(queues, those_who_wait_give_up)
{
    const struct queue q = {
        .name = "M/M/5+M", .seed = 71, .per_year = 280, .servers = 5, .mean_years = 0.02, .reneges_per_year = 23.7};
    queue_run(&q, &runs);
    queue_chain_init(&chain, &q);
    const double in_line = queue_chain_line(&chain, 5), busy = queue_chain_busy(&chain, 5);
    expect_lengths(&q, in_line, busy);
    queue_expect(&runs, "reneged, share", PK_QUEUE_RENEGED, PK_QUEUE_REQUESTED,
                 in_line * q.reneges_per_year / q.per_year);
    queue_expect(&runs, "served in a month", PK_QUEUE_SERVED, PK_QUEUE_COUNTS, busy / q.mean_years / 12);
    expect_at_once(&q);
}

Test(queues, some_do_not_join_the_line)
{
    const struct queue q = {
        .name = "M/M/3 baulking", .seed = 72, .per_year = 300, .servers = 3, .mean_years = 0.0105, .baulk = 0.37};
    double waits = 0;
    queue_run(&q, &runs);
    queue_chain_init(&chain, &q);
    for (size_t n = q.servers; n < chain.n; n++)
        waits += chain.p[n];
    expect_lengths(&q, queue_chain_line(&chain, 3), queue_chain_busy(&chain, 3));
    queue_expect(&runs, "baulked, share", PK_QUEUE_BAULKED, PK_QUEUE_REQUESTED, q.baulk * waits);
    queue_expect(&runs, "mean wait, months", PK_QUEUE_WAITED, PK_QUEUE_SERVED,
                 12 * queue_chain_line(&chain, 3) / (q.per_year * (1 - q.baulk * waits)));
    expect_at_once(&q);
}

/* The machine repair model: a finite population whose members ask again and again. */
Test(queues, the_same_people_ask_again)
{
    const struct queue q = {
        .name = "M/M/3//24", .seed = 73, .people = 24, .asks_per_year = 4.1, .servers = 3, .mean_years = 0.033};
    double asked[QUEUE_REPLICATIONS], idle[QUEUE_REPLICATIONS];
    queue_run(&q, &runs);
    queue_chain_init(&chain, &q);
    cr_assert(chain.n == 25);
    const double in_line = queue_chain_line(&chain, 3), busy = queue_chain_busy(&chain, 3);
    cr_assert(fabs((24 - in_line - busy) * q.asks_per_year - busy / q.mean_years) < 1e-9);
    for (size_t r = 0; r < QUEUE_REPLICATIONS; r++) {
        asked[r] = runs.months[r][PK_QUEUE_REQUESTED];
        idle[r] = 24.0 * QUEUE_MONTHS - runs.months[r][PK_QUEUE_WAITED] - runs.months[r][PK_QUEUE_HELD];
    }
    queue_expect_values(&runs, "asked in an idle month", asked, idle, q.asks_per_year / 12);
    queue_expect(&runs, "mean length, months", PK_QUEUE_HELD, PK_QUEUE_SERVED, 12 * q.mean_years);
    expect_lengths(&q, in_line, busy);
    queue_expect(&runs, "served in a month", PK_QUEUE_SERVED, PK_QUEUE_COUNTS, busy / q.mean_years / 12);
    queue_expect(&runs, "mean wait, months", PK_QUEUE_WAITED, PK_QUEUE_SERVED, 12 * in_line * q.mean_years / busy);
    expect_at_once(&q);
}

/* With one distribution of lengths the line is as long in any order that does not look at them (the conservation
 * law); with priorities the two classes' lines are Cobham's (1954). */
Test(queues, the_first_class_goes_before_the_second)
{
    const struct queue q = {.name = "M/M/1 priority",
                            .seed = 74,
                            .per_year = 280,
                            .servers = 1,
                            .mean_years = 1 / 400.0,
                            .order = "      priority: {attribute: class, ahead: {first: life, second: nothing}}\n",
                            .first_class = 0.4};
    const double rho = 0.7, first = 0.4 * rho, residual = rho * q.mean_years;
    const double wait[2] = {residual / (1 - first), residual / ((1 - first) * (1 - rho))};
    const double line[2] = {0.4 * q.per_year * wait[0], 0.6 * q.per_year * wait[1]};
    queue_run(&q, &runs);
    queue_chain_init(&chain, &q);
    cr_assert(fabs(line[0] + line[1] - rho * rho / (1 - rho)) < 1e-9);
    expect_lengths(&q, rho * rho / (1 - rho), rho);
    for (size_t k = 0; k < 2; k++) {
        double y[QUEUE_REPLICATIONS], x[QUEUE_REPLICATIONS];
        for (size_t r = 0; r < QUEUE_REPLICATIONS; r++) {
            y[r] = runs.in_line[r][k];
            x[r] = QUEUE_MONTHS;
        }
        queue_expect_values(&runs, k == 0 ? "mean line of the first class" : "mean line of the second class", y, x,
                            line[k]);
    }
    expect_at_once(&q);
}

Test(queues, whose_turn_it_is_is_drawn_by_lot)
{
    const struct queue q = {.name = "M/M/3 by lot",
                            .seed = 75,
                            .per_year = 300,
                            .servers = 3,
                            .mean_years = 0.0078,
                            .order = "      order: by_lot\n"};
    expect_erlang_c(&q);
}
