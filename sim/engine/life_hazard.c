/* Spending exponentials on hazards along a life's clocks. See life_private.h. */
#include "life_private.h"

double pk_walk_spend(const struct walk *walk, double *exponential_left, const struct pk_rate *rate, double factor,
                     const struct pk_rate *minus, double minus_factor, double enrolled, double from, double until)
{
    double zero = pk_walk_clock_zero(walk, rate->clock, enrolled), x = from;
    if (rate->gompertz) {
        if (factor <= 0 || rate->level <= 0)
            return PK_NEVER;
        double now = pk_exp_core(rate->slope * (x - zero)), scale = factor * rate->level / rate->slope;
        double grown = now + *exponential_left / scale;
        double time = grown > 0 ? zero + pk_log_core(grown) / rate->slope : PK_NEVER;
        if (time < until)
            return time > from ? time : from;
        double used = scale * (pk_exp_core(rate->slope * (until - zero)) - now);
        *exponential_left = *exponential_left > used ? *exponential_left - used : 0;
        return PK_NEVER;
    }
    double minus_zero = minus ? pk_walk_clock_zero(walk, minus->clock, enrolled) : 0;
    size_t i = pk_rate_segment(rate->cuts, rate->n_cuts, x - zero);
    size_t j = minus ? pk_rate_segment(minus->cuts, minus->n_cuts, x - minus_zero) : 0;
    while (x < until) {
        double next = i < rate->n_cuts ? zero + rate->cuts[i] : PK_NEVER;
        double minus_next = minus && j < minus->n_cuts ? minus_zero + minus->cuts[j] : PK_NEVER;
        double end = next < minus_next ? next : minus_next;
        if (until < end)
            end = until;
        double hazard = factor * rate->levels[i] - (minus ? minus_factor * minus->levels[j] : 0);
        if (hazard > 0) {
            double available = (end - x) * hazard;
            if (*exponential_left < available)
                return x + *exponential_left / hazard;
            *exponential_left -= available;
        }
        x = end;
        i += next <= end;
        j += minus_next <= end;
    }
    return PK_NEVER;
}

double pk_walk_hazard_now(const struct walk *walk, const struct pk_rate *rate, double factor, double enrolled, double x)
{
    return factor * pk_rate_at(rate, x - pk_walk_clock_zero(walk, rate->clock, enrolled));
}

double pk_walk_growing_root(const struct walk *walk, const struct pk_plan_state *state, double level, double x,
                            double length, double *exponential_left)
{
    double amplitudes[PK_MAX_ARCS_FROM], slopes[PK_MAX_ARCS_FROM], used = level * length;
    for (size_t i = 0; i < state->n_growing; i++) {
        const struct pk_rate *rate = &walk->plan->arcs[state->growing[i]].rate;
        double on_clock = x - pk_walk_clock_zero(walk, rate->clock, 0);
        slopes[i] = rate->slope;
        amplitudes[i] =
            walk->multipliers[state->growing[i]] * rate->level * pk_exp_core(rate->slope * on_clock) / rate->slope;
        used += amplitudes[i] * (pk_exp_core(slopes[i] * length) - 1);
    }
    if (!(*exponential_left < used)) {
        *exponential_left -= used;
        return PK_NEVER;
    }
    double low = 0, high = length, d = length * (*exponential_left / used);
    for (int i_step = 0; i_step < 60 && high - low > PK_TICK / 8; i_step++) {
        double value = level * d - *exponential_left, slope = level;
        for (size_t i = 0; i < state->n_growing; i++) {
            double grown = pk_exp_core(slopes[i] * d);
            value += amplitudes[i] * (grown - 1);
            slope += amplitudes[i] * slopes[i] * grown;
        }
        if (value > 0)
            high = d;
        else
            low = d;
        double next = d - value / slope;
        if (!(next > low && next < high))
            next = 0.5 * (low + high);
        if (next - d < PK_TICK / 8 && d - next < PK_TICK / 8)
            return next;
        d = next;
    }
    return d;
}
