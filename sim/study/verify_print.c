/* The verification as text and as JSON. See verify.h. */
#include <math.h>
#include <stdio.h>

#include "polku/verify.h"

static void population_name(char *text, size_t size, size_t i_population)
{
    if (i_population == 0)
        snprintf(text, size, "everyone");
    else
        snprintf(text, size, "enrolled_%zu", i_population);
}

static void print_rows(const struct pk_verification *v, const struct pk_model *model,
                       const struct pk_scenario *scenario, struct pk_text *text)
{
    char population[32];
    for (size_t i = 0; i < v->n_rows; i++) {
        const struct pk_verify_row *row = &v->rows[i];
        if (i == 0 || row->i_population != row[-1].i_population || row->i_arm != row[-1].i_arm) {
            population_name(population, sizeof population, row->i_population);
            pk_text_addf(text, "\n%s, arm %s (%.0f people)\n%8s  %-26s %12s %9s %12s %9s %7s\n", population,
                         scenario->arms[row->i_arm].name, v->people[row->i_population], "years", "state", "exact", "+-",
                         "simulated", "s.e.", "z");
        }
        pk_text_addf(text, "%8.4g  %-26s %12.8f %9.1e %12.8f %9.1e %7.2f%s\n", row->years,
                     model->states[row->i_state].name, row->exact, row->error, row->simulated, row->standard_error,
                     row->z, fabs(row->z) > v->bound ? "  <--" : "");
    }
}

void pk_verify_print(const struct pk_verification *v, const struct pk_model *model, const struct pk_scenario *scenario,
                     bool brief, struct pk_text *text)
{
    char population[32];
    if (!brief && v->any) {
        pk_text_addf(text, "Share of people in each state: by the analytic twin (with the error its steps may have) "
                           "and simulated\n");
        print_rows(v, model, scenario, text);
        pk_text_put(text, "\n");
    }
    pk_text_put(text, pk_text_string(&v->obstacles));
    if (!v->any) {
        pk_text_put(text, "nothing could be verified\n");
        return;
    }
    if (v->n_stations_held > 0)
        pk_text_addf(text,
                     "Places: at %.0f stations (places x arms x replications) people who asked, were served, went away "
                     "or wait, and Little's law in ticks: %s\n",
                     v->n_stations_held, v->n_wrong > 0 ? "THEY DO NOT ADD UP" : "all add up exactly");
    if (v->n_rows == 0)
        return;
    const struct pk_verify_row *worst = &v->rows[v->i_worst];
    population_name(population, sizeof population, worst->i_population);
    pk_text_addf(text,
                 "%zu figures, largest |z| %.2f (%s, arm %s, %s at %.4g years), bound %.2f: %s\n"
                 "Chance alone would pass the bound in 1 of 1,000 verifications of a correct program, unless asked "
                 "otherwise.\n",
                 v->n_judged, v->worst, population, scenario->arms[worst->i_arm].name,
                 model->states[worst->i_state].name, worst->years, v->bound,
                 v->passed ? "simulation and twin agree" : "SIMULATION AND TWIN DISAGREE");
}

void pk_verify_json(const struct pk_verification *v, const struct pk_model *model, const struct pk_scenario *scenario,
                    struct pk_text *text)
{
    char population[32];
    pk_text_addf(text, "{\"passed\": %s, \"verified\": %s, \"figures\": %zu, \"largest_z\": ",
                 v->passed && v->any ? "true" : "false", v->any ? "true" : "false", v->n_judged);
    pk_text_add_json_number(text, v->worst);
    pk_text_put(text, ", \"bound\": ");
    pk_text_add_json_number(text, v->bound);
    pk_text_addf(text, ", \"stations_held\": %.0f, \"stations_wrong\": %.0f", v->n_stations_held, v->n_wrong);
    pk_text_put(text, ", \"not_verified\": ");
    pk_text_add_json_string(text, pk_text_string(&v->obstacles));
    pk_text_put(text, ", \"rows\": [");
    for (size_t i = 0; i < v->n_rows; i++) {
        const struct pk_verify_row *row = &v->rows[i];
        const double numbers[] = {row->years, row->exact, row->error, row->simulated, row->standard_error, row->z};
        static const char *const names[] = {"years", "exact", "error", "simulated", "standard_error", "z"};
        population_name(population, sizeof population, row->i_population);
        pk_text_addf(text, "%s\n {\"population\": \"%s\", \"arm\": \"%s\", \"state\": \"%s\"", i ? "," : "", population,
                     scenario->arms[row->i_arm].name, model->states[row->i_state].name);
        for (size_t k = 0; k < 6; k++) {
            pk_text_addf(text, ", \"%s\": ", names[k]);
            pk_text_add_json_number(text, numbers[k]);
        }
        pk_text_put(text, "}");
    }
    pk_text_put(text, "]}\n");
}
