/* Reading the places of services: how many, for how long, who is next. See load.h. */
#include <math.h>
#include <string.h>

#include "load_private.h"

/* A parameter or a product of them, as a hazard of its own. */
static void read_hazard(struct pk_load *load, const struct pk_reader *r, struct pk_hazard *hazard)
{
    pk_load_hazard(load, r, hazard);
    for (size_t i = 0; i < hazard->n_factors; i++)
        if (load->model->parameters[hazard->i_factors[i]].n_by > 0)
            pk_reader_problem(r, NULL, "is a table told by attribute, which only a transition can have");
}

/* held: {length: P or {hazard: H}, while: STATES, support: {STATE: P}} */
static void read_held(struct pk_load *load, const struct pk_reader *r, struct pk_service *service)
{
    static const char *const keys[] = {"length", "while", "support", NULL}, *const of_length[] = {"hazard", NULL};
    const size_t n = load->model->n_states;
    struct pk_reader child, hazard;
    if (!pk_reader_allow(r, keys))
        return;
    if (pk_reader_find(r, "length", &child)) {
        service->random_length = pk_reader_is(&child, PK_YAML_MAPPING);
        if (!service->random_length)
            (void)pk_load_parameter(load, &child, PK_UNITS(PK_UNIT_YEARS), false, &service->i_length);
        else if (pk_reader_allow(&child, of_length) && pk_reader_need(&child, "hazard", &hazard))
            read_hazard(load, &hazard, &service->length);
    }
    if (pk_reader_find(r, "while", &child)) {
        service->held_in = pk_load_alloc(load, n, sizeof *service->held_in);
        if (service->held_in != NULL)
            (void)pk_load_states(load, &child, service->held_in);
    }
    if (!pk_reader_find(r, "support", &child) ||
        !pk_reader_expect(&child, PK_YAML_MAPPING, "a mapping of states to parameters"))
        return;
    if (service->held_in == NULL)
        pk_reader_problem(&child, NULL, "is for states outside `while`, which is not given: it is held anywhere");
    for (size_t i = 0; i < pk_reader_count(&child); i++) {
        struct pk_reader item = pk_reader_item(&child, i);
        size_t i_state;
        if (pk_load_key(load, &child, i, pk_load_state_names(load), n, "a state", &i_state) &&
            pk_load_parameter(load, &item, PK_UNITS(PK_UNIT_YEARS), false, &service->i_support[i_state]) &&
            service->held_in != NULL && service->held_in[i_state])
            pk_reader_problem(&item, NULL, "is in `while` too: the place is held there anyway");
    }
}

/* filled: at_once, once, {every: DURATION} or {anew: DURATION} */
static void read_filled(const struct pk_reader *r, struct pk_places *places)
{
    static const char *const names[] = {"at_once", "once"}, *const keys[] = {"every", "anew", NULL};
    struct pk_reader child;
    size_t i = 0;
    if (!pk_reader_is(r, PK_YAML_MAPPING)) {
        if (pk_reader_choice(r, names, 2, &i, "a way to fill places (or {every: ...}, {anew: ...})"))
            places->filled = i == 0 ? PK_FILLED_AT_ONCE : PK_FILLED_ONCE;
        return;
    }
    if (!pk_reader_allow(r, keys))
        return;
    const bool every = pk_reader_find(r, "every", &child);
    if (every == pk_reader_find(r, "anew", every ? &(struct pk_reader){0} : &child)) {
        pk_reader_problem(r, NULL, "needs one of every, anew");
        return;
    }
    places->filled = every ? PK_FILLED_EVERY : PK_FILLED_ANEW;
    if (pk_reader_duration_months(&child, &places->period_months) && !(places->period_months > 0))
        pk_reader_problem(&child, NULL, "is 0, expected a duration such as {months: 6}");
}

/* priority: {attribute: A, ahead: {VALUE: P}} */
static void read_priority(struct pk_load *load, const struct pk_reader *r, struct pk_places *places)
{
    static const char *const keys[] = {"attribute", "ahead", NULL};
    struct pk_reader child;
    size_t k;
    if (!pk_reader_allow(r, keys) || !pk_reader_need(r, "attribute", &child) ||
        !pk_load_attribute(load, &child, &places->i_priority))
        return;
    const struct pk_attribute *attribute = &load->model->attributes[places->i_priority];
    places->i_ahead = pk_load_alloc(load, attribute->n_values, sizeof *places->i_ahead);
    for (size_t v = 0; v < attribute->n_values && places->i_ahead != NULL; v++)
        places->i_ahead[v] = SIZE_MAX;
    if (places->i_ahead == NULL || !pk_reader_need(r, "ahead", &child) ||
        !pk_reader_expect(&child, PK_YAML_MAPPING, "a mapping of values to parameters"))
        return;
    for (size_t i = 0; i < pk_reader_count(&child); i++) {
        struct pk_reader item = pk_reader_item(&child, i);
        if (pk_load_key(load, &child, i, attribute->values, attribute->n_values, "a value of the attribute", &k))
            (void)pk_load_parameter(load, &item, PK_UNITS(PK_UNIT_YEARS), false, &places->i_ahead[k]);
    }
}

/* A product of numbers of persons and ratios; a table of them by the attribute, on the calendar or since the start. */
static void read_coaches(struct pk_load *load, const struct pk_reader *r, struct pk_places *places)
{
    const struct pk_model *model = load->model;
    const unsigned units = PK_UNITS(PK_UNIT_PERSONS) | PK_UNITS(PK_UNIT_RATIO) | PK_UNITS(PK_UNIT_SHARE);
    size_t n_persons = 0;
    if (!pk_load_product(load, r, units, &places->coaches))
        return;
    for (size_t i = 0; i < places->coaches.n_factors; i++) {
        const struct pk_parameter *parameter = &model->parameters[places->coaches.i_factors[i]];
        n_persons += parameter->unit == PK_UNIT_PERSONS;
        if (parameter->n_by > 1 || (parameter->n_by == 1 && parameter->i_by_attribute[0] != places->i_by))
            pk_reader_problem(r, NULL, "%s is told by other attributes than the one that places are organised by",
                              parameter->name);
        if (parameter->n_values > 1 && parameter->clock != PK_CLOCK_CALENDAR && parameter->clock != PK_CLOCK_START)
            pk_reader_problem(r, NULL, "%s is a table on %s, expected calendar or since_start", parameter->name,
                              pk_clock_names[parameter->clock]);
    }
    if (n_persons != 1)
        pk_reader_problem(r, NULL, "multiplies %zu numbers of persons, expected 1; the other factors are ratios",
                          n_persons);
}

static void read_places(struct pk_load *load, const struct pk_reader *r, struct pk_places *places)
{
    static const char *const keys[] = {"by",       "coaches", "caseload", "coach_cost", "filled", "order",
                                       "priority", "baulk",   "line",     "renege",     "again",  NULL},
                             *const orders[] = {"first_come", "by_lot"},
                             *const agains[] = {"once", "until_served", "always"};
    const unsigned share = PK_UNITS(PK_UNIT_SHARE) | PK_UNITS(PK_UNIT_PROBABILITY);
    struct pk_reader child;
    size_t i;
    if (!pk_reader_allow(r, keys))
        return;
    places->limited = true;
    if (pk_reader_find(r, "by", &child))
        (void)pk_load_attribute(load, &child, &places->i_by);
    if (pk_reader_need(r, "coaches", &child))
        read_coaches(load, &child, places);
    if (pk_reader_find(r, "caseload", &child))
        (void)pk_load_parameter(load, &child, PK_UNITS(PK_UNIT_PERSONS) | PK_UNITS(PK_UNIT_RATIO), false,
                                &places->i_caseload);
    if (pk_reader_find(r, "coach_cost", &child))
        (void)pk_load_parameter(load, &child, PK_UNITS(PK_UNIT_EUROS), false, &places->i_coach_cost);
    if (pk_reader_find(r, "filled", &child))
        read_filled(&child, places);
    if (pk_reader_find(r, "order", &child) && pk_reader_choice(&child, orders, 2, &i, "an order"))
        places->by_lot = i == 1;
    if (pk_reader_find(r, "priority", &child))
        read_priority(load, &child, places);
    if (pk_reader_find(r, "baulk", &child))
        (void)pk_load_parameter(load, &child, share, false, &places->i_baulk);
    if (pk_reader_find(r, "line", &child))
        (void)pk_load_parameter(load, &child, PK_UNITS(PK_UNIT_PERSONS), false, &places->i_line);
    places->reneges = pk_reader_find(r, "renege", &child);
    if (places->reneges)
        read_hazard(load, &child, &places->renege);
    if (pk_reader_find(r, "again", &child) && pk_reader_choice(&child, agains, 3, &i, "when one may ask again"))
        places->again = (enum pk_requests)i;
}

void pk_load_read_places(struct pk_load *load, const struct pk_reader *r, struct pk_service *service)
{
    const size_t n = load->model->n_states;
    struct pk_places *places = &service->places;
    struct pk_reader child;
    service->i_length = service->i_enters = SIZE_MAX;
    places->i_by = places->i_caseload = places->i_coach_cost = places->i_priority = places->i_baulk = places->i_line =
        SIZE_MAX;
    places->again = PK_REQUESTS_UNTIL_SERVED;
    service->i_support = pk_load_alloc(load, n, sizeof *service->i_support);
    for (size_t s = 0; s < n && service->i_support != NULL; s++)
        service->i_support[s] = SIZE_MAX;
    if (load->no_memory)
        return;
    if (pk_reader_find(r, "held", &child))
        read_held(load, &child, service);
    if (pk_reader_find(r, "enters", &child) && pk_load_transition(load, &child, &service->i_enters) &&
        !load->model->transitions[service->i_enters].by_service)
        pk_reader_problem(&child, NULL, "has a hazard or a time of its own; expected one that says by_service: true");
    if (pk_reader_find(r, "places", &child))
        read_places(load, &child, places);
}
