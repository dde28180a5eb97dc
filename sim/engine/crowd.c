/* Who there is in one replication. See person.h. */
#include <math.h>

#include "polku/person.h"
#include "polku/rng.h"
#include "polku/special.h"

static uint64_t entrants(const struct pk_plan *plan, uint32_t replication, size_t year)
{
    double mean = plan->inflow.mean[year], whole = floor(mean);
    struct pk_rng_key key = {
        .seed = plan->seed, .replication = replication, .stream = (uint32_t)year, .role = PK_ROLE_INFLOW};
    if (!plan->inflow.poisson && mean == whole)
        return (uint64_t)whole;
    double u = pk_rng_uniforms(&key).first;
    uint64_t n =
        plan->inflow.poisson ? pk_special_poisson_quantile(mean, u) : (uint64_t)whole + (uint64_t)(u < mean - whole);
    PK_ASSERT(n < UINT64_C(1) << 32); /* means are at most 10^9, and u is at most 1 - 2^-53 */
    return n;
}

void pk_crowd_make(const struct pk_plan *plan, uint32_t replication, struct pk_crowd *crowd)
{
    crowd->n_years = plan->inflow.n_years;
    crowd->first[0] = plan->n_persons;
    for (size_t y = 0; y < crowd->n_years; y++)
        crowd->first[y + 1] = crowd->first[y] + entrants(plan, replication, y);
    crowd->n_persons = crowd->first[crowd->n_years];
}

uint64_t pk_crowd_id(const struct pk_crowd *crowd, uint64_t index)
{
    PK_ASSERT(index < crowd->n_persons);
    if (index < crowd->first[0])
        return index;
    size_t low = 0, high = crowd->n_years; /* first[low] <= index < first[high] */
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (crowd->first[middle] <= index)
            low = middle;
        else
            high = middle;
    }
    return ((uint64_t)low + 1) << 32 | (index - crowd->first[low]);
}

void pk_crowd_ids(const struct pk_crowd *crowd, uint64_t first, uint64_t step, size_t n, uint64_t *ids)
{
    size_t i = 0;
    for (; i < n && first + i * step < crowd->first[0]; i++)
        ids[i] = first + i * step;
    for (; i < n; i++)
        ids[i] = pk_crowd_id(crowd, first + i * step);
}
