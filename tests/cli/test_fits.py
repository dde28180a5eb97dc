#!/usr/bin/python3
"""The studies of configs/studies: their answers, the files that scenarios use, and what the README tells of them."""
import os
import re
import sys
import tempfile

sys.dont_write_bytecode = True
import h5py
import yaml
from checks import SOURCE, check, expect, finish

STUDIES = os.path.join(SOURCE, "configs", "studies")


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def fitted(folder, name):
    """Runs a study. Returns what is printed, and its file's parameters."""
    stem = os.path.join(folder, name)
    done = expect(0, "written", "calibrate", os.path.join(STUDIES, name + ".yaml"), "-o", stem)
    return done.stdout, yaml.safe_load(read(stem + ".yaml"))


def misfits(text):
    return [float(row) for row in re.findall(r"^\S+ (?: +[\d.e-]+){5} +(-?[\d.]+)  \[", text, re.M)]


def close(value, like, digits):
    return f"{value:.{digits}f}" == like


def test_kuntoutustuki(folder):
    text, answer = fitted(folder, "kuntoutustuki")
    rows = misfits(text)
    check(len(rows) == 4 and all(abs(z) < 0.5 for z in rows), f"four targets are met: {text}")
    kept = yaml.safe_load(read(os.path.join(SOURCE, "configs", "fitted", "kuntoutustuki.yaml")))
    check(kept["digest"] == answer["digest"], "configs/fitted/kuntoutustuki.yaml is of this study: fit again and copy it")
    check(len(kept["marks"]) == len(answer["marks"]) >= 4, f"what is not known is marked: {answer['marks']}")
    for name, parameter in answer["parameters"].items():
        known = kept["parameters"][name]
        check(abs(parameter["value"] / known["value"] - 1) < 1e-3, f"{name}: {parameter} is {known} in configs/fitted")
    table = re.search(r"^\| \| fitted .*?\n\n", read(os.path.join(SOURCE, "README.md")), re.S | re.M).group(0)
    told = re.findall(r"^\| .*? \| ([\d.]+) \| (.*?) \| ([\d.]+) to ([\d.]+)", table, re.M)
    check(len(told) == len(answer["parameters"]) == 6, f"the README tells all six: {told}")
    for (name, parameter), (value, likelihood, low, high) in zip(answer["parameters"].items(), told):
        digits = [len(number.partition(".")[2]) for number in (value, low, high)]
        check(close(parameter["value"], value, digits[0]), f"the README's {name}: {value} is {parameter}")
        for number, like, n in zip(parameter["range"], (low, high), digits[1:]):
            check(abs(number - float(like)) <= 1.5 * 10 ** -n, f"the README's {name}: {like} is {parameter}")
        bounds = re.search(rf"^{name} +\S+  (\S+) to (\S+) ", text, re.M).groups()
        if likelihood == "anything":
            check(bounds[0][0] == "<" and bounds[1][-1] == ">", f"{name} can be anything: {bounds}")
        else:
            for number, like in zip(bounds, likelihood.removeprefix("below ").split(" to ")):
                n = len(like.partition(".")[2])
                check(abs(float(number.strip("<>")) - float(like)) <= 1.5 * 10 ** -n, f"{name}: {like} is {number}")


def test_simulated(folder):
    """The documents' figures come out of the full model with the file that scenarios use; 100,000 lives, 4 s.e."""
    result = os.path.join(folder, "fitted.h5")
    expect(0, "calibrated from kuntoutustuki_fit", "run", os.path.join(SOURCE, "configs", "kuntoutustuki-fitted.yaml"), "-o", result)
    with h5py.File(result) as file:
        table = file["occupancy"]
        diagnoses, states = ([text.decode() for text in table[name][:]] for name in ("diagnosis", "state"))
        at = list(table["time"][:]).index(4)
        people = table["occupancy"][0, :, :, at]
        outcomes = [text.decode() for text in file["outcomes/outcome"][:]]
        persons = file["outcomes/persons"][0].sum()
        value = (file["outcomes/value"][0, :, 0, :].sum(axis=0) / file["outcomes/denominator"][0, :, 0, :].sum(axis=0))
    for diagnosis, wanted, error in (("depression", 0.12, 0.01), ("other_mental", 0.06, 0.01)):
        row = people[diagnoses.index(diagnosis)]
        share = sum(row[states.index(state)] for state in ("employed", "sickness_allowance", "partial_sickness")) / row.sum()
        check(abs(share - wanted) < 0.5 * error + 4 * (wanted / row.sum()) ** 0.5, f"{diagnosis}: {share}, wanted {wanted}")
        told = value[outcomes.index(f"in_work_{diagnosis}")]
        check(abs(told - share) < 1e-12, f"the share of those with {diagnosis} is {share}, told per person {told}")
    for outcome, wanted, error in (("ever_returned", 0.20, 0.02), ("permanent_pension", 0.41, 0.04)):
        share = value[outcomes.index(outcome)]
        check(abs(share - wanted) < 0.5 * error + 4 * (wanted / persons) ** 0.5, f"{outcome}: {share}, wanted {wanted}")


def test_swedish(folder):
    """46 and 11 % say nothing of how long an effect lasts, or of finding work without a service."""
    text, answer = fitted(folder, "swedish-trial")
    check(abs(answer["parameters"]["ips_job_finding"]["value"] - 0.46) < 0.005 and
          abs(answer["parameters"]["typ_job_finding"]["value"] - 0.11) < 0.005, f"both arms are met: {answer}")
    for name in ("effect_window", "job_finding_none"):
        check(any(mark.startswith(f"{name}: the targets allow every value") for mark in answer["marks"]),
              f"{name} is not known: {answer['marks']}")


def test_pension_entry(folder):
    text, answer = fitted(folder, "pension-entry")
    check(all(abs(z) < 0.1 for z in misfits(text)) and "one answer; every target is met" in text, f"both are met: {text}")
    slope = answer["parameters"]["entry_slope"]
    check(0.008 < slope["value"] < 0.02 and slope["range"][0] > 0, f"the hazard rises with age: {slope}")


def main():
    with tempfile.TemporaryDirectory() as folder:
        test_kuntoutustuki(folder)
        test_simulated(folder)
        test_swedish(folder)
        test_pension_entry(folder)
    finish()


if __name__ == "__main__":
    main()
