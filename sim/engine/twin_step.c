/* One step of the analytic twin. See twin_private.h. */
#include <math.h>
#include <string.h>

#include "polku/elementary.h"
#include "twin_private.h"

static bool stops(const struct grid *grid, size_t i_state)
{
    return grid->plan->states[i_state].absorbing || (grid->problem->stop_states >> i_state & 1);
}

static double zero_of(const struct grid *grid, enum pk_clock clock, double state_zero, double enrolled)
{
    return clock == PK_CLOCK_STATE       ? state_zero
           : clock == PK_CLOCK_AGE       ? -grid->problem->age
           : clock == PK_CLOCK_ENROLMENT ? enrolled
                                         : 0;
}

/* Means of the hazards that do not run on time_in_state, and the share of the step that lies in each effect's window.
 */
static void look_at_step(struct grid *grid, double t)
{
    const double h = grid->step;
    grid->t = t;
    for (size_t a = 0; a < grid->plan->n_arcs; a++) {
        const struct pk_rate *rate = grid->rates[a];
        const struct arc_effect *effect = &grid->effects[a];
        if (rate != NULL && !grid->on_state[a]) {
            double zero = zero_of(grid, rate->clock, 0, 0);
            grid->base_now[a] = grid->multipliers[a] * pk_twin_rate_mean(rate, t - zero, t - zero + h);
        }
        if (effect->effect == NULL)
            continue;
        double from = t > effect->enrolled ? t : effect->enrolled, to = t + h < effect->until ? t + h : effect->until;
        grid->overlap[a] = to > from ? (to - from) / h : 0;
        bool own = effect->effect->mode == PK_EFFECT_REPLACE || effect->effect->mode == PK_EFFECT_AT_LEAST;
        if (own && !grid->own_on_state[a] && to > from) {
            double zero = zero_of(grid, effect->effect->rate.clock, 0, effect->enrolled);
            grid->own_now[a] = pk_twin_rate_mean(&effect->effect->rate, from - zero, to - zero);
        }
    }
}

/* The mean of one arc's base hazard and of its effect's own hazard for a spell at a place. */
static void means(const struct grid *grid, size_t a, enum place place, size_t i_cell, double zero, double length,
                  double *base, double *own)
{
    const struct pk_plan_effect *effect = grid->effects[a].effect;
    const size_t n = grid->n_cells[grid->plan->arcs[a].i_from];
    *base = 0;
    *own = 0;
    if (grid->rates[a] != NULL && !grid->on_state[a])
        *base = grid->base_now[a];
    else if (grid->rates[a] != NULL && place == PLACE_EXACT)
        *base = grid->multipliers[a] * pk_twin_rate_mean(grid->rates[a], grid->t - zero, grid->t - zero + length);
    else if (grid->rates[a] != NULL)
        *base = grid->cells[grid->i_base_cells[a] + (place == PLACE_ENTRY ? n : i_cell)];
    if (effect == NULL || grid->overlap[a] <= 0 || effect->mode == PK_EFFECT_SCALE || effect->mode == PK_EFFECT_PREVENT)
        return;
    if (!grid->own_on_state[a])
        *own = grid->own_now[a];
    else if (place == PLACE_EXACT)
        *own = pk_twin_rate_mean(&effect->rate, grid->t - zero, grid->t - zero + length);
    else
        *own = grid->cells[grid->i_own_cells[a] + (place == PLACE_ENTRY ? n : i_cell)];
}

static void add_exit(struct exit *exits, size_t *n, double rate, size_t i_to, unsigned set, unsigned clear)
{
    if (rate > 0)
        exits[(*n)++] = (struct exit){.rate = rate, .i_to = i_to, .set = set, .clear = clear};
}

size_t pk_twin_exits(const struct grid *grid, size_t i_state, unsigned phase, enum place place, size_t i_cell,
                     double zero, double length, struct exit *exits)
{
    const struct pk_plan *plan = grid->plan;
    size_t n = 0;
    bool guarded = grid->guard_bit != 0 && (phase & grid->guard_bit);
    double of_guarded = 0; /* the base hazard of what was prevented, from here: shares the relapse out */
    size_t n_guarded = 0;
    for (size_t k = grid->first_arc[i_state]; k < grid->first_arc[i_state + 1]; k++) {
        const size_t a = grid->arcs[k], i_to = plan->arcs[a].i_to;
        const struct arc_effect *on = &grid->effects[a];
        const struct pk_plan_effect *effect = on->effect;
        double base, own, w = effect != NULL && !(phase & on->over) ? grid->overlap[a] : 0;
        means(grid, a, place, i_cell, zero, length, &base, &own);
        if (plan->arcs[a].i_cure != SIZE_MAX && plan->cures[plan->arcs[a].i_cure].per_spell && (phase & grid->cure_bit))
            base = 0;
        if (effect == NULL || effect->mode != PK_EFFECT_PREVENT) {
            double with = base;
            if (w > 0 && effect->mode == PK_EFFECT_SCALE)
                with = base * (1 + w * (effect->ratio - 1));
            else if (w > 0 && (effect->mode == PK_EFFECT_REPLACE || own > base))
                with = base + w * (own - base);
            add_exit(exits, &n, with, i_to, 0, 0);
            continue;
        }
        const struct pk_plan_prevention *prevention = &plan->preventions[effect->i_prevention];
        bool follows = prevention == grid->prevention;
        if (follows) {
            of_guarded += base;
            n_guarded++;
        }
        if (follows && guarded && prevention->again == PK_AGAIN_IMMUNE) {
            add_exit(exits, &n, base * (1 - w), i_to, 0, 0);
            continue;
        }
        double blocked = base * w * prevention->share;
        add_exit(exits, &n, base - blocked, i_to, 0, 0);
        if (effect->i_diverted != UINT16_MAX)
            add_exit(exits, &n, blocked, plan->arcs[effect->i_diverted].i_to, follows ? grid->guard_bit : 0, 0);
        else if (follows && !guarded)
            add_exit(exits, &n, blocked, SIZE_MAX, grid->guard_bit, 0);
    }
    for (size_t k = grid->first_arc[i_state]; guarded && k < grid->first_arc[i_state + 1]; k++) {
        const size_t a = grid->arcs[k];
        const struct pk_plan_effect *effect = grid->effects[a].effect;
        double base, own;
        if (effect == NULL || effect->mode != PK_EFFECT_PREVENT ||
            &plan->preventions[effect->i_prevention] != grid->prevention)
            continue;
        means(grid, a, place, i_cell, zero, length, &base, &own);
        double share = of_guarded > 0 ? base / of_guarded : 1 / (double)n_guarded;
        add_exit(exits, &n, grid->prevention->relapse * share, plan->arcs[a].i_to, 0, grid->guard_bit);
    }
    PK_ASSERT(n <= PK_TWIN_EXITS);
    return n;
}

void pk_twin_enter(const struct grid *grid, double (*into)[PK_MAX_STATES], unsigned phase, size_t i_state, double mass)
{
    phase &= ~grid->cure_bit;
    if (grid->t >= grid->end_from)
        phase |= grid->end_bit[i_state];
    size_t i_cure = grid->i_cure_from[i_state];
    double cured = i_cure == SIZE_MAX ? 0 : mass * grid->plan->cures[i_cure].share;
    into[phase][i_state] += mass - cured;
    if (i_cure != SIZE_MAX)
        into[phase | grid->cure_bit][i_state] += cured;
}

/* Lets a mass leave for a time; returns what stays as it is. *moved: what stays in the state in another phase,
 * *moved_phase. */
static double leave(struct grid *grid, double mass, unsigned phase, const struct exit *exits, size_t n, double duration,
                    double (*into)[PK_MAX_STATES], double *moved, unsigned *moved_phase)
{
    double total = 0;
    *moved = 0;
    for (size_t i = 0; i < n; i++)
        total += exits[i].rate;
    if (total <= 0 || mass <= 0)
        return mass;
    double staying = mass * pk_exp(-total * duration), leaving = mass - staying;
    for (size_t i = 0; i < n; i++) {
        double part = leaving * exits[i].rate / total;
        unsigned to_phase = (phase | exits[i].set) & ~exits[i].clear;
        if (exits[i].i_to == SIZE_MAX) {
            *moved += part;
            *moved_phase = to_phase;
        } else {
            pk_twin_enter(grid, into, to_phase, exits[i].i_to, part);
        }
    }
    return staying;
}

/* A spell's mass through one step: what stays, by phase. What a prevention moves to another phase has half a step left
 * there. */
static void pass(struct grid *grid, double mass, size_t i_state, unsigned phase, enum place place, size_t i_cell,
                 double zero, double duration, double *stays)
{
    struct exit exits[PK_TWIN_EXITS];
    double moved = 0, again = 0;
    unsigned moved_phase = phase, again_phase = phase;
    size_t n = pk_twin_exits(grid, i_state, phase, place, i_cell, zero, grid->step, exits);
    stays[phase] += leave(grid, mass, phase, exits, n, duration, grid->entered, &moved, &moved_phase);
    if (!(moved > 0))
        return;
    n = pk_twin_exits(grid, i_state, moved_phase, place, i_cell, zero, grid->step, exits);
    stays[moved_phase] +=
        leave(grid, moved, moved_phase, exits, n, 0.5 * duration, grid->entered, &again, &again_phase);
    stays[again_phase] += again;
}

/* The cell of a state whose spells reach the value of a timer on time_in_state within the step; SIZE_MAX: none. */
static size_t firing_cell(const struct grid *grid, size_t i_state, const struct pk_timer **timer)
{
    const struct pk_plan_state *state = &grid->plan->states[i_state];
    size_t found = SIZE_MAX;
    for (size_t i = 0; i < state->n_timers; i++) {
        if (state->timers[i].clock != PK_CLOCK_STATE)
            continue;
        double cell = state->timers[i].value / grid->step + 0.5; /* to the nearest whole step */
        size_t c = cell >= 2 ? (size_t)cell - 1 : 0;
        if (c < found) {
            found = c;
            *timer = &state->timers[i];
        }
    }
    return found;
}

static void fire(struct grid *grid, const struct pk_timer *timer, unsigned phase, double mass,
                 double (*into)[PK_MAX_STATES])
{
    for (size_t k = 0; k < timer->n_arcs; k++)
        pk_twin_enter(grid, into, phase, grid->plan->arcs[timer->arcs[k]].i_to,
                      mass * grid->plan->arcs[timer->arcs[k]].share);
}

/* What a timer moves at a known time begins spells that are known exactly. */
static void begin_exact(struct grid *grid, double now, double (*into)[PK_MAX_STATES])
{
    for (size_t s = 0; s < grid->plan->n_states; s++) {
        double sum = 0;
        for (unsigned phase = 0; phase < grid->n_phases; phase++)
            sum += into[phase][s];
        if (!(sum > 0))
            continue;
        size_t i = 0;
        while (i < grid->n_exact && !(grid->exact[i].i_state == s && grid->exact[i].zero == now))
            i++;
        bool room = i < grid->n_exact || grid->n_exact < PK_TWIN_EXACT;
        if (room && i == grid->n_exact) {
            memset(&grid->exact[i], 0, sizeof grid->exact[i]);
            grid->exact[i].i_state = s;
            grid->exact[i].zero = now;
            grid->n_exact++;
        }
        for (unsigned phase = 0; phase < grid->n_phases; phase++) {
            if (room && !stops(grid, s))
                grid->exact[i].mass[phase] += into[phase][s];
            else
                grid->mass[phase * grid->n_all + grid->first_cell[s]] += into[phase][s];
        }
    }
}

/* Timers on other clocks, and spells known exactly on their own: at the end of the step in which they are due. */
static void fire_timers(struct grid *grid, double now)
{
    double into[PK_TWIN_PHASES][PK_MAX_STATES];
    bool any = false;
    memset(into, 0, sizeof into);
    for (size_t s = 0; s < grid->plan->n_states; s++) {
        const struct pk_plan_state *state = &grid->plan->states[s];
        for (size_t i = 0; i < state->n_timers && !stops(grid, s); i++) {
            const struct pk_timer *timer = &state->timers[i];
            bool due = timer->clock != PK_CLOCK_STATE && now - zero_of(grid, timer->clock, 0, 0) >= timer->value;
            for (unsigned phase = 0; phase < grid->n_phases; phase++) {
                double *cells = grid->mass + phase * grid->n_all + grid->first_cell[s], fired = 0;
                for (size_t c = 0; due && c < grid->n_cells[s]; c++) {
                    fired += cells[c];
                    cells[c] = 0;
                }
                for (size_t k = 0; k < grid->n_exact; k++) {
                    struct exact_spell *spell = &grid->exact[k];
                    if (spell->i_state != s ||
                        !(due || (timer->clock == PK_CLOCK_STATE && now - spell->zero >= timer->value)))
                        continue;
                    fired += spell->mass[phase];
                    spell->mass[phase] = 0;
                }
                if (fired > 0)
                    fire(grid, timer, phase, fired, into);
                any |= fired > 0;
            }
        }
    }
    if (any)
        begin_exact(grid, now, into);
}

void pk_twin_step(struct grid *grid, double t)
{
    const struct pk_plan *plan = grid->plan;
    const double h = grid->step;
    double again[PK_TWIN_PHASES][PK_MAX_STATES];
    memset(grid->entered, 0, sizeof grid->entered);
    memset(again, 0, sizeof again);
    memset(grid->next, 0, grid->n_phases * grid->n_all * sizeof *grid->next);
    look_at_step(grid, t);
    for (size_t s = 0; s < plan->n_states; s++) {
        const size_t last = grid->n_cells[s] - 1;
        const struct pk_timer *timer = NULL;
        const size_t i_firing = firing_cell(grid, s, &timer);
        for (unsigned phase = 0; phase < grid->n_phases; phase++) {
            const double *mass = grid->mass + phase * grid->n_all + grid->first_cell[s];
            for (size_t c = 0; c <= last; c++) {
                if (mass[c] <= 0)
                    continue;
                double stays[PK_TWIN_PHASES] = {0};
                bool fires = c >= i_firing && !stops(grid, s);
                if (stops(grid, s))
                    stays[phase] = mass[c];
                else
                    pass(grid, mass[c], s, phase, PLACE_CELL, c, 0, fires ? 0.5 * h : h, stays);
                for (unsigned p = 0; p < grid->n_phases; p++) {
                    if (fires && stays[p] > 0)
                        fire(grid, timer, p, stays[p], grid->entered);
                    else
                        grid->next[p * grid->n_all + grid->first_cell[s] + (c < last ? c + 1 : last)] += stays[p];
                }
            }
        }
    }
    for (size_t k = 0; k < grid->n_exact; k++) {
        struct exact_spell *spell = &grid->exact[k];
        double stays[PK_TWIN_PHASES] = {0};
        if (stops(grid, spell->i_state))
            continue;
        for (unsigned phase = 0; phase < grid->n_phases; phase++)
            if (spell->mass[phase] > 0)
                pass(grid, spell->mass[phase], spell->i_state, phase, PLACE_EXACT, 0, spell->zero, h, stays);
        memcpy(spell->mass, stays, sizeof stays);
    }
    for (unsigned phase = 0; phase < grid->n_phases; phase++) /* who enters has half a step left to leave again */
        for (size_t s = 0; s < plan->n_states; s++) {
            double stays = grid->entered[phase][s], moved = 0;
            unsigned moved_phase = phase;
            if (stays > 0 && !stops(grid, s)) {
                struct exit exits[PK_TWIN_EXITS];
                size_t n = pk_twin_exits(grid, s, phase, PLACE_ENTRY, 0, 0, 0.5 * h, exits);
                stays = leave(grid, stays, phase, exits, n, 0.5 * h, again, &moved, &moved_phase);
            }
            grid->next[phase * grid->n_all + grid->first_cell[s]] += stays;
            grid->next[moved_phase * grid->n_all + grid->first_cell[s]] += moved;
        }
    for (unsigned phase = 0; phase < grid->n_phases; phase++)
        for (size_t s = 0; s < plan->n_states; s++)
            grid->next[phase * grid->n_all + grid->first_cell[s]] += again[phase][s];
    double *spare = grid->mass;
    grid->mass = grid->next;
    grid->next = spare;
    fire_timers(grid, t + h);
}
