/* Replications, batches and blocks of people on all cores; the one file with OpenMP. See run.h. */
#include "polku/run.h"

#include <omp.h>
#include <string.h>

#include "polku/rng.h"
#include "run_private.h"

enum { DEFAULT_BLOCK = 4096, FIRST_LOOK = 8 };

struct wave {
    const struct pk_run_options *options;
    const struct pk_plan *plan;
    struct pk_run *run;
    size_t n_units, first_unit;
    uint64_t base_replication; /* of the run's first unit */
    struct pk_batch *units;    /* [n_units in a wave] */
    omp_lock_t *locks;
    struct pk_crowd *crowds;                      /* [n_replications in the wave] */
    uint64_t shares;                              /* bit per lottery that is decided person by person */
    struct pk_winners *winners;                   /* [n_replications in the wave][n_lotteries] */
    uint32_t first_replication, kept_replication; /* of the winners at hand */
    size_t room_winners;
    struct pk_task *tasks;
    size_t n_tasks, room_tasks;
    struct pk_worker *workers;
    enum pk_vectors vectors;
    struct pk_lane_tables *tables, *arm_tables; /* NULL: one life after another */
    struct pk_placing *placing;                 /* NULL: no service has places */
    struct pk_placed *placed;                   /* [n_replications in the wave] */
    /* the first failure in the order of units and people */
    enum pk_status status;
    uint64_t failed_unit, failed_person;
    struct pk_error error;
};

static void fail(struct wave *wave, uint64_t i_unit, uint64_t i_person, const struct pk_error *error)
{
#pragma omp critical(pk_run_fail)
    if (wave->status == PK_OK || i_unit < wave->failed_unit ||
        (i_unit == wave->failed_unit && i_person < wave->failed_person)) {
        wave->status = error->status;
        wave->failed_unit = i_unit;
        wave->failed_person = i_person;
        wave->error = *error;
    }
}

/* ---- who is enrolled ---------------------------------------------------------------------------------------- */

/* Frees the winners of all but the last of the wave's replications: the next wave may be about other batches of it. */
static void keep_last_winners(struct wave *wave, uint32_t n_replications)
{
    size_t n = wave->plan->n_lotteries, last = (n_replications - 1) * n;
    for (size_t i = 0; i < last; i++) {
        pk_free(wave->winners[i].ids);
        wave->winners[i] = (struct pk_winners){0};
    }
    for (size_t i = 0; i < n && last > 0; i++) {
        wave->winners[i] = wave->winners[last + i];
        wave->winners[last + i] = (struct pk_winners){0};
    }
    wave->kept_replication = wave->first_replication + n_replications - 1;
}

static void free_winners(struct wave *wave)
{
    for (size_t i = 0; wave->winners != NULL && i < wave->room_winners; i++) {
        pk_free(wave->winners[i].ids);
        wave->winners[i] = (struct pk_winners){0};
    }
}

/* ---- waves of units ----------------------------------------------------------------------------------------- */

/* A worker's own tallies into those of the unit that they are of. */
static void hand_over(struct wave *wave, struct pk_worker *worker)
{
    if (worker->i_unit_held == SIZE_MAX)
        return;
    omp_set_lock(&wave->locks[worker->i_unit_held]);
    pk_batch_merge(&wave->units[worker->i_unit_held], &worker->batch);
    omp_unset_lock(&wave->locks[worker->i_unit_held]);
    pk_batch_clear(&worker->batch);
    worker->i_unit_held = SIZE_MAX;
}

/* Tasks of a unit follow each other, so a worker seldom has to hand over: tables may be larger than a block's log. */
static void run_task(struct wave *wave, const struct pk_task *task, struct pk_worker *worker)
{
    const size_t i_replication = task->replication - wave->first_replication;
    const struct pk_block block = {.plan = wave->plan,
                                   .crowd = &wave->crowds[i_replication],
                                   .winners = wave->winners + i_replication * wave->plan->n_lotteries,
                                   .granted = wave->placing ? wave->placed[i_replication].granted : NULL,
                                   .shares = wave->shares,
                                   .n_batches = (uint64_t)wave->run->n_batches,
                                   .vectors = wave->vectors,
                                   .enrolled_only = wave->options->enrolled_only};
    struct pk_error error;
    uint64_t failed = 0;
    if (!task->alone && worker->i_unit_held != task->i_unit_in_wave) {
        hand_over(wave, worker);
        worker->i_unit_held = task->i_unit_in_wave;
    }
    struct pk_batch *batch = task->alone ? &wave->units[task->i_unit_in_wave] : &worker->batch;
    if (pk_block_run(&block, task, worker, batch, &failed, &error) != PK_OK)
        fail(wave, wave->first_unit + task->i_unit_in_wave, failed, &error);
}

static enum pk_status make_tasks(struct wave *wave, size_t n_units, uint64_t block_size, struct pk_error *error)
{
    uint64_t n_batches = (uint64_t)wave->run->n_batches;
    const size_t n_threads = (size_t)wave->run->n_threads, n_split = 2 * (n_threads - 1);
    const size_t n_whole = n_units >= 2 * n_split ? n_units - n_split : 0;
    wave->n_tasks = 0;
    for (size_t i = 0; i < n_units; i++) {
        uint64_t i_unit = wave->first_unit + i, i_batch = i_unit % n_batches;
        uint64_t replication = wave->base_replication + i_unit / n_batches;
        uint64_t n_persons = wave->crowds[replication - wave->first_replication].n_persons;
        uint64_t n_of_batch = n_persons / n_batches + (i_batch < n_persons % n_batches);
        /* most units whole, which need no joining; the last in blocks, so that threads end together */
        const uint64_t step = wave->options->block_size == 0 && i < n_whole ? n_of_batch : block_size;
        for (uint64_t from = 0; from < n_of_batch; from += step) {
            if (wave->n_tasks == wave->room_tasks) {
                size_t room = wave->room_tasks ? wave->room_tasks * 2 : 256;
                struct pk_task *grown = pk_realloc(wave->tasks, room, sizeof *grown);
                if (grown == NULL)
                    return pk_error_set(error, PK_NO_MEMORY, "no memory for the list of tasks");
                wave->tasks = grown;
                wave->room_tasks = room;
            }
            uint64_t to = n_of_batch - from < step ? n_of_batch : from + step;
            wave->tasks[wave->n_tasks++] = (struct pk_task){.i_unit_in_wave = i,
                                                            .replication = (uint32_t)replication,
                                                            .i_batch = i_batch,
                                                            .from = from,
                                                            .to = to,
                                                            .alone = n_of_batch <= step};
        }
    }
    return PK_OK;
}

static void free_wave(struct wave *wave, int n_threads, size_t n_in_wave)
{
    for (size_t i = 0; wave->units != NULL && i < n_in_wave; i++)
        pk_batch_free(&wave->units[i]);
    for (size_t i = 0; wave->locks != NULL && i < n_in_wave; i++)
        omp_destroy_lock(&wave->locks[i]);
    for (int t = 0; wave->workers != NULL && t < n_threads; t++)
        pk_worker_free(&wave->workers[t]);
    pk_free(wave->units);
    pk_free(wave->locks);
    pk_free(wave->crowds);
    free_winners(wave);
    pk_free(wave->winners);
    pk_placing_free(wave->placing);
    pk_free(wave->placed);
    pk_free(wave->workers);
    pk_free(wave->tasks);
    pk_lane_tables_free(wave->tables);
    pk_lane_tables_free(wave->arm_tables);
}

static enum pk_status init_wave(struct wave *wave, size_t n_in_wave, struct pk_error *error)
{
    struct pk_run *run = wave->run;
    size_t n_lotteries = wave->plan->n_lotteries;
    const char *why;
    wave->vectors = pk_vectors_chosen(wave->options->vectors);
    if (wave->vectors != PK_VECTORS_NONE)
        wave->tables = pk_lane_tables_make(wave->plan, false, &why);
    if (wave->tables != NULL && wave->plan->n_cohorts > 0)
        wave->arm_tables = pk_lane_tables_make(wave->plan, true, &why);
    wave->units = pk_alloc(n_in_wave, sizeof *wave->units);
    wave->locks = pk_alloc(n_in_wave, sizeof *wave->locks);
    wave->crowds = pk_alloc(n_in_wave, sizeof *wave->crowds);
    wave->room_winners = n_in_wave * (n_lotteries + 1);
    wave->winners = pk_alloc(wave->room_winners, sizeof *wave->winners);
    wave->workers = pk_alloc((size_t)run->n_threads, sizeof *wave->workers);
    bool made = true;
    if (wave->plan->places_people) {
        wave->placing = pk_placing_make(wave->plan, run->n_threads, wave->vectors);
        wave->placed = pk_alloc(n_in_wave, sizeof *wave->placed);
        made = wave->placing != NULL && wave->placed != NULL;
    }
    if (!made || !wave->units || !wave->locks || !wave->crowds || !wave->winners || !wave->workers)
        return pk_error_set(error, PK_NO_MEMORY, "no memory for the workers");
    for (size_t i = 0; i < n_in_wave; i++)
        omp_init_lock(&wave->locks[i]);
    enum pk_status status = PK_OK;
    for (size_t i = 0; i < n_in_wave && status == PK_OK; i++)
        status = pk_batch_init(&wave->units[i], &run->collection, error);
    for (int t = 0; t < run->n_threads && status == PK_OK; t++) {
        status =
            pk_worker_init(&wave->workers[t], &run->collection, wave->tables, wave->arm_tables, wave->vectors, error);
        wave->workers[t].i_unit_held = SIZE_MAX;
        wave->workers[t].stages.on = wave->options->stages != NULL;
    }
    return status;
}

/* Outcomes unit by unit on all threads, then table by table: each sums over the units in their order. */
static void fold_wave(struct wave *wave, size_t n_units)
{
    struct pk_fold *fold = &wave->run->fold;
    const bool everyone = !wave->options->enrolled_only;
    const size_t n_tables = pk_fold_tables(fold), i_unit = fold->i_unit;
#pragma omp parallel for schedule(dynamic, 1) num_threads(wave->run->n_threads)
    for (size_t i = 0; i < n_units; i++)
        pk_fold_unit(fold, (size_t)omp_get_thread_num(), &wave->units[i], i_unit + i, everyone);
#pragma omp parallel for schedule(dynamic, 1) num_threads(wave->run->n_threads)
    for (size_t t = 0; t < n_tables; t++)
        for (size_t i = 0; i < n_units; i++)
            pk_fold_table(fold, (size_t)omp_get_thread_num(), &wave->units[i], i_unit + i, t, everyone);
    for (size_t i = 0; i < n_units; i++)
        pk_fold_next(fold, &wave->units[i], everyone);
#pragma omp parallel for schedule(dynamic, 1) num_threads(wave->run->n_threads)
    for (size_t i = 0; i < n_units; i++)
        pk_batch_clear(&wave->units[i]);
}

/* Who gets a place: replications side by side where there are enough of them, else each on all threads. */
static enum pk_status place_wave(struct wave *wave, uint32_t n_replications, struct pk_error *error)
{
    const bool side_by_side = n_replications > 1;
    if (wave->placing == NULL)
        return PK_OK;
#pragma omp parallel for schedule(dynamic, 1) num_threads(wave->run->n_threads) if (side_by_side)
    for (uint32_t r = 0; r < n_replications; r++) {
        struct pk_error own;
        uint64_t person = 0;
        struct pk_worker *worker = &wave->workers[side_by_side ? omp_get_thread_num() : 0];
        uint64_t since = worker->stages.on ? pk_stages_now() : 0;
        if (pk_place_people(wave->placing, &wave->crowds[r], wave->winners + r * wave->plan->n_lotteries,
                            wave->first_replication + r, side_by_side ? omp_get_thread_num() : -1, &wave->placed[r],
                            &person, &own) != PK_OK)
            fail(wave, wave->first_unit / (uint64_t)wave->run->n_batches + r, person, &own);
        pk_stages_lap(&worker->stages, &since, PK_STAGE_PLACES);
    }
    if (wave->status != PK_OK)
        *error = wave->error;
    return wave->status;
}

static void free_places(struct wave *wave, size_t n_units)
{
    for (size_t i = 0; wave->placed != NULL && i < n_units; i++)
        pk_placed_free(&wave->placed[i], wave->plan);
}

static enum pk_status run_wave(struct wave *wave, size_t n_units, uint64_t block_size, struct pk_error *error)
{
    struct pk_run *run = wave->run;
    const uint64_t first = wave->first_unit / (uint64_t)run->n_batches,
                   last = (wave->first_unit + n_units - 1) / (uint64_t)run->n_batches;
    const uint32_t n_replications = (uint32_t)(last - first + 1);
    wave->first_replication = (uint32_t)(wave->base_replication + first);
    if (wave->kept_replication != wave->first_replication)
        free_winners(wave);
    for (uint32_t r = 0; r < n_replications; r++)
        pk_crowd_make(wave->plan, wave->first_replication + r, &wave->crowds[r]);
    enum pk_status status = pk_run_lotteries(wave->plan, wave->first_replication, n_replications, run->n_threads,
                                             wave->vectors, wave->winners, error);
    if (status == PK_OK)
        status = place_wave(wave, n_replications, error);
    if (status == PK_OK)
        status = make_tasks(wave, n_units, block_size, error);
    if (status == PK_OK) {
        size_t n_tasks = wave->n_tasks;
#pragma omp parallel for schedule(dynamic, 1) num_threads(run->n_threads)
        for (size_t i = 0; i < n_tasks; i++)
            run_task(wave, &wave->tasks[i], &wave->workers[omp_get_thread_num()]);
        for (int t = 0; t < run->n_threads; t++)
            hand_over(wave, &wave->workers[t]);
        if (wave->status != PK_OK) {
            *error = wave->error;
            status = wave->status;
        }
    }
    for (size_t i = 0; status == PK_OK && wave->placing != NULL && i < n_units; i++)
        pk_fold_queues(&run->fold, wave->placed[i].queues, run->fold.i_unit + i);
    free_places(wave, n_units);
    if (status == PK_OK)
        fold_wave(wave, n_units);
    keep_last_winners(wave, n_replications);
    return status;
}

/* Units in flight at once: enough that threads seldom wait for each other, but no more memory than 256 MiB where fewer
 * units will do. Memory depends on threads, tables and places, not on people. */
static size_t units_in_wave(const struct pk_run *run, size_t n_units)
{
    uint64_t wanted = run->n_threads > 1 ? 8 * (uint64_t)run->n_threads : 1;
    const struct pk_plan *plan = run->collection.plan;
    uint64_t bytes = pk_collection_bytes(&run->collection) + 1;
    for (size_t a = 0; a < plan->n_arms; a++)
        bytes += plan->arms[a].queued ? pk_queues_bytes(plan) : 0;
    uint64_t affordable = (UINT64_C(256) << 20) / bytes;
    if (affordable < 1)
        affordable = 1;
    wanted = wanted < affordable ? wanted : affordable;
    return (size_t)(wanted < n_units ? wanted : n_units);
}

/* The units after which it is next asked whether the figure is known well enough: a quarter more replications each
 * time, whatever the threads. */
static size_t look_after(const struct pk_run *run, size_t done)
{
    int64_t replications = FIRST_LOOK;
    while (replications * run->n_batches <= (int64_t)done)
        replications += (replications + 3) / 4;
    replications = replications < run->n_replications ? replications : run->n_replications;
    return (size_t)(replications * run->n_batches);
}

static bool precise_enough(struct pk_run *run, const struct pk_scenario *scenario, const struct pk_values *values)
{
    const struct pk_precision *wanted = &scenario->precision;
    run->reached = pk_run_precision(run, scenario, values, wanted->i_outcome, wanted->i_arm, wanted->i_against);
    return run->reached <= wanted->standard_error;
}

enum pk_status pk_run_simulate(struct pk_run *run, const struct pk_plan *plan, const struct pk_model *model,
                               const struct pk_scenario *scenario, const struct pk_values *values,
                               const struct pk_run_options *options, struct pk_error *error)
{
    memset(run, 0, sizeof *run);
    double began = pk_seconds_now();
    struct wave wave = {
        .options = options, .plan = plan, .run = run, .base_replication = (uint64_t)options->first_replication};
    run->n_threads = options->n_threads > 0 ? options->n_threads : omp_get_max_threads();
    run->n_replications = options->n_replications > 0 ? options->n_replications : scenario->replications;
    run->n_batches = pk_run_batches(scenario, run->n_replications);
    double persons = (double)plan->n_persons; /* on average */
    for (size_t y = 0; y < plan->inflow.n_years; y++)
        persons += plan->inflow.mean[y];
    if ((double)run->n_batches > persons)
        run->n_batches = persons > 1 ? (int64_t)persons : 1;
    for (size_t i = 0; i < plan->n_lotteries; i++)
        wave.shares |= (uint64_t)plan->lotteries[i].by_share << i;
    uint64_t block_size = options->block_size > 0 ? options->block_size : DEFAULT_BLOCK;
    size_t n_units = (size_t)(run->n_replications * run->n_batches), n_in_wave = 0;
    enum pk_status status = PK_OK;
    if (!pk_rng_fits(plan->n_persons > 0 ? plan->n_persons - 1 : 0,
                     wave.base_replication + (uint64_t)run->n_replications - 1, 0))
        status = pk_error_set(error, PK_BAD_INPUT, "more than 2^24 replications or 2^40 people");
    if (status == PK_OK)
        status = pk_collection_init(&run->collection, plan, model, scenario, values, error);
    if (status == PK_OK)
        status = pk_fold_init(&run->fold, &run->collection, n_units, !options->enrolled_only, error);
    if (status == PK_OK)
        status = pk_fold_make_room(&run->fold, (size_t)run->n_threads, error);
    if (status == PK_OK) {
        n_in_wave = units_in_wave(run, n_units);
        status = init_wave(&wave, n_in_wave, error);
    }
    struct pk_saved saved = {.path = options->saved, .identity = options->identity, .n_batches = run->n_batches};
    size_t done = 0, next_look = 0;
    if (status == PK_OK && saved.path != NULL) {
        saved.last = pk_seconds_now();
        pk_saved_resume(&saved, &run->fold, &done);
        run->n_resumed = (int64_t)done / run->n_batches;
    }
    const bool looks = options->n_replications == 0 && scenario->precision.i_outcome != SIZE_MAX;
    while (done < n_units && status == PK_OK) {
        size_t end = looks ? next_look = look_after(run, done) : n_units;
        size_t n = end - done < n_in_wave ? end - done : n_in_wave;
        wave.first_unit = done;
        status = run_wave(&wave, n, block_size, error);
        done += n;
        if (options->progress != NULL)
            options->progress((double)done / (double)n_units, options->progress_data);
        if (status == PK_OK && looks && done == next_look && precise_enough(run, scenario, values))
            break;
        if (status == PK_OK && saved.path != NULL && pk_seconds_now() - saved.last >= options->save_seconds &&
            done < n_units) {
            pk_saved_write(&saved, &run->fold);
            saved.last = pk_seconds_now();
        }
    }
    if (status == PK_OK && looks) {
        run->precise = precise_enough(run, scenario, values);
        pk_fold_stop(&run->fold);
        run->n_replications = (int64_t)done / run->n_batches;
    }
    if (options->stages != NULL && wave.placing != NULL)
        options->stages->n_calendar = pk_placing_events(wave.placing);
    for (int t = 0; wave.workers != NULL && t < run->n_threads; t++) {
        for (size_t s = 0; options->stages != NULL && s < PK_STAGE_COUNT; s++)
            options->stages->spent[s] += wave.workers[t].stages.spent[s];
    }
    free_wave(&wave, run->n_threads, n_in_wave);
    run->seconds = pk_seconds_now() - began;
    if (status != PK_OK)
        pk_run_free(run);
    return status;
}

void pk_run_free(struct pk_run *run)
{
    if (run == NULL)
        return;
    pk_fold_free(&run->fold);
    pk_collection_free(&run->collection);
    memset(run, 0, sizeof *run);
}

int pk_run_workers(int n_threads)
{
    return n_threads > 0 ? n_threads : omp_get_max_threads();
}

void pk_run_each_told(size_t n, int n_workers, void (*task)(size_t i, int i_worker, void *data),
                      bool (*told)(size_t i, void *data), void *data)
{
    bool go_on = true;
#pragma omp parallel for schedule(dynamic, 1) num_threads(n_workers)
    for (size_t i = 0; i < n; i++) {
        bool going;
#pragma omp atomic read
        going = go_on;
        if (!going)
            continue;
        task(i, omp_get_thread_num(), data);
#pragma omp critical(pk_run_told)
        if (!told(i, data)) {
#pragma omp atomic write
            go_on = false;
        }
    }
}

void pk_run_each(size_t n, int n_workers, void (*task)(size_t i, int i_worker, void *data), void *data)
{
#pragma omp parallel for schedule(dynamic, 1) num_threads(n_workers)
    for (size_t i = 0; i < n; i++)
        task(i, omp_get_thread_num(), data);
}
