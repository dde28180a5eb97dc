/* What the answer rests on: how far each input moves the headline difference, by the kind of its source. See compare.h.
 *
 * An input without a range has an influence that nobody knows; it is counted, not guessed. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "compare_private.h"
#include "polku/csv.h"

/* The parameter that a variant moves alone: to an end of its range, or to an alternative; false: it is no such. */
static bool moves(const struct pk_comparison *c, size_t i_variant, const char *parameter, bool *range)
{
    const char *topic = c->variant_topics[i_variant], *changed = c->variant_changed[i_variant];
    *range = strcmp(topic, "range") == 0;
    if (*range)
        return strcmp(c->variant_names[i_variant], parameter) == 0;
    const size_t n = strlen(parameter);
    return strcmp(topic, "alternatives") == 0 && strncmp(changed, parameter, n) == 0 &&
           strncmp(changed + n, " = ", 3) == 0 && strstr(changed, ", ") == NULL;
}

/* The main run's difference over as many units as the variants have: the same lives where those are fewer. */
static double main_difference(const struct pk_comparison *c, size_t i_outcome)
{
    struct pk_compare_set main = c->main;
    if (c->n_variants > 0 && c->variants[0].n_units < main.n_units)
        main.n_units = c->variants[0].n_units;
    return pk_compare_difference(&main, pk_compare_headline(c), i_outcome).mean;
}

double pk_compare_influence(const struct pk_comparison *c, size_t i_parameter, size_t i_outcome)
{
    double widest = (double)NAN;
    for (int of_range = 0; of_range <= 1; of_range++) {
        double low = INFINITY, high = -INFINITY;
        size_t n = 0;
        for (size_t v = 0; v < c->n_variants; v++) {
            bool range;
            if (!moves(c, v, c->parameter_names[i_parameter], &range) || range != of_range)
                continue;
            const double mean = pk_compare_difference(&c->variants[v], pk_compare_headline(c), i_outcome).mean;
            if (!isfinite(mean)) /* an end that is no possible model */
                continue;
            low = fmin(low, mean);
            high = fmax(high, mean);
            n++;
        }
        if (n == 1) { /* the other end is the value in use, or is impossible */
            low = fmin(low, main_difference(c, i_outcome));
            high = fmax(high, main_difference(c, i_outcome));
        }
        if (n > 0 && !(high - low <= widest))
            widest = high - low;
    }
    return widest;
}

bool pk_compare_weighs(const struct pk_comparison *c, size_t i_outcome)
{
    bool decides = false;
    for (size_t i = 0; i < c->n_outcomes; i++)
        decides |= pk_compare_has_flag(c, i, PK_FLAG_DECIDES);
    return decides ? pk_compare_has_flag(c, i_outcome, PK_FLAG_DECIDES) : i_outcome == 0;
}

size_t pk_compare_weigh(const struct pk_comparison *c, size_t i_outcome,
                        struct pk_compare_weight weights[PK_COMPARE_KINDS], size_t *n_unknown)
{
    double all = 0;
    size_t n = 0, n_known = 0;
    *n_unknown = 0;
    for (size_t k = 0; k < PK_COMPARE_KINDS; k++)
        weights[k] = (struct pk_compare_weight){.kind = pk_source_names[k], .i_largest = SIZE_MAX};
    for (size_t i = 0; i < c->n_parameters; i++) {
        const double influence = pk_compare_influence(c, i, i_outcome);
        if (!isnan(influence))
            n_known++;
        else if (c->parameters_in_use == NULL || c->parameters_in_use[i] != 0)
            (*n_unknown)++;
        for (size_t k = 0; k < PK_COMPARE_KINDS && influence > 0; k++) {
            struct pk_compare_weight *weight = &weights[k];
            if (strcmp(weight->kind, c->parameter_kinds[i]) != 0)
                continue;
            if (weight->i_largest == SIZE_MAX || influence > weight->largest) {
                weight->i_largest = i;
                weight->largest = influence;
            }
            weight->sum += influence;
            all += influence;
        }
    }
    for (size_t k = 0; k < PK_COMPARE_KINDS; k++) /* those that move it, the heaviest first */
        for (size_t j = k; j > 0 && weights[j].sum > weights[j - 1].sum; j--) {
            const struct pk_compare_weight lighter = weights[j - 1];
            weights[j - 1] = weights[j];
            weights[j] = lighter;
        }
    for (; n < PK_COMPARE_KINDS && weights[n].sum > 0; n++)
        weights[n].share = weights[n].sum / all;
    return n_known > 0 ? n : SIZE_MAX;
}

static void put_difference(const struct pk_comparison *c, struct pk_text *text, size_t i_outcome)
{
    const struct pk_compare_pair pair = pk_compare_headline(c);
    pk_text_addf(text, "  Weighed by how far each moves %s - %s of %s: ", c->arm_names[pair.i_arm],
                 c->arm_names[pair.i_against], c->outcome_labels[i_outcome]);
}

void pk_compare_put_weighed(const struct pk_comparison *c, struct pk_text *text)
{
    struct pk_compare_weight weights[PK_COMPARE_KINDS];
    size_t n_unknown = 0, n_told = 0;
    bool calibrated = false;
    for (size_t i = 0; i < c->n_outcomes && c->n_pairs > 0; i++) {
        if (!pk_compare_weighs(c, i))
            continue;
        const size_t n = pk_compare_weigh(c, i, weights, &n_unknown);
        if (n == SIZE_MAX)
            continue;
        n_told++;
        put_difference(c, text, i);
        for (size_t k = 0; k < n; k++) {
            calibrated |= strcmp(weights[k].kind, pk_source_names[PK_SOURCE_CALIBRATED]) == 0;
            pk_text_addf(text, "%s%s %.0f %% (%s)", k ? ", " : "", weights[k].kind, 100 * weights[k].share,
                         c->parameter_names[weights[k].i_largest]);
        }
        pk_text_put(text, n == 0 ? "no input with a range moves it\n" : "\n");
    }
    if (n_told > 0)
        pk_text_addf(
            text,
            "    shares of the sum of |high - low| over each input's range%s; in brackets the input that moves "
            "it most.\n    Nobody knows the influence of the %zu inputs in use that have no range.\n",
            calibrated ? " (of a calibrated one: 95 % of its sample)" : "", n_unknown);
    else if (c->prices.told[0] != '\0')
        pk_text_put(text, "  Not weighed: the ranges were run at the old prices.\n");
    else if (c->n_pairs > 0)
        pk_text_put(text, "  Not weighed by how far each moves the answer: no ranges were run; ranges: true in the "
                          "scenario would tell.\n");
}

/* ---- JSON and CSV ------------------------------------------------------------------------------------------- */

static void json_outcome(const struct pk_comparison *c, struct pk_text *text, size_t i_outcome)
{
    struct pk_compare_weight weights[PK_COMPARE_KINDS];
    size_t n_unknown;
    char label[160];
    const char *separator = "";
    double all = 0;
    const size_t n = pk_compare_weigh(c, i_outcome, weights, &n_unknown);
    pk_text_put(text, "{\"outcome\": ");
    pk_text_add_json_string(text, c->outcome_names[i_outcome]);
    pk_compare_pair_label(c, pk_compare_headline(c), label, sizeof label);
    pk_text_put(text, ", \"difference\": ");
    pk_text_add_json_string(text, label);
    pk_text_addf(text, ", \"without_range\": %zu, \"kinds\": [", n_unknown);
    for (size_t k = 0; n != SIZE_MAX && k < n; k++) {
        all += weights[k].sum;
        pk_text_addf(text, "%s{\"kind\": \"%s\", \"share\": ", k ? ", " : "", weights[k].kind);
        pk_text_add_json_number(text, weights[k].share);
        pk_text_put(text, ", \"parameter\": ");
        pk_text_add_json_string(text, c->parameter_names[weights[k].i_largest]);
        pk_text_put(text, "}");
    }
    pk_text_put(text, "], \"parameters\": [");
    for (size_t i = 0; i < c->n_parameters; i++) {
        const double influence = pk_compare_influence(c, i, i_outcome);
        if (isnan(influence))
            continue;
        pk_text_addf(text, "%s\n  {\"parameter\": ", separator);
        separator = ",";
        pk_text_add_json_string(text, c->parameter_names[i]);
        pk_text_put(text, ", \"kind\": ");
        pk_text_add_json_string(text, c->parameter_kinds[i]);
        pk_text_put(text, ", \"influence\": ");
        pk_text_add_json_number(text, influence);
        pk_text_put(text, ", \"share\": ");
        pk_text_add_json_number(text, all > 0 ? influence / all : (double)NAN);
        pk_text_put(text, "}");
    }
    pk_text_put(text, "]}");
}

void pk_compare_json_weighed(const struct pk_comparison *c, struct pk_text *text)
{
    const char *separator = "";
    pk_text_put(text, "[");
    for (size_t i = 0; i < c->n_outcomes && c->n_pairs > 0; i++)
        if (c->n_variants > 0 && pk_compare_weighs(c, i)) {
            pk_text_put(text, separator);
            json_outcome(c, text, i);
            separator = ",\n ";
        }
    pk_text_put(text, "]");
}

static void csv_outcome(const struct pk_comparison *c, struct pk_text *text, size_t i_outcome)
{
    char label[160], number[32];
    pk_compare_pair_label(c, pk_compare_headline(c), label, sizeof label);
    for (size_t i = 0; i < c->n_parameters; i++) {
        const double influence = pk_compare_influence(c, i, i_outcome);
        if (isnan(influence))
            continue;
        if (text->size == 0)
            pk_text_put(text, "outcome,difference,parameter,source_kind,influence\n");
        snprintf(number, sizeof number, "%.10g", influence);
        const char *const cells[] = {c->outcome_names[i_outcome], label, c->parameter_names[i], c->parameter_kinds[i],
                                     number};
        for (size_t k = 0; k < 5; k++)
            pk_csv_put(text, cells[k], k == 4);
    }
}

enum pk_status pk_compare_csv_weighed(const char *path, struct pk_text *text, struct pk_error *error)
{
    struct pk_comparison comparison;
    pk_text_init(text);
    const enum pk_status status = pk_comparison_open(&comparison, path, NULL, 2, error);
    if (status != PK_OK)
        return status;
    for (size_t i = 0; i < comparison.n_outcomes && comparison.n_pairs > 0; i++)
        if (pk_compare_weighs(&comparison, i))
            csv_outcome(&comparison, text, i);
    pk_comparison_free(&comparison);
    return PK_OK;
}
