/* See slow_station.h. */
#include "slow_station.h"

#include <criterion/criterion.h>
#include <math.h>

#include "polku/memory.h"

#define TICKS 1048576.0L

static const struct pk_plan_places *places_of(const struct slow_places *twin, const struct slow_station *station)
{
    return &twin->plan->services[station->i_service].places;
}

static bool is_unlimited(const struct slow_places *twin, const struct slow_station *station)
{
    return !places_of(twin, station)->limited || isinf(twin->arm->ample[station->i_service]);
}

static bool is_periodic(const struct pk_plan_places *places)
{
    return places->filled == PK_FILLED_EVERY || places->filled == PK_FILLED_ANEW;
}

static size_t index_of(const struct slow_places *twin, const struct slow_station *station)
{
    return (size_t)(station - twin->stations);
}

/* The table's coaches in a segment, times the caseload and the arm's ratio, to the nearest whole number. */
static uint64_t slots_in(const struct slow_places *twin, const struct slow_station *station, size_t segment)
{
    const struct pk_plan_places *places = places_of(twin, station);
    const double ratio = twin->arm->ample[station->i_service];
    const long double slots = (long double)places->coaches[station->i_value * (places->n_cuts + 1) + segment] *
                              places->caseload * (isnan(ratio) ? 1 : ratio);
    return (uint64_t)floorl(slots + 0.5L + 1e-7L);
}

static void look_up(const struct slow_places *twin, struct slow_station *station)
{
    const struct pk_plan_places *places = places_of(twin, station);
    size_t i = 0;
    while (i < places->n_cuts && places->cuts[i] * TICKS <= twin->now)
        i++;
    station->slots = slots_in(twin, station, i);
    station->next_cut = i < places->n_cuts ? (int64_t)(places->cuts[i] * TICKS) : SLOW_NEVER;
}

bool slow_station_is_closed(const struct slow_places *twin, const struct slow_station *station)
{
    const struct pk_plan_places *places = places_of(twin, station);
    uint64_t most = 0;
    if (is_unlimited(twin, station))
        return false;
    if (places->filled == PK_FILLED_ONCE) { /* only a place that is new is given to somebody */
        for (size_t i = 0; i < places->n_cuts; i++)
            if (places->cuts[i] * TICKS > twin->now && slots_in(twin, station, i + 1) > slots_in(twin, station, i))
                return false;
        return station->tokens == 0;
    }
    for (size_t i = 0; i <= places->n_cuts; i++) {
        const uint64_t slots = slots_in(twin, station, i);
        if ((i == places->n_cuts || places->cuts[i] * TICKS > twin->now) && slots > most)
            most = slots;
    }
    return most == 0;
}

/* A new period. */
static void renew(const struct slow_places *twin, struct slow_station *station)
{
    station->tokens = station->slots;
    if (places_of(twin, station)->filled != PK_FILLED_ANEW)
        station->tokens -= station->held < station->slots ? station->held : station->slots;
}

void slow_station_open(struct slow_places *twin)
{
    struct pk_error error;
    twin->stations = pk_alloc(twin->plan->n_stations + 1, sizeof *twin->stations);
    cr_assert_not_null(twin->stations);
    cr_assert_eq(pk_queues_init(&twin->queues, twin->plan, &error), PK_OK);
    for (size_t s = 0; s < twin->plan->n_services; s++) {
        const struct pk_plan_service *service = &twin->plan->services[s];
        for (size_t v = 0; v < service->places.n_stations && service->first_station != SIZE_MAX; v++) {
            struct slow_station *station = &twin->stations[service->first_station + v];
            *station =
                (struct slow_station){.i_service = s, .i_value = v, .next_cut = SLOW_NEVER, .next_period = SLOW_NEVER};
            if (is_unlimited(twin, station))
                continue;
            look_up(twin, station);
            renew(twin, station);
            if (is_periodic(&service->places))
                station->next_period = (int64_t)(service->places.period * TICKS);
        }
    }
}

struct slow_station *slow_station_of(const struct slow_places *twin, size_t i_service, const struct pk_person *person)
{
    const struct pk_plan_service *service = &twin->plan->services[i_service];
    const size_t i_by = service->places.i_by;
    if (service->first_station == SIZE_MAX)
        return NULL;
    return &twin->stations[service->first_station + (i_by == SIZE_MAX ? 0 : person->values[i_by])];
}

uint64_t slow_station_free(const struct slow_places *twin, const struct slow_station *station)
{
    const enum pk_filled filled = places_of(twin, station)->filled;
    if (is_unlimited(twin, station))
        return UINT64_MAX;
    uint64_t n = station->slots < station->held ? 0 : station->slots - station->held;
    if (filled == PK_FILLED_ANEW || (filled != PK_FILLED_AT_ONCE && station->tokens < n))
        n = station->tokens;
    return n;
}

struct slow_thing slow_station_next_change(const struct slow_places *twin)
{
    struct slow_thing first = {.tick = SLOW_NEVER, .kind = SLOW_CAPACITY};
    for (size_t s = 0; s < twin->plan->n_stations; s++) {
        const struct slow_station *station = &twin->stations[s];
        const int64_t tick = station->next_cut < station->next_period ? station->next_cut : station->next_period;
        if (tick < first.tick) {
            first.tick = tick;
            first.who = s;
        }
    }
    return first;
}

/* Time from then to now, month by month. */
static void add_time(struct slow_places *twin, const struct slow_station *station, enum pk_queue_count what,
                     int64_t from, uint64_t times)
{
    int64_t *counts = twin->queues.counts + index_of(twin, station) * twin->queues.n_steps * PK_QUEUE_COUNTS;
    const int64_t month = (int64_t)TICKS;
    for (size_t step = 0; step < twin->queues.n_steps; step++) {
        const int64_t begin = (int64_t)step * month, end = begin + month;
        const int64_t a = from > begin ? from : begin, b = twin->now < end ? twin->now : end;
        if (a < b)
            counts[step * PK_QUEUE_COUNTS + what] += (b - a) * (int64_t)times;
    }
}

/* The places there were, and those taken, since there were others. */
static void count_places(struct slow_places *twin, struct slow_station *station)
{
    add_time(twin, station, PK_QUEUE_OPEN, station->since, station->slots);
    add_time(twin, station, PK_QUEUE_USED, station->since,
             station->held < station->slots ? station->held : station->slots);
    station->since = twin->now;
}

void slow_station_change(struct slow_places *twin, struct slow_station *station)
{
    count_places(twin, station);
    if (station->next_cut == twin->now) {
        const uint64_t before = station->slots;
        look_up(twin, station);
        if (station->slots + station->tokens < before)
            station->tokens = 0;
        else
            station->tokens += station->slots - before;
    }
    if (station->next_period == twin->now) {
        renew(twin, station);
        station->next_period += (int64_t)(places_of(twin, station)->period * TICKS);
    }
}

void slow_station_note(struct slow_places *twin, const struct slow_station *station, enum pk_queue_count what)
{
    const size_t step = (size_t)(twin->now / (int64_t)TICKS);
    twin->queues.counts[(index_of(twin, station) * twin->queues.n_steps + step) * PK_QUEUE_COUNTS + what]++;
}

void slow_station_end(struct slow_places *twin, struct slow_station *station, const struct slow_want *want)
{
    const bool waits = want->phase == SLOW_WAITING;
    count_places(twin, station);
    add_time(twin, station, waits ? PK_QUEUE_WAITED : PK_QUEUE_HELD, want->since, 1);
    (waits ? twin->queues.waited : twin->queues.held)[index_of(twin, station)] += twin->now - want->since;
    *(waits ? &station->waiting : &station->held) -= 1;
}

void slow_station_serve(struct slow_places *twin, struct slow_station *station, int64_t waited)
{
    const double days = (double)waited / (double)TICKS * (365.25 / 12);
    size_t bin = PK_WAIT_EDGES;
    while (bin > 0 && days <= pk_queues_wait_edge(bin - 1))
        bin--;
    count_places(twin, station);
    slow_station_note(twin, station, PK_QUEUE_SERVED);
    twin->queues.waits[index_of(twin, station) * PK_WAIT_BINS + bin]++;
    station->held++;
    if (station->tokens > 0)
        station->tokens--;
}

void slow_station_close(struct slow_places *twin)
{
    for (size_t i = 0; i < twin->n; i++)
        for (size_t k = 0; k < twin->arm->n_enrolments; k++) {
            const struct slow_client *client = &twin->clients[i];
            struct slow_station *station = slow_station_of(twin, twin->arm->enrolments[k].i_service, &client->person);
            const int phase = client->wants[k].phase;
            if (phase != SLOW_WAITING && phase != SLOW_SERVED)
                continue;
            slow_station_end(twin, station, &client->wants[k]);
            (phase == SLOW_WAITING ? twin->queues.waiting_at_end : twin->queues.held_at_end)[index_of(twin, station)]++;
        }
    for (size_t s = 0; s < twin->plan->n_stations; s++)
        count_places(twin, &twin->stations[s]);
}
