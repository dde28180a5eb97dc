/* Tallies from the log of a block against pk_tally_add of the same lives put together: every array is equal. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "lived.h"
#include "polku/tally.h"
#include "support.h"

enum { PERSONS = 6000, BLOCK = 1500, MONTHS = 120 };
#define MODEL                                                                                                          \
    "polku: 1\nmodel: m\nstates: {a: {}, b: {}, c: {}, dead: {absorbing: true}}\n"                                     \
    "attributes: {sex: {values: [f, m]}, kind: {values: [x, y, z]}}\nparameters:\n" PARAMETER("r", "1.3", "per_year")  \
        PARAMETER("q", "0.7", "per_year") PARAMETER("two", "2", "ratio") PARAMETER("dying", "0.02", "per_year")        \
            PARAMETER("quarter", "0.25", "years")                                                                      \
                TABLE("by_age", "age", "[30, 50]", "[0.5, 0.9, 0.4]",                                                  \
                      "per_year") "transitions:\n"                                                                     \
                                  "  ab: {from: a, to: b, hazard: by_age, ratios: {sex: {m: two}}}\n  ac: {from: a, "  \
                                  "to: c, hazard: q}\n"                                                                \
                                  "  ba: {from: b, to: a, hazard: r}\n  cb: {from: c, to: b, hazard: r, ratios: "      \
                                  "{kind: {z: two}}}\n"                                                                \
                                  "  on: {from: c, to: a, at: {clock: time_in_state, value: quarter}}\n"               \
                                  "  die: {from: any, to: dead, hazard: dying}\n"

static struct support_world world;
static uint16_t arc_from[PK_MAX_ARCS], arc_to[PK_MAX_ARCS];

static void open_world(void)
{
    const struct support_scenario scenario = {
        .seed = 7,
        .persons = PERSONS,
        .horizon_months = MONTHS,
        .population = "  state: {a: 0.6, c: 0.3, dead: 0.1}\n  age: {uniform: [20, 60]}\n  attributes: {sex: {f: 0.4, "
                      "m: 0.6}, kind: {x: 0.2, y: 0.5, z: 0.3}}\n"};
    support_open(&world, MODEL, &scenario);
    for (size_t a = 0; a < world.plan.n_arcs; a++) {
        arc_from[a] = (uint16_t)world.plan.arcs[a].i_from;
        arc_to[a] = (uint16_t)world.plan.arcs[a].i_to;
    }
}

static void close_world(void)
{
    support_close(&world);
}

TestSuite(tally_log, .init = open_world, .fini = close_world);

static struct pk_tally_shape shape_of(size_t step_months, bool groups, size_t n_sets)
{
    struct pk_tally_shape shape = {.n_groups = groups ? 6 : 1,
                                   .n_states = world.plan.n_states,
                                   .n_arcs = world.plan.n_arcs,
                                   .n_steps = MONTHS / step_months,
                                   .n_entry_sets = n_sets,
                                   .step_ticks = (int64_t)step_months << 20,
                                   .strides = {groups ? 3 : 0, groups ? 1 : 0},
                                   .arc_from = arc_from,
                                   .arc_to = arc_to};
    shape.ages_at_entry = n_sets > 5;   /* with and without */
    for (size_t s = 0; s < n_sets; s++) /* all sets of the four states, the empty one and the full one too */
        shape.entry_sets[s] = s % 16;
    return shape;
}

static void expect_equal(struct pk_tally *got, struct pk_tally *expected, const char *what)
{
    const struct pk_tally_shape *shape = got->shape;
    const size_t n_cells = shape->n_groups * pk_tally_rows(shape) * shape->n_steps,
                 n_entries = shape->n_entry_sets * shape->n_groups * shape->n_steps;
    pk_tally_flush(got);
    pk_tally_flush(expected);
    cr_assert_gt(expected->n_events, 5 * PERSONS);
    cr_assert(got->n_persons == expected->n_persons && got->n_events == expected->n_events, "%s", what);
    cr_assert_arr_eq(got->counts, expected->counts, n_cells * sizeof *got->counts, "%s", what);
    cr_assert_arr_eq(got->remainders, expected->remainders, n_cells * sizeof *got->remainders, "%s", what);
    cr_assert_arr_eq(got->starts, expected->starts, shape->n_groups * shape->n_states * sizeof *got->starts, "%s",
                     what);
    if (n_entries > 0)
        cr_assert_arr_eq(got->entries, expected->entries, n_entries * sizeof *got->entries, "%s", what);
    cr_assert_eq(got->entry_ages != NULL, shape->ages_at_entry);
    if (shape->ages_at_entry)
        cr_assert_arr_eq(got->entry_ages, expected->entry_ages, n_entries * sizeof *got->entry_ages, "%s", what);
}

/* The log in parts of 1, 2, ... events, as long as there are more, up to part. */
static void tally_block(struct pk_tally *tally, struct pk_tally_block *block, const struct lived *lived, size_t part)
{
    pk_tally_enter(tally, &lived->persons, block);
    for (size_t from = 0, n = 1; from < lived->n_log; from += n, n = n < part ? n + 1 : 1) {
        n = n < lived->n_log - from ? n : lived->n_log - from;
        pk_tally_log(tally, block, lived->log + from, n, lived->vectors);
    }
    pk_tally_log(tally, block, lived->log, 0, lived->vectors);
}

static void add_block(struct pk_tally *tally, const struct lived *lived)
{
    static struct pk_life life;
    for (size_t i = 0; i < lived->persons.n; i++) {
        struct pk_person person;
        pk_persons_person(&lived->persons, i, &person);
        lived_life(lived, i, &life);
        pk_tally_add(tally, &person, &life);
    }
}

/* Everybody, in blocks, in parts of the log as long as those of lanes and longer. */
static void hold(size_t step_months, bool groups, size_t n_sets)
{
    static const size_t parts[] = {256, 777};
    const struct pk_tally_shape shape = shape_of(step_months, groups, n_sets);
    cr_assert(pk_tally_takes_log(&shape));
    for (enum pk_vectors v = PK_VECTORS_PLAIN; v < PK_VECTORS_COUNT; v++) {
        struct pk_tally expected, got[2];
        struct pk_tally_block block;
        struct pk_error error;
        struct lived lived;
        char what[64];
        if (!pk_vectors_available(v))
            continue;
        snprintf(what, sizeof what, "%s, steps of %zu", pk_vectors_names[v], step_months);
        lived_open(&lived, &world.plan, BLOCK, v);
        cr_assert_eq(pk_tally_init(&expected, &shape, &error), PK_OK);
        cr_assert_eq(pk_tally_block_init(&block, &shape, BLOCK, &error), PK_OK);
        for (size_t k = 0; k < 2; k++)
            cr_assert_eq(pk_tally_init(&got[k], &shape, &error), PK_OK);
        for (uint64_t id = 0; id < PERSONS; id += BLOCK) {
            uint64_t ids[BLOCK];
            size_t failed;
            for (uint64_t i = 0; i < BLOCK; i++)
                ids[i] = id + i;
            cr_assert(lived_block(&lived, 0, ids, BLOCK, &failed));
            add_block(&expected, &lived);
            for (size_t k = 0; k < 2; k++)
                tally_block(&got[k], &block, &lived, parts[k]);
        }
        for (size_t k = 0; k < 2; k++) {
            expect_equal(&got[k], &expected, what);
            pk_tally_free(&got[k]);
        }
        pk_tally_free(&expected);
        pk_tally_block_free(&block);
        pk_tally_block_free(&block);
        lived_close(&lived);
    }
}

Test(tally_log, is_what_adding_lives_gives_by_group_and_month)
{
    hold(1, true, 0);
}

Test(tally_log, is_what_adding_lives_gives_by_group_quarter_and_first_entries)
{
    hold(3, true, 16);
}

Test(tally_log, is_what_adding_lives_gives_by_year_and_first_entries)
{
    hold(12, false, 5);
}

Test(tally_log, is_what_adding_lives_gives_with_as_many_entry_sets_as_there_may_be)
{
    hold(1, false, PK_MAX_ENTRY_SETS);
}

/* The longest step: a cell holds 2^44 ticks, which are 32,768 events at its beginning. */
Test(tally_log, neither_counts_nor_ticks_overflow_a_cell)
{
    enum { PARTS = 400 };
    struct pk_tally_shape shape = shape_of(1, false, 1);
    shape.n_steps = 1;
    shape.step_ticks = INT64_C(512) << 20;
    for (enum pk_vectors v = PK_VECTORS_PLAIN; v < PK_VECTORS_COUNT; v++) {
        uint64_t log[256 + 32], id = 0;
        struct pk_tally tally;
        struct pk_tally_block block;
        struct pk_persons persons;
        struct pk_error error;
        if (!pk_vectors_available(v))
            continue;
        for (size_t i = 0; i < 256 + 32; i++)
            log[i] = UINT64_C(1) << (PK_LANES_SLOT_BITS + PK_LANES_ARC_BITS) | UINT64_C(2) << PK_LANES_SLOT_BITS;
        cr_assert_eq(pk_tally_init(&tally, &shape, &error), PK_OK);
        cr_assert_eq(pk_tally_block_init(&block, &shape, 1, &error), PK_OK);
        cr_assert_eq(pk_persons_init(&persons, &world.plan, 1, &error), PK_OK);
        persons.ids[0] = id;
        pk_persons_make(&persons, 0, 1, v);
        pk_tally_enter(&tally, &persons, &block);
        for (size_t k = 0; k < PARTS; k++)
            pk_tally_log(&tally, &block, log, 256, v);
        pk_tally_flush(&tally);
        cr_expect_eq(tally.counts[2], PARTS * 256);
        cr_expect_eq(tally.remainders[2], PARTS * 256 * (shape.step_ticks - 1));
        cr_expect_eq(tally.n_events, PARTS * 256);
        pk_tally_free(&tally);
        pk_tally_block_free(&block);
        pk_persons_free(&persons);
    }
}
