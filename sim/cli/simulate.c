/* From a loaded scenario to a result file: what run and rerun share. See simulate.h. */
#include "simulate.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "polku/bridge.h"
#include "polku/hash.h"

/* Before the work: could the result get its name afterwards? */
static enum pk_status check_output(const char *output, struct pk_error *error)
{
    char directory[4096];
    struct stat about;
    pk_cli_folder_of(output, directory, sizeof directory);
    enum pk_status status = PK_OK;
    if (output[0] == '\0')
        return pk_error_set(error, PK_IO, "the name of the result file is empty");
    if (stat(output, &about) == 0 && S_ISDIR(about.st_mode))
        status = pk_error_set(error, PK_IO, "is a directory, expected the name of a file");
    else if (access(directory, W_OK | X_OK) != 0)
        status = pk_error_set(error, PK_IO, "cannot create the file: %s", strerror(errno));
    if (status != PK_OK)
        snprintf(error->file, sizeof error->file, "%.255s", output);
    return status;
}

/* Simulates with everything that must be freed in `job`. */
struct job {
    struct pk_values values;
    struct pk_plan plan;
    struct pk_run run;
    struct pk_variants variants;
    struct pk_bridge_work bridge;
    struct pk_log log;
    struct pk_text warnings;
    double ticks_per_second;
};

/* Where finished replications are kept until the result is whole. */
static const char *part_file(const char *output, char *path, size_t size)
{
    snprintf(path, size, "%s.part", output);
    return path;
}

/* Of everything that the figures depend on. */
static uint64_t identity_of(const struct job *job, const struct pk_simulate_request *request,
                            const struct pk_model *model, const struct pk_scenario *scenario)
{
    uint64_t sum = pk_plan_digest(&job->plan);
    pk_hash_mix(&sum, model->text, model->text_size);
    pk_hash_mix(&sum, scenario->text, scenario->text_size);
    pk_hash_mix(&sum, job->values.used, job->values.n * sizeof *job->values.used);
    pk_hash_mix(&sum, &request->replications, sizeof request->replications);
    return sum;
}

static void tell_of_precision(struct job *job, const struct pk_simulate_request *request, struct pk_scenario *scenario)
{
    const struct pk_precision *wanted = &scenario->precision;
    if (job->run.n_resumed > 0)
        fprintf(stderr, "took up %lld replications that an interrupted run had finished\n",
                (long long)job->run.n_resumed);
    if (wanted->i_outcome == SIZE_MAX || request->replications > 0)
        return;
    if (job->run.n_replications < scenario->variant_replications)
        scenario->variant_replications = job->run.n_replications;
    if (job->run.precise)
        return;
    struct pk_text line;
    pk_text_init(&line);
    pk_text_addf(&line, "the standard error of %s is %.4g after %lld replications, not the wanted %.4g\n",
                 scenario->outcomes[wanted->i_outcome].name, job->run.reached, (long long)job->run.n_replications,
                 wanted->standard_error);
    fprintf(stderr, "warning: %s", pk_text_string(&line));
    pk_text_put(&job->warnings, pk_text_string(&line));
    pk_text_free(&line);
}

/* Threads as asked for. Where nobody asked, one for so few lives that others, and the tallies that are made for them,
 * would cost more than they save. */
static int threads_for(const struct pk_simulate_request *request, const struct pk_plan *plan,
                       const struct pk_scenario *scenario)
{
    const double few = 1 << 14;
    const int64_t asked = request->replications;
    double lives = (double)plan->n_persons;
    for (size_t y = 0; y < plan->inflow.n_years; y++)
        lives += plan->inflow.mean[y];
    lives *= (double)plan->n_arms * (double)(asked > 0 ? asked : scenario->replications);
    return request->threads > 0 ? (int)request->threads : lives <= few ? 1 : 0;
}

static enum pk_status work(struct job *job, const struct pk_simulate_request *request, const struct pk_model *model,
                           struct pk_scenario *scenario, struct pk_error *error)
{
    struct pk_progress progress;
    struct pk_run_options options = {.block_size = (uint64_t)request->block,
                                     .n_replications = request->replications,
                                     .vectors = request->vectors,
                                     .stages = request->stages,
                                     .progress = pk_progress_tell,
                                     .progress_data = &progress};
    char saved[4096];
    const int64_t planned = request->replications > 0 ? request->replications : scenario->replications,
                  n_variant = scenario->variant_replications;
    enum pk_status status =
        pk_variants_values(&job->values, model, scenario, request->sets, request->n_sets, NULL, 0, error);
    /* the number that the scenario says stays its parameter, so that a rerun is the run that it repeats */
    if (status == PK_OK && request->people > 0 &&
        pk_number_value(&scenario->population.size, &job->values) != (double)request->people)
        scenario->population.size = (struct pk_number){.literal = (double)request->people, .i_parameter = SIZE_MAX};
    if (status == PK_OK)
        status = pk_plan_compile(&job->plan, model, scenario, &job->values, error);
    /* before the work: is the run where the bridge ends? */
    if (status == PK_OK && request->variants)
        status = pk_bridge_init(&job->bridge, model, scenario, request->sets, request->n_sets, planned, error);
    if (status != PK_OK)
        return status;
    options.n_threads = threads_for(request, &job->plan, scenario);
    if (request->output != NULL) {
        options.saved = part_file(request->output, saved, sizeof saved);
        options.save_seconds = (double)request->keep_seconds;
        options.identity = identity_of(job, request, model, scenario);
    }
    if (pk_variants_lowering(&job->plan, model, &job->warnings) > 0)
        fprintf(stderr, "warning: %s", pk_text_string(&job->warnings));
    pk_progress_begin(&progress, "simulating");
    const uint64_t ticks = pk_stages_now();
    const double began = pk_seconds_now();
    status = pk_run_simulate(&job->run, &job->plan, model, scenario, &job->values, &options, error);
    job->ticks_per_second = (double)(pk_stages_now() - ticks) / (pk_seconds_now() - began);
    pk_progress_end(&progress);
    if (status == PK_OK)
        tell_of_precision(job, request, scenario);
    if (status == PK_OK && request->variants && scenario->variant_replications != n_variant) { /* it stopped early */
        pk_bridge_free(&job->bridge);
        status = pk_bridge_init(&job->bridge, model, scenario, request->sets, request->n_sets, planned, error);
    }
    if (status == PK_OK && request->variants) {
        pk_progress_begin(&progress, "variants");
        status = pk_variants_run(&job->variants, model, scenario, request->sets, request->n_sets, &job->bridge,
                                 &options, error);
        pk_progress_end(&progress);
    }
    if (status == PK_OK && request->variants)
        status = pk_bridge_tell(&job->bridge, scenario, &job->values, &job->run, &job->variants, error);
    if (status == PK_OK && scenario->log_persons > 0)
        status = pk_log_make(&job->log, &job->plan, scenario->log_persons, scenario->log_enrolled, error);
    return status;
}

enum pk_status pk_simulate(const struct pk_simulate_request *request, const struct pk_model *model,
                           struct pk_scenario *scenario, struct pk_simulate_summary *summary, struct pk_error *error)
{
    struct job job;
    memset(&job, 0, sizeof job);
    memset(summary, 0, sizeof *summary);
    pk_plan_init(&job.plan);
    pk_text_init(&job.warnings);
    if (request->replications > 0 && request->replications < scenario->variant_replications)
        scenario->variant_replications = request->replications;
    enum pk_status status = request->output != NULL ? check_output(request->output, error) : PK_OK;
    if (status == PK_OK)
        status = work(&job, request, model, scenario, error);
    if (status == PK_OK) {
        struct pk_store store = {.run = &job.run,
                                 .model = model,
                                 .scenario = scenario,
                                 .values = &job.values,
                                 .plan = &job.plan,
                                 .n_variants = job.variants.n,
                                 .variants = job.variants.items,
                                 .bridge = &job.bridge.figures,
                                 .log = &job.log,
                                 .replications_asked = request->replications,
                                 .n_sets = request->n_sets,
                                 .sets = request->sets,
                                 .command = pk_cli_command_line,
                                 .warnings = pk_text_string(&job.warnings)};
        const double began = pk_seconds_now();
        status = pk_store_save(&store, request->output, summary->digest, error);
        summary->write_seconds = pk_seconds_now() - began;
        if (status == PK_OK && request->output != NULL) {
            char saved[4096];
            remove(part_file(request->output, saved, sizeof saved)); /* usually there is none */
        }
        summary->n_persons = job.plan.n_persons;
        summary->n_replications = job.run.n_replications;
        summary->n_events = job.run.fold.n_events;
        summary->n_variants = job.variants.n;
        summary->n_threads = job.run.n_threads;
        summary->seconds = job.run.seconds;
        summary->ticks_per_second = job.ticks_per_second;
    }
    pk_text_free(&job.warnings);
    pk_log_free(&job.log);
    pk_bridge_free(&job.bridge);
    pk_variants_free(&job.variants);
    pk_run_free(&job.run);
    pk_plan_free(&job.plan);
    pk_values_free(&job.values);
    return status;
}
