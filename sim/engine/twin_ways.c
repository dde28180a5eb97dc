/* Hazards in one step of the analytic twin, by arc, phase and place. See twin_private.h. */
#include <math.h>

#include "twin_private.h"

static double zero_of(const struct grid *grid, enum pk_clock clock, double state_zero, double enrolled)
{
    return clock == PK_CLOCK_STATE       ? state_zero
           : clock == PK_CLOCK_AGE       ? -grid->problem->age
           : clock == PK_CLOCK_ENROLMENT ? enrolled
                                         : 0;
}

/* The base hazard of an arc, unless it is known to be what it was. Returns the time up to which it stays. */
static double look_at_base(struct grid *grid, size_t a, double t)
{
    const struct pk_rate *rate = grid->rates[a];
    const double zero = zero_of(grid, rate->clock, 0, 0), from = t - zero, to = from + grid->step;
    const double was = grid->base_now[a];
    if (to > grid->base_until[a]) {
        grid->base_until[a] = (double)INFINITY;
        grid->base_now[a] = grid->multipliers[a] * pk_twin_mean_until(rate, from, to, &grid->base_until[a]);
        grid->stale[grid->plan->arcs[a].i_from] |= grid->base_now[a] != was;
    }
    return grid->base_until[a] + zero - PK_TWIN_MARGIN;
}

/* The share of the step that lies in an effect's window, and its own hazard there. */
static void look_at_effect(struct grid *grid, size_t a, double t)
{
    const double h = grid->step, own_was = grid->own_now[a], overlap_was = grid->overlap[a];
    const struct arc_effect *effect = &grid->effects[a];
    const double from = t > effect->enrolled ? t : effect->enrolled, to = t + h < effect->until ? t + h : effect->until;
    grid->overlap[a] = to > from ? (to - from) / h : 0;
    bool own = effect->effect->mode == PK_EFFECT_REPLACE || effect->effect->mode == PK_EFFECT_AT_LEAST;
    if (own && !grid->own_on_state[a] && to > from) {
        const struct pk_rate *rate_of_effect = pk_plan_effect_rate(effect->effect, grid->problem->stratum);
        double zero = zero_of(grid, rate_of_effect->clock, 0, effect->enrolled);
        grid->own_now[a] = pk_twin_rate_mean(rate_of_effect, from - zero, to - zero);
    }
    grid->stale[grid->plan->arcs[a].i_from] |= grid->own_now[a] != own_was || grid->overlap[a] != overlap_was;
}

void pk_twin_look_first(struct grid *grid)
{
    for (size_t a = 0; a < grid->plan->n_arcs; a++) {
        if (!(grid->reached >> grid->plan->arcs[a].i_from & 1))
            continue;
        grid->base_until[a] = -(double)INFINITY;
        if (grid->rates[a] != NULL && !grid->on_state[a])
            grid->looked[grid->n_looked++] = (uint16_t)a;
        if (grid->effects[a].effect != NULL)
            grid->treated[grid->n_treated++] = (uint16_t)a;
    }
    grid->look_from = -(double)INFINITY;
}

void pk_twin_look(struct grid *grid, double t)
{
    grid->t = t;
    if (t + grid->step > grid->look_from) {
        grid->look_from = (double)INFINITY;
        for (size_t i = 0; i < grid->n_looked; i++)
            grid->look_from = fmin(grid->look_from, look_at_base(grid, grid->looked[i], t));
    }
    for (size_t i = 0; i < grid->n_treated; i++)
        look_at_effect(grid, grid->treated[i], t);
}

/* Whether the arc never happens to these people, or not in these spells. */
static bool is_cured(const struct grid *grid, size_t a, unsigned phase)
{
    size_t i_cure = grid->plan->arcs[a].i_cure;
    return grid->never[a] ||
           (i_cure != SIZE_MAX && grid->plan->cures[i_cure].per_spell && (phase & grid->cure_bit) != 0);
}

static struct way *add_way(struct ways *ways, size_t i_arc, size_t i_to, unsigned set, unsigned clear)
{
    PK_ASSERT(ways->n < PK_TWIN_EXITS);
    struct way *way = &ways->items[ways->n++];
    *way = (struct way){.i_arc = i_arc, .i_to = i_to, .set = set, .clear = clear};
    return way;
}

/* factor times the base hazard, wherever it comes from. */
static void of_base(const struct grid *grid, struct way *way, size_t a, double factor)
{
    if (grid->rates[a] == NULL || factor == 0)
        return;
    if (grid->on_state[a]) {
        way->base = grid->cells + grid->i_base_cells[a];
        way->of_base += factor;
    } else {
        way->constant += factor * grid->base_now[a];
    }
}

/* w times (own - base), at_least: where that is above 0. */
static void of_own(const struct grid *grid, struct way *way, size_t a, double w, bool least)
{
    const bool base_cells = grid->on_state[a], own_cells = grid->own_on_state[a];
    double base = grid->rates[a] == NULL ? 0 : grid->base_now[a], own = grid->own_now[a];
    if (!base_cells && !own_cells) {
        way->constant += !least || own > base ? w * (own - base) : 0;
        return;
    }
    if (!least) {
        of_base(grid, way, a, -w);
        if (own_cells) {
            way->own = grid->cells + grid->i_own_cells[a];
            way->of_own += w;
        } else {
            way->constant += w * own;
        }
        return;
    }
    way->least = w;
    way->base = base_cells ? grid->cells + grid->i_base_cells[a] : NULL;
    way->own = own_cells ? grid->cells + grid->i_own_cells[a] : NULL;
    way->least_base = base_cells ? 0 : base;
    way->least_own = own_cells ? 0 : own;
}

/* The share of each arc in the relapse of what it was: by their base hazards now, or equal. */
static double relapse_share(const struct grid *grid, size_t i_state, size_t a)
{
    double all = 0, own = 0;
    size_t n = 0;
    for (size_t k = grid->first_arc[i_state]; k < grid->first_arc[i_state + 1]; k++) {
        const size_t other = grid->arcs[k];
        const struct pk_plan_effect *effect = grid->effects[other].effect;
        if (effect == NULL || effect->mode != PK_EFFECT_PREVENT ||
            &grid->plan->preventions[effect->i_prevention] != grid->prevention || grid->rates[other] == NULL)
            continue;
        double now = grid->on_state[other] ? grid->cells[grid->i_base_cells[other]] : grid->base_now[other];
        all += now;
        own += other == a ? now : 0;
        n++;
    }
    return n == 1 ? 1 : all > 0 ? own / all : 1 / (double)n;
}

/* Forgets the cells of those whose part in the rates is nothing. */
static void settle(struct ways *ways)
{
    ways->same = true;
    ways->stays = false;
    for (size_t i = 0; i < ways->n; i++) {
        struct way *way = &ways->items[i];
        way->base = way->of_base != 0 || way->least > 0 ? way->base : NULL;
        way->own = way->of_own != 0 || way->least > 0 ? way->own : NULL;
        ways->same &= way->base == NULL && way->own == NULL;
        ways->stays |= way->i_to == SIZE_MAX;
    }
}

static void find_ways(const struct grid *grid, size_t i_state, unsigned phase, struct ways *ways)
{
    const struct pk_plan *plan = grid->plan;
    const bool guarded = grid->guard_bit != 0 && (phase & grid->guard_bit);
    ways->n = 0;
    for (size_t k = grid->first_arc[i_state]; k < grid->first_arc[i_state + 1]; k++) {
        const size_t a = grid->arcs[k], i_to = plan->arcs[a].i_to;
        const struct arc_effect *on = &grid->effects[a];
        const struct pk_plan_effect *effect = on->effect;
        const double w = effect != NULL && !(phase & on->over) ? grid->overlap[a] : 0;
        const bool prevents = effect != NULL && effect->mode == PK_EFFECT_PREVENT;
        const struct pk_plan_prevention *prevention = prevents ? &plan->preventions[effect->i_prevention] : NULL;
        const bool follows = prevents && prevention == grid->prevention;
        if (follows && guarded && prevention->relapse > 0) /* of an event blocked earlier, whatever this spell's cure */
            add_way(ways, a, i_to, 0, grid->guard_bit)->constant =
                prevention->relapse * relapse_share(grid, i_state, a);
        if (is_cured(grid, a, phase))
            continue;
        struct way *way = add_way(ways, a, i_to, 0, 0);
        if (!prevents) {
            double factor = w > 0 && effect->mode == PK_EFFECT_SCALE ? 1 + w * (effect->ratio - 1) : 1;
            of_base(grid, way, a, factor);
            if (w > 0 && effect->mode != PK_EFFECT_SCALE)
                of_own(grid, way, a, w, effect->mode == PK_EFFECT_AT_LEAST);
            continue;
        }
        if (follows && guarded && prevention->again == PK_AGAIN_IMMUNE) {
            of_base(grid, way, a, 1 - w);
            continue;
        }
        of_base(grid, way, a, 1 - w * prevention->share);
        if (effect->i_diverted != UINT16_MAX)
            of_base(grid, add_way(ways, a, plan->arcs[effect->i_diverted].i_to, follows ? grid->guard_bit : 0, 0), a,
                    w * prevention->share);
        else if (follows && !guarded)
            of_base(grid, add_way(ways, a, SIZE_MAX, grid->guard_bit, 0), a, w * prevention->share);
    }
}

void pk_twin_ways(const struct grid *grid, size_t i_state, unsigned phase, struct ways *ways)
{
    find_ways(grid, i_state, phase, ways);
    settle(ways);
}

static struct row *begin_row(const struct grid *grid, size_t i_row, const struct ways *ways)
{
    struct row *row = &grid->rows[i_row];
    *row = (struct row){.version = ways->version,
                        .until = (double)INFINITY,
                        .staying = {1, 1},
                        .rates = grid->rates_of_rows + i_row * grid->most_ways};
    return row;
}

/* The rate of the next way of a row, from the base hazard and the effect's own. */
static void put_rate(struct row *row, const struct ways *ways, size_t i, double base, double own)
{
    const struct way *way = &ways->items[i];
    double rate = way->constant + way->of_base * base + way->of_own * own;
    if (way->least > 0 && own > base)
        rate += way->least * (own - base);
    row->rates[i] = rate;
    row->total += rate;
}

struct row *pk_twin_row_of_cell(const struct grid *grid, size_t i_state, unsigned phase, size_t i_cell)
{
    const struct ways *ways = &grid->ways[phase];
    const size_t i_of_cell = ways->same ? 0 : grid->row_of[grid->first_cell[i_state] + i_state + i_cell];
    const size_t i_row = grid->first_row[i_state] + phase * grid->n_rows[i_state] + i_of_cell;
    if (grid->rows[i_row].version == ways->version)
        return &grid->rows[i_row];
    struct row *row = begin_row(grid, i_row, ways);
    for (size_t i = 0; i < ways->n; i++) {
        const struct way *way = &ways->items[i];
        put_rate(row, ways, i, way->base == NULL ? way->least_base : way->base[i_cell],
                 way->own == NULL ? way->least_own : way->own[i_cell]);
    }
    return row;
}

struct row *pk_twin_row_of_spell(const struct grid *grid, size_t i_spell, unsigned phase)
{
    const struct exact_spell *spell = &grid->exact[i_spell];
    const struct ways *ways = &grid->ways[phase];
    if (ways->same)
        return pk_twin_row_of_cell(grid, spell->i_state, phase, 0);
    const size_t i_row = grid->n_all_rows - grid->n_phases * (PK_TWIN_EXACT - i_spell) + phase;
    const double from = grid->t - spell->zero, to = from + grid->step;
    if (grid->rows[i_row].version == ways->version && to <= grid->rows[i_row].until)
        return &grid->rows[i_row];
    struct row *row = begin_row(grid, i_row, ways);
    for (size_t i = 0; i < ways->n; i++) {
        const struct way *way = &ways->items[i];
        const size_t a = way->i_arc;
        double base = way->least_base, own = way->least_own;
        if (way->base != NULL)
            base = grid->multipliers[a] * pk_twin_mean_until(grid->rates[a], from, to, &row->until);
        if (way->own != NULL)
            own = pk_twin_mean_until(pk_plan_effect_rate(grid->effects[a].effect, grid->problem->stratum), from, to,
                                     &row->until);
        put_rate(row, ways, i, base, own);
    }
    return row;
}
