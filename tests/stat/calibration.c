/* See calibration.h. */
#include "calibration.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "polku/file.h"

static const char *const names[3] = {"model.yaml", "scenario.yaml", "study.yaml"};

static void fail_on(enum pk_status status, const struct pk_error *error)
{
    char text[1024];
    if (status == PK_OK)
        return;
    pk_error_text(error, text, sizeof text);
    cr_assert_fail("%s", text);
}

void calibration_open(struct calibration *calibration, const char *model, const char *scenario, const char *study)
{
    const char *const texts[3] = {model, scenario, study};
    char folder[] = "/tmp/polku_calibration_XXXXXX", path[128];
    struct pk_problems problems;
    struct pk_error error;
    memset(calibration, 0, sizeof *calibration);
    cr_assert_not_null(mkdtemp(folder));
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        fail_on(pk_file_write(path, texts[i], strlen(texts[i]), &error), &error);
    }
    pk_problems_init(&problems);
    const enum pk_status status =
        pk_load_study(path, NULL, &calibration->study, &calibration->scenario, &calibration->model, &problems);
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        (void)unlink(path);
    }
    (void)rmdir(folder);
    if (status != PK_OK || problems.n_found > 0)
        fail_on(status != PK_OK ? status : PK_BAD_INPUT, &problems.items[0]);
    pk_problems_free(&problems);
}

static void forget(struct calibration *calibration)
{
    if (calibration->answer != NULL)
        pk_answer_free(calibration->answer);
    pk_free(calibration->answer);
    calibration->answer = NULL;
}

void calibration_solve(struct calibration *calibration, int n_threads, bool simulate)
{
    const struct pk_calibrate_request request = {.n_threads = n_threads, .simulate = simulate};
    struct pk_error error;
    forget(calibration);
    calibration->answer = pk_alloc(1, sizeof *calibration->answer);
    cr_assert_not_null(calibration->answer);
    fail_on(pk_calibrate(calibration->answer, &calibration->study, &calibration->scenario, &calibration->model,
                         &request, &error),
            &error);
}

void calibration_close(struct calibration *calibration)
{
    forget(calibration);
    pk_study_free(&calibration->study);
    pk_scenario_free(&calibration->scenario);
    pk_model_free(&calibration->model);
}

struct pk_calibration_target *calibration_target(struct calibration *calibration, const char *name)
{
    for (size_t t = 0; t < calibration->study.n_targets; t++)
        if (strcmp(calibration->study.targets[t].name, name) == 0)
            return &calibration->study.targets[t];
    cr_assert_fail("no target %s", name);
    return NULL;
}

size_t calibration_free(const struct calibration *calibration, const char *name)
{
    for (size_t k = 0; k < calibration->study.n_free; k++)
        if (strcmp(calibration->study.free[k].name, name) == 0)
            return k;
    cr_assert_fail("no free parameter %s", name);
    return SIZE_MAX;
}

const char *calibration_marks(const struct calibration *calibration)
{
    return pk_text_string(&calibration->answer->marks);
}

size_t calibration_marked(const struct calibration *calibration, const char *text)
{
    size_t n = 0;
    for (const char *at = calibration_marks(calibration); (at = strstr(at, text)) != NULL; at += strlen(text))
        n++;
    return n;
}
