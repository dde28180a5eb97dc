/* libFuzzer entry: any text as a model beside the good scenario, or as a scenario beside the good model (the first byte
 * chooses), through loading, conversion and compilation. What is found must be told in clean text with its place.
 *
 * Seeds: models/, configs/ and tests/data, each behind a byte 0 (model) or 1 (scenario). */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "polku/file.h"
#include "polku/load.h"
#include "polku/source.h"
#include "polku/variants.h"
#include "polku/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *fixed[2]; /* the good model, the good scenario */
static size_t fixed_sizes[2];

/* Beside this file in the tree. */
static void read_fixed(void)
{
    static const char *const names[] = {"../data/good/model.yaml", "../data/good/scenario.yaml"};
    static const char here[] = __FILE__;
    const char *slash = strrchr(here, '/');
    for (int i = 0; i < 2; i++) {
        char path[4096];
        struct pk_error error;
        snprintf(path, sizeof path, "%.*s%s", slash != NULL ? (int)(slash - here) + 1 : 0, here, names[i]);
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pk_scenario scenario;
    struct pk_model model;
    struct pk_problems problems;
    if (size == 0 || size > 32768)
        return 0;
    if (fixed[0] == NULL)
        read_fixed();
    bool is_model = data[0] % 2 == 0;
    const char *text = (const char *)data + 1;
    pk_problems_init(&problems);
    enum pk_status status = pk_load_texts("scenario", is_model ? fixed[1] : text, is_model ? fixed_sizes[1] : size - 1,
                                          "model", is_model ? text : fixed[0], is_model ? size - 1 : fixed_sizes[0],
                                          NULL, NULL, &scenario, &model, &problems);
    if (status != PK_OK && status != PK_BAD_INPUT)
        abort();
    if ((status == PK_OK) != (pk_problems_errors(&problems) == 0))
        abort();
    for (size_t i = 0; i < problems.n_kept; i++) {
        char line[1024];
        struct pk_source_fault fault;
        const struct pk_error *problem = &problems.items[i];
        pk_error_text(problem, line, sizeof line);
        if (problem->line == 0 || problem->message[0] == '\0' || pk_source_first_fault(line, strlen(line), "", &fault))
            abort();
    }
    if (status == PK_OK) {
        if (is_small(&model, &scenario))
            compile(&model, &scenario);
        pk_scenario_free(&scenario);
        pk_model_free(&model);
    }
    pk_problems_free(&problems);
    return 0;
}
