/* Vectors of doubles and 64-bit words, as wide as the instruction set that the file is compiled for: the only owner of
 * intrinsics. Not installed.
 *
 * Arithmetic is written with GCC's generic vectors, which every operation here keeps exact by IEEE; what generic
 * vectors cannot say (masks, gathers, 32 x 32 bit products, packing lanes to the left) stands here once for AVX-512,
 * once for AVX2, once for anything else. A lane's bits are the same in all three. */
#ifndef PK_LANES_VECTOR_H
#define PK_LANES_VECTOR_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__AVX512F__) && defined(__AVX512DQ__) && defined(__AVX512VL__)
#include <immintrin.h>
#define PK_VECTOR_AVX512
enum { PK_WIDTH = 8 };
#elif defined(__AVX2__)
#include <immintrin.h>
#define PK_VECTOR_AVX2
enum { PK_WIDTH = 4 };
#else
#ifdef __SSE2__
#include <emmintrin.h>
#endif
enum { PK_WIDTH = 2 };
#endif

#define PK_INLINE static inline __attribute__((always_inline, unused))

typedef double pk_vd __attribute__((vector_size(8 * PK_WIDTH), may_alias));
typedef uint64_t pk_vu __attribute__((vector_size(8 * PK_WIDTH), may_alias));
typedef int64_t pk_vi __attribute__((vector_size(8 * PK_WIDTH), may_alias));
#ifdef PK_VECTOR_AVX512
typedef __mmask8 pk_vm; /* a bit per lane */
#else
typedef pk_vi pk_vm; /* 0 or -1 per lane */
#endif

/* ---- the same for all ------------------------------------------------------------------------------------------- */

PK_INLINE pk_vd pk_vd_load(const double *from)
{
    pk_vd v;
    memcpy(&v, from, sizeof v);
    return v;
}
PK_INLINE pk_vu pk_vu_load(const uint64_t *from)
{
    pk_vu v;
    memcpy(&v, from, sizeof v);
    return v;
}
PK_INLINE void pk_vd_store(double *to, pk_vd v)
{
    memcpy(to, &v, sizeof v);
}
PK_INLINE void pk_vu_store(uint64_t *to, pk_vu v)
{
    memcpy(to, &v, sizeof v);
}

#ifdef PK_VECTOR_AVX512 /* ---- AVX-512 -------------------------------------------------------------------------- */

PK_INLINE pk_vd pk_vd_set(double x)
{
    return (pk_vd)_mm512_set1_pd(x);
}
PK_INLINE pk_vu pk_vu_set(uint64_t x)
{
    return (pk_vu)_mm512_set1_epi64((long long)x);
}
/* 0, 1, 2, ... */
PK_INLINE pk_vu pk_vu_iota(void)
{
    return (pk_vu)_mm512_set_epi64(7, 6, 5, 4, 3, 2, 1, 0);
}
PK_INLINE pk_vm pk_vm_all(void)
{
    return 0xff;
}
PK_INLINE pk_vm pk_vm_not(pk_vm m)
{
    return (pk_vm)~m;
}
PK_INLINE pk_vm pk_vm_and(pk_vm a, pk_vm b)
{
    return (pk_vm)(a & b);
}
PK_INLINE pk_vm pk_vm_or(pk_vm a, pk_vm b)
{
    return (pk_vm)(a | b);
}
PK_INLINE unsigned pk_vm_bits(pk_vm m)
{
    return m;
}
PK_INLINE pk_vm pk_vd_less(pk_vd a, pk_vd b)
{
    return _mm512_cmp_pd_mask((__m512d)a, (__m512d)b, _CMP_LT_OQ);
}
PK_INLINE pk_vm pk_vd_at_most(pk_vd a, pk_vd b)
{
    return _mm512_cmp_pd_mask((__m512d)a, (__m512d)b, _CMP_LE_OQ);
}
PK_INLINE pk_vm pk_vu_equal(pk_vu a, pk_vu b)
{
    return _mm512_cmpeq_epi64_mask((__m512i)a, (__m512i)b);
}
PK_INLINE pk_vm pk_vu_less(pk_vu a, pk_vu b)
{
    return _mm512_cmplt_epu64_mask((__m512i)a, (__m512i)b);
}
PK_INLINE pk_vd pk_vd_select(pk_vm m, pk_vd yes, pk_vd no)
{
    return (pk_vd)_mm512_mask_mov_pd((__m512d)no, m, (__m512d)yes);
}
PK_INLINE pk_vu pk_vu_select(pk_vm m, pk_vu yes, pk_vu no)
{
    return (pk_vu)_mm512_mask_mov_epi64((__m512i)no, m, (__m512i)yes);
}
/* The first n lanes. */
PK_INLINE pk_vm pk_vm_first(size_t n)
{
    return (pk_vm)(n < PK_WIDTH ? (1u << n) - 1 : 0xffu);
}
/* Where the highest bit is set. */
PK_INLINE pk_vm pk_vu_top(pk_vu a)
{
    return _mm512_movepi64_mask((__m512i)a);
}
/* The product of the low 32 bits. */
PK_INLINE pk_vu pk_vu_product(pk_vu a, pk_vu b)
{
    return (pk_vu)_mm512_mul_epu32((__m512i)a, (__m512i)b);
}
/* The high 32 bits in the low place; what is above is arbitrary. */
PK_INLINE pk_vu pk_vu_high(pk_vu a)
{
    return (pk_vu)_mm512_shuffle_epi32((__m512i)a, (_MM_PERM_ENUM)0xf5);
}
PK_INLINE pk_vu pk_vu_xor3(pk_vu a, pk_vu b, pk_vu c)
{
    return (pk_vu)_mm512_ternarylogic_epi64((__m512i)a, (__m512i)b, (__m512i)c, 0x96);
}
PK_INLINE pk_vd pk_vd_gather(const double *from, pk_vu index)
{
    return (pk_vd)_mm512_i64gather_pd((__m512i)index, from, 8);
}
PK_INLINE pk_vu pk_vu_gather(const uint64_t *from, pk_vu index)
{
    return (pk_vu)_mm512_i64gather_epi64((__m512i)index, from, 8);
}
/* From a table of 8 entries, index below 8. */
PK_INLINE pk_vd pk_vd_lookup(const double *from, pk_vu index)
{
    return (pk_vd)_mm512_permutexvar_pd((__m512i)index, (__m512d)pk_vd_load(from));
}
PK_INLINE pk_vu pk_vu_lookup(const uint64_t *from, pk_vu index)
{
    return (pk_vu)_mm512_permutexvar_epi64((__m512i)index, (__m512i)pk_vu_load(from));
}
/* ... of 16 entries. */
PK_INLINE pk_vd pk_vd_lookup_16(const double *from, pk_vu index)
{
    return (pk_vd)_mm512_permutex2var_pd((__m512d)pk_vd_load(from), (__m512i)index, (__m512d)pk_vd_load(from + 8));
}
/* The chosen lanes, to the left; writes PK_WIDTH words and returns how many count. */
PK_INLINE unsigned pk_vu_pack(uint64_t *to, pk_vm m, pk_vu v)
{
    pk_vu_store(to, (pk_vu)_mm512_maskz_compress_epi64(m, (__m512i)v));
    return (unsigned)__builtin_popcount(m);
}
/* The chosen lanes to their places, which differ. */
PK_INLINE void pk_vd_scatter(double *to, pk_vm m, pk_vu index, pk_vd v)
{
    _mm512_mask_i64scatter_pd(to, m, (__m512i)index, (__m512d)v, 8);
}

#else /* ---- masks as lanes of 0 and -1 -------------------------------------------------------------------------- */

#ifdef PK_VECTOR_AVX2
PK_INLINE pk_vd pk_vd_set(double x)
{
    return (pk_vd){x, x, x, x};
}
PK_INLINE pk_vu pk_vu_set(uint64_t x)
{
    return (pk_vu){x, x, x, x};
}
PK_INLINE pk_vu pk_vu_iota(void)
{
    return (pk_vu){0, 1, 2, 3};
}
PK_INLINE unsigned pk_vm_bits(pk_vm m)
{
    return (unsigned)_mm256_movemask_pd((__m256d)m);
}
PK_INLINE pk_vd pk_vd_select(pk_vm m, pk_vd yes, pk_vd no)
{
    return (pk_vd)_mm256_blendv_pd((__m256d)no, (__m256d)yes, (__m256d)m);
}
PK_INLINE pk_vu pk_vu_select(pk_vm m, pk_vu yes, pk_vu no)
{
    return (pk_vu)_mm256_blendv_epi8((__m256i)no, (__m256i)yes, (__m256i)m);
}
PK_INLINE pk_vu pk_vu_product(pk_vu a, pk_vu b)
{
    return (pk_vu)_mm256_mul_epu32((__m256i)a, (__m256i)b);
}
PK_INLINE pk_vd pk_vd_gather(const double *from, pk_vu index)
{
    return (pk_vd){from[index[0]], from[index[1]], from[index[2]], from[index[3]]};
}
PK_INLINE pk_vu pk_vu_gather(const uint64_t *from, pk_vu index)
{
    return (pk_vu){from[index[0]], from[index[1]], from[index[2]], from[index[3]]};
}
PK_INLINE unsigned pk_vu_pack(uint64_t *to, pk_vm m, pk_vu v)
{
    /* pairs of 32-bit places of the chosen lanes; where fewer are chosen the rest is arbitrary */
    static const uint32_t places[16][8] = {
        {0, 1, 0, 1, 0, 1, 0, 1}, {0, 1, 0, 1, 0, 1, 0, 1}, {2, 3, 0, 1, 0, 1, 0, 1}, {0, 1, 2, 3, 0, 1, 0, 1},
        {4, 5, 0, 1, 0, 1, 0, 1}, {0, 1, 4, 5, 0, 1, 0, 1}, {2, 3, 4, 5, 0, 1, 0, 1}, {0, 1, 2, 3, 4, 5, 0, 1},
        {6, 7, 0, 1, 0, 1, 0, 1}, {0, 1, 6, 7, 0, 1, 0, 1}, {2, 3, 6, 7, 0, 1, 0, 1}, {0, 1, 2, 3, 6, 7, 0, 1},
        {4, 5, 6, 7, 0, 1, 0, 1}, {0, 1, 4, 5, 6, 7, 0, 1}, {2, 3, 4, 5, 6, 7, 0, 1}, {0, 1, 2, 3, 4, 5, 6, 7}};
    const unsigned bits = pk_vm_bits(m);
    __m256i order;
    memcpy(&order, places[bits], sizeof order);
    pk_vu_store(to, (pk_vu)_mm256_permutevar8x32_epi32((__m256i)v, order));
    return (unsigned)__builtin_popcount(bits);
}
#else
PK_INLINE pk_vd pk_vd_set(double x)
{
    return (pk_vd){x, x};
}
PK_INLINE pk_vu pk_vu_set(uint64_t x)
{
    return (pk_vu){x, x};
}
PK_INLINE pk_vu pk_vu_iota(void)
{
    return (pk_vu){0, 1};
}
PK_INLINE unsigned pk_vm_bits(pk_vm m)
{
#ifdef __SSE2__
    return (unsigned)_mm_movemask_pd((__m128d)m);
#else
    return (unsigned)(m[0] & 1) | (unsigned)(m[1] & 2);
#endif
}
PK_INLINE pk_vd pk_vd_select(pk_vm m, pk_vd yes, pk_vd no)
{
    return (pk_vd)(((pk_vi)yes & m) | ((pk_vi)no & ~m));
}
PK_INLINE pk_vu pk_vu_select(pk_vm m, pk_vu yes, pk_vu no)
{
    return (pk_vu)(((pk_vi)yes & m) | ((pk_vi)no & ~m));
}
PK_INLINE pk_vu pk_vu_product(pk_vu a, pk_vu b)
{
#ifdef __SSE2__
    return (pk_vu)_mm_mul_epu32((__m128i)a, (__m128i)b);
#else
    return (a & 0xffffffff) * (b & 0xffffffff);
#endif
}
PK_INLINE pk_vd pk_vd_gather(const double *from, pk_vu index)
{
    return (pk_vd){from[index[0]], from[index[1]]};
}
PK_INLINE pk_vu pk_vu_gather(const uint64_t *from, pk_vu index)
{
    return (pk_vu){from[index[0]], from[index[1]]};
}
PK_INLINE unsigned pk_vu_pack(uint64_t *to, pk_vm m, pk_vu v)
{
    const unsigned bits = pk_vm_bits(m);
    to[0] = v[0];
    to[1] = v[1];
    to[bits & 1] = bits >> 1 ? v[1] : to[bits & 1];
    return (bits & 1) + (bits >> 1);
}
#endif

PK_INLINE pk_vm pk_vm_all(void)
{
    return (pk_vm)pk_vu_set(UINT64_MAX);
}
PK_INLINE pk_vm pk_vm_first(size_t n)
{
    return (pk_vm)(pk_vu_iota() < pk_vu_set(n));
}
PK_INLINE pk_vm pk_vu_top(pk_vu a)
{
    return (pk_vm)((pk_vi)a < (pk_vi)pk_vu_set(0));
}
PK_INLINE pk_vm pk_vm_not(pk_vm m)
{
    return ~m;
}
PK_INLINE pk_vm pk_vm_and(pk_vm a, pk_vm b)
{
    return a & b;
}
PK_INLINE pk_vm pk_vm_or(pk_vm a, pk_vm b)
{
    return a | b;
}
PK_INLINE pk_vm pk_vd_less(pk_vd a, pk_vd b)
{
    return (pk_vm)(a < b);
}
PK_INLINE pk_vm pk_vd_at_most(pk_vd a, pk_vd b)
{
    return (pk_vm)(a <= b);
}
PK_INLINE pk_vm pk_vu_equal(pk_vu a, pk_vu b)
{
    return (pk_vm)(a == b);
}
PK_INLINE pk_vm pk_vu_less(pk_vu a, pk_vu b)
{
    return (pk_vm)(a < b);
}
PK_INLINE pk_vu pk_vu_high(pk_vu a)
{
    return a >> 32;
}
PK_INLINE pk_vu pk_vu_xor3(pk_vu a, pk_vu b, pk_vu c)
{
    return a ^ b ^ c;
}
PK_INLINE void pk_vd_scatter(double *to, pk_vm m, pk_vu index, pk_vd v)
{
    for (int k = 0; k < PK_WIDTH; k++)
        if (m[k])
            to[index[k]] = v[k];
}
PK_INLINE pk_vd pk_vd_lookup(const double *from, pk_vu index)
{
    return pk_vd_gather(from, index);
}
PK_INLINE pk_vd pk_vd_lookup_16(const double *from, pk_vu index)
{
    return pk_vd_gather(from, index);
}
PK_INLINE pk_vu pk_vu_lookup(const uint64_t *from, pk_vu index)
{
    return pk_vu_gather(from, index);
}
#endif

/* ---- what follows from these ------------------------------------------------------------------------------------ */

PK_INLINE unsigned pk_vm_any(pk_vm m)
{
    return pk_vm_bits(m);
}
PK_INLINE pk_vd pk_vd_least(pk_vd a, pk_vd b)
{
    return pk_vd_select(pk_vd_less(a, b), a, b);
}
/* x to the nearest whole number, 0 <= x < 2^51. */
PK_INLINE pk_vu pk_vd_whole(pk_vd x)
{
    return (pk_vu)(x + pk_vd_set(0x1p52)) & pk_vu_set((UINT64_C(1) << 51) - 1);
}

#endif
