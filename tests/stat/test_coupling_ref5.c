/* How near arms and design points of the reference model stay on the same random numbers: variance of independent arms
 * over variance of the paired difference, employed person-years over 40 years, held to what the scheme is chosen for
 * (20 for HR 2.26 in coaching for life, 33 for 1.5 years, 171 for a job loss 10 % higher in the base, by inversion).
 *
 * From 2,000 batches a ratio is known to 4.5 %. Measured 21.5, 37.5 and 168; required 80 % of the above. A right engine
 * falls below by chance less than once in 10,000 seeds. */
#include <criterion/criterion.h>
#include <string.h>

#include "support.h"

enum { BATCHES = 2000, PERSONS = 500000 };

static void open_world(struct support_world *world, const char *window, const char *job_loss, size_t i_state)
{
    const struct pk_set sets[2] = {{"coaching_window", window}, {"employed_to_unemployed_rate", job_loss}};
    support_open_file(world, "ref5-coupling.yaml", sets, 2);
    for (size_t s = 0; s < world->model.n_states; s++)
        world->scenario.population.origin.state_shares[s].literal = s == i_state;
    world->scenario.arms[1].enrolments[0].by_share = true;
    world->scenario.arms[1].enrolments[0].persons = (struct pk_number){.literal = 1, .i_parameter = SIZE_MAX};
    world->scenario.batches = BATCHES;
    world->scenario.n_tables = 0;
    support_change(world, 0, PERSONS);
}

/* Variance over units of a, or of a - b. */
static double variance(const double *a, const double *b, size_t n, size_t stride)
{
    double sum = 0, squares = 0;
    for (size_t u = 0; u < n; u++) {
        double x = a[u * stride] - (b != NULL ? b[u * stride] : 0);
        sum += x;
        squares += x * x;
    }
    return (squares - sum * sum / (double)n) / (double)(n - 1);
}

static const double *outcomes_of(const struct pk_run *run, size_t i_arm, const char *name, size_t *stride)
{
    const struct pk_scenario *scenario = run->collection.scenario;
    size_t i = 0;
    while (strcmp(scenario->outcomes[i].name, name) != 0)
        i++;
    *stride = scenario->n_arms * scenario->n_outcomes;
    return run->fold.outcomes + i_arm * scenario->n_outcomes + i;
}

static double ratio_of_arms(const char *window, size_t i_state)
{
    struct support_world world;
    struct pk_run run;
    size_t stride;
    open_world(&world, window, "0.2", i_state);
    support_run(&world, NULL, &run);
    const double *base = outcomes_of(&run, 0, "employed_40", &stride);
    const double *with = outcomes_of(&run, 1, "employed_40", &stride);
    double ratio = (variance(base, NULL, BATCHES, stride) + variance(with, NULL, BATCHES, stride)) /
                   variance(with, base, BATCHES, stride);
    pk_run_free(&run);
    support_close(&world);
    return ratio;
}

Test(coupling_ref5, coaching_raised_for_life_keeps_its_ratio)
{
    double ratio = ratio_of_arms("life", 0);
    cr_expect_geq(ratio, 0.8 * 20, "%.1f", ratio);
}

Test(coupling_ref5, coaching_raised_for_a_year_and_a_half_keeps_its_ratio)
{
    double ratio = ratio_of_arms("1.5", 1);
    cr_expect_geq(ratio, 0.8 * 33, "%.1f", ratio);
}

Test(coupling_ref5, a_design_point_moves_the_base_by_inversion)
{
    struct support_world worlds[2];
    struct pk_run runs[2];
    const double *of[2];
    size_t stride;
    for (size_t i = 0; i < 2; i++) {
        open_world(&worlds[i], "1.5", i == 0 ? "0.2" : "0.22", 0);
        support_run(&worlds[i], NULL, &runs[i]);
        of[i] = outcomes_of(&runs[i], 0, "employed_40", &stride);
    }
    double ratio = (variance(of[0], NULL, BATCHES, stride) + variance(of[1], NULL, BATCHES, stride)) /
                   variance(of[0], of[1], BATCHES, stride);
    cr_expect_geq(ratio, 0.8 * 171, "%.1f", ratio);
    for (size_t i = 0; i < 2; i++) {
        pk_run_free(&runs[i]);
        support_close(&worlds[i]);
    }
}
