/* Tables of comma-separated values: RFC 4180's examples, what is refused and where, and any bytes at all. */
#include "polku/csv.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "polku/memory.h"
#include "polku/text.h"

static struct pk_problems problems;
static struct pk_csv csv;

static void tear_down(void)
{
    pk_csv_free(&csv);
    pk_problems_free(&problems);
}

TestSuite(csv, .fini = tear_down);

static enum pk_status parse(const char *text)
{
    tear_down();
    pk_problems_init(&problems);
    return pk_csv_parse(text, strlen(text), "t.csv", &problems, &csv);
}

static void expect_problem(size_t line, size_t column, const char *path, const char *message)
{
    char text[512] = "none";
    if (problems.n_kept > 0)
        pk_error_text(&problems.items[0], text, sizeof text);
    cr_assert_eq(problems.n_kept, 1, "%zu problems, expected %s; first: %s", problems.n_kept, message, text);
    const struct pk_error *error = &problems.items[0];
    cr_expect_str_eq(error->message, message);
    cr_expect_str_eq(error->file, "t.csv");
    cr_expect_str_eq(error->path, path);
    cr_expect(error->line == line && error->column == column, "%s: %zu:%zu, expected %zu:%zu", message, error->line,
              error->column, line, column);
}

Test(csv, cells_are_those_of_rfc_4180)
{
    static const char *const texts[] = {
        "a,b,c\r\n1,\"x, y\",\"say \"\"no\"\"\"\r\n,\"two\r\nlines\",ä\r\n",
        "\xef\xbb\xbf"
        "a,b,c\n1,\"x, y\",\"say \"\"no\"\"\"\n,\"two\r\nlines\",ä",
        "\"a\",\"b\",\"c\"\n\"1\",\"x, y\",\"say \"\"no\"\"\"\n\"\",\"two\r\nlines\",\"ä\"\n\n\r\n"};
    for (size_t i = 0; i < 3; i++) {
        cr_assert_eq(parse(texts[i]), PK_OK, "%zu: %s", i, problems.n_kept ? problems.items[0].message : "");
        cr_assert(csv.n_columns == 3 && csv.n_rows == 2);
        cr_expect_str_eq(pk_csv_header(&csv, 0), "a");
        cr_expect_str_eq(pk_csv_cell(&csv, 0, 0), "1");
        cr_expect_str_eq(pk_csv_cell(&csv, 0, 1), "x, y");
        cr_expect_str_eq(pk_csv_cell(&csv, 0, 2), "say \"no\"");
        cr_expect_str_eq(pk_csv_cell(&csv, 1, 0), "");
        cr_expect_str_eq(pk_csv_cell(&csv, 1, 1), "two\r\nlines");
        cr_expect_str_eq(pk_csv_cell(&csv, 1, 2), "ä");
        cr_expect_eq(pk_csv_column(&csv, "c", true), 2);
        cr_expect_eq(pk_csv_column(&csv, "d", false), SIZE_MAX);
        cr_expect_eq(problems.n_found, 0);
    }
}

Test(csv, what_is_put_is_read_back)
{
    static const char *const cells[] = {"plain", "",      " led",       "trailed\t", "a,b",
                                        "\"",    "\"\"x", "two\nlines", "é",         "1.5"};
    enum { N = sizeof cells / sizeof *cells };
    struct pk_text text;
    pk_text_init(&text);
    for (size_t i = 0; i < N; i++) {
        char name[8];
        snprintf(name, sizeof name, "c%zu", i);
        pk_csv_put(&text, name, i + 1 == N);
    }
    for (size_t i = 0; i < N; i++)
        pk_csv_put(&text, cells[i], i + 1 == N);
    cr_assert_eq(parse(pk_text_string(&text)), PK_OK);
    for (size_t i = 0; i < N; i++)
        cr_expect_str_eq(pk_csv_cell(&csv, 0, i), cells[i]);
    pk_text_free(&text);
}

Test(csv, what_is_wrong_is_told_with_its_place)
{
    static const struct {
        const char *text;
        size_t line, column;
        const char *path, *message;
    } cases[] = {
        {"", 1, 1, "", "the table is empty, expected a header and rows"},
        {"\n\n", 1, 1, "", "the table is empty, expected a header and rows"},
        {"\xef\xbb\xbf", 1, 1, "", "the table is empty, expected a header and rows"},
        {"a,b\n", 1, 4, "", "the table has a header and no rows"},
        {"a;b\n1;2\n", 1, 1, "", "the header has no comma but semicolons or tabs"},
        {"a,b\n1,2,3\n", 2, 1, "", "the row has 3 cells, expected 2 as in the header"},
        {"a,b\n1\n", 2, 1, "", "the row has 1 cells, expected 2 as in the header"},
        {"a,b\n1,2\n\n3,4\n", 3, 1, "", "the line is empty"},
        {"a,b\n1,\"2\n3,4\n", 2, 3, "", "opens a quote that never closes"},
        {"a,b\n1,\"2\"3\n", 2, 6, "", "something stands after the closing quote"},
        {"a,b\nä,2\"3\n", 2, 4, "", "a quote stands inside a cell without quotes"},
        {"a,b\n1, 2\n", 2, 3, "", "a blank stands beside the comma"},
        {"a,b\n1\r2,3\n", 2, 2, "", "a carriage return stands without its line feed"},
        {"a,a\n1,2\n", 1, 3, "a", "names a column again"},
        {"a,\n1,2\n", 1, 3, "", "the header has a column without a name"},
        {"a,b\n1,\x80\n", 2, 3, "", "byte 0x80 is not UTF-8"},
        {"a,b\n1,\x01\n", 2, 3, "", "holds the character U+0001, which no editor shows"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cr_expect_eq(parse(cases[i].text), PK_BAD_INPUT, "case %zu", i);
        expect_problem(cases[i].line, cases[i].column, cases[i].path, cases[i].message);
    }
    cr_expect_eq(parse("a,b\n1\n2,3\n4,5,6\n"), PK_BAD_INPUT);
    cr_expect_eq(problems.n_found, 2, "every bad row is told");
}

Test(csv, cells_are_read_as_numbers_and_choices)
{
    static const char *const names[] = {"north", "south"};
    double number = 7;
    size_t i = 7;
    cr_assert_eq(parse("region,x\nsouth,-1.5e1\nnorht,0100\n,\"1,5\"\n"), PK_OK);
    cr_expect(pk_csv_double(&csv, 0, 1, -20, 20, &number) && number == -15);
    cr_expect(pk_csv_choice(&csv, 0, 0, names, 2, "a region", &i) && i == 1);
    cr_expect(!pk_csv_double(&csv, 0, 1, 0, 1, &number) && number == -15);
    expect_problem(2, 7, "x", "is -15, expected 0 to 1");
    parse("region,x\nsouth,-1.5e1\nnorht,0100\n,\"1,5\"\n");
    cr_expect(!pk_csv_choice(&csv, 1, 0, names, 2, "a region", &i) && i == 1);
    expect_problem(3, 1, "region", "is \"norht\", expected a region");
    cr_expect_str_eq(problems.items[0].hint, "did you mean \"north\"?");
    parse("region,x\nsouth,-1.5e1\nnorht,0100\n,\"1,5\"\n");
    cr_expect(!pk_csv_double(&csv, 1, 1, 0, 1e9, &number));
    expect_problem(3, 7, "x", "is \"0100\", expected a number");
    parse("region,x\nsouth,-1.5e1\nnorht,0100\n,\"1,5\"\n");
    cr_expect(!pk_csv_double(&csv, 2, 1, 0, 1e9, &number));
    expect_problem(4, 2, "x", "is \"1,5\", expected a number");
    cr_expect_str_eq(problems.items[0].hint, "write a point, not a comma");
    parse("region,x\nsouth,1\n");
    cr_expect_eq(pk_csv_column(&csv, "regions", true), SIZE_MAX);
    expect_problem(1, 1, "", "the header has no column regions");
    cr_expect_str_eq(problems.items[0].hint, "is \"region\" meant to be it?");
}

Test(csv, running_out_of_memory_is_told_and_leaks_nothing)
{
    static const char text[] = "a,b\n1,2\n3,4\n";
    (void)pk_memory_fail_after(-1);
    pk_problems_init(&problems);
    for (long n = 0;; n++) {
        struct pk_csv table;
        (void)pk_memory_fail_after(n);
        enum pk_status status = pk_csv_parse(text, sizeof text - 1, "t.csv", &problems, &table);
        (void)pk_memory_fail_after(-1);
        pk_csv_free(&table);
        if (status == PK_OK)
            break;
        cr_assert_eq(status, PK_NO_MEMORY);
        cr_assert_lt(n, 10);
    }
    memset(&csv, 0, sizeof csv);
}
