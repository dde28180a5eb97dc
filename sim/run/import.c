/* HDF5 tables as comma-separated values. See import.h. */
#include "polku/import.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "polku/csv.h"
#include "polku/memory.h"
#include "polku/text.h"
#include "results_hdf5.h"

enum { FLAGS_MAX = 256, MEANINGS_BYTES = 16384 };

/* One dataset; texts, whole or real, whichever it is of. */
struct column {
    char name[PK_RESULTS_PATH_BYTES];
    size_t n;
    char **texts;      /* [n], one block; owned */
    char **strings;    /* [n] of variable length, HDF5's; owned */
    int64_t *whole;    /* owned */
    double *real;      /* owned */
    hid_t type, space; /* of strings */
    size_t n_flags;
    int64_t flags[FLAGS_MAX];
    char meanings[MEANINGS_BYTES]; /* cut into n_flags texts */
    const char *meaning[FLAGS_MAX];
};

struct table {
    struct pk_results file;
    size_t n_columns;
    struct column *columns; /* [PK_CSV_COLUMNS_MAX] */
    bool too_many;
};

static herr_t take_name(hid_t group, const char *name, const H5L_info_t *about, void *data)
{
    struct table *table = data;
    if (about->type != H5L_TYPE_HARD || strlen(name) + 2 > sizeof table->columns[0].name)
        return 0;
    hid_t object = H5Oopen(group, name, H5P_DEFAULT);
    bool is_dataset = object >= 0 && H5Iget_type(object) == H5I_DATASET;
    pk_results_hdf5_release(object);
    if (!is_dataset)
        return 0;
    table->too_many |= table->n_columns == PK_CSV_COLUMNS_MAX;
    if (!table->too_many)
        snprintf(table->columns[table->n_columns++].name, sizeof table->columns[0].name, "/%s", name);
    return table->too_many;
}

/* The text of an attribute, of fixed or variable length, cut if need be; "" if there is none. */
static void read_meanings(struct pk_results *file, hid_t dataset, struct column *column)
{
    struct pk_results_source source;
    struct pk_error ignored;
    char *text = NULL;
    enum pk_status status = pk_results_look_attribute(file, dataset, column->name, "flag_meanings", &source, &ignored);
    bool is_variable = status == PK_OK && source.class == H5T_STRING && H5Tis_variable_str(source.type) > 0;
    if (is_variable && source.n_values == 1 &&
        pk_results_fetch(file, &source, source.type, &text, column->name, &ignored) == PK_OK && text != NULL) {
        snprintf(column->meanings, sizeof column->meanings, "%s", text);
        H5Dvlen_reclaim(source.type, source.space, H5P_DEFAULT, &text);
    } else if (!is_variable) {
        pk_results_dataset_text(file, column->name, "flag_meanings", column->meanings, sizeof column->meanings);
    }
    pk_results_done(&source);
}

/* Flags and their meanings, where the dataset has both in equal number; else it keeps its numbers. */
static void read_flags(struct pk_results *file, struct column *column)
{
    struct pk_results_source source;
    struct pk_error ignored;
    hid_t dataset = pk_results_find(file, column->name);
    if (pk_results_look_attribute(file, dataset, column->name, "flag_values", &source, &ignored) == PK_OK &&
        source.class == H5T_INTEGER && source.n_values <= FLAGS_MAX &&
        pk_results_fetch(file, &source, H5T_NATIVE_INT64, column->flags, column->name, &ignored) == PK_OK) {
        size_t n = 0;
        char *rest = NULL;
        read_meanings(file, dataset, column);
        for (char *word = strtok_r(column->meanings, " ", &rest); word != NULL && n < FLAGS_MAX;
             word = strtok_r(NULL, " ", &rest))
            column->meaning[n++] = word;
        column->n_flags = n == source.n_values ? n : 0;
    }
    pk_results_done(&source);
    pk_results_hdf5_release(dataset);
}

/* Texts of variable length, as h5py writes them. */
static enum pk_status read_strings(struct pk_results *file, const struct pk_results_source *source,
                                   struct column *column, struct pk_error *error)
{
    column->strings = pk_alloc(source->n_values, sizeof *column->strings);
    if (column->strings == NULL)
        return pk_error_set(error, PK_NO_MEMORY, "no memory to read %s", column->name);
    column->type = H5Tcopy(source->type);
    column->space = H5Scopy(source->space);
    if (column->type < 0 || column->space < 0)
        return pk_results_unread(file, error, column->name);
    return pk_results_fetch(file, source, column->type, column->strings, column->name, error);
}

static enum pk_status read_column(struct pk_results *file, struct column *column, struct pk_error *error)
{
    struct pk_results_source source;
    size_t n = 0, n_dims = 0, extent[PK_RESULTS_DIMS_MAX];
    enum pk_status status = pk_results_look_dataset(file, column->name, &source, error);
    if (status != PK_OK)
        goto out;
    if (source.n_dims != 1 || source.n_values > PK_CSV_BYTES_MAX) {
        status = pk_results_bad(file, error, column->name,
                                source.n_dims != 1 ? "is no list, expected one value a person" : "is too long");
        goto out;
    }
    column->n = source.n_values;
    if (source.class == H5T_STRING && H5Tis_variable_str(source.type) > 0) {
        status = read_strings(file, &source, column, error);
    } else if (source.class == H5T_STRING) {
        status = pk_results_read_texts(file, column->name, &column->texts, &n, error);
    } else if (source.class == H5T_INTEGER) {
        status = pk_results_read_integers(file, column->name, &column->whole, &n, extent, &n_dims, error);
        read_flags(file, column);
    } else {
        status = pk_results_read_doubles(file, column->name, &column->real, &n, extent, &n_dims, error);
    }
out:
    pk_results_done(&source);
    return status;
}

static void put(const struct column *column, size_t i, bool last, struct pk_text *csv)
{
    char number[32];
    if (column->texts != NULL || column->strings != NULL) {
        const char *text = column->texts != NULL ? column->texts[i] : column->strings[i];
        pk_csv_put(csv, text != NULL ? text : "", last);
        return;
    }
    if (column->real != NULL) {
        pk_text_add_json_number(csv, column->real[i]);
        pk_text_put(csv, last ? "\n" : ",");
        return;
    }
    for (size_t k = 0; k < column->n_flags; k++)
        if (column->flags[k] == column->whole[i]) {
            pk_csv_put(csv, column->meaning[k], last);
            return;
        }
    snprintf(number, sizeof number, "%lld", (long long)column->whole[i]);
    pk_csv_put(csv, number, last);
}

static enum pk_status read_table(struct table *table, struct pk_text *csv, struct pk_error *error)
{
    struct pk_results *file = &table->file;
    hsize_t from = 0;
    if (H5Literate(file->file, H5_INDEX_NAME, H5_ITER_INC, &from, take_name, table) < 0)
        return pk_results_unread(file, error, "/");
    if (table->n_columns == 0 || table->too_many)
        return pk_results_bad(file, error, "/",
                              table->too_many ? "has too many datasets for a table"
                                              : "has no datasets, expected one for each column");
    for (size_t k = 0; k < table->n_columns; k++) {
        enum pk_status status = read_column(file, &table->columns[k], error);
        if (status != PK_OK)
            return status;
        if (table->columns[k].n != table->columns[0].n)
            return pk_results_bad(file, error, table->columns[k].name, "is not as long as the other datasets");
    }
    for (size_t k = 0; k < table->n_columns; k++)
        pk_csv_put(csv, table->columns[k].name + 1, k + 1 == table->n_columns);
    for (size_t i = 0; i < table->columns[0].n && csv->size <= PK_CSV_BYTES_MAX && !csv->failed; i++)
        for (size_t k = 0; k < table->n_columns; k++)
            put(&table->columns[k], i, k + 1 == table->n_columns, csv);
    if (csv->failed)
        return pk_error_set(error, PK_NO_MEMORY, "no memory for the table");
    if (csv->size > PK_CSV_BYTES_MAX)
        return pk_results_bad(file, error, "/", "is too large a table to be kept with a result");
    return PK_OK;
}

static void free_columns(struct table *table)
{
    for (size_t k = 0; table->columns != NULL && k < table->n_columns; k++) {
        struct column *column = &table->columns[k];
        if (column->strings != NULL && column->type >= 0 && column->space >= 0)
            H5Dvlen_reclaim(column->type, column->space, H5P_DEFAULT, column->strings);
        if (column->strings != NULL) {
            pk_results_hdf5_release(column->type);
            pk_results_hdf5_release(column->space);
        }
        pk_free(column->strings);
        pk_free(column->texts);
        pk_free(column->whole);
        pk_free(column->real);
    }
    pk_free(table->columns);
}

enum pk_status pk_import_table(const char *path, char **csv, size_t *size, struct pk_error *error)
{
    struct table *table = pk_alloc(1, sizeof *table);
    struct pk_results_guest guest;
    struct pk_text text;
    struct stat about;
    enum pk_status status = PK_OK;
    pk_text_init(&text);
    *csv = NULL;
    *size = 0;
    if (table == NULL || (table->columns = pk_alloc(PK_CSV_COLUMNS_MAX, sizeof *table->columns)) == NULL) {
        pk_free(table);
        return pk_error_set(error, PK_NO_MEMORY, "no memory to read %s", path);
    }
    table->file = (struct pk_results){.file = H5I_INVALID_HID, .state = PK_RESULTS_READING};
    snprintf(table->file.path, sizeof table->file.path, "%s", path);
    pk_results_guest_enter(&guest);
    if (stat(path, &about) != 0)
        status = pk_error_set(error, PK_IO, "cannot open the file: %s", strerror(errno));
    else if (!S_ISREG(about.st_mode) || H5Fis_hdf5(path) <= 0)
        status = pk_error_set(error, PK_BAD_INPUT, "is not an HDF5 file");
    if (status == PK_OK) {
        table->file.file_bytes = (unsigned long long)about.st_size;
        table->file.file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
        if (table->file.file < 0)
            status = pk_results_hdf5_failed(&table->file, error, "open the table", "", "");
        else
            status = read_table(table, &text, error);
    }
    free_columns(table);
    if (table->file.file >= 0)
        H5Fclose(table->file.file);
    pk_results_guest_leave(&guest);
    if (status != PK_OK)
        pk_results_hdf5_name_file(&table->file, error);
    pk_free(table);
    if (status == PK_OK) {
        *csv = text.bytes;
        *size = text.size;
    } else {
        pk_text_free(&text);
    }
    return status;
}
