/* See lived.h. */
#include "lived.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "polku/memory.h"

const char *lived_why_not(const struct pk_plan *plan)
{
    const char *why = NULL;
    struct pk_lane_tables *tables = pk_lane_tables_make(plan, false, &why);
    if (tables == NULL)
        return why;
    pk_lane_tables_free(tables);
    return NULL;
}

void lived_open(struct lived *lived, const struct pk_plan *plan, size_t n_people, enum pk_vectors vectors)
{
    const char *why = NULL;
    struct pk_error error;
    memset(lived, 0, sizeof *lived);
    lived->plan = plan;
    lived->vectors = vectors;
    lived->tables = pk_lane_tables_make(plan, false, &why);
    cr_assert_not_null(lived->tables, "lanes do not do %s", why);
    lived->lanes = pk_lanes_make(lived->tables, n_people, vectors);
    cr_assert_not_null(lived->lanes);
    cr_assert_eq(pk_persons_init(&lived->persons, plan, n_people, &error), PK_OK);
    lived->first = pk_alloc(n_people + 2, sizeof *lived->first);
    cr_assert_not_null(lived->first);
}

void lived_close(struct lived *lived)
{
    pk_lanes_free(lived->lanes);
    pk_lane_tables_free(lived->tables);
    pk_persons_free(&lived->persons);
    pk_free(lived->log);
    pk_free(lived->sorted);
    pk_free(lived->first);
    memset(lived, 0, sizeof *lived);
}

static void take(const uint64_t *log, size_t n, void *data)
{
    struct lived *lived = data;
    if (lived->n_log + n > lived->n_room) {
        lived->n_room = 2 * (lived->n_log + n);
        lived->log = pk_realloc(lived->log, lived->n_room + 32, sizeof *lived->log);
        lived->sorted = pk_realloc(lived->sorted, lived->n_room, sizeof *lived->sorted);
        cr_assert(lived->log != NULL && lived->sorted != NULL);
    }
    if (n > 0)
        memcpy(lived->log + lived->n_log, log, n * sizeof *log);
    lived->n_log += n;
}

bool lived_block(struct lived *lived, uint32_t replication, const uint64_t *ids, size_t n, size_t *failed)
{
    lived->n_log = 0;
    memcpy(lived->persons.ids, ids, n * sizeof *ids);
    pk_persons_make(&lived->persons, replication, n, lived->vectors);
    if (!pk_lanes_live(lived->lanes, &lived->persons, take, lived, &lived->stages, failed))
        return false;
    memset(lived->first, 0, (n + 2) * sizeof *lived->first);
    for (size_t k = 0; k < lived->n_log; k++) {
        cr_assert_lt(pk_logged_slot(lived->log[k]), n, "an event of nobody");
        lived->first[pk_logged_slot(lived->log[k]) + 2]++;
    }
    for (size_t i = 0; i < n; i++)
        lived->first[i + 2] += lived->first[i + 1];
    for (size_t k = 0; k < lived->n_log; k++)
        lived->sorted[lived->first[pk_logged_slot(lived->log[k]) + 1]++] = lived->log[k];
    return true;
}

void lived_life(const struct lived *lived, size_t i, struct pk_life *life)
{
    life->start_state = (uint16_t)lived->persons.states[i];
    life->start_tick = (int64_t)(lived->persons.entries[i] * PK_TICKS_PER_MONTH);
    life->n_events = lived->first[i + 1] - lived->first[i];
    life->n_blocked = 0;
    cr_assert_leq(life->n_events, PK_LIFE_MAX_EVENTS);
    for (size_t k = 0; k < life->n_events; k++) {
        const uint64_t event = lived->sorted[lived->first[i] + k];
        life->events[k] = (struct pk_event){.tick = pk_logged_tick(event), .arc = pk_logged_arc(event)};
    }
}

static bool is_same(const struct pk_life *a, const struct pk_life *b)
{
    bool same = a->start_state == b->start_state && a->start_tick == b->start_tick && a->n_events == b->n_events;
    for (size_t k = 0; same && k < a->n_events; k++)
        same = a->events[k].tick == b->events[k].tick && a->events[k].arc == b->events[k].arc;
    return same;
}

/* Ends the test with the first events that differ. */
static void tell(const struct pk_plan *plan, const char *what, enum pk_vectors vectors, const struct pk_person *person,
                 const struct pk_life *got, const struct pk_life *expected)
{
    const struct pk_life *lives[2] = {got, expected};
    size_t from = 0;
    while (from < got->n_events && from < expected->n_events && got->events[from].tick == expected->events[from].tick &&
           got->events[from].arc == expected->events[from].arc)
        from++;
    fprintf(stderr, "%s: person %llu, entry %.7f, age %.7f, elapsed %.7f; from event %zu on:\n", what,
            (unsigned long long)person->id, person->entry, person->age, person->elapsed, from);
    for (size_t l = 0; l < 2; l++) {
        fprintf(stderr, "%s: starts in %d at %lld, %zu events;", l == 0 ? "got" : "expected", lives[l]->start_state,
                (long long)lives[l]->start_tick, lives[l]->n_events);
        for (size_t k = from > 0 ? from - 1 : 0; k < lives[l]->n_events && k < from + 3; k++)
            fprintf(stderr, " arc %d at %lld (%zu>%zu)", lives[l]->events[k].arc, (long long)lives[l]->events[k].tick,
                    plan->arcs[lives[l]->events[k].arc].i_from, plan->arcs[lives[l]->events[k].arc].i_to);
        fprintf(stderr, "\n");
    }
    cr_assert_fail("%s, %s: person %llu lives another life", what, pk_vectors_names[vectors],
                   (unsigned long long)person->id);
}

/* One block by all instruction sets. */
static void hold_block(struct lived *of, const char *what, const uint64_t *ids, size_t n, struct lived_count *count)
{
    static struct pk_life expected, got;
    const struct pk_plan *plan = of[PK_VECTORS_PLAIN].plan;
    bool lived[PK_VECTORS_COUNT] = {false}, expected_refused = false;
    for (enum pk_vectors v = PK_VECTORS_PLAIN; v < PK_VECTORS_COUNT; v++) {
        size_t i_failed = 0;
        struct pk_error error;
        struct pk_person person;
        if (of[v].lanes == NULL)
            continue;
        lived[v] = lived_block(&of[v], 0, ids, n, &i_failed);
        if (lived[v])
            continue;
        pk_person_make(plan, 0, ids[i_failed], &person);
        cr_assert_eq(pk_life_run(plan, &person, NULL, &expected, &error), PK_NUMERICAL, "%s, %s: refused a fair life",
                     what, pk_vectors_names[v]);
        expected_refused = true;
    }
    for (size_t i = 0; i < n; i++) {
        struct pk_error error;
        struct pk_person person;
        pk_person_make(plan, 0, ids[i], &person);
        const bool fair = pk_life_run(plan, &person, NULL, &expected, &error) == PK_OK;
        for (enum pk_vectors v = PK_VECTORS_PLAIN; v < PK_VECTORS_COUNT; v++) {
            if (!lived[v])
                continue;
            cr_assert(fair, "%s, %s: person %llu has too many events", what, pk_vectors_names[v],
                      (unsigned long long)ids[i]);
            lived_life(&of[v], i, &got);
            if (!is_same(&got, &expected))
                tell(plan, what, v, &person, &got, &expected);
        }
        count->n_lives++;
        count->n_events += expected.n_events;
    }
    count->n_refused += expected_refused;
}

struct lived_count lived_hold(const struct pk_plan *plan, const char *what, uint64_t n_people, size_t block_size)
{
    static struct lived of[PK_VECTORS_COUNT];
    struct lived_count count = {0};
    struct pk_crowd crowd;
    uint64_t *ids = pk_alloc(block_size, sizeof *ids);
    cr_assert_not_null(ids);
    memset(of, 0, sizeof of);
    for (enum pk_vectors v = PK_VECTORS_PLAIN; v < PK_VECTORS_COUNT; v++)
        if (pk_vectors_available(v))
            lived_open(&of[v], plan, block_size, v);
    pk_crowd_make(plan, 0, &crowd);
    cr_assert_gt(crowd.n_persons, 0);
    n_people = n_people < crowd.n_persons ? n_people : crowd.n_persons;
    for (uint64_t from = 0; from < n_people; from += block_size) {
        const size_t n = n_people - from < block_size ? (size_t)(n_people - from) : block_size;
        for (size_t i = 0; i < n; i++) /* all years' inflows are among them */
            ids[i] = pk_crowd_id(&crowd, (from + i) * crowd.n_persons / n_people);
        hold_block(of, what, ids, n, &count);
    }
    for (enum pk_vectors v = PK_VECTORS_PLAIN; v < PK_VECTORS_COUNT; v++)
        lived_close(&of[v]);
    pk_free(ids);
    return count;
}
