/* Discount factors on what happens at a time.
 *
 * Annual: (1 + r)^-t; continuous: exp(-r t); t in years from a date of the scenario's, where the factor is 1 (it is
 * above 1 before). Both are exp(-force t) with force log(1 + r) or r. IEEE-exact operations only.
 *
 * What is told by months of L = 1/12 year cannot know when in the month everything was. Person-time is weighted by the
 * exact mean of the factor over the month, which is exact where nobody moves within it; a move at x of the month leaves
 * at most force L^2 / 8 person-years undiscounted or overdiscounted (3 %: 2.6e-5, and a move into and one out of the
 * state cancel). Events are weighted by the factor at their mean time within the month, which the tally knows exactly:
 * what remains is of second order in their spread, a share of (force L)^2 / 8 at most (3 %: 7.6e-7). */
#ifndef PK_DISCOUNT_H
#define PK_DISCOUNT_H

#include "polku/scenario.h"

#ifdef __cplusplus
extern "C" {
#endif

struct pk_discounter {
    double force;      /* a year; 0: none */
    double from_years; /* after the start, where the factor is 1 */
};

struct pk_discounter pk_discounter_make(const struct pk_discount *discount, const struct pk_values *values);
/* The factor at a time in years after the start. */
double pk_discounter_at(const struct pk_discounter *discounter, double years);
/* Its mean over [from, to], from < to. */
double pk_discounter_mean(const struct pk_discounter *discounter, double from_years, double to_years);

#ifdef __cplusplus
}
#endif
#endif
