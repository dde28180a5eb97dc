/* Events as cells of tallies. See lanes_private.h. Not installed. */
#ifndef PK_LANES_CELLS_H
#define PK_LANES_CELLS_H

#include "lanes_columns.h"

static void cells(const struct pk_lane_grid *grid, size_t n, const uint64_t *log, uint64_t *places, uint64_t *values)
{
    const pk_vu slots = pk_vu_set(PK_LANES_MOST_PEOPLE - 1), arcs = pk_vu_set(PK_MAX_ARCS - 1);
    const pk_vu step_ticks = pk_vu_set(grid->step_ticks), n_steps = pk_vu_set(grid->n_steps);
    for (size_t i = 0; i < n; i += PK_WIDTH) {
        const pk_vu event = pk_vu_load(log + i), ticks = event >> (PK_LANES_SLOT_BITS + PK_LANES_ARC_BITS);
        pk_vu step = (ticks - pk_vu_set(1)) >> 20; /* months */
        if (grid->step_of_month != NULL)
            step = pk_vu_gather(grid->step_of_month, /* what is past the end of the log may be anything */
                                pk_vu_select(pk_vu_less(step, pk_vu_set(grid->n_months)), step, pk_vu_set(0)));
        pk_vu place = pk_vu_product((event >> PK_LANES_SLOT_BITS) & arcs, n_steps) + step;
        if (grid->first_cell != NULL)
            place += pk_vu_gather(grid->first_cell, pk_vu_select(pk_vu_less(pk_vu_iota() + pk_vu_set(i), pk_vu_set(n)),
                                                                 event & slots, pk_vu_set(0)));
        pk_vu_store(places + i, place);
        pk_vu_store(values + i, (step + pk_vu_set(1)) * step_ticks - ticks + pk_vu_set(grid->one));
    }
}

static size_t entries(const uint64_t *sets_of_arc, const uint64_t *wanted, size_t n, const uint64_t *log,
                      uint64_t *list)
{
    const pk_vu slots = pk_vu_set(PK_LANES_MOST_PEOPLE - 1), arcs = pk_vu_set(PK_MAX_ARCS - 1), nothing = pk_vu_set(0);
    size_t n_list = 0;
    for (size_t i = 0; i < n; i += PK_WIDTH) {
        const pk_vu lane = pk_vu_iota() + pk_vu_set(i);
        const pk_vm in = pk_vu_less(lane, pk_vu_set(n));
        const pk_vu event = pk_vu_select(in, pk_vu_load(log + i), nothing);
        const pk_vu hits =
            pk_vu_gather(sets_of_arc, (event >> PK_LANES_SLOT_BITS) & arcs) & pk_vu_gather(wanted, event & slots);
        n_list += pk_vu_pack(list + n_list, pk_vm_and(in, pk_vu_less(nothing, hits)), lane);
    }
    return n_list;
}

#endif
