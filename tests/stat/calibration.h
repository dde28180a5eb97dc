/* What the tests of calibrations share: studies written as YAML in the test, put into files and loaded by the same way
 * as the command's, and what they are solved to. Every failure here is the test's. */
#ifndef PK_TESTS_CALIBRATION_H
#define PK_TESTS_CALIBRATION_H

#include "polku/calibrate.h"

/* Beginnings of the three files; what follows a study's is two blanks deep, of `calibrate`. */
#define CALIBRATION_MODEL "polku: 1\nmodel: test\n"
#define CALIBRATION_SCENARIO                                                                                           \
    "polku: 1\nscenario: test\nmodel: model.yaml\nstart: 2021-01-01\nbatches: 64\nreplications: 1\n"
#define CALIBRATION_STUDY "polku: 1\nstudy: test\nscenario: scenario.yaml\nseed: 4211\ncalibrate:\n"
#define CALIBRATION_PARAMETER(name, value, unit)                                                                       \
    "  " name ": {value: " value ", unit: " unit ", source: {assumption: test}}\n"
#define CALIBRATION_SOURCE ", source: {assumption: test}}\n"

struct calibration {
    struct pk_study study;
    struct pk_scenario scenario;
    struct pk_model model;
    struct pk_answer *answer; /* owned; NULL: not solved */
};

void calibration_open(struct calibration *calibration, const char *model, const char *scenario, const char *study);
/* Solves anew. Values of targets may have been changed in the study. */
void calibration_solve(struct calibration *calibration, int n_threads, bool simulate);
void calibration_close(struct calibration *calibration);

struct pk_calibration_target *calibration_target(struct calibration *calibration, const char *name);
size_t calibration_free(const struct calibration *calibration, const char *name);
const char *calibration_marks(const struct calibration *calibration);
/* Whether the marks have this text in them, and how often. */
size_t calibration_marked(const struct calibration *calibration, const char *text);

#endif
