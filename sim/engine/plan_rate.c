/* Hazards of a model as rates of a plan. See plan.h. */
#include <math.h>
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
    if (rate->gompertz)
        return rate->level * pk_exp(rate->slope * on_clock);
    return rate->levels[pk_rate_segment(rate->cuts, rate->n_cuts, on_clock)];
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
    if (isnan(value) && compile->status == PK_OK)
        compile->status = pk_error_set(compile->error, PK_BAD_INPUT,
                                       "the hazard \"%s\" is not known yet: conversions depend on each other in a "
                                       "cycle; give one of them as a rate",
                                       compile->model->parameters[i_parameter].name);
    return value;
}

void pk_compile_rate(struct pk_compile *compile, const struct pk_hazard *hazard, double share, struct pk_rate *rate)
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
    if (hazard->gompertz) {
        rate->level = product * pk_compile_used(compile, hazard->i_level) / 12;
        rate->slope = pk_compile_used(compile, hazard->i_slope) / 12;
        rate->gompertz = rate->slope != 0;
    }
    if (rate->gompertz && start != 0)
        rate->level *= pk_exp(rate->slope * start);
    size_t n = table ? table->n_values : 1;
    double *levels = pk_compile_alloc(compile, n, sizeof *levels);
    double *cuts = pk_compile_alloc(compile, n, sizeof *cuts);
    if (levels == NULL || cuts == NULL)
        return;
    for (size_t i = 0; i < n; i++)
        levels[i] = hazard->gompertz ? rate->level : product * (table ? table->values[i] : 1) / 12;
    for (size_t i = 0; i + 1 < n; i++)
        cuts[i] = pk_tick_round((rate->clock == PK_CLOCK_CALENDAR ? table->cuts[i] : table->cuts[i] * 12) - start);
    if (rate->clock == PK_CLOCK_CALENDAR)
        rate->clock = PK_CLOCK_START;
    rate->levels = levels;
    rate->cuts = cuts;
    rate->n_cuts = n - 1;
}
