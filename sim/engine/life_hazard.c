/* Spending exponentials on hazards along a life's clocks. See life_private.h. */
#include "life_private.h"

/* One parametric form: inverted. */
static double spend_smooth(double *exponential_left, const struct pk_rate *rate, double factor, double zero,
                           double from, double until)
{
    double scale = factor * rate->factor, shift = zero - rate->offset;
    if (!(scale > 0))
        return PK_NEVER;
    double time = shift + pk_hazard_curve_inverse(&rate->curve, from - shift, *exponential_left / scale);
    if (time < until)
        return time > from ? time : from;
    double used = scale * pk_hazard_curve_between(&rate->curve, from - shift, until - shift);
    *exponential_left = *exponential_left > used ? *exponential_left - used : 0;
    return PK_NEVER;
}

double pk_walk_spend(const struct walk *walk, double *exponential_left, const struct pk_rate *rate, double factor,
                     const struct pk_rate *minus, double minus_factor, double enrolled, double from, double until)
{
    double zero = pk_walk_clock_zero(walk, rate->clock, enrolled), x = from;
    if (rate->smooth)
        return from < until ? spend_smooth(exponential_left, rate, factor, zero, from, until) : PK_NEVER;
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
