/* The points of a sweep and what they came to: what analyses read, in memory and as a file that xarray opens.
 *
 * Responsibility: the arrays, their names, what they were made from, and that only what belongs together is put
 * together. Knows neither how points are run nor what is made of them. A sample owns its arena and everything in it. */
#ifndef PK_SAMPLE_H
#define PK_SAMPLE_H

#include "polku/design.h"
#include "polku/sweep.h"
#include "polku/text.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What is varied as one. */
struct pk_sample_factor {
    const char *name, *unit, *source_kind, *source, *told; /* told: its distribution, or levels */
    enum pk_factor_kind kind;
    size_t first_quantity, n_quantities; /* of struct pk_sample */
    size_t n_free; /* quantities that are no function of those before them: of shares all but one */
    size_t i_group;
    size_t n_levels; /* of a grid, and options of a choice */
    const double *levels;
    const char *const *level_names; /* [n_levels] of a choice its options */
    double base;                    /* of one quantity */
};

struct pk_sample_figure {
    const char *name, *label, *unit;
};

/* The decision that the sample serves; figures by index. */
struct pk_sample_decision {
    size_t n_options; /* 0: none */
    const char *const *options;
    const size_t *effects, *costs; /* [n_options] figures */
    const char *effect_label;
    size_t n_thresholds;
    const double *thresholds;
    double persons_per_year, years, discount;
    size_t n_questions;
    const char *const *questions; /* [n_questions] names */
    const bool *asks;             /* [n_questions][n_factors] */
};

struct pk_sample {
    struct pk_arena arena;
    const char *study, *title, *study_text, *scenario_file;
    const char *marks_of_studies, *documents_warn; /* lines: of calibrations; what the documents themselves warn of */
    uint64_t identity;                             /* of everything that a point's figures depend on but the point */
    uint64_t seed;
    enum pk_method method;
    int64_t n_draws, n_levels, replications; /* as used; replications 0: a model that is not ours */
    bool second_order, independent;
    size_t n_factors, n_groups, n_quantities, n_figures, n_named;
    struct pk_sample_factor *factors;
    const char **groups, **quantities; /* names */
    struct pk_sample_figure *figures;
    struct pk_sample_decision decision;
    size_t n_all, first, n;       /* points of the whole design; those here: first .. first + n - 1 */
    struct pk_design_mark *marks; /* [n] factors are groups */
    double *x;                    /* [n][n_quantities] values as given; of a choice the option's number */
    double *y, *errors;           /* [n][n_figures] figures and their simulation standard errors; nan: cannot be run */
    uint64_t *keys;               /* [n] identity, values and worlds: points alike have the same */
};

/* Room for points first .. first + n - 1 of a study, with all that is known before anything is run. scenario and model
 * may be NULL together. Errors: PK_BAD_INPUT (those of designs), PK_NO_MEMORY. */
PK_CHECKED enum pk_status pk_sample_make(struct pk_sample *sample, const struct pk_study *study,
                                         const struct pk_scenario *scenario, const struct pk_model *model,
                                         int64_t replications, uint64_t identity, size_t first, size_t n,
                                         struct pk_error *error);
void pk_sample_free(struct pk_sample *sample);
/* Points of the design of a study. Errors: as above. */
PK_CHECKED enum pk_status pk_sample_points(const struct pk_study *study, size_t *n_points, struct pk_error *error);

/* Whether a point has no figure at all: it could not be run. */
bool pk_sample_is_impossible(const struct pk_sample *sample, size_t i);

/* The replications of a point begin at this one. */
int64_t pk_sample_world(const struct pk_sample *sample, size_t i);

/* Of all that the sample has: points, names, decision. */
uint64_t pk_sample_sum(const struct pk_sample *sample);

/* Writes the sample whole or not at all: the same bytes wherever and however it came about. Errors: those of results.h.
 */
PK_CHECKED enum pk_status pk_sample_save(const struct pk_sample *sample, const char *path, struct pk_error *error);
/* Errors: those of results.h; PK_BAD_INPUT: no sample, or one whose numbers do not add up to its digest. */
PK_CHECKED enum pk_status pk_sample_read(struct pk_sample *sample, const char *path, struct pk_error *error);

/* Puts what `part` knows of points of `whole` into it. known[whole->n] is set for each. Errors: PK_BAD_INPUT: of
 * another study, or of another design. */
PK_CHECKED enum pk_status pk_sample_join(struct pk_sample *whole, bool *known, const struct pk_sample *part,
                                         struct pk_error *error);
/* Takes up figures of the same points from a sample of the same study, however long its design; returns how many. */
size_t pk_sample_take(struct pk_sample *sample, bool *known, const struct pk_sample *earlier);

/* A row for each point: values, and outputs if asked. Reading: columns named as the figures, rows in the order of
 * points. Errors: PK_BAD_INPUT, PK_NO_MEMORY. */
void pk_sample_csv(const struct pk_sample *sample, bool figures, struct pk_text *text);
PK_CHECKED enum pk_status pk_sample_read_outputs(struct pk_sample *sample, const char *path, struct pk_error *error);

#ifdef __cplusplus
}
#endif
#endif
