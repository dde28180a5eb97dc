#!/usr/bin/python3
"""Every file in tests/data/malformed is refused with the exact lines beside it, and every good file is not.

A new case: NAME.yaml with one fault, then `polku check NAME.yaml 2> NAME.expected` in that folder, then read what
stands there: is the place right, would a stranger know what to do?
"""
import difflib
import os
import sys

sys.dont_write_bytecode = True
from checks import SOURCE, check, finish, polku

N_AT_LEAST = 45
EXIT_CODES = {"scenario_no_model": 3, "study_scenario_missing": 3, "claims_scenario_missing": 3}  # a file that is not there is a failure of input or output


def main():
    folder = os.path.join(SOURCE, "tests", "data", "malformed")
    names = sorted(name[:-5] for name in os.listdir(folder) if name.endswith(".yaml"))
    check(len(names) >= N_AT_LEAST, f"{len(names)} malformed files, expected at least {N_AT_LEAST}")
    expected_only = {name[:-9] for name in os.listdir(folder) if name.endswith(".expected")} - set(names)
    check(not expected_only, f"expectations without a file: {sorted(expected_only)}")
    for name in names:
        with open(os.path.join(folder, name + ".expected"), encoding="utf-8") as file:
            expected = file.read()
        done = polku("check", name + ".yaml", cwd=folder)
        code = EXIT_CODES.get(name, 1)
        check(done.returncode == code, f"{name}: exit {done.returncode}, expected {code}")
        check(done.stdout == "", f"{name}: prints {done.stdout[:200]!r}")
        if not check(done.stderr == expected, f"{name}: another message than expected"):
            sys.stdout.writelines(difflib.unified_diff(expected.splitlines(True), done.stderr.splitlines(True),
                                                       name + ".expected", "stderr"))

    # several files: all are read, the worst code is returned
    done = polku("check", "-q", "model_negative_rate.yaml", "../good/model.yaml", "yaml_tab.yaml", cwd=folder)
    check(done.returncode == 1 and done.stderr.count("polku: 1 problem\n") == 2, "two bad files of three are told")
    done = polku("check", "-q", "scenario_no_model.yaml", "yaml_tab.yaml", cwd=folder)
    check(done.returncode == 3, "the worst exit code of several files is returned")
    # run refuses as check does, and writes nothing
    done = polku("run", "scenario_three_faults.yaml", "-o", os.devnull + "-not-made", cwd=folder)
    with open(os.path.join(folder, "scenario_three_faults.expected"), encoding="utf-8") as file:
        check(done.returncode == 1 and done.stderr == file.read(), "run tells what check tells")

    good = []
    for folder in ("models", "configs", os.path.join("tests", "bench"), os.path.join("tests", "data", "good")):
        for where, _, files in os.walk(os.path.join(SOURCE, folder)):
            good += [os.path.join(where, file) for file in sorted(files) if file.endswith(".yaml")]
    for path in good:
        done = polku("check", "--quiet", path)
        check(done.returncode == 0 and "problem" not in done.stderr, f"{path} is good: {done.stderr}")
    finish()


if __name__ == "__main__":
    main()
