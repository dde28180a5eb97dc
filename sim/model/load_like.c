/* A scenario that is like another one, but for what it says itself. See load.h.
 *
 * Both trees become one before anything is read, so that nothing else has to know; every node of the other file keeps
 * that file's name for messages, and names of files in it are told from where this scenario is. */
#include <stdio.h>
#include <string.h>

#include "load_private.h"

enum { LIKE_MOST = 8 }; /* scenarios like one that is like one ... */

/* Mappings that are put together key by key; everything else is replaced as a whole. */
static bool is_joined(const char *key)
{
    static const char *const joined[] = {"parameters", "population", "arms",    "outcomes",
                                         "variants",   "set",        "compare", "uncertainty"};
    bool found = false;
    for (size_t i = 0; i < sizeof joined / sizeof *joined; i++)
        found |= strcmp(joined[i], key) == 0;
    return found;
}

/* Keys whose value, or every item of it, is the name of a file. */
static bool names_file(const char *key, bool at_root)
{
    return strcmp(key, "file") == 0 || strcmp(key, "people") == 0 ||
           (at_root && (strcmp(key, "model") == 0 || strcmp(key, "calibrated") == 0 || strcmp(key, "like") == 0));
}

/* Where it comes from, on all nodes below; names of files as seen from the file that named that one. */
static void mark(struct pk_load *load, struct pk_yaml_node *node, const char *file, const char *directory_of,
                 bool is_file, bool at_root)
{
    node->file = file;
    if (node->kind == PK_YAML_SCALAR && is_file && node->text[0] != '\0') {
        node->text = pk_load_beside(load->arena, directory_of, node->text);
        load->no_memory |= node->text == NULL;
    }
    for (size_t i = 0; i < node->n_items && !load->no_memory; i++)
        mark(load, node->items[i], file, directory_of,
             node->kind == PK_YAML_MAPPING ? names_file(node->keys[i], at_root) : is_file, false);
}

static size_t place_of(const struct pk_yaml_node *mapping, const char *key)
{
    for (size_t i = 0; i < mapping->n_items; i++)
        if (strcmp(mapping->keys[i], key) == 0)
            return i;
    return SIZE_MAX;
}

static bool is_left_out(const struct pk_yaml_node *without, const char *key)
{
    bool found = strcmp(key, "like") == 0 || strcmp(key, "polku") == 0 || strcmp(key, "scenario") == 0 ||
                 strcmp(key, "title") == 0; /* each says these itself */
    for (size_t i = 0; without != NULL && i < without->n_items; i++)
        found |= without->items[i]->kind == PK_YAML_SCALAR && strcmp(without->items[i]->text, key) == 0;
    return found;
}

static void put(struct pk_yaml_node *made, const struct pk_yaml_node *from, size_t i)
{
    made->items[made->n_items] = from->items[i];
    made->keys[made->n_items] = from->keys[i];
    made->key_lines[made->n_items] = from->key_lines[i];
    made->key_columns[made->n_items++] = from->key_columns[i];
}

/* Two mappings in one: the order of base, own values in place of its, then what only own has. */
static struct pk_yaml_node *join(struct pk_load *load, const struct pk_yaml_node *base, const struct pk_yaml_node *own,
                                 const struct pk_yaml_node *without, bool deep)
{
    const size_t n = base->n_items + own->n_items;
    struct pk_yaml_node *made = pk_load_alloc(load, 1, sizeof *made);
    if (made == NULL)
        return NULL;
    *made = *own;
    made->n_items = 0;
    made->items = pk_load_alloc(load, n, sizeof *made->items);
    made->keys = pk_load_alloc(load, n, sizeof *made->keys);
    made->key_lines = pk_load_alloc(load, n, sizeof *made->key_lines);
    made->key_columns = pk_load_alloc(load, n, sizeof *made->key_columns);
    for (size_t i = 0; i < base->n_items && !load->no_memory; i++) {
        const size_t k = place_of(own, base->keys[i]);
        if (is_left_out(without, base->keys[i]))
            continue;
        put(made, k == SIZE_MAX ? base : own, k == SIZE_MAX ? i : k);
        if (deep && k != SIZE_MAX && is_joined(base->keys[i]) && base->items[i]->kind == PK_YAML_MAPPING &&
            own->items[k]->kind == PK_YAML_MAPPING)
            made->items[made->n_items - 1] = join(load, base->items[i], own->items[k], NULL, false);
    }
    for (size_t k = 0; k < own->n_items && !load->no_memory; k++)
        if (place_of(base, own->keys[k]) == SIZE_MAX || is_left_out(without, own->keys[k]))
            put(made, own, k);
    return load->no_memory ? NULL : made;
}

static bool read_like(struct pk_load *load, const struct pk_reader *r, struct pk_reader *file,
                      const struct pk_yaml_node **without)
{
    static const char *const keys[] = {"file", "without", NULL};
    struct pk_reader child, item;
    const char *name;
    (void)load;
    *file = *r;
    if (!pk_reader_is(r, PK_YAML_MAPPING))
        return pk_reader_text(r, &name);
    if (!pk_reader_allow(r, keys) || !pk_reader_need(r, "file", file))
        return false;
    if (pk_reader_find(r, "without", &child)) {
        if (!pk_reader_expect(&child, PK_YAML_SEQUENCE, "a list of keys"))
            return false;
        for (size_t i = 0; i < pk_reader_count(&child); i++) {
            item = pk_reader_item(&child, i);
            if (!pk_reader_text(&item, &name))
                return false;
        }
        *without = child.node;
    }
    return pk_reader_text(file, &name);
}

static const struct pk_yaml_node *like(struct pk_load *load, const struct pk_yaml_node *root,
                                       struct pk_problems *problems, size_t depth)
{
    struct pk_reader r = pk_reader_root(root, load->scenario->file, problems), child, file;
    const struct pk_yaml_node *without = NULL, *base = NULL;
    const char *path;
    if (!pk_reader_find(&r, "like", &child))
        return root;
    if (depth == LIKE_MOST) {
        pk_reader_problem(&child, NULL, "is like one that is like one ... more than %d deep, or like itself",
                          LIKE_MOST);
        return NULL;
    }
    if (!read_like(load, &child, &file, &without))
        return NULL;
    const struct pk_attachment *attachment = pk_load_attachment(load, &file, &path);
    if (attachment == NULL ||
        pk_yaml_parse(attachment->text, attachment->size, path, load->arena, &base, problems) != PK_OK)
        return NULL;
    struct pk_reader other = pk_reader_root(base, path, problems), key;
    if (!pk_reader_expect(&other, PK_YAML_MAPPING, "a scenario") || !pk_reader_need(&other, "scenario", &key))
        return NULL;
    struct pk_yaml_node *top = pk_load_alloc(load, 1, sizeof *top);
    if (top == NULL)
        return NULL;
    *top = *base;
    mark(load, top, path, attachment->name, false, true);
    base = load->no_memory ? NULL : like(load, top, problems, depth + 1);
    for (size_t i = 0; base != NULL && without != NULL && i < without->n_items; i++)
        if (place_of(base, without->items[i]->text) == SIZE_MAX) {
            struct pk_reader item = child;
            item.node = without->items[i];
            pk_reader_problem(&item, NULL, "is no key of %s", path);
        }
    return base == NULL ? NULL : join(load, base, root, without, true);
}

const struct pk_yaml_node *pk_load_like(struct pk_load *load, const struct pk_yaml_node *root,
                                        struct pk_problems *problems)
{
    return like(load, root, problems, 0);
}
