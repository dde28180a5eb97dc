/* Reading what a sweep tells of each point, and the decision it is to serve. See sweep.h. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "load_sweep_private.h"

static const char services[] = "services"; /* what they cost */

/* {OUTCOME: weight, services: weight} */
static bool read_sum(struct pk_load_of_sweep *s, const struct pk_reader *r, struct pk_figure_told *figure)
{
    const struct pk_scenario *scenario = s->load.scenario;
    const char *names[PK_MAX_OUTCOMES + 1];
    if (!pk_reader_expect(r, PK_YAML_MAPPING, "weights of outcomes"))
        return false;
    memcpy(names, s->outcomes, scenario->n_outcomes * sizeof *names);
    names[scenario->n_outcomes] = services;
    const size_t n = pk_reader_count(r);
    if (n == 0 || n > PK_MAX_TERMS) {
        pk_reader_problem(r, NULL, "has %zu outcomes, expected 1 to %d", n, PK_MAX_TERMS);
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        const struct pk_reader item = pk_reader_item(r, i);
        struct pk_term *term = &figure->terms[i];
        size_t found;
        if (!pk_load_key(&s->load, r, i, names, scenario->n_outcomes + 1, "an outcome of the scenario, or services",
                         &found) ||
            !pk_reader_double_in(&item, -1e12, 1e12, &term->weight))
            return false;
        term->i_outcome = found == scenario->n_outcomes ? SIZE_MAX : found;
        if (found < scenario->n_outcomes && pk_outcome_is_ratio(&scenario->outcomes[found])) {
            pk_load_problem_at_key(r, i, NULL, "is a mean or a share, which nothing can be added to");
            return false;
        }
    }
    figure->n_terms = n;
    return true;
}

static bool read_arms(struct pk_load_of_sweep *s, const struct pk_reader *r, struct pk_figure_told *figure)
{
    const struct pk_scenario *scenario = s->load.scenario;
    struct pk_reader child;
    figure->i_arm = 0;
    figure->i_against = SIZE_MAX;
    if (scenario->n_arms > 1 && !pk_reader_need(r, "arm", &child))
        return false;
    if (pk_reader_find(r, "arm", &child) &&
        !pk_reader_choice(&child, s->arms, scenario->n_arms, &figure->i_arm, "an arm of the scenario"))
        return false;
    if (!pk_reader_find(r, "against", &child))
        return true;
    if (!pk_reader_choice(&child, s->arms, scenario->n_arms, &figure->i_against, "an arm of the scenario"))
        return false;
    if (figure->i_against != figure->i_arm)
        return true;
    pk_reader_problem(&child, NULL, "is the arm itself, whose difference is 0");
    return false;
}

static void read_figure(struct pk_load_of_sweep *s, const struct pk_reader *r, const char *name)
{
    static const char *const keys[] = {"outcome", "sum", "arm", "against", "per", "net_of_displacement", "label", NULL};
    static const char *const per[] = {"person"};
    struct pk_figure_told *figure = &s->sweep->figures[s->sweep->n_figures];
    struct pk_reader outcome, sum, child;
    memset(figure, 0, sizeof *figure);
    figure->name = name;
    if (!pk_reader_allow(r, keys))
        return;
    const bool has_outcome = pk_reader_find(r, "outcome", &outcome), has_sum = pk_reader_find(r, "sum", &sum);
    if (has_outcome == has_sum) {
        pk_reader_problem(r, NULL, "has %s, expected exactly one of outcome and sum",
                          has_sum ? "both outcome and sum" : "neither outcome nor sum");
        return;
    }
    figure->n_terms = 1;
    figure->terms[0].weight = 1;
    if (has_outcome && !pk_reader_choice(&outcome, s->outcomes, s->load.scenario->n_outcomes,
                                         &figure->terms[0].i_outcome, "an outcome of the scenario"))
        return;
    if ((has_sum && !read_sum(s, &sum, figure)) || !read_arms(s, r, figure))
        return;
    size_t i;
    if (pk_reader_find(r, "per", &child))
        figure->per_person = pk_reader_choice(&child, per, 1, &i, "what the figure is told for");
    if (pk_reader_find(r, "net_of_displacement", &child) && pk_reader_bool(&child, &figure->net) && figure->net &&
        (!has_outcome || figure->i_against == SIZE_MAX ||
         !s->load.scenario->outcomes[figure->terms[0].i_outcome].has_displacement))
        pk_reader_problem(&child, NULL, "needs an arm against, and an outcome that has displacement");
    const char *label = has_outcome ? s->load.scenario->outcomes[figure->terms[0].i_outcome].label.in[2] : name;
    pk_load_label(&s->load, r, label, &figure->label);
    if (has_outcome && !pk_reader_find(r, "label", &child))
        figure->label = s->load.scenario->outcomes[figure->terms[0].i_outcome].label;
    s->sweep->n_figures++;
}

/* A model that is not ours: what it gives has names alone. */
static void read_outputs(struct pk_load_of_sweep *s, const struct pk_reader *r)
{
    struct pk_reader outputs;
    if (!pk_reader_need(r, "outputs", &outputs) || !pk_reader_expect(&outputs, PK_YAML_SEQUENCE, "a list of names"))
        return;
    if (pk_reader_count(&outputs) == 0 || pk_reader_count(&outputs) > PK_MAX_FIGURES) {
        pk_reader_problem(&outputs, NULL, "has %zu names, expected 1 to %d", pk_reader_count(&outputs), PK_MAX_FIGURES);
        return;
    }
    for (size_t i = 0; i < pk_reader_count(&outputs); i++) {
        const struct pk_reader item = pk_reader_item(&outputs, i);
        struct pk_figure_told *figure = &s->sweep->figures[s->sweep->n_figures];
        const char *name;
        memset(figure, 0, sizeof *figure);
        figure->i_against = SIZE_MAX;
        if (!pk_reader_name(&item, &name))
            continue;
        for (size_t k = 0; k < s->sweep->n_figures; k++)
            if (strcmp(s->sweep->figures[k].name, name) == 0)
                pk_reader_problem(&item, NULL, "stands there twice");
        figure->name = pk_arena_text(s->load.arena, name);
        if (figure->name == NULL) {
            s->load.no_memory = true;
            return;
        }
        for (size_t l = 0; l < PK_LANGUAGES; l++)
            figure->label.in[l] = figure->name;
        s->sweep->n_figures++;
    }
}

void pk_load_figures(struct pk_load_of_sweep *s, const struct pk_reader *r)
{
    struct pk_sweep *sweep = s->sweep;
    struct pk_reader figures;
    sweep->figures = pk_load_alloc(&s->load, PK_MAX_FIGURES + 2 * PK_MAX_ARMS, sizeof *sweep->figures);
    if (sweep->figures == NULL)
        return;
    if (s->load.scenario == NULL) {
        read_outputs(s, r);
        if (pk_reader_find(r, "figures", &figures))
            pk_reader_problem(&figures, "say outputs", "there is no scenario that has any");
    } else if (pk_reader_find(r, "outputs", &figures)) {
        pk_reader_problem(&figures, "say figures",
                          "names outputs of a model that is not ours, but there is a scenario");
    } else if (pk_reader_need(r, "figures", &figures) &&
               pk_reader_expect(&figures, PK_YAML_MAPPING, "figures by name")) {
        if (pk_reader_count(&figures) == 0 || pk_reader_count(&figures) > PK_MAX_FIGURES)
            pk_reader_problem(&figures, NULL, "has %zu figures, expected 1 to %d", pk_reader_count(&figures),
                              PK_MAX_FIGURES);
        for (size_t i = 0; i < pk_reader_count(&figures) && i < PK_MAX_FIGURES; i++) {
            const struct pk_reader item = pk_reader_item(&figures, i);
            const char *name;
            if (!pk_reader_key_name(&figures, i, &name))
                continue;
            name = pk_arena_text(s->load.arena, name);
            if (name == NULL) {
                s->load.no_memory = true;
                return;
            }
            read_figure(s, &item, name);
        }
    }
    sweep->n_named = sweep->n_figures;
}

/* ---- the decision ------------------------------------------------------------------------------------------- */

static void read_options(struct pk_load_of_sweep *s, const struct pk_reader *r)
{
    struct pk_swept_decision *decision = &s->sweep->decision;
    if (!pk_reader_expect(r, PK_YAML_SEQUENCE, "a list of arms"))
        return;
    if (pk_reader_count(r) < 2 || pk_reader_count(r) > PK_MAX_ARMS) {
        pk_reader_problem(r, NULL, "has %zu arms, expected 2 to %d", pk_reader_count(r), PK_MAX_ARMS);
        return;
    }
    for (size_t i = 0; i < pk_reader_count(r); i++) {
        const struct pk_reader item = pk_reader_item(r, i);
        char name[160];
        size_t found;
        if (!pk_reader_choice(&item, s->arms, s->load.scenario->n_arms, &found, "an arm of the scenario"))
            continue;
        snprintf(name, sizeof name, "net_benefit_%s", s->arms[found]); /* what analyses call it */
        for (size_t k = 0; k < s->sweep->n_named; k++)
            if (strcmp(s->sweep->figures[k].name, name) == 0)
                pk_reader_problem(&item, "call the figure otherwise", "its net benefit has the name of the figure %s",
                                  name);
        for (size_t k = 0; k < decision->n_options; k++)
            if (decision->i_arms[k] == found)
                pk_reader_problem(&item, NULL, "stands there twice");
        decision->i_arms[decision->n_options++] = found;
    }
}

static void read_thresholds(const struct pk_reader *r, struct pk_swept_decision *decision)
{
    if (!pk_reader_expect(r, PK_YAML_SEQUENCE, "a list of euros for one unit of effect"))
        return;
    const size_t n = pk_reader_count(r);
    if (n == 0 || n > PK_MAX_THRESHOLDS) {
        pk_reader_problem(r, NULL, "has %zu thresholds, expected 1 to %d", n, PK_MAX_THRESHOLDS);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        const struct pk_reader item = pk_reader_item(r, i);
        if (!pk_reader_double_in(&item, 0, 1e12, &decision->thresholds[i]))
            return;
        if (i > 0 && !(decision->thresholds[i] > decision->thresholds[i - 1])) {
            pk_reader_problem(&item, NULL, "is not above the threshold before it");
            return;
        }
    }
    decision->n_thresholds = n;
}

static void read_whom(const struct pk_reader *r, struct pk_swept_decision *decision)
{
    static const char *const keys[] = {"persons_per_year", "years", "discount", NULL};
    struct pk_reader child;
    if (!pk_reader_allow(r, keys))
        return;
    if (pk_reader_need(r, "persons_per_year", &child))
        (void)pk_reader_double_in(&child, 0, 1e9, &decision->persons_per_year);
    if (pk_reader_need(r, "years", &child))
        (void)pk_reader_double_in(&child, 0, 1000, &decision->years);
    if (pk_reader_find(r, "discount", &child))
        (void)pk_reader_double_in(&child, 0, 1, &decision->discount);
}

/* {NAME: [factor, ...]} */
static void read_questions(struct pk_load_of_sweep *s, const struct pk_reader *r)
{
    struct pk_swept_decision *decision = &s->sweep->decision;
    const char *names[PK_MAX_SWEPT];
    if (!pk_reader_expect(r, PK_YAML_MAPPING, "sets of factors by name"))
        return;
    if (pk_reader_count(r) > PK_MAX_QUESTIONS) {
        pk_reader_problem(r, NULL, "has %zu sets, at most %d are allowed", pk_reader_count(r), PK_MAX_QUESTIONS);
        return;
    }
    for (size_t f = 0; f < s->sweep->n_factors; f++)
        names[f] = s->sweep->factors[f].name;
    decision->questions = pk_load_alloc(&s->load, pk_reader_count(r) + 1, sizeof *decision->questions);
    for (size_t i = 0; decision->questions != NULL && i < pk_reader_count(r); i++) {
        const struct pk_reader list = pk_reader_item(r, i);
        struct pk_question *question = &decision->questions[decision->n_questions];
        const char *name;
        if (!pk_reader_key_name(r, i, &name) || !pk_reader_expect(&list, PK_YAML_SEQUENCE, "a list of factors"))
            continue;
        for (size_t f = 0; f < s->sweep->n_factors; f++)
            if (strcmp(names[f], name) == 0)
                pk_load_problem_at_key(r, i, NULL, "is the name of a factor");
        if (pk_reader_count(&list) == 0)
            pk_reader_problem(&list, NULL, "is empty, expected factors");
        question->name = pk_arena_text(s->load.arena, name);
        s->load.no_memory |= question->name == NULL;
        for (size_t k = 0; k < pk_reader_count(&list) && question->n_factors < PK_MAX_SWEPT; k++) {
            const struct pk_reader item = pk_reader_item(&list, k);
            if (pk_reader_choice(&item, names, s->sweep->n_factors, &question->i_factors[question->n_factors],
                                 "a factor"))
                question->n_factors++;
        }
        decision->n_questions += question->n_factors > 0;
    }
}

/* A figure of each option: its name is what:arm. */
static void add_figures(struct pk_load_of_sweep *s, const struct pk_figure_told *sum, const char *what,
                        size_t *i_figures)
{
    const struct pk_swept_decision *decision = &s->sweep->decision;
    for (size_t o = 0; o < decision->n_options; o++) {
        struct pk_figure_told *figure = &s->sweep->figures[s->sweep->n_figures];
        char name[160];
        *figure = *sum;
        snprintf(name, sizeof name, "%s:%s", what, s->arms[decision->i_arms[o]]);
        figure->name = pk_arena_text(s->load.arena, name);
        s->load.no_memory |= figure->name == NULL;
        for (size_t l = 0; l < PK_LANGUAGES; l++)
            figure->label.in[l] = figure->name;
        figure->i_arm = decision->i_arms[o];
        figure->i_against = SIZE_MAX;
        figure->per_person = true;
        i_figures[o] = s->sweep->n_figures++;
    }
}

void pk_load_decision(struct pk_load_of_sweep *s, const struct pk_reader *root)
{
    static const char *const keys[] = {"options", "effect", "cost", "thresholds", "population", "label", "know", NULL};
    struct pk_swept_decision *decision = &s->sweep->decision;
    struct pk_figure_told effect = {0}, cost = {0};
    struct pk_reader r, child;
    if (!pk_reader_find(root, "decision", &r) || !pk_reader_allow(&r, keys))
        return;
    if (s->load.scenario == NULL) {
        pk_reader_problem(&r, NULL, "is one between arms, and there is no scenario that has any");
        return;
    }
    const bool has_options = pk_reader_need(&r, "options", &child);
    if (has_options)
        read_options(s, &child);
    bool good = has_options && decision->n_options > 1;
    if (pk_reader_need(&r, "effect", &child))
        good &= read_sum(s, &child, &effect);
    else
        good = false;
    if (pk_reader_need(&r, "cost", &child))
        good &= read_sum(s, &child, &cost);
    else
        good = false;
    if (pk_reader_need(&r, "thresholds", &child))
        read_thresholds(&child, decision);
    if (pk_reader_find(&r, "population", &child))
        read_whom(&child, decision);
    if (pk_reader_find(&r, "know", &child))
        read_questions(s, &child);
    const char *label = "units of effect";
    if (pk_reader_find(&r, "label", &child))
        (void)pk_reader_text(&child, &label);
    decision->effect_label = pk_arena_text(s->load.arena, label);
    s->load.no_memory |= decision->effect_label == NULL;
    if (!good || s->sweep->figures == NULL) {
        decision->n_options = 0;
        return;
    }
    add_figures(s, &effect, "effect", decision->i_effects);
    add_figures(s, &cost, "cost", decision->i_costs);
}
