/* Many lives at once, for any processor. See lanes_kernel.h. */
#include "lanes_kernel.h"

const struct pk_lane_ops pk_lane_ops_plain = PK_LANE_OPS;
