/* One block of people of one unit: everybody's life in every arm, into the tallies. See run_private.h. */
#include <string.h>

#include "run_private.h"

/* ---- a thread's own ------------------------------------------------------------------------------------------- */

enum pk_status pk_worker_init(struct pk_worker *worker, const struct pk_collection *collection,
                              const struct pk_lane_tables *tables, const struct pk_lane_tables *arm_tables,
                              enum pk_vectors vectors, struct pk_error *error)
{
    const struct pk_plan *plan = collection->plan;
    enum pk_status status = pk_batch_init(&worker->batch, collection, error);
    if (status != PK_OK)
        return status; /* nothing else is there to free */
    status = pk_persons_init(&worker->persons, plan, PK_PEOPLE_AT_ONCE, error);
    worker->arms = pk_alloc(plan->n_arms, sizeof *worker->arms);
    worker->lotteries = pk_alloc(PK_PEOPLE_AT_ONCE, sizeof *worker->lotteries);
    worker->kept.first = pk_alloc(PK_PEOPLE_AT_ONCE + 1, sizeof *worker->kept.first);
    worker->blocks = pk_alloc(collection->n_shapes + 1, sizeof *worker->blocks);
    worker->any_arc = pk_alloc(plan->n_arcs + 1, sizeof *worker->any_arc);
    for (size_t a = 0; worker->any_arc != NULL && a < plan->n_arcs; a++)
        worker->any_arc[a] = UINT64_MAX;
    bool made = worker->any_arc != NULL && worker->arms != NULL && worker->lotteries != NULL &&
                worker->kept.first != NULL && worker->blocks != NULL;
    if (tables != NULL)
        made &= (worker->lanes = pk_lanes_make(tables, PK_PEOPLE_AT_ONCE, vectors)) != NULL;
    if (arm_tables != NULL)
        made &= (worker->arm_lanes = pk_lanes_make(arm_tables, PK_PEOPLE_AT_ONCE, vectors)) != NULL;
    if (plan->n_cohorts > 0) {
        worker->treated = pk_alloc(PK_PEOPLE_AT_ONCE, sizeof *worker->treated);
        worker->items = pk_alloc((size_t)PK_PEOPLE_AT_ONCE * PK_MAX_ENROLMENTS, sizeof *worker->items);
        worker->arm_of = pk_alloc(PK_PEOPLE_AT_ONCE, sizeof *worker->arm_of);
        worker->kept_arms.first = pk_alloc(PK_PEOPLE_AT_ONCE + 1, sizeof *worker->kept_arms.first);
        made &= worker->treated != NULL && worker->items != NULL && worker->arm_of != NULL &&
                worker->kept_arms.first != NULL;
    }
    for (size_t i = 0; made && i < collection->n_shapes && status == PK_OK; i++)
        if (pk_tally_takes_log(&collection->shapes[i]))
            status = pk_tally_block_init(&worker->blocks[i], &collection->shapes[i], PK_PEOPLE_AT_ONCE, error);
    return made || status != PK_OK ? status : pk_error_set(error, PK_NO_MEMORY, "no memory for the workers");
}

void pk_worker_free(struct pk_worker *worker)
{
    for (size_t i = 0; worker->blocks != NULL && i < worker->batch.collection->n_shapes; i++)
        pk_tally_block_free(&worker->blocks[i]);
    pk_batch_free(&worker->batch);
    pk_persons_free(&worker->persons);
    pk_lanes_free(worker->lanes);
    pk_lanes_free(worker->arm_lanes);
    pk_free(worker->arms);
    pk_free(worker->lotteries);
    pk_free(worker->any_arc);
    pk_free(worker->blocks);
    pk_free(worker->treated);
    pk_free(worker->items);
    pk_free(worker->arm_of);
    pk_kept_free(&worker->kept);
    pk_kept_free(&worker->kept_arms);
}

/* ---- people -------------------------------------------------------------------------------------------------------
 */

static uint64_t cohorts_of(const struct pk_plan *plan, uint64_t lotteries)
{
    uint64_t cohorts = 0;
    for (size_t c = 0; c < plan->n_cohorts; c++)
        cohorts |= (uint64_t)((plan->cohorts[c].lotteries & lotteries) != 0) << c;
    return cohorts;
}

static enum pk_status live_arms(const struct pk_block *block, struct pk_worker *worker, struct pk_batch *batch,
                                const struct pk_person *person, uint64_t lotteries, enum pk_everyone everyone,
                                struct pk_error *error)
{
    const struct pk_plan *plan = block->plan;
    const struct pk_life *arm_lives[PK_MAX_ARMS] = {NULL};
    const uint64_t cohorts = cohorts_of(plan, lotteries);
    enum pk_status status = PK_OK;
    for (size_t a = 0; a < plan->n_arms && cohorts != 0 && status == PK_OK; a++) {
        struct pk_enrolled items[PK_MAX_ENROLMENTS];
        struct pk_treatment treatment;
        if (!pk_lottery_treatment(plan, a, lotteries, person, block->granted, items, &treatment))
            continue;
        pk_batch_serve(batch, person, a, &treatment);
        status = pk_life_run(plan, person, &treatment, &worker->arms[a], error);
        arm_lives[a] = &worker->arms[a];
    }
    if (status == PK_OK)
        pk_batch_add(batch, person, &worker->base, arm_lives, cohorts, everyone);
    return status;
}

/* One life after another. */
static enum pk_status live_each(const struct pk_block *block, struct pk_worker *worker, struct pk_batch *batch,
                                uint64_t *failed, struct pk_error *error)
{
    enum pk_status status = PK_OK;
    for (size_t i = 0; i < worker->persons.n && status == PK_OK; i++) {
        struct pk_person person;
        *failed = worker->persons.ids[i];
        pk_persons_person(&worker->persons, i, &person);
        status = pk_life_run(block->plan, &person, NULL, &worker->base, error);
        if (status == PK_OK)
            status = live_arms(block, worker, batch, &person, worker->lotteries[i],
                               block->enrolled_only ? PK_EVERYONE_NOT : PK_EVERYONE_ALL, error);
    }
    return status;
}

struct taking {
    const struct pk_block *block;
    struct pk_worker *worker;
    struct pk_batch *batch;
    bool keeps_all, any_won; /* ... any lottery */
};

/* Events of people who won a lottery: pk_lanes_entries finds those whose slot has any bit, whatever the arc. */
static void take(const uint64_t *log, size_t n, void *data)
{
    struct taking *taking = data;
    struct pk_worker *worker = taking->worker;
    if (!taking->block->enrolled_only)
        pk_batch_log(taking->batch, worker->blocks, log, n, taking->block->vectors);
    if (taking->keeps_all) {
        pk_kept_add(&worker->kept, log, n);
        return;
    }
    if (!taking->any_won)
        return;
    uint64_t list[PK_LOG_AT_ONCE + 32];
    PK_ASSERT(n <= PK_LOG_AT_ONCE);
    const size_t n_list = pk_lanes_entries(taking->block->vectors, worker->any_arc, worker->lotteries, n, log, list);
    for (size_t k = 0; k < n_list; k++)
        pk_kept_add(&worker->kept, log + list[k], 1);
}

static void take_arms(const uint64_t *log, size_t n, void *data)
{
    pk_kept_add(data, log, n);
}

/* The lives in arms of the people from `from` on, as many as there is room for; *n_treated: how many lives. Returns the
 * next person. */
static size_t list_treated(const struct pk_block *block, struct pk_worker *worker, size_t from, size_t *n_treated)
{
    const struct pk_plan *plan = block->plan;
    const struct pk_persons *persons = &worker->persons;
    size_t n = 0, i = from;
    for (; i < persons->n && n + plan->n_arms <= PK_PEOPLE_AT_ONCE; i++) {
        struct pk_person person;
        if (worker->lotteries[i] == 0 || cohorts_of(plan, worker->lotteries[i]) == 0)
            continue;
        pk_persons_person(persons, i, &person);
        for (size_t a = 0; a < plan->n_arms; a++)
            if (pk_lottery_treatment(plan, a, worker->lotteries[i], &person, block->granted,
                                     worker->items + n * PK_MAX_ENROLMENTS, &worker->treated[n].treatment)) {
                worker->treated[n].i_person = i;
                worker->arm_of[n++] = (uint8_t)a;
            }
    }
    *n_treated = n;
    return i;
}

/* A person's life in each arm out of the log, from the i_treated-th on; returns the next person's first. */
static size_t add_person(const struct taking *taking, size_t i, size_t i_treated, size_t n_treated)
{
    const struct pk_plan *plan = taking->block->plan;
    struct pk_worker *worker = taking->worker;
    const struct pk_life *arm_lives[PK_MAX_ARMS] = {NULL};
    struct pk_person person;
    pk_persons_person(&worker->persons, i, &person);
    pk_kept_life(&worker->kept, i, &person, person.state, &worker->base);
    for (; i_treated < n_treated && worker->treated[i_treated].i_person == i; i_treated++) {
        const struct pk_treatment *treatment = &worker->treated[i_treated].treatment;
        const size_t a = worker->arm_of[i_treated];
        pk_kept_life(&worker->kept_arms, i_treated, &person, treatment->has_start ? treatment->i_start : person.state,
                     &worker->arms[a]);
        pk_batch_serve(taking->batch, &person, a, treatment);
        arm_lives[a] = &worker->arms[a];
    }
    pk_batch_add(taking->batch, &person, &worker->base, arm_lives, cohorts_of(plan, worker->lotteries[i]),
                 taking->block->enrolled_only ? PK_EVERYONE_NOT : PK_EVERYONE_UNLOGGED);
    return i_treated;
}

/* Whoever's life in arms, or whose whole life, is asked for. */
static enum pk_status add_lives(const struct taking *taking, uint64_t *since, uint64_t *failed, struct pk_error *error)
{
    struct pk_worker *worker = taking->worker;
    const struct pk_persons *persons = &worker->persons;
    enum pk_status status = PK_OK;
    for (size_t from = 0, to = 0; from < persons->n && status == PK_OK; from = to) {
        size_t n_treated = 0, i_failed = 0, i_treated = 0;
        to = persons->n;
        if (taking->block->plan->n_cohorts > 0)
            to = list_treated(taking->block, worker, from, &n_treated);
        worker->kept_arms.n = 0;
        if (n_treated > 0) {
            pk_stages_lap(&worker->stages, since, PK_STAGE_LIVES);
            status = pk_lanes_live_treated(worker->arm_lanes, persons, worker->treated, n_treated, &worker->base,
                                           take_arms, &worker->kept_arms, &worker->stages, &i_failed, error);
            *since = worker->stages.on ? pk_stages_now() : 0; /* its stages are counted already */
            *failed = persons->ids[worker->treated[i_failed].i_person];
            if (status == PK_OK && worker->kept_arms.failed)
                status = pk_error_set(error, PK_NO_MEMORY, "no memory for the events of a block");
            if (status == PK_OK)
                pk_kept_sort(&worker->kept_arms, n_treated);
        }
        for (size_t i = from; i < to && status == PK_OK; i++)
            if (taking->keeps_all || worker->lotteries[i] != 0)
                i_treated = add_person(taking, i, i_treated, n_treated);
    }
    return status;
}

/* ... where arms are left to the reference. */
static enum pk_status add_lives_each(const struct taking *taking, uint64_t *failed, struct pk_error *error)
{
    struct pk_worker *worker = taking->worker;
    const enum pk_everyone everyone = taking->block->enrolled_only ? PK_EVERYONE_NOT : PK_EVERYONE_UNLOGGED;
    enum pk_status status = PK_OK;
    for (size_t i = 0; i < worker->persons.n && status == PK_OK; i++) {
        struct pk_person person;
        if (!taking->keeps_all && worker->lotteries[i] == 0)
            continue;
        *failed = worker->persons.ids[i];
        pk_persons_person(&worker->persons, i, &person);
        pk_kept_life(&worker->kept, i, &person, person.state, &worker->base);
        status = live_arms(taking->block, worker, taking->batch, &person, worker->lotteries[i], everyone, error);
    }
    return status;
}

/* Base lives many at once; whole lives are put together where something needs them. */
static enum pk_status live_together(const struct pk_block *block, struct pk_worker *worker, struct pk_batch *batch,
                                    uint64_t *failed, struct pk_error *error)
{
    const struct pk_persons *persons = &worker->persons;
    struct taking taking = {.block = block,
                            .worker = worker,
                            .batch = batch,
                            .keeps_all = block->enrolled_only || pk_collection_needs_lives(batch->collection)};
    size_t endless = 0;
    uint64_t won = 0;
    for (size_t i = 0; i < persons->n && block->plan->n_lotteries > 0; i++)
        won |= worker->lotteries[i];
    taking.any_won = won != 0;
    uint64_t since = worker->stages.on ? pk_stages_now() : 0;
    worker->kept.n = 0;
    if (!block->enrolled_only)
        pk_batch_enter(batch, persons, worker->blocks);
    pk_stages_lap(&worker->stages, &since, PK_STAGE_TALLY);
    if (!pk_lanes_live(worker->lanes, persons, take, &taking, &worker->stages, &endless)) {
        /* one after another, to find the first whose life does not end, in words */
        enum pk_status status = live_each(block, worker, batch, failed, error);
        PK_ASSERT(status != PK_OK); /* the block is in the tallies already */
        return status;
    }
    since = worker->stages.on ? pk_stages_now() : 0;
    if (worker->kept.failed)
        return pk_error_set(error, PK_NO_MEMORY, "no memory for the events of a block");
    if (!taking.keeps_all && !taking.any_won)
        return PK_OK;
    pk_kept_sort(&worker->kept, persons->n);
    enum pk_status status = worker->arm_lanes != NULL || block->plan->n_cohorts == 0
                                ? add_lives(&taking, &since, failed, error)
                                : add_lives_each(&taking, failed, error);
    pk_stages_lap(&worker->stages, &since, PK_STAGE_LIVES);
    return status;
}

/* Who wins by share, person by person; of those enrolled only, whoever wins nothing leaves. */
static void share_out(const struct pk_block *block, struct pk_worker *worker, uint32_t replication)
{
    struct pk_persons *persons = &worker->persons;
    size_t n = 0;
    for (size_t i = 0; i < persons->n; i++) {
        struct pk_person person;
        pk_persons_person(persons, i, &person);
        const uint64_t lotteries = worker->lotteries[i] | pk_lottery_shares(block->plan, &person);
        if (block->enrolled_only && lotteries == 0)
            continue;
        persons->ids[n] = persons->ids[i];
        worker->lotteries[n++] = lotteries;
    }
    if (n < persons->n)
        pk_persons_make(persons, replication, n, block->vectors);
}

static enum pk_status run_people(const struct pk_block *block, const struct pk_task *task, struct pk_worker *worker,
                                 struct pk_batch *batch, size_t n, uint64_t *failed, struct pk_error *error)
{
    enum pk_status status;
    uint64_t since = worker->stages.on ? pk_stages_now() : 0;
    pk_persons_make(&worker->persons, task->replication, n, block->vectors);
    if (block->shares != 0)
        share_out(block, worker, task->replication);
    pk_stages_lap(&worker->stages, &since, PK_STAGE_PEOPLE);
    if (worker->lanes != NULL) {
        status = live_together(block, worker, batch, failed, error);
    } else {
        status = live_each(block, worker, batch, failed, error);
        pk_stages_lap(&worker->stages, &since, PK_STAGE_LIVES);
    }
    return status;
}

/* Of those enrolled only: this batch's winners of the task, from *k on, as many as there is room for. */
static size_t next_winners(const struct pk_block *block, const struct pk_task *task, uint64_t *k, uint64_t *ids)
{
    size_t n = 0;
    while (*k < task->to && n < PK_PEOPLE_AT_ONCE) {
        const uint64_t id = pk_crowd_id(block->crowd, task->i_batch + *k * block->n_batches);
        const uint64_t next = pk_lottery_next(block->winners, block->plan->n_lotteries, id);
        if (next == UINT64_MAX) {
            *k = task->to;
        } else if (next == id) {
            ids[n++] = id;
            ++*k;
        } else { /* winners' ids are their places in the crowd */
            *k += (next - id + block->n_batches - 1) / block->n_batches;
        }
    }
    return n;
}

enum pk_status pk_block_run(const struct pk_block *block, const struct pk_task *task, struct pk_worker *worker,
                            struct pk_batch *batch, uint64_t *failed, struct pk_error *error)
{
    uint64_t *ids = worker->persons.ids;
    enum pk_status status = PK_OK;
    for (uint64_t k = task->from; k < task->to && status == PK_OK;) {
        size_t n = 0;
        uint64_t since = worker->stages.on ? pk_stages_now() : 0;
        if (block->enrolled_only && block->shares == 0) {
            n = next_winners(block, task, &k, ids);
        } else {
            n = task->to - k < PK_PEOPLE_AT_ONCE ? (size_t)(task->to - k) : PK_PEOPLE_AT_ONCE;
            pk_crowd_ids(block->crowd, task->i_batch + k * block->n_batches, block->n_batches, n, ids);
            k += n;
        }
        pk_lottery_won(block->winners, block->plan->n_lotteries, ids, n, worker->lotteries);
        pk_stages_lap(&worker->stages, &since, PK_STAGE_PEOPLE);
        if (n > 0)
            status = run_people(block, task, worker, batch, n, failed, error);
    }
    return status;
}
