/* What the files that read models and scenarios share. Not installed. */
#ifndef PK_LOAD_PRIVATE_H
#define PK_LOAD_PRIVATE_H

#include "polku/load.h"
#include "polku/reader.h"

struct pk_load {
    struct pk_arena *arena; /* of the model or the scenario being read */
    struct pk_model *model;
    struct pk_scenario *scenario; /* NULL while a model is read */
    bool no_memory;
};

void *pk_load_alloc(struct pk_load *load, size_t count, size_t size);

/* A scalar naming an item of the model; a problem with a suggestion if there is none. */
bool pk_load_state(struct pk_load *load, const struct pk_reader *r, size_t *i);
bool pk_load_attribute(struct pk_load *load, const struct pk_reader *r, size_t *i);
bool pk_load_attribute_value(struct pk_load *load, const struct pk_reader *r, size_t i_attribute, size_t *i);
bool pk_load_transition(struct pk_load *load, const struct pk_reader *r, size_t *i);
bool pk_load_service(struct pk_load *load, const struct pk_reader *r, size_t *i);
bool pk_load_reward(struct pk_load *load, const struct pk_reader *r, size_t *i);
/* A scalar naming a parameter with one of the units in the mask (bit per enum pk_unit), not a table unless allowed. */
bool pk_load_parameter(struct pk_load *load, const struct pk_reader *r, unsigned units, bool table, size_t *i);

/* A list of parameters of any unit. */
void pk_load_parameter_list(struct pk_load *load, const struct pk_reader *r, size_t **list, size_t *n);

/* As the functions above for key i of a mapping. */
bool pk_load_key(struct pk_load *load, const struct pk_reader *r, size_t i, const char *const *names, size_t n_names,
                 const char *what, size_t *found);
const char *const *pk_load_state_names(struct pk_load *load);
const char *const *pk_load_attribute_names(struct pk_load *load);

/* One state, a list of states, or the word all, into flags[n_states]. */
bool pk_load_states(struct pk_load *load, const struct pk_reader *r, bool *flags);
/* The optional key label: {fi: ..., sv: ..., en: ...}; what is missing falls back to en, then to the name. */
void pk_load_label(struct pk_load *load, const struct pk_reader *r, const char *name, struct pk_label *label);
/* A number, or the name of a parameter (any unit in the mask). Literals must lie in [low, high]. */
bool pk_load_number(struct pk_load *load, const struct pk_reader *r, unsigned units, double low, double high,
                    struct pk_number *number);

/* One transition or service of a model. */
void pk_load_read_transition(struct pk_load *load, const struct pk_reader *r, struct pk_transition *transition);
void pk_load_read_service(struct pk_load *load, const struct pk_reader *r, struct pk_service *service);
/* The people of a scenario. */
void pk_load_population(struct pk_load *load, const struct pk_reader *root);

/* Appends the parameters of a mapping to the model's; names must be new. */
void pk_load_parameters(struct pk_load *load, const struct pk_reader *r);
/* The file's format version, which must be one that this program knows. */
bool pk_load_format(const struct pk_reader *root);

/* Reads a model from a text into an initialised model. */
PK_CHECKED enum pk_status pk_load_model_text(const char *name, const char *text, size_t size, struct pk_model *model,
                                             struct pk_problems *problems);

/* A mapping of parameters to values into sets[PK_MAX_SETS]; returns how many. */
size_t pk_load_sets(struct pk_load *load, const struct pk_reader *r, struct pk_set *sets);
/* Tables, outcomes, comparison and variants of a scenario. */
void pk_load_outcomes(struct pk_load *load, const struct pk_reader *root);

enum { PK_LOAD_REPLICATION_BITS = 24 };
#define PK_UNITS(unit) (1u << (unit))
#define PK_UNITS_ANY (~0u)

#endif
