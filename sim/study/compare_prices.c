/* New prices for an old result. See compare.h and the group /rewards of a result. */
#include <stdio.h>
#include <string.h>

#include "compare_private.h"
#include "polku/memory.h"

void pk_compare_read_prices(struct pk_compare_reading *reading, size_t i_population, size_t n_populations)
{
    struct pk_comparison *c = reading->comparison;
    struct pk_compare_prices *prices = &c->prices;
    if (reading->status != PK_OK || !pk_results_has(reading->results, "/rewards/quantity"))
        return;
    size_t n_units = c->main.n_units, extent[PK_RESULTS_DIMS_MAX], n_dims, n = 0;
    double *quantities = NULL;
    if (reading->status == PK_OK)
        reading->status = pk_results_read_doubles(reading->results, "/rewards/quantity", &quantities, &n, extent,
                                                  &n_dims, reading->error);
    if (reading->status != PK_OK)
        return;
    pk_compare_keep(reading, quantities);
    if (n_dims != 4 || extent[0] != n_populations || extent[1] != n_units || extent[2] != c->n_arms) {
        reading->status = pk_error_set(reading->error, PK_BAD_INPUT, "/rewards/quantity does not fit the outcomes");
        return;
    }
    prices->n_rows = extent[3];
    prices->quantities = quantities + i_population * n_units * c->n_arms * prices->n_rows;
    prices->prices = pk_compare_texts_of(reading, "/rewards/price", prices->n_rows);
    prices->factors = pk_compare_texts_of(reading, "/rewards/arm_factor", c->n_arms * prices->n_rows);
    prices->values = pk_compare_doubles_of(reading, "/parameters/value", c->n_parameters);
    prices->uses = pk_compare_doubles_of(reading, "/parameters/price", c->n_parameters);
    prices->units = pk_compare_texts_of(reading, "/parameters/unit", c->n_parameters);
    char **outcomes = pk_compare_texts_of(reading, "/rewards/of_outcome", prices->n_rows);
    prices->i_outcomes = pk_alloc(prices->n_rows, sizeof *prices->i_outcomes);
    pk_compare_keep(reading, prices->i_outcomes);
    for (size_t i = 0; i < prices->n_rows && reading->status == PK_OK; i++) {
        size_t k = 0;
        while (k < c->n_outcomes && strcmp(c->outcome_names[k], outcomes[i]) != 0)
            k++;
        prices->i_outcomes[i] = k;
        if (k == c->n_outcomes)
            reading->status = pk_error_set(reading->error, PK_BAD_INPUT,
                                           "/rewards/of_outcome names %s, which is no outcome", outcomes[i]);
    }
}

/* The product of names and numbers "a*b*c"; false: something unknown. */
static bool product_of(const struct pk_comparison *c, const char *text, double *product)
{
    *product = 1;
    while (*text != '\0') {
        char name[PK_RESULTS_NAME_BYTES];
        size_t n = strcspn(text, "*"), i = 0;
        double number;
        if (n >= sizeof name)
            return false;
        memcpy(name, text, n);
        name[n] = '\0';
        while (i < c->n_parameters && strcmp(c->parameter_names[i], name) != 0)
            i++;
        if (i < c->n_parameters)
            number = c->prices.values[i];
        else if (!pk_text_to_double(name, &number))
            return false;
        *product *= number;
        text += n + (text[n] == '*');
    }
    return true;
}

static enum pk_status set_price(struct pk_comparison *c, const struct pk_set *set, struct pk_error *error)
{
    struct pk_compare_prices *prices = &c->prices;
    size_t i = 0;
    double value, low = -(double)__builtin_inf(), high = (double)__builtin_inf();
    while (i < c->n_parameters && strcmp(c->parameter_names[i], set->parameter) != 0)
        i++;
    if (i == c->n_parameters) {
        pk_error_set(error, PK_BAD_INPUT, "no parameter is called \"%s\"", set->parameter);
        const char *nearest = pk_text_nearest(set->parameter, (const char *const *)c->parameter_names, c->n_parameters);
        if (nearest != NULL && error != NULL)
            snprintf(error->hint, sizeof error->hint, "did you mean \"%s\"?", nearest);
        return PK_BAD_INPUT;
    }
    if (prices->n_rows == 0 || prices->uses[i] == PK_PRICE_NONE)
        return pk_error_set(error, PK_BAD_INPUT,
                            "%s is no price of a reward: set it in a new run (polku run --set %s=%s)", set->parameter,
                            set->parameter, set->to);
    if (prices->uses[i] != PK_PRICE_ONLY)
        return pk_error_set(error, PK_BAD_INPUT,
                            "%s is not only a price: it changes lives: run again (polku run --set %s=%s)",
                            set->parameter, set->parameter, set->to);
    if (!pk_text_to_double(set->to, &value))
        return pk_error_set(error, PK_BAD_INPUT, "%s: \"%s\" is not a number", set->parameter, set->to);
    for (size_t u = 0; u < PK_UNIT_COUNT; u++)
        if (strcmp(pk_unit_names[u], prices->units[i]) == 0)
            pk_unit_interval((enum pk_unit)u, &low, &high);
    if (value < low || value > high)
        return pk_error_set(error, PK_BAD_INPUT, "%s: %s is outside [%g, %g], which its unit %s allows", set->parameter,
                            set->to, low, high, prices->units[i]);
    prices->values[i] = value;
    if (strcmp(c->parameter_kinds[i], pk_source_names[PK_SOURCE_CALIBRATED]) == 0) /* no study found this value */
        c->parameter_kinds[i] = (char *)pk_source_names[PK_SOURCE_ASSUMPTION];
    size_t used = strlen(prices->told);
    snprintf(prices->told + used, sizeof prices->told - used, "%s%s = %s", used > 0 ? ", " : "", set->parameter,
             set->to);
    return PK_OK;
}

enum pk_status pk_comparison_reprice(struct pk_comparison *c, const struct pk_set *sets, size_t n_sets,
                                     struct pk_error *error)
{
    struct pk_compare_prices *prices = &c->prices;
    const size_t n_rows = prices->n_rows, n_cells = c->main.n_units * c->n_arms;
    enum pk_status status = PK_OK;
    for (size_t i = 0; i < n_sets && status == PK_OK; i++)
        status = set_price(c, &sets[i], error);
    if (status != PK_OK || n_sets == 0)
        return status;
    double *values = pk_alloc(n_cells * c->n_outcomes, sizeof *values);
    double *products = pk_alloc(c->n_arms * n_rows, sizeof *products);
    if (values == NULL || products == NULL)
        status = pk_error_set(error, PK_NO_MEMORY, "no memory for new prices");
    for (size_t i = 0; i < c->n_arms * n_rows && status == PK_OK; i++) {
        double factor;
        if (!product_of(c, prices->prices[i % n_rows], &products[i]) || !product_of(c, prices->factors[i], &factor))
            status = pk_error_set(error, PK_BAD_INPUT, "/rewards names a price that cannot be read: %s",
                                  prices->prices[i % n_rows]);
        else
            products[i] *= factor;
    }
    if (status == PK_OK) {
        memcpy(values, c->main.values, n_cells * c->n_outcomes * sizeof *values);
        for (size_t k = 0; k < n_cells; k++) {
            for (size_t i = 0; i < n_rows; i++)
                values[k * c->n_outcomes + prices->i_outcomes[i]] = 0;
            for (size_t i = 0; i < n_rows; i++)
                values[k * c->n_outcomes + prices->i_outcomes[i]] +=
                    products[k % c->n_arms * n_rows + i] * prices->quantities[k * n_rows + i];
        }
        c->n_variants = c->bridge.n_stages = 0;
        pk_free(c->repriced);
        c->main.values = c->repriced = values;
        values = NULL;
    }
    pk_free(values);
    pk_free(products);
    return status;
}
