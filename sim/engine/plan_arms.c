/* The part of a plan about arms: target groups, lotteries, cohorts. See plan.h. */
#include <math.h>
#include <string.h>

#include "plan_private.h"

enum { LOTTERIES_MAX = 64 }; /* a bit each in the masks of whoever wins them */

/* The index of the target group with this definition, made if it is new: the same definition, the same people. */
static size_t find_target(struct pk_compile *compile, struct pk_plan_target made, const uint8_t *allowed)
{
    struct pk_plan *plan = compile->plan;
    size_t n_allowed = compile->model->n_attributes * 256;
    made.allowed = allowed;
    for (size_t i = 0; i < plan->n_targets; i++) {
        const struct pk_plan_target *known = &plan->targets[i];
        if (known->states == made.states && known->age_low == made.age_low && known->age_high == made.age_high &&
            memcmp(known->allowed, allowed, n_allowed) == 0)
            return i;
    }
    plan->targets[plan->n_targets] = made;
    return plan->n_targets++;
}

/* Everyone at all, or a target group of the scenario. */
static size_t compile_target(struct pk_compile *compile, const struct pk_target *target)
{
    const struct pk_model *model = compile->model;
    struct pk_plan_target made = {.age_low = -(double)INFINITY, .age_high = (double)INFINITY};
    uint8_t *allowed = pk_compile_alloc(compile, model->n_attributes * 256, sizeof *allowed);
    if (allowed == NULL)
        return 0;
    for (size_t s = 0; s < model->n_states; s++)
        made.states |= (uint64_t)(target == NULL || target->states[s]) << s;
    for (size_t i = 0; i < model->n_attributes; i++)
        for (size_t v = 0; v < model->attributes[i].n_values; v++)
            allowed[i * 256 + v] = target == NULL || target->values[i][v];
    if (target != NULL) {
        made.age_low = target->age_low > 0 ? target->age_low * 12 : -(double)INFINITY;
        made.age_high = target->age_high * 12;
    }
    return find_target(compile, made, allowed);
}

static size_t find_lottery(struct pk_compile *compile, struct pk_plan_lottery made)
{
    struct pk_plan *plan = compile->plan;
    for (size_t i = 0; i < plan->n_lotteries; i++) {
        const struct pk_plan_lottery *known = &plan->lotteries[i];
        if (known->i_target == made.i_target && known->by_share == made.by_share && known->share == made.share &&
            known->persons == made.persons && known->quota == made.quota && known->at_entry == made.at_entry &&
            known->asked == made.asked && known->displaced == made.displaced)
            return i;
    }
    if (plan->n_lotteries == LOTTERIES_MAX) {
        pk_compile_refuse(compile, "the arms enrol more than 64 different sets of people%s%s", "", "");
        return 0;
    }
    plan->lotteries[plan->n_lotteries] = made;
    return plan->n_lotteries++;
}

static size_t compile_lottery(struct pk_compile *compile, const struct pk_arm *arm,
                              const struct pk_enrolment *enrolment)
{
    struct pk_plan_lottery made = {
        .by_share = enrolment->by_share, .at_entry = enrolment->at_entry, .asked = enrolment->by_rate};
    double given = pk_number_value(&enrolment->persons, compile->values);
    if (made.asked) {
        made.at_entry = true;
    } else if (enrolment->quota) {
        made.quota = given;
        if (!(given > 0 && given <= 1))
            pk_compile_refuse(compile, "the arm %s must enrol a quota above 0, up to 1%s", arm->name, "");
    } else if (made.by_share) {
        made.share = given;
        if (!(given >= 0 && given <= 1))
            pk_compile_refuse(compile, "the arm %s must enrol a share from 0 to 1%s", arm->name, "");
    } else {
        made.persons = given >= 0 && given < 0x1p63 ? (uint64_t)given : 0;
        if (!(given >= 0) || given != floor(given))
            pk_compile_refuse(compile, "the arm %s must enrol a whole number of persons%s", arm->name, "");
    }
    made.i_target = compile_target(compile, &enrolment->target);
    return compile->status == PK_OK ? find_lottery(compile, made) : 0;
}

static void check_overlap(struct pk_compile *compile, const struct pk_arm *arm)
{
    for (size_t i = 0; i < arm->n_enrolments; i++)
        for (size_t j = 0; j < i; j++) {
            const struct pk_service *a = &compile->model->services[arm->enrolments[i].i_service];
            const struct pk_service *b = &compile->model->services[arm->enrolments[j].i_service];
            if (a == b && !a->places.limited && arm->enrolments[i].by_rate != arm->enrolments[j].by_rate)
                pk_compile_refuse(compile, "the arm %s enrols in the service %s both by rate and otherwise", arm->name,
                                  a->name);
            if (arm->enrolments[i].by_rate || arm->enrolments[j].by_rate || a->places.limited || b->places.limited)
                continue; /* which of them comes later is decided by places */
            for (size_t k = 0; k < a->n_effects; k++)
                for (size_t l = 0; l < b->n_effects; l++)
                    if (a->effects[k].i_transition == b->effects[l].i_transition)
                        pk_compile_refuse(compile,
                                          "the arm %s enrols in two services that both work on the transition %s",
                                          arm->name, compile->model->transitions[a->effects[k].i_transition].name);
        }
}

/* The cohort of whoever wins one of these lotteries. */
static size_t find_cohort(struct pk_plan *plan, uint64_t lotteries)
{
    for (size_t c = 0; c < plan->n_cohorts; c++)
        if (plan->cohorts[c].lotteries == lotteries)
            return c;
    plan->cohorts[plan->n_cohorts].lotteries = lotteries;
    return plan->n_cohorts++;
}

/* How an enrolment's people ask for a place, where places or a hazard decide when they get one. */
static void compile_referral(struct pk_compile *compile, const struct pk_enrolment *enrolment,
                             struct pk_plan_enrolment *members, size_t i)
{
    const struct pk_plan *plan = compile->plan;
    struct pk_plan_enrolment *member = &members[i];
    struct pk_plan_referral *referral = &member->referral;
    member->queued = enrolment->by_rate || plan->services[member->i_service].places.limited;
    if (!member->queued || compile->status != PK_OK)
        return;
    const struct pk_plan_target *target = &plan->targets[plan->lotteries[member->i_lottery].i_target];
    if (plan->weight_bits > 0 || plan->people.weights != NULL)
        pk_compile_refuse(compile, "the service %s has places, which people with weights cannot share%s",
                          compile->model->services[member->i_service].name, "");
    *referral = (struct pk_plan_referral){.by_rate = enrolment->by_rate,
                                          .to = (double)INFINITY,
                                          .age_low = target->age_low,
                                          .age_high = target->age_high,
                                          .states = target->states,
                                          .stream = (uint32_t)plan->lotteries[member->i_lottery].i_target};
    for (size_t j = 0; j < i; j++) {
        referral->ordinal += members[j].queued && members[j].referral.stream == referral->stream;
        referral->turn += members[j].queued && members[j].i_service == member->i_service;
    }
    if (!enrolment->by_rate)
        return;
    pk_compile_rate(compile, &enrolment->rate, 1, 0, &referral->rate);
    referral->from = pk_tick_round(enrolment->from_months);
    referral->to = isinf(enrolment->to_months) ? enrolment->to_months : pk_tick_round(enrolment->to_months);
}

/* An arm's enrolments; returns the lotteries (bit per lottery) of whoever they enrol. */
static uint64_t compile_enrolments(struct pk_compile *compile, const struct pk_arm *arm, struct pk_plan_arm *planned)
{
    struct pk_plan_enrolment *members = pk_compile_alloc(compile, arm->n_enrolments, sizeof *members);
    uint64_t lotteries = 0;
    for (size_t i = 0; i < arm->n_enrolments && compile->status == PK_OK; i++) {
        members[i] = (struct pk_plan_enrolment){.i_service = arm->enrolments[i].i_service,
                                                .i_lottery = compile_lottery(compile, arm, &arm->enrolments[i]),
                                                .at = pk_tick_round(arm->enrolments[i].at_months)};
        compile_referral(compile, &arm->enrolments[i], members, i);
        planned->queued |= members[i].queued;
        lotteries |= UINT64_C(1) << members[i].i_lottery;
    }
    check_overlap(compile, arm);
    planned->n_enrolments = arm->n_enrolments;
    planned->enrolments = members;
    planned->i_like = SIZE_MAX;
    for (size_t like = arm->i_like; like != SIZE_MAX; like = compile->scenario->arms[like].i_like)
        if (compile->scenario->arms[like].state_shares == arm->state_shares)
            planned->i_like = like;
    const double ratio = !arm->changes_places ? (double)NAN
                         : arm->ample         ? (double)INFINITY
                                              : pk_number_value(&arm->places_ratio, compile->values);
    planned->ample = pk_compile_alloc(compile, compile->plan->n_services + 1, sizeof *planned->ample);
    for (size_t s = 0; s < compile->plan->n_services && planned->ample != NULL; s++)
        planned->ample[s] = ratio;
    return lotteries;
}

/* Other states at the start: a lottery that everyone wins, since anyone there at the start may start elsewhere. */
static uint64_t compile_start(struct pk_compile *compile, const struct pk_arm *arm, struct pk_plan_arm *planned)
{
    if (arm->state_shares == NULL)
        return 0;
    planned->has_start = true;
    pk_compile_choice(compile, &planned->start_state, arm->state_shares, compile->model->n_states,
                      "the states at start of an arm");
    const struct pk_plan_lottery everyone = {.i_target = compile_target(compile, NULL), .by_share = true, .share = 1};
    return compile->status == PK_OK ? UINT64_C(1) << find_lottery(compile, everyone) : 0;
}

/* Whoever loses an event to the clients of services: known only once all have lived. */
static uint64_t compile_displaced(struct pk_compile *compile, const struct pk_arm *arm, struct pk_plan_arm *planned)
{
    if (!arm->displaces)
        return 0;
    planned->queued = true;
    planned->displaced = pk_number_value(&arm->displaced_share, compile->values);
    planned->i_displaced = arm->i_displaced;
    planned->i_displaced_by = arm->i_displaced_by;
    if (compile->plan->weight_bits > 0 || compile->plan->people.weights != NULL)
        pk_compile_refuse(compile, "the arm %s displaces people, and people with weights cannot be%s", arm->name, "");
    const struct pk_plan_lottery losers = {
        .i_target = compile_target(compile, NULL), .at_entry = true, .asked = true, .displaced = true};
    return compile->status == PK_OK ? UINT64_C(1) << find_lottery(compile, losers) : 0;
}

void pk_compile_arms(struct pk_compile *compile)
{
    struct pk_plan *plan = compile->plan;
    const struct pk_scenario *scenario = compile->scenario;
    uint64_t lotteries[PK_MAX_ARMS] = {0};
    plan->n_arms = scenario->n_arms;
    plan->arms = pk_compile_alloc(compile, scenario->n_arms, sizeof *plan->arms);
    plan->cohorts = pk_compile_alloc(compile, scenario->n_arms, sizeof *plan->cohorts);
    plan->targets = pk_compile_alloc(compile, scenario->n_arms * PK_MAX_ENROLMENTS + 1, sizeof *plan->targets);
    plan->lotteries = pk_compile_alloc(compile, LOTTERIES_MAX, sizeof *plan->lotteries);
    for (size_t a = 0; a < scenario->n_arms && compile->status == PK_OK; a++)
        lotteries[a] = compile_enrolments(compile, &scenario->arms[a], &plan->arms[a]);
    /* after all enrolments: their target groups' numbers are streams, which no other arm's start may shift */
    for (size_t a = 0; a < scenario->n_arms && compile->status == PK_OK; a++)
        lotteries[a] |= compile_start(compile, &scenario->arms[a], &plan->arms[a]);
    for (size_t a = 0; a < scenario->n_arms && compile->status == PK_OK; a++) {
        lotteries[a] |= compile_displaced(compile, &scenario->arms[a], &plan->arms[a]);
        plan->places_people |= plan->arms[a].queued;
    }
    for (size_t a = 0; a < scenario->n_arms && compile->status == PK_OK; a++)
        for (size_t i = 0; i < plan->arms[a].n_enrolments; i++) {
            struct pk_plan_service *service = &plan->services[plan->arms[a].enrolments[i].i_service];
            if (!plan->arms[a].enrolments[i].queued || service->first_station != SIZE_MAX)
                continue;
            service->first_station = plan->n_stations;
            plan->n_stations += service->places.n_stations;
        }
    for (size_t a = 0; a < scenario->n_arms && compile->status == PK_OK; a++)
        plan->arms[a].i_cohort = lotteries[a] != 0 ? find_cohort(plan, lotteries[a]) : SIZE_MAX;
}
