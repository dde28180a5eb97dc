/* Random models and scenarios with scarce places. See places_world.h. */
#include <criterion/criterion.h>

#include "places_world.h"

/* A world under way: lines of each section, from one generator. */
struct inventing {
    uint64_t lcg;
    bool whole;
    size_t n_parameters;
    bool limited[3]; /* the service has places */
    struct pk_text parameters, services;
};

static double uniform(struct inventing *in)
{
    return support_uniform(&in->lcg);
}

static size_t below(struct inventing *in, size_t n)
{
    return (size_t)(uniform(in) * (double)n);
}

static bool happens(struct inventing *in, double share)
{
    return uniform(in) < share;
}

static size_t parameter(struct inventing *in, double value, const char *unit)
{
    pk_text_addf(&in->parameters, "  p%zu: {value: %.9g, unit: %s, source: {assumption: test}}\n", in->n_parameters,
                 value, unit);
    return in->n_parameters++;
}

/* A rate of about so much a year, or a table of rates on one of the first n_clocks clocks. */
static size_t rate(struct inventing *in, double about, size_t n_clocks)
{
    static const char *const clocks[] = {"since_start", "age", "time_in_state", "since_enrolment"};
    const size_t i_clock = below(in, n_clocks > 0 ? n_clocks : 1);
    if (n_clocks == 0 || happens(in, 0.6))
        return parameter(in, about * (0.3 + 1.5 * uniform(in)), "per_year");
    const double origin = i_clock == 1 ? 30 : 0;
    const double cut = origin + (i_clock == 1 ? 10 : 0.4) * uniform(in);
    pk_text_addf(&in->parameters,
                 "  p%zu: {table: {clock: %s, cuts: [%.6f, %.6f], values: [%.6f, %.6f, %.6f]}, unit: per_year, "
                 "source: {assumption: test}}\n",
                 in->n_parameters, clocks[i_clock], cut, cut + 0.01 + 0.6 * uniform(in), about * 2 * uniform(in),
                 happens(in, 0.3) ? 0 : about * 2 * uniform(in), about * 2 * uniform(in));
    return in->n_parameters++;
}

/* Years up to so many months; in whole months. */
static size_t length(struct inventing *in, size_t months)
{
    const double drawn = uniform(in) * (double)months;
    return parameter(in, (in->whole ? 1 + (double)(size_t)drawn : drawn) / 12, "years");
}

/* ---- services ---------------------------------------------------------------------------------------------------- */

static void add_held(struct inventing *in, struct pk_text *text)
{
    static const char *const whiles[] = {"[a]", "[a, b]", "[a, c]", "[b]"};
    static const char *const outside[] = {"b", "c", "b", "a"};
    const size_t i = below(in, 4);
    const bool states = happens(in, 0.6), any_length = happens(in, 0.75);
    if (!states && !any_length)
        return;
    pk_text_addf(text, "    held: {");
    if (any_length && happens(in, in->whole ? 0.2 : 0.4))
        pk_text_addf(text, "length: {hazard: p%zu}", rate(in, 3, 4));
    else if (any_length)
        pk_text_addf(text, "length: p%zu", length(in, 8));
    if (states)
        pk_text_addf(text, "%swhile: %s", any_length ? ", " : "", whiles[i]);
    if (states && happens(in, 0.5))
        pk_text_addf(text, ", support: {%s: p%zu}", outside[i], length(in, 4));
    pk_text_addf(text, "}\n");
}

static void add_effects(struct inventing *in, struct pk_text *text)
{
    static const char *const transitions[] = {"ab", "ba", "ac", "cb"};
    static const char *const again[] = {"at_risk", "immune"};
    size_t n = 0;
    pk_text_addf(text, "    effects: [");
    for (size_t t = 0; t < 4; t++) {
        if (!happens(in, t == 0 ? 0.8 : 0.35))
            continue;
        pk_text_addf(text, "%s{transition: %s, ", n++ > 0 ? ", " : "", transitions[t]);
        const size_t mode = below(in, 7);
        if (mode < 3)
            pk_text_addf(text, "scale: p%zu}", parameter(in, 3 * uniform(in), "ratio"));
        else if (mode < 5)
            pk_text_addf(text, "%s: p%zu}", mode == 3 ? "replace" : "at_least", rate(in, 2.5, 4));
        else
            pk_text_addf(text, "prevent: {share: p%zu, instead: stay, again: %s%s}}",
                         parameter(in, uniform(in), "share"), again[below(in, 2)],
                         happens(in, 0.3) ? ", relapse: p1" : "");
    }
    pk_text_addf(text, "]\n");
}

static void add_coaches(struct inventing *in, struct pk_text *text)
{
    const size_t p = in->n_parameters++;
    const bool table = happens(in, 0.35);
    const size_t first = below(in, 4);
    if (table) {
        const double cut = in->whole ? (double)(1 + below(in, 5)) / 12 : 0.01 + 0.5 * uniform(in),
                     next = cut + (in->whole ? (double)(1 + below(in, 5)) / 12 : 0.01 + 0.5 * uniform(in));
        pk_text_addf(&in->parameters,
                     "  p%zu: {table: {clock: since_start, cuts: [%.9f, %.9f], values: [%zu, %zu, %zu]}, "
                     "unit: persons, source: {assumption: test}}\n",
                     p, cut, next, first, below(in, 7), below(in, 5));
    } else {
        pk_text_addf(&in->parameters, "  p%zu: {value: %zu, unit: persons, source: {assumption: test}}\n", p, first);
    }
    pk_text_addf(text, "coaches: p%zu", p);
    if (happens(in, 0.2))
        pk_text_addf(text, ", caseload: p%zu", parameter(in, 3 * uniform(in), "ratio"));
}

static void add_places(struct inventing *in, size_t i_service, struct pk_text *text)
{
    static const char *const filled[] = {"at_once", "once", "every", "anew"};
    static const char *const agains[] = {"once", "until_served", "always"};
    const size_t i_filled = happens(in, 0.4) ? 0 : below(in, 4);
    in->limited[i_service] = !happens(in, 0.08);
    if (!in->limited[i_service])
        return; /* a place for everybody */
    pk_text_addf(text, "    places: {");
    if (happens(in, 0.4))
        pk_text_addf(text, "by: region, ");
    add_coaches(in, text);
    if (i_filled < 2)
        pk_text_addf(text, ", filled: %s", filled[i_filled]);
    else
        pk_text_addf(text, ", filled: {%s: {%s: %zu}}", filled[i_filled], in->whole ? "months" : "days",
                     1 + below(in, in->whole ? 3 : 70));
    pk_text_addf(text, ", order: %s, again: %s", happens(in, 0.35) ? "by_lot" : "first_come", agains[below(in, 3)]);
    if (happens(in, 0.15))
        pk_text_addf(text, ", priority: {attribute: need, ahead: {high: life}}");
    else if (happens(in, 0.3))
        pk_text_addf(text, ", priority: {attribute: need, ahead: {high: p%zu}}", length(in, 6));
    if (happens(in, 0.35))
        pk_text_addf(text, ", baulk: p%zu", parameter(in, 0.6 * uniform(in), "share"));
    if (happens(in, 0.35))
        pk_text_addf(text, ", line: p%zu", parameter(in, (double)below(in, 8), "persons"));
    if (happens(in, 0.45))
        pk_text_addf(text, ", renege: p%zu", rate(in, 3, 4));
    pk_text_addf(text, "}\n");
}

static void add_services(struct inventing *in, size_t n)
{
    struct pk_text *text = &in->services;
    for (size_t s = 0; s < n; s++) {
        pk_text_addf(text, "  s%zu:\n    window: ", s);
        if (happens(in, 0.4))
            pk_text_addf(text, "held\n");
        else if (happens(in, 0.2))
            pk_text_addf(text, "life\n");
        else
            pk_text_addf(text, "p%zu\n", length(in, 9));
        if (happens(in, 0.2))
            pk_text_addf(text, "    first_job_only: first\n");
        if (happens(in, 0.3))
            pk_text_addf(text, "    enters: move\n");
        add_held(in, text);
        add_effects(in, text);
        add_places(in, s, text);
    }
}

/* ---- arms -------------------------------------------------------------------------------------------------------- */

static void add_enrolment(struct inventing *in, size_t n_services, bool has_inflow, struct pk_text *arms)
{
    static const char *const states[] = {"[a]", "[a, b]", "[a, c]", "[b, c]", "[a, b, c]"};
    const size_t i_service = below(in, n_services);
    pk_text_addf(arms, "      - {service: s%zu, ", i_service);
    if (!in->limited[i_service] || happens(in, in->whole ? 0.4 : 0.7)) {
        pk_text_addf(arms, "rate: p%zu", rate(in, 4, 3));
        if (happens(in, 0.3))
            pk_text_addf(arms, ", from: {months: %zu}", 1 + below(in, 3));
        if (happens(in, 0.3))
            pk_text_addf(arms, ", to: {months: %zu}", 5 + below(in, 5));
    } else if (has_inflow && happens(in, 0.5)) {
        pk_text_addf(arms, "share: %.3f, at: {after_entry: {months: %zu}}", uniform(in), below(in, 4));
    } else {
        pk_text_addf(arms, "persons: %zu, at: {months: %zu}", 2 + below(in, 20), below(in, 5));
    }
    if (happens(in, 0.7))
        pk_text_addf(arms, ", states: %s", states[below(in, 5)]);
    if (happens(in, 0.25))
        pk_text_addf(arms, ", among: {need: [%s]}", happens(in, 0.5) ? "high" : "low");
    if (happens(in, 0.25))
        pk_text_addf(arms, ", age: [%zu, %zu]", 20 + below(in, 15), 36 + below(in, 10));
    pk_text_addf(arms, "}\n");
}

static void add_arms(struct inventing *in, size_t n_services, bool has_inflow, struct pk_text *arms)
{
    pk_text_addf(arms, "  base: {}\n  scarce:\n    enrol:\n");
    for (size_t n = 1 + below(in, 4); n > 0; n--)
        add_enrolment(in, n_services, has_inflow, arms);
    if (happens(in, 0.3))
        pk_text_addf(arms, "    start: {a: 0.5, b: 0.5}\n");
    if (happens(in, 0.25))
        pk_text_addf(arms, "  ample: {like: scarce, places: ample}\n");
    if (happens(in, 0.4))
        pk_text_addf(arms, "  more: {like: scarce, places: %.2f}\n", 3 * uniform(in));
    if (happens(in, 0.3)) {
        pk_text_addf(arms, "  other:\n    enrol:\n");
        add_enrolment(in, n_services, has_inflow, arms);
    }
}

static void add_transitions(struct inventing *in, struct pk_text *text)
{
    static const char *const arcs[][2] = {{"a", "b"}, {"b", "a"}, {"a", "c"}, {"c", "a"}, {"c", "b"}, {"b", "c"}};
    const bool timed = happens(in, in->whole ? 0.7 : 0.15);
    for (size_t t = 0; t < 6; t++)
        pk_text_addf(text, "  %s%s: {from: %s, to: %s, hazard: p%zu%s}\n", arcs[t][0], arcs[t][1], arcs[t][0],
                     arcs[t][1], rate(in, in->whole ? 0.6 : 1.5, 3), t == 0 ? ", ratios: {need: {high: less}}" : "");
    if (timed)
        pk_text_addf(text, "  turn: {from: %s, to: %s, at: {clock: time_in_state, value: p%zu}}\n",
                     happens(in, 0.5) ? "b" : "a", "c", length(in, 6));
    pk_text_addf(text, "  die: {from: any, to: dead, hazard: p0}\n  move: {from: %s, to: %s, by_service: true}\n",
                 happens(in, 0.5) ? "a" : "[a, c]", "b");
}

bool places_invent(uint64_t number, bool whole_months, struct support_world *world)
{
    struct inventing in = {.lcg = number * UINT64_C(0x9E3779B97F4A7C15) + 1, .whole = whole_months};
    struct pk_text model, scenario;
    struct pk_error error;
    pk_text_init(&in.parameters);
    pk_text_init(&in.services);
    pk_text_init(&model);
    pk_text_init(&scenario);
    const size_t n_services = 1 + below(&in, 3), n_persons = 8 + below(&in, 40);
    const bool has_inflow = happens(&in, 0.35);
    (void)parameter(&in, 0.15, "per_year");
    (void)parameter(&in, 1.3, "per_year");
    struct pk_text transitions, arms;
    pk_text_init(&transitions);
    pk_text_init(&arms);
    add_transitions(&in, &transitions);
    add_services(&in, n_services);
    add_arms(&in, n_services, has_inflow, &arms);
    pk_text_addf(
        &model,
        "polku: 1\nmodel: m\nstates: {a: {}, b: {}, c: {}, dead: {absorbing: true}}\nattributes:\n"
        "  region: {values: [n, s, w]}\n  need: {values: [low, high]}\n  unread: {values: [u, v]}\nparameters:\n"
        "  less: {value: 0.6, unit: ratio, source: {assumption: test}}\n"
        "  first: {value: 1, unit: switch, source: {assumption: test}}\n"
        "  life: {value: life, unit: years, source: {assumption: test}}\n"
        "%stransitions:\n%sservices:\n%s",
        pk_text_string(&in.parameters), pk_text_string(&transitions), pk_text_string(&in.services));
    pk_text_addf(&scenario,
                 "polku: 1\nscenario: test\nmodel: model.yaml\nseed: %lu\nstart: 2021-01-01\nhorizon: {months: %zu}\n"
                 "population:\n  size: %zu\n  state: {a: 0.6, b: 0.2, c: 0.2}\n  age: {uniform: [28, 44]}\n"
                 "  attributes:\n    region: {n: 0.5, s: 0.3, w: 0.2}\n    need: {low: 0.7, high: 0.3}\n"
                 "    unread: {u: 0.5, v: 0.5}\n",
                 (unsigned long)(1000 + number), 6 + below(&in, 10), n_persons);
    if (!whole_months)
        pk_text_addf(&scenario, "  elapsed: {a: {uniform: [0, 0.5]}}\n");
    if (has_inflow)
        pk_text_addf(&scenario,
                     "  inflow: {per_year: %zu, state: {a: 0.8, b: 0.2}, age: {uniform: [25, 40]}, "
                     "attributes: {region: {n: 0.4, s: 0.6}, need: {low: 0.5, high: 0.5}, "
                     "unread: {u: 0.5, v: 0.5}}}\n",
                     5 + below(&in, 30));
    pk_text_addf(&scenario, "arms:\n%s", pk_text_string(&arms));
    const enum pk_status status = support_try_texts(world, pk_text_string(&model), pk_text_string(&scenario), &error);
    if (status != PK_OK)
        support_close(world);
    pk_text_free(&in.parameters);
    pk_text_free(&in.services);
    pk_text_free(&transitions);
    pk_text_free(&arms);
    pk_text_free(&model);
    pk_text_free(&scenario);
    return status == PK_OK;
}
