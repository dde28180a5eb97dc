/* The events of some people's lives. See log.h. */
#include "polku/log.h"

#include <string.h>

#include "polku/enrolled.h"

#define TICKS_PER_YEAR (12.0 * PK_TICKS_PER_MONTH)

static enum pk_status make_room(struct pk_log *log, size_t more, struct pk_error *error)
{
    if (log->n_rows + more <= log->room)
        return PK_OK;
    if (log->n_rows + more > PK_LOG_MAX_ROWS)
        return pk_error_set(error, PK_BAD_INPUT,
                            "the event log has more than %d rows, one a spell, person and arm; log fewer people "
                            "(event_log: {persons: ...})",
                            PK_LOG_MAX_ROWS);
    size_t room = 2 * (log->n_rows + more);
    room = room < PK_LOG_MAX_ROWS ? room : PK_LOG_MAX_ROWS;
    uint8_t *values = pk_realloc(log->values, room, log->n_attributes > 0 ? log->n_attributes : 1);
    if (values == NULL)
        return pk_error_set(error, PK_NO_MEMORY, "no memory for the event log");
    log->values = values;
    int64_t **whole[] = {&log->arms, &log->persons, &log->from, &log->to, &log->status};
    double **years[] = {&log->start_years, &log->stop_years};
    for (size_t i = 0; i < 7; i++) {
        void *grown = pk_realloc(i < 5 ? (void *)*whole[i] : (void *)*years[i - 5], room, 8);
        if (grown == NULL)
            return pk_error_set(error, PK_NO_MEMORY, "no memory for the event log");
        if (i < 5)
            *whole[i] = grown;
        else
            *years[i - 5] = grown;
    }
    log->room = room;
    return PK_OK;
}

static enum pk_status add_life(struct pk_log *log, const struct pk_plan *plan, size_t i_arm,
                               const struct pk_person *person, const struct pk_life *life, struct pk_error *error)
{
    enum pk_status status = make_room(log, life->n_events + 1, error);
    if (status != PK_OK)
        return status;
    size_t state = life->start_state;
    double start = (double)life->start_tick / TICKS_PER_YEAR;
    for (size_t i = 0; i <= life->n_events; i++) {
        bool event = i < life->n_events;
        size_t to = event ? plan->arcs[life->events[i].arc].i_to : state, row = log->n_rows++;
        double stop = event ? (double)life->events[i].tick / TICKS_PER_YEAR : plan->horizon / 12;
        log->arms[row] = (int64_t)i_arm;
        log->persons[row] = (int64_t)person->id;
        log->from[row] = (int64_t)state;
        log->to[row] = (int64_t)to;
        log->status[row] = event;
        log->start_years[row] = start;
        log->stop_years[row] = stop;
        memcpy(log->values + row * log->n_attributes, person->values, log->n_attributes);
        state = to;
        start = stop;
    }
    return PK_OK;
}

static enum pk_status log_person(struct pk_log *log, const struct pk_people_enrolled *enrolled, uint64_t lotteries,
                                 const struct pk_person *person, struct pk_life *life, struct pk_error *error)
{
    const struct pk_plan *plan = enrolled->plan;
    enum pk_status status = PK_OK;
    for (size_t a = 0; a < plan->n_arms && status == PK_OK; a++) {
        struct pk_enrolled items[PK_MAX_ENROLMENTS];
        struct pk_treatment treatment;
        bool treated = pk_lottery_treatment(plan, a, lotteries, person, enrolled->granted, items, &treatment);
        status = pk_life_run(plan, person, treated ? &treatment : NULL, life, error);
        if (status == PK_OK)
            status = add_life(log, plan, a, person, life, error);
    }
    return status;
}

enum pk_status pk_log_make(struct pk_log *log, const struct pk_plan *plan, int64_t n_persons, bool of_enrolled,
                           struct pk_error *error)
{
    struct pk_people_enrolled enrolled;
    memset(log, 0, sizeof *log);
    log->n_attributes = plan->n_attributes;
    enum pk_status status = pk_people_enrol(&enrolled, plan, 0, 0, error);
    if (status != PK_OK)
        return status;
    struct pk_life *life = pk_alloc(1, sizeof *life);
    if (life == NULL)
        status = pk_error_set(error, PK_NO_MEMORY, "no memory for the event log");
    for (uint64_t i = 0; i < enrolled.crowd.n_persons && n_persons > 0 && status == PK_OK; i++) {
        struct pk_person person;
        pk_person_make(plan, 0, pk_crowd_id(&enrolled.crowd, i), &person);
        const uint64_t lotteries = pk_people_won(&enrolled, &person);
        if (of_enrolled && lotteries == 0)
            continue;
        status = log_person(log, &enrolled, lotteries, &person, life, error);
        n_persons--;
    }
    pk_free(life);
    pk_people_enrolled_free(&enrolled);
    if (status != PK_OK)
        pk_log_free(log);
    return status;
}

void pk_log_free(struct pk_log *log)
{
    if (log == NULL)
        return;
    pk_free(log->arms);
    pk_free(log->persons);
    pk_free(log->from);
    pk_free(log->to);
    pk_free(log->status);
    pk_free(log->start_years);
    pk_free(log->stop_years);
    pk_free(log->values);
    memset(log, 0, sizeof *log);
}
