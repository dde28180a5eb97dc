/* How many replications a wanted error needs. See precision.h. */
#include "polku/precision.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { PROBE = 16 }; /* replications: the error of an error is then 18 % */

static void add_row(struct pk_text *text, const struct pk_run *run, const struct pk_plan *plan, const char *what,
                    double se, double wanted)
{
    const double factor = se > 0 ? se * se / (wanted * wanted) : 0;
    const double replications = ceil((double)run->n_replications * factor);
    char people[32] = "-"; /* more people do not help where so many places are given */
    bool places = false;
    for (size_t i = 0; i < plan->n_lotteries; i++)
        places |= !plan->lotteries[i].by_share;
    if (!places && plan->people.n == 0)
        snprintf(people, sizeof people, "%.0f", ceil((double)plan->n_persons * (double)run->n_replications * factor));
    pk_text_addf(text, "  %-36s %12.4g %14.0f %16s %10.1f\n", what, se, replications < 1 ? 1 : replications, people,
                 run->seconds * factor);
}

enum pk_status pk_precision_tell(const struct pk_plan *plan, const struct pk_model *model,
                                 const struct pk_scenario *scenario, const struct pk_values *values,
                                 const char *outcome, double wanted, struct pk_text *text, struct pk_error *error)
{
    struct pk_scenario simple = *scenario;
    struct pk_run run;
    size_t i_outcome;
    enum pk_status status = pk_scenario_outcome(scenario, outcome, &i_outcome, error);
    if (status != PK_OK)
        return status;
    if (!(wanted > 0))
        return pk_error_set(error, PK_BAD_INPUT, "the wanted error of %s must be above 0", outcome);
    simple.n_tables = simple.n_histograms = 0;
    simple.precision.i_outcome = SIZE_MAX;
    const struct pk_run_options options = {.n_replications =
                                               scenario->replications < PROBE ? scenario->replications : PROBE};
    status = pk_run_simulate(&run, plan, model, &simple, values, &options, error);
    if (status != PK_OK)
        return status;
    pk_text_addf(text,
                 "precision: a standard error of %g for %s, from a probe of %lld replications of %llu people in %.2f s "
                 "on %d threads\n  %-36s %12s %14s %16s %10s\n",
                 wanted, outcome, (long long)run.n_replications, (unsigned long long)plan->n_persons, run.seconds,
                 run.n_threads, "", "s.e. now", "replications", "or people in one", "seconds");
    for (size_t a = 0; a < plan->n_arms; a++)
        add_row(text, &run, plan, scenario->arms[a].name,
                pk_run_precision(&run, scenario, values, i_outcome, a, SIZE_MAX), wanted);
    for (size_t b = 0; b < plan->n_arms; b++)
        for (size_t a = b + 1; a < plan->n_arms; a++) {
            char what[160];
            snprintf(what, sizeof what, "%s - %s", scenario->arms[a].name, scenario->arms[b].name);
            add_row(text, &run, plan, what, pk_run_precision(&run, scenario, values, i_outcome, a, b), wanted);
        }
    if (run.n_batches > 1)
        pk_text_addf(text, "  errors come from %lld keyed batches of people\n",
                     (long long)(run.n_batches * run.n_replications));
    pk_run_free(&run);
    return PK_OK;
}
