/* One step of the analytic twin. See twin_private.h; the hazards in it: twin_ways.c. */
#include <math.h>
#include <string.h>

#include "polku/elementary.h"
#include "twin_private.h"

static bool stops(const struct grid *grid, size_t i_state)
{
    return grid->plan->states[i_state].absorbing || (grid->problem->stop_states >> i_state & 1);
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

/* Moves the mass of a spell known exactly through one step: what stays, by phase. What a prevention moves to another
 * phase has half a step left there. */
static void pass_exact(struct grid *grid, double mass, size_t i_state, unsigned phase, double zero, double *stays)
{
    struct exit exits[PK_TWIN_EXITS];
    double moved = 0, again = 0;
    unsigned moved_phase = phase, again_phase = phase;
    size_t n = pk_twin_exits(grid, i_state, phase, PLACE_EXACT, zero, grid->step, exits);
    stays[phase] += leave(grid, mass, phase, exits, n, grid->step, grid->entered, &moved, &moved_phase);
    if (!(moved > 0))
        return;
    n = pk_twin_exits(grid, i_state, moved_phase, PLACE_EXACT, zero, grid->step, exits);
    stays[moved_phase] +=
        leave(grid, moved, moved_phase, exits, n, 0.5 * grid->step, grid->entered, &again, &again_phase);
    stays[again_phase] += again;
}

/* Lets the mass of one cell leave for a time; returns what stays as it is, *moved what stays in another phase. */
static double leave_cell(struct ways *ways, size_t i_cell, double mass, double duration, double *moved)
{
    double rates[PK_TWIN_EXITS], total = 0;
    for (size_t i = 0; i < ways->n; i++) {
        const struct way *way = &ways->items[i];
        double base = way->base != NULL ? way->base[i_cell] : way->least_base;
        double own = way->own != NULL ? way->own[i_cell] : way->least_own;
        rates[i] = way->constant + way->of_base * base + way->of_own * own;
        if (way->least > 0 && own > base)
            rates[i] += way->least * (own - base);
        total += rates[i];
    }
    *moved = 0;
    if (!(total > 0))
        return mass;
    double staying = mass * pk_exp(-total * duration), each = (mass - staying) / total;
    for (size_t i = 0; i < ways->n; i++) {
        double part = each * rates[i];
        ways->items[i].moved += part;
        *moved += ways->items[i].i_to == SIZE_MAX ? part : 0;
    }
    return staying;
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
            bool due = timer->clock != PK_CLOCK_STATE &&
                       now - (timer->clock == PK_CLOCK_AGE ? -grid->problem->age : 0) >= timer->value;
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

/* All cells of one state through one step. Ways are laid out once; mass on them is added up before it enters. */
static void step_cells(struct grid *grid, size_t i_state)
{
    const size_t last = grid->n_cells[i_state] - 1;
    const struct pk_timer *timer = NULL;
    const size_t i_firing = firing_cell(grid, i_state, &timer);
    struct ways *ways = grid->ways;
    double fired[PK_TWIN_PHASES] = {0};
    if (stops(grid, i_state)) {
        for (unsigned phase = 0; phase < grid->n_phases; phase++) {
            const size_t offset = phase * grid->n_all + grid->first_cell[i_state];
            for (size_t c = 0; c <= last; c++)
                grid->next[offset + (c < last ? c + 1 : last)] += grid->mass[offset + c];
        }
        return;
    }
    for (unsigned phase = 0; phase < grid->n_phases; phase++)
        pk_twin_ways(grid, i_state, phase, &ways[phase]);
    for (unsigned phase = 0; phase < grid->n_phases; phase++) {
        const double *mass = grid->mass + phase * grid->n_all + grid->first_cell[i_state];
        const unsigned guarded = phase | grid->guard_bit;
        for (size_t c = 0; c <= last; c++) {
            if (mass[c] <= 0)
                continue;
            bool fires = c >= i_firing;
            double duration = fires ? 0.5 * grid->step : grid->step, moved, again, guarded_stays = 0;
            double stays = leave_cell(&ways[phase], c, mass[c], duration, &moved);
            if (moved > 0) { /* half of the time left, in the other phase */
                guarded_stays = leave_cell(&ways[guarded], c, moved, 0.5 * duration, &again);
                guarded_stays += again;
            }
            if (fires) {
                fired[phase] += stays;
                fired[guarded] += guarded_stays;
                continue;
            }
            const size_t next = grid->first_cell[i_state] + (c < last ? c + 1 : last);
            grid->next[phase * grid->n_all + next] += stays;
            grid->next[guarded * grid->n_all + next] += guarded_stays;
        }
    }
    for (unsigned phase = 0; phase < grid->n_phases; phase++) {
        for (size_t i = 0; i < ways[phase].n; i++) {
            const struct way *way = &ways[phase].items[i];
            if (way->i_to != SIZE_MAX && way->moved > 0)
                pk_twin_enter(grid, grid->entered, (phase | way->set) & ~way->clear, way->i_to, way->moved);
        }
        if (fired[phase] > 0)
            fire(grid, timer, phase, fired[phase], grid->entered);
    }
}

void pk_twin_step(struct grid *grid, double t)
{
    const struct pk_plan *plan = grid->plan;
    const double h = grid->step;
    double again[PK_TWIN_PHASES][PK_MAX_STATES];
    memset(grid->entered, 0, sizeof grid->entered);
    memset(again, 0, sizeof again);
    memset(grid->next, 0, grid->n_phases * grid->n_all * sizeof *grid->next);
    pk_twin_look(grid, t);
    for (size_t s = 0; s < plan->n_states; s++)
        step_cells(grid, s);
    for (size_t k = 0; k < grid->n_exact; k++) {
        struct exact_spell *spell = &grid->exact[k];
        double stays[PK_TWIN_PHASES] = {0};
        if (stops(grid, spell->i_state))
            continue;
        for (unsigned phase = 0; phase < grid->n_phases; phase++)
            if (spell->mass[phase] > 0)
                pass_exact(grid, spell->mass[phase], spell->i_state, phase, spell->zero, stays);
        memcpy(spell->mass, stays, sizeof stays);
    }
    for (unsigned phase = 0; phase < grid->n_phases; phase++) /* who enters has half a step left to leave again */
        for (size_t s = 0; s < plan->n_states; s++) {
            double stays = grid->entered[phase][s], moved = 0;
            unsigned moved_phase = phase;
            if (stays > 0 && !stops(grid, s)) {
                struct exit exits[PK_TWIN_EXITS];
                size_t n = pk_twin_exits(grid, s, phase, PLACE_ENTRY, 0, 0.5 * h, exits);
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
