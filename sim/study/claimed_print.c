/* Claims as text for people. See claimed.h. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "compare_private.h"
#include "polku/claimed.h"

enum { COLUMNS = 12, NAME_COLUMNS_LEAST = 14 };

/* So many digits that five of them count, without zeros at the end. */
static int decimals_of(double value, int n_digits)
{
    char digits[64];
    if (!isfinite(value) || value == 0)
        return 0;
    int decimals = n_digits - 1 - (int)floor(log10(fabs(value)));
    decimals = decimals < 0 ? 0 : decimals > 9 ? 9 : decimals;
    snprintf(digits, sizeof digits, "%.*f", decimals, value);
    for (size_t n = strlen(digits); decimals > 0 && digits[n - 1] == '0'; n--)
        decimals--;
    return decimals;
}

static void put_cell(struct pk_text *text, double value, int n_digits)
{
    pk_compare_put_number(text, value, decimals_of(value, n_digits), COLUMNS);
}

/* A line of prose: "  KEY: TEXT", whose own lines, if it has several, are moved in; NULL: none. */
static void put_prose(struct pk_text *text, const char *key, const char *prose)
{
    if (prose == NULL)
        return;
    pk_text_addf(text, "  %s: ", key);
    for (const char *line = prose; *line != '\0';) {
        const size_t n = strcspn(line, "\n");
        pk_text_addf(text, "%s%.*s\n", line == prose ? "" : "    ", (int)n, line);
        line += n + strspn(line + n, "\n");
    }
}

static int name_columns(const struct pk_claimed *claimed)
{
    size_t widest = NAME_COLUMNS_LEAST;
    for (size_t i = 0; i < claimed->n_rows; i++) {
        const struct pk_claim *claim = claimed->rows[i].claim;
        widest = strlen(claim->name) > widest ? strlen(claim->name) : widest;
        for (size_t k = 0; k < claim->n_dynamic && claim->n_dynamic > 1 && !claimed->only_static; k++) {
            const size_t n = pk_text_columns(claim->dynamic[k].label.in[claimed->language]) + 2;
            widest = n > widest ? n : widest;
        }
    }
    return (int)widest;
}

static void put_dynamic(struct pk_text *text, const struct pk_claimed_figure *figure)
{
    const double nothing = (double)NAN;
    const bool known = figure != NULL && figure->known;
    put_cell(text, known ? figure->gross : nothing, 5);
    put_cell(text, known ? figure->net : nothing, 5);
    put_cell(text, known ? figure->standard_error : nothing, 3);
    put_cell(text, known ? figure->low : nothing, 5);
    put_cell(text, known ? figure->high : nothing, 5);
}

static void put_row(const struct pk_claimed *claimed, struct pk_text *text, const struct pk_claimed_row *row,
                    int columns)
{
    const struct pk_claim *claim = row->claim;
    const bool several = claim->n_dynamic > 1 && !claimed->only_static;
    pk_compare_pad(text, claim->name, columns, false);
    put_cell(text, claim->printed, 12);
    put_cell(text, pk_claimed_value(&row->reconstruction), 8);
    put_cell(text, pk_claimed_gap(row), 5);
    put_cell(text, pk_claimed_gap_percent(row), 3);
    if (!claimed->only_static && !several)
        put_dynamic(text, claim->n_dynamic == 1 ? &row->dynamic[0] : NULL);
    for (int k = 0; several && k < 5; k++)
        pk_compare_pad(text, "", COLUMNS, true);
    pk_text_addf(text, "  %s\n", claim->unit);
    for (size_t k = 0; several && k < claim->n_dynamic; k++) {
        pk_text_put(text, "  ");
        pk_compare_pad(text, claim->dynamic[k].label.in[claimed->language], columns - 2, false);
        for (int blank = 0; blank < 4; blank++)
            pk_compare_pad(text, "", COLUMNS, true);
        put_dynamic(text, &row->dynamic[k]);
        pk_text_put(text, "\n");
    }
}

static void put_table(const struct pk_claimed *claimed, struct pk_text *text)
{
    static const char *const heads[] = {"printed", "reconstr.", "gap", "gap %", "gross", "net", "s.e.", "low", "high"};
    const int columns = name_columns(claimed);
    pk_compare_pad(text, "claim", columns, false);
    for (size_t i = 0; i < (claimed->only_static ? 4u : 9u); i++)
        pk_compare_pad(text, heads[i], COLUMNS, true);
    pk_text_put(text, "  unit\n");
    for (size_t i = 0; i < claimed->n_rows; i++)
        put_row(claimed, text, &claimed->rows[i], columns);
}

/* "in_work of teams less none, teams.yaml, for 3,500 in teams" */
static void put_where(const struct pk_claimed *claimed, struct pk_text *text, const struct pk_claim_figure *asked,
                      const struct pk_claimed_figure *figure)
{
    const char *const of[] = {asked->outcome, asked->arm, asked->against},
                      *const labels[] = {figure->outcome_label, figure->arm_label, figure->against_label},
                      *const between[] = {"", " of ", " less "};
    for (int i = 0; i < 3 && of[i] != NULL; i++) {
        pk_text_addf(text, "%s%s", between[i], of[i]);
        if (labels[i] != NULL && strcmp(labels[i], of[i]) != 0)
            pk_text_addf(text, " (%s)", labels[i]);
    }
    pk_text_addf(text, " in %s, for %s", claimed->claims->scenarios[asked->i_scenario].file, figure->per_label);
    if (asked->times < 1 || asked->times > 1)
        pk_text_addf(text, ", times %.10g", asked->times);
}

static void put_dynamic_lines(const struct pk_claimed *claimed, struct pk_text *text, const struct pk_claimed_row *row)
{
    const struct pk_claim *claim = row->claim;
    for (size_t k = 0; k < claim->n_dynamic; k++) {
        const struct pk_claimed_figure *figure = &row->dynamic[k];
        const char *label = claim->dynamic[k].label.in[claimed->language];
        pk_text_addf(text, "  dynamic: %s%s", label, label[0] != '\0' ? ": " : "");
        put_where(claimed, text, &claim->dynamic[k], figure);
        pk_text_put(text, "\n");
        if (figure->n_kinds == SIZE_MAX)
            continue;
        pk_text_put(text, "    net rests on numbers of these kinds, by how far each moves it: ");
        for (size_t i = 0; i < figure->n_kinds; i++)
            pk_text_addf(text, "%s%s %.0f %% (%s)", i ? ", " : "", figure->kinds[i].kind, 100 * figure->kinds[i].share,
                         figure->kinds[i].largest);
        pk_text_addf(text, "%s; %zu inputs in use have no range\n", figure->n_kinds == 0 ? "nothing moves it" : "",
                     figure->n_unknown);
    }
    put_prose(text, "no dynamic figure", claim->no_dynamic);
}

static void put_claim(const struct pk_claimed *claimed, struct pk_text *text, const struct pk_claimed_row *row)
{
    const struct pk_claim *claim = row->claim;
    pk_text_addf(text, "\n%s: %s\n", claim->name, claim->says.in[claimed->language]);
    put_prose(text, pk_source_names[claim->source.kind], claim->source.text);
    put_prose(text, "the source warns", claim->source.caveat);
    put_prose(text, "assumes", claim->assumes);
    pk_text_put(text, "  reconstructed: ");
    put_where(claimed, text, &claim->reconstruction, &row->reconstruction);
    pk_text_put(text, "\n");
    if (claim->gap != NULL) {
        char key[96];
        snprintf(key, sizeof key, "gap: printed %.10g, reconstructed %.10g", claim->printed,
                 pk_claimed_value(&row->reconstruction));
        put_prose(text, key, claim->gap);
    }
    put_prose(text, "contradicted", claim->inconsistent);
    if (!claimed->only_static)
        put_dynamic_lines(claimed, text, row);
}

void pk_claimed_print(const struct pk_claimed *claimed, struct pk_text *text)
{
    pk_text_addf(text, "%s\n\n", claimed->claims->title);
    put_table(claimed, text);
    for (size_t i = 0; i < claimed->n_rows; i++)
        put_claim(claimed, text, &claimed->rows[i]);
    for (size_t i = 0; i < claimed->n_marks; i++)
        pk_text_addf(text, "%s! %s: %s\n", i == 0 ? "\n" : "",
                     claimed->claims->scenarios[claimed->marks[i].i_scenario].file, claimed->marks[i].text);
    pk_text_put(text, "\ngap: reconstructed less printed, and in per cent of printed.");
    if (!claimed->only_static)
        pk_text_put(text, " gross: the arm's own; net: less the other arm's.\ns.e.: simulation error of net (of gross "
                          "where there is no net); low, high: its ends when each uncertain input alone is moved over "
                          "its range; two different things.");
    pk_text_put(text, "\n");
}
