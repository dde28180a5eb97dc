/* What a plan holds, against the file it was compiled from. */
#include <criterion/criterion.h>
#include <math.h>

#include "support.h"

Test(plan, times_are_rounded_to_the_nearest_tick_and_ties_to_even)
{
    uint64_t lcg = 5;
    for (int i = 0; i < 200000; i++) {
        double months = (support_uniform(&lcg) - 0.3) * (i % 3 == 0 ? 2e9 : i % 3 == 1 ? 600 : 1e-5);
        cr_assert(pk_tick_round(months) == nearbyint(months * 1048576) / 1048576, "%a", months);
    }
    for (int64_t k = -2000; k < 2000; k++) { /* exactly between two ticks */
        double between = ((double)k + 0.5) * 0x1p-20, even = (double)(k % 2 == 0 ? k : k + 1) * 0x1p-20;
        cr_assert(pk_tick_round(between) == even, "%a", between);
        cr_assert(pk_tick_round((double)k * 0x1p-20) == (double)k * 0x1p-20);
    }
}

Test(plan, segment_is_the_number_of_cuts_at_or_below)
{
    const double cuts[7] = {-3.5, 0, 0.25, 1, 17.385, 17.386, 400};
    for (size_t n = 0; n <= 7; n++)
        for (double x = -5; x < 420; x += 0.125) {
            size_t expected = 0;
            for (size_t i = 0; i < n; i++)
                expected += cuts[i] <= x;
            cr_assert_eq(pk_rate_segment(cuts, n, x), expected);
        }
}

#define MODEL                                                                                                          \
    "polku: 1\nmodel: m\nstates:\n  a: {}\n  b: {}\n  c: {absorbing: true}\n"                                          \
    "attributes:\n  sex: {values: [f, m]}\n  place: {values: [x, y, z]}\n  kind: {values: [p, q, r]}\n"                \
    "parameters:\n" PARAMETER("plain", "0.6", "per_year") PARAMETER("other", "0.9", "per_year")                        \
        TABLE("s1", "time_in_state", "[0.5, 1.25]", "[0.83, 0.21, 1.17]",                                              \
              "per_year") TABLE("s2", "time_in_state", "[0.25, 1.25, 3]", "[2, 1, 0.5, 0.3]",                          \
                                "ratio") TABLE("age", "age", "[30, 50]", "[0.1, 0.2, 0.4]", "per_year")                \
            TABLE("dates", "calendar", "[2021-07-01, 2022-03-01]", "[1, 2, 3]", "ratio")                               \
                PARAMETER("men", "1.3", "ratio") PARAMETER("of_q", "0.7", "ratio") PARAMETER("of_r", "2.1", "ratio")   \
                    PARAMETER("old", "65", "years") PARAMETER("to_b", "0.3", "share")                                  \
                        PARAMETER("to_c", "0.7",                                                                       \
                                  "share") "transitions:\n"                                                            \
                                           "  ab: {from: a, to: b, hazard: s1}\n"                                      \
                                           "  split: {from: a, to: {b: to_b, c: to_c}, hazard: [other, s2], ratios: "  \
                                           "{sex: {m: men}, kind: {q: of_q, r: of_r}}}\n"                              \
                                           "  plain: {from: [a, b], to: c, hazard: plain, ratios: {sex: {m: men}}}\n"  \
                                           "  aged: {from: a, to: b, hazard: age}\n"                                   \
                                           "  dated: {from: b, to: a, hazard: [plain, dates]}\n"                       \
                                           "  old: {from: any, to: c, at: {clock: age, value: old}}\n"

static const struct support_scenario scenario = {
    .seed = 91,
    .persons = 10,
    .horizon_months = 120,
    .population = "  state: {a: 1}\n  age: {fixed: 40}\n  attributes: {sex: {f: 0.5, m: 0.5}, place: {x: 1}, kind: {p: "
                  "0.2, q: 0.3, r: 0.5}}\n"};

/* A transition's hazard a year in the file's own terms. */
static double in_file(const struct pk_model *model, const struct pk_plan_arc *arc, double years_on_clock)
{
    const struct pk_transition *transition = &model->transitions[arc->i_transition];
    double product = 1;
    for (size_t i = 0; i < transition->hazard.n_factors; i++) {
        const struct pk_parameter *parameter = &model->parameters[transition->hazard.i_factors[i]];
        size_t k = 0;
        while (k + 1 < parameter->n_values && parameter->cuts[k] <= years_on_clock)
            k++;
        product *= parameter->values[k];
    }
    for (size_t d = 0; d < transition->n_to; d++)
        if (transition->i_to[d] == arc->i_to && transition->i_to_share[d] != SIZE_MAX)
            product *= model->parameters[transition->i_to_share[d]].values[0];
    return product;
}

Test(plan, axes_hold_every_arcs_hazard_on_the_union_of_their_cuts)
{
    struct support_world world;
    size_t n_axes = 0, n_arcs = 0;
    support_open(&world, MODEL, &scenario);
    const struct pk_plan_state *state = &world.plan.states[0];
    cr_assert_eq(state->n_axes, 2);
    for (size_t x = 0; x < state->n_axes; x++) {
        const struct pk_axis *axis = &state->axes[x];
        if (axis->clock == PK_CLOCK_STATE) { /* 0.25, 0.5, 1.25, 3 years */
            const double cuts[4] = {3, 6, 15, 36};
            cr_assert_eq(axis->n_cuts, 4);
            cr_assert_arr_eq(axis->cuts, cuts, sizeof cuts);
        }
        n_axes++;
        n_arcs += axis->n_arcs;
        for (size_t segment = 0; segment <= axis->n_cuts; segment++) {
            double low = segment == 0 ? 0 : axis->cuts[segment - 1];
            double high = segment == axis->n_cuts ? low + 24 : axis->cuts[segment], middle = (low + high) / 24;
            double sum[2] = {0};
            for (size_t k = 0; k < axis->n_arcs; k++) {
                const struct pk_plan_arc *arc = &world.plan.arcs[axis->arcs[k]];
                double expected = in_file(&world.model, arc, middle);
                cr_expect_float_eq(axis->levels[segment * axis->n_arcs + k] * 12, expected, 1e-14);
                cr_expect_float_eq(pk_rate_at(pk_plan_arc_rate(arc, 0), middle * 12) * 12, expected, 1e-14);
                for (uint32_t z = 0; z < 2 && axis->sums != NULL; z++) { /* running sums by stratum */
                    sum[z] += expected * world.plan.multipliers[z * world.plan.n_arcs + axis->arcs[k]] / 12;
                    cr_expect_float_eq(axis->sums[(z * (axis->n_cuts + 1) + segment) * axis->n_arcs + k], sum[z],
                                       1e-14);
                }
            }
        }
    }
    cr_expect_eq(n_arcs, 5); /* ab, split to b, split to c, plain, aged */
    support_close(&world);
}

/* sex and kind enter hazards, place does not: 2 x 3 strata. */
Test(plan, strata_cross_the_attributes_that_enter_a_hazard)
{
    struct support_world world;
    static const double of_kind[3] = {1, 0.7, 2.1}, of_sex[2] = {1, 1.3};
    support_open(&world, MODEL, &scenario);
    cr_assert_eq(world.plan.n_strata, 6);
    cr_expect_eq(world.plan.stratum_strides[1], 0);
    for (size_t sex = 0; sex < 2; sex++)
        for (size_t kind = 0; kind < 3; kind++) {
            size_t stratum = sex * world.plan.stratum_strides[0] + kind * world.plan.stratum_strides[2];
            for (size_t a = 0; a < world.plan.n_arcs; a++) {
                size_t t = world.plan.arcs[a].i_transition;
                double expected = t == pk_model_transition(&world.model, "split")   ? of_sex[sex] * of_kind[kind]
                                  : t == pk_model_transition(&world.model, "plain") ? of_sex[sex]
                                                                                    : 1;
                cr_expect_float_eq(world.plan.multipliers[stratum * world.plan.n_arcs + a], expected, 1e-15);
            }
        }
    support_close(&world);
}

/* From 1 January 2021: 1 July 6 months on, 1 March of the next year 14. */
Test(plan, calendar_cuts_are_folded_into_time_since_the_start)
{
    struct support_world world;
    support_open(&world, MODEL, &scenario);
    const struct pk_plan_state *b = &world.plan.states[1];
    cr_assert_eq(b->n_axes, 1);
    cr_expect_eq(b->axes[0].clock, PK_CLOCK_START);
    cr_assert_eq(b->axes[0].n_cuts, 2);
    cr_expect_float_eq(b->axes[0].cuts[0], 6, 1e-6);
    cr_expect_float_eq(b->axes[0].cuts[1], 14, 1e-6);
    cr_assert_eq(b->n_timers, 1);
    cr_expect(b->timers[0].value == 780);
    cr_expect_eq(world.plan.arcs[b->timers[0].arcs[0]].i_to, 2);
    support_close(&world);
}

Test(plan, digest_tells_plans_apart_and_the_same_plan_again)
{
    struct support_world world;
    struct pk_error error;
    support_open(&world, MODEL, &scenario);
    uint64_t first = pk_plan_digest(&world.plan);
    support_change(&world, 0, 0);
    cr_expect_eq(pk_plan_digest(&world.plan), first);
    support_change(&world, 92, 0);
    cr_expect_neq(pk_plan_digest(&world.plan), first);
    support_change(&world, 91, 11);
    cr_expect_neq(pk_plan_digest(&world.plan), first);
    support_change(&world, 91, 10);
    cr_expect_eq(pk_plan_digest(&world.plan), first);
    for (size_t i = 0; i < world.model.n_parameters; i++) { /* every parameter that is not a table */
        double before = world.values.used[i];
        if (world.model.parameters[i].n_values > 1)
            continue;
        world.values.used[i] = before * (1 + 0x1p-40);
        cr_assert_eq(pk_plan_compile(&world.plan, &world.model, &world.scenario, &world.values, &error), PK_OK);
        /* a time moves by ticks only */
        cr_expect(pk_plan_digest(&world.plan) != first || world.model.parameters[i].unit == PK_UNIT_YEARS, "%s",
                  world.model.parameters[i].name);
        world.values.used[i] = before;
    }
    support_close(&world);
}

#define SERVED                                                                                                         \
    "polku: 1\nmodel: m\nstates:\n  a: {}\n  b: {}\n  c: {absorbing: true}\nattributes:\n  sex: {values: [f, m]}\n"    \
    "parameters:\n" PARAMETER("plain", "0.6", "per_year") PARAMETER("other", "0.9", "per_year") PARAMETER(             \
        "own", "0.9", "per_year") PARAMETER("years", "1.5", "years") PARAMETER("men", "1.3", "ratio")                  \
        PARAMETER("to_b", "0.3", "share") PARAMETER(                                                                   \
            "to_c", "0.7",                                                                                             \
            "share") "transitions:\n"                                                                                  \
                     "  ab: {from: a, to: b, hazard: other}\n"                                                         \
                     "  split: {from: a, to: {b: to_b, c: to_c}, hazard: other, ratios: {sex: {m: men}}}\n"            \
                     "  plain: {from: [a, b], to: c, hazard: plain}\n"                                                 \
                     "  aged: {from: a, to: b, hazard: other}\n"                                                       \
                     "services:\n"                                                                                     \
                     "  s: {window: years, effects: [{transition: aged, prevent: {share: to_b, instead: stay, again: " \
                     "at_risk}}, {transition: ab, replace: own}, {transition: split, at_least: [own, men]}]}\n"        \
                     "  t: {window: years, effects: [{transition: aged, prevent: {share: to_b, instead: stay, again: " \
                     "at_risk}}, {transition: split, scale: men}, {transition: plain, replace: plain}]}\n"

/* A changed value leaves a plan that is another's, table for table, which was compiled with it from the start: where
 * services' own hazards alone read the value (own), and where more does (men, plain). */
Test(plan, recompiled_plan_is_the_one_compiled_with_the_value)
{
    static const char *const changed[] = {"own", "men", "plain", "own", "to_b", "own"};
    static const double to[] = {0.37, 1.7, 0.81, 2.385, 0.3, 0};
    struct support_scenario enrolled = scenario;
    struct support_world world;
    struct pk_plan fresh;
    struct pk_error error;
    enrolled.population = "  state: {a: 1}\n  attributes: {sex: {f: 0.5, m: 0.5}}\n";
    enrolled.arms = "  base: {}\n  s: {enrol: [{service: s, persons: 4}]}\n";
    support_open(&world, SERVED, &enrolled);
    pk_plan_init(&fresh);
    cr_expect_not(world.plan.widely_read[pk_model_parameter(&world.model, "own")]);
    for (size_t i = 0; i < 3; i++)
        cr_expect(world.plan.widely_read[pk_model_parameter(&world.model, i == 0 ? "men" : i == 1 ? "plain" : "to_b")]);
    for (size_t i = 0; i < sizeof to / sizeof *to; i++) {
        const uint64_t before = pk_plan_digest(&world.plan);
        const size_t i_parameter = pk_model_parameter(&world.model, changed[i]);
        const bool other = world.values.used[i_parameter] != to[i];
        world.values.used[i_parameter] = to[i];
        cr_assert_eq(pk_plan_recompile(&world.plan, &world.model, &world.scenario, &world.values, i_parameter, &error),
                     PK_OK);
        cr_assert_eq(pk_plan_compile(&fresh, &world.model, &world.scenario, &world.values, &error), PK_OK);
        cr_expect_eq(pk_plan_digest(&world.plan), pk_plan_digest(&fresh), "%s", changed[i]);
        cr_expect_eq(pk_plan_digest(&world.plan) != before, other, "%s", changed[i]);
        for (size_t v = 0; v < world.plan.n_services; v++) { /* the digest leaves out services that nobody is in */
            const struct pk_plan_service *a = &world.plan.services[v], *b = &fresh.services[v];
            cr_assert_eq(a->n_effects, b->n_effects);
            for (size_t k = 0; k < a->n_effects; k++) {
                cr_assert_eq(a->effects[k].arc, b->effects[k].arc);
                cr_assert_eq(a->effects[k].mode, b->effects[k].mode);
                cr_assert_eq(a->effects[k].n_rates, b->effects[k].n_rates);
                for (size_t r = 0; r < a->effects[k].n_rates; r++)
                    cr_expect_eq(a->effects[k].rates[r].levels[0], b->effects[k].rates[r].levels[0]);
            }
        }
        /* in the file's own terms: per month, of the split to b its share of it, men's ratio a factor */
        const struct pk_plan_service *s = &world.plan.services[0];
        const double own = world.values.used[pk_model_parameter(&world.model, "own")];
        const double men = world.values.used[pk_model_parameter(&world.model, "men")];
        for (size_t k = 0; k < s->n_effects; k++) {
            const size_t t = world.plan.arcs[s->effects[k].arc].i_transition;
            const bool to_b = world.plan.arcs[s->effects[k].arc].i_to == 1;
            if (t == pk_model_transition(&world.model, "ab"))
                cr_expect_float_eq(s->effects[k].rates[0].levels[0] * 12, own, 1e-14);
            if (t == pk_model_transition(&world.model, "split"))
                cr_expect_float_eq(s->effects[k].rates[0].levels[0] * 12, own * men * (to_b ? 0.3 : 0.7), 1e-14);
        }
    }
    pk_plan_free(&fresh);
    support_close(&world);
}
