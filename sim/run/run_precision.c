/* What a run's standard errors come from, and how large one is so far. See run.h. */
#include "polku/run.h"

double pk_run_precision(const struct pk_run *run, const struct pk_scenario *scenario, const struct pk_values *values,
                        size_t i_outcome, size_t i_arm, size_t i_against)
{
    const struct pk_fold *fold = &run->fold;
    const size_t i_population = pk_fold_compared(fold);
    const double scale = pk_number_value(&scenario->per_persons, values);
    if (pk_outcome_is_ratio(&scenario->outcomes[i_outcome]))
        return pk_fold_outcome(fold, i_population, i_arm, i_against, i_outcome).standard_error;
    if (!(scale > 0)) { /* told for all people */
        const double n_replications = (double)fold->i_unit / (double)run->n_batches;
        return pk_fold_total(fold, i_population, i_arm, i_against, i_outcome, n_replications).standard_error;
    }
    return scale * pk_fold_outcome(fold, i_population, i_arm, i_against, i_outcome).standard_error;
}

int64_t pk_run_batches(const struct pk_scenario *scenario, int64_t n_replications)
{
    /* who imported people are is no chance, and how many flow in shows between replications only */
    if (scenario->population.people.n > 0 || (scenario->population.inflow.any && n_replications > 1))
        return 1;
    for (size_t a = 0; a < scenario->n_arms; a++) { /* who waits for the same places, or jobs: no independent batches */
        if (scenario->arms[a].displaces)
            return 1;
        for (size_t i = 0; i < scenario->arms[a].n_enrolments; i++)
            if (scenario->arms[a].enrolments[i].queued)
                return 1;
    }
    return (scenario->batches + n_replications - 1) / n_replications;
}
