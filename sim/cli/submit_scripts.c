/* The scripts that Slurm runs, for people to read too. See submit.h. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "polku/file.h"
#include "submit.h"

void pk_submit_path(const struct pk_submission *s, const char *name, char path[3 * PK_PATH_SIZE])
{
    snprintf(path, 3 * PK_PATH_SIZE, "%s/%s", s->folder, name);
}

/* A word of the shell's, whatever is in it. */
static void put_word(struct pk_text *text, const char *word)
{
    pk_text_put(text, "'");
    for (; *word != '\0'; word++)
        if (*word == '\'')
            pk_text_put(text, "'\\''");
        else
            pk_text_add(text, word, 1);
    pk_text_put(text, "'");
}

/* A file of a job's output: sbatch takes quotes off and replaces %. */
static void put_log(struct pk_text *text, const struct pk_submission *s, const char *name)
{
    pk_text_put(text, "#SBATCH --output=\"");
    for (const char *c = s->folder; *c != '\0'; c++) {
        if (*c == '"')
            pk_text_put(text, "\\");
        pk_text_add(text, c, 1);
        if (*c == '%')
            pk_text_put(text, "%");
    }
    pk_text_addf(text, "/logs/%s\"\n", name);
}

static void put_array(struct pk_text *text, const struct pk_submission *s)
{
    const char *comma = "";
    pk_text_put(text, "#SBATCH --array=");
    for (size_t i = 0; i < s->n_shards; i++) {
        size_t last = i;
        if (s->shards[i].done)
            continue;
        while (last + 1 < s->n_shards && !s->shards[last + 1].done)
            last++;
        pk_text_addf(text, last > i ? "%s%zu-%zu" : "%s%zu", comma, i + 1, last + 1);
        comma = ",";
        i = last;
    }
    pk_text_put(text, "\n");
}

/* What both scripts ask Slurm for, in the end what the user says. */
static void put_asked(struct pk_text *text, const struct pk_submission *s, const char *time, const char *memory)
{
    const struct pk_submit_request *request = s->request;
    pk_text_addf(text, "#SBATCH --time=%s\n#SBATCH --mem=%s\n", time, memory);
    pk_text_put(text, "#SBATCH --requeue\n#SBATCH --open-mode=append\n");
    if (request->partition != NULL)
        pk_text_addf(text, "#SBATCH --partition=%s\n", request->partition);
    if (request->account != NULL)
        pk_text_addf(text, "#SBATCH --account=%s\n", request->account);
    if (request->extra != NULL)
        pk_text_addf(text, "#SBATCH %s\n", request->extra);
}

/* The end of a command on the study. */
static void put_study(struct pk_text *text, const struct pk_submission *s)
{
    if (s->request->draws > 0)
        pk_text_addf(text, " --draws %lld", (long long)s->request->draws);
    pk_text_put(text, " -o \"$stem\" -- \"$study\"");
}

static void put_names(struct pk_text *text, const struct pk_submission *s)
{
    pk_text_put(text, "cd ");
    put_word(text, s->directory);
    pk_text_put(text, "\npolku=");
    put_word(text, s->program);
    pk_text_put(text, "\nstudy=");
    put_word(text, s->request->study);
    pk_text_put(text, "\nstem=");
    put_word(text, s->stem);
    pk_text_put(text, "\n");
}

static void put_array_script(struct pk_text *text, const struct pk_submission *s)
{
    const char *name = s->swept->study.name;
    pk_text_addf(
        text,
        "#!/bin/bash\n"
        "# Shards of the study %s, a task each. Slurm: sbatch this file, then merge.sh.\n"
        "# Without Slurm: bash array.sh SHARD [THREADS] for every shard from 1 to %zu, anywhere and in any order,\n"
        "# then bash merge.sh. A shard that is done, and points of one that was interrupted, are not run again.\n"
        "#SBATCH --job-name=%.60s\n",
        name, s->n_shards, name);
    put_array(text, s);
    pk_text_addf(text, "#SBATCH --nodes=1 --ntasks=1 --cpus-per-task=%lld\n", (long long)s->n_threads);
    put_log(text, s, "%A_%a.txt");
    put_asked(text, s, s->time, s->memory);
    pk_text_put(text, "set -eu\nshard=${1:-${SLURM_ARRAY_TASK_ID:?expected a shard: bash array.sh 1}}\n");
    pk_text_addf(text, "threads=${2:-%lld}\n", (long long)s->n_threads);
    put_names(text, s);
    pk_text_addf(text, "exec \"$polku\" sweep --shard \"$shard/%zu\" --threads \"$threads\"", s->n_shards);
    put_study(text, s);
    pk_text_put(text, "\n");
}

static void put_merge_script(struct pk_text *text, const struct pk_submission *s)
{
    const char *name = s->swept->study.name;
    pk_text_addf(text,
                 "#!/bin/bash\n"
                 "# The shards of the study %s put together, and what they tell. After all of array.sh:\n"
                 "# sbatch --dependency=afterok:ID merge.sh, or bash merge.sh.\n"
                 "#SBATCH --job-name=%.60s-merge\n"
                 "#SBATCH --nodes=1 --ntasks=1 --cpus-per-task=1\n"
                 "#SBATCH --kill-on-invalid-dep=yes\n",
                 name, name);
    put_log(text, s, "merge_%j.txt");
    put_asked(text, s, s->merge_time, s->merge_memory);
    pk_text_put(text, "set -eu\n");
    put_names(text, s);
    pk_text_put(text, "\"$polku\" merge");
    put_study(text, s);
    pk_text_addf(text,
                 " \"$stem\".shard-*-of-%04zu.h5\n"
                 "\"$polku\" analyse -- \"$stem.h5\"\n"
                 "rm -f -- \"$stem\".shard-*-of-%04zu.h5.part* # of tasks that were killed\n",
                 s->n_shards, s->n_shards);
}

static enum pk_status write_script(const struct pk_submission *s, const char *name, struct pk_text *text,
                                   struct pk_error *error)
{
    char path[3 * PK_PATH_SIZE];
    pk_submit_path(s, name, path);
    const enum pk_status status = text->failed ? pk_error_set(error, PK_NO_MEMORY, "no memory for the scripts")
                                               : pk_file_write(path, pk_text_string(text), text->size, error);
    pk_text_free(text);
    return status;
}

static enum pk_status make_folder(const char *path, struct pk_error *error)
{
    if (mkdir(path, 0777) == 0 || errno == EEXIST)
        return PK_OK;
    const enum pk_status status = pk_error_set(error, PK_IO, "cannot create the folder: %s", strerror(errno));
    snprintf(error->file, sizeof error->file, "%.255s", path);
    return status;
}

enum pk_status pk_submit_write_scripts(const struct pk_submission *s, struct pk_error *error)
{
    char logs[3 * PK_PATH_SIZE];
    struct pk_text text;
    const char *const names[] = {s->folder, s->request->study};
    for (size_t i = 0; i < 2; i++)
        if (strpbrk(names[i], i == 0 ? "\n\r\\" : "\n\r") != NULL)
            return pk_error_set(error, PK_BAD_INPUT,
                                "\"%.100s\" has a backslash or the end of a line in it, which Slurm takes otherwise",
                                names[i]);
    pk_submit_path(s, "logs", logs);
    enum pk_status status = make_folder(s->folder, error);
    if (status == PK_OK)
        status = make_folder(logs, error);
    if (status == PK_OK) {
        pk_text_init(&text);
        put_array_script(&text, s);
        status = write_script(s, "array.sh", &text, error);
    }
    if (status == PK_OK) {
        pk_text_init(&text);
        put_merge_script(&text, s);
        status = write_script(s, "merge.sh", &text, error);
    }
    return status;
}
