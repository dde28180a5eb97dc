#!/usr/bin/python3
"""The ledger of evidence, and what the answer rests on, through the program: check --evidence, results, rerun, export,
and the weights of compare, held against sums by hand. What wrong files are told: test_malformed.py."""
import csv
import json
import os
import re
import shutil
import sys
import tempfile

sys.dont_write_bytecode = True
import xarray
from checks import GOOD, SOURCE, check, expect, finish, polku

FILES = ("cited.yaml", "cited_model.yaml", "cited_evidence.csv", "cited_fit.yaml")
TYOKYKY = os.path.join(SOURCE, "models", "tyokyky")
# (parameter, id, named in) of tests/data/good/cited.yaml
CITED = [("find_rate", "K1-01", "source"), ("find_rate", "K2-02", "caveat"), ("help", "K1-01", "source"),
         ("wage", "K1-02", "source"), ("wage", "K1-03", "source"), ("bonus", "K2-01", "source"),
         ("fitted", "K1-04", "source"), ("fitted", "K2-02", "caveat"), ("size", "K1-04", "source")]
# Euros a year in work by which each input moves the one outcome: its range, or a wider alternative (tax: 3 to 12).
MOVED = {"wage": 12, "bonus": 4, "tax": 9, "food": 2, "fitted": 2}
KINDS = {"document": ("wage", 16), "assumption": ("tax", 9), "public": ("food", 2), "calibrated": ("fitted", 2)}


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def edit(folder, name, before, after):
    """A copy of the good files with one change."""
    os.makedirs(folder, exist_ok=True)
    for file in FILES:
        shutil.copy(os.path.join(GOOD, file), folder)
    text = read(os.path.join(folder, name))
    check(text.count(before) >= 1, f"{name} holds {before}")
    with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
        file.write(text.replace(before, after))
    return os.path.join(folder, "cited.yaml")


def rows_of(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_ledger_told():
    told = expect(0, "", "check", "--evidence", os.path.join(GOOD, "cited.yaml")).stdout
    lines = [re.sub(r" {2,}", "  ", line.rstrip()) for line in told.splitlines()]
    for row, users in (('  K1-01  0.25 (0.1 to 0.5)  per year  page 1, "about a quarter"',
                        "  find_rate, help, warning 1, warning 2, note of none"),
                       ("  K1-03  page 3, nothing said", "  wage, warning 2"),
                       ("  K1-04  500  persons  page 4", "  fitted, size"),
                       ("  K2-02  1", "  find_rate, fitted")):
        check(row in lines and lines[lines.index(row) + 1] == users, f"{row} is used by {users}: {told}")
    check(lines[-1] == "  6 of 6 rows are used, by 6 parameters, 2 warnings of the documents and 1 notes of arms; "
                       "0 by nothing", f"they are counted: {lines[-1]}")
    told = expect(0, "", "check", "--evidence", os.path.join(GOOD, "cited_model.yaml")).stdout
    check("  used by nothing:\n      K1-04\n" in told, f"what nothing uses is listed last: {told}")
    told = expect(0, "", "check", "--evidence", os.path.join(GOOD, "model.yaml")).stdout
    check("names no ledger" in told, f"a model without a ledger says so: {told}")
    check("polku check --evidence" in polku("check", "--help").stdout, "the help has an example")


def test_documents():
    """The ledger of the work-ability models: as many rows as the file has; those used and those not add up."""
    n = len(read(os.path.join(TYOKYKY, "evidence.tsv")).splitlines()) - 1
    for file in ("models/tyokyky/model.yaml", "models/kuntoutustuki/model.yaml", "models/pension_entry/model.yaml",
                 "configs/ips-vs-typ.yaml", "configs/kuntoutustuki-fitted.yaml"):
        told = expect(0, "", "check", "--evidence", os.path.join(SOURCE, file)).stdout
        used, rows, unused = map(int, re.search(r"(\d+) of (\d+) rows are used.*; (\d+) by nothing", told).groups())
        listed = re.findall(r"S\d\.\d+", told.partition("used by nothing:")[2])
        check(rows == n and used + unused == n and used > 0 and len(listed) == unused, f"{file}: {told[-300:]}")


def test_refused(folder):
    """What the ledger does not hold, wherever it is named."""
    unknown = "names K9-99, which is not in the ledger cited_evidence.csv"
    for name, before, place in (
            ("cited_model.yaml", "(K1-01)", "find_rate.description"), ("cited_model.yaml", "K2-02.", "find_rate.caveat"),
            ("cited_model.yaml", "low: {value: 12, source: {document: K2-01}}", "wage.alternatives.low.source.document"),
            ("cited_model.yaml", "K1-01: a quarter", "documents_warn[0]"), ("cited_fit.yaml", "K1-04", "source.calibrated"),
            ("cited_fit.yaml", "K2-02", "fitted.caveat"), ("cited.yaml", "K1-01 was", "arms.none.note"),
            ("cited.yaml", "(K1-04)", "size.source.document")):
        path = edit(os.path.join(folder, "wrong"), name, before, re.sub(r"K\d-\d+", "K9-99", before))
        done = expect(1, (unknown, f"{place}: ", "/" + name + ":"), "check", "-q", path)
        check(done.stderr.count("names") == 1, f"only that: {done.stderr}")
    path = edit(os.path.join(folder, "wrong"), "cited_model.yaml", "evidence: cited_evidence.csv\n", "")
    expect(0, "", "check", "-q", path)
    path = edit(os.path.join(folder, "wrong"), "cited_evidence.csv", "K1-04,", "K1-05,")
    expect(1, "K1-04", "check", "-q", path)
    study = os.path.join(folder, "wrong", "study.yaml")
    edit(os.path.join(folder, "wrong"), "cited.yaml", "calibrated: cited_fit.yaml\n", "")
    text = ('polku: 1\nstudy: s\nscenario: cited.yaml\ncalibrate:\n  free: {find_rate: {within: [0.1, 0.5]}}\n  targets:\n'
            '    t: {outcome: work_years, arm: none, value: 1, standard_error: 0.1, source: {document: "SOURCE"}}\n')
    for source, found in (("K1-01", None), ("made up", None), ("K9-99", unknown)):
        with open(study, "w", encoding="utf-8") as file:
            file.write(text.replace("SOURCE", source))
        done = polku("calibrate", "--no-simulation", "--draws", 10, study, "-o", os.path.join(folder, "wrong", "out"))
        check((unknown in done.stderr and "study.yaml:7:" in done.stderr) if found else "ledger" not in done.stderr,
              f"a study's source {source}: {done.stderr}")


def test_results(folder):
    path, alone = os.path.join(folder, "cited.h5"), os.path.join(folder, "alone")
    expect(0, "", "run", edit(alone, "cited.yaml", "seed: 2385", "seed: 2385"), "-o", path)
    shutil.rmtree(alone)  # from the file alone
    check("the same result" in expect(0, "", "rerun", path).stdout, "rerun opens no file")
    with xarray.open_dataset(path, engine="h5netcdf", group="evidence") as found:
        check(set(found.dims) == {"citation"}, f"one named axis: {found.dims}")
        rows = list(zip(*(found[name].values for name in ("parameter", "id", "named_in"))))
        check(rows == CITED, f"each parameter's ids: {rows}")
        check(list(found["locator"].values)[0] == 'page 1, "about a quarter"' and found["unit"].values[3] == "euros",
              "with what the ledger says of them")
    with xarray.open_dataset(path, engine="h5netcdf", group="provenance/model_files") as found:
        check(found["text_0"].values.tobytes().decode() if found["text_0"].dtype.kind == "S" else True, "kept")
    out = os.path.join(folder, "csv")
    done = expect(0, "", "export", path, "--csv", out)
    check("evidence.csv" in done.stdout and "influence.csv" in done.stdout, f"both are told: {done.stdout}")
    rows = rows_of(os.path.join(out, "evidence.csv"))
    check([(row["parameter"], row["id"], row["named_in"]) for row in rows] == CITED, f"export writes them: {rows}")
    check(rows[0]["value"] == "0.25" and rows[0]["high"] == "0.5" and rows[5]["locator"] == 'sivu 1, "kuusi euroa"',
          "as they stand in the ledger")
    return path, out


def euros_a_year(told):
    """What one euro a year moves, from the variants that compare tells: of wage, the ends are 12 apart."""
    ends = [row["outcomes"][1]["differences"]["helped-none"]["value"] for row in told["variants"]
            if row["topic"] == "range" and row["name"] == "wage"]
    check(len(ends) == 2, f"both ends of the wage were run: {ends}")
    return (ends[1] - ends[0]) / 12


def test_weighed(folder, path, out):
    told = json.loads(expect(0, "", "compare", "--json", path).stdout)
    check(len(told["influence"]) == 1, "what decides is weighed")
    weighed, euro, total = told["influence"][0], euros_a_year(told), sum(MOVED.values())
    check(weighed["outcome"] == "euros" and weighed["difference"] == "helped-none", f"of the last pair: {weighed}")
    check(weighed["without_range"] == 5, f"find_rate, lose_rate, help, window and size are in use without a range: {weighed}")
    found = {row["parameter"]: row for row in weighed["parameters"]}
    check(set(found) == set(MOVED), f"those with a range, but of a service that no arm enrols in: {sorted(found)}")
    for name, moved in MOVED.items():
        check(abs(found[name]["influence"] / (moved * euro) - 1) < 1e-9, f"{name} moves it by {moved} euros a year")
        check(abs(found[name]["share"] - moved / total) < 1e-9, f"{name} is {moved} of {total}: {found[name]}")
    check([row["kind"] for row in weighed["kinds"]][:2] == ["document", "assumption"], "the heaviest first")
    kinds = {row["kind"]: (row["parameter"], row["share"]) for row in weighed["kinds"]}
    check(set(kinds) == set(KINDS), f"a kind that moves nothing is left out: {sorted(kinds)}")
    for kind, (parameter, moved) in KINDS.items():
        check(kinds[kind][0] == parameter and abs(kinds[kind][1] - moved / total) < 1e-9, f"{kind}: {kinds[kind]}")

    text = expect(0, "", "compare", path).stdout.partition("Where the numbers come from")[2]
    check("  Weighed by how far each moves helped - none of euros of work: document 55 % (wage), assumption 31 % (tax), "
          in text and "public 7 % (food)" in text and "calibrated 7 % (fitted)" in text, f"compare tells it: {text[:1500]}")
    check("(of a calibrated one: 95 % of its sample)" in text and "the 5 inputs in use that have no range" in text,
          "and what the shares are, and what nobody knows")
    rows = rows_of(os.path.join(out, "influence.csv"))
    check({row["parameter"]: round(float(row["influence"]) / euro, 6) for row in rows} == MOVED, f"export too: {rows}")

    text = expect(0, "", "compare", path, "--set", "wage=15").stdout
    check("Not weighed: the ranges were run at the old prices." in text, "not at other prices")
    other = os.path.join(folder, "other.h5")
    expect(0, "", "run", os.path.join(GOOD, "cited.yaml"), "--no-variants", "-o", other)
    check("ranges: true in the scenario would tell" in expect(0, "", "compare", other).stdout, "without ranges it says so")
    check(json.loads(polku("compare", "--json", other).stdout)["influence"] == [], "and JSON has none")
    # without `decides`, the first outcome; and a fixed input that all of it rests on
    scenario = edit(os.path.join(folder, "first"), "cited.yaml", "compare:\n  decides: [euros]\n", "")
    expect(0, "", "run", scenario, "-o", other)
    weighed = json.loads(polku("compare", "--json", other).stdout)["influence"]
    check([row["outcome"] for row in weighed] == ["work_years"] and weighed[0]["kinds"] == [],
          f"prices do not move the years: {weighed}")
    check("of work_years: no input with a range moves it" in polku("compare", other).stdout, "which is said")


def main():
    test_ledger_told()
    test_documents()
    with tempfile.TemporaryDirectory() as folder:
        test_refused(folder)
        test_weighed(folder, *test_results(folder))
    finish()


if __name__ == "__main__":
    main()
