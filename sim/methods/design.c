/* Keys and memory of designs, and the Latin hypercube. See polku/design.h. */
#include "polku/design.h"

#include <stdlib.h>
#include <string.h>

#include "design_private.h"
#include "polku/hash.h"
#include "polku/memory.h"
#include "polku/rng.h"

void pk_design_free(struct pk_design *design)
{
    if (design == NULL)
        return;
    pk_free(design->points);
    pk_free(design->marks);
    memset(design, 0, sizeof *design);
}

size_t pk_design_n_factors(const struct pk_design_columns *columns)
{
    return columns->factor_of == NULL ? columns->n : columns->n_factors;
}

size_t pk_design_factor(const struct pk_design_columns *columns, size_t i_column)
{
    return columns->factor_of == NULL ? i_column : columns->factor_of[i_column];
}

uint64_t pk_design_name_key(const char *name)
{
    uint64_t hash = PK_HASH_START;
    pk_hash_mix(&hash, name, strlen(name));
    return hash;
}

void pk_design_words(uint64_t seed, uint64_t name_key, enum pk_design_use use, uint64_t choice, uint64_t words[2])
{
    PK_ASSERT(choice >> (PK_RNG_STREAM_BITS + PK_RNG_SPELL_BITS) == 0);
    const struct pk_rng_key key = {.seed = seed,
                                   .person = name_key >> PK_RNG_REPLICATION_BITS,
                                   .replication = (uint32_t)(name_key & 0xffffff),
                                   .stream = (uint32_t)(choice & 0xffffff),
                                   .role = PK_ROLE_DESIGN,
                                   .spell = (uint16_t)(choice >> PK_RNG_STREAM_BITS),
                                   .candidate = (uint16_t)use};
    pk_rng_words(&key, words);
}

enum pk_status pk_design_room(struct pk_design *design, size_t n_points, size_t n_columns, struct pk_error *error)
{
    memset(design, 0, sizeof *design);
    if (n_points == 0 || n_columns == 0)
        return pk_error_set(error, PK_BAD_INPUT, "a design needs a point and a column at least");
    if (n_points > PK_DESIGN_POINTS_MAX)
        return pk_error_set(error, PK_BAD_INPUT, "the design would have more than %d points",
                            (int)PK_DESIGN_POINTS_MAX);
    design->points = n_columns > SIZE_MAX / n_points ? NULL : pk_alloc(n_points * n_columns, sizeof *design->points);
    design->marks = design->points == NULL ? NULL : pk_alloc(n_points, sizeof *design->marks);
    if (design->marks == NULL)
        return pk_error_set(error, PK_NO_MEMORY, "no memory for a design of %zu points", n_points);
    design->n_points = n_points;
    design->n_columns = n_columns;
    for (size_t i = 0; i < n_points; i++)
        design->marks[i] = (struct pk_design_mark){.row = PK_DESIGN_NONE,
                                                   .factor = PK_DESIGN_NONE,
                                                   .other = PK_DESIGN_NONE,
                                                   .level = PK_DESIGN_NONE,
                                                   .other_level = PK_DESIGN_NONE};
    return PK_OK;
}

enum pk_status pk_design_keys(const struct pk_design_columns *columns, uint64_t **keys, struct pk_error *error)
{
    *keys = NULL;
    if (columns->n == 0)
        return pk_error_set(error, PK_BAD_INPUT, "a design needs a point and a column at least");
    for (size_t f = 0; columns->factor_of != NULL && f < columns->n_factors; f++) {
        bool found = false;
        for (size_t j = 0; j < columns->n; j++)
            found |= columns->factor_of[j] == f;
        if (!found)
            return pk_error_set(error, PK_BAD_INPUT, "factor %zu of the design has no column", f);
    }
    for (size_t j = 0; j < columns->n; j++)
        if (pk_design_factor(columns, j) >= pk_design_n_factors(columns))
            return pk_error_set(error, PK_BAD_INPUT, "%s belongs to no factor of the design", columns->names[j]);
    *keys = pk_alloc(columns->n, sizeof **keys);
    if (*keys == NULL)
        return pk_error_set(error, PK_NO_MEMORY, "no memory for the columns of a design");
    for (size_t j = 0; j < columns->n; j++) {
        (*keys)[j] = pk_design_name_key(columns->names[j]);
        for (size_t i = 0; i < j; i++)
            if ((*keys)[i] == (*keys)[j])
                return pk_error_set(error, PK_BAD_INPUT, "the design has %s twice", columns->names[j]);
    }
    return PK_OK;
}

/* ---- Latin hypercube ---- */

struct lot {
    uint64_t word;
    size_t i_point;
};

static int by_word(const void *a, const void *b)
{
    const struct lot *x = a, *y = b;
    if (x->word != y->word)
        return x->word < y->word ? -1 : 1;
    return x->i_point < y->i_point ? -1 : x->i_point > y->i_point;
}

enum pk_status pk_design_latin(struct pk_design *design, uint64_t seed, size_t n,
                               const struct pk_design_columns *columns, struct pk_error *error)
{
    uint64_t *keys = NULL;
    struct lot *lots = NULL;
    enum pk_status status = pk_design_room(design, n, columns->n, error);
    if (status == PK_OK)
        status = pk_design_keys(columns, &keys, error);
    if (status != PK_OK)
        goto out;
    lots = pk_alloc(n, sizeof *lots);
    if (lots == NULL) {
        status = pk_error_set(error, PK_NO_MEMORY, "no memory for a design of %zu points", n);
        goto out;
    }
    for (size_t j = 0; j < columns->n; j++) {
        uint64_t words[2];
        for (size_t i = 0; i < n; i++) {
            pk_design_words(seed, keys[j], PK_DESIGN_USE_STRATUM, i, words);
            lots[i] = (struct lot){words[0], i};
        }
        qsort(lots, n, sizeof *lots, by_word);
        for (size_t stratum = 0; stratum < n; stratum++) {
            const size_t i = lots[stratum].i_point;
            pk_design_words(seed, keys[j], PK_DESIGN_USE_STRATUM, i, words);
            /* an odd multiple of 2^-29: the sum is exact, and the quotient cannot be rounded out of its stratum */
            const double within = ((double)(int64_t)(words[1] >> 36) + 0.5) * 0x1p-28;
            design->points[i * columns->n + j] = ((double)stratum + within) / (double)n;
        }
    }
    for (size_t i = 0; i < n; i++) {
        design->marks[i].part = PK_DESIGN_SAMPLE;
        design->marks[i].row = (uint32_t)i;
    }
out:
    pk_free(keys);
    pk_free(lots);
    return status;
}
