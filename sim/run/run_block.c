/* One block of people of one unit: everybody's life in every arm, into the tallies. See run_private.h. */
#include "run_private.h"

static enum pk_status live(const struct pk_block *block, struct pk_worker *worker, struct pk_batch *batch,
                           const struct pk_person *person, uint64_t lotteries, struct pk_error *error)
{
    const struct pk_plan *plan = block->plan;
    const struct pk_life *arm_lives[PK_MAX_ARMS] = {NULL};
    enum pk_status status = pk_life_run(plan, person, NULL, &worker->base, error);
    uint64_t cohorts = 0;
    for (size_t c = 0; c < plan->n_cohorts; c++)
        cohorts |= (uint64_t)((plan->cohorts[c].lotteries & lotteries) != 0) << c;
    for (size_t a = 0; a < plan->n_arms && cohorts != 0 && status == PK_OK; a++) {
        struct pk_treatment treatment;
        if (!pk_lottery_treatment(plan, a, lotteries, person, &treatment))
            continue;
        pk_batch_serve(batch, person, a, &treatment);
        status = pk_life_run(plan, person, &treatment, &worker->arms[a], error);
        arm_lives[a] = &worker->arms[a];
    }
    if (status == PK_OK)
        pk_batch_add(batch, person, &worker->base, arm_lives, cohorts, !block->enrolled_only);
    return status;
}

enum pk_status pk_block_run(const struct pk_block *block, const struct pk_task *task, struct pk_worker *worker,
                            struct pk_batch *batch, uint64_t *failed, struct pk_error *error)
{
    const struct pk_plan *plan = block->plan;
    const struct pk_winners *winners = block->winners;
    const struct pk_crowd *crowd = block->crowd;
    const uint64_t n_batches = block->n_batches;
    size_t places[64];
    uint64_t first = pk_crowd_id(crowd, task->i_batch + task->from * n_batches);
    for (size_t i = 0; i < plan->n_lotteries; i++)
        places[i] = pk_lottery_place(winners[i].ids, winners[i].n, first);
    for (uint64_t k = task->from; k < task->to; k++) {
        uint64_t id = pk_crowd_id(crowd, task->i_batch + k * n_batches);
        uint64_t lotteries = pk_lottery_won(winners, plan->n_lotteries, places, id);
        if (block->enrolled_only && lotteries == 0 && block->shares == 0) { /* on to this batch's next winner */
            uint64_t next = pk_lottery_next(winners, plan->n_lotteries, places);
            if (next == UINT64_MAX)
                break;
            uint64_t skip = (next - id) / n_batches; /* winners' ids are their places in the crowd */
            k += skip > 1 ? skip - 1 : 0;
            continue;
        }
        struct pk_person person;
        pk_person_make(plan, task->replication, id, &person);
        lotteries |= block->shares != 0 ? pk_lottery_shares(plan, &person) : 0;
        if (block->enrolled_only && lotteries == 0)
            continue;
        enum pk_status status = live(block, worker, batch, &person, lotteries, error);
        if (status != PK_OK) {
            *failed = id;
            return status;
        }
    }
    return PK_OK;
}
