/* What reading, printing and JSON share. Not installed. */
#ifndef PK_COMPARE_PRIVATE_H
#define PK_COMPARE_PRIVATE_H

#include "polku/compare.h"

/* Bits of an outcome's flags in a result file. */
enum { PK_FLAG_SHARE = 1, PK_FLAG_EUROS = 2, PK_FLAG_DECIDES = 4, PK_FLAG_LEDGER = 8 };

/* ---- reading: the first failure stays in status; what is read belongs to the comparison ---- */

struct pk_compare_reading {
    struct pk_comparison *comparison;
    struct pk_results *results;
    struct pk_error *error;
    enum pk_status status;
};

/* Hands a block over to the comparison; NULL is no memory. */
void pk_compare_keep(struct pk_compare_reading *reading, void *block);
/* NULL after a failure, now or before; n_expected SIZE_MAX: any number. */
char *pk_compare_text_of(struct pk_compare_reading *reading, const char *group, const char *name, bool needed);
char **pk_compare_texts_of(struct pk_compare_reading *reading, const char *path, size_t n_expected);
double *pk_compare_doubles_of(struct pk_compare_reading *reading, const char *path, size_t n_expected);
size_t pk_compare_length_of(struct pk_compare_reading *reading, const char *path);
/* compare_prices.c, compare_lives.c: of the population compared. */
void pk_compare_read_prices(struct pk_compare_reading *reading, size_t i_population, size_t n_populations);
void pk_compare_read_lives(struct pk_compare_reading *reading, size_t i_population);

/* compare_places.c */
void pk_compare_read_places(struct pk_compare_reading *reading);
void pk_compare_put_places(const struct pk_comparison *comparison, struct pk_text *text);
void pk_compare_json_places(const struct pk_comparison *comparison, struct pk_text *text);

/* compare_bridge.c */
void pk_compare_read_bridge(struct pk_compare_reading *reading, size_t language);
void pk_compare_put_bridge(const struct pk_comparison *comparison, struct pk_text *text);
void pk_compare_json_bridge(const struct pk_comparison *comparison, struct pk_text *text);
/* Whether a variant is a run of the bridge. */
bool pk_compare_of_bridge(const struct pk_comparison *comparison, size_t i_variant);

/* ---- printing ---- */

enum { PK_NUMBER_COLUMNS = 13 };
void pk_compare_pad(struct pk_text *text, const char *cell, int columns, bool right);
/* With thousands set apart: 12,345.67 */
void pk_compare_put_number(struct pk_text *text, double value, int decimals, int columns);
/* As wide as the longest label needs. */
int pk_compare_label_columns(const struct pk_comparison *comparison);
/* A stock or a cohort, where people flow in; else "". */
const char *pk_compare_about(const struct pk_comparison *comparison, size_t i_outcome);
/* The pair that the error and range columns are about: the last. */
struct pk_compare_pair pk_compare_headline(const struct pk_comparison *comparison);
bool pk_compare_rests_on(const struct pk_comparison *comparison, size_t i_arm);
void pk_compare_put_header(const struct pk_comparison *comparison, struct pk_text *text, const char *first, bool range);
void pk_compare_put_decides(const struct pk_comparison *comparison, struct pk_text *text);
void pk_compare_put_weighed(const struct pk_comparison *comparison, struct pk_text *text);
void pk_compare_json_weighed(const struct pk_comparison *comparison, struct pk_text *text);
void pk_compare_put_ledgers(const struct pk_comparison *comparison, struct pk_text *text);
void pk_compare_put_histograms(const struct pk_comparison *comparison, struct pk_text *text);
void pk_compare_put_preventions(const struct pk_comparison *comparison, struct pk_text *text);

bool pk_compare_has_flag(const struct pk_comparison *comparison, size_t i_outcome, int flag);
/* "arm-against" */
void pk_compare_pair_label(const struct pk_comparison *comparison, struct pk_compare_pair pair, char *label,
                           size_t size);

#endif
