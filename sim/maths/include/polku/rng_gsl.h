/* Philox as a gsl_rng, for what GSL samples outside lives (parameter draws, studies). Same keys, role OUTSIDE. */
#ifndef PK_RNG_GSL_H
#define PK_RNG_GSL_H

#include <gsl/gsl_rng.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* "polku-philox4x32-10": gsl_rng_get gives one 32-bit word, gsl_rng_uniform 53 bits of two words, in [0, 1).
 * gsl_rng_set(r, s) is pk_rng_gsl_key(r, s, 0, 0). A stream is 2^58 words long; past its end is a bug of ours. */
extern const gsl_rng_type *pk_rng_gsl_type;

/* Starts r (of our type) at the beginning of the stream of (seed, stream, number); number < 2^40, stream < 2^24
 * (asserted, as is r's type). Different (seed, stream, number) never share a counter. */
void pk_rng_gsl_key(gsl_rng *r, uint64_t seed, uint32_t stream, uint64_t number);

#ifdef __cplusplus
}
#endif
#endif
