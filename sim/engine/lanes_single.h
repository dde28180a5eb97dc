/* What lanes do one after another, between the loops of a round. Not installed.
 *
 * Which states, hazards and fixed times these are is in the tables. */
#ifndef PK_LANES_SINGLE_H
#define PK_LANES_SINGLE_H

#include "lanes_private.h"

/* When the k-th common hazard strikes each of the block; times holds their exponentials before. */
void pk_lanes_common_single(const struct pk_lane_tables *tables, size_t k, const struct pk_persons *persons,
                            double *times);
/* Which stay in its state each lane begins. */
void pk_lanes_count_stays(struct pk_lanes *lanes);
/* Whether the i-th lane's spell is cured of an arc whose cure is a spell's. */
bool pk_lanes_cured_now(const struct pk_lanes *lanes, size_t i, size_t i_arc);
/* The base hazards of lanes in states whose hazards are not summed. */
void pk_lanes_base_single(struct pk_lanes *lanes);
/* What is above a common hazard that is parametric, or a person's own, in one state. */
void pk_lanes_excess_single(struct pk_lanes *lanes, const struct pk_lane_excess *of, size_t i_state);
/* Where those go whose fixed time has come. */
void pk_lanes_split(struct pk_lanes *lanes);

#endif
