/* The places of services, in a plan. See plan.h. */
#include <math.h>
#include <string.h>

#include "plan_private.h"

static double used_months(struct pk_compile *compile, size_t i_parameter, double otherwise)
{
    const double years = i_parameter == SIZE_MAX ? otherwise : pk_compile_used(compile, i_parameter);
    return isinf(years) ? years : pk_tick_round(years * 12);
}

static void compile_held(struct pk_compile *compile, const struct pk_service *service, struct pk_plan_service *planned)
{
    const size_t n_states = compile->model->n_states;
    double *support = pk_compile_alloc(compile, n_states, sizeof *support);
    if (support == NULL)
        return;
    planned->while_held = service->while_held;
    planned->length = used_months(compile, service->i_length, (double)INFINITY);
    planned->random_length = service->random_length;
    if (service->random_length)
        pk_compile_rate(compile, &service->length, 1, 0, &planned->length_rate);
    planned->held_anywhere = service->held_in == NULL;
    planned->first_station = SIZE_MAX;
    for (size_t s = 0; s < n_states; s++) {
        const bool held = service->held_in == NULL || service->held_in[s];
        planned->held_in |= (uint64_t)(held && !compile->model->states[s].absorbing) << s;
        support[s] = used_months(compile, service->i_support[s], 0);
    }
    planned->support = support;
    if (service->i_enters == SIZE_MAX)
        return;
    uint16_t *enters = pk_compile_alloc(compile, n_states, sizeof *enters);
    for (size_t s = 0; s < n_states && enters != NULL; s++) {
        enters[s] = UINT16_MAX;
        for (size_t a = 0; a < compile->plan->n_arcs; a++)
            if (compile->plan->arcs[a].i_transition == service->i_enters && compile->plan->arcs[a].i_from == s &&
                compile->plan->arcs[a].i_to != s)
                enters[s] = (uint16_t)a;
    }
    planned->enters = enters;
}

uint64_t pk_plan_slots(const struct pk_plan_places *places, size_t i, double ratio)
{
    const double exact = places->coaches[i] * places->caseload * ratio;
    return (uint64_t)floor(rint(exact * 1e6) / 1e6 + 0.5); /* 0.1 x 15 is a half */
}

/* Places and coaches of a station, in each segment of the table of coaches. */
static void compile_slots(struct pk_compile *compile, const struct pk_service *service, struct pk_plan_places *planned)
{
    const struct pk_places *places = &service->places;
    bool told = false;
    for (size_t i = 0; i < places->coaches.n_factors; i++)
        told |= compile->model->parameters[places->coaches.i_factors[i]].n_by > 0;
    planned->caseload = places->i_caseload == SIZE_MAX ? 1 : pk_compile_used(compile, places->i_caseload);
    planned->n_stations = places->i_by == SIZE_MAX ? 1 : compile->model->attributes[places->i_by].n_values;
    uint32_t *slots = NULL;
    double *coaches = NULL;
    for (size_t v = 0; v < planned->n_stations && compile->status == PK_OK; v++) {
        struct pk_rate rate; /* levels are a twelfth: hazards are per month */
        pk_compile_rate(compile, &places->coaches, 1, told ? v : 0, &rate);
        const size_t n = rate.n_cuts + 1;
        if (slots == NULL) {
            slots = pk_compile_alloc(compile, planned->n_stations * n, sizeof *slots);
            planned->coaches = coaches = pk_compile_alloc(compile, planned->n_stations * n, sizeof *coaches);
        }
        for (size_t i = 0; i < n && compile->status == PK_OK; i++) {
            coaches[v * n + i] = rate.levels[i] * 12;
            const double wanted = coaches[v * n + i] * planned->caseload;
            if (!(wanted >= 0 && wanted < 0x1p31))
                pk_compile_refuse(compile, "the service %s has too many places%s", service->name, "");
            else
                slots[v * n + i] = (uint32_t)pk_plan_slots(planned, v * n + i, 1);
        }
        planned->n_cuts = rate.n_cuts;
        planned->cuts = rate.cuts;
    }
    planned->slots = slots;
}

void pk_compile_places(struct pk_compile *compile, const struct pk_service *service, struct pk_plan_service *planned)
{
    const struct pk_places *places = &service->places;
    struct pk_plan_places *made = &planned->places;
    compile_held(compile, service, planned);
    *made = (struct pk_plan_places){
        .limited = places->limited, .i_by = SIZE_MAX, .n_stations = 1, .i_priority = SIZE_MAX, .line = UINT64_MAX};
    made->again = places->again;
    if (!places->limited || compile->status != PK_OK)
        return;
    made->i_by = places->i_by;
    made->filled = places->filled;
    made->period = pk_tick_round(places->period_months);
    made->by_lot = places->by_lot;
    made->i_priority = places->i_priority;
    if (places->i_priority != SIZE_MAX) {
        const size_t n = compile->model->attributes[places->i_priority].n_values;
        double *ahead = pk_compile_alloc(compile, n, sizeof *ahead);
        for (size_t v = 0; v < n && ahead != NULL; v++)
            ahead[v] = used_months(compile, places->i_ahead[v], 0);
        made->ahead = ahead;
        made->n_ahead = n;
    }
    made->baulk = places->i_baulk == SIZE_MAX ? 0 : pk_compile_used(compile, places->i_baulk);
    if (places->i_line != SIZE_MAX)
        made->line = (uint64_t)floor(pk_compile_used(compile, places->i_line));
    made->reneges = places->reneges;
    if (places->reneges)
        pk_compile_rate(compile, &places->renege, 1, 0, &made->renege);
    made->coach_euros = places->i_coach_cost == SIZE_MAX ? 0 : pk_compile_used(compile, places->i_coach_cost);
    compile_slots(compile, service, made);
}
