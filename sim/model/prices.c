/* Which parameters are only prices. See prices.h; what a model uses them for: uses.c. */
#include "polku/prices.h"

#include <string.h>

#include "uses_private.h"

static void mark_number(unsigned char *uses, const struct pk_number *number)
{
    pk_uses_mark(uses, number->i_parameter, PK_USE_ELSEWHERE);
}

static void mark_distribution(unsigned char *uses, const struct pk_distribution *distribution)
{
    for (size_t i = 0; i < 4; i++)
        mark_number(uses, &distribution->arguments[i]);
    for (size_t i = 0; distribution->shares != NULL && i < distribution->n_bins; i++)
        mark_number(uses, &distribution->shares[i]);
}

static void mark_origin(unsigned char *uses, const struct pk_model *model, const struct pk_origin *origin)
{
    for (size_t s = 0; origin->state_shares != NULL && s < model->n_states; s++)
        mark_number(uses, &origin->state_shares[s]);
    for (size_t a = 0; origin->value_shares != NULL && a < model->n_attributes; a++)
        for (size_t v = 0; origin->value_shares[a] != NULL && v < model->attributes[a].n_values; v++)
            mark_number(uses, &origin->value_shares[a][v]);
    if (origin->has_age)
        mark_distribution(uses, &origin->age);
    for (size_t s = 0; origin->elapsed != NULL && s < model->n_states; s++)
        mark_distribution(uses, &origin->elapsed[s]);
}

static void mark_enrolment(unsigned char *uses, const struct pk_enrolment *enrolment)
{
    mark_number(uses, &enrolment->persons);
    for (size_t i = 0; i < enrolment->rate.n_factors; i++)
        pk_uses_mark(uses, enrolment->rate.i_factors[i], PK_USE_ELSEWHERE);
}

static void mark_scenario(unsigned char *uses, const struct pk_model *model, const struct pk_scenario *scenario)
{
    const struct pk_population *population = &scenario->population;
    if (population->people.n == 0) {
        mark_number(uses, &population->size);
        mark_origin(uses, model, &population->origin);
    }
    if (population->inflow.any) {
        mark_number(uses, &population->inflow.per_year);
        mark_origin(uses, model, &population->inflow.origin);
    }
    for (size_t a = 0; a < scenario->n_arms; a++) {
        const struct pk_arm *arm = &scenario->arms[a];
        for (size_t i = 0; i < arm->n_enrolments; i++)
            mark_enrolment(uses, &arm->enrolments[i]);
        if (arm->changes_places)
            mark_number(uses, &arm->places_ratio);
        if (arm->displaces)
            mark_number(uses, &arm->displaced_share);
        for (size_t s = 0; arm->state_shares != NULL && s < model->n_states; s++)
            mark_number(uses, &arm->state_shares[s]);
        for (size_t i = 0; arm->price_ratios != NULL && i < model->n_rewards; i++)
            pk_uses_mark(uses, arm->price_ratios[i].i_parameter, PK_USE_PRICE);
    }
    for (size_t i = 0; i < scenario->n_outcomes; i++) {
        mark_number(uses, &scenario->outcomes[i].discount.rate);
        mark_number(uses, &scenario->outcomes[i].displacement);
    }
    mark_number(uses, &scenario->per_persons);
}

void pk_prices_find(const struct pk_model *model, const struct pk_scenario *scenario, enum pk_price *uses)
{
    unsigned char marks[PK_MAX_PARAMETERS] = {0};
    pk_uses_mark_model(marks, model, NULL);
    mark_scenario(marks, model, scenario);
    for (size_t i = 0; i < model->n_parameters; i++)
        uses[i] = !(marks[i] & PK_USE_PRICE)    ? PK_PRICE_NONE
                  : marks[i] & PK_USE_ELSEWHERE ? PK_PRICE_MORE
                                                : PK_PRICE_ONLY;
}

/* Uses but for services that no arm enrols in. */
static void mark_here(unsigned char *here, const struct pk_model *model, const struct pk_scenario *scenario)
{
    bool enrolled[PK_MAX_SERVICES] = {false};
    for (size_t a = 0; a < scenario->n_arms; a++)
        for (size_t i = 0; i < scenario->arms[a].n_enrolments; i++)
            enrolled[scenario->arms[a].enrolments[i].i_service] = true;
    mark_scenario(here, model, scenario);
    pk_uses_mark_model(here, model, enrolled);
}

void pk_prices_used(const struct pk_model *model, const struct pk_scenario *scenario, bool *used)
{
    unsigned char here[PK_MAX_PARAMETERS] = {0};
    mark_here(here, model, scenario);
    for (size_t i = 0; i < model->n_parameters; i++)
        used[i] = here[i] != 0;
}

void pk_prices_idle(const struct pk_model *model, const struct pk_scenario *scenario, bool *idle)
{
    unsigned char all[PK_MAX_PARAMETERS] = {0}, here[PK_MAX_PARAMETERS] = {0};
    pk_uses_mark_model(all, model, NULL);
    mark_here(here, model, scenario);
    for (size_t i = 0; i < model->n_parameters; i++)
        idle[i] = all[i] != 0 && here[i] == 0;
}
