/* How uncertain parameters are: a distribution of one alone, or of several together.
 *
 * Responsibility: from uniforms to values of parameters as they are given (a probability by a horizon, a mean
 * duration), with the same bits on every host: a drawn value reaches lives. What is drawn for which design point, and
 * what becomes of it, others say (a study). Everything here is data of a model, owned by its arena, and immutable. */
#ifndef PK_UNCERTAINTY_H
#define PK_UNCERTAINTY_H

#include "polku/model.h"

#ifdef __cplusplus
extern "C" {
#endif

enum pk_uncertainty_kind {
    PK_UNCERTAINTY_BETA,       /* at: shapes a, b */
    PK_UNCERTAINTY_GAMMA,      /* at: shape, rate */
    PK_UNCERTAINTY_LOG_NORMAL, /* at: median, standard deviation of the log */
    PK_UNCERTAINTY_NORMAL,     /* at: mean, standard deviation, low, high: cut off there; infinite: not */
    PK_UNCERTAINTY_TRIANGULAR, /* at: low, mode, high */
    PK_UNCERTAINTY_UNIFORM,    /* at: low, high */
    PK_UNCERTAINTY_PERT,       /* at: low, mode, high: beta between them with mean (low + 4 mode + high) / 6 */
    PK_UNCERTAINTY_DISCRETE,   /* n_values values with shares */
    PK_UNCERTAINTY_COUNT
};
extern const char *const pk_uncertainty_names[PK_UNCERTAINTY_COUNT];

enum { PK_UNCERTAINTY_TEXT_SIZE = 160 };

/* A distribution of a parameter's value as given. */
struct pk_uncertainty {
    enum pk_uncertainty_kind kind;
    double at[4];         /* in the parameter's given unit, but for shapes and the sd of a log */
    size_t n_values;      /* discrete */
    const double *values; /* [n_values] ascending; the last may be infinite (life) */
    const double *shares; /* [n_values] above 0, adding up to 1 */
};

/* The value below which a share u of the distribution lies, 0 <= u <= 1; at 0 and 1 the ends of what is possible, which
 * may be infinite. Rises with u. Only + - * / sqrt, polku/elementary.h and polku/special.h. */
double pk_uncertainty_quantile(const struct pk_uncertainty *uncertainty, double u);
double pk_uncertainty_mean(const struct pk_uncertainty *uncertainty);
double pk_uncertainty_variance(const struct pk_uncertainty *uncertainty); /* nan where a value is infinite */

/* One line for reports, as a model says it: "beta(12, 30)". What is too long ends in "...". */
void pk_uncertainty_text(const struct pk_uncertainty *uncertainty, char text[PK_UNCERTAINTY_TEXT_SIZE]);

/* What a parameter with a range and no distribution is taken to be: PK_UNCERTAINTY_PERT (low, value, high), also
 * TRIANGULAR, or UNIFORM (low, high). False: no range, a switch, or an end is infinite (life). */
bool pk_uncertainty_from_range(const struct pk_parameter *parameter, enum pk_uncertainty_kind kind,
                               struct pk_uncertainty *made);
/* The parameter's own distribution, else PERT of its range in *room; NULL: it has neither. */
const struct pk_uncertainty *pk_uncertainty_of(const struct pk_parameter *parameter, struct pk_uncertainty *room);

enum { PK_MAX_UNCERTAIN_SETS = 32, PK_MAX_UNCERTAIN_TOGETHER = 60 };

enum pk_uncertain_kind {
    PK_UNCERTAIN_DIRICHLET,    /* shares that add up to 1 */
    PK_UNCERTAIN_CORRELATED,   /* each by its own distribution, or PERT of its range, joined by a Gaussian copula */
    PK_UNCERTAIN_COEFFICIENTS, /* estimates: multivariate normal, each on its scale */
    PK_UNCERTAIN_DRAWS,        /* rows of a table, each as likely: a posterior sample */
    PK_UNCERTAIN_COUNT
};
extern const char *const pk_uncertain_names[PK_UNCERTAIN_COUNT];

/* What an estimate is of: the value, its log, or log(p / (1 - p)). */
enum pk_uncertain_scale { PK_UNCERTAIN_NONE, PK_UNCERTAIN_LOG, PK_UNCERTAIN_LOGIT };

/* Parameters that are uncertain together. No parameter is in two sets. */
struct pk_uncertain_set {
    const char *name;
    enum pk_uncertain_kind kind;
    size_t n;             /* parameters, at most PK_MAX_UNCERTAIN_TOGETHER */
    size_t *i_parameters; /* [n] */
    bool has_source;      /* else the parameters' own sources say it */
    struct pk_source source;
    double *weights;       /* [n] Dirichlet: concentrations above 0, counts */
    double *estimates;     /* [n] coefficients: means, each on its scale */
    unsigned char *scales; /* [n] coefficients: enum pk_uncertain_scale */
    double *matrix;        /* [n][n] correlations, or covariances on the scales */
    double *factor;        /* [n][n] its Cholesky factor: lower triangle L, L L' = matrix */
    size_t n_draws;        /* draws: rows */
    double *draws;         /* [n_draws][n] values as given */
};

/* The index of a name, and of the set that holds a parameter; SIZE_MAX: there is none. */
size_t pk_model_uncertain_set(const struct pk_model *model, const char *name);
size_t pk_uncertain_set_of(const struct pk_model *model, size_t i_parameter);

/* How many uniforms it takes: n - 1 of a Dirichlet distribution, 1 of draws, else n. */
size_t pk_uncertain_set_columns(const struct pk_uncertain_set *set);
/* Values as given of its parameters, from uniforms in (0, 1): u[pk_uncertain_set_columns]. Into values[n_parameters];
 * only its own are written. Shares of a Dirichlet distribution add up to 1 but for rounding, the last being what the
 * others leave, and each rises with the uniform of its own column. A parameter of a correlated set that has neither a
 * distribution nor a range (any more: a calibrated file took it) keeps its value. A coefficient that would leave its
 * unit's interval, which takes more than 8 standard deviations, is put at the interval's end. */
void pk_uncertain_set_values(const struct pk_uncertain_set *set, const struct pk_model *model, const double *u,
                             double *values);
/* After one share of a Dirichlet distribution was set alone: scales the others, so that they add up to 1 again. Of
 * other sets, and of parameters in none: nothing. */
void pk_uncertain_rest(const struct pk_model *model, size_t i_parameter, struct pk_values *values);
/* The same of draws by row: row i modulo n_draws. */
void pk_uncertain_set_row(const struct pk_uncertain_set *set, uint64_t i, double *values);

/* The uniform of a parameter or a set by its name: column i_column < 2^16 of draw < 2^24, the first or second of two
 * independent ones (for designs of two matrices). Keyed by the name's hash (see PK_ROLE_PARAMETER in rng.h): other
 * parameters, and their order, do not matter. */
double pk_uncertain_uniform(uint64_t seed, const char *name, size_t i_column, uint64_t draw, bool second);
/* The hash; a model in which two names (of parameters, sets) share one is refused when it is read. */
uint64_t pk_uncertain_hash(const char *name);

#ifdef __cplusplus
}
#endif
#endif
