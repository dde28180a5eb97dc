/* One synthetic person. See person.h. */
#include "polku/person.h"

#include <math.h>
#include <string.h>

#include "person_private.h"
#include "polku/elementary.h"
#include "polku/rng.h"
#include "polku/special.h"

static double uniform(const struct pk_plan *plan, const struct pk_person *person, uint32_t stream)
{
    struct pk_rng_key key = {.seed = plan->seed,
                             .person = person->id,
                             .replication = person->replication,
                             .stream = stream,
                             .role = PK_ROLE_ATTRIBUTE};
    return pk_rng_uniforms(&key).first;
}

static size_t chosen(const struct pk_plan *plan, const struct pk_plan_choice *choice, const struct pk_person *person,
                     uint32_t stream)
{
    if (choice->only != SIZE_MAX)
        return choice->only;
    return pk_person_place(choice->cumulative, choice->n, uniform(plan, person, stream));
}

double pk_distribution_quantile(const struct pk_plan_distribution *distribution, double p)
{
    double a = distribution->a, b = distribution->b, c = distribution->c;
    if (distribution->n_points > 0) {
        size_t i = (size_t)(p * (double)distribution->n_points);
        return distribution->points[i < distribution->n_points ? i : distribution->n_points - 1];
    }
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
    case PK_DISTRIBUTION_NORMAL:
        return a + b * pk_special_normal_quantile(c + p * (distribution->d - c));
    case PK_DISTRIBUTION_HISTOGRAM: {
        size_t i = pk_person_place(distribution->cumulative, distribution->n_bins, p);
        double below = i > 0 ? distribution->cumulative[i - 1] : 0, share = distribution->cumulative[i] - below;
        double from = distribution->edges[i], to = distribution->edges[i + 1];
        return share > 0 ? from + (to - from) * ((p - below) / share) : from;
    }
    }
    return a;
}

/* State, age, elapsed time and attributes as an origin has them; age is that at entry. Not whole: only the attributes
 * that the plan reads, the others are not touched. */
static void draw(const struct pk_plan *plan, const struct pk_plan_origin *origin, bool whole, struct pk_person *person)
{
    person->state = (uint16_t)chosen(plan, &origin->start_state, person, STREAM_STATE);
    if (origin->needs_age)
        person->age = pk_tick_round(pk_distribution_quantile(&origin->age, uniform(plan, person, STREAM_AGE)));
    if (origin->elapsed_states >> person->state & 1)
        person->elapsed = pk_tick_round(
            pk_distribution_quantile(&origin->elapsed[person->state], uniform(plan, person, STREAM_ELAPSED)));
    for (size_t i = 0; i < plan->n_attributes; i++)
        if (origin->attributes[i].n > 0 && (whole || plan->is_read[i]))
            person->values[i] =
                (uint8_t)chosen(plan, &origin->attributes[i], person, (uint32_t)(STREAM_ATTRIBUTES + i));
    for (size_t j = 0; j < origin->n_joints; j++) {
        const struct pk_plan_joint *joint = &origin->joints[j];
        if (!whole && !plan->is_read[joint->i_attributes[0]]) /* all of them or none */
            continue;
        double u = uniform(plan, person, (uint32_t)(STREAM_ATTRIBUTES + joint->i_attributes[0]));
        const uint8_t *values =
            joint->values + pk_person_place(joint->cumulative, joint->n_cells, u) * joint->n_attributes;
        for (size_t k = 0; k < joint->n_attributes; k++)
            person->values[joint->i_attributes[k]] = values[k];
    }
}

static void import(const struct pk_plan *plan, struct pk_person *person)
{
    const struct pk_plan_people *people = &plan->people;
    PK_ASSERT(person->id < people->n);
    person->state = people->states[person->id];
    person->age = people->ages[person->id];
    person->elapsed = people->elapsed[person->id];
    memcpy(person->values, people->values + person->id * plan->n_attributes, plan->n_attributes);
    if (people->weights != NULL)
        person->weight = people->weights[person->id];
}

static void make(const struct pk_plan *plan, uint32_t replication, uint64_t id, bool whole, struct pk_person *person)
{
    person->id = id;
    person->replication = replication;
    person->weight = UINT32_C(1) << plan->weight_bits;
    person->entry = 0;
    person->age = 0;
    person->elapsed = 0;
    person->stratum = 0;
    if (plan->inflow.n_years > 0 && id >> 32 > 0) {
        size_t year = (size_t)(id >> 32) - 1;
        PK_ASSERT(year < plan->inflow.n_years);
        draw(plan, &plan->inflow.origin, whole, person);
        person->entry = pk_person_entry(plan, year, uniform(plan, person, STREAM_ENTRY));
        person->age -= person->entry;
    } else if (plan->people.n > 0) {
        import(plan, person);
    } else {
        draw(plan, &plan->origin, whole, person);
    }
    for (size_t i = 0; i < plan->n_attributes && !whole; i++)
        if (!plan->is_read[i])
            person->values[i] = 0;
    for (size_t i = 0; i < plan->n_attributes; i++)
        person->stratum += (uint32_t)(plan->stratum_strides[i] * person->values[i]);
    person->cured = 0;
    if (plan->n_frailties > 0 || plan->n_cures > 0)
        pk_person_differ(plan, person);
}

void pk_person_make(const struct pk_plan *plan, uint32_t replication, uint64_t id, struct pk_person *person)
{
    make(plan, replication, id, true, person);
}

void pk_person_make_read(const struct pk_plan *plan, uint32_t replication, uint64_t id, struct pk_person *person)
{
    make(plan, replication, id, false, person);
}

uint16_t pk_person_start_state(const struct pk_plan *plan, const struct pk_plan_arm *arm,
                               const struct pk_person *person)
{
    if (!arm->has_start || person->entry > 0)
        return person->state;
    return (uint16_t)chosen(plan, &arm->start_state, person, STREAM_STATE);
}

bool pk_person_is_eligible(const struct pk_plan *plan, const struct pk_plan_target *target,
                           const struct pk_person *person)
{
    double age = person->age + person->entry; /* at entry */
    if (!(target->states >> person->state & 1) || age < target->age_low || age >= target->age_high)
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
