/* What the stages of a simulation cost, where somebody asks. Never part of a result. */
#ifndef PK_STAGES_H
#define PK_STAGES_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum pk_stage {
    PK_STAGE_PEOPLE, /* attributes, ages, who is enrolled */
    PK_STAGE_DRAW,   /* keyed random numbers and their logarithms, for base hazards */
    PK_STAGE_CHOOSE, /* when, and which of the competing hazards */
    PK_STAGE_COMMON, /* hazards common to all states, their excess, fixed times */
    PK_STAGE_MOVE,   /* to the tick, into the log, on to the next state; the next person */
    PK_STAGE_TALLY,
    PK_STAGE_PLACES, /* who gets a place, and when: the calendar */
    PK_STAGE_LIVES,  /* lives put together; lives one after another; lives in the arms */
    PK_STAGE_COUNT
};
extern const char *const pk_stage_names[PK_STAGE_COUNT];

struct pk_stages {
    bool on;
    uint64_t spent[PK_STAGE_COUNT]; /* in ticks of the processor's clock */
    uint64_t n_calendar; /* decisions of calendars (requests, places given, departures) and transitions in between */
};

/* Nanoseconds, and seconds, from an arbitrary origin. */
uint64_t pk_nanoseconds_now(void);
double pk_seconds_now(void);

static inline uint64_t pk_stages_now(void)
{
#if defined(__x86_64__)
    return __builtin_ia32_rdtsc();
#else
    return pk_nanoseconds_now();
#endif
}

/* The time since *since belongs to the stage. */
static inline void pk_stages_lap(struct pk_stages *stages, uint64_t *since, enum pk_stage stage)
{
    if (!stages->on)
        return;
    const uint64_t now = pk_stages_now();
    stages->spent[stage] += now - *since;
    *since = now;
}

#ifdef __cplusplus
}
#endif
#endif
