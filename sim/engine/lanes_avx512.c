/* Many lives at once, for AVX-512. See lanes_kernel.h. */
#ifdef PK_LANES_X86
#include "lanes_kernel.h"

const struct pk_lane_ops pk_lane_ops_avx512 = PK_LANE_OPS;
#else
typedef int pk_no_avx512; /* an empty file is no C */
#endif
