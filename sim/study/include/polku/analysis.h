/* What a sample tells: who decides, by how much, where the answer turns, and what it would be worth to know.
 *
 * Responsibility: which analyses a method asks for, and how they are told. The mathematics is sensitivity.h's and
 * decision.h's. */
#ifndef PK_ANALYSIS_H
#define PK_ANALYSIS_H

#include "polku/sample.h"
#include "polku/sheet.h"

#ifdef __cplusplus
extern "C" {
#endif

struct pk_analysis_request {
    size_t n_resamples; /* of bootstraps; 0: the default */
    double threshold; /* euros for one unit of effect: of net benefits, and that values of information are told at; nan:
                         the middle one, and that where there is most to find out */
};

struct pk_analysis {
    const struct pk_sample *sample;
    struct pk_sheets sheets;
    struct pk_text marks; /* lines: what whoever uses this must know */
};

/* Errors: PK_BAD_INPUT (points without figures alone, a part of a design that means nothing alone), PK_NO_MEMORY. On
 * error it is freed. */
PK_CHECKED enum pk_status pk_analyse(struct pk_analysis *analysis, const struct pk_sample *sample,
                                     const struct pk_analysis_request *request, struct pk_error *error);
void pk_analysis_free(struct pk_analysis *analysis);

/* n_rows 0: all rows. */
void pk_analysis_print(const struct pk_analysis *analysis, size_t n_rows, struct pk_text *text);
void pk_analysis_json(const struct pk_analysis *analysis, struct pk_text *text);
/* Errors: those of results.h. */
PK_CHECKED enum pk_status pk_analysis_save(const struct pk_analysis *analysis, const char *path,
                                           struct pk_error *error);

#ifdef __cplusplus
}
#endif
#endif
