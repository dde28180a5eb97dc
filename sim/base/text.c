/* Text: a growing buffer, strict numbers, the nearest name. See text.h. */
#include "polku/text.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "polku/memory.h"

void pk_text_init(struct pk_text *text)
{
    memset(text, 0, sizeof *text);
}

void pk_text_free(struct pk_text *text)
{
    pk_free(text->bytes);
    pk_text_init(text);
}

static bool has_room(struct pk_text *text, size_t more)
{
    if (text->failed)
        return false;
    if (text->size + more + 1 <= text->room)
        return true;
    size_t room = text->room ? text->room * 2 : 256;
    while (room < text->size + more + 1)
        room *= 2;
    char *grown = pk_realloc(text->bytes, room, 1);
    if (grown == NULL) {
        text->failed = true;
        return false;
    }
    text->bytes = grown;
    text->room = room;
    return true;
}

void pk_text_add(struct pk_text *text, const char *bytes, size_t size)
{
    if (!has_room(text, size))
        return;
    memcpy(text->bytes + text->size, bytes, size);
    text->size += size;
    text->bytes[text->size] = '\0';
}

void pk_text_put(struct pk_text *text, const char *string)
{
    pk_text_add(text, string, strlen(string));
}

void pk_text_addf(struct pk_text *text, const char *format, ...)
{
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int size = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (size >= 0 && has_room(text, (size_t)size)) {
        vsnprintf(text->bytes + text->size, (size_t)size + 1, format, again);
        text->size += (size_t)size;
    }
    va_end(again);
}

void pk_text_add_json_string(struct pk_text *text, const char *string)
{
    pk_text_add(text, "\"", 1);
    for (const char *c = string; *c != '\0'; c++) {
        if (*c == '"' || *c == '\\')
            pk_text_addf(text, "\\%c", *c);
        else if ((unsigned char)*c < 0x20)
            pk_text_addf(text, "\\u%04x", (unsigned)*c);
        else
            pk_text_add(text, c, 1);
    }
    pk_text_add(text, "\"", 1);
}

void pk_text_add_json_number(struct pk_text *text, double number)
{
    if (!isfinite(number)) {
        pk_text_add(text, "null", 4);
        return;
    }
    char shortest[40];
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(shortest, sizeof shortest, "%.*g", digits, number);
        if (strtod(shortest, NULL) == number)
            break;
    }
    pk_text_add(text, shortest, strlen(shortest));
}

const char *pk_text_string(const struct pk_text *text)
{
    return text->bytes ? text->bytes : "";
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* [-+]digits[.digits][(e|E)[-+]digits], no leading zero before another digit */
static bool is_plain_number(const char *string, bool whole)
{
    const char *c = string;
    if (*c == '-' || *c == '+')
        c++;
    if (!is_digit(*c) || (*c == '0' && is_digit(c[1])))
        return false;
    while (is_digit(*c))
        c++;
    if (whole)
        return *c == '\0';
    if (*c == '.') {
        c++;
        if (!is_digit(*c))
            return false;
        while (is_digit(*c))
            c++;
    }
    if (*c == 'e' || *c == 'E') {
        c++;
        if (*c == '-' || *c == '+')
            c++;
        if (!is_digit(*c))
            return false;
        while (is_digit(*c))
            c++;
    }
    return *c == '\0';
}

bool pk_text_to_double(const char *string, double *value)
{
    if (!is_plain_number(string, false))
        return false;
    errno = 0;
    double number = strtod(string, NULL);
    if (!isfinite(number) || (errno == ERANGE && number > -1e-300 && number < 1e-300)) /* over- or underflow */
        return false;
    *value = number;
    return true;
}

bool pk_text_to_int64(const char *string, int64_t *value)
{
    if (!is_plain_number(string, true))
        return false;
    errno = 0;
    long long number = strtoll(string, NULL, 10);
    if (errno != 0)
        return false;
    *value = number;
    return true;
}

bool pk_text_to_day(const char *string, int64_t *day)
{
    if (strlen(string) != 10 || string[4] != '-' || string[7] != '-')
        return false;
    for (int i = 0; i < 10; i++)
        if (i != 4 && i != 7 && !is_digit(string[i]))
            return false;
    int64_t y = strtol(string, NULL, 10), m = strtol(string + 5, NULL, 10), d = strtol(string + 8, NULL, 10);
    static const int64_t month_days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
    if (y < 1 || m < 1 || m > 12 || d < 1 || d > month_days[m - 1] + (m == 2 && leap))
        return false;
    /* days from the civil date: years counted from March, so that the leap day ends a year */
    y -= m <= 2;
    int64_t era = y / 400, year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    *day = era * 146097 + day_of_era - 719468;
    return true;
}

/* Optimal string alignment distance of names up to 64 bytes; longer ones are not suggested. */
static size_t name_distance(const char *a, const char *b)
{
    enum { LONGEST = 64 };
    size_t n_a = strlen(a), n_b = strlen(b);
    if (n_a > LONGEST || n_b > LONGEST)
        return LONGEST;
    size_t rows[3][LONGEST + 1];
    size_t *before = rows[0], *last = rows[1], *now = rows[2];
    for (size_t j = 0; j <= n_b; j++)
        last[j] = j;
    for (size_t i = 1; i <= n_a; i++) {
        now[0] = i;
        for (size_t j = 1; j <= n_b; j++) {
            size_t cost = a[i - 1] != b[j - 1];
            size_t best = last[j - 1] + cost;
            if (last[j] + 1 < best)
                best = last[j] + 1;
            if (now[j - 1] + 1 < best)
                best = now[j - 1] + 1;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && before[j - 2] + 1 < best)
                best = before[j - 2] + 1;
            now[j] = best;
        }
        size_t *spare = before;
        before = last;
        last = now;
        now = spare;
    }
    return last[n_b];
}

const char *pk_text_nearest(const char *name, const char *const *candidates, size_t n_candidates)
{
    const char *best = NULL;
    size_t best_distance = strlen(name) / 3 + 2;
    for (size_t i = 0; i < n_candidates; i++) {
        size_t distance = name_distance(name, candidates[i]);
        if (distance < best_distance) {
            best_distance = distance;
            best = candidates[i];
        }
    }
    return best;
}

size_t pk_text_columns(const char *utf8)
{
    size_t columns = 0;
    for (const char *c = utf8; *c != '\0'; c++)
        columns += ((unsigned char)*c & 0xc0) != 0x80;
    return columns;
}

enum pk_status pk_text_unknown(struct pk_error *error, const char *kind, const char *name, const char *const *names,
                               size_t n)
{
    const char *nearest = pk_text_nearest(name, names, n);
    pk_error_set(error, PK_BAD_INPUT, "no %s is called \"%s\"", kind, name);
    if (nearest != NULL && error != NULL)
        snprintf(error->hint, sizeof error->hint, "did you mean \"%s\"?", nearest);
    return PK_BAD_INPUT;
}
