/* The reference model as a bare loop over vectors, the mark for polku to come close to: base_vector PEOPLE
 *
 * Philox4x32-10 keyed by (person, event number), an inlined logarithm, the next state by comparison with four bounds,
 * the next person into a lane without a branch. No months, no groups, no files; person-years by state alone, to tell
 * whether the lives are right. Four vectors at once, instruction by instruction, since each waits for itself.
 * Prints transitions and mean person-years. Knows nothing of polku. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#if defined(__AVX512F__) && defined(__AVX512DQ__)
#include <immintrin.h>
#define AVX512
enum { WIDTH = 8 };
#elif defined(__AVX2__)
#include <immintrin.h>
enum { WIDTH = 4 };
#else
enum { WIDTH = 2 };
#endif
#ifdef AVX512
enum { TOGETHER = 4 }; /* 32 registers */
#else
enum { TOGETHER = 2 };                                      /* 16 registers */
#endif
#define EACH _Pragma("GCC unroll 4") for (int g = 0; g < TOGETHER; g++)
#define INLINE static inline __attribute__((always_inline))

enum { UNEMPLOYED, COACHING, EMPLOYED, REHAB, PENSION, DEAD, N_STATES, N_LIVING = DEAD, N_BOUNDS = 4 };
static const char *const names[] = {"unemployed", "coaching", "employed", "rehab", "pension", "dead"};
static const double rates_per_year[N_LIVING][N_STATES] = {{0.00, 0.30, 0.25, 0.08, 0.02, 0.004},
                                                          {0.90, 0.00, 0.50, 0.05, 0.00, 0.004},
                                                          {0.20, 0.00, 0.00, 0.01, 0.00, 0.004},
                                                          {0.15, 0.00, 0.04, 0.00, 0.35, 0.004},
                                                          {0.00, 0.00, 0.005, 0.00, 0.00, 0.004}};
static const double horizon_years = 40;

/* By state: the mean stay; bounds of the next state in [1, 2]; the next state where so many bounds are passed. */
static double mean_years[8], bounds[N_BOUNDS][8];
static uint64_t next_state[N_BOUNDS + 1][8];

static void fill_tables(void)
{
    for (int s = 0; s < 8; s++) {
        for (int b = 0; b < N_BOUNDS; b++)
            bounds[b][s] = 3;
        if (s >= N_LIVING)
            continue;
        double total = 0, sum = 0;
        int n = 0;
        for (int to = 0; to < N_STATES; to++)
            total += rates_per_year[s][to];
        mean_years[s] = 1 / total;
        for (int to = 0; to < N_STATES; to++) {
            if (rates_per_year[s][to] <= 0)
                continue;
            sum += rates_per_year[s][to];
            next_state[n][s] = (uint64_t)to;
            if (to != DEAD)
                bounds[n++][s] = 1 + sum / total;
        }
    }
}

/* ---- vectors: what GCC's generic ones cannot say -------------------------------------------------------------- */

typedef double vd __attribute__((vector_size(8 * WIDTH)));
typedef uint64_t vu __attribute__((vector_size(8 * WIDTH)));
#ifdef AVX512
typedef __mmask8 vm; /* a bit per lane */
#else
typedef int64_t vm __attribute__((vector_size(8 * WIDTH))); /* 0 or -1 per lane */
#endif

INLINE vd number(double x)
{
    return x - (vd){0};
}
INLINE vu word(uint64_t x)
{
    return x - (vu){0};
}

#ifdef AVX512
/* Of the low 32 bits. */
INLINE vu product(vu a, vu b)
{
    return (vu)_mm512_mul_epu32((__m512i)a, (__m512i)b);
}
/* The high 32 bits in the low place; above them anything. */
INLINE vu high(vu a)
{
    return (vu)_mm512_shuffle_epi32((__m512i)a, (_MM_PERM_ENUM)0xf5);
}
INLINE vu xor3(vu a, vu b, vu c)
{
    return (vu)_mm512_ternarylogic_epi64((__m512i)a, (__m512i)b, (__m512i)c, 0x96);
}
/* 52 of 64 random bits as a number in [1, 2). */
INLINE vd from_1_to_2(vu upper, vu lower)
{
    const __m512i both = _mm512_mask_shuffle_epi32((__m512i)lower, 0xaaaa, (__m512i)upper, (_MM_PERM_ENUM)0xa0);
    const __m512i mantissa = _mm512_set1_epi64(0x000fffffffffffff), one = _mm512_set1_epi64(0x3ff0000000000000);
    return (vd)_mm512_ternarylogic_epi64(both, mantissa, one, 0xea);
}
INLINE vd look_up(const double table[8], vu index)
{
    return (vd)_mm512_permutexvar_pd((__m512i)index, _mm512_loadu_pd(table));
}
INLINE vu look_up_word(const uint64_t table[8], vu index)
{
    return (vu)_mm512_permutexvar_epi64((__m512i)index, _mm512_loadu_si512(table));
}
INLINE vu look_up_where(vm m, const uint64_t table[8], vu index, vu otherwise)
{
    return (vu)_mm512_mask_permutexvar_epi64((__m512i)otherwise, m, (__m512i)index, _mm512_loadu_si512(table));
}
INLINE vm at_least(vd a, vd b)
{
    return _mm512_cmp_pd_mask((__m512d)a, (__m512d)b, _CMP_GE_OQ);
}
INLINE vm less(vu a, vu b)
{
    return _mm512_cmplt_epu64_mask((__m512i)a, (__m512i)b);
}
INLINE vm equal_where(vm m, vu a, vu b)
{
    return _mm512_mask_cmpeq_epi64_mask(m, (__m512i)a, (__m512i)b);
}
INLINE vd least(vd a, vd b)
{
    return (vd)_mm512_min_pd((__m512d)a, (__m512d)b);
}
INLINE vd add_where(vm m, vd a, vd b)
{
    return (vd)_mm512_mask_add_pd((__m512d)a, m, (__m512d)a, (__m512d)b);
}
INLINE vu count_where(vm m, vu a)
{
    return (vu)_mm512_mask_sub_epi64((__m512i)a, m, (__m512i)a, _mm512_set1_epi64(-1));
}
INLINE vu zero_where(vm m, vu a)
{
    return (vu)_mm512_maskz_mov_epi64((__mmask8)~m, (__m512i)a);
}
INLINE int any(vm m)
{
    return m != 0;
}
#else
INLINE vu product(vu a, vu b)
{
#ifdef __AVX2__
    return (vu)_mm256_mul_epu32((__m256i)a, (__m256i)b);
#else
    return (a & 0xffffffff) * (b & 0xffffffff);
#endif
}
INLINE vu high(vu a)
{
    return a >> 32;
}
INLINE vu xor3(vu a, vu b, vu c)
{
    return a ^ b ^ c;
}
INLINE vd from_1_to_2(vu upper, vu lower)
{
    return (vd)((((upper << 32) | (lower & 0xffffffff)) & 0x000fffffffffffff) | 0x3ff0000000000000);
}
INLINE vd look_up(const double table[8], vu index)
{
    vd found;
    for (int k = 0; k < WIDTH; k++)
        found[k] = table[index[k]];
    return found;
}
INLINE vu look_up_word(const uint64_t table[8], vu index)
{
    vu found;
    for (int k = 0; k < WIDTH; k++)
        found[k] = table[index[k]];
    return found;
}
INLINE vu look_up_where(vm m, const uint64_t table[8], vu index, vu otherwise)
{
    return (look_up_word(table, index) & (vu)m) | (otherwise & ~(vu)m);
}
INLINE vm at_least(vd a, vd b)
{
    return (vm)(a >= b);
}
INLINE vm less(vu a, vu b)
{
    return (vm)(a < b);
}
INLINE vm equal_where(vm m, vu a, vu b)
{
    return m & (vm)(a == b);
}
INLINE vd least(vd a, vd b)
{
    const vm m = (vm)(a < b);
    return (vd)(((vm)a & m) | ((vm)b & ~m));
}
INLINE vd add_where(vm m, vd a, vd b)
{
    return a + (vd)((vm)b & m);
}
INLINE vu count_where(vm m, vu a)
{
    return a - (vu)m;
}
INLINE vu zero_where(vm m, vu a)
{
    return a & ~(vu)m;
}
INLINE int any(vm m)
{
    int64_t all = 0;
    for (int k = 0; k < WIDTH; k++)
        all |= m[k];
    return all != 0;
}
#endif

/* -log(x[g]) for x in (0, 1] */
#ifdef AVX512
static double table_inverse[16], table_log[16]; /* of the middles of 16 parts of [1, 2) */

static void fill_logarithm(void)
{
    for (int i = 0; i < 16; i++) {
        table_inverse[i] = 1 / (1 + (i + 0.5) / 16);
        table_log[i] = log(table_inverse[i]);
    }
}

/* x = 2^e m, m near the middle of its part: log m = log middle + log(1 + r), |r| < 1/32, and seven terms of the last */
INLINE void minus_log(vd x[TOGETHER])
{
    __m512d r[TOGETHER], base[TOGETHER], p[TOGETHER];
    EACH
    {
        const __m512d m = _mm512_getmant_pd((__m512d)x[g], _MM_MANT_NORM_1_2, _MM_MANT_SIGN_zero);
        const __m512i part = _mm512_srli_epi64((__m512i)m, 48); /* its low four bits count */
        r[g] = _mm512_fmsub_pd(
            m, _mm512_permutex2var_pd(_mm512_loadu_pd(table_inverse), part, _mm512_loadu_pd(table_inverse + 8)),
            _mm512_set1_pd(1.0));
        base[g] =
            _mm512_fnmadd_pd(_mm512_getexp_pd((__m512d)x[g]), _mm512_set1_pd(0.69314718055994530942),
                             _mm512_permutex2var_pd(_mm512_loadu_pd(table_log), part, _mm512_loadu_pd(table_log + 8)));
    }
    EACH p[g] = _mm512_fmadd_pd(r[g], _mm512_set1_pd(-1.0 / 7), _mm512_set1_pd(1.0 / 6));
    EACH p[g] = _mm512_fmadd_pd(r[g], p[g], _mm512_set1_pd(-1.0 / 5));
    EACH p[g] = _mm512_fmadd_pd(r[g], p[g], _mm512_set1_pd(1.0 / 4));
    EACH p[g] = _mm512_fmadd_pd(r[g], p[g], _mm512_set1_pd(-1.0 / 3));
    EACH p[g] = _mm512_fmadd_pd(r[g], p[g], _mm512_set1_pd(1.0 / 2));
    EACH p[g] = _mm512_fmadd_pd(r[g], p[g], _mm512_set1_pd(-1.0));
    EACH x[g] = (vd)_mm512_fmadd_pd(r[g], p[g], base[g]);
}
#else
static void fill_logarithm(void) {}

/* x = 2^e m, m in [sqrt(1/2), sqrt(2)): log m = 2 artanh((m - 1) / (m + 1)), and ten terms of it */
INLINE void minus_log(vd x[TOGETHER])
{
    const vu one = word(0x3ff0000000000000), root_half = word(0x3fe6a09e667f3bcd);
    vd e[TOGETHER], s[TOGETHER], z[TOGETHER], p[TOGETHER];
    EACH
    {
        const vu shifted = (vu)x[g] + (one - root_half);
        const vd m = (vd)((shifted & 0x000fffffffffffff) + root_half);
        e[g] = (vd)(word(0x4330000000000000) | (shifted >> 52)) - (0x1p52 + 1023);
        s[g] = (m - 1.0) / (m + 1.0);
        z[g] = s[g] * s[g];
        p[g] = number(2.0 / 19);
    }
    for (int i = 17; i > 0; i -= 2)
        EACH p[g] = p[g] * z[g] + 2.0 / i;
    EACH x[g] = -(e[g] * 0.69314718055994530942 + s[g] * p[g]);
}
#endif

/* ---- the loop -----------------------------------------------------------------------------------------------------
 */

struct lives {
    double years[N_STATES]; /* of all people */
    uint64_t transitions;
};

/* Each lane has people of its own, one after another. */
static struct lives live(uint64_t people, uint32_t seed)
{
    uint64_t key0[10], key1[10];
    for (uint32_t round = 0; round < 10; round++) {
        key0[round] = (uint32_t)(seed + round * 0x9E3779B9);
        key1[round] = (uint32_t)(round * 0xBB67AE85);
    }
    vu person[TOGETHER], end[TOGETHER], event[TOGETHER], state[TOGETHER], moves = word(0);
    vd time[TOGETHER], years[N_LIVING];
    vm alive[TOGETHER];
    for (int g = 0; g < TOGETHER; g++) {
        for (unsigned k = 0; k < WIDTH; k++) {
            const unsigned lane = (unsigned)g * WIDTH + k;
            person[g][k] = people * lane / (TOGETHER * WIDTH);
            end[g][k] = people * (lane + 1) / (TOGETHER * WIDTH);
        }
        event[g] = state[g] = word(0);
        time[g] = number(0);
        alive[g] = less(person[g], end[g]);
    }
    for (int s = 0; s < N_LIVING; s++)
        years[s] = number(0);

    for (int more = 1; more;) {
        vu c0[TOGETHER], c1[TOGETHER], c2[TOGETHER], c3[TOGETHER];
        EACH
        {
            c0[g] = person[g];
            c1[g] = high(person[g]);
            c2[g] = event[g];
            c3[g] = word(0);
        }
#pragma GCC unroll 10
        for (int round = 0; round < 10; round++) {
            EACH
            {
                const vu p0 = product(c0[g], word(0xD2511F53)), p1 = product(c2[g], word(0xCD9E8D57));
                c0[g] = xor3(high(p1), c1[g], word(key0[round]));
                c2[g] = xor3(high(p0), c3[g], word(key1[round]));
                c1[g] = p1;
                c3[g] = p0;
            }
        }
        vd stay[TOGETHER];
        EACH stay[g] = 2.0 - from_1_to_2(c0[g], c1[g]);
        minus_log(stay);
        more = 0;
        EACH
        {
            const vd chance = from_1_to_2(c2[g], c3[g]);
            const vd leaves = time[g] + stay[g] * look_up(mean_years, state[g]);
            const vd spent = least(leaves, number(horizon_years)) - time[g];
            for (unsigned s = 0; s < N_LIVING; s++)
                years[s] = add_where(equal_where(alive[g], state[g], word(s)), years[s], spent);
            vu to = look_up_word(next_state[0], state[g]);
            for (int b = 0; b < N_BOUNDS; b++)
                to = look_up_where(at_least(chance, look_up(bounds[b], state[g])), next_state[b + 1], state[g], to);
            const vm over = at_least(leaves, number(horizon_years));
            const vm ends = over | equal_where(alive[g], to, word(DEAD));
            moves = count_where(alive[g] & ~over, moves);
            person[g] = count_where(ends, person[g]);
            event[g] = zero_where(ends, event[g] + 1);
            state[g] = zero_where(ends, to);
            time[g] = (vd)zero_where(ends, (vu)leaves);
            alive[g] = less(person[g], end[g]);
            more |= any(alive[g]);
        }
    }
    struct lives lives = {{0}, 0};
    lives.years[DEAD] = horizon_years * (double)people;
    for (int k = 0; k < WIDTH; k++) {
        for (int s = 0; s < N_LIVING; s++) {
            lives.years[s] += years[s][k];
            lives.years[DEAD] -= years[s][k];
        }
        lives.transitions += moves[k];
    }
    return lives;
}

int main(int argc, char **argv)
{
    const uint64_t people = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000000;
    fill_tables();
    fill_logarithm();
    const struct lives lives = live(people, 20210101);
    printf("transitions %llu\n", (unsigned long long)lives.transitions);
    for (int s = 0; s < N_STATES; s++)
        printf("%s %.5f years\n", names[s], lives.years[s] / (double)people);
    return 0;
}
