/* The points of a sweep on all cores. See sweeping.h. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "polku/file.h"
#include "polku/hash.h"
#include "polku/provenance.h"
#include "polku/stages.h"
#include "sweeping_private.h"

void pk_sweeping_range(size_t n_points, size_t i_shard, size_t n_shards, size_t *first, size_t *n)
{
    if (n_shards == 0) {
        *first = 0;
        *n = n_points;
        return;
    }
    const size_t each = n_points / n_shards, more = n_points % n_shards;
    *first = i_shard * each + (i_shard < more ? i_shard : more);
    *n = each + (i_shard < more);
}

/* ---- identity ----------------------------------------------------------------------------------------------- */

static void mix_text(uint64_t *sum, const char *text)
{
    const size_t size = strlen(text);
    pk_hash_mix(sum, &size, sizeof size);
    pk_hash_mix(sum, text, size);
}

static void mix_attachments(uint64_t *sum, const struct pk_attachments *attachments)
{
    for (size_t i = 0; i < attachments->n; i++) {
        mix_text(sum, attachments->items[i].name);
        pk_hash_mix(sum, attachments->items[i].text, attachments->items[i].size);
    }
}

static void mix_factor(uint64_t *sum, const struct pk_factor *factor)
{
    const uint64_t numbers[] = {factor->kind, factor->n_options};
    mix_text(sum, factor->name);
    pk_hash_mix(sum, numbers, sizeof numbers);
    for (size_t o = 0; o < factor->n_options; o++) {
        const struct pk_option *option = &factor->options[o];
        mix_text(sum, option->name);
        for (size_t k = 0; k < option->n_sets; k++) {
            mix_text(sum, option->sets[k].parameter);
            mix_text(sum, option->sets[k].to);
        }
        pk_hash_mix(sum, option->told_instead, sizeof option->told_instead);
    }
}

static void mix_figure(uint64_t *sum, const struct pk_figure_told *figure)
{
    mix_text(sum, figure->name);
    for (size_t t = 0; t < figure->n_terms; t++) {
        const uint64_t outcome = figure->terms[t].i_outcome;
        pk_hash_mix(sum, &outcome, sizeof outcome);
        pk_hash_mix(sum, &figure->terms[t].weight, sizeof figure->terms[t].weight);
    }
    const uint64_t numbers[] = {figure->i_arm, figure->i_against, figure->per_person, figure->net};
    pk_hash_mix(sum, numbers, sizeof numbers);
}

enum pk_status pk_sweeping_identity(const struct pk_study *study, const struct pk_scenario *scenario,
                                    const struct pk_model *model, uint64_t *identity, struct pk_error *error)
{
    const struct pk_sweep *sweep = study->sweep;
    struct pk_values values;
    struct pk_plan plan;
    uint64_t sum = PK_HASH_START;
    mix_text(&sum, study->name);
    pk_hash_mix(&sum, &study->seed, sizeof study->seed);
    for (size_t f = 0; f < sweep->n_factors; f++)
        mix_factor(&sum, &sweep->factors[f]);
    for (size_t i = 0; i < sweep->n_followers; i++) {
        mix_text(&sum, sweep->followers[i].name);
        const double numbers[] = {(double)sweep->followers[i].i_factor, sweep->followers[i].times,
                                  sweep->followers[i].plus};
        pk_hash_mix(&sum, numbers, sizeof numbers);
    }
    for (size_t i = 0; i < sweep->n_figures; i++)
        mix_figure(&sum, &sweep->figures[i]);
    pk_hash_mix(&sum, &sweep->batches, sizeof sweep->batches);
    if (scenario == NULL) {
        *identity = sum;
        return PK_OK;
    }
    mix_text(&sum, pk_provenance_revision());
    pk_hash_mix(&sum, model->text, model->text_size);
    mix_attachments(&sum, &model->attachments);
    pk_hash_mix(&sum, scenario->text, scenario->text_size);
    mix_attachments(&sum, &scenario->attachments);
    const enum pk_status status = pk_pointing_base(scenario, model, &values, &plan, error);
    if (status != PK_OK)
        return status;
    const uint64_t digest = pk_plan_digest(&plan);
    pk_hash_mix(&sum, &digest, sizeof digest);
    pk_hash_mix(&sum, values.used, values.n * sizeof *values.used);
    pk_plan_free(&plan);
    pk_values_free(&values);
    *identity = sum;
    return PK_OK;
}

/* ---- what is done ------------------------------------------------------------------------------------------- */

/* Finished points of an interrupted sweep: keys, figures, errors. Of one kind of machine. */
struct head {
    char magic[16];
    uint64_t identity, n_figures, n;
};

enum { MOST_BYTES = 1 << 30 };

static void keep(const struct pk_sample *sample, const bool *known, const char *path)
{
    const size_t each = sizeof(uint64_t) + 2 * sample->n_figures * sizeof(double);
    struct head head = {.magic = "polku points 1", .identity = sample->identity, .n_figures = sample->n_figures};
    struct pk_error ignored;
    for (size_t i = 0; i < sample->n; i++)
        head.n += known[i];
    const size_t size = sizeof head + head.n * each + sizeof(uint64_t);
    char *bytes = size <= MOST_BYTES ? pk_alloc(size, 1) : NULL, *at = bytes;
    if (bytes == NULL)
        return;
    memcpy(at, &head, sizeof head);
    at += sizeof head;
    for (size_t i = 0; i < sample->n; i++) {
        if (!known[i])
            continue;
        memcpy(at, &sample->keys[i], sizeof *sample->keys);
        at += sizeof *sample->keys;
        memcpy(at, sample->y + i * sample->n_figures, sample->n_figures * sizeof(double));
        at += sample->n_figures * sizeof(double);
        memcpy(at, sample->errors + i * sample->n_figures, sample->n_figures * sizeof(double));
        at += sample->n_figures * sizeof(double);
    }
    uint64_t sum = PK_HASH_START;
    pk_hash_mix(&sum, bytes, (size_t)(at - bytes));
    memcpy(at, &sum, sizeof sum);
    const enum pk_status status = pk_file_write(path, bytes, size, &ignored);
    (void)status; /* what cannot be kept is done again */
    pk_free(bytes);
}

/* As many as there are. */
static size_t take_up(struct pk_sample *sample, bool *known, const char *path)
{
    struct pk_error ignored;
    struct head head;
    char *bytes = NULL;
    size_t size = 0, n_taken = 0;
    uint64_t sum = PK_HASH_START, wanted;
    if (pk_file_read(path, MOST_BYTES, &bytes, &size, &ignored) != PK_OK)
        return 0;
    const size_t each = sizeof(uint64_t) + 2 * sample->n_figures * sizeof(double);
    bool ours = size >= sizeof head + sizeof sum;
    if (ours) {
        memcpy(&head, bytes, sizeof head);
        ours = head.n <= size / each;
    }
    if (ours) {
        memcpy(&wanted, bytes + size - sizeof wanted, sizeof wanted);
        pk_hash_mix(&sum, bytes, size - sizeof wanted);
        ours = sum == wanted && memcmp(head.magic, "polku points 1", 15) == 0 && head.identity == sample->identity &&
               head.n_figures == sample->n_figures && size == sizeof head + head.n * each + sizeof sum;
    }
    if (ours) {
        struct pk_sample earlier = {.identity = sample->identity, .n = head.n, .n_figures = head.n_figures};
        earlier.keys = pk_alloc(head.n + 1, sizeof *earlier.keys);
        earlier.y = pk_alloc(head.n * head.n_figures + 1, sizeof *earlier.y);
        earlier.errors = pk_alloc(head.n * head.n_figures + 1, sizeof *earlier.errors);
        const char *at = bytes + sizeof head;
        for (size_t i = 0; earlier.keys && earlier.y && earlier.errors && i < head.n; i++, at += each) {
            memcpy(&earlier.keys[i], at, sizeof *earlier.keys);
            memcpy(earlier.y + i * head.n_figures, at + sizeof(uint64_t), head.n_figures * sizeof(double));
            memcpy(earlier.errors + i * head.n_figures, at + sizeof(uint64_t) + head.n_figures * sizeof(double),
                   head.n_figures * sizeof(double));
        }
        if (earlier.keys && earlier.y && earlier.errors)
            n_taken = pk_sample_take(sample, known, &earlier);
        pk_free(earlier.keys);
        pk_free(earlier.y);
        pk_free(earlier.errors);
    }
    pk_free(bytes);
    return n_taken;
}

size_t pk_sweeping_kept(const char *part, uint64_t identity)
{
    struct head head;
    FILE *file = fopen(part, "rb");
    if (file == NULL)
        return 0;
    const bool whole = fread(&head, sizeof head, 1, file) == 1;
    (void)fclose(file);
    return whole && memcmp(head.magic, "polku points 1", 15) == 0 && head.identity == identity ? head.n : 0;
}

/* ---- the work ----------------------------------------------------------------------------------------------- */

struct work {
    const struct pk_sweeping_request *request;
    const struct pk_pointing *pointing;
    struct pk_sample *sample;
    bool *known;
    size_t *todo, n_todo, n_done;
    enum pk_status *statuses; /* [n_todo] */
    int64_t *transitions;     /* [n_workers] */
    struct pk_error *errors;  /* [n_workers] the first of each that is no point's fault */
    bool *failed;             /* [n_workers] */
    size_t i_impossible;      /* the first point without a meaning */
    char *why;
    size_t why_size;
    double last_kept;
    bool stopped;
};

static void one_point(size_t i, int i_worker, void *data)
{
    struct work *work = data;
    struct pk_sample *sample = work->sample;
    const size_t p = work->todo[i];
    struct pk_error error;
    int64_t n_transitions = 0;
    double *y = sample->y + p * sample->n_figures, *se = sample->errors + p * sample->n_figures;
    work->statuses[i] = pk_pointing_run(work->pointing, sample->x + p * sample->n_quantities,
                                        pk_sample_world(sample, p), y, se, &n_transitions, &error);
    work->transitions[i_worker] += n_transitions;
    for (size_t k = 0; work->statuses[i] != PK_OK && k < sample->n_figures; k++)
        y[k] = se[k] = (double)NAN;
    if (work->statuses[i] != PK_OK && !work->failed[i_worker]) {
        work->errors[i_worker] = error;
        work->failed[i_worker] = work->statuses[i] != PK_BAD_INPUT;
    }
}

static bool after_point(size_t i, void *data)
{
    struct work *work = data;
    const size_t p = work->todo[i];
    work->n_done++;
    if (work->statuses[i] != PK_OK && work->statuses[i] != PK_BAD_INPUT)
        return false;
    work->known[p] = true;
    if (work->request->progress != NULL)
        work->request->progress((double)work->n_done / (double)work->n_todo, work->request->progress_data);
    if (work->request->part != NULL && pk_seconds_now() - work->last_kept >= work->request->keep_seconds) {
        keep(work->sample, work->known, work->request->part);
        work->last_kept = pk_seconds_now();
    }
    if (work->request->stop != NULL && work->request->stop(work->request->progress_data)) {
        work->stopped = true;
        return false;
    }
    return true;
}

/* Why the first point in order that has no meaning has none. */
static void tell_impossible(struct work *work, struct pk_sweeping *sweeping)
{
    const struct pk_sample *sample = work->sample;
    for (size_t p = 0; p < sample->n; p++) {
        if (!pk_sample_is_impossible(sample, p))
            continue;
        if (sweeping->n_impossible++ == 0) {
            struct pk_values values;
            struct pk_plan plan;
            struct pk_error error = {0};
            size_t told_instead[PK_MAX_ARMS];
            const enum pk_status status = pk_pointing_plan(work->pointing, sample->x + p * sample->n_quantities,
                                                           &values, &plan, told_instead, &error);
            if (status == PK_OK) {
                pk_plan_free(&plan);
                pk_values_free(&values);
            }
            snprintf(sweeping->why, sizeof sweeping->why, "point %zu: %.200s", sample->first + p,
                     status != PK_OK ? error.message : "no figure is a number there");
        }
    }
}

static enum pk_status work_off(struct work *work, struct pk_sweeping *sweeping, struct pk_error *error)
{
    const int n_workers = sweeping->n_threads;
    struct pk_sample *sample = work->sample;
    work->todo = pk_alloc(sample->n + 1, sizeof *work->todo);
    work->statuses = pk_alloc(sample->n + 1, sizeof *work->statuses);
    work->transitions = pk_alloc((size_t)n_workers, sizeof *work->transitions);
    work->errors = pk_alloc((size_t)n_workers, sizeof *work->errors);
    work->failed = pk_alloc((size_t)n_workers, sizeof *work->failed);
    enum pk_status status = PK_OK;
    if (!work->todo || !work->statuses || !work->transitions || !work->errors || !work->failed)
        status = pk_error_set(error, PK_NO_MEMORY, "no memory for the points of the study");
    if (status == PK_OK) {
        for (size_t p = 0; p < sample->n; p++)
            if (!work->known[p])
                work->todo[work->n_todo++] = p;
        work->last_kept = pk_seconds_now();
        pk_run_each_told(work->n_todo, n_workers, one_point, after_point, work);
        for (int w = 0; w < n_workers; w++) {
            sweeping->n_transitions += work->transitions[w];
            if (work->failed[w] && status == PK_OK) {
                *error = work->errors[w];
                status = error->status;
            }
        }
        if (work->request->part != NULL && (work->stopped || status != PK_OK))
            keep(sample, work->known, work->request->part);
        if (status == PK_OK && work->stopped)
            status = pk_error_set(error, PK_IO, "interrupted after %zu of %zu points, which are kept", work->n_done,
                                  work->n_todo);
        if (status == PK_OK)
            tell_impossible(work, sweeping);
    }
    pk_free(work->todo);
    pk_free(work->statuses);
    pk_free(work->transitions);
    pk_free(work->errors);
    pk_free(work->failed);
    return status;
}

enum pk_status pk_sweeping_run(struct pk_sweeping *sweeping, const struct pk_study *study,
                               const struct pk_scenario *scenario, const struct pk_model *model,
                               const struct pk_sweeping_request *request, struct pk_error *error)
{
    struct pk_pointing pointing;
    struct work work = {.request = request, .pointing = &pointing, .sample = &sweeping->sample};
    uint64_t identity;
    size_t n_points, first, n;
    const double began = pk_seconds_now();
    memset(sweeping, 0, sizeof *sweeping);
    sweeping->n_threads = pk_run_workers(request->n_threads);
    enum pk_status status = pk_pointing_init(&pointing, study, scenario, model, error);
    if (status != PK_OK)
        return status;
    status = pk_sweeping_replications(study, scenario, model, request->n_threads, &pointing.replications, error);
    if (status == PK_OK)
        status = pk_sweeping_identity(study, scenario, model, &identity, error);
    if (status == PK_OK)
        status = pk_sample_points(study, &n_points, error);
    if (status == PK_OK) {
        pk_sweeping_range(n_points, request->i_shard, request->n_shards, &first, &n);
        status =
            pk_sample_make(&sweeping->sample, study, scenario, model, pointing.replications, identity, first, n, error);
    }
    if (status == PK_OK) {
        struct pk_sample *sample = &sweeping->sample;
        work.known = pk_alloc(sample->n + 1, sizeof *work.known);
        if (work.known == NULL)
            status = pk_error_set(error, PK_NO_MEMORY, "no memory for the points of the study");
        if (status == PK_OK && request->part != NULL)
            sweeping->n_taken += take_up(sample, work.known, request->part);
        for (size_t i = 0; status == PK_OK && i < request->n_earlier; i++) {
            struct pk_sample earlier;
            struct pk_error ignored;
            if (pk_sample_read(&earlier, request->earlier[i], &ignored) != PK_OK)
                continue;
            sweeping->n_taken += pk_sample_take(sample, work.known, &earlier);
            pk_sample_free(&earlier);
        }
        if (status == PK_OK)
            status = work_off(&work, sweeping, error);
        if (status == PK_OK && sample->n == sample->n_all && sweeping->n_impossible == sample->n) /* no shard */
            status = pk_error_set(error, PK_BAD_INPUT, "no point has a meaning; %s", sweeping->why);
        pk_free(work.known);
        if (status != PK_OK)
            pk_sample_free(sample);
    }
    pk_pointing_free(&pointing);
    sweeping->seconds = pk_seconds_now() - began;
    return status;
}

void pk_sweeping_free(struct pk_sweeping *sweeping)
{
    pk_sample_free(&sweeping->sample);
}
