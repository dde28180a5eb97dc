/* Sets of parameters that are uncertain together, as files give them: their margins, how they hang together, and what
 * does not matter to them. What wrong files are told: tests/cli/test_malformed.py. */
#include <criterion/criterion.h>
#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "polku/load.h"
#include "polku/uncertainty.h"

#define NEAR(computed, exact, tolerance, ...)                                                                          \
    do {                                                                                                               \
        const double computed_ = (computed), exact_ = (exact);                                                         \
        if (!(fabs(computed_ - exact_) <= (tolerance)))                                                                \
            cr_assert(false, __VA_ARGS__);                                                                             \
    } while (0)

enum { N = 20000, MOST = 8, SEED = 20210101 };

static struct pk_scenario scenario;
static struct pk_model model;

static void load(void)
{
    struct pk_problems problems;
    pk_problems_init(&problems);
    cr_assert_eq(
        pk_load_scenario(POLKU_SOURCE_DIR "/tests/data/good/uncertain.yaml", NULL, &scenario, &model, &problems),
        PK_OK);
    pk_problems_free(&problems);
}

static void unload(void)
{
    pk_scenario_free(&scenario);
    pk_model_free(&model);
}

TestSuite(uncertain_sets, .init = load, .fini = unload);

static const struct pk_uncertain_set *set_of(const struct pk_model *of, const char *name)
{
    const size_t i = pk_model_uncertain_set(of, name);
    cr_assert_neq(i, SIZE_MAX, "no set is called %s", name);
    return &of->uncertain_sets[i];
}

static const struct pk_parameter *parameter(const char *name)
{
    const size_t i = pk_model_parameter(&model, name);
    cr_assert_neq(i, SIZE_MAX);
    return &model.parameters[i];
}

/* The values of a set's parameters in one draw, into values[set->n]; the others of the model must stay as they are. */
static void draw_one(const struct pk_model *of, const struct pk_uncertain_set *set, uint64_t draw, bool second,
                     double *values)
{
    double all[64], u[MOST];
    cr_assert(of->n_parameters < 64 && set->n <= MOST);
    for (size_t i = 0; i < of->n_parameters; i++)
        all[i] = -12345;
    for (size_t c = 0; c < pk_uncertain_set_columns(set); c++)
        u[c] = pk_uncertain_uniform(SEED, set->name, c, draw, second);
    pk_uncertain_set_values(set, of, u, all);
    for (size_t k = 0; k < set->n; k++) {
        values[k] = all[set->i_parameters[k]];
        all[set->i_parameters[k]] = -12345;
    }
    for (size_t i = 0; i < of->n_parameters; i++)
        cr_assert(all[i] == -12345, "%s writes %s", set->name, of->parameters[i].name);
}

/* [N][set->n] */
static double *draw_many(const struct pk_uncertain_set *set)
{
    double *values = malloc(sizeof(double) * N * set->n);
    for (uint64_t i = 0; i < N; i++)
        draw_one(&model, set, i, false, &values[i * set->n]);
    return values;
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Kolmogorov and Smirnov's distance of N probabilities from uniform ones is below 2.2 / sqrt(N) but in 1 of 8,000
 * (Smirnov 1948); a shift of a distribution by 0.05 of its standard deviations is beyond it nearly always. */
static void expect_uniform(double *p, const char *what)
{
    double most = 0;
    qsort(p, N, sizeof *p, ascending);
    for (int i = 0; i < N; i++)
        most = fmax(most, fmax(p[i] - i / (double)N, (i + 1) / (double)N - p[i]));
    cr_assert(most < 2.2 / sqrt((double)N), "%s: distance %g", what, most * sqrt((double)N));
}

/* Means, and covariances of columns i and j. */
static double covariance(const double *values, size_t n, size_t i, size_t j, double mean_i, double mean_j)
{
    double sum = 0;
    for (size_t d = 0; d < N; d++)
        sum += (values[d * n + i] - mean_i) * (values[d * n + j] - mean_j);
    return sum / N;
}

Test(uncertain_sets, are_the_models_then_the_scenarios)
{
    static const char *const names[] = {"after_school", "market", "weibull_fit", "regions", "others", "rates"};
    static const size_t columns[] = {2, 3, 3, 1, 2, 2}, n[] = {3, 3, 3, 2, 2, 2};
    cr_assert_eq(model.n_uncertain_sets, 6);
    for (size_t i = 0; i < 6; i++) {
        const struct pk_uncertain_set *set = &model.uncertain_sets[i];
        cr_expect_str_eq(set->name, names[i]);
        cr_expect(pk_uncertain_set_columns(set) == columns[i] && set->n == n[i], "%s", names[i]);
        for (size_t k = 0; k < set->n; k++)
            cr_expect_eq(pk_uncertain_set_of(&model, set->i_parameters[k]), i);
    }
    cr_expect_eq(pk_uncertain_set_of(&model, pk_model_parameter(&model, "wage")), SIZE_MAX);
    cr_expect_eq(pk_model_uncertain_set(&model, "none"), SIZE_MAX);
    cr_expect(set_of(&model, "after_school")->has_source && !set_of(&model, "market")->has_source);
    cr_expect_str_eq(set_of(&model, "after_school")->source.caveat, "few people");
}

Test(uncertain_sets, a_models_distributions_are_what_it_says)
{
    static const char *const texts[][2] = {{"finding", "beta(12, 30)"},
                                           {"losing", "gamma(6, 15)"},
                                           {"ratio", "log_normal(1.4, 0.3)"},
                                           {"wage", "normal(2100, 150)"},
                                           {"fidelity", "normal(0.6, 0.2, 0.1, 0.9)"},
                                           {"window", "discrete(1: 0.25, 2: 0.5, life: 0.25)"},
                                           {"first_only", "discrete(0: 0.75, 1: 0.25)"},
                                           {"cost", "triangular(200, 400, 900)"},
                                           {"benefit", "uniform(600, 850)"},
                                           {"leaving", "pert(0.05, 0.08, 0.3)"},
                                           {"death", "gamma(25, 2500)"},
                                           {"interest", "pert(0, 0.03, 0.06)"}};
    char text[PK_UNCERTAINTY_TEXT_SIZE];
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        cr_assert_not_null(parameter(texts[i][0])->uncertainty, "%s", texts[i][0]);
        pk_uncertainty_text(parameter(texts[i][0])->uncertainty, text);
        cr_expect_str_eq(text, texts[i][1]);
    }
    const struct pk_uncertainty *spell = parameter("spell")->uncertainty, *relapse = parameter("relapse")->uncertainty;
    NEAR(pk_uncertainty_quantile(spell, 0.025), 1.1, 1e-12, "the 95 %% interval's low end");
    NEAR(pk_uncertainty_quantile(spell, 0.975), 4, 1e-11, "the 95 %% interval's high end");
    NEAR(pk_uncertainty_mean(relapse), 0.25, 1e-15, "a beta distribution by its mean");
    NEAR(sqrt(pk_uncertainty_variance(relapse)), 0.1, 1e-15, "... and standard deviation");
    cr_expect_null(parameter("young")->uncertainty, "a range is no distribution");
}

/* Dirichlet(12, 6.5, 2): margins are beta with the rest, and cov = -a b / (s^2 (s + 1)). */
Test(uncertain_sets, dirichlet_margins_are_beta_and_shares_add_up)
{
    static const double a[] = {12, 6.5, 2}, s = 20.5;
    const struct pk_uncertain_set *set = set_of(&model, "after_school");
    double *values = draw_many(set), *p = malloc(sizeof(double) * N);
    for (size_t d = 0; d < N; d++) {
        const double *v = &values[d * 3];
        cr_assert(fabs(v[0] + v[1] + v[2] - 1) <= 0x1p-52 && v[0] > 0 && v[1] > 0 && v[2] > 0, "draw %zu", d);
    }
    for (size_t k = 0; k < 3; k++) {
        for (size_t d = 0; d < N; d++)
            p[d] = gsl_cdf_beta_P(values[d * 3 + k], a[k], s - a[k]);
        expect_uniform(p, set->name);
        for (size_t j = 0; j < k; j++) {
            const double expected = -a[k] * a[j] / (s * s * (s + 1));
            /* standard error of a covariance of near normals: sqrt((c_kk c_jj + c_kj^2) / N), 5 of them */
            const double c_kk = a[k] * (s - a[k]) / (s * s * (s + 1)), c_jj = a[j] * (s - a[j]) / (s * s * (s + 1));
            NEAR(covariance(values, 3, k, j, a[k] / s, a[j] / s), expected,
                 5 * sqrt((c_kk * c_jj + expected * expected) / N), "covariance of %zu and %zu", k, j);
        }
    }
    free(p);
    free(values);
}

/* Normal scores of the values by their own margins (beta 12, 30; gamma 6, 15; PERT of 0.8, 1.3, 2) have the
 * correlations given: -0.5, 0.3, 0, each within 5 standard errors (1 - r^2) / sqrt(N) = 0.035; the transposed factor
 * would give others by more than 0.15. */
Test(uncertain_sets, correlations_are_those_of_normal_scores)
{
    static const double expected[3][3] = {{1, -0.5, 0.3}, {-0.5, 1, 0}, {0.3, 0, 1}};
    const struct pk_uncertain_set *set = set_of(&model, "market");
    double *values = draw_many(set), *p = malloc(sizeof(double) * N);
    for (size_t k = 0; k < 3; k++) {
        for (size_t d = 0; d < N; d++) {
            double *v = &values[d * 3 + k];
            p[d] = k == 0   ? gsl_cdf_beta_P(*v, 12, 30)
                   : k == 1 ? gsl_cdf_gamma_P(*v, 6, 1 / 15.0)
                            : gsl_cdf_beta_P((*v - 0.8) / 1.2, 1 + 4 * 0.5 / 1.2, 1 + 4 * 0.7 / 1.2);
            *v = gsl_cdf_ugaussian_Pinv(p[d]);
        }
        expect_uniform(p, set->name);
    }
    for (size_t i = 0; i < 3; i++)
        for (size_t j = 0; j < 3; j++)
            NEAR(covariance(values, 3, i, j, 0, 0), expected[i][j], 0.05, "correlation of %zu and %zu: %g", i, j,
                 covariance(values, 3, i, j, 0, 0));
    free(p);
    free(values);
    /* the first has the quantile of its own column, to the bit */
    double one[3];
    draw_one(&model, set, 77, false, one);
    cr_assert(one[0] == pk_uncertainty_quantile(parameter("finding")->uncertainty,
                                                pk_uncertain_uniform(SEED, "market", 0, 77, false)));
}

/* Estimates and covariances on their scales, within 5 standard errors; in a file as in the model. */
static void expect_coefficients(const char *name, const double *means, const double *covariances, size_t n,
                                const char *scales)
{
    const struct pk_uncertain_set *set = set_of(&model, name);
    double *values = draw_many(set);
    for (size_t d = 0; d < N; d++)
        for (size_t k = 0; k < n; k++) {
            double *v = &values[d * n + k];
            *v = scales[k] == 'l' ? log(*v) : scales[k] == 'p' ? log(*v / (1 - *v)) : *v;
        }
    for (size_t i = 0; i < n; i++) {
        double sum = 0;
        for (size_t d = 0; d < N; d++)
            sum += values[d * n + i];
        NEAR(sum / N, means[i], 5 * sqrt(covariances[i * n + i] / N), "%s: mean of %zu is %g", name, i, sum / N);
        for (size_t j = 0; j < n; j++) {
            const double c = covariances[i * n + j];
            NEAR(covariance(values, n, i, j, means[i], means[j]), c,
                 5 * sqrt((covariances[i * n + i] * covariances[j * n + j] + c * c) / N), "%s: covariance of %zu, %zu",
                 name, i, j);
        }
    }
    free(values);
}

Test(uncertain_sets, coefficients_have_their_means_and_covariances_on_their_scales)
{
    static const double means[] = {0.18, 1.1, -0.4}, all[] = {0.01, 0.004, 0, 0.004, 0.0225, -0.005, 0, -0.005, 0.09};
    static const double of_file[] = {0.05, 0}, all_of_file[] = {0.0004, 0.002, 0.002, 0.16};
    expect_coefficients("weibull_fit", means, all, 3, "llp");
    expect_coefficients("others", of_file, all_of_file, 2, "-p");
}

Test(uncertain_sets, draws_are_rows_and_each_is_as_likely)
{
    static const double rows[4][2] = {{0.9, 1.125}, {0.75, 1.25}, {1, 1.0625}, {0.8125, 1.1875}};
    const struct pk_uncertain_set *set = set_of(&model, "regions");
    const size_t north = pk_model_parameter(&model, "north"), south = pk_model_parameter(&model, "south");
    double values[64];
    cr_assert_eq(set->n_draws, 4);
    for (int i = 0; i < 4000; i++) {
        const double u = (i + 0.5) / 4000;
        pk_uncertain_set_values(set, &model, &u, values);
        cr_assert(values[north] == rows[i / 1000][0] && values[south] == rows[i / 1000][1], "u %g", u);
    }
    const double last = 1 - 0x1p-53;
    pk_uncertain_set_values(set, &model, &last, values);
    cr_assert(values[north] == rows[3][0]);
    for (uint64_t i = 0; i < 9; i++) {
        pk_uncertain_set_row(set, i, values);
        cr_assert(values[north] == rows[i % 4][0] && values[south] == rows[i % 4][1], "row %d", (int)i);
    }
}

/* The text with another one put in behind the first line that is `after`. */
static char *inserted(const char *text, const char *after, const char *more)
{
    const char *at = strstr(text, after) + strlen(after);
    char *made = malloc(strlen(text) + strlen(more) + 1);
    memcpy(made, text, (size_t)(at - text));
    strcpy(made + (at - text), more);
    strcat(made, at);
    return made;
}

Test(uncertain_sets, another_parameter_or_set_changes_no_draw)
{
    struct pk_scenario other_scenario;
    struct pk_model other;
    struct pk_problems problems;
    char *text = inserted(model.text, "\nparameters:\n",
                          "  more: {value: 0.5, unit: share, range: [0.1, 0.9], source: {assumption: made up}}\n"
                          "  most: {value: 0.5, unit: share, source: {assumption: made up}}\n"
                          "  least: {value: 0.5, unit: share, source: {assumption: made up}}\n");
    char *whole = inserted(text, "\nuncertainty:\n", "  before: {dirichlet: {least: 2, most: 3}}\n");
    pk_problems_init(&problems);
    cr_assert_eq(pk_load_texts("a", scenario.text, scenario.text_size, "b", whole, strlen(whole), &model.attachments,
                               &scenario.attachments, &other_scenario, &other, &problems),
                 PK_OK, "and texts give what files give");
    cr_assert(other.n_uncertain_sets == 7 && other.n_parameters == model.n_parameters + 3);
    cr_assert_str_eq(other.uncertain_sets[0].name, "before");
    for (size_t i = 0; i < model.n_uncertain_sets; i++)
        for (uint64_t d = 0; d < 50; d++)
            for (int second = 0; second < 2; second++) {
                double here[MOST], there[MOST];
                draw_one(&model, &model.uncertain_sets[i], d, second == 1, here);
                draw_one(&other, set_of(&other, model.uncertain_sets[i].name), d, second == 1, there);
                cr_assert(memcmp(here, there, model.uncertain_sets[i].n * sizeof *here) == 0, "set %zu, draw %d", i,
                          (int)d);
            }
    for (size_t i = 0; i < model.n_parameters; i++) {
        const struct pk_uncertainty *d = model.parameters[i].uncertainty;
        if (d == NULL)
            continue;
        const size_t k = pk_model_parameter(&other, model.parameters[i].name);
        const double u = pk_uncertain_uniform(SEED, model.parameters[i].name, 0, 3, false);
        cr_assert(pk_uncertainty_quantile(d, u) == pk_uncertainty_quantile(other.parameters[k].uncertainty, u));
    }
    pk_scenario_free(&other_scenario);
    pk_model_free(&other);
    free(text);
    free(whole);
}

/* A calibrated value takes its own range, or nothing, with it; that a set of the model's goes on drawing it is told. */
Test(uncertain_sets, a_calibrated_file_takes_distributions_away)
{
    static const char fit[] = "polku: 1\ncalibrated: fit\ndigest: 0123456789abcdef\nparameters:\n"
                              "  losing: {value: 0.5, range: [0.3, 0.7], source: {calibrated: made up}}\n"
                              "  wage: {value: 1900, source: {calibrated: made up}}\n"
                              "  shape: {value: 1.3, source: {calibrated: made up}}\n";
    struct pk_attachments files = scenario.attachments;
    struct pk_scenario other_scenario;
    struct pk_model other;
    struct pk_problems problems;
    char text[PK_UNCERTAINTY_TEXT_SIZE];
    files.items[files.n++] = (struct pk_attachment){.name = "fit.yaml", .text = fit, .size = sizeof fit - 1};
    char *whole = inserted(scenario.text, "model: uncertain_model.yaml\n", "calibrated: fit.yaml\n");
    pk_problems_init(&problems);
    cr_assert_eq(pk_load_texts("a", whole, strlen(whole), "b", model.text, model.text_size, &model.attachments, &files,
                               &other_scenario, &other, &problems),
                 PK_OK);
    cr_assert_eq(problems.n_kept, 1);
    cr_expect_not_null(strstr(problems.items[0].message, "weibull_fit"), "%s", problems.items[0].message);
    struct pk_uncertainty room;
    const struct pk_uncertainty *losing =
        pk_uncertainty_of(&other.parameters[pk_model_parameter(&other, "losing")], &room);
    cr_assert_not_null(losing);
    pk_uncertainty_text(losing, text);
    cr_expect_str_eq(text, "pert(0.3, 0.5, 0.7)");
    cr_expect_null(other.parameters[pk_model_parameter(&other, "wage")].uncertainty);
    double values[MOST];
    for (uint64_t d = 0; d < 100; d++) {
        draw_one(&other, set_of(&other, "market"), d, false, values);
        cr_assert(values[1] > 0.3 && values[1] < 0.7, "a margin of a correlated set is the parameter's own");
    }
    pk_scenario_free(&other_scenario);
    pk_model_free(&other);
    free(whole);
    pk_problems_free(&problems);
}

Test(uncertain_sets, every_allocation_that_fails_is_told)
{
    long n_asked = 0;
    enum pk_status status = PK_NO_MEMORY;
    unload();
    for (long n = 0; status == PK_NO_MEMORY && n < 100000; n++) {
        struct pk_problems problems;
        pk_problems_init(&problems);
        pk_memory_fail_after(n);
        status =
            pk_load_scenario(POLKU_SOURCE_DIR "/tests/data/good/uncertain.yaml", NULL, &scenario, &model, &problems);
        pk_memory_fail_after(-1);
        cr_assert(status == PK_OK || status == PK_NO_MEMORY, "allocation %ld", n);
        n_asked = n;
        pk_problems_free(&problems);
    }
    cr_assert(status == PK_OK && n_asked > 50, "%ld", n_asked);
}

/* What was drawn once is drawn for ever, on every host: a change here changes published numbers. */
Test(uncertain_sets, bits_stay)
{
    static const double bits[][3] = {
        {0x1.1ca940c16f37cp-1, 0x1.9a05f836389cap-2, 0x1.653c3237479fp-5},
        {0x1.85818e088d2e9p-2, 0x1.2de2c3720f8dcp-2, 0x1.b4b303e937c0fp+0},
        {0x1.3885e1d75c9bfp+0, 0x1.bc1def2d46f31p+1, 0x1.8e247ba099eb5p-2},
        {0x1.ap-1, 0x1.3p+0, 0x0p+0},
        {0x1.e268fe301fd5fp-5, 0x1.8b6e781e61875p-2, 0x0p+0},
        {0x1.268ac83fe9b7ep-6, 0x1.ca19aff568a32p-8, 0x0p+0},
    };
    cr_assert_eq(sizeof bits / sizeof *bits, model.n_uncertain_sets);
    for (size_t i = 0; i < model.n_uncertain_sets; i++) {
        double values[MOST] = {0};
        draw_one(&model, &model.uncertain_sets[i], 123456, true, values);
        for (size_t k = 0; k < 3; k++)
            cr_assert(values[k] == bits[i][k], "%s: {%a, %a, %a}", model.uncertain_sets[i].name, values[0], values[1],
                      values[2]);
    }
}
