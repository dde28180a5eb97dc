/* A comparison as JSON. See compare.h. */
#include <string.h>

#include "compare_private.h"

static void json_key(struct pk_text *text, const char *key)
{
    pk_text_add_json_string(text, key);
    pk_text_put(text, ": ");
}

static void json_mean(struct pk_text *text, const char *key, struct pk_mean mean)
{
    json_key(text, key);
    pk_text_put(text, "{\"value\": ");
    pk_text_add_json_number(text, mean.mean);
    pk_text_put(text, ", \"standard_error\": ");
    pk_text_add_json_number(text, mean.standard_error);
}

static void json_set(const struct pk_comparison *c, const struct pk_compare_set *set, bool is_main,
                     struct pk_text *text)
{
    char label[160];
    pk_text_put(text, "[");
    for (size_t i = 0; i < c->n_outcomes; i++) {
        pk_text_addf(text, "%s\n  {\"outcome\": ", i ? "," : "");
        pk_text_add_json_string(text, c->outcome_names[i]);
        pk_text_put(text, ", \"unit\": ");
        pk_text_add_json_string(text, c->outcome_units[i]);
        if (pk_compare_about(c, i)[0] != '\0') {
            pk_text_put(text, ", \"about\": ");
            pk_text_add_json_string(text, pk_compare_about(c, i));
        }
        if (pk_compare_has_flag(c, i, PK_FLAG_LEDGER) && c->payers != NULL) {
            pk_text_put(text, ", \"payer\": ");
            pk_text_add_json_string(text, c->payers[i]);
            pk_text_put(text, ", \"kind\": ");
            pk_text_add_json_string(text, c->kinds[i]);
        }
        pk_text_put(text, ", \"arms\": {");
        for (size_t a = 0; a < c->n_arms; a++) {
            pk_text_addf(text, "%s", a ? ", " : "");
            json_mean(text, c->arm_names[a], pk_compare_arm(set, a, i));
            if (is_main && c->replicated) {
                pk_text_put(text, ", \"spread\": ");
                pk_text_add_json_number(text, pk_compare_spread(set, a, i));
            }
            pk_text_put(text, "}");
        }
        pk_text_put(text, "}, \"differences\": {");
        for (size_t p = 0; p < c->n_pairs; p++) {
            double low, high;
            pk_compare_pair_label(c, c->pairs[p], label, sizeof label);
            pk_text_addf(text, "%s", p ? ", " : "");
            json_mean(text, label, pk_compare_difference(set, c->pairs[p], i));
            if (is_main && pk_compare_range(c, c->pairs[p], i, &low, &high)) {
                pk_text_put(text, ", \"low\": ");
                pk_text_add_json_number(text, low);
                pk_text_put(text, ", \"high\": ");
                pk_text_add_json_number(text, high);
            }
            if (is_main && c->arm_assumes[c->pairs[p].i_against][0] != '\0') {
                pk_text_put(text, ", \"net_of_assumed\": ");
                pk_text_add_json_string(text, c->arm_assumes[c->pairs[p].i_against]);
            }
            if (pk_compare_has_flag(c, i, PK_FLAG_SHARE)) {
                pk_text_put(text, ", \"reference_share\": ");
                pk_text_add_json_number(text, pk_compare_share(set, c->pairs[p], i).mean);
            }
            if (pk_compare_has_flag(c, i, PK_FLAG_EUROS)) {
                pk_text_put(text, ", \"euros_per_additional\": ");
                pk_text_add_json_number(text, pk_compare_euros(set, c->pairs[p], i).mean);
                if (is_main && pk_compare_euros_range(c, c->pairs[p], i, &low, &high)) {
                    pk_text_put(text, ", \"euros_low\": ");
                    pk_text_add_json_number(text, low);
                    pk_text_put(text, ", \"euros_high\": ");
                    pk_text_add_json_number(text, high);
                }
            }
            pk_text_put(text, "}");
        }
        pk_text_put(text, "}}");
    }
    pk_text_put(text, "]");
}

static void json_numbers(struct pk_text *text, const char *key, const double *numbers, size_t n, double scale)
{
    pk_text_put(text, ", ");
    json_key(text, key);
    pk_text_put(text, "[");
    for (size_t i = 0; i < n; i++) {
        pk_text_put(text, i ? ", " : "");
        pk_text_add_json_number(text, numbers[i] * scale);
    }
    pk_text_put(text, "]");
}

static void json_histograms(const struct pk_comparison *c, struct pk_text *text)
{
    pk_text_put(text, "[");
    for (size_t i = 0; i < c->n_histograms; i++) {
        const struct pk_compare_histogram *h = &c->histograms[i];
        for (size_t a = 0; a < c->n_arms; a++)
            for (size_t g = 0; g < h->n_groups; g++) {
                pk_text_addf(text, "%s\n {\"histogram\": ", i + a + g ? "," : "");
                pk_text_add_json_string(text, h->name);
                pk_text_put(text, ", \"unit\": ");
                pk_text_add_json_string(text, h->units);
                pk_text_put(text, ", \"arm\": ");
                pk_text_add_json_string(text, c->arm_names[a]);
                pk_text_put(text, ", \"group\": ");
                pk_text_add_json_string(text, h->groups[g]);
                json_numbers(text, "quantiles", h->quantiles, h->n_quantiles, 1);
                json_numbers(text, "values", h->values + (a * h->n_groups + g) * h->n_quantiles, h->n_quantiles, 1);
                pk_text_put(text, "}");
            }
    }
    pk_text_put(text, "]");
}

static void json_preventions(const struct pk_comparison *c, struct pk_text *text)
{
    pk_text_put(text, "[");
    for (size_t i = 0; i < c->n_preventions; i++) {
        const struct pk_compare_prevention *prevention = &c->preventions[i];
        const struct {
            const char *key;
            struct pk_mean mean;
        } told[] = {{"persons_blocked", prevention->persons},
                    {"persons_without", prevention->persons_without},
                    {"persons_later", prevention->persons_later}};
        pk_text_addf(text, "%s\n {\"arm\": ", i ? "," : "");
        pk_text_add_json_string(text, prevention->arm);
        pk_text_put(text, ", \"prevention\": ");
        pk_text_add_json_string(text, prevention->name);
        for (size_t k = 0; k < 3; k++) {
            pk_text_put(text, ", ");
            json_mean(text, told[k].key, told[k].mean);
            pk_text_put(text, "}");
        }
        json_numbers(text, "blocked", prevention->blocked, prevention->n_years, prevention->scale);
        json_numbers(text, "blocked_standard_error", prevention->blocked_se, prevention->n_years, prevention->scale);
        json_numbers(text, "fewer", prevention->fewer, prevention->n_years, prevention->scale);
        json_numbers(text, "fewer_standard_error", prevention->fewer_se, prevention->n_years, prevention->scale);
        pk_text_put(text, "}");
    }
    pk_text_put(text, "]");
}

static void json_calibrations(const struct pk_comparison *c, struct pk_text *text)
{
    pk_text_put(text, "[");
    for (size_t i = 0; i < c->n_calibrations; i++) {
        pk_text_addf(text, "%s{\"study\": ", i ? ", " : "");
        pk_text_add_json_string(text, c->studies[i]);
        pk_text_put(text, ", \"digest\": ");
        pk_text_add_json_string(text, c->study_digests[i]);
        pk_text_put(text, ", \"parameters\": ");
        pk_text_add_json_number(text, c->study_parameters[i]);
        pk_text_put(text, ", \"set_to_others\": ");
        pk_text_add_json_number(text, c->study_others[i]);
        pk_text_put(text, ", \"marks\": [");
        const char *separator = "";
        for (size_t k = 0; k < c->n_marks; k++)
            if (c->mark_studies[k] == (double)i) {
                pk_text_put(text, separator);
                pk_text_add_json_string(text, c->marks[k]);
                separator = ", ";
            }
        pk_text_put(text, "]}");
    }
    pk_text_put(text, "]");
}

void pk_compare_json(const struct pk_comparison *c, struct pk_text *text)
{
    pk_text_put(text, "{");
    json_key(text, "title");
    pk_text_add_json_string(text, c->title);
    pk_text_put(text, ",\n ");
    json_key(text, "calibrated");
    json_calibrations(c, text);
    pk_text_put(text, ",\n ");
    json_key(text, "per");
    pk_text_add_json_string(text, c->per_label);
    pk_text_put(text, ",\n ");
    json_key(text, "per_persons");
    pk_text_add_json_number(text, c->main.scale);
    pk_text_put(text, ",\n ");
    json_key(text, "arms");
    pk_text_put(text, "[");
    for (size_t a = 0; a < c->n_arms; a++) {
        pk_text_addf(text, "%s{\"arm\": ", a ? ", " : "");
        pk_text_add_json_string(text, c->arm_names[a]);
        pk_text_put(text, ", \"note\": ");
        pk_text_add_json_string(text, c->arm_notes[a]);
        pk_text_put(text, ", \"enrolled\": ");
        pk_text_add_json_number(text, c->enrolled[a]);
        pk_text_put(text, ", \"changed\": ");
        pk_text_add_json_number(text, c->changed[a]);
        if (c->touched != NULL) {
            pk_text_put(text, ", \"touched\": ");
            pk_text_add_json_number(text, c->touched[a]);
        }
        pk_text_put(text, ", \"cost_euros\": ");
        pk_text_add_json_number(text, c->main.costs[a] * c->main.scale);
        pk_text_put(text, "}");
    }
    pk_text_put(text, "],\n ");
    json_key(text, "outcomes");
    json_set(c, &c->main, true, text);
    pk_text_put(text, ",\n ");
    json_key(text, "variants");
    pk_text_put(text, "[");
    for (size_t v = 0; v < c->n_variants; v++) {
        pk_text_addf(text, "%s\n {\"topic\": ", v ? "," : "");
        pk_text_add_json_string(text, c->variant_topics[v]);
        pk_text_put(text, ", \"name\": ");
        pk_text_add_json_string(text, c->variant_names[v]);
        pk_text_put(text, ", \"changed\": ");
        pk_text_add_json_string(text, c->variant_changed[v]);
        pk_text_put(text, ", \"warning\": ");
        pk_text_add_json_string(text, c->variant_warnings[v]);
        pk_text_put(text, ", \"outcomes\": ");
        json_set(c, &c->variants[v], false, text);
        pk_text_put(text, "}");
    }
    pk_text_put(text, "],\n ");
    json_key(text, "bridge");
    pk_compare_json_bridge(c, text);
    pk_text_put(text, ",\n ");
    json_key(text, "influence");
    pk_compare_json_weighed(c, text);
    pk_text_put(text, ",\n ");
    json_key(text, "histograms");
    json_histograms(c, text);
    pk_text_put(text, ",\n ");
    json_key(text, "preventions");
    json_preventions(c, text);
    pk_text_put(text, ",\n ");
    json_key(text, "places");
    pk_compare_json_places(c, text);
    pk_text_put(text, ",\n ");
    json_key(text, "prices_set");
    pk_text_add_json_string(text, c->prices.told);
    pk_text_put(text, ",\n ");
    json_key(text, "documents_warn");
    pk_text_add_json_string(text, c->documents_warn);
    pk_text_put(text, ",\n ");
    json_key(text, "warnings");
    pk_text_add_json_string(text, c->warnings);
    pk_text_put(text, "}\n");
}
