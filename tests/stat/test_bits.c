/* The same bits for any threads, any blocks and any processor. No oracle but equality; every comparison is exact. */
#include <criterion/criterion.h>
#include <gsl/gsl_errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support.h"

static void expect_same_bytes(const void *a, const void *b, size_t n, const char *what, const char *of)
{
    cr_expect(memcmp(a, b, n) == 0, "%s differ: %s", what, of);
}

static void expect_same(const struct pk_run *a, const struct pk_run *b, const char *of)
{
    const struct pk_fold *f = &a->fold, *g = &b->fold;
    const size_t n_populations = 1 + a->collection.plan->n_cohorts, n_arms = a->collection.plan->n_arms;
    cr_assert(f->n_units == g->n_units && f->n_folded == g->n_folded && f->n_events > 0);
    expect_same_bytes(f->outcomes, g->outcomes,
                      n_populations * f->n_units * n_arms * a->collection.scenario->n_outcomes * sizeof(double),
                      "outcomes", of);
    cr_assert_eq(f->denominators != NULL, g->denominators != NULL);
    if (f->denominators != NULL)
        expect_same_bytes(f->denominators, g->denominators,
                          n_populations * f->n_units * n_arms * a->collection.scenario->n_outcomes * sizeof(double),
                          "denominators", of);
    expect_same_bytes(f->persons, g->persons, n_populations * f->n_units * sizeof(double), "persons", of);
    expect_same_bytes(f->n_changed, g->n_changed, n_arms * sizeof *f->n_changed, "counts of changed people", of);
    cr_expect_eq(f->n_events, g->n_events);
    for (size_t t = 0; t < f->n_folded; t++) {
        const struct pk_folded *x = &f->folded[t], *y = &g->folded[t];
        const double *of_x[] = {x->y, x->yy, x->ny, x->d, x->dd, x->nd},
                     *of_y[] = {y->y, y->yy, y->ny, y->d, y->dd, y->nd};
        cr_assert_eq(x->n_cells, y->n_cells);
        cr_expect(x->n == y->n && x->nn == y->nn);
        for (size_t k = 0; k < 6; k++)
            expect_same_bytes(of_x[k], of_y[k], n_arms * x->n_cells * sizeof(double), "tables", of);
    }
}

static void for_all_threads_and_blocks(struct support_world *world)
{
    static const int threads[] = {1, 2, 7};
    static const uint64_t blocks[] = {64, 1000, 4096};
    struct pk_run first, run;
    for (size_t t = 0; t < 3; t++)
        for (size_t b = 0; b < 3; b++) {
            const struct pk_run_options options = {.n_threads = threads[t], .block_size = blocks[b]};
            char of[64];
            snprintf(of, sizeof of, "%d threads, blocks of %d", threads[t], (int)blocks[b]);
            support_run(world, &options, t + b == 0 ? &first : &run);
            cr_assert_gt(first.fold.n_folded, 0);
            if (t + b == 0)
                continue;
            expect_same(&first, &run, of);
            pk_run_free(&run);
        }
    pk_run_free(&first);
}

/* Every instruction set that this processor has, threads and blocks: of one person, of few and of as many as are made
 * at once. every: 1, or only each second, third, ... pair of threads and blocks. */
static void for_all_vectors(struct support_world *world, size_t every)
{
    static const int threads[] = {1, 2, 7};
    static const uint64_t blocks[] = {1, 7, 4096};
    struct pk_run first, run;
    support_run(world, &(struct pk_run_options){.n_threads = 1, .vectors = PK_VECTORS_NONE}, &first);
    cr_assert_gt(first.fold.n_folded, 0);
    for (enum pk_vectors v = PK_VECTORS_AUTO; v < PK_VECTORS_COUNT; v++)
        for (size_t k = 0; k < 9; k += every) {
            const struct pk_run_options options = {
                .n_threads = threads[k / 3], .block_size = blocks[k % 3], .vectors = v};
            char of[64];
            if (!pk_vectors_available(v))
                continue;
            snprintf(of, sizeof of, "vectors %s, %d threads, blocks of %d", pk_vectors_names[v], options.n_threads,
                     (int)options.block_size);
            support_run(world, &options, &run);
            expect_same(&first, &run, of);
            pk_run_free(&run);
        }
    pk_run_free(&first);
}

/* 700 enrolled: their lives are put together, everybody else's are not. */
Test(bits, results_are_the_same_for_any_vectors)
{
    const struct pk_set people = {"jobseekers", "3001"};
    struct support_world world;
    support_open_file(&world, "ips-vs-typ.yaml", &people, 1);
    world.scenario.replications = 2;
    world.scenario.batches = 3;
    for_all_vectors(&world, 1);
    support_close(&world);
}

/* People flow in, ages are told apart and shares are enrolled at entry: whole lives are needed. */
Test(bits, results_of_an_open_population_are_the_same_for_any_vectors)
{
    struct support_world world;
    support_open_file(&world, "../tests/data/good/open.yaml", NULL, 0);
    world.scenario.replications = 2;
    world.scenario.precision.i_outcome = SIZE_MAX;
    for_all_vectors(&world, 1);
    support_close(&world);
}

/* What lanes leave to the scalar reference is left to it whatever the vectors. */
Test(bits, results_with_everything_are_the_same_for_any_vectors)
{
    struct support_world world;
    gsl_set_error_handler_off();
    support_open_file(&world, "../tests/data/good/everything.yaml", NULL, 0);
    support_change(&world, 0, 150);
    for_all_vectors(&world, 4);
    support_close(&world);
}

/* Ages at first entries, from the log of a block and from whole lives. */
Test(bits, ages_at_entry_are_the_same_for_any_vectors_threads_and_blocks)
{
    struct support_world world;
    support_open_file(&world, "../tests/data/good/mean_age.yaml", NULL, 0);
    for_all_vectors(&world, 1);
    support_close(&world);
}

/* The enrolled alone: their blocks are of winners, far from each other. */
Test(bits, the_enrolled_alone_are_the_same_for_any_vectors)
{
    const struct pk_set people = {"jobseekers", "20011"};
    struct support_world world;
    struct pk_run first, run;
    support_open_file(&world, "ips-vs-typ.yaml", &people, 1);
    world.scenario.replications = 2;
    world.scenario.batches = 3;
    support_run(&world, &(struct pk_run_options){.n_threads = 1, .enrolled_only = true, .vectors = PK_VECTORS_NONE},
                &first);
    for (enum pk_vectors v = PK_VECTORS_PLAIN; v < PK_VECTORS_COUNT; v++) {
        const struct pk_run_options options = {.n_threads = 2, .enrolled_only = true, .block_size = 777, .vectors = v};
        if (!pk_vectors_available(v))
            continue;
        support_run(&world, &options, &run);
        expect_same(&first, &run, pk_vectors_names[v]);
        pk_run_free(&run);
    }
    pk_run_free(&first);
    support_close(&world);
}

/* One replication in 3 batches (ids modulo 3), 700 enrolled of 9,001. */
Test(bits, batches_are_the_same_for_any_threads_and_blocks)
{
    const struct pk_set people = {"jobseekers", "9001"};
    struct support_world world;
    support_open_file(&world, "ips-vs-typ.yaml", &people, 1);
    world.scenario.replications = 1;
    world.scenario.batches = 3;
    for_all_threads_and_blocks(&world);
    support_close(&world);
}

Test(bits, replications_are_the_same_for_any_threads_and_blocks)
{
    const struct pk_set people = {"jobseekers", "2503"};
    struct support_world world;
    support_open_file(&world, "ips-vs-typ.yaml", &people, 1);
    world.scenario.replications = 9;
    world.scenario.batches = 2;
    for_all_threads_and_blocks(&world);
    support_close(&world);
}

/* The enrolled are told alone or with everyone: their lives and outcomes are the same. */
Test(bits, the_enrolled_are_the_same_with_and_without_the_others)
{
    const struct pk_set people = {"jobseekers", "5003"};
    const struct pk_run_options alone = {.enrolled_only = true, .n_threads = 2, .block_size = 100},
                                all = {.n_threads = 2};
    struct support_world world;
    struct pk_run with, without;
    support_open_file(&world, "ips-vs-typ.yaml", &people, 1);
    world.scenario.replications = 5;
    world.scenario.batches = 20;
    support_run(&world, &all, &with);
    support_run(&world, &alone, &without);
    size_t n = with.fold.n_units * world.plan.n_arms * world.scenario.n_outcomes;
    cr_assert_eq(with.fold.n_units, without.fold.n_units);
    expect_same_bytes(with.fold.outcomes + n, without.fold.outcomes + n, n * sizeof(double), "outcomes",
                      "of the cohort");
    expect_same_bytes(with.fold.persons + with.fold.n_units, without.fold.persons + with.fold.n_units,
                      with.fold.n_units * sizeof(double), "persons", "of the cohort");
    expect_same_bytes(with.fold.n_changed, without.fold.n_changed, world.plan.n_arms * sizeof(int64_t), "changed",
                      "all");
    pk_run_free(&with);
    pk_run_free(&without);
    support_close(&world);
}

/* Everybody's difference between arms is the cohort's, to the last bit of the integers: nobody else is touched. */
Test(bits, everyones_difference_is_the_cohorts)
{
    const struct pk_set people = {"jobseekers", "5003"};
    struct support_world world;
    struct pk_run run;
    support_open_file(&world, "ips-vs-typ.yaml", &people, 1);
    world.scenario.replications = 4;
    support_run(&world, NULL, &run);
    size_t n_tables = world.scenario.n_tables;
    cr_assert_eq(run.fold.n_folded, 2 * n_tables);
    for (size_t t = 0; t < n_tables; t++) {
        const struct pk_folded *all = &run.fold.folded[t], *cohort = &run.fold.folded[n_tables + t];
        cr_assert(all->i_table == cohort->i_table && all->i_population == 0 && cohort->i_population == 1);
        expect_same_bytes(all->d, cohort->d, world.plan.n_arms * all->n_cells * sizeof(double), "differences",
                          "tables");
        expect_same_bytes(all->dd, cohort->dd, world.plan.n_arms * all->n_cells * sizeof(double), "squares", "tables");
    }
    cr_expect(run.fold.n_changed[1] > 0 && run.fold.n_changed[1] < run.fold.n_changed[2] &&
              run.fold.n_changed[2] < 4 * 700);
    pk_run_free(&run);
    support_close(&world);
}

/* ---- the program itself ------------------------------------------------------------------------------------------ */

/* The digest of the result that the program prints. */
static void digest(const char *environment, const char *options, char *line, size_t size)
{
    char command[1024], text[256], file[64];
    snprintf(file, sizeof file, "bits-%d.h5", (int)getpid());
    snprintf(command, sizeof command,
             "%s '%s' run '%s/configs/ips-vs-typ.yaml' --people 3001 -r 6 --no-variants -o %s %s", environment,
             POLKU_PROGRAM, POLKU_SOURCE_DIR, file, options);
    FILE *pipe = popen(command, "r");
    cr_assert_not_null(pipe);
    line[0] = '\0';
    while (fgets(text, sizeof text, pipe) != NULL)
        if (strncmp(text, "digest:", 7) == 0)
            snprintf(line, size, "%s", text);
    cr_assert_eq(pclose(pipe), 0, "%s", command);
    cr_assert(strlen(line) > 20, "no digest from %s", command);
    remove(file);
}

/* Names of glibc 2.36 (sysdeps/x86/include/cpu-features.h; the _Usable ones of older versions are gone). Masked, its
 * exp, log and pow take other paths and give other bits; ours must not. */
Test(bits, program_prints_the_same_digest_for_any_threads_blocks_and_processor)
{
    static const struct {
        const char *environment, *options;
    } runs[] = {{"", "-t 2"},
                {"", "-t 7"},
                {"", "-t 2 --vectors none"},
                {"", "-t 7 --vectors plain --block 7"},
                {"", "-t 1 --block 100"},
                {"", "-t 2 --block 5000"},
                {"GLIBC_TUNABLES=glibc.cpu.hwcaps=-AVX2,-FMA,-FMA4,-AVX512F,-AVX512VL,-AVX512DQ", "-t 2"}};
    char first[256], other[256];
    digest("", "-t 1", first, sizeof first);
    for (size_t i = 0; i < sizeof runs / sizeof *runs; i++) {
        digest(runs[i].environment, runs[i].options, other, sizeof other);
        cr_expect_str_eq(first, other, "%s %s", runs[i].environment, runs[i].options);
    }
    digest("", "-t 2 --set job_loss_scale=1.01", other, sizeof other);
    cr_expect_str_neq(first, other, "a changed parameter has another digest");
}
