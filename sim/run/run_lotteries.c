/* Who wins the lotteries of some replications, on all threads. See run_private.h. */
#include "run_private.h"

enum { RANGE = 65536 };

/* One lottery of one replication on its way: tickets by ranges of people. */
struct drawing {
    const struct pk_plan *plan;
    enum pk_vectors vectors;
    uint32_t replication;
    size_t i_lottery;
    uint64_t bound;
    struct pk_tickets *parts;
    enum pk_status *statuses;
};

static void scan_part(size_t i, int i_worker, void *data)
{
    struct drawing *drawing = data;
    struct pk_error ignored; /* there was no memory, whoever says so */
    const uint64_t from = (uint64_t)i * RANGE, end = from + RANGE;
    const uint64_t to = end < drawing->plan->n_persons ? end : drawing->plan->n_persons;
    (void)i_worker;
    drawing->statuses[i] = pk_lottery_scan(drawing->plan, drawing->i_lottery, drawing->replication, from, to,
                                           drawing->bound, drawing->vectors, &drawing->parts[i], &ignored);
}

static enum pk_status draw(struct drawing *drawing, int n_threads, struct pk_winners *winners, struct pk_error *error)
{
    const size_t n_parts = (size_t)((drawing->plan->n_persons + RANGE - 1) / RANGE);
    drawing->parts = pk_alloc(n_parts, sizeof *drawing->parts);
    drawing->statuses = pk_alloc(n_parts, sizeof *drawing->statuses);
    enum pk_status status = PK_OK;
    bool enough = false;
    if (drawing->parts == NULL || drawing->statuses == NULL)
        status = pk_error_set(error, PK_NO_MEMORY, "no memory for the people who may be enrolled");
    for (unsigned attempt = 0; !enough && status == PK_OK; attempt++) {
        drawing->bound = pk_lottery_bound(drawing->plan, drawing->i_lottery, attempt);
        pk_run_each(n_parts, n_parts > 1 ? n_threads : 1, scan_part, drawing);
        for (size_t i = 0; i < n_parts; i++)
            if (drawing->statuses[i] != PK_OK)
                status = pk_error_set(error, PK_NO_MEMORY, "no memory for the people who may be enrolled");
        struct pk_error own;
        const enum pk_status drawn =
            pk_lottery_draw(drawing->plan, drawing->i_lottery, status == PK_OK ? drawing->bound : 0, drawing->parts,
                            n_parts, &enough, &winners->ids, &winners->n, &own); /* frees the parts */
        if (status == PK_OK && drawn != PK_OK) {
            status = drawn;
            *error = own;
        }
    }
    pk_free(drawing->parts);
    pk_free(drawing->statuses);
    return status;
}

struct drawings {
    const struct pk_plan *plan;
    enum pk_vectors vectors;
    uint32_t first_replication;
    int n_threads; /* of each */
    struct pk_winners *winners;
    enum pk_status *statuses;
    struct pk_error *errors;
};

static void draw_one(size_t i, int i_worker, void *data)
{
    struct drawings *all = data;
    const struct pk_plan_lottery *lottery = &all->plan->lotteries[i % all->plan->n_lotteries];
    struct drawing drawing = {.plan = all->plan,
                              .vectors = all->vectors,
                              .replication = all->first_replication + (uint32_t)(i / all->plan->n_lotteries),
                              .i_lottery = i % all->plan->n_lotteries};
    (void)i_worker;
    if (all->winners[i].drawn || lottery->by_share || lottery->asked)
        return;
    all->statuses[i] = draw(&drawing, all->n_threads, &all->winners[i], &all->errors[i]);
    all->winners[i].drawn = true;
}

enum pk_status pk_run_lotteries(const struct pk_plan *plan, uint32_t first_replication, uint32_t n_replications,
                                int n_threads, enum pk_vectors vectors, struct pk_winners *winners,
                                struct pk_error *error)
{
    const size_t n = n_replications * plan->n_lotteries;
    const bool side_by_side = plan->n_persons <= RANGE; /* where people are few, a lottery is one thread's */
    struct drawings all = {.plan = plan,
                           .vectors = vectors,
                           .first_replication = first_replication,
                           .n_threads = side_by_side ? 1 : n_threads,
                           .winners = winners,
                           .statuses = pk_alloc(n + 1, sizeof *all.statuses),
                           .errors = pk_alloc(n + 1, sizeof *all.errors)};
    enum pk_status status = PK_OK;
    if (all.statuses == NULL || all.errors == NULL)
        status = pk_error_set(error, PK_NO_MEMORY, "no memory for the people who may be enrolled");
    else
        pk_run_each(n, side_by_side ? n_threads : 1, draw_one, &all);
    for (size_t i = 0; i < n && status == PK_OK; i++)
        if (all.statuses[i] != PK_OK) {
            status = all.statuses[i];
            *error = all.errors[i];
        }
    pk_free(all.statuses);
    pk_free(all.errors);
    return status;
}
