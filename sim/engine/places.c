/* The calendar of scarce places. See places.h. */
#include <string.h>

#include "places_private.h"

/* ---- a calendar on its way ------------------------------------------------------------------------------------ */

struct running {
    struct pk_places_room *room;
    const struct pk_plan *plan;
    const struct pk_plan_arm *arm;
    const uint32_t *component_of;
    uint32_t component;
    uint32_t replication;
    struct pk_queues *queues;
    struct pk_granted *granted;
    size_t room_ids, room_items;
    uint64_t *failed;
    struct pk_error *error;
    int64_t now;    /* tick */
    size_t n_dirty; /* stations where somebody may get a place at the end of the instant */
};

static enum pk_status no_memory(struct running *r)
{
    return pk_error_set(r->error, PK_NO_MEMORY, "no memory for the people who wait for places");
}

static struct pk_station *station_for(struct running *r, const struct pk_client *client, size_t i_want)
{
    const size_t i = pk_places_station(r->plan, r->arm->enrolments[i_want].i_service, &client->person);
    struct pk_station *station = &r->room->stations[i];
    PK_ASSERT(r->component_of[i] == r->component);
    pk_station_count_to(station, r->now);
    return station;
}

static void touch(struct running *r, struct pk_station *station)
{
    if (!station->dirty)
        r->room->dirty[r->n_dirty++] = (uint32_t)(station - r->room->stations);
    station->dirty = true;
}

/* What somebody was given goes out; they do nothing any more. */
static bool let_go(struct running *r, uint32_t i_client)
{
    struct pk_client *client = pk_places_client_at(r->room, i_client);
    struct pk_granted *granted = r->granted;
    const size_t n_items = granted->n > 0 ? granted->first[granted->n] : 0, n = client->treatment.n;
    for (size_t i = 0; i < r->arm->n_enrolments; i++) {
        const size_t s = pk_places_station(r->plan, r->arm->enrolments[i].i_service, &client->person);
        const int64_t lasted = pk_ticks(r->plan->horizon) - client->wants[i].since;
        if (client->wants[i].phase == PHASE_WAITING) {
            r->queues->waited[s] += lasted;
            r->queues->waiting_at_end[s]++;
        } else if (client->wants[i].phase == PHASE_SERVED) {
            r->queues->held[s] += lasted;
            r->queues->held_at_end[s]++;
        }
    }
    if (granted->n == r->room_ids) {
        const size_t room = r->room_ids ? r->room_ids * 2 : 256;
        uint64_t *ids = pk_realloc(granted->ids, room, sizeof *ids);
        if (ids == NULL)
            return false;
        granted->ids = ids;
        uint32_t *first = pk_realloc(granted->first, room + 1, sizeof *first);
        if (first == NULL)
            return false;
        granted->first = first;
        r->room_ids = room;
    }
    if (n_items + n > r->room_items) {
        const size_t room = 2 * (n_items + n) + 256;
        struct pk_enrolled *items = pk_realloc(granted->items, room, sizeof *items);
        if (items == NULL)
            return false;
        granted->items = items;
        r->room_items = room;
    }
    if (n > 0)
        memcpy(granted->items + n_items, client->items, n * sizeof *client->items);
    granted->ids[granted->n] = client->person.id;
    granted->first[granted->n] = (uint32_t)n_items;
    granted->first[++granted->n] = (uint32_t)(n_items + n);
    client->in_use = false;
    client->epoch++;
    r->room->unused[r->room->n_unused++] = i_client;
    return true;
}

/* Into the calendar with what the person does next, if nothing is given to them before. */
static enum pk_status plan_ahead(struct running *r, uint32_t i_client)
{
    struct pk_client *client = pk_places_client_at(r->room, i_client);
    struct pk_thing thing;
    *r->failed = client->person.id;
    client->to_plan = false;
    enum pk_status status = pk_client_look(r->room, client, pk_months(r->now), false, &thing, r->error);
    if (status != PK_OK)
        return status;
    client->epoch++;
    struct pk_entry entry = {.rank = client->rank, .i_client = i_client, .epoch = client->epoch};
    for (size_t i = 0; i < r->room->n_releases; i++) {
        const struct pk_thing *release = &r->room->releases[i];
        entry.when = pk_entry_when(pk_ticks(release->time), PK_DOING_DEPART, 1 + release->i_want);
        client->n_releasing++;
        if (!pk_calendar_push(&r->room->calendar, &entry))
            return no_memory(r);
    }
    if (thing.doing == PK_DOING_NOTHING) {
        bool waits = false;
        for (size_t i = 0; i < r->arm->n_enrolments; i++)
            waits |= client->wants[i].phase == PHASE_WAITING;
        client->done = !waits;
        return waits || client->n_releasing > 0 || let_go(r, i_client) ? PK_OK : no_memory(r);
    }
    entry.when = pk_entry_when(pk_ticks(thing.time), thing.doing, 0);
    client->next = thing;
    return pk_calendar_push(&r->room->calendar, &entry) ? PK_OK : no_memory(r);
}

/* ... at the end of the instant, when it is known what is given now. */
static enum pk_status plan_later(struct running *r, uint32_t i_client)
{
    struct pk_places_room *room = r->room;
    struct pk_client *client = pk_places_client_at(room, i_client);
    client->epoch++; /* what is in the calendar is stale */
    if (client->to_plan)
        return PK_OK;
    if (room->n_to_plan == room->room_to_plan) {
        const size_t n = room->room_to_plan ? room->room_to_plan * 2 : 64;
        uint32_t *grown = pk_realloc(room->to_plan, n, sizeof *grown);
        if (grown == NULL)
            return no_memory(r);
        room->to_plan = grown;
        room->room_to_plan = n;
    }
    client->to_plan = true;
    room->to_plan[room->n_to_plan++] = i_client;
    return PK_OK;
}

/* After something about one of their wants: at once where the others may be next at the same tick, since all that
 * people do then comes before places are given. */
static enum pk_status plan_on(struct running *r, uint32_t i_client, size_t i_want)
{
    const struct pk_client *client = pk_places_client_at(r->room, i_client);
    bool others = false;
    for (size_t i = 0; i < r->arm->n_enrolments; i++)
        others |= i != i_want && client->wants[i].phase != PHASE_OVER;
    return others ? plan_ahead(r, i_client) : plan_later(r, i_client);
}

static enum pk_status ask(struct running *r, uint32_t i_client, size_t i_want)
{
    struct pk_client *client = pk_places_client_at(r->room, i_client);
    struct want *want = &client->wants[i_want];
    const size_t i_service = r->arm->enrolments[i_want].i_service;
    const struct pk_plan_places *places = &r->plan->services[i_service].places;
    const uint32_t turn = r->arm->enrolments[i_want].referral.turn;
    const double now = pk_months(r->now);
    if (want->n_requests == UINT16_MAX)
        return pk_error_set(r->error, PK_NUMERICAL, "person %llu asks for places more often than can be numbered",
                            (unsigned long long)client->person.id);
    want->n_requests++;
    for (size_t i = 0; i < r->arm->n_enrolments; i++)
        if (i != i_want && r->arm->enrolments[i].i_service == i_service &&
            (client->wants[i].phase == PHASE_WAITING || client->wants[i].phase == PHASE_SERVED)) {
            pk_client_free_again(r->room, &client->person, want, i_want, false, now); /* is in already */
            return PK_OK;
        }
    struct pk_station *station = station_for(r, client, i_want);
    pk_station_note(station, r->now, PK_QUEUE_REQUESTED);
    if (!(r->arm->enrolments[i_want].referral.states >> client->next.i_state & 1)) {
        pk_station_note(station, r->now, PK_QUEUE_LEFT); /* no longer one of those who may be referred */
        pk_client_free_again(r->room, &client->person, want, i_want, false, now);
        return PK_OK;
    }
    const uint64_t n_free = pk_station_free(station); /* of which those in line get theirs at the end of the instant */
    if (n_free <= station->waiting) {
        const struct pk_rng_person rng = pk_rng_core_person(r->plan->seed, client->person.id, r->replication);
        const bool baulks =
            pk_rng_core_uniforms(rng, (uint32_t)i_service, PK_ROLE_QUEUE, want->n_requests - 1u, turn).first <
            places->baulk;
        if (baulks || station->closed || station->waiting - n_free >= places->line) {
            const bool refused = station->closed || !baulks;
            pk_station_note(station, r->now, refused ? PK_QUEUE_REFUSED : PK_QUEUE_BAULKED);
            pk_client_free_again(r->room, &client->person, want, i_want, false, now);
            return PK_OK;
        }
    }
    const uint64_t rank = pk_places_rank(r->plan, &client->person, (uint32_t)i_service, want->n_requests - 1u, turn);
    const double ahead = places->i_priority == SIZE_MAX ? 0 : places->ahead[client->person.values[places->i_priority]];
    const int64_t lead = ahead < 0x1p40 ? pk_ticks(ahead) : INT64_MAX / 4;
    struct in_line who = {.key = (places->by_lot ? 0 : r->now) - lead,
                          .rank = rank,
                          .i_client = i_client,
                          .ticket = ++want->ticket,
                          .i_want = (uint16_t)i_want};
    want->phase = PHASE_WAITING;
    want->since = r->now;
    want->reneges = pk_client_patience(r->room, client, i_want, now);
    station->waiting++;
    touch(r, station);
    return pk_station_push(station, &who) ? PK_OK : no_memory(r);
}

/* A place is given back. */
static void release(struct running *r, struct pk_client *client, size_t i_want)
{
    struct pk_station *station = station_for(r, client, i_want);
    pk_station_note(station, r->now, PK_QUEUE_FINISHED);
    station->held--;
    r->queues->held[station - r->room->stations] += r->now - client->wants[i_want].since;
    touch(r, station);
}

static void depart(struct running *r, struct pk_client *client, const struct pk_thing *thing)
{
    struct want *want = &client->wants[thing->i_want];
    struct pk_station *station = station_for(r, client, thing->i_want);
    const size_t i_station = (size_t)(station - r->room->stations);
    const bool was_served = want->phase == PHASE_SERVED;
    if (was_served) {
        release(r, client, thing->i_want);
    } else {
        pk_station_note(station, r->now, thing->reneges ? PK_QUEUE_RENEGED : PK_QUEUE_LEFT);
        station->waiting--;
        r->queues->waited[i_station] += r->now - want->since;
    }
    pk_client_free_again(r->room, &client->person, want, thing->i_want, was_served, pk_months(r->now));
}

/* There will be no more places: nobody waits for them any longer. */
static enum pk_status dissolve(struct running *r, struct pk_station *station)
{
    enum pk_status status = PK_OK;
    while (station->n_line > 0 && status == PK_OK) {
        const struct in_line who = pk_station_pop(station);
        struct pk_client *client = pk_places_client_at(r->room, who.i_client);
        struct want *want = &client->wants[who.i_want];
        if (!client->in_use || want->phase != PHASE_WAITING || want->ticket != who.ticket)
            continue;
        pk_station_note(station, r->now, PK_QUEUE_REFUSED);
        station->waiting--;
        r->queues->waited[station - r->room->stations] += r->now - want->since;
        pk_client_free_again(r->room, &client->person, want, who.i_want, false, pk_months(r->now));
        status = plan_on(r, who.i_client, who.i_want);
    }
    return status;
}

/* Places to those first in line, while there are any. */
static enum pk_status give_places(struct running *r, struct pk_station *station)
{
    const size_t i_station = (size_t)(station - r->room->stations);
    enum pk_status status = PK_OK;
    station->dirty = false;
    pk_station_count_to(station, r->now);
    while (status == PK_OK && station->waiting > 0 && pk_station_free(station) > 0) {
        const struct in_line who = pk_station_pop(station);
        struct pk_client *client = pk_places_client_at(r->room, who.i_client);
        struct want *want = &client->wants[who.i_want];
        if (!client->in_use || want->phase != PHASE_WAITING || want->ticket != who.ticket)
            continue; /* stale: left the line */
        r->room->n_events++;
        pk_station_note(station, r->now, PK_QUEUE_SERVED);
        r->queues->waits[i_station * PK_WAIT_BINS + pk_queues_wait_bin(r->now - want->since)]++;
        r->queues->waited[i_station] += r->now - want->since;
        station->waiting--;
        station->held++;
        station->tokens -= station->tokens > 0;
        want->phase = PHASE_SERVED;
        want->since = r->now;
        if (!pk_client_enrol(client, station->i_service, pk_months(r->now)))
            return no_memory(r);
        status = plan_later(r, who.i_client);
    }
    if (status == PK_OK && !station->closed && (station->closed = pk_station_is_closed(station)))
        status = dissolve(r, station); /* all were to be filled once, and are */
    return status;
}

static enum pk_status begin_client(struct running *r, const struct pk_asker *asker)
{
    uint32_t i_client;
    if (!pk_places_client(r->room, &i_client))
        return no_memory(r);
    struct pk_client *client = pk_places_client_at(r->room, i_client);
    struct pk_person person;
    struct pk_thing thing;
    uint32_t tickets[PK_MAX_ENROLMENTS]; /* of whoever was here before: theirs stay stale */
    for (size_t i = 0; i < r->arm->n_enrolments; i++)
        tickets[i] = client->wants[i].ticket + 1;
    pk_person_make_read(r->plan, r->replication, asker->id, &person);
    struct pk_enrolled *items = client->many != NULL ? client->many : client->few;
    const uint32_t n_room = client->n_room > PK_MAX_ENROLMENTS ? client->n_room : PK_MAX_ENROLMENTS;
    (void)pk_client_begin(r->plan, r->room->i_arm, &person, asker->lotteries, client);
    client->n_room = n_room;
    client->rank = asker->rank;
    client->in_use = true;
    client->done = false;
    client->n_releasing = 0;
    *r->failed = asker->id;
    enum pk_status status = pk_client_look_first(r->room, client, asker->lotteries, items, &thing, r->error);
    if (status != PK_OK)
        return status;
    for (size_t i = 0; i < r->arm->n_enrolments; i++)
        client->wants[i].ticket = tickets[i];
    PK_ASSERT(thing.doing == PK_DOING_REQUEST && pk_ticks(thing.time) == asker->tick);
    r->room->n_events++;
    client->next = thing;
    status = ask(r, i_client, thing.i_want);
    return status == PK_OK ? plan_on(r, i_client, thing.i_want) : status;
}

static enum pk_status handle(struct running *r, const struct pk_entry *entry)
{
    enum pk_status status = PK_OK;
    if (pk_entry_doing(entry->when) == PK_DOING_CAPACITY) {
        struct pk_station *station = &r->room->stations[entry->i_client];
        pk_station_change(station, r->now);
        touch(r, station);
        if (station->closed && (status = dissolve(r, station)) != PK_OK)
            return status;
        const int64_t next = pk_station_next_change(station);
        const struct pk_entry again = {.when = pk_entry_when(next, PK_DOING_CAPACITY, 0), .i_client = entry->i_client};
        if (next >= pk_ticks(r->plan->horizon))
            return PK_OK;
        return pk_calendar_push(&r->room->calendar, &again) ? PK_OK : no_memory(r);
    }
    struct pk_client *client = pk_places_client_at(r->room, entry->i_client);
    if (!client->in_use || client->epoch != entry->epoch)
        return PK_OK; /* stale: something was given since */
    r->room->n_events++;
    const size_t what = entry->when & 15;
    if (what > 0) {
        release(r, client, what - 1);
        client->n_releasing--;
        return !client->done || client->n_releasing > 0 || let_go(r, entry->i_client) ? PK_OK : no_memory(r);
    }
    const struct pk_thing thing = client->next;
    if (thing.doing == PK_DOING_REQUEST)
        status = ask(r, entry->i_client, thing.i_want);
    else
        depart(r, client, &thing);
    return status == PK_OK ? plan_on(r, entry->i_client, thing.i_want) : status;
}

static enum pk_status open_stations(struct running *r)
{
    for (size_t s = 0; s < r->plan->n_stations; s++) {
        struct pk_station *station = &r->room->stations[s];
        if (r->component_of[s] != r->component)
            continue;
        pk_station_open(station, r->plan, r->room->i_arm, s, r->queues);
        const int64_t next = pk_station_next_change(station);
        const struct pk_entry entry = {.when = pk_entry_when(next, PK_DOING_CAPACITY, 0), .i_client = (uint32_t)s};
        if (next < pk_ticks(r->plan->horizon) && !pk_calendar_push(&r->room->calendar, &entry))
            return no_memory(r);
    }
    return PK_OK;
}

/* The end of an instant: places go to those first in line. Which station is first makes no difference but where
 * somebody waits at several, so it is the first in the model. */
static enum pk_status end_instant(struct running *r)
{
    enum pk_status status = PK_OK;
    uint32_t *dirty = r->room->dirty;
    while (r->n_dirty > 0 && status == PK_OK) {
        size_t least = 0;
        for (size_t i = 1; i < r->n_dirty; i++)
            least = dirty[i] < dirty[least] ? i : least;
        struct pk_station *station = &r->room->stations[dirty[least]];
        dirty[least] = dirty[--r->n_dirty];
        status = give_places(r, station);
    }
    for (size_t i = 0; i < r->room->n_to_plan && status == PK_OK; i++)
        if (pk_places_client_at(r->room, r->room->to_plan[i])->to_plan) /* else it has been done since */
            status = plan_ahead(r, r->room->to_plan[i]);
    r->room->n_to_plan = 0;
    return status;
}

enum pk_status pk_places_run(struct pk_places_room *room, size_t i_arm, uint32_t replication, uint32_t component,
                             const struct pk_asker *askers, size_t n, const uint32_t *component_of,
                             struct pk_queues *queues, struct pk_granted *granted, uint64_t *failed,
                             struct pk_error *error)
{
    struct running r = {.room = room,
                        .plan = room->plan,
                        .arm = &room->plan->arms[i_arm],
                        .component_of = component_of,
                        .component = component,
                        .replication = replication,
                        .queues = queues,
                        .granted = granted,
                        .failed = failed,
                        .error = error};
    struct pk_calendar *calendar = &room->calendar;
    room->i_arm = i_arm;
    room->n_unused = room->n_clients = room->n_to_plan = 0;
    enum pk_status status = pk_calendar_begin(calendar, pk_ticks(room->plan->horizon), n) ? PK_OK : no_memory(&r);
    if (status == PK_OK)
        status = open_stations(&r);
    for (size_t k = 0; status == PK_OK;) {
        bool refused = false;
        const int64_t until = r.n_dirty > 0 || room->n_to_plan > 0 ? r.now : k < n ? askers[k].tick : INT64_MAX;
        const struct pk_entry *first = pk_calendar_first(calendar, until, &refused);
        const uint64_t asked = k < n ? pk_entry_when(askers[k].tick, PK_DOING_REQUEST, 0) : UINT64_MAX;
        const uint64_t due = first != NULL ? first->when : UINT64_MAX, when = asked < due ? asked : due;
        if (refused) {
            status = no_memory(&r);
        } else if ((r.n_dirty > 0 || room->n_to_plan > 0) && (when == UINT64_MAX || pk_entry_tick(when) > r.now)) {
            status = end_instant(&r);
        } else if (when == UINT64_MAX) {
            break;
        } else if (asked < due || (asked == due && askers[k].rank < first->rank)) {
            r.now = pk_entry_tick(when);
            status = begin_client(&r, &askers[k++]);
        } else {
            const struct pk_entry entry = *first;
            r.now = pk_entry_tick(when);
            pk_calendar_pop(calendar);
            pk_places_fetch(room);
            status = handle(&r, &entry);
        }
    }
    r.now = pk_ticks(room->plan->horizon);
    for (size_t i = 0; i < room->n_clients && status == PK_OK; i++)
        if (pk_places_client_at(room, i)->in_use && !let_go(&r, (uint32_t)i))
            status = no_memory(&r);
    for (size_t s = 0; s < room->plan->n_stations && status == PK_OK; s++)
        if (component_of[s] == r.component)
            pk_station_count_to(&room->stations[s], r.now);
    for (size_t i = 0; i < room->n_clients; i++) { /* also after an error */
        pk_places_client_at(room, i)->in_use = false;
        pk_places_client_at(room, i)->to_plan = false;
    }
    return status;
}
