/* Many lives at once: which instruction set, what a thread has in flight, and who comes next. See lanes.h; the loops
 * themselves: lanes_kernel.c. */
#include "polku/lanes.h"

#include <string.h>

#include "lanes_private.h"
#include "polku/life.h"
#include "polku/memory.h"

/* ---- instruction sets ---------------------------------------------------------------------------------------------
 */

const char *const pk_vectors_names[PK_VECTORS_COUNT] = {"auto", "none", "plain", "avx2", "avx512"};

bool pk_vectors_available(enum pk_vectors vectors)
{
    switch (vectors) {
    case PK_VECTORS_AUTO:
    case PK_VECTORS_NONE:
    case PK_VECTORS_PLAIN:
        return true;
#ifdef PK_LANES_X86
    case PK_VECTORS_AVX2:
        return __builtin_cpu_supports("avx2");
    case PK_VECTORS_AVX512:
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
               __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw");
#endif
    default:
        return false;
    }
}

enum pk_vectors pk_vectors_chosen(enum pk_vectors wished)
{
    enum pk_vectors best = PK_VECTORS_PLAIN;
    for (enum pk_vectors v = PK_VECTORS_PLAIN; v < PK_VECTORS_COUNT; v++)
        if (pk_vectors_available(v))
            best = v;
    return wished == PK_VECTORS_AUTO ? best : wished;
}

const struct pk_lane_ops *pk_lane_ops_of(enum pk_vectors vectors)
{
    PK_ASSERT(pk_vectors_available(vectors));
#ifdef PK_LANES_X86
    if (vectors == PK_VECTORS_AVX512)
        return &pk_lane_ops_avx512;
    if (vectors == PK_VECTORS_AVX2)
        return &pk_lane_ops_avx2;
#endif
    return &pk_lane_ops_plain;
}

void pk_lanes_cells(enum pk_vectors vectors, const struct pk_lane_grid *grid, size_t n, const uint64_t *log,
                    uint64_t *places, uint64_t *values)
{
    pk_lane_ops_of(vectors)->cells(grid, n, log, places, values);
}

const char *const pk_stage_names[PK_STAGE_COUNT] = {"people", "draw", "choose", "common", "move", "tally", "lives"};

size_t pk_lanes_entries(enum pk_vectors vectors, const uint64_t *sets_of_arc, const uint64_t *wanted, size_t n,
                        const uint64_t *log, uint64_t *list)
{
    return pk_lane_ops_of(vectors)->entries(sets_of_arc, wanted, n, log, list);
}

/* ---- lanes --------------------------------------------------------------------------------------------------------
 */

struct pk_lanes *pk_lanes_make(const struct pk_lane_tables *tables, size_t n_room, enum pk_vectors vectors)
{
    enum { SCRATCH = 10, ALIGNMENT = 64 };
    struct pk_lanes *lanes = pk_alloc(1, sizeof *lanes);
    if (lanes == NULL)
        return NULL;
    const size_t n_people = (n_room + PK_LANES_STEP - 1) / PK_LANES_STEP * PK_LANES_STEP;
    const size_t n_words = (tables->n_columns + SCRATCH) * PK_LANES + tables->n_common * n_people;
    unsigned char *memory = pk_alloc(n_words * sizeof(uint64_t) + ALIGNMENT, 1);
    if (memory == NULL) {
        pk_free(lanes);
        return NULL;
    }
    lanes->tables = tables;
    lanes->ops = pk_lane_ops_of(vectors);
    lanes->memory = memory;
    memory += ALIGNMENT - (uintptr_t)memory % ALIGNMENT;
    uint64_t *column = (uint64_t *)(void *)memory;
    lanes->columns = column;
    column += tables->n_columns * PK_LANES;
    lanes->time = (double *)(void *)column;
    lanes->left = lanes->time + PK_LANES;
    lanes->mark = lanes->time + 2 * PK_LANES;
    lanes->way = column + 3 * PK_LANES;
    lanes->purpose = column + 4 * PK_LANES;
    lanes->occurrence = column + 5 * PK_LANES;
    lanes->fresh = column + 6 * PK_LANES;
    lanes->finished = column + 7 * PK_LANES; /* packing may write a vector past the end */
    lanes->log = column + 8 * PK_LANES;
    lanes->common = (double *)(void *)(column + SCRATCH * PK_LANES);
    lanes->n_room = n_people;
    return lanes;
}

void pk_lanes_free(struct pk_lanes *lanes)
{
    if (lanes == NULL)
        return;
    pk_free(lanes->memory);
    pk_free(lanes);
}

uint64_t pk_lanes_draws(const struct pk_lanes *lanes)
{
    return lanes->n_draws;
}

/* The next person who is alive at entry takes up the lane; false: there is none left. */
static bool take_up(struct pk_lanes *lanes, const struct pk_persons *persons, size_t *next, size_t lane)
{
    const struct pk_lane_tables *tables = lanes->tables;
    const struct pk_plan *plan = tables->plan;
    while (*next < persons->n && plan->states[persons->states[*next]].absorbing)
        ++*next;
    if (*next == persons->n)
        return false;
    const size_t i = (*next)++;
    uint64_t *words = lanes->columns + lane;
    double *doubles = (double *)(void *)words;
    words[PK_LANE_PERSON * PK_LANES] = persons->keys[i];
    words[PK_LANE_STATE * PK_LANES] = persons->states[i];
    words[PK_LANE_WORD * PK_LANES] = i;
    doubles[PK_LANE_ENTRY * PK_LANES] = persons->entries[i];
    if (tables->uses_age)
        doubles[tables->i_age * PK_LANES] = persons->ages[i];
    if (tables->uses_elapsed)
        doubles[tables->i_zero * PK_LANES] = persons->entries[i] - persons->elapsed[i];
    if (tables->i_stratum != SIZE_MAX)
        words[tables->i_stratum * PK_LANES] = persons->strata[i];
    for (size_t w = 0; w < tables->n_counter_words; w++)
        words[(tables->i_used + w) * PK_LANES] = 0;
    for (size_t k = 0; k < tables->n_common; k++)
        doubles[(tables->i_common + k) * PK_LANES] = lanes->common[k * lanes->n_room + i];
    for (size_t k = 0; k < plan->n_excess; k++)
        doubles[(tables->i_excess + k) * PK_LANES] = -1; /* not drawn yet */
    if (tables->carries)
        words[tables->i_open * PK_LANES] = 0;
    return true;
}

static void move_lane(struct pk_lanes *lanes, size_t from, size_t to)
{
    for (size_t c = 0; c < lanes->tables->n_columns; c++)
        lanes->columns[c * PK_LANES + to] = lanes->columns[c * PK_LANES + from];
}

/* A life that never ends would go round for ever. */
static bool is_endless(const struct pk_lanes *lanes, size_t *slot)
{
    const uint64_t *words = lanes->columns + (size_t)PK_LANE_WORD * PK_LANES;
    for (size_t i = 0; i < lanes->n; i++)
        if (words[i] >> 32 > PK_LIFE_MAX_EVENTS) {
            *slot = (size_t)(words[i] & (PK_LANES_MOST_PEOPLE - 1));
            return true;
        }
    return false;
}

bool pk_lanes_live(struct pk_lanes *lanes, const struct pk_persons *persons,
                   void (*take)(const uint64_t *log, size_t n, void *data), void *data, struct pk_stages *stages,
                   size_t *failed)
{
    size_t next = 0;
    uint64_t since = stages->on ? pk_stages_now() : 0;
    PK_ASSERT(persons->n <= lanes->n_room && persons->n <= PK_LANES_MOST_PEOPLE);
    for (size_t k = 0; k < lanes->tables->n_common; k++)
        lanes->ops->common(lanes->tables, k, persons->n, persons->keys, persons->ages, persons->entries,
                           persons->strata, lanes->common + k * lanes->n_room);
    lanes->n_draws += lanes->tables->n_common * persons->n;
    pk_stages_lap(stages, &since, PK_STAGE_PEOPLE);
    lanes->n = 0;
    while (lanes->n < PK_LANES && take_up(lanes, persons, &next, lanes->n))
        lanes->n++;
    for (uint64_t n_rounds = 0; lanes->n > 0; n_rounds++) {
        const size_t n_log = lanes->ops->round(lanes, lanes->log, stages, &since);
        take(lanes->log, n_log, data);
        pk_stages_lap(stages, &since, PK_STAGE_TALLY);
        /* from the last: what moves into a place stays */
        for (size_t k = lanes->n_finished; k-- > 0;) {
            const size_t lane = (size_t)lanes->finished[k];
            if (!take_up(lanes, persons, &next, lane))
                move_lane(lanes, --lanes->n, lane);
        }
        pk_stages_lap(stages, &since, PK_STAGE_MOVE);
        if (n_rounds >= PK_LIFE_MAX_EVENTS && is_endless(lanes, failed))
            return false;
    }
    return true;
}
