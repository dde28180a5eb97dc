/* How long a place is held, read off a life. See slow_places.h and slow_station.h. */
#include <criterion/criterion.h>
#include <math.h>

#include "slow_hazard.h"
#include "slow_station.h"

#define TICKS 1048576.0L

struct pk_rng_pair slow_draw_of(const struct pk_plan *plan, const struct pk_person *person, size_t stream,
                                enum pk_rng_role role, size_t spell, size_t candidate)
{
    const struct pk_rng_key key = {.seed = plan->seed,
                                   .person = person->id,
                                   .replication = person->replication,
                                   .stream = (uint32_t)stream,
                                   .role = (uint8_t)role,
                                   .spell = (uint16_t)spell,
                                   .candidate = (uint16_t)candidate};
    return pk_rng_uniforms(&key);
}

/* ---- lives ------------------------------------------------------------------------------------------------------- */

size_t slow_places_live(const struct pk_plan *plan, const struct pk_person *person,
                        const struct pk_treatment *treatment, struct slow_stay *stays)
{
    static struct pk_life life;
    struct pk_error error;
    cr_assert_eq(pk_life_run(plan, person, treatment, &life, &error), PK_OK);
    int64_t from = life.start_tick;
    size_t state = life.start_state;
    for (size_t i = 0; i < life.n_events; i++) {
        stays[i] = (struct slow_stay){from, life.events[i].tick, state};
        from = life.events[i].tick;
        state = plan->arcs[life.events[i].arc].i_to;
    }
    stays[life.n_events] = (struct slow_stay){from, (int64_t)(plan->horizon * TICKS), state};
    return life.n_events + 1;
}

/* Where a clock reads 0, in the first stay or a later one. */
long double slow_zero_of(const struct pk_rate *rate, const struct pk_person *person,
                         const struct pk_treatment *treatment, const struct slow_stay *stay, bool first,
                         long double enrolled)
{
    switch (rate->clock) {
    case PK_CLOCK_STATE:
        return stay->from / TICKS - (first && !treatment->has_start ? person->elapsed : 0);
    case PK_CLOCK_AGE:
        return -(long double)person->age;
    case PK_CLOCK_ENROLMENT:
        return enrolled;
    default:
        return 0;
    }
}

/* When an exponential is used up on one hazard; what is left of it where it is not. */
long double slow_spend_one(const struct pk_rate *rate, long double zero, long double *left, long double from,
                           long double until)
{
    const double none = 0;
    const struct pk_rate nothing = {.levels = &none};
    const struct slow_term term = {.rate = rate, .zero = zero, .factor = 1},
                           zero_term = {.rate = &nothing, .factor = 1};
    if (rate->smooth)
        return slow_spend(&term, 1, left, from, until);
    return slow_spend_excess(&term, &zero_term, left, from, until);
}

static bool moves(const struct pk_plan_service *service, size_t state)
{
    return service->enters != NULL && service->enters[state] != UINT16_MAX;
}

static int64_t later(int64_t tick, double months)
{
    return isinf(months) ? SLOW_NEVER : tick + (int64_t)(months * TICKS);
}

int64_t slow_places_release(const struct pk_plan *plan, const struct pk_person *person,
                            const struct pk_treatment *treatment, size_t i_item, const struct slow_stay *stays,
                            size_t n_stays)
{
    const size_t i_service = treatment->items[i_item].i_service;
    const struct pk_plan_service *service = &plan->services[i_service];
    const int64_t from = (int64_t)(treatment->items[i_item].from * TICKS);
    size_t s = 0, n_before = 0;
    for (size_t k = 0; k <= i_item; k++) { /* one after another, and only once the person has been moved */
        while (s < n_stays && stays[s].to <= (int64_t)(treatment->items[k].from * TICKS))
            s++;
        while (s < n_stays && moves(&plan->services[treatment->items[k].i_service], stays[s].state))
            s++;
        n_before += k < i_item && treatment->items[k].i_service == i_service;
    }
    if (s == n_stays)
        return SLOW_NEVER;
    int64_t release = later(from, service->length);
    if (service->random_length) {
        long double left = -logl(slow_draw_of(plan, person, i_service, PK_ROLE_LENGTH, n_before, 0).first);
        const long double zero =
            slow_zero_of(&service->length_rate, person, treatment, &stays[s], s == 0, from / TICKS);
        const long double end = slow_spend_one(&service->length_rate, zero, &left, from / TICKS, plan->horizon + 1);
        if (!isinf(end) && rintl(end * TICKS) < (long double)release)
            release = (int64_t)rintl(end * TICKS);
    }
    if (!(service->held_in >> stays[s].state & 1))
        release = later(from, service->support[stays[s].state]);
    if (release <= from)
        release = from + 1;
    if (release < stays[s].from)
        release = stays[s].from;
    while (release >= stays[s].to) { /* an event at the very tick comes first */
        if (++s == n_stays)
            return SLOW_NEVER;
        if (!(service->held_in >> stays[s].state & 1))
            release = later(stays[s].from, service->support[stays[s].state]);
    }
    return release;
}
