#!/usr/bin/python3
"""The README is true: its examples run and give the figures it tells, its tables are those of the program.

"A model of your own" is taken as it stands; every other piece of YAML is put into these two files, by its top-level
keys, and must run. With the argument figures: only the first table, 200 replications of configs/ips-vs-typ.yaml.
"""
import copy
import json
import os
import re
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
import yaml
from checks import SOURCE, check, expect, finish, polku

MODEL_KEYS = {"states", "attributes", "transitions", "services", "rewards", "frailty"}


class Loader(yaml.SafeLoader):
    """Dates are texts."""


Loader.yaml_implicit_resolvers = {first: [(tag, pattern) for tag, pattern in resolvers if "timestamp" not in tag]
                                  for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()}


def read(name):
    with open(os.path.join(SOURCE, name), encoding="utf-8") as file:
        return file.read()


README = read("README.md")


def section(title):
    return re.search(rf"^#+ {re.escape(title)}\n(.*?)(?=^## |\Z)", README, re.S | re.M).group(1)


def blocks(text, language):
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.S | re.M)


def write(folder, name, text):
    with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
        file.write(text)


def number(text):
    return float(text.replace(",", "").replace("−", "-"))


def tell(value, like):
    """A number as the README writes the one that stands there."""
    digits = len(like.partition(".")[2])
    return f"{value:,.{digits}f}".replace("-", "−" if "−" in like else "-")


def merged(base, piece):
    if not (isinstance(base, dict) and isinstance(piece, dict)):
        return piece
    return base | {key: merged(base[key], value) if key in base else value for key, value in piece.items()}


def test_own_model(folder):
    text = section("A model of your own")
    model, scenario = blocks(text, "yaml")
    write(folder, "model.yaml", model)
    write(folder, "scenario.yaml", scenario)
    done = expect(0, "", "check", "model.yaml", "scenario.yaml", cwd=folder)
    rate = re.search(r"is a hazard of ([\d.]+) a year", text).group(1)
    found = re.search(r"converted: .*: ([\d.]+) a year", done.stdout)
    check(found and f"{float(found.group(1)):.4f}" == rate, f"check tells the hazard {rate}")
    expect(0, "", "run", "scenario.yaml", "-o", "jobs.h5", cwd=folder)
    told = json.loads(expect(0, "", "compare", "jobs.h5", "--against", "none", "--json", cwd=folder).stdout)["outcomes"][0]
    difference = told["differences"]["coach-none"]
    prose = " ".join(text.split())
    figures = re.search(r"tells ([\d,.]+) person-years .* and ([\d,.]+) with, a difference of ([\d,.]+) "
                        r"\(s\.e\. ([\d.]+); ([\d.]+) to ([\d.]+) over the ranges\), at ([\d,]+) euros", prose).groups()
    values = [told["arms"]["none"]["value"], told["arms"]["coach"]["value"], difference["value"],
              difference["standard_error"], difference["low"], difference["high"], difference["euros_per_additional"]]
    for figure, value in zip(figures, values):
        check(tell(value, figure) == figure, f"the figure {figure} is {value}")
    python, = blocks(text, "python")
    done = subprocess.run([sys.executable, "-c", python], cwd=folder, capture_output=True, text=True)
    wanted = re.findall(r"# ([\d.]+)", python)
    printed = done.stdout.split()
    check(len(printed) == len(wanted) == 2, f"the Python example prints {wanted}: {done.stdout} {done.stderr}")
    for value, figure in zip(printed, wanted):
        check(tell(float(value), figure) == figure, f"the Python example prints {figure}: {value}")
    story, = blocks(text, "text")
    arguments = re.search(r"`polku run (scenario\.yaml --person .*?)`", text).group(1).split()
    done = expect(0, "", "run", *arguments, cwd=folder)
    check(all(part in done.stdout for part in story.split("\n\n")), f"one life is told as in the README: {done.stdout}")
    done = expect(0, "", "verify", "--brief", "scenario.yaml", cwd=folder)
    check("simulation and twin agree" in done.stdout, f"the model of the README is verified: {done.stdout}")
    arguments = re.search(r"`polku check (--precision .*?)`", README).group(1).split()
    done = expect(0, "", "check", "--quiet", *arguments, cwd=folder)
    check("coach - none" in done.stdout, f"check --precision tells what an error needs: {done.stdout}")
    return yaml.load(model, Loader), yaml.load(scenario, Loader)


def test_calibration(folder, study, model, scenario):
    """The study stands beside the files of "A model of your own"; what it writes is used by a scenario there."""
    command = re.search(r"^polku (calibrate .*?) +#", README, re.M).group(1).split()
    write(folder, "study.yaml", study)
    done = expect(0, "jobs_fit.yaml and jobs_fit.h5 written", *command, cwd=folder)
    check("every target is met" in done.stdout and "by the analytic twin" in done.stdout, f"the study: {done.stdout}")
    write(folder, "with_fit.yaml", yaml.safe_dump(scenario | {"calibrated": "jobs_fit.yaml"}, sort_keys=False))
    expect(0, "", "run", "with_fit.yaml", "-r", "2", "--no-variants", "-o", "with_fit.h5", cwd=folder)
    done = expect(0, "", "compare", "with_fit.h5", cwd=folder)
    check("calibrated: jobs_fit" in done.stdout, f"compare tells of the study: {done.stdout}")


def test_bridge(folder, text):
    """The table of the bridge, and the two figures that it begins with, are those of the piece just run."""
    expect(0, "", "run", "piece.yaml", "-o", "bridge.h5", cwd=folder)
    steps = json.loads(expect(0, "", "compare", "bridge.h5", "--json", cwd=folder).stdout)["bridge"]["steps"]
    rows = re.findall(r"^\| (nobody dies, coached for life|\+ .*?) \| (.*) \|$", text, re.M)
    check([label.removeprefix("+ ") for label, _ in rows] == [step["label"] for step in steps], f"the steps are {rows}")
    for (label, cells), step in zip(rows, steps):
        figures = [cell.strip() for cell in cells.split("|")]
        values = [step[name][key] for name in ("value", "contribution", "first", "last") if name in step
                  for key in ("value", "standard_error")]
        for figure, value in zip(figures, values):
            check(tell(value, figure) == figure, f"{label}: the figure {figure} is {value}")
        check(len(values) == sum(map(bool, figures)), f"{label}: all figures are told")
    found = re.search(r"figure is ([\d,]+) and the model's is ([\d,]+)", text).groups()
    check([tell(steps[i]["value"]["value"], found[i]) for i in (0, -1)] == list(found), f"it begins with {found}")


def test_pieces(folder, model, scenario):
    text = section("How to write a model").replace(claims_part(), "")
    for name, table in re.findall(r"`(\w+\.csv)`:\n\n```csv\n(.*?)^```", text, re.S | re.M):
        write(folder, name, table)
    pieces = blocks(text, "yaml")
    check(len(pieces) >= 7, f"{len(pieces)} pieces of YAML")
    for piece in pieces:
        if "sweep:" in piece:
            test_sweep(folder, piece)
            continue
        if "calibrate:" in piece:
            test_calibration(folder, piece, model, scenario)
            continue
        what = f"the piece of YAML that begins with {piece[:60]!r}"
        made, run = copy.deepcopy(model), copy.deepcopy(scenario) | {"model": "piece_model.yaml"}
        of_model = {word for key, value in yaml.load(piece, Loader).items() if key in MODEL_KEYS
                    for word in re.findall(r"\w+", str(value))}
        for key, value in yaml.load(piece, Loader).items():
            if key == "parameters":  # into the file that names them
                for name, parameter in value.items():
                    (made if name in of_model else run).setdefault(key, {})[name] = parameter
            else:
                target = made if key in MODEL_KEYS else run
                target[key] = merged(target.get(key), value) if key != "horizon" else value
        write(folder, "piece_model.yaml", yaml.safe_dump(made, sort_keys=False))
        write(folder, "piece.yaml", yaml.safe_dump(run, sort_keys=False))
        done = polku("check", "--quiet", "piece.yaml", cwd=folder)
        said = [line for line in done.stderr.splitlines() if "is used by nothing in this model" not in line]
        if not check(done.returncode == 0 and not said, f"{what} is good: {done.stderr}"):
            continue
        fewer = [] if "replications" in yaml.load(piece, Loader) else ["-r", "2"]
        done = polku("run", "piece.yaml", *fewer, "--no-variants", "-o", "piece.h5", cwd=folder)
        check(done.returncode == 0, f"{what} runs: {done.stderr}")
        done = polku("compare", "piece.h5", cwd=folder)
        check(done.returncode == 0 and done.stderr == "", f"{what} is compared: {done.stderr}")
        if "bridge:" in piece:
            test_bridge(folder, text)
        if "prevent:" in piece:
            words = re.findall(r"\*((?:events|fewer|persons|later)[\w ]*)\*", text.replace("\n", " "))
            check(len(words) == 5 and all(word in done.stdout for word in words), f"preventions are told as {words}")
        if "rewards:" in piece:
            price = re.search(r"compare jobs\.h5 --set (\S+)`", text).group(1)
            expect(0, "", "compare", "piece.h5", "--set", price, cwd=folder)


def test_sweep(folder, study):
    write(folder, "sweep.yaml", study)
    for command in re.findall(r"^polku ((?:sweep sweep.yaml|analyse jobs_sweep).*?) +#", README, re.M):
        done = expect(0, "", *command.split(), cwd=folder)
    check("effect" in done.stdout and "shares of the variance" in done.stdout, f"the sweep: {done.stdout}")


def claims_part():
    """The section on claims, up to the next heading of any level."""
    return re.split(r"^#+ ", section("Claims"), maxsplit=1, flags=re.M)[0]


def test_claims(folder):
    """Four files, of which one is like the scenario of "A model of your own", and the figures that the text tells."""
    text, names = claims_part(), ("static_model.yaml", "static.yaml", "year.yaml", "claims.yaml")
    files = blocks(text, "yaml")
    check(len(files) == len(names), f"{len(files)} files of claims")
    for name, file in zip(names, files):
        check(f"`{name}`" in text, f"{name} is named")
        write(folder, name, file)
    command = re.search(r"^polku (claims .*?) +#", text, re.M).group(1).split()
    written = re.findall(r"brochure/\S+\.(?:h5|csv)", text)
    done = expect(0, "brochure/claims.csv written; 2 scenarios run", *command, "--json", cwd=folder)
    check(len(written) == 3 and all(os.path.exists(os.path.join(folder, name)) for name in written), f"{written} are there")
    claim, = json.loads(done.stdout)["figures"]
    dynamic, = claim["dynamic"]
    figures = re.search(r"is printed, ([\d.]+), what its assumptions give, ([\d.]+) .* gives: ([\d.]+) in work .* only "
                        r"([\d.]+) more than without \(s\.e\. ([\d.]+); ([\d.]+) to ([\d.]+) over", " ".join(text.split()))
    values = [claim["printed"], claim["reconstructed"]["value"], *(dynamic[key] for key in
              ("gross", "net", "standard_error", "low", "high"))]
    for figure, value in zip(figures.groups(), values):
        check(tell(value, figure) == figure, f"the figure {figure} is {value}")


def test_forms(folder, model):
    """Each row of the table of forms: the names that the program knows, with the units that it wants."""
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \| (.*?) \| ((?:`\w+` \w+(?:, )?)+) \|$", README, re.M)
    forms = re.search(r"#define PK_HAZARD_FORM_LIST\(X\)(.*?)\n\n", read("sim/maths/include/polku/hazard.h"), re.S).group(1)
    names = re.findall(r'X\(\w+, "(\w+)"', forms)
    check([row[0] for row in rows] == names, f"the README's forms are the program's: {[row[0] for row in rows]}")
    for form, _, _, parameters in rows:
        made = copy.deepcopy(model)
        wanted = re.findall(r"`(\w+)` (\w+)", parameters)
        for name, unit in wanted:
            made["parameters"][name] = {"value": 0.5, "unit": unit, "source": {"assumption": "made up"}}
        made["transitions"]["losing"]["hazard"] = {form: {name: name for name, _ in wanted} | {"clock": "time_in_state"}}
        write(folder, "form.yaml", yaml.safe_dump(made, sort_keys=False))
        done = polku("check", "--quiet", "form.yaml", cwd=folder)
        check(done.returncode == 0, f"the form {form} as in the README: {done.stderr}")


def test_units():
    units = re.search(r"#define PK_UNIT_LIST\(X\)(.*?)\n\n", read("sim/model/include/polku/model.h"), re.S).group(1)
    told = re.search(r"Units: (.*?)\.\n", README, re.S).group(1)
    check(re.findall(r"`(\w+)`", told) == re.findall(r'X\(\w+, "(\w+)"', units), f"the README's units are the program's: {told}")


def test_verify():
    """The figures of the excerpt, but for the twin's own error, which depends on its steps."""
    excerpt = blocks(section("Is the simulation right?"), "text")[0]
    told = re.findall(r"^ +([\d.]+)  (\w+) +([\d.]+) +\S+ +([\d.]+) +(\S+) +(\S+)$", excerpt, re.M)
    check(len(told) >= 5, f"{len(told)} figures of polku verify")
    done = expect(0, "", "verify", "--json", os.path.join(SOURCE, "configs", "ref5.yaml"))
    rows = {(row["years"], row["state"]): row for row in json.loads(done.stdout)["rows"]}
    for years, state, exact, simulated, error, z in told:
        row = rows.get((float(years), state), {})
        check(row and abs(row["exact"] - float(exact)) < 1e-7 and f"{row['simulated']:.8f}" == simulated and
              f"{row['standard_error']:.1e}" == error and abs(row["z"] - float(z)) < 0.02, f"{state} at {years}: {row}")


def test_commands():
    told = set(re.findall(r"^polku (\w+)  ", README, re.M))
    known = set(re.findall(r"^  (\w+) ", polku("--help").stdout.split("\n\n")[2], re.M))
    check(told == known, f"the README's commands are the program's: {sorted(told ^ known)}")
    for link in re.findall(r"\]\(([^)#]+)\)", README):
        check(link.startswith("http") or os.path.exists(os.path.join(SOURCE, link)), f"{link} is there")
    titles = {re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in re.findall(r"^#+ (.*)$", README, re.M)}
    for anchor in re.findall(r"\]\(#([^)]+)\)", README):
        check(anchor in titles, f"there is a heading for #{anchor}")
    check(max(map(len, README.splitlines())) <= 250, "lines of the README are short")


def test_figures(folder):
    """The table at the top, but for its last column, which needs the ranges; those are in another test's reach."""
    rows = re.findall(r"^\| (no service|TYP|IPS|IPS minus TYP|IPS minus no service|TYP minus no service) "
                      r"\| \**([\d,]+)\** \| ([\d.]+) \|", README, re.M)
    check(len(rows) == 6, f"{len(rows)} rows")
    result = os.path.join(folder, "ips.h5")
    expect(0, "", "run", os.path.join(SOURCE, "configs", "ips-vs-typ.yaml"), "--no-variants", "-o", result)
    outcomes = {row["outcome"]: row for row in json.loads(polku("compare", result, "--json").stdout)["outcomes"]}
    told = outcomes["employed_years_0_10y"]
    arms = {"no service": "none", "TYP": "typ", "IPS": "ips"}
    for name, value, error in rows:
        arm, _, against = name.partition(" minus ")
        found = told["differences"][f"{arms[arm]}-{arms[against]}"] if against else told["arms"][arms[arm]]
        check(tell(found["value"], value) == value and tell(found["standard_error"], error) == error,
              f"{name}: {value} and {error} are {found}")
    share = re.search(r"(\d+) % of the person-years", README).group(1)
    found = 100 * told["arms"]["none"]["value"] / told["arms"]["ips"]["value"]
    check(f"{found:.0f}" == share, f"{share} % there anyway is {found}")
    # the variants are run 50 times, whatever the main run
    weights = re.search(r"(\d+) % of that movement comes from numbers of the documents.*?and (\d+) % from assumptions", README, re.S)
    expect(0, "", "run", os.path.join(SOURCE, "configs", "ips-vs-typ.yaml"), "-r", 50, "-o", result)
    weighed = json.loads(polku("compare", result, "--json").stdout)["influence"][0]["kinds"]
    for told, row, kind, largest in zip(weights.groups(), weighed, ("document", "assumption"),
                                        ("ips_job_finding", "job_loss_scale")):
        check(row["kind"] == kind and f"{100 * row['share']:.0f}" == told and row["parameter"] == largest,
              f"{told} % of {kind}: {row}")


def main():
    with tempfile.TemporaryDirectory() as folder:
        if sys.argv[1:] == ["figures"]:
            test_figures(folder)
        else:
            model, scenario = test_own_model(folder)
            test_pieces(folder, model, scenario)
            test_claims(folder)
            test_forms(folder, model)
            test_units()
            test_verify()
            test_commands()
    finish()


if __name__ == "__main__":
    main()
