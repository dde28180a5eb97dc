#!/usr/bin/python3
"""polku claims as its users meet it: what was printed, what its assumptions give, what a dynamic scenario gives; what is
kept and used again; and that a reconstruction that does not hold stops everything."""
import csv
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

import h5py
import yaml

sys.dont_write_bytecode = True
from checks import GOOD, POLKU, SOURCE, check, expect, finish, on_a_terminal, polku

FILES = ("claims.yaml", "claims_static.yaml", "claims_dynamic.yaml", "claims_model.yaml", "cited_evidence.csv")


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def copied(folder):
    for name in FILES:
        shutil.copy(os.path.join(GOOD, name), folder)
    return folder


def replace(folder, name, before, after):
    text = read(os.path.join(folder, name))
    check(before in text, f"{name} has {before}")
    with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
        file.write(text.replace(before, after, 1))


def told(folder, *arguments):
    """The claims by name, from JSON."""
    done = expect(0, "claims.csv written", "claims", "claims.yaml", "-o", "out", "--json", *arguments, cwd=folder)
    document = json.loads(done.stdout)
    return {claim["claim"]: claim for claim in document["figures"]}, done.stderr


def when(folder, name):
    about = os.stat(os.path.join(folder, "out", name + ".h5"))
    return about.st_ino, about.st_mtime_ns


def digest(folder, name):
    with h5py.File(os.path.join(folder, "out", name + ".h5")) as file:
        return file["host"].attrs["digest"]


def test_usage(folder):
    shown = expect(0, "", "claims", "--help").stdout
    examples = re.findall(r"^  polku claims (\S+\.yaml)", shown.partition("Example:\n")[2], flags=re.M)
    check(examples and all(os.path.exists(os.path.join(SOURCE, name)) for name in examples), f"examples: {examples}")
    for option in ("--output", "--threads", "--replications", "--claim", "--static", "--again", "--no-variants",
                   "--language", "--json", "--help"):
        check(option in shown, f"the help tells {option}")
    for arguments, text in ((["--clam", "x"], "did you mean --claim?"), (["-z"], "no option is called -z"),
                            (["-t", "0"], "from 1 to 4096"), (["-r", "0"], "from 1 to 16777215"),
                            (["--language", "de"], "expected fi, sv or en"), (["claims.yaml"], "found 2")):
        expect(2, [text, "Try: polku claims --help"], "claims", *arguments, "claims.yaml", cwd=folder)
    expect(2, "expected one claims file, found 0", "claims", cwd=folder)
    expect(3, "missing.yaml: cannot open the file: No such file", "claims", "missing.yaml", cwd=folder)
    expect(1, "is a scenario, expected a claims file (name it in a claims file", "claims", "claims_static.yaml", cwd=folder)
    expect(1, "is a model, expected a claims file", "claims", "claims_model.yaml", cwd=folder)
    for command in ("run", "graph"):
        expect(1, "is a claims file, expected a scenario (polku claims reads it)", command, "claims.yaml", cwd=folder)
    expect(1, "is a claims file, expected a study", "calibrate", "claims.yaml", cwd=folder)
    expect(1, 'no claim is called "team" (did you mean "teams"?)', "claims", "claims.yaml", "-c", "team", "-o", "out", cwd=folder)
    expect(3, "cannot make the folder", "claims", "claims.yaml", cwd=folder)  # there is no outputs/
    expect(3, "is no folder", "claims", "claims.yaml", "-o", "claims.yaml", cwd=folder)
    expect(3, "is empty", "claims", "claims.yaml", "-o", "", cwd=folder)
    check(sorted(os.listdir(folder)) == sorted(FILES), f"nothing is written: {os.listdir(folder)}")
    shown = expect(0, "", "check", "claims.yaml", cwd=folder).stdout
    for text in ("claims good_claims, 3 of them, with figures of 2 scenarios", "printed 500 persons: 500 employed of 3,500",
                 "static: employed of claim in claims_static.yaml, gives 525: rounded down", "contradicted: K1-02 says 600",
                 "dynamic: after a year: in_work of teams less none in claims_dynamic.yaml, times 0.001",
                 "no dynamic figure: no scenario employs everybody", "the source warns: the source warns of itself"):
        check(text in shown, f"check tells {text!r}: {shown}")
    check(expect(0, "", "check", "-q", "claims.yaml", cwd=folder).stdout == "", "check -q is quiet")


def test_figures(folder):
    claims, said = told(folder)
    check(said == "out/claims.csv written; 2 scenarios run, 0 results used again\n", f"nothing else in a pipe: {said}")
    check(list(claims) == ["teams", "per_thousand", "everybody"], "claims in the file's order")
    teams, thousand, everybody = claims.values()
    check(teams["reconstructed"]["value"] == 525 and teams["printed"] == 500, f"525 exactly: {teams}")
    check(teams["gap"] == {"value": 25, "per_cent": 5, "why": "rounded down"}, f"the gap: {teams['gap']}")
    check(abs(thousand["reconstructed"]["value"] / 0.525 - 1) < 1e-12 and thousand["gap"]["value"] == 0,
          f"a difference in thousands: {thousand}")
    check(everybody["reconstructed"]["value"] == 3500 and everybody["dynamic"] == [] and
          everybody["no_dynamic"] == "no scenario employs everybody", f"no dynamic figure: {everybody}")
    compared = json.loads(expect(0, "", "compare", "out/claims_dynamic.h5", "--json", cwd=folder).stdout)
    now, later = compared["outcomes"]
    dynamic, = teams["dynamic"]
    difference = now["differences"]["teams-none"]
    for key, value in (("gross", now["arms"]["teams"]["value"]), ("net", difference["value"]),
                       ("standard_error", difference["standard_error"]), ("low", difference["low"]),
                       ("high", difference["high"])):
        check(dynamic[key] == value, f"{key} is that of polku compare: {dynamic[key]} and {value}")
    check(dynamic["low"] < dynamic["net"] < dynamic["high"], f"the range holds the figure: {dynamic}")
    kinds = compared["influence"][0]["kinds"]
    check(dynamic["weighed"] == kinds and dynamic["without_range"] == compared["influence"][0]["without_range"],
          f"what it rests on is that of polku compare: {dynamic['weighed']} and {kinds}")
    first, second = thousand["dynamic"]
    check(abs(first["net"] * 1000 - dynamic["net"]) < 1e-9 and first["label"] == "after a year", f"in thousands: {first}")
    gross = later["arms"]["teams"]
    check(abs(second["gross"] + gross["value"] / 1000) < 1e-12 and second["net"] is None and second["weighed"] is None and
          abs(second["standard_error"] - gross["standard_error"] / 1000) < 1e-12 and second["low"] < second["gross"] <
          second["high"], f"times below 0 keeps low below high; gross alone has an error and a range: {second}")

    rows = list(csv.DictReader(io.StringIO(read(os.path.join(folder, "out", "claims.csv")))))
    check([row["figure"] for row in rows if row["claim"] == "per_thousand"] ==
          ["printed", "reconstructed", "gap", "gap_percent", "gross", "net", "gross"], f"a row for each figure: {rows}")
    cells = {(row["claim"], row["figure"], row["label"]): row for row in rows}
    check(float(cells["teams", "gap_percent", ""]["value"]) == 5 and cells["teams", "gap", ""]["note"] == "rounded down" and
          cells["teams", "printed", ""]["note"] == "K1-02 says 600" and
          cells["teams", "reconstructed", ""]["note"] == teams["assumes"], "with what must be said of them")
    net = cells["teams", "net", ""]
    check(abs(float(net["value"]) / dynamic["net"] - 1) < 1e-9 and abs(float(net["low"]) / dynamic["low"] - 1) < 1e-9 and
          f"{kinds[0]['kind']} {100 * kinds[0]['share']:.1f} % ({kinds[0]['parameter']})" in net["rests_on"], f"net: {net}")
    check(cells["everybody", "no_dynamic", ""]["value"] == "", "and why there is none")


def test_text(folder):
    done = expect(0, "2 results used again", "claims", "claims.yaml", "-o", "out", cwd=folder)
    for row in (r"^claim +printed +reconstr\. +gap +gap % +gross +net +s\.e\. +low +high +unit$",
                r"^teams +500 +525 +25 +5 +[\d,.]+ +[\d,.]+ +[\d.]+ +[\d,.]+ +[\d,.]+  persons$",
                r"^per_thousand +0\.525 +0\.525 +0 +0 +thousand persons$", r"^  after a year( +[\d.]+){5}$",
                r"^  after three years +-[\d.]+ +- +[\d.]+ +-[\d.]+ +-[\d.]+$",
                r"^everybody +3,500 +3,500 +0 +0 +- +- +- +- +-  persons$",
                r"^teams: 500 employed of 3,500 in teams$", r"^  document: K1-04: page 4$",
                r"^  the source warns: the source warns of itself$", r"^  assumes: everybody planned for is reached",
                r"^  reconstructed: employed of claim in claims_static\.yaml, for 3500 of all people$",
                r"^  gap: printed 500, reconstructed 525: rounded down$", r"^  contradicted: K1-02 says 600$",
                r"^  dynamic: in_work of teams less none in claims_dynamic\.yaml, for 3,500 in teams$",
                r"^    net rests on numbers of these kinds, .* 1 inputs in use have no range$",
                r"^  no dynamic figure: no scenario employs everybody$", r"^s\.e\.: simulation error of net "):
        check(re.search(row, done.stdout, re.M), f"a line like {row}: {done.stdout}")
    finnish = expect(0, "", "claims", "claims.yaml", "-o", "out", "--language", "fi", cwd=folder).stdout
    check("teams: 500 työllistynyttä 3 500:sta" in finnish and "in_work (työssä) of teams (tiimit) less none (ei ketään)"
          not in finnish and "in_work (työssä) of teams (tiimit)" in finnish and "\n  vuoden päästä " in finnish and
          "\n  after three years" in finnish, f"labels in Finnish, or else in English: {finnish}")
    only = expect(0, "1 results used again", "claims", "claims.yaml", "-o", "out", "--static", "-c", "teams", cwd=folder).stdout
    check("gross" not in only and "dynamic" not in only and "everybody:" not in only and "\nteams " in only,
          f"one claim, statically: {only}")
    check(len(read(os.path.join(folder, "out", "claims.csv")).splitlines()) == 5, "and only that in claims.csv")


def test_again(folder):
    """Results are used again where what they are made of is the same, and only there."""
    def changed(*arguments):
        before = {name: when(folder, name) for name in ("claims_static", "claims_dynamic")}
        _, said = told(folder, *arguments)
        after = {name: when(folder, name) for name in before}
        check(f"{sum(after[n] != before[n] for n in before)} scenarios run" in said, f"what is run is told: {said}")
        return [name.partition("_")[2] for name in before if before[name] != after[name]]

    told(folder)
    check(changed() == [], "nothing is run again")
    check(changed("--no-variants") == [], "a result with ranges will do where none are asked for")
    check(changed("-t", "1", "--language", "sv") == [], "threads and language change no result")
    digests = {name: digest(folder, name) for name in ("claims_static", "claims_dynamic")}
    check(changed("--again") == ["static", "dynamic"], "--again runs all")
    check({name: digest(folder, name) for name in digests} == digests, "to the same digests")
    check(changed("-r", "3") == ["dynamic"], "replications are of the dynamic scenarios")
    check(changed() == ["dynamic"], "and are part of what a result is")
    replace(folder, "claims_dynamic.yaml", "seed: 2387", "seed: 2389")
    check(changed() == ["dynamic"], "a scenario that changed is run again")
    replace(folder, "claims_model.yaml", "value: 0.4", "value: 0.41")
    check(changed() == ["static", "dynamic"], "so are all of a model")
    replace(folder, "cited_evidence.csv", "K1-02,20,10", "K1-02,20,11")
    check(changed() == ["static", "dynamic"], "and all of a file that the model names")
    with h5py.File(os.path.join(folder, "out", "claims_static.h5"), "a") as file:
        file.attrs["polku_version"] = b"0.0.1"
    check(changed() == ["static"], "one of another version")
    with open(os.path.join(folder, "out", "claims_static.h5"), "w", encoding="utf-8") as file:
        file.write("no result")
    check(changed() == ["static"], "what is no result is none")
    check(changed("--again", "--no-variants") == ["static", "dynamic"], "without ranges")
    claims, _ = told(folder, "--no-variants")
    check(claims["teams"]["dynamic"][0]["low"] is None and claims["teams"]["dynamic"][0]["weighed"] is None,
          f"nothing is told of ranges: {claims['teams']['dynamic']}")
    check(changed() == ["dynamic"], "and with ranges again")
    for option in (["--set", "wage=1"], ["--people", "70"]):
        expect(0, "", "run", "claims_static.yaml", *option, "-o", "out/claims_static.h5", cwd=folder)
        check(changed() == ["static"], f"a result with {option} is another")
    check(not [name for name in os.listdir(os.path.join(folder, "out")) if not name.endswith((".h5", ".csv"))],
          "nothing else is left")


def test_wrong(folder):
    """A reconstruction that gives something else: told with its place, before dynamic scenarios are run."""
    replace(folder, "claims.yaml", "arm: claim, gives: 525", "arm: claim, gives: 525.00001")
    replace(folder, "claims.yaml", "arm: all, gives: 3500", "arm: none, gives: 3500")
    done = expect(4, ["claims.yaml:12:82: figures.teams.static.gives: is 525.00001, but the simulation of "
                      "claims_static.yaml gives 525\n", "figures.everybody.static.gives: is 3500, but the simulation of",
                      "polku: 2 problems", "the reconstructions do not give what claims.yaml says"],
                  "claims", "claims.yaml", "-o", "out", cwd=folder)
    check(done.stdout == "" and os.listdir(os.path.join(folder, "out")) == ["claims_static.h5"],
          f"neither told nor written: {done.stdout} {os.listdir(os.path.join(folder, 'out'))}")
    expect(0, "", "claims", "claims.yaml", "-o", "out", "-c", "per_thousand", "--static", cwd=folder)
    check(sorted(os.listdir(os.path.join(folder, "out"))) == ["claims.csv", "claims_static.h5"], "statically: one result")
    replace(folder, "claims.yaml", "gives: 525.00001", "gives: 525.0000001")
    told(folder, "-c", "teams")
    # where no other arm enrols the others, figures are about those enrolled, which is said
    replace(folder, "claims_static.yaml", "  all: {enrol: [{service: placed, quota: 1}]}\n", "  all: {}\n")
    expect(4, "gives 3500 (its figures are about those enrolled;", "claims", "claims.yaml", "-o", "out", "-c", "teams",
           cwd=folder)
    replace(folder, "claims_dynamic.yaml", "  teams: {label", "  groups: {label")
    expect(1, ["figures.teams.dynamic.arm: is teams, expected an arm of the scenario: one of none, groups",
               "figures.per_thousand.dynamic[1].arm: is teams", "polku: 3 problems"], "claims", "claims.yaml", "-o", "out",
           cwd=folder)


def test_own_units(folder):
    """A scenario that is both static and dynamic is run once, as it is; a figure of 0 may miss it by its last digits."""
    with open(os.path.join(folder, "claims.yaml"), "w", encoding="utf-8") as file:
        yaml.safe_dump({"polku": 1, "claims": "own", "figures": {"none": {
            "says": {}, "printed": 0, "unit": "euros", "source": {"public": "a page"}, "assumes": "nothing",
            "static": {"scenario": "claims_static.yaml", "outcome": "employed", "arm": "none", "gives": 0},
            "dynamic": {"scenario": "claims_static.yaml", "outcome": "employed", "arm": "claim", "against": "all"}}}}, file)
    replace(folder, "claims.yaml", "assumes: nothing", "assumes: |\n      in two\n\n      lines\n")
    claims, said = told(folder, "-r", "2")
    shown = expect(0, "", "claims", "claims.yaml", "-o", "out", cwd=folder).stdout
    check("\n  public: a page\n  assumes: in two\n    lines\n  reconstructed: " in shown, f"lines are moved in: {shown}")
    figure = claims["none"]["dynamic"][0]
    check("1 scenarios run" in said and figure["gross"] == 525 and figure["net"] == -2975, f"one run: {claims}")
    check(claims["none"]["gap"] == {"value": 0, "per_cent": None, "why": None} and claims["none"]["says"] == "none",
          f"no share of nothing: {claims}")
    with h5py.File(os.path.join(folder, "out", "claims_static.h5")) as file:
        check(file.attrs["replications"] == 1, "of its own replications")


def test_marks(folder):
    """Marks of studies whose numbers a scenario has go with its figures, and so do warnings of the run."""
    for name in ("fitted.yaml", "fitted_rates.yaml", "fitted_window.yaml", "model.yaml"):
        shutil.copy(os.path.join(GOOD, name), folder)
    replace(folder, "fitted.yaml", "replications: 2", "replications: {until: {outcome: work_years, arm: none, "
                                                      "standard_error: 0.001, most: 3}}")
    replace(folder, "claims.yaml", "scenario: claims_dynamic.yaml, outcome: in_work, arm: teams",
            "scenario: fitted.yaml, outcome: work_years, arm: coach")
    marks = yaml.safe_load(read(os.path.join(GOOD, "fitted_rates.yaml")))["marks"]
    arguments = ["claims", "claims.yaml", "-o", "out", "-c", "teams"]
    for _ in range(2):  # run, and used again
        done = expect(0, [f"warning: calibrated from made_up_fit: {mark}" for mark in marks], *arguments, cwd=folder)
        check(all(f"\n! fitted.yaml: {mark}\n" in done.stdout for mark in marks) and
              "\n! fitted.yaml: the standard error of work_years is " in done.stdout, f"marks are told: {done.stdout}")
    document = json.loads(expect(0, "", *arguments, "--json", cwd=folder).stdout)
    check([mark["mark"] for mark in document["marks"]][:-1] == marks and
          all(mark["scenario"] == "fitted.yaml" for mark in document["marks"]), f"in JSON too: {document['marks']}")


def test_progress(folder):
    """Scenarios are told on a terminal, and nothing of them in the answer."""
    seen, out = on_a_terminal("claims", "claims.yaml", "-o", "out", cwd=folder)
    seen = "".join(text for _, _, text in seen)
    check("1 of 2: claims_static (claims_static.yaml)" in seen and "2 of 2: claims_dynamic (claims_dynamic.yaml)" in seen
          and "simulating" in seen and "variants" in seen, f"scenarios are told on a terminal: {seen!r}")
    check(out.startswith("Printed figures for the tests\n") and "\r" not in out and " of 2: " not in out,
          "the standard output has the answer alone")


def test_write(folder):
    """What cannot be written leaves what was there."""
    told(folder)
    before = read(os.path.join(folder, "out", "claims.csv"))
    done = subprocess.run(["bash", "-c", 'exec "$0" claims claims.yaml -o out > /dev/full', POLKU], cwd=folder,
                          stderr=subprocess.PIPE, text=True)
    check(done.returncode == 3 and "cannot write to the standard output" in done.stderr, f"a full output: {done}")
    os.remove(os.path.join(folder, "out", "claims.csv"))
    os.mkdir(os.path.join(folder, "out", "claims.csv"))
    done = expect(3, "claims.csv", "claims", "claims.yaml", "-o", "out", cwd=folder)
    check(done.stdout == "", "nothing is told that is not kept")
    os.rmdir(os.path.join(folder, "out", "claims.csv"))
    told(folder)
    check(read(os.path.join(folder, "out", "claims.csv")) == before, "the same again")


def main():
    for test in (test_usage, test_wrong, test_own_units, test_marks, test_progress, test_write, test_again):
        with tempfile.TemporaryDirectory() as folder:
            test(copied(folder))
    with tempfile.TemporaryDirectory() as folder:
        copied(folder)
        test_figures(folder)
        test_text(folder)
    finish()


if __name__ == "__main__":
    main()
