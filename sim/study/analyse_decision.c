/* The decision that a sample serves: costs and effects, how sure the choice is, what knowing more is worth. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "analyse_private.h"
#include "polku/decision.h"

/* The draws of a sample as options' effects and costs. */
struct draws {
    struct pk_decision decision;
    size_t n;      /* draws with figures */
    size_t *point; /* [n] of the sample */
    double *effects, *costs, *net_benefits, *x;
};

static void free_draws(struct draws *draws)
{
    pk_free(draws->point);
    pk_free(draws->effects);
    pk_free(draws->costs);
    pk_free(draws->net_benefits);
    pk_free(draws->x);
}

static enum pk_status make_draws(struct pk_analysing *a, struct draws *draws)
{
    const struct pk_sample *sample = a->sample;
    const struct pk_sample_decision *d = &sample->decision;
    const size_t n_options = d->n_options;
    memset(draws, 0, sizeof *draws);
    draws->point = pk_alloc(sample->n + 1, sizeof *draws->point);
    draws->effects = pk_alloc(sample->n * n_options + 1, sizeof *draws->effects);
    draws->costs = pk_alloc(sample->n * n_options + 1, sizeof *draws->costs);
    draws->net_benefits = pk_alloc(sample->n * n_options + 1, sizeof *draws->net_benefits);
    draws->x = pk_alloc(sample->n * a->n_columns + 1, sizeof *draws->x);
    if (!draws->point || !draws->effects || !draws->costs || !draws->net_benefits || !draws->x)
        return pk_analyse_no_memory(a);
    for (size_t i = 0; i < sample->n; i++) {
        const double *y = sample->y + i * sample->n_figures;
        bool good = pk_analyse_is_drawn(sample, i);
        for (size_t o = 0; o < n_options; o++)
            good &= !isnan(y[d->effects[o]]) && !isnan(y[d->costs[o]]);
        if (!good)
            continue;
        for (size_t o = 0; o < n_options; o++) {
            draws->effects[draws->n * n_options + o] = y[d->effects[o]];
            draws->costs[draws->n * n_options + o] = y[d->costs[o]];
        }
        memcpy(draws->x + draws->n * a->n_columns, a->x + i * a->n_columns, a->n_columns * sizeof *draws->x);
        draws->point[draws->n++] = i;
    }
    draws->decision = (struct pk_decision){
        .n_draws = draws->n, .n_options = n_options, .effects = draws->effects, .costs = draws->costs};
    return PK_OK;
}

/* ---- costs and effects -------------------------------------------------------------------------------------- */

static enum pk_status tell_options(struct pk_analysing *a, const struct draws *draws)
{
    static const char *const columns[] = {"effect",      "mean effect per person",
                                          "effect_se",   "its standard error over draws",
                                          "cost",        "mean cost per person, euros",
                                          "cost_se",     "its standard error over draws",
                                          "more_effect", "than the efficient option before",
                                          "more_cost",   "than the efficient option before",
                                          "icer",        "euros for one unit of effect more",
                                          NULL};
    const struct pk_sample_decision *d = &a->sample->decision;
    const size_t n = d->n_options;
    struct pk_mean effects[PK_MAX_ARMS], costs[PK_MAX_ARMS];
    struct pk_decision_row rows[PK_MAX_ARMS];
    double e[PK_MAX_ARMS], c[PK_MAX_ARMS];
    char title[300];
    snprintf(title, sizeof title, "Options by cost, and what one unit of effect more costs (%.200s)", d->effect_label);
    struct pk_sheet *sheet = pk_sheet_add(&a->analysis->sheets, "decision/options", title, "option", n, columns);
    if (sheet == NULL)
        return pk_analyse_no_memory(a);
    pk_decision_means(&draws->decision, effects, costs);
    for (size_t o = 0; o < n; o++) {
        e[o] = effects[o].mean;
        c[o] = costs[o].mean;
    }
    pk_decision_frontier(e, c, n, rows);
    for (size_t r = 0; r < n; r++) {
        const size_t o = rows[r].i_option;
        const char *against = rows[r].i_against != SIZE_MAX ? d->options[rows[r].i_against] : "",
                   *also = rows[r].i_also != SIZE_MAX ? d->options[rows[r].i_also] : "";
        const double values[] = {e[o],
                                 effects[o].standard_error,
                                 c[o],
                                 costs[o].standard_error,
                                 rows[r].more_effect,
                                 rows[r].more_cost,
                                 rows[r].icer};
        pk_sheet_row(&a->analysis->sheets, sheet, r, d->options[o]);
        for (size_t k = 0; k < sizeof values / sizeof *values; k++)
            pk_sheet_put(sheet, r, k, values[k]);
        if (rows[r].place == PK_DECISION_DOMINATED)
            pk_text_addf(&sheet->notes, "%s is dominated: %s costs no more and gives no less\n", d->options[o],
                         against);
        else if (rows[r].place == PK_DECISION_EXTENDED)
            pk_text_addf(&sheet->notes, "%s is dominated by extension: a mixture of %s and %s costs less\n",
                         d->options[o], against, also);
        else if (rows[r].place == PK_DECISION_SAME)
            pk_text_addf(&sheet->notes, "%s is the same as %s\n", d->options[o], against);
    }
    return PK_OK;
}

/* Each option against the first: where in the plane draws are. */
static enum pk_status tell_plane(struct pk_analysing *a, const struct draws *draws)
{
    static const char *const columns[] = {"more_effect",
                                          "mean",
                                          "more_effect_se",
                                          "standard error over draws",
                                          "more_cost",
                                          "mean, euros",
                                          "more_cost_se",
                                          "standard error over draws",
                                          "icer",
                                          "of the means; not told where one dominates the other",
                                          "icer_low",
                                          "2.5 % of draws; not told where draws differ in the sign of the effect",
                                          "icer_high",
                                          "97.5 % of draws",
                                          "more_for_more",
                                          "share of draws: more effect at more cost",
                                          "dominates",
                                          "share of draws: no less effect at no more cost",
                                          "less_for_less",
                                          "share of draws: less effect at less cost",
                                          "is_dominated",
                                          "share of draws: no more effect at no less cost",
                                          NULL};
    const struct pk_sample_decision *d = &a->sample->decision;
    struct pk_sheet *sheet = pk_sheet_add(&a->analysis->sheets, "decision/plane",
                                          "Each option less the first one listed", "option", d->n_options - 1, columns);
    if (sheet == NULL)
        return pk_analyse_no_memory(a);
    for (size_t o = 1; o < d->n_options; o++) {
        struct pk_decision_pair pair;
        const enum pk_status status = pk_decision_pair_init(&pair, &draws->decision, o, 0, a->error);
        if (status != PK_OK)
            return status;
        const double values[] = {pair.more_effect.mean,
                                 pair.more_effect.standard_error,
                                 pair.more_cost.mean,
                                 pair.more_cost.standard_error,
                                 pair.icer,
                                 pair.low,
                                 pair.high,
                                 pair.shares[PK_DECISION_MORE_FOR_MORE],
                                 pair.shares[PK_DECISION_DOMINATES],
                                 pair.shares[PK_DECISION_LESS_FOR_LESS],
                                 pair.shares[PK_DECISION_IS_DOMINATED]};
        char name[200];
        snprintf(name, sizeof name, "%.90s - %.90s", d->options[o], d->options[0]);
        pk_sheet_row(&a->analysis->sheets, sheet, o - 1, name);
        for (size_t k = 0; k < sizeof values / sizeof *values; k++)
            pk_sheet_put(sheet, o - 1, k, values[k]);
    }
    return PK_OK;
}

/* ---- how sure ----------------------------------------------------------------------------------------------- */

static enum pk_status tell_thresholds(struct pk_analysing *a, const struct draws *draws)
{
    enum { FIXED = 6, ROOM = 80 };
    const struct pk_sample_decision *d = &a->sample->decision;
    const size_t n = d->n_options;
    char names[2 * PK_MAX_ARMS][ROOM], about[2 * PK_MAX_ARMS][ROOM + 60];
    const char *columns[2 * (FIXED + 2 * PK_MAX_ARMS) + 1] = {"best",
                                                              "option with the largest mean net benefit, from 0",
                                                              "best_p",
                                                              "probability that it is best: the frontier",
                                                              "net_benefit",
                                                              "its mean net benefit, euros per person",
                                                              "evpi",
                                                              "value of knowing everything, euros per person",
                                                              "evpi_se",
                                                              "its standard error over draws",
                                                              "population_evpi",
                                                              "value of knowing everything, euros, for all affected"};
    for (size_t k = 0; k < 2 * n; k++) {
        snprintf(names[k], sizeof names[k], "%s_%.70s", k < n ? "p" : "loss", d->options[k % n]);
        snprintf(about[k], sizeof about[k], "%s %.70s",
                 k < n ? "probability that it is best:" : "expected loss, euros:", d->options[k % n]);
        columns[2 * (FIXED + k)] = names[k];
        columns[2 * (FIXED + k) + 1] = about[k];
    }
    char title[400];
    snprintf(title, sizeof title, "How sure the choice is, by what one unit of effect is worth (euros for %.200s)",
             d->effect_label);
    struct pk_sheet *sheet =
        pk_sheet_add(&a->analysis->sheets, "decision/acceptability", title, "threshold", d->n_thresholds, columns);
    if (sheet == NULL)
        return pk_analyse_no_memory(a);
    for (size_t t = 0; t < d->n_thresholds; t++) {
        struct pk_decision_threshold at;
        double probabilities[PK_MAX_ARMS], losses[PK_MAX_ARMS];
        char name[40];
        pk_decision_at(&draws->decision, d->thresholds[t], probabilities, losses, &at);
        const double values[FIXED] = {
            (double)at.i_best,
            probabilities[at.i_best],
            at.net_benefit,
            at.information.mean,
            at.information.standard_error,
            pk_decision_population(at.information.mean, d->persons_per_year, d->years, d->discount)};
        snprintf(name, sizeof name, "%.10g", d->thresholds[t]);
        pk_sheet_row(&a->analysis->sheets, sheet, t, name);
        for (size_t k = 0; k < FIXED; k++)
            pk_sheet_put(sheet, t, k, values[k]);
        for (size_t o = 0; o < n; o++) {
            pk_sheet_put(sheet, t, FIXED + o, probabilities[o]);
            pk_sheet_put(sheet, t, FIXED + n + o, losses[o]);
        }
    }
    pk_text_put(&sheet->notes, "best:");
    for (size_t o = 0; o < n; o++)
        pk_text_addf(&sheet->notes, "%s %zu %s", o > 0 ? "," : "", o, d->options[o]);
    pk_text_addf(&sheet->notes, "\naffected: %.10g people a year for %.10g years, discounted at %.10g\n",
                 d->persons_per_year, d->years, d->discount);
    return PK_OK;
}

double pk_analyse_threshold(const struct pk_analysing *a)
{
    const struct pk_sample_decision *d = &a->sample->decision;
    return isnan(a->request->threshold) ? d->thresholds[d->n_thresholds / 2] : a->request->threshold;
}

/* Where there is most to be found out, unless another is asked for. */
static double most_uncertain(const struct pk_analysing *a, const struct draws *draws)
{
    const struct pk_sample_decision *d = &a->sample->decision;
    double found = d->thresholds[0], largest = -1;
    for (size_t t = 0; t < d->n_thresholds; t++) {
        struct pk_decision_threshold at;
        double probabilities[PK_MAX_ARMS], losses[PK_MAX_ARMS];
        pk_decision_at(&draws->decision, d->thresholds[t], probabilities, losses, &at);
        if (at.information.mean > largest) {
            largest = at.information.mean;
            found = d->thresholds[t];
        }
    }
    return isnan(a->request->threshold) ? found : a->request->threshold;
}

/* ---- what is worth knowing ---------------------------------------------------------------------------------- */

/* Which columns a question is about: of factor f, or of a set of them. */
static size_t columns_of(const struct pk_analysing *a, size_t i_question, bool *members, size_t *columns)
{
    const struct pk_sample *sample = a->sample;
    const struct pk_sample_decision *d = &sample->decision;
    size_t n = 0;
    for (size_t f = 0; f < sample->n_factors; f++) {
        const bool in = i_question < sample->n_factors
                            ? i_question == f
                            : d->asks[(i_question - sample->n_factors) * sample->n_factors + f];
        for (size_t c = a->first_column[f]; in && c < a->first_column[f + 1]; c++) {
            members[c] = true;
            columns[n++] = c;
        }
    }
    return n;
}

static enum pk_status tell_information(struct pk_analysing *a, const struct draws *draws)
{
    static const char *const told[] = {"evppi",
                                       "value of knowing it, euros per person",
                                       "evppi_se",
                                       "its standard error",
                                       "share_of_evpi",
                                       "of the value of knowing everything",
                                       "population_evppi",
                                       "value of knowing it, euros, for all affected",
                                       NULL};
    const struct pk_sample *sample = a->sample;
    const struct pk_sample_decision *d = &sample->decision;
    const size_t n = sample->n_factors + d->n_questions, n_columns = a->n_columns;
    const double threshold = most_uncertain(a, draws);
    struct pk_decision_information *information = pk_alloc(n, sizeof *information);
    bool *members = pk_alloc(n * n_columns + 1, sizeof *members);
    size_t *columns = pk_alloc(n_columns + 1, sizeof *columns), *order = pk_alloc(n, sizeof *order), n_unknown = 0;
    double *values = pk_alloc(n, sizeof *values);
    char title[300];
    snprintf(title, sizeof title, "What it is worth to find out, at %.10g euros for one of %.150s", threshold,
             d->effect_label);
    struct pk_sheet *sheet = pk_sheet_add(&a->analysis->sheets, "decision/evppi", title, "known", n, told);
    enum pk_status status = PK_OK;
    if (!information || !members || !columns || !order || !values || sheet == NULL)
        status = pk_analyse_no_memory(a);
    if (status == PK_OK)
        pk_decision_net_benefits(&draws->decision, threshold, draws->net_benefits);
    for (size_t q = 0; q < n && status == PK_OK; q++) {
        const size_t n_chosen = columns_of(a, q, members + q * n_columns, columns);
        status = pk_decision_evppi(&information[q], draws->n, d->n_options, draws->net_benefits, draws->x, n_columns,
                                   columns, n_chosen, a->error);
        if (status == PK_BAD_INPUT) { /* too many numbers to know for so few draws */
            information[q] = (struct pk_decision_information){.value = (double)NAN, .standard_error = (double)NAN};
            memset(members + q * n_columns, 0, n_columns * sizeof *members);
            n_unknown++;
            status = PK_OK;
        }
    }
    if (status == PK_OK) {
        size_t n_known = 0; /* those that could be told stand first while they are made monotone */
        struct pk_decision_information *known = pk_alloc(n, sizeof *known);
        bool *of_known = pk_alloc(n * n_columns + 1, sizeof *of_known);
        if (known == NULL || of_known == NULL)
            status = pk_analyse_no_memory(a);
        for (size_t q = 0; q < n && status == PK_OK; q++)
            if (!isnan(information[q].value)) {
                known[n_known] = information[q];
                memcpy(of_known + n_known++ * n_columns, members + q * n_columns, n_columns * sizeof *members);
            }
        if (status == PK_OK)
            pk_decision_monotone(known, n_known, of_known, n_columns);
        n_known = 0;
        for (size_t q = 0; q < n && status == PK_OK; q++)
            if (!isnan(information[q].value))
                information[q] = known[n_known++];
        pk_free(known);
        pk_free(of_known);
    }
    if (status == PK_OK) {
        for (size_t q = 0; q < n; q++)
            values[q] = information[q].value;
        pk_analyse_order(values, n, order);
        for (size_t r = 0; r < n; r++) {
            const size_t q = order[r];
            pk_sheet_row(&a->analysis->sheets, sheet, r,
                         q < sample->n_factors ? sample->factors[q].name : d->questions[q - sample->n_factors]);
            pk_sheet_put(sheet, r, 0, information[q].value);
            pk_sheet_put(sheet, r, 1, information[q].standard_error);
            pk_sheet_put(sheet, r, 2, information[q].value / information[q].evpi);
            pk_sheet_put(sheet, r, 3,
                         pk_decision_population(information[q].value, d->persons_per_year, d->years, d->discount));
        }
        if (isnan(a->request->threshold))
            pk_text_put(&sheet->notes, "told where there is most to find out; another: --threshold\n");
        if (n_unknown > 0)
            pk_text_addf(&sheet->notes, "%zu are of too many numbers for %zu draws\n", n_unknown, draws->n);
    }
    pk_free(information);
    pk_free(members);
    pk_free(columns);
    pk_free(order);
    pk_free(values);
    return status;
}

enum pk_status pk_analyse_decision(struct pk_analysing *a)
{
    struct draws draws;
    enum pk_status status = make_draws(a, &draws);
    if (status == PK_OK && draws.n < 2) {
        pk_text_addf(&a->analysis->marks, "%zu draws have all figures of the decision: nothing can be told of it\n",
                     draws.n);
        free_draws(&draws);
        return PK_OK;
    }
    if (status == PK_OK)
        status = pk_decision_check(&draws.decision, a->error);
    if (status == PK_OK)
        status = tell_options(a, &draws);
    if (status == PK_OK)
        status = tell_plane(a, &draws);
    if (status == PK_OK)
        status = tell_thresholds(a, &draws);
    if (status == PK_OK)
        status = tell_information(a, &draws);
    free_draws(&draws);
    return status;
}
