/* Queues as worlds for the statistical tests: people who ask for scarce places, what happened after a warm-up in each
 * of many replications, and the stationary laws of birth-death chains to hold it against.
 *
 * What is expected comes from queueing theory alone. Every failure here is the test's. */
#ifndef PK_TESTS_QUEUE_H
#define PK_TESTS_QUEUE_H

#include "support.h"

enum {
    QUEUE_REPLICATIONS = 40,
    QUEUE_YEARS = 54,
    QUEUE_WARM_UP = 4, /* years from an empty queue that only queue_expect_at_once and _longer count in */
    QUEUE_MONTHS = 12 * (QUEUE_YEARS - QUEUE_WARM_UP),
    QUEUE_MAX_CHAIN = 1000,
    QUEUE_CLASSES = 2,
};

enum queue_length { QUEUE_EXPONENTIAL, QUEUE_FIXED, QUEUE_WEIBULL, QUEUE_PIECEWISE };

struct queue {
    const char *name;
    unsigned long seed;
    double per_year;      /* who flow in, as a Poisson process, and ask at once; 0: nobody */
    unsigned long people; /* who are there from the start and ask when they neither wait nor are served ... */
    double asks_per_year; /* ... at this rate each */
    size_t servers;
    enum queue_length length;
    double mean_years;       /* of the length; of a piecewise one both hazards are told below */
    double shape;            /* Weibull */
    double early, late, cut; /* piecewise: hazards per year before and after so many years */
    double reneges_per_year; /* 0: nobody does */
    double baulk;            /* share of those who would have to wait; 0: nobody does */
    bool no_line;            /* whoever does not get a place at once is refused */
    const char *order;       /* a line of `places`, four blanks deep; NULL: as they came */
    double first_class;      /* share of the people who are of the first class; the others are of the second */
};

/* What was seen. */
struct queue_runs {
    const struct queue *queue;
    double months[QUEUE_REPLICATIONS][PK_QUEUE_COUNTS]; /* after the warm-up; people and person-months */
    double totals[QUEUE_REPLICATIONS][PK_QUEUE_TOTALS]; /* with it */
    double waits[QUEUE_REPLICATIONS][PK_WAIT_BINS];     /* with it */
    double in_line[QUEUE_REPLICATIONS][QUEUE_CLASSES];  /* person-months in `waiting` by their lives, after it */
    double quantile;                                    /* mean over replications of the 0.9 quantile of waits, days */
};

/* Runs it, and expects what holds exactly in every replication: nobody lost, places as many as there are, and the time
 * in line by the calendar that of the people's lives. */
void queue_run(const struct queue *queue, struct queue_runs *runs);

/* Expects that E[what] = exact E[over] after the warm-up; over PK_QUEUE_COUNTS: months, so what is a mean number. */
void queue_expect(const struct queue_runs *runs, const char *name, enum pk_queue_count what, enum pk_queue_count over,
                  double exact);
/* The same with figures of one's own, [QUEUE_REPLICATIONS] each. */
void queue_expect_values(const struct queue_runs *runs, const char *name, const double *y, const double *x,
                         double exact);

/* A chain on 0 .. n - 1 people in the system (of whom servers are served). */
struct queue_chain {
    size_t n;
    double birth[QUEUE_MAX_CHAIN], death[QUEUE_MAX_CHAIN]; /* per year, from each state */
    double p[QUEUE_MAX_CHAIN];                             /* stationary */
};
/* Of the queue with exponential lengths, as far as it has states of 1e-30. */
void queue_chain_init(struct queue_chain *chain, const struct queue *queue);
double queue_chain_mean(const struct queue_chain *chain, const double *f);
/* Mean numbers in line and in places. */
double queue_chain_line(const struct queue_chain *chain, size_t servers);
double queue_chain_busy(const struct queue_chain *chain, size_t servers);
/* What the integral of f from an empty start has more than the stationary mean times the time, person-years: minus the
 * first element of the deviation matrix times f (Coolen-Schrijner and van Doorn 2002), by sums over the tail. */
double queue_chain_start(const struct queue_chain *chain, const double *f);

/* Expects the number of people served at once, of all the years: asks[n] per year in each state of the chain, which
 * those in a state below `servers` are served at. Exact, with the start. */
void queue_expect_at_once(const struct queue_runs *runs, const struct queue_chain *chain, const double *asks);
/* Expects the share of those served who waited longer than an edge of the bins, of all the years: tail[n] by how many
 * there are when one asks. Those in line at the end are not counted: less than one in 4,000 of who wait. */
void queue_expect_longer(const struct queue_runs *runs, const struct queue_chain *chain, size_t i_edge,
                         const double *tail);

/* Erlang's formulae for c servers and an offered load of a: the share that is blocked, and the share that waits. */
double queue_erlang_b(size_t c, double a);
double queue_erlang_c(size_t c, double a);

#endif
