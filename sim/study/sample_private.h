/* What the files of a sample share. Not installed. */
#ifndef PK_SAMPLE_PRIVATE_H
#define PK_SAMPLE_PRIVATE_H

#include "polku/sample.h"

enum { PK_COLUMN_NAME = 96 };

/* Where a factor is while others move: the scenario's value, of base[n_parameters] as given; a choice's first option. */
double pk_sample_base(const struct pk_factor *factor, const double *base);
/* Room for n points. */
bool pk_sample_make_room(struct pk_sample *sample);

#endif
