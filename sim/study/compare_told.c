/* Ledgers by payer, histograms and prevented events as text. See compare.h. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "compare_private.h"

/* ---- ledgers ------------------------------------------------------------------------------------------------ */

/* What may be added: one unit, and effects apart from money that somebody pays. */
static bool addable(const struct pk_comparison *c, size_t i, size_t k)
{
    return strcmp(c->outcome_units[i], c->outcome_units[k]) == 0 &&
           (strcmp(c->kinds[i], "effect") == 0) == (strcmp(c->kinds[k], "effect") == 0);
}

static bool is_ledger(const struct pk_comparison *c, size_t i)
{
    return pk_compare_has_flag(c, i, PK_FLAG_LEDGER) && c->payers != NULL;
}

static bool is_transfer(const struct pk_comparison *c, size_t i)
{
    return strcmp(c->kinds[i], "transfer") == 0;
}

static void put_sum(const struct pk_comparison *c, struct pk_text *text, const char *label, const size_t *outcomes,
                    size_t n)
{
    pk_compare_pad(text, label, pk_compare_label_columns(c), false);
    for (size_t a = 0; a < c->n_arms; a++)
        pk_compare_put_number(text, pk_compare_sum(&c->main, a, SIZE_MAX, outcomes, n).mean, 1, PK_NUMBER_COLUMNS);
    struct pk_mean difference = {0};
    for (size_t p = 0; p < c->n_pairs; p++) {
        difference = pk_compare_sum(&c->main, c->pairs[p].i_arm, c->pairs[p].i_against, outcomes, n);
        pk_compare_put_number(text, difference.mean, 1, PK_NUMBER_COLUMNS);
    }
    if (c->n_pairs > 0)
        pk_compare_put_number(text, difference.standard_error, 2, PK_NUMBER_COLUMNS);
    pk_text_put(text, "\n");
}

static const char *sum_of(const struct pk_comparison *c, size_t i)
{
    return strcmp(c->kinds[i], "effect") == 0 ? "effects" : "costs and transfers";
}

/* A payer's rewards, then their sums by unit. */
static void put_payer(const struct pk_comparison *c, struct pk_text *text, const char *payer)
{
    bool done[PK_MAX_OUTCOMES] = {false};
    char label[256];
    pk_text_addf(text, "%s\n", payer[0] != '\0' ? payer : "nobody in particular");
    for (size_t i = 0; i < c->n_outcomes; i++) {
        if (!is_ledger(c, i) || strcmp(c->payers[i], payer) != 0)
            continue;
        snprintf(label, sizeof label, "  %.160s, %.40s%s", c->outcome_labels[i], c->outcome_units[i],
                 is_transfer(c, i) ? " (transfer)" : "");
        put_sum(c, text, label, &i, 1);
    }
    for (size_t i = 0; i < c->n_outcomes; i++) {
        size_t outcomes[PK_MAX_OUTCOMES], n = 0;
        if (!is_ledger(c, i) || strcmp(c->payers[i], payer) != 0 || done[i])
            continue;
        for (size_t k = i; k < c->n_outcomes; k++)
            if (is_ledger(c, k) && strcmp(c->payers[k], payer) == 0 && addable(c, i, k)) {
                outcomes[n++] = k;
                done[k] = true;
            }
        snprintf(label, sizeof label, "  sum of %s, %.40s", sum_of(c, i), c->outcome_units[i]);
        if (n > 1)
            put_sum(c, text, label, outcomes, n);
    }
}

void pk_compare_put_ledgers(const struct pk_comparison *c, struct pk_text *text)
{
    bool done[PK_MAX_OUTCOMES] = {false};
    size_t n_payers = 0;
    if (c->payers == NULL || c->n_outcomes > PK_MAX_OUTCOMES)
        return;
    pk_text_put(text, "\nLedgers by payer; only what has one unit is added, and effects apart from costs\n");
    pk_compare_put_header(c, text, c->per_label, false);
    for (size_t i = 0; i < c->n_outcomes; i++) {
        bool told = !is_ledger(c, i);
        for (size_t k = 0; k < i && !told; k++)
            told = is_ledger(c, k) && strcmp(c->payers[k], c->payers[i]) == 0;
        if (told)
            continue;
        put_payer(c, text, c->payers[i]);
        n_payers++;
    }
    pk_text_put(text, n_payers > 1 ? "all payers, without transfers between them\n" : "without transfers\n");
    for (size_t i = 0; i < c->n_outcomes; i++) {
        size_t outcomes[PK_MAX_OUTCOMES], n = 0;
        char label[256];
        if (!is_ledger(c, i) || is_transfer(c, i) || done[i])
            continue;
        for (size_t k = i; k < c->n_outcomes; k++)
            if (is_ledger(c, k) && !is_transfer(c, k) && addable(c, i, k)) {
                outcomes[n++] = k;
                done[k] = true;
            }
        snprintf(label, sizeof label, "  total of %s, %.40s", strcmp(c->kinds[i], "effect") == 0 ? "effects" : "costs",
                 c->outcome_units[i]);
        put_sum(c, text, label, outcomes, n);
    }
    pk_text_put(text, "\n");
}

/* ---- histograms --------------------------------------------------------------------------------------------- */

static double quantile_of(const struct pk_comparison *c, const struct pk_compare_histogram *h, size_t i_arm,
                          size_t i_group, double p)
{
    for (size_t q = 0; q < h->n_quantiles; q++)
        if (fabs(h->quantiles[q] - p) < 1e-9 && i_arm < c->n_arms)
            return h->values[(i_arm * h->n_groups + i_group) * h->n_quantiles + q];
    return (double)NAN;
}

void pk_compare_put_histograms(const struct pk_comparison *c, struct pk_text *text)
{
    static const double told[] = {0.25, 0.5, 0.75};
    static const char *const names[] = {"lower quartile", "median", "upper quartile"};
    char label[256];
    if (c->n_histograms == 0)
        return;
    pk_text_put(text, "\nDistributions over people in each arm (-: beyond the histogram's edges). Differences of "
                      "quantiles are no quantiles\nof individual differences, which these data cannot tell.\n");
    pk_compare_pad(text, "", pk_compare_label_columns(c), false);
    for (size_t a = 0; a < c->n_arms; a++)
        pk_compare_pad(text, c->arm_names[a], PK_NUMBER_COLUMNS, true);
    pk_text_put(text, "\n");
    for (size_t i = 0; i < c->n_histograms; i++) {
        const struct pk_compare_histogram *h = &c->histograms[i];
        pk_text_addf(text, "%s (%s): %s\n", h->name, h->units, h->of);
        for (size_t g = 0; g < h->n_groups; g++)
            for (size_t k = 0; k < 3; k++) {
                snprintf(label, sizeof label, "  %s%s%s", h->groups[g], h->groups[g][0] ? ": " : "", names[k]);
                pk_compare_pad(text, label, pk_compare_label_columns(c), false);
                for (size_t a = 0; a < c->n_arms; a++)
                    pk_compare_put_number(text, quantile_of(c, h, a, g, told[k]), 2, PK_NUMBER_COLUMNS);
                pk_text_put(text, "\n");
            }
    }
}

/* ---- preventions -------------------------------------------------------------------------------------------- */

static void put_row(const struct pk_comparison *c, struct pk_text *text, const char *label, struct pk_mean mean)
{
    pk_compare_pad(text, label, pk_compare_label_columns(c), false);
    pk_compare_put_number(text, mean.mean, 1, PK_NUMBER_COLUMNS);
    pk_compare_put_number(text, mean.standard_error, 2, PK_NUMBER_COLUMNS);
    pk_text_put(text, "\n");
}

/* By calendar year after the start, eight in a line. */
static void put_years(const struct pk_comparison *c, struct pk_text *text, const char *label, const double *means,
                      const double *errors, const struct pk_compare_prevention *prevention)
{
    enum { IN_LINE = 8 };
    char number[32];
    for (size_t first = 0; first < prevention->n_years; first += IN_LINE) {
        const size_t after = first + IN_LINE < prevention->n_years ? first + IN_LINE : prevention->n_years;
        pk_compare_pad(text, first == 0 ? label : "", pk_compare_label_columns(c), false);
        for (size_t y = first; y < after; y++) {
            snprintf(number, sizeof number, "year %zu", y + 1);
            pk_compare_pad(text, number, PK_NUMBER_COLUMNS, true);
        }
        pk_text_put(text, "\n");
        for (int error = 0; error <= 1; error++) {
            pk_compare_pad(text, error ? "    s.e." : "", pk_compare_label_columns(c), false);
            for (size_t y = first; y < after; y++)
                pk_compare_put_number(text, (error ? errors : means)[y] * prevention->scale, error ? 2 : 1,
                                      PK_NUMBER_COLUMNS);
            pk_text_put(text, "\n");
        }
    }
}

void pk_compare_put_preventions(const struct pk_comparison *c, struct pk_text *text)
{
    if (c->n_preventions == 0)
        return;
    pk_text_put(text, "\nPrevented events. Marginal figures of each arm: who was helped is a property of how the arms "
                      "are coupled, not of the\ndata.\n");
    for (size_t i = 0; i < c->n_preventions; i++) {
        const struct pk_compare_prevention *prevention = &c->preventions[i];
        pk_text_addf(text, "%s, %s\n", prevention->arm, prevention->name);
        pk_compare_pad(text, "", pk_compare_label_columns(c), false);
        pk_compare_pad(text, "number", PK_NUMBER_COLUMNS, true);
        pk_compare_pad(text, "s.e.", PK_NUMBER_COLUMNS, true);
        pk_text_put(text, "\n");
        put_row(c, text, "  persons with an event blocked", prevention->persons);
        put_row(c, text, "  persons without the event by the horizon", prevention->persons_without);
        put_row(c, text, "  later occurrences (persons)", prevention->persons_later);
        put_years(c, text, "  events blocked", prevention->blocked, prevention->blocked_se, prevention);
        put_years(c, text, "  fewer events (without the arm - with it)", prevention->fewer, prevention->fewer_se,
                  prevention);
    }
}
