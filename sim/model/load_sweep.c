/* Reading the key sweep of a study. See sweep.h; factors: load_factors.c; figures and decision: load_figures.c. */
#include <string.h>

#include "load_sweep_private.h"

const char *const pk_method_names[PK_METHOD_COUNT] = {"one_way", "two_way", "factorial",    "latin_hypercube",
                                                      "morris",  "sobol",   "probabilistic"};

bool pk_method_is_grid(enum pk_method method)
{
    return method == PK_METHOD_ONE_WAY || method == PK_METHOD_TWO_WAY || method == PK_METHOD_FACTORIAL;
}

/* A key that only some methods know. */
static bool find_of(const struct pk_load_of_sweep *s, const struct pk_reader *r, const char *key, unsigned methods,
                    struct pk_reader *child)
{
    if (!pk_reader_find(r, key, child))
        return false;
    if (methods >> s->sweep->method & 1)
        return true;
    pk_reader_problem(child, NULL, "means nothing to the method %s", pk_method_names[s->sweep->method]);
    return false;
}

static void read_size(struct pk_load_of_sweep *s, const struct pk_reader *r)
{
    enum {
        GRIDS = 1u << PK_METHOD_ONE_WAY | 1u << PK_METHOD_TWO_WAY | 1u << PK_METHOD_FACTORIAL,
        DRAWN = 1u << PK_METHOD_LATIN_HYPERCUBE | 1u << PK_METHOD_SOBOL | 1u << PK_METHOD_PROBABILISTIC,
        MORRIS = 1u << PK_METHOD_MORRIS,
        SOBOL = 1u << PK_METHOD_SOBOL
    };
    struct pk_sweep *sweep = s->sweep;
    struct pk_reader child;
    sweep->n_levels = sweep->method == PK_METHOD_MORRIS ? 4 : sweep->method == PK_METHOD_ONE_WAY ? 2 : 3;
    sweep->n_draws = sweep->method == PK_METHOD_MORRIS ? 20 : sweep->method == PK_METHOD_SOBOL ? 256 : 1000;
    if (find_of(s, r, "draws", DRAWN, &child))
        (void)pk_reader_int_in(&child, 2, 1000000, &sweep->n_draws);
    if (find_of(s, r, "trajectories", MORRIS, &child))
        (void)pk_reader_int_in(&child, 2, 100000, &sweep->n_draws);
    if (find_of(s, r, "levels", GRIDS | MORRIS, &child) &&
        pk_reader_int_in(&child, 2, PK_MAX_LEVELS, &sweep->n_levels) && sweep->method == PK_METHOD_MORRIS &&
        sweep->n_levels % 2 != 0)
        pk_reader_problem(&child, NULL, "is %lld, expected an even number", (long long)sweep->n_levels);
    if (find_of(s, r, "second_order", SOBOL, &child))
        (void)pk_reader_bool(&child, &sweep->second_order);
}

static void read_simulation(struct pk_load_of_sweep *s, const struct pk_reader *r)
{
    static const char *const worlds[] = {"common", "independent"};
    struct pk_sweep *sweep = s->sweep;
    struct pk_reader child, share;
    size_t i = 0;
    sweep->independent = sweep->method == PK_METHOD_SOBOL || sweep->method == PK_METHOD_PROBABILISTIC;
    if (pk_reader_find(r, "randomness", &child) && pk_reader_choice(&child, worlds, 2, &i, "a kind of randomness"))
        sweep->independent = i == 1;
    if (sweep->independent && pk_method_is_grid(sweep->method)) {
        pk_reader_problem(&child, NULL, "is independent, which means nothing to %s: nothing is drawn",
                          pk_method_names[sweep->method]);
        sweep->independent = false;
    }
    sweep->replications = 1;
    sweep->batches = 32;
    sweep->most_replications = 100;
    sweep->n_pilot = 24;
    const bool has_share = pk_reader_find(r, "simulation_share", &share);
    if (pk_reader_find(r, "replications", &child)) {
        (void)pk_reader_int_in(&child, 1, 100000, &sweep->replications);
        if (has_share)
            pk_reader_problem(&share, NULL, "chooses the replications, which are given besides");
    } else if (has_share && pk_reader_double_in(&share, 0.001, 0.9, &sweep->simulation_share)) {
        sweep->replications = 0;
    }
    if (has_share && (pk_method_is_grid(sweep->method) || sweep->method == PK_METHOD_MORRIS))
        pk_reader_problem(&share, "say replications", "is a share of a variance over draws, and %s draws nothing",
                          pk_method_names[sweep->method]);
    if (pk_reader_find(r, "batches", &child))
        (void)pk_reader_int_in(&child, 2, 10000, &sweep->batches);
}

/* {NAME: [factor, ...] or others}: what no group names is a group of its own. */
static void read_groups(struct pk_load_of_sweep *s, const struct pk_reader *r)
{
    struct pk_sweep *sweep = s->sweep;
    struct pk_reader groups;
    const char *names[PK_MAX_SWEPT];
    bool taken[PK_MAX_SWEPT] = {false};
    sweep->groups = pk_load_alloc(&s->load, PK_MAX_SWEPT, sizeof *sweep->groups);
    if (sweep->groups == NULL)
        return;
    for (size_t f = 0; f < sweep->n_factors; f++)
        names[f] = sweep->factors[f].name;
    if (find_of(s, r, "groups", 1u << PK_METHOD_MORRIS | 1u << PK_METHOD_SOBOL, &groups) &&
        pk_reader_expect(&groups, PK_YAML_MAPPING, "groups of factors by name"))
        for (size_t g = 0; g < pk_reader_count(&groups) && g < PK_MAX_SWEPT; g++) {
            const struct pk_reader list = pk_reader_item(&groups, g);
            const char *name;
            static const char *const words[] = {"others"};
            size_t i_word;
            if (!pk_reader_key_name(&groups, g, &name))
                continue;
            if (pk_reader_is(&list, PK_YAML_SCALAR)) {
                if (!pk_reader_choice(&list, words, 1, &i_word, "a list of factors"))
                    continue;
                bool any = false;
                for (size_t f = s->n_named_factors; f < sweep->n_factors; f++)
                    if (!taken[f]) {
                        any = taken[f] = true;
                        sweep->factors[f].i_group = sweep->n_groups;
                    }
                if (!any)
                    continue;
            } else if (!pk_reader_expect(&list, PK_YAML_SEQUENCE, "a list of factors")) {
                continue;
            } else if (pk_reader_count(&list) == 0) {
                pk_reader_problem(&list, NULL, "is empty, expected factors");
                continue;
            }
            for (size_t f = 0; f < sweep->n_factors; f++)
                if (strcmp(names[f], name) == 0)
                    pk_load_problem_at_key(&groups, g, NULL, "is the name of a factor");
            for (size_t i = 0; pk_reader_is(&list, PK_YAML_SEQUENCE) && i < pk_reader_count(&list); i++) {
                const struct pk_reader item = pk_reader_item(&list, i);
                size_t f;
                if (!pk_reader_choice(&item, names, sweep->n_factors, &f, "a factor"))
                    continue;
                if (taken[f])
                    pk_reader_problem(&item, NULL, "is in a group already");
                taken[f] = true;
                sweep->factors[f].i_group = sweep->n_groups;
            }
            sweep->groups[sweep->n_groups] = pk_arena_text(s->load.arena, name);
            s->load.no_memory |= sweep->groups[sweep->n_groups++] == NULL;
        }
    for (size_t f = 0; f < sweep->n_factors; f++)
        if (!taken[f] && sweep->n_groups < PK_MAX_SWEPT) {
            sweep->factors[f].i_group = sweep->n_groups;
            sweep->groups[sweep->n_groups++] = names[f];
        }
}

/* Points of a grid; 0: too many. */
static double grid_points(const struct pk_sweep *sweep)
{
    double n = sweep->method == PK_METHOD_ONE_WAY ? 1 : sweep->method == PK_METHOD_FACTORIAL ? 1 : 0;
    for (size_t f = 0; f < sweep->n_factors; f++) {
        const double levels = (double)sweep->factors[f].n_levels;
        if (sweep->method == PK_METHOD_ONE_WAY)
            n += levels;
        else if (sweep->method == PK_METHOD_FACTORIAL)
            n *= levels;
        for (size_t k = 0; sweep->method == PK_METHOD_TWO_WAY && k < f; k++)
            n += levels * (double)sweep->factors[k].n_levels;
    }
    return n;
}

static void check_size(struct pk_load_of_sweep *s, const struct pk_reader *r)
{
    const struct pk_sweep *sweep = s->sweep;
    const double most = PK_MAX_POINTS, draws = (double)sweep->n_draws;
    const double n = pk_method_is_grid(sweep->method)    ? grid_points(sweep)
                     : sweep->method == PK_METHOD_MORRIS ? draws * (double)(sweep->n_groups + 1)
                     : sweep->method == PK_METHOD_SOBOL
                         ? draws * (double)((sweep->second_order ? 2 : 1) * sweep->n_groups + 2)
                         : draws;
    if (sweep->method == PK_METHOD_TWO_WAY && sweep->n_factors < 2)
        pk_reader_problem(r, NULL, "varies one factor two ways, expected two or more factors");
    if (n > most)
        pk_reader_problem(r, NULL, "makes %.0f points, at most %.0f are allowed", n, most);
}

void pk_load_sweep(struct pk_load_of_sweep *s, const struct pk_reader *root)
{
    static const char *const keys[] = {
        "method",  "draws", "trajectories", "levels", "second_order", "randomness", "replications", "simulation_share",
        "batches", "vary",  "others",       "leave",  "tied",         "groups",     "figures",      "outputs",
        NULL};
    struct pk_reader r, child;
    size_t i_method;
    if (!pk_reader_need(root, "sweep", &r) || !pk_reader_allow(&r, keys) || !pk_reader_need(&r, "method", &child) ||
        !pk_reader_choice(&child, pk_method_names, PK_METHOD_COUNT, &i_method, "a method"))
        return;
    s->sweep->method = (enum pk_method)i_method;
    s->sweep->decision.persons_per_year = 0;
    read_size(s, &r);
    read_simulation(s, &r);
    pk_load_factors(s, &r);
    read_groups(s, &r);
    if (pk_problems_errors(root->problems) == 0)
        check_size(s, &r);
    pk_load_figures(s, &r);
    pk_load_decision(s, root);
}
