/* A comparison as text for people and as JSON. See compare.h. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "compare_private.h"
#include "polku/memory.h"

enum { NUMBER_COLUMNS = 13, LABEL_COLUMNS_LEAST = 42, LABEL_COLUMNS_MOST = 70 };

bool pk_compare_has_flag(const struct pk_comparison *c, size_t i_outcome, int flag)
{
    return ((int)c->flags[i_outcome] & flag) != 0;
}

static void pad(struct pk_text *text, const char *cell, int columns, bool right)
{
    int blanks = columns - (int)pk_text_columns(cell);
    for (int i = 0; right && i < blanks; i++)
        pk_text_put(text, " ");
    pk_text_addf(text, "%s", cell);
    for (int i = 0; !right && i < blanks; i++)
        pk_text_put(text, " ");
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
    if (strspn(digits, "-0.") == strlen(digits)) /* no minus before a zero */
        snprintf(digits, sizeof digits, "%.*f", decimals, 0.0);
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

void pk_compare_pair_label(const struct pk_comparison *c, struct pk_compare_pair pair, char *label, size_t size)
{
    snprintf(label, size, "%s-%s", c->arm_names[pair.i_arm], c->arm_names[pair.i_against]);
}

/* As wide as the longest label needs. */
static int label_columns(const struct pk_comparison *c)
{
    size_t widest = LABEL_COLUMNS_LEAST;
    for (size_t i = 0; i < c->n_outcomes; i++)
        if (pk_text_columns(c->outcome_labels[i]) + 2 > widest)
            widest = pk_text_columns(c->outcome_labels[i]) + 2;
    return (int)(widest < LABEL_COLUMNS_MOST ? widest : LABEL_COLUMNS_MOST);
}

/* The pair that the error and range columns are about: the last. */
static struct pk_compare_pair headline(const struct pk_comparison *c)
{
    return c->pairs[c->n_pairs - 1];
}

static bool rests_on(const struct pk_comparison *c, size_t i_arm)
{
    return c->arm_assumes[i_arm][0] != '\0';
}

/* "name = value" of what an arm rests on, without the sources. */
static void put_assumed(const struct pk_comparison *c, struct pk_text *text, size_t i_arm)
{
    pk_text_addf(text, "* net of the arm %s, which is an assumption:", c->arm_names[i_arm]);
    for (const char *line = c->arm_assumes[i_arm]; *line != '\0';) {
        size_t n = strcspn(line, "\n"), n_told = strcspn(line, "[");
        pk_text_addf(text, " %.*s;", (int)(n_told < n ? n_told - 1 : n), line);
        line += n + (line[n] == '\n');
    }
    pk_text_put(text, "\n");
}

static void put_header(const struct pk_comparison *c, struct pk_text *text, const char *first)
{
    char label[160];
    pad(text, first, label_columns(c), false);
    for (size_t a = 0; a < c->n_arms; a++)
        pad(text, c->arm_names[a], NUMBER_COLUMNS, true);
    for (size_t p = 0; p < c->n_pairs; p++) {
        pk_compare_pair_label(c, c->pairs[p], label, sizeof label - 1);
        if (rests_on(c, c->pairs[p].i_against))
            strcat(label, "*");
        pad(text, label, NUMBER_COLUMNS, true);
    }
    if (c->n_pairs > 0) {
        pad(text, "s.e.", NUMBER_COLUMNS, true);
        pad(text, "low", NUMBER_COLUMNS, true);
        pad(text, "high", NUMBER_COLUMNS, true);
    }
    pk_text_put(text, "\n");
}

static void put_outcome(const struct pk_comparison *c, struct pk_text *text, size_t i)
{
    char label[256];
    snprintf(label, sizeof label, "%s", c->outcome_labels[i]);
    pad(text, label, label_columns(c), false);
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
    pk_text_put(text, "\n");
    bool persons = strcmp(c->outcome_units[i], "persons") == 0;
    if (persons) {
        pad(text, "  % of them", label_columns(c), false);
        for (size_t a = 0; a < c->n_arms; a++)
            put_number(text, 100 * pk_compare_arm(&c->main, a, i).mean / c->main.scale, 2, NUMBER_COLUMNS);
        for (size_t p = 0; p < c->n_pairs; p++)
            put_number(text, 100 * pk_compare_difference(&c->main, c->pairs[p], i).mean / c->main.scale, 2,
                       NUMBER_COLUMNS);
        pk_text_put(text, "\n");
    }
    if (pk_compare_has_flag(c, i, PK_FLAG_SHARE) && c->n_pairs > 0) {
        pad(text, "  of it there anyway, % (reference / arm)", label_columns(c), false);
        for (size_t a = 0; a < c->n_arms; a++)
            pad(text, "", NUMBER_COLUMNS, true);
        for (size_t p = 0; p < c->n_pairs; p++)
            put_number(text, 100 * pk_compare_share(&c->main, c->pairs[p], i).mean, 1, NUMBER_COLUMNS);
        pk_text_put(text, "\n");
    }
}

static void put_meaningful(struct pk_text *text, double euros)
{
    if (isnan(euros))
        pad(text, "not mean'ful", NUMBER_COLUMNS, true);
    else
        put_number(text, euros, 0, NUMBER_COLUMNS);
}

static void put_euros(const struct pk_comparison *c, struct pk_text *text)
{
    bool any = false;
    for (size_t a = 0; a < c->n_arms; a++)
        any |= c->main.costs[a] != 0;
    if (!any || c->n_pairs == 0)
        return;
    pad(text, "programme cost, euros", label_columns(c), false);
    for (size_t a = 0; a < c->n_arms; a++)
        put_number(text, c->main.costs[a] * c->main.scale, 0, NUMBER_COLUMNS);
    for (size_t p = 0; p < c->n_pairs; p++)
        put_number(text, (c->main.costs[c->pairs[p].i_arm] - c->main.costs[c->pairs[p].i_against]) * c->main.scale, 0,
                   NUMBER_COLUMNS);
    pk_text_put(text, "\neuros per additional ...\n");
    for (size_t i = 0; i < c->n_outcomes; i++) {
        char label[256];
        if (!pk_compare_has_flag(c, i, PK_FLAG_EUROS))
            continue;
        snprintf(label, sizeof label, "  %s", c->outcome_labels[i]);
        pad(text, label, label_columns(c), false);
        for (size_t a = 0; a < c->n_arms; a++)
            pad(text, "", NUMBER_COLUMNS, true);
        for (size_t p = 0; p < c->n_pairs; p++) {
            put_meaningful(text, pk_compare_euros(&c->main, c->pairs[p], i).mean);
        }
        double low, high;
        put_number(text, pk_compare_euros(&c->main, headline(c), i).standard_error, 0, NUMBER_COLUMNS);
        if (pk_compare_euros_range(c, headline(c), i, &low, &high)) {
            put_meaningful(text, low);
            put_meaningful(text, high);
        }
        pk_text_put(text, "\n");
    }
}

/* How far one real programme of this size would differ from the expected value, by chance alone. */
static void put_spread(const struct pk_comparison *c, struct pk_text *text)
{
    if (!c->replicated)
        return;
    pk_text_addf(text,
                 "\nspread of one real programme (standard deviation between programmes of %.0f, by chance alone)\n",
                 c->main.persons[0]);
    for (size_t i = 0; i < c->n_outcomes; i++) {
        char label[256];
        if (!pk_compare_has_flag(c, i, PK_FLAG_DECIDES) && !pk_compare_has_flag(c, i, PK_FLAG_SHARE))
            continue;
        snprintf(label, sizeof label, "  %s", c->outcome_labels[i]);
        pad(text, label, label_columns(c), false);
        for (size_t a = 0; a < c->n_arms; a++)
            put_number(text, pk_compare_spread(&c->main, a, i), 1, NUMBER_COLUMNS);
        pk_text_put(text, "\n");
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
    pad(text, label, label_columns(c), false);
    for (size_t p = 0; p < n_pairs; p++) {
        struct pk_mean mean = pk_compare_difference(&c->variants[i_variant], pairs[p], i_outcome);
        put_number(text, mean.mean, 1, NUMBER_COLUMNS);
        put_number(text, mean.standard_error, 2, NUMBER_COLUMNS);
    }
    pk_text_put(text, "\n");
}

/* How far a parameter's ends move the headline difference away from the main run's. */
static double swing_of(const struct pk_comparison *c, const char *parameter, size_t i_outcome)
{
    double main = pk_compare_difference(&c->main, headline(c), i_outcome).mean, most = 0;
    for (size_t v = 0; v < c->n_variants; v++) {
        if (!is_range(c, v) || strcmp(c->variant_names[v], parameter) != 0)
            continue;
        double moved = pk_compare_difference(&c->variants[v], headline(c), i_outcome).mean - main;
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

static void put_decides(const struct pk_comparison *c, struct pk_text *text)
{
    struct pk_compare_pair pairs[PK_COMPARE_MAX_PAIRS];
    size_t n_pairs = decisive_pairs(c, pairs), n_told = 0;
    for (size_t i = 0; i < c->n_outcomes && n_pairs > 0; i++) {
        if (!pk_compare_has_flag(c, i, PK_FLAG_DECIDES) || c->n_variants == 0)
            continue;
        n_told++;
        pk_text_addf(text, "\nWhat decides: %s, for %s, one input changed at a time, the same random numbers\n",
                     c->outcome_labels[i], c->per_label);
        const char *topic = "";
        char label[256];
        pad(text, "", label_columns(c), false);
        for (size_t p = 0; p < n_pairs; p++) {
            pk_compare_pair_label(c, pairs[p], label, sizeof label);
            pad(text, label, NUMBER_COLUMNS, true);
            pad(text, "s.e.", NUMBER_COLUMNS, true);
        }
        pk_text_put(text, "\n");
        bool ranges = false;
        for (size_t v = 0; v < c->n_variants; v++) {
            ranges |= is_range(c, v);
            if (is_range(c, v))
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

static void put_sources(const struct pk_comparison *c, struct pk_text *text)
{
    static const char *const kinds[] = {"document", "derived", "public", "assumption"};
    static const char *const told[] = {"from the documents", "derived from the documents", "from other public sources",
                                       "assumed"};
    pk_text_put(text, "\nWhere the numbers come from (polku export writes each with its source and caveat)\n");
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
                pk_text_put(text, "\n     ");
                columns = 5;
            }
            pk_text_addf(text, " %s", c->parameter_names[i]);
            columns += more;
        }
        pk_text_put(text, "\n");
    }
}

static void put_notes(struct pk_text *text)
{
    pk_text_addf(
        text, "s.e., low, high: of the last difference. s.e. is simulation error: how far more replications would move "
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
    pk_text_put(text, "\n");
    put_header(c, text, c->per_label);
    for (size_t i = 0; i < c->n_outcomes; i++)
        put_outcome(c, text, i);
    put_euros(c, text);
    for (size_t a = 0; a < c->n_arms; a++)
        if (rests_on(c, a))
            put_assumed(c, text, a);
    put_notes(text);
    put_spread(c, text);
    put_decides(c, text);
    put_sources(c, text);
    put_lines(text, "\nWhat the documents themselves warn of", c->documents_warn);
    put_lines(text, "\nWarnings of this run", c->warnings);
}
