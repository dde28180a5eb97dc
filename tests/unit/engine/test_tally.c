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

/* A random life; times often on the edge of a step, on it and next to it. */
static void invent(struct pk_person *person)
{
    memset(person, 0, sizeof *person);
    person->state = (uint16_t)below(STATES);
    person->values[1] = (uint8_t)below(3);
    person->values[4] = (uint8_t)below(2);
    person->values[0] = (uint8_t)below(200); /* not told apart */
    life.n_events = 0;
    size_t state = person->state;
    int64_t tick = 0;
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

struct counted {
    int64_t occupancy[GROUPS][STATES][STEPS + 1], time[GROUPS][STATES][STEPS], events[GROUPS][ARCS][STEPS],
        entries[SETS][GROUPS][STEPS];
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
                if (found && life.events[i].tick > j * step && life.events[i].tick <= (j + 1) * step)
                    c->entries[s][g][j]++;
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
        for (size_t s = 0; s < SETS; s++)
            cr_assert_arr_eq(tally->entries + (s * GROUPS + g) * STEPS, c->entries[s][g], STEPS * sizeof(int64_t));
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
    pile_up(INT64_C(512) << 20, 1, 100003); /* the longest step: 2^44 ticks are 32,768 events */
    pile_up(INT64_C(480) << 20, 1, 100003);
    pile_up(INT64_C(1) << 20, INT64_C(1) << 20, 1 << 20); /* no ticks left at all */
}

/* Lives of the greatest length, all within one step of the greatest length. */
Test(tally, longest_lives_do_not_overflow_a_cell)
{
    const int64_t longest = INT64_C(512) << 20;
    struct pk_tally_shape shape = shape_of(1, 2, longest);
    struct pk_tally tally;
    struct pk_error error;
    struct pk_person person = {.state = 0};
    int64_t occupancy[3], time[2];
    cr_assert_eq(pk_tally_init(&tally, &shape, &error), PK_OK);
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
    struct pk_tally_shape shape = shape_of(1, 2, INT64_C(513) << 20);
    cr_expect_eq(pk_tally_init(&tally, &shape, &error), PK_BAD_INPUT);
    cr_expect(strstr(error.message, "512") != NULL, "%s", error.message);
    shape = shape_of(1, UINT64_C(1) << 27, step);
    cr_expect_eq(pk_tally_init(&tally, &shape, &error), PK_BAD_INPUT);
    cr_expect(strstr(error.message, "too large") != NULL, "%s", error.message);
}
