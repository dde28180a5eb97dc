/* See slow_places.h; stations: slow_station.c, places held: slow_held.c. */
#include "slow_places.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "polku/memory.h"
#include "slow_station.h"

#define TICKS 1048576.0L

static uint64_t rank_of(const struct pk_plan *plan, const struct pk_person *person, size_t stream, size_t spell,
                        size_t turn)
{
    const double u = slow_draw_of(plan, person, stream, PK_ROLE_RANK, spell, turn).first;
    return (uint64_t)ldexp(u, 52) * 4096 + person->id % 4096;
}

/* ---- what people would do next ----------------------------------------------------------------------------------- */

static void live(struct slow_places *twin, struct slow_client *client)
{
    static struct slow_stay stays[PK_LIFE_MAX_EVENTS + 1];
    const size_t n = slow_places_live(twin->plan, &client->person, &client->treatment, stays);
    for (size_t i = 0; i + 1 < client->n_stays && client->stays[i].to <= client->given; i++)
        cr_assert(i + 1 < n && stays[i].to == client->stays[i].to && stays[i].state == client->stays[i].state,
                  "what is given to person %llu changes what they have lived already",
                  (unsigned long long)client->person.id);
    client->stays = pk_realloc(client->stays, n, sizeof *stays);
    cr_assert_not_null(client->stays);
    memcpy(client->stays, stays, n * sizeof *stays);
    client->n_stays = n;
}

static int64_t referred_at(const struct slow_client *client, const struct slow_want *want,
                           const struct pk_plan_referral *referral)
{
    const long double born = -(long double)client->person.age;
    long double left = want->exponential;
    for (size_t s = 0; s < client->n_stays; s++) {
        const struct slow_stay *stay = &client->stays[s];
        if (!(referral->states >> stay->state & 1))
            continue;
        long double from = fmaxl(stay->from / TICKS, want->spent_from / TICKS), to = stay->to / TICKS;
        from = fmaxl(fmaxl(from, referral->from), born + referral->age_low);
        to = fminl(fminl(to, referral->to), born + referral->age_high);
        const long double zero = slow_zero_of(&referral->rate, &client->person, &client->treatment, stay, s == 0, 0);
        const long double time = from < to ? slow_spend_one(&referral->rate, zero, &left, from, to) : INFINITY;
        if (!isinf(time))
            return rintl(time * TICKS) < stay->to ? (int64_t)rintl(time * TICKS) : stay->to - 1;
    }
    return SLOW_NEVER;
}

/* Leaves the line: by giving up, or with the first state that is not one of those who may wait. */
static int64_t leaves_at(const struct slow_places *twin, const struct slow_client *client, const struct slow_want *want,
                         const struct pk_plan_referral *referral, bool *reneges)
{
    for (size_t s = 0; s < client->n_stays; s++) {
        const struct slow_stay *stay = &client->stays[s];
        const int64_t from = stay->from > twin->now ? stay->from : twin->now;
        *reneges = referral->states >> stay->state & 1;
        if (stay->to <= from)
            continue;
        if (!*reneges)
            return from;
        if (want->patience < stay->to)
            return want->patience > from ? want->patience : from;
    }
    return SLOW_NEVER;
}

/* Nobody asks once they are in a state without end. */
static int64_t asks_at(const struct slow_places *twin, const struct slow_client *client, int64_t tick)
{
    size_t s = 0;
    while (s + 1 < client->n_stays && client->stays[s].to <= tick)
        s++;
    return twin->plan->states[client->stays[s].state].absorbing ? SLOW_NEVER : tick;
}

static struct slow_thing thing_of(const struct slow_places *twin, const struct slow_client *client, size_t i_want)
{
    const struct slow_want *want = &client->wants[i_want];
    const struct pk_plan_enrolment *enrolment = &twin->arm->enrolments[i_want];
    struct slow_thing thing = {.tick = SLOW_NEVER,
                               .kind = want->phase == SLOW_IDLE ? SLOW_REQUEST : SLOW_DEPART,
                               .rank = client->rank,
                               .who = (size_t)(client - twin->clients),
                               .i_want = i_want};
    if (want->phase == SLOW_IDLE && enrolment->referral.by_rate)
        thing.tick = referred_at(client, want, &enrolment->referral);
    else if (want->phase == SLOW_IDLE)
        thing.tick = asks_at(twin, client, (int64_t)((client->person.entry + enrolment->at) * TICKS));
    else if (want->phase == SLOW_WAITING)
        thing.tick = leaves_at(twin, client, want, &enrolment->referral, &thing.reneges);
    else if (want->phase == SLOW_SERVED)
        thing.tick = slow_places_release(twin->plan, &client->person, &client->treatment, want->i_item, client->stays,
                                         client->n_stays);
    cr_assert(thing.tick >= twin->now, "person %llu would have done something at %lld before %lld",
              (unsigned long long)client->person.id, (long long)thing.tick, (long long)twin->now);
    return thing;
}

static bool is_earlier(const struct slow_thing *a, const struct slow_thing *b)
{
    if (a->tick != b->tick)
        return a->tick < b->tick;
    if (a->kind != b->kind)
        return a->kind < b->kind;
    return a->rank != b->rank ? a->rank < b->rank : a->i_want < b->i_want;
}

static struct slow_thing earliest(struct slow_places *twin)
{
    struct slow_thing first = slow_station_next_change(twin);
    for (size_t i = 0; i < twin->n; i++) {
        struct slow_client *client = &twin->clients[i];
        if (!client->known || twin->slowly) {
            live(twin, client);
            client->thing = (struct slow_thing){.tick = SLOW_NEVER};
            for (size_t k = 0; k < twin->arm->n_enrolments; k++) {
                const struct slow_thing thing = thing_of(twin, client, k);
                if (is_earlier(&thing, &client->thing))
                    client->thing = thing;
            }
            client->known = true;
        }
        if (is_earlier(&client->thing, &first))
            first = client->thing;
    }
    return first;
}

/* ---- what happens ------------------------------------------------------------------------------------------------ */

static void may_ask_again(struct slow_places *twin, struct slow_client *client, size_t i_want, bool was_served)
{
    const struct pk_plan_enrolment *enrolment = &twin->arm->enrolments[i_want];
    const enum pk_requests again = twin->plan->services[enrolment->i_service].places.again;
    struct slow_want *want = &client->wants[i_want];
    client->known = false;
    want->phase = SLOW_OVER;
    if (enrolment->referral.by_rate &&
        (again == PK_REQUESTS_ALWAYS || (again == PK_REQUESTS_UNTIL_SERVED && !was_served))) {
        want->phase = SLOW_IDLE;
        want->spent_from = twin->now;
        want->exponential = -logl(slow_draw_of(twin->plan, &client->person, enrolment->referral.stream,
                                               PK_ROLE_REFERRAL, want->n_requests, enrolment->referral.ordinal)
                                      .first);
    }
}

static size_t stay_now(const struct slow_places *twin, const struct slow_client *client)
{
    size_t s = 0;
    while (client->stays[s].to <= twin->now)
        s++;
    return s;
}

static int64_t patience_of(const struct slow_places *twin, const struct slow_client *client, size_t i_service,
                           unsigned i_request, size_t turn)
{
    const struct pk_plan_places *places = &twin->plan->services[i_service].places;
    const size_t s = stay_now(twin, client);
    if (!places->reneges)
        return SLOW_NEVER;
    long double left =
        -logl(slow_draw_of(twin->plan, &client->person, i_service, PK_ROLE_QUEUE, i_request, turn).second);
    const long double zero = slow_zero_of(&places->renege, &client->person, &client->treatment, &client->stays[s],
                                          s == 0, twin->now / TICKS);
    const long double time = slow_spend_one(&places->renege, zero, &left, twin->now / TICKS, twin->plan->horizon + 1);
    if (isinf(time))
        return SLOW_NEVER;
    return rintl(time * TICKS) > twin->now ? (int64_t)rintl(time * TICKS) : twin->now + 1;
}

static void ask(struct slow_places *twin, struct slow_client *client, size_t i_want)
{
    struct slow_want *want = &client->wants[i_want];
    const size_t i_service = twin->arm->enrolments[i_want].i_service;
    const struct pk_plan_places *places = &twin->plan->services[i_service].places;
    struct slow_station *station = slow_station_of(twin, i_service, &client->person);
    const unsigned i_request = want->n_requests++;
    size_t turn = 0;
    for (size_t k = 0; k < i_want; k++)
        turn += twin->arm->enrolments[k].queued && twin->arm->enrolments[k].i_service == i_service;
    client->asked = true;
    twin->n_requests++;
    for (size_t k = 0; k < twin->arm->n_enrolments; k++) {
        const int phase = client->wants[k].phase;
        if (k != i_want && twin->arm->enrolments[k].i_service == i_service &&
            (phase == SLOW_WAITING || phase == SLOW_SERVED)) {
            may_ask_again(twin, client, i_want, false);
            return;
        }
    }
    slow_station_note(twin, station, PK_QUEUE_REQUESTED);
    if (!(twin->arm->enrolments[i_want].referral.states >> client->stays[stay_now(twin, client)].state & 1)) {
        slow_station_note(twin, station, PK_QUEUE_LEFT);
        may_ask_again(twin, client, i_want, false);
        return;
    }
    const uint64_t n_free = slow_station_free(twin, station);
    if (n_free <= station->waiting) {
        const bool closed = slow_station_is_closed(twin, station),
                   baulks = slow_draw_of(twin->plan, &client->person, i_service, PK_ROLE_QUEUE, i_request, turn).first <
                            places->baulk;
        if (closed || baulks || station->waiting >= places->line + (places->line < UINT64_MAX ? n_free : 0)) {
            slow_station_note(twin, station, baulks && !closed ? PK_QUEUE_BAULKED : PK_QUEUE_REFUSED);
            may_ask_again(twin, client, i_want, false);
            return;
        }
    }
    want->phase = SLOW_WAITING;
    want->since = twin->now;
    want->patience = patience_of(twin, client, i_service, i_request, turn);
    want->rank = rank_of(twin->plan, &client->person, i_service, i_request, turn);
    client->known = false;
    station->waiting++;
}

static void depart(struct slow_places *twin, struct slow_client *client, const struct slow_thing *thing)
{
    struct slow_want *want = &client->wants[thing->i_want];
    struct slow_station *station =
        slow_station_of(twin, twin->arm->enrolments[thing->i_want].i_service, &client->person);
    const bool was_served = want->phase == SLOW_SERVED;
    slow_station_end(twin, station, want);
    slow_station_note(twin, station,
                      was_served       ? PK_QUEUE_FINISHED
                      : thing->reneges ? PK_QUEUE_RENEGED
                                       : PK_QUEUE_LEFT);
    may_ask_again(twin, client, thing->i_want, was_served);
}

static void give(struct slow_places *twin, struct slow_station *station, struct slow_client *client, size_t i_want)
{
    struct slow_want *want = &client->wants[i_want];
    struct pk_treatment *treatment = &client->treatment;
    slow_station_end(twin, station, want);
    slow_station_serve(twin, station, twin->now - want->since);
    client->items = pk_realloc(client->items, treatment->n + 1, sizeof *client->items);
    cr_assert_not_null(client->items);
    size_t k = treatment->n++;
    for (; k > 0 && client->items[k - 1].from > (double)(twin->now / TICKS); k--)
        client->items[k] = client->items[k - 1];
    client->items[k] = (struct pk_enrolled){.i_service = station->i_service, .from = (double)(twin->now / TICKS)};
    treatment->items = client->items;
    want->i_item = k;
    want->phase = SLOW_SERVED;
    want->since = twin->now;
    client->given = twin->now;
    client->known = false;
}

/* Who of two that wait is served sooner. */
static bool is_sooner(const struct slow_places *twin, const struct slow_thing *a, const struct slow_thing *b)
{
    long double keys[2];
    for (size_t i = 0; i < 2; i++) {
        const struct slow_thing *thing = i == 0 ? a : b;
        const struct slow_client *client = &twin->clients[thing->who];
        const struct pk_plan_places *places =
            &twin->plan->services[twin->arm->enrolments[thing->i_want].i_service].places;
        keys[i] = places->by_lot ? 0 : client->wants[thing->i_want].since / TICKS;
        if (places->i_priority != SIZE_MAX) /* whoever is infinitely far ahead is ahead of all by the same */
            keys[i] -= fminl(places->ahead[client->person.values[places->i_priority]], 1e9L);
    }
    return keys[0] != keys[1] ? keys[0] < keys[1] : a->rank < b->rank;
}

/* Nobody waits where there will be no place. */
static void dissolve(struct slow_places *twin, struct slow_station *station)
{
    for (size_t i = 0; i < twin->n; i++)
        for (size_t k = 0; k < twin->arm->n_enrolments; k++) {
            struct slow_client *client = &twin->clients[i];
            if (client->wants[k].phase != SLOW_WAITING ||
                slow_station_of(twin, twin->arm->enrolments[k].i_service, &client->person) != station)
                continue;
            slow_station_end(twin, station, &client->wants[k]);
            slow_station_note(twin, station, PK_QUEUE_REFUSED);
            may_ask_again(twin, client, k, false);
        }
}

static void give_places(struct slow_places *twin, struct slow_station *station)
{
    while (slow_station_free(twin, station) > 0 && station->waiting > 0) {
        struct slow_thing first = {.who = SIZE_MAX};
        for (size_t i = 0; i < twin->n; i++)
            for (size_t k = 0; k < twin->arm->n_enrolments; k++) {
                const struct slow_client *client = &twin->clients[i];
                const struct slow_thing thing = {.who = i, .i_want = k, .rank = client->wants[k].rank};
                if (client->wants[k].phase == SLOW_WAITING &&
                    slow_station_of(twin, twin->arm->enrolments[k].i_service, &client->person) == station &&
                    (first.who == SIZE_MAX || is_sooner(twin, &thing, &first)))
                    first = thing;
            }
        cr_assert(first.who != SIZE_MAX);
        give(twin, station, &twin->clients[first.who], first.i_want);
    }
    if (slow_station_is_closed(twin, station))
        dissolve(twin, station);
}

static void change(struct slow_places *twin, struct slow_station *station)
{
    slow_station_change(twin, station);
    if (slow_station_is_closed(twin, station))
        dissolve(twin, station);
}

/* ---- from the start to the horizon ------------------------------------------------------------------------------- */

static void begin_client(struct slow_places *twin, struct slow_client *client, size_t i_arm, uint64_t id,
                         uint64_t lotteries)
{
    const struct pk_plan *plan = twin->plan;
    pk_person_make(plan, twin->replication, id, &client->person);
    client->items = pk_alloc(PK_MAX_ENROLMENTS, sizeof *client->items);
    cr_assert_not_null(client->items);
    (void)pk_lottery_treatment(plan, i_arm, lotteries, &client->person, NULL, client->items, &client->treatment);
    client->rank = rank_of(plan, &client->person, (1u << 24) - 1, 0, 0);
    client->given = -1;
    for (size_t k = 0; k < twin->arm->n_enrolments; k++) {
        const struct pk_plan_enrolment *enrolment = &twin->arm->enrolments[k];
        const struct pk_plan_referral *referral = &enrolment->referral;
        const uint8_t *allowed = plan->targets[plan->lotteries[enrolment->i_lottery].i_target].allowed;
        bool can = enrolment->queued;
        for (size_t a = 0; a < plan->n_attributes && can && referral->by_rate; a++)
            can = allowed[a * 256 + client->person.values[a]] != 0;
        if (can && !referral->by_rate)
            can = lotteries >> enrolment->i_lottery & 1;
        else if (can)
            client->wants[k].exponential = -logl(
                slow_draw_of(plan, &client->person, referral->stream, PK_ROLE_REFERRAL, 0, referral->ordinal).first);
        client->wants[k].phase = can ? SLOW_IDLE : SLOW_OVER;
        client->wants[k].spent_from = (int64_t)(client->person.entry * TICKS);
    }
}

void slow_places_run(struct slow_places *twin, const struct pk_plan *plan, size_t i_arm, uint32_t replication,
                     const uint64_t *ids, const uint64_t *lotteries, size_t n, bool slowly)
{
    bool over = true; /* the present tick: places have been given */
    *twin = (struct slow_places){.plan = plan,
                                 .arm = &plan->arms[i_arm],
                                 .replication = replication,
                                 .slowly = slowly,
                                 .horizon = (int64_t)(plan->horizon * TICKS),
                                 .n = n,
                                 .clients = pk_alloc(n + 1, sizeof *twin->clients)};
    cr_assert_not_null(twin->clients);
    slow_station_open(twin);
    for (size_t i = 0; i < n; i++)
        begin_client(twin, &twin->clients[i], i_arm, ids[i], lotteries[i]);
    for (;;) {
        const struct slow_thing thing = earliest(twin);
        if (!over && thing.tick > twin->now) {
            for (size_t s = 0; s < plan->n_stations; s++)
                give_places(twin, &twin->stations[s]);
            over = true;
            continue;
        }
        if (thing.tick >= twin->horizon)
            break;
        twin->now = thing.tick;
        over = false;
        if (thing.kind == SLOW_CAPACITY)
            change(twin, &twin->stations[thing.who]);
        else if (thing.kind == SLOW_REQUEST)
            ask(twin, &twin->clients[thing.who], thing.i_want);
        else
            depart(twin, &twin->clients[thing.who], &thing);
    }
    twin->now = twin->horizon;
    slow_station_close(twin);
}

void slow_places_free(struct slow_places *twin)
{
    for (size_t i = 0; i < twin->n; i++) {
        pk_free(twin->clients[i].items);
        pk_free(twin->clients[i].stays);
    }
    pk_free(twin->clients);
    pk_free(twin->stations);
    pk_queues_free(&twin->queues);
}
