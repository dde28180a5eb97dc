/* What the files that read models and scenarios share. Not installed. */
#ifndef PK_LOAD_PRIVATE_H
#define PK_LOAD_PRIVATE_H

#include "polku/load.h"
#include "polku/reader.h"

/* Where files that a document names are found. */
struct pk_load_from {
    bool alone;                            /* a model by itself: what nothing in it uses is told */
    bool files;                            /* beside the document; else only among the texts given */
    const struct pk_attachments *given;    /* may be NULL: none */
    const struct pk_load_options *options; /* may be NULL */
};

struct pk_load {
    struct pk_arena *arena; /* of the model or the scenario being read */
    struct pk_load_from from;
    struct pk_model *model;
    struct pk_scenario *scenario; /* NULL while a model is read */
    bool no_memory;
};

/* What a document is, by its keys. */
enum pk_file_kind pk_load_kind_of(const struct pk_reader *root);

void *pk_load_alloc(struct pk_load *load, size_t count, size_t size);

/* A scalar naming an item of the model; a problem with a suggestion if there is none. */
bool pk_load_state(struct pk_load *load, const struct pk_reader *r, size_t *i);
bool pk_load_attribute(struct pk_load *load, const struct pk_reader *r, size_t *i);
bool pk_load_attribute_value(struct pk_load *load, const struct pk_reader *r, size_t i_attribute, size_t *i);
bool pk_load_transition(struct pk_load *load, const struct pk_reader *r, size_t *i);
bool pk_load_service(struct pk_load *load, const struct pk_reader *r, size_t *i);
bool pk_load_reward(struct pk_load *load, const struct pk_reader *r, size_t *i);
bool pk_load_frailty(struct pk_load *load, const struct pk_reader *r, size_t *i);
/* A scalar naming a parameter with one of the units in the mask (bit per enum pk_unit), not a table unless allowed. */
bool pk_load_parameter(struct pk_load *load, const struct pk_reader *r, unsigned units, bool table, size_t *i);

/* A list of parameters of any unit. */
void pk_load_parameter_list(struct pk_load *load, const struct pk_reader *r, size_t **list, size_t *n);

/* Adds a problem at key i of a mapping: it is the key that is wrong, not its value. */
void pk_load_problem_at_key(const struct pk_reader *r, size_t i, const char *hint, const char *what);
/* As the functions above for key i of a mapping. */
bool pk_load_key(struct pk_load *load, const struct pk_reader *r, size_t i, const char *const *names, size_t n_names,
                 const char *what, size_t *found);
const char *const *pk_load_state_names(struct pk_load *load);
const char *const *pk_load_attribute_names(struct pk_load *load);

/* {attribute: {value: PARAMETER}}: ratios by attribute. */
void pk_load_ratios(struct pk_load *load, const struct pk_reader *r, struct pk_ratio **ratios, size_t *n_ratios);
/* {attribute: value or [values]} into flags[n_attributes][n_values]; what is not named keeps its flags. nobody: what
 * an empty list would mean ("could be enrolled"). */
bool pk_load_among(struct pk_load *load, const struct pk_reader *r, const char *nobody, bool **values);
/* Such flags, all set. */
bool **pk_load_all_values(struct pk_load *load);

/* One state, a list of states, or the word all, into flags[n_states]. */
bool pk_load_states(struct pk_load *load, const struct pk_reader *r, bool *flags);
/* The optional key label: {fi: ..., sv: ..., en: ...}; what is missing falls back to en, then to the name. */
void pk_load_label(struct pk_load *load, const struct pk_reader *r, const char *name, struct pk_label *label);
/* The same of a mapping of languages; NULL: there is none. */
void pk_load_label_at(struct pk_load *load, const struct pk_reader *r, const char *name, struct pk_label *label);
/* A number, or the name of a parameter (any unit in the mask). Literals must lie in [low, high]. */
bool pk_load_number(struct pk_load *load, const struct pk_reader *r, unsigned units, double low, double high,
                    struct pk_number *number);

/* A hazard: a parameter, a product of them, or a parametric form. */
void pk_load_hazard(struct pk_load *load, const struct pk_reader *r, struct pk_hazard *hazard);
/* A product of parameters in these units into the hazard's factors; n_expected of them must be hazards. */
bool pk_load_product(struct pk_load *load, const struct pk_reader *r, unsigned units, struct pk_hazard *hazard);
void pk_load_check_product(const struct pk_load *load, const struct pk_reader *r, const struct pk_hazard *hazard,
                           size_t n_expected);
/* One transition, service or reward of a model. */
void pk_load_read_transition(struct pk_load *load, const struct pk_reader *r, struct pk_transition *transition);
/* held, enters and places of a service. */
void pk_load_read_places(struct pk_load *load, const struct pk_reader *r, struct pk_service *service);
void pk_load_read_service(struct pk_load *load, const struct pk_reader *r, struct pk_service *service);
void pk_load_read_reward(struct pk_load *load, const struct pk_reader *r, struct pk_reward *reward);
/* The file at a name in this document, or its path beside the document: owned by the arena; NULL: no memory. */
const char *pk_load_beside(struct pk_arena *arena, const char *document, const char *name);
/* The text of a file that the document names at r, kept among its attachments; NULL after a problem. *path: as the
 * user can open it, for messages. */
const struct pk_attachment *pk_load_attachment(struct pk_load *load, const struct pk_reader *r, const char **path);

/* A parameter's table: {file: ..., clock: ...}. */
bool pk_load_table_file(struct pk_load *load, const struct pk_reader *r, struct pk_parameter *parameter);

/* A parameter's distribution, once its value is known. */
void pk_load_uncertainty(struct pk_load *load, const struct pk_reader *r, struct pk_parameter *parameter);
/* Whether values drawn between these two are such as the parameter may have; else what says why not. */
bool pk_load_drawn_fits(const struct pk_parameter *parameter, double low, double high, char *what, size_t size);
/* The key uncertainty of a model or a scenario: parameters uncertain together, appended to the model's. */
void pk_load_uncertain_sets(struct pk_load *load, const struct pk_reader *root);

/* The key calibrated of a scenario: files whose numbers take the place of the model's. */
void pk_load_calibrations(struct pk_load *load, const struct pk_reader *root);

/* The people of a scenario, and its parts. */
void pk_load_population(struct pk_load *load, const struct pk_reader *root);
void pk_load_distribution(struct pk_load *load, const struct pk_reader *r, double most,
                          struct pk_distribution *distribution);
/* A mapping of names to shares into shares[n]; what is not named has none. */
void pk_load_shares(struct pk_load *load, const struct pk_reader *r, const char *const *names, size_t n,
                    const char *what, struct pk_number *shares);
/* joint: a list of tables of attributes drawn together, of a scenario or a model, into joints[PK_MAX_JOINTS].
 * in_joint[n_attributes] is set for each attribute of them, and of those that have a problem. */
void pk_load_joints(struct pk_load *load, const struct pk_reader *r, struct pk_joint *joints, size_t *n_joints,
                    bool *in_joint);
/* people: a file. */
void pk_load_people(struct pk_load *load, const struct pk_reader *r, bool needs_age, struct pk_people *people);
void pk_load_arms(struct pk_load *load, const struct pk_reader *root);

/* Appends the parameters of a mapping to the model's; names must be new. */
void pk_load_parameters(struct pk_load *load, const struct pk_reader *r);
/* The keys source and caveat; false after a problem. */
bool pk_load_source(struct pk_load *load, const struct pk_reader *r, struct pk_source *source);
/* The file's format version, which must be one that this program knows. */
bool pk_load_format(const struct pk_reader *root);

/* The tree of a scenario, with that of the scenario that it says it is like; NULL after a problem or without memory.
 * That file is kept among the attachments. */
const struct pk_yaml_node *pk_load_like(struct pk_load *load, const struct pk_yaml_node *root,
                                        struct pk_problems *problems);

/* A model's file; alone: see pk_load_from. */
PK_CHECKED enum pk_status pk_load_model_file(const char *path, bool alone, const struct pk_load_options *options,
                                             struct pk_model *model, struct pk_problems *problems);

/* Reads a model from a text into an initialised model. */
PK_CHECKED enum pk_status pk_load_model_text(const char *name, const char *text, size_t size,
                                             const struct pk_load_from *from, struct pk_model *model,
                                             struct pk_problems *problems);

/* A mapping of parameters to values into sets[PK_MAX_SETS]; returns how many. */
size_t pk_load_sets(struct pk_load *load, const struct pk_reader *r, struct pk_set *sets);
/* Tables, histograms, outcomes, ledgers, comparison, event log, variants and bridge of a scenario. */
void pk_load_outcomes(struct pk_load *load, const struct pk_reader *root);
/* ... its parts. */
void pk_load_tables(struct pk_load *load, const struct pk_reader *root);
void pk_load_histograms(struct pk_load *load, const struct pk_reader *root);
void pk_load_read_outcomes(struct pk_load *load, const struct pk_reader *root);
/* The key bridge, when arms, outcomes and the scenario's own values are known. */
void pk_load_bridge(struct pk_load *load, const struct pk_reader *root);
/* The key evidence: the ledger. */
void pk_load_evidence(struct pk_load *load, const struct pk_reader *root);
/* Ids that texts of a document name are in the model's ledger, if it has one. documents: a source of that kind names at
 * least one. */
void pk_load_check_ids(const struct pk_load *load, const struct pk_reader *root, bool documents);
/* Those of one text. */
void pk_load_check_text(const struct pk_load *load, const struct pk_reader *r);
void pk_load_ledgers(struct pk_load *load, const struct pk_reader *root);
/* The key measure. */
bool pk_load_measure(const struct pk_reader *r, enum pk_measure *measure);
/* A duration from the start, or the word horizon: whole months within the horizon. */
bool pk_load_time(struct pk_load *load, const struct pk_reader *r, double *months);
/* The keys from and to. */
void pk_load_period(struct pk_load *load, const struct pk_reader *r, double *from, double *to);
/* An annual rate, or {rate, as, from}. */
void pk_load_discount(struct pk_load *load, const struct pk_reader *r, struct pk_discount *discount);
/* True where people have ages. */
bool pk_load_has_age(const struct pk_load *load);
/* A problem where the reward depends on age and people have none. */
void pk_load_check_reward_age(const struct pk_load *load, const struct pk_reader *r, size_t i_reward);

enum { PK_LOAD_REPLICATION_BITS = 24 };
#define PK_UNITS(unit) (1u << (unit))
#define PK_UNITS_ANY (~0u)

#endif
