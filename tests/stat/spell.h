/* One spell with competing hazards on several clocks, by closed form and GSL's quadrature: an oracle for single states.
 *
 * Times in years since the start of the spell. */
#ifndef PK_TESTS_SPELL_H
#define PK_TESTS_SPELL_H

#include <stddef.h>

#include "form.h"

enum { SPELL_MAX_CUTS = 4 };

/* Piecewise constant on a clock; level exp(slope x) where slope is not 0; a form of form.h where there is one. */
struct spell_hazard {
    size_t n_cuts;
    double cuts[SPELL_MAX_CUTS], values[SPELL_MAX_CUTS + 1];
    double slope; /* with values[0] the level */
    double clock; /* what the clock reads at time 0 */
    const struct form *form;
    double times;                     /* the form's hazard is multiplied by this */
    const struct spell_hazard *later; /* from time later_from on the hazard is this one's; NULL: no other */
    double later_from;
};

double spell_hazard_at(const struct spell_hazard *hazard, double t);
double spell_cumulative(const struct spell_hazard *hazard, double t);
/* Still in the state at t. */
double spell_survival(const struct spell_hazard *hazards, size_t n, double t);
/* Gone by t through hazard i. */
double spell_incidence(const struct spell_hazard *hazards, size_t n, size_t i, double t);
/* The same for a spell entered at rate `entry` from a state that everybody starts in (clocks: at entry, since they run
 * on time in state). */
double spell_incidence_after(double entry, const struct spell_hazard *hazards, size_t n, size_t i, double t);
/* The same with clocks moved on by an amount uniform on [low, high]. */
double spell_incidence_uniform(const struct spell_hazard *hazards, size_t n, size_t i, double t, double low,
                               double high);
/* Years in the state up to t. */
double spell_years(const struct spell_hazard *hazards, size_t n, double t);

/* All hazards times one gamma frailty, of mean 1 and this variance before the hazard `survived` was survived: survival
 * (1 + v H / (1 + v survived))^(-1 / v), Vaupel, Manton and Stallard 1979. Without variance: as above. */
double spell_frail_survival(const struct spell_hazard *hazards, size_t n, double variance, double survived, double t);
double spell_frail_incidence(const struct spell_hazard *hazards, size_t n, size_t i, double variance, double survived,
                             double t);
double spell_frail_years(const struct spell_hazard *hazards, size_t n, double variance, double survived, double t);

/* Any f over [0, t], unbounded ends allowed, in pieces between the hazards' cuts. */
double spell_integral(double (*f)(double, void *), void *data, const struct spell_hazard *hazards, size_t n, double t);

#endif
