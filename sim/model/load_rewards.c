/* Rewards of a model and the ledgers of a scenario. See load.h. */
#include <stdio.h>
#include <string.h>

#include "load_private.h"

#define REWARD_UNITS                                                                                                   \
    (PK_UNITS(PK_UNIT_SHARE) | PK_UNITS(PK_UNIT_RATIO) | PK_UNITS(PK_UNIT_EUROS) | PK_UNITS(PK_UNIT_HOURS) |           \
     PK_UNITS(PK_UNIT_UTILITY))

static const char *copied(struct pk_load *load, const char *text)
{
    const char *copy = pk_arena_text(load->arena, text);
    load->no_memory |= copy == NULL;
    return copy;
}

/* A mapping of states or transitions to parameters into i_parameters[n]. */
static void read_prices(struct pk_load *load, const struct pk_reader *r, const char *const *names, size_t n,
                        const char *what, size_t *i_parameters)
{
    if (!pk_reader_expect(r, PK_YAML_MAPPING, NULL))
        return;
    for (size_t i = 0; i < pk_reader_count(r); i++) {
        struct pk_reader item = pk_reader_item(r, i);
        size_t k;
        if (pk_load_key(load, r, i, names, n, what, &k))
            (void)pk_load_parameter(load, &item, REWARD_UNITS, false, &i_parameters[k]);
    }
}

static void read_by_age(struct pk_load *load, const struct pk_reader *r, struct pk_reward *reward)
{
    size_t i;
    if (!pk_load_parameter(load, r, PK_UNITS(PK_UNIT_RATIO), true, &i))
        return;
    const struct pk_parameter *table = &load->model->parameters[i];
    if (table->n_values < 2 || table->clock != PK_CLOCK_AGE || table->n_columns > 1)
        pk_reader_problem(r, NULL, "%s is no table of ratios on the clock age%s", table->name,
                          table->n_columns > 1 ? " alone; tell attributes apart by ratios" : "");
    else if (table->n_values - 1 > PK_MAX_AGE_CUTS)
        pk_reader_problem(r, NULL, "%s has %zu cuts, at most %d are allowed", table->name, table->n_values - 1,
                          PK_MAX_AGE_CUTS);
    else
        reward->i_by_age = i;
}

/* NAME: {unit, label, payer, kind, per_person_year: {STATE: P}, per_transition: {TRANSITION: P}, ratios, by_age: P} */
void pk_load_read_reward(struct pk_load *load, const struct pk_reader *r, struct pk_reward *reward)
{
    static const char *const keys[] = {"unit",           "label",  "payer",  "kind", "per_person_year",
                                       "per_transition", "ratios", "by_age", NULL};
    const struct pk_model *model = load->model;
    struct pk_reader child;
    const char *text;
    size_t i_kind;
    reward->i_by_age = SIZE_MAX;
    reward->i_state_parameter = pk_load_alloc(load, model->n_states, sizeof(size_t));
    reward->i_transition_parameter = pk_load_alloc(load, model->n_transitions, sizeof(size_t));
    const char **transitions = pk_load_alloc(load, model->n_transitions, sizeof *transitions);
    if (load->no_memory || !pk_reader_allow(r, keys))
        return;
    for (size_t s = 0; s < model->n_states; s++)
        reward->i_state_parameter[s] = SIZE_MAX;
    for (size_t t = 0; t < model->n_transitions; t++) {
        reward->i_transition_parameter[t] = SIZE_MAX;
        transitions[t] = model->transitions[t].name;
    }
    pk_load_label(load, r, reward->name, &reward->label);
    if (pk_reader_need(r, "unit", &child) && pk_reader_text(&child, &text))
        reward->unit = copied(load, text);
    if (pk_reader_find(r, "payer", &child) && pk_reader_text(&child, &text))
        reward->payer = copied(load, text);
    if (pk_reader_find(r, "kind", &child) &&
        pk_reader_choice(&child, pk_reward_kind_names, 3, &i_kind, "a kind of reward"))
        reward->kind = (enum pk_reward_kind)i_kind;
    bool per_year = pk_reader_find(r, "per_person_year", &child);
    if (per_year)
        read_prices(load, &child, pk_load_state_names(load), model->n_states, "a state", reward->i_state_parameter);
    bool per_event = pk_reader_find(r, "per_transition", &child);
    if (per_event)
        read_prices(load, &child, transitions, model->n_transitions, "a transition", reward->i_transition_parameter);
    if (!per_year && !per_event)
        pk_reader_problem(r, NULL, "needs per_person_year or per_transition");
    if (pk_reader_find(r, "ratios", &child))
        pk_load_ratios(load, &child, &reward->ratios, &reward->n_ratios);
    if (pk_reader_find(r, "by_age", &child))
        read_by_age(load, &child, reward);
}

/* Of a reward in an outcome: its attained ages must be known. */
void pk_load_check_reward_age(const struct pk_load *load, const struct pk_reader *r, size_t i_reward)
{
    if (load->model->rewards[i_reward].i_by_age != SIZE_MAX && !pk_load_has_age(load))
        pk_reader_problem(r, NULL, "the reward %s depends on age; the population has none",
                          load->model->rewards[i_reward].name);
}

/* ledgers: {from, to, discount: {cost: ..., effect: ..., transfer: ...}}: an outcome for every reward of the model. */
void pk_load_ledgers(struct pk_load *load, const struct pk_reader *root)
{
    static const char *const keys[] = {"from", "to", "discount", NULL}, *const kinds[] = {"effect", "cost", "transfer",
                                                                                          NULL};
    struct pk_scenario *scenario = load->scenario;
    const struct pk_model *model = load->model;
    struct pk_reader r, child, item;
    for (size_t k = 0; k < 3; k++)
        scenario->ledgers_discount[k].rate.i_parameter = SIZE_MAX;
    if (!pk_reader_find(root, "ledgers", &r) || !pk_reader_allow(&r, keys))
        return;
    scenario->has_ledgers = true;
    pk_load_period(load, &r, &scenario->ledgers_from, &scenario->ledgers_to);
    if (pk_reader_find(&r, "discount", &child) && pk_reader_allow(&child, kinds))
        for (size_t k = 0; k < 3; k++)
            if (pk_reader_find(&child, kinds[k], &item))
                pk_load_discount(load, &item, &scenario->ledgers_discount[k]);
    if (pk_reader_find(&r, "discount", &child) && pk_reader_find(&child, "cost", &item) &&
        !pk_reader_find(&child, "transfer", &item)) /* added to costs, so discounted like them unless said otherwise */
        scenario->ledgers_discount[PK_REWARD_TRANSFER] = scenario->ledgers_discount[PK_REWARD_COST];
    if (model->n_rewards == 0)
        pk_reader_problem(&r, NULL, "needs rewards; the model has none");
    if (scenario->n_outcomes + model->n_rewards > PK_MAX_OUTCOMES) {
        pk_reader_problem(&r, NULL, "make %zu outcomes, at most %d are allowed",
                          scenario->n_outcomes + model->n_rewards, PK_MAX_OUTCOMES);
        return;
    }
    for (size_t i = 0; i < model->n_rewards; i++) {
        const struct pk_reward *reward = &model->rewards[i];
        char name[80];
        struct pk_outcome *outcome = &scenario->outcomes[scenario->n_outcomes];
        snprintf(name, sizeof name, "ledger_%s", reward->name);
        for (size_t k = 0; k < scenario->n_outcomes; k++)
            if (scenario->outcomes[k].name != NULL && strcmp(scenario->outcomes[k].name, name) == 0)
                pk_reader_problem(&r, NULL, "make an outcome %s, and the scenario has one of that name", name);
        *outcome = (struct pk_outcome){.name = copied(load, name),
                                       .label = reward->label,
                                       .measure = PK_MEASURE_REWARD,
                                       .states = pk_load_alloc(load, model->n_states, sizeof(bool)),
                                       .rewards = pk_load_alloc(load, model->n_rewards, sizeof(bool)),
                                       .from_months = scenario->ledgers_from,
                                       .to_months = scenario->ledgers_to,
                                       .to_horizon = scenario->ledgers_to == scenario->horizon_months,
                                       .i_reward = SIZE_MAX,
                                       .discount = scenario->ledgers_discount[reward->kind],
                                       .ledger = true};
        if (load->no_memory)
            return;
        outcome->rewards[i] = true;
        pk_load_check_reward_age(load, &r, i);
        scenario->n_outcomes++;
    }
}
