/* The bins that times in line are counted in. */
#include <criterion/criterion.h>
#include <math.h>

#include "polku/places.h"

static int64_t ticks_of(double days)
{
    return (int64_t)rint(days * 12 / 365.25 * PK_TICKS_PER_MONTH);
}

Test(queues, bins_are_a_day_wide_up_to_two_years_and_a_hundredth_beyond)
{
    cr_expect(pk_queues_wait_edge(0) == 0 && pk_queues_wait_edge(1) == 1);
    for (size_t i = 1; i < PK_WAIT_EDGES; i++) {
        const double low = pk_queues_wait_edge(i - 1), high = pk_queues_wait_edge(i);
        cr_expect(high > low && (high - low <= 1 || (low >= 728 && high - low <= 0.01 * low)), "%g to %g days", low,
                  high);
    }
    cr_expect(pk_queues_wait_edge(PK_WAIT_EDGES - 1) > 100 * 365.25);
}

Test(queues, a_wait_is_in_the_bin_that_ends_at_or_after_it)
{
    cr_expect_eq(pk_queues_wait_bin(0), 0);
    cr_expect_eq(pk_queues_wait_bin(1), 1);
    for (size_t i = 1; i < PK_WAIT_EDGES; i++) {
        const double middle = (pk_queues_wait_edge(i - 1) + pk_queues_wait_edge(i)) / 2;
        cr_expect_eq(pk_queues_wait_bin(ticks_of(middle)), i, "%g days are in bin %zu, not %zu", middle,
                     pk_queues_wait_bin(ticks_of(middle)), i);
        cr_expect_eq(pk_queues_wait_bin(ticks_of(pk_queues_wait_edge(i)) - 1), i);
        cr_expect_eq(pk_queues_wait_bin(ticks_of(pk_queues_wait_edge(i)) + 1), i + 1);
    }
    cr_expect_eq(pk_queues_wait_bin(ticks_of(1461)), 728 + 105, "104.7 weeks after the first 104");
    cr_expect_eq(pk_queues_wait_bin(ticks_of(400 * 365.25)), PK_WAIT_EDGES);
}
