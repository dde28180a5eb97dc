/* polku export: a result file as tidy CSV tables. */
#include <stdio.h>

#include "cli.h"
#include "polku/export.h"

static const char help[] =
    "Usage: polku export RESULT --csv DIR\n\n"
    "Writes every table of a result file as a tidy CSV file: arm, group columns, time, measure, value, mcse (the\n"
    "simulation standard error); outcomes by replication; parameters with unit, source and caveat.\n\n"
    "      --csv DIR          where to; made if it is not there\n"
    "  -h, --help\n\n"
    "Example:\n"
    "  polku export outputs/ips.h5 --csv outputs/ips\n";

static int run(int argc, char **argv);
const struct pk_command pk_command_export = {"export", "write a result file as tidy CSV tables", help, run};

static void tell(const char *path)
{
    printf("%s\n", path);
}

static int run(int argc, char **argv)
{
    static const struct option options[] = {
        {"csv", required_argument, NULL, 'c'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
    const char *directory = NULL;
    for (int code; (code = pk_cli_option(&pk_command_export, argc, argv, options)) != -1;) {
        if (code == 'h')
            return 0;
        if (code != 'c')
            return pk_status_exit_code(PK_USAGE);
        directory = optarg;
    }
    if (optind != argc - 1)
        return pk_cli_usage(&pk_command_export, "expected one result file, found %d", argc - optind);
    if (directory == NULL)
        return pk_cli_usage(&pk_command_export, "expected --csv DIR");
    struct pk_error error;
    if (pk_export_csv(argv[optind], directory, tell, &error) != PK_OK)
        return pk_cli_fail(&error);
    return 0;
}
