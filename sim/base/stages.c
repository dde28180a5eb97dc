/* Names of stages. See stages.h. */
#include "polku/stages.h"

const char *const pk_stage_names[PK_STAGE_COUNT] = {"people", "draw",  "choose", "common",
                                                    "move",   "tally", "places", "lives"};
