/* Who gets a place, in every arm of the replications of a wave, before lives are lived. See run_private.h. */
#include <stdlib.h>
#include <string.h>

#include "run_private.h"

enum { RANGE = 65536 /* people of a task that looks for askers */ };

struct pk_placing {
    const struct pk_plan *plan;
    enum pk_vectors vectors;
    uint64_t shares; /* bit per lottery that is decided person by person */
    int n_threads;
    struct pk_places_room **rooms; /* [n_threads] */
    struct pk_persons *people;     /* [n_threads] */
    uint64_t **lotteries;          /* [n_threads][people at once] */
    struct pk_life **lives;        /* [n_threads] */
};

/* One replication on its way. */
struct replication {
    struct pk_placing *placing;
    struct pk_placed *placed;
    const struct pk_crowd *crowd;
    struct pk_winners *winners; /* [n_lotteries] */
    uint32_t replication;
    int i_worker; /* of the replication where it is one thread's; -1: as many as there are */
    size_t n_ranges;
    struct pk_askers *askers;     /* [n_arms][n_ranges], then joined into the first of each arm */
    uint32_t **component_of;      /* [n_arms][n_stations] */
    size_t *n_components;         /* [n_arms] */
    struct pk_granted **parts;    /* [n_arms][n_components] */
    struct pk_openings *openings; /* [n_ranges] of the arm at hand */
    size_t i_arm;
    size_t **first_asker;     /* [n_arms][n_components + 1] */
    enum pk_status *statuses; /* [n tasks] */
    struct pk_error *errors;
    uint64_t *failed;
};

struct pk_placing *pk_placing_make(const struct pk_plan *plan, int n_threads, enum pk_vectors vectors)
{
    struct pk_placing *placing = pk_alloc(1, sizeof *placing);
    struct pk_error ignored;
    if (placing == NULL)
        return NULL;
    placing->plan = plan;
    placing->vectors = vectors;
    placing->n_threads = n_threads;
    for (size_t i = 0; i < plan->n_lotteries; i++)
        placing->shares |= (uint64_t)plan->lotteries[i].by_share << i;
    placing->rooms = pk_alloc((size_t)n_threads, sizeof *placing->rooms);
    placing->people = pk_alloc((size_t)n_threads, sizeof *placing->people);
    placing->lotteries = pk_alloc((size_t)n_threads, sizeof *placing->lotteries);
    placing->lives = pk_alloc((size_t)n_threads, sizeof *placing->lives);
    bool made =
        placing->rooms != NULL && placing->people != NULL && placing->lotteries != NULL && placing->lives != NULL;
    for (int t = 0; made && t < n_threads; t++) {
        placing->rooms[t] = pk_places_room_make(plan);
        placing->lotteries[t] = pk_alloc(PK_PEOPLE_AT_ONCE, sizeof **placing->lotteries);
        placing->lives[t] = pk_alloc(1, sizeof **placing->lives);
        made = placing->rooms[t] != NULL && placing->lotteries[t] != NULL && placing->lives[t] != NULL &&
               pk_persons_init(&placing->people[t], plan, PK_PEOPLE_AT_ONCE, &ignored) == PK_OK;
    }
    if (made)
        return placing;
    pk_placing_free(placing);
    return NULL;
}

void pk_placing_free(struct pk_placing *placing)
{
    if (placing == NULL)
        return;
    for (int t = 0; t < placing->n_threads; t++) {
        if (placing->rooms != NULL)
            pk_places_room_free(placing->rooms[t]);
        if (placing->people != NULL)
            pk_persons_free(&placing->people[t]);
        if (placing->lotteries != NULL)
            pk_free(placing->lotteries[t]);
        if (placing->lives != NULL)
            pk_free(placing->lives[t]);
    }
    pk_free(placing->rooms);
    pk_free(placing->people);
    pk_free(placing->lotteries);
    pk_free(placing->lives);
    pk_free(placing);
}

uint64_t pk_placing_events(const struct pk_placing *placing)
{
    uint64_t n = 0;
    for (int t = 0; t < placing->n_threads; t++)
        n += pk_places_events(placing->rooms[t]);
    return n;
}

void pk_placed_free(struct pk_placed *placed, const struct pk_plan *plan)
{
    for (size_t a = 0; a < plan->n_arms; a++) {
        if (placed->granted != NULL)
            pk_granted_free(&placed->granted[a]);
        if (placed->queues != NULL)
            pk_queues_free(&placed->queues[a]);
    }
    pk_free(placed->granted);
    pk_free(placed->queues);
    *placed = (struct pk_placed){0};
}

/* ---- who asks ------------------------------------------------------------------------------------------------- */

static uint64_t range_end(const struct replication *r, size_t i)
{
    const uint64_t to = ((uint64_t)i + 1) * RANGE;
    return to < r->crowd->n_persons ? to : r->crowd->n_persons;
}

/* The people from a place in the crowd on, as many as there is room for, and what they have won. */
static void make_people(const struct replication *r, size_t worker, uint64_t at, uint64_t end)
{
    const struct pk_placing *placing = r->placing;
    struct pk_persons *people = &placing->people[worker];
    uint64_t *lotteries = placing->lotteries[worker];
    const size_t n = end - at < PK_PEOPLE_AT_ONCE ? (size_t)(end - at) : PK_PEOPLE_AT_ONCE;
    pk_crowd_ids(r->crowd, at, 1, n, people->ids);
    pk_persons_make(people, r->replication, n, placing->vectors);
    pk_lottery_won(r->winners, placing->plan->n_lotteries, people->ids, n, lotteries);
    for (size_t k = 0; k < n && placing->shares != 0; k++) {
        struct pk_person person;
        pk_persons_person(people, k, &person);
        lotteries[k] |= pk_lottery_shares(placing->plan, &person);
    }
}

static void scan_range(size_t i, int i_worker, void *data)
{
    struct replication *r = data;
    const struct pk_placing *placing = r->placing;
    const size_t worker = (size_t)(r->i_worker >= 0 ? r->i_worker : i_worker);
    const uint64_t end = range_end(r, i);
    for (uint64_t at = (uint64_t)i * RANGE; at < end; at += PK_PEOPLE_AT_ONCE) {
        make_people(r, worker, at, end);
        for (size_t a = 0; a < placing->plan->n_arms; a++) {
            if (!placing->plan->arms[a].queued || placing->plan->arms[a].i_like != SIZE_MAX)
                continue;
            r->statuses[i] =
                pk_places_scan(placing->rooms[worker], a, &placing->people[worker], placing->lotteries[worker],
                               &r->askers[a * r->n_ranges + i], &r->failed[i], &r->errors[i]);
            if (r->statuses[i] != PK_OK)
                return;
        }
    }
}

/* An arm's askers of all ranges into the first. */
static enum pk_status join_askers(struct replication *r, size_t i_arm, struct pk_error *error)
{
    struct pk_askers *all = &r->askers[i_arm * r->n_ranges];
    size_t n = 0;
    for (size_t i = 0; i < r->n_ranges; i++)
        n += all[i].n;
    struct pk_asker *items = pk_realloc(all->items, n + 1, sizeof *items);
    if (items == NULL)
        return pk_error_set(error, PK_NO_MEMORY, "no memory for %zu people who ask for places", n);
    all->items = items;
    all->room = n + 1;
    for (size_t i = 1; i < r->n_ranges; i++) {
        if (all[i].n > 0)
            memcpy(items + all->n, all[i].items, all[i].n * sizeof *items);
        all->n += all[i].n;
        pk_free(all[i].items);
        all[i] = (struct pk_askers){0};
    }
    return PK_OK;
}

static int by_id(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Whoever asks, or loses an event, in some arm that has the lottery has won it. */
static enum pk_status tell_winners(struct replication *r, size_t i_lottery, struct pk_error *error)
{
    const struct pk_plan *plan = r->placing->plan;
    struct pk_winners *winners = &r->winners[i_lottery];
    size_t n = 0, n_once = 0;
    for (int pass = 0; pass < 2; pass++) {
        for (size_t a = 0; a < plan->n_arms; a++) {
            bool has = false;
            for (size_t i = 0; i < plan->arms[a].n_enrolments; i++)
                has |= plan->arms[a].enrolments[i].i_lottery == i_lottery;
            const struct pk_granted *granted = &r->placed->granted[a];
            has |= plan->lotteries[i_lottery].displaced && plan->arms[a].displaced > 0;
            for (size_t k = 0; has && pass == 1 && k < granted->n; k++)
                winners->ids[winners->n++] = granted->ids[k];
            n += has && pass == 0 ? granted->n : 0;
        }
        if (pass == 1)
            break;
        pk_free(winners->ids);
        winners->ids = pk_alloc(n + 1, sizeof *winners->ids);
        winners->n = 0;
        if (winners->ids == NULL)
            return pk_error_set(error, PK_NO_MEMORY, "no memory for %zu people who ask for places", n);
    }
    qsort(winners->ids, winners->n, sizeof *winners->ids, by_id);
    for (size_t i = 0; i < winners->n; i++)
        if (i == 0 || winners->ids[i] != winners->ids[n_once - 1])
            winners->ids[n_once++] = winners->ids[i];
    winners->n = n_once;
    winners->drawn = true;
    return PK_OK;
}

/* ---- calendars ------------------------------------------------------------------------------------------------ */

static void run_component(size_t i, int i_worker, void *data)
{
    struct replication *r = data;
    struct pk_placing *placing = r->placing;
    size_t a = 0, c = i;
    for (; c >= r->n_components[a]; a++)
        c -= r->n_components[a];
    const size_t from = r->first_asker[a][c], to = r->first_asker[a][c + 1];
    r->statuses[i] = pk_places_run(placing->rooms[r->i_worker >= 0 ? r->i_worker : i_worker], a, r->replication,
                                   (uint32_t)c, r->askers[a * r->n_ranges].items + from, to - from, r->component_of[a],
                                   &r->placed->queues[a], &r->parts[a][c], &r->failed[i], &r->errors[i]);
}

static enum pk_status split_arm(struct replication *r, size_t i_arm, struct pk_error *error)
{
    const struct pk_plan *plan = r->placing->plan;
    struct pk_askers *askers = &r->askers[i_arm * r->n_ranges];
    r->component_of[i_arm] = pk_alloc(plan->n_stations + 1, sizeof **r->component_of);
    if (r->component_of[i_arm] == NULL)
        return pk_error_set(error, PK_NO_MEMORY, "no memory for places");
    const size_t n = pk_places_split(plan, i_arm, r->replication, askers, r->component_of[i_arm]);
    r->n_components[i_arm] = n;
    r->parts[i_arm] = pk_alloc(n + 1, sizeof **r->parts);
    r->first_asker[i_arm] = pk_alloc(n + 1, sizeof **r->first_asker);
    if (r->parts[i_arm] == NULL || r->first_asker[i_arm] == NULL)
        return pk_error_set(error, PK_NO_MEMORY, "no memory for places");
    for (size_t k = 0; k < askers->n; k++)
        r->first_asker[i_arm][askers->items[k].component + 1]++;
    for (size_t c = 0; c < n; c++)
        r->first_asker[i_arm][c + 1] += r->first_asker[i_arm][c];
    return PK_OK;
}

static enum pk_status each(struct replication *r, size_t n, void (*task)(size_t i, int i_worker, void *data),
                           uint64_t *failed, struct pk_error *error)
{
    r->statuses = pk_alloc(n + 1, sizeof *r->statuses);
    r->errors = pk_alloc(n + 1, sizeof *r->errors);
    r->failed = pk_alloc(n + 1, sizeof *r->failed);
    enum pk_status status = PK_OK;
    if (r->statuses == NULL || r->errors == NULL || r->failed == NULL)
        status = pk_error_set(error, PK_NO_MEMORY, "no memory for places");
    else if (r->i_worker >= 0)
        for (size_t i = 0; i < n; i++)
            task(i, r->i_worker, r);
    else
        pk_run_each(n, r->placing->n_threads, task, r);
    for (size_t i = 0; i < n && status == PK_OK; i++) /* the first in their order */
        if (r->statuses[i] != PK_OK) {
            status = r->statuses[i];
            *error = r->errors[i];
            *failed = r->failed[i];
        }
    pk_free(r->statuses);
    pk_free(r->errors);
    pk_free(r->failed);
    return status;
}

/* ---- who is displaced ----------------------------------------------------------------------------------------- */

static void open_range(size_t i, int i_worker, void *data)
{
    struct replication *r = data;
    const struct pk_placing *placing = r->placing;
    const size_t worker = (size_t)(r->i_worker >= 0 ? r->i_worker : i_worker);
    const uint64_t end = range_end(r, i);
    for (uint64_t at = (uint64_t)i * RANGE; at < end && r->statuses[i] == PK_OK; at += PK_PEOPLE_AT_ONCE) {
        make_people(r, worker, at, end);
        r->statuses[i] = pk_places_openings(placing->plan, r->i_arm, &placing->people[worker],
                                            placing->lotteries[worker], r->placed->granted, placing->lives[worker],
                                            &r->openings[i], &r->failed[i], &r->errors[i]);
    }
}

/* The events that clients take from others, once it is known who has been given what. */
static enum pk_status displace(struct replication *r, size_t i_arm, uint64_t *failed, struct pk_error *error)
{
    r->i_arm = i_arm;
    r->openings = pk_alloc(r->n_ranges, sizeof *r->openings);
    if (r->openings == NULL)
        return pk_error_set(error, PK_NO_MEMORY, "no memory for the people who are displaced");
    enum pk_status status = each(r, r->n_ranges, open_range, failed, error);
    size_t n = 0;
    for (size_t i = 0; i < r->n_ranges; i++)
        n += r->openings[i].n;
    struct pk_openings all = {.items = status == PK_OK ? pk_alloc(n + 1, sizeof *all.items) : NULL, .room = n + 1};
    if (status == PK_OK && all.items == NULL)
        status = pk_error_set(error, PK_NO_MEMORY, "no memory for %zu events that others may take", n);
    for (size_t i = 0; i < r->n_ranges; i++) {
        if (status == PK_OK && r->openings[i].n > 0)
            memcpy(all.items + all.n, r->openings[i].items, r->openings[i].n * sizeof *all.items);
        all.n += r->openings[i].n;
        pk_free(r->openings[i].items);
    }
    pk_free(r->openings);
    if (status == PK_OK)
        status = pk_places_displace(&all, &r->placed->granted[i_arm], error);
    pk_free(all.items);
    return status;
}

static void end_replication(struct replication *r)
{
    const size_t n_arms = r->placing->plan->n_arms;
    for (size_t i = 0; r->askers != NULL && i < n_arms * r->n_ranges; i++)
        pk_free(r->askers[i].items);
    for (size_t a = 0; a < n_arms; a++) {
        if (r->component_of != NULL)
            pk_free(r->component_of[a]);
        if (r->first_asker != NULL)
            pk_free(r->first_asker[a]);
        for (size_t c = 0; r->parts != NULL && r->parts[a] != NULL && c < r->n_components[a]; c++)
            pk_granted_free(&r->parts[a][c]);
        if (r->parts != NULL)
            pk_free(r->parts[a]);
    }
    pk_free(r->askers);
    pk_free(r->component_of);
    pk_free(r->n_components);
    pk_free(r->parts);
    pk_free(r->first_asker);
}

static enum pk_status make_room(struct replication *r, struct pk_error *error)
{
    const struct pk_plan *plan = r->placing->plan;
    struct pk_placed *placed = r->placed;
    const size_t n_arms = plan->n_arms;
    enum pk_status status = PK_OK;
    r->n_ranges = (size_t)((r->crowd->n_persons + RANGE - 1) / RANGE);
    r->n_ranges = r->n_ranges > 0 ? r->n_ranges : 1;
    r->askers = pk_alloc(n_arms * r->n_ranges, sizeof *r->askers);
    r->component_of = pk_alloc(n_arms, sizeof *r->component_of);
    r->n_components = pk_alloc(n_arms, sizeof *r->n_components);
    r->parts = pk_alloc(n_arms, sizeof *r->parts);
    r->first_asker = pk_alloc(n_arms, sizeof *r->first_asker);
    placed->granted = pk_alloc(n_arms, sizeof *placed->granted);
    placed->queues = pk_alloc(n_arms, sizeof *placed->queues);
    if (!r->askers || !r->component_of || !r->n_components || !r->parts || !r->first_asker || !placed->granted ||
        !placed->queues)
        return pk_error_set(error, PK_NO_MEMORY, "no memory for places");
    for (size_t a = 0; a < n_arms && status == PK_OK; a++)
        if (plan->arms[a].queued)
            status = pk_queues_init(&placed->queues[a], plan, error);
    return status;
}

/* The same people ask, at first at the same times, as in another arm: what is known of them there holds here. */
static enum pk_status ask_like(struct replication *r, size_t i_arm, size_t i_like, struct pk_error *error)
{
    const struct pk_askers *there = &r->askers[i_like * r->n_ranges];
    struct pk_askers *here = &r->askers[i_arm * r->n_ranges];
    const size_t n_stations = r->placing->plan->n_stations + 1, n = r->n_components[i_like];
    here->items = pk_alloc(there->n + 1, sizeof *here->items);
    r->component_of[i_arm] = pk_alloc(n_stations, sizeof **r->component_of);
    r->first_asker[i_arm] = pk_alloc(n + 1, sizeof **r->first_asker);
    r->parts[i_arm] = pk_alloc(n + 1, sizeof **r->parts);
    if (!here->items || !r->component_of[i_arm] || !r->first_asker[i_arm] || !r->parts[i_arm])
        return pk_error_set(error, PK_NO_MEMORY, "no memory for %zu people who ask for places", there->n);
    if (there->n > 0)
        memcpy(here->items, there->items, there->n * sizeof *here->items);
    memcpy(r->component_of[i_arm], r->component_of[i_like], n_stations * sizeof **r->component_of);
    memcpy(r->first_asker[i_arm], r->first_asker[i_like], (n + 1) * sizeof **r->first_asker);
    here->n = there->n;
    here->room = there->n + 1;
    r->n_components[i_arm] = n;
    return PK_OK;
}

enum pk_status pk_place_people(struct pk_placing *placing, const struct pk_crowd *crowd, struct pk_winners *winners,
                               uint32_t replication, int i_worker, struct pk_placed *placed, uint64_t *failed,
                               struct pk_error *error)
{
    const struct pk_plan *plan = placing->plan;
    struct replication r = {.placing = placing,
                            .placed = placed,
                            .crowd = crowd,
                            .winners = winners,
                            .replication = replication,
                            .i_worker = i_worker};
    size_t n_components = 0;
    enum pk_status status = make_room(&r, error);
    if (status == PK_OK)
        status = each(&r, r.n_ranges, scan_range, failed, error);
    for (size_t a = 0; a < plan->n_arms && status == PK_OK; a++) {
        if (!plan->arms[a].queued)
            continue;
        if (plan->arms[a].i_like != SIZE_MAX) {
            status = ask_like(&r, a, plan->arms[a].i_like, error);
        } else {
            status = join_askers(&r, a, error);
            if (status == PK_OK)
                status = split_arm(&r, a, error);
        }
        n_components += r.n_components[a];
    }
    if (status == PK_OK)
        status = each(&r, n_components, run_component, failed, error);
    for (size_t a = 0; a < plan->n_arms && status == PK_OK; a++)
        if (plan->arms[a].queued)
            status = pk_places_join(r.parts[a], r.n_components[a], &placed->granted[a], error);
    for (size_t a = 0; a < plan->n_arms && status == PK_OK; a++)
        if (plan->arms[a].displaced > 0)
            status = displace(&r, a, failed, error);
    for (size_t i = 0; i < plan->n_lotteries && status == PK_OK; i++)
        if (plan->lotteries[i].asked)
            status = tell_winners(&r, i, error);
    end_replication(&r);
    if (status != PK_OK)
        pk_placed_free(placed, plan);
    return status;
}
