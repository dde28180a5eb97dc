/* Reading hazards: products of parameters, tables, parametric forms. See load.h. */
#include <string.h>

#include "load_private.h"

/* NAME or [NAME, ...]: a product of parameters; the one table among them gives the clock. */
bool pk_load_product(struct pk_load *load, const struct pk_reader *r, unsigned units, struct pk_hazard *hazard)
{
    bool one = pk_reader_is(r, PK_YAML_SCALAR), good = true;
    if (!one && !pk_reader_expect(r, PK_YAML_SEQUENCE, "the name of a parameter or a list of names"))
        return false;
    size_t n = one ? 1 : pk_reader_count(r);
    if (n == 0 || n > PK_MAX_FACTORS) {
        pk_reader_problem(r, NULL, "names %zu parameters, expected 1 to %d", n, PK_MAX_FACTORS);
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        struct pk_reader item = one ? *r : pk_reader_item(r, i);
        size_t i_parameter;
        if (!pk_load_parameter(load, &item, units, true, &i_parameter)) {
            good = false;
            continue;
        }
        hazard->i_factors[hazard->n_factors++] = i_parameter;
        const struct pk_parameter *parameter = &load->model->parameters[i_parameter];
        if (parameter->n_values > 1 && hazard->on_clock) {
            pk_reader_problem(&item, NULL, "%s is a second table; a hazard runs on one clock", parameter->name);
            good = false;
        } else if (parameter->n_values > 1) {
            hazard->on_clock = true;
            hazard->clock = parameter->clock;
        }
    }
    return good;
}

/* How many factors are hazards: exactly one must be, the rest are ratios. */
void pk_load_check_product(const struct pk_load *load, const struct pk_reader *r, const struct pk_hazard *hazard,
                           size_t n_expected)
{
    size_t n_rates = 0;
    for (size_t i = 0; i < hazard->n_factors; i++)
        n_rates += load->model->parameters[hazard->i_factors[i]].unit == PK_UNIT_PER_YEAR;
    if (n_rates != n_expected)
        pk_reader_problem(r, NULL, "multiplies %zu hazards per_year, expected %zu; the other factors are ratios",
                          n_rates, n_expected);
    if (hazard->on_clock && hazard->clock == PK_CLOCK_BIRTH)
        pk_reader_problem(r, "use attributes for cohorts",
                          "holds a table on the date of birth, which is for fixed times by age only");
}

/* The unit that each parameter of each form must have. */
static enum pk_unit unit_of(enum pk_hazard_form form, size_t i_parameter)
{
    static const enum pk_unit units[PK_HAZARD_FORM_COUNT][3] = {
        [PK_HAZARD_CONSTANT] = {PK_UNIT_PER_YEAR},
        [PK_HAZARD_GOMPERTZ] = {PK_UNIT_SLOPE, PK_UNIT_PER_YEAR},
        [PK_HAZARD_WEIBULL] = {PK_UNIT_SHAPE, PK_UNIT_YEARS},
        [PK_HAZARD_WEIBULL_PH] = {PK_UNIT_SHAPE, PK_UNIT_REAL},
        [PK_HAZARD_LOG_LOGISTIC] = {PK_UNIT_SHAPE, PK_UNIT_YEARS},
        [PK_HAZARD_LOG_NORMAL] = {PK_UNIT_LOG_YEARS, PK_UNIT_SHAPE},
        [PK_HAZARD_GAMMA] = {PK_UNIT_SHAPE, PK_UNIT_PER_YEAR},
        [PK_HAZARD_GENERALISED_GAMMA] = {PK_UNIT_LOG_YEARS, PK_UNIT_SHAPE, PK_UNIT_REAL},
    };
    return units[form][i_parameter];
}

/* {shape: P, scale: P, clock: CLOCK, origin: DATE} */
static void read_form(struct pk_load *load, const struct pk_reader *r, struct pk_hazard *hazard)
{
    const size_t n = (size_t)pk_hazard_parameter_counts[hazard->form];
    const char *keys[6] = {0};
    struct pk_reader child;
    size_t i_clock;
    for (size_t i = 0; i < n; i++)
        keys[i] = pk_hazard_parameter_names[hazard->form][i];
    keys[n] = "clock";
    keys[n + 1] = "origin";
    if (!pk_reader_allow(r, keys))
        return;
    for (size_t i = 0; i < n; i++)
        if (pk_reader_need(r, keys[i], &child))
            (void)pk_load_parameter(load, &child, PK_UNITS(unit_of(hazard->form, i)), false, &hazard->i_form[i]);
    if (pk_reader_need(r, "clock", &child) &&
        pk_reader_choice(&child, pk_clock_names, PK_CLOCK_COUNT, &i_clock, "a clock"))
        hazard->clock = (enum pk_clock)i_clock;
    if (hazard->clock == PK_CLOCK_BIRTH)
        pk_reader_problem(r, NULL, "runs on the date of birth, which is no clock of a hazard");
    if (pk_reader_find(r, "origin", &child)) {
        int64_t day;
        if (hazard->clock != PK_CLOCK_CALENDAR)
            pk_reader_problem(&child, NULL, "is for the calendar clock only");
        else if (pk_reader_day(&child, &day)) {
            hazard->has_origin = true;
            hazard->origin = pk_scenario_months(day);
        }
    } else if (hazard->clock == PK_CLOCK_CALENDAR) {
        pk_reader_problem(r, "or use the clock since_start",
                          "runs on the calendar and names no origin (a date), where "
                          "its clock is 0");
    }
}

void pk_load_hazard(struct pk_load *load, const struct pk_reader *r, struct pk_hazard *hazard)
{
    const unsigned ratios = PK_UNITS(PK_UNIT_RATIO) | PK_UNITS(PK_UNIT_SHARE);
    const char *keys[PK_HAZARD_FORM_COUNT + 2] = {0};
    struct pk_reader form, child;
    size_t n_forms = 0, i_form = 0;
    if (!pk_reader_is(r, PK_YAML_MAPPING)) {
        if (pk_load_product(load, r, ratios | PK_UNITS(PK_UNIT_PER_YEAR), hazard))
            pk_load_check_product(load, r, hazard, 1);
        return;
    }
    for (size_t i = 0; i < PK_HAZARD_FORM_COUNT; i++)
        keys[i] = pk_hazard_form_names[i];
    keys[PK_HAZARD_FORM_COUNT] = "times";
    if (!pk_reader_allow(r, keys))
        return;
    for (size_t i = 0; i < PK_HAZARD_FORM_COUNT; i++)
        if (pk_reader_find(r, pk_hazard_form_names[i], &child)) {
            i_form = i;
            form = child;
            n_forms++;
        }
    if (n_forms != 1) {
        pk_reader_problem(r, NULL,
                          "names %zu forms, expected exactly one of constant, gompertz, weibull, weibull_ph, "
                          "log_logistic, log_normal, gamma, generalised_gamma",
                          n_forms);
        return;
    }
    if (pk_reader_find(r, "times", &child) && pk_load_product(load, &child, ratios, hazard) && hazard->on_clock)
        pk_reader_problem(&child, NULL, "holds a table; a parametric hazard has its own clock");
    hazard->form = (enum pk_hazard_form)i_form;
    hazard->parametric = true;
    hazard->on_clock = true;
    read_form(load, &form, hazard);
}
