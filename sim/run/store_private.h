/* Writing with a digest: what store.c and its parts share. Not installed. */
#ifndef PK_STORE_PRIVATE_H
#define PK_STORE_PRIVATE_H

#include <sha2.h>

#include "polku/results.h"
#include "polku/store.h"
#include "polku/text.h"

/* A file on its way; the first failure stays in status. */
struct pk_out {
    struct pk_results *results;
    struct pk_error *error;
    enum pk_status status;
    SHA2_CTX digest;
    bool digesting;
};

void pk_out_digest(struct pk_out *out, const char *group, const char *name, const void *bytes, size_t size);
void pk_out_text(struct pk_out *out, const char *group, const char *name, const char *text);
void pk_out_long(struct pk_out *out, const char *group, const char *name, const char *text, const char *long_name);
void pk_out_number(struct pk_out *out, const char *group, const char *name, double value);
void pk_out_integer(struct pk_out *out, const char *group, const char *name, int64_t value);
void pk_out_axis_texts(struct pk_out *out, const char *group, const char *name, size_t n, const char *const *labels,
                       const char *long_name);
void pk_out_axis_integers(struct pk_out *out, const char *group, const char *name, size_t n, const int64_t *values,
                          const char *long_name);
void pk_out_array_texts(struct pk_out *out, const char *group, const char *name, const char *const *dims, size_t n_dims,
                        size_t n, const char *const *values, const char *long_name);
void pk_out_array_doubles(struct pk_out *out, const char *group, const char *name, const char *const *dims,
                          size_t n_dims, size_t n, const double *values, const char *units, const char *long_name);
void pk_out_array_integers(struct pk_out *out, const char *group, const char *name, const char *const *dims,
                           size_t n_dims, size_t n, const int64_t *values, const char *units, const char *long_name);
void *pk_out_room(struct pk_out *out, size_t n, size_t size);
/* Names of items that start with theirs. */
const char **pk_out_names(struct pk_out *out, const void *items, size_t n, size_t size);

/* "name = value unit (low to high) [kind]" and a line feed. */
void pk_store_describe_parameter(struct pk_text *text, const struct pk_store *store, size_t i);

/* The groups /parameters, /evidence, /calibrations, /arms, /outcomes, /rewards, /histograms, /places, /preventions,
 * /variants, /bridge and /events. */
void pk_store_put_parameters(struct pk_out *out, const struct pk_store *store);
void pk_store_put_evidence(struct pk_out *out, const struct pk_store *store);
void pk_store_put_calibrations(struct pk_out *out, const struct pk_store *store);
void pk_store_put_arms(struct pk_out *out, const struct pk_store *store);
void pk_store_put_outcomes(struct pk_out *out, const struct pk_store *store);
void pk_store_put_rewards(struct pk_out *out, const struct pk_store *store);
void pk_store_put_histograms(struct pk_out *out, const struct pk_store *store);
void pk_store_put_places(struct pk_out *out, const struct pk_store *store);
void pk_store_put_preventions(struct pk_out *out, const struct pk_store *store);
const char *pk_store_unit_of(const struct pk_model *model, const struct pk_outcome *outcome);
void pk_store_put_variants(struct pk_out *out, const struct pk_store *store);
void pk_store_put_bridge(struct pk_out *out, const struct pk_store *store);
void pk_store_put_events(struct pk_out *out, const struct pk_store *store);

#endif
