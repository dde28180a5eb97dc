/* The strict YAML layer: what a tree looks like, and every refusal with its place. */
#include "polku/yaml.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "polku/source.h"

static struct pk_arena arena;
static struct pk_problems problems;

static void set_up(void)
{
    pk_arena_init(&arena);
    pk_problems_init(&problems);
}

static void tear_down(void)
{
    pk_arena_free(&arena);
    pk_problems_free(&problems);
}

static enum pk_status parse(const char *bytes, size_t size, const struct pk_yaml_node **root)
{
    tear_down();
    return pk_yaml_parse(bytes, size, "m.yaml", &arena, root, &problems);
}

static const struct pk_yaml_node *tree(const char *text)
{
    const struct pk_yaml_node *root = NULL;
    enum pk_status status = parse(text, strlen(text), &root);
    cr_assert_eq(status, PK_OK, "%s: %s", text, problems.n_kept > 0 ? problems.items[0].message : "");
    cr_assert_eq(problems.n_found, 0);
    cr_assert_not_null(root);
    return root;
}

TestSuite(yaml, .init = set_up, .fini = tear_down);

Test(yaml, keeps_keys_values_and_their_places_in_the_order_of_the_file)
{
    const struct pk_yaml_node *root = tree("zeta: 2.385\nöl: [a, 'b c']\n# note\nlast:\n  inner: yes\n");
    cr_assert_eq(root->kind, PK_YAML_MAPPING);
    cr_assert_eq(root->n_items, 3);
    cr_assert_null(root->text);
    cr_assert_str_eq(root->keys[0], "zeta");
    cr_assert_str_eq(root->keys[1], "öl");
    cr_assert_str_eq(root->keys[2], "last");
    cr_assert_eq(root->key_lines[2], 4);
    cr_assert_eq(root->key_columns[2], 1);
    cr_assert_str_eq(root->items[0]->text, "2.385");
    cr_assert_eq(root->items[0]->line, 1);
    cr_assert_eq(root->items[0]->column, 7);
    const struct pk_yaml_node *list = root->items[1];
    cr_assert_eq(list->kind, PK_YAML_SEQUENCE);
    cr_assert_eq(list->n_items, 2);
    cr_assert_null(list->keys);
    cr_assert_eq(list->column, 5, "columns are characters, not bytes");
    cr_assert_str_eq(list->items[1]->text, "b c");
    cr_assert_eq(list->items[1]->line, 2);
    cr_assert_eq(list->items[1]->column, 9);
    cr_assert_str_eq(root->items[2]->items[0]->text, "yes");
    cr_assert_eq(root->items[2]->items[0]->line, 5);
    cr_assert_eq(root->items[2]->items[0]->column, 10);
}

Test(yaml, tells_quoted_and_block_scalars_from_plain_and_left_out_ones)
{
    const struct pk_yaml_node *root =
        tree("a: 1\nb: '1'\nc: \"1\"\nd: |\n  1\ne: >-\n  1\nf:\ng: ''\nh: ~\ni: \"a\\tb\\nc\"\n");
    static const struct {
        const char *text;
        bool quoted;
    } expected[] = {{"1", false}, {"1", true}, {"1", true},  {"1\n", true},    {"1", true},
                    {"", false},  {"", true},  {"~", false}, {"a\tb\nc", true}};
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        cr_assert_str_eq(root->items[i]->text, expected[i].text, "%s", root->keys[i]);
        cr_assert_eq(root->items[i]->quoted, expected[i].quoted, "%s", root->keys[i]);
    }
    cr_assert_eq(root->items[5]->line, 8, "a left-out value is where its colon is");
    cr_assert_eq(root->items[5]->column, 3);
}

Test(yaml, takes_what_editors_and_people_write)
{
    static const char *const files[] = {
        "a: 1",
        "\xef\xbb\xbf# x\na: 1\n",
        "---\na: 1\n...\n",
        "a: 1\r\nb: 2\r\n",
        "{a: 1, b: [], c: {}}\n",
        "- [[1], {a: b}]",
        "a: 50 % of it\n",
        "\"<<\": 1\n",
        "a: \"€ 😀\"\n",
        "''",
        "a: x # y\n\n\n",
        "a:\n- 1\n- 2\n",
        "~",
    };
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        (void)tree(files[i]);
}

struct refusal {
    const char *bytes;
    size_t line, column;
    const char *path, *message, *hint; /* message, hint: a part of it */
};

static void check_refusal(const struct refusal *r, size_t size)
{
    const struct pk_yaml_node *root = NULL;
    cr_assert_eq(parse(r->bytes, size, &root), PK_BAD_INPUT, "accepted: %s", r->bytes);
    cr_assert_null(root);
    cr_assert_eq(problems.n_found, 1, "%zu problems: %s", problems.n_found, r->bytes);
    const struct pk_error *error = &problems.items[0];
    cr_assert_eq(error->status, PK_BAD_INPUT);
    cr_assert_str_eq(error->file, "m.yaml");
    cr_assert_not_null(strstr(error->message, r->message), "%s: %s", r->bytes, error->message);
    cr_assert_not_null(strstr(error->hint, r->hint), "%s: %s", r->bytes, error->hint);
    cr_assert_eq(error->line, r->line, "%s: line %zu", r->bytes, error->line);
    cr_assert_eq(error->column, r->column, "%s: column %zu", r->bytes, error->column);
    cr_assert_str_eq(error->path, r->path, "%s: path %s", r->bytes, error->path);
}

Test(yaml, refuses_what_can_surprise_and_says_where)
{
    static const struct refusal refusals[] = {
        {"", 1, 1, "", "the file is empty", ""},
        {"# only a comment\n", 1, 1, "", "the file is empty", ""},
        {"---\n", 2, 1, "", "the file is empty", ""},
        {"--- # nothing\n...\n", 2, 1, "", "the file is empty", ""},
        {"a: 1\n---\nb: 2\n", 2, 1, "", "a second document starts here", "keep one"},
        {"a: 1\n...\n---\n", 3, 1, "", "a second document starts here", "keep one"},
        {"a: 1\nb: 2\na: 3\n", 3, 1, "", "key \"a\" is given twice, first at line 1, column 1", "keep one"},
        {"x:\n  - {b: 1, 'b': 2}\n", 2, 12, "x[0]", "key \"b\" is given twice, first at line 2, column 6", "keep one"},
        {"a: &x 1\n", 1, 4, "a", "has an anchor", "remove it"},
        {"a:\n  - &x [1]\n", 2, 5, "a[0]", "has an anchor", "remove it"},
        {"a: &x {b: 1}\n", 1, 4, "a", "has an anchor", "remove it"},
        {"&x a: 1\n", 1, 1, "", "has an anchor", "remove it"},
        {"a:\n  b: *x\n", 2, 6, "a.b", "is an alias", "write the value out"},
        {"*x\n", 1, 1, "", "is an alias", "write the value out"},
        {"a: !!str 1\n", 1, 4, "a", "has a tag", "remove it"},
        {"a: ! 1\n", 1, 4, "a", "has a tag", "remove it"},
        {"a: !t [1]\n", 1, 4, "a", "has a tag", "remove it"},
        {"a: !t {b: 1}\n", 1, 4, "a", "has a tag", "remove it"},
        {"!t a: 1\n", 1, 1, "", "has a tag", "remove it"},
        {"%YAML 1.2\n---\na: 1\n", 1, 1, "", "directives are not allowed", "remove the line"},
        {"# x\n%TAG ! y\n---\na: 1\n", 2, 1, "", "directives are not allowed", "remove the line"},
        {"c:\n  <<: {a: 1}\n", 2, 3, "c", "merge key <<", "write the keys out"},
        {"x:\n  ? [a]\n  : 1\n", 2, 5, "x", "a key is a list or a mapping", "a name"},
        {"? {a: 1}\n: 1\n", 1, 3, "", "a key is a list or a mapping", "a name"},
        {"a: {{b}}\n", 1, 5, "a", "a key is a list or a mapping", "a name"},
        {"a: {: 1}\n", 1, 5, "", "did not find expected node content", "before the colon"},
        {"a:\n  ?\n  : 1\n", 2, 4, "a", "a key is empty", "before the colon"},
        {"a:\n  : 1\n", 2, 3, "", "did not find expected key", "before the colon"},
        {"'': 1\n", 1, 1, "", "a key is empty", "before the colon"},
        {"a: b: c\n", 1, 5, "", "mapping values are not allowed in this context", "in quotes"},
        {"a:\n\t- b\n", 2, 1, "", "cannot start any token", "not with tabs"},
        {"a: @b\n", 1, 4, "", "cannot start any token", "in quotes"},
        {"a: [1, 2\nb: 3\n", 2, 2, "", "parsing a flow sequence that starts at line 1, column 4", ""},
        {"a: 'b\n", 2, 1, "", "found unexpected end of stream", ""},
        {"a: 1\n b: 2\n", 2, 3, "", "mapping values are not allowed", "indentation"},
        {"a: 1\nb\n", 3, 1, "", "could not find expected ':'", "followed by a colon"},
        {"- a\nb: 1\n", 2, 1, "", "did not find expected '-' indicator", "indentation"},
        {"a: \"\\q\"\n", 1, 5, "", "found unknown escape character", ""},
        {"a: \"\\ud800\"\n", 1, 7, "", "invalid Unicode character escape", ""},
        {"a: 1\nbé: \xff\n", 2, 5, "", "byte 0xff is not valid UTF-8", "UTF-8"},
        {"a: \xc3", 1, 4, "", "byte 0xc3 is not valid UTF-8", "UTF-8"},
        {"a: \xc0\xaf\n", 1, 4, "", "byte 0xc0 is not valid UTF-8", "UTF-8"},
        {"a: \xed\xa0\x80\n", 1, 4, "", "byte 0xed is not valid UTF-8", "UTF-8"},
        {"a: \xf4\x90\x80\x80\n", 1, 4, "", "byte 0xf4 is not valid UTF-8", "UTF-8"},
        {"\xff\xfe"
         "a",
         1, 1, "", "byte 0xff is not valid UTF-8", "UTF-8"},
        {"a: 1\r\nb: \x07\n", 2, 4, "", "control character U+0007", "delete it"},
        {"a: \x7f\n", 1, 4, "", "control character U+007F", "delete it"},
        {"a: \xc2\x85\n", 1, 4, "", "control character U+0085", "delete it"},
        {"a: \xe2\x80\xa8\n", 1, 4, "", "control character U+2028", "delete it"},
        {"a: \xef\xbb\xbf\n", 1, 4, "", "control character U+FEFF", "delete it"},
        {"a:\n  - \"\\0\"\n", 2, 5, "a[0]", "control character U+0000", ""},
        {"a: \"x\\e\"\n", 1, 4, "a", "control character U+001B", ""},
        {"a: \"\\L\"\n", 1, 4, "a", "control character U+2028", ""},
        {"a: {\"b\\n\": 1}\n", 1, 5, "a", "control character U+000A", ""},
    };
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++)
        check_refusal(&refusals[i], strlen(refusals[i].bytes));
    static const struct refusal nul = {"a: 1\nb: \0x\n", 2, 4, "", "control character U+0000", "delete it"};
    check_refusal(&nul, 11);
}

Test(yaml, reports_all_problems_of_a_file_that_can_be_read_to_its_end)
{
    static const char file[] = "a: &x 1\nb: *x\na: !t 2\n<<: 3\nc: {d: 1, d: 2, d: 3}\n? [e]\n: \"\\a\"\n";
    static const size_t lines[] = {1, 2, 3, 4, 5, 5, 6, 7, 3};
    const struct pk_yaml_node *root = NULL;
    cr_assert_eq(parse(file, sizeof file - 1, &root), PK_BAD_INPUT);
    cr_assert_null(root);
    cr_assert_eq(problems.n_found, sizeof lines / sizeof lines[0]);
    for (size_t i = 0; i < problems.n_found; i++)
        cr_assert_eq(problems.items[i].line, lines[i], "%zu: %s", i, problems.items[i].message);
    cr_assert_not_null(strstr(problems.items[5].message, "first at line 5, column 5"));
}

static size_t fill(char *bytes, size_t n_times, const char *piece)
{
    for (size_t i = 0; i < n_times; i++)
        memcpy(bytes + i * strlen(piece), piece, strlen(piece));
    return n_times * strlen(piece);
}

Test(yaml, limits_depth_nodes_and_size)
{
    const struct pk_yaml_node *root = NULL;
    char *bytes = pk_alloc(PK_YAML_BYTES_MAX + 1, 1);
    size_t size = fill(bytes, PK_YAML_DEPTH_MAX, "- ");
    cr_assert_eq(parse(bytes, size, &root), PK_OK);
    size = fill(bytes, PK_YAML_DEPTH_MAX + 1, "- ");
    cr_assert_eq(parse(bytes, size, &root), PK_BAD_INPUT);
    cr_assert_null(root);
    cr_assert_eq(problems.n_found, 1);
    cr_assert_str_eq(problems.items[0].message, "lists and mappings are nested more than 32 deep");
    cr_assert_eq(problems.items[0].column, 65);
    cr_assert_eq(strlen(problems.items[0].path), (size_t)PK_YAML_DEPTH_MAX * 3);

    size = fill(bytes, PK_YAML_NODES_MAX - 1, "- x\n"); /* the list itself is one */
    cr_assert_eq(parse(bytes, size, &root), PK_OK);
    cr_assert_eq(root->n_items, (size_t)PK_YAML_NODES_MAX - 1);
    size = fill(bytes, PK_YAML_NODES_MAX, "- x\n");
    cr_assert_eq(parse(bytes, size, &root), PK_BAD_INPUT);
    cr_assert_eq(problems.items[0].line, (size_t)PK_YAML_NODES_MAX);
    cr_assert_str_eq(problems.items[0].path, "[99999]");
    cr_assert_not_null(strstr(problems.items[0].message, "more than 100000 values and keys"));

    size = fill(bytes, PK_YAML_BYTES_MAX, "x");
    cr_assert_eq(parse(bytes, size, &root), PK_OK);
    cr_assert_eq(parse(bytes, size + 1, &root), PK_BAD_INPUT);
    cr_assert_not_null(strstr(problems.items[0].message, "has 4194305 bytes, at most 4194304"));
    pk_free(bytes);
}

Test(yaml, takes_hostile_files_of_full_size_in_seconds)
{
    static const char *const pieces[] = {"[",  "{",     "- ", "? ", "&a ",        "[a,", "\n",  "#\n", "a: 1\n",
                                         "! ", "\"\\n", "\t", "*a", "%TAG ! x\n", "a: ", "|\n", "'a",  "---\n"};
    char *bytes = pk_alloc(PK_YAML_BYTES_MAX, 1);
    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
        const struct pk_yaml_node *root = NULL;
        size_t size = fill(bytes, PK_YAML_BYTES_MAX / strlen(pieces[i]), pieces[i]);
        cr_assert_eq(parse(bytes, size, &root), PK_BAD_INPUT, "%s", pieces[i]);
    }
    pk_free(bytes);
}

Test(yaml, reads_a_file_and_names_it)
{
    const struct pk_yaml_node *root = NULL;
    char path[64];
    snprintf(path, sizeof path, "/tmp/polku-yaml-%ld.yaml", (long)getpid());
    FILE *file = fopen(path, "w");
    cr_assert_not_null(file);
    fputs("a: 2.385\n", file);
    fclose(file);
    cr_assert_eq(pk_yaml_read(path, &arena, &root, &problems), PK_OK);
    cr_assert_str_eq(root->items[0]->text, "2.385");
    unlink(path);
    cr_assert_eq(pk_yaml_read(path, &arena, &root, &problems), PK_IO);
    cr_assert_null(root);
    cr_assert_eq(problems.n_found, 1);
    cr_assert_str_eq(problems.items[0].file, path);
}

Test(yaml, survives_the_failure_of_every_allocation)
{
    static const char *const files[] = {"a: [1, {b: 2, c: 3}]\nd: |\n  text\n", "a: &x 1\na: 2\n"};
    static char many[80000];
    fill(many, sizeof many / 8, "- [abc]\n");
    many[sizeof many - 1] = '\0';
    for (size_t i_file = 0; i_file < 3; i_file++) {
        const char *text = i_file < 2 ? files[i_file] : many;
        enum pk_status status = PK_NO_MEMORY;
        long n_failed = 0;
        for (; status == PK_NO_MEMORY || n_failed < 2; n_failed++) {
            const struct pk_yaml_node *root = NULL;
            tear_down();
            pk_memory_fail_after(n_failed);
            status = pk_yaml_parse(text, strlen(text), "m.yaml", &arena, &root, &problems);
            pk_memory_fail_after(-1);
            cr_assert_neq(problems.n_found == 0, status != PK_OK);
            cr_assert_neq(root == NULL, status == PK_OK);
            cr_assert_lt(n_failed, 10000);
        }
        cr_assert_gt(n_failed, i_file == 2 ? 8 : 1);
        cr_assert_eq(status, i_file == 1 ? PK_BAD_INPUT : PK_OK);
    }
}

Test(source, paths_and_excerpts_are_cut_at_whole_characters)
{
    char path[PK_SOURCE_PATH_SIZE] = "", excerpt[PK_SOURCE_EXCERPT_SIZE], text[200] = "x";
    pk_source_path_add(path, "parameters", 0);
    pk_source_path_add(path, "job_loss", 0);
    pk_source_path_add(path, NULL, 17);
    cr_assert_str_eq(path, "parameters.job_loss[17]");
    for (int i = 0; i < 40; i++)
        pk_source_path_add(path, "state", 0);
    cr_assert_lt(strlen(path), sizeof path);
    cr_assert_str_eq(path + strlen(path) - 9, ".state...");
    fill(text + 1, 31, "ä");
    pk_source_excerpt(text, excerpt);
    cr_assert_str_eq(excerpt, text, "63 bytes fit");
    fill(text + 1, 32, "ä");
    pk_source_excerpt(text, excerpt);
    cr_assert_eq(strlen(excerpt), 62, "59 whole-character bytes of 60, and the dots: %s", excerpt);
    cr_assert_str_eq(excerpt + 57, "ä...");
    pk_source_excerpt("a\n\tb\x07\xff\xe2\x80\xa8"
                      "c",
                      excerpt);
    cr_assert_str_eq(excerpt, "a  b   c");
}
