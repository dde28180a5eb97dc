/* polku graph: a model's states and transitions for Graphviz. */
#include <stdio.h>
#include <string.h>

#include "cli.h"

static const char help[] = "Usage: polku graph [--language fi|sv|en] MODEL_OR_SCENARIO\n\n"
                           "Prints the states and transitions in Graphviz's language.\n\n"
                           "Example:\n"
                           "  polku graph models/tyokyky/model.yaml | dot -Tsvg -o model.svg\n";

static int run(int argc, char **argv);
const struct pk_command pk_command_graph = {"graph", "draw the states and transitions (Graphviz)", help, run};

static void put_quoted(const char *string)
{
    putchar('"');
    for (const char *c = string; *c != '\0'; c++) {
        if (*c == '"' || *c == '\\')
            putchar('\\');
        putchar(*c);
    }
    putchar('"');
}

static void hazard_text(const struct pk_model *model, const struct pk_transition *transition, struct pk_text *text)
{
    const struct pk_hazard *hazard = &transition->hazard;
    if (transition->deterministic)
        pk_text_addf(text, "at %s = %s", pk_clock_names[transition->at_clock],
                     model->parameters[transition->i_at].name);
    for (size_t i = 0; i < model->n_services && transition->by_service; i++)
        if (model->services[i].i_enters != SIZE_MAX && &model->transitions[model->services[i].i_enters] == transition)
            pk_text_addf(text, "a place in %s", model->services[i].name);
    if (hazard->parametric) {
        pk_text_addf(text, "%s(", pk_hazard_form_names[hazard->form]);
        for (size_t i = 0; i < (size_t)pk_hazard_parameter_counts[hazard->form]; i++)
            pk_text_addf(text, "%s%s", i ? ", " : "", model->parameters[hazard->i_form[i]].name);
        pk_text_addf(text, "; %s)", pk_clock_names[hazard->clock]);
    }
    for (size_t i = 0; i < hazard->n_factors; i++)
        pk_text_addf(text, "%s%s", i || hazard->parametric ? " x " : "", model->parameters[hazard->i_factors[i]].name);
}

static void print_graph(const struct pk_model *model, size_t language)
{
    printf("digraph ");
    put_quoted(model->name);
    printf(" {\n  rankdir=LR; node [shape=box, style=rounded]; edge [fontsize=10];\n");
    for (size_t s = 0; s < model->n_states; s++) {
        printf("  %s [label=", model->states[s].name);
        put_quoted(model->states[s].label.in[language]);
        printf("%s];\n", model->states[s].absorbing ? ", peripheries=2" : "");
    }
    for (size_t t = 0; t < model->n_transitions; t++) {
        const struct pk_transition *transition = &model->transitions[t];
        bool services = transition->by_service;
        for (size_t i = 0; i < model->n_services; i++)
            for (size_t k = 0; k < model->services[i].n_effects; k++)
                services |= model->services[i].effects[k].i_transition == t;
        for (size_t s = 0; s < model->n_states; s++)
            for (size_t d = 0; transition->from[s] && d < transition->n_to; d++) {
                struct pk_text text;
                pk_text_init(&text);
                pk_text_addf(&text, "%s", transition->label.in[language]);
                if (!transition->from_any) {
                    pk_text_put(&text, "\n"); /* a line break in Graphviz's texts too */
                    hazard_text(model, transition, &text);
                }
                printf("  %s -> %s [label=", model->states[s].name, model->states[transition->i_to[d]].name);
                put_quoted(pk_text_string(&text));
                printf("%s%s];\n", transition->from_any ? ", style=dashed, color=gray, fontcolor=gray" : "",
                       services ? ", penwidth=2" : "");
                pk_text_free(&text);
            }
    }
    printf("}\n");
}

static int run(int argc, char **argv)
{
    static const struct option options[] = {
        {"language", required_argument, NULL, 'l'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
    size_t language = 2;
    for (int code; (code = pk_cli_option(&pk_command_graph, argc, argv, options)) != -1;) {
        if (code == 'h')
            return 0;
        if (code != 'l')
            return pk_status_exit_code(PK_USAGE);
        for (language = 0; language < PK_LANGUAGES && strcmp(optarg, pk_language_names[language]) != 0;)
            language++;
        if (language == PK_LANGUAGES)
            return pk_cli_usage(&pk_command_graph, "--language is \"%s\", expected fi, sv or en", optarg);
    }
    if (optind != argc - 1)
        return pk_cli_usage(&pk_command_graph, "expected one model or scenario file, found %d", argc - optind);
    struct pk_model model;
    struct pk_scenario scenario;
    struct pk_problems problems;
    struct pk_error error;
    enum pk_file_kind kind;
    if (pk_load_kind(argv[optind], &kind, &error) != PK_OK)
        return pk_cli_fail(&error);
    pk_problems_init(&problems);
    pk_scenario_init(&scenario);
    enum pk_status status = kind == PK_FILE_MODEL
                                ? pk_load_model(argv[optind], &pk_cli_load_options, &model, &problems)
                                : pk_load_scenario(argv[optind], &pk_cli_load_options, &scenario, &model, &problems);
    int code = 0;
    if (status == PK_OK) {
        print_graph(&model, language);
        pk_model_free(&model);
    } else {
        code = pk_cli_problems(&problems, status);
    }
    pk_scenario_free(&scenario);
    pk_problems_free(&problems);
    return code;
}
