/* The bridge to the scenario: what each step contributes. See compare.h, and bridge.h for how it is made. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "compare_private.h"

static const char *const figures[PK_COMPARE_BRIDGE_FIGURES] = {"value", "contribution", "first", "last"};

const char *const pk_compare_bridge_columns[PK_COMPARE_BRIDGE_COLUMNS] = {
    "step",    "label_fi", "label_sv", "label_en",     "outcome",         "arm",   "against",
    "changed", "value",    "value_se", "contribution", "contribution_se", "first", "first_se",
    "last",    "last_se",  "run",      "run_first",    "run_last"};

bool pk_compare_of_bridge(const struct pk_comparison *c, size_t i_variant)
{
    return strcmp(c->variant_topics[i_variant], "bridge") == 0;
}

void pk_compare_read_bridge(struct pk_compare_reading *reading, size_t language)
{
    static const char *const labels[] = {"label_fi", "label_sv", "label_en"};
    struct pk_comparison *c = reading->comparison;
    struct pk_compare_bridge *bridge = &c->bridge;
    char path[64];
    if (reading->status != PK_OK || !pk_results_has(reading->results, "/bridge/step"))
        return;
    const size_t n = pk_compare_length_of(reading, "/bridge/step");
    bridge->names = pk_compare_texts_of(reading, "/bridge/step", n);
    snprintf(path, sizeof path, "/bridge/%s", labels[language]);
    bridge->labels = pk_compare_texts_of(reading, path, n);
    bridge->changed = pk_compare_texts_of(reading, "/bridge/changed", n);
    bridge->arms = pk_compare_texts_of(reading, "/bridge/arm", n);
    bridge->against = pk_compare_texts_of(reading, "/bridge/against", n);
    char **outcomes = pk_compare_texts_of(reading, "/bridge/outcome", n);
    for (size_t k = 0; k < PK_COMPARE_BRIDGE_FIGURES; k++) {
        snprintf(path, sizeof path, "/bridge/%s", figures[k]);
        bridge->values[k] = pk_compare_doubles_of(reading, path, n);
        snprintf(path, sizeof path, "/bridge/%s_se", figures[k]);
        bridge->errors[k] = pk_compare_doubles_of(reading, path, n);
    }
    if (reading->status == PK_OK)
        reading->status =
            pk_results_read_number(reading->results, "/bridge", "replications", &bridge->replications, reading->error);
    if (reading->status != PK_OK || n == 0)
        return;
    for (bridge->i_outcome = 0; bridge->i_outcome < c->n_outcomes; bridge->i_outcome++)
        if (strcmp(c->outcome_names[bridge->i_outcome], outcomes[0]) == 0)
            break;
    if (bridge->i_outcome == c->n_outcomes)
        reading->status =
            pk_error_set(reading->error, PK_BAD_INPUT, "the bridge is about %s, which is no outcome", outcomes[0]);
    else
        bridge->n_stages = n;
}

/* A long label stands on a line of its own, so that figures stay in their columns. */
static void put_label(const struct pk_comparison *c, struct pk_text *text, size_t i)
{
    char label[512];
    const int columns = pk_compare_label_columns(c);
    snprintf(label, sizeof label, "%s%s", i == 0 ? "" : "+ ", c->bridge.labels[i]);
    pk_compare_pad(text, label, columns, false);
    if ((int)pk_text_columns(label) >= columns) {
        pk_text_put(text, "\n");
        pk_compare_pad(text, "", columns, false);
    }
}

void pk_compare_put_bridge(const struct pk_comparison *c, struct pk_text *text)
{
    static const char *const headings[PK_COMPARE_BRIDGE_FIGURES] = {"figure", "in this order", "as first", "as last"};
    const struct pk_compare_bridge *bridge = &c->bridge;
    if (bridge->n_stages == 0)
        return;
    const bool ratio = c->main.ratios != NULL && c->main.ratios[bridge->i_outcome] != 0;
    const int decimals = ratio ? 4 : 1;
    pk_text_addf(text, "\nA bridge to the scenario: %s, %s, for %s; %.0f replications on the same random numbers\n",
                 c->outcome_labels[bridge->i_outcome], bridge->arms[0], c->per_label, bridge->replications);
    pk_compare_pad(text, "", pk_compare_label_columns(c), false);
    for (size_t k = 0; k < PK_COMPARE_BRIDGE_FIGURES; k++) {
        pk_compare_pad(text, headings[k], PK_NUMBER_COLUMNS + (k == 1), true);
        pk_compare_pad(text, "s.e.", PK_NUMBER_COLUMNS, true);
    }
    pk_text_put(text, "\n");
    for (size_t i = 0; i < bridge->n_stages; i++) {
        put_label(c, text, i);
        for (size_t k = 0; k < (i == 0 ? 1 : PK_COMPARE_BRIDGE_FIGURES); k++) {
            pk_compare_put_number(text, bridge->values[k][i], decimals, PK_NUMBER_COLUMNS + (k == 1));
            pk_compare_put_number(text, bridge->errors[k][i], decimals + 1, PK_NUMBER_COLUMNS);
        }
        pk_text_put(text, "\n");
        if (bridge->changed[i][0] != '\0')
            pk_text_addf(text, "    %s\n", bridge->changed[i]);
    }
    pk_text_put(text,
                "figure: with the steps down to that line. What a step adds, in this order: to those above it; as "
                "first: to the first\nline alone; as last: when all others are there. Where these differ, steps "
                "act on each other, and no step has a\nshare of its own. Each s.e. is simulation error, from the "
                "same lives in all runs.\n");
    for (size_t v = 0; v < c->n_variants; v++)
        if (pk_compare_of_bridge(c, v) && c->variant_warnings[v][0] != '\0')
            pk_text_addf(text, "  ! %s: %s%s", c->variant_names[v], c->variant_warnings[v],
                         c->variant_warnings[v][strlen(c->variant_warnings[v]) - 1] == '\n' ? "" : "\n");
}

static void json_text(struct pk_text *text, const char *key, const char *value)
{
    pk_text_addf(text, "\"%s\": ", key);
    pk_text_add_json_string(text, value);
}

void pk_compare_json_bridge(const struct pk_comparison *c, struct pk_text *text)
{
    const struct pk_compare_bridge *bridge = &c->bridge;
    if (bridge->n_stages == 0) {
        pk_text_put(text, "null");
        return;
    }
    pk_text_put(text, "{");
    json_text(text, "outcome", c->outcome_names[bridge->i_outcome]);
    pk_text_put(text, ", ");
    json_text(text, "unit", c->outcome_units[bridge->i_outcome]);
    pk_text_put(text, ", ");
    json_text(text, "arm", bridge->arms[0]);
    pk_text_put(text, ", \"replications\": ");
    pk_text_add_json_number(text, bridge->replications);
    pk_text_put(text, ", \"steps\": [");
    for (size_t i = 0; i < bridge->n_stages; i++) {
        pk_text_put(text, i ? ",\n  {" : "\n  {");
        json_text(text, "step", bridge->names[i]);
        pk_text_put(text, ", ");
        json_text(text, "label", bridge->labels[i]);
        pk_text_put(text, ", ");
        json_text(text, "changed", bridge->changed[i]);
        pk_text_put(text, ", ");
        json_text(text, "against", bridge->against[i]);
        for (size_t k = 0; k < (i == 0 ? 1 : PK_COMPARE_BRIDGE_FIGURES); k++) {
            pk_text_addf(text, ", \"%s\": {\"value\": ", figures[k]);
            pk_text_add_json_number(text, bridge->values[k][i]);
            pk_text_put(text, ", \"standard_error\": ");
            pk_text_add_json_number(text, bridge->errors[k][i]);
            pk_text_put(text, "}");
        }
        pk_text_put(text, "}");
    }
    pk_text_put(text, "]}");
}
