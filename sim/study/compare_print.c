/* A comparison as text for people and as JSON. See compare.h. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "polku/compare.h"

enum { LABEL_COLUMNS = 44, NUMBER_COLUMNS = 13 };
enum { FLAG_SHARE = 1, FLAG_EUROS = 2, FLAG_DECIDES = 4 };

static bool has_flag(const struct pk_comparison *c, size_t i_outcome, int flag)
{
    return ((int)c->flags[i_outcome] & flag) != 0;
}

static void pad(struct pk_text *text, const char *cell, int columns, bool right)
{
    int blanks = columns - (int)pk_text_columns(cell);
    for (int i = 0; right && i < blanks; i++)
        pk_text_add(text, " ", 1);
    pk_text_addf(text, "%s", cell);
    for (int i = 0; !right && i < blanks; i++)
        pk_text_add(text, " ", 1);
}

/* With thousands set apart by a narrow rule: 12,345.67 */
static void put_number(struct pk_text *text, double value, int decimals, int columns)
{
    char digits[64], grouped[96];
    if (!isfinite(value)) {
        pad(text, "-", columns, true);
        return;
    }
    snprintf(digits, sizeof digits, "%.*f", decimals, value);
    const char *start = digits[0] == '-' ? digits + 1 : digits;
    size_t n_whole = strcspn(start, "."), k = 0;
    if (digits[0] == '-')
        grouped[k++] = '-';
    for (size_t i = 0; start[i] != '\0'; i++) {
        if (i > 0 && i < n_whole && (n_whole - i) % 3 == 0)
            grouped[k++] = ',';
        grouped[k++] = start[i];
    }
    grouped[k] = '\0';
    pad(text, grouped, columns, true);
}

static void pair_label(const struct pk_comparison *c, struct pk_compare_pair pair, char *label, size_t size)
{
    snprintf(label, size, "%s-%s", c->arm_names[pair.i_arm], c->arm_names[pair.i_against]);
}

/* The pair that the error and range columns are about: the last. */
static struct pk_compare_pair headline(const struct pk_comparison *c) { return c->pairs[c->n_pairs - 1]; }

static void put_header(const struct pk_comparison *c, struct pk_text *text, const char *first)
{
    char label[160];
    pad(text, first, LABEL_COLUMNS, false);
    for (size_t a = 0; a < c->n_arms; a++)
        pad(text, c->arm_names[a], NUMBER_COLUMNS, true);
    for (size_t p = 0; p < c->n_pairs; p++) {
        pair_label(c, c->pairs[p], label, sizeof label);
        pad(text, label, NUMBER_COLUMNS, true);
    }
    if (c->n_pairs > 0) {
        pad(text, "s.e.", NUMBER_COLUMNS, true);
        pad(text, "low", NUMBER_COLUMNS, true);
        pad(text, "high", NUMBER_COLUMNS, true);
    }
    pk_text_add(text, "\n", 1);
}

static void put_outcome(const struct pk_comparison *c, struct pk_text *text, size_t i)
{
    char label[256];
    snprintf(label, sizeof label, "%s", c->outcome_labels[i]);
    pad(text, label, LABEL_COLUMNS, false);
    for (size_t a = 0; a < c->n_arms; a++)
        put_number(text, pk_compare_arm(&c->main, a, i).mean, 1, NUMBER_COLUMNS);
    for (size_t p = 0; p < c->n_pairs; p++)
        put_number(text, pk_compare_difference(&c->main, c->pairs[p], i).mean, 1, NUMBER_COLUMNS);
    if (c->n_pairs > 0) {
        double low, high;
        bool any = pk_compare_range(c, headline(c), i, &low, &high);
        put_number(text, pk_compare_difference(&c->main, headline(c), i).standard_error, 2, NUMBER_COLUMNS);
        put_number(text, any ? low : (double)NAN, 1, NUMBER_COLUMNS);
        put_number(text, any ? high : (double)NAN, 1, NUMBER_COLUMNS);
    }
    pk_text_add(text, "\n", 1);
    bool persons = strcmp(c->outcome_units[i], "persons") == 0;
    if (persons) {
        pad(text, "  % of them", LABEL_COLUMNS, false);
        for (size_t a = 0; a < c->n_arms; a++)
            put_number(text, 100 * pk_compare_arm(&c->main, a, i).mean / c->main.scale, 2, NUMBER_COLUMNS);
        for (size_t p = 0; p < c->n_pairs; p++)
            put_number(text, 100 * pk_compare_difference(&c->main, c->pairs[p], i).mean / c->main.scale, 2,
                       NUMBER_COLUMNS);
        pk_text_add(text, "\n", 1);
    }
    if (has_flag(c, i, FLAG_SHARE) && c->n_pairs > 0) {
        pad(text, "  of it there anyway, % (reference / arm)", LABEL_COLUMNS, false);
        for (size_t a = 0; a < c->n_arms; a++)
            pad(text, "", NUMBER_COLUMNS, true);
        for (size_t p = 0; p < c->n_pairs; p++)
            put_number(text, 100 * pk_compare_share(&c->main, c->pairs[p], i).mean, 1, NUMBER_COLUMNS);
        pk_text_add(text, "\n", 1);
    }
}

static void put_euros(const struct pk_comparison *c, struct pk_text *text)
{
    bool any = false;
    for (size_t a = 0; a < c->n_arms; a++)
        any |= c->main.costs[a] != 0;
    if (!any || c->n_pairs == 0)
        return;
    pad(text, "programme cost, euros", LABEL_COLUMNS, false);
    for (size_t a = 0; a < c->n_arms; a++)
        put_number(text, c->main.costs[a] * c->main.scale, 0, NUMBER_COLUMNS);
    for (size_t p = 0; p < c->n_pairs; p++)
        put_number(text, (c->main.costs[c->pairs[p].i_arm] - c->main.costs[c->pairs[p].i_against]) * c->main.scale, 0,
                   NUMBER_COLUMNS);
    pk_text_add(text, "\neuros per additional ...\n", 26);
    for (size_t i = 0; i < c->n_outcomes; i++) {
        char label[256];
        if (!has_flag(c, i, FLAG_EUROS))
            continue;
        snprintf(label, sizeof label, "  %s", c->outcome_labels[i]);
        pad(text, label, LABEL_COLUMNS, false);
        for (size_t a = 0; a < c->n_arms; a++)
            pad(text, "", NUMBER_COLUMNS, true);
        for (size_t p = 0; p < c->n_pairs; p++) {
            double euros = pk_compare_euros(&c->main, c->pairs[p], i);
            if (isnan(euros))
                pad(text, "not mean'ful", NUMBER_COLUMNS, true);
            else
                put_number(text, euros, 0, NUMBER_COLUMNS);
        }
        pk_text_add(text, "\n", 1);
    }
}

/* How far one real programme of this size would differ from the expected value, by chance alone. */
static void put_spread(const struct pk_comparison *c, struct pk_text *text)
{
    if (!c->replicated)
        return;
    pk_text_addf(text, "\nspread of one real programme (standard deviation between programmes of %.0f, by chance alone)\n",
                 c->main.persons[0]);
    for (size_t i = 0; i < c->n_outcomes; i++) {
        char label[256];
        if (!has_flag(c, i, FLAG_DECIDES) && !has_flag(c, i, FLAG_SHARE))
            continue;
        snprintf(label, sizeof label, "  %s", c->outcome_labels[i]);
        pad(text, label, LABEL_COLUMNS, false);
        for (size_t a = 0; a < c->n_arms; a++)
            put_number(text, pk_compare_spread(&c->main, a, i), 1, NUMBER_COLUMNS);
        pk_text_add(text, "\n", 1);
    }
}

static void put_lines(struct pk_text *text, const char *heading, const char *lines)
{
    if (lines == NULL || lines[0] == '\0')
        return;
    pk_text_addf(text, "%s\n", heading);
    for (const char *line = lines; *line != '\0';) {
        size_t n = strcspn(line, "\n");
        pk_text_addf(text, "  %.*s\n", (int)n, line);
        line += n + (line[n] == '\n');
    }
}

static void put_variant_warnings(const struct pk_comparison *c, struct pk_text *text)
{
    for (size_t v = 0; v < c->n_variants; v++)
        if (c->variant_warnings[v][0] != '\0')
            pk_text_addf(text, "  * %s, %s: %s%s", c->variant_topics[v],
                         strcmp(c->variant_topics[v], "range") == 0 ? c->variant_changed[v] : c->variant_names[v],
                         c->variant_warnings[v],
                         c->variant_warnings[v][strlen(c->variant_warnings[v]) - 1] == '\n' ? "" : "\n");
}

static void put_decides(const struct pk_comparison *c, struct pk_text *text)
{
    size_t i_last = c->n_arms - 1;
    for (size_t i = 0; i < c->n_outcomes; i++) {
        if (!has_flag(c, i, FLAG_DECIDES) || c->n_variants == 0)
            continue;
        pk_text_addf(text, "\nWhat decides: %s, for %s, one input changed at a time, the same random numbers\n",
                     c->outcome_labels[i], c->per_label);
        const char *topic = "";
        char label[256];
        pad(text, "", LABEL_COLUMNS, false);
        for (size_t p = 0; p < c->n_pairs; p++)
            if (c->pairs[p].i_arm == i_last || c->n_arms == 2) {
                pair_label(c, c->pairs[p], label, sizeof label);
                pad(text, label, NUMBER_COLUMNS, true);
                pad(text, "s.e.", NUMBER_COLUMNS, true);
            }
        pk_text_add(text, "\n", 1);
        for (size_t v = 0; v < c->n_variants; v++) {
            bool range = strcmp(c->variant_topics[v], "range") == 0;
            if (strcmp(topic, c->variant_topics[v]) != 0) {
                topic = c->variant_topics[v];
                pk_text_addf(text, "%s\n", range ? "each input with a range, moved alone to its ends" : topic);
            }
            snprintf(label, sizeof label, "  %s%s", range ? c->variant_changed[v] : c->variant_names[v],
                     c->variant_warnings[v][0] ? " *" : "");
            pad(text, label, LABEL_COLUMNS, false);
            for (size_t p = 0; p < c->n_pairs; p++)
                if (c->pairs[p].i_arm == i_last || c->n_arms == 2) {
                    struct pk_mean mean = pk_compare_difference(&c->variants[v], c->pairs[p], i);
                    put_number(text, mean.mean, 1, NUMBER_COLUMNS);
                    put_number(text, mean.standard_error, 2, NUMBER_COLUMNS);
                }
            pk_text_add(text, "\n", 1);
        }
        put_variant_warnings(c, text);
    }
}

static void put_sources(const struct pk_comparison *c, struct pk_text *text)
{
    static const char *const kinds[] = {"document", "derived", "public", "assumption"};
    static const char *const told[] = {"from the documents", "derived from the documents", "from other public sources",
                                       "assumed"};
    pk_text_add(text, "\nWhere the numbers come from (polku export writes each with its source and caveat)\n", 84);
    for (size_t k = 0; k < 4; k++) {
        size_t n = 0, columns = 0;
        for (size_t i = 0; i < c->n_parameters; i++)
            n += strcmp(c->parameter_kinds[i], kinds[k]) == 0;
        pk_text_addf(text, "  %zu %s:", n, told[k]);
        columns = 200;
        for (size_t i = 0; i < c->n_parameters; i++) {
            if (strcmp(c->parameter_kinds[i], kinds[k]) != 0)
                continue;
            size_t more = strlen(c->parameter_names[i]) + 1;
            if (columns + more > 110) {
                pk_text_add(text, "\n     ", 6);
                columns = 5;
            }
            pk_text_addf(text, " %s", c->parameter_names[i]);
            columns += more;
        }
        pk_text_add(text, "\n", 1);
    }
}

static void put_notes(struct pk_text *text)
{
    pk_text_addf(text,
                 "s.e., low, high: of the last difference. s.e. is simulation error: how far more replications would move "
                 "it.\nlow and high: the lowest and highest difference when each uncertain input alone is moved to the "
                 "ends of its\nrange. They are two different things; neither is a confidence interval of the other.\n");
}

void pk_compare_print(const struct pk_comparison *c, struct pk_text *text)
{
    pk_text_addf(text, "%s\n", c->title);
    pk_text_addf(text, "Figures for %s; %.0f replications of the programme; enrolled:", c->per_label, c->replications);
    for (size_t a = 0; a < c->n_arms; a++)
        pk_text_addf(text, " %s %.0f", c->arm_names[a], c->enrolled[a]);
    pk_text_addf(text, "%s\n\n", c->whole_cohort ? "" : "; about everyone in the population");
    if (c->raw_heading[0] != '\0')
        put_lines(text, c->raw_heading, c->raw);
    for (size_t a = 0; a < c->n_arms; a++) {
        if (c->arm_notes[a][0] != '\0')
            pk_text_addf(text, "%s (%s): %s\n", c->arm_names[a], c->arm_labels[a], c->arm_notes[a]);
        put_lines(text, "  it rests on", c->arm_assumes[a]);
    }
    pk_text_add(text, "\n", 1);
    put_header(c, text, c->per_label);
    for (size_t i = 0; i < c->n_outcomes; i++)
        put_outcome(c, text, i);
    put_euros(c, text);
    put_notes(text);
    put_spread(c, text);
    put_decides(c, text);
    put_sources(c, text);
    put_lines(text, "\nWhat the documents themselves warn of", c->documents_warn);
    put_lines(text, "\nWarnings of this run", c->warnings);
}

/* ---- JSON --------------------------------------------------------------------------------------------------- */

static void json_key(struct pk_text *text, const char *key)
{
    pk_text_add_json_string(text, key);
    pk_text_add(text, ": ", 2);
}

static void json_mean(struct pk_text *text, const char *key, struct pk_mean mean)
{
    json_key(text, key);
    pk_text_add(text, "{\"value\": ", 10);
    pk_text_add_json_number(text, mean.mean);
    pk_text_add(text, ", \"standard_error\": ", 20);
    pk_text_add_json_number(text, mean.standard_error);
}

static void json_set(const struct pk_comparison *c, const struct pk_compare_set *set, bool is_main, struct pk_text *text)
{
    char label[160];
    pk_text_add(text, "[", 1);
    for (size_t i = 0; i < c->n_outcomes; i++) {
        pk_text_addf(text, "%s\n  {\"outcome\": ", i ? "," : "");
        pk_text_add_json_string(text, c->outcome_names[i]);
        pk_text_add(text, ", \"unit\": ", 10);
        pk_text_add_json_string(text, c->outcome_units[i]);
        pk_text_add(text, ", \"arms\": {", 11);
        for (size_t a = 0; a < c->n_arms; a++) {
            pk_text_addf(text, "%s", a ? ", " : "");
            json_mean(text, c->arm_names[a], pk_compare_arm(set, a, i));
            if (is_main && c->replicated) {
                pk_text_add(text, ", \"spread\": ", 12);
                pk_text_add_json_number(text, pk_compare_spread(set, a, i));
            }
            pk_text_add(text, "}", 1);
        }
        pk_text_add(text, "}, \"differences\": {", 19);
        for (size_t p = 0; p < c->n_pairs; p++) {
            double low, high;
            pair_label(c, c->pairs[p], label, sizeof label);
            pk_text_addf(text, "%s", p ? ", " : "");
            json_mean(text, label, pk_compare_difference(set, c->pairs[p], i));
            if (is_main && pk_compare_range(c, c->pairs[p], i, &low, &high)) {
                pk_text_add(text, ", \"low\": ", 9);
                pk_text_add_json_number(text, low);
                pk_text_add(text, ", \"high\": ", 10);
                pk_text_add_json_number(text, high);
            }
            if (has_flag(c, i, FLAG_SHARE)) {
                pk_text_add(text, ", \"reference_share\": ", 21);
                pk_text_add_json_number(text, pk_compare_share(set, c->pairs[p], i).mean);
            }
            if (has_flag(c, i, FLAG_EUROS)) {
                pk_text_add(text, ", \"euros_per_additional\": ", 26);
                pk_text_add_json_number(text, pk_compare_euros(set, c->pairs[p], i));
            }
            pk_text_add(text, "}", 1);
        }
        pk_text_add(text, "}}", 2);
    }
    pk_text_add(text, "]", 1);
}

void pk_compare_json(const struct pk_comparison *c, struct pk_text *text)
{
    pk_text_add(text, "{", 1);
    json_key(text, "title");
    pk_text_add_json_string(text, c->title);
    pk_text_add(text, ",\n ", 3);
    json_key(text, "per");
    pk_text_add_json_string(text, c->per_label);
    pk_text_add(text, ",\n ", 3);
    json_key(text, "per_persons");
    pk_text_add_json_number(text, c->main.scale);
    pk_text_add(text, ",\n ", 3);
    json_key(text, "arms");
    pk_text_add(text, "[", 1);
    for (size_t a = 0; a < c->n_arms; a++) {
        pk_text_addf(text, "%s{\"arm\": ", a ? ", " : "");
        pk_text_add_json_string(text, c->arm_names[a]);
        pk_text_add(text, ", \"note\": ", 10);
        pk_text_add_json_string(text, c->arm_notes[a]);
        pk_text_add(text, ", \"enrolled\": ", 14);
        pk_text_add_json_number(text, c->enrolled[a]);
        pk_text_add(text, ", \"changed\": ", 13);
        pk_text_add_json_number(text, c->changed[a]);
        pk_text_add(text, ", \"cost_euros\": ", 16);
        pk_text_add_json_number(text, c->main.costs[a] * c->main.scale);
        pk_text_add(text, "}", 1);
    }
    pk_text_add(text, "],\n ", 4);
    json_key(text, "outcomes");
    json_set(c, &c->main, true, text);
    pk_text_add(text, ",\n ", 3);
    json_key(text, "variants");
    pk_text_add(text, "[", 1);
    for (size_t v = 0; v < c->n_variants; v++) {
        pk_text_addf(text, "%s\n {\"topic\": ", v ? "," : "");
        pk_text_add_json_string(text, c->variant_topics[v]);
        pk_text_add(text, ", \"name\": ", 10);
        pk_text_add_json_string(text, c->variant_names[v]);
        pk_text_add(text, ", \"changed\": ", 13);
        pk_text_add_json_string(text, c->variant_changed[v]);
        pk_text_add(text, ", \"warning\": ", 13);
        pk_text_add_json_string(text, c->variant_warnings[v]);
        pk_text_add(text, ", \"outcomes\": ", 14);
        json_set(c, &c->variants[v], false, text);
        pk_text_add(text, "}", 1);
    }
    pk_text_add(text, "],\n ", 4);
    json_key(text, "documents_warn");
    pk_text_add_json_string(text, c->documents_warn);
    pk_text_add(text, ",\n ", 3);
    json_key(text, "warnings");
    pk_text_add_json_string(text, c->warnings);
    pk_text_add(text, "}\n", 2);
}
