#!/usr/bin/python3
"""Numbers of a study in a scenario: what check, run, rerun, compare and export tell of it, and that what is set wins."""
import csv
import json
import os
import re
import shutil
import sys
import tempfile

import xarray

sys.dont_write_bytecode = True
from checks import GOOD, check, expect, finish, polku

FITTED, RATES = os.path.join(GOOD, "fitted.yaml"), os.path.join(GOOD, "fitted_rates.yaml")
MARKS = ["two answers fit equally well; see the study's modes", "north_ratio: the targets say nothing of it"]
SET_OVER = "set by the scenario or the command line in place of the calibrated value"


def digest_of(done):
    found = re.search(r"digest: (\w{64})", done.stdout)
    return found.group(1) if found else None


def parameters_of(path):
    with xarray.open_dataset(path, engine="h5netcdf", group="parameters") as dataset:
        return {str(name): {key: dataset[key].values[i] for key in ("given", "source_kind", "source", "caveat", "low")}
                for i, name in enumerate(dataset["parameter"].values)}


def test_check():
    told = expect(0, "", "check", FITTED).stdout
    for text in ("calibrated from made_up_fit (digest 4f0c7a2b9d1e3c55) by fitted_rates.yaml: A study for the tests",
                 "find_rate north_ratio coach_rate interest fte", *("mark: " + mark for mark in MARKS),
                 "calibrated from other_fit (digest 0123456789012345) by fitted_window.yaml", "5 calibrated\n",
                 "calibrated: study made_up_fit: T0.1, T0.2", "set by the scenario\n      assumption: " + SET_OVER):
        check(text in told, f"check tells {text!r}")
    told = expect(0, "", "check", RATES).stdout
    for text in ("calibrated parameters of the study made_up_fit (digest 4f0c7a2b9d1e3c55), 5 in all", *MARKS,
                 "0.2125  (0.125 to 0.3125)", "a scenario that says calibrated: "):
        check(text in told, f"check of a calibrated file tells {text!r}")
    check(expect(0, "", "check", "-q", FITTED, RATES).stdout == "", "check -q is quiet")
    expect(1, "is a file of calibrated parameters, expected a scenario (name it in a scenario: calibrated: FILE)",
           "run", RATES)


def test_run(folder):
    path = os.path.join(folder, "fitted.h5")
    warned = [f"warning: calibrated from made_up_fit: {mark}\n" for mark in MARKS]
    done = expect(0, warned, "run", FITTED, "-o", path)
    check(done.stderr.count("calibrated from") == 2, "each mark is told once")
    digest = digest_of(done)
    with xarray.open_dataset(path, engine="h5netcdf", group="calibrations") as found:
        check(list(found["study"].values) == ["made_up_fit", "other_fit"], "the result names the studies")
        check(list(found["study_digest"].values) == ["4f0c7a2b9d1e3c55", "0123456789012345"], "and their digests")
        check(list(found["mark_text"].values) == MARKS and list(found["mark_calibration"].values) == [0, 0], "and marks")
        check(list(found["set_over"].values) == [1, 0] and list(found["parameters"].values) == [5, 1],
              "and how many of their numbers were set to others")
    rows = parameters_of(path)
    check(rows["find_rate"]["given"] == 0.2125 and rows["find_rate"]["source_kind"] == "calibrated"
          and rows["find_rate"]["caveat"] == "the targets are rounded" and rows["find_rate"]["low"] == 0.125,
          f"a calibrated parameter is stored as such: {rows['find_rate']}")
    check(rows["north_ratio"]["given"] == 1.5 and rows["north_ratio"]["source_kind"] == "assumption"
          and rows["north_ratio"]["source"] == SET_OVER, f"what set gives is not called calibrated: {rows['north_ratio']}")

    # from the file alone: the calibrated files are gone
    alone = os.path.join(folder, "alone")
    os.mkdir(alone)
    for name in ("fitted.yaml", "model.yaml", "fitted_rates.yaml", "fitted_window.yaml"):
        shutil.copy(os.path.join(GOOD, name), alone)
    other = os.path.join(folder, "other.h5")
    check(digest_of(expect(0, "", "run", "fitted.yaml", "-o", other, cwd=alone)) is not None, "a copy runs")
    shutil.rmtree(alone)
    for result in (path, other):
        done = expect(0, warned, "rerun", result)
        check("the same result" in done.stdout, f"rerun finds the same digest: {done.stdout}")

    done = expect(0, warned, "run", FITTED, "--set", "find_rate=0.3", "--set", "window=3", "-o", other)
    check(digest_of(done) not in (None, digest), "--set wins over a calibrated value")
    rows = parameters_of(other)
    check(rows["find_rate"]["given"] == 0.3 and rows["find_rate"]["source_kind"] == "assumption"
          and rows["find_rate"]["caveat"] == "", f"and is not called calibrated: {rows['find_rate']}")
    check("the same result" in expect(0, "", "rerun", other).stdout, "rerun sets it too")
    told = polku("compare", other).stdout
    check("calibrated: other_fit (digest 0123456789012345); 1 of its 1 parameters set to another value\n" in told,
          "compare tells that nothing of a study is left")
    expect(0, "", "run", FITTED, "--set", "find_rate=high", "-o", other)
    check(parameters_of(other)["find_rate"]["source_kind"] == "public", "an alternative has its own source")
    done = expect(0, warned, "run", FITTED, "--person", "1")
    check("person" in done.stdout, "whoever asks for one life is told too")
    expect(0, warned, "verify", FITTED)
    expect(1, "find_rate: -1 is outside", "run", FITTED, "--set", "find_rate=-1", "-o", other)
    expect(1, "first_only: 0.5 is neither 0 nor 1, as a switch is", "run", FITTED, "--set", "first_only=0.5", "-o", other)
    return path


def test_compare(folder, path):
    told = expect(0, "", "compare", path).stdout
    lines = told.splitlines()
    check(lines[2:6] == ["calibrated: made_up_fit (digest 4f0c7a2b9d1e3c55); 1 of its 5 parameters set to another value",
                         *("  " + mark for mark in MARKS), "calibrated: other_fit (digest 0123456789012345)"],
          f"compare begins with the studies and their marks: {lines[:7]}")
    check("  5 calibrated:\n      find_rate window coach_rate fte interest\n" in told, "and lists what is calibrated")
    check(f"north_ratio = 1.5 ratio (1.25 to 2.5) [assumption: {SET_OVER}]" in told, "what an arm rests on has its source")
    told = json.loads(expect(0, "", "compare", "--json", path).stdout)["calibrated"]
    check([(study["study"], study["digest"], study["marks"]) for study in told]
          == [("made_up_fit", "4f0c7a2b9d1e3c55", MARKS), ("other_fit", "0123456789012345", [])],
          f"compare --json tells it too: {told}")
    repriced = expect(0, "", "compare", path, "--set", "fte=0.5").stdout
    check("  4 calibrated:\n      find_rate window coach_rate interest\n" in repriced,
          "a price set anew is not called calibrated")
    out = os.path.join(folder, "csv")
    expect(0, "", "export", path, "--csv", out)
    with open(os.path.join(out, "calibration_marks.csv"), newline="", encoding="utf-8") as file:
        check([row["mark_text"] for row in csv.DictReader(file)] == MARKS, "export writes the marks")
    with open(os.path.join(out, "calibrations.csv"), newline="", encoding="utf-8") as file:
        check([row["study"] for row in csv.DictReader(file)] == ["made_up_fit", "other_fit"], "and the studies")


def test_without(folder):
    path = os.path.join(folder, "plain.h5")
    done = expect(0, "", "run", os.path.join(GOOD, "scenario.yaml"), "--no-variants", "-o", path)
    check("calibrated" not in done.stderr + expect(0, "", "compare", path).stdout, "without a study none is told of")
    check(json.loads(polku("compare", "--json", path).stdout)["calibrated"] == [], "nor in JSON")


def main():
    with tempfile.TemporaryDirectory() as folder:
        test_check()
        test_compare(folder, test_run(folder))
        test_without(folder)
    finish()


if __name__ == "__main__":
    main()
