/* See spell.h. */
#include "spell.h"

#include <criterion/criterion.h>
#include <gsl/gsl_integration.h>
#include <math.h>

double spell_hazard_at(const struct spell_hazard *h, double t)
{
    double x = t + h->clock;
    size_t i = 0;
    if (h->later != NULL && t >= h->later_from)
        return spell_hazard_at(h->later, t);
    if (h->form != NULL)
        return h->times * form_rate(h->form, x);
    if (h->slope != 0)
        return h->values[0] * exp(h->slope * x);
    while (i < h->n_cuts && h->cuts[i] <= x)
        i++;
    return h->values[i];
}

double spell_cumulative(const struct spell_hazard *h, double t)
{
    if (h->later != NULL && t > h->later_from) {
        struct spell_hazard first = *h;
        first.later = NULL;
        return spell_cumulative(&first, h->later_from) + spell_cumulative(h->later, t) -
               spell_cumulative(h->later, h->later_from);
    }
    if (h->form != NULL)
        return h->times * (form_cumulative(h->form, h->clock + t) - form_cumulative(h->form, h->clock));
    if (h->slope != 0)
        return h->values[0] / h->slope * (exp(h->slope * (h->clock + t)) - exp(h->slope * h->clock));
    double sum = 0;
    for (size_t i = 0; i <= h->n_cuts; i++) {
        double low = i == 0 ? h->clock : fmax(h->cuts[i - 1], h->clock);
        double high = i == h->n_cuts ? h->clock + t : fmin(h->cuts[i], h->clock + t);
        sum += high > low ? h->values[i] * (high - low) : 0;
    }
    return sum;
}

static double total(const struct spell_hazard *hazards, size_t n, double t)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += spell_cumulative(&hazards[i], t);
    return sum;
}

double spell_survival(const struct spell_hazard *hazards, size_t n, double t)
{
    return exp(-total(hazards, n, t));
}

/* Integrates over [0, t] between the hazards' cuts. */
struct integrand {
    const struct spell_hazard *hazards;
    size_t n, i;
    double entry, until;
    double variance, survived;
};

enum { MAX_POINTS = 128 };

static void add_points(const struct spell_hazard *hazard, double t, double *points, size_t *n)
{
    double at[SPELL_MAX_CUTS + 2];
    size_t n_at = 0;
    for (size_t k = 0; k < hazard->n_cuts; k++)
        at[n_at++] = hazard->cuts[k] - hazard->clock;
    if (hazard->form != NULL)
        at[n_at++] = -hazard->clock; /* where the form's clock is 0, and its hazard may have no bound */
    if (hazard->later != NULL) {
        at[n_at++] = hazard->later_from;
        add_points(hazard->later, t, points, n);
    }
    for (size_t k = 0; k < n_at; k++)
        if (at[k] > 0 && at[k] < t && *n + 2 < MAX_POINTS) {
            points[(*n)++] = at[k];
            points[(*n)++] = t - at[k]; /* where convolutions have theirs */
        }
}

double spell_integral(double (*f)(double, void *), void *data, const struct spell_hazard *hazards, size_t n, double t)
{
    double points[MAX_POINTS] = {0, t}, sum = 0, part, error;
    size_t n_points = 2;
    for (size_t i = 0; i < n; i++)
        add_points(&hazards[i], t, points, &n_points);
    for (size_t i = 1; i < n_points; i++)
        for (size_t k = i; k > 0 && points[k - 1] > points[k]; k--) {
            double swap = points[k];
            points[k] = points[k - 1];
            points[k - 1] = swap;
        }
    gsl_function function = {.function = f, .params = data};
    gsl_integration_workspace *space = gsl_integration_workspace_alloc(400);
    for (size_t i = 0; i + 1 < n_points; i++) {
        if (points[i + 1] - points[i] < 1e-12)
            continue;
        cr_assert_eq(gsl_integration_qags(&function, points[i], points[i + 1], 1e-11, 1e-9, 400, space, &part, &error),
                     0);
        sum += part;
    }
    gsl_integration_workspace_free(space);
    return sum;
}

static double integrate(double (*f)(double, void *), struct integrand *data, double t)
{
    return spell_integral(f, data, data->hazards, data->n, t);
}

static double density(double t, void *data)
{
    const struct integrand *d = data;
    return spell_hazard_at(&d->hazards[d->i], t) * spell_survival(d->hazards, d->n, t);
}

double spell_incidence(const struct spell_hazard *hazards, size_t n, size_t i, double t)
{
    struct integrand data = {.hazards = hazards, .n = n, .i = i};
    return integrate(density, &data, t);
}

static double survival_at(double t, void *data)
{
    const struct integrand *d = data;
    return spell_survival(d->hazards, d->n, t);
}

double spell_years(const struct spell_hazard *hazards, size_t n, double t)
{
    struct integrand data = {.hazards = hazards, .n = n};
    return integrate(survival_at, &data, t);
}

double spell_frail_survival(const struct spell_hazard *hazards, size_t n, double variance, double survived, double t)
{
    if (variance == 0)
        return spell_survival(hazards, n, t);
    return pow(1 + variance * total(hazards, n, t) / (1 + variance * survived), -1 / variance);
}

static double frail_density(double t, void *data)
{
    const struct integrand *d = data;
    double hazard = spell_hazard_at(&d->hazards[d->i], t), sum = total(d->hazards, d->n, t);
    double mean = 1 / (1 + d->variance * (d->survived + sum)); /* of the frailty of those left */
    return hazard * mean * spell_frail_survival(d->hazards, d->n, d->variance, d->survived, t);
}

double spell_frail_incidence(const struct spell_hazard *hazards, size_t n, size_t i, double variance, double survived,
                             double t)
{
    struct integrand data = {.hazards = hazards, .n = n, .i = i, .variance = variance, .survived = survived};
    return integrate(frail_density, &data, t);
}

static double frail_survival_at(double t, void *data)
{
    const struct integrand *d = data;
    return spell_frail_survival(d->hazards, d->n, d->variance, d->survived, t);
}

double spell_frail_years(const struct spell_hazard *hazards, size_t n, double variance, double survived, double t)
{
    struct integrand data = {.hazards = hazards, .n = n, .variance = variance, .survived = survived};
    return integrate(frail_survival_at, &data, t);
}

static double entered(double s, void *data)
{
    const struct integrand *d = data;
    return d->entry * exp(-d->entry * s) * spell_incidence(d->hazards, d->n, d->i, d->until - s);
}

double spell_incidence_after(double entry, const struct spell_hazard *hazards, size_t n, size_t i, double t)
{
    struct integrand data = {.hazards = hazards, .n = n, .i = i, .entry = entry, .until = t};
    return integrate(entered, &data, t);
}

double spell_incidence_uniform(const struct spell_hazard *hazards, size_t n, size_t i, double t, double low,
                               double high)
{
    /* the mean over a smooth but kinked function: Gauss-Legendre on many short pieces */
    enum { PIECES = 400 };
    struct spell_hazard moved[4];
    gsl_integration_glfixed_table *table = gsl_integration_glfixed_table_alloc(3);
    double sum = 0;
    cr_assert(n <= 4);
    for (size_t piece = 0; piece < PIECES; piece++)
        for (size_t k = 0; k < 3; k++) {
            double a = low + (high - low) * (double)piece / PIECES, x, weight;
            gsl_integration_glfixed_point(a, a + (high - low) / PIECES, k, &x, &weight, table);
            for (size_t j = 0; j < n; j++) {
                moved[j] = hazards[j];
                moved[j].clock += x;
            }
            sum += weight * spell_incidence(moved, n, i, t);
        }
    gsl_integration_glfixed_table_free(table);
    return sum / (high - low);
}
