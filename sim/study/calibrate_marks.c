/* What whoever uses a calibration must know, a line each: modes, what the targets do not see, bounds, targets that
 * cannot be met. See calibrate.h. */
#include <math.h>

#include "calibrate_private.h"

#define NOTHING 0.02 /* information in units of the prior's: less is nothing, */
#define LITTLE 1.0   /* less than the prior's own is little */

static void tell_values(const struct pk_answer *calibration, const double *values, struct pk_text *text)
{
    for (size_t k = 0; k < calibration->study->n_free; k++)
        pk_text_addf(text, "%s%s %.4g", k ? ", " : "", calibration->study->free[k].name, values[k]);
}

static void mark_modes(struct pk_answer *calibration)
{
    struct pk_text *marks = &calibration->marks;
    size_t n_best = 0;
    for (size_t m = 0; m < calibration->n_modes; m++)
        n_best += calibration->modes[m].best;
    if (n_best > 1) {
        pk_text_addf(marks, "%zu different answers fit equally well: ", n_best);
        for (size_t m = 0, n = 0; m < calibration->n_modes; m++)
            if (calibration->modes[m].best) {
                pk_text_put(marks, n++ ? "; or " : "");
                tell_values(calibration, calibration->modes[m].values, marks);
            }
        pk_text_put(marks, "\n");
    }
    for (size_t m = 0; m < calibration->n_modes; m++)
        if (!calibration->modes[m].best && calibration->modes[m].objective < calibration->modes[0].objective + 3.84) {
            pk_text_addf(marks, "another answer fits nearly as well (deviance %.3g more): ",
                         calibration->modes[m].objective - calibration->modes[0].objective);
            tell_values(calibration, calibration->modes[m].values, marks);
            pk_text_put(marks, "\n");
        }
}

static void mark_unseen(struct pk_answer *calibration)
{
    struct pk_text *marks = &calibration->marks;
    for (size_t i = 0; i < calibration->study->n_free && calibration->information[i] < LITTLE; i++) {
        pk_text_addf(marks, "the targets %s ",
                     calibration->information[i] < NOTHING ? "do not see" : "tell less than was thought before of");
        pk_calibrate_direction(calibration, calibration->directions[i], marks);
        pk_text_put(marks, "\n");
    }
}

static void mark_bounds(struct pk_answer *calibration)
{
    struct pk_text *marks = &calibration->marks;
    for (size_t k = 0; k < calibration->study->n_free; k++) {
        const struct pk_free_parameter *free = &calibration->study->free[k];
        const struct pk_profile *profile = &calibration->profiles[k];
        struct pk_scale scale;
        pk_scale_make(free, &scale);
        const double at = calibration->modes[0].scaled[k], near = 1e-3 * (scale.high - scale.low);
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

static void mark_targets(struct pk_answer *calibration)
{
    const struct pk_study *study = calibration->study;
    struct pk_text *marks = &calibration->marks;
    for (size_t i = 0; i < calibration->n_contradictions; i++)
        pk_text_addf(marks, "the targets %s and %s contradict each other: without one of them the other is met\n",
                     study->targets[calibration->contradictions[i].i_target].name,
                     study->targets[calibration->contradictions[i].i_other].name);
    for (size_t t = 0; t < study->n_targets; t++)
        if (fabs(calibration->misfits[t]) > 1.96)
            pk_text_addf(marks, "the target %s cannot be met: wanted %.4g, reached %.4g, %.1f standard errors off\n",
                         study->targets[t].name, study->targets[t].value, calibration->reached[t].value,
                         fabs(calibration->misfits[t]));
    for (size_t t = 0; t < study->n_targets && calibration->by_twin; t++) {
        const struct pk_reached *run = &calibration->simulated[t];
        const double off = fabs(run->value - calibration->reached[t].value);
        const double steps = fabs(calibration->halved[t].value - calibration->reached[t].value);
        if (off > 4 * run->standard_error + 4 * steps + 0.01 * fabs(run->value))
            pk_text_addf(marks, "the target %s comes to %.4g in simulation (s.e. %.2g), not to the twin's %.4g\n",
                         study->targets[t].name, run->value, run->standard_error, calibration->reached[t].value);
    }
}

void pk_calibrate_marks(struct pk_answer *calibration)
{
    mark_modes(calibration);
    mark_targets(calibration);
    mark_unseen(calibration);
    mark_bounds(calibration);
    if (calibration->effective < 0.1 * (double)calibration->n_draws)
        pk_text_addf(&calibration->marks, "the sample of %zu draws is worth %.0f only\n", calibration->n_draws,
                     calibration->effective);
}
