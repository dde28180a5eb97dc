/* The ledger of evidence: which words of a text are ids, which rows they are, and what no ledger can be. What is told
 * of wrong files: tests/cli/test_malformed.py. */
#include "polku/evidence.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "polku/load.h"

static struct pk_arena arena;
static struct pk_evidence evidence;
static struct pk_problems problems;

static void set_up(void)
{
    pk_arena_init(&arena);
    pk_problems_init(&problems);
}

static void tear_down(void)
{
    pk_arena_free(&arena);
    pk_problems_free(&problems);
}

TestSuite(evidence, .init = set_up, .fini = tear_down);

static enum pk_status read_as(const char *text, const char *path)
{
    return pk_evidence_read(text, strlen(text), "as_written", path, &arena, &evidence, &problems);
}

static void read_well(const char *text)
{
    const enum pk_status status = read_as(text, "t.csv");
    cr_assert_eq(status, PK_OK, "%s", problems.n_kept > 0 ? problems.items[0].message : "");
}

/* "S0.45 S0.47? -S0.48": the ids found, ? where there is no such row, - where they end a range. */
static void expect_mentions(const char *text, const char *expected)
{
    char found[256] = "";
    struct pk_evidence_mention mention = {.id = ""};
    for (const char *rest = text; pk_evidence_next(&evidence, &rest, &mention);) {
        const size_t used = strlen(found);
        snprintf(found + used, sizeof found - used, "%s%s%s%s", used > 0 ? " " : "", mention.ends_range ? "-" : "",
                 mention.id, mention.i_row == SIZE_MAX ? "?" : "");
    }
    cr_expect_str_eq(found, expected, "%s: %s, expected %s", text, found, expected);
}

Test(evidence, ids_are_told_by_their_shape)
{
    read_well("id\nS0.45\nS0.46\nS0.47\nS2.25\nS2.26\n");
    cr_expect_eq(evidence.n_shapes, 1);
    expect_mentions("", "");
    expect_mentions("nothing at all", "");
    expect_mentions("S0.45: a figure", "S0.45");
    expect_mentions("S0.45-S0.47", "S0.45 -S0.47");
    expect_mentions("S0.45\xe2\x80\x93S0.47", "S0.45 -S0.47"); /* a dash */
    expect_mentions("S2.25, S2.26", "S2.25 S2.26");
    expect_mentions("S0.45;", "S0.45");
    expect_mentions("(S0.45), as S0.46. And \"S0.47\"/S2.25...", "S0.45 S0.46 S0.47 S2.25");
    expect_mentions("S0.45 - S0.47", "S0.45 S0.47");
    expect_mentions("S0.45--S0.47", "S0.45 S0.47");
    expect_mentions("S0.45-based, from S2.26-on", "S0.45 S2.26");
    expect_mentions("mid-S0.45", "S0.45");
    expect_mentions("S0.450 and R9.1, S123.45678", "S0.450? R9.1? S123.45678?");
    expect_mentions("S0.45-S0.99", "S0.45 -S0.99?");
    expect_mentions("version 2.0, x0.5, s0.45, S0, S0.4.5, S.45, AS0.45, S0.45a, \xc3\xa4S0.45", "");
    expect_mentions("\xc3\xa4 S0.45\xc3\x97", "S0.45"); /* a times sign is no letter */
    expect_mentions("..S0.45..-S0.46", "S0.45 -S0.46");
}

Test(evidence, ids_may_hold_hyphens_and_have_several_shapes)
{
    read_well("value,id\n1,doc-12\n2,doc-13\n3,Smith2020\n4,K1-01\n5,K1-02\n6,K1\n");
    expect_mentions("doc-12-doc-13", "doc-12 -doc-13");
    expect_mentions("K1-01-K1-02 and K1-7", "K1-01 -K1-02 K1-7?");
    expect_mentions("K1: Smith2020, Jones1999", "K1 Smith2020 Jones1999?");
    expect_mentions("K1-K9", "K1 -K9?");
    expect_mentions("doc-12-K1-01", "doc-12 K1-01"); /* no range: they are not alike */
    cr_expect_str_eq(pk_evidence_nearest(&evidence, "doc-14"), "doc-12");
    cr_expect_null(pk_evidence_nearest(&evidence, "quite another"));
}

Test(evidence, a_range_means_the_rows_between)
{
    bool used[5] = {false};
    read_well("id\nS0.5\nS0.1\nS0.9\nS0.3\nS0.2\n");
    cr_expect_eq(pk_evidence_mark(&evidence, "S0.1-S0.3", used), 3, "in the ledger's order, not the alphabet's");
    cr_expect(!used[0] && used[1] && used[2] && used[3] && !used[4]);
    cr_expect_eq(pk_evidence_mark(&evidence, "S0.9, S0.2", used), 1, "only what is new is counted");
    cr_expect_eq(pk_evidence_mark(&evidence, NULL, used), 0);
    memset(used, 0, sizeof used);
    cr_expect_eq(pk_evidence_mark(&evidence, "S0.2-S0.5", used), 2, "a range that is none names nothing between");
    cr_expect(used[0] && !used[1] && !used[2] && !used[3] && used[4]);
}

Test(evidence, tabs_leave_quotes_alone)
{
    cr_assert_eq(read_as("id\tlocator\tvalue\r\nS0.1\t\"yes\" (two, places)\t0,5\r\nS0.2\t a\t\"\r\n", "x/t.tsv"),
                 PK_OK);
    cr_assert_eq(evidence.n_rows, 2);
    cr_expect_str_eq(evidence.file, "as_written");
    cr_expect_str_eq(evidence.rows[0].locator, "\"yes\" (two, places)");
    cr_expect_str_eq(evidence.rows[0].value, "0,5");
    cr_expect_str_eq(evidence.rows[1].locator, " a");
    cr_expect_str_eq(evidence.rows[1].value, "\"");
    cr_expect_str_eq(evidence.rows[1].unit, "", "a column that is not there is empty");
}

Test(evidence, what_is_no_ledger_is_refused_with_its_place)
{
    static const struct {
        const char *text;
        size_t line, column;
        const char *message;
    } cases[] = {{"key,value\nS0.1,2\n", 1, 1, "the header has no column id"},
                 {"value,id\n1,S0.1\n2,S0.2\n3,S0.1\n", 4, 3, "gives the id S0.1 again"},
                 {"id\n\"\"\n", 2, 1, "is \"\", expected an id of letters and digits"},
                 {"id\nword\n", 2, 1, "is \"word\", expected an id"},
                 {"id\n12.5\n", 2, 1, "is \"12.5\", expected an id"},
                 {"id\nS1.\n", 2, 1, "is \"S1.\", expected an id"},
                 {"id\nS1\xe2\x80\x93"
                  "2\n",
                  2, 1,
                  "is \"S1\xe2\x80\x93"
                  "2\", expected an id"},
                 {"id\nS1_2\n", 2, 1, "is \"S1_2\", expected an id"},
                 {"id\nS0000000000000000000000000000000000000000000000000000000000000000\n", 2, 1, "is \"S0000"},
                 {"id\n", 1, 3, "the table has a header and no rows"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tear_down();
        set_up();
        cr_assert_eq(read_as(cases[i].text, "t.csv"), PK_BAD_INPUT, "%s", cases[i].text);
        cr_assert_eq(problems.n_kept, 1, "%s", cases[i].text);
        const struct pk_error *error = &problems.items[0];
        cr_expect(strncmp(error->message, cases[i].message, strlen(cases[i].message)) == 0, "%s: %s", cases[i].text,
                  error->message);
        cr_expect(error->line == cases[i].line && error->column == cases[i].column, "%s: %zu:%zu", cases[i].text,
                  error->line, error->column);
        cr_expect(evidence.n_rows == 0 && evidence.rows == NULL);
    }
}

Test(evidence, any_allocation_may_fail)
{
    static const char text[] = "id,value\nS0.1,2\nS0.2,3\nT-1,4\n";
    enum pk_status status = PK_NO_MEMORY;
    long n = 0;
    for (; status == PK_NO_MEMORY && n < 1000; n++) {
        tear_down();
        set_up();
        (void)pk_memory_fail_after(n);
        status = read_as(text, "t.csv");
        (void)pk_memory_fail_after(-1);
        cr_assert(status == PK_OK || (status == PK_NO_MEMORY && evidence.n_rows == 0), "allocation %ld", n);
    }
    cr_expect(status == PK_OK && n > 3);
}

/* A word of megabytes, of one part and of many, is passed in the time it takes to read it. */
Test(evidence, long_words_are_passed, .timeout = 20)
{
    enum { N = 4 << 20 };
    char *text = pk_alloc(N + 1, 1);
    cr_assert_not_null(text);
    read_well("id\nS0.45\na-1\n");
    struct pk_evidence_mention mention = {.id = ""};
    for (int i = 0; i < 3; i++) {
        for (size_t k = 0; k < N; k++)
            text[k] = "a-.-aa"[(size_t)2 * (size_t)i + (k & 1)];
        const char *rest = text;
        cr_expect(!pk_evidence_next(&evidence, &rest, &mention), "%d: %s", i, mention.id);
    }
    memcpy(text + N - 6, " S0.45", 6);
    const char *rest = text;
    cr_expect(pk_evidence_next(&evidence, &rest, &mention) && rest == text + N);
    pk_free(text);
}

Test(evidence, a_model_keeps_its_ledger_among_its_files)
{
    struct pk_scenario scenario;
    struct pk_model model;
    cr_assert_eq(pk_load_scenario(POLKU_SOURCE_DIR "/tests/data/good/cited.yaml", NULL, &scenario, &model, &problems),
                 PK_OK, "%s", problems.n_kept > 0 ? problems.items[0].message : "");
    cr_expect_eq(model.evidence.n_rows, 6);
    cr_expect_str_eq(model.evidence.rows[4].locator, "sivu 1, \"kuusi euroa\"");
    cr_assert_eq(model.attachments.n, 1);
    cr_expect_str_eq(model.attachments.items[0].name, "cited_evidence.csv");
    cr_expect_eq(strncmp(model.attachments.items[0].text, "id,value,low", 12), 0);
    pk_scenario_free(&scenario);
    pk_model_free(&model);
}
