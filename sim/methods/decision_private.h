/* The regression under the value of partial information. See polku/decision.h. */
#ifndef PK_DECISION_PRIVATE_H
#define PK_DECISION_PRIVATE_H

#include "polku/decision.h"

/* Terms, column after column, each [n_draws]: first those without ridge, orthonormal (the constant, linear ones), then
 * those with, orthogonal to the first and of length sqrt(n_draws). */
struct pk_decision_terms {
    size_t n_draws, n_free, n_ridge, n_room;
    double *free;  /* [n_free][n_draws], owned; in a row with the next */
    double *ridge; /* [n_ridge][n_draws] */
};

/* Errors: PK_NO_MEMORY. */
enum pk_status pk_decision_terms_init(struct pk_decision_terms *terms, size_t n_draws, const double *x,
                                      size_t n_columns, const size_t *columns, size_t n_chosen, struct pk_error *error);
void pk_decision_terms_free(struct pk_decision_terms *terms);

#endif
