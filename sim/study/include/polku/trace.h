/* One person's life in every arm as a story to read: what happened when, and what had a part in it. */
#ifndef PK_TRACE_H
#define PK_TRACE_H

#include "polku/lottery.h"
#include "polku/text.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Errors: PK_BAD_INPUT (no such person in the replication, the ids there are are said), those of a life. */
PK_CHECKED enum pk_status pk_trace_person(const struct pk_plan *plan, const struct pk_model *model,
                                          const struct pk_scenario *scenario, uint32_t replication, uint64_t id,
                                          size_t language, struct pk_text *text, struct pk_error *error);

#ifdef __cplusplus
}
#endif
#endif
