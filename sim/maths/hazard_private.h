/* What the curves' constants mean: shared by hazard.c and hazard_inverse.c. Not installed.
 *
 *   weibull, weibull_ph   H = constants[FRONT] (x constants[PER_SCALE])^shape
 *   log_logistic          constants[PER_SCALE] = 1 / scale
 *   log_normal            w = (log x - meanlog) constants[PER_SD]; also a generalised gamma with q = 0
 *   gamma                 constants[SHAPE], constants[LOG_PEAK] of struct pk_special_gamma
 *   generalised_gamma     the same two, and v = (log x - mu) constants[Q_PER_SIGMA]; SHAPE is 0 for q = 0 */
#ifndef PK_HAZARD_PRIVATE_H
#define PK_HAZARD_PRIVATE_H

#include "polku/hazard.h"
#include "special_private.h"

enum { PER_SCALE = PK_HAZARD_PER_SCALE, FRONT = PK_HAZARD_FRONT, PER_SD = 0, SHAPE = 1, LOG_PEAK = 2, Q_PER_SIGMA = 3 };

static inline struct pk_special_gamma pk_hazard_gamma(const struct pk_hazard_curve *curve)
{
    const struct pk_special_gamma gamma = {curve->constants[SHAPE], curve->constants[LOG_PEAK]};
    return gamma;
}

/* The form whose formulas hold: a generalised gamma with q = 0 is a log-normal of the same p. */
static inline enum pk_hazard_form pk_hazard_formula(const struct pk_hazard_curve *curve)
{
    if (curve->form == PK_HAZARD_GENERALISED_GAMMA && curve->constants[SHAPE] == 0.0)
        return PK_HAZARD_LOG_NORMAL;
    return curve->form;
}

#endif
