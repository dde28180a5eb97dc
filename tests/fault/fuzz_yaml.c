/* libFuzzer entry: any bytes, through the YAML layer and every accessor of the reader.
 *
 * clang -fsanitize=fuzzer,address,undefined tests/fault/fuzz_yaml.c sim/base/(all) sim/model/{source,yaml,reader}.c */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "polku/reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_as_everything(const struct pk_reader *r)
{
    static const char *const names[] = {"years", "months", "days", NULL};
    struct pk_reader child;
    const char *text;
    double number;
    int64_t whole;
    size_t i_choice;
    bool flag;
    (void)pk_reader_is_empty(r);
    (void)pk_reader_text(r, &text);
    (void)pk_reader_name(r, &text);
    (void)pk_reader_double(r, &number);
    (void)pk_reader_double_in(r, 0.0, 1.0, &number);
    (void)pk_reader_int_in(r, -3, 7, &whole);
    (void)pk_reader_bool(r, &flag);
    (void)pk_reader_day(r, &whole);
    (void)pk_reader_choice(r, names, 3, &i_choice, "a unit");
    (void)pk_reader_duration_months(r, &number);
    (void)pk_reader_allow(r, names);
    (void)pk_reader_need(r, "years", &child);
    for (size_t i = 0; i < pk_reader_count(r); i++) {
        if (pk_reader_is(r, PK_YAML_MAPPING))
            (void)pk_reader_key_name(r, i, &text);
        child = pk_reader_item(r, i);
        read_as_everything(&child);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pk_arena arena;
    struct pk_problems problems;
    const struct pk_yaml_node *root = NULL;
    pk_arena_init(&arena);
    pk_problems_init(&problems);
    enum pk_status status = pk_yaml_parse((const char *)data, size, "fuzz", &arena, &root, &problems);
    if ((status == PK_OK) != (root != NULL) || (status == PK_OK) != (problems.n_found == 0))
        abort();
    if (root != NULL) {
        struct pk_reader reader = pk_reader_root(root, "fuzz", &problems);
        read_as_everything(&reader);
    }
    for (size_t i = 0; i < problems.n_kept; i++) {
        char line[1024];
        struct pk_source_fault fault;
        pk_error_text(&problems.items[i], line, sizeof line);
        /* messages end in terminals, logs and reports: whatever the file holds, they are clean UTF-8 */
        if (pk_source_first_fault(line, strlen(line), "", &fault))
            abort();
    }
    pk_problems_free(&problems);
    pk_arena_free(&arena);
    return 0;
}
