/* Reading a claims file. See claims.h. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "load_private.h"
#include "polku/claims.h"
#include "polku/file.h"

struct of_claims {
    struct pk_load load; /* of the claims; later of one scenario and its model, too */
    struct pk_claims *claims;
    struct pk_reader figures; /* the mapping of claims; its item i is claims->claims[i] */
    size_t room_scenarios;
    const char *arms[PK_MAX_ARMS], *outcomes[PK_MAX_OUTCOMES]; /* of that scenario */
};

bool pk_claims_same(double figure, double other)
{
    return fabs(figure - other) <= PK_CLAIM_TOLERANCE * fmax(fabs(figure), fabs(other));
}

/* ---- what stands in the file alone -------------------------------------------------------------------------- */

static const char *kept(struct of_claims *s, const char *text)
{
    const char *copy = pk_arena_text(&s->claims->arena, text);
    s->load.no_memory |= copy == NULL;
    return copy;
}

/* A key's text; NULL where it is absent, or after a problem. */
static const char *text_at(struct of_claims *s, const struct pk_reader *r, const char *key, bool needed)
{
    struct pk_reader child;
    const char *text;
    if (!(needed ? pk_reader_need : pk_reader_find)(r, key, &child) || !pk_reader_text(&child, &text))
        return NULL;
    return kept(s, text);
}

static const char *name_at(struct of_claims *s, const struct pk_reader *r, const char *key, bool needed)
{
    struct pk_reader child;
    const char *name;
    if (!(needed ? pk_reader_need : pk_reader_find)(r, key, &child) || !pk_reader_name(&child, &name))
        return NULL;
    return kept(s, name);
}

static size_t scenario_of(struct of_claims *s, const char *file)
{
    struct pk_claims *claims = s->claims;
    for (size_t i = 0; i < claims->n_scenarios; i++)
        if (strcmp(claims->scenarios[i].file, file) == 0)
            return i;
    PK_ASSERT(claims->n_scenarios < s->room_scenarios);
    struct pk_claims_scenario *added = &claims->scenarios[claims->n_scenarios];
    added->file = kept(s, file);
    added->path = pk_load_beside(&claims->arena, claims->file, file);
    s->load.no_memory |= added->path == NULL;
    return s->load.no_memory ? SIZE_MAX : claims->n_scenarios++;
}

/* What a static and a dynamic figure share. */
static void read_figure(struct of_claims *s, const struct pk_reader *r, struct pk_claim_figure *figure)
{
    struct pk_reader child;
    const char *file;
    if (pk_reader_need(r, "scenario", &child) && pk_reader_text(&child, &file))
        figure->i_scenario = scenario_of(s, file);
    figure->outcome = name_at(s, r, "outcome", true);
    figure->arm = name_at(s, r, "arm", true);
    figure->against = name_at(s, r, "against", false);
    if (figure->arm != NULL && figure->against != NULL && strcmp(figure->arm, figure->against) == 0 &&
        pk_reader_find(r, "against", &child))
        pk_reader_problem(&child, NULL, "is the arm itself, whose difference is 0");
    figure->times = 1;
    if (pk_reader_find(r, "times", &child) && pk_reader_double_in(&child, -1e15, 1e15, &figure->times) &&
        figure->times == 0)
        (void)pk_reader_mismatch(&child, "a number other than 0", NULL);
}

static void read_static(struct of_claims *s, const struct pk_reader *claim, struct pk_claim *into)
{
    static const char *const keys[] = {"scenario", "outcome", "arm", "against", "times", "gives", NULL};
    struct pk_reader r, child;
    if (!pk_reader_need(claim, "static", &r) || !pk_reader_allow(&r, keys))
        return;
    read_figure(s, &r, &into->reconstruction);
    if (!pk_reader_need(&r, "gives", &child) || !pk_reader_double_in(&child, -1e15, 1e15, &into->gives))
        return;
    into->gives_line = child.node->line;
    into->gives_column = child.node->column;
}

static void read_dynamic(struct of_claims *s, const struct pk_reader *claim, struct pk_claim *into)
{
    static const char *const keys[] = {"label", "scenario", "outcome", "arm", "against", "times", NULL};
    struct pk_reader r, child;
    const bool has = pk_reader_find(claim, "dynamic", &r), has_none = pk_reader_find(claim, "no_dynamic", &child);
    if (has == has_none)
        pk_reader_problem(claim, NULL, "has %s, expected exactly one of dynamic and no_dynamic",
                          has ? "both dynamic and no_dynamic" : "neither dynamic nor no_dynamic");
    into->no_dynamic = text_at(s, claim, "no_dynamic", false);
    if (!has)
        return;
    const bool list = pk_reader_is(&r, PK_YAML_SEQUENCE);
    const size_t n = list ? pk_reader_count(&r) : 1;
    if (n == 0 || n > PK_MAX_DYNAMIC) {
        pk_reader_problem(&r, NULL, "has %zu figures, expected 1 to %d", n, PK_MAX_DYNAMIC);
        return;
    }
    into->dynamic = pk_load_alloc(&s->load, n, sizeof *into->dynamic);
    for (size_t i = 0; i < n && into->dynamic != NULL; i++) {
        const struct pk_reader item = list ? pk_reader_item(&r, i) : r;
        struct pk_claim_figure *figure = &into->dynamic[into->n_dynamic++];
        figure->i_scenario = SIZE_MAX;
        if (!pk_reader_allow(&item, keys))
            continue;
        if (list)
            (void)pk_reader_need(&item, "label", &child);
        pk_load_label(&s->load, &item, "", &figure->label);
        read_figure(s, &item, figure);
    }
}

static void read_claim(struct of_claims *s, const struct pk_reader *r, struct pk_claim *claim)
{
    static const char *const keys[] = {"says", "printed", "unit",    "source",     "caveat",       "static",
                                       "gap",  "assumes", "dynamic", "no_dynamic", "inconsistent", NULL};
    struct pk_reader child, gap;
    if (!pk_reader_allow(r, keys))
        return;
    const size_t n_before = pk_problems_errors(r->problems);
    if (pk_reader_need(r, "says", &child))
        pk_load_label_at(&s->load, &child, claim->name, &claim->says);
    if (pk_reader_need(r, "printed", &child))
        (void)pk_reader_double_in(&child, -1e15, 1e15, &claim->printed);
    claim->unit = text_at(s, r, "unit", true);
    (void)pk_load_source(&s->load, r, &claim->source);
    read_static(s, r, claim);
    claim->assumes = text_at(s, r, "assumes", true);
    claim->gap = text_at(s, r, "gap", false);
    const bool has_gap = pk_reader_find(r, "gap", &gap);
    if (pk_problems_errors(r->problems) == n_before && has_gap == pk_claims_same(claim->printed, claim->gives)) {
        if (has_gap)
            pk_reader_problem(&gap, NULL, "explains a difference that there is not: printed is what the static gives");
        else
            pk_reader_problem(r, "say in gap why",
                              "printed is %.12g, but the static gives %.12g: the key \"gap\" is missing",
                              claim->printed, claim->gives);
    }
    read_dynamic(s, r, claim);
    claim->inconsistent = text_at(s, r, "inconsistent", false);
}

/* How many figures there are at most, and so scenarios. */
static size_t count_figures(const struct pk_reader *figures)
{
    size_t n = 0;
    for (size_t i = 0; i < pk_reader_count(figures); i++) {
        const struct pk_reader item = pk_reader_item(figures, i);
        struct pk_reader dynamic;
        n += 2;
        if (pk_reader_find(&item, "dynamic", &dynamic))
            n += pk_reader_count(&dynamic);
    }
    return n;
}

static void read_claims(struct of_claims *s, const struct pk_reader *root)
{
    struct pk_claims *claims = s->claims;
    struct pk_reader *r = &s->figures;
    (void)pk_load_format(root);
    claims->name = name_at(s, root, "claims", true);
    claims->title = text_at(s, root, "title", false);
    claims->title = claims->title != NULL ? claims->title : claims->name;
    if (!pk_reader_need(root, "figures", r) || !pk_reader_expect(r, PK_YAML_MAPPING, "claims by name"))
        return;
    const size_t n = pk_reader_count(r);
    if (n == 0 || n > PK_MAX_CLAIMS) {
        pk_reader_problem(r, NULL, "names %zu claims, expected 1 to %d", n, PK_MAX_CLAIMS);
        return;
    }
    s->room_scenarios = count_figures(r);
    claims->scenarios = pk_load_alloc(&s->load, s->room_scenarios, sizeof *claims->scenarios);
    claims->claims = pk_load_alloc(&s->load, n, sizeof *claims->claims);
    for (size_t i = 0; i < n && !s->load.no_memory; i++) {
        const struct pk_reader item = pk_reader_item(r, i);
        struct pk_claim *claim = &claims->claims[claims->n_claims++];
        const char *name;
        claim->reconstruction.i_scenario = SIZE_MAX;
        claim->name = pk_reader_key_name(r, i, &name) ? kept(s, name) : "";
        if (!s->load.no_memory)
            read_claim(s, &item, claim);
    }
}

/* Parses the claims and reads what they say by themselves; false: they are no claims. */
static enum pk_status parse(struct of_claims *s, const char *name, const char *text, size_t size,
                            struct pk_problems *problems)
{
    static const char *const keys[] = {"polku", "claims", "title", "figures", NULL};
    struct pk_claims *claims = s->claims;
    const struct pk_yaml_node *root = NULL;
    s->load.arena = &claims->arena;
    claims->file = kept(s, name);
    if (s->load.no_memory)
        return PK_NO_MEMORY;
    const enum pk_status status = pk_yaml_parse(text, size, claims->file, &claims->arena, &root, problems);
    if (status != PK_OK)
        return status;
    const struct pk_reader r = pk_reader_root(root, claims->file, problems);
    const enum pk_file_kind kind = pk_load_kind_of(&r);
    if (!pk_reader_expect(&r, PK_YAML_MAPPING, "claims"))
        return PK_BAD_INPUT;
    if (kind != PK_FILE_CLAIMS) {
        pk_reader_problem(&r, kind == PK_FILE_SCENARIO ? "name it in a claims file, as the scenario of a figure" : NULL,
                          "is a %s, expected a claims file", pk_file_kind_names[kind]);
        return PK_BAD_INPUT;
    }
    (void)pk_reader_allow(&r, keys);
    read_claims(s, &r);
    return s->load.no_memory ? PK_NO_MEMORY : PK_OK;
}

/* ---- held against the scenarios ----------------------------------------------------------------------------- */

static void hold_figure(struct of_claims *s, const struct pk_reader *r, const struct pk_claim_figure *figure)
{
    const struct pk_scenario *scenario = s->load.scenario;
    const struct {
        const char *key, *name;
    } arms[] = {{"arm", figure->arm}, {"against", figure->against}};
    struct pk_reader child;
    size_t i;
    if (figure->outcome != NULL && pk_reader_find(r, "outcome", &child))
        (void)pk_reader_choice(&child, s->outcomes, scenario->n_outcomes, &i, "an outcome of the scenario");
    for (size_t k = 0; k < 2; k++)
        if (arms[k].name != NULL && pk_reader_find(r, arms[k].key, &child))
            (void)pk_reader_choice(&child, s->arms, scenario->n_arms, &i, "an arm of the scenario");
}

/* Results are called by the scenarios' names. */
static void check_name(struct of_claims *s, const struct pk_reader *r, size_t i_scenario)
{
    const struct pk_claims_scenario *scenarios = s->claims->scenarios;
    struct pk_reader child;
    for (size_t i = 0; i < i_scenario; i++)
        if (scenarios[i].name != NULL && strcmp(scenarios[i].name, scenarios[i_scenario].name) == 0 &&
            pk_reader_find(r, "scenario", &child))
            pk_reader_problem(&child, "write one file in one way, and call two scenarios otherwise",
                              "is called %s, as %s is, so that both would have the result %s.h5",
                              scenarios[i_scenario].name, scenarios[i].file, scenarios[i_scenario].name);
}

/* Texts name rows of the ledger that the reconstruction's model has. */
static void check_ids(struct of_claims *s, const struct pk_reader *claim)
{
    static const char *const texts[] = {"assumes", "gap", "no_dynamic", "inconsistent"};
    struct pk_reader r;
    pk_load_check_ids(&s->load, claim, true);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (pk_reader_find(claim, texts[i], &r))
            pk_load_check_text(&s->load, &r);
}

/* All figures of one scenario, which is loaded. other: files are told apart by their names. */
static void hold(struct of_claims *s, size_t i_scenario, struct pk_scenario *scenario, struct pk_model *model,
                 bool other)
{
    s->load.scenario = scenario;
    s->load.model = model;
    for (size_t i = 0; i < scenario->n_arms; i++)
        s->arms[i] = scenario->arms[i].name;
    for (size_t i = 0; i < scenario->n_outcomes; i++)
        s->outcomes[i] = scenario->outcomes[i].name;
    s->claims->scenarios[i_scenario].name = kept(s, scenario->name);
    for (size_t i = 0; i < s->claims->n_claims && !s->load.no_memory; i++) {
        const struct pk_reader claim = pk_reader_item(&s->figures, i);
        const struct pk_claim *of = &s->claims->claims[i];
        struct pk_reader r;
        if (of->reconstruction.i_scenario == i_scenario && pk_reader_find(&claim, "static", &r)) {
            if (other)
                check_name(s, &r, i_scenario);
            other = false;
            hold_figure(s, &r, &of->reconstruction);
            check_ids(s, &claim);
        }
        for (size_t k = 0; k < of->n_dynamic && pk_reader_find(&claim, "dynamic", &r); k++) {
            const struct pk_reader item = pk_reader_is(&r, PK_YAML_SEQUENCE) ? pk_reader_item(&r, k) : r;
            if (of->dynamic[k].i_scenario != i_scenario)
                continue;
            if (other)
                check_name(s, &item, i_scenario);
            other = false;
            hold_figure(s, &item, &of->dynamic[k]);
        }
    }
}

/* Loads one scenario and holds its figures against it. Its warnings are left out, its errors name the claims. */
static enum pk_status hold_file(struct of_claims *s, size_t i_scenario, const struct pk_load_options *options,
                                struct pk_problems *problems)
{
    struct pk_scenario scenario;
    struct pk_model model;
    struct pk_problems own;
    pk_problems_init(&own);
    enum pk_status status = pk_load_scenario(s->claims->scenarios[i_scenario].path, options, &scenario, &model, &own);
    for (size_t i = 0; i < own.n_kept; i++) {
        struct pk_error *problem = &own.items[i];
        if (problem->status == PK_IO && problem->hint[0] == '\0')
            snprintf(problem->hint, sizeof problem->hint, "a scenario of %s", s->claims->file);
        if (problem->status != PK_OK)
            pk_problems_add(problems, problem);
    }
    pk_problems_free(&own);
    if (status != PK_OK)
        return status;
    hold(s, i_scenario, &scenario, &model, true);
    pk_scenario_free(&scenario);
    pk_model_free(&model);
    return s->load.no_memory ? PK_NO_MEMORY : PK_OK;
}

static enum pk_status finish(enum pk_status status, struct pk_claims *claims, const struct pk_problems *problems)
{
    if (status == PK_OK && pk_problems_errors(problems) > 0)
        status = PK_BAD_INPUT;
    if (status != PK_OK)
        pk_claims_free(claims);
    return status;
}

enum pk_status pk_load_claims_text(const char *name, const char *text, size_t size, struct pk_claims *claims,
                                   struct pk_scenario *scenario, struct pk_model *model, struct pk_problems *problems)
{
    struct of_claims s = {.claims = claims};
    memset(claims, 0, sizeof *claims);
    pk_arena_init(&claims->arena);
    const enum pk_status status = parse(&s, name, text, size, problems);
    for (size_t i = 0; i < claims->n_scenarios && status == PK_OK; i++)
        hold(&s, i, scenario, model, false);
    return finish(s.load.no_memory ? PK_NO_MEMORY : status, claims, problems);
}

enum pk_status pk_load_claims(const char *path, const struct pk_load_options *options, struct pk_claims *claims,
                              struct pk_problems *problems)
{
    struct of_claims s = {.claims = claims};
    struct pk_error error;
    char *text = NULL;
    size_t size;
    memset(claims, 0, sizeof *claims);
    pk_arena_init(&claims->arena);
    enum pk_status status = pk_file_read(path, PK_YAML_BYTES_MAX, &text, &size, &error);
    if (status != PK_OK) {
        pk_problems_add(problems, &error);
        return status;
    }
    status = parse(&s, path, text, size, problems);
    pk_free(text);
    enum pk_status worst = status; /* one scenario that cannot be read hides nothing of the others */
    for (size_t i = 0; i < claims->n_scenarios && status == PK_OK && worst != PK_NO_MEMORY; i++) {
        const enum pk_status found = hold_file(&s, i, options, problems);
        if (found != PK_OK && (worst == PK_OK || pk_status_exit_code(found) > pk_status_exit_code(worst)))
            worst = found;
        if (found == PK_NO_MEMORY)
            worst = found;
    }
    return finish(worst, claims, problems);
}

void pk_claims_free(struct pk_claims *claims)
{
    if (claims == NULL)
        return;
    pk_arena_free(&claims->arena);
    memset(claims, 0, sizeof *claims);
    pk_arena_init(&claims->arena);
}
