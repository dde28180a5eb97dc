/* What a scenario says of people and a model of tables in files: read to the value, from files and from kept texts.
 * What wrong ones are told: tests/cli/test_malformed.py. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "polku/file.h"
#include "polku/load.h"
#include "support.h"

#define GOOD POLKU_SOURCE_DIR "/tests/data/good/"

static struct pk_scenario scenario;
static struct pk_model model;
static struct pk_problems problems;

static void load(const char *path, const struct pk_load_options *options)
{
    pk_problems_init(&problems);
    enum pk_status status = pk_load_scenario(path, options, &scenario, &model, &problems);
    cr_assert_eq(status, PK_OK, "%s: %s", path, problems.n_kept ? problems.items[0].message : "");
    pk_problems_free(&problems);
}

static void unload(void)
{
    pk_scenario_free(&scenario);
    pk_model_free(&model);
}

static const struct pk_parameter *parameter(const char *name)
{
    size_t i = pk_model_parameter(&model, name);
    cr_assert_neq(i, SIZE_MAX);
    return &model.parameters[i];
}

Test(people, a_table_file_is_read_in_the_order_of_bands_and_values)
{
    load(GOOD "open.yaml", NULL);
    const struct pk_parameter *deaths = parameter("death_rate");
    static const double women[] = {0.001, 0.01, 0.1}, men[] = {0.002, 0.015, 0.15};
    cr_assert(deaths->n_values == 3 && deaths->n_columns == 2 && deaths->n_by == 1);
    cr_expect_eq(deaths->i_by_attribute[0], pk_model_attribute(&model, "sex"));
    cr_expect_eq(deaths->clock, PK_CLOCK_AGE);
    cr_expect(deaths->cuts[0] == 50 && deaths->cuts[1] == 80);
    for (size_t i = 0; i < 3; i++)
        cr_expect(deaths->values[i] == women[i] && deaths->values[3 + i] == men[i]);
    cr_expect(parameter("find_rate")->n_columns == 1 && parameter("find_rate")->n_by == 0);
    cr_expect(parameter("more_people")->n_columns == 1 && parameter("more_people")->n_by == 0);
    cr_assert_eq(model.attachments.n, 1);
    cr_expect_str_eq(model.attachments.items[0].name, "deaths.csv");
    cr_expect_eq(strncmp(model.attachments.items[0].text, "age,sex,value\n", 14), 0);
    unload();
}

Test(people, an_open_population_is_read_to_the_value)
{
    load(GOOD "open.yaml", NULL);
    const struct pk_population *p = &scenario.population;
    size_t i_sex = pk_model_attribute(&model, "sex"), i_diagnosis = pk_model_attribute(&model, "diagnosis");
    cr_expect(p->origin.age.kind == PK_DISTRIBUTION_NORMAL && p->origin.age.arguments[3].literal == 64);
    cr_assert_eq(p->origin.n_joints, 1);
    const struct pk_joint *joint = &p->origin.joints[0];
    cr_expect(joint->fit && joint->n_attributes == 2 && joint->n_cells == 6);
    cr_expect(joint->i_attributes[0] == i_sex && joint->i_attributes[1] == i_diagnosis);
    static const double seeds[] = {30, 15, 4, 35, 10, 6}; /* the file's columns are in another order */
    for (size_t i = 0; i < 6; i++)
        cr_expect_eq(joint->shares[i], seeds[i]);
    cr_expect(p->origin.in_joint[i_sex] && p->origin.in_joint[i_diagnosis]);
    cr_expect(!p->origin.in_joint[pk_model_attribute(&model, "region")]);
    cr_assert(p->inflow.any && p->inflow.poisson && p->inflow.until_months == 48);
    cr_expect_eq(p->inflow.per_year.i_parameter, pk_model_parameter(&model, "more_people"));
    const struct pk_origin *in = &p->inflow.origin;
    cr_expect(in->state_shares[0].literal == 1 && in->state_shares[1].literal == 0);
    cr_expect(p->origin.state_shares[0].literal == 0.75, "the population's own are as they were");
    cr_expect(in->age.kind == PK_DISTRIBUTION_HISTOGRAM && in->age.n_bins == 2 && in->age.edges[1] == 25);
    cr_expect(in->n_joints == 1 && in->value_shares[i_sex][1].i_parameter == pk_model_parameter(&model, "men"));
    cr_expect_eq(in->elapsed[1].kind, PK_DISTRIBUTION_FIXED, "elapsed: {} takes the population's away");
    cr_expect_eq(p->origin.elapsed[1].kind, PK_DISTRIBUTION_UNIFORM);
    cr_expect_eq(scenario.horizon_months, 60, "until a date");
    cr_expect(scenario.replications == 20 && scenario.precision.most == 20 && scenario.precision.i_outcome == 0);
    cr_expect(scenario.precision.i_arm == 1 && scenario.precision.i_against == 0);
    cr_expect_eq(scenario.precision.standard_error, 5);
    const struct pk_arm *arms = scenario.arms;
    cr_expect(arms[1].enrolments[0].by_share && arms[1].enrolments[0].at_entry);
    cr_expect_eq(arms[1].enrolments[0].persons.i_parameter, pk_model_parameter(&model, "uptake"));
    cr_expect(arms[2].enrolments[0].at_entry && arms[2].enrolments[0].at_months == 6);
    cr_expect_eq(arms[2].price_ratios[0].i_parameter, pk_model_parameter(&model, "dearer"));
    cr_expect(arms[0].price_ratios == NULL && arms[0].state_shares == NULL);
    cr_expect(arms[3].state_shares[0].literal == 0.5 && arms[3].state_shares[2].literal == 0);
    unload();
}

static void check_people(void)
{
    const struct pk_people *people = &scenario.population.people;
    static const double ages[] = {30.5, 45, 61.75, 22}, elapsed[] = {0, 1.25, 10, 0.5}, weights[] = {1, 2.5, 0.5, 1};
    static const uint16_t states[] = {0, 0, 1, 1};
    static const uint8_t values[] = {0, 0, 0, 0, 1, 1, 1, 0, 1, 0, 2, 0, 0, 1, 0, 0};
    cr_assert_eq(people->n, 4);
    cr_expect_eq(memcmp(people->states, states, sizeof states), 0);
    cr_expect_eq(memcmp(people->values, values, sizeof values), 0, "by attribute, the one with one value too");
    cr_expect_eq(memcmp(people->ages, ages, sizeof ages), 0);
    cr_expect_eq(memcmp(people->elapsed, elapsed, sizeof elapsed), 0);
    cr_expect_eq(memcmp(people->weights, weights, sizeof weights), 0);
    cr_expect_eq(scenario.population.size.literal, 4);
}

Test(people, a_table_of_people_is_read_to_the_value)
{
    load(GOOD "imported.yaml", NULL);
    check_people();
    const struct pk_joint *joint = &scenario.population.inflow.origin.joints[0];
    static const double shares[] = {0.2, 0.5, 0, 0.3, 0, 0};
    cr_assert(joint->n_cells == 6 && !joint->fit);
    cr_expect_eq(memcmp(joint->shares, shares, sizeof shares), 0, "cells not named have none");
    unload();
}

/* What a result keeps is enough to read it all again, without a single file. */
Test(people, kept_texts_are_read_without_files)
{
    static const char *const names[] = {GOOD "open.yaml", GOOD "imported.yaml"};
    for (size_t i = 0; i < 2; i++) {
        struct pk_scenario again;
        struct pk_model model_again;
        load(names[i], NULL);
        pk_problems_init(&problems);
        cr_assert_eq(pk_load_texts("nowhere/s.yaml", scenario.text, scenario.text_size, "nowhere/m.yaml", model.text,
                                   model.text_size, &model.attachments, &scenario.attachments, &again, &model_again,
                                   &problems),
                     PK_OK);
        cr_expect_eq(again.attachments.n, 1);
        cr_expect_str_eq(again.attachments.items[0].text, scenario.attachments.items[0].text);
        cr_expect_eq(again.population.people.n, scenario.population.people.n);
        pk_scenario_free(&again);
        pk_model_free(&model_again);
        cr_expect_eq(pk_load_texts("s.yaml", scenario.text, scenario.text_size, "m.yaml", model.text, model.text_size,
                                   NULL, NULL, &again, &model_again, &problems),
                     PK_BAD_INPUT);
        cr_expect_str_eq(problems.items[0].message, "names a file that is not kept here");
        pk_problems_free(&problems);
        unload();
    }
}

static enum pk_status read_table(const char *path, char **csv, size_t *size, struct pk_error *error)
{
    static const char text[] = "state,sex,region,diagnosis,age,time_in_state,weight\nidle,woman,north,none,30.5,0,1\n"
                               "idle,man,south,mental,45,1.25,2.5\nwork,man,north,other,61.75,10,0.5\n"
                               "work,woman,south,none,22,0.5,1\n";
    size_t n = strlen(path);
    if (n < 10 || strcmp(path + n - 10, "/people.h5") != 0)
        return pk_error_set(error, PK_IO, "another path: %s", path);
    *csv = pk_alloc(sizeof text, 1);
    memcpy(*csv, text, sizeof text);
    *size = sizeof text - 1;
    return PK_OK;
}

Test(people, a_table_in_hdf5_is_asked_for_and_kept_as_text)
{
    const struct pk_load_options options = {.read_table = read_table};
    struct pk_text text;
    char *whole = NULL, path[] = "/tmp/polku-people-XXXXXX", name[64];
    size_t size;
    struct pk_error error;
    cr_assert_not_null(mkdtemp(path));
    cr_assert_eq(pk_file_read(GOOD "imported.yaml", 1 << 20, &whole, &size, &error), PK_OK);
    char *people = strstr(whole, "people.csv"), *file = strstr(whole, "mortality.yaml");
    cr_assert(people != NULL && file != NULL && file < people);
    pk_text_init(&text);
    pk_text_add(&text, whole, (size_t)(file - whole));
    pk_text_put(&text, GOOD "mortality.yaml");
    pk_text_add(&text, file + strlen("mortality.yaml"), (size_t)(people - file) - strlen("mortality.yaml"));
    pk_text_put(&text, "people.h5");
    pk_text_put(&text, people + strlen("people.csv"));
    snprintf(name, sizeof name, "%s/s.yaml", path);
    cr_assert_eq(pk_file_write(name, text.bytes, text.size, &error), PK_OK);
    load(name, &options);
    check_people();
    cr_expect_str_eq(scenario.attachments.items[0].name, "people.h5");
    cr_expect_eq(strncmp(scenario.attachments.items[0].text, "state,sex", 9), 0);
    unload();
    pk_problems_init(&problems);
    cr_expect_eq(pk_load_scenario(name, NULL, &scenario, &model, &problems), PK_BAD_INPUT);
    cr_expect_str_eq(problems.items[0].message, "is an HDF5 file, which cannot be read here");
    pk_problems_free(&problems);
    unlink(name);
    rmdir(path);
    pk_text_free(&text);
    pk_free(whole);
}

/* The model's own joint table, and what takes its place. */

#define SPREAD_MODEL                                                                                                   \
    "polku: 1\nmodel: m\nstates: {a: {}, b: {absorbing: true}}\n"                                                      \
    "attributes: {sex: {values: [w, m]}, region: {values: [n, s]}, town: {values: [x, y, z]}}\n"                       \
    "joint: [{attributes: [region, town], rows: [[n, x, 0.25], [s, x, 0.125], [s, z, 0.625]]}]\n"                      \
    "parameters:\n" PARAMETER("r", "0.3", "per_year") "transitions: {ab: {from: a, to: b, hazard: r}}\n"
enum { SEX, REGION, TOWN };

static struct support_world world;

static const struct pk_population *spread(const char *population)
{
    char text[2048];
    snprintf(text, sizeof text,
             "polku: 1\nscenario: s\nmodel: m.yaml\nseed: 1\nstart: 2021-01-01\nhorizon: {years: 3}\n"
             "population:\n  size: 10\n  state: {a: 1}\n%sarms: {base: {}}\n",
             population);
    support_open_texts(&world, SPREAD_MODEL, text);
    return &world.scenario.population;
}

static void expect_of_model(const struct pk_origin *origin, size_t i_joint)
{
    static const double shares[] = {0.25, 0, 0, 0.125, 0, 0.625};
    cr_assert_lt(i_joint, origin->n_joints);
    const struct pk_joint *joint = &origin->joints[i_joint];
    cr_assert(joint->of_model && !joint->fit && joint->n_attributes == 2 && joint->n_cells == 6);
    cr_expect(joint->i_attributes[0] == REGION && joint->i_attributes[1] == TOWN);
    cr_expect_eq(memcmp(joint->shares, shares, sizeof shares), 0);
    cr_expect(origin->in_joint[REGION] && origin->in_joint[TOWN]);
}

static void expect_shares(const struct pk_origin *origin, size_t i_attribute, double first, double second)
{
    cr_expect_not(origin->in_joint[i_attribute]);
    cr_expect_eq(origin->value_shares[i_attribute][0].literal, first);
    cr_expect_eq(origin->value_shares[i_attribute][1].literal, second);
}

TestSuite(joint_of_model, .timeout = 60);

Test(joint_of_model, is_drawn_at_the_start_and_as_people_flow_in_where_nothing_is_said)
{
    const struct pk_population *p = spread("  attributes: {sex: {w: 0.5, m: 0.5}}\n  inflow: {per_year: 5}\n");
    cr_expect(p->origin.n_joints == 1 && p->inflow.origin.n_joints == 1);
    expect_of_model(&p->origin, 0);
    expect_of_model(&p->inflow.origin, 0);
    cr_expect_eq(world.plan.inflow.origin.joints[0].n_cells, 3, "nobody is in the others");
    support_close(&world);
}

Test(joint_of_model, is_left_out_whole_for_shares_of_the_scenario)
{
    const struct pk_population *p = spread("  attributes: {sex: {w: 0.5, m: 0.5}, region: {n: 0.75, s: 0.25}, "
                                           "town: {x: 0.5, y: 0.5}}\n  inflow: {per_year: 5}\n");
    cr_expect(p->origin.n_joints == 0 && p->inflow.origin.n_joints == 0);
    expect_shares(&p->origin, REGION, 0.75, 0.25);
    expect_shares(&p->inflow.origin, TOWN, 0.5, 0.5);
    support_close(&world);
}

Test(joint_of_model, is_left_out_for_those_alone_who_flow_in_with_shares_of_their_own)
{
    const struct pk_population *p = spread("  attributes: {sex: {w: 0.5, m: 0.5}}\n"
                                           "  inflow: {per_year: 5, attributes: {town: {y: 1}, region: {n: 1}}}\n");
    expect_of_model(&p->origin, 0);
    cr_expect_eq(p->inflow.origin.n_joints, 0);
    expect_shares(&p->inflow.origin, TOWN, 0, 1);
    expect_shares(&p->inflow.origin, SEX, 0.5, 0.5);
    support_close(&world);
}

Test(joint_of_model, is_left_out_for_a_table_of_the_scenario_with_one_of_its_attributes)
{
    const struct pk_population *p =
        spread("  attributes: {region: {n: 0.75, s: 0.25}}\n"
               "  joint: [{attributes: [town, sex], rows: [[x, w, 0.5], [y, m, 0.5]]}]\n  inflow: {per_year: 5}\n");
    cr_assert(p->origin.n_joints == 1 && p->inflow.origin.n_joints == 1);
    cr_expect_not(p->origin.joints[0].of_model);
    cr_expect(p->origin.in_joint[SEX] && p->origin.in_joint[TOWN]);
    expect_shares(&p->inflow.origin, REGION, 0.75, 0.25);
    support_close(&world);
}

/* What the population says of an attribute goes for those who flow in, too: the model does not come back. */
Test(joint_of_model, does_not_come_back_for_those_who_flow_in)
{
    const struct pk_population *p =
        spread("  attributes: {region: {n: 0.75, s: 0.25}, town: {z: 1}, sex: {w: 1}}\n"
               "  inflow: {per_year: 5, joint: [{attributes: [sex, region], rows: [[m, s, 1]]}]}\n");
    cr_assert(p->origin.n_joints == 0 && p->inflow.origin.n_joints == 1);
    cr_expect_not(p->inflow.origin.joints[0].of_model);
    expect_shares(&p->inflow.origin, TOWN, 0, 0);
    cr_expect_eq(p->inflow.origin.value_shares[TOWN][2].literal, 1);
    support_close(&world);
}

Test(joint_of_model, is_of_those_who_flow_in_beside_a_table_of_people)
{
    struct pk_problems found;
    static const char people[] = "state,sex,region,town\na,w,n,y\n";
    const struct pk_attachments kept = {.n = 1,
                                        .items = {{.name = "p.csv", .text = people, .size = sizeof people - 1}}};
    static const char text[] = "polku: 1\nscenario: s\nmodel: m.yaml\nseed: 1\nstart: 2021-01-01\nhorizon: {years: 3}\n"
                               "population: {people: p.csv, inflow: {per_year: 5, state: {a: 1}, attributes: {sex: {w: "
                               "1}}}}\narms: {base: {}}\n";
    pk_problems_init(&found);
    cr_assert_eq(pk_load_texts("s.yaml", text, sizeof text - 1, "m.yaml", SPREAD_MODEL, sizeof SPREAD_MODEL - 1, NULL,
                               &kept, &scenario, &model, &found),
                 PK_OK, "%s", found.items[0].message);
    pk_problems_free(&found);
    expect_of_model(&scenario.population.inflow.origin, 0);
    unload();
}

/* Every single allocation of loading, converting and compiling fails once: a status, nothing left behind. */
Test(people, running_out_of_memory_is_told_and_leaks_nothing)
{
    static const char *const names[] = {GOOD "open.yaml", GOOD "imported.yaml", GOOD "spread.yaml"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        for (long n = 0;; n++) {
            struct pk_values values = {0};
            struct pk_plan plan;
            struct pk_error error;
            pk_problems_init(&problems);
            pk_plan_init(&plan);
            (void)pk_memory_fail_after(n);
            enum pk_status status = pk_load_scenario(names[i], NULL, &scenario, &model, &problems);
            if (status == PK_OK) {
                status = pk_variants_values(&values, &model, &scenario, NULL, 0, NULL, 0, &error);
                if (status == PK_OK)
                    status = pk_plan_compile(&plan, &model, &scenario, &values, &error);
                (void)pk_memory_fail_after(-1);
                pk_plan_free(&plan);
                pk_values_free(&values);
                unload();
            }
            (void)pk_memory_fail_after(-1);
            pk_problems_free(&problems);
            if (status == PK_OK)
                break;
            cr_assert(status == PK_NO_MEMORY, "%s, allocation %ld: status %d", names[i], n, (int)status);
            cr_assert_lt(n, 10000);
        }
}
