/* Strict YAML: a file becomes a tree of nodes that know their line and column.
 *
 * Responsibility: the one owner of libyaml; says no to every part of YAML that can surprise (anchors, tags, merge
 * keys, duplicate keys, several documents). Gives no meaning to a scalar: that is reader.h's.
 * The tree and its texts are owned by the arena given. */
#ifndef PK_YAML_H
#define PK_YAML_H

#include <stdbool.h>
#include <stddef.h>

#include "polku/memory.h"
#include "polku/status.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    PK_YAML_BYTES_MAX = 4 << 20,
    PK_YAML_DEPTH_MAX = 32,    /* mappings and sequences inside one another */
    PK_YAML_NODES_MAX = 100000 /* values and keys */
};

enum pk_yaml_kind { PK_YAML_SCALAR, PK_YAML_SEQUENCE, PK_YAML_MAPPING };

struct pk_yaml_node {
    enum pk_yaml_kind kind;
    const char *file;            /* of a node that another file gave (see load_like.c); NULL: the document's own */
    size_t line, column;         /* 1-based, in characters, of the value's first one */
    const char *text;            /* scalar: its text, "" for a value left out; else NULL */
    bool quoted;                 /* scalar: in quotes or a block: never a number, bool, null or left out */
    size_t n_items;              /* sequence: items; mapping: pairs; scalar: 0 */
    struct pk_yaml_node **items; /* [n_items] in the order of the file */
    const char **keys;           /* [n_items] of a mapping, non-empty and different; else NULL */
    size_t *key_lines;           /* [n_items] 1-based */
    size_t *key_columns;         /* [n_items] 1-based */
};

/* Parses bytes[size] (UTF-8). name: the file as the user knows it, for the messages. On PK_OK *root is the document,
 * not empty; otherwise it is NULL and *problems has grown: by one for what ends the reading (syntax, encoding, size,
 * depth, nodes, memory), by all of them for the rest.
 * Errors: PK_BAD_INPUT, PK_NO_MEMORY. */
PK_CHECKED enum pk_status pk_yaml_parse(const char *bytes, size_t size, const char *name, struct pk_arena *arena,
                                        const struct pk_yaml_node **root, struct pk_problems *problems);

/* As pk_yaml_parse, for the file at `path`, which is also its name in messages. Errors: PK_IO as well. */
PK_CHECKED enum pk_status pk_yaml_read(const char *path, struct pk_arena *arena, const struct pk_yaml_node **root,
                                       struct pk_problems *problems);

#ifdef __cplusplus
}
#endif
#endif
