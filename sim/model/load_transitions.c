/* Reading transitions and services. See load.h; hazards: load_hazard.c. */
#include <string.h>

#include "load_private.h"

/* {STATE: parameter} */
static void read_states(struct pk_load *load, const struct pk_reader *r, struct pk_excess **list, size_t *n)
{
    if (!pk_reader_expect(r, PK_YAML_MAPPING, "a mapping of states to parameters"))
        return;
    const char *const *names = pk_load_state_names(load);
    *list = pk_load_alloc(load, pk_reader_count(r), sizeof **list);
    for (size_t i = 0; i < pk_reader_count(r) && *list != NULL; i++) {
        struct pk_reader item = pk_reader_item(r, i);
        size_t i_state, i_parameter;
        if (!pk_load_key(load, r, i, names, load->model->n_states, "a state", &i_state) ||
            !pk_load_parameter(load, &item, PK_UNITS(PK_UNIT_RATIO), false, &i_parameter))
            continue;
        (*list)[(*n)++] = (struct pk_excess){.i_state = i_state, .i_parameter = i_parameter};
    }
}

static void read_destinations(struct pk_load *load, const struct pk_reader *r, struct pk_transition *transition)
{
    bool split = pk_reader_is(r, PK_YAML_MAPPING);
    size_t n = split ? pk_reader_count(r) : 1;
    transition->i_to = pk_load_alloc(load, n, sizeof(size_t));
    transition->i_to_share = pk_load_alloc(load, n, sizeof(size_t));
    if (transition->i_to == NULL || transition->i_to_share == NULL)
        return;
    if (!split) {
        transition->i_to_share[0] = SIZE_MAX;
        transition->n_to = pk_load_state(load, r, &transition->i_to[0]);
        return;
    }
    const char *const *names = pk_load_state_names(load);
    for (size_t i = 0; i < n; i++) {
        struct pk_reader item = pk_reader_item(r, i);
        size_t k = transition->n_to;
        if (pk_load_key(load, r, i, names, load->model->n_states, "a state", &transition->i_to[k]) &&
            pk_load_parameter(load, &item, PK_UNITS(PK_UNIT_SHARE) | PK_UNITS(PK_UNIT_PROBABILITY), false,
                              &transition->i_to_share[k]))
            transition->n_to++;
    }
}

/* cure: {share: P, per: person|spell, unconditional: true} */
static void read_cure(struct pk_load *load, const struct pk_reader *r, struct pk_transition *transition)
{
    static const char *const keys[] = {"share", "per", "unconditional", NULL}, *const pers[] = {"person", "spell"};
    struct pk_reader child;
    size_t i_per;
    if (!pk_reader_allow(r, keys))
        return;
    if (pk_reader_need(r, "share", &child))
        (void)pk_load_parameter(load, &child, PK_UNITS(PK_UNIT_SHARE) | PK_UNITS(PK_UNIT_PROBABILITY), false,
                                &transition->i_cure);
    if (pk_reader_need(r, "per", &child) && pk_reader_choice(&child, pers, 2, &i_per, "a bearer of the cure"))
        transition->cure = i_per == 0 ? PK_CURE_PERSON : PK_CURE_SPELL;
    if (pk_reader_find(r, "unconditional", &child))
        (void)pk_reader_bool(&child, &transition->cure_unconditional);
}

/* at: {clock: age, value: P, plus: P}; on age the value may be a table by date of birth */
static void read_at(struct pk_load *load, const struct pk_reader *r, struct pk_transition *transition)
{
    static const char *const keys[] = {"clock", "value", "plus", NULL};
    const struct pk_parameter *parameters = load->model->parameters;
    struct pk_reader child;
    size_t i_clock = 0;
    transition->deterministic = true;
    if (!pk_reader_allow(r, keys))
        return;
    if (pk_reader_need(r, "clock", &child) &&
        pk_reader_choice(&child, pk_clock_names, PK_CLOCK_BIRTH, &i_clock, "a clock"))
        transition->at_clock = (enum pk_clock)i_clock;
    if (pk_reader_need(r, "value", &child) &&
        pk_load_parameter(load, &child, PK_UNITS(PK_UNIT_YEARS), true, &transition->i_at) &&
        parameters[transition->i_at].n_values > 1 &&
        (parameters[transition->i_at].clock != PK_CLOCK_BIRTH || transition->at_clock != PK_CLOCK_AGE))
        pk_reader_problem(&child, NULL,
                          "%s is a table on a clock, expected a single number, or on age a table by birth",
                          parameters[transition->i_at].name);
    if (pk_reader_find(r, "plus", &child))
        (void)pk_load_parameter(load, &child, PK_UNITS(PK_UNIT_YEARS) | PK_UNITS(PK_UNIT_REAL), false,
                                &transition->i_at_plus);
}

void pk_load_read_transition(struct pk_load *load, const struct pk_reader *r, struct pk_transition *transition)
{
    static const char *const keys[] = {"from",  "to",      "hazard", "at",         "ratios",   "excess",
                                       "label", "frailty", "cure",   "by_service", "by_state", NULL};
    struct pk_model *model = load->model;
    struct pk_reader child;
    transition->from = pk_load_alloc(load, model->n_states, sizeof(bool));
    if (transition->from == NULL || !pk_reader_allow(r, keys))
        return;
    pk_load_label(load, r, transition->name, &transition->label);
    if (pk_reader_need(r, "from", &child)) {
        transition->from_any = pk_reader_is(&child, PK_YAML_SCALAR) && strcmp(child.node->text, "any") == 0;
        if (!transition->from_any)
            (void)pk_load_states(load, &child, transition->from);
        for (size_t s = 0; transition->from_any && s < model->n_states; s++)
            transition->from[s] = !model->states[s].absorbing;
    }
    if (pk_reader_need(r, "to", &child))
        read_destinations(load, &child, transition);
    bool has_hazard = pk_reader_find(r, "hazard", &child);
    if (has_hazard)
        pk_load_hazard(load, &child, &transition->hazard);
    transition->i_at_plus = SIZE_MAX;
    if (pk_reader_find(r, "at", &child))
        read_at(load, &child, transition);
    if (pk_reader_find(r, "by_service", &child))
        (void)pk_reader_bool(&child, &transition->by_service);
    if (has_hazard + transition->deterministic + transition->by_service != 1)
        pk_reader_problem(r, NULL, "needs one of: a hazard, a time (at), by_service: true");
    if (pk_reader_find(r, "ratios", &child))
        pk_load_ratios(load, &child, &transition->ratios, &transition->n_ratios);
    if (pk_reader_find(r, "excess", &child))
        read_states(load, &child, &transition->excess, &transition->n_excess);
    if (pk_reader_find(r, "by_state", &child))
        read_states(load, &child, &transition->by_state, &transition->n_by_state);
    transition->i_frailty = SIZE_MAX;
    if (pk_reader_find(r, "frailty", &child))
        (void)pk_load_frailty(load, &child, &transition->i_frailty);
    if (pk_reader_find(r, "cure", &child))
        read_cure(load, &child, transition);
}

/* prevent: {share: P, instead: stay|STATE, again: at_risk|immune|{years: P}, relapse: P} */
static void read_prevention(struct pk_load *load, const struct pk_reader *r, struct pk_effect *effect)
{
    static const char *const keys[] = {"share", "instead", "again", "relapse", NULL},
                             *const agains[] = {"at_risk", "immune"}, *const of_years[] = {"years", NULL};
    struct pk_reader child, years;
    size_t i_again;
    effect->i_relapse = SIZE_MAX;
    effect->i_instead = SIZE_MAX;
    if (!pk_reader_allow(r, keys))
        return;
    if (pk_reader_need(r, "share", &child))
        (void)pk_load_parameter(load, &child, PK_UNITS(PK_UNIT_SHARE) | PK_UNITS(PK_UNIT_PROBABILITY), false,
                                &effect->i_share);
    if (pk_reader_need(r, "instead", &child) &&
        !(pk_reader_is(&child, PK_YAML_SCALAR) && strcmp(child.node->text, "stay") == 0))
        (void)pk_load_state(load, &child, &effect->i_instead);
    if (pk_reader_need(r, "again", &child)) {
        if (pk_reader_is(&child, PK_YAML_MAPPING)) {
            effect->again = PK_AGAIN_YEARS;
            if (pk_reader_allow(&child, of_years) && pk_reader_need(&child, "years", &years))
                (void)pk_load_parameter(load, &years, PK_UNITS(PK_UNIT_YEARS), false, &effect->i_again_years);
        } else if (pk_reader_choice(&child, agains, 2, &i_again, "what may come after (or {years: PARAMETER})")) {
            effect->again = i_again == 0 ? PK_AGAIN_AT_RISK : PK_AGAIN_IMMUNE;
        }
    }
    if (pk_reader_find(r, "relapse", &child))
        (void)pk_load_parameter(load, &child, PK_UNITS(PK_UNIT_PER_YEAR), false, &effect->i_relapse);
}

static void read_effect(struct pk_load *load, const struct pk_reader *r, struct pk_effect *effect)
{
    static const char *const modes[] = {"replace", "scale", "at_least", "prevent"};
    const unsigned ratio = PK_UNITS(PK_UNIT_RATIO) | PK_UNITS(PK_UNIT_SHARE);
    struct pk_reader part;
    size_t n_modes = 0;
    for (size_t mode = 0; mode < 4; mode++)
        n_modes += pk_reader_find(r, modes[mode], &part);
    if (n_modes != 1) {
        pk_reader_problem(r, NULL, "has %zu of replace, scale, at_least, prevent, expected exactly one", n_modes);
        return;
    }
    for (size_t mode = 0; mode < 4; mode++) {
        if (!pk_reader_find(r, modes[mode], &part))
            continue;
        effect->mode = (enum pk_effect_mode)mode;
        if (effect->mode == PK_EFFECT_PREVENT) {
            read_prevention(load, &part, effect);
        } else if (effect->mode == PK_EFFECT_SCALE) {
            if (pk_load_product(load, &part, ratio, &effect->hazard))
                pk_load_check_product(load, &part, &effect->hazard, 0);
            if (effect->hazard.on_clock)
                pk_reader_problem(&part, NULL, "scales by a table, expected plain ratios");
        } else {
            pk_load_hazard(load, &part, &effect->hazard);
            for (size_t i = 0; i < effect->hazard.n_factors; i++)
                if (load->model->parameters[effect->hazard.i_factors[i]].n_by > 0)
                    pk_reader_problem(&part, "say ratios",
                                      "is a table told by attribute, which only a transition can have");
        }
    }
    if (!pk_reader_find(r, "ratios", &part))
        return;
    if (effect->mode == PK_EFFECT_REPLACE || effect->mode == PK_EFFECT_AT_LEAST)
        pk_load_ratios(load, &part, &effect->ratios, &effect->n_ratios);
    else
        pk_reader_problem(&part, NULL, "are for replace and at_least: elsewhere the transition's own ratios hold");
}

void pk_load_read_service(struct pk_load *load, const struct pk_reader *r, struct pk_service *service)
{
    static const char *const keys[] = {"label",   "window", "first_job_only", "cost",   "fidelity",
                                       "effects", "held",   "enters",         "places", NULL};
    static const char *const of_effect[] = {"transition", "replace", "scale", "at_least", "prevent", "ratios", NULL};
    struct pk_reader child, part;
    if (!pk_reader_allow(r, keys))
        return;
    pk_load_label(load, r, service->name, &service->label);
    service->i_window = service->i_first_job_only = service->i_cost = service->i_fidelity = SIZE_MAX;
    pk_load_read_places(load, r, service);
    if (pk_reader_need(r, "window", &child)) {
        service->while_held = pk_reader_is(&child, PK_YAML_SCALAR) && strcmp(child.node->text, "held") == 0;
        if (!service->while_held && !(pk_reader_is(&child, PK_YAML_SCALAR) && strcmp(child.node->text, "life") == 0))
            (void)pk_load_parameter(load, &child, PK_UNITS(PK_UNIT_YEARS), false, &service->i_window);
    }
    if (pk_reader_find(r, "first_job_only", &child))
        (void)pk_load_parameter(load, &child, PK_UNITS(PK_UNIT_SWITCH), false, &service->i_first_job_only);
    if (pk_reader_find(r, "cost", &child))
        (void)pk_load_parameter(load, &child, PK_UNITS(PK_UNIT_EUROS), false, &service->i_cost);
    if (pk_reader_find(r, "fidelity", &child))
        (void)pk_load_parameter(load, &child, PK_UNITS(PK_UNIT_SHARE), false, &service->i_fidelity);
    if (!pk_reader_need(r, "effects", &child) || !pk_reader_expect(&child, PK_YAML_SEQUENCE, "a list of effects"))
        return;
    service->effects = pk_load_alloc(load, pk_reader_count(&child), sizeof *service->effects);
    for (size_t i = 0; i < pk_reader_count(&child) && service->effects != NULL; i++) {
        struct pk_reader item = pk_reader_item(&child, i);
        struct pk_effect *effect = &service->effects[service->n_effects];
        if (!pk_reader_allow(&item, of_effect) || !pk_reader_need(&item, "transition", &part) ||
            !pk_load_transition(load, &part, &effect->i_transition))
            continue;
        read_effect(load, &item, effect);
        service->n_effects++;
    }
}
