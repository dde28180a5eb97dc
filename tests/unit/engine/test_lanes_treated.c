/* Lives in arms by lanes against pk_life_run: begun in the reference, taken up by lanes once services are over. */
#include <criterion/criterion.h>
#include <string.h>

#include "lived.h"
#include "polku/memory.h"
#include "support.h"

enum { PERSONS = 6000, BLOCK = 500 };
#define HEAD "polku: 1\nmodel: m\n"

static struct support_world world;

static void close_world(void)
{
    support_close(&world);
}

TestSuite(lanes_treated, .fini = close_world);

/* The events of a block as they come, whoever's they are. */
struct gathered {
    uint64_t *log;
    size_t n, room;
};

static void gather(const uint64_t *log, size_t n, void *data)
{
    struct gathered *gathered = data;
    if (gathered->n + n > gathered->room) {
        gathered->room = 2 * (gathered->n + n);
        gathered->log = pk_realloc(gathered->log, gathered->room, sizeof *gathered->log);
        cr_assert_not_null(gathered->log);
    }
    if (n > 0)
        memcpy(gathered->log + gathered->n, log, n * sizeof *log);
    gathered->n += n;
}

/* Enrolments that differ from person to person: now one service, now two, at once or later, or none in force. */
static struct pk_treatment treatment_of(const struct pk_plan *plan, uint64_t id, double entry,
                                        struct pk_enrolled items[2])
{
    struct pk_treatment treatment = {.n = 1 + id % 3 / 2, .items = items};
    for (size_t i = 0; i < treatment.n; i++) {
        items[i].i_service = (id + i) % plan->n_services;
        items[i].from = entry + (double)(id % 5 * 7 + 11 * i) - (id % 11 == 0 ? 600 : 0); /* long over */
    }
    return treatment;
}

/* Which of the block's lives differs from the reference's; n: none. */
static size_t other_life(const struct pk_plan *plan, const struct pk_persons *persons, const struct pk_treated *treated,
                         size_t n, const struct gathered *gathered, size_t *n_events)
{
    static struct pk_life expected;
    struct pk_error error;
    for (size_t i = 0; i < n; i++) {
        struct pk_person person;
        size_t k = 0;
        pk_persons_person(persons, treated[i].i_person, &person);
        cr_assert_eq(pk_life_run(plan, &person, &treated[i].treatment, &expected, &error), PK_OK);
        for (size_t l = 0; l < gathered->n; l++) {
            if (pk_logged_slot(gathered->log[l]) != i)
                continue;
            if (k == expected.n_events || pk_logged_tick(gathered->log[l]) != expected.events[k].tick ||
                pk_logged_arc(gathered->log[l]) != expected.events[k].arc)
                return i;
            k++;
        }
        if (k != expected.n_events)
            return i;
        *n_events += k;
    }
    return n;
}

static void hold(const char *what, size_t least_events)
{
    static struct pk_life room;
    static struct pk_treated treated[BLOCK];
    static struct pk_enrolled items[BLOCK][2];
    const struct pk_plan *plan = &world.plan;
    struct pk_stages stages = {0};
    struct pk_error error;
    for (enum pk_vectors v = PK_VECTORS_PLAIN; v < PK_VECTORS_COUNT; v++) {
        const char *why = NULL;
        struct gathered gathered = {0};
        struct pk_persons persons;
        size_t n_events = 0;
        if (!pk_vectors_available(v))
            continue;
        struct pk_lane_tables *tables = pk_lane_tables_make(plan, true, &why);
        cr_assert_not_null(tables, "lanes do not do %s", why);
        struct pk_lanes *lanes = pk_lanes_make(tables, BLOCK, v);
        cr_assert_not_null(lanes);
        cr_assert_eq(pk_persons_init(&persons, plan, BLOCK, &error), PK_OK);
        for (uint64_t from = 0; from < PERSONS; from += BLOCK) {
            size_t failed = 0;
            for (size_t i = 0; i < BLOCK; i++)
                persons.ids[i] = from + i;
            pk_persons_make(&persons, 3, BLOCK, v);
            for (size_t i = 0; i < BLOCK; i++) /* not in the block's order */
                treated[i] = (struct pk_treated){
                    .i_person = i * 7 % BLOCK,
                    .treatment = treatment_of(plan, from + i * 7 % BLOCK, persons.entries[i * 7 % BLOCK], items[i])};
            gathered.n = 0;
            cr_assert_eq(pk_lanes_live_treated(lanes, &persons, treated, BLOCK, &room, gather, &gathered, &stages,
                                               &failed, &error),
                         PK_OK);
            const size_t other = other_life(plan, &persons, treated, BLOCK, &gathered, &n_events);
            cr_assert_eq(other, BLOCK, "%s, %s: person %llu lives another life", what, pk_vectors_names[v],
                         (unsigned long long)persons.ids[treated[other < BLOCK ? other : 0].i_person]);
        }
        cr_expect_geq(n_events, least_events, "%s: %zu events", what, n_events);
        pk_free(gathered.log);
        pk_persons_free(&persons);
        pk_lanes_free(lanes);
        pk_lane_tables_free(tables);
    }
}

Test(lanes_treated, work_ability_lives_with_services_are_the_references)
{
    const struct pk_set sets[2] = {{"jobseekers", "6000"}, {"job_finding_none", "0.2"}}; /* TYP lowers, IPS raises it */
    support_open_file(&world, "ips-vs-typ.yaml", sets, 2);
    hold("services", 3 * PERSONS);
}

Test(lanes_treated, services_for_life_and_for_the_first_job_are_the_references)
{
    const struct pk_set sets[3] = {{"jobseekers", "6000"}, {"effect_window", "for_life"}, {"first_job_only", "1"}};
    support_open_file(&world, "ips-vs-typ.yaml", sets, 3);
    hold("first jobs", 3 * PERSONS);
}

#define MODEL                                                                                                          \
    HEAD "states: {a: {}, b: {}, c: {}, d: {stream: b}, dead: {absorbing: true}}\n"                                    \
         "parameters:\n" PARAMETER("r", "0.81", "per_year") PARAMETER("q", "0.47", "per_year")                         \
             PARAMETER("often", "1.9", "per_year") PARAMETER("half_year", "0.5", "years")                              \
                 PARAMETER("less", "0.35", "ratio") PARAMETER("double", "2.1", "ratio")                                \
                     TABLE("by_spell", "time_in_state", "[0.5, 2]", "[1.2, 0.4, 0.9]", "per_year")                     \
                         TABLE("by_service", "since_enrolment", "[0.25, 1]", "[2.5, 0.1, 1.7]", "per_year")            \
                             TABLE("by_age", "age", "[35, 40]", "[0.05, 0.02, 0.3]", "per_year")                       \
                                 PARAMETER("short", "0.6", "years") PARAMETER("long", "2.1", "years")                  \
                                     PARAMETER("some", "0.4", "share") PARAMETER("others", "0.6", "share")

/* Spells cut short by services, whose rest lanes take up; a shared stream; splits, which count stays; excess. */
Test(lanes_treated, what_services_leave_behind_is_taken_up)
{
    const struct support_scenario scenario = {.seed = 8171,
                                              .persons = PERSONS,
                                              .horizon_months = 150,
                                              .population =
                                                  "  state: {a: 0.7, b: 0.2, d: 0.1}\n  age: {uniform: [25, 45]}\n"
                                                  "  elapsed: {a: {uniform: [half_year, long]}}\n"};
    support_open(&world,
                 MODEL "transitions:\n  ab: {from: a, to: b, hazard: by_spell}\n  ac: {from: a, to: c, hazard: q}\n"
                       "  ba: {from: b, to: a, hazard: often}\n  ca: {from: c, to: a, hazard: by_spell}\n"
                       "  cd: {from: c, to: d, hazard: r}\n  da: {from: d, to: a, hazard: often}\n"
                       "  turn: {from: d, to: {b: some, c: others}, at: {clock: time_in_state, value: half_year}}\n"
                       "  die: {from: any, to: dead, hazard: by_age, excess: {a: double, c: double}}\n"
                       "services:\n"
                       "  raises: {window: long, effects: [{transition: ab, scale: double}]}\n"
                       "  lowers: {window: short, effects: [{transition: ac, scale: less}, {transition: ca, scale: "
                       "less}]}\n"
                       "  replaces: {window: long, effects: [{transition: ab, replace: by_service}]}\n"
                       "  floors: {window: half_year, effects: [{transition: ca, at_least: by_service}]}\n",
                 &scenario);
    hold("rests", 5 * PERSONS);
}
