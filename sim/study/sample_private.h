/* What the files of a sample share. Not installed. */
#ifndef PK_SAMPLE_PRIVATE_H
#define PK_SAMPLE_PRIVATE_H

#include "polku/sample.h"

enum { PK_COLUMN_NAME = 96 };

/* Where a factor is while others move: the scenario's value, of base[n_parameters] as given; a choice's first option.
 */
double pk_sample_base(const struct pk_factor *factor, const double *base);
/* Everything but the points; base[n_parameters] as given, NULL where there is no model. False: no memory. */
bool pk_sample_name(struct pk_sample *sample, const struct pk_study *study, const struct pk_scenario *scenario,
                    const struct pk_model *model, const double *base);
/* Room for n points. */
bool pk_sample_make_room(struct pk_sample *sample);

/* Integers of a point that the design makes it with, as stored; PK_DESIGN_NONE is -1. */
enum { PK_SAMPLE_MARKS = 7 };
extern const char *const pk_sample_mark_names[PK_SAMPLE_MARKS];

#endif
