/* Closed tallies of everybody straight from the log of a block, without putting lives together. See tally.h. */
#include <string.h>

#include "polku/memory.h"
#include "polku/tally.h"
#include "tally_private.h"

enum pk_status pk_tally_block_init(struct pk_tally_block *block, const struct pk_tally_shape *shape, size_t n_room,
                                   struct pk_error *error)
{
    const size_t step_months = (size_t)(shape->step_ticks >> 20), n_months = shape->n_steps * step_months;
    memset(block, 0, sizeof *block);
    bool made = true;
    if (shape->n_groups > 1) {
        block->groups = pk_alloc(n_room, sizeof *block->groups);
        block->first_cells = pk_alloc(n_room, sizeof *block->first_cells);
        made &= block->groups != NULL && block->first_cells != NULL;
    }
    if (shape->n_entry_sets > 0) {
        block->wanted = pk_alloc(n_room, sizeof *block->wanted);
        block->sets_of_arc = pk_alloc(shape->n_arcs, sizeof *block->sets_of_arc);
        made &= block->wanted != NULL && block->sets_of_arc != NULL;
        block->ages = shape->ages_at_entry ? pk_alloc(n_room, sizeof *block->ages) : NULL;
        made &= !shape->ages_at_entry || block->ages != NULL;
        for (size_t a = 0; made && a < shape->n_arcs; a++)
            for (size_t k = 0; k < shape->n_entry_sets; k++)
                block->sets_of_arc[a] |= (shape->entry_sets[k] >> shape->arc_to[a] & 1) << k;
    }
    if (step_months > 1) {
        block->step_of_month = pk_alloc(n_months, sizeof *block->step_of_month);
        made &= block->step_of_month != NULL;
        for (size_t j = 0; made && j < n_months; j++)
            block->step_of_month[j] = j / step_months;
    }
    if (made)
        return PK_OK;
    pk_tally_block_free(block);
    return pk_error_set(error, PK_NO_MEMORY, "no memory for the tallies of a block");
}

void pk_tally_block_free(struct pk_tally_block *block)
{
    if (block == NULL)
        return;
    pk_free(block->groups);
    pk_free(block->first_cells);
    pk_free(block->wanted);
    pk_free(block->sets_of_arc);
    pk_free(block->ages);
    pk_free(block->step_of_month);
    memset(block, 0, sizeof *block);
}

void pk_tally_enter(struct pk_tally *tally, const struct pk_persons *persons, struct pk_tally_block *block)
{
    const struct pk_tally_shape *shape = tally->shape;
    const size_t n_of_group = shape->n_arcs * shape->n_steps;
    PK_ASSERT(!tally->special);
    if (shape->n_groups > 1) {
        bool any = false;
        for (size_t a = 0; a < PK_MAX_ATTRIBUTES; a++) {
            const uint64_t stride = shape->strides[a];
            const uint8_t *values = persons->values[a];
            PK_ASSERT(stride == 0 || persons->plan->is_read[a]);
            for (size_t i = 0; stride != 0 && i < persons->n; i++)
                block->groups[i] = (any ? block->groups[i] : 0) + stride * values[i];
            any |= stride != 0;
        }
        for (size_t i = 0; i < persons->n; i++) {
            const uint64_t group = any ? block->groups[i] : 0;
            tally->starts[group * shape->n_states + persons->states[i]]++;
            block->first_cells[i] = group * n_of_group;
        }
    } else {
        /* most start where the last one did: runs, since adding to one place waits for itself */
        for (size_t i = 0, first = 0; i < persons->n; first = i) {
            while (i < persons->n && persons->states[i] == persons->states[first])
                i++;
            tally->starts[persons->states[first]] += (int64_t)(i - first);
        }
    }
    if (shape->n_entry_sets > 0)
        for (size_t i = 0; i < persons->n; i++)
            block->wanted[i] = (UINT64_C(1) << shape->n_entry_sets) - 1;
    for (size_t i = 0; block->ages != NULL && i < persons->n; i++)
        block->ages[i] = (int64_t)(persons->ages[i] * PK_TICKS_PER_MONTH);
    tally->n_persons += (int64_t)persons->n;
}

/* First entries into sets of states: seldom, once most have been there. */
static void count_entries(struct pk_tally *tally, const struct pk_tally_block *block, const uint64_t *log, size_t n,
                          enum pk_vectors vectors)
{
    const struct pk_tally_shape *shape = tally->shape;
    uint64_t list[PK_TALLY_AT_ONCE + 32];
    const size_t n_list = pk_lanes_entries(vectors, block->sets_of_arc, block->wanted, n, log, list);
    /* as locals: what is written might be anything to the compiler */
    const size_t n_groups = shape->n_groups, n_steps = shape->n_steps;
    const uint64_t *sets_of_arc = block->sets_of_arc, *steps = block->step_of_month,
                   *groups = n_groups > 1 ? block->groups : NULL;
    uint64_t *wanted = block->wanted;
    int64_t *entries = tally->entries, *entry_ages = tally->entry_ages;
    const int64_t *ages = block->ages;
    for (size_t k = 0; k < n_list; k++) {
        const uint64_t event = log[list[k]];
        const size_t slot = pk_logged_slot(event), i_month = (size_t)(pk_logged_tick(event) - 1) >> 20,
                     i_step = steps != NULL ? steps[i_month] : i_month, i_group = groups != NULL ? groups[slot] : 0;
        uint64_t hits = sets_of_arc[pk_logged_arc(event)] & wanted[slot];
        wanted[slot] &= ~hits;
        for (; hits != 0; hits &= hits - 1) {
            const size_t i = ((size_t)__builtin_ctzll(hits) * n_groups + i_group) * n_steps + i_step;
            entries[i]++;
            if (ages != NULL)
                entry_ages[i] += ages[slot] + (int64_t)pk_logged_tick(event);
        }
    }
}

void pk_tally_log(struct pk_tally *tally, struct pk_tally_block *block, const uint64_t *log, size_t n,
                  enum pk_vectors vectors)
{
    const struct pk_tally_shape *shape = tally->shape;
    const struct pk_lane_grid grid = {.step_ticks = (uint64_t)shape->step_ticks,
                                      .n_steps = shape->n_steps,
                                      .one = UINT64_C(1) << PK_REMAINDER_BITS,
                                      .n_months = shape->n_steps * (size_t)(shape->step_ticks >> 20),
                                      .step_of_month = block->step_of_month,
                                      .first_cell = shape->n_groups > 1 ? block->first_cells : NULL};
    uint64_t places[PK_TALLY_AT_ONCE + 32], values[PK_TALLY_AT_ONCE + 32];
    tally->n_events += (int64_t)n;
    for (size_t first = 0; first < n; first += PK_TALLY_AT_ONCE) {
        const size_t n_now = n - first < PK_TALLY_AT_ONCE ? n - first : PK_TALLY_AT_ONCE;
        if (tally->n_pending + n_now > tally->most_pending)
            pk_tally_flush(tally);
        tally->n_pending += n_now;
        pk_lanes_cells(vectors, &grid, n_now, log + first, places, values);
        for (size_t i = 0; i < n_now; i++)
            tally->cells[places[i]] += values[i];
        if (shape->n_entry_sets > 0)
            count_entries(tally, block, log + first, n_now, vectors);
    }
}
