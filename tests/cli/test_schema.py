#!/usr/bin/python3
"""The schemas for editors, models/model.schema.json and those of configs/ (scenario, calibrated, study, claims), say what the loader accepts.

Both ways: every list of keys and words in the loader's sources is an object or an enum of a schema and the other way
round; every key of a schema stands in some good file, where the loader knows it, and misspelt the loader names it;
without a key that the schema requires the loader refuses; every good file is valid and every malformed one is not, but
for those beyond a schema, which are listed here with the reason.
"""
import copy
import json
import os
import re
import shutil
import sys
import tempfile

sys.dont_write_bytecode = True
import jsonschema
import yaml
from checks import SOURCE, check, finish, polku

DATA = os.path.join(SOURCE, "tests", "data")
SCHEMAS = {"model": os.path.join(SOURCE, "models", "model.schema.json"),
           "scenario": os.path.join(SOURCE, "configs", "scenario.schema.json"),
           "calibrated": os.path.join(SOURCE, "configs", "calibrated.schema.json"),
           "study": os.path.join(SOURCE, "configs", "study.schema.json"),
           "claims": os.path.join(SOURCE, "configs", "claims.schema.json")}

# Malformed files that a schema accepts, by what it cannot see.
BEYOND = {
    "names: which states, attributes, parameters and others there are": """
        claims_against claims_arm claims_outcome
        model_at_least_no_hazard model_attribute_unknown model_hazard_no_rate model_hazard_two_rates
        model_hazard_two_tables model_hazard_unit model_probability_horizon model_ratio_value model_reward_by_age
        model_reward_by_age_number model_reward_ratio model_reward_transition model_reward_unit
        model_service_scale_by_hazard model_service_transition model_effect_ratios_value model_by_state_unit model_times_table model_unknown_parameter
        model_unknown_state model_hazard_form_unit model_frailty_unknown model_service_table_by_attribute
        model_times_table_of_ratios
        scenario_arm_prices scenario_arm_prices_unit scenario_attribute scenario_attribute_missing
        scenario_attribute_value scenario_decides scenario_elapsed_state scenario_enrol_state scenario_histogram_by
        scenario_inflow_unit scenario_inflow_table scenario_joint_value scenario_outcome_among
        scenario_outcome_rewards scenario_outcome_reward scenario_outcome_state scenario_parameter_taken
        scenario_raw_parameter scenario_replications_outcome scenario_reward_no_age scenario_service
        scenario_set_garbage scenario_set_outside scenario_set_parameter scenario_set_table scenario_table_by
        scenario_variant scenario_joint_fit_shares scenario_table_ages scenario_joint_two_tables
        scenario_no_age scenario_table_no_age scenario_outcome_mean_age_no_age scenario_enrol_age scenario_joint_and_shares scenario_histogram_shares
        scenario_people_inflow model_joint_value model_joint_two_tables scenario_joint_of_model
        scenario_joint_of_model_inflow model_places_priority_value model_places_coaches_ratio
        model_places_coaches_clock model_places_coaches_other_attribute model_places_enters_hazard
        scenario_enrol_rate_unit scenario_like_below scenario_places_word model_at_plus study_free_no_range
        study_free_persons study_free_switch study_free_table study_free_unknown study_objective_twin
        study_target_against study_target_arm study_target_events_years study_target_nobody study_target_of_years
        study_target_outcome study_target_per_inflow study_target_per_mean study_tied_cycle study_tied_itself
        study_tied_switch study_tied_table study_tied_to_unknown study_tied_unknown scenario_bridge_parameter
        scenario_bridge_parameter_start scenario_bridge_outcome scenario_bridge_arm scenario_bridge_against
        scenario_bridge_table scenario_bridge_alternative model_distribution_discrete_name model_distribution_table
        model_uncertainty_correlated_table model_uncertainty_dirichlet_unit model_uncertainty_unknown
        model_uncertainty_coefficients_switch model_uncertainty_twice model_uncertainty_hash
        model_uncertainty_parameters_name scenario_uncertainty_again scenario_uncertainty_parameters_name
        scenario_uncertainty_taken
        study_sweep_choice_instead_arm study_sweep_choice_instead_of study_sweep_choice_set_unknown
        study_sweep_decision_effect_unknown study_sweep_decision_know_factor study_sweep_decision_know_unknown
        study_sweep_decision_net_name study_sweep_decision_options_unknown study_sweep_figure_against
        study_sweep_figure_arm study_sweep_figure_no_arm study_sweep_figure_outcome study_sweep_figure_sum_unknown
        study_sweep_figure_sum_ratio study_sweep_figure_net_none study_sweep_groups_factor study_sweep_groups_unknown
        study_sweep_leave study_sweep_levels_word study_sweep_set_value study_sweep_set_of_grid study_sweep_tied_table
        study_sweep_tied_to study_sweep_tied_unknown study_sweep_vary_table study_sweep_vary_unknown
        study_sweep_vary_no_range""",
    "numbers beside others: the interval of a unit, sums, order, counts": """
        model_alternative_outside model_excess_below_one model_negative_rate model_range_without_value
        model_split_shares model_switch model_table_counts model_table_cuts
        scenario_age_descending scenario_arm_start scenario_attribute_shares scenario_date
        scenario_enrol_share scenario_enrol_quota_high scenario_histogram_counts scenario_histogram_edges
        scenario_horizon_half_month scenario_horizon_zero scenario_inflow_negative scenario_inflow_until
        scenario_joint_again scenario_joint_sum scenario_normal_nobody scenario_normal_order
        scenario_outcome_beyond scenario_outcome_from_after_to scenario_outcome_mean_age_order scenario_persons scenario_persons_half scenario_size
        scenario_size_zero scenario_state_shares scenario_step scenario_table_ages_order scenario_until_before
        scenario_until_day scenario_replications_against scenario_enrol_late model_joint_sum
        model_places_filled_zero scenario_enrol_to_before_from scenario_referral_late calibrated_range
        study_points study_prior_outside study_step study_step_years study_target_events_over_of study_target_log_negative
        study_target_of study_tied_outside study_transform_log study_transform_logit study_within_equal
        study_within_outside study_within_reversed study_within_share claims_gap_none claims_no_gap
        model_distribution_beta_moments model_distribution_beyond model_distribution_discrete_again
        model_distribution_discrete_sum model_distribution_duration model_distribution_far
        model_distribution_gamma_share model_distribution_log_normal_ends model_distribution_normal_nothing
        model_distribution_normal_order model_distribution_normal_rate model_distribution_one
        model_distribution_order model_distribution_switch model_distribution_value model_uncertainty_coefficients_far
        model_uncertainty_coefficients_share model_uncertainty_coefficients_unit
        model_uncertainty_correlation_definite model_uncertainty_correlation_diagonal
        model_uncertainty_correlation_mirror model_uncertainty_correlation_rows model_uncertainty_covariance_zero
        model_uncertainty_dirichlet_sum
        study_sweep_choice_set_value study_sweep_choice_shares study_sweep_choice_shares_some
        study_sweep_decision_thresholds_order study_sweep_distribution_beyond study_sweep_distribution_order
        study_sweep_levels_odd study_sweep_levels_outside study_sweep_levels_twice study_sweep_points
        study_sweep_two_way_one""",
    "what a model or a scenario means as a whole": """
        claims_against_itself
        model_excess_not_common model_leaves_absorbing model_self_loop model_service_on_mortality model_service_twice
        model_since_enrolment model_with_a_warning model_table_range model_probability_unit
        model_frailty_and_cure model_cure_at model_prevent_instead model_fidelity_replace
        scenario_conversion_cycle scenario_form_domain scenario_enrol_entry_persons scenario_histogram_twice
        scenario_ledgers_name scenario_outcome_entrants scenario_probability_unreachable
        scenario_table_twice scenario_two_services scenario_joint_fit_zeros model_by_service_effect model_by_service_split
        model_places_support_twice scenario_displacement_common scenario_enrol_quota_entry model_by_state_common model_by_state_not_left model_at_birth_clock
        model_at_table model_at_on_birth model_hazard_birth model_table_birth_years study_free_share
        study_prior_beta_ratio study_prior_transform study_target_against_itself study_target_events_person
        study_target_log_difference study_target_of_all study_target_of_difference study_tied_free
        scenario_bridge_against_itself scenario_bridge_against_twice scenario_bridge_end scenario_bridge_end_set
        scenario_bridge_end_own scenario_bridge_no_step scenario_bridge_step_nothing scenario_bridge_step_sets_nothing
        scenario_bridge_topic model_uncertainty_contradicts model_uncertainty_no_margin
        study_sweep_choice_moved study_sweep_choice_moved_after study_sweep_draws_of_grid
        study_sweep_figure_against_itself study_sweep_figure_net_own study_sweep_figure_net_sum
        study_sweep_figures_and_outputs study_sweep_groups_of_draws study_sweep_groups_twice study_sweep_levels_beside
        study_sweep_levels_drawn study_sweep_levels_of_draws study_sweep_outside_all study_sweep_outside_choice
        study_sweep_outside_decision study_sweep_outside_leave study_sweep_outside_levels
        study_sweep_outside_no_distribution study_sweep_outside_others study_sweep_outside_tied
        study_sweep_randomness_of_grid study_sweep_second_order_of_morris study_sweep_set_member study_sweep_set_twice
        study_sweep_share_of_grid study_sweep_share_of_morris study_sweep_tied_moved study_sweep_tied_varied
        study_sweep_trajectories_of_sobol study_sweep_vary_all_left""",
    "other files": """
        model_table_file_again model_table_file_attribute model_table_file_bands model_table_file_clock
        model_table_file_comma model_table_file_missing model_table_file_quote model_table_file_row
        model_table_file_value scenario_inflow_joint scenario_joint_file_cells scenario_joint_file_column
        scenario_joint_file_header scenario_joint_file_missing scenario_model_broken scenario_no_model
        scenario_people_age scenario_people_column scenario_people_empty scenario_people_hdf5 scenario_people_latin1
        scenario_people_missing scenario_people_no_age scenario_people_semicolons scenario_people_state
        scenario_people_weight model_joint_file_missing scenario_calibrated_broken scenario_calibrated_missing
        scenario_calibrated_model scenario_calibrated_outside scenario_calibrated_range_outside
        scenario_calibrated_scenario scenario_calibrated_shares scenario_calibrated_switch scenario_calibrated_table
        scenario_calibrated_two_files scenario_calibrated_unknown scenario_like_inside scenario_like_itself
        scenario_like_missing scenario_like_model scenario_like_needs scenario_like_without study_scenario_broken
        study_scenario_missing study_scenario_model study_scenario_study model_evidence_commas model_evidence_document
        model_evidence_missing model_evidence_no_id model_evidence_order model_evidence_tabs model_evidence_twice
        model_evidence_unknown model_evidence_words scenario_evidence_calibrated scenario_evidence_document
        scenario_evidence_unknown claims_document claims_id claims_id_gap claims_scenario_broken claims_scenario_claims
        claims_scenario_missing claims_scenario_model claims_scenario_two_ways model_uncertainty_file_column
        model_uncertainty_file_covariance model_uncertainty_file_definite model_uncertainty_file_dots
        model_uncertainty_file_mirror model_uncertainty_file_missing model_uncertainty_file_missing_covariance
        model_uncertainty_file_no_estimate model_uncertainty_file_number model_uncertainty_file_outside
        model_uncertainty_file_row model_uncertainty_file_scale model_uncertainty_file_switch
        model_uncertainty_file_unit""",
    "how a number is written; a key given twice": """
        model_number_huge model_number_octal model_parameter_twice study_free_twice study_target_twice claims_twice""",
}

# Lists of texts in the loader's sources that are neither all keys of a mapping nor all words of an enum.
OTHER_LISTS = {
    ("load_claims.c", "texts"): "keys of a claim whose texts may name rows of the ledger",
    ("load_like.c", "joined"): "keys of a scenario that are put together with those of the one it is like",
    ("load_transitions.c", "modes"): "the four ways of an effect, keys of it",
    ("load_parameters.c", "ways"): "the four ways to give a number, keys of a parameter",
    ("load_uncertain_sets.c", "ways"): "the four ways to be uncertain together, keys of such a set",
    ("load_distribution.c", "needs"): "what messages expect",
    ("load_scenario.c", "pk_file_kind_names"): "what messages call files",
    ("model.h", "SOURCE"): "those of a model's source, and the one of a calibrated file's",
    ("reader.c", "meaning_true"): "what messages suggest",
    ("reader.c", "meaning_false"): "what messages suggest",
}
# Enums of a schema that are a part of a loader's list.
PARTS = {("occupancy", "person_years", "transitions"): "the measures that a table may have"}


class Loader(yaml.SafeLoader):
    """YAML 1.2 as editors read it: dates are texts, and so are yes and on."""


Loader.yaml_implicit_resolvers = {}
for tag, pattern, first in (("bool", r"true|false", "tf"), ("null", r"~|null|", ["~", "n", ""]),
                            ("int", r"[-+]?[0-9]+", "-+0123456789"),
                            ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", "-+.0123456789")):
    Loader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(rf"^(?:{pattern})$"), list(first))
Loader.add_constructor("tag:yaml.org,2002:float", lambda loader, node: float(node.value))
Loader.add_constructor("tag:yaml.org,2002:int", lambda loader, node: int(node.value))


def read_text(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def read_yaml(path):
    return yaml.load(read_text(path), Loader)


def kind_of(document):
    """As the program tells models, scenarios, calibrated files, studies and claims apart."""
    if "claims" in document or "figures" in document:
        return "claims"
    if "calibrate" in document or ("study" in document and "population" not in document):
        return "study"
    if "scenario" in document or "population" in document:
        return "scenario"
    return "calibrated" if "calibrated" in document and "model" not in document else "model"


class Schema:
    def __init__(self, path):
        self.root = json.loads(read_text(path))
        jsonschema.Draft7Validator.check_schema(self.root)
        self.validator = jsonschema.Draft7Validator(self.root)

    def problems(self, document):
        return [f"{'.'.join(map(str, error.absolute_path))}: {error.message}"[:300]
                for error in self.validator.iter_errors(document)]

    def valid(self, schema, instance):
        return self.validator.evolve(schema=schema).is_valid(instance)

    def resolve(self, schema):
        while "$ref" in schema:
            schema = self.root["definitions"][schema["$ref"].removeprefix("#/definitions/")]
        return schema

    def walk(self, instance, schema=None, path=()):
        """(path, closed object) of every mapping in a document that the schema names the keys of."""
        schema = self.resolve(self.root if schema is None else schema)
        for choice in ("anyOf", "oneOf", "allOf"):
            for one in schema.get(choice, []):
                if set(one) != {"required"} and self.valid(one, instance):
                    yield from self.walk(instance, one, path)
        if isinstance(instance, dict):
            if schema.get("additionalProperties") is False:
                yield path, schema
            for key, value in instance.items():
                below = schema.get("properties", {}).get(key, schema.get("additionalProperties"))
                if isinstance(below, dict):
                    yield from self.walk(value, below, (*path, key))
        if isinstance(instance, list) and isinstance(schema.get("items"), dict):
            for i, value in enumerate(instance):
                yield from self.walk(value, schema["items"], (*path, i))

    def parts(self, schema=None):
        """Every schema in the schema, but for those of conditions."""
        schema = self.root if schema is None else schema
        if isinstance(schema, list):
            for below in schema:
                yield from self.parts(below)
        if isinstance(schema, dict):
            yield schema
            for key, below in schema.items():
                if key not in ("if", "then", "else") or "if" not in schema:
                    yield from self.parts(below)

    def closed(self):
        return [part for part in self.parts() if part.get("additionalProperties") is False]


def without_comments(text):
    return re.sub(r"/\*.*?\*/", " ", text, flags=re.S)


def words_in(text):
    return tuple(re.findall(r'"((?:[^"\\]|\\.)*)"', text))


def lists_of_loader():
    """(file, name, words, is a list of keys) of every list of texts: those that end with NULL are of keys."""
    folder = os.path.join(SOURCE, "sim", "model")
    for name in sorted(os.listdir(folder)):
        if not (name.startswith("load_") and name.endswith(".c")) and name not in ("reader.c", "model.c", "scenario.c"):
            continue
        text = without_comments(read_text(os.path.join(folder, name)))
        for found in re.finditer(r"\*const\s+(\w+)\s*\[\w*\]\s*=\s*\{([^{}]*)\}", text):
            rest = re.sub(r'"(?:[^"\\]|\\.)*"', "", found.group(2))
            if re.fullmatch(r"[\s,]*(NULL)?[\s,]*", rest):
                yield name, found.group(1), words_in(found.group(2)), "NULL" in rest
    model, hazard = (without_comments(read_text(os.path.join(SOURCE, "sim", *where)).replace("\\\n", " ")) for where in
                     (("model", "include", "polku", "model.h"), ("maths", "include", "polku", "hazard.h")))
    for name in ("CLOCK", "UNIT", "SOURCE"):
        yield "model.h", name, words_in(re.search(rf"#define PK_{name}_LIST\(X\)(.*)", model).group(1)), False
    forms = re.search(r"#define PK_HAZARD_FORM_LIST\(X\)(.*)", hazard).group(1)
    forms = [words_in(form) for form in re.findall(r"X\(([^)]*)\)", forms)]
    yield "hazard.h", "forms", (*(form[0] for form in forms), "times"), True
    for form in forms:
        yield "hazard.h", form[0], (*form[1:], "clock", "origin"), True


def single_words():
    """Words that the loader compares a scalar with, such as horizon."""
    folder = os.path.join(SOURCE, "sim", "model")
    return {word for name in os.listdir(folder) if name.startswith("load_")
            for word in re.findall(r'strcmp\((?:\w+(?:\.|->))*text, "(\w+)"\) == 0',
                                   read_text(os.path.join(folder, name)))}


def test_lists(schemas):
    """Against the sources, both ways."""
    lists = list(lists_of_loader())
    check(len(lists) > 60, f"{len(lists)} lists were found in the loader")
    closed = {frozenset(part["properties"]) for schema in schemas.values() for part in schema.closed()}
    enums = {tuple(part["enum"]) for schema in schemas.values() for part in schema.parts()
             if isinstance(part.get("enum"), list)}
    keys, words = set(), set()
    for file, name, texts, of_keys in lists:
        if (file, name) in OTHER_LISTS:
            continue
        keys.add(frozenset(texts))
        if of_keys:
            check(frozenset(texts) in closed, f"{file}, {name}: no object of a schema has exactly the keys {texts}")
        else: # of words, or of keys that are counted
            words.add(texts)
            check(texts in enums or frozenset(texts) in closed,
                  f"{file}, {name}: no enum and no object of a schema has exactly the words {texts}")
    for properties in closed - keys:
        check(False, f"no list of keys in the loader is {sorted(properties)}")
    for enum in enums - words - set(PARTS):
        check(False, f"no list of words in the loader is {enum}")
    consts = {part["const"] for schema in schemas.values() for part in schema.parts()
              if isinstance(part.get("const"), str)}
    found = single_words() - {"arm", "state", "age"}  # beside attributes: names to a schema
    check(consts == found, f"single words: {sorted(consts ^ found)} on one side only")


def test_descriptions(schemas):
    for kind, schema in schemas.items():
        for part in schema.closed():
            for key, below in part["properties"].items():
                text = below.get("description") or schema.resolve(below).get("description")
                check(text and text[-1] in ".)}", f"{kind}: the key {key} is not explained in a sentence: {text!r}")
    shared = set(schemas["model"].root["definitions"]) & set(schemas["scenario"].root["definitions"])
    check({"parameters", "table", "label"} <= shared, f"both schemas hold parameters: {sorted(shared)}")
    for name in shared:
        check(schemas["model"].root["definitions"][name] == schemas["scenario"].root["definitions"][name],
              f"{name} is the same in both schemas")
    for kind in ("study", "claims"):
        for name in set(schemas[kind].root["definitions"]) & set(schemas["scenario"].root["definitions"]):
            check(schemas[kind].root["definitions"][name] == schemas["scenario"].root["definitions"][name],
                  f"{name} is the same in the schemas of {kind} and scenario")


def good_files(folder):
    """Every good file in a copy of the tree, which the test may write into."""
    for name in ("models", "configs"):
        shutil.copytree(os.path.join(SOURCE, name), os.path.join(folder, name))
    shutil.copytree(os.path.join(DATA, "good"), os.path.join(folder, "good"))
    made = polku("new", "template", cwd=folder)
    check(made.returncode == 0, f"polku new: {made.stderr}")
    return sorted(os.path.join(where, name) for where, _, names in os.walk(folder) for name in names
                  if name.endswith(".yaml"))


def at(document, path):
    for key in path:
        document = document[key]
    return document


def check_changed(path, document):
    """polku check of a changed document, in the place of the good one."""
    with open(path, encoding="utf-8") as file:
        before = file.read()
    with open(path, "w", encoding="utf-8") as file:
        yaml.safe_dump(document, file, sort_keys=False, allow_unicode=True)
    done = polku("check", "--quiet", path)
    with open(path, "w", encoding="utf-8") as file:
        file.write(before)
    return done


def misspell(mapping, key):
    """The mapping with the key misspelt, in its place."""
    items = list(mapping.items())
    mapping.clear()
    mapping.update((k + "q" if k == key else k, v) for k, v in items)


def test_good(schemas, folder):
    """Every good file is valid; every key of the schemas stands in one of them, is known to the loader there, and is
    named by both when it is misspelt; without a required key both refuse."""
    covered = set()
    for path in good_files(folder):
        document, name = read_yaml(path), os.path.relpath(path, folder)
        kind = kind_of(document)
        schema = schemas[kind]
        problems = schema.problems(document)
        if not check(not problems, f"{name} is valid: {problems}"):
            continue
        done = polku("check", "--quiet", path)
        if done.returncode != 0 and "conversions depend on each other" not in done.stderr:
            check(False, f"{name} is good: {done.stderr}")
            continue
        for place, closed in schema.walk(document):
            for key in set(at(document, place)) & set(closed["properties"]):
                if (kind, id(closed), key) in covered:
                    continue
                covered.add((kind, id(closed), key))
                what = f"{name}, {'.'.join(map(str, (*place, key)))}"
                changed = copy.deepcopy(document)
                misspell(at(changed, place), key)
                done = check_changed(path, changed)
                named = f'"{key}q"' in done.stderr or (key == "model" and 'key "model" is missing' in done.stderr)
                check(done.returncode == 1 and named, f"{what}, misspelt, is named by polku check: {done.stderr}")
                check(schema.problems(changed), f"{what}, misspelt, is refused by the schema")
                if key in closed.get("required", []):
                    changed = copy.deepcopy(document)
                    del at(changed, place)[key]
                    done = check_changed(path, changed)
                    check(done.returncode == 1, f"{what}, left out, is missed by polku check")
                    check(schema.problems(changed), f"{what}, left out, is missed by the schema")
    for kind, schema in schemas.items():
        for closed in schema.closed():
            for key in closed["properties"]:
                # the scenario's parameters are the model's, which the test of descriptions compares, and so on
                other = schemas.get({"scenario": "model", "study": "scenario", "claims": "scenario"}.get(kind))
                shared = other is not None and any(closed is part for name in other.root["definitions"]
                                                   if name in schema.root["definitions"]
                                                   for part in schema.parts(schema.root["definitions"][name]))
                check(shared or (kind, id(closed), key) in covered,
                      f"{kind}: no good file has the key {key} of the object with {sorted(closed['properties'])}")


def test_malformed(schemas):
    beyond = {name: why for why, names in BEYOND.items() for name in names.split()}
    folder, there = os.path.join(DATA, "malformed"), set()
    for name in sorted(os.listdir(folder)):
        if not name.endswith(".yaml") or name.startswith("yaml_"):  # those are no YAML of ours
            continue
        name = name[:-5]
        there.add(name)
        document = read_yaml(os.path.join(folder, name + ".yaml"))
        kind = name.partition("_")[0]
        refused = bool(schemas[kind if kind in schemas else "scenario"].problems(document))
        if name in beyond:
            check(not refused, f"{name} is refused by the schema: take it off the list of those beyond it")
        else:
            check(refused, f"{name} is accepted by the schema: refuse it, or say why it is beyond a schema")
    check(not set(beyond) - there, f"beyond a schema, and not there: {sorted(set(beyond) - there)}")


def test_modelines():
    """The first line of every file in models/ and configs/ leads an editor to its schema."""
    for top in ("models", "configs"):
        for where, _, names in os.walk(os.path.join(SOURCE, top)):
            for name in sorted(names):
                path = os.path.join(where, name)
                if not name.endswith(".yaml"):
                    continue
                line = read_text(path).splitlines()[0]
                found = re.fullmatch(r"# yaml-language-server: \$schema=(\S+)", line)
                schema = found and os.path.realpath(os.path.join(where, found.group(1)))
                check(schema == os.path.realpath(SCHEMAS[kind_of(read_yaml(path))]),
                      f"{os.path.relpath(path, SOURCE)} begins with the place of its schema: {line}")


def main():
    schemas = {kind: Schema(path) for kind, path in SCHEMAS.items()}
    test_lists(schemas)
    test_descriptions(schemas)
    test_malformed(schemas)
    test_modelines()
    with tempfile.TemporaryDirectory() as folder:
        test_good(schemas, folder)
    finish()


if __name__ == "__main__":
    main()
