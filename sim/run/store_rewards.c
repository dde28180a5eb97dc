/* What reward outcomes are made of, so that new prices need no new run. See store.h.
 *
 *   value[replication][arm][outcome] = sum over its rows of quantity[replication][arm][row] x price[row] x
 *                                      arm_factor[arm][row]
 * price is a product of parameters as text, "a*b*c"; arm_factor is "" (1), a number or a parameter. */
#include <stdio.h>
#include <string.h>

#include "store_private.h"

static void put_names(struct pk_out *out, const struct pk_store *store)
{
    static const char *const labels[] = {"label_fi", "label_sv", "label_en"};
    const struct pk_model *model = store->model;
    const char *group = "/rewards", *dim = "reward";
    const size_t n = model->n_rewards;
    const char **texts = pk_out_names(out, model->rewards, n, sizeof *model->rewards);
    if (texts == NULL)
        return;
    pk_out_axis_texts(out, group, dim, n, texts, "reward of the model");
    for (size_t l = 0; l < PK_LANGUAGES; l++) {
        for (size_t i = 0; i < n; i++)
            texts[i] = model->rewards[i].label.in[l];
        pk_out_array_texts(out, group, labels[l], &dim, 1, n, texts, "label");
    }
    for (size_t i = 0; i < n; i++)
        texts[i] = model->rewards[i].unit;
    pk_out_array_texts(out, group, "unit", &dim, 1, n, texts, "unit");
    for (size_t i = 0; i < n; i++)
        texts[i] = model->rewards[i].payer != NULL ? model->rewards[i].payer : "";
    pk_out_array_texts(out, group, "payer", &dim, 1, n, texts, "who pays; empty: nobody in particular");
    for (size_t i = 0; i < n; i++)
        texts[i] = pk_reward_kind_names[model->rewards[i].kind];
    pk_out_array_texts(out, group, "kind", &dim, 1, n, texts, "effect, cost or transfer");
    pk_free(texts);
}

/* The products as texts in one block after the pointers. */
static void put_prices(struct pk_out *out, const struct pk_store *store)
{
    enum { ROOM = (PK_MAX_BASIS_FACTORS + 1) * 64 };
    const struct pk_collection *collection = &store->run->collection;
    const struct pk_scenario *scenario = store->scenario;
    const char *group = "/rewards", *dims[] = {"arm", "basis"};
    const size_t n = collection->n_basis, n_arms = scenario->n_arms;
    const char **texts = pk_out_room(out, n * n_arms, sizeof *texts);
    char(*room)[ROOM] = pk_out_room(out, n, sizeof *room),
    (*factors)[64] = pk_out_room(out, n * n_arms, sizeof *factors);
    if (texts == NULL || room == NULL || factors == NULL)
        goto done;
    for (size_t i = 0; i < n; i++) {
        size_t used = 0;
        for (size_t k = 0; k < collection->basis[i].n_factors; k++)
            used += (size_t)snprintf(room[i] + used, ROOM - used, "%s%s", k ? "*" : "",
                                     store->model->parameters[collection->basis[i].i_factors[k]].name);
        texts[i] = room[i];
    }
    pk_out_array_texts(out, group, "price", &dims[1], 1, n, texts, "parameters multiplied");
    for (size_t i = 0; i < n; i++)
        texts[i] = scenario->outcomes[collection->basis[i].i_outcome].name;
    pk_out_array_texts(out, group, "of_outcome", &dims[1], 1, n, texts, "outcome that it is part of");
    for (size_t i = 0; i < n; i++)
        texts[i] = store->model->rewards[collection->basis[i].i_reward].name;
    pk_out_array_texts(out, group, "of_reward", &dims[1], 1, n, texts, "reward that it is part of");
    for (size_t i = 0; i < n; i++)
        texts[i] = collection->basis[i].per_event ? "events" : "person-years";
    pk_out_array_texts(out, group, "unit_of_quantity", &dims[1], 1, n, texts, "what the price is for");
    for (size_t a = 0; a < n_arms; a++)
        for (size_t i = 0; i < n; i++) {
            const struct pk_number *ratios = scenario->arms[a].price_ratios;
            const struct pk_number *ratio = ratios == NULL ? NULL : &ratios[collection->basis[i].i_reward];
            char *factor = factors[a * n + i];
            if (ratio != NULL && ratio->i_parameter != SIZE_MAX)
                snprintf(factor, sizeof *factors, "%s", store->model->parameters[ratio->i_parameter].name);
            else if (ratio != NULL && ratio->literal != 1)
                snprintf(factor, sizeof *factors, "%.17g", ratio->literal);
            texts[a * n + i] = factor;
        }
    pk_out_array_texts(out, group, "arm_factor", dims, 2, n * n_arms, texts,
                       "the arm's own factor on the price: a number or a parameter; empty: 1");
done:
    pk_free(texts);
    pk_free(room);
    pk_free(factors);
}

void pk_store_put_rewards(struct pk_out *out, const struct pk_store *store)
{
    const struct pk_collection *collection = &store->run->collection;
    const struct pk_scenario *scenario = store->scenario;
    const struct pk_fold *fold = &store->run->fold;
    const char *group = "/rewards", *dims[] = {"population", "replication", "arm", "basis"};
    const size_t n = collection->n_basis, n_populations = 1 + store->plan->n_cohorts, n_units = fold->n_units;
    if (store->model->n_rewards == 0)
        return;
    put_names(out, store);
    if (n == 0)
        return;
    char populations[PK_MAX_ARMS + 1][24];
    const char *names[PK_MAX_ARMS + 1];
    const char **arms = pk_out_names(out, scenario->arms, scenario->n_arms, sizeof *scenario->arms);
    int64_t *places = pk_out_room(out, n > n_units ? n : n_units, sizeof *places);
    if (arms == NULL || places == NULL)
        goto done;
    for (size_t p = 0; p < n_populations; p++) {
        snprintf(populations[p], sizeof populations[p], p == 0 ? "everyone" : "enrolled_%zu", p);
        names[p] = populations[p];
    }
    for (size_t i = 0; i < n || i < n_units; i++)
        places[i] = (int64_t)i;
    pk_out_axis_texts(out, group, "population", n_populations, names, "whom it is about");
    pk_out_axis_integers(out, group, "replication", n_units, places, "replication, or keyed batch of one");
    pk_out_axis_texts(out, group, "arm", scenario->n_arms, arms, "arm of the comparison");
    pk_out_axis_integers(out, group, "basis", n, places, "quantities with one price, in one outcome");
    put_prices(out, store);
    pk_out_array_doubles(out, group, "quantity", dims, 4, n_populations * n_units * scenario->n_arms * n, fold->basis,
                         NULL, "person-years or events, discounted and weighted by age as the outcome says");
done:
    pk_free(arms);
    pk_free(places);
}
