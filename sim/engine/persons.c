/* Many people at once. See persons.h; the one by one reference is person.c. */
#include "polku/persons.h"

#include <math.h>
#include <string.h>

#include "lanes_private.h"
#include "person_private.h"
#include "polku/rng_core.h"

enum pk_status pk_persons_init(struct pk_persons *persons, const struct pk_plan *plan, size_t n_room,
                               struct pk_error *error)
{
    enum { COLUMNS = 8, ALIGNMENT = 64 };
    memset(persons, 0, sizeof *persons);
    const size_t n = (n_room + 2 * PK_LANES_STEP - 1) / PK_LANES_STEP * PK_LANES_STEP; /* a part may begin anywhere */
    const size_t n_columns = COLUMNS + plan->n_frailties + (plan->n_cures > 0);
    unsigned char *memory = pk_alloc(n * (8 * n_columns + plan->n_attributes) + ALIGNMENT, 1);
    if (memory == NULL)
        return pk_error_set(error, PK_NO_MEMORY, "no memory for a block of %zu people", n_room);
    persons->plan = plan;
    persons->n_room = n_room;
    persons->memory = memory;
    memory += ALIGNMENT - (uintptr_t)memory % ALIGNMENT;
    uint64_t *column = (uint64_t *)(void *)memory;
    persons->ids = column;
    persons->keys = column + n;
    persons->states = column + 2 * n;
    persons->strata = column + 3 * n;
    persons->entries = (double *)(void *)(column + 4 * n);
    persons->ages = persons->entries + n;
    persons->elapsed = persons->entries + 2 * n;
    persons->uniforms = persons->entries + 3 * n;
    for (size_t f = 0; f < plan->n_frailties; f++)
        persons->frailties[f] = persons->entries + (4 + f) * n;
    if (plan->n_cures > 0)
        persons->cured = column + (COLUMNS + plan->n_frailties) * n;
    for (size_t a = 0; a < plan->n_attributes; a++)
        persons->values[a] = memory + n * (8 * n_columns + a);
    return PK_OK;
}

void pk_persons_free(struct pk_persons *persons)
{
    if (persons == NULL)
        return;
    pk_free(persons->memory);
    memset(persons, 0, sizeof *persons);
}

/* Counters 0 and 1 of rng.h, which stay the same through a life. */
static inline uint64_t key_of(uint64_t id, uint32_t replication)
{
    return (uint64_t)(uint32_t)id | ((id >> 32 & 0xff) | (uint64_t)replication << 8) << 32;
}

/* A part of the block whose people come from the same distributions. */
struct part {
    struct pk_persons *persons;
    const struct pk_plan_origin *origin;
    const struct pk_lane_ops *ops;
    uint64_t schedule[20];
    size_t first, n;
};

static const double *uniforms_of(const struct part *part, uint32_t stream)
{
    double *u = part->persons->uniforms;
    part->ops->uniforms(part->schedule, part->n, part->persons->keys + part->first,
                        stream | (uint64_t)PK_ROLE_ATTRIBUTE << 24, u);
    return u;
}

/* Quantiles in months, to the tick. */
static void quantiles(const struct part *part, const struct pk_plan_distribution *distribution, const double *p,
                      double *months)
{
    const bool is_loop = distribution->n_points == 0 &&
                         (distribution->kind == PK_DISTRIBUTION_UNIFORM ||
                          (distribution->kind == PK_DISTRIBUTION_TRIANGULAR && distribution->c > distribution->a));
    if (is_loop) {
        part->ops->quantiles(distribution, part->n, p, months);
        return;
    }
    for (size_t i = 0; i < part->n; i++)
        months[i] = pk_tick_round(pk_distribution_quantile(distribution, p[i]));
}

static void draw_states(const struct part *part)
{
    const struct pk_plan_choice *choice = &part->origin->start_state;
    uint64_t *states = part->persons->states + part->first;
    const double *u = choice->only == SIZE_MAX ? uniforms_of(part, STREAM_STATE) : NULL;
    for (size_t i = 0; i < part->n; i++)
        states[i] = u == NULL ? choice->only : pk_person_place(choice->cumulative, choice->n, u[i]);
}

static void draw_elapsed(const struct part *part)
{
    const struct pk_plan_origin *origin = part->origin;
    const uint64_t *states = part->persons->states + part->first;
    double *elapsed = part->persons->elapsed + part->first;
    if (origin->elapsed_states == 0)
        return;
    const double *u = uniforms_of(part, STREAM_ELAPSED);
    if (origin->start_state.only != SIZE_MAX) {
        if (origin->elapsed_states >> origin->start_state.only & 1)
            quantiles(part, &origin->elapsed[origin->start_state.only], u, elapsed);
        return;
    }
    for (size_t i = 0; i < part->n; i++)
        if (origin->elapsed_states >> states[i] & 1)
            elapsed[i] = pk_tick_round(pk_distribution_quantile(&origin->elapsed[states[i]], u[i]));
}

static void draw_attribute(const struct part *part, size_t i_attribute)
{
    const struct pk_plan_choice *choice = &part->origin->attributes[i_attribute];
    uint8_t *values = part->persons->values[i_attribute] + part->first;
    if (choice->only != SIZE_MAX) {
        memset(values, (int)choice->only, part->n);
        return;
    }
    const double *u = uniforms_of(part, (uint32_t)(STREAM_ATTRIBUTES + i_attribute));
    if (choice->n > 16) {
        for (size_t i = 0; i < part->n; i++)
            values[i] = (uint8_t)pk_person_place(choice->cumulative, choice->n, u[i]);
        return;
    }
    part->ops->places(choice->cumulative, choice->n, part->n, u, values);
}

static void draw_joint(const struct part *part, const struct pk_plan_joint *joint)
{
    const double *u = uniforms_of(part, (uint32_t)(STREAM_ATTRIBUTES + joint->i_attributes[0]));
    for (size_t i = 0; i < part->n; i++) {
        const size_t cell = pk_person_place(joint->cumulative, joint->n_cells, u[i]);
        for (size_t k = 0; k < joint->n_attributes; k++)
            part->persons->values[joint->i_attributes[k]][part->first + i] =
                joint->values[cell * joint->n_attributes + k];
    }
}

static void draw(const struct part *part)
{
    const struct pk_plan_origin *origin = part->origin;
    draw_states(part);
    if (origin->needs_age)
        quantiles(part, &origin->age, uniforms_of(part, STREAM_AGE), part->persons->ages + part->first);
    draw_elapsed(part);
    for (size_t a = 0; a < part->persons->plan->n_attributes; a++)
        if (origin->attributes[a].n > 0 && part->persons->plan->is_read[a])
            draw_attribute(part, a);
    for (size_t j = 0; j < origin->n_joints; j++)
        if (part->persons->plan->is_read[origin->joints[j].i_attributes[0]]) /* all of them or none */
            draw_joint(part, &origin->joints[j]);
}

static void enter(const struct part *part)
{
    struct pk_persons *persons = part->persons;
    const double *u = uniforms_of(part, STREAM_ENTRY);
    for (size_t i = 0; i < part->n; i++) {
        const size_t k = part->first + i;
        persons->entries[k] = pk_person_entry(persons->plan, (size_t)(persons->ids[k] >> 32) - 1, u[i]);
        persons->ages[k] -= persons->entries[k];
    }
}

static void import(struct pk_persons *persons, size_t n)
{
    const struct pk_plan *plan = persons->plan;
    const struct pk_plan_people *people = &plan->people;
    for (size_t i = 0; i < n; i++) {
        const size_t k = (size_t)persons->ids[i];
        PK_ASSERT(k < people->n);
        persons->states[i] = people->states[k];
        persons->ages[i] = people->ages[k];
        persons->elapsed[i] = people->elapsed[k];
        for (size_t a = 0; a < plan->n_attributes; a++)
            if (plan->is_read[a])
                persons->values[a][i] = people->values[k * plan->n_attributes + a];
    }
}

static void keep_differences(struct pk_persons *persons, size_t i, const struct pk_person *person)
{
    for (size_t f = 0; f < persons->plan->n_frailties; f++)
        persons->frailties[f][i] = person->frailties[f];
    if (persons->cured != NULL)
        persons->cured[i] = person->cured;
}

/* Frailties and cures, of people whose other columns are ready: few need them, and each is a quantile of its own. */
static void differ(struct pk_persons *persons)
{
    for (size_t i = 0; i < persons->n; i++) {
        struct pk_person person = {.id = persons->ids[i],
                                   .replication = persons->replication,
                                   .stratum = (uint32_t)persons->strata[i],
                                   .state = (uint16_t)persons->states[i],
                                   .entry = persons->entries[i],
                                   .age = persons->ages[i],
                                   .elapsed = persons->elapsed[i]};
        pk_person_differ(persons->plan, &person);
        keep_differences(persons, i, &person);
    }
}

/* One after another: the reference. */
static void make_each(struct pk_persons *persons)
{
    const struct pk_plan *plan = persons->plan;
    for (size_t i = 0; i < persons->n; i++) {
        struct pk_person person;
        pk_person_make_read(plan, persons->replication, persons->ids[i], &person);
        persons->states[i] = person.state;
        persons->strata[i] = person.stratum;
        persons->entries[i] = person.entry;
        persons->ages[i] = person.age;
        persons->elapsed[i] = person.elapsed;
        for (size_t a = 0; a < plan->n_attributes; a++)
            persons->values[a][i] = person.values[a];
        keep_differences(persons, i, &person);
    }
}

void pk_persons_make(struct pk_persons *persons, uint32_t replication, size_t n, enum pk_vectors vectors)
{
    const struct pk_plan *plan = persons->plan;
    struct part part = {.persons = persons, .origin = &plan->origin, .ops = pk_lane_ops_of(vectors)};
    PK_ASSERT(n <= persons->n_room);
    persons->n = n;
    persons->replication = replication;
    if (vectors == PK_VECTORS_NONE) {
        make_each(persons);
        return;
    }
    pk_lanes_schedule(plan->seed, part.schedule);
    for (size_t i = 0; i < n; i++)
        persons->keys[i] =
            (uint64_t)(uint32_t)persons->ids[i] | ((persons->ids[i] >> 32 & 0xff) | (uint64_t)replication << 8) << 32;
    /* columns are 0 from the beginning: what nobody writes stays so */
    if (plan->inflow.n_years > 0) {
        memset(persons->entries, 0, n * sizeof *persons->entries);
        memset(persons->ages, 0, n * sizeof *persons->ages);
        memset(persons->elapsed, 0, n * sizeof *persons->elapsed);
    } else if (plan->origin.start_state.only == SIZE_MAX) {
        memset(persons->elapsed, 0, n * sizeof *persons->elapsed);
    }
    size_t n_start = n;
    while (n_start > 0 && plan->inflow.n_years > 0 && persons->ids[n_start - 1] >> 32 > 0)
        n_start--;
    part.n = n_start;
    if (n_start > 0 && plan->people.n > 0)
        import(persons, n_start);
    else if (n_start > 0)
        draw(&part);
    part.first = n_start;
    part.n = n - n_start;
    part.origin = &plan->inflow.origin;
    if (part.n > 0) {
        draw(&part);
        enter(&part);
    }
    bool any = false;
    for (size_t a = 0; a < plan->n_attributes; a++) {
        const uint64_t stride = plan->stratum_strides[a];
        const uint8_t *values = persons->values[a];
        for (size_t i = 0; stride != 0 && i < n; i++)
            persons->strata[i] = (any ? persons->strata[i] : 0) + stride * values[i];
        any |= stride != 0;
    }
    if (plan->n_frailties + plan->n_cures > 0)
        differ(persons);
}

void pk_persons_pick(const struct pk_persons *persons, const size_t *which, size_t n, struct pk_persons *into)
{
    const struct pk_plan *plan = persons->plan;
    PK_ASSERT(n <= into->n_room && into->plan == plan);
    into->n = n;
    into->replication = persons->replication;
    for (size_t k = 0; k < n; k++) {
        const size_t i = which[k];
        into->ids[k] = persons->ids[i];
        into->keys[k] = persons->keys[i];
        into->states[k] = persons->states[i];
        into->strata[k] = persons->strata[i];
        into->entries[k] = persons->entries[i];
        into->ages[k] = persons->ages[i];
        into->elapsed[k] = persons->elapsed[i];
        for (size_t f = 0; f < plan->n_frailties; f++)
            into->frailties[f][k] = persons->frailties[f][i];
        if (into->cured != NULL)
            into->cured[k] = persons->cured[i];
        for (size_t a = 0; a < plan->n_attributes; a++)
            into->values[a][k] = persons->values[a][i];
    }
}

size_t pk_persons_lots(const struct pk_plan *plan, size_t i_target, uint32_t replication, uint64_t from, size_t n,
                       uint64_t bound, enum pk_vectors vectors, uint64_t *ids, uint64_t *lots)
{
    size_t n_list = 0;
    if (vectors == PK_VECTORS_NONE) {
        for (size_t i = 0; i < n; i++) {
            lots[n_list] = pk_person_lot(plan, i_target, replication, from + i);
            ids[n_list] = from + i;
            n_list += lots[n_list] <= bound;
        }
        return n_list;
    }
    uint64_t schedule[20];
    pk_lanes_schedule(plan->seed, schedule);
    PK_ASSERT((from & 0xffffffff) + n <= UINT64_C(1) << 32);
    n_list = pk_lane_ops_of(vectors)->lots(schedule, n, key_of(from, replication),
                                           i_target | (uint64_t)PK_ROLE_ENROLMENT << 24, bound, ids, lots);
    for (size_t i = 0; i < n_list; i++)
        ids[i] += from;
    return n_list;
}

void pk_persons_person(const struct pk_persons *persons, size_t i, struct pk_person *person)
{
    const struct pk_plan *plan = persons->plan;
    person->id = persons->ids[i];
    person->replication = persons->replication;
    person->weight = UINT32_C(1) << plan->weight_bits;
    if (plan->people.weights != NULL && person->id < plan->people.n)
        person->weight = plan->people.weights[person->id];
    person->state = (uint16_t)persons->states[i];
    person->entry = persons->entries[i];
    person->age = persons->ages[i];
    person->elapsed = persons->elapsed[i];
    person->stratum = (uint32_t)persons->strata[i];
    memset(person->values, 0, sizeof person->values);
    for (size_t a = 0; a < plan->n_attributes; a++)
        person->values[a] = persons->values[a][i];
    for (size_t f = 0; f < plan->n_frailties; f++)
        person->frailties[f] = persons->frailties[f][i];
    person->cured = persons->cured != NULL ? persons->cured[i] : 0;
}
