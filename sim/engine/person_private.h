/* What the files that make persons share. Not installed. */
#ifndef PK_PERSON_PRIVATE_H
#define PK_PERSON_PRIVATE_H

#include "polku/person.h"

/* Streams of PK_ROLE_ATTRIBUTE; attributes follow. Part of every published number. */
enum { STREAM_STATE = 0, STREAM_AGE = 1, STREAM_ELAPSED = 2, STREAM_ENTRY = 3, STREAM_ATTRIBUTES = 16 };

/* The first place whose running sum is above u; the last one where none is. */
static inline size_t pk_person_place(const double *cumulative, size_t n, double u)
{
    size_t low = 0, high = n - 1;
    if (n <= 16) {
        while (low < high && u >= cumulative[low])
            low++;
        return low;
    }
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (u >= cumulative[middle])
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* When somebody flows in, by a uniform: within (the start, the end] of the year, and before the horizon. */
static inline double pk_person_entry(const struct pk_plan *plan, size_t year, double u)
{
    double from = 12 * (double)year, to = from + plan->inflow.length[year];
    double last = to < plan->horizon ? to : plan->horizon - PK_TICK;
    double at = pk_tick_round(from + (to - from) * u);
    at = at > from ? at : from + PK_TICK;
    return at < last ? at : last;
}

/* Frailties and cures of a person whose other fields are known. */
void pk_person_differ(const struct pk_plan *plan, struct pk_person *person);

#endif
