/* What printing and JSON share. Not installed. */
#ifndef PK_COMPARE_PRIVATE_H
#define PK_COMPARE_PRIVATE_H

#include "polku/compare.h"

/* Bits of an outcome's flags in a result file. */
enum { PK_FLAG_SHARE = 1, PK_FLAG_EUROS = 2, PK_FLAG_DECIDES = 4 };

bool pk_compare_has_flag(const struct pk_comparison *comparison, size_t i_outcome, int flag);
/* "arm-against" */
void pk_compare_pair_label(const struct pk_comparison *comparison, struct pk_compare_pair pair, char *label,
                           size_t size);

#endif
