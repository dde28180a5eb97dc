/* Names of stages, and the clock. See stages.h. */
#include "polku/stages.h"

#include <time.h>

const char *const pk_stage_names[PK_STAGE_COUNT] = {"people", "draw",  "choose", "common",
                                                    "move",   "tally", "places", "lives"};

uint64_t pk_nanoseconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

double pk_seconds_now(void)
{
    return 1e-9 * (double)pk_nanoseconds_now();
}
