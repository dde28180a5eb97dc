/* Randomness as a function of its key: Philox4x32-10. See rng.h.
 *
 * The only owner of the counter's layout. Holds no state and knows no threads. */
#include "polku/rng.h"

#include <Random123/philox.h>

/* A field that is too wide (pk_rng_fits was not asked) is cut, so that it cannot change its neighbours. */
static inline philox4x32_ctr_t counter_of(const struct pk_rng_key *key)
{
    const philox4x32_ctr_t counter = {{
        (uint32_t)key->person,
        (uint32_t)(key->person >> 32 & 0xff) | key->replication << 8,
        (key->stream & 0xffffff) | (uint32_t)key->role << 24,
        (uint32_t)key->spell | (uint32_t)key->candidate << 16,
    }};
    return counter;
}

static inline void words_of(const struct pk_rng_key *key, uint64_t words[2])
{
    const philox4x32_key_t seed = {{(uint32_t)key->seed, (uint32_t)(key->seed >> 32)}};
    const philox4x32_ctr_t r = philox4x32_R(10, counter_of(key), seed);
    words[0] = (uint64_t)r.v[0] << 32 | r.v[1];
    words[1] = (uint64_t)r.v[2] << 32 | r.v[3];
}

bool pk_rng_fits(uint64_t person, uint64_t replication, uint64_t stream)
{
    return person >> PK_RNG_PERSON_BITS == 0 && replication >> PK_RNG_REPLICATION_BITS == 0 &&
           stream >> PK_RNG_STREAM_BITS == 0;
}

void pk_rng_counter(const struct pk_rng_key *key, uint32_t counter[4])
{
    const philox4x32_ctr_t c = counter_of(key);
    for (int i = 0; i < 4; i++)
        counter[i] = c.v[i];
}

void pk_rng_words(const struct pk_rng_key *key, uint64_t words[2])
{
    words_of(key, words);
}

struct pk_rng_pair pk_rng_uniforms(const struct pk_rng_key *key)
{
    uint64_t words[2];
    words_of(key, words);
    return (struct pk_rng_pair){pk_rng_uniform(words[0]), pk_rng_uniform(words[1])};
}
