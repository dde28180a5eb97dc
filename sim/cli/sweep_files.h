/* Where the files of a sweep are, and reading the study: what sweep, merge, analyse and submit share. */
#ifndef PK_SWEEP_FILES_H
#define PK_SWEEP_FILES_H

#include <glob.h>

#include "cli.h"
#include "polku/sample.h"

enum { PK_STEM_SIZE = 3800, PK_PATH_SIZE = 4000, PK_MAX_SHARDS = 9999, PK_MAX_DRAWS = 1000000 };

/* A study that is swept, with its scenario and model; both NULL where it is of a model that is not ours. */
struct pk_swept {
    struct pk_study study;
    struct pk_scenario of_scenario;
    struct pk_model of_model;
    const struct pk_scenario *scenario;
    const struct pk_model *model;
    bool loaded;
};
/* Returns 0, or the exit code after having said what is wrong. */
int pk_swept_load(struct pk_swept *swept, const char *path);
/* So many draws, rows or trajectories instead of the study's (0: those). False after having said that it draws nothing.
 */
bool pk_swept_draws(const struct pk_command *command, struct pk_swept *swept, int64_t n);
void pk_swept_free(struct pk_swept *swept);

/* outputs/NAME where none is asked for. False after having said that it is too long or names no file. */
bool pk_sweep_stem(const struct pk_command *command, const struct pk_study *study, const char *asked,
                   char stem[PK_STEM_SIZE]);
/* STEM.h5, STEM.shard-0003-of-0016.h5 (i_shard from 0; n_shards 0: all points). */
void pk_sweep_path(const char *stem, size_t i_shard, size_t n_shards, char path[PK_PATH_SIZE]);
/* The shard and number of shards in such a name; false: none. */
bool pk_sweep_of_path(const char *stem, const char *path, size_t *i_shard, size_t *n_shards);

/* Load, draws and STEM together; on failure nothing is left to be freed. Returns 0 or the exit code. */
int pk_swept_open(const struct pk_command *command, const char *path, int64_t draws, const char *output,
                  struct pk_swept *swept, char stem[PK_STEM_SIZE]);

/* Shards of STEM, of any number of them and no other files, for globfree also where it fails. Errors: PK_IO. */
PK_CHECKED enum pk_status pk_sweep_find(const char *stem, glob_t *found, struct pk_error *error);

/* Before the work: could a file get its name afterwards, and may what is there be replaced? That is a sample of a study
 * of this name, whatever it was then, but not one of more points of this very study: those have been paid for. */
PK_CHECKED enum pk_status pk_sweep_check_output(const char *path, const struct pk_swept *swept, struct pk_error *error);

/* "3/16" into 2 and 16. */
bool pk_sweep_shard(const struct pk_command *command, const char *text, size_t *i_shard, size_t *n_shards);

#endif
