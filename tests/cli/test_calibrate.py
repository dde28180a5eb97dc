#!/usr/bin/python3
"""polku calibrate as its users meet it: what it tells and writes, that scenarios, runs and comparisons take it up, and
that whatever goes wrong leaves both of its files or neither."""
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import xarray
import yaml

sys.dont_write_bytecode = True
from checks import GOOD, LONG, POLKU, SOURCE, check, expect, finish, on_a_terminal, polku, processor_seconds

DATA = os.path.join(SOURCE, "tests", "data", "calibrate")
STUDY, TINY = os.path.join(DATA, "study.yaml"), os.path.join(DATA, "tiny.yaml")
TITLE = 'A "small" study: for the tests, työssä'
FREE = ["find_rate", "lose_rate", "ill_rate"]


def read(path):
    with open(path, "rb") as file:
        return file.read()


def listing(folder):
    return sorted(os.listdir(folder))


def test_usage(folder):
    told = expect(0, "", "calibrate", "--help").stdout
    check("Example:\n  polku calibrate configs/studies/" in told, "the help has an example")
    for example in re.findall(r"^  polku calibrate (\S+\.yaml)$", told, flags=re.M):
        check(os.path.exists(os.path.join(SOURCE, example)), f"the example {example} is there")
    for option in ("--output", "--threads", "--draws", "--starts", "--no-simulation", "--json", "--help"):
        check(option in told, f"the help tells {option}")
    for arguments, text in ((["--drows", "20"], "did you mean --draws?"), (["-z"], "no option is called -z"),
                            (["--draws", "9"], "from 10 to 1000000"),
                            (["--draws", "many"], "expected a whole number"), (["--starts", "0"], "from 1 to 10000"),
                            (["--threads", "0"], "from 1 to 4096"), (["--threads", "-1"], "from 1 to 4096"),
                            ([STUDY], "expected one study file, found 2")):
        expect(2, [text, "Try: polku calibrate --help"], "calibrate", *arguments, STUDY, cwd=folder)
    expect(2, "the option --draws needs a value", "calibrate", STUDY, "--draws", cwd=folder)
    expect(2, "expected one study file, found 0", "calibrate", cwd=folder)
    expect(3, "missing.yaml: cannot open the file: No such file", "calibrate", "missing.yaml", cwd=folder)
    expect(1, "is a scenario, expected a study (name it in a study: scenario: FILE)", "calibrate",
           os.path.join(DATA, "scenario.yaml"), cwd=folder)
    expect(1, "is a model, expected a study", "calibrate", os.path.join(DATA, "model.yaml"), cwd=folder)
    expect(1, "is a study, expected a scenario (polku calibrate reads it)", "run", STUDY, cwd=folder)
    expect(1, "is a study, expected a scenario (polku calibrate reads it)", "graph", STUDY, cwd=folder)
    malformed = os.path.join(SOURCE, "tests", "data", "malformed")
    for name in ("study_within_reversed", "study_target_nan"):
        done = polku("calibrate", name + ".yaml", cwd=malformed)
        check(done.returncode == 1 and done.stderr.encode() == read(os.path.join(malformed, name + ".expected"))
              and done.stdout == "", f"calibrate refuses {name} as check does: {done.stderr}")
    check(listing(folder) == [], f"nothing is written: {listing(folder)}")


def test_check():
    told = expect(0, "", "check", STUDY).stdout
    for text in ("study small_fit of the scenario", "3 free parameters, 1 tied to them, 2 targets: " + TITLE,
                 "find_rate                      0.05 to 0.9 per_year; before: flat in the logarithm; in the model 0.25",
                 "ill_again                      = 2 x ill_rate", "0.55, s.e. 0.02 (normal)", "0.2 of 400 people (binomial)",
                 'assumption: made up, with "quotes"', "by the analytic twin, which follows every target"):
        check(text in told, f"check tells {text!r}: {told}")
    check(expect(0, "", "check", "-q", STUDY).stdout == "", "check -q is quiet")
    told = expect(0, "", "check", os.path.join(DATA, "tiny_simulated.yaml")).stdout
    check("by simulation on common random numbers, not by the analytic twin: the study asks for simulation" in told,
          "whether the twin follows is told")
    told = expect(0, "", "check", os.path.join(GOOD, "study.yaml")).stdout
    check("not by the analytic twin: the outcome ever_work is a first entry into states where people start" in told,
          "and why it does not")


def marks_of(told):
    lines = told.splitlines()
    n = next(i for i, line in enumerate(lines) if not line.startswith("! "))
    return [line[2:] for line in lines[:n]]


def test_answer(folder):
    stem = os.path.join(folder, "small")
    done = expect(0, f"{stem}.yaml and {stem}.h5 written\n", "calibrate", STUDY, "-o", stem)
    check(done.stderr == f"{stem}.yaml and {stem}.h5 written\n", f"nothing else in a pipe: {done.stderr}")
    marks = marks_of(done.stdout)
    check(len(marks) >= 2 and any("do not see find_rate" in mark and "with lose_rate" in mark for mark in marks),
          f"the first lines are the marks: {done.stdout[:300]}")
    check(f"\n{TITLE}: 3 free parameters, 2 targets" in done.stdout, "then the study")
    for row in (r"^in_work +0\.55 +0\.5\d* +\S+ +0\.5\d+ +0\.0\d+ +-?\d\.\d\d +\[assumption\] made up$",
                r"^ever_ill +0\.2 +0\.\d+ +\S+ +0\.\d+ +0\.0\d+ +-?\d\.\d\d +\[assumption\] made up, with \"quotes\"$",
                r"^ill_again +\S+ +tied to ill_rate$"):
        check(re.search(row, done.stdout, flags=re.M), f"a line like {row}: {done.stdout}")

    document = yaml.safe_load(read(stem + ".yaml"))
    check(document["calibrated"] == "small_fit" and document["title"] == TITLE, f"the file names the study: {document}")
    check(document["marks"] == marks, "and has the marks")
    check(list(document["parameters"]) == [*FREE, "ill_again"], "and all parameters")
    for name, parameter in document["parameters"].items():
        low, high = parameter["range"]
        check(low <= parameter["value"] <= high, f"{name} lies in its range")
        check(parameter["source"]["calibrated"].startswith("study small_fit, "), f"{name} says where it comes from")
    value = document["parameters"]
    check(abs(value["ill_again"]["value"] - 2 * value["ill_rate"]["value"]) < 1e-7, "what is tied follows")
    expect(0, "", "check", stem + ".yaml")

    told = json.loads(expect(0, "", "calibrate", STUDY, "--json", "-o", os.path.join(folder, "json")).stdout)
    check(told["marks"] == marks and [p["name"] for p in told["parameters"]] == FREE, "JSON tells the same")
    check(read(stem + ".yaml") == read(os.path.join(folder, "json.yaml")), "and writes the same")
    check([t["wanted"] for t in told["targets"]] == [0.55, 0.2], f"targets in JSON: {told['targets']}")
    return stem, marks, told


def test_sample(stem, marks, told):
    def group(name):
        return xarray.open_dataset(stem + ".h5", engine="h5netcdf", group=name)

    with group("/") as root:
        check(root.attrs["calibrated"] == "small_fit" and root.attrs["title"] == TITLE, f"the sample's study: {root.attrs}")
        check(root.attrs["marks"].splitlines() == marks, "and marks")
        check(root.attrs["digest"] == told["digest"], "and digest")
    with group("targets") as targets:
        check(list(targets["target"].values) == ["in_work", "ever_ill"], "targets by name")
        for name in ("wanted", "reached", "simulated", "simulated_se", "misfit"):
            check(targets[name].dims == ("target",) and bool(targets[name].notnull().all()), f"{name} of each target")
        check(list(targets["wanted"].values) == [0.55, 0.2], "what is wanted")
        reached, run, error = (targets[name].values for name in ("reached", "simulated", "simulated_se"))
        check(abs(reached - [0.55, 0.2]).max() < 1e-3, f"and is reached: {reached}")
        check((error > 0).all() and (abs(run - reached) < 4.5 * error).all(), f"by simulation too: {run}, s.e. {error}")
        check(list(targets["source"].values) == ["made up", 'made up, with "quotes"'], "with its source")
    with group("sample") as sample:
        check(sample.sizes["draw"] == 100 and set(FREE) <= set(sample.data_vars), f"the sample: {sample}")
        check(sample["find_rate"].dims == ("draw",) and sample["find_rate"].attrs["units"] == "per_year", "in its units")
        check(bool((sample["find_rate"] >= 0.05).all() and (sample["find_rate"] <= 0.9).all()), "within the bounds")
    with group("parameters") as parameters:
        check(list(parameters["parameter"].values) == FREE, "parameters by name")
        check(parameters["profile_at"].dims == ("parameter", "profile_point"), f"profiles: {parameters['profile_at'].dims}")
        check(parameters["correlation"].dims == ("parameter", "other_parameter"), "correlations")
        check([p["value"] for p in told["parameters"]] == list(parameters["value"].values), "the values are those told")
    with group("modes") as modes:
        check(modes["value"].dims == ("mode", "parameter"), "modes")


def test_taken_up(folder, stem, marks):
    """A scenario that names the file: the marks are told by all who use it."""
    text = read(os.path.join(DATA, "scenario.yaml")).decode().replace("model: model.yaml",
                                                                       f"model: {DATA}/model.yaml\ncalibrated: small.yaml")
    scenario, result = os.path.join(folder, "fitted.yaml"), os.path.join(folder, "fitted.h5")
    with open(scenario, "w", encoding="utf-8") as file:
        file.write(text)
    warned = [f"warning: calibrated from small_fit: {mark}\n" for mark in marks]
    told = expect(0, "", "check", scenario).stdout
    check(all(f"mark: {mark}" in told for mark in marks) and "4 calibrated" in told, f"check tells the marks: {told}")
    expect(0, warned, "run", scenario, "-o", result)
    told = expect(0, "", "compare", result).stdout
    digest = yaml.safe_load(read(stem + ".yaml"))["digest"]
    check(f"calibrated: small_fit (digest {digest})" in told and all(f"\n  {mark}\n" in told for mark in marks),
          f"compare begins with them: {told[:500]}")
    check("the same result" in expect(0, warned, "rerun", result).stdout, "rerun needs the result alone")
    shutil.copy(result, os.path.join(folder, "copy.h5"))
    expect(1, "copy.h5: is there and is no sample of a calibration: not overwritten", "calibrate", STUDY, "-o",
           os.path.join(folder, "copy"))
    check(read(result) == read(os.path.join(folder, "copy.h5")), "a result under the name is as it was")
    with open(os.path.join(folder, "other.yaml"), "w", encoding="utf-8") as file:
        file.write(text)
    for name, what in (("other", text.encode()), ("note", b"dear diary\n"), ("broken", b"polku: [\n"), ("empty", b"")):
        path = os.path.join(folder, name + ".yaml")
        with open(path, "wb") as file:
            file.write(what)
        done = expect(1, f"{path}: is there and is no file of calibrated parameters: not overwritten", "calibrate", STUDY,
                      "-o", path[:-5])
        check(done.stdout == "" and read(path) == what and not os.path.exists(path[:-5] + ".h5"),
              f"{name}.yaml is as it was, and nothing was searched")
    expect(1, "not overwritten", "calibrate", STUDY, "-o", STUDY[:-5])
    again = expect(0, "written", "calibrate", STUDY, "-o", stem, "--draws", "50")
    check("sample: 50 draws" in again.stdout, "an earlier answer is overwritten")
    expect(0, "written", "calibrate", STUDY, "-o", stem)


def test_same(folder, stem):
    """The same bytes for any number of threads, and again."""
    for study in ("study", "tiny_simulated"):
        files = set()
        for threads in ("1", "2", "3"):
            path = os.path.join(folder, "same" + threads)
            expect(0, "written", "calibrate", os.path.join(DATA, study + ".yaml"), "-o", path,
                   env={**os.environ, "OMP_NUM_THREADS": threads})
            files.add((read(path + ".yaml"), read(path + ".h5")))
        expect(0, "written", "calibrate", os.path.join(DATA, study + ".yaml"), "-t", "2", "-o", path)
        files.add((read(path + ".yaml"), read(path + ".h5")))
        check(len(files) == 1, f"{study}: the same bytes for any number of threads")
    expect(0, "written", "calibrate", STUDY, "-o", path)
    check(read(path + ".yaml") == read(stem + ".yaml") and read(path + ".h5") == read(stem + ".h5"), "and again")
    expect(0, "written", "calibrate", STUDY, "-o", path, "--no-simulation")
    with xarray.open_dataset(path + ".h5", engine="h5netcdf", group="targets") as targets:
        check(bool(targets["simulated"].isnull().all()), "without simulation none is told")


def limit_file_size(size):
    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    return limit


def test_outputs(folder):
    where = os.path.join(folder, "where")
    os.mkdir(where)
    for stem, text in (("missing/x", "missing: cannot create files: No such file or directory"),
                       ("", "an empty --output names no file"), ("./", "./ names no file"),
                       ("x" * 300, "the name of the output is too long"),
                       ("/".join(["x" * 100] * 50), "the name of the output is too long")):
        done = expect(3, text, "calibrate", STUDY, "-o", stem, cwd=where)
        check(done.stdout == "", "which is told before the search")
    expect(3, "outputs: cannot create files: No such file or directory", "calibrate", STUDY, cwd=where)
    for ending in ("yaml", "h5"):
        os.mkdir(os.path.join(where, "x." + ending))
        expect(1, "not overwritten", "calibrate", STUDY, "-o", "x", cwd=where)
        os.rmdir(os.path.join(where, "x." + ending))
    check(listing(where) == [], f"nothing is written: {listing(where)}")
    os.mkdir(os.path.join(where, "outputs"))
    expect(0, "outputs/small_fit.yaml and outputs/small_fit.h5 written", "calibrate", STUDY, cwd=where)
    check(listing(os.path.join(where, "outputs")) == ["small_fit.h5", "small_fit.yaml"], "the default name is the study's")
    shutil.rmtree(os.path.join(where, "outputs"))

    with open("/dev/full", "w") as full:
        expect(3, "cannot write to the standard output", "calibrate", STUDY, "-o", "x", cwd=where, stdout=full)
        expect(3, "cannot write to the standard output", "calibrate", "--help", stdout=full)
    check(listing(where) == ["x.h5", "x.yaml"], "what could be written is")
    before = [read(os.path.join(where, name)) for name in listing(where)]
    for size, text in ((500, "x.h5: cannot"), (20000, "x.h5: cannot")):
        expect(3, text, "calibrate", STUDY, "-o", "x", "--draws", "20", cwd=where, preexec_fn=limit_file_size(size))
        check([read(os.path.join(where, name)) for name in listing(where)] == before, "the earlier answer is as it was")
    for name in listing(where):
        os.remove(os.path.join(where, name))
    expect(3, "x.h5: cannot", "calibrate", STUDY, "-o", "x", cwd=where, preexec_fn=limit_file_size(20000))
    check(listing(where) == [], f"a full disk leaves nothing: {listing(where)}")

    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24k", "tmpfs", where], capture_output=True).returncode == 0
    if not mounted:
        print("skipped: no tmpfs can be mounted here")
        return
    try:
        expect(3, ["x.h5: cannot", "No space left on device"], "calibrate", STUDY, "-o", "x", cwd=where)
        check(listing(where) == [], f"a full disk is left as it was: {listing(where)}")
    finally:
        subprocess.run(["umount", where], check=True)


def long_study(folder):
    """One that takes minutes."""
    text = read(os.path.join(DATA, "study.yaml")).decode().replace("scenario.yaml", os.path.join(folder, "long_scenario.yaml"))
    path = os.path.join(folder, "long.yaml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text.replace("  draws:", "  objective: simulation\n  draws:"))
    text = read(os.path.join(DATA, "scenario.yaml")).decode().replace("model: model", f"model: {DATA}/model")
    with open(os.path.join(folder, "long_scenario.yaml"), "w", encoding="utf-8") as file:
        file.write(text.replace("size: 2000", "size: 2000000"))
    return path


def test_interrupted(folder):
    study, where = long_study(folder), os.path.join(folder, "interrupted")
    os.mkdir(where)
    for number in (signal.SIGINT, signal.SIGTERM):
        process = subprocess.Popen([POLKU, "calibrate", study, "-t", "2", "-o", os.path.join(where, "x")],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        time.sleep(0.4)
        check(process.poll() is None, "it is at work")
        before = processor_seconds(process)
        process.send_signal(number)
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        more = processor_seconds(process) - before
        out, err = process.communicate(timeout=LONG)
        check(process.returncode == -number and more < 2, f"{number.name} stops it at once: {more} s")
        check(listing(where) == [] and out == b"" and err == b"", f"and leaves nothing: {listing(where)} {out} {err}")

    # at any time: both files or neither
    n_whole = 0
    for i in range(40):
        process = subprocess.Popen([POLKU, "calibrate", TINY, "-t", "1", "-o", os.path.join(where, "x")],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(0.0006 * i)
        process.send_signal(signal.SIGTERM)
        process.wait()
        check(listing(where) in ([], ["x.h5", "x.yaml"]), f"both files or neither after {i}: {listing(where)}")
        n_whole += len(listing(where)) == 2
        for name in listing(where):
            os.remove(os.path.join(where, name))
    print(f"{n_whole} of 40 were through before they were stopped")


def test_progress(folder):
    """A bar on a terminal, and nothing of it in the answer."""
    seen, out = on_a_terminal("calibrate", STUDY, "-o", os.path.join(folder, "bar"))
    seen = "".join(text for _, _, text in seen)
    check("searching" in seen and "sampling" in seen or "done" in seen, f"stages are told on a terminal: {seen!r}")
    check(re.search(r"\d+ %", seen) and seen.rstrip().endswith("written"), f"and how far it is: {seen!r}")
    check(out.startswith("! ") and "\r" not in out and "searching" not in out, "the standard output has the answer alone")


def main():
    with tempfile.TemporaryDirectory() as folder:
        test_usage(folder)
        test_check()
        stem, marks, told = test_answer(folder)
        test_sample(stem, marks, told)
        test_taken_up(folder, stem, marks)
        test_same(folder, stem)
        test_outputs(folder)
        test_interrupted(folder)
        test_progress(folder)
    finish()


if __name__ == "__main__":
    main()
