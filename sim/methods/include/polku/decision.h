/* Which option to choose, how sure that is, and what it would be worth to know more.
 *
 * Responsibility: numbers from plain arrays of draws of the uncertain parameters. Knows no files, options' names or
 * units. Nothing here reaches a life.
 *
 * effects and costs are expectations over people given a draw: what simulation adds by chance counts as uncertainty
 * here and makes information look more valuable than it is. Keep it small beside that of the parameters. */
#ifndef PK_DECISION_H
#define PK_DECISION_H

#include <stdbool.h>
#include <stddef.h>

#include "polku/stats.h"
#include "polku/status.h"

#ifdef __cplusplus
extern "C" {
#endif

struct pk_decision {
    size_t n_draws, n_options;
    const double *effects; /* [n_draws][n_options], more is better */
    const double *costs;   /* the same */
};

/* Two draws and an option at least, all finite. Error: PK_BAD_INPUT. What is below takes it as checked. */
PK_CHECKED enum pk_status pk_decision_check(const struct pk_decision *decision, struct pk_error *error);

/* effects[n_options], costs[n_options]: means over draws; standard errors of the means. */
void pk_decision_means(const struct pk_decision *decision, struct pk_mean *effects, struct pk_mean *costs);

/* ---- cost-effectiveness ---- */

enum pk_decision_place {
    PK_DECISION_FIRST,     /* the cheapest that is not dominated: the others are set against it */
    PK_DECISION_EFFICIENT, /* best at some threshold; it has an ICER */
    PK_DECISION_DOMINATED, /* i_against costs no more, gives no less, and differs */
    PK_DECISION_EXTENDED,  /* a mixture of i_against and i_also costs less and gives as much */
    PK_DECISION_SAME,      /* the same effect and cost as i_against */
};
struct pk_decision_row {
    size_t i_option;
    enum pk_decision_place place;
    double effect, cost;
    size_t i_against, i_also;      /* options; SIZE_MAX: none */
    double more_effect, more_cost; /* than i_against; nan of the first and where no ICER is */
    double icer; /* cost per effect against i_against, the efficient option before; nan unless efficient */
};

/* The table of a textbook (Johannesson & Weinstein 1993, Journal of Health Economics 12): rows[n_options] by ascending
 * cost, of equal ones the more effective first. Options on the line between two others are efficient, with the same
 * ICER. */
void pk_decision_frontier(const double *effects, const double *costs, size_t n_options, struct pk_decision_row *rows);

enum pk_decision_verdict {
    PK_DECISION_MORE_FOR_MORE, /* an ICER is what an effect more costs */
    PK_DECISION_DOMINATES,     /* no less effect at no more cost: an ICER would say nothing */
    PK_DECISION_LESS_FOR_LESS, /* an ICER is what giving up an effect saves: good where it is high */
    PK_DECISION_IS_DOMINATED,
    PK_DECISION_NO_DIFFERENCE,
    PK_DECISION_VERDICTS
};
struct pk_decision_pair {
    struct pk_mean more_effect, more_cost;
    enum pk_decision_verdict verdict;    /* by the means */
    double shares[PK_DECISION_VERDICTS]; /* of the draws */
    double icer;                         /* of the means; nan where one dominates or nothing differs */
    double low, high;                    /* 95 %; nan unless the effect has the same sign in every draw: else ratios
                                          * of opposite meaning would be ordered together */
};
/* Errors: PK_NO_MEMORY. */
PK_CHECKED enum pk_status pk_decision_pair_init(struct pk_decision_pair *pair, const struct pk_decision *decision,
                                                size_t i_option, size_t i_against, struct pk_error *error);

/* ---- at a threshold: net benefit = threshold x effect - cost ---- */

struct pk_decision_threshold {
    size_t i_best;              /* the largest mean net benefit, the first of equal ones: the frontier (CEAF) is it and
                                 * its probability */
    double net_benefit;         /* its mean */
    struct pk_mean information; /* EVPI per person: mean of the best of each draw less the best mean, and its standard
                                 * error, that of the mean loss of the best option */
};
/* probabilities[n_options]: share of the draws in which the option is best (CEAC); equal ones share a draw; they add up
 * to 1. losses[n_options]: mean net benefit forgone against the best of each draw; the best option's is EVPI. */
void pk_decision_at(const struct pk_decision *decision, double threshold, double *probabilities, double *losses,
                    struct pk_decision_threshold *at);
/* net_benefits[n_draws][n_options]. */
void pk_decision_net_benefits(const struct pk_decision *decision, double threshold, double *net_benefits);

/* For all whom the decision affects: so many a year, evenly, for so many years, discounted at an annual rate (0.03: 3
 * %) from the start: the integral of (1 + rate)^-t. */
double pk_decision_population(double per_person, double affected_per_year, double years, double rate);

/* ---- partial information ---- */

struct pk_decision_information {
    double value;          /* EVPPI per person, from 0 to EVPI of the same draws */
    double standard_error; /* of raw: what draws leave open of the parameters' distribution and of the regression */
    double raw;            /* before it was bounded */
    double evpi;
    size_t n_terms; /* of the regression */
    double degrees; /* the largest degrees of freedom that a regression of an option came to */
};

/* What it is worth to know x[.][columns[i]], i < n_chosen, out of x[n_draws][n_columns]. net_benefits as above. By
 * regression of net benefits on the columns (Strong, Oakley & Brennan 2014, Medical Decision Making 34): natural cubic
 * splines of each column and products of splines of two, as many as n_draws / 10 terms allow (at most 160), ridge on
 * all but linear terms, chosen by generalised cross-validation. What three columns do only together is not seen.
 * Errors: PK_BAD_INPUT (fewer than 3 n_chosen + 20 draws, none chosen, a value not finite), PK_NO_MEMORY,
 * PK_NUMERICAL. */
PK_CHECKED enum pk_status pk_decision_evppi(struct pk_decision_information *information, size_t n_draws,
                                            size_t n_options, const double *net_benefits, const double *x,
                                            size_t n_columns, const size_t *columns, size_t n_chosen,
                                            struct pk_error *error);

/* Knowing more is worth no less: the value (and its standard error) of each of n sets becomes the largest of all listed
 * sets that are part of it. members[n][n_columns]: which columns a set has. */
void pk_decision_monotone(struct pk_decision_information *information, size_t n, const bool *members, size_t n_columns);

#ifdef __cplusplus
}
#endif
#endif
