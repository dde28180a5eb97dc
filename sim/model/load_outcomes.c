/* Outcomes of a scenario. See load.h. */
#include <string.h>

#include "load_private.h"

static const char *copied(struct pk_load *load, const char *text)
{
    const char *copy = pk_arena_text(load->arena, text);
    load->no_memory |= copy == NULL;
    return copy;
}

bool pk_load_measure(const struct pk_reader *r, enum pk_measure *measure)
{
    struct pk_reader child;
    size_t i;
    if (!pk_reader_need(r, "measure", &child) ||
        !pk_reader_choice(&child, pk_measure_names, PK_MEASURE_COUNT, &i, "a measure"))
        return false;
    *measure = (enum pk_measure)i;
    return true;
}

/* A duration from the start, or the word horizon; whole months within the horizon. */
bool pk_load_time(struct pk_load *load, const struct pk_reader *r, double *months)
{
    double horizon = load->scenario->horizon_months;
    if (pk_reader_is(r, PK_YAML_SCALAR) && strcmp(r->node->text, "horizon") == 0) {
        *months = horizon;
        return true;
    }
    if (!pk_reader_is(r, PK_YAML_MAPPING))
        return pk_reader_mismatch(r, "{years: ...}, {months: ...} or horizon", NULL);
    if (!pk_reader_duration_months(r, months))
        return false;
    if (*months != (double)(int64_t)*months || (horizon > 0 && *months > horizon)) {
        pk_reader_problem(r, NULL, "is %g months, expected a whole number within the horizon of %g", *months, horizon);
        return false;
    }
    return true;
}

void pk_load_period(struct pk_load *load, const struct pk_reader *r, double *from, double *to)
{
    struct pk_reader child;
    if (pk_reader_need(r, "from", &child))
        (void)pk_load_time(load, &child, from);
    if (pk_reader_need(r, "to", &child) && pk_load_time(load, &child, to) && load->scenario->horizon_months > 0 &&
        *to <= *from)
        pk_reader_problem(&child, NULL, "is not after from");
}

/* PARAMETER, a number, or {rate: ..., as: annual|continuous, from: DATE} */
void pk_load_discount(struct pk_load *load, const struct pk_reader *r, struct pk_discount *discount)
{
    static const char *const keys[] = {"rate", "as", "from", NULL}, *const ways[] = {"annual", "continuous"};
    const unsigned units = PK_UNITS(PK_UNIT_SHARE) | PK_UNITS(PK_UNIT_RATIO);
    struct pk_reader child;
    size_t i_way;
    int64_t day;
    if (!pk_reader_is(r, PK_YAML_MAPPING)) {
        (void)pk_load_number(load, r, units, 0, 1, &discount->rate);
        return;
    }
    if (!pk_reader_allow(r, keys))
        return;
    if (pk_reader_need(r, "rate", &child))
        (void)pk_load_number(load, &child, units, 0, 1, &discount->rate);
    if (pk_reader_find(r, "as", &child) && pk_reader_choice(&child, ways, 2, &i_way, "a way of discounting"))
        discount->as = i_way == 0 ? PK_DISCOUNT_ANNUAL : PK_DISCOUNT_CONTINUOUS;
    if (pk_reader_find(r, "from", &child) && pk_reader_day(&child, &day))
        discount->from_months = pk_scenario_months(day) - load->scenario->start_months;
}

/* entrants: {from: {years: 0}, to: {years: 1}} */
static void read_entrants(struct pk_load *load, const struct pk_reader *r, struct pk_outcome *outcome)
{
    static const char *const keys[] = {"from", "to", NULL};
    if (!pk_reader_allow(r, keys))
        return;
    outcome->entrants = true;
    if (!load->scenario->population.inflow.any)
        pk_reader_problem(r, NULL, "needs people who flow in; the population has no inflow");
    pk_load_period(load, r, &outcome->entered_from, &outcome->entered_to);
}

/* reward: NAME or rewards: [NAME, ...] of measure reward, all in one unit. */
static void read_rewards(struct pk_load *load, const struct pk_reader *r, struct pk_outcome *outcome)
{
    const struct pk_model *model = load->model;
    struct pk_reader one, list;
    size_t i, i_first = SIZE_MAX;
    bool has_one = pk_reader_find(r, "reward", &one), has_list = pk_reader_find(r, "rewards", &list);
    outcome->rewards = pk_load_alloc(load, model->n_rewards, sizeof(bool));
    if (outcome->rewards == NULL)
        return;
    if (has_one == has_list) {
        pk_reader_problem(r, NULL, "needs either reward or rewards");
        return;
    }
    if (has_one)
        list = one;
    else if (!pk_reader_expect(&list, PK_YAML_SEQUENCE, "a list of rewards"))
        return;
    if (has_list && pk_reader_count(&list) == 0)
        pk_reader_problem(&list, NULL, "is an empty list, expected at least one reward");
    for (size_t k = 0; k < (has_one ? 1 : pk_reader_count(&list)); k++) {
        struct pk_reader item = has_one ? one : pk_reader_item(&list, k);
        if (!pk_load_reward(load, &item, &i))
            continue;
        if (outcome->rewards[i])
            pk_reader_problem(&item, NULL, "names the reward %s again", model->rewards[i].name);
        outcome->rewards[i] = true;
        pk_load_check_reward_age(load, &item, i);
        i_first = i_first == SIZE_MAX ? i : i_first;
        const char *unit = model->rewards[i].unit, *first = model->rewards[i_first].unit;
        if (unit != NULL && first != NULL && strcmp(unit, first) != 0)
            pk_reader_problem(&item, NULL, "%s is in %s, which cannot be added to %s in %s", model->rewards[i].name,
                              unit, model->rewards[i_first].name, first);
    }
}

/* Everybody has an age, those who flow in too. */
static bool has_ages(const struct pk_load *load)
{
    const struct pk_inflow *inflow = &load->scenario->population.inflow;
    return pk_load_has_age(load) && (!inflow->any || inflow->origin.has_age);
}

/* A key that this measure knows nothing of. */
static void refuse(const struct pk_reader *r, const char *key, const char *format, const struct pk_outcome *outcome)
{
    struct pk_reader child;
    if (pk_reader_find(r, key, &child))
        pk_reader_problem(&child, NULL, format, pk_measure_names[outcome->measure]);
}

/* Of a mean age: from and to, or at, which is to from the start; of what is not said, the start and the horizon. */
static void read_loose_period(struct pk_load *load, const struct pk_reader *r, struct pk_outcome *outcome)
{
    struct pk_reader child;
    outcome->to_months = load->scenario->horizon_months;
    if (pk_reader_find(r, "at", &child)) {
        (void)pk_load_time(load, &child, &outcome->to_months);
        refuse(r, "from", "does not go with at in %s", outcome);
        refuse(r, "to", "does not go with at in %s", outcome);
        return;
    }
    if (pk_reader_find(r, "from", &child))
        (void)pk_load_time(load, &child, &outcome->from_months);
    (void)(pk_reader_find(r, "to", &child) && pk_load_time(load, &child, &outcome->to_months));
}

static void read_times(struct pk_load *load, const struct pk_reader *r, struct pk_outcome *outcome)
{
    struct pk_reader child;
    if (outcome->measure == PK_MEASURE_MEAN_AGE) {
        read_loose_period(load, r, outcome);
        if (load->scenario->horizon_months > 0 && outcome->to_months <= outcome->from_months) {
            bool said = pk_reader_find(r, "to", &child) || pk_reader_find(r, "at", &child);
            pk_reader_problem(said ? &child : r, NULL, "ends no later than it begins");
        }
    } else if (outcome->measure == PK_MEASURE_OCCUPANCY || outcome->measure == PK_MEASURE_FIRST_ENTRY) {
        if (pk_reader_need(r, "at", &child))
            (void)pk_load_time(load, &child, &outcome->to_months);
        refuse(r, "from", "does not apply to %s; use at", outcome);
        refuse(r, "to", "does not apply to %s; use at", outcome);
    } else {
        pk_load_period(load, r, &outcome->from_months, &outcome->to_months);
        refuse(r, "at", "does not apply to %s; use from and to", outcome);
    }
    outcome->to_horizon = outcome->to_months == load->scenario->horizon_months;
}

static void read_outcome(struct pk_load *load, const struct pk_reader *r, struct pk_outcome *outcome)
{
    static const char *const keys[] = {"label",  "measure",      "states", "at",       "from",     "to",
                                       "reward", "rewards",      "among",  "entrants", "discount", "per_cost",
                                       "share",  "displacement", "per",    NULL};
    static const char *const per[] = {"person"};
    struct pk_reader child;
    size_t i_per;
    outcome->i_reward = SIZE_MAX;
    outcome->discount.rate.i_parameter = SIZE_MAX;
    outcome->states = pk_load_alloc(load, load->model->n_states, sizeof(bool));
    if (outcome->states == NULL || !pk_reader_allow(r, keys))
        return;
    pk_load_label(load, r, outcome->name, &outcome->label);
    if (!pk_load_measure(r, &outcome->measure))
        return;
    const enum pk_measure measure = outcome->measure;
    if (measure == PK_MEASURE_REWARD) {
        refuse(r, "states", "does not apply to %s: a reward names its own states and transitions", outcome);
        read_rewards(load, r, outcome);
    } else {
        if (pk_reader_need(r, "states", &child))
            (void)pk_load_states(load, &child, outcome->states);
        refuse(r, "rewards", "does not apply to %s; use the measure reward", outcome);
    }
    if (measure == PK_MEASURE_MEAN_AGE && !has_ages(load))
        pk_reader_problem(r, NULL, "is a mean of ages; the population has none");
    read_times(load, r, outcome);
    if (measure != PK_MEASURE_REWARD && pk_reader_find(r, "reward", &child)) {
        if (measure != PK_MEASURE_PERSON_YEARS)
            pk_reader_problem(&child, NULL, "weights person-years only");
        if (pk_load_reward(load, &child, &outcome->i_reward))
            pk_load_check_reward_age(load, &child, outcome->i_reward);
    }
    if (pk_reader_find(r, "discount", &child)) {
        if (measure != PK_MEASURE_PERSON_YEARS && measure != PK_MEASURE_TRANSITIONS && measure != PK_MEASURE_REWARD)
            pk_reader_problem(&child, NULL, "applies to person_years, transitions and reward only");
        pk_load_discount(load, &child, &outcome->discount);
    }
    if (pk_reader_find(r, "among", &child)) {
        outcome->among = pk_load_all_values(load);
        if (outcome->among != NULL && !pk_load_among(load, &child, "would be counted", outcome->among))
            outcome->among = NULL;
    }
    if (pk_reader_find(r, "entrants", &child))
        read_entrants(load, &child, outcome);
    if (pk_measure_is_ratio(measure))
        refuse(r, "per", "does not apply to %s, which is a mean already", outcome);
    else if (pk_reader_find(r, "per", &child))
        outcome->per_person = pk_reader_choice(&child, per, 1, &i_per, "what the outcome is told for");
    if (pk_outcome_is_ratio(outcome)) {
        refuse(r, "per_cost", "does not apply to %s, which is a ratio", outcome);
        refuse(r, "share", "does not apply to %s, which is a ratio", outcome);
        refuse(r, "displacement", "does not apply to %s, which is a ratio", outcome);
    }
    outcome->displacement.i_parameter = SIZE_MAX;
    outcome->has_displacement = pk_reader_find(r, "displacement", &child);
    if (outcome->has_displacement)
        (void)pk_load_number(load, &child, PK_UNITS(PK_UNIT_SHARE) | PK_UNITS(PK_UNIT_PROBABILITY), 0, 1,
                             &outcome->displacement);
    if (pk_reader_find(r, "per_cost", &child))
        (void)pk_reader_bool(&child, &outcome->per_cost);
    if (pk_reader_find(r, "share", &child))
        (void)pk_reader_bool(&child, &outcome->share);
}

/* Those named, then those of the ledgers. */
void pk_load_read_outcomes(struct pk_load *load, const struct pk_reader *root)
{
    struct pk_scenario *scenario = load->scenario;
    struct pk_reader r, ledgers;
    bool any =
        pk_reader_find(root, "outcomes", &r) && pk_reader_expect(&r, PK_YAML_MAPPING, "a mapping of outcomes by name");
    size_t n = any ? pk_reader_count(&r) : 0;
    if (n > PK_MAX_OUTCOMES) {
        pk_reader_problem(&r, NULL, "has %zu outcomes, at most %d are allowed", n, PK_MAX_OUTCOMES);
        return;
    }
    size_t n_ledgers = pk_reader_find(root, "ledgers", &ledgers) ? load->model->n_rewards : 0;
    scenario->outcomes = pk_load_alloc(load, n + n_ledgers, sizeof *scenario->outcomes);
    for (size_t i = 0; i < n && scenario->outcomes != NULL; i++) {
        struct pk_reader item = pk_reader_item(&r, i);
        const char *name;
        if (!pk_reader_key_name(&r, i, &name))
            continue;
        struct pk_outcome *outcome = &scenario->outcomes[scenario->n_outcomes++];
        outcome->name = copied(load, name);
        if (load->no_memory)
            return;
        read_outcome(load, &item, outcome);
    }
    if (scenario->outcomes != NULL)
        pk_load_ledgers(load, root);
}
