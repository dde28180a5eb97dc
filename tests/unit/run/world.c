/* See world.h. */
#include "world.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "polku/lottery.h"

const char *const world_model =
    "polku: 1\nmodel: world\n"
    "states: {idle: {}, work: {}, ill: {}, dead: {absorbing: true}}\n"
    "attributes: {sex: {values: [woman, man]}, region: {values: [north, south]}}\n"
    "parameters:\n" PARAMETER("finding", "0.6123", "per_year") PARAMETER("losing", "0.3517", "per_year")
        PARAMETER("falling", "0.1871", "per_year") PARAMETER("healing", "0.5119", "per_year") PARAMETER(
            "dying", "0.0219", "per_year") PARAMETER("man_ratio", "1.3", "ratio") PARAMETER("wage", "31234.5", "euros")
            PARAMETER("benefit", "9123.25", "euros") PARAMETER("sick_pay", "12345.75", "euros") PARAMETER(
                "woman_pay", "0.8713", "ratio") PARAMETER("north_pay", "1.1137", "ratio")
                PARAMETER("training", "1523.5", "euros") PARAMETER("full_time", "0.7931", "share") PARAMETER(
                    "blocked", "0.4137",
                    "share") PARAMETER("interest", "0.0317",
                                       "share") PARAMETER("steep", "0.5", "share")
                    PARAMETER("dearer", "1.25", "ratio") PARAMETER("relapse", "0.23", "per_year") TABLE(
                        "by_age",
                        "age", "[30.25, 50]",
                        "[0.5, 1, 1.25]",
                        "ratio") "transitions:\n"
                                 "  find: {from: idle, to: work, hazard: finding, ratios: {sex: {man: man_ratio}}}\n"
                                 "  lose: {from: work, to: idle, hazard: losing}\n"
                                 "  fall: {from: [idle, work], to: ill, hazard: falling}\n"
                                 "  heal: {from: ill, to: idle, hazard: healing}\n"
                                 "  die: {from: any, to: dead, hazard: dying}\n"
                                 "services:\n"
                                 "  shield:\n    window: life\n"
                                 "    effects: [{transition: fall, prevent: {share: blocked, instead: stay, again: "
                                 "immune, relapse: relapse}}]\n"
                                 "rewards:\n"
                                 "  output: {unit: euros, payer: employer, per_person_year: {work: wage}, by_age: "
                                 "by_age,\n"
                                 "           ratios: {sex: {woman: woman_pay}, region: {north: north_pay}}}\n"
                                 "  benefits: {unit: euros, payer: state, kind: transfer, per_person_year: {idle: "
                                 "benefit, ill: sick_pay}}\n"
                                 "  courses: {unit: euros, payer: state, kind: cost, per_transition: {find: training, "
                                 "heal: training}}\n"
                                 "  htv: {unit: htv, per_person_year: {work: full_time}, ratios: {sex: {man: "
                                 "man_ratio}}}\n";

const char *const world_scenario =
    "polku: 1\nscenario: world\nmodel: model.yaml\nseed: 4711\nstart: 2021-01-01\nhorizon: {years: 8}\n"
    "replications: 3\nbatches: 12\n"
    "population:\n  size: 700\n  state: {idle: 0.5, work: 0.5}\n  age: {uniform: [22, 58]}\n"
    "  attributes: {sex: {woman: 0.45, man: 0.55}, region: {north: 0.3, south: 0.7}}\n"
    "  elapsed: {work: {uniform: [0, 3]}}\n"
    "  inflow: {per_year: 90, state: {idle: 1}, age: {uniform: [18, 31]}}\n"
    "arms:\n  none: {}\n"
    "  shield: {enrol: [{service: shield, share: 0.6, at: entry}], prices: {benefits: dearer, output: 1.0625}}\n"
    "tables:\n"
    "  - {name: stock, measure: occupancy, by: [sex, age], ages: [25, 40], step: {years: 2}}\n"
    "  - {name: years, measure: person_years, by: [age], ages: [30], step: {years: 4}}\n"
    "  - {name: moves, measure: transitions, by: [age], ages: [30], step: {years: 4}}\n"
    "outcomes:\n"
    "  output: {measure: reward, reward: output, from: {years: 0}, to: horizon}\n"
    "  output_women: {measure: reward, reward: output, from: {years: 1}, to: {years: 6}, among: {sex: woman}}\n"
    "  all: {measure: reward, rewards: [output, benefits, courses], from: {years: 0}, to: horizon,\n"
    "        discount: {rate: steep, as: continuous, from: 2024-07-01}}\n"
    "  benefits: {measure: reward, reward: benefits, from: {years: 2}, to: {years: 7}, discount: interest}\n"
    "  htv: {measure: person_years, states: [work, ill], reward: htv, from: {years: 0}, to: horizon}\n"
    "  courses: {measure: reward, reward: courses, from: {years: 1}, to: {years: 5}}\n"
    "  finds: {measure: transitions, states: [work], from: {years: 0}, to: horizon,\n"
    "          discount: {rate: steep, as: annual}}\n"
    "  work_years: {measure: person_years, states: [work], from: {years: 0}, to: horizon,\n"
    "               discount: {rate: steep, as: annual}}\n"
    "  cohort: {measure: person_years, states: [idle, work, ill], from: {years: 0}, to: horizon,\n"
    "           entrants: {from: {years: 1}, to: {years: 2}}}\n"
    "  stock: {measure: occupancy, states: [work], at: {years: 5}}\n"
    "  spells: {measure: spells, states: [idle, work], from: {years: 0}, to: {years: 6}}\n"
    "  later_spells: {measure: spells, states: [idle], from: {years: 3}, to: {years: 6}, among: {region: [north]}}\n"
    "  mean_spell: {measure: mean_spell, states: [work], from: {years: 0}, to: horizon}\n"
    "ledgers:\n  from: {years: 0}\n  to: horizon\n"
    "  discount: {cost: interest, effect: {rate: 0.02, as: continuous}, transfer: interest}\n"
    "histograms:\n"
    "  - {name: years_in_work, of: person_years, states: [work], from: {years: 1}, to: {years: 6}, by: [sex],\n"
    "     edges: [0, 0.5, 1, 2, 3, 4]}\n"
    "  - {name: spells, of: spells, states: [idle, work], from: {years: 0}, to: horizon, edges: [1, 2, 4, 8]}\n"
    "  - {name: jobs, of: spell_length, states: [work], from: {years: 0}, to: horizon, edges: [0.5, 1, 2, 4]}\n"
    "  - {name: illness, of: first_entry, states: [ill], to: {years: 5}, edges: [1, 2, 3, 4]}\n";

void world_each(const struct support_world *world, int64_t n_replications,
                void (*visit)(const struct world_life *life, void *data), void *data)
{
    const struct pk_plan *plan = &world->plan;
    struct pk_life *base = pk_alloc(1, sizeof *base), *with = pk_alloc(1, sizeof *with);
    cr_assert(base != NULL && with != NULL);
    for (uint32_t r = 0; r < n_replications; r++) {
        struct pk_crowd crowd;
        pk_crowd_make(plan, r, &crowd);
        for (uint64_t i = 0; i < crowd.n_persons; i++) {
            struct pk_person person;
            struct pk_error error;
            pk_person_make(plan, r, pk_crowd_id(&crowd, i), &person);
            uint64_t lotteries = pk_lottery_shares(plan, &person);
            cr_assert_eq(pk_life_run(plan, &person, NULL, base, &error), PK_OK);
            for (size_t a = 0; a < plan->n_arms; a++) {
                struct pk_enrolled items[PK_MAX_ENROLMENTS];
                struct pk_treatment treatment;
                bool treated = pk_lottery_treatment(plan, a, lotteries, &person, NULL, items, &treatment);
                if (treated)
                    cr_assert_eq(pk_life_run(plan, &person, &treatment, with, &error), PK_OK);
                struct world_life life = {.plan = plan,
                                          .person = &person,
                                          .base = base,
                                          .life = treated ? with : base,
                                          .i_arm = a,
                                          .treated = treated};
                visit(&life, data);
            }
        }
    }
    pk_free(base);
    pk_free(with);
}

double world_total(const struct pk_run *run, size_t i_population, size_t i_arm, const char *name, double *denominator)
{
    const struct pk_scenario *scenario = run->collection.scenario;
    const size_t n = scenario->n_outcomes, n_arms = scenario->n_arms;
    size_t i = 0;
    double sum = 0, below = 0;
    while (i < n && strcmp(scenario->outcomes[i].name, name) != 0)
        i++;
    cr_assert(i < n, "no outcome %s", name);
    for (size_t u = 0; u < run->fold.n_units; u++) {
        size_t cell = ((i_population * run->fold.n_units + u) * n_arms + i_arm) * n + i;
        sum += run->fold.outcomes[cell];
        below += run->fold.denominators == NULL ? 1 : run->fold.denominators[cell];
    }
    if (denominator != NULL)
        *denominator = below;
    return sum;
}

size_t world_stays(const struct world_life *life, struct world_stay *stays)
{
    const struct pk_life *l = life->life;
    int64_t begun = l->start_tick;
    size_t state = l->start_state;
    for (size_t i = 0; i <= l->n_events; i++) {
        bool ended = i < l->n_events;
        int64_t tick = ended ? l->events[i].tick : (int64_t)(life->plan->horizon * PK_TICKS_PER_MONTH);
        stays[i] = (struct world_stay){.i_state = state, .from = begun, .to = tick, .ended = ended};
        if (ended)
            state = life->plan->arcs[l->events[i].arc].i_to;
        begun = tick;
    }
    return l->n_events + 1;
}

double world_discounted(double force, double zero, double from, double to)
{
    if (to <= from)
        return 0;
    if (force == 0)
        return to - from;
    return exp(-force * (from - zero)) * -expm1(-force * (to - from)) / force;
}
