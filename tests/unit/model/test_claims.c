/* Claims files: what is read, from a file and from a text, and that any allocation may fail. */
#include <criterion/criterion.h>
#include <string.h>

#include "polku/claims.h"
#include "polku/file.h"

#define CLAIMS POLKU_SOURCE_DIR "/tests/data/good/claims.yaml"
#define STATIC POLKU_SOURCE_DIR "/tests/data/good/claims_static.yaml"

static struct pk_claims claims;

static enum pk_status load(const char *path)
{
    struct pk_problems problems;
    pk_problems_init(&problems);
    const enum pk_status status = pk_load_claims(path, NULL, &claims, &problems);
    pk_problems_free(&problems);
    return status;
}

Test(claims, what_the_file_says)
{
    cr_assert_eq(load(CLAIMS), PK_OK);
    cr_expect_str_eq(claims.name, "good_claims");
    cr_assert(claims.n_claims == 3 && claims.n_scenarios == 2, "each scenario once");
    cr_expect_str_eq(claims.scenarios[0].file, "claims_static.yaml");
    cr_expect_str_eq(claims.scenarios[0].path, STATIC);
    cr_expect_str_eq(claims.scenarios[1].name, "claims_dynamic");
    const struct pk_claim *teams = &claims.claims[0], *thousand = &claims.claims[1], *all = &claims.claims[2];
    cr_expect(teams->printed == 500 && teams->gives == 525 && teams->reconstruction.times == 1);
    cr_expect_str_eq(teams->says.in[1], "500 av 3 500");
    cr_expect_eq(teams->source.kind, PK_SOURCE_DOCUMENT);
    cr_expect_str_eq(teams->source.caveat, "the source warns of itself");
    cr_expect_str_eq(teams->gap, "rounded down");
    cr_expect(teams->n_dynamic == 1 && teams->dynamic[0].i_scenario == 1 && teams->no_dynamic == NULL);
    cr_expect_str_eq(teams->dynamic[0].label.in[0], "");
    cr_expect_null(teams->reconstruction.against);
    cr_expect_str_eq(thousand->says.in[0], "0.525 thousand more", "what is missing is English");
    cr_expect(thousand->n_dynamic == 2 && thousand->dynamic[1].times == -0.001 && thousand->gap == NULL);
    cr_expect_str_eq(thousand->dynamic[0].label.in[0], "vuoden päästä");
    cr_expect_str_eq(thousand->reconstruction.against, "none");
    cr_expect(all->n_dynamic == 0 && all->inconsistent == NULL);
    cr_expect_str_eq(all->no_dynamic, "no scenario employs everybody");
    pk_claims_free(&claims);
    pk_claims_free(&claims);
    pk_claims_free(NULL);
}

Test(claims, the_kind_of_a_file_is_told)
{
    enum pk_file_kind kind;
    struct pk_error error;
    cr_expect(pk_load_kind(CLAIMS, &kind, &error) == PK_OK && kind == PK_FILE_CLAIMS);
    cr_expect_str_eq(pk_file_kind_names[kind], "claims file");
    cr_expect_eq(load(STATIC), PK_BAD_INPUT);
    cr_expect_eq(load(POLKU_SOURCE_DIR "/tests/data/good/nothing.yaml"), PK_IO);
}

/* One file, once in two spellings, is two to a file, but not to a text. */
Test(claims, a_text_is_about_one_scenario)
{
    static const char text[] =
        "polku: 1\nclaims: made\nfigures:\n  one:\n    says: {en: x}\n    printed: 2.385\n    unit: x\n"
        "    source: {assumption: x}\n    static: {scenario: a, outcome: employed, arm: claim, gives: 2.3850000001}\n"
        "    assumes: x\n    dynamic: {scenario: b, outcome: employed, arm: none}\n";
    struct pk_scenario scenario;
    struct pk_model model;
    struct pk_problems problems;
    pk_problems_init(&problems);
    cr_assert_eq(pk_load_scenario(STATIC, NULL, &scenario, &model, &problems), PK_OK);
    cr_assert_eq(pk_load_claims_text("x/t", text, strlen(text), &claims, &scenario, &model, &problems), PK_OK,
                 "2.385 and 2.3850000001 are the same");
    cr_expect_eq(claims.n_scenarios, 2);
    cr_expect_str_eq(claims.scenarios[1].path, "x/b");
    cr_expect_str_eq(claims.title, "made");
    pk_claims_free(&claims);
    cr_expect_eq(pk_load_claims_text("x/t", text, strlen(text) - 7, &claims, &scenario, &model, &problems),
                 PK_BAD_INPUT, "cut off");
    cr_expect_eq(claims.n_claims, 0);
    pk_problems_free(&problems);
    pk_scenario_free(&scenario);
    pk_model_free(&model);
}

Test(claims, the_same_is_relative)
{
    cr_expect(pk_claims_same(0, 0) && pk_claims_same(1e12, 1e12 + 100) && pk_claims_same(-2.5, -2.5));
    cr_expect_not(pk_claims_same(1e12, 1e12 + 10000));
    cr_expect_not(pk_claims_same(0, 1e-300));
    cr_expect_not(pk_claims_same(2.5, -2.5));
}

Test(claims_out_of_memory, every_allocation)
{
    pk_memory_fail_after(-1);
    cr_assert_eq(load(CLAIMS), PK_OK);
    const long n_asked = pk_memory_fail_after(-1);
    pk_claims_free(&claims);
    cr_assert_gt(n_asked, 10);
    for (long n = 0; n < n_asked; n++) {
        pk_memory_fail_after(n);
        const enum pk_status status = load(CLAIMS);
        pk_memory_fail_after(-1);
        cr_assert_eq(status, PK_NO_MEMORY, "%ld of %ld allocations: status %d", n, n_asked, (int)status);
        cr_assert_eq(claims.n_claims, 0);
        pk_claims_free(&claims);
    }
}
