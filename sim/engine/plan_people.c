/* The part of a plan about people: services, distributions, target groups, arms. See plan.h. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "plan_private.h"
#include "polku/rng.h"

static void refuse(struct pk_compile *compile, const char *format, const char *a, const char *b)
{
    char text[256];
    snprintf(text, sizeof text, format, a, b);
    compile->status = pk_error_set(compile->error, PK_BAD_INPUT, "%s", text);
}

static void compile_effect(struct pk_compile *compile, const struct pk_service *service, const struct pk_effect *effect,
                           struct pk_plan_service *planned, size_t n_room)
{
    struct pk_plan *plan = compile->plan;
    for (size_t a = 0; a < plan->n_arcs && compile->status == PK_OK; a++) {
        const struct pk_plan_arc *arc = &plan->arcs[a];
        if (arc->i_transition != effect->i_transition)
            continue;
        if (planned->n_effects == n_room) {
            refuse(compile, "the service %s works on too many arcs%s", service->name, "");
            return;
        }
        struct pk_plan_effect *made = &planned->effects[planned->n_effects++];
        made->arc = (uint16_t)a;
        made->mode = effect->mode;
        double share = 1;
        const struct pk_transition *transition = &compile->model->transitions[effect->i_transition];
        for (size_t d = 0; d < transition->n_to && effect->mode != PK_EFFECT_SCALE; d++)
            if (transition->i_to[d] == arc->i_to && transition->i_to_share[d] != SIZE_MAX)
                share = pk_compile_used(compile, transition->i_to_share[d]);
        if (effect->mode == PK_EFFECT_SCALE) {
            made->ratio = 1;
            for (size_t i = 0; i < effect->hazard.n_factors; i++)
                made->ratio *= pk_compile_used(compile, effect->hazard.i_factors[i]);
        } else {
            pk_compile_rate(compile, &effect->hazard, share, &made->rate);
        }
    }
}

void pk_compile_services(struct pk_compile *compile)
{
    enum { ROOM = 64 }; /* a bit each in a life's record of ended effects */
    struct pk_plan *plan = compile->plan;
    const struct pk_model *model = compile->model;
    plan->n_services = model->n_services;
    plan->services = pk_compile_alloc(compile, model->n_services, sizeof *plan->services);
    for (size_t i = 0; i < model->n_services && compile->status == PK_OK; i++) {
        const struct pk_service *service = &model->services[i];
        struct pk_plan_service *planned = &plan->services[i];
        planned->effects = pk_compile_alloc(compile, ROOM, sizeof *planned->effects);
        if (planned->effects == NULL)
            return;
        double years = service->i_window == SIZE_MAX ? (double)INFINITY : pk_compile_used(compile, service->i_window);
        planned->window = isinf(years) ? (double)INFINITY : pk_tick_round(years * 12);
        planned->first_job_only =
            service->i_first_job_only != SIZE_MAX && pk_compile_used(compile, service->i_first_job_only) != 0;
        planned->cost_euros = service->i_cost == SIZE_MAX ? 0 : pk_compile_used(compile, service->i_cost);
        for (size_t k = 0; k < service->n_effects && compile->status == PK_OK; k++)
            compile_effect(compile, service, &service->effects[k], planned, ROOM);
    }
}

static void compile_choice(struct pk_compile *compile, struct pk_plan_choice *choice, const struct pk_number *shares,
                           size_t n, const char *what)
{
    double *cumulative = pk_compile_alloc(compile, n, sizeof *cumulative), sum = 0;
    if (cumulative == NULL)
        return;
    choice->n = n;
    choice->only = SIZE_MAX;
    for (size_t i = 0; i < n; i++) {
        double share = pk_number_value(&shares[i], compile->values);
        if (share == 1)
            choice->only = i;
        sum += share;
        cumulative[i] = sum;
    }
    if (sum < 1 - 1e-9 || sum > 1 + 1e-9) {
        char found[64];
        snprintf(found, sizeof found, "%.12g", sum);
        refuse(compile, "the shares of %s add up to %s, not to 1", what, found);
    }
    cumulative[n - 1] = 1;
    choice->cumulative = cumulative;
}

static void compile_distribution(struct pk_compile *compile, const struct pk_distribution *given,
                                 struct pk_plan_distribution *planned, const char *what)
{
    double v[3];
    for (size_t i = 0; i < 3; i++)
        v[i] = pk_number_value(&given->arguments[i], compile->values) * 12;
    planned->kind = given->kind;
    planned->a = given->kind == PK_DISTRIBUTION_FIXED ? pk_tick_round(v[0]) : v[0];
    planned->b = v[1];
    planned->c = v[2];
    bool ordered = given->kind == PK_DISTRIBUTION_UNIFORM      ? v[0] <= v[1]
                   : given->kind == PK_DISTRIBUTION_TRIANGULAR ? v[0] <= v[1] && v[1] <= v[2]
                                                               : true;
    if (!ordered)
        refuse(compile, "the distribution of %s needs its numbers in ascending order%s", what, "");
}

static void compile_population(struct pk_compile *compile)
{
    struct pk_plan *plan = compile->plan;
    const struct pk_model *model = compile->model;
    const struct pk_population *population = &compile->scenario->population;
    double size = pk_number_value(&population->size, compile->values);
    if (!(size >= 1) || size != floor(size) || !pk_rng_fits((uint64_t)size - 1, 0, 0)) {
        refuse(compile, "the population's size must be a whole number of at least 1 and below 2^40%s%s", "", "");
        return;
    }
    plan->n_persons = (uint64_t)size;
    compile_choice(compile, &plan->start_state, population->state_shares, model->n_states, "the states at start");
    plan->n_attributes = model->n_attributes;
    plan->attributes = pk_compile_alloc(compile, model->n_attributes, sizeof *plan->attributes);
    for (size_t i = 0; i < model->n_attributes && compile->status == PK_OK; i++)
        compile_choice(compile, &plan->attributes[i], population->value_shares[i], model->attributes[i].n_values,
                       model->attributes[i].name);
    plan->needs_age = population->has_age;
    if (population->has_age && compile->status == PK_OK)
        compile_distribution(compile, &population->age, &plan->age, "age");
    plan->elapsed = pk_compile_alloc(compile, model->n_states, sizeof *plan->elapsed);
    for (size_t s = 0; s < model->n_states && compile->status == PK_OK; s++) {
        compile_distribution(compile, &population->elapsed[s], &plan->elapsed[s], "elapsed time");
        if (plan->elapsed[s].kind != PK_DISTRIBUTION_FIXED || plan->elapsed[s].a != 0)
            plan->elapsed_states |= UINT64_C(1) << s;
    }
}

/* The index of the target group with this definition, made if it is new: the same definition, the same people. */
static size_t find_target(struct pk_compile *compile, const struct pk_target *target)
{
    struct pk_plan *plan = compile->plan;
    const struct pk_model *model = compile->model;
    struct pk_plan_target made = {.age_low = target->age_low * 12, .age_high = target->age_high * 12};
    uint8_t *allowed = pk_compile_alloc(compile, model->n_attributes * 256, sizeof *allowed);
    if (allowed == NULL)
        return 0;
    for (size_t s = 0; s < model->n_states; s++)
        made.states |= (uint64_t)target->states[s] << s;
    for (size_t i = 0; i < model->n_attributes; i++)
        for (size_t v = 0; v < model->attributes[i].n_values; v++)
            allowed[i * 256 + v] = target->values[i][v];
    made.allowed = allowed;
    for (size_t i = 0; i < plan->n_targets; i++) {
        const struct pk_plan_target *known = &plan->targets[i];
        if (known->states == made.states && known->age_low == made.age_low && known->age_high == made.age_high &&
            memcmp(known->allowed, allowed, model->n_attributes * 256) == 0)
            return i;
    }
    plan->targets[plan->n_targets] = made;
    return plan->n_targets++;
}

static size_t find_lottery(struct pk_compile *compile, size_t i_target, uint64_t persons)
{
    struct pk_plan *plan = compile->plan;
    for (size_t i = 0; i < plan->n_lotteries; i++)
        if (plan->lotteries[i].i_target == i_target && plan->lotteries[i].persons == persons)
            return i;
    if (plan->n_lotteries == 64) {
        refuse(compile, "the arms enrol more than 64 different sets of people%s%s", "", "");
        return 0;
    }
    plan->lotteries[plan->n_lotteries] = (struct pk_plan_lottery){.i_target = i_target, .persons = persons};
    return plan->n_lotteries++;
}

static void check_overlap(struct pk_compile *compile, const struct pk_arm *arm)
{
    for (size_t i = 0; i < arm->n_enrolments; i++)
        for (size_t j = 0; j < i; j++) {
            const struct pk_service *a = &compile->model->services[arm->enrolments[i].i_service];
            const struct pk_service *b = &compile->model->services[arm->enrolments[j].i_service];
            for (size_t k = 0; k < a->n_effects; k++)
                for (size_t l = 0; l < b->n_effects; l++)
                    if (a->effects[k].i_transition == b->effects[l].i_transition)
                        refuse(compile, "the arm %s enrols in two services that both work on the transition %s",
                               arm->name, compile->model->transitions[a->effects[k].i_transition].name);
        }
}

static void compile_arms(struct pk_compile *compile)
{
    struct pk_plan *plan = compile->plan;
    const struct pk_scenario *scenario = compile->scenario;
    plan->n_arms = scenario->n_arms;
    plan->arms = pk_compile_alloc(compile, scenario->n_arms, sizeof *plan->arms);
    plan->cohorts = pk_compile_alloc(compile, scenario->n_arms, sizeof *plan->cohorts);
    plan->targets = pk_compile_alloc(compile, scenario->n_arms * PK_MAX_ENROLMENTS, sizeof *plan->targets);
    plan->lotteries = pk_compile_alloc(compile, 64, sizeof *plan->lotteries);
    for (size_t a = 0; a < scenario->n_arms && compile->status == PK_OK; a++) {
        const struct pk_arm *arm = &scenario->arms[a];
        struct pk_plan_enrolment *members = pk_compile_alloc(compile, arm->n_enrolments, sizeof *members);
        if (members == NULL)
            return;
        uint64_t lotteries = 0;
        for (size_t i = 0; i < arm->n_enrolments; i++) {
            double persons = pk_number_value(&arm->enrolments[i].persons, compile->values);
            if (!(persons >= 0) || persons != floor(persons)) {
                refuse(compile, "the arm %s must enrol a whole number of persons%s", arm->name, "");
                return;
            }
            size_t i_target = find_target(compile, &arm->enrolments[i].target);
            members[i] = (struct pk_plan_enrolment){.i_service = arm->enrolments[i].i_service,
                                                    .i_lottery = find_lottery(compile, i_target, (uint64_t)persons),
                                                    .at = pk_tick_round(arm->enrolments[i].at_months)};
            lotteries |= UINT64_C(1) << members[i].i_lottery;
        }
        check_overlap(compile, arm);
        struct pk_plan_arm *planned = &plan->arms[a];
        planned->n_enrolments = arm->n_enrolments;
        planned->enrolments = members;
        planned->i_cohort = SIZE_MAX;
        for (size_t c = 0; c < plan->n_cohorts && arm->n_enrolments > 0; c++)
            if (plan->cohorts[c].lotteries == lotteries)
                planned->i_cohort = c;
        if (arm->n_enrolments > 0 && planned->i_cohort == SIZE_MAX) {
            plan->cohorts[plan->n_cohorts].lotteries = lotteries;
            planned->i_cohort = plan->n_cohorts++;
        }
    }
}

void pk_compile_people(struct pk_compile *compile)
{
    compile_population(compile);
    if (compile->status == PK_OK)
        compile_arms(compile);
}

/* FNV-1a, 64 bits, over the tables a life reads. */
static void mix(uint64_t *digest, const void *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        *digest = (*digest ^ ((const unsigned char *)bytes)[i]) * UINT64_C(0x100000001b3);
}

static void mix_rate(uint64_t *digest, const struct pk_rate *rate)
{
    uint64_t head[3] = {rate->clock, rate->n_cuts, rate->gompertz};
    double numbers[2] = {rate->level, rate->slope};
    mix(digest, head, sizeof head);
    mix(digest, numbers, sizeof numbers);
    mix(digest, rate->cuts, rate->n_cuts * sizeof *rate->cuts);
    mix(digest, rate->levels, rate->levels ? (rate->n_cuts + 1) * sizeof *rate->levels : 0);
}

uint64_t pk_plan_digest(const struct pk_plan *plan)
{
    uint64_t digest = UINT64_C(0xcbf29ce484222325);
    uint64_t head[] = {plan->seed, plan->n_persons, plan->n_states, plan->n_arcs, plan->n_strata, plan->n_attributes};
    mix(&digest, head, sizeof head);
    mix(&digest, &plan->horizon, sizeof plan->horizon);
    for (size_t a = 0; a < plan->n_arcs; a++) {
        const struct pk_plan_arc *arc = &plan->arcs[a];
        uint64_t ends[] = {arc->i_from, arc->i_to, arc->i_transition, arc->i_person_hazard, arc->deterministic};
        double numbers[] = {arc->excess, arc->share};
        mix(&digest, ends, sizeof ends);
        mix(&digest, numbers, sizeof numbers);
        mix_rate(&digest, &arc->rate);
    }
    mix(&digest, plan->multipliers, plan->n_strata * plan->n_arcs * sizeof *plan->multipliers);
    for (size_t i = 0; i < plan->n_person_hazards; i++)
        mix_rate(&digest, &plan->person_hazards[i].rate);
    for (size_t s = 0; s < plan->n_states; s++) {
        const struct pk_plan_state *state = &plan->states[s];
        for (size_t i = 0; i < state->n_timers; i++) {
            mix(&digest, &state->timers[i].value, sizeof state->timers[i].value);
            mix(&digest, &state->timers[i].clock, sizeof state->timers[i].clock);
        }
        mix(&digest, &state->stream, sizeof state->stream);
        double elapsed[] = {plan->elapsed[s].a, plan->elapsed[s].b, plan->elapsed[s].c};
        mix(&digest, elapsed, sizeof elapsed);
        mix(&digest, &plan->start_state.cumulative[s], sizeof(double));
    }
    for (size_t i = 0; i < plan->n_attributes; i++)
        mix(&digest, plan->attributes[i].cumulative, plan->attributes[i].n * sizeof(double));
    double age[] = {plan->age.a, plan->age.b, plan->age.c};
    mix(&digest, age, sizeof age);
    for (size_t i = 0; i < plan->n_services; i++) {
        const struct pk_plan_service *service = &plan->services[i];
        mix(&digest, &service->window, sizeof service->window);
        mix(&digest, &service->first_job_only, sizeof service->first_job_only);
        for (size_t k = 0; k < service->n_effects; k++) {
            mix(&digest, &service->effects[k].arc, sizeof service->effects[k].arc);
            mix(&digest, &service->effects[k].mode, sizeof service->effects[k].mode);
            mix(&digest, &service->effects[k].ratio, sizeof service->effects[k].ratio);
            mix_rate(&digest, &service->effects[k].rate);
        }
    }
    mix(&digest, plan->lotteries, plan->n_lotteries * sizeof *plan->lotteries);
    for (size_t a = 0; a < plan->n_arms; a++)
        for (size_t i = 0; i < plan->arms[a].n_enrolments; i++)
            mix(&digest, &plan->arms[a].enrolments[i], sizeof plan->arms[a].enrolments[i]);
    return digest;
}
