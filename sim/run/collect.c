/* The tallies of one unit. See collect.h; outcomes: collect_outcomes.c; life by life: collect_lives.c; folding:
 * fold.c. */
#include "polku/collect.h"

#include <string.h>

#include "collect_private.h"

static bool same_ages(const struct pk_tally_shape *a, const struct pk_tally_shape *b)
{
    return a->n_ages == b->n_ages &&
           (a->n_ages == 0 || memcmp(a->age_ticks, b->age_ticks, a->n_ages * sizeof *a->age_ticks) == 0);
}

/* A shape with the same people and groups whose steps add up to the wanted ones will do. */
static size_t find_shape(struct pk_collection *collection, const struct pk_tally_shape *wanted)
{
    for (size_t i = 0; i < collection->n_shapes; i++) {
        const struct pk_tally_shape *shape = &collection->shapes[i];
        if (wanted->step_ticks % shape->step_ticks == 0 && wanted->filter == shape->filter &&
            same_ages(wanted, shape) && memcmp(shape->strides, wanted->strides, sizeof wanted->strides) == 0)
            return i;
    }
    collection->shapes[collection->n_shapes] = *wanted;
    return collection->n_shapes++;
}

static enum pk_status no_memory(struct pk_error *error)
{
    return pk_error_set(error, PK_NO_MEMORY, "no memory for the tables");
}

enum pk_status pk_collection_shape(struct pk_collection *collection, const bool *by, const double *ages, size_t n_ages,
                                   const struct pk_tally_filter *filter, int64_t step_months, size_t *i_shape,
                                   struct pk_error *error)
{
    const struct pk_plan *plan = collection->plan;
    struct pk_tally_shape shape = {.n_groups = n_ages + 1,
                                   .n_states = plan->n_states,
                                   .n_arcs = plan->n_arcs,
                                   .n_steps = (size_t)(plan->horizon / (double)step_months),
                                   .step_ticks = step_months << 20,
                                   .open = plan->inflow.n_years > 0 || n_ages > 0,
                                   .weighted = collection->weighted,
                                   .n_ages = n_ages,
                                   .filter = filter};
    uint16_t *ends = pk_arena_alloc(&collection->arena, 2 * plan->n_arcs, sizeof *ends);
    int64_t *cuts = pk_arena_alloc(&collection->arena, n_ages, sizeof *cuts);
    if (ends == NULL || cuts == NULL)
        return no_memory(error);
    for (size_t a = 0; a < plan->n_arcs; a++) {
        ends[a] = (uint16_t)plan->arcs[a].i_from;
        ends[plan->n_arcs + a] = (uint16_t)plan->arcs[a].i_to;
    }
    shape.arc_from = ends;
    shape.arc_to = ends + plan->n_arcs;
    for (size_t i = 0; i < n_ages; i++)
        cuts[i] = (int64_t)(pk_tick_round(ages[i] * 12) * PK_TICKS_PER_MONTH);
    shape.age_ticks = cuts;
    for (size_t a = plan->n_attributes; by != NULL && a-- > 0;) /* age, then the last attribute varies fastest */
        if (by[a]) {
            shape.strides[a] = shape.n_groups;
            shape.n_groups *= collection->model->attributes[a].n_values;
            if (shape.n_groups > (1u << 24))
                return pk_error_set(error, PK_BAD_INPUT, "a table tells more than 2^24 groups apart");
        }
    *i_shape = find_shape(collection, &shape);
    return PK_OK;
}

/* Everybody's ticks over the horizon, and over a life where ages are added up, must fit the integers they are added up
 * in. */
static enum pk_status check_size(const struct pk_plan *plan, const struct pk_scenario *scenario, struct pk_error *error)
{
    enum { LONG_LIFE = 2400 }; /* months, on average at the start */
    bool ages = false;
    for (size_t i = 0; i < scenario->n_outcomes; i++)
        ages |= scenario->outcomes[i].measure == PK_MEASURE_MEAN_AGE;
    const double one = (double)(UINT64_C(1) << plan->weight_bits);
    double all = 0;
    if (plan->people.weights != NULL)
        for (size_t i = 0; i < plan->people.n; i++)
            all += plan->people.weights[i];
    else
        all = (double)plan->n_persons * one;
    for (size_t i = 0; i < plan->inflow.n_years; i++)
        all += (2 * plan->inflow.mean[i] + 100) * one;
    if (all * (plan->horizon + (ages ? LONG_LIFE : 0)) * PK_TICKS_PER_MONTH < 0x1p62)
        return PK_OK;
    return pk_error_set(
        error, PK_BAD_INPUT,
        "%g people over %g months, in steps of 2^-20 month%s, are more than the tables can add up; take "
        "fewer people",
        all / one, plan->horizon, plan->weight_bits > 0 ? " and weights in fractions" : "");
}

static enum pk_status make_tables(struct pk_collection *collection, struct pk_error *error)
{
    const struct pk_scenario *scenario = collection->scenario;
    enum pk_status status = PK_OK;
    int64_t step = 0;
    for (size_t n_done = 0; n_done < scenario->n_tables && status == PK_OK;) { /* finer steps first: others reuse */
        int64_t next = INT64_MAX;
        for (size_t i = 0; i < scenario->n_tables; i++)
            if (scenario->tables[i].step_months > step && scenario->tables[i].step_months < next)
                next = scenario->tables[i].step_months;
        step = next;
        for (size_t i = 0; i < scenario->n_tables && status == PK_OK; i++) {
            const struct pk_table *table = &scenario->tables[i];
            if (table->step_months != step)
                continue;
            status = pk_collection_shape(collection, table->by, table->ages, table->n_ages, NULL, step,
                                         &collection->i_table_shape[i], error);
            n_done++;
        }
    }
    return status;
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
    collection->weighted = plan->weight_bits > 0 || plan->people.weights != NULL;
    collection->weight = 1 / (double)(UINT64_C(1) << plan->weight_bits);
    collection->shapes =
        pk_arena_alloc(&collection->arena, scenario->n_outcomes + scenario->n_tables + 1, sizeof *collection->shapes);
    enum pk_status status = collection->shapes == NULL ? no_memory(error) : check_size(plan, scenario, error);
    if (status == PK_OK)
        status = pk_collection_rules(collection, values, error);
    if (status == PK_OK)
        status = make_tables(collection, error);
    collection->n_slots = 1 + plan->n_cohorts * (1 + plan->n_arms);
    collection->has_slot[0] = true;
    for (size_t c = 0; c < plan->n_cohorts; c++) {
        collection->has_slot[pk_collection_slot(collection, c, SIZE_MAX)] = true;
        for (size_t a = 0; a < plan->n_arms; a++)
            collection->has_slot[pk_collection_slot(collection, c, a)] = plan->arms[a].i_cohort != SIZE_MAX;
    }
    if (status == PK_OK)
        status = pk_collection_lives(collection, error);
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

size_t pk_collection_arm_slot(const struct pk_collection *collection, size_t i_cohort, size_t i_arm)
{
    bool changes = collection->plan->arms[i_arm].i_cohort != SIZE_MAX;
    return pk_collection_slot(collection, i_cohort, changes ? i_arm : SIZE_MAX);
}

static size_t n_watched(const struct pk_collection *collection)
{
    return collection->n_watches * (3 * collection->n_years + 3);
}

uint64_t pk_collection_bytes(const struct pk_collection *collection)
{
    uint64_t bytes = 8 * (collection->n_slots * collection->n_bins + n_watched(collection));
    for (size_t slot = 0; slot < collection->n_slots; slot++)
        for (size_t i = 0; collection->has_slot[slot] && i < collection->n_shapes; i++)
            bytes += pk_tally_bytes(&collection->shapes[i]);
    return bytes;
}

enum pk_status pk_batch_init(struct pk_batch *unit, const struct pk_collection *collection, struct pk_error *error)
{
    enum { APART = 16 }; /* units that different threads write must not share a cache line */
    memset(unit, 0, sizeof *unit);
    unit->collection = collection;
    unit->tallies = pk_alloc(collection->n_slots * collection->n_shapes + 2, sizeof *unit->tallies);
    unit->bins = pk_alloc(collection->n_slots * collection->n_bins + APART, sizeof *unit->bins);
    unit->watched = pk_alloc(n_watched(collection) + APART, sizeof *unit->watched);
    enum pk_status status = PK_OK;
    if (unit->tallies == NULL || unit->bins == NULL || unit->watched == NULL)
        status = pk_error_set(error, PK_NO_MEMORY, "no memory for the tallies");
    for (size_t slot = 0; slot < collection->n_slots; slot++)
        for (size_t i = 0; collection->has_slot[slot] && i < collection->n_shapes && status == PK_OK; i++)
            status = pk_tally_init(pk_batch_tally(unit, slot, i), &collection->shapes[i], error);
    if (status != PK_OK)
        pk_batch_free(unit);
    return status;
}

void pk_batch_free(struct pk_batch *unit)
{
    if (unit == NULL)
        return;
    for (size_t i = 0; unit->tallies != NULL && i < unit->collection->n_slots * unit->collection->n_shapes; i++)
        pk_tally_free(&unit->tallies[i]);
    pk_free(unit->tallies);
    pk_free(unit->bins);
    pk_free(unit->watched);
    memset(unit, 0, sizeof *unit);
}

void pk_batch_clear(struct pk_batch *unit)
{
    const struct pk_collection *collection = unit->collection;
    for (size_t i = 0; i < collection->n_slots * collection->n_shapes; i++)
        if (unit->tallies[i].shape != NULL)
            pk_tally_clear(&unit->tallies[i]);
    memset(unit->bins, 0, collection->n_slots * collection->n_bins * sizeof *unit->bins);
    memset(unit->watched, 0, n_watched(collection) * sizeof *unit->watched);
    memset(unit->n_enrolled, 0, sizeof unit->n_enrolled);
    memset(unit->n_changed, 0, sizeof unit->n_changed);
    memset(unit->n_touched, 0, sizeof unit->n_touched);
    memset(unit->n_served, 0, sizeof unit->n_served);
    unit->n_persons = 0;
    unit->n_events = 0;
}

void pk_batch_merge(struct pk_batch *into, struct pk_batch *from)
{
    const struct pk_collection *collection = into->collection;
    for (size_t i = 0; i < collection->n_slots * collection->n_shapes; i++)
        if (into->tallies[i].shape != NULL)
            pk_tally_merge(&into->tallies[i], &from->tallies[i], 1);
    for (size_t i = 0; i < collection->n_slots * collection->n_bins; i++)
        into->bins[i] += from->bins[i];
    for (size_t i = 0; i < n_watched(collection); i++)
        into->watched[i] += from->watched[i];
    for (size_t i = 0; i < PK_MAX_ARMS; i++) {
        into->n_enrolled[i] += from->n_enrolled[i];
        into->n_changed[i] += from->n_changed[i];
        into->n_touched[i] += from->n_touched[i];
        for (size_t k = 0; k <= PK_MAX_SERVICES; k++)
            into->n_served[i][k] += from->n_served[i][k];
    }
    into->n_persons += from->n_persons;
    into->n_events += from->n_events;
}

struct pk_tally *pk_batch_tally(const struct pk_batch *unit, size_t slot, size_t i_shape)
{
    return &unit->tallies[slot * unit->collection->n_shapes + i_shape];
}

bool pk_collection_needs_lives(const struct pk_collection *collection)
{
    bool needs = collection->n_bins > 0;
    for (size_t i = 0; i < collection->n_shapes; i++)
        needs |= !pk_tally_takes_log(&collection->shapes[i]);
    return needs;
}

void pk_batch_enter(struct pk_batch *unit, const struct pk_persons *persons, struct pk_tally_block *blocks)
{
    const struct pk_collection *collection = unit->collection;
    for (size_t i = 0; i < collection->n_shapes; i++)
        if (pk_tally_takes_log(&collection->shapes[i]))
            pk_tally_enter(&unit->tallies[i], persons, &blocks[i]);
    if (!collection->weighted)
        unit->n_persons += (int64_t)persons->n;
}

void pk_batch_log(struct pk_batch *unit, struct pk_tally_block *blocks, const uint64_t *log, size_t n,
                  enum pk_vectors vectors)
{
    const struct pk_collection *collection = unit->collection;
    unit->n_events += (int64_t)n;
    for (size_t i = 0; i < collection->n_shapes; i++)
        if (pk_tally_takes_log(&collection->shapes[i]))
            pk_tally_log(&unit->tallies[i], &blocks[i], log, n, vectors);
}

static void add_to_slot(struct pk_batch *unit, size_t slot, const struct pk_person *person, const struct pk_life *life,
                        bool logged)
{
    size_t n = unit->collection->n_shapes;
    if (!logged)
        unit->n_events += (int64_t)life->n_events;
    for (size_t i = 0; i < n; i++)
        if (!logged || !pk_tally_takes_log(&unit->collection->shapes[i]))
            pk_tally_add(&unit->tallies[slot * n + i], person, life);
    if (unit->collection->n_bins > 0)
        pk_batch_bin(unit, slot, person, life);
}

static bool differ(const struct pk_life *a, const struct pk_life *b)
{
    bool same = a->n_events == b->n_events && a->start_state == b->start_state;
    for (size_t i = 0; same && i < a->n_events; i++)
        same = a->events[i].tick == b->events[i].tick && a->events[i].arc == b->events[i].arc;
    return !same;
}

void pk_batch_add(struct pk_batch *unit, const struct pk_person *person, const struct pk_life *base,
                  const struct pk_life *const *arm_lives, uint64_t cohorts, enum pk_everyone everyone)
{
    const struct pk_collection *collection = unit->collection;
    const struct pk_plan *plan = collection->plan;
    const int64_t weight = collection->weighted ? (int64_t)person->weight : 1;
    if (everyone != PK_EVERYONE_NOT) {
        const bool logged = everyone == PK_EVERYONE_UNLOGGED;
        if (!logged || collection->weighted)
            unit->n_persons += weight;
        add_to_slot(unit, 0, person, base, logged);
    }
    if (cohorts == 0)
        return;
    for (size_t c = 0; c < plan->n_cohorts; c++) {
        if (!(cohorts >> c & 1))
            continue;
        unit->n_enrolled[c] += weight;
        add_to_slot(unit, pk_collection_slot(collection, c, SIZE_MAX), person, base, false);
        for (size_t a = 0; a < plan->n_arms; a++) {
            const struct pk_life *life = arm_lives[a] ? arm_lives[a] : base;
            if (plan->arms[a].i_cohort == SIZE_MAX)
                continue;
            add_to_slot(unit, pk_collection_slot(collection, c, a), person, life, false);
            if (collection->n_watches > 0 && plan->arms[a].i_cohort == c)
                pk_batch_watch(unit, a, weight, base, life);
        }
    }
    for (size_t a = 0; a < plan->n_arms; a++)
        if (arm_lives[a] != NULL && differ(base, arm_lives[a]))
            unit->n_changed[a] += weight;
}

void pk_batch_serve(struct pk_batch *unit, const struct pk_person *person, size_t i_arm,
                    const struct pk_treatment *treatment)
{
    const struct pk_collection *collection = unit->collection;
    const int64_t weight = collection->weighted ? (int64_t)person->weight : 1;
    bool any = false;
    for (size_t i = 0; i < treatment->n; i++) {
        if (treatment->items[i].from >= collection->plan->horizon)
            continue;
        unit->n_served[i_arm][treatment->items[i].i_service] += weight;
        any = true;
    }
    unit->n_served[i_arm][PK_MAX_SERVICES] += any ? weight : 0;
    unit->n_touched[i_arm] += weight;
}
