/* Finished units of a run, kept beside the result. See run_private.h.
 *
 * One file: a head that says whose they are, then the fold's numbers as they are in memory, then a sum. It is of one
 * machine and one build: anything else does not take it up. */
#include <stdio.h>
#include <string.h>

#include "collect_private.h"
#include "polku/file.h"
#include "polku/hash.h"
#include "polku/provenance.h"
#include "run_private.h"

struct head {
    char magic[16], version[32];
    uint64_t identity, n_units, i_unit, n_batches, size;
};

enum { MOST_BYTES = 1 << 30 };

/* Goes along the parts of a fold and a buffer together. */
struct cursor {
    char *bytes; /* NULL: only measures */
    size_t at;
    bool into_fold;
};

static void visit(void *part, size_t size, void *data)
{
    struct cursor *cursor = data;
    if (cursor->bytes != NULL && size > 0)
        memcpy(cursor->into_fold ? part : cursor->bytes + cursor->at,
               cursor->into_fold ? cursor->bytes + cursor->at : part, size);
    cursor->at += size;
}

static void fill_head(struct head *head, const struct pk_saved *saved, const struct pk_fold *fold, size_t size)
{
    memset(head, 0, sizeof *head);
    snprintf(head->magic, sizeof head->magic, "polku part 1");
    snprintf(head->version, sizeof head->version, "%.31s", pk_provenance_revision());
    head->identity = saved->identity;
    head->n_units = fold->n_units;
    head->i_unit = fold->i_unit;
    head->n_batches = (uint64_t)saved->n_batches;
    head->size = size;
}

static uint64_t sum_of(const char *bytes, size_t size)
{
    uint64_t sum = PK_HASH_START;
    pk_hash_mix(&sum, bytes, size);
    return sum;
}

void pk_saved_resume(struct pk_saved *saved, struct pk_fold *fold, size_t *n_units)
{
    struct pk_error ignored;
    struct head head, expected;
    struct cursor cursor = {.at = sizeof head};
    char *bytes = NULL;
    size_t size;
    *n_units = 0;
    if (pk_file_read(saved->path, MOST_BYTES, &bytes, &size, &ignored) != PK_OK)
        return;
    pk_fold_visit(fold, visit, &cursor);
    const size_t wanted = cursor.at + sizeof(uint64_t);
    bool ours = size == wanted;
    if (ours) {
        uint64_t sum;
        memcpy(&head, bytes, sizeof head);
        memcpy(&sum, bytes + size - sizeof sum, sizeof sum);
        fill_head(&expected, saved, fold, wanted);
        expected.i_unit = head.i_unit;
        ours = memcmp(&head, &expected, sizeof head) == 0 && head.i_unit <= head.n_units &&
               sum == sum_of(bytes, size - sizeof sum);
    }
    if (ours) {
        cursor = (struct cursor){.bytes = bytes, .at = sizeof head, .into_fold = true};
        pk_fold_visit(fold, visit, &cursor);
        *n_units = fold->i_unit;
    }
    pk_free(bytes);
}

void pk_saved_write(struct pk_saved *saved, struct pk_fold *fold)
{
    struct pk_error ignored;
    struct head head;
    struct cursor cursor = {.at = sizeof head};
    pk_fold_visit(fold, visit, &cursor);
    const size_t size = cursor.at + sizeof(uint64_t);
    char *bytes = size <= MOST_BYTES ? pk_alloc(size, 1) : NULL;
    if (bytes == NULL)
        return;
    fill_head(&head, saved, fold, size);
    memcpy(bytes, &head, sizeof head);
    cursor = (struct cursor){.bytes = bytes, .at = sizeof head};
    pk_fold_visit(fold, visit, &cursor);
    uint64_t sum = sum_of(bytes, cursor.at);
    memcpy(bytes + cursor.at, &sum, sizeof sum);
    if (pk_file_write(saved->path, bytes, size, &ignored) != PK_OK)
        saved->path = NULL; /* cannot be kept: not tried again */
    pk_free(bytes);
}
