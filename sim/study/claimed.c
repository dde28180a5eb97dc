/* Claims beside what results give. See claimed.h; telling: claimed_print.c, claimed_json.c. */
#include "polku/claimed.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum pk_status pk_claimed_init(struct pk_claimed *claimed, const struct pk_claims *claims, const char *const *names,
                               size_t n_names, struct pk_error *error)
{
    *claimed = (struct pk_claimed){.claims = claims, .language = 2};
    pk_arena_init(&claimed->arena);
    claimed->rows = pk_arena_alloc(&claimed->arena, claims->n_claims, sizeof *claimed->rows);
    const char **known = pk_arena_alloc(&claimed->arena, claims->n_claims, sizeof *known);
    if (claimed->rows == NULL || known == NULL)
        return pk_error_set(error, PK_NO_MEMORY, "no memory for the claims");
    for (size_t i = 0; i < claims->n_claims; i++)
        known[i] = claims->claims[i].name;
    for (size_t k = 0; k < n_names; k++) {
        bool found = false;
        for (size_t i = 0; i < claims->n_claims; i++)
            found |= strcmp(known[i], names[k]) == 0;
        if (!found)
            return pk_text_unknown(error, "claim", names[k], known, claims->n_claims);
    }
    for (size_t i = 0; i < claims->n_claims; i++) {
        const struct pk_claim *claim = &claims->claims[i];
        bool wanted = n_names == 0;
        for (size_t k = 0; k < n_names; k++)
            wanted |= strcmp(claim->name, names[k]) == 0;
        if (!wanted)
            continue;
        struct pk_claimed_row *row = &claimed->rows[claimed->n_rows++];
        row->claim = claim;
        row->dynamic = pk_arena_alloc(&claimed->arena, claim->n_dynamic, sizeof *row->dynamic);
        if (row->dynamic == NULL)
            return pk_error_set(error, PK_NO_MEMORY, "no memory for the claims");
    }
    return PK_OK;
}

void pk_claimed_free(struct pk_claimed *claimed)
{
    pk_arena_free(&claimed->arena);
    pk_free(claimed->marks);
    claimed->marks = NULL;
    claimed->n_rows = claimed->n_marks = claimed->room_marks = 0;
    claimed->rows = NULL;
}

void pk_claimed_needs(const struct pk_claimed *claimed, size_t i_scenario, bool *reconstruction, bool *dynamic)
{
    *reconstruction = *dynamic = false;
    for (size_t i = 0; i < claimed->n_rows; i++) {
        const struct pk_claim *claim = claimed->rows[i].claim;
        *reconstruction |= claim->reconstruction.i_scenario == i_scenario;
        for (size_t k = 0; k < claim->n_dynamic && !claimed->only_static; k++)
            *dynamic |= claim->dynamic[k].i_scenario == i_scenario;
    }
}

/* ---- from a result ------------------------------------------------------------------------------------------ */

struct reading {
    struct pk_claimed *claimed;
    struct pk_comparison *comparison;
    const char *result;
    struct pk_error *error;
    enum pk_status status;
};

static const char *kept(struct reading *reading, const char *text)
{
    const char *copy = pk_arena_text(&reading->claimed->arena, text);
    if (copy == NULL && reading->status == PK_OK)
        reading->status = pk_error_set(reading->error, PK_NO_MEMORY, "no memory for the claims");
    return copy;
}

static size_t find(struct reading *reading, const char *what, const char *name, char **names, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(names[i], name) == 0)
            return i;
    if (reading->status == PK_OK)
        reading->status = pk_text_unknown(reading->error, what, name, (const char *const *)names, n);
    return SIZE_MAX;
}

/* The lowest and the highest of an arm's own outcome over the ranges. */
static bool range_of_arm(const struct pk_comparison *c, size_t i_arm, size_t i_outcome, double *low, double *high)
{
    bool any = false;
    *low = *high = pk_compare_arm(&c->main, i_arm, i_outcome).mean;
    for (size_t v = 0; v < c->n_variants; v++) {
        const double mean = pk_compare_arm(&c->variants[v], i_arm, i_outcome).mean;
        if (strcmp(c->variant_topics[v], "range") != 0 || isnan(mean))
            continue;
        any = true;
        *low = fmin(*low, mean);
        *high = fmax(*high, mean);
    }
    return any;
}

/* What the difference rests on, by kinds of sources. */
static void weigh(struct reading *reading, struct pk_compare_pair pair, size_t i_outcome,
                  struct pk_claimed_figure *figure)
{
    struct pk_comparison *c = reading->comparison;
    struct pk_compare_weight weights[PK_COMPARE_KINDS];
    c->pairs[0] = pair; /* it becomes the last, which is the one weighed */
    c->n_pairs = 1;
    figure->n_kinds = pk_compare_weigh(c, i_outcome, weights, &figure->n_unknown);
    for (size_t k = 0; figure->n_kinds != SIZE_MAX && k < figure->n_kinds; k++) {
        figure->kinds[k].kind = weights[k].kind; /* a constant of the program */
        figure->kinds[k].largest = kept(reading, c->parameter_names[weights[k].i_largest]);
        figure->kinds[k].share = weights[k].share;
    }
}

static void read_figure(struct reading *reading, const struct pk_claim_figure *asked, struct pk_claimed_figure *figure)
{
    const struct pk_comparison *c = reading->comparison;
    const size_t i_outcome = find(reading, "outcome", asked->outcome, c->outcome_names, c->n_outcomes),
                 i_arm = find(reading, "arm", asked->arm, c->arm_names, c->n_arms),
                 i_against =
                     asked->against != NULL ? find(reading, "arm", asked->against, c->arm_names, c->n_arms) : SIZE_MAX;
    if (reading->status != PK_OK)
        return;
    const struct pk_compare_pair pair = {.i_arm = i_arm, .i_against = i_against};
    struct pk_mean mean = pk_compare_arm(&c->main, i_arm, i_outcome);
    double low, high;
    bool ranged;
    figure->gross = mean.mean * asked->times;
    figure->net = (double)NAN;
    figure->n_kinds = SIZE_MAX;
    if (asked->against != NULL) {
        mean = pk_compare_difference(&c->main, pair, i_outcome);
        figure->net = mean.mean * asked->times;
        ranged = pk_compare_range(c, pair, i_outcome, &low, &high);
        weigh(reading, pair, i_outcome, figure);
    } else {
        ranged = range_of_arm(c, i_arm, i_outcome, &low, &high);
    }
    figure->standard_error = mean.standard_error * fabs(asked->times);
    figure->low = ranged ? (asked->times > 0 ? low : high) * asked->times : (double)NAN;
    figure->high = ranged ? (asked->times > 0 ? high : low) * asked->times : (double)NAN;
    figure->outcome_label = kept(reading, c->outcome_labels[i_outcome]);
    figure->arm_label = kept(reading, c->arm_labels[i_arm]);
    figure->against_label = kept(reading, i_against == SIZE_MAX ? "" : c->arm_labels[i_against]);
    figure->per_label = kept(reading, c->per_label);
    figure->per = c->main.scale;
    figure->of_enrolled = c->whole_cohort;
    figure->result = reading->result;
    figure->known = reading->status == PK_OK;
}

static void add_mark(struct reading *reading, size_t i_scenario, const char *text, size_t size)
{
    struct pk_claimed *claimed = reading->claimed;
    char *line = pk_arena_alloc(&claimed->arena, size + 1, 1);
    if (claimed->n_marks == claimed->room_marks) {
        struct pk_claimed_mark *grown = pk_realloc(claimed->marks, claimed->room_marks + 16, sizeof *grown);
        claimed->marks = grown != NULL ? grown : claimed->marks;
        claimed->room_marks += grown != NULL ? 16 : 0;
    }
    if (line == NULL || claimed->n_marks == claimed->room_marks) {
        if (reading->status == PK_OK)
            reading->status = pk_error_set(reading->error, PK_NO_MEMORY, "no memory for the claims");
        return;
    }
    memcpy(line, text, size);
    claimed->marks[claimed->n_marks++] = (struct pk_claimed_mark){.i_scenario = i_scenario, .text = line};
}

static void read_marks(struct reading *reading, size_t i_scenario)
{
    const struct pk_comparison *c = reading->comparison;
    for (size_t i = 0; i < c->n_marks; i++)
        add_mark(reading, i_scenario, c->marks[i], strlen(c->marks[i]));
    for (const char *line = c->warnings; *line != '\0';) {
        const size_t n = strcspn(line, "\n");
        add_mark(reading, i_scenario, line, n);
        line += n + (line[n] == '\n');
    }
}

enum pk_status pk_claimed_read(struct pk_claimed *claimed, size_t i_scenario, const char *path, struct pk_error *error)
{
    struct pk_comparison comparison;
    struct reading reading = {.claimed = claimed, .comparison = &comparison, .error = error};
    reading.status = pk_comparison_open(&comparison, path, NULL, claimed->language, error);
    if (reading.status != PK_OK)
        return reading.status;
    reading.result = kept(&reading, path);
    read_marks(&reading, i_scenario);
    for (size_t i = 0; i < claimed->n_rows; i++) {
        struct pk_claimed_row *row = &claimed->rows[i];
        const struct pk_claim *claim = row->claim;
        if (claim->reconstruction.i_scenario == i_scenario && reading.status == PK_OK)
            read_figure(&reading, &claim->reconstruction, &row->reconstruction);
        for (size_t k = 0; k < claim->n_dynamic && !claimed->only_static && reading.status == PK_OK; k++)
            if (claim->dynamic[k].i_scenario == i_scenario)
                read_figure(&reading, &claim->dynamic[k], &row->dynamic[k]);
    }
    pk_comparison_free(&comparison);
    if (reading.status != PK_OK && error->file[0] == '\0')
        snprintf(error->file, sizeof error->file, "%.255s", path);
    return reading.status;
}

/* ---- figures ------------------------------------------------------------------------------------------------ */

double pk_claimed_value(const struct pk_claimed_figure *figure)
{
    return isnan(figure->net) ? figure->gross : figure->net;
}

double pk_claimed_gap(const struct pk_claimed_row *row)
{
    return row->claim->gap == NULL ? 0 : pk_claimed_value(&row->reconstruction) - row->claim->printed;
}

double pk_claimed_gap_percent(const struct pk_claimed_row *row)
{
    const double printed = row->claim->printed;
    return printed == 0 ? (double)NAN : 100 * pk_claimed_gap(row) / fabs(printed);
}

enum pk_status pk_claimed_check(const struct pk_claimed *claimed, struct pk_problems *problems)
{
    enum pk_status status = PK_OK;
    for (size_t i = 0; i < claimed->n_rows; i++) {
        const struct pk_claim *claim = claimed->rows[i].claim;
        const struct pk_claimed_figure *figure = &claimed->rows[i].reconstruction;
        const double gives = claim->gives, value = figure->known ? pk_claimed_value(figure) : gives;
        /* a sum that should be 0 may miss it by its last digits */
        if (pk_claims_same(gives, value) ||
            (gives == 0 && fabs(value) <= PK_CLAIM_TOLERANCE * fabs(claim->reconstruction.times)))
            continue;
        struct pk_error problem = {.line = claim->gives_line, .column = claim->gives_column};
        status = pk_error_set(&problem, PK_NUMERICAL, "is %.12g, but the simulation of %s gives %.12g", gives,
                              claimed->claims->scenarios[claim->reconstruction.i_scenario].file, value);
        problem.line = claim->gives_line;
        problem.column = claim->gives_column;
        if (figure->of_enrolled)
            snprintf(problem.hint, sizeof problem.hint,
                     "its figures are about those enrolled; about everyone they are where another arm enrols others");
        snprintf(problem.file, sizeof problem.file, "%.255s", claimed->claims->file);
        snprintf(problem.path, sizeof problem.path, "figures.%s.static.gives", claim->name);
        pk_problems_add(problems, &problem);
    }
    return status;
}
