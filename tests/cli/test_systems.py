#!/usr/bin/python3
"""Every system of the documents has a scenario, and models/tyokyky/README.md tells of it what a run gives.

Its table names the scenarios of configs/systems, one a row, each with identifiers of the ledger and figures: `ARM` or
`PARAMETER=VALUE`, the difference in person-years in work over ten years, and its standard error. Each is run here with
fewer replications. Systems of which the documents tell no outcome must change nothing, and what the documents do tell
must come out again. With the argument figures: prints the figures for the table, with all replications.
"""
import concurrent.futures
import csv
import math
import os
import re
import sys
import tempfile

sys.dont_write_bytecode = True
import xarray
from checks import SOURCE, check, expect, finish

FOLDER = os.path.join(SOURCE, "configs", "systems")
MODEL = os.path.join(SOURCE, "models", "tyokyky")
REPLICATIONS = 10
COLUMNS = ["system", "scenario", "numbers it has", "source ids", "what is assumed", "what it gives"]
GIVES = r"`([a-z_0-9]+)(?:=([0-9.]+))?` ([+−-]?[0-9,]+(?:\.[0-9])?) \(([0-9,.]+)\)"
NEUTRAL = ["training", "procurement", "te-pilots", "coordinators", "social-enterprises", "low-threshold", "health-checks",
           "partial-disability-pension"]
# (scenario, people, arm, outcome, what the documents say, how far they round or the model simplifies)
FACTS = [
    ("work-ability-teams", "enrolled_1", "planned", "in_work_18m", 0.15, 0.005),
    ("latu", "enrolled_1", "planned", "ever_employed_18m", 0.25, 0.005),
    ("latu", "enrolled_2", "realised", "ever_employed_18m", 0.46, 0.005),
    ("subcontracting", "everyone", "subcontracting", "supported_1m", 79 / 84, 0),
    ("ips-pilots", "enrolled_1", "ips", "ever_employed_18m", 0.37, 0.005),
    ("programme-expansion", "enrolled_1", "planned", "ever_employed_18m", 200 / 1100, 0.005),
    ("ips-expansion", "enrolled_1", "other_mental", "ever_employed_18m", 0.35, 0.005),
    ("ips-expansion", "enrolled_2", "all_mental", "ever_employed_18m", 0.35, 0.005),
    ("typ", "enrolled_1", "typ", "ever_employed_18m", 0.20, 0.005),
    ("rehabilitative-work", "enrolled_1", "activity", "ever_employed_18m", 0.13, 0.005),
    # A closed group: some are ill, or retire, within the year.
    ("sickness-allowance", "everyone", "none", "periods_1y", 76687 / 3.45e6, 0.02 * 76687 / 3.45e6),
    ("sickness-allowance", "everyone", "none", "partial_periods_1y", 10790 / 3.45e6, 0.02 * 10790 / 3.45e6),
]


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def rows():
    """The rows of the table, by column."""
    lines = [line for line in read(os.path.join(MODEL, "README.md")).splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    start = cells.index(COLUMNS)
    return [dict(zip(COLUMNS, row)) for row in cells[start + 1:] if len(row) == len(COLUMNS)]


class Run:
    """What a scenario gives."""

    def __init__(self, name, folder, options, replications=REPLICATIONS):
        path = os.path.join(folder, "-".join([name, *options]) + ".h5")
        number = ["--replications", replications] if replications else []
        expect(0, "", "run", os.path.join(FOLDER, f"{name}.yaml"), "--no-variants", "--threads", 1, *number,
               *[word for option in options for word in ("--set", option)], "-o", path)
        with xarray.open_dataset(path, engine="h5netcdf", group="/outcomes") as data:
            self.outcomes = data.load()
        with xarray.open_dataset(path, engine="h5netcdf", group="/arms") as data:
            self.arms = data.load()
        everyone = self.outcomes["persons"].sel(population="everyone")
        with xarray.open_dataset(path, engine="h5netcdf", group="/occupancy") as data:
            people = float(data["occupancy"].isel(arm=0, time=0).sum())
        self.replications = float(everyone.sum()) / people

    def names(self):
        return [str(arm) for arm in self.outcomes["arm"].values]

    def gained(self, arm, outcome="work_years_10y"):
        """The difference from the first arm, and its standard error, for all people together."""
        value = self.outcomes["value"].sel(population="everyone", outcome=outcome)
        difference = (value.sel(arm=arm) - value.isel(arm=0)).values
        return difference.sum() / self.replications, difference.std(ddof=1) * math.sqrt(difference.size) / self.replications

    def share(self, population, arm, outcome):
        """Of the people, and its standard error: a ratio of two sums."""
        value = self.outcomes["value"].sel(population=population, arm=arm, outcome=outcome).values
        persons = self.outcomes["persons"].sel(population=population).values
        share = value.sum() / persons.sum()
        rest = ((value - share * persons) ** 2).sum()
        return share, math.sqrt(rest * value.size / (value.size - 1)) / persons.sum()


def number(text):
    return float(text.replace("−", "-").replace(",", "").replace("+", ""))


def test_table(table):
    """The table and the folder name the same scenarios, and the ledger holds what is cited."""
    named = [row["scenario"].strip("`") for row in table]
    check(len(set(named)) == len(named), "a scenario has one row")
    check(sorted(named) == sorted(os.listdir(FOLDER)), f"rows and scenarios are the same: {sorted(set(named) ^ set(os.listdir(FOLDER)))}")
    with open(os.path.join(MODEL, "evidence.tsv"), newline="", encoding="utf-8") as file:
        ledger = {row["id"] for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)}
    for row in table:
        cited = re.findall(r"S\d\.\d+", " ".join(row.values()))
        check(cited and set(cited) <= ledger, f"{row['scenario']} cites the ledger: {sorted(set(cited) - ledger)}")
        check(re.search(r"\(.+\)", row["system"]), f"{row['system']} has its Finnish name")
    for line in read(os.path.join(MODEL, "README.md")).splitlines():
        check(len(line) <= 250, f"a line of the README is too long: {line[:60]}")


def test_scenario(name, run):
    text = expect(0, "", "check", os.path.join(FOLDER, f"{name}.yaml"))
    check("problem" not in text.stderr, f"{name} has no problems: {text.stderr}")
    for group in ("outcomes", "arms"):
        data = getattr(run, group)
        for language in ("fi", "sv", "en"):
            label = data[f"label_{language}"].values
            check(all(str(word) for word in label), f"{name} has labels of its {group} in {language}")
    for language in ("fi", "sv"):   # a label that is missing would be the English one or the name
        same = [str(label) for label, other in zip(run.arms[f"label_{language}"].values, run.arms["label_en"].values)
                if str(label) == str(other) and str(label) not in ("IPS", "Työkanava")]
        check(not same, f"{name} has labels of its own in {language}: {same}")
    notes = [str(note) for note in run.arms["note"].values]
    check(all(notes[1:]), f"{name}: every arm has a note")


def test_neutral(name, run):
    value = run.outcomes["value"]
    for arm in run.names()[1:]:
        check(bool((value.sel(arm=arm) == value.isel(arm=0)).all()), f"{name}: {arm} changes nothing")
    note = str(run.arms["note"].isel(arm=1).values)
    check("no figure in the documents" in note, f"{name} says that there is no figure: {note}")


def told(row):
    """The figures of a row: (arm or parameter, value of it or none, difference, standard error)."""
    return [(what, value, number(figure), number(error)) for what, value, figure, error in re.findall(GIVES, row["what it gives"])]


def test_told(name, row, run, moved):
    """What the row tells is what the runs give, and it tells every arm."""
    figures = told(row)
    if name == "without-services":
        years = float(run.outcomes["value"].sel(population="everyone", outcome="work_years_10y").sum()) / run.replications
        words = number(row["what it gives"].split()[0])
        check(abs(words / years - 1) < 0.005, f"without services there are {years:.0f} person-years in work, told {words}")
    arms = [what for what, value, _, _ in figures if not value]
    check(arms == run.names()[1:], f"{name} tells its arms: {arms}, {run.names()[1:]}")
    for what, value, figure, error in figures:
        gained, spread = moved[f"{what}={value}"].gained(run.names()[1]) if value else run.gained(what)
        rounding = 0.5 if abs(figure) >= 100 else 0.05
        check(abs(figure - gained) <= 4 * math.hypot(error, spread) + rounding,
              f"{name}: {what} {value} gives {gained:.1f} ({spread:.1f}), told {figure} ({error})")
        check(not value or gained != 0, f"{name}: {what} changes something")


def test_facts(runs):
    for name, population, arm, outcome, fact, rounding in FACTS:
        share, error = runs[name].share(population, arm, outcome)
        check(abs(share - fact) <= 4 * error + rounding + 1e-12,
              f"{name}: {outcome} of {arm} is {share:.4f} ({error:.4f}), in the documents {fact:.4f}")


def print_figures(table, folder):
    for row in table:
        name = row["scenario"].strip("`").removesuffix(".yaml")
        run = Run(name, folder, [], None)
        line = [(f"`{arm}`", *run.gained(arm)) for arm in run.names()[1:]]
        for what, value, _, _ in told(row):
            if value:
                line.append((f"`{what}={value}`", *Run(name, folder, [f"{what}={value}"], None).gained(run.names()[1])))
        print(name, "|", "; ".join(f"{what} {round(gained, 0 if abs(gained) >= 100 else 1):+,g} ({error:.2g})" for what, gained, error in line))


def main():
    table = rows()
    with tempfile.TemporaryDirectory() as folder:
        if "figures" in sys.argv:
            return print_figures(table, folder)
        test_table(table)
        names = {row["scenario"].strip("`").removesuffix(".yaml"): row for row in table}
        wanted = [(name, []) for name in names]
        wanted += [(name, [f"{what}={value}"]) for name, row in names.items() for what, value, _, _ in told(row) if value]
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            done = list(pool.map(lambda one: Run(one[0], folder, one[1]), wanted))
        runs = {name: run for (name, options), run in zip(wanted, done) if not options}
        for name, row in names.items():
            moved = {options[0]: run for (other, options), run in zip(wanted, done) if other == name and options}
            test_scenario(name, runs[name])
            test_told(name, row, runs[name], moved)
            check((name in NEUTRAL) == row["what it gives"].startswith("nothing"), f"{name} gives nothing by default, or something")
        for name in NEUTRAL:
            test_neutral(name, runs[name])
        test_facts(runs)
    finish()


main()
