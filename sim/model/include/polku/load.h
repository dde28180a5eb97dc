/* Reading model and scenario files into their structs.
 *
 * Every problem of a file is found at once and put into the list with file, line, column and document path. */
#ifndef PK_LOAD_H
#define PK_LOAD_H

#include "polku/scenario.h"

#ifdef __cplusplus
extern "C" {
#endif

enum pk_file_kind { PK_FILE_MODEL, PK_FILE_SCENARIO, PK_FILE_CALIBRATED, PK_FILE_STUDY, PK_FILE_CLAIMS };
extern const char *const pk_file_kind_names[];
/* What a file is, by its keys; a file that cannot be parsed counts as a model. */
PK_CHECKED enum pk_status pk_load_kind(const char *path, enum pk_file_kind *kind, struct pk_error *error);

/* What only upper floors can do. NULL wherever options are asked for: nothing of it. */
struct pk_load_options {
    /* A table in a file whose name ends in .h5 or .hdf5 as comma-separated values (owned by the caller, pk_free). */
    enum pk_status (*read_table)(const char *path, char **csv, size_t *size, struct pk_error *error);
};

/* Reads a model. Files that it names are looked for beside it and kept in its attachments, as are a scenario's. On
 * PK_OK there may still be warnings in the list. Errors: PK_BAD_INPUT (problems listed), PK_IO (listed), PK_NO_MEMORY.
 */
PK_CHECKED enum pk_status pk_load_model(const char *path, const struct pk_load_options *options, struct pk_model *model,
                                        struct pk_problems *problems);

/* Reads a scenario and the model it names (relative to the scenario's file); the scenario's own parameters are
 * appended to the model's, and those that its calibrated files name have value, range and source from there. Errors as
 * above. */
PK_CHECKED enum pk_status pk_load_scenario(const char *path, const struct pk_load_options *options,
                                           struct pk_scenario *scenario, struct pk_model *model,
                                           struct pk_problems *problems);

/* The same from texts, e.g. those kept in a result file; the names are for messages. Files that the model or the
 * scenario names are looked up among these attachments (NULL: there are none), and no file is opened. */
PK_CHECKED enum pk_status pk_load_texts(const char *scenario_name, const char *scenario_text, size_t scenario_size,
                                        const char *model_name, const char *model_text, size_t model_size,
                                        const struct pk_attachments *of_model, const struct pk_attachments *of_scenario,
                                        struct pk_scenario *scenario, struct pk_model *model,
                                        struct pk_problems *problems);

/* Reads a calibrated file by itself, into an initialised arena: that its parameters exist and its values fit their
 * units is seen only with a scenario. Errors as above. */
PK_CHECKED enum pk_status pk_load_calibrated(const char *path, struct pk_arena *arena,
                                             struct pk_calibration *calibration, struct pk_problems *problems);

/* Checks that need the whole model: units of products, clocks, reachability. */
void pk_model_check(const struct pk_model *model, struct pk_problems *problems);
/* Warns of parameters that nothing in the model uses. */
void pk_model_check_unused(const struct pk_model *model, struct pk_problems *problems);

#ifdef __cplusplus
}
#endif
#endif
