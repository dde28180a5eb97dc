/* The ledger of evidence for people: each row beside the parameters, warnings and notes that use it. See cli.h. */
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "polku/memory.h"
#include "polku/source.h"

/* What may name rows: a parameter, a warning of the documents, an arm's note. */
struct user {
    char name[96];
    bool *rows; /* [n_rows] named by its texts */
};

struct ledger {
    const struct pk_evidence *evidence;
    size_t n_users, n_parameters, n_warnings, n_notes; /* users; of them that name some row, by kind */
    struct user *users;
    bool *rows; /* [n_users][n_rows] */
};

static struct user *next_user(struct ledger *ledger)
{
    struct user *user = &ledger->users[ledger->n_users];
    user->rows = ledger->rows + ledger->n_users * ledger->evidence->n_rows;
    ledger->n_users++;
    return user;
}

static size_t mark_source(const struct ledger *ledger, const struct pk_source *source, const struct user *user)
{
    return pk_evidence_mark(ledger->evidence, source->text, user->rows) +
           pk_evidence_mark(ledger->evidence, source->caveat, user->rows);
}

static void find_users(struct ledger *ledger, const struct pk_model *model, const struct pk_scenario *scenario)
{
    for (size_t i = 0; i < model->n_parameters; i++) {
        const struct pk_parameter *parameter = &model->parameters[i];
        struct user *user = next_user(ledger);
        snprintf(user->name, sizeof user->name, "%s", parameter->name);
        size_t n = mark_source(ledger, &parameter->source, user) +
                   pk_evidence_mark(ledger->evidence, parameter->description, user->rows);
        for (size_t k = 0; k < parameter->n_alternatives; k++)
            n += mark_source(ledger, &parameter->alternatives[k].source, user);
        ledger->n_parameters += n > 0;
    }
    for (size_t i = 0; i < model->n_warnings_of_documents; i++) {
        struct user *user = next_user(ledger);
        snprintf(user->name, sizeof user->name, "warning %zu", i + 1);
        ledger->n_warnings += pk_evidence_mark(ledger->evidence, model->warnings_of_documents[i], user->rows) > 0;
    }
    for (size_t i = 0; scenario != NULL && i < scenario->n_arms; i++) {
        struct user *user = next_user(ledger);
        snprintf(user->name, sizeof user->name, "note of %s", scenario->arms[i].name);
        ledger->n_notes += pk_evidence_mark(ledger->evidence, scenario->arms[i].note, user->rows) > 0;
    }
}

static void pad(const char *cell, int columns)
{
    const int n = (int)pk_text_columns(cell);
    printf("%s%*s", cell, n < columns ? columns - n : 0, "");
}

/* id  value (low to high) unit  locator */
static void print_row(const struct pk_evidence_row *row)
{
    char value[160], locator[PK_SOURCE_EXCERPT_SIZE], cells[3][PK_SOURCE_EXCERPT_SIZE];
    const char *given[3] = {row->value, row->low, row->high};
    for (size_t k = 0; k < 3; k++)
        pk_source_excerpt(given[k], cells[k]);
    if (row->low[0] != '\0' || row->high[0] != '\0')
        snprintf(value, sizeof value, "%.40s (%.40s to %.40s)", cells[0], cells[1], cells[2]);
    else
        snprintf(value, sizeof value, "%.60s", cells[0]);
    printf("  ");
    pad(row->id, 7);
    printf(" ");
    pad(value, 24);
    pk_source_excerpt(row->unit, cells[0]);
    printf(" ");
    pad(cells[0], 18);
    pk_source_excerpt(row->locator, locator);
    printf(" %s\n", locator);
}

/* Names in lines of at most 110 columns. */
static void print_name(const char *name, const char *separator, size_t *columns)
{
    const size_t n = pk_text_columns(name) + strlen(separator) + 1;
    if (*columns == 0 || *columns + n > 110) {
        printf("%s     ", *columns == 0 ? "" : "\n");
        *columns = 5;
    }
    printf(" %s%s", name, separator);
    *columns += n;
}

static size_t print_users(const struct ledger *ledger, size_t i_row)
{
    size_t n = 0, told = 0, columns = 0;
    for (size_t i = 0; i < ledger->n_users; i++)
        n += ledger->users[i].rows[i_row];
    if (n == 0)
        return 0;
    print_row(&ledger->evidence->rows[i_row]);
    for (size_t i = 0; i < ledger->n_users; i++)
        if (ledger->users[i].rows[i_row])
            print_name(ledger->users[i].name, ++told < n ? "," : "", &columns);
    printf("\n");
    return n;
}

enum pk_status pk_cli_print_ledger(const char *path, const struct pk_model *model, const struct pk_scenario *scenario,
                                   struct pk_error *error)
{
    struct ledger ledger = {.evidence = &model->evidence};
    const struct pk_evidence *evidence = ledger.evidence;
    const size_t n_rows = evidence->n_rows, n_most = model->n_parameters + model->n_warnings_of_documents +
                                                     (scenario != NULL ? scenario->n_arms : 0);
    if (n_rows == 0) {
        printf("%s: the model %s names no ledger of evidence\n", path, model->name);
        return PK_OK;
    }
    ledger.users = pk_alloc(n_most, sizeof *ledger.users);
    ledger.rows = pk_alloc(n_most, n_rows * sizeof *ledger.rows);
    bool *unused = pk_alloc(n_rows, sizeof *unused);
    enum pk_status status = PK_OK;
    if (ledger.users == NULL || ledger.rows == NULL || unused == NULL) {
        status = pk_error_set(error, PK_NO_MEMORY, "no memory for the ledger");
    } else {
        size_t n_unused = 0, columns = 0, told = 0;
        find_users(&ledger, model, scenario);
        printf("%s: %zu rows of evidence in %s, and what uses them\n", path, n_rows, evidence->file);
        for (size_t i = 0; i < n_rows; i++)
            n_unused += unused[i] = print_users(&ledger, i) == 0;
        printf("  used by nothing:\n");
        for (size_t i = 0; i < n_rows; i++)
            if (unused[i])
                print_name(evidence->rows[i].id, ++told < n_unused ? "," : "", &columns);
        printf("%s  %zu of %zu rows are used, by %zu parameters, %zu warnings of the documents and %zu notes of arms; "
               "%zu by nothing\n",
               n_unused > 0 ? "\n" : "      (none)\n", n_rows - n_unused, n_rows, ledger.n_parameters,
               ledger.n_warnings, ledger.n_notes, n_unused);
    }
    pk_free(ledger.users);
    pk_free(ledger.rows);
    pk_free(unused);
    return status;
}
