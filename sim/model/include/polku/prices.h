/* Which parameters are only prices: of rewards, and nothing else. New values of these need no new run. */
#ifndef PK_PRICES_H
#define PK_PRICES_H

#include "polku/scenario.h"

#ifdef __cplusplus
extern "C" {
#endif

enum pk_price {
    PK_PRICE_NONE, /* no reward uses it */
    PK_PRICE_ONLY, /* rewards (or an arm's factor on them) use it and nothing else does */
    PK_PRICE_MORE  /* ... and so does something that changes lives, people, costs or discounting */
};

/* uses[n_parameters] of the model. */
void pk_prices_find(const struct pk_model *model, const struct pk_scenario *scenario, enum pk_price *uses);

/* idle[n_parameters]: used only by services that no arm enrols in. */
void pk_prices_idle(const struct pk_model *model, const struct pk_scenario *scenario, bool *idle);

/* used[n_parameters]: something in the model or the scenario uses it, but for services that no arm enrols in. */
void pk_prices_used(const struct pk_model *model, const struct pk_scenario *scenario, bool *used);

#ifdef __cplusplus
}
#endif
#endif
