/* Reading the people of a scenario: those at the start, and those who flow in. See load.h. */
#include <stdio.h>
#include <string.h>

#include "load_private.h"

static struct pk_number *no_shares(struct pk_load *load, size_t n)
{
    struct pk_number *shares = pk_load_alloc(load, n, sizeof *shares);
    for (size_t i = 0; shares != NULL && i < n; i++)
        shares[i] = (struct pk_number){.literal = n == 1, .i_parameter = SIZE_MAX};
    return shares;
}

static bool needs_age(const struct pk_model *model)
{
    bool needed = false;
    for (size_t t = 0; t < model->n_transitions; t++) {
        const struct pk_transition *transition = &model->transitions[t];
        needed |= transition->deterministic ? transition->at_clock == PK_CLOCK_AGE
                                            : transition->hazard.on_clock && transition->hazard.clock == PK_CLOCK_AGE;
    }
    for (size_t i = 0; i < model->n_services; i++)
        for (size_t k = 0; k < model->services[i].n_effects; k++)
            needed |= model->services[i].effects[k].hazard.on_clock &&
                      model->services[i].effects[k].hazard.clock == PK_CLOCK_AGE;
    return needed;
}

static struct pk_distribution *no_time(struct pk_load *load)
{
    struct pk_distribution *elapsed = pk_load_alloc(load, load->model->n_states, sizeof *elapsed);
    for (size_t s = 0; s < load->model->n_states && elapsed != NULL; s++)
        for (size_t i = 0; i < 4; i++)
            elapsed[s].arguments[i].i_parameter = SIZE_MAX;
    return elapsed;
}

static void mark_joints(struct pk_origin *origin)
{
    for (size_t j = 0; j < origin->n_joints; j++)
        for (size_t k = 0; k < origin->joints[j].n_attributes; k++)
            origin->in_joint[origin->joints[j].i_attributes[k]] = true;
}

/* An origin with nothing in it but the model's joint tables, or a copy of another's whose parts can be replaced. */
static void begin(struct pk_load *load, const struct pk_origin *copied, struct pk_origin *origin)
{
    const struct pk_model *model = load->model;
    if (copied != NULL)
        *origin = *copied;
    struct pk_number **value_shares = pk_load_alloc(load, model->n_attributes, sizeof *value_shares);
    bool *in_joint = pk_load_alloc(load, model->n_attributes, sizeof *in_joint);
    for (size_t i = 0; i < model->n_attributes && !load->no_memory; i++) {
        value_shares[i] = copied != NULL ? copied->value_shares[i] : no_shares(load, model->attributes[i].n_values);
        in_joint[i] = copied != NULL && copied->in_joint[i];
    }
    origin->value_shares = value_shares;
    origin->in_joint = in_joint;
    if (copied != NULL)
        return;
    memcpy(origin->joints, model->joints, sizeof origin->joints);
    origin->n_joints = model->n_joints;
    if (!load->no_memory)
        mark_joints(origin);
    origin->state_shares = no_shares(load, model->n_states);
    origin->elapsed = no_time(load);
    for (size_t i = 0; i < 4; i++)
        origin->age.arguments[i].i_parameter = SIZE_MAX;
}

/* The one of n joint tables that has an attribute; NULL: none. */
static const struct pk_joint *find_joint(const struct pk_joint *joints, size_t n, size_t i_attribute)
{
    for (size_t j = 0; j < n; j++)
        for (size_t d = 0; d < joints[j].n_attributes; d++)
            if (joints[j].i_attributes[d] == i_attribute)
                return &joints[j];
    return NULL;
}

static const struct pk_joint *joint_of(const struct pk_origin *origin, size_t i_attribute)
{
    return find_joint(origin->joints, origin->n_joints, i_attribute);
}

/* The scenario says how people are spread over this attribute: the model's table that has it is left out whole. */
static void leave_out(struct pk_origin *origin, size_t i_attribute)
{
    const struct pk_joint *out = joint_of(origin, i_attribute);
    if (out == NULL || !out->of_model)
        return;
    const size_t j = (size_t)(out - origin->joints);
    for (size_t k = 0; k < out->n_attributes; k++)
        origin->in_joint[out->i_attributes[k]] = false;
    origin->n_joints--;
    memmove(&origin->joints[j], &origin->joints[j + 1], (origin->n_joints - j) * sizeof *origin->joints);
}

/* joint: in the place of the population's, where that is inherited, and of what the model says of the same. */
static void read_joints(struct pk_load *load, const struct pk_reader *r, struct pk_origin *origin)
{
    const size_t n_attributes = load->model->n_attributes;
    struct pk_joint joints[PK_MAX_JOINTS];
    size_t n = 0, n_of_model = 0;
    bool *in_joint = pk_load_alloc(load, n_attributes, sizeof *in_joint);
    if (in_joint == NULL)
        return;
    pk_load_joints(load, r, joints, &n, in_joint);
    for (size_t j = 0; j < origin->n_joints; j++)
        if (origin->joints[j].of_model)
            origin->joints[n_of_model++] = origin->joints[j];
    origin->n_joints = n_of_model;
    memset(origin->in_joint, 0, n_attributes * sizeof *origin->in_joint);
    mark_joints(origin);
    for (size_t i = 0; i < n_attributes; i++)
        if (in_joint[i]) {
            leave_out(origin, i);
            origin->in_joint[i] = true;
        }
    PK_ASSERT(origin->n_joints + n <= PK_MAX_JOINTS); /* of two attributes or more, all different */
    memcpy(&origin->joints[origin->n_joints], joints, n * sizeof *joints);
    origin->n_joints += n;
}

static void read_attribute_shares(struct pk_load *load, const struct pk_reader *r, struct pk_origin *origin,
                                  bool *known)
{
    const struct pk_model *model = load->model;
    const char *const *names = pk_load_attribute_names(load);
    if (!pk_reader_expect(r, PK_YAML_MAPPING, "a mapping of attributes to shares"))
        return;
    for (size_t i = 0; i < pk_reader_count(r); i++) {
        struct pk_reader item = pk_reader_item(r, i);
        size_t k;
        if (!pk_load_key(load, r, i, names, model->n_attributes, "an attribute", &k))
            continue;
        known[k] = true;
        origin->value_shares[k] = no_shares(load, model->attributes[k].n_values);
        if (origin->value_shares[k] == NULL)
            return;
        pk_load_shares(load, &item, model->attributes[k].values, model->attributes[k].n_values,
                       "a value of the attribute", origin->value_shares[k]);
        leave_out(origin, k);
        const struct pk_joint *joint = joint_of(origin, k);
        if (joint != NULL && !joint->fit)
            pk_reader_problem(&item, "fit: true scales the joint table to these shares",
                              "has shares here, and is drawn by a joint table");
    }
}

/* Nobody gives shares of the attribute: not the model either, once the scenario took the place of its table. */
static void tell_missing(const struct pk_load *load, const struct pk_reader *r, const struct pk_origin *origin,
                         const bool *known, size_t i_attribute)
{
    const struct pk_model *model = load->model;
    const struct pk_joint *joint = find_joint(model->joints, model->n_joints, i_attribute);
    char hint[160] = "";
    for (size_t k = 0; joint != NULL && k < joint->n_attributes; k++)
        if (known[joint->i_attributes[k]] || origin->in_joint[joint->i_attributes[k]])
            snprintf(hint, sizeof hint, "the model draws it together with %s, which has shares of its own here",
                     model->attributes[joint->i_attributes[k]].name);
    pk_reader_problem(r, hint[0] != '\0' ? hint : NULL, "gives no shares for the attribute %s",
                      model->attributes[i_attribute].name);
}

/* attributes and joint. inherited: what is not said is as in the population. */
static void read_attributes(struct pk_load *load, const struct pk_reader *r, bool inherited, struct pk_origin *origin)
{
    const struct pk_model *model = load->model;
    bool *known = pk_load_alloc(load, model->n_attributes, sizeof *known); /* has shares of its own */
    struct pk_reader child;
    if (load->no_memory)
        return;
    for (size_t i = 0; i < model->n_attributes; i++) {
        const struct pk_joint *joint = joint_of(origin, i);
        known[i] = inherited && (joint == NULL || joint->fit);
    }
    if (pk_reader_find(r, "joint", &child))
        read_joints(load, &child, origin);
    if (pk_reader_find(r, "attributes", &child))
        read_attribute_shares(load, &child, origin, known);
    for (size_t i = 0; i < model->n_attributes; i++) {
        const struct pk_joint *joint = joint_of(origin, i);
        bool drawn = joint != NULL ? !joint->fit : origin->in_joint[i]; /* also by a joint that has a problem */
        if (!known[i] && !drawn && model->attributes[i].n_values > 1)
            tell_missing(load, r, origin, known, i);
    }
}

/* state, age, attributes, joint and elapsed. inherited: what is not said is as in the population. */
static void read_origin(struct pk_load *load, const struct pk_reader *r, bool inherited, struct pk_origin *origin)
{
    const struct pk_model *model = load->model;
    const char *const *states = pk_load_state_names(load);
    struct pk_reader child;
    if (load->no_memory)
        return;
    if (inherited ? pk_reader_find(r, "state", &child) : pk_reader_need(r, "state", &child)) {
        origin->state_shares = no_shares(load, model->n_states);
        if (origin->state_shares != NULL)
            pk_load_shares(load, &child, states, model->n_states, "a state", origin->state_shares);
    }
    if (pk_reader_find(r, "age", &child)) {
        origin->has_age = true;
        pk_load_distribution(load, &child, 120, &origin->age);
    } else if (!origin->has_age && needs_age(model)) {
        pk_reader_problem(r, NULL, "has no age, which the model's hazards need");
    }
    read_attributes(load, r, inherited, origin);
    if (!pk_reader_find(r, "elapsed", &child) ||
        !pk_reader_expect(&child, PK_YAML_MAPPING, "a mapping of states to distributions"))
        return;
    origin->elapsed = no_time(load);
    for (size_t i = 0; i < pk_reader_count(&child) && origin->elapsed != NULL; i++) {
        struct pk_reader item = pk_reader_item(&child, i);
        size_t s;
        if (pk_load_key(load, &child, i, states, model->n_states, "a state", &s))
            pk_load_distribution(load, &item, 120, &origin->elapsed[s]);
    }
}

/* A number or a parameter, which may be a table by time. */
static void read_per_year(struct pk_load *load, const struct pk_reader *r, struct pk_number *per_year)
{
    const unsigned units = PK_UNITS(PK_UNIT_PERSONS_PER_YEAR) | PK_UNITS(PK_UNIT_PERSONS);
    size_t i = pk_reader_is(r, PK_YAML_SCALAR) ? pk_model_parameter(load->model, r->node->text) : SIZE_MAX;
    if (i == SIZE_MAX || load->model->parameters[i].n_values == 1) {
        (void)pk_load_number(load, r, units, 0, 1e9, per_year);
        return;
    }
    if (!pk_load_parameter(load, r, units, true, &i))
        return;
    const struct pk_parameter *table = &load->model->parameters[i];
    if (table->n_by > 0)
        pk_reader_problem(r, NULL, "%s is told by attributes; give the inflow attributes of its own", table->name);
    else if (table->clock != PK_CLOCK_CALENDAR && table->clock != PK_CLOCK_START)
        pk_reader_problem(r, NULL, "%s is a table on %s, expected calendar or since_start", table->name,
                          pk_clock_names[table->clock]);
    else
        *per_year = (struct pk_number){.i_parameter = i};
}

static void read_inflow(struct pk_load *load, const struct pk_reader *r, const struct pk_origin *copied,
                        struct pk_inflow *inflow)
{
    static const char *const keys[] = {"per_year",   "poisson", "until",   "state", "age",
                                       "attributes", "joint",   "elapsed", NULL};
    struct pk_reader child;
    inflow->until_months = (double)__builtin_inf();
    inflow->per_year.i_parameter = SIZE_MAX;
    begin(load, copied, &inflow->origin);
    if (load->no_memory || !pk_reader_allow(r, keys))
        return;
    inflow->any = true;
    if (pk_reader_need(r, "per_year", &child))
        read_per_year(load, &child, &inflow->per_year);
    if (pk_reader_find(r, "poisson", &child))
        (void)pk_reader_bool(&child, &inflow->poisson);
    if (pk_reader_find(r, "until", &child) && pk_reader_duration_months(&child, &inflow->until_months) &&
        inflow->until_months <= 0)
        pk_reader_problem(&child, NULL, "is 0, so nobody would flow in");
    read_origin(load, r, copied != NULL, &inflow->origin);
}

void pk_load_population(struct pk_load *load, const struct pk_reader *root)
{
    static const char *const drawn[] = {"size", "state", "age", "attributes", "joint", "elapsed", "inflow", NULL},
                             *const imported[] = {"people", "inflow", NULL};
    struct pk_population *population = &load->scenario->population;
    struct pk_reader r, child, inflow;
    begin(load, NULL, &population->origin);
    population->size.i_parameter = SIZE_MAX;
    population->inflow.per_year.i_parameter = SIZE_MAX;
    if (load->no_memory || !pk_reader_need(root, "population", &r))
        return;
    bool is_imported = pk_reader_find(&r, "people", &child);
    if (!pk_reader_allow(&r, is_imported ? imported : drawn))
        return;
    bool has_inflow = pk_reader_find(&r, "inflow", &inflow);
    if (is_imported) {
        pk_load_people(load, &child, needs_age(load->model), &population->people);
        population->size.literal = (double)population->people.n;
        population->origin.has_age = population->people.ages != NULL;
    } else {
        /* 2^32 ids a year are kept for those who flow in */
        if (pk_reader_need(&r, "size", &child))
            (void)pk_load_number(load, &child, PK_UNITS(PK_UNIT_PERSONS), has_inflow ? 0 : 1,
                                 has_inflow ? 4294967296.0 : 1e12, &population->size);
        read_origin(load, &r, false, &population->origin);
    }
    if (has_inflow)
        read_inflow(load, &inflow, is_imported ? NULL : &population->origin, &population->inflow);
}
