/* The kinds of people in a population. See kinds.h. */
#include "polku/kinds.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "polku/person.h"
#include "polku/quadrature.h"

struct enumeration {
    const struct pk_plan *plan;
    const struct pk_kinds_request *request;
    struct pk_kinds *kinds;
    struct pk_person person; /* attributes chosen so far */
    enum pk_status status;
    struct pk_error *error;
};

static void append(struct enumeration *e, const struct pk_kind *kind)
{
    struct pk_kinds *kinds = e->kinds;
    if (e->status != PK_OK || !(kind->share > 0))
        return;
    if (kinds->n == kinds->room) {
        size_t room = kinds->room ? kinds->room * 2 : 256;
        if (room > PK_KINDS_MAX) {
            e->status =
                pk_error_set(e->error, PK_BAD_INPUT, "the population has more than %d kinds of people", PK_KINDS_MAX);
            return;
        }
        struct pk_kind *grown = pk_realloc(kinds->items, room, sizeof *grown);
        if (grown == NULL) {
            e->status = pk_error_set(e->error, PK_NO_MEMORY, "no memory for %zu kinds of people", room);
            return;
        }
        kinds->items = grown;
        kinds->room = room;
    }
    kinds->items[kinds->n++] = *kind;
}

/* The cumulative hazard that a kind has survived in its present spell: of arcs with this frailty, or this cure. */
static double survived(const struct enumeration *e, const struct pk_kind *kind, size_t i_frailty, size_t i_cure)
{
    const struct pk_plan *plan = e->plan;
    double sum = 0;
    for (size_t a = 0; a < plan->n_arcs && kind->elapsed > 0; a++) {
        const struct pk_plan_arc *arc = &plan->arcs[a];
        bool meant = i_frailty != SIZE_MAX ? arc->i_frailty == i_frailty : arc->i_cure == i_cure;
        if (!meant || arc->i_from != kind->i_state || arc->deterministic || arc->hazardless)
            continue;
        sum += pk_plan_survived(plan, a, kind->stratum, 0, kind->age, kind->elapsed);
    }
    return sum;
}

static void enumerate_cures(struct enumeration *e, struct pk_kind *kind, size_t i_cure)
{
    if (i_cure == e->plan->n_cures) {
        append(e, kind);
        return;
    }
    const struct pk_plan_cure *cure = &e->plan->cures[i_cure];
    if (cure->per_spell) {
        enumerate_cures(e, kind, i_cure + 1);
        return;
    }
    const double share = pk_plan_cured_share(cure, survived(e, kind, SIZE_MAX, i_cure)), whole = kind->share;
    kind->share = whole * (1 - share);
    enumerate_cures(e, kind, i_cure + 1);
    kind->share = whole * share;
    kind->cured |= UINT64_C(1) << i_cure;
    enumerate_cures(e, kind, i_cure + 1);
    kind->cured &= ~(UINT64_C(1) << i_cure);
    kind->share = whole;
}

static void enumerate_frailties(struct enumeration *e, struct pk_kind *kind, size_t i_frailty)
{
    double nodes[PK_QUADRATURE_MAX], weights[PK_QUADRATURE_MAX], whole = kind->share;
    if (i_frailty == e->plan->n_frailties) {
        enumerate_cures(e, kind, 0);
        return;
    }
    const struct pk_plan_frailty *frailty = &e->plan->frailties[i_frailty];
    if (isinf(frailty->shape)) {
        kind->frailties[i_frailty] = 1;
        enumerate_frailties(e, kind, i_frailty + 1);
        return;
    }
    size_t n = e->request->n_frailty;
    if (!pk_quadrature_gamma(frailty->shape, n, nodes, weights)) {
        e->status = pk_error_set(e->error, PK_NUMERICAL, "the quadrature over a frailty of variance %g failed",
                                 1 / frailty->shape);
        return;
    }
    double rate = frailty->shape + (frailty->unconditional ? 0 : survived(e, kind, i_frailty, SIZE_MAX));
    for (size_t i = 0; i < n; i++) {
        kind->frailties[i_frailty] = nodes[i] / rate;
        kind->share = whole * weights[i];
        enumerate_frailties(e, kind, i_frailty + 1);
    }
    kind->share = whole;
}

static size_t n_points(const struct pk_plan_distribution *distribution, size_t wanted)
{
    return distribution->n_points > 0                    ? distribution->n_points
           : distribution->kind == PK_DISTRIBUTION_FIXED ? 1
                                                         : wanted;
}

/* With attributes chosen: states, ages and times already spent. */
static void enumerate_clocks(struct enumeration *e, double share)
{
    const struct pk_plan_origin *origin = &e->plan->origin;
    const struct pk_kinds_request *request = e->request;
    size_t n_new = 0;
    for (size_t s = 0; s < e->plan->n_states; s++)
        n_new += request->new_in >> s & 1;
    for (size_t s = 0; s < e->plan->n_states && e->status == PK_OK; s++) {
        const double *cumulative = origin->start_state.cumulative;
        double of_state = n_new > 0 ? (request->new_in >> s & 1 ? 1 / (double)n_new : 0)
                                    : cumulative[s] - (s > 0 ? cumulative[s - 1] : 0);
        bool elapses = n_new == 0 && (origin->elapsed_states >> s & 1);
        size_t n_ages = origin->needs_age ? n_points(&origin->age, request->n_ages) : 1;
        size_t n_elapsed = elapses ? n_points(&origin->elapsed[s], request->n_elapsed) : 1;
        for (size_t i = 0; of_state > 0 && i < n_ages; i++)
            for (size_t k = 0; k < n_elapsed; k++) {
                struct pk_kind kind = {.stratum = e->person.stratum, .i_state = (uint16_t)s};
                if (origin->needs_age)
                    kind.age = pk_distribution_quantile(&origin->age, ((double)i + 0.5) / (double)n_ages);
                if (elapses)
                    kind.elapsed = pk_distribution_quantile(&origin->elapsed[s], ((double)k + 0.5) / (double)n_elapsed);
                kind.share = share * of_state / (double)(n_ages * n_elapsed);
                e->person.state = (uint16_t)s;
                e->person.age = kind.age;
                if (request->target != NULL) {
                    struct pk_plan_target target = *request->target;
                    target.states = n_new > 0 ? UINT64_MAX : target.states;
                    if (!pk_person_is_eligible(e->plan, &target, &e->person))
                        continue;
                }
                enumerate_frailties(e, &kind, 0);
            }
    }
}

/* Whether an attribute makes a difference to a life or to the target group. */
static bool matters(const struct enumeration *e, size_t i_attribute)
{
    bool different = e->plan->stratum_strides[i_attribute] != 0;
    const uint8_t *allowed = e->request->target != NULL ? e->request->target->allowed + i_attribute * 256 : NULL;
    for (size_t v = 0; allowed != NULL && v < e->plan->origin.attributes[i_attribute].n; v++)
        different |= !allowed[v];
    return different;
}

/* Whether any attribute of a joint table does. */
static bool matters_together(const struct enumeration *e, const struct pk_plan_joint *joint)
{
    bool different = false;
    for (size_t k = 0; k < joint->n_attributes && !different; k++) {
        const size_t a = joint->i_attributes[k];
        const uint8_t *allowed = e->request->target != NULL ? e->request->target->allowed + a * 256 : NULL;
        different = e->plan->stratum_strides[a] != 0;
        for (size_t c = 0; allowed != NULL && c < joint->n_cells && !different; c++)
            different = !allowed[joint->values[c * joint->n_attributes + k]];
    }
    return different;
}

static void set_value(struct enumeration *e, size_t i_attribute, size_t value)
{
    size_t stride = e->plan->stratum_strides[i_attribute];
    e->person.stratum += (uint32_t)(stride * value) - (uint32_t)(stride * e->person.values[i_attribute]);
    e->person.values[i_attribute] = (uint8_t)value;
}

static void enumerate_joints(struct enumeration *e, size_t i_joint, double share)
{
    const struct pk_plan_origin *origin = &e->plan->origin;
    if (i_joint == origin->n_joints) {
        enumerate_clocks(e, share);
        return;
    }
    const struct pk_plan_joint *joint = &origin->joints[i_joint];
    if (!matters_together(e, joint)) {
        enumerate_joints(e, i_joint + 1, share);
        return;
    }
    for (size_t c = 0; c < joint->n_cells && e->status == PK_OK; c++) {
        double of_cell = joint->cumulative[c] - (c > 0 ? joint->cumulative[c - 1] : 0);
        for (size_t k = 0; k < joint->n_attributes; k++)
            set_value(e, joint->i_attributes[k], joint->values[c * joint->n_attributes + k]);
        if (of_cell > 0)
            enumerate_joints(e, i_joint + 1, share * of_cell);
    }
}

static void enumerate_attributes(struct enumeration *e, size_t i_attribute, double share)
{
    if (i_attribute == e->plan->n_attributes) {
        enumerate_joints(e, 0, share);
        return;
    }
    const struct pk_plan_choice *choice = &e->plan->origin.attributes[i_attribute];
    if (choice->n == 0 || !matters(e, i_attribute)) {
        enumerate_attributes(e, i_attribute + 1, share);
        return;
    }
    for (size_t v = 0; v < choice->n && e->status == PK_OK; v++) {
        double of_value = choice->cumulative[v] - (v > 0 ? choice->cumulative[v - 1] : 0);
        set_value(e, i_attribute, v);
        if (of_value > 0)
            enumerate_attributes(e, i_attribute + 1, share * of_value);
    }
    set_value(e, i_attribute, 0);
}

static void enumerate_rows(struct enumeration *e)
{
    const struct pk_plan_people *people = &e->plan->people;
    const struct pk_kinds_request *request = e->request;
    size_t n = people->n < PK_KINDS_MAX_ROWS ? people->n : PK_KINDS_MAX_ROWS;
    double all = 0;
    for (int round = 0; round < 2; round++)
        for (size_t i = 0; i < n && e->status == PK_OK; i++) {
            size_t row = i * people->n / n;
            double weight = people->weights != NULL ? people->weights[row] : 1;
            all += round == 0 ? weight : 0;
            if (round == 0)
                continue;
            for (size_t a = 0; a < e->plan->n_attributes; a++)
                set_value(e, a, people->values[row * e->plan->n_attributes + a]);
            e->person.state = people->states[row];
            e->person.age = people->ages != NULL ? people->ages[row] : 0;
            if (request->target != NULL && !pk_person_is_eligible(e->plan, request->target, &e->person))
                continue;
            for (size_t s = 0; s < e->plan->n_states; s++) {
                bool here = request->new_in != 0 ? request->new_in >> s & 1 : s == people->states[row];
                struct pk_kind kind = {.stratum = e->person.stratum,
                                       .i_state = (uint16_t)s,
                                       .age = e->person.age,
                                       .share = here ? weight / all : 0};
                if (request->new_in == 0 && people->elapsed != NULL)
                    kind.elapsed = people->elapsed[row];
                if (here)
                    enumerate_frailties(e, &kind, 0);
            }
        }
}

enum pk_status pk_kinds_make(struct pk_kinds *kinds, const struct pk_plan *plan, const struct pk_kinds_request *request,
                             struct pk_error *error)
{
    struct enumeration e = {.plan = plan, .request = request, .kinds = kinds, .status = PK_OK, .error = error};
    memset(kinds, 0, sizeof *kinds);
    if (plan->people.n > 0)
        enumerate_rows(&e);
    else
        enumerate_attributes(&e, 0, 1);
    for (size_t i = 0; i < kinds->n; i++)
        kinds->eligible += kinds->items[i].share;
    if (e.status == PK_OK && !(kinds->eligible > 0))
        e.status = pk_error_set(error, PK_BAD_INPUT, "nobody in the scenario is in the target group");
    for (size_t i = 0; i < kinds->n && e.status == PK_OK; i++)
        kinds->items[i].share /= kinds->eligible;
    if (e.status != PK_OK)
        pk_kinds_free(kinds);
    return e.status;
}

static int compare_numbers(double a, double b)
{
    return (a > b) - (a < b);
}

/* By all but the share and the time already spent. */
static int compare_people(const struct pk_kind *a, const struct pk_kind *b)
{
    int order = (a->i_state > b->i_state) - (a->i_state < b->i_state);
    order = order != 0 ? order : (a->stratum > b->stratum) - (a->stratum < b->stratum);
    order = order != 0 ? order : (a->cured > b->cured) - (a->cured < b->cured);
    order = order != 0 ? order : compare_numbers(a->age, b->age);
    for (size_t i = 0; i < PK_MAX_FRAILTIES && order == 0; i++) /* those that a plan has not are 0 */
        order = compare_numbers(a->frailties[i], b->frailties[i]);
    return order;
}

/* The share last: equal kinds are added up in the same order whatever sorts them. */
static int compare_kinds(const void *a, const void *b)
{
    const struct pk_kind *x = a, *y = b;
    int order = compare_people(x, y);
    order = order != 0 ? order : compare_numbers(x->elapsed, y->elapsed);
    return order != 0 ? order : compare_numbers(x->share, y->share);
}

void pk_kinds_sort(struct pk_kinds *kinds)
{
    qsort(kinds->items, kinds->n, sizeof *kinds->items, compare_kinds);
}

bool pk_kinds_alike(const struct pk_kind *a, const struct pk_kind *b)
{
    return compare_people(a, b) == 0;
}

void pk_kinds_free(struct pk_kinds *kinds)
{
    if (kinds == NULL)
        return;
    pk_free(kinds->items);
    memset(kinds, 0, sizeof *kinds);
}
