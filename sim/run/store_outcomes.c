/* Outcomes and variants into a result file. See store.h. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "store_private.h"

const char *pk_store_unit_of(const struct pk_model *model, const struct pk_outcome *outcome)
{
    const bool heads = outcome->measure == PK_MEASURE_OCCUPANCY || outcome->measure == PK_MEASURE_FIRST_ENTRY;
    if (outcome->per_person && heads)
        return "share";
    if (outcome->per_person && outcome->measure == PK_MEASURE_PERSON_YEARS && outcome->i_reward == SIZE_MAX)
        return "years";
    switch (outcome->measure) {
    case PK_MEASURE_PERSON_YEARS:
        return outcome->i_reward == SIZE_MAX ? "person-years" : model->rewards[outcome->i_reward].unit;
    case PK_MEASURE_TRANSITIONS:
        return "events";
    case PK_MEASURE_SPELLS:
        return "spells";
    case PK_MEASURE_MEAN_SPELL:
    case PK_MEASURE_MEAN_AGE:
        return "years";
    case PK_MEASURE_REWARD:
        for (size_t i = 0; i < model->n_rewards; i++)
            if (outcome->rewards[i])
                return model->rewards[i].unit;
        return "";
    default:
        return "persons";
    }
}

/* Whom each outcome is about, where people flow in: a stock of all who are there, or a cohort of those who came in
 * some year, followed from then on. Never to be mixed. */
static void put_people(struct pk_out *out, const struct pk_store *store, const char **texts)
{
    const struct pk_scenario *scenario = store->scenario;
    const char *dim = "outcome";
    const size_t n = scenario->n_outcomes;
    char(*abouts)[128] = pk_out_room(out, n, sizeof *abouts);
    for (size_t i = 0; abouts != NULL && i < n; i++) {
        const struct pk_outcome *outcome = &scenario->outcomes[i];
        const double from = outcome->entered_from / 12, to = outcome->entered_to / 12;
        texts[i] = abouts[i];
        if (outcome->entrants && to - from == 1)
            snprintf(abouts[i], sizeof abouts[i], "per yearly cohort, that of year %g", from + 1);
        else if (outcome->entrants)
            snprintf(abouts[i], sizeof abouts[i], "per cohort of those who flow in from %g to %g years", from, to);
        else if (scenario->population.inflow.any && outcome->measure == PK_MEASURE_OCCUPANCY)
            snprintf(abouts[i], sizeof abouts[i], "stock at %g years", outcome->to_months / 12);
        else if (scenario->population.inflow.any)
            snprintf(abouts[i], sizeof abouts[i], "everyone, there at the start or flowing in");
    }
    if (abouts != NULL)
        pk_out_array_texts(out, "/outcomes", "about", &dim, 1, n, texts,
                           "whom it is about, where people flow in: a stock or a cohort; empty: everybody");
    pk_free(abouts);
}

static void put_displacement(struct pk_out *out, const struct pk_store *store)
{
    const struct pk_scenario *scenario = store->scenario;
    const char *dim = "outcome";
    bool any = false;
    double *shares = pk_out_room(out, scenario->n_outcomes, sizeof *shares);
    for (size_t i = 0; shares != NULL && i < scenario->n_outcomes; i++) {
        const struct pk_outcome *outcome = &scenario->outcomes[i];
        shares[i] = outcome->has_displacement ? pk_number_value(&outcome->displacement, store->values) : (double)NAN;
        any |= outcome->has_displacement;
    }
    if (any)
        pk_out_array_doubles(out, "/outcomes", "displacement", &dim, 1, scenario->n_outcomes, shares, "1",
                             "share of a difference that is taken from other people; nan: not told");
    pk_free(shares);
}

static size_t reward_of(const struct pk_model *model, const struct pk_outcome *outcome)
{
    for (size_t i = 0; outcome->ledger && i < model->n_rewards; i++)
        if (outcome->rewards[i])
            return i;
    return SIZE_MAX;
}

static void put_ledgers(struct pk_out *out, const struct pk_store *store, const char **texts)
{
    const struct pk_scenario *scenario = store->scenario;
    const struct pk_model *model = store->model;
    const char *dim = "outcome";
    if (!scenario->has_ledgers)
        return;
    for (size_t i = 0; i < scenario->n_outcomes; i++) {
        size_t r = reward_of(model, &scenario->outcomes[i]);
        texts[i] = r == SIZE_MAX || model->rewards[r].payer == NULL ? "" : model->rewards[r].payer;
    }
    pk_out_array_texts(out, "/outcomes", "payer", &dim, 1, scenario->n_outcomes, texts, "of a ledger: who pays");
    for (size_t i = 0; i < scenario->n_outcomes; i++) {
        size_t r = reward_of(model, &scenario->outcomes[i]);
        texts[i] = r == SIZE_MAX ? "" : pk_reward_kind_names[model->rewards[r].kind];
    }
    pk_out_array_texts(out, "/outcomes", "kind", &dim, 1, scenario->n_outcomes, texts,
                       "of a ledger: effect, cost or transfer");
}

void pk_store_put_outcomes(struct pk_out *out, const struct pk_store *store)
{
    const struct pk_scenario *scenario = store->scenario;
    const struct pk_fold *fold = &store->run->fold;
    const char *group = "/outcomes", *dims[] = {"population", "replication", "arm", "outcome"};
    size_t n = scenario->n_outcomes, n_arms = scenario->n_arms, n_populations = 1 + store->plan->n_cohorts;
    static const char *const labels[] = {"label_fi", "label_sv", "label_en"};
    if (n == 0)
        return;
    const char **texts = pk_out_names(out, scenario->outcomes, n, sizeof *scenario->outcomes);
    const char **arms = pk_out_names(out, scenario->arms, n_arms, sizeof *scenario->arms);
    int64_t *numbers = pk_out_room(out, n + fold->n_units + 1, sizeof *numbers);
    char populations[PK_MAX_ARMS + 1][24];
    const char *population_names[PK_MAX_ARMS + 1];
    if (texts == NULL || arms == NULL || numbers == NULL)
        goto done;
    for (size_t p = 0; p < n_populations; p++) {
        snprintf(populations[p], sizeof populations[p], p == 0 ? "everyone" : "enrolled_%zu", p);
        population_names[p] = populations[p];
    }
    pk_out_axis_texts(out, group, "population", n_populations, population_names, "whom the outcome is about");
    pk_out_axis_texts(out, group, "outcome", n, texts, "outcome");
    pk_out_axis_texts(out, group, "arm", n_arms, arms, "arm of the comparison");
    for (size_t u = 0; u < fold->n_units; u++)
        numbers[u] = (int64_t)u;
    pk_out_axis_integers(out, group, "replication", fold->n_units, numbers, "replication, or keyed batch of one");
    for (size_t l = 0; l < PK_LANGUAGES; l++) {
        for (size_t i = 0; i < n; i++)
            texts[i] = scenario->outcomes[i].label.in[l];
        pk_out_array_texts(out, group, labels[l], &dims[3], 1, n, texts, "label");
    }
    for (size_t i = 0; i < n; i++)
        texts[i] = pk_store_unit_of(store->model, &scenario->outcomes[i]);
    pk_out_array_texts(out, group, "unit_of_measure", &dims[3], 1, n, texts, "unit of the outcome");
    for (size_t i = 0; i < n; i++)
        texts[i] = pk_measure_names[scenario->outcomes[i].measure];
    pk_out_array_texts(out, group, "measure", &dims[3], 1, n, texts, "measure");
    for (size_t i = 0; i < n; i++)
        numbers[i] = scenario->outcomes[i].share | scenario->outcomes[i].per_cost << 1 |
                     scenario->outcomes[i].ledger << 3 | scenario->outcomes[i].per_person << 4;
    for (size_t i = 0; i < scenario->n_decides; i++)
        numbers[scenario->i_decides[i]] |= 4;
    pk_out_array_integers(out, group, "flags", &dims[3], 1, n, numbers, NULL,
                          "1: tell the reference arm's share; 2: tell euros per additional unit; 4: told in what "
                          "decides; 8: of a ledger; 16: told per person");
    put_displacement(out, store);
    put_people(out, store, texts);
    put_ledgers(out, store, texts);
    pk_out_array_doubles(out, group, "value", dims, 4, n_populations * fold->n_units * n_arms * n, fold->outcomes, NULL,
                         fold->denominators == NULL ? "outcome of each replication or batch"
                                                    : "outcome of each replication or batch; divide by denominator");
    if (fold->denominators != NULL)
        pk_out_array_doubles(out, group, "denominator", dims, 4, n_populations * fold->n_units * n_arms * n,
                             fold->denominators, NULL, "what value is to be divided by: sums of both, then the ratio");
    pk_out_array_doubles(out, group, "persons", dims, 2, n_populations * fold->n_units, fold->persons, "persons",
                         "people in each replication or batch");
    int64_t vary = 0;
    for (size_t i = 0; i <= store->plan->n_cohorts; i++)
        vary |= (int64_t)pk_fold_varies(&store->run->fold, i) << i;
    pk_out_integer(out, group, "compared", (int64_t)pk_fold_compared(fold)); /* the population that arms are on */
    pk_out_integer(out, group, "persons_vary", vary); /* bit per population: their number is left to chance */
    pk_out_text(out, group, "per_label", scenario->per_label);
    if (scenario->raw_heading != NULL) {
        struct pk_text raw;
        pk_text_init(&raw);
        for (size_t i = 0; i < scenario->n_raw; i++)
            pk_store_describe_parameter(&raw, store, scenario->i_raw[i]);
        pk_out_text(out, group, "raw_heading", scenario->raw_heading);
        pk_out_text(out, group, "raw", pk_text_string(&raw));
        pk_text_free(&raw);
    }
    pk_out_number(out, group, "per_persons", pk_number_value(&scenario->per_persons, store->values));
done:
    pk_free(texts);
    pk_free(arms);
    pk_free(numbers);
}

void pk_store_put_variants(struct pk_out *out, const struct pk_store *store)
{
    size_t n = store->n_variants, n_arms = store->scenario->n_arms, n_outcomes = store->scenario->n_outcomes;
    if (n == 0)
        return;
    const struct pk_variant_result *variants = store->variants;
    const char *group = "/variants", *dims[] = {"variant", "replication", "arm", "outcome"},
               *cost_dims[] = {"variant", "arm"};
    size_t n_units = variants[0].n_units, n_each = n_units * n_arms * n_outcomes;
    const char **texts = pk_out_names(out, store->scenario->outcomes, n_outcomes, sizeof *store->scenario->outcomes);
    const char **arms = pk_out_names(out, store->scenario->arms, n_arms, sizeof *store->scenario->arms);
    const char **of_variants = pk_out_room(out, n, sizeof *of_variants);
    char(*keys)[24] = pk_out_room(out, n, sizeof *keys);
    int64_t *units = pk_out_room(out, n_units, sizeof *units);
    const bool ratios = store->run->fold.denominators != NULL;
    double *values = pk_out_room(out, n * n_each, sizeof *values),
           *persons = pk_out_room(out, n * n_units, sizeof *persons),
           *costs = pk_out_room(out, n * n_arms, sizeof *costs);
    if (texts && arms && of_variants && keys && units && values && persons && costs) {
        for (size_t i = 0; i < n; i++) {
            snprintf(keys[i], sizeof keys[i], "v%zu", i);
            of_variants[i] = keys[i];
            memcpy(values + i * n_each, variants[i].outcomes, n_each * sizeof *values);
            memcpy(persons + i * n_units, variants[i].persons, n_units * sizeof *persons);
            memcpy(costs + i * n_arms, variants[i].costs, n_arms * sizeof *costs);
        }
        for (size_t u = 0; u < n_units; u++)
            units[u] = (int64_t)u;
        pk_out_axis_texts(out, group, "variant", n, of_variants, "variant of the scenario");
        pk_out_axis_texts(out, group, "outcome", n_outcomes, texts, "outcome");
        pk_out_axis_texts(out, group, "arm", n_arms, arms, "arm of the comparison");
        pk_out_axis_integers(out, group, "replication", n_units, units, "replication, or keyed batch of one");
        for (size_t i = 0; i < n; i++)
            of_variants[i] = variants[i].topic;
        pk_out_array_texts(out, group, "topic", dims, 1, n, of_variants, "the question it belongs to");
        for (size_t i = 0; i < n; i++)
            of_variants[i] = variants[i].name;
        pk_out_array_texts(out, group, "name", dims, 1, n, of_variants, "name");
        for (size_t i = 0; i < n; i++)
            of_variants[i] = variants[i].changed;
        pk_out_array_texts(out, group, "changed", dims, 1, n, of_variants,
                           "what is set otherwise than in the main run");
        for (size_t i = 0; i < n; i++)
            of_variants[i] = variants[i].warning;
        pk_out_array_texts(out, group, "warning", dims, 1, n, of_variants, "why to read it with care");
        pk_out_array_doubles(out, group, "value", dims, 4, n * n_each, values, NULL,
                             "outcome of each replication or batch");
        for (size_t i = 0; i < n * n_each && ratios; i++) /* a variant that could not be run has none */
            values[i] = variants[i / n_each].denominators ? variants[i / n_each].denominators[i % n_each] : 1;
        if (ratios)
            pk_out_array_doubles(out, group, "denominator", dims, 4, n * n_each, values, NULL,
                                 "what value is to be divided by: sums of both, then the ratio");
        pk_out_array_doubles(out, group, "persons", dims, 2, n * n_units, persons, "persons",
                             "people in each replication or batch");
        pk_out_array_doubles(out, group, "cost_per_person", cost_dims, 2, n * n_arms, costs, "euros",
                             "service costs per person of the population that arms are compared on");
    }
    pk_free(texts);
    pk_free(arms);
    pk_free(of_variants);
    pk_free(keys);
    pk_free(units);
    pk_free(values);
    pk_free(persons);
    pk_free(costs);
}
