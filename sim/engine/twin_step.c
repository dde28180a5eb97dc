/* One step of the analytic twin. See twin_private.h; the hazards in it: twin_ways.c. */
#include <math.h>
#include <string.h>

#include "polku/elementary.h"
#include "twin_private.h"

/* Those who enter a state, into the phase that they are in from then on. */
static void enter(const struct grid *grid, double (*into)[PK_MAX_STATES], unsigned phase, size_t i_state, double mass)
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

/* Lets a mass leave for a time, at the rates of a row. Returns what stays as it is, *waits what stays in another phase;
 * what leaves is on the ways. */
static double leave(const struct grid *grid, struct ways *ways, struct row *row, double mass, double duration,
                    double *waits)
{
    *waits = 0;
    if (!(row->total > 0))
        return mass;
    const size_t i_last = duration < grid->step, n = ways->n;
    if (-row->total * duration != row->exponent[i_last]) {
        row->exponent[i_last] = -row->total * duration;
        row->staying[i_last] = pk_exp(row->exponent[i_last]);
    }
    const double staying = mass * row->staying[i_last], each = (mass - staying) / row->total;
    const double *restrict rates = row->rates;
    double *restrict moved = ways->moved;
    for (size_t i = 0; i < n; i++)
        moved[i] += each * rates[i];
    ways->taken = true;
    for (size_t i = 0; ways->stays && i < n; i++)
        *waits += ways->items[i].i_to == SIZE_MAX ? each * rates[i] : 0;
    return staying;
}

/* The same through a whole duration, for a cell, or for a spell that is known exactly (SIZE_MAX: a cell): what a
 * prevention moves to another phase half-way has half of it left there. */
static double pass(struct grid *grid, size_t i_state, unsigned phase, size_t i_cell, size_t i_spell, double mass,
                   double duration, double *guarded_stays)
{
    const unsigned guarded = phase | grid->guard_bit;
    const bool known = i_spell != SIZE_MAX;
    struct row *row =
        known ? pk_twin_row_of_spell(grid, i_spell, phase) : pk_twin_row_of_cell(grid, i_state, phase, i_cell);
    double waits, again;
    double stays = leave(grid, &grid->ways[phase], row, mass, duration, &waits);
    *guarded_stays = 0;
    if (waits > 0) {
        row =
            known ? pk_twin_row_of_spell(grid, i_spell, guarded) : pk_twin_row_of_cell(grid, i_state, guarded, i_cell);
        *guarded_stays = leave(grid, &grid->ways[guarded], row, waits, 0.5 * duration, &again);
        *guarded_stays += again;
    }
    return stays;
}

/* Puts the ways of a state at hand, those of the last step where no hazard has changed since. */
static void lay_ways(struct grid *grid, size_t i_state)
{
    grid->ways = grid->all_ways + i_state * grid->n_phases;
    for (unsigned phase = 0; phase < grid->n_phases; phase++) {
        struct ways *ways = &grid->ways[phase];
        if (grid->stale[i_state]) {
            pk_twin_ways(grid, i_state, phase, ways);
            ways->version = ++grid->n_versions;
            ways->taken = false;
            memset(ways->moved, 0, ways->n * sizeof *ways->moved);
        }
    }
    grid->stale[i_state] = false;
}

/* What goes from one state to another is an entry, whichever way. */
static void count(const struct grid *grid, size_t i_from, size_t i_to, double mass)
{
    if (grid->entries != NULL && i_to != i_from)
        grid->entries[i_to] += mass;
}

/* Lets what is on the ways out of the state at hand enter where they lead: nothing is left on them. */
static void arrive(const struct grid *grid, size_t i_from, double (*into)[PK_MAX_STATES])
{
    for (unsigned phase = 0; phase < grid->n_phases; phase++) {
        struct ways *ways = &grid->ways[phase];
        for (size_t i = 0; ways->taken && i < ways->n; i++) {
            const struct way *way = &ways->items[i];
            const double moved = ways->moved[i];
            ways->moved[i] = 0;
            if (way->i_to == SIZE_MAX || !(moved > 0))
                continue;
            enter(grid, into, (phase | way->set) & ~way->clear, way->i_to, moved);
            count(grid, i_from, way->i_to, moved);
        }
        ways->taken = false;
    }
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
    for (size_t k = 0; k < timer->n_arcs; k++) {
        const struct pk_plan_arc *arc = &grid->plan->arcs[timer->arcs[k]];
        enter(grid, into, phase, arc->i_to, mass * arc->share);
        count(grid, arc->i_from, arc->i_to, mass * arc->share);
    }
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
            grid->known |= UINT64_C(1) << s;
            grid->n_exact++;
        }
        for (unsigned phase = 0; phase < grid->n_phases; phase++) {
            if (room && !pk_twin_stops(grid, s))
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
    if (now < grid->fires_at)
        return;
    memset(into, 0, grid->n_phases * sizeof *into);
    for (size_t s = 0; s < grid->plan->n_states; s++) {
        const struct pk_plan_state *state = &grid->plan->states[s];
        for (size_t i = 0; i < state->n_timers && !pk_twin_stops(grid, s); i++) {
            const struct pk_timer *timer = &state->timers[i];
            const double zero = pk_twin_timer_zero(grid, timer);
            bool due = timer->clock != PK_CLOCK_STATE && now - zero >= pk_timer_value(timer, zero);
            for (unsigned phase = 0; phase < grid->n_phases && (due || timer->clock == PK_CLOCK_STATE); phase++) {
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

/* The cells of a state in a phase whose hazards are the same in all of them. */
static void step_same(struct grid *grid, size_t i_state, unsigned phase)
{
    const size_t last = grid->n_cells[i_state] - 1, end = last < grid->n_used ? last + 1 : grid->n_used;
    const double *mass = grid->mass + phase * grid->n_all + grid->first_cell[i_state];
    double *next = grid->next + phase * grid->n_all + grid->first_cell[i_state], sum = 0, waits;
    for (size_t c = 0; c < end; c++)
        sum += mass[c];
    if (!(sum > 0))
        return;
    struct row *row = pk_twin_row_of_cell(grid, i_state, phase, 0);
    const double staying = leave(grid, &grid->ways[phase], row, sum, grid->step, &waits) / sum;
    for (size_t c = 0; c < end; c++)
        next[c < last ? c + 1 : last] += mass[c] * staying;
}

/* The cells of a state in a phase where neither a timer nor a prevention has to be followed. */
static void step_plain(struct grid *grid, size_t i_state, unsigned phase)
{
    const size_t last = grid->n_cells[i_state] - 1, end = last < grid->n_used ? last + 1 : grid->n_used;
    const double *mass = grid->mass + phase * grid->n_all + grid->first_cell[i_state];
    double *next = grid->next + phase * grid->n_all + grid->first_cell[i_state], waits;
    for (size_t c = 0; c < end; c++)
        if (mass[c] > 0)
            next[c < last ? c + 1 : last] += leave(
                grid, &grid->ways[phase], pk_twin_row_of_cell(grid, i_state, phase, c), mass[c], grid->step, &waits);
}

/* All cells of a state through one step. */
static void step_cells(struct grid *grid, size_t i_state)
{
    const size_t last = grid->n_cells[i_state] - 1;
    const struct pk_timer *timer = NULL;
    const size_t i_firing = firing_cell(grid, i_state, &timer);
    double fired[PK_TWIN_PHASES];
    memset(fired, 0, grid->n_phases * sizeof *fired);
    for (unsigned phase = 0; phase < grid->n_phases; phase++) {
        const double *mass = grid->mass + phase * grid->n_all + grid->first_cell[i_state];
        const unsigned guarded = phase | grid->guard_bit;
        if (timer == NULL && grid->guard_bit == 0) {
            if (grid->ways[phase].same)
                step_same(grid, i_state, phase);
            else
                step_plain(grid, i_state, phase);
            continue;
        }
        for (size_t c = 0; c <= last; c++) {
            if (mass[c] <= 0)
                continue;
            bool fires = c >= i_firing;
            double guarded_stays;
            double stays =
                pass(grid, i_state, phase, c, SIZE_MAX, mass[c], fires ? 0.5 * grid->step : grid->step, &guarded_stays);
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
    for (unsigned phase = 0; phase < grid->n_phases; phase++)
        if (fired[phase] > 0)
            fire(grid, timer, phase, fired[phase], grid->entered);
}

/* Spells of a state in a phase that are known exactly, where the hazards of all spells are the same. */
static void step_same_exact(struct grid *grid, size_t i_state, unsigned phase)
{
    double sum = 0, waits;
    for (size_t k = 0; k < grid->n_exact; k++)
        sum += grid->exact[k].i_state == i_state ? grid->exact[k].mass[phase] : 0;
    if (!(sum > 0))
        return;
    struct row *row = pk_twin_row_of_cell(grid, i_state, phase, 0);
    const double staying = leave(grid, &grid->ways[phase], row, sum, grid->step, &waits) / sum;
    for (size_t k = 0; k < grid->n_exact; k++)
        grid->exact[k].mass[phase] *= grid->exact[k].i_state == i_state ? staying : 1;
}

/* Spells of a state that are known exactly. */
static void step_exact(struct grid *grid, size_t i_state)
{
    bool same = grid->guard_bit == 0;
    if (!(grid->known >> i_state & 1))
        return;
    for (unsigned phase = 0; phase < grid->n_phases; phase++)
        same &= grid->ways[phase].same;
    for (unsigned phase = 0; phase < grid->n_phases && same; phase++)
        step_same_exact(grid, i_state, phase);
    if (same)
        return;
    for (size_t k = 0; k < grid->n_exact; k++) {
        struct exact_spell *spell = &grid->exact[k];
        double stays[PK_TWIN_PHASES], waits;
        if (spell->i_state != i_state)
            continue;
        for (unsigned phase = 0; grid->guard_bit == 0 && phase < grid->n_phases; phase++)
            if (spell->mass[phase] > 0)
                spell->mass[phase] = leave(grid, &grid->ways[phase], pk_twin_row_of_spell(grid, k, phase),
                                           spell->mass[phase], grid->step, &waits);
        if (grid->guard_bit == 0)
            continue;
        memset(stays, 0, grid->n_phases * sizeof *stays);
        for (unsigned phase = 0; phase < grid->n_phases; phase++) {
            double guarded_stays = 0;
            if (spell->mass[phase] > 0)
                stays[phase] += pass(grid, i_state, phase, 0, k, spell->mass[phase], grid->step, &guarded_stays);
            stays[phase | grid->guard_bit] += guarded_stays;
        }
        memcpy(spell->mass, stays, grid->n_phases * sizeof *stays);
    }
}

/* Those who are there to stay only grow older. */
static void age_cells(struct grid *grid, size_t i_state)
{
    const size_t last = grid->n_cells[i_state] - 1;
    for (unsigned phase = 0; phase < grid->n_phases; phase++) {
        const size_t offset = phase * grid->n_all + grid->first_cell[i_state];
        for (size_t c = 0; c <= last; c++)
            grid->next[offset + (c < last ? c + 1 : last)] += grid->mass[offset + c];
    }
}

/* Who entered a state within the step has half of it left to leave again. */
static void step_entered(struct grid *grid, size_t i_state, double (*again)[PK_MAX_STATES])
{
    const bool stay = pk_twin_stops(grid, i_state);
    if (!stay)
        lay_ways(grid, i_state);
    for (unsigned phase = 0; phase < grid->n_phases; phase++) {
        double stays = grid->entered[phase][i_state], waits = 0;
        if (stays > 0 && !stay)
            stays = leave(grid, &grid->ways[phase], pk_twin_row_of_cell(grid, i_state, phase, grid->n_cells[i_state]),
                          stays, 0.5 * grid->step, &waits);
        grid->next[phase * grid->n_all + grid->first_cell[i_state]] += stays;
        grid->next[(phase | grid->guard_bit) * grid->n_all + grid->first_cell[i_state]] += waits;
    }
    if (!stay)
        arrive(grid, i_state, again);
}

void pk_twin_step(struct grid *grid, double t)
{
    const struct pk_plan *plan = grid->plan;
    double again[PK_TWIN_PHASES][PK_MAX_STATES];
    memset(grid->entered, 0, grid->n_phases * sizeof *again);
    memset(again, 0, grid->n_phases * sizeof *again);
    memset(grid->next, 0, grid->n_phases * grid->n_all * sizeof *grid->next);
    pk_twin_look(grid, t);
    grid->n_used = (size_t)(t / grid->step + 0.5) + 1; /* nobody has been there for longer, but spells known exactly */
    for (size_t s = 0; s < plan->n_states; s++) {
        if (!(grid->reached >> s & 1))
            continue;
        if (pk_twin_stops(grid, s)) {
            age_cells(grid, s);
            continue;
        }
        lay_ways(grid, s);
        step_cells(grid, s);
        step_exact(grid, s);
        arrive(grid, s, grid->entered);
    }
    for (size_t s = 0; s < plan->n_states; s++)
        if (grid->reached >> s & 1)
            step_entered(grid, s, again);
    for (unsigned phase = 0; phase < grid->n_phases; phase++)
        for (size_t s = 0; s < plan->n_states; s++)
            grid->next[phase * grid->n_all + grid->first_cell[s]] += again[phase][s];
    double *spare = grid->mass;
    grid->mass = grid->next;
    grid->next = spare;
    fire_timers(grid, t + grid->step);
}
