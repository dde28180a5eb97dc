/* Numbers, calendar and lifetime of a scenario. See scenario.h. */
#include "polku/scenario.h"

#include <string.h>

#include "polku/text.h"

const char *const pk_measure_names[PK_MEASURE_COUNT] = {"occupancy", "person_years", "transitions",       "first_entry",
                                                        "spells",    "mean_spell",   "mean_age_at_entry", "reward"};

bool pk_measure_is_ratio(enum pk_measure measure)
{
    return measure == PK_MEASURE_MEAN_SPELL || measure == PK_MEASURE_MEAN_AGE;
}

const char *const pk_quantity_names[4] = {"person_years", "spells", "spell_length", "first_entry"};
const char *const pk_reward_kind_names[3] = {"effect", "cost", "transfer"};

double pk_number_value(const struct pk_number *number, const struct pk_values *values)
{
    return number->i_parameter == SIZE_MAX ? number->literal : values->used[number->i_parameter];
}

void pk_scenario_init(struct pk_scenario *scenario)
{
    memset(scenario, 0, sizeof *scenario);
    pk_arena_init(&scenario->arena);
}

void pk_scenario_free(struct pk_scenario *scenario)
{
    if (scenario == NULL)
        return;
    pk_arena_free(&scenario->arena);
    pk_scenario_init(scenario);
}

enum pk_status pk_scenario_arm(const struct pk_scenario *scenario, const char *name, size_t *i_arm,
                               struct pk_error *error)
{
    const char *names[PK_MAX_ARMS];
    for (*i_arm = 0; *i_arm < scenario->n_arms; ++*i_arm) {
        names[*i_arm] = scenario->arms[*i_arm].name;
        if (strcmp(names[*i_arm], name) == 0)
            return PK_OK;
    }
    return pk_text_unknown(error, "arm", name, names, scenario->n_arms);
}

enum pk_status pk_scenario_outcome(const struct pk_scenario *scenario, const char *name, size_t *i_outcome,
                                   struct pk_error *error)
{
    const char *names[PK_MAX_OUTCOMES];
    for (*i_outcome = 0; *i_outcome < scenario->n_outcomes; ++*i_outcome) {
        names[*i_outcome] = scenario->outcomes[*i_outcome].name;
        if (strcmp(names[*i_outcome], name) == 0)
            return PK_OK;
    }
    return pk_text_unknown(error, "outcome", name, names, scenario->n_outcomes);
}

void pk_scenario_date(int64_t day, int64_t *year, int *month, int *day_of_month)
{
    /* the civil date of a day: era of 400 years, years counted from March */
    int64_t z = day + 719468, era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t day_of_era = z - era * 146097;
    int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t shifted = (5 * day_of_year + 2) / 153; /* months since March */
    *day_of_month = (int)(day_of_year - (153 * shifted + 2) / 5) + 1;
    *month = (int)(shifted < 10 ? shifted + 3 : shifted - 9);
    *year = year_of_era + era * 400 + (*month <= 2);
}

double pk_scenario_months(int64_t day)
{
    static const double lengths[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int64_t year;
    int month, day_of_month;
    pk_scenario_date(day, &year, &month, &day_of_month);
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    double length = lengths[month - 1] + (month == 2 && leap);
    return (double)(year * 12 + month - 1) + (double)(day_of_month - 1) / length;
}
