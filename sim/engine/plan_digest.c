/* A number that tells plans apart. See plan.h. */
#include "polku/hash.h"
#include "polku/plan.h"

/* Over the tables a life reads; structs field by field, since their gaps hold anything. */
#define MIX_WHOLE(digest, ...)                                                                                         \
    do {                                                                                                               \
        const uint64_t whole_[] = {__VA_ARGS__};                                                                       \
        pk_hash_mix(digest, whole_, sizeof whole_);                                                                    \
    } while (0)
#define MIX_REAL(digest, ...)                                                                                          \
    do {                                                                                                               \
        const double real_[] = {__VA_ARGS__};                                                                          \
        pk_hash_mix(digest, real_, sizeof real_);                                                                      \
    } while (0)

static void mix_doubles(uint64_t *digest, const double *values, size_t n)
{
    pk_hash_mix(digest, &n, sizeof n);
    pk_hash_mix(digest, values, values != NULL ? n * sizeof *values : 0);
}

static void mix_rate(uint64_t *digest, const struct pk_rate *rate)
{
    MIX_WHOLE(digest, rate->clock, rate->n_cuts, rate->smooth);
    mix_doubles(digest, rate->cuts, rate->n_cuts);
    if (rate->levels != NULL)
        mix_doubles(digest, rate->levels, rate->n_cuts + 1);
    if (!rate->smooth)
        return;
    MIX_WHOLE(digest, rate->curve.form);
    MIX_REAL(digest, rate->factor, rate->offset);
    mix_doubles(digest, rate->curve.p, PK_HAZARD_PARAMETERS_MAX);
}

static void mix_rates(uint64_t *digest, const struct pk_plan *plan, size_t n, const struct pk_rate *rates,
                      const uint16_t *rate_of)
{
    for (size_t i = 0; i < n; i++)
        mix_rate(digest, &rates[i]);
    if (rate_of != NULL)
        pk_hash_mix(digest, rate_of, plan->n_strata * sizeof *rate_of);
}

static void mix_hazards(uint64_t *digest, const struct pk_plan *plan)
{
    for (size_t a = 0; a < plan->n_arcs; a++) {
        const struct pk_plan_arc *arc = &plan->arcs[a];
        MIX_WHOLE(digest, arc->i_from, arc->i_to, arc->i_transition, arc->i_person_hazard, arc->deterministic,
                  arc->diverted, arc->hazardless, arc->i_frailty, arc->i_cure, arc->n_rates);
        MIX_REAL(digest, arc->excess, arc->share);
        mix_rates(digest, plan, arc->n_rates, arc->rates, arc->rate_of);
    }
    mix_doubles(digest, plan->multipliers, plan->n_strata * plan->n_arcs);
    for (size_t i = 0; i < plan->n_person_hazards; i++) {
        const struct pk_person_hazard *hazard = &plan->person_hazards[i];
        MIX_WHOLE(digest, hazard->i_transition, hazard->i_frailty, hazard->i_cure, hazard->n_rates);
        mix_rates(digest, plan, hazard->n_rates, hazard->rates, hazard->rate_of);
    }
    for (size_t s = 0; s < plan->n_states; s++) {
        const struct pk_plan_state *state = &plan->states[s];
        MIX_WHOLE(digest, state->stream, state->n_timers);
        for (size_t i = 0; i < state->n_timers; i++) {
            MIX_WHOLE(digest, state->timers[i].clock, state->timers[i].i_transition);
            MIX_REAL(digest, state->timers[i].value);
            for (size_t k = 0; k < state->timers[i].n_births; k++)
                MIX_REAL(digest, state->timers[i].births[k], state->timers[i].later[k]);
        }
    }
    for (size_t i = 0; i < plan->n_frailties; i++) {
        MIX_WHOLE(digest, plan->frailties[i].unconditional);
        MIX_REAL(digest, plan->frailties[i].shape);
    }
    for (size_t i = 0; i < plan->n_cures; i++) {
        MIX_WHOLE(digest, plan->cures[i].i_transition, plan->cures[i].per_spell, plan->cures[i].unconditional);
        MIX_REAL(digest, plan->cures[i].share);
    }
}

static void mix_places(uint64_t *digest, const struct pk_plan *plan, const struct pk_plan_service *service)
{
    const struct pk_plan_places *places = &service->places;
    const size_t n = places->n_stations * (places->n_cuts + 1);
    MIX_WHOLE(digest, service->while_held, service->random_length, service->held_in, places->limited);
    MIX_REAL(digest, service->length);
    mix_doubles(digest, service->support, plan->n_states);
    mix_rate(digest, &service->length_rate);
    if (service->enters != NULL)
        pk_hash_mix(digest, service->enters, plan->n_states * sizeof *service->enters);
    if (!places->limited)
        return;
    MIX_WHOLE(digest, places->i_by, places->n_stations, places->n_cuts, places->filled, places->by_lot);
    MIX_WHOLE(digest, places->i_priority, places->line, places->reneges, places->again);
    MIX_REAL(digest, places->period, places->baulk);
    mix_doubles(digest, places->cuts, places->n_cuts);
    mix_doubles(digest, places->coaches, n);
    MIX_REAL(digest, places->caseload);
    mix_rate(digest, &places->renege);
    if (places->i_priority != SIZE_MAX)
        mix_doubles(digest, places->ahead, places->n_ahead);
}

static void mix_services(uint64_t *digest, const struct pk_plan *plan)
{
    for (size_t i = 0; i < plan->n_services; i++) {
        const struct pk_plan_service *service = &plan->services[i];
        if (!service->used)
            continue;
        MIX_WHOLE(digest, i, service->first_job_only, service->n_effects);
        MIX_REAL(digest, service->window);
        mix_places(digest, plan, service);
        for (size_t k = 0; k < service->n_effects; k++) {
            const struct pk_plan_effect *effect = &service->effects[k];
            MIX_WHOLE(digest, effect->arc, effect->mode, effect->i_prevention, effect->i_diverted);
            MIX_REAL(digest, effect->ratio);
            for (size_t z = 0; z < effect->n_rates; z++)
                mix_rate(digest, &effect->rates[z]);
        }
    }
    for (size_t i = 0; i < plan->n_preventions; i++) {
        const struct pk_plan_prevention *prevention = &plan->preventions[i];
        MIX_WHOLE(digest, prevention->i_service, prevention->i_transition, prevention->again);
        MIX_REAL(digest, prevention->share, prevention->again_months, prevention->relapse);
    }
}

static void mix_distribution(uint64_t *digest, const struct pk_plan_distribution *distribution)
{
    MIX_WHOLE(digest, distribution->kind, distribution->n_bins, distribution->n_points);
    MIX_REAL(digest, distribution->a, distribution->b, distribution->c, distribution->d);
    if (distribution->n_bins > 0) {
        mix_doubles(digest, distribution->edges, distribution->n_bins + 1);
        mix_doubles(digest, distribution->cumulative, distribution->n_bins);
    }
    mix_doubles(digest, distribution->points, distribution->n_points);
}

static void mix_choice(uint64_t *digest, const struct pk_plan_choice *choice)
{
    MIX_WHOLE(digest, choice->only);
    mix_doubles(digest, choice->cumulative, choice->n);
}

static void mix_origin(uint64_t *digest, const struct pk_plan *plan, const struct pk_plan_origin *origin)
{
    mix_choice(digest, &origin->start_state);
    for (size_t i = 0; i < plan->n_attributes; i++)
        mix_choice(digest, &origin->attributes[i]);
    for (size_t j = 0; j < origin->n_joints; j++) {
        const struct pk_plan_joint *joint = &origin->joints[j];
        pk_hash_mix(digest, joint->i_attributes, joint->n_attributes * sizeof *joint->i_attributes);
        mix_doubles(digest, joint->cumulative, joint->n_cells);
        pk_hash_mix(digest, joint->values, joint->n_cells * joint->n_attributes);
    }
    MIX_WHOLE(digest, origin->n_joints, origin->needs_age, origin->elapsed_states);
    if (origin->needs_age)
        mix_distribution(digest, &origin->age);
    for (size_t s = 0; s < plan->n_states; s++)
        if (origin->elapsed_states >> s & 1)
            mix_distribution(digest, &origin->elapsed[s]);
}

static void mix_people(uint64_t *digest, const struct pk_plan *plan)
{
    const struct pk_plan_people *people = &plan->people;
    MIX_WHOLE(digest, people->n, plan->weight_bits, plan->inflow.n_years, plan->inflow.poisson);
    if (people->n > 0) {
        pk_hash_mix(digest, people->states, people->n * sizeof *people->states);
        pk_hash_mix(digest, people->values, people->n * plan->n_attributes);
        mix_doubles(digest, people->ages, people->n);
        mix_doubles(digest, people->elapsed, people->n);
        pk_hash_mix(digest, people->weights, people->weights != NULL ? people->n * sizeof *people->weights : 0);
    } else {
        mix_origin(digest, plan, &plan->origin);
    }
    if (plan->inflow.n_years == 0)
        return;
    mix_doubles(digest, plan->inflow.mean, plan->inflow.n_years);
    mix_doubles(digest, plan->inflow.length, plan->inflow.n_years);
    mix_origin(digest, plan, &plan->inflow.origin);
}

static void mix_referral(uint64_t *digest, const struct pk_plan_enrolment *enrolment)
{
    const struct pk_plan_referral *referral = &enrolment->referral;
    if (!enrolment->queued)
        return;
    MIX_WHOLE(digest, referral->by_rate, referral->states, referral->stream, referral->ordinal);
    MIX_REAL(digest, referral->from, referral->to, referral->age_low, referral->age_high);
    if (referral->by_rate)
        mix_rate(digest, &referral->rate);
}

static void mix_arms(uint64_t *digest, const struct pk_plan *plan)
{
    for (size_t i = 0; i < plan->n_targets; i++) {
        MIX_WHOLE(digest, plan->targets[i].states);
        MIX_REAL(digest, plan->targets[i].age_low, plan->targets[i].age_high);
        pk_hash_mix(digest, plan->targets[i].allowed, plan->n_attributes * 256);
    }
    for (size_t i = 0; i < plan->n_lotteries; i++) {
        const struct pk_plan_lottery *lottery = &plan->lotteries[i];
        MIX_WHOLE(digest, lottery->i_target, lottery->by_share, lottery->persons, lottery->at_entry, lottery->asked,
                  lottery->displaced);
        MIX_REAL(digest, lottery->share, lottery->quota);
    }
    for (size_t a = 0; a < plan->n_arms; a++) {
        const struct pk_plan_arm *arm = &plan->arms[a];
        MIX_WHOLE(digest, arm->n_enrolments, arm->has_start);
        for (size_t i = 0; i < arm->n_enrolments; i++) {
            MIX_WHOLE(digest, arm->enrolments[i].i_service, arm->enrolments[i].i_lottery);
            MIX_REAL(digest, arm->enrolments[i].at);
            mix_referral(digest, &arm->enrolments[i]);
        }
        if (arm->queued) {
            MIX_WHOLE(digest, arm->i_displaced, arm->i_displaced_by);
            MIX_REAL(digest, arm->displaced);
            mix_doubles(digest, arm->ample, plan->n_services);
        }
        if (arm->has_start)
            mix_choice(digest, &arm->start_state);
    }
}

uint64_t pk_plan_digest(const struct pk_plan *plan)
{
    uint64_t digest = PK_HASH_START;
    MIX_WHOLE(&digest, plan->seed, plan->n_persons, plan->n_states, plan->n_arcs, plan->n_strata, plan->n_attributes);
    MIX_REAL(&digest, plan->horizon);
    mix_hazards(&digest, plan);
    mix_services(&digest, plan);
    mix_people(&digest, plan);
    mix_arms(&digest, plan);
    return digest;
}
