/* What is told life by life: histograms over people, and prevented events. All integers. See collect.h. */
#include <math.h>
#include <string.h>

#include "collect_private.h"

/* ---- histograms --------------------------------------------------------------------------------------------- */

static enum pk_status make_binning(struct pk_collection *collection, const struct pk_histogram *histogram,
                                   struct pk_binning *binning, struct pk_error *error)
{
    const struct pk_plan *plan = collection->plan;
    int64_t *edges = pk_arena_alloc(&collection->arena, histogram->n_edges, sizeof *edges);
    if (edges == NULL)
        return pk_error_set(error, PK_NO_MEMORY, "no memory for the histograms");
    for (size_t i = 0; i < histogram->n_edges; i++)
        edges[i] = histogram->quantity == PK_QUANTITY_SPELLS
                       ? (int64_t)ceil(histogram->edges[i])
                       : (int64_t)(pk_tick_round(histogram->edges[i] * 12) * PK_TICKS_PER_MONTH);
    binning->edges = edges;
    binning->n_bins = histogram->n_edges + 1;
    binning->n_groups = 1;
    binning->from = (int64_t)(histogram->from_months * PK_TICKS_PER_MONTH);
    binning->to = (int64_t)(histogram->to_months * PK_TICKS_PER_MONTH);
    for (size_t s = 0; s < plan->n_states; s++)
        binning->states |= (uint64_t)histogram->states[s] << s;
    for (size_t a = plan->n_attributes; a-- > 0;) /* the last attribute varies fastest */
        if (histogram->by[a]) {
            binning->strides[a] = binning->n_groups;
            binning->n_groups *= collection->model->attributes[a].n_values;
            if (binning->n_groups > (1u << 20))
                return pk_error_set(error, PK_BAD_INPUT, "the histogram %s tells more than 2^20 groups apart",
                                    histogram->name);
        }
    binning->first = collection->n_bins;
    collection->n_bins += binning->n_groups * binning->n_bins;
    if (collection->n_bins > (1u << 28))
        return pk_error_set(error, PK_BAD_INPUT, "the histograms have more than 2^28 bins");
    return PK_OK;
}

/* The bins below the value's. */
static size_t bin_of(const struct pk_binning *binning, int64_t value)
{
    size_t low = 0, high = binning->n_bins - 1; /* number of edges at or below the value */
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (binning->edges[middle] <= value)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static int64_t overlap(int64_t from, int64_t to, const struct pk_binning *binning)
{
    int64_t low = from > binning->from ? from : binning->from, high = to < binning->to ? to : binning->to;
    return high > low ? high - low : 0;
}

/* Months already spent in the first state, where it is the one the person came with. */
static int64_t elapsed_ticks(const struct pk_person *person, const struct pk_life *life)
{
    return life->start_state == person->state ? (int64_t)(person->elapsed * PK_TICKS_PER_MONTH) : 0;
}

static void bin_life(const struct pk_collection *collection, const struct pk_binning *binning,
                     enum pk_quantity quantity, const struct pk_person *person, const struct pk_life *life,
                     int64_t weight, int64_t *bins)
{
    const struct pk_plan *plan = collection->plan;
    const int64_t horizon = (int64_t)(plan->horizon * PK_TICKS_PER_MONTH);
    int64_t begun = life->start_tick, ticks = 0, n_spells = 0, first_entry = INT64_MAX;
    size_t i_state = life->start_state;
    if (binning->states >> i_state & 1)
        n_spells += begun == 0 ? binning->from == 0 : begun > binning->from && begun <= binning->to;
    for (size_t i = 0; i <= life->n_events; i++) {
        const bool ends = i < life->n_events;
        const int64_t tick = ends ? life->events[i].tick : horizon;
        const bool within = tick > binning->from && tick <= binning->to;
        if (binning->states >> i_state & 1) {
            ticks += overlap(begun, tick, binning);
            if (quantity == PK_QUANTITY_SPELL_LENGTH && ends && within)
                bins[bin_of(binning, tick - begun + (i == 0 ? elapsed_ticks(person, life) : 0))] += weight;
        }
        if (!ends)
            break;
        i_state = plan->arcs[life->events[i].arc].i_to;
        begun = tick;
        if (binning->states >> i_state & 1 && within) {
            n_spells++;
            if (first_entry == INT64_MAX)
                first_entry = tick - life->start_tick;
        }
    }
    if (quantity == PK_QUANTITY_SPELL_LENGTH)
        return;
    int64_t value = quantity == PK_QUANTITY_PERSON_YEARS ? ticks
                    : quantity == PK_QUANTITY_SPELLS     ? n_spells
                                                         : first_entry;
    bins[bin_of(binning, value)] += weight;
}

void pk_batch_bin(struct pk_batch *unit, size_t slot, const struct pk_person *person, const struct pk_life *life)
{
    const struct pk_collection *collection = unit->collection;
    const int64_t weight = collection->weighted ? (int64_t)person->weight : 1;
    for (size_t h = 0; h < collection->scenario->n_histograms; h++) {
        const struct pk_binning *binning = &collection->binnings[h];
        size_t i_group = 0;
        for (size_t a = 0; binning->n_groups > 1 && a < PK_MAX_ATTRIBUTES; a++)
            i_group += binning->strides[a] * person->values[a];
        bin_life(collection, binning, collection->scenario->histograms[h].quantity, person, life, weight,
                 unit->bins + slot * collection->n_bins + binning->first + i_group * binning->n_bins);
    }
}

/* ---- prevented events --------------------------------------------------------------------------------------- */

static bool offers(const struct pk_plan_arm *arm, size_t i_service)
{
    for (size_t i = 0; i < arm->n_enrolments; i++)
        if (arm->enrolments[i].i_service == i_service)
            return true;
    return false;
}

static bool is_event_of(const struct pk_plan *plan, size_t i_arc, size_t i_transition)
{
    return plan->arcs[i_arc].i_transition == i_transition && !plan->arcs[i_arc].diverted;
}

static size_t year_of(const struct pk_collection *collection, int64_t tick)
{
    size_t year = (size_t)((uint64_t)(tick - 1) / (12 * UINT64_C(1048576)));
    return year < collection->n_years ? year : collection->n_years - 1;
}

void pk_batch_watch(struct pk_batch *unit, size_t i_arm, int64_t weight, const struct pk_life *base,
                    const struct pk_life *with)
{
    const struct pk_collection *collection = unit->collection;
    const size_t n_years = collection->n_years;
    for (size_t w = 0; w < collection->n_watches; w++) {
        const struct pk_watch *watch = &collection->watches[w];
        if (watch->i_arm != i_arm)
            continue;
        const size_t i_transition = collection->plan->preventions[watch->i_prevention].i_transition;
        int64_t *figures = unit->watched + w * (3 * n_years + 3), first_blocked = INT64_MAX;
        bool again = false;
        for (size_t i = 0; i < with->n_blocked && with != base; i++) {
            if (with->blocked[i].i_prevention != watch->i_prevention)
                continue;
            figures[year_of(collection, with->blocked[i].tick)] += weight;
            if (with->blocked[i].tick < first_blocked)
                first_blocked = with->blocked[i].tick;
        }
        for (size_t i = 0; i < base->n_events; i++)
            if (is_event_of(collection->plan, base->events[i].arc, i_transition))
                figures[n_years + year_of(collection, base->events[i].tick)] += weight;
        for (size_t i = 0; i < with->n_events; i++)
            if (is_event_of(collection->plan, with->events[i].arc, i_transition)) {
                figures[2 * n_years + year_of(collection, with->events[i].tick)] += weight;
                again |= with->events[i].tick > first_blocked;
            }
        if (first_blocked == INT64_MAX)
            continue;
        figures[3 * n_years] += weight;
        figures[3 * n_years + 1] += again ? 0 : weight;
        figures[3 * n_years + 2] += again ? weight : 0;
    }
}

enum pk_status pk_collection_lives(struct pk_collection *collection, struct pk_error *error)
{
    const struct pk_plan *plan = collection->plan;
    const struct pk_scenario *scenario = collection->scenario;
    enum pk_status status = PK_OK;
    collection->n_years = (size_t)ceil(plan->horizon / 12);
    collection->binnings = pk_arena_alloc(&collection->arena, scenario->n_histograms, sizeof *collection->binnings);
    collection->watches =
        pk_arena_alloc(&collection->arena, plan->n_arms * plan->n_preventions, sizeof *collection->watches);
    if (collection->binnings == NULL || collection->watches == NULL)
        return pk_error_set(error, PK_NO_MEMORY, "no memory for the histograms");
    for (size_t h = 0; h < scenario->n_histograms && status == PK_OK; h++)
        status = make_binning(collection, &scenario->histograms[h], &collection->binnings[h], error);
    for (size_t a = 0; a < plan->n_arms; a++)
        for (size_t p = 0; p < plan->n_preventions; p++)
            if (offers(&plan->arms[a], plan->preventions[p].i_service))
                collection->watches[collection->n_watches++] = (struct pk_watch){.i_arm = a, .i_prevention = p};
    return status;
}
