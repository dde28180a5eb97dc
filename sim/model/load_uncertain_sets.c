/* Parameters that are uncertain together: the key uncertainty. See load.h and uncertainty.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "load_uncertain_private.h"

/* The same of key k of a mapping, or of a scalar where key is false. */
static bool member(struct pk_load *load, const struct pk_reader *r, size_t k, bool key, struct pk_uncertain_set *set)
{
    struct pk_load_refusal refusal;
    const struct pk_reader item = pk_reader_item(r, k);
    const char *name = key ? pk_reader_key(r, k) : NULL;
    if (!key && !pk_reader_name(&item, &name))
        return false;
    if (pk_load_uncertain_member(load, set, name, &refusal))
        return true;
    if (refusal.what[0] == '\0')
        return false;
    const char *hint = refusal.hint[0] != '\0' ? refusal.hint : NULL;
    if (key)
        pk_load_problem_at_key(r, k, hint, refusal.what);
    else
        pk_reader_problem(&item, hint, "%s", refusal.what);
    return false;
}

/* So many parameters, within bounds, and room for them. */
static bool counted(struct pk_load *load, const struct pk_reader *r, size_t least, struct pk_uncertain_set *set)
{
    const size_t n = pk_reader_count(r);
    if (n >= least && n <= PK_MAX_UNCERTAIN_TOGETHER)
        return pk_load_uncertain_room(load, set, n);
    pk_reader_problem(r, NULL, "has %zu parameters, expected %zu to %d", n, least, PK_MAX_UNCERTAIN_TOGETHER);
    return false;
}

/* {PARAMETER: count, ...} */
static bool read_dirichlet(struct pk_load *load, const struct pk_reader *r, struct pk_uncertain_set *set)
{
    if (!pk_reader_expect(r, PK_YAML_MAPPING, "a mapping of parameters to counts") || !counted(load, r, 2, set))
        return false;
    bool good = true;
    double sum = 0;
    for (size_t k = 0; k < pk_reader_count(r); k++) {
        const struct pk_reader item = pk_reader_item(r, k);
        const size_t i = set->n;
        double weight;
        if (pk_reader_double_in(&item, 1e-3, 1e6, &weight) && member(load, r, k, true, set)) {
            set->weights[i] = weight;
            sum += load->model->parameters[set->i_parameters[i]].values[0];
        } else {
            good = false;
        }
    }
    if (good && !(sum >= 1 - 1e-9 && sum <= 1 + 1e-9)) {
        pk_reader_problem(r, NULL, "is about parameters that add up to %.12g, expected all shares of a whole, 1", sum);
        good = false;
    }
    return good;
}

/* [[...], ...] as many rows and columns as the set has parameters; of correlations, 1 on the diagonal. */
static bool read_matrix(struct pk_load *load, const struct pk_reader *r, bool correlations,
                        struct pk_uncertain_set *set)
{
    const size_t n = set->n;
    size_t i_row, i_column;
    if (!pk_reader_expect(r, PK_YAML_SEQUENCE, "a list of rows"))
        return false;
    bool good = pk_reader_count(r) == n;
    if (!good)
        pk_reader_problem(r, NULL, "has %zu rows for %zu parameters", pk_reader_count(r), n);
    for (size_t i = 0; i < n && good; i++) {
        const struct pk_reader row = pk_reader_item(r, i);
        good = pk_reader_expect(&row, PK_YAML_SEQUENCE, "a list of numbers");
        if (good && pk_reader_count(&row) != n) {
            pk_reader_problem(&row, NULL, "has %zu numbers for %zu parameters", pk_reader_count(&row), n);
            good = false;
        }
        for (size_t j = 0; j < n && good; j++) {
            const struct pk_reader item = pk_reader_item(&row, j);
            const double most = correlations ? 1 : 1e12;
            double *at = &set->matrix[i * n + j];
            good = pk_reader_double_in(&item, i == j && !correlations ? 0 : -most, most, at);
            if (good && correlations && i == j && *at != 1) {
                pk_reader_problem(&item, NULL, "is %g, expected 1: the correlation of a parameter with itself", *at);
                good = false;
            }
        }
    }
    if (good && !pk_load_uncertain_symmetric(set, &i_row, &i_column)) {
        const struct pk_reader row = pk_reader_item(r, i_row), item = pk_reader_item(&row, i_column);
        pk_reader_problem(&item, NULL, "is %g, and mirrored %g: expected a symmetric matrix",
                          set->matrix[i_row * n + i_column], set->matrix[i_column * n + i_row]);
        good = false;
    }
    i_row = good ? pk_load_uncertain_factor(set) : SIZE_MAX;
    if (i_row != SIZE_MAX) {
        pk_reader_problem(r, NULL, "is not positive definite: of %s nothing is left beside those before it",
                          load->model->parameters[set->i_parameters[i_row]].name);
        good = false;
    }
    return good;
}

/* {correlated: [PARAMETER, ...], correlation: [[...], ...]} */
static bool read_correlated(struct pk_load *load, const struct pk_reader *r, const struct pk_reader *whole,
                            struct pk_uncertain_set *set)
{
    struct pk_reader matrix;
    if (!pk_reader_expect(r, PK_YAML_SEQUENCE, "a list of parameters") || !counted(load, r, 2, set))
        return false;
    bool good = true;
    for (size_t k = 0; k < pk_reader_count(r); k++)
        good &= member(load, r, k, false, set);
    return pk_reader_need(whole, "correlation", &matrix) && good && read_matrix(load, &matrix, true, set);
}

/* {PARAMETER: {estimate: ..., scale: ...}} and covariance, or {file: ...} */
static bool read_coefficients(struct pk_load *load, const struct pk_reader *r, const struct pk_reader *whole,
                              struct pk_uncertain_set *set)
{
    static const char *const of_file[] = {"file", NULL}, *const keys[] = {"estimate", "scale", NULL};
    struct pk_reader matrix, child;
    if (!pk_reader_expect(r, PK_YAML_MAPPING, "a mapping of parameters to estimates, or {file: ...}"))
        return false;
    const bool some = pk_reader_count(r) > 0;
    child = some ? pk_reader_item(r, 0) : *r;
    if (some && pk_reader_is(&child, PK_YAML_SCALAR)) { /* not {estimate: ...} */
        if (!pk_reader_allow(r, of_file) || !pk_reader_need(r, "file", &child))
            return false;
        if (!pk_reader_find(whole, "covariance", &matrix))
            return pk_load_coefficients_file(load, &child, set);
        pk_reader_problem(&matrix, NULL, "stands in the file as well, expected it in one place");
        return false;
    }
    if (!counted(load, r, 1, set))
        return false;
    bool good = true;
    for (size_t k = 0; k < pk_reader_count(r); k++) {
        const struct pk_reader item = pk_reader_item(r, k);
        const size_t i = set->n;
        size_t i_scale = PK_UNCERTAIN_NONE;
        double estimate;
        if (!pk_reader_allow(&item, keys) || !member(load, r, k, true, set)) {
            good = false;
            continue;
        }
        good &=
            !pk_reader_find(&item, "scale", &child) || pk_reader_choice(&child, pk_load_scales, 3, &i_scale, "a scale");
        if (pk_reader_need(&item, "estimate", &child) && pk_reader_double_in(&child, -1e12, 1e12, &estimate))
            set->estimates[i] = estimate;
        else
            good = false;
        set->scales[i] = (unsigned char)i_scale;
    }
    if (!pk_reader_need(whole, "covariance", &matrix) || !good || !read_matrix(load, &matrix, false, set))
        return false;
    for (size_t k = 0; k < set->n; k++) {
        struct pk_load_refusal refusal;
        const struct pk_reader item = pk_reader_item(r, k);
        if (pk_load_coefficient_fits(load, set, k, &refusal))
            continue;
        pk_reader_problem(&item, refusal.hint[0] != '\0' ? refusal.hint : NULL, "%s", refusal.what);
        good = false;
    }
    return good;
}

static bool read_draws(struct pk_load *load, const struct pk_reader *r, struct pk_uncertain_set *set)
{
    static const char *const keys[] = {"file", NULL};
    struct pk_reader file;
    return pk_reader_allow(r, keys) && pk_reader_need(r, "file", &file) && pk_load_draws_file(load, &file, set);
}

static bool read_set(struct pk_load *load, const struct pk_reader *r, struct pk_uncertain_set *set)
{
    static const char *const keys[] = {"dirichlet", "correlated", "correlation", "coefficients", "covariance", "draws",
                                       "source",    "caveat",     NULL};
    static const char *const ways[] = {"dirichlet", "correlated", "coefficients", "draws"};
    struct pk_reader child, of;
    size_t n_ways = 0;
    if (!pk_reader_allow(r, keys))
        return false;
    for (size_t i = 0; i < PK_UNCERTAIN_COUNT; i++)
        if (pk_reader_find(r, ways[i], &child)) {
            set->kind = (enum pk_uncertain_kind)i;
            of = child;
            n_ways++;
        }
    if (n_ways != 1) {
        pk_reader_problem(r, NULL, "gives %zu of dirichlet, correlated, coefficients, draws, expected exactly one",
                          n_ways);
        return false;
    }
    bool good = true;
    if (pk_reader_find(r, "correlation", &child) && set->kind != PK_UNCERTAIN_CORRELATED) {
        pk_reader_problem(&child, NULL, "goes with correlated, not with %s", ways[set->kind]);
        good = false;
    }
    if (pk_reader_find(r, "covariance", &child) && set->kind != PK_UNCERTAIN_COEFFICIENTS) {
        pk_reader_problem(&child, NULL, "goes with coefficients, not with %s", ways[set->kind]);
        good = false;
    }
    if (pk_reader_find(r, "source", &child) || pk_reader_find(r, "caveat", &child)) {
        set->has_source = pk_load_source(load, r, &set->source);
        good &= set->has_source;
    }
    switch (set->kind) {
    case PK_UNCERTAIN_DIRICHLET:
        return read_dirichlet(load, &of, set) && good;
    case PK_UNCERTAIN_CORRELATED:
        return read_correlated(load, &of, r, set) && good;
    case PK_UNCERTAIN_COEFFICIENTS:
        return read_coefficients(load, &of, r, set) && good;
    default:
        return read_draws(load, &of, set) && good;
    }
}

/* One name that random numbers are keyed by. */
struct keyed {
    uint64_t hash;
    const char *name;
};

static int by_hash(const void *a, const void *b)
{
    const struct keyed *x = a, *y = b;
    return x->hash != y->hash ? (x->hash < y->hash ? -1 : 1) : strcmp(x->name, y->name);
}

/* A problem at the name where this document has it. */
static bool tell_at(const struct pk_reader *root, const char *section, const char *name, const char *what)
{
    struct pk_reader r;
    if (!pk_reader_find(root, section, &r))
        return false;
    for (size_t i = 0; i < pk_reader_count(&r); i++)
        if (pk_reader_is(&r, PK_YAML_MAPPING) && strcmp(pk_reader_key(&r, i), name) == 0) {
            pk_load_problem_at_key(&r, i, "choose another name", what);
            return true;
        }
    return false;
}

/* Random numbers of uncertain parameters and sets are keyed by their names' hashes: no two may be the same. */
static void check_hashes(struct pk_load *load, const struct pk_reader *root)
{
    const struct pk_model *model = load->model;
    const size_t n = model->n_parameters + model->n_uncertain_sets;
    struct keyed *keyed = pk_alloc(n, sizeof *keyed);
    load->no_memory |= keyed == NULL;
    for (size_t i = 0; i < n && keyed != NULL; i++) {
        const char *name =
            i < model->n_parameters ? model->parameters[i].name : model->uncertain_sets[i - model->n_parameters].name;
        keyed[i] = (struct keyed){pk_uncertain_hash(name), name};
    }
    if (keyed != NULL)
        qsort(keyed, n, sizeof *keyed, by_hash);
    for (size_t i = 1; i < n && keyed != NULL; i++) {
        const char *one = keyed[i - 1].name, *other = keyed[i].name;
        char what[PK_SOURCE_PATH_SIZE];
        if (keyed[i].hash != keyed[i - 1].hash)
            continue;
        if (strcmp(one, other) == 0) {
            snprintf(what, sizeof what, "is the name of a parameter and of an uncertainty");
            (void)(tell_at(root, "uncertainty", one, what) || tell_at(root, "parameters", one, what));
            continue;
        }
        snprintf(what, sizeof what, "%s and %s have the same hash, by which random numbers are keyed", one, other);
        (void)(tell_at(root, "uncertainty", other, what) || tell_at(root, "uncertainty", one, what) ||
               tell_at(root, "parameters", other, what) || tell_at(root, "parameters", one, what));
    }
    pk_free(keyed);
}

static void read_sets(struct pk_load *load, const struct pk_reader *r)
{
    struct pk_model *model = load->model;
    const size_t n_before = model->n_uncertain_sets, n = pk_reader_count(r);
    if (n_before + n > PK_MAX_UNCERTAIN_SETS) {
        pk_reader_problem(r, NULL, "makes %zu uncertainties, at most %d are allowed", n_before + n,
                          PK_MAX_UNCERTAIN_SETS);
        return;
    }
    struct pk_uncertain_set *all = pk_load_alloc(load, n_before + n, sizeof *all);
    if (all == NULL)
        return;
    if (n_before > 0)
        memcpy(all, model->uncertain_sets, n_before * sizeof *all);
    model->uncertain_sets = all;
    for (size_t i = 0; i < n && !load->no_memory; i++) {
        const struct pk_reader item = pk_reader_item(r, i);
        const char *name;
        if (!pk_reader_key_name(r, i, &name))
            continue;
        if (pk_model_uncertain_set(model, name) != SIZE_MAX) {
            pk_load_problem_at_key(r, i, NULL, "is an uncertainty of the model already");
            continue;
        }
        struct pk_uncertain_set made = {.name = pk_arena_text(load->arena, name)};
        load->no_memory |= made.name == NULL;
        if (!load->no_memory && read_set(load, &item, &made))
            all[model->n_uncertain_sets++] = made;
    }
}

void pk_load_uncertain_sets(struct pk_load *load, const struct pk_reader *root)
{
    struct pk_reader r;
    if (pk_reader_find(root, "uncertainty", &r) && pk_reader_expect(&r, PK_YAML_MAPPING, "a mapping by name"))
        read_sets(load, &r);
    if (!load->no_memory)
        check_hashes(load, root);
}
