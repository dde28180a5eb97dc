/* Claims beside results: figures read from results that the program made, and that any allocation may fail. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "polku/claimed.h"

#define CLAIMS POLKU_SOURCE_DIR "/tests/data/good/claims.yaml"

static char folder[] = "/tmp/polku-claimed-XXXXXX";
static struct pk_claims claims;

static void make_results(void)
{
    char command[4096];
    struct pk_problems problems;
    cr_assert_not_null(mkdtemp(folder));
    snprintf(command, sizeof command, "%s claims %s -o %s/out >%s/told 2>&1", POLKU_PROGRAM, CLAIMS, folder, folder);
    cr_assert_eq(system(command), 0);
    pk_problems_init(&problems);
    cr_assert_eq(pk_load_claims(CLAIMS, NULL, &claims, &problems), PK_OK);
    pk_problems_free(&problems);
}

static void remove_results(void)
{
    char command[4096];
    snprintf(command, sizeof command, "rm -r %s", folder);
    cr_expect_eq(system(command), 0);
    pk_claims_free(&claims);
}

TestSuite(claimed, .init = make_results, .fini = remove_results);

static enum pk_status read_all(struct pk_claimed *claimed, const char *const *names, size_t n_names,
                               struct pk_error *error)
{
    char path[4096];
    enum pk_status status = pk_claimed_init(claimed, &claims, names, n_names, error);
    for (size_t i = 0; i < claims.n_scenarios && status == PK_OK; i++) {
        snprintf(path, sizeof path, "%s/out/%s.h5", folder, claims.scenarios[i].name);
        status = pk_claimed_read(claimed, i, path, error);
    }
    return status;
}

Test(claimed, figures_are_of_their_scenarios)
{
    static const char *const names[] = {"everybody", "teams"}, *const unknown[] = {"team"};
    struct pk_claimed claimed;
    struct pk_error error;
    struct pk_problems problems;
    bool reconstruction, dynamic;
    cr_assert_eq(read_all(&claimed, names, 2, &error), PK_OK, "%s", error.message);
    cr_assert_eq(claimed.n_rows, 2);
    cr_expect_str_eq(claimed.rows[0].claim->name, "teams", "in the file's order");
    cr_expect_eq(pk_claimed_value(&claimed.rows[0].reconstruction), 525);
    cr_expect(pk_claimed_gap(&claimed.rows[0]) == 25 && pk_claimed_gap_percent(&claimed.rows[0]) == 5);
    cr_expect(claimed.rows[0].dynamic[0].known && claimed.rows[0].dynamic[0].n_kinds == 3);
    cr_expect(isnan(claimed.rows[1].reconstruction.net) && claimed.rows[1].reconstruction.gross == 3500);
    pk_claimed_needs(&claimed, 1, &reconstruction, &dynamic);
    cr_expect(!reconstruction && dynamic);
    claimed.only_static = true;
    pk_claimed_needs(&claimed, 1, &reconstruction, &dynamic);
    cr_expect(!reconstruction && !dynamic);
    pk_problems_init(&problems);
    cr_expect_eq(pk_claimed_check(&claimed, &problems), PK_OK);
    claims.claims[0].gives = 525.000001;
    cr_expect_eq(pk_claimed_check(&claimed, &problems), PK_NUMERICAL);
    cr_assert_eq(problems.n_kept, 1);
    cr_expect_str_eq(problems.items[0].path, "figures.teams.static.gives");
    cr_expect_eq(problems.items[0].line, 12);
    pk_problems_free(&problems);
    pk_claimed_free(&claimed);
    pk_claimed_free(&claimed);
    cr_expect_eq(pk_claimed_init(&claimed, &claims, unknown, 1, &error), PK_BAD_INPUT);
    cr_expect(strstr(error.hint, "\"teams\"") != NULL, "%s", error.hint);
    pk_claimed_free(&claimed);
}

Test(claimed, a_result_of_something_else_is_refused)
{
    struct pk_claimed claimed;
    struct pk_error error;
    char path[4096];
    cr_assert_eq(pk_claimed_init(&claimed, &claims, NULL, 0, &error), PK_OK);
    snprintf(path, sizeof path, "%s/out/%s.h5", folder, claims.scenarios[0].name);
    cr_expect_eq(pk_claimed_read(&claimed, 1, path, &error), PK_BAD_INPUT, "the outcomes are others");
    cr_expect(strstr(error.message, "no outcome is called \"in_work\"") != NULL, "%s", error.message);
    cr_expect_eq(pk_claimed_read(&claimed, 1, "/nowhere/at-all.h5", &error), PK_IO);
    pk_claimed_free(&claimed);
}

/* A text is whole, or says that it is not. */
static void tell(void (*put)(const struct pk_claimed *claimed, struct pk_text *text), const struct pk_claimed *claimed)
{
    struct pk_text whole, text;
    pk_text_init(&whole);
    put(claimed, &whole);
    cr_assert(!whole.failed && whole.size > 0);
    for (long n = 0;; n++) {
        pk_text_init(&text);
        pk_memory_fail_after(n);
        put(claimed, &text);
        pk_memory_fail_after(-1);
        const bool failed = text.failed;
        if (!failed)
            cr_expect_str_eq(pk_text_string(&text), pk_text_string(&whole), "%ld allocations", n);
        pk_text_free(&text);
        if (!failed)
            break;
        cr_assert_lt(n, 10000);
    }
    pk_text_free(&whole);
}

Test(claimed, any_allocation_may_fail)
{
    struct pk_claimed claimed;
    struct pk_error error;
    enum pk_status status = PK_NO_MEMORY;
    long n = 0;
    for (; status == PK_NO_MEMORY; n++) {
        pk_memory_fail_after(n);
        status = read_all(&claimed, NULL, 0, &error);
        pk_memory_fail_after(-1);
        if (status != PK_OK) {
            cr_assert_eq(status, PK_NO_MEMORY, "allocation %ld: %s", n, error.message);
            pk_claimed_free(&claimed);
        }
    }
    cr_expect_gt(n, 50);
    tell(pk_claimed_print, &claimed);
    tell(pk_claimed_json, &claimed);
    tell(pk_claimed_csv, &claimed);
    pk_claimed_free(&claimed);
}
