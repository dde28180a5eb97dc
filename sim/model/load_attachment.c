/* Files that a model or a scenario names: read beside it, or taken from the texts kept with a result. See load.h. */
#include <stdio.h>
#include <string.h>

#include "load_private.h"
#include "polku/csv.h"
#include "polku/file.h"
#include "polku/text.h"

const char *pk_load_beside(struct pk_arena *arena, const char *document, const char *name)
{
    const char *slash = strrchr(document, '/');
    if (name[0] == '/' || slash == NULL)
        return pk_arena_text(arena, name);
    size_t n_directory = (size_t)(slash - document) + 1, n_all = n_directory + strlen(name) + 1;
    char *path = pk_arena_alloc(arena, n_all, 1);
    if (path != NULL)
        snprintf(path, n_all, "%.*s%s", (int)n_directory, document, name);
    return path;
}

static const struct pk_attachment *find(const struct pk_attachments *attachments, const char *name)
{
    for (size_t i = 0; attachments != NULL && i < attachments->n; i++)
        if (strcmp(attachments->items[i].name, name) == 0)
            return &attachments->items[i];
    return NULL;
}

static bool is_hdf5(const char *name)
{
    size_t n = strlen(name);
    return (n > 3 && strcmp(name + n - 3, ".h5") == 0) || (n > 5 && strcmp(name + n - 5, ".hdf5") == 0);
}

static bool read(struct pk_load *load, const struct pk_reader *r, const char *path, char **text, size_t *size)
{
    struct pk_error error;
    enum pk_status status;
    if (!is_hdf5(path)) {
        status = pk_file_read(path, PK_CSV_BYTES_MAX, text, size, &error);
    } else if (load->from.options == NULL || load->from.options->read_table == NULL) {
        pk_reader_problem(r, "write the table as comma-separated values", "is an HDF5 file, which cannot be read here");
        return false;
    } else {
        status = load->from.options->read_table(path, text, size, &error);
    }
    load->no_memory |= status == PK_NO_MEMORY;
    if (status == PK_OK && *size > PK_CSV_BYTES_MAX) {
        pk_free(*text);
        *text = NULL;
        status = pk_error_set(&error, PK_BAD_INPUT, "holds a table too large to be kept with a result");
    }
    if (status != PK_OK) {
        char name[PK_SOURCE_EXCERPT_SIZE];
        pk_source_excerpt(path, name);
        pk_reader_problem(r, error.hint[0] != '\0' ? error.hint : NULL, "%s: %s", name, error.message);
    }
    return status == PK_OK;
}

const struct pk_attachment *pk_load_attachment(struct pk_load *load, const struct pk_reader *r, const char **path)
{
    /* parameters of a scenario are read into the model's arena, but the scenario names their files */
    struct pk_arena *arena = load->scenario != NULL ? &load->scenario->arena : &load->model->arena;
    struct pk_attachments *kept = load->scenario != NULL ? &load->scenario->attachments : &load->model->attachments;
    const char *name, *document = load->scenario != NULL ? load->scenario->file : load->model->file;
    if (!pk_reader_text(r, &name))
        return NULL;
    *path = load->from.files ? pk_load_beside(arena, document, name) : pk_arena_text(arena, name);
    load->no_memory |= *path == NULL;
    if (*path == NULL || find(kept, name) != NULL)
        return *path != NULL ? find(kept, name) : NULL;
    if (kept->n == PK_MAX_ATTACHMENTS) {
        pk_reader_problem(r, NULL, "names one file too many, at most %d are allowed", PK_MAX_ATTACHMENTS);
        return NULL;
    }
    char *read_text = NULL, *copy = NULL;
    const char *text = NULL;
    size_t size = 0;
    const struct pk_attachment *given = find(load->from.given, name);
    if (load->from.files) {
        if (!read(load, r, *path, &read_text, &size))
            return NULL;
        text = read_text;
    } else if (given != NULL) {
        text = given->text;
        size = given->size;
    } else {
        pk_reader_problem(r, NULL, "names a file that is not kept here");
        return NULL;
    }
    struct pk_attachment *made = &kept->items[kept->n];
    copy = pk_arena_alloc(arena, size + 1, 1);
    *made = (struct pk_attachment){.name = pk_arena_text(arena, name), .text = copy, .size = size};
    if (copy != NULL)
        memcpy(copy, text, size);
    pk_free(read_text);
    load->no_memory |= copy == NULL || made->name == NULL;
    if (load->no_memory)
        return NULL;
    kept->n++;
    return made;
}
