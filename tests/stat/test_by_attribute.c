/* Tables from files, told by attribute, on age and on the calendar, from one state and common to all, against closed
 * forms for each group (tests/data/by_attribute). */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>

#include "spell.h"
#include "support.h"

/* 200,000 people in 256 batches; 36 comparisons of shares of everybody at 5 standard errors, as in the files beside
 * this one (Student, 255 degrees of freedom: 1.1e-6 each). The s.e. is at most 0.0008: 0.006 more or less is seen with
 * 99 % power. */
static const double n_errors = 5;
static const int times[3] = {8, 25, 60}; /* months */

/* As in the files: by sex (woman, man) and region (north, south). */
static const double by_age[2][2][4] = {{{0.31, 0.07, 0.52, 0.18}, {0.22, 0.05, 0.38, 0.14}},
                                       {{0.47, 0.12, 0.66, 0.29}, {0.36, 0.09, 0.41, 0.25}}},
                    by_date[2][3] = {{0.19, 0.47, 0.16}, {0.11, 0.83, 0.21}},
                    common[2][2] = {{0.04, 0.11}, {0.09, 0.17}};

Test(by_attribute, every_group_has_its_own_incidence)
{
    static const char *const sexes[2] = {"woman", "man"}, *const regions[2] = {"north", "south"},
                             *const to[3] = {"b", "c", "d"};
    static const double of_sex[2] = {0.375, 0.625}, of_region[2] = {0.25, 0.75};
    struct support_world world;
    struct pk_run run;
    support_open_file(&world, "../tests/data/by_attribute/scenario.yaml", NULL, 0);
    support_run(&world, NULL, &run);
    for (size_t s = 0; s < 2; s++)
        for (size_t r = 0; r < 2; r++) {
            /* 1 July 2021 and 1 January 2023 are 0.5 and 2 years after the start */
            struct spell_hazard hazards[3] = {{.n_cuts = 3, .cuts = {44.1, 45, 47.3}, .clock = 43.7},
                                              {.n_cuts = 2, .cuts = {0.5, 2}},
                                              {.n_cuts = 1, .cuts = {46}, .clock = 43.7}};
            for (size_t i = 0; i < 4; i++)
                hazards[0].values[i] = by_age[s][r][i] * 1.25;
            for (size_t i = 0; i < 3; i++)
                hazards[1].values[i] = by_date[s][i] * (r == 0 ? 0.8 : 1);
            for (size_t i = 0; i < 2; i++)
                hazards[2].values[i] = common[s][i];
            for (size_t i = 0; i < 3; i++)
                for (size_t k = 0; k < 3; k++) {
                    char name[64];
                    snprintf(name, sizeof name, "%s_%s_%s_%d", sexes[s], regions[r], to[i], times[k]);
                    support_expect(support_outcome(&run, 0, 0, SIZE_MAX, name),
                                   of_sex[s] * of_region[r] * spell_incidence(hazards, 3, i, times[k] / 12.0), n_errors,
                                   name, "of everybody");
                }
        }
    pk_run_free(&run);
    support_close(&world);
}
