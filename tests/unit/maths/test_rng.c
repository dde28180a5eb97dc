/* The counter's layout, Philox's published answers, and the uniforms made of them. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>

#include "polku/rng.h"

/* Random123's published kat_vectors, philox4x32 with 10 rounds, written in our fields */
Test(rng, words_are_the_published_philox_answers)
{
    const struct {
        struct pk_rng_key key;
        uint64_t words[2];
    } known[] = {
        {{.seed = 0}, {0x6627e8d5e169c58d, 0xbc57ac4c9b00dbd8}},
        {{.seed = UINT64_MAX,
          .person = 0xffffffffff,
          .replication = 0xffffff,
          .stream = 0xffffff,
          .role = 0xff,
          .spell = 0xffff,
          .candidate = 0xffff},
         {0x408f276d41c83b0e, 0xa20bc7c66d5451fd}},
        /* counter 243f6a88 85a308d3 13198a2e 03707344, key a4093822 299f31d0 */
        {{.seed = 0x299f31d0a4093822,
          .person = 0xd3243f6a88,
          .replication = 0x85a308,
          .stream = 0x198a2e,
          .role = 0x13,
          .spell = 0x7344,
          .candidate = 0x0370},
         {0xd16cfe0994fdcceb, 0x5001e42024126ea1}},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        uint64_t words[2];
        pk_rng_words(&known[i].key, words);
        cr_assert_eq(words[0], known[i].words[0], "case %zu", i);
        cr_assert_eq(words[1], known[i].words[1], "case %zu", i);
        const struct pk_rng_pair pair = pk_rng_uniforms(&known[i].key);
        cr_assert(pair.first == pk_rng_uniform(words[0]) && pair.second == pk_rng_uniform(words[1]));
    }
}

enum field { PERSON, REPLICATION, STREAM, ROLE, SPELL, CANDIDATE, N_FIELDS };

static const int field_bits[N_FIELDS] = {40, 24, 24, 8, 16, 16};

static struct pk_rng_key with_bit_flipped(struct pk_rng_key key, enum field field, int bit)
{
    const uint64_t mask = UINT64_C(1) << bit;
    switch (field) {
    case PERSON:
        key.person ^= mask;
        break;
    case REPLICATION:
        key.replication ^= (uint32_t)mask;
        break;
    case STREAM:
        key.stream ^= (uint32_t)mask;
        break;
    case ROLE:
        key.role ^= (uint8_t)mask;
        break;
    case SPELL:
        key.spell ^= (uint16_t)mask;
        break;
    default:
        key.candidate ^= (uint16_t)mask;
    }
    return key;
}

static const struct pk_rng_key some_key = {.seed = 0x9c5e1fa37db20468,
                                           .person = 0x5a93c7e1b4,
                                           .replication = 0xc3a596,
                                           .stream = 0x69d21b,
                                           .role = PK_ROLE_PREVENTION,
                                           .spell = 0x8e35,
                                           .candidate = 0x17da};

Test(rng, every_bit_of_a_key_has_a_bit_of_the_counter_to_itself)
{
    uint32_t before[4], used[4] = {0};
    pk_rng_counter(&some_key, before);
    for (int field = 0; field < N_FIELDS; field++)
        for (int bit = 0; bit < field_bits[field]; bit++) {
            const struct pk_rng_key other = with_bit_flipped(some_key, (enum field)field, bit);
            uint32_t after[4];
            pk_rng_counter(&other, after);
            int n_changed = 0;
            for (int i = 0; i < 4; i++) {
                const uint32_t changed = before[i] ^ after[i];
                cr_assert_eq(used[i] & changed, 0, "field %d bit %d shares a bit of word %d", field, bit, i);
                used[i] |= changed;
                n_changed += __builtin_popcount(changed);
            }
            cr_assert_eq(n_changed, 1, "field %d bit %d changes %d bits", field, bit, n_changed);
        }
    for (int i = 0; i < 4; i++)
        cr_assert_eq(used[i], UINT32_MAX);
}

Test(rng, a_number_too_wide_leaves_other_fields_alone)
{
    struct pk_rng_key wide = some_key;
    wide.person |= UINT64_C(0xabcdef) << 40;
    wide.replication |= 0xa5000000;
    wide.stream |= 0x5a000000;
    uint32_t narrow_counter[4], wide_counter[4];
    pk_rng_counter(&some_key, narrow_counter);
    pk_rng_counter(&wide, wide_counter);
    for (int i = 0; i < 4; i++)
        cr_assert_eq(narrow_counter[i], wide_counter[i]);
}

/* Each of 128 + 64 single-bit changes of a key flips about half of the 128 bits: sd of the mean 0.41 bits. */
Test(rng, every_bit_of_a_key_stirs_half_of_the_words)
{
    uint64_t before[2], after[2];
    pk_rng_words(&some_key, before);
    int n_keys = 0, n_flipped = 0;
    for (int field = 0; field < N_FIELDS; field++)
        for (int bit = 0; bit < field_bits[field]; bit++, n_keys++) {
            const struct pk_rng_key other = with_bit_flipped(some_key, (enum field)field, bit);
            pk_rng_words(&other, after);
            n_flipped += __builtin_popcountll(before[0] ^ after[0]) + __builtin_popcountll(before[1] ^ after[1]);
        }
    for (int bit = 0; bit < 64; bit++, n_keys++) {
        struct pk_rng_key other = some_key;
        other.seed ^= UINT64_C(1) << bit;
        pk_rng_words(&other, after);
        n_flipped += __builtin_popcountll(before[0] ^ after[0]) + __builtin_popcountll(before[1] ^ after[1]);
    }
    cr_assert_eq(n_keys, 192);
    cr_assert_lt(fabs(n_flipped / 192.0 - 64.0), 4.5 * sqrt(32.0 / 192.0));
}

Test(rng, roles_are_unique_and_fit_their_eight_bits)
{
    const int roles[] = {PK_ROLE_EVENT,     PK_ROLE_LAYER,   PK_ROLE_ACCEPTANCE, PK_ROLE_PREVENTION, PK_ROLE_ENROLMENT,
                         PK_ROLE_ATTRIBUTE, PK_ROLE_FRAILTY, PK_ROLE_PERSON,     PK_ROLE_SPLIT,      PK_ROLE_OUTSIDE,
                         PK_ROLE_RELAPSE,   PK_ROLE_CURE,    PK_ROLE_INFLOW,     PK_ROLE_REFERRAL,   PK_ROLE_LENGTH,
                         PK_ROLE_QUEUE,     PK_ROLE_RANK,    PK_ROLE_DISPLACED,  PK_ROLE_PARAMETER};
    const int n_roles = sizeof roles / sizeof *roles;
    cr_assert_eq(n_roles, PK_ROLE_COUNT, "a role is missing here");
    for (int i = 0; i < n_roles; i++) {
        cr_assert(roles[i] >= 0 && roles[i] < 256);
        for (int j = 0; j < i; j++)
            cr_assert_neq(roles[i], roles[j]);
    }
}

Test(rng, widths_fill_the_counter_and_are_checked_at_their_edges)
{
    cr_assert_eq(PK_RNG_PERSON_BITS + PK_RNG_REPLICATION_BITS + PK_RNG_STREAM_BITS + 8 + PK_RNG_SPELL_BITS +
                     PK_RNG_CANDIDATE_BITS,
                 128);
    const uint64_t person = UINT64_C(1) << 40, other = UINT64_C(1) << 24;
    cr_assert(pk_rng_fits(0, 0, 0));
    cr_assert(pk_rng_fits(person - 1, other - 1, other - 1));
    cr_assert_not(pk_rng_fits(person, 0, 0));
    cr_assert_not(pk_rng_fits(0, other, 0));
    cr_assert_not(pk_rng_fits(0, 0, other));
    cr_assert_not(pk_rng_fits(UINT64_MAX, UINT64_MAX, UINT64_MAX));
    cr_assert_not(pk_rng_fits(UINT64_C(1) << 63, 0, 0));
}

Test(rng, uniforms_are_odd_multiples_inside_the_open_interval)
{
    cr_assert(pk_rng_uniform(0) == 0x1p-53);
    cr_assert(pk_rng_uniform(UINT64_MAX) == 1.0 - 0x1p-53);
    cr_assert(pk_rng_uniform(UINT64_C(1) << 63) == 0.5 + 0x1p-53);
    cr_assert(pk_rng_uniform((UINT64_C(1) << 63) - 1) == 0.5 - 0x1p-53);
    struct pk_rng_key key = some_key;
    for (int i = 0; i < 100000; i++) {
        key.person = (uint64_t)i;
        uint64_t words[2];
        pk_rng_words(&key, words);
        const double u = pk_rng_uniform(words[0]);
        if (!(u > 0.0 && u < 1.0) || (uint64_t)(u * 0x1p53) % 2 != 1 || u + pk_rng_uniform(~words[0]) != 1.0)
            cr_assert(false, "%a", u);
    }
}

/* The i-th uniform along one field of the key, pairs in order. */
static struct pk_rng_pair along(enum field field, uint32_t i)
{
    struct pk_rng_key key = some_key;
    switch (field) {
    case PERSON:
        key.person = i;
        break;
    case REPLICATION:
        key.replication = i & 0xffffff;
        break;
    case STREAM:
        key.stream = i & 0xffffff;
        break;
    default: /* spell and candidate together */
        key.spell = (uint16_t)i;
        key.candidate = (uint16_t)(i >> 16);
    }
    return pk_rng_uniforms(&key);
}

/* 2 10^6 uniforms a field, fixed seed, 16 comparisons at 4.5 standard errors: a false alarm has chance 1.1 10^-4.
 * Detects with chance 0.99 a bias of 6.9 standard errors: 0.0014 in the mean, 0.007 in a correlation. */
Test(rng, uniforms_have_the_moments_of_uniforms_along_every_field)
{
    const enum field fields[] = {PERSON, REPLICATION, STREAM, SPELL};
    const uint32_t n_pairs = 1000000;
    const double n = 2.0 * n_pairs;
    for (int f = 0; f < 4; f++) {
        double sum = 0.0, squares = 0.0, within = 0.0, between = 0.0, before = 0.0;
        for (uint32_t i = 0; i < n_pairs; i++) {
            const struct pk_rng_pair pair = along(fields[f], i);
            const double a = pair.first - 0.5, b = pair.second - 0.5;
            sum += a + b;
            squares += a * a + b * b;
            within += a * b;
            between += before * a;
            before = b;
        }
        cr_assert_lt(fabs(sum / n), 4.5 * sqrt(1.0 / 12.0 / n), "mean, field %d", f);
        cr_assert_lt(fabs(squares / n - 1.0 / 12.0), 4.5 * sqrt(1.0 / 180.0 / n), "variance, field %d", f);
        cr_assert_lt(fabs(12.0 * within / n_pairs), 4.5 / sqrt(n_pairs), "within a pair, field %d", f);
        cr_assert_lt(fabs(12.0 * between / (n_pairs - 1)), 4.5 / sqrt(n_pairs), "between pairs, field %d", f);
    }
}
