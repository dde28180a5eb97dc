/* Scrambled Sobol' points, alone and in pairs of rows. See polku/design.h.
 *
 * GSL's sequence has 30 bits and leaves out the point 0, without which no 2^m points are a net: it is put back. */
#include <gsl/gsl_errno.h>
#include <gsl/gsl_qrng.h>
#include <string.h>

#include "design_private.h"
#include "polku/memory.h"
#include "polku/rng.h"

enum { SOBOL_BITS = 30, BITS_A_WORD = 6 };

/* Nested: a bit's flip is a function of the bits above it. Six levels of the tree of flips have 63 nodes, which is what
 * a word holds, numbered as a heap from 1. Of two samples of a column the second has other flips. */
static double scrambled(uint64_t seed, uint64_t name_key, bool second, uint32_t bits)
{
    const uint64_t side = (uint64_t)second << (PK_RNG_STREAM_BITS + PK_RNG_SPELL_BITS - 1);
    uint64_t flipped = 0, words[2];
    for (unsigned depth = 0; depth < SOBOL_BITS; depth += BITS_A_WORD) {
        const uint64_t above = bits >> (SOBOL_BITS - depth);
        pk_design_words(seed, name_key, PK_DESIGN_USE_SCRAMBLE, above | (uint64_t)depth << PK_RNG_STREAM_BITS | side,
                        words);
        for (unsigned b = 0, node = 1; b < BITS_A_WORD; b++) {
            const unsigned bit = bits >> (SOBOL_BITS - 1 - depth - b) & 1;
            flipped = flipped << 1 | (bit ^ (words[0] >> node & 1));
            node = node << 1 | bit;
        }
    }
    pk_design_words(seed, name_key, PK_DESIGN_USE_BELOW, bits | side, words);
    return pk_rng_uniform(flipped << (64 - SOBOL_BITS) | words[0] >> SOBOL_BITS);
}

/* The sequence of a row in n_dims dimensions; row after row. */
struct sequence {
    gsl_qrng *generator; /* NULL: no dimension */
    size_t n_dims;
    bool started;
    uint32_t bits[PK_DESIGN_SOBOL_MAX];
};

static enum pk_status sequence_init(struct sequence *sequence, size_t n_dims, struct pk_error *error)
{
    memset(sequence, 0, sizeof *sequence);
    sequence->n_dims = n_dims > PK_DESIGN_SOBOL_MAX ? PK_DESIGN_SOBOL_MAX : n_dims;
    gsl_error_handler_t *handler = gsl_set_error_handler_off();
    sequence->generator = gsl_qrng_alloc(gsl_qrng_sobol, (unsigned)sequence->n_dims);
    gsl_set_error_handler(handler);
    if (sequence->generator == NULL)
        return pk_error_set(error, PK_NO_MEMORY, "no memory for a quasi-random sequence");
    return PK_OK;
}

static void sequence_next(struct sequence *sequence)
{
    double at[PK_DESIGN_SOBOL_MAX];
    if (sequence->started) {
        PK_ASSERT(gsl_qrng_get(sequence->generator, at) == GSL_SUCCESS);
        for (size_t d = 0; d < sequence->n_dims; d++)
            sequence->bits[d] = (uint32_t)(at[d] * 0x1p30);
    }
    sequence->started = true;
}

static void sequence_free(struct sequence *sequence)
{
    if (sequence->generator != NULL)
        gsl_qrng_free(sequence->generator);
}

enum pk_status pk_design_quasi(struct pk_design *design, uint64_t seed, size_t n,
                               const struct pk_design_columns *columns, struct pk_error *error)
{
    uint64_t *keys = NULL, words[2];
    struct sequence sequence = {.generator = NULL};
    enum pk_status status = pk_design_room(design, n, columns->n, error);
    if (status == PK_OK)
        status = pk_design_keys(columns, &keys, error);
    if (status == PK_OK)
        status = sequence_init(&sequence, columns->n, error);
    for (size_t i = 0; status == PK_OK && i < n; i++) {
        sequence_next(&sequence);
        design->marks[i].part = PK_DESIGN_SAMPLE;
        design->marks[i].row = (uint32_t)i;
        for (size_t j = 0; j < columns->n; j++) {
            double *at = &design->points[i * columns->n + j];
            if (j < sequence.n_dims) {
                *at = scrambled(seed, keys[j], false, sequence.bits[j]);
            } else {
                pk_design_words(seed, keys[j], PK_DESIGN_USE_UNIFORM, i, words);
                *at = pk_rng_uniform(words[0]);
            }
        }
    }
    sequence_free(&sequence);
    pk_free(keys);
    return status;
}

/* ---- Saltelli's ---- */

/* Dimensions of a column in A and in B. An index of a column is an integral over both, so the two must be even
 * together. Neighbours of the sequence are not (up to 2^6 of 4,096 points in a box that should have one); these pairs,
 * found by exchange over all 780, leave at most 2^3: the sum over 2^5 to 2^13 points of what a box has is a third of
 * that of neighbours. */
static const unsigned char pairs[PK_DESIGN_SOBOL_MAX / 2][2] = {
    {0, 1},  {2, 12},  {5, 6},  {3, 34},  {8, 28},  {4, 35},  {10, 17}, {11, 27}, {18, 39}, {25, 31},
    {9, 15}, {14, 22}, {7, 37}, {16, 19}, {23, 29}, {20, 24}, {32, 33}, {26, 36}, {30, 38}, {13, 21}};

static void mark(struct pk_design *design, size_t i_point, enum pk_design_part part, size_t row, uint32_t factor)
{
    design->marks[i_point].part = part;
    design->marks[i_point].row = (uint32_t)row;
    design->marks[i_point].factor = factor;
}

/* The row's points, of which A and B are there. */
static void mix_row(struct pk_design *design, const struct pk_design_columns *columns, size_t row, bool both)
{
    const size_t k = columns->n, n_factors = pk_design_n_factors(columns), n_a_row = (both ? 2 : 1) * n_factors + 2;
    const size_t first = row * n_a_row;
    const double *a = design->points + first * k, *b = a + k;
    mark(design, first, PK_DESIGN_A, row, PK_DESIGN_NONE);
    mark(design, first + 1, PK_DESIGN_B, row, PK_DESIGN_NONE);
    for (size_t f = 0; f < n_factors * (both ? 2 : 1); f++) {
        const size_t i_factor = f % n_factors;
        const bool ab = f < n_factors;
        double *mixed = design->points + (first + 2 + f) * k;
        for (size_t j = 0; j < k; j++)
            mixed[j] = (pk_design_factor(columns, j) == i_factor) == ab ? b[j] : a[j];
        mark(design, first + 2 + f, ab ? PK_DESIGN_AB : PK_DESIGN_BA, row, (uint32_t)i_factor);
    }
}

enum pk_status pk_design_saltelli(struct pk_design *design, uint64_t seed, size_t n, bool both,
                                  const struct pk_design_columns *columns, struct pk_error *error)
{
    const size_t k = columns->n, n_a_row = (both ? 2 : 1) * pk_design_n_factors(columns) + 2;
    uint64_t *keys = NULL, words[2];
    struct sequence sequence = {.generator = NULL};
    enum pk_status status = pk_design_room(design, n > PK_DESIGN_POINTS_MAX ? SIZE_MAX : n * n_a_row, k, error);
    if (status == PK_OK)
        status = pk_design_keys(columns, &keys, error);
    if (status == PK_OK)
        status = sequence_init(&sequence, PK_DESIGN_SOBOL_MAX, error);
    for (size_t row = 0; status == PK_OK && row < n; row++) {
        double *a = design->points + row * n_a_row * k, *b = a + k;
        sequence_next(&sequence);
        for (size_t j = 0; j < k; j++) {
            if (j < sizeof pairs / sizeof *pairs) {
                a[j] = scrambled(seed, keys[j], false, sequence.bits[pairs[j][0]]);
                b[j] = scrambled(seed, keys[j], true, sequence.bits[pairs[j][1]]);
            } else {
                pk_design_words(seed, keys[j], PK_DESIGN_USE_UNIFORM, row, words);
                a[j] = pk_rng_uniform(words[0]);
                b[j] = pk_rng_uniform(words[1]);
            }
        }
        mix_row(design, columns, row, both);
    }
    sequence_free(&sequence);
    pk_free(keys);
    return status;
}
