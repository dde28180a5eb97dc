/* Runs a fuzz target without libFuzzer: seeds as they are, cut off at many places, and changed in a repeatable way.
 *
 * replay [-p N] [-n N] FILE...   -p: put each of the bytes 0 to N-1 before a seed; -n: changed copies of each seed */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIZE_MAX_OF_SEED = 8 << 20, ROOM = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t state;

static size_t below(size_t n) /* SplitMix64 */
{
    uint64_t z = (state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return n > 0 ? (size_t)((z ^ z >> 31) % n) : 0;
}

static size_t end_of(const uint8_t *bytes, size_t size, size_t at, const char *ends)
{
    while (at < size && (bytes[at] == '\0' || strchr(ends, bytes[at]) == NULL))
        at++;
    return at;
}

/* Replaces bytes [at, end) by those of a text. */
static size_t replace(uint8_t *bytes, size_t size, size_t at, size_t end, const void *by, size_t n)
{
    memmove(bytes + at + n, bytes + end, size - end);
    memcpy(bytes + at, by, n);
    return size - (end - at) + n;
}

/* One change in place; bytes has ROOM more than size. */
static size_t change(uint8_t *bytes, size_t size)
{
    static const char *const texts[] = {"-1",   "0",  "1e308", "1e-320", "999999999999999999999",
                                        ".nan", "[]", "{}",    "",       "life",
                                        "any",  "~",  "\"x\"", "0.5",    "2021-02-30",
                                        "[[[[", "\t", "&a",    "*a"};
    uint8_t copy[ROOM];
    size_t at = below(size), end, n;
    switch (below(8)) {
    case 0:
        bytes[at] ^= (uint8_t)(1u << below(8));
        return size;
    case 1:
        bytes[at] = (uint8_t)below(256);
        return size;
    case 2: /* a word away, or another in its place */
    case 3:
        end = end_of(bytes, size, at, " ,:]}\n");
        n = below(sizeof texts / sizeof *texts);
        return end - at > ROOM ? size : replace(bytes, size, at, end, texts[n], strlen(texts[n]));
    case 4: /* a line away */
        end = end_of(bytes, size, at, "\n");
        return replace(bytes, size, at, end, "", 0);
    case 5: /* a piece again, elsewhere */
        n = 1 + below(64);
        if (at + n > size)
            return size;
        memcpy(copy, bytes + at, n);
        at = below(size);
        return replace(bytes, size, at, at, copy, n);
    case 6: /* a piece away */
        n = 1 + below(16);
        return at + n > size ? size : replace(bytes, size, at, at + n, "", 0);
    default: /* a piece over another */
        n = 1 + below(32);
        end = below(size);
        if (at + n <= size && end + n <= size)
            memmove(bytes + end, bytes + at, n);
        return size;
    }
}

/* The sanitizers see reads past the end only if the block ends there. */
static void run(const uint8_t *bytes, size_t size)
{
    uint8_t *exact = malloc(size > 0 ? size : 1);
    if (exact == NULL)
        abort();
    memcpy(exact, bytes, size);
    (void)LLVMFuzzerTestOneInput(exact, size);
    free(exact);
}

static void replay(const uint8_t *seed, size_t size, uint8_t *room, long n_changed)
{
    run(seed, size);
    for (long i = 0; i < n_changed / 4; i++)
        run(seed, (size_t)((double)size * (double)i / (double)(n_changed / 4)));
    for (long i = 0; i < n_changed && size > 0; i++) {
        size_t now = size;
        memcpy(room, seed, size);
        state = (uint64_t)i + 1;
        for (size_t k = 0, n = 1 + below(4); k < n && now > 0 && now < size + ROOM - 256; k++)
            now = change(room, now);
        run(room, now);
    }
}

int main(int argc, char **argv)
{
    long n_prefixes = 0, n_changed = 100;
    uint8_t *seed = malloc(SIZE_MAX_OF_SEED + 1), *room = malloc(SIZE_MAX_OF_SEED + 1 + 2 * ROOM);
    size_t n_seeds = 0;
    for (int i = 1; i < argc && seed != NULL && room != NULL; i++) {
        if (strcmp(argv[i], "-p") == 0 && i + 1 < argc) {
            n_prefixes = strtol(argv[++i], NULL, 10);
        } else if (strcmp(argv[i], "-n") == 0 && i + 1 < argc) {
            n_changed = strtol(argv[++i], NULL, 10);
        } else {
            FILE *file = fopen(argv[i], "rb");
            if (file == NULL) {
                perror(argv[i]);
                return 1;
            }
            size_t size = fread(seed + 1, 1, SIZE_MAX_OF_SEED, file);
            fclose(file);
            for (long p = 0; p < n_prefixes; p++) {
                seed[0] = (uint8_t)p;
                replay(seed, size + 1, room, n_changed);
            }
            if (n_prefixes == 0)
                replay(seed + 1, size, room, n_changed);
            n_seeds++;
        }
    }
    free(seed);
    free(room);
    printf("%zu seeds, %ld changed copies of each\n", n_seeds, n_changed);
    return n_seeds == 0;
}
