/* The bridge of a scenario: a walk from other assumptions to its own. See load.h.
 *
 * What cannot be meant is refused: the bridge must end at the scenario as it stands, and every step must change
 * something on the way. */
#include <stdio.h>
#include <string.h>

#include "load_private.h"

/* What is read, with the places that messages point to. */
struct walk {
    struct pk_bridge *bridge;
    struct pk_reader start_set, step_sets[PK_MAX_BRIDGE_STEPS]; /* valid where there are sets */
    bool whole;                                                 /* all values can be told */
};

static bool read_sets(struct pk_load *load, const struct pk_reader *r, struct pk_set **sets, size_t *n_sets)
{
    *sets = pk_load_alloc(load, PK_MAX_SETS, sizeof **sets);
    if (*sets == NULL)
        return false;
    *n_sets = pk_load_sets(load, r, *sets);
    return pk_reader_is(r, PK_YAML_MAPPING) && *n_sets == pk_reader_count(r);
}

static bool read_arm(struct pk_load *load, const struct pk_reader *r, size_t *i_arm)
{
    const char *names[PK_MAX_ARMS];
    for (size_t i = 0; i < load->scenario->n_arms; i++)
        names[i] = load->scenario->arms[i].name;
    return pk_reader_choice(r, names, load->scenario->n_arms, i_arm, "an arm");
}

static bool read_outcome(struct pk_load *load, const struct pk_reader *r, size_t *i_outcome)
{
    const char **names = pk_load_alloc(load, load->scenario->n_outcomes, sizeof *names);
    for (size_t i = 0; names != NULL && i < load->scenario->n_outcomes; i++)
        names[i] = load->scenario->outcomes[i].name;
    return names != NULL && pk_reader_choice(r, names, load->scenario->n_outcomes, i_outcome, "an outcome");
}

static void read_against(struct pk_load *load, const struct pk_reader *r, struct walk *walk,
                         struct pk_bridge_step *step)
{
    struct pk_bridge *bridge = walk->bridge;
    size_t i_arm;
    for (const struct pk_bridge_step *other = bridge->steps; other < step; other++)
        if (other->i_against != SIZE_MAX)
            pk_reader_problem(r, NULL, "is the second arm to compare with; the step %s has one already", other->name);
    if (!read_arm(load, r, &i_arm))
        return;
    if (i_arm == bridge->i_arm)
        pk_reader_problem(r, NULL, "is the arm of the bridge itself, whose difference is 0");
    step->i_against = i_arm;
}

static void read_step(struct pk_load *load, const struct pk_reader *r, struct walk *walk, size_t i_step)
{
    static const char *const keys[] = {"label", "set", "against", NULL};
    struct pk_bridge_step *step = &walk->bridge->steps[i_step];
    struct pk_reader child;
    step->i_against = SIZE_MAX;
    if (!pk_reader_allow(r, keys)) {
        walk->whole = false;
        return;
    }
    pk_load_label(load, r, step->name, &step->label);
    const bool sets = pk_reader_find(r, "set", &walk->step_sets[i_step]);
    if (sets)
        walk->whole &= read_sets(load, &walk->step_sets[i_step], &step->sets, &step->n_sets);
    if (pk_reader_find(r, "against", &child))
        read_against(load, &child, walk, step);
    else if (!sets || (walk->whole && step->n_sets == 0))
        pk_reader_problem(r, NULL, "changes nothing; a step has set, against or both");
}

static void read_steps(struct pk_load *load, const struct pk_reader *r, struct walk *walk)
{
    struct pk_bridge *bridge = walk->bridge;
    const size_t n = pk_reader_count(r);
    walk->whole &= pk_reader_expect(r, PK_YAML_MAPPING, "a mapping of steps by name");
    if (!pk_reader_is(r, PK_YAML_MAPPING))
        return;
    if (n == 0 || n > PK_MAX_BRIDGE_STEPS) {
        pk_reader_problem(r, NULL, "has %zu steps, expected from 1 to %d", n, PK_MAX_BRIDGE_STEPS);
        walk->whole = false;
        return;
    }
    bridge->steps = pk_load_alloc(load, n, sizeof *bridge->steps);
    for (size_t i = 0; i < n && bridge->steps != NULL; i++) {
        struct pk_reader item = pk_reader_item(r, i);
        const char *name;
        if (!pk_reader_key_name(r, i, &name)) {
            walk->whole = false;
            name = "step";
        } else if (strcmp(name, "start") == 0) {
            pk_reader_problem(&item, NULL, "is a step called start, which is what steps begin from");
        }
        bridge->steps[i].name = pk_arena_text(load->arena, name);
        load->no_memory |= bridge->steps[i].name == NULL;
        bridge->n_steps++;
        if (load->no_memory)
            return;
        read_step(load, &item, walk, i);
    }
}

/* ---- what the steps add up to ------------------------------------------------------------------------------- */

static bool same(double a, double b)
{
    return !(a < b) && !(a > b);
}

/* The last step that sets a parameter; SIZE_MAX: none. */
static size_t last_step(const struct pk_bridge *bridge, const char *parameter)
{
    size_t i_last = SIZE_MAX;
    for (size_t i = 0; i < bridge->n_steps; i++)
        for (size_t k = 0; k < bridge->steps[i].n_sets; k++)
            if (strcmp(bridge->steps[i].sets[k].parameter, parameter) == 0)
                i_last = i;
    return i_last;
}

/* Sets all; true where a value became another. They were set before, when they were read. */
static bool apply(struct pk_load *load, struct pk_values *values, const struct pk_set *sets, size_t n_sets)
{
    bool changed = false;
    struct pk_error error;
    for (size_t i = 0; i < n_sets; i++) {
        const size_t i_parameter = pk_model_parameter(load->model, sets[i].parameter);
        const double before = values->given[i_parameter];
        if (pk_values_set(values, load->model, sets[i].parameter, sets[i].to, &error) != PK_OK)
            continue;
        changed |= !same(before, values->given[i_parameter]);
    }
    return changed;
}

static void refuse_end(const struct walk *walk, size_t i_step, const char *parameter, double end, double own)
{
    struct pk_reader place;
    char told[2][40];
    for (int digits = 10; digits <= 17; digits += 7) {
        snprintf(told[0], sizeof told[0], "%.*g", digits, end);
        snprintf(told[1], sizeof told[1], "%.*g", digits, own);
        if (strcmp(told[0], told[1]) != 0)
            break;
    }
    if (pk_reader_find(&walk->step_sets[i_step], parameter, &place))
        pk_reader_problem(&place, NULL,
                          "ends at %s, but the scenario has %s: with all steps on, the bridge must be the "
                          "scenario",
                          told[0], told[1]);
}

static void check_end(struct pk_load *load, const struct walk *walk, const struct pk_values *own,
                      const struct pk_values *end)
{
    const struct pk_bridge *bridge = walk->bridge;
    for (size_t i = 0; i < load->model->n_parameters; i++) {
        const char *name = load->model->parameters[i].name;
        const size_t i_last = last_step(bridge, name);
        if (i_last != SIZE_MAX && !same(own->given[i], end->given[i]))
            refuse_end(walk, i_last, name, end->given[i], own->given[i]);
    }
    for (size_t k = 0; k < bridge->n_start_sets; k++) {
        struct pk_reader place;
        if (last_step(bridge, bridge->start_sets[k].parameter) == SIZE_MAX &&
            pk_reader_find(&walk->start_set, bridge->start_sets[k].parameter, &place))
            pk_reader_problem(&place, NULL, "is set by no step, so that the bridge cannot end at the scenario");
    }
}

static void check_walk(struct pk_load *load, const struct pk_reader *steps, const struct walk *walk)
{
    const struct pk_bridge *bridge = walk->bridge;
    struct pk_values own = {0}, at = {0};
    struct pk_error error;
    if (pk_values_init(&own, load->model, &error) != PK_OK || pk_values_init(&at, load->model, &error) != PK_OK) {
        load->no_memory = true;
    } else {
        (void)apply(load, &own, load->scenario->sets, load->scenario->n_sets);
        (void)apply(load, &at, load->scenario->sets, load->scenario->n_sets);
        (void)apply(load, &at, bridge->start_sets, bridge->n_start_sets);
        for (size_t i = 0; i < bridge->n_steps; i++) {
            const struct pk_bridge_step *step = &bridge->steps[i];
            const bool changed = apply(load, &at, step->sets, step->n_sets);
            if (!changed && step->n_sets > 0 && step->i_against == SIZE_MAX) {
                struct pk_reader item = pk_reader_item(steps, i);
                pk_reader_problem(&item, NULL, "changes nothing: the values are what they are before it");
            }
        }
        check_end(load, walk, &own, &at);
    }
    pk_values_free(&own);
    pk_values_free(&at);
}

void pk_load_bridge(struct pk_load *load, const struct pk_reader *root)
{
    static const char *const keys[] = {"outcome", "arm", "start", "steps", NULL};
    static const char *const of_start[] = {"label", "set", NULL};
    struct pk_reader r, child, steps;
    struct walk walk = {.bridge = &load->scenario->bridge, .whole = true};
    if (!pk_reader_find(root, "bridge", &r) || !pk_reader_allow(&r, keys))
        return;
    walk.bridge->i_arm = SIZE_MAX;
    if (pk_reader_need(&r, "outcome", &child))
        (void)read_outcome(load, &child, &walk.bridge->i_outcome);
    if (pk_reader_need(&r, "arm", &child))
        (void)read_arm(load, &child, &walk.bridge->i_arm);
    if (pk_reader_need(&r, "start", &child) && pk_reader_allow(&child, of_start)) {
        pk_load_label(load, &child, "start", &walk.bridge->start_label);
        if (pk_reader_find(&child, "set", &walk.start_set))
            walk.whole &= read_sets(load, &walk.start_set, &walk.bridge->start_sets, &walk.bridge->n_start_sets);
    } else {
        walk.whole = false;
    }
    if (!pk_reader_need(&r, "steps", &steps))
        return;
    read_steps(load, &steps, &walk);
    if (pk_reader_find(root, "variants", &child) && pk_reader_find(&child, "bridge", &child))
        pk_reader_problem(&child, NULL, "is a topic called bridge, as the runs of the bridge are");
    if (walk.whole && !load->no_memory)
        check_walk(load, &steps, &walk);
}
