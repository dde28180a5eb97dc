/* The analytic twin: what it is solved on. See twin.h; its steps: twin_step.c. */
#include "polku/twin.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#include "polku/elementary.h"
#include "twin_private.h"

double pk_twin_rate_mean(const struct pk_rate *rate, double from, double to)
{
    double length = to - from;
    if (!(length > 0))
        return pk_rate_at(rate, from);
    if (!rate->smooth) { /* one segment: exactly its level */
        size_t i = pk_rate_segment(rate->cuts, rate->n_cuts, from);
        if (i == rate->n_cuts || rate->cuts[i] >= to)
            return rate->levels[i];
    }
    return pk_rate_between(rate, from, to) / length;
}

double pk_twin_mean_until(const struct pk_rate *rate, double from, double to, double *until)
{
    if (!rate->smooth && to > from) {
        const size_t i = pk_rate_segment(rate->cuts, rate->n_cuts, from);
        if (i == rate->n_cuts)
            return rate->levels[i];
        if (rate->cuts[i] >= to) {
            *until = fmin(*until, rate->cuts[i]);
            return rate->levels[i];
        }
    }
    *until = -(double)INFINITY;
    return pk_twin_rate_mean(rate, from, to);
}

static bool leaves_something(const struct pk_plan_prevention *prevention)
{
    return prevention->again != PK_AGAIN_AT_RISK || prevention->relapse > 0;
}

const char *pk_twin_obstacle(const struct pk_plan *plan, const struct pk_treatment *treatment, size_t *i_transition)
{
    const struct pk_plan_prevention *followed = NULL;
    size_t n_bits = 0;
    for (size_t i = 0; treatment != NULL && i < treatment->n; i++) {
        const struct pk_plan_service *service = &plan->services[treatment->items[i].i_service];
        uint64_t ends = 0;
        for (size_t k = 0; k < service->n_effects; k++) {
            const struct pk_plan_effect *effect = &service->effects[k];
            *i_transition = plan->arcs[effect->arc].i_transition;
            ends |= UINT64_C(1) << plan->arcs[effect->arc].i_to;
            if (service->enters != NULL)
                return "is changed by a service that puts people into another state, which the twin does not follow";
            if (service->while_held && (service->random_length || !service->held_anywhere))
                return "is changed only while a place is held, which depends on what has happened";
            if (effect->mode != PK_EFFECT_PREVENT)
                continue;
            const struct pk_plan_prevention *prevention = &plan->preventions[effect->i_prevention];
            if (prevention->again == PK_AGAIN_YEARS)
                return "is prevented with an immunity of some years, which the twin does not follow";
            if (leaves_something(prevention) && followed != NULL && followed != prevention)
                return "is the second whose prevention leaves immunity or relapse behind; the twin follows one";
            followed = leaves_something(prevention) ? prevention : followed;
        }
        for (; service->first_job_only && ends != 0; ends &= ends - 1)
            n_bits++;
        if (service->first_job_only && i > 0)
            for (size_t j = 0; j < i; j++)
                if (plan->services[treatment->items[j].i_service].first_job_only &&
                    treatment->items[j].from != treatment->items[i].from)
                    return "has effects for the first job only that begin at different times";
    }
    n_bits += followed != NULL;
    for (size_t s = 0; s < plan->n_states; s++) {
        size_t n_cures = 0;
        for (size_t c = 0; c < plan->n_cures; c++) {
            bool from = false;
            for (size_t a = 0; a < plan->n_arcs; a++)
                from |= plan->arcs[a].i_from == s && plan->arcs[a].i_cure == c;
            if (from && plan->cures[c].per_spell) {
                n_cures++;
                *i_transition = plan->cures[c].i_transition;
            }
        }
        if (n_cures > 1)
            return "is the second with a cure by spell from one state; the twin follows one";
        if (n_cures > 0 && n_bits >= PK_TWIN_BITS)
            n_bits = PK_TWIN_BITS + 1;
    }
    return n_bits > PK_TWIN_BITS - (plan->n_cures > 0) ? "has effects that end at more states than the twin follows"
                                                       : NULL;
}

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
            if (effect->mode == PK_EFFECT_PREVENT && leaves_something(&plan->preventions[effect->i_prevention])) {
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

/* Puts people where they start. Of spells under way, the share that is cured by now is that of those still there. */
static void put_starts(struct grid *grid)
{
    const struct pk_twin_case *problem = grid->problem;
    const struct pk_twin_start only = {.i_state = problem->i_state, .elapsed = problem->elapsed, .mass = 1};
    size_t n = problem->starts != NULL ? problem->n_starts : 1;
    for (size_t i = 0; i < n; i++) {
        const struct pk_twin_start *start = problem->starts != NULL ? &problem->starts[i] : &only;
        size_t i_cure = grid->i_cure_from[start->i_state];
        double survived = 0;
        for (size_t k = grid->first_arc[start->i_state]; k < grid->first_arc[start->i_state + 1]; k++)
            if (i_cure != SIZE_MAX && grid->plan->arcs[grid->arcs[k]].i_cure == i_cure)
                survived +=
                    pk_plan_survived(grid->plan, grid->arcs[k], problem->stratum, 0, problem->age, start->elapsed);
        double cured = i_cure != SIZE_MAX ? pk_plan_cured_share(&grid->plan->cures[i_cure], survived) : 0;
        struct exact_spell *spell = &grid->exact[grid->n_exact < PK_TWIN_EXACT ? grid->n_exact++ : grid->n_exact - 1];
        memset(spell, 0, sizeof *spell);
        spell->i_state = start->i_state;
        grid->known |= UINT64_C(1) << start->i_state;
        spell->zero = -start->elapsed;
        spell->mass[0] = start->mass * (1 - cured);
        if (cured > 0)
            spell->mass[grid->cure_bit] = start->mass * cured;
    }
}

static void read_occupancy(const struct grid *grid, double *occupancy)
{
    memset(occupancy, 0, grid->plan->n_states * sizeof *occupancy);
    for (size_t s = 0; s < grid->plan->n_states; s++)
        for (size_t phase = 0; phase < grid->n_phases; phase++) {
            const double *mass = grid->mass + phase * grid->n_all + grid->first_cell[s];
            for (size_t c = 0; c < grid->n_cells[s]; c++)
                occupancy[s] += mass[c];
        }
    for (size_t k = 0; k < grid->n_exact; k++)
        for (size_t phase = 0; phase < grid->n_phases; phase++)
            occupancy[grid->exact[k].i_state] += grid->exact[k].mass[phase];
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
    pk_free(twin->ways);
    pk_free(twin->rows);
    pk_free(twin->row_of);
    pk_free(twin->mass);
    pk_free(twin->rates);
    pk_twin_init(twin);
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
    size_t i_transition = 0;
    const char *obstacle = pk_twin_obstacle(problem->plan, problem->treatment, &i_transition);
    if (obstacle != NULL)
        return pk_error_set(error, PK_BAD_INPUT, "the analytic twin cannot follow it: the transition %zu %s",
                            i_transition + 1, obstacle);
    struct grid *grid = twin->grid = twin->grid != NULL ? twin->grid : pk_alloc(1, sizeof *grid);
    if (grid == NULL)
        return pk_error_set(error, PK_NO_MEMORY, "no memory for the analytic twin");
    memset(grid, 0, offsetof(struct grid, exact));
    grid->problem = problem;
    grid->plan = problem->plan;
    double steps = problem->until / problem->step;
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
    const size_t n_states = grid->plan->n_states;
    for (size_t s = 0; s < n_states; s++)
        grid->stale[s] = true;
    pk_twin_look_first(grid);
    find_timers(grid);
    put_starts(grid);
    const double *times = problem->times != NULL ? problem->times : &problem->until;
    const size_t n_times = problem->times != NULL ? problem->n_times : 1;
    double now[PK_MAX_STATES], months[PK_MAX_STATES] = {0}, entries[PK_MAX_STATES] = {0};
    const bool watched = person_months != NULL || problem->times != NULL; /* on the way, not at its end alone */
    size_t i_time = 0;
    grid->entries = problem->entries != NULL ? entries : NULL;
    read_occupancy(grid, now);
    for (size_t i = 0; i <= grid->n_steps; i++) {
        for (; i_time < n_times && times[i_time] < ((double)i + 0.5) * grid->step; i_time++) {
            memcpy(occupancy + i_time * n_states, now, n_states * sizeof *now);
            if (person_months != NULL)
                memcpy(person_months + i_time * n_states, months, n_states * sizeof *months);
            if (problem->entries != NULL)
                memcpy(problem->entries + i_time * n_states, entries, n_states * sizeof *entries);
        }
        if (i == grid->n_steps)
            break;
        for (size_t s = 0; s < n_states; s++)
            months[s] += 0.5 * grid->step * now[s];
        pk_twin_step(grid, (double)i * grid->step);
        if (watched || i + 1 == grid->n_steps)
            read_occupancy(grid, now);
        for (size_t s = 0; s < n_states; s++)
            months[s] += 0.5 * grid->step * now[s];
    }
    return PK_OK;
}
