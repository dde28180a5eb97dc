/* A comparison as text for people and as JSON. See compare.h. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "compare_private.h"
#include "polku/memory.h"

enum { LABEL_COLUMNS_LEAST = 42, LABEL_COLUMNS_MOST = 70 };

const char *pk_compare_about(const struct pk_comparison *c, size_t i_outcome)
{
    return c->abouts == NULL ? "" : c->abouts[i_outcome];
}

bool pk_compare_has_flag(const struct pk_comparison *c, size_t i_outcome, int flag)
{
    return ((int)c->flags[i_outcome] & flag) != 0;
}

void pk_compare_pad(struct pk_text *text, const char *cell, int columns, bool right)
{
    int blanks = columns - (int)pk_text_columns(cell);
    if (right && blanks < 1 && columns > 0) /* never into the cell before */
        blanks = 1;
    for (int i = 0; right && i < blanks; i++)
        pk_text_put(text, " ");
    pk_text_addf(text, "%s", cell);
    for (int i = 0; !right && i < blanks; i++)
        pk_text_put(text, " ");
}

/* Thousands set apart; true where the cell leaves a blank before it. */
static bool group_digits(double value, int decimals, int columns, char grouped[96])
{
    char digits[64];
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
    return k < (size_t)columns;
}

void pk_compare_put_number(struct pk_text *text, double value, int decimals, int columns)
{
    char grouped[96];
    if (!isfinite(value)) {
        pk_compare_pad(text, "-", columns, true);
        return;
    }
    if (!group_digits(value, decimals, columns, grouped) && !group_digits(value, 0, columns, grouped))
        pk_text_put(text, " ");
    pk_compare_pad(text, grouped, columns, true);
}

void pk_compare_pair_label(const struct pk_comparison *c, struct pk_compare_pair pair, char *label, size_t size)
{
    snprintf(label, size, "%s-%s", c->arm_names[pair.i_arm], c->arm_names[pair.i_against]);
}

int pk_compare_label_columns(const struct pk_comparison *c)
{
    size_t widest = LABEL_COLUMNS_LEAST;
    for (size_t i = 0; i < c->n_outcomes; i++)
        if (pk_text_columns(c->outcome_labels[i]) + 2 > widest)
            widest = pk_text_columns(c->outcome_labels[i]) + 2;
    return (int)(widest < LABEL_COLUMNS_MOST ? widest : LABEL_COLUMNS_MOST);
}

struct pk_compare_pair pk_compare_headline(const struct pk_comparison *c)
{
    return c->pairs[c->n_pairs - 1];
}

bool pk_compare_rests_on(const struct pk_comparison *c, size_t i_arm)
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

void pk_compare_put_header(const struct pk_comparison *c, struct pk_text *text, const char *first, bool range)
{
    char label[160];
    pk_compare_pad(text, first, pk_compare_label_columns(c), false);
    for (size_t a = 0; a < c->n_arms; a++)
        pk_compare_pad(text, c->arm_names[a], PK_NUMBER_COLUMNS, true);
    for (size_t p = 0; p < c->n_pairs; p++) {
        pk_compare_pair_label(c, c->pairs[p], label, sizeof label - 1);
        if (pk_compare_rests_on(c, c->pairs[p].i_against))
            strcat(label, "*");
        pk_compare_pad(text, label, PK_NUMBER_COLUMNS, true);
    }
    if (c->n_pairs > 0) {
        pk_compare_pad(text, "s.e.", PK_NUMBER_COLUMNS, true);
        for (int end = 0; range && end <= 1; end++)
            pk_compare_pad(text, end == 0 ? "low" : "high", PK_NUMBER_COLUMNS, true);
    }
    pk_text_put(text, "\n");
}

static void put_outcome(const struct pk_comparison *c, struct pk_text *text, size_t i)
{
    char label[256];
    const bool ratio = c->main.ratios != NULL && c->main.ratios[i] != 0;
    const int decimals = ratio ? 4 : 1; /* years of a spell or of one person, not of them all */
    snprintf(label, sizeof label, "%s", c->outcome_labels[i]);
    pk_compare_pad(text, label, pk_compare_label_columns(c), false);
    for (size_t a = 0; a < c->n_arms; a++)
        pk_compare_put_number(text, pk_compare_arm(&c->main, a, i).mean, decimals, PK_NUMBER_COLUMNS);
    for (size_t p = 0; p < c->n_pairs; p++)
        pk_compare_put_number(text, pk_compare_difference(&c->main, c->pairs[p], i).mean, decimals, PK_NUMBER_COLUMNS);
    if (c->n_pairs > 0) {
        double low, high;
        bool any = pk_compare_range(c, pk_compare_headline(c), i, &low, &high);
        pk_compare_put_number(text, pk_compare_difference(&c->main, pk_compare_headline(c), i).standard_error,
                              decimals + 1, PK_NUMBER_COLUMNS);
        pk_compare_put_number(text, any ? low : (double)NAN, decimals, PK_NUMBER_COLUMNS);
        pk_compare_put_number(text, any ? high : (double)NAN, decimals, PK_NUMBER_COLUMNS);
    }
    pk_text_put(text, "\n");
    bool persons = strcmp(c->outcome_units[i], "persons") == 0 && pk_compare_about(c, i)[0] == '\0';
    if (persons) {
        pk_compare_pad(text, "  % of them", pk_compare_label_columns(c), false);
        for (size_t a = 0; a < c->n_arms; a++)
            pk_compare_put_number(text, 100 * pk_compare_arm(&c->main, a, i).mean / c->main.scale, 2,
                                  PK_NUMBER_COLUMNS);
        for (size_t p = 0; p < c->n_pairs; p++)
            pk_compare_put_number(text, 100 * pk_compare_difference(&c->main, c->pairs[p], i).mean / c->main.scale, 2,
                                  PK_NUMBER_COLUMNS);
        pk_text_put(text, "\n");
    }
    if (c->displacement != NULL && !isnan(c->displacement[i]) && c->n_pairs > 0) {
        snprintf(label, sizeof label, "  net of displacement, %g %% of a difference", 100 * c->displacement[i]);
        pk_compare_pad(text, label, pk_compare_label_columns(c), false);
        for (size_t a = 0; a < c->n_arms; a++)
            pk_compare_pad(text, "", PK_NUMBER_COLUMNS, true);
        for (size_t p = 0; p < c->n_pairs; p++)
            pk_compare_put_number(text, pk_compare_difference(&c->main, c->pairs[p], i).mean * (1 - c->displacement[i]),
                                  decimals, PK_NUMBER_COLUMNS);
        pk_text_put(text, "\n");
    }
    if (pk_compare_has_flag(c, i, PK_FLAG_SHARE) && c->n_pairs > 0) {
        pk_compare_pad(text, "  of it there anyway, % (reference / arm)", pk_compare_label_columns(c), false);
        for (size_t a = 0; a < c->n_arms; a++)
            pk_compare_pad(text, "", PK_NUMBER_COLUMNS, true);
        for (size_t p = 0; p < c->n_pairs; p++)
            pk_compare_put_number(text, 100 * pk_compare_share(&c->main, c->pairs[p], i).mean, 1, PK_NUMBER_COLUMNS);
        pk_text_put(text, "\n");
    }
}

static void put_meaningful(struct pk_text *text, double euros)
{
    if (isnan(euros))
        pk_compare_pad(text, "not mean'ful", PK_NUMBER_COLUMNS, true);
    else
        pk_compare_put_number(text, euros, 0, PK_NUMBER_COLUMNS);
}

static void put_euros(const struct pk_comparison *c, struct pk_text *text)
{
    bool any = false;
    for (size_t a = 0; a < c->n_arms; a++)
        any |= c->main.costs[a] != 0;
    if (!any || c->n_pairs == 0)
        return;
    pk_compare_pad(text, "programme cost, euros", pk_compare_label_columns(c), false);
    for (size_t a = 0; a < c->n_arms; a++)
        pk_compare_put_number(text, c->main.costs[a] * c->main.scale, 0, PK_NUMBER_COLUMNS);
    for (size_t p = 0; p < c->n_pairs; p++)
        pk_compare_put_number(text,
                              (c->main.costs[c->pairs[p].i_arm] - c->main.costs[c->pairs[p].i_against]) * c->main.scale,
                              0, PK_NUMBER_COLUMNS);
    pk_text_put(text, "\neuros per additional ...\n");
    for (size_t i = 0; i < c->n_outcomes; i++) {
        char label[256];
        if (!pk_compare_has_flag(c, i, PK_FLAG_EUROS))
            continue;
        snprintf(label, sizeof label, "  %s", c->outcome_labels[i]);
        pk_compare_pad(text, label, pk_compare_label_columns(c), false);
        for (size_t a = 0; a < c->n_arms; a++)
            pk_compare_pad(text, "", PK_NUMBER_COLUMNS, true);
        for (size_t p = 0; p < c->n_pairs; p++) {
            put_meaningful(text, pk_compare_euros(&c->main, c->pairs[p], i).mean);
        }
        double low, high;
        pk_compare_put_number(text, pk_compare_euros(&c->main, pk_compare_headline(c), i).standard_error, 0,
                              PK_NUMBER_COLUMNS);
        if (pk_compare_euros_range(c, pk_compare_headline(c), i, &low, &high)) {
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
        pk_compare_pad(text, label, pk_compare_label_columns(c), false);
        for (size_t a = 0; a < c->n_arms; a++)
            pk_compare_put_number(text, pk_compare_spread(&c->main, a, i), 1, PK_NUMBER_COLUMNS);
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

static void put_sources(const struct pk_comparison *c, struct pk_text *text)
{
    static const char *const kinds[] = {"document", "derived", "public", "assumption", "calibrated"};
    static const char *const told[] = {"from the documents", "derived from the documents", "from other public sources",
                                       "assumed", "calibrated"};
    pk_text_put(text, "\nWhere the numbers come from (polku export writes each with its source and caveat)\n");
    for (size_t k = 0; k < 5; k++) {
        size_t n = 0, columns = 0;
        for (size_t i = 0; i < c->n_parameters; i++)
            n += strcmp(c->parameter_kinds[i], kinds[k]) == 0;
        if (n == 0 && k == 4) /* few results have any */
            continue;
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
    pk_compare_put_weighed(c, text);
}

static void put_notes(struct pk_text *text)
{
    pk_text_addf(
        text, "s.e., low, high: of the last difference. s.e. is simulation error: how far more replications would move "
              "it.\nlow and high: the lowest and highest difference when each uncertain input alone is moved to the "
              "ends of its\nrange. They are two different things; neither is a confidence interval of the other.\n");
}

/* Which studies the numbers come from, with what must be told of them. */
static void put_calibrations(const struct pk_comparison *c, struct pk_text *text)
{
    for (size_t i = 0; i < c->n_calibrations; i++) {
        pk_text_addf(text, "calibrated: %s (digest %s)", c->studies[i], c->study_digests[i]);
        if (c->study_others[i] > 0)
            pk_text_addf(text, "; %.0f of its %.0f parameters set to another value", c->study_others[i],
                         c->study_parameters[i]);
        pk_text_put(text, "\n");
        for (size_t k = 0; k < c->n_marks; k++)
            if (c->mark_studies[k] == (double)i)
                pk_text_addf(text, "  %s\n", c->marks[k]);
    }
}

void pk_compare_print(const struct pk_comparison *c, struct pk_text *text)
{
    pk_text_addf(text, "%s\n", c->title);
    pk_text_addf(text, "Figures for %s; %.0f replications of the programme; enrolled:", c->per_label, c->replications);
    for (size_t a = 0; a < c->n_arms; a++)
        pk_text_addf(text, " %s %.0f", c->arm_names[a], c->enrolled[a]);
    pk_text_addf(text, "%s\n", c->whole_cohort ? "" : "; about everyone in the population");
    put_calibrations(c, text);
    pk_text_put(text, "\n");
    if (c->raw_heading[0] != '\0')
        put_lines(text, c->raw_heading, c->raw);
    bool said = c->raw_heading[0] != '\0';
    for (size_t a = 0; a < c->n_arms; a++) {
        said |= c->arm_notes[a][0] != '\0' || c->arm_assumes[a][0] != '\0';
        if (c->arm_notes[a][0] != '\0')
            pk_text_addf(text, "%s (%s): %s\n", c->arm_names[a], c->arm_labels[a], c->arm_notes[a]);
        put_lines(text, "  it rests on", c->arm_assumes[a]);
    }
    pk_text_put(text, said ? "\n" : "");
    if (c->prices.told[0] != '\0')
        pk_text_addf(
            text,
            "Prices set anew: %s. The figures are those of the same lives; variants, ranges and a bridge, which were "
            "run at\nthe old prices, are left out.\n\n",
            c->prices.told);
    pk_compare_put_header(c, text, c->per_label, true);
    const char *about = "";
    for (size_t i = 0; i < c->n_outcomes; i++) {
        if (pk_compare_has_flag(c, i, PK_FLAG_LEDGER))
            continue;
        if (strcmp(about, pk_compare_about(c, i)) != 0)
            pk_text_addf(text, "-- %s\n", about = pk_compare_about(c, i));
        put_outcome(c, text, i);
    }
    put_euros(c, text);
    pk_compare_put_ledgers(c, text);
    for (size_t a = 0; a < c->n_arms; a++)
        if (pk_compare_rests_on(c, a))
            put_assumed(c, text, a);
    put_notes(text);
    put_spread(c, text);
    pk_compare_put_histograms(c, text);
    pk_compare_put_preventions(c, text);
    pk_compare_put_places(c, text);
    pk_compare_put_bridge(c, text);
    pk_compare_put_decides(c, text);
    put_sources(c, text);
    put_lines(text, "\nWhat the documents themselves warn of", c->documents_warn);
    put_lines(text, "\nWarnings of this run", c->warnings);
}
