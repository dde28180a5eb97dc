/* Typed reading of a YAML tree. See reader.h. */
#include "polku/reader.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "polku/text.h"

enum { NAME_BYTES_MAX = 63, LISTED_MAX = 12, EXPECTED_SIZE = 256, FOUND_SIZE = PK_SOURCE_EXCERPT_SIZE + 24 };

static void add(const struct pk_reader *r, const char *file, enum pk_status status, size_t line, size_t column,
                const char *hint, const char *format, va_list arguments)
{
    struct pk_error error = {.status = status, .line = line, .column = column};
    snprintf(error.file, sizeof error.file, "%s", file != NULL ? file : r->file);
    snprintf(error.path, sizeof error.path, "%s", r->path);
    snprintf(error.hint, sizeof error.hint, "%s", hint != NULL ? hint : "");
    vsnprintf(error.message, sizeof error.message, format, arguments);
    pk_problems_add(r->problems, &error);
}

void pk_reader_problem(const struct pk_reader *r, const char *hint, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    add(r, r->node->file, PK_BAD_INPUT, r->node->line, r->node->column, hint, format, arguments);
    va_end(arguments);
}

void pk_reader_warning(const struct pk_reader *r, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    add(r, r->node->file, PK_OK, r->node->line, r->node->column, NULL, format, arguments);
    va_end(arguments);
}

PK_PRINTF(4, 5)
static void key_problem(const struct pk_reader *r, size_t i_key, const char *hint, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    add(r, r->node->items[i_key]->file, PK_BAD_INPUT, r->node->key_lines[i_key], r->node->key_columns[i_key], hint,
        format, arguments);
    va_end(arguments);
}

static bool is_scalar(const struct pk_reader *r)
{
    return r->node->kind == PK_YAML_SCALAR;
}

static bool is_null(const struct pk_reader *r)
{
    return is_scalar(r) && !r->node->quoted &&
           (strcmp(r->node->text, "~") == 0 || strcasecmp(r->node->text, "null") == 0);
}

/* What stands there, to follow "is". */
static void describe(const struct pk_reader *r, char found[FOUND_SIZE])
{
    char excerpt[PK_SOURCE_EXCERPT_SIZE];
    if (!is_scalar(r)) {
        snprintf(found, FOUND_SIZE, "%s", r->node->kind == PK_YAML_SEQUENCE ? "a list" : "a mapping");
        return;
    }
    pk_source_excerpt(r->node->text, excerpt);
    if (r->node->quoted)
        snprintf(found, FOUND_SIZE, "the text \"%s\"", excerpt);
    else
        snprintf(found, FOUND_SIZE, "%s", excerpt[0] != '\0' ? excerpt : "empty");
}

bool pk_reader_mismatch(const struct pk_reader *r, const char *expected, const char *hint)
{
    char found[FOUND_SIZE];
    describe(r, found);
    pk_reader_problem(r, hint, "is %s, expected %s", found, expected);
    return false;
}

struct pk_reader pk_reader_root(const struct pk_yaml_node *root, const char *file, struct pk_problems *problems)
{
    PK_ASSERT(root != NULL && file != NULL && problems != NULL);
    return (struct pk_reader){.node = root, .file = file, .problems = problems};
}

bool pk_reader_is(const struct pk_reader *r, enum pk_yaml_kind kind)
{
    return r->node->kind == kind;
}

bool pk_reader_is_empty(const struct pk_reader *r)
{
    return is_scalar(r) && !r->node->quoted && r->node->text[0] == '\0';
}

bool pk_reader_expect(const struct pk_reader *r, enum pk_yaml_kind kind, const char *what)
{
    if (r->node->kind == kind)
        return true;
    if (what == NULL)
        what = kind == PK_YAML_SCALAR ? "a single value" : kind == PK_YAML_SEQUENCE ? "a list" : "a mapping";
    return pk_reader_mismatch(r, what, NULL);
}

/* Writes "a, b, c" if it fits. */
static bool list_names(const char *const *names, size_t n, char *list, size_t size)
{
    size_t used = 0;
    list[0] = '\0';
    for (size_t i = 0; i < n; i++) {
        int more = snprintf(list + used, size - used, "%s%s", i > 0 ? ", " : "", names[i]);
        if (more < 0 || (size_t)more >= size - used)
            return false;
        used += (size_t)more;
    }
    return true;
}

/* A hint for a misspelt name: the nearest, else all of a few, else none. */
static void hint_names(const char *found, const char *const *names, size_t n, bool list, char hint[160])
{
    char all[120];
    const char *nearest = pk_text_nearest(found, names, n);
    hint[0] = '\0';
    if (nearest != NULL)
        snprintf(hint, 160, "did you mean \"%s\"?", nearest);
    else if (list && n > 0 && n <= LISTED_MAX && list_names(names, n, all, sizeof all))
        snprintf(hint, 160, "known here: %s", all);
}

bool pk_reader_allow(const struct pk_reader *r, const char *const *keys)
{
    size_t n_keys = 0;
    while (keys[n_keys] != NULL)
        n_keys++;
    if (!pk_reader_expect(r, PK_YAML_MAPPING, NULL))
        return false;
    for (size_t i = 0; i < r->node->n_items; i++) {
        bool known = false;
        for (size_t j = 0; j < n_keys && !known; j++)
            known = strcmp(r->node->keys[i], keys[j]) == 0;
        if (known)
            continue;
        char excerpt[PK_SOURCE_EXCERPT_SIZE], hint[160];
        pk_source_excerpt(r->node->keys[i], excerpt);
        hint_names(r->node->keys[i], keys, n_keys, true, hint);
        key_problem(r, i, hint, "unknown key \"%s\"", excerpt);
    }
    return true;
}

bool pk_reader_find(const struct pk_reader *r, const char *key, struct pk_reader *child)
{
    if (r->node->kind != PK_YAML_MAPPING)
        return false;
    for (size_t i = 0; i < r->node->n_items; i++)
        if (strcmp(r->node->keys[i], key) == 0) {
            *child = pk_reader_item(r, i);
            return true;
        }
    return false;
}

bool pk_reader_need(const struct pk_reader *r, const char *key, struct pk_reader *child)
{
    if (!pk_reader_expect(r, PK_YAML_MAPPING, NULL))
        return false;
    if (pk_reader_find(r, key, child))
        return true;
    pk_reader_problem(r, NULL, "the key \"%s\" is missing", key);
    return false;
}

size_t pk_reader_count(const struct pk_reader *r)
{
    return r->node->n_items;
}

struct pk_reader pk_reader_item(const struct pk_reader *r, size_t i)
{
    PK_ASSERT(i < r->node->n_items);
    struct pk_reader item = *r; /* a copy first: r may be where the result goes */
    item.node = r->node->items[i];
    pk_source_path_add(item.path, r->node->kind == PK_YAML_MAPPING ? r->node->keys[i] : NULL, i);
    return item;
}

const char *pk_reader_key(const struct pk_reader *r, size_t i)
{
    PK_ASSERT(r->node->kind == PK_YAML_MAPPING && i < r->node->n_items);
    return r->node->keys[i];
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_name(const char *text)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789";
    size_t size = strlen(text);
    return size > 0 && size <= NAME_BYTES_MAX && strspn(text, letters) == size && !is_digit(text[0]) &&
           strcasecmp(text, "null") != 0;
}

static const char name_hint[] = "a name has letters, digits and _, starts with no digit, is not null, at most 63 bytes";

bool pk_reader_key_name(const struct pk_reader *r, size_t i, const char **name)
{
    const char *key = pk_reader_key(r, i);
    if (is_name(key)) {
        *name = key;
        return true;
    }
    char excerpt[PK_SOURCE_EXCERPT_SIZE];
    pk_source_excerpt(key, excerpt);
    key_problem(r, i, name_hint, "the key \"%s\" is not a name", excerpt);
    return false;
}

bool pk_reader_text(const struct pk_reader *r, const char **text)
{
    if (!is_scalar(r) || r->node->text[0] == '\0' || is_null(r))
        return pk_reader_mismatch(r, "a text", is_null(r) ? "put it in quotes if it is the text you mean" : NULL);
    *text = r->node->text;
    return true;
}

bool pk_reader_name(const struct pk_reader *r, const char **name)
{
    bool empty = !is_scalar(r) || r->node->text[0] == '\0';
    if (empty || !is_name(r->node->text))
        return pk_reader_mismatch(r, "a name", empty ? NULL : name_hint);
    *name = r->node->text;
    return true;
}

/* Why a scalar that a person would call a number is none to us; NULL where nothing better can be said. */
static const char *number_hint(const struct pk_reader *r)
{
    double number;
    const char *text = is_scalar(r) ? r->node->text : "", *digits = text + (*text == '-' || *text == '+');
    if (is_scalar(r) && r->node->quoted)
        return pk_text_to_double(text, &number) ? "remove the quotes" : NULL;
    const char *letters = digits + (*digits == '.');
    if (strcasecmp(letters, "nan") == 0 || strcasecmp(letters, "inf") == 0)
        return "a number must be finite";
    if (digits[0] == '.' && is_digit(digits[1]))
        return "write 0 before the point";
    if (!is_digit(digits[0]))
        return NULL;
    if (digits[0] == '0' && is_digit(digits[1]))
        return "write it without leading zeros";
    if (digits[0] == '0' && digits[1] == 'x')
        return "write it in decimal";
    switch (digits[strspn(digits, "0123456789.eE+-")]) {
    case '_':
    case ' ':
        return "write the digits without separators";
    case ',':
        return "write a decimal point, and no thousands separators";
    case '%':
        return "write a share, such as 0.05 for five in a hundred";
    case '\0': {
        const char *exponent = strpbrk(digits, "eE");
        if (exponent != NULL && exponent[1] == '-' && is_digit(exponent[2]))
            return "it is so near to 0 that it would become 0";
        return exponent != NULL ? "check the exponent: it is too large or unfinished" : NULL;
    }
    default:
        return NULL;
    }
}

bool pk_reader_double(const struct pk_reader *r, double *value)
{
    return pk_reader_double_in(r, -HUGE_VAL, HUGE_VAL, value);
}

bool pk_reader_double_in(const struct pk_reader *r, double low, double high, double *value)
{
    char expected[EXPECTED_SIZE] = "a number";
    PK_ASSERT(low <= high);
    if (low > -HUGE_VAL && high < HUGE_VAL)
        snprintf(expected, sizeof expected, "a number from %.15g to %.15g", low, high);
    else if (low > -HUGE_VAL)
        snprintf(expected, sizeof expected, "a number of at least %.15g", low);
    else if (high < HUGE_VAL)
        snprintf(expected, sizeof expected, "a number of at most %.15g", high);
    double number;
    if (!is_scalar(r) || r->node->quoted || !pk_text_to_double(r->node->text, &number))
        return pk_reader_mismatch(r, expected, number_hint(r));
    if (number < low || number > high)
        return pk_reader_mismatch(r, expected, NULL);
    *value = number;
    return true;
}

bool pk_reader_int_in(const struct pk_reader *r, int64_t low, int64_t high, int64_t *value)
{
    char expected[EXPECTED_SIZE] = "a whole number";
    PK_ASSERT(low <= high);
    if (low > INT64_MIN && high < INT64_MAX)
        snprintf(expected, sizeof expected, "a whole number from %lld to %lld", (long long)low, (long long)high);
    else if (low > INT64_MIN)
        snprintf(expected, sizeof expected, "a whole number of at least %lld", (long long)low);
    else if (high < INT64_MAX)
        snprintf(expected, sizeof expected, "a whole number of at most %lld", (long long)high);
    int64_t number;
    double real;
    if (!is_scalar(r) || r->node->quoted || !pk_text_to_int64(r->node->text, &number)) {
        bool is_real = is_scalar(r) && !r->node->quoted && strpbrk(r->node->text, ".eE") != NULL &&
                       pk_text_to_double(r->node->text, &real);
        return pk_reader_mismatch(r, expected, is_real ? "write it without point and exponent" : number_hint(r));
    }
    if (number < low || number > high)
        return pk_reader_mismatch(r, expected, NULL);
    *value = number;
    return true;
}

bool pk_reader_bool(const struct pk_reader *r, bool *value)
{
    static const char *const meaning_true[] = {"true", "yes", "on", "y", "1"};
    static const char *const meaning_false[] = {"false", "no", "off", "n", "0"};
    const char *meant = NULL;
    for (size_t i = 0; i < 5 && is_scalar(r); i++) {
        if (strcasecmp(r->node->text, meaning_true[i]) == 0)
            meant = "true";
        else if (strcasecmp(r->node->text, meaning_false[i]) == 0)
            meant = "false";
    }
    if (meant == NULL)
        return pk_reader_mismatch(r, "true or false", NULL);
    bool is_true = strcmp(meant, "true") == 0;
    if (r->node->quoted || strcmp(r->node->text, meant) != 0)
        return pk_reader_mismatch(r, "true or false", is_true ? "write true" : "write false");
    *value = is_true;
    return true;
}

bool pk_reader_day(const struct pk_reader *r, int64_t *day)
{
    static const char expected[] = "a date such as 2024-12-31";
    if (!is_scalar(r) || r->node->text[0] == '\0')
        return pk_reader_mismatch(r, expected, NULL);
    if (pk_text_to_day(r->node->text, day))
        return true;
    const char *text = r->node->text;
    bool dated = strlen(text) == 10 && text[4] == '-' && text[7] == '-' && strspn(text, "0123456789-") == 10;
    return pk_reader_mismatch(r, expected,
                              dated ? "the calendar has no such day" : "year, month and day as YYYY-MM-DD");
}

bool pk_reader_choice(const struct pk_reader *r, const char *const *names, size_t n, size_t *i, const char *what)
{
    char expected[EXPECTED_SIZE], list[160], hint[160] = "";
    for (size_t j = 0; j < n && is_scalar(r); j++)
        if (strcmp(r->node->text, names[j]) == 0) {
            *i = j;
            return true;
        }
    if (n > 0 && n <= LISTED_MAX && list_names(names, n, list, sizeof list))
        snprintf(expected, sizeof expected, "%s: %s%s", what, n > 1 ? "one of " : "", list);
    else
        snprintf(expected, sizeof expected, "%s", what);
    if (is_scalar(r) && r->node->text[0] != '\0')
        hint_names(r->node->text, names, n, false, hint);
    return pk_reader_mismatch(r, expected, hint);
}

bool pk_reader_duration_months(const struct pk_reader *r, double *months)
{
    static const char *const keys[] = {"years", "months", "days", NULL};
    static const double months_each[] = {12.0, 1.0, 12.0 / 365.25};
    if (!pk_reader_expect(r, PK_YAML_MAPPING, "a duration such as {years: 2}") || !pk_reader_allow(r, keys))
        return false;
    struct pk_reader child, found = *r;
    size_t n_found = 0, i_unit = 0;
    for (size_t i = 0; keys[i] != NULL; i++)
        if (pk_reader_find(r, keys[i], &child)) {
            n_found++;
            i_unit = i;
            found = child;
        }
    if (n_found != pk_reader_count(r))
        return false; /* the unknown key has been named */
    if (n_found != 1) {
        pk_reader_problem(r, NULL, "has %zu units, expected exactly one of years, months, days", n_found);
        return false;
    }
    double number;
    if (!pk_reader_double_in(&found, 0.0, 1e6, &number))
        return false;
    *months = number * months_each[i_unit];
    return true;
}
