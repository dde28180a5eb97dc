/* From a study to the points of its sample. See sample.h. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "polku/hash.h"
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
    enum pk_status status =
        sweep->method == PK_METHOD_FACTORIAL ? pk_design_factorial(design, levels, sweep->n_factors, error)
        : sweep->method == PK_METHOD_ONE_WAY ? pk_design_one_way(design, levels, sweep->n_factors, error)
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

bool pk_sample_is_impossible(const struct pk_sample *sample, size_t i)
{
    for (size_t k = 0; k < sample->n_figures; k++)
        if (!isnan(sample->y[i * sample->n_figures + k]))
            return false;
    return true;
}

int64_t pk_sample_world(const struct pk_sample *sample, size_t i)
{
    return sample->independent ? (int64_t)sample->marks[i].row * sample->replications : 0;
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
        if (!pk_sample_name(sample, study, scenario, model, base.given) || !pk_sample_make_room(sample))
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
