/* Which parameters are only prices. See prices.h. */
#include "polku/prices.h"

#include <string.h>

/* Where a parameter enters: bits. */
enum { AS_PRICE = 1, ELSEWHERE = 2 };

struct marks {
    unsigned char used[PK_MAX_PARAMETERS];
};

static void mark(struct marks *marks, size_t i_parameter, int how)
{
    if (i_parameter < PK_MAX_PARAMETERS) /* SIZE_MAX is none */
        marks->used[i_parameter] |= (unsigned char)how;
}

static void mark_number(struct marks *marks, const struct pk_number *number)
{
    mark(marks, number->i_parameter, ELSEWHERE);
}

static void mark_hazard(struct marks *marks, const struct pk_hazard *hazard)
{
    for (size_t i = 0; i < hazard->n_factors; i++)
        mark(marks, hazard->i_factors[i], ELSEWHERE);
    for (int i = 0; hazard->parametric && i < pk_hazard_parameter_counts[hazard->form]; i++)
        mark(marks, hazard->i_form[i], ELSEWHERE);
}

static void mark_transition(struct marks *marks, const struct pk_transition *transition)
{
    mark_hazard(marks, &transition->hazard);
    if (transition->deterministic)
        mark(marks, transition->i_at, ELSEWHERE);
    if (transition->cure != PK_CURE_NONE)
        mark(marks, transition->i_cure, ELSEWHERE);
    for (size_t i = 0; i < transition->n_to; i++)
        mark(marks, transition->i_to_share[i], ELSEWHERE);
    for (size_t i = 0; i < transition->n_ratios; i++)
        mark(marks, transition->ratios[i].i_parameter, ELSEWHERE);
    for (size_t i = 0; i < transition->n_excess; i++)
        mark(marks, transition->excess[i].i_parameter, ELSEWHERE);
}

static void mark_service(struct marks *marks, const struct pk_service *service)
{
    mark(marks, service->i_window, ELSEWHERE);
    mark(marks, service->i_first_job_only, ELSEWHERE);
    mark(marks, service->i_cost, ELSEWHERE);
    mark(marks, service->i_fidelity, ELSEWHERE);
    for (size_t k = 0; k < service->n_effects; k++) {
        const struct pk_effect *effect = &service->effects[k];
        mark_hazard(marks, &effect->hazard);
        if (effect->mode != PK_EFFECT_PREVENT)
            continue;
        mark(marks, effect->i_share, ELSEWHERE);
        mark(marks, effect->i_relapse, ELSEWHERE);
        if (effect->again == PK_AGAIN_YEARS)
            mark(marks, effect->i_again_years, ELSEWHERE);
    }
}

static void mark_model(struct marks *marks, const struct pk_model *model)
{
    for (size_t i = 0; i < model->n_transitions; i++)
        mark_transition(marks, &model->transitions[i]);
    for (size_t i = 0; i < model->n_services; i++)
        mark_service(marks, &model->services[i]);
    for (size_t i = 0; i < model->n_frailties; i++)
        mark(marks, model->frailties[i].i_variance, ELSEWHERE);
    for (size_t i = 0; i < model->n_parameters; i++)
        if (model->parameters[i].given == PK_GIVEN_PROBABILITY)
            mark(marks, model->parameters[i].i_by, ELSEWHERE);
    for (size_t i = 0; i < model->n_rewards; i++) {
        const struct pk_reward *reward = &model->rewards[i];
        for (size_t s = 0; s < model->n_states; s++)
            mark(marks, reward->i_state_parameter[s], AS_PRICE);
        for (size_t t = 0; t < model->n_transitions && reward->i_transition_parameter != NULL; t++)
            mark(marks, reward->i_transition_parameter[t], AS_PRICE);
        for (size_t k = 0; k < reward->n_ratios; k++)
            mark(marks, reward->ratios[k].i_parameter, AS_PRICE);
    }
}

static void mark_distribution(struct marks *marks, const struct pk_distribution *distribution)
{
    for (size_t i = 0; i < 4; i++)
        mark_number(marks, &distribution->arguments[i]);
    for (size_t i = 0; distribution->shares != NULL && i < distribution->n_bins; i++)
        mark_number(marks, &distribution->shares[i]);
}

static void mark_origin(struct marks *marks, const struct pk_model *model, const struct pk_origin *origin)
{
    for (size_t s = 0; origin->state_shares != NULL && s < model->n_states; s++)
        mark_number(marks, &origin->state_shares[s]);
    for (size_t a = 0; origin->value_shares != NULL && a < model->n_attributes; a++)
        for (size_t v = 0; origin->value_shares[a] != NULL && v < model->attributes[a].n_values; v++)
            mark_number(marks, &origin->value_shares[a][v]);
    if (origin->has_age)
        mark_distribution(marks, &origin->age);
    for (size_t s = 0; origin->elapsed != NULL && s < model->n_states; s++)
        mark_distribution(marks, &origin->elapsed[s]);
}

static void mark_scenario(struct marks *marks, const struct pk_model *model, const struct pk_scenario *scenario)
{
    const struct pk_population *population = &scenario->population;
    if (population->people.n == 0) {
        mark_number(marks, &population->size);
        mark_origin(marks, model, &population->origin);
    }
    if (population->inflow.any) {
        mark_number(marks, &population->inflow.per_year);
        mark_origin(marks, model, &population->inflow.origin);
    }
    for (size_t a = 0; a < scenario->n_arms; a++) {
        const struct pk_arm *arm = &scenario->arms[a];
        for (size_t i = 0; i < arm->n_enrolments; i++)
            mark_number(marks, &arm->enrolments[i].persons);
        for (size_t s = 0; arm->state_shares != NULL && s < model->n_states; s++)
            mark_number(marks, &arm->state_shares[s]);
        for (size_t i = 0; arm->price_ratios != NULL && i < model->n_rewards; i++)
            mark(marks, arm->price_ratios[i].i_parameter, AS_PRICE);
    }
    for (size_t i = 0; i < scenario->n_outcomes; i++)
        mark_number(marks, &scenario->outcomes[i].discount.rate);
    mark_number(marks, &scenario->per_persons);
}

void pk_prices_find(const struct pk_model *model, const struct pk_scenario *scenario, enum pk_price *uses)
{
    struct marks marks;
    memset(&marks, 0, sizeof marks);
    mark_model(&marks, model);
    mark_scenario(&marks, model, scenario);
    for (size_t i = 0; i < model->n_parameters; i++)
        uses[i] = !(marks.used[i] & AS_PRICE) ? PK_PRICE_NONE
                  : marks.used[i] & ELSEWHERE ? PK_PRICE_MORE
                                              : PK_PRICE_ONLY;
}
