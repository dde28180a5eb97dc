/* See study.h. */
#include "study.h"

enum pk_status load(const char *path, struct loaded *loaded)
{
    struct pk_problems problems;
    pk_problems_init(&problems);
    const enum pk_status status =
        pk_load_study(path, NULL, &loaded->study, &loaded->scenario, &loaded->model, &problems);
    pk_problems_free(&problems);
    return status;
}

void unload(struct loaded *loaded)
{
    pk_study_free(&loaded->study);
    pk_scenario_free(&loaded->scenario);
    pk_model_free(&loaded->model);
}
