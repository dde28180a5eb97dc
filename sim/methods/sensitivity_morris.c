/* Elementary effects. See polku/sensitivity.h. */
#include <math.h>
#include <string.h>

#include "polku/memory.h"
#include "sensitivity_private.h"

enum { MEAN, ABSOLUTE, SPREAD, N_STATISTICS };

struct morris {
    size_t n_rows, n_factors;
    double *effects; /* [n_rows][n_factors], nan where not seen */
    bool *several;   /* [n_factors], a group of columns: an effect has no sign */
};

static void statistics(const double *weights, void *data, double *values)
{
    const struct morris *m = data;
    for (size_t f = 0; f < m->n_factors; f++) {
        double n = 0, sum = 0, absolute = 0, squares = 0, *of_factor = values + f * N_STATISTICS;
        for (size_t r = 0; r < m->n_rows; r++) {
            const double effect = m->effects[r * m->n_factors + f];
            if (isnan(effect))
                continue;
            n += weights[r];
            sum += weights[r] * effect;
            absolute += weights[r] * fabs(effect);
        }
        for (size_t r = 0; r < m->n_rows; r++) {
            const double apart = m->effects[r * m->n_factors + f] - sum / n;
            squares += isnan(apart) ? 0 : weights[r] * apart * apart;
        }
        of_factor[MEAN] = n > 0 && !m->several[f] ? sum / n : (double)NAN;
        of_factor[ABSOLUTE] = n > 0 ? absolute / n : (double)NAN;
        of_factor[SPREAD] = n > 1 && !m->several[f] ? sqrt(squares / (n - 1)) : (double)NAN;
    }
}

static void fill(const struct pk_design *design, const double *y, const double *noise, struct morris *m,
                 struct pk_sensitivity_effect *effects)
{
    /* the size of a normal of variance 1 is sqrt(2 / pi) */
    const double size = sqrt(2 / 3.14159265358979323846) / PK_DESIGN_MORRIS_STEP;
    for (size_t i = 1; i < design->n_points; i++) {
        const struct pk_design_mark *mark = &design->marks[i];
        if (mark->part != PK_DESIGN_STEP)
            continue;
        const double effect = (y[i] - y[i - 1]) / PK_DESIGN_MORRIS_STEP;
        struct pk_sensitivity_effect *of_factor = &effects[mark->factor];
        m->several[mark->factor] |= mark->direction == 0;
        if (!isfinite(effect))
            continue;
        m->effects[mark->row * m->n_factors + mark->factor] = mark->direction < 0 ? -effect : effect;
        of_factor->n++;
        of_factor->noise += noise == NULL ? (double)NAN : size * sqrt(noise[i] + noise[i - 1]);
    }
    for (size_t f = 0; f < m->n_factors; f++)
        effects[f].noise /= (double)effects[f].n;
}

enum pk_status pk_sensitivity_morris(const struct pk_design *design, size_t n_factors, const double *y,
                                     const double *noise, const struct pk_sensitivity_bootstrap *bootstrap,
                                     struct pk_sensitivity_effect *effects, struct pk_error *error)
{
    struct morris m = {.n_factors = n_factors};
    struct pk_sensitivity_estimate *estimates = NULL;
    enum pk_status status = PK_OK;
    for (size_t i = 0; i < design->n_points; i++) {
        const struct pk_design_mark *mark = &design->marks[i];
        if ((mark->part == PK_DESIGN_STEP && mark->factor >= n_factors) || mark->row >= design->n_points)
            return pk_error_set(error, PK_BAD_INPUT, "point %zu is none of a trajectory of %zu factors", i, n_factors);
        m.n_rows = mark->row >= m.n_rows ? mark->row + 1 : m.n_rows;
    }
    memset(effects, 0, n_factors * sizeof *effects);
    m.effects = pk_alloc(m.n_rows * n_factors, sizeof *m.effects);
    m.several = pk_alloc(n_factors, sizeof *m.several);
    estimates = pk_alloc(n_factors * N_STATISTICS, sizeof *estimates);
    if (m.effects == NULL || m.several == NULL || estimates == NULL) {
        status = pk_error_set(error, PK_NO_MEMORY, "no memory for the effects of %zu trajectories", m.n_rows);
        goto out;
    }
    for (size_t i = 0; i < m.n_rows * n_factors; i++)
        m.effects[i] = (double)NAN;
    fill(design, y, noise, &m, effects);
    status = pk_bootstrap(bootstrap, m.n_rows, statistics, &m, n_factors * N_STATISTICS, estimates, error);
    for (size_t f = 0; status == PK_OK && f < n_factors; f++) {
        effects[f].mean = estimates[f * N_STATISTICS + MEAN];
        effects[f].absolute = estimates[f * N_STATISTICS + ABSOLUTE];
        effects[f].spread = estimates[f * N_STATISTICS + SPREAD];
    }
out:
    pk_free(m.effects);
    pk_free(m.several);
    pk_free(estimates);
    return status;
}
