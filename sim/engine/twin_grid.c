/* The analytic twin: its grid, laid out for one kind of person. See twin_private.h. */
#include <math.h>
#include <string.h>

#include "twin_private.h"

/* What the treatment does to each arc, and the phases that need following. */
static void look_up_treatment(struct grid *grid)
{
    const struct pk_treatment *treatment = grid->problem->treatment;
    const struct pk_plan *plan = grid->plan;
    memset(grid->effects, 0, plan->n_arcs * sizeof *grid->effects);
    for (size_t i = 0; treatment != NULL && i < treatment->n; i++) {
        const struct pk_plan_service *service = &plan->services[treatment->items[i].i_service];
        const double from = treatment->items[i].from;
        for (size_t k = 0; k < service->n_effects; k++) {
            const struct pk_plan_effect *effect = &service->effects[k];
            size_t i_to = plan->arcs[effect->arc].i_to;
            struct arc_effect *on = &grid->effects[effect->arc];
            const double held =
                service->while_held && service->length < service->window ? service->length : service->window;
            *on = (struct arc_effect){.effect = effect, .enrolled = from, .until = from + held};
            if (service->first_job_only) {
                if (grid->end_bit[i_to] == 0)
                    grid->end_bit[i_to] = 1u << grid->n_bits++;
                grid->end_from = from;
                on->over = grid->end_bit[i_to];
            }
            if (effect->mode == PK_EFFECT_PREVENT &&
                pk_twin_leaves_something(&plan->preventions[effect->i_prevention])) {
                if (grid->guard_bit == 0)
                    grid->guard_bit = 1u << grid->n_bits++;
                grid->prevention = &plan->preventions[effect->i_prevention];
            }
        }
    }
}

/* Arcs in the order of the state they leave, and within it in their own. */
static void sort_arcs(struct grid *grid)
{
    const struct pk_plan *plan = grid->plan;
    size_t next[PK_MAX_STATES + 1] = {0};
    for (size_t a = 0; a < plan->n_arcs; a++)
        next[plan->arcs[a].i_from + 1] += !plan->arcs[a].hazardless;
    for (size_t s = 0; s < plan->n_states; s++)
        next[s + 1] += next[s];
    memcpy(grid->first_arc, next, (plan->n_states + 1) * sizeof *next);
    for (size_t a = 0; a < plan->n_arcs; a++)
        if (!plan->arcs[a].hazardless)
            grid->arcs[next[plan->arcs[a].i_from]++] = (uint16_t)a;
}

/* The arcs' rates and multipliers for this kind of person. */
static void look_up_arcs(struct grid *grid)
{
    const struct pk_twin_case *problem = grid->problem;
    const struct pk_plan *plan = grid->plan;
    for (size_t s = 0; s < plan->n_states; s++)
        grid->i_cure_from[s] = SIZE_MAX;
    for (size_t a = 0; a < plan->n_arcs; a++) {
        const struct pk_plan_arc *arc = &plan->arcs[a];
        const struct pk_plan_effect *effect = grid->effects[a].effect;
        double multiplier = plan->multipliers[problem->stratum * plan->n_arcs + a];
        if (arc->i_frailty != SIZE_MAX && problem->frailties != NULL)
            multiplier *= problem->frailties[arc->i_frailty];
        grid->rates[a] = NULL;
        grid->never[a] = false;
        grid->base_now[a] = grid->own_now[a] = grid->overlap[a] = 0;
        if (arc->i_cure != SIZE_MAX && plan->cures[arc->i_cure].per_spell)
            grid->i_cure_from[arc->i_from] = arc->i_cure;
        else if (arc->i_cure != SIZE_MAX)
            grid->never[a] = problem->cured >> arc->i_cure & 1;
        if (arc->i_person_hazard != SIZE_MAX)
            grid->rates[a] = pk_plan_person_rate(&plan->person_hazards[arc->i_person_hazard], problem->stratum);
        else if (arc->n_rates > 0)
            grid->rates[a] = pk_plan_arc_rate(arc, problem->stratum);
        grid->multipliers[a] = multiplier * (arc->i_person_hazard != SIZE_MAX ? 1 + arc->excess : 1);
        const struct pk_rate *rate = grid->rates[a], *own = effect != NULL && effect->n_rates > 0
                                                                ? pk_plan_effect_rate(effect, problem->stratum)
                                                                : NULL;
        grid->on_state[a] = rate != NULL && rate->clock == PK_CLOCK_STATE && (rate->smooth || rate->n_cuts > 0);
        grid->own_on_state[a] = own != NULL &&
                                (effect->mode == PK_EFFECT_REPLACE || effect->mode == PK_EFFECT_AT_LEAST) &&
                                own->clock == PK_CLOCK_STATE && (own->smooth || own->n_cuts > 0);
    }
    for (size_t s = 0; s < plan->n_states; s++) {
        if (grid->i_cure_from[s] != SIZE_MAX && grid->cure_bit == 0)
            grid->cure_bit = 1u << grid->n_bits++;
    }
    sort_arcs(grid);
}

/* Whether anybody may take the arc. */
static bool leads(const struct grid *grid, size_t i_arc)
{
    const struct pk_plan_arc *arc = &grid->plan->arcs[i_arc];
    const struct pk_rate *rate = grid->rates[i_arc];
    if (grid->effects[i_arc].effect != NULL || arc->deterministic || arc->diverted || rate == NULL || rate->smooth)
        return true;
    bool any = false;
    for (size_t i = 0; i <= rate->n_cuts; i++)
        any |= rate->levels[i] > 0;
    return any && grid->multipliers[i_arc] > 0;
}

/* States that people can come to from where they start: in the others nothing has to be computed. */
static void find_reached(struct grid *grid)
{
    const struct pk_twin_case *problem = grid->problem;
    const struct pk_plan *plan = grid->plan;
    uint64_t before = 0;
    if (problem->starts == NULL)
        grid->reached = UINT64_C(1) << problem->i_state;
    for (size_t i = 0; problem->starts != NULL && i < problem->n_starts; i++)
        grid->reached |= UINT64_C(1) << problem->starts[i].i_state;
    while (before != grid->reached) {
        before = grid->reached;
        for (size_t a = 0; a < plan->n_arcs; a++)
            if (grid->reached >> plan->arcs[a].i_from & 1 && !(grid->reached >> plan->arcs[a].i_to & 1) &&
                leads(grid, a))
                grid->reached |= UINT64_C(1) << plan->arcs[a].i_to;
    }
}

/* The last time in state at which a rate changes; infinite for a form. */
static double last_change(const struct pk_rate *rate)
{
    return rate->smooth ? (double)INFINITY : rate->n_cuts > 0 ? rate->cuts[rate->n_cuts - 1] : 0;
}

/* How many cells a state needs: up to where its spell-clock hazards no longer change. */
static size_t cells_of(const struct grid *grid, size_t i_state)
{
    const struct pk_plan_state *state = &grid->plan->states[i_state];
    double last = -1;
    if (pk_twin_stops(grid, i_state) || !(grid->reached >> i_state & 1))
        return 1;
    for (size_t k = grid->first_arc[i_state]; k < grid->first_arc[i_state + 1]; k++) {
        size_t a = grid->arcs[k];
        if (grid->on_state[a])
            last = fmax(last, last_change(grid->rates[a]));
        if (grid->own_on_state[a])
            last = fmax(last, last_change(pk_plan_effect_rate(grid->effects[a].effect, grid->problem->stratum)));
    }
    for (size_t i = 0; i < state->n_timers; i++)
        if (state->timers[i].clock == PK_CLOCK_STATE)
            last = fmax(last, state->timers[i].value);
    if (last < 0)
        return 1;
    double cells = last / grid->step + 3;
    return cells < (double)grid->n_steps + 1 ? (size_t)cells : grid->n_steps + 1;
}

/* Means of a spell-clock hazard over the cells of a state, and over the half step after an entry. */
static void fill_cells(const struct grid *grid, double *cells, size_t n, const struct pk_rate *rate, double factor)
{
    const double h = grid->step;
    double mean = 0, until = -(double)INFINITY;
    for (size_t c = 0; c < n; c++) {
        const double from = ((double)c + 0.5) * h, to = ((double)c + 1.5) * h;
        if (to > until) {
            until = (double)INFINITY;
            mean = pk_twin_mean_until(rate, from, to, &until);
        }
        cells[c] = factor * mean;
    }
    cells[n] = factor * pk_twin_rate_mean(rate, 0, 0.5 * h);
}

static size_t lay_out(struct grid *grid)
{
    const struct pk_plan *plan = grid->plan;
    size_t n_means = 0;
    for (size_t s = 0; s < plan->n_states; s++) {
        grid->n_cells[s] = cells_of(grid, s);
        grid->first_cell[s] = grid->n_all;
        grid->n_all += grid->n_cells[s];
    }
    for (size_t a = 0; a < plan->n_arcs; a++) {
        size_t n = grid->n_cells[plan->arcs[a].i_from] + 1;
        grid->i_base_cells[a] = n_means;
        n_means += grid->on_state[a] ? n : 0;
        grid->i_own_cells[a] = n_means;
        n_means += grid->own_on_state[a] ? n : 0;
    }
    return n_means;
}

static void fill_means(struct grid *grid)
{
    for (size_t a = 0; a < grid->plan->n_arcs; a++) {
        size_t n = grid->n_cells[grid->plan->arcs[a].i_from];
        if (grid->on_state[a])
            fill_cells(grid, grid->cells + grid->i_base_cells[a], n, grid->rates[a], grid->multipliers[a]);
        if (grid->own_on_state[a])
            fill_cells(grid, grid->cells + grid->i_own_cells[a], n,
                       pk_plan_effect_rate(grid->effects[a].effect, grid->problem->stratum), 1);
    }
}

/* Cells side by side of a state mostly have the same hazards: as many rows as there are different ones. */
static void number_rows(struct grid *grid, size_t i_state)
{
    uint32_t *row_of = grid->row_of + grid->first_cell[i_state] + i_state, n = 0;
    for (size_t c = 0; c <= grid->n_cells[i_state]; c++) { /* the last for the half step after an entry */
        bool other = c == 0;
        for (size_t k = grid->first_arc[i_state]; k < grid->first_arc[i_state + 1] && !other; k++) {
            const size_t a = grid->arcs[k];
            const double *base = grid->cells + grid->i_base_cells[a], *own = grid->cells + grid->i_own_cells[a];
            other = (grid->on_state[a] && base[c] != base[c - 1]) || (grid->own_on_state[a] && own[c] != own[c - 1]);
        }
        n += other;
        row_of[c] = n - 1;
    }
    grid->n_rows[i_state] = n;
}

/* The most ways that lead out of a state in a phase: a prevention may add where the event leads instead and what comes
 * of those blocked earlier. */
static size_t most_ways(const struct grid *grid, size_t i_state)
{
    size_t n = 0;
    for (size_t k = grid->first_arc[i_state]; k < grid->first_arc[i_state + 1]; k++) {
        const struct pk_plan_effect *effect = grid->effects[grid->arcs[k]].effect;
        n += effect != NULL && effect->mode == PK_EFFECT_PREVENT ? 3 : 1;
    }
    return n < PK_TWIN_EXITS ? n : PK_TWIN_EXITS;
}

static void lay_out_rows(struct grid *grid)
{
    for (size_t s = 0; s < grid->plan->n_states; s++) {
        grid->first_row[s] = grid->n_all_rows;
        if (!(grid->reached >> s & 1) || pk_twin_stops(grid, s))
            continue;
        number_rows(grid, s);
        const size_t most = most_ways(grid, s);
        grid->most_ways = most > grid->most_ways ? most : grid->most_ways;
        grid->n_all_rows += grid->n_phases * grid->n_rows[s];
    }
    grid->n_all_rows += grid->n_phases * PK_TWIN_EXACT;
}

/* The first time at which a timer of a state may be due; those on time_in_state may be in any step. */
static void find_timers(struct grid *grid)
{
    grid->fires_at = (double)INFINITY;
    for (size_t s = 0; s < grid->plan->n_states; s++) {
        const struct pk_plan_state *state = &grid->plan->states[s];
        for (size_t i = 0; i < state->n_timers && (grid->reached >> s & 1) && !pk_twin_stops(grid, s); i++) {
            const struct pk_timer *timer = &state->timers[i];
            const double zero = pk_twin_timer_zero(grid, timer);
            const double at = timer->clock == PK_CLOCK_STATE ? 0 : pk_timer_value(timer, zero) + zero;
            grid->fires_at = fmin(grid->fires_at, at - PK_TWIN_MARGIN);
        }
    }
}

/* Room for n elements, as they were left; NULL when out of memory. */
static void *room_for(void *block, size_t *room, size_t n, size_t size)
{
    if (n <= *room)
        return block;
    pk_free(block);
    block = pk_alloc(n, size);
    *room = block != NULL ? n : 0;
    return block;
}

/* Everything that a solution needs room for, with what must be 0. Errors: PK_NO_MEMORY. */
static enum pk_status make_room(struct pk_twin *twin, struct grid *grid, struct pk_error *error)
{
    const size_t n_states = grid->plan->n_states, n_means = lay_out(grid), n_mass = grid->n_phases * grid->n_all;
    grid->mass = twin->mass = room_for(twin->mass, &twin->n_mass, 2 * n_mass + n_means, sizeof *twin->mass);
    grid->all_ways = twin->ways = room_for(twin->ways, &twin->n_ways, n_states * grid->n_phases, sizeof(struct ways));
    grid->row_of = twin->row_of = room_for(twin->row_of, &twin->n_row_of, grid->n_all + n_states, sizeof *twin->row_of);
    if (grid->mass == NULL || grid->all_ways == NULL || grid->row_of == NULL)
        return pk_error_set(error, PK_NO_MEMORY, "no memory for the analytic twin");
    memset(grid->mass, 0, 2 * n_mass * sizeof *grid->mass);
    grid->next = grid->mass + n_mass;
    grid->cells = grid->mass + 2 * n_mass;
    fill_means(grid);
    lay_out_rows(grid);
    grid->rows = twin->rows = room_for(twin->rows, &twin->n_rows, grid->n_all_rows, sizeof(struct row));
    grid->rates_of_rows = twin->rates =
        room_for(twin->rates, &twin->n_rates, grid->n_all_rows * grid->most_ways, sizeof *twin->rates);
    if (grid->rows == NULL || (grid->rates_of_rows == NULL && grid->most_ways > 0))
        return pk_error_set(error, PK_NO_MEMORY, "no memory for the analytic twin");
    memset(grid->rows, 0, grid->n_all_rows * sizeof *grid->rows);
    return PK_OK;
}

enum pk_status pk_twin_lay_out(struct pk_twin *twin, struct grid *grid, struct pk_error *error)
{
    const struct pk_twin_case *problem = grid->problem;
    const double steps = problem->until / problem->step;
    grid->n_steps = (size_t)steps + (steps > (double)(size_t)steps);
    grid->n_steps = grid->n_steps > 0 ? grid->n_steps : 1;
    grid->step = problem->until / (double)grid->n_steps;
    look_up_treatment(grid);
    look_up_arcs(grid);
    find_reached(grid);
    grid->n_phases = (size_t)1 << grid->n_bits;
    const enum pk_status status = make_room(twin, grid, error);
    if (status != PK_OK)
        return status;
    for (size_t s = 0; s < grid->plan->n_states; s++)
        grid->stale[s] = true;
    pk_twin_look_first(grid);
    find_timers(grid);
    return PK_OK;
}
