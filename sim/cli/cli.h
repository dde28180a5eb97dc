/* What the commands share: help, errors, progress. The only floor that prints or exits. */
#ifndef PK_CLI_H
#define PK_CLI_H

#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>

#include "polku/load.h"
#include "polku/text.h"

struct pk_command {
    const char *name, *summary, *help;
    int (*run)(int argc, char **argv); /* argv[0] is the command; returns the exit code */
};

extern const struct pk_command pk_command_check, pk_command_graph, pk_command_run, pk_command_compare,
    pk_command_export, pk_command_rerun, pk_command_verify, pk_command_new, pk_command_coaches, pk_command_calibrate,
    pk_command_claims, pk_command_sweep, pk_command_merge, pk_command_submit, pk_command_analyse;

/* The command line as given, for provenance. */
extern const char *pk_cli_command_line;

/* Prints the error to stderr; returns its exit code. */
int pk_cli_fail(const struct pk_error *error);
/* The same of work on a file: bad input that names no file is in this one. */
int pk_cli_fail_in(const char *path, struct pk_error *error);
/* The folder that a file is in, or is to be in: "." where its path names none. Cut where it is too long. */
void pk_cli_folder_of(const char *path, char *folder, size_t size);

/* Prints all problems to stderr; returns the exit code of the worst (0: warnings only). */
int pk_cli_problems(const struct pk_problems *problems, enum pk_status status);
/* Wrong usage: a message and where to find help; returns 2. */
int pk_cli_usage(const struct pk_command *command, const char *format, ...) PK_PRINTF(2, 3);
/* Returns an option's code, -1 at the end of options, or '?' after having said what is wrong. --help prints and
 * returns 'h'. */
int pk_cli_option(const struct pk_command *command, int argc, char **argv, const struct option *options);
/* A whole number in [low, high] from an option; false after having said what is wrong. */
bool pk_cli_whole(const struct pk_command *command, const char *option, const char *text, int64_t low, int64_t high,
                  int64_t *value);

/* polku check of a study. Errors are in the problems. */
PK_CHECKED enum pk_status pk_cli_check_study(const char *path, bool quiet, struct pk_problems *problems,
                                             struct pk_error *error);

/* polku check of a claims file. Errors are in the problems. */
PK_CHECKED enum pk_status pk_cli_check_claims(const char *path, bool quiet, struct pk_problems *problems);

/* How the commands read models and scenarios: tables in HDF5 too. */
extern const struct pk_load_options pk_cli_load_options;

/* A language by its name; false after having said what is wrong. */
bool pk_cli_language(const struct pk_command *command, const char *name, size_t *language);

/* Overrides of parameters from the command line. */
struct pk_cli_sets {
    size_t n;
    struct pk_set items[PK_MAX_SETS];
    char texts[PK_MAX_SETS][256];
};
/* Adds NAME=VALUE; false after having said what is wrong. */
bool pk_cli_add_set(const struct pk_command *command, struct pk_cli_sets *sets, const char *text);

/* Warns of what must be told of the studies whose numbers the scenario uses. */
void pk_cli_tell_marks(const struct pk_scenario *scenario);
/* Loads a scenario and its model, tells its marks, does the work, frees both and reports whatever is wrong; returns the
 * exit code. */
int pk_cli_with_scenario(const char *path,
                         enum pk_status (*work)(struct pk_scenario *scenario, const struct pk_model *model, void *data,
                                                struct pk_error *error),
                         void *data);

/* Prints the model's ledger: rows with what uses them, then those that nothing uses. scenario may be NULL. */
PK_CHECKED enum pk_status pk_cli_print_ledger(const char *path, const struct pk_model *model,
                                              const struct pk_scenario *scenario, struct pk_error *error);

/* A progress bar on a terminal, nothing in a pipe. */
struct pk_progress {
    const char *what;
    double began, last;
    bool shown;
};
void pk_progress_begin(struct pk_progress *progress, const char *what);
void pk_progress_tell(double done, void *progress);
void pk_progress_end(struct pk_progress *progress);

#endif
