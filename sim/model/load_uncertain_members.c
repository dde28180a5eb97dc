/* What files of every kind that make parameters uncertain together ask: who may take part, and whether the numbers fit.
 * See load_uncertain_private.h. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "load_uncertain_private.h"
#include "polku/elementary.h"
#include "polku/text.h"

static const unsigned SHARES = PK_UNITS(PK_UNIT_SHARE) | PK_UNITS(PK_UNIT_PROBABILITY);
const char *const pk_load_scales[3] = {"none", "log", "logit"};

/* Farther out, in standard deviations, no uniform leads alone. */
static const double FAR = 8.3;

static void refuse(struct pk_load_refusal *refusal, const char *what, const char *name, const char *more)
{
    snprintf(refusal->what, sizeof refusal->what, what, name, more);
}

static void not_a_parameter(const struct pk_model *model, const char *name, struct pk_load_refusal *refusal)
{
    const char *names[PK_MAX_PARAMETERS];
    for (size_t i = 0; i < model->n_parameters; i++)
        names[i] = model->parameters[i].name;
    const char *nearest = pk_text_nearest(name, names, model->n_parameters);
    char excerpt[PK_SOURCE_EXCERPT_SIZE];
    pk_source_excerpt(name, excerpt);
    snprintf(refusal->what, sizeof refusal->what, "\"%s\" is not a parameter", excerpt);
    if (nearest != NULL)
        snprintf(refusal->hint, sizeof refusal->hint, "did you mean \"%s\"?", nearest);
}

bool pk_load_uncertain_member(struct pk_load *load, struct pk_uncertain_set *set, const char *name,
                              struct pk_load_refusal *refusal)
{
    const struct pk_model *model = load->model;
    const size_t i = pk_model_parameter(model, name), i_other = pk_uncertain_set_of(model, i);
    struct pk_uncertainty room;
    *refusal = (struct pk_load_refusal){.what = ""};
    if (i == SIZE_MAX) {
        not_a_parameter(model, name, refusal);
        return false;
    }
    const struct pk_parameter *parameter = &model->parameters[i];
    for (size_t k = 0; k < set->n; k++)
        if (set->i_parameters[k] == i) {
            refuse(refusal, "names %s again%s", name, "");
            return false;
        }
    if (parameter->unit == PK_UNIT_COUNT) /* its own problem is in the list */
        return false;
    if (i_other != SIZE_MAX) {
        refuse(refusal, "%s is in the uncertainty %s already", name, model->uncertain_sets[i_other].name);
    } else if (parameter->n_values > 1) {
        refuse(refusal, "%s is a table on a clock%s", name, "");
        snprintf(refusal->hint, sizeof refusal->hint, "scale the table by a ratio that is uncertain");
    } else if (set->kind == PK_UNCERTAIN_CORRELATED && pk_uncertainty_of(parameter, &room) == NULL) {
        refuse(refusal, "%s has neither a distribution nor a range of its own%s", name, "");
    } else if (set->kind != PK_UNCERTAIN_CORRELATED && parameter->uncertainty != NULL) {
        refuse(refusal, "%s has a distribution of its own, which this one contradicts%s", name, "");
        snprintf(refusal->hint, sizeof refusal->hint, "say it in one place, or use correlated");
    } else if (set->kind == PK_UNCERTAIN_DIRICHLET &&
               (parameter->given != PK_GIVEN_VALUE || !(SHARES >> parameter->unit & 1))) {
        refuse(refusal, "%s is in %s, expected a share or a probability", name, pk_unit_names[parameter->unit]);
    } else if (set->kind == PK_UNCERTAIN_COEFFICIENTS && parameter->given_unit == PK_UNIT_SWITCH) {
        refuse(refusal, "%s is a switch, which no estimate is about%s", name, "");
    } else {
        set->i_parameters[set->n++] = i;
    }
    return refusal->what[0] == '\0';
}

bool pk_load_uncertain_room(struct pk_load *load, struct pk_uncertain_set *set, size_t n)
{
    const bool matrix = set->kind == PK_UNCERTAIN_CORRELATED || set->kind == PK_UNCERTAIN_COEFFICIENTS;
    set->i_parameters = pk_load_alloc(load, n, sizeof *set->i_parameters);
    if (set->kind == PK_UNCERTAIN_DIRICHLET)
        set->weights = pk_load_alloc(load, n, sizeof *set->weights);
    if (set->kind == PK_UNCERTAIN_COEFFICIENTS) {
        set->estimates = pk_load_alloc(load, n, sizeof *set->estimates);
        set->scales = pk_load_alloc(load, n, sizeof *set->scales);
    }
    if (matrix) {
        set->matrix = pk_load_alloc(load, n * n, sizeof *set->matrix);
        set->factor = pk_load_alloc(load, n * n, sizeof *set->factor);
    }
    return !load->no_memory;
}

bool pk_load_uncertain_symmetric(const struct pk_uncertain_set *set, size_t *i_row, size_t *i_column)
{
    for (size_t i = 0; i < set->n; i++)
        for (size_t j = 0; j < i; j++) {
            const double one = set->matrix[i * set->n + j], other = set->matrix[j * set->n + i];
            if (fabs(one - other) > 1e-9 * (fabs(one) + fabs(other))) {
                *i_row = i;
                *i_column = j;
                return false;
            }
        }
    return true;
}

size_t pk_load_uncertain_factor(struct pk_uncertain_set *set)
{
    const size_t n = set->n;
    double *l = set->factor;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j <= i; j++) {
            double rest = set->matrix[i * n + j];
            for (size_t k = 0; k < j; k++)
                rest -= l[i * n + k] * l[j * n + k];
            if (i == j && !(rest > 1e-12 * set->matrix[i * n + i]))
                return i;
            l[i * n + j] = i == j ? sqrt(rest) : rest / l[j * n + j];
        }
    return SIZE_MAX;
}

bool pk_load_coefficient_fits(const struct pk_load *load, const struct pk_uncertain_set *set, size_t k,
                              struct pk_load_refusal *refusal)
{
    const struct pk_parameter *parameter = &load->model->parameters[set->i_parameters[k]];
    const double mean = set->estimates[k], away = FAR * sqrt(set->matrix[k * set->n + k]);
    double ends[2] = {mean - away, mean + away}, low, high;
    *refusal = (struct pk_load_refusal){.what = ""};
    pk_unit_interval(parameter->given_unit, &low, &high);
    if (set->scales[k] == PK_UNCERTAIN_NONE ? low >= 0 || high <= 1 : set->scales[k] == PK_UNCERTAIN_LOG && high <= 1) {
        snprintf(refusal->what, sizeof refusal->what,
                 "is normal on the scale %s, outside [%g, %g], which the unit %s allows",
                 pk_load_scales[set->scales[k]], low, high, pk_unit_names[parameter->given_unit]);
        snprintf(refusal->hint, sizeof refusal->hint, "give the estimate of its %s", high <= 1 ? "logit" : "log");
        return false;
    }
    for (int i = 0; i < 2; i++)
        if (set->scales[k] != PK_UNCERTAIN_NONE)
            ends[i] = set->scales[k] == PK_UNCERTAIN_LOG ? pk_exp(ends[i]) : 1 / (1 + pk_exp(-ends[i]));
    return pk_load_drawn_fits(parameter, ends[0], ends[1], refusal->what, sizeof refusal->what);
}
