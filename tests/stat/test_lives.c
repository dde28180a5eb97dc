/* Life by life: what one person's life in an arm has in common with the same person's life in another. */
#include <criterion/criterion.h>
#include <string.h>

#include "support.h"

enum { LIVES = 20000 };
static struct pk_life lives[4], other;

static void run_life(const struct pk_plan *plan, uint64_t id, const struct pk_treatment *treatment,
                     struct pk_life *life)
{
    struct pk_person person;
    struct pk_error error;
    pk_person_make(plan, 1, id, &person);
    cr_assert_eq(pk_life_run(plan, &person, treatment, life, &error), PK_OK, "%s", error.message);
}

/* The tick of the first entry into a state; INT64_MAX: never. */
static int64_t first_entry(const struct pk_plan *plan, const struct pk_life *life, size_t i_state)
{
    for (size_t i = 0; i < life->n_events; i++)
        if (plan->arcs[life->events[i].arc].i_to == i_state)
            return life->events[i].tick;
    return INT64_MAX;
}

static void expect_same(const struct pk_life *a, const struct pk_life *b, uint64_t id)
{
    cr_assert_eq(a->n_events, b->n_events, "person %lu", (unsigned long)id);
    for (size_t i = 0; i < a->n_events; i++)
        cr_assert(a->events[i].tick == b->events[i].tick && a->events[i].arc == b->events[i].arc,
                  "person %lu, event %zu", (unsigned long)id, i);
}

static void nested(const char *config, const char *window)
{
    static const char *const ratios[4] = {"1", "1.3", "2.26", "5.29"};
    struct support_world worlds[4];
    const struct pk_treatment treatment = {.n = 1, .items = (struct pk_enrolled[]){{.i_service = 0, .from = 0}}};
    size_t n_earlier[4] = {0};
    for (size_t i = 0; i < 4; i++) {
        const struct pk_set sets[2] = {{"coaching_ratio", ratios[i]}, {"coaching_window", window}};
        support_open_file(&worlds[i], config, sets, 2);
    }
    size_t employed = pk_model_state(&worlds[0].model, "employed");
    for (uint64_t id = 0; id < LIVES; id++) {
        for (size_t i = 0; i < 4; i++)
            run_life(&worlds[i].plan, id, &treatment, &lives[i]);
        run_life(&worlds[0].plan, id, NULL, &other);
        expect_same(&lives[0], &other, id); /* a ratio of 1 is no service */
        for (size_t i = 1; i < 4; i++) {
            int64_t lower = first_entry(&worlds[0].plan, &lives[i - 1], employed);
            int64_t higher = first_entry(&worlds[0].plan, &lives[i], employed);
            cr_assert(higher <= lower, "person %lu: first job under %s after that under %s", (unsigned long)id,
                      ratios[i], ratios[i - 1]);
            n_earlier[i] += higher < lower;
        }
    }
    for (size_t i = 1; i < 4; i++)
        cr_expect(n_earlier[i] > LIVES / 100, "only %zu lives moved by %s", n_earlier[i], ratios[i]);
    for (size_t i = 0; i < 4; i++)
        support_close(&worlds[i]);
}

Test(lives, first_job_is_never_later_under_a_higher_ratio)
{
    nested("ref5-coupling.yaml", "1.5");
    nested("ref5-coupling.yaml", "life");
}

/* A replacement above the base for everybody: 0.15 and 0.32 against at most 0.08 x 1.5 a year. */
Test(lives, first_job_is_never_later_in_ips_than_in_typ_than_without)
{
    struct support_world world;
    support_open_file(&world, "ips-vs-typ.yaml", NULL, 0);
    size_t employed = pk_model_state(&world.model, "employed"), moved = 0;
    const struct pk_treatment typ = {
        .n = 1, .items = (struct pk_enrolled[]){{.i_service = pk_model_service(&world.model, "typ"), .from = 0}}};
    const struct pk_treatment ips = {
        .n = 1, .items = (struct pk_enrolled[]){{.i_service = pk_model_service(&world.model, "ips"), .from = 0}}};
    for (uint64_t id = 0; id < LIVES; id++) {
        run_life(&world.plan, id, NULL, &lives[0]);
        run_life(&world.plan, id, &typ, &lives[1]);
        run_life(&world.plan, id, &ips, &lives[2]);
        int64_t none = first_entry(&world.plan, &lives[0], employed),
                by_typ = first_entry(&world.plan, &lives[1], employed),
                by_ips = first_entry(&world.plan, &lives[2], employed);
        cr_assert(by_ips <= by_typ && by_typ <= none, "person %lu", (unsigned long)id);
        moved += by_ips < by_typ;
    }
    cr_expect_gt(moved, LIVES / 10);
    support_close(&world);
}

Test(lives, life_before_the_enrolment_is_the_base_life)
{
    struct support_world world;
    size_t n_changed = 0;
    support_open_file(&world, "ips-vs-typ.yaml", NULL, 0);
    const struct pk_treatment late = {
        .n = 1, .items = (struct pk_enrolled[]){{.i_service = pk_model_service(&world.model, "ips"), .from = 30}}};
    const int64_t enrolled = (int64_t)(30 * PK_TICKS_PER_MONTH);
    for (uint64_t id = 0; id < LIVES; id++) {
        run_life(&world.plan, id, NULL, &lives[0]);
        run_life(&world.plan, id, &late, &lives[1]);
        for (size_t i = 0; i < lives[0].n_events || i < lives[1].n_events; i++) {
            bool before = (i < lives[0].n_events && lives[0].events[i].tick <= enrolled) ||
                          (i < lives[1].n_events && lives[1].events[i].tick <= enrolled);
            if (!before)
                break;
            cr_assert(i < lives[0].n_events && i < lives[1].n_events, "person %lu", (unsigned long)id);
            cr_assert(lives[0].events[i].tick == lives[1].events[i].tick &&
                          lives[0].events[i].arc == lives[1].events[i].arc,
                      "person %lu", (unsigned long)id);
        }
        bool same = lives[0].n_events == lives[1].n_events;
        for (size_t i = 0; same && i < lives[0].n_events; i++)
            same =
                lives[0].events[i].tick == lives[1].events[i].tick && lives[0].events[i].arc == lives[1].events[i].arc;
        n_changed += !same;
    }
    cr_expect(n_changed > LIVES / 20 && n_changed < LIVES / 2, "%zu changed", n_changed);
    support_close(&world);
}

/* Deaths that every state shares are drawn once a person: whoever dies by them dies at the same tick in every arm. Here
 * no state has an excess (ref5). */
Test(lives, everybody_dies_at_the_same_tick_in_every_arm)
{
    struct support_world world;
    const struct pk_set life = {"coaching_window", "life"};
    const struct pk_treatment treatment = {.n = 1, .items = (struct pk_enrolled[]){{.i_service = 0, .from = 0}}};
    size_t n_dead = 0;
    support_open_file(&world, "ref5-coupling.yaml", &life, 1);
    size_t dead = pk_model_state(&world.model, "dead");
    for (uint64_t id = 0; id < LIVES; id++) {
        run_life(&world.plan, id, NULL, &lives[0]);
        run_life(&world.plan, id, &treatment, &lives[1]);
        int64_t at = first_entry(&world.plan, &lives[0], dead);
        cr_assert_eq(at, first_entry(&world.plan, &lives[1], dead), "person %lu", (unsigned long)id);
        n_dead += at != INT64_MAX;
    }
    cr_expect_gt(n_dead, LIVES / 10);
    support_close(&world);
}

Test(lives, removing_people_changes_nobody_elses_life)
{
    struct support_world small, large;
    const struct pk_set thousand = {"jobseekers", "1000"}, more = {"jobseekers", "2000"};
    support_open_file(&small, "ips-vs-typ.yaml", &thousand, 1);
    support_open_file(&large, "ips-vs-typ.yaml", &more, 1);
    for (uint64_t id = 0; id < 1000; id++) {
        struct pk_person a, b;
        memset(&a, 0, sizeof a);
        memset(&b, 0, sizeof b);
        pk_person_make(&small.plan, 1, id, &a);
        pk_person_make(&large.plan, 1, id, &b);
        cr_assert(a.age == b.age && a.elapsed == b.elapsed && a.state == b.state && a.stratum == b.stratum);
        cr_assert_arr_eq(a.values, b.values, sizeof a.values);
        run_life(&small.plan, id, NULL, &lives[0]);
        run_life(&large.plan, id, NULL, &lives[1]);
        expect_same(&lives[0], &lives[1], id);
    }
    support_close(&small);
    support_close(&large);
}
