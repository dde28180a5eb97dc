/* Philox as a gsl_rng: the same words as the keys, streams apart, GSL's samplers on top. */
#include <criterion/criterion.h>
#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <math.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "polku/rng.h"
#include "polku/rng_gsl.h"

Test(rng_gsl, words_are_those_of_the_keys_in_role_outside)
{
    const uint64_t seed = 0x9c5e1fa37db20468, number = 0x5a93c7e1b4;
    const uint32_t stream = 0x69d21b;
    gsl_rng *r = gsl_rng_alloc(pk_rng_gsl_type);
    pk_rng_gsl_key(r, seed, stream, number);
    for (uint32_t block = 0; block < 70000; block++) { /* past the first 16 bits of the block's number */
        const struct pk_rng_key key = {.seed = seed,
                                       .person = number,
                                       .stream = stream,
                                       .role = PK_ROLE_OUTSIDE,
                                       .spell = (uint16_t)block,
                                       .candidate = (uint16_t)(block >> 16)};
        uint64_t words[2];
        pk_rng_words(&key, words);
        const unsigned long expected[4] = {words[0] >> 32, words[0] & 0xffffffff, words[1] >> 32,
                                           words[1] & 0xffffffff};
        for (int i = 0; i < 4; i++)
            if (gsl_rng_get(r) != expected[i])
                cr_assert(false, "block %u word %d", block, i);
    }
    gsl_rng_free(r);
}

Test(rng_gsl, uniform_is_53_bits_of_the_next_two_words)
{
    gsl_rng *r = gsl_rng_alloc(pk_rng_gsl_type), *words = gsl_rng_alloc(pk_rng_gsl_type);
    gsl_rng_set(r, 7129);
    gsl_rng_set(words, 7129);
    gsl_rng_get(r); /* so that some uniforms straddle two blocks */
    gsl_rng_get(words);
    for (int i = 0; i < 100000; i++) {
        const uint64_t upper = gsl_rng_get(words), lower = gsl_rng_get(words);
        const double u = gsl_rng_uniform(r);
        if (!(u >= 0.0 && u < 1.0) || u != ldexp((double)((upper << 32 | lower) >> 11), -53))
            cr_assert(false, "%a at %d", u, i);
    }
    gsl_rng_free(r);
    gsl_rng_free(words);
}

Test(rng_gsl, set_is_the_first_stream_of_the_seed)
{
    gsl_rng *a = gsl_rng_alloc(pk_rng_gsl_type), *b = gsl_rng_alloc(pk_rng_gsl_type);
    cr_assert_str_eq(gsl_rng_name(a), "polku-philox4x32-10");
    cr_assert_eq(gsl_rng_min(a), 0);
    cr_assert_eq(gsl_rng_max(a), 0xffffffff);
    gsl_rng_set(a, 0xfedcba9876543210);
    pk_rng_gsl_key(b, 0xfedcba9876543210, 0, 0);
    for (int i = 0; i < 1000; i++)
        cr_assert_eq(gsl_rng_get(a), gsl_rng_get(b));
    gsl_rng_free(a);
    gsl_rng_free(b);
}

Test(rng_gsl, a_stream_can_be_cloned_and_restarted)
{
    gsl_rng *r = gsl_rng_alloc(pk_rng_gsl_type);
    pk_rng_gsl_key(r, 2385, 17, 4);
    unsigned long first[11];
    for (int i = 0; i < 11; i++)
        first[i] = gsl_rng_get(r);
    gsl_rng *clone = gsl_rng_clone(r);
    for (int i = 0; i < 1000; i++)
        cr_assert_eq(gsl_rng_get(r), gsl_rng_get(clone));
    pk_rng_gsl_key(r, 2385, 17, 4);
    for (int i = 0; i < 11; i++)
        cr_assert_eq(gsl_rng_get(r), first[i]);
    gsl_rng_free(r);
    gsl_rng_free(clone);
}

Test(rng_gsl, streams_of_different_keys_differ)
{
    const struct {
        uint64_t seed;
        uint32_t stream;
        uint64_t number;
    } keys[] = {{0, 0, 0},
                {1, 0, 0},
                {0, 1, 0},
                {0, 0, 1},
                {UINT64_C(1) << 32, 0, 0},
                {0, 0, UINT64_C(1) << 32},
                {0, 0xffffff, 0},
                {1, 1, 1},
                {0, 0, 0xffffffffff}};
    enum { N_KEYS = sizeof keys / sizeof *keys, N_DRAWS = 256 };
    static uint64_t draws[N_KEYS * N_DRAWS];
    gsl_rng *r = gsl_rng_alloc(pk_rng_gsl_type);
    for (int k = 0; k < N_KEYS; k++) {
        pk_rng_gsl_key(r, keys[k].seed, keys[k].stream, keys[k].number);
        for (int i = 0; i < N_DRAWS; i++) {
            draws[k * N_DRAWS + i] = (uint64_t)gsl_rng_get(r) << 32;
            draws[k * N_DRAWS + i] |= (uint64_t)gsl_rng_get(r);
        }
    }
    /* no 64-bit draw occurs twice anywhere: by chance 1.5 10^-13 */
    for (int i = 0; i < N_KEYS * N_DRAWS; i++)
        for (int j = 0; j < i; j++)
            if (draws[i] == draws[j])
                cr_assert(false, "draw %d of stream %d is draw %d of stream %d", i % N_DRAWS, i / N_DRAWS, j % N_DRAWS,
                          j / N_DRAWS);
    gsl_rng_free(r);
}

Test(rng_gsl, a_number_too_wide_is_a_bug_of_the_caller, .signal = SIGABRT)
{
    pk_rng_gsl_key(gsl_rng_alloc(pk_rng_gsl_type), 2385, 0, UINT64_C(1) << 40);
}

Test(rng_gsl, a_generator_of_another_type_is_a_bug_of_the_caller, .signal = SIGABRT)
{
    pk_rng_gsl_key(gsl_rng_alloc(gsl_rng_mt19937), 2385, 0, 0);
}

/* Fixed seed, n = 10^6, 4.5 standard errors of each moment under the normal: false alarm 2.7 10^-5 for the four. */
Test(rng_gsl, gaussians_have_the_moments_of_gaussians)
{
    gsl_rng *r = gsl_rng_alloc(pk_rng_gsl_type);
    pk_rng_gsl_key(r, 40961, 3, 12);
    const double n = 1e6, sigma = 2.385;
    double m1 = 0.0, m2 = 0.0, m3 = 0.0, m4 = 0.0;
    for (int i = 0; i < 1000000; i++) {
        const double x = gsl_ran_gaussian(r, sigma) / sigma, xx = x * x;
        m1 += x;
        m2 += xx;
        m3 += x * xx;
        m4 += xx * xx;
    }
    cr_assert_lt(fabs(m1 / n), 4.5 * sqrt(1.0 / n));
    cr_assert_lt(fabs(m2 / n - 1.0), 4.5 * sqrt(2.0 / n));
    cr_assert_lt(fabs(m3 / n), 4.5 * sqrt(15.0 / n));
    cr_assert_lt(fabs(m4 / n - 3.0), 4.5 * sqrt(96.0 / n));
    gsl_rng_free(r);
}

Test(rng_gsl, integers_below_a_bound_are_equally_likely)
{
    gsl_rng *r = gsl_rng_alloc(pk_rng_gsl_type);
    pk_rng_gsl_key(r, 40961, 3, 13);
    int counts[13] = {0};
    for (int i = 0; i < 1300000; i++)
        counts[gsl_rng_uniform_int(r, 13)]++;
    double chi_square = 0.0;
    for (int i = 0; i < 13; i++)
        chi_square += (counts[i] - 1e5) * (counts[i] - 1e5) / 1e5;
    cr_assert_lt(chi_square, 46.6); /* 12 degrees of freedom: chance 5 10^-6 */
    gsl_rng_free(r);
}
