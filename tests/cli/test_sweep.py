#!/usr/bin/python3
"""polku sweep and polku merge as their users meet them: the same bytes however a sweep came about, what is taken up and
what is not, and that whatever goes wrong is told and leaves what was there."""
import copy
import json
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
import yaml
from checks import GOOD, LONG, POLKU, SOURCE, check, expect, finish, on_a_terminal, polku, processor_seconds
from sweeps import DATA, Sample, path_of, read, sweep, write, write_study

DRAWS, WAYS = path_of("chain_draws"), path_of("chain_ways")


def listing(folder):
    return sorted(os.listdir(folder))


def within(folder, name):
    path = os.path.join(folder, name)
    os.makedirs(path)
    return path


# ---- usage -----------------------------------------------------------------------------------------------------------

def test_usage(folder):
    for command in ("sweep", "merge", "analyse"):
        told = expect(0, "", command, "--help").stdout
        for example in re.findall(r"(configs/\S+\.yaml)", told):
            check(os.path.exists(os.path.join(SOURCE, example)), f"the example {example} of {command} is there")
        check("Example" in told and f"  polku {command} " in told, f"the help of {command} has an example")
        expect(2, [f"Try: polku {command} --help", "did you mean --output?"], command, "--outptu", "x", WAYS, cwd=folder)
        expect(2, "no option is called -z", command, "-z", WAYS, cwd=folder)
    for arguments, text in ((["--shard", "0/3"], "expected K/N"), (["--shard", "4/3"], "expected K/N"),
                            (["--shard", "3"], "expected K/N"), (["--shard", "1/10000"], "N at most 9999"),
                            (["--shard", "1/"], "expected K/N"), (["--shard", "-1/3"], "expected K/N"),
                            (["--shard", "1.5/3"], "expected K/N"), (["--threads", "0"], "from 1 to 4096"),
                            (["--draws", "1"], "from 2 to 1000000"), (["--keep-every", "-1"], "from 0 to 1000000"),
                            (["-o", ""], "names no file"), (["-o", "x/"], "names no file"), ([WAYS], "found 2"),
                            (["-o", "x" * 5000], "too long")):
        expect(2, text, "sweep", *arguments, DRAWS, cwd=folder)
    expect(2, "expected one study file, found 0", "sweep", cwd=folder)
    expect(2, "expected a study file", "merge", cwd=folder)
    expect(2, "expected one file, found 2", "analyse", "a.h5", "b.h5", cwd=folder)
    expect(2, "--draws means nothing to the method one_way", "sweep", "--draws", "20", WAYS, cwd=folder)
    expect(2, "--draws means nothing to the method one_way", "merge", "--draws", "20", WAYS, cwd=folder)
    expect(2, "--draws means nothing without --outputs", "analyse", "--draws", "20", "a.h5", cwd=folder)
    many = write_study(os.path.join(folder, "many.yaml"), path_of("chain"),
                       {"method": "sobol", "draws": 8, "vary": "all",
                        "figures": {"years": {"outcome": "years", "arm": "none"}}})
    expect(2, "makes 11000000 points, at most 4194304 are allowed", "sweep", "--draws", "1000000", many, cwd=folder)
    calibration = os.path.join(SOURCE, "tests", "data", "calibrate", "tiny.yaml")
    for command in ("sweep", "merge"):
        expect(1, "is a calibration, expected a study with the key sweep; try: polku calibrate", command, calibration)
        expect(3, "missing.yaml: cannot open", command, "missing.yaml", cwd=folder)
        expect(1, "is a scenario, expected a study", command, path_of("chain"), cwd=folder)
    expect(1, "tiny.yaml: is a calibration", "analyse", "--outputs", "y.csv", calibration, cwd=folder)
    expect(1, "try: polku sweep", "calibrate", DRAWS, cwd=folder)
    expect(1, "is a study, expected a scenario", "run", DRAWS, cwd=folder)
    expect(1, "write its points with --design FILE", "sweep", path_of("outside"), cwd=folder)
    expect(1, "is of a model that is not ours", "merge", path_of("outside"), cwd=folder)
    expect(3, "missing.h5: cannot open", "analyse", "missing.h5", cwd=folder)
    os.remove(many)
    check(listing(folder) == [], f"nothing is written: {listing(folder)}")


def test_told(folder):
    done = expect(0, "", "sweep", WAYS, "-o", os.path.join(folder, "told"))
    check(done.stderr == "", f"quiet in a pipe: {done.stderr}")
    check(re.fullmatch(r"17 points of 17, 1 replication each: 0 taken up, 17 run in \S+ s on \d+ threads? \(\S+ ms each\)\n"
                       r"result: \S+/told.h5\ndigest: [0-9a-f]{16}\n", done.stdout), f"what was done: {done.stdout}")
    digest = done.stdout[-17:-1]
    told, sample = sweep(WAYS, os.path.join(folder, "told.h5")) # a stem may have its ending
    check(told["digest"] == digest and told["taken_up"] == 17 and told["points"] == 17 and told["transitions"] == 0,
          f"the same, all taken up: {told}")
    check(sample.attributes["digest"] == digest and sample.attributes["swept"] == "chain_ways", "and in the file")
    check(listing(folder) == ["told.h5"], f"one file: {listing(folder)}")
    where = within(folder, "where")
    os.mkdir(os.path.join(where, "outputs"))
    expect(0, "", "sweep", WAYS, cwd=where)
    check(listing(os.path.join(where, "outputs")) == ["chain_ways.h5"], "the default name is the study's")
    told = expect(0, "", "check", DRAWS).stdout
    check("60 points: What to do with the chain" in told and "pert(0.12, 0.3, 0.65) per_year" in told, "check tells it")


# ---- the same bytes --------------------------------------------------------------------------------------------------

def test_same(folder):
    wanted = None
    for i, arguments in enumerate((["-t", "1"], ["-t", "2"], ["-t", "7"], [])):
        stem = os.path.join(within(folder, f"threads{i}"), "any name")
        told, _ = sweep(DRAWS, stem, *arguments)
        wanted = wanted or read(stem + ".h5")
        check(read(stem + ".h5") == wanted and told["taken_up"] == 0, f"the same bytes with {arguments}")
    expect(0, "", "sweep", DRAWS, "-o", stem, env={**os.environ, "OMP_NUM_THREADS": "3"})
    check(read(stem + ".h5") == wanted, "and of points that are all taken up")
    return wanted


def start(*arguments):
    return subprocess.Popen([POLKU, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def wait_for(path, process, size):
    while process.poll() is None and not (os.path.exists(path) and os.path.getsize(path) >= size):
        time.sleep(0.002)


def work(process):
    """Until it has had half a second of a processor."""
    while process.poll() is None and processor_seconds(process) < 0.5:
        time.sleep(0.002)


def test_interrupted(folder):
    """Killed or asked to stop in the middle, taken up after that: the same bytes as never stopped."""
    many = ["--draws", "300"]
    fresh = os.path.join(folder, "fresh")
    sweep(DRAWS, fresh, *many)
    for i, number in enumerate((signal.SIGKILL, signal.SIGTERM, signal.SIGINT)):
        stem = os.path.join(folder, f"stopped{i}")
        part = stem + ".h5.part"
        process = start("sweep", DRAWS, "-o", stem, "-t", "1", "--draws", "20000", "--keep-every", "0" if i == 0 else "100")
        if i == 0:
            wait_for(part, process, 8000) # some 50 points
        else:
            work(process)
        process.send_signal(number)
        out, err = process.communicate(timeout=LONG)
        check(process.returncode == -number and out == b"", f"{number.name} ends it by the signal: {process.returncode} {out}")
        check(os.path.exists(part) and not os.path.exists(stem + ".h5"), f"finished points are kept: {listing(folder)}")
        if i > 0:
            check(re.search(rb"interrupted after \d+ of 20000 points, which are kept", err), f"and that is said: {err}")
        if i == 1: # a damaged one is not taken up
            shutil.copy(part, os.path.join(folder, "damaged.h5.part"))
            text = bytearray(read(part))
            text[len(text) // 2] ^= 4
            with open(os.path.join(folder, "damaged.h5.part"), "wb") as file:
                file.write(text)
            told, _ = sweep(DRAWS, os.path.join(folder, "damaged"), *many)
            check(told["taken_up"] == 0 and read(os.path.join(folder, "damaged.h5")) == read(fresh + ".h5"),
                  f"a damaged part is not taken up: {told}")
            shutil.copy(part, os.path.join(folder, "other.h5.part")) # of other replications: another key for each point
            other = yaml.safe_load(read(DRAWS))
            path = write_study(os.path.join(folder, "chain_draws.yaml"), path_of("chain"),
                               {**other["sweep"], "replications": 2, "draws": 4}, seed=31,
                               decision=other["decision"], title=other["title"])
            told, _ = sweep(path, os.path.join(folder, "other"))
            check(told["taken_up"] == 0 and told["replications"] == 2, f"nor one of other replications: {told}")
        told, _ = sweep(DRAWS, stem, *many)
        check(0 < told["taken_up"] <= 300, f"{told['taken_up']} points are taken up")
        check(read(stem + ".h5") == read(fresh + ".h5") and not os.path.exists(part), "and the bytes are the same")
    stem = os.path.join(folder, "shard")
    process = start("sweep", DRAWS, "-o", stem, "-t", "1", "--shard", "2/2", "--draws", "20000")
    work(process)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=LONG)
    check([name for name in listing(folder) if name.startswith("shard")] == ["shard.shard-0002-of-0002.h5.part"],
          f"a shard keeps its own: {listing(folder)}")


def test_shards(folder, whole):
    stem = os.path.join(folder, "cut")
    for n in (3, 5):
        for k in range(n, 0, -1):
            told, _ = sweep(DRAWS, stem, "--shard", f"{k}/{n}", "-t", str(k))
            check(told["points"] == 60 // n and told["first_point"] == (k - 1) * (60 // n), f"shard {k}/{n}: {told}")
            check(told["output"] == f"{stem}.shard-{k:04}-of-{n:04}.h5", f"its name: {told['output']}")
    files = {n: [f"{stem}.shard-{k:04}-of-{n:04}.h5" for k in range(1, n + 1)] for n in (3, 5)}
    mixed = [files[5][4], files[3][0], files[5][2], files[3][1], files[3][2]]
    for name, named in (("default", []), ("three", files[3]), ("turned", files[5][::-1]), ("mixed", mixed),
                        ("both", files[5] + files[3]), ("whole", [stem + ".h5"])):
        if not named or name == "whole":
            done = expect(0, "", "merge", DRAWS, "-o", stem, *named)
            output = stem + ".h5"
        else:
            output = os.path.join(folder, name + ".h5")
            done = expect(0, "", "merge", DRAWS, "-o", output[:-3], *named)
        check(os.path.exists(output) and read(output) == whole, f"merged, {name}: the bytes of one machine: {done.stderr}")
        check(f"60 points from {len(named) or 8} files\nresult: {output}\n" in done.stdout, f"what was done: {done.stdout}")
    told = json.loads(expect(0, "", "merge", DRAWS, "-o", stem, "--json").stdout)
    check(told["points"] == 60 and told["files"] == 8 and told["output"] == stem + ".h5", f"as JSON: {told}")
    told, _ = sweep(DRAWS, stem, "--shard", "2/7")
    check(told["taken_up"] == told["points"] == 9, f"a shard takes up points of the whole: {told}")
    few = os.path.join(folder, "few") # more shards than points
    for k in range(1, 21):
        told, _ = sweep(WAYS, few, "--shard", f"{k}/20")
        check(told["points"] == (1 if k <= 17 else 0), f"point {k} of 17: {told}")
    expect(0, "", "merge", WAYS, "-o", few)
    sweep(WAYS, os.path.join(folder, "ways"))
    check(read(few + ".h5") == read(os.path.join(folder, "ways.h5")), "one point a shard and none in some")
    odd = os.path.join(folder, "a *[b]?\\c") # a stem is no pattern
    for k in (1, 2):
        sweep(WAYS, odd, "--shard", f"{k}/2")
    expect(0, "", "merge", WAYS, "-o", odd)
    check(read(odd + ".h5") == read(few + ".h5"), "an odd name")
    return files


# ---- what is taken up ------------------------------------------------------------------------------------------------

def test_grown(folder):
    for method, small, large in (("probabilistic", 10, 25), ("sobol", 4, 8), ("morris", 3, 5)):
        count = "trajectories" if method == "morris" else "draws"
        path = write_study(os.path.join(folder, method + ".yaml"), path_of("chain"),
                           {"method": method, count: small, "batches": 5, "vary": dict.fromkeys(["fall", "mend", "help"]),
                            "figures": {"years": {"outcome": "years", "arm": "care", "against": "none"}}}, seed=12)
        stem, fresh = os.path.join(folder, method), os.path.join(folder, method + "_fresh")
        first, _ = sweep(path, stem)
        told, _ = sweep(path, stem, "--draws", str(large))
        sweep(path, fresh, "--draws", str(large))
        check(told["taken_up"] == first["points"] < told["points"], f"{method} grows: {told}")
        check(read(stem + ".h5") == read(fresh + ".h5"), f"{method}: a grown study is as one made so")
        n_large, kept = told["points"], read(stem + ".h5")
        expect(1, [f"{stem}.h5", f"holds {n_large} points of this study, of which {first['points']} would be left"], "sweep", path,
               "-o", stem)
        check(read(stem + ".h5") == kept, f"{method}: what has been run is not thrown away")
        write(path, read(path).decode().replace("seed: 12", "seed: 13"))
        told, _ = sweep(path, stem)
        check(told["taken_up"] == 0 and told["points"] == first["points"], f"{method}: another seed, another study: {told}")


def test_changed(folder):
    """What figures depend on is in their identity; what they do not depend on is not."""
    def made(name, change_study=None, change_scenario=("", ""), change_model=("", "")):
        where = within(folder, name)
        write(os.path.join(where, "chain_model.yaml"), read(path_of("chain_model")).decode().replace(*change_model))
        write(os.path.join(where, "chain.yaml"), read(path_of("chain")).decode().replace(*change_scenario))
        study = yaml.safe_load(read(DRAWS))
        study["sweep"].update({"draws": 12, "vary": dict.fromkeys(["fall", "mend", "help", "leaving_rates"])})
        del study["decision"]["know"]
        if change_study is not None:
            change_study(study)
        path = write(os.path.join(where, "study.yaml"), yaml.safe_dump(study, sort_keys=False))
        earlier = os.path.join(folder, "first", "it.h5")
        if os.path.exists(earlier):
            shutil.copy(earlier, os.path.join(where, "it.h5"))
        told, sample = sweep(path, os.path.join(where, "it"))
        return told["taken_up"], sample

    def at(*keys, value):
        def change(study):
            for key in keys[:-1]:
                study = study[key]
            study[keys[-1]] = value
        return change

    check(made("first")[0] == 0, "nothing is there")
    check(made("again")[0] == 12, "the same elsewhere is taken up")
    nothing = (
        ("scenario_seed", dict(change_scenario=("seed: 2385", "seed: 2386"))),
        ("scenario_comment", dict(change_scenario=("# The scenario", "# A scenario"))),
        ("scenario_size", dict(change_scenario=("size: 2000", "size: 2001"))),
        ("model", dict(change_model=("0.8, unit", "0.81, unit"))),
        ("model_of_no_factor", dict(change_model=("value: 0.05", "value: 0.051"))),
        ("seed", dict(change_study=at("seed", value=32))),
        ("replications", dict(change_study=at("sweep", "replications", value=2))),
        ("batches", dict(change_study=at("sweep", "batches", value=10))),
        ("common", dict(change_study=at("sweep", "randomness", value="common"))),
        ("arm", dict(change_study=at("sweep", "figures", "late", "arm", value="both"))),
        ("against", dict(change_study=at("sweep", "figures", "late", "against", value="both"))),
        ("per", dict(change_study=at("sweep", "figures", "late", "per", value="person"))),
        ("net", dict(change_study=at("sweep", "figures", "years", "net_of_displacement", value=True))),
        ("outcome", dict(change_study=at("sweep", "figures", "late", "outcome", value="left"))),
        ("figure", dict(change_study=at("sweep", "figures", "more", value={"outcome": "left", "arm": "none"}))),
        ("weight", dict(change_study=at("decision", "cost", "output", value=-0.06))),
        ("distribution", dict(change_study=at("sweep", "vary", "help", value={"distribution": {"uniform": [0.8, 2.9]}}))),
        ("tied", dict(change_study=at("sweep", "tied", value={"shield": {"to": "help", "times": 0.3}}))))
    for name, change in nothing:
        n_taken, sample = made(name, **change)
        # what is drawn of the first draw is in the same world, replications of which are of the same lives
        check(n_taken <= (1 if name == "common" else 0), f"changed {name}: {n_taken} points are taken up")
    for name, change in (("title", at("title", value="Another")), ("threshold", at("decision", "thresholds", value=[1, 2])),
                         ("label", at("sweep", "figures", "late", "label", value={"en": "late"}))):
        check(made(name, change_study=change)[0] == 12, f"a {name} changes no figure")
    # ties and options move what a point is without moving its values
    body = yaml.safe_load(read(WAYS))["sweep"]
    for name, change in (("times", lambda b: b["tied"]["shield"].update(times=0.4)),
                         ("plus", lambda b: b["tied"]["shield"].update(plus=0.25)),
                         ("set", lambda b: b["vary"]["told"]["options"]["faster"]["set"].update(leave_sick=0.3)),
                         ("instead", lambda b: b["vary"]["told"]["options"]["of both"]["instead"].pop("none"))):
        where = within(folder, "ways_" + name)
        path = write_study(os.path.join(where, "ways.yaml"), path_of("chain"), body)
        sweep(path, os.path.join(where, "it"))
        check(sweep(path, os.path.join(where, "it"))[0]["taken_up"] == 17, "the same is taken up")
        changed = copy.deepcopy(body)
        change(changed)
        write_study(path, path_of("chain"), changed)
        check(sweep(path, os.path.join(where, "it"))[0]["taken_up"] == 0, f"{name} of a tie or an option")
    body["vary"]["fall"]["levels"] = [0.65, 0.12, 0.5, 0.3]
    path = write_study(os.path.join(folder, "ways.yaml"), path_of("chain"), yaml.safe_load(read(WAYS))["sweep"])
    sweep(path, os.path.join(folder, "ways"))
    write_study(path, path_of("chain"), body)
    told, _ = sweep(path, os.path.join(folder, "ways"))
    check(told["taken_up"] == 17 and told["points"] == 18, f"a level more, in another order: {told}")
    fresh, _ = sweep(path, os.path.join(folder, "ways_fresh"))
    check(read(os.path.join(folder, "ways.h5")) == read(os.path.join(folder, "ways_fresh.h5")), "each at its place")


# ---- refusals --------------------------------------------------------------------------------------------------------

def test_refused(folder, files, whole):
    where = within(folder, "refused")
    mine = [shutil.copy(path, where) for path in files[3]]
    stem, output = os.path.join(where, "cut"), os.path.join(where, "cut.h5")

    def refused(text, *named, study=DRAWS, arguments=()):
        done = expect(1, text, "merge", study, "-o", stem, *arguments, *named)
        check(not os.path.exists(output) and done.stdout == "", f"nothing is written: {listing(where)} {done.stdout}")
        return done.stderr

    os.remove(mine[1])
    told = refused([f"missing: shard 2/3, points 20 to 39: {mine[1]}\n", "20 of 60 points are missing: nothing written"])
    check("shard 1/3" not in told and "shard 3/3" not in told, f"those that are there are not named: {told}")
    expect(0, "", "analyse", mine[0], "--resamples", "2") # writes a file that is named like a shard
    check("points 20 to 39" in refused("20 of 60 points are missing"), "an analysis of a shard is no shard")
    refused(["missing: points 0 to 19\n", "missing: points 40 to 59\n", "40 of 60 points are missing"],
            shutil.copy(files[3][1], os.path.join(where, "renamed.h5")))
    shutil.copy(files[3][1], where)
    damaged = mine[2]
    good = read(damaged)
    with open(damaged, "wb") as file:
        file.write(b"")
    refused(f"{damaged}: ")
    with open(damaged, "wb") as file:
        file.write(b"polku\n" * 1000)
    refused(f"{damaged}: ")
    for size in [1, 100, 2000, len(good) // 2, len(good) - 1] + [len(good) * i // 9 for i in range(1, 9)]:
        with open(damaged, "wb") as file:
            file.write(good[:size])
        refused(f"{damaged}: ")
    random.seed(4)
    n_refused = 0
    for i in range(120): # all over the file: refused by name, or the bit meant nothing and the answer is the same
        at = len(good) * i // 120 + random.randrange(len(good) // 120)
        text = bytearray(good)
        text[at] ^= 1 << random.randrange(8)
        with open(damaged, "wb") as file:
            file.write(text)
        done = polku("merge", DRAWS, "-o", stem)
        if done.returncode == 1:
            n_refused += 1
            check(damaged in done.stderr and not os.path.exists(output), f"bit at {at}: {done.stderr}")
        else:
            check(done.returncode == 0 and read(output) == whole, f"a bit at {at} changes the answer: {done.stderr}")
        if os.path.exists(output):
            os.remove(output)
        done = polku("analyse", damaged, "-o", os.path.join(where, "bit"), "--resamples", "2")
        check(done.returncode in (0, 1), f"polku analyse of a bit at {at}: {done.returncode} {done.stderr}")
        if done.returncode == 0:
            told = done.stdout
            reference = polku("analyse", files[3][2], "-o", os.path.join(where, "bit"), "--resamples", "2").stdout
            check(told == reference, f"a bit at {at} changes what is told")
    print(f"{n_refused} of 120 bits refused")
    check(n_refused > 40, "most of a file is checked")
    shutil.copy(files[3][2], where)

    sweep(WAYS, os.path.join(where, "ways"), "--shard", "1/2")
    refused(["ways.shard-0001-of-0002.h5", "is of another study"], *mine, os.path.join(where, "ways.shard-0001-of-0002.h5"))
    refused([mine[0], "is of a design of 60 points, expected 61"], arguments=["--draws", "61"])
    result = os.path.join(where, "run.h5")
    expect(0, "", "run", path_of("chain"), "-o", result)
    refused([result, "holds no points of a sweep"], *mine, result)
    expect(3, "missing.h5: cannot open", "merge", DRAWS, "-o", stem, *mine, "missing.h5")
    study = yaml.safe_load(read(DRAWS))
    study["scenario"] = path_of("chain")
    study["sweep"]["replications"] = 2 # as many as the shards have is what the study must say
    path = write(os.path.join(where, "chain_draws.yaml"), yaml.safe_dump(study, sort_keys=False))
    refused([mine[0], "has 1 replications a point, expected 2"], study=path)
    study["sweep"]["replications"] = 1
    study["sweep"]["figures"]["late"]["arm"] = "both"
    write(path, yaml.safe_dump(study, sort_keys=False))
    refused([mine[0], "is of another study"], study=path)
    expect(1, [path, "no shard is there: "], "merge", path, "-o", os.path.join(where, "nowhere"))

    for name, text in (("note", b"dear diary\n"), ("run", read(result)), ("analysis", None)):
        if text is None: # an analysis is no sweep either
            expect(0, "", "analyse", files[3][0], "-o", os.path.join(where, "an"), "--resamples", "2")
            text = read(os.path.join(where, "an.analysis.h5"))
        with open(output, "wb") as file:
            file.write(text)
        for command in (["merge", DRAWS], ["sweep", DRAWS]):
            expect(1, [output, "is there and holds no points of a sweep: not overwritten"], *command, "-o", stem)
            check(read(output) == text, f"{name} is as it was after {command[0]}")
    shutil.copy(os.path.join(where, "ways.shard-0001-of-0002.h5"), output)
    other = read(output)
    for command in (["merge", DRAWS], ["sweep", DRAWS]):
        expect(1, [output, "is there and is the sweep of another study, ", "not overwritten"], *command, "-o", stem)
        check(read(output) == other, f"another study's sweep is as it was after {command[0]}")
    os.remove(output)
    os.mkdir(output)
    expect(1, "not overwritten", "sweep", DRAWS, "-o", stem)
    os.rmdir(output)
    with open(mine[0], "wb") as file:
        file.write(good[:5000])
    told, _ = sweep(DRAWS, stem, "--shard", "1/3")
    check(told["taken_up"] == 0, "a damaged shard is done again")
    expect(0, "", "merge", DRAWS, "-o", stem)
    check(read(output) == whole, "and all is well")


def limit_file_size(size):
    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    return limit


def test_full(folder, files, whole):
    where = within(folder, "full")
    for stem, text in (("missing/x", "missing: cannot create files: No such file or directory"),):
        expect(3, text, "sweep", DRAWS, "-o", stem, cwd=where)
        expect(3, text, "merge", DRAWS, "-o", stem, *files[3], cwd=where)
    check(listing(where) == [], f"nothing is written: {listing(where)}")
    for command in (["sweep", DRAWS], ["merge", DRAWS, *files[3]]):
        for size in (0, 4000, len(whole) - 1):
            done = expect(3, "x.h5: cannot", *command, "-o", "x", cwd=where, preexec_fn=limit_file_size(size))
            check(done.stdout == "" and listing(where) == [], f"{command[0]}, {size} bytes: {listing(where)} {done.stdout}")
    with open(os.path.join(where, "x.h5"), "wb") as file:
        file.write(whole)
    for command in (["sweep", DRAWS, "--draws", "61"], ["merge", DRAWS, *files[3]]):
        expect(3, "x.h5: cannot", *command, "-o", "x", cwd=where, preexec_fn=limit_file_size(4000))
        check(read(os.path.join(where, "x.h5")) == whole and listing(where) == ["x.h5"], "the earlier one is as it was")
    with open("/dev/full", "w") as full:
        for command in (["sweep", DRAWS], ["merge", DRAWS, *files[3]], ["analyse", files[3][0], "--resamples", "2"]):
            expect(3, "cannot write to the standard output", *command, "-o", "y", cwd=where, stdout=full)
    check(read(os.path.join(where, "y.h5")) == whole, "what could be written is")
    expect(3, "design.csv: cannot", "sweep", "--design", "design.csv", DRAWS, cwd=where, preexec_fn=limit_file_size(1000))
    expect(3, "z.analysis.h5: cannot", "analyse", files[3][0], "-o", "z", cwd=where, preexec_fn=limit_file_size(1000))
    check(listing(where) == ["x.h5", "y.analysis.h5", "y.h5"], f"and nothing else: {listing(where)}")
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", where], capture_output=True).returncode != 0:
        print("skipped: no tmpfs can be mounted here")
        return
    try:
        expect(3, ["x.h5: cannot", "No space left on device"], "sweep", DRAWS, "-o", "x", cwd=where)
        expect(3, ["x.h5: cannot", "No space left on device"], "merge", DRAWS, "-o", "x", *files[3], cwd=where)
        check(listing(where) == [], f"a full disk is left as it was: {listing(where)}")
    finally:
        subprocess.run(["umount", where], check=True)


# ---- points without a meaning ----------------------------------------------------------------------------------------

def test_impossible(folder):
    grid, stem = path_of("doubt_grid"), os.path.join(folder, "doubt")
    done = expect(0, "warning: 3 points have no meaning and no figures; point 6: mend: the probability 0.999999 cannot be met",
                  "sweep", grid, "-o", stem)
    sample = Sample(stem + ".h5")
    lost = [bool((row != row).all()) for row in sample.y]
    check(lost == [x[0] == 0.999999 for x in sample.x] and sum(lost) == 3, f"which are those: {lost}")
    check(not (sample.y[:6] != sample.y[:6]).any() and (sample.se[6:] != sample.se[6:]).all(), "the others have figures")
    check(json.loads(expect(0, "", "sweep", grid, "-o", stem, "--json").stdout)["impossible"] == 3, "also when taken up")
    for k in range(1, 10): # shards of a point each, some of which have none with a meaning
        expect(0, "", "sweep", grid, "-o", os.path.join(folder, "cut"), "--shard", f"{k}/9")
    expect(0, "warning: 3 points have no meaning", "merge", grid, "-o", os.path.join(folder, "cut"))
    check(read(os.path.join(folder, "cut.h5")) == read(stem + ".h5"), "in shards too")
    body = yaml.safe_load(read(grid))["sweep"]
    body["vary"]["mend"]["levels"] = [0.999999, 0.9999995]
    path = write_study(os.path.join(folder, "none.yaml"), path_of("doubt"), body)
    none = os.path.join(folder, "none")
    expect(1, "no point has a meaning; point 0: mend: the probability", "sweep", path, "-o", none)
    for k in (1, 2):
        expect(0, "3 points have no meaning", "sweep", path, "-o", none, "--shard", f"{k}/2")
    expect(1, "no point has a meaning: nothing written", "merge", path, "-o", none)
    expect(1, "no point has figures", "analyse", none + ".shard-0001-of-0002.h5")
    check(not os.path.exists(none + ".h5"), "nothing is written")
    body["vary"] = {"fall": {"levels": [0.1, 0.4]}} # a tie beyond what its unit allows
    body["tied"] = {"mend": {"to": "fall", "times": 3}}
    path = write_study(os.path.join(folder, "tie.yaml"), path_of("doubt"), body)
    expect(0, ["1 points have no meaning", "point 1: mend: 1.2", "is outside [0, 1], which its unit probability allows"], "sweep", path, "-o", os.path.join(folder, "tie"))


# ---- progress and memory ---------------------------------------------------------------------------------------------

def test_progress(folder):
    """What is told to be left is what the points done have taken, carried on; and the first tenth of a study's points costs
    a tenth of all (in transitions, within 5 %). Together: within 20 % after the first tenth, on a machine that others do
    not slow down meanwhile; how busy this one is does not matter here."""
    path = write_study(os.path.join(folder, "equal.yaml"), path_of("chain"),
                       {"method": "probabilistic", "draws": 2200, "randomness": "common",
                        "vary": {"care_cost": None}, "figures": {"years": {"outcome": "years", "arm": "none"}}})
    began = time.monotonic()
    seen, out = on_a_terminal("sweep", path, "-o", os.path.join(folder, "bar"), "-t", "1", "--json")
    start = next(came for _, came, text in seen if "sweeping" in text)
    # it was told after what was read before was asked for; per cent and seconds are rounded, loading is not counted
    tellings = [(before - start, came - began, int(done), float(left)) for (before, _, _), (_, came, text) in zip(seen, seen[1:])
                for done, left in re.findall(r"sweeping *\[[#.]{30}\] +(\d+) % +(\d+) s left", text)]
    after = [telling for telling in tellings if 10 <= telling[2] <= 90]
    check(len(after) >= 4, f"something is told: {tellings}")
    for least, most, done, left in after:
        low, high = max(least, 0) * (99.5 - done) / (done + 0.5) - 0.6, most * (100.5 - done) / (done - 0.5) + 0.6
        check(low <= left <= high, f"after {least:.2f} to {most:.2f} s, {done} %: {left} s left, expected {low:.1f} to {high:.1f}")
    tenth = expect(0, "", "sweep", path, "-o", os.path.join(folder, "bar_tenth"), "--shard", "1/10", "--json")
    whole, part = (json.loads(text[text.index("{"):])["transitions"] for text in (out, tenth.stdout))
    check(abs(10 * part / whole - 1) <= 0.05, f"a tenth of the points: {part} of {whole} transitions")
    text = "".join(part for _, _, part in seen)
    check(text.endswith("\r") and " 100 %" in text, "the bar goes to the end and away")
    check("\r" not in out and out.startswith("{"), f"and the answer is clean: {out}")
    seen, _ = on_a_terminal("sweep", path, "-o", os.path.join(folder, "bar"), "-t", "1", "--draws", "2201")
    text = "".join(part for _, _, part in seen)
    check(len(re.findall("sweeping", text)) <= 3, "what is taken up takes no time")


PEAK = """import os, resource, sys
code = os.spawnv(os.P_WAIT, sys.argv[1], sys.argv[1:])
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(code)"""


def peak(*arguments):
    """Most memory that it had, in bytes. What is forked has the peak of whom it is forked from: so that is a small one."""
    done = subprocess.run([sys.executable, "-I", "-S", "-c", PEAK, POLKU, *arguments], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=LONG)
    check(done.returncode == 0, f"{arguments} ends well: {done.stderr}")
    return 1024 * int(done.stdout.splitlines()[-1])


def test_memory(folder):
    """A point takes its values, figures, marks and key, some 150 bytes while it is at work, and as much again compressed
    for the file: 20,000 of them less than 8 MB more than 200. Lives, plans and figures of a point are gone after it. On
    few threads: each has room of its own, and of many some would not have begun with theirs after 200 points."""
    text = read(path_of("chain")).decode().replace("size: 2000", "size: 4").replace("model: chain", f"model: {DATA}/chain")
    scenario = write(os.path.join(folder, "tiny.yaml"), text.replace("years: 2", "years: 6"))
    path = write_study(os.path.join(folder, "cheap.yaml"), scenario,
                       {"method": "probabilistic", "draws": 200, "batches": 2, "vary": {"fall": None, "help": None},
                        "figures": {"years": {"outcome": "late", "arm": "care", "against": "none"}}})
    few = peak("sweep", path, "-o", os.path.join(folder, "few"), "-t", "2")
    many = peak("sweep", path, "-o", os.path.join(folder, "many"), "-t", "2", "--draws", "20000")
    print(f"peak memory: 200 points {few / 1e6:.1f} MB, 20,000 points {many / 1e6:.1f} MB")
    if "-asan" not in POLKU and "asan" not in os.path.dirname(POLKU): # whose quarantine keeps what is freed
        check(many - few < 8e6, f"memory grows by {(many - few) / 1e6:.1f} MB")


def main():
    with tempfile.TemporaryDirectory() as folder:
        test_usage(within(folder, "usage"))
        test_told(within(folder, "told"))
        whole = test_same(within(folder, "same"))
        test_interrupted(within(folder, "interrupted"))
        files = test_shards(within(folder, "shards"), whole)
        test_grown(within(folder, "grown"))
        test_changed(within(folder, "changed"))
        test_refused(folder, files, whole)
        test_full(folder, files, whole)
        test_impossible(within(folder, "impossible"))
        test_progress(within(folder, "progress"))
        test_memory(within(folder, "memory"))
    finish()


if __name__ == "__main__":
    main()
