/* Where parameters enter: for warnings of what nothing uses, and for what is only a price. Not installed. */
#ifndef PK_USES_PRIVATE_H
#define PK_USES_PRIVATE_H

#include "polku/model.h"

enum {                       /* bits */
       PK_USE_PRICE = 1,     /* of a reward */
       PK_USE_ELSEWHERE = 2, /* what changes lives, people or costs */
       PK_USE_WEIGHT = 4     /* a table that weights a reward, which is no price */
};

/* uses[PK_MAX_PARAMETERS] |= how; nothing for SIZE_MAX. */
void pk_uses_mark(unsigned char *uses, size_t i_parameter, int how);
/* All uses within a model. services [n_services]: but for services that are left out; NULL: none is. */
void pk_uses_mark_model(unsigned char *uses, const struct pk_model *model, const bool *services);

#endif
