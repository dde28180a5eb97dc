/* Attributes drawn together: rows in the scenario or the model, or in a file beside it. See load.h. */
#include <math.h>
#include <string.h>

#include "load_private.h"
#include "polku/csv.h"

enum { CELLS_MAX = 1 << 20 };

static bool read_attributes(struct pk_load *load, const struct pk_reader *r, struct pk_joint *joint)
{
    const struct pk_model *model = load->model;
    if (!pk_reader_expect(r, PK_YAML_SEQUENCE, "a list of attributes"))
        return false;
    joint->n_cells = 1;
    for (size_t i = 0; i < pk_reader_count(r); i++) {
        struct pk_reader item = pk_reader_item(r, i);
        size_t a;
        if (!pk_load_attribute(load, &item, &a))
            return false;
        for (size_t k = 0; k < joint->n_attributes; k++)
            if (joint->i_attributes[k] == a) {
                pk_reader_problem(&item, NULL, "names %s again", model->attributes[a].name);
                return false;
            }
        joint->i_attributes[joint->n_attributes++] = a;
        joint->n_cells *= model->attributes[a].n_values;
        if (joint->n_cells > CELLS_MAX) {
            pk_reader_problem(&item, NULL, "makes the joint table larger than %d cells", CELLS_MAX);
            return false;
        }
    }
    if (joint->n_attributes >= 2)
        return true;
    pk_reader_problem(
        r, joint->of_model ? "a scenario gives the shares of one alone" : "draw one alone by shares under attributes",
        "names %zu of the attributes, expected two or more", joint->n_attributes);
    return false;
}

/* Rows of values, the share last. */
static bool read_rows(struct pk_load *load, const struct pk_reader *r, struct pk_joint *joint, bool *known)
{
    bool good = pk_reader_expect(r, PK_YAML_SEQUENCE, "a list of rows, each [value, ..., share]");
    for (size_t i = 0; good && i < pk_reader_count(r); i++) {
        struct pk_reader row = pk_reader_item(r, i), item;
        if (!pk_reader_expect(&row, PK_YAML_SEQUENCE, "a row [value, ..., share]"))
            return false;
        if (pk_reader_count(&row) != joint->n_attributes + 1) {
            pk_reader_problem(&row, NULL, "has %zu entries, expected a value of each of the %zu attributes and a share",
                              pk_reader_count(&row), joint->n_attributes);
            return false;
        }
        size_t cell = 0, v = 0;
        for (size_t k = 0; k < joint->n_attributes; k++) {
            item = pk_reader_item(&row, k);
            if (!pk_load_attribute_value(load, &item, joint->i_attributes[k], &v))
                return false;
            cell = cell * load->model->attributes[joint->i_attributes[k]].n_values + v;
        }
        item = pk_reader_item(&row, joint->n_attributes);
        if (!pk_reader_double_in(&item, 0, joint->fit ? 1e12 : 1, &joint->shares[cell]))
            return false;
        if (known[cell]) {
            pk_reader_problem(&row, NULL, "gives a combination again");
            return false;
        }
        known[cell] = true;
    }
    return good;
}

static bool read_table(struct pk_load *load, const struct pk_csv *csv, struct pk_joint *joint, bool *known)
{
    size_t columns[PK_MAX_ATTRIBUTES], i_share = pk_csv_column(csv, "share", true);
    const struct pk_attribute *attributes = load->model->attributes;
    bool good = i_share != SIZE_MAX;
    for (size_t k = 0; k < joint->n_attributes; k++) {
        columns[k] = pk_csv_column(csv, attributes[joint->i_attributes[k]].name, true);
        good &= columns[k] != SIZE_MAX;
    }
    for (size_t c = 0; c < csv->n_columns && good; c++) {
        bool named = c == i_share;
        for (size_t k = 0; k < joint->n_attributes; k++)
            named |= columns[k] == c;
        if (!named)
            pk_csv_header_problem(csv, c, NULL, "is a column that the joint table does not have");
        good &= named;
    }
    for (size_t i = 0; i < csv->n_rows && good; i++) {
        size_t cell = 0, v = 0;
        for (size_t k = 0; k < joint->n_attributes; k++) {
            const struct pk_attribute *attribute = &attributes[joint->i_attributes[k]];
            if (!pk_csv_choice(csv, i, columns[k], attribute->values, attribute->n_values, "a value of the attribute",
                               &v))
                return false;
            cell = cell * attribute->n_values + v;
        }
        if (!pk_csv_double(csv, i, i_share, 0, joint->fit ? 1e12 : 1, &joint->shares[cell]))
            return false;
        if (known[cell]) {
            pk_csv_problem(csv, i, columns[0], NULL, "the row gives a combination again");
            return false;
        }
        known[cell] = true;
    }
    return good;
}

static bool read_file(struct pk_load *load, const struct pk_reader *r, struct pk_joint *joint, bool *known)
{
    const char *path = NULL;
    const struct pk_attachment *attachment = pk_load_attachment(load, r, &path);
    if (attachment == NULL)
        return false;
    struct pk_csv csv;
    enum pk_status status = pk_csv_parse(attachment->text, attachment->size, path, r->problems, &csv);
    load->no_memory |= status == PK_NO_MEMORY;
    bool good = status == PK_OK && read_table(load, &csv, joint, known);
    pk_csv_free(&csv);
    return good;
}

/* {attributes: [...], rows: [...]} or {attributes: [...], file: ...}, fit: true. A model has no shares to fit to. */
static bool read_joint(struct pk_load *load, const struct pk_reader *r, struct pk_joint *joint)
{
    static const char *const keys[] = {"attributes", "rows", "file", "fit", NULL}, *const of_model[] = {"attributes",
                                                                                                        "rows", "file",
                                                                                                        NULL};
    struct pk_reader child, rows, file;
    joint->of_model = load->scenario == NULL;
    if (joint->of_model && pk_reader_find(r, "fit", &child)) {
        pk_reader_problem(&child, NULL, "would scale the table to shares, which only a scenario gives");
        return false;
    }
    if (!pk_reader_allow(r, joint->of_model ? of_model : keys) || !pk_reader_need(r, "attributes", &child) ||
        !read_attributes(load, &child, joint))
        return false;
    if (pk_reader_find(r, "fit", &child) && !pk_reader_bool(&child, &joint->fit))
        return false;
    bool has_rows = pk_reader_find(r, "rows", &rows), has_file = pk_reader_find(r, "file", &file);
    if (has_rows == has_file) {
        pk_reader_problem(r, NULL, "gives %s rows %s a file, expected one of them", has_rows ? "both" : "neither",
                          has_rows ? "and" : "nor");
        return false;
    }
    bool *known = pk_load_alloc(load, joint->n_cells, sizeof *known);
    joint->shares = pk_load_alloc(load, joint->n_cells, sizeof *joint->shares);
    if (known == NULL || joint->shares == NULL)
        return false;
    if (!(has_rows ? read_rows(load, &rows, joint, known) : read_file(load, &file, joint, known)))
        return false;
    double sum = 0;
    for (size_t i = 0; i < joint->n_cells; i++)
        sum += joint->shares[i];
    if (joint->fit ? !(sum > 0) : sum < 1 - 1e-9 || sum > 1 + 1e-9) {
        const char *hint = joint->fit || joint->of_model ? NULL : "fit: true scales a table to the shares";
        pk_reader_problem(has_rows ? &rows : &file, hint, "has shares that add up to %.12g, expected %s", sum,
                          joint->fit ? "more than 0" : "1");
        return false;
    }
    return true;
}

void pk_load_joints(struct pk_load *load, const struct pk_reader *r, struct pk_joint *joints, size_t *n_joints,
                    bool *in_joint)
{
    if (!pk_reader_expect(r, PK_YAML_SEQUENCE, "a list of joint tables"))
        return;
    if (pk_reader_count(r) > PK_MAX_JOINTS) {
        pk_reader_problem(r, NULL, "has %zu tables, at most %d are allowed", pk_reader_count(r), PK_MAX_JOINTS);
        return;
    }
    for (size_t i = 0; i < pk_reader_count(r); i++) {
        struct pk_reader item = pk_reader_item(r, i);
        struct pk_joint joint = {0};
        bool good = read_joint(load, &item, &joint), alone = true;
        for (size_t k = 0; k < joint.n_attributes; k++) {
            if (good && in_joint[joint.i_attributes[k]])
                pk_reader_problem(&item, NULL, "the attribute %s is in another joint table already",
                                  load->model->attributes[joint.i_attributes[k]].name);
            alone &= !in_joint[joint.i_attributes[k]];
            in_joint[joint.i_attributes[k]] = true; /* of a bad one too: its shares are not asked for */
        }
        if (good && alone)
            joints[(*n_joints)++] = joint;
    }
}
