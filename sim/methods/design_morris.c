/* Trajectories of Morris, and the most spread of many. See polku/design.h.
 *
 * A point is kept as level numbers: distances are then sums of integers, and the choice the same on every host. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "design_private.h"
#include "polku/memory.h"

enum { MOST_LEVELS = 1 << 16, MOST_CANDIDATES = 1024 };

struct trajectories {
    const struct pk_design_columns *columns;
    size_t n_factors, n_columns, n_candidates;
    uint32_t n_levels;
    uint32_t *levels;      /* [n_candidates][n_factors + 1][n_columns] */
    uint32_t *moved;       /* [n_candidates][n_factors] */
    size_t *columns_by;    /* [n_columns], factor by factor */
    size_t *first_by;      /* [n_factors + 1] into it */
    double *distances;     /* [n_candidates][n_candidates], squared */
    double *sums;          /* [n_candidates], to those chosen */
    bool *chosen;          /* [n_candidates] */
    struct turn *turns;    /* [n_factors] */
    uint64_t *keys;        /* [n_columns] */
    uint64_t *factor_keys; /* [n_factors], the smallest of the factor's columns, whatever their order */
};

struct turn {
    uint64_t word;
    uint64_t key;
    uint32_t factor;
};

static int by_word(const void *a, const void *b)
{
    const struct turn *x = a, *y = b;
    if (x->word != y->word)
        return x->word < y->word ? -1 : 1;
    return x->key < y->key ? -1 : x->key > y->key;
}

static enum pk_status trajectories_init(struct trajectories *t, bool choose, struct pk_error *error)
{
    const size_t k = t->n_factors, m = t->n_candidates;
    enum pk_status status = pk_design_keys(t->columns, &t->keys, error);
    if (status != PK_OK)
        return status;
    t->levels = pk_alloc(m * (k + 1) * t->n_columns, sizeof *t->levels);
    t->moved = pk_alloc(m * k, sizeof *t->moved);
    t->columns_by = pk_alloc(t->n_columns, sizeof *t->columns_by);
    t->first_by = pk_alloc(k + 1, sizeof *t->first_by);
    t->chosen = pk_alloc(m, sizeof *t->chosen);
    t->turns = pk_alloc(k, sizeof *t->turns);
    t->factor_keys = pk_alloc(k, sizeof *t->factor_keys);
    if (choose) {
        t->distances = pk_alloc(m * m, sizeof *t->distances);
        t->sums = pk_alloc(m, sizeof *t->sums);
    }
    if (!t->levels || !t->moved || !t->columns_by || !t->first_by || !t->chosen || !t->turns || !t->factor_keys ||
        (choose && (!t->distances || !t->sums)))
        return pk_error_set(error, PK_NO_MEMORY, "no memory for %zu trajectories", m);
    for (size_t f = 0, n = 0; f < k; f++) {
        t->factor_keys[f] = UINT64_MAX;
        for (size_t j = 0; j < t->n_columns; j++)
            if (pk_design_factor(t->columns, j) == f) {
                t->columns_by[n++] = j;
                if (t->keys[j] < t->factor_keys[f])
                    t->factor_keys[f] = t->keys[j];
            }
        t->first_by[f + 1] = n;
    }
    return PK_OK;
}

static void trajectories_free(struct trajectories *t)
{
    pk_free(t->levels);
    pk_free(t->moved);
    pk_free(t->columns_by);
    pk_free(t->first_by);
    pk_free(t->distances);
    pk_free(t->sums);
    pk_free(t->chosen);
    pk_free(t->turns);
    pk_free(t->keys);
    pk_free(t->factor_keys);
}

static uint32_t *levels_of(const struct trajectories *t, size_t i_candidate, size_t i_point)
{
    return t->levels + (i_candidate * (t->n_factors + 1) + i_point) * t->n_columns;
}

/* Which side a column starts on says which way it will go: from one half of the levels to the other. */
static void walk(struct trajectories *t, uint64_t seed, size_t i_candidate)
{
    const uint32_t half = t->n_levels / 2;
    uint64_t words[2];
    uint32_t *at = levels_of(t, i_candidate, 0), *moved = t->moved + i_candidate * t->n_factors;
    for (size_t j = 0; j < t->n_columns; j++) {
        pk_design_words(seed, t->keys[j], PK_DESIGN_USE_LEVEL, i_candidate, words);
        at[j] = (uint32_t)((words[0] >> 32) * half >> 32) + (words[1] >> 63 ? half : 0);
    }
    for (size_t f = 0; f < t->n_factors; f++) {
        pk_design_words(seed, t->factor_keys[f], PK_DESIGN_USE_ORDER, i_candidate, words);
        t->turns[f] = (struct turn){words[0], t->factor_keys[f], (uint32_t)f};
    }
    qsort(t->turns, t->n_factors, sizeof *t->turns, by_word);
    for (size_t s = 0; s < t->n_factors; s++) {
        uint32_t *next = levels_of(t, i_candidate, s + 1);
        memcpy(next, at, t->n_columns * sizeof *next);
        moved[s] = t->turns[s].factor;
        for (size_t c = t->first_by[moved[s]]; c < t->first_by[moved[s] + 1]; c++) {
            uint32_t *level = &next[t->columns_by[c]];
            *level = *level < half ? *level + half : *level - half;
        }
        at = next;
    }
}

static int64_t square(uint32_t a, uint32_t b)
{
    const int64_t apart = (int64_t)a - (int64_t)b;
    return apart * apart;
}

/* The sum of the distances between all points of the one and of the other; steps change but a factor's columns. */
static double distance(const struct trajectories *t, size_t i, size_t j)
{
    double sum = 0;
    for (size_t p = 0; p <= t->n_factors; p++) {
        const uint32_t *here = levels_of(t, i, p), *there = levels_of(t, j, 0);
        int64_t squares = 0;
        for (size_t c = 0; c < t->n_columns; c++)
            squares += square(here[c], there[c]);
        sum += sqrt((double)squares);
        for (size_t s = 0; s < t->n_factors; s++) {
            const uint32_t *next = there + t->n_columns, moved = t->moved[j * t->n_factors + s];
            for (size_t c = t->first_by[moved]; c < t->first_by[moved + 1]; c++) {
                const size_t column = t->columns_by[c];
                squares += square(here[column], next[column]) - square(here[column], there[column]);
            }
            sum += sqrt((double)squares);
            there = next;
        }
    }
    return sum;
}

static void choose(struct trajectories *t, size_t n)
{
    const size_t m = t->n_candidates;
    size_t first = 0, second = 1;
    for (size_t i = 0; i < m; i++)
        for (size_t j = i + 1; j < m; j++) {
            const double apart = distance(t, i, j), squared = apart * apart;
            t->distances[i * m + j] = t->distances[j * m + i] = squared;
            if (squared > t->distances[first * m + second]) {
                first = i;
                second = j;
            }
        }
    for (size_t n_chosen = 0; n_chosen < n; n_chosen++) {
        size_t best = n_chosen == 0 ? first : second;
        for (size_t i = 0; n_chosen > 1 && i < m; i++)
            if (!t->chosen[i] && (t->chosen[best] || t->sums[i] > t->sums[best]))
                best = i;
        t->chosen[best] = true;
        for (size_t i = 0; i < m; i++)
            t->sums[i] += t->distances[best * m + i];
    }
}

static void write_trajectory(const struct trajectories *t, size_t i_candidate, size_t row, struct pk_design *design)
{
    for (size_t p = 0; p <= t->n_factors; p++) {
        const size_t i_point = row * (t->n_factors + 1) + p;
        struct pk_design_mark *mark = &design->marks[i_point];
        const uint32_t *at = levels_of(t, i_candidate, p);
        for (size_t j = 0; j < t->n_columns; j++)
            design->points[i_point * t->n_columns + j] = (2.0 * at[j] + 1) / (2.0 * t->n_levels);
        mark->part = p == 0 ? PK_DESIGN_START : PK_DESIGN_STEP;
        mark->row = (uint32_t)row;
        if (p == 0)
            continue;
        mark->factor = t->moved[i_candidate * t->n_factors + p - 1];
        const size_t c = t->first_by[mark->factor], column = t->columns_by[c];
        if (t->first_by[mark->factor + 1] - c == 1)
            mark->direction = at[column] > at[column - t->n_columns] ? 1 : -1;
    }
}

enum pk_status pk_design_morris(struct pk_design *design, uint64_t seed, size_t n, uint32_t n_levels,
                                size_t n_candidates, const struct pk_design_columns *columns, struct pk_error *error)
{
    struct trajectories t = {.columns = columns,
                             .n_factors = pk_design_n_factors(columns),
                             .n_columns = columns->n,
                             .n_candidates = n_candidates == 0 ? n : n_candidates,
                             .n_levels = n_levels};
    enum pk_status status =
        pk_design_room(design, n > PK_DESIGN_POINTS_MAX ? SIZE_MAX : n * (t.n_factors + 1), columns->n, error);
    if (status != PK_OK)
        return status;
    if (n_levels < 2 || n_levels % 2 != 0 || n_levels > MOST_LEVELS)
        return pk_error_set(error, PK_BAD_INPUT, "trajectories need an even number of levels, 2 to %d, not %u",
                            (int)MOST_LEVELS, n_levels);
    if (t.n_candidates < n || (t.n_candidates > n && t.n_candidates > MOST_CANDIDATES))
        return pk_error_set(error, PK_BAD_INPUT,
                            "%zu trajectories are chosen from as many candidates at least, and "
                            "%d at most, not %zu",
                            n, (int)MOST_CANDIDATES, n_candidates);
    const bool of_many = t.n_candidates > n;
    status = trajectories_init(&t, of_many, error);
    if (status == PK_OK) {
        for (size_t i = 0; i < t.n_candidates; i++)
            walk(&t, seed, i);
        if (of_many)
            choose(&t, n);
        for (size_t i = 0, row = 0; i < t.n_candidates; i++)
            if (!of_many || t.chosen[i])
                write_trajectory(&t, i, row++, design);
    }
    trajectories_free(&t);
    return status;
}
