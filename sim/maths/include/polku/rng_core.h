/* Philox4x32-10 as inline code for the hot loop: the same words as pk_rng_words, which calls Random123.
 *
 * The rounds are those of Salmon et al. 2011 ("Parallel random numbers: as easy as 1, 2, 3"), section 3.3. */
#ifndef PK_RNG_CORE_H
#define PK_RNG_CORE_H

#include "polku/rng.h"

/* What of the key stays the same through a life. */
struct pk_rng_person {
    uint32_t seed_low, seed_high;
    uint32_t counter_0, counter_1; /* person and replication */
};

static inline struct pk_rng_person pk_rng_core_person(uint64_t seed, uint64_t person, uint32_t replication)
{
    struct pk_rng_person made = {(uint32_t)seed, (uint32_t)(seed >> 32), (uint32_t)person,
                                 (uint32_t)(person >> 32) | replication << 8};
    return made;
}

/* Every field must be within its width (pk_rng_fits; spell and candidate below 2^16). */
static inline struct pk_rng_pair pk_rng_core_uniforms(struct pk_rng_person person, uint32_t stream, uint32_t role,
                                                      uint32_t spell, uint32_t candidate)
{
    uint32_t c0 = person.counter_0, c1 = person.counter_1, c2 = stream | role << 24, c3 = spell | candidate << 16;
    uint32_t k0 = person.seed_low, k1 = person.seed_high;
#pragma GCC unroll 10
    for (int round = 0; round < 10; round++) {
        uint64_t p0 = UINT64_C(0xD2511F53) * c0, p1 = UINT64_C(0xCD9E8D57) * c2;
        c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
        c1 = (uint32_t)p1;
        c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c3 = (uint32_t)p0;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    struct pk_rng_pair pair = {pk_rng_uniform((uint64_t)c0 << 32 | c1), pk_rng_uniform((uint64_t)c2 << 32 | c3)};
    return pair;
}

#endif
