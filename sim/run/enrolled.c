/* Who is enrolled in one replication. See enrolled.h. */
#include "polku/enrolled.h"

#include <string.h>

#include "run_private.h"

enum pk_status pk_people_enrol(struct pk_people_enrolled *enrolled, const struct pk_plan *plan, uint32_t replication,
                               int n_threads, struct pk_error *error)
{
    const int n_workers = pk_run_workers(n_threads);
    const enum pk_vectors vectors = pk_vectors_chosen(PK_VECTORS_AUTO);
    uint64_t failed;
    memset(enrolled, 0, sizeof *enrolled);
    enrolled->plan = plan;
    enrolled->winners = pk_alloc(plan->n_lotteries + 1, sizeof *enrolled->winners);
    if (enrolled->winners == NULL)
        return pk_error_set(error, PK_NO_MEMORY, "no memory for the people enrolled");
    pk_crowd_make(plan, replication, &enrolled->crowd);
    enum pk_status status = pk_run_lotteries(plan, replication, 1, n_workers, vectors, enrolled->winners, error);
    if (status == PK_OK && plan->places_people) {
        struct pk_placed placed = {0};
        struct pk_placing *placing = pk_placing_make(plan, n_workers, vectors);
        status = placing == NULL ? pk_error_set(error, PK_NO_MEMORY, "no memory for places")
                                 : pk_place_people(placing, &enrolled->crowd, enrolled->winners, replication, -1,
                                                   &placed, &failed, error);
        pk_placing_free(placing);
        enrolled->granted = placed.granted;
        enrolled->queues = placed.queues;
    }
    if (status != PK_OK)
        pk_people_enrolled_free(enrolled);
    return status;
}

void pk_people_enrolled_free(struct pk_people_enrolled *enrolled)
{
    if (enrolled == NULL || enrolled->plan == NULL)
        return;
    struct pk_placed placed = {.granted = enrolled->granted, .queues = enrolled->queues};
    for (size_t i = 0; enrolled->winners != NULL && i < enrolled->plan->n_lotteries; i++)
        pk_free(enrolled->winners[i].ids);
    pk_free(enrolled->winners);
    pk_placed_free(&placed, enrolled->plan);
    memset(enrolled, 0, sizeof *enrolled);
}

uint64_t pk_people_won(const struct pk_people_enrolled *enrolled, const struct pk_person *person)
{
    uint64_t won;
    pk_lottery_won(enrolled->winners, enrolled->plan->n_lotteries, &person->id, 1, &won);
    return won | pk_lottery_shares(enrolled->plan, person);
}
