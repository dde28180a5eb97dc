/* Lives by lanes against pk_life_run on small random models: whatever a model may say that lanes do, in any mixture. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "lived.h"
#include "support.h"

enum { MODELS = 300, PERSONS = 500 };

/* One model under way: lines of each section, from one generator. */
struct inventing {
    uint64_t lcg;
    struct pk_text parameters, transitions;
    size_t n_states, n_living, n_parameters, n_transitions, n_values[2], n_attributes;
};

static double uniform(struct inventing *inventing)
{
    return support_uniform(&inventing->lcg);
}

static size_t below(struct inventing *inventing, size_t n)
{
    return (size_t)(uniform(inventing) * (double)n);
}

static bool happens(struct inventing *inventing, double share)
{
    return uniform(inventing) < share;
}

/* Per year: mostly ordinary, sometimes 0, sometimes very often. */
static double invent_rate(struct inventing *inventing)
{
    const double u = uniform(inventing), v = uniform(inventing);
    return u < 0.15 ? 0 : u < 0.9 ? 1.4 * v : 30 * v * v;
}

static size_t invent_parameter(struct inventing *inventing, double value, const char *unit)
{
    pk_text_addf(&inventing->parameters, "  p%zu: {value: %.9g, unit: %s, source: {assumption: test}}\n",
                 inventing->n_parameters, value, unit);
    return inventing->n_parameters++;
}

/* Cuts ascend by irregular steps from where people are on the clock. */
static void add_cuts(struct inventing *inventing, size_t i_clock, size_t n_cuts)
{
    struct pk_text *text = &inventing->parameters;
    double at = i_clock == 0 ? 20 : 0;
    for (size_t i = 0; i < n_cuts; i++) {
        const double u = uniform(inventing), v = uniform(inventing);
        at += u < 0.3 ? 0.0001 + 0.01 * v : u < 0.6 ? 0.25 : 60 * v / (double)n_cuts + 0.001;
        pk_text_addf(text, "%s%.6f", i > 0 ? ", " : "", at);
    }
}

/* A rate, or a table on one of the first n_clocks clocks. */
static size_t invent_hazard(struct inventing *inventing, size_t n_clocks)
{
    static const char *const clocks[] = {"age", "since_start", "calendar", "time_in_state"};
    struct pk_text *text = &inventing->parameters;
    if (happens(inventing, 0.5))
        return invent_parameter(inventing, invent_rate(inventing), "per_year");
    const size_t i_clock = below(inventing, n_clocks);
    size_t n_cuts = 1 + below(inventing, happens(inventing, 0.15) ? 70 : 6);
    pk_text_addf(text, "  p%zu: {table: {clock: %s, cuts: [", inventing->n_parameters, clocks[i_clock]);
    if (i_clock == 2) {
        n_cuts = n_cuts < 11 ? n_cuts : 11;
        for (size_t i = 0; i < n_cuts; i++)
            pk_text_addf(text, "%s20%02zu-%02zu-01", i > 0 ? ", " : "", 21 + i, 1 + below(inventing, 12));
    } else {
        add_cuts(inventing, i_clock, n_cuts);
    }
    pk_text_addf(text, "], values: [");
    for (size_t i = 0; i <= n_cuts; i++)
        pk_text_addf(text, "%s%.6g", i > 0 ? ", " : "", invent_rate(inventing));
    pk_text_addf(text, "]}, unit: per_year, source: {assumption: test}}\n");
    return inventing->n_parameters++;
}

static void add_ratios(struct inventing *inventing)
{
    const size_t a = inventing->n_attributes > 0 ? below(inventing, inventing->n_attributes) : 0;
    if (inventing->n_attributes == 0 || happens(inventing, 0.5))
        return;
    const size_t p = invent_parameter(inventing, happens(inventing, 0.3) ? 0 : 0.2 + 2 * uniform(inventing), "ratio");
    pk_text_addf(&inventing->transitions, ", ratios: {x%zu: {v%zu: p%zu}}", a, below(inventing, inventing->n_values[a]),
                 p);
}

static void add_base_hazards(struct inventing *inventing)
{
    for (size_t s = 0; s < inventing->n_living; s++)
        for (size_t to = 0; to < inventing->n_states; to++)
            for (size_t k = 0; k < 2; k++) {
                if (to == s || happens(inventing, k == 0 ? 0.5 : 0.8))
                    continue;
                const size_t p = invent_hazard(inventing, 4);
                pk_text_addf(&inventing->transitions, "  t%zu: {from: s%zu, to: s%zu, hazard: p%zu",
                             inventing->n_transitions++, s, to, p);
                add_ratios(inventing);
                pk_text_addf(&inventing->transitions, "}\n");
            }
}

static void add_common_hazards(struct inventing *inventing)
{
    const size_t n = inventing->n_living < inventing->n_states ? below(inventing, 4) : 0;
    for (size_t k = 0; k < n; k++) {
        const size_t p = invent_hazard(inventing, 3),
                     few = invent_parameter(inventing, 0.05 + 0.1 * uniform(inventing), "ratio"),
                     to = inventing->n_living + below(inventing, inventing->n_states - inventing->n_living);
        pk_text_addf(&inventing->transitions, "  t%zu: {from: any, to: s%zu, hazard: [p%zu, p%zu], excess: {",
                     inventing->n_transitions++, to, p, few);
        for (size_t s = 0, n_excess = 0; s < inventing->n_living; s++)
            if (happens(inventing, 0.4))
                pk_text_addf(&inventing->transitions, "%ss%zu: p%zu", n_excess++ > 0 ? ", " : "", s,
                             invent_parameter(inventing, 1 + 8 * uniform(inventing), "ratio"));
        pk_text_addf(&inventing->transitions, "}");
        add_ratios(inventing);
        pk_text_addf(&inventing->transitions, "}\n");
    }
}

static void add_fixed_times(struct inventing *inventing)
{
    static const char *const clocks[] = {"age", "since_start", "time_in_state", "time_in_state"};
    for (size_t n = below(inventing, 4); n > 0; n--) {
        const size_t from = below(inventing, inventing->n_living), i_clock = below(inventing, 4),
                     to = (from + 1 + below(inventing, inventing->n_states - 1)) % inventing->n_states;
        const double u = uniform(inventing);
        pk_text_addf(&inventing->transitions, "  t%zu: {from: s%zu, to: s%zu, at: {clock: %s, value: p%zu}}\n",
                     inventing->n_transitions++, from, to, clocks[i_clock],
                     invent_parameter(inventing, i_clock == 0 ? 25 + 30 * u : 0.1 + 4 * u, "years"));
    }
}

/* The model's text; n_living of its states lead somewhere. */
static void invent_model(struct inventing *inventing, struct pk_text *model)
{
    inventing->n_states = 2 + below(inventing, 9);
    inventing->n_living = inventing->n_states - below(inventing, inventing->n_states < 4 ? 2 : 3);
    inventing->n_attributes = below(inventing, 3);
    pk_text_addf(model, "polku: 1\nmodel: m\nstates:\n");
    for (size_t s = 0; s < inventing->n_states; s++)
        if (s >= inventing->n_living)
            pk_text_addf(model, "  s%zu: {absorbing: true}\n", s);
        else if (s > 0 && happens(inventing, 0.25))
            pk_text_addf(model, "  s%zu: {stream: s%zu}\n", s, below(inventing, s));
        else
            pk_text_addf(model, "  s%zu: {}\n", s);
    for (size_t a = 0; a < inventing->n_attributes; a++) {
        inventing->n_values[a] = 2 + below(inventing, 3);
        pk_text_addf(model, "%s  x%zu: {values: [v0, v1%s%s]}\n", a == 0 ? "attributes:\n" : "", a,
                     inventing->n_values[a] > 2 ? ", v2" : "", inventing->n_values[a] > 3 ? ", v3" : "");
    }
    add_base_hazards(inventing);
    add_common_hazards(inventing);
    add_fixed_times(inventing);
    if (inventing->n_transitions == 0)
        pk_text_addf(&inventing->transitions, "  t: {from: s0, to: s1, hazard: p%zu}\n",
                     invent_parameter(inventing, 0.7, "per_year"));
    pk_text_addf(model, "parameters:\n%stransitions:\n%s", pk_text_string(&inventing->parameters),
                 pk_text_string(&inventing->transitions));
}

static void add_origin(struct inventing *inventing, struct pk_text *text, const char *indent)
{
    const size_t one = below(inventing, inventing->n_states), other = (one + 1) % inventing->n_states;
    if (happens(inventing, 0.3))
        pk_text_addf(text, "%sstate: {s%zu: 1}\n", indent, below(inventing, inventing->n_living));
    else
        pk_text_addf(text, "%sstate: {s%zu: 0.25, s%zu: 0.75}\n", indent, one, other);
    pk_text_addf(text, "%sage: {uniform: [18, 55]}\n%selapsed: {", indent, indent);
    if (happens(inventing, 0.5))
        pk_text_addf(text, "s%zu: {uniform: [0, 3]}", one);
    pk_text_addf(text, "}\n");
}

static void invent_population(struct inventing *inventing, struct pk_text *text)
{
    static const char *const shares[] = {"v0: 0.4, v1: 0.6", "v0: 0.4, v1: 0.5, v2: 0.1",
                                         "v0: 0.1, v1: 0.3, v2: 0.4, v3: 0.2"};
    add_origin(inventing, text, "  ");
    for (size_t a = 0; a < inventing->n_attributes; a++)
        pk_text_addf(text, "%s    x%zu: {%s}\n", a == 0 ? "  attributes:\n" : "", a,
                     shares[inventing->n_values[a] - 2]);
    if (happens(inventing, 0.4)) {
        pk_text_addf(text, "  inflow:\n    per_year: 50\n");
        add_origin(inventing, text, "    ");
    }
}

/* How much of it there was, so that no kind is missed unawares. */
struct seen {
    size_t n_events, n_axes, n_strata, n_common, n_excess, n_timers, n_inflow, n_streams, n_without, n_refused;
};

static void look_at(const struct pk_plan *plan, struct seen *seen)
{
    bool axes = false, timers = false, streams = false, without = false;
    for (size_t s = 0; s < plan->n_states; s++) {
        axes |= plan->states[s].n_axes > 1;
        timers |= plan->states[s].n_timers > 0;
        streams |= plan->states[s].stream != s;
        without |= !plan->states[s].absorbing && plan->states[s].n_axes == 0;
    }
    seen->n_axes += axes;
    seen->n_timers += timers;
    seen->n_streams += streams;
    seen->n_without += without;
    seen->n_strata += plan->n_strata > 1;
    seen->n_common += plan->n_person_hazards > 0;
    seen->n_excess += plan->n_excess > 0;
    seen->n_inflow += plan->inflow.n_years > 0;
}

static void hold_model(size_t i_model, struct seen *seen)
{
    struct inventing inventing = {.lcg = 7919 * (uint64_t)i_model + 1};
    struct pk_text model, population;
    struct support_world world;
    char what[32];
    pk_text_init(&model);
    pk_text_init(&population);
    pk_text_init(&inventing.parameters);
    pk_text_init(&inventing.transitions);
    for (size_t i = 0; i < 8; i++) /* seeds alike: the first numbers are, too */
        (void)uniform(&inventing);
    snprintf(what, sizeof what, "random model %zu", i_model);
    invent_model(&inventing, &model);
    invent_population(&inventing, &population);
    const struct support_scenario scenario = {.seed = 1000 + i_model,
                                              .persons = PERSONS,
                                              .horizon_months = (int)(6 + below(&inventing, 120)),
                                              .population = pk_text_string(&population)};
    support_open(&world, pk_text_string(&model), &scenario);
    look_at(&world.plan, seen);
    const struct lived_count count = lived_hold(&world.plan, what, PERSONS, 1 + below(&inventing, PERSONS));
    seen->n_events += count.n_events;
    seen->n_refused += count.n_refused;
    support_close(&world);
    pk_text_free(&model);
    pk_text_free(&population);
    pk_text_free(&inventing.parameters);
    pk_text_free(&inventing.transitions);
}

/* Every third model from one on: criterion runs tests side by side. */
static void hold_models(size_t first)
{
    struct seen seen = {0};
    for (size_t i = first; i < MODELS; i += 3)
        hold_model(i, &seen);
    cr_expect_gt(seen.n_events, (size_t)MODELS * PERSONS, "%zu events", seen.n_events);
    cr_expect(seen.n_axes > 15 && seen.n_strata > 15 && seen.n_common > 15 && seen.n_excess > 15 &&
                  seen.n_timers > 15 && seen.n_inflow > 15 && seen.n_streams > 15 && seen.n_without > 3,
              "of %d models: %zu with several clocks, %zu strata, %zu common hazards, %zu excess, %zu fixed times, "
              "%zu inflow, %zu shared streams, %zu states without base hazards",
              MODELS / 3, seen.n_axes, seen.n_strata, seen.n_common, seen.n_excess, seen.n_timers, seen.n_inflow,
              seen.n_streams, seen.n_without);
}

Test(lanes_random, lives_of_random_models_are_the_references_0)
{
    hold_models(0);
}

Test(lanes_random, lives_of_random_models_are_the_references_1)
{
    hold_models(1);
}

Test(lanes_random, lives_of_random_models_are_the_references_2)
{
    hold_models(2);
}
