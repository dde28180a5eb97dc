/* Parameters that are uncertain together, and the uniforms of each name. See uncertainty.h.
 *
 * No libm: what comes out here are values that lives depend on. */
#include <math.h>
#include <string.h>

#include "polku/elementary.h"
#include "polku/hash.h"
#include "polku/rng.h"
#include "polku/special.h"
#include "polku/uncertainty.h"

const char *const pk_uncertain_names[PK_UNCERTAIN_COUNT] = {"dirichlet", "correlated", "coefficients", "draws"};

size_t pk_model_uncertain_set(const struct pk_model *model, const char *name)
{
    for (size_t i = 0; i < model->n_uncertain_sets; i++)
        if (strcmp(model->uncertain_sets[i].name, name) == 0)
            return i;
    return SIZE_MAX;
}

size_t pk_uncertain_set_of(const struct pk_model *model, size_t i_parameter)
{
    for (size_t i = 0; i < model->n_uncertain_sets; i++)
        for (size_t k = 0; k < model->uncertain_sets[i].n; k++)
            if (model->uncertain_sets[i].i_parameters[k] == i_parameter)
                return i;
    return SIZE_MAX;
}

size_t pk_uncertain_set_columns(const struct pk_uncertain_set *set)
{
    return set->kind == PK_UNCERTAIN_DRAWS ? 1 : set->kind == PK_UNCERTAIN_DIRICHLET ? set->n - 1 : set->n;
}

/* Each share takes a beta part of what those before it left (Connor and Mosimann 1969, JASA 64, 194-206). */
static void dirichlet(const struct pk_uncertain_set *set, const double *u, double *values)
{
    double rest = 1.0;
    for (size_t k = 0; k + 1 < set->n; k++) {
        double later = 0.0;
        for (size_t j = k + 1; j < set->n; j++)
            later += set->weights[j];
        const double share = rest * pk_special_beta_quantile(set->weights[k], later, u[k]);
        values[set->i_parameters[k]] = share;
        rest -= share;
    }
    values[set->i_parameters[set->n - 1]] = rest;
}

/* Row k of the factor times independent standard normal deviates. */
static double deviate(const struct pk_uncertain_set *set, size_t k, const double *z)
{
    double sum = 0.0;
    for (size_t j = 0; j <= k; j++)
        sum += set->factor[k * set->n + j] * z[j];
    return sum;
}

/* Phi(z), strictly between 0 and 1 */
static double uniform_of(double z)
{
    const double u = pk_exp(pk_special_normal_log_survival(-z));
    return u < 0x1p-53 ? 0x1p-53 : u > 1.0 - 0x1p-53 ? 1.0 - 0x1p-53 : u;
}

static void correlated(const struct pk_uncertain_set *set, const struct pk_model *model, const double *u,
                       const double *z, double *values)
{
    for (size_t k = 0; k < set->n; k++) {
        const struct pk_parameter *parameter = &model->parameters[set->i_parameters[k]];
        struct pk_uncertainty room;
        const struct pk_uncertainty *margin = pk_uncertainty_of(parameter, &room);
        /* a parameter that hangs together with none before it has its own quantile, to the bit */
        const double own = set->factor[k * set->n + k] == 1.0 ? u[k] : uniform_of(deviate(set, k, z));
        values[set->i_parameters[k]] = margin != NULL ? pk_uncertainty_quantile(margin, own) : parameter->values[0];
    }
}

static void coefficients(const struct pk_uncertain_set *set, const struct pk_model *model, const double *z,
                         double *values)
{
    for (size_t k = 0; k < set->n; k++) {
        double low, high, value = set->estimates[k] + deviate(set, k, z);
        if (set->scales[k] == PK_UNCERTAIN_LOG)
            value = pk_exp(value);
        else if (set->scales[k] == PK_UNCERTAIN_LOGIT)
            value = value < 0.0 ? pk_exp(value) / (1.0 + pk_exp(value)) : 1.0 / (1.0 + pk_exp(-value));
        pk_unit_interval(model->parameters[set->i_parameters[k]].given_unit, &low, &high);
        values[set->i_parameters[k]] = value < low ? low : value > high ? high : value;
    }
}

void pk_uncertain_set_row(const struct pk_uncertain_set *set, uint64_t i, double *values)
{
    const double *row = &set->draws[(size_t)(i % set->n_draws) * set->n];
    for (size_t k = 0; k < set->n; k++)
        values[set->i_parameters[k]] = row[k];
}

void pk_uncertain_set_values(const struct pk_uncertain_set *set, const struct pk_model *model, const double *u,
                             double *values)
{
    double z[PK_MAX_UNCERTAIN_TOGETHER];
    if (set->kind == PK_UNCERTAIN_DRAWS) {
        const double row = floor(u[0] * (double)set->n_draws);
        pk_uncertain_set_row(set, row < (double)set->n_draws ? (uint64_t)row : set->n_draws - 1, values);
        return;
    }
    if (set->kind == PK_UNCERTAIN_DIRICHLET) {
        dirichlet(set, u, values);
        return;
    }
    for (size_t k = 0; k < set->n; k++)
        z[k] = pk_special_normal_quantile(u[k]);
    if (set->kind == PK_UNCERTAIN_CORRELATED)
        correlated(set, model, u, z, values);
    else
        coefficients(set, model, z, values);
}

uint64_t pk_uncertain_hash(const char *name)
{
    uint64_t hash = PK_HASH_START;
    pk_hash_mix(&hash, name, strlen(name));
    return hash;
}

double pk_uncertain_uniform(uint64_t seed, const char *name, size_t i_column, uint64_t draw, bool second)
{
    const uint64_t hash = pk_uncertain_hash(name);
    PK_ASSERT(draw >> PK_RNG_STREAM_BITS == 0 && i_column >> PK_RNG_SPELL_BITS == 0);
    const struct pk_rng_key key = {.seed = seed,
                                   .person = hash & ((UINT64_C(1) << PK_RNG_PERSON_BITS) - 1),
                                   .replication = (uint32_t)(hash >> PK_RNG_PERSON_BITS),
                                   .stream = (uint32_t)draw,
                                   .role = PK_ROLE_PARAMETER,
                                   .spell = (uint16_t)i_column};
    const struct pk_rng_pair pair = pk_rng_uniforms(&key);
    return second ? pair.second : pair.first;
}

void pk_uncertain_rest(const struct pk_model *model, size_t i_parameter, struct pk_values *values)
{
    const size_t i_set = pk_uncertain_set_of(model, i_parameter);
    if (i_set == SIZE_MAX || model->uncertain_sets[i_set].kind != PK_UNCERTAIN_DIRICHLET)
        return;
    const struct pk_uncertain_set *set = &model->uncertain_sets[i_set];
    const double left = 1 - values->given[i_parameter];
    double others = 0;
    for (size_t k = 0; k < set->n; k++)
        others += set->i_parameters[k] == i_parameter ? 0 : values->given[set->i_parameters[k]];
    for (size_t k = 0; k < set->n; k++)
        if (set->i_parameters[k] != i_parameter) {
            const size_t i = set->i_parameters[k];
            values->given[i] = set->n == 2  ? left
                               : others > 0 ? values->given[i] * (left / others)
                                            : left / (double)(set->n - 1);
            values->used[i] = values->given[i];
            values->overridden[i] = true;
        }
}
