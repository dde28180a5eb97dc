/* polku check of a study: what is free, what it is held against, and how. See cli.h. */
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "polku/calibrate.h"
#include "polku/sweeping.h"

static void print_prior(const struct pk_free_parameter *free)
{
    static const char *const normal[PK_TRANSFORM_COUNT] = {"normal", "log-normal", "logit-normal"};
    static const char *const flat[PK_TRANSFORM_COUNT] = {"flat", "flat in the logarithm", "flat in the logit"};
    if (free->prior == PK_PRIOR_NORMAL)
        printf("%s, %s %.6g, sd %.6g%s", normal[free->transform],
               free->transform == PK_TRANSFORM_NONE ? "mean" : "median", free->a, free->b,
               free->transform == PK_TRANSFORM_LOG     ? " of the logarithm"
               : free->transform == PK_TRANSFORM_LOGIT ? " of the logit"
                                                       : "");
    else if (free->prior == PK_PRIOR_BETA)
        printf("beta(%.6g, %.6g)", free->a, free->b);
    else
        printf("%s", flat[free->transform]);
}

static void print_source(const struct pk_source *source, const char *of)
{
    printf("      %s%s: %s\n", of, pk_source_names[source->kind], source->text);
    if (source->caveat != NULL)
        printf("      the source warns: %s\n", source->caveat);
}

static void print_parameters(const struct pk_study *study, const struct pk_model *model)
{
    for (size_t i = 0; i < study->n_free; i++) {
        const struct pk_free_parameter *free = &study->free[i];
        const struct pk_parameter *p = &model->parameters[free->i_parameter];
        printf("  free   %-30s %.7g to %.7g %s; before: ", free->name, free->low, free->high,
               pk_unit_names[p->given_unit]);
        print_prior(free);
        printf("; in the model %.7g%s\n", p->values[0],
               p->values[0] < free->low || p->values[0] > free->high ? ", which is outside" : "");
        print_source(&p->source, "the model's is ");
    }
    for (size_t i = 0; i < study->n_tied; i++) {
        const struct pk_tied_parameter *tied = &study->tied[i];
        printf("  tied   %-30s = %.7g x %s", tied->name, tied->times, study->free[tied->i_free].name);
        if (tied->plus > 0 || tied->plus < 0)
            printf(" %c %.7g", tied->plus < 0 ? '-' : '+', tied->plus < 0 ? -tied->plus : tied->plus);
        printf(" %s\n", pk_unit_names[model->parameters[tied->i_parameter].given_unit]);
    }
}

static void print_target(const struct pk_calibration_target *target, const struct pk_scenario *scenario)
{
    static const char *const ways[] = {"", " less that of ", " over that of "};
    printf("  target %-30s %s of %s%s%s%s%s: ", target->name, scenario->outcomes[target->i_outcome].name,
           scenario->arms[target->i_arm].name, ways[target->as],
           target->as == PK_TARGET_VALUE ? "" : scenario->arms[target->i_against].name,
           target->per_person ? ", per person" : "", target->enrolled ? ", of those enrolled" : "");
    switch (target->likelihood) {
    case PK_LIKELIHOOD_BINOMIAL:
        printf("%.7g of %.7g people (binomial)\n", target->value, target->of);
        break;
    case PK_LIKELIHOOD_POISSON:
        printf("%.7g events (Poisson)\n", target->value);
        break;
    case PK_LIKELIHOOD_LOG_NORMAL:
        printf("%.7g, s.e. of its logarithm %.7g (log-normal)\n", target->value, target->standard_error);
        break;
    default:
        printf("%.7g, s.e. %.7g (normal)\n", target->value, target->standard_error);
    }
    print_source(&target->source, "");
}

/* A sweep: what is varied and told, and how many points that makes. */
static enum pk_status check_sweep(const char *path, const struct pk_study *study, const struct pk_scenario *scenario,
                                  const struct pk_model *model, bool quiet, struct pk_error *error)
{
    const struct pk_sweep *sweep = study->sweep;
    const bool ours = study->scenario_file != NULL;
    struct pk_sample sample;
    size_t n_points;
    uint64_t identity;
    enum pk_status status = pk_sample_points(study, &n_points, error);
    if (status == PK_OK && ours) /* the scenario's own values have a meaning */
        status = pk_sweeping_identity(study, scenario, model, &identity, error);
    if (status == PK_OK)
        status = pk_sample_make(&sample, study, ours ? scenario : NULL, ours ? model : NULL, 1, 0, 0, 1, error);
    if (status != PK_OK || quiet) {
        if (status == PK_OK)
            pk_sample_free(&sample);
        return status;
    }
    printf("%s: study %s of %s, %s, %zu factors in %zu groups, %zu points: %s\n", path, study->name,
           ours ? study->scenario_file : "a model that is not ours", pk_method_names[sweep->method], sweep->n_factors,
           sweep->n_groups, n_points, study->title);
    for (size_t f = 0; f < sample.n_factors; f++) {
        const struct pk_sample_factor *factor = &sample.factors[f];
        printf("  varied %-30s %s %s", factor->name, factor->told, factor->unit);
        if (factor->kind == PK_FACTOR_PARAMETER)
            printf("; in the scenario %.7g", factor->base);
        printf("%s%s\n", factor->source_kind[0] != '\0' ? "; " : "", factor->source_kind);
    }
    for (size_t i = 0; i < sweep->n_followers; i++)
        printf("  tied   %-30s = %.7g x %s %+.7g\n", sweep->followers[i].name, sweep->followers[i].times,
               sweep->factors[sweep->followers[i].i_factor].name, sweep->followers[i].plus);
    for (size_t k = 0; k < sample.n_figures; k++)
        printf("  figure %-30s %s\n", sample.figures[k].name, sample.figures[k].label);
    if (ours && sweep->replications > 0)
        printf("  %lld replications a point, %s; to be run by polku sweep %s\n", (long long)sweep->replications,
               sweep->independent ? "each draw in a world of its own" : "all in the same world", path);
    else if (ours)
        printf("  as many replications as keep simulation below %.3g %% of the variance; to be run by polku sweep %s\n",
               100 * sweep->simulation_share, path);
    pk_sample_free(&sample);
    return PK_OK;
}

enum pk_status pk_cli_check_study(const char *path, bool quiet, struct pk_problems *problems, struct pk_error *error)
{
    struct pk_study study;
    struct pk_scenario scenario;
    struct pk_model model;
    struct pk_text obstacle;
    bool by_twin = false;
    enum pk_status status = pk_load_study(path, &pk_cli_load_options, &study, &scenario, &model, problems);
    if (status != PK_OK)
        return status;
    pk_text_init(&obstacle);
    if (study.sweep != NULL)
        status = check_sweep(path, &study, &scenario, &model, quiet, error);
    else
        status = pk_calibrate_objective(&study, &scenario, &model, &by_twin, &obstacle, error);
    if (status == PK_OK && obstacle.failed)
        status = pk_error_set(error, PK_NO_MEMORY, "no memory to check the study");
    if (status != PK_OK) {
        if (error->file[0] == '\0')
            snprintf(error->file, sizeof error->file, "%s", path);
        pk_problems_add(problems, error);
    } else if (!quiet && study.sweep == NULL) {
        printf("%s: study %s of the scenario %s, %zu free parameters, %zu tied to them, %zu targets: %s\n", path,
               study.name, study.scenario_file, study.n_free, study.n_tied, study.n_targets, study.title);
        print_parameters(&study, &model);
        for (size_t i = 0; i < study.n_targets; i++)
            print_target(&study.targets[i], &scenario);
        if (by_twin)
            printf("  by the analytic twin, which follows every target\n");
        else
            printf("  by simulation on common random numbers, not by the analytic twin: %s\n",
                   pk_text_string(&obstacle));
        printf("  %lld draws of the sample; to be calibrated by polku calibrate %s\n", (long long)study.draws, path);
    }
    pk_text_free(&obstacle);
    pk_study_free(&study);
    pk_scenario_free(&scenario);
    pk_model_free(&model);
    return status;
}
