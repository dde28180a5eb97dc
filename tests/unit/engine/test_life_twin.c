/* Lives against slow ones (slow_life.h), event by event: the same arcs, and ticks that differ by at most one. */
#include <criterion/criterion.h>
#include <gsl/gsl_errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "polku/lottery.h"
#include "slow_life.h"
#include "support.h"

struct count {
    size_t n_lives, n_events, n_blocked, n_off; /* n_off: ticks that differ by one */
};

static struct pk_life fast, slow;

/* Ends the test with both lives told. */
static void tell(const struct pk_plan *plan, const struct pk_person *person, const char *arm, const char *what)
{
    const struct pk_life *lives[2] = {&fast, &slow};
    fprintf(stderr, "person %lu, stratum %u, entry %.7f, age %.7f, elapsed %.7f, cured %lx, frailties",
            (unsigned long)person->id, person->stratum, person->entry, person->age, person->elapsed,
            (unsigned long)person->cured);
    for (size_t i = 0; i < plan->n_frailties; i++)
        fprintf(stderr, " %.17g", person->frailties[i]);
    for (size_t k = 0; k < 2; k++) {
        fprintf(stderr, "\n%s: starts in %d at %ld;", k == 0 ? "got" : "expected", lives[k]->start_state,
                (long)lives[k]->start_tick);
        for (size_t i = 0; i < lives[k]->n_events; i++)
            fprintf(stderr, " %d at %ld (%d>%d)", lives[k]->events[i].arc, (long)lives[k]->events[i].tick,
                    (int)plan->arcs[lives[k]->events[i].arc].i_from, (int)plan->arcs[lives[k]->events[i].arc].i_to);
        for (size_t i = 0; i < lives[k]->n_blocked; i++)
            fprintf(stderr, "; %d blocked at %ld by %d", lives[k]->blocked[i].arc, (long)lives[k]->blocked[i].tick,
                    lives[k]->blocked[i].i_prevention);
    }
    fprintf(stderr, "\n");
    cr_assert_fail("%s, person %lu: %s", arm, (unsigned long)person->id, what);
}

/* Holds one life against the slow one. */
static void hold(const struct pk_plan *plan, const struct pk_person *person, const struct pk_treatment *treatment,
                 const char *arm, struct count *count)
{
    struct pk_error error;
    cr_assert_eq(pk_life_run(plan, person, treatment, &fast, &error), PK_OK);
    slow_life_run(plan, person, treatment, &fast, &slow);
    if (fast.start_state != slow.start_state || fast.start_tick != slow.start_tick)
        tell(plan, person, arm, "another start");
    for (size_t i = 0; i < fast.n_events && i < slow.n_events; i++) {
        if (fast.events[i].arc != slow.events[i].arc || labs((long)(fast.events[i].tick - slow.events[i].tick)) > 1)
            tell(plan, person, arm, "another event");
        count->n_off += fast.events[i].tick != slow.events[i].tick;
    }
    if (fast.n_events != slow.n_events)
        tell(plan, person, arm, "another number of events");
    for (size_t i = 0; i < fast.n_blocked && i < slow.n_blocked; i++) {
        if (fast.blocked[i].arc != slow.blocked[i].arc ||
            fast.blocked[i].i_prevention != slow.blocked[i].i_prevention ||
            labs((long)(fast.blocked[i].tick - slow.blocked[i].tick)) > 1)
            tell(plan, person, arm, "another blocked event");
        count->n_off += fast.blocked[i].tick != slow.blocked[i].tick;
    }
    if (fast.n_blocked != slow.n_blocked)
        tell(plan, person, arm, "another number of blocked events");
    count->n_lives++;
    count->n_events += fast.n_events;
    count->n_blocked += fast.n_blocked;
}

/* Ticks that differ are those of times next to the middle between two: of a million events, at most most_off. */
static void expect(const struct count *count, const char *what, size_t least_events, size_t most_off)
{
    fprintf(stderr, "%s: %zu lives, %zu events, %zu blocked, %zu ticks differ by one\n", what, count->n_lives,
            count->n_events, count->n_blocked, count->n_off);
    cr_expect_gt(count->n_events, least_events);
    cr_expect(count->n_off * 1000000 <= count->n_events * most_off, "%s: %zu of %zu ticks differ", what, count->n_off,
              count->n_events);
}

/* ---- everything -------------------------------------------------------------------------------------------------- */

static void open_everything(struct support_world *world)
{
    struct pk_problems problems;
    struct pk_error error;
    gsl_set_error_handler_off();
    pk_problems_init(&problems);
    pk_plan_init(&world->plan);
    cr_assert_eq(pk_load_scenario(POLKU_SOURCE_DIR "/tests/data/good/everything.yaml", NULL, &world->scenario,
                                  &world->model, &problems),
                 PK_OK);
    pk_problems_free(&problems);
    cr_assert_eq(pk_variants_values(&world->values, &world->model, &world->scenario, NULL, 0, NULL, 0, &error), PK_OK);
    cr_assert_eq(pk_plan_compile(&world->plan, &world->model, &world->scenario, &world->values, &error), PK_OK);
}

/* Arms first, first + 3, ...: criterion runs tests side by side. */
static void hold_everything(size_t first)
{
    /* the engine finds the root of several parametric hazards to an eighth of a tick */
    enum { PERSONS = 10000, MOST_OFF = 10 };
    struct support_world world;
    struct pk_crowd crowd;
    open_everything(&world);
    const struct pk_plan *plan = &world.plan;
    pk_crowd_make(plan, 0, &crowd);
    cr_assert_geq(crowd.n_persons, PERSONS);
    cr_assert_gt(crowd.n_persons, crowd.first[0]);
    for (size_t i_arm = first; i_arm < plan->n_arms; i_arm += 3) {
        const char *name = world.scenario.arms[i_arm].name;
        struct count count = {0};
        size_t n_treated = 0;
        for (uint64_t i = 0; i < PERSONS; i++) {
            struct pk_person person;
            struct pk_enrolled items[PK_MAX_ENROLMENTS];
            struct pk_treatment treatment;
            /* evenly, so that all years' inflows are there */
            pk_person_make(plan, 0, pk_crowd_id(&crowd, i * crowd.n_persons / PERSONS), &person);
            uint64_t lotteries = pk_lottery_shares(plan, &person);
            bool treated = pk_lottery_treatment(plan, i_arm, lotteries, &person, NULL, items, &treatment);
            hold(plan, &person, treated ? &treatment : NULL, name, &count);
            n_treated += treated;
        }
        expect(&count, name, 2 * PERSONS, MOST_OFF);
        cr_expect(n_treated >= PERSONS / 4 || plan->arms[i_arm].i_cohort == SIZE_MAX, "%zu treated", n_treated);
    }
    support_close(&world);
}

Test(life_twin, lives_with_everything_are_the_slow_ones_0)
{
    hold_everything(0);
}

Test(life_twin, lives_with_everything_are_the_slow_ones_1)
{
    hold_everything(1);
}

Test(life_twin, lives_with_everything_are_the_slow_ones_2)
{
    hold_everything(2);
}

/* ---- the models of the project ----------------------------------------------------------------------------------- */

/* Everybody untreated and in each service, enrolled at 0 and after 13.7 months. */
static void hold_all(const char *config, const struct pk_set *sets, size_t n_sets, uint64_t n_persons,
                     size_t least_events)
{
    struct support_world world;
    struct count count = {0};
    support_open_file(&world, config, sets, n_sets);
    for (uint64_t id = 0; id < n_persons; id++) {
        struct pk_person person;
        pk_person_make(&world.plan, 2, id, &person);
        hold(&world.plan, &person, NULL, "untreated", &count);
        for (size_t s = 0; s < world.plan.n_services; s++)
            for (int late = 0; late < 2 && world.plan.services[s].enters == NULL; late++) { /* moves: test_places.c */
                const struct pk_treatment treatment = {
                    .n = 1, .items = (struct pk_enrolled[]){{.i_service = s, .from = late ? pk_tick_round(13.7) : 0}}};
                hold(&world.plan, &person, &treatment, world.model.services[s].name, &count);
            }
    }
    expect(&count, config, least_events, 10);
    support_close(&world);
}

Test(life_twin, ref5_lives_are_the_slow_ones)
{
    hold_all("ref5.yaml", NULL, 0, 3000, 50000);
}

Test(life_twin, ref5_lives_with_a_lower_hazard_for_life_are_the_slow_ones)
{
    const struct pk_set sets[2] = {{"coaching_ratio", "0.35"}, {"coaching_window", "life"}};
    hold_all("ref5-coupling.yaml", sets, 2, 2000, 30000);
}

Test(life_twin, work_ability_lives_are_the_slow_ones_untreated_and_in_each_service)
{
    hold_all("ips-vs-typ.yaml", NULL, 0, 3000, 20000);
}

Test(life_twin, work_ability_lives_are_the_slow_ones_where_services_help_to_the_first_job_only)
{
    const struct pk_set sets[3] = {{"first_job_only", "1"}, {"effect_window", "for_life"}, {"job_loss_scale", "2"}};
    hold_all("ips-vs-typ.yaml", sets, 3, 1500, 10000);
}

/* Base hazards above the services' (0.5 a year x 1.5 in the first): they are lowered in some segments, raised in
 * others. */
Test(life_twin, work_ability_lives_are_the_slow_ones_where_services_lower_hazards)
{
    const struct pk_set sets[2] = {{"job_finding_none", "0.2"}, {"ips_job_finding", "0.25"}};
    hold_all("ips-vs-typ.yaml", sets, 2, 1500, 10000);
}
