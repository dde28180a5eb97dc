/* One synthetic person. See person.h. */
#include "polku/person.h"

#include <math.h>

#include "polku/elementary.h"
#include "polku/rng.h"

/* Streams of PK_ROLE_ATTRIBUTE; attributes follow. Part of every published number. */
enum { STREAM_STATE = 0, STREAM_AGE = 1, STREAM_ELAPSED = 2, STREAM_ATTRIBUTES = 16 };

static double uniform(const struct pk_plan *plan, uint32_t replication, uint64_t id, uint32_t stream)
{
    struct pk_rng_key key = {
        .seed = plan->seed, .person = id, .replication = replication, .stream = stream, .role = PK_ROLE_ATTRIBUTE};
    return pk_rng_uniforms(&key).first;
}

static size_t chosen(const struct pk_plan *plan, const struct pk_plan_choice *choice, uint32_t replication, uint64_t id,
                     uint32_t stream)
{
    if (choice->only != SIZE_MAX)
        return choice->only;
    double u = uniform(plan, replication, id, stream);
    size_t i = 0;
    while (i + 1 < choice->n && u >= choice->cumulative[i])
        i++;
    return i;
}

double pk_distribution_quantile(const struct pk_plan_distribution *distribution, double p)
{
    double a = distribution->a, b = distribution->b, c = distribution->c;
    switch (distribution->kind) {
    case PK_DISTRIBUTION_FIXED:
        break;
    case PK_DISTRIBUTION_UNIFORM:
        return a + (b - a) * p;
    case PK_DISTRIBUTION_TRIANGULAR: /* low a, mode b, high c; sqrt is exact by IEEE */
        if (c <= a)
            return a;
        if (p * (c - a) < b - a)
            return a + sqrt(p * (c - a) * (b - a));
        return c - sqrt((1 - p) * (c - a) * (c - b));
    case PK_DISTRIBUTION_EXPONENTIAL:
        return -a * pk_log(1 - p);
    }
    return a;
}

void pk_person_make(const struct pk_plan *plan, uint32_t replication, uint64_t id, struct pk_person *person)
{
    person->id = id;
    person->replication = replication;
    person->age = 0;
    person->elapsed = 0;
    person->stratum = 0;
    person->state = (uint16_t)chosen(plan, &plan->start_state, replication, id, STREAM_STATE);
    if (plan->needs_age)
        person->age = pk_tick_round(pk_distribution_quantile(&plan->age, uniform(plan, replication, id, STREAM_AGE)));
    if (plan->elapsed_states >> person->state & 1)
        person->elapsed = pk_tick_round(
            pk_distribution_quantile(&plan->elapsed[person->state], uniform(plan, replication, id, STREAM_ELAPSED)));
    for (size_t i = 0; i < plan->n_attributes; i++) {
        person->values[i] =
            (uint8_t)chosen(plan, &plan->attributes[i], replication, id, (uint32_t)(STREAM_ATTRIBUTES + i));
        person->stratum += (uint32_t)(plan->stratum_strides[i] * person->values[i]);
    }
}

bool pk_person_is_eligible(const struct pk_plan *plan, const struct pk_plan_target *target,
                           const struct pk_person *person)
{
    if (!(target->states >> person->state & 1) || person->age < target->age_low || person->age >= target->age_high)
        return false;
    for (size_t i = 0; i < plan->n_attributes; i++)
        if (!target->allowed[i * 256 + person->values[i]])
            return false;
    return true;
}

uint64_t pk_person_lot(const struct pk_plan *plan, size_t i_target, uint32_t replication, uint64_t id)
{
    struct pk_rng_key key = {.seed = plan->seed,
                             .person = id,
                             .replication = replication,
                             .stream = (uint32_t)i_target,
                             .role = PK_ROLE_ENROLMENT};
    uint64_t words[2];
    pk_rng_words(&key, words);
    return words[0];
}
