/* One scenario of a claims file: its result, made or found. See claims_run.h. */
#include "claims_run.h"

#include <stdio.h>
#include <string.h>

#include "polku/memory.h"
#include "polku/provenance.h"
#include "polku/results.h"

/* ---- is the result that is there this one? ------------------------------------------------------------------ */

static bool text_is(struct pk_results *results, const char *group, const char *name, const char *wanted)
{
    struct pk_error unread;
    char *text = NULL;
    const bool same = pk_results_read_text(results, group, name, &text, &unread) == PK_OK && strcmp(text, wanted) == 0;
    pk_free(text);
    return same;
}

/* Files that the model or the scenario names: the same names with the same texts in the same order. */
static bool files_are(struct pk_results *results, const char *group, const struct pk_attachments *wanted)
{
    char path[PK_RESULTS_NAME_BYTES * 2], name[PK_RESULTS_NAME_BYTES], **names = NULL;
    struct pk_error unread;
    size_t n = 0;
    snprintf(path, sizeof path, "%s/names", group);
    if (!pk_results_has(results, path))
        return wanted->n == 0;
    bool same = pk_results_read_texts(results, path, &names, &n, &unread) == PK_OK && n == wanted->n;
    for (size_t i = 0; i < n && same; i++) {
        snprintf(name, sizeof name, "text_%zu", i);
        same = strcmp(names[i], wanted->items[i].name) == 0 && text_is(results, group, name, wanted->items[i].text);
    }
    pk_free(names);
    return same;
}

static bool has_variants(const struct pk_scenario *scenario, const struct pk_model *model)
{
    bool any = scenario->n_variants > 0;
    for (size_t i = 0; i < model->n_parameters; i++)
        any |= scenario->ranges && model->parameters[i].has_range;
    return any;
}

/* The plan, as the result has it: people set by an option are seen in it, as is another way to compile. */
static bool plan_is(struct pk_results *results, const struct pk_scenario *scenario, const struct pk_model *model)
{
    char digest[24] = "";
    struct pk_values values;
    struct pk_plan plan;
    struct pk_error unread;
    if (pk_variants_values(&values, model, scenario, NULL, 0, NULL, 0, &unread) != PK_OK)
        return false;
    pk_plan_init(&plan);
    if (pk_plan_compile(&plan, model, scenario, &values, &unread) == PK_OK)
        snprintf(digest, sizeof digest, "%016llx", (unsigned long long)pk_plan_digest(&plan));
    pk_plan_free(&plan);
    pk_values_free(&values);
    return text_is(results, "/", "plan_digest", digest);
}

static bool is_there(const struct pk_claims_run *asked, const struct pk_scenario *scenario,
                     const struct pk_model *model)
{
    struct pk_results *results = NULL;
    struct pk_error unread;
    int64_t replications = -1, seed = -1;
    if (pk_results_open(asked->result, &results, &unread) != PK_OK)
        return false;
    const bool same =
        text_is(results, "/", "polku_version", pk_provenance_version()) &&
        text_is(results, "/provenance", "scenario_text", scenario->text) &&
        text_is(results, "/provenance", "model_text", model->text) &&
        text_is(results, "/provenance", "overrides", "") &&
        files_are(results, "/provenance/model_files", &model->attachments) &&
        files_are(results, "/provenance/scenario_files", &scenario->attachments) &&
        pk_results_read_integer(results, "/", "seed", &seed, &unread) == PK_OK && seed == (int64_t)scenario->seed &&
        pk_results_read_integer(results, "/provenance", "replications_asked", &replications, &unread) == PK_OK &&
        replications == asked->replications && plan_is(results, scenario, model) &&
        (!asked->variants || !has_variants(scenario, model) || pk_results_has(results, "/variants/variant"));
    if (same && !text_is(results, "/host", "git_revision", pk_provenance_revision()))
        fprintf(stderr, "%s is of another revision of the program, of the same version; --again makes it anew\n",
                asked->result);
    pk_results_close(results);
    return same;
}

/* ---- making it ---------------------------------------------------------------------------------------------- */

enum pk_status pk_claims_run(const char *scenario_path, const struct pk_claims_run *asked, bool *reused,
                             struct pk_error *error)
{
    struct pk_scenario scenario;
    struct pk_model model;
    struct pk_problems problems;
    struct pk_simulate_summary summary;
    pk_problems_init(&problems);
    enum pk_status status = pk_load_scenario(scenario_path, &pk_cli_load_options, &scenario, &model, &problems);
    if (status != PK_OK || problems.n_found > 0)
        (void)pk_cli_problems(&problems, status);
    pk_problems_free(&problems);
    if (status != PK_OK)
        return pk_error_set(error, status, "the scenario %s changed since the claims were read", scenario_path);
    pk_cli_tell_marks(&scenario);
    *reused = !asked->again && is_there(asked, &scenario, &model);
    if (!*reused) {
        const struct pk_simulate_request request = {.output = asked->result,
                                                    .threads = asked->threads,
                                                    .replications = asked->replications,
                                                    .variants = asked->variants,
                                                    .keep_seconds = 20};
        status = pk_simulate(&request, &model, &scenario, &summary, error);
        if (status != PK_OK && error->file[0] == '\0')
            snprintf(error->file, sizeof error->file, "%.255s", scenario_path);
    }
    pk_scenario_free(&scenario);
    pk_model_free(&model);
    return status;
}
