/* The program: finds the command. */
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "polku/provenance.h"

static const struct pk_command *const commands[] = {
    &pk_command_new,     &pk_command_check,   &pk_command_graph,     &pk_command_run,    &pk_command_verify,
    &pk_command_compare, &pk_command_coaches, &pk_command_calibrate, &pk_command_claims, &pk_command_sweep,
    &pk_command_merge,   &pk_command_submit,  &pk_command_analyse,   &pk_command_export, &pk_command_rerun};
enum { N_COMMANDS = sizeof commands / sizeof *commands };

static void print_help(FILE *to)
{
    fputs("polku: a microsimulator of people moving between states, in continuous time\n\n"
          "Usage: polku COMMAND [OPTION...] FILE...\n\nCommands:\n",
          to);
    for (size_t i = 0; i < N_COMMANDS; i++)
        fprintf(to, "  %-9s %s\n", commands[i]->name, commands[i]->summary);
    fputs("\npolku COMMAND --help shows its options and an example. polku --version tells the version.\n"
          "Exit codes: 0 ok, 1 bad input, 2 wrong usage, 3 input or output failed, 4 numerical failure, 5 a bug of "
          "ours.\n",
          to);
}

/* Output that did not arrive is a failure, however well the command went. */
static int finish(int code)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return code;
    fputs("polku: cannot write to the standard output\n", stderr);
    return code ? code : pk_status_exit_code(PK_IO);
}

int main(int argc, char **argv)
{
    static char line[4096];
    for (int i = 0; i < argc; i++) {
        size_t used = strlen(line);
        snprintf(line + used, sizeof line - used, "%s%s", i ? " " : "", i ? argv[i] : "polku");
    }
    pk_cli_command_line = line;
    if (argc < 2) {
        print_help(stderr);
        return pk_status_exit_code(PK_USAGE);
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
        print_help(stdout);
        return finish(0);
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("polku %s (%s)\n%s\n%s\n", pk_provenance_version(), pk_provenance_revision(), pk_provenance_compiler(),
               pk_provenance_libraries());
        return finish(0);
    }
    const char *names[N_COMMANDS];
    for (size_t i = 0; i < N_COMMANDS; i++) {
        names[i] = commands[i]->name;
        if (strcmp(argv[1], commands[i]->name) == 0)
            return finish(commands[i]->run(argc - 1, argv + 1));
    }
    const char *nearest = pk_text_nearest(argv[1], names, N_COMMANDS);
    fprintf(stderr, "polku: no command is called %s%s%s%s\nTry: polku --help\n", argv[1],
            nearest ? "; did you mean " : "", nearest ? nearest : "", nearest ? "?" : "");
    return pk_status_exit_code(PK_USAGE);
}
