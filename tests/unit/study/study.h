/* What tests of studies share: a study's file with its scenario and model. */
#ifndef PK_TESTS_STUDY_H
#define PK_TESTS_STUDY_H

#include "polku/study.h"

struct loaded {
    struct pk_study study;
    struct pk_scenario scenario;
    struct pk_model model;
};

/* Nothing is to be freed on failure. */
enum pk_status load(const char *path, struct loaded *loaded);
void unload(struct loaded *loaded);

#endif
