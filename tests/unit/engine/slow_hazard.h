/* Hazards of a plan in long double, written from the forms' definitions (flexsurv's) and not from the engine's code:
 * closed forms where there are some, GSL's distribution functions for the gammas.
 *
 * An exponential is spent on a sum of hazards by bisection of its cumulative hazard, to 2^-40 month. */
#ifndef PK_TESTS_SLOW_HAZARD_H
#define PK_TESTS_SLOW_HAZARD_H

#include "polku/plan.h"

/* A hazard of one person: factor x rate, on a clock that reads 0 at the time `zero` (months after the start). */
struct slow_term {
    const struct pk_rate *rate;
    long double zero, factor;
};

long double slow_curve_rate(const struct pk_hazard_curve *curve, long double x);
/* The integral from 0 (negative below 0 where the form has a hazard there). */
long double slow_curve_cumulative(const struct pk_hazard_curve *curve, long double x);

long double slow_rate_at(const struct pk_rate *rate, long double on_clock);
long double slow_rate_between(const struct pk_rate *rate, long double from, long double to);
/* The first cut beyond a clock value; infinite: none. */
long double slow_rate_next_cut(const struct pk_rate *rate, long double on_clock);

long double slow_term_at(const struct slow_term *term, long double t);

/* When the exponential is used up on the sum of the terms; infinite where it is not before until, with what is left. */
long double slow_spend(const struct slow_term *terms, size_t n, long double *left, long double from, long double until);
/* The same on the positive part of more - less, both piecewise constant. */
long double slow_spend_excess(const struct slow_term *more, const struct slow_term *less, long double *left,
                              long double from, long double until);

#endif
