/* The generator and the logarithm over several vectors at once: the same bits as rng_core.h and elementary_core.h,
 * whose statements these are, lane by lane. Not installed.
 *
 * A vector's ten rounds wait for each other, and so do the logarithm's terms; what hides that is other vectors in
 * between, in the order of the instructions: a core looks ahead over too few of them (measured with AVX-512: a draw
 * takes 3.5 ns with one vector at a time, 2.3 ns with four). */
#ifndef PK_LANES_MATH_H
#define PK_LANES_MATH_H

#include "lanes_vector.h"
#include "polku/elementary_core.h"

#if defined(PK_VECTOR_AVX512)
enum { PK_TOGETHER = 4 }; /* vectors at once: 32 registers */
#else
enum { PK_TOGETHER = 2 }; /* 16 registers */
#endif
#define PK_EACH _Pragma("GCC unroll 4") for (int g = 0; g < PK_TOGETHER; g++)

/* The four words of the Philox counter; the low 32 bits count, the others are arbitrary. */
struct pk_lane_counters {
    pk_vu c0[PK_TOGETHER], c1[PK_TOGETHER], c2[PK_TOGETHER], c3[PK_TOGETHER];
};

/* schedule: the keys of the ten rounds, k0 and k1 in turn. */
PK_INLINE void pk_lanes_philox(struct pk_lane_counters *c, const uint64_t schedule[20])
{
    const pk_vu m0 = pk_vu_set(0xD2511F53), m1 = pk_vu_set(0xCD9E8D57);
#pragma GCC unroll 10
    for (int round = 0; round < 10; round++) {
        const pk_vu k0 = pk_vu_set(schedule[2 * round]), k1 = pk_vu_set(schedule[2 * round + 1]);
        PK_EACH
        {
            const pk_vu p0 = pk_vu_product(c->c0[g], m0), p1 = pk_vu_product(c->c2[g], m1);
            c->c0[g] = pk_vu_xor3(pk_vu_high(p1), c->c1[g], k0);
            c->c2[g] = pk_vu_xor3(pk_vu_high(p0), c->c3[g], k1);
            c->c1[g] = p1;
            c->c3[g] = p0;
        }
    }
}

/* Two words of 32 bits as one of 64, the first in the upper half. */
PK_INLINE pk_vu pk_lanes_word(pk_vu high, pk_vu low)
{
    return (high << 32) | (low & pk_vu_set(0xffffffff));
}

/* pk_rng_uniform: ((word >> 12) + 1/2) 2^-52, here as a number in [1, 2) less 1 - 2^-53, which is exact too. */
PK_INLINE pk_vd pk_lanes_uniform(pk_vu word)
{
    return (pk_vd)((word >> 12) | pk_vu_set(0x3ff0000000000000)) - pk_vd_set(1 - 0x1p-53);
}

/* -pk_log_core(x[g]) */
PK_INLINE void pk_lanes_exponential(pk_vd *x)
{
    const pk_vu one = pk_vu_set(0x3ff0000000000000), root_half = pk_vu_set(0x3fe6a09e667f3bcd);
    pk_vd k[PK_TOGETHER], f[PK_TOGETHER], s[PK_TOGETHER], z[PK_TOGETHER], w[PK_TOGETHER], odd[PK_TOGETHER],
        even[PK_TOGETHER];
    PK_EACH
    {
        const pk_vu shifted = (pk_vu)x[g] + (one - root_half);
        k[g] = (pk_vd)(pk_vu_set(0x4330000000000000) | (shifted >> 52)) - pk_vd_set(0x1p52 + 1023.0);
        f[g] = (pk_vd)((shifted & pk_vu_set(0x000fffffffffffff)) + root_half) - pk_vd_set(1.0);
    }
    PK_EACH s[g] = f[g] / (pk_vd_set(2.0) + f[g]);
    PK_EACH z[g] = s[g] * s[g];
    PK_EACH w[g] = z[g] * z[g];
    PK_EACH
    {
        odd[g] = pk_vd_set(0x1.74663c53763fdp-3) + w[g] * pk_vd_set(0x1.2f02e5a4c5b40p-3);
        even[g] = pk_vd_set(0x1.c71c52164caacp-3) + w[g] * pk_vd_set(0x1.39a1fb9d938c2p-3);
    }
    PK_EACH
    {
        odd[g] = pk_vd_set(0x1.24924941e0c27p-2) + w[g] * odd[g];
        even[g] = w[g] * (pk_vd_set(0x1.999999997fee9p-2) + w[g] * even[g]);
    }
    PK_EACH odd[g] = z[g] * (pk_vd_set(0x1.5555555555592p-1) + w[g] * odd[g]);
    PK_EACH
    {
        const pk_vd h = pk_vd_set(0.5) * f[g] * f[g];
        const pk_vd log = k[g] * pk_vd_set(PK_LN2_HIGH) -
                          ((h - (s[g] * (h + (odd[g] + even[g])) + k[g] * pk_vd_set(PK_LN2_LOW))) - f[g]);
        x[g] = -log;
    }
}

#endif
