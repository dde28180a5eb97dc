/* Reading the targets of a study: what the scenario should show, and how well that is known. See study.h. */
#include <string.h>

#include "study_private.h"

/* value with standard_error or log_standard_error; value or events with of; events alone. */
static bool read_likelihood(const struct pk_reader *r, struct pk_calibration_target *target)
{
    struct pk_reader value, error, log_error, of, events;
    const bool has_value = pk_reader_find(r, "value", &value), has_error = pk_reader_find(r, "standard_error", &error),
               has_log = pk_reader_find(r, "log_standard_error", &log_error), has_of = pk_reader_find(r, "of", &of),
               has_events = pk_reader_find(r, "events", &events);
    double n_events = 0;
    if (has_value == has_events || (has_events && (has_error || has_log)) ||
        (has_value && has_error + has_log + has_of != 1)) {
        pk_reader_problem(r, NULL,
                          "expected value with one of standard_error, log_standard_error and of, or events with or "
                          "without of");
        return false;
    }
    if (has_value && !pk_reader_double_in(&value, -1e15, 1e15, &target->value))
        return false;
    if (has_of && !pk_reader_double_in(&of, 1, 1e12, &target->of))
        return false;
    if (has_events && !pk_reader_double_in(&events, 0, has_of ? target->of : 1e12, &n_events))
        return false;
    if (has_of) {
        target->likelihood = PK_LIKELIHOOD_BINOMIAL;
        target->value = has_events ? n_events / target->of : target->value;
        if (target->value < 0 || target->value > 1)
            return pk_reader_mismatch(&value, "a share from 0 to 1, as it is one of so many people", NULL);
        return true;
    }
    if (has_events) {
        target->likelihood = PK_LIKELIHOOD_POISSON;
        target->value = n_events;
        return true;
    }
    target->likelihood = has_log ? PK_LIKELIHOOD_LOG_NORMAL : PK_LIKELIHOOD_NORMAL;
    if (has_log && !(target->value > 0))
        return pk_reader_mismatch(&value, "a number above 0, as its logarithm has an error", NULL);
    return pk_reader_double_in(has_log ? &log_error : &error, 1e-12, 1e15, &target->standard_error);
}

static bool read_what(struct pk_study_load *s, const struct pk_reader *r, struct pk_calibration_target *target)
{
    static const char *const ways[] = {"value", "difference", "ratio"}, *const per[] = {"person", "all"},
                             *const people[] = {"everyone", "enrolled"};
    const struct pk_scenario *scenario = s->load.scenario;
    struct pk_reader child;
    size_t choice = 0;
    target->i_against = SIZE_MAX;
    if (!pk_reader_need(r, "outcome", &child) ||
        !pk_reader_choice(&child, s->outcomes, scenario->n_outcomes, &target->i_outcome, "an outcome of the scenario"))
        return false;
    if (pk_reader_find(r, "arm", &child) &&
        !pk_reader_choice(&child, s->arms, scenario->n_arms, &target->i_arm, "an arm of the scenario"))
        return false;
    if (pk_reader_find(r, "against", &child)) {
        if (!pk_reader_choice(&child, s->arms, scenario->n_arms, &target->i_against, "an arm of the scenario"))
            return false;
        target->as = PK_TARGET_DIFFERENCE;
        if (pk_reader_need(r, "as", &child) && pk_reader_choice(&child, ways, 3, &choice, "a comparison"))
            target->as = (enum pk_target_as)choice;
        if (target->as == PK_TARGET_VALUE)
            return pk_reader_mismatch(&child, "difference or ratio", NULL);
    } else if (pk_reader_find(r, "as", &child)) {
        pk_reader_problem(&child, NULL, "compares with another arm: say against");
        return false;
    }
    const struct pk_outcome *outcome = &scenario->outcomes[target->i_outcome];
    target->per_person = !pk_measure_is_ratio(outcome->measure) && !scenario->population.inflow.any;
    if (pk_reader_find(r, "per", &child)) {
        if (!pk_reader_choice(&child, per, 2, &choice, "what the outcome is told for"))
            return false;
        target->per_person = choice == 0;
        if (choice == 0 && pk_measure_is_ratio(outcome->measure))
            pk_reader_problem(&child, NULL, "%s is a mean already", outcome->name);
        if (choice == 0 && scenario->population.inflow.any)
            pk_reader_problem(&child, NULL, "people flow in, so that nobody knows of how many it is the share");
    }
    if (pk_reader_find(r, "people", &child)) {
        if (!pk_reader_choice(&child, people, 2, &choice, "the people meant"))
            return false;
        target->enrolled = choice == 1;
        if (target->enrolled && scenario->arms[target->i_arm].n_enrolments == 0)
            pk_reader_problem(&child, NULL, "the arm %s enrols nobody", scenario->arms[target->i_arm].name);
    }
    return true;
}

static void read_target(struct pk_study_load *s, const struct pk_reader *r, const char *name)
{
    static const char *const keys[] = {"outcome",
                                       "arm",
                                       "against",
                                       "as",
                                       "per",
                                       "people",
                                       "value",
                                       "standard_error",
                                       "of",
                                       "events",
                                       "log_standard_error",
                                       "source",
                                       "caveat",
                                       NULL};
    struct pk_calibration_target *target = &s->study->targets[s->study->n_targets];
    struct pk_reader child;
    memset(target, 0, sizeof *target);
    target->name = name;
    if (!pk_reader_allow(r, keys))
        return;
    const bool what = read_what(s, r, target), likelihood = read_likelihood(r, target);
    if (!pk_load_source(&s->load, r, &target->source) || !what || !likelihood)
        return;
    if (target->likelihood == PK_LIKELIHOOD_POISSON && !pk_reader_find(r, "per", &child))
        target->per_person = false; /* events are counted among all */
    if (target->likelihood == PK_LIKELIHOOD_BINOMIAL && (!target->per_person || target->as != PK_TARGET_VALUE)) {
        pk_reader_problem(r, NULL, "is counted among so many people (of), expected per: person of one arm");
        return;
    }
    if (target->likelihood == PK_LIKELIHOOD_POISSON && (target->per_person || target->as != PK_TARGET_VALUE)) {
        pk_reader_problem(r, NULL, "is a number of events, expected per: all of one arm");
        return;
    }
    s->study->n_targets++;
}

void pk_study_read_targets(struct pk_study_load *s, const struct pk_reader *r)
{
    if (!pk_reader_expect(r, PK_YAML_MAPPING, "targets by name"))
        return;
    if (pk_reader_count(r) == 0 || pk_reader_count(r) > PK_MAX_TARGETS) {
        pk_reader_problem(r, NULL, "names %zu targets, expected 1 to %d", pk_reader_count(r), PK_MAX_TARGETS);
        return;
    }
    for (size_t i = 0; i < pk_reader_count(r); i++) {
        const struct pk_reader item = pk_reader_item(r, i);
        const char *name;
        if (!pk_reader_key_name(r, i, &name))
            continue;
        name = pk_arena_text(&s->study->arena, name);
        s->load.no_memory |= name == NULL;
        if (name != NULL)
            read_target(s, &item, name);
    }
}
