/* Where a model uses its parameters. See uses_private.h. */
#include "uses_private.h"

void pk_uses_mark(unsigned char *uses, size_t i_parameter, int how)
{
    if (i_parameter < PK_MAX_PARAMETERS) /* SIZE_MAX is none */
        uses[i_parameter] |= (unsigned char)how;
}

static void mark_hazard(unsigned char *uses, const struct pk_hazard *hazard)
{
    for (size_t i = 0; i < hazard->n_factors; i++)
        pk_uses_mark(uses, hazard->i_factors[i], PK_USE_ELSEWHERE);
    for (int i = 0; hazard->parametric && i < pk_hazard_parameter_counts[hazard->form]; i++)
        pk_uses_mark(uses, hazard->i_form[i], PK_USE_ELSEWHERE);
}

static void mark_transition(unsigned char *uses, const struct pk_transition *transition)
{
    mark_hazard(uses, &transition->hazard);
    if (transition->deterministic)
        pk_uses_mark(uses, transition->i_at, PK_USE_ELSEWHERE);
    if (transition->i_at_plus != SIZE_MAX)
        pk_uses_mark(uses, transition->i_at_plus, PK_USE_ELSEWHERE);
    if (transition->cure != PK_CURE_NONE)
        pk_uses_mark(uses, transition->i_cure, PK_USE_ELSEWHERE);
    for (size_t i = 0; i < transition->n_to; i++)
        pk_uses_mark(uses, transition->i_to_share[i], PK_USE_ELSEWHERE);
    for (size_t i = 0; i < transition->n_ratios; i++)
        pk_uses_mark(uses, transition->ratios[i].i_parameter, PK_USE_ELSEWHERE);
    for (size_t i = 0; i < transition->n_by_state; i++)
        pk_uses_mark(uses, transition->by_state[i].i_parameter, PK_USE_ELSEWHERE);
    for (size_t i = 0; i < transition->n_excess; i++)
        pk_uses_mark(uses, transition->excess[i].i_parameter, PK_USE_ELSEWHERE);
}

static void mark_service(unsigned char *uses, const struct pk_model *model, const struct pk_service *service)
{
    pk_uses_mark(uses, service->i_window, PK_USE_ELSEWHERE);
    pk_uses_mark(uses, service->i_first_job_only, PK_USE_ELSEWHERE);
    pk_uses_mark(uses, service->i_cost, PK_USE_ELSEWHERE);
    pk_uses_mark(uses, service->i_fidelity, PK_USE_ELSEWHERE);
    pk_uses_mark(uses, service->i_length, PK_USE_ELSEWHERE);
    mark_hazard(uses, &service->length);
    for (size_t s = 0; s < model->n_states; s++)
        pk_uses_mark(uses, service->i_support[s], PK_USE_ELSEWHERE);
    mark_hazard(uses, &service->places.coaches);
    mark_hazard(uses, &service->places.renege);
    pk_uses_mark(uses, service->places.i_caseload, PK_USE_ELSEWHERE);
    pk_uses_mark(uses, service->places.i_coach_cost, PK_USE_ELSEWHERE);
    pk_uses_mark(uses, service->places.i_baulk, PK_USE_ELSEWHERE);
    pk_uses_mark(uses, service->places.i_line, PK_USE_ELSEWHERE);
    for (size_t v = 0; service->places.i_ahead != NULL && v < model->attributes[service->places.i_priority].n_values;
         v++)
        pk_uses_mark(uses, service->places.i_ahead[v], PK_USE_ELSEWHERE);
    for (size_t k = 0; k < service->n_effects; k++) {
        const struct pk_effect *effect = &service->effects[k];
        mark_hazard(uses, &effect->hazard);
        for (size_t r = 0; r < effect->n_ratios; r++)
            pk_uses_mark(uses, effect->ratios[r].i_parameter, PK_USE_ELSEWHERE);
        if (effect->mode != PK_EFFECT_PREVENT)
            continue;
        pk_uses_mark(uses, effect->i_share, PK_USE_ELSEWHERE);
        pk_uses_mark(uses, effect->i_relapse, PK_USE_ELSEWHERE);
        if (effect->again == PK_AGAIN_YEARS)
            pk_uses_mark(uses, effect->i_again_years, PK_USE_ELSEWHERE);
    }
}

void pk_uses_mark_model(unsigned char *uses, const struct pk_model *model, const bool *services)
{
    for (size_t i = 0; i < model->n_transitions; i++)
        mark_transition(uses, &model->transitions[i]);
    for (size_t i = 0; i < model->n_services; i++)
        if (services == NULL || services[i])
            mark_service(uses, model, &model->services[i]);
    for (size_t i = 0; i < model->n_frailties; i++)
        pk_uses_mark(uses, model->frailties[i].i_variance, PK_USE_ELSEWHERE);
    for (size_t i = 0; i < model->n_parameters; i++)
        if (model->parameters[i].given == PK_GIVEN_PROBABILITY && (services == NULL || uses[i] != 0))
            pk_uses_mark(uses, model->parameters[i].i_by, PK_USE_ELSEWHERE);
    for (size_t i = 0; i < model->n_rewards; i++) {
        const struct pk_reward *reward = &model->rewards[i];
        for (size_t s = 0; s < model->n_states; s++)
            pk_uses_mark(uses, reward->i_state_parameter[s], PK_USE_PRICE);
        for (size_t t = 0; t < model->n_transitions && reward->i_transition_parameter != NULL; t++)
            pk_uses_mark(uses, reward->i_transition_parameter[t], PK_USE_PRICE);
        pk_uses_mark(uses, reward->i_by_age, PK_USE_WEIGHT);
        for (size_t k = 0; k < reward->n_ratios; k++)
            pk_uses_mark(uses, reward->ratios[k].i_parameter, PK_USE_PRICE);
    }
}
