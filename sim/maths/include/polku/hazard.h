/* Parametric hazards by the names and parameters of R's flexsurv: rate, cumulative hazard and its inverse.
 *
 * Responsibility: these three for one curve of one clock. It knows nothing of persons, transitions or months; x is time
 * in any unit, rates are per that unit. Same bits on every processor: polku/elementary.h and polku/special.h only.
 *
 * h(x) the hazard (rate), H(x) its integral from 0. Sources: flexsurv (Jackson 2016, J Stat Softw 70(8), Table 1 and
 * the package's help pages); Prentice 1974, Biometrika 61, 539-544, for the generalised gamma.
 *
 *   constant           rate r          h = r                               H = r x
 *   gompertz           shape b, rate a h = a e^(b x)                       H = a (e^(b x) - 1) / b;  b = 0: constant;
 *                                      b < 0: H never passes -a / b
 *   weibull            shape a, scale m  h = (a / m) (x / m)^(a - 1)       H = (x / m)^a
 *   weibull_ph         shape a, scale m  h = a m x^(a - 1)                 H = m x^a
 *   log_logistic       shape a, scale m  h = (a / m) (x / m)^(a - 1) / (1 + (x / m)^a)   H = log(1 + (x / m)^a)
 *   log_normal         meanlog, sdlog    z = (log x - meanlog) / sdlog: h = phi(z) / (sdlog x (1 - Phi(z))),
 *                                        H = -log(1 - Phi(z))
 *   gamma              shape a, rate r   h = r^a x^(a - 1) e^(-r x) / (Gamma(a) Q(a, r x))   H = -log Q(a, r x)
 *   generalised_gamma  mu, sigma, q      w = (log x - mu) / sigma, a = q^-2, y = a e^(q w):
 *                                        q > 0: H = -log Q(a, y);  q < 0: H = -log P(a, y);  q = 0: log_normal(mu,
 * sigma); h = |q| a^a e^(a (q w - e^(q w))) / (sigma x Gamma(a) (1 - F))
 *
 * constant and gompertz hold for every x, negative too; the others live on x > 0, with h = H = 0 before 0.
 * Where h has no bound at 0 (shape below 1; q sigma above 1), h at 0 <= x < 2^-21 is h(2^-21): never infinite. */
#ifndef PK_HAZARD_H
#define PK_HAZARD_H

#include <stdbool.h>

#include "polku/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One list: name, the name in files, number of parameters, their names in files. */
#define PK_HAZARD_FORM_LIST(X)                                                                                         \
    X(PK_HAZARD_CONSTANT, "constant", 1, "rate", NULL, NULL)                                                           \
    X(PK_HAZARD_GOMPERTZ, "gompertz", 2, "shape", "rate", NULL)                                                        \
    X(PK_HAZARD_WEIBULL, "weibull", 2, "shape", "scale", NULL)                                                         \
    X(PK_HAZARD_WEIBULL_PH, "weibull_ph", 2, "shape", "scale", NULL)                                                   \
    X(PK_HAZARD_LOG_LOGISTIC, "log_logistic", 2, "shape", "scale", NULL)                                               \
    X(PK_HAZARD_LOG_NORMAL, "log_normal", 2, "meanlog", "sdlog", NULL)                                                 \
    X(PK_HAZARD_GAMMA, "gamma", 2, "shape", "rate", NULL)                                                              \
    X(PK_HAZARD_GENERALISED_GAMMA, "generalised_gamma", 3, "mu", "sigma", "q")

enum pk_hazard_form {
#define PK_HAZARD_FORM_ENUM(form, name, n, first, second, third) form,
    PK_HAZARD_FORM_LIST(PK_HAZARD_FORM_ENUM)
#undef PK_HAZARD_FORM_ENUM
        PK_HAZARD_FORM_COUNT
};

enum { PK_HAZARD_PARAMETERS_MAX = 3 };

/* All by enum pk_hazard_form; unused parameters have no name (NULL). */
extern const char *const pk_hazard_form_names[PK_HAZARD_FORM_COUNT];
extern const int pk_hazard_parameter_counts[PK_HAZARD_FORM_COUNT];
extern const char *const pk_hazard_parameter_names[PK_HAZARD_FORM_COUNT][PK_HAZARD_PARAMETERS_MAX];

/* Plain data: copy it, keep it in arrays. Made by pk_hazard_curve_init only. */
struct pk_hazard_curve {
    enum pk_hazard_form form;
    double p[PK_HAZARD_PARAMETERS_MAX]; /* as given, in the list's order; unused: 0 */
    double lowest;                      /* 0 <= x < lowest has rate_lowest; 0 where the form needs no such end */
    double rate_lowest;
    double constants[4]; /* what the formulas need of p, by form: hazard_private.h */
};

/* Of them, what loops over many curves at once need too: H of weibull and weibull_ph is front (x per_scale)^shape; a
 * log_logistic has per_scale = 1 / scale. */
enum { PK_HAZARD_PER_SCALE = 0, PK_HAZARD_FRONT = 1 };

/* Whether p[0 .. count - 1] are parameters of the form; if so, *curve is ready. If not, *problem (which may be NULL) is
 * a static text, e.g. "shape must be a finite number above 0", and *curve is as it was. Everything must be finite;
 * rates may be 0 for constant and gompertz, otherwise shapes, scales, rates, sdlog and sigma are above 0 (the smallest
 * normal double or more; sigma 1e-300 or more), and |q| is at most 1e6. A |q| below 1e-100 is 0. */
PK_CHECKED bool pk_hazard_curve_init(struct pk_hazard_curve *curve, enum pk_hazard_form form, const double *p,
                                     const char **problem);

/* The same curve on a clock whose unit is k > 0 times shorter (years to months: 12): H'(k x) = H(x), h'(k x) = h(x) /
 * k. A parameter that leaves the normal doubles stops at their end. */
struct pk_hazard_curve pk_hazard_curve_scaled(const struct pk_hazard_curve *curve, double k);

/* h(x). Relative error < 2e-14 + 2e-15 |log H(x)| for shapes to 1000 and |q| to 3, as measured against 40 digits.
 * Infinite only where h itself passes the doubles. */
double pk_hazard_curve_rate(const struct pk_hazard_curve *curve, double x);

/* H(x): the integral of h from 0 to x, negative for x < 0 (constant, gompertz), otherwise 0 there. Relative error as of
 * the rate; 0 where H is no normal double. */
double pk_hazard_curve_cumulative(const struct pk_hazard_curve *curve, double x);

/* H(to) - H(from) for from <= to, never below 0; +inf where H(from) passes the doubles. For all forms but log_normal,
 * gamma and generalised_gamma without cancellation; for these three the absolute error is that of H(to). */
double pk_hazard_curve_between(const struct pk_hazard_curve *curve, double from, double to);

/* The smallest x >= from with between(from, x) = h, h >= 0; h = 0 gives from. +inf where there is none (a gompertz of
 * negative shape, a rate of 0) or x would pass 1e15; from itself where H(from) passes 1e300. Relative error of x <
 * 1e-12 (measured 4e-14). nan only if an argument is. Bounded work: closed forms, for the gammas at most four steps. */
double pk_hazard_curve_inverse(const struct pk_hazard_curve *curve, double from, double h);

#ifdef __cplusplus
}
#endif
#endif
