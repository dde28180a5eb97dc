/* polku compare: arms of a result file side by side. */
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "polku/compare.h"

static const char help[] =
    "Usage: polku compare [OPTION...] RESULT\n\n"
    "Prints the outcomes of every arm, their differences with simulation errors, and, apart from that, how far the\n"
    "uncertain inputs could move them, and what each step of the scenario's bridge contributes.\n\n"
    "      --against ARM      only differences from this arm\n"
    "      --set PRICE=VALUE  rewards at a new price, from the file alone, without a new run; may be repeated.\n"
    "                         Only for parameters that are prices of rewards and nothing else\n"
    "      --language fi|sv|en  of the labels (en)\n"
    "      --json             the same as JSON, with an error for every figure\n"
    "  -h, --help\n\n"
    "Example:\n"
    "  polku compare outputs/ips.h5 --against typ\n";

static int run(int argc, char **argv);
const struct pk_command pk_command_compare = {"compare", "compare the arms of a result file", help, run};

static int run(int argc, char **argv)
{
    static const struct option options[] = {
        {"against", required_argument, NULL, 'a'},  {"set", required_argument, NULL, 's'},
        {"language", required_argument, NULL, 'l'}, {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},           {NULL, 0, NULL, 0}};
    const char *against = NULL;
    bool json = false;
    struct pk_cli_sets sets = {.n = 0};
    size_t language = 2;
    for (int code; (code = pk_cli_option(&pk_command_compare, argc, argv, options)) != -1;) {
        if (code == 'h')
            return 0;
        if (code == 'a') {
            against = optarg;
        } else if (code == 's') {
            if (!pk_cli_add_set(&pk_command_compare, &sets, optarg))
                return pk_status_exit_code(PK_USAGE);
        } else if (code == 'j') {
            json = true;
        } else if (code == 'l') {
            if (!pk_cli_language(&pk_command_compare, optarg, &language))
                return pk_status_exit_code(PK_USAGE);
        } else {
            return pk_status_exit_code(PK_USAGE);
        }
    }
    if (optind != argc - 1)
        return pk_cli_usage(&pk_command_compare, "expected one result file, found %d", argc - optind);
    struct pk_comparison comparison;
    struct pk_error error;
    if (pk_comparison_open(&comparison, argv[optind], against, language, &error) != PK_OK)
        return pk_cli_fail(&error);
    if (pk_comparison_reprice(&comparison, sets.items, sets.n, &error) != PK_OK) {
        pk_comparison_free(&comparison);
        return pk_cli_fail(&error);
    }
    struct pk_text text;
    pk_text_init(&text);
    if (json)
        pk_compare_json(&comparison, &text);
    else
        pk_compare_print(&comparison, &text);
    fputs(pk_text_string(&text), stdout);
    pk_text_free(&text);
    pk_comparison_free(&comparison);
    return 0;
}
