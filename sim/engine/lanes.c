/* Many lives at once: which instruction set, what a thread has in flight, and who comes next. See lanes.h; the loops
 * themselves: lanes_kernel.h. */
#include "polku/lanes.h"

#include <string.h>

#include "lanes_single.h"
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

size_t pk_lanes_entries(enum pk_vectors vectors, const uint64_t *sets_of_arc, const uint64_t *wanted, size_t n,
                        const uint64_t *log, uint64_t *list)
{
    return pk_lane_ops_of(vectors)->entries(sets_of_arc, wanted, n, log, list);
}

/* ---- lanes --------------------------------------------------------------------------------------------------------
 */

struct pk_lanes *pk_lanes_make(const struct pk_lane_tables *tables, size_t n_room, enum pk_vectors vectors)
{
    enum { SCRATCH = 12, ALIGNMENT = 64 };
    struct pk_lanes *lanes = pk_alloc(1, sizeof *lanes);
    if (lanes == NULL)
        return NULL;
    const size_t n_people = (n_room + PK_LANES_STEP - 1) / PK_LANES_STEP * PK_LANES_STEP;
    const size_t n_excess = tables->plan->n_excess;
    const size_t n_words = (tables->n_columns + SCRATCH) * PK_LANES +
                           (tables->n_common + n_excess + 3 + (tables->treated ? tables->n_columns + 1 : 0)) * n_people;
    unsigned char *memory = pk_alloc(n_words * sizeof(uint64_t) + ALIGNMENT, 1);
    lanes->memory = memory;
    lanes->copies = pk_alloc(tables->n_columns, sizeof *lanes->copies);
    bool made = memory != NULL && lanes->copies != NULL;
    if (tables->treated) {
        struct pk_error error;
        lanes->i_treated = pk_alloc(n_people, sizeof *lanes->i_treated);
        made &= lanes->i_treated != NULL && pk_persons_init(&lanes->treated, tables->plan, n_people, &error) == PK_OK;
    }
    if (!made) {
        pk_lanes_free(lanes);
        return NULL;
    }
    lanes->tables = tables;
    lanes->ops = pk_lane_ops_of(vectors);
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
    lanes->finished = column + 6 * PK_LANES; /* packing may write a vector past the end */
    lanes->log = column + 8 * PK_LANES;
    lanes->since = column + 10 * PK_LANES;
    lanes->stay = column + 11 * PK_LANES;
    column += SCRATCH * PK_LANES;
    lanes->common = (double *)(void *)column;
    lanes->excess = lanes->common + tables->n_common * n_people;
    lanes->slots = column + (tables->n_common + n_excess) * n_people;
    lanes->starters = lanes->slots + n_people;
    lanes->zeros = (double *)(void *)(lanes->starters + n_people);
    if (tables->treated) {
        lanes->starts = (uint64_t *)(void *)lanes->zeros + n_people;
        lanes->before = lanes->starts + tables->n_columns * n_people;
    }
    lanes->n_room = n_people;
    for (size_t i = 0; i < n_people; i++)
        lanes->slots[i] = i;
    return lanes;
}

void pk_lanes_free(struct pk_lanes *lanes)
{
    if (lanes == NULL)
        return;
    pk_free(lanes->memory);
    pk_free(lanes->copies);
    pk_free(lanes->i_treated);
    pk_persons_free(&lanes->treated);
    pk_free(lanes);
}

void pk_lanes_bring(struct pk_lanes *lanes, size_t i_column, const void *from)
{
    lanes->copies[lanes->n_copies++] = (struct pk_lane_copy){.from = from, .i_column = i_column};
}

/* What is drawn once a person, and what a person brings into a lane. */
static void prepare(struct pk_lanes *lanes, const struct pk_persons *persons)
{
    const struct pk_lane_tables *tables = lanes->tables;
    const struct pk_plan *plan = tables->plan;
    uint64_t absorbing = 0;
    for (size_t s = 0; s < plan->n_states; s++)
        absorbing |= (uint64_t)plan->states[s].absorbing << s;
    lanes->persons = persons;
    lanes->n_copies = lanes->n_starters = 0;
    for (size_t i = 0; i < persons->n; i++) {
        lanes->starters[lanes->n_starters] = i;
        lanes->n_starters += ~absorbing >> persons->states[i] & 1;
    }
    lanes->everybody = lanes->n_starters == persons->n;
    pk_lanes_bring(lanes, PK_LANE_PERSON, persons->keys);
    pk_lanes_bring(lanes, PK_LANE_STATE, persons->states);
    pk_lanes_bring(lanes, PK_LANE_SLOT, lanes->slots);
    pk_lanes_bring(lanes, PK_LANE_ENTRY, persons->entries);
    if (tables->uses_age)
        pk_lanes_bring(lanes, tables->i_age, persons->ages);
    if (tables->uses_elapsed) {
        for (size_t i = 0; i < persons->n; i++)
            lanes->zeros[i] = persons->entries[i] - persons->elapsed[i];
        pk_lanes_bring(lanes, tables->i_zero, lanes->zeros);
    }
    if (tables->i_stratum != SIZE_MAX)
        pk_lanes_bring(lanes, tables->i_stratum, persons->strata);
    for (size_t w = 0; w < tables->n_counter_words; w++)
        pk_lanes_bring(lanes, tables->i_used + w, NULL);
    for (size_t w = 0; w < tables->n_stay_words; w++)
        pk_lanes_bring(lanes, tables->i_stays + w, NULL);
    if (tables->carries)
        pk_lanes_bring(lanes, tables->i_open, NULL);
    for (size_t k = 0; k < tables->n_common; k++) {
        double *times = lanes->common + k * lanes->n_room;
        if (tables->common_single[k]) {
            lanes->ops->exponentials(tables->schedule, persons->n, persons->keys, tables->common_purposes[k], times);
            lanes->ops->common_form(tables, k, persons, times);
        } else {
            lanes->ops->common(tables, k, persons->n, persons->keys, persons->ages, persons->entries, persons->strata,
                               times);
        }
        pk_lanes_bring(lanes, tables->i_common + k, times);
    }
    for (size_t k = 0; k < plan->n_excess; k++) {
        double *lefts = lanes->excess + k * lanes->n_room;
        lanes->ops->exponentials(tables->schedule, persons->n, persons->keys, tables->excess_purposes[k], lefts);
        pk_lanes_bring(lanes, tables->i_excess + k, lefts);
    }
}

/* The next people take up lanes[n], as many as there are; returns how many. */
static size_t take_up(struct pk_lanes *lanes, size_t *next, uint64_t n_rounds, const uint64_t *before,
                      const uint64_t *free, size_t n)
{
    const uint64_t *starters = lanes->starters + *next;
    const size_t n_left = lanes->n_starters - *next;
    n = n < n_left ? n : n_left;
    for (size_t c = 0; c < lanes->n_copies; c++) {
        const uint64_t *from = lanes->copies[c].from;
        uint64_t *to = lanes->columns + lanes->copies[c].i_column * PK_LANES;
        if (from == NULL)
            for (size_t k = 0; k < n; k++)
                to[free[k]] = 0;
        else if (lanes->everybody)
            for (size_t k = 0; k < n; k++)
                to[free[k]] = from[*next + k];
        else
            for (size_t k = 0; k < n; k++)
                to[free[k]] = from[starters[k]];
    }
    for (size_t k = 0; k < n; k++)
        lanes->since[free[k]] = n_rounds - (before != NULL ? before[*next + k] : 0);
    *next += n;
    return n;
}

static void move_lane(struct pk_lanes *lanes, size_t from, size_t to)
{
    for (size_t c = 0; c < lanes->tables->n_columns; c++)
        lanes->columns[c * PK_LANES + to] = lanes->columns[c * PK_LANES + from];
    lanes->since[to] = lanes->since[from];
}

/* Whether somebody has had one event more than a life can hold: a lane has an event a round, but perhaps in its last.
 */
static bool is_too_long(const struct pk_lanes *lanes, uint64_t n_rounds, size_t n_log, size_t *slot)
{
    const uint64_t *slots = lanes->columns + (size_t)PK_LANE_SLOT * PK_LANES;
    for (size_t i = 0; i < lanes->n; i++)
        for (size_t j = 0; n_rounds + 1 - lanes->since[i] > PK_LIFE_MAX_EVENTS && j < n_log; j++)
            if (pk_logged_slot(lanes->log[j]) == slots[i]) {
                *slot = (size_t)slots[i];
                return true;
            }
    return false;
}

bool pk_lanes_go_round(struct pk_lanes *lanes, const uint64_t *before,
                       void (*take)(const uint64_t *log, size_t n, void *data), void *data, struct pk_stages *stages,
                       uint64_t *since, size_t *failed)
{
    size_t next = 0;
    lanes->n = take_up(lanes, &next, 0, before, lanes->slots, PK_LANES);
    for (uint64_t n_rounds = 0; lanes->n > 0; n_rounds++) {
        const size_t n_log = lanes->ops->round(lanes, lanes->log, stages, since);
        if ((n_rounds + 1 >= PK_LIFE_MAX_EVENTS || before != NULL) && is_too_long(lanes, n_rounds, n_log, failed))
            return false;
        take(lanes->log, n_log, data);
        pk_stages_lap(stages, since, PK_STAGE_TALLY);
        const size_t n_taken = take_up(lanes, &next, n_rounds + 1, before, lanes->finished, lanes->n_finished);
        for (size_t k = lanes->n_finished; k-- > n_taken;) /* from the last: what moves into a place stays */
            move_lane(lanes, --lanes->n, (size_t)lanes->finished[k]);
        pk_stages_lap(stages, since, PK_STAGE_MOVE);
    }
    return true;
}

bool pk_lanes_live(struct pk_lanes *lanes, const struct pk_persons *persons,
                   void (*take)(const uint64_t *log, size_t n, void *data), void *data, struct pk_stages *stages,
                   size_t *failed)
{
    uint64_t since = stages->on ? pk_stages_now() : 0;
    PK_ASSERT(persons->n <= lanes->n_room && persons->n <= PK_LANES_MOST_PEOPLE);
    prepare(lanes, persons);
    pk_stages_lap(stages, &since, PK_STAGE_PEOPLE);
    return pk_lanes_go_round(lanes, NULL, take, data, stages, &since, failed);
}
