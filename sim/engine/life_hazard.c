/* Spending exponentials on hazards along a life's clocks. See life_private.h. */
#include "life_private.h"

/* The cumulative hazard is the curve's or piecewise linear: inverted. */
double pk_walk_spend(const struct walk *walk, double *exponential_left, const struct pk_rate *rate, double factor,
                     double enrolled, double from, double until)
{
    const double zero = pk_walk_clock_zero(walk, rate->clock, enrolled);
    const double scale = rate->smooth ? factor * rate->factor : factor,
                 shift = rate->smooth ? zero - rate->offset : zero;
    double used, time = PK_NEVER;
    if (!(scale > 0) || !(from < until))
        return PK_NEVER;
    if (rate->smooth) {
        used = scale * pk_hazard_curve_between(&rate->curve, from - shift, until - shift);
        time = shift + pk_hazard_curve_inverse(&rate->curve, from - shift, *exponential_left / scale);
    } else {
        const double before = pk_rate_cumulative(rate, from - zero);
        used = scale * (pk_rate_cumulative(rate, until - zero) - before);
        if (*exponential_left < used)
            time = zero + pk_rate_inverse(rate, before + *exponential_left / scale);
    }
    if (time < until)
        return time > from ? time : from;
    *exponential_left = *exponential_left > used ? *exponential_left - used : 0;
    return PK_NEVER;
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

/* The parametric arcs of a state at a time: their curves, factors and where on their clocks they stand. */
struct bundle {
    size_t n;
    const struct pk_hazard_curve *curves[PK_MAX_ARCS_FROM];
    double scales[PK_MAX_ARCS_FROM], places[PK_MAX_ARCS_FROM];
};

static double used_by(const struct bundle *bundle, double level, double d)
{
    double used = level * d;
    for (size_t i = 0; i < bundle->n; i++)
        used +=
            bundle->scales[i] * pk_hazard_curve_between(bundle->curves[i], bundle->places[i], bundle->places[i] + d);
    return used;
}

static double total_at(const struct bundle *bundle, double level, double d)
{
    double total = level;
    for (size_t i = 0; i < bundle->n; i++)
        total += bundle->scales[i] * pk_hazard_curve_rate(bundle->curves[i], bundle->places[i] + d);
    return total;
}

double pk_walk_smooth_root(const struct walk *walk, const struct pk_plan_state *state, double level, double x,
                           double length, double *exponential_left)
{
    struct bundle bundle;
    const double e = *exponential_left;
    bundle.n = 0;
    for (size_t i = 0; i < state->n_smooth; i++) {
        const struct pk_rate *rate = pk_walk_rate(walk, state->smooth[i]);
        double scale = walk->multipliers[state->smooth[i]] * rate->factor;
        if (!(scale > 0))
            continue;
        bundle.curves[bundle.n] = &rate->curve;
        bundle.scales[bundle.n] = scale;
        bundle.places[bundle.n++] = x - pk_walk_clock_zero(walk, rate->clock, 0) + rate->offset;
    }
    if (bundle.n == 1 && level == 0) { /* a form alone has an inverse */
        double place = bundle.places[0];
        double d = pk_hazard_curve_inverse(bundle.curves[0], place, e / bundle.scales[0]) - place;
        if (d < length)
            return d > 0 ? d : 0;
    }
    double used = used_by(&bundle, level, length);
    if (!(e < used)) {
        *exponential_left = e - used;
        return PK_NEVER;
    }
    double low = 0, high = length, d = length * (e / used);
    for (int i_step = 0; i_step < 80 && high - low > PK_TICK / 8; i_step++) {
        double value = used_by(&bundle, level, d) - e, slope = total_at(&bundle, level, d);
        if (value > 0)
            high = d;
        else
            low = d;
        double next = slope > 0 ? d - value / slope : low;
        if (slope > 0 && next - d < PK_TICK / 8 &&
            d - next < PK_TICK / 8) /* there, though it be an end of the bracket */
            return next > 0 ? next : 0;
        if (!(next > low && next < high))
            next = 0.5 * (low + high);
        d = next;
    }
    return d;
}
