/* What is known of a sample before anything is run: names, units, sources, the decision. See sample.h. */
#include <stdio.h>
#include <string.h>

#include "sample_private.h"

static const char *text_of(struct pk_sample *sample, const char *text)
{
    return pk_arena_text(&sample->arena, text);
}

static bool name_factor(struct pk_sample *sample, const struct pk_factor *from, const struct pk_model *model,
                        const double *base, size_t f)
{
    struct pk_sample_factor *factor = &sample->factors[f];
    const bool ours = from->i_parameter != SIZE_MAX;
    const struct pk_parameter *parameter = ours ? &model->parameters[from->i_parameter] : NULL;
    struct pk_text told;
    pk_text_init(&told);
    factor->name = text_of(sample, from->name);
    factor->kind = from->kind;
    factor->unit = text_of(sample, ours ? pk_unit_names[parameter->given_unit] : "");
    factor->source_kind = text_of(sample, from->kind == PK_FACTOR_CHOICE ? "choice"
                                          : ours                         ? pk_source_names[parameter->source.kind]
                                                                         : "");
    factor->source = text_of(sample, ours ? parameter->source.text : "");
    if (from->kind == PK_FACTOR_SET && from->set->n > 0) {
        const struct pk_source *source = &model->parameters[from->set->i_parameters[0]].source;
        factor->source_kind = text_of(sample, pk_source_names[source->kind]);
        factor->source = text_of(sample, source->text);
    }
    factor->i_group = from->i_group;
    factor->first_quantity = sample->n_quantities;
    factor->n_quantities = from->kind == PK_FACTOR_SET ? from->set->n : 1;
    factor->n_free =
        factor->n_quantities - (from->kind == PK_FACTOR_SET && from->set->kind == PK_UNCERTAIN_DIRICHLET ? 1 : 0);
    for (size_t k = 0; k < factor->n_quantities; k++)
        sample->quantities[sample->n_quantities++] = text_of(
            sample, from->kind == PK_FACTOR_SET ? model->parameters[from->set->i_parameters[k]].name : from->name);
    factor->n_levels = from->kind == PK_FACTOR_CHOICE ? from->n_options : from->n_levels;
    double *levels = pk_arena_alloc(&sample->arena, factor->n_levels + 1, sizeof *levels);
    const char **names = pk_arena_alloc(&sample->arena, factor->n_levels + 1, sizeof *names);
    for (size_t k = 0; levels != NULL && names != NULL && k < factor->n_levels; k++) {
        levels[k] = from->kind == PK_FACTOR_CHOICE ? (double)k : from->levels[k];
        char number[40];
        snprintf(number, sizeof number, "%.5g", levels[k]);
        names[k] = text_of(sample, from->kind == PK_FACTOR_CHOICE ? from->options[k].name : number);
        pk_text_addf(&told, "%s%s", k > 0 ? ", " : "", names[k] != NULL ? names[k] : "");
    }
    factor->levels = levels;
    factor->level_names = names;
    factor->base = pk_sample_base(from, base);
    if (from->kind == PK_FACTOR_PARAMETER && !pk_method_is_grid(sample->method)) {
        char line[PK_UNCERTAINTY_TEXT_SIZE];
        pk_uncertainty_text(from->uncertain, line);
        pk_text_free(&told);
        pk_text_init(&told);
        pk_text_put(&told, line);
    } else if (from->kind == PK_FACTOR_SET) {
        pk_text_put(&told, "a set of parameters that are uncertain together");
    }
    factor->told = text_of(sample, pk_text_string(&told));
    const bool good = !told.failed && factor->told && factor->name && factor->unit && factor->source_kind &&
                      factor->source && levels && names;
    pk_text_free(&told);
    return good;
}

/* Marks of calibrations, a line each. */
static const char *marks_of(struct pk_sample *sample, const struct pk_scenario *scenario)
{
    struct pk_text text;
    pk_text_init(&text);
    for (size_t i = 0; scenario != NULL && i < scenario->n_calibrations; i++)
        for (size_t k = 0; k < scenario->calibrations[i].n_marks; k++)
            pk_text_addf(&text, "calibrated from %s: %s\n", scenario->calibrations[i].study,
                         scenario->calibrations[i].marks[k]);
    const char *copy = text.failed ? NULL : text_of(sample, pk_text_string(&text));
    pk_text_free(&text);
    return copy;
}

/* What the documents warn of, a line each. */
static const char *warnings_of(struct pk_sample *sample, const struct pk_model *model)
{
    struct pk_text text;
    pk_text_init(&text);
    for (size_t i = 0; model != NULL && i < model->n_warnings_of_documents; i++)
        pk_text_addf(&text, "%s\n", model->warnings_of_documents[i]);
    const char *copy = text.failed ? NULL : text_of(sample, pk_text_string(&text));
    pk_text_free(&text);
    return copy;
}

static bool name_decision(struct pk_sample *sample, const struct pk_swept_decision *from,
                          const struct pk_scenario *scenario)
{
    struct pk_sample_decision *decision = &sample->decision;
    const size_t n = from->n_options;
    decision->n_options = n;
    if (n == 0)
        return true;
    const char **options = pk_arena_alloc(&sample->arena, n, sizeof *options);
    size_t *effects = pk_arena_alloc(&sample->arena, n, sizeof *effects),
           *costs = pk_arena_alloc(&sample->arena, n, sizeof *costs);
    double *thresholds = pk_arena_alloc(&sample->arena, from->n_thresholds, sizeof *thresholds);
    const char **questions = pk_arena_alloc(&sample->arena, from->n_questions + 1, sizeof *questions);
    bool *asks = pk_arena_alloc(&sample->arena, from->n_questions * sample->n_factors + 1, sizeof *asks);
    decision->effect_label = text_of(sample, from->effect_label);
    if (!options || !effects || !costs || !thresholds || !questions || !asks || !decision->effect_label)
        return false;
    bool good = true;
    for (size_t o = 0; o < n; o++) {
        good &= (options[o] = text_of(sample, scenario->arms[from->i_arms[o]].name)) != NULL;
        effects[o] = from->i_effects[o];
        costs[o] = from->i_costs[o];
    }
    memcpy(thresholds, from->thresholds, from->n_thresholds * sizeof *thresholds);
    for (size_t q = 0; q < from->n_questions; q++) {
        good &= (questions[q] = text_of(sample, from->questions[q].name)) != NULL;
        for (size_t k = 0; k < from->questions[q].n_factors; k++)
            asks[q * sample->n_factors + from->questions[q].i_factors[k]] = true;
    }
    decision->options = options;
    decision->effects = effects;
    decision->costs = costs;
    decision->n_thresholds = from->n_thresholds;
    decision->thresholds = thresholds;
    decision->persons_per_year = from->persons_per_year;
    decision->years = from->years;
    decision->discount = from->discount;
    decision->n_questions = from->n_questions;
    decision->questions = questions;
    decision->asks = asks;
    return good;
}

bool pk_sample_name(struct pk_sample *sample, const struct pk_study *study, const struct pk_scenario *scenario,
                    const struct pk_model *model, const double *base)
{
    const struct pk_sweep *sweep = study->sweep;
    size_t n_quantities = 0;
    for (size_t f = 0; f < sweep->n_factors; f++)
        n_quantities += sweep->factors[f].kind == PK_FACTOR_SET ? sweep->factors[f].set->n : 1;
    sample->study = text_of(sample, study->name);
    sample->title = text_of(sample, study->title);
    sample->study_text = text_of(sample, study->text);
    sample->scenario_file = text_of(sample, scenario != NULL ? scenario->name : "");
    sample->marks_of_studies = marks_of(sample, scenario);
    sample->documents_warn = warnings_of(sample, model);
    sample->factors = pk_arena_alloc(&sample->arena, sweep->n_factors, sizeof *sample->factors);
    sample->quantities = pk_arena_alloc(&sample->arena, n_quantities, sizeof *sample->quantities);
    sample->groups = pk_arena_alloc(&sample->arena, sweep->n_groups, sizeof *sample->groups);
    sample->figures = pk_arena_alloc(&sample->arena, sweep->n_figures, sizeof *sample->figures);
    bool good = sample->study && sample->title && sample->study_text && sample->scenario_file &&
                sample->marks_of_studies && sample->documents_warn && sample->factors && sample->quantities &&
                sample->groups && sample->figures;
    for (size_t f = 0; f < sweep->n_factors && good; f++)
        good = name_factor(sample, &sweep->factors[f], model, base, f);
    for (size_t g = 0; g < sweep->n_groups && good; g++)
        good = (sample->groups[g] = text_of(sample, sweep->groups[g])) != NULL;
    for (size_t i = 0; i < sweep->n_figures && good; i++) {
        const struct pk_figure_told *figure = &sweep->figures[i];
        sample->figures[i] = (struct pk_sample_figure){.name = text_of(sample, figure->name),
                                                       .label = text_of(sample, figure->label.in[2]),
                                                       .unit = text_of(sample, figure->per_person ? "per person" : "")};
        good = sample->figures[i].name && sample->figures[i].label && sample->figures[i].unit;
    }
    for (size_t k = 0; k < sample->n_quantities && good; k++)
        good = sample->quantities[k] != NULL;
    return good && name_decision(sample, &sweep->decision, scenario);
}
