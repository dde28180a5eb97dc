/* What a scenario compares, keeps of single lives, and varies. See load.h. */
#include <string.h>

#include "load_private.h"
#include "polku/text.h"

static const char *copied(struct pk_load *load, const char *text)
{
    const char *copy = pk_arena_text(load->arena, text);
    load->no_memory |= copy == NULL;
    return copy;
}

static void read_compare(struct pk_load *load, const struct pk_reader *root)
{
    static const char *const keys[] = {"per", "decides", "raw", "people", NULL},
                             *const of_per[] = {"label", "persons", NULL},
                             *const of_raw[] = {"heading", "parameters", NULL},
                             *const people[] = {"everyone", "enrolled"};
    size_t i_people;
    struct pk_scenario *scenario = load->scenario;
    struct pk_reader r, child, part;
    scenario->per_label = "all people";
    scenario->per_persons = (struct pk_number){.literal = 0, .i_parameter = SIZE_MAX};
    if (!pk_reader_find(root, "compare", &r) || !pk_reader_allow(&r, keys))
        return;
    if (pk_reader_find(&r, "people", &child) && pk_reader_choice(&child, people, 2, &i_people, "the people meant"))
        scenario->about_everyone = i_people == 0;
    if (pk_reader_find(&r, "per", &child) && pk_reader_allow(&child, of_per)) {
        const char *text;
        if (pk_reader_need(&child, "label", &part) && pk_reader_text(&part, &text))
            scenario->per_label = copied(load, text);
        if (pk_reader_need(&child, "persons", &part))
            (void)pk_load_number(load, &part, PK_UNITS(PK_UNIT_PERSONS), 1, 1e12, &scenario->per_persons);
    }
    if (pk_reader_find(&r, "raw", &child) && pk_reader_allow(&child, of_raw)) {
        const char *text;
        if (pk_reader_need(&child, "heading", &part) && pk_reader_text(&part, &text))
            scenario->raw_heading = copied(load, text);
        if (pk_reader_need(&child, "parameters", &part))
            pk_load_parameter_list(load, &part, &scenario->i_raw, &scenario->n_raw);
    }
    if (!pk_reader_find(&r, "decides", &child) || !pk_reader_expect(&child, PK_YAML_SEQUENCE, "a list of outcomes"))
        return;
    const char **names = pk_load_alloc(load, scenario->n_outcomes, sizeof *names);
    scenario->i_decides = pk_load_alloc(load, pk_reader_count(&child), sizeof *scenario->i_decides);
    for (size_t i = 0; i < scenario->n_outcomes && names != NULL; i++)
        names[i] = scenario->outcomes[i].name;
    for (size_t i = 0; i < pk_reader_count(&child) && !load->no_memory; i++) {
        struct pk_reader item = pk_reader_item(&child, i);
        if (pk_reader_choice(&item, names, scenario->n_outcomes, &scenario->i_decides[scenario->n_decides],
                             "an outcome"))
            scenario->n_decides++;
    }
}

/* event_log: {persons: N|all, of: everyone|enrolled} */
static void read_event_log(struct pk_load *load, const struct pk_reader *root)
{
    static const char *const keys[] = {"persons", "of", NULL}, *const of[] = {"everyone", "enrolled"};
    struct pk_reader r, child;
    int64_t n;
    size_t i = 0;
    if (!pk_reader_find(root, "event_log", &r) || !pk_reader_allow(&r, keys))
        return;
    if (pk_reader_need(&r, "persons", &child)) {
        if (pk_reader_is(&child, PK_YAML_SCALAR) && strcmp(child.node->text, "all") == 0)
            load->scenario->log_persons = INT64_MAX;
        else if (pk_reader_is(&child, PK_YAML_SCALAR) && pk_text_to_int64(child.node->text, &n))
            (void)pk_reader_int_in(&child, 0, 100000, &load->scenario->log_persons);
        else
            (void)pk_reader_mismatch(&child, "a whole number from 0 to 100000, or all", NULL);
    }
    if (pk_reader_find(&r, "of", &child) && pk_reader_choice(&child, of, 2, &i, "a set of people"))
        load->scenario->log_enrolled = i == 1;
}

static void read_variants(struct pk_load *load, const struct pk_reader *root)
{
    struct pk_scenario *scenario = load->scenario;
    struct pk_reader r;
    if (!pk_reader_find(root, "variants", &r) ||
        !pk_reader_expect(&r, PK_YAML_MAPPING, "a mapping of topics to variants"))
        return;
    size_t n = 0;
    for (size_t i = 0; i < pk_reader_count(&r); i++) {
        struct pk_reader topic = pk_reader_item(&r, i);
        n += pk_reader_count(&topic);
    }
    scenario->variants = pk_load_alloc(load, n, sizeof *scenario->variants);
    for (size_t i = 0; i < pk_reader_count(&r) && scenario->variants != NULL; i++) {
        struct pk_reader topic = pk_reader_item(&r, i);
        if (!pk_reader_expect(&topic, PK_YAML_MAPPING, "a mapping of variants to what they set"))
            continue;
        for (size_t k = 0; k < pk_reader_count(&topic); k++) {
            struct pk_reader item = pk_reader_item(&topic, k);
            struct pk_variant *variant = &scenario->variants[scenario->n_variants++];
            variant->topic = copied(load, pk_reader_key(&r, i));
            variant->name = copied(load, pk_reader_key(&topic, k));
            variant->n_sets = pk_load_sets(load, &item, variant->sets);
        }
    }
}

void pk_load_outcomes(struct pk_load *load, const struct pk_reader *root)
{
    pk_load_tables(load, root);
    pk_load_histograms(load, root);
    pk_load_read_outcomes(load, root);
    read_compare(load, root);
    read_event_log(load, root);
    read_variants(load, root);
    pk_load_bridge(load, root);
}
