/* What the files that compile a plan share. Not installed. */
#ifndef PK_PLAN_PRIVATE_H
#define PK_PLAN_PRIVATE_H

#include <stdlib.h>

#include "polku/plan.h"

struct pk_compile { /* the first problem stays in status and error */
    struct pk_plan *plan;
    const struct pk_model *model;
    const struct pk_scenario *scenario;
    const struct pk_values *values;
    enum pk_status status;
    struct pk_error *error;
    bool own_hazards; /* of services' effects are being compiled */
};

/* NULL sets the status. */
void *pk_compile_alloc(struct pk_compile *compile, size_t count, size_t size);
/* A parameter's value in use; unknown (nan) sets the status. */
double pk_compile_used(struct pk_compile *compile, size_t i_parameter);
/* A hazard times share, per month on its clock; of a table told by attributes, one column. */
void pk_compile_rate(struct pk_compile *compile, const struct pk_hazard *hazard, double share, size_t i_column,
                     struct pk_rate *rate);
/* The same for all columns, and which of them each stratum has (NULL: the first). Strata must be known. */
size_t pk_compile_rates(struct pk_compile *compile, const struct pk_hazard *hazard, double share,
                        const struct pk_rate **rates, const uint16_t **rate_of);
/* Whether a hazard's table is told by the attribute. */
bool pk_compile_table_enters(const struct pk_model *model, const struct pk_hazard *hazard, size_t i_attribute);

/* Effects of services; adds the arcs of prevented events that lead elsewhere, before strata are known. */
void pk_compile_diverted(struct pk_compile *compile);
void pk_compile_services(struct pk_compile *compile);
/* The own hazards of services' effects, once more; all else is left as it is. */
void pk_compile_own_hazards(struct pk_compile *compile);
/* How a service's places are held, how many there are, who is next. */
void pk_compile_places(struct pk_compile *compile, const struct pk_service *service, struct pk_plan_service *planned);
/* Frailties and cures. */
void pk_compile_differences(struct pk_compile *compile);
/* A new arc, zeroed; NULL sets the status. */
struct pk_plan_arc *pk_compile_arc(struct pk_compile *compile);
/* People, then arms. */
void pk_compile_people(struct pk_compile *compile);
/* The product of the ratios that hold in a stratum. */
double pk_compile_ratios(struct pk_compile *compile, const struct pk_ratio *ratios, size_t n, size_t stratum);
/* Target groups, lotteries, cohorts. */
void pk_compile_arms(struct pk_compile *compile);
/* Shares, which must add up to 1. */
void pk_compile_choice(struct pk_compile *compile, struct pk_plan_choice *choice, const struct pk_number *shares,
                       size_t n, const char *what);
/* PK_BAD_INPUT with a format of two texts, unless something is wrong already. */
void pk_compile_refuse(struct pk_compile *compile, const char *format, const char *a, const char *b);

#endif
