/* See form.h. */
#include "form.h"

#include <criterion/criterion.h>
#include <gsl/gsl_cdf.h>
#include <gsl/gsl_randist.h>
#include <math.h>
#include <string.h>

static const struct words {
    const char *name, *parameters[3], *units[3];
} all[] = {
    {"constant", {"rate"}, {"per_year"}},
    {"gompertz", {"shape", "rate"}, {"per_year_of_clock", "per_year"}},
    {"weibull", {"shape", "scale"}, {"shape", "years"}},
    {"weibull_ph", {"shape", "scale"}, {"shape", "real"}},
    {"log_logistic", {"shape", "scale"}, {"shape", "years"}},
    {"log_normal", {"meanlog", "sdlog"}, {"log_years", "shape"}},
    {"gamma", {"shape", "rate"}, {"shape", "per_year"}},
    {"generalised_gamma", {"mu", "sigma", "q"}, {"log_years", "shape", "real"}},
};

static const struct words *words_of(const struct form *form)
{
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (strcmp(all[i].name, form->name) == 0)
            return &all[i];
    cr_assert_fail("no form %s", form->name);
    return NULL;
}

/* Density and survival at x > 0, both of GSL. */
static void distribution(const struct form *form, double x, double *density, double *survival)
{
    const double *p = form->p;
    if (strcmp(form->name, "weibull") == 0 || strcmp(form->name, "weibull_ph") == 0) {
        double scale = strcmp(form->name, "weibull") == 0 ? p[1] : pow(p[1], -1 / p[0]);
        *density = gsl_ran_weibull_pdf(x, scale, p[0]);
        *survival = gsl_cdf_weibull_Q(x, scale, p[0]);
    } else if (strcmp(form->name, "log_logistic") == 0) { /* log x is logistic */
        *density = gsl_ran_logistic_pdf(log(x / p[1]), 1 / p[0]) / x;
        *survival = gsl_cdf_logistic_Q(log(x / p[1]), 1 / p[0]);
    } else if (strcmp(form->name, "gamma") == 0) {
        *density = gsl_ran_gamma_pdf(x, p[0], 1 / p[1]);
        *survival = gsl_cdf_gamma_Q(x, p[0], 1 / p[1]);
    } else if (strcmp(form->name, "log_normal") == 0 || p[2] == 0) {
        *density = gsl_ran_lognormal_pdf(x, p[0], p[1]);
        *survival = gsl_cdf_lognormal_Q(x, p[0], p[1]);
    } else { /* y is gamma with shape q^-2; it falls with x where q < 0 */
        double a = 1 / (p[2] * p[2]), y = a * exp(p[2] * (log(x) - p[0]) / p[1]);
        *density = gsl_ran_gamma_pdf(y, a, 1) * y * fabs(p[2]) / (p[1] * x);
        *survival = p[2] > 0 ? gsl_cdf_gamma_Q(y, a, 1) : gsl_cdf_gamma_P(y, a, 1);
    }
}

double form_rate(const struct form *form, double x)
{
    double density, survival;
    if (strcmp(form->name, "constant") == 0)
        return form->p[0];
    if (strcmp(form->name, "gompertz") == 0)
        return form->p[1] * exp(form->p[0] * x);
    if (x <= 0)
        return 0;
    distribution(form, x, &density, &survival);
    return density / survival;
}

double form_cumulative(const struct form *form, double x)
{
    double density, survival;
    if (strcmp(form->name, "constant") == 0)
        return form->p[0] * x;
    if (strcmp(form->name, "gompertz") == 0)
        return form->p[1] * expm1(form->p[0] * x) / form->p[0];
    if (x <= 0)
        return 0;
    distribution(form, x, &density, &survival);
    return -log(survival);
}

void form_put_parameters(struct pk_text *text, const struct form *form, const char *name)
{
    const struct words *words = words_of(form);
    for (size_t i = 0; i < 3 && words->parameters[i] != NULL; i++)
        pk_text_addf(text, "  %s_%s: {value: %.17g, unit: %s, source: {assumption: test}}\n", name,
                     words->parameters[i], form->p[i], words->units[i]);
}

void form_put_hazard(struct pk_text *text, const struct form *form, const char *name, const char *clock)
{
    const struct words *words = words_of(form);
    pk_text_addf(text, "{%s: {", form->name);
    for (size_t i = 0; i < 3 && words->parameters[i] != NULL; i++)
        pk_text_addf(text, "%s: %s_%s, ", words->parameters[i], name, words->parameters[i]);
    pk_text_addf(text, "clock: %s}}", clock);
}

static void put(struct pk_text *text, const char *lines)
{
    if (lines != NULL)
        pk_text_put(text, lines);
}

static void put_model(struct pk_text *text, const char *states, const char *above, const char *parameters,
                      const struct form_route *routes, size_t n, const char *below)
{
    pk_text_addf(text, "polku: 1\nmodel: forms\nstates:\n%s", states);
    put(text, above);
    pk_text_put(text, "parameters:\n");
    for (size_t i = 0; i < n; i++)
        form_put_parameters(text, &routes[i].form, routes[i].name);
    put(text, parameters);
    pk_text_put(text, "transitions:\n");
    for (size_t i = 0; i < n; i++) {
        pk_text_addf(text, "  %s: {from: %s, to: %s, hazard: ", routes[i].name, routes[i].from, routes[i].to);
        form_put_hazard(text, &routes[i].form, routes[i].name, routes[i].clock);
        put(text, routes[i].more);
        pk_text_put(text, "}\n");
    }
    put(text, below);
}

void form_open(struct support_world *world, const char *states, const char *above, const char *parameters,
               const struct form_route *routes, size_t n, const char *below, const struct support_scenario *scenario)
{
    struct pk_text model;
    pk_text_init(&model);
    put_model(&model, states, above, parameters, routes, n, below);
    support_open(world, pk_text_string(&model), scenario);
    pk_text_free(&model);
}
