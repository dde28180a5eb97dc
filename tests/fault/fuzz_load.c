/* libFuzzer entry: any text as a model beside a good scenario, or as a scenario beside a good model, as one of the
 * tables and calibrated files that these name, or as a study of the scenario or claims about it (the first byte
 * chooses), through loading, conversion and compilation.
 * What is found must be told in clean text with its place.
 *
 * Seeds: models/, configs/ and tests/data, each behind a byte 0 (model), 1 (scenario), 2 and 3 (the same of the open
 * population), 4 to 6 (tables), 7 (a calibrated file), 8 (the scenario that names it), 9 to 12 (a model with a ledger
 * of evidence, its scenario, the ledger, a calibrated file), 13 (a study), 14 (claims), 15 to 18 (a model that says how
 * uncertain it is, its scenario, draws, estimates). */
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "polku/calibrate.h"
#include "polku/claims.h"
#include "polku/file.h"
#include "polku/load.h"
#include "polku/sample.h"
#include "polku/source.h"
#include "polku/uncertainty.h"
#include "polku/variants.h"
#include "polku/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    MODEL,
    SCENARIO,
    OPEN_MODEL,
    OPEN_SCENARIO,
    IMPORTED,
    DEATHS,
    DIAGNOSES,
    PEOPLE,
    FITTED,
    RATES,
    WINDOW,
    CITED_MODEL,
    CITED,
    EVIDENCE,
    CITED_FIT,
    STUDY,
    CLAIMED_MODEL,
    CLAIMED,
    CLAIMS,
    UNCERTAIN_MODEL,
    UNCERTAIN,
    DRAWS,
    ESTIMATES,
    N_FIXED
};
static char *fixed[N_FIXED]; /* good ones */
static size_t fixed_sizes[N_FIXED];

/* Beside this file in the tree. */
static void read_fixed(void)
{
    static const char *const names[] = {
        "model.yaml",        "scenario.yaml",       "mortality.yaml",         "open.yaml",
        "imported.yaml",     "deaths.csv",          "diagnoses.csv",          "people.csv",
        "fitted.yaml",       "fitted_rates.yaml",   "fitted_window.yaml",     "cited_model.yaml",
        "cited.yaml",        "cited_evidence.csv",  "cited_fit.yaml",         "study.yaml",
        "claims_model.yaml", "claims_static.yaml",  "claims_short.yaml",      "uncertain_model.yaml",
        "uncertain.yaml",    "uncertain_draws.csv", "uncertain_estimates.csv"};
    static const char here[] = __FILE__;
    const char *slash = strrchr(here, '/');
    for (int i = 0; i < N_FIXED; i++) {
        char path[4096];
        struct pk_error error;
        snprintf(path, sizeof path, "%.*s../data/good/%s", slash != NULL ? (int)(slash - here) + 1 : 0, here, names[i]);
        if (pk_file_read(path, PK_YAML_BYTES_MAX, &fixed[i], &fixed_sizes[i], &error) != PK_OK)
            abort();
    }
}

/* Small enough for a second: a conversion walks all strata, states and months up to its horizon. */
static bool is_small(const struct pk_model *model, const struct pk_scenario *scenario)
{
    size_t n_groups = 1, n_conversions = 0;
    for (size_t a = 0; a < model->n_attributes; a++)
        n_groups *= n_groups < 1000 ? model->attributes[a].n_values : 1;
    for (size_t i = 0; i < model->n_parameters; i++) {
        const struct pk_parameter *p = &model->parameters[i];
        if (p->given != PK_GIVEN_PROBABILITY || !p->exits)
            continue;
        n_conversions++;
        if (!(model->parameters[p->i_by].values[0] <= 2))
            return false;
    }
    return n_groups <= 16 && n_conversions <= 2 && model->n_states <= 8 && model->n_transitions <= 16 &&
           scenario->n_sets == 0;
}

static void compile(const struct pk_model *model, const struct pk_scenario *scenario)
{
    struct pk_values values;
    struct pk_plan plan;
    struct pk_error error;
    if (pk_variants_values(&values, model, scenario, NULL, 0, NULL, 0, &error) != PK_OK)
        return;
    pk_plan_init(&plan);
    if (pk_plan_compile(&plan, model, scenario, &values, &error) == PK_OK)
        (void)pk_plan_digest(&plan);
    pk_plan_free(&plan);
    pk_values_free(&values);
}

/* What is drawn of parameters, also by the most extreme uniforms, are values that they may have. */
static void draw(const struct pk_model *model)
{
    static const double us[] = {0x1p-53, 0.001, 0.5, 0.731, 1 - 0x1p-53};
    double values[PK_MAX_PARAMETERS], u[PK_MAX_UNCERTAIN_TOGETHER], low, high;
    for (size_t k = 0; k < sizeof us / sizeof *us; k++) {
        for (size_t i = 0; i < model->n_parameters; i++) {
            struct pk_uncertainty room;
            const struct pk_uncertainty *uncertainty = pk_uncertainty_of(&model->parameters[i], &room);
            values[i] =
                uncertainty != NULL ? pk_uncertainty_quantile(uncertainty, us[k]) : model->parameters[i].values[0];
        }
        for (size_t s = 0; s < model->n_uncertain_sets; s++) {
            for (size_t c = 0; c < PK_MAX_UNCERTAIN_TOGETHER; c++)
                u[c] = us[(k + c * s) % (sizeof us / sizeof *us)];
            pk_uncertain_set_values(&model->uncertain_sets[s], model, u, values);
        }
        for (size_t i = 0; i < model->n_parameters; i++) {
            pk_unit_interval(model->parameters[i].given_unit, &low, &high);
            if (!(values[i] >= low && (values[i] <= high || model->parameters[i].given_unit == PK_UNIT_YEARS)))
                abort();
        }
    }
}

/* A problem for each fault, in clean text, with its place. */
static void judge(const struct pk_problems *problems, enum pk_status status)
{
    if (status != PK_OK && status != PK_BAD_INPUT)
        abort();
    if ((status == PK_OK) != (pk_problems_errors(problems) == 0))
        abort();
    for (size_t i = 0; i < problems->n_kept; i++) {
        char line[1024];
        struct pk_source_fault fault;
        const struct pk_error *problem = &problems->items[i];
        pk_error_text(problem, line, sizeof line);
        if (problem->line == 0 || problem->message[0] == '\0' || pk_source_first_fault(line, strlen(line), "", &fault))
            abort();
    }
}

/* The points of a sweep, if they are few: values that parameters may have. */
static void make_points(const struct pk_study *study, const struct pk_scenario *scenario, const struct pk_model *model)
{
    struct pk_sample sample;
    struct pk_error error = {0};
    size_t n = 0;
    const bool ours = study->scenario_file != NULL;
    if (pk_sample_points(study, &n, &error) != PK_OK || n > 500)
        return;
    const enum pk_status status =
        pk_sample_make(&sample, study, ours ? scenario : NULL, ours ? model : NULL, 1, 0, 0, SIZE_MAX, &error);
    if (status != PK_OK) {
        if (error.message[0] == '\0')
            abort();
        return;
    }
    if (sample.n != n || sample.n_all != n)
        abort();
    for (size_t i = 0; i < sample.n * sample.n_quantities; i++)
        if (isnan(sample.x[i]))
            abort();
    pk_sample_free(&sample);
}

/* The study of the good scenario; whether the twin follows is asked, and nothing is calibrated or swept. */
static void read_study(const char *text, size_t size, struct pk_scenario *scenario, struct pk_model *model)
{
    struct pk_study study;
    struct pk_problems problems;
    pk_problems_init(&problems);
    const enum pk_status status = pk_load_study_text("study", text, size, &study, scenario, model, &problems);
    judge(&problems, status);
    if (status == PK_OK && study.sweep != NULL) {
        make_points(&study, scenario, model);
        pk_study_free(&study);
    } else if (status == PK_OK) {
        struct pk_text obstacle;
        struct pk_error error = {0};
        bool by_twin;
        pk_text_init(&obstacle);
        if (pk_calibrate_objective(&study, scenario, model, &by_twin, &obstacle, &error) != PK_OK &&
            error.message[0] == '\0')
            abort();
        pk_text_free(&obstacle);
        pk_study_free(&study);
    }
    pk_problems_free(&problems);
}

/* Claims, whose every figure is of the one scenario. */
static void read_claims(const char *text, size_t size, struct pk_scenario *scenario, struct pk_model *model)
{
    struct pk_claims claims;
    struct pk_problems problems;
    pk_problems_init(&problems);
    const enum pk_status status = pk_load_claims_text("claims", text, size, &claims, scenario, model, &problems);
    judge(&problems, status);
    for (size_t i = 0; i < claims.n_claims; i++) {
        const struct pk_claim *claim = &claims.claims[i];
        if ((claim->n_dynamic == 0) != (claim->no_dynamic != NULL) || claim->reconstruction.times == 0 ||
            (claim->gap == NULL) != pk_claims_same(claim->printed, claim->gives) || claim->unit[0] == '\0')
            abort();
    }
    pk_claims_free(&claims);
    pk_problems_free(&problems);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pk_scenario scenario;
    struct pk_model model;
    struct pk_problems problems;
    if (size == 0 || size > 32768)
        return 0;
    if (fixed[0] == NULL)
        read_fixed();
    static const int models[] = {MODEL,           MODEL,           OPEN_MODEL,      OPEN_MODEL,     OPEN_MODEL,
                                 OPEN_MODEL,      OPEN_MODEL,      MODEL,           MODEL,          CITED_MODEL,
                                 CITED_MODEL,     CITED_MODEL,     CITED_MODEL,     MODEL,          CLAIMED_MODEL,
                                 UNCERTAIN_MODEL, UNCERTAIN_MODEL, UNCERTAIN_MODEL, UNCERTAIN_MODEL};
    static const int scenarios[] = {SCENARIO,      SCENARIO,  OPEN_SCENARIO, OPEN_SCENARIO, OPEN_SCENARIO,
                                    OPEN_SCENARIO, IMPORTED,  FITTED,        FITTED,        CITED,
                                    CITED,         CITED,     CITED,         SCENARIO,      CLAIMED,
                                    UNCERTAIN,     UNCERTAIN, UNCERTAIN,     UNCERTAIN};
    static const int replaced[] = {MODEL,  SCENARIO,        OPEN_MODEL,  OPEN_SCENARIO, DEATHS,   DIAGNOSES, PEOPLE,
                                   RATES,  FITTED,          CITED_MODEL, CITED,         EVIDENCE, CITED_FIT, STUDY,
                                   CLAIMS, UNCERTAIN_MODEL, UNCERTAIN,   DRAWS,         ESTIMATES};
    const char *texts[N_FIXED];
    size_t sizes[N_FIXED], which = data[0] % 19;
    for (int i = 0; i < N_FIXED; i++) {
        texts[i] = fixed[i];
        sizes[i] = fixed_sizes[i];
    }
    texts[replaced[which]] = (const char *)data + 1;
    sizes[replaced[which]] = size - 1;
    const struct pk_attachments of_model = {.n = 3,
                                            .items = {{"deaths.csv", texts[DEATHS], sizes[DEATHS]},
                                                      {"cited_evidence.csv", texts[EVIDENCE], sizes[EVIDENCE]},
                                                      {"uncertain_draws.csv", texts[DRAWS], sizes[DRAWS]}}};
    const struct pk_attachments of_scenario = {
        .n = 6,
        .items = {{"diagnoses.csv", texts[DIAGNOSES], sizes[DIAGNOSES]},
                  {"people.csv", texts[PEOPLE], sizes[PEOPLE]},
                  {"fitted_rates.yaml", texts[RATES], sizes[RATES]},
                  {"fitted_window.yaml", texts[WINDOW], sizes[WINDOW]},
                  {"cited_fit.yaml", texts[CITED_FIT], sizes[CITED_FIT]},
                  {"uncertain_estimates.csv", texts[ESTIMATES], sizes[ESTIMATES]}}};
    int i_model = models[which], i_scenario = scenarios[which];
    pk_problems_init(&problems);
    enum pk_status status = pk_load_texts("scenario", texts[i_scenario], sizes[i_scenario], "model", texts[i_model],
                                          sizes[i_model], &of_model, &of_scenario, &scenario, &model, &problems);
    judge(&problems, status);
    if (status == PK_OK) {
        draw(&model);
        if (replaced[which] == STUDY)
            read_study(texts[STUDY], sizes[STUDY], &scenario, &model);
        else if (replaced[which] == CLAIMS)
            read_claims(texts[CLAIMS], sizes[CLAIMS], &scenario, &model);
        else if (is_small(&model, &scenario))
            compile(&model, &scenario);
        pk_scenario_free(&scenario);
        pk_model_free(&model);
    }
    pk_problems_free(&problems);
    return 0;
}
