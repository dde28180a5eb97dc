/* The ledger of evidence that a model names, and the ids that texts of models, scenarios, calibrated files and studies
 * name: each must be a row of it. See load.h and evidence.h. */
#include <stdio.h>
#include <string.h>

#include "load_private.h"

void pk_load_evidence(struct pk_load *load, const struct pk_reader *root)
{
    struct pk_reader r;
    const char *path = NULL;
    if (!pk_reader_find(root, "evidence", &r))
        return;
    const struct pk_attachment *file = pk_load_attachment(load, &r, &path);
    if (file == NULL)
        return;
    const enum pk_status status = pk_evidence_read(file->text, file->size, file->name, path, &load->model->arena,
                                                   &load->model->evidence, root->problems);
    load->no_memory |= status == PK_NO_MEMORY;
}

static void unknown(const struct pk_evidence *evidence, const struct pk_reader *r, const char *id)
{
    char hint[160], file[PK_SOURCE_EXCERPT_SIZE];
    pk_source_excerpt(evidence->file, file);
    const char *nearest = pk_evidence_nearest(evidence, id);
    if (nearest != NULL)
        snprintf(hint, sizeof hint, "did you mean \"%s\"?", nearest);
    else
        snprintf(hint, sizeof hint, "such a word is taken for an id; write it otherwise if it is none");
    pk_reader_problem(r, hint, "names %s, which is not in the ledger %s", id, file);
}

/* Every id that a text names is one; at least one where needed. */
static void check_text(const struct pk_evidence *evidence, const struct pk_reader *r, bool needed)
{
    struct pk_evidence_mention mention = {.id = ""}, before = {.id = ""};
    if (!pk_reader_is(r, PK_YAML_SCALAR))
        return;
    for (const char *rest = r->node->text; pk_evidence_next(evidence, &rest, &mention); before = mention) {
        if (mention.i_row == SIZE_MAX)
            unknown(evidence, r, mention.id);
        else if (mention.ends_range && before.i_row != SIZE_MAX && before.i_row >= mention.i_row)
            pk_reader_problem(r, NULL, "names %s-%s, but in the ledger %s does not come after %s", before.id,
                              mention.id, mention.id, before.id);
    }
    if (needed && mention.id[0] == '\0') {
        char file[PK_SOURCE_EXCERPT_SIZE];
        pk_source_excerpt(evidence->file, file);
        pk_reader_problem(r, "name its row, or say that it is derived, public or an assumption",
                          "names no id of the ledger %s, expected at least one of a document", file);
    }
}

/* Texts under the keys that hold them, wherever in the document. of: the key that this is the value of. */
static void walk(const struct pk_evidence *evidence, const struct pk_reader *r, const char *of, bool documents)
{
    const bool mapping = pk_reader_is(r, PK_YAML_MAPPING), source = strcmp(of, "source") == 0;
    for (size_t i = 0; i < pk_reader_count(r); i++) {
        const struct pk_reader item = pk_reader_item(r, i);
        const char *key = mapping ? pk_reader_key(r, i) : of;
        if (!pk_reader_is(&item, PK_YAML_SCALAR))
            walk(evidence, &item, key, documents);
        else if (mapping && source)
            check_text(evidence, &item, documents && strcmp(key, pk_source_names[PK_SOURCE_DOCUMENT]) == 0);
        else if (strcmp(key, mapping ? "caveat" : "documents_warn") == 0 || strcmp(key, "description") == 0 ||
                 strcmp(key, "note") == 0)
            check_text(evidence, &item, false);
    }
}

void pk_load_check_text(const struct pk_load *load, const struct pk_reader *r)
{
    if (load->model != NULL && load->model->evidence.n_rows > 0)
        check_text(&load->model->evidence, r, false);
}

void pk_load_check_ids(const struct pk_load *load, const struct pk_reader *root, bool documents)
{
    if (load->model != NULL && load->model->evidence.n_rows > 0)
        walk(&load->model->evidence, root, "", documents);
}
