/* How each outcome is read off the tallies: its people, its discounting, its prices. See collect.h. */
#include <stdlib.h>
#include <string.h>

#include "collect_private.h"
#include "polku/stats.h"

/* On the way through the outcomes. */
struct making {
    struct pk_collection *collection;
    const struct pk_values *values;
    struct pk_error *error;
    size_t n_filters;
    const struct pk_tally_filter **filters; /* [n_filters] */
    size_t room_basis, room_parts;
};

static enum pk_status no_memory(struct pk_error *error)
{
    return pk_error_set(error, PK_NO_MEMORY, "no memory for the outcomes");
}

static bool same_filter(const struct pk_tally_filter *a, const struct pk_tally_filter *b)
{
    if (a->entrants != b->entrants || a->entered_from != b->entered_from || a->entered_to != b->entered_to)
        return false;
    if (a->allowed == NULL || b->allowed == NULL)
        return a->allowed == b->allowed;
    return memcmp(a->allowed, b->allowed, PK_MAX_ATTRIBUTES * 256) == 0;
}

/* The filter of an outcome, the same one for outcomes with the same people; NULL: everybody. */
static enum pk_status find_filter(struct making *making, const struct pk_outcome *outcome,
                                  const struct pk_tally_filter **filter)
{
    const struct pk_model *model = making->collection->model;
    struct pk_arena *arena = &making->collection->arena;
    *filter = NULL;
    if (outcome->among == NULL && !outcome->entrants)
        return PK_OK;
    struct pk_tally_filter *made = pk_arena_alloc(arena, 1, sizeof *made);
    uint8_t *allowed = pk_arena_alloc(arena, PK_MAX_ATTRIBUTES, 256);
    if (made == NULL || allowed == NULL)
        return no_memory(making->error);
    memset(allowed, 1, (size_t)PK_MAX_ATTRIBUTES * 256);
    for (size_t a = 0; outcome->among != NULL && a < model->n_attributes; a++)
        for (size_t v = 0; v < model->attributes[a].n_values; v++)
            allowed[a * 256 + v] = outcome->among[a][v];
    if (outcome->among != NULL)
        made->allowed = allowed;
    made->entrants = outcome->entrants;
    made->entered_from = (int64_t)(outcome->entered_from * PK_TICKS_PER_MONTH);
    made->entered_to = (int64_t)(outcome->entered_to * PK_TICKS_PER_MONTH);
    for (size_t i = 0; i < making->n_filters; i++)
        if (same_filter(making->filters[i], made)) {
            *filter = making->filters[i];
            return PK_OK;
        }
    *filter = making->filters[making->n_filters++] = made;
    return PK_OK;
}

/* ---- rewards ------------------------------------------------------------------------------------------------ */

static bool sums(const struct pk_outcome *outcome, size_t i_reward)
{
    return outcome->measure == PK_MEASURE_REWARD ? outcome->rewards[i_reward] : outcome->i_reward == i_reward;
}

/* What the outcome's rewards tell apart: attributes with ratios, and all cuts of their tables by age. */
static enum pk_status find_groups(struct making *making, const struct pk_outcome *outcome, bool *by, double **ages,
                                  size_t *n_ages)
{
    const struct pk_model *model = making->collection->model;
    size_t n = 0, n_kept = 0;
    memset(by, 0, PK_MAX_ATTRIBUTES * sizeof *by);
    for (int pass = 0; pass < 2; pass++) {
        if (pass == 1 && (*ages = pk_arena_alloc(&making->collection->arena, n, sizeof **ages)) == NULL)
            return no_memory(making->error);
        n = 0;
        for (size_t i = 0; i < model->n_rewards; i++) {
            const struct pk_reward *reward = &model->rewards[i];
            if (!sums(outcome, i))
                continue;
            for (size_t k = 0; k < reward->n_ratios; k++)
                by[reward->ratios[k].i_attribute] = true;
            const struct pk_parameter *table =
                reward->i_by_age == SIZE_MAX ? NULL : &model->parameters[reward->i_by_age];
            for (size_t k = 0; table != NULL && k + 1 < table->n_values; k++, n++)
                if (pass == 1)
                    (*ages)[n] = table->cuts[k];
        }
    }
    qsort(*ages, n, sizeof **ages, pk_stats_ascending);
    for (size_t i = 0; i < n; i++)
        if (n_kept == 0 || (*ages)[i] != (*ages)[n_kept - 1])
            (*ages)[n_kept++] = (*ages)[i];
    *n_ages = n_kept;
    return PK_OK;
}

/* The basis element of the outcome with this product, made if it is new. */
static size_t find_basis(struct making *making, struct pk_rule *rule, const struct pk_basis *wanted)
{
    struct pk_collection *collection = making->collection;
    for (size_t i = rule->first_basis; i < rule->first_basis + rule->n_basis; i++) {
        const struct pk_basis *known = &collection->basis[i];
        if (known->i_reward == wanted->i_reward && known->per_event == wanted->per_event &&
            known->n_factors == wanted->n_factors &&
            memcmp(known->i_factors, wanted->i_factors, wanted->n_factors * sizeof *wanted->i_factors) == 0)
            return i;
    }
    if (collection->n_basis == making->room_basis) {
        size_t room = 2 * making->room_basis + 64;
        struct pk_basis *grown = pk_arena_alloc(&collection->arena, room, sizeof *grown);
        if (grown == NULL)
            return SIZE_MAX;
        if (collection->n_basis > 0)
            memcpy(grown, collection->basis, collection->n_basis * sizeof *grown);
        collection->basis = grown;
        making->room_basis = room;
    }
    collection->basis[collection->n_basis] = *wanted;
    rule->n_basis++;
    return collection->n_basis++;
}

static size_t value_in_group(const struct pk_model *model, const struct pk_tally_shape *shape, size_t i_group, size_t a)
{
    return i_group / shape->strides[a] % model->attributes[a].n_values;
}

/* The basis of a price for one group; *i_basis is SIZE_MAX where there is no price. */
static enum pk_status price_of_group(struct making *making, struct pk_rule *rule, const struct pk_reward_part *part,
                                     size_t i_price, bool per_event, size_t i_group, size_t *i_basis)
{
    const struct pk_model *model = making->collection->model;
    const struct pk_reward *reward = &model->rewards[part->i_reward];
    const struct pk_tally_shape *shape = &making->collection->shapes[rule->i_shape];
    struct pk_basis wanted = {
        .i_outcome = part->i_outcome, .i_reward = part->i_reward, .per_event = per_event, .n_factors = 1};
    *i_basis = SIZE_MAX;
    if (i_price == SIZE_MAX)
        return PK_OK;
    wanted.i_factors[0] = i_price;
    for (size_t k = 0; k < reward->n_ratios; k++) {
        const struct pk_ratio *ratio = &reward->ratios[k];
        if (value_in_group(model, shape, i_group, ratio->i_attribute) == ratio->i_value &&
            wanted.n_factors < PK_MAX_BASIS_FACTORS)
            wanted.i_factors[wanted.n_factors++] = ratio->i_parameter;
    }
    *i_basis = find_basis(making, rule, &wanted);
    return *i_basis == SIZE_MAX ? no_memory(making->error) : PK_OK;
}

static enum pk_status make_part(struct making *making, struct pk_rule *rule, struct pk_reward_part *part,
                                const double *ages)
{
    const struct pk_collection *collection = making->collection;
    const struct pk_model *model = collection->model;
    const struct pk_plan *plan = collection->plan;
    const struct pk_outcome *outcome = &collection->scenario->outcomes[part->i_outcome];
    const struct pk_reward *reward = &model->rewards[part->i_reward];
    const struct pk_tally_shape *shape = &collection->shapes[rule->i_shape];
    const bool whole = outcome->measure == PK_MEASURE_REWARD;
    struct pk_arena *arena = &making->collection->arena;
    size_t *of_state = pk_arena_alloc(arena, shape->n_groups * plan->n_states, sizeof *of_state);
    size_t *of_arc = pk_arena_alloc(arena, shape->n_groups * plan->n_arcs, sizeof *of_arc);
    double *factors = pk_arena_alloc(arena, shape->n_ages + 1, sizeof *factors);
    if (of_state == NULL || of_arc == NULL || factors == NULL)
        return no_memory(making->error);
    enum pk_status status = PK_OK;
    for (size_t g = 0; g < shape->n_groups && status == PK_OK; g++) {
        for (size_t s = 0; s < plan->n_states && status == PK_OK; s++)
            status = price_of_group(making, rule, part,
                                    whole || outcome->states[s] ? reward->i_state_parameter[s] : SIZE_MAX, false, g,
                                    &of_state[g * plan->n_states + s]);
        for (size_t a = 0; a < plan->n_arcs && status == PK_OK; a++) {
            const struct pk_plan_arc *arc = &plan->arcs[a];
            bool priced = whole && !arc->diverted && reward->i_transition_parameter != NULL;
            status = price_of_group(making, rule, part,
                                    priced ? reward->i_transition_parameter[arc->i_transition] : SIZE_MAX, true, g,
                                    &of_arc[g * plan->n_arcs + a]);
        }
    }
    part->of_state = of_state;
    part->of_arc = of_arc;
    if (reward->i_by_age != SIZE_MAX) {
        const struct pk_parameter *table = &model->parameters[reward->i_by_age];
        for (size_t k = 0; k <= shape->n_ages; k++) {
            size_t segment = 0;
            while (k > 0 && segment + 1 < table->n_values && table->cuts[segment] <= ages[k - 1])
                segment++;
            factors[k] = table->values[segment];
        }
        part->age_factors = factors;
    }
    return status;
}

static enum pk_status make_rewards(struct making *making, size_t i_outcome, struct pk_rule *rule, const double *ages)
{
    struct pk_collection *collection = making->collection;
    enum pk_status status = PK_OK;
    rule->first_part = collection->n_parts;
    rule->first_basis = collection->n_basis;
    for (size_t i = 0; i < collection->model->n_rewards && status == PK_OK; i++) {
        if (!sums(&collection->scenario->outcomes[i_outcome], i))
            continue;
        PK_ASSERT(collection->n_parts < making->room_parts);
        struct pk_reward_part *part = &collection->parts[collection->n_parts++];
        *part = (struct pk_reward_part){.i_outcome = i_outcome, .i_reward = i};
        status = make_part(making, rule, part, ages);
        rule->n_parts++;
    }
    return status;
}

static enum pk_status make_prices(struct making *making)
{
    struct pk_collection *collection = making->collection;
    const struct pk_scenario *scenario = collection->scenario;
    double *prices = pk_arena_alloc(&collection->arena, scenario->n_arms * collection->n_basis, sizeof *prices);
    if (prices == NULL)
        return no_memory(making->error);
    for (size_t a = 0; a < scenario->n_arms; a++)
        for (size_t i = 0; i < collection->n_basis; i++) {
            const struct pk_basis *basis = &collection->basis[i];
            const struct pk_number *ratios = scenario->arms[a].price_ratios;
            double price = 1;
            for (size_t k = 0; k < basis->n_factors; k++)
                price *= making->values->used[basis->i_factors[k]];
            if (ratios != NULL)
                price *= pk_number_value(&ratios[basis->i_reward], making->values);
            prices[a * collection->n_basis + i] = price;
        }
    collection->prices = prices;
    return PK_OK;
}

/* ---- all outcomes ------------------------------------------------------------------------------------------- */

static enum pk_status find_entry_set(struct making *making, const struct pk_outcome *outcome, struct pk_rule *rule)
{
    struct pk_tally_shape *shape = &making->collection->shapes[rule->i_shape];
    uint64_t set = 0;
    size_t k = 0;
    for (size_t s = 0; s < shape->n_states; s++)
        set |= (uint64_t)outcome->states[s] << s;
    while (k < shape->n_entry_sets && shape->entry_sets[k] != set)
        k++;
    if (k == PK_MAX_ENTRY_SETS)
        return pk_error_set(making->error, PK_BAD_INPUT, "the outcomes name more than %d sets of states",
                            PK_MAX_ENTRY_SETS);
    shape->entry_sets[k] = set;
    shape->n_entry_sets = k == shape->n_entry_sets ? k + 1 : shape->n_entry_sets;
    rule->i_entry_set = k;
    shape->ages_at_entry |= outcome->measure == PK_MEASURE_MEAN_AGE;
    return PK_OK;
}

static enum pk_status make_discounting(struct making *making, const struct pk_outcome *outcome, struct pk_rule *rule)
{
    const struct pk_tally_shape *shape = &making->collection->shapes[rule->i_shape];
    rule->discounter = pk_discounter_make(&outcome->discount, making->values);
    rule->discounted = rule->discounter.force != 0;
    if (!rule->discounted)
        return PK_OK;
    double *factors = pk_arena_alloc(&making->collection->arena, shape->n_steps, sizeof *factors);
    if (factors == NULL)
        return no_memory(making->error);
    for (size_t j = 0; j < shape->n_steps; j++)
        factors[j] = pk_discounter_mean(&rule->discounter, (double)j / 12, (double)(j + 1) / 12);
    rule->month_factors = factors;
    return PK_OK;
}

static enum pk_status make_rule(struct making *making, size_t i_outcome)
{
    struct pk_collection *collection = making->collection;
    const struct pk_outcome *outcome = &collection->scenario->outcomes[i_outcome];
    struct pk_rule *rule = &collection->rules[i_outcome];
    const struct pk_tally_filter *filter;
    bool by[PK_MAX_ATTRIBUTES];
    double *ages = NULL;
    size_t n_ages = 0;
    enum pk_status status = find_filter(making, outcome, &filter);
    if (status == PK_OK)
        status = find_groups(making, outcome, by, &ages, &n_ages);
    if (status == PK_OK)
        status = pk_collection_shape(collection, by, ages, n_ages, filter, 1, &rule->i_shape, making->error);
    if (status == PK_OK && (outcome->measure == PK_MEASURE_FIRST_ENTRY || outcome->measure == PK_MEASURE_MEAN_AGE))
        status = find_entry_set(making, outcome, rule);
    if (status == PK_OK)
        status = make_discounting(making, outcome, rule);
    if (status == PK_OK)
        status = make_rewards(making, i_outcome, rule, ages);
    collection->has_ratios |= pk_outcome_is_ratio(outcome);
    return status;
}

enum pk_status pk_collection_rules(struct pk_collection *collection, const struct pk_values *values,
                                   struct pk_error *error)
{
    const struct pk_scenario *scenario = collection->scenario;
    struct making making = {.collection = collection, .values = values, .error = error};
    for (size_t i = 0; i < scenario->n_outcomes; i++)
        for (size_t k = 0; k < collection->model->n_rewards; k++)
            making.room_parts += sums(&scenario->outcomes[i], k);
    collection->rules = pk_arena_alloc(&collection->arena, scenario->n_outcomes, sizeof *collection->rules);
    collection->parts = pk_arena_alloc(&collection->arena, making.room_parts, sizeof *collection->parts);
    making.filters = pk_arena_alloc(&collection->arena, scenario->n_outcomes, sizeof *making.filters);
    if (collection->rules == NULL || collection->parts == NULL || making.filters == NULL)
        return no_memory(error);
    enum pk_status status = PK_OK;
    for (size_t i = 0; i < scenario->n_outcomes && status == PK_OK; i++)
        status = make_rule(&making, i);
    return status == PK_OK ? make_prices(&making) : status;
}
