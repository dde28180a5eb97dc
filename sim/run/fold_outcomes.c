/* Outcomes of one unit, read off its tallies of months. See collect.h. */
#include <string.h>

#include "collect_private.h"

/* One tally with its occupancy and person-time by group, state and month. */
struct view {
    const struct pk_collection *collection;
    struct pk_tally *tally;
    const int64_t *rows; /* [n_groups][n_states][2 n_steps + 1] */
};

enum pk_status pk_fold_init_outcomes(struct pk_fold *fold, struct pk_error *error)
{
    const struct pk_collection *collection = fold->collection;
    const struct pk_plan *plan = collection->plan;
    size_t n_outcomes = collection->scenario->n_outcomes, n_view = 0;
    size_t n_cells = (1 + plan->n_cohorts) * fold->n_units;
    for (size_t i = 0; i < n_outcomes; i++) {
        const struct pk_tally_shape *shape = &collection->shapes[collection->rules[i].i_shape];
        size_t n = shape->n_groups * shape->n_states * (2 * shape->n_steps + 1);
        n_view = n > n_view ? n : n_view;
    }
    fold->outcomes = pk_alloc(n_cells, plan->n_arms * n_outcomes * sizeof(double));
    fold->basis = pk_alloc(n_cells, plan->n_arms * collection->n_basis * sizeof(double));
    fold->n_views = n_view;
    if (collection->has_ratios)
        fold->denominators = pk_alloc(n_cells, plan->n_arms * n_outcomes * sizeof(double));
    if (!fold->outcomes || !fold->basis || (collection->has_ratios && !fold->denominators))
        return pk_error_set(error, PK_NO_MEMORY, "no memory for the results");
    return PK_OK;
}

static void look_at(const struct pk_fold_room *room, const struct view *view)
{
    const struct pk_tally_shape *shape = view->tally->shape;
    const size_t n_row = 2 * shape->n_steps + 1;
    for (size_t g = 0; g < shape->n_groups; g++)
        for (size_t s = 0; s < shape->n_states; s++) {
            int64_t *occupancy = room->views + (g * shape->n_states + s) * n_row;
            pk_tally_occupancy(view->tally, g, s, occupancy);
            pk_tally_person_time(view->tally, g, s, occupancy, occupancy + shape->n_steps + 1);
        }
}

static const int64_t *occupancy_of(const struct view *view, size_t i_group, size_t i_state)
{
    const struct pk_tally_shape *shape = view->tally->shape;
    return view->rows + (i_group * shape->n_states + i_state) * (2 * shape->n_steps + 1);
}

/* Person-years of a group in a state, discounted where the rule says so. */
static double years_of(const struct view *view, const struct pk_rule *rule, size_t i_group, size_t i_state, size_t from,
                       size_t to)
{
    const int64_t *ticks = occupancy_of(view, i_group, i_state) + view->tally->shape->n_steps + 1;
    int64_t all = 0;
    double sum = 0;
    for (size_t j = from; j < to && !rule->discounted; j++)
        all += ticks[j];
    for (size_t j = from; j < to && rule->discounted; j++)
        sum += (double)ticks[j] / PK_TICKS_PER_YEAR * rule->month_factors[j];
    return rule->discounted ? sum : (double)all / PK_TICKS_PER_YEAR;
}

/* Events of a row of the tally, each month's discounted at their mean time within it. */
static double events_of(const struct view *view, const struct pk_rule *rule, size_t i_group, size_t i_row, size_t from,
                        size_t to)
{
    const struct pk_tally_shape *shape = view->tally->shape;
    const size_t first = (i_group * pk_tally_rows(shape) + i_row) * shape->n_steps;
    const int64_t *counts = view->tally->counts + first, *remainders = view->tally->remainders + first;
    int64_t all = 0;
    double sum = 0;
    for (size_t j = from; j < to && !rule->discounted; j++)
        all += counts[j];
    for (size_t j = from; j < to && rule->discounted; j++)
        if (counts[j] != 0) {
            double left = (double)remainders[j] / (double)counts[j] / PK_TICKS_PER_YEAR;
            sum += (double)counts[j] * pk_discounter_at(&rule->discounter, (double)(j + 1) / 12 - left);
        }
    return rule->discounted ? sum : (double)all;
}

/* Spells begun in the states of the outcome: events into them, people's first states. */
static int64_t spells_of(const struct view *view, const struct pk_outcome *outcome, size_t from, size_t to)
{
    const struct pk_tally_shape *shape = view->tally->shape;
    int64_t n = 0;
    for (size_t row = 0; row < shape->n_arcs + (shape->open ? shape->n_states : 0); row++) {
        size_t entered = row < shape->n_arcs ? shape->arc_to[row] : row - shape->n_arcs;
        for (size_t j = from; outcome->states[entered] && j < to; j++)
            n += view->tally->counts[row * shape->n_steps + j];
    }
    for (size_t s = 0; s < shape->n_states && from == 0; s++)
        n += outcome->states[s] ? view->tally->starts[s] : 0;
    return n;
}

/* First entries into the set of the outcome, or ages at them. */
static int64_t entries_of(const struct pk_tally_shape *shape, const struct pk_rule *rule, const int64_t *told,
                          size_t from, size_t to)
{
    int64_t sum = 0;
    for (size_t j = from; j < to; j++)
        sum += told[rule->i_entry_set * shape->n_steps + j];
    return sum;
}

/* Headcounts stay integers to the end, so that equal lives give exactly equal figures. */
static int64_t count_of(const struct view *view, const struct pk_rule *rule, const struct pk_outcome *outcome,
                        size_t from, size_t to)
{
    const struct pk_tally_shape *shape = view->tally->shape;
    int64_t count = 0;
    if (outcome->measure == PK_MEASURE_FIRST_ENTRY)
        return entries_of(shape, rule, view->tally->entries, 0, to);
    if (outcome->measure == PK_MEASURE_MEAN_AGE)
        return entries_of(shape, rule, view->tally->entry_ages, from, to);
    for (size_t s = 0; s < shape->n_states; s++) {
        const int64_t *occupancy = occupancy_of(view, 0, s), *ticks = occupancy + shape->n_steps + 1;
        if (!outcome->states[s])
            continue;
        if (outcome->measure == PK_MEASURE_OCCUPANCY) {
            count += occupancy[to];
        } else if (outcome->measure == PK_MEASURE_TRANSITIONS) {
            for (size_t arc = 0; arc < shape->n_arcs; arc++)
                for (size_t j = from; shape->arc_to[arc] == s && j < to; j++)
                    count += view->tally->counts[arc * shape->n_steps + j];
        } else {
            for (size_t j = from; j < to; j++)
                count += ticks[j];
        }
    }
    return count;
}

/* People who are there by then, whatever has become of them. */
static int64_t people_by(const struct view *view, size_t to)
{
    int64_t count = 0;
    for (size_t s = 0; s < view->tally->shape->n_states; s++)
        count += occupancy_of(view, 0, s)[to];
    return count;
}

/* Adds one reward's quantities to the outcome's basis. */
static void add_part(const struct view *view, const struct pk_rule *rule, const struct pk_reward_part *part,
                     size_t from, size_t to, double *basis)
{
    const struct pk_tally_shape *shape = view->tally->shape;
    for (size_t g = 0; g < shape->n_groups; g++) {
        const double factor = part->age_factors == NULL ? 1 : part->age_factors[g % (shape->n_ages + 1)];
        for (size_t s = 0; s < shape->n_states; s++)
            if (part->of_state[g * shape->n_states + s] != SIZE_MAX)
                basis[part->of_state[g * shape->n_states + s]] += factor * years_of(view, rule, g, s, from, to);
        for (size_t arc = 0; arc < shape->n_arcs; arc++)
            if (part->of_arc[g * shape->n_arcs + arc] != SIZE_MAX)
                basis[part->of_arc[g * shape->n_arcs + arc]] += factor * events_of(view, rule, g, arc, from, to);
    }
}

/* One outcome in one tally, before weights; basis[n_basis] of the arm gets its quantities. */
static double value_of(const struct view *view, size_t i_outcome, const double *prices, double *basis,
                       double *denominator)
{
    const struct pk_collection *collection = view->collection;
    const struct pk_outcome *outcome = &collection->scenario->outcomes[i_outcome];
    const struct pk_rule *rule = &collection->rules[i_outcome];
    const struct pk_tally_shape *shape = view->tally->shape;
    const size_t from = (size_t)outcome->from_months, to = (size_t)outcome->to_months;
    double sum = 0;
    if (rule->n_parts > 0) {
        for (size_t i = 0; i < rule->n_basis; i++)
            basis[rule->first_basis + i] = 0;
        for (size_t i = 0; i < rule->n_parts; i++)
            add_part(view, rule, &collection->parts[rule->first_part + i], from, to, basis);
        for (size_t i = 0; i < rule->n_basis; i++) {
            basis[rule->first_basis + i] *= collection->weight;
            sum += prices[rule->first_basis + i] * basis[rule->first_basis + i];
        }
        return sum;
    }
    switch (outcome->measure) {
    case PK_MEASURE_SPELLS:
        return (double)spells_of(view, outcome, from, to) * collection->weight;
    case PK_MEASURE_MEAN_SPELL:
        *denominator = (double)spells_of(view, outcome, from, to) * collection->weight;
        break;
    case PK_MEASURE_MEAN_AGE:
        *denominator = (double)entries_of(shape, rule, view->tally->entries, from, to) * collection->weight;
        break;
    case PK_MEASURE_PERSON_YEARS:
        for (size_t s = 0; s < shape->n_states && rule->discounted; s++)
            sum += outcome->states[s] ? years_of(view, rule, 0, s, from, to) : 0;
        break;
    case PK_MEASURE_TRANSITIONS:
        for (size_t arc = 0; arc < shape->n_arcs && rule->discounted; arc++)
            sum += outcome->states[shape->arc_to[arc]] ? events_of(view, rule, 0, arc, from, to) : 0;
        break;
    default:
        break;
    }
    if (!rule->discounted) {
        bool years = outcome->measure == PK_MEASURE_PERSON_YEARS || pk_measure_is_ratio(outcome->measure);
        sum = (double)count_of(view, rule, outcome, from, to) / (years ? PK_TICKS_PER_YEAR : 1);
    }
    return sum * collection->weight;
}

void pk_fold_outcomes(struct pk_fold *fold, const struct pk_fold_room *room, const struct pk_batch *unit, size_t i_unit,
                      size_t i_population)
{
    const struct pk_collection *collection = fold->collection;
    const size_t n_outcomes = collection->scenario->n_outcomes, n_arms = collection->plan->n_arms;
    if (i_population > 0 && unit->n_enrolled[i_population - 1] == 0 && fold->denominators == NULL)
        return; /* of nobody everything is 0, as it is already */
    for (size_t i_shape = 0; i_shape < collection->n_shapes; i_shape++) {
        const struct pk_tally *seen = NULL;
        for (size_t a = 0; a < n_arms; a++) {
            const size_t i_cell = (i_population * fold->n_units + i_unit) * n_arms + a;
            double *values = fold->outcomes + i_cell * n_outcomes;
            double *denominators = fold->denominators == NULL ? NULL : fold->denominators + i_cell * n_outcomes;
            double *basis = fold->basis + i_cell * collection->n_basis;
            const double *prices = collection->prices + a * collection->n_basis;
            struct view view = {.collection = collection, .rows = room->views};
            for (size_t i = 0; i < n_outcomes; i++) {
                double denominator = 1;
                if (collection->rules[i].i_shape != i_shape)
                    continue;
                if (view.tally == NULL) { /* the first outcome of this shape */
                    view.tally = pk_fold_tally(room, unit, i_population, a, i_shape);
                    if (view.tally != seen || seen == &room->whole[i_shape]) /* that one is made anew each time */
                        look_at(room, &view);
                    seen = view.tally;
                }
                values[i] = value_of(&view, i, prices, basis, &denominator);
                if (collection->scenario->outcomes[i].per_person)
                    denominator = (double)people_by(&view, (size_t)collection->scenario->outcomes[i].to_months) *
                                  collection->weight;
                if (denominators != NULL)
                    denominators[i] = denominator;
            }
        }
    }
}

/* Moments of an outcome over the units folded so far, or of its difference from another arm's. */
static struct pk_moments moments_of(const struct pk_fold *fold, size_t i_population, size_t i_arm, size_t i_against,
                                    size_t i_outcome)
{
    const struct pk_collection *collection = fold->collection;
    const size_t n_outcomes = collection->scenario->n_outcomes, stride = collection->plan->n_arms * n_outcomes;
    const double *first = fold->outcomes + i_population * fold->n_units * stride + i_outcome;
    const double *y = first + i_arm * n_outcomes,
                 *minus = i_against == SIZE_MAX ? NULL : first + i_against * n_outcomes;
    const double *persons = fold->persons + i_population * fold->n_units;
    struct pk_moments moments = {.batches = (double)fold->i_unit};
    for (size_t u = 0; u < fold->i_unit; u++) {
        const double value = y[u * stride] - (minus == NULL ? 0 : minus[u * stride]), n = persons[u];
        moments.n += n;
        moments.nn += n * n;
        moments.y += value;
        moments.yy += value * value;
        moments.ny += n * value;
    }
    return moments;
}

struct pk_mean pk_fold_total(const struct pk_fold *fold, size_t i_population, size_t i_arm, size_t i_against,
                             size_t i_outcome, double n_replications)
{
    const struct pk_moments moments = moments_of(fold, i_population, i_arm, i_against, i_outcome);
    struct pk_mean total = pk_stats_moments_total(&moments, pk_fold_varies(fold, i_population));
    return (struct pk_mean){.mean = total.mean / n_replications,
                            .standard_error = total.standard_error / n_replications};
}

struct pk_mean pk_fold_outcome(const struct pk_fold *fold, size_t i_population, size_t i_arm, size_t i_against,
                               size_t i_outcome)
{
    const struct pk_collection *collection = fold->collection;
    const size_t n_outcomes = collection->scenario->n_outcomes, n_arms = collection->plan->n_arms;
    const size_t stride = n_arms * n_outcomes, first = i_population * fold->n_units * stride + i_outcome;
    const double *y = fold->outcomes + first + i_arm * n_outcomes;
    const double *minus = i_against == SIZE_MAX ? NULL : fold->outcomes + first + i_against * n_outcomes;
    if (pk_outcome_is_ratio(&collection->scenario->outcomes[i_outcome])) {
        const double *x = fold->denominators + first + i_arm * n_outcomes;
        if (minus == NULL)
            return pk_stats_batch_ratio(y, x, fold->i_unit, stride);
        return pk_stats_batch_ratio_difference(y, x, minus, fold->denominators + first + i_against * n_outcomes,
                                               fold->i_unit, stride);
    }
    const struct pk_moments moments = moments_of(fold, i_population, i_arm, i_against, i_outcome);
    return pk_stats_moments_mean(&moments);
}
