/* Claims as JSON and as comma-separated values. See claimed.h. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "polku/claimed.h"
#include "polku/csv.h"
#include "polku/provenance.h"

/* ---- JSON --------------------------------------------------------------------------------------------------- */

static void put_key(struct pk_text *text, const char *key)
{
    pk_text_addf(text, ", \"%s\": ", key);
}

/* null where there is none */
static void put_text(struct pk_text *text, const char *key, const char *value)
{
    put_key(text, key);
    if (value == NULL)
        pk_text_put(text, "null");
    else
        pk_text_add_json_string(text, value);
}

static void put_number(struct pk_text *text, const char *key, double value)
{
    put_key(text, key);
    pk_text_add_json_number(text, value);
}

static void put_where(const struct pk_claimed *claimed, struct pk_text *text, const struct pk_claim_figure *asked,
                      const struct pk_claimed_figure *figure)
{
    put_text(text, "scenario", claimed->claims->scenarios[asked->i_scenario].file);
    put_text(text, "outcome", asked->outcome);
    put_text(text, "outcome_label", figure->outcome_label);
    put_text(text, "arm", asked->arm);
    put_text(text, "against", asked->against);
    put_number(text, "times", asked->times);
    put_text(text, "per", figure->per_label);
    put_number(text, "per_persons", figure->per);
    put_text(text, "result", figure->result);
}

static void put_dynamic(const struct pk_claimed *claimed, struct pk_text *text, const struct pk_claim_figure *asked,
                        const struct pk_claimed_figure *figure)
{
    pk_text_put(text, "{\"label\": ");
    pk_text_add_json_string(text, asked->label.in[claimed->language]);
    put_where(claimed, text, asked, figure);
    put_number(text, "gross", figure->gross);
    put_number(text, "net", figure->net);
    put_number(text, "standard_error", figure->standard_error);
    put_number(text, "low", figure->low);
    put_number(text, "high", figure->high);
    put_key(text, "weighed");
    if (figure->n_kinds == SIZE_MAX) {
        pk_text_put(text, "null}");
        return;
    }
    pk_text_put(text, "[");
    for (size_t k = 0; k < figure->n_kinds; k++) {
        pk_text_addf(text, "%s{\"kind\": \"%s\"", k ? ", " : "", figure->kinds[k].kind);
        put_number(text, "share", figure->kinds[k].share);
        put_text(text, "parameter", figure->kinds[k].largest);
        pk_text_put(text, "}");
    }
    pk_text_addf(text, "], \"without_range\": %zu}", figure->n_unknown);
}

static void put_claim(const struct pk_claimed *claimed, struct pk_text *text, const struct pk_claimed_row *row)
{
    const struct pk_claim *claim = row->claim;
    pk_text_put(text, "{\"claim\": ");
    pk_text_add_json_string(text, claim->name);
    put_text(text, "says", claim->says.in[claimed->language]);
    put_number(text, "printed", claim->printed);
    put_text(text, "unit", claim->unit);
    put_text(text, "source_kind", pk_source_names[claim->source.kind]);
    put_text(text, "source", claim->source.text);
    put_text(text, "caveat", claim->source.caveat);
    put_text(text, "assumes", claim->assumes);
    pk_text_put(text, ",\n  \"reconstructed\": {\"value\": ");
    pk_text_add_json_number(text, pk_claimed_value(&row->reconstruction));
    put_where(claimed, text, &claim->reconstruction, &row->reconstruction);
    pk_text_put(text, "},\n  \"gap\": {\"value\": ");
    pk_text_add_json_number(text, pk_claimed_gap(row));
    put_number(text, "per_cent", pk_claimed_gap_percent(row));
    put_text(text, "why", claim->gap);
    pk_text_put(text, "}");
    put_text(text, "inconsistent", claim->inconsistent);
    pk_text_put(text, ",\n  \"dynamic\": [");
    for (size_t k = 0; k < claim->n_dynamic && !claimed->only_static; k++) {
        pk_text_put(text, k ? ",\n   " : "");
        put_dynamic(claimed, text, &claim->dynamic[k], &row->dynamic[k]);
    }
    pk_text_put(text, "]");
    put_text(text, "no_dynamic", claim->no_dynamic);
    pk_text_put(text, "}");
}

void pk_claimed_json(const struct pk_claimed *claimed, struct pk_text *text)
{
    pk_text_put(text, "{\"claims\": ");
    pk_text_add_json_string(text, claimed->claims->name);
    put_text(text, "title", claimed->claims->title);
    put_text(text, "polku_version", pk_provenance_version());
    put_key(text, "marks");
    pk_text_put(text, "[");
    for (size_t i = 0; i < claimed->n_marks; i++) {
        pk_text_put(text, i ? ", {\"scenario\": " : "{\"scenario\": ");
        pk_text_add_json_string(text, claimed->claims->scenarios[claimed->marks[i].i_scenario].file);
        put_text(text, "mark", claimed->marks[i].text);
        pk_text_put(text, "}");
    }
    pk_text_put(text, "]");
    pk_text_put(text, ",\n \"figures\": [");
    for (size_t i = 0; i < claimed->n_rows; i++) {
        pk_text_put(text, i ? ",\n  " : "\n  ");
        put_claim(claimed, text, &claimed->rows[i]);
    }
    pk_text_put(text, "]}\n");
}

/* ---- CSV ---------------------------------------------------------------------------------------------------- */

/* A row: one figure of a claim. Cells that do not apply are empty. */
struct row {
    const char *figure, *label, *unit, *note;
    double value;
    const struct pk_claim_figure *asked;     /* NULL: of no scenario */
    const struct pk_claimed_figure *figures; /* NULL: without an error and a range */
};

static const char *number(double value, char *cell, size_t size)
{
    cell[0] = '\0';
    if (isfinite(value))
        snprintf(cell, size, "%.10g", value);
    return cell;
}

static void put_kinds(struct pk_text *text, const struct pk_claimed_figure *figure)
{
    for (size_t k = 0; figure->n_kinds != SIZE_MAX && k < figure->n_kinds; k++)
        pk_text_addf(text, "%s%s %.1f %% (%s)", k ? "; " : "", figure->kinds[k].kind, 100 * figure->kinds[k].share,
                     figure->kinds[k].largest);
}

static void csv_row(const struct pk_claimed *claimed, struct pk_text *text, const struct pk_claim *claim,
                    const struct row *row)
{
    char value[32], error[32], low[32], high[32], times[32];
    const double nothing = (double)NAN;
    struct pk_text kinds;
    pk_text_init(&kinds);
    if (row->figures != NULL)
        put_kinds(&kinds, row->figures);
    const char *const cells[] = {
        claim->name,
        claim->says.in[claimed->language],
        row->figure,
        row->label,
        number(row->value, value, sizeof value),
        row->unit,
        number(row->figures != NULL ? row->figures->standard_error : nothing, error, sizeof error),
        number(row->figures != NULL ? row->figures->low : nothing, low, sizeof low),
        number(row->figures != NULL ? row->figures->high : nothing, high, sizeof high),
        row->asked != NULL ? claimed->claims->scenarios[row->asked->i_scenario].file : "",
        row->asked != NULL ? row->asked->outcome : "",
        row->asked != NULL ? row->asked->arm : "",
        row->asked != NULL && row->asked->against != NULL ? row->asked->against : "",
        number(row->asked != NULL ? row->asked->times : nothing, times, sizeof times),
        pk_text_string(&kinds),
        pk_source_names[claim->source.kind],
        claim->source.text,
        claim->source.caveat != NULL ? claim->source.caveat : "",
        row->note};
    const size_t n = sizeof cells / sizeof *cells;
    for (size_t i = 0; i < n; i++)
        pk_csv_put(text, cells[i], i + 1 == n);
    text->failed |= kinds.failed;
    pk_text_free(&kinds);
}

static void csv_claim(const struct pk_claimed *claimed, struct pk_text *text, const struct pk_claimed_row *row)
{
    const struct pk_claim *claim = row->claim;
    const char *gap = claim->gap != NULL ? claim->gap : "";
    const struct row of_static[] = {{"printed", "", claim->unit, claim->inconsistent != NULL ? claim->inconsistent : "",
                                     claim->printed, NULL, NULL},
                                    {"reconstructed", "", claim->unit, claim->assumes,
                                     pk_claimed_value(&row->reconstruction), &claim->reconstruction, NULL},
                                    {"gap", "", claim->unit, gap, pk_claimed_gap(row), NULL, NULL},
                                    {"gap_percent", "", "%", gap, pk_claimed_gap_percent(row), NULL, NULL}};
    for (size_t i = 0; i < sizeof of_static / sizeof *of_static; i++)
        csv_row(claimed, text, claim, &of_static[i]);
    for (size_t k = 0; k < claim->n_dynamic && !claimed->only_static; k++) {
        const struct pk_claim_figure *asked = &claim->dynamic[k];
        const struct pk_claimed_figure *figure = &row->dynamic[k];
        const bool net = asked->against != NULL;
        const char *label = asked->label.in[claimed->language];
        csv_row(claimed, text, claim,
                &(struct row){"gross", label, claim->unit, "", figure->gross, asked, net ? NULL : figure});
        if (net)
            csv_row(claimed, text, claim, &(struct row){"net", label, claim->unit, "", figure->net, asked, figure});
    }
    if (claim->no_dynamic != NULL && !claimed->only_static)
        csv_row(claimed, text, claim,
                &(struct row){"no_dynamic", "", claim->unit, claim->no_dynamic, (double)NAN, NULL, NULL});
}

void pk_claimed_csv(const struct pk_claimed *claimed, struct pk_text *text)
{
    pk_text_put(text, "claim,says,figure,label,value,unit,standard_error,low,high,scenario,outcome,arm,against,times,"
                      "rests_on,source_kind,source,caveat,note\n");
    for (size_t i = 0; i < claimed->n_rows; i++)
        csv_claim(claimed, text, &claimed->rows[i]);
}
