/* The packed tally against counting event by event. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "polku/tally.h"

/* Four states, every move an arc; steps of 7 months. */
enum { STATES = 4, ARCS = STATES * (STATES - 1), STEPS = 9, GROUPS = 6, SETS = 3, LIVES = 3000 };
static uint16_t arc_from[ARCS], arc_to[ARCS];
static const int64_t step = INT64_C(7) << 20;

static struct pk_tally_shape shape_of(size_t n_groups, size_t n_steps, int64_t step_ticks)
{
    size_t a = 0;
    for (uint16_t i = 0; i < STATES; i++)
        for (uint16_t j = 0; j < STATES; j++)
            if (i != j) {
                arc_from[a] = i;
                arc_to[a++] = j;
            }
    struct pk_tally_shape shape = {.n_groups = n_groups,
                                   .n_states = STATES,
                                   .n_arcs = ARCS,
                                   .n_steps = n_steps,
                                   .n_entry_sets = SETS,
                                   .step_ticks = step_ticks,
                                   .ages_at_entry = true,
                                   .entry_sets = {1u << 2, 1u << 1 | 1u << 3, 1u << 0},
                                   .arc_from = arc_from,
                                   .arc_to = arc_to};
    if (n_groups == GROUPS) { /* 3 values of attribute 1, 2 of attribute 4 */
        shape.strides[1] = 1;
        shape.strides[4] = 3;
    }
    return shape;
}

static uint16_t arc_between(size_t from, size_t to)
{
    uint16_t a = 0;
    while (arc_from[a] != from || arc_to[a] != to)
        a++;
    return a;
}

static uint64_t lcg = 4711;
static uint64_t below(uint64_t n)
{
    lcg = lcg * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (lcg >> 33) % n;
}

static struct pk_life life;

/* Random moves from a tick on; times often on the edge of a step, on it and next to it. */
static void live_on(size_t state, int64_t tick)
{
    life.n_events = 0;
    for (size_t n = below(12); n > 0; n--) {
        int64_t edge = (tick / step + 1) * step + (int64_t)below(3) - 1;
        tick = below(2) ? tick + 1 + (int64_t)below((uint64_t)step) : edge > tick ? edge : tick + 1;
        if (tick > step * STEPS)
            break;
        size_t to = (state + 1 + below(STATES - 1)) % STATES;
        life.events[life.n_events++] = (struct pk_event){.tick = tick, .arc = arc_between(state, to)};
        state = to;
    }
}

/* A random life of someone who is there from the start. */
static void invent(struct pk_person *person)
{
    memset(person, 0, sizeof *person);
    person->state = (uint16_t)below(STATES);
    person->values[1] = (uint8_t)below(3);
    person->values[4] = (uint8_t)below(2);
    person->values[0] = (uint8_t)below(200); /* not told apart */
    person->age = 1.25 * person->values[0] - 10 + 0x1p-20;
    life.start_state = person->state;
    life.start_tick = 0;
    live_on(person->state, 0);
}

struct counted {
    int64_t occupancy[GROUPS][STATES][STEPS + 1], time[GROUPS][STATES][STEPS], events[GROUPS][ARCS][STEPS],
        entries[SETS][GROUPS][STEPS], ages[SETS][GROUPS][STEPS];
};

static size_t state_at(const struct pk_person *person, int64_t tick)
{
    size_t state = person->state;
    for (size_t i = 0; i < life.n_events && life.events[i].tick <= tick; i++)
        state = arc_to[life.events[i].arc];
    return state;
}

static void count(const struct pk_tally_shape *shape, const struct pk_person *person, struct counted *c)
{
    size_t g = person->values[1] + 3u * person->values[4], state = person->state;
    for (int64_t j = 0; j <= STEPS; j++)
        c->occupancy[g][state_at(person, j * step)][j]++;
    for (size_t i = 0; i <= life.n_events; i++) { /* each stay, cut at the steps */
        int64_t from = i == 0 ? 0 : life.events[i - 1].tick,
                to = i < life.n_events ? life.events[i].tick : step * STEPS;
        for (int64_t j = 0; j < STEPS; j++) {
            int64_t low = from > j * step ? from : j * step, high = to < (j + 1) * step ? to : (j + 1) * step;
            c->time[g][state][j] += high > low ? high - low : 0;
        }
        if (i < life.n_events)
            state = arc_to[life.events[i].arc];
    }
    for (size_t s = 0; s < SETS; s++) {
        bool found = false;
        for (size_t i = 0; i < life.n_events && !found; i++) {
            found = shape->entry_sets[s] >> arc_to[life.events[i].arc] & 1;
            for (int64_t j = 0; j < STEPS; j++) /* (j L, (j + 1) L] */
                if (found && life.events[i].tick > j * step && life.events[i].tick <= (j + 1) * step) {
                    c->entries[s][g][j]++;
                    c->ages[s][g][j] += (int64_t)(person->age * PK_TICKS_PER_MONTH) + life.events[i].tick;
                }
        }
    }
    for (size_t i = 0; i < life.n_events; i++)
        for (int64_t j = 0; j < STEPS; j++)
            if (life.events[i].tick > j * step && life.events[i].tick <= (j + 1) * step)
                c->events[g][life.events[i].arc][j]++;
}

static void expect_counted(struct pk_tally *tally, const struct counted *c)
{
    int64_t occupancy[STEPS + 1], time[STEPS];
    for (size_t g = 0; g < GROUPS; g++) {
        for (size_t s = 0; s < STATES; s++) {
            pk_tally_occupancy(tally, g, s, occupancy);
            pk_tally_person_time(tally, g, s, occupancy, time);
            cr_assert_arr_eq(occupancy, c->occupancy[g][s], sizeof occupancy);
            cr_assert_arr_eq(time, c->time[g][s], sizeof time);
        }
        for (size_t a = 0; a < ARCS; a++)
            cr_assert_arr_eq(tally->counts + (g * ARCS + a) * STEPS, c->events[g][a], STEPS * sizeof(int64_t));
        for (size_t s = 0; s < SETS; s++) {
            const size_t first = (s * GROUPS + g) * STEPS;
            cr_assert_arr_eq(tally->entries + first, c->entries[s][g], STEPS * sizeof(int64_t));
            cr_assert_arr_eq(tally->entry_ages + first, c->ages[s][g], STEPS * sizeof(int64_t));
        }
    }
}

Test(tally, everything_is_what_counting_event_by_event_gives)
{
    static struct counted c;
    struct pk_tally_shape shape = shape_of(GROUPS, STEPS, step);
    struct pk_tally tally;
    struct pk_error error;
    int64_t n_events = 0;
    cr_assert_eq(pk_tally_init(&tally, &shape, &error), PK_OK);
    for (size_t i = 0; i < LIVES; i++) {
        struct pk_person person;
        invent(&person);
        pk_tally_add(&tally, &person, &life);
        count(&shape, &person, &c);
        n_events += (int64_t)life.n_events;
        if (i == 1234) { /* reading in the middle changes nothing */
            int64_t now[STEPS + 1];
            pk_tally_occupancy(&tally, 3, 1, now);
        }
    }
    expect_counted(&tally, &c);
    cr_expect_eq(tally.n_persons, LIVES);
    cr_expect_eq(tally.n_events, n_events);
    cr_expect_gt(n_events, 3 * LIVES);
    pk_tally_free(&tally);
    pk_tally_free(&tally);
}

Test(tally, parts_merged_in_any_order_are_the_whole_and_taken_away_are_nothing)
{
    static struct counted c;
    struct pk_tally_shape shape = shape_of(GROUPS, STEPS, step);
    struct pk_tally parts[3], whole;
    struct pk_error error;
    cr_assert_eq(pk_tally_init(&whole, &shape, &error), PK_OK);
    for (size_t p = 0; p < 3; p++)
        cr_assert_eq(pk_tally_init(&parts[p], &shape, &error), PK_OK);
    for (size_t i = 0; i < LIVES; i++) {
        struct pk_person person;
        invent(&person);
        pk_tally_add(&parts[below(3)], &person, &life);
        count(&shape, &person, &c);
    }
    pk_tally_merge(&parts[2], &parts[0], 1); /* whatever is still packed in either */
    pk_tally_merge(&whole, &parts[1], 1);
    pk_tally_merge(&whole, &parts[2], 1);
    expect_counted(&whole, &c);
    pk_tally_merge(&whole, &parts[2], -1);
    pk_tally_merge(&whole, &parts[1], -1);
    memset(&c, 0, sizeof c);
    expect_counted(&whole, &c);
    cr_expect(whole.n_persons == 0 && whole.n_events == 0);
    pk_tally_merge(&whole, &parts[1], 1);
    pk_tally_clear(&whole);
    expect_counted(&whole, &c);
    pk_tally_free(&whole);
    for (size_t p = 0; p < 3; p++)
        pk_tally_free(&parts[p]);
}

/* n people who move from 0 to 1 at the tick, all in one cell. */
static void pile_up(int64_t step_ticks, int64_t tick, int64_t n)
{
    struct pk_tally_shape shape = shape_of(1, 2, step_ticks);
    struct pk_tally tally;
    struct pk_error error;
    struct pk_person person = {.state = 0};
    int64_t occupancy[3], time[2];
    cr_assert_eq(pk_tally_init(&tally, &shape, &error), PK_OK, "%s", error.message);
    life.start_state = 0;
    life.start_tick = 0;
    life.n_events = 1;
    life.events[0] = (struct pk_event){.tick = tick, .arc = arc_between(0, 1)};
    for (int64_t i = 0; i < n; i++)
        pk_tally_add(&tally, &person, &life);
    pk_tally_occupancy(&tally, 0, 1, occupancy);
    pk_tally_person_time(&tally, 0, 1, occupancy, time);
    cr_expect(occupancy[0] == 0 && occupancy[1] == n && occupancy[2] == n);
    cr_expect(time[0] == n * (step_ticks - tick) && time[1] == n * step_ticks);
    pk_tally_occupancy(&tally, 0, 0, occupancy);
    pk_tally_person_time(&tally, 0, 0, occupancy, time);
    cr_expect(occupancy[0] == n && occupancy[1] == 0 && time[0] == n * tick && time[1] == 0);
    pk_tally_free(&tally);
}

/* A cell holds 2^20 events and 2^44 ticks: three times that much must not be lost. */
Test(tally, neither_counts_nor_ticks_overflow_a_cell)
{
    pile_up(INT64_C(2) << 20, 1, 3 << 20);
    pile_up(INT64_C(1040) << 20, 1, 100003); /* the longest step: 2^44 ticks are 16,131 events */
    pile_up(INT64_C(480) << 20, 1, 100003);
    pile_up(INT64_C(1) << 20, INT64_C(1) << 20, 1 << 20); /* no ticks left at all */
}

/* Lives of the greatest length, all within one step of the greatest length. */
Test(tally, longest_lives_do_not_overflow_a_cell)
{
    const int64_t longest = INT64_C(1040) << 20;
    struct pk_tally_shape shape = shape_of(1, 2, longest);
    struct pk_tally tally;
    struct pk_error error;
    struct pk_person person = {.state = 0};
    int64_t occupancy[3], time[2];
    cr_assert_eq(pk_tally_init(&tally, &shape, &error), PK_OK);
    life.start_state = 0;
    life.start_tick = 0;
    life.n_events = PK_LIFE_MAX_EVENTS;
    for (size_t i = 0; i < PK_LIFE_MAX_EVENTS; i++)
        life.events[i] = (struct pk_event){.tick = (int64_t)i + 1, .arc = arc_between(i % 2, (i + 1) % 2)};
    for (int64_t i = 0; i < 200; i++)
        pk_tally_add(&tally, &person, &life);
    pk_tally_occupancy(&tally, 0, 1, occupancy);
    pk_tally_person_time(&tally, 0, 1, occupancy, time);
    /* in state 1 from each odd tick to the next: half of the events, a tick each */
    cr_expect(occupancy[1] == 0 && time[0] == 200 * PK_LIFE_MAX_EVENTS / 2 && time[1] == 0);
    cr_expect_eq(tally.n_events, 200 * PK_LIFE_MAX_EVENTS);
    pk_tally_free(&tally);
}

Test(tally, too_long_a_step_and_too_large_a_table_are_refused)
{
    struct pk_tally tally;
    struct pk_error error;
    struct pk_tally_shape shape = shape_of(1, 2, INT64_C(1041) << 20);
    cr_expect_eq(pk_tally_init(&tally, &shape, &error), PK_BAD_INPUT);
    cr_expect(strstr(error.message, "1040") != NULL, "%s", error.message);
    shape = shape_of(1, UINT64_C(1) << 27, step);
    cr_expect_eq(pk_tally_init(&tally, &shape, &error), PK_BAD_INPUT);
    cr_expect(strstr(error.message, "too large") != NULL, "%s", error.message);
}

/* ---- ages, people who flow in, weights, filters: against counting at every tick that matters ------------------- */

enum { AGES = 2, AGE_GROUPS = AGES + 1 };
static const int64_t age_cuts[AGES] = {INT64_C(300) << 20, (INT64_C(331) << 20) + 12345};

static struct pk_tally_shape open_shape(void)
{
    struct pk_tally_shape shape = shape_of(1, STEPS, step);
    shape.n_groups = GROUPS * AGE_GROUPS;
    shape.strides[1] = AGE_GROUPS;
    shape.strides[4] = 3 * AGE_GROUPS;
    shape.open = true;
    shape.weighted = true;
    shape.n_ages = AGES;
    shape.age_ticks = age_cuts;
    return shape;
}

/* As invent, but a third flow in, ages are near the cuts, and some weigh more than a cell takes. */
static void invent_open(struct pk_person *person)
{
    static const int64_t near[] = {-2, -1, 0, 1, 2};
    invent(person);
    person->weight = below(4) == 0 ? (uint32_t)(1 + below(1 << 20)) : (uint32_t)(1 + below(3));
    int64_t months = 240 + (int64_t)below(100), age = months << 20 | (int64_t)below(1 << 20);
    if (below(2)) /* reaches a cut at an edge of a step, or next to it, or is at it at the start */
        age = age_cuts[below(AGES)] - (int64_t)below(STEPS) * step + near[below(5)];
    person->age = (double)age / PK_TICKS_PER_MONTH;
    if (below(3) == 0) {
        life.start_tick = below(2) ? 1 + (int64_t)below((uint64_t)(step * STEPS)) : step * (int64_t)(1 + below(STEPS));
        person->entry = (double)life.start_tick / PK_TICKS_PER_MONTH;
        live_on(life.start_state, life.start_tick);
    }
    if (below(3) == 0 && life.n_events > 0) { /* an event at the very tick of a cut */
        int64_t at = life.events[below(life.n_events)].tick;
        person->age = (double)(age_cuts[below(AGES)] - at) / PK_TICKS_PER_MONTH;
    }
}

static size_t age_group_at(const struct pk_person *person, int64_t tick)
{
    size_t i = 0;
    while (i < AGES && (int64_t)(person->age * PK_TICKS_PER_MONTH) + tick >= age_cuts[i])
        i++;
    return i;
}

struct counted_by_age {
    int64_t occupancy[GROUPS * AGE_GROUPS][STATES][STEPS + 1], time[GROUPS * AGE_GROUPS][STATES][STEPS],
        events[GROUPS * AGE_GROUPS][ARCS][STEPS], entries[SETS][GROUPS * AGE_GROUPS][STEPS],
        ages[SETS][GROUPS * AGE_GROUPS][STEPS];
};

static void count_by_age(const struct pk_tally_shape *shape, const struct pk_person *person, struct counted_by_age *c)
{
    const size_t first = (person->values[1] + 3u * person->values[4]) * AGE_GROUPS;
    const int64_t weight = person->weight, end = step * STEPS;
    int64_t marks[PK_LIFE_MAX_EVENTS + STEPS + AGES + 4];
    size_t n_marks = 0;
    for (int64_t j = 0; j <= STEPS; j++) {
        marks[n_marks++] = j * step;
        if (j * step >= life.start_tick)
            c->occupancy[first + age_group_at(person, j * step)][state_at(person, j * step)][j] += weight;
    }
    for (size_t i = 0; i < AGES; i++)
        marks[n_marks++] = age_cuts[i] - (int64_t)(person->age * PK_TICKS_PER_MONTH);
    for (size_t i = 0; i < life.n_events; i++)
        marks[n_marks++] = life.events[i].tick;
    marks[n_marks++] = life.start_tick;
    for (size_t i = 0; i < n_marks; i++) { /* from each mark to the next one nothing changes */
        int64_t from = marks[i], to = end;
        if (from < life.start_tick || from >= end)
            continue;
        bool again = false;
        for (size_t k = 0; k < n_marks; k++) {
            to = marks[k] > from && marks[k] < to ? marks[k] : to;
            again |= k < i && marks[k] == from;
        }
        if (!again)
            c->time[first + age_group_at(person, from)][state_at(person, from)][from / step] += weight * (to - from);
    }
    uint64_t seen = 0;
    for (size_t i = 0; i < life.n_events; i++) {
        const int64_t tick = life.events[i].tick;
        const size_t g = first + age_group_at(person, tick), j = (size_t)((tick - 1) / step);
        c->events[g][life.events[i].arc][j] += weight;
        for (size_t s = 0; s < SETS; s++)
            if (!(seen >> s & 1) && (shape->entry_sets[s] >> arc_to[life.events[i].arc] & 1)) {
                c->entries[s][g][j] += weight;
                c->ages[s][g][j] += weight * ((int64_t)(person->age * PK_TICKS_PER_MONTH) + tick);
                seen |= UINT64_C(1) << s;
            }
    }
}

static void expect_by_age(struct pk_tally *tally, const struct counted_by_age *c)
{
    const size_t n_rows = pk_tally_rows(tally->shape);
    int64_t occupancy[STEPS + 1], time[STEPS];
    cr_assert_eq(n_rows, ARCS + 2 * STATES);
    for (size_t g = 0; g < GROUPS * AGE_GROUPS; g++) {
        for (size_t s = 0; s < STATES; s++) {
            pk_tally_occupancy(tally, g, s, occupancy);
            pk_tally_person_time(tally, g, s, occupancy, time);
            cr_assert_arr_eq(occupancy, c->occupancy[g][s], sizeof occupancy, "group %zu, state %zu", g, s);
            cr_assert_arr_eq(time, c->time[g][s], sizeof time, "group %zu, state %zu", g, s);
        }
        for (size_t a = 0; a < ARCS; a++)
            cr_assert_arr_eq(tally->counts + (g * n_rows + a) * STEPS, c->events[g][a], STEPS * sizeof(int64_t));
        for (size_t s = 0; s < SETS; s++) {
            const size_t cell = (s * GROUPS * AGE_GROUPS + g) * STEPS;
            cr_assert_arr_eq(tally->entries + cell, c->entries[s][g], STEPS * sizeof(int64_t));
            cr_assert_arr_eq(tally->entry_ages + cell, c->ages[s][g], STEPS * sizeof(int64_t));
        }
    }
}

Test(tally, attained_age_entrants_and_weights_are_exact)
{
    static struct counted_by_age c;
    struct pk_tally_shape shape = open_shape();
    struct pk_tally parts[2];
    struct pk_error error;
    int64_t persons = 0;
    for (size_t p = 0; p < 2; p++)
        cr_assert_eq(pk_tally_init(&parts[p], &shape, &error), PK_OK);
    for (size_t i = 0; i < LIVES; i++) {
        struct pk_person person;
        invent_open(&person);
        pk_tally_add(&parts[below(2)], &person, &life);
        count_by_age(&shape, &person, &c);
        persons += person.weight;
    }
    pk_tally_merge(&parts[0], &parts[1], 1);
    expect_by_age(&parts[0], &c);
    cr_expect_eq(parts[0].n_persons, persons);
    for (size_t p = 0; p < 2; p++)
        pk_tally_free(&parts[p]);
}

/* Who enters at the end of the last step is there then, and in no person-time. */
Test(tally, entering_at_the_horizon_is_being_there_at_the_end)
{
    struct pk_tally_shape shape = shape_of(1, STEPS, step);
    struct pk_tally tally;
    struct pk_error error;
    struct pk_person person = {.state = 2, .entry = 7 * STEPS};
    int64_t occupancy[STEPS + 1], time[STEPS];
    shape.open = true;
    cr_assert_eq(pk_tally_init(&tally, &shape, &error), PK_OK);
    life.start_state = 2;
    life.start_tick = step * STEPS;
    life.n_events = 0;
    pk_tally_add(&tally, &person, &life);
    pk_tally_occupancy(&tally, 0, 2, occupancy);
    pk_tally_person_time(&tally, 0, 2, occupancy, time);
    cr_expect(occupancy[STEPS - 1] == 0 && occupancy[STEPS] == 1 && time[STEPS - 1] == 0);
    pk_tally_free(&tally);
}

/* 100,003 people of one cell, of weights about the heaviest that is packed (16). */
Test(tally, weights_do_not_overflow_a_cell)
{
    for (uint32_t weight = 15; weight <= 17; weight++) {
        struct pk_tally_shape shape = shape_of(1, 2, INT64_C(480) << 20);
        struct pk_tally tally;
        struct pk_error error;
        struct pk_person person = {.state = 0, .weight = weight};
        const int64_t n = 100003;
        shape.weighted = true;
        cr_assert_eq(pk_tally_init(&tally, &shape, &error), PK_OK);
        life.start_state = 0;
        life.start_tick = 0;
        life.n_events = 1;
        life.events[0] = (struct pk_event){.tick = 1, .arc = arc_between(0, 1)};
        for (int64_t i = 0; i < n; i++)
            pk_tally_add(&tally, &person, &life);
        pk_tally_flush(&tally);
        cr_expect_eq(tally.counts[arc_between(0, 1) * 2], n * weight);
        cr_expect_eq(tally.remainders[arc_between(0, 1) * 2], n * weight * (shape.step_ticks - 1));
        pk_tally_free(&tally);
    }
}

Test(tally, a_filter_counts_whom_it_names)
{
    static uint8_t allowed[PK_MAX_ATTRIBUTES * 256];
    static struct counted_by_age c;
    memset(allowed, 1, sizeof allowed);
    allowed[1 * 256 + 2] = 0;
    const struct pk_tally_filter filter = {
        .allowed = allowed, .entrants = true, .entered_from = step, .entered_to = 3 * step};
    struct pk_tally_shape shape = open_shape();
    struct pk_tally tally;
    struct pk_error error;
    int64_t n = 0;
    shape.filter = &filter;
    cr_assert_eq(pk_tally_init(&tally, &shape, &error), PK_OK);
    for (size_t i = 0; i < LIVES; i++) {
        struct pk_person person;
        invent_open(&person);
        pk_tally_add(&tally, &person, &life);
        if (person.values[1] != 2 && life.start_tick > 0 && life.start_tick >= step && life.start_tick < 3 * step) {
            count_by_age(&shape, &person, &c);
            n++;
        }
    }
    cr_assert(n > LIVES / 50 && n < LIVES / 3, "%ld of %d", (long)n, LIVES);
    expect_by_age(&tally, &c);
    pk_tally_free(&tally);
}
