/* A life again, slowly: from design.md part 4 and the specification of its parts, in long double, without segments,
 * bounds or anything kept between draws. Only the keys of the random numbers are shared with the engine (rng.h).
 *
 * It reads: in a state all transitions form one total hazard. A unit exponential is spent on it and one uniform picks
 * the destination; what a stay that ends otherwise leaves of the exponential, with its uniform, the next stay in that
 * stream takes up. It is keyed by how many base events of the stream have been kept and by how many candidates have
 * been rejected since. Hazards common to all states have one draw a person; a state's excess has one exponential a
 * person, spent over all stays there. A lower hazard rejects base events with a mark keyed as the exponential; a higher
 * one adds a layer keyed by arc and stay. A prevention blocks base events with a mark; a blocked event may come all the
 * same, by an exponential of its own. Common hazards, timers, layers and relapses under way end a stay before its base
 * hazards are looked at, the excess after. */
#ifndef PK_TESTS_SLOW_LIFE_H
#define PK_TESTS_SLOW_LIFE_H

#include "polku/life.h"

/* treatment NULL: none. Fills all of life. Fails the test where a life has no end. A stay begins at the
 * tick that life `beside` gives its event where that is within one of this one's, so that rounding does not add up;
 * NULL: a life by itself. */
void slow_life_run(const struct pk_plan *plan, const struct pk_person *person, const struct pk_treatment *treatment,
                   const struct pk_life *beside, struct pk_life *life);

#endif
