/* The typed layer: what each kind of value accepts, and what a user is told about the rest. */
#include "polku/reader.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static struct pk_arena arena;
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

TestSuite(reader, .init = set_up, .fini = tear_down);

static struct pk_reader reader(const char *text)
{
    const struct pk_yaml_node *root = NULL;
    tear_down();
    cr_assert_eq(pk_yaml_parse(text, strlen(text), "m.yaml", &arena, &root, &problems), PK_OK, "%s", text);
    return pk_reader_root(root, "m.yaml", &problems);
}

/* The value of `v: ...`, so that it has a line, a column and a path that are not 1, 1 and "". */
static struct pk_reader value_of(const char *value)
{
    char text[512];
    struct pk_reader child;
    snprintf(text, sizeof text, "top:\n  - v: %s\n", value);
    struct pk_reader root = reader(text), top = pk_reader_item(&root, 0), pair = pk_reader_item(&top, 0);
    cr_assert(pk_reader_need(&pair, "v", &child));
    return child;
}

static void check_problem(size_t i, size_t line, size_t column, const char *path, const char *message, const char *hint)
{
    cr_assert_lt(i, problems.n_kept, "no problem %zu: %s", i, message);
    const struct pk_error *error = &problems.items[i];
    cr_assert_eq(error->status, PK_BAD_INPUT);
    cr_assert_str_eq(error->file, "m.yaml");
    cr_assert_str_eq(error->message, message);
    cr_assert_str_eq(error->hint, hint, "%s: %s", message, error->hint);
    cr_assert_eq(error->line, line, "%s: line %zu", message, error->line);
    cr_assert_eq(error->column, column, "%s: column %zu", message, error->column);
    cr_assert_str_eq(error->path, path, "%s: path %s", message, error->path);
}

struct refusal {
    const char *value, *message, *hint;
};

/* Exactly one problem, at the value; the outputs are the caller's to check. */
static void check_refusal(const struct refusal *refusal, bool accepted)
{
    cr_assert_not(accepted, "accepted: %s", refusal->value);
    cr_assert_eq(problems.n_found, 1, "%s: %zu problems", refusal->value, problems.n_found);
    bool left_out = refusal->value[0] == '\0';
    check_problem(0, 2, left_out ? 7 : 8, "top[0].v", refusal->message, refusal->hint);
}

#define COUNT(table) (sizeof(table) / sizeof(table)[0])

Test(reader, double_takes_plain_decimal_numbers_only)
{
    static const struct {
        const char *value;
        double number;
    } accepted[] = {{"2.385", 2.385}, {"-0.25", -0.25}, {"1e3", 1000.0}, {"+7", 7.0},
                    {"0", 0.0},       {"0e9", 0.0},     {"-0.0", 0.0}};
    for (size_t i = 0; i < COUNT(accepted); i++) {
        struct pk_reader r = value_of(accepted[i].value);
        double number = 99.0;
        cr_assert(pk_reader_double(&r, &number), "%s", accepted[i].value);
        cr_assert_eq(number, accepted[i].number);
        cr_assert_eq(problems.n_found, 0);
    }
    static const struct refusal refused[] = {
        {"0.1x", "is 0.1x, expected a number", ""},
        {"0100", "is 0100, expected a number", "write it without leading zeros"},
        {"-007.5", "is -007.5, expected a number", "write it without leading zeros"},
        {".5", "is .5, expected a number", "write 0 before the point"},
        {"5.", "is 5., expected a number", ""},
        {"0x10", "is 0x10, expected a number", "write it in decimal"},
        {"nan", "is nan, expected a number", "a number must be finite"},
        {"-.inf", "is -.inf, expected a number", "a number must be finite"},
        {"1e999", "is 1e999, expected a number", "check the exponent: it is too large or unfinished"},
        {"1e", "is 1e, expected a number", "check the exponent: it is too large or unfinished"},
        {"1e-999", "is 1e-999, expected a number", "it is so near to 0 that it would become 0"},
        {"1_000", "is 1_000, expected a number", "write the digits without separators"},
        {"1 000", "is 1 000, expected a number", "write the digits without separators"},
        {"0,5", "is 0,5, expected a number", "write a decimal point, and no thousands separators"},
        {"5%", "is 5%, expected a number", "write a share, such as 0.05 for five in a hundred"},
        {"\"3\"", "is the text \"3\", expected a number", "remove the quotes"},
        {"'3'", "is the text \"3\", expected a number", "remove the quotes"},
        {"'three'", "is the text \"three\", expected a number", ""},
        {"|\n      3", "is the text \"3 \", expected a number", ""},
        {"three", "is three, expected a number", ""},
        {"true", "is true, expected a number", ""},
        {"~", "is ~, expected a number", ""},
        {"", "is empty, expected a number", ""},
        {"[1]", "is a list, expected a number", ""},
        {"{a: 1}", "is a mapping, expected a number", ""},
    };
    for (size_t i = 0; i < COUNT(refused); i++) {
        struct pk_reader r = value_of(refused[i].value);
        double number = 99.0;
        check_refusal(&refused[i], pk_reader_double(&r, &number));
        cr_assert_eq(number, 99.0, "outputs stay untouched");
    }
}

Test(reader, double_in_says_its_range_and_includes_both_ends)
{
    static const struct {
        double low, high;
        const char *value, *message; /* message NULL: accepted */
    } cases[] = {
        {0.0, 1.0, "0", NULL},
        {0.0, 1.0, "1", NULL},
        {0.0, 1.0, "1.0000001", "is 1.0000001, expected a number from 0 to 1"},
        {0.0, 1.0, "-1e-9", "is -1e-9, expected a number from 0 to 1"},
        {0.0, 1.0, "x", "is x, expected a number from 0 to 1"},
        {2.385, HUGE_VAL, "1e300", NULL},
        {2.385, HUGE_VAL, "2.38", "is 2.38, expected a number of at least 2.385"},
        {-HUGE_VAL, -1.5, "-1", "is -1, expected a number of at most -1.5"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct pk_reader r = value_of(cases[i].value);
        double number;
        bool accepted = pk_reader_double_in(&r, cases[i].low, cases[i].high, &number);
        cr_assert_eq(accepted, cases[i].message == NULL, "%s", cases[i].value);
        if (!accepted)
            check_problem(0, 2, 8, "top[0].v", cases[i].message, "");
    }
}

Test(reader, int_in_takes_whole_numbers_only)
{
    int64_t number = 99;
    struct pk_reader r = value_of("-3");
    cr_assert(pk_reader_int_in(&r, -3, 7, &number));
    cr_assert_eq(number, -3);
    r = value_of("9223372036854775807");
    cr_assert(pk_reader_int_in(&r, INT64_MIN, INT64_MAX, &number));
    cr_assert_eq(number, INT64_MAX);
    static const struct refusal refused[] = {
        {"8", "is 8, expected a whole number from -3 to 7", ""},
        {"-4", "is -4, expected a whole number from -3 to 7", ""},
        {"3.0", "is 3.0, expected a whole number from -3 to 7", "write it without point and exponent"},
        {"1e0", "is 1e0, expected a whole number from -3 to 7", "write it without point and exponent"},
        {"03", "is 03, expected a whole number from -3 to 7", "write it without leading zeros"},
        {"0x3", "is 0x3, expected a whole number from -3 to 7", "write it in decimal"},
        {"99999999999999999999", "is 99999999999999999999, expected a whole number from -3 to 7", ""},
        {"'3'", "is the text \"3\", expected a whole number from -3 to 7", "remove the quotes"},
        {"", "is empty, expected a whole number from -3 to 7", ""},
    };
    for (size_t i = 0; i < COUNT(refused); i++) {
        r = value_of(refused[i].value);
        number = 99;
        check_refusal(&refused[i], pk_reader_int_in(&r, -3, 7, &number));
        cr_assert_eq(number, 99);
    }
    r = value_of("0");
    cr_assert_not(pk_reader_int_in(&r, 1, INT64_MAX, &number));
    check_problem(0, 2, 8, "top[0].v", "is 0, expected a whole number of at least 1", "");
    r = value_of("0");
    cr_assert_not(pk_reader_int_in(&r, INT64_MIN, -1, &number));
    check_problem(0, 2, 8, "top[0].v", "is 0, expected a whole number of at most -1", "");
}

Test(reader, bool_takes_true_and_false_only)
{
    bool flag = false;
    struct pk_reader r = value_of("true");
    cr_assert(pk_reader_bool(&r, &flag) && flag);
    r = value_of("false");
    cr_assert(pk_reader_bool(&r, &flag) && !flag);
    static const struct refusal refused[] = {
        {"yes", "is yes, expected true or false", "write true"},
        {"On", "is On, expected true or false", "write true"},
        {"TRUE", "is TRUE, expected true or false", "write true"},
        {"1", "is 1, expected true or false", "write true"},
        {"no", "is no, expected true or false", "write false"},
        {"OFF", "is OFF, expected true or false", "write false"},
        {"\"true\"", "is the text \"true\", expected true or false", "write true"},
        {"maybe", "is maybe, expected true or false", ""},
        {"", "is empty, expected true or false", ""},
        {"{}", "is a mapping, expected true or false", ""},
    };
    for (size_t i = 0; i < COUNT(refused); i++) {
        r = value_of(refused[i].value);
        check_refusal(&refused[i], pk_reader_bool(&r, &flag));
    }
}

Test(reader, text_and_name_take_scalars_with_content)
{
    static const char name_hint[] =
        "a name has letters, digits and _, starts with no digit, is not null, at most 63 bytes";
    static const char *const names[] = {
        "a", "_x9", "Job_loss", "'quoted'", "no", "a23456789012345678901234567890123456789012345678901234567890123"};
    const char *text = NULL;
    for (size_t i = 0; i < COUNT(names); i++) {
        struct pk_reader r = value_of(names[i]);
        cr_assert(pk_reader_name(&r, &text), "%s", names[i]);
        cr_assert(pk_reader_text(&r, &text), "%s", names[i]);
    }
    static const struct refusal not_names[] = {
        {"9lives", "is 9lives, expected a name", name_hint},
        {"a-b", "is a-b, expected a name", name_hint},
        {"größe", "is größe, expected a name", name_hint},
        {"null", "is null, expected a name", name_hint},
        {"a234567890123456789012345678901234567890123456789012345678901234",
         "is a23456789012345678901234567890123456789012345678901234567890..., expected a name", name_hint},
        {"", "is empty, expected a name", ""},
        {"''", "is the text \"\", expected a name", ""},
        {"[a]", "is a list, expected a name", ""},
    };
    for (size_t i = 0; i < COUNT(not_names); i++) {
        struct pk_reader r = value_of(not_names[i].value);
        check_refusal(&not_names[i], pk_reader_name(&r, &text));
    }
    static const struct refusal not_texts[] = {
        {"", "is empty, expected a text", ""},
        {"''", "is the text \"\", expected a text", ""},
        {"~", "is ~, expected a text", "put it in quotes if it is the text you mean"},
        {"Null", "is Null, expected a text", "put it in quotes if it is the text you mean"},
        {"{a: 1}", "is a mapping, expected a text", ""},
    };
    for (size_t i = 0; i < COUNT(not_texts); i++) {
        struct pk_reader r = value_of(not_texts[i].value);
        check_refusal(&not_texts[i], pk_reader_text(&r, &text));
    }
    struct pk_reader r = value_of("'null'");
    cr_assert(pk_reader_text(&r, &text));
    cr_assert_str_eq(text, "null");
}

Test(reader, day_takes_iso_dates_of_the_calendar)
{
    int64_t day = 99;
    struct pk_reader r = value_of("2000-03-01");
    cr_assert(pk_reader_day(&r, &day));
    cr_assert_eq(day, 11017, "date -d 2000-03-01 +%%s, by 86400");
    static const struct refusal refused[] = {
        {"2023-02-29", "is 2023-02-29, expected a date such as 2024-12-31", "the calendar has no such day"},
        {"2023-2-1", "is 2023-2-1, expected a date such as 2024-12-31", "year, month and day as YYYY-MM-DD"},
        {"01.02.2023", "is 01.02.2023, expected a date such as 2024-12-31", "year, month and day as YYYY-MM-DD"},
        {"2023", "is 2023, expected a date such as 2024-12-31", "year, month and day as YYYY-MM-DD"},
        {"", "is empty, expected a date such as 2024-12-31", ""},
        {"[1]", "is a list, expected a date such as 2024-12-31", ""},
    };
    for (size_t i = 0; i < COUNT(refused); i++) {
        r = value_of(refused[i].value);
        check_refusal(&refused[i], pk_reader_day(&r, &day));
    }
}

Test(reader, choice_lists_up_to_twelve_and_suggests_the_nearest)
{
    static const char *const names[] = {"exponential", "weibull", "gompertz", "d", "e", "f",        "g",
                                        "h",           "i",       "j",        "k", "l", "lognormal"};
    size_t i_found = 99;
    struct pk_reader r = value_of("weibull");
    cr_assert(pk_reader_choice(&r, names, 3, &i_found, "a distribution"));
    cr_assert_eq(i_found, 1);
#define THREE "expected a distribution: one of exponential, weibull, gompertz"
    static const struct refusal refused[] = {
        {"weibul", "is weibul, " THREE, "did you mean \"weibull\"?"},
        {"cauchy", "is cauchy, " THREE, ""},
        {"", "is empty, " THREE, ""},
        {"{a: 1}", "is a mapping, " THREE, ""},
    };
    for (size_t i = 0; i < COUNT(refused); i++) {
        r = value_of(refused[i].value);
        check_refusal(&refused[i], pk_reader_choice(&r, names, 3, &i_found, "a distribution"));
    }
    static const struct refusal long_list = {"log_normal", "is log_normal, expected a distribution",
                                             "did you mean \"lognormal\"?"};
    r = value_of(long_list.value);
    check_refusal(&long_list, pk_reader_choice(&r, names, 13, &i_found, "a distribution"));
    static const struct refusal only_one = {"x", "is x, expected a method: exponential", ""};
    r = value_of(only_one.value);
    check_refusal(&only_one, pk_reader_choice(&r, names, 1, &i_found, "a method"));
    cr_assert_eq(i_found, 1);
}

Test(reader, duration_takes_exactly_one_unit)
{
    static const struct {
        const char *value;
        double months;
    } accepted[] = {{"{years: 2.5}", 30.0}, {"{months: 7}", 7.0}, {"{days: 365.25}", 12.0}, {"{days: 0}", 0.0}};
    double months = 99.0;
    for (size_t i = 0; i < COUNT(accepted); i++) {
        struct pk_reader r = value_of(accepted[i].value);
        cr_assert(pk_reader_duration_months(&r, &months), "%s", accepted[i].value);
        cr_assert_float_eq(months, accepted[i].months, 1e-12);
    }
    static const struct {
        const char *value, *path, *message, *hint;
        size_t column;
    } refused[] = {
        {"{}", "top[0].v", "has 0 units, expected exactly one of years, months, days", "", 8},
        {"{years: 1, days: 2}", "top[0].v", "has 2 units, expected exactly one of years, months, days", "", 8},
        {"{year: 1}", "top[0].v", "unknown key \"year\"", "did you mean \"years\"?", 9},
        {"{years: 1, weeks: 2}", "top[0].v", "unknown key \"weeks\"", "known here: years, months, days", 19},
        {"{months: -1}", "top[0].v.months", "is -1, expected a number from 0 to 1000000", "", 17},
        {"{months: '1'}", "top[0].v.months", "is the text \"1\", expected a number from 0 to 1000000",
         "remove the quotes", 17},
        {"3", "top[0].v", "is 3, expected a duration such as {years: 2}", "", 8},
    };
    for (size_t i = 0; i < COUNT(refused); i++) {
        struct pk_reader r = value_of(refused[i].value);
        months = 99.0;
        cr_assert_not(pk_reader_duration_months(&r, &months), "%s", refused[i].value);
        cr_assert_eq(months, 99.0);
        cr_assert_eq(problems.n_found, 1, "%s", refused[i].value);
        check_problem(0, 2, refused[i].column, refused[i].path, refused[i].message, refused[i].hint);
    }
}

Test(reader, names_unknown_and_missing_keys)
{
    static const char *const keys[] = {"replications", "seed", "start", NULL};
    struct pk_reader root = reader("run:\n  replicatons: 3\n  seed: 1\n  zzzzzzzz: 2\nlist: [a, b]\nnone:\n");
    struct pk_reader run, child, list, none;
    cr_assert(pk_reader_need(&root, "run", &run));
    cr_assert(pk_reader_allow(&run, keys), "an unknown key does not end the reading");
    check_problem(0, 2, 3, "run", "unknown key \"replicatons\"", "did you mean \"replications\"?");
    check_problem(1, 4, 3, "run", "unknown key \"zzzzzzzz\"", "known here: replications, seed, start");
    cr_assert_not(pk_reader_need(&run, "replications", &child));
    check_problem(2, 2, 3, "run", "the key \"replications\" is missing", "");
    cr_assert_not(pk_reader_find(&run, "start", &child));
    cr_assert(pk_reader_find(&run, "seed", &child));
    cr_assert_str_eq(child.path, "run.seed");
    cr_assert_eq(problems.n_found, 3);

    cr_assert(pk_reader_need(&root, "list", &list) && pk_reader_need(&root, "none", &none));
    cr_assert_not(pk_reader_find(&list, "seed", &child));
    cr_assert_eq(problems.n_found, 3, "find is silent");
    cr_assert_not(pk_reader_allow(&list, keys));
    check_problem(3, 5, 7, "list", "is a list, expected a mapping", "");
    cr_assert_not(pk_reader_need(&none, "seed", &child));
    check_problem(4, 6, 6, "none", "is empty, expected a mapping", "");
    cr_assert_not(pk_reader_expect(&run, PK_YAML_SEQUENCE, "a list of runs"));
    check_problem(5, 2, 3, "run", "is a mapping, expected a list of runs", "");
    cr_assert(pk_reader_is(&list, PK_YAML_SEQUENCE) && !pk_reader_is(&none, PK_YAML_SEQUENCE));
    cr_assert(pk_reader_is_empty(&none) && !pk_reader_is_empty(&list));
    cr_assert_eq(problems.n_found, 6);
}

Test(reader, walks_lists_and_mappings_with_paths)
{
    struct pk_reader root = reader("parameters:\n  job_loss:\n    range: [0.1, 0.2x]\n  9x: 1\n");
    struct pk_reader r = pk_reader_item(&root, 0);
    const char *name = NULL;
    double number;
    cr_assert_eq(pk_reader_count(&r), 2);
    cr_assert_str_eq(pk_reader_key(&r, 1), "9x");
    cr_assert(pk_reader_key_name(&r, 0, &name));
    cr_assert_str_eq(name, "job_loss");
    cr_assert_not(pk_reader_key_name(&r, 1, &name));
    check_problem(0, 4, 3, "parameters", "the key \"9x\" is not a name",
                  "a name has letters, digits and _, starts with no digit, is not null, at most 63 bytes");
    r = pk_reader_item(&r, 0);
    cr_assert(pk_reader_need(&r, "range", &r), "the child may be the reader itself");
    r = pk_reader_item(&r, 1);
    cr_assert_eq(pk_reader_count(&r), 0);
    cr_assert_not(pk_reader_double(&r, &number));
    check_problem(1, 3, 18, "parameters.job_loss.range[1]", "is 0.2x, expected a number", "");
    pk_reader_problem(&r, NULL, "is %s", "bad");
    check_problem(2, 3, 18, "parameters.job_loss.range[1]", "is bad", "");
    pk_reader_warning(&r, "is %d years", 3);
    cr_assert_eq(problems.items[3].status, PK_OK);
    cr_assert_str_eq(problems.items[3].message, "is 3 years");
    cr_assert_eq(problems.n_warnings, 1);
    cr_assert_eq(pk_problems_errors(&problems), 3);
}

Test(reader, counts_problems_without_memory_for_their_texts)
{
    struct pk_reader r = value_of("x");
    double number;
    pk_memory_fail_after(0);
    for (int i = 0; i < 3; i++)
        cr_assert_not(pk_reader_double(&r, &number));
    pk_memory_fail_after(-1);
    cr_assert_eq(problems.n_found, 3);
    cr_assert_eq(problems.n_kept, 0);
}
