/* What the parts of slow places share: stations, where what is counted is so person by person, and the spending of
 * exponentials. See slow_places.h. */
#ifndef PK_TESTS_SLOW_STATION_H
#define PK_TESTS_SLOW_STATION_H

#include "polku/rng.h"
#include "slow_places.h"

enum { SLOW_DEPART, SLOW_CAPACITY, SLOW_REQUEST }; /* in the order of what happens at the same tick */

void slow_station_open(struct slow_places *twin);
/* Whoever still waits or has a place does so up to the horizon. */
void slow_station_close(struct slow_places *twin);
struct slow_station *slow_station_of(const struct slow_places *twin, size_t i_service, const struct pk_person *person);
/* How many places could be given now. */
uint64_t slow_station_free(const struct slow_places *twin, const struct slow_station *station);
/* Whether no place will be given any more: there is none and will be none, or each was filled once. */
bool slow_station_is_closed(const struct slow_places *twin, const struct slow_station *station);
struct slow_thing slow_station_next_change(const struct slow_places *twin);
void slow_station_change(struct slow_places *twin, struct slow_station *station);
void slow_station_note(struct slow_places *twin, const struct slow_station *station, enum pk_queue_count what);
/* A wait, or a time in a place, ends now. */
void slow_station_end(struct slow_places *twin, struct slow_station *station, const struct slow_want *want);
void slow_station_serve(struct slow_places *twin, struct slow_station *station, int64_t waited);

/* ---- slow_held.c ------------------------------------------------------------------------------------------------ */

struct pk_rng_pair slow_draw_of(const struct pk_plan *plan, const struct pk_person *person, size_t stream,
                                enum pk_rng_role role, size_t spell, size_t candidate);
/* Where a rate's clock reads 0, in the first stay or a later one. */
long double slow_zero_of(const struct pk_rate *rate, const struct pk_person *person,
                         const struct pk_treatment *treatment, const struct slow_stay *stay, bool first,
                         long double enrolled);
/* When an exponential is used up on one hazard; infinite with what is left of it where it is not before until. */
long double slow_spend_one(const struct pk_rate *rate, long double zero, long double *left, long double from,
                           long double until);

#endif
