/* Places without memory: a run fails in words, at whatever allocation, and leaves nothing behind. */
#include <criterion/criterion.h>

#include "polku/enrolled.h"
#include "polku/memory.h"
#include "support.h"

static struct support_world world;

/* Everything that the good scenario of places does, with fewer people. */
static void open_world(void)
{
    support_open_file(&world, "../tests/data/good/places.yaml", NULL, 0);
    support_change(&world, 0, 150);
}

/* Runs with every allocation after the n-th refused; true where that was enough. */
static bool run_with(long n, int n_threads, bool *refused)
{
    const struct pk_run_options options = {.n_threads = n_threads, .n_replications = n_threads == 1 ? 1 : 3};
    struct pk_run run;
    struct pk_error error;
    (void)pk_memory_fail_after(n);
    enum pk_status status =
        pk_run_simulate(&run, &world.plan, &world.model, &world.scenario, &world.values, &options, &error);
    (void)pk_memory_fail_after(-1);
    if (status == PK_OK)
        pk_run_free(&run);
    else
        cr_assert(status == PK_NO_MEMORY && error.message[0] != '\0', "%ld allocations: %d, %s", n, (int)status,
                  error.message);
    *refused |= status != PK_OK;
    return status == PK_OK;
}

Test(places_faults, every_allocation_of_a_run_may_fail)
{
    bool refused = false;
    long n = 0;
    open_world();
    while (!run_with(n, 1, &refused)) /* a few thousand of them: each one at first, then some */
        n += n < 300 ? 1 : 17;
    cr_expect(refused && n > 300, "%ld allocations", n);
    n = 0;
    while (!run_with(n, 2, &refused))
        n += 23;
    support_close(&world);
}

Test(places_faults, every_allocation_of_who_is_enrolled_may_fail)
{
    long n = 0;
    open_world();
    for (;; n += n < 200 ? 1 : 13) {
        struct pk_people_enrolled enrolled;
        struct pk_error error;
        (void)pk_memory_fail_after(n);
        enum pk_status status = pk_people_enrol(&enrolled, &world.plan, 0, 1, &error);
        (void)pk_memory_fail_after(-1);
        if (status == PK_OK) {
            pk_people_enrolled_free(&enrolled);
            break;
        }
        cr_assert_eq(status, PK_NO_MEMORY);
    }
    cr_expect_gt(n, 50);
    support_close(&world);
}
