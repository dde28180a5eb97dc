/* One spell's base hazards on several clocks. See life_spell.h. */
#include "life_spell.h"

/* The time at which a clock reads 0. Base hazards know no enrolment. */
static double clock_zero(const struct pk_spell *spell, enum pk_clock clock)
{
    switch (clock) {
    case PK_CLOCK_STATE:
        return spell->state_zero;
    case PK_CLOCK_AGE:
        return -spell->age;
    default:
        return 0;
    }
}

/* The cumulative hazard is the curve's or piecewise linear: inverted. */
double pk_spell_spend_alone(const struct pk_rate *rate, double zero, double factor, double from, double until,
                            double *left)
{
    const double scale = rate->smooth ? factor * rate->factor : factor,
                 shift = rate->smooth ? zero - rate->offset : zero;
    double used, time = PK_NEVER;
    if (!(scale > 0) || !(from < until))
        return PK_NEVER;
    if (rate->smooth) {
        used = scale * pk_hazard_curve_between(&rate->curve, from - shift, until - shift);
        time = shift + pk_hazard_curve_inverse(&rate->curve, from - shift, *left / scale);
    } else {
        const double before = pk_rate_cumulative(rate, from - zero);
        used = scale * (pk_rate_cumulative(rate, until - zero) - before);
        if (*left < used)
            time = zero + pk_rate_inverse(rate, before + *left / scale);
    }
    if (time < until)
        return time > from ? time : from;
    *left = *left > used ? *left - used : 0;
    return PK_NEVER;
}

double pk_spell_cured_share(const struct pk_spell *spell, size_t i_state, size_t i_cure, double entry)
{
    const struct pk_plan *plan = spell->plan;
    const double lasted = entry - spell->state_zero, age = spell->age + entry;
    double survived = 0;
    for (size_t a = 0; a < plan->n_arcs && lasted > 0; a++)
        if (plan->arcs[a].i_cure == i_cure && plan->arcs[a].i_from == i_state)
            survived += pk_plan_survived(plan, a, spell->stratum, entry, age, lasted);
    return pk_plan_cured_share(&plan->cures[i_cure], survived);
}

/* ---- parametric forms ---------------------------------------------------------------------------------------------
 */

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

/* Where along a segment the piecewise constant total plus the parametric arcs use up the exponential: the root of
 *   level d + sum_i (H_i(x_i + d) - H_i(x_i)) = e on [0, length], by safeguarded Newton steps; PK_NEVER with the rest
 * where it is beyond. */
static double smooth_root(const struct pk_spell *spell, double level, double length, double *left)
{
    struct bundle bundle;
    const double e = *left;
    bundle.n = 0;
    for (size_t i = 0; i < spell->state->n_smooth; i++) {
        const uint16_t arc = spell->state->smooth[i];
        const struct pk_rate *rate = pk_plan_arc_rate(&spell->plan->arcs[arc], spell->stratum);
        double scale = spell->multipliers[arc] * rate->factor;
        if (!(scale > 0))
            continue;
        bundle.curves[bundle.n] = &rate->curve;
        bundle.scales[bundle.n] = scale;
        bundle.places[bundle.n++] = spell->x - clock_zero(spell, rate->clock) + rate->offset;
    }
    if (bundle.n == 1 && level == 0) { /* a form alone has an inverse */
        double place = bundle.places[0];
        double d = pk_hazard_curve_inverse(bundle.curves[0], place, e / bundle.scales[0]) - place;
        if (d < length)
            return d > 0 ? d : 0;
    }
    double used = used_by(&bundle, level, length);
    if (!(e < used)) {
        *left = e - used;
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

/* ---- all of a state -----------------------------------------------------------------------------------------------
 */

void pk_spell_begin(struct pk_spell *spell)
{
    for (size_t a = 0; a < spell->state->n_axes; a++) {
        const struct pk_axis *axis = &spell->state->axes[a];
        const double zero = clock_zero(spell, axis->clock);
        const size_t segment = axis->n_cuts == 0 ? 0 : pk_rate_segment(axis->cuts, axis->n_cuts, spell->x - zero);
        spell->zeros[a] = zero;
        spell->segments[a] = segment;
        spell->nexts[a] = segment < axis->n_cuts ? zero + axis->cuts[segment] : PK_NEVER;
        spell->levels[a] = axis->levels + (axis->by_stratum ? spell->stratum * (axis->n_cuts + 1) * axis->n_arcs : 0);
    }
}

/* The piecewise constant hazards at x, and how far they reach. */
static double axes_at(struct pk_spell *spell, double until)
{
    double end = until;
    spell->total = 0;
    spell->n = 0;
    for (size_t a = 0; a < spell->state->n_axes; a++) {
        const struct pk_axis *axis = &spell->state->axes[a];
        const double *levels = spell->levels[a] + spell->segments[a] * axis->n_arcs;
        for (size_t k = 0; k < axis->n_arcs; k++) {
            const double hazard = levels[k] * spell->multipliers[axis->arcs[k]];
            spell->hazards[spell->n++] = hazard;
            spell->total += hazard;
        }
        end = spell->nexts[a] < end ? spell->nexts[a] : end;
    }
    return end;
}

static void pass_cuts(struct pk_spell *spell)
{
    for (size_t a = 0; a < spell->state->n_axes; a++) {
        if (spell->nexts[a] > spell->x)
            continue;
        const struct pk_axis *axis = &spell->state->axes[a];
        const size_t segment = ++spell->segments[a];
        spell->nexts[a] = segment < axis->n_cuts ? spell->zeros[a] + axis->cuts[segment] : PK_NEVER;
    }
}

bool pk_spell_spend(struct pk_spell *spell, double until, double *left)
{
    const struct pk_plan_state *state = spell->state;
    for (;;) { /* segments */
        const double end = axes_at(spell, until);
        if (state->n_smooth > 0) {
            const double d = smooth_root(spell, spell->total, end - spell->x, left);
            if (d < PK_NEVER) {
                spell->x += d;
                break;
            }
        } else {
            const double available = (end - spell->x) * spell->total;
            if (*left < available) {
                spell->x += *left / spell->total;
                break;
            }
            *left -= available;
        }
        spell->x = end;
        if (spell->x >= until)
            return false;
        pass_cuts(spell);
    }
    for (size_t i = 0; i < state->n_smooth; i++) {
        const uint16_t arc = state->smooth[i];
        const struct pk_rate *rate = pk_plan_arc_rate(&spell->plan->arcs[arc], spell->stratum);
        const double hazard = spell->multipliers[arc] * pk_rate_at(rate, spell->x - clock_zero(spell, rate->clock));
        spell->hazards[spell->n++] = hazard;
        spell->total += hazard;
    }
    return true;
}

size_t pk_spell_choose(const struct pk_spell *spell, double mark)
{
    const double place = mark * spell->total;
    size_t i_chosen = 0;
    for (double below = spell->hazards[0]; i_chosen + 1 < spell->n && place >= below;)
        below += spell->hazards[++i_chosen];
    while (i_chosen > 0 && spell->hazards[i_chosen] <= 0) /* rounding at the upper end */
        i_chosen--;
    return i_chosen;
}

uint16_t pk_spell_arc(const struct pk_plan_state *state, size_t place)
{
    for (size_t a = 0; a < state->n_axes; place -= state->axes[a++].n_arcs)
        if (place < state->axes[a].n_arcs)
            return state->axes[a].arcs[place];
    return state->smooth[place];
}
