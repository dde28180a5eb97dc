/* What collect.c and fold.c share. Not installed. */
#ifndef PK_COLLECT_PRIVATE_H
#define PK_COLLECT_PRIVATE_H

#include "polku/collect.h"

/* The tally of a cohort's lives in an arm; SIZE_MAX: their base lives. Slot 0 is everyone's base lives. */
size_t pk_collection_slot(const struct pk_collection *collection, size_t i_cohort, size_t i_arm);

#endif
