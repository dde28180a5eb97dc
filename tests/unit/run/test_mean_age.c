/* Ages at first entries against each life: of people who flow in, of cohorts, of people with weights. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "world.h"

#define TICKS_PER_YEAR (12 * PK_TICKS_PER_MONTH)
enum { WORK = 1, ILL = 2, ARMS = 2, OUTCOMES = 4 };
static const char *const names[OUTCOMES] = {"work", "ill", "women", "cohort"};
static const char more[] =
    "outcomes:\n"
    "  work: {measure: mean_age_at_entry, states: [work]}\n"
    "  ill: {measure: mean_age_at_entry, states: [work, ill], from: {years: 2}, to: {months: 67}}\n"
    "  women: {measure: mean_age_at_entry, states: [ill], at: {years: 5}, among: {sex: woman}}\n"
    "  cohort: {measure: mean_age_at_entry, states: [work], entrants: {from: {years: 1}, to: {years: 2}}}\n";

struct ages {
    int64_t ticks[ARMS][OUTCOMES], weight[ARMS][OUTCOMES];
};

static void add_entry(const struct world_life *life, uint64_t set, int64_t from, int64_t to, size_t i,
                      struct ages *ages)
{
    const struct pk_life *l = life->life;
    size_t k = 0;
    while (k < l->n_events && !(set >> life->plan->arcs[l->events[k].arc].i_to & 1))
        k++;
    if (k == l->n_events || l->events[k].tick <= from << 20 || l->events[k].tick > to << 20)
        return;
    const int64_t age = (int64_t)(life->person->age * PK_TICKS_PER_MONTH) + l->events[k].tick;
    ages->ticks[life->i_arm][i] += life->person->weight * age;
    ages->weight[life->i_arm][i] += life->person->weight;
}

static void count(const struct world_life *life, void *data)
{
    const int64_t entered = (int64_t)(life->person->entry * PK_TICKS_PER_MONTH);
    add_entry(life, 1u << WORK, 0, 96, 0, data);
    add_entry(life, 1u << WORK | 1u << ILL, 24, 67, 1, data);
    if (life->person->values[0] == 0)
        add_entry(life, 1u << ILL, 0, 60, 2, data);
    if (entered >= 12 << 20 && entered < 24 << 20)
        add_entry(life, 1u << WORK, 0, 96, 3, data);
}

/* The world with other outcomes; weighted: imported people with weights, so that nobody is an entrant. */
static void hold(const char *population, struct pk_attachments *files, size_t n_outcomes)
{
    static char scenario[8192];
    static struct ages ages;
    struct support_world world;
    struct pk_run run;
    struct pk_problems problems;
    struct pk_error error;
    const char *from = strstr(world_scenario, "population:"), *after = strstr(world_scenario, "arms:"),
               *outcomes = strstr(world_scenario, "outcomes:"), *end = strstr(more, "  cohort:");
    snprintf(scenario, sizeof scenario, "%.*s%s%.*s%.*s", (int)(from - world_scenario), world_scenario,
             population != NULL ? population : "", (int)(outcomes - (population != NULL ? after : from)),
             population != NULL ? after : from, (int)(n_outcomes == OUTCOMES ? strlen(more) : (size_t)(end - more)),
             more);
    pk_problems_init(&problems);
    pk_plan_init(&world.plan);
    cr_assert_eq(pk_load_texts("s.yaml", scenario, strlen(scenario), "m.yaml", world_model, strlen(world_model), NULL,
                               files, &world.scenario, &world.model, &problems),
                 PK_OK, "%s", problems.n_kept > 0 ? problems.items[0].message : "");
    pk_problems_free(&problems);
    cr_assert_eq(pk_variants_values(&world.values, &world.model, &world.scenario, NULL, 0, NULL, 0, &error), PK_OK);
    cr_assert_eq(pk_plan_compile(&world.plan, &world.model, &world.scenario, &world.values, &error), PK_OK);
    support_run(&world, &(struct pk_run_options){.n_threads = 1}, &run);
    memset(&ages, 0, sizeof ages);
    world_each(&world, 3, count, &ages);
    const double one = (double)(UINT64_C(1) << world.plan.weight_bits);
    for (size_t a = 0; a < ARMS; a++)
        for (size_t i = 0; i < n_outcomes; i++) {
            double entries, years = world_total(&run, 0, a, names[i], &entries);
            const double expected = (double)ages.ticks[a][i] / TICKS_PER_YEAR / one;
            cr_expect_gt(ages.weight[a][i], 20 * one, "%s in arm %zu", names[i], a);
            cr_expect_eq(entries, (double)ages.weight[a][i] / one, "%s in arm %zu", names[i], a);
            cr_expect_float_eq(years, expected, 1e-12 * expected, "%s in arm %zu: %.15g, %.15g", names[i], a, years,
                               expected);
            cr_expect(years / entries > 18 && years / entries < 68);
        }
    cr_expect_neq(ages.ticks[0][1], ages.ticks[1][1], "the service prevents illness");
    pk_run_free(&run);
    support_close(&world);
}

Test(mean_age, of_people_who_flow_in_and_of_a_cohort_is_that_of_each_life)
{
    hold(NULL, NULL, OUTCOMES);
}

Test(mean_age, of_people_with_weights_is_that_of_each_life)
{
    static char people[65536] = "state,sex,region,age,time_in_state,weight\n";
    struct pk_attachments files = {.n = 1};
    for (size_t i = 0; i < 40; i++) /* 40 times the same six */
        strcat(people, "idle,woman,north,24.5,0,0.75\nwork,man,south,29,2.5,12\nwork,woman,north,49.875,0.5,1\n"
                       "idle,man,north,35,1,0.25\nidle,man,south,58,4,3.5\nwork,woman,south,22,0,1000\n");
    files.items[0] = (struct pk_attachment){.name = "people.csv", .text = people, .size = strlen(people)};
    hold("population: {people: people.csv}\n", &files, OUTCOMES - 1);
}
