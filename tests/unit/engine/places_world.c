/* See places_world.h; the worlds: places_invent.c. */
#include "places_world.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "polku/memory.h"

void places_people_make(const struct pk_plan *plan, uint32_t replication, struct places_people *people)
{
    struct pk_crowd crowd;
    struct pk_error error;
    pk_crowd_make(plan, replication, &crowd);
    struct pk_winners *winners = pk_alloc(plan->n_lotteries + 1, sizeof *winners);
    people->replication = replication;
    people->n = (size_t)crowd.n_persons;
    people->ids = pk_alloc(people->n + 1, sizeof *people->ids);
    people->lotteries = pk_alloc(people->n + 1, sizeof *people->lotteries);
    cr_assert(winners != NULL && people->ids != NULL && people->lotteries != NULL);
    pk_crowd_ids(&crowd, 0, 1, people->n, people->ids);
    for (size_t i = 0; i < plan->n_lotteries; i++) {
        struct pk_tickets tickets = {0};
        bool enough = false;
        if (plan->lotteries[i].by_share || plan->lotteries[i].asked || plan->n_persons == 0)
            continue;
        cr_assert_eq(
            pk_lottery_scan(plan, i, replication, 0, plan->n_persons, UINT64_MAX, PK_VECTORS_PLAIN, &tickets, &error),
            PK_OK);
        cr_assert_eq(pk_lottery_draw(plan, i, UINT64_MAX, &tickets, 1, &enough, &winners[i].ids, &winners[i].n, &error),
                     PK_OK);
    }
    pk_lottery_won(winners, plan->n_lotteries, people->ids, people->n, people->lotteries);
    for (size_t k = 0; k < people->n; k++) {
        struct pk_person person;
        pk_person_make(plan, replication, people->ids[k], &person);
        people->lotteries[k] |= pk_lottery_shares(plan, &person);
    }
    for (size_t i = 0; i < plan->n_lotteries; i++)
        pk_free(winners[i].ids);
    pk_free(winners);
}

void places_people_free(struct places_people *people)
{
    pk_free(people->ids);
    pk_free(people->lotteries);
    *people = (struct places_people){0};
}

static int by_time(const void *a, const void *b)
{
    const struct pk_asker *x = a, *y = b;
    if (x->tick != y->tick)
        return x->tick < y->tick ? -1 : 1;
    return (x->rank > y->rank) - (x->rank < y->rank);
}

/* Block by block. */
static void scan(struct pk_places_room *room, const struct pk_plan *plan, size_t i_arm,
                 const struct places_people *people, const struct places_how *how, struct pk_askers *askers)
{
    const size_t block = how->block > 0 ? how->block : people->n + 1, n_blocks = (people->n + block - 1) / block;
    struct pk_persons persons;
    struct pk_error error;
    uint64_t failed;
    cr_assert_eq(pk_persons_init(&persons, plan, block, &error), PK_OK);
    for (size_t b = 0; b < n_blocks; b++) {
        const size_t from = (how->backwards ? n_blocks - 1 - b : b) * block,
                     n = people->n - from < block ? people->n - from : block;
        memcpy(persons.ids, people->ids + from, n * sizeof *persons.ids);
        pk_persons_make(&persons, people->replication, n, PK_VECTORS_PLAIN);
        cr_assert_eq(pk_places_scan(room, i_arm, &persons, people->lotteries + from, askers, &failed, &error), PK_OK);
    }
    pk_persons_free(&persons);
}

void places_run(const struct pk_plan *plan, size_t i_arm, const struct places_people *people,
                const struct places_how *how, struct places_result *result)
{
    static const struct places_how plainly = {0};
    struct pk_places_room *room = pk_places_room_make(plan);
    struct pk_askers askers = {0};
    struct pk_error error;
    uint64_t failed = 0;
    uint32_t *component_of = pk_alloc(plan->n_stations + 1, sizeof *component_of);
    cr_assert(room != NULL && component_of != NULL);
    how = how != NULL ? how : &plainly;
    cr_assert_eq(pk_queues_init(&result->queues, plan, &error), PK_OK);
    scan(room, plan, i_arm, people, how, &askers);
    size_t n = pk_places_split(plan, i_arm, people->replication, &askers, component_of);
    if (how->one_component) {
        n = 1;
        for (size_t s = 0; s < plan->n_stations; s++)
            component_of[s] = 0;
        for (size_t i = 0; i < askers.n; i++)
            askers.items[i].component = 0;
        if (askers.n > 0)
            qsort(askers.items, askers.n, sizeof *askers.items, by_time);
    }
    struct pk_granted *parts = pk_alloc(n + 1, sizeof *parts);
    cr_assert_not_null(parts);
    for (size_t i = 0; i < n; i++) {
        const uint32_t c = (uint32_t)(how->backwards ? n - 1 - i : i);
        size_t from = 0, to;
        while (from < askers.n && askers.items[from].component < c)
            from++;
        for (to = from; to < askers.n && askers.items[to].component == c;)
            to++;
        cr_assert_eq(pk_places_run(room, i_arm, people->replication, c, askers.items + from, to - from, component_of,
                                   &result->queues, &parts[c], &failed, &error),
                     PK_OK);
    }
    cr_assert_eq(pk_places_join(parts, n, &result->granted, &error), PK_OK);
    result->n_components = n;
    pk_free(parts);
    pk_free(askers.items);
    pk_free(component_of);
    pk_places_room_free(room);
}

void places_result_free(struct places_result *result)
{
    pk_granted_free(&result->granted);
    pk_queues_free(&result->queues);
}

bool places_given(const struct places_result *result, uint64_t id, const struct pk_enrolled **items, size_t *n)
{
    const struct pk_granted *granted = &result->granted;
    const size_t i = pk_lottery_place(granted->ids, granted->n, id);
    *items = NULL;
    *n = 0;
    if (i == granted->n || granted->ids[i] != id)
        return false;
    *items = granted->items + granted->first[i];
    *n = granted->first[i + 1] - granted->first[i];
    return true;
}
