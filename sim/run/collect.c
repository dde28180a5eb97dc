/* The tallies of one unit. See collect.h; folding is in fold.c. */
#include "polku/collect.h"

#include <string.h>

#include "collect_private.h"
#include "polku/elementary.h"

/* A shape with the same groups whose steps add up to the wanted ones will do. */
static size_t find_shape(struct pk_collection *collection, const struct pk_tally_shape *wanted)
{
    for (size_t i = 0; i < collection->n_shapes; i++)
        if (wanted->step_ticks % collection->shapes[i].step_ticks == 0 &&
            memcmp(collection->shapes[i].strides, wanted->strides, sizeof wanted->strides) == 0)
            return i;
    collection->shapes[collection->n_shapes] = *wanted;
    return collection->n_shapes++;
}

static enum pk_status make_shape(struct pk_collection *collection, const bool *by, int64_t step_months, size_t *i_shape,
                                 struct pk_error *error)
{
    const struct pk_plan *plan = collection->plan;
    struct pk_tally_shape shape = {.n_groups = 1,
                                   .n_states = plan->n_states,
                                   .n_arcs = plan->n_arcs,
                                   .n_steps = (size_t)(plan->horizon / (double)step_months),
                                   .step_ticks = step_months << 20};
    uint16_t *ends = pk_arena_alloc(&collection->arena, 2 * plan->n_arcs, sizeof *ends);
    if (ends == NULL)
        return pk_error_set(error, PK_NO_MEMORY, "no memory for the tables");
    for (size_t a = 0; a < plan->n_arcs; a++) {
        ends[a] = (uint16_t)plan->arcs[a].i_from;
        ends[plan->n_arcs + a] = (uint16_t)plan->arcs[a].i_to;
    }
    shape.arc_from = ends;
    shape.arc_to = ends + plan->n_arcs;
    for (size_t a = plan->n_attributes; by != NULL && a-- > 0;) /* the last attribute varies fastest */
        if (by[a]) {
            shape.strides[a] = shape.n_groups;
            shape.n_groups *= collection->model->attributes[a].n_values;
            if (shape.n_groups > (1u << 24))
                return pk_error_set(error, PK_BAD_INPUT, "a table tells more than 2^24 groups apart");
        }
    *i_shape = find_shape(collection, &shape);
    return PK_OK;
}

/* What the outcomes need: monthly steps, their entry sets, rewards and discounts. */
static enum pk_status prepare_outcomes(struct pk_collection *collection, const struct pk_values *values,
                                       struct pk_error *error)
{
    const struct pk_scenario *scenario = collection->scenario;
    size_t n_states = collection->plan->n_states;
    enum pk_status status = make_shape(collection, NULL, 1, &collection->i_outcome_shape, error);
    if (status != PK_OK)
        return status;
    struct pk_tally_shape *shape = &collection->shapes[collection->i_outcome_shape];
    double *weights = pk_arena_alloc(&collection->arena, scenario->n_outcomes * n_states, sizeof *weights);
    if (weights == NULL)
        return pk_error_set(error, PK_NO_MEMORY, "no memory for the outcomes");
    for (size_t i = 0; i < scenario->n_outcomes; i++) {
        const struct pk_outcome *outcome = &scenario->outcomes[i];
        uint64_t set = 0;
        double discount = pk_number_value(&outcome->discount, values);
        if (discount != 0) {
            double *factors = pk_arena_alloc(&collection->arena, shape->n_steps, sizeof *factors);
            if (factors == NULL)
                return pk_error_set(error, PK_NO_MEMORY, "no memory for the outcomes");
            for (size_t j = 0; j < shape->n_steps; j++)
                factors[j] = pk_pow(1 + discount, -((double)j + 0.5) / 12);
            collection->discount_factors[i] = factors;
        }
        for (size_t s = 0; s < n_states; s++) {
            set |= (uint64_t)outcome->states[s] << s;
            size_t i_parameter = outcome->i_reward == SIZE_MAX
                                     ? SIZE_MAX
                                     : collection->model->rewards[outcome->i_reward].i_state_parameter[s];
            double weight = outcome->i_reward == SIZE_MAX ? 1 : i_parameter == SIZE_MAX ? 0 : values->used[i_parameter];
            weights[i * n_states + s] = outcome->states[s] ? weight : 0;
        }
        if (outcome->measure != PK_MEASURE_FIRST_ENTRY)
            continue;
        size_t k = 0;
        while (k < shape->n_entry_sets && shape->entry_sets[k] != set)
            k++;
        if (k == PK_MAX_ENTRY_SETS)
            return pk_error_set(error, PK_BAD_INPUT, "the outcomes name more than %d sets of states",
                                PK_MAX_ENTRY_SETS);
        shape->entry_sets[k] = set;
        shape->n_entry_sets = k == shape->n_entry_sets ? k + 1 : shape->n_entry_sets;
        collection->i_entry_set[i] = k;
    }
    collection->state_weights = weights;
    return PK_OK;
}

enum pk_status pk_collection_init(struct pk_collection *collection, const struct pk_plan *plan,
                                  const struct pk_model *model, const struct pk_scenario *scenario,
                                  const struct pk_values *values, struct pk_error *error)
{
    memset(collection, 0, sizeof *collection);
    pk_arena_init(&collection->arena);
    collection->plan = plan;
    collection->model = model;
    collection->scenario = scenario;
    enum pk_status status = PK_OK;
    if (scenario->n_outcomes > 0 || scenario->n_tables == 0)
        status = prepare_outcomes(collection, values, error);
    int64_t step = 0;
    for (size_t n_done = 0;
         n_done < scenario->n_tables && status == PK_OK;) { /* finer steps first: others reuse them */
        int64_t next = INT64_MAX;
        for (size_t i = 0; i < scenario->n_tables; i++)
            if (scenario->tables[i].step_months > step && scenario->tables[i].step_months < next)
                next = scenario->tables[i].step_months;
        step = next;
        for (size_t i = 0; i < scenario->n_tables && status == PK_OK; i++)
            if (scenario->tables[i].step_months == step) {
                status = make_shape(collection, scenario->tables[i].by, step, &collection->i_table_shape[i], error);
                n_done++;
            }
    }
    collection->n_slots = 1 + plan->n_cohorts * (1 + plan->n_arms);
    collection->has_slot[0] = true;
    for (size_t c = 0; c < plan->n_cohorts; c++) {
        collection->has_slot[pk_collection_slot(collection, c, SIZE_MAX)] = true;
        for (size_t a = 0; a < plan->n_arms; a++)
            collection->has_slot[pk_collection_slot(collection, c, a)] = plan->arms[a].n_enrolments > 0;
    }
    if (status != PK_OK)
        pk_collection_free(collection);
    return status;
}

void pk_collection_free(struct pk_collection *collection)
{
    if (collection == NULL)
        return;
    pk_arena_free(&collection->arena);
    memset(collection, 0, sizeof *collection);
}

size_t pk_collection_slot(const struct pk_collection *collection, size_t i_cohort, size_t i_arm)
{
    return 1 + i_cohort * (1 + collection->plan->n_arms) + (i_arm == SIZE_MAX ? 0 : 1 + i_arm);
}

uint64_t pk_collection_bytes(const struct pk_collection *collection)
{
    uint64_t bytes = 0;
    for (size_t slot = 0; slot < collection->n_slots; slot++)
        for (size_t i = 0; collection->has_slot[slot] && i < collection->n_shapes; i++)
            bytes += pk_tally_bytes(&collection->shapes[i]);
    return bytes;
}

enum pk_status pk_batch_init(struct pk_batch *unit, const struct pk_collection *collection, struct pk_error *error)
{
    memset(unit, 0, sizeof *unit);
    unit->collection = collection;
    /* two more than needed: units that different threads write must not share a cache line */
    unit->tallies = pk_alloc(collection->n_slots * collection->n_shapes + 2, sizeof *unit->tallies);
    if (unit->tallies == NULL)
        return pk_error_set(error, PK_NO_MEMORY, "no memory for the tallies");
    enum pk_status status = PK_OK;
    for (size_t slot = 0; slot < collection->n_slots; slot++)
        for (size_t i = 0; collection->has_slot[slot] && i < collection->n_shapes && status == PK_OK; i++)
            status = pk_tally_init(&unit->tallies[slot * collection->n_shapes + i], &collection->shapes[i], error);
    if (status != PK_OK)
        pk_batch_free(unit);
    return status;
}

void pk_batch_free(struct pk_batch *unit)
{
    if (unit == NULL || unit->tallies == NULL)
        return;
    for (size_t i = 0; i < unit->collection->n_slots * unit->collection->n_shapes; i++)
        pk_tally_free(&unit->tallies[i]);
    pk_free(unit->tallies);
    memset(unit, 0, sizeof *unit);
}

void pk_batch_clear(struct pk_batch *unit)
{
    for (size_t i = 0; i < unit->collection->n_slots * unit->collection->n_shapes; i++)
        if (unit->tallies[i].shape != NULL)
            pk_tally_clear(&unit->tallies[i]);
    memset(unit->n_enrolled, 0, sizeof unit->n_enrolled);
    memset(unit->n_changed, 0, sizeof unit->n_changed);
}

void pk_batch_merge(struct pk_batch *into, struct pk_batch *from)
{
    for (size_t i = 0; i < into->collection->n_slots * into->collection->n_shapes; i++)
        if (into->tallies[i].shape != NULL)
            pk_tally_merge(&into->tallies[i], &from->tallies[i], 1);
    for (size_t i = 0; i < PK_MAX_ARMS; i++) {
        into->n_enrolled[i] += from->n_enrolled[i];
        into->n_changed[i] += from->n_changed[i];
    }
}

static void add_to_slot(struct pk_batch *unit, size_t slot, const struct pk_person *person, const struct pk_life *life)
{
    size_t n = unit->collection->n_shapes;
    for (size_t i = 0; i < n; i++)
        pk_tally_add(&unit->tallies[slot * n + i], person, life);
}

static bool differ(const struct pk_life *a, const struct pk_life *b)
{
    bool same = a->n_events == b->n_events;
    for (size_t i = 0; same && i < a->n_events; i++)
        same = a->events[i].tick == b->events[i].tick && a->events[i].arc == b->events[i].arc;
    return !same;
}

void pk_batch_add(struct pk_batch *unit, const struct pk_person *person, const struct pk_life *base,
                  const struct pk_life *const *arm_lives, uint64_t cohorts, bool everyone)
{
    const struct pk_collection *collection = unit->collection;
    const struct pk_plan *plan = collection->plan;
    if (everyone)
        add_to_slot(unit, 0, person, base);
    if (cohorts == 0)
        return;
    for (size_t c = 0; c < plan->n_cohorts; c++) {
        if (!(cohorts >> c & 1))
            continue;
        unit->n_enrolled[c]++;
        add_to_slot(unit, pk_collection_slot(collection, c, SIZE_MAX), person, base);
        for (size_t a = 0; a < plan->n_arms; a++)
            if (plan->arms[a].n_enrolments > 0)
                add_to_slot(unit, pk_collection_slot(collection, c, a), person, arm_lives[a] ? arm_lives[a] : base);
    }
    for (size_t a = 0; a < plan->n_arms; a++)
        unit->n_changed[a] += arm_lives[a] != NULL && differ(base, arm_lives[a]);
}
