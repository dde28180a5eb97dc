#!/usr/bin/python3
"""The program as its users meet it: exit codes, messages, whole files or none, the tables it exports."""
import csv
import itertools
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

sys.dont_write_bytecode = True
import h5py
import numpy
import xarray
from checks import GOOD, POLKU, SOURCE, check, expect, finish, polku, processor_seconds

SCENARIO, MODEL = os.path.join(GOOD, "scenario.yaml"), os.path.join(GOOD, "model.yaml")


def digest_of(done):
    lines = [line for line in done.stdout.splitlines() if line.startswith("digest: ")]
    return lines[0] if len(lines) == 1 else None


def listing(folder):
    return sorted(os.listdir(folder))


def test_usage(folder):
    expect(2, "Usage: polku COMMAND")
    expect(2, ["no command is called chek", "did you mean check?"], "chek")
    expect(2, "no command is called frobnicate\n", "frobnicate")
    expect(2, ["no option is called --replicatoins", "did you mean --replications?"], "run", "--replicatoins", "3", SCENARIO)
    expect(2, "no option is called -x", "run", "-x", SCENARIO)
    expect(2, "needs a value", "run", SCENARIO, "-r")
    expect(2, 'is "abc", expected a whole number', "run", SCENARIO, "-r", "abc")
    expect(2, 'is "0", expected a whole number', "run", SCENARIO, "--people", "0")
    expect(2, "expected NAME=VALUE", "run", SCENARIO, "--set", "find_rate")
    expect(2, "expected one scenario file, found 0", "run")
    expect(2, "expected one scenario file, found 2", "run", SCENARIO, SCENARIO)
    expect(2, "expected at least one file", "check")
    expect(2, "expected --csv DIR", "export", "result.h5")
    expect(2, "expected fi, sv or en", "compare", "--language", "de", "result.h5")
    expect(2, "expected fi, sv or en", "graph", "--language", "de", MODEL)
    done = expect(0, "", "--help")
    commands = re.findall(r"^  (\w+) ", done.stdout, re.M)
    check(set(commands) >= {"check", "graph", "run", "compare", "export"}, f"--help names the commands: {commands}")
    for command in commands:
        done = expect(0, "", command, "--help")
        check(f"Usage: polku {command}" in done.stdout and re.search("Examples?:\n  polku ", done.stdout),
              f"{command} --help shows usage and an example")
        check(done.stdout == polku(command, "-h").stdout, f"{command} -h is --help")
    done = expect(0, "", "--version")
    check(done.stdout.startswith("polku ") and "HDF5" in done.stdout, "--version tells version and libraries")


def test_inputs(folder):
    expect(3, "missing.yaml: cannot open the file: No such file", "check", "missing.yaml", cwd=folder)
    expect(3, "missing.yaml: cannot open the file: No such file", "run", "missing.yaml", cwd=folder)
    expect(3, "missing.yaml: cannot open the file: No such file", "graph", "missing.yaml", cwd=folder)
    expect(3, "missing.h5: cannot open", "compare", "missing.h5", cwd=folder)
    expect(3, "missing.h5: cannot open", "export", "missing.h5", "--csv", "csv", cwd=folder)
    expect(3, "is not a regular file", "check", folder)
    expect(1, "is a model, expected a scenario", "run", MODEL, "-o", "x.h5", cwd=folder)
    expect(1, ['no parameter is called "find_rat"', 'did you mean "find_rate"?'], "run", SCENARIO, "--set", "find_rat=1",
           "-o", "x.h5", cwd=folder)
    expect(1, "find_rate: -1 is outside", "run", SCENARIO, "--set", "find_rate=-1", "-o", "x.h5", cwd=folder)
    check(not os.path.exists(os.path.join(folder, "x.h5")), "a run that is refused writes nothing")


def test_outputs(folder):
    before = listing(folder)
    expect(3, ["missing/x.h5: ", "No such file or directory"], "run", SCENARIO, "-o", "missing/x.h5", cwd=folder)
    expect(3, "is a directory", "run", SCENARIO, "-o", folder, cwd=folder)
    expect(3, "is empty", "run", SCENARIO, "-o", "", cwd=folder)
    check(listing(folder) == before, f"nothing is left behind: {set(listing(folder)) - set(before)}")


def test_standard_output(folder, result):
    small = [SCENARIO, "-r", "1", "--no-variants", "-o", os.path.join(folder, "full.h5")]
    commands = [["--help"], ["--version"], ["run", "--help"], ["check", MODEL], ["check", SCENARIO], ["graph", MODEL],
                ["run", *small], ["compare", result], ["compare", result, "--json"],
                ["export", result, "--csv", os.path.join(folder, "full")]]
    for command in commands:
        with open("/dev/full", "w") as full:
            expect(3, "cannot write to the standard output", *command, stdout=full)
    done = polku("run", *small)
    check(done.returncode == 0 and done.stderr == "", f"no progress and no warning in a pipe: {done.stderr!r}")


def limit_file_size():
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000))


def test_full_disk(folder, result):
    for name in ("run", "export"):
        os.mkdir(os.path.join(folder, name))
    where = os.path.join(folder, "run")
    expect(3, "x.h5: cannot write", "run", SCENARIO, "-o", "x.h5", cwd=where, preexec_fn=limit_file_size)
    check(listing(where) == [], f"a result that does not fit leaves nothing: {listing(where)}")
    shutil.copy(result, os.path.join(where, "x.h5"))
    expect(3, "x.h5: cannot write", "run", SCENARIO, "-o", "x.h5", cwd=where, preexec_fn=limit_file_size)
    with open(result, "rb") as old, open(os.path.join(where, "x.h5"), "rb") as new:
        check(old.read() == new.read(), "the result that was there before is as it was")
    check(listing(where) == ["x.h5"], "and nothing is beside it")
    where = os.path.join(folder, "export")
    expect(3, ".csv: cannot write", "export", result, "--csv", where, preexec_fn=limit_file_size)
    check(not any("partial" in name for name in listing(where)), f"no half table is left: {listing(where)}")

    where = os.path.join(folder, "tmpfs")
    os.mkdir(where)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", where], capture_output=True).returncode == 0
    if not mounted:
        print("skipped: no tmpfs can be mounted here")
        return
    try:
        expect(3, ["x.h5: cannot write", "No space left on device"], "run", SCENARIO, "-o", os.path.join(where, "x.h5"))
        check(listing(where) == [], f"a full disk is left as it was: {listing(where)}")
        expect(3, "No space left on device", "export", result, "--csv", os.path.join(where, "csv"))
        check(not any("partial" in name for name in listing(os.path.join(where, "csv"))), "no half table on a full disk")
    finally:
        subprocess.run(["umount", where], check=True)


def test_no_result(folder, result):
    with open(result, "rb") as file:
        whole = file.read()
    for name, content in {"text": b"hello\n", "empty": b"", "truncated": whole[: len(whole) // 2],
                          "beginning": whole[:100], "no_beginning": whole[100:]}.items():
        path = os.path.join(folder, name + ".h5")
        with open(path, "wb") as file:
            file.write(content)
        expect(1, path, "compare", path)
        expect(1, path, "export", path, "--csv", os.path.join(folder, "csv_" + name))
        check(not os.path.exists(os.path.join(folder, "csv_" + name)), f"{name}: no folder is made for nothing")
    with h5py.File(os.path.join(folder, "other.h5"), "w") as file:
        file["something"] = numpy.arange(3)
    expect(1, "other.h5: ", "compare", os.path.join(folder, "other.h5"))
    text = open(SCENARIO, encoding="utf-8").read().replace("model: model.yaml", f"model: {MODEL}")
    plain = text[: text.index("outcomes:")]
    with open(os.path.join(folder, "plain.yaml"), "w", encoding="utf-8") as file:
        file.write(plain)
    expect(0, "", "run", "plain.yaml", "-o", "plain.h5", cwd=folder)
    expect(1, "no outcomes", "compare", "plain.h5", cwd=folder)
    expect(0, "", "export", "plain.h5", "--csv", "plain", cwd=folder)
    check("occupancy.csv" in listing(os.path.join(folder, "plain")) and
          "outcomes.csv" not in listing(os.path.join(folder, "plain")), "without outcomes the tables are exported")
    expect(1, ['no arm is called "coash"', 'did you mean "coach"?'], "compare", result, "--against", "coash")


def is_whole(path):
    done = polku("compare", path)
    return done.returncode == 0


def test_killed(folder):
    """kill -9 at twelve moments: the result is whole or not there; one that was there before is whole."""
    command = [POLKU, "run", os.path.join(SOURCE, "configs", "ips-vs-typ.yaml"), "-r", "4", "--no-variants", "-o"]
    process = subprocess.Popen(command + [os.path.join(folder, "whole.h5")], stdout=subprocess.DEVNULL)
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    seconds = processor_seconds(process)
    check(process.wait() == 0, "a run that nobody kills ends well")
    n_killed = 0
    for i in range(12):
        path = os.path.join(folder, f"killed_{i}.h5")
        there_before = i % 3 == 2
        if there_before:
            shutil.copy(os.path.join(folder, "whole.h5"), path)
        process = subprocess.Popen(command + [path], stdout=subprocess.DEVNULL)
        while process.poll() is None and processor_seconds(process) < seconds * (0.1 + 0.075 * i):
            time.sleep(0.001)
        process.kill()
        n_killed += process.wait() == -signal.SIGKILL
        if there_before or os.path.exists(path):
            check(is_whole(path), f"killed at {10 + 7.5 * i:g} % of {seconds:.2f} s, the result is whole")
        else:
            check(True, "no result")
    check(n_killed >= 3, f"{n_killed} of 12 runs were killed before their end")


def test_graph(folder):
    for path in (MODEL, SCENARIO, os.path.join(SOURCE, "models", "tyokyky", "model.yaml")):
        for language in ("fi", "sv", "en"):
            done = expect(0, "", "graph", "--language", language, path)
            check(done.stdout.startswith("digraph ") and done.stdout.endswith("}\n"), f"graph of {path}")
            if shutil.which("dot"):
                drawn = subprocess.run(["dot", "-Tsvg"], input=done.stdout, text=True, capture_output=True)
                check(drawn.returncode == 0 and drawn.stderr == "" and "</svg>" in drawn.stdout,
                      f"dot draws {path}: {drawn.stderr}")
    if not shutil.which("dot"):
        print("skipped: Graphviz is not installed")
    check("työssä" in polku("graph", "--language", "fi", MODEL).stdout, "labels are in the language asked for")


def test_json(folder, result):
    done = expect(0, "", "run", SCENARIO, "--json", "-o", os.path.join(folder, "json.h5"))
    told = json.loads(done.stdout)
    wanted = {"output", "digest", "persons", "replications", "transitions", "variants", "threads", "seconds"}
    check(set(told) >= wanted, f"run --json holds {sorted(wanted)}, found {sorted(told)}")
    check(told.get("persons") == 1000 and told.get("replications") == 2, "run --json tells persons and replications")
    check(len(told.get("digest", "")) == 64, "run --json tells the digest")
    told = json.loads(expect(0, "", "compare", result, "--json").stdout)
    wanted = {"title", "per", "per_persons", "arms", "outcomes", "variants", "documents_warn", "warnings"}
    check(set(told) >= wanted, f"compare --json holds {sorted(wanted)}, found {sorted(told)}")
    check([arm["arm"] for arm in told["arms"]] == ["none", "coach", "both"], "compare --json tells the arms")
    names = [outcome["outcome"] for outcome in told["outcomes"]]
    check(names == ["ever_work", "in_work", "work_years", "hours", "illnesses"], f"and the outcomes: {names}")
    check(all("standard_error" in outcome["arms"]["coach"] for outcome in told["outcomes"]), "each with its error")
    check(all(outcome["differences"] for outcome in told["outcomes"]), "and differences")
    only = json.loads(expect(0, "", "compare", result, "--json", "--against", "none").stdout)
    check(len(only["outcomes"][0]["differences"]) == 2, "--against leaves the differences from one arm")


def test_same_answer(folder):
    """The digest does not depend on threads or blocks; a scenario with transitions only is among them on purpose."""
    text = open(SCENARIO, encoding="utf-8").read().replace("model: model.yaml", f"model: {MODEL}")
    lines = text.splitlines(True)
    only = "".join(line for line in lines if "name: occupancy" not in line and "name: person_years" not in line)
    path = os.path.join(folder, "transitions.yaml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(only)
    for scenario in (SCENARIO, path):
        digests = set()
        few = ["-r", "1", "--no-variants"] if scenario == path else ["-r", "1"]
        for options in (["-t", "1"], ["-t", "2"], ["-t", "7"], ["-t", "1", "--block", "1"], ["--block", "97"],
                        ["-t", "7", "--block", "1000000"]):
            done = expect(0, "", "run", scenario, *few, *options, "-o", os.path.join(folder, "same.h5"))
            digests.add(digest_of(done))
        check(len(digests) == 1 and None not in digests, f"{scenario}: one digest for all threads and blocks: {digests}")
        done = expect(0, "", "rerun", "-t", "1", os.path.join(folder, "same.h5"))
        check(next(iter(digests))[len("digest: "):] in done.stdout, "rerun finds the same digest")
        done = polku("run", scenario, *few, "--set", "find_rate=0.21", "-o", os.path.join(folder, "same.h5"))
        check(digest_of(done) not in digests, "another value gives another digest")


def rows_of(folder, name):
    with open(os.path.join(folder, name + ".csv"), newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        return reader.fieldnames, list(reader)


def check_table(folder, result, name, measure):
    """A table as CSV against the same table in xarray: the same cells in the same order."""
    columns, rows = rows_of(folder, name)
    with xarray.open_dataset(result, engine="h5netcdf", group=name) as dataset:
        dataset.load()
    for what, se in ((measure, measure + "_se"), (measure + "_difference", measure + "_difference_se")):
        values, errors = dataset[what], dataset[se]
        some = [row for row in rows if row["measure"] == what]
        check(columns == [*values.dims, "measure", "value", "mcse"], f"{name}.csv has the columns {columns}")
        check(len(some) == values.size, f"{name}.csv has {len(some)} rows of {what}, expected {values.size}")
        cells = itertools.product(*(values.coords[dim].values for dim in values.dims))
        same = all(str(key) == row[dim] if isinstance(key, str) else float(key) == float(row[dim])
                   for row, cell in zip(some, cells) for dim, key in zip(values.dims, cell))
        check(same, f"{name}.csv names every cell of {what}")
        check([float(row["value"]) for row in some] == values.values.ravel().tolist(), f"{name}.csv holds {what} to the bit")
        read = numpy.array([float("nan" if row["mcse"] == "NA" else row["mcse"]) for row in some])
        check(numpy.array_equal(read, errors.values.ravel(), equal_nan=True), f"{name}.csv holds the errors of {what}")
    return dataset


def test_export(folder, result):
    out = os.path.join(folder, "csv")
    done = expect(0, "", "export", result, "--csv", out)
    check(sorted(done.stdout.split()) == [os.path.join(out, name) for name in listing(out)], "export names what it wrote")
    tables = {"occupancy": "occupancy", "person_years": "person_years", "transitions": "transitions"}
    for group in ("enrolled_1", "enrolled_2"):
        tables |= {f"{group}_{name}": name for name in ("occupancy", "person_years", "transitions")}
    expected = {"outcomes", "variant_outcomes", "parameters", "arms", "variants", "influence", "rewards", *tables}
    check({name[:-4] for name in listing(out)} == expected, f"export writes {sorted(expected)}, found {listing(out)}")

    occupancy = check_table(out, result, "occupancy", "occupancy")["occupancy"]
    check(occupancy.dims == ("arm", "state", "time") and occupancy.shape == (3, 5, 9), f"occupancy is {occupancy.sizes}")
    check(numpy.allclose(occupancy.sum("state"), 1000, rtol=0, atol=1e-9), "the states add up to all people at every time")
    check(occupancy.coords["time"].values.tolist() == [i / 2 for i in range(9)], "time is in years")
    years = check_table(out, result, "person_years", "person_years")["person_years"]
    check(set(years.dims) == {"arm", "sex", "region", "state", "time"}, f"person-years are by {years.dims}")
    check(numpy.allclose(years.sum(("sex", "region", "state")), 1000, rtol=1e-12), "person-years add up to people x time")
    events = check_table(out, result, "transitions", "transitions")
    check(float(events["transitions"].sum()) > 0, "transitions are counted")
    flow = events["transitions"].sum("time")
    for state in occupancy.coords["state"].values:
        change = (occupancy.sel(state=state).isel(time=-1) - occupancy.sel(state=state).isel(time=0)).values
        into = flow.where(events["to_state"] == state, 0).sum("transition").values
        out_of = flow.where(events["from_state"] == state, 0).sum("transition").values
        check(numpy.allclose(change, into - out_of, rtol=0, atol=1e-9), f"{state}: what enters less what leaves is the change")

    columns, rows = rows_of(out, "outcomes")
    check(set(columns) >= {"arm", "replication", "outcome", "measure", "value"}, f"outcomes.csv has the columns {columns}")
    with xarray.open_dataset(result, engine="h5netcdf", group="outcomes") as dataset:
        values = dataset["value"].load()
        check(len(rows) == values.size, f"outcomes.csv has {len(rows)} rows, expected {values.size}")
        check([float(row["value"]) for row in rows] == values.values.ravel().tolist(), "outcomes.csv holds them to the bit")
        check({row["arm"] for row in rows} == {"none", "coach", "both"}, "outcomes.csv names the arms")
    in_work = sum(float(row["value"]) for row in rows
                  if row["population"] == "everyone" and row["arm"] == "coach" and row["outcome"] == "in_work")
    check(abs(in_work / 2 - float(occupancy.sel(arm="coach", state="work", time=2))) < 1e-9,
          "an outcome summed over its batches is the same cell of the table")
    columns, rows = rows_of(out, "parameters")
    found = {row["parameter"]: row for row in rows}
    check(found["find_rate"]["value"] == "0.2" and found["find_rate"]["overridden"] == "1", "parameters tell what was set")
    check(all(row["source_kind"] and row["source"] for row in rows), "every parameter has its source")
    check("{find_rate: high}" not in str(rows) and len(rows) == 20, f"{len(rows)} parameters")


def test_told(folder):
    """Rewards, ledgers, histograms, preventions and the event log: exported, and told at other prices."""
    result, csv_folder = os.path.join(folder, "told.h5"), os.path.join(folder, "csv")
    expect(0, "", "run", os.path.join(GOOD, "told.yaml"), "-o", result)
    expect(0, "", "export", result, "--csv", csv_folder)
    columns, rows = rows_of(csv_folder, "events")
    check(columns[:7] == ["id", "arm", "from", "to", "tstart", "tstop", "status"], f"events.csv is for mstate: {columns}")
    check(set(columns[7:]) == {"sex", "region"}, f"and has the attributes: {columns}")
    columns, rows = rows_of(csv_folder, "histograms_years_in_work")
    check(columns == ["arm", "sex", "bin", "measure", "value", "mcse"] and len(rows) == 2 * 3 * 2 * 7,
          f"a histogram is told by bin: {columns}, {len(rows)}")
    columns, rows = rows_of(csv_folder, "histograms_years_in_work_quantiles")
    check(columns[:3] == ["arm", "sex", "quantile"] and len(rows) == 3 * 2 * 7, f"its quantiles apart: {columns}")
    columns, rows = rows_of(csv_folder, "preventions")
    check([row["prevention"] for row in rows] == ["shield:fall", "shield:fall", "detour:lose"], "preventions are told")
    columns, rows = rows_of(csv_folder, "outcomes")
    check({row["measure"] for row in rows} == {"value", "denominator"}, "a ratio's two parts are told")

    def figures(*arguments):
        done = expect(0, "", "compare", result, "--json", *arguments)
        return {row["outcome"]: row for row in json.loads(done.stdout)["outcomes"]}

    with h5py.File(result) as file:
        women, tally = file["outcomes"], file["occupancy"]
        i_state = [text.decode() for text in tally["state"][:]].index("work")
        at = list(tally["time"][:]).index(5)
        people = tally["occupancy"][0, [text.decode() for text in tally["sex"][:]].index("woman")].sum(axis=0)
        names = [text.decode() for text in women["outcome"][:]]
        of_women = [women[part][0, :, 0, names.index("share_of_women")].sum() for part in ("value", "denominator")]
        share = of_women[0] / of_women[1]
        check(abs(share - people[i_state, at] / people[:, at].sum()) < 1e-12, f"a share of the women: {share}")
        years = women["denominator"][0, :, 0, names.index("years_each")]
        check(set(years) == {500.0 + 60 * 4}, f"years are of everybody who is there by then: {years}")

    before, after = figures(), figures("--set", "wage=62000", "--set", "course=0")
    check(after["output"]["arms"]["both"]["value"] > 1.999 * before["output"]["arms"]["both"]["value"], "twice the wage")
    check(after["htv"] == {**before["htv"], **{"differences": after["htv"]["differences"]}}, "hours cost what they did")
    check(after["ledger_courses"]["arms"]["none"]["value"] == 0, "courses cost nothing now")
    check("'low'" in str(before["output"]) and "'low'" not in str(after["output"]), "ranges were run at the old prices")
    check("Prices set anew: course = 0." in polku("compare", result, "--set", "course=0").stdout, "it is said so")
    expect(1, "blocked is no price of a reward", "compare", result, "--set", "blocked=0.5")
    expect(1, ['no parameter is called "wgae"', 'did you mean "wage"?'], "compare", result, "--set", "wgae=1")
    expect(2, "expected NAME=VALUE", "compare", result, "--set", "wage")
    other = os.path.join(folder, "other.h5")
    expect(0, "", "run", os.path.join(GOOD, "told.yaml"), "--set", "wage=62000", "--set", "course=0", "--no-variants",
           "-o", other)
    anew = {row["outcome"]: row for row in json.loads(polku("compare", other, "--json").stdout)["outcomes"]}
    for name, row in anew.items():
        for arm, figure in row["arms"].items():
            told = after[name]["arms"][arm]
            check(abs(told["value"] - figure["value"]) <= 1e-12 * abs(figure["value"]) and
                  abs(told["standard_error"] - figure["standard_error"]) <= 1e-9 * abs(figure["standard_error"]),
                  f"{name} in {arm} is that of a new run: {told}, {figure}")


def test_new(folder):
    """The files made are good, run, verify and compare as the program says; nothing is overwritten."""
    done = expect(0, "", "new", "some_jobs", cwd=folder)
    lines = done.stdout.splitlines()
    check(lines[:2] == ["some_jobs/model.yaml", "some_jobs/scenario.yaml"], f"new names what it made: {done.stdout}")
    check(listing(os.path.join(folder, "some_jobs")) == ["model.yaml", "scenario.yaml"], "and makes nothing else")
    for name in ("model", "scenario"):
        with open(os.path.join(folder, "some_jobs", name + ".yaml"), encoding="utf-8") as file:
            text = file.read()
        check(f"\n{name}: some_jobs\n" in text and "@" not in text, f"{name}.yaml bears the name")
        done = expect(0, "", "check", "--quiet", f"some_jobs/{name}.yaml", cwd=folder)
        check(done.stderr == "", f"{name}.yaml is good, without warnings: {done.stderr}")
    check(lines[2] == "next: polku run some_jobs/scenario.yaml -o some_jobs.h5 && polku compare some_jobs.h5",
          f"new says what comes next: {lines[2]}")
    expect(0, "", "run", "some_jobs/scenario.yaml", "-o", "some_jobs.h5", cwd=folder)
    done = expect(0, "", "compare", "some_jobs.h5", cwd=folder)
    check("years_in_work" in done.stdout and "What decides" in done.stdout, "its comparison tells what decides")
    done = expect(0, "", "verify", "--brief", "some_jobs/scenario.yaml", cwd=folder)
    check("simulation and twin agree" in done.stdout, f"it is verified: {done.stdout}")

    path = os.path.join(folder, "some_jobs", "scenario.yaml")
    with open(path, "a", encoding="utf-8") as file:
        file.write("# mine\n")
    expect(3, ["some_jobs/model.yaml: ", "is there already; nothing is overwritten"], "new", "some_jobs", cwd=folder)
    os.remove(os.path.join(folder, "some_jobs", "model.yaml"))
    expect(3, ["some_jobs/scenario.yaml: ", "is there already"], "new", "some_jobs", cwd=folder)
    with open(path, encoding="utf-8") as file:
        check(file.read().endswith("# mine\n"), "what was there is as it was")
    with open(os.path.join(folder, "taken"), "w", encoding="utf-8") as file:
        file.write("a file")
    expect(3, "taken", "new", "taken", cwd=folder)
    before = listing(folder)
    for name in ("", "2nd", "some-jobs", "../jobs", "a/b", "työt", "x" * 64, "jobs.yaml"):
        expect(2, "is no name: use letters, digits and underscores", "new", name, cwd=folder)
    expect(2, "expected one name, found 0", "new", cwd=folder)
    expect(2, "expected one name, found 2", "new", "a", "b", cwd=folder)
    check(listing(folder) == before, f"a bad name makes nothing: {set(listing(folder)) - set(before)}")


def test_verify(folder):
    ref5 = os.path.join(SOURCE, "configs", "ref5.yaml")
    done = expect(0, "", "verify", ref5, "--people", "20000", "--times", "4")
    check("everyone, arm base (20000 people)" in done.stdout, "verify tells whom it holds")
    check(len(re.findall(r"^ +\d+  (?:unemployed|coaching|employed|rehab|pension|dead) ", done.stdout, re.M)) == 24,
          "six states at four times")
    brief = expect(0, "", "verify", ref5, "--people", "20000", "--times", "4", "--brief")
    check(brief.stdout and done.stdout.endswith(brief.stdout) and len(brief.stdout.splitlines()) == 2,
          f"--brief is the verdict alone: {brief.stdout}")
    check("24 figures" in brief.stdout and "simulation and twin agree" in brief.stdout, f"the verdict: {brief.stdout}")
    told = json.loads(expect(0, "", "verify", ref5, "--people", "20000", "--times", "4", "--json").stdout)
    check(told["passed"] is True and told["verified"] is True and told["figures"] == len(told["rows"]) == 24,
          f"--json tells the verdict: {told['passed']}, {told['figures']}")
    check(told["not_verified"] == "" and told["largest_z"] <= told["bound"], "nothing is left out")
    wanted = {"population", "arm", "state", "years", "exact", "error", "simulated", "standard_error", "z"}
    check(all(set(row) == wanted for row in told["rows"]), "every row is whole")
    for state, exact in (("unemployed", 0.09188), ("employed", 0.18832), ("pension", 0.53308), ("dead", 0.14786)):
        found = [row["exact"] for row in told["rows"] if row["state"] == state and row["years"] == 40]
        check(len(found) == 1 and abs(found[0] - exact) < 6e-6, f"{state} after 40 years is {exact} by matrix exponential: {found}")
    # another value of a parameter is another solution, which the simulation agrees with too
    other = json.loads(expect(0, "", "verify", ref5, "--people", "20000", "--times", "4", "--json", "--set",
                              "death_rate=0.01").stdout)
    check(other["passed"] and other["rows"][-1]["exact"] > 0.3, "--set reaches simulation and twin")

    # what the twin cannot follow is named with the arm and the transition
    dates = os.path.join(GOOD, "dates.yaml")
    done = expect(0, "", "verify", "--brief", dates)
    check("the arm shield is not verified: the transition wear is prevented with an immunity of some years" in done.stdout,
          f"an immunity of some years is named: {done.stdout}")
    told = json.loads(expect(0, "", "verify", "--json", dates).stdout)
    check("the arm shield is not verified: the transition wear" in told["not_verified"], "in JSON too")
    check({row["arm"] for row in told["rows"]} == {"none", "coach"}, "the other arms are verified")
    done = expect(0, "", "verify", "--brief", os.path.join(GOOD, "told.yaml"))
    check("people who flow in are left out" in done.stdout, f"people who flow in are named: {done.stdout}")

    expect(1, "is a model, expected a scenario", "verify", MODEL)
    expect(2, "expected one scenario file, found 0", "verify")
    expect(2, 'is "0", expected a whole number from 1 to 60', "verify", "--times", "0", ref5)
    expect(1, 'no parameter is called "deth_rate"', "verify", "--set", "deth_rate=1", ref5)
    expect(3, "cannot open the file", "verify", "missing.yaml", cwd=folder)


def main():
    with tempfile.TemporaryDirectory() as folder:
        def room(name):
            path = os.path.join(folder, name)
            os.mkdir(path)
            return path

        result = os.path.join(folder, "good.h5")
        expect(0, "", "run", SCENARIO, "-o", result)
        test_usage(room("usage"))
        test_inputs(room("inputs"))
        test_outputs(room("outputs"))
        test_standard_output(room("stdout"), result)
        test_full_disk(room("full"), result)
        test_no_result(room("none"), result)
        test_killed(room("killed"))
        test_graph(room("graph"))
        test_json(room("json"), result)
        test_same_answer(room("same"))
        test_export(room("export"), result)
        test_told(room("told"))
        test_new(room("new"))
        test_verify(room("verify"))
    finish()


if __name__ == "__main__":
    main()
