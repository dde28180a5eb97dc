/* Samples: which points a shard has, what values draws are, putting samples together, and reading those that are not
 * what they say. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "polku/analysis.h"
#include "polku/file.h"
#include "polku/memory.h"
#include "polku/sweeping.h"
#include "study.h"

#define DATA POLKU_SOURCE_DIR "/tests/data/"

static struct loaded loaded;
static struct pk_error error;

static void make(struct pk_sample *sample, int64_t replications, uint64_t identity, size_t first, size_t n)
{
    const bool ours = loaded.study.scenario_file != NULL;
    cr_assert_eq(pk_sample_make(sample, &loaded.study, ours ? &loaded.scenario : NULL, ours ? &loaded.model : NULL,
                                replications, identity, first, n, &error),
                 PK_OK, "%s", error.message);
}

/* Figures that tell point and figure apart. */
static void fill(struct pk_sample *sample)
{
    for (size_t i = 0; i < sample->n; i++)
        for (size_t k = 0; k < sample->n_figures; k++) {
            sample->y[i * sample->n_figures + k] = 1000 * (double)(sample->first + i) + (double)k + 0.25;
            sample->errors[i * sample->n_figures + k] = 0.001 * (double)(sample->first + i) + (double)k;
        }
}

static void check_filled(const struct pk_sample *sample, const bool *known)
{
    for (size_t i = 0; i < sample->n; i++)
        for (size_t k = 0; k < sample->n_figures; k++) {
            const size_t at = i * sample->n_figures + k;
            cr_assert_eq(sample->y[at], known[i] ? 1000 * (double)(sample->first + i) + (double)k + 0.25 : 0);
            cr_assert_eq(sample->errors[at], known[i] ? 0.001 * (double)(sample->first + i) + (double)k : 0);
        }
}

/* ---- shards ------------------------------------------------------------------------------------------------- */

Test(sample, shards_cover_all_points_once)
{
    for (size_t n_points = 0; n_points < 150; n_points++)
        for (size_t n_shards = 1; n_shards <= n_points + 5; n_shards++) {
            size_t next = 0, first, n;
            for (size_t s = 0; s < n_shards; s++) {
                pk_sweeping_range(n_points, s, n_shards, &first, &n);
                cr_assert_eq(first, next, "shard %zu of %zu of %zu points", s, n_shards, n_points);
                cr_assert(n == n_points / n_shards || n == n_points / n_shards + 1);
                next += n;
            }
            cr_assert_eq(next, n_points);
        }
    size_t first, n;
    pk_sweeping_range(37, 3, 0, &first, &n);
    cr_assert(first == 0 && n == 37, "no shards: all of them");
}

/* ---- values ------------------------------------------------------------------------------------------------- */

Test(sample, draws_are_quantiles_of_uniforms_keyed_by_name)
{
    struct pk_sample sample;
    size_t counts[3] = {0};
    cr_assert_eq(load(DATA "sweeps/doubt_draws.yaml", &loaded), PK_OK);
    loaded.study.sweep->n_draws = 2000;
    make(&sample, 3, 7, 0, SIZE_MAX);
    cr_assert(sample.n == 2000 && sample.n_all == 2000 && sample.n_factors == 2 && sample.n_quantities == 2);
    for (size_t i = 0; i < sample.n; i++) {
        const double u = pk_uncertain_uniform(3, "told", 0, i, false), x = sample.x[2 * i + 1];
        const double v = pk_uncertain_uniform(3, "fall", 0, i, false);
        cr_assert_eq(x, u < 0.5 ? 0 : u < 0.7 ? 1 : 2, "%g is option %g", u, x); /* shares 0.5, 0.2, 0.3 */
        counts[(size_t)x]++;
        cr_assert_eq(sample.x[2 * i], pk_uncertainty_quantile(loaded.study.sweep->factors[0].uncertain, v));
        cr_assert_eq(pk_sample_world(&sample, i), (int64_t)(3 * i), "each draw in worlds of its own");
    }
    /* binomial: 4 standard deviations of 2,000 are 0.045 at most */
    cr_assert(fabs((double)counts[0] / 2000 - 0.5) < 0.045 && fabs((double)counts[1] / 2000 - 0.2) < 0.045);
    pk_sample_free(&sample);
    unload(&loaded);
}

Test(sample, a_part_has_the_points_of_the_whole)
{
    struct pk_sample whole, part;
    cr_assert_eq(load(DATA "sweeps/chain_draws.yaml", &loaded), PK_OK);
    make(&whole, 1, 99, 0, SIZE_MAX);
    for (size_t first = 0; first < 70; first += 13) {
        make(&part, 1, 99, first, 13);
        cr_assert_eq(part.n, first + 13 <= 60 ? 13 : first < 60 ? 60 - first : 0);
        for (size_t i = 0; i < part.n; i++) {
            cr_assert_eq(part.keys[i], whole.keys[first + i]);
            cr_assert_eq(memcmp(part.x + i * part.n_quantities, whole.x + (first + i) * whole.n_quantities,
                                part.n_quantities * sizeof *part.x),
                         0);
            cr_assert_eq(pk_sample_world(&part, i), pk_sample_world(&whole, first + i));
        }
        pk_sample_free(&part);
    }
    for (size_t i = 0; i < whole.n; i++)
        for (size_t k = 0; k < i; k++)
            cr_assert_neq(whole.keys[i], whole.keys[k], "points have keys of their own");
    make(&part, 2, 99, 0, SIZE_MAX);
    cr_assert_neq(part.keys[0], whole.keys[0], "of other replications another");
    pk_sample_free(&part);
    make(&part, 1, 98, 0, SIZE_MAX);
    cr_assert_neq(part.keys[0], whole.keys[0], "of another study another");
    pk_sample_free(&part);
    pk_sample_free(&whole);
    unload(&loaded);
}

/* ---- put together ------------------------------------------------------------------------------------------- */

Test(sample, parts_join_in_any_order)
{
    struct pk_sample whole, part;
    bool known[60] = {false};
    cr_assert_eq(load(DATA "sweeps/chain_draws.yaml", &loaded), PK_OK);
    make(&whole, 1, 99, 0, SIZE_MAX);
    static const size_t firsts[] = {40, 0, 20, 35};
    for (size_t p = 0; p < 4; p++) {
        make(&part, 1, 99, firsts[p], 20);
        fill(&part);
        cr_assert_eq(pk_sample_join(&whole, known, &part, &error), PK_OK);
        pk_sample_free(&part);
        check_filled(&whole, known);
        cr_assert(known[firsts[p]] && known[firsts[p] + 19]);
    }
    for (size_t i = 0; i < 60; i++)
        cr_assert(known[i]);
    pk_sample_free(&whole);
    unload(&loaded);
}

static void refuse(struct pk_sample *whole, const struct pk_sample *part, const char *why)
{
    bool known[60] = {false};
    cr_assert_eq(pk_sample_join(whole, known, part, &error), PK_BAD_INPUT);
    cr_assert(strstr(error.message, why) != NULL, "%s: %s", why, error.message);
    for (size_t i = 0; i < whole->n; i++)
        cr_assert(!known[i]);
    check_filled(whole, known);
}

Test(sample, what_does_not_belong_together_is_refused)
{
    struct pk_sample whole, part;
    cr_assert_eq(load(DATA "sweeps/chain_draws.yaml", &loaded), PK_OK);
    make(&whole, 1, 99, 0, SIZE_MAX);
    make(&part, 1, 98, 0, 20);
    fill(&part);
    refuse(&whole, &part, "another study");
    pk_sample_free(&part);
    make(&part, 4, 99, 0, 20);
    refuse(&whole, &part, "has 4 replications a point, expected 1");
    pk_sample_free(&part);
    make(&part, 1, 99, 0, 20);
    part.n_all = 61;
    refuse(&whole, &part, "is of a design of 61 points, expected 60");
    part.n_all = 60;
    part.n_figures = 1;
    refuse(&whole, &part, "another study");
    part.n_figures = whole.n_figures;
    part.keys[0] ^= 1;
    refuse(&whole, &part, "point 0 is another one");
    pk_sample_free(&part);
    pk_sample_free(&whole);
    unload(&loaded);
}

Test(sample, earlier_points_are_taken_by_key)
{
    struct pk_sample sample, earlier;
    bool known[60] = {false};
    cr_assert_eq(load(DATA "sweeps/chain_draws.yaml", &loaded), PK_OK);
    make(&sample, 1, 99, 0, SIZE_MAX);
    make(&earlier, 1, 99, 25, 10);
    fill(&earlier);
    for (size_t i = 0; i < 5; i++) { /* turned round: the keys say which is which */
        const uint64_t key = earlier.keys[i];
        earlier.keys[i] = earlier.keys[9 - i];
        earlier.keys[9 - i] = key;
        for (size_t k = 0; k < earlier.n_figures; k++) {
            double *y = earlier.y, *e = earlier.errors, swap;
            const size_t a = i * earlier.n_figures + k, b = (9 - i) * earlier.n_figures + k;
            swap = y[a], y[a] = y[b], y[b] = swap;
            swap = e[a], e[a] = e[b], e[b] = swap;
        }
    }
    known[30] = true; /* is known already, and stays as it is */
    sample.y[30 * sample.n_figures] = -5;
    earlier.keys[9] ^= 1; /* point 25: another */
    cr_assert_eq(pk_sample_take(&sample, known, &earlier), 8);
    cr_assert_eq(sample.y[30 * sample.n_figures], -5);
    sample.y[30 * sample.n_figures] = 0;
    known[30] = false;
    check_filled(&sample, known);
    for (size_t i = 0; i < 60; i++)
        cr_assert_eq(known[i], i > 25 && i < 35 && i != 30, "point %zu", i);
    cr_assert_eq(pk_sample_take(&sample, known, &earlier), 1, "only those that are left");
    known[26] = false;
    earlier.identity = 98;
    cr_assert_eq(pk_sample_take(&sample, known, &earlier), 0, "nothing of another study");
    earlier.identity = 99;
    earlier.n = 0;
    cr_assert_eq(pk_sample_take(&sample, known, &earlier), 0);
    pk_sample_free(&earlier);
    pk_sample_free(&sample);
    unload(&loaded);
}

/* ---- files -------------------------------------------------------------------------------------------------- */

static char path[64];

static enum pk_status round_trip(const struct pk_sample *sample, struct pk_sample *back)
{
    snprintf(path, sizeof path, "/tmp/polku-sample-%ld.h5", (long)getpid());
    cr_assert_eq(pk_sample_save(sample, path, &error), PK_OK, "%s", error.message);
    const enum pk_status status = pk_sample_read(back, path, &error);
    (void)unlink(path);
    return status;
}

static void check_round_trip(const char *study)
{
    struct pk_sample sample, back;
    cr_assert_eq(load(study, &loaded), PK_OK);
    make(&sample, 2, 0xfedcba9876543210, 3, 17);
    fill(&sample);
    sample.y[0] = sample.errors[0] = (double)NAN;
    if (sample.n_figures > 1)
        sample.y[1] = -(double)NAN;
    cr_assert_eq(round_trip(&sample, &back), PK_OK, "%s", error.message);
    cr_assert(pk_sample_sum(&back) == pk_sample_sum(&sample) && back.identity == sample.identity);
    cr_assert(back.n == sample.n && back.first == 3 && back.n_all == sample.n_all && back.method == sample.method);
    cr_assert_eq(memcmp(back.marks, sample.marks, sample.n * sizeof *sample.marks), 0);
    cr_assert_eq(memcmp(back.x, sample.x, sample.n * sample.n_quantities * sizeof *sample.x), 0);
    cr_assert(isnan(back.y[0]) && back.y[sample.n_figures] == sample.y[sample.n_figures]);
    for (size_t f = 0; f < sample.n_factors; f++) {
        const struct pk_sample_factor *one = &sample.factors[f], *other = &back.factors[f];
        cr_assert_str_eq(one->name, other->name);
        cr_assert_str_eq(one->told, other->told);
        cr_assert(one->kind == other->kind && one->n_levels == other->n_levels && one->i_group == other->i_group &&
                  one->base == other->base && one->first_quantity == other->first_quantity);
        for (size_t k = 0; k < one->n_levels; k++)
            cr_assert(strcmp(one->level_names[k], other->level_names[k]) == 0 && one->levels[k] == other->levels[k]);
    }
    for (size_t i = 0; i < sample.n; i++)
        cr_assert_eq(pk_sample_world(&back, i), pk_sample_world(&sample, i));
    pk_sample_free(&back);
    pk_sample_free(&sample);
    unload(&loaded);
}

Test(sample, is_read_back_as_it_was)
{
    static const char *const studies[] = {DATA "sweeps/chain_ways.yaml", DATA "sweeps/chain_draws.yaml",
                                          DATA "sweeps/doubt_grid.yaml", DATA "sweeps/doubt_draws.yaml",
                                          DATA "sweeps/outside.yaml",    DATA "good/sweep.yaml",
                                          DATA "good/sweep_grid.yaml",   DATA "good/sweep_screen.yaml"};
    for (size_t s = 0; s < sizeof studies / sizeof *studies; s++)
        check_round_trip(studies[s]);
}

/* Every part of a sample is in its digest: one change at a time, each undone. */
Test(sample, digest_covers_everything)
{
    struct pk_sample sample;
    cr_assert_eq(load(DATA "sweeps/chain_draws.yaml", &loaded), PK_OK);
    make(&sample, 1, 99, 0, SIZE_MAX);
    fill(&sample);
    const uint64_t sum = pk_sample_sum(&sample);
#define CHANGED(place, by)                                                                                             \
    do {                                                                                                               \
        __typeof__(place) before = (place);                                                                            \
        (place) = (by);                                                                                                \
        cr_assert_neq(pk_sample_sum(&sample), sum, #place);                                                            \
        (place) = before;                                                                                              \
        cr_assert_eq(pk_sample_sum(&sample), sum);                                                                     \
    } while (0)
    struct pk_sample_decision *d = &sample.decision;
    CHANGED(sample.y[17], 0.5);
    CHANGED(sample.y[17], (double)NAN);
    CHANGED(sample.errors[17], 0.5);
    CHANGED(sample.errors[17], (double)NAN);
    CHANGED(sample.x[30], 0.5);
    CHANGED(sample.keys[59], 5);
    CHANGED(sample.marks[3].row, 4);
    CHANGED(sample.marks[3].part, PK_DESIGN_A);
    CHANGED(sample.marks[3].level, 4);
    CHANGED(sample.marks[59].direction, 1);
    CHANGED(sample.identity, 98);
    CHANGED(sample.seed, 98);
    CHANGED(sample.method, PK_METHOD_SOBOL);
    CHANGED(sample.replications, 2);
    CHANGED(sample.independent, false);
    CHANGED(sample.n_named, 1);
    CHANGED(sample.first, 1);
    CHANGED(sample.title, "another");
    CHANGED(sample.marks_of_studies, "a mark\n");
    CHANGED(sample.documents_warn, "");
    CHANGED(sample.factors[2].name, "other");
    CHANGED(sample.factors[2].base, 0.125);
    CHANGED(sample.factors[2].source_kind, "other");
    CHANGED(sample.factors[2].i_group, 1);
    CHANGED(sample.groups[0], "other");
    CHANGED(sample.quantities[1], "other");
    CHANGED(sample.figures[1].name, "other");
    CHANGED(sample.figures[1].label, "other");
    CHANGED(d->effect_label, "other");
    CHANGED(d->persons_per_year, 1);
    CHANGED(d->discount, 1);
    CHANGED(((size_t *)d->effects)[1], 0);
    CHANGED(((double *)d->thresholds)[3], 9000);
    CHANGED(((bool *)d->asks)[0], !d->asks[0]);
    CHANGED(((const char **)d->questions)[0], "other");
#undef CHANGED
    pk_sample_free(&sample);
    unload(&loaded);
}

/* A file whose digest is right and which means nothing: made up on purpose, as damage hardly could. */
static void refuse_made_up(const struct pk_sample *sample, const char *what)
{
    struct pk_sample back;
    cr_assert_eq(round_trip(sample, &back), PK_BAD_INPUT, "%s", what);
    cr_assert(error.message[0] != '\0' && error.file[0] != '\0', "%s", what);
    pk_sample_free(&back);
}

Test(sample, made_up_ones_are_refused)
{
    struct pk_sample sample;
#define MADE_UP(place, by)                                                                                             \
    do {                                                                                                               \
        __typeof__(place) before = (place);                                                                            \
        (place) = (by);                                                                                                \
        refuse_made_up(&sample, #place " = " #by);                                                                     \
        (place) = before;                                                                                              \
    } while (0)
    cr_assert_eq(load(DATA "sweeps/chain_ways.yaml", &loaded), PK_OK); /* the last factor is a choice of three */
    make(&sample, 1, 99, 0, SIZE_MAX);
    MADE_UP(sample.marks[3].level, 3);
    MADE_UP(sample.marks[3].level, PK_DESIGN_NONE);
    MADE_UP(sample.marks[3].factor, 6);
    MADE_UP(sample.marks[3].factor, PK_DESIGN_NONE);
    MADE_UP(sample.marks[3].other, 6);
    MADE_UP(sample.marks[3].part, (enum pk_design_part)9);
    MADE_UP(sample.x[sample.n * sample.n_quantities - 1], 3);
    MADE_UP(sample.x[sample.n * sample.n_quantities - 1], -1);
    MADE_UP(sample.x[sample.n * sample.n_quantities - 1], (double)NAN);
    MADE_UP(sample.factors[0].n_levels, 0);
    MADE_UP(sample.factors[0].kind, (enum pk_factor_kind)3);
    MADE_UP(sample.factors[0].n_quantities, 2);
    MADE_UP(sample.factors[1].first_quantity, 0);
    MADE_UP(sample.factors[0].i_group, 6);
    MADE_UP(sample.n_all, 16);
    MADE_UP(sample.first, 1);
    MADE_UP(sample.n_named, 9);
    pk_sample_free(&sample);
    unload(&loaded);
    cr_assert_eq(load(DATA "good/sweep_grid.yaml", &loaded), PK_OK);
    make(&sample, 1, 99, 0, SIZE_MAX);
    MADE_UP(sample.marks[3].other_level, 3);
    MADE_UP(sample.marks[3].other, PK_DESIGN_NONE);
    pk_sample_free(&sample);
    unload(&loaded);
    cr_assert_eq(load(DATA "good/sweep_screen.yaml", &loaded), PK_OK);
    make(&sample, 1, 99, 0, SIZE_MAX);
    MADE_UP(sample.marks[3].factor, 3);
    pk_sample_free(&sample);
    unload(&loaded);
    cr_assert_eq(load(DATA "sweeps/doubt_draws.yaml", &loaded), PK_OK);
    make(&sample, 1, 99, 0, SIZE_MAX);
    MADE_UP(((size_t *)sample.decision.effects)[0], sample.n_figures);
    MADE_UP(((size_t *)sample.decision.costs)[1], SIZE_MAX);
    MADE_UP(sample.decision.n_thresholds, 0);
    MADE_UP(sample.decision.n_options, 1);
    pk_sample_free(&sample);
    unload(&loaded);
#undef MADE_UP
}

/* ---- analyses of samples made by hand ----------------------------------------------------------------------- */

static double value_of(const struct pk_analysis *analysis, const char *name, const char *row, size_t column)
{
    const struct pk_sheet *sheet = pk_sheets_find(&analysis->sheets, name);
    cr_assert_not_null(sheet, "%s", name);
    for (size_t i = 0; i < sheet->n_rows; i++)
        if (strcmp(sheet->rows[i], row) == 0)
            return pk_sheet_value(sheet, i, column);
    cr_assert(false, "%s has no row %s", name, row);
    return 0;
}

/* y = 3 a + 2 b + c and simulation's error e, one for each row as rows are simulated in one world, of as large a
 * variance as the parameters': shares are 9/14, 4/14 and 1/14 and pairs none, whatever e is. 1,024 rows: measured
 * within 0.05; power: noise that is not taken out halves shares, taken out of what has none it doubles them, and in
 * products of two points of a row it adds up to 1. */
static void noise_of_rows(bool second_order)
{
    struct pk_sample sample;
    struct pk_analysis analysis;
    const struct pk_analysis_request request = {.n_resamples = 10, .threshold = (double)NAN};
    const double pi = 3.141592653589793, sd = sqrt(14 * pi * pi / 3);
    cr_assert_eq(load(DATA "sweeps/outside.yaml", &loaded), PK_OK);
    loaded.study.sweep->independent = true;
    loaded.study.sweep->second_order = second_order;
    make(&sample, 1, 99, 0, SIZE_MAX);
    for (size_t i = 0; i < sample.n; i++) {
        const double *x = sample.x + 3 * i;
        const double u = pk_uncertain_uniform(5, "noise", 0, sample.marks[i].row, false);
        sample.y[2 * i] = 3 * x[0] + 2 * x[1] + x[2] + sd * sqrt(12) * (u - 0.5);
        sample.errors[2 * i] = sd;
        sample.y[2 * i + 1] = 3 * x[0] + 2 * x[1] + x[2];
    }
    cr_assert_eq(pk_analyse(&analysis, &sample, &request, &error), PK_OK, "%s", error.message);
    for (size_t column = 0; column < 6; column += 3)
        for (int k = 0; k < 2; k++) { /* the second has no noise */
            static const char *const names[] = {"sobol/ishigami", "sobol/additive"};
            static const char *const rows[] = {"a", "b", "c"};
            static const double shares[] = {9 / 14.0, 4 / 14.0, 1 / 14.0};
            for (int r = 0; r < 3; r++)
                cr_assert_float_eq(value_of(&analysis, names[k], rows[r], column), shares[r], k == 0 ? 0.07 : 0.02,
                                   "%s, %s, column %zu: %g", names[k], rows[r], column,
                                   value_of(&analysis, names[k], rows[r], column));
        }
    if (second_order)
        cr_assert_float_eq(value_of(&analysis, "sobol_pairs/ishigami", "a x b", 0), 0, 0.07);
    pk_analysis_free(&analysis);
    for (size_t i = 0; i < sample.n; i++) /* errors that are not known are no reason to tell nothing */
        sample.errors[2 * i + 1] = (double)NAN;
    cr_assert_eq(pk_analyse(&analysis, &sample, &request, &error), PK_OK, "%s", error.message);
    cr_assert_float_eq(value_of(&analysis, "sobol/additive", "a", 0), 9 / 14.0, 0.02);
    pk_analysis_free(&analysis);
    pk_sample_free(&sample);
    unload(&loaded);
}

Test(sample, the_noise_of_a_row_is_not_the_parameters)
{
    noise_of_rows(true);
}

Test(sample, the_noise_of_a_row_is_not_the_parameters_without_pairs)
{
    noise_of_rows(false);
}

/* A figure that is no number anywhere, beside one that is. */
Test(sample, a_figure_without_numbers_has_no_mean)
{
    struct pk_sample sample;
    struct pk_analysis analysis;
    const struct pk_analysis_request request = {.n_resamples = 10, .threshold = (double)NAN};
    cr_assert_eq(load(DATA "good/sweep_outside.yaml", &loaded), PK_OK);
    make(&sample, 1, 99, 0, SIZE_MAX);
    fill(&sample);
    for (size_t i = 0; i < sample.n; i++)
        sample.y[2 * i] = (double)NAN;
    cr_assert_eq(pk_analyse(&analysis, &sample, &request, &error), PK_OK, "%s", error.message);
    for (size_t column = 0; column < 8; column++)
        cr_assert(isnan(value_of(&analysis, "summary", "first", column)), "column %zu", column);
    cr_assert_eq(value_of(&analysis, "summary", "first", 8), 0);
    cr_assert_eq(value_of(&analysis, "summary", "second", 8), 30);
    cr_assert_not_null(strstr(pk_text_string(&analysis.marks), "first is no number at 30 points more"));
    cr_assert_null(strstr(pk_text_string(&analysis.marks), "have no meaning"), "no point is without any figure");
    pk_analysis_free(&analysis);
    for (size_t i = 0; i < sample.n; i++)
        sample.y[2 * i + 1] = (double)NAN;
    cr_assert_eq(pk_analyse(&analysis, &sample, &request, &error), PK_BAD_INPUT);
    cr_assert_str_eq(error.message, "no point has figures");
    pk_sample_free(&sample);
    unload(&loaded);
}
