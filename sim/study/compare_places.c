/* What happened at places, and what is lost in line: read from a result file and told. See compare.h. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "compare_private.h"
#include "polku/memory.h"

enum { COACH_YEARS = 11 /* among the figures */ };

/* Figures of all places of a service together, in the order in which they are told. */
static const struct {
    const char *dataset, *label, *key;
    double scale;
    int decimals;
    bool always; /* also where all arms have 0 */
} figures[PK_COMPARE_PLACE_FIGURES] = {
    {"all_requested", "asked for a place", "asked", 1, 1, true},
    {"all_served", "got a place", "served", 1, 1, true},
    {"all_baulked", "would have had to wait, and did not", "baulked", 1, 1, false},
    {"all_refused", "refused: the line full, or places closed", "refused", 1, 1, false},
    {"all_reneged", "gave up waiting", "reneged", 1, 1, false},
    {"all_left", "left the line by other events", "left", 1, 1, false},
    {"all_waiting_at_end", "still waiting at the horizon", "waiting_at_end", 1, 1, false},
    {"all_served_at_end", "still served at the horizon", "served_at_end", 1, 1, false},
    {"all_mean_wait", "days in line, mean of all who asked", "mean_days_in_line", 1, 1, true},
    {"all_line", "people in line, on average", "mean_line", 1, 2, true},
    {"all_utilisation", "places taken, % of their time", "utilisation_percent", 100, 1, true},
    {"coach_years", "coach-years", "coach_years", 1, 1, false},
    {"coach_cost", "what coaches cost, euros", "coach_cost_euros", 1, 0, false},
};

static void read_service(struct pk_compare_reading *reading, const char *name, size_t n_name,
                         struct pk_compare_places *places)
{
    struct pk_comparison *c = reading->comparison;
    char path[256], *copy = pk_alloc(n_name + 1, 1);
    pk_compare_keep(reading, copy);
    if (reading->status != PK_OK)
        return;
    memcpy(copy, name, n_name);
    places->service = copy;
    for (size_t i = 0; i < PK_COMPARE_PLACE_FIGURES; i++) {
        snprintf(path, sizeof path, "/places/%.80s/%s", places->service, figures[i].dataset);
        places->values[i] = pk_compare_doubles_of(reading, path, c->n_arms);
        strncat(path, "_se", sizeof path - strlen(path) - 1);
        if (reading->status == PK_OK && pk_results_has(reading->results, path))
            places->errors[i] = pk_compare_doubles_of(reading, path, c->n_arms);
    }
    snprintf(path, sizeof path, "/places/%.80s/quantile", places->service);
    places->quantiles = pk_compare_doubles_of(reading, path, PK_COMPARE_WAIT_QUANTILES);
    snprintf(path, sizeof path, "/places/%.80s/all_wait_quantile", places->service);
    places->waits = pk_compare_doubles_of(reading, path, c->n_arms * PK_COMPARE_WAIT_QUANTILES);
}

void pk_compare_read_places(struct pk_compare_reading *reading)
{
    struct pk_comparison *c = reading->comparison;
    if (reading->status == PK_OK && pk_results_has(reading->results, "/arms/touched"))
        c->touched = pk_compare_doubles_of(reading, "/arms/touched", c->n_arms);
    if (reading->status == PK_OK && pk_results_has(reading->results, "/arms/ample_twin"))
        c->ample = pk_compare_doubles_of(reading, "/arms/ample_twin", c->n_arms);
    if (reading->status != PK_OK || !pk_results_has(reading->results, "/places"))
        return;
    const char *names = pk_compare_text_of(reading, "/places", "services", true);
    size_t n = 0;
    for (const char *at = names; reading->status == PK_OK && *at != '\0'; at += strcspn(at, "\n") + 1)
        n++;
    c->places = pk_alloc(n + 1, sizeof *c->places);
    pk_compare_keep(reading, c->places);
    for (const char *at = names; reading->status == PK_OK && *at != '\0'; at += strcspn(at, "\n") + 1)
        read_service(reading, at, strcspn(at, "\n"), &c->places[c->n_places++]);
}

/* Whether an outcome is told at the same prices in two arms. */
static bool same_prices(const struct pk_comparison *c, size_t i_outcome, size_t i_arm, size_t i_other)
{
    const struct pk_compare_prices *prices = &c->prices;
    for (size_t i = 0; i < prices->n_rows; i++)
        if (prices->i_outcomes[i] == i_outcome &&
            strcmp(prices->factors[i_arm * prices->n_rows + i], prices->factors[i_other * prices->n_rows + i]) != 0)
            return false;
    return true;
}

static void put_header(const struct pk_comparison *c, struct pk_text *text, const char *first)
{
    pk_compare_pad(text, first, pk_compare_label_columns(c), false);
    for (size_t a = 0; a < c->n_arms; a++)
        pk_compare_pad(text, c->arm_names[a], PK_NUMBER_COLUMNS, true);
    pk_compare_pad(text, "s.e. (last)", PK_NUMBER_COLUMNS, true);
    pk_text_put(text, "\n");
}

static void put_row(const struct pk_comparison *c, struct pk_text *text, const char *label, const double *values,
                    const double *errors, double scale, int decimals)
{
    pk_compare_pad(text, label, pk_compare_label_columns(c), false);
    for (size_t a = 0; a < c->n_arms; a++)
        pk_compare_put_number(text, values[a] * scale, decimals, PK_NUMBER_COLUMNS);
    if (errors != NULL)
        pk_compare_put_number(text, errors[c->n_arms - 1] * scale, decimals + 1, PK_NUMBER_COLUMNS);
    pk_text_put(text, "\n");
}

static void put_service(const struct pk_comparison *c, struct pk_text *text, const struct pk_compare_places *places)
{
    char label[128];
    snprintf(label, sizeof label, "Places of %.60s", places->service);
    pk_text_put(text, "\n");
    put_header(c, text, label);
    for (size_t i = 0; i < PK_COMPARE_PLACE_FIGURES; i++) {
        bool any = figures[i].always;
        for (size_t a = 0; a < c->n_arms; a++)
            any |= places->values[i][a] > 0;
        snprintf(label, sizeof label, "  %s", figures[i].label);
        if (any)
            put_row(c, text, label, places->values[i], places->errors[i], figures[i].scale, figures[i].decimals);
    }
    for (size_t q = 0; q < PK_COMPARE_WAIT_QUANTILES; q++) {
        double values[PK_MAX_ARMS];
        for (size_t a = 0; a < c->n_arms; a++)
            values[a] = places->waits[a * PK_COMPARE_WAIT_QUANTILES + q];
        snprintf(label, sizeof label, "  %g %% of those served waited at most, days", 100 * places->quantiles[q]);
        put_row(c, text, label, values, NULL, 1, 0);
    }
}

/* People of the population compared, mean per replication. */
static double people(const struct pk_comparison *c)
{
    double n = 0;
    for (size_t u = 0; u < c->main.n_units; u++)
        n += c->main.persons[u];
    return n / c->replications;
}

static void put_error(struct pk_text *text, double standard_error, int decimals)
{
    if (isnan(standard_error))
        pk_text_put(text, " (s.e. -)");
    else
        pk_text_addf(text, " (s.e. %.*f)", decimals, standard_error);
}

/* Additional units of an outcome for each additional coach-year. */
static void put_per_coach(const struct pk_comparison *c, struct pk_text *text)
{
    double coaches[PK_MAX_ARMS] = {0}, all = 0;
    for (size_t i = 0; i < c->n_places; i++)
        for (size_t a = 0; a < c->n_arms; a++) {
            coaches[a] += c->places[i].values[COACH_YEARS][a];
            all += isnan(c->places[i].values[COACH_YEARS][a]) ? 0 : c->places[i].values[COACH_YEARS][a];
        }
    if (!(all > 0))
        return;
    bool said = false;
    for (size_t i = 0; i < c->n_outcomes; i++) {
        if (!pk_compare_has_flag(c, i, PK_FLAG_EUROS))
            continue;
        for (size_t p = 0; p < c->n_pairs; p++) {
            const double more = coaches[c->pairs[p].i_arm] - coaches[c->pairs[p].i_against];
            const struct pk_mean difference = pk_compare_difference(&c->main, c->pairs[p], i);
            const double scale = people(c) / c->main.scale; /* to all whom coaches are for */
            char label[128];
            if (!(fabs(more) > 0) || isnan(more))
                continue;
            if (!said)
                pk_text_put(text, "\nmore for each coach-year more (all services together) ...\n");
            said = true;
            pk_compare_pair_label(c, c->pairs[p], label, sizeof label);
            pk_text_addf(text, "  %s, %s: %.4f", c->outcome_labels[i], label, difference.mean * scale / more);
            put_error(text, difference.standard_error * scale / fabs(more), 4);
            pk_text_put(text, "\n");
        }
    }
}

static void put_lost(const struct pk_comparison *c, struct pk_text *text)
{
    bool said = false;
    for (size_t a = 0; c->ample != NULL && a < c->n_arms; a++) {
        const size_t i_ample = c->ample[a] >= 1 && c->ample[a] <= (double)c->n_arms ? (size_t)c->ample[a] - 1 : a;
        if (i_ample == a)
            continue;
        if (!said)
            pk_text_addf(text, "\nLost to the queue: what places for everybody would give more, of the gain over %s\n",
                         c->arm_names[0]);
        said = true;
        for (size_t i = 0; i < c->n_outcomes; i++) {
            const struct pk_compare_pair lost = {.i_arm = i_ample, .i_against = a},
                                         gain = {.i_arm = i_ample, .i_against = 0};
            const bool ratio = c->main.ratios != NULL && c->main.ratios[i] != 0; /* no amount, of which some is lost */
            if (pk_compare_has_flag(c, i, PK_FLAG_LEDGER) || ratio)
                continue;
            if (!same_prices(c, i, a, i_ample)) {
                pk_text_addf(text, "  %s, %s: not told, since its prices are not those of %s\n", c->outcome_labels[i],
                             c->arm_names[a], c->arm_names[i_ample]);
                continue;
            }
            const struct pk_mean mean = pk_compare_difference(&c->main, lost, i);
            const double of = pk_compare_difference(&c->main, gain, i).mean;
            pk_text_addf(text, "  %s, %s: ", c->outcome_labels[i], c->arm_names[a]);
            pk_compare_put_number(text, mean.mean, 1, 0);
            put_error(text, mean.standard_error, 2);
            if (a != 0 && i_ample != 0 && fabs(of) > 0)
                pk_text_addf(text, ", %.1f %% of what %s gives", 100 * mean.mean / of, c->arm_names[i_ample]);
            pk_text_put(text, "\n");
        }
    }
}

void pk_compare_put_places(const struct pk_comparison *c, struct pk_text *text)
{
    for (size_t i = 0; i < c->n_places; i++)
        put_service(c, text, &c->places[i]);
    put_per_coach(c, text);
    put_lost(c, text);
}

void pk_compare_json_places(const struct pk_comparison *c, struct pk_text *text)
{
    pk_text_put(text, "[");
    for (size_t i = 0; i < c->n_places; i++)
        for (size_t a = 0; a < c->n_arms; a++) {
            const struct pk_compare_places *places = &c->places[i];
            pk_text_addf(text, "%s\n {\"service\": ", i + a ? "," : "");
            pk_text_add_json_string(text, places->service);
            pk_text_put(text, ", \"arm\": ");
            pk_text_add_json_string(text, c->arm_names[a]);
            for (size_t f = 0; f < PK_COMPARE_PLACE_FIGURES; f++) {
                pk_text_addf(text, ", \"%s\": ", figures[f].key);
                pk_text_add_json_number(text, places->values[f][a] * figures[f].scale);
                if (places->errors[f] == NULL)
                    continue;
                pk_text_addf(text, ", \"%s_standard_error\": ", figures[f].key);
                pk_text_add_json_number(text, places->errors[f][a] * figures[f].scale);
            }
            for (size_t q = 0; q < PK_COMPARE_WAIT_QUANTILES; q++) {
                pk_text_addf(text, ", \"days_waited_%g\": ", places->quantiles[q]);
                pk_text_add_json_number(text, places->waits[a * PK_COMPARE_WAIT_QUANTILES + q]);
            }
            pk_text_put(text, "}");
        }
    pk_text_put(text, "]");
}
