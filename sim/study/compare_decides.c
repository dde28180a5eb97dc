/* What decides: variants, and inputs moved to the ends of their ranges. See compare.h. */
#include <stdio.h>
#include <string.h>

#include "compare_private.h"
#include "polku/memory.h"

static void put_variant_warnings(const struct pk_comparison *c, struct pk_text *text)
{
    for (size_t v = 0; v < c->n_variants; v++)
        if (c->variant_warnings[v][0] != '\0' && !pk_compare_of_bridge(c, v))
            pk_text_addf(text, "  ! %s, %s: %s%s", c->variant_topics[v],
                         strcmp(c->variant_topics[v], "range") == 0 ? c->variant_changed[v] : c->variant_names[v],
                         c->variant_warnings[v],
                         c->variant_warnings[v][strlen(c->variant_warnings[v]) - 1] == '\n' ? "" : "\n");
}

/* Pairs told in "what decides": those of the last arm. */
static size_t decisive_pairs(const struct pk_comparison *c, struct pk_compare_pair *pairs)
{
    size_t n = 0;
    for (size_t p = 0; p < c->n_pairs; p++)
        if (c->pairs[p].i_arm == c->n_arms - 1 || c->n_arms == 2)
            pairs[n++] = c->pairs[p];
    return n;
}

static bool is_range(const struct pk_comparison *c, size_t i_variant)
{
    return strcmp(c->variant_topics[i_variant], "range") == 0;
}

static void put_variant(const struct pk_comparison *c, struct pk_text *text, size_t i_variant, size_t i_outcome,
                        const struct pk_compare_pair *pairs, size_t n_pairs)
{
    char label[256];
    snprintf(label, sizeof label, "  %s%s",
             is_range(c, i_variant) ? c->variant_changed[i_variant] : c->variant_names[i_variant],
             c->variant_warnings[i_variant][0] ? " !" : "");
    pk_compare_pad(text, label, pk_compare_label_columns(c), false);
    for (size_t p = 0; p < n_pairs; p++) {
        struct pk_mean mean = pk_compare_difference(&c->variants[i_variant], pairs[p], i_outcome);
        pk_compare_put_number(text, mean.mean, 1, PK_NUMBER_COLUMNS);
        pk_compare_put_number(text, mean.standard_error, 2, PK_NUMBER_COLUMNS);
    }
    pk_text_put(text, "\n");
}

/* How far a parameter's ends move the headline difference away from the main run's. */
static double swing_of(const struct pk_comparison *c, const char *parameter, size_t i_outcome)
{
    double main = pk_compare_difference(&c->main, pk_compare_headline(c), i_outcome).mean, most = 0;
    for (size_t v = 0; v < c->n_variants; v++) {
        if (!is_range(c, v) || strcmp(c->variant_names[v], parameter) != 0)
            continue;
        double moved = pk_compare_difference(&c->variants[v], pk_compare_headline(c), i_outcome).mean - main;
        most = moved > most ? moved : -moved > most ? -moved : most;
    }
    return most;
}

/* Inputs with a range, the one that moves the headline difference most first; those that cannot move it in one line. */
static void put_tornado(const struct pk_comparison *c, struct pk_text *text, size_t i_outcome,
                        const struct pk_compare_pair *pairs, size_t n_pairs)
{
    double *swings = pk_alloc(c->n_variants, sizeof *swings);
    if (swings == NULL)
        return;
    for (size_t v = 0; v < c->n_variants; v++)
        swings[v] = is_range(c, v) ? swing_of(c, c->variant_names[v], i_outcome) : -1;
    pk_text_put(
        text, "each input with a range, moved alone to its ends; the one that moves the last difference most first\n");
    for (;;) {
        size_t best = SIZE_MAX;
        for (size_t v = 0; v < c->n_variants; v++)
            if (swings[v] >= 0 && (best == SIZE_MAX || swings[v] > swings[best]))
                best = v;
        if (best == SIZE_MAX)
            break;
        for (size_t v = best; v < c->n_variants; v++)
            if (swings[v] >= 0 && strcmp(c->variant_names[v], c->variant_names[best]) == 0) {
                put_variant(c, text, v, i_outcome, pairs, n_pairs);
                swings[v] = -1;
            }
    }
    pk_free(swings);
}

void pk_compare_put_decides(const struct pk_comparison *c, struct pk_text *text)
{
    struct pk_compare_pair pairs[PK_COMPARE_MAX_PAIRS];
    size_t n_pairs = decisive_pairs(c, pairs), n_told = 0, n_variants = 0;
    for (size_t v = 0; v < c->n_variants; v++)
        n_variants += !pk_compare_of_bridge(c, v);
    for (size_t i = 0; i < c->n_outcomes && n_pairs > 0; i++) {
        if (!pk_compare_has_flag(c, i, PK_FLAG_DECIDES) || n_variants == 0)
            continue;
        n_told++;
        pk_text_addf(text, "\nWhat decides: %s, for %s, one input changed at a time, the same random numbers\n",
                     c->outcome_labels[i], c->per_label);
        const char *topic = "";
        char label[256];
        pk_compare_pad(text, "", pk_compare_label_columns(c), false);
        for (size_t p = 0; p < n_pairs; p++) {
            pk_compare_pair_label(c, pairs[p], label, sizeof label);
            pk_compare_pad(text, label, PK_NUMBER_COLUMNS, true);
            pk_compare_pad(text, "s.e.", PK_NUMBER_COLUMNS, true);
        }
        pk_text_put(text, "\n");
        bool ranges = false;
        for (size_t v = 0; v < c->n_variants; v++) {
            ranges |= is_range(c, v);
            if (is_range(c, v) || pk_compare_of_bridge(c, v))
                continue;
            if (strcmp(topic, c->variant_topics[v]) != 0) {
                topic = c->variant_topics[v];
                pk_text_addf(text, "%s\n", topic);
            }
            put_variant(c, text, v, i, pairs, n_pairs);
        }
        if (ranges)
            put_tornado(c, text, i, pairs, n_pairs);
    }
    if (n_told > 0)
        put_variant_warnings(c, text);
}
