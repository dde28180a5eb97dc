/* A station: its places as the calendar goes on, and who waits for them. See places_private.h. */
#include <math.h>
#include <string.h>

#include "places_private.h"

static uint64_t slots_in(const struct pk_station *station, size_t i_segment)
{
    const struct pk_plan_places *places = station->places;
    return pk_plan_slots(places, station->i_value * (places->n_cuts + 1) + i_segment, station->ratio);
}

bool pk_station_is_closed(const struct pk_station *station)
{
    const bool once = station->places->filled == PK_FILLED_ONCE;
    bool closed = !station->unlimited && (once ? station->tokens : station->slots) == 0;
    for (size_t i = station->i_segment + 1; closed && i <= station->places->n_cuts; i++)
        closed = slots_in(station, i) <= (once ? slots_in(station, i - 1) : 0);
    return closed;
}

static void begin_period(struct pk_station *station)
{
    const bool anew = station->places->filled == PK_FILLED_ANEW;
    station->tokens = anew ? station->slots : station->slots > station->held ? station->slots - station->held : 0;
}

void pk_station_open(struct pk_station *station, const struct pk_plan *plan, size_t i_arm, size_t i_station,
                     struct pk_queues *queues)
{
    struct in_line *line = station->line;
    const size_t room_line = station->room_line;
    *station = (struct pk_station){.line = line, .room_line = room_line, .next_period = INT64_MAX, .ratio = 1};
    for (size_t s = 0; s < plan->n_services; s++) {
        const size_t first = plan->services[s].first_station;
        if (first == SIZE_MAX || i_station < first || i_station >= first + plan->services[s].places.n_stations)
            continue;
        station->i_service = s;
        station->i_value = i_station - first;
        station->places = &plan->services[s].places;
    }
    const double ample = plan->arms[i_arm].ample[station->i_service];
    station->unlimited = !station->places->limited || isinf(ample);
    station->counts = queues->counts + i_station * queues->n_steps * PK_QUEUE_COUNTS;
    station->n_steps = queues->n_steps;
    if (station->unlimited)
        return;
    station->ratio = isnan(ample) ? 1 : ample;
    while (station->i_segment < station->places->n_cuts && station->places->cuts[station->i_segment] <= 0)
        station->i_segment++;
    station->slots = slots_in(station, station->i_segment);
    begin_period(station);
    station->closed = pk_station_is_closed(station);
    if (station->places->filled == PK_FILLED_EVERY || station->places->filled == PK_FILLED_ANEW)
        station->next_period = pk_ticks(station->places->period);
}

void pk_station_count_to(struct pk_station *station, int64_t tick)
{
    const int64_t month = (int64_t)PK_TICKS_PER_MONTH;
    while (station->now < tick) {
        const int64_t step = station->now / month, end = (step + 1) * month < tick ? (step + 1) * month : tick;
        const int64_t lasted = end - station->now;
        int64_t *counts = station->counts + step * PK_QUEUE_COUNTS;
        counts[PK_QUEUE_WAITED] += lasted * (int64_t)station->waiting;
        counts[PK_QUEUE_HELD] += lasted * (int64_t)station->held;
        counts[PK_QUEUE_USED] += lasted * (int64_t)(station->held < station->slots ? station->held : station->slots);
        counts[PK_QUEUE_OPEN] += lasted * (int64_t)station->slots;
        station->now = end;
    }
}

void pk_station_note(struct pk_station *station, int64_t tick, enum pk_queue_count what)
{
    size_t step = (size_t)(tick / (int64_t)PK_TICKS_PER_MONTH);
    station->counts[(step < station->n_steps ? step : station->n_steps - 1) * PK_QUEUE_COUNTS + what]++;
}

uint64_t pk_station_free(const struct pk_station *station)
{
    if (station->unlimited)
        return UINT64_MAX;
    const uint64_t empty = station->slots > station->held ? station->slots - station->held : 0;
    switch (station->places->filled) {
    case PK_FILLED_AT_ONCE:
        return empty;
    case PK_FILLED_ANEW:
        return station->tokens;
    default:
        return station->tokens < empty ? station->tokens : empty;
    }
}

int64_t pk_station_next_change(const struct pk_station *station)
{
    const struct pk_plan_places *places = station->places;
    if (station->unlimited)
        return INT64_MAX;
    const int64_t cut = station->i_segment < places->n_cuts ? pk_ticks(places->cuts[station->i_segment]) : INT64_MAX;
    return cut < station->next_period ? cut : station->next_period;
}

void pk_station_change(struct pk_station *station, int64_t tick)
{
    const struct pk_plan_places *places = station->places;
    pk_station_count_to(station, tick);
    while (station->i_segment < places->n_cuts && pk_ticks(places->cuts[station->i_segment]) <= tick) {
        const uint64_t before = station->slots;
        station->slots = slots_in(station, ++station->i_segment);
        if (station->slots >= before)
            station->tokens += station->slots - before;
        else
            station->tokens -= before - station->slots < station->tokens ? before - station->slots : station->tokens;
    }
    if (station->next_period <= tick) {
        begin_period(station);
        station->next_period += pk_ticks(places->period);
    }
    station->closed = pk_station_is_closed(station);
}

static bool sooner(const struct in_line *a, const struct in_line *b)
{
    return a->key != b->key ? a->key < b->key : a->rank < b->rank;
}

bool pk_station_push(struct pk_station *station, const struct in_line *who)
{
    if (station->n_line == station->room_line) {
        const size_t room = station->room_line ? station->room_line * 2 : 64;
        struct in_line *grown = pk_realloc(station->line, room, sizeof *grown);
        if (grown == NULL)
            return false;
        station->line = grown;
        station->room_line = room;
    }
    size_t i = station->n_line++;
    for (; i > 0 && sooner(who, &station->line[(i - 1) / 2]); i = (i - 1) / 2)
        station->line[i] = station->line[(i - 1) / 2];
    station->line[i] = *who;
    return true;
}

struct in_line pk_station_pop(struct pk_station *station)
{
    struct in_line *line = station->line;
    const struct in_line first = line[0], last = line[--station->n_line];
    size_t i = 0;
    for (size_t k; (k = 2 * i + 1) < station->n_line; i = k) {
        k += k + 1 < station->n_line && sooner(&line[k + 1], &line[k]);
        if (!sooner(&line[k], &last))
            break;
        line[i] = line[k];
    }
    line[i] = last;
    return first;
}
