/* A calibration for people, as JSON, and as a file that scenarios name. See calibrate.h. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "calibrate_private.h"

static void tell_marks(const struct pk_answer *answer, struct pk_text *text, const char *before, const char *after)
{
    const char *at = pk_text_string(&answer->marks);
    while (*at != '\0') {
        const size_t n = strcspn(at, "\n");
        pk_text_put(text, before);
        pk_text_add(text, at, n);
        pk_text_put(text, after);
        at += n + (at[n] == '\n');
    }
}

static void print_targets(const struct pk_answer *answer, struct pk_text *text)
{
    const struct pk_study *study = answer->study;
    size_t width = 6;
    for (size_t t = 0; t < study->n_targets; t++)
        width = strlen(study->targets[t].name) > width ? strlen(study->targets[t].name) : width;
    pk_text_addf(text, "\n%-*s %11s %11s %9s %11s %9s %7s  %s\n", (int)width, "target", "wanted", "reached",
                 answer->by_twin ? "steps" : "noise", "simulated", "s.e.", "misfit", "source");
    for (size_t t = 0; t < study->n_targets; t++) {
        const struct pk_calibration_target *target = &study->targets[t];
        const struct pk_reached *run = &answer->simulated[t];
        pk_text_addf(text, "%-*s %11.5g %11.5g ", (int)width, target->name, target->value, answer->reached[t].value);
        pk_text_addf(text, "%9.1e ",
                     answer->by_twin ? answer->reached[t].step_error : answer->reached[t].standard_error);
        if (isnan(run->value))
            pk_text_addf(text, "%11s %9s ", "-", "-");
        else
            pk_text_addf(text, "%11.5g %9.2g ", run->value, run->standard_error);
        pk_text_addf(text, "%7.2f  [%s] %s\n", answer->misfits[t], pk_source_names[target->source.kind],
                     target->source.text);
    }
    pk_text_addf(text, "\nmisfit: reached less wanted in standard errors (signed root of the deviance); %s\n",
                 answer->by_twin ? "steps: how far those of the twin may be off"
                                 : "noise: the simulation's standard error, which is added to the target's");
}

static void print_parameters(const struct pk_answer *answer, struct pk_text *text)
{
    const struct pk_study *study = answer->study;
    size_t width = 9;
    for (size_t k = 0; k < study->n_free; k++)
        width = strlen(study->free[k].name) > width ? strlen(study->free[k].name) : width;
    pk_text_addf(text, "\n%-*s %10s  %-23s  %-23s %9s  %s\n", (int)width, "parameter", "answer", "95 % by likelihood",
                 "95 % of the sample", "learnt", "bounds");
    for (size_t k = 0; k < study->n_free; k++) {
        const struct pk_profile *profile = &answer->profiles[k];
        char by_profile[64], by_sample[64];
        snprintf(by_profile, sizeof by_profile, "%s%.4g to %.4g%s", profile->low_open ? "<" : "", profile->low,
                 profile->high, profile->high_open ? ">" : "");
        snprintf(by_sample, sizeof by_sample, "%.4g to %.4g", answer->quantiles[k][0], answer->quantiles[k][2]);
        pk_text_addf(text, "%-*s %10.5g  %-23s  %-23s %7.0f %%  %.4g to %.4g\n", (int)width, study->free[k].name,
                     answer->values[k], by_profile, by_sample, 100 * fmax(answer->shrinkage[k], 0), study->free[k].low,
                     study->free[k].high);
    }
    for (size_t k = 0; k < study->n_tied; k++)
        pk_text_addf(text, "%-*s %10.5g  tied to %s\n", (int)width, study->tied[k].name,
                     study->tied[k].times * answer->values[study->tied[k].i_free] + study->tied[k].plus,
                     study->free[study->tied[k].i_free].name);
    pk_text_put(text, "\nlearnt: by how much the targets narrow what was thought before (1 - standard deviation after "
                      "over before)\n<, >: the interval ends at a bound, not by the targets\n");
}

void pk_answer_print(const struct pk_answer *answer, struct pk_text *text)
{
    const struct pk_study *study = answer->study;
    tell_marks(answer, text, "! ", "\n");
    if (pk_text_string(&answer->marks)[0] == '\0')
        pk_text_put(text, "one answer; every target is met and every free parameter is pinned down\n");
    pk_text_addf(text, "\n%s: %zu free parameters, %zu targets, deviance %.2f; %s (%lld evaluations)\n", study->title,
                 study->n_free, study->n_targets, answer->modes[0].deviance,
                 answer->by_twin ? "by the analytic twin" : "by simulation on common random numbers",
                 (long long)answer->n_evaluations);
    if (answer->by_twin)
        pk_text_addf(text, "steps of %.3g and %.3g months, extrapolated\n", answer->step_months,
                     0.5 * answer->step_months);
    else
        pk_text_addf(text, "not by the analytic twin: %s\n", pk_text_string(&answer->obstacle));
    print_targets(answer, text);
    print_parameters(answer, text);
    if (answer->n_modes > 1) {
        pk_text_put(text, "\nanswers\n");
        for (size_t m = 0; m < answer->n_modes; m++) {
            pk_text_addf(text, "%10.4g", answer->modes[m].deviance);
            for (size_t k = 0; k < study->n_free; k++)
                pk_text_addf(text, " %s %.5g", study->free[k].name, answer->modes[m].values[k]);
            pk_text_addf(text, "  (%zu starts)\n", answer->modes[m].n_starts);
        }
        pk_text_put(text, "deviance first; the sample has its part of each\n");
    }
    pk_text_put(text, "\nwhat the targets see, from least to most (information in units of the prior's)\n");
    for (size_t i = 0; i < study->n_free; i++) {
        pk_text_addf(text, "%10.3g  ", answer->information[i]);
        pk_calibrate_direction(answer, answer->directions[i], text);
        pk_text_put(text, "\n");
    }
    pk_text_addf(text, "\nsample: %zu draws, %zu different, worth %.0f, from %zu points\n", answer->n_draws,
                 answer->n_unique, answer->effective, answer->n_candidates);
}

/* ---- JSON ---- */

static void put(struct pk_text *text, const char *key, double value)
{
    pk_text_addf(text, ", \"%s\": ", key);
    pk_text_add_json_number(text, value);
}

static void put_list(struct pk_text *text, const char *key, const double *values, size_t n)
{
    pk_text_addf(text, ", \"%s\": [", key);
    for (size_t i = 0; i < n; i++) {
        pk_text_put(text, i ? ", " : "");
        pk_text_add_json_number(text, values[i]);
    }
    pk_text_put(text, "]");
}

static void json_marks(const struct pk_answer *answer, struct pk_text *text)
{
    const char *at = pk_text_string(&answer->marks);
    for (size_t i = 0; *at != '\0'; i++) {
        char line[2048];
        const size_t n = strcspn(at, "\n");
        snprintf(line, sizeof line, "%.*s", (int)n, at);
        pk_text_put(text, i ? ", " : "");
        pk_text_add_json_string(text, line);
        at += n + (at[n] == '\n');
    }
}

void pk_answer_json(const struct pk_answer *answer, struct pk_text *text)
{
    const struct pk_study *study = answer->study;
    pk_text_put(text, "{\"study\": ");
    pk_text_add_json_string(text, study->name);
    pk_text_addf(text, ", \"digest\": \"%016llx\", \"objective\": \"%s\", \"evaluations\": %lld,\n \"marks\": [",
                 (unsigned long long)answer->digest, answer->by_twin ? "twin" : "simulation",
                 (long long)answer->n_evaluations);
    json_marks(answer, text);
    pk_text_put(text, "],\n \"targets\": [");
    for (size_t t = 0; t < study->n_targets; t++) {
        pk_text_addf(text, "%s\n  {\"name\": \"%s\"", t ? "," : "", study->targets[t].name);
        put(text, "wanted", study->targets[t].value);
        put(text, "reached", answer->reached[t].value);
        put(text, "step_error", answer->reached[t].step_error);
        put(text, "simulated", answer->simulated[t].value);
        put(text, "simulated_standard_error", answer->simulated[t].standard_error);
        put(text, "misfit", answer->misfits[t]);
        pk_text_put(text, "}");
    }
    pk_text_put(text, "],\n \"parameters\": [");
    for (size_t k = 0; k < study->n_free; k++) {
        const struct pk_profile *profile = &answer->profiles[k];
        pk_text_addf(text, "%s\n  {\"name\": \"%s\"", k ? "," : "", study->free[k].name);
        put(text, "value", answer->values[k]);
        put(text, "likelihood_low", profile->low);
        put(text, "likelihood_high", profile->high);
        pk_text_addf(text, ", \"low_is_bound\": %s, \"high_is_bound\": %s", profile->low_open ? "true" : "false",
                     profile->high_open ? "true" : "false");
        put(text, "mean", answer->mean[k]);
        put(text, "standard_deviation", answer->sd[k]);
        put_list(text, "quantiles", answer->quantiles[k], 3);
        put(text, "shrinkage", answer->shrinkage[k]);
        put_list(text, "profile_at", profile->at, profile->n_points);
        put_list(text, "profile_excess", profile->excess, profile->n_points);
        pk_text_put(text, "}");
    }
    pk_text_put(text, "],\n \"modes\": [");
    for (size_t m = 0; m < answer->n_modes; m++) {
        const struct pk_mode *mode = &answer->modes[m];
        pk_text_addf(text, "%s\n  {\"best\": %s, \"starts\": %zu", m ? "," : "", mode->best ? "true" : "false",
                     mode->n_starts);
        put(text, "deviance", mode->deviance);
        put_list(text, "values", mode->values, study->n_free);
        pk_text_put(text, "}");
    }
    pk_text_put(text, "],\n \"seen\": [");
    for (size_t i = 0; i < study->n_free; i++) {
        pk_text_addf(text, "%s\n  {\"name\": \"\"", i ? "," : "");
        put(text, "information", answer->information[i]);
        put_list(text, "direction", answer->directions[i], study->n_free);
        pk_text_put(text, "}");
    }
    pk_text_addf(text, "],\n \"sample\": {\"draws\": %zu, \"different\": %zu, \"points\": %zu", answer->n_draws,
                 answer->n_unique, answer->n_candidates);
    put(text, "effective", answer->effective);
    pk_text_put(text, "}}\n");
}

/* ---- a file for scenarios ---- */

static void yaml_parameter(const struct pk_answer *answer, size_t i_parameter, double value, double low, double high,
                           const char *tied_to, struct pk_text *text)
{
    const struct pk_study *study = answer->study;
    const struct pk_parameter *parameter = &answer->model->parameters[i_parameter];
    pk_text_addf(text, "  %s:\n    value: %.8g\n    range: [%.8g, %.8g]   # 95 %% of the sample\n", parameter->name,
                 value, fmin(low, value), fmax(high, value));
    pk_text_addf(text, "    source: {calibrated: \"study %s", study->name);
    if (tied_to != NULL)
        pk_text_addf(text, ", tied to %s", tied_to);
    for (size_t t = 0; t < study->n_targets; t++)
        pk_text_addf(text, "%s%s", t ? ", " : ", fitted to ", study->targets[t].name);
    pk_text_put(text, "\"}\n");
}

void pk_answer_yaml(const struct pk_answer *answer, struct pk_text *text)
{
    const struct pk_study *study = answer->study;
    const char *at = pk_text_string(&answer->marks);
    pk_text_addf(text,
                 "# Written by polku calibrate; a scenario names this file under `calibrated`.\npolku: 1\n"
                 "calibrated: %s\ntitle: ",
                 study->name);
    pk_text_add_json_string(text, study->title);
    pk_text_addf(text, "\ndigest: \"%016llx\"\nmarks:%s\n", (unsigned long long)answer->digest,
                 *at == '\0' ? " []" : "");
    while (*at != '\0') {
        char line[2048];
        const size_t n = strcspn(at, "\n");
        snprintf(line, sizeof line, "%.*s", (int)n, at);
        pk_text_put(text, "  - ");
        pk_text_add_json_string(text, line);
        pk_text_put(text, "\n");
        at += n + (at[n] == '\n');
    }
    pk_text_put(text, "parameters:\n");
    for (size_t k = 0; k < study->n_free; k++)
        yaml_parameter(answer, study->free[k].i_parameter, answer->values[k], answer->quantiles[k][0],
                       answer->quantiles[k][2], NULL, text);
    for (size_t k = 0; k < study->n_tied; k++) {
        const struct pk_tied_parameter *tied = &study->tied[k];
        const double *quantiles = answer->quantiles[tied->i_free];
        const double a = tied->times * quantiles[0] + tied->plus, b = tied->times * quantiles[2] + tied->plus;
        yaml_parameter(answer, tied->i_parameter, tied->times * answer->values[tied->i_free] + tied->plus, fmin(a, b),
                       fmax(a, b), study->free[tied->i_free].name, text);
    }
}
