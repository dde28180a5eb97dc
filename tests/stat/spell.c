/* See spell.h. */
#include "spell.h"

#include <criterion/criterion.h>
#include <gsl/gsl_integration.h>
#include <math.h>

double spell_hazard_at(const struct spell_hazard *h, double t)
{
    double x = t + h->clock;
    size_t i = 0;
    if (h->slope != 0)
        return h->values[0] * exp(h->slope * x);
    while (i < h->n_cuts && h->cuts[i] <= x)
        i++;
    return h->values[i];
}

double spell_cumulative(const struct spell_hazard *h, double t)
{
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

double spell_survival(const struct spell_hazard *hazards, size_t n, double t)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += spell_cumulative(&hazards[i], t);
    return exp(-sum);
}

/* Integrates over [0, t] between the hazards' cuts. */
struct integrand {
    const struct spell_hazard *hazards;
    size_t n, i;
    double entry, until;
};

static double integrate(double (*f)(double, void *), struct integrand *data, double t)
{
    double points[64], sum = 0, part, error;
    size_t n_points = 0;
    points[n_points++] = 0;
    points[n_points++] = t;
    for (size_t i = 0; i < data->n; i++)
        for (size_t k = 0; k < data->hazards[i].n_cuts; k++) {
            double at = data->hazards[i].cuts[k] - data->hazards[i].clock;
            if (at > 0 && at < t)
                points[n_points++] = at;
            if (t - at > 0 && t - at < t)
                points[n_points++] = t - at; /* where convolutions have theirs */
        }
    for (size_t i = 1; i < n_points; i++)
        for (size_t k = i; k > 0 && points[k - 1] > points[k]; k--) {
            double swap = points[k];
            points[k] = points[k - 1];
            points[k - 1] = swap;
        }
    gsl_function function = {.function = f, .params = data};
    gsl_integration_workspace *space = gsl_integration_workspace_alloc(200);
    for (size_t i = 0; i + 1 < n_points; i++) {
        if (points[i + 1] <= points[i])
            continue;
        cr_assert_eq(gsl_integration_qag(&function, points[i], points[i + 1], 1e-13, 1e-10, 200, GSL_INTEG_GAUSS31,
                                         space, &part, &error),
                     0);
        sum += part;
    }
    gsl_integration_workspace_free(space);
    return sum;
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
