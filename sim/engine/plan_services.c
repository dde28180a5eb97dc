/* What services do to hazards, in a plan. See plan.h. */
#include <math.h>
#include <string.h>

#include "plan_private.h"
#include "polku/elementary.h"

enum { ROOM = 64 }; /* effects of a service: a bit each in a life's record of ended effects */

void pk_compile_diverted(struct pk_compile *compile)
{
    struct pk_plan *plan = compile->plan;
    const struct pk_model *model = compile->model;
    const size_t n_base = plan->n_arcs;
    for (size_t i = 0; i < model->n_services; i++)
        for (size_t k = 0; k < model->services[i].n_effects; k++) {
            const struct pk_effect *effect = &model->services[i].effects[k];
            if (effect->mode != PK_EFFECT_PREVENT || effect->i_instead == SIZE_MAX)
                continue;
            for (size_t s = 0; s < model->n_states && compile->status == PK_OK; s++) {
                bool leaves = false, known = s == effect->i_instead;
                for (size_t a = 0; a < n_base; a++)
                    leaves |= plan->arcs[a].i_transition == effect->i_transition && plan->arcs[a].i_from == s;
                for (size_t a = n_base; a < plan->n_arcs; a++)
                    known |= plan->arcs[a].i_transition == effect->i_transition && plan->arcs[a].i_from == s &&
                             plan->arcs[a].i_to == effect->i_instead;
                struct pk_plan_arc *arc = leaves && !known ? pk_compile_arc(compile) : NULL;
                if (arc == NULL)
                    continue;
                arc->i_transition = effect->i_transition;
                arc->i_from = s;
                arc->i_to = effect->i_instead;
                arc->diverted = arc->hazardless = true;
            }
        }
}

/* The arc that a prevented event takes instead; UINT16_MAX: none. */
static uint16_t find_diverted(const struct pk_plan *plan, size_t i_transition, size_t i_from, size_t i_to)
{
    for (size_t a = 0; a < plan->n_arcs && i_to != SIZE_MAX; a++)
        if (plan->arcs[a].diverted && plan->arcs[a].i_transition == i_transition && plan->arcs[a].i_from == i_from &&
            plan->arcs[a].i_to == i_to)
            return (uint16_t)a;
    return UINT16_MAX;
}

static void compile_prevention(struct pk_compile *compile, size_t i_service, const struct pk_effect *effect)
{
    struct pk_plan_prevention *made = &compile->plan->preventions[compile->plan->n_preventions++];
    made->i_service = i_service;
    made->i_transition = effect->i_transition;
    made->share = pk_compile_used(compile, effect->i_share);
    made->again = effect->again;
    if (effect->again == PK_AGAIN_YEARS)
        made->again_months = pk_tick_round(pk_compile_used(compile, effect->i_again_years) * 12);
    if (effect->i_relapse != SIZE_MAX)
        made->relapse = pk_compile_used(compile, effect->i_relapse) / 12;
}

static double scaled_ratio(struct pk_compile *compile, const struct pk_service *service, const struct pk_effect *effect)
{
    double ratio = 1;
    for (size_t i = 0; i < effect->hazard.n_factors; i++)
        ratio *= pk_compile_used(compile, effect->hazard.i_factors[i]);
    double fidelity = service->i_fidelity == SIZE_MAX ? 1 : pk_compile_used(compile, service->i_fidelity);
    if (fidelity == 1 || !(ratio > 0))
        return ratio;
    return fidelity == 0 ? 1 : pk_pow(ratio, fidelity);
}

/* The hazards of replace and at_least, by stratum where there are ratios. */
static void compile_own_rates(struct pk_compile *compile, const struct pk_effect *effect, double share,
                              struct pk_plan_effect *made)
{
    const size_t n = effect->n_ratios > 0 ? compile->plan->n_strata : 1;
    struct pk_rate *rates = pk_compile_alloc(compile, n, sizeof *rates);
    compile->own_hazards = true;
    for (size_t z = 0; z < n && compile->status == PK_OK; z++)
        pk_compile_rate(compile, &effect->hazard,
                        share * pk_compile_ratios(compile, effect->ratios, effect->n_ratios, z), 0, &rates[z]);
    compile->own_hazards = false;
    made->n_rates = n;
    made->rates = rates;
}

/* What replaces an arc's hazard, or is the least that it is. */
static void compile_own(struct pk_compile *compile, const struct pk_effect *effect, struct pk_plan_effect *made)
{
    double share = 1;
    const struct pk_transition *transition = &compile->model->transitions[effect->i_transition];
    for (size_t d = 0; d < transition->n_to; d++)
        if (transition->i_to[d] == compile->plan->arcs[made->arc].i_to && transition->i_to_share[d] != SIZE_MAX)
            share = pk_compile_used(compile, transition->i_to_share[d]);
    compile_own_rates(compile, effect, share, made);
}

static bool works_on(const struct pk_effect *effect, const struct pk_plan_arc *arc)
{
    return arc->i_transition == effect->i_transition && !arc->diverted;
}

static void compile_effect(struct pk_compile *compile, size_t i_service, const struct pk_effect *effect,
                           struct pk_plan_service *planned)
{
    struct pk_plan *plan = compile->plan;
    const struct pk_service *service = &compile->model->services[i_service];
    if (effect->mode == PK_EFFECT_PREVENT)
        compile_prevention(compile, i_service, effect);
    for (size_t a = 0; a < plan->n_arcs && compile->status == PK_OK; a++) {
        const struct pk_plan_arc *arc = &plan->arcs[a];
        if (!works_on(effect, arc))
            continue;
        if (planned->n_effects == ROOM) {
            compile->status = pk_error_set(compile->error, PK_BAD_INPUT, "the service %s works on more than %d arcs",
                                           service->name, ROOM);
            return;
        }
        struct pk_plan_effect *made = &planned->effects[planned->n_effects++];
        *made = (struct pk_plan_effect){
            .arc = (uint16_t)a, .mode = effect->mode, .i_prevention = SIZE_MAX, .i_diverted = UINT16_MAX};
        if (effect->mode == PK_EFFECT_PREVENT) {
            made->i_prevention = plan->n_preventions - 1;
            made->i_diverted = find_diverted(plan, arc->i_transition, arc->i_from, effect->i_instead);
        } else if (effect->mode == PK_EFFECT_SCALE) {
            made->ratio = scaled_ratio(compile, service, effect);
        } else {
            compile_own(compile, effect, made);
        }
    }
}

/* Whether a service has the effect in the plan: what it would prevent is left out where nobody is enrolled. */
static bool is_planned(const struct pk_plan_service *planned, const struct pk_effect *effect)
{
    return effect->mode != PK_EFFECT_PREVENT || planned->used;
}

void pk_compile_own_hazards(struct pk_compile *compile)
{
    const struct pk_plan *plan = compile->plan;
    for (size_t i = 0; i < plan->n_services; i++) {
        const struct pk_service *service = &compile->model->services[i];
        struct pk_plan_effect *made = plan->services[i].effects;
        for (size_t k = 0; k < service->n_effects; k++) {
            const struct pk_effect *effect = &service->effects[k];
            for (size_t a = 0; is_planned(&plan->services[i], effect) && a < plan->n_arcs; a++) {
                if (!works_on(effect, &plan->arcs[a]) || compile->status != PK_OK)
                    continue;
                if (effect->mode == PK_EFFECT_REPLACE || effect->mode == PK_EFFECT_AT_LEAST)
                    compile_own(compile, effect, made);
                made++;
            }
        }
        PK_ASSERT(compile->status != PK_OK || made == plan->services[i].effects + plan->services[i].n_effects);
    }
}

static bool is_used(const struct pk_compile *compile, size_t i_service)
{
    bool used = false;
    for (size_t a = 0; a < compile->scenario->n_arms; a++)
        for (size_t i = 0; i < compile->scenario->arms[a].n_enrolments; i++)
            used |= compile->scenario->arms[a].enrolments[i].i_service == i_service;
    return used;
}

void pk_compile_services(struct pk_compile *compile)
{
    struct pk_plan *plan = compile->plan;
    const struct pk_model *model = compile->model;
    size_t n_preventions = 0;
    for (size_t i = 0; i < model->n_services; i++)
        for (size_t k = 0; k < model->services[i].n_effects; k++)
            n_preventions += model->services[i].effects[k].mode == PK_EFFECT_PREVENT;
    plan->n_services = model->n_services;
    plan->services = pk_compile_alloc(compile, model->n_services, sizeof *plan->services);
    plan->preventions = pk_compile_alloc(compile, n_preventions, sizeof *plan->preventions);
    for (size_t i = 0; i < model->n_services && compile->status == PK_OK; i++) {
        const struct pk_service *service = &model->services[i];
        struct pk_plan_service *planned = &plan->services[i];
        planned->used = is_used(compile, i);
        planned->effects = pk_compile_alloc(compile, ROOM, sizeof *planned->effects);
        if (planned->effects == NULL)
            return;
        double years = service->i_window == SIZE_MAX ? (double)INFINITY : pk_compile_used(compile, service->i_window);
        planned->window = isinf(years) ? (double)INFINITY : pk_tick_round(years * 12);
        planned->first_job_only =
            service->i_first_job_only != SIZE_MAX && pk_compile_used(compile, service->i_first_job_only) != 0;
        pk_compile_places(compile, service, planned);
        planned->cost_euros = service->i_cost == SIZE_MAX ? 0 : pk_compile_used(compile, service->i_cost);
        for (size_t k = 0; k < service->n_effects && compile->status == PK_OK; k++)
            if (is_planned(planned, &service->effects[k]))
                compile_effect(compile, i, &service->effects[k], planned);
        for (size_t k = 0; k < planned->n_effects; k++)
            planned->works_in |= UINT64_C(1) << plan->arcs[planned->effects[k].arc].i_from;
    }
}

void pk_compile_differences(struct pk_compile *compile)
{
    struct pk_plan *plan = compile->plan;
    const struct pk_model *model = compile->model;
    plan->n_frailties = model->n_frailties;
    plan->frailties = pk_compile_alloc(compile, model->n_frailties, sizeof *plan->frailties);
    plan->cures = pk_compile_alloc(compile, PK_MAX_CURES, sizeof *plan->cures);
    for (size_t i = 0; i < model->n_frailties && compile->status == PK_OK; i++) {
        double variance = pk_compile_used(compile, model->frailties[i].i_variance);
        plan->frailties[i].shape = variance > 0 ? 1 / variance : (double)INFINITY;
        plan->frailties[i].unconditional = model->frailties[i].unconditional;
    }
    for (size_t t = 0; t < model->n_transitions && compile->status == PK_OK; t++) {
        const struct pk_transition *transition = &model->transitions[t];
        if (transition->cure == PK_CURE_NONE)
            continue;
        if (plan->n_cures == PK_MAX_CURES) {
            compile->status =
                pk_error_set(compile->error, PK_BAD_INPUT, "more than %d transitions have a cure", PK_MAX_CURES);
            return;
        }
        plan->cures[plan->n_cures++] = (struct pk_plan_cure){.i_transition = t,
                                                             .share = pk_compile_used(compile, transition->i_cure),
                                                             .per_spell = transition->cure == PK_CURE_SPELL,
                                                             .unconditional = transition->cure_unconditional};
    }
}
