/* Parametric hazards by GSL's distribution functions: an oracle for sim/maths/hazard.c, and their words in a model.
 *
 * x in years; the names and parameters are flexsurv's, as in polku/hazard.h, of which nothing is used. */
#ifndef PK_TESTS_FORM_H
#define PK_TESTS_FORM_H

#include "support.h"

struct form {
    const char *name; /* as in files */
    double p[3];
};

/* The hazard and its integral from 0; 0 for x <= 0 but for constant and gompertz. */
double form_rate(const struct form *form, double x);
double form_cumulative(const struct form *form, double x);

/* A transition of a model, and whatever else it says: ", frailty: z". clock: also with its origin. */
struct form_route {
    const char *name, *from, *to, *clock;
    struct form form;
    const char *more; /* NULL: nothing */
};

/* The form's parameters as lines of a model's parameters: NAME_shape and so on. */
void form_put_parameters(struct pk_text *text, const struct form *form, const char *name);
/* {weibull: {shape: NAME_shape, scale: NAME_scale, clock: CLOCK}} */
void form_put_hazard(struct pk_text *text, const struct form *form, const char *name, const char *clock);
/* The world of a model with these transitions. states: the section's lines; above: sections before the parameters;
 * parameters, below: lines after the routes' own parameters and transitions, further sections too. NULL: none. */
void form_open(struct support_world *world, const char *states, const char *above, const char *parameters,
               const struct form_route *routes, size_t n, const char *below, const struct support_scenario *scenario);

#endif
