/* Folding units into tables and outcomes with standard errors. See collect.h. */
#include <string.h>

#include "collect_private.h"

#define TICKS_PER_YEAR (12.0 * PK_TICKS_PER_MONTH)

static enum pk_status init_folded(struct pk_fold *fold, size_t i_table, size_t i_population, size_t *n_largest,
                                  struct pk_error *error)
{
    const struct pk_collection *collection = fold->collection;
    const struct pk_tally_shape *shape = &collection->shapes[collection->i_table_shape[i_table]];
    enum pk_measure measure = collection->scenario->tables[i_table].measure;
    struct pk_folded *folded = &fold->folded[fold->n_folded++];
    folded->i_table = i_table;
    folded->i_population = i_population;
    folded->n_groups = shape->n_groups;
    folded->n_rows = measure == PK_MEASURE_TRANSITIONS ? shape->n_arcs : shape->n_states;
    folded->n_merged = (size_t)((collection->scenario->tables[i_table].step_months << 20) / shape->step_ticks);
    folded->n_columns = shape->n_steps / folded->n_merged + (measure == PK_MEASURE_OCCUPANCY);
    folded->n_cells = folded->n_groups * folded->n_rows * folded->n_columns;
    size_t n = collection->plan->n_arms * folded->n_cells;
    double **sums[] = {&folded->y, &folded->yy, &folded->ny, &folded->d, &folded->dd, &folded->nd};
    for (size_t i = 0; i < 6; i++) {
        *sums[i] = pk_alloc(n, sizeof(double));
        if (*sums[i] == NULL)
            return pk_error_set(error, PK_NO_MEMORY, "no memory for the table %s",
                                collection->scenario->tables[i_table].name);
    }
    if (folded->n_cells > *n_largest)
        *n_largest = folded->n_cells;
    return PK_OK;
}

enum pk_status pk_fold_init(struct pk_fold *fold, const struct pk_collection *collection, size_t n_units, bool tables,
                            struct pk_error *error)
{
    memset(fold, 0, sizeof *fold);
    fold->collection = collection;
    fold->n_units = n_units;
    const struct pk_plan *plan = collection->plan;
    size_t n_populations = 1 + plan->n_cohorts, n_outcomes = collection->scenario->n_outcomes;
    size_t n_tables = tables ? collection->scenario->n_tables : 0, n_largest = 0;
    fold->folded = pk_alloc(n_tables * n_populations, sizeof *fold->folded);
    fold->outcomes = pk_alloc(n_populations * n_units, plan->n_arms * n_outcomes * sizeof(double));
    fold->persons = pk_alloc(n_populations * n_units, sizeof(double));
    fold->n_changed = pk_alloc(plan->n_arms, sizeof *fold->n_changed);
    enum pk_status status = PK_OK;
    if (!fold->folded || !fold->outcomes || !fold->persons || !fold->n_changed)
        status = pk_error_set(error, PK_NO_MEMORY, "no memory for the results");
    for (size_t p = 0; p < n_populations; p++)
        for (size_t t = 0; t < n_tables && status == PK_OK; t++)
            status = init_folded(fold, t, p, &n_largest, error);
    size_t n_columns = 0; /* of two rows of a tally */
    for (size_t i = 0; i < collection->n_shapes; i++)
        if (2 * (collection->shapes[i].n_steps + 1) > n_columns)
            n_columns = 2 * (collection->shapes[i].n_steps + 1);
    fold->scratch = pk_alloc(2 * n_largest + n_columns, sizeof *fold->scratch);
    const struct pk_tally_shape *shape = &collection->shapes[collection->i_outcome_shape];
    size_t n_view = n_outcomes > 0 ? shape->n_states * (2 * shape->n_steps + 1) : 0;
    fold->views = pk_alloc(collection->n_slots * n_view, sizeof *fold->views);
    if (status == PK_OK && (fold->scratch == NULL || fold->views == NULL))
        status = pk_error_set(error, PK_NO_MEMORY, "no memory for the results");
    if (status != PK_OK)
        pk_fold_free(fold);
    return status;
}

void pk_fold_free(struct pk_fold *fold)
{
    if (fold == NULL)
        return;
    for (size_t i = 0; i < fold->n_folded; i++) {
        struct pk_folded *folded = &fold->folded[i];
        double *sums[] = {folded->y, folded->yy, folded->ny, folded->d, folded->dd, folded->nd};
        for (size_t k = 0; k < 6; k++)
            pk_free(sums[k]);
    }
    pk_free(fold->folded);
    pk_free(fold->outcomes);
    pk_free(fold->persons);
    pk_free(fold->n_changed);
    pk_free(fold->scratch);
    pk_free(fold->views);
    memset(fold, 0, sizeof *fold);
}

/* cells[n_cells] += sign * the table's integers (persons, ticks or events) in one tally. */
static void add_cells(struct pk_tally *tally, const struct pk_folded *folded, enum pk_measure measure, int64_t sign,
                      int64_t *cells, int64_t *column)
{
    const struct pk_tally_shape *shape = tally->shape;
    int64_t *occupancy = column, *ticks = column + shape->n_steps + 1;
    for (size_t g = 0; g < folded->n_groups; g++)
        for (size_t row = 0; row < folded->n_rows; row++) {
            int64_t *into = cells + (g * folded->n_rows + row) * folded->n_columns;
            const int64_t *from;
            if (measure == PK_MEASURE_TRANSITIONS) {
                from = tally->counts + (g * shape->n_arcs + row) * shape->n_steps;
            } else {
                pk_tally_occupancy(tally, g, row, occupancy);
                from = occupancy;
                if (measure == PK_MEASURE_PERSON_YEARS) {
                    pk_tally_person_time(tally, g, row, occupancy, ticks);
                    from = ticks;
                }
            }
            if (measure == PK_MEASURE_OCCUPANCY) {
                for (size_t j = 0; j < folded->n_columns; j++)
                    into[j] += sign * from[j * folded->n_merged];
            } else {
                for (size_t j = 0; j < shape->n_steps; j++)
                    into[j / folded->n_merged] += sign * from[j];
            }
        }
}

static struct pk_tally *tally_of(struct pk_batch *unit, size_t slot, size_t i_shape)
{
    return &unit->tallies[slot * unit->collection->n_shapes + i_shape];
}

/* The table's integers for one arm in one population. */
static void arm_cells(struct pk_batch *unit, const struct pk_folded *folded, size_t i_arm, int64_t *cells,
                      int64_t *column)
{
    const struct pk_collection *collection = unit->collection;
    const struct pk_plan_arm *arm = &collection->plan->arms[i_arm];
    size_t i_shape = collection->i_table_shape[folded->i_table];
    enum pk_measure measure = collection->scenario->tables[folded->i_table].measure;
    memset(cells, 0, folded->n_cells * sizeof *cells);
    if (folded->i_population > 0) {
        size_t i_cohort = folded->i_population - 1;
        size_t slot = pk_collection_slot(collection, i_cohort, arm->n_enrolments > 0 ? i_arm : SIZE_MAX);
        add_cells(tally_of(unit, slot, i_shape), folded, measure, 1, cells, column);
        return;
    }
    add_cells(tally_of(unit, 0, i_shape), folded, measure, 1, cells, column);
    if (arm->i_cohort == SIZE_MAX)
        return;
    size_t base = pk_collection_slot(collection, arm->i_cohort, SIZE_MAX);
    size_t with = pk_collection_slot(collection, arm->i_cohort, i_arm);
    add_cells(tally_of(unit, base, i_shape), folded, measure, -1, cells, column);
    add_cells(tally_of(unit, with, i_shape), folded, measure, 1, cells, column);
}

static void fold_table(struct pk_fold *fold, struct pk_batch *unit, struct pk_folded *folded, double persons)
{
    const struct pk_collection *collection = fold->collection;
    bool time = collection->scenario->tables[folded->i_table].measure == PK_MEASURE_PERSON_YEARS;
    double scale = time ? 1 / TICKS_PER_YEAR : 1;
    int64_t *first = fold->scratch, *cells = first + folded->n_cells, *column = cells + folded->n_cells;
    folded->n += persons;
    folded->nn += persons * persons;
    for (size_t a = 0; a < collection->plan->n_arms; a++) {
        int64_t *now = a == 0 ? first : cells;
        arm_cells(unit, folded, a, now, column);
        size_t offset = a * folded->n_cells;
        for (size_t i = 0; i < folded->n_cells; i++) {
            double y = (double)now[i] * scale, d = (double)(now[i] - first[i]) * scale;
            folded->y[offset + i] += y;
            folded->yy[offset + i] += y * y;
            folded->ny[offset + i] += persons * y;
            folded->d[offset + i] += d;
            folded->dd[offset + i] += d * d;
            folded->nd[offset + i] += persons * d;
        }
    }
}

/* Occupancy and person-time of every state in one tally, for all outcomes to read. */
static void look_at(struct pk_fold *fold, struct pk_batch *unit, size_t slot)
{
    struct pk_tally *tally = tally_of(unit, slot, fold->collection->i_outcome_shape);
    const struct pk_tally_shape *shape = tally->shape;
    size_t n_row = 2 * shape->n_steps + 1;
    for (size_t s = 0; s < shape->n_states; s++) {
        int64_t *occupancy = fold->views + (slot * shape->n_states + s) * n_row;
        pk_tally_occupancy(tally, 0, s, occupancy);
        pk_tally_person_time(tally, 0, s, occupancy, occupancy + shape->n_steps + 1);
    }
}

/* One outcome in one tally of the outcome shape, whose views are up to date. */
static double outcome_in(const struct pk_fold *fold, struct pk_batch *unit, size_t slot, size_t i_outcome)
{
    const struct pk_collection *collection = fold->collection;
    const struct pk_tally *tally = tally_of(unit, slot, collection->i_outcome_shape);
    const struct pk_outcome *outcome = &collection->scenario->outcomes[i_outcome];
    const struct pk_tally_shape *shape = tally->shape;
    size_t from = (size_t)outcome->from_months, to = (size_t)outcome->to_months, n_row = 2 * shape->n_steps + 1;
    const double *weights = collection->state_weights + i_outcome * shape->n_states;
    const double *discount = collection->discount_factors[i_outcome];
    int64_t count = 0; /* headcounts stay integers, so that equal lives give exactly equal figures */
    double sum = 0;
    if (outcome->measure == PK_MEASURE_FIRST_ENTRY) {
        const int64_t *entries = tally->entries + collection->i_entry_set[i_outcome] * shape->n_steps;
        for (size_t j = 0; j < to; j++)
            count += entries[j];
        return (double)count;
    }
    for (size_t s = 0; s < shape->n_states; s++) {
        const int64_t *occupancy = fold->views + (slot * shape->n_states + s) * n_row;
        const int64_t *ticks = occupancy + shape->n_steps + 1;
        int64_t all = 0;
        if (!outcome->states[s])
            continue;
        switch (outcome->measure) {
        case PK_MEASURE_TRANSITIONS:
            for (size_t arc = 0; arc < shape->n_arcs; arc++)
                for (size_t j = from; shape->arc_to[arc] == s && j < to; j++)
                    count += tally->counts[arc * shape->n_steps + j];
            break;
        case PK_MEASURE_OCCUPANCY:
            count += occupancy[to];
            break;
        default:
            for (size_t j = from; j < to && discount == NULL; j++)
                all += ticks[j];
            if (discount == NULL && outcome->i_reward == SIZE_MAX)
                count += all;
            else if (discount == NULL)
                sum += weights[s] * ((double)all / TICKS_PER_YEAR);
            else
                for (size_t j = from; j < to; j++)
                    sum += weights[s] * ((double)ticks[j] / TICKS_PER_YEAR) * discount[j];
        }
    }
    return outcome->measure == PK_MEASURE_PERSON_YEARS ? sum + (double)count / TICKS_PER_YEAR : (double)count;
}

static void fold_outcomes(struct pk_fold *fold, struct pk_batch *unit, size_t i_population, bool everyone)
{
    const struct pk_collection *collection = fold->collection;
    const struct pk_plan *plan = collection->plan;
    size_t n_outcomes = collection->scenario->n_outcomes;
    double *into = fold->outcomes + (i_population * fold->n_units + fold->i_unit) * plan->n_arms * n_outcomes;
    for (size_t a = 0; a < plan->n_arms; a++)
        for (size_t i = 0; i < n_outcomes; i++) {
            const struct pk_plan_arm *arm = &plan->arms[a];
            double value = 0;
            if (i_population > 0) {
                size_t slot = pk_collection_slot(collection, i_population - 1, arm->n_enrolments > 0 ? a : SIZE_MAX);
                value = outcome_in(fold, unit, slot, i);
            } else if (everyone) {
                value = outcome_in(fold, unit, 0, i);
                if (arm->i_cohort != SIZE_MAX) {
                    size_t base = pk_collection_slot(collection, arm->i_cohort, SIZE_MAX);
                    size_t with = pk_collection_slot(collection, arm->i_cohort, a);
                    value += outcome_in(fold, unit, with, i) - outcome_in(fold, unit, base, i);
                }
            }
            into[a * n_outcomes + i] = value;
        }
}

void pk_fold_add(struct pk_fold *fold, struct pk_batch *unit, bool everyone)
{
    const struct pk_collection *collection = fold->collection;
    const struct pk_plan *plan = collection->plan;
    PK_ASSERT(fold->i_unit < fold->n_units);
    for (size_t slot = 0; slot < collection->n_slots && collection->scenario->n_outcomes > 0; slot++)
        if (collection->has_slot[slot])
            look_at(fold, unit, slot);
    for (size_t p = 0; p <= plan->n_cohorts; p++) {
        double persons = p == 0 ? (double)tally_of(unit, 0, 0)->n_persons : (double)unit->n_enrolled[p - 1];
        fold->persons[p * fold->n_units + fold->i_unit] = persons;
        if (collection->scenario->n_outcomes > 0)
            fold_outcomes(fold, unit, p, everyone);
    }
    for (size_t i = 0; i < fold->n_folded; i++)
        if (everyone || fold->folded[i].i_population > 0)
            fold_table(fold, unit, &fold->folded[i],
                       fold->persons[fold->folded[i].i_population * fold->n_units + fold->i_unit]);
    for (size_t a = 0; a < plan->n_arms; a++)
        fold->n_changed[a] += unit->n_changed[a];
    for (size_t slot = 0; slot < collection->n_slots; slot++)
        if (collection->has_slot[slot])
            fold->n_events += tally_of(unit, slot, 0)->n_events;
    fold->i_unit++;
}

struct pk_mean pk_fold_cell(const struct pk_fold *fold, const struct pk_folded *folded, double y, double yy, double ny,
                            double n_replications)
{
    struct pk_moments moments = {
        .batches = (double)fold->n_units, .n = folded->n, .nn = folded->nn, .y = y, .yy = yy, .ny = ny};
    struct pk_mean mean = pk_stats_moments_mean(&moments);
    double scale = folded->n / n_replications;
    mean.mean = y / n_replications;
    mean.standard_error *= scale;
    return mean;
}
