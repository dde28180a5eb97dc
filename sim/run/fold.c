/* Folding units into tables with standard errors. See collect.h; outcomes: fold_outcomes.c; what is told life by life:
 * fold_lives.c. */
#include <string.h>

#include "collect_private.h"

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
    size_t n_populations = 1 + plan->n_cohorts, n_tables = tables ? collection->scenario->n_tables : 0;
    size_t n_largest = 0, n_columns = 0, n_slots = 0; /* n_columns: of two rows of a tally */
    fold->folded = pk_alloc(n_tables * n_populations, sizeof *fold->folded);
    fold->persons = pk_alloc(n_populations * n_units, sizeof(double));
    fold->n_changed = pk_alloc(plan->n_arms, sizeof *fold->n_changed);
    fold->n_touched = pk_alloc(plan->n_arms, sizeof *fold->n_touched);
    fold->n_served = pk_alloc(plan->n_arms, (PK_MAX_SERVICES + 1) * sizeof *fold->n_served);
    enum pk_status status = PK_OK;
    if (!fold->folded || !fold->persons || !fold->n_changed || !fold->n_touched || !fold->n_served)
        status = pk_error_set(error, PK_NO_MEMORY, "no memory for the results");
    for (size_t p = 0; p < n_populations; p++)
        for (size_t t = 0; t < n_tables && status == PK_OK; t++)
            status = init_folded(fold, t, p, &n_largest, error);
    for (size_t i = 0; i < collection->n_shapes; i++) {
        if (2 * (collection->shapes[i].n_steps + 1) > n_columns)
            n_columns = 2 * (collection->shapes[i].n_steps + 1);
    }
    for (size_t slot = 0; slot < collection->n_slots; slot++)
        n_slots += collection->has_slot[slot];
    fold->n_column = n_columns;
    fold->n_scratch = (2 + n_slots) * n_largest + n_columns;
    if (status == PK_OK)
        status = pk_fold_init_outcomes(fold, error);
    if (status == PK_OK)
        status = pk_fold_init_lives(fold, tables, error);
    if (status == PK_OK)
        status = pk_fold_init_queues(fold, error);
    if (status == PK_OK)
        status = pk_fold_make_room(fold, 1, error);
    if (status != PK_OK)
        pk_fold_free(fold);
    return status;
}

enum pk_status pk_fold_make_room(struct pk_fold *fold, size_t n_rooms, struct pk_error *error)
{
    const struct pk_collection *collection = fold->collection;
    struct pk_fold_room *rooms = pk_realloc(fold->rooms, n_rooms, sizeof *rooms);
    if (rooms == NULL)
        return pk_error_set(error, PK_NO_MEMORY, "no memory for the results");
    fold->rooms = rooms;
    for (; fold->n_rooms < n_rooms; fold->n_rooms++) {
        struct pk_fold_room *room = &rooms[fold->n_rooms];
        room->scratch = pk_alloc(fold->n_scratch, sizeof *room->scratch);
        room->views = pk_alloc(fold->n_views, sizeof *room->views);
        room->whole = pk_alloc(collection->n_shapes, sizeof *room->whole);
        enum pk_status status = PK_OK;
        if (room->scratch == NULL || room->views == NULL || room->whole == NULL)
            status = pk_error_set(error, PK_NO_MEMORY, "no memory for the results");
        for (size_t i = 0; collection->plan->n_cohorts > 0 && i < collection->n_shapes && status == PK_OK; i++)
            status = pk_tally_init(&room->whole[i], &collection->shapes[i], error);
        if (status != PK_OK) {
            fold->n_rooms++; /* freed with the others */
            return status;
        }
    }
    return PK_OK;
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
    for (size_t r = 0; r < fold->n_rooms; r++) {
        struct pk_fold_room *room = &fold->rooms[r];
        for (size_t i = 0; room->whole != NULL && i < fold->collection->n_shapes; i++)
            pk_tally_free(&room->whole[i]);
        pk_free(room->whole);
        pk_free(room->scratch);
        pk_free(room->views);
    }
    pk_free(fold->rooms);
    pk_fold_free_lives(fold);
    pk_fold_free_queues(fold);
    pk_free(fold->folded);
    pk_free(fold->outcomes);
    pk_free(fold->denominators);
    pk_free(fold->basis);
    pk_free(fold->persons);
    pk_free(fold->n_changed);
    pk_free(fold->n_touched);
    pk_free(fold->n_served);
    memset(fold, 0, sizeof *fold);
}

struct pk_tally *pk_fold_tally(const struct pk_fold_room *room, const struct pk_batch *unit, size_t i_population,
                               size_t i_arm, size_t i_shape)
{
    const struct pk_collection *collection = unit->collection;
    const struct pk_plan_arm *arm = &collection->plan->arms[i_arm];
    if (i_population > 0)
        return pk_batch_tally(unit, pk_collection_arm_slot(collection, i_population - 1, i_arm), i_shape);
    if (arm->i_cohort == SIZE_MAX)
        return pk_batch_tally(unit, 0, i_shape);
    struct pk_tally *whole = &room->whole[i_shape], *all = pk_batch_tally(unit, 0, i_shape);
    struct pk_tally *base = pk_batch_tally(unit, pk_collection_slot(collection, arm->i_cohort, SIZE_MAX), i_shape);
    if (base->n_persons == 0)
        return all;
    pk_tally_clear(whole);
    pk_tally_merge(whole, all, 1);
    pk_tally_merge(whole, base, -1);
    pk_tally_merge(whole, pk_batch_tally(unit, pk_collection_slot(collection, arm->i_cohort, i_arm), i_shape), 1);
    return whole;
}

/* Whether nobody ever is in a group; where people flow in or change groups, only looking everywhere would tell. */
static bool is_empty(const struct pk_tally *tally, size_t i_group)
{
    bool empty = !tally->shape->open;
    for (size_t s = 0; s < tally->shape->n_states; s++)
        empty &= tally->starts[i_group * tally->shape->n_states + s] == 0;
    return empty;
}

/* The table's integers (persons, ticks or events) into cells[n_cells]. */
static void read_cells(struct pk_tally *tally, const struct pk_folded *folded, enum pk_measure measure, int64_t *cells,
                       int64_t *column)
{
    const struct pk_tally_shape *shape = tally->shape;
    const size_t n_tallied = pk_tally_rows(shape);
    int64_t *occupancy = column, *ticks = column + shape->n_steps + 1;
    memset(cells, 0, folded->n_cells * sizeof *cells);
    PK_ASSERT(tally->n_pending == 0); /* pk_fold_unit flushed it: other threads read it too */
    for (size_t g = 0; g < folded->n_groups; g++)
        for (size_t row = 0; row < folded->n_rows && !is_empty(tally, g); row++) {
            int64_t *into = cells + (g * folded->n_rows + row) * folded->n_columns;
            const int64_t *from;
            if (measure == PK_MEASURE_TRANSITIONS) {
                from = tally->counts + (g * n_tallied + row) * shape->n_steps;
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
                    into[j] = from[j * folded->n_merged];
            } else {
                for (size_t j = 0; j < folded->n_columns; j++)
                    for (size_t k = 0; k < folded->n_merged; k++)
                        into[j] += from[j * folded->n_merged + k];
            }
        }
}

/* One table of one unit in every slot where anybody is, read once for all populations and arms. */
struct slots {
    const int64_t *cells[PK_MAX_SLOTS]; /* NULL: nobody is there */
    size_t n_cells;
};

static void read_slots(const struct pk_fold *fold, const struct pk_batch *unit, size_t i_table, struct slots *slots,
                       int64_t *column, int64_t *room)
{
    const struct pk_collection *collection = fold->collection;
    const struct pk_folded *folded = &fold->folded[i_table];
    slots->n_cells = folded->n_cells;
    for (size_t slot = 0; slot < collection->n_slots; slot++) {
        slots->cells[slot] = NULL;
        if (!collection->has_slot[slot])
            continue;
        struct pk_tally *tally = pk_batch_tally(unit, slot, collection->i_table_shape[i_table]);
        if (tally->n_persons == 0)
            continue;
        read_cells(tally, folded, collection->scenario->tables[i_table].measure, room, column);
        slots->cells[slot] = room;
        room += folded->n_cells;
    }
}

/* Everyone in an arm that changes lives: everyone's base lives, less those of the cohort, and its lives in the arm
 * instead. NULL: nobody. */
static const int64_t *cells_of(const struct pk_fold *fold, const struct slots *slots, size_t i_population, size_t i_arm,
                               int64_t *made)
{
    const struct pk_collection *collection = fold->collection;
    const size_t i_cohort = collection->plan->arms[i_arm].i_cohort;
    if (i_population > 0)
        return slots->cells[pk_collection_arm_slot(collection, i_population - 1, i_arm)];
    if (i_cohort == SIZE_MAX)
        return slots->cells[0];
    const int64_t *all = slots->cells[0], *base = slots->cells[pk_collection_slot(collection, i_cohort, SIZE_MAX)],
                  *with = slots->cells[pk_collection_slot(collection, i_cohort, i_arm)];
    if (all == NULL || base == NULL || with == NULL)
        return all;
    for (size_t i = 0; i < slots->n_cells; i++)
        made[i] = all[i] - base[i] + with[i];
    return made;
}

static bool is_nothing(const int64_t *cells, size_t n)
{
    int64_t any = 0;
    for (size_t i = 0; i < n; i++)
        any |= cells[i];
    return any == 0;
}

/* Rows in which nobody ever is add nothing: most of them, where units are small. */
static void add_arm(struct pk_folded *folded, size_t i_arm, const int64_t *now, const int64_t *first, double scale,
                    double persons)
{
    for (size_t row = 0; row < folded->n_groups * folded->n_rows; row++) {
        const size_t from = row * folded->n_columns, into = i_arm * folded->n_cells + from;
        const bool empty = is_nothing(now + from, folded->n_columns);
        for (size_t i = 0; !empty && i < folded->n_columns; i++) {
            double y = (double)now[from + i] * scale;
            folded->y[into + i] += y;
            folded->yy[into + i] += y * y;
            folded->ny[into + i] += persons * y;
        }
        if (now == first || (empty && is_nothing(first + from, folded->n_columns)))
            continue;
        for (size_t i = 0; i < folded->n_columns; i++) {
            double d = (double)(now[from + i] - first[from + i]) * scale;
            folded->d[into + i] += d;
            folded->dd[into + i] += d * d;
            folded->nd[into + i] += persons * d;
        }
    }
}

size_t pk_fold_tables(const struct pk_fold *fold)
{
    return fold->n_folded / (1 + fold->collection->plan->n_cohorts);
}

void pk_fold_table(struct pk_fold *fold, size_t i_room, const struct pk_batch *unit, size_t i_unit, size_t i_table,
                   bool everyone)
{
    const struct pk_collection *collection = fold->collection;
    const struct pk_plan *plan = collection->plan;
    const enum pk_measure measure = collection->scenario->tables[i_table].measure;
    const double scale = (measure == PK_MEASURE_PERSON_YEARS ? 1 / PK_TICKS_PER_YEAR : 1) * collection->weight;
    const size_t n_cells = fold->folded[i_table].n_cells;
    int64_t *column = fold->rooms[i_room].scratch, *of_first = column + fold->n_column, *of_arm = of_first + n_cells;
    struct slots slots;
    read_slots(fold, unit, i_table, &slots, column, of_arm + n_cells);
    for (size_t p = everyone ? 0 : 1; p <= plan->n_cohorts; p++) {
        struct pk_folded *folded = &fold->folded[p * pk_fold_tables(fold) + i_table];
        const double persons = fold->persons[p * fold->n_units + i_unit];
        folded->n += persons;
        folded->nn += persons * persons;
        const int64_t *first = cells_of(fold, &slots, p, 0, of_first);
        for (size_t a = 0; a < plan->n_arms && first != NULL; a++) /* nobody in one arm is nobody in all */
            add_arm(folded, a, a == 0 ? first : cells_of(fold, &slots, p, a, of_arm), first, scale, persons);
    }
}

void pk_fold_unit(struct pk_fold *fold, size_t i_room, struct pk_batch *unit, size_t i_unit, bool everyone)
{
    const struct pk_collection *collection = fold->collection;
    PK_ASSERT(i_unit < fold->n_units);
    for (size_t i = 0; i < collection->n_slots * collection->n_shapes; i++)
        if (unit->tallies[i].shape != NULL)
            pk_tally_flush(&unit->tallies[i]); /* from here on threads only read them */
    for (size_t p = 0; p <= collection->plan->n_cohorts; p++) {
        double persons = (double)(p == 0 ? unit->n_persons : unit->n_enrolled[p - 1]) * collection->weight;
        fold->persons[p * fold->n_units + i_unit] = persons;
        if (collection->scenario->n_outcomes > 0 && (everyone || p > 0))
            pk_fold_outcomes(fold, &fold->rooms[i_room], unit, i_unit, p);
    }
}

void pk_fold_next(struct pk_fold *fold, const struct pk_batch *unit, bool everyone)
{
    pk_fold_lives(fold, unit, everyone);
    for (size_t a = 0; a < fold->collection->plan->n_arms; a++) {
        fold->n_changed[a] += unit->n_changed[a];
        fold->n_touched[a] += unit->n_touched[a];
        for (size_t k = 0; k <= PK_MAX_SERVICES; k++)
            fold->n_served[a * (PK_MAX_SERVICES + 1) + k] += unit->n_served[a][k];
    }
    fold->n_events += unit->n_events;
    fold->i_unit++;
}

void pk_fold_add(struct pk_fold *fold, struct pk_batch *unit, bool everyone)
{
    pk_fold_unit(fold, 0, unit, fold->i_unit, everyone);
    for (size_t t = 0; t < pk_fold_tables(fold); t++)
        pk_fold_table(fold, 0, unit, fold->i_unit, t, everyone);
    pk_fold_next(fold, unit, everyone);
}

/* [n_populations][n_units][n_each] with only the first n_kept units of each population, at the front. */
static void keep_units(double *values, size_t n_populations, size_t n_units, size_t n_kept, size_t n_each)
{
    for (size_t p = 1; values != NULL && p < n_populations; p++)
        memmove(values + p * n_kept * n_each, values + p * n_units * n_each, n_kept * n_each * sizeof *values);
}

void pk_fold_stop(struct pk_fold *fold)
{
    const struct pk_collection *collection = fold->collection;
    const size_t n_populations = 1 + collection->plan->n_cohorts, n_arms = collection->plan->n_arms;
    const size_t n = fold->n_units, n_kept = fold->i_unit, n_outcomes = n_arms * collection->scenario->n_outcomes;
    keep_units(fold->outcomes, n_populations, n, n_kept, n_outcomes);
    keep_units(fold->denominators, n_populations, n, n_kept, n_outcomes);
    keep_units(fold->basis, n_populations, n, n_kept, n_arms * collection->n_basis);
    keep_units(fold->persons, n_populations, n, n_kept, 1);
    fold->n_units = n_kept;
}

void pk_fold_visit(struct pk_fold *fold, void (*visit)(void *part, size_t size, void *data), void *data)
{
    const struct pk_collection *collection = fold->collection;
    const size_t n_arms = collection->plan->n_arms, n_units = fold->n_units;
    const size_t n_cells = (1 + collection->plan->n_cohorts) * n_units;
    const size_t n_outcomes = n_arms * collection->scenario->n_outcomes;
    visit(&fold->i_unit, sizeof fold->i_unit, data);
    visit(&fold->n_events, sizeof fold->n_events, data);
    visit(fold->n_changed, n_arms * sizeof *fold->n_changed, data);
    visit(fold->n_touched, n_arms * sizeof *fold->n_touched, data);
    visit(fold->n_served, n_arms * (PK_MAX_SERVICES + 1) * sizeof *fold->n_served, data);
    visit(fold->persons, n_cells * sizeof(double), data);
    visit(fold->outcomes, n_cells * n_outcomes * sizeof(double), data);
    visit(fold->basis, n_cells * n_arms * collection->n_basis * sizeof(double), data);
    if (fold->denominators != NULL)
        visit(fold->denominators, n_cells * n_outcomes * sizeof(double), data);
    visit(fold->watched, n_units * collection->n_watches * (3 * collection->n_years + 3) * sizeof(double), data);
    for (size_t i = 0; i < fold->n_folded; i++) {
        struct pk_folded *folded = &fold->folded[i];
        double *const sums[] = {folded->y, folded->yy, folded->ny, folded->d, folded->dd, folded->nd};
        visit(&folded->n, sizeof folded->n, data);
        visit(&folded->nn, sizeof folded->nn, data);
        for (size_t k = 0; k < 6; k++)
            visit(sums[k], n_arms * folded->n_cells * sizeof(double), data);
    }
    for (size_t i = 0; i < fold->n_bins; i++) {
        const struct pk_folded_bins *bins = &fold->bins[i];
        const struct pk_binning *binning = &collection->binnings[bins->i_histogram];
        const size_t n_groups = n_arms * binning->n_groups, n = n_groups * binning->n_bins;
        visit(bins->counts, n * sizeof *bins->counts, data);
        visit(bins->nn, n_groups * sizeof *bins->nn, data);
        visit(bins->yy, n * sizeof *bins->yy, data);
        visit(bins->ny, n * sizeof *bins->ny, data);
    }
    pk_fold_visit_queues(fold, visit, data);
}

size_t pk_fold_compared(const struct pk_fold *fold)
{
    const struct pk_plan *plan = fold->collection->plan;
    bool known = plan->n_cohorts == 1 && !fold->collection->scenario->about_everyone;
    for (size_t i = 0; i < plan->n_lotteries; i++) /* who asks differs between scenarios with other arms */
        known &= !plan->lotteries[i].asked;
    return known ? 1 : 0;
}

bool pk_fold_varies(const struct pk_fold *fold, size_t i_population)
{
    const struct pk_plan *plan = fold->collection->plan;
    bool by_share = i_population > 0;
    for (size_t i = 0; i < plan->n_lotteries && i_population > 0; i++)
        if (plan->cohorts[i_population - 1].lotteries >> i & 1)
            by_share &= (plan->lotteries[i].by_share && plan->lotteries[i].share < 1) || plan->lotteries[i].asked;
    return plan->inflow.n_years > 0 || by_share;
}

double pk_fold_cost(const struct pk_fold *fold, size_t i_arm)
{
    const struct pk_plan *plan = fold->collection->plan;
    const double *persons = fold->persons + pk_fold_compared(fold) * fold->n_units;
    double euros = 0, n = 0;
    for (size_t u = 0; u < fold->i_unit; u++)
        n += persons[u];
    for (size_t k = 0; k < plan->n_services; k++)
        euros += (double)fold->n_served[i_arm * (PK_MAX_SERVICES + 1) + k] * plan->services[k].cost_euros *
                 fold->collection->weight;
    for (size_t k = 0; k < plan->n_services; k++)
        if (plan->services[k].places.coach_euros > 0)
            euros += pk_fold_coach_years(fold, i_arm, k, SIZE_MAX) * plan->services[k].places.coach_euros *
                     (double)fold->i_unit; /* a unit is a replication */
    return n > 0 ? euros / n : 0;
}

struct pk_mean pk_fold_cell(const struct pk_fold *fold, const struct pk_folded *folded, double y, double yy, double ny,
                            double n_replications)
{
    struct pk_moments moments = {
        .batches = (double)fold->n_units, .n = folded->n, .nn = folded->nn, .y = y, .yy = yy, .ny = ny};
    struct pk_mean total = pk_stats_moments_total(&moments, pk_fold_varies(fold, folded->i_population));
    return (struct pk_mean){.mean = total.mean / n_replications,
                            .standard_error = total.standard_error / n_replications};
}
