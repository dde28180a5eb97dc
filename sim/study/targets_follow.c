/* Which targets the analytic twin can follow. See calibrate_private.h. */
#include <stdint.h>

#include "calibrate_private.h"
#include "polku/kinds.h"
#include "polku/lottery.h"

bool pk_targets_cut_lives(enum pk_measure measure)
{
    return measure == PK_MEASURE_FIRST_ENTRY || measure == PK_MEASURE_MEAN_AGE;
}

size_t pk_targets_lottery(const struct pk_plan *plan, size_t i_arm)
{
    return plan->arms[i_arm].n_enrolments > 0 ? plan->arms[i_arm].enrolments[0].i_lottery : SIZE_MAX;
}

static const char *outcome_obstacle(const struct pk_outcome *outcome, const struct pk_plan *plan,
                                    const struct pk_values *values)
{
    if (outcome->measure == PK_MEASURE_REWARD || outcome->i_reward != SIZE_MAX)
        return "is a sum of rewards";
    if (pk_number_value(&outcome->discount.rate, values) != 0)
        return "is discounted";
    if (outcome->entrants)
        return "is about people who flow in";
    for (size_t s = 0; pk_targets_cut_lives(outcome->measure) && s < plan->n_states; s++) {
        const double *cumulative = plan->origin.start_state.cumulative;
        bool begins = plan->people.n == 0 && cumulative[s] > (s > 0 ? cumulative[s - 1] : 0);
        for (size_t i = 0; i < plan->people.n && !begins; i++)
            begins = plan->people.states[i] == s;
        if (outcome->states[s] && begins && !plan->states[s].absorbing)
            return "is a first entry into states where people start";
    }
    return NULL;
}

static const char *arm_obstacle(const struct pk_plan *plan, size_t i_arm)
{
    const struct pk_plan_arm *arm = &plan->arms[i_arm];
    struct pk_enrolled items[PK_MAX_ENROLMENTS];
    struct pk_treatment treatment = {.n = 0};
    size_t i_transition;
    if (arm->queued)
        return "has places that people wait for, or jobs that they take from each other";
    if (arm->has_start)
        return "lets people start in other states";
    for (size_t i = 0; i < arm->n_enrolments; i++) {
        if (arm->enrolments[i].i_lottery != arm->enrolments[0].i_lottery)
            return "enrols several groups of people";
        if (plan->lotteries[arm->enrolments[i].i_lottery].at_entry)
            return "enrols those who flow in";
    }
    if (arm->n_enrolments == 0)
        return NULL;
    pk_lottery_treatment(plan, i_arm, UINT64_C(1) << arm->enrolments[0].i_lottery, NULL, NULL, items, &treatment);
    return pk_twin_obstacle(plan, &treatment, &i_transition) != NULL ? "has effects that it does not follow" : NULL;
}

/* The cohort of one arm under another is followed where that one enrols nobody or by the same lottery. */
static const char *cohort_obstacle(const struct pk_plan *plan, const struct pk_figure *figure)
{
    if (figure->i_cohort_of == SIZE_MAX || pk_targets_lottery(plan, figure->i_arm) == SIZE_MAX ||
        pk_targets_lottery(plan, figure->i_arm) == pk_targets_lottery(plan, figure->i_cohort_of))
        return NULL;
    return "enrols others than those that the target is about";
}

bool pk_targets_has_twin(const struct pk_targets *targets, const struct pk_plan *plan, const struct pk_values *values,
                         struct pk_text *obstacle)
{
    bool has = true;
    if (plan->inflow.n_years > 0 || plan->people.n > PK_KINDS_MAX_ROWS) {
        if (obstacle != NULL)
            pk_text_put(obstacle, plan->people.n > 0 ? "more people are imported than it follows"
                                                     : "people flow in, whom it does not follow");
        return false;
    }
    for (size_t t = 0; t < targets->study->n_targets && has; t++) {
        struct pk_figure figures[2];
        const size_t n = pk_target_figures(&targets->study->targets[t], figures);
        for (size_t k = 0; k < n && has; k++) {
            const char *of_arm = arm_obstacle(plan, figures[k].i_arm);
            of_arm = of_arm != NULL ? of_arm : cohort_obstacle(plan, &figures[k]);
            const char *of_outcome = outcome_obstacle(&targets->outcomes[figures[k].i_outcome], plan, values);
            has = of_arm == NULL && of_outcome == NULL;
            if (!has && obstacle != NULL)
                pk_text_addf(obstacle, "%s %s %s", of_outcome != NULL ? "the outcome" : "the arm",
                             of_outcome != NULL ? targets->outcomes[figures[k].i_outcome].name
                                                : targets->scenario.arms[figures[k].i_arm].name,
                             of_outcome != NULL ? of_outcome : of_arm);
        }
    }
    return has;
}
