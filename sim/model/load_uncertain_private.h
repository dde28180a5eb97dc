/* What the files that read sets of uncertain parameters share. Not installed. */
#ifndef PK_LOAD_UNCERTAIN_PRIVATE_H
#define PK_LOAD_UNCERTAIN_PRIVATE_H

#include "load_private.h"
#include "polku/uncertainty.h"

/* Why a parameter cannot be in a set; both empty where its own problem is in the list already. */
struct pk_load_refusal {
    char what[PK_SOURCE_PATH_SIZE], hint[PK_SOURCE_PATH_SIZE];
};

/* The parameter of this name joins the set, if it may. */
bool pk_load_uncertain_member(struct pk_load *load, struct pk_uncertain_set *set, const char *name,
                              struct pk_load_refusal *refusal);
/* Room for n members and what the set's kind says of each. */
bool pk_load_uncertain_room(struct pk_load *load, struct pk_uncertain_set *set, size_t n);
/* Whether estimate k and its variance, the matrix's, give values that its parameter may have. */
bool pk_load_coefficient_fits(const struct pk_load *load, const struct pk_uncertain_set *set, size_t k,
                              struct pk_load_refusal *refusal);
/* The Cholesky factor of the set's matrix, whose lower triangle is used. SIZE_MAX: made; else the first row that makes
 * it not positive definite. */
size_t pk_load_uncertain_factor(struct pk_uncertain_set *set);
/* Whether the matrix is the same when mirrored, but for rounding; else where not. */
bool pk_load_uncertain_symmetric(const struct pk_uncertain_set *set, size_t *i_row, size_t *i_column);

/* The table that is named at r: draws, or coefficients with their covariances. */
bool pk_load_draws_file(struct pk_load *load, const struct pk_reader *r, struct pk_uncertain_set *set);
bool pk_load_coefficients_file(struct pk_load *load, const struct pk_reader *r, struct pk_uncertain_set *set);

extern const char *const pk_load_scales[3];

#endif
