/* polku new: writes a commented model and scenario to start from. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cli.h"
#include "polku/file.h"
#include "templates.h"

static const char help[] = "Usage: polku new NAME\n\n"
                           "Makes the folder NAME with a small commented model.yaml and a scenario.yaml that runs it. "
                           "Nothing that is there is\n"
                           "overwritten. NAME is also what both are called: letters, digits and underscores.\n\n"
                           "  -h, --help\n\n"
                           "Example:\n"
                           "  polku new jobs && polku run jobs/scenario.yaml -o jobs.h5 && polku compare jobs.h5\n";

static int run(int argc, char **argv);
const struct pk_command pk_command_new = {"new", "write a commented model and scenario to start from", help, run};

static bool is_name(const char *text)
{
    size_t n = strlen(text);
    bool good = n > 0 && n < 64 && strcmp(text, "null") != 0 && !(text[0] >= '0' && text[0] <= '9');
    for (size_t i = 0; i < n; i++)
        good &= (text[i] >= 'a' && text[i] <= 'z') || (text[i] >= 'A' && text[i] <= 'Z') ||
                (text[i] >= '0' && text[i] <= '9') || text[i] == '_';
    return good;
}

static enum pk_status expect_absent(const char *folder, const char *file, struct pk_error *error)
{
    char path[256];
    struct stat about;
    snprintf(path, sizeof path, "%s/%s", folder, file);
    if (stat(path, &about) != 0)
        return PK_OK;
    pk_error_set(error, PK_IO, "is there already; nothing is overwritten");
    snprintf(error->file, sizeof error->file, "%s", path);
    return PK_IO;
}

static enum pk_status write_template(const char *folder, const char *file, const char *template, const char *name,
                                     struct pk_error *error)
{
    char path[256];
    struct pk_text text;
    snprintf(path, sizeof path, "%s/%s", folder, file);
    pk_text_init(&text);
    for (const char *at = template; *at != '\0';) {
        const char *mark = strstr(at, "@NAME@");
        size_t n = mark != NULL ? (size_t)(mark - at) : strlen(at);
        pk_text_addf(&text, "%.*s%s", (int)n, at, mark != NULL ? name : "");
        at += n + (mark != NULL ? strlen("@NAME@") : 0);
    }
    enum pk_status status = pk_file_write(path, pk_text_string(&text), strlen(pk_text_string(&text)), error);
    pk_text_free(&text);
    return status;
}

static int run(int argc, char **argv)
{
    static const struct option options[] = {{"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
    struct pk_error error;
    for (int code; (code = pk_cli_option(&pk_command_new, argc, argv, options)) != -1;)
        return code == 'h' ? 0 : pk_status_exit_code(PK_USAGE);
    if (optind != argc - 1)
        return pk_cli_usage(&pk_command_new, "expected one name, found %d", argc - optind);
    const char *name = argv[optind];
    if (!is_name(name))
        return pk_cli_usage(&pk_command_new, "\"%s\" is no name: use letters, digits and underscores", name);
    if (mkdir(name, 0777) != 0 && errno != EEXIST) {
        pk_error_set(&error, PK_IO, "cannot make the folder: %s", strerror(errno));
        snprintf(error.file, sizeof error.file, "%s", name);
        return pk_cli_fail(&error);
    }
    if (expect_absent(name, "model.yaml", &error) != PK_OK || expect_absent(name, "scenario.yaml", &error) != PK_OK ||
        write_template(name, "model.yaml", pk_template_model, name, &error) != PK_OK ||
        write_template(name, "scenario.yaml", pk_template_scenario, name, &error) != PK_OK)
        return pk_cli_fail(&error);
    printf("%s/model.yaml\n%s/scenario.yaml\nnext: polku run %s/scenario.yaml -o %s.h5 && polku compare %s.h5\n", name,
           name, name, name, name);
    return 0;
}
