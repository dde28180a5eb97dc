/* A bridge into a result file. See store.h. */
#include <math.h>
#include <stdio.h>

#include "store_private.h"

struct put {
    struct pk_out *out;
    size_t n; /* stages */
    double *room;
    const char *units;
};

/* One nan, so that the digest is of what is told. */
static double told(double value, bool is_told)
{
    return is_told && !isnan(value) ? value : (double)NAN;
}

/* One figure and its standard error, along the steps; the start has none where only steps do. */
static void put_figure(struct put *put, const char *name, const struct pk_mean *means, bool of_start,
                       const char *long_name)
{
    static const char *const dim = "step";
    char error_name[64], about[160];
    for (size_t i = 0; i < put->n; i++)
        put->room[i] = told(means[i].mean, i > 0 || of_start);
    pk_out_array_doubles(put->out, "/bridge", name, &dim, 1, put->n, put->room, put->units, long_name);
    for (size_t i = 0; i < put->n; i++)
        put->room[i] = told(means[i].standard_error, i > 0 || of_start);
    snprintf(error_name, sizeof error_name, "%s_se", name);
    snprintf(about, sizeof about, "simulation standard error of %s", name);
    pk_out_array_doubles(put->out, "/bridge", error_name, &dim, 1, put->n, put->room, put->units, about);
}

static void put_runs(struct pk_out *out, const char *name, char (*of)[24], size_t n, const char **texts,
                     const char *long_name)
{
    static const char *const dim = "step";
    for (size_t i = 0; i < n; i++)
        texts[i] = of[i];
    pk_out_array_texts(out, "/bridge", name, &dim, 1, n, texts, long_name);
}

void pk_store_put_bridge(struct pk_out *out, const struct pk_store *store)
{
    static const char *const dim = "step", *const labels[] = {"label_fi", "label_sv", "label_en"};
    const struct pk_bridge *bridge = &store->scenario->bridge;
    const struct pk_bridge_figures *figures = store->bridge;
    if (figures == NULL || figures->n_stages == 0)
        return;
    const size_t n = figures->n_stages;
    const struct pk_outcome *outcome = &store->scenario->outcomes[bridge->i_outcome];
    const char **texts = pk_out_room(out, n, sizeof *texts);
    struct put put = {.out = out,
                      .n = n,
                      .room = pk_out_room(out, n, sizeof(double)),
                      .units = pk_store_unit_of(store->model, outcome)};
    if (texts != NULL && put.room != NULL) {
        pk_out_integer(out, "/bridge", "replications", figures->n_replications);
        for (size_t i = 0; i < n; i++)
            texts[i] = i == 0 ? "start" : bridge->steps[i - 1].name;
        pk_out_axis_texts(out, "/bridge", dim, n, texts, "the start, then each step in the stated order");
        for (size_t l = 0; l < PK_LANGUAGES; l++) {
            for (size_t i = 0; i < n; i++)
                texts[i] = i == 0 ? bridge->start_label.in[l] : bridge->steps[i - 1].label.in[l];
            pk_out_array_texts(out, "/bridge", labels[l], &dim, 1, n, texts, "label");
        }
        for (size_t i = 0; i < n; i++)
            texts[i] = outcome->name;
        pk_out_array_texts(out, "/bridge", "outcome", &dim, 1, n, texts, "what is told, the same for all");
        for (size_t i = 0; i < n; i++)
            texts[i] = store->scenario->arms[bridge->i_arm].name;
        pk_out_array_texts(out, "/bridge", "arm", &dim, 1, n, texts, "of which arm, the same for all");
        texts[0] = "";
        for (size_t i = 1; i < n; i++) {
            const size_t i_against = bridge->steps[i - 1].i_against;
            texts[i] = i_against == SIZE_MAX ? texts[i - 1] : store->scenario->arms[i_against].name;
        }
        pk_out_array_texts(out, "/bridge", "against", &dim, 1, n, texts,
                           "less which arm, with the steps up to this one");
        pk_out_array_texts(out, "/bridge", "changed", &dim, 1, n, figures->changed,
                           "what the step sets, and the arm that it compares with");
        put_figure(&put, "value", figures->value, true, "the figure with the steps up to this one");
        put_figure(&put, "contribution", figures->added, false, "what the step adds to those before it");
        put_figure(&put, "first", figures->first, false, "what the step adds to the start, before all others");
        put_figure(&put, "last", figures->last, false, "what the step adds after all others");
        put_runs(out, "run", figures->of_value, n, texts, "main, or the variant with the steps up to this one");
        put_runs(out, "run_first", figures->of_first, n, texts, "main, or the variant with only this step");
        put_runs(out, "run_last", figures->of_last, n, texts, "main, or the variant with all steps but this one");
    }
    pk_free(texts);
    pk_free(put.room);
}
