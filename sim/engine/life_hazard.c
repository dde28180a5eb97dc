/* Spending exponentials on hazards along a life's clocks. See life_private.h. */
#include "life_private.h"

double pk_walk_spend(const struct walk *walk, double *exponential_left, const struct pk_rate *rate, double factor,
                     double enrolled, double from, double until)
{
    return pk_spell_spend_alone(rate, pk_walk_clock_zero(walk, rate->clock, enrolled), factor, from, until,
                                exponential_left);
}

/* Through the segments of both. */
double pk_walk_spend_above(const struct walk *walk, double *exponential_left, const struct pk_rate *rate,
                           const struct pk_rate *base, double multiplier, double enrolled, double from, double until)
{
    const double zero = pk_walk_clock_zero(walk, rate->clock, enrolled),
                 base_zero = pk_walk_clock_zero(walk, base->clock, enrolled);
    double x = from;
    size_t i = pk_rate_segment(rate->cuts, rate->n_cuts, x - zero);
    size_t j = pk_rate_segment(base->cuts, base->n_cuts, x - base_zero);
    while (x < until) {
        double next = i < rate->n_cuts ? zero + rate->cuts[i] : PK_NEVER;
        double base_next = j < base->n_cuts ? base_zero + base->cuts[j] : PK_NEVER;
        double end = next < base_next ? next : base_next;
        if (until < end)
            end = until;
        double hazard = rate->levels[i] - multiplier * base->levels[j];
        if (hazard > 0) {
            double available = (end - x) * hazard;
            if (*exponential_left < available)
                return x + *exponential_left / hazard;
            *exponential_left -= available;
        }
        x = end;
        i += next <= end;
        j += base_next <= end;
    }
    return PK_NEVER;
}

double pk_walk_hazard_now(const struct walk *walk, const struct pk_rate *rate, double factor, double enrolled, double x)
{
    return factor * pk_rate_at(rate, x - pk_walk_clock_zero(walk, rate->clock, enrolled));
}
