/* Who is enrolled. See lottery.h. */
#include "polku/lottery.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

uint64_t pk_lottery_persons(const struct pk_plan_lottery *lottery, uint64_t n_eligible)
{
    return lottery->quota > 0 ? (uint64_t)floor(lottery->quota * (double)n_eligible + 0.5) : lottery->persons;
}

uint64_t pk_lottery_bound(const struct pk_plan *plan, size_t i_lottery, unsigned attempt)
{
    if (plan->lotteries[i_lottery].quota > 0) /* of how many is known once all are */
        return UINT64_MAX;
    /* four times the winners' share at first, eight times more at each further attempt */
    double share = 4.0 * ((double)plan->lotteries[i_lottery].persons + 16) / (double)plan->n_persons;
    for (unsigned i = 0; i < attempt; i++)
        share *= 8;
    return share >= 1 ? UINT64_MAX : (uint64_t)(share * 0x1p64);
}

static enum pk_status add_ticket(struct pk_tickets *tickets, struct pk_ticket ticket, struct pk_error *error)
{
    if (tickets->n == tickets->room) {
        size_t room = tickets->room ? tickets->room * 2 : 64;
        struct pk_ticket *grown = pk_realloc(tickets->items, room, sizeof *grown);
        if (grown == NULL)
            return pk_error_set(error, PK_NO_MEMORY, "no memory for %zu people who may be enrolled", room);
        tickets->items = grown;
        tickets->room = room;
    }
    tickets->items[tickets->n++] = ticket;
    return PK_OK;
}

enum pk_status pk_lottery_scan(const struct pk_plan *plan, size_t i_lottery, uint32_t replication, uint64_t from,
                               uint64_t to, uint64_t bound, enum pk_vectors vectors, struct pk_tickets *tickets,
                               struct pk_error *error)
{
    enum { AT_ONCE = 256 }; /* divides 2^32 */
    const size_t i_target = plan->lotteries[i_lottery].i_target;
    enum pk_status status = PK_OK;
    uint64_t ids[AT_ONCE + 32], lots[AT_ONCE + 32];
    while (from < to && status == PK_OK) {
        const size_t n_block = AT_ONCE - (size_t)(from % AT_ONCE),
                     n = to - from < n_block ? (size_t)(to - from) : n_block;
        const size_t n_list = pk_persons_lots(plan, i_target, replication, from, n, bound, vectors, ids, lots);
        for (size_t i = 0; i < n_list && status == PK_OK; i++) {
            struct pk_person person;
            pk_person_make_read(plan, replication, ids[i], &person);
            if (pk_person_is_eligible(plan, &plan->targets[i_target], &person))
                status = add_ticket(tickets, (struct pk_ticket){.lot = lots[i], .id = ids[i]}, error);
        }
        from += n;
    }
    return status;
}

static int by_lot(const void *a, const void *b)
{
    const struct pk_ticket *x = a, *y = b;
    if (x->lot != y->lot)
        return x->lot < y->lot ? -1 : 1;
    return (x->id > y->id) - (x->id < y->id);
}

static int by_id(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

enum pk_status pk_lottery_draw(const struct pk_plan *plan, size_t i_lottery, uint64_t bound, struct pk_tickets *parts,
                               size_t n_parts, bool *enough, uint64_t **winners, size_t *n_winners,
                               struct pk_error *error)
{
    size_t n = 0;
    for (size_t i = 0; i < n_parts; i++)
        n += parts[i].n;
    const uint64_t persons = pk_lottery_persons(&plan->lotteries[i_lottery], n);
    struct pk_ticket *all = NULL;
    uint64_t *ids = NULL;
    enum pk_status status = PK_OK;
    *enough = n >= persons || bound == UINT64_MAX;
    if (*enough) {
        size_t n_ids = n < persons ? n : (size_t)persons;
        all = pk_alloc(n, sizeof *all);
        ids = pk_alloc(n_ids, sizeof *ids);
        if (all == NULL || ids == NULL) {
            status = pk_error_set(error, PK_NO_MEMORY, "no memory for %zu people who may be enrolled", n);
        } else {
            n = 0;
            for (size_t i = 0; i < n_parts; i++) {
                if (parts[i].n > 0)
                    memcpy(all + n, parts[i].items, parts[i].n * sizeof *all);
                n += parts[i].n;
            }
            qsort(all, n, sizeof *all, by_lot);
            for (size_t i = 0; i < n_ids; i++)
                ids[i] = all[i].id;
            qsort(ids, n_ids, sizeof *ids, by_id);
            *winners = ids;
            *n_winners = n_ids;
            ids = NULL;
        }
    }
    for (size_t i = 0; i < n_parts; i++) {
        pk_free(parts[i].items);
        parts[i] = (struct pk_tickets){0};
    }
    pk_free(all);
    pk_free(ids);
    return status;
}

size_t pk_lottery_place(const uint64_t *winners, size_t n, uint64_t id)
{
    size_t low = 0, high = n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (winners[middle] < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void pk_lottery_won(const struct pk_winners *winners, size_t n_lotteries, const uint64_t *ids, size_t n, uint64_t *won)
{
    memset(won, 0, n * sizeof *won);
    for (size_t k = 0; k < n_lotteries && n > 0; k++) {
        size_t i = 0;
        for (size_t w = pk_lottery_place(winners[k].ids, winners[k].n, ids[0]); w < winners[k].n; w++) {
            i += pk_lottery_place(ids + i, n - i, winners[k].ids[w]);
            if (i == n)
                break;
            won[i] |= (uint64_t)(ids[i] == winners[k].ids[w]) << k;
        }
    }
}

uint64_t pk_lottery_next(const struct pk_winners *winners, size_t n_lotteries, uint64_t id)
{
    uint64_t next = UINT64_MAX;
    for (size_t k = 0; k < n_lotteries; k++) {
        const size_t w = pk_lottery_place(winners[k].ids, winners[k].n, id);
        if (w < winners[k].n && winners[k].ids[w] < next)
            next = winners[k].ids[w];
    }
    return next;
}

uint64_t pk_lottery_shares(const struct pk_plan *plan, const struct pk_person *person)
{
    uint64_t won = 0;
    for (size_t i = 0; i < plan->n_lotteries; i++) {
        const struct pk_plan_lottery *lottery = &plan->lotteries[i];
        if (!lottery->by_share || !(lottery->share > 0) || (person->entry > 0 && !lottery->at_entry))
            continue;
        if (lottery->share < 1 && pk_person_lot(plan, lottery->i_target, person->replication, person->id) >=
                                      (uint64_t)(lottery->share * 0x1p64))
            continue;
        won |= (uint64_t)pk_person_is_eligible(plan, &plan->targets[lottery->i_target], person) << i;
    }
    return won;
}

void pk_granted_free(struct pk_granted *granted)
{
    pk_free(granted->ids);
    pk_free(granted->first);
    pk_free(granted->items);
    pk_free(granted->lost);
    *granted = (struct pk_granted){0};
}

bool pk_lottery_treatment(const struct pk_plan *plan, size_t i_arm, uint64_t lotteries, const struct pk_person *person,
                          const struct pk_granted *granted, struct pk_enrolled *items, struct pk_treatment *treatment)
{
    const struct pk_plan_arm *arm = &plan->arms[i_arm];
    double entry = person != NULL ? person->entry : 0;
    treatment->i_start = person != NULL ? pk_person_start_state(plan, arm, person) : 0;
    treatment->has_start = person != NULL && treatment->i_start != person->state;
    treatment->items = items;
    treatment->n = 0;
    treatment->lost = 0;
    for (size_t i = 0; i < arm->n_enrolments; i++) {
        const struct pk_plan_enrolment *enrolment = &arm->enrolments[i];
        if (enrolment->queued || !(lotteries >> enrolment->i_lottery & 1))
            continue;
        size_t k = treatment->n++;
        for (; k > 0 && items[k - 1].from > entry + enrolment->at; k--)
            items[k] = items[k - 1];
        items[k] = (struct pk_enrolled){.i_service = enrolment->i_service, .from = entry + enrolment->at};
    }
    if (granted != NULL && arm->queued && person != NULL) {
        const size_t i = pk_lottery_place(granted[i_arm].ids, granted[i_arm].n, person->id);
        if (i < granted[i_arm].n && granted[i_arm].ids[i] == person->id) {
            treatment->items = granted[i_arm].items + granted[i_arm].first[i];
            treatment->n = granted[i_arm].first[i + 1] - granted[i_arm].first[i];
            treatment->i_lost = arm->i_displaced;
            if (granted[i_arm].lost != NULL)
                treatment->lost = (double)granted[i_arm].lost[i] * PK_TICK;
            return true; /* touched, whatever came of it */
        }
    }
    return treatment->n > 0 || treatment->has_start;
}
