/* The hazard curves that test_hazard.c and test_hazard_inverse.c go through. */
#ifndef PK_TEST_HAZARD_GRID_H
#define PK_TEST_HAZARD_GRID_H

#include <criterion/criterion.h>
#include <math.h>
#include <stdbool.h>

#include "polku/hazard.h"

#define LENGTH(table) (sizeof(table) / sizeof *(table))
#define NEAR(computed, exact, tolerance, ...)                                                                          \
    do {                                                                                                               \
        const double computed_ = (computed), exact_ = (exact);                                                         \
        if (!(fabs(computed_ - exact_) <= (tolerance)))                                                                \
            cr_assert(false, __VA_ARGS__);                                                                             \
    } while (0)

struct parameters {
    enum pk_hazard_form form;
    double p[3];
};

static const struct parameters grid[] = {
    {PK_HAZARD_CONSTANT, {0.0731}},
    {PK_HAZARD_GOMPERTZ, {0.0931, 0.00385}},
    {PK_HAZARD_GOMPERTZ, {-0.0131, 0.0731}},
    {PK_HAZARD_GOMPERTZ, {-0.731, 0.385}},
    {PK_HAZARD_GOMPERTZ, {0.0, 0.0731}},
    {PK_HAZARD_GOMPERTZ, {1e-17, 0.0731}},
    {PK_HAZARD_GOMPERTZ, {-1e-9, 0.0731}},
    {PK_HAZARD_WEIBULL, {0.3, 17.3}},
    {PK_HAZARD_WEIBULL, {0.999, 17.3}},
    {PK_HAZARD_WEIBULL, {1.0, 17.3}},
    {PK_HAZARD_WEIBULL, {2.385, 17.3}},
    {PK_HAZARD_WEIBULL, {30.0, 17.3}},
    {PK_HAZARD_WEIBULL_PH, {0.3, 0.173}},
    {PK_HAZARD_WEIBULL_PH, {0.999, 0.0173}},
    {PK_HAZARD_WEIBULL_PH, {1.0, 0.0173}},
    {PK_HAZARD_WEIBULL_PH, {2.385, 0.00173}},
    {PK_HAZARD_WEIBULL_PH, {30.0, 1.73e-37}},
    {PK_HAZARD_LOG_LOGISTIC, {0.3, 17.3}},
    {PK_HAZARD_LOG_LOGISTIC, {0.999, 17.3}},
    {PK_HAZARD_LOG_LOGISTIC, {1.0, 17.3}},
    {PK_HAZARD_LOG_LOGISTIC, {2.385, 17.3}},
    {PK_HAZARD_LOG_LOGISTIC, {30.0, 17.3}},
    {PK_HAZARD_LOG_NORMAL, {2.385, 0.0731}},
    {PK_HAZARD_LOG_NORMAL, {2.385, 0.731}},
    {PK_HAZARD_LOG_NORMAL, {-0.173, 3.1}},
    {PK_HAZARD_GAMMA, {0.3, 0.0731}},
    {PK_HAZARD_GAMMA, {0.999, 0.0731}},
    {PK_HAZARD_GAMMA, {1.0, 0.0731}},
    {PK_HAZARD_GAMMA, {2.385, 0.0731}},
    {PK_HAZARD_GAMMA, {19.97, 1.31}},
    {PK_HAZARD_GAMMA, {30.0, 1.31}},
    {PK_HAZARD_GAMMA, {1000.0, 31.0}},
    {PK_HAZARD_GENERALISED_GAMMA, {2.385, 0.731, -1.7}},
    {PK_HAZARD_GENERALISED_GAMMA, {2.385, 0.731, -0.23}},
    {PK_HAZARD_GENERALISED_GAMMA, {2.385, 0.731, -1e-4}},
    {PK_HAZARD_GENERALISED_GAMMA, {2.385, 0.731, 0.0}},
    {PK_HAZARD_GENERALISED_GAMMA, {2.385, 0.731, 1e-4}},
    {PK_HAZARD_GENERALISED_GAMMA, {2.385, 0.731, 0.23}},
    {PK_HAZARD_GENERALISED_GAMMA, {2.385, 0.731, 0.731}},
    {PK_HAZARD_GENERALISED_GAMMA, {2.385, 0.731, 1.0}},
    {PK_HAZARD_GENERALISED_GAMMA, {2.385, 0.731, 2.6}},
    {PK_HAZARD_GENERALISED_GAMMA, {-0.173, 3.1, 2.6}},
    {PK_HAZARD_GENERALISED_GAMMA, {2.385, 0.1, 30.0}},
};

static inline struct pk_hazard_curve curve_of(enum pk_hazard_form form, double first, double second, double third)
{
    const double p[3] = {first, second, third};
    struct pk_hazard_curve curve;
    const char *problem = "";
    cr_assert(pk_hazard_curve_init(&curve, form, p, &problem), "%s %g %g %g: %s", pk_hazard_form_names[form], first,
              second, third, problem);
    return curve;
}

static inline struct pk_hazard_curve curve_at(size_t i)
{
    return curve_of(grid[i].form, grid[i].p[0], grid[i].p[1], grid[i].p[2]);
}

/* For messages: which curve */
#define CURVE "%s(%g, %g, %g): "
#define OF(curve) pk_hazard_form_names[(curve).form], (curve).p[0], (curve).p[1], (curve).p[2]

static inline bool starts_at_0(const struct pk_hazard_curve *curve)
{
    return curve->form != PK_HAZARD_CONSTANT && curve->form != PK_HAZARD_GOMPERTZ;
}

#endif
