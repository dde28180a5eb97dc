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

bool pk_twin_leaves_something(const struct pk_plan_prevention *prevention)
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
            if (pk_twin_leaves_something(prevention) && followed != NULL && followed != prevention)
                return "is the second whose prevention leaves immunity or relapse behind; the twin follows one";
            followed = pk_twin_leaves_something(prevention) ? prevention : followed;
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
    const enum pk_status status = pk_twin_lay_out(twin, grid, error);
    if (status != PK_OK)
        return status;
    const size_t n_states = grid->plan->n_states;
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
