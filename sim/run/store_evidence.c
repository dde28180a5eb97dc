/* Which rows of the ledger of evidence the parameters cite, into a result file. See store.h. */
#include <string.h>

#include "store_private.h"

/* A row that a parameter's source or caveat names. */
struct citation {
    size_t i_parameter, i_row;
    const char *named_in;
};

/* Counts the citations, and writes them down where there is room. */
static size_t find_citations(const struct pk_store *store, bool *used, struct citation *found)
{
    const struct pk_evidence *evidence = &store->model->evidence;
    size_t n = 0;
    for (size_t i = 0; i < store->model->n_parameters; i++) {
        const struct pk_source *source = store->values->source[i];
        const char *const texts[] = {source->text, source->caveat}, *const names[] = {"source", "caveat"};
        for (size_t k = 0; k < 2; k++) {
            memset(used, 0, evidence->n_rows * sizeof *used);
            if (pk_evidence_mark(evidence, texts[k], used) == 0)
                continue;
            for (size_t r = 0; r < evidence->n_rows; r++) {
                if (used[r] && found != NULL)
                    found[n] = (struct citation){.i_parameter = i, .i_row = r, .named_in = names[k]};
                n += used[r];
            }
        }
    }
    return n;
}

static void put(struct pk_out *out, const struct pk_store *store, const struct citation *found, size_t n)
{
    const struct pk_model *model = store->model;
    const char *group = "/evidence", *dim = "citation", **texts = pk_out_room(out, n, sizeof *texts);
    int64_t *places = pk_out_room(out, n, sizeof *places);
    if (texts != NULL && places != NULL) {
        for (size_t i = 0; i < n; i++)
            places[i] = (int64_t)i;
        pk_out_axis_integers(out, group, dim, n, places, "row of the ledger that a parameter cites");
#define PUT_TEXTS(name, expression, long_name)                                                                         \
    do {                                                                                                               \
        for (size_t i = 0; i < n; i++) {                                                                               \
            const struct pk_evidence_row *row = &model->evidence.rows[found[i].i_row];                                 \
            (void)row;                                                                                                 \
            texts[i] = expression;                                                                                     \
        }                                                                                                              \
        pk_out_array_texts(out, group, name, &dim, 1, n, texts, long_name);                                            \
    } while (0)
        PUT_TEXTS("id", row->id, "id of the row");
        PUT_TEXTS("value", row->value, "value as the ledger gives it");
        PUT_TEXTS("low", row->low, "low end as the ledger gives it");
        PUT_TEXTS("high", row->high, "high end as the ledger gives it");
        PUT_TEXTS("unit", row->unit, "unit of the value");
        PUT_TEXTS("kind", row->kind, "what is measured");
        PUT_TEXTS("source_file", row->source_file, "the document");
        PUT_TEXTS("locator", row->locator, "where in the document");
        PUT_TEXTS("parameter", model->parameters[found[i].i_parameter].name, "parameter that cites the row");
        PUT_TEXTS("named_in", found[i].named_in, "source: of its value; caveat: of what the source warns of");
#undef PUT_TEXTS
    }
    pk_free(texts);
    pk_free(places);
}

void pk_store_put_evidence(struct pk_out *out, const struct pk_store *store)
{
    const struct pk_evidence *evidence = &store->model->evidence;
    if (evidence->n_rows == 0)
        return;
    bool *used = pk_out_room(out, evidence->n_rows, sizeof *used);
    const size_t n = used != NULL ? find_citations(store, used, NULL) : 0;
    struct citation *found = n > 0 ? pk_out_room(out, n, sizeof *found) : NULL;
    if (found != NULL) {
        (void)find_citations(store, used, found);
        put(out, store, found, n);
    }
    pk_free(found);
    pk_free(used);
}
