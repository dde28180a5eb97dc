#!/usr/bin/python3
"""Bridges: every figure of tests/data/good/bridge.yaml has a closed form; errors are recomputed from the kept units.

Steps that leave nothing to chance are exact; the others are within 4.5 of their standard errors of the closed form. What
is told does not depend on threads or blocks, is taken up after an interruption, and is the same in a rerun.
"""
import csv
import json
import math
import os
import re
import signal
import subprocess
import sys
import tempfile
import time

import h5py
import numpy
import xarray
import yaml

sys.dont_write_bytecode = True
from checks import GOOD, POLKU, check, expect, finish, polku

SCENARIO = os.path.join(GOOD, "bridge.yaml")
STEPS = ["to_65", "mortality", "job_loss", "counterfactual", "fte"]
FIGURES = ["value", "contribution", "first", "last"]
SIGMAS = 4.5


def digest_of(done):
    found = re.search(r"digest: (\w{64})", done.stdout)
    return found.group(1) if found else None


def write(folder, name, change=None):
    """The good scenario with something changed, beside a model that is found."""
    document = yaml.load(open(SCENARIO, encoding="utf-8"), yaml.BaseLoader)
    document["model"] = os.path.join(GOOD, document["model"])
    if change is not None:
        change(document)
    path = os.path.join(folder, name + ".yaml")
    with open(path, "w", encoding="utf-8") as file:
        yaml.dump(document, file, sort_keys=False, Dumper=Plain)
    return path


class Plain(yaml.SafeDumper):
    """Numbers were read as texts and are written as they stood."""


Plain.add_representer(str, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text))
Plain.yaml_implicit_resolvers = {}


def run(folder, path, *options):
    result = os.path.join(folder, os.path.basename(path)[:-5] + ".h5")
    done = expect(0, "", "run", path, "-o", result, *options)
    return result, done


def told(result, *options):
    return json.loads(expect(0, "", "compare", result, "--json", *options).stdout)


def dataset(result, group):
    with xarray.open_dataset(result, engine="h5netcdf", group=group) as opened:
        return opened.load()


def exact(on, outcome):
    """Person-years of one person from 50 on, with these steps on: (1 - e^-ht) / h."""
    years = 15 if "to_65" in on else 10
    death, loss = 0.0125 * ("mortality" in on), 0.04 * ("job_loss" in on)

    def of_arm(ratio):
        hazard = death + ratio * loss
        integral = -math.expm1(-hazard * years) / hazard if hazard else years
        return ratio * loss * integral if outcome == "losses" else integral * (0.6 if "fte" in on else 1)

    return of_arm(0.25) - (of_arm(1) if "counterfactual" in on else 0)


def exact_figures(outcome, scale):
    rows = []
    for i, step in enumerate(["start", *STEPS]):
        up_to = set(STEPS[:i])
        row = {"value": exact(up_to, outcome)}
        if i > 0:
            row["contribution"] = row["value"] - exact(up_to - {step}, outcome)
            row["first"] = exact({step}, outcome) - exact(set(), outcome)
            row["last"] = exact(set(STEPS), outcome) - exact(set(STEPS) - {step}, outcome)
        rows.append({name: value * scale for name, value in row.items()})
    return rows


def test_closed_form(folder):
    for outcome, scale in (("work", 100), ("work_each", 1), ("losses", 100)):
        def change(document):
            document["bridge"]["outcome"] = outcome
            document["replications"] = "40"
        path = write(folder, outcome, change)
        result, done = run(folder, path)
        check("10 variants on the same random numbers" in done.stdout, f"{outcome}: ten runs: {done.stdout}")
        bridge = told(result)["bridge"]
        check([row["step"] for row in bridge["steps"]] == ["start", *STEPS], f"{outcome}: the steps in their order")
        wanted, worst = exact_figures(outcome, scale), 0
        for row, expected in zip(bridge["steps"], wanted):
            check(set(expected) <= set(row), f"{outcome}, {row['step']}: the figures {sorted(expected)}")
            for name, value in expected.items():
                found, error = row[name]["value"], row[name]["standard_error"]
                what = f"{outcome}, {row['step']}, {name}: {found} (s.e. {error}), exactly {value}"
                if error < 1e-9 * scale:
                    check(abs(found - value) < 1e-9 * scale, what)
                else:
                    check(abs(found - value) < SIGMAS * error, what)
                    worst = max(worst, abs(found - value) / error)
        check(worst > 0, f"{outcome}: some figures are left to chance, the farthest {worst:.2f} errors away")
        by_step = {row["step"]: row for row in bridge["steps"]}
        if outcome != "losses":
            for step, name in (("start", "value"), ("to_65", "contribution"), ("to_65", "first"), ("fte", "first"),
                               ("counterfactual", "first")):
                check(by_step[step][name]["standard_error"] < 1e-9 * scale, f"{outcome}: {step}, {name} is sure")
        check_sums(bridge["steps"], outcome)
        check_units(result, outcome, scale)


def check_sums(rows, what):
    added = sum(row["contribution"]["value"] for row in rows[1:])
    whole = rows[-1]["value"]["value"] - rows[0]["value"]["value"]
    check(abs(added - whole) <= 1e-12 * max(abs(row["value"]["value"]) for row in rows), f"{what}: {added} is {whole}")
    check(rows[1]["first"] == rows[1]["contribution"], f"{what}: the first step is added first")
    check(rows[-1]["last"] == rows[-1]["contribution"], f"{what}: the last step is added last")


def check_units(result, outcome, scale):
    """Errors by ratio estimates from the runs kept in /variants and /outcomes, paired by unit."""
    bridge, variants, main = dataset(result, "/bridge"), dataset(result, "/variants"), dataset(result, "/outcomes")
    check(set(variants["topic"].values) == {"bridge"}, "the runs are of the topic bridge")
    population = str(main["population"].values[1])

    def moves(key, arm):
        group = main.sel(population=population) if key == "main" else variants.sel(variant=key)
        y = group["value"].sel(arm=arm, outcome=outcome).values
        x = group["persons"].values if outcome != "work_each" else group["denominator"].sel(arm=arm, outcome=outcome).values
        mean = y.sum() / x.sum()
        return scale * mean, scale * (y - mean * x) / x.sum()

    def figure(key, less):
        value, move = moves(key, "helped")
        if less:
            value, move = value - moves(key, "none")[0], move - moves(key, "none")[1]
        return value, move

    def close(name, i, value, move):
        error = math.sqrt(len(move) / (len(move) - 1) * (move ** 2).sum())
        found, found_se = float(bridge[name][i]), float(bridge[f"{name}_se"][i])
        check(math.isclose(found, value, rel_tol=1e-9, abs_tol=1e-9 * scale) and
              math.isclose(found_se, error, rel_tol=1e-6, abs_tol=1e-9 * scale),
              f"{outcome}, {STEPS[i - 1]}, {name}: {found} ({found_se}), from the units {value} ({error})")

    less = [text != "" for text in bridge["against"].values]
    up_to = [figure(key, with_arm) for key, with_arm in zip(bridge["run"].values, less)]
    check(str(bridge["run"].values[-1]) == "main", "with all steps on it is the main run")
    for i in range(len(STEPS) + 1):
        close("value", i, *up_to[i])
        if i == 0:
            continue
        first = figure(bridge["run_first"].values[i], STEPS[i - 1] == "counterfactual")
        last = figure(bridge["run_last"].values[i], STEPS[i - 1] != "counterfactual")
        close("contribution", i, *(a - b for a, b in zip(up_to[i], up_to[i - 1])))
        close("first", i, *(a - b for a, b in zip(first, up_to[0])))
        close("last", i, *(a - b for a, b in zip(up_to[-1], last)))


def test_end(folder):
    """The last figure and its error are those that compare tells, however figures are scaled."""
    def inflow(document):
        document["population"]["inflow"] = {"per_year": "30", "poisson": "true", "state": {"working": "1"},
                                            "age": {"fixed": "50"}}
        document["arms"]["helped"]["enrol"][0]["at"] = "entry"
        document["horizon"] = {"years": "8"}
        document["bridge"]["start"]["set"].pop("old_age")
        document["bridge"]["steps"].pop("to_65")
        del document["compare"]
    changes = {"people": lambda document: document.pop("compare"), "inflow": inflow, "as it is": None,
               "other batches": lambda document: document.update(variant_replications="3"),
               "until": lambda document: document.update(
                   batches="90", replications={"until": {"outcome": "work", "arm": "helped", "against": "none",
                                                         "standard_error": "2", "most": "60"}}),
               "fewer": lambda document: document.update(variant_replications="6", batches="2")}
    for name, change in changes.items():
        path = write(folder, "end", change)
        result, _ = run(folder, path)
        comparison = told(result)
        row, end = comparison["outcomes"][0]["differences"]["helped-none"], comparison["bridge"]["steps"][-1]["value"]
        variants = {variant["name"]: variant for variant in comparison["variants"]}
        check_sums(comparison["bridge"]["steps"], name)
        with h5py.File(result) as file:
            n = int(file.attrs["replications"])
        check(n < 60 if name == "until" else n == 12, f"{name}: {n} replications")
        check(comparison["bridge"]["replications"] == {"other batches": 3, "fewer": 6}.get(name, n), f"{name}: so many")
        if name in ("other batches", "until"):  # the main run is divided otherwise, so that it is run once more
            row = next(one for one in variants["scenario"]["outcomes"])["differences"]["helped-none"]
        check(("scenario" in variants) == (name in ("other batches", "until")), f"{name}: the runs {sorted(variants)}")
        if name == "fewer":
            part = dataset(result, "/outcomes").isel(population=1, replication=slice(6))
            y = part["value"].sel(outcome="work")
            value = 100 * float((y.sel(arm="helped") - y.sel(arm="none")).sum() / part["persons"].sum())
            check(math.isclose(end["value"], value, rel_tol=1e-12), f"the main run's first replications: {end}, {value}")
            continue
        check(math.isclose(row["value"], end["value"], rel_tol=1e-9) and
              math.isclose(row["standard_error"], end["standard_error"], rel_tol=1e-6), f"{name}: {end} is told, {row}")


def test_only_against(folder):
    """No run but the main one, which is told whole."""
    def change(document):
        document["bridge"]["start"] = {"label": {"en": "everything"}}
        document["bridge"]["steps"] = {"counterfactual": {"against": "none"}}
        document["variant_replications"] = "3"
    path = write(folder, "only", change)
    done = expect(0, "", "check", path)
    check("bridge of 1 steps to work of helped: 0 runs" in done.stdout, f"check says that none is needed: {done.stdout}")
    result, done = run(folder, path)
    check("variants" not in done.stdout, f"none is run: {done.stdout}")
    comparison = told(result)
    rows, outcome = comparison["bridge"]["steps"], comparison["outcomes"][0]
    for found, wanted in ((rows[0]["value"], outcome["arms"]["helped"]), (rows[1]["value"], outcome["differences"]["helped-none"])):
        check(all(math.isclose(found[key], wanted[key], rel_tol=1e-6) for key in ("value", "standard_error")),
              f"{found} is {wanted}")
    check("the same result" in expect(0, "", "rerun", result).stdout, "it is rerun")


def test_own(folder):
    """A step may set a parameter that a later one brings back; alternatives count by value."""
    def change(document):
        document["bridge"]["steps"] = {
            "wild": {"set": {"help_ratio": "1", "old_age": "65"}}, "mortality": {"set": {"death_scale": "1"}},
            "job_loss": {"set": {"loss_scale": "1"}}, "tame": {"set": {"help_ratio": "0.25", "fte": "0.6"}}}
        document["bridge"]["start"]["set"]["old_age"] = "60"
    result, done = run(folder, write(folder, "own", change))
    rows = told(result)["bridge"]["steps"]
    check_sums(rows, "own")
    check(abs(rows[0]["value"]["value"] - 1000) < 1e-9, f"sixty by its number: {rows[0]}")
    check(rows[1]["changed"] == "help_ratio = 1, old_age = 65", f"what is set: {rows[1]['changed']}")
    names = [variant["name"] for variant in told(result)["variants"]]
    check("all but wild" in names and "only tame" in names, f"the runs: {names}")


def test_told(folder):
    result, done = run(folder, SCENARIO)
    text = expect(0, "", "compare", result).stdout
    check("A bridge to the scenario: work, helped, for 100 people; 12 replications" in text, f"compare tells it: {text}")
    check("\nten years " in text and "\n+ to old age " in text and "\n+ mortality " in text, f"with labels: {text}")
    check("What decides" not in text, "and nothing of the runs elsewhere")
    check("\nkymmenen vuotta " in expect(0, "", "compare", result, "--language", "fi").stdout, "in Finnish")
    check("\ntio år " in expect(0, "", "compare", result, "--language", "sv").stdout, "in Swedish")
    text = expect(0, "", "compare", result, "--set", "fte=0.7").stdout
    check("a bridge, which were" in text and "A bridge" not in text, f"at new prices it is left out: {text}")
    out = os.path.join(folder, "csv")
    expect(0, "", "export", result, "--csv", out)
    with open(os.path.join(out, "bridge.csv"), newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    bridge = dataset(result, "/bridge")
    check([row["step"] for row in rows] == ["start", *STEPS], f"bridge.csv has the steps: {rows}")
    check(rows[1]["label_fi"] == "vanhuuseläkkeelle" and rows[0]["outcome"] == "work" and rows[5]["against"] == "none",
          f"labels, the outcome and the arms: {rows[1]}")
    for name in FIGURES:
        check(bridge[name].dims == ("step",) and bridge[name].attrs["long_name"], f"{name} is along the steps")
        for suffix in ("", "_se"):
            found = [float("nan" if row[name + suffix] == "NA" else row[name + suffix]) for row in rows]
            check(numpy.array_equal(found, bridge[name + suffix].values, equal_nan=True), f"bridge.csv holds {name}{suffix}")
    check(bridge["value"].attrs["units"] == "fte" and math.isnan(bridge["first"][0]), "the unit; no step at the start")

    result, done = run(folder, SCENARIO, "--no-variants")
    with h5py.File(result) as file:
        check("bridge" not in file and "variants" not in file, "--no-variants leaves it out")
    check(told(result)["bridge"] is None and "A bridge" not in expect(0, "", "compare", result).stdout, "and nothing is told")
    check("the same result" in expect(0, "", "rerun", result).stdout, "nor in a rerun")
    check("bridge" in expect(0, "", "run", "--help").stdout, "as the help says")
    expect(1, ["the bridge ends at fte = 0.6, and the run is to have 0.7", "--no-variants leaves the bridge out"],
           "run", SCENARIO, "--set", "fte=0.7", "-o", result)
    expect(0, "", "run", SCENARIO, "--set", "fte=0.7", "--no-variants", "-o", result)
    result, done = run(folder, SCENARIO, "--set", "death=0.02", "-r", "2")
    check("the same result" in expect(0, "", "rerun", result).stdout, "what the bridge does not set may be set")
    done = expect(0, "", "check", SCENARIO)
    check("bridge of 5 steps to work of helped: 10 runs of 12 replications" in done.stdout, f"check: {done.stdout[-300:]}")


def test_impossible(folder):
    """A step over values that are no model has no figure, and the reason is told; the others have theirs."""
    with open(os.path.join(GOOD, "scenario.yaml"), encoding="utf-8") as file:
        text = file.read().replace("model: model.yaml", f"model: {GOOD}/model.yaml")
    path = os.path.join(folder, "impossible.yaml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text + "bridge:\n  outcome: work_years\n  arm: coach\n  start: {set: {coach_rate: 0.999999, fte: 1}}\n"
                          "  steps: {possible: {set: {coach_rate: 0.5}}, fte: {set: {fte: 0.75}}, "
                          "less: {against: none}}\n")
    result, _ = run(folder, path)
    comparison = told(result)
    rows = {row["step"]: row for row in comparison["bridge"]["steps"]}
    check(rows["start"]["value"] == {"value": None, "standard_error": None}, f"the start has no figure: {rows['start']}")
    check(rows["possible"]["value"]["value"] > 0 and rows["fte"]["contribution"]["value"] == 0, "there is one later")
    check("  ! start: " in expect(0, "", "compare", result).stdout and "cannot be met" in
          expect(0, "", "compare", result).stdout, "the reason is told")
    row = next(row for row in comparison["outcomes"] if row["outcome"] == "work_years")["differences"]["coach-none"]
    check(rows["less"]["value"]["value"] is not None, f"and at the end: {rows['less']}, {row}")
    check("the same result" in expect(0, "", "rerun", result).stdout, "it is rerun")


def test_same_answer(folder):
    digests = set()
    for options in (["-t", "1"], ["-t", "2"], ["-t", "2", "--block", "1"], ["--block", "97"], ["--keep-every", "0"]):
        result, done = run(folder, SCENARIO, "-r", "3", *options)
        digests.add(digest_of(done))
    check(len(digests) == 1 and None not in digests, f"one digest for all threads and blocks: {digests}")
    check("the same result" in expect(0, "", "rerun", "-t", "1", result).stdout, "and for a rerun")

    big = ["--people", "40000", "-r", "40"]
    whole = digest_of(polku("run", SCENARIO, *big, "-o", os.path.join(folder, "whole.h5")))
    output = os.path.join(folder, "cut.h5")
    process = subprocess.Popen([POLKU, "run", SCENARIO, "--keep-every", "0", "-t", "2", "-o", output, *big],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not os.path.exists(output + ".part") and process.poll() is None:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    if check(os.path.exists(output + ".part") and not os.path.exists(output), "a killed run leaves what was finished"):
        done = expect(0, "took up ", "run", SCENARIO, *big, "-o", output)
        check(digest_of(done) == whole, "taken up again, it has the digest of an uninterrupted one")


def test_like(folder):
    """A bridge said again takes the place of the other as a whole; without: leaves it out."""
    base = write(folder, "base")
    own = ("polku: 1\nscenario: own\nlike: {file: base.yaml%s}\n%s")
    bridge = "bridge:\n  outcome: losses\n  arm: helped\n  start: {set: {loss_scale: 0}}\n  steps: {loss: {set: {loss_scale: 1}}}\n"
    for name, without, text, runs in (("again", "", bridge, 1), ("kept", "", "", 10), ("left", ", without: [bridge]", "", None)):
        path = os.path.join(folder, name + ".yaml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(own % (without, text))
        done = expect(0, "", "check", path)
        found = re.search(r"bridge of (\d+) steps .*: (\d+) runs", done.stdout)
        check((found and int(found.group(2))) == runs, f"{name}: {found and found.group(0)}")
    check(os.path.exists(base), "the other is there")


def main():
    with tempfile.TemporaryDirectory() as folder:
        test_closed_form(folder)
        test_end(folder)
        test_only_against(folder)
        test_own(folder)
        test_told(folder)
        test_impossible(folder)
        test_same_answer(folder)
        test_like(folder)
    finish()


main()
