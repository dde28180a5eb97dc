/* A model and a scenario compiled to flat tables: hazards and arcs. See plan.h. */
#include "polku/plan.h"

#include <math.h>
#include <string.h>

#include "plan_private.h"
#include "polku/elementary.h"
#include "polku/stats.h"

void pk_plan_init(struct pk_plan *plan)
{
    memset(plan, 0, sizeof *plan);
    pk_arena_init(&plan->arena);
}

void pk_plan_free(struct pk_plan *plan)
{
    if (plan == NULL)
        return;
    pk_arena_free(&plan->arena);
    pk_plan_init(plan);
}

struct pk_plan_arc *pk_compile_arc(struct pk_compile *compile)
{
    struct pk_plan *plan = compile->plan;
    if (plan->n_arcs == PK_MAX_ARCS) {
        compile->status =
            pk_error_set(compile->error, PK_BAD_INPUT, "the transitions make more than %d arcs", PK_MAX_ARCS);
        return NULL;
    }
    struct pk_plan_arc *arc = &plan->arcs[plan->n_arcs++];
    arc->i_person_hazard = arc->i_frailty = arc->i_cure = SIZE_MAX;
    return arc;
}

static size_t find_cure(const struct pk_plan *plan, size_t i_transition)
{
    for (size_t c = 0; c < plan->n_cures; c++)
        if (plan->cures[c].i_transition == i_transition)
            return c;
    return SIZE_MAX;
}

/* The most arcs that a model can have: room for all that any may have takes longer to clear than a plan to compile. */
static size_t most_arcs(const struct pk_model *model)
{
    size_t n = 0;
    for (size_t t = 0; t < model->n_transitions; t++)
        for (size_t s = 0; s < model->n_states; s++)
            n += model->transitions[t].from[s] ? model->transitions[t].n_to : 0;
    for (size_t i = 0; i < model->n_services; i++) /* where a prevented event leads instead */
        for (size_t k = 0; k < model->services[i].n_effects; k++)
            n += model->services[i].effects[k].mode == PK_EFFECT_PREVENT ? model->n_states : 0;
    return n < PK_MAX_ARCS ? n : PK_MAX_ARCS;
}

static double factor_in(struct pk_compile *compile, const struct pk_transition *transition, size_t i_state)
{
    double factor = 1;
    for (size_t i = 0; i < transition->n_by_state; i++)
        if (transition->by_state[i].i_state == i_state)
            factor *= pk_compile_used(compile, transition->by_state[i].i_parameter);
    return factor;
}

/* One arc of each transition, state of origin and destination, in the order of the file. */
static void compile_arcs(struct pk_compile *compile)
{
    struct pk_plan *plan = compile->plan;
    const struct pk_model *model = compile->model;
    plan->arcs = pk_compile_alloc(compile, most_arcs(model), sizeof *plan->arcs);
    plan->person_hazards = pk_compile_alloc(compile, model->n_transitions, sizeof *plan->person_hazards);
    for (size_t t = 0; t < model->n_transitions && compile->status == PK_OK; t++) {
        const struct pk_transition *transition = &model->transitions[t];
        bool person_level = pk_model_is_person_level(model, transition);
        size_t i_cure = find_cure(plan, t);
        if (person_level) {
            struct pk_person_hazard *hazard = &plan->person_hazards[plan->n_person_hazards++];
            hazard->i_transition = t;
            hazard->i_to = transition->i_to[0];
            hazard->i_frailty = transition->i_frailty;
            hazard->i_cure = i_cure;
            hazard->n_rates = pk_compile_rates(compile, &transition->hazard, 1, &hazard->rates, &hazard->rate_of);
        }
        for (size_t s = 0; s < model->n_states; s++) {
            if (!transition->from[s])
                continue;
            for (size_t d = 0; d < transition->n_to && compile->status == PK_OK; d++) {
                struct pk_plan_arc *arc = pk_compile_arc(compile);
                if (arc == NULL)
                    return;
                arc->i_transition = t;
                arc->i_from = s;
                arc->i_to = transition->i_to[d];
                arc->i_person_hazard = person_level ? plan->n_person_hazards - 1 : SIZE_MAX;
                arc->i_frailty = transition->i_frailty;
                arc->i_cure = i_cure;
                arc->deterministic = transition->deterministic;
                arc->hazardless = transition->by_service;
                arc->share =
                    transition->i_to_share[d] == SIZE_MAX ? 1 : pk_compile_used(compile, transition->i_to_share[d]);
                for (size_t e = 0; e < transition->n_excess; e++)
                    if (transition->excess[e].i_state == s)
                        arc->excess = pk_compile_used(compile, transition->excess[e].i_parameter) - 1;
                if (person_level && arc->excess > 0) {
                    arc->i_excess = plan->n_excess++;
                    if (plan->n_excess > PK_MAX_EXCESS) {
                        compile->status =
                            pk_error_set(compile->error, PK_BAD_INPUT,
                                         "more than %d states have an excess over common hazards", PK_MAX_EXCESS);
                        return;
                    }
                }
                if (!person_level && !arc->deterministic && !arc->hazardless)
                    arc->n_rates =
                        pk_compile_rates(compile, &transition->hazard, arc->share * factor_in(compile, transition, s),
                                         &arc->rates, &arc->rate_of);
            }
        }
    }
}

/* Puts arcs (constant or on one clock) on one axis with the union of their cuts. Columns of a table told by attribute
 * have the same cuts. */
static void compile_axis(struct pk_compile *compile, struct pk_axis *axis, const uint16_t *arcs, size_t n_arcs)
{
    const struct pk_plan_arc *all = compile->plan->arcs;
    size_t n_cuts = 0, n_distinct = 0;
    for (size_t i = 0; i < n_arcs; i++) {
        n_cuts += all[arcs[i]].rates[0].n_cuts;
        axis->by_stratum |= all[arcs[i]].rate_of != NULL;
    }
    double *cuts = pk_compile_alloc(compile, n_cuts, sizeof *cuts);
    uint16_t *copy = pk_compile_alloc(compile, n_arcs, sizeof *copy);
    if (cuts == NULL || copy == NULL)
        return;
    n_cuts = 0;
    for (size_t i = 0; i < n_arcs; i++)
        for (size_t k = 0; k < all[arcs[i]].rates[0].n_cuts; k++)
            cuts[n_cuts++] = all[arcs[i]].rates[0].cuts[k];
    qsort(cuts, n_cuts, sizeof *cuts, pk_stats_ascending);
    for (size_t i = 0; i < n_cuts; i++)
        if (i == 0 || cuts[i] > cuts[n_distinct - 1])
            cuts[n_distinct++] = cuts[i];
    size_t n_strata = axis->by_stratum ? compile->plan->n_strata : 1;
    double *levels = pk_compile_alloc(compile, n_strata * (n_distinct + 1) * n_arcs, sizeof *levels), *into = levels;
    if (levels == NULL)
        return;
    for (size_t z = 0; z < n_strata; z++)
        for (size_t segment = 0; segment <= n_distinct; segment++)
            for (size_t i = 0; i < n_arcs; i++) {
                const struct pk_rate *rate = pk_plan_arc_rate(&all[arcs[i]], (uint32_t)z);
                size_t own = segment == 0 ? 0 : pk_rate_segment(rate->cuts, rate->n_cuts, cuts[segment - 1]);
                *into++ = rate->levels[own];
            }
    memcpy(copy, arcs, n_arcs * sizeof *copy);
    axis->n_cuts = n_distinct;
    axis->n_arcs = n_arcs;
    axis->cuts = cuts;
    axis->levels = levels;
    axis->arcs = copy;
}

/* Arcs grouped by clock; constant ones join the first axis there is. */
static void compile_axes(struct pk_compile *compile, size_t i_state)
{
    struct pk_plan *plan = compile->plan;
    struct pk_plan_state *state = &plan->states[i_state];
    uint16_t by_clock[PK_CLOCK_COUNT + 1][PK_MAX_ARCS_FROM], smooth[PK_MAX_ARCS_FROM];
    size_t n_by_clock[PK_CLOCK_COUNT + 1] = {0}, n_all = 0, i_first = PK_CLOCK_COUNT;
    for (size_t a = 0; a < plan->n_arcs; a++) {
        const struct pk_plan_arc *arc = &plan->arcs[a];
        if (arc->i_from != i_state || arc->deterministic || arc->hazardless || arc->i_person_hazard != SIZE_MAX)
            continue;
        state->personal |= arc->i_frailty != SIZE_MAX || arc->i_cure != SIZE_MAX;
        if (n_all++ == PK_MAX_ARCS_FROM) {
            compile->status = pk_error_set(compile->error, PK_BAD_INPUT, "the state %s has more than %d arcs",
                                           compile->model->states[i_state].name, PK_MAX_ARCS_FROM);
            return;
        }
        size_t clock = arc->rates[0].n_cuts > 0 ? arc->rates[0].clock : PK_CLOCK_COUNT;
        if (arc->rates[0].smooth)
            smooth[state->n_smooth++] = (uint16_t)a;
        else
            by_clock[clock][n_by_clock[clock]++] = (uint16_t)a;
    }
    for (size_t clock = PK_CLOCK_COUNT; clock-- > 0;)
        if (n_by_clock[clock] > 0)
            i_first = clock;
    for (size_t k = 0; k < n_by_clock[PK_CLOCK_COUNT] && i_first != PK_CLOCK_COUNT; k++)
        by_clock[i_first][n_by_clock[i_first]++] = by_clock[PK_CLOCK_COUNT][k];
    for (size_t clock = 0; clock <= PK_CLOCK_COUNT && compile->status == PK_OK; clock++) {
        if (n_by_clock[clock] == 0 || (clock == PK_CLOCK_COUNT && i_first != PK_CLOCK_COUNT))
            continue;
        PK_ASSERT(state->n_axes < PK_MAX_AXES);
        struct pk_axis *axis = &state->axes[state->n_axes++];
        axis->clock = clock == PK_CLOCK_COUNT ? PK_CLOCK_START : (enum pk_clock)clock;
        compile_axis(compile, axis, by_clock[clock], n_by_clock[clock]);
    }
    uint16_t *copy = pk_compile_alloc(compile, state->n_smooth, sizeof *copy);
    if (copy != NULL)
        memcpy(copy, smooth, state->n_smooth * sizeof *copy);
    state->smooth = copy;
}

static struct pk_timer make_timer(struct pk_compile *compile, const struct pk_transition *transition)
{
    const struct pk_parameter *at = &compile->model->parameters[transition->i_at];
    const double plus = transition->i_at_plus == SIZE_MAX ? 0 : pk_compile_used(compile, transition->i_at_plus) * 12;
    struct pk_timer timer = {.clock = transition->at_clock};
    if (at->n_values < 2) {
        timer.value = pk_tick_round(pk_compile_used(compile, transition->i_at) * 12 + plus);
        return timer;
    }
    double *births = pk_compile_alloc(compile, at->n_values, sizeof *births),
           *later = pk_compile_alloc(compile, at->n_values, sizeof *later);
    if (compile->status != PK_OK)
        return timer;
    timer.value = pk_tick_round(at->values[0] * 12 + plus);
    for (size_t i = 0; i + 1 < at->n_values; i++) {
        births[i] = pk_tick_round(at->cuts[i] - compile->plan->start_months);
        later[i] = pk_tick_round(at->values[i + 1] * 12 + plus);
    }
    timer.n_births = at->n_values - 1;
    timer.births = births;
    timer.later = later;
    return timer;
}

/* Timers, layers of excess and the arcs of the common hazards of one state. */
static void compile_others(struct pk_compile *compile, size_t i_state)
{
    struct pk_plan *plan = compile->plan;
    const struct pk_model *model = compile->model;
    struct pk_plan_state *state = &plan->states[i_state];
    state->timers = pk_compile_alloc(compile, model->n_transitions, sizeof *state->timers);
    uint16_t *excess = pk_compile_alloc(compile, plan->n_arcs, sizeof *excess);
    uint16_t *person = pk_compile_alloc(compile, plan->n_person_hazards, sizeof *person);
    uint16_t *timed = pk_compile_alloc(compile, plan->n_arcs, sizeof *timed);
    if (compile->status != PK_OK)
        return;
    for (size_t a = 0; a < plan->n_arcs; a++) {
        const struct pk_plan_arc *arc = &plan->arcs[a];
        if (arc->i_from != i_state)
            continue;
        if (arc->i_person_hazard != SIZE_MAX) {
            person[arc->i_person_hazard] = (uint16_t)a;
            if (arc->excess > 0)
                excess[state->n_excess++] = (uint16_t)a;
        } else if (arc->deterministic) {
            const struct pk_transition *transition = &model->transitions[arc->i_transition];
            struct pk_timer *timer = state->n_timers > 0 ? &state->timers[state->n_timers - 1] : NULL;
            if (timer == NULL || timer->i_transition != arc->i_transition) {
                timer = &state->timers[state->n_timers++];
                *timer = make_timer(compile, transition);
                timer->i_transition = arc->i_transition;
                timer->arcs = timed;
            }
            *timed++ = (uint16_t)a;
            timer->n_arcs++;
        }
    }
    state->excess_arcs = excess;
    state->person_arcs = person;
}

static void compile_states(struct pk_compile *compile)
{
    struct pk_plan *plan = compile->plan;
    plan->states = pk_compile_alloc(compile, plan->n_states, sizeof *plan->states);
    for (size_t s = 0; s < plan->n_states && compile->status == PK_OK; s++) {
        plan->states[s].absorbing = compile->model->states[s].absorbing;
        plan->states[s].stream = (uint32_t)compile->model->states[s].i_stream;
        compile_axes(compile, s);
        if (compile->status == PK_OK)
            compile_others(compile, s);
    }
}

/* Whether a transition's hazard differs by an attribute. */
static bool enters(const struct pk_model *model, const struct pk_transition *transition, size_t i_attribute)
{
    bool found = !transition->deterministic && pk_compile_table_enters(model, &transition->hazard, i_attribute);
    for (size_t r = 0; r < transition->n_ratios; r++)
        found |= transition->ratios[r].i_attribute == i_attribute;
    return found;
}

/* Whether what a service does differs by an attribute. */
static bool enters_effect(const struct pk_model *model, size_t i_attribute)
{
    bool found = false;
    for (size_t i = 0; i < model->n_services; i++)
        for (size_t k = 0; k < model->services[i].n_effects; k++)
            for (size_t r = 0; r < model->services[i].effects[k].n_ratios; r++)
                found |= model->services[i].effects[k].ratios[r].i_attribute == i_attribute;
    return found;
}

/* The attributes that enter a hazard, crossed. */
static void compile_strata(struct pk_compile *compile)
{
    struct pk_plan *plan = compile->plan;
    const struct pk_model *model = compile->model;
    size_t *strides = pk_compile_alloc(compile, model->n_attributes, sizeof *strides);
    if (strides == NULL)
        return;
    plan->n_strata = 1;
    for (size_t i = 0; i < model->n_attributes; i++) {
        bool any = false;
        for (size_t t = 0; t < model->n_transitions; t++)
            any |= enters(model, &model->transitions[t], i);
        any |= enters_effect(model, i);
        strides[i] = any ? plan->n_strata : 0;
        plan->n_strata *= any ? model->attributes[i].n_values : 1;
        if (plan->n_strata > PK_MAX_STRATA) {
            compile->status = pk_error_set(compile->error, PK_BAD_INPUT,
                                           "the attributes that enter hazards make more than %d strata", PK_MAX_STRATA);
            return;
        }
    }
    plan->stratum_strides = strides;
}

double pk_compile_ratios(struct pk_compile *compile, const struct pk_ratio *ratios, size_t n, size_t stratum)
{
    double product = 1;
    for (size_t r = 0; r < n; r++) {
        const size_t i = ratios[r].i_attribute,
                     value = stratum / compile->plan->stratum_strides[i] % compile->model->attributes[i].n_values;
        if (value == ratios[r].i_value)
            product *= pk_compile_used(compile, ratios[r].i_parameter);
    }
    return product;
}

/* Proportional hazards by stratum. */
static void compile_multipliers(struct pk_compile *compile)
{
    struct pk_plan *plan = compile->plan;
    const struct pk_model *model = compile->model;
    plan->multipliers = pk_compile_alloc(compile, plan->n_strata * plan->n_arcs, sizeof *plan->multipliers);
    double *of_persons = pk_compile_alloc(compile, plan->n_strata * plan->n_person_hazards, sizeof *of_persons);
    if (compile->status != PK_OK)
        return;
    for (size_t z = 0; z < plan->n_strata; z++)
        for (size_t a = 0; a < plan->n_arcs; a++) {
            const struct pk_transition *transition = &model->transitions[plan->arcs[a].i_transition];
            double multiplier = plan->arcs[a].hazardless ? 0 : 1;
            multiplier *= pk_compile_ratios(compile, transition->ratios, transition->n_ratios, z);
            plan->multipliers[z * plan->n_arcs + a] = multiplier;
            if (plan->arcs[a].i_person_hazard != SIZE_MAX)
                of_persons[plan->arcs[a].i_person_hazard * plan->n_strata + z] = multiplier;
        }
    for (size_t i = 0; i < plan->n_person_hazards; i++)
        plan->person_hazards[i].multipliers = of_persons + i * plan->n_strata;
}

/* Running sums of the hazards on an axis by stratum, while they fit the processor's cache. */
static void compile_sums(struct pk_compile *compile)
{
    enum { MOST = 1 << 16 };
    struct pk_plan *plan = compile->plan;
    for (size_t s = 0; s < plan->n_states; s++) {
        struct pk_plan_state *state = &plan->states[s];
        state->summed = state->n_smooth == 0 && !state->personal;
        for (size_t a = 0; a < state->n_axes; a++) {
            struct pk_axis *axis = &state->axes[a];
            size_t n_segments = axis->n_cuts + 1, n = plan->n_strata * n_segments * axis->n_arcs;
            state->summed &= n <= MOST;
            if (n > MOST)
                continue;
            double *sums = pk_compile_alloc(compile, n, sizeof *sums), *into = sums;
            if (sums == NULL)
                return;
            for (size_t z = 0; z < plan->n_strata; z++)
                for (size_t i = 0; i < n_segments; i++) {
                    const double *levels = axis->levels + ((axis->by_stratum ? z * n_segments : 0) + i) * axis->n_arcs;
                    double sum = 0;
                    for (size_t k = 0; k < axis->n_arcs; k++) {
                        sum += levels[k] * plan->multipliers[z * plan->n_arcs + axis->arcs[k]];
                        *into++ = sum;
                    }
                }
            axis->sums = sums;
        }
    }
}

enum pk_status pk_plan_compile(struct pk_plan *plan, const struct pk_model *model, const struct pk_scenario *scenario,
                               const struct pk_values *values, struct pk_error *error)
{
    pk_plan_free(plan);
    struct pk_compile compile = {
        .plan = plan, .model = model, .scenario = scenario, .values = values, .status = PK_OK, .error = error};
    plan->seed = scenario->seed;
    plan->horizon = scenario->horizon_months;
    plan->start_months = scenario->start_months;
    plan->n_states = model->n_states;
    plan->widely_read = pk_compile_alloc(&compile, model->n_parameters, sizeof *plan->widely_read);
    static void (*const stages[])(struct pk_compile *) = {
        compile_strata,      pk_compile_differences, compile_arcs,        pk_compile_diverted, compile_states,
        compile_multipliers, compile_sums,           pk_compile_services, pk_compile_people};
    for (size_t i = 0; i < sizeof stages / sizeof *stages && compile.status == PK_OK; i++)
        stages[i](&compile);
    if (compile.status != PK_OK)
        pk_plan_free(plan);
    return compile.status;
}

enum pk_status pk_plan_recompile(struct pk_plan *plan, const struct pk_model *model, const struct pk_scenario *scenario,
                                 const struct pk_values *values, size_t i_parameter, struct pk_error *error)
{
    struct pk_compile compile = {
        .plan = plan, .model = model, .scenario = scenario, .values = values, .status = PK_OK, .error = error};
    if (plan->widely_read == NULL || plan->widely_read[i_parameter])
        return pk_plan_compile(plan, model, scenario, values, error);
    pk_compile_own_hazards(&compile);
    return compile.status;
}
