/* Lives in arms: one after another while a service can change them, then together. See lanes.h. */
#include "lanes_private.h"
#include "life_private.h"

/* The walk's place and what it has left over, as one start of a lane. */
static void stage_start(struct pk_lanes *lanes, size_t i, size_t slot, const struct walk *walk, uint64_t key)
{
    const struct pk_lane_tables *tables = lanes->tables;
    const struct pk_plan *plan = tables->plan;
    uint64_t *words = lanes->starts + i;
    double *doubles = (double *)(void *)words;
    const size_t n = lanes->n_room;
    words[PK_LANE_PERSON * n] = key;
    words[PK_LANE_STATE * n] = walk->i_state;
    words[PK_LANE_SLOT * n] = slot;
    doubles[PK_LANE_ENTRY * n] = walk->entry;
    if (tables->uses_age)
        doubles[tables->i_age * n] = walk->person->age;
    if (tables->uses_elapsed)
        doubles[tables->i_zero * n] = walk->state_zero;
    if (tables->i_stratum != SIZE_MAX)
        words[tables->i_stratum * n] = walk->person->stratum;
    for (size_t w = 0; w < tables->n_counter_words; w++)
        words[(tables->i_used + w) * n] = 0;
    for (size_t w = 0; w < tables->n_stay_words; w++)
        words[(tables->i_stays + w) * n] = 0;
    words[tables->i_open * n] = 0;
    for (size_t s = 0; s < plan->n_states; s++) {
        const uint32_t stream = plan->states[s].stream;
        const uint64_t k = tables->streams[s], bit = UINT64_C(1) << k;
        const uint64_t spells = (uint64_t)walk->spells[stream] << tables->shifts[s];
        if (plan->states[s].absorbing)
            continue;
        if (tables->n_stay_words > 0 && tables->stay_places[s] != UINT64_MAX) {
            const uint64_t place = tables->stay_places[s];
            words[(tables->i_stays + place / PK_LANES_COUNTERS) * n] |=
                (uint64_t)walk->stays[s] << place % PK_LANES_COUNTERS * PK_LANES_COUNTER_BITS;
        }
        uint64_t *counters = &words[(tables->i_used + tables->words[s]) * n];
        /* states that share a stream say the same twice */
        *counters = (*counters & ~((((uint64_t)1 << PK_LANES_COUNTER_BITS) - 1) << tables->shifts[s])) | spells;
        if (walk->open >> stream & 1) {
            words[tables->i_open * n] |= bit;
            /* which candidate it was no longer matters: untreated, the next is kept */
            doubles[(tables->i_left + k) * n] = walk->cut_short[stream].left;
            doubles[(tables->i_mark + k) * n] = walk->cut_short[stream].mark;
        }
    }
    for (size_t k = 0; k < tables->n_common; k++)
        doubles[(tables->i_common + k) * n] = walk->person_times[k];
    for (size_t k = 0; k < plan->n_excess; k++)
        doubles[(tables->i_excess + k) * n] = walk->excess_known >> k & 1 ? walk->excess_left[k] : -1; /* not drawn */
    lanes->before[i] = walk->life->n_events;
}

/* What the reference has not drawn yet. */
static void draw_excess(struct pk_lanes *lanes, size_t n_starts)
{
    const struct pk_lane_tables *tables = lanes->tables;
    const size_t n = lanes->n_room;
    for (size_t k = 0; k < tables->plan->n_excess; k++) {
        double *lefts = (double *)(void *)(lanes->starts + (tables->i_excess + k) * n), *drawn = lanes->excess;
        lanes->ops->exponentials(tables->schedule, n_starts, lanes->starts + (size_t)PK_LANE_PERSON * n,
                                 tables->excess_purposes[k], drawn);
        for (size_t i = 0; i < n_starts; i++)
            lefts[i] = lefts[i] < 0 ? drawn[i] : lefts[i];
    }
}

static void log_life(struct pk_lanes *lanes, size_t slot, const struct pk_life *life,
                     void (*take)(const uint64_t *log, size_t n, void *data), void *data)
{
    for (size_t first = 0; first < life->n_events; first += PK_LANES) {
        const size_t n = life->n_events - first < PK_LANES ? life->n_events - first : PK_LANES;
        for (size_t i = 0; i < n; i++) {
            const struct pk_event *event = &life->events[first + i];
            lanes->log[i] = (uint64_t)event->tick << (PK_LANES_SLOT_BITS + PK_LANES_ARC_BITS) |
                            (uint64_t)event->arc << PK_LANES_SLOT_BITS | slot;
        }
        take(lanes->log, n, data);
    }
}

/* Some life fails: the first that does, one after another, in words. */
static enum pk_status first_failure(const struct pk_plan *plan, const struct pk_persons *persons,
                                    const struct pk_treated *treated, struct pk_life *room, size_t *failed,
                                    struct pk_error *error)
{
    enum pk_status status = PK_OK;
    for (size_t i = 0; i < persons->n && status == PK_OK; i++) {
        struct pk_person person;
        *failed = i;
        pk_persons_person(persons, i, &person);
        status = pk_life_run(plan, &person, &treated[i].treatment, room, error);
    }
    PK_ASSERT(status != PK_OK);
    return status;
}

enum pk_status pk_lanes_live_treated(struct pk_lanes *lanes, const struct pk_persons *persons,
                                     const struct pk_treated *treated, size_t n, struct pk_life *room,
                                     void (*take)(const uint64_t *log, size_t n, void *data), void *data,
                                     struct pk_stages *stages, size_t *failed, struct pk_error *error)
{
    const struct pk_lane_tables *tables = lanes->tables;
    uint64_t since = stages->on ? pk_stages_now() : 0;
    size_t n_starts = 0;
    PK_ASSERT(tables->treated && n <= lanes->n_room);
    for (size_t i = 0; i < n; i++)
        lanes->i_treated[i] = treated[i].i_person;
    pk_persons_pick(persons, lanes->i_treated, n, &lanes->treated);
    persons = lanes->persons = &lanes->treated;
    for (size_t i = 0; i < n; i++) {
        struct pk_person person;
        struct walk walk;
        pk_persons_person(persons, i, &person);
        pk_walk_begin(&walk, tables->plan, &person, &treated[i].treatment, room);
        if (pk_walk_go(&walk, true, error) != PK_OK)
            return first_failure(tables->plan, persons, treated, room, failed, error);
        log_life(lanes, i, room, take, data);
        if (!walk.over)
            stage_start(lanes, n_starts++, i, &walk, persons->keys[i]);
    }
    pk_stages_lap(stages, &since, PK_STAGE_LIVES);
    draw_excess(lanes, n_starts);
    lanes->n_copies = 0;
    for (size_t c = 0; c < tables->n_columns; c++)
        pk_lanes_bring(lanes, c, lanes->starts + c * lanes->n_room);
    lanes->n_starters = n_starts;
    lanes->everybody = true;
    if (pk_lanes_go_round(lanes, lanes->before, take, data, stages, &since, failed))
        return PK_OK;
    return first_failure(tables->plan, persons, treated, room, failed, error);
}
