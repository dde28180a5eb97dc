/* Somebody who asks for places: what they will do next if nothing is given to them. See places_private.h. */
#include <string.h>

#include "places_private.h"

static const struct pk_plan_enrolment *enrolment_of(const struct pk_places_room *room, size_t i_want)
{
    return &room->plan->arms[room->i_arm].enrolments[i_want];
}

static bool is_among(const struct pk_plan *plan, const struct pk_plan_enrolment *enrolment,
                     const struct pk_person *person)
{
    const struct pk_plan_target *target = &plan->targets[plan->lotteries[enrolment->i_lottery].i_target];
    bool all = true;
    for (size_t i = 0; i < plan->n_attributes; i++)
        all &= target->allowed[i * 256 + person->values[i]] != 0;
    return all;
}

static double draw_referral(const struct pk_plan *plan, const struct pk_person *person,
                            const struct pk_plan_referral *referral, uint32_t n_requests)
{
    const struct pk_rng_person rng = pk_rng_core_person(plan->seed, person->id, person->replication);
    return pk_walk_exponential(
        pk_rng_core_uniforms(rng, referral->stream, PK_ROLE_REFERRAL, n_requests, referral->ordinal).first);
}

/* Whether an exponential is so large that no life of the person could use it up. */
static bool is_out_of_reach(const struct pk_plan *plan, const struct pk_person *person,
                            const struct pk_plan_referral *referral, double left)
{
    const struct pk_rate *rate = &referral->rate;
    const double from = referral->from > person->entry ? referral->from : person->entry;
    const double to = referral->to < plan->horizon ? referral->to : plan->horizon;
    return !rate->smooth && rate->n_cuts == 0 && !(left < rate->levels[0] * (to - from) * (1 + 1e-9));
}

bool pk_client_begin(const struct pk_plan *plan, size_t i_arm, const struct pk_person *person, uint64_t lotteries,
                     struct pk_client *client)
{
    const struct pk_plan_arm *arm = &plan->arms[i_arm];
    bool any = false;
    for (size_t i = 0; i < arm->n_enrolments; i++) {
        const struct pk_plan_enrolment *enrolment = &arm->enrolments[i];
        struct want *want = &client->wants[i];
        *want = (struct want){.phase = PHASE_OVER};
        if (!enrolment->queued)
            continue;
        if (!enrolment->referral.by_rate) {
            want->phase = lotteries >> enrolment->i_lottery & 1 ? PHASE_IDLE : PHASE_OVER;
        } else if (is_among(plan, enrolment, person)) {
            want->left = draw_referral(plan, person, &enrolment->referral, 0);
            want->drawn = true;
            want->phase = is_out_of_reach(plan, person, &enrolment->referral, want->left) ? PHASE_OVER : PHASE_IDLE;
        }
        any |= want->phase == PHASE_IDLE;
    }
    if (!any)
        return false;
    client->person = *person;
    client->n_room = PK_MAX_ENROLMENTS;
    return true;
}

/* The time at which somebody in the walk's state is referred, spending their exponential from `from` to `until`. */
static double referral_time(const struct walk *walk, const struct pk_plan_referral *referral, double from, double until,
                            double *left)
{
    const double born = -walk->person->age;
    if (!(referral->states >> walk->i_state & 1))
        return PK_NEVER;
    from = referral->from > from ? referral->from : from;
    from = born + referral->age_low > from ? born + referral->age_low : from;
    until = referral->to < until ? referral->to : until;
    until = born + referral->age_high < until ? born + referral->age_high : until;
    const struct pk_rate *rate = &referral->rate;
    if (!rate->smooth && rate->n_cuts == 0) { /* a constant, as most are */
        const double used = from < until ? rate->levels[0] * (until - from) : 0;
        if (*left < used)
            return from + *left / rate->levels[0];
        *left -= used;
        return PK_NEVER;
    }
    return pk_walk_spend(walk, left, &referral->rate, 1, 0, from, until);
}

/* When an idle want asks within the stay, which ends at `end`; *left: of the exponential at the end. */
static double request_time(const struct pk_places_room *room, const struct want *want, size_t i_want, double end,
                           double *left)
{
    const struct walk *walk = &room->walk;
    const struct pk_plan_enrolment *enrolment = enrolment_of(room, i_want);
    *left = want->left;
    if (!enrolment->referral.by_rate)
        return room->plan->states[walk->i_state].absorbing ? PK_NEVER : walk->person->entry + enrolment->at;
    const double from = want->spent_to > walk->entry ? want->spent_to : walk->entry;
    const double time = referral_time(walk, &enrolment->referral, from, end, left);
    if (!(time < end))
        return PK_NEVER;
    const double rounded = pk_tick_round(time);
    return rounded < end ? rounded : end - PK_TICK;
}

static void consider(struct pk_thing *thing, double time, enum pk_doing doing, size_t i_want, bool reneges)
{
    if (time < thing->time || (time == thing->time && doing < thing->doing))
        *thing = (struct pk_thing){.time = time, .doing = doing, .i_want = i_want, .reneges = reneges};
}

/* What happens first in the stay from `now` on, before its end. */
static void look_at_stay(const struct pk_places_room *room, const struct want *wants, double now, double end,
                         double *lefts, struct pk_thing *thing)
{
    const struct walk *walk = &room->walk;
    const struct pk_plan_arm *arm = &room->plan->arms[room->i_arm];
    const double from = walk->entry > now ? walk->entry : now;
    *thing = (struct pk_thing){.time = end, .doing = PK_DOING_NOTHING};
    for (size_t i = 0; i < arm->n_enrolments; i++) {
        double time = PK_NEVER;
        bool reneges = false;
        enum pk_doing doing = PK_DOING_DEPART;
        switch ((enum phase)wants[i].phase) {
        case PHASE_OVER:
            continue;
        case PHASE_IDLE:
            doing = PK_DOING_REQUEST;
            time = request_time(room, &wants[i], i, end, &lefts[i]);
            break;
        case PHASE_WAITING:
            reneges = arm->enrolments[i].referral.states >> walk->i_state & 1;
            time = reneges ? wants[i].reneges : from;
            break;
        case PHASE_SERVED:
            time = pk_walk_release(walk, arm->enrolments[i].i_service, now);
            break;
        }
        time = time > from ? time : from;
        if (time < end)
            consider(thing, time, doing, i, reneges);
    }
}

enum pk_status pk_client_look(struct pk_places_room *room, struct pk_client *client, double now, bool fresh,
                              struct pk_thing *thing, struct pk_error *error)
{
    const struct pk_plan *plan = room->plan;
    const size_t n = plan->arms[room->i_arm].n_enrolments;
    struct want wants[PK_MAX_ENROLMENTS]; /* as they will be if nothing is given */
    double lefts[PK_MAX_ENROLMENTS];
    struct walk *walk = &room->walk;
    bool waits = false, keeps = fresh;
    room->n_releases = 0;
    for (size_t i = 0; i < n; i++) {
        wants[i] = client->wants[i];
        waits |= wants[i].phase == PHASE_WAITING;
    }
    if (fresh)
        pk_walk_begin(walk, plan, &client->person, &client->treatment, &room->life);
    else
        pk_walk_restore(walk, plan, &client->person, &client->treatment, &room->life, pk_client_saved(room, client));
    for (;; keeps = !waits || walk->entry <= now) { /* who waits may be given a place before the stays to come */
        struct candidate next;
        if (keeps) {
            pk_walk_save(walk, pk_client_saved(room, client));
            memcpy(client->wants, wants, n * sizeof *wants);
        }
        enum pk_status status = pk_walk_next(walk, &next, error);
        if (status != PK_OK)
            return status;
        const double end = walk->over ? plan->horizon : next.rounded;
        look_at_stay(room, wants, now, end, lefts, thing);
        while (!waits && thing->doing == PK_DOING_DEPART) { /* who does not wait is given nothing before they ask */
            struct want *want = &wants[thing->i_want];
            const double then = thing->time;
            room->releases[room->n_releases++] = *thing;
            pk_client_free_again(room, &client->person, want, thing->i_want, true, then);
            client->wants[thing->i_want] = *want;
            look_at_stay(room, wants, then, end, lefts, thing);
        }
        thing->i_state = walk->i_state;
        thing->state_zero = walk->state_zero;
        if (walk->over || thing->doing != PK_DOING_NOTHING)
            return PK_OK;
        for (size_t i = 0; i < n; i++) /* referrals' exponentials are spent up to there */
            if (wants[i].phase == PHASE_IDLE) {
                wants[i].left = lefts[i];
                wants[i].spent_to = end > wants[i].spent_to ? end : wants[i].spent_to; /* asked since, later */
            }
        pk_walk_on(walk, &next);
        room->n_events += !waits || walk->entry <= now; /* others are lived again */
    }
}

bool pk_client_enrol(struct pk_client *client, size_t i_service, double now)
{
    struct pk_treatment *treatment = &client->treatment;
    if (treatment->n == client->n_room) {
        struct pk_enrolled *grown = pk_realloc(client->many, client->n_room * 2, sizeof *grown);
        if (grown == NULL)
            return false;
        if (client->many == NULL)
            memcpy(grown, client->few, sizeof client->few);
        client->items = client->many = grown;
        client->n_room *= 2;
        treatment->items = grown;
    }
    size_t k = treatment->n++;
    for (; k > 0 && client->items[k - 1].from > now; k--) /* what is to come anyway */
        client->items[k] = client->items[k - 1];
    client->items[k] = (struct pk_enrolled){.i_service = i_service, .from = now};
    return true;
}

double pk_client_patience(const struct pk_places_room *room, const struct pk_client *client, size_t i_want, double now)
{
    const size_t i_service = enrolment_of(room, i_want)->i_service;
    const struct pk_plan_places *places = &room->plan->services[i_service].places;
    const struct pk_person *person = &client->person;
    if (!places->reneges)
        return PK_NEVER;
    const struct pk_rng_person rng = pk_rng_core_person(room->plan->seed, person->id, person->replication);
    double left = pk_walk_exponential(pk_rng_core_uniforms(rng, (uint32_t)i_service, PK_ROLE_QUEUE,
                                                           client->wants[i_want].n_requests - 1u,
                                                           enrolment_of(room, i_want)->referral.turn)
                                          .second);
    const enum pk_clock clock = places->renege.clock;
    const double zero = clock == PK_CLOCK_AGE         ? -person->age
                        : clock == PK_CLOCK_STATE     ? client->next.state_zero
                        : clock == PK_CLOCK_ENROLMENT ? now
                                                      : 0;
    const double time = pk_spell_spend_alone(&places->renege, zero, 1, now, room->plan->horizon + 1, &left);
    const double rounded = time < PK_NEVER ? pk_tick_round(time) : time;
    return rounded > now ? rounded : now + PK_TICK;
}

void pk_client_free_again(const struct pk_places_room *room, const struct pk_person *person, struct want *want,
                          size_t i_want, bool was_served, double now)
{
    const struct pk_plan_enrolment *enrolment = enrolment_of(room, i_want);
    const enum pk_requests again = room->plan->services[enrolment->i_service].places.again;
    want->ticket++;
    want->phase = PHASE_OVER;
    if (!enrolment->referral.by_rate || again == PK_REQUESTS_ONCE || (was_served && again == PK_REQUESTS_UNTIL_SERVED))
        return;
    want->phase = PHASE_IDLE;
    want->left = draw_referral(room->plan, person, &enrolment->referral, want->n_requests);
    want->spent_to = now;
}
