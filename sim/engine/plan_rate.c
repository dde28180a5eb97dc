/* Hazards of a model as rates of a plan. See plan.h. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "plan_private.h"
#include "polku/elementary.h"

size_t pk_rate_segment(const double *cuts, size_t n_cuts, double on_clock)
{
    size_t low = 0, high = n_cuts; /* cuts[low - 1] <= on_clock < cuts[high] */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (cuts[middle] <= on_clock)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

double pk_rate_at(const struct pk_rate *rate, double on_clock)
{
    if (rate->smooth)
        return rate->factor * pk_hazard_curve_rate(&rate->curve, on_clock + rate->offset);
    return rate->levels[pk_rate_segment(rate->cuts, rate->n_cuts, on_clock)];
}

double pk_rate_cumulative(const struct pk_rate *rate, double on_clock)
{
    const size_t i = pk_rate_segment(rate->cuts, rate->n_cuts, on_clock);
    return rate->intercepts[i] + rate->levels[i] * on_clock;
}

double pk_rate_inverse(const struct pk_rate *rate, double target)
{
    const size_t i = pk_rate_segment(rate->reached, rate->n_cuts, target);
    return (target - rate->intercepts[i]) / rate->levels[i];
}

double pk_rate_between(const struct pk_rate *rate, double from, double to)
{
    if (!(to > from))
        return 0;
    if (rate->smooth)
        return rate->factor * pk_hazard_curve_between(&rate->curve, from + rate->offset, to + rate->offset);
    double sum = 0, x = from;
    for (size_t i = pk_rate_segment(rate->cuts, rate->n_cuts, from); x < to; i++) {
        double end = i < rate->n_cuts && rate->cuts[i] < to ? rate->cuts[i] : to;
        sum += rate->levels[i] * (end - x);
        x = end;
    }
    return sum;
}

double pk_plan_survived(const struct pk_plan *plan, size_t i_arc, uint32_t stratum, double time, double age,
                        double lasted)
{
    const struct pk_plan_arc *arc = &plan->arcs[i_arc];
    const bool common = arc->i_person_hazard != SIZE_MAX;
    if (!common && arc->n_rates == 0)
        return 0;
    const struct pk_rate *rate = common ? pk_plan_person_rate(&plan->person_hazards[arc->i_person_hazard], stratum)
                                        : pk_plan_arc_rate(arc, stratum);
    const double now = rate->clock == PK_CLOCK_STATE ? lasted : rate->clock == PK_CLOCK_AGE ? age : time;
    const double from = now - lasted;
    return plan->multipliers[stratum * plan->n_arcs + i_arc] * (common ? 1 + arc->excess : 1) *
           pk_rate_between(rate, rate->clock == PK_CLOCK_AGE && from < 0 ? 0 : from, now);
}

double pk_plan_cured_share(const struct pk_plan_cure *cure, double survived)
{
    const double share = cure->share;
    return cure->unconditional || !(survived > 0) ? share : share / (share + (1 - share) * pk_exp(-survived));
}

void *pk_compile_alloc(struct pk_compile *compile, size_t count, size_t size)
{
    void *block = pk_arena_alloc(&compile->plan->arena, count, size);
    if (block == NULL)
        compile->status = pk_error_set(compile->error, PK_NO_MEMORY, "no memory for the plan");
    return block;
}

double pk_compile_used(struct pk_compile *compile, size_t i_parameter)
{
    double value = compile->values->used[i_parameter];
    if (!compile->own_hazards)
        compile->plan->widely_read[i_parameter] = true;
    if (isnan(value) && compile->status == PK_OK)
        compile->status = pk_error_set(compile->error, PK_BAD_INPUT,
                                       "the hazard \"%s\" is not known yet: conversions depend on each other in a "
                                       "cycle; give one of them as a rate",
                                       compile->model->parameters[i_parameter].name);
    return value;
}

/* The cumulative hazard, for rates with levels and cuts. */
static void accumulate(struct pk_compile *compile, struct pk_rate *rate)
{
    double *intercepts = pk_compile_alloc(compile, rate->n_cuts + 1, sizeof *intercepts);
    double *reached = pk_compile_alloc(compile, rate->n_cuts + 1, sizeof *reached);
    if (intercepts == NULL || reached == NULL)
        return;
    for (size_t i = 0; i < rate->n_cuts; i++) {
        const double least = i > 0 ? reached[i - 1] : -HUGE_VAL, at = intercepts[i] + rate->levels[i] * rate->cuts[i];
        reached[i] = at > least ? at : least; /* rounding must not turn it back */
        intercepts[i + 1] = intercepts[i] + (rate->levels[i] - rate->levels[i + 1]) * rate->cuts[i];
    }
    rate->intercepts = intercepts;
    rate->reached = reached;
}

/* A parametric form, from years to months. A form with no rise (Gompertz with shape 0) stays a form. */
static void compile_form(struct pk_compile *compile, const struct pk_hazard *hazard, double product,
                         struct pk_rate *rate)
{
    struct pk_hazard_curve in_years;
    const char *wrong = NULL;
    double numbers[3] = {0};
    for (size_t i = 0; i < (size_t)pk_hazard_parameter_counts[hazard->form]; i++)
        numbers[i] = pk_compile_used(compile, hazard->i_form[i]);
    if (compile->status != PK_OK)
        return;
    if (!pk_hazard_curve_init(&in_years, hazard->form, numbers, &wrong)) {
        char names[160] = "";
        for (size_t i = 0; i < (size_t)pk_hazard_parameter_counts[hazard->form]; i++)
            snprintf(names + strlen(names), sizeof names - strlen(names), "%s%s = %s", i ? ", " : "",
                     pk_hazard_parameter_names[hazard->form][i], compile->model->parameters[hazard->i_form[i]].name);
        compile->status = pk_error_set(compile->error, PK_BAD_INPUT, "the %s hazard of %s: %s",
                                       pk_hazard_form_names[hazard->form], names, wrong);
        return;
    }
    if (hazard->form == PK_HAZARD_CONSTANT) { /* as plain as any rate */
        double *level = pk_compile_alloc(compile, 1, sizeof *level);
        if (level != NULL)
            *level = product * numbers[0] / 12;
        rate->levels = level;
        accumulate(compile, rate);
        return;
    }
    rate->smooth = true;
    rate->factor = product;
    rate->curve = pk_hazard_curve_scaled(&in_years, 12);
    if (hazard->clock == PK_CLOCK_CALENDAR) /* on START: months since the start + offset = months since the origin */
        rate->offset = pk_tick_round(compile->plan->start_months - (hazard->has_origin ? hazard->origin : 0));
}

void pk_compile_rate(struct pk_compile *compile, const struct pk_hazard *hazard, double share, size_t i_column,
                     struct pk_rate *rate)
{
    const struct pk_parameter *table = NULL;
    double product = share;
    for (size_t i = 0; i < hazard->n_factors; i++) {
        const struct pk_parameter *parameter = &compile->model->parameters[hazard->i_factors[i]];
        if (parameter->n_values > 1)
            table = parameter;
        else
            product *= pk_compile_used(compile, hazard->i_factors[i]);
    }
    memset(rate, 0, sizeof *rate);
    rate->clock = hazard->on_clock ? hazard->clock : PK_CLOCK_START;
    const double start = rate->clock == PK_CLOCK_CALENDAR ? compile->plan->start_months : 0;
    if (hazard->parametric) {
        compile_form(compile, hazard, product, rate);
    } else {
        size_t n = table ? table->n_values : 1;
        double *levels = pk_compile_alloc(compile, n, sizeof *levels);
        double *cuts = pk_compile_alloc(compile, n, sizeof *cuts);
        if (levels == NULL || cuts == NULL)
            return;
        for (size_t i = 0; i < n; i++)
            levels[i] = product * (table ? table->values[i_column * n + i] : 1) / 12;
        for (size_t i = 0; i + 1 < n; i++)
            cuts[i] = pk_tick_round((rate->clock == PK_CLOCK_CALENDAR ? table->cuts[i] : table->cuts[i] * 12) - start);
        rate->levels = levels;
        rate->cuts = cuts;
        rate->n_cuts = n - 1;
        accumulate(compile, rate);
    }
    if (rate->clock == PK_CLOCK_CALENDAR)
        rate->clock = PK_CLOCK_START;
}

/* The table among a hazard's factors, NULL if there is none. */
static const struct pk_parameter *table_of(const struct pk_model *model, const struct pk_hazard *hazard)
{
    for (size_t i = 0; i < hazard->n_factors; i++)
        if (model->parameters[hazard->i_factors[i]].n_values > 1)
            return &model->parameters[hazard->i_factors[i]];
    return NULL;
}

bool pk_compile_table_enters(const struct pk_model *model, const struct pk_hazard *hazard, size_t i_attribute)
{
    const struct pk_parameter *table = table_of(model, hazard);
    bool enters = false;
    for (size_t k = 0; table != NULL && k < table->n_by; k++)
        enters |= table->i_by_attribute[k] == i_attribute;
    return enters;
}

size_t pk_compile_rates(struct pk_compile *compile, const struct pk_hazard *hazard, double share,
                        const struct pk_rate **rates, const uint16_t **rate_of)
{
    const struct pk_parameter *table = table_of(compile->model, hazard);
    size_t n = table != NULL ? table->n_columns : 1, n_strata = compile->plan->n_strata;
    struct pk_rate *made = pk_compile_alloc(compile, n, sizeof *made);
    *rates = made;
    *rate_of = NULL;
    for (size_t i = 0; i < n && compile->status == PK_OK; i++)
        pk_compile_rate(compile, hazard, share, i, &made[i]);
    if (n == 1 || compile->status != PK_OK)
        return n;
    if (n > UINT16_MAX) {
        compile->status = pk_error_set(compile->error, PK_BAD_INPUT, "the table %s has more than %d columns",
                                       table->name, UINT16_MAX);
        return n;
    }
    uint16_t *column_of = pk_compile_alloc(compile, n_strata, sizeof *column_of);
    for (size_t z = 0; column_of != NULL && z < n_strata; z++) {
        size_t column = 0;
        for (size_t k = 0; k < table->n_by; k++) {
            size_t i_attribute = table->i_by_attribute[k], n_values = compile->model->attributes[i_attribute].n_values;
            column = column * n_values + z / compile->plan->stratum_strides[i_attribute] % n_values;
        }
        column_of[z] = (uint16_t)column;
    }
    *rate_of = column_of;
    return n;
}
