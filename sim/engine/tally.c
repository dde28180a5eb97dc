/* Integer tallies of lives. See tally.h. */
#include "polku/tally.h"

#include <string.h>

#include "tally_private.h"

/* Heavier people go straight to the sums: their cells would have to be flushed too often. */
enum { HEAVIEST_PACKED = 16 };
#define REMAINDER_MASK ((UINT64_C(1) << PK_REMAINDER_BITS) - 1)

static size_t n_cells(const struct pk_tally_shape *shape)
{
    return shape->n_groups * pk_tally_rows(shape) * shape->n_steps;
}

static size_t n_entries(const struct pk_tally_shape *shape)
{
    return shape->n_entry_sets * shape->n_groups * shape->n_steps;
}

uint64_t pk_tally_bytes(const struct pk_tally_shape *shape)
{
    uint64_t groups = shape->n_groups, steps = shape->n_steps;
    return 8 * groups *
           (3 * (uint64_t)pk_tally_rows(shape) * steps + shape->n_states +
            (shape->ages_at_entry ? 2 : 1) * (uint64_t)shape->n_entry_sets * steps);
}

enum pk_status pk_tally_init(struct pk_tally *tally, const struct pk_tally_shape *shape, struct pk_error *error)
{
    memset(tally, 0, sizeof *tally);
    tally->shape = shape;
    tally->special = shape->open || shape->weighted || shape->filter != NULL;
    PK_ASSERT(shape->open || shape->n_ages == 0);
    if (pk_tally_bytes(shape) / 8 > (UINT64_C(1) << 31))
        return pk_error_set(error, PK_BAD_INPUT, "a table of %zu groups, %zu arcs and %zu steps is too large",
                            shape->n_groups, shape->n_arcs, shape->n_steps);
    /* counts fit 20 bits, sums of at most step_ticks - 1 fit 44 */
    uint64_t most = (UINT64_C(1) << PK_REMAINDER_BITS) / (uint64_t)shape->step_ticks;
    if (most > (1u << (64 - PK_REMAINDER_BITS)))
        most = 1u << (64 - PK_REMAINDER_BITS);
    if (most < 4 * PK_LIFE_MAX_EVENTS)
        return pk_error_set(error, PK_BAD_INPUT, "a step of %.0f months is too long; the longest is %d months",
                            (double)shape->step_ticks / PK_TICKS_PER_MONTH,
                            (int)((UINT64_C(1) << PK_REMAINDER_BITS) / (4 * PK_LIFE_MAX_EVENTS) >> 20));
    tally->most_pending = (size_t)most - PK_LIFE_MAX_EVENTS - 1;
    tally->cells = pk_alloc(n_cells(shape), sizeof *tally->cells);
    tally->counts = pk_alloc(n_cells(shape), sizeof *tally->counts);
    tally->remainders = pk_alloc(n_cells(shape), sizeof *tally->remainders);
    tally->starts = pk_alloc(shape->n_groups * shape->n_states, sizeof *tally->starts);
    tally->entries = pk_alloc(n_entries(shape), sizeof *tally->entries);
    tally->entry_ages = shape->ages_at_entry ? pk_alloc(n_entries(shape), sizeof *tally->entry_ages) : NULL;
    if (!tally->cells || !tally->counts || !tally->remainders || !tally->starts || !tally->entries ||
        (shape->ages_at_entry && !tally->entry_ages)) {
        pk_tally_free(tally);
        return pk_error_set(error, PK_NO_MEMORY, "no memory for a table of %llu bytes",
                            (unsigned long long)pk_tally_bytes(shape));
    }
    return PK_OK;
}

void pk_tally_free(struct pk_tally *tally)
{
    if (tally == NULL)
        return;
    pk_free(tally->cells);
    pk_free(tally->counts);
    pk_free(tally->remainders);
    pk_free(tally->starts);
    pk_free(tally->entries);
    pk_free(tally->entry_ages);
    memset(tally, 0, sizeof *tally);
}

void pk_tally_clear(struct pk_tally *tally)
{
    const struct pk_tally_shape *shape = tally->shape;
    if (tally->n_pending > 0)
        memset(tally->cells, 0, n_cells(shape) * sizeof *tally->cells);
    memset(tally->counts, 0, n_cells(shape) * sizeof *tally->counts);
    memset(tally->remainders, 0, n_cells(shape) * sizeof *tally->remainders);
    memset(tally->starts, 0, shape->n_groups * shape->n_states * sizeof *tally->starts);
    memset(tally->entries, 0, n_entries(shape) * sizeof *tally->entries);
    if (tally->entry_ages != NULL)
        memset(tally->entry_ages, 0, n_entries(shape) * sizeof *tally->entry_ages);
    tally->n_pending = 0;
    tally->n_persons = 0;
    tally->n_events = 0;
}

void pk_tally_flush(struct pk_tally *tally)
{
    if (tally->n_pending == 0)
        return;
    size_t n = n_cells(tally->shape);
    for (size_t i = 0; i < n; i++) {
        tally->counts[i] += (int64_t)(tally->cells[i] >> PK_REMAINDER_BITS);
        tally->remainders[i] += (int64_t)(tally->cells[i] & REMAINDER_MASK);
    }
    memset(tally->cells, 0, n * sizeof *tally->cells);
    tally->n_pending = 0;
}

/* The group without the age group. */
static size_t group_of(const struct pk_tally_shape *shape, const struct pk_person *person)
{
    size_t i_group = 0;
    for (size_t a = 0; shape->n_groups > 1 && a < PK_MAX_ATTRIBUTES; a++)
        if (shape->strides[a] != 0)
            i_group += shape->strides[a] * person->values[a];
    return i_group;
}

static bool is_counted(const struct pk_tally_filter *filter, const struct pk_person *person, const struct pk_life *life)
{
    if (filter->entrants &&
        (life->start_tick == 0 || life->start_tick < filter->entered_from || life->start_tick >= filter->entered_to))
        return false;
    bool counted = true;
    for (size_t a = 0; filter->allowed != NULL && a < PK_MAX_ATTRIBUTES; a++)
        counted &= filter->allowed[a * 256 + person->values[a]] != 0;
    return counted;
}

/* Steps are whole months: a shift and a short division. */
static size_t step_of(const struct pk_tally_shape *shape, int64_t tick)
{
    return (uint32_t)((uint64_t)(tick - 1) >> 20) / (uint32_t)(shape->step_ticks >> 20);
}

/* `weight` events of one row at one time. */
static void put(struct pk_tally *tally, size_t i_group, size_t i_row, int64_t tick, int64_t weight)
{
    const struct pk_tally_shape *shape = tally->shape;
    size_t i_step = step_of(shape, tick);
    int64_t remainder = (int64_t)(i_step + 1) * shape->step_ticks - tick;
    size_t i_cell = (i_group * pk_tally_rows(shape) + i_row) * shape->n_steps + i_step;
    if (weight > HEAVIEST_PACKED) {
        tally->counts[i_cell] += weight;
        tally->remainders[i_cell] += weight * remainder;
        return;
    }
    if (tally->n_pending + (size_t)weight > tally->most_pending)
        pk_tally_flush(tally);
    tally->n_pending += (size_t)weight;
    tally->cells[i_cell] += (uint64_t)weight * ((UINT64_C(1) << PK_REMAINDER_BITS) + (uint64_t)remainder);
}

/* Ticks, at the start of the scenario. */
static int64_t age_of(const struct pk_person *person)
{
    return (int64_t)(person->age * PK_TICKS_PER_MONTH);
}

/* A first entry into set s. */
static void enter(struct pk_tally *tally, size_t s, size_t i_group, size_t i_step, int64_t age, int64_t weight)
{
    const struct pk_tally_shape *shape = tally->shape;
    const size_t i = (s * shape->n_groups + i_group) * shape->n_steps + i_step;
    tally->entries[i] += weight;
    if (tally->entry_ages != NULL)
        tally->entry_ages[i] += weight * age;
}

/* Open shapes, weights, filters. */
static void add_special(struct pk_tally *tally, const struct pk_person *person, const struct pk_life *life)
{
    const struct pk_tally_shape *shape = tally->shape;
    if (shape->filter != NULL && !is_counted(shape->filter, person, life))
        return;
    const int64_t weight = shape->weighted ? (int64_t)person->weight : 1;
    const int64_t age = age_of(person);
    const int64_t end = (int64_t)shape->n_steps * shape->step_ticks;
    const size_t enters = shape->n_arcs, leaves = shape->n_arcs + shape->n_states;
    size_t i_group = group_of(shape, person), i_age = 0, i_state = life->start_state;
    uint64_t wanted = (UINT64_C(1) << shape->n_entry_sets) - 1;
    while (i_age < shape->n_ages && shape->age_ticks[i_age] - age <= life->start_tick)
        i_age++;
    tally->n_persons += weight;
    tally->n_events += (int64_t)life->n_events;
    PK_ASSERT(life->start_tick == 0 || shape->open);
    if (life->start_tick == 0)
        tally->starts[(i_group + i_age) * shape->n_states + i_state] += weight;
    else
        put(tally, i_group + i_age, enters + i_state, life->start_tick, weight);
    for (size_t i = 0; i <= life->n_events; i++) {
        const int64_t tick = i < life->n_events ? life->events[i].tick : end;
        for (; i_age < shape->n_ages && shape->age_ticks[i_age] - age <= tick; i_age++) {
            const int64_t cut = shape->age_ticks[i_age] - age;
            put(tally, i_group + i_age, leaves + i_state, cut, weight);
            put(tally, i_group + i_age + 1, enters + i_state, cut, weight);
        }
        if (i == life->n_events)
            break;
        const size_t arc = life->events[i].arc, i_step = step_of(shape, tick);
        put(tally, i_group + i_age, arc, tick, weight);
        i_state = shape->arc_to[arc];
        for (size_t s = 0; wanted >> s != 0; s++)
            if ((wanted >> s & 1) && (shape->entry_sets[s] >> i_state & 1)) {
                enter(tally, s, i_group + i_age, i_step, age + tick, weight);
                wanted &= ~(UINT64_C(1) << s);
            }
    }
}

void pk_tally_add(struct pk_tally *tally, const struct pk_person *person, const struct pk_life *life)
{
    const struct pk_tally_shape *shape = tally->shape;
    if (tally->special) {
        add_special(tally, person, life);
        return;
    }
    size_t i_group = group_of(shape, person);
    tally->starts[i_group * shape->n_states + life->start_state]++;
    tally->n_persons++;
    tally->n_events += (int64_t)life->n_events;
    if (tally->n_pending + life->n_events > tally->most_pending)
        pk_tally_flush(tally);
    tally->n_pending += life->n_events;
    uint64_t *cells = tally->cells + i_group * shape->n_arcs * shape->n_steps;
    const int64_t step_ticks = shape->step_ticks;
    uint64_t wanted = (UINT64_C(1) << shape->n_entry_sets) - 1;
    for (size_t i = 0; i < life->n_events; i++) {
        const struct pk_event *event = &life->events[i];
        size_t i_step = step_of(shape, event->tick);
        int64_t remainder = (int64_t)(i_step + 1) * step_ticks - event->tick;
        cells[event->arc * shape->n_steps + i_step] += (UINT64_C(1) << PK_REMAINDER_BITS) + (uint64_t)remainder;
        for (size_t s = 0; wanted >> s != 0; s++) {
            if ((wanted >> s & 1) && (shape->entry_sets[s] >> shape->arc_to[event->arc] & 1)) {
                enter(tally, s, i_group, i_step, age_of(person) + event->tick, 1);
                wanted &= ~(UINT64_C(1) << s);
            }
        }
    }
}

void pk_tally_merge(struct pk_tally *into, struct pk_tally *from, int sign)
{
    const struct pk_tally_shape *shape = into->shape;
    pk_tally_flush(from);
    size_t n = n_cells(shape);
    for (size_t i = 0; i < n; i++) {
        into->counts[i] += sign * from->counts[i];
        into->remainders[i] += sign * from->remainders[i];
    }
    for (size_t i = 0; i < shape->n_groups * shape->n_states; i++)
        into->starts[i] += sign * from->starts[i];
    for (size_t i = 0; i < n_entries(shape); i++)
        into->entries[i] += sign * from->entries[i];
    for (size_t i = 0; into->entry_ages != NULL && i < n_entries(shape); i++)
        into->entry_ages[i] += sign * from->entry_ages[i];
    into->n_persons += sign * from->n_persons;
    into->n_events += sign * from->n_events;
}

static void add_signed(int64_t *into, const int64_t *from, int64_t sign, size_t n)
{
    for (size_t j = 0; sign > 0 && j < n; j++)
        into[j] += from[j];
    for (size_t j = 0; sign < 0 && j < n; j++)
        into[j] -= from[j];
}

/* into[n_steps] += what entered the state - what left it, told by counts or by remainders. */
static void add_flow(const struct pk_tally_shape *shape, const int64_t *told, size_t i_group, size_t i_state,
                     int64_t *into)
{
    const size_t n_rows = pk_tally_rows(shape);
    for (size_t row = 0; row < n_rows; row++) {
        int64_t sign = 0;
        if (row < shape->n_arcs)
            sign = (shape->arc_to[row] == i_state) - (shape->arc_from[row] == i_state);
        else
            sign = (row == shape->n_arcs + i_state) - (row == shape->n_arcs + shape->n_states + i_state);
        add_signed(into, told + (i_group * n_rows + row) * shape->n_steps, sign, shape->n_steps);
    }
}

void pk_tally_occupancy(struct pk_tally *tally, size_t i_group, size_t i_state, int64_t *persons)
{
    const struct pk_tally_shape *shape = tally->shape;
    pk_tally_flush(tally);
    memset(persons, 0, (shape->n_steps + 1) * sizeof *persons);
    add_flow(shape, tally->counts, i_group, i_state, persons + 1);
    persons[0] = tally->starts[i_group * shape->n_states + i_state];
    for (size_t j = 0; j < shape->n_steps; j++)
        persons[j + 1] += persons[j];
}

void pk_tally_person_time(struct pk_tally *tally, size_t i_group, size_t i_state, const int64_t *occupancy,
                          int64_t *ticks)
{
    const struct pk_tally_shape *shape = tally->shape;
    pk_tally_flush(tally);
    for (size_t j = 0; j < shape->n_steps; j++)
        ticks[j] = occupancy[j] * shape->step_ticks;
    add_flow(shape, tally->remainders, i_group, i_state, ticks);
}
