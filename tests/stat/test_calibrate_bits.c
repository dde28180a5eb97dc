/* A calibration is the same, to the last bit, for any number of threads. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "calibration.h"

#define CHAIN                                                                                                          \
    CALIBRATION_MODEL                                                                                                  \
    "states: {a: {}, b: {}, c: {absorbing: true}}\nparameters:\n" CALIBRATION_PARAMETER("p", "0.5", "per_year")        \
        CALIBRATION_PARAMETER("q", "0.5", "per_year") CALIBRATION_PARAMETER(                                           \
            "k", "1",                                                                                                  \
            "ratio") "transitions:\n  go: {from: a, to: b, hazard: [p, k]}\n  end: {from: b, to: c, hazard: q}\n"
#define SCENARIO                                                                                                       \
    "polku: 1\nscenario: test\nmodel: model.yaml\nstart: 2021-01-01\nbatches: 12\nreplications: 1\n"                   \
    "seed: 3\nhorizon: {years: 3}\npopulation: {size: 500, state: {a: 1}}\n"                                           \
    "arms: {base: {}}\noutcomes:\n"                                                                                    \
    "  a_1: {measure: occupancy, states: [a], at: {years: 1}}\n"                                                       \
    "  c_1: {measure: occupancy, states: [c], at: {years: 1}}\n"                                                       \
    "  c_3: {measure: occupancy, states: [c], at: {years: 3}}\n"
#define C_TARGETS                                                                                                      \
    "    c_1: {outcome: c_1, value: 0.19, of: 3000" CALIBRATION_SOURCE                                                 \
    "    c_3: {outcome: c_3, value: 0.6, of: 3000" CALIBRATION_SOURCE

/* What is told of an answer: every array, byte by byte, and the three texts. */
struct told {
    struct pk_answer answer;
    double *draws;
    struct pk_text yaml, json, print, marks;
};

static void tell(struct calibration *calibration, int n_threads, struct told *told)
{
    calibration_solve(calibration, n_threads, true);
    const struct pk_answer *answer = calibration->answer;
    const size_t n = answer->n_draws * calibration->study.n_free;
    told->answer = *answer;
    told->draws = pk_alloc(n, sizeof *told->draws);
    cr_assert_not_null(told->draws);
    memcpy(told->draws, answer->draws, n * sizeof *told->draws);
    pk_text_init(&told->yaml);
    pk_text_init(&told->json);
    pk_text_init(&told->print);
    pk_text_init(&told->marks);
    pk_answer_yaml(answer, &told->yaml);
    pk_answer_json(answer, &told->json);
    pk_answer_print(answer, &told->print);
    pk_text_put(&told->marks, calibration_marks(calibration));
}

static void forget(struct told *told)
{
    pk_free(told->draws);
    pk_text_free(&told->yaml);
    pk_text_free(&told->json);
    pk_text_free(&told->print);
    pk_text_free(&told->marks);
}

#define EXPECT_SAME(field)                                                                                             \
    cr_expect_eq(memcmp(&one->answer.field, &other->answer.field, sizeof one->answer.field), 0,                        \
                 #field " is another with %d threads", n_threads)
#define EXPECT_SAME_TEXT(field)                                                                                        \
    cr_expect_str_eq(pk_text_string(&one->field), pk_text_string(&other->field), #field " is another with %d threads", \
                     n_threads)

static void expect_same(const struct told *one, const struct told *other, int n_threads)
{
    cr_expect_gt(strlen(pk_text_string(&one->yaml)), 100);
    EXPECT_SAME_TEXT(yaml);
    EXPECT_SAME_TEXT(json);
    EXPECT_SAME_TEXT(print);
    EXPECT_SAME_TEXT(marks);
    EXPECT_SAME(by_twin);
    EXPECT_SAME(step_months);
    EXPECT_SAME(digest);
    EXPECT_SAME(n_evaluations);
    EXPECT_SAME(n_modes);
    EXPECT_SAME(modes);
    EXPECT_SAME(values);
    EXPECT_SAME(likeliest);
    EXPECT_SAME(least_deviance);
    EXPECT_SAME(profiles);
    EXPECT_SAME(information);
    EXPECT_SAME(directions);
    EXPECT_SAME(reached);
    EXPECT_SAME(simulated);
    EXPECT_SAME(misfits);
    EXPECT_SAME(n_contradictions);
    EXPECT_SAME(contradictions);
    EXPECT_SAME(n_draws);
    EXPECT_SAME(n_candidates);
    EXPECT_SAME(effective);
    EXPECT_SAME(n_unique);
    EXPECT_SAME(mean);
    EXPECT_SAME(sd);
    EXPECT_SAME(quantiles);
    EXPECT_SAME(shrinkage);
    EXPECT_SAME(correlation);
    const size_t n = one->answer.n_draws * one->answer.study->n_free;
    cr_assert_eq(one->answer.n_draws, other->answer.n_draws);
    cr_expect_eq(memcmp(one->draws, other->draws, n * sizeof *one->draws), 0, "draws are others with %d threads",
                 n_threads);
}

/* Solved with one, two and three threads; files that are loaded anew each time, as the command does. */
static void hold(const char *study)
{
    static struct told first, told;
    for (int n_threads = 1; n_threads <= 3; n_threads++) {
        struct calibration calibration;
        calibration_open(&calibration, CHAIN, SCENARIO, study);
        tell(&calibration, n_threads, n_threads == 1 ? &first : &told);
        if (n_threads > 1) {
            told.answer.study = &calibration.study;
            first.answer.study = &calibration.study;
            expect_same(&first, &told, n_threads);
            forget(&told);
        }
        calibration_close(&calibration);
    }
    forget(&first);
}

Test(calibrate_bits, do_not_depend_on_threads_where_there_are_two_answers)
{
    hold(CALIBRATION_STUDY "  free:\n    p: {within: [0.05, 10]}\n    q: {within: [0.05, 10]}\n  targets:\n" C_TARGETS);
}

Test(calibrate_bits, do_not_depend_on_threads_with_a_ridge_priors_and_a_contradiction)
{
    hold(CALIBRATION_STUDY
         "  free:\n    p: {within: [0.05, 10]}\n    q: {within: [0.05, 10], prior: {log_normal: [0.4, 0.3]}}\n"
         "    k: {within: [0.5, 2]}\n  targets:\n    a_1: {outcome: a_1, value: 0.2, of: 2000" CALIBRATION_SOURCE
         "    again: {outcome: a_1, value: 0.3, of: 2000" CALIBRATION_SOURCE C_TARGETS);
}

Test(calibrate_bits, do_not_depend_on_threads_by_simulation)
{
    hold(CALIBRATION_STUDY "  objective: simulation\n  starts: 2\n  draws: 20\n  free:\n    p: {within: [0.5, 10]}\n  "
                           "targets:\n" C_TARGETS);
}
