/* Worlds made of texts, whose people's lives by lanes are held against pk_life_run: what test_lanes*.c share. */
#ifndef PK_TESTS_LANES_WORLD_H
#define PK_TESTS_LANES_WORLD_H

#include <criterion/criterion.h>

#include "lived.h"
#include "support.h"

enum { PERSONS = 20000, BLOCK = 4096 };
#define HEAD "polku: 1\nmodel: m\n"

static struct support_world world;

static void close_world(void)
{
    support_close(&world);
}

static void open_world(const char *model, int months, const char *population)
{
    const struct support_scenario scenario = {
        .seed = 60493, .persons = PERSONS, .horizon_months = months, .population = population};
    support_open(&world, model, &scenario);
}

/* Holds the open world's people; there must be as many events as make the comparison worth it. */
static void hold(const char *what, size_t least_events)
{
    const struct lived_count count = lived_hold(&world.plan, what, PERSONS, BLOCK);
    cr_expect_eq(count.n_lives, PERSONS);
    cr_expect_geq(count.n_events, least_events, "%s: %zu events", what, count.n_events);
    cr_expect_eq(count.n_refused, 0);
}

#endif
