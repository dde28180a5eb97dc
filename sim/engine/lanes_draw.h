/* Loops over people and keys: random words, uniforms, exponentials, quantiles. See lanes_private.h. Not installed. */
#ifndef PK_LANES_DRAW_H
#define PK_LANES_DRAW_H

#include "lanes_columns.h"

PK_INLINE void load_person(struct pk_lane_counters *c, const uint64_t *person)
{
    PK_EACH
    {
        c->c0[g] = pk_vu_load(person + g * PK_WIDTH);
        c->c1[g] = pk_vu_high(c->c0[g]);
    }
}

/* The same purpose for all. */
PK_INLINE void philox_of(const uint64_t schedule[20], const uint64_t *person, uint64_t purpose,
                         struct pk_lane_counters *c)
{
    load_person(c, person);
    PK_EACH
    {
        c->c2[g] = pk_vu_set(purpose);
        c->c3[g] = pk_vu_set(purpose >> 32);
    }
    pk_lanes_philox(c, schedule);
}

/* Of n people the keys of whom follow each other, those whose word is at most the bound: their places and words. */
static size_t lots(const uint64_t schedule[20], size_t n, uint64_t first_person, uint64_t purpose, uint64_t bound,
                   uint64_t *list, uint64_t *words)
{
    const pk_vu most = pk_vu_set(bound);
    size_t n_list = 0;
    for (size_t i = 0; i < n; i += PK_WIDTH * PK_TOGETHER) {
        struct pk_lane_counters c;
        PK_EACH
        {
            c.c0[g] = pk_vu_set(first_person + i + (size_t)g * PK_WIDTH) + pk_vu_iota();
            c.c1[g] = pk_vu_high(c.c0[g]);
            c.c2[g] = pk_vu_set(purpose);
            c.c3[g] = pk_vu_set(purpose >> 32);
        }
        pk_lanes_philox(&c, schedule);
        PK_EACH
        {
            const size_t at = i + (size_t)g * PK_WIDTH;
            const pk_vu word = pk_lanes_word(c.c0[g], c.c1[g]);
            const pk_vm in = pk_vm_and(pk_vm_first(n > at ? n - at : 0), pk_vm_not(pk_vu_less(most, word)));
            if (!pk_vm_any(in)) /* as nearly always */
                continue;
            pk_vu_pack(list + n_list, in, pk_vu_set(at) + pk_vu_iota());
            n_list += pk_vu_pack(words + n_list, in, word);
        }
    }
    return n_list;
}

static void uniforms(const uint64_t schedule[20], size_t n, const uint64_t *person, uint64_t purpose, double *first)
{
    for (size_t i = 0; i < n; i += PK_WIDTH * PK_TOGETHER) {
        struct pk_lane_counters c;
        philox_of(schedule, person + i, purpose, &c);
        PK_EACH pk_vd_store(first + i + g * PK_WIDTH, pk_lanes_uniform(pk_lanes_word(c.c0[g], c.c1[g])));
    }
}

/* The same as exponentials. */
static void exponentials(const uint64_t schedule[20], size_t n, const uint64_t *person, uint64_t purpose, double *first)
{
    for (size_t i = 0; i < n; i += PK_WIDTH * PK_TOGETHER) {
        struct pk_lane_counters c;
        pk_vd x[PK_TOGETHER];
        philox_of(schedule, person + i, purpose, &c);
        PK_EACH x[g] = pk_lanes_uniform(pk_lanes_word(c.c0[g], c.c1[g]));
        pk_lanes_exponential(x);
        PK_EACH pk_vd_store(first + i + g * PK_WIDTH, x[g]);
    }
}

/* The exponential and the mark of every lane's draw. */
static void draw(const uint64_t schedule[20], size_t n, const uint64_t *person, const uint64_t *purpose,
                 const uint64_t *occurrence, double *left, double *mark)
{
    for (size_t i = 0; i < n; i += PK_WIDTH * PK_TOGETHER) {
        struct pk_lane_counters c;
        pk_vd x[PK_TOGETHER];
        load_person(&c, person + i);
        PK_EACH
        {
            c.c2[g] = pk_vu_load(purpose + i + g * PK_WIDTH);
            c.c3[g] = pk_vu_load(occurrence + i + g * PK_WIDTH);
        }
        pk_lanes_philox(&c, schedule);
        PK_EACH
        {
            x[g] = pk_lanes_uniform(pk_lanes_word(c.c0[g], c.c1[g]));
            pk_vd_store(mark + i + g * PK_WIDTH, pk_lanes_uniform(pk_lanes_word(c.c2[g], c.c3[g])));
        }
        pk_lanes_exponential(x);
        PK_EACH pk_vd_store(left + i + g * PK_WIDTH, x[g]);
    }
}

static void quantiles(const struct pk_plan_distribution *distribution, size_t n, const double *p, double *months)
{
    const double a = distribution->a, b = distribution->b, c = distribution->c;
    if (distribution->kind == PK_DISTRIBUTION_UNIFORM) {
        for (size_t i = 0; i < n; i++)
            months[i] = pk_tick_round(a + (b - a) * p[i]);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        const bool rises = p[i] * (c - a) < b - a;
        const double up = p[i] * (c - a) * (b - a), down = (1 - p[i]) * (c - a) * (c - b);
        const double root = __builtin_sqrt(rises ? up : down);
        months[i] = pk_tick_round(rises ? a + root : c - root);
    }
}

static void places(const double *cumulative, size_t n_values, size_t n, const double *u, uint8_t *values)
{
    enum { MOST = 16 };
    double bounds[MOST];
    for (size_t k = 0; k < MOST; k++) /* the last value has no bound */
        bounds[k] = k + 1 < n_values ? cumulative[k] : PK_NEVER;
    for (size_t i = 0; i < n; i++) {
        unsigned count = 0;
        for (size_t k = 0; k < 3; k++)
            count += u[i] >= bounds[k];
        values[i] = (uint8_t)count;
    }
    for (size_t k = 3; k + 1 < n_values; k++) /* running sums ascend */
        for (size_t i = 0; i < n; i++)
            values[i] = (uint8_t)(values[i] + (u[i] >= bounds[k]));
}

#endif
