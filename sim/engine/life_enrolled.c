/* Which services a person is in, as a life goes on: they begin, work for a while, and their places are given back. See
 * life_private.h. */
#include "life_private.h"

/* How long a place is held from an enrolment on, unless an event ends it: fixed, or by a hazard, from one draw for each
 * time that the person is enrolled in the service. */
static double planned_release(const struct walk *walk, size_t i_service, uint32_t i_time, double from)
{
    const struct pk_plan_service *service = &walk->plan->services[i_service];
    double release = from + service->length;
    if (service->random_length) {
        double left =
            pk_walk_exponential(pk_walk_draw(walk, (uint32_t)i_service, PK_ROLE_LENGTH, i_time & UINT16_MAX, 0).first);
        const double end = pk_walk_spend(walk, &left, &service->length_rate, 1, from, from, walk->plan->horizon + 1);
        if (end < release)
            release = pk_tick_round(end);
    }
    if (!(service->held_in >> walk->i_state & 1))
        release = from + service->support[walk->i_state];
    return release > from ? release : from + PK_TICK;
}

/* Of several enrolments within the stay the latest counts. */
double pk_walk_release(const struct walk *walk, size_t i_service, double now)
{
    const uint16_t *enters = walk->plan->services[i_service].enters;
    uint32_t n = walk->enrolments[i_service].n;
    double from = PK_NEVER;
    for (size_t i = walk->i_next; i < walk->treatment->n && walk->treatment->items[i].from <= now; i++) {
        if (walk->treatment->items[i].i_service != i_service)
            continue;
        from = walk->treatment->items[i].from;
        n++;
    }
    if (!(from < PK_NEVER))
        return walk->enrolments[i_service].release;
    return enters != NULL && enters[walk->i_state] != UINT16_MAX ? PK_NEVER
                                                                 : planned_release(walk, i_service, n - 1, from);
}

double pk_walk_effects_end(const struct walk *walk, size_t i_item, uint32_t i_time)
{
    const size_t i_service = walk->treatment->items[i_item].i_service;
    const struct pk_plan_service *service = &walk->plan->services[i_service];
    const double from = walk->treatment->items[i_item].from, to = from + service->window;
    const double release = service->while_held ? planned_release(walk, i_service, i_time, from) : PK_NEVER;
    return release < to ? release : to;
}

/* What works on an arc gives way to a service that begins to. */
static void take_over(struct walk *walk, size_t i_service)
{
    const struct pk_plan_service *services = walk->plan->services, *later = &services[i_service];
    for (uint64_t left = walk->enrolled; left != 0; left &= left - 1) {
        const size_t s = (size_t)__builtin_ctzll(left);
        for (size_t k = 0; k < services[s].n_effects && s != i_service; k++)
            for (size_t j = 0; j < later->n_effects; j++)
                if (services[s].effects[k].arc == later->effects[j].arc)
                    walk->enrolments[s].done |= UINT64_C(1) << k;
    }
}

static void begin(struct walk *walk, const struct pk_enrolled *item)
{
    struct enrolment *enrolment = &walk->enrolments[item->i_service];
    const struct pk_plan_service *service = &walk->plan->services[item->i_service];
    take_over(walk, item->i_service);
    enrolment->release = planned_release(walk, item->i_service, enrolment->n, item->from);
    enrolment->from = item->from;
    enrolment->to = item->from + service->window;
    if (service->while_held && enrolment->release < enrolment->to)
        enrolment->to = enrolment->release;
    enrolment->done = 0;
    enrolment->n++;
    walk->enrolled |= UINT64_C(1) << item->i_service;
}

/* Where the person has come to may end a service, or let it go on for a while. */
static void look_around(struct walk *walk, size_t i_service)
{
    struct enrolment *enrolment = &walk->enrolments[i_service];
    const struct pk_plan_service *service = &walk->plan->services[i_service];
    const size_t i_state = walk->i_state;
    if (enrolment->release >= walk->entry && !(service->held_in >> i_state & 1))
        enrolment->release = walk->entry + service->support[i_state];
    if (service->while_held) {
        const double end = enrolment->from + service->window;
        enrolment->to = enrolment->release < end ? enrolment->release : end;
    }
    if (!service->first_job_only)
        return;
    for (size_t k = 0; k < service->n_effects; k++) /* ends with the first entry to where an effect's arc leads */
        if (walk->plan->arcs[service->effects[k].arc].i_to == i_state)
            enrolment->done |= UINT64_C(1) << k;
}

void pk_walk_begin_services(struct walk *walk, double until)
{
    const struct pk_treatment *treatment = walk->treatment;
    for (; walk->i_next < treatment->n && treatment->items[walk->i_next].from < until; walk->i_next++) {
        const struct pk_enrolled *item = &treatment->items[walk->i_next];
        const uint16_t *enters = walk->plan->services[item->i_service].enters;
        if (enters != NULL && enters[walk->i_state] != UINT16_MAX)
            break; /* the move comes first */
        begin(walk, item);
    }
}

void pk_walk_arrive(struct walk *walk)
{
    for (uint64_t left = walk->enrolled; left != 0; left &= left - 1)
        look_around(walk, (size_t)__builtin_ctzll(left));
    pk_walk_begin_services(walk, walk->entry + 0.5 * PK_TICK);
    for (uint64_t left = walk->enrolled; left != 0; left &= left - 1) {
        const size_t s = (size_t)__builtin_ctzll(left);
        if (!(walk->enrolments[s].to > walk->entry) && !(walk->enrolments[s].release > walk->entry))
            walk->enrolled &= ~(UINT64_C(1) << s);
    }
}

bool pk_walk_is_left_alone(const struct walk *walk)
{
    if (walk->plan->n_preventions > 0 || walk->i_next < walk->treatment->n || walk->loses > walk->entry)
        return false;
    for (uint64_t left = walk->enrolled; left != 0; left &= left - 1) {
        const size_t s = (size_t)__builtin_ctzll(left);
        const size_t n = walk->plan->services[s].n_effects;
        const uint64_t all = n < 64 ? (UINT64_C(1) << n) - 1 : UINT64_MAX;
        if (walk->enrolments[s].to > walk->entry && walk->enrolments[s].done != all)
            return false;
    }
    return true;
}
