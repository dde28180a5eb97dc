/* What whoever uses a calibration must know, a line each: modes, what the targets do not see, bounds, targets that
 * cannot be met. See calibrate.h. */
#include <math.h>

#include "calibrate_private.h"

static void tell_values(const struct pk_answer *answer, const double *values, struct pk_text *text)
{
    for (size_t k = 0; k < answer->study->n_free; k++)
        pk_text_addf(text, "%s%s %.4g", k ? ", " : "", answer->study->free[k].name, values[k]);
}

static void mark_modes(struct pk_answer *answer)
{
    struct pk_text *marks = &answer->marks;
    size_t n_best = 0;
    for (size_t m = 0; m < answer->n_modes; m++)
        n_best += answer->modes[m].best;
    if (n_best > 1) {
        pk_text_addf(marks, "%zu different answers fit equally well: ", n_best);
        for (size_t m = 0, n = 0; m < answer->n_modes; m++)
            if (answer->modes[m].best) {
                pk_text_put(marks, n++ ? "; or " : "");
                tell_values(answer, answer->modes[m].values, marks);
            }
        pk_text_put(marks, "\n");
    }
    for (size_t m = 0; m < answer->n_modes; m++)
        if (!answer->modes[m].best && answer->modes[m].objective < answer->modes[0].objective + 3.84) {
            pk_text_addf(marks, "another answer fits nearly as well (%.3g worse, by targets and priors together): ",
                         answer->modes[m].objective - answer->modes[0].objective);
            tell_values(answer, answer->modes[m].values, marks);
            pk_text_put(marks, "\n");
        }
}

static void mark_unseen(struct pk_answer *answer)
{
    struct pk_text *marks = &answer->marks;
    for (size_t i = 0; i < answer->study->n_free && answer->information[i] < PK_LITTLE_SEEN; i++) {
        pk_text_addf(marks, "the targets %s ",
                     answer->information[i] < PK_UNSEEN ? "do not see" : "tell less than was thought before of");
        pk_calibrate_direction(answer, answer->directions[i], marks);
        pk_text_put(marks, "\n");
    }
}

static void mark_bounds(struct pk_answer *answer)
{
    struct pk_text *marks = &answer->marks;
    for (size_t k = 0; k < answer->study->n_free; k++) {
        const struct pk_free_parameter *free = &answer->study->free[k];
        const struct pk_profile *profile = &answer->profiles[k];
        struct pk_scale scale;
        pk_scale_make(free, &scale);
        const double at = answer->modes[0].scaled[k], near = 1e-3 * (scale.high - scale.low);
        if (at - scale.low < near || scale.high - at < near)
            pk_text_addf(marks, "%s is at its %s bound %.4g: the targets want it outside\n", free->name,
                         at - scale.low < near ? "lower" : "upper", at - scale.low < near ? free->low : free->high);
        else if (profile->low_open && profile->high_open)
            pk_text_addf(marks, "%s: the targets allow every value from %.4g to %.4g\n", free->name, free->low,
                         free->high);
        else if (profile->low_open || profile->high_open)
            pk_text_addf(marks, "%s: the targets set no %s end within its bounds (95 %%: %.4g to %.4g)\n", free->name,
                         profile->low_open ? "lower" : "upper", profile->low, profile->high);
    }
}

static void mark_targets(struct pk_answer *answer)
{
    const struct pk_study *study = answer->study;
    struct pk_text *marks = &answer->marks;
    for (size_t i = 0; i < answer->n_contradictions; i++)
        pk_text_addf(marks, "the targets %s and %s contradict each other: without one of them the other is met\n",
                     study->targets[answer->contradictions[i].i_target].name,
                     study->targets[answer->contradictions[i].i_other].name);
    for (size_t t = 0; t < study->n_targets; t++)
        if (fabs(answer->misfits[t]) > 1.96)
            pk_text_addf(marks, "the target %s cannot be met: wanted %.4g, reached %.4g, %.1f standard errors off\n",
                         study->targets[t].name, study->targets[t].value, answer->reached[t].value,
                         fabs(answer->misfits[t]));
    for (size_t t = 0; t < study->n_targets && answer->by_twin; t++) {
        const struct pk_reached *run = &answer->simulated[t];
        const double off = fabs(run->value - answer->reached[t].value);
        const double steps = answer->reached[t].step_error;
        if (off > 4 * run->standard_error + 4 * steps + 0.01 * fabs(run->value))
            pk_text_addf(marks, "the target %s comes to %.4g in simulation (s.e. %.2g), not to the twin's %.4g\n",
                         study->targets[t].name, run->value, run->standard_error, answer->reached[t].value);
    }
}

void pk_calibrate_marks(struct pk_answer *answer)
{
    mark_modes(answer);
    mark_targets(answer);
    mark_unseen(answer);
    mark_bounds(answer);
    if (answer->effective < 0.1 * (double)answer->n_draws)
        pk_text_addf(&answer->marks, "the sample of %zu draws is worth %.0f only\n", answer->n_draws,
                     answer->effective);
}
