/* Exponentials spent on one parametric hazard: common to all states, and what is above it in a state. See
 * lanes_private.h; piecewise constant ones: lanes_spend.h. Not installed. */
#ifndef PK_LANES_ALONE_H
#define PK_LANES_ALONE_H

#include "lanes_columns.h"
#include "lanes_forms.h"
#include "lanes_single.h"

/* A person's factor on a hazard with this frailty and cure. */
PK_INLINE pk_vd factor_of(const struct pk_persons *persons, pk_vu slot, size_t i_frailty, size_t i_cure)
{
    pk_vd factor = pk_vd_set(1.0);
    if (i_frailty != SIZE_MAX)
        factor = pk_vd_gather(persons->frailties[i_frailty], slot);
    if (i_cure != SIZE_MAX) {
        const pk_vu one = pk_vu_set(1), cured = pk_vu_gather(persons->cured, slot) >> i_cure;
        factor = pk_vd_select(pk_vu_equal(cured & one, one), pk_vd_set(0), factor);
    }
    return factor;
}

/* An exponential on its way: pk_spell_spend_alone. */
struct pk_alone {
    pk_vm wanted[PK_ABREAST];
    pk_vd from[PK_ABREAST], until[PK_ABREAST], left[PK_ABREAST], time[PK_ABREAST];
};

/* slot: whose the exponentials are; ratio: on the hazard. */
PK_INLINE void spend_alone(const struct pk_lane_tables *tables, const struct pk_persons *persons, size_t k,
                           double ratio, const pk_vu *slot, struct pk_alone *s)
{
    const struct pk_person_hazard *hazard = &tables->plan->person_hazards[k];
    const struct pk_rate *rate = hazard->rates;
    const pk_vd nothing = pk_vd_set(0), never = pk_vd_set(PK_NEVER);
    struct pk_lane_start start[PK_ABREAST];
    pk_vd scale[PK_ABREAST], shift[PK_ABREAST], used[PK_ABREAST];
    PK_BOTH
    {
        pk_vu stratum = pk_vu_set(0);
        if (tables->i_stratum != SIZE_MAX)
            stratum = pk_vu_gather(persons->strata, slot[g]);
        pk_vd factor = pk_vd_gather(hazard->multipliers, stratum) * pk_vd_set(ratio);
        factor = factor * factor_of(persons, slot[g], hazard->i_frailty, hazard->i_cure);
        scale[g] = factor * pk_vd_set(rate->factor);
        shift[g] = rate->clock == PK_CLOCK_AGE ? -pk_vd_gather(persons->ages, slot[g]) : nothing;
        shift[g] = shift[g] - pk_vd_set(rate->offset);
        s->wanted[g] =
            pk_vm_and(s->wanted[g], pk_vm_and(pk_vd_less(nothing, scale[g]), pk_vd_less(s->from[g], s->until[g])));
        start_at(&rate->curve, s->from[g] - shift[g], &start[g]);
    }
    PK_BOTH used[g] = scale[g] * between(&rate->curve, &start[g], s->until[g] - shift[g], NULL);
    PK_BOTH s->time[g] = shift[g] + inverse(&rate->curve, &start[g], s->wanted[g], s->left[g] / scale[g]);
    PK_BOTH
    {
        const pk_vm fires = pk_vm_and(s->wanted[g], pk_vd_less(s->time[g], s->until[g]));
        const pk_vd rest = pk_vd_select(pk_vd_less(used[g], s->left[g]), s->left[g] - used[g], nothing);
        s->time[g] = pk_vd_select(pk_vd_less(s->from[g], s->time[g]), s->time[g], s->from[g]);
        s->time[g] = pk_vd_select(fires, s->time[g], never);
        s->left[g] = pk_vd_select(pk_vm_and(s->wanted[g], pk_vm_not(fires)), rest, s->left[g]);
    }
}

static void common_form(const struct pk_lane_tables *tables, size_t k, const struct pk_persons *persons, double *times)
{
    if (!tables->common_form[k]) {
        pk_lanes_common_single(tables, k, persons, times);
        return;
    }
    for (size_t i = 0; i < persons->n; i += PK_WIDTH * PK_ABREAST) {
        struct pk_alone s;
        pk_vu slot[PK_ABREAST];
        PK_BOTH
        {
            const size_t at = i + (size_t)g * PK_WIDTH;
            const pk_vu place = pk_vu_iota() + pk_vu_set(at);
            s.wanted[g] = pk_vu_less(place, pk_vu_set(persons->n));
            slot[g] = pk_vu_select(s.wanted[g], place, pk_vu_set(0));
            s.from[g] = pk_vd_load(persons->entries + at);
            s.until[g] = pk_vd_set(tables->until);
            s.left[g] = pk_vd_load(times + at);
        }
        spend_alone(tables, persons, k, 1, slot, &s);
        PK_BOTH pk_vd_store(times + i + (size_t)g * PK_WIDTH, s.time[g]);
    }
}

/* Lanes in one state, as a list with room for a group more. */
PK_INLINE size_t list_state(const struct pk_lanes *lanes, uint64_t i_state, uint64_t *list)
{
    const uint64_t *states = words_of(lanes, PK_LANE_STATE);
    size_t n = 0;
    for (size_t i = 0; i < lanes->n; i += PK_WIDTH)
        n += pk_vu_pack(list + n,
                        pk_vm_and(pk_vm_first(lanes->n - i), pk_vu_equal(pk_vu_load(states + i), pk_vu_set(i_state))),
                        pk_vu_iota() + pk_vu_set(i));
    for (size_t i = 0; i < PK_WIDTH * PK_ABREAST && n > 0; i++)
        list[n + i] = list[0];
    return n;
}

static void excess_of_state(struct pk_lanes *lanes, const struct pk_lane_excess *of, size_t i_state)
{
    const struct pk_plan_arc *arc = &lanes->tables->plan->arcs[of->single[i_state]];
    double *lefts = doubles_of(lanes, lanes->tables->i_excess + arc->i_excess);
    uint64_t list[PK_LANES + PK_WIDTH * PK_ABREAST];
    const size_t n = list_state(lanes, i_state, list);
    for (size_t i = 0; i < n; i += PK_WIDTH * PK_ABREAST) {
        struct pk_alone s;
        pk_vu lane[PK_ABREAST], slot[PK_ABREAST];
        PK_BOTH
        {
            const size_t at = i + (size_t)g * PK_WIDTH;
            lane[g] = pk_vu_load(list + at);
            slot[g] = pk_vu_gather(words_of(lanes, PK_LANE_SLOT), lane[g]);
            s.wanted[g] = pk_vm_first(n > at ? n - at : 0);
            s.from[g] = pk_vd_gather(doubles_of(lanes, PK_LANE_ENTRY), lane[g]);
            s.until[g] = pk_vd_gather(lanes->time, lane[g]);
            s.left[g] = pk_vd_gather(lefts, lane[g]);
        }
        spend_alone(lanes->tables, lanes->persons, arc->i_person_hazard, arc->excess, slot, &s);
        PK_BOTH
        {
            const pk_vm sooner = pk_vm_and(s.wanted[g], pk_vd_less(s.time[g], s.until[g]));
            pk_vd_scatter(lefts, s.wanted[g], lane[g], s.left[g]);
            pk_vd_scatter(lanes->time, sooner, lane[g], s.time[g]);
            pk_vd_scatter((double *)(void *)lanes->way, sooner, lane[g], (pk_vd)pk_vu_set(of->i_way + i_state));
        }
    }
}

/* What is above common hazards that are parametric, or a person's own. */
static void excess_single(struct pk_lanes *lanes, const struct pk_lane_excess *of)
{
    const struct pk_plan *plan = lanes->tables->plan;
    for (size_t s = 0; s < plan->n_states; s++) {
        if (of->single[s] == UINT64_MAX)
            continue;
        if (lanes->tables->common_form[plan->arcs[of->single[s]].i_person_hazard])
            excess_of_state(lanes, of, s);
        else
            pk_lanes_excess_single(lanes, of, s);
    }
}

#endif
