/* The part of a plan about people: who they are at the start and as they flow in. See plan.h. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "plan_private.h"
#include "polku/elementary.h"
#include "polku/ipf.h"
#include "polku/rng.h"
#include "polku/special.h"

void pk_compile_refuse(struct pk_compile *compile, const char *format, const char *a, const char *b)
{
    char text[256];
    if (compile->status != PK_OK)
        return;
    snprintf(text, sizeof text, format, a, b);
    compile->status = pk_error_set(compile->error, PK_BAD_INPUT, "%s", text);
}

static bool adds_up(struct pk_compile *compile, double sum, const char *what)
{
    char found[64];
    if (sum >= 1 - 1e-9 && sum <= 1 + 1e-9)
        return true;
    snprintf(found, sizeof found, "%.12g", sum);
    pk_compile_refuse(compile, "the shares of %s add up to %s, not to 1", what, found);
    return false;
}

/* Running sums of shares[n]; from the last positive one on exactly 1, so that nobody falls beyond it. */
static double *accumulate(struct pk_compile *compile, const double *shares, size_t n)
{
    double *cumulative = pk_compile_alloc(compile, n, sizeof *cumulative), sum = 0;
    if (cumulative == NULL)
        return NULL;
    for (size_t i = 0; i < n; i++)
        cumulative[i] = sum += shares[i];
    for (size_t i = n; i-- > 0;) {
        cumulative[i] = 1;
        if (shares[i] > 0)
            break;
    }
    return cumulative;
}

/* The values of numbers[n], which must add up to 1; NULL sets the status. */
static double *values_of(struct pk_compile *compile, const struct pk_number *numbers, size_t n, const char *what)
{
    double *values = pk_compile_alloc(compile, n, sizeof *values), sum = 0;
    for (size_t i = 0; i < n && values != NULL; i++)
        sum += values[i] = pk_number_value(&numbers[i], compile->values);
    return values != NULL && adds_up(compile, sum, what) ? values : NULL;
}

void pk_compile_choice(struct pk_compile *compile, struct pk_plan_choice *choice, const struct pk_number *shares,
                       size_t n, const char *what)
{
    double *values = values_of(compile, shares, n, what);
    if (values == NULL)
        return;
    choice->n = n;
    choice->only = SIZE_MAX;
    for (size_t i = 0; i < n; i++)
        if (values[i] == 1)
            choice->only = i;
    choice->cumulative = accumulate(compile, values, n);
}

/* The standard normal distribution function. */
static double normal_below(double z)
{
    return z < 0 ? pk_exp(pk_special_normal_log_survival(-z)) : 1 - pk_exp(pk_special_normal_log_survival(z));
}

static void compile_normal(struct pk_compile *compile, const double *v, struct pk_plan_distribution *planned,
                           const char *what)
{
    if (!(v[2] < v[3]) || v[1] == 0) {
        pk_compile_refuse(compile,
                          v[1] == 0 ? "the normal distribution of %s has no spread: say fixed%s"
                                    : "the normal distribution of %s needs its low below its high%s",
                          what, "");
        return;
    }
    planned->c = normal_below((v[2] - v[0]) / v[1]);
    planned->d = normal_below((v[3] - v[0]) / v[1]);
    if (planned->d - planned->c < 1e-6)
        pk_compile_refuse(compile, "the normal distribution of %s has nearly nobody between its low and its high%s",
                          what, "");
}

static void compile_distribution(struct pk_compile *compile, const struct pk_distribution *given,
                                 struct pk_plan_distribution *planned, const char *what)
{
    double v[4];
    for (size_t i = 0; i < 4; i++)
        v[i] = pk_number_value(&given->arguments[i], compile->values) * 12;
    *planned = (struct pk_plan_distribution){.kind = given->kind, .a = v[0], .b = v[1], .c = v[2]};
    if (given->kind == PK_DISTRIBUTION_FIXED)
        planned->a = pk_tick_round(v[0]);
    if (given->kind == PK_DISTRIBUTION_NORMAL)
        compile_normal(compile, v, planned, what);
    bool ordered = given->kind == PK_DISTRIBUTION_UNIFORM      ? v[0] <= v[1]
                   : given->kind == PK_DISTRIBUTION_TRIANGULAR ? v[0] <= v[1] && v[1] <= v[2]
                                                               : true;
    if (!ordered)
        pk_compile_refuse(compile, "the distribution of %s needs its numbers in ascending order%s", what, "");
    if (given->kind != PK_DISTRIBUTION_HISTOGRAM)
        return;
    double *edges = pk_compile_alloc(compile, given->n_bins + 1, sizeof *edges);
    double *shares = values_of(compile, given->shares, given->n_bins, what);
    if (edges == NULL || shares == NULL)
        return;
    for (size_t i = 0; i <= given->n_bins; i++)
        edges[i] = given->edges[i] * 12;
    planned->n_bins = given->n_bins;
    planned->edges = edges;
    planned->cumulative = accumulate(compile, shares, given->n_bins);
}

/* Fits a joint table to the attributes' own shares. */
static void fit(struct pk_compile *compile, const struct pk_origin *origin, const struct pk_joint *joint, double *cells)
{
    const struct pk_model *model = compile->model;
    size_t extents[PK_MAX_ATTRIBUTES], largest = 0;
    const double *margins[PK_MAX_ATTRIBUTES];
    for (size_t k = 0; k < joint->n_attributes; k++) {
        const struct pk_attribute *attribute = &model->attributes[joint->i_attributes[k]];
        double sum = 0, *values = values_of(compile, origin->value_shares[joint->i_attributes[k]], attribute->n_values,
                                            attribute->name);
        if (values == NULL)
            return;
        for (size_t v = 0; v < attribute->n_values; v++)
            sum += values[v];
        for (size_t v = 0; v < attribute->n_values; v++)
            values[v] /= sum;
        margins[k] = values;
        extents[k] = attribute->n_values;
        largest = extents[k] > largest ? extents[k] : largest;
    }
    double *sums = pk_compile_alloc(compile, largest, sizeof *sums);
    struct pk_ipf_fault fault;
    if (sums == NULL || pk_ipf_fit(cells, joint->n_attributes, extents, margins, 1e-12, 10000, sums, &fault))
        return;
    const struct pk_attribute *attribute = &model->attributes[joint->i_attributes[fault.i_dim]];
    compile->status = pk_error_set(compile->error, PK_BAD_INPUT,
                                   "the joint table cannot be fitted to the shares of %s: %s has %.9g, and %.9g is as "
                                   "near as the zeros of the table allow",
                                   attribute->name, attribute->values[fault.i_value], fault.wanted, fault.reached);
}

static void compile_joint(struct pk_compile *compile, const struct pk_origin *origin, const struct pk_joint *joint,
                          struct pk_plan_joint *planned)
{
    const struct pk_model *model = compile->model;
    double *cells = pk_compile_alloc(compile, joint->n_cells, sizeof *cells), sum = 0;
    if (cells == NULL)
        return;
    memcpy(cells, joint->shares, joint->n_cells * sizeof *cells);
    if (joint->fit)
        fit(compile, origin, joint, cells);
    size_t n = 0;
    for (size_t i = 0; i < joint->n_cells; i++) {
        sum += cells[i];
        n += cells[i] > 0;
    }
    if (compile->status != PK_OK || !adds_up(compile, sum, "a joint table"))
        return;
    uint8_t *values = pk_compile_alloc(compile, n * joint->n_attributes, sizeof *values);
    if (values == NULL)
        return;
    planned->n_attributes = joint->n_attributes;
    memcpy(planned->i_attributes, joint->i_attributes, sizeof planned->i_attributes);
    for (size_t i = 0; i < joint->n_cells; i++) { /* cells that nobody is in are left out */
        if (!(cells[i] > 0))
            continue;
        size_t left = i;
        for (size_t k = joint->n_attributes; k-- > 0;) {
            size_t n_values = model->attributes[joint->i_attributes[k]].n_values;
            values[planned->n_cells * joint->n_attributes + k] = (uint8_t)(left % n_values);
            left /= n_values;
        }
        cells[planned->n_cells++] = cells[i];
    }
    planned->values = values;
    planned->cumulative = accumulate(compile, cells, planned->n_cells);
}

static void compile_origin(struct pk_compile *compile, const struct pk_origin *origin, struct pk_plan_origin *planned)
{
    const struct pk_model *model = compile->model;
    pk_compile_choice(compile, &planned->start_state, origin->state_shares, model->n_states, "the states at start");
    planned->attributes = pk_compile_alloc(compile, model->n_attributes, sizeof *planned->attributes);
    planned->joints = pk_compile_alloc(compile, origin->n_joints, sizeof *planned->joints);
    for (size_t i = 0; i < model->n_attributes && compile->status == PK_OK; i++)
        if (!origin->in_joint[i])
            pk_compile_choice(compile, &planned->attributes[i], origin->value_shares[i], model->attributes[i].n_values,
                              model->attributes[i].name);
    planned->n_joints = origin->n_joints;
    for (size_t j = 0; j < origin->n_joints && compile->status == PK_OK; j++)
        compile_joint(compile, origin, &origin->joints[j], &planned->joints[j]);
    planned->needs_age = origin->has_age;
    if (origin->has_age && compile->status == PK_OK)
        compile_distribution(compile, &origin->age, &planned->age, "age");
    planned->elapsed = pk_compile_alloc(compile, model->n_states, sizeof *planned->elapsed);
    for (size_t s = 0; s < model->n_states && compile->status == PK_OK; s++) {
        compile_distribution(compile, &origin->elapsed[s], &planned->elapsed[s], "elapsed time");
        if (planned->elapsed[s].kind != PK_DISTRIBUTION_FIXED || planned->elapsed[s].a != 0)
            planned->elapsed_states |= UINT64_C(1) << s;
    }
}

/* Bits after the point with which no weight moves by more than a thousandth: 8 if they will do; -1: none will. */
static int weight_bits(const struct pk_people *people)
{
    enum { USUAL = 8, MOST = 20, N_TRIES = MOST - USUAL + 1 + USUAL };
    for (int i = 0; i < N_TRIES; i++) {
        const int bits = i <= MOST - USUAL ? USUAL + i : MOST - i; /* 8, 9, ..., 20, then 7, 6, ..., 0 */
        bool good = true;
        for (size_t k = 0; k < people->n && good; k++) {
            const double scaled = people->weights[k] * (double)(1 << bits), whole = floor(scaled + 0.5);
            good = whole <= 1 << 24 && fabs(whole - scaled) <= 1e-3 * scaled;
        }
        if (good)
            return bits;
    }
    return -1;
}

static void compile_people(struct pk_compile *compile, const struct pk_people *people)
{
    struct pk_plan *plan = compile->plan;
    size_t n = people->n, n_values = n * compile->model->n_attributes;
    uint16_t *states = pk_compile_alloc(compile, n, sizeof *states);
    uint8_t *values = pk_compile_alloc(compile, n_values, sizeof *values);
    double *ages = pk_compile_alloc(compile, n, sizeof *ages), *elapsed = pk_compile_alloc(compile, n, sizeof *elapsed);
    bool weighted = false;
    for (size_t i = 0; i < n && people->weights != NULL; i++)
        weighted |= people->weights[i] != 1;
    const int bits = weighted ? weight_bits(people) : 0;
    if (bits < 0) {
        pk_compile_refuse(compile,
                          "the weights in the table of people span too wide a range to be told apart to a "
                          "thousandth; divide the large ones among several rows%s%s",
                          "", "");
        return;
    }
    uint32_t *weights = weighted ? pk_compile_alloc(compile, n, sizeof *weights) : NULL;
    if (compile->status != PK_OK)
        return;
    memcpy(states, people->states, n * sizeof *states);
    memcpy(values, people->values, n_values * sizeof *values);
    for (size_t i = 0; i < n; i++) {
        ages[i] = people->ages != NULL ? pk_tick_round(people->ages[i] * 12) : 0;
        elapsed[i] = people->elapsed != NULL ? pk_tick_round(people->elapsed[i] * 12) : 0;
        if (weighted)
            weights[i] = (uint32_t)(people->weights[i] * (double)(1 << bits) + 0.5);
    }
    plan->weight_bits = (unsigned)bits;
    plan->people = (struct pk_plan_people){
        .n = n, .states = states, .values = values, .ages = ages, .elapsed = elapsed, .weights = weights};
}

/* The mean number of persons over [from, to], months after the start, of so many a year. */
static double persons_between(const struct pk_compile *compile, const struct pk_number *per_year, double from,
                              double to)
{
    const struct pk_parameter *table = NULL;
    if (per_year->i_parameter != SIZE_MAX && compile->model->parameters[per_year->i_parameter].n_values > 1)
        table = &compile->model->parameters[per_year->i_parameter];
    if (table == NULL)
        return pk_number_value(per_year, compile->values) * ((to - from) / 12);
    double sum = 0, x = from;
    bool calendar = table->clock == PK_CLOCK_CALENDAR;
    for (size_t i = 0; i < table->n_values && x < to; i++) {
        double end = to;
        if (i + 1 < table->n_values)
            end = pk_tick_round(calendar ? table->cuts[i] - compile->plan->start_months : table->cuts[i] * 12);
        end = end < to ? end : to;
        if (end > x) {
            sum += table->values[i] * ((end - x) / 12);
            x = end;
        }
    }
    return sum;
}

static void compile_inflow(struct pk_compile *compile, const struct pk_inflow *inflow)
{
    struct pk_plan *plan = compile->plan;
    double end = inflow->until_months < plan->horizon ? pk_tick_round(inflow->until_months) : plan->horizon;
    size_t n = (size_t)ceil(end / 12);
    PK_ASSERT(n <= PK_MAX_INFLOW_YEARS);
    double *mean = pk_compile_alloc(compile, n, sizeof *mean), *length = pk_compile_alloc(compile, n, sizeof *length);
    if (mean == NULL || length == NULL)
        return;
    for (size_t y = 0; y < n; y++) {
        double from = 12 * (double)y, to = end < from + 12 ? end : from + 12;
        length[y] = to - from;
        mean[y] = persons_between(compile, &inflow->per_year, from, to);
        if (!(mean[y] >= 0 && mean[y] <= 1e9)) {
            pk_compile_refuse(compile, "the inflow must be 0 to 10^9 persons a year%s%s", "", "");
            return;
        }
    }
    plan->inflow.n_years = n;
    plan->inflow.mean = mean;
    plan->inflow.length = length;
    plan->inflow.poisson = inflow->poisson;
    compile_origin(compile, &inflow->origin, &plan->inflow.origin);
}

static void compile_size(struct pk_compile *compile)
{
    const struct pk_population *population = &compile->scenario->population;
    double size = pk_number_value(&population->size, compile->values);
    bool open = population->inflow.any;
    if (population->people.n > 0 && size != (double)population->people.n)
        pk_compile_refuse(compile, "the people come from a table, so their number cannot be another%s%s", "", "");
    else if (open && (!(size >= 0 && size <= 0x1p32) || size != floor(size)))
        pk_compile_refuse(compile, "the population's size must be a whole number from 0 to 2^32%s%s", "", "");
    else if (!open && (!(size >= 1) || size != floor(size) || !pk_rng_fits((uint64_t)size - 1, 0, 0)))
        pk_compile_refuse(compile, "the population's size must be a whole number of at least 1 and below 2^40%s%s", "",
                          "");
    else
        compile->plan->n_persons = (uint64_t)size;
}

static bool any_false(const bool *values, size_t n)
{
    bool any = false;
    for (size_t v = 0; v < n; v++)
        any |= !values[v];
    return any;
}

/* Which attributes the lives, the target groups and what is told of the scenario tell people apart by. Rewards: all of
 * the model's, whichever are told. */
static bool reads(const struct pk_compile *compile, size_t i_attribute)
{
    const struct pk_plan *plan = compile->plan;
    const struct pk_model *model = compile->model;
    const struct pk_scenario *scenario = compile->scenario;
    const size_t n_values = model->attributes[i_attribute].n_values;
    bool found = plan->stratum_strides[i_attribute] != 0;
    for (size_t i = 0; i < plan->n_targets; i++)
        for (size_t v = 0; v < n_values; v++)
            found |= !plan->targets[i].allowed[i_attribute * 256 + v];
    for (size_t i = 0; i < scenario->n_tables; i++)
        found |= scenario->tables[i].by[i_attribute];
    for (size_t i = 0; i < scenario->n_histograms; i++)
        found |= scenario->histograms[i].by[i_attribute];
    for (size_t i = 0; i < scenario->n_outcomes; i++)
        found |= scenario->outcomes[i].among != NULL && any_false(scenario->outcomes[i].among[i_attribute], n_values);
    for (size_t a = 0; a < plan->n_arms; a++)
        found |= plan->arms[a].displaced > 0 && plan->arms[a].i_displaced_by == i_attribute;
    for (size_t i = 0; i < plan->n_services; i++)
        if (plan->services[i].first_station != SIZE_MAX)
            found |= plan->services[i].places.i_by == i_attribute || plan->services[i].places.i_priority == i_attribute;
    for (size_t i = 0; i < model->n_rewards; i++)
        for (size_t k = 0; k < model->rewards[i].n_ratios; k++)
            found |= model->rewards[i].ratios[k].i_attribute == i_attribute;
    return found;
}

/* Attributes drawn together are read together. */
static void read_together(const struct pk_origin *origin, bool *is_read)
{
    for (size_t j = 0; j < origin->n_joints; j++) {
        const struct pk_joint *joint = &origin->joints[j];
        bool any = false;
        for (size_t k = 0; k < joint->n_attributes; k++)
            any |= is_read[joint->i_attributes[k]];
        for (size_t k = 0; k < joint->n_attributes; k++)
            is_read[joint->i_attributes[k]] = any;
    }
}

static void compile_read(struct pk_compile *compile)
{
    const struct pk_population *population = &compile->scenario->population;
    bool *is_read = pk_compile_alloc(compile, compile->model->n_attributes, sizeof *is_read);
    if (is_read == NULL)
        return;
    for (size_t i = 0; i < compile->model->n_attributes; i++)
        is_read[i] = reads(compile, i);
    for (size_t pass = 0; pass < compile->model->n_attributes; pass++) { /* two origins may chain attributes */
        read_together(&population->origin, is_read);
        read_together(&population->inflow.origin, is_read);
    }
    compile->plan->is_read = is_read;
}

void pk_compile_people(struct pk_compile *compile)
{
    const struct pk_population *population = &compile->scenario->population;
    compile->plan->n_attributes = compile->model->n_attributes;
    compile_size(compile);
    if (compile->status == PK_OK && population->people.n > 0)
        compile_people(compile, &population->people);
    else if (compile->status == PK_OK)
        compile_origin(compile, &population->origin, &compile->plan->origin);
    if (compile->status == PK_OK && population->inflow.any)
        compile_inflow(compile, &population->inflow);
    if (compile->status == PK_OK)
        pk_compile_arms(compile);
    if (compile->status == PK_OK)
        compile_read(compile);
}
