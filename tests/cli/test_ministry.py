#!/usr/bin/python3
"""The ministry's table: every claim comes out of its static scenario exactly, and the dynamic figures have the size and
the sign that the README tells; the notebooks of the two questions run on such results.
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
from checks import SOURCE, check, expect, finish

CONFIGS = os.path.join(SOURCE, "configs")
# What the memo's arithmetic gives (evidence, part 2).
GIVES = {"teams": 525, "places": 1500, "coaching": 375, "programme": 900, "ips_pilots": 245, "expansion": 198,
         "ips_expansion": 157.5, "prevented": 200, "career": 15, "stock": 3000, "cohort": 2500, "periods": 766.87,
         "days": 52000, "months": 1800, "working_days": 36000, "employers": 12.6, "allowances": 3.195,
         "five_per_cent": 91, "absence_days": 116000, "absence_euros": 40.6}
PRINTED = {"teams": 500, "coaching": 400, "ips_pilots": 250, "expansion": 200, "ips_expansion": 150, "stock": 2500,
           "periods": 750, "allowances": 3.2}


def test_claims(folder):
    done = expect(0, "", "claims", os.path.join(CONFIGS, "ministry", "claims.yaml"), "-o", os.path.join(folder, "claims"),
                  "-r", "4", "--no-variants", "--json")
    claims = {claim["claim"]: claim for claim in json.loads(done.stdout)["figures"]}
    check(claims.keys() == GIVES.keys(), f"all claims are told: {sorted(claims.keys() ^ GIVES.keys())}")
    for name, value in GIVES.items():
        claim = claims[name]
        check(abs(claim["reconstructed"]["value"] - value) < 1e-6 * value, f"{name}: {claim['reconstructed']}, wanted {value}")
        check(claim["printed"] == PRINTED.get(name, value), f"{name}: printed {claim['printed']}")
        check(bool(claim["gap"]["why"]) == (name in PRINTED), f"the gap of {name} is explained: {claim['gap']}")
    net = {name: [figure["net"] for figure in claim.get("dynamic") or []] for name, claim in claims.items()}
    for name in ("teams", "coaching", "programme", "ips_pilots", "expansion", "ips_expansion"):
        in_work, found = net[name]
        check(0 < in_work < found < GIVES[name], f"{name}: part would have found work anyway: {net[name]}")
    check(600 < net["stock"][0] < 1000 and 350 < net["stock"][1] < 650, f"far below 2,500: {net['stock']}")
    check(3 < net["career"][0] < 5, f"years for each: {net['career']}")
    check(80 < net["prevented"][0] < 160, f"some of the prevented pensions come later: {net['prevented']}")
    check(500 < net["periods"][0] < 850, f"1 % of periods: {net['periods']}")


def test_facts(folder):
    """Mean age 44 at mental pension entry among people of working age, in the whole model: 4 s.e. and half a year."""
    result = os.path.join(folder, "entry.h5")
    scenario = os.path.join(folder, "entry.yaml")
    with open(scenario, "w", encoding="utf-8") as file:
        file.write(f"""
polku: 1
scenario: entry
like: {CONFIGS}/ministry/dynamic-sickness.yaml
set: {{sickness_scale: 0, share_depression: 0.576, share_other_mental: 0.424, share_musculoskeletal: 0, share_other: 0}}
arms: {{claim: {{}}}}
outcomes:
  age: {{measure: mean_age_at_entry, states: [rehabilitation_subsidy, disability_pension], to: {{years: 1}}}}
compare: {{people: everyone}}
""")
    expect(0, "", "run", scenario, "-r", "4", "-o", result)
    told = {row["outcome"]: row for row in json.loads(expect(0, "", "compare", result, "--json").stdout)["outcomes"]}
    figure = told["age"]["arms"]["none"]
    check(abs(figure["value"] - 44) < 0.5 + 4 * figure["standard_error"], f"mean age at entry: {figure}")


def test_notebooks(folder):
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        print("matplotlib is not there: notebooks are not run")
        return
    outputs, notebooks = os.path.join(folder, "outputs"), os.path.join(folder, "notebooks")
    os.mkdir(outputs)
    shutil.copytree(os.path.join(SOURCE, "notebooks"), notebooks, ignore=shutil.ignore_patterns("*.png", "*.svg"))
    for name, replications in (("prevented-person", 4), ("prevented-pensions", 2), ("ips-vs-traditional", 2)):
        with open(os.path.join(folder, "quick.yaml"), "w", encoding="utf-8") as file:
            file.write(f"polku: 1\nscenario: quick\nlike: {CONFIGS}/{name}.yaml\nvariant_replications: {min(replications, 2)}\n"
                       f"replications: {replications}\n" + ("ranges: false\n" if name == "ips-vs-traditional" else ""))
        more = ["--people", "4000"] if name == "ips-vs-traditional" else []
        expect(0, "", "run", os.path.join(folder, "quick.yaml"), *more, "-o", os.path.join(outputs, f"{name}.h5"))
    done = subprocess.run([sys.executable, os.path.join(notebooks, "run.py"),
                           *(os.path.join(notebooks, f"question-{k}.ipynb") for k in (1, 2))], capture_output=True, text=True)
    check(done.returncode == 0, f"the notebooks run: {done.stdout} {done.stderr}")
    for picture in ("prevented-stock", "prevented-bridge", "ips-in-work", "ips-additional"):
        check(os.path.getsize(os.path.join(notebooks, picture + ".png")) > 10000, f"{picture}.png is drawn")


def main():
    with tempfile.TemporaryDirectory() as folder:
        test_claims(folder)
        test_facts(folder)
        test_notebooks(folder)
    finish()


if __name__ == "__main__":
    main()
