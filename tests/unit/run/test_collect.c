/* What is told of a run against the same lives, one by one, in floating point and with times that nobody rounded to
 * months. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "polku/lottery.h"
#include "world.h"

#define TICKS_PER_YEAR (12 * PK_TICKS_PER_MONTH)
enum { IDLE, WORK, ILL, DEAD, ARMS = 2 };

static struct support_world world;
static struct pk_run run;
static bool ready;

static void set_up(void)
{
    if (ready)
        return;
    support_open_texts(&world, world_model, world_scenario);
    support_run(&world, NULL, &run);
    ready = true;
}

static void tear_down(void)
{
    pk_run_free(&run);
    support_close(&world);
    ready = false;
}

TestSuite(collect, .init = set_up, .fini = tear_down);

static double value_of(const char *name)
{
    return world.values.used[pk_model_parameter(&world.model, name)];
}

/* ---- rewards ------------------------------------------------------------------------------------------------ */

/* How an outcome values a life, from the model text by hand. */
struct valued {
    double from, to, force, zero; /* years */
    bool output, benefits, courses, htv, women_only;
    double totals[ARMS], moves[ARMS]; /* moves: prices of what moves within a month, for the bound */
};

static double age_factor(double age)
{
    return age < 30.25 ? 0.5 : age < 50 ? 1 : 1.25;
}

static double at(const struct valued *v, double years)
{
    return exp(-v->force * (years - v->zero));
}

static void value_stay(struct valued *v, const struct world_life *life, const struct world_stay *stay)
{
    const bool woman = life->person->values[0] == 0, north = life->person->values[1] == 0, shield = life->i_arm == 1;
    double from = fmax((double)stay->from / TICKS_PER_YEAR, v->from),
           to = fmin((double)stay->to / TICKS_PER_YEAR, v->to);
    double price = 0;
    if (v->output && stay->i_state == WORK) {
        const double pay = value_of("wage") * (woman ? value_of("woman_pay") : 1) *
                           (north ? value_of("north_pay") : 1) * (shield ? 1.0625 : 1);
        const double cuts[] = {0, 30.25 - life->person->age / 12, 50 - life->person->age / 12, 1e9};
        for (size_t i = 0; i < 3; i++) {
            double low = fmax(from, i == 0 ? -1e9 : cuts[i]), high = fmin(to, cuts[i + 1]);
            v->totals[life->i_arm] += pay *
                                      age_factor(i == 0   ? 20
                                                 : i == 1 ? 40
                                                          : 60) *
                                      world_discounted(v->force, v->zero, low, high);
        }
        price += 1.25 * pay;
    }
    double rate = 0;
    if (v->benefits && (stay->i_state == IDLE || stay->i_state == ILL))
        rate +=
            (stay->i_state == IDLE ? value_of("benefit") : value_of("sick_pay")) * (shield ? value_of("dearer") : 1);
    if (v->htv && stay->i_state == WORK)
        rate += value_of("full_time") * (woman ? 1 : value_of("man_ratio"));
    v->totals[life->i_arm] += rate * world_discounted(v->force, v->zero, from, to);
    v->moves[life->i_arm] += (price + rate) * 4 * fmax(at(v, v->from), 1); /* in, out, two ages */
}

static void value_life(const struct world_life *life, void *data)
{
    struct valued *v = data;
    static struct world_stay stays[PK_LIFE_MAX_EVENTS + 1];
    if (v->women_only && life->person->values[0] != 0)
        return;
    for (size_t i = 0, n = world_stays(life, stays); i < n; i++)
        value_stay(v, life, &stays[i]);
    for (size_t i = 0; v->courses && i < life->life->n_events; i++) {
        const char *name = world.model.transitions[life->plan->arcs[life->life->events[i].arc].i_transition].name;
        double years = (double)life->life->events[i].tick / TICKS_PER_YEAR;
        if ((strcmp(name, "find") == 0 || strcmp(name, "heal") == 0) && years > v->from && years <= v->to)
            v->totals[life->i_arm] += value_of("training") * at(v, years);
    }
}

/* Undiscounted: equal to rounding. Discounted: within the bound of discount.h, which is far from reached. */
static void expect_value(const char *name, struct valued v)
{
    world_each(&world, 3, value_life, &v);
    for (size_t a = 0; a < ARMS; a++) {
        const double found = world_total(&run, 0, a, name, NULL), length = v.force / 12;
        const double bound =
            1e-11 * fabs(v.totals[a]) + v.moves[a] * length / 12 / 8 + fabs(v.totals[a]) * length * length / 8;
        cr_expect_float_eq(found, v.totals[a], bound, "%s, arm %zu: %.12g, expected %.12g +- %g", name, a, found,
                           v.totals[a], bound);
        cr_expect_gt(fabs(v.totals[a]), 100, "%s is not nothing", name);
    }
}

Test(collect, rewards_by_age_and_attribute_are_those_of_each_life)
{
    expect_value("output", (struct valued){.to = 8, .output = true});
    expect_value("output_women", (struct valued){.from = 1, .to = 6, .output = true, .women_only = true});
    expect_value("htv", (struct valued){.to = 8, .htv = true});
    expect_value("courses", (struct valued){.from = 1, .to = 5, .courses = true});
}

Test(collect, discounted_rewards_are_within_the_bound_of_each_life)
{
    const double zero = (pk_scenario_months(19905) - world.scenario.start_months) / 12; /* 2024-07-01 */
    expect_value(
        "all", (struct valued){.to = 8, .output = true, .benefits = true, .courses = true, .force = 0.5, .zero = zero});
    expect_value("benefits", (struct valued){.from = 2, .to = 7, .benefits = true, .force = log1p(0.0317)});
    expect_value("ledger_output", (struct valued){.to = 8, .output = true, .force = 0.02});
    expect_value("ledger_courses", (struct valued){.to = 8, .courses = true, .force = log1p(0.0317)});
}

struct discounted_moves {
    double finds[ARMS], years[ARMS];
};

static void discount_life(const struct world_life *life, void *data)
{
    struct discounted_moves *d = data;
    static struct world_stay stays[PK_LIFE_MAX_EVENTS + 1];
    const double force = log(1.5);
    for (size_t i = 0, n = world_stays(life, stays); i < n; i++) {
        if (stays[i].i_state != WORK)
            continue;
        d->years[life->i_arm] +=
            world_discounted(force, 0, (double)stays[i].from / TICKS_PER_YEAR, (double)stays[i].to / TICKS_PER_YEAR);
        if (i > 0)
            d->finds[life->i_arm] += exp(-force * (double)stays[i].from / TICKS_PER_YEAR);
    }
}

/* 50 % a year: events are within (force L)^2 / 8 = 1.4e-4 of the truth, and never above it. */
Test(collect, events_are_discounted_at_their_mean_time)
{
    struct discounted_moves d = {{0}, {0}};
    const double length = log(1.5) / 12;
    world_each(&world, 3, discount_life, &d);
    for (size_t a = 0; a < ARMS; a++) {
        double found = world_total(&run, 0, a, "finds", NULL);
        cr_expect_float_eq(found, d.finds[a], d.finds[a] * length * length / 8, "%.10g %.10g", found, d.finds[a]);
        cr_expect_leq(found, d.finds[a] * (1 + 1e-12), "the factor is convex: %.10g %.10g", found, d.finds[a]);
        found = world_total(&run, 0, a, "work_years", NULL);
        cr_expect_float_eq(found, d.years[a], d.years[a] * length / 12, "%.10g %.10g", found, d.years[a]);
    }
}

/* ---- spells, cohorts, stocks --------------------------------------------------------------------------------- */

struct counts {
    double spells[ARMS], later[ARMS], jobs[ARMS], work_years[ARMS], cohort[ARMS], stock[ARMS];
};

static void count_life(const struct world_life *life, void *data)
{
    struct counts *c = data;
    static struct world_stay stays[PK_LIFE_MAX_EVENTS + 1];
    const double year = TICKS_PER_YEAR;
    const double entry = (double)life->life->start_tick / year;
    const size_t a = life->i_arm;
    for (size_t i = 0, n = world_stays(life, stays); i < n; i++) {
        const double from = (double)stays[i].from / year, to = (double)stays[i].to / year;
        const size_t s = stays[i].i_state;
        bool begins = from > 0 || i == 0;
        c->spells[a] += begins && (s == IDLE || s == WORK) && from <= 6;
        c->later[a] += s == IDLE && from > 3 && from <= 6 && life->person->values[1] == 0;
        c->jobs[a] += s == WORK;
        c->work_years[a] += s == WORK ? to - from : 0;
        c->cohort[a] += s != DEAD && entry >= 1 && entry < 2 ? to - from : 0;
        c->stock[a] += s == WORK && from <= 5 && to > 5;
    }
}

Test(collect, spells_cohorts_and_stocks_are_those_of_each_life)
{
    struct counts c = {{0}, {0}, {0}, {0}, {0}, {0}};
    double spells;
    world_each(&world, 3, count_life, &c);
    for (size_t a = 0; a < ARMS; a++) {
        cr_expect_eq(world_total(&run, 0, a, "spells", NULL), c.spells[a]);
        cr_expect_eq(world_total(&run, 0, a, "later_spells", NULL), c.later[a]);
        cr_expect_eq(world_total(&run, 0, a, "stock", NULL), c.stock[a]);
        double years = world_total(&run, 0, a, "mean_spell", &spells);
        cr_expect_eq(spells, c.jobs[a]);
        cr_expect_float_eq(years, c.work_years[a], 1e-8);
        cr_expect_float_eq(world_total(&run, 0, a, "cohort", NULL), c.cohort[a], 1e-8);
        cr_expect(c.later[a] > 100 && c.cohort[a] > 1000);
    }
}

static void stock_by_age(const struct world_life *life, void *data)
{
    double(*stock)[2][3][4][5] = data; /* arm, sex, age, state, time */
    static struct world_stay stays[PK_LIFE_MAX_EVENTS + 1];
    for (size_t i = 0, n = world_stays(life, stays); i < n; i++)
        for (int64_t j = 0; j < 5; j++) {
            const int64_t tick = j * 2 * (int64_t)TICKS_PER_YEAR;
            const bool last = i + 1 == n;
            const double age = life->person->age / 12 + 2 * (double)j;
            if (stays[i].from <= tick && (stays[i].to > tick || (last && stays[i].to == tick)))
                stock[life->i_arm][life->person->values[0]][age < 25 ? 0 : age < 40 ? 1 : 2][stays[i].i_state][j]++;
        }
}

Test(collect, tables_tell_attained_age)
{
    static double stock[ARMS][2][3][4][5];
    const struct pk_folded *folded = &run.fold.folded[0];
    world_each(&world, 3, stock_by_age, stock);
    cr_assert_eq(folded->n_cells, 2u * 3 * 4 * 5);
    for (size_t i = 0; i < ARMS * folded->n_cells; i++)
        cr_expect_eq(folded->y[i], (&stock[0][0][0][0][0])[i], "cell %zu", i);
}

/* ---- life by life -------------------------------------------------------------------------------------------- */

struct bins {
    int64_t years[ARMS][2][7], spells[ARMS][5], jobs[ARMS][5], illness[ARMS][5];
};

static size_t bin_of(double value, const double *edges, size_t n)
{
    size_t i = 0;
    while (i < n && edges[i] <= value)
        i++;
    return i;
}

static void bin_life(const struct world_life *life, void *data)
{
    static const double year_edges[] = {0, 0.5, 1, 2, 3, 4}, spell_edges[] = {1, 2, 4, 8}, job_edges[] = {0.5, 1, 2, 4},
                        ill_edges[] = {1, 2, 3, 4};
    static struct world_stay stays[PK_LIFE_MAX_EVENTS + 1];
    struct bins *b = data;
    double years = 0, spells = 0, first = 1e9;
    for (size_t i = 0, n = world_stays(life, stays); i < n; i++) {
        const double from = (double)stays[i].from / TICKS_PER_YEAR, to = (double)stays[i].to / TICKS_PER_YEAR;
        const size_t s = stays[i].i_state;
        years += s == WORK ? fmax(0, fmin(to, 6) - fmax(from, 1)) : 0;
        spells += s == IDLE || s == WORK;
        if (s == WORK && stays[i].ended)
            b->jobs[life->i_arm][bin_of(to - from + (i == 0 ? life->person->elapsed / 12 : 0), job_edges, 4)]++;
        if (s == ILL && i > 0 && from <= 5)
            first = fmin(first, from - (double)life->life->start_tick / TICKS_PER_YEAR);
    }
    b->years[life->i_arm][life->person->values[0]][bin_of(years, year_edges, 6)]++;
    b->spells[life->i_arm][bin_of(spells, spell_edges, 4)]++;
    b->illness[life->i_arm][bin_of(first, ill_edges, 4)]++;
}

Test(collect, histograms_are_those_of_each_life)
{
    static struct bins b;
    const void *expected[] = {b.years, b.spells, b.jobs, b.illness};
    const size_t sizes[] = {sizeof b.years, sizeof b.spells, sizeof b.jobs, sizeof b.illness};
    world_each(&world, 3, bin_life, &b);
    for (size_t h = 0; h < 4; h++) {
        cr_assert_eq(run.fold.bins[h].i_histogram, h);
        cr_assert_eq(run.fold.bins[h].i_population, 0);
        cr_expect_arr_eq(run.fold.bins[h].counts, expected[h], sizes[h], "histogram %zu", h);
    }
    /* shares of a group add up to 1; the median is where half of them are */
    double sum = 0, below = 0;
    for (size_t k = 0; k < 7; k++)
        sum += pk_fold_share(&run.fold, &run.fold.bins[0], 1, 0, k).mean;
    cr_expect_float_eq(sum, 1, 1e-12);
    double median = pk_fold_quantile(&run.fold, &run.fold.bins[0], 1, 0, 0.5);
    static const double edges[] = {0, 0.5, 1, 2, 3, 4};
    cr_assert(median > 0 && median < 4);
    for (size_t k = 0; edges[k] < median; k++) {
        double share = pk_fold_share(&run.fold, &run.fold.bins[0], 1, 0, k + 1).mean;
        double part = edges[k + 1] <= median ? 1 : (median - edges[k]) / (edges[k + 1] - edges[k]);
        below += share * part;
    }
    cr_expect_float_eq(below, 0.5, 1e-12);
    cr_expect(isnan(pk_fold_quantile(&run.fold, &run.fold.bins[3], 0, 0, 0.95)), "most are never ill by then");
}

static void watch_life(const struct world_life *life, void *data)
{
    double *figures = data; /* as struct pk_watch */
    const struct pk_life *l = life->life;
    int64_t first = INT64_MAX;
    bool again = false;
    if (life->i_arm != 1 || !life->treated)
        return;
    for (size_t i = 0; i < l->n_blocked; i++) {
        figures[(l->blocked[i].tick - 1) / (int64_t)TICKS_PER_YEAR]++;
        first = l->blocked[i].tick < first ? l->blocked[i].tick : first;
    }
    for (size_t k = 0; k < 2; k++) {
        const struct pk_life *of = k == 0 ? life->base : l;
        for (size_t i = 0; i < of->n_events; i++)
            if (strcmp(world.model.transitions[life->plan->arcs[of->events[i].arc].i_transition].name, "fall") == 0) {
                figures[8 * (k + 1) + (size_t)((of->events[i].tick - 1) / (int64_t)TICKS_PER_YEAR)]++;
                again |= k == 1 && of->events[i].tick > first;
            }
    }
    figures[24] += first < INT64_MAX;
    figures[25] += first < INT64_MAX && !again;
    figures[26] += first < INT64_MAX && again;
}

Test(collect, prevented_events_are_those_of_each_life)
{
    double figures[27] = {0};
    world_each(&world, 3, watch_life, figures);
    cr_assert_eq(run.collection.n_watches, 1);
    cr_assert_eq(run.collection.n_years, 8);
    for (size_t i = 0; i < 27; i++)
        cr_expect_eq(pk_fold_watched(&run.fold, 0, i, SIZE_MAX, 1).mean, figures[i], "figure %zu", i);
    cr_expect(figures[24] > 300 && figures[25] > 100 && figures[26] > 50);
    cr_expect_eq(figures[24], figures[25] + figures[26]);
    for (size_t y = 0; y < 8; y++)
        cr_expect_eq(pk_fold_watched(&run.fold, 0, 8 + y, 16 + y, 1).mean, figures[8 + y] - figures[16 + y]);
}

/* ---- weights ------------------------------------------------------------------------------------------------- */

static const char weighted_people[] = "state,sex,region,age,time_in_state,weight\n"
                                      "idle,woman,north,24.5,0,0.75\nwork,man,south,29,2.5,12\n"
                                      "work,woman,north,49.875,0.5,1\nill,man,north,35,1,0.25\n"
                                      "idle,man,south,61,4,3.5\nwork,woman,south,22,0,1000\n";

struct weighed {
    double output[ARMS], jobs[ARMS], stock[ARMS], persons;
};

static void weigh_life(const struct world_life *life, void *data)
{
    struct weighed *w = data;
    struct valued v = {.to = 8, .output = true};
    struct counts c = {{0}, {0}, {0}, {0}, {0}, {0}};
    const double weight = (double)life->person->weight / 256;
    value_life(life, &v);
    count_life(life, &c);
    w->output[life->i_arm] += weight * v.totals[life->i_arm];
    w->jobs[life->i_arm] += weight * c.jobs[life->i_arm];
    w->stock[life->i_arm] += weight * c.stock[life->i_arm];
    w->persons += life->i_arm == 0 ? weight : 0;
}

Test(collect, people_count_by_their_weight)
{
    static char scenario[8192];
    static char people[65536];
    const char *from = strstr(world_scenario, "population:"), *after = strstr(world_scenario, "arms:");
    struct pk_attachments files = {.n = 1};
    struct pk_problems problems;
    struct pk_error error;
    struct weighed w = {.persons = 0};
    tear_down();
    snprintf(people, sizeof people, "%s", weighted_people);
    for (size_t i = 0; i < 8; i++) /* 8 times the same six */
        strcat(people, strchr(weighted_people, '\n') + 1);
    files.items[0] = (struct pk_attachment){.name = "people.csv", .text = people, .size = strlen(people)};
    snprintf(scenario, sizeof scenario, "%.*spopulation: {people: people.csv}\n%s", (int)(from - world_scenario),
             world_scenario, after);
    char *cohort = strstr(scenario, "  cohort: {"), *next = strstr(scenario, "  stock: {measure");
    memmove(cohort, next, strlen(next) + 1);
    pk_problems_init(&problems);
    pk_plan_init(&world.plan);
    cr_assert_eq(pk_load_texts("s.yaml", scenario, strlen(scenario), "m.yaml", world_model, strlen(world_model), NULL,
                               &files, &world.scenario, &world.model, &problems),
                 PK_OK, "%s", problems.n_kept > 0 ? problems.items[0].message : "");
    pk_problems_free(&problems);
    cr_assert_eq(pk_variants_values(&world.values, &world.model, &world.scenario, NULL, 0, NULL, 0, &error), PK_OK);
    cr_assert_eq(pk_plan_compile(&world.plan, &world.model, &world.scenario, &world.values, &error), PK_OK);
    support_run(&world, NULL, &run);
    ready = true;
    world_each(&world, 3, weigh_life, &w);
    double persons = 0;
    for (size_t u = 0; u < run.fold.n_units; u++)
        persons += run.fold.persons[u];
    cr_expect_eq(persons, w.persons);
    for (size_t a = 0; a < ARMS; a++) {
        double spells;
        world_total(&run, 0, a, "mean_spell", &spells);
        cr_expect_eq(spells, w.jobs[a]);
        cr_expect_eq(world_total(&run, 0, a, "stock", NULL), w.stock[a]);
        double found = world_total(&run, 0, a, "output", NULL);
        cr_expect_float_eq(found, w.output[a], 1e-11 * w.output[a], "%.15g %.15g", found, w.output[a]);
    }
    double stock = 0; /* everybody at the start, of any sex, age and state */
    const struct pk_folded *folded = &run.fold.folded[0];
    for (size_t i = 0; i < folded->n_cells; i += folded->n_columns)
        stock += folded->y[i];
    cr_expect_eq(stock, w.persons);
    int64_t in_bins = 0;
    for (size_t k = 0; k < 5; k++)
        in_bins += run.fold.bins[1].counts[k];
    cr_expect_eq((double)in_bins / 256, w.persons, "histograms count in units of weight");
}

/* ---- stopping early ------------------------------------------------------------------------------------------- */

Test(collect, stopping_early_is_a_run_of_fewer_replications)
{
    struct pk_run fewer;
    struct pk_fold fold;
    struct pk_batch batch;
    struct pk_error error;
    struct pk_run_options options = {.n_replications = 2};
    world.scenario.batches = 2;
    support_run(&world, &options, &fewer);
    cr_assert_eq(fewer.fold.n_units, 2);
    cr_assert_eq(pk_fold_init(&fold, &fewer.collection, 9, true, &error), PK_OK);
    cr_assert_eq(pk_batch_init(&batch, &fewer.collection, &error), PK_OK);
    struct pk_life *life = pk_alloc(1, sizeof *life), *with = pk_alloc(1, sizeof *with);
    for (uint32_t r = 0; r < 2; r++) {
        struct pk_crowd crowd;
        pk_crowd_make(&world.plan, r, &crowd);
        for (uint64_t i = 0; i < crowd.n_persons; i++) {
            struct pk_person person;
            struct pk_enrolled items[PK_MAX_ENROLMENTS];
            struct pk_treatment treatment;
            const struct pk_life *arms[ARMS] = {NULL};
            pk_person_make(&world.plan, r, pk_crowd_id(&crowd, i), &person);
            uint64_t lotteries = pk_lottery_shares(&world.plan, &person);
            cr_assert_eq(pk_life_run(&world.plan, &person, NULL, life, &error), PK_OK);
            if (pk_lottery_treatment(&world.plan, 1, lotteries, &person, NULL, items, &treatment)) {
                cr_assert_eq(pk_life_run(&world.plan, &person, &treatment, with, &error), PK_OK);
                arms[1] = with;
            }
            pk_batch_add(&batch, &person, life, arms, lotteries != 0, PK_EVERYONE_ALL);
        }
        pk_fold_add(&fold, &batch, true);
        pk_batch_clear(&batch);
    }
    pk_fold_stop(&fold);
    cr_expect_eq(fold.n_units, 2);
    const size_t n = 2 * 2 * ARMS;
    cr_expect_arr_eq(fold.outcomes, fewer.fold.outcomes, n * world.scenario.n_outcomes * sizeof(double));
    cr_expect_arr_eq(fold.denominators, fewer.fold.denominators, n * world.scenario.n_outcomes * sizeof(double));
    cr_expect_arr_eq(fold.basis, fewer.fold.basis, n * fewer.collection.n_basis * sizeof(double));
    cr_expect_arr_eq(fold.persons, fewer.fold.persons, 4 * sizeof(double));
    for (size_t i = 0; i < world.scenario.n_outcomes; i++) {
        struct pk_mean x = pk_fold_outcome(&fold, 1, 1, 0, i), y = pk_fold_outcome(&fewer.fold, 1, 1, 0, i);
        cr_expect(x.mean == y.mean && x.standard_error == y.standard_error);
    }
    pk_free(life);
    pk_free(with);
    pk_batch_free(&batch);
    pk_fold_free(&fold);
    pk_run_free(&fewer);
}

/* ---- any threads, any blocks --------------------------------------------------------------------------------- */

Test(collect, everything_is_the_same_for_any_blocks)
{
    struct pk_run other;
    const struct pk_run_options options = {.n_threads = 3, .block_size = 7};
    support_run(&world, &options, &other);
    const struct pk_fold *f = &run.fold, *g = &other.fold;
    const size_t n = 2 * f->n_units * ARMS;
    cr_expect_arr_eq(f->outcomes, g->outcomes, n * world.scenario.n_outcomes * sizeof(double));
    cr_expect_arr_eq(f->denominators, g->denominators, n * world.scenario.n_outcomes * sizeof(double));
    cr_expect_arr_eq(f->basis, g->basis, n * run.collection.n_basis * sizeof(double));
    cr_expect_arr_eq(f->watched, g->watched, f->n_units * 27 * sizeof(double));
    for (size_t i = 0; i < f->n_bins; i++)
        cr_expect_arr_eq(f->bins[i].counts, g->bins[i].counts, 10 * sizeof(int64_t));
    pk_run_free(&other);
}
