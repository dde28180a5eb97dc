/* The ledger of evidence: rows with ids, and the ids that a text names.
 *
 * Responsibility: which words of a text are ids (by their shape) and which row each is. The rows' texts are told as
 * they stand in the file, never computed with. Knows no models. Everything is owned by the arena it was read into. */
#ifndef PK_EVIDENCE_H
#define PK_EVIDENCE_H

#include <stdbool.h>
#include <stddef.h>

#include "polku/memory.h"
#include "polku/status.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { PK_MAX_EVIDENCE = 10000, PK_EVIDENCE_ID_SIZE = 64 /* bytes of an id, NUL included */ };

/* Columns known by name; all but the id may be missing, and their cells then are "". */
#define PK_EVIDENCE_COLUMN_LIST(X)                                                                                     \
    X(id) X(value) X(low) X(high) X(unit) X(kind) X(population) X(horizon) X(source_file) X(locator) X(note)

struct pk_evidence_row {
#define PK_EVIDENCE_FIELD(name) const char *name;
    PK_EVIDENCE_COLUMN_LIST(PK_EVIDENCE_FIELD)
#undef PK_EVIDENCE_FIELD
};

struct pk_evidence {
    const char *file; /* as written in the model; NULL: there is no ledger */
    size_t n_rows;
    struct pk_evidence_row *rows;         /* [n_rows] in the file's order */
    const char **ids;                     /* [n_rows] of the rows */
    const struct pk_evidence_row **by_id; /* [n_rows] */
    size_t n_shapes;
    size_t most_hyphens; /* in one id */
    const char **shapes; /* [n_shapes] of the ids, different */
};

/* Reads a ledger into an empty *evidence. file: as written; path: for messages, tabs where it ends in .tsv.
 * Errors: PK_BAD_INPUT (in the problems, with line and column: no column id, an id twice, an id that could not be told
 * from any other word), PK_NO_MEMORY. Then *evidence has no rows. */
PK_CHECKED enum pk_status pk_evidence_read(const char *text, size_t size, const char *file, const char *path,
                                           struct pk_arena *arena, struct pk_evidence *evidence,
                                           struct pk_problems *problems);

/* A word of a text that has the shape of some id: capital letters for capital letters, small ones for small ones, any
 * number of digits for digits, and points and hyphens as they are. S0.45-S0.47 is two of them. */
struct pk_evidence_mention {
    char id[PK_EVIDENCE_ID_SIZE];
    size_t i_row;    /* SIZE_MAX: no row has this id */
    bool ends_range; /* a hyphen joins it to the mention before: the rows between are meant too */
};
/* The next one after *rest, which moves on; false: there is none. Begin with *rest at the text's beginning. */
bool pk_evidence_next(const struct pk_evidence *evidence, const char **rest, struct pk_evidence_mention *mention);

/* Sets used[n_rows] of every row that a text names, alone or in a range; text may be NULL. How many of them were not
 * yet set. */
size_t pk_evidence_mark(const struct pk_evidence *evidence, const char *text, bool *used);

/* The id nearest to a word, NULL: none is near. */
const char *pk_evidence_nearest(const struct pk_evidence *evidence, const char *id);

#ifdef __cplusplus
}
#endif
#endif
