/* Reading a study's free and tied parameters. See study.h. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "load_study_private.h"

#define FAR 1e15 /* nothing is searched beyond */

const char *const pk_transform_names[PK_TRANSFORM_COUNT] = {"none", "log", "logit"};

/* The parameter that key i names, none that is free or tied already. */
static bool find_parameter(struct pk_load_of_study *s, const struct pk_reader *r, size_t i, size_t *found)
{
    const struct pk_model *model = s->load.model;
    const char **names = pk_load_alloc(&s->load, model->n_parameters, sizeof *names);
    for (size_t k = 0; names != NULL && k < model->n_parameters; k++)
        names[k] = model->parameters[k].name;
    if (names == NULL || !pk_load_key(&s->load, r, i, names, model->n_parameters, "a parameter", found))
        return false;
    const struct pk_parameter *parameter = &model->parameters[*found];
    bool taken = false;
    for (size_t k = 0; k < s->study->n_free; k++)
        taken |= s->study->free[k].i_parameter == *found;
    for (size_t k = 0; k < s->study->n_tied; k++)
        taken |= s->study->tied[k].i_parameter == *found;
    if (taken)
        pk_load_problem_at_key(r, i, NULL, "is free or tied already");
    else if (parameter->n_values > 1 || parameter->n_columns > 1)
        pk_load_problem_at_key(r, i, "free a ratio that the hazard is multiplied by",
                               "is a table, expected a single number");
    else if (parameter->given_unit == PK_UNIT_SWITCH)
        pk_load_problem_at_key(r, i, "calibrate once with each", "is a switch, of which nothing lies between 0 and 1");
    else if (parameter->given_unit == PK_UNIT_PERSONS)
        pk_load_problem_at_key(r, i, NULL, "is a number of persons, of which nothing lies between whole ones");
    else
        return true;
    return false;
}

/* [low, high] of key i's parameter, or the range that the model gives. */
static bool read_bounds(const struct pk_reader *r, size_t i, const struct pk_parameter *parameter,
                        struct pk_free_parameter *free)
{
    const struct pk_reader item = pk_reader_item(r, i);
    struct pk_reader child;
    double low, high;
    pk_unit_interval(parameter->given_unit, &low, &high);
    low = fmax(low, -FAR);
    high = fmin(high, FAR);
    if (!pk_reader_find(&item, "within", &child)) {
        free->low = fmax(parameter->low, -FAR);
        free->high = fmin(parameter->high, FAR);
        if (parameter->has_range && free->low < free->high)
            return true;
        pk_load_problem_at_key(r, i, NULL,
                               parameter->has_range
                                   ? "has a range in the model that is one value: say within: [LOW, HIGH]"
                                   : "has no range in the model: say within: [LOW, HIGH]");
        return false;
    }
    if (!pk_reader_expect(&child, PK_YAML_SEQUENCE, "[LOW, HIGH]"))
        return false;
    if (pk_reader_count(&child) != 2) {
        pk_reader_problem(&child, NULL, "has %zu numbers, expected [LOW, HIGH]", pk_reader_count(&child));
        return false;
    }
    const struct pk_reader at_low = pk_reader_item(&child, 0), at_high = pk_reader_item(&child, 1);
    const bool good_low = pk_reader_double_in(&at_low, low, high, &free->low);
    if (!pk_reader_double_in(&at_high, low, high, &free->high) || !good_low)
        return false;
    if (free->low < free->high)
        return true;
    pk_reader_problem(&child, NULL, "is [%g, %g], expected the lower bound first", free->low, free->high);
    return false;
}

/* {normal: [median, sd]} on the transformed scale, or {beta: [a, b]}. */
static bool read_prior(const struct pk_reader *r, struct pk_free_parameter *free)
{
    static const char *const keys[] = {"normal", "log_normal", "logit_normal", "beta", NULL};
    static const enum pk_transform scales[] = {PK_TRANSFORM_NONE, PK_TRANSFORM_LOG, PK_TRANSFORM_LOGIT,
                                               PK_TRANSFORM_LOGIT};
    struct pk_reader prior, numbers;
    if (!pk_reader_find(r, "prior", &prior))
        return true;
    if (!pk_reader_allow(&prior, keys))
        return false;
    for (size_t k = 0; k < 4; k++) {
        if (!pk_reader_find(&prior, keys[k], &numbers) || pk_reader_count(&prior) != 1)
            continue;
        const char *const expected = k == 3 ? "two numbers [A, B]" : "two numbers [MEDIAN, SD]";
        if (!pk_reader_expect(&numbers, PK_YAML_SEQUENCE, expected))
            return false;
        if (pk_reader_count(&numbers) != 2) {
            pk_reader_problem(&numbers, NULL, "has %zu numbers, expected %s", pk_reader_count(&numbers), expected);
            return false;
        }
        const struct pk_reader first = pk_reader_item(&numbers, 0), second = pk_reader_item(&numbers, 1);
        const double low = k == 3 ? 1e-3 : free->low, high = k == 3 ? 1e4 : free->high;
        if (!pk_reader_double_in(&first, low, high, &free->a) ||
            !pk_reader_double_in(&second, k == 3 ? low : 1e-6, k == 3 ? high : 1e6, &free->b))
            return false;
        if (free->transform != scales[k]) {
            pk_reader_problem(&prior, "say another transform, or move the bounds inside",
                              "is a prior for transform: %s, but the transform is %s", pk_transform_names[scales[k]],
                              pk_transform_names[free->transform]);
            return false;
        }
        free->prior = k == 3 ? PK_PRIOR_BETA : PK_PRIOR_NORMAL;
        return true;
    }
    if (pk_reader_count(&prior) != 1) /* else the key's own problem is in the list */
        pk_reader_problem(&prior, NULL, "has %zu keys, expected one of normal, log_normal, logit_normal, beta",
                          pk_reader_count(&prior));
    return false;
}

void pk_load_free_parameters(struct pk_load_of_study *s, const struct pk_reader *r)
{
    static const char *const keys[] = {"within", "transform", "prior", NULL};
    if (!pk_reader_expect(r, PK_YAML_MAPPING, "parameters with bounds"))
        return;
    if (pk_reader_count(r) == 0 || pk_reader_count(r) > PK_MAX_FREE) {
        pk_reader_problem(r, NULL, "names %zu parameters, expected 1 to %d", pk_reader_count(r), PK_MAX_FREE);
        return;
    }
    for (size_t i = 0; i < pk_reader_count(r); i++) {
        struct pk_free_parameter *free = &s->study->free[s->study->n_free];
        const struct pk_reader item = pk_reader_item(r, i);
        struct pk_reader child;
        size_t i_transform;
        memset(free, 0, sizeof *free);
        if (!find_parameter(s, r, i, &free->i_parameter))
            continue;
        const struct pk_parameter *parameter = &s->load.model->parameters[free->i_parameter];
        free->name = parameter->name;
        if (!pk_reader_is_empty(&item) && !pk_reader_allow(&item, keys))
            continue;
        if (!read_bounds(r, i, parameter, free))
            continue;
        const bool share = parameter->given_unit == PK_UNIT_PROBABILITY || parameter->given_unit == PK_UNIT_SHARE;
        free->transform = share && free->low > 0 && free->high < 1 ? PK_TRANSFORM_LOGIT
                          : !share && free->low > 0                ? PK_TRANSFORM_LOG
                                                                   : PK_TRANSFORM_NONE;
        if (pk_reader_find(&item, "transform", &child) &&
            pk_reader_choice(&child, pk_transform_names, PK_TRANSFORM_COUNT, &i_transform, "a transform")) {
            free->transform = (enum pk_transform)i_transform;
            if ((i_transform == PK_TRANSFORM_LOG && !(free->low > 0)) ||
                (i_transform == PK_TRANSFORM_LOGIT && (!(free->low > 0) || !(free->high < 1)))) {
                pk_reader_problem(&child, "move the bounds inside", "is %s, which has no value at the bounds [%g, %g]",
                                  pk_transform_names[i_transform], free->low, free->high);
                continue;
            }
        }
        if (read_prior(&item, free))
            s->study->n_free++;
    }
}

/* The free parameter that a tied one follows. */
static bool read_to(struct pk_load_of_study *s, const struct pk_reader *r, const struct pk_reader *r_free,
                    size_t *found)
{
    const char *names[PK_MAX_FREE];
    struct pk_reader child;
    for (size_t k = 0; k < s->study->n_free; k++)
        names[k] = s->study->free[k].name;
    if (!pk_reader_need(r, "to", &child))
        return false;
    if (r_free != NULL && pk_reader_is(&child, PK_YAML_SCALAR) && pk_reader_is(r_free, PK_YAML_MAPPING)) {
        bool loaded = false, named = false;
        for (size_t k = 0; k < s->study->n_free; k++)
            loaded |= strcmp(names[k], child.node->text) == 0;
        for (size_t k = 0; k < pk_reader_count(r_free); k++)
            named |= strcmp(pk_reader_key(r_free, k), child.node->text) == 0;
        if (named && !loaded)
            return false; /* its own problem is in the list */
    }
    return pk_reader_choice(&child, names, s->study->n_free, found, "a free parameter");
}

/* Some of what the tied parameter comes to within the bounds of the free one must be a value of its unit. */
static bool reaches(const struct pk_load_of_study *s, const struct pk_reader *r, size_t i,
                    const struct pk_tied_parameter *tied)
{
    const struct pk_parameter *parameter = &s->load.model->parameters[tied->i_parameter];
    const struct pk_free_parameter *free = &s->study->free[tied->i_free];
    const double a = tied->times * free->low + tied->plus, b = tied->times * free->high + tied->plus;
    double low, high;
    char what[256];
    pk_unit_interval(parameter->given_unit, &low, &high);
    if (fmax(a, b) >= low && fmin(a, b) <= high)
        return true;
    snprintf(what, sizeof what, "comes to %g to %g, all outside [%g, %g], which its unit %s allows", fmin(a, b),
             fmax(a, b), low, high, pk_unit_names[parameter->given_unit]);
    pk_load_problem_at_key(r, i, NULL, what);
    return false;
}

void pk_load_tied_parameters(struct pk_load_of_study *s, const struct pk_reader *r, const struct pk_reader *r_free)
{
    static const char *const keys[] = {"to", "times", "plus", NULL};
    if (!pk_reader_expect(r, PK_YAML_MAPPING, "parameters tied to free ones"))
        return;
    if (pk_reader_count(r) == 0 || pk_reader_count(r) > PK_MAX_TIED) {
        pk_reader_problem(r, NULL, "names %zu parameters, expected 1 to %d", pk_reader_count(r), PK_MAX_TIED);
        return;
    }
    for (size_t i = 0; i < pk_reader_count(r); i++) {
        struct pk_tied_parameter *tied = &s->study->tied[s->study->n_tied];
        const struct pk_reader item = pk_reader_item(r, i);
        struct pk_reader child;
        *tied = (struct pk_tied_parameter){.times = 1};
        if (!find_parameter(s, r, i, &tied->i_parameter) || !pk_reader_allow(&item, keys) ||
            !read_to(s, &item, r_free, &tied->i_free))
            continue;
        tied->name = s->load.model->parameters[tied->i_parameter].name;
        if (pk_reader_find(&item, "times", &child) && !pk_reader_double_in(&child, -1e9, 1e9, &tied->times))
            continue;
        if (pk_reader_find(&item, "plus", &child) && !pk_reader_double_in(&child, -1e9, 1e9, &tied->plus))
            continue;
        s->study->n_tied += reaches(s, r, i, tied);
    }
}

/* The value of a parameter where every free one is at its lower or its upper bound. */
static double value_at_bounds(const struct pk_load_of_study *s, size_t i_parameter, bool upper)
{
    const struct pk_study *study = s->study;
    for (size_t k = 0; k < study->n_free; k++)
        if (study->free[k].i_parameter == i_parameter)
            return upper ? study->free[k].high : study->free[k].low;
    for (size_t k = 0; k < study->n_tied; k++) {
        const struct pk_tied_parameter *tied = &study->tied[k];
        const struct pk_free_parameter *free = &study->free[tied->i_free];
        if (tied->i_parameter == i_parameter)
            return tied->times * (upper ? free->high : free->low) + tied->plus;
    }
    return s->load.model->parameters[i_parameter].values[0];
}

void pk_load_check_shares(struct pk_load_of_study *s, const struct pk_reader *r)
{
    const struct pk_model *model = s->load.model;
    for (size_t i = 0; i < model->n_transitions; i++) {
        const struct pk_transition *transition = &model->transitions[i];
        bool good = transition->n_to > 1;
        for (size_t d = 0; d < transition->n_to; d++)
            good &= transition->i_to_share[d] != SIZE_MAX;
        for (int upper = 0; upper < 2 && good; upper++) {
            double sum = 0;
            for (size_t d = 0; d < transition->n_to; d++)
                sum += value_at_bounds(s, transition->i_to_share[d], upper == 1);
            good = fabs(sum - 1) < 1e-9;
            if (!good)
                pk_reader_problem(r, "tie a share to the free one: times: -1, plus: 1",
                                  "the shares of the transition %s add up to %.6g at the %s bounds, not to 1",
                                  transition->name, sum, upper ? "upper" : "lower");
        }
    }
}
