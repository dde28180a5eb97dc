/* Reading the arms of a scenario: who is enrolled in what, what else differs. See load.h. */
#include <string.h>

#include "load_private.h"

/* states, among, age: a conjunction */
static void read_target(struct pk_load *load, const struct pk_reader *r, struct pk_target *target)
{
    const struct pk_model *model = load->model;
    struct pk_reader child;
    if (pk_reader_find(r, "among", &child))
        (void)pk_load_among(load, &child, "could be enrolled", target->values);
    if (pk_reader_find(r, "states", &child))
        (void)pk_load_states(load, &child, target->states);
    else
        for (size_t s = 0; s < model->n_states; s++)
            target->states[s] = !model->states[s].absorbing;
    if (pk_reader_find(r, "age", &child) && pk_reader_expect(&child, PK_YAML_SEQUENCE, "[from, below] in years")) {
        struct pk_reader low = pk_reader_item(&child, 0), high = pk_reader_item(&child, 1);
        if (pk_reader_count(&child) != 2)
            pk_reader_problem(&child, NULL, "has %zu numbers, expected [from, below] in years",
                              pk_reader_count(&child));
        else if (!pk_load_has_age(load))
            pk_reader_problem(&child, NULL, "needs people with an age; the population has none");
        else if (pk_reader_double_in(&low, 0, 120, &target->age_low) &&
                 pk_reader_double_in(&high, 0, 120, &target->age_high) && target->age_high <= target->age_low)
            pk_reader_problem(&child, NULL, "is empty: %g is not below %g", target->age_low, target->age_high);
    }
}

/* at: a duration after the start; entry; or {after_entry: a duration} */
static void read_at(struct pk_load *load, const struct pk_reader *r, bool has_persons, struct pk_enrolment *enrolment)
{
    static const char *const keys[] = {"after_entry", NULL};
    struct pk_reader child;
    enrolment->at_entry = true;
    if (pk_reader_is(r, PK_YAML_SCALAR) && strcmp(r->node->text, "entry") == 0) {
        enrolment->at_months = 0;
    } else if (pk_reader_find(r, "after_entry", &child)) {
        if (pk_reader_allow(r, keys))
            (void)pk_reader_duration_months(&child, &enrolment->at_months);
    } else {
        enrolment->at_entry = false;
        if (!pk_reader_is(r, PK_YAML_MAPPING))
            (void)pk_reader_mismatch(r, "a duration such as {months: 6}, entry or {after_entry: {months: 6}}", NULL);
        else
            (void)pk_reader_duration_months(r, &enrolment->at_months);
    }
    const double horizon = load->scenario->horizon_months;
    if (horizon > 0 && enrolment->at_months >= horizon)
        pk_reader_problem(r, NULL, "is %g months, not before the horizon of %g", enrolment->at_months, horizon);
    if (enrolment->at_entry && has_persons)
        pk_reader_problem(r, "say share instead of persons",
                          "enrols those who flow in too, of whom so many persons cannot be chosen in advance");
    if (enrolment->at_entry && !load->scenario->population.inflow.any)
        pk_reader_warning(r, "nobody flows in: everyone's entry is the start");
}

/* rate: a hazard of being referred; from, to: when */
static void read_rate(struct pk_load *load, const struct pk_reader *r, const struct pk_reader *rate,
                      struct pk_enrolment *enrolment)
{
    struct pk_reader child;
    const unsigned units = PK_UNITS(PK_UNIT_PER_YEAR) | PK_UNITS(PK_UNIT_RATIO) | PK_UNITS(PK_UNIT_SHARE);
    if (pk_load_product(load, rate, units, &enrolment->rate))
        pk_load_check_product(load, rate, &enrolment->rate, 1);
    if (enrolment->rate.on_clock && enrolment->rate.clock == PK_CLOCK_ENROLMENT)
        pk_reader_problem(rate, NULL, "runs on since_enrolment, before anybody is enrolled");
    for (size_t i = 0; i < enrolment->rate.n_factors; i++)
        if (load->model->parameters[enrolment->rate.i_factors[i]].n_by > 0)
            pk_reader_problem(rate, "give each group an enrolment of its own", "is a table told by attribute");
    enrolment->to_months = (double)__builtin_inf();
    if (pk_reader_find(r, "from", &child))
        (void)pk_reader_duration_months(&child, &enrolment->from_months);
    const double horizon = load->scenario->horizon_months;
    if (horizon > 0 && enrolment->from_months >= horizon)
        pk_reader_problem(&child, NULL, "is %g months, not before the horizon of %g", enrolment->from_months, horizon);
    if (pk_reader_find(r, "to", &child) && pk_reader_duration_months(&child, &enrolment->to_months) &&
        !(enrolment->to_months > enrolment->from_months))
        pk_reader_problem(&child, NULL, "is not after `from`, so nobody would be referred");
}

static void read_enrolment(struct pk_load *load, const struct pk_reader *r, struct pk_enrolment *enrolment)
{
    static const char *const keys[] = {"service", "persons", "share", "quota",  "rate", "at",
                                       "from",    "to",      "among", "states", "age",  NULL};
    const struct pk_model *model = load->model;
    struct pk_target *target = &enrolment->target;
    struct pk_reader child, share, quota, rate;
    target->states = pk_load_alloc(load, model->n_states, sizeof(bool));
    target->values = pk_load_all_values(load);
    target->age_high = (double)__builtin_inf();
    enrolment->persons.i_parameter = SIZE_MAX;
    if (load->no_memory || !pk_reader_allow(r, keys))
        return;
    if (pk_reader_need(r, "service", &child))
        enrolment->queued = pk_load_service(load, &child, &enrolment->i_service) &&
                            model->services[enrolment->i_service].places.limited;
    bool has_persons = pk_reader_find(r, "persons", &child);
    enrolment->by_share = pk_reader_find(r, "share", &share);
    enrolment->quota = pk_reader_find(r, "quota", &quota);
    enrolment->by_rate = pk_reader_find(r, "rate", &rate);
    const int n_ways = has_persons + enrolment->by_share + enrolment->quota + enrolment->by_rate;
    if (n_ways != 1)
        pk_reader_problem(r, NULL, "has %s of persons, share, quota and rate, expected one of them",
                          n_ways > 1 ? "several" : "none");
    else if (enrolment->by_rate && (enrolment->queued = true))
        read_rate(load, r, &rate, enrolment);
    else if (has_persons)
        (void)pk_load_number(load, &child, PK_UNITS(PK_UNIT_PERSONS), 0, 1e12, &enrolment->persons);
    else
        (void)pk_load_number(load, enrolment->quota ? &quota : &share,
                             PK_UNITS(PK_UNIT_SHARE) | PK_UNITS(PK_UNIT_PROBABILITY), 0, 1, &enrolment->persons);
    if (!enrolment->by_rate && (pk_reader_find(r, "from", &child) || pk_reader_find(r, "to", &child)))
        pk_reader_problem(&child, "say at", "is for an enrolment by rate");
    if (pk_reader_find(r, "at", &child) && enrolment->by_rate)
        pk_reader_problem(&child, "say from and to", "is for an enrolment of persons or a share");
    else if (pk_reader_find(r, "at", &child))
        read_at(load, &child, (has_persons || enrolment->quota) && !enrolment->by_share, enrolment);
    read_target(load, r, target);
}

/* prices: {REWARD: a number or ratio} */
static void read_prices(struct pk_load *load, const struct pk_reader *r, struct pk_arm *arm)
{
    const struct pk_model *model = load->model;
    const char **names = pk_load_alloc(load, model->n_rewards, sizeof *names);
    arm->price_ratios = pk_load_alloc(load, model->n_rewards, sizeof *arm->price_ratios);
    if (load->no_memory || !pk_reader_expect(r, PK_YAML_MAPPING, "a mapping of rewards to ratios"))
        return;
    for (size_t i = 0; i < model->n_rewards; i++) {
        names[i] = model->rewards[i].name;
        arm->price_ratios[i] = (struct pk_number){.literal = 1, .i_parameter = SIZE_MAX};
    }
    for (size_t i = 0; i < pk_reader_count(r); i++) {
        struct pk_reader item = pk_reader_item(r, i);
        size_t k;
        if (pk_load_key(load, r, i, names, model->n_rewards, "a reward", &k))
            (void)pk_load_number(load, &item, PK_UNITS(PK_UNIT_RATIO) | PK_UNITS(PK_UNIT_SHARE), -1e6, 1e6,
                                 &arm->price_ratios[k]);
    }
}

static void read_start(struct pk_load *load, const struct pk_reader *r, struct pk_arm *arm)
{
    size_t n = load->model->n_states;
    arm->state_shares = pk_load_alloc(load, n, sizeof *arm->state_shares);
    for (size_t i = 0; i < n && arm->state_shares != NULL; i++)
        arm->state_shares[i] = (struct pk_number){.i_parameter = SIZE_MAX};
    if (arm->state_shares != NULL)
        pk_load_shares(load, r, pk_load_state_names(load), n, "a state", arm->state_shares);
}

/* like: an arm above, whose enrolments and start these are too */
static void read_like(struct pk_load *load, const struct pk_reader *r, struct pk_arm *arm)
{
    const struct pk_scenario *scenario = load->scenario;
    const char *name;
    if (!pk_reader_name(r, &name))
        return;
    for (size_t i = 0; &scenario->arms[i] != arm; i++)
        if (strcmp(scenario->arms[i].name, name) == 0)
            arm->i_like = i;
    if (arm->i_like == SIZE_MAX) {
        pk_reader_problem(r, NULL, "names no arm above this one");
        return;
    }
    const struct pk_arm *other = &scenario->arms[arm->i_like];
    arm->displaces = other->displaces;
    arm->displaced_share = other->displaced_share;
    arm->i_displaced = other->i_displaced;
    arm->i_displaced_by = other->i_displaced_by;
    memcpy(arm->enrolments, other->enrolments, sizeof arm->enrolments);
    arm->n_enrolments = other->n_enrolments;
    arm->state_shares = other->state_shares;
}

/* displacement: {share: P, transition: T, by: A} */
static void read_displacement(struct pk_load *load, const struct pk_reader *r, struct pk_arm *arm)
{
    static const char *const keys[] = {"share", "transition", "by", NULL};
    struct pk_reader child;
    arm->displaces = true;
    arm->i_displaced_by = SIZE_MAX;
    arm->displaced_share = (struct pk_number){.i_parameter = SIZE_MAX};
    if (!pk_reader_allow(r, keys))
        return;
    if (pk_reader_need(r, "share", &child))
        (void)pk_load_number(load, &child, PK_UNITS(PK_UNIT_SHARE) | PK_UNITS(PK_UNIT_PROBABILITY), 0, 1,
                             &arm->displaced_share);
    if (pk_reader_need(r, "transition", &child) && pk_load_transition(load, &child, &arm->i_displaced)) {
        const struct pk_transition *transition = &load->model->transitions[arm->i_displaced];
        if (transition->deterministic || transition->by_service || pk_model_is_person_level(load->model, transition))
            pk_reader_problem(&child, NULL, "is no transition with a hazard of its own, which a service could raise");
    }
    if (pk_reader_find(r, "by", &child))
        (void)pk_load_attribute(load, &child, &arm->i_displaced_by);
}

/* places: ample, or a ratio of the model's */
static void read_arm_places(struct pk_load *load, const struct pk_reader *r, struct pk_arm *arm)
{
    arm->changes_places = true;
    arm->places_ratio = (struct pk_number){.literal = 1, .i_parameter = SIZE_MAX};
    arm->ample = pk_reader_is(r, PK_YAML_SCALAR) && strcmp(r->node->text, "ample") == 0;
    if (!arm->ample)
        (void)pk_load_number(load, r, PK_UNITS(PK_UNIT_RATIO) | PK_UNITS(PK_UNIT_SHARE), 0, 1e6, &arm->places_ratio);
}

static void read_arm(struct pk_load *load, const struct pk_reader *r, struct pk_arm *arm)
{
    static const char *const keys[] = {"label",  "note",  "assumes", "enrol",        "like",
                                       "places", "start", "prices",  "displacement", NULL};
    struct pk_reader child;
    const char *text;
    pk_load_label(load, r, arm->name, &arm->label);
    arm->i_like = SIZE_MAX;
    if (pk_reader_is_empty(r) || !pk_reader_allow(r, keys))
        return;
    if (pk_reader_find(r, "like", &child))
        read_like(load, &child, arm);
    if (pk_reader_find(r, "places", &child))
        read_arm_places(load, &child, arm);
    if (pk_reader_find(r, "displacement", &child))
        read_displacement(load, &child, arm);
    if (pk_reader_find(r, "note", &child) && pk_reader_text(&child, &text))
        load->no_memory |= (arm->note = pk_arena_text(load->arena, text)) == NULL;
    if (pk_reader_find(r, "assumes", &child))
        pk_load_parameter_list(load, &child, &arm->i_assumes, &arm->n_assumes);
    if (pk_reader_find(r, "start", &child))
        read_start(load, &child, arm);
    if (pk_reader_find(r, "prices", &child))
        read_prices(load, &child, arm);
    if (arm->i_like != SIZE_MAX && pk_reader_find(r, "enrol", &child)) {
        pk_reader_problem(&child, NULL, "is given, and the enrolments are those of the arm %s",
                          load->scenario->arms[arm->i_like].name);
        return;
    }
    if (!pk_reader_find(r, "enrol", &child) || !pk_reader_expect(&child, PK_YAML_SEQUENCE, "a list of enrolments"))
        return;
    if (pk_reader_count(&child) > PK_MAX_ENROLMENTS) {
        pk_reader_problem(&child, NULL, "has %zu enrolments, at most %d are allowed", pk_reader_count(&child),
                          PK_MAX_ENROLMENTS);
        return;
    }
    for (size_t k = 0; k < pk_reader_count(&child); k++) {
        struct pk_reader enrolment = pk_reader_item(&child, k);
        read_enrolment(load, &enrolment, &arm->enrolments[arm->n_enrolments++]);
    }
}

void pk_load_arms(struct pk_load *load, const struct pk_reader *root)
{
    struct pk_scenario *scenario = load->scenario;
    struct pk_reader r;
    if (!pk_reader_need(root, "arms", &r) || !pk_reader_expect(&r, PK_YAML_MAPPING, "a mapping of arms by name"))
        return;
    size_t n = pk_reader_count(&r);
    if (n == 0 || n > PK_MAX_ARMS) {
        pk_reader_problem(&r, NULL, "has %zu arms, expected 1 to %d", n, PK_MAX_ARMS);
        return;
    }
    scenario->arms = pk_load_alloc(load, n, sizeof *scenario->arms);
    for (size_t i = 0; i < n && scenario->arms != NULL; i++) {
        struct pk_reader item = pk_reader_item(&r, i);
        const char *name;
        if (!pk_reader_key_name(&r, i, &name))
            continue;
        struct pk_arm *arm = &scenario->arms[scenario->n_arms++];
        arm->name = pk_arena_text(load->arena, name);
        load->no_memory |= arm->name == NULL;
        if (load->no_memory)
            return;
        read_arm(load, &item, arm);
    }
}
