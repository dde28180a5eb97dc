/* A source text as a person sees it. See source.h. */
#include "polku/source.h"

#include <stdio.h>
#include <string.h>

/* One character of at most n bytes; returns its bytes, 0 if it is none (no surrogates, no longer than needed). */
static size_t decode(const char *bytes, size_t n, uint32_t *code)
{
    static const uint32_t smallest[5] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *b = (const unsigned char *)bytes;
    size_t size = 0;
    if (b[0] < 0x80)
        size = 1;
    else if ((b[0] & 0xe0) == 0xc0)
        size = 2;
    else if ((b[0] & 0xf0) == 0xe0)
        size = 3;
    else if ((b[0] & 0xf8) == 0xf0)
        size = 4;
    if (size == 0 || size > n)
        return 0;
    uint32_t c = size == 1 ? b[0] : b[0] & (0x7fu >> size);
    for (size_t i = 1; i < size; i++) {
        if ((b[i] & 0xc0) != 0x80)
            return 0;
        c = c << 6 | (b[i] & 0x3fu);
    }
    *code = c;
    return c < smallest[size] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000) ? 0 : size;
}

static bool is_invisible(uint32_t code, const char *but)
{
    if (code < 0x20)
        return code == 0 || strchr(but, (int)code) == NULL;
    return (code >= 0x7f && code < 0xa0) || code == 0x2028 || code == 0x2029 || code == 0xfeff || code == 0xfffe ||
           code == 0xffff;
}

bool pk_source_first_fault(const char *bytes, size_t size, const char *but, struct pk_source_fault *fault)
{
    size_t line = 1, column = 1, n = 0;
    for (size_t i = 0; i < size; i += n) {
        uint32_t code = 0;
        n = decode(bytes + i, size - i, &code);
        if (n == 0 || is_invisible(code, but)) {
            *fault = (struct pk_source_fault){line, column, n > 0, n > 0 ? code : (unsigned char)bytes[i]};
            return true;
        }
        bool ends_line = code == '\n' || (code == '\r' && (i + 1 == size || bytes[i + 1] != '\n'));
        line += ends_line;
        column = ends_line ? 1 : column + 1;
    }
    return false;
}

static bool continues(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

char pk_source_byte_at(const char *bytes, size_t size, size_t line, size_t column)
{
    const char *c = bytes, *end = bytes + size;
    for (; line > 0 && c < end; c++)
        line -= *c == '\n';
    for (; c < end && (column > 0 || continues(*c)); c++)
        column -= !continues(*c);
    return c < end ? *c : '\0';
}

void pk_source_excerpt(const char *text, char excerpt[PK_SOURCE_EXCERPT_SIZE])
{
    size_t size = strlen(text), room = size < PK_SOURCE_EXCERPT_SIZE ? size : PK_SOURCE_EXCERPT_SIZE - 4;
    size_t used = 0, n = 0;
    for (size_t i = 0; i < size; i += n) {
        uint32_t code = 0;
        n = decode(text + i, size - i, &code);
        bool shown = n > 0 && !is_invisible(code, "");
        n = n > 0 ? n : 1;
        if (used + n > room)
            break;
        memcpy(excerpt + used, shown ? text + i : " ", shown ? n : 1);
        used += shown ? n : 1;
    }
    memcpy(excerpt + used, room < size ? "..." : "", room < size ? 4 : 1);
}

void pk_source_path_add(char path[PK_SOURCE_PATH_SIZE], const char *key, size_t i_item)
{
    size_t n_path = strlen(path);
    if (n_path >= 3 && strcmp(path + n_path - 3, "...") == 0)
        return;
    char step[PK_SOURCE_EXCERPT_SIZE + 1], name[PK_SOURCE_EXCERPT_SIZE];
    if (key == NULL) {
        snprintf(step, sizeof step, "[%zu]", i_item);
    } else {
        pk_source_excerpt(key, name);
        snprintf(step, sizeof step, "%s%s", n_path > 0 ? "." : "", name);
    }
    /* room for the dots is kept free, so that they can always be written */
    bool fits = n_path + strlen(step) + 4 <= PK_SOURCE_PATH_SIZE;
    snprintf(path + n_path, PK_SOURCE_PATH_SIZE - n_path, "%s", fits ? step : "...");
}
