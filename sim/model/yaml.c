/* Strict YAML over libyaml's events. See yaml.h. */
#include "polku/yaml.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "polku/file.h"
#include "polku/source.h"

/* A finished item waiting for the end of its collection. */
struct pair {
    const char *key;  /* NULL: of a sequence, or a key refused */
    yaml_mark_t mark; /* of the key */
    struct pk_yaml_node *value;
    const struct pair *first; /* the first pair with an equal key, while duplicates are looked for */
};

struct parse {
    yaml_parser_t parser;
    const char *bytes, *name;
    size_t size;
    struct pk_arena *arena;
    struct pk_problems *problems;
    struct pair *pairs; /* [n_pairs], owned: one stack for all open collections */
    size_t n_pairs, room;
    size_t n_nodes;
    enum pk_status status; /* the worst so far */
    char path[PK_SOURCE_PATH_SIZE];
};

PK_PRINTF(4, 5)
static void problem(struct parse *p, yaml_mark_t mark, const char *hint, const char *format, ...)
{
    struct pk_error error = {.status = PK_BAD_INPUT, .line = mark.line + 1, .column = mark.column + 1};
    snprintf(error.file, sizeof error.file, "%s", p->name);
    snprintf(error.path, sizeof error.path, "%s", p->path);
    snprintf(error.hint, sizeof error.hint, "%s", hint != NULL ? hint : "");
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error.message, sizeof error.message, format, arguments);
    va_end(arguments);
    pk_problems_add(p->problems, &error);
    if (p->status == PK_OK)
        p->status = PK_BAD_INPUT;
}

static bool no_memory(struct parse *p)
{
    struct pk_error error;
    p->status = pk_error_set(&error, PK_NO_MEMORY, "no memory to read the file");
    snprintf(error.file, sizeof error.file, "%s", p->name);
    pk_problems_add(p->problems, &error);
    return false;
}

/* The whole file, before libyaml sees it: its own message about an encoding has no line, and it takes minutes over
 * a file full of %TAG directives. */
static bool is_clean(struct parse *p)
{
    struct pk_source_fault fault;
    size_t n_mark = p->size >= 3 && memcmp(p->bytes, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    yaml_mark_t mark = {0};
    if (pk_source_first_fault(p->bytes + n_mark, p->size - n_mark, "\t\n\r", &fault)) {
        mark.line = fault.line - 1;
        mark.column = fault.column - 1;
        if (fault.encoded)
            problem(p, mark, "delete it", "holds the control character U+%04X", (unsigned)fault.code);
        else
            problem(p, mark, "save the file as UTF-8", "byte 0x%02x is not valid UTF-8", (unsigned)fault.code);
        return false;
    }
    for (size_t i = n_mark; i < p->size; i++) {
        bool starts_line = i == n_mark || p->bytes[i - 1] == '\n' || p->bytes[i - 1] == '\r';
        if (starts_line && p->bytes[i] == '%') {
            problem(p, mark, "remove the line", "a line starts with %%, and YAML directives are not allowed");
            return false;
        }
        mark.line += p->bytes[i] == '\n';
    }
    return true;
}

/* A scalar can still hold a control as an escape, "\a". */
static void check_controls(struct parse *p, const yaml_event_t *event, const char *but)
{
    struct pk_source_fault fault;
    if (pk_source_first_fault((const char *)event->data.scalar.value, event->data.scalar.length, but, &fault))
        problem(p, event->start_mark, NULL, "the text holds the control character U+%04X", (unsigned)fault.code);
}

static void syntax_problem(struct parse *p)
{
    const yaml_parser_t *y = &p->parser;
    const yaml_mark_t *mark = y->error == YAML_READER_ERROR ? &y->mark : &y->problem_mark;
    const char *what = y->problem != NULL ? y->problem : "cannot be read as YAML", *hint = NULL;
    char c = pk_source_byte_at(p->bytes, p->size, mark->line, mark->column);
    if (strstr(what, "cannot start any token") != NULL)
        hint = c == '\t' ? "indent with spaces, not with tabs" : "put a text that starts so in quotes";
    else if (strstr(what, "mapping values are not allowed") != NULL)
        hint = "put a text with a colon in quotes, and check the indentation";
    else if (strstr(what, "could not find expected ':'") != NULL)
        hint = "a key is followed by a colon and a blank";
    else if (strstr(what, "did not find expected") != NULL)
        hint = c == ':' ? "write a key before the colon" : "check the indentation, the brackets and the quotes";
    p->path[0] = '\0';
    if (y->context != NULL && y->context_mark.line == mark->line && y->context_mark.column == mark->column)
        problem(p, *mark, hint, "%s %s", what, y->context);
    else if (y->context != NULL)
        problem(p, *mark, hint, "%s %s that starts at line %zu, column %zu", what, y->context, y->context_mark.line + 1,
                y->context_mark.column + 1);
    else
        problem(p, *mark, hint, "%s", what);
}

/* On true the caller deletes *event. */
static bool next_event(struct parse *p, yaml_event_t *event)
{
    if (yaml_parser_parse(&p->parser, event))
        return true;
    if (p->parser.error == YAML_MEMORY_ERROR)
        return no_memory(p);
    syntax_problem(p);
    return false;
}

static bool push(struct parse *p, struct pair pair)
{
    if (p->n_pairs == p->room) {
        size_t room = p->room > 0 ? 2 * p->room : 64;
        struct pair *grown = pk_realloc(p->pairs, room, sizeof *grown);
        if (grown == NULL)
            return no_memory(p);
        p->pairs = grown;
        p->room = room;
    }
    p->pairs[p->n_pairs++] = pair;
    return true;
}

/* Anchors, tags and aliases: each is refused, and reading goes on as if it were not there. Counts the node. */
static bool is_node_allowed(struct parse *p, const yaml_event_t *event)
{
    yaml_mark_t mark = event->start_mark;
    const yaml_char_t *anchor = NULL, *tag = NULL;
    if (++p->n_nodes > PK_YAML_NODES_MAX) {
        problem(p, mark, NULL, "the file has more than %d values and keys", (int)PK_YAML_NODES_MAX);
        return false;
    }
    if (event->type == YAML_ALIAS_EVENT)
        problem(p, mark, "write the value out", "is an alias (*), and aliases are not allowed");
    else if (event->type == YAML_SCALAR_EVENT)
        anchor = event->data.scalar.anchor, tag = event->data.scalar.tag;
    else if (event->type == YAML_SEQUENCE_START_EVENT)
        anchor = event->data.sequence_start.anchor, tag = event->data.sequence_start.tag;
    else
        anchor = event->data.mapping_start.anchor, tag = event->data.mapping_start.tag;
    if (anchor != NULL)
        problem(p, mark, "remove it", "has an anchor (&), and anchors are not allowed");
    if (tag != NULL)
        problem(p, mark, "remove it", "has a tag (!), and tags are not allowed");
    return true;
}

static struct pk_yaml_node *read_node(struct parse *p, const yaml_event_t *event, size_t depth);

/* The key that `event` starts; pair->key stays NULL where it is refused. False ends the reading. */
static bool read_key(struct parse *p, const yaml_event_t *event, size_t depth, struct pair *pair)
{
    pair->mark = event->start_mark;
    if (event->type != YAML_SCALAR_EVENT) {
        problem(p, pair->mark, "a key is a name or a text",
                event->type == YAML_ALIAS_EVENT ? "a key is an alias" : "a key is a list or a mapping");
        return read_node(p, event, depth) != NULL;
    }
    if (!is_node_allowed(p, event))
        return false;
    size_t size = event->data.scalar.length;
    check_controls(p, event, "");
    if (size == 0) {
        problem(p, pair->mark, "write a key before the colon", "a key is empty");
        return true;
    }
    if (event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && size == 2 &&
        memcmp(event->data.scalar.value, "<<", 2) == 0) {
        problem(p, pair->mark, "write the keys out", "is the merge key <<, and merging is not allowed");
        return true;
    }
    char *key = pk_arena_alloc(p->arena, size + 1, 1);
    if (key == NULL)
        return no_memory(p);
    memcpy(key, event->data.scalar.value, size);
    pair->key = key;
    return true;
}

static int compare_pairs(const void *a, const void *b)
{
    const struct pair *x = *(struct pair *const *)a, *y = *(struct pair *const *)b;
    int order = strcmp(x->key, y->key);
    return order != 0 ? order : (x > y) - (x < y);
}

/* Sorted, since a hostile file may hold tens of thousands of keys. */
static bool check_duplicates(struct parse *p, struct pair *pairs, size_t n)
{
    struct pair **sorted = pk_alloc(n, sizeof *sorted);
    if (sorted == NULL)
        return no_memory(p);
    size_t n_keys = 0;
    for (size_t i = 0; i < n; i++)
        if (pairs[i].key != NULL)
            sorted[n_keys++] = &pairs[i];
    qsort(sorted, n_keys, sizeof *sorted, compare_pairs);
    for (size_t i = 1; i < n_keys; i++)
        if (strcmp(sorted[i]->key, sorted[i - 1]->key) == 0)
            sorted[i]->first = sorted[i - 1]->first != NULL ? sorted[i - 1]->first : sorted[i - 1];
    pk_free(sorted);
    for (size_t i = 0; i < n; i++) {
        if (pairs[i].first == NULL)
            continue;
        char excerpt[PK_SOURCE_EXCERPT_SIZE];
        pk_source_excerpt(pairs[i].key, excerpt);
        problem(p, pairs[i].mark, "keep one of them", "key \"%s\" is given twice, first at line %zu, column %zu",
                excerpt, pairs[i].first->mark.line + 1, pairs[i].first->mark.column + 1);
    }
    return true;
}

/* Moves the pairs above i_first from the stack into the node. */
static bool finish_collection(struct parse *p, struct pk_yaml_node *node, size_t i_first)
{
    size_t n = p->n_pairs - i_first;
    bool mapping = node->kind == PK_YAML_MAPPING;
    if (mapping && n > 1 && !check_duplicates(p, p->pairs + i_first, n))
        return false;
    node->n_items = n;
    node->items = pk_arena_alloc(p->arena, n, sizeof *node->items);
    if (mapping) {
        node->keys = pk_arena_alloc(p->arena, n, sizeof *node->keys);
        node->key_lines = pk_arena_alloc(p->arena, n, sizeof *node->key_lines);
        node->key_columns = pk_arena_alloc(p->arena, n, sizeof *node->key_columns);
    }
    if (node->items == NULL ||
        (mapping && (node->keys == NULL || node->key_lines == NULL || node->key_columns == NULL)))
        return no_memory(p);
    for (size_t i = 0; i < n; i++) {
        const struct pair *pair = &p->pairs[i_first + i];
        node->items[i] = pair->value;
        if (mapping) {
            node->keys[i] = pair->key;
            node->key_lines[i] = pair->mark.line + 1;
            node->key_columns[i] = pair->mark.column + 1;
        }
    }
    p->n_pairs = i_first;
    return true;
}

static bool read_collection(struct parse *p, struct pk_yaml_node *node, size_t depth)
{
    size_t i_first = p->n_pairs, n_path = strlen(p->path);
    yaml_event_type_t end = node->kind == PK_YAML_MAPPING ? YAML_MAPPING_END_EVENT : YAML_SEQUENCE_END_EVENT;
    for (size_t i = 0;; i++) {
        struct pair pair = {0};
        yaml_event_t event;
        if (!next_event(p, &event))
            return false;
        bool ends = event.type == end;
        if (!ends && node->kind == PK_YAML_MAPPING) {
            bool going = read_key(p, &event, depth, &pair);
            yaml_event_delete(&event);
            if (!going || !next_event(p, &event))
                return false;
        }
        bool going = true;
        if (!ends) {
            pk_source_path_add(p->path, node->kind == PK_YAML_MAPPING && pair.key == NULL ? "?" : pair.key, i);
            pair.value = read_node(p, &event, depth);
            p->path[n_path] = '\0';
            going = pair.value != NULL && push(p, pair);
        }
        yaml_event_delete(&event);
        if (!going)
            return false;
        if (ends)
            return finish_collection(p, node, i_first);
    }
}

/* The node that `event` starts, inside `depth` collections; NULL ends the reading. */
static struct pk_yaml_node *read_node(struct parse *p, const yaml_event_t *event, size_t depth)
{
    if (!is_node_allowed(p, event))
        return NULL;
    struct pk_yaml_node *node = pk_arena_alloc(p->arena, 1, sizeof *node);
    if (node == NULL) {
        no_memory(p);
        return NULL;
    }
    node->line = event->start_mark.line + 1;
    node->column = event->start_mark.column + 1;
    node->text = "";
    if (event->type == YAML_ALIAS_EVENT)
        return node;
    if (event->type == YAML_SCALAR_EVENT) {
        size_t size = event->data.scalar.length;
        char *text = pk_arena_alloc(p->arena, size + 1, 1);
        if (text == NULL) {
            no_memory(p);
            return NULL;
        }
        memcpy(text, event->data.scalar.value, size);
        check_controls(p, event, "\t\n");
        node->text = text;
        node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
        return node;
    }
    node->text = NULL;
    node->kind = event->type == YAML_MAPPING_START_EVENT ? PK_YAML_MAPPING : PK_YAML_SEQUENCE;
    if (depth == PK_YAML_DEPTH_MAX) {
        problem(p, event->start_mark, NULL, "lists and mappings are nested more than %d deep", (int)PK_YAML_DEPTH_MAX);
        return NULL;
    }
    return read_collection(p, node, depth + 1) ? node : NULL;
}

/* The events around the one document. */
static const struct pk_yaml_node *read_stream(struct parse *p)
{
    const struct pk_yaml_node *root = NULL;
    yaml_mark_t mark = {0};
    for (bool ends = false; !ends;) {
        yaml_event_t event;
        if (!next_event(p, &event))
            return NULL;
        bool going = true;
        if (event.type == YAML_DOCUMENT_START_EVENT && root != NULL) {
            problem(p, event.start_mark, "keep one", "a second document starts here, and a file has only one");
            going = false;
        } else if (event.type == YAML_ALIAS_EVENT || event.type == YAML_SCALAR_EVENT ||
                   event.type == YAML_SEQUENCE_START_EVENT || event.type == YAML_MAPPING_START_EVENT) {
            mark = event.start_mark;
            root = read_node(p, &event, 0);
            going = root != NULL;
        }
        ends = event.type == YAML_STREAM_END_EVENT;
        yaml_event_delete(&event);
        if (!going)
            return NULL;
    }
    bool left_out = root != NULL && root->kind == PK_YAML_SCALAR && root->text[0] == '\0' && !root->quoted;
    if (root == NULL || (left_out && p->status == PK_OK))
        problem(p, mark, NULL, "the file is empty");
    return root;
}

enum pk_status pk_yaml_parse(const char *bytes, size_t size, const char *name, struct pk_arena *arena,
                             const struct pk_yaml_node **root, struct pk_problems *problems)
{
    struct parse p = {.bytes = bytes, .size = size, .name = name, .arena = arena, .problems = problems};
    *root = NULL;
    if (size > PK_YAML_BYTES_MAX) {
        problem(&p, (yaml_mark_t){0}, NULL, "the file has %zu bytes, at most %d are read", size,
                (int)PK_YAML_BYTES_MAX);
        return p.status;
    }
    if (!is_clean(&p))
        return p.status;
    if (!yaml_parser_initialize(&p.parser)) {
        no_memory(&p);
        return p.status;
    }
    yaml_parser_set_encoding(&p.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&p.parser, (const unsigned char *)bytes, size);
    const struct pk_yaml_node *document = read_stream(&p);
    yaml_parser_delete(&p.parser);
    pk_free(p.pairs);
    if (p.status == PK_OK)
        *root = document;
    return p.status;
}

enum pk_status pk_yaml_read(const char *path, struct pk_arena *arena, const struct pk_yaml_node **root,
                            struct pk_problems *problems)
{
    char *bytes = NULL;
    size_t size = 0;
    struct pk_error error;
    *root = NULL;
    enum pk_status status = pk_file_read(path, PK_YAML_BYTES_MAX, &bytes, &size, &error);
    if (status == PK_OK)
        status = pk_yaml_parse(bytes, size, path, arena, root, problems);
    else
        pk_problems_add(problems, &error);
    pk_free(bytes);
    return status;
}
