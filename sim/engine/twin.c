/* The analytic twin. See twin.h. */
#include "polku/twin.h"

#include <math.h>
#include <string.h>

#include "polku/elementary.h"

/* Mass of people by phase (effects for the first job still on, or over), state and age of spell.
 * Cell c of a state holds spells that began c to c + 1 steps ago; the last one all longer spells. The spell that a
 * person starts in has its own cell, since its time in state is known exactly. */
struct grid {
    const struct pk_twin_case *problem;
    const struct pk_plan *plan;
    size_t n_phases, n_steps;
    double step;
    size_t n_cells[PK_MAX_STATES], first_cell[PK_MAX_STATES], n_all;
    double *mass, *next; /* [n_phases][n_all] */
    double started[2];   /* the starting spell, by phase */
    double entered[2][PK_MAX_STATES];
    double rates[2][PK_MAX_ARCS]; /* by phase: this step's mean hazards that do not run on time_in_state */
    /* looked up once: arcs in the order of the state they leave, and what a treatment does to each */
    uint16_t arcs[PK_MAX_ARCS];
    size_t first_arc[PK_MAX_STATES + 1];
    bool on_state[PK_MAX_ARCS];
    const struct pk_plan_effect *effects[PK_MAX_ARCS];
    double enrolled[PK_MAX_ARCS], window[PK_MAX_ARCS];
    bool first_only[PK_MAX_ARCS];
    uint64_t phase_ends; /* bit per state: entering it ends the effects for the first job */
};

double pk_twin_rate_mean(const struct pk_rate *rate, double from, double to)
{
    double length = to - from;
    if (rate->gompertz) {
        double low = pk_exp(rate->slope * from), high = pk_exp(rate->slope * to);
        return length > 0 ? rate->level / rate->slope * (high - low) / length : rate->level * low;
    }
    size_t i = pk_rate_segment(rate->cuts, rate->n_cuts, from);
    if (i == rate->n_cuts || rate->cuts[i] >= to)
        return rate->levels[i];
    double sum = 0, x = from;
    for (; x < to; i++) {
        double end = i < rate->n_cuts && rate->cuts[i] < to ? rate->cuts[i] : to;
        sum += rate->levels[i] * (end - x);
        x = end;
    }
    return sum / length;
}

/* Finds the service that works on each arc, which arcs run on time_in_state, and the arcs of each state. */
static void look_up(struct grid *grid)
{
    const struct pk_treatment *treatment = grid->problem->treatment;
    const struct pk_plan *plan = grid->plan;
    size_t n = 0;
    for (size_t i = 0; treatment != NULL && i < treatment->n; i++) {
        const struct pk_plan_service *service = &plan->services[treatment->items[i].i_service];
        for (size_t k = 0; k < service->n_effects; k++) {
            size_t a = service->effects[k].arc;
            grid->effects[a] = &service->effects[k];
            grid->enrolled[a] = treatment->items[i].from;
            grid->window[a] = service->window;
            grid->first_only[a] = service->first_job_only;
        }
    }
    for (size_t a = 0; a < plan->n_arcs; a++) {
        const struct pk_plan_arc *arc = &plan->arcs[a];
        const struct pk_plan_effect *effect = grid->effects[a];
        bool base = arc->i_person_hazard == SIZE_MAX && !arc->deterministic && arc->rate.clock == PK_CLOCK_STATE &&
                    (arc->rate.n_cuts > 0 || arc->rate.gompertz);
        grid->on_state[a] = base || (effect != NULL && effect->mode != PK_EFFECT_SCALE &&
                                     effect->rate.clock == PK_CLOCK_STATE && effect->rate.n_cuts > 0);
    }
    for (size_t s = 0; s < plan->n_states; s++) {
        grid->first_arc[s] = n;
        for (size_t a = 0; a < plan->n_arcs; a++)
            if (plan->arcs[a].i_from == s)
                grid->arcs[n++] = (uint16_t)a;
    }
    grid->first_arc[plan->n_states] = n;
}

/* The mean of an arc's hazard from time t over length, the spell's clock being `in_state` at t; phase 1: effects for
 * the first job are over. */
static double arc_hazard(const struct grid *grid, size_t i_arc, size_t phase, double t, double length, double in_state)
{
    const struct pk_plan *plan = grid->plan;
    const struct pk_plan_arc *arc = &plan->arcs[i_arc];
    double multiplier = plan->multipliers[grid->problem->stratum * plan->n_arcs + i_arc];
    const struct pk_rate *rate = &arc->rate;
    if (arc->deterministic)
        return 0;
    if (arc->i_person_hazard != SIZE_MAX) {
        rate = &plan->person_hazards[arc->i_person_hazard].rate;
        multiplier *= 1 + arc->excess;
    }
    double zero = rate->clock == PK_CLOCK_STATE ? t - in_state : rate->clock == PK_CLOCK_AGE ? -grid->problem->age : 0;
    double base = multiplier * pk_twin_rate_mean(rate, t - zero, t - zero + length);
    const struct pk_plan_effect *effect = grid->effects[i_arc];
    if (effect == NULL || (grid->first_only[i_arc] && phase == 1))
        return base;
    double enrolled = grid->enrolled[i_arc], window = grid->window[i_arc];
    double from = t > enrolled ? t : enrolled, to = t + length < enrolled + window ? t + length : enrolled + window;
    if (to <= from)
        return base;
    double inside = multiplier * pk_twin_rate_mean(rate, from - zero, to - zero), with = inside * effect->ratio;
    if (effect->mode != PK_EFFECT_SCALE) {
        double own = effect->rate.clock == PK_CLOCK_STATE       ? t - in_state
                     : effect->rate.clock == PK_CLOCK_AGE       ? -grid->problem->age
                     : effect->rate.clock == PK_CLOCK_ENROLMENT ? enrolled
                                                                : 0;
        with = pk_twin_rate_mean(&effect->rate, from - own, to - own);
        if (effect->mode == PK_EFFECT_AT_LEAST && with < inside)
            with = inside;
    }
    return base + (with - inside) * (to - from) / length;
}

static bool stops(const struct grid *grid, size_t i_state)
{
    return grid->plan->states[i_state].absorbing || (grid->problem->stop_states >> i_state & 1);
}

/* How many cells a state needs: up to where its spell-clock hazards no longer change. */
static size_t cells_of(const struct grid *grid, size_t i_state)
{
    double last = 0;
    bool any = false;
    for (size_t a = 0; a < grid->plan->n_arcs; a++) {
        const struct pk_plan_arc *arc = &grid->plan->arcs[a];
        if (arc->i_from != i_state || !grid->on_state[a])
            continue;
        const struct pk_plan_effect *effect = grid->effects[a];
        any = true;
        if (arc->rate.gompertz)
            last = grid->problem->until;
        else if (arc->rate.n_cuts > 0 && arc->rate.cuts[arc->rate.n_cuts - 1] > last)
            last = arc->rate.cuts[arc->rate.n_cuts - 1];
        if (effect != NULL && effect->rate.n_cuts > 0 && effect->rate.cuts[effect->rate.n_cuts - 1] > last)
            last = effect->rate.cuts[effect->rate.n_cuts - 1];
    }
    const struct pk_plan_state *state = &grid->plan->states[i_state];
    for (size_t i = 0; i < state->n_timers; i++)
        if (state->timers[i].clock == PK_CLOCK_STATE) {
            any = true;
            last = state->timers[i].value > last ? state->timers[i].value : last;
        }
    if (!any || stops(grid, i_state))
        return 1;
    double cells = last / grid->step + 2;
    return cells < (double)grid->n_steps + 1 ? (size_t)cells + 1 : grid->n_steps + 1;
}

/* Moves what leaves a mass in one step to the states entered; returns what stays. */
static double leave(struct grid *grid, double mass, size_t i_state, size_t phase, const double *hazards,
                    double duration, double (*into)[PK_MAX_STATES])
{
    const struct pk_plan *plan = grid->plan;
    double total = 0;
    const size_t first = grid->first_arc[i_state], end = grid->first_arc[i_state + 1];
    for (size_t k = first; k < end; k++)
        total += hazards[grid->arcs[k]];
    if (total <= 0 || mass <= 0)
        return mass;
    double staying = mass * pk_exp(-total * duration), leaving = mass - staying;
    for (size_t k = first; k < end; k++) {
        size_t a = grid->arcs[k];
        if (hazards[a] <= 0)
            continue;
        size_t to = plan->arcs[a].i_to;
        size_t new_phase = phase == 0 && (grid->phase_ends >> to & 1) ? grid->n_phases - 1 : phase;
        into[new_phase][to] += leaving * hazards[a] / total;
    }
    return staying;
}

/* This step's hazards for spells in a cell (c < 0: those that begin within the step). */
static void cell_hazards(struct grid *grid, size_t i_state, size_t phase, double t, double in_state, double length,
                         double *hazards)
{
    for (size_t k = grid->first_arc[i_state]; k < grid->first_arc[i_state + 1]; k++) {
        size_t a = grid->arcs[k];
        hazards[a] = grid->on_state[a] ? arc_hazard(grid, a, phase, t, length, in_state) : grid->rates[phase][a];
    }
}

/* Timers that fire within (t, t + step] empty their cells into where they lead. */
static void fire_timers(struct grid *grid, double t)
{
    const struct pk_plan *plan = grid->plan;
    for (size_t s = 0; s < plan->n_states; s++) {
        const struct pk_plan_state *state = &plan->states[s];
        for (size_t i = 0; i < state->n_timers && !stops(grid, s); i++) {
            const struct pk_timer *timer = &state->timers[i];
            for (size_t phase = 0; phase < grid->n_phases; phase++) {
                double *cells = grid->mass + phase * grid->n_all + grid->first_cell[s], fired = 0;
                double now = t + grid->step;
                if (timer->clock != PK_CLOCK_STATE) {
                    double zero = timer->clock == PK_CLOCK_AGE ? -grid->problem->age : 0;
                    if (now - zero < timer->value)
                        continue;
                    for (size_t c = 0; c < grid->n_cells[s]; c++) {
                        fired += cells[c];
                        cells[c] = 0;
                    }
                } else {
                    for (size_t c = 0; c < grid->n_cells[s]; c++)
                        if (((double)c + 0.5) * grid->step >= timer->value) {
                            fired += cells[c];
                            cells[c] = 0;
                        }
                }
                if (s == grid->problem->i_state &&
                    (timer->clock != PK_CLOCK_STATE || grid->problem->elapsed + now >= timer->value)) {
                    fired += grid->started[phase];
                    grid->started[phase] = 0;
                }
                for (size_t k = 0; k < timer->n_arcs; k++) {
                    size_t to = plan->arcs[timer->arcs[k]].i_to;
                    size_t new_phase = phase == 0 && (grid->phase_ends >> to & 1) ? grid->n_phases - 1 : phase;
                    grid->mass[new_phase * grid->n_all + grid->first_cell[to]] +=
                        fired * plan->arcs[timer->arcs[k]].share;
                }
            }
        }
    }
}

static void one_step(struct grid *grid, double t)
{
    const struct pk_plan *plan = grid->plan;
    double h = grid->step, hazards[PK_MAX_ARCS], again[2][PK_MAX_STATES];
    memset(grid->entered, 0, sizeof grid->entered);
    memset(again, 0, sizeof again);
    memset(grid->next, 0, grid->n_phases * grid->n_all * sizeof *grid->next);
    for (size_t phase = 0; phase < grid->n_phases; phase++)
        for (size_t a = 0; a < plan->n_arcs; a++)
            if (!grid->on_state[a])
                grid->rates[phase][a] = arc_hazard(grid, a, phase, t, h, 0);
    for (size_t phase = 0; phase < grid->n_phases; phase++)
        for (size_t s = 0; s < plan->n_states; s++) {
            double *mass = grid->mass + phase * grid->n_all + grid->first_cell[s];
            double *next = grid->next + phase * grid->n_all + grid->first_cell[s];
            size_t last = grid->n_cells[s] - 1;
            for (size_t c = 0; c <= last; c++) {
                if (mass[c] <= 0)
                    continue;
                double stays = mass[c];
                if (!stops(grid, s)) {
                    cell_hazards(grid, s, phase, t, ((double)c + 0.5) * h, h, hazards);
                    stays = leave(grid, mass[c], s, phase, hazards, h, grid->entered);
                }
                next[c < last ? c + 1 : last] += stays;
            }
            if (s == grid->problem->i_state && grid->started[phase] > 0 && !stops(grid, s)) {
                cell_hazards(grid, s, phase, t, grid->problem->elapsed + t, h, hazards);
                grid->started[phase] = leave(grid, grid->started[phase], s, phase, hazards, h, grid->entered);
            }
        }
    for (size_t phase = 0; phase < grid->n_phases; phase++) /* who enters has half a step left to leave again */
        for (size_t s = 0; s < plan->n_states; s++) {
            double stays = grid->entered[phase][s];
            if (stays > 0 && !stops(grid, s)) {
                cell_hazards(grid, s, phase, t + 0.5 * h, 0, 0.5 * h, hazards);
                stays = leave(grid, stays, s, phase, hazards, 0.5 * h, again);
            }
            grid->next[phase * grid->n_all + grid->first_cell[s]] += stays;
        }
    for (size_t phase = 0; phase < grid->n_phases; phase++)
        for (size_t s = 0; s < plan->n_states; s++)
            grid->next[phase * grid->n_all + grid->first_cell[s]] += again[phase][s];
    double *spare = grid->mass;
    grid->mass = grid->next;
    grid->next = spare;
    fire_timers(grid, t);
}

static void read_occupancy(const struct grid *grid, double *occupancy)
{
    for (size_t s = 0; s < grid->plan->n_states; s++) {
        occupancy[s] = 0;
        for (size_t phase = 0; phase < grid->n_phases; phase++) {
            const double *mass = grid->mass + phase * grid->n_all + grid->first_cell[s];
            for (size_t c = 0; c < grid->n_cells[s]; c++)
                occupancy[s] += mass[c];
            if (s == grid->problem->i_state)
                occupancy[s] += grid->started[phase];
        }
    }
}

/* Which states end the effects for the first job; false if that is not the same for all effects. */
static bool find_phases(struct grid *grid)
{
    const struct pk_treatment *treatment = grid->problem->treatment;
    bool any = false, same = true;
    for (size_t i = 0; treatment != NULL && i < treatment->n; i++) {
        const struct pk_plan_service *service = &grid->plan->services[treatment->items[i].i_service];
        uint64_t ends = 0;
        for (size_t k = 0; k < service->n_effects; k++)
            ends |= UINT64_C(1) << grid->plan->arcs[service->effects[k].arc].i_to;
        if (!service->first_job_only)
            continue;
        same &= (ends & (ends - 1)) == 0 && (!any || ends == grid->phase_ends) && treatment->items[i].from == 0;
        any = true;
        grid->phase_ends = ends;
    }
    grid->n_phases = any ? 2 : 1;
    return same;
}

void pk_twin_init(struct pk_twin *twin)
{
    memset(twin, 0, sizeof *twin);
}

void pk_twin_free(struct pk_twin *twin)
{
    if (twin == NULL)
        return;
    pk_free(twin->grid);
    pk_free(twin->mass);
    pk_twin_init(twin);
}

/* Room for n numbers, zeroed; NULL when out of memory. */
static double *room_for(struct pk_twin *twin, size_t n)
{
    if (n > twin->n_mass) {
        pk_free(twin->mass);
        twin->mass = pk_alloc(n, sizeof *twin->mass);
        twin->n_mass = twin->mass != NULL ? n : 0;
    }
    if (twin->mass != NULL)
        memset(twin->mass, 0, n * sizeof *twin->mass);
    return twin->mass;
}

enum pk_status pk_twin_solve(const struct pk_twin_case *problem, double *occupancy, double *person_months,
                             struct pk_error *error)
{
    struct pk_twin twin;
    pk_twin_init(&twin);
    enum pk_status status = pk_twin_solve_in(&twin, problem, occupancy, person_months, error);
    pk_twin_free(&twin);
    return status;
}

enum pk_status pk_twin_solve_in(struct pk_twin *twin, const struct pk_twin_case *problem, double *occupancy,
                                double *person_months, struct pk_error *error)
{
    struct grid *grid = twin->grid = twin->grid != NULL ? twin->grid : pk_alloc(1, sizeof *grid);
    if (grid == NULL)
        return pk_error_set(error, PK_NO_MEMORY, "no memory for the analytic twin");
    memset(grid, 0, sizeof *grid);
    grid->problem = problem;
    grid->plan = problem->plan;
    double steps = problem->until / problem->step;
    grid->n_steps = (size_t)steps + (steps > (double)(size_t)steps);
    grid->n_steps = grid->n_steps > 0 ? grid->n_steps : 1;
    grid->step = problem->until / (double)grid->n_steps;
    if (!find_phases(grid))
        return pk_error_set(error, PK_BAD_INPUT,
                            "the analytic twin cannot follow effects for the first job that end at different states or "
                            "start later");
    look_up(grid);
    size_t n_states = grid->plan->n_states;
    for (size_t s = 0; s < n_states; s++) {
        grid->n_cells[s] = cells_of(grid, s);
        grid->first_cell[s] = grid->n_all;
        grid->n_all += grid->n_cells[s];
    }
    grid->mass = room_for(twin, 2 * grid->n_phases * grid->n_all);
    if (grid->mass == NULL)
        return pk_error_set(error, PK_NO_MEMORY, "no memory for the analytic twin");
    grid->next = grid->mass + grid->n_phases * grid->n_all;
    grid->started[0] = 1;
    read_occupancy(grid, occupancy);
    for (size_t s = 0; person_months != NULL && s < n_states; s++)
        person_months[s] = 0;
    for (size_t i = 0; i < grid->n_steps; i++) {
        for (size_t s = 0; person_months != NULL && s < n_states; s++)
            person_months[s] += 0.5 * grid->step * occupancy[s];
        one_step(grid, (double)i * grid->step);
        read_occupancy(grid, occupancy);
        for (size_t s = 0; person_months != NULL && s < n_states; s++)
            person_months[s] += 0.5 * grid->step * occupancy[s];
    }
    return PK_OK;
}
