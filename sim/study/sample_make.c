/* From a study to the points of its sample. See sample.h. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "polku/hash.h"
#include "polku/provenance.h"
#include "polku/variants.h"
#include "sample_private.h"

/* ---- columns and designs ------------------------------------------------------------------------------------ */

static size_t columns_of(const struct pk_factor *factor)
{
    return factor->kind == PK_FACTOR_SET ? pk_uncertain_set_columns(factor->set) : 1;
}

/* The columns of all factors, named so that nothing else's draws depend on them. */
struct columns {
    struct pk_design_columns of;
    const char **names;
    size_t *factor_of;
    char (*own)[PK_COLUMN_NAME]; /* names of the columns of sets */
};

static void free_columns(struct columns *columns)
{
    pk_free(columns->names);
    pk_free(columns->factor_of);
    pk_free(columns->own);
}

static enum pk_status make_columns(struct columns *columns, const struct pk_sweep *sweep, struct pk_error *error)
{
    size_t n = 0;
    for (size_t f = 0; f < sweep->n_factors; f++)
        n += columns_of(&sweep->factors[f]);
    memset(columns, 0, sizeof *columns);
    columns->names = pk_alloc(n + 1, sizeof *columns->names);
    columns->factor_of = pk_alloc(n + 1, sizeof *columns->factor_of);
    columns->own = pk_alloc(n + 1, sizeof *columns->own);
    if (columns->names == NULL || columns->factor_of == NULL || columns->own == NULL) {
        free_columns(columns);
        return pk_error_set(error, PK_NO_MEMORY, "no memory for the points of the study");
    }
    n = 0;
    for (size_t f = 0; f < sweep->n_factors; f++) {
        const struct pk_factor *factor = &sweep->factors[f];
        const size_t n_own = columns_of(factor);
        for (size_t k = 0; k < n_own; k++, n++) {
            snprintf(columns->own[n], sizeof columns->own[n], n_own == 1 ? "%s" : "%s#%zu", factor->name, k);
            columns->names[n] = columns->own[n];
            columns->factor_of[n] = factor->i_group;
        }
    }
    columns->of = (struct pk_design_columns){
        .n = n, .names = columns->names, .n_factors = sweep->n_groups, .factor_of = columns->factor_of};
    return PK_OK;
}

/* Draws of a probabilistic analysis: each column keyed by its name alone. */
static enum pk_status keyed(struct pk_design *design, uint64_t seed, const struct pk_sweep *sweep,
                            const struct columns *columns, struct pk_error *error)
{
    const size_t n = (size_t)sweep->n_draws, k = columns->of.n;
    design->n_points = n;
    design->n_columns = k;
    design->points = pk_alloc(n * k + 1, sizeof *design->points);
    design->marks = pk_alloc(n, sizeof *design->marks);
    if (design->points == NULL || design->marks == NULL)
        return pk_error_set(error, PK_NO_MEMORY, "no memory for the points of the study");
    for (size_t i = 0; i < n; i++)
        design->marks[i] = (struct pk_design_mark){.part = PK_DESIGN_SAMPLE,
                                                   .row = (uint32_t)i,
                                                   .factor = PK_DESIGN_NONE,
                                                   .other = PK_DESIGN_NONE,
                                                   .level = PK_DESIGN_NONE,
                                                   .other_level = PK_DESIGN_NONE};
    size_t column = 0;
    for (size_t f = 0; f < sweep->n_factors; f++) {
        const size_t n_own = columns_of(&sweep->factors[f]);
        for (size_t c = 0; c < n_own; c++, column++)
            for (size_t i = 0; i < n; i++)
                design->points[i * k + column] = pk_uncertain_uniform(seed, sweep->factors[f].name, c, i, false);
    }
    return PK_OK;
}

/* Every pair of factors after one base. */
static enum pk_status two_way(struct pk_design *design, const struct pk_design_levels *levels, size_t n_factors,
                              struct pk_error *error)
{
    size_t n = 1;
    for (size_t f = 0; f < n_factors; f++)
        for (size_t k = f + 1; k < n_factors; k++)
            n += levels[f].n * levels[k].n;
    design->n_columns = n_factors;
    design->points = pk_alloc(n * n_factors, sizeof *design->points);
    design->marks = pk_alloc(n, sizeof *design->marks);
    if (design->points == NULL || design->marks == NULL)
        return pk_error_set(error, PK_NO_MEMORY, "no memory for the points of the study");
    enum pk_status status = PK_OK;
    for (size_t f = 0; f < n_factors && status == PK_OK; f++)
        for (size_t k = f + 1; k < n_factors && status == PK_OK; k++) {
            struct pk_design pair;
            status = pk_design_two_way(&pair, levels, n_factors, f, k, error);
            const size_t skip = design->n_points > 0; /* its base is there already */
            if (status == PK_OK) {
                memcpy(design->points + design->n_points * n_factors, pair.points + skip * n_factors,
                       (pair.n_points - skip) * n_factors * sizeof *design->points);
                memcpy(design->marks + design->n_points, pair.marks + skip,
                       (pair.n_points - skip) * sizeof *design->marks);
                design->n_points += pair.n_points - skip;
            }
            pk_design_free(&pair);
        }
    return status;
}

static enum pk_status make_grid(struct pk_design *design, const struct pk_sweep *sweep, const double *base,
                                struct pk_error *error)
{
    struct pk_design_levels *levels = pk_alloc(sweep->n_factors, sizeof *levels);
    if (levels == NULL)
        return pk_error_set(error, PK_NO_MEMORY, "no memory for the levels of the study");
    for (size_t f = 0; f < sweep->n_factors; f++) {
        const struct pk_factor *factor = &sweep->factors[f];
        levels[f] = (struct pk_design_levels){
            .n = factor->n_levels, .at = factor->levels, .base = pk_sample_base(factor, base)};
    }
    enum pk_status status = sweep->method == PK_METHOD_FACTORIAL
                                ? pk_design_factorial(design, levels, sweep->n_factors, error)
                            : sweep->method == PK_METHOD_ONE_WAY
                                ? pk_design_one_way(design, levels, sweep->n_factors, error)
                                : two_way(design, levels, sweep->n_factors, error);
    pk_free(levels);
    return status;
}

double pk_sample_base(const struct pk_factor *factor, const double *base)
{
    if (factor->kind != PK_FACTOR_PARAMETER)
        return 0; /* a choice's first option */
    if (factor->i_parameter == SIZE_MAX)
        return factor->uncertain != NULL ? pk_uncertainty_quantile(factor->uncertain, 0.5) : factor->levels[0];
    return base[factor->i_parameter];
}

static enum pk_status make_design(struct pk_design *design, const struct pk_study *study, const double *base,
                                  struct pk_error *error)
{
    const struct pk_sweep *sweep = study->sweep;
    struct columns columns;
    memset(design, 0, sizeof *design);
    if (pk_method_is_grid(sweep->method))
        return make_grid(design, sweep, base, error);
    enum pk_status status = make_columns(&columns, sweep, error);
    if (status != PK_OK)
        return status;
    const size_t n = (size_t)sweep->n_draws;
    switch (sweep->method) {
    case PK_METHOD_LATIN_HYPERCUBE:
        status = pk_design_latin(design, study->seed, n, &columns.of, error);
        break;
    case PK_METHOD_MORRIS:
        status = pk_design_morris(design, study->seed, n, (uint32_t)sweep->n_levels, 0, &columns.of, error);
        break;
    case PK_METHOD_SOBOL:
        status = pk_design_saltelli(design, study->seed, n, sweep->second_order, &columns.of, error);
        break;
    default:
        status = keyed(design, study->seed, sweep, &columns, error);
    }
    free_columns(&columns);
    return status;
}

enum pk_status pk_sample_points(const struct pk_study *study, size_t *n_points, struct pk_error *error)
{
    const struct pk_sweep *sweep = study->sweep;
    const size_t n = (size_t)sweep->n_draws, k = sweep->n_groups;
    (void)error;
    *n_points = 1;
    if (sweep->method == PK_METHOD_MORRIS) {
        *n_points = n * (k + 1);
    } else if (sweep->method == PK_METHOD_SOBOL) {
        *n_points = n * ((sweep->second_order ? 2 * k : k) + 2);
    } else if (!pk_method_is_grid(sweep->method)) {
        *n_points = n;
    } else {
        for (size_t f = 0; f < sweep->n_factors; f++) {
            const size_t levels = sweep->factors[f].n_levels;
            if (sweep->method == PK_METHOD_FACTORIAL)
                *n_points *= levels;
            else if (sweep->method == PK_METHOD_ONE_WAY)
                *n_points += levels;
            for (size_t j = 0; sweep->method == PK_METHOD_TWO_WAY && j < f; j++)
                *n_points += levels * sweep->factors[j].n_levels;
        }
    }
    return PK_OK;
}

/* ---- values ------------------------------------------------------------------------------------------------- */

/* A draw of a factor into its quantities. */
static void draw(const struct pk_factor *factor, const struct pk_model *model, const double *u, double *all, double *x)
{
    if (factor->kind == PK_FACTOR_CHOICE) {
        double sum = 0;
        size_t o = 0;
        for (; o + 1 < factor->n_options; o++)
            if (u[0] < (sum += factor->options[o].share))
                break;
        x[0] = (double)o;
    } else if (factor->kind == PK_FACTOR_PARAMETER) {
        x[0] = pk_uncertainty_quantile(factor->uncertain, u[0]);
    } else {
        pk_uncertain_set_values(factor->set, model, u, all);
        for (size_t k = 0; k < factor->set->n; k++)
            x[k] = all[factor->set->i_parameters[k]];
    }
}

static enum pk_status fill_points(struct pk_sample *sample, const struct pk_study *study, const struct pk_model *model,
                                  const struct pk_design *design, struct pk_error *error)
{
    const struct pk_sweep *sweep = study->sweep;
    const bool grid = pk_method_is_grid(sweep->method);
    double *all = pk_alloc((model != NULL ? model->n_parameters : 0) + 1, sizeof *all);
    if (all == NULL)
        return pk_error_set(error, PK_NO_MEMORY, "no memory for the points of the study");
    for (size_t i = 0; i < sample->n; i++) {
        const double *u = design->points + (sample->first + i) * design->n_columns;
        double *x = sample->x + i * sample->n_quantities;
        for (size_t f = 0, column = 0; f < sweep->n_factors; f++) {
            const struct pk_sample_factor *factor = &sample->factors[f];
            if (grid)
                x[factor->first_quantity] = u[f];
            else
                draw(&sweep->factors[f], model, u + column, all, x + factor->first_quantity);
            column += columns_of(&sweep->factors[f]);
        }
        sample->marks[i] = design->marks[sample->first + i];
        const int64_t world = pk_sample_world(sample, i);
        uint64_t key = sample->identity;
        pk_hash_mix(&key, x, sample->n_quantities * sizeof *x);
        pk_hash_mix(&key, &world, sizeof world);
        pk_hash_mix(&key, &sample->replications, sizeof sample->replications);
        sample->keys[i] = key;
    }
    pk_free(all);
    return PK_OK;
}

int64_t pk_sample_world(const struct pk_sample *sample, size_t i)
{
    return sample->independent ? (int64_t)sample->marks[i].row * sample->replications : 0;
}

/* ---- names -------------------------------------------------------------------------------------------------- */

static const char *text_of(struct pk_sample *sample, const char *text)
{
    return pk_arena_text(&sample->arena, text);
}

static bool name_factor(struct pk_sample *sample, const struct pk_factor *from, const struct pk_model *model,
                        const double *base, size_t f)
{
    struct pk_sample_factor *factor = &sample->factors[f];
    const bool ours = from->i_parameter != SIZE_MAX;
    const struct pk_parameter *parameter = ours ? &model->parameters[from->i_parameter] : NULL;
    struct pk_text told;
    pk_text_init(&told);
    factor->name = text_of(sample, from->name);
    factor->kind = from->kind;
    factor->unit = text_of(sample, ours ? pk_unit_names[parameter->given_unit] : "");
    factor->source_kind = text_of(sample, from->kind == PK_FACTOR_CHOICE ? "choice"
                                          : ours                         ? pk_source_names[parameter->source.kind]
                                                                         : "");
    factor->source = text_of(sample, ours ? parameter->source.text : "");
    if (from->kind == PK_FACTOR_SET && from->set->n > 0) {
        const struct pk_source *source = &model->parameters[from->set->i_parameters[0]].source;
        factor->source_kind = text_of(sample, pk_source_names[source->kind]);
        factor->source = text_of(sample, source->text);
    }
    factor->i_group = from->i_group;
    factor->first_quantity = sample->n_quantities;
    factor->n_quantities = from->kind == PK_FACTOR_SET ? from->set->n : 1;
    for (size_t k = 0; k < factor->n_quantities; k++)
        sample->quantities[sample->n_quantities++] =
            text_of(sample, from->kind == PK_FACTOR_SET ? model->parameters[from->set->i_parameters[k]].name : from->name);
    factor->n_levels = from->kind == PK_FACTOR_CHOICE ? from->n_options : from->n_levels;
    double *levels = pk_arena_alloc(&sample->arena, factor->n_levels + 1, sizeof *levels);
    const char **names = pk_arena_alloc(&sample->arena, factor->n_levels + 1, sizeof *names);
    for (size_t k = 0; levels != NULL && names != NULL && k < factor->n_levels; k++) {
        levels[k] = from->kind == PK_FACTOR_CHOICE ? (double)k : from->levels[k];
        char number[40];
        snprintf(number, sizeof number, "%.10g", levels[k]);
        names[k] = text_of(sample, from->kind == PK_FACTOR_CHOICE ? from->options[k].name : number);
        pk_text_addf(&told, "%s%s", k > 0 ? ", " : "", names[k] != NULL ? names[k] : "");
    }
    factor->levels = levels;
    factor->level_names = names;
    factor->base = pk_sample_base(from, base);
    if (from->kind == PK_FACTOR_PARAMETER && !pk_method_is_grid(sample->method)) {
        char line[PK_UNCERTAINTY_TEXT_SIZE];
        pk_uncertainty_text(from->uncertain, line);
        pk_text_free(&told);
        pk_text_init(&told);
        pk_text_put(&told, line);
    } else if (from->kind == PK_FACTOR_SET) {
        pk_text_put(&told, "a set of parameters that are uncertain together");
    }
    factor->told = text_of(sample, pk_text_string(&told));
    const bool good = !told.failed && factor->told && factor->name && factor->unit && factor->source_kind &&
                      factor->source && levels && names;
    pk_text_free(&told);
    return good;
}

/* Marks of calibrations and what the documents warn of, a line each. */
static const char *warnings_of(struct pk_sample *sample, const struct pk_scenario *scenario,
                               const struct pk_model *model)
{
    struct pk_text text;
    pk_text_init(&text);
    for (size_t i = 0; scenario != NULL && i < scenario->n_calibrations; i++)
        for (size_t k = 0; k < scenario->calibrations[i].n_marks; k++)
            pk_text_addf(&text, "calibrated from %s: %s\n", scenario->calibrations[i].study,
                         scenario->calibrations[i].marks[k]);
    for (size_t i = 0; model != NULL && i < model->n_warnings_of_documents; i++)
        pk_text_addf(&text, "%s\n", model->warnings_of_documents[i]);
    const char *copy = text.failed ? NULL : text_of(sample, pk_text_string(&text));
    pk_text_free(&text);
    return copy;
}

static bool name_decision(struct pk_sample *sample, const struct pk_decision *from, const struct pk_scenario *scenario)
{
    struct pk_sample_decision *decision = &sample->decision;
    const size_t n = from->n_options;
    decision->n_options = n;
    if (n == 0)
        return true;
    const char **options = pk_arena_alloc(&sample->arena, n, sizeof *options);
    size_t *effects = pk_arena_alloc(&sample->arena, n, sizeof *effects),
           *costs = pk_arena_alloc(&sample->arena, n, sizeof *costs);
    double *thresholds = pk_arena_alloc(&sample->arena, from->n_thresholds, sizeof *thresholds);
    const char **questions = pk_arena_alloc(&sample->arena, from->n_questions + 1, sizeof *questions);
    bool *asks = pk_arena_alloc(&sample->arena, from->n_questions * sample->n_factors + 1, sizeof *asks);
    decision->effect_label = text_of(sample, from->effect_label);
    if (!options || !effects || !costs || !thresholds || !questions || !asks || !decision->effect_label)
        return false;
    bool good = true;
    for (size_t o = 0; o < n; o++) {
        good &= (options[o] = text_of(sample, scenario->arms[from->i_arms[o]].name)) != NULL;
        effects[o] = from->i_effects[o];
        costs[o] = from->i_costs[o];
    }
    memcpy(thresholds, from->thresholds, from->n_thresholds * sizeof *thresholds);
    for (size_t q = 0; q < from->n_questions; q++) {
        good &= (questions[q] = text_of(sample, from->questions[q].name)) != NULL;
        for (size_t k = 0; k < from->questions[q].n_factors; k++)
            asks[q * sample->n_factors + from->questions[q].i_factors[k]] = true;
    }
    decision->options = options;
    decision->effects = effects;
    decision->costs = costs;
    decision->n_thresholds = from->n_thresholds;
    decision->thresholds = thresholds;
    decision->persons_per_year = from->persons_per_year;
    decision->years = from->years;
    decision->discount = from->discount;
    decision->n_questions = from->n_questions;
    decision->questions = questions;
    decision->asks = asks;
    return good;
}

static bool name_all(struct pk_sample *sample, const struct pk_study *study, const struct pk_scenario *scenario,
                     const struct pk_model *model, const double *base)
{
    const struct pk_sweep *sweep = study->sweep;
    size_t n_quantities = 0;
    for (size_t f = 0; f < sweep->n_factors; f++)
        n_quantities += sweep->factors[f].kind == PK_FACTOR_SET ? sweep->factors[f].set->n : 1;
    sample->study = text_of(sample, study->name);
    sample->title = text_of(sample, study->title);
    sample->study_text = text_of(sample, study->text);
    sample->scenario_file = text_of(sample, scenario != NULL ? scenario->name : "");
    sample->warnings = warnings_of(sample, scenario, model);
    sample->factors = pk_arena_alloc(&sample->arena, sweep->n_factors, sizeof *sample->factors);
    sample->quantities = pk_arena_alloc(&sample->arena, n_quantities, sizeof *sample->quantities);
    sample->groups = pk_arena_alloc(&sample->arena, sweep->n_groups, sizeof *sample->groups);
    sample->figures = pk_arena_alloc(&sample->arena, sweep->n_figures, sizeof *sample->figures);
    bool good = sample->study && sample->title && sample->study_text && sample->scenario_file && sample->warnings &&
                sample->factors && sample->quantities && sample->groups && sample->figures;
    for (size_t f = 0; f < sweep->n_factors && good; f++)
        good = name_factor(sample, &sweep->factors[f], model, base, f);
    for (size_t g = 0; g < sweep->n_groups && good; g++)
        good = (sample->groups[g] = text_of(sample, sweep->groups[g])) != NULL;
    for (size_t i = 0; i < sweep->n_figures && good; i++) {
        const struct pk_figure_told *figure = &sweep->figures[i];
        sample->figures[i] = (struct pk_sample_figure){.name = text_of(sample, figure->name),
                                                       .label = text_of(sample, figure->label.in[2]),
                                                       .unit = text_of(sample, figure->per_person ? "per person" : "")};
        good = sample->figures[i].name && sample->figures[i].label && sample->figures[i].unit;
    }
    for (size_t k = 0; k < sample->n_quantities && good; k++)
        good = sample->quantities[k] != NULL;
    return good && name_decision(sample, &sweep->decision, scenario);
}

enum pk_status pk_sample_make(struct pk_sample *sample, const struct pk_study *study,
                              const struct pk_scenario *scenario, const struct pk_model *model, int64_t replications,
                              uint64_t identity, size_t first, size_t n, struct pk_error *error)
{
    const struct pk_sweep *sweep = study->sweep;
    struct pk_design design = {0};
    struct pk_values base = {0};
    memset(sample, 0, sizeof *sample);
    pk_arena_init(&sample->arena);
    sample->identity = identity;
    sample->seed = study->seed;
    sample->method = sweep->method;
    sample->n_draws = pk_method_is_grid(sweep->method) ? 0 : sweep->n_draws;
    sample->n_levels = sweep->method == PK_METHOD_MORRIS ? sweep->n_levels : 0;
    sample->replications = replications;
    sample->second_order = sweep->second_order;
    sample->independent = sweep->independent;
    sample->n_factors = sweep->n_factors;
    sample->n_groups = sweep->n_groups;
    sample->n_figures = sweep->n_figures;
    sample->n_named = sweep->n_named;
    enum pk_status status =
        scenario != NULL ? pk_variants_given(&base, model, scenario, NULL, 0, NULL, 0, error) : PK_OK;
    if (status == PK_OK)
        status = make_design(&design, study, base.given, error);
    if (status == PK_OK) {
        sample->n_all = design.n_points;
        sample->first = first < design.n_points ? first : design.n_points;
        sample->n = n < design.n_points - sample->first ? n : design.n_points - sample->first;
        if (!name_all(sample, study, scenario, model, base.given) || !pk_sample_make_room(sample))
            status = pk_error_set(error, PK_NO_MEMORY, "no memory for the points of the study");
    }
    if (status == PK_OK)
        status = fill_points(sample, study, model, &design, error);
    pk_design_free(&design);
    if (scenario != NULL && base.given != NULL)
        pk_values_free(&base);
    if (status != PK_OK)
        pk_sample_free(sample);
    return status;
}

bool pk_sample_make_room(struct pk_sample *sample)
{
    const size_t n = sample->n + 1;
    sample->marks = pk_arena_alloc(&sample->arena, n, sizeof *sample->marks);
    sample->x = pk_arena_alloc(&sample->arena, n * sample->n_quantities, sizeof *sample->x);
    sample->y = pk_arena_alloc(&sample->arena, n * sample->n_figures, sizeof *sample->y);
    sample->errors = pk_arena_alloc(&sample->arena, n * sample->n_figures, sizeof *sample->errors);
    sample->keys = pk_arena_alloc(&sample->arena, n, sizeof *sample->keys);
    return sample->marks && sample->x && sample->y && sample->errors && sample->keys;
}

void pk_sample_free(struct pk_sample *sample)
{
    if (sample == NULL)
        return;
    pk_arena_free(&sample->arena);
    memset(sample, 0, sizeof *sample);
    pk_arena_init(&sample->arena);
}
