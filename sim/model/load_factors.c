/* Reading what a sweep varies: parameters, sets of them, choices, and what follows them. See sweep.h. */
#include <math.h>
#include <string.h>

#include "load_sweep_private.h"
#include "polku/prices.h"

static const char *const *parameter_names(struct pk_load *load)
{
    const struct pk_model *model = load->model;
    const char **names = pk_load_alloc(load, model->n_parameters + 1, sizeof *names);
    for (size_t i = 0; names != NULL && i < model->n_parameters; i++)
        names[i] = model->parameters[i].name;
    return names;
}

static bool moves(const struct pk_model *model, const struct pk_factor *factor, size_t i_parameter)
{
    if (factor->kind == PK_FACTOR_PARAMETER)
        return factor->i_parameter == i_parameter;
    for (size_t k = 0; factor->kind == PK_FACTOR_SET && k < factor->set->n; k++)
        if (factor->set->i_parameters[k] == i_parameter)
            return true;
    for (size_t o = 0; factor->kind == PK_FACTOR_CHOICE && o < factor->n_options; o++)
        for (size_t k = 0; k < factor->options[o].n_sets; k++)
            if (pk_model_parameter(model, factor->options[o].sets[k].parameter) == i_parameter)
                return true;
    return false;
}

bool pk_load_is_moved(const struct pk_load_of_sweep *s, size_t i_parameter)
{
    for (size_t f = 0; f < s->sweep->n_factors; f++)
        if (moves(s->load.model, &s->sweep->factors[f], i_parameter))
            return true;
    for (size_t f = 0; f < s->sweep->n_followers; f++)
        if (s->sweep->followers[f].i_parameter == i_parameter)
            return true;
    return false;
}

/* Numbers or names of alternatives; of a parameter that is not ours numbers. */
static bool read_levels(struct pk_load_of_sweep *s, const struct pk_reader *r, struct pk_factor *factor)
{
    if (!pk_reader_expect(r, PK_YAML_SEQUENCE, "a list of values"))
        return false;
    const size_t n = pk_reader_count(r);
    if (n == 0 || n > PK_MAX_LEVELS) {
        pk_reader_problem(r, NULL, "has %zu values, expected 1 to %d", n, PK_MAX_LEVELS);
        return false;
    }
    factor->levels = pk_load_alloc(&s->load, n, sizeof *factor->levels);
    for (size_t i = 0; factor->levels != NULL && i < n; i++) {
        const struct pk_reader item = pk_reader_item(r, i);
        struct pk_error error;
        const char *text;
        if (factor->i_parameter == SIZE_MAX) {
            if (!pk_reader_double_in(&item, -1e15, 1e15, &factor->levels[i]))
                return false;
        } else if (!pk_reader_text(&item, &text)) {
            return false;
        } else if (pk_model_value(&s->load.model->parameters[factor->i_parameter], text, &factor->levels[i], NULL,
                                  &error) != PK_OK) {
            pk_reader_problem(&item, NULL, "%s", error.message);
            return false;
        }
        for (size_t k = 0; k < i; k++)
            if (!(factor->levels[k] < factor->levels[i]) && !(factor->levels[k] > factor->levels[i])) {
                pk_reader_problem(&item, NULL, "stands there twice");
                return false;
            }
    }
    factor->n_levels = n;
    return factor->levels != NULL;
}

/* Evenly over the range, or over the middle 95 % of the distribution. */
static bool make_levels(struct pk_load_of_sweep *s, struct pk_factor *factor, size_t n)
{
    const struct pk_parameter *parameter =
        factor->i_parameter == SIZE_MAX ? NULL : &s->load.model->parameters[factor->i_parameter];
    if (factor->kind == PK_FACTOR_PARAMETER && factor->uncertain->kind == PK_UNCERTAINTY_DISCRETE)
        n = factor->uncertain->n_values;
    if (factor->kind == PK_FACTOR_CHOICE)
        n = factor->n_options;
    factor->levels = pk_load_alloc(&s->load, n, sizeof *factor->levels);
    for (size_t i = 0; factor->levels != NULL && i < n; i++) {
        const double u = n == 1 ? 0.5 : (double)i / (double)(n - 1);
        if (factor->kind == PK_FACTOR_CHOICE)
            factor->levels[i] = (double)i;
        else if (factor->uncertain->kind == PK_UNCERTAINTY_DISCRETE)
            factor->levels[i] = factor->uncertain->values[i];
        else if (parameter != NULL && parameter->has_range)
            factor->levels[i] = parameter->low + (parameter->high - parameter->low) * u;
        else
            factor->levels[i] = pk_uncertainty_quantile(factor->uncertain, 0.025 + 0.95 * u);
    }
    factor->n_levels = n;
    return factor->levels != NULL;
}

/* Its distribution, or one that stands for its range; NULL: it says neither. */
static const struct pk_uncertainty *uncertainty_of(struct pk_load_of_sweep *s, const struct pk_parameter *parameter)
{
    static const double on_off[] = {0, 1}, halves[] = {0.5, 0.5};
    struct pk_uncertainty made;
    const struct pk_uncertainty *found = pk_uncertainty_of(parameter, &made);
    if (parameter->n_values > 1 || parameter->n_columns > 1)
        return NULL;
    if (found == NULL && parameter->given_unit == PK_UNIT_SWITCH && parameter->has_range) { /* nothing is between */
        made =
            (struct pk_uncertainty){.kind = PK_UNCERTAINTY_DISCRETE, .n_values = 2, .values = on_off, .shares = halves};
        found = &made;
    }
    if (found != &made)
        return found;
    struct pk_uncertainty *copy = pk_load_alloc(&s->load, 1, sizeof *copy);
    if (copy != NULL)
        *copy = made;
    return copy;
}

/* The parameter named by key i, not moved by another factor. */
static bool find_parameter(struct pk_load_of_sweep *s, const struct pk_reader *r, size_t i, size_t *found)
{
    const struct pk_model *model = s->load.model;
    const char *const *names = parameter_names(&s->load);
    if (names == NULL || !pk_load_key(&s->load, r, i, names, model->n_parameters, "a parameter", found))
        return false;
    const struct pk_parameter *parameter = &model->parameters[*found];
    if (parameter->n_values > 1 || parameter->n_columns > 1)
        pk_load_problem_at_key(r, i, "vary a ratio that the hazard is multiplied by",
                               "is a table, expected a single number");
    else if (pk_load_is_moved(s, *found))
        pk_load_problem_at_key(r, i, NULL, "is varied already");
    else
        return true;
    return false;
}

static bool read_parameter(struct pk_load_of_sweep *s, const struct pk_reader *r, size_t i, struct pk_factor *factor)
{
    const struct pk_reader item = pk_reader_item(r, i);
    const bool ours = s->load.scenario != NULL;
    struct pk_parameter own = {.name = factor->name, .given_unit = PK_UNIT_REAL, .unit = PK_UNIT_REAL};
    struct pk_reader child;
    factor->kind = PK_FACTOR_PARAMETER;
    factor->i_parameter = SIZE_MAX;
    if (ours && !find_parameter(s, r, i, &factor->i_parameter))
        return false;
    own.n_values = own.n_columns = 1;
    if (ours)
        own = s->load.model->parameters[factor->i_parameter];
    if (pk_reader_find(&item, "distribution", &child)) {
        own.uncertainty = NULL;
        pk_load_uncertainty(&s->load, &item, &own);
        if (own.uncertainty == NULL)
            return false;
        factor->uncertain = own.uncertainty;
    } else if (ours) {
        factor->uncertain = uncertainty_of(s, &own);
    }
    if (pk_reader_find(&item, "levels", &child)) {
        if (pk_method_is_grid(s->sweep->method))
            return read_levels(s, &child, factor);
        pk_reader_problem(&child, "say its distribution", "means nothing to the method %s, which draws",
                          pk_method_names[s->sweep->method]);
        return false;
    }
    if (factor->uncertain != NULL)
        return true;
    pk_load_problem_at_key(r, i,
                           ours ? "say its distribution, or its levels, or give it a range" : "say its distribution",
                           "has no distribution and no range");
    return false;
}

/* {ARM: ARM}: whose figures are told for whose. */
static void read_instead(struct pk_load_of_sweep *s, const struct pk_reader *r, struct pk_option *option)
{
    const struct pk_scenario *scenario = s->load.scenario;
    if (!pk_reader_expect(r, PK_YAML_MAPPING, "a mapping of arms to arms"))
        return;
    for (size_t i = 0; i < pk_reader_count(r); i++) {
        const struct pk_reader item = pk_reader_item(r, i);
        size_t of, told;
        if (pk_load_key(&s->load, r, i, s->arms, scenario->n_arms, "an arm of the scenario", &of) &&
            pk_reader_choice(&item, s->arms, scenario->n_arms, &told, "an arm of the scenario"))
            option->told_instead[of] = told;
    }
}

static bool read_choice(struct pk_load_of_sweep *s, const struct pk_reader *options, struct pk_factor *factor)
{
    static const char *const keys[] = {"set", "instead", "share", NULL};
    factor->kind = PK_FACTOR_CHOICE;
    factor->i_parameter = SIZE_MAX;
    if (!pk_reader_expect(options, PK_YAML_MAPPING, "options by name"))
        return false;
    const size_t n = pk_reader_count(options);
    if (n < 2 || n > PK_MAX_OPTIONS) {
        pk_reader_problem(options, NULL, "has %zu options, expected 2 to %d", n, PK_MAX_OPTIONS);
        return false;
    }
    factor->options = pk_load_alloc(&s->load, n, sizeof *factor->options);
    if (factor->options == NULL)
        return false;
    double sum = 0;
    size_t n_shares = 0;
    for (size_t o = 0; o < n; o++) {
        const struct pk_reader item = pk_reader_item(options, o);
        struct pk_option *option = &factor->options[o];
        struct pk_reader child;
        option->name = pk_arena_text(s->load.arena, pk_reader_key(options, o));
        s->load.no_memory |= option->name == NULL;
        option->share = 1.0 / (double)n;
        for (size_t a = 0; a < PK_MAX_ARMS; a++)
            option->told_instead[a] = a;
        if (!pk_reader_is_empty(&item) && !pk_reader_allow(&item, keys))
            return false;
        if (pk_reader_find(&item, "set", &child))
            option->n_sets = pk_load_sets(&s->load, &child, option->sets);
        if (pk_reader_find(&item, "instead", &child))
            read_instead(s, &child, option);
        if (pk_reader_find(&item, "share", &child) && pk_reader_double_in(&child, 0, 1, &option->share)) {
            sum += option->share;
            n_shares++;
        }
    }
    if (n_shares > 0 && (n_shares < n || !(fabs(sum - 1) < 1e-9)))
        pk_reader_problem(options, NULL,
                          "has %zu shares for %zu options that add up to %g, expected one each, 1 in all", n_shares, n,
                          sum);
    factor->n_options = n;
    for (size_t o = 0; o < n; o++) /* nobody else may move what an option sets */
        for (size_t k = 0; k < factor->options[o].n_sets; k++)
            if (pk_load_is_moved(s, pk_model_parameter(s->load.model, factor->options[o].sets[k].parameter)))
                pk_reader_problem(options, NULL, "%s is varied already", factor->options[o].sets[k].parameter);
    return true;
}

static bool finish(struct pk_load_of_sweep *s, struct pk_factor *factor)
{
    struct pk_sweep *sweep = s->sweep;
    if (pk_method_is_grid(sweep->method) && factor->levels == NULL && !make_levels(s, factor, (size_t)sweep->n_levels))
        return false;
    sweep->n_factors++;
    return true;
}

static void read_factor(struct pk_load_of_sweep *s, const struct pk_reader *r, size_t i)
{
    static const char *const keys[] = {"distribution", "levels", "options", NULL};
    const struct pk_reader item = pk_reader_item(r, i);
    const struct pk_model *model = s->load.model;
    struct pk_factor *factor = &s->sweep->factors[s->sweep->n_factors];
    struct pk_reader options;
    const char *name;
    if (!pk_reader_key_name(r, i, &name))
        return;
    memset(factor, 0, sizeof *factor);
    factor->name = pk_arena_text(s->load.arena, name);
    s->load.no_memory |= factor->name == NULL;
    if (!pk_reader_is_empty(&item) && !pk_reader_allow(&item, keys))
        return;
    const size_t i_set = model != NULL ? pk_model_uncertain_set(model, name) : SIZE_MAX;
    bool good = factor->name != NULL;
    if (good && i_set != SIZE_MAX) {
        factor->kind = PK_FACTOR_SET;
        factor->i_parameter = SIZE_MAX;
        factor->set = &model->uncertain_sets[i_set];
        if (!pk_reader_is_empty(&item))
            good = pk_reader_mismatch(&item, "nothing: the set says how uncertain its parameters are", NULL);
        else if (pk_method_is_grid(s->sweep->method)) {
            pk_load_problem_at_key(r, i, "vary one of its parameters", "is a set, which has no levels");
            good = false;
        }
        for (size_t k = 0; good && k < factor->set->n; k++)
            if (pk_load_is_moved(s, factor->set->i_parameters[k])) {
                pk_load_problem_at_key(r, i, NULL, "has a parameter that is varied already");
                good = false;
            }
    } else if (good && s->load.scenario != NULL && pk_reader_find(&item, "options", &options)) {
        good = pk_reader_count(&item) == 1;
        if (!good)
            pk_reader_problem(&item, NULL, "has %zu keys beside options, expected none", pk_reader_count(&item) - 1);
        good = good && read_choice(s, &options, factor);
    } else if (good) {
        good = read_parameter(s, r, i, factor);
    }
    if (good)
        (void)finish(s, factor);
}

/* Every set and parameter in use that says how uncertain it is, but for those moved already and those left out. */
static void add_all(struct pk_load_of_sweep *s, const bool *left_out)
{
    const struct pk_model *model = s->load.model;
    bool used[PK_MAX_PARAMETERS];
    pk_prices_used(model, s->load.scenario, used);
    for (size_t i = 0; i < model->n_parameters + model->n_uncertain_sets; i++) {
        struct pk_factor *factor = &s->sweep->factors[s->sweep->n_factors];
        memset(factor, 0, sizeof *factor);
        factor->i_parameter = SIZE_MAX;
        bool wanted = false;
        if (i < model->n_uncertain_sets) {
            factor->kind = PK_FACTOR_SET;
            factor->set = &model->uncertain_sets[i];
            factor->name = factor->set->name;
            for (size_t k = 0; k < factor->set->n; k++)
                wanted |= used[factor->set->i_parameters[k]];
            for (size_t k = 0; k < factor->set->n; k++)
                wanted &= !left_out[factor->set->i_parameters[k]] && !pk_load_is_moved(s, factor->set->i_parameters[k]);
            wanted &= !pk_method_is_grid(s->sweep->method);
        } else {
            const size_t p = i - model->n_uncertain_sets;
            factor->kind = PK_FACTOR_PARAMETER;
            factor->name = model->parameters[p].name;
            wanted = used[p] && !left_out[p] && !pk_load_is_moved(s, p) &&
                     (pk_method_is_grid(s->sweep->method) || pk_uncertain_set_of(model, p) == SIZE_MAX);
            factor->i_parameter = p;
            factor->uncertain = wanted ? uncertainty_of(s, &model->parameters[p]) : NULL;
            wanted = factor->uncertain != NULL;
        }
        if (!wanted || s->load.no_memory)
            continue;
        if (s->sweep->n_factors + 1 >= PK_MAX_SWEPT || !finish(s, factor))
            return;
    }
}

void pk_load_factors(struct pk_load_of_sweep *s, const struct pk_reader *r)
{
    struct pk_reader vary, others, leave;
    bool left_out[PK_MAX_PARAMETERS] = {false}, all = false;
    const struct pk_model *model = s->load.model;
    const bool ours = s->load.scenario != NULL;
    s->sweep->factors = pk_load_alloc(&s->load, PK_MAX_SWEPT, sizeof *s->sweep->factors);
    if (s->sweep->factors == NULL || !pk_reader_need(r, "vary", &vary))
        return;
    if (pk_reader_find(r, "leave", &leave) && !ours)
        pk_reader_problem(&leave, NULL, "there is no scenario whose parameters could be left");
    else if (pk_reader_find(r, "leave", &leave) && pk_reader_expect(&leave, PK_YAML_SEQUENCE, "a list of parameters"))
        for (size_t i = 0; i < pk_reader_count(&leave); i++) {
            const struct pk_reader item = pk_reader_item(&leave, i);
            const char *const *names = parameter_names(&s->load);
            size_t found;
            if (names != NULL && pk_reader_choice(&item, names, model->n_parameters, &found, "a parameter"))
                left_out[found] = true;
        }
    if (pk_reader_is(&vary, PK_YAML_SCALAR)) {
        static const char *const words[] = {"all"};
        size_t i;
        all = pk_reader_choice(&vary, words, 1, &i, "what is varied");
    } else if (pk_reader_expect(&vary, PK_YAML_MAPPING, "factors by name, or the word all")) {
        if (pk_reader_count(&vary) >= PK_MAX_SWEPT) {
            pk_reader_problem(&vary, NULL, "names %zu factors, expected fewer than %d", pk_reader_count(&vary),
                              PK_MAX_SWEPT);
            return;
        }
        for (size_t i = 0; i < pk_reader_count(&vary); i++)
            read_factor(s, &vary, i);
    }
    pk_load_followers(s, r);
    if (pk_reader_find(r, "others", &others)) {
        static const char *const words[] = {"all"};
        size_t i;
        all |= pk_reader_choice(&others, words, 1, &i, "what else is varied");
    }
    if (all && !ours)
        pk_reader_problem(&vary, NULL, "there is no scenario whose parameters could all be varied");
    s->n_named_factors = s->sweep->n_factors;
    for (size_t i = 0; ours && i < s->load.scenario->n_sets; i++) { /* what the scenario itself says stays so */
        const size_t found = pk_model_parameter(model, s->load.scenario->sets[i].parameter);
        if (found != SIZE_MAX)
            left_out[found] = true;
    }
    if (all && ours)
        add_all(s, left_out);
    if (s->sweep->n_factors == 0 && pk_problems_errors(r->problems) == 0)
        pk_reader_problem(&vary, NULL, "varies nothing");
}

void pk_load_followers(struct pk_load_of_sweep *s, const struct pk_reader *r)
{
    static const char *const keys[] = {"to", "times", "plus", NULL};
    struct pk_reader tied, child;
    const char *names[PK_MAX_SWEPT];
    size_t n = 0, i_factors[PK_MAX_SWEPT];
    if (!pk_reader_find(r, "tied", &tied) ||
        !pk_reader_expect(&tied, PK_YAML_MAPPING, "parameters tied to varied ones"))
        return;
    for (size_t f = 0; f < s->sweep->n_factors; f++)
        if (s->sweep->factors[f].kind == PK_FACTOR_PARAMETER && s->sweep->factors[f].i_parameter != SIZE_MAX) {
            names[n] = s->sweep->factors[f].name;
            i_factors[n++] = f;
        }
    s->sweep->followers = pk_load_alloc(&s->load, pk_reader_count(&tied) + 1, sizeof *s->sweep->followers);
    for (size_t i = 0; s->sweep->followers != NULL && i < pk_reader_count(&tied); i++) {
        const struct pk_reader item = pk_reader_item(&tied, i);
        struct pk_follower *follower = &s->sweep->followers[s->sweep->n_followers];
        size_t i_to;
        *follower = (struct pk_follower){.times = 1};
        if (!find_parameter(s, &tied, i, &follower->i_parameter) || !pk_reader_allow(&item, keys) ||
            !pk_reader_need(&item, "to", &child) ||
            !pk_reader_choice(&child, names, n, &i_to, "a parameter that is varied"))
            continue;
        follower->name = s->load.model->parameters[follower->i_parameter].name;
        follower->i_factor = i_factors[i_to];
        if (pk_reader_find(&item, "times", &child) && !pk_reader_double_in(&child, -1e9, 1e9, &follower->times))
            continue;
        if (pk_reader_find(&item, "plus", &child) && !pk_reader_double_in(&child, -1e9, 1e9, &follower->plus))
            continue;
        s->sweep->n_followers++;
    }
}
