/* The ledger of evidence. See evidence.h. */
#include "polku/evidence.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "polku/csv.h"
#include "polku/source.h"
#include "polku/text.h"

/* ---- shapes ------------------------------------------------------------------------------------------------- */

/* What a character is to a word: A, a, 0, '.', '-' (dashes too), or NUL: no part of one. *n: its bytes. */
static char class_of(const char *text, size_t *n)
{
    const unsigned char first = (unsigned char)text[0];
    *n = 1;
    if (first < 0x80)
        return (char)(first >= 'A' && first <= 'Z'   ? 'A'
                      : first >= 'a' && first <= 'z' ? 'a'
                      : first >= '0' && first <= '9' ? '0'
                      : first == '.' || first == '-' ? first
                                                     : '\0');
    uint32_t code = first < 0xe0 ? first & 0x1fu : first < 0xf0 ? first & 0x0fu : first & 0x07u;
    for (; ((unsigned char)text[*n] & 0xc0) == 0x80; (*n)++)
        code = code << 6 | ((unsigned char)text[*n] & 0x3fu);
    if (code >= 0x2010 && code <= 0x2015)
        return '-';
    const bool sign = code < 0xc0 || code == 0xd7 || code == 0xf7 || (code >= 0x2000 && code < 0x2c00);
    return sign ? '\0' : 'a';
}

/* The shape of bytes[size], as evidence.h says; false where it is too long for an id's. */
static bool shape_of(const char *bytes, size_t size, char shape[PK_EVIDENCE_ID_SIZE])
{
    size_t used = 0, n;
    if (size >= PK_EVIDENCE_ID_SIZE)
        return false;
    for (size_t at = 0; at < size; at += n) {
        const char class = class_of(bytes + at, &n);
        if (class != '0' || used == 0 || shape[used - 1] != '0')
            shape[used++] = class;
    }
    shape[used] = '\0';
    return true;
}

static bool has_shape(const struct pk_evidence *evidence, const char *shape)
{
    for (size_t i = 0; i < evidence->n_shapes; i++)
        if (strcmp(evidence->shapes[i], shape) == 0)
            return true;
    return false;
}

/* ---- reading ------------------------------------------------------------------------------------------------ */

static int by_id(const void *a, const void *b)
{
    const struct pk_evidence_row *x = *(const struct pk_evidence_row *const *)a;
    const struct pk_evidence_row *y = *(const struct pk_evidence_row *const *)b;
    const int order = strcmp(x->id, y->id);
    return order != 0 ? order : x < y ? -1 : x > y;
}

/* Whether an id can be told from other words: letters and digits, with points and hyphens inside. */
static bool is_id(const char *id, char shape[PK_EVIDENCE_ID_SIZE])
{
    size_t n = strlen(id), letters = 0, digits = 0;
    if (n == 0 || !shape_of(id, n, shape) || strlen(shape) == 0 || strchr(".-", shape[0]) != NULL ||
        strchr(".-", shape[strlen(shape) - 1]) != NULL)
        return false;
    for (size_t at = 0, bytes; at < n; at += bytes) {
        const char class = class_of(id + at, &bytes);
        if (class == '\0' || (class == '-' && bytes > 1)) /* a dash: only a hyphen is a part of an id */
            return false;
        letters += class == 'A' || class == 'a';
        digits += class == '0';
    }
    return letters > 0 && digits > 0;
}

static const char *copied(struct pk_arena *arena, const char *text, enum pk_status *status)
{
    const char *copy = text[0] == '\0' ? "" : pk_arena_text(arena, text);
    if (copy == NULL)
        *status = PK_NO_MEMORY;
    return copy;
}

/* Copies the rows and collects the shapes of their ids. */
static enum pk_status read_rows(const struct pk_csv *csv, size_t i_id, struct pk_arena *arena,
                                struct pk_evidence *evidence)
{
    enum pk_status status = PK_OK;
    char shape[PK_EVIDENCE_ID_SIZE];
    evidence->rows = pk_arena_alloc(arena, csv->n_rows, sizeof *evidence->rows);
    evidence->by_id = pk_arena_alloc(arena, csv->n_rows, sizeof *evidence->by_id);
    evidence->shapes = pk_arena_alloc(arena, csv->n_rows, sizeof *evidence->shapes);
    evidence->ids = pk_arena_alloc(arena, csv->n_rows, sizeof *evidence->ids);
    if (evidence->rows == NULL || evidence->ids == NULL || evidence->by_id == NULL || evidence->shapes == NULL)
        return PK_NO_MEMORY;
    for (size_t i = 0; i < csv->n_rows && status != PK_NO_MEMORY; i++) {
        struct pk_evidence_row *row = &evidence->rows[i];
        size_t i_column;
#define PK_EVIDENCE_COPY(name)                                                                                         \
    i_column = pk_csv_column(csv, #name, false);                                                                       \
    row->name = i_column == SIZE_MAX ? "" : copied(arena, pk_csv_cell(csv, i, i_column), &status);
        PK_EVIDENCE_COLUMN_LIST(PK_EVIDENCE_COPY)
#undef PK_EVIDENCE_COPY
        if (status == PK_NO_MEMORY)
            break;
        evidence->by_id[i] = row;
        evidence->ids[i] = row->id;
        if (!is_id(row->id, shape)) {
            char excerpt[PK_SOURCE_EXCERPT_SIZE];
            pk_source_excerpt(row->id, excerpt);
            pk_csv_problem(csv, i, i_id, NULL,
                           "is \"%s\", expected an id of letters and digits, such as S0.18, points and hyphens inside, "
                           "at most %d bytes",
                           excerpt, PK_EVIDENCE_ID_SIZE - 1);
            status = PK_BAD_INPUT;
        } else if (!has_shape(evidence, shape)) {
            evidence->shapes[evidence->n_shapes] = copied(arena, shape, &status);
            evidence->n_shapes += status != PK_NO_MEMORY;
            size_t n_hyphens = 0;
            for (const char *c = shape; *c != '\0'; c++)
                n_hyphens += *c == '-';
            evidence->most_hyphens = n_hyphens > evidence->most_hyphens ? n_hyphens : evidence->most_hyphens;
        }
    }
    return status;
}

/* Every id once; by_id in order afterwards. */
static enum pk_status sort_rows(const struct pk_csv *csv, size_t i_id, struct pk_evidence *evidence)
{
    enum pk_status status = PK_OK;
    qsort(evidence->by_id, evidence->n_rows, sizeof *evidence->by_id, by_id);
    for (size_t i = 1; i < evidence->n_rows; i++) {
        if (strcmp(evidence->by_id[i]->id, evidence->by_id[i - 1]->id) != 0)
            continue;
        pk_csv_problem(csv, (size_t)(evidence->by_id[i] - evidence->rows), i_id, NULL, "gives the id %s again",
                       evidence->by_id[i]->id);
        status = PK_BAD_INPUT;
    }
    return status;
}

enum pk_status pk_evidence_read(const char *text, size_t size, const char *file, const char *path,
                                struct pk_arena *arena, struct pk_evidence *evidence, struct pk_problems *problems)
{
    struct pk_csv csv;
    size_t i_id = SIZE_MAX;
    *evidence = (struct pk_evidence){.file = file};
    enum pk_status status = pk_csv_parse(text, size, path, problems, &csv);
    if (status == PK_OK && (i_id = pk_csv_column(&csv, "id", true)) == SIZE_MAX)
        status = PK_BAD_INPUT;
    if (status == PK_OK && csv.n_rows > PK_MAX_EVIDENCE) {
        pk_csv_header_problem(&csv, i_id, NULL, "the ledger has %zu rows, at most %d are allowed", csv.n_rows,
                              PK_MAX_EVIDENCE);
        status = PK_BAD_INPUT;
    }
    if (status == PK_OK)
        status = read_rows(&csv, i_id, arena, evidence);
    if (status == PK_OK) {
        evidence->n_rows = csv.n_rows;
        status = sort_rows(&csv, i_id, evidence);
    }
    pk_csv_free(&csv);
    if (status != PK_OK)
        *evidence = (struct pk_evidence){.file = file};
    return status;
}

/* ---- mentions ----------------------------------------------------------------------------------------------- */

static size_t row_of(const struct pk_evidence *evidence, const char *id)
{
    size_t low = 0, high = evidence->n_rows;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const int order = strcmp(evidence->by_id[middle]->id, id);
        if (order == 0)
            return (size_t)(evidence->by_id[middle] - evidence->rows);
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return SIZE_MAX;
}

/* The longest id that begins at a word and ends at a hyphen or at the word's end; 0: none. Points after it are the
 * sentence's. */
static size_t longest_id(const struct pk_evidence *evidence, const char *word, struct pk_evidence_mention *mention)
{
    char shape[PK_EVIDENCE_ID_SIZE];
    size_t best = 0;
    size_t n_hyphens = 0;
    for (size_t at = 0, n; at < (size_t)2 * PK_EVIDENCE_ID_SIZE && n_hyphens <= evidence->most_hyphens; at += n) {
        const char class = class_of(word + at, &n);
        if (class != '\0' && class != '-')
            continue;
        n_hyphens++;
        size_t size = at;
        while (size > 0 && word[size - 1] == '.')
            size--;
        if (size > 0 && shape_of(word, size, shape) && has_shape(evidence, shape)) {
            memcpy(mention->id, word, size);
            mention->id[size] = '\0';
            best = at;
        }
        if (class == '\0')
            break;
    }
    return best;
}

static bool same_shape(const char *a, const char *b)
{
    char shapes[2][PK_EVIDENCE_ID_SIZE];
    return shape_of(a, strlen(a), shapes[0]) && shape_of(b, strlen(b), shapes[1]) && strcmp(shapes[0], shapes[1]) == 0;
}

bool pk_evidence_next(const struct pk_evidence *evidence, const char **rest, struct pk_evidence_mention *mention)
{
    const struct pk_evidence_mention before = *mention;
    const char *at = *rest;
    for (size_t n; at[0] != '\0' && evidence->n_rows > 0;) {
        const char class = class_of(at, &n);
        if (class == '\0' || class == '-' || class == '.') {
            at += n;
            continue;
        }
        const size_t used = longest_id(evidence, at, mention);
        if (used > 0) {
            const char *between = *rest;
            mention->ends_range = before.id[0] != '\0' && class_of(between, &n) == '-' && between + n == at &&
                                  same_shape(before.id, mention->id);
            mention->i_row = row_of(evidence, mention->id);
            *rest = at + used;
            return true;
        }
        for (char part = class; part != '\0' && part != '-'; part = class_of(at, &n))
            at += n;
    }
    return false;
}

size_t pk_evidence_mark(const struct pk_evidence *evidence, const char *text, bool *used)
{
    struct pk_evidence_mention mention = {.id = ""};
    size_t n_new = 0, i_before = SIZE_MAX;
    for (const char *rest = text != NULL ? text : ""; pk_evidence_next(evidence, &rest, &mention);
         i_before = mention.i_row) {
        if (mention.i_row == SIZE_MAX)
            continue;
        const bool range = mention.ends_range && i_before < mention.i_row; /* not where it is none */
        for (size_t i = range ? i_before : mention.i_row; i <= mention.i_row; i++) {
            n_new += !used[i];
            used[i] = true;
        }
    }
    return n_new;
}

const char *pk_evidence_nearest(const struct pk_evidence *evidence, const char *id)
{
    return pk_text_nearest(id, evidence->ids, evidence->n_rows);
}
