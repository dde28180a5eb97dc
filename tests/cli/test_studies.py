#!/usr/bin/python3
"""The studies of configs/studies that sweep, with few draws: each runs, its analysis finds what decides, and the notebook of
question 3 draws it."""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
from checks import SOURCE, check, expect, finish

STUDIES = os.path.join(SOURCE, "configs", "studies")
# Draws, rows or trajectories; None: the study's own points, as a grid has no draws.
DRAWS = {"prevention-tornado": None, "ips-tornado": None, "prevention-morris": 4, "ips-morris": 2, "prevention-sobol": 32,
         "ips-sobol": 8, "prevention-probabilistic": 100, "ips-probabilistic": 120}


def sweep(folder, name):
    stem = os.path.join(folder, "outputs", name.replace("-", "_"))
    draws = [] if DRAWS[name] is None else ["--draws", str(DRAWS[name])]
    done = expect(0, "", "sweep", os.path.join(STUDIES, name + ".yaml"), *draws, "-o", stem, "--json")
    told = json.loads(done.stdout)
    check(told["points"] == told["points_in_design"] > 0, f"{name}: {told}")
    check(told["impossible"] <= 0.1 * told["points"], f"{name}: {told['impossible']} of {told['points']} points are impossible")
    done = expect(0, "", "analyse", stem + ".h5", "--json")
    analysis = json.loads(done.stdout)
    check(analysis["marks"] and analysis["documents_warn"], f"{name}: what must be known is told")
    return analysis["sheets"]


def column(sheet, name):
    """A column by the names of rows."""
    return dict(zip(sheet["rows"], sheet["columns"][name]))


def test_prevention(folder):
    sheets = sweep(folder, "prevention-tornado")
    with open(os.path.join(SOURCE, "README.md"), encoding="utf-8") as file:
        told = re.search(r"is ([\d,]+) to ([\d,]+) person-years and ([\d,]+) to ([\d,]+) htv by itself", file.read()).groups()
    found = [f"{sheets[table]['columns'][end][i]:,.0f}" for table in ("tornado/work", "tornado/htv")
             for i in [next(i for i, row in enumerate(sheets[table]["rows"]) if row.startswith("in_work_before ("))]
             for end in ("lowest", "highest")]
    check(found == list(told), f"the README tells the widest bar: {told}, found {found}")
    bars = sheets["tornado/htv"]
    check(bars["rows"][0].startswith("in_work_before ("), f"who was in work before decides most: {bars['rows'][:3]}")
    check(all(a >= b for a, b in zip(bars["columns"]["swing"], bars["columns"]["swing"][1:])), "the widest bar is first")
    check(min(bars["columns"]["lowest"]) > 0, "no assumption alone turns the sign")
    effects = sweep(folder, "prevention-morris")["morris/htv"]
    check(effects["rows"][0] == "in_work_before", f"screening finds it too: {effects['rows'][:3]}")
    shares = sweep(folder, "prevention-sobol")["sobol/htv"]
    total, low, high = (column(shares, name)["in_work_before"] for name in ("total", "total_low", "total_high"))
    # 0.77 with 512 rows; with 32 the standard error is about 0.1
    check(shares["rows"][0] == "in_work_before" and 0.4 < total < 1.2 and low < 0.77 < high, f"its share: {total}, {low} to {high}")
    check(column(shares, "total")["everything_else"] < 0.1, "what screening left out has little")
    summary = sweep(folder, "prevention-probabilistic")["summary"]
    mean, low, high = (column(summary, name)["htv"] for name in ("mean", "q025", "q975"))
    check(low > 0 and 350 < mean < 650 and high > 700, f"all at once: {mean}, {low} to {high}")
    check(column(summary, "simulation_share")["htv"] < 0.1, "simulation is kept below its share")


def test_ips(folder):
    bars = sweep(folder, "ips-tornado")
    years = bars["tornado/net_years"]
    check(years["rows"][0].startswith("ips_job_finding ("), f"the percentage of IPS moves it most: {years['rows'][:3]}")
    at = column(years, "break_even")[years["rows"][0]]
    check(at is not None and 0.19 < at < 0.22, f"as many find work in TYP: {at}")
    at = column(bars["tornado/net_public"], "break_even")[next(row for row in bars["tornado/net_public"]["rows"] if row.startswith("ips_job_finding"))]
    check(at is not None and 0.2 < at < 0.4, f"the public purse breaks even: {at}")
    effects = sweep(folder, "ips-morris")["morris/net_years"]
    check({"anchor", "ips_hazard_ratio", "ips_job_finding"} & set(effects["rows"][:3]), f"screening: {effects['rows'][:4]}")
    check(set(sweep(folder, "ips-sobol")["sobol/net_years"]["rows"]) >= {"anchor", "effect_window", "everything_else"}, "groups")
    sheets = sweep(folder, "ips-probabilistic")
    sure = sheets["decision/acceptability"]
    for k in range(len(sure["rows"])):
        parts = [sure["columns"][name][k] for name in sure["columns"] if name.startswith("p_")]
        check(abs(sum(parts) - 1) < 1e-9, f"probabilities at {sure['rows'][k]} euros: {parts}")
    known = sheets["decision/evppi"]
    evpi = max(sure["columns"]["evpi"])  # values are told where there is most to find out
    values = [value for value in known["columns"]["evppi"] if value is not None]
    check(len(values) > 50 and -1e-9 <= min(values) and max(values) <= evpi * (1 + 1e-9), f"0 to {evpi}: {values[:3]}")
    together, alone = (column(known, "evppi")[name] for name in ("ips_and_anchor", "ips_job_finding"))
    check(together >= alone - 1e-9, f"to know more is worth no less: {together}, {alone}")


def test_notebook(folder):
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        print("matplotlib is not there: the notebook is not run")
        return
    notebooks = os.path.join(folder, "notebooks")
    shutil.copytree(os.path.join(SOURCE, "notebooks"), notebooks, ignore=shutil.ignore_patterns("*.png", "*.svg"))
    done = subprocess.run([sys.executable, os.path.join(notebooks, "run.py"), os.path.join(notebooks, "question-3.ipynb")],
                          capture_output=True, text=True)
    check(done.returncode == 0 and "not there" not in done.stdout, f"the notebook runs: {done.stdout} {done.stderr}")
    for picture in ("tornado", "morris", "sobol", "decision"):
        check(os.path.getsize(os.path.join(notebooks, picture + ".png")) > 10000, f"{picture}.png is drawn")


def main():
    with tempfile.TemporaryDirectory() as folder:
        os.mkdir(os.path.join(folder, "outputs"))
        test_prevention(folder)
        test_ips(folder)
        test_notebook(folder)
    finish()


if __name__ == "__main__":
    main()
