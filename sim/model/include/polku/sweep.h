/* What a study file says of a sweep: the factors that are varied, by what design, and the figures told of each point.
 *
 * Responsibility: the data only, with every name resolved. Values of parameters are meant as given. Owned by the
 * study's arena; distributions and sets of the model stay the model's. */
#ifndef PK_SWEEP_H
#define PK_SWEEP_H

#include "polku/study.h"
#include "polku/uncertainty.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    PK_MAX_SWEPT = 256,      /* factors */
    PK_MAX_OPTIONS = 16,     /* of a choice */
    PK_MAX_LEVELS = 200,     /* of a factor in a grid */
    PK_MAX_POINTS = 1 << 22, /* of a design */
    PK_MAX_FIGURES = 64,     /* told of each point */
    PK_MAX_TERMS = 16,       /* of a figure */
    PK_MAX_THRESHOLDS = 200,
    PK_MAX_QUESTIONS = 64 /* sets of factors that the value of knowing is asked of */
};

enum pk_method {
    PK_METHOD_ONE_WAY,
    PK_METHOD_TWO_WAY,
    PK_METHOD_FACTORIAL,
    PK_METHOD_LATIN_HYPERCUBE,
    PK_METHOD_MORRIS,
    PK_METHOD_SOBOL,
    PK_METHOD_PROBABILISTIC,
    PK_METHOD_COUNT
};
extern const char *const pk_method_names[PK_METHOD_COUNT];
/* Whether a method moves factors to levels; else it draws them from their distributions. */
bool pk_method_is_grid(enum pk_method method);

/* One way that a structural choice can be made. */
struct pk_option {
    const char *name;
    double share; /* how often it is drawn; shares add up to 1 */
    size_t n_sets;
    struct pk_set sets[PK_MAX_SETS];
    size_t told_instead[PK_MAX_ARMS]; /* arm whose figures are told for each arm's */
};

enum pk_factor_kind {
    PK_FACTOR_PARAMETER,
    PK_FACTOR_SET,   /* parameters that are uncertain together: a set of the model or the scenario */
    PK_FACTOR_CHOICE /* between assumptions that no number stands for */
};

struct pk_factor {
    const char *name;
    enum pk_factor_kind kind;
    size_t i_parameter;                     /* SIZE_MAX: none of ours */
    const struct pk_uncertainty *uncertain; /* of a parameter */
    const struct pk_uncertain_set *set;
    size_t n_options;
    struct pk_option *options;
    size_t n_levels; /* in a grid; of a choice its options */
    double *levels;  /* [n_levels] of a parameter, as given; of a choice 0, 1, ... */
    size_t i_group;  /* factors that are moved together have the same */
};

/* A parameter that follows a factor: times its value + plus. */
struct pk_follower {
    const char *name;
    size_t i_parameter, i_factor;
    double times, plus;
};

/* A weighted sum of outcomes. */
struct pk_term {
    size_t i_outcome; /* SIZE_MAX: what the arm's services cost, in euros */
    double weight;
};
struct pk_figure_told {
    const char *name;
    struct pk_label label;
    size_t n_terms;
    struct pk_term terms[PK_MAX_TERMS];
    size_t i_arm, i_against; /* SIZE_MAX: the arm's own */
    bool per_person;         /* of those whom arms are compared on; else as polku compare tells it */
    bool net;                /* less the share of a difference that takes the place of other people's */
};

struct pk_swept_decision {
    size_t n_options; /* 0: no decision is asked for */
    size_t i_arms[PK_MAX_ARMS];
    /* figures of option o, told for one person: */
    size_t i_effects[PK_MAX_ARMS], i_costs[PK_MAX_ARMS];
    const char *effect_label;
    size_t n_thresholds;
    double thresholds[PK_MAX_THRESHOLDS];     /* euros for one unit of effect, ascending */
    double persons_per_year, years, discount; /* whom the decision is about */
    size_t n_questions;
    struct pk_question {
        const char *name;
        size_t n_factors, i_factors[PK_MAX_SWEPT];
    } * questions; /* [n_questions] besides each factor alone */
};

struct pk_sweep {
    enum pk_method method;
    int64_t n_draws;      /* points of a hypercube, draws of a probabilistic analysis, rows of Sobol', trajectories */
    int64_t n_levels;     /* Morris: even; grids: where a factor does not say */
    bool second_order;    /* Sobol' */
    bool independent;     /* each draw is simulated in a world of its own; else all points in the same */
    int64_t replications; /* of each point; 0: as many as simulation_share asks for */
    double simulation_share; /* of a figure's variance over draws that simulation may make up */
    int64_t most_replications, n_pilot;
    int64_t batches;
    size_t n_factors, n_groups, n_followers, n_figures;
    struct pk_factor *factors;
    const char **groups; /* [n_groups] names */
    struct pk_follower *followers;
    struct pk_figure_told *figures; /* [n_figures] those named, then those of the decision */
    size_t n_named;                 /* ... named */
    struct pk_swept_decision decision;
};

#ifdef __cplusplus
}
#endif
#endif
