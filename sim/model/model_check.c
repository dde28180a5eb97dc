/* Checks that need the whole model. See load.h. */
#include <stdio.h>
#include <string.h>

#include "polku/load.h"
#include "uses_private.h"

static void report(const struct pk_model *model, struct pk_problems *problems, size_t line, size_t column,
                   const char *section, const char *name, enum pk_status status, const char *message)
{
    struct pk_error error;
    pk_error_set(&error, status, "%s", message);
    snprintf(error.file, sizeof error.file, "%s", model->file);
    snprintf(error.path, sizeof error.path, "%s.%s", section, name);
    error.line = line;
    error.column = column;
    pk_problems_add(problems, &error);
}

static void refuse_transition(const struct pk_model *model, const struct pk_transition *transition,
                              struct pk_problems *problems, const char *message)
{
    report(model, problems, transition->line, transition->column, "transitions", transition->name, PK_BAD_INPUT,
           message);
}

static bool is_enrolment(const struct pk_hazard *hazard)
{
    return hazard->on_clock && hazard->clock == PK_CLOCK_ENROLMENT;
}

static void check_differences(const struct pk_model *model, const struct pk_transition *transition,
                              struct pk_problems *problems)
{
    bool some = transition->i_frailty != SIZE_MAX, cure = transition->cure != PK_CURE_NONE;
    if (transition->deterministic && (some || cure))
        refuse_transition(model, transition, problems, "happens at a set time, so frailty and cure cannot apply");
    if (some && cure && !(transition->cure_unconditional && model->frailties[transition->i_frailty].unconditional))
        refuse_transition(model, transition, problems,
                          "has a frailty and a cure given survival so far, whose joint law is not drawn; declare both "
                          "unconditional or leave one out");
    if (transition->hazard.parametric && transition->hazard.clock == PK_CLOCK_CALENDAR &&
        !transition->hazard.has_origin)
        refuse_transition(model, transition, problems, "runs on the calendar and names no origin");
}

static void check_transition(const struct pk_model *model, const struct pk_transition *transition,
                             struct pk_problems *problems)
{
    char message[256];
    for (size_t s = 0; s < model->n_states; s++) {
        if (transition->from[s] && model->states[s].absorbing) {
            snprintf(message, sizeof message, "leaves %s, which is absorbing", model->states[s].name);
            refuse_transition(model, transition, problems, message);
        }
        for (size_t d = 0; d < transition->n_to; d++)
            if (transition->from[s] && transition->i_to[d] == s) {
                snprintf(message, sizeof message, "leads from %s to itself", model->states[s].name);
                refuse_transition(model, transition, problems, message);
            }
    }
    check_differences(model, transition, problems);
    if (is_enrolment(&transition->hazard) || (transition->deterministic && transition->at_clock == PK_CLOCK_ENROLMENT))
        refuse_transition(model, transition, problems,
                          "runs on since_enrolment, which only the effect of a service can");
    if (transition->deterministic && transition->at_clock == PK_CLOCK_CALENDAR)
        refuse_transition(model, transition, problems, "happens at a calendar time; use the clock since_start");
    if (transition->deterministic && (transition->n_ratios > 0 || transition->n_excess > 0))
        refuse_transition(model, transition, problems, "happens at a set time, so ratios and excess cannot apply");
    if (transition->by_service && (transition->n_ratios > 0 || transition->n_excess > 0 || transition->n_to > 1 ||
                                   transition->cure != PK_CURE_NONE || transition->i_frailty != SIZE_MAX))
        refuse_transition(model, transition, problems,
                          "is made by a service: it has one destination, no ratios, excess, frailty or cure");
    if (transition->n_by_state > 0 &&
        (transition->deterministic || transition->by_service || pk_model_is_person_level(model, transition)))
        refuse_transition(model, transition, problems,
                          "has ratios by state, which are for hazards of its own: a hazard common to all living states "
                          "has an excess, a set time and a service have none");
    for (size_t i = 0; i < transition->n_by_state; i++)
        if (!transition->from[transition->by_state[i].i_state])
            refuse_transition(model, transition, problems, "has a ratio in a state that it does not leave");
    if (transition->n_excess > 0 && !pk_model_is_person_level(model, transition))
        refuse_transition(model, transition, problems,
                          "has an excess by state, which needs a hazard common to all living states (from: any) "
                          "that leads to an absorbing state and runs on age, calendar or since_start");
    if (transition->n_to > 1) {
        bool shares = true;
        for (size_t d = 0; d < transition->n_to; d++)
            shares &= transition->i_to_share[d] != SIZE_MAX;
        double sum = 0;
        for (size_t d = 0; d < transition->n_to && shares; d++)
            sum += model->parameters[transition->i_to_share[d]].values[0];
        if (sum < 1 - 1e-9 || sum > 1 + 1e-9) {
            snprintf(message, sizeof message, "splits into shares that add up to %.12g, not to 1", sum);
            refuse_transition(model, transition, problems, message);
        }
    }
    for (size_t e = 0; e < transition->n_excess; e++) {
        const struct pk_parameter *parameter = &model->parameters[transition->excess[e].i_parameter];
        if (parameter->values[0] < 1 || (parameter->has_range && parameter->low < 1)) {
            snprintf(message, sizeof message, "has the excess %s below 1; a common hazard can only be exceeded",
                     parameter->name);
            refuse_transition(model, transition, problems, message);
        }
    }
}

/* Leaving the state of its prevented events makes sense only where it is told apart there: for relapses. */
static bool has_ratio_in(const struct pk_transition *transition, size_t i_state)
{
    bool found = false;
    for (size_t i = 0; i < transition->n_by_state; i++)
        found |= transition->by_state[i].i_state == i_state;
    return found;
}

static void check_service(const struct pk_model *model, const struct pk_service *service, struct pk_problems *problems)
{
    char message[320];
    for (size_t k = 0; k < service->n_effects; k++) {
        const struct pk_effect *effect = &service->effects[k];
        const struct pk_transition *transition = &model->transitions[effect->i_transition];
        const char *wrong = NULL;
        if (pk_model_is_person_level(model, transition))
            wrong = "is common to all living states (drawn once a person), so a service cannot change it";
        else if (transition->deterministic)
            wrong = "happens at a set time, so a service cannot change its hazard";
        else if (transition->by_service)
            wrong = "is made by a service and has no hazard to change";
        else if (effect->mode == PK_EFFECT_PREVENT && effect->i_instead != SIZE_MAX &&
                 transition->from[effect->i_instead] && !has_ratio_in(transition, effect->i_instead))
            wrong = "leaves the very state that its prevented events would lead to; say instead: stay";
        else if (service->i_fidelity != SIZE_MAX &&
                 (effect->mode == PK_EFFECT_REPLACE || effect->mode == PK_EFFECT_AT_LEAST))
            wrong = "is replaced, and fidelity scales the log of a ratio: use scale";
        for (size_t j = 0; j < k && wrong == NULL; j++)
            if (service->effects[j].i_transition == effect->i_transition)
                wrong = "is changed twice by the same service";
        if (wrong != NULL) {
            snprintf(message, sizeof message, "the transition %s %s", transition->name, wrong);
            report(model, problems, transition->line, transition->column, "services", service->name, PK_BAD_INPUT,
                   message);
        }
    }
}

/* Parameters that nothing in the model uses; a scenario's own are not looked at here. */
void pk_model_check_unused(const struct pk_model *model, struct pk_problems *problems)
{
    unsigned char uses[PK_MAX_PARAMETERS] = {0};
    pk_uses_mark_model(uses, model, NULL);
    for (size_t i = 0; i < model->n_parameters; i++)
        if (!uses[i])
            report(model, problems, model->parameters[i].line, model->parameters[i].column, "parameters",
                   model->parameters[i].name, PK_OK, "is used by nothing in this model");
}

/* States that no transition enters; they must be start states. */
static void warn_unreachable(const struct pk_model *model, struct pk_problems *problems)
{
    for (size_t s = 0; s < model->n_states; s++) {
        bool entered = false, left = false;
        for (size_t t = 0; t < model->n_transitions; t++) {
            left |= model->transitions[t].from[s];
            for (size_t d = 0; d < model->transitions[t].n_to; d++)
                entered |= model->transitions[t].i_to[d] == s;
        }
        if (!left && !model->states[s].absorbing)
            report(model, problems, 1, 1, "states", model->states[s].name, PK_OK,
                   "is left by no transition; say absorbing: true if that is meant");
        if (!entered && !left)
            report(model, problems, 1, 1, "states", model->states[s].name, PK_OK, "is entered and left by nothing");
    }
}

void pk_model_check(const struct pk_model *model, struct pk_problems *problems)
{
    for (size_t t = 0; t < model->n_transitions; t++)
        check_transition(model, &model->transitions[t], problems);
    for (size_t i = 0; i < model->n_services; i++)
        check_service(model, &model->services[i], problems);
    warn_unreachable(model, problems);
}
