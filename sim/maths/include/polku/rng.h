/* Randomness as a function of (seed; replication, person, purpose, occurrence).
 *
 * Responsibility: the layout of the Philox counter and the map from words to uniforms. There is no state: the same
 * key gives the same words, whoever asks, in whatever order. Philox4x32-10 (Salmon et al. 2011), Random123.
 *
 * The seed is Philox's 64-bit key. The 128-bit counter holds, in disjoint bits, never hashed or added:
 *   person 40 | replication 24 | stream 24 | role 8 | spell 16 | candidate 16
 * so two different purposes can never meet. (In one place a field holds a hash: PK_ROLE_PARAMETER has no person and no
 * replication, and those 64 bits hold the FNV-1a hash of the name of an uncertain parameter, so that its draws depend
 * on no other parameter and on no order. The names are few and known before anything is drawn: a model in which two of
 * them share a hash is refused, so that here too two purposes cannot meet.) Whoever makes numbers that could pass a
 * width must check them with pk_rng_fits; passing it is an error of the run, never a wrap. */
#ifndef PK_RNG_H
#define PK_RNG_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What a draw is for. Values are part of every published number: never renumber, only append. */
enum pk_rng_role {
    PK_ROLE_EVENT = 0,      /* stream: state's; when a spell ends, and where to; spell: exponentials used up before */
    PK_ROLE_LAYER = 1,      /* stream: arc; the part of an arm's hazard above the base */
    PK_ROLE_ACCEPTANCE = 2, /* stream: arc; keep or drop a base event where the arm's hazard is lower */
    PK_ROLE_PREVENTION = 3, /* stream: arc */
    PK_ROLE_ENROLMENT = 4,  /* stream: target group */
    PK_ROLE_ATTRIBUTE = 5,  /* stream: attribute */
    PK_ROLE_FRAILTY = 6,    /* stream: frailty term */
    PK_ROLE_PERSON = 7,     /* stream: transition; hazards common to all states, one draw a person */
    PK_ROLE_SPLIT = 8,      /* stream: first arc; where a deterministic transition goes */
    PK_ROLE_OUTSIDE = 9,    /* stream: user; what GSL samples outside lives (rng_gsl.h) */
    PK_ROLE_RELAPSE = 10,   /* stream: arc blocked; spell: events of the arc blocked before */
    PK_ROLE_CURE = 11,      /* stream: cure; spell: stays in the state, where the cure is a spell's */
    PK_ROLE_INFLOW = 12,    /* person: 0; stream: year; how many flow in */
    PK_ROLE_REFERRAL = 13,  /* stream: target group; spell: requests before; candidate: which of its referrals */
    PK_ROLE_LENGTH = 14,    /* stream: service; spell: enrolments in it before; how long the place is held */
    PK_ROLE_QUEUE = 15,     /* stream: service; spell: requests before; candidate: which of the arm's referrals to it;
                             * first: baulking, second: giving up */
    PK_ROLE_RANK = 16,      /* the same; who is first of those alike */
    PK_ROLE_DISPLACED = 17, /* stream: transition; spell: added events before; whether one takes somebody's place */
    PK_ROLE_PARAMETER = 18, /* person and replication: hash of an uncertain parameter's or set's name, low bits first;
                             * stream: draw; spell: column of the set */
    PK_ROLE_DESIGN = 19,    /* person and replication: hash of a column's name; stream and spell: which of its choices;
                             * candidate: enum pk_design_use; points of a study, and resamples of its outcomes */
    PK_ROLE_COUNT
};

enum {
    PK_RNG_PERSON_BITS = 40,
    PK_RNG_REPLICATION_BITS = 24,
    PK_RNG_STREAM_BITS = 24,
    PK_RNG_SPELL_BITS = 16,
    PK_RNG_CANDIDATE_BITS = 16
};

struct pk_rng_key {
    uint64_t seed;
    uint64_t person;      /* < 2^40 */
    uint32_t replication; /* < 2^24 */
    uint32_t stream;      /* < 2^24 */
    uint8_t role;         /* enum pk_rng_role */
    uint16_t spell;
    uint16_t candidate;
};

/* Two independent uniforms in the open interval (0, 1), each an odd multiple of 2^-53. */
struct pk_rng_pair {
    double first, second;
};

/* Whether the three fit their widths in the counter. The other fields' types have exactly their widths. */
bool pk_rng_fits(uint64_t person, uint64_t replication, uint64_t stream);

/* The Philox counter of a key (all but the seed), least significant field first:
 *   counter[0] = person bits 0-31          counter[1] = person bits 32-39 | replication << 8
 *   counter[2] = stream | role << 24       counter[3] = spell | candidate << 16
 * The layout is part of every published number. Of use to tests and to vector forms of pk_rng_words. */
void pk_rng_counter(const struct pk_rng_key *key, uint32_t counter[4]);

/* The 128 random bits of a key: Philox's outputs 0 and 1, then 2 and 3, the earlier in the upper half. */
void pk_rng_words(const struct pk_rng_key *key, uint64_t words[2]);

/* The same bits as two uniforms, by pk_rng_uniform. */
struct pk_rng_pair pk_rng_uniforms(const struct pk_rng_key *key);

/* The map from 64 random bits to the uniform: ((word >> 12) + 1/2) 2^-52. */
static inline double pk_rng_uniform(uint64_t word)
{
    return ((double)(int64_t)(word >> 12) + 0.5) * 0x1p-52;
}

#ifdef __cplusplus
}
#endif
#endif
