/* Philox as a gsl_rng. See rng_gsl.h.
 *
 * A stream is the key (seed, role OUTSIDE, stream, person = number); its blocks of four 32-bit words are counted in the
 * remaining 56 bits of the counter: replication, spell, candidate. Streams of different (seed, stream, number) are
 * therefore disjoint by construction. gsl_rng owns the state, which holds no pointers: clone and fwrite work. */
#include "polku/rng_gsl.h"

#include "polku/rng.h"
#include "polku/status.h"

enum { WORDS_A_BLOCK = 4, BLOCK_BITS = PK_RNG_REPLICATION_BITS + PK_RNG_SPELL_BITS + PK_RNG_CANDIDATE_BITS };

struct state {
    uint64_t seed, number;
    uint64_t block; /* the next one to make, < 2^56 */
    uint32_t stream;
    uint32_t n_left;               /* words of the last block not yet handed out */
    uint32_t words[WORDS_A_BLOCK]; /* handed out from the last to the first */
};

static void start(struct state *state, uint64_t seed, uint32_t stream, uint64_t number)
{
    *state = (struct state){.seed = seed, .number = number, .stream = stream};
}

static uint32_t next_word(struct state *state)
{
    if (state->n_left == 0) {
        PK_ASSERT(state->block >> BLOCK_BITS == 0);
        const struct pk_rng_key key = {
            .seed = state->seed,
            .person = state->number,
            .replication = (uint32_t)(state->block >> (PK_RNG_SPELL_BITS + PK_RNG_CANDIDATE_BITS)),
            .stream = state->stream,
            .role = PK_ROLE_OUTSIDE,
            .spell = (uint16_t)(state->block & 0xffff),
            .candidate = (uint16_t)(state->block >> PK_RNG_SPELL_BITS & 0xffff),
        };
        uint64_t pair[2];
        pk_rng_words(&key, pair);
        for (int i = 0; i < WORDS_A_BLOCK; i++)
            state->words[WORDS_A_BLOCK - 1 - i] = (uint32_t)(pair[i / 2] >> (i % 2 == 0 ? 32 : 0));
        state->n_left = WORDS_A_BLOCK;
        state->block++;
    }
    return state->words[--state->n_left];
}

static void set(void *state, unsigned long seed)
{
    start(state, seed, 0, 0);
}

static unsigned long get(void *state)
{
    return next_word(state);
}

/* 53 bits of two words: samplers by inversion would otherwise see a grid of 2^-32 in their tails. */
static double get_double(void *state)
{
    const uint64_t upper = next_word(state), lower = next_word(state);
    return (double)(int64_t)((upper << 32 | lower) >> 11) * 0x1p-53;
}

static const gsl_rng_type type = {
    .name = "polku-philox4x32-10",
    .max = 0xffffffff,
    .min = 0,
    .size = sizeof(struct state),
    .set = set,
    .get = get,
    .get_double = get_double,
};

const gsl_rng_type *pk_rng_gsl_type = &type;

void pk_rng_gsl_key(gsl_rng *r, uint64_t seed, uint32_t stream, uint64_t number)
{
    PK_ASSERT(r->type == &type);
    PK_ASSERT(pk_rng_fits(number, 0, stream));
    start(r->state, seed, stream, number);
}
