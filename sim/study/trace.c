/* One person's life as a story. See trace.h. */
#include "polku/trace.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "polku/enrolled.h"

struct story {
    const struct pk_plan *plan;
    const struct pk_model *model;
    const struct pk_scenario *scenario;
    const struct pk_person *person;
    size_t language;
    struct pk_text *text;
};

/* The date of a time in months after the start: whole days of the mean month. */
static void add_date(const struct story *story, double months)
{
    int64_t day = story->scenario->start_day + (int64_t)floor(months * 365.25 / 12);
    /* the civil date of a day: era of 400 years, years counted from March */
    int64_t z = day + 719468, era = (z >= 0 ? z : z - 146096) / 146097, of_era = z - era * 146097;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100), shifted = (5 * of_year + 2) / 153;
    int64_t day_of_month = of_year - (153 * shifted + 2) / 5 + 1, month = shifted < 10 ? shifted + 3 : shifted - 9;
    pk_text_addf(story->text, "  %04d-%02d-%02d  %7.3f years", (int)(year + era * 400 + (month <= 2)), (int)month,
                 (int)day_of_month, months / 12);
    if (story->plan->origin.needs_age || story->plan->people.ages != NULL)
        pk_text_addf(story->text, ", aged %.2f", (story->person->age + months) / 12);
    pk_text_put(story->text, ": ");
}

static const char *state_name(const struct story *story, size_t i_state)
{
    return story->model->states[i_state].label.in[story->language];
}

static void tell_life(const struct story *story, const struct pk_life *life, const struct pk_treatment *treatment)
{
    double entered = (double)life->start_tick / PK_TICKS_PER_MONTH;
    size_t state = life->start_state, i_blocked = 0;
    add_date(story, entered);
    pk_text_addf(story->text, "%s", state_name(story, state));
    if (story->person->elapsed > 0 && state == story->person->state)
        pk_text_addf(story->text, ", for %.3f years already", story->person->elapsed / 12);
    pk_text_put(story->text, "\n");
    if (treatment != NULL && treatment->n == 0 && treatment->lost <= 0 && !treatment->has_start)
        pk_text_put(story->text, "  asked for a place and got none\n");
    for (size_t i = 0; treatment != NULL && i < treatment->n; i++) {
        add_date(story, treatment->items[i].from);
        pk_text_addf(story->text, "enrolled in %s\n",
                     story->model->services[treatment->items[i].i_service].label.in[story->language]);
    }
    if (treatment != NULL && treatment->lost > 0) {
        add_date(story, treatment->lost);
        pk_text_addf(story->text, "%s went to a client of a service instead\n",
                     story->model->transitions[treatment->i_lost].label.in[story->language]);
    }
    for (size_t i = 0; i <= life->n_events; i++) {
        int64_t until = i < life->n_events ? life->events[i].tick : INT64_MAX;
        for (; i_blocked < life->n_blocked && life->blocked[i_blocked].tick <= until; i_blocked++) {
            const struct pk_plan_arc *arc = &story->plan->arcs[life->blocked[i_blocked].arc];
            add_date(story, (double)life->blocked[i_blocked].tick / PK_TICKS_PER_MONTH);
            pk_text_addf(story->text, "%s to %s was prevented\n", story->model->transitions[arc->i_transition].name,
                         state_name(story, arc->i_to));
        }
        if (i == life->n_events)
            break;
        const struct pk_plan_arc *arc = &story->plan->arcs[life->events[i].arc];
        double now = (double)life->events[i].tick / PK_TICKS_PER_MONTH;
        add_date(story, now);
        pk_text_addf(story->text, "%s -> %s (%s%s, after %.3f years)\n", state_name(story, arc->i_from),
                     state_name(story, arc->i_to), story->model->transitions[arc->i_transition].name,
                     arc->diverted ? ", prevented, led elsewhere" : "", (now - entered) / 12);
        entered = now;
        state = arc->i_to;
    }
    if (!story->plan->states[state].absorbing) {
        add_date(story, story->plan->horizon);
        pk_text_addf(story->text, "the simulation ends; %s for %.3f years\n", state_name(story, state),
                     (story->plan->horizon - entered) / 12);
    }
}

static void introduce(const struct story *story, uint32_t replication)
{
    const struct pk_person *person = story->person;
    pk_text_addf(story->text, "Person %llu of replication %u, seed %llu", (unsigned long long)person->id, replication,
                 (unsigned long long)story->plan->seed);
    for (size_t a = 0; a < story->model->n_attributes; a++)
        pk_text_addf(story->text, ", %s: %s", story->model->attributes[a].label.in[story->language],
                     story->model->attributes[a].value_labels[person->values[a]].in[story->language]);
    for (size_t f = 0; f < story->plan->n_frailties; f++)
        pk_text_addf(story->text, ", %s: %.4f", story->model->frailties[f].name, person->frailties[f]);
    for (size_t c = 0; c < story->plan->n_cures; c++)
        if (person->cured >> c & 1)
            pk_text_addf(story->text, ", %s will never happen",
                         story->model->transitions[story->plan->cures[c].i_transition].name);
    pk_text_put(story->text, "\n");
}

static bool same_life(const struct pk_life *a, const struct pk_life *b)
{
    bool same = a->n_events == b->n_events && a->start_state == b->start_state && a->n_blocked == b->n_blocked;
    for (size_t i = 0; same && i < a->n_events; i++)
        same = a->events[i].tick == b->events[i].tick && a->events[i].arc == b->events[i].arc;
    return same;
}

/* Whether the id is one of those in the replication. */
static bool is_there(const struct pk_crowd *crowd, uint64_t id)
{
    uint64_t low = 0, high = crowd->n_persons; /* ids ascend with indices */
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        if (pk_crowd_id(crowd, middle) < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < crowd->n_persons && pk_crowd_id(crowd, low) == id;
}

/* The lotteries that one person wins: of N places, if fewer than N eligible people have a smaller number. */
static uint64_t won_by(const struct pk_plan *plan, const struct pk_person *person)
{
    uint64_t won = pk_lottery_shares(plan, person);
    for (size_t i = 0; i < plan->n_lotteries; i++) {
        const struct pk_plan_lottery *lottery = &plan->lotteries[i];
        const struct pk_plan_target *target = &plan->targets[lottery->i_target];
        if (lottery->by_share || person->entry > 0 || !pk_person_is_eligible(plan, target, person))
            continue;
        uint64_t own = pk_person_lot(plan, lottery->i_target, person->replication, person->id), n_before = 0, n = 0;
        for (uint64_t id = 0; id < plan->n_persons && (lottery->quota > 0 || n_before < lottery->persons); id++) {
            struct pk_person other;
            uint64_t lot = pk_person_lot(plan, lottery->i_target, person->replication, id);
            const bool before = lot < own || (lot == own && id < person->id);
            if (!before && !(lottery->quota > 0))
                continue;
            pk_person_make(plan, person->replication, id, &other);
            const bool eligible = pk_person_is_eligible(plan, target, &other);
            n_before += eligible && before;
            n += eligible;
        }
        won |= (uint64_t)(n_before < pk_lottery_persons(lottery, n)) << i;
    }
    return won;
}

enum pk_status pk_trace_person(const struct pk_plan *plan, const struct pk_model *model,
                               const struct pk_scenario *scenario, uint32_t replication, uint64_t id, size_t language,
                               struct pk_text *text, struct pk_error *error)
{
    struct pk_crowd crowd;
    struct pk_person person;
    struct pk_life *lives = pk_alloc(2, sizeof *lives);
    const struct story story = {
        .plan = plan, .model = model, .scenario = scenario, .person = &person, .language = language, .text = text};
    pk_crowd_make(plan, replication, &crowd);
    if (lives == NULL)
        return pk_error_set(error, PK_NO_MEMORY, "no memory for a life");
    if (!is_there(&crowd, id)) {
        pk_free(lives);
        return pk_error_set(error, PK_BAD_INPUT, "there is no person %llu: ids go from %llu to %llu",
                            (unsigned long long)id, (unsigned long long)pk_crowd_id(&crowd, 0),
                            (unsigned long long)pk_crowd_id(&crowd, crowd.n_persons - 1));
    }
    pk_person_make(plan, replication, id, &person);
    introduce(&story, replication);
    struct pk_people_enrolled enrolled = {0};
    enum pk_status status = pk_life_run(plan, &person, NULL, &lives[0], error);
    if (status == PK_OK && plan->places_people) /* then all of the replication must be known */
        status = pk_people_enrol(&enrolled, plan, replication, 0, error);
    uint64_t lotteries = 0;
    if (status == PK_OK)
        lotteries = plan->places_people ? pk_people_won(&enrolled, &person) : won_by(plan, &person);
    if (status == PK_OK) {
        pk_text_put(text, "\nuntreated:\n");
        tell_life(&story, &lives[0], NULL);
    }
    for (size_t a = 0; a < plan->n_arms && status == PK_OK; a++) {
        struct pk_enrolled items[PK_MAX_ENROLMENTS];
        struct pk_treatment treatment;
        const char *name = scenario->arms[a].label.in[language];
        if (!pk_lottery_treatment(plan, a, lotteries, &person, enrolled.granted, items, &treatment)) {
            pk_text_addf(text, "\n%s: nothing is changed for this person\n", name);
            continue;
        }
        status = pk_life_run(plan, &person, &treatment, &lives[1], error);
        if (status != PK_OK)
            break;
        pk_text_addf(text, "\n%s%s:\n", name, same_life(&lives[0], &lives[1]) ? " (the same life)" : "");
        tell_life(&story, &lives[1], &treatment);
    }
    pk_people_enrolled_free(&enrolled);
    pk_free(lives);
    return status;
}
