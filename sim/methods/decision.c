/* Dominance, thresholds and the value of information. See polku/decision.h. */
#include "polku/decision.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "polku/memory.h"

enum pk_status pk_decision_check(const struct pk_decision *decision, struct pk_error *error)
{
    if (decision->n_draws < 2 || decision->n_options == 0)
        return pk_error_set(error, PK_BAD_INPUT, "a decision needs two draws and an option at least");
    for (size_t i = 0; i < decision->n_draws; i++)
        for (size_t o = 0; o < decision->n_options; o++)
            if (!isfinite(decision->effects[i * decision->n_options + o]) ||
                !isfinite(decision->costs[i * decision->n_options + o]))
                return pk_error_set(error, PK_BAD_INPUT, "draw %zu has no effect or no cost of option %zu", i, o);
    return PK_OK;
}

/* Of a less b (NULL: of a), every stride-th. */
static struct pk_mean mean_of(const double *a, const double *b, size_t n, size_t stride)
{
    double sum = 0, squares = 0;
    for (size_t i = 0; i < n; i++)
        sum += a[i * stride] - (b == NULL ? 0 : b[i * stride]);
    const double mean = sum / (double)n;
    for (size_t i = 0; i < n; i++) {
        const double apart = a[i * stride] - (b == NULL ? 0 : b[i * stride]) - mean;
        squares += apart * apart;
    }
    return (struct pk_mean){mean, sqrt(squares / (double)(n - 1) / (double)n)};
}

void pk_decision_means(const struct pk_decision *decision, struct pk_mean *effects, struct pk_mean *costs)
{
    for (size_t o = 0; o < decision->n_options; o++) {
        effects[o] = mean_of(decision->effects + o, NULL, decision->n_draws, decision->n_options);
        costs[o] = mean_of(decision->costs + o, NULL, decision->n_draws, decision->n_options);
    }
}

/* ---- cost-effectiveness ---- */

static int by_cost(const void *a, const void *b)
{
    const struct pk_decision_row *x = a, *y = b;
    if (x->cost != y->cost)
        return x->cost < y->cost ? -1 : 1;
    if (x->effect != y->effect)
        return x->effect > y->effect ? -1 : 1;
    return x->i_option < y->i_option ? -1 : x->i_option > y->i_option;
}

static size_t last_efficient(const struct pk_decision_row *rows, size_t i)
{
    while (i-- > 0)
        if (rows[i].place == PK_DECISION_EFFICIENT)
            return i;
    return SIZE_MAX;
}

/* Whether the way over b costs more an effect from a to b than from b to c. */
static bool bends_down(const struct pk_decision_row *a, const struct pk_decision_row *b,
                       const struct pk_decision_row *c)
{
    return (b->cost - a->cost) * (c->effect - b->effect) > (c->cost - b->cost) * (b->effect - a->effect);
}

static void leave_dominated(struct pk_decision_row *rows, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        const struct pk_decision_row *best = &rows[last_efficient(rows, i)];
        if (rows[i].effect > best->effect)
            continue;
        rows[i].place =
            rows[i].effect == best->effect && rows[i].cost == best->cost ? PK_DECISION_SAME : PK_DECISION_DOMINATED;
        rows[i].i_against = best->i_option;
    }
    for (size_t i = 2; i < n; i++) {
        size_t b = last_efficient(rows, i), a = b == SIZE_MAX ? b : last_efficient(rows, b);
        while (rows[i].place == PK_DECISION_EFFICIENT && a != SIZE_MAX && bends_down(&rows[a], &rows[b], &rows[i])) {
            rows[b].place = PK_DECISION_EXTENDED;
            b = a;
            a = last_efficient(rows, b);
        }
    }
}

void pk_decision_frontier(const double *effects, const double *costs, size_t n_options, struct pk_decision_row *rows)
{
    for (size_t o = 0; o < n_options; o++)
        rows[o] = (struct pk_decision_row){.i_option = o,
                                           .place = PK_DECISION_EFFICIENT,
                                           .effect = effects[o],
                                           .cost = costs[o],
                                           .i_against = SIZE_MAX,
                                           .i_also = SIZE_MAX,
                                           .more_effect = (double)NAN,
                                           .more_cost = (double)NAN,
                                           .icer = (double)NAN};
    qsort(rows, n_options, sizeof *rows, by_cost);
    leave_dominated(rows, n_options);
    for (size_t i = 0; i < n_options; i++) {
        struct pk_decision_row *row = &rows[i];
        const size_t before = last_efficient(rows, i);
        if (row->place == PK_DECISION_SAME) /* as what it equals, which may be beaten by a mixture */
            for (size_t j = 0; j < i; j++)
                if (rows[j].i_option == row->i_against && rows[j].place == PK_DECISION_EXTENDED)
                    row->place = PK_DECISION_EXTENDED;
        if (row->place == PK_DECISION_EXTENDED) {
            row->i_against = rows[before].i_option;
            for (size_t j = n_options; --j > i;)
                if (rows[j].place == PK_DECISION_EFFICIENT)
                    row->i_also = rows[j].i_option;
        } else if (row->place == PK_DECISION_EFFICIENT && before != SIZE_MAX) {
            row->i_against = rows[before].i_option;
            row->more_effect = row->effect - rows[before].effect;
            row->more_cost = row->cost - rows[before].cost;
            row->icer = row->more_cost / row->more_effect;
        }
    }
    if (n_options > 0)
        rows[0].place = PK_DECISION_FIRST;
}

static enum pk_decision_verdict verdict_of(double more_effect, double more_cost)
{
    if (more_effect == 0 && more_cost == 0)
        return PK_DECISION_NO_DIFFERENCE;
    if (more_effect >= 0 && more_cost <= 0)
        return PK_DECISION_DOMINATES;
    if (more_effect <= 0 && more_cost >= 0)
        return PK_DECISION_IS_DOMINATED;
    return more_effect > 0 ? PK_DECISION_MORE_FOR_MORE : PK_DECISION_LESS_FOR_LESS;
}

enum pk_status pk_decision_pair_init(struct pk_decision_pair *pair, const struct pk_decision *decision, size_t i_option,
                                     size_t i_against, struct pk_error *error)
{
    const size_t n = decision->n_draws, stride = decision->n_options;
    const double *effects = decision->effects, *costs = decision->costs;
    size_t n_up = 0, n_down = 0;
    double *ratios = pk_alloc(n, sizeof *ratios);
    memset(pair, 0, sizeof *pair);
    if (ratios == NULL)
        return pk_error_set(error, PK_NO_MEMORY, "no memory for the ratios of %zu draws", n);
    pair->more_effect = mean_of(effects + i_option, effects + i_against, n, stride);
    pair->more_cost = mean_of(costs + i_option, costs + i_against, n, stride);
    pair->verdict = verdict_of(pair->more_effect.mean, pair->more_cost.mean);
    pair->icer = pair->low = pair->high = (double)NAN;
    for (size_t i = 0; i < n; i++) {
        const double more_effect = effects[i * stride + i_option] - effects[i * stride + i_against];
        const double more_cost = costs[i * stride + i_option] - costs[i * stride + i_against];
        pair->shares[verdict_of(more_effect, more_cost)] += 1 / (double)n;
        ratios[i] = more_cost / more_effect;
        n_up += more_effect > 0;
        n_down += more_effect < 0;
    }
    if (pair->verdict == PK_DECISION_MORE_FOR_MORE || pair->verdict == PK_DECISION_LESS_FOR_LESS) {
        pair->icer = pair->more_cost.mean / pair->more_effect.mean;
        if (n_up == n || n_down == n) {
            qsort(ratios, n, sizeof *ratios, pk_stats_ascending);
            pair->low = pk_stats_quantile(ratios, n, 0.025);
            pair->high = pk_stats_quantile(ratios, n, 0.975);
        }
    }
    pk_free(ratios);
    return PK_OK;
}

/* ---- at a threshold ---- */

static double net_benefit(const struct pk_decision *decision, double threshold, size_t i_draw, size_t i_option)
{
    const size_t i = i_draw * decision->n_options + i_option;
    return threshold * decision->effects[i] - decision->costs[i];
}

void pk_decision_net_benefits(const struct pk_decision *decision, double threshold, double *net_benefits)
{
    for (size_t i = 0; i < decision->n_draws; i++)
        for (size_t o = 0; o < decision->n_options; o++)
            net_benefits[i * decision->n_options + o] = net_benefit(decision, threshold, i, o);
}

void pk_decision_at(const struct pk_decision *decision, double threshold, double *probabilities, double *losses,
                    struct pk_decision_threshold *at)
{
    const double n = (double)decision->n_draws;
    double squares = 0;
    *at = (struct pk_decision_threshold){.i_best = 0};
    memset(probabilities, 0, decision->n_options * sizeof *probabilities);
    memset(losses, 0, decision->n_options * sizeof *losses);
    for (size_t i = 0; i < decision->n_draws; i++) {
        double best = -(double)INFINITY, n_best = 0;
        for (size_t o = 0; o < decision->n_options; o++) {
            const double value = net_benefit(decision, threshold, i, o);
            n_best = value > best ? 1 : n_best + (value == best);
            best = fmax(best, value);
        }
        for (size_t o = 0; o < decision->n_options; o++) {
            const double value = net_benefit(decision, threshold, i, o);
            probabilities[o] += value == best ? 1 / n_best / n : 0;
            losses[o] += (best - value) / n;
        }
    }
    for (size_t o = 1; o < decision->n_options; o++)
        at->i_best = losses[o] < losses[at->i_best] ? o : at->i_best;
    at->information.mean = losses[at->i_best];
    for (size_t i = 0; i < decision->n_draws; i++) {
        double best = -(double)INFINITY;
        for (size_t o = 0; o < decision->n_options; o++)
            best = fmax(best, net_benefit(decision, threshold, i, o));
        const double value = net_benefit(decision, threshold, i, at->i_best);
        at->net_benefit += value / n;
        squares += (best - value - at->information.mean) * (best - value - at->information.mean);
    }
    at->information.standard_error = sqrt(squares / (n - 1) / n);
}

double pk_decision_population(double per_person, double affected_per_year, double years, double rate)
{
    const double force = log1p(rate);
    return per_person * affected_per_year * (force == 0 ? years : -expm1(-force * years) / force);
}

void pk_decision_monotone(struct pk_decision_information *information, size_t n, const bool *members, size_t n_columns)
{
    for (size_t changed = 1; changed > 0;) { /* one pass would do, were parts always before wholes */
        changed = 0;
        for (size_t whole = 0; whole < n; whole++)
            for (size_t part = 0; part < n; part++) {
                bool within = true;
                for (size_t c = 0; c < n_columns; c++)
                    within &= !members[part * n_columns + c] || members[whole * n_columns + c];
                if (!within || !(information[part].value > information[whole].value))
                    continue;
                information[whole].value = information[part].value;
                information[whole].standard_error = information[part].standard_error;
                changed++;
            }
    }
}
