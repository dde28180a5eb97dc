/* Help, errors and progress. See cli.h. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "polku/import.h"
#include "polku/stages.h"

const char *pk_cli_command_line = "";
const struct pk_load_options pk_cli_load_options = {.read_table = pk_import_table};

void pk_cli_folder_of(const char *path, char *folder, size_t size)
{
    snprintf(folder, size, "%s", path);
    char *slash = strrchr(folder, '/');
    if (slash == NULL)
        snprintf(folder, size, ".");
    else
        slash[slash == folder] = '\0';
}

int pk_cli_fail(const struct pk_error *error)
{
    char text[1024];
    pk_error_text(error, text, sizeof text);
    fprintf(stderr, "polku: %s\n", text);
    return pk_status_exit_code(error->status);
}

int pk_cli_fail_in(const char *path, struct pk_error *error)
{
    if (error->file[0] == '\0' && error->status == PK_BAD_INPUT)
        snprintf(error->file, sizeof error->file, "%.255s", path);
    return pk_cli_fail(error);
}

int pk_cli_problems(const struct pk_problems *problems, enum pk_status status)
{
    for (size_t i = 0; i < problems->n_kept; i++) {
        char text[1024];
        pk_error_text(&problems->items[i], text, sizeof text);
        fprintf(stderr, "%s%s\n", problems->items[i].status == PK_OK ? "warning: " : "", text);
    }
    if (problems->n_found > problems->n_kept)
        fprintf(stderr, "... and %zu more\n", problems->n_found - problems->n_kept);
    size_t n_errors = pk_problems_errors(problems);
    if (n_errors > 0)
        fprintf(stderr, "polku: %zu problem%s\n", n_errors, n_errors == 1 ? "" : "s");
    else if (status != PK_OK)
        fprintf(stderr, "polku: %s\n", pk_status_text(status));
    return pk_status_exit_code(status);
}

int pk_cli_usage(const struct pk_command *command, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "polku %s: ", command->name);
    vfprintf(stderr, format, arguments);
    fprintf(stderr, "\nTry: polku %s --help\n", command->name);
    va_end(arguments);
    return pk_status_exit_code(PK_USAGE);
}

int pk_cli_option(const struct pk_command *command, int argc, char **argv, const struct option *options)
{
    char letters[80] = ":"; /* every long option's letter is its short form too */
    size_t n_letters = 1;
    for (size_t i = 0; options[i].name != NULL && n_letters + 3 < sizeof letters; i++) {
        letters[n_letters++] = (char)options[i].val;
        if (options[i].has_arg == required_argument)
            letters[n_letters++] = ':';
    }
    letters[n_letters] = '\0';
    opterr = 0;
    int code = getopt_long(argc, argv, letters, options, NULL);
    if (code == 'h') {
        fputs(command->help, stdout);
    } else if (code == ':') {
        pk_cli_usage(command, "the option %s needs a value", argv[optind - 1]);
        code = '?';
    } else if (code == '?') {
        const char *given = argv[optind - 1], *names[32];
        size_t n = 0;
        while (options[n].name != NULL && n < 32) {
            names[n] = options[n].name;
            n++;
        }
        const char *nearest = strncmp(given, "--", 2) == 0 ? pk_text_nearest(given + 2, names, n) : NULL;
        pk_cli_usage(command, "no option is called %s%s%s%s", given, nearest ? "; did you mean --" : "",
                     nearest ? nearest : "", nearest ? "?" : "");
    }
    return code;
}

bool pk_cli_whole(const struct pk_command *command, const char *option, const char *text, int64_t low, int64_t high,
                  int64_t *value)
{
    if (pk_text_to_int64(text, value) && *value >= low && *value <= high)
        return true;
    pk_cli_usage(command, "%s is \"%s\", expected a whole number from %lld to %lld", option, text, (long long)low,
                 (long long)high);
    return false;
}

bool pk_cli_language(const struct pk_command *command, const char *name, size_t *language)
{
    for (size_t i = 0; i < PK_LANGUAGES; i++)
        if (strcmp(name, pk_language_names[i]) == 0) {
            *language = i;
            return true;
        }
    return pk_cli_usage(command, "--language is \"%s\", expected fi, sv or en", name) == 0;
}

bool pk_cli_add_set(const struct pk_command *command, struct pk_cli_sets *sets, const char *text)
{
    char *copy = sets->texts[sets->n];
    if (sets->n == PK_MAX_SETS)
        return pk_cli_usage(command, "at most %d --set are allowed", PK_MAX_SETS) == 0;
    snprintf(copy, sizeof sets->texts[0], "%s", text);
    char *equals = strchr(copy, '=');
    if (equals == NULL || equals == copy || equals[1] == '\0')
        return pk_cli_usage(command, "--set is \"%s\", expected NAME=VALUE", text) == 0;
    *equals = '\0';
    sets->items[sets->n].parameter = copy;
    sets->items[sets->n++].to = equals + 1;
    return true;
}

void pk_cli_tell_marks(const struct pk_scenario *scenario)
{
    for (size_t i = 0; i < scenario->n_calibrations; i++)
        for (size_t k = 0; k < scenario->calibrations[i].n_marks; k++)
            fprintf(stderr, "warning: calibrated from %s: %s\n", scenario->calibrations[i].study,
                    scenario->calibrations[i].marks[k]);
}

int pk_cli_with_scenario(const char *path,
                         enum pk_status (*work)(struct pk_scenario *scenario, const struct pk_model *model, void *data,
                                                struct pk_error *error),
                         void *data)
{
    struct pk_scenario scenario;
    struct pk_model model;
    struct pk_problems problems;
    struct pk_error error;
    pk_problems_init(&problems);
    enum pk_status status = pk_load_scenario(path, &pk_cli_load_options, &scenario, &model, &problems);
    int code = status != PK_OK || problems.n_found > 0 ? pk_cli_problems(&problems, status) : 0;
    if (status == PK_OK) {
        pk_cli_tell_marks(&scenario);
        status = work(&scenario, &model, data, &error);
        if (status != PK_OK)
            code = pk_cli_fail_in(path, &error);
        pk_scenario_free(&scenario);
        pk_model_free(&model);
    }
    pk_problems_free(&problems);
    return code;
}

void pk_progress_begin(struct pk_progress *progress, const char *what)
{
    *progress = (struct pk_progress){.what = what, .began = pk_seconds_now()};
}

void pk_progress_tell(double done, void *data)
{
    enum { WIDTH = 30 };
    struct pk_progress *progress = data;
    double now = pk_seconds_now();
    if (!isatty(STDERR_FILENO) || (now - progress->last < 0.1 && done < 1))
        return;
    progress->last = now;
    progress->shown = true;
    char bar[WIDTH + 1];
    int filled = (int)(done * WIDTH);
    for (int i = 0; i < WIDTH; i++)
        bar[i] = i < filled ? '#' : '.';
    bar[WIDTH] = '\0';
    double left = done > 0 ? (now - progress->began) * (1 - done) / done : 0;
    fprintf(stderr, "\r%-12s [%s] %3.0f %%  %.0f s left ", progress->what, bar, 100 * done, left);
}

void pk_progress_end(struct pk_progress *progress)
{
    if (progress->shown)
        fprintf(stderr, "\r%78s\r", "");
}
