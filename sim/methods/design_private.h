/* What the designs share: keys by a column's name, memory, scrambled sequences. See polku/design.h. */
#ifndef PK_DESIGN_PRIVATE_H
#define PK_DESIGN_PRIVATE_H

#include "polku/design.h"

/* What is chosen: the candidate field of the key. Part of every published number: never renumber, only append. */
enum pk_design_use {
    PK_DESIGN_USE_STRATUM = 0,  /* choice: point; first word: the order of the strata, second: where within */
    PK_DESIGN_USE_SCRAMBLE = 1, /* choice: the bits above | how many << 24 | B << 39; which are flipped */
    PK_DESIGN_USE_BELOW = 2,    /* choice: Sobol's 30 bits | B << 39; the bits below them */
    PK_DESIGN_USE_UNIFORM = 3,  /* choice: row; first word: A or a sample, second: B */
    PK_DESIGN_USE_LEVEL = 4,    /* choice: trajectory; first word: level, second: up or down */
    PK_DESIGN_USE_ORDER = 5,    /* choice: trajectory; when a factor moves; the name is the factor's */
    PK_DESIGN_USE_RESAMPLE = 6, /* in place of a name: number of the resample; choice: four of its rows */
};

/* The name's part of the key. Names that meet (chance 2^-64 a pair) would have the same column: they are refused as if
 * they were the same. */
uint64_t pk_design_name_key(const char *name);
/* choice < 2^40. */
void pk_design_words(uint64_t seed, uint64_t name_key, enum pk_design_use use, uint64_t choice, uint64_t words[2]);

/* Checks and memory. n_points may have been cut to SIZE_MAX by the caller where it overflows. */
enum pk_status pk_design_room(struct pk_design *design, size_t n_points, size_t n_columns, struct pk_error *error);
/* Keys of all columns, owned by the caller; PK_BAD_INPUT where two are the same, or a factor has none. */
enum pk_status pk_design_keys(const struct pk_design_columns *columns, uint64_t **keys, struct pk_error *error);
size_t pk_design_factor(const struct pk_design_columns *columns, size_t i_column);

#endif
