/* Shares and distributions of people. See load.h. */
#include <string.h>

#include "load_private.h"

enum { YEARS = PK_UNITS(PK_UNIT_YEARS), BINS_MAX = 1000 };
static const unsigned SHARES = PK_UNITS(PK_UNIT_SHARE) | PK_UNITS(PK_UNIT_PROBABILITY);

static bool adds_up(const struct pk_reader *r, double sum)
{
    if (sum >= 1 - 1e-9 && sum <= 1 + 1e-9)
        return true;
    pk_reader_problem(r, NULL, "has shares that add up to %.12g, expected 1", sum);
    return false;
}

void pk_load_shares(struct pk_load *load, const struct pk_reader *r, const char *const *names, size_t n,
                    const char *what, struct pk_number *shares)
{
    if (!pk_reader_expect(r, PK_YAML_MAPPING, "a mapping of names to shares"))
        return;
    double sum = 0;
    bool literal = true;
    for (size_t i = 0; i < pk_reader_count(r); i++) {
        struct pk_reader item = pk_reader_item(r, i);
        size_t k;
        if (!pk_load_key(load, r, i, names, n, what, &k) || !pk_load_number(load, &item, SHARES, 0, 1, &shares[k]))
            return;
        literal &= shares[k].i_parameter == SIZE_MAX;
        sum += shares[k].literal;
    }
    if (literal)
        (void)adds_up(r, sum);
}

/* {edges: [...], shares: [...]} */
static void read_histogram(struct pk_load *load, const struct pk_reader *r, double most,
                           struct pk_distribution *distribution)
{
    static const char *const keys[] = {"edges", "shares", NULL};
    struct pk_reader edges, shares;
    if (!pk_reader_allow(r, keys) || !pk_reader_need(r, "edges", &edges) || !pk_reader_need(r, "shares", &shares) ||
        !pk_reader_expect(&edges, PK_YAML_SEQUENCE, "a list of ages or times in years") ||
        !pk_reader_expect(&shares, PK_YAML_SEQUENCE, "a list of shares"))
        return;
    size_t n_edges = pk_reader_count(&edges), n = pk_reader_count(&shares);
    if (n == 0 || n > BINS_MAX || n_edges != n + 1) {
        pk_reader_problem(r, NULL,
                          "has %zu edges for %zu shares, expected one edge more than shares, and 1 to %d shares",
                          n_edges, n, BINS_MAX);
        return;
    }
    double *at = pk_load_alloc(load, n_edges, sizeof *at), sum = 0;
    struct pk_number *of = pk_load_alloc(load, n, sizeof *of);
    bool literal = true;
    if (at == NULL || of == NULL)
        return;
    for (size_t i = 0; i < n_edges; i++) {
        struct pk_reader item = pk_reader_item(&edges, i);
        if (!pk_reader_double_in(&item, 0, most, &at[i]))
            return;
        if (i > 0 && at[i] <= at[i - 1]) {
            pk_reader_problem(&item, NULL, "is not above the edge before it");
            return;
        }
    }
    for (size_t i = 0; i < n; i++) {
        struct pk_reader item = pk_reader_item(&shares, i);
        if (!pk_load_number(load, &item, SHARES, 0, 1, &of[i]))
            return;
        literal &= of[i].i_parameter == SIZE_MAX;
        sum += of[i].literal;
    }
    if (literal && !adds_up(&shares, sum))
        return;
    distribution->n_bins = n;
    distribution->edges = at;
    distribution->shares = of;
}

void pk_load_distribution(struct pk_load *load, const struct pk_reader *r, double most,
                          struct pk_distribution *distribution)
{
    enum { N_KINDS = 6 };
    static const char all[] = "one of fixed, uniform, triangular, exponential, normal, histogram";
    static const char *const kinds[] = {"fixed", "uniform", "triangular", "exponential", "normal", "histogram"};
    static const size_t n_arguments[] = {1, 2, 3, 1, 4, 0};
    static const char *const needs[] = {"a number", "[low, high]", "[low, mode, high]", "a mean",
                                        "[mean, standard deviation, low, high]"};
    struct pk_reader child;
    size_t i_kind;
    if (!pk_reader_expect(r, PK_YAML_MAPPING, all))
        return;
    if (pk_reader_count(r) != 1) {
        pk_reader_problem(r, NULL, "has %zu entries, expected %s", pk_reader_count(r), all);
        return;
    }
    if (!pk_load_key(load, r, 0, kinds, N_KINDS,
                     "a distribution (fixed, uniform, triangular, exponential, normal, histogram)", &i_kind))
        return;
    memset(distribution, 0, sizeof *distribution);
    for (size_t i = 0; i < 4; i++)
        distribution->arguments[i].i_parameter = SIZE_MAX;
    distribution->kind = (enum pk_distribution_kind)i_kind;
    child = pk_reader_item(r, 0);
    if (distribution->kind == PK_DISTRIBUTION_HISTOGRAM) {
        read_histogram(load, &child, most, distribution);
        return;
    }
    if (n_arguments[i_kind] == 1) {
        (void)pk_load_number(load, &child, YEARS, 0, most, &distribution->arguments[0]);
        return;
    }
    if (!pk_reader_expect(&child, PK_YAML_SEQUENCE, needs[i_kind]))
        return;
    if (pk_reader_count(&child) != n_arguments[i_kind]) {
        pk_reader_problem(&child, NULL, "has %zu numbers, expected %s", pk_reader_count(&child), needs[i_kind]);
        return;
    }
    for (size_t i = 0; i < n_arguments[i_kind]; i++) {
        struct pk_reader item = pk_reader_item(&child, i);
        (void)pk_load_number(load, &item, YEARS, 0, most, &distribution->arguments[i]);
    }
}
