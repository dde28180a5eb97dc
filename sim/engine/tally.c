/* Integer tallies of lives. See tally.h. */
#include "polku/tally.h"

#include <string.h>

enum { REMAINDER_BITS = 44 };
#define REMAINDER_MASK ((UINT64_C(1) << REMAINDER_BITS) - 1)

static size_t n_cells(const struct pk_tally_shape *shape)
{
    return shape->n_groups * shape->n_arcs * shape->n_steps;
}

uint64_t pk_tally_bytes(const struct pk_tally_shape *shape)
{
    uint64_t groups = shape->n_groups, steps = shape->n_steps;
    return 8 * groups * (3 * (uint64_t)shape->n_arcs * steps + shape->n_states + shape->n_entry_sets * steps);
}

enum pk_status pk_tally_init(struct pk_tally *tally, const struct pk_tally_shape *shape, struct pk_error *error)
{
    memset(tally, 0, sizeof *tally);
    tally->shape = shape;
    if (pk_tally_bytes(shape) / 8 > (UINT64_C(1) << 31))
        return pk_error_set(error, PK_BAD_INPUT, "a table of %zu groups, %zu arcs and %zu steps is too large",
                            shape->n_groups, shape->n_arcs, shape->n_steps);
    /* counts fit 20 bits, sums of at most step_ticks - 1 fit 44 */
    uint64_t most = (UINT64_C(1) << REMAINDER_BITS) / (uint64_t)shape->step_ticks;
    if (most > (1u << (64 - REMAINDER_BITS)))
        most = 1u << (64 - REMAINDER_BITS);
    if (most < 4 * PK_LIFE_MAX_EVENTS)
        return pk_error_set(error, PK_BAD_INPUT, "a step of %.0f months is too long; the longest is %d months",
                            (double)shape->step_ticks / PK_TICKS_PER_MONTH,
                            (int)((UINT64_C(1) << REMAINDER_BITS) / (4 * PK_LIFE_MAX_EVENTS) >> 20));
    tally->most_pending = (size_t)most - PK_LIFE_MAX_EVENTS - 1;
    tally->cells = pk_alloc(n_cells(shape), sizeof *tally->cells);
    tally->counts = pk_alloc(n_cells(shape), sizeof *tally->counts);
    tally->remainders = pk_alloc(n_cells(shape), sizeof *tally->remainders);
    tally->starts = pk_alloc(shape->n_groups * shape->n_states, sizeof *tally->starts);
    tally->entries = pk_alloc(shape->n_entry_sets * shape->n_groups * shape->n_steps, sizeof *tally->entries);
    if (!tally->cells || !tally->counts || !tally->remainders || !tally->starts || !tally->entries) {
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
    memset(tally->entries, 0, shape->n_entry_sets * shape->n_groups * shape->n_steps * sizeof *tally->entries);
    tally->n_pending = 0;
    tally->n_persons = 0;
    tally->n_events = 0;
}

static void flush(struct pk_tally *tally)
{
    if (tally->n_pending == 0)
        return;
    size_t n = n_cells(tally->shape);
    for (size_t i = 0; i < n; i++) {
        tally->counts[i] += (int64_t)(tally->cells[i] >> REMAINDER_BITS);
        tally->remainders[i] += (int64_t)(tally->cells[i] & REMAINDER_MASK);
    }
    memset(tally->cells, 0, n * sizeof *tally->cells);
    tally->n_pending = 0;
}

void pk_tally_add(struct pk_tally *tally, const struct pk_person *person, const struct pk_life *life)
{
    const struct pk_tally_shape *shape = tally->shape;
    size_t i_group = 0;
    for (size_t a = 0; shape->n_groups > 1 && a < PK_MAX_ATTRIBUTES; a++)
        if (shape->strides[a] != 0)
            i_group += shape->strides[a] * person->values[a];
    tally->starts[i_group * shape->n_states + person->state]++;
    tally->n_persons++;
    tally->n_events += (int64_t)life->n_events;
    if (tally->n_pending + life->n_events > tally->most_pending)
        flush(tally);
    tally->n_pending += life->n_events;
    uint64_t *cells = tally->cells + i_group * shape->n_arcs * shape->n_steps;
    const int64_t step_ticks = shape->step_ticks;
    uint64_t wanted = (UINT64_C(1) << shape->n_entry_sets) - 1;
    for (size_t i = 0; i < life->n_events; i++) {
        const struct pk_event *event = &life->events[i];
        size_t i_step = (size_t)((uint64_t)(event->tick - 1) / (uint64_t)step_ticks);
        int64_t remainder = (int64_t)(i_step + 1) * step_ticks - event->tick;
        cells[event->arc * shape->n_steps + i_step] += (UINT64_C(1) << REMAINDER_BITS) + (uint64_t)remainder;
        for (size_t s = 0; wanted >> s != 0; s++) {
            if ((wanted >> s & 1) && (shape->entry_sets[s] >> shape->arc_to[event->arc] & 1)) {
                tally->entries[(s * shape->n_groups + i_group) * shape->n_steps + i_step]++;
                wanted &= ~(UINT64_C(1) << s);
            }
        }
    }
}

void pk_tally_merge(struct pk_tally *into, struct pk_tally *from, int sign)
{
    const struct pk_tally_shape *shape = into->shape;
    flush(from);
    size_t n = n_cells(shape);
    for (size_t i = 0; i < n; i++) {
        into->counts[i] += sign * from->counts[i];
        into->remainders[i] += sign * from->remainders[i];
    }
    for (size_t i = 0; i < shape->n_groups * shape->n_states; i++)
        into->starts[i] += sign * from->starts[i];
    for (size_t i = 0; i < shape->n_entry_sets * shape->n_groups * shape->n_steps; i++)
        into->entries[i] += sign * from->entries[i];
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

void pk_tally_occupancy(struct pk_tally *tally, size_t i_group, size_t i_state, int64_t *persons)
{
    const struct pk_tally_shape *shape = tally->shape;
    flush(tally);
    int64_t *change = persons + 1;
    memset(persons, 0, (shape->n_steps + 1) * sizeof *persons);
    for (size_t arc = 0; arc < shape->n_arcs; arc++) {
        int64_t sign = (shape->arc_to[arc] == i_state) - (shape->arc_from[arc] == i_state);
        const int64_t *counts = tally->counts + (i_group * shape->n_arcs + arc) * shape->n_steps;
        add_signed(change, counts, sign, shape->n_steps);
    }
    persons[0] = tally->starts[i_group * shape->n_states + i_state];
    for (size_t j = 0; j < shape->n_steps; j++)
        persons[j + 1] += persons[j];
}

void pk_tally_person_time(struct pk_tally *tally, size_t i_group, size_t i_state, const int64_t *occupancy,
                          int64_t *ticks)
{
    const struct pk_tally_shape *shape = tally->shape;
    flush(tally);
    for (size_t j = 0; j < shape->n_steps; j++)
        ticks[j] = occupancy[j] * shape->step_ticks;
    for (size_t arc = 0; arc < shape->n_arcs; arc++) {
        int64_t sign = (shape->arc_to[arc] == i_state) - (shape->arc_from[arc] == i_state);
        const int64_t *remainders = tally->remainders + (i_group * shape->n_arcs + arc) * shape->n_steps;
        add_signed(ticks, remainders, sign, shape->n_steps);
    }
}
